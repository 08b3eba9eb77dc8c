/* test_github_world.c - credentials, limits, redirects and pages */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "github/github_url.h"
#include "github_fake.h"

/* ---------------------------------------------------------- tokens -- */

static void
test_github_world_reads_the_credential_when_it_is_needed(void **state)
{
	struct fake fake;
	(void)state;

	fake_github_token(&fake, 0, fake_github_good);
	struct http_request other = { .host = HOST_CLOUD,
		.path = STR("/pods") };
	fake.world->start_http(fake.world->ctx, 5, &other);
	struct world_event event = fake_github_await(&fake);
	assert_int_equal(event.token, 5);
	assert_true(fake.sent[0].request.bearer.data == NULL);
	assert_int_equal(fake.asked, 0);
	fake_github_ask(&fake, HTTP_GET, RUNNERS);
	fake_github_ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(fake.asked, 1);
	assert_str(fake.sent[1].request.bearer, "ghp_CANARY");
	fake_github_close(&fake);
}

static void
test_github_world_without_a_credential_sends_nothing(void **state)
{
	struct fake fake = {0};
	(void)state;

	fake.credential.why_none = STR("set GITHUB_TOKEN");
	fake_github_open(&fake, 0, fake_github_good);
	struct http_answer answer = fake_github_ask(&fake,
	    HTTP_DELETE, RUNNERS "/1");
	assert_int_equal(answer.status, 401);
	assert_str(answer.body, "{\"message\":\"set GITHUB_TOKEN\"}");
	assert_int_equal(fake.n, 0);
	fake_github_close(&fake);
}

/* ------------------------------------------------------- redirects -- */

static struct http_answer
renamed(struct fake *fake, const struct http_request *request, size_t i)
{
	static const char *const places[] = {
		"https://API.test:443/v3/repositories/7/runners", "/v3/x",
	};
	(void)fake;
	(void)request;
	struct http_answer answer = fake_github_says(i < 2 ? 307 : 201, "{}");
	if (i < 2)
		answer.location = str_from(places[i]);
	return answer;
}

static void
test_github_world_follows_a_rename_with_method_and_body(void **state)
{
	struct fake fake;
	(void)state;

	fake_github_token(&fake, -1, renamed);
	struct http_answer answer = fake_github_ask(&fake, HTTP_POST, RUNNERS);
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
	fake_github_close(&fake);
}

static const char *away;

static struct http_answer
sent_away(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = fake_github_says(302, "");
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
		fake_github_token(&fake, -1, sent_away);
		struct http_answer answer = fake_github_ask(&fake,
		    HTTP_GET, RUNNERS);
		if (fake.n != 1)
			fail_msg("'%s' was followed", places[i]);
		assert_int_equal(answer.outcome, HTTP_BROKEN);
		assert_true(answer.reason.len > 0);
		fake_github_close(&fake);
	}
}

static void
test_github_world_leaves_a_ring_of_redirects(void **state)
{
	struct fake fake;
	(void)state;

	away = "/v3/again";
	fake_github_token(&fake, -1, sent_away);
	assert_int_equal(fake_github_ask(&fake,
	    HTTP_GET, RUNNERS).outcome, HTTP_BROKEN);
	assert_int_equal(fake.n, 6);
	fake_github_close(&fake);
}

static struct http_answer
paged(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = fake_github_says(200, "{\"runners\":[]}");
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

	fake_github_token(&fake, -1, paged);
	away = "<https://evil.test/v3/x?page=2>; rel=\"next\"";
	assert_int_equal(fake_github_ask(&fake,
	    HTTP_GET, RUNNERS).outcome, HTTP_BROKEN);
	away = "<https://api.test/v3/x?page=2>; rel=\"next\"";
	assert_int_equal(fake_github_ask(&fake, HTTP_GET, RUNNERS).outcome,
	    HTTP_ANSWERED);
	fake_github_close(&fake);
}

/* ---------------------------------------------------------- limits -- */

