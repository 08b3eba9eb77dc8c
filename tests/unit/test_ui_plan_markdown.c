/* test_ui_plan_markdown.c - a plan as reviewers read it, and its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expected.h"
#include "sample_plan.h"
#include "tests/fuzz/markdown_check.h"
#include "ui/markdown.h"
#include "ui/plan_markdown.h"

static struct strbuf
render(const struct plan *plan, const struct sources *sources,
    struct str project, size_t max)
{
	struct plan_binding binding = {
		.project = project,
		.plan_id = STR("0123456789abcdef0123456789abcdef"),
		.spec_digest = STR("sha256:6c1f2a9e00112233445566778899"),
		.live_digest = STR("sha256:aa1f2a9e00112233445566778899"),
		.expires_ms = SAMPLE_NOW_MS,
	};
	struct strbuf out = {0};

	plan_markdown(&out, plan, &(struct plan_markdown_options){
	    .binding = &binding, .sources = sources, .max_bytes = max,
	    .commit = STR("a54e9e5f00a54e9e5f00"), .file = STR("plan.json") });
	return out;
}

static void
assert_whole(struct str text)
{
	struct str line = {0};
	const char *wrong = markdown_wrong(text, &line);

	if (wrong != NULL)
		fail_msg("%s: " STR_FMT, wrong, STR_ARG(line));
}

static size_t
count(struct str text, struct str part)
{
	size_t n = 0;
	ptrdiff_t at;

	while ((at = str_search(text, part)) >= 0) {
		text = str_sub(text, (size_t)at + part.len, text.len);
		n++;
	}
	return n;
}

static void
test_plan_markdown_shows_everything(void **state)
{
	struct arena arena = {0};
	struct sources sources = {0};
	struct plan *plan = sample_plan_full(&arena, &sources);
	struct strbuf out = render(plan, &sources, STR("quickstart"), 0);

	(void)state;
	expected_text("plan_full.md", strbuf_str(&out));
	assert_whole(strbuf_str(&out));
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_plan_markdown_of_no_changes_says_so(void **state)
{
	struct arena arena = {0};
	struct sources sources = {0};
	struct plan *plan = sample_plan_empty(&arena);
	struct strbuf out = render(plan, &sources, STR("quickstart"), 0);

	(void)state;
	expected_text("plan_empty.md", strbuf_str(&out));
	strbuf_release(&out);
	arena_release(&arena);
}

static struct plan *
large_plan(struct arena *arena, size_t n, size_t value_bytes)
{
	struct plan *plan = ARENA_NEW(arena, struct plan);
	char *value = arena_alloc(arena, value_bytes + 2);

	for (size_t i = 0; i < value_bytes + 2; i++)
		value[i] = i == 0 || i == value_bytes + 1 ? '"' : 'x';
	for (size_t i = 0; i < n; i++) {
		struct plan_change *change = ARENA_PUSH(arena, &plan->changes);
		struct plan_attr *attr = ARENA_PUSH(arena, &change->attrs);
		change->op = i % 4 == 0 ? PLAN_REPLACE : PLAN_CREATE;
		change->reason = BECAUSE_REQUESTED;
		change->kind = KIND_POD;
		change->name = STR("training");
		change->key = (int64_t)i;
		change->undo = "terminate";
		change->address = arena_printf(arena, "pod.training[%zu]", i);
		change->after_per_hour = 440000;
		attr->path = STR("env.MODE");
		attr->after = (struct str){ value, value_bytes + 2 };
	}
	plan->summary.add = n;
	plan->cost.after_per_hour = (int64_t)n * 440000;
	return plan;
}

static void
test_plan_markdown_of_200_changes_fits_a_comment(void **state)
{
	struct arena arena = {0};
	struct plan *plan = large_plan(&arena, 200, 60);
	struct strbuf out = render(plan, NULL, STR("fleet"), 0);
	struct str text = strbuf_str(&out);

	(void)state;
	assert_true(text.len <= PLAN_MARKDOWN_BYTES);
	assert_true(text.len > PLAN_MARKDOWN_BYTES * 9 / 10);
	assert_whole(text);
	assert_int_equal(count(text, STR("\n| <code>")), 200);
	size_t shown = count(text, STR("```diff"));
	assert_true(shown > 20 && shown < 200);
	struct str more = arena_printf(&arena,
	    "\n_and %zu more, see the artefact_\n", 200 - shown);
	assert_int_equal(count(text, more), 1);
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_plan_markdown_counts_all_rows_it_leaves_out(void **state)
{
	struct arena arena = {0};
	struct plan *plan = large_plan(&arena, 1000, 60);
	struct strbuf out = render(plan, NULL, STR("fleet"),
	    PLAN_MARKDOWN_BYTES_MIN);
	struct str text = strbuf_str(&out);
	size_t rows = count(text, STR("\n| <code>"));

	(void)state;
	assert_true(text.len <= PLAN_MARKDOWN_BYTES_MIN);
	assert_whole(text);
	assert_true(rows > 5);
	assert_int_equal(count(text, arena_printf(&arena,
	    "\n| | _and %zu more, see the artefact_ |", 1000 - rows)), 1);
	strbuf_release(&out);
	arena_release(&arena);
}

/* One value of a megabyte takes no other change with it. */
static void
test_plan_markdown_leaves_out_only_what_is_too_large(void **state)
{
	struct arena arena = {0};
	struct plan *plan = large_plan(&arena, 3, 10);
	struct plan *huge = large_plan(&arena, 1, 1 << 20);

	(void)state;
	plan->changes.items[0].attrs.items[0] =
	    huge->changes.items[0].attrs.items[0];
	struct strbuf out = render(plan, NULL, STR("fleet"), 0);
	struct str text = strbuf_str(&out);
	assert_true(text.len <= PLAN_MARKDOWN_BYTES);
	assert_int_equal(count(text, STR("```diff")), 2);
	assert_int_equal(count(text, STR("\n_and 1 more, see the artefact_")),
	    1);
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_plan_markdown_warns_of_costs_that_rise_much(void **state)
{
	struct arena arena = {0};
	struct plan *plan = large_plan(&arena, 2, 4);

	(void)state;
	plan->changes.items[0].op = PLAN_CREATE;
	plan->cost.after_per_hour = PLAN_MARKDOWN_RISE;
	struct strbuf out = render(plan, NULL, STR("a"), 0);
	assert_true(str_search(strbuf_str(&out), STR("WARNING")) < 0);
	strbuf_release(&out);
	plan->cost.after_per_hour = PLAN_MARKDOWN_RISE + 10000;
	out = render(plan, NULL, STR("a"), 0);
	assert_true(str_search(strbuf_str(&out), STR("> [!WARNING]\n"
	    "> - the cost rises by $0.51/h, $372.30 per month\n")) >= 0);
	strbuf_release(&out);
	arena_release(&arena);
}

/* ------------------------------------------------- what means to break out -- */

static const char *const hostile[] = {
	"</code></summary></details>", "|", "\\|", "\\\\|", "`", "```", "````",
	"\n", "\r\n", "\n\n", "::error::x", "\n::set-output name=a::b",
	"##[error]x", " ::add-mask::x", "-->", "<!--", "@everyone", "#1", "$x$",
	"$`x`$", "\"]", "\"", "#quot;", "[x](javascript:1)", "![x](y)",
	"http://a.b", "www.a.b", "a@b.c", "**", "__", "~~", ":tada:", "&lt;",
	"&#60;", "\xff", "\xe2\x80\xae", "\x1b[31m", "\x9b", "- ", "+ x",
	"> ", "# ", "    ", "\t", "~~~", "---", "===", "%0A", "\\n", "end",
	"podform:plan:x", "\xc3\xa4", "\xf0\x9f\x98\x80",
};

static uint32_t
draw(uint32_t *state, size_t n)
{
	*state = *state * 1664525u + 1013904223u;
	return (uint32_t)((*state >> 8) % n);
}

static struct str
hostile_text(struct arena *arena, uint32_t *chance)
{
	struct strbuf buf = {0};

	for (uint32_t n = draw(chance, 5); n > 0; n--)
		strbuf_adds(&buf, hostile[draw(chance, COUNTOF(hostile))]);
	struct str text = arena_str(arena, strbuf_str(&buf));
	strbuf_release(&buf);
	return text;
}

static struct str
hostile_json(struct arena *arena, uint32_t *chance)
{
	struct strbuf buf = {0};

	strbuf_add_json(&buf, hostile_text(arena, chance));
	struct str text = arena_str(arena, strbuf_str(&buf));
	strbuf_release(&buf);
	return text;
}

/* The sample plan with other people's texts wherever one may stand. */
static struct plan *
hostile_plan(struct arena *arena, struct sources *sources, uint32_t *chance)
{
	struct plan *plan = sample_plan_full(arena, sources);

	for (size_t i = 0; i < plan->changes.n; i++) {
		struct plan_change *change = &plan->changes.items[i];
		change->address = hostile_text(arena, chance);
		change->name = change->config.name =
		    hostile_text(arena, chance);
		change->inside_words = hostile_text(arena, chance);
		change->undo = arena_cstr(arena, hostile_text(arena, chance));
		for (size_t j = 0; j < change->dangers.n; j++)
			change->dangers.items[j] = arena_cstr(arena,
			    hostile_text(arena, chance));
		for (size_t j = 0; j < change->attrs.n; j++) {
			change->attrs.items[j].path =
			    hostile_text(arena, chance);
			change->attrs.items[j].after =
			    hostile_json(arena, chance);
		}
		for (size_t j = 0; j < change->candidates.n; j++)
			change->candidates.items[j].gpu_name =
			    hostile_text(arena, chance);
	}
	for (size_t i = 0; i < plan->drift.n; i++) {
		struct ack *ack = ARENA_NEW(arena, struct ack);
		plan->drift.items[i].address = hostile_text(arena, chance);
		ack->reason = hostile_text(arena, chance);
		ack->until = hostile_text(arena, chance);
		if (plan->drift.items[i].ack != NULL)
			plan->drift.items[i].ack = ack;
	}
	for (size_t i = 0; i < plan->checks.n; i++) {
		plan->checks.items[i].message = hostile_text(arena, chance);
		plan->checks.items[i].id = arena_cstr(arena,
		    hostile_text(arena, chance));
	}
	for (size_t i = 0; i < sources->list.n; i++)
		sources->list.items[i].name = hostile_text(arena, chance);
	return plan;
}

static void
test_plan_markdown_nothing_breaks_out(void **state)
{
	uint32_t chance = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct arena arena = {0};
		struct sources sources = {0};
		struct plan *plan = hostile_plan(&arena, &sources, &chance);
		size_t max = PLAN_MARKDOWN_BYTES_MIN + draw(&chance, 20000);
		struct strbuf out = render(plan, &sources,
		    hostile_text(&arena, &chance), max);
		assert_true(out.len <= max);
		assert_whole(strbuf_str(&out));
		strbuf_release(&out);
		arena_release(&arena);
	}
}

