/* test_tunnel_talk.c - what the holder and its clients say to each other */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tunnel/talk.h"

static const struct tunnel_config config = {
	.address = STR_INIT("tunnel.web"), .direction = TUNNEL_DYNAMIC,
	.local_address = STR_INIT("/run/a \"b\".sock"), .local_port = 1,
	.remote_host = STR_INIT("db"), .remote_port = 65535,
	.check = STR_INIT("http://x/"), .pod = STR_INIT("pod.a"),
	.pod_id = STR_INIT("p1"), .user = STR_INIT("root"),
	.key = STR_INIT("/k"),
};

static void
test_talk_request_comes_back_as_it_was(void **state)
{
	struct talk_request in = {
		.version = STR("0.1.0"), .keys = STR("/data/keys"),
		.request = { .verb = HOLDER_OPEN, .config = config,
			.ssh = { .host = STR("h"), .port = 22 },
			.start = STR("then"), .pin = STR("SHA256:x"),
			.timeout_ms = 60000 },
	}, out;
	struct arena arena = {0};
	struct strbuf text = {0}, again = {0};
	struct str why;

	(void)state;
	talk_write_request(&text, &in);
	assert_true(talk_read_request(&arena, strbuf_str(&text), &out, &why));
	assert_int_equal(out.protocol, TALK_PROTOCOL);
	assert_false(out.end);
	assert_true(tunnel_config_eq(&out.request.config, &config));
	assert_true(str_is(out.request.config.pod_id, "p1"));
	/* Each member of it: both are written alike. */
	talk_write_request(&again, &out);
	assert_string_equal(again.data, text.data);
	strbuf_release(&text);
	strbuf_release(&again);
	arena_release(&arena);
}

static void
test_talk_answer_comes_back_as_it_was(void **state)
{
	struct tunnel_status tunnels[] = {
		{ .config = config, .state = TUNNEL_BACKOFF, .port = 8188,
		  .since_ms = 5, .retry_at_ms = 6, .bytes_in = 7,
		  .bytes_out = 8, .connections = 9, .rtt_us = -1,
		  .reconnects = 10, .error = STR("no\x1b[2J"),
		  .fingerprint = STR("SHA256:y"), .first_use = true },
		{ .config = config, .state = TUNNEL_UP, .rtt_us = 11 },
	};
	struct talk_answer in = { .version = STR("0.1.0"),
		.answer = { .conflict = true, .reason = STR("because"),
			.tunnels = tunnels, .ntunnels = 2 } }, out;
	struct arena arena = {0};
	struct strbuf text = {0}, again = {0};
	struct str why;

	(void)state;
	talk_write_answer(&text, &in);
	assert_true(talk_read_answer(&arena, strbuf_str(&text), &out, &why));
	assert_true(out.answer.conflict);
	assert_int_equal(out.answer.ntunnels, 2);
	assert_true(str_is(out.answer.tunnels[0].error, "no\x1b[2J"));
	assert_int_equal(out.answer.tunnels[1].state, TUNNEL_UP);
	talk_write_answer(&again, &out);
	assert_string_equal(again.data, text.data);
	strbuf_release(&text);
	strbuf_release(&again);
	arena_release(&arena);
}

/* Another protocol: enough to say so, and to end it. */
static void
test_talk_reads_what_means_the_same_in_every_protocol(void **state)
{
	struct arena arena = {0};
	struct talk_request request;
	struct talk_answer answer;
	struct str why;

	(void)state;
	assert_true(talk_read_request(&arena, STR("{\"protocol\":9,"
	    "\"version\":\"7.0\",\"verb\":\"dance\",\"new\":[{}]}"),
	    &request, &why));
	assert_int_equal(request.protocol, 9);
	assert_true(str_is(request.version, "7.0"));
	assert_false(request.end);
	assert_true(talk_read_request(&arena, STR("{\"protocol\":9,"
	    "\"version\":\"7.0\",\"verb\":\"end\",\"new\":1}"), &request,
	    &why));
	assert_true(request.end);
	assert_true(talk_read_answer(&arena, STR("{\"protocol\":9,"
	    "\"version\":\"7.0\",\"ok\":false,\"reason\":\"r\",\"new\":1}"),
	    &answer, &why));
	assert_int_equal(answer.protocol, 9);
	assert_false(answer.ok);
	assert_true(str_is(answer.answer.reason, "r"));
	arena_release(&arena);
}

