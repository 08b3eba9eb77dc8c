/* test_runpod_refusals.c - refusals as a table, logs, headers */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/headers.h"
#include "base/strbuf.h"
#include "cloud/runpod/classify.h"
#include "runpod_text.h"

/* -------------------------------------------------------- refusals -- */

enum body { PROBLEM, NO_STOCK, NO_MONEY, PLAIN, WRONG, HTML, A_POD, NBODIES };

/* %d is the status. */
static const char *const body_texts[NBODIES] = {
	[PROBLEM] = "{\"title\":\"T\",\"status\":%d,\"detail\":\"no\","
	    "\"errors\":[\"one\",\"two\"]}",
	[NO_STOCK] = "{\"title\":\"T\",\"status\":%d,\"detail\":\"There are no "
	    "longer any instances available with the requested "
	    "specifications. Please refresh and try again.\"}",
	[NO_MONEY] = "{\"title\":\"T\",\"status\":%d,\"detail\":\"Your account "
	    "balance is too low to rent a pod\"}",
	[PLAIN] = "{\"error\":\"not enough free GPUs on the host machine\"}",
	[WRONG] = "{\"title\":\"Bad Gateway\",\"status\":502,\"detail\":\"x\"}",
	[HTML] = "<html><body>403 Forbidden</body></html>",
	[A_POD] = "{\"id\":\"p1\",\"name\":\"n\",\"message\":\"hello\"}",
};

/*
 * What must hold, written down a second time and in another way than in
 * classify.c: first whether an effect is ruled out, then why.
 */
static enum cloud_outcome
expected_outcome(enum cloud_op op, int status, enum body body)
{
	bool proven = body == PROBLEM || body == NO_STOCK ||
	    body == NO_MONEY || body == PLAIN || (body == WRONG &&
	    status == 502);
	if (status == 429)
		return OUTCOME_NO_EFFECT;
	if (!proven)
		return OUTCOME_UNKNOWN;
	switch (status) {
	case 400: case 401: case 402: case 403: case 404: case 422:
		return OUTCOME_NO_EFFECT;
	case 409:
		return op == CLOUD_CREATE_POD || op == CLOUD_CREATE_VOLUME ?
		    OUTCOME_UNKNOWN : OUTCOME_NO_EFFECT;
	}
	return OUTCOME_UNKNOWN;
}

static enum cloud_reason
expected_reason(int status, enum body body)
{
	bool proven = body <= PLAIN;
	switch (status) {
	case 400:
		return body == PROBLEM ? REASON_BAD_REQUEST :
		    body == NO_STOCK || body == PLAIN ? REASON_NO_CAPACITY :
		    body == NO_MONEY ? REASON_BALANCE : REASON_TRANSIENT;
	case 401:
		return REASON_AUTH;
	case 403:
		return body == NO_MONEY ? REASON_BALANCE : REASON_FORBIDDEN;
	case 402:
		return proven ? REASON_BALANCE : REASON_TRANSIENT;
	case 404:
		return proven ? REASON_NOT_FOUND : REASON_TRANSIENT;
	case 409:
		return proven ? REASON_CONFLICT : REASON_TRANSIENT;
	case 410:
		return REASON_RETIRED;
	case 422:
		return proven ? REASON_BAD_REQUEST : REASON_TRANSIENT;
	case 429:
		return REASON_RATE_LIMITED;
	}
	return REASON_TRANSIENT;
}

static void
test_runpod_classifies_every_refusal(void **state)
{
	static const int statuses[] = {
		100, 200, 201, 202, 204, 206, 301, 302, 307, 308, 400, 401,
		402, 403, 404, 405, 406, 408, 409, 410, 411, 413, 415, 418,
		422, 425, 429, 451, 499, 500, 501, 502, 503, 504, 520, 524,
		599, 999,
	};
	size_t walked = 0;
	(void)state;

	for (int op = 0; op < CLOUD_OP_COUNT; op++)
	for (size_t s = 0; s < COUNTOF(statuses); s++)
	for (enum body body = 0; body < NBODIES; body++) {
		/* Success is another table. */
		if (statuses[s] == 200 || statuses[s] == 201 ||
		    statuses[s] == 204)
			continue;
		struct arena arena = {0};
		struct strbuf text = {0};
		for (const char *c = body_texts[body]; *c != '\0'; c++) {
			if (c[0] == '%' && c[1] == 'd') {
				strbuf_addf(&text, "%d", statuses[s]);
				c++;
			} else
				strbuf_addc(&text, *c);
		}
		struct cloud_answer answer = runpod_read(&arena,
		    (enum cloud_op)op, statuses[s], text.data);
		if (answer.outcome != expected_outcome((enum cloud_op)op,
			statuses[s], body) ||
		    answer.reason != expected_reason(statuses[s], body))
			print_error("op %d status %d body %d\n", op,
			    statuses[s], body);
		assert_int_equal(answer.outcome, expected_outcome(
		    (enum cloud_op)op, statuses[s], body));
		assert_int_equal(answer.reason,
		    expected_reason(statuses[s], body));
		assert_int_equal(answer.status, statuses[s]);
		assert_true(answer.message.len > 0);
		strbuf_release(&text);
		arena_release(&arena);
		walked++;
	}
	assert_int_equal(walked, CLOUD_OP_COUNT * 35 * NBODIES);
}

