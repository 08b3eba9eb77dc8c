/* test_plan_policy.c - protection, budget, balance, targets, destroy */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "plan_world.h"

/* --------------------------------------------------------- protection -- */

static void
test_plan_protect_refuses_deleting_and_replacing(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, protect: true }\n"
	    "  b: { image: x:1, gpu: A40, protect: true }\n");
	world_settle(w);
	world_spec(w, "pods:\n"
	    "  b: { image: x:1, gpu: RTX A5000, protect: true }\n");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "- pod.a delete_because_no_resource_config !data_loss\n"
	    "-/+ pod.b replace_because_cannot_update !container_reset "
	    "!data_loss @3\n"
	    "check fail protect: pod.a is protected and would be deleted; to "
	    "let it go, put it back with `protect: false` and apply that "
	    "first\n"
	    "check fail protect: pod.b is protected and would be replaced; to "
	    "let it go, apply `protect: false` first @3\n");
	assert_true(plan_has_failed_check(w->plan));
}

static void
test_plan_protect_is_taken_away_by_a_plan_of_its_own(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "protect: true");
	world_settle(w);
	assert_true(world_entry(w, "pod.trainer")->protect);
	/* Both at once is refused: the line outlives the block. */
	world_trainer(w, "gpu_count: 2");
	(void)world_plan(w, 0);
	assert_true(plan_has_failed_check(w->plan));
	world_trainer(w, "");
	assert_text(world_plan(w, DUMP_ALL),
	    "cost 400000 -> 400000, worst 400000, storage 0\n"
	    "add 0, change 0, destroy 0, start 0, stop 0, forget 0; 1 same, "
	    "1 kept, empty\n");
	world_settle(w);
	assert_false(world_entry(w, "pod.trainer")->protect);
	world_trainer(w, "gpu_count: 2");
	(void)world_plan(w, 0);
	assert_false(plan_has_failed_check(w->plan));
}

static const char *const with_volume =
    "volumes: { d: { size: 100GB, data_center: EU-RO-1 } }\n"
    "pods:\n"
    "  a: { image: x:1, gpu: A40, network_volume: { volume: d, path: /w }%s "
    "}\n"
    "  b: { image: x:1, gpu: A40 }\n";

static void
spec_with_volume(struct plan_world *w, const char *more)
{
	struct strbuf text = {0};
	struct str format = str_from(with_volume), rest;

	strbuf_add(&text, str_cut(format, '%', &rest));
	strbuf_adds(&text, more);
	strbuf_add(&text, str_sub(rest, 1, rest.len));
	world_spec(w, text.data);
	strbuf_release(&text);
}

static void
test_plan_destroy_takes_all_but_what_is_protected(void **state)
{
	struct plan_world *w = *state;

	spec_with_volume(w, "");
	world_settle(w);
	w->options.mode = PLAN_DESTROY;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS | DUMP_ACTIONS |
	    DUMP_COST),
	    "- pod.a delete_because_destroy\n"
	    "- pod.b delete_because_destroy !data_loss\n"
	    "- volume.d delete_because_destroy !data_loss\n"
	    "do 0 delete pod.a\n"
	    "do 1 delete pod.b\n"
	    "do 2 delete volume volume.d after 0\n"
	    "cost 800000 -> 0, worst 0, storage 0\n");
	/* Without a spec as well. */
	w->spec = NULL;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "- pod.a delete_because_destroy\n"
	    "- pod.b delete_because_destroy !data_loss\n"
	    "- volume.d delete_because_destroy !data_loss\n");
	world_entry(w, "pod.a")->protect = true;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "- pod.b delete_because_destroy !data_loss\n"
	    "check warn destroy: pod.a is protected and is kept\n"
	    "check warn destroy: volume.d is kept: pod.a stays and uses it\n");
	assert_false(plan_has_failed_check(w->plan));
}

static void
test_plan_locked_pod_is_warned_about_when_it_would_restart(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	world_pod(w, "pod.trainer")->locked = true;
	world_trainer(w, "name: other");
	assert_text(world_plan(w, DUMP_CHECKS), "");
	world_trainer(w, "args: other");
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check warn locked: pod.trainer is locked in the console and "
	    "cannot be stopped or restarted until somebody unlocks pod "
	    "'pod1' @6\n");
}

