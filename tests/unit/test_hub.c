/* test_hub.c - GitHub's side of runners: requests in, answers and truth out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/github.h"
#include "model_world.h"

struct github_world {
	struct arena arena;
	struct hub *hub;
	int64_t now;
	const char *token;
	struct str etag;
	struct model_reply reply;
};

static int
begin(void **state)
{
	struct github_world *world = calloc(1, sizeof *world);
	struct hub_config config;

	assert_non_null(world);
	hub_config_default(&config);
	world->now = WORLD_START;
	world->token = "Bearer ghp_sim";
	world->hub = hub_new(&config, world->now);
	*state = world;
	return 0;
}

static int
end(void **state)
{
	struct github_world *world = *state;

	hub_free(world->hub);
	arena_release(&world->arena);
	free(world);
	return 0;
}

#define RUNNERS "/repos/acme/model/actions/runners"

static struct str
ask(struct github_world *world, const char *method, const char *path,
    const char *query, const char *body)
{
	struct hub_request request = {
		.method = str_from(method), .path = str_from(path),
		.query = str_from(query), .body = str_from(body),
		.authorization = str_from(world->token),
		.user_agent = STR("test"), .if_none_match = world->etag,
	};

	hub_http(world->hub, world->now, &world->arena, &request,
	    &world->reply);
	return world->reply.body;
}

static struct str
header(const struct github_world *world, const char *name)
{
	for (size_t i = 0; i < world->reply.nheaders; i++)
		if (str_eq_fold(str_from(world->reply.headers[i].name),
		    str_from(name)))
			return world->reply.headers[i].value;
	return (struct str){0};
}

/* A JIT runner with the label gpu. */
static struct hub_runner *
jit(struct github_world *world, const char *name)
{
	ask(world, "POST", RUNNERS "/generate-jitconfig", NULL,
	    arena_printf(&world->arena, "{\"name\":\"%s\","
	    "\"runner_group_id\":1,\"labels\":[\"self-hosted\",\"gpu\"]}",
	    name).data);
	assert_int_equal(world->reply.status, 201);
	return hub_runner_at(world->hub, hub_runner_count(world->hub) - 1);
}

static struct hub_job *
job(struct github_world *world, int64_t ms)
{
	const struct str labels[] = { STR("GPU") };

	return hub_add_job(world->hub, world->now, &(struct hub_want){
		.repository = STR("acme/model"), .labels = labels,
		.nlabels = 1, .duration_ms = ms });
}

static struct str
path_of(struct github_world *world, const struct hub_runner *runner)
{
	return arena_printf(&world->arena, RUNNERS "/%lld",
	    (long long)runner->id);
}

static void
test_hub_jit_runner_is_offline_until_it_connects(void **state)
{
	struct github_world *world = *state;
	struct hub_runner *runner = jit(world, "pod-a");

	assert_has(world->reply.body, "\"os\":\"unknown\"");
	assert_has(world->reply.body, "\"status\":\"offline\"");
	assert_has(world->reply.body, "\"encoded_jit_config\":\"ey");
	assert_int_equal(hub_robot_start(world->hub, world->now, runner->jit,
	    STR("9.999.0"), STR("pod1")), HUB_OK);
	ask(world, "GET", RUNNERS, NULL, NULL);
	assert_has(world->reply.body, "\"total_count\":1");
	assert_has(world->reply.body, "\"status\":\"online\"");
}

static void
test_hub_refuses_a_name_that_is_taken(void **state)
{
	struct github_world *world = *state;

	jit(world, "pod-a");
	ask(world, "POST", RUNNERS "/generate-jitconfig", NULL,
	    "{\"name\":\"POD-A\",\"runner_group_id\":1,\"labels\":[\"a\"]}");
	assert_int_equal(world->reply.status, 409);
	assert_has(world->reply.body, "Already exists");
}

static void
test_hub_refuses_what_is_no_runner(void **state)
{
	static const char *const bodies[] = {
		"{\"name\":\"a\",\"runner_group_id\":1,\"labels\":[]}",
		"{\"name\":\"\",\"runner_group_id\":1,\"labels\":[\"a\"]}",
		"{\"name\":\"a\",\"runner_group_id\":9,\"labels\":[\"a\"]}",
		"{\"name\":\"a\",\"runner_group_id\":1}",
	};
	struct github_world *world = *state;

	for (size_t i = 0; i < COUNTOF(bodies); i++) {
		ask(world, "POST", RUNNERS "/generate-jitconfig", NULL,
		    bodies[i]);
		assert_int_equal(world->reply.status, 422);
	}
	ask(world, "POST", RUNNERS "/generate-jitconfig", NULL, "{");
	assert_int_equal(world->reply.status, 400);
	assert_int_equal(hub_runner_count(world->hub), 0);
}

