/* test_plan.c - pods and volumes come, stay, change and go */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

static void
test_plan_creates_a_pod_and_then_nothing(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	assert_text(world_plan(w, DUMP_ALL),
	    "+ pod.trainer @3\n"
	    "  name: - -> \"trainer\" edit @3\n"
	    "  image: - -> \"torch:1\" edit @4\n"
	    "  gpu.type: - -> \"A40\" edit @5\n"
	    "  gpu_count: - -> 1 edit @3\n"
	    "  cloud: - -> \"secure\" edit @3\n"
	    "  disk: - -> \"20GB\" edit @3\n"
	    "  ports: - -> [\"22/tcp\"] edit @3\n"
	    "  at: A40/secure/ 400000 high\n"
	    "do 0 create pod.trainer\n"
	    "do 1 await running pod.trainer after 0\n"
	    "do 2 await ssh pod.trainer after 1\n"
	    "cost 0 -> 400000, worst 400000, storage 0\n"
	    "add 1, change 0, destroy 0, start 0, stop 0, forget 0; "
	    "0 same, 0 kept\n");
	world_settle(w);
}


/* ------------------------------------------------------------ replicas -- */

static void
replicas(struct plan_world *w, const char *n)
{
	world_trainer(w, arena_printf(&w->arena, "replicas: %s", n).data);
}

static void
test_plan_replicas_keep_the_first_when_they_grow(void **state)
{
	struct plan_world *w = *state;

	replicas(w, "1");
	world_settle(w);
	replicas(w, "3");
	assert_text(world_plan(w, DUMP_ALL & ~DUMP_ATTRS),
	    "+ pod.trainer[1] @3\n"
	    "  at: A40/secure/ 400000 high\n"
	    "+ pod.trainer[2] @3\n"
	    "  at: A40/secure/ 400000 high\n"
	    "do 0 create pod.trainer[1]\n"
	    "do 1 await running pod.trainer[1] after 0\n"
	    "do 2 await ssh pod.trainer[1] after 1\n"
	    "do 3 create pod.trainer[2]\n"
	    "do 4 await running pod.trainer[2] after 3\n"
	    "do 5 await ssh pod.trainer[2] after 4\n"
	    "cost 400000 -> 1200000, worst 1200000, storage 0\n");
	assert_int_equal(w->plan->keeps.n, 1);
	assert_true(str_is(w->plan->keeps.items[0].have->address,
	    "pod.trainer"));
	assert_true(str_is(w->plan->keeps.items[0].entry->address,
	    "pod.trainer[0]"));
	world_settle(w);
	assert_true(str_is(world_entry(w, "pod.trainer[0]")->id, "pod1"));
	assert_true(str_starts(world_entry(w, "pod.trainer[2]")->pod.name,
	    STR("trainer-2-pf")));

	replicas(w, "1");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS | DUMP_COST),
	    "- pod.trainer[1] delete_because_count_index !data_loss\n"
	    "- pod.trainer[2] delete_because_count_index !data_loss\n"
	    "do 0 delete pod.trainer[1]\n"
	    "do 1 delete pod.trainer[2]\n"
	    "cost 1200000 -> 400000, worst 400000, storage 0\n");
	world_settle(w);
	assert_true(str_is(world_entry(w, "pod.trainer")->id, "pod1"));
}

static void
test_plan_replicas_are_ordered_by_number(void **state)
{
	struct plan_world *w = *state;

	replicas(w, "12");
	(void)world_plan(w, 0);
	for (size_t i = 0; i < w->plan->changes.n; i++)
		assert_int_equal(w->plan->changes.items[i].key, i);
}

/* A first replica that has to change is changed under its new address. */
static void
test_plan_replicas_change_the_first_while_they_grow(void **state)
{
	struct plan_world *w = *state;

	replicas(w, "1");
	world_settle(w);
	world_spec(w, "pods: { trainer: { image: torch:2, gpu: A40, "
	    "replicas: 2 } }");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "~ pod.trainer[0] restarts !container_reset @2\n"
	    "+ pod.trainer[1] @2\n");
	world_settle(w);
}

/* ----------------------------------------------------------- coming ----- */

