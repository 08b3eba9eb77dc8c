/* test_github_refusals.c - what GitHub refuses, and what that proves */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "github_answers.h"

/* --------------------------------------------------------- refusals ---- */

#define SAYS(message, status) "{\"message\":\"" message "\"," \
	"\"documentation_url\":\"https://docs.github.com/rest\"," \
	"\"status\":\"" #status "\"}"

struct refusal {
	enum github_op op;
	int status;
	const char *body;
	enum cloud_reason reason;
};

static void
check_refusals(const struct refusal *rows, size_t n,
    enum cloud_outcome outcome)
{
	struct arena arena = {0};

	for (size_t i = 0; i < n; i++) {
		struct github_answer answer = decode(&arena, rows[i].op,
		    rows[i].status, rows[i].body);
		if (answer.outcome != outcome ||
		    answer.reason != rows[i].reason)
			fail_msg("row %zu: outcome %d, reason %d", i,
			    (int)answer.outcome, (int)answer.reason);
		assert_int_equal(answer.status, rows[i].status);
	}
	arena_release(&arena);
}

static void
test_github_refusals_mean_one_thing_each(void **state)
{
	static const struct refusal rows[] = {
		{ GITHUB_LIST_RUNNERS, 400, SAYS("Problems parsing JSON", 400),
		    REASON_BAD_REQUEST },
		{ GITHUB_LIST_RUNNERS, 401, SAYS("Bad credentials", 401),
		    REASON_AUTH },
		{ GITHUB_JIT, 403, SAYS("Resource not accessible by "
		    "integration", 403), REASON_FORBIDDEN },
		{ GITHUB_JIT, 404, SAYS("Not Found", 404), REASON_NOT_FOUND },
		/* Old servers say no status, some say a number. */
		{ GITHUB_JIT, 404, "{\"message\":\"Not Found\"}",
		    REASON_NOT_FOUND },
		{ GITHUB_JIT, 404, "{\"message\":\"Not Found\","
		    "\"status\":404}", REASON_NOT_FOUND },
		{ GITHUB_JIT, 409, SAYS("Already exists - A runner with the "
		    "name *** already exists.", 409), REASON_CONFLICT },
		{ GITHUB_JIT, 422, SAYS("Already exists - A runner with the "
		    "name x already exists.", 422), REASON_CONFLICT },
		{ GITHUB_JIT, 422, SAYS("Invalid Argument - Runner group 1 "
		    "has reached max limit of 10000 runners.", 422),
		    REASON_NO_CAPACITY },
		{ GITHUB_JIT, 422, SAYS("Validation Failed", 422),
		    REASON_BAD_REQUEST },
		{ GITHUB_DELETE_RUNNER, 422, "{\"message\":\"Bad request - "
		    "Runner \\\"pod-ab12\\\" is still running a job\\\"\","
		    "\"status\":\"422\"}", REASON_BUSY },
		{ GITHUB_DELETE_RUNNER, 422, SAYS("Validation Failed", 422),
		    REASON_BAD_REQUEST },
		{ GITHUB_SET_LABELS, 422, SAYS("Runner is still running a "
		    "job", 422), REASON_BAD_REQUEST },
		{ GITHUB_JIT, 429, "", REASON_RATE_LIMITED },
	};
	static const struct refusal none[] = {
		{ GITHUB_DELETE_RUNNER, 204, "", REASON_NONE },
	};
	(void)state;

	check_refusals(rows, COUNTOF(rows), OUTCOME_NO_EFFECT);
	check_refusals(none, COUNTOF(none), OUTCOME_OK);
}

