/* test_io_http.c - the real HTTP edge against servers that lie */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_peer.h"

/* ----------------------------------------------------------- plain -- */

static void
test_io_http_gets_an_answer_with_its_headers_raw(void **state)
{
	struct server *server = server_new(serve_ok);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	struct http_answer answer =
	    client_fetch(&client, (struct http_request)GET);
	assert_int_equal(answer.outcome, HTTP_ANSWERED);
	assert_int_equal(answer.status, 200);
	assert_text_is(answer.body, "{\"pods\":[]}");
	assert_text_is(answer.retry_after, "9223372036854775807");
	assert_text_is(answer.request_id, "abc");
	assert_text_is(answer.ratelimit, "\"minute\";r=5;t=12");
	assert_text_is(answer.date, "Sat, 21 Nov 2026 12:00:00 GMT");
	assert_text_holds(str_from(server->last), "GET /v2/pods HTTP/1.1\r\n");
	assert_text_holds(str_from(server->last), "User-Agent: podform/");
	assert_text_holds(str_from(server->last),
	    "Authorization: Bearer rpa_CANARY77\r\n");
	assert_true(strcasestr(server->last, "accept-encoding") == NULL);
	client_close(&client);
	server_free(server);
}

static void
test_io_http_sends_each_method(void **state)
{
	static const char *const lines[] = {
		"GET /v2/pods ", "POST /v2/pods ", "PUT /v2/pods ",
		"PATCH /v2/pods ", "DELETE /v2/pods ",
	};
	struct server *server = server_new(serve_ok);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	for (int method = HTTP_GET; method <= HTTP_DELETE; method++) {
		bool body = method != HTTP_GET && method != HTTP_DELETE;
		struct http_answer answer = client_fetch(&client,
		    (struct http_request){
			.method = (enum http_method)method,
			.effect = method != HTTP_GET,
			.body = body ? STR("{\"a\":1}") : (struct str){0},
		});
		assert_int_equal(answer.outcome, HTTP_ANSWERED);
		assert_ptr_equal(strstr(server->last, lines[method]),
		    server->last);
		assert_int_equal(strstr(server->last, "\r\n\r\n{\"a\":1}") !=
		    NULL, body);
	}
	client_close(&client);
	server_free(server);
}

static void
test_io_http_reuses_connections_for_reads_alone(void **state)
{
	struct server *server = server_new(serve_ok);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	for (int i = 0; i < 3; i++)
		client_fetch(&client, (struct http_request)GET);
	assert_int_equal(server->connections, 1);
	for (int i = 0; i < 3; i++)
		client_fetch(&client, (struct http_request)POST);
	assert_int_equal(server->connections, 4);
	client_fetch(&client, (struct http_request)GET);
	assert_int_equal(server->connections, 4);
	client_close(&client);
	server_free(server);
}

/* ----------------------------------------------------------- traps -- */

/* Answers the first request, takes the second and says nothing. */
static void
serve_one_then_close(struct server *server, int fd)
{
	if (server_read(server, fd) &&
	    strncmp(server->last, "GET", 3) == 0) {
		server_say(fd,
		    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
		server_read(server, fd);
	}
}

static void
test_io_http_never_sends_a_post_twice(void **state)
{
	struct server *server = server_new(serve_one_then_close);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	/* Leaves an open connection in the pool, which would be reused. */
	assert_int_equal(client_fetch(&client, (struct http_request)GET).status,
	    200);
	struct http_answer answer =
	    client_fetch(&client, (struct http_request)POST);
	assert_int_equal(answer.outcome, HTTP_BROKEN);
	assert_true(answer.reason.len > 0);
	usleep(50 * 1000);
	assert_int_equal(server->posts, 1);
	client_close(&client);
	server_free(server);
}

static void
serve_endless_chunks(struct server *server, int fd)
{
	char block[4096];
	if (!server_read(server, fd))
		return;
	server_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	memset(block, 'x', sizeof block);
	for (int i = 0; i < 20000; i++) {
		if (send(fd, "1000\r\n", 6, MSG_NOSIGNAL) != 6 ||
		    send(fd, block, sizeof block, MSG_NOSIGNAL) < 0 ||
		    send(fd, "\r\n", 2, MSG_NOSIGNAL) < 0)
			return;
	}
}

static void
test_io_http_stops_an_endless_body_at_the_cap(void **state)
{
	struct server *server = server_new(serve_endless_chunks);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	struct http_request request = GET;
	request.max_body = 100 * 1000;
	struct http_answer answer = client_fetch(&client, request);
	assert_int_equal(answer.outcome, HTTP_TOO_LARGE);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.body.len, 0);
	assert_text_is(answer.reason, "the answer is larger than 100000 bytes");
	client_close(&client);
	server_free(server);
}

