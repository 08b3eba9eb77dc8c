/*
 * test_hub_routes.c - GitHub of the model, route by route: who may ask, what
 * is answered to whom, and what of it changes a runner or a job.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/strbuf.h"
#include "model/github.h"
#include "model_world.h"

struct github_world {
	struct arena arena;
	struct hub *hub;
	int64_t now;
	const char *token, *agent, *version;
	struct model_reply reply;
};

/* Is what was signed what we signed?  Our signature is its length. */
static bool
verify(void *context, struct str text, struct str signature)
{
	(void)context;
	(void)text;
	return str_is(signature, "signed");
}

static int
begin(void **state)
{
	struct github_world *world = calloc(1, sizeof *world);
	struct hub_config config;

	assert_non_null(world);
	hub_config_default(&config);
	config.verify = verify;
	world->now = WORLD_START;
	world->token = "Bearer ghp_sim";
	world->agent = "test";
	world->hub = hub_new(&config, world->now);
	hub_organization(world->hub, STR("acme"));
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

#define REPOSITORY "/repos/acme/model"
#define RUNNERS REPOSITORY "/actions/runners"
#define GROUPS "/orgs/acme/actions/runner-groups"

static int
ask(struct github_world *world, const char *method, const char *path,
    const char *query, const char *body)
{
	struct hub_request request = {
		.method = str_from(method), .path = str_from(path),
		.query = str_from(query), .body = str_from(body),
		.authorization = str_from(world->token),
		.user_agent = str_from(world->agent),
		.api_version = str_from(world->version),
	};

	hub_http(world->hub, world->now, &world->arena, &request,
	    &world->reply);
	return world->reply.status;
}

static int
get(struct github_world *world, const char *path)
{
	return ask(world, "GET", path, NULL, NULL);
}

static const char *
under(struct github_world *world, const char *path, int64_t id,
    const char *more)
{
	return arena_printf(&world->arena, "%s/%lld%s", path, (long long)id,
	    more).data;
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

static struct hub_runner *
jit(struct github_world *world, const char *place, const char *name)
{
	const char *path = arena_printf(&world->arena,
	    "%s/actions/runners/generate-jitconfig", place).data;

	assert_int_equal(ask(world, "POST", path, NULL, arena_printf(
	    &world->arena, "{\"name\":\"%s\",\"runner_group_id\":1,"
	    "\"labels\":[\"gpu\"]}", name).data), 201);
	return hub_runner_at(world->hub, hub_runner_count(world->hub) - 1);
}

static struct hub_job *
job(struct github_world *world)
{
	const struct str labels[] = { STR("gpu") };

	return hub_add_job(world->hub, world->now, &(struct hub_want){
		.repository = STR("acme/model"), .name = STR("train"),
		.labels = labels, .nlabels = 1, .duration_ms = 60 * 1000 });
}

static void
pass(struct github_world *world, int64_t ms)
{
	world->now += ms;
	hub_advance(world->hub, world->now);
}

/* -------------------------------------------------------------- requests ---- */

static void
test_hub_answers_only_who_asks_politely(void **state)
{
	static const struct {
		const char *token, *agent, *version, *method, *path;
		int status;
		const char *says;
	} cases[] = {
		{ "Bearer ghp_sim", "x", "2022-11-28", "GET", RUNNERS, 200,
		  "" },
		{ "token ghp_sim", "x", "2026-03-10", "GET", RUNNERS, 200,
		  "" },
		{ "Bearer ghp_sim", NULL, NULL, "GET", RUNNERS, 403,
		  "User-Agent" },
		{ "Bearer ghp_sim", "x", "2020-01-01", "GET", RUNNERS, 400,
		  "is not supported" },
		{ NULL, "x", NULL, "GET", RUNNERS, 401,
		  "Requires authentication" },
		{ "Bearer nope", "x", NULL, "GET", RUNNERS, 401,
		  "Bad credentials" },
		{ "Basic ghp_sim", "x", NULL, "GET", RUNNERS, 401,
		  "Bad credentials" },
		{ NULL, "x", NULL, "GET", "/nothing", 401,
		  "Requires authentication" },
		{ "Bearer ghp_sim", "x", NULL, "GET", "/nothing", 404,
		  "Not Found" },
		{ "Bearer ghp_sim", "x", NULL, "GET", RUNNERS "/", 404,
		  "Not Found" },
		{ "Bearer ghp_sim", "x", NULL, "GET", "", 404, "Not Found" },
		{ "Bearer ghp_sim", "x", NULL, "GET", "/", 404, "Not Found" },
		{ "Bearer ghp_sim", "x", NULL, "GET", "//", 404,
		  "Not Found" },
		{ "Bearer ghp_sim", "x", NULL, "GET",
		  "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", 404, "Not Found" },
		{ "Bearer ghp_sim", "x", NULL, "PATCH", RUNNERS, 404,
		  "Not Found" },
		{ "Bearer ghp_sim", "x", NULL, "GET",
		  "/repos/acme/other/actions/runners", 404, "Not Found" },
		{ "Bearer ghp_sim", "x", NULL, "GET", "/repositories/x", 404,
		  "Not Found" },
		{ "Bearer ghp_sim", "x", NULL, "GET", "/repositories/999999",
		  404, "Not Found" },
		{ "Bearer ghp_sim_read", "x", NULL, "GET", RUNNERS, 200, "" },
		{ "Bearer ghp_sim_read", "x", NULL, "POST", RUNNERS
		  "/remove-token", 403,
		  "not accessible by personal access token" },
		{ "Bearer ghp_sim_classic", "x", NULL, "GET", RUNNERS, 200,
		  "" },
		{ "Bearer ghp_sim_none", "x", NULL, "GET", RUNNERS, 404,
		  "Not Found" },
		{ "Bearer ghp_sim_none", "x", NULL, "GET", REPOSITORY, 404,
		  "Not Found" },
		{ "Bearer ghp_sim_nopermission", "x", NULL, "GET", RUNNERS,
		  403, "not accessible by personal access token" },
		{ "Bearer ghp_sim_nopermission", "x", NULL, "GET", REPOSITORY,
		  200, "" },
		/* A repository is no organization. */
		{ "Bearer ghp_sim", "x", NULL, "GET", REPOSITORY
		  "/actions/runner-groups", 404, "Not Found" },
		{ "Bearer ghp_sim", "x", NULL, "GET",
		  "/orgs/acme%2Fmodel/actions/runners", 404, "Not Found" },
	};
	struct github_world *world = *state;

	job(world);
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		world->token = cases[i].token;
		world->agent = cases[i].agent;
		world->version = cases[i].version;
		int status = ask(world, cases[i].method, cases[i].path, NULL,
		    NULL);
		if (status != cases[i].status)
			fail_msg("%s %s: %d", cases[i].method, cases[i].path,
			    status);
		assert_has(world->reply.body, cases[i].says);
		if (status < 300)
			assert_true(header(world,
			    "x-github-api-version-selected").len > 0);
	}
}

static void
test_hub_knows_its_places(void **state)
{
	struct github_world *world = *state;
	struct hub_scope *scope;

	job(world);
	scope = hub_find_scope(world->hub, STR("acme/model"));
	assert_non_null(scope);
	assert_int_equal(get(world, REPOSITORY), 200);
	assert_has(world->reply.body, "\"name\":\"model\",\"full_name\":"
	    "\"acme/model\",\"owner\":{\"login\":\"acme\","
	    "\"type\":\"Organization\"}");
	assert_int_equal(get(world, "/orgs/acme"), 200);
	assert_has(world->reply.body, "\"login\":\"acme\"");
	assert_int_equal(get(world, under(world, "/repositories", scope->id,
	    "")), 200);
	assert_has(world->reply.body, "\"full_name\":\"acme/model\"");
	assert_int_equal(get(world, "/rate_limit"), 200);
	assert_has(world->reply.body, "{\"resources\":{\"core\":{\"limit\":");
	/* Nobody needs to be known for that. */
	world->token = NULL;
	assert_int_equal(get(world, "/rate_limit"), 200);
	assert_has(world->reply.body, "\"used\":0");
	world->token = "Bearer ghp_sim";
	assert_int_equal(get(world, "/orgs/acme/actions/permissions/"
	    "self-hosted-runners"), 200);
	assert_has(world->reply.body, "\"enabled_repositories\":\"all\"");

	/* A renamed one is found under its number. */
	hub_rename(world->hub, scope, STR("acme/renamed"));
	assert_int_equal(ask(world, "GET", RUNNERS, "page=2", NULL), 301);
	assert_true(str_ends(header(world, "Location"), arena_printf(
	    &world->arena, "/repositories/%lld/actions/runners?page=2",
	    (long long)hub_find_scope(world->hub, STR("acme/renamed"))->id)));
	assert_int_equal(ask(world, "POST", RUNNERS "/remove-token", NULL,
	    NULL), 307);
}

static void
test_hub_leads_through_pages(void **state)
{
	static const struct {
		const char *query, *link;
		size_t shown;
	} cases[] = {
		{ "per_page=2", "<https://api.github.com" RUNNERS
		  "?per_page=2&page=2>; rel=\"next\", <https://api.github.com"
		  RUNNERS "?per_page=2&page=3>; rel=\"last\"", 2 },
		{ "per_page=2&page=3", "<https://api.github.com" RUNNERS
		  "?per_page=2&page=2>; rel=\"prev\", <https://api.github.com"
		  RUNNERS "?per_page=2&page=1>; rel=\"first\"", 1 },
		{ "x=y&per_page=4", "<https://api.github.com" RUNNERS
		  "?x=y&per_page=4&page=2>; rel=\"next\", "
		  "<https://api.github.com" RUNNERS
		  "?x=y&per_page=4&page=2>; rel=\"last\"", 4 },
		{ "per_page=0&page=0", "", 5 }, { "per_page=x&page=y", "", 5 },
		{ "per_page=999", "", 5 }, { "", "", 5 },
		{ "per_page=5&page=9", "<https://api.github.com" RUNNERS
		  "?per_page=5&page=8>; rel=\"prev\", <https://api.github.com"
		  RUNNERS "?per_page=5&page=1>; rel=\"first\"", 0 },
	};
	struct github_world *world = *state;

	for (int i = 0; i < 5; i++)
		jit(world, REPOSITORY, arena_printf(&world->arena, "r%d", i)
		    .data);
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		size_t shown = 0;
		ptrdiff_t at;
		assert_int_equal(ask(world, "GET", RUNNERS, cases[i].query,
		    NULL), 200);
		if (!str_is(header(world, "Link"), cases[i].link))
			fail_msg("%s: %.*s", cases[i].query,
			    (int)header(world, "Link").len,
			    header(world, "Link").data);
		assert_has(world->reply.body, "\"total_count\":5");
		for (struct str rest = world->reply.body; (at = str_search(
		    rest, STR("\"name\":\"r"))) >= 0; shown++)
			rest = str_sub(rest, (size_t)at + 1, rest.len);
		assert_int_equal(shown, cases[i].shown);
	}
}