static void
test_plan_stopped_pod_is_not_made_to_be_stopped(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "state: stopped");
	assert_text(world_plan(w, DUMP_ALL),
	    "check pass state: pod.trainer is not created: it would only be "
	    "stopped @6\n"
	    "cost 0 -> 0, worst 0, storage 0\n"
	    "add 0, change 0, destroy 0, start 0, stop 0, forget 0; 1 same, "
	    "0 kept, empty\n");
	/* Nor is one that was stopped and went away. */
	world_trainer(w, "");
	world_settle(w);
	world_trainer(w, "state: stopped");
	world_settle(w);
	w->pods.n = 0;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    ". pod.trainer gone forget_because_lost @3\n"
	    "do 0 confirm gone pod.trainer\n");
}

static void
test_plan_stopped_pod_waits_with_its_replacement(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	world_spec(w, "pods: { trainer: { image: torch:1, gpu: RTX A5000, "
	    "state: stopped } }");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS | DUMP_ACTIONS),
	    "v pod.trainer stop_because_desired !container_reset "
	    "!gpu_not_guaranteed @2\n"
	    "check warn state: pod.trainer needs a new pod, which waits until "
	    "its state is running @2\n"
	    "do 0 stop pod.trainer\n");
	world_apply(w);
	assert_text(world_plan(w, DUMP_CHANGES), "");
	world_spec(w, "pods: { trainer: { image: torch:1, "
	    "gpu: RTX A5000 } }");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "-/+ pod.trainer replace_because_cannot_update !container_reset "
	    "!data_loss @2\n");
	world_settle(w);
}

static void
test_plan_stopped_pod_starts_with_its_changes(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	world_trainer(w, "state: stopped");
	world_settle(w);
	world_trainer(w, "args: x");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS | DUMP_COST),
	    "~ pod.trainer restarts and start !gpu_not_guaranteed @6\n"
	    "do 0 update pod.trainer\n"
	    "do 1 start pod.trainer after 0\n"
	    "do 2 await running pod.trainer after 1\n"
	    "do 3 await ssh pod.trainer after 2\n"
	    "cost 0 -> 400000, worst 400000, storage 0\n");
	world_settle(w);
}

/* ------------------------------------------------------------- going ---- */

static void
test_plan_deletes_come_last_behind_one_barrier(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	    "pods:\n"
	    "  a: { image: x:1, gpu: A40, network_volume: { volume: d, "
	    "path: /w } }\n"
	    "  b: { image: x:1, gpu: A40 }\n");
	world_settle(w);
	world_spec(w, "volumes: { e: { size: 10GB, data_center: EU-RO-1 } }\n"
	    "pods:\n"
	    "  c: { image: x:1, gpu: A40, network_volume: { volume: e, "
	    "path: /w } }\n"
	    "  b: { image: x:2, gpu: A40 }\n");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "- pod.a delete_because_no_resource_config\n"
	    "~ pod.b restarts !container_reset @5\n"
	    "+ pod.c @4\n"
	    "- volume.d delete_because_no_resource_config !data_loss\n"
	    "+ volume.e @2\n"
	    "do 0 create volume volume.e\n"
	    "do 1 update pod.b\n"
	    "do 2 await running pod.b after 1\n"
	    "do 3 await ssh pod.b after 2\n"
	    "do 4 create pod.c after 0\n"
	    "do 5 await running pod.c after 4\n"
	    "do 6 await ssh pod.c after 5\n"
	    "do 7 barrier after 0,3,6\n"
	    "do 8 delete pod.a after 7\n"
	    "do 9 delete volume volume.d after 7,8\n");
	world_settle(w);
}

static void
test_plan_create_first_deletes_the_old_one_last(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "replace: create_first");
	world_settle(w);
	world_spec(w, "pods: { trainer: { image: torch:1, gpu: RTX A5000, "
	    "replace: create_first } }");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "+/- pod.trainer replace_because_cannot_update !container_reset "
	    "!double_billing @2\n"
	    "do 0 create pod.trainer\n"
	    "do 1 await running pod.trainer after 0\n"
	    "do 2 await ssh pod.trainer after 1\n"
	    "do 3 barrier after 2\n"
	    "do 4 delete pod.trainer after 3\n");
	assert_string_equal(w->plan->changes.items[0].undo, "terminate");
}

