/* test_model_faults.c - what goes wrong on purpose, and that it repeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_world.h"

/* One fault strikes every call of a class. */
static void
always(struct world *world, enum model_call call, enum model_fault fault)
{
	struct model_faults faults = {0};

	faults.per_mille[call][fault] = 1000;
	model_set_faults(world->model, &faults);
}

static void
calm(struct world *world)
{
	model_set_faults(world->model, &(struct model_faults){0});
}

static void
script(struct world *world, struct model_script script)
{
	model_add_script(world->model, &script);
}

static void
test_model_fault_before_has_no_effect(void **state)
{
	struct world *world = *state;

	always(world, MODEL_POD_CREATE, MODEL_ERROR_BEFORE);
	for (int i = 0; i < 30; i++) {
		world_ask(world, "POST", "/v2/pods", NULL, WORLD_POD);
		assert_in_range(world->reply.status, 400, 504);
		assert_false(world->reply.changed);
	}
	assert_int_equal(model_pod_count(world->model), 0);
	assert_int_equal(model_fired(world->model, MODEL_ERROR_BEFORE), 30);
}

static void
test_model_fault_after_has_its_effect(void **state)
{
	struct world *world = *state;
	bool lost = false, told = false;

	always(world, MODEL_POD_CREATE, MODEL_ERROR_AFTER);
	for (int i = 0; i < 30; i++) {
		world_ask(world, "POST", "/v2/pods", NULL, WORLD_POD);
		assert_true(world->reply.changed);
		lost |= world->reply.transport != MODEL_ANSWERED;
		told |= world->reply.status >= 500;
		assert_int_not_equal(world->reply.status, 201);
	}
	assert_true(lost && told);
	assert_int_equal(model_pod_count(world->model), 30);
}

static void
test_model_fault_delays_the_effect(void **state)
{
	struct world *world = *state;

	script(world, (struct model_script){ .call = MODEL_POD_CREATE,
	    .nth = 2, .fault = MODEL_DELAYED, .delay_ms = 5000,
	    .transport = MODEL_DROPPED });
	world_create(world);
	world_ask(world, "POST", "/v2/pods", NULL, WORLD_POD);
	assert_int_equal(world->reply.transport, MODEL_DROPPED);
	assert_false(world->reply.changed);
	world->now += 4999;
	model_advance(world->model, world->now);
	assert_int_equal(model_pod_count(world->model), 1);
	world->now += 1;
	model_advance(world->model, world->now);
	assert_int_equal(model_pod_count(world->model), 2);
	assert_int_equal(model_log_at(world->model, 1)->request, 2);
	assert_int_equal(model_pod_at(world->model, 1)->created_ms,
	    WORLD_START + 5000);
}

static void
test_model_fault_list_is_stale(void **state)
{
	struct world *world = *state;
	const char *path = world_create(world);
	const char *id = model_pod_at(world->model, 0)->id.data;

	world->now += 30000;
	world_ask(world, "DELETE", path, NULL, NULL);
	world_create(world);
	world->now += 1000;
	script(world, (struct model_script){ .call = MODEL_POD_LIST,
	    .nth = 1, .fault = MODEL_STALE, .delay_ms = 10000 });
	struct str list = world_ask(world, "GET", "/v2/pods", NULL, NULL);
	assert_has(list, id);
	assert_has(list, "\"status\":\"RUNNING\"");
	assert_lacks(list, "TERMINATED");
	assert_lacks(list, model_pod_at(world->model, 1)->id.data);
	list = world_ask(world, "GET", "/v2/pods", NULL, NULL);
	assert_has(list, "TERMINATED");
	assert_has(list, model_pod_at(world->model, 1)->id.data);
}

static void
test_model_fault_shrinks_lists_and_denies_pods(void **state)
{
	struct world *world = *state;
	const char *path = world_create(world);
	size_t empty = 0;

	always(world, MODEL_POD_LIST, MODEL_SHRUNK);
	for (int i = 0; i < 30; i++)
		empty += str_search(world_ask(world, "GET", "/v2/pods", NULL,
		    NULL), STR("{\"pods\":[]")) >= 0;
	assert_in_range(empty, 10, 29);
	always(world, MODEL_POD_GET, MODEL_GET_404);
	world_ask(world, "GET", path, NULL, NULL);
	assert_int_equal(world->reply.status, 404);
	assert_int_equal(world->reply.faults,
	    UINT64_C(1) << MODEL_GET_404);
	calm(world);
	world_ask(world, "GET", path, NULL, NULL);
	assert_int_equal(world->reply.status, 200);
}

static void
test_model_fault_creates_twice_but_tells_of_one(void **state)
{
	struct world *world = *state;

	always(world, MODEL_POD_CREATE, MODEL_TWICE);
	struct str body = world_ask(world, "POST", "/v2/pods", NULL,
	    WORLD_POD);
	assert_int_equal(model_pod_count(world->model), 2);
	assert_has(body, model_pod_at(world->model, 0)->id.data);
	assert_lacks(body, model_pod_at(world->model, 1)->id.data);
	assert_int_equal(model_log_at(world->model, 0)->request,
	    model_log_at(world->model, 1)->request);
}

