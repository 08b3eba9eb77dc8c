/*
 * test_plan_selection.c - what --target and --exclude take along, and in which
 * order things that are left are done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

/* ------------------------------------------------------------- selection -- */

/* What is left out is as it was, and costs what it costs. */
static void
test_plan_excluded_pod_stays_as_it_is(void **state)
{
	struct plan_world *w = *state;
	struct str address = STR("pod.trainer");

	world_trainer(w, "");
	w->options.excludes = &address;
	w->options.nexcludes = 1;
	assert_text(world_plan(w, DUMP_ALL),
	    "cost 0 -> 0, worst 0, storage 0\n"
	    "add 0, change 0, destroy 0, start 0, stop 0, forget 0; 1 same, "
	    "0 kept, empty\n");
	w->options.nexcludes = 0;
	world_settle(w);
	w->options.nexcludes = 1;
	world_trainer(w, "gpu_count: 2");
	assert_text(world_plan(w, DUMP_ALL),
	    "cost 400000 -> 400000, worst 400000, storage 0\n"
	    "add 0, change 0, destroy 0, start 0, stop 0, forget 0; 1 same, "
	    "0 kept, empty\n");
	w->pods.n = 0;
	assert_text(world_plan(w, DUMP_ALL),
	    "cost 0 -> 0, worst 0, storage 0\n"
	    "add 0, change 0, destroy 0, start 0, stop 0, forget 0; 1 same, "
	    "0 kept, empty\n");
}

/* By whole addresses, names alone, numbers of replicas; and their needs. */
static void
test_plan_selection_covers_replicas_and_needs(void **state)
{
	static const struct { const char *target, *exclude, *shown; } rows[] = {
		{ "a", NULL, "+ pod.a @4\n+ volume.d @2\n" },
		{ "pod.a[0]", NULL, "+ pod.a @4\n+ volume.d @2\n" },
		{ "pod.b[0]", NULL, "+ pod.b[0] @6\n" },
		{ "pod.b", NULL, "+ pod.b[0] @6\n+ pod.b[1] @6\n" },
		/* Whoever is needed twice is there once. */
		{ "pod.c", NULL, "+ pod.a @4\n+ pod.c @7\n+ volume.d @2\n" },
		{ NULL, "volume.d", "+ pod.b[0] @6\n+ pod.b[1] @6\n" },
		{ NULL, "pod.a", "+ pod.b[0] @6\n+ pod.b[1] @6\n"
		    "+ volume.d @2\n" },
		{ NULL, "pod.b[1]", "+ pod.a @4\n+ pod.b[0] @6\n+ pod.c @7\n"
		    "+ volume.d @2\n" },
		{ "pod.c", "volume.d", "" },
		{ "pod.b", "pod.b[0]", "+ pod.b[1] @6\n" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct str target = str_from(rows[i].target);
		struct str exclude = str_from(rows[i].exclude);
		world_init(&w);
		world_spec(&w,
		    "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
		    "pods:\n"
		    "  a: { image: x:1, gpu: A40,\n"
		    "    network_volume: { volume: d, path: /w } }\n"
		    "  b: { image: x:1, gpu: A40, replicas: 2 }\n"
		    "  c: { image: x:1, gpu: A40, env: { A: '${pod.a.id}', "
		    "B: '${volume.d.id}', C: '${pod.a.name}' } }\n");
		w.options.targets = &target;
		w.options.ntargets = target.data != NULL;
		w.options.excludes = &exclude;
		w.options.nexcludes = exclude.data != NULL;
		const char *found = world_plan(&w, DUMP_CHANGES);
		if (strcmp(found, rows[i].shown) != 0)
			fail_msg("row %zu:\n%s", i, found);
		world_release(&w);
	}
}

/* Who cannot be made without it goes along, however far away. */
static void
test_plan_exclusion_spreads_to_the_end(void **state)
{
	static const struct { const char *excluded, *shown; } rows[] = {
		{ "pod.c", "" },
		{ "pod.b", "+ pod.c @5\n" },
		{ "pod.a", "+ pod.b @4\n+ pod.c @5\n" },
	};
	struct plan_world *w = *state;

	world_spec(w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, env: { V: '${pod.b.id}' } }\n"
	    "  b: { image: x:1, gpu: A40, env: { V: '${pod.c.id}' } }\n"
	    "  c: { image: x:1, gpu: A40 }\n");
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct str address = str_from(rows[i].excluded);
		w->options.excludes = &address;
		w->options.nexcludes = 1;
		assert_text(world_plan(w, DUMP_CHANGES), rows[i].shown);
	}
	/* What is there already can be used. */
	w->options.nexcludes = 0;
	(void)world_plan(w, 0);
	world_apply(w);
	struct str address = STR("pod.c");
	w->options.excludes = &address;
	w->options.nexcludes = 1;
	world_spec(w, "pods:\n"
	    "  a: { image: x:2, gpu: A40, env: { V: '${pod.b.id}' } }\n"
	    "  b: { image: x:2, gpu: A40, env: { V: '${pod.c.id}' } }\n"
	    "  c: { image: x:2, gpu: A40 }\n");
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->changes.n, 2);
}