static void
test_hub_refuses_to_remove_a_busy_runner(void **state)
{
	struct github_world *world = *state;
	struct hub_runner *runner = jit(world, "pod-a");
	struct hub_job *work;
	const char *path = path_of(world, runner).data;

	hub_robot_start(world->hub, world->now, runner->jit, STR("9.999.0"),
	    STR("pod1"));
	work = job(world, 60000);
	assert_ptr_equal(hub_pod_job(world->hub, STR("pod1")), work);
	ask(world, "DELETE", path, NULL, NULL);
	assert_int_equal(world->reply.status, 422);
	assert_has(world->reply.body, "is still running a job\\\"");
	world->now += 60000;
	ask(world, "GET", path, NULL, NULL);
	assert_int_equal(world->reply.status, 404);
	assert_int_equal(work->conclusion, HUB_SUCCESS);
	assert_int_equal(work->ended_ms - work->started_ms, 60000);
	assert_int_equal(runner->removed_by, HUB_BY_RUNNER);
	assert_null(hub_pod_job(world->hub, STR("pod1")));
	assert_int_equal(hub_jobs_killed(world->hub), 0);
}

static void
test_hub_knows_who_killed_a_job(void **state)
{
	struct github_world *world = *state;
	struct hub_runner *runner = jit(world, "pod-a");
	struct hub_job *work;
	const char *path = path_of(world, runner).data;

	hub_robot_start(world->hub, world->now, runner->jit, STR("9.999.0"),
	    STR("pod1"));
	work = job(world, 3600000);
	world->now += 1000;
	hub_pod_ended(world->hub, world->now, STR("pod1"));
	assert_int_equal(work->died_ms, world->now);
	assert_int_equal(hub_jobs_killed(world->hub), 1);
	/* GitHub takes ten minutes to believe it. */
	world->now += 60000;
	ask(world, "DELETE", path, NULL, NULL);
	assert_int_equal(world->reply.status, 422);
	ask(world, "GET", path, NULL, NULL);
	assert_has(world->reply.body, "\"status\":\"offline\",\"busy\":true");
	world->now += 600000;
	ask(world, "GET", path, NULL, NULL);
	assert_int_equal(world->reply.status, 404);
	assert_int_equal(work->conclusion, HUB_LOST);
}

static void
test_hub_lie_about_busy_costs_the_job(void **state)
{
	struct github_world *world = *state;
	struct hub_runner *runner = jit(world, "pod-a");
	const char *path = path_of(world, runner).data;
	struct hub_job *work;

	hub_robot_start(world->hub, world->now, runner->jit, STR("9.999.0"),
	    STR("pod1"));
	work = job(world, 60000);
	world->now += 30000;
	hub_add_script(world->hub, &(struct hub_script){ .call = HUB_GET,
	    .nth = 1, .fault = HUB_BUSY_LIE });
	ask(world, "GET", path, NULL, NULL);
	assert_has(world->reply.body, "\"busy\":false");
	hub_add_script(world->hub, &(struct hub_script){ .call = HUB_DELETE,
	    .nth = 1, .fault = HUB_BUSY_LIE });
	ask(world, "DELETE", path, NULL, NULL);
	assert_int_equal(world->reply.status, 204);
	assert_true(work->cancelled_by_delete);
	assert_int_equal(hub_jobs_killed(world->hub), 1);
}

static void
test_hub_job_may_begin_before_a_removal(void **state)
{
	struct github_world *world = *state;
	struct hub_runner *runner = jit(world, "pod-a");

	hub_robot_start(world->hub, world->now, runner->jit, STR("9.999.0"),
	    STR("pod1"));
	hub_add_script(world->hub, &(struct hub_script){ .call = HUB_DELETE,
	    .nth = 1, .fault = HUB_JOB_FIRST });
	ask(world, "DELETE", path_of(world, runner).data, NULL, NULL);
	assert_int_equal(world->reply.status, 422);
	assert_non_null(hub_pod_job(world->hub, STR("pod1")));
}