static void
test_runpod_reads_the_keys_of_the_account(void **state)
{
	struct arena arena = {0};
	struct cloud_answer answer = runpod_read(&arena,
	    CLOUD_GET_SSH_KEYS, 200,
	    "{\"keys\":[\"ssh-ed25519 AAAA me@x\",\"ssh-rsa B\\n\"]}");
	(void)state;

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.nssh_keys, 2);
	assert_str(answer.ssh_keys[0], "ssh-ed25519 AAAA me@x");
	assert_str(answer.ssh_keys[1], "ssh-rsa B");
	/* Two lines would be two keys. */
	answer = runpod_read(&arena, CLOUD_GET_SSH_KEYS, 200,
	    "{\"keys\":[\"ssh-ed25519 A\\nssh-ed25519 B\"]}");
	assert_int_equal(answer.reason, REASON_MALFORMED);
	assert_int_equal(answer.nssh_keys, 0);
	answer = runpod_read(&arena, CLOUD_GET_SSH_KEYS, 200, "{\"keys\":[7]}");
	assert_int_equal(answer.reason, REASON_MALFORMED);
	answer = runpod_read(&arena, CLOUD_GET_SSH_KEYS, 200, "{\"keys\":[]}");
	assert_int_equal(answer.outcome, OUTCOME_OK);
	arena_release(&arena);
}

#define LOG_EVENT(source, line) "data: {\"ts\":\"2026-06-01T12:02:03Z\"," \
	"\"source\":\"" source "\",\"line\":\"" line "\"}"

static void
test_runpod_reads_a_log(void **state)
{
	struct arena arena = {0};
	struct cloud_answer answer = runpod_read(&arena, CLOUD_GET_LOG, 200,
	    "\xef\xbb\xbf: hello\r\nretry: 3000\r\n\r\n"
	    "id: 2026-06-01T12:02:03Z/1\n" LOG_EVENT("system", "begin")
	    "\n\n: heartbeat\n\nevent: ping\ndata: now\n\n"
	    "data: {\"alive\":true}\r\r"
	    "id:2\nevent: message\n"
	    LOG_EVENT("container", "\\u001b[31mred\\u001b[0m") "\n\n"
	    "data: {\"line\":\ndata: \"in two\"}\n\n"
	    LOG_EVENT("container", "last") "\n"
	    "id: 2026-06-01T12:0");
	(void)state;

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.nlines, 4);
	assert_true(answer.lines[0].system);
	assert_str(answer.lines[0].text, "begin");
	assert_str(answer.lines[0].time, "2026-06-01T12:02:03Z");
	assert_false(answer.lines[1].system);
	assert_str(answer.lines[1].text, "\033[31mred\033[0m");
	assert_str(answer.lines[2].text, "in two");
	assert_null(answer.lines[2].time.data);
	assert_str(answer.lines[3].text, "last");
	arena_release(&arena);
}

static void
test_runpod_leaves_out_a_log_line_that_is_cut(void **state)
{
	static const char *const rests[] = { "da", "data", "data: {\"li",
		"data: {\"line\":\"x\"}", "data: {\"line\":\n", ": hear", "" };
	(void)state;

	for (size_t i = 0; i < COUNTOF(rests); i++) {
		struct arena arena = {0};
		const char *body = arena_printf(&arena, "%s\n\n%s",
		    LOG_EVENT("container", "one"), rests[i]).data;
		struct cloud_answer answer = runpod_read(&arena, CLOUD_GET_LOG,
		    200, body);
		assert_int_equal(answer.outcome, OUTCOME_OK);
		assert_int_equal(answer.nlines, 1);
		arena_release(&arena);
	}
}