static void
test_model_fault_no_stock_is_prose(void **state)
{
	struct world *world = *state;

	script(world, (struct model_script){ .call = MODEL_POD_CREATE,
	    .nth = 1, .fault = MODEL_NO_STOCK });
	assert_has(world_ask(world, "POST", "/v2/pods", NULL, WORLD_POD),
	    "There are no longer any instances available");
	assert_int_equal(world->reply.status, 400);
	world_create(world);
}

static void
test_model_fault_stuck_pods_stay_stuck(void **state)
{
	struct world *world = *state;
	size_t seen[5] = {0};

	always(world, MODEL_POD_CREATE, MODEL_STUCK);
	for (int i = 0; i < 30; i++)
		world_create(world);
	world->now += 3600 * 1000;
	model_advance(world->model, world->now);
	for (size_t i = 0; i < 30; i++) {
		const struct model_pod *pod = model_pod_at(world->model, i);
		static const enum model_status status[] = {
			[MODEL_NOT_STUCK] = MODEL_TERMINATED,
			[MODEL_STUCK_PROVISIONING] = MODEL_PROVISIONING,
			[MODEL_STUCK_STARTING] = MODEL_STARTING,
			[MODEL_STUCK_NO_PORTS] = MODEL_RUNNING,
			[MODEL_STUCK_EXITS] = MODEL_EXITED,
		};
		seen[pod->stuck]++;
		assert_int_equal(pod->status, status[pod->stuck]);
		assert_int_equal(pod->ports[0].outside, 0);
	}
	assert_int_equal(seen[MODEL_NOT_STUCK], 0);
	for (size_t i = 1; i < 5; i++)
		assert_in_range(seen[i], 1, 29);
}

static void
test_model_fault_waits_are_odd(void **state)
{
	struct world *world = *state;
	bool missing = false, negative = false;

	always(world, MODEL_POD_LIST, MODEL_RATE_LIMITED);
	for (int i = 0; i < 60; i++) {
		bool has = false;
		world_ask(world, "GET", "/v2/pods", NULL, NULL);
		assert_int_equal(world->reply.status, 429);
		for (size_t h = 0; h < world->reply.nheaders; h++)
			if (str_is(str_from(world->reply.headers[h].name),
			    "Retry-After")) {
				has = true;
				negative |= str_is(
				    world->reply.headers[h].value, "-5");
			}
		missing |= !has;
	}
	assert_true(missing && negative);
}

static void
test_model_fault_at_most_so_often(void **state)
{
	struct world *world = *state;
	struct model_faults faults = {0};

	faults.per_mille[MODEL_POD_LIST][MODEL_ERROR_BEFORE] = 1000;
	faults.at_most[MODEL_ERROR_BEFORE] = 3;
	model_set_faults(world->model, &faults);
	for (int i = 0; i < 5; i++)
		world_ask(world, "GET", "/v2/pods", NULL, NULL);
	assert_int_equal(world->reply.status, 200);
	assert_int_equal(model_fired(world->model, MODEL_ERROR_BEFORE), 3);
}

static void
test_model_script_replaces_a_body(void **state)
{
	struct world *world = *state;

	script(world, (struct model_script){ .call = MODEL_POD_LIST,
	    .nth = 1, .fault = MODEL_FAULT_COUNT,
	    .body = STR("{\"pods\":null}") });
	assert_true(str_is(world_ask(world, "GET", "/v2/pods", NULL, NULL),
	    "{\"pods\":null}"));
	script(world, (struct model_script){ .call = MODEL_POD_LIST,
	    .nth = 1, .fault = MODEL_BODY, .transport = MODEL_CUT,
	    .cut = 4 });
	world_ask(world, "GET", "/v2/pods", NULL, NULL);
	assert_int_equal(world->reply.transport, MODEL_CUT);
	assert_int_equal(world->reply.cut, 4);
	world_ask(world, "GET", "/v2/pods", NULL, NULL);
	assert_int_equal(world->reply.transport, MODEL_ANSWERED);
}

static void
test_model_console_is_told_apart(void **state)
{
	struct world *world = *state;
	const struct model_pod *pod;
	struct str id;

	world_create(world);
	pod = model_pod_at(world->model, 0);
	world->now += 5000;
	assert_true(model_console_rename(world->model, world->now, pod->id,
	    STR("other")));
	assert_true(model_console_edit_env(world->model, world->now, pod->id,
	    STR("A"), (struct str){0}));
	assert_null(model_pod_env(pod, "A").data);
	assert_true(str_is(model_pod_asked_env(pod, "A"), "1"));
	assert_true(str_is(pod->asked_name, "a"));
	assert_true(model_console_stop(world->model, world->now, pod->id));
	id = model_console_lookalike(world->model, world->now, pod->id, true);
	assert_true(model_pod_find(world->model, id)->by_console);
	assert_true(model_console_delete(world->model, world->now, pod->id));
	assert_false(model_console_stop(world->model, world->now, pod->id));
	assert_int_equal(model_log_count(world->model), 6);
	assert_int_equal(model_log_at(world->model, 0)->actor, MODEL_BY_API);
	for (size_t i = 1; i < 6; i++)
		assert_int_equal(model_log_at(world->model, i)->actor,
		    MODEL_BY_CONSOLE);
}

