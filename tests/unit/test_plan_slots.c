/*
 * test_plan_slots.c - pods by the state that they are in, outside and inside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "plan/planner.h"
#include "plan_world.h"

/* ------------------------------------------------------- coming up, inside -- */

/* A pod that an earlier run has started: whoever comes to it waits. */
static void
test_plan_waits_for_a_pod_that_comes_up(void **state)
{
	static const struct { enum pod_status status; bool runtime, waits; }
	rows[] = {
		{ POD_PROVISIONING, false, true },
		{ POD_STARTING, false, true },
		{ POD_STARTING, true, true },
		{ POD_RUNNING, false, true },
		{ POD_RUNNING, true, false },
	};
	static const char *const lines[] = { "", "name: other" };
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++)
	for (size_t k = 0; k < COUNTOF(lines); k++) {
		struct plan_world w;
		world_init(&w);
		world_trainer(&w, "");
		world_settle(&w);
		struct cloud_pod *pod = world_pod(&w, "pod.trainer");
		pod->status = rows[i].status;
		pod->has_runtime = rows[i].runtime;
		world_trainer(&w, lines[k]);
		const char *found = world_plan(&w, DUMP_ACTIONS);
		if ((strstr(found, "await running pod.trainer") != NULL) !=
		    rows[i].waits)
			fail_msg("row %zu, %s: %s", i, lines[k], found);
		assert_int_equal(w.plan->waits.n, k == 0 && rows[i].waits);
		for (size_t a = 0; a < w.plan->actions.n; a++)
			assert_true(str_is(plan_action_change(w.plan,
			    &w.plan->actions.items[a])->address,
			    "pod.trainer"));
		world_release(&w);
	}
}

/* Of a container that starts and does not say when: another one. */
static void
test_plan_inside_of_a_container_by_its_start(void **state)
{
	static const struct {
		const char *recorded, *told;
		enum pod_status status;
		bool runtime, anew;
	} rows[] = {
		{ NULL, NULL, POD_STARTING, false, false },
		{ NULL, "now", POD_RUNNING, true, false },
		{ "now", "now", POD_RUNNING, true, false },
		{ "now", "now", POD_RUNNING, false, false },
		{ "then", "now", POD_RUNNING, true, true },
		{ "then", NULL, POD_RUNNING, true, false },
		{ "then", NULL, POD_RUNNING, false, true },
		{ "then", NULL, POD_EXITED, false, false },
		{ "then", NULL, POD_STARTING, false, true },
		{ "then", NULL, POD_PROVISIONING, false, true },
		{ "then", "then", POD_STARTING, false, false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct lock_entry entry = { .inside.start =
		    str_from(rows[i].recorded) };
		struct cloud_pod pod = { .status = rows[i].status,
		    .has_runtime = rows[i].runtime,
		    .started_at = str_from(rows[i].told) };
		if (inside_restarted(&entry, &pod) != rows[i].anew)
			fail_msg("row %zu", i);
	}
}

/* Replicas share their steps: what is missing is told once. */
static void
test_plan_missing_files_are_told_once(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods:\n  a: { image: x:1, gpu: A40, replicas: 3,\n"
	    "    setup: [{ copy: { from: nothing.txt, to: /x } }] }\n");
	assert_text(world_plan(w, 0),
	    "pods.yaml:4:13: error: cannot copy 'nothing.txt' to the pod: there "
	    "is no such file [PF0209]\n"
	    "    4 |     setup: [{ copy: { from: nothing.txt, to: /x } }] }\n"
	    "      |             ^\n"
	    "   hint: it is looked for as 'nothing.txt'\n");
	assert_null(w->plan);
}

static void
test_plan_checks_with_a_secret_are_not_shown(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "secrets: { KEY: { env: KEY } }\npods: { a: { image: "
	    "x:1, gpu: A40, ready: { checks: [\"true\", "
	    "\"curl ${secret.KEY}\", \"false\"] } } }\n");
	const char *found = world_plan(w, DUMP_CHANGES | DUMP_ATTRS);
	assert_non_null(strstr(found, "ready.checks: - -> [\"true\","
	    "\"curl ${secret.KEY}\",\"false\"] edit secret @3\n"));
}

