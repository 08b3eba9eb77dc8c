/* test_json.c - the scanner accepts exactly JSON, and the tape is true */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define ABSENT ((struct json_value){0})

static const struct json_limits usual;

/* Scan text, which must be right. */
static struct json
parsed(struct arena *arena, struct str text)
{
	struct json doc;
	struct json_error error = {0};
	if (!json_parse(arena, text, (struct json_limits){ .bytes = 1 << 26 },
		&doc, &error))
		fail_msg("'" STR_FMT "' at %zu: %s", STR_ARG(text),
		    error.offset, error.reason);
	return doc;
}

struct refusal {
	struct str text;
	size_t offset;
	const char *reason;
};

static void
check_refusals(const struct refusal *cases, size_t n)
{
	struct arena arena = {0};
	for (size_t i = 0; i < n; i++) {
		struct json doc;
		struct json_error error = {0};
		/* Nothing behind the text, so that tools see misreads. */
		struct str text = cases[i].text;
		char *copy = malloc(text.len > 0 ? text.len : 1);
		memcpy(copy, text.data, text.len);
		text.data = copy;
		if (json_parse(&arena, text, usual, &doc, &error))
			fail_msg("'" STR_FMT "' was accepted", STR_ARG(text));
		if (strcmp(error.reason, cases[i].reason) != 0 ||
		    error.offset != cases[i].offset)
			fail_msg("'" STR_FMT "': %zu %s", STR_ARG(text),
			    error.offset, error.reason);
		assert_int_equal(doc.n, 0);
		assert_false(json_exists(json_root(&doc)));
		free(copy);
	}
	arena_release(&arena);
}

static void
test_json_refuses_bad_documents(void **state)
{
	(void)state;
	static const struct refusal cases[] = {
		{ STR_INIT(""), 0, "unexpected end" },
		{ STR_INIT(" \n\t\r"), 4, "unexpected end" },
		{ STR_INIT("\xef\xbb\xbf{}"), 0, "byte order mark" },
		{ STR_INIT("{}x"), 2, "text after the document" },
		{ STR_INIT("{} {}"), 3, "text after the document" },
		{ STR_INIT("1 2"), 2, "text after the document" },
		{ STR_INIT("{}\0"), 2, "text after the document" },
		{ STR_INIT("\f{}"), 0, "value expected" },
		{ STR_INIT("\0"), 0, "value expected" },
		{ STR_INIT("}"), 0, "value expected" },
		{ STR_INIT("/*x*/1"), 0, "value expected" },
		{ STR_INIT("\xff"), 0, "value expected" },
	};
	check_refusals(cases, COUNTOF(cases));
}

static void
test_json_refuses_bad_structure(void **state)
{
	(void)state;
	static const struct refusal cases[] = {
		{ STR_INIT("["), 1, "unexpected end" },
		{ STR_INIT("[1"), 2, "unexpected end" },
		{ STR_INIT("[1,"), 3, "unexpected end" },
		{ STR_INIT("[1,]"), 3, "value expected" },
		{ STR_INIT("[,1]"), 1, "value expected" },
		{ STR_INIT("[1 2]"), 3, "comma or ] expected" },
		{ STR_INIT("[1}"), 2, "comma or ] expected" },
		{ STR_INIT("{"), 1, "unexpected end" },
		{ STR_INIT("{ "), 2, "unexpected end" },
		{ STR_INIT("{\"a\""), 4, "unexpected end" },
		{ STR_INIT("{\"a\":"), 5, "unexpected end" },
		{ STR_INIT("{\"a\":1"), 6, "unexpected end" },
		{ STR_INIT("{\"a\":1,"), 7, "unexpected end" },
		{ STR_INIT("{\"a\":1,}"), 7, "key expected" },
		{ STR_INIT("{\"a\" 1}"), 5, "colon expected" },
		{ STR_INIT("{\"a\":1]"), 6, "comma or } expected" },
		{ STR_INIT("{\"a\":1 \"b\":2}"), 7, "comma or } expected" },
		{ STR_INIT("{\"a\":}"), 5, "value expected" },
		{ STR_INIT("{a:1}"), 1, "key expected" },
		{ STR_INIT("{'a':1}"), 1, "key expected" },
		{ STR_INIT("{1:1}"), 1, "key expected" },
		{ STR_INIT("{,}"), 1, "key expected" },
		{ STR_INIT("{]"), 1, "key expected" },
		{ STR_INIT("{\"a"), 3, "unexpected end" },
		/* */
		{ STR_INIT("{\"pods\":["), 9, "unexpected end" },
	};
	check_refusals(cases, COUNTOF(cases));
}

