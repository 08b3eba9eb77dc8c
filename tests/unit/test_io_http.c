/*
 * test_io_http.c - the real HTTP and banner edge against servers that lie.
 *
 * Each server is a thread of the test on a loopback port that the kernel
 * chose; it speaks raw bytes, since a good HTTP library would not tell lies
 * for us.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "io/io_clock.h"
#include "io/io_http.h"
#include "io/io_world.h"

/* ------------------------------------------------------------ server ---- */

enum { CONNECTIONS = 128 };

struct server;
typedef void serve_fn(struct server *server, int fd);

struct server {
	serve_fn *serve;
	int listener;
	uint16_t port;
	uint16_t other_port;		/* for redirects */
	atomic_int connections, requests, posts, at_once, most_at_once;
	atomic_bool stop;
	char last[8192];		/* the newest request */
	pthread_t thread;
	pthread_t workers[CONNECTIONS];
	int fds[CONNECTIONS];
};

struct job {
	struct server *server;
	int fd;
};

static void
say(int fd, const char *text)
{
	size_t left = strlen(text);
	while (left > 0) {
		ssize_t n = send(fd, text, left, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		text += n;
		left -= (size_t)n;
	}
}

/* Read one request with its body; false when the client is gone. */
static bool
read_request(struct server *server, int fd)
{
	char text[8192];
	size_t len = 0, need = 0;

	for (;;) {
		ssize_t n = recv(fd, text + len, sizeof text - 1 - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		text[len] = '\0';
		char *end = strstr(text, "\r\n\r\n");
		if (end == NULL)
			continue;
		const char *length = strcasestr(text, "content-length:");
		need = (size_t)(end + 4 - text) + (length == NULL ? 0 :
		    (size_t)strtoul(length + 15, NULL, 10));
		if (len >= need)
			break;
	}
	memcpy(server->last, text, len + 1);
	server->requests++;
	if (strncmp(text, "POST", 4) == 0)
		server->posts++;
	return true;
}

static void *
work(void *ctx)
{
	struct job *job = ctx;
	job->server->serve(job->server, job->fd);
	shutdown(job->fd, SHUT_RDWR);
	free(job);
	return NULL;
}

static void *
accept_all(void *ctx)
{
	struct server *server = ctx;
	int n = 0;
	while (!server->stop && n < CONNECTIONS) {
		struct pollfd ready = { server->listener, POLLIN, 0 };
		if (poll(&ready, 1, 20) <= 0)
			continue;
		int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		struct job *job = malloc(sizeof *job);
		*job = (struct job){ server, fd };
		server->fds[n] = fd;
		server->connections++;
		pthread_create(&server->workers[n++], NULL, work, job);
	}
	for (int i = 0; i < n; i++) {
		shutdown(server->fds[i], SHUT_RDWR);
		pthread_join(server->workers[i], NULL);
		close(server->fds[i]);
	}
	return NULL;
}

static int
listen_anywhere(uint16_t *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 128), 0);
	getsockname(fd, (struct sockaddr *)&address, &len);
	*port = ntohs(address.sin_port);
	return fd;
}

static struct server *
server_new(serve_fn *serve)
{
	struct server *server = calloc(1, sizeof *server);
	server->serve = serve;
	server->listener = listen_anywhere(&server->port);
	pthread_create(&server->thread, NULL, accept_all, server);
	return server;
}

static void
server_free(struct server *server)
{
	server->stop = true;
	pthread_join(server->thread, NULL);
	close(server->listener);
	free(server);
}

/* ------------------------------------------------------------ client ---- */

struct client {
	struct arena arena;
	struct io_world *io;
	struct world *world;
	struct secret key;
	struct strbuf trace;
};

static void
keep_trace(void *ctx, struct str line)
{
	struct strbuf *trace = ctx;
	strbuf_add(trace, line);
	strbuf_addc(trace, '\n');
}

static void
client_open(struct client *client, uint16_t port, size_t connections)
{
	*client = (struct client){ .key = secret_new(STR("rpa_CANARY77")) };
	struct str base = arena_printf(&client->arena,
	    "http://127.0.0.1:%u/v2", port);
	struct io_config config = {
		.cloud_url = base, .graphql_url = base,
		.cloud_key = &client->key,
		.max_connections = connections,
		.trace = keep_trace, .trace_ctx = &client->trace,
	};
	client->io = io_world_new(&config);
	client->world = io_world_seam(client->io);
}

