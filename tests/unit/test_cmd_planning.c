/* test_cmd_planning.c - what a plan is judged to be: the code of its first
 * refusal, whether it empties the account, whose keys it needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cmd/podform/planning.h"
#include "cmd_world.h"

struct judge_case {
	struct plan_check checks[3];
	bool over_budget;
	int code;
	const char *said;
};

#define CHECK(name, how, words) \
	{ .id = name, .status = how, .message = STR_INIT(words) }

static void
test_cmd_planning_judges_by_the_first_refusal(void **state)
{
	static const struct judge_case cases[] = {
		{ { CHECK("budget.hourly", CHECK_PASS, "a") }, false,
		  EXIT_OK, "" },
		{ { CHECK("protect", CHECK_WARN, "a") }, false, EXIT_OK,
		  "" },
		{ { CHECK("placement", CHECK_FAIL, "no room") }, false,
		  EXIT_CAPACITY, "error: the plan is refused: no "
		  "room [PF0810]\n" },
		{ { CHECK("balance", CHECK_FAIL, "poor") }, false,
		  EXIT_BALANCE, "error: the plan is refused: poor "
		  "[PF0810]\n" },
		{ { CHECK("protect", CHECK_FAIL, "kept") }, true,
		  EXIT_POLICY, "error: the plan is refused: kept "
		  "[PF0810]\n" },
		{ { CHECK("budget.hourly", CHECK_FAIL, "dear") }, false,
		  EXIT_POLICY, "error: the plan is refused: dear "
		  "[PF0810]\n   hint: --over-budget allows it this once\n" },
		{ { CHECK("budget.hourly", CHECK_FAIL, "dear") }, true,
		  EXIT_OK, "" },
		/* All are told; the first says the code. */
		{ { CHECK("placement", CHECK_FAIL, "no room"),
		    CHECK("budget.hourly", CHECK_FAIL, "dear"),
		    CHECK("balance", CHECK_FAIL, "poor") }, false,
		  EXIT_CAPACITY, "error: the plan is refused: no "
		  "room [PF0810]\nerror: the plan is refused: dear "
		  "[PF0810]\n   hint: --over-budget allows it this once\n"
		  "error: the plan is refused: poor [PF0810]\n" },
		{ { CHECK("budget.hourly", CHECK_FAIL, "dear"),
		    CHECK("balance", CHECK_FAIL, "poor") }, true,
		  EXIT_BALANCE, "error: the plan is refused: poor "
		  "[PF0810]\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct plan plan = {0};
		struct cmd_world world;
		struct planning planning = { .app = &world.app,
			.plan = &plan };
		cmd_world_init(&world);
		world.app.args.options.over_budget = cases[i].over_budget;
		for (size_t k = 0; k < 3; k++)
			if (cases[i].checks[k].id != NULL)
				*ARENA_PUSH(&world.app.arena, &plan.checks) =
				    cases[i].checks[k];
		assert_int_equal(planning_judge(&planning), cases[i].code);
		assert_string_equal(cmd_world_said(&world), cases[i].said);
		cmd_world_release(&world);
	}
}

/* Only a spec that asks for nothing, where something of ours would go. */
static void
test_cmd_planning_empties(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 16; bits++) {
		struct spec spec = { .nresources = bits & 4 ? 1 : 0 };
		struct plan plan = { .summary.destroy = bits & 2 ? 3 : 0 };
		struct planning planning = {
			.mode = bits & 1 ? PLAN_DESTROY : PLAN_NORMAL,
			.plan = &plan, .spec = bits & 8 ? NULL : &spec };
		assert_int_equal(planning_empties(&planning), bits == 2);
	}
}

/* ----------------------------------------------------------------- keys -- */

static struct {
	const struct pod_spec *asked[8];
	size_t n, refuse_at;
} taken;

static bool
take(struct app *app, const struct pod_spec *want)
{
	(void)app;
	assert_true(taken.n < COUNTOF(taken.asked));
	taken.asked[taken.n++] = want;
	return taken.n != taken.refuse_at;
}

