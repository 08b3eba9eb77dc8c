/*
 * test_plan_placed.c - where a pod may be made by odd catalogs, what there is
 * without a service, and in which order things are told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

/* ------------------------------------------------------------- placement -- */

static void
test_plan_place_of_odd_catalogs(void **state)
{
	static struct str versions[] = { STR_INIT("12.-x"), STR_INIT("11.8"),
		STR_INIT("99999999999.1") };
	static struct gpu_type gpus[] = {
		{ .id = STR_INIT("G1"), .name = STR_INIT("One"),
		  .community = true, .secure_price = 5, .community_price = 7 },
		{ .id = STR_INIT("G2"), .name = STR_INIT("Two"),
		  .secure = true, .community = true, .secure_price = -1,
		  .community_price = 7 },
		{ .id = STR_INIT("G3"), .name = STR_INIT("Three"),
		  .secure = true, .community = true, .secure_price = 5,
		  .community_price = -1, .cuda = versions, .ncuda = 2 },
		{ .id = STR_INIT("G4"), .name = STR_INIT("Four"),
		  .secure = true, .community = true, .secure_price = 5,
		  .community_price = 5, .cuda = versions + 2, .ncuda = 1 },
		{ .id = STR_INIT("G5"), .name = STR_INIT("Five"),
		  .secure = true, .secure_price = 9, .max_secure = 2 },
	};
	static const struct { const char *pod, *wanted; } rows[] = {
		/* Not in the secure cloud, whatever its price there. */
		{ "gpu: One, cloud: any", "  at: One/community/ 7 ?\n" },
		{ "gpu: One, cloud: secure", NULL },
		/* A price that is not known comes last. */
		{ "gpu: Two, cloud: any", "  at: Two/community/ 7 ?\n"
		    "  at: Two/secure/ -1 ?\n" },
		{ "gpu: Three, cloud: any", "  at: Three/secure/ 5 ?\n"
		    "  at: Three/community/ -1 ?\n" },
		/* The same price: secure first. */
		{ "gpu: Four, cloud: any", "  at: Four/secure/ 5 ?\n"
		    "  at: Four/community/ 5 ?\n" },
		{ "gpu: Five, gpu_count: 2", "  at: Five/secure/ 18 ?\n" },
		{ "gpu: Five, gpu_count: 3", NULL },
		{ "gpu: Three, min_cuda: '12.0'", "  at: Three/secure/ 5 ?\n" },
		{ "gpu: Three, min_cuda: '11.8'", "  at: Three/secure/ 5 ?\n" },
		{ "gpu: Three, min_cuda: '12.1'", NULL },
		{ "gpu: Three, min_cuda: '13.0'", NULL },
		{ "gpu: Four, min_cuda: '12.4'", "  at: Four/secure/ 5 ?\n" },
		{ "gpu: [Five, Four], max_price: 0.000004",
		  "check fail max_price: pod.a would cost at least $0.00 per "
		  "hour, and max_price is $0.00 @2\n" },
		{ "gpu: [Four, Five], max_price: 0.000004",
		  "check fail max_price: pod.a would cost at least $0.00 per "
		  "hour, and max_price is $0.00 @2\n" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		w.live.gpus = gpus;
		w.live.ngpus = COUNTOF(gpus);
		world_spec(&w, arena_printf(&w.arena,
		    "pods: { a: { image: x:1, %s } }", rows[i].pod).data);
		const char *found = world_plan(&w, DUMP_CHANGES |
		    DUMP_CANDIDATES | DUMP_CHECKS);
		const char *wanted = rows[i].wanted;
		if (wanted == NULL)
			wanted = arena_printf(&w.arena, "check fail placement: "
			    "pod.a fits nowhere: no wanted GPU is offered %d "
			    "at a time with this cloud, place and CUDA "
			    "version @2\n", strstr(rows[i].pod,
			    "gpu_count: 3") != NULL ? 3 : 1).data;
		assert_text(found, arena_printf(&w.arena, "+ pod.a @2\n%s",
		    wanted).data);
		world_release(&w);
	}
}

static void
test_plan_place_in_a_catalog_without_places(void **state)
{
	struct plan_world *w = *state;

	w->live.ndata_centers = 0;
	/* A list that did not come makes no place unknown. */
	world_spec(w, "pods: { a: { image: x:1, gpu: A40, "
	    "data_centers: [EU-XX-9] } }");
	assert_text(world_plan(w, DUMP_CHANGES), "+ pod.a @2\n");
	world_spec(w, "pods: { a: { image: x:1, gpu: Z9000, "
	    "regions: [EUROPE, OCEANIA] } }");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "pods.yaml:2:47: error: the catalog has no data center in any of "
	    "these regions [PF0204]\n"
	    "    2 | pods: { a: { image: x:1, gpu: Z9000, regions: [EUROPE, "
	    "OCEANIA] } }\n"
	    "      |                                               ^~~~~~~~~"
	    "~~~~~~~~\n"
	    "pods.yaml:2:31: error: unknown GPU 'Z9000' [PF0203]\n"
	    "    2 | pods: { a: { image: x:1, gpu: Z9000, regions: [EUROPE, "
	    "OCEANIA] } }\n"
	    "      |                               ^~~~~\n"
	    "   hint: `podform gpus` lists what there is\n");
}

