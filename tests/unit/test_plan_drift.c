/* test_plan_drift.c - what somebody else did, told apart from edits */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

/* ---------------------------------------------------- console actions -- */

static void
rename_pod(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->config.name = STR("mine");
}

static void
other_image(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->config.image = STR("evil:1");
}

static void
other_args(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->config.args = STR("sleep");
}

static void
other_disk(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->config.disk_gb = 99;
}

static void
no_ports(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->config.nports = 0;
}

static void
other_env(struct plan_world *w, struct cloud_pod *pod)
{
	struct env_var *env = ARENA_ARRAY(&w->arena, struct env_var, 3);
	env[0] = (struct env_var){ STR("EXTRA"), STR("typed in"), false };
	env[1] = (struct env_var){ STR("MODE"), STR("idle"), false };
	env[2] = (struct env_var){ STR("RUNPOD_GPU_COUNT"), STR("1"), false };
	pod->config.env = env;
	pod->config.nenv = 3;
}

static void
other_gpu(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->config.gpu = STR("NVIDIA RTX A5000");
}

static void
other_count(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->config.gpu_count = 2;
}

static void
other_mount(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->config.volume_id = STR("vol9");
	pod->config.volume_path = STR("/x");
}

static void
stop(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->status = POD_EXITED;
	pod->cost_per_hour = 0;
}

static void
terminated(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->status = POD_TERMINATED;
}

static void
vanish(struct plan_world *w, struct cloud_pod *pod)
{
	*pod = w->pods.items[--w->pods.n];
}

static void
broken(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->status = POD_ERROR;
}

static void
unheard_of(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->status = POD_UNKNOWN;
	pod->status_text = STR("HIBERNATING");
}

static void
service_fills_in(struct plan_world *w, struct cloud_pod *pod)
{
	(void)w;
	pod->config.data_center = STR("US-TX-3");
	pod->config.persistent_gb = 20;
	pod->config.persistent_path = STR("/workspace");
	pod->cost_per_hour = 440000;
	pod->status = POD_STARTING;
}

struct drift {
	const char *name;
	void (*act)(struct plan_world *w, struct cloud_pod *pod);
	const char *line;	/* of the pod */
	const char *wanted;
	bool rests;		/* nothing left after an apply */
};

#define MODE "env: { MODE: train }"
#define REPLACED "-/+ pod.trainer replace_because_cannot_update " \
	"!container_reset !data_loss "

