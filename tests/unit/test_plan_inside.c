/* test_plan_inside.c - setup, checks and process of pods */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

/* A pod with two steps, a check and a process, each as given. */
static void
full(struct plan_world *w, const char *first, const char *second,
    const char *process)
{
	world_spec(w, arena_printf(&w->arena,
	    "secrets: { KEY: { env: KEY } }\n"
	    "pods:\n"
	    "  trainer:\n"
	    "    image: torch:1\n"
	    "    gpu: A40\n"
	    "    ready: { checks: [nvidia-smi, \"true\"] }\n"
	    "    setup:\n"
	    "      - run: %s\n"
	    "      - run: %s\n"
	    "    process: { run: %s }\n", first, second, process).data);
}

enum { SHOWN = DUMP_CHANGES | DUMP_ATTRS | DUMP_ACTIONS };

static void
test_plan_inside_of_a_new_pod_is_all_of_it_in_order(void **state)
{
	struct plan_world *w = *state;

	full(w, "one", "login ${secret.KEY}", "train");
	assert_text(world_plan(w, SHOWN),
	    "+ pod.trainer @4\n"
	    "  name: - -> \"trainer\" edit @4\n"
	    "  image: - -> \"torch:1\" edit @5\n"
	    "  gpu.type: - -> \"A40\" edit @6\n"
	    "  gpu_count: - -> 1 edit @4\n"
	    "  cloud: - -> \"secure\" edit @4\n"
	    "  disk: - -> \"20GB\" edit @4\n"
	    "  ports: - -> [\"22/tcp\"] edit @4\n"
	    "  ready.checks: - -> [\"nvidia-smi\",\"true\"] edit @7\n"
	    "  setup[0]: - -> \"one\" edit @9\n"
	    "  setup[1]: - -> \"login ${secret.KEY}\" edit secret @10\n"
	    "  process.run: - -> \"train\" edit @11\n"
	    "do 0 create pod.trainer\n"
	    "do 1 await running pod.trainer after 0\n"
	    "do 2 await ssh pod.trainer after 1\n"
	    "do 3 login pod.trainer after 2\n"
	    "do 4 check[0] pod.trainer after 3\n"
	    "do 5 check[1] pod.trainer after 4\n"
	    "do 6 setup[0] pod.trainer after 5\n"
	    "do 7 setup[1] pod.trainer after 6\n"
	    "do 8 process pod.trainer after 7\n");
	world_settle(w);
}

static void
test_plan_inside_repeats_from_the_first_changed_step(void **state)
{
	struct plan_world *w = *state;

	full(w, "one", "two", "train");
	world_settle(w);
	full(w, "one", "three", "train");
	assert_text(world_plan(w, SHOWN),
	    "~ pod.trainer @10\n"
	    "  setup[1]: \"(changed)\" -> \"three\" edit @10\n"
	    "do 0 await running pod.trainer\n"
	    "do 1 await ssh pod.trainer after 0\n"
	    "do 2 login pod.trainer after 1\n"
	    "do 3 setup[1] pod.trainer after 2\n");
	assert_int_equal(w->plan->changes.items[0].changes, 0);
	world_settle(w);
	full(w, "zero", "three", "train --more");
	assert_text(world_plan(w, SHOWN),
	    "~ pod.trainer @9\n"
	    "  setup[0]: \"(changed)\" -> \"zero\" edit @9\n"
	    "  setup[1]: \"(changed)\" -> \"three\" edit @10\n"
	    "  process.run: \"(changed)\" -> \"train --more\" edit @11\n"
	    "do 0 await running pod.trainer\n"
	    "do 1 await ssh pod.trainer after 0\n"
	    "do 2 login pod.trainer after 1\n"
	    "do 3 setup[0] pod.trainer after 2\n"
	    "do 4 setup[1] pod.trainer after 3\n"
	    "do 5 process pod.trainer after 4\n");
	world_settle(w);
}

static void
test_plan_inside_of_a_container_that_started_anew_is_all_of_it(void **state)
{
	struct plan_world *w = *state;

	full(w, "one", "two", "train");
	world_settle(w);
	w->pods.items[0].started_at = STR("2026-11-22T00:00:00Z");
	assert_text(world_plan(w, SHOWN),
	    "~ pod.trainer update_because_restarted @4\n"
	    "  container.start: \"2026-11-21T10:00:01Z\" -> "
	    "\"2026-11-22T00:00:00Z\" drift @4\n"
	    "do 0 await running pod.trainer\n"
	    "do 1 await ssh pod.trainer after 0\n"
	    "do 2 login pod.trainer after 1\n"
	    "do 3 check[0] pod.trainer after 2\n"
	    "do 4 check[1] pod.trainer after 3\n"
	    "do 5 setup[0] pod.trainer after 4\n"
	    "do 6 setup[1] pod.trainer after 5\n"
	    "do 7 process pod.trainer after 6\n");
	world_settle(w);
}

