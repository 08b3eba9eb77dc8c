/*
 * test_github_world.c - credentials, limits, redirects and pages, over a world
 * that answers by script and whose clock only moves while somebody waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "github/github_jwt.h"
#include "github/github_url.h"
#include "github/github_world.h"
#include "tests/unit/shell.h"

#define assert_str(actual, expected) do { \
	struct str a_ = (actual); \
	struct arena c_ = {0}; \
	assert_string_equal(arena_cstr(&c_, a_), expected); \
	arena_release(&c_); \
} while (0)

/* ---------------------------------------------------------- the script ---- */

enum { SENT = 64 };

struct sent {
	uint64_t token;
	struct http_request request;
	int64_t at_ms;
	bool done;
};

struct fake {
	struct arena arena;
	struct world inner;
	struct github_world *gh;
	struct world *world;
	int64_t mono_ms, slept_ms, wall_ms;
	struct sent sent[SENT];
	size_t n;
	struct http_answer (*script)(struct fake *fake,
	    const struct http_request *request, size_t i);
	struct github_credential credential;
	int asked;
};

#define WALL INT64_C(1795262400000)	/* 2026-11-21T12:00:00Z */

static int64_t
fake_mono(void *ctx)
{
	return ((struct fake *)ctx)->mono_ms;
}

static int64_t
fake_boot(void *ctx)
{
	struct fake *fake = ctx;
	return fake->mono_ms + fake->slept_ms;
}

static int64_t
fake_wall(void *ctx)
{
	struct fake *fake = ctx;
	return fake->wall_ms + fake->mono_ms + fake->slept_ms;
}

static void
fake_bytes(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
}

static struct str
keep(struct fake *fake, struct str text)
{
	return text.data == NULL ? text : arena_str(&fake->arena, text);
}

static void
fake_start_http(void *ctx, uint64_t token, const struct http_request *request)
{
	struct fake *fake = ctx;
	assert_true(fake->n < SENT);
	struct sent *sent = &fake->sent[fake->n++];
	*sent = (struct sent){ .token = token, .request = *request,
		.at_ms = fake->mono_ms };
	sent->request.path = keep(fake, request->path);
	sent->request.body = keep(fake, request->body);
	sent->request.bearer = keep(fake, request->bearer);
	sent->request.etag = keep(fake, request->etag);
}

static void
fake_cancel(void *ctx, uint64_t token)
{
	struct fake *fake = ctx;
	for (size_t i = 0; i < fake->n; i++)
		if (fake->sent[i].token == token)
			fake->sent[i].done = true;
}

static void
fake_wait(void *ctx, struct arena *arena, int64_t deadline_ms,
    struct world_event *event)
{
	struct fake *fake = ctx;
	(void)arena;

	for (size_t i = 0; i < fake->n; i++) {
		struct sent *sent = &fake->sent[i];
		if (sent->done)
			continue;
		sent->done = true;
		fake->mono_ms += 10;
		*event = (struct world_event){ .type = WORLD_HTTP,
			.token = sent->token,
			.http = fake->script(fake, &sent->request, i) };
		return;
	}
	if (deadline_ms < 0)
		fail_msg("waits for ever");
	if (deadline_ms > fake->mono_ms)
		fake->mono_ms = deadline_ms;
	*event = (struct world_event){ .type = WORLD_DEADLINE };
}

static void
give_credential(void *ctx, struct github_credential *out)
{
	struct fake *fake = ctx;
	fake->asked++;
	*out = fake->credential;
}

static void
open_fake(struct fake *fake, int64_t spacing_ms,
    struct http_answer (*script)(struct fake *fake,
	const struct http_request *request, size_t i))
{
	fake->script = script;
	fake->mono_ms = 5000;
	fake->wall_ms = WALL;
	fake->inner = (struct world){
		.clock = { fake, fake_mono, fake_boot, fake_wall },
		.chance = { fake, fake_bytes },
		.ctx = fake,
		.start_http = fake_start_http, .cancel = fake_cancel,
		.wait = fake_wait,
	};
	fake->gh = github_world_new(&(struct github_world_config){
		.inner = &fake->inner, .api = STR("https://api.test/v3"),
		.credential = give_credential, .ctx = fake,
		.spacing_ms = spacing_ms });
	fake->world = github_world_seam(fake->gh);
}

