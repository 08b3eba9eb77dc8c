/* test_ui_diag_json.c - diagnostics in Terraform's shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "ui/diag_json.h"

static const char text[] = "pods:\n  caf\xc3\xa9: {gqu: x}\n";

static void
test_diag_json_counts_characters_and_bytes(void **state)
{
	struct arena arena = {0};
	struct sources sources = { .arena = &arena };
	struct diags diags = { .arena = &arena, .sources = &sources };
	uint32_t source = sources_add(&sources, STR("a.yaml"),
	    str_from(text));
	/* `gqu`: the é before it is one character and two bytes. */
	struct span span = { source, 2, 10, 16, 3 };
	struct strbuf out = {0};
	struct json_writer w = { .out = &out };

	(void)state;
	diag_error(&diags, "PF0103", span, "unknown field 'gqu'");
	diag_hint(&diags, "did you mean 'gpu'?");
	diag_while(&diags, span, "reading pod 'café'");
	diag_json(&w, &diags, diags.last);
	assert_string_equal(out.data,
	    "{\"severity\":\"error\",\"summary\":\"unknown field 'gqu'\","
	    "\"detail\":\"hint: did you mean 'gpu'?\\n"
	    "reading pod 'caf\xc3\xa9' (a.yaml:2:10)\",\"code\":\"PF0103\","
	    "\"range\":{\"filename\":\"a.yaml\","
	    "\"start\":{\"line\":2,\"column\":10,\"byte\":16},"
	    "\"end\":{\"line\":2,\"column\":13,\"byte\":19}},"
	    "\"snippet\":{\"context\":null,"
	    "\"code\":\"  caf\xc3\xa9: {gqu: x}\",\"start_line\":2,"
	    "\"highlight_start_offset\":10,\"highlight_end_offset\":13}}");
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_diag_json_document_is_valid_without_errors(void **state)
{
	struct arena arena = {0};
	struct diags diags = { .arena = &arena };
	struct strbuf out = {0};

	(void)state;
	diag_warning(&diags, "PF0133", NO_SPAN, "no ssh");
	diag_json_document(&out, &diags);
	assert_string_equal(out.data,
	    "{\n  \"format_version\": \"1.0\",\n  \"valid\": true,\n"
	    "  \"error_count\": 0,\n  \"warning_count\": 1,\n"
	    "  \"diagnostics\": [\n    {\n"
	    "      \"severity\": \"warning\",\n"
	    "      \"summary\": \"no ssh\",\n      \"detail\": \"\",\n"
	    "      \"code\": \"PF0133\"\n    }\n  ]\n}\n");
	strbuf_release(&out);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diag_json_counts_characters_and_bytes),
		cmocka_unit_test(
		    test_diag_json_document_is_valid_without_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