static void
test_runpod_refuses_what_is_no_log(void **state)
{
	static const char *const bodies[] = {
		"<html>\n<body>\n", "{\"keys\":[]}", "data: {{}}\n\n",
		"data: {\"line\":7}\n\n", "data: {\"line\":null}\n\n",
		"data: {\"line\":\"a\",\"line\":\"b\"}\n\n",
		"HTTP/1.1 200 OK\n",
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(bodies); i++) {
		struct arena arena = {0};
		struct cloud_answer answer = runpod_read(&arena, CLOUD_GET_LOG,
		    200, bodies[i]);
		assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
		assert_int_equal(answer.reason, REASON_MALFORMED);
		assert_int_equal(answer.nlines, 0);
		arena_release(&arena);
	}
}

static void
test_runpod_asks_for_the_log_from_a_time_or_the_last_lines(void **state)
{
	struct arena arena = {0};
	struct cloud_request request = { .op = CLOUD_GET_LOG,
		.id = STR("p1"), .tail = 7 };
	(void)state;

	assert_str(runpod_write(&arena, request).path, "/pods/p1/logs?tail=7");
	/* The stream stays open: it is over when nothing more comes. */
	assert_true(runpod_write(&arena, request).quiet_ms > 0);
	request.tail = 70000;
	assert_str(runpod_write(&arena, request).path,
	    "/pods/p1/logs?tail=5000");
	request.since = STR("2026-06-01T12:02:03+02:00");
	assert_str(runpod_write(&arena, request).path,
	    "/pods/p1/logs?since=2026-06-01T12%3A02%3A03%2B02%3A00");
	arena_release(&arena);
}

static void
test_runpod_success_is_one_status_per_op(void **state)
{
	static const int statuses[] = { 200, 201, 202, 204 };
	(void)state;

	for (int op = 0; op < CLOUD_OP_COUNT; op++)
	for (size_t s = 0; s < COUNTOF(statuses); s++) {
		struct arena arena = {0};
		bool create = op == CLOUD_CREATE_POD ||
		    op == CLOUD_CREATE_VOLUME;
		bool end = op == CLOUD_DELETE_POD || op == CLOUD_DELETE_VOLUME;
		int good = create ? 201 : end ? 204 : 200;
		struct cloud_answer answer = runpod_read(&arena,
		    (enum cloud_op)op, statuses[s], "");
		/* A log in which nothing was said yet is a log. */
		bool empty = op == CLOUD_GET_LOG;
		if ((end || empty) && statuses[s] == good)
			assert_int_equal(answer.outcome, OUTCOME_OK);
		else {
			assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
			assert_int_equal(answer.reason, statuses[s] == good ?
			    REASON_MALFORMED : REASON_TRANSIENT);
		}
		arena_release(&arena);
	}
}

static void
test_runpod_transport_failures_keep_their_reason(void **state)
{
	static const struct {
		enum http_outcome http;
		enum cloud_outcome outcome;
	} cases[] = {
		{ HTTP_NOT_SENT, OUTCOME_NOT_SENT },
		{ HTTP_BROKEN, OUTCOME_UNKNOWN },
		{ HTTP_TOO_LARGE, OUTCOME_UNKNOWN },
	};
	(void)state;

	for (int op = 0; op < CLOUD_OP_COUNT; op++)
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct cloud_answer answer;
		struct cloud_request request = { .op = (enum cloud_op)op };
		struct http_answer http = {
			.outcome = cases[i].http, .status = 201,
			.body = STR("{\"id\":\"p1\"}"),
			.reason = STR("connection refused"),
		};
		runpod.decode(&arena, &request, &http, 0, &answer);
		assert_int_equal(answer.outcome, cases[i].outcome);
		assert_int_equal(answer.reason, REASON_TRANSIENT);
		assert_int_equal(answer.npods, 0);
		assert_str(answer.message, "connection refused");
		arena_release(&arena);
	}
}

static void
test_runpod_joins_the_reasons_of_a_refusal(void **state)
{
	struct arena arena = {0};
	(void)state;
	assert_str(runpod_read(&arena, CLOUD_CREATE_POD, 422,
	    "{\"title\":\"Unprocessable\",\"status\":422,\"detail\":"
	    "\"validation failed\",\"errors\":[\"$: additional properties "
	    "'x' not allowed\",\"$.disk: minimum 1\"]}").message,
	    "validation failed; $: additional properties 'x' not allowed; "
	    "$.disk: minimum 1");
	assert_str(runpod_read(&arena, CLOUD_CREATE_POD, 500, "oops").message,
	    "HTTP status 500");
	arena_release(&arena);
}