/* Which pod a change has to enter: its own, or that of what lives on it. */
static void
test_cmd_planning_needs_keys_of_what_it_enters(void **state)
{
	static struct pod_spec pods[2];
	static struct resource resources[] = {
		{ .kind = KIND_POD, .address = STR_INIT("pod.a"),
		  .pod = &pods[0] },
		{ .kind = KIND_POD, .address = STR_INIT("pod.b"),
		  .pod = &pods[1] },
		{ .kind = KIND_VOLUME, .address = STR_INIT("volume.v") },
	};
	static const struct {
		enum kind kind;
		enum plan_op op;
		int want;		/* resource of the change; -1 none */
		const char *pod;	/* of a runner or tunnel */
		int entered;		/* -1: none */
	} cases[] = {
		{ KIND_POD, PLAN_CREATE, 0, NULL, 0 },
		{ KIND_POD, PLAN_UPDATE, 0, NULL, 0 },
		{ KIND_POD, PLAN_REPLACE, 1, NULL, 1 },
		{ KIND_POD, PLAN_START, 1, NULL, 1 },
		{ KIND_POD, PLAN_STOP, 0, NULL, -1 },
		{ KIND_POD, PLAN_NOOP, 0, NULL, -1 },
		{ KIND_POD, PLAN_FORGET, 0, NULL, -1 },
		{ KIND_POD, PLAN_DELETE, -1, NULL, -1 },
		{ KIND_VOLUME, PLAN_CREATE, 2, NULL, -1 },
		{ KIND_RUNNER, PLAN_CREATE, -1, "pod.b", 1 },
		{ KIND_RUNNER, PLAN_DELETE, -1, "pod.gone", -1 },
		{ KIND_TUNNEL, PLAN_CREATE, -1, "pod.a", 0 },
		{ KIND_TUNNEL, PLAN_DELETE, -1, "volume.v", -1 },
	};
	struct spec spec = { .resources = resources,
		.nresources = COUNTOF(resources) };

	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNTOF(resources); i++)
		map_put(&spec.by_address, &arena, resources[i].address,
		    &resources[i]);
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct cmd_world world;
		struct plan plan = {0};
		struct planning planning = { .app = &world.app,
			.plan = &plan, .spec = &spec };
		struct plan_change change = { .kind = cases[i].kind,
			.op = cases[i].op, .want = cases[i].want < 0 ? NULL :
			    &resources[cases[i].want] };
		cmd_world_init(&world);
		change.runner_config.pod = str_from(cases[i].pod);
		change.tunnel_config.pod = str_from(cases[i].pod);
		*ARENA_PUSH(&world.app.arena, &plan.changes) = change;
		/* A replica: asked for once. */
		*ARENA_PUSH(&world.app.arena, &plan.changes) = change;
		taken.n = taken.refuse_at = 0;
		assert_true(planning_keys(&planning, take));
		if (cases[i].entered < 0 ? taken.n != 0 : taken.n != 1 ||
		    taken.asked[0] != &pods[cases[i].entered])
			fail_msg("case %zu: %zu taken", i, taken.n);
		/* Without a spec nothing is entered. */
		taken.n = 0;
		planning.spec = NULL;
		assert_true(planning_keys(&planning, take));
		assert_int_equal(taken.n, 0);
		cmd_world_release(&world);
	}
	arena_release(&arena);
}

static void
test_cmd_planning_stops_at_a_key_that_is_none(void **state)
{
	static struct pod_spec pods[2];
	static struct resource a = { .kind = KIND_POD, .pod = &pods[0] };
	static struct resource b = { .kind = KIND_POD, .pod = &pods[1] };
	struct spec spec = {0};
	struct cmd_world world;
	struct plan plan = {0};
	struct planning planning = { .app = &world.app, .plan = &plan,
		.spec = &spec };

	(void)state;
	cmd_world_init(&world);
	*ARENA_PUSH(&world.app.arena, &plan.changes) =
	    (struct plan_change){ .op = PLAN_CREATE, .want = &a };
	*ARENA_PUSH(&world.app.arena, &plan.changes) =
	    (struct plan_change){ .op = PLAN_CREATE, .want = &b };
	taken.n = 0;
	taken.refuse_at = 1;
	assert_false(planning_keys(&planning, take));
	assert_int_equal(taken.n, 1);
	cmd_world_release(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_cmd_planning_judges_by_the_first_refusal),
		cmocka_unit_test(test_cmd_planning_empties),
		cmocka_unit_test(
		    test_cmd_planning_needs_keys_of_what_it_enters),
		cmocka_unit_test(
		    test_cmd_planning_stops_at_a_key_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
