/* test_ui_progress.c - a run as people watch it and programs read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "expected.h"
#include "run/session.h"
#include "sample_plan.h"
#include "ui/cells.h"
#include "ui/events.h"
#include "ui/progress.h"
#include "ui/report.h"

static struct run_note
note(enum note_type type, size_t action, enum action_kind kind,
    const char *text, int64_t elapsed_ms)
{
	return (struct run_note){ .type = type, .action = action,
		.kind = kind, .address = STR("pod.trainer"),
		.text = str_from(text), .elapsed_ms = elapsed_ms };
}

static struct run_note
id_note(void)
{
	struct run_note n = note(NOTE_ID_ASSIGNED, 0, ACTION_POD_CREATE, NULL,
	    900);

	n.id = STR("k3x9qd");
	n.per_hour = 440000;
	return n;
}

static void
tell(struct progress *progress, struct run_note n, int64_t now_ms)
{
	progress_note(progress, &n, now_ms);
}

static void
test_progress_is_plain_lines_without_a_terminal(void **state)
{
	struct progress progress;
	struct strbuf out = {0};

	(void)state;
	progress_init(&progress, (struct style){ .width = 80 }, 2, &out);
	tell(&progress, note(NOTE_ACTION_START, 0, ACTION_POD_CREATE, NULL,
	    0), 1000);
	tell(&progress, id_note(), 1900);
	tell(&progress, note(NOTE_ACTION_DONE, 0, ACTION_POD_CREATE, NULL,
	    950), 1950);
	tell(&progress, note(NOTE_ACTION_START, 1, ACTION_POD_RUNNING, NULL,
	    0), 2000);
	tell(&progress, note(NOTE_PROGRESS, 1, ACTION_POD_RUNNING,
	    "image is being pulled", 10000), 12000);
	tell(&progress, note(NOTE_PROGRESS, 1, ACTION_POD_RUNNING,
	    "image is being pulled", 20000), 22000);
	tell(&progress, note(NOTE_PROGRESS, 1, ACTION_POD_RUNNING,
	    "image is being pulled", 30000), 32000);
	tell(&progress, note(NOTE_PROGRESS, 1, ACTION_POD_RUNNING,
	    "container is starting", 40000), 42000);
	tell(&progress, note(NOTE_ACTION_ERROR, 1, ACTION_POD_RUNNING,
	    "exited: \033]0;evil", 75000), 77000);
	progress_tick(&progress, 99000);
	progress_clear(&progress);
	assert_string_equal(out.data,
	    "pod.trainer: creating\n"
	    "pod.trainer: created with id k3x9qd, bills $0.44/h\n"
	    "pod.trainer: waiting until it runs\n"
	    "pod.trainer: image is being pulled (30 s)\n"
	    "pod.trainer: failed: exited: \\x1b]0;evil\n");
	progress_release(&progress);
	strbuf_release(&out);
}

static void
test_progress_tells_at_once_what_a_removal_waits_for(void **state)
{
	struct progress progress;
	struct strbuf out = {0};

	(void)state;
	progress_init(&progress, (struct style){ .width = 80 }, 1, &out);
	tell(&progress, note(NOTE_ACTION_START, 0, ACTION_RUNNER_REMOVE, NULL,
	    0), 1000);
	tell(&progress, note(NOTE_PROGRESS, 0, ACTION_RUNNER_REMOVE,
	    "waiting: it has a job", 100), 1100);
	tell(&progress, note(NOTE_PROGRESS, 0, ACTION_RUNNER_REMOVE,
	    "waiting: it has a job", 5100), 6100);
	const char *first = strstr(out.data, "waiting: it has a job");
	assert_non_null(first);
	assert_null(strstr(first + 1, "waiting: it has a job"));
	progress_release(&progress);
	strbuf_release(&out);
}

static void
test_progress_counts_checks_and_steps(void **state)
{
	struct run_note step = note(NOTE_ACTION_START, 0, ACTION_POD_SETUP,
	    NULL, 0);
	struct progress progress;
	struct strbuf out = {0};

	(void)state;
	step.step = 1;
	step.steps = 3;
	progress_init(&progress, (struct style){ .width = 80 }, 2, &out);
	tell(&progress, step, 1000);
	step.type = NOTE_ACTION_DONE;
	tell(&progress, step, 1000);
	/* What was never begun has no steps to speak of. */
	tell(&progress, note(NOTE_ACTION_SKIPPED, 1, ACTION_POD_PROCESS,
	    "what it needs failed", 0), 1000);
	assert_non_null(strstr(out.data, ": doing setup step 2 of 3\n"));
	assert_non_null(strstr(out.data, ": has done setup step 2 of 3 (0.0 s)"
	    "\n"));
	assert_null(strstr(out.data, "skipped"));
	progress_release(&progress);
	strbuf_release(&out);
}