/* ------------------------------------------------------------------ jobs ---- */

static void
test_hub_tells_of_runs_and_jobs(void **state)
{
	struct github_world *world = *state;
	struct hub_job *first = job(world);
	const char *run = under(world, REPOSITORY "/actions/runs",
	    first->run_id, "");
	const char *one = under(world, REPOSITORY "/actions/jobs", first->id,
	    "");
	struct hub_runner *runner;

	assert_int_equal(get(world, run), 200);
	assert_has(world->reply.body, "\"name\":\"train\"");
	assert_has(world->reply.body, "\"status\":\"queued\","
	    "\"conclusion\":null,\"created_at\":\"2026-11-21T09:00:00Z\","
	    "\"updated_at\":\"2026-11-21T09:00:00Z\"");
	assert_int_equal(get(world, one), 200);
	assert_has(world->reply.body, "\"started_at\":null,"
	    "\"completed_at\":null,\"labels\":[\"gpu\"],\"steps\":[],"
	    "\"runner_id\":null,\"runner_name\":null,"
	    "\"runner_group_id\":null");

	runner = jit(world, REPOSITORY, "pod-a");
	hub_robot_start(world->hub, world->now, runner->jit, STR("9.999.0"),
	    STR("pod1"));
	pass(world, 30 * 1000);
	assert_int_equal(get(world, run), 200);
	assert_has(world->reply.body, "\"status\":\"in_progress\"");
	assert_int_equal(get(world, under(world, REPOSITORY "/actions/runs",
	    first->run_id, "/jobs")), 200);
	assert_has(world->reply.body, "{\"total_count\":1,\"jobs\":[{");
	assert_has(world->reply.body, "\"runner_name\":\"pod-a\"");
	/* It runs: not again, and it can be stopped. */
	assert_int_equal(ask(world, "POST", under(world, REPOSITORY
	    "/actions/jobs", first->id, "/rerun"), NULL, NULL), 403);
	assert_has(world->reply.body, "already running");

	pass(world, 120 * 1000);
	assert_int_equal(get(world, one), 200);
	assert_has(world->reply.body, "\"status\":\"completed\","
	    "\"conclusion\":\"success\"");
	assert_lacks(world->reply.body, "\"completed_at\":null");
	assert_int_equal(ask(world, "POST", under(world, REPOSITORY
	    "/actions/runs", first->run_id, "/cancel"), NULL, NULL), 409);
	assert_int_equal(ask(world, "POST", under(world, REPOSITORY
	    "/actions/jobs", first->id, "/rerun"), NULL, NULL), 201);
	assert_int_equal(hub_job_count(world->hub), 2);
	assert_int_equal(ask(world, "POST", under(world, REPOSITORY
	    "/actions/runs", hub_job_at(world->hub, 1)->run_id,
	    "/force-cancel"), NULL, NULL), 202);
	assert_int_equal(hub_job_at(world->hub, 1)->status, HUB_DONE);
}