static void
client_close(struct client *client)
{
	io_world_free(client->io);
	secret_release(&client->key);
	strbuf_release(&client->trace);
	arena_release(&client->arena);
}

static struct world_event
wait_event(struct client *client, int64_t within_ms)
{
	struct world_event event;
	struct world *world = client->world;
	world->wait(world->ctx, &client->arena,
	    world->clock.mono_ms(NULL) + within_ms, &event);
	return event;
}

static struct http_answer
fetch(struct client *client, struct http_request request)
{
	if (request.path.data == NULL)
		request.path = STR("/pods");
	if (request.timeout_ms == 0)
		request.timeout_ms = 5000;
	if (request.method == HTTP_POST && request.body.data == NULL)
		request.body = STR("{\"name\":\"x\"}");
	client->world->start_http(client->world->ctx, 7, &request);
	struct world_event event = wait_event(client, 10000);
	assert_int_equal(event.type, WORLD_HTTP);
	assert_int_equal(event.token, 7);
	return event.http;
}

#define GET { .method = HTTP_GET }
#define POST { .method = HTTP_POST, .effect = true }

static void
assert_text(struct str actual, const char *expected)
{
	struct arena arena = {0};
	assert_string_equal(arena_cstr(&arena, actual), expected);
	arena_release(&arena);
}

static void
assert_holds(struct str text, const char *part)
{
	if (str_search(text, str_from(part)) < 0)
		fail_msg("'%s' is not in '%.*s'", part, (int)text.len,
		    text.data);
}

/* ------------------------------------------------------------- plain ---- */

#define OK_HEAD "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n" \
	"Retry-After: 9223372036854775807\r\nX-Request-Id: abc\r\n" \
	"RateLimit: \"minute\";r=5;t=12\r\n"

static void
serve_ok(struct server *server, int fd)
{
	while (read_request(server, fd))
		say(fd, OK_HEAD "Content-Length: 11\r\n\r\n{\"pods\":[]}");
}