/* What is not GitHub's, or about something else. */
static void
test_github_refusals_that_prove_nothing(void **state)
{
	static const struct refusal rows[] = {
		{ GITHUB_DELETE_RUNNER, 404, "<html>nginx</html>",
		    REASON_TRANSIENT },
		{ GITHUB_DELETE_RUNNER, 404, "{\"message\":7}",
		    REASON_TRANSIENT },
		{ GITHUB_DELETE_RUNNER, 404, SAYS("Server Error", 502),
		    REASON_TRANSIENT },
		{ GITHUB_GET_RUNNER, 404, RUNNER, REASON_TRANSIENT },
		{ GITHUB_JIT, 403, "<html>proxy</html>", REASON_FORBIDDEN },
		{ GITHUB_DELETE_RUNNER, 200, "{}", REASON_MALFORMED },
		{ GITHUB_DELETE_RUNNER, 307, "", REASON_MALFORMED },
		/* Seen to have registered nevertheless. */
		{ GITHUB_JIT, 503, SAYS("Service Unavailable", 503),
		    REASON_TRANSIENT },
		{ GITHUB_JIT, 500, "{\"message\":\"Server Error\"}",
		    REASON_TRANSIENT },
		{ GITHUB_LIST_RUNNERS, 502, "<html>Unicorn</html>",
		    REASON_TRANSIENT },
		{ GITHUB_LIST_RUNNERS, 304, "", REASON_MALFORMED },
	};
	(void)state;

	check_refusals(rows, COUNTOF(rows), OUTCOME_UNKNOWN);
}

static void
test_github_refusals_keep_the_words(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct http_answer http = { .outcome = HTTP_ANSWERED, .status = 422,
		.request_id = STR("AB:1"),
		.body = STR("{\"message\":\"Validation Failed\",\"errors\":["
		    "{\"resource\":\"Runner\",\"field\":\"name\","
		    "\"code\":\"missing_field\"},\"plain\","
		    "{\"message\":\"full\"},7]}") };
	struct github_answer answer = decode_http(&arena,
	    (struct github_request){ .op = GITHUB_JIT }, http);

	assert_str(answer.message, "Validation Failed; name: missing_field; "
	    "plain; full");
	assert_str(answer.request_id, "AB:1");
	http.status = 403;
	http.body = STR("{\"message\":\"Must have admin rights to "
	    "Repository.\"}");
	http.permissions = STR("administration=write");
	answer = decode_http(&arena, (struct github_request){
		.op = GITHUB_JIT, .scope = model }, http);
	assert_str(answer.message, "Must have admin rights to Repository. "
	    "(it would accept: administration=write)");
	http.status = 502;
	http.body = STR("<html>" "secret" "</html>");
	answer = decode_http(&arena, (struct github_request){
		.op = GITHUB_JIT }, http);
	assert_str(answer.message, "HTTP status 502");
	arena_release(&arena);
}

static void
test_github_transport_failures_are_told_apart(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct github_request request = { .op = GITHUB_JIT };
	struct github_answer answer = decode_http(&arena, request,
	    (struct http_answer){ .outcome = HTTP_NOT_SENT,
		.reason = STR("no route") });

	assert_int_equal(answer.outcome, OUTCOME_NOT_SENT);
	assert_int_equal(answer.reason, REASON_TRANSIENT);
	assert_str(answer.message, "no route");
	assert_int_equal(answer.ratelimit_left, -1);
	answer = decode_http(&arena, request, (struct http_answer){
		.outcome = HTTP_BROKEN });
	assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
	answer = decode_http(&arena, request, (struct http_answer){
		.outcome = HTTP_TOO_LARGE, .status = 201 });
	assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
	arena_release(&arena);
}

/* -------------------------------------------------------- rate limits ---- */

