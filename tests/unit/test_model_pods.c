/* test_model_pods.c - pods through the model's REST front end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model_world.h"

static void
test_model_pod_comes_up_in_steps(void **state)
{
	struct world *world = *state;
	const char *path = world_create(world);

	assert_has(world->reply.body, "\"status\":\"PROVISIONING\"");
	assert_has(world->reply.body, "\"runtime\":null");
	assert_has(world->reply.body, "\"startedAt\":null");
	world->now += 500;
	assert_has(world_ask(world, "GET", path, NULL, NULL),
	    "\"status\":\"STARTING\"");
	world->now += 1200;
	struct str up = world_ask(world, "GET", path, NULL, NULL);
	assert_has(up, "\"status\":\"RUNNING\"");
	assert_has(up, "\"uptime\":0");
	assert_has(up, "\"direct\":null");
	world->now += 200;
	up = world_ask(world, "GET", path, NULL, NULL);
	assert_has(up, "\"direct\":{\"host\":\"127.");
	assert_has(up, "\"private\":22");
	assert_has(up, "\"cost\":0.44");
}

static void
test_model_pod_stop_frees_and_start_changes_ports(void **state)
{
	struct world *world = *state;
	const char *path = world_create(world);
	const struct model_pod *pod = model_pod_at(world->model, 0);
	uint16_t before;

	world->now += 3000;
	model_advance(world->model, world->now);
	before = pod->ports[0].outside;
	assert_true(model_banner(world->model, world->now, pod->host,
	    before));
	struct str body = world_ask(world, "POST", world_under(world, path, "/action"),
	    NULL, "{\"action\":\"stop\"}");
	assert_has(body, "\"status\":\"EXITED\"");
	assert_has(body, "\"cost\":0,");
	assert_has(body, "\"actions\":[\"start\",\"terminate\"]");
	assert_false(model_banner(world->model, world->now, pod->host,
	    before));
	body = world_ask(world, "POST", world_under(world, path, "/action"), NULL,
	    "{\"action\":\"restart\"}");
	assert_int_equal(world->reply.status, 409);
	world_ask(world, "POST", world_under(world, path, "/action"), NULL,
	    "{\"action\":\"start\"}");
	assert_int_equal(world->reply.status, 200);
	world->now += 3000;
	assert_has(world_ask(world, "GET", path, NULL, NULL),
	    "\"status\":\"RUNNING\"");
	assert_int_not_equal(pod->ports[0].outside, before);
	assert_int_equal(pod->start_number, 2);
}

static void
test_model_pod_start_fails_when_host_is_full(void **state)
{
	struct world *world = *state;
	const char *path = world_create(world);

	world_ask(world, "POST", world_under(world, path, "/action"), NULL,
	    "{\"action\":\"stop\"}");
	assert_true(model_set_stock(world->model, STR("NVIDIA A40"),
	    STR("EU-RO-1"), false, 0));
	struct str body = world_ask(world, "POST", world_under(world, path, "/action"),
	    NULL, "{\"action\":\"start\"}");
	assert_int_equal(world->reply.status, 400);
	assert_true(str_is(body,
	    "{\"error\":\"not enough free GPUs on the host machine\"}"));
}

static void
test_model_pod_patch_resets_but_rename_does_not(void **state)
{
	struct world *world = *state;
	const char *path = world_create(world);

	world->now += 3000;
	struct str body = world_ask(world, "PATCH", path, NULL,
	    "{\"name\":\"b\",\"locked\":true}");
	assert_has(body, "\"name\":\"b\"");
	assert_has(body, "\"runtime\":{");
	world_ask(world, "PATCH", path, NULL, "{\"image\":\"y\"}");
	assert_int_equal(world->reply.status, 409);
	world_ask(world, "DELETE", path, NULL, NULL);
	assert_int_equal(world->reply.status, 409);
	world_ask(world, "PATCH", path, NULL, "{\"locked\":false}");
	body = world_ask(world, "PATCH", path, NULL,
	    "{\"image\":\"y\",\"env\":{\"B\":\"2\"}}");
	assert_has(body, "\"status\":\"RUNNING\"");
	assert_has(body, "\"runtime\":null");
	assert_has(body, "\"env\":{\"B\":\"2\"}");
}

static void
test_model_pod_ends_listed_for_a_while(void **state)
{
	struct world *world = *state;
	const char *path = world_create(world);

	world_ask(world, "DELETE", path, NULL, NULL);
	assert_int_equal(world->reply.status, 204);
	world_ask(world, "DELETE", path, NULL, NULL);
	assert_int_equal(world->reply.status, 404);
	assert_has(world_ask(world, "GET", "/v2/pods", NULL, NULL),
	    "\"status\":\"TERMINATED\"");
	world->now += 20000;
	assert_lacks(world_ask(world, "GET", "/v2/pods", NULL, NULL), "TERMINATED");
	world_ask(world, "GET", path, NULL, NULL);
	assert_int_equal(world->reply.status, 404);
	assert_has(world->reply.body, "\"detail\":\"resource not found\"");
}

static void
test_model_pod_create_refuses_with_reasons(void **state)
{
	static const struct { const char *body; int status; const char *says; }
	cases[] = {
		{ "{", 400, "not valid JSON" },
		{ "{} x", 400, "not valid JSON" },
		{ "{\"image\":\"x\",\"foo\":1}", 422,
		    "$: additional properties 'foo' not allowed" },
		{ "{\"image\":\"x\"}", 422, "$: missing property 'name'" },
		{ "{\"name\":\"a\",\"gpu\":{\"id\":\"NVIDIA A40\"}}", 422,
		    "$: missing property 'image'" },
		{ "{\"name\":\"a\",\"image\":\"x\"}", 400,
		    "exactly one of gpu or cpu" },
		{ "{\"name\":\"a\",\"image\":\"x\",\"disk\":\"20\"}", 422,
		    "$.disk: got string, want integer" },
		{ "{\"name\":\"a\",\"image\":\"x\",\"disk\":0}", 422,
		    "$.disk: minimum: got 0, want 1" },
		{ "{\"name\":\"a\",\"image\":\"x\",\"disk\":20,\"gpu\":"
		    "{\"id\":\"NVIDIA A40\"}}", 400,
		    "no instances currently available" },
		{ "{\"name\":\"a\",\"image\":\"x\",\"gpu\":{\"id\":"
		    "\"NVIDIA A40\",\"count\":1}}", 400,
		    "provide a template id or pod configuration" },
		{ "{\"name\":\"a\",\"image\":\"x\",\"disk\":20,\"gpu\":{\"id\""
		    ":\"NVIDIA A40\",\"count\":64}}", 400,
		    "could not find any pods with required specifications" },
		{ "{\"name\":\"a\",\"image\":\"x\",\"disk\":20,\"gpu\":{\"id\""
		    ":\"NVIDIA A40\",\"count\":1},\"cloud\":\"COMMUNITY\"}",
		    400, "no longer any instances available" },
		{ "{\"name\":\"a\",\"image\":\"x\",\"disk\":20,\"gpu\":{\"id\""
		    ":\"NVIDIA A40\",\"count\":1},\"dataCenterIds\":[\"XX\"]}",
		    400, "unknown data center" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		world_ask(world, "POST", "/v2/pods", NULL, cases[i].body);
		assert_has(world->reply.body, cases[i].says);
		assert_int_equal(world->reply.status, cases[i].status);
		assert_true(str_is(world->reply.content_type,
		    "application/problem+json"));
	}
	assert_int_equal(model_pod_count(world->model), 0);
	assert_int_equal(model_log_count(world->model), 0);
}

static void
test_model_pod_list_pages_newest_first(void **state)
{
	struct world *world = *state;
	struct str first, second;

	for (int i = 0; i < 5; i++)
		world_create(world);
	first = world_ask(world, "GET", "/v2/pods", "limit=3", NULL);
	assert_has(first, "\"hasNextPage\":true");
	assert_has(first, arena_printf(&world->arena,
	    "{\"pods\":[{\"id\":\"" STR_FMT "\"",
	    STR_ARG(model_pod_at(world->model, 4)->id)).data);
	ptrdiff_t at = str_search(first, STR("\"nextCursor\":\""));
	struct str cursor = str_sub(first, (size_t)at + 14, 12);
	second = world_ask(world, "GET", "/v2/pods", arena_printf(&world->arena,
	    "limit=3&cursor=" STR_FMT, STR_ARG(cursor)).data, NULL);
	assert_has(second, "\"hasNextPage\":false");
	for (size_t i = 0; i < 5; i++)
		assert_has(i < 2 ? second : first, model_pod_at(world->model,
		    i)->id.data);
	world_ask(world, "GET", "/v2/pods", "cursor=zz", NULL);
	assert_int_equal(world->reply.status, 422);
	world_ask(world, "GET", "/v2/pods", "limit=1001", NULL);
	assert_int_equal(world->reply.status, 422);
}

static void
test_model_money_is_by_the_second(void **state)
{
	struct world *world = *state;
	const char *path = world_create(world);
	const struct model_pod *pod = model_pod_at(world->model, 0);

	world->now += 3600 * 1000;
	/* 0.44 $ for the GPU, 20 GB at 0.10 $ a month of 730 h. */
	assert_int_equal(model_spent(world->model, world->now),
	    440000 + 20 * 100000 / 730);
	assert_int_equal(model_pod_spent(pod, world->now),
	    440000 + 20 * 100000 / 730);
	world_ask(world, "POST", world_under(world, path, "/action"), NULL,
	    "{\"action\":\"stop\"}");
	assert_int_equal(model_rate(world->model), 0);
	world->now += 3600 * 1000;
	assert_int_equal(model_spent(world->model, world->now),
	    440000 + 20 * 100000 / 730);
	assert_int_equal(model_balance(world->model, world->now),
	    INT64_C(1000000000) - 442739);
}