static void
test_json_refuses_bad_numbers_and_words(void **state)
{
	(void)state;
	static const struct refusal cases[] = {
		{ STR_INIT("1."), 2, "unexpected end" },
		{ STR_INIT("[1.]"), 3, "digit expected" },
		{ STR_INIT(".5"), 0, "value expected" },
		{ STR_INIT("01"), 0, "leading zero" },
		{ STR_INIT("-01"), 1, "leading zero" },
		{ STR_INIT("[00]"), 1, "leading zero" },
		{ STR_INIT("+1"), 0, "value expected" },
		{ STR_INIT("-"), 1, "unexpected end" },
		{ STR_INIT("[-]"), 2, "digit expected" },
		{ STR_INIT("--1"), 1, "digit expected" },
		{ STR_INIT("-Infinity"), 1, "digit expected" },
		{ STR_INIT("Infinity"), 0, "value expected" },
		{ STR_INIT("NaN"), 0, "value expected" },
		{ STR_INIT("nan"), 0, "value expected" },
		{ STR_INIT("1e"), 2, "unexpected end" },
		{ STR_INIT("1e+"), 3, "unexpected end" },
		{ STR_INIT("[1e+]"), 4, "digit expected" },
		{ STR_INIT("[1.e5]"), 3, "digit expected" },
		{ STR_INIT("0x10"), 1, "text after the document" },
		{ STR_INIT("12abc"), 2, "text after the document" },
		{ STR_INIT("1_000"), 1, "text after the document" },
		{ STR_INIT("tru"), 3, "unexpected end" },
		{ STR_INIT("[nul"), 4, "unexpected end" },
		{ STR_INIT("nulx"), 0, "value expected" },
		{ STR_INIT("True"), 0, "value expected" },
		{ STR_INIT("falsey"), 5, "text after the document" },
		{ STR_INIT("undefined"), 0, "value expected" },
	};
	check_refusals(cases, COUNTOF(cases));
}

static void
test_json_refuses_bad_strings(void **state)
{
	(void)state;
	static const struct refusal cases[] = {
		{ STR_INIT("\""), 1, "unexpected end" },
		{ STR_INIT("\"abc"), 4, "unexpected end" },
		{ STR_INIT("'a'"), 0, "value expected" },
		{ STR_INIT("\"a\tb\""), 2, "control character in a string" },
		{ STR_INIT("\"a\nb\""), 2, "control character in a string" },
		{ STR_INIT("\"\x1f\""), 1, "control character in a string" },
		{ STR_INIT("\"a\0b\""), 2, "NUL in a string" },
		{ STR_INIT("\"a\\u0000b\""), 2, "NUL in a string" },
		{ STR_INIT("\"\\"), 2, "unexpected end" },
		{ STR_INIT("\"\\x41\""), 1, "unknown escape" },
		{ STR_INIT("\"\\0\""), 1, "unknown escape" },
		{ STR_INIT("\"\\'\""), 1, "unknown escape" },
		{ STR_INIT("\"\\\0\""), 1, "unknown escape" },
		{ STR_INIT("\"\\u12\""), 1, "four hex digits expected" },
		{ STR_INIT("\"\\u12"), 1, "four hex digits expected" },
		{ STR_INIT("\"\\u12g4\""), 1, "four hex digits expected" },
		{ STR_INIT("\"\\ud800\""), 1, "lone surrogate" },
		{ STR_INIT("\"\\udc00\""), 1, "lone surrogate" },
		{ STR_INIT("\"\\ud800\\u0041\""), 1, "lone surrogate" },
		{ STR_INIT("\"\\ud800\\n12345\""), 1, "lone surrogate" },
		{ STR_INIT("\"\\ud800x\\udc00\""), 1, "lone surrogate" },
		{ STR_INIT("\"\\ud800\\ud800\""), 1, "lone surrogate" },
		{ STR_INIT("\"\\ud800\\ud"), 1, "lone surrogate" },
		{ STR_INIT("\"\xc0\xaf\""), 1, "not UTF-8" },
		{ STR_INIT("\"abcdefgh\xed\xa0\x80\""), 9, "not UTF-8" },
		{ STR_INIT("\"\xf5\x80\x80\x80\""), 1, "not UTF-8" },
		{ STR_INIT("\"\xe2\x82\""), 1, "not UTF-8" },
		{ STR_INIT("\"\xe2\x82"), 1, "not UTF-8" },
		{ STR_INIT("\"12345678\x80\""), 9, "not UTF-8" },
	};
	check_refusals(cases, COUNTOF(cases));
}