/* A volume whose listing was not asked for, and one that went. */
static void
test_plan_pod_follows_its_volume(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	    "pods: { a: { image: x:1, gpu: A40, network_volume: { volume: d, "
	    "path: /w } } }\n");
	world_settle(w);
	w->live.volumes_known = false;
	assert_text(world_plan(w, DUMP_CHANGES), "");
	assert_true(w->plan->needs_volumes);
	w->live.volumes_known = true;
	w->volumes.n = 0;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ATTRS),
	    "-/+ pod.a replace_because_cannot_update !container_reset @3\n"
	    "  network_volume.volume: \"vol1\" -> (later) replace edit forces "
	    "@3\n"
	    "+ volume.d gone replace_because_lost @2\n"
	    "  size: - -> \"10GB\" edit @2\n"
	    "  data_center: - -> \"EU-RO-1\" edit @2\n");
	/* An op about one needs the listing, too. */
	world_spec(w, "pods: {}\n");
	w->lock.entries.n = 0;
	w->lock.index = NULL;
	struct lock_op op = { .action = OP_CREATE, .op = { "abc" },
		.address = STR("volume.d"), .entry = { .kind = KIND_VOLUME } };
	*ARENA_PUSH(&w->arena, &w->lock.pending) = op;
	(void)world_plan(w, 0);
	assert_false(w->plan->needs_volumes);
	w->live.volumes_known = false;
	(void)world_plan(w, 0);
	assert_true(w->plan->needs_volumes);
	w->lock.pending.items[0].entry.kind = KIND_POD;
	(void)world_plan(w, 0);
	assert_false(w->plan->needs_volumes);
}

/* An update of a pod that got another of the GPUs that will do. */
static void
test_plan_update_records_the_gpu_that_it_got(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods: { a: { image: x:1, gpu: [A40, RTX A5000] } }\n");
	world_settle(w);
	world_pod(w, "pod.a")->config.gpu = STR("NVIDIA RTX A5000");
	world_spec(w, "pods: { a: { image: x:2, gpu: [A40, RTX A5000] } }\n");
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->changes.n, 1);
	const struct plan_change *c = &w->plan->changes.items[0];
	assert_int_equal(c->op, PLAN_UPDATE);
	assert_true(str_is(c->config.gpu, "NVIDIA RTX A5000"));
	assert_true(str_is(c->gpu_name, "RTX A5000"));
	/* And where nothing else changes, the record alone. */
	world_spec(w, "pods: { a: { image: x:1, gpu: [A40, RTX A5000] } }\n");
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->changes.n, 0);
	assert_int_equal(w->plan->keeps.n, 1);
	assert_true(str_is(w->plan->keeps.items[0].entry->gpu_name,
	    "RTX A5000"));
}

