/*
 * test_plan_judged.c - what a plan costs, and what it must not do.
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

/* --------------------------------------------------------------- prices -- */

static void
test_plan_cost_of_a_pod_by_what_is_told(void **state)
{
	enum { UNSAID = -1 };
	/* Listed cost, recorded price (-2: no record), then by status:
	 * unknown, provisioning, starting, running, exited, error. */
	static const struct {
		int64_t listed, recorded;
		int64_t wanted[6];
	} rows[] = {
		{ UNSAID, 5, { -1, -1, -1, -1, 0, -1 } },
		{ UNSAID, -2, { -1, -1, -1, -1, 0, -1 } },
		{ 7, 5, { 7, 7, 7, 7, 0, 7 } },
		{ 7, -2, { 7, 7, 7, 7, 0, 7 } },
		{ 0, 5, { 5, 5, 5, 5, 0, 5 } },
		{ 0, 0, { -1, -1, -1, 0, 0, -1 } },
		{ 0, -1, { -1, -1, -1, 0, 0, -1 } },
		{ 0, -2, { -1, -1, -1, 0, 0, -1 } },
	};
	struct lock_entry entry = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++)
	for (enum pod_status s = POD_UNKNOWN; s <= POD_ERROR; s++) {
		struct cloud_pod pod = { .status = s,
			.cost_known = rows[i].listed >= 0,
			.cost_per_hour = rows[i].listed > 0 ?
			    rows[i].listed : 0 };
		entry.price_per_hour = rows[i].recorded;
		int64_t found = cost_of_pod(rows[i].recorded == -2 ? NULL :
		    &entry, &pod);
		if (found != rows[i].wanted[s])
			fail_msg("row %zu, status %d: %lld", i, (int)s,
			    (long long)found);
	}
	assert_int_equal(cost_of_pod(NULL, NULL), 0);
	struct arena arena = {0};
	assert_null(price_text(&arena, -1).data);
	assert_true(str_is(price_text(&arena, 0), "0"));
	assert_true(str_is(price_text(&arena, 440000), "0.44"));
	assert_true(str_is(price_text(&arena, 1000000), "1"));
	arena_release(&arena);
}

/* A stopped pod that is to start: as it was made, else as it is offered. */
static void
test_plan_cost_of_a_start(void **state)
{
	static const struct {
		int64_t recorded;
		const char *gpu;
		enum cloud_tier tier;
		int64_t count;
		bool catalog;
		int64_t wanted;		/* -1 unknown */
	} rows[] = {
		{ 123, "NVIDIA A40", TIER_SECURE, 1, true, 123 },
		{ 123, "NVIDIA A40", TIER_SECURE, 1, false, 123 },
		{ 0, "NVIDIA A40", TIER_SECURE, 1, true, 400000 },
		{ -1, "NVIDIA A40", TIER_SECURE, 2, true, 800000 },
		{ -1, "NVIDIA RTX A5000", TIER_COMMUNITY, 2, true, 320000 },
		{ -1, "NVIDIA RTX A5000", TIER_SECURE, 1, true, 270000 },
		/* Nobody offers it there; nobody knows it; nobody was asked. */
		{ -1, "NVIDIA A40", TIER_COMMUNITY, 1, true, -1 },
		{ -1, "NVIDIA H200", TIER_SECURE, 1, true, -1 },
		{ -1, "NVIDIA Z9", TIER_SECURE, 1, true, -1 },
		{ -1, "NVIDIA A40", TIER_SECURE, 1, false, -1 },
	};
	struct plan_world *w = *state;

	world_trainer(w, "ignore_drift: [gpu, gpu_count, cloud]");
	world_settle(w);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct lock_entry *had = world_entry(w, "pod.trainer");
		struct cloud_pod *pod = world_pod(w, "pod.trainer");
		had->price_per_hour = rows[i].recorded;
		had->pod.gpu = str_from(rows[i].gpu);
		had->gpu_name = (struct str){0};
		had->pod.tier = rows[i].tier;
		had->pod.gpu_count = rows[i].count;
		pod->status = POD_EXITED;
		w->live.catalog_known = rows[i].catalog;
		/* Whatever the spec says of them is another matter. */
		world_spec(w, arena_printf(&w->arena, "pods: { trainer: { "
		    "image: torch:1, gpu: [NVIDIA A40, NVIDIA RTX A5000, "
		    "NVIDIA H200, NVIDIA Z9], gpu_count: %d, cloud: any, "
		    "ignore_drift: [gpu, gpu_count, cloud] } }\n",
		    (int)rows[i].count).data);
		const char *said = world_plan(w, DUMP_CHANGES | DUMP_ATTRS);
		if (w->plan == NULL || w->plan->changes.n != 1 ||
		    w->plan->changes.items[0].op != PLAN_START)
			fail_msg("row %zu: %s", i, said);
		const struct plan_change *c = &w->plan->changes.items[0];
		assert_int_equal(c->after_per_hour, rows[i].wanted);
		assert_int_equal(c->price_unknown, rows[i].wanted < 0);
		assert_int_equal(w->plan->cost.unknown, rows[i].wanted < 0);
		assert_int_equal(w->plan->cost.before_per_hour, 0);
	}
}