static void
test_model_quota_ends_in_429(void **state)
{
	struct world *world = *state;

	world->now = WORLD_START + 30000;
	for (int i = 0; i < 600; i++)
		world_ask(world, "GET", "/v2/pods", NULL, NULL);
	assert_int_equal(world->reply.status, 200);
	assert_has(world->reply.headers[1].value, "\"minute\";r=0;t=30");
	world_ask(world, "GET", "/v2/pods", NULL, NULL);
	assert_int_equal(world->reply.status, 429);
	assert_has(world->reply.body,
	    "rate limit exceeded for the minute window");
	world->now += 30000;
	world_ask(world, "GET", "/v2/pods", NULL, NULL);
	assert_int_equal(world->reply.status, 200);
}

/* A story with every fault at once, as one hash of all that was answered. */
static uint64_t
story(struct world *world, uint64_t seed)
{
	struct model_config config;
	struct model_faults faults = { .lookalikes = true };
	uint64_t hash = seed;

	model_config_default(&config);
	config.seed = seed;
	config.rate_limit = false;
	world_renew(world, &config);
	for (int c = 0; c < MODEL_CALL_COUNT; c++)
		for (int f = 0; f < MODEL_FAULT_COUNT; f++)
			if (f != MODEL_KEY_REVOKED && f != MODEL_BROKE)
				faults.per_mille[c][f] = 60;
	model_set_faults(world->model, &faults);
	for (int i = 0; i < 200; i++) {
		size_t n = model_pod_count(world->model);
		const char *path = n == 0 ? "/v2/pods/none"
		    : arena_printf(&world->arena, "/v2/pods/" STR_FMT,
		    STR_ARG(model_pod_at(world->model,
		    (size_t)i * 7 % n)->id)).data;
		world->now += 700;
		if (i % 4 == 0)
			world_ask(world, "POST", "/v2/pods", NULL, WORLD_POD);
		else if (i % 4 == 1)
			world_ask(world, "GET", "/v2/pods", NULL, NULL);
		else if (i % 4 == 2)
			world_ask(world, "GET", path, NULL, NULL);
		else
			world_ask(world, "DELETE", path, NULL, NULL);
		hash = hash * 31 + str_hash(world->reply.body) +
		    (uint64_t)world->reply.status * 7 +
		    (uint64_t)world->reply.delay_ms +
		    (uint64_t)world->reply.transport;
	}
	return hash * 31 + (uint64_t)model_spent(world->model, world->now);
}

static void
test_model_story_repeats_from_its_seed(void **state)
{
	struct world *world = *state;
	uint64_t first = story(world, 7);

	for (int f = 0; f < MODEL_FAULT_COUNT; f++)
		if (f != MODEL_KEY_REVOKED && f != MODEL_BROKE)
			assert_in_range(model_fired(world->model,
			    (enum model_fault)f), 1, 200);
	assert_true(story(world, 8) != first);
	assert_true(story(world, 7) == first);
}

/* The account's sum is that of its parts, whatever happened. */
static void
test_model_money_adds_up_in_chaos(void **state)
{
	struct world *world = *state;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		int64_t sum = 0, spent;
		story(world, seed);
		spent = model_spent(world->model, world->now);
		for (size_t i = 0; i < model_pod_count(world->model); i++)
			sum += model_pod_spent(model_pod_at(world->model, i),
			    world->now);
		/* Each interval may lose less than a micro-dollar. */
		assert_in_range(spent - sum, 0, 1000);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
	const struct CMUnitTest tests[] = {
		TEST(test_model_fault_before_has_no_effect),
		TEST(test_model_fault_after_has_its_effect),
		TEST(test_model_fault_delays_the_effect),
		TEST(test_model_fault_list_is_stale),
		TEST(test_model_fault_shrinks_lists_and_denies_pods),
		TEST(test_model_fault_creates_twice_but_tells_of_one),
		TEST(test_model_fault_no_stock_is_prose),
		TEST(test_model_fault_stuck_pods_stay_stuck),
		TEST(test_model_fault_waits_are_odd),
		TEST(test_model_fault_at_most_so_often),
		TEST(test_model_script_replaces_a_body),
		TEST(test_model_console_is_told_apart),
		TEST(test_model_quota_ends_in_429),
		TEST(test_model_story_repeats_from_its_seed),
		TEST(test_model_money_adds_up_in_chaos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