static void
test_plan_lost_pod_is_confirmed_gone_before_its_create(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	w->pods.items[0].status = POD_TERMINATED;
	assert_text(world_plan(w, DUMP_ACTIONS),
	    "do 0 create pod.trainer\n"
	    "do 1 await running pod.trainer after 0\n"
	    "do 2 await ssh pod.trainer after 1\n");
	w->pods.n = 0;
	assert_text(world_plan(w, DUMP_ACTIONS),
	    "do 0 confirm gone pod.trainer\n"
	    "do 1 create pod.trainer after 0\n"
	    "do 2 await running pod.trainer after 1\n"
	    "do 3 await ssh pod.trainer after 2\n");
	world_spec(w, "pods: { other: { image: x:1, gpu: A40 } }");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "+ pod.other @2\n"
	    ". pod.trainer gone delete_because_no_resource_config\n"
	    "do 0 create pod.other\n"
	    "do 1 await running pod.other after 0\n"
	    "do 2 await ssh pod.other after 1\n"
	    "do 3 confirm gone pod.trainer\n");
}

static void
test_plan_tainted_and_deposed_entries_are_cleared_away(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	world_entry(w, "pod.trainer")->tainted = true;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "-/+ pod.trainer replace_because_tainted !container_reset "
	    "!data_loss @3\n");
	/* That it is stopped makes it no start. */
	w->pods.items[0].status = POD_EXITED;
	if (strstr(world_plan(w, DUMP_ALL),
	    "add 1, change 0, destroy 1, start 0, stop 0") == NULL)
		fail_msg("%s", world_plan(w, DUMP_ALL));
	w->pods.items[0].status = POD_RUNNING;
	world_entry(w, "pod.trainer")->tainted = false;
	world_entry(w, "pod.trainer")->deposed = true;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "+ pod.trainer @3\n"
	    "- pod.trainer deposed delete_because_deposed !data_loss\n"
	    "do 0 delete pod.trainer\n"
	    "do 1 create pod.trainer after 0\n"
	    "do 2 await running pod.trainer after 1\n"
	    "do 3 await ssh pod.trainer after 2\n");
}

/* ---------------------------------------------------------- not ours ---- */

#define OP_A "00000000000000000000000000000abc"
#define OP_B "11111111111111111111111111111111"

static void
test_plan_orphans_go_and_strangers_are_only_shown(void **state)
{
	struct plan_world *w = *state;
	struct cloud_pod *pod;

	world_trainer(w, "");
	world_settle(w);
	(void)world_stray(w, "double", "pod.trainer", OP_A);
	(void)world_stray(w, "nobody", "pod.old[3]", OP_B);
	pod = world_stray(w, "renamed", "pod.trainer", OP_B);
	pod->config.name = STR("mine now");
	pod = world_stray(w, "envless", "pod.trainer", OP_B);
	pod->mark = (struct str){0};
	pod = world_stray(w, "stranger", "pod.trainer", OP_B);
	pod->config.name = STR("trainer");
	pod->mark = (struct str){0};
	pod->created_at = STR("2026-11-18T00:00:00Z");
	pod = world_stray(w, "cousin", "pod.trainer", OP_B);
	pod->config.name = STR("trainer-pfffffff1111111111");
	pod->mark = STR("v1 ffffffffffffffffffffffffffffffff " OP_B
	    " pod.trainer");
	pod = world_stray(w, "dead", "pod.trainer", OP_B);
	pod->status = POD_TERMINATED;
	assert_text(world_plan(w, DUMP_ALL),
	    "- pod.old[3] orphan nobody delete_because_orphan !data_loss\n"
	    "- pod.trainer orphan double delete_because_orphan !data_loss\n"
	    "unmanaged pod cousin other\n"
	    "unmanaged pod envless suspect\n"
	    "unmanaged pod renamed suspect\n"
	    "unmanaged pod stranger\n"
	    "do 0 delete pod.old[3]\n"
	    "do 1 delete pod.trainer\n"
	    "cost 1200000 -> 400000, worst 400000, storage 0\n"
	    "add 0, change 0, destroy 2, start 0, stop 0, forget 0; 1 same, "
	    "0 kept\n");
	assert_int_equal(w->plan->cost.unmanaged_pods, 4);
	assert_int_equal(w->plan->cost.unmanaged_per_hour, 1600000);
	assert_int_equal(w->plan->unmanaged.items[3].age_ms,
	    w->options.wall_ms - INT64_C(1794960000000));
}

