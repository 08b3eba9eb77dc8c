/*
 * test_github_app.c - what a GitHub App asks and is told, step by step; whole
 * stories of it are in test_github_tokens.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/units.h"
#include "github/github_app.h"
#include "github/github_jwt.h"
#include "tests/unit/shell.h"

static void
check_text(const char *of, struct str actual, const char *expected)
{
	if (!str_is(actual, expected))
		fail_msg("%s: '%.*s', not '%s'", of, (int)actual.len,
		    actual.data, expected);
}

struct bench {
	struct arena arena;
	struct str pem;
};

static int
setup(void **state)
{
	static struct bench bench;
	const char *directory = shell_directory(&bench.arena);

	bench.pem = shell_ok(&bench.arena, directory,
	    "openssl genrsa 2048 2>/dev/null");
	shell_remove(directory);
	*state = &bench;
	return 0;
}

static int
teardown(void **state)
{
	arena_release(&((struct bench *)*state)->arena);
	return 0;
}

#define WALL INT64_C(1795262400000)	/* 2026-11-21T12:00:00Z */

static struct github_app *
app_new(struct bench *bench)
{
	const char *why = NULL;
	struct github_app *app = github_app_new(STR("Iv1.x"), bench->pem,
	    &why);
	assert_non_null(app);
	return app;
}

static void
test_github_app_takes_rsa_keys_alone(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = &bench->arena;
	static const unsigned char seed[32] = "of a key that is no App's";
	const char *directory = shell_directory(arena), *why = NULL;
	struct str jwt;

	assert_null(github_app_new(STR("x"), STR("none"), &why));
	assert_string_equal(why,
	    "not a private key in PEM that is not encrypted");
	assert_null(github_app_new(STR("x"), shell_ok(arena, directory,
	    "openssl genpkey -algorithm ED25519"), &why));
	assert_string_equal(why, "the key of a GitHub App is an RSA key");
	why = NULL;
	struct crypto_key *key = crypto_key_ed25519(seed, &why);
	assert_false(github_jwt_make(arena, key, STR("x"), WALL, &jwt, &why));
	assert_string_equal(why, "the key of a GitHub App is an RSA key");
	crypto_key_free(key);
	shell_remove(directory);
	github_app_free(NULL);
}

static void
test_github_app_knows_the_place_of_a_path(void **state)
{
	static const struct {
		const char *path;
		int place;
	} cases[] = {
		{ "/repos/acme/model", 0 }, { "/orgs/acme", 1 },
		{ "/repos/acme/model/actions/runners?x=/", 0 },
		{ "/repos/acme/model?x", 0 }, { "/orgs/acme/x/y", 1 },
		{ "/repos/acme/other", 2 }, { "/orgs/acme?x", 1 },
		{ "/user", -1 }, { "", -1 }, { "/repos/", -1 },
		{ "/repos/acme", -1 }, { "/repos/acme?/x", -1 },
		{ "/orgs", -1 }, { "repos/acme/model", -1 },
	};
	struct bench *bench = *state;
	struct github_app *app = app_new(bench);

	assert_int_equal(github_app_only_place(app), -1);
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		int place = github_app_place(app, str_from(cases[i].path));
		if (place != cases[i].place)
			fail_msg("%s: %d", cases[i].path, place);
		if (i == 0)
			assert_int_equal(github_app_only_place(app), 0);
	}
	assert_int_equal(github_app_only_place(app), -1);
	/* 64 of them, and no more. */
	for (int i = 3; i <= 64; i++)
		assert_int_equal(github_app_place(app, arena_printf(
		    &bench->arena, "/orgs/o%d", i)), i < 64 ? i : -1);
	github_app_free(app);
}

/* Let it ask once; false when there is nothing to ask. */
static bool
asks(struct bench *bench, struct github_app *app)
{
	struct http_request request;
	return github_app_ask(app, 0, &bench->arena, WALL, &request);
}

static struct http_answer
says(int status, const char *body)
{
	return (struct http_answer){ .outcome = HTTP_ANSWERED,
		.status = status, .body = str_from(body) };
}

/* An App whose installation is known, and that has asked for a token. */
static struct github_app *
app_asked(struct bench *bench, const char *path, bool installed)
{
	struct github_app *app = app_new(bench);
	struct http_answer answer = says(200, "{\"id\":7}");

	assert_int_equal(github_app_place(app, str_from(path)), 0);
	assert_true(asks(bench, app));
	if (installed) {
		github_app_answer(app, 0, &answer, WALL, 0);
		assert_true(asks(bench, app));
	}
	assert_false(asks(bench, app));		/* one at a time */
	return app;
}