static void
test_hub_lists_runs_by_what_they_came_to(void **state)
{
	static const struct {
		const char *query;
		int total;
	} cases[] = {
		{ NULL, 2 }, { "status=queued", 1 }, { "status=completed", 1 },
		{ "status=cancelled", 1 }, { "status=success", 0 },
		{ "status=in_progress", 0 },
	};
	struct github_world *world = *state;
	static const char *const gone[] = {
		REPOSITORY "/actions/runs/1", REPOSITORY "/actions/runs/x",
		REPOSITORY "/actions/runs/1/jobs",
		REPOSITORY "/actions/jobs/1",
	};

	job(world);
	hub_cancel_job(world->hub, world->now, hub_job_at(world->hub, 0)->id);
	job(world);
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		assert_int_equal(ask(world, "GET", REPOSITORY "/actions/runs",
		    cases[i].query, NULL), 200);
		assert_has(world->reply.body, arena_printf(&world->arena,
		    "{\"total_count\":%d,\"workflow_runs\":[",
		    cases[i].total).data);
	}
	for (size_t i = 0; i < COUNTOF(gone); i++)
		assert_int_equal(get(world, gone[i]), 404);
	assert_int_equal(ask(world, "POST", REPOSITORY
	    "/actions/runs/1/cancel", NULL, NULL), 404);
	assert_int_equal(ask(world, "POST", REPOSITORY
	    "/actions/jobs/1/rerun", NULL, NULL), 404);
}