static void
open_token(struct fake *fake, int64_t spacing_ms,
    struct http_answer (*script)(struct fake *fake,
	const struct http_request *request, size_t i))
{
	*fake = (struct fake){0};
	fake->credential.token = secret_new(STR("ghp_CANARY"));
	open_fake(fake, spacing_ms, script);
}

static void
close_fake(struct fake *fake)
{
	github_world_free(fake->gh);
	arena_release(&fake->arena);
}

static void
start(struct fake *fake, uint64_t token, enum http_method method,
    const char *path)
{
	struct http_request request = {
		.method = method, .host = HOST_GITHUB, .path = str_from(path),
		.effect = method != HTTP_GET, .timeout_ms = 30000,
		.body = method == HTTP_POST ? STR("{\"a\":1}") :
		    (struct str){0},
	};
	fake->world->start_http(fake->world->ctx, token, &request);
}

static struct world_event
await(struct fake *fake)
{
	struct world_event event;
	fake->world->wait(fake->world->ctx, &fake->arena,
	    fake->mono_ms + 7200000, &event);
	return event;
}

static struct http_answer
ask(struct fake *fake, enum http_method method, const char *path)
{
	start(fake, 77, method, path);
	struct world_event event = await(fake);
	assert_int_equal(event.type, WORLD_HTTP);
	assert_int_equal(event.token, 77);
	return event.http;
}

static struct http_answer
says(int status, const char *body)
{
	return (struct http_answer){ .outcome = HTTP_ANSWERED,
		.status = status, .body = str_from(body) };
}

#define RUNNERS "/repos/acme/model/actions/runners"

/* -------------------------------------------------------------- tokens ---- */

static struct http_answer
always_good(struct fake *fake, const struct http_request *request, size_t i)
{
	(void)fake;
	(void)request;
	(void)i;
	return says(200, "{}");
}

static void
test_github_world_reads_the_credential_when_it_is_needed(void **state)
{
	struct fake fake;
	(void)state;

	open_token(&fake, 0, always_good);
	struct http_request other = { .host = HOST_CLOUD,
		.path = STR("/pods") };
	fake.world->start_http(fake.world->ctx, 5, &other);
	struct world_event event = await(&fake);
	assert_int_equal(event.token, 5);
	assert_true(fake.sent[0].request.bearer.data == NULL);
	assert_int_equal(fake.asked, 0);
	ask(&fake, HTTP_GET, RUNNERS);
	ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(fake.asked, 1);
	assert_str(fake.sent[1].request.bearer, "ghp_CANARY");
	close_fake(&fake);
}

static void
test_github_world_without_a_credential_sends_nothing(void **state)
{
	struct fake fake = {0};
	(void)state;

	fake.credential.why_none = STR("set GITHUB_TOKEN");
	open_fake(&fake, 0, always_good);
	struct http_answer answer = ask(&fake, HTTP_DELETE, RUNNERS "/1");
	assert_int_equal(answer.status, 401);
	assert_str(answer.body, "{\"message\":\"set GITHUB_TOKEN\"}");
	assert_int_equal(fake.n, 0);
	close_fake(&fake);
}

/* ----------------------------------------------------------- redirects ---- */

static struct http_answer
renamed(struct fake *fake, const struct http_request *request, size_t i)
{
	static const char *const places[] = {
		"https://API.test:443/v3/repositories/7/runners", "/v3/x",
	};
	(void)fake;
	(void)request;
	struct http_answer answer = says(i < 2 ? 307 : 201, "{}");
	if (i < 2)
		answer.location = str_from(places[i]);
	return answer;
}

static void
test_github_world_follows_a_rename_with_method_and_body(void **state)
{
	struct fake fake;
	(void)state;

	open_token(&fake, -1, renamed);
	struct http_answer answer = ask(&fake, HTTP_POST, RUNNERS);
	assert_int_equal(answer.status, 201);
	assert_int_equal(fake.n, 3);
	assert_str(fake.sent[1].request.path,
	    "https://API.test:443/v3/repositories/7/runners");
	assert_str(fake.sent[2].request.path, "https://api.test/v3/x");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(fake.sent[i].request.method, HTTP_POST);
		assert_str(fake.sent[i].request.body, "{\"a\":1}");
		assert_str(fake.sent[i].request.bearer, "ghp_CANARY");
		assert_true(fake.sent[i].request.effect);
	}
	close_fake(&fake);
}

