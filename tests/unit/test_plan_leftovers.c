/*
 * test_plan_leftovers.c - whose a pod is that no record or spec knows, and what
 * becomes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

#define OP "00000000000000000000000000000abc"

/* --------------------------------------------------------------- leftovers -- */

/* A pod under our mark that nobody remembers. */
static void
test_plan_orphan_by_who_knows_it(void **state)
{
	enum { UNKNOWN, NO_ADDRESS, MOUNTS, PENDING, REFRESHED, GIVEN_AWAY,
		GIVEN_OTHER, EXCLUDED, NO_LINEAGE, NO_LINEAGE_NO_MARK,
		NCASES };
	static const char *const shown[NCASES] = {
		[UNKNOWN] = "- pod.old orphan o delete_because_orphan "
		    "!data_loss\n",
		[NO_ADDRESS] = "-  orphan o delete_because_orphan "
		    "!data_loss\n",
		[MOUNTS] = "- pod.old orphan o delete_because_orphan\n",
		[PENDING] = "", [REFRESHED] = "",
		[GIVEN_AWAY] = "unmanaged pod o\n",
		[GIVEN_OTHER] = "- pod.old orphan o delete_because_orphan "
		    "!data_loss\n",
		[EXCLUDED] = "unmanaged pod o\n",
		[NO_LINEAGE] = "unmanaged pod o other\n",
		[NO_LINEAGE_NO_MARK] = "unmanaged pod o\n",
	};
	(void)state;

	for (int i = 0; i < NCASES; i++) {
		struct plan_world w;
		struct str excluded = STR("pod.old");
		struct lock_op op = { .action = OP_CREATE,
			.address = STR("pod.old"),
			.entry = { .kind = KIND_POD } };
		world_init(&w);
		world_spec(&w, "pods: {}\n");
		struct cloud_pod *pod = world_stray(&w, "o",
		    i == NO_ADDRESS ? "no address" : "pod.old", OP);
		assert_true(id128_parse(STR(OP), &op.op));
		struct lock_entry entry = { .kind = KIND_POD, .op = op.op,
			.address = STR("pod.old"),
			.id = i == GIVEN_OTHER ? STR("z") : STR("o") };
		if (i == MOUNTS)
			pod->config.volume_id = STR("v");
		if (i == PENDING)
			*ARENA_PUSH(&w.arena, &w.lock.pending) = op;
		if (i == REFRESHED)
			w.options.mode = PLAN_REFRESH_ONLY;
		if (i == GIVEN_AWAY || i == GIVEN_OTHER)
			lock_release(&w.arena, &w.lock, &entry, 0);
		if (i == EXCLUDED) {
			entry.id = STR("another");
			entry.op.hex[0] = 'f';
			lock_add_entry(&w.lock, &entry);
			w.options.excludes = &excluded;
			w.options.nexcludes = 1;
		}
		if (i == NO_LINEAGE_NO_MARK) {
			pod->mark = (struct str){0};
			pod->config.name = STR("theirs");
		}
		if (i >= NO_LINEAGE)
			w.lock.lineage = (struct id128){ { 0 } };
		const char *found = world_plan(&w, DUMP_CHANGES |
		    DUMP_UNMANAGED);
		if (strcmp(found, shown[i]) != 0)
			fail_msg("case %d:\n%s", i, found);
		world_release(&w);
	}
}

/* Of its two marks one or the other was taken off or is not the op's. */
static void
test_plan_renamed_pod_is_ours_by_its_op(void **state)
{
	struct plan_world *w = *state;
	struct id128 op;

	world_trainer(w, "");
	world_settle(w);
	struct cloud_pod *pod = world_pod(w, "pod.trainer");
	pod->config.name = STR("mine");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "~ pod.trainer update_because_drift @3\n");
	assert_true(id128_parse(STR(OP), &op));
	pod->mark = mark_env(&w->arena, &w->lock.lineage, &op,
	    STR("pod.trainer"));
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "check fail mark: pod 'pod1' is recorded as pod.trainer but does "
	    "not carry our mark as we wrote it: it is left alone @3\n");
	assert_true(id128_parse(STR("99999999999999999999999999999999"),
	    &op));
	pod->mark = mark_env(&w->arena, &op, &op, STR("pod.trainer"));
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check fail mark: pod 'pod1' is recorded as pod.trainer but does "
	    "not carry our mark, it carries another project's: it is left "
	    "alone @3\n");
}

/* --refresh-only ends nothing that is there, wanted or not. */
static void
test_plan_refresh_only_leaves_what_nobody_wants(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	world_spec(w, "pods: {}\n");
	w->options.mode = PLAN_REFRESH_ONLY;
	assert_text(world_plan(w, DUMP_CHANGES), "");
	assert_int_equal(w->plan->noops, 1);
	assert_int_equal(w->plan->cost.after_per_hour, 400000);
	w->pods.n = 0;
	assert_text(world_plan(w, DUMP_CHANGES), ". pod.trainer gone "
	    "delete_because_no_resource_config\n");
}

/* What a newer podform may have recorded, and this one knows no use for. */
static void
test_plan_recorded_tunnel_is_forgotten(void **state)
{
	struct plan_world *w = *state;
	struct lock_entry entry = { .kind = KIND_TUNNEL,
		.address = STR("tunnel.old"), .price_per_hour = -1 };

	world_spec(w, "pods: {}\n");
	lock_add_entry(&w->lock, &entry);
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    ". tunnel.old gone delete_because_no_resource_config\n");
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_orphan_by_who_knows_it),
		TEST(test_plan_renamed_pod_is_ours_by_its_op),
		TEST(test_plan_refresh_only_leaves_what_nobody_wants),
		TEST(test_plan_recorded_tunnel_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
