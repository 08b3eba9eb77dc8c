/* test_json_write.c - the writer, compact and indented */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"

static void
write_sample(struct json_writer *w)
{
	json_begin(w, '{');
	json_member_int(w, "version", 1);
	json_member_str(w, "name", STR("a\"b"));
	json_member_str(w, "absent", (struct str){0});
	json_member_str(w, "empty", STR(""));
	json_key(w, "list");
	json_begin(w, '[');
	json_put_int(w, -7);
	json_put_null(w);
	json_begin(w, '{');
	json_end(w, '}');
	json_begin_inline(w, '{');
	json_member_usd(w, "price", 690000);
	json_key_str(w, STR("ports"));
	json_begin(w, '[');
	json_put_str(w, STR("22/tcp"));
	json_put_raw(w, STR("[1,2]"));
	json_end(w, ']');
	json_end(w, '}');
	json_begin(w, '[');
	json_put_bool(w, true);
	json_end(w, ']');
	json_end(w, ']');
	json_member_bool(w, "ok", false);
	json_end(w, '}');
}

static void
test_json_write_compact(void **state)
{
	(void)state;
	struct strbuf out = {0};
	struct json_writer w = { .out = &out };
	write_sample(&w);
	assert_string_equal(out.data,
	    "{\"version\":1,\"name\":\"a\\\"b\",\"empty\":\"\","
	    "\"list\":[-7,null,{},{\"price\":0.69,\"ports\":[\"22/tcp\","
	    "[1,2]]},[true]],\"ok\":false}");
	strbuf_release(&out);
}

static void
test_json_write_indented(void **state)
{
	(void)state;
	struct strbuf out = {0};
	struct json_writer w = { .out = &out, .indent = 2 };
	write_sample(&w);
	assert_string_equal(out.data,
	    "{\n"
	    "  \"version\": 1,\n"
	    "  \"name\": \"a\\\"b\",\n"
	    "  \"empty\": \"\",\n"
	    "  \"list\": [\n"
	    "    -7,\n"
	    "    null,\n"
	    "    {},\n"
	    "    {\"price\": 0.69, \"ports\": [\"22/tcp\", [1,2]]},\n"
	    "    [\n"
	    "      true\n"
	    "    ]\n"
	    "  ],\n"
	    "  \"ok\": false\n"
	    "}");
	strbuf_release(&out);
}

static void
test_json_write_scalars_alone(void **state)
{
	(void)state;
	struct strbuf out = {0};
	struct json_writer w = { .out = &out, .indent = 4 };
	json_put_int(&w, INT64_MIN);
	assert_string_equal(out.data, "-9223372036854775808");
	strbuf_release(&out);
}

static void
test_json_write_usd(void **state)
{
	(void)state;
	static const struct {
		int64_t micro;
		const char *text;
	} cases[] = {
		{ 0, "0" }, { 690000, "0.69" }, { 12300, "0.0123" },
		{ 12000000, "12" }, { 1, "0.000001" }, { -240000, "-0.24" },
		{ 1500000, "1.5" }, { -12000001, "-12.000001" },
		{ INT64_MIN, "-9223372036854.775808" },
	};
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct strbuf out = {0};
		struct json_writer w = { .out = &out };
		json_put_usd(&w, cases[i].micro);
		assert_string_equal(out.data, cases[i].text);
		strbuf_release(&out);
	}
}

static void
test_json_write_writes_what_json_reads(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct json doc;
	struct json_error error;
	for (unsigned indent = 0; indent <= 3; indent++) {
		struct strbuf out = {0};
		struct json_writer w = { .out = &out, .indent = indent };
		write_sample(&w);
		assert_true(json_parse(&arena, strbuf_str(&out),
		    (struct json_limits){0}, &doc, &error));
		assert_int_equal(json_count(json_root(&doc)), 5);
		assert_int_equal(json_count(json_get(json_root(&doc),
		    "list")), 5);
		arena_release(&arena);
		strbuf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_write_compact),
		cmocka_unit_test(test_json_write_indented),
		cmocka_unit_test(test_json_write_scalars_alone),
		cmocka_unit_test(test_json_write_usd),
		cmocka_unit_test(test_json_write_writes_what_json_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
