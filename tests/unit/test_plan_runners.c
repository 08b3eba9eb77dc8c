/*
 * test_plan_runners.c - runners, who sit on pods: by what is known of them and
 * of their pod.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

enum { SHOWN = DUMP_CHANGES | DUMP_CHECKS };

static const char *const with_runner =
    "pods: { a: { image: x:1, gpu: A40 } }\n"
    "runners: { ci: { pod: a, repository: acme/model } }\n";

#define ACT(name) static void \
name(struct plan_world *w, struct lock_entry *had)
#define UNUSED() ((void)w, (void)had)

/* -------------------------------------------------------------- runners -- */

ACT(nothing) { UNUSED(); }
ACT(tainted) { UNUSED(); had->tainted = true; }
ACT(other_number) { UNUSED(); had->id = STR("12345"); }
ACT(no_number) { UNUSED(); had->id = (struct str){0}; }
ACT(no_digits) { UNUSED(); had->id = STR("x7"); }
ACT(other_container) { UNUSED(); had->runner.pod_start = STR("then"); }
ACT(container_unknown) { UNUSED(); had->runner.pod_start = (struct str){0}; }
ACT(container_untold) { UNUSED(); world_pod(w, "pod.a")->started_at =
	(struct str){0}; }
ACT(other_pod) { UNUSED(); had->runner.pod_id = STR("gone"); }
ACT(pod_renamed) { UNUSED(); had->runner.pod = STR("pod.a[0]"); }
ACT(pod_elsewhere) { UNUSED(); had->runner.pod = STR("pod.z");
	had->runner.pod_id = STR("z"); }
ACT(pod_terminated) { UNUSED(); world_pod(w, "pod.a")->status =
	POD_TERMINATED; }
ACT(pod_forgotten) { UNUSED(); lock_remove_entry(&w->lock,
	world_entry(w, "pod.a")); w->pods.n = 0; }
ACT(other_scope) { UNUSED(); had->runner.repository = STR("acme/other"); }
ACT(scope_unknown) { UNUSED(); w->scope.known = false; }
ACT(renamed) { UNUSED(); w->runners.items[0].name = STR("else"); }
ACT(other_case) { UNUSED(); w->runners.items[0].name = arena_str(&w->arena,
	had->runner.name); ((char *)(uintptr_t)w->runners.items[0].name.data)
	[0] = 'C'; }
ACT(offline) { UNUSED(); w->runners.items[0].online = false; }
ACT(offline_busy) { offline(w, had); w->runners.items[0].busy = true; }
ACT(gone) { UNUSED(); w->runners.n = 0; }
ACT(from_lock) { UNUSED(); w->live.from_lock = true; }
ACT(from_lock_other_pod) { other_pod(w, had); from_lock(w, had); }

/* Listed under our mark, and in no record. */
#define OURS "- runner.ci orphan 2 delete_because_orphan\n"
#define REPLACED(why) "-/+ runner.ci replace_" why " @3\n"