/* Without a spec there is the record to choose from. */
static void
test_plan_destroy_without_a_spec_selects_from_the_record(void **state)
{
	struct plan_world *w = *state;
	struct str address = STR("pod.b");

	world_spec(w, "pods:\n  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40 }\n");
	world_settle(w);
	w->spec = NULL;
	w->options.mode = PLAN_DESTROY;
	w->options.targets = &address;
	w->options.ntargets = 1;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "- pod.b delete_because_destroy !data_loss\n");
	w->options.ntargets = 0;
	w->options.excludes = &address;
	w->options.nexcludes = 1;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "- pod.a delete_because_destroy !data_loss\n");
	address = STR("pod.bb");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "error: cannot exclude 'pod.bb': there is no such thing in the "
	    "spec or the lock file [PF0202]\n"
	    "   hint: did you mean 'pod.b'?\n");
}

/* What is not built yet is refused where it is a part of the plan. */
static void
test_plan_later_fields_are_refused_where_they_are_selected(void **state)
{
	static const struct { const char *target, *exclude; bool refused; }
	rows[] = {
		{ NULL, NULL, true }, { "pod.late", NULL, true },
		{ "pod.fine", NULL, false }, { "volume.late", NULL, false },
		{ NULL, "pod.late", false }, { NULL, "pod.fine", true },
		{ "pod.late", "pod.fine", true },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct str target = str_from(rows[i].target);
		struct str exclude = str_from(rows[i].exclude);
		world_init(&w);
		world_spec(&w, "volumes: { late: { size: 10GB, data_center: "
		    "EU-RO-1 } }\npods:\n  fine: { image: x:1, gpu: A40 }\n"
		    "  late: { image: x:1, gpu: A40, lease: 4h }\n");
		w.options.targets = &target;
		w.options.ntargets = target.data != NULL;
		w.options.excludes = &exclude;
		w.options.nexcludes = exclude.data != NULL;
		const char *found = world_plan(&w, DUMP_CHANGES);
		if ((w.plan == NULL) != rows[i].refused ||
		    (strstr(found, "PF0201") != NULL) != rows[i].refused)
			fail_msg("row %zu: %s", i, found);
		world_release(&w);
	}
}

/* ----------------------------------------------------------------- order -- */

/* Needs of what goes: nothing waits for a runner that is removed. */
static void
test_plan_changes_do_not_wait_for_what_goes(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods:\n  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40, env: { V: '${runner.ci.name}' } }\n"
	    "runners: { ci: { pod: a, repository: acme/model } }\n");
	(void)world_plan(w, 0);
	world_apply(w);
	world_pod(w, "pod.a")->status = POD_EXITED;
	world_spec(w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, state: stopped }\n"
	    "  b: { image: x:1, gpu: A40, args: x, env: { V: "
	    "'${runner.ci.name}' } }\n"
	    "runners: { ci: { pod: a, repository: acme/model } }\n");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "~ pod.b restarts !container_reset @4\n"
	    "- runner.ci delete_because_pod_stops @5\n"
	    "do 0 update pod.b\n"
	    "do 1 await running pod.b after 0\n"
	    "do 2 await ssh pod.b after 1\n"
	    "do 3 barrier after 2\n"
	    "do 4 remove runner.ci after 3\n");
	/* The barrier is about nothing. */
	assert_null(plan_action_change(w->plan, &w->plan->actions.items[3]));
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_plan_excluded_pod_stays_as_it_is),
		cmocka_unit_test(
		    test_plan_selection_covers_replicas_and_needs),
		TEST(test_plan_exclusion_spreads_to_the_end),
		TEST(test_plan_pod_follows_its_volume),
		TEST(test_plan_update_records_the_gpu_that_it_got),
		TEST(test_plan_destroy_without_a_spec_selects_from_the_record),
		cmocka_unit_test(
		    test_plan_later_fields_are_refused_where_they_are_selected),
		TEST(test_plan_changes_do_not_wait_for_what_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