/* --------------------------------------------------------------- runners ---- */

static void
test_hub_changes_the_labels_of_a_runner(void **state)
{
	struct github_world *world = *state;
	struct hub_runner *runner = jit(world, REPOSITORY, "pod-a");
	const char *labels = under(world, RUNNERS, runner->id, "/labels");
	static const struct {
		const char *method, *more, *body;
		int status;
		const char *part;
	} cases[] = {
		{ "GET", "", NULL, 200, "{\"total_count\":1" },
		{ "POST", "", "{\"labels\":[\"a\",\"b\"]}", 200,
		  "{\"total_count\":3" },
		{ "PUT", "", "{\"labels\":[\"c\"]}", 200,
		  "{\"total_count\":1" },
		{ "PUT", "", "{\"labels\":[]}", 200, "{\"total_count\":0" },
		{ "POST", "", "{\"labels\":[]}", 422, "between 1 and 100" },
		{ "POST", "", "{}", 422, "labels must be an array" },
		{ "POST", "", "{\"labels\":\"a\"}", 422,
		  "labels must be an array" },
		{ "POST", "", "{\"labels\":[\"\"]}", 422,
		  "between 1 and 256 characters" },
		{ "POST", "", "{\"labels\":[\"a\\\"b\"]}", 422,
		  "between 1 and 256 characters" },
		{ "POST", "", "{\"labels\":[\"a\\\\b\"]}", 422,
		  "between 1 and 256 characters" },
		{ "POST", "", "{\"labels\":[\"a\\nb\"]}", 422,
		  "between 1 and 256 characters" },
		{ "POST", "", "[]", 400, "Body should be a JSON object" },
		{ "POST", "", "{", 400, "Problems parsing JSON" },
		{ "POST", "", "{\"labels\":[\"d\",\"e\"]}", 200,
		  "{\"total_count\":2" },
		{ "DELETE", "/D", NULL, 200, "{\"total_count\":1" },
		{ "DELETE", "/d", NULL, 404, "Not Found" },
		{ "DELETE", "", NULL, 200, "{\"total_count\":0" },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		int status = ask(world, cases[i].method, arena_printf(
		    &world->arena, "%s%s", labels, cases[i].more).data, NULL,
		    cases[i].body);
		if (status != cases[i].status)
			fail_msg("%s %s: %d %.*s", cases[i].method,
			    cases[i].body, status,
			    (int)world->reply.body.len,
			    world->reply.body.data);
		assert_has(world->reply.body, cases[i].part);
	}
	for (size_t i = 0; i < 2; i++) {
		static const char *const methods[] = { "GET", "DELETE" };
		assert_int_equal(ask(world, methods[i], RUNNERS "/9/labels",
		    NULL, NULL), 404);
	}
	assert_int_equal(ask(world, "DELETE", RUNNERS "/9/labels/a", NULL,
	    NULL), 404);
	assert_int_equal(ask(world, "PUT", RUNNERS "/9/labels", NULL,
	    "{\"labels\":[]}"), 404);
}

