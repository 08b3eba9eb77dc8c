/*
 * test_json_agreement.c - our scanner beside json-c.
 *
 * json-c accepts more than JSON, so agreement goes one way: what we accept,
 * it accepts, and both read the same values.  Documents are made from a
 * seed, then damaged a little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "tests/unit/jsonc_oracle.h"

struct source_of_chance {
	uint64_t state;
};

static uint32_t
below(struct source_of_chance *chance, uint32_t limit)
{
	chance->state = chance->state * 6364136223846793005u +
	    1442695040888963407u;
	return (uint32_t)((chance->state >> 33) % limit);
}

static void
make_string(struct source_of_chance *chance, struct strbuf *out)
{
	static const char *const pieces[] = { "a", "pod", "\\n", "\\\"",
		"\\\\", "\\/", "\\u0041", "\\u00e9", "\\u20AC",
		"\\ud83d\\ude00", "\xc3\xa9", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80", " ", "\\b\\f\\r\\t", "/", "abcdefghijkl" };
	strbuf_addc(out, '"');
	for (uint32_t n = below(chance, 5); n > 0; n--)
		strbuf_adds(out, pieces[below(chance, COUNTOF(pieces))]);
	strbuf_addc(out, '"');
}

static void
make_space(struct source_of_chance *chance, struct strbuf *out)
{
	static const char *const spaces[] = { "", "", "", " ", "\n\t", "\r\n" };
	strbuf_adds(out, spaces[below(chance, COUNTOF(spaces))]);
}

static void
make_value(struct source_of_chance *chance, struct strbuf *out, int depth)
{
	static const char *const scalars[] = { "null", "true", "false", "0",
		"-1", "17", "0.44", "-12.5", "1.5e3", "2E-2",
		"9223372036854775807" };
	uint32_t kind = below(chance, depth < 6 ? 5 : 2);

	make_space(chance, out);
	if (kind == 0) {
		strbuf_adds(out, scalars[below(chance, COUNTOF(scalars))]);
	} else if (kind == 1) {
		make_string(chance, out);
	} else {
		bool object = kind > 2;
		strbuf_addc(out, object ? '{' : '[');
		for (uint32_t i = 0, n = below(chance, 6); i < n; i++) {
			if (i > 0)
				strbuf_addc(out, ',');
			if (object)
				strbuf_addf(out, " \"k%u\" :", i);
			make_value(chance, out, depth + 1);
		}
		make_space(chance, out);
		strbuf_addc(out, object ? '}' : ']');
	}
	make_space(chance, out);
}

/* Write what we read, in json-c's compact way. */
static void
write_again(struct arena *arena, struct json_writer *w,
    struct json_value value)
{
	struct json_iter it = json_iter(value);
	struct json_reader reader = { .arena = arena };
	struct str text;

	switch (json_type(value)) {
	case JSON_STRING:
		assert_true(json_value_str(&reader, value, &text));
		json_put_str(w, text);
		break;
	case JSON_ARRAY:
		json_begin(w, '[');
		while (json_next(&it))
			write_again(arena, w, it.value);
		json_end(w, ']');
		break;
	case JSON_OBJECT:
		json_begin(w, '{');
		while (json_next(&it)) {
			json_key_str(w, json_iter_key(arena, &it));
			write_again(arena, w, it.value);
		}
		json_end(w, '}');
		break;
	default:
		json_put_raw(w, json_text(value));
	}
}

static bool
we_accept(struct arena *arena, struct str text, struct json *doc)
{
	struct json_error error;
	return json_parse(arena, text, (struct json_limits){0}, doc, &error);
}

static void
test_json_reads_what_json_c_reads(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3000; seed++) {
		struct source_of_chance chance = { seed };
		struct arena arena = {0};
		struct strbuf text = {0}, ours = {0}, theirs = {0};
		struct json doc;
		make_value(&chance, &text, 0);
		if (!we_accept(&arena, strbuf_str(&text), &doc))
			fail_msg("seed %d: %s", (int)seed, text.data);
		struct json_writer w = { .out = &ours };
		write_again(&arena, &w, json_root(&doc));
		assert_true(jsonc_accepts(strbuf_str(&text), &theirs));
		assert_string_equal(ours.data, theirs.data);
		strbuf_release(&text);
		strbuf_release(&ours);
		strbuf_release(&theirs);
		arena_release(&arena);
	}
}

static void
damage(struct source_of_chance *chance, struct strbuf *text)
{
	static const char bytes[] = "\"\\{}[]:,0123456789.eE+-untrfalse "
				    "\n\t\x01\x80\xc3\xff/'";
	uint32_t at = below(chance, (uint32_t)text->len);
	switch (below(chance, 3)) {
	case 0:
		text->data[at] = bytes[below(chance, sizeof bytes - 1)];
		break;
	case 1:
		text->len = at;
		text->data[at] = '\0';
		break;
	default:
		for (; at + 1 < text->len; at++)
			text->data[at] = text->data[at + 1];
		text->data[--text->len] = '\0';
	}
}

static void
test_json_accepts_nothing_that_json_c_refuses(void **state)
{
	(void)state;
	int accepted = 0, refused = 0;
	for (uint64_t seed = 1; seed <= 20000; seed++) {
		struct source_of_chance chance = { seed * 77 };
		struct arena arena = {0};
		struct strbuf text = {0}, theirs = {0};
		struct json doc;
		make_value(&chance, &text, 3);
		damage(&chance, &text);
		if (we_accept(&arena, strbuf_str(&text), &doc)) {
			accepted++;
			if (!jsonc_accepts(strbuf_str(&text), &theirs))
				fail_msg("seed %d: %s", (int)seed, text.data);
		} else {
			refused++;
		}
		strbuf_release(&text);
		strbuf_release(&theirs);
		arena_release(&arena);
	}
	/* Both ways must have been walked, often. */
	assert_true(accepted > 1000);
	assert_true(refused > 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_reads_what_json_c_reads),
		cmocka_unit_test(
		    test_json_accepts_nothing_that_json_c_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