static const char *away;

static struct http_answer
sent_away(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = says(302, "");
	(void)fake;
	(void)request;
	(void)i;
	answer.location = str_from(away);
	return answer;
}

static void
test_github_world_takes_no_credential_to_another_host(void **state)
{
	static const char *const places[] = {
		"https://evil.test/v3/x", "http://api.test/v3/x",
		"https://api.test:8443/x", "https://api.test@evil.test/x",
		"https://api.test.evil.test/", "//evil.test/x", "ftp://x",
		"https://user@api.test/x", "", "javascript:x",
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(places); i++) {
		struct fake fake;
		away = places[i];
		open_token(&fake, -1, sent_away);
		struct http_answer answer = ask(&fake, HTTP_GET, RUNNERS);
		if (fake.n != 1)
			fail_msg("'%s' was followed", places[i]);
		assert_int_equal(answer.outcome, HTTP_BROKEN);
		assert_true(answer.reason.len > 0);
		close_fake(&fake);
	}
}

static void
test_github_world_leaves_a_ring_of_redirects(void **state)
{
	struct fake fake;
	(void)state;

	away = "/v3/again";
	open_token(&fake, -1, sent_away);
	assert_int_equal(ask(&fake, HTTP_GET, RUNNERS).outcome, HTTP_BROKEN);
	assert_int_equal(fake.n, 6);
	close_fake(&fake);
}

static struct http_answer
paged(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = says(200, "{\"runners\":[]}");
	(void)fake;
	(void)request;
	(void)i;
	answer.link = str_from(away);
	return answer;
}

static void
test_github_world_breaks_a_listing_that_goes_on_elsewhere(void **state)
{
	struct fake fake;
	(void)state;

	open_token(&fake, -1, paged);
	away = "<https://evil.test/v3/x?page=2>; rel=\"next\"";
	assert_int_equal(ask(&fake, HTTP_GET, RUNNERS).outcome, HTTP_BROKEN);
	away = "<https://api.test/v3/x?page=2>; rel=\"next\"";
	assert_int_equal(ask(&fake, HTTP_GET, RUNNERS).outcome,
	    HTTP_ANSWERED);
	close_fake(&fake);
}

/* -------------------------------------------------------------- limits ---- */

static struct http_answer
limited_once(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = says(i == 0 ? 403 : 200,
	    "{\"message\":\"slow down\"}");
	(void)fake;
	(void)request;
	if (i == 0)
		answer.retry_after = STR("20");
	return answer;
}

static void
test_github_world_pauses_everything_while_limited(void **state)
{
	struct fake fake;
	(void)state;

	open_token(&fake, -1, limited_once);
	struct http_answer answer = ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(answer.status, 403);
	int64_t from = fake.mono_ms;
	start(&fake, 1, HTTP_GET, RUNNERS);
	start(&fake, 2, HTTP_DELETE, "/orgs/acme/actions/runners/1");
	assert_int_equal(fake.n, 1);
	assert_int_equal(await(&fake).token, 1);
	assert_int_equal(await(&fake).token, 2);
	assert_int_equal(fake.n, 3);
	assert_true(fake.sent[1].at_ms >= from + 20000 &&
	    fake.sent[1].at_ms < from + 21000);
	close_fake(&fake);
}

static struct http_answer
limited_long(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = says(429, "{}");
	(void)fake;
	(void)request;
	(void)i;
	answer.github_limit = STR("0/1795263000");	/* in ten minutes */
	return answer;
}

static void
test_github_world_says_so_when_a_pause_is_too_long(void **state)
{
	struct fake fake;
	(void)state;

	open_token(&fake, -1, limited_long);
	ask(&fake, HTTP_GET, RUNNERS);
	struct http_answer answer = ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(fake.n, 1);
	assert_int_equal(answer.status, 429);
	assert_true(answer.retry_after.len > 0);
	close_fake(&fake);
}