static void
test_plan_locked_pod_is_warned_about_when_it_would_end(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	world_pod(w, "pod.trainer")->locked = true;
	w->options.mode = PLAN_DESTROY;
	w->spec = NULL;
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check warn locked: pod.trainer is locked in the console and "
	    "cannot be ended until somebody unlocks pod 'pod1'\n");
}

static void
test_plan_unknown_status_changes_nothing(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	world_pod(w, "pod.trainer")->status = POD_UNKNOWN;
	world_pod(w, "pod.trainer")->status_text = STR("MIGRATING");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS), "");
	world_trainer(w, "args: other");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "check fail status: pod.trainer has a status that this podform "
	    "does not know, 'MIGRATING': pod 'pod1' is left alone @3\n");
	world_trainer(w, "state: stopped");
	assert_text(world_plan(w, DUMP_CHANGES), "");
	assert_true(plan_has_failed_check(w->plan));
}

/* ------------------------------------------------------------- budget -- */

static void
test_plan_budget_refuses_what_costs_more(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "settings: { budget: { per_hour: 0.50 } }\n"
	    "pods: { a: { image: x:1, gpu: A40, gpu_count: 2 } }\n");
	assert_text(world_plan(w, DUMP_CHECKS | DUMP_COST),
	    "check fail budget.hourly: this would cost $0.80 per hour, and "
	    "the budget is $0.50 @2\n"
	    "cost 0 -> 800000, worst 800000, storage 0\n");
	world_spec(w, "settings: { budget: { per_hour: 0.80 } }\n"
	    "pods: { a: { image: x:1, gpu: A40, gpu_count: 2 } }\n");
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check pass budget.hourly: $0.80 of $0.80 per hour @2\n");
	/* A plan that only lowers the cost is possible above it. */
	world_settle(w);
	world_spec(w, "settings: { budget: { per_hour: 0.10 } }\n"
	    "pods: { a: { image: x:1, gpu: A40, gpu_count: 2, "
	    "args: x } }\n");
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check warn budget.hourly: this would cost $0.80 per hour, and "
	    "the budget is $0.10 @2\n");
}

static void
test_plan_budget_warns_of_the_worst_candidate(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "settings: { budget: { per_hour: 0.30 } }\n"
	    "pods: { a: { image: x:1, gpu: [RTX A5000, A40], cloud: any } "
	    "}\n");
	assert_text(world_plan(w, DUMP_CHECKS | DUMP_COST | DUMP_CANDIDATES |
	    DUMP_CHANGES),
	    "+ pod.a @3\n"
	    "  at: RTX A5000/community/ 160000 low\n"
	    "  at: RTX A5000/secure/ 270000 low\n"
	    "  at: A40/secure/ 400000 high\n"
	    "check warn budget.hourly: this costs $0.40 per hour if the last "
	    "candidates are taken, and the budget is $0.30 @2\n"
	    "cost 0 -> 160000, worst 400000, storage 0\n");
}

static void
test_plan_budget_counts_an_unknown_price_as_over(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "settings: { budget: { per_hour: 9 } }\n"
	    "pods: { a: { image: x:1, gpu: H200 SXM } }\n");
	assert_text(world_plan(w, DUMP_CHECKS | DUMP_COST),
	    "check warn stock: no GPU that pod.a asks for is in stock now, "
	    "so creating it may fail @3\n"
	    "check fail budget.hourly: a price is not known, and an unknown "
	    "price is over the budget of $9.00 @2\n"
	    "cost 0 -> 0, worst 0, storage 0, unknown\n");
	w->live.catalog_known = false;
	assert_text(world_plan(w, DUMP_CHECKS | DUMP_COST),
	    "check warn budget.hourly: prices were not read, so the budget "
	    "of $9.00 is not checked @2\n"
	    "cost 0 -> 0, worst 0, storage 0, unknown\n");
	assert_true(w->plan->needs_catalog);
}