static void
test_plan_runner_by_what_is_known_of_it(void **state)
{
	static const struct {
		void (*act)(struct plan_world *w, struct lock_entry *had);
		const char *shown;
		size_t keeps;
		bool asks;		/* of GitHub, once more */
	} rows[] = {
		{ nothing, "", 0, false },
		{ tainted, REPLACED("because_tainted"), 0, false },
		{ other_number, REPLACED("because_lost") OURS, 0, false },
		{ no_number, REPLACED("because_lost") OURS, 0, false },
		{ no_digits, REPLACED("because_lost") OURS, 0, false },
		{ other_container, REPLACED("because_pod_changes"), 0, false },
		/* Times that are not known prove nothing. */
		{ container_unknown, "", 0, false },
		{ container_untold, "", 0, false },
		{ other_pod, REPLACED("because_pod_changes"), 0, false },
		/* The same slot by its other name: recorded anew. */
		{ pod_renamed, "", 1, false },
		{ pod_elsewhere, REPLACED("because_cannot_update"), 0, false },
		{ pod_terminated, "+ pod.a gone-proved replace_because_lost "
		    "@2\n" REPLACED("because_pod_changes"), 0, false },
		{ pod_forgotten, "+ pod.a @2\n"
		    REPLACED("because_pod_changes"), 0, false },
		/* Where it was, nobody was asked. */
		{ other_scope, REPLACED("because_cannot_update"), 0, true },
		{ scope_unknown, "", 0, true },
		{ renamed, "check fail mark: runner 2 is recorded as runner.ci "
		    "but is called 'else' at GitHub: it is left alone\n", 0,
		    false },
		{ other_case, "", 0, false },
		{ offline, REPLACED("because_offline"), 0, false },
		{ offline_busy, "", 0, false },
		{ gone, REPLACED("because_lost"), 0, false },
		{ from_lock, "", 0, false },
		{ from_lock_other_pod, "", 0, false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		world_spec(&w, with_runner);
		world_settle(&w);
		rows[i].act(&w, world_entry(&w, "runner.ci"));
		const char *found = world_plan(&w, SHOWN);
		if (strcmp(found, rows[i].shown) != 0 ||
		    w.plan->keeps.n != rows[i].keeps ||
		    w.plan->needs_github != rows[i].asks)
			fail_msg("row %zu (%zu kept, asks %d):\n%s\nwanted:\n"
			    "%s", i, w.plan->keeps.n, w.plan->needs_github,
			    found, rows[i].shown);
		world_release(&w);
	}
}

/* What is done to its pod is done to it. */
static void
test_plan_runner_by_what_becomes_of_its_pod(void **state)
{
	static const struct { const char *pod; enum pod_status status;
		const char *shown; } rows[] = {
		{ "name: other", POD_RUNNING, "~ pod.a @2\n" },
		{ "args: x", POD_RUNNING, "~ pod.a restarts !container_reset "
		    "@2\n" REPLACED("because_pod_changes") },
		{ "gpu_count: 2", POD_RUNNING, "-/+ pod.a "
		    "replace_because_cannot_update !container_reset "
		    "!data_loss @2\n" REPLACED("because_pod_changes") },
		{ "gpu_count: 1", POD_EXITED, "^ pod.a start_because_desired "
		    "!gpu_not_guaranteed @2\n"
		    REPLACED("because_pod_changes") },
		{ "name: other", POD_EXITED, "~ pod.a and start "
		    "!gpu_not_guaranteed @2\n"
		    REPLACED("because_pod_changes") },
		{ "state: stopped", POD_RUNNING, "v pod.a "
		    "stop_because_desired !container_reset "
		    "!gpu_not_guaranteed @2\n"
		    "- runner.ci delete_because_pod_stops @3\n" },
		{ "name: other, state: stopped", POD_RUNNING, "~ pod.a and "
		    "stop !container_reset !gpu_not_guaranteed @2\n"
		    "- runner.ci delete_because_pod_stops @3\n" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		world_spec(&w, with_runner);
		world_settle(&w);
		world_pod(&w, "pod.a")->status = rows[i].status;
		world_spec(&w, arena_printf(&w.arena,
		    "pods: { a: { image: x:1, gpu: A40, %s } }\n"
		    "runners: { ci: { pod: a, repository: acme/model } }\n",
		    rows[i].pod).data);
		const char *found = world_plan(&w, DUMP_CHANGES);
		if (strcmp(found, rows[i].shown) != 0)
			fail_msg("row %zu:\n%s\nwanted:\n%s", i, found,
			    rows[i].shown);
		world_settle(&w);
		world_release(&w);
	}
}

static void
test_plan_runner_is_replaced_when_asked_for(void **state)
{
	struct plan_world *w = *state;
	struct str address = STR("runner.ci");

	world_spec(w, with_runner);
	world_settle(w);
	w->options.replaces = &address;
	w->options.nreplaces = 1;
	assert_text(world_plan(w, SHOWN), "-/+ runner.ci replace_by_request "
	    "@3\n");
}

/* Nobody wants it any more. */
static void
test_plan_runner_left_over_by_what_is_known(void **state)
{
	static const struct {
		void (*act)(struct plan_world *w, struct lock_entry *had);
		enum plan_mode mode;
		bool excluded;
		const char *shown;
		bool host;
	} rows[] = {
		{ nothing, PLAN_NORMAL, false,
		    "- runner.ci delete_because_no_resource_config\n", true },
		{ pod_terminated, PLAN_NORMAL, false,
		    "+ pod.a gone-proved replace_because_lost @2\n"
		    "- runner.ci delete_because_no_resource_config\n", false },
		{ other_pod, PLAN_NORMAL, false,
		    "- runner.ci delete_because_no_resource_config\n", false },
		{ nothing, PLAN_REFRESH_ONLY, false, "", false },
		{ nothing, PLAN_NORMAL, true, "", false },
		{ renamed, PLAN_NORMAL, false,
		    "check fail mark: runner 2 is recorded as runner.ci but "
		    "is called 'else' at GitHub: it is left alone\n", false },
		{ gone, PLAN_NORMAL, false,
		    "- runner.ci delete_because_no_resource_config\n", true },
		{ scope_unknown, PLAN_NORMAL, false,
		    "- runner.ci delete_because_no_resource_config\n", true },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct str address = STR("runner.ci");
		world_init(&w);
		world_spec(&w, with_runner);
		world_settle(&w);
		world_spec(&w, "pods: { a: { image: x:1, gpu: A40 } }\n");
		rows[i].act(&w, world_entry(&w, "runner.ci"));
		w.options.mode = rows[i].mode;
		w.options.excludes = &address;
		w.options.nexcludes = rows[i].excluded;
		assert_text(world_plan(&w, SHOWN), rows[i].shown);
		if (w.plan->changes.n > 0)
			assert_int_equal(w.plan->changes.items[
			    w.plan->changes.n - 1].host != NULL,
			    rows[i].host);
		world_release(&w);
	}
}

/* Not wanted to be made, or not to be looked at now. */
static void
test_plan_runner_that_is_not_made(void **state)
{
	struct plan_world *w = *state;
	struct str pod = STR("pod.a"), runner = STR("runner.ci");

	world_spec(w, "pods: { a: { image: x:1, gpu: A40, state: stopped } }\n"
	    "runners: { ci: { pod: a, repository: acme/model } }\n");
	assert_text(world_plan(w, DUMP_CHANGES), "");
	assert_int_equal(w->plan->noops, 2);
	world_spec(w, with_runner);
	w->options.mode = PLAN_REFRESH_ONLY;
	assert_text(world_plan(w, DUMP_CHANGES), "");
	assert_int_equal(w->plan->noops, 2);
	w->options.mode = PLAN_NORMAL;
	w->options.targets = &pod;
	w->options.ntargets = 1;
	assert_text(world_plan(w, DUMP_CHANGES), "+ pod.a @2\n");
	assert_int_equal(w->plan->noops, 1);
	world_apply(w);
	/* Its registration is under way: of it alone. */
	w->options.ntargets = 0;
	struct lock_op op = { .action = OP_CREATE, .address = runner,
		.entry = { .kind = KIND_POD, .address = runner } };
	op.op.hex[0] = 'f';
	*ARENA_PUSH(&w->arena, &w->lock.pending) = op;
	assert_text(world_plan(w, DUMP_CHANGES), "+ runner.ci @3\n");
	w->lock.pending.items[0].entry.kind = KIND_RUNNER;
	w->lock.pending.items[0].address = STR("runner.other");
	assert_text(world_plan(w, DUMP_CHANGES), "+ runner.ci @3\n");
	w->lock.pending.items[0].address = runner;
	assert_text(world_plan(w, DUMP_CHANGES), "");
}

/* Registered under our mark: is it ours to remove? */
static void
test_plan_runner_orphan_by_who_knows_it(void **state)
{
	enum { UNKNOWN, BY_NUMBER, AS_POD, PENDING, OTHER_PENDING, RELEASED,
		STRANGE_LINEAGE, NO_LINEAGE, UNMARKED, EXCLUDED, REFRESHED,
		FROM_LOCK, NCASES };
	static const bool goes[NCASES] = { [UNKNOWN] = true, [AS_POD] = true,
		[OTHER_PENDING] = true };
	(void)state;

	for (int i = 0; i < NCASES; i++) {
		struct plan_world w;
		struct id128 op, other;
		struct str excluded = STR("runner.ci");
		world_init(&w);
		assert_true(id128_parse(STR("77777777777777777777777777777777"),
		    &op));
		assert_true(id128_parse(STR("99999999999999999999999999999999"),
		    &other));
		struct lock_entry entry = { .kind = KIND_RUNNER, .op = other,
			.address = STR("runner.x"), .id = STR("99") };
		struct lock_op pending = { .op = i == PENDING ? op : other,
			.entry.kind = KIND_RUNNER, .address = STR("runner.y") };
		world_spec(&w, "pods: {}\n");
		*ARENA_PUSH(&w.arena, &w.runners) = (struct github_runner){
			.id = 99, .name = i == UNMARKED ? STR("ci") :
			    mark_name(&w.arena, STR("ci"),
			    i == STRANGE_LINEAGE ? &other : &w.lock.lineage,
			    &op), .online = true };
		if (i == BY_NUMBER || i == AS_POD) {
			entry.kind = i == AS_POD ? KIND_VOLUME : KIND_RUNNER;
			entry.address = i == AS_POD ? STR("volume.x") :
			    entry.address;
			lock_add_entry(&w.lock, &entry);
			w.options.excludes = &entry.address;
			w.options.nexcludes = 1;
		}
		if (i == PENDING || i == OTHER_PENDING)
			*ARENA_PUSH(&w.arena, &w.lock.pending) = pending;
		entry.op = op;
		if (i == RELEASED)
			lock_release(&w.arena, &w.lock, &entry, 0);
		if (i == NO_LINEAGE)
			w.lock.lineage = (struct id128){ { 0 } };
		if (i == EXCLUDED) {
			/* One has to be there to be named. */
			entry.address = excluded;
			entry.id = STR("5");
			entry.op = other;
			lock_add_entry(&w.lock, &entry);
			w.options.excludes = &excluded;
			w.options.nexcludes = 1;
		}
		if (i == REFRESHED)
			w.options.mode = PLAN_REFRESH_ONLY;
		w.live.from_lock = i == FROM_LOCK;
		const char *found = world_plan(&w, DUMP_CHANGES);
		if ((strstr(found, "orphan 99") != NULL) != goes[i])
			fail_msg("case %d: %s", i, found);
		world_release(&w);
	}
}

/* A pod that comes up, or that this plan changes: who comes to it waits for
 * the same thing. */
static void
test_plan_runner_waits_with_its_pod(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods: { a: { image: x:1, gpu: A40 } }\n");
	world_settle(w);
	world_pod(w, "pod.a")->status = POD_STARTING;
	world_spec(w, with_runner);
	assert_text(world_plan(w, DUMP_ACTIONS),
	    "do 0 await running pod.a\n"
	    "do 1 await ssh pod.a after 0\n"
	    "do 2 login pod.a after 1\n"
	    "do 3 install runner.ci after 2\n"
	    "do 4 register runner.ci after 3\n"
	    "do 5 listen runner.ci after 4\n"
	    "do 6 await online runner.ci after 5\n");
	assert_int_equal(w->plan->waits.n, 1);
	/* Made of the record, nobody is let in anywhere. */
	world_pod(w, "pod.a")->status = POD_RUNNING;
	w->live.from_lock = true;
	assert_text(world_plan(w, DUMP_ACTIONS),
	    "do 0 install runner.ci\n"
	    "do 1 register runner.ci after 0\n"
	    "do 2 listen runner.ci after 1\n"
	    "do 3 await online runner.ci after 2\n");
	/* Where its key is pinned already there is nothing to wait for. */
	w->live.from_lock = false;
	world_entry(w, "pod.a")->inside.host_key = STR("SHA256:k");
	assert_text(world_plan(w, DUMP_ACTIONS),
	    "do 0 install runner.ci\n"
	    "do 1 register runner.ci after 0\n"
	    "do 2 listen runner.ci after 1\n"
	    "do 3 await online runner.ci after 2\n");
	world_spec(w, "pods: { a: { image: x:1, gpu: A40, name: other } }\n"
	    "runners: { ci: { pod: a, repository: acme/model } }\n");
	(void)world_plan(w, DUMP_ACTIONS);
	assert_false(w->plan->changes.items[0].inside.login);
}

/* The wait is that for its own pod. */
static void
test_plan_runner_waits_for_its_own_pod(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods:\n  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40 }\n");
	world_settle(w);
	world_pod(w, "pod.a")->status = POD_STARTING;
	world_pod(w, "pod.b")->status = POD_STARTING;
	world_spec(w, "pods:\n  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40 }\n"
	    "runners: { ci: { pod: b, repository: acme/model } }\n");
	assert_text(world_plan(w, DUMP_ACTIONS),
	    "do 0 await running pod.a\n"
	    "do 1 await ssh pod.a after 0\n"
	    "do 2 await running pod.b\n"
	    "do 3 await ssh pod.b after 2\n"
	    "do 4 login pod.b after 3\n"
	    "do 5 install runner.ci after 4\n"
	    "do 6 register runner.ci after 5\n"
	    "do 7 listen runner.ci after 6\n"
	    "do 8 await online runner.ci after 7\n");
}

/* Of two that are recorded for one address, by what GitHub lists of them. */
static void
test_plan_runners_of_one_address_are_told_in_order(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, with_runner);
	world_settle(w);
	struct lock_entry entry = *world_entry(w, "runner.ci");
	entry.deposed = true;
	entry.id = STR("1");
	*ARENA_PUSH(&w->arena, &w->lock.entries) = entry;
	world_spec(w, "pods: { a: { image: x:1, gpu: A40 } }\n");
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->changes.n, 2);
	assert_true(str_is(w->plan->changes.items[0].have->id, "1"));
	assert_null(w->plan->changes.items[0].runner);
	assert_true(str_is(w->plan->changes.items[1].have->id, "2"));
	assert_non_null(w->plan->changes.items[1].runner);
}