static struct http_answer
secondary(struct fake *fake, const struct http_request *request, size_t i)
{
	(void)fake;
	(void)request;
	(void)i;
	return says(403, "{\"message\":\"You have exceeded a secondary rate "
	    "limit\"}");
}

static void
test_github_world_doubles_the_secondary_pause(void **state)
{
	static const int64_t waits[] = { 60000, 120000, 240000, 480000 };
	struct fake fake;
	(void)state;

	open_token(&fake, -1, secondary);
	ask(&fake, HTTP_GET, RUNNERS);
	for (size_t i = 0; i < COUNTOF(waits); i++) {
		int64_t from = fake.mono_ms;
		struct http_request request = { .host = HOST_GITHUB,
			.path = STR(RUNNERS), .timeout_ms = 3600000 };
		fake.world->start_http(fake.world->ctx, 3, &request);
		assert_int_equal(await(&fake).token, 3);
		int64_t waited = fake.sent[fake.n - 1].at_ms - from;
		assert_true(waited >= waits[i] && waited < waits[i] + 100);
	}
	close_fake(&fake);
}

static void
test_github_world_sends_one_change_at_a_time(void **state)
{
	struct fake fake;
	(void)state;

	open_token(&fake, 1000, always_good);
	start(&fake, 1, HTTP_POST, RUNNERS);
	start(&fake, 2, HTTP_DELETE, RUNNERS "/1");
	start(&fake, 3, HTTP_DELETE, RUNNERS "/2");
	start(&fake, 4, HTTP_GET, RUNNERS);
	assert_int_equal(fake.n, 2);	/* the change and the read */
	for (int i = 0; i < 4; i++)
		assert_int_equal(await(&fake).type, WORLD_HTTP);
	assert_int_equal(fake.n, 4);
	assert_true(fake.sent[2].at_ms >= fake.sent[0].at_ms + 1000);
	assert_true(fake.sent[3].at_ms >= fake.sent[2].at_ms + 1000);
	close_fake(&fake);
}

static void
test_github_world_forgets_what_was_cancelled(void **state)
{
	struct world_event event;
	struct fake fake;
	(void)state;

	open_token(&fake, 1000, always_good);
	start(&fake, 1, HTTP_POST, RUNNERS);
	start(&fake, 2, HTTP_DELETE, RUNNERS "/1");
	fake.world->cancel(fake.world->ctx, 2);
	fake.world->cancel(fake.world->ctx, 1);
	assert_true(fake.sent[0].done);
	fake.world->wait(fake.world->ctx, &fake.arena, fake.mono_ms + 10000,
	    &event);
	assert_int_equal(event.type, WORLD_DEADLINE);
	assert_int_equal(fake.n, 1);
	close_fake(&fake);
}

/* -------------------------------------------------------- conditionals ---- */

static struct http_answer
tagged(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = says(200, i == 0 ? "{\"v\":1}" :
	    "{\"v\":2}");
	(void)fake;
	answer.etag = i == 0 ? STR("W/\"one\"") : STR("\"two\"");
	if (i == 1) {
		assert_str(request->etag, "W/\"one\"");
		answer = says(304, "");
	}
	return answer;
}

static void
test_github_world_asks_again_for_what_it_knows(void **state)
{
	struct fake fake;
	(void)state;

	open_token(&fake, -1, tagged);
	assert_str(ask(&fake, HTTP_GET, RUNNERS).body, "{\"v\":1}");
	struct http_answer answer = ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(answer.status, 200);
	assert_str(answer.body, "{\"v\":1}");
	assert_str(ask(&fake, HTTP_GET, RUNNERS).body, "{\"v\":2}");
	assert_int_equal(fake.n, 3);	/* never out of memory alone */
	/* Another address is another answer. */
	ask(&fake, HTTP_GET, RUNNERS "?page=2");
	assert_true(fake.sent[3].request.etag.data == NULL);
	close_fake(&fake);
}

/* ----------------------------------------------------------------- App ---- */

struct bench {
	struct arena arena;
	const char *directory;
	struct str pem;
};

