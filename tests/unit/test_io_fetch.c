/*
 * test_io_fetch.c - files from the network, event streams, and what a request
 * may say for itself, against a server that behaves as its path says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "io/io_world.h"
#include "tests/unit/shell.h"

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e" \
	"1b161e5c1fa7425e73043362938b9824"	/* of "hello" */

/* -------------------------------------------------------------- server ---- */

struct server {
	int listener;
	uint16_t port, other;
	atomic_int requests;
	atomic_bool stop;
	char last[4096];
	pthread_t thread;
};

static void
say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return;
}

/* For ms, or until the client goes. */
static void
linger(struct server *server, int fd, int ms)
{
	for (int t = 0; t < ms && !server->stop; t += 10) {
		struct pollfd gone = { fd, POLLRDHUP, 0 };
		if (poll(&gone, 1, 10) > 0)
			return;
	}
}

static void
go(int fd, const char *format, unsigned port)
{
	char place[256], text[512];
	/* cppcheck-suppress wrongPrintfScanfArgNum */
	snprintf(place, sizeof place, format, port);
	snprintf(text, sizeof text, "HTTP/1.1 302 Found\r\nLocation: %s\r\n"
	    "Content-Length: 4\r\n\r\nmove", place);
	say(fd, text);
}

static void
stream(struct server *server, int fd, bool endless)
{
	say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
	for (int i = 0; i < (endless ? 1000 : 3) && !server->stop; i++) {
		say(fd, "data: line\n\n");
		linger(server, fd, 30);
	}
	linger(server, fd, 5000);
}