static void
test_github_app_says_why_it_has_no_token(void **state)
{
	static const char odd[] =
	    "GitHub's answer about the App cannot be read";
	static const struct {
		const char *path;
		bool installed;
		int status;
		const char *body;
		int code;
		const char *words;
	} cases[] = {
		{ "/orgs/acme", false, 200, "{}", 0, odd },
		{ "/orgs/acme", false, 200, "{\"id\":0}", 0, odd },
		{ "/orgs/acme", false, 200, "{\"id\":", 0, odd },
		{ "/orgs/acme", false, 200, "{\"id\":\"7\"}", 0, odd },
		{ "/orgs/acme", true, 201, "{}", 0, odd },
		{ "/orgs/acme", true, 201, "{\"token\":\"\"}", 0, odd },
		{ "/orgs/acme", true, 201, "{\"token\":\"a b\"}", 0, odd },
		{ "/orgs/acme", true, 201, "{\"token\":\"\\u007f\"}", 0, odd },
		{ "/orgs/acme", true, 201, "{\"token\":\"\\u00e9\"}", 0, odd },
		{ "/orgs/acme", true, 201, "[]", 0, odd },
		{ "/orgs/acme", true, 200, "{\"token\":\"t\"}", 0,
		  "no token for the GitHub App: HTTP status 200" },
		{ "/orgs/acme", true, 500, "{\"message\":\"oops\"}", 0,
		  "no token for the GitHub App: HTTP status 500" },
		{ "/orgs/acme", false, 404, "<html>", 0,
		  "no token for the GitHub App: HTTP status 404" },
		{ "/orgs/acme", false, 404, "{\"message\":\"Not Found\"}",
		  403, "the GitHub App is not installed on acme" },
		{ "/repos/acme/model", false, 404,
		  "{\"message\":\"Not Found\"}", 403,
		  "the GitHub App is not installed on acme/model" },
		{ "/orgs/acme", true, 422, "{\"message\":\"no\"}", 403,
		  "the GitHub App lacks a permission on acme "
		  "(organization_self_hosted_runners: write): no" },
		{ "/repos/acme/model", true, 422, "{\"message\":\"no\"}", 403,
		  "the GitHub App lacks a permission on acme/model "
		  "(administration: write): no" },
		{ "/orgs/acme", true, 401, "{\"message\":\"bad\"}", 401,
		  "GitHub refuses the App: bad" },
		{ "/orgs/acme", true, 403, "{\"message\":\"bad\"}", 403,
		  "GitHub refuses the App: bad" },
		{ "/orgs/acme", false, 409, "{\"message\":\"bad\"}", 403,
		  "GitHub refuses the App: bad" },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct github_app *app = app_asked(bench, cases[i].path,
		    cases[i].installed);
		struct http_answer answer = says(cases[i].status,
		    cases[i].body);
		struct str words;
		int code;
		github_app_answer(app, 0, &answer, WALL, 0);
		assert_false(asks(bench, app));	/* until somebody has heard */
		assert_int_equal(github_app_token(app, 0, 0).len, 0);
		assert_true(github_app_failure(app, 0, &bench->arena, &code,
		    &words));
		check_text(cases[i].body, words, cases[i].words);
		assert_int_equal(code, cases[i].code);
		/* It is told once. */
		assert_false(github_app_failure(app, 0, &bench->arena, &code,
		    &words));
		assert_true(asks(bench, app));
		github_app_free(app);
	}
}

static void
test_github_app_hands_on_what_the_transport_says(void **state)
{
	struct bench *bench = *state;
	struct github_app *app = app_asked(bench, "/orgs/acme", false);
	struct http_answer answer = { .outcome = HTTP_BROKEN,
		.reason = STR("reset") };
	struct str words;
	int code;

	github_app_answer(app, 0, &answer, WALL, 0);
	assert_true(github_app_failure(app, 0, &bench->arena, &code, &words));
	check_text("words", words, "reset");
	assert_int_equal(code, 0);
	/* What was not sent is asked again. */
	assert_true(asks(bench, app));
	assert_false(asks(bench, app));
	github_app_again(app, 0);
	assert_true(asks(bench, app));
	github_app_free(app);
}