/* A pod's own disk goes on costing while it is stopped, and more. */
static void
test_plan_cost_of_disks_by_state(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	world_entry(w, "pod.trainer")->pod.persistent_gb = 20;
	world_pod(w, "pod.trainer")->config.persistent_gb = 20;
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->cost.storage_per_hour, 2740);
	world_trainer(w, "state: stopped");
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->cost.storage_per_hour, 5479);
	world_pod(w, "pod.trainer")->status = POD_EXITED;
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->cost.storage_per_hour, 5479);
	world_trainer(w, "");
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->cost.storage_per_hour, 2740);
	w->options.mode = PLAN_DESTROY;
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->cost.storage_per_hour, 0);
}

static void
test_plan_cost_of_strangers_is_told_beside(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods: {}\n");
	for (int i = 0; i < 3; i++) {
		struct cloud_pod *pod = world_stray(w, i == 0 ? "a" : i == 1 ?
		    "b" : "c", "pod.x", "00000000000000000000000000000abc");
		pod->mark = (struct str){0};
		pod->config.name = STR("theirs");
		pod->cost_known = i != 1;
		pod->created_at = i == 2 ? STR("2026-11-18T10:06:40Z") :
		    i == 1 ? STR("2027-01-01T00:00:00Z") : STR("never");
	}
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->unmanaged.n, 3);
	assert_int_equal(w->plan->unmanaged.items[1].per_hour, -1);
	assert_int_equal(w->plan->cost.unmanaged_pods, 3);
	assert_int_equal(w->plan->cost.unmanaged_per_hour, 800000);
	/* Of a time that is none, or to come, no age. */
	assert_int_equal(w->plan->unmanaged.items[0].age_ms, -1);
	assert_int_equal(w->plan->unmanaged.items[1].age_ms, -1);
	assert_int_equal(w->plan->unmanaged.items[2].age_ms, 3600000);
}

/* --------------------------------------------------------------- checks -- */

static void
test_plan_protect_by_spec_and_record(void **state)
{
	static const struct {
		const char *kind;
		bool wanted, recorded, kept;
	} rows[] = {
		{ "pod", false, false, false }, { "pod", true, false, true },
		{ "pod", false, true, true }, { "pod", true, true, true },
		{ "volume", false, false, false },
		{ "volume", true, false, true },
		{ "volume", false, true, true },
		{ "volume", true, true, true },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		bool pod = rows[i].kind[0] == 'p';
		world_init(&w);
		world_spec(&w, arena_printf(&w.arena, pod ?
		    "pods: { d: { image: x:1, gpu: A40, protect: %s } }\n" :
		    "volumes: { d: { size: 10GB, data_center: EU-RO-1, "
		    "protect: %s } }\n", rows[i].wanted ? "true" :
		    "false").data);
		world_settle(&w);
		world_entry(&w, pod ? "pod.d" : "volume.d")->protect =
		    rows[i].recorded;
		w.options.mode = PLAN_DESTROY;
		const char *found = world_plan(&w, DUMP_CHANGES | DUMP_CHECKS);
		struct str said = arena_printf(&w.arena, "check warn destroy: "
		    "%s.d is protected and is kept\n", rows[i].kind);
		assert_text(found, rows[i].kept ? said.data : arena_printf(
		    &w.arena, "- %s.d delete_because_destroy !data_loss\n",
		    rows[i].kind).data);
		world_release(&w);
	}
}

/* A pod whose creation failed half-way, and that is only to be stopped. */
static void
test_plan_protect_refuses_what_a_stopped_pod_would_lose(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "protect: true");
	world_settle(w);
	world_entry(w, "pod.trainer")->tainted = true;
	world_spec(w, "pods: { trainer: { image: torch:1, gpu: A40, "
	    "state: stopped, protect: true } }\n");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "- pod.trainer replace_because_tainted !data_loss @2\n"
	    "check fail protect: pod.trainer is protected and would be "
	    "deleted; to let it go, apply `protect: false` first @2\n");
	/* The line is gone, the record is not: told at the pod. */
	world_spec(w, "pods:\n  trainer: { image: torch:1, gpu: A40,\n"
	    "    gpu_count: 2 }\n");
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check fail protect: pod.trainer is protected and would be "
	    "replaced; to let it go, apply `protect: false` first @3\n");
}