static void
test_progress_live_area_never_wraps_and_is_taken_away(void **state)
{
	struct progress progress;
	struct strbuf out = {0};
	struct str rest;

	(void)state;
	progress_init(&progress, (struct style){ .width = 40, .live = true },
	    1, &out);
	tell(&progress, note(NOTE_ACTION_START, 0, ACTION_POD_RUNNING, NULL,
	    0), 1000);
	tell(&progress, note(NOTE_PROGRESS, 0, ACTION_POD_RUNNING,
	    "a sentence that does not fit into forty columns at all", 0),
	    1000);
	progress_tick(&progress, 1050);
	progress_tick(&progress, 1200);
	assert_int_equal(progress.drawn, 2);
	rest = strbuf_str(&out);
	while (rest.len > 0)
		assert_true(cells_width(str_cut(rest, '\n', &rest)) < 40);
	strbuf_reset(&out);
	progress_clear(&progress);
	assert_string_equal(out.data, "\033[2A\r\033[J");
	progress_release(&progress);
	strbuf_release(&out);
}

static void
test_progress_redraws_ten_times_a_second_at_most(void **state)
{
	struct progress progress;
	struct strbuf out = {0};
	size_t redraws = 0;

	(void)state;
	progress_init(&progress, (struct style){ .width = 80, .live = true },
	    1, &out);
	tell(&progress, note(NOTE_ACTION_START, 0, ACTION_POD_RUNNING, NULL,
	    0), 1000);
	for (int64_t now = 1000; now < 2000; now++) {
		strbuf_reset(&out);
		tell(&progress, note(NOTE_PROGRESS, 0, ACTION_POD_RUNNING,
		    "x", 0), now);
		redraws += out.len > 0;
	}
	assert_in_range(redraws, 1, 10);
	progress_release(&progress);
	strbuf_release(&out);
}