/* Each mistake is told, and of what is right nothing. */
static void
test_plan_place_that_is_wrong_hides_no_other_mistake(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods: { a: { image: x:1, gpu: [A40, A401], "
	    "regions: [OCEANIA] } }");
	const char *found = world_plan(w, 0);
	assert_null(w->plan);
	assert_non_null(strstr(found, "the catalog has no data center in this "
	    "region"));
	assert_non_null(strstr(found, "unknown GPU 'A401'"));
	assert_null(strstr(found, "unknown GPU 'A40'"));
}

/* A lock file that was lost: whatever was made for addresses of this spec. */
static void
test_plan_lost_lock_counts_what_was_made(void **state)
{
	static const struct { size_t pods, volumes; bool lost;
		const char *said; } rows[] = {
		{ 0, 0, true, NULL },
		{ 1, 0, false, "check warn lost_lock: nothing is recorded here, "
		    "but 1 thing on the account was made for addresses of this "
		    "spec under another lock file, such as 'p0'" },
		{ 2, 0, false, "but 2 things on the account were made" },
		{ 0, 2, false, "but 2 things on the account were made for "
		    "addresses of this spec under another lock file, such as "
		    "'v0'" },
		{ 2, 2, true, "check fail lost_lock: nothing is recorded here, "
		    "but 4 things" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct id128 other, op;
		world_init(&w);
		assert_true(id128_parse(STR("99999999999999999999999999999999"),
		    &other));
		assert_true(id128_parse(STR("0000000000000000000000000000000b"),
		    &op));
		world_spec(&w, "volumes: { d: { size: 10GB, data_center: "
		    "EU-RO-1 } }\npods: { a: { image: x:1, gpu: A40 } }\n");
		for (size_t k = 0; k < rows[i].pods + 1; k++) {
			struct cloud_pod *pod = world_stray(&w, arena_printf(
			    &w.arena, "p%zu", k).data, "pod.a", op.hex);
			pod->config.name = mark_name(&w.arena, STR("a"),
			    &other, &op);
			pod->mark = mark_env(&w.arena, &other, &op,
			    STR("pod.a"));
			if (k == rows[i].pods)	/* and one that is gone */
				pod->status = POD_TERMINATED;
		}
		for (size_t k = 0; k < rows[i].volumes; k++)
			*ARENA_PUSH(&w.arena, &w.volumes) =
			    (struct cloud_volume){ .id = arena_printf(
				&w.arena, "v%zu", k), .name = mark_name(
				&w.arena, STR("d"), &other, &op) };
		w.options.record_lost = rows[i].lost;
		w.lock.exists = !rows[i].lost;
		const char *found = world_plan(&w, DUMP_CHECKS);
		if (rows[i].said == NULL ? strstr(found, "lost_lock") != NULL :
		    strstr(found, rows[i].said) == NULL)
			fail_msg("row %zu: %s", i, found);
		world_release(&w);
	}
}

/* -------------------------------------------------------------- from lock -- */

/* Without a service what is recorded is what there is. */
static void
test_plan_live_from_the_lock_is_what_is_recorded(void **state)
{
	struct plan_world *w = *state;
	struct live live;

	world_spec(w, "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	    "pods:\n  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40 }\n"
	    "runners: { ci: { pod: a, repository: acme/model } }\n");
	world_settle(w);
	world_entry(w, "pod.b")->stopped = true;
	world_entry(w, "pod.b")->price_per_hour = -1;
	live_from_lock(&w->arena, &w->lock, 77, &live);
	assert_true(live.from_lock && live.pods_known && live.volumes_known);
	assert_false(live.catalog_known || live.account_known ||
	    live.tunnels_known);
	assert_int_equal(live.wall_ms, 77);
	assert_int_equal(live.npods, 2);
	assert_int_equal(live.nvolumes, 1);
	assert_true(str_is(live.pods[0].id, "pod2"));
	assert_int_equal(live.pods[0].status, POD_RUNNING);
	assert_true(live.pods[0].has_runtime && live.pods[0].cost_known);
	assert_int_equal(live.pods[0].cost_per_hour, 400000);
	assert_int_equal(live.pods[1].status, POD_EXITED);
	assert_false(live.pods[1].has_runtime || live.pods[1].cost_known);
	assert_true(str_is(live.volumes[0].id, "vol1"));
	assert_int_equal(live.volumes[0].size_gb, 10);
	w->live = live;
	const struct plan *plan = plan_make(&w->arena, w->spec, &w->lock,
	    &w->live, &w->options, &w->diags);
	assert_int_equal(plan->changes.n, 1);
	assert_int_equal(plan->changes.items[0].op, PLAN_START);
	assert_int_equal(plan->drift.n, 0);
	assert_false(plan->needs_github || plan->needs_catalog);
}

/* ----------------------------------------------------------- their order --- */

/* A listing's order is chance: whatever it is, the plan is the same. */
static void
test_plan_tells_things_in_one_order(void **state)
{
	static const char *const ops[] = { "3", "1", "2" };
	struct plan_world *w = *state;
	struct str first = {0};

	world_spec(w, "pods: { trainer: { image: torch:1, gpu: A40 } }\n"
	    "runners: { ci: { pod: trainer, repository: acme/model } }\n");
	world_settle(w);
	for (int turn = 0; turn < 6; turn++) {
		static const unsigned orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 },
			{ 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
		w->pods.n = 1;
		w->runners.n = 1;
		w->volumes.n = 0;
		w->tunnels.n = 0;
		for (int i = 0; i < 3; i++) {
			unsigned k = orders[turn][i];
			struct id128 op;
			char hex[33];
			memset(hex, ops[k][0], 32);
			hex[32] = '\0';
			assert_true(id128_parse(str_from(hex), &op));
			/* Orphans of one slot, strangers, runners, volumes. */
			world_stray(w, ops[k], "pod.trainer", hex);
			struct cloud_pod *pod = world_stray(w, arena_printf(
			    &w->arena, "s%s", ops[k]).data, "pod.z", hex);
			pod->mark = (struct str){0};
			pod->config.name = STR("z");
			*ARENA_PUSH(&w->arena, &w->runners) =
			    (struct github_runner){ .id = 90 + k,
				.name = mark_name(&w->arena, STR("old"),
				    &w->lock.lineage, &op) };
			*ARENA_PUSH(&w->arena, &w->volumes) =
			    (struct cloud_volume){ .id = arena_printf(
				&w->arena, "v%s", ops[k]), .name = STR("n") };
			/* The holder's are ours to close, whatever they say. */
			*ARENA_PUSH(&w->arena, &w->tunnels) =
			    (struct tunnel_status){ .state = TUNNEL_UP,
				.config = { .address = arena_printf(
				    &w->arena, "not an address %s", ops[k]) } };
		}
		const char *found = world_plan(w, DUMP_CHANGES |
		    DUMP_UNMANAGED);
		if (turn == 0) {
			first = arena_str(&w->arena, str_from(found));
			assert_text(found,
			    "- pod.trainer orphan 1 delete_because_orphan "
			    "!data_loss\n"
			    "- pod.trainer orphan 2 delete_because_orphan "
			    "!data_loss\n"
			    "- pod.trainer orphan 3 delete_because_orphan "
			    "!data_loss\n"
			    "- runner.old orphan 90 delete_because_orphan\n"
			    "- runner.old orphan 91 delete_because_orphan\n"
			    "- runner.old orphan 92 delete_because_orphan\n"
			    "- not an address 1 "
			    "delete_because_no_resource_config\n"
			    "- not an address 2 "
			    "delete_because_no_resource_config\n"
			    "- not an address 3 "
			    "delete_because_no_resource_config\n"
			    "unmanaged pod s1\nunmanaged pod s2\n"
			    "unmanaged pod s3\n"
			    "unmanaged volume v1\nunmanaged volume v2\n"
			    "unmanaged volume v3\n");
		}
		assert_text(found, first.data);
	}
}

/* What is left of a replacement is told after what is wanted. */
static void
test_plan_tells_deposed_after_wanted(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	struct lock_entry rest = *world_entry(w, "pod.trainer");
	struct id128 op = rest.op;
	op.hex[0] = '7';
	rest.op = op;
	rest.deposed = true;
	for (int i = 0; i < 2; i++) {
		rest.id = i == 0 ? STR("zz") : STR("aa");
		*ARENA_PUSH(&w->arena, &w->lock.entries) = rest;
	}
	world_pod(w, "pod.trainer")->config.disk_gb = 99;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_DRIFT),
	    "~ pod.trainer restarts update_because_drift !container_reset "
	    "@3\n"
	    ". pod.trainer deposed gone delete_because_deposed\n"
	    ". pod.trainer deposed gone delete_because_deposed\n"
	    "drift pod.trainer gone\n"
	    "drift pod.trainer\n"
	    "  disk: \"20GB\" -> \"99GB\" restart drift @3\n"
	    "drift pod.trainer gone\n");
	assert_true(str_is(w->plan->changes.items[1].have->id, "aa"));
	assert_true(str_is(w->plan->changes.items[2].have->id, "zz"));
}