static void
test_plan_pending_create_is_no_orphan_and_keeps_its_slot(void **state)
{
	struct plan_world *w = *state;
	struct lock_op *op;

	world_trainer(w, "");
	op = ARENA_PUSH(&w->arena, &w->lock.pending);
	*op = (struct lock_op){ .action = OP_CREATE,
		.address = STR("pod.trainer"),
		.entry = { .kind = KIND_POD,
		    .address = STR("pod.trainer") } };
	assert_true(id128_parse(STR(OP_A), &op->op));
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->pending.n, 1);
	assert_int_equal(w->plan->changes.n, 1);
	assert_int_equal(w->plan->changes.items[0].op, PLAN_CREATE);
	(void)world_stray(w, "found", "pod.trainer", OP_A);
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_UNMANAGED),
	    "+ pod.trainer @3\n");
	world_spec(w, "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }");
	(void)world_plan(w, 0);
	assert_false(w->plan->empty);
}

/* ----------------------------------------------------------- volumes ---- */

static void
volume(struct plan_world *w, const char *fields)
{
	world_spec(w, arena_printf(&w->arena, "volumes: { d: { %s } }",
	    fields).data);
}

static void
test_plan_volume_grows_and_never_shrinks_or_moves(void **state)
{
	struct plan_world *w = *state;

	volume(w, "size: 50GB, data_center: EU-RO-1");
	world_settle(w);
	volume(w, "size: 80GB, data_center: EU-RO-1");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ATTRS | DUMP_ACTIONS),
	    "~ volume.d @2\n"
	    "  size: \"50GB\" -> \"80GB\" in-place edit @2\n"
	    "do 0 update volume volume.d\n");
	world_settle(w);
	volume(w, "size: 50GB, data_center: US-TX-3");
	assert_text(world_plan(w, DUMP_ALL),
	    "pods.yaml:2:42: error: cannot move volume.d from EU-RO-1 to "
	    "US-TX-3 [PF0207]\n"
	    "    2 | volumes: { d: { size: 50GB, data_center: US-TX-3 } }\n"
	    "      |                                          ^~~~~~~\n"
	    "   hint: make a volume with another name there, and copy what "
	    "you need before you remove this one\n"
	    "pods.yaml:2:23: error: cannot shrink volume.d from 80GB to 50GB: "
	    "volumes only grow [PF0206]\n"
	    "    2 | volumes: { d: { size: 50GB, data_center: US-TX-3 } }\n"
	    "      |                       ^~~~\n");
	/* Grown in the console, or renamed: shown, and that is all. */
	volume(w, "size: 80GB, data_center: EU-RO-1");
	w->volumes.items[0].size_gb = 100;
	w->volumes.items[0].name = STR("mine");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_DRIFT | DUMP_COST),
	    "drift volume.d\n"
	    "  name: \"d-pfab12cd0000000000\" -> \"mine\" drift @2\n"
	    "  size: \"80GB\" -> \"100GB\" drift @2\n"
	    "cost 0 -> 0, worst 0, storage 9589\n");
	w->volumes.items[0].name = STR("d-pfffffff0000000001");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "check fail mark: volume 'vol1' is recorded as volume.d but "
	    "carries another mark than the one we wrote: it is left alone "
	    "@2\n");
	w->volumes.n = 0;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_DRIFT),
	    "+ volume.d gone replace_because_lost @2\n"
	    "drift volume.d gone\n");
}

static void
test_plan_volume_listing_is_asked_for_when_it_matters(void **state)
{
	struct plan_world *w = *state;

	w->live.volumes_known = false;
	world_trainer(w, "");
	(void)world_plan(w, 0);
	assert_false(w->plan->needs_volumes);
	volume(w, "size: 50GB, data_center: EU-RO-1");
	(void)world_plan(w, 0);
	assert_true(w->plan->needs_volumes);
	w->live.volumes_known = true;
	world_settle(w);
	w->live.volumes_known = false;
	w->volumes.n = 0;	/* not listed is not gone */
	assert_text(world_plan(w, DUMP_CHANGES), "");
	assert_true(w->plan->needs_volumes);
}

/* ------------------------------------------------------------ purity ---- */