static int
setup(void **state)
{
	static struct bench bench;
	bench = (struct bench){0};
	bench.directory = shell_directory(&bench.arena);
	shell_ok(&bench.arena, bench.directory, "umask 077; openssl genrsa "
	    "-traditional -out key 2048 && "
	    "openssl pkey -in key -pubout -out pub");
	bench.pem = shell_read(&bench.arena, arena_printf(&bench.arena,
	    "%s/key", bench.directory).data);
	*state = &bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;
	shell_remove(bench->directory);
	arena_release(&bench->arena);
	return 0;
}

static void
test_github_jwt_is_one_that_openssl_takes(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = &bench->arena;
	const char *why = "";
	struct crypto_key *key = crypto_key_pem(bench->pem, &why);
	struct str jwt;

	assert_non_null(key);
	assert_true(github_jwt_make(arena, key, STR("Iv1.abc"), WALL, &jwt,
	    &why));
	crypto_key_free(key);
	shell_write(arena_printf(arena, "%s/jwt", bench->directory).data,
	    jwt, 0600);
	struct str text = shell_ok(arena, bench->directory,
	    "b64() { tr -d '\\n' | tr -- '-_' '+/' | awk '{ while "
	    "(length($0) % 4) $0 = $0 \"=\"; print }' | openssl base64 -d "
	    "-A; }\n"
	    "cut -d. -f1 jwt | b64; echo; cut -d. -f2 jwt | b64; echo\n"
	    "cut -d. -f1,2 jwt | tr -d '\\n' >data\n"
	    "cut -d. -f3 jwt | b64 >signature\n"
	    "openssl dgst -sha256 -verify pub -signature signature data");
	assert_str(str_trim(text), "{\"alg\":\"RS256\",\"typ\":\"JWT\"}\n"
	    "{\"iat\":1795262340,\"exp\":1795262940,\"iss\":\"Iv1.abc\"}\n"
	    "Verified OK");
}

static void
open_app(struct fake *fake, struct bench *bench,
    struct http_answer (*script)(struct fake *fake,
	const struct http_request *request, size_t i))
{
	*fake = (struct fake){0};
	fake->credential.app = STR("Iv1.abc");
	fake->credential.app_key = secret_new(bench->pem);
	open_fake(fake, -1, script);
}

static int installed;		/* how the script answers the lookup */
static int minted;		/* how many tokens there were */
static bool refuse_first;	/* the first token is not taken */

/* GitHub, as an App sees it; its tokens are numbered. */
static struct http_answer
app_script(struct fake *fake, const struct http_request *request, size_t i)
{
	(void)i;
	if (str_ends(request->path, STR("/installation"))) {
		assert_true(str_starts(request->bearer, STR("eyJ")));
		return says(installed, installed == 200 ? "{\"id\":42}" :
		    "{\"message\":\"Not Found\"}");
	}
	if (str_is(request->path, "/app/installations/42/access_tokens")) {
		assert_true(str_starts(request->bearer, STR("eyJ")));
		struct str ends = format_time(&fake->arena,
		    fake_wall(fake) + HOUR_MS);
		return says(201, arena_printf(&fake->arena,
		    "{\"token\":\"ghs_%d\",\"expires_at\":\"" STR_FMT "\"}",
		    ++minted, STR_ARG(ends)).data);
	}
	if (refuse_first && str_is(request->bearer, "ghs_1"))
		return says(401, "{\"message\":\"Bad credentials\"}");
	return says(200, "{}");
}

static void
reset_script(void)
{
	installed = 200;
	minted = 0;
	refuse_first = false;
}