static const struct drift drifts[] = {
	{ "rename", rename_pod, "",
	  "~ pod.trainer update_because_drift @3\n"
	  "  name: \"mine\" -> \"trainer\" in-place drift @3\n"
	  "drift pod.trainer\n"
	  "  name: \"trainer\" -> \"mine\" in-place drift @3\n", true },
	{ "image", other_image, "",
	  "~ pod.trainer restarts update_because_drift !container_reset @4\n"
	  "  image: \"evil:1\" -> \"torch:1\" restart drift @4\n"
	  "drift pod.trainer\n"
	  "  image: \"torch:1\" -> \"evil:1\" restart drift @4\n", true },
	{ "args", other_args, "",
	  "~ pod.trainer restarts update_because_drift !container_reset @3\n"
	  "  args: \"sleep\" -> - restart drift @3\n"
	  "drift pod.trainer\n"
	  "  args: - -> \"sleep\" restart drift @3\n", true },
	{ "disk", other_disk, "",
	  "~ pod.trainer restarts update_because_drift !container_reset @3\n"
	  "  disk: \"99GB\" -> \"20GB\" restart drift @3\n"
	  "drift pod.trainer\n"
	  "  disk: \"20GB\" -> \"99GB\" restart drift @3\n", true },
	{ "ports", no_ports, "",
	  "~ pod.trainer restarts update_because_drift !container_reset @3\n"
	  "  ports: [] -> [\"22/tcp\"] restart drift @3\n"
	  "drift pod.trainer\n"
	  "  ports: [\"22/tcp\"] -> [] restart drift @3\n", true },
	/* What somebody typed into the console may be a password. */
	{ "env", other_env, MODE,
	  "~ pod.trainer restarts update_because_drift !container_reset @6\n"
	  "  env.EXTRA: \"\" -> - restart drift secret @6\n"
	  "  env.MODE: \"idle\" -> \"train\" restart drift @6\n"
	  "drift pod.trainer\n"
	  "  env.EXTRA: - -> \"\" restart drift secret @6\n"
	  "  env.MODE: \"train\" -> \"idle\" restart drift @6\n", true },
	{ "gpu", other_gpu, "",
	  REPLACED "@5\n"
	  "  gpu.type: \"NVIDIA RTX A5000\" -> \"A40\" replace drift forces "
	  "@5\n"
	  "drift pod.trainer\n"
	  "  gpu.type: \"NVIDIA A40\" -> \"NVIDIA RTX A5000\" replace drift "
	  "@5\n", true },
	{ "gpu count", other_count, "",
	  REPLACED "@3\n"
	  "  gpu_count: 2 -> 1 replace drift forces @3\n"
	  "drift pod.trainer\n"
	  "  gpu_count: 1 -> 2 replace drift @3\n", true },
	{ "mount", other_mount, "",
	  "-/+ pod.trainer replace_because_cannot_update !container_reset "
	  "!data_loss @3\n"
	  "  network_volume.volume: \"vol9\" -> - replace drift forces @3\n"
	  "  network_volume.path: \"/x\" -> - replace drift forces @3\n"
	  "drift pod.trainer\n"
	  "  network_volume.volume: - -> \"vol9\" replace drift @3\n"
	  "  network_volume.path: - -> \"/x\" replace drift @3\n", true },
	{ "stop", stop, "",
	  "^ pod.trainer start_because_desired !gpu_not_guaranteed @3\n"
	  "drift pod.trainer stopped\n", true },
	{ "terminated", terminated, "",
	  "+ pod.trainer gone-proved replace_because_lost @3\n"
	  "drift pod.trainer gone\n", true },
	{ "vanished", vanish, "",
	  "+ pod.trainer gone replace_because_lost @3\n"
	  "drift pod.trainer gone\n", true },
	{ "error", broken, "",
	  "-/+ pod.trainer replace_because_lost !container_reset !data_loss "
	  "@3\n", true },
	{ "unknown status", unheard_of, "", "", true },
	{ "filled in", service_fills_in, "", "", true },
	{ "ignored name", rename_pod, "ignore_drift: [name]", "", true },
	{ "ignored image", other_image, "ignore_drift: [image]", "", true },
	{ "ignored env", other_env, "ignore_drift: [env]", "", true },
	{ "ignored gpu", other_gpu, "ignore_drift: [gpu]", "", true },
};

static void
try_drift(const struct drift *drift)
{
	struct plan_world w;

	world_init(&w);
	world_trainer(&w, drift->line);
	world_settle(&w);
	drift->act(&w, world_pod(&w, "pod.trainer"));
	/* A create shows what is set; here only what drifted counts. */
	(void)world_plan(&w, 0);
	bool creates = w.plan != NULL && w.plan->summary.add > 0 &&
	    w.plan->summary.destroy == 0;
	const char *found = world_plan(&w, DUMP_CHANGES | DUMP_DRIFT |
	    (creates ? 0 : DUMP_ATTRS));
	if (strcmp(found, drift->wanted) != 0)
		fail_msg("%s\nfound:\n%s\nwanted:\n%s", drift->name, found,
		    drift->wanted);
	if (drift->rests)
		world_settle(&w);
	world_release(&w);
}

static void
test_plan_drift_is_told_and_repaired(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(drifts); i++)
		try_drift(&drifts[i]);
}

static void
test_plan_drift_and_edit_of_one_field_are_both_told(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_trainer(&w, "args: one");
	world_settle(&w);
	world_pod(&w, "pod.trainer")->config.args = STR("two");
	world_trainer(&w, "args: three");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_ATTRS | DUMP_DRIFT),
	    "~ pod.trainer restarts !container_reset @6\n"
	    "  args: \"two\" -> \"three\" restart edit drift @6\n"
	    "drift pod.trainer\n"
	    "  args: \"one\" -> \"two\" restart edit drift @6\n");
	world_settle(&w);
	world_release(&w);
}