static void
test_json_refuses_equal_keys(void **state)
{
	(void)state;
	static const struct refusal cases[] = {
		{ STR_INIT("{\"id\":1,\"id\":2}"), 8, "duplicate key" },
		{ STR_INIT("{\"id\":1,\"i\\u0064\":2}"), 8, "duplicate key" },
		{ STR_INIT("{\"\\/\":1,\"a\":0,\"/\":2}"), 14,
		    "duplicate key" },
		{ STR_INIT("{\"\":1,\"\":2}"), 6, "duplicate key" },
		{ STR_INIT("[{\"a\":{\"b\":[],\"b\":{}}}]"), 14,
		    "duplicate key" },
		{ STR_INIT("{\"id\\u0000x\":1,\"id\":2}"), 4,
		    "NUL in a string" },			/* */
	};
	check_refusals(cases, COUNTOF(cases));
	struct arena arena = {0};
	parsed(&arena, STR("{\"a\":{\"a\":1},\"b\":{\"a\":1},\"A\":[{\"a\":1},"
			   "{\"a\":2}]}"));
	arena_release(&arena);
}

/* n members, then one more with the given key. */
static struct str
big_object(struct strbuf *out, size_t n, const char *last)
{
	strbuf_reset(out);
	strbuf_addc(out, '{');
	for (size_t i = 0; i < n; i++)
		strbuf_addf(out, "\"key-%zu\":%zu,", i, i);
	strbuf_addf(out, "\"%s\":0}", last);
	return strbuf_str(out);
}

static void
test_json_finds_equal_keys_in_objects_of_any_size(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct strbuf text = {0};
	static const size_t sizes[] = { 1, 15, 16, 17, 31, 32, 33, 5000 };
	for (size_t i = 0; i < COUNTOF(sizes); i++) {
		struct json doc;
		struct json_error error;
		parsed(&arena, big_object(&text, sizes[i], "key-x"));
		struct str twin = big_object(&text, sizes[i], "key\\u002d0");
		assert_false(json_parse(&arena, twin, usual, &doc, &error));
		assert_string_equal(error.reason, "duplicate key");
		assert_int_equal(error.offset, twin.len - 15);
	}
	strbuf_release(&text);
	arena_release(&arena);
}

/*
 * Keys made to collide: all of their hashes, whatever the function, end in
 * the same bits, since we look for such keys by trying.
 */
static void
test_json_bears_keys_that_collide(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct strbuf text = {0};
	struct json doc;
	struct json_error error = {0};
	size_t last_at = 0;
	strbuf_addc(&text, '{');
	for (size_t i = 0, found = 0; found < 120; i++) {
		struct str key = arena_printf(&arena, "k%zu", i);
		if ((str_hash(key) & 1023) != 7)
			continue;
		last_at = text.len;
		strbuf_addf(&text, "\"%s\":0,", key.data);
		found++;
	}
	strbuf_addf(&text, "\"x\":0}");
	parsed(&arena, strbuf_str(&text));
	/* The same again, now with the last of them twice, and the second. */
	struct str last = str_sub(strbuf_str(&text), last_at,
	    text.len - 7 - last_at);
	struct str twice = arena_printf(&arena, "%.*s," STR_FMT "," STR_FMT "}",
	    (int)text.len - 1, text.data, STR_ARG(last), STR_ARG(last));
	assert_false(json_parse(&arena, twice, usual, &doc, &error));
	assert_string_equal(error.reason, "duplicate key");
	assert_int_equal(error.offset, text.len);
	strbuf_release(&text);
	arena_release(&arena);
}

