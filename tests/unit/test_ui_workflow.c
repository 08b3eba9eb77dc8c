/* test_ui_workflow.c - diagnostics as annotations of GitHub Actions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ui/workflow.h"

struct desk {
	struct arena arena;
	struct sources sources;
	struct diags diags;
	struct strbuf out;
};

static void
set_up(struct desk *desk, const char *name)
{
	*desk = (struct desk){0};
	desk->sources.arena = desk->diags.arena = &desk->arena;
	desk->diags.sources = &desk->sources;
	sources_add(&desk->sources, str_from(name), STR("pods:\n  \xc3\xa4: x"));
}

static void
tear_down(struct desk *desk)
{
	strbuf_release(&desk->out);
	arena_release(&desk->arena);
}

static const char *
annotated(const char *name, const char *root, const char *below)
{
	static char text[512];
	struct desk desk;

	set_up(&desk, name);
	diag_error(&desk.diags, "PF0103", (struct span){ 1, 2, 3, 8, 2 },
	    "bad");
	workflow_annotate(&desk.out, &desk.diags, str_from(root),
	    str_from(below));
	assert_true(desk.out.len < sizeof(text));
	for (size_t i = 0; i <= desk.out.len; i++)
		text[i] = desk.out.data[i];
	tear_down(&desk);
	return text;
}

#define AT ",line=2,endLine=2,col=3,endColumn=4,title=podform PF0103::bad\n"

static void
test_workflow_names_the_file_from_the_root(void **state)
{
	(void)state;
	assert_string_equal(annotated("specs/a.yaml", "/r", ""),
	    "::error file=specs/a.yaml" AT);
	assert_string_equal(annotated("./specs/a.yaml", "/r", "envs/prod/"),
	    "::error file=envs/prod/specs/a.yaml" AT);
	assert_string_equal(annotated("/r/s/a,b:c%.yaml", "/r", ""),
	    "::error file=s/a%2Cb%3Ac%25.yaml" AT);
}

static void
test_workflow_names_no_file_outside_of_the_root(void **state)
{
	static const char none[] = "::error title=podform PF0103::bad\n";

	(void)state;
	assert_string_equal(annotated("/other/a.yaml", "/r", ""), none);
	assert_string_equal(annotated("/rx/a.yaml", "/r", ""), none);
	assert_string_equal(annotated("/r/a.yaml", "", ""), none);
	assert_string_equal(annotated("../a.yaml", "/r", "x/"), none);
	assert_string_equal(annotated("a.yaml", "/r", "../"), none);
	assert_string_equal(annotated("-", "/r", ""), none);
}

static void
test_workflow_message_is_one_line_and_no_command(void **state)
{
	struct desk desk;

	(void)state;
	set_up(&desk, "a");
	diag_warning(&desk.diags, "PF0001", NO_SPAN,
	    "50%% of\r\n::error::x\x1b[31m");
	diag_hint(&desk.diags, "do\nthis");
	workflow_annotate(&desk.out, &desk.diags, STR(""), STR(""));
	assert_string_equal(desk.out.data, "::warning title=podform PF0001::"
	    "50%25 of\\x0d%0A::error::x\\x1b[31m%0Ahint: do%0Athis\n");
	tear_down(&desk);
}

static size_t
count_lines(struct str text, struct str head)
{
	size_t n = 0;

	while (text.len > 0)
		n += str_starts(str_cut(text, '\n', &text), head);
	return n;
}

static void
test_workflow_gives_ten_of_a_kind_or_nine_and_a_count(void **state)
{
	(void)state;
	for (int n = 10; n <= 12; n++) {
		struct desk desk;
		set_up(&desk, "a");
		for (int i = 0; i < n; i++)
			diag_warning(&desk.diags, "PF0001", NO_SPAN, "w");
		diag_error(&desk.diags, "PF0002", NO_SPAN, "e");
		workflow_annotate(&desk.out, &desk.diags, STR(""), STR(""));
		struct str text = strbuf_str(&desk.out);
		assert_true(str_starts(text, STR("::error ")));
		assert_int_equal(count_lines(text, STR("::error ")), 1);
		assert_int_equal(count_lines(text, STR("::warning ")), 10);
		assert_int_equal(str_search(text, STR("::and 3 more, see the "
		    "log\n")) >= 0, n == 12);
		tear_down(&desk);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_workflow_names_the_file_from_the_root),
		cmocka_unit_test(
		    test_workflow_names_no_file_outside_of_the_root),
		cmocka_unit_test(
		    test_workflow_message_is_one_line_and_no_command),
		cmocka_unit_test(
		    test_workflow_gives_ten_of_a_kind_or_nine_and_a_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