/* A pod that must be let go of takes its runner along, whatever --target. */
static void
test_plan_runner_follows_a_pod_that_is_not_recorded(void **state)
{
	struct plan_world *w = *state;
	struct str pod = STR("pod.a");

	world_spec(w, with_runner);
	world_settle(w);
	world_entry(w, "runner.ci")->runner.pod_id = (struct str){0};
	w->options.mode = PLAN_DESTROY;
	w->options.targets = &pod;
	w->options.ntargets = 1;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "- pod.a delete_because_destroy !data_loss\n");
	world_entry(w, "runner.ci")->runner.pod_id =
	    world_entry(w, "pod.a")->id;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "- pod.a delete_because_destroy !data_loss\n"
	    "- runner.ci delete_because_destroy\n"
	    "do 0 remove runner.ci\n"
	    "do 1 delete pod.a after 0\n");
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_runner_by_what_is_known_of_it),
		cmocka_unit_test(test_plan_runner_by_what_becomes_of_its_pod),
		TEST(test_plan_runner_is_replaced_when_asked_for),
		cmocka_unit_test(test_plan_runner_left_over_by_what_is_known),
		TEST(test_plan_runner_that_is_not_made),
		cmocka_unit_test(test_plan_runner_orphan_by_who_knows_it),
		TEST(test_plan_runner_waits_with_its_pod),
		TEST(test_plan_runner_waits_for_its_own_pod),
		TEST(test_plan_runners_of_one_address_are_told_in_order),
		TEST(test_plan_runner_follows_a_pod_that_is_not_recorded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
