/* test_json_read.c - typed reads, and what they say when they fail */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"

static const char pod[] =
    "{\"id\":\"x\\u0041\\n\\\"\\\\\\/\\b\\f\\r\\t\\ud83d\\ude00\","
    "\"edges\":\"\\u007f\\u0080\\u07ff\\u0800\\ud7ff\\ue000\\uffff\\ud800\\udc00"
    "\\udbff\\udfff\","
    "\"plain\":\"abc\",\"empty\":\"\",\"n\":8,\"neg\":-3,\"frac\":1.5,"
    "\"exp\":1e2,\"big\":9223372036854775807,"
    "\"least\":-9223372036854775808,\"huge\":9223372036854775808,"
    "\"lower\":-9223372036854775809,\"digits\":100000000000000000000000,"
    "\"cost\":0.44,\"inf\":1e400,\"quoted\":\"0.44\",\"debt\":-1,"
    "\"million\":1e6,\"over\":1000000.01,"
    "\"yes\":true,\"no\":false,\"nil\":null,\"list\":[1],\"map\":{}}";

struct fixture {
	struct arena arena;
	struct json doc;
	struct json_value root;
	struct json_reader r;
};

static int
setup(void **state)
{
	static struct fixture fixture;
	struct json_error error;
	fixture = (struct fixture){0};
	assert_true(json_parse(&fixture.arena, str_from(pod),
	    (struct json_limits){0}, &fixture.doc, &error));
	fixture.root = json_root(&fixture.doc);
	fixture.r = (struct json_reader){ .arena = &fixture.arena,
		.where = "pods[3]" };
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	arena_release(&f->arena);
	return 0;
}

/* The reader failed with these words; it may fail again. */
#define assert_why(f, words)                                     \
	do {                                                     \
		assert_true((f)->r.failed);                      \
		assert_string_equal((f)->r.why.data, words);     \
		(f)->r.failed = false;                           \
	} while (0)

static void
test_json_read_str(void **state)
{
	struct fixture *f = *state;
	struct str out;
	assert_true(json_read_str(&f->r, f->root, "id", REQUIRED, &out));
	assert_true(str_is(out, "xA\n\"\\/\b\f\r\t\xf0\x9f\x98\x80"));
	/* Where the number of bytes changes, and around the surrogates. */
	assert_true(json_read_str(&f->r, f->root, "edges", REQUIRED, &out));
	assert_true(str_is(out, "\x7f" "\xc2\x80" "\xdf\xbf"
	    "\xe0\xa0\x80" "\xed\x9f\xbf" "\xee\x80\x80"
	    "\xef\xbf\xbf" "\xf0\x90\x80\x80" "\xf4\x8f\xbf\xbf"));
	assert_true(json_read_str(&f->r, f->root, "plain", OPTIONAL, &out));
	assert_true(str_is(out, "abc"));
	assert_ptr_equal(out.data, json_text(json_get(f->root, "plain")).data +
	    1);
	assert_true(json_read_str(&f->r, f->root, "empty", REQUIRED, &out));
	assert_non_null(out.data);
	assert_int_equal(out.len, 0);
	assert_false(f->r.failed);
	assert_false(json_read_str(&f->r, f->root, "n", REQUIRED, &out));
	assert_null(out.data);
	assert_why(f, "pods[3].n: string expected");
}

static void
test_json_read_need(void **state)
{
	struct fixture *f = *state;
	struct str out = STR("before");
	assert_false(json_read_str(&f->r, f->root, "gone", OPTIONAL, &out));
	assert_null(out.data);
	assert_false(json_read_str(&f->r, f->root, "gone", NULLABLE, &out));
	assert_false(json_read_str(&f->r, f->root, "nil", NULLABLE, &out));
	assert_false(f->r.failed);
	assert_false(json_read_str(&f->r, f->root, "gone", REQUIRED, &out));
	assert_why(f, "pods[3].gone: missing");
	assert_false(json_read_str(&f->r, f->root, "nil", REQUIRED, &out));
	assert_why(f, "pods[3].nil: string expected");
	assert_false(json_read_str(&f->r, f->root, "nil", OPTIONAL, &out));
	assert_why(f, "pods[3].nil: string expected");
	/* Not even an object. */
	assert_false(json_read_str(&f->r, json_get(f->root, "list"), "x",
	    REQUIRED, &out));
	assert_why(f, "pods[3].x: missing");
}