static void
test_io_http_gets_an_answer_with_its_headers_raw(void **state)
{
	struct server *server = server_new(serve_ok);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	struct http_answer answer =
	    fetch(&client, (struct http_request)GET);
	assert_int_equal(answer.outcome, HTTP_ANSWERED);
	assert_int_equal(answer.status, 200);
	assert_text(answer.body, "{\"pods\":[]}");
	assert_text(answer.retry_after, "9223372036854775807");
	assert_text(answer.request_id, "abc");
	assert_text(answer.ratelimit, "\"minute\";r=5;t=12");
	assert_text(answer.date, "Sat, 21 Nov 2026 12:00:00 GMT");
	assert_holds(str_from(server->last), "GET /v2/pods HTTP/1.1\r\n");
	assert_holds(str_from(server->last), "User-Agent: podform/");
	assert_holds(str_from(server->last),
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
		struct http_answer answer = fetch(&client,
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
		fetch(&client, (struct http_request)GET);
	assert_int_equal(server->connections, 1);
	for (int i = 0; i < 3; i++)
		fetch(&client, (struct http_request)POST);
	assert_int_equal(server->connections, 4);
	fetch(&client, (struct http_request)GET);
	assert_int_equal(server->connections, 4);
	client_close(&client);
	server_free(server);
}

/* -------------------------------------------------------------- traps ---- */

/* Answers the first request, takes the second and says nothing. */
static void
serve_one_then_close(struct server *server, int fd)
{
	if (read_request(server, fd) &&
	    strncmp(server->last, "GET", 3) == 0) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
		read_request(server, fd);
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
	assert_int_equal(fetch(&client, (struct http_request)GET).status,
	    200);
	struct http_answer answer =
	    fetch(&client, (struct http_request)POST);
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
	if (!read_request(server, fd))
		return;
	say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
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
	struct http_answer answer = fetch(&client, request);
	assert_int_equal(answer.outcome, HTTP_TOO_LARGE);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.body.len, 0);
	assert_text(answer.reason, "the answer is larger than 100000 bytes");
	client_close(&client);
	server_free(server);
}

/* The status line says what is to happen: the request's path. */
static void
serve_cut(struct server *server, int fd)
{
	if (!read_request(server, fd))
		return;
	if (strstr(server->last, "/nolength") != NULL)
		say(fd, "HTTP/1.1 200 OK\r\n\r\n{\"pods\":[");
	else if (strstr(server->last, "/whole") != NULL)
		say(fd, "HTTP/1.0 200 OK\r\nConnection: close\r\n"
		    "Transfer-Encoding: identity\r\n\r\n{\"pods\":[]}");
	else if (strstr(server->last, "/nothing") != NULL)
		say(fd, "HTTP/1.1 204 No Content\r\n\r\n");
	else if (strstr(server->last, "/same") != NULL)
		say(fd, "HTTP/1.1 304 Not Modified\r\n\r\n");
	else if (strstr(server->last, "/length") != NULL)
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"po");
	else if (strstr(server->last, "/chunk") != NULL)
		say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		    "\r\n9\r\n{\"pods\":[\r\n");
	else if (strstr(server->last, "/head") != NULL)
		say(fd, "HTTP/1.1 200 OK\r\nContent-Len");
	else if (strstr(server->last, "/byte") != NULL)
		say(fd, "H");
	else if (strstr(server->last, "/old") != NULL)
		say(fd, "{\"pods\":[]}");
	else if (strstr(server->last, "/nul") != NULL) {
		static const char text[] = "HTTP/1.1 200 OK\r\nX: a\0b\r\n"
		    "Content-Length: 2\r\n\r\n{}";
		send(fd, text, sizeof text - 1, MSG_NOSIGNAL);
	} else if (strstr(server->last, "/reset") != NULL) {
		struct linger now = { 1, 0 };
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{");
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
			struct http_answer answer = fetch(&client, request);
			if (answer.outcome != cases[i].outcome)
				print_error("%s\n", cases[i].path);
			assert_int_equal(answer.outcome, cases[i].outcome);
			if (answer.outcome == HTTP_BROKEN) {
				assert_true(answer.reason.len > 0);
				assert_int_equal(answer.body.len, 0);
			}
			if (i == COUNTOF(cases) - 4)
				assert_text(answer.reason, "the answer has no "
				    "length, and may have been cut");
		}
	client_close(&client);
	server_free(server);
}

static void
serve_drip(struct server *server, int fd)
{
	if (!read_request(server, fd))
		return;
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
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
	struct http_answer answer = fetch(&client, request);
	int64_t took = client.world->clock.mono_ms(NULL) - before;
	assert_int_equal(answer.outcome, HTTP_BROKEN);
	assert_holds(answer.reason, "timed out");
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
	if (!read_request(server, fd))
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
	say(fd, text);
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
		struct http_answer answer = fetch(&client, request);
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
	if (!read_request(server, fd))
		return;
	say(fd, "HTTP/1.1 200 OK\r\n");
	if (strstr(server->last, "/one") != NULL) {
		char block[4096];
		say(fd, "X-Long: ");
		memset(block, 'a', sizeof block);
		for (int i = 0; i < 256; i++)
			if (send(fd, block, sizeof block, MSG_NOSIGNAL) < 0)
				return;
		say(fd, "\r\n");
	} else {
		for (int i = 0; i < 100000; i++)
			if (send(fd, "X-A: bcdefgh\r\n", 14, MSG_NOSIGNAL) < 0)
				return;
	}
	say(fd, "Content-Length: 2\r\n\r\n{}");
}

static void
test_io_http_a_flood_of_headers_is_broken(void **state)
{
	struct server *server = server_new(serve_header_flood);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	struct http_request request = POST;
	struct http_answer answer = fetch(&client, request);
	assert_int_equal(answer.outcome, HTTP_BROKEN);
	assert_text(answer.reason,
	    "the answer has more than 64 KiB of headers");
	request.path = STR("/one");
	assert_int_equal(fetch(&client, request).outcome, HTTP_BROKEN);
	client_close(&client);
	server_free(server);
}