/* CI lost the lock file: what it made last time is still there. */
static void
test_plan_lost_lock_is_suspected_when_the_addresses_are_taken(void **state)
{
	struct plan_world *w = *state;
	struct id128 other, op;
	struct cloud_pod *pod;

	assert_true(id128_parse(STR("00000000000000000000000000000007"),
	    &other));
	assert_true(id128_parse(STR("0000000000000000000000000000000b"),
	    &op));
	world_trainer(w, "");
	pod = world_stray(w, "cousin", "pod.trainer", op.hex);
	pod->config.name = mark_name(&w->arena, STR("trainer"), &other, &op);
	pod->mark = mark_env(&w->arena, &other, &op, STR("pod.trainer"));
#define LOST "lost_lock: nothing is recorded here, but 1 thing on the " \
	    "account was made for addresses of this spec under another lock " \
	    "file, such as 'cousin'; if that lock file was lost, put it " \
	    "back before anything is done"
	assert_text(world_plan(w, DUMP_CHECKS), "check warn " LOST "\n");
	/* There was a run here: certain enough to refuse. */
	w->options.record_lost = true;
	w->lock.exists = false;
	for (int mode = PLAN_NORMAL; mode <= PLAN_DESTROY; mode++) {
		w->options.mode = (enum plan_mode)mode;
		assert_text(world_plan(w, DUMP_CHECKS), "check fail " LOST
		    "; if it is another project's, podform init says that "
		    "this is a new one\n");
	}
	w->options.mode = PLAN_NORMAL;
	w->lock.exists = true;
	assert_text(world_plan(w, DUMP_CHECKS), "check warn " LOST "\n");
	pod->mark = mark_env(&w->arena, &other, &op, STR("pod.elsewhere"));
	assert_text(world_plan(w, DUMP_CHECKS), "");
	pod->mark = mark_env(&w->arena, &other, &op, STR("pod.trainer"));
	pod->status = POD_TERMINATED;
	assert_text(world_plan(w, DUMP_CHECKS), "");
	pod->status = POD_EXITED;
	struct cloud_pod *second = world_stray(w, "second", "pod.trainer",
	    op.hex);
	second->config.name = w->pods.items[0].config.name;
	second->mark = w->pods.items[0].mark;
	assert_non_null(strstr(world_plan(w, DUMP_CHECKS), "but 2 things on "
	    "the account were made for addresses of this spec under another "
	    "lock file, such as 'cousin';"));
	/* The record alone tells nothing of it. */
	w->live.from_lock = true;
	assert_null(strstr(world_plan(w, DUMP_CHECKS), "lost_lock"));
	w->live.from_lock = false;
	w->pods.n = 0;
	/* A volume says it by its name. */
	world_spec(w, "volumes: { v: { size: 10GB, data_center: EU-RO-1 } }");
	*ARENA_PUSH(&w->arena, &w->volumes) = (struct cloud_volume){
		.id = STR("cousin"), .size_gb = 10,
		.data_center = STR("EU-RO-1"),
		.name = mark_name(&w->arena, STR("v"), &other, &op) };
	assert_text(world_plan(w, DUMP_CHECKS), "check warn " LOST "\n");
	w->volumes.items[0].name = mark_name(&w->arena, STR("w"), &other,
	    &op);
	assert_text(world_plan(w, DUMP_CHECKS), "");
}

static void
test_plan_balance_below_an_hour_is_warned_about(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	w->live.account.balance = 300000;
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check warn balance: the balance of $0.30 does not last for an "
	    "hour at $0.40 per hour\n");
	w->live.account.balance = 9 * MICROUSD;
	w->live.account.spend_per_hour = 500000;
	w->live.account.spend_limit = 800000;
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check warn spend_limit: the account would spend $0.90 per hour, "
	    "and its limit at the service is $0.80\n");
	w->live.account_known = false;
	assert_text(world_plan(w, DUMP_CHECKS), "");
	assert_true(w->plan->needs_account);
	world_apply(w);
	(void)world_plan(w, 0);
	assert_false(w->plan->needs_account);
	assert_false(w->plan->needs_catalog);
}