static void
test_hub_tells_of_groups(void **state)
{
	struct github_world *world = *state;

	jit(world, "/orgs/acme", "pod-a");
	assert_int_equal(get(world, GROUPS), 200);
	assert_has(world->reply.body, "\"runner_groups\":[{\"id\":1,"
	    "\"name\":\"Default\",\"visibility\":\"all\",\"default\":true");
	assert_int_equal(get(world, GROUPS "/1"), 200);
	assert_has(world->reply.body, "\"runners_url\":"
	    "\"https://api.github.com" GROUPS "/1/runners\"");
	assert_int_equal(get(world, GROUPS "/1/runners"), 200);
	assert_has(world->reply.body, "{\"total_count\":1,\"runners\":[{");
	assert_int_equal(get(world, GROUPS "/99"), 404);
	assert_int_equal(get(world, GROUPS "/x"), 404);
	assert_int_equal(get(world, GROUPS "/99/runners"), 404);
}

static void
test_hub_refuses_odd_jit_runners(void **state)
{
	static const struct {
		const char *body;
		int status;
		const char *says;
	} cases[] = {
		{ "{\"name\":\"a\\\"b\",\"runner_group_id\":1,\"labels\":"
		  "[\"a\"]}", 422, "between 1 and 64 characters" },
		{ "{\"name\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		  "xxxxxxxxxxxxxxxxxxx\",\"runner_group_id\":1,\"labels\":"
		  "[\"a\"]}", 422, "between 1 and 64 characters" },
		{ "{\"runner_group_id\":1,\"labels\":[\"a\"]}", 422,
		  "between 1 and 64 characters" },
		{ "{\"name\":\"a\",\"runner_group_id\":77,\"labels\":[\"a\"]}",
		  422, "Runner group 77 does not exist" },
		{ "[1]", 400, "Body should be a JSON object" },
	};
	struct github_world *world = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		int status = ask(world, "POST", "/orgs/acme/actions/runners/"
		    "generate-jitconfig", NULL, cases[i].body);
		if (status != cases[i].status)
			fail_msg("%s: %d", cases[i].body, status);
		assert_has(world->reply.body, cases[i].says);
	}
	assert_int_equal(hub_runner_count(world->hub), 0);
}