/* Somebody already made the change by hand: only the record is behind. */
static void
test_plan_drift_towards_the_spec_changes_the_record_alone(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_trainer(&w, "args: one");
	world_settle(&w);
	world_pod(&w, "pod.trainer")->config.args = STR("two");
	world_trainer(&w, "args: two");
	assert_text(world_plan(&w, DUMP_CHANGES), "");
	assert_true(w.plan->empty);
	assert_int_equal(w.plan->keeps.n, 1);
	assert_true(str_is(w.plan->keeps.items[0].entry->pod.args, "two"));
	world_settle(&w);
	world_release(&w);
}

static void
test_plan_drift_ignored_field_can_still_be_edited(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_spec(&w, "pods: { trainer: { image: torch:1, gpu: A40, "
	    "ignore_drift: [image] } }\n");
	world_settle(&w);
	world_pod(&w, "pod.trainer")->config.image = STR("evil:1");
	world_spec(&w, "pods: { trainer: { image: torch:2, gpu: A40, "
	    "ignore_drift: [image] } }\n");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_ATTRS | DUMP_DRIFT),
	    "~ pod.trainer restarts !container_reset @2\n"
	    "  image: \"torch:1\" -> \"torch:2\" restart edit @2\n");
	world_release(&w);
}

static void
test_plan_drift_accepted_is_shown_and_left(void **state)
{
	struct plan_world w;
	struct ack *ack;

	(void)state;
	world_init(&w);
	world_trainer(&w, "");
	world_settle(&w);
	world_pod(&w, "pod.trainer")->config.disk_gb = 99;
	ack = ARENA_PUSH(&w.arena, &w.lock.acks);
	*ack = (struct ack){
		.address = STR("pod.trainer"), .path = STR("disk"),
		.value = STR("\"99GB\""), .reason = STR("needed room"),
		.until = STR("2030-01-01T00:00:00Z"),
	};
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT),
	    "drift pod.trainer acknowledged\n"
	    "  disk: \"20GB\" -> \"99GB\" restart drift @3\n");
	assert_true(w.plan->empty);
	assert_false(plan_has_drift(w.plan));

	ack->until = STR("2020-01-01T00:00:00Z");
	assert_text(world_plan(&w, DUMP_CHANGES),
	    "~ pod.trainer restarts update_because_drift !container_reset "
	    "@3\n");
	assert_true(plan_has_drift(w.plan));
	world_release(&w);
}

/* A state is accepted like a value; with a field beside it, both have to. */
static void
test_plan_drift_of_the_state_is_accepted(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_trainer(&w, "");
	world_settle(&w);
	world_pod(&w, "pod.trainer")->status = POD_EXITED;
	*ARENA_PUSH(&w.arena, &w.lock.acks) = (struct ack){
		.address = STR("pod.trainer"), .path = STR("state"),
		.value = STR("\"stopped\""), .reason = STR("a holiday"),
	};
	(void)world_plan(&w, DUMP_CHANGES | DUMP_DRIFT);
	assert_true(w.plan->empty);
	assert_false(plan_has_drift(w.plan));
	assert_int_equal(w.plan->drift.n, 1);

	world_pod(&w, "pod.trainer")->config.disk_gb = 99;
	(void)world_plan(&w, DUMP_CHANGES | DUMP_DRIFT);
	assert_true(plan_has_drift(w.plan));
	assert_false(w.plan->empty);
	world_pod(&w, "pod.trainer")->config.disk_gb = 20;

	w.lock.acks.items[0].value = STR("\"running\"");
	(void)world_plan(&w, DUMP_CHANGES);
	assert_true(plan_has_drift(w.plan));
	assert_int_equal(w.plan->summary.start, 1);
	world_release(&w);
}

static void
test_plan_drift_started_behind_our_back_is_stopped(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_trainer(&w, "");
	world_settle(&w);
	world_trainer(&w, "state: stopped");
	world_settle(&w);
	world_pod(&w, "pod.trainer")->status = POD_STARTING;
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT | DUMP_ACTIONS),
	    "v pod.trainer stop_because_desired !container_reset "
	    "!gpu_not_guaranteed @6\n"
	    "drift pod.trainer started\n"
	    "do 0 stop pod.trainer\n");
	world_settle(&w);
	world_release(&w);
}