static struct http_answer
limited_once(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = fake_github_says(i == 0 ? 403 : 200,
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

	fake_github_token(&fake, -1, limited_once);
	struct http_answer answer = fake_github_ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(answer.status, 403);
	int64_t from = fake.mono_ms;
	fake_github_start(&fake, 1, HTTP_GET, RUNNERS);
	fake_github_start(&fake,
	    2, HTTP_DELETE, "/orgs/acme/actions/runners/1");
	assert_int_equal(fake.n, 1);
	assert_int_equal(fake_github_await(&fake).token, 1);
	assert_int_equal(fake_github_await(&fake).token, 2);
	assert_int_equal(fake.n, 3);
	assert_true(fake.sent[1].at_ms >= from + 20000 &&
	    fake.sent[1].at_ms < from + 21000);
	fake_github_close(&fake);
}

static struct http_answer
limited_long(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = fake_github_says(429, "{}");
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

	fake_github_token(&fake, -1, limited_long);
	fake_github_ask(&fake, HTTP_GET, RUNNERS);
	struct http_answer answer = fake_github_ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(fake.n, 1);
	assert_int_equal(answer.status, 429);
	assert_true(answer.retry_after.len > 0);
	fake_github_close(&fake);
}

static struct http_answer
secondary(struct fake *fake, const struct http_request *request, size_t i)
{
	(void)fake;
	(void)request;
	(void)i;
	return fake_github_says(403,
	    "{\"message\":\"You have exceeded a secondary rate "
	    "limit\"}");
}

static void
test_github_world_doubles_the_secondary_pause(void **state)
{
	static const int64_t waits[] = { 60000, 120000, 240000, 480000 };
	struct fake fake;
	(void)state;

	fake_github_token(&fake, -1, secondary);
	fake_github_ask(&fake, HTTP_GET, RUNNERS);
	for (size_t i = 0; i < COUNTOF(waits); i++) {
		int64_t from = fake.mono_ms;
		struct http_request request = { .host = HOST_GITHUB,
			.path = STR(RUNNERS), .timeout_ms = 3600000 };
		fake.world->start_http(fake.world->ctx, 3, &request);
		assert_int_equal(fake_github_await(&fake).token, 3);
		int64_t waited = fake.sent[fake.n - 1].at_ms - from;
		assert_true(waited >= waits[i] && waited < waits[i] + 100);
	}
	fake_github_close(&fake);
}

static void
test_github_world_sends_one_change_at_a_time(void **state)
{
	struct fake fake;
	(void)state;

	fake_github_token(&fake, 1000, fake_github_good);
	fake_github_start(&fake, 1, HTTP_POST, RUNNERS);
	fake_github_start(&fake, 2, HTTP_DELETE, RUNNERS "/1");
	fake_github_start(&fake, 3, HTTP_DELETE, RUNNERS "/2");
	fake_github_start(&fake, 4, HTTP_GET, RUNNERS);
	assert_int_equal(fake.n, 2);	/* the change and the read */
	for (int i = 0; i < 4; i++)
		assert_int_equal(fake_github_await(&fake).type, WORLD_HTTP);
	assert_int_equal(fake.n, 4);
	assert_true(fake.sent[2].at_ms >= fake.sent[0].at_ms + 1000);
	assert_true(fake.sent[3].at_ms >= fake.sent[2].at_ms + 1000);
	fake_github_close(&fake);
}

static void
test_github_world_forgets_what_was_cancelled(void **state)
{
	struct world_event event;
	struct fake fake;
	(void)state;

	fake_github_token(&fake, 1000, fake_github_good);
	fake_github_start(&fake, 1, HTTP_POST, RUNNERS);
	fake_github_start(&fake, 2, HTTP_DELETE, RUNNERS "/1");
	fake.world->cancel(fake.world->ctx, 2);
	fake.world->cancel(fake.world->ctx, 1);
	assert_true(fake.sent[0].done);
	fake.world->wait(fake.world->ctx, &fake.arena, fake.mono_ms + 10000,
	    &event);
	assert_int_equal(event.type, WORLD_DEADLINE);
	assert_int_equal(fake.n, 1);
	fake_github_close(&fake);
}

/* ---------------------------------------------------- conditionals -- */

static struct http_answer
tagged(struct fake *fake, const struct http_request *request, size_t i)
{
	struct http_answer answer = fake_github_says(200, i == 0 ? "{\"v\":1}" :
	    "{\"v\":2}");
	(void)fake;
	answer.etag = i == 0 ? STR("W/\"one\"") : STR("\"two\"");
	if (i == 1) {
		assert_str(request->etag, "W/\"one\"");
		answer = fake_github_says(304, "");
	}
	return answer;
}

static void
test_github_world_asks_again_for_what_it_knows(void **state)
{
	struct fake fake;
	(void)state;

	fake_github_token(&fake, -1, tagged);
	assert_str(fake_github_ask(&fake, HTTP_GET, RUNNERS).body, "{\"v\":1}");
	struct http_answer answer = fake_github_ask(&fake, HTTP_GET, RUNNERS);
	assert_int_equal(answer.status, 200);
	assert_str(answer.body, "{\"v\":1}");
	assert_str(fake_github_ask(&fake, HTTP_GET, RUNNERS).body, "{\"v\":2}");
	assert_int_equal(fake.n, 3);	/* never out of memory alone */
	/* Another address is another answer. */
	fake_github_ask(&fake, HTTP_GET, RUNNERS "?page=2");
	assert_true(fake.sent[3].request.etag.data == NULL);
	fake_github_close(&fake);
}

/* ------------------------------------------------------- addresses -- */

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
		cmocka_unit_test(test_github_world_doubles_the_secondary_pause),
		cmocka_unit_test(test_github_world_sends_one_change_at_a_time),
		cmocka_unit_test(test_github_world_forgets_what_was_cancelled),
		cmocka_unit_test(
		    test_github_world_asks_again_for_what_it_knows),
		cmocka_unit_test(test_github_url_knows_both_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