static void
test_talk_refuses_what_it_does_not_know(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", NULL },
		{ "[]", "an object is expected" },
		{ "{\"protocol\":1,\"version\":\"1\"}",
		  "request.verb: missing" },
		{ "{\"protocol\":1,\"version\":\"1\",\"verb\":\"dance\"}",
		  "request.verb: list, open, close or end expected" },
		{ "{\"protocol\":1,\"version\":\"1\",\"verb\":\"list\","
		  "\"x\":1}", NULL },
		{ "{\"protocol\":1,\"version\":\"1\",\"verb\":\"close\"}",
		  "request.address: missing" },
		{ "{\"protocol\":1,\"version\":\"1\",\"verb\":\"open\","
		  "\"timeout_ms\":-1}", NULL },
		{ "{\"protocol\":1,\"version\":\"1\",\"verb\":\"open\","
		  "\"timeout_ms\":1,\"tunnel\":{\"address\":\"a\","
		  "\"direction\":\"up\",\"local_port\":1,"
		  "\"remote_port\":1}}",
		  "request.direction: a direction expected" },
		{ "{\"protocol\":1,\"version\":\"1\",\"verb\":\"open\","
		  "\"timeout_ms\":1,\"tunnel\":{\"address\":\"a\","
		  "\"direction\":\"local\",\"local_port\":65536,"
		  "\"remote_port\":1}}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena arena = {0};
		struct talk_request request;
		struct str why = {0};
		if (talk_read_request(&arena, str_from(rows[i].text),
		    &request, &why))
			fail_msg("accepted: %s", rows[i].text);
		assert_true(why.len > 0);
		if (rows[i].why != NULL && !str_is(why, rows[i].why))
			fail_msg("%s: " STR_FMT, rows[i].text, STR_ARG(why));
		arena_release(&arena);
	}
}

/* Each verb says no more than it needs. */
static void
test_talk_requests_have_what_their_verb_needs(void **state)
{
	static const struct {
		enum holder_verb verb;
		bool end;
		const char *members;
	} rows[] = {
		{ HOLDER_LIST, false, "\"verb\":\"list\"}\n" },
		{ HOLDER_CLOSE, false,
		    "\"verb\":\"close\",\"address\":\"tunnel.web\"}\n" },
		{ HOLDER_OPEN, true, "\"verb\":\"end\"}\n" },
		{ HOLDER_CLOSE, true, "\"verb\":\"end\"}\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct talk_request in = { .version = STR("1"),
			.end = rows[i].end, .keys = STR("/k"),
			.request = { .verb = rows[i].verb,
				.config.address = STR("tunnel.web") } }, out;
		struct arena arena = {0};
		struct strbuf text = {0};
		struct str why;
		talk_write_request(&text, &in);
		assert_true(str_ends(strbuf_str(&text),
		    str_from(rows[i].members)));
		assert_true(talk_read_request(&arena, strbuf_str(&text),
		    &out, &why));
		assert_int_equal(out.end, rows[i].end);
		if (!out.end)
			assert_int_equal(out.request.verb, rows[i].verb);
		strbuf_release(&text);
		arena_release(&arena);
	}
	/* One that knows nothing of the pod says nothing of it. */
	struct talk_request open = { .version = STR("1"),
		.request = { .verb = HOLDER_OPEN, .config = config } };
	struct strbuf text = {0};
	talk_write_request(&text, &open);
	assert_true(str_search(strbuf_str(&text), STR("\"ssh\"")) < 0);
	strbuf_release(&text);
}

#define ANSWER "{\"protocol\":1,\"version\":\"1\",\"ok\":true"
#define STATUS(state, port) "{\"address\":\"a\",\"direction\":\"local\"," \
	"\"local_port\":1,\"remote_port\":" port ",\"state\":\"" state \
	"\",\"port\":1,\"since_ms\":0,\"retry_at_ms\":0,\"bytes_in\":0," \
	"\"bytes_out\":0,\"connections\":0,\"rtt_us\":0,\"reconnects\":0," \
	"\"first_use\":false}"

static void
test_talk_refuses_answers_that_it_does_not_know(void **state)
{
	static const struct { const char *text, *why; } rows[] = {
		{ "{", NULL }, { "17", "an object is expected" },
		{ ANSWER "}", "answer.conflict: missing" },
		{ ANSWER ",\"conflict\":false}", "answer.tunnels: missing" },
		{ ANSWER ",\"conflict\":false,\"tunnels\":{}}", NULL },
		{ ANSWER ",\"conflict\":false,\"tunnels\":[],\"x\":1}", NULL },
		{ ANSWER ",\"conflict\":false,\"tunnels\":[{}]}", NULL },
		{ ANSWER ",\"conflict\":false,\"tunnels\":["
		    STATUS("dancing", "1") "]}",
		  "answer.state: a state expected" },
		/* The first mistake is the one that is said. */
		{ ANSWER ",\"conflict\":false,\"tunnels\":["
		    STATUS("up", "65536") "," STATUS("dancing", "1") "]}",
		  "answer.remote_port: whole number from 0 to 65535 expected" },
		{ ANSWER ",\"conflict\":false,\"tunnels\":["
		    STATUS("up", "1") "]}", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena arena = {0};
		struct talk_answer answer;
		struct str why = {0};
		bool ok = talk_read_answer(&arena, str_from(rows[i].text),
		    &answer, &why);
		assert_int_equal(ok, i + 1 == COUNTOF(rows));
		assert_int_equal(why.len > 0, !ok);
		if (rows[i].why != NULL && !str_is(why, rows[i].why))
			fail_msg("%s: " STR_FMT, rows[i].text, STR_ARG(why));
		arena_release(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_talk_request_comes_back_as_it_was),
		cmocka_unit_test(test_talk_answer_comes_back_as_it_was),
		cmocka_unit_test(
		    test_talk_reads_what_means_the_same_in_every_protocol),
		cmocka_unit_test(test_talk_refuses_what_it_does_not_know),
		cmocka_unit_test(
		    test_talk_requests_have_what_their_verb_needs),
		cmocka_unit_test(
		    test_talk_refuses_answers_that_it_does_not_know),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