static void
test_hub_gives_the_same_token_for_a_while(void **state)
{
	static const char *const paths[] = {
		RUNNERS "/registration-token", RUNNERS "/remove-token",
	};
	struct github_world *world = *state;

	for (size_t i = 0; i < COUNTOF(paths); i++) {
		assert_int_equal(ask(world, "POST", paths[i], NULL, NULL),
		    201);
		struct str first = world->reply.body;
		pass(world, 60 * 1000);
		ask(world, "POST", paths[i], NULL, NULL);
		assert_true(str_eq(world->reply.body, first));
		assert_int_equal(ask(world, "POST", paths[1 - i], NULL, NULL),
		    201);
		assert_false(str_eq(world->reply.body, first));
		pass(world, 40 * 60 * 1000);
		ask(world, "POST", paths[i], NULL, NULL);
		assert_false(str_eq(world->reply.body, first));
	}
}

/* --------------------------------------------------------------- the App ---- */

/* A token that an App signs, of these parts. */
static const char *
signed_token(struct github_world *world, const char *head, const char *claims,
    const char *signature)
{
	struct strbuf text = {0};

	strbuf_adds(&text, "Bearer ");
	base64_encode(&text, str_from(head), BASE64_URL);
	strbuf_addc(&text, '.');
	base64_encode(&text, str_from(claims), BASE64_URL);
	strbuf_addc(&text, '.');
	base64_encode(&text, str_from(signature), BASE64_URL);
	const char *token = arena_cstr(&world->arena, strbuf_str(&text));
	strbuf_release(&text);
	return token;
}

static const char *
claims(struct github_world *world, const char *issuer, int64_t from_s,
    int64_t to_s)
{
	int64_t now_s = world->now / 1000;
	return arena_printf(&world->arena, "{\"iat\":%lld,\"exp\":%lld,"
	    "\"iss\":\"%s\"}", (long long)(now_s + from_s),
	    (long long)(now_s + to_s), issuer).data;
}

#define RS256 "{\"alg\":\"RS256\",\"typ\":\"JWT\"}"

static void
test_hub_knows_an_app_by_its_signature(void **state)
{
	struct github_world *world = *state;
	const char *good = claims(world, "4242", -60, 540);
	const struct {
		const char *token;
		const char *why;	/* NULL: let in */
	} cases[] = {
		{ signed_token(world, RS256, good, "signed"), NULL },
		{ signed_token(world, RS256, good, "forged"),
		  "A JSON web token could not be decoded" },
		{ signed_token(world, "{\"alg\":\"none\"}", good, "signed"),
		  "A JSON web token could not be decoded" },
		{ signed_token(world, "[]", good, "signed"),
		  "A JSON web token could not be decoded" },
		{ signed_token(world, RS256, "no JSON", "signed"),
		  "A JSON web token could not be decoded" },
		{ signed_token(world, RS256, claims(world, "9", -60, 540),
		  "signed"), "Integration not found" },
		{ signed_token(world, RS256, claims(world, "4242", -60, 0),
		  "signed"), "at which the assertion expires" },
		{ signed_token(world, RS256, claims(world, "4242", -60, 700),
		  "signed"), "is too far in the future" },
		{ signed_token(world, RS256, claims(world, "4242", -200, 540),
		  "signed"), "is too far in the future" },
		{ signed_token(world, RS256, claims(world, "4242", 120, 540),
		  "signed"), "that the assertion was issued" },
		{ "Bearer a.b", "A JSON web token could not be decoded" },
		{ "Bearer a.b.c!", "A JSON web token could not be decoded" },
		{ "Bearer a!.b.c", "A JSON web token could not be decoded" },
		{ "Bearer a.b!.c", "A JSON web token could not be decoded" },
		{ "Basic x", "A JSON web token could not be decoded" },
		{ NULL, "A JSON web token could not be decoded" },
	};
	static const char *const paths[] = {
		"/app", "/app/installations", "/orgs/acme/installation",
	};

	for (size_t i = 0; i < COUNTOF(cases); i++)
		for (size_t j = 0; j < COUNTOF(paths); j++) {
			world->token = cases[i].token;
			int status = get(world, paths[j]);
			if (status != (cases[i].why == NULL ? 200 : 401))
				fail_msg("%zu %s: %d %.*s", i, paths[j],
				    status, (int)world->reply.body.len,
				    world->reply.body.data);
			if (cases[i].why != NULL)
				assert_has(world->reply.body, cases[i].why);
		}
}