static void
test_hub_lost_answer_leaves_the_runner(void **state)
{
	struct github_world *world = *state;

	hub_add_script(world->hub, &(struct hub_script){ .call = HUB_JIT,
	    .nth = 1, .fault = HUB_ERROR_AFTER, .status = 503 });
	ask(world, "POST", RUNNERS "/generate-jitconfig", NULL,
	    "{\"name\":\"a\",\"runner_group_id\":1,\"labels\":[\"a\"]}");
	assert_int_equal(world->reply.status, 503);
	assert_true(world->reply.changed);
	ask(world, "GET", RUNNERS, "name=a", NULL);
	assert_has(world->reply.body, "\"total_count\":1");
}

static void
test_hub_pages_by_links(void **state)
{
	struct github_world *world = *state;

	for (int i = 0; i < 205; i++)
		jit(world, arena_printf(&world->arena, "r%d", i).data);
	ask(world, "GET", RUNNERS, "per_page=100", NULL);
	assert_has(header(world, "link"), "per_page=100&page=2>; rel=\"next\"");
	assert_has(world->reply.body, "\"total_count\":205");
	ask(world, "GET", RUNNERS, "per_page=100&page=3", NULL);
	assert_lacks(header(world, "link"), "next");
	assert_has(world->reply.body, "\"r204\"");
}

static void
test_hub_unchanged_answer_costs_nothing(void **state)
{
	struct github_world *world = *state;

	ask(world, "GET", RUNNERS, NULL, NULL);
	assert_has(header(world, "x-ratelimit-remaining"), "4999");
	world->etag = header(world, "etag");
	ask(world, "GET", RUNNERS, NULL, NULL);
	assert_int_equal(world->reply.status, 304);
	assert_has(header(world, "x-ratelimit-remaining"), "4999");
	jit(world, "a");
	ask(world, "GET", RUNNERS, NULL, NULL);
	assert_int_equal(world->reply.status, 200);
}

static void
test_hub_tokens_have_roles(void **state)
{
	struct github_world *world = *state;

	world->token = "Bearer ghp_sim_read";
	ask(world, "GET", RUNNERS, NULL, NULL);
	assert_int_equal(world->reply.status, 200);
	ask(world, "POST", RUNNERS "/registration-token", NULL, NULL);
	assert_int_equal(world->reply.status, 403);
	assert_has(header(world, "x-accepted-github-permissions"),
	    "administration=write");
	world->token = "Bearer ghp_sim_none";
	ask(world, "GET", RUNNERS, NULL, NULL);
	assert_int_equal(world->reply.status, 404);
	world->token = "Bearer wrong";
	ask(world, "GET", RUNNERS, NULL, NULL);
	assert_int_equal(world->reply.status, 401);
	assert_has(world->reply.body, "\"status\":\"401\"");
}

static void
test_hub_registers_by_token_for_an_hour(void **state)
{
	struct github_world *world = *state;
	const struct str labels[] = { STR("gpu") };
	struct hub_registration wish = { .url = STR("http://h/acme/model"),
	    .name = STR("box"), .version = STR("9.999.0"), .labels = labels,
	    .nlabels = 1 };
	struct hub_runner *runner;
	struct str body = ask(world, "POST", RUNNERS "/registration-token",
	    NULL, NULL);

	assert_has(body, "-07:00\"");
	wish.token = str_sub(body, 10, 29);
	assert_int_equal(hub_register(world->hub, world->now, &wish, &runner),
	    HUB_OK);
	assert_int_equal(runner->nlabels, 4);
	assert_int_equal(hub_register(world->hub, world->now, &wish, &runner),
	    HUB_EXISTS);
	ask(world, "PUT", arena_printf(&world->arena, RUNNERS "/%lld/labels",
	    (long long)runner->id).data, NULL, "{\"labels\":[]}");
	assert_has(world->reply.body, "\"total_count\":3");
	wish.name = STR("late");
	assert_int_equal(hub_register(world->hub, world->now + 3600001, &wish,
	    &runner), HUB_REFUSED);
}

static void
test_hub_listener_protocol_runs_a_job(void **state)
{
	struct github_world *world = *state;
	struct hub_runner *runner = jit(world, "a");
	struct hub_job *work, *given;
	int64_t session, second;

	assert_int_equal(hub_connect(world->hub, world->now, runner->id,
	    STR("wrong"), STR("9.999.0"), STR("p"), &session), HUB_REFUSED);
	assert_int_equal(hub_connect(world->hub, world->now, runner->id,
	    runner->secret, STR("9.999.0"), STR("p"), &session), HUB_OK);
	assert_int_equal(hub_connect(world->hub, world->now, runner->id,
	    runner->secret, STR("9.999.0"), STR("q"), &second), HUB_TAKEN);
	work = job(world, 1000);
	assert_int_equal(work->status, HUB_ASSIGNED);
	assert_int_equal(hub_poll(world->hub, world->now, runner->id, session,
	    &given), HUB_OK);
	assert_ptr_equal(given, work);
	assert_int_equal(hub_done(world->hub, world->now, runner->id, session,
	    work->id, HUB_SUCCESS, STR("out")), HUB_OK);
	assert_int_equal(work->conclusion, HUB_SUCCESS);
	assert_int_equal(hub_poll(world->hub, world->now, runner->id, session,
	    &given), HUB_GONE);
}

