/* test_github_tokens.c - asking as an App: its tokens and their renewal */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "github/github_jwt.h"
#include "github_fake.h"
#include "tests/unit/shell.h"

/* ------------------------------------------------------------- App -- */

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
	fake_github_open(fake, -1, script);
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
		return fake_github_says(installed,
		    installed == 200 ? "{\"id\":42}" :
		    "{\"message\":\"Not Found\"}");
	}
	if (str_is(request->path, "/app/installations/42/access_tokens")) {
		assert_true(str_starts(request->bearer, STR("eyJ")));
		struct str ends = format_time(&fake->arena,
		    fake_github_wall(fake) + HOUR_MS);
		return fake_github_says(201, arena_printf(&fake->arena,
		    "{\"token\":\"ghs_%d\",\"expires_at\":\"" STR_FMT "\"}",
		    ++minted, STR_ARG(ends)).data);
	}
	if (refuse_first && str_is(request->bearer, "ghs_1"))
		return fake_github_says(401,
		    "{\"message\":\"Bad credentials\"}");
	return fake_github_says(200, "{}");
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
	fake_github_start(&fake, 1, HTTP_GET, RUNNERS);
	fake_github_start(&fake, 2, HTTP_GET, RUNNERS "/23");
	assert_int_equal(fake_github_await(&fake).http.status, 200);
	assert_int_equal(fake_github_await(&fake).http.status, 200);
	assert_int_equal(fake.n, 4);
	assert_str(fake.sent[0].request.path,
	    "/repos/acme/model/installation");
	assert_str(fake.sent[1].request.body, "{\"repositories\":[\"model\"],"
	    "\"permissions\":{\"administration\":\"write\"}}");
	assert_str(fake.sent[2].request.bearer, "ghs_1");
	assert_str(fake.sent[3].request.bearer, "ghs_1");
	fake_github_ask(&fake, HTTP_GET, "/orgs/acme/actions/runners");
	assert_str(fake.sent[4].request.path, "/orgs/acme/installation");
	assert_str(fake.sent[5].request.body, "{\"permissions\":"
	    "{\"organization_self_hosted_runners\":\"write\"}}");
	assert_str(fake.sent[6].request.bearer, "ghs_2");
	fake_github_close(&fake);
}

static void
test_github_app_renews_before_the_end_and_after_sleep(void **state)
{
	struct fake fake;

	reset_script();
	open_app(&fake, *state, app_script);
	fake_github_ask(&fake, HTTP_GET, RUNNERS);
	fake.mono_ms += 54 * MINUTE_MS;
	fake_github_ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(minted, 1);
	fake.mono_ms += MINUTE_MS;
	fake_github_ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(minted, 2);
	fake.slept_ms += HOUR_MS;
	fake_github_ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(minted, 3);
	fake_github_close(&fake);
}

static void
test_github_app_renews_once_when_it_is_refused(void **state)
{
	struct fake fake;

	reset_script();
	refuse_first = true;
	open_app(&fake, *state, app_script);
	struct http_answer answer = fake_github_ask(&fake,
	    HTTP_DELETE, RUNNERS "/1");
	assert_int_equal(answer.status, 200);
	assert_int_equal(minted, 2);
	assert_str(fake.sent[fake.n - 1].request.bearer, "ghs_2");
	fake_github_close(&fake);
}

/* That the App is not there must not read as "the runner is gone". */
static void
test_github_app_that_is_not_installed_is_a_refusal(void **state)
{
	struct fake fake;

	reset_script();
	installed = 404;
	open_app(&fake, *state, app_script);
	struct http_answer answer = fake_github_ask(&fake,
	    HTTP_DELETE, RUNNERS "/1");
	assert_int_equal(answer.status, 403);
	assert_str(answer.body, "{\"message\":\"the GitHub App is not "
	    "installed on acme/model\"}");
	installed = 200;	/* somebody mends it */
	assert_int_equal(fake_github_ask(&fake, HTTP_GET, RUNNERS).status, 200);
	fake_github_close(&fake);
}

static struct http_answer
skewed(struct fake *fake, const struct http_request *request, size_t i)
{
	if (i == 0) {	/* our clock is an hour behind */
		struct http_answer answer = fake_github_says(401,
		    "{\"message\":"
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
	assert_int_equal(fake_github_ask(&fake, HTTP_GET, RUNNERS).status, 200);
	assert_false(str_eq(fake.sent[0].request.bearer,
	    fake.sent[1].request.bearer));
	fake_github_close(&fake);
}

static struct http_answer
refuses_jwts(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = fake_github_says(401,
	    "{\"message\":\"A JSON web "
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
	struct http_answer answer = fake_github_ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(answer.status, 401);
	assert_int_equal(fake.n, 2);
	fake_github_close(&fake);
}

static void
test_github_app_key_that_is_none_sends_nothing(void **state)
{
	struct fake fake = {0};
	(void)state;

	fake.credential.app = STR("1");
	fake.credential.app_key = secret_new(STR("no key"));
	fake_github_open(&fake, -1, fake_github_good);
	struct http_answer answer = fake_github_ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(answer.status, 401);
	assert_true(str_search(answer.body, STR("no key")) < 0);
	assert_int_equal(fake.n, 0);
	fake_github_close(&fake);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