/* What somebody did is what is wanted now: told once, then recorded. */
static void
test_plan_drift_towards_the_wish_is_recorded(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_trainer(&w, "");
	world_settle(&w);
	world_pod(&w, "pod.trainer")->status = POD_EXITED;
	world_trainer(&w, "state: stopped");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT),
	    "drift pod.trainer stopped\n");
	assert_true(w.plan->empty);
	world_apply(&w);
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT), "");
	assert_int_equal(w.plan->keeps.n, 0);

	world_pod(&w, "pod.trainer")->status = POD_RUNNING;
	world_trainer(&w, "");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT),
	    "drift pod.trainer started\n");
	world_apply(&w);
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT), "");
	assert_int_equal(w.plan->keeps.n, 0);

	/* A status that we have no word for is nothing to be recorded. */
	world_entry(&w, "pod.trainer")->stopped = true;
	world_pod(&w, "pod.trainer")->status = POD_UNKNOWN;
	world_plan(&w, 0);
	assert_int_equal(w.plan->keeps.n, 0);
	world_release(&w);
}

static void
test_plan_drift_of_a_size_towards_the_wish_is_recorded(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_spec(&w, "volumes: { v: { size: 10GB, data_center: EU-RO-1 } }");
	world_settle(&w);
	w.volumes.items[0].size_gb = 20;
	world_spec(&w, "volumes: { v: { size: 20GB, data_center: EU-RO-1 } }");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT),
	    "drift volume.v\n"
	    "  size: \"10GB\" -> \"20GB\" drift @2\n");
	assert_true(w.plan->empty);
	world_apply(&w);
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT), "");
	assert_int_equal(w.plan->keeps.n, 0);
	world_release(&w);
}

static void
test_plan_drift_of_a_mark_makes_a_suspect(void **state)
{
	struct plan_world w;
	struct cloud_pod *pod;

	(void)state;
	world_init(&w);
	world_trainer(&w, "args: one");
	world_settle(&w);
	pod = world_pod(&w, "pod.trainer");
	pod->config.name = STR("mine");
	pod->mark = (struct str){0};
	world_trainer(&w, "args: two");
	assert_text(world_plan(&w, DUMP_ALL),
	    "check fail mark: pod 'pod1' is recorded as pod.trainer but does "
	    "not carry our mark any more: it is left alone @3\n"
	    "cost 400000 -> 400000, worst 400000, storage 0\n"
	    "add 0, change 0, destroy 0, start 0, stop 0, forget 0; 1 same, "
	    "0 kept, empty\n");
	assert_true(plan_has_failed_check(w.plan));
	/* And it is not deleted either, by no way. */
	w.options.mode = PLAN_DESTROY;
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_CHECKS),
	    "check fail mark: pod 'pod1' is recorded as pod.trainer but does "
	    "not carry the mark we gave it: it is left alone\n");
	/* An imported pod never had one. */
	w.options.mode = PLAN_NORMAL;
	world_entry(&w, "pod.trainer")->op.hex[0] = '\0';
	world_entry(&w, "pod.trainer")->pod.name = STR("mine");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_CHECKS),
	    "~ pod.trainer restarts !container_reset @6\n");
	world_release(&w);
}

/* A damaged id may name another pod of ours. */
static void
test_plan_drift_of_an_id_makes_a_suspect(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_trainer(&w, "replicas: 2");
	world_settle(&w);
	world_entry(&w, "pod.trainer[0]")->op =
	    world_entry(&w, "pod.trainer[1]")->op;
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_CHECKS),
	    "check fail mark: pod 'pod1' is recorded as pod.trainer[0] but "
	    "does not carry our mark as we wrote it: it is left alone @3\n");
	world_release(&w);
}

static void
test_plan_drift_of_a_gpu_that_went_is_warned_about(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_trainer(&w, "");
	world_settle(&w);
	world_pod(&w, "pod.trainer")->config.gpu_count = 0;
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_CHECKS),
	    "check warn gpu: pod.trainer runs without a GPU: pod 'pod1' came "
	    "back without it; replace the pod, or stop it and try later "
	    "@3\n");
	world_release(&w);
}

