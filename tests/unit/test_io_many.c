/* test_io_many.c - the real HTTP edge: many requests, sleep, proxies, limits */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http_peer.h"
#include "io/io_clock.h"

/* ------------------------------------------------------- many, fds -- */

static const char created[] =
    "HTTP/1.1 201 OK\r\nContent-Length: 2\r\n\r\n{}";

/* Counts those that are not answered yet: a client that keeps to its number
 * cannot exceed it here, however slow either side is. */
static void
serve_slowly(struct server *server, int fd)
{
	while (server_read(server, fd)) {
		int now = ++server->at_once;
		int most = server->most_at_once;
		while (now > most && !atomic_compare_exchange_weak(
		    &server->most_at_once, &most, now))
			;
		usleep(100 * 1000);
		server->at_once--;
		server_say(fd, created);
	}
}

/* Answers nobody before all fifty have asked. */
static void
serve_fifty_at_once(struct server *server, int fd)
{
	while (server_read(server, fd)) {
		while (server->posts < 50 && !server->stop)
			usleep(1000);
		server_say(fd, created);
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
		struct world_event event = client_wait(client, 60000);
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
	struct world_event event = client_wait(&client, 3000);
	assert_int_equal(event.type, WORLD_HTTP);
	assert_int_equal(event.token, 2);
	assert_int_equal(client_wait(&client, 50).type, WORLD_DEADLINE);
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
	client_fetch(&client, (struct http_request)GET);
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
	client_fetch(&client, request);
	struct str trace = strbuf_str(&client.trace);
	assert_text_holds(trace, "> POST http://127.0.0.1:");
	assert_text_holds(trace, "< 200 POST ");
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

/* ---------------------------------------------------- tls, proxies -- */

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
	server_say(fd, "SSH-2.0-not-tls\r\n\r\n");
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
	    client_fetch(&client, (struct http_request)POST);
	assert_int_equal(answer.outcome, HTTP_NOT_SENT);
	assert_true(answer.reason.len > 0);
	client_close(&client);
	server_free(server);
}

static void
serve_proxy(struct server *server, int fd)
{
	if (!server_read(server, fd))
		return;
	if (strstr(server->last, "refused.test") != NULL)
		server_say(fd, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
	else
		server_say(fd, "HTTP/1.1 200 Go on\r\n\r\nnot tls at all\r\n");
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
		    client_fetch(&client, (struct http_request)POST);
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
			struct world_event event = client_wait(&client, 5000);
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
	assert_int_equal(client_wait(&client, 20).type, WORLD_DEADLINE);
	client.world->start_banner(client.world->ctx, 9,
	    STR("localhost"), server->port, 3000);
	client_close(&client);
	server_free(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