static void
test_github_app_gets_the_narrowest_token_once(void **state)
{
	struct fake fake;

	reset_script();
	open_app(&fake, *state, app_script);
	start(&fake, 1, HTTP_GET, RUNNERS);
	start(&fake, 2, HTTP_GET, RUNNERS "/23");
	assert_int_equal(await(&fake).http.status, 200);
	assert_int_equal(await(&fake).http.status, 200);
	assert_int_equal(fake.n, 4);
	assert_str(fake.sent[0].request.path,
	    "/repos/acme/model/installation");
	assert_str(fake.sent[1].request.body, "{\"repositories\":[\"model\"],"
	    "\"permissions\":{\"administration\":\"write\"}}");
	assert_str(fake.sent[2].request.bearer, "ghs_1");
	assert_str(fake.sent[3].request.bearer, "ghs_1");
	ask(&fake, HTTP_GET, "/orgs/acme/actions/runners");
	assert_str(fake.sent[4].request.path, "/orgs/acme/installation");
	assert_str(fake.sent[5].request.body, "{\"permissions\":"
	    "{\"organization_self_hosted_runners\":\"write\"}}");
	assert_str(fake.sent[6].request.bearer, "ghs_2");
	close_fake(&fake);
}

static void
test_github_app_renews_before_the_end_and_after_sleep(void **state)
{
	struct fake fake;

	reset_script();
	open_app(&fake, *state, app_script);
	ask(&fake, HTTP_GET, RUNNERS);
	fake.mono_ms += 54 * MINUTE_MS;
	ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(minted, 1);
	fake.mono_ms += MINUTE_MS;
	ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(minted, 2);
	fake.slept_ms += HOUR_MS;
	ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(minted, 3);
	close_fake(&fake);
}

static void
test_github_app_renews_once_when_it_is_refused(void **state)
{
	struct fake fake;

	reset_script();
	refuse_first = true;
	open_app(&fake, *state, app_script);
	struct http_answer answer = ask(&fake, HTTP_DELETE, RUNNERS "/1");
	assert_int_equal(answer.status, 200);
	assert_int_equal(minted, 2);
	assert_str(fake.sent[fake.n - 1].request.bearer, "ghs_2");
	close_fake(&fake);
}

/* That the App is not there must not read as "the runner is gone". */
static void
test_github_app_that_is_not_installed_is_a_refusal(void **state)
{
	struct fake fake;

	reset_script();
	installed = 404;
	open_app(&fake, *state, app_script);
	struct http_answer answer = ask(&fake, HTTP_DELETE, RUNNERS "/1");
	assert_int_equal(answer.status, 403);
	assert_str(answer.body, "{\"message\":\"the GitHub App is not "
	    "installed on acme/model\"}");
	installed = 200;	/* somebody mends it */
	assert_int_equal(ask(&fake, HTTP_GET, RUNNERS).status, 200);
	close_fake(&fake);
}

static struct http_answer
skewed(struct fake *fake, const struct http_request *request, size_t i)
{
	if (i == 0) {	/* our clock is an hour behind */
		struct http_answer answer = says(401, "{\"message\":"
		    "\"'Expiration time' claim ('exp') is too far\"}");
		answer.date = STR("Sat, 21 Nov 2026 13:00:05 GMT");
		return answer;
	}
	return app_script(fake, request, i);
}

static void
test_github_app_tries_once_with_the_services_clock(void **state)
{
	struct fake fake;

	reset_script();
	open_app(&fake, *state, skewed);
	assert_int_equal(ask(&fake, HTTP_GET, RUNNERS).status, 200);
	assert_false(str_eq(fake.sent[0].request.bearer,
	    fake.sent[1].request.bearer));
	close_fake(&fake);
}

static struct http_answer
refuses_jwts(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = says(401, "{\"message\":\"A JSON web "
	    "token could not be decoded\"}");
	(void)request;
	(void)i;
	/* A clock that runs away must not make us ask for ever. */
	fake->wall_ms += HOUR_MS;
	answer.date = STR("Sat, 21 Nov 2026 12:00:00 GMT");
	return answer;
}

static void
test_github_app_with_a_wrong_key_fails_soon(void **state)
{
	struct fake fake;

	reset_script();
	open_app(&fake, *state, refuses_jwts);
	struct http_answer answer = ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(answer.status, 401);
	assert_int_equal(fake.n, 2);
	close_fake(&fake);
}

static void
test_github_app_key_that_is_none_sends_nothing(void **state)
{
	struct fake fake = {0};
	(void)state;

	fake.credential.app = STR("1");
	fake.credential.app_key = secret_new(STR("no key"));
	open_fake(&fake, -1, always_good);
	struct http_answer answer = ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(answer.status, 401);
	assert_true(str_search(answer.body, STR("no key")) < 0);
	assert_int_equal(fake.n, 0);
	close_fake(&fake);
}