static void
test_plan_is_the_same_whatever_the_order_of_a_listing(void **state)
{
	struct plan_world *w = *state;
	struct strbuf first = {0};
	struct str digest, live;

	replicas(w, "5");
	world_settle(w);
	for (size_t i = 0; i < 5; i++)
		w->pods.items[i].config.image = STR("other:1");
	(void)world_stray(w, "s2", "pod.trainer[9]", OP_A);
	(void)world_stray(w, "s1", "pod.trainer[9]", OP_B);
	world_plan(w, DUMP_ALL);
	strbuf_add(&first, strbuf_str(&w->text));
	digest = plan_digest(&w->arena, w->plan);
	live = live_digest(&w->arena, w->plan);
	for (size_t i = 0; i < w->pods.n / 2; i++) {
		struct cloud_pod other = w->pods.items[i];
		w->pods.items[i] = w->pods.items[w->pods.n - 1 - i];
		w->pods.items[w->pods.n - 1 - i] = other;
	}
	assert_text(world_plan(w, DUMP_ALL), first.data);
	assert_true(str_eq(digest, plan_digest(&w->arena, w->plan)));
	assert_true(str_eq(live, live_digest(&w->arena, w->plan)));
	strbuf_release(&first);
}

static void
test_plan_digests_see_what_moved_and_no_prices(void **state)
{
	struct plan_world *w = *state;
	struct str plan, live;

	world_trainer(w, "env: { A: one }");
	world_settle(w);
	world_trainer(w, "env: { A: two }");
	(void)world_plan(w, 0);
	plan = plan_digest(&w->arena, w->plan);
	live = live_digest(&w->arena, w->plan);
	assert_true(str_starts(plan, STR("sha256:")));
	assert_int_equal(plan.len, 7 + 64);
	w->pods.items[0].cost_per_hour = 410000;
	w->pods.items[0].ssh.port = 99;
	struct cloud_pod *stray = world_stray(w, "z", "pod.z", OP_A);
	stray->mark = (struct str){0};
	stray->config.name = STR("z");
	(void)world_plan(w, 0);
	assert_true(str_eq(plan, plan_digest(&w->arena, w->plan)));
	assert_true(str_eq(live, live_digest(&w->arena, w->plan)));
	w->pods.items[0].status = POD_EXITED;
	(void)world_plan(w, 0);
	assert_false(str_eq(plan, plan_digest(&w->arena, w->plan)));
	assert_false(str_eq(live, live_digest(&w->arena, w->plan)));
}

static void
test_plan_of_ten_thousand_unchanged_pods_is_small(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "replicas: 1000");
	(void)world_plan(w, 0);
	world_apply(w);
	(void)world_plan(w, 0);
	size_t before = w->arena.total;
	(void)world_plan(w, 0);
	assert_true(w->plan->empty);
	assert_int_equal(w->plan->noops, 1000);
	/* Indexes only: a few hundred bytes for each. */
	assert_true(w->arena.total - before < 1000 * 600);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plan_creates_a_pod_and_then_nothing),
		TEST(test_plan_replicas_keep_the_first_when_they_grow),
		TEST(test_plan_replicas_are_ordered_by_number),
		TEST(test_plan_replicas_change_the_first_while_they_grow),
		TEST(test_plan_stopped_pod_is_not_made_to_be_stopped),
		TEST(test_plan_stopped_pod_waits_with_its_replacement),
		TEST(test_plan_stopped_pod_starts_with_its_changes),
		TEST(test_plan_deletes_come_last_behind_one_barrier),
		TEST(test_plan_create_first_deletes_the_old_one_last),
		TEST(test_plan_lost_pod_is_confirmed_gone_before_its_create),
		TEST(test_plan_tainted_and_deposed_entries_are_cleared_away),
		TEST(test_plan_orphans_go_and_strangers_are_only_shown),
		TEST(test_plan_pending_create_is_no_orphan_and_keeps_its_slot),
		TEST(test_plan_volume_grows_and_never_shrinks_or_moves),
		TEST(test_plan_volume_listing_is_asked_for_when_it_matters),
		TEST(test_plan_is_the_same_whatever_the_order_of_a_listing),
		TEST(test_plan_digests_see_what_moved_and_no_prices),
		TEST(test_plan_of_ten_thousand_unchanged_pods_is_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
