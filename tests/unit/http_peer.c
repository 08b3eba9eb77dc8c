/* http_peer.c - see http_peer.h */
#include "http_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct job {
	struct server *server;
	int fd;
};

void
server_say(int fd, const char *text)
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

bool
server_read(struct server *server, int fd)
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

int
server_listen(uint16_t *port)
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

struct server *
server_new(serve_fn *serve)
{
	struct server *server = calloc(1, sizeof *server);
	server->serve = serve;
	server->listener = server_listen(&server->port);
	pthread_create(&server->thread, NULL, accept_all, server);
	return server;
}

void
server_free(struct server *server)
{
	server->stop = true;
	pthread_join(server->thread, NULL);
	close(server->listener);
	free(server);
}

static void
keep_trace(void *ctx, struct str line)
{
	struct strbuf *trace = ctx;
	strbuf_add(trace, line);
	strbuf_addc(trace, '\n');
}

void
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

void
client_close(struct client *client)
{
	io_world_free(client->io);
	secret_release(&client->key);
	strbuf_release(&client->trace);
	arena_release(&client->arena);
}

struct world_event
client_wait(struct client *client, int64_t within_ms)
{
	struct world_event event;
	struct world *world = client->world;
	world->wait(world->ctx, &client->arena,
	    world->clock.mono_ms(NULL) + within_ms, &event);
	return event;
}

struct http_answer
client_fetch(struct client *client, struct http_request request)
{
	if (request.path.data == NULL)
		request.path = STR("/pods");
	if (request.timeout_ms == 0)
		request.timeout_ms = 5000;
	if (request.method == HTTP_POST && request.body.data == NULL)
		request.body = STR("{\"name\":\"x\"}");
	client->world->start_http(client->world->ctx, 7, &request);
	struct world_event event = client_wait(client, 10000);
	assert_int_equal(event.type, WORLD_HTTP);
	assert_int_equal(event.token, 7);
	return event.http;
}

void
serve_ok(struct server *server, int fd)
{
	while (server_read(server, fd))
		server_say(fd,
		    OK_HEAD "Content-Length: 11\r\n\r\n{\"pods\":[]}");
}

void
assert_text_is(struct str actual, const char *expected)
{
	struct arena arena = {0};
	assert_string_equal(arena_cstr(&arena, actual), expected);
	arena_release(&arena);
}

void
assert_text_holds(struct str text, const char *part)
{
	if (str_search(text, str_from(part)) < 0)
		fail_msg("'%s' is not in '%.*s'", part, (int)text.len,
		    text.data);
}