/* Things that a plan is bound to: any of them makes it another one. */
static void
test_plan_digest_is_of_serial_and_lineage(void **state)
{
	struct plan_world *w = *state;
	static const int64_t serials[] = { 1, 2, -2, INT64_MAX, INT64_MIN, 0 };
	struct str seen[COUNTOF(serials)];

	world_trainer(w, "");
	for (size_t i = 0; i < COUNTOF(serials); i++) {
		w->lock.serial = serials[i];
		(void)world_plan(w, 0);
		seen[i] = plan_digest(&w->arena, w->plan);
		assert_true(str_eq(seen[i], plan_digest(&w->arena, w->plan)));
		for (size_t k = 0; k < i; k++)
			assert_false(str_eq(seen[i], seen[k]));
	}
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_place_of_odd_catalogs),
		TEST(test_plan_place_in_a_catalog_without_places),
		TEST(test_plan_place_that_is_wrong_hides_no_other_mistake),
		cmocka_unit_test(test_plan_lost_lock_counts_what_was_made),
		TEST(test_plan_live_from_the_lock_is_what_is_recorded),
		TEST(test_plan_tells_things_in_one_order),
		TEST(test_plan_tells_deposed_after_wanted),
		TEST(test_plan_digest_is_of_serial_and_lineage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