/* Where a time is not known, or nothing is to be done, the record counts. */
static void
test_plan_inside_believes_the_record_without_a_time(void **state)
{
	struct plan_world *w = *state;

	full(w, "one", "two", "train");
	world_settle(w);
	w->pods.items[0].started_at = (struct str){0};
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS), "");
	w->pods.items[0].status = POD_STARTING;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "~ pod.trainer update_because_restarted @4\n");
	live_from_lock(&w->arena, &w->lock, w->options.wall_ms, &w->live);
	w->pods.items[0] = w->live.pods[0];
	w->pods.items[0].status = POD_RUNNING;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS), "");
}

static void
test_plan_inside_of_a_pod_without_any_is_nothing(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	w->pods.items[0].started_at = STR("2026-11-22T00:00:00Z");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS), "");
	full(w, "one", "two", "train");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ATTRS),
	    "~ pod.trainer @7\n"
	    "  ready.checks: - -> [\"nvidia-smi\",\"true\"] edit @7\n"
	    "  setup[0]: - -> \"one\" edit @9\n"
	    "  setup[1]: - -> \"two\" edit @10\n"
	    "  process.run: - -> \"train\" edit @11\n");
	world_settle(w);
	/* What was done cannot be undone; the container goes on. */
	world_trainer(w, "");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "check warn process: pod.trainer has no process in the spec any "
	    "more; the one that was started runs on until its container ends "
	    "@3\n");
}

static void
test_plan_inside_goes_with_starts_and_resets(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "setup: [{ run: one }]");
	world_settle(w);
	w->pods.items[0].status = POD_EXITED;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "^ pod.trainer start_because_desired !gpu_not_guaranteed @3\n"
	    "do 0 start pod.trainer\n"
	    "do 1 await running pod.trainer after 0\n"
	    "do 2 await ssh pod.trainer after 1\n"
	    "do 3 login pod.trainer after 2\n"
	    "do 4 setup[0] pod.trainer after 3\n");
	world_settle(w);
	world_spec(w, "pods: { trainer: { image: torch:2, gpu: A40, "
	    "setup: [{ run: one }] } }");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "~ pod.trainer restarts !container_reset @2\n"
	    "do 0 update pod.trainer\n"
	    "do 1 await running pod.trainer after 0\n"
	    "do 2 await ssh pod.trainer after 1\n"
	    "do 3 login pod.trainer after 2\n"
	    "do 4 setup[0] pod.trainer after 3\n");
	world_settle(w);
	world_trainer(w, "state: stopped");
	world_settle(w);
}

/* The text stays, the file does not. */
static void
test_plan_inside_repeats_a_copy_when_the_file_changes(void **state)
{
	struct plan_world *w = *state;
	const char *line = "setup: [{ copy: { from: ./train.py, "
	    "to: /train.py } }]";

	world_trainer(w, line);
	assert_text(world_plan(w, DUMP_CHANGES),
	    "pods.yaml:6:13: error: cannot copy './train.py' to the pod: "
	    "there is no such file [PF0209]\n"
	    "    6 |     setup: [{ copy: { from: ./train.py, to: /train.py } "
	    "}]\n"
	    "      |             ^\n"
	    "   hint: it is looked for as './train.py'\n");
	fake_fs_put(w->fake, "./train.py", STR("print(1)"), 0644);
	world_trainer(w, line);
	world_settle(w);
	struct str first = w->spec->resources[0].pod->setup[0].digest;
	world_trainer(w, line);
	assert_true(str_eq(first, w->spec->resources[0].pod->setup[0].digest));
	assert_text(world_plan(w, DUMP_CHANGES), "");
	fake_fs_put(w->fake, "./train.py", STR("print(2)"), 0644);
	world_trainer(w, line);
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ATTRS),
	    "~ pod.trainer @6\n"
	    "  setup[0]: \"(changed)\" -> \"copy ./train.py to /train.py\" "
	    "edit @6\n");
	struct str one = plan_digest(&w->arena, w->plan);
	fake_fs_put(w->fake, "./train.py", STR("print(3)"), 0644);
	world_trainer(w, line);
	(void)world_plan(w, 0);
	assert_false(str_eq(one, plan_digest(&w->arena, w->plan)));
	world_settle(w);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_plan_inside_of_a_new_pod_is_all_of_it_in_order),
		TEST(test_plan_inside_repeats_from_the_first_changed_step),
		TEST(test_plan_inside_of_a_container_that_started_anew_is_all_of_it),
		TEST(test_plan_inside_believes_the_record_without_a_time),
		TEST(test_plan_inside_of_a_pod_without_any_is_nothing),
		TEST(test_plan_inside_goes_with_starts_and_resets),
		TEST(test_plan_inside_repeats_a_copy_when_the_file_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
