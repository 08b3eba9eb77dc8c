/* test_plan.c - pods and volumes come, stay, change and go */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

static int
setup(void **state)
{
	static struct plan_world world;
	world_init(&world);
	*state = &world;
	return 0;
}

static int
teardown(void **state)
{
	world_release(*state);
	return 0;
}

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_plan_creates_a_pod_and_then_nothing, setup,
		    teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