static void
test_github_app_keeps_a_token_as_long_as_it_may(void **state)
{
	static const struct {
		const char *ends;
		int64_t life_ms;
	} cases[] = {
		{ "\"2026-11-21T12:30:00Z\"", 25 * MINUTE_MS },
		{ "\"2026-11-21T13:00:00Z\"", 55 * MINUTE_MS },
		/* Clocks that are wrong, or no time at all. */
		{ "\"2027-11-21T12:00:00Z\"", 55 * MINUTE_MS },
		{ "\"2020-01-01T00:00:00Z\"", MINUTE_MS },
		{ "\"2026-11-21T12:05:30Z\"", MINUTE_MS },
		{ "\"soon\"", 55 * MINUTE_MS }, { "null", 55 * MINUTE_MS },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct github_app *app = app_asked(bench, "/orgs/acme", true);
		struct http_answer answer = says(201, arena_printf(
		    &bench->arena, "{\"token\":\"ghs_x\",\"expires_at\":%s}",
		    cases[i].ends).data);
		github_app_answer(app, 0, &answer, WALL, 1000);
		check_text("token", github_app_token(app, 0,
		    1000 + cases[i].life_ms - 1), "ghs_x");
		if (github_app_token(app, 0, 1000 + cases[i].life_ms).len > 0)
			fail_msg("%s lives too long", cases[i].ends);
		github_app_refused(app, 0);
		assert_int_equal(github_app_token(app, 0, 1000).len, 0);
		github_app_free(app);
	}
}

/* By the service's clock, once: a key that is bad stays bad. */
static void
test_github_app_asks_again_when_clocks_differ(void **state)
{
	static const struct {
		const char *date;
		bool again;
	} cases[] = {
		{ "Sat, 21 Nov 2026 12:00:19 GMT", false },
		{ "Sat, 21 Nov 2026 12:00:20 GMT", true },
		{ "Sat, 21 Nov 2026 11:59:41 GMT", false },
		{ "Sat, 21 Nov 2026 11:59:40 GMT", true },
		{ "Sat, 21 Nov 2020 12:00:00 GMT", true },
		{ "yesterday", false }, { "", false },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct github_app *app = app_asked(bench, "/orgs/acme",
		    false);
		struct http_answer answer = says(401,
		    "{\"message\":\"'exp' is too far in the future\"}");
		struct str words;
		int code;
		answer.date = str_from(cases[i].date);
		github_app_answer(app, 0, &answer, WALL, 0);
		if (asks(bench, app) != cases[i].again)
			fail_msg("%s", cases[i].date);
		if (cases[i].again)
			github_app_answer(app, 0, &answer, WALL, 0);
		assert_true(github_app_failure(app, 0, &bench->arena, &code,
		    &words));
		assert_int_equal(code, 401);
		github_app_free(app);
	}
}

/* An installation that is gone is looked for again, once. */
static void
test_github_app_looks_for_its_installation_again(void **state)
{
	struct bench *bench = *state;
	struct github_app *app = app_asked(bench, "/orgs/acme", true);
	struct http_answer gone = says(404, "{\"message\":\"Not Found\"}");
	struct http_answer found = says(200, "{\"id\":8}");
	struct http_request request;
	struct str words;
	int code;

	github_app_answer(app, 0, &gone, WALL, 0);
	assert_true(github_app_ask(app, 0, &bench->arena, WALL, &request));
	check_text("path", request.path, "/orgs/acme/installation");
	github_app_answer(app, 0, &found, WALL, 0);
	assert_true(github_app_ask(app, 0, &bench->arena, WALL, &request));
	check_text("path", request.path, "/app/installations/8/access_tokens");
	check_text("body", request.body, "{\"permissions\":"
	    "{\"organization_self_hosted_runners\":\"write\"}}");
	github_app_answer(app, 0, &gone, WALL, 0);
	assert_true(github_app_failure(app, 0, &bench->arena, &code, &words));
	check_text("words", words, "the GitHub App is not installed on acme");
	github_app_free(app);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_github_app_takes_rsa_keys_alone),
		cmocka_unit_test(test_github_app_knows_the_place_of_a_path),
		cmocka_unit_test(test_github_app_says_why_it_has_no_token),
		cmocka_unit_test(
		    test_github_app_hands_on_what_the_transport_says),
		cmocka_unit_test(
		    test_github_app_keeps_a_token_as_long_as_it_may),
		cmocka_unit_test(test_github_app_asks_again_when_clocks_differ),
		cmocka_unit_test(
		    test_github_app_looks_for_its_installation_again),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