static void
test_runpod_knows_the_words_for_no_capacity(void **state)
{
	static const char *const yes[] = {
		"There are no longer any instances available with the "
		    "requested specifications. Please refresh and try again.",
		"create pod: There are no instances currently available.",
		"There are no longer any instances available with enough "
		    "disk space.",
		"This machine does not have the resources to deploy your pod. "
		    "Please try a different machine",
		"create pod: could not find any pods with required "
		    "specifications",
		"start pod: There are not enough free GPUs on the host "
		    "machine to start this pod.",
	};
	static const char *const no[] = {
		"", "disk: minimum 1", "image is required",
		("You must either provide a template id or pod configuration "
		 "parameters"),
	};
	(void)state;
	for (size_t i = 0; i < COUNTOF(yes); i++)
		assert_true(classify_says_no_capacity(str_from(yes[i])));
	for (size_t i = 0; i < COUNTOF(no); i++)
		assert_false(classify_says_no_capacity(str_from(no[i])));
}

/* --------------------------------------------------------- headers -- */

static void
test_runpod_clamps_retry_after(void **state)
{
	static const struct {
		const char *header;
		int64_t ms;
	} cases[] = {
		{ NULL, 0 }, { "", 0 }, { "0", 0 }, { "7", 7000 },
		{ " 12 ", 12000 }, { "300", 300000 }, { "301", 300000 },
		{ "9223372036854775807", 300000 },
		{ "999999999999999999999", 300000 },
		{ "-5", 0 }, { "soon", 0 }, { "1.5", 0 }, { "7s", 0 },
		{ "Wed, 21 Oct 2015 07:28:00 GMT", 0 },
		{ "Sat, 21 Nov 2026 12:00:30 GMT", 30000 },
		{ "Sun, 21 Nov 2099 12:00:30 GMT", 300000 },
		{ "Sun, 99 Nov 2099 12:00:30 GMT", 0 },
		{ "Sun, 21 ovD 2099 12:00:30 GMT", 0 },
	};
	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		/* The answer's own date counts, not our clock. */
		assert_int_equal(headers_retry_after(
		    str_from(cases[i].header),
		    STR("Sat, 21 Nov 2026 12:00:00 GMT"), 0), cases[i].ms);
	}
	assert_int_equal(headers_retry_after(
	    STR("Sat, 21 Nov 2026 12:00:30 GMT"), (struct str){0},
	    1795262420000), 10000);
}

static void
test_runpod_reads_the_tightest_window(void **state)
{
	static const struct {
		const char *header;
		int64_t left, reset_ms;
	} cases[] = {
		{ NULL, -1, 0 }, { "nonsense", -1, 0 },
		{ "\"minute\";r=0;t=12, \"hour\";r=2800;t=1812, "
		    "\"day\";r=49500;t=45012", 0, 12000 },
		{ "\"minute\";r=50;t=12, \"hour\";r=3;t=1812", 3, 1812000 },
		{ "\"minute\";r=5;t=12, \"hour\";r=5;t=60", 5, 60000 },
		{ "\"minute\";r=-1;t=12, \"hour\";r=9", 9, 0 },
		{ "\"x\";r=1;t=99999999999999999999", 1, 604800000 },
	};
	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		int64_t left, reset_ms;
		classify_rate_limit(str_from(cases[i].header), &left,
		    &reset_ms);
		assert_int_equal(left, cases[i].left);
		assert_int_equal(reset_ms, cases[i].reset_ms);
	}
}

static void
test_runpod_knows_what_is_injected(void **state)
{
	(void)state;
	assert_non_null(runpod_injected_find(STR("RUNPOD_TCP_PORT_22")));
	assert_non_null(runpod_injected_find(STR("PUBLIC_KEY")));
	assert_null(runpod_injected_find(STR("PUBLIC_KEYS")));
	assert_null(runpod_injected_find(STR("MODE")));
	assert_null(runpod_injected_find(STR("PODFORM_MARK")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runpod_classifies_every_refusal),
		cmocka_unit_test(test_runpod_reads_the_keys_of_the_account),
		cmocka_unit_test(test_runpod_reads_a_log),
		cmocka_unit_test(test_runpod_leaves_out_a_log_line_that_is_cut),
		cmocka_unit_test(test_runpod_refuses_what_is_no_log),
		cmocka_unit_test(
		    test_runpod_asks_for_the_log_from_a_time_or_the_last_lines),
		cmocka_unit_test(test_runpod_success_is_one_status_per_op),
		cmocka_unit_test(
		    test_runpod_transport_failures_keep_their_reason),
		cmocka_unit_test(test_runpod_joins_the_reasons_of_a_refusal),
		cmocka_unit_test(test_runpod_knows_the_words_for_no_capacity),
		cmocka_unit_test(test_runpod_clamps_retry_after),
		cmocka_unit_test(test_runpod_reads_the_tightest_window),
		cmocka_unit_test(test_runpod_knows_what_is_injected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