static void
test_hub_gives_an_app_a_token_that_ends(void **state)
{
	struct github_world *world = *state;
	struct str token, rest;
	ptrdiff_t at;
	const char *jwt = world->token = signed_token(world, RS256,
	    claims(world, "4242", -60, 540), "signed");

	assert_int_equal(get(world, "/app"), 200);
	assert_has(world->reply.body, "\"slug\":\"podform\"");
	assert_int_equal(get(world, "/app/installations"), 200);
	assert_has(world->reply.body, "\"account\":{\"login\":\"acme\"");
	assert_int_equal(get(world, "/orgs/acme/installation"), 200);
	at = str_search(world->reply.body, STR("\"id\":"));
	token = str_cut(str_sub(world->reply.body, (size_t)at + 5,
	    world->reply.body.len), ',', &rest);
	const char *path = arena_printf(&world->arena, "/app/installations/"
	    STR_FMT "/access_tokens", STR_ARG(token)).data;
	assert_int_equal(ask(world, "POST", path, NULL, "{}"), 201);
	assert_has(world->reply.body, "\"expires_at\":"
	    "\"2026-11-21T10:00:00Z\"");
	at = str_search(world->reply.body, STR("\"token\":\""));
	token = str_cut(str_sub(world->reply.body, (size_t)at + 9,
	    world->reply.body.len), '"', &rest);
	world->token = arena_printf(&world->arena, "Bearer " STR_FMT,
	    STR_ARG(token)).data;
	assert_int_equal(get(world, "/orgs/acme/actions/runners"), 200);
	pass(world, 3600 * 1000);
	assert_int_equal(get(world, "/orgs/acme/actions/runners"), 401);
	/* No installation of that number; and the App's own token is old. */
	world->token = jwt;
	assert_int_equal(ask(world, "POST", path, NULL, "{}"), 401);
	world->token = signed_token(world, RS256, claims(world, "4242", -60,
	    540), "signed");
	assert_int_equal(ask(world, "POST", "/app/installations/1/"
	    "access_tokens", NULL, "{}"), 404);
	assert_int_equal(ask(world, "POST", "/app/installations/x/"
	    "access_tokens", NULL, "{}"), 404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hub_answers_only_who_asks_politely),
		TEST(test_hub_knows_its_places),
		TEST(test_hub_leads_through_pages),
		TEST(test_hub_tells_of_runs_and_jobs),
		TEST(test_hub_lists_runs_by_what_they_came_to),
		TEST(test_hub_changes_the_labels_of_a_runner),
		TEST(test_hub_tells_of_groups),
		TEST(test_hub_refuses_odd_jit_runners),
		TEST(test_hub_gives_the_same_token_for_a_while),
		TEST(test_hub_knows_an_app_by_its_signature),
		TEST(test_hub_gives_an_app_a_token_that_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