static void
test_json_read_remembers_the_first_failure(void **state)
{
	struct fixture *f = *state;
	struct str out;
	int64_t n;
	json_read_str(&f->r, f->root, "gone", REQUIRED, &out);
	json_read_int(&f->r, f->root, "plain", REQUIRED, 0, 9, &n);
	assert_why(f, "pods[3].gone: missing");
}

static void
test_json_read_names_the_place(void **state)
{
	struct fixture *f = *state;
	json_fail(&f->r, "cost", "number");
	assert_why(f, "pods[3].cost: number expected");
	json_fail(&f->r, NULL, "object");
	assert_why(f, "pods[3]: object expected");
	f->r.where = NULL;
	json_fail(&f->r, "cost", "number");
	assert_why(f, "cost: number expected");
	json_fail(&f->r, NULL, "object");
	assert_why(f, "document: object expected");
}

static void
test_json_read_bool(void **state)
{
	struct fixture *f = *state;
	bool out = false;
	assert_true(json_read_bool(&f->r, f->root, "yes", REQUIRED, &out));
	assert_true(out);
	assert_true(json_read_bool(&f->r, f->root, "no", REQUIRED, &out));
	assert_false(out);
	out = true;
	assert_false(json_read_bool(&f->r, f->root, "gone", OPTIONAL, &out));
	assert_false(out);
	assert_false(json_read_bool(&f->r, f->root, "n", REQUIRED, &out));
	assert_why(f, "pods[3].n: true or false expected");
}

static void
test_json_read_int(void **state)
{
	struct fixture *f = *state;
	int64_t n = 1;
	assert_true(json_read_int(&f->r, f->root, "n", REQUIRED, 1, 8, &n));
	assert_int_equal(n, 8);
	assert_true(json_read_int(&f->r, f->root, "neg", REQUIRED, -3, 0, &n));
	assert_true(n == -3);
	assert_true(json_read_int(&f->r, f->root, "big", REQUIRED, INT64_MIN,
	    INT64_MAX, &n));
	assert_true(n == INT64_MAX);
	assert_true(json_read_int(&f->r, f->root, "least", REQUIRED, INT64_MIN,
	    INT64_MAX, &n));
	assert_true(n == INT64_MIN);
	assert_false(json_read_int(&f->r, f->root, "nil", NULLABLE, 0, 9, &n));
	assert_int_equal(n, 0);
	assert_false(json_read_int(&f->r, f->root, "n", REQUIRED, 1, 7, &n));
	assert_why(f, "pods[3].n: whole number from 1 to 7 expected");
	assert_int_equal(n, 0);
	assert_false(json_read_int(&f->r, f->root, "n", REQUIRED, 9, 10, &n));
	assert_why(f, "pods[3].n: whole number from 9 to 10 expected");
	static const char *const bad[] = { "frac", "exp", "huge", "lower",
		"digits", "quoted", "yes", "list" };
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		assert_false(json_read_int(&f->r, f->root, bad[i], REQUIRED,
		    INT64_MIN, INT64_MAX, &n));
		assert_true(f->r.failed);
		f->r.failed = false;
	}
}