static void
test_events_are_one_strict_object_a_line(void **state)
{
	struct arena arena = {0};
	struct sources sources = {0};
	struct plan *plan = sample_plan_full(&arena, &sources);
	struct run_summary summary = { .added = 1, .undone = 1 };
	struct diags diags = { .arena = &arena, .sources = &sources };
	struct strbuf out = {0};
	struct events events = { .out = &out, .version = STR("0.1.0") };
	struct run_note n = id_note();
	struct str rest;

	(void)state;
	*ARENA_PUSH(&arena, &summary.left) = (struct run_left){
		.address = STR("pod.trainer"), .id = STR("k3x9qd"),
		.per_hour = 440000, .why = STR("could not be undone") };
	events_version(&events, SAMPLE_NOW_MS);
	diag_warning(&diags, "PF0999", NO_SPAN, "careful");
	events_diag(&events, SAMPLE_NOW_MS, &diags, diags.last);
	plan->changes.n = 1;
	plan->drift.n = 1;
	events_plan(&events, SAMPLE_NOW_MS, plan, &sources);
	events_note(&events, SAMPLE_NOW_MS, &n);
	n = note(NOTE_CANDIDATE_REFUSED, 0, ACTION_POD_CREATE,
	    "A40 in EU-RO-1: no stock", 1);
	events_note(&events, SAMPLE_NOW_MS, &n);
	n = note(NOTE_ACTION_START, 4, ACTION_BARRIER, NULL, 0);
	events_note(&events, SAMPLE_NOW_MS, &n);
	n = note(NOTE_STOPPING, SIZE_MAX, ACTION_POD_CREATE, NULL, 0);
	events_note(&events, SAMPLE_NOW_MS, &n);
	events_summary(&events, SAMPLE_NOW_MS, &summary, plan, EXIT_LEFT);
	rest = strbuf_str(&out);
	while (rest.len > 0) {
		struct str line = str_cut(rest, '\n', &rest);
		struct json doc;
		struct json_error error;
		assert_true(json_parse(&arena, line, (struct json_limits){0},
		    &doc, &error));
		assert_true(json_exists(json_get(json_root(&doc), "type")));
	}
	expected_text("events.ndjson", strbuf_str(&out));
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_report_names_what_is_left_and_the_next_command(void **state)
{
	struct arena arena = {0};
	struct sources sources = { .arena = &arena };
	struct run_summary summary = { .added = 1, .undone = 1 };
	struct strbuf out = {0};

	(void)state;
	sources_add(&sources, STR("specs/a.yaml"), STR(""));
	*ARENA_PUSH(&arena, &summary.failures) = (struct run_failed){
		.kind = ACTION_POD_CREATE, .address = STR("pod.b"),
		.reason = STR("no capacity on any candidate"),
		.span = { 1, 7, 3, 0, 1 } };
	*ARENA_PUSH(&arena, &summary.refused) =
	    STR("pod.b: A40 in EU-RO-1: no stock");
	*ARENA_PUSH(&arena, &summary.left) = (struct run_left){
		.address = STR("pod.a"), .id = STR("k3x9qd"),
		.per_hour = 440000, .why = STR("could not be undone: 500") };
	*ARENA_PUSH(&arena, &summary.left) = (struct run_left){
		.address = STR("pod.c"), .per_hour = -1,
		.why = STR("it is unclear whether it was made") };
	id128_parse(STR("0123456789abcdef0123456789abcdef"),
	    &summary.left.items[1].op);
	report_print(&out, NULL, &summary, &(struct report_options){
	    .style = { .width = 80 }, .sources = &sources,
	    .command = "apply", .exit_code = EXIT_LEFT,
	    .elapsed_ms = 4200 });
	expected_text("report_left.txt", strbuf_str(&out));
	strbuf_release(&out);
	arena_release(&arena);
}

/* Also where nothing can be named. */
static void
test_report_names_the_next_command_without_a_list_too(
    void **state)
{
	struct run_summary summary = { .changed_count = 1 };
	struct strbuf out = {0};

	(void)state;
	report_print(&out, NULL, &summary, &(struct report_options){
	    .style = { .width = 80 }, .command = "apply",
	    .exit_code = EXIT_LEFT, .elapsed_ms = 4200 });
	assert_true(str_search(strbuf_str(&out),
	    STR("Next: podform apply")) >= 0);
	strbuf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_progress_counts_checks_and_steps),
		cmocka_unit_test(
		    test_progress_tells_at_once_what_a_removal_waits_for),
		cmocka_unit_test(
		    test_progress_is_plain_lines_without_a_terminal),
		cmocka_unit_test(
		    test_progress_live_area_never_wraps_and_is_taken_away),
		cmocka_unit_test(
		    test_progress_redraws_ten_times_a_second_at_most),
		cmocka_unit_test(test_events_are_one_strict_object_a_line),
		cmocka_unit_test(
		    test_report_names_what_is_left_and_the_next_command),
		cmocka_unit_test(
		    test_report_names_the_next_command_without_a_list_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