static void
test_plan_markdown_is_what_it_was_a_moment_ago(void **state)
{
	struct arena arena = {0};
	struct sources sources = {0};
	struct plan *plan = sample_plan_full(&arena, &sources);
	struct live *later = ARENA_NEW(&arena, struct live);
	struct strbuf first = render(plan, &sources, STR("q"), 0);

	(void)state;
	*later = *plan->live;
	later->wall_ms += 60000;
	later->account.balance -= 10000;
	plan->live = later;
	struct strbuf second = render(plan, &sources, STR("q"), 0);
	assert_string_equal(first.data, second.data);
	strbuf_release(&first);
	strbuf_release(&second);
	arena_release(&arena);
}

static void
test_markdown_texts(void **state)
{
	static const char *const cases[][2] = {
		{ "pod.train[0]", "pod.train&#91;0&#93;" },
		{ "a_b _c_", "a_b &#95;c&#95;" },
		{ "@all #1", "&#64;<!-- -->all &#35;<!-- -->1" },
		{ "www.a", "www&#46;a" },
		{ "a|b\\", "a&#124;b&#92;" },
		{ "\n", "&#92;n" },
		{ ":a: b:", "&#58;a: b&#58;" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct strbuf out = {0};
		markdown_add(&out, str_from(cases[i][0]), 0);
		assert_string_equal(out.data, cases[i][1]);
		strbuf_release(&out);
	}
	struct strbuf out = {0};
	markdown_add(&out, STR("a\xc3\xa4z"), 2);
	markdown_add_label(&out, STR("\"a]"), 0);
	markdown_add_line(&out, STR("  ::x"));
	markdown_add_line(&out, STR("a ##[x] :: ##["));
	markdown_add_name(&out, STR("a-b --> c"));
	assert_string_equal(out.data, "a…#34;a#93;  \\x3a:x\n"
	    "a ##\\x5bx] :: ##\\x5b\na-b_--__c");
	strbuf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_markdown_shows_everything),
		cmocka_unit_test(test_plan_markdown_of_no_changes_says_so),
		cmocka_unit_test(
		    test_plan_markdown_of_200_changes_fits_a_comment),
		cmocka_unit_test(
		    test_plan_markdown_counts_all_rows_it_leaves_out),
		cmocka_unit_test(
		    test_plan_markdown_leaves_out_only_what_is_too_large),
		cmocka_unit_test(
		    test_plan_markdown_warns_of_costs_that_rise_much),
		cmocka_unit_test(test_plan_markdown_nothing_breaks_out),
		cmocka_unit_test(
		    test_plan_markdown_is_what_it_was_a_moment_ago),
		cmocka_unit_test(test_markdown_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