static void
test_json_read_usd(void **state)
{
	struct fixture *f = *state;
	int64_t usd;
	assert_true(json_read_usd(&f->r, f->root, "cost", REQUIRED, &usd));
	assert_int_equal(usd, 440000);
	assert_true(json_read_usd(&f->r, f->root, "exp", REQUIRED, &usd));
	assert_int_equal(usd, 100000000);
	assert_true(json_read_usd(&f->r, f->root, "million", REQUIRED, &usd));
	assert_true(usd == 1000000000000);
	assert_false(json_read_usd(&f->r, f->root, "gone", OPTIONAL, &usd));
	assert_int_equal(usd, 0);
	assert_false(f->r.failed);
	/* */
	static const char *const bad[] = { "inf", "quoted", "debt", "over",
		"yes", "nil" };
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		assert_false(json_read_usd(&f->r, f->root, bad[i], REQUIRED,
		    &usd));
		assert_int_equal(usd, 0);
		assert_true(f->r.failed);
		f->r.failed = false;
	}
	json_read_usd(&f->r, f->root, "inf", REQUIRED, &usd);
	assert_why(f, "pods[3].inf: number from 0 to 1000000 expected");
}

static void
test_json_read_containers(void **state)
{
	struct fixture *f = *state;
	struct json_value out;
	assert_true(json_read_array(&f->r, f->root, "list", REQUIRED, &out));
	assert_int_equal(json_count(out), 1);
	assert_true(json_read_object(&f->r, f->root, "map", REQUIRED, &out));
	assert_int_equal(json_count(out), 0);
	assert_false(json_read_array(&f->r, f->root, "nil", NULLABLE, &out));
	assert_false(json_exists(out));
	assert_false(f->r.failed);
	/* */
	assert_false(json_read_array(&f->r, f->root, "map", REQUIRED, &out));
	assert_why(f, "pods[3].map: array expected");
	assert_false(json_read_array(&f->r, f->root, "nil", REQUIRED, &out));
	assert_why(f, "pods[3].nil: array expected");
	assert_false(json_read_object(&f->r, f->root, "list", OPTIONAL,
	    &out));
	assert_why(f, "pods[3].list: object expected");
	assert_false(json_exists(out));
}

static void
test_json_read_value_str(void **state)
{
	struct fixture *f = *state;
	struct str out;
	assert_true(json_value_str(&f->r, json_get(f->root, "plain"), &out));
	assert_true(str_is(out, "abc"));
	assert_false(json_value_str(&f->r, json_get(f->root, "n"), &out));
	assert_null(out.data);
	assert_why(f, "pods[3]: string expected");
	assert_false(json_value_str(&f->r, (struct json_value){0}, &out));
	assert_true(f->r.failed);
}

static void
test_json_read_only_keys(void **state)
{
	struct fixture *f = *state;
	struct json doc;
	struct json_error error;
	static const char *const keys[] = { "a", "id", NULL };
	assert_true(json_parse(&f->arena, STR("{\"i\\u0064\":1,\"a\":2}"),
	    (struct json_limits){0}, &doc, &error));
	assert_true(json_only_keys(&f->r, json_root(&doc), keys));
	assert_true(json_only_keys(&f->r, json_get(f->root, "map"), keys));
	assert_false(f->r.failed);
	assert_true(json_parse(&f->arena, STR("{\"a\":1,\"\\u0062c\":2}"),
	    (struct json_limits){0}, &doc, &error));
	assert_false(json_only_keys(&f->r, json_root(&doc), keys));
	assert_why(f, "pods[3]: unknown member 'bc'");
	assert_false(json_only_keys(&f->r, json_get(f->root, "list"), keys));
	assert_why(f, "pods[3]: object expected");
}

#define read_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		read_test(test_json_read_str),
		read_test(test_json_read_need),
		read_test(test_json_read_remembers_the_first_failure),
		read_test(test_json_read_names_the_place),
		read_test(test_json_read_bool),
		read_test(test_json_read_int),
		read_test(test_json_read_usd),
		read_test(test_json_read_containers),
		read_test(test_json_read_value_str),
		read_test(test_json_read_only_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