static void
test_plan_cost_counts_storage_by_the_month(void **state)
{
	struct plan_world *w = *state;

	assert_int_equal(price_volume(100, false), 9589);
	assert_int_equal(price_volume(1000, false), 95890);
	assert_int_equal(price_volume(2000, false), 164384);
	assert_int_equal(price_volume(100, true), -1);
	assert_int_equal(price_persistent_disk(20, true), 2740);
	assert_int_equal(price_persistent_disk(20, false), 5479);
	spec_with_volume(w, "");
	assert_text(world_plan(w, DUMP_COST),
	    "cost 0 -> 800000, worst 800000, storage 9589\n");
	world_settle(w);
	assert_text(world_plan(w, DUMP_COST),
	    "cost 800000 -> 800000, worst 800000, storage 9589\n");
	/* A pod that starts is listed at nothing at first. */
	world_pod(w, "pod.b")->status = POD_PROVISIONING;
	world_pod(w, "pod.b")->cost_per_hour = 0;
	assert_text(world_plan(w, DUMP_COST),
	    "cost 800000 -> 800000, worst 800000, storage 9589\n");
	world_pod(w, "pod.b")->status = POD_EXITED;
	assert_text(world_plan(w, DUMP_COST),
	    "cost 400000 -> 800000, worst 800000, storage 9589\n");
	world_pod(w, "pod.b")->status = POD_RUNNING;
	world_pod(w, "pod.b")->cost_known = false;
	world_entry(w, "pod.b")->price_per_hour = -1;
	assert_text(world_plan(w, DUMP_COST),
	    "cost 400000 -> 400000, worst 400000, storage 9589, unknown\n");
}

/* ------------------------------------------------------------ targets -- */

static void
target(struct plan_world *w, const char *target, const char *exclude,
    const char *replace)
{
	static struct str texts[3];
	texts[0] = str_from(target);
	texts[1] = str_from(exclude);
	texts[2] = str_from(replace);
	w->options.targets = &texts[0];
	w->options.ntargets = target != NULL;
	w->options.excludes = &texts[1];
	w->options.nexcludes = exclude != NULL;
	w->options.replaces = &texts[2];
	w->options.nreplaces = replace != NULL;
}

static void
test_plan_target_takes_what_it_needs_and_no_more(void **state)
{
	struct plan_world *w = *state;

	spec_with_volume(w, "");
	target(w, "pod.a", NULL, NULL);
	assert_text(world_plan(w, DUMP_CHANGES),
	    "+ pod.a @4\n+ volume.d @2\n");
	target(w, "volume.d", NULL, NULL);
	assert_text(world_plan(w, DUMP_CHANGES), "+ volume.d @2\n");
	target(w, NULL, "volume.d", NULL);
	assert_text(world_plan(w, DUMP_CHANGES), "+ pod.b @5\n");
	target(w, NULL, "b", NULL);
	assert_text(world_plan(w, DUMP_CHANGES),
	    "+ pod.a @4\n+ volume.d @2\n");
	target(w, "pod.bb", NULL, NULL);
	assert_text(world_plan(w, DUMP_ALL),
	    "error: cannot target 'pod.bb': there is no such thing in the "
	    "spec or the lock file [PF0202]\n"
	    "   hint: did you mean 'pod.b'?\n");
	assert_null(w->plan);
}

static void
test_plan_target_without_a_number_covers_replicas(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, replicas: 2 }\n"
	    "  b: { image: x:1, gpu: A40 }\n");
	target(w, "pod.a", NULL, NULL);
	assert_text(world_plan(w, DUMP_CHANGES),
	    "+ pod.a[0] @3\n+ pod.a[1] @3\n");
	target(w, "pod.a[1]", NULL, NULL);
	assert_text(world_plan(w, DUMP_CHANGES), "+ pod.a[1] @3\n");
	target(w, NULL, NULL, NULL);
	world_settle(w);
	w->options.mode = PLAN_DESTROY;
	target(w, "pod.a", NULL, NULL);
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_COST),
	    "- pod.a[0] delete_because_destroy !data_loss\n"
	    "- pod.a[1] delete_because_destroy !data_loss\n"
	    "cost 1200000 -> 400000, worst 400000, storage 0\n");
}

