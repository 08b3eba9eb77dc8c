/* test_ui_plan_text.c - a plan as people read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expected.h"
#include "sample_plan.h"
#include "ui/cells.h"
#include "ui/plan_text.h"

static struct strbuf
render(struct arena *arena, bool color, int width)
{
	struct sources sources = {0};
	struct plan *plan = sample_plan_full(arena, &sources);
	struct plan_text_options options = {
		.style = { .color = color, .width = width },
		.sources = &sources,
		.spec_digest = STR("sha256:6c1f2a9e00112233445566778899"),
		.now_ms = SAMPLE_NOW_MS,
	};
	struct strbuf out = {0};

	plan_text(&out, plan, &options);
	return out;
}

static void
test_plan_text_shows_everything_at_80_columns(void **state)
{
	struct arena arena = {0};
	struct strbuf out = render(&arena, false, 80);

	(void)state;
	expected_text("plan_full.txt", strbuf_str(&out));
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_plan_text_color_only_repeats(void **state)
{
	struct arena arena = {0};
	struct strbuf plain = render(&arena, false, 80);
	struct strbuf color = render(&arena, true, 80), stripped = {0};

	(void)state;
	for (size_t i = 0; i < color.len; i++)
		if (color.data[i] == '\033')
			while (color.data[i] != 'm')
				i++;
		else
			strbuf_addc(&stripped, color.data[i]);
	assert_true(color.len > plain.len);
	assert_string_equal(stripped.data, plain.data);
	strbuf_release(&plain);
	strbuf_release(&color);
	strbuf_release(&stripped);
	arena_release(&arena);
}

static void
test_plan_text_stays_within_width(void **state)
{
	struct arena arena = {0};
	struct strbuf out = render(&arena, false, 80);
	struct str rest = strbuf_str(&out);

	(void)state;
	while (rest.len > 0) {
		struct str line = str_cut(rest, '\n', &rest);
		if (cells_width(line) > 80)
			fail_msg("too wide: " STR_FMT, STR_ARG(line));
	}
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_plan_text_says_no_changes_with_cost(void **state)
{
	struct arena arena = {0};
	struct plan *plan = sample_plan_empty(&arena);
	struct plan_text_options options = { .style = { .width = 80 },
		.now_ms = SAMPLE_NOW_MS };
	struct strbuf out = {0};

	(void)state;
	plan_text(&out, plan, &options);
	assert_string_equal(out.data, "No changes.\n"
	    "Cost: $0.44/h.\n"
	    "      $321.20 per month (730 h).\n");
	strbuf_release(&out);
	arena_release(&arena);
}

/* What an earlier run has left unclear is work, too. */
static void
test_plan_text_says_what_is_left_to_settle(void **state)
{
	struct arena arena = {0};
	struct plan *plan = sample_plan_empty(&arena);
	struct lock_op op = { .action = OP_CREATE,
		.address = STR("runner.ci") };
	struct plan_text_options options = { .style = { .width = 80 },
		.now_ms = SAMPLE_NOW_MS };
	struct strbuf out = {0};

	(void)state;
	assert_true(id128_parse(STR("0123456789abcdef0123456789abcdef"),
	    &op.op));
	ARENA_PUSH(&arena, &plan->pending)->op = &op;
	plan->empty = false;
	plan_text(&out, plan, &options);
	assert_string_equal(out.data, "Unclear from an earlier run (looked at "
	    "again before anything is done):\n\n"
	    "  ? create runner.ci  (op 0123456789)\n\n"
	    "Plan: 0 to add, 0 to change, 0 to destroy; 0 to start, 0 to "
	    "stop; 1 to settle, which podform apply does.\n"
	    "Cost: $0.44/h.\n"
	    "      $321.20 per month (730 h).\n");
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_plan_text_shows_a_script_line_by_line(void **state)
{
	struct plan_attr attr = { .path = STR("setup[0]"),
		.after = STR("\"one\\n\\n  two \\u001b\\\"x\\n\"") };
	struct arena arena = {0};
	struct strbuf out = {0};
	struct style style = { .width = 80 };

	(void)state;
	plan_text_attr(&out, &arena, &attr, 10, style);
	assert_string_equal(out.data, "      + setup[0]   = |\n"
	    "          one\n\n            two \\x1b\"x\n");
	strbuf_reset(&out);
	attr.sensitive = true;
	plan_text_attr(&out, &arena, &attr, 10, style);
	assert_string_equal(out.data, "      + setup[0]   = (secret)\n");
	strbuf_release(&out);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_text_shows_everything_at_80_columns),
		cmocka_unit_test(test_plan_text_color_only_repeats),
		cmocka_unit_test(
		    test_plan_text_stays_within_width),
		cmocka_unit_test(test_plan_text_shows_a_script_line_by_line),
		cmocka_unit_test(test_plan_text_says_no_changes_with_cost),
		cmocka_unit_test(test_plan_text_says_what_is_left_to_settle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