static void
test_plan_drift_without_refresh_is_none(void **state)
{
	struct plan_world w;
	struct live live;

	(void)state;
	world_init(&w);
	world_trainer(&w, "env: { A: one }");
	world_settle(&w);
	w.pods.n = 0;
	live_from_lock(&w.arena, &w.lock, w.options.wall_ms, &live);
	w.live = live;
	const struct plan *plan = plan_make(&w.arena, w.spec, &w.lock,
	    &w.live, &w.options, &w.diags);
	assert_true(plan->empty);
	assert_int_equal(plan->drift.n, 0);
	assert_int_equal(plan->cost.after_per_hour, 400000);
	assert_false(plan->needs_catalog);
	world_release(&w);
}

static void
test_plan_drift_refresh_only_takes_it_into_the_record(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_spec(&w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, env: { M: one } }\n"
	    "  b: { image: x:1, gpu: A40 }\n"
	    "  c: { image: x:1, gpu: A40 }\n");
	world_settle(&w);
	world_pod(&w, "pod.a")->config.image = STR("x:2");
	world_pod(&w, "pod.a")->config.disk_gb = 30;
	stop(&w, world_pod(&w, "pod.b"));
	vanish(&w, world_pod(&w, "pod.c"));
	w.options.mode = PLAN_REFRESH_ONLY;
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT | DUMP_ACTIONS),
	    ". pod.c gone forget_because_lost @5\n"
	    "drift pod.a\n"
	    "  image: \"x:1\" -> \"x:2\" restart drift @3\n"
	    "  disk: \"20GB\" -> \"30GB\" restart drift @3\n"
	    "drift pod.b stopped\n"
	    "drift pod.c gone\n"
	    "do 0 confirm gone pod.c\n");
	assert_int_equal(w.plan->keeps.n, 2);
	world_apply(&w);
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT), "");
	w.options.mode = PLAN_NORMAL;
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_ATTRS | DUMP_DRIFT),
	    "~ pod.a restarts !container_reset @3\n"
	    "  image: \"x:2\" -> \"x:1\" restart edit @3\n"
	    "  disk: \"30GB\" -> \"20GB\" restart edit @3\n"
	    "^ pod.b start_because_desired !gpu_not_guaranteed @4\n"
	    "+ pod.c @5\n"
	    "  name: - -> \"c\" edit @5\n"
	    "  image: - -> \"x:1\" edit @5\n"
	    "  gpu.type: - -> \"A40\" edit @5\n"
	    "  gpu_count: - -> 1 edit @5\n"
	    "  cloud: - -> \"secure\" edit @5\n"
	    "  disk: - -> \"20GB\" edit @5\n"
	    "  ports: - -> [\"22/tcp\"] edit @5\n");
	world_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_drift_is_told_and_repaired),
		cmocka_unit_test(
		    test_plan_drift_and_edit_of_one_field_are_both_told),
		cmocka_unit_test(
		    test_plan_drift_towards_the_spec_changes_the_record_alone),
		cmocka_unit_test(
		    test_plan_drift_ignored_field_can_still_be_edited),
		cmocka_unit_test(test_plan_drift_accepted_is_shown_and_left),
		cmocka_unit_test(test_plan_drift_of_the_state_is_accepted),
		cmocka_unit_test(
		    test_plan_drift_started_behind_our_back_is_stopped),
		cmocka_unit_test(test_plan_drift_towards_the_wish_is_recorded),
		cmocka_unit_test(
		    test_plan_drift_of_a_size_towards_the_wish_is_recorded),
		cmocka_unit_test(test_plan_drift_of_a_mark_makes_a_suspect),
		cmocka_unit_test(test_plan_drift_of_an_id_makes_a_suspect),
		cmocka_unit_test(
		    test_plan_drift_of_a_gpu_that_went_is_warned_about),
		cmocka_unit_test(test_plan_drift_without_refresh_is_none),
		cmocka_unit_test(
		    test_plan_drift_refresh_only_takes_it_into_the_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