/* The status line says what is to happen: the request's path. */
static void
serve_cut(struct server *server, int fd)
{
	if (!server_read(server, fd))
		return;
	if (strstr(server->last, "/nolength") != NULL)
		server_say(fd, "HTTP/1.1 200 OK\r\n\r\n{\"pods\":[");
	else if (strstr(server->last, "/whole") != NULL)
		server_say(fd, "HTTP/1.0 200 OK\r\nConnection: close\r\n"
		    "Transfer-Encoding: identity\r\n\r\n{\"pods\":[]}");
	else if (strstr(server->last, "/nothing") != NULL)
		server_say(fd, "HTTP/1.1 204 No Content\r\n\r\n");
	else if (strstr(server->last, "/same") != NULL)
		server_say(fd, "HTTP/1.1 304 Not Modified\r\n\r\n");
	else if (strstr(server->last, "/length") != NULL)
		server_say(fd,
		    "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"po");
	else if (strstr(server->last, "/chunk") != NULL)
		server_say(fd,
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		    "\r\n9\r\n{\"pods\":[\r\n");
	else if (strstr(server->last, "/head") != NULL)
		server_say(fd, "HTTP/1.1 200 OK\r\nContent-Len");
	else if (strstr(server->last, "/byte") != NULL)
		server_say(fd, "H");
	else if (strstr(server->last, "/old") != NULL)
		server_say(fd, "{\"pods\":[]}");
	else if (strstr(server->last, "/nul") != NULL) {
		static const char text[] = "HTTP/1.1 200 OK\r\nX: a\0b\r\n"
		    "Content-Length: 2\r\n\r\n{}";
		send(fd, text, sizeof text - 1, MSG_NOSIGNAL);
	} else if (strstr(server->last, "/reset") != NULL) {
		struct linger now = { 1, 0 };
		server_say(fd,
		    "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{");
		usleep(20 * 1000);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	}
}

static void
test_io_http_a_cut_answer_is_broken(void **state)
{
	static const struct {
		const char *path;
		enum http_outcome outcome;
	} cases[] = {
		{ "/length", HTTP_BROKEN }, { "/chunk", HTTP_BROKEN },
		{ "/byte", HTTP_BROKEN }, { "/old", HTTP_BROKEN },
		{ "/nul", HTTP_BROKEN }, { "/reset", HTTP_BROKEN },
		{ "/silence", HTTP_BROKEN },
		/* Nothing says whether these are whole. */
		{ "/nolength", HTTP_BROKEN }, { "/whole", HTTP_BROKEN },
		/* These have nothing that could be cut. */
		{ "/nothing", HTTP_ANSWERED }, { "/same", HTTP_ANSWERED },
	};
	struct server *server = server_new(serve_cut);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	for (size_t i = 0; i < COUNTOF(cases); i++)
		for (int effect = 0; effect < 2; effect++) {
			struct http_request request = {
				.method = effect ? HTTP_POST : HTTP_GET,
				.effect = effect,
				.path = str_from(cases[i].path),
			};
			struct http_answer answer = client_fetch(&client,
			    request);
			if (answer.outcome != cases[i].outcome)
				print_error("%s\n", cases[i].path);
			assert_int_equal(answer.outcome, cases[i].outcome);
			if (answer.outcome == HTTP_BROKEN) {
				assert_true(answer.reason.len > 0);
				assert_int_equal(answer.body.len, 0);
			}
			if (i == COUNTOF(cases) - 4)
				assert_text_is(answer.reason, "the answer has "
				    "no length, and may have been cut");
		}
	client_close(&client);
	server_free(server);
}

static void
serve_drip(struct server *server, int fd)
{
	if (!server_read(server, fd))
		return;
	server_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	while (!server->stop && send(fd, "x", 1, MSG_NOSIGNAL) == 1)
		usleep(50 * 1000);
}

static void
test_io_http_a_drip_ends_at_the_deadline(void **state)
{
	struct server *server = server_new(serve_drip);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	int64_t before = client.world->clock.mono_ms(NULL);
	struct http_request request = GET;
	request.timeout_ms = 300;
	struct http_answer answer = client_fetch(&client, request);
	int64_t took = client.world->clock.mono_ms(NULL) - before;
	assert_int_equal(answer.outcome, HTTP_BROKEN);
	assert_text_holds(answer.reason, "timed out");
	assert_in_range(took, 290, 20000);	/* the drip: 50 s */
	client_close(&client);
	server_free(server);
}

static void
serve_redirect(struct server *server, int fd)
{
	static const int codes[] = { 301, 302, 307, 308 };
	int i = server->requests % 4;
	char target[128], text[256];
	if (!server_read(server, fd))
		return;
	switch (i) {
	case 0: snprintf(target, sizeof target, "http://127.0.0.1:%u/",
	    server->other_port); break;
	case 1: snprintf(target, sizeof target, "http://localhost:%u/x",
	    server->other_port); break;
	case 2: snprintf(target, sizeof target, "//127.0.0.1:%u",
	    server->other_port); break;
	default: snprintf(target, sizeof target, "%s", "file:///etc/passwd");
	}
	snprintf(text, sizeof text, "HTTP/1.1 %d Go\r\nLocation: %s\r\n"
	    "Content-Length: 0\r\n\r\n", codes[i], target);
	server_say(fd, text);
}

static void
test_io_http_a_redirect_is_an_answer_and_not_followed(void **state)
{
	struct server *target = server_new(serve_ok);
	struct server *server = server_new(serve_redirect);
	struct client client;
	(void)state;

	server->other_port = target->port;
	client_open(&client, server->port, 0);
	for (int i = 0; i < 8; i++) {
		struct http_request request = POST;
		if (i >= 4)
			request = (struct http_request)GET;
		struct http_answer answer = client_fetch(&client, request);
		assert_int_equal(answer.outcome, HTTP_ANSWERED);
		assert_int_equal(answer.status / 100, 3);
	}
	assert_int_equal(target->connections, 0);
	client_close(&client);
	server_free(server);
	server_free(target);
}

static void
serve_header_flood(struct server *server, int fd)
{
	if (!server_read(server, fd))
		return;
	server_say(fd, "HTTP/1.1 200 OK\r\n");
	if (strstr(server->last, "/one") != NULL) {
		char block[4096];
		server_say(fd, "X-Long: ");
		memset(block, 'a', sizeof block);
		for (int i = 0; i < 256; i++)
			if (send(fd, block, sizeof block, MSG_NOSIGNAL) < 0)
				return;
		server_say(fd, "\r\n");
	} else {
		for (int i = 0; i < 100000; i++)
			if (send(fd, "X-A: bcdefgh\r\n", 14, MSG_NOSIGNAL) < 0)
				return;
	}
	server_say(fd, "Content-Length: 2\r\n\r\n{}");
}

static void
test_io_http_a_flood_of_headers_is_broken(void **state)
{
	struct server *server = server_new(serve_header_flood);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	struct http_request request = POST;
	struct http_answer answer = client_fetch(&client, request);
	assert_int_equal(answer.outcome, HTTP_BROKEN);
	assert_text_is(answer.reason,
	    "the answer has more than 64 KiB of headers");
	request.path = STR("/one");
	assert_int_equal(client_fetch(&client, request).outcome, HTTP_BROKEN);
	client_close(&client);
	server_free(server);
}

static void
serve_interim(struct server *server, int fd)
{
	if (server_read(server, fd))
		server_say(fd, "HTTP/1.1 103 Early\r\nRetry-After: 9\r\n\r\n"
		    "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
}

static void
test_io_http_an_interim_answer_is_forgotten(void **state)
{
	struct server *server = server_new(serve_interim);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	struct http_answer answer =
	    client_fetch(&client, (struct http_request)GET);
	assert_int_equal(answer.status, 503);
	assert_null(answer.retry_after.data);
	client_close(&client);
	server_free(server);
}

static void
serve_gzip(struct server *server, int fd)
{
	if (server_read(server, fd))
		server_say(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
		    "Content-Length: 4\r\n\r\n\x1f\x8b\x08\x01");
}

static void
test_io_http_inflates_nothing(void **state)
{
	struct server *server = server_new(serve_gzip);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	assert_text_is(client_fetch(&client, (struct http_request)GET).body,
	    "\x1f\x8b\x08\x01");
	client_close(&client);
	server_free(server);
}

static void
test_io_http_a_refused_connection_sent_nothing(void **state)
{
	uint16_t port;
	struct client client;
	(void)state;

	close(server_listen(&port));
	client_open(&client, port, 0);
	struct http_answer answer =
	    client_fetch(&client, (struct http_request)POST);
	assert_int_equal(answer.outcome, HTTP_NOT_SENT);
	assert_true(answer.reason.len > 0);
	struct http_request github = GET;
	github.host = HOST_GITHUB;
	answer = client_fetch(&client, github);
	assert_int_equal(answer.outcome, HTTP_NOT_SENT);
	assert_text_is(answer.reason, "no address is known for this service");
	client_close(&client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_io_http_gets_an_answer_with_its_headers_raw),
		cmocka_unit_test(test_io_http_sends_each_method),
		cmocka_unit_test(
		    test_io_http_reuses_connections_for_reads_alone),
		cmocka_unit_test(test_io_http_never_sends_a_post_twice),
		cmocka_unit_test(test_io_http_stops_an_endless_body_at_the_cap),
		cmocka_unit_test(test_io_http_a_cut_answer_is_broken),
		cmocka_unit_test(test_io_http_a_drip_ends_at_the_deadline),
		cmocka_unit_test(
		    test_io_http_a_redirect_is_an_answer_and_not_followed),
		cmocka_unit_test(test_io_http_a_flood_of_headers_is_broken),
		cmocka_unit_test(test_io_http_an_interim_answer_is_forgotten),
		cmocka_unit_test(test_io_http_inflates_nothing),
		cmocka_unit_test(
		    test_io_http_a_refused_connection_sent_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