static void
serve(struct server *server, int fd, const char *path)
{
	if (strcmp(path, "/file") == 0)
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	else if (strcmp(path, "/go") == 0)
		go(fd, "/file", 0);
	else if (strcmp(path, "/away") == 0)
		go(fd, "http://127.0.0.1:%u/file?signature=CANARY",
		    server->other);
	else if (strcmp(path, "/bare") == 0)
		say(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
	else if (strcmp(path, "/nowhere") == 0)
		say(fd, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
	else if (strcmp(path, "/loop") == 0)
		go(fd, "/loop", 0);
	else if (strcmp(path, "/evil") == 0)
		go(fd, "http://example.com/file", 0);
	else if (strcmp(path, "/etc") == 0)
		go(fd, "file:///etc/passwd", 0);
	else if (strcmp(path, "/big") == 0) {
		say(fd, "HTTP/1.1 200 OK\r\n\r\n");
		for (int i = 0; i < 100; i++)
			say(fd, "0123456789");
	} else if (strcmp(path, "/cut") == 0)
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
	else if (strcmp(path, "/slow") == 0) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
		linger(server, fd, 5000);
	} else if (strcmp(path, "/api/stream") == 0)
		stream(server, fd, false);
	else if (strcmp(path, "/api/endless") == 0)
		stream(server, fd, true);
	else if (strncmp(path, "/api/", 5) == 0)
		say(fd, "HTTP/1.1 304 Not Modified\r\nETag: W/\"a\"\r\n"
		    "Link: <x>; rel=\"next\"\r\nLocation: /y\r\n"
		    "X-RateLimit-Remaining: 7\r\nX-RateLimit-Reset: 99\r\n"
		    "X-GitHub-Request-Id: AB:1\r\n"
		    "X-Accepted-OAuth-Scopes: repo\r\n"
		    "X-OAuth-Scopes: gist, read:org\r\n"
		    "GitHub-Authentication-Token-Expiration: 2027-01-01\r\n"
		    "X-Accepted-GitHub-Permissions: a=b\r\n\r\n");
	else
		say(fd, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
}

static void *
accept_all(void *ctx)
{
	struct server *server = ctx;

	while (!server->stop) {
		struct pollfd ready = { server->listener, POLLIN, 0 };
		if (poll(&ready, 1, 10) <= 0)
			continue;
		int fd = accept(server->listener, NULL, NULL);
		ssize_t n = recv(fd, server->last, sizeof server->last - 1,
		    0);
		if (n > 0) {
			char path[128] = "";
			server->last[n] = '\0';
			sscanf(server->last, "%*s %127[^ ?]", path);
			server->requests++;
			serve(server, fd, path);
		}
		close(fd);
	}
	return NULL;
}

static void
open_server(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;

	*server = (struct server){0};
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listener,
	    (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(server->listener, 16), 0);
	getsockname(server->listener, (struct sockaddr *)&address, &len);
	server->port = ntohs(address.sin_port);
	pthread_create(&server->thread, NULL, accept_all, server);
}

static void
close_server(struct server *server)
{
	server->stop = true;
	pthread_join(server->thread, NULL);
	close(server->listener);
}

/* -------------------------------------------------------------- client ---- */

struct bench {
	struct arena arena;
	const char *directory, *path;
	struct server server, other;
	struct strbuf trace;
	struct io_world *io;
	struct world *world;
};

static void
keep_trace(void *ctx, struct str line)
{
	strbuf_add(ctx, line);
	strbuf_addc(ctx, '\n');
}

static int
setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct secret token = secret_new(STR("tokenCANARY"));

	bench->directory = shell_directory(&bench->arena);
	bench->path = arena_printf(&bench->arena, "%s/file",
	    bench->directory).data;
	open_server(&bench->server);
	open_server(&bench->other);
	bench->server.other = bench->other.port;
	struct io_config config = {
		.github_url = arena_printf(&bench->arena,
		    "http://127.0.0.1:%u/api", bench->server.port),
		.github_token = &token,
		.trace = keep_trace, .trace_ctx = &bench->trace,
	};
	bench->io = io_world_new(&config);
	bench->world = io_world_seam(bench->io);
	secret_release(&token);
	*state = bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;

	io_world_free(bench->io);
	close_server(&bench->server);
	close_server(&bench->other);
	/* Of what failed nothing may be left. */
	int rc = shell_run(&bench->arena, bench->directory,
	    "ls -A | grep -v '^file$'", NULL);
	shell_remove(bench->directory);
	strbuf_release(&bench->trace);
	arena_release(&bench->arena);
	free(bench);
	return rc == 1 ? 0 : -1;
}

static struct world_event
fetch(struct bench *bench, const char *path, struct fetch_request request)
{
	struct world_event event;
	struct world *world = bench->world;

	request.url = arena_printf(&bench->arena, "http://127.0.0.1:%u%s",
	    bench->server.port, path);
	request.path = str_from(bench->path);
	if (request.timeout_ms == 0)
		request.timeout_ms = 5000;
	world->start_fetch(world->ctx, 9, &request);
	world->wait(world->ctx, &bench->arena,
	    world->clock.mono_ms(world->clock.ctx) + 10000, &event);
	assert_int_equal(event.type, WORLD_FETCH);
	assert_int_equal(event.token, 9);
	return event;
}

static bool
is_there(const struct bench *bench)
{
	return access(bench->path, F_OK) == 0;
}

static void
assert_holds(struct str text, const char *part)
{
	if (str_search(text, str_from(part)) < 0)
		fail_msg("'%s' is not in '%.*s'", part, (int)text.len,
		    text.data);
}

static void
test_io_fetch_makes_a_file_of_ours_alone(void **state)
{
	struct bench *bench = *state;
	struct stat info;

	assert_true(fetch(bench, "/file", (struct fetch_request){
		.sha256 = STR(HELLO), .bearer = STR("t0ken") }).fetch_ok);
	assert_true(str_eq(shell_read(&bench->arena, bench->path),
	    STR("hello")));
	assert_int_equal(stat(bench->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_holds(str_from(bench->server.last),
	    "Authorization: Bearer t0ken\r\n");
	assert_true(str_search(strbuf_str(&bench->trace), STR("t0ken")) < 0);
}

static void
test_io_fetch_of_what_is_there_asks_nobody(void **state)
{
	struct bench *bench = *state;
	struct fetch_request request = { .sha256 = STR(HELLO) };

	assert_true(fetch(bench, "/file", request).fetch_ok);
	assert_true(fetch(bench, "/file", request).fetch_ok);
	assert_int_equal(bench->server.requests, 1);
	/* Another content is another file. */
	shell_write(bench->path, STR("hellO"), 0600);
	assert_true(fetch(bench, "/file", request).fetch_ok);
	assert_int_equal(bench->server.requests, 2);
	assert_true(str_eq(shell_read(&bench->arena, bench->path),
	    STR("hello")));
}

static void
test_io_fetch_refuses_what_is_not_right(void **state)
{
	static const struct {
		const char *path, *why;
	} rows[] = {
		{ "/file", "does not have the digest" },
		{ "/big", "larger than 500 bytes" },
		{ "/missing", "HTTP status 404" },
		{ "/loop", "more than 5 redirects" },
		{ "/nowhere", "a redirect to nowhere" },
		{ "/evil", "a redirect to where no file is fetched from" },
		{ "/etc", "a redirect to where no file is fetched from" },
	};
	struct bench *bench = *state;
	char wrong[] = HELLO;

	wrong[0] = 'f';
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct world_event event = fetch(bench, rows[i].path,
		    (struct fetch_request){ .sha256 = str_from(wrong),
			.max_bytes = 500 });
		assert_false(event.fetch_ok);
		assert_holds(event.fetch_reason, rows[i].why);
		assert_false(is_there(bench));
	}
	assert_false(fetch(bench, "/cut", (struct fetch_request){0})
	    .fetch_ok);
	assert_false(is_there(bench));
}

/* What ends with its connection may have been cut: a digest tells. */
static void
test_io_fetch_of_no_known_end_needs_a_digest(void **state)
{
	struct bench *bench = *state;
	struct world_event event = fetch(bench, "/bare",
	    (struct fetch_request){0});

	assert_false(event.fetch_ok);
	assert_holds(event.fetch_reason, "neither a length nor a digest is "
	    "known, and it may have been cut");
	assert_false(is_there(bench));
	assert_true(fetch(bench, "/file", (struct fetch_request){0})
	    .fetch_ok);
	unlink(bench->path);
	assert_true(fetch(bench, "/bare", (struct fetch_request){
		.sha256 = STR(HELLO) }).fetch_ok);
}

static int
broken_fd(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return -EIO;
}

static ssize_t
broken_write(void *ctx, int fd, const void *bytes, size_t n)
{
	(void)ctx;
	(void)fd;
	(void)bytes;
	(void)n;
	return -ENOSPC;
}

static ssize_t
broken_read(void *ctx, int fd, void *bytes, size_t n)
{
	(void)ctx;
	(void)fd;
	(void)bytes;
	(void)n;
	return -EIO;
}

static int
broken_open(void *ctx, const char *path, unsigned flags, unsigned mode)
{
	(void)ctx;
	(void)path;
	(void)flags;
	(void)mode;
	return -EACCES;
}

static int
broken_rename(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	(void)from;
	(void)to;
	return -EROFS;
}

static void
check_broken(struct bench *bench, const char *why)
{
	struct world_event event = fetch(bench, "/file",
	    (struct fetch_request){ .sha256 = STR(HELLO) });

	assert_false(event.fetch_ok);
	assert_holds(event.fetch_reason, why);
}

static void
test_io_fetch_says_what_a_disk_does_not_do(void **state)
{
	struct bench *bench = *state;
	struct fs *fs = &bench->world->fs, whole = *fs;

	fs->sync = broken_fd;
	check_broken(bench, "cannot sync the file: Input/output error");
	*fs = whole;
	fs->write = broken_write;
	check_broken(bench, "cannot write the file: No space left on device");
	*fs = whole;
	fs->open = broken_open;
	check_broken(bench, "cannot make the file: Permission denied");
	*fs = whole;
	fs->rename = broken_rename;
	check_broken(bench, "cannot put the file in place: Read-only file "
	    "system");
	*fs = whole;
	assert_false(is_there(bench));
	/* One that is there and cannot be read is fetched anew. */
	shell_write(bench->path, STR("hello"), 0600);
	fs->read = broken_read;
	assert_true(fetch(bench, "/file", (struct fetch_request){
		.sha256 = STR(HELLO) }).fetch_ok);
	assert_int_equal(bench->server.requests, 4);
	*fs = whole;
}

static void
test_io_fetch_of_a_silent_server_ends_in_time(void **state)
{
	struct bench *bench = *state;
	int64_t from = bench->world->clock.mono_ms(NULL);

	assert_false(fetch(bench, "/slow", (struct fetch_request){
		.timeout_ms = 300 }).fetch_ok);
	assert_in_range(bench->world->clock.mono_ms(NULL) - from, 250, 4000);
	assert_false(is_there(bench));
}

static void
test_io_fetch_keeps_the_credential_with_its_host(void **state)
{
	struct bench *bench = *state;
	struct fetch_request request = { .sha256 = STR(HELLO),
		.bearer = STR("t0ken") };

	assert_true(fetch(bench, "/go", request).fetch_ok);
	assert_holds(str_from(bench->server.last), "GET /file HTTP");
	assert_holds(str_from(bench->server.last), "Bearer t0ken\r\n");
	unlink(bench->path);
	assert_true(fetch(bench, "/away", request).fetch_ok);
	assert_holds(str_from(bench->other.last), "GET /file?signature=");
	assert_true(strcasestr(bench->other.last, "authorization") == NULL);
	/* A signed address is as good as a key. */
	assert_true(str_search(strbuf_str(&bench->trace), STR("CANARY")) < 0);
}

static void
test_io_fetch_begins_at_https_alone(void **state)
{
	static const char *const urls[] = {
		"http://example.com/x", "ftp://127.0.0.1/", "file:///etc/x",
		"", "https://user@example.com/",
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNTOF(urls); i++) {
		struct fetch_request request = { .url = str_from(urls[i]),
			.path = str_from(bench->path) };
		struct world_event event;
		bench->world->start_fetch(bench->world->ctx, 1, &request);
		bench->world->wait(bench->world->ctx, &bench->arena,
		    bench->world->clock.mono_ms(NULL) + 2000, &event);
		assert_int_equal(event.type, WORLD_FETCH);
		assert_false(event.fetch_ok);
	}
}

static void
test_io_fetch_that_is_cancelled_leaves_nothing(void **state)
{
	struct bench *bench = *state;
	struct world_event event;
	struct fetch_request request = {
		.url = arena_printf(&bench->arena, "http://127.0.0.1:%u/slow",
		    bench->server.port),
		.path = str_from(bench->path), .timeout_ms = 5000 };

	bench->world->start_fetch(bench->world->ctx, 1, &request);
	bench->world->wait(bench->world->ctx, &bench->arena,
	    bench->world->clock.mono_ms(NULL) + 100, &event);
	assert_int_equal(event.type, WORLD_DEADLINE);
	bench->world->cancel(bench->world->ctx, 1);
	bench->world->wait(bench->world->ctx, &bench->arena,
	    bench->world->clock.mono_ms(NULL) + 50, &event);
	assert_int_equal(event.type, WORLD_DEADLINE);
}

/* ------------------------------------------------------------ requests ---- */

static struct http_answer
ask(struct bench *bench, struct http_request request)
{
	struct world_event event;
	struct world *world = bench->world;

	request.host = HOST_GITHUB;
	if (request.timeout_ms == 0)
		request.timeout_ms = 5000;
	world->start_http(world->ctx, 4, &request);
	world->wait(world->ctx, &bench->arena,
	    world->clock.mono_ms(NULL) + 8000, &event);
	assert_int_equal(event.type, WORLD_HTTP);
	return event.http;
}

static void
test_io_stream_is_complete_when_it_is_quiet(void **state)
{
	struct bench *bench = *state;
	struct http_answer answer = ask(bench, (struct http_request){
		.path = STR("/stream"), .quiet_ms = 200 });

	assert_int_equal(answer.outcome, HTTP_ANSWERED);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.body.len, 36);
	assert_holds(str_from(bench->server.last),
	    "Accept: text/event-stream\r\n");
	/* Without that it is an answer that never came. */
	assert_int_equal(ask(bench, (struct http_request){
		.path = STR("/stream"), .timeout_ms = 400 }).outcome,
	    HTTP_BROKEN);
}

static void
test_io_stream_is_complete_soon_after_what_is_enough(void **state)
{
	struct bench *bench = *state;
	int64_t began = bench->world->clock.mono_ms(NULL);
	struct http_answer answer = ask(bench, (struct http_request){
		.path = STR("/stream"), .quiet_ms = 60000,
		.enough = STR("line") });

	assert_int_equal(answer.outcome, HTTP_ANSWERED);
	assert_true(answer.body.len >= 12);
	/* It was not the timeout of 5 s that ended it. */
	assert_true(bench->world->clock.mono_ms(NULL) - began < 4000);
}

static void
test_io_stream_without_end_is_what_came(void **state)
{
	struct bench *bench = *state;
	struct http_answer answer = ask(bench, (struct http_request){
		.path = STR("/endless"), .quiet_ms = 1000,
		.timeout_ms = 300 });

	assert_int_equal(answer.outcome, HTTP_ANSWERED);
	assert_true(answer.body.len >= 12);
	answer = ask(bench, (struct http_request){ .path = STR("/endless"),
		.quiet_ms = 1000, .max_body = 30 });
	assert_int_equal(answer.outcome, HTTP_ANSWERED);
	assert_true(answer.body.len <= 30);
}

static void
test_io_http_carries_what_github_needs(void **state)
{
	struct bench *bench = *state;
	struct http_answer answer = ask(bench, (struct http_request){
		.path = STR("/x"), .etag = STR("W/\"a\"") });
	struct str sent = str_from(bench->server.last);

	assert_int_equal(answer.outcome, HTTP_ANSWERED);
	assert_int_equal(answer.status, 304);
	assert_true(str_is(answer.etag, "W/\"a\""));
	assert_true(str_is(answer.link, "<x>; rel=\"next\""));
	assert_true(str_is(answer.location, "/y"));
	assert_true(str_is(answer.github_limit, "7/99"));
	assert_true(str_is(answer.request_id, "AB:1"));
	assert_true(str_is(answer.permissions, "a=b"));
	assert_true(str_is(answer.scopes, "gist, read:org"));
	assert_true(str_is(answer.token_ends, "2027-01-01"));
	assert_holds(sent, "GET /api/x HTTP");
	assert_holds(sent, "If-None-Match: W/\"a\"\r\n");
	assert_holds(sent, "Accept: application/vnd.github+json\r\n");
	assert_holds(sent, "X-GitHub-Api-Version: 2022-11-28\r\n");
	assert_holds(sent, "Authorization: Bearer tokenCANARY\r\n");
	ask(bench, (struct http_request){ .path = STR("/x"),
		.bearer = STR("anotherCANARY") });
	sent = str_from(bench->server.last);
	assert_holds(sent, "Bearer anotherCANARY\r\n");
	assert_true(str_search(sent, STR("tokenCANARY")) < 0);
	assert_true(str_search(strbuf_str(&bench->trace), STR("CANARY")) < 0);
}

/* A next page is a whole address; the credential goes to our own alone. */
static void
test_io_http_asks_whole_addresses_of_its_host_alone(void **state)
{
	struct bench *bench = *state;
	struct http_answer answer = ask(bench, (struct http_request){
		.path = arena_printf(&bench->arena,
		    "http://127.0.0.1:%u/api/page", bench->server.port) });

	assert_int_equal(answer.status, 304);
	assert_holds(str_from(bench->server.last), "GET /api/page HTTP");
	answer = ask(bench, (struct http_request){
		.path = arena_printf(&bench->arena,
		    "http://127.0.0.1:%u/api/page", bench->other.port) });
	assert_int_equal(answer.outcome, HTTP_NOT_SENT);
	assert_int_equal(bench->other.requests, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_io_fetch_makes_a_file_of_ours_alone),
		TEST(test_io_fetch_of_what_is_there_asks_nobody),
		TEST(test_io_fetch_refuses_what_is_not_right),
		TEST(test_io_fetch_of_no_known_end_needs_a_digest),
		TEST(test_io_fetch_says_what_a_disk_does_not_do),
		TEST(test_io_fetch_of_a_silent_server_ends_in_time),
		TEST(test_io_fetch_keeps_the_credential_with_its_host),
		TEST(test_io_fetch_begins_at_https_alone),
		TEST(test_io_fetch_that_is_cancelled_leaves_nothing),
		TEST(test_io_stream_is_complete_when_it_is_quiet),
		TEST(test_io_stream_is_complete_soon_after_what_is_enough),
		TEST(test_io_stream_without_end_is_what_came),
		TEST(test_io_http_carries_what_github_needs),
		TEST(test_io_http_asks_whole_addresses_of_its_host_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
