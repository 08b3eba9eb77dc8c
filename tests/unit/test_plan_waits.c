/* test_plan_waits.c - pods that are there and not up yet */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/units.h"
#include "plan_world.h"

/* An apply that was killed while it waited left this behind. */
static void
test_plan_waits_for_a_pod_that_is_still_starting(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	w->pods.items[0].status = POD_STARTING;
	w->pods.items[0].has_runtime = false;
	assert_text(world_plan(w, DUMP_ACTIONS),
	    "do 0 await running pod.trainer\n"
	    "do 1 await ssh pod.trainer after 0\n");
}

/* F12: it bills, and each plan says so and what to do. */
static void
test_plan_names_a_pod_that_does_not_come_up(void **state)
{
	struct plan_world *w = *state;
	struct cloud_pod *pod;

	world_trainer(w, "ready: { timeout: 20m }");
	world_settle(w);
	pod = world_pod(w, "pod.trainer");
	pod->created_at = STR("2026-11-18T10:40:00Z");
	pod->started_at = (struct str){0};
	pod->has_runtime = false;
	pod->ssh.port = 0;		/* which it gets with its container */
	assert_true(parse_time(STR("2026-11-18T11:00:00Z"),
	    &w->options.wall_ms));
	for (int status = POD_PROVISIONING; status <= POD_RUNNING; status++) {
		pod->status = (enum pod_status)status;
		assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS), "");
		w->options.wall_ms += 61 * SECOND_MS + 7;
		assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
		    "check warn stuck: pod.trainer has waited for its "
		    "container for 21m1s, and is billed; if nothing comes of "
		    "pod 'pod1': podform apply --replace pod.trainer @3\n");
		w->options.wall_ms -= 61 * SECOND_MS + 7;
	}
	/* Nobody can say how long. */
	struct str created_at = pod->created_at;
	pod->created_at = STR("soon");
	w->options.wall_ms += 24 * HOUR_MS;
	assert_text(world_plan(w, DUMP_CHECKS), "");
	pod->created_at = created_at;
	w->options.wall_ms -= 24 * HOUR_MS;
	/* The way out that it names, and that of who wants it no more. */
	w->options.wall_ms += 24 * HOUR_MS;
	struct str replace = STR("pod.trainer");
	w->options.replaces = &replace;
	w->options.nreplaces = 1;
	assert_text(world_plan(w, DUMP_CHECKS), "");
	w->options.nreplaces = 0;
	world_trainer(w, "state: stopped");
	assert_text(world_plan(w, DUMP_CHECKS), "");
}

static void
test_plan_names_a_pod_without_its_ssh_port(void **state)
{
	struct plan_world *w = *state;
	struct cloud_pod *pod;

	world_trainer(w, "ports: [22/tcp]");
	world_settle(w);
	pod = world_pod(w, "pod.trainer");
	pod->started_at = STR("2026-11-18T10:40:00Z");
	pod->ssh.port = 0;
	assert_true(parse_time(STR("2026-11-18T10:50:00Z"),
	    &w->options.wall_ms));
	assert_text(world_plan(w, DUMP_CHECKS), "");
	w->options.wall_ms += HOUR_MS + 30 * SECOND_MS;
	assert_text(world_plan(w, DUMP_CHECKS), "check warn stuck: "
	    "pod.trainer has waited for its SSH port for 1h10m, and is "
	    "billed; if nothing comes of pod 'pod1': podform apply --replace "
	    "pod.trainer @3\n");
	pod->ssh.port = 2222;
	assert_text(world_plan(w, DUMP_CHECKS), "");
	pod->ssh.port = 0;
	w->live.from_lock = true;
	assert_text(world_plan(w, DUMP_CHECKS), "");
	w->live.from_lock = false;
	pod->config.nports = 0;
	world_entry(w, "pod.trainer")->pod.nports = 0;
	world_trainer(w, "ports: []");
	assert_text(world_plan(w, DUMP_CHECKS), "");
	pod->config.nports = 1;
	world_entry(w, "pod.trainer")->pod.nports = 1;
	world_trainer(w, "ports: [22/tcp]");
	/* Of one that was up and is about to start again nothing is known. */
	pod->ssh.port = 0;
	pod->status = POD_STARTING;
	world_entry(w, "pod.trainer")->inside.start = pod->started_at;
	assert_text(world_plan(w, DUMP_CHECKS), "");
}

static void
test_plan_without_an_ssh_port_waits_for_no_banner(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "ports: [8188/http]");
	assert_text(world_plan(w, DUMP_ACTIONS),
	    "do 0 create pod.trainer\n"
	    "do 1 await running pod.trainer after 0\n");
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_plan_waits_for_a_pod_that_is_still_starting),
		TEST(test_plan_names_a_pod_that_does_not_come_up),
		TEST(test_plan_names_a_pod_without_its_ssh_port),
		TEST(test_plan_without_an_ssh_port_waits_for_no_banner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