/* Of the same length, and alike at both ends and in the middle. */
static void
test_json_tells_keys_that_look_alike_apart(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct json doc;
	struct json_error error;
	parsed(&arena, STR("{\"a1b1c\":1,\"a2b2c\":2,\"a1b2c\":3}"));
	assert_false(json_parse(&arena, STR("{\"a1b1c\":1,\"a2b2c\":2,"
	    "\"a1b1c\":3}"), usual, &doc, &error));
	assert_string_equal(error.reason, "duplicate key");
	/* Big objects one after another, of growing and of the same size. */
	struct strbuf text = {0}, all = {0};
	strbuf_addc(&all, '[');
	for (size_t n = 20; n <= 100; n += 20)
		for (int again = 0; again < 2; again++) {
			strbuf_add(&all, big_object(&text, n, "key-x"));
			strbuf_addc(&all, ',');
		}
	strbuf_add(&all, big_object(&text, 20, "key-y"));
	strbuf_addc(&all, ']');
	parsed(&arena, strbuf_str(&all));
	strbuf_release(&text);
	strbuf_release(&all);
	arena_release(&arena);
}

/* However many keys come twice: the first second one is told. */
static void
test_json_names_the_first_twin_of_keys_that_collide(void **state)
{
	static const unsigned orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 },
		{ 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	struct str keys[120];
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0, found = 0; found < COUNTOF(keys); i++) {
		keys[found] = arena_printf(&arena, "k%zu", i);
		found += (str_hash(keys[found]) & 1023) == 7;
	}
	for (size_t order = 0; order < COUNTOF(orders); order++) {
		struct strbuf text = {0};
		struct json doc;
		struct json_error error = {0};
		strbuf_addc(&text, '{');
		for (size_t i = 0; i < COUNTOF(keys); i++)
			strbuf_addf(&text, "\"" STR_FMT "\":0,",
			    STR_ARG(keys[i]));
		size_t first = text.len;
		for (size_t i = 0; i < 3; i++)
			strbuf_addf(&text, "%s\"" STR_FMT "\":0",
			    i > 0 ? "," : "",
			    STR_ARG(keys[40 * orders[order][i] + 20]));
		strbuf_addc(&text, '}');
		assert_false(json_parse(&arena, strbuf_str(&text), usual, &doc,
		    &error));
		assert_string_equal(error.reason, "duplicate key");
		assert_int_equal(error.offset, first);
		strbuf_release(&text);
	}
	arena_release(&arena);
}

static bool
nested(struct arena *arena, size_t depth, unsigned limit, size_t *offset)
{
	struct strbuf text = {0};
	struct json doc;
	struct json_error error = {0};
	for (size_t i = 0; i < depth; i++)
		strbuf_adds(&text, i % 2 == 0 ? "[" : "{\"a\":");
	strbuf_addc(&text, '1');
	for (size_t i = depth; i-- > 0;)
		strbuf_addc(&text, i % 2 == 0 ? ']' : '}');
	bool ok = json_parse(arena, strbuf_str(&text),
	    (struct json_limits){ .bytes = 1 << 24, .depth = limit }, &doc,
	    &error);
	if (!ok)
		assert_string_equal(error.reason, "nested too deeply");
	*offset = error.offset;
	strbuf_release(&text);
	return ok;
}