/* ----------------------------------------------------------- addresses ---- */

static void
test_github_url_knows_both_addresses(void **state)
{
	static const struct {
		const char *api, *web, *want_web, *want_api;
	} rows[] = {
		{ NULL, NULL, "https://github.com", "https://api.github.com" },
		{ "", "", "https://github.com", "https://api.github.com" },
		{ NULL, "https://www.GitHub.com/acme/model",
		    "https://GitHub.com", "https://api.GitHub.com" },
		{ "https://api.github.com/", NULL,
		    "https://github.com", "https://api.github.com" },
		{ "https://github.com", NULL,
		    "https://github.com", "https://api.github.com" },
		{ NULL, "https://octo.ghe.com",
		    "https://octo.ghe.com", "https://api.octo.ghe.com" },
		{ "https://api.octo.ghe.com", NULL,
		    "https://octo.ghe.com", "https://api.octo.ghe.com" },
		{ NULL, "https://git.acme.test:8443/",
		    "https://git.acme.test:8443",
		    "https://git.acme.test:8443/api/v3" },
		{ "https://git.acme.test/api/v3/", NULL,
		    "https://git.acme.test", "https://git.acme.test/api/v3" },
		{ "http://127.0.0.1:4711", NULL,
		    "http://127.0.0.1:4711", "http://127.0.0.1:4711" },
		{ "http://127.0.0.1:4711/gh", "https://github.com",
		    "https://github.com", "http://127.0.0.1:4711/gh" },
		/* Names that only look like theirs. */
		{ NULL, "https://notgithub.com", "https://notgithub.com",
		    "https://notgithub.com/api/v3" },
		{ NULL, "https://ghe.com", "https://ghe.com",
		    "https://ghe.com/api/v3" },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct github_urls urls;
		assert_true(github_url_find(&arena, str_from(rows[i].api),
		    str_from(rows[i].web), &urls));
		assert_str(urls.web, rows[i].want_web);
		assert_str(urls.api, rows[i].want_api);
	}
	struct github_urls urls;
	assert_false(github_url_find(&arena, STR("github.com"),
	    (struct str){0}, &urls));
	assert_false(github_url_find(&arena, (struct str){0},
	    STR("https://"), &urls));
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_github_world_reads_the_credential_when_it_is_needed),
		cmocka_unit_test(
		    test_github_world_without_a_credential_sends_nothing),
		cmocka_unit_test(
		    test_github_world_follows_a_rename_with_method_and_body),
		cmocka_unit_test(
		    test_github_world_takes_no_credential_to_another_host),
		cmocka_unit_test(test_github_world_leaves_a_ring_of_redirects),
		cmocka_unit_test(
		    test_github_world_breaks_a_listing_that_goes_on_elsewhere),
		cmocka_unit_test(
		    test_github_world_pauses_everything_while_limited),
		cmocka_unit_test(
		    test_github_world_says_so_when_a_pause_is_too_long),
		cmocka_unit_test(
		    test_github_world_doubles_the_secondary_pause),
		cmocka_unit_test(test_github_world_sends_one_change_at_a_time),
		cmocka_unit_test(test_github_world_forgets_what_was_cancelled),
		cmocka_unit_test(
		    test_github_world_asks_again_for_what_it_knows),
		cmocka_unit_test(test_github_jwt_is_one_that_openssl_takes),
		cmocka_unit_test(test_github_app_gets_the_narrowest_token_once),
		cmocka_unit_test(
		    test_github_app_renews_before_the_end_and_after_sleep),
		cmocka_unit_test(
		    test_github_app_renews_once_when_it_is_refused),
		cmocka_unit_test(
		    test_github_app_that_is_not_installed_is_a_refusal),
		cmocka_unit_test(
		    test_github_app_tries_once_with_the_services_clock),
		cmocka_unit_test(test_github_app_with_a_wrong_key_fails_soon),
		cmocka_unit_test(
		    test_github_app_key_that_is_none_sends_nothing),
		cmocka_unit_test(test_github_url_knows_both_addresses),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