static void
test_hub_silent_listener_is_offline_after_a_while(void **state)
{
	struct github_world *world = *state;
	struct hub_runner *runner = jit(world, "a");
	int64_t session;

	hub_connect(world->hub, world->now, runner->id, runner->secret,
	    STR("9.999.0"), STR("p"), &session);
	world->now += 40000;
	hub_advance(world->hub, world->now);
	assert_true(hub_runner_online(world->hub, runner));
	world->now += 1;
	hub_advance(world->hub, world->now);
	assert_false(hub_runner_online(world->hub, runner));
	world->now += 24 * 3600 * 1000;
	hub_advance(world->hub, world->now);
	assert_int_equal(runner->removed_by, HUB_BY_GITHUB);
}

static void
test_hub_old_versions_are_refused(void **state)
{
	struct github_world *world = *state;
	struct hub_runner *runner = jit(world, "a");
	int64_t session;

	hub_set_least_version(world->hub, STR("10.0.0"));
	assert_int_equal(hub_connect(world->hub, world->now, runner->id,
	    runner->secret, STR("9.999.0"), STR("p"), &session), HUB_TOO_OLD);
	ask(world, "GET", RUNNERS "/deprecations/9.999.0", NULL, NULL);
	assert_has(world->reply.body, "\"runtime_deprecates_at\":\"20");
}

static void
test_hub_renamed_repository_redirects(void **state)
{
	struct github_world *world = *state;
	struct str location;

	hub_rename(world->hub, hub_find_scope(world->hub,
	    STR("acme/model")), STR("acme/fresh"));
	ask(world, "GET", RUNNERS, "per_page=5", NULL);
	assert_int_equal(world->reply.status, 301);
	location = header(world, "location");
	assert_has(location, "/repositories/");
	ask(world, "GET", arena_cstr(&world->arena, str_sub(location,
	    sizeof "https://api.github.com" - 1,
	    (size_t)str_find(location, '?') -
	    (sizeof "https://api.github.com" - 1))), NULL, NULL);
	assert_int_equal(world->reply.status, 200);
	ask(world, "DELETE", RUNNERS "/1", NULL, NULL);
	assert_int_equal(world->reply.status, 307);
}

static void
test_hub_faults_never_cost_more_than_said(void **state)
{
	struct github_world *world = *state;
	struct hub_faults faults = { .at_most = { [HUB_SECONDARY] = 2 } };

	faults.per_mille[HUB_LIST][HUB_SECONDARY] = 1000;
	hub_set_faults(world->hub, &faults);
	for (int i = 0; i < 5; i++) {
		ask(world, "GET", RUNNERS, NULL, NULL);
		assert_int_equal(world->reply.status, i < 2 ? 403 : 200);
	}
	assert_int_equal(hub_fired(world->hub, HUB_SECONDARY), 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_hub_jit_runner_is_offline_until_it_connects),
		TEST(test_hub_refuses_a_name_that_is_taken),
		TEST(test_hub_refuses_what_is_no_runner),
		TEST(test_hub_refuses_to_remove_a_busy_runner),
		TEST(test_hub_knows_who_killed_a_job),
		TEST(test_hub_lie_about_busy_costs_the_job),
		TEST(test_hub_job_may_begin_before_a_removal),
		TEST(test_hub_lost_answer_leaves_the_runner),
		TEST(test_hub_pages_by_links),
		TEST(test_hub_unchanged_answer_costs_nothing),
		TEST(test_hub_tokens_have_roles),
		TEST(test_hub_registers_by_token_for_an_hour),
		TEST(test_hub_listener_protocol_runs_a_job),
		TEST(test_hub_silent_listener_is_offline_after_a_while),
		TEST(test_hub_old_versions_are_refused),
		TEST(test_hub_renamed_repository_redirects),
		TEST(test_hub_faults_never_cost_more_than_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