static void
test_json_limits_depth(void **state)
{
	(void)state;
	struct arena arena = {0};
	size_t offset;
	assert_true(nested(&arena, 32, 0, &offset));
	assert_false(nested(&arena, 33, 0, &offset));	/* */
	assert_int_equal(offset, 32 * 3);
	assert_false(nested(&arena, 200000, 0, &offset));
	assert_true(nested(&arena, 1, 1, &offset));
	assert_false(nested(&arena, 2, 1, &offset));
	/* No recursion: a depth that would end other parsers. */
	assert_true(nested(&arena, 200000, 200000, &offset));
	arena_release(&arena);
}

static void
test_json_limits_size(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct json doc;
	struct json_error error = {0};
	struct json_limits four = { .bytes = 4 };
	assert_true(json_parse(&arena, STR("null"), four, &doc, &error));
	assert_false(json_parse(&arena, STR("null "), four, &doc, &error));
	assert_string_equal(error.reason, "too large");
	assert_int_equal(error.offset, 4);
	struct strbuf text = {0};
	strbuf_pad(&text, 256 * 1024, ' ');
	text.data[0] = '1';
	assert_true(json_parse(&arena, strbuf_str(&text), usual, &doc, NULL));
	strbuf_addc(&text, ' ');
	assert_false(json_parse(&arena, strbuf_str(&text), usual, &doc, NULL));
	strbuf_release(&text);
	/* Whatever the caller allows; the bytes are never looked at. */
	struct str huge = { "x", (size_t)1 << 40 };
	assert_false(json_parse(&arena, huge,
	    (struct json_limits){ .bytes = SIZE_MAX }, &doc, &error));
	assert_string_equal(error.reason, "too large");
	assert_false(json_parse(&arena, (struct str){0}, usual, &doc, &error));
	assert_string_equal(error.reason, "unexpected end");
	arena_release(&arena);
}

static void
test_json_values_know_their_type_and_text(void **state)
{
	(void)state;
	struct arena arena = {0};
	static const struct {
		const char *text;
		enum json_type type;
	} cases[] = {
		{ "null", JSON_NULL }, { "true", JSON_TRUE },
		{ "false", JSON_FALSE }, { "0", JSON_NUMBER },
		{ "-0", JSON_NUMBER }, { "-12.5e+30", JSON_NUMBER },
		{ "1E400", JSON_NUMBER }, { "0.0e-0", JSON_NUMBER },
		{ "\"\"", JSON_STRING }, { "\"a\\\"b\"", JSON_STRING },
		{ "[]", JSON_ARRAY }, { "[ ]", JSON_ARRAY },
		{ "[1, [2], {\"a\": 3} ]", JSON_ARRAY },
		{ "{}", JSON_OBJECT }, { "{\"a\" : [1]}", JSON_OBJECT },
	};
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct json doc = parsed(&arena,
		    arena_printf(&arena, " \r\n\t%s\n", cases[i].text));
		struct json_value root = json_root(&doc);
		assert_true(json_exists(root));
		assert_int_equal(json_type(root), cases[i].type);
		assert_true(json_is(root, cases[i].type));
		assert_true(str_is(json_text(root), cases[i].text));
	}
	arena_release(&arena);
}

static void
test_json_absent_is_nothing(void **state)
{
	(void)state;
	assert_false(json_exists(ABSENT));
	assert_int_equal(json_type(ABSENT), JSON_NULL);
	assert_false(json_is(ABSENT, JSON_NULL));
	assert_null(json_text(ABSENT).data);
	assert_int_equal(json_count(ABSENT), 0);
	assert_false(json_exists(json_get(ABSENT, "x")));
	struct json_iter it = json_iter(ABSENT);
	assert_false(json_next(&it));
}