static void
test_model_pod_ends_when_money_does(void **state)
{
	struct world *world = *state;

	world_create(world);
	world->now += 5000;
	model_set_balance(world->model, world->now, 220000);
	world->now += 3600 * 1000;
	model_advance(world->model, world->now);
	const struct model_pod *pod = model_pod_at(world->model, 0);
	assert_int_equal(pod->status, MODEL_TERMINATED);
	assert_in_range(pod->ended_ms - WORLD_START, 1750 * 1000, 1800 * 1000);
	world_ask(world, "POST", "/v2/pods", NULL, WORLD_POD);
	assert_int_equal(world->reply.status, 402);
}

static void
test_model_key_is_asked_for(void **state)
{
	struct world *world = *state;
	struct model_request request = {
		.method = STR("GET"), .path = STR("/v2/pods"),
	};

	model_http(world->model, world->now, &world->arena, &request,
	    &world->reply);
	assert_int_equal(world->reply.status, 401);
	assert_has(world->reply.body, "missing bearer token");
	request.authorization = STR("bearer rpa_other");
	model_http(world->model, world->now, &world->arena, &request,
	    &world->reply);
	assert_int_equal(world->reply.status, 401);
	world_ask(world, "GET", "/v2/pods", NULL, NULL);
	assert_int_equal(world->reply.status, 200);
	model_set_key_revoked(world->model, true);
	world_ask(world, "GET", "/v2/pods", NULL, NULL);
	assert_int_equal(world->reply.status, 401);
	world_ask(world, "PUT", "/v2/pods", NULL, NULL);
}