/* A volume cannot be deleted from under its pods. */
static void
test_plan_target_of_a_destroyed_volume_takes_its_pods(void **state)
{
	struct plan_world *w = *state;

	spec_with_volume(w, "");
	world_settle(w);
	w->options.mode = PLAN_DESTROY;
	target(w, "volume.d", NULL, NULL);
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "- pod.a delete_because_destroy\n"
	    "- volume.d delete_because_destroy !data_loss\n"
	    "do 0 delete pod.a\n"
	    "do 1 delete volume volume.d after 0\n");
	target(w, NULL, "pod.a", NULL);
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "- pod.b delete_because_destroy !data_loss\n"
	    "check warn destroy: volume.d is kept: pod.a stays and uses it\n");
	/* Nor from under those of others. */
	target(w, NULL, NULL, NULL);
	struct cloud_pod *stray = world_stray(w, "theirs", "pod.z",
	    "0123456789abcdef0123456789abcdef");
	stray->config.name = STR("theirs");
	stray->mark = (struct str){0};
	stray->config.volume_id = world_entry(w, "volume.d")->id;
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check fail in_use: volume.d would be deleted while pod 'theirs' "
	    "mounts it\n");
}

static void
test_plan_replace_is_done_when_asked_for(void **state)
{
	struct plan_world *w = *state;

	spec_with_volume(w, "");
	world_settle(w);
	target(w, NULL, NULL, "pod.a");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "-/+ pod.a replace_by_request !container_reset @4\n"
	    "do 0 delete pod.a\n"
	    "do 1 create pod.a after 0\n"
	    "do 2 await running pod.a after 1\n"
	    "do 3 await ssh pod.a after 2\n");
	/* One that was imported under another name does not keep that. */
	struct lock_entry *have = world_entry(w, "pod.a");
	have->op.hex[0] = '\0';
	have->pod.name = w->live.pods[0].config.name = STR("by-hand");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ATTRS),
	    "-/+ pod.a replace_by_request !container_reset @4\n"
	    "  name: \"by-hand\" -> \"a\" edit @4\n");
	target(w, NULL, NULL, "volume.d");
	assert_text(world_plan(w, DUMP_ALL),
	    "pods.yaml:2:12: error: cannot replace volume.d: its data would "
	    "be lost [PF0208]\n"
	    "    2 | volumes: { d: { size: 100GB, data_center: EU-RO-1 } }\n"
	    "      |            ^\n");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

/* A replacement destroys what was there; none may be allowed at all. */
static void
test_plan_deletions_have_a_limit(void **state)
{
	static const struct {
		bool limit;
		int64_t most;
		const char *says;
	} rows[] = {
		{ false, 0, "" },
		{ true, 2, "check pass max_deletes: 2 of 2 may be "
		    "destroyed\n" },
		{ true, 1, "check fail max_deletes: 2 things would be "
		    "destroyed, and --max-deletes allows 1\n" },
		{ true, 0, "check fail max_deletes: 2 things would be "
		    "destroyed, and --max-deletes allows 0\n" },
	};
	struct plan_world *w = *state;

	world_spec(w, "pods:\n"
	    "  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40 }\n");
	world_settle(w);
	world_spec(w, "pods:\n  b: { image: x:1, gpu: RTX A5000 }\n");
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		w->options.limit_deletes = rows[i].limit;
		w->options.max_deletes = rows[i].most;
		assert_text(world_plan(w, DUMP_CHECKS), rows[i].says);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plan_protect_refuses_deleting_and_replacing),
		TEST(test_plan_deletions_have_a_limit),
		TEST(test_plan_protect_is_taken_away_by_a_plan_of_its_own),
		TEST(test_plan_destroy_takes_all_but_what_is_protected),
		TEST(
		test_plan_locked_pod_is_warned_about_when_it_would_restart),
		TEST(test_plan_locked_pod_is_warned_about_when_it_would_end),
		TEST(test_plan_unknown_status_changes_nothing),
		TEST(test_plan_budget_refuses_what_costs_more),
		TEST(test_plan_budget_warns_of_the_worst_candidate),
		TEST(test_plan_budget_counts_an_unknown_price_as_over),
		TEST(
		    test_plan_lost_lock_is_suspected_when_the_addresses_are_taken),
		TEST(test_plan_balance_below_an_hour_is_warned_about),
		TEST(test_plan_cost_counts_storage_by_the_month),
		TEST(test_plan_target_takes_what_it_needs_and_no_more),
		TEST(test_plan_target_without_a_number_covers_replicas),
		TEST(test_plan_target_of_a_destroyed_volume_takes_its_pods),
		TEST(test_plan_replace_is_done_when_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