static void
test_github_limits_are_told_from_permissions(void **state)
{
	static const char secondary[] = "{\"message\":\"You have exceeded a "
	    "secondary rate limit.\",\"documentation_url\":\"https://x\"}";
	static const char abuse[] = "{\"message\":\"Slow down\","
	    "\"documentation_url\":\"https://x#abuse-rate-limits\"}";
	static const char denied[] = "{\"message\":\"Forbidden\"}";
	static const struct {
		int status;
		const char *retry_after, *limit, *date, *body;
		enum cloud_reason reason;
		int64_t wait_ms;
	} rows[] = {
		{ 403, "30", NULL, NULL, denied, REASON_RATE_LIMITED, 30000 },
		{ 429, "30", "0/1795263000", NULL, denied,
		    REASON_RATE_LIMITED, 30000 },
		{ 403, "9999999999999999999999", NULL, NULL, denied,
		    REASON_RATE_LIMITED, 300000 },
		{ 403, "soon", NULL, NULL, denied, REASON_RATE_LIMITED,
		    60000 },
		{ 403, "-5", NULL, NULL, denied, REASON_RATE_LIMITED, 60000 },
		/* Until the hour ends, and a second for rounding. */
		{ 403, NULL, "0/1795262490", NULL, denied,
		    REASON_RATE_LIMITED, 91000 },
		/* By the server's clock, which is 60 s ahead. */
		{ 403, NULL, "0/1795262490", "Sat, 21 Nov 2026 12:01:00 GMT",
		    denied, REASON_RATE_LIMITED, 31000 },
		{ 403, NULL, "0/1795262399", NULL, denied,
		    REASON_RATE_LIMITED, 1000 },
		{ 403, NULL, "0/99999999999999999999", NULL, denied,
		    REASON_RATE_LIMITED, 300000 },
		/* Further apart than a number can say: found by fuzzing. */
		{ 403, NULL, "0/9223372036854775807",
		  "Sun, 06 Nov 0001 08:49:37 GMT", denied,
		  REASON_RATE_LIMITED, 300000 },
		{ 403, NULL, "0/", NULL, denied, REASON_RATE_LIMITED, 1000 },
		{ 403, NULL, "4000/1795262490", NULL, secondary,
		    REASON_RATE_LIMITED, 60000 },
		{ 403, NULL, NULL, NULL, abuse, REASON_RATE_LIMITED, 60000 },
		{ 429, NULL, NULL, NULL, "<html>", REASON_RATE_LIMITED,
		    60000 },
		{ 403, NULL, "4000/1795262490", NULL, denied,
		    REASON_FORBIDDEN, 0 },
		{ 403, NULL, "x/y", NULL, denied, REASON_FORBIDDEN, 0 },
		{ 404, "30", "0/1795262490", NULL, denied, REASON_NOT_FOUND,
		    0 },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct github_answer answer = decode_http(&arena,
		    (struct github_request){ .op = GITHUB_JIT },
		    (struct http_answer){ .outcome = HTTP_ANSWERED,
			.status = rows[i].status,
			.body = str_from(rows[i].body),
			.retry_after = str_from(rows[i].retry_after),
			.date = str_from(rows[i].date),
			.github_limit = str_from(rows[i].limit) });
		if (answer.reason != rows[i].reason ||
		    answer.retry_after_ms != rows[i].wait_ms)
			fail_msg("row %zu: reason %d, wait %lld", i,
			    (int)answer.reason,
			    (long long)answer.retry_after_ms);
		assert_int_equal(answer.outcome, OUTCOME_NO_EFFECT);
	}
	struct github_answer answer = decode_http(&arena,
	    (struct github_request){ .op = GITHUB_LIST_RUNNERS },
	    (struct http_answer){ .outcome = HTTP_ANSWERED, .status = 200,
		.body = STR("{\"runners\":[]}"),
		.github_limit = STR("4321/1795262490") });
	assert_int_equal(answer.ratelimit_left, 4321);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_github_refusals_mean_one_thing_each),
		cmocka_unit_test(test_github_refusals_that_prove_nothing),
		cmocka_unit_test(test_github_refusals_keep_the_words),
		cmocka_unit_test(test_github_transport_failures_are_told_apart),
		cmocka_unit_test(test_github_limits_are_told_from_permissions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