static void
test_model_pod_log_tells_the_host_key(void **state)
{
	struct world *world = *state;
	const struct model_pod *pod;
	const char *key, *logs;

	world_ask(world, "POST", "/v2/pods", NULL, "{\"name\":\"a\","
	    "\"image\":\"x\",\"disk\":20,\"gpu\":{\"id\":"
	    "\"NVIDIA A40\",\"count\":1},\"ports\":[\"22/tcp\"],"
	    "\"env\":{\"PUBLIC_KEY\":\"ssh-ed25519 A\"}}");
	pod = model_pod_at(world->model, 0);
	logs = arena_printf(&world->arena, "/v2/pods/" STR_FMT "/logs",
	    STR_ARG(pod->id)).data;
	world_ask(world, "GET", logs, "source=container", NULL);
	assert_int_equal(world->reply.body.len, 0);
	world->now += 60000;
	world_ask(world, "GET", logs, "source=container", NULL);
	key = model_pod_host_key(&world->arena, pod).data;
	assert_int_equal(strlen(key), 50);
	assert_has(world->reply.body, key);
	assert_has(world->reply.body, "ED25519 key fingerprint:");
	model_console_stop(world->model, world->now, pod->id);
	model_console_start(world->model, world->now, pod->id);
	model_advance(world->model, world->now + 60000);
	assert_string_not_equal(key,
	    model_pod_host_key(&world->arena, pod).data);
}

static void
test_model_pod_log_has_a_tail(void **state)
{
	struct world *world = *state;
	const char *path = world_create(world);
	const char *logs = world_under(world, path, "/logs");
	struct str id = model_pod_at(world->model, 0)->id;

	for (int i = 0; i < 600 && model_pod_at(world->model, 0)->status !=
	    MODEL_STARTING; i++)
		model_advance(world->model, world->now += 100);
	/* What is printed too early is told from its start on. */
	model_container_print(world->model, world->now, id,
	    STR("zero\n"));
	world_ask(world, "GET", logs, "source=container", NULL);
	assert_lacks(world->reply.body, "zero");
	world->now += 120000;
	model_advance(world->model, world->now);
	world_ask(world, "GET", logs, "", NULL);
	const char *begun = strstr(arena_cstr(&world->arena,
	    world->reply.body), "start container: begin");
	assert_non_null(begun);
	assert_non_null(strstr(begun, "zero"));
	model_container_print(world->model, world->now, id,
	    STR("one\ntwo\n"));
	world_ask(world, "GET", logs, "tail=1&source=container", NULL);
	assert_has(world->reply.body, "two");
	assert_lacks(world->reply.body, "one");
	world_ask(world, "GET", logs, "since=2099-01-01T00:00:00Z", NULL);
	assert_int_equal(world->reply.body.len, 0);
	world_ask(world, "GET", logs, "tail=5001", NULL);
	assert_int_equal(world->reply.status, 422);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
	const struct CMUnitTest tests[] = {
		TEST(test_model_pod_comes_up_in_steps),
		TEST(test_model_pod_stop_frees_and_start_changes_ports),
		TEST(test_model_pod_start_fails_when_host_is_full),
		TEST(test_model_pod_patch_resets_but_rename_does_not),
		TEST(test_model_pod_ends_listed_for_a_while),
		TEST(test_model_pod_create_refuses_with_reasons),
		TEST(test_model_pod_list_pages_newest_first),
		TEST(test_model_money_is_by_the_second),
		TEST(test_model_pod_ends_when_money_does),
		TEST(test_model_key_is_asked_for),
		TEST(test_model_pod_log_tells_the_host_key),
		TEST(test_model_pod_log_has_a_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