/* A container that started anew, where nothing but a login was done. */
static void
test_plan_restart_of_what_has_no_work_is_none(void **state)
{
	static const struct { const char *work; bool again; } rows[] = {
		{ "", false }, { ", setup: [{ run: a }]", true },
		{ ", process: { run: a }", true },
		{ ", ready: { checks: [a] }", true },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		world_spec(&w, arena_printf(&w.arena, "pods: { a: { image: "
		    "x:1, gpu: A40%s } }\n", rows[i].work).data);
		world_settle(&w);
		world_entry(&w, "pod.a")->inside.start = STR("before");
		(void)world_plan(&w, 0);
		assert_int_equal(w.plan->changes.n, rows[i].again);
		if (rows[i].again)
			assert_int_equal(w.plan->changes.items[0].reason,
			    BECAUSE_RESTARTED);
		world_release(&w);
	}
}

/* ------------------------------------------------------------- each state -- */

static void
test_plan_refresh_only_records_the_state(void **state)
{
	/* Recorded as stopped; then by status as in enum pod_status: what
	 * is recorded then, - for nothing. */
	static const struct { bool stopped; const char *wanted; } rows[] = {
		{ false, "----s-" }, { true, "-rrr--" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++)
	for (enum pod_status s = POD_UNKNOWN; s <= POD_ERROR; s++) {
		struct plan_world w;
		world_init(&w);
		world_trainer(&w, "");
		world_settle(&w);
		world_entry(&w, "pod.trainer")->stopped = rows[i].stopped;
		world_pod(&w, "pod.trainer")->status = s;
		w.options.mode = PLAN_REFRESH_ONLY;
		(void)world_plan(&w, 0);
		char found = w.plan->keeps.n == 0 ? '-' :
		    w.plan->keeps.items[0].entry->stopped ? 's' : 'r';
		if (found != rows[i].wanted[s])
			fail_msg("row %zu, status %d: %c", i, (int)s, found);
		/* And beside another drift the state stays as it is. */
		world_pod(&w, "pod.trainer")->config.disk_gb = 99;
		(void)world_plan(&w, 0);
		assert_int_equal(w.plan->keeps.n, 1);
		bool kept = rows[i].wanted[s] == 's' ||
		    (rows[i].wanted[s] == '-' && rows[i].stopped &&
			s != POD_UNKNOWN);
		if (s != POD_UNKNOWN)
			assert_int_equal(w.plan->keeps.items[0].entry->stopped,
			    kept);
		world_release(&w);
	}
}

/* Broken, and only wanted stopped: ended if nothing of it is of use. */
static void
test_plan_stopped_pod_that_needs_another_waits(void **state)
{
	static const struct {
		bool tainted, asked, error;
		const char *line, *shown;
	} rows[] = {
#define WAITS "check warn state: pod.trainer needs a new pod, which waits " \
	"until its state is running @2\n"
		{ true, false, false, "", "- pod.trainer "
		    "replace_because_tainted !data_loss @2\n" },
		{ false, false, true, "", "- pod.trainer "
		    "delete_because_lost !data_loss @2\n" },
		{ false, true, false, "", WAITS },
		{ false, false, false, ", gpu_count: 2", WAITS },
		/* And then nothing else of it is changed. */
		{ false, false, false, ", gpu_count: 2, args: x", WAITS },
		{ false, true, false, ", name: other", WAITS },
		{ false, false, false, ", args: x", "~ pod.trainer restarts "
		    "@2\n" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct str address = STR("pod.trainer");
		world_init(&w);
		world_trainer(&w, "");
		world_settle(&w);
		world_entry(&w, "pod.trainer")->tainted = rows[i].tainted;
		world_entry(&w, "pod.trainer")->stopped = true;
		world_pod(&w, "pod.trainer")->status = rows[i].error ?
		    POD_ERROR : POD_EXITED;
		w.options.replaces = &address;
		w.options.nreplaces = rows[i].asked;
		world_spec(&w, arena_printf(&w.arena, "pods: { trainer: { "
		    "image: torch:1, gpu: A40, state: stopped%s } }\n",
		    rows[i].line).data);
		assert_text(world_plan(&w, DUMP_CHANGES | DUMP_CHECKS),
		    rows[i].shown);
		world_release(&w);
	}
}

/* A word that we have no state for: nothing is done to it, within or without. */
static void
test_plan_status_that_is_unknown_leaves_it_alone(void **state)
{
	static const struct { const char *line; bool asked, refused; } rows[] = {
		{ "", false, false }, { "args: x", false, true },
		{ "state: stopped", false, true },
		{ "gpu_count: 2", false, true }, { "", true, true },
		{ "setup: [{ run: a }]", false, true },
		{ "protect: true", false, false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct str address = STR("pod.trainer");
		world_init(&w);
		world_trainer(&w, "");
		world_settle(&w);
		world_pod(&w, "pod.trainer")->status = POD_UNKNOWN;
		w.options.replaces = &address;
		w.options.nreplaces = rows[i].asked;
		world_trainer(&w, rows[i].line);
		(void)world_plan(&w, DUMP_CHANGES);
		assert_int_equal(w.plan->changes.n, 0);
		if (plan_has_failed_check(w.plan) != rows[i].refused)
			fail_msg("row %zu", i);
		assert_int_equal(w.plan->cost.after_per_hour, 400000);
		assert_int_equal(w.plan->noops, 1);
		world_release(&w);
	}
}

/* It may mount what it always did: that is not deleted from under it. */
static void
test_plan_status_that_is_unknown_keeps_its_volume(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	    "pods: { a: { image: x:1, gpu: A40, network_volume: { volume: d, "
	    "path: /w } } }\n");
	world_settle(w);
	world_pod(w, "pod.a")->status = POD_UNKNOWN;
	world_spec(w, "pods: { a: { image: x:1, gpu: A40 } }\n");
	assert_non_null(strstr(world_plan(w, DUMP_CHECKS), "check fail in_use: "
	    "volume.d would be deleted while pod.a mounts it\n"));
}

static void
test_plan_gpu_that_went_is_told_where_it_matters(void **state)
{
	static const struct { int64_t recorded, live; enum pod_status status;
		bool told; } rows[] = {
		{ 1, 0, POD_RUNNING, true }, { 1, 0, POD_STARTING, false },
		{ 1, 0, POD_EXITED, false }, { 1, 1, POD_RUNNING, false },
		{ 0, 0, POD_RUNNING, false },
	};
	struct plan_world *w = *state;

	world_trainer(w, "ignore_drift: [gpu_count]");
	world_settle(w);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		world_entry(w, "pod.trainer")->pod.gpu_count =
		    rows[i].recorded;
		world_pod(w, "pod.trainer")->config.gpu_count = rows[i].live;
		world_pod(w, "pod.trainer")->status = rows[i].status;
		const char *found = world_plan(w, DUMP_CHECKS);
		assert_int_equal(strstr(found, "runs without a GPU") != NULL,
		    rows[i].told);
	}
}

/* Its own name is among the attributes of a replacement, edited or not. */
static void
test_plan_replacement_tells_its_name_once(void **state)
{
	static const struct { const char *line, *shown; } rows[] = {
		{ "gpu_count: 2", "  gpu_count: 1 -> 2 replace edit forces "
		    "@2\n" },
		{ "gpu_count: 2, name: other", "  name: \"trainer\" -> \"other\" "
		    "in-place edit @2\n"
		    "  gpu_count: 1 -> 2 replace edit forces @2\n" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		world_trainer(&w, "");
		world_settle(&w);
		world_spec(&w, arena_printf(&w.arena, "pods: { trainer: { "
		    "image: torch:1, gpu: A40, %s } }\n", rows[i].line).data);
		const char *found = world_plan(&w, DUMP_CHANGES | DUMP_ATTRS);
		assert_text(strchr(found, '\n') + 1, rows[i].shown);
		world_release(&w);
	}
}

/* Up, and without the port that somebody has to log in by. */
static void
test_plan_stuck_pod_by_since_when(void **state)
{
	enum { MINUTE = 60000 };
	/* Age in minutes of its start and of its making (-1: not told), of a
	 * pod whose time to be ready is ten. */
	static const struct {
		int started, made;
		bool runtime, port, ssh, ran, recorded_stopped, told;
	} rows[] = {
		{ 11, 60, true, true, false, false, false, true },
		{ 10, 60, true, true, false, false, false, false },
		{ 11, 60, true, true, true, false, false, false },
		/* It offers none. */
		{ 11, 60, true, false, false, false, false, false },
		{ 11, 60, false, true, true, false, false, true },
		{ -1, 11, false, true, true, false, false, true },
		{ -1, 10, false, true, true, false, false, false },
		{ -1, -1, false, true, true, false, false, false },
		/* It ran before: since when it starts again is not told. */
		{ -1, 60, false, true, true, true, false, false },
		{ -1, 60, false, true, true, false, true, false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		static struct str ports[] = { STR_INIT("80/http"),
			STR_INIT("22/tcp") };
		world_init(&w);
		world_spec(&w, "pods: { a: { image: x:1, gpu: A40, ready: { "
		    "timeout: 10m }, ignore_drift: [ports, state] } }\n");
		world_settle(&w);
		struct cloud_pod *pod = world_pod(&w, "pod.a");
		struct lock_entry *had = world_entry(&w, "pod.a");
		pod->started_at = rows[i].started < 0 ? (struct str){0} :
		    format_time(&w.arena, w.options.wall_ms -
			rows[i].started * MINUTE);
		pod->created_at = rows[i].made < 0 ? STR("never") :
		    format_time(&w.arena, w.options.wall_ms -
			rows[i].made * MINUTE);
		pod->has_runtime = rows[i].runtime;
		pod->config.ports = ports;
		pod->config.nports = rows[i].port ? 2 : 1;
		if (!rows[i].ssh)
			pod->ssh.port = 0;
		had->inside.start = rows[i].ran ? STR("before") :
		    (struct str){0};
		had->stopped = rows[i].recorded_stopped;
		const char *found = world_plan(&w, DUMP_CHECKS);
		if ((strstr(found, "check warn stuck: pod.a has waited") !=
		    NULL) != rows[i].told)
			fail_msg("row %zu: %s", i, found);
		world_release(&w);
	}
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_waits_for_a_pod_that_comes_up),
		cmocka_unit_test(test_plan_inside_of_a_container_by_its_start),
		TEST(test_plan_missing_files_are_told_once),
		TEST(test_plan_checks_with_a_secret_are_not_shown),
		cmocka_unit_test(
		    test_plan_restart_of_what_has_no_work_is_none),
		cmocka_unit_test(test_plan_refresh_only_records_the_state),
		cmocka_unit_test(
		    test_plan_stopped_pod_that_needs_another_waits),
		cmocka_unit_test(
		    test_plan_status_that_is_unknown_leaves_it_alone),
		TEST(test_plan_status_that_is_unknown_keeps_its_volume),
		TEST(test_plan_gpu_that_went_is_told_where_it_matters),
		cmocka_unit_test(test_plan_replacement_tells_its_name_once),
		cmocka_unit_test(test_plan_stuck_pod_by_since_when),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