static void
test_plan_budget_is_of_plans_that_make(void **state)
{
	struct plan_world *w = *state;
	static const char *const yaml =
	    "settings: { budget: { per_hour: 0.1 } }\n"
	    "pods: { a: { image: x:1, gpu: A40 } }\n";

	world_spec(w, "pods: { a: { image: x:1, gpu: A40 } }\n");
	world_settle(w);
	world_spec(w, yaml);
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check warn budget.hourly: this would cost $0.40 per hour, and the "
	    "budget is $0.10 @2\n");
	w->options.mode = PLAN_DESTROY;
	assert_text(world_plan(w, DUMP_CHECKS), "");
	w->options.mode = PLAN_REFRESH_ONLY;
	assert_text(world_plan(w, DUMP_CHECKS), "");
}

static void
test_plan_balance_that_is_not_told_is_no_warning(void **state)
{
	static const struct { bool known, told; int64_t balance; bool warns; }
	rows[] = {
		{ true, true, 399999, true }, { true, true, 400000, false },
		{ true, false, 0, false }, { false, true, 0, false },
	};
	struct plan_world *w = *state;

	world_trainer(w, "");
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		w->live.account_known = rows[i].known;
		w->live.account.balance_known = rows[i].told;
		w->live.account.balance = rows[i].balance;
		(void)world_plan(w, DUMP_CHECKS);
		assert_int_equal(w->plan->checks.n, rows[i].warns);
	}
}

static void
test_plan_spend_limit_counts_what_is_spent_already(void **state)
{
	static const struct { int64_t spent, limit; bool warns; } rows[] = {
		{ 0, 0, false }, { 0, 400000, false }, { 0, 399999, true },
		{ 1, 400000, true }, { 500000, 900000, false },
		{ 500000, 899999, true }, { 900000, -1, false },
	};
	struct plan_world *w = *state;

	world_trainer(w, "");
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		w->live.account.spend_per_hour = rows[i].spent;
		w->live.account.spend_limit = rows[i].limit;
		(void)world_plan(w, DUMP_CHECKS);
		assert_int_equal(w->plan->checks.n, rows[i].warns);
	}
	/* What is replaced is counted once. */
	world_settle(w);
	world_trainer(w, "gpu_count: 2");
	w->live.account.spend_per_hour = 400000;
	w->live.account.spend_limit = 800000;
	assert_text(world_plan(w, DUMP_CHECKS), "");
	w->live.account.spend_limit--;
	(void)world_plan(w, DUMP_CHECKS);
	assert_int_equal(w->plan->checks.n, 1);
}

/* What somebody locked cannot be stopped, reset or ended. */
static void
test_plan_locked_pod_by_what_would_be_done(void **state)
{
	static const struct { const char *line; bool destroys, warns; } rows[] = {
		{ "", false, false }, { "name: other", false, false },
		{ "args: x", false, true }, { "state: stopped", false, true },
		{ "gpu_count: 2", false, true }, { "", true, true },
		/* Both: its name is edited, and it is to be stopped. */
		{ "name: other, state: stopped", false, true },
		{ "args: x, state: stopped", false, true },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		world_trainer(&w, "");
		world_settle(&w);
		world_pod(&w, "pod.trainer")->locked = true;
		world_spec(&w, arena_printf(&w.arena, "pods: { trainer: { "
		    "image: torch:1, gpu: A40%s%s } }\n",
		    rows[i].line[0] != '\0' ? ", " : "", rows[i].line).data);
		if (rows[i].destroys)
			w.options.mode = PLAN_DESTROY;
		const char *found = world_plan(&w, DUMP_CHECKS);
		if ((strstr(found, "check warn locked: ") != NULL) !=
		    rows[i].warns)
			fail_msg("%s: %s", rows[i].line, found);
		world_release(&w);
	}
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_cost_of_a_pod_by_what_is_told),
		TEST(test_plan_cost_of_a_start),
		TEST(test_plan_cost_of_disks_by_state),
		TEST(test_plan_cost_of_strangers_is_told_beside),
		cmocka_unit_test(test_plan_protect_by_spec_and_record),
		TEST(test_plan_protect_refuses_what_a_stopped_pod_would_lose),
		TEST(test_plan_budget_is_of_plans_that_make),
		TEST(test_plan_balance_that_is_not_told_is_no_warning),
		TEST(test_plan_spend_limit_counts_what_is_spent_already),
		cmocka_unit_test(test_plan_locked_pod_by_what_would_be_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