static void
serve_interim(struct server *server, int fd)
{
	if (read_request(server, fd))
		say(fd, "HTTP/1.1 103 Early\r\nRetry-After: 9\r\n\r\n"
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
	    fetch(&client, (struct http_request)GET);
	assert_int_equal(answer.status, 503);
	assert_null(answer.retry_after.data);
	client_close(&client);
	server_free(server);
}

static void
serve_gzip(struct server *server, int fd)
{
	if (read_request(server, fd))
		say(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
		    "Content-Length: 4\r\n\r\n\x1f\x8b\x08\x01");
}

static void
test_io_http_inflates_nothing(void **state)
{
	struct server *server = server_new(serve_gzip);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	assert_text(fetch(&client, (struct http_request)GET).body,
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

	close(listen_anywhere(&port));
	client_open(&client, port, 0);
	struct http_answer answer =
	    fetch(&client, (struct http_request)POST);
	assert_int_equal(answer.outcome, HTTP_NOT_SENT);
	assert_true(answer.reason.len > 0);
	struct http_request github = GET;
	github.host = HOST_GITHUB;
	answer = fetch(&client, github);
	assert_int_equal(answer.outcome, HTTP_NOT_SENT);
	assert_text(answer.reason, "no address is known for this service");
	client_close(&client);
}

/* ----------------------------------------------------------- many, fds ---- */

static const char created[] =
    "HTTP/1.1 201 OK\r\nContent-Length: 2\r\n\r\n{}";

/* Counts those that are not answered yet: a client that keeps to its number
 * cannot exceed it here, however slow either side is. */
static void
serve_slowly(struct server *server, int fd)
{
	while (read_request(server, fd)) {
		int now = ++server->at_once;
		int most = server->most_at_once;
		while (now > most && !atomic_compare_exchange_weak(
		    &server->most_at_once, &most, now))
			;
		usleep(100 * 1000);
		server->at_once--;
		say(fd, created);
	}
}

/* Answers nobody before all fifty have asked. */
static void
serve_fifty_at_once(struct server *server, int fd)
{
	while (read_request(server, fd)) {
		while (server->posts < 50 && !server->stop)
			usleep(1000);
		say(fd, created);
	}
}

static size_t
run_many(struct client *client, size_t n)
{
	struct http_request request = POST;
	request.path = STR("/pods");
	request.body = STR("{}");
	request.timeout_ms = 30000;
	bool seen[128] = { false };
	size_t good = 0;

	for (size_t i = 0; i < n; i++)
		client->world->start_http(client->world->ctx, i, &request);
	for (size_t i = 0; i < n; i++) {
		struct world_event event = wait_event(client, 60000);
		assert_int_equal(event.type, WORLD_HTTP);
		assert_true(event.token < n);
		assert_false(seen[event.token]);
		seen[event.token] = true;
		good += event.http.status == 201;
	}
	return good;
}

static void
test_io_http_has_fifty_in_flight_on_one_thread(void **state)
{
	struct server *server = server_new(serve_fifty_at_once);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	assert_int_equal(run_many(&client, 50), 50);
	assert_int_equal(server->posts, 50);
	client_close(&client);
	server_free(server);
}

static void
test_io_http_keeps_to_its_number_of_connections(void **state)
{
	struct server *server = server_new(serve_slowly);
	struct client client;
	(void)state;

	client_open(&client, server->port, 4);
	assert_int_equal(run_many(&client, 12), 12);
	assert_in_range(server->most_at_once, 1, 4);
	client_close(&client);
	server_free(server);
}

static void
test_io_http_a_cancelled_request_gives_no_event(void **state)
{
	struct server *server = server_new(serve_slowly);
	struct client client;
	(void)state;

	client_open(&client, server->port, 1);
	struct http_request request = GET;
	request.path = STR("/x");
	request.timeout_ms = 3000;
	for (uint64_t token = 1; token <= 3; token++)
		client.world->start_http(client.world->ctx, token, &request);
	client.world->cancel(client.world->ctx, 1);	/* in flight */
	client.world->cancel(client.world->ctx, 3);	/* in line */
	struct world_event event = wait_event(&client, 3000);
	assert_int_equal(event.type, WORLD_HTTP);
	assert_int_equal(event.token, 2);
	assert_int_equal(wait_event(&client, 50).type, WORLD_DEADLINE);
	client_close(&client);
	server_free(server);
}

static void
test_io_http_leaves_no_descriptor_to_children(void **state)
{
	struct server *server = server_new(serve_ok);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	io_world_take_signals(client.io);
	fetch(&client, (struct http_request)GET);
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	int checked = 0;
	while ((entry = readdir(directory)) != NULL) {
		int fd = (int)strtol(entry->d_name, NULL, 10);
		if (entry->d_name[0] == '.' || fd <= 2)
			continue;
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		checked++;
	}
	closedir(directory);
	assert_true(checked >= 4);
	client_close(&client);
	server_free(server);
}

static void
test_io_http_the_trace_tells_no_secret(void **state)
{
	struct server *server = server_new(serve_ok);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	struct http_request request = POST;
	request.body = STR("{\"env\":{\"K\":\"hunter2hunter2\"}}");
	request.path = STR("/pods?x=rpa_CANARY77");
	fetch(&client, request);
	struct str trace = strbuf_str(&client.trace);
	assert_holds(trace, "> POST http://127.0.0.1:");
	assert_holds(trace, "< 200 POST ");
	assert_true(str_search(trace, STR("CANARY")) < 0);
	assert_true(str_search(trace, STR("hunter2")) < 0);
	client_close(&client);
	server_free(server);
}

static void
test_io_http_sees_that_the_machine_slept(void **state)
{
	int64_t gap_ms = -1;
	(void)state;
	assert_false(io_clock_slept(&gap_ms, 1000, 5000));
	assert_false(io_clock_slept(&gap_ms, 2000, 6001));
	assert_true(io_clock_slept(&gap_ms, 3000, 67000));
	assert_false(io_clock_slept(&gap_ms, 4000, 68000));
}

/* Turn the HTTP edge by hand until there is an event. */
static void
turn_until_event(struct io_http *http, int epoll, struct arena *arena,
    struct io_event_queue *queue)
{
	struct world_event event;
	while (!io_event_deliver(queue, arena, &event)) {
		struct epoll_event ready;
		if (epoll_wait(epoll, &ready, 1, 20) == 1)
			io_http_ready(http, (int)(uint32_t)ready.data.u64,
			    ready.events);
		io_http_tick(http);
	}
	assert_int_equal(event.http.status, 200);
}

static void
test_io_http_uses_no_connection_from_before_a_sleep(void **state)
{
	struct server *server = server_new(serve_ok);
	struct arena arena = {0};
	struct clock clock = io_clock();
	struct io_event_queue queue;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct http_request request = {
		.method = HTTP_GET, .path = STR("/pods"), .timeout_ms = 3000,
	};
	struct io_config config = {
		.cloud_url = arena_printf(&arena, "http://127.0.0.1:%u",
		    server->port),
	};
	(void)state;

	io_event_init(&queue);
	struct io_http *http = io_http_new(&config, epoll, 0, &queue, &clock);
	for (int i = 0; i < 4; i++) {
		if (i == 2)
			io_http_drop_pool(http);
		io_http_start(http, 1, &request);
		turn_until_event(http, epoll, &arena, &queue);
		assert_int_equal(server->connections, i < 2 ? 1 : 2);
	}
	/* While one is under way, later ones avoid the pool. */
	io_http_start(http, 1, &request);
	io_http_drop_pool(http);
	io_http_start(http, 2, &request);
	turn_until_event(http, epoll, &arena, &queue);
	turn_until_event(http, epoll, &arena, &queue);
	assert_int_equal(server->connections, 3);
	io_http_free(http);
	close(epoll);
	arena_release(&arena);
	server_free(server);
}

/* --------------------------------------------------------- tls, proxies ---- */

static void
client_open_url(struct client *client, const char *url)
{
	*client = (struct client){ .key = secret_new(STR("rpa_CANARY77")) };
	struct io_config config = {
		.cloud_url = str_from(url), .cloud_key = &client->key,
	};
	client->io = io_world_new(&config);
	client->world = io_world_seam(client->io);
}

static void
serve_garbage(struct server *server, int fd)
{
	char byte;
	(void)server;
	recv(fd, &byte, 1, 0);
	say(fd, "SSH-2.0-not-tls\r\n\r\n");
	while (recv(fd, &byte, 1, 0) == 1)
		;
}

static void
test_io_http_a_failed_handshake_sent_nothing(void **state)
{
	struct server *server = server_new(serve_garbage);
	struct client client;
	char url[64];
	(void)state;

	snprintf(url, sizeof url, "https://127.0.0.1:%u", server->port);
	client_open_url(&client, url);
	struct http_answer answer =
	    fetch(&client, (struct http_request)POST);
	assert_int_equal(answer.outcome, HTTP_NOT_SENT);
	assert_true(answer.reason.len > 0);
	client_close(&client);
	server_free(server);
}

static void
serve_proxy(struct server *server, int fd)
{
	if (!read_request(server, fd))
		return;
	if (strstr(server->last, "refused.test") != NULL)
		say(fd, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
	else
		say(fd, "HTTP/1.1 200 Go on\r\n\r\nnot tls at all\r\n");
}

static void
test_io_http_a_proxy_sees_no_credential(void **state)
{
	static const char *const urls[] = {
		"https://refused.test", "https://broken.test",
	};
	struct server *server = server_new(serve_proxy);
	struct client client;
	char proxy[64];
	(void)state;

	snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", server->port);
	setenv("HTTPS_PROXY", proxy, 1);
	for (size_t i = 0; i < COUNTOF(urls); i++) {
		client_open_url(&client, urls[i]);
		struct http_answer answer =
		    fetch(&client, (struct http_request)POST);
		assert_ptr_equal(strstr(server->last, "CONNECT "),
		    server->last);
		assert_null(strstr(server->last, "CANARY"));
		/* The tunnel never stood, so nothing went through it. */
		assert_int_equal(answer.outcome, HTTP_NOT_SENT);
		client_close(&client);
	}
	unsetenv("HTTPS_PROXY");
	server_free(server);
}

static void
test_io_http_few_descriptors_end_in_answers(void **state)
{
	struct server *server = server_new(serve_slowly);
	int status;
	(void)state;

	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit few = { 16, 16 };
		struct client client;
		size_t answers = 0;
		setrlimit(RLIMIT_NOFILE, &few);
		client_open(&client, server->port, 0);
		struct http_request request = POST;
		request.path = STR("/pods");
		request.timeout_ms = 3000;
		for (uint64_t i = 0; i < 40; i++)
			client.world->start_http(client.world->ctx, i,
			    &request);
		for (int i = 0; i < 40; i++) {
			struct world_event event = wait_event(&client, 5000);
			answers += event.type == WORLD_HTTP &&
			    (event.http.outcome == HTTP_NOT_SENT ||
			    event.http.status == 201);
		}
		_exit(answers == 40 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	server_free(server);
}

static void
test_io_http_may_be_left_in_the_middle(void **state)
{
	struct server *server = server_new(serve_slowly);
	struct client client;
	(void)state;

	client_open(&client, server->port, 2);
	struct http_request request = POST;
	request.path = STR("/pods");
	request.timeout_ms = 3000;
	for (uint64_t i = 0; i < 4; i++)
		client.world->start_http(client.world->ctx, i, &request);
	assert_int_equal(wait_event(&client, 20).type, WORLD_DEADLINE);
	client.world->start_banner(client.world->ctx, 9,
	    STR("localhost"), server->port, 3000);
	client_close(&client);
	server_free(server);
}

/* ------------------------------------------------------------- banner ---- */

static void
serve_banner(struct server *server, int fd)
{
	switch (atomic_load(&server->connections)) {
	case 1:
		say(fd, "hello\r\nSS");
		usleep(20 * 1000);
		say(fd, "H-2.0-x\r\n");
		break;
	case 2:
		for (int i = 0; i < 4000; i++)
			say(fd, "not SSH-2.0\r\n");
		break;
	case 3:
		break;
	default:	/* it is tried again and again */
		say(fd, "XSSH-2.0\r\nno\r\n");
		return;
	}
	char byte;
	recv(fd, &byte, 1, 0);
}

static void
test_io_banner_is_a_line_that_begins_with_ssh(void **state)
{
	static const struct {
		bool ok;
		const char *reason;
	} cases[] = {
		{ true, "" }, { false, "8 KiB without an SSH banner" },
		{ false, "no SSH banner in time" },
		{ false, "closed before an SSH banner came" },
	};
	struct server *server = server_new(serve_banner);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		/* A name as well as a number. */
		client.world->start_banner(client.world->ctx, i,
		    i == 1 ? STR("localhost") : STR("127.0.0.1"),
		    server->port, 400);
		struct world_event event = wait_event(&client, 5000);
		assert_int_equal(event.type, WORLD_BANNER);
		assert_int_equal(event.token, i);
		assert_int_equal(event.banner_ok, cases[i].ok);
		assert_text(event.banner_reason, cases[i].reason);
	}
	client_close(&client);
	server_free(server);
}

/* A pod whose sshd begins after its port is known: no answer is needed in
 * between. */
static void
test_io_banner_waits_for_who_begins_to_listen(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	struct client client;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), peer = -1;
	(void)state;

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	client_open(&client, ntohs(at.sin_port), 0);
	client.world->start_banner(client.world->ctx, 1, STR("127.0.0.1"),
	    ntohs(at.sin_port), 20000);
	assert_int_equal(wait_event(&client, 20).type, WORLD_DEADLINE);
	assert_int_equal(listen(fd, 1), 0);
	for (int i = 0; i < 500 && peer < 0; i++) {
		assert_int_equal(wait_event(&client, 10).type,
		    WORLD_DEADLINE);
		peer = accept(fd, NULL, NULL);
	}
	say(peer, "SSH-2.0-x\r\n");
	assert_true(wait_event(&client, 5000).banner_ok);
	close(peer);
	close(fd);
	client_close(&client);
}

static void
test_io_banner_refused_says_so(void **state)
{
	uint16_t port;
	struct client client;
	(void)state;

	close(listen_anywhere(&port));
	client_open(&client, port, 0);
	client.world->start_banner(client.world->ctx, 1, STR("127.0.0.1"),
	    port, 2000);
	struct world_event event = wait_event(&client, 3000);
	assert_false(event.banner_ok);
	assert_text(event.banner_reason, "Connection refused");
	client.world->start_banner(client.world->ctx, 2,
	    STR("no-such-host.invalid"), port, 2000);
	client.world->start_banner(client.world->ctx, 3, STR("127.0.0.1"),
	    port, 2000);
	client.world->cancel(client.world->ctx, 3);
	event = wait_event(&client, 3000);
	assert_int_equal(event.token, 2);
	assert_false(event.banner_ok);
	client_close(&client);
}

/* ------------------------------------------------------------ signals ---- */

static void
test_io_world_signals_are_events(void **state)
{
	struct client client;
	(void)state;

	client_open(&client, 1, 0);
	io_world_take_signals(client.io);
	assert_int_equal(wait_event(&client, 0).type, WORLD_DEADLINE);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGHUP);
	struct world_event first = wait_event(&client, 1000);
	struct world_event second = wait_event(&client, 1000);
	assert_int_equal(first.type, WORLD_SIGNAL);
	assert_int_equal(second.type, WORLD_SIGNAL);
	assert_int_equal(first.signal + second.signal, SIGTERM + SIGHUP);
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
		cmocka_unit_test(
		    test_io_http_has_fifty_in_flight_on_one_thread),
		cmocka_unit_test(
		    test_io_http_keeps_to_its_number_of_connections),
		cmocka_unit_test(
		    test_io_http_a_cancelled_request_gives_no_event),
		cmocka_unit_test(test_io_http_leaves_no_descriptor_to_children),
		cmocka_unit_test(test_io_http_the_trace_tells_no_secret),
		cmocka_unit_test(test_io_http_sees_that_the_machine_slept),
		cmocka_unit_test(
		    test_io_http_uses_no_connection_from_before_a_sleep),
		cmocka_unit_test(test_io_http_a_failed_handshake_sent_nothing),
		cmocka_unit_test(test_io_http_a_proxy_sees_no_credential),
		cmocka_unit_test(test_io_http_few_descriptors_end_in_answers),
		cmocka_unit_test(test_io_http_may_be_left_in_the_middle),
		cmocka_unit_test(test_io_banner_is_a_line_that_begins_with_ssh),
		cmocka_unit_test(
		    test_io_banner_waits_for_who_begins_to_listen),
		cmocka_unit_test(test_io_banner_refused_says_so),
		cmocka_unit_test(test_io_world_signals_are_events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