static void
test_json_iterates_in_order(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct json doc = parsed(&arena, STR("[1,[2,[3]],{\"k\":{\"l\":4}},"
					     "\"s\",[],{}]"));
	static const char *const want[] = { "1", "[2,[3]]",
		"{\"k\":{\"l\":4}}", "\"s\"", "[]", "{}" };
	struct json_iter it = json_iter(json_root(&doc));
	size_t n = 0;
	for (; json_next(&it); n++)
		assert_true(str_is(json_text(it.value), want[n]));
	assert_int_equal(n, 6);
	assert_false(json_next(&it));
	assert_int_equal(json_count(json_root(&doc)), 6);

	doc = parsed(&arena, STR("{\"a\":{\"x\":[1]},\"\\u0062\\n\":2}"));
	it = json_iter(json_root(&doc));
	assert_true(json_next(&it));
	assert_true(str_is(it.key, "a"));
	assert_false(it.key_escaped);
	assert_true(str_is(json_iter_key(&arena, &it), "a"));
	assert_true(str_is(json_text(it.value), "{\"x\":[1]}"));
	assert_true(json_next(&it));
	assert_true(it.key_escaped);
	assert_true(str_is(json_iter_key(&arena, &it), "b\n"));
	assert_false(json_next(&it));
	assert_int_equal(json_count(json_root(&doc)), 2);
	doc = parsed(&arena, STR("7"));
	it = json_iter(json_root(&doc));
	assert_false(json_next(&it));
	arena_release(&arena);
}

static void
test_json_get_compares_unescaped_keys(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct json doc = parsed(&arena,
	    STR("{\"a\":1,\"i\\u0064\":2,\"id2\":3,\"\\ud83d\\ude00\":4,"
		"\"\":5,\"\\u20ac\":6,\"\\u00e9\\t\":7}"));
	struct json_value root = json_root(&doc);
	assert_true(str_is(json_text(json_get(root, "id")), "2"));
	assert_true(str_is(json_text(json_get(root, "id2")), "3"));
	assert_true(str_is(json_text(json_get(root, "\xf0\x9f\x98\x80")),
	    "4"));
	assert_true(str_is(json_text(json_get(root, "")), "5"));
	assert_true(str_is(json_text(json_get(root, "\xe2\x82\xac")), "6"));
	assert_true(str_is(json_text(json_get(root, "\xc3\xa9\t")), "7"));
	assert_false(json_exists(json_get(root, "i")));
	assert_false(json_exists(json_get(root, "id3")));
	assert_false(json_exists(json_get(json_get(root, "a"), "a")));
	doc = parsed(&arena, STR("[\"a\",1]"));
	assert_false(json_exists(json_get(json_root(&doc), "a")));
	arena_release(&arena);
}

/* Cut anywhere, a document is none; no cut is read beyond. */
static void
test_json_no_prefix_is_a_document(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct str whole = STR("{\"pods\":[{\"id\":\"x\\ud83d\\ude00\xc3\xa9\","
			       "\"cost\":-0.44e1,\"on\":true,\"off\":false,"
			       "\"nil\":null,\"a\":[1, 2 ]}]}");
	parsed(&arena, whole);
	for (size_t n = 0; n < whole.len; n++) {
		struct json doc;
		struct json_error error = {0};
		char *copy = malloc(n + 1);
		memcpy(copy, whole.data, n);
		char *exact = realloc(copy, n > 0 ? n : 1);
		assert_false(json_parse(&arena, (struct str){ exact, n },
		    usual, &doc, &error));
		assert_true(error.offset <= n);
		assert_non_null(error.reason);
		free(exact);
	}
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_refuses_bad_documents),
		cmocka_unit_test(test_json_refuses_bad_structure),
		cmocka_unit_test(test_json_refuses_bad_numbers_and_words),
		cmocka_unit_test(test_json_refuses_bad_strings),
		cmocka_unit_test(test_json_refuses_equal_keys),
		cmocka_unit_test(
		    test_json_finds_equal_keys_in_objects_of_any_size),
		cmocka_unit_test(test_json_bears_keys_that_collide),
		cmocka_unit_test(test_json_tells_keys_that_look_alike_apart),
		cmocka_unit_test(
		    test_json_names_the_first_twin_of_keys_that_collide),
		cmocka_unit_test(test_json_limits_depth),
		cmocka_unit_test(test_json_limits_size),
		cmocka_unit_test(test_json_values_know_their_type_and_text),
		cmocka_unit_test(test_json_absent_is_nothing),
		cmocka_unit_test(test_json_iterates_in_order),
		cmocka_unit_test(test_json_get_compares_unescaped_keys),
		cmocka_unit_test(test_json_no_prefix_is_a_document),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
