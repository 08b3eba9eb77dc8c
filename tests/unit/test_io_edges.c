/*
 * test_io_edges.c - probes, banners and listeners of pkg/io: what is at the
 * other end, or in the way, and what is said of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "io/io_clock.h"
#include "io/io_listen.h"
#include "io/io_probe.h"
#include "io/io_world.h"
#include "tests/unit/shell.h"

static void
check_text(const char *of, struct str actual, const char *expected)
{
	if (!str_is(actual, expected))
		fail_msg("%s: '%.*s', not '%s'", of, (int)actual.len,
		    actual.data, expected);
}

/* ------------------------------------------------------------- the peer ---- */

enum end { HOLDS, CLOSES, RESETS };

/* Lets in one client after the other: reads what it says for a moment, says
 * this, and ends so. */
struct peer {
	int listener, stop[2];
	uint16_t port;
	const char *says;
	enum end end;
	bool at_once;			/* without hearing the client */
	char heard[2048];
	pthread_t thread;
};

static void
serve(struct peer *peer, int fd)
{
	struct pollfd ready[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = peer->stop[0], .events = POLLIN },
	};

	if (!peer->at_once) {
		poll(ready, 2, 2000);
		ssize_t n = recv(fd, peer->heard, sizeof peer->heard - 1,
		    MSG_DONTWAIT);
		peer->heard[n > 0 ? n : 0] = '\0';
	}
	if (peer->says != NULL)
		send(fd, peer->says, strlen(peer->says), MSG_NOSIGNAL);
	if (peer->end == RESETS)
		setsockopt(fd, SOL_SOCKET, SO_LINGER,
		    &(struct linger){ 1, 0 }, sizeof(struct linger));
	if (peer->end == HOLDS)
		poll(&ready[1], 1, 5000);
	close(fd);
}

static void *
serve_all(void *ctx)
{
	struct peer *peer = ctx;

	for (;;) {
		struct pollfd ready[2] = {
			{ .fd = peer->listener, .events = POLLIN },
			{ .fd = peer->stop[0], .events = POLLIN },
		};
		poll(ready, 2, -1);
		if (ready[1].revents != 0)
			return NULL;
		int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			serve(peer, fd);
	}
}

static int
listen_on(int family, uint16_t *port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool is_six = family == AF_INET6;
	socklen_t len = is_six ? sizeof six : sizeof four;
	void *address = is_six ? (void *)&six : (void *)&four;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, address, len) != 0 || listen(fd, 16) != 0) {
		close(fd);
		return -1;
	}
	getsockname(fd, address, &len);
	*port = ntohs(is_six ? six.sin6_port : four.sin_port);
	return fd;
}

static void
peer_begin(struct peer *peer)
{
	peer->listener = listen_on(AF_INET, &peer->port);
	assert_true(peer->listener >= 0);
	assert_int_equal(pipe2(peer->stop, O_CLOEXEC), 0);
	pthread_create(&peer->thread, NULL, serve_all, peer);
}

static void
peer_end(struct peer *peer)
{
	close(peer->stop[1]);
	pthread_join(peer->thread, NULL);
	close(peer->stop[0]);
	close(peer->listener);
}

/* ---------------------------------------------------------------- probes ---- */

struct outcome {
	int n;
	uint64_t token;
	bool ok;
	char reason[300];
};

static void
told(void *ctx, uint64_t token, bool ok, struct str reason)
{
	struct outcome *outcome = ctx;
	outcome->n++;
	outcome->token = token;
	outcome->ok = ok;
	snprintf(outcome->reason, sizeof outcome->reason, "%.*s",
	    (int)reason.len, reason.data);
}

static struct outcome
probe(const char *url, int64_t timeout_ms)
{
	struct outcome outcome = {0};
	struct clock clock = io_clock();
	struct io_probes *probes = io_probes_new(&clock, told, &outcome);

	assert_int_equal(io_probes_next_ms(probes), -1);
	io_probes_start(probes, 7, str_from(url), timeout_ms);
	for (int i = 0; i < 200 && outcome.n == 0; i++) {
		struct pollfd ready = { .fd = io_probes_fd(probes),
			.events = POLLIN };
		int64_t left = io_probes_next_ms(probes) -
		    clock.mono_ms(clock.ctx);
		poll(&ready, 1, left < 0 ? 0 : (int)left);
		io_probes_turn(probes);
	}
	assert_int_equal(outcome.n, 1);
	assert_int_equal(outcome.token, 7);
	assert_false(io_probes_cancel(probes, 7));
	io_probes_free(probes);
	return outcome;
}

#define TEN "xxxxxxxxxx"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void
test_io_probe_says_what_answers(void **state)
{
	static const struct {
		const char *scheme;
		struct peer peer;
		int64_t timeout_ms;
		bool ok;
		const char *reason;
	} cases[] = {
		{ "http", { .says = "HTTP/1.1 200 OK\r\n" }, 3000, true,
		  "status 200" },
		{ "http", { .says = "HTTP/1.0 401\n", .end = CLOSES }, 3000,
		  true, "status 401" },
		{ "http", { .says = "HTTP/1.1 503 no\r\n" }, 3000, false,
		  "status 503" },
		{ "http", { .says = "HTTP/1.1 999 odd\r\n" }, 3000, false,
		  "what answers is no web server" },
		{ "http", { .says = "SSH-2.0-x\r\n" }, 3000, false,
		  "what answers is no web server" },
		{ "http", { .says = "\r\n" }, 3000, false,
		  "what answers is no web server" },
		{ "http", { .says = "HTTP/1.1 200 " HUNDRED HUNDRED HUNDRED
		  HUNDRED HUNDRED HUNDRED }, 3000, true, "status 200" },
		{ "http", { .end = CLOSES }, 3000, false,
		  "closed without an answer" },
		{ "http", { .says = "HTTP/1.1 2", .end = CLOSES }, 3000,
		  false, "closed without an answer" },
		{ "http", { .end = RESETS }, 3000, false,
		  "Connection reset by peer" },
		{ "http", { .end = HOLDS }, 150, false,
		  "no answer in time" },
		{ "https", { .end = HOLDS }, 3000, true, "it stays open" },
		{ "https", { .end = HOLDS }, 150, false,
		  "no answer in time" },
		{ "https", { .says = "\x15", .at_once = true }, 3000, true,
		  "it speaks" },
		{ "https", { .end = CLOSES, .at_once = true }, 3000, false,
		  "closed without an answer" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct peer peer = cases[i].peer;
		char url[64];
		peer_begin(&peer);
		snprintf(url, sizeof url, "%s://127.0.0.1:%u/",
		    cases[i].scheme, peer.port);
		struct outcome outcome = probe(url, cases[i].timeout_ms);
		peer_end(&peer);
		if (outcome.ok != cases[i].ok ||
		    strcmp(outcome.reason, cases[i].reason) != 0)
			fail_msg("%zu: %s", i, outcome.reason);
	}
}

static void
test_io_probe_asks_for_what_the_url_says(void **state)
{
	static const struct {
		const char *before, *after, *line;
	} cases[] = {
		{ "http://127.0.0.1", "", "GET / HTTP/1.1\r\nHost: 127.0.0.1" },
		{ "http://localhost", "/a?b#c", "GET /a?b HTTP/1.1\r\nHost: "
		  "localhost" },
		{ "http://u:p@127.0.0.1", "?x", "GET /?x HTTP/1.1\r\nHost: "
		  "127.0.0.1" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct peer peer = { .says = "HTTP/1.1 200 OK\r\n" };
		char url[64], line[128];
		peer_begin(&peer);
		snprintf(url, sizeof url, "%s:%u%s", cases[i].before,
		    peer.port, cases[i].after);
		assert_true(probe(url, 3000).ok);
		peer_end(&peer);
		snprintf(line, sizeof line, "%s:%u\r\n", cases[i].line,
		    peer.port);
		assert_ptr_equal(strstr(peer.heard, line), peer.heard);
	}
}

static void
test_io_probe_says_what_is_wrong_with_a_url(void **state)
{
	static const char *const urls[] = {
		"ftp://127.0.0.1/", "127.0.0.1", "http://", "http:///x",
		"http://127.0.0.1:0/", "http://127.0.0.1:99999/",
		"http://127.0.0.1:/", "http://127.0.0.1:x/",
		"http://a b/", "http://127.0.0.1/\x7f", "https://:1",
		"http://u@/",
	};
	struct peer peer = {0};
	char url[64];
	uint16_t port = 0;
	(void)state;

	for (size_t i = 0; i < COUNTOF(urls); i++) {
		struct outcome outcome = probe(urls[i], 3000);
		if (outcome.ok || strcmp(outcome.reason,
		    "the URL cannot be used") != 0)
			fail_msg("%s: %s", urls[i], outcome.reason);
	}
	/* Where nobody is any more; by either kind of number. */
	peer_begin(&peer);
	peer_end(&peer);
	snprintf(url, sizeof url, "http://127.0.0.1:%u/", peer.port);
	assert_string_equal(probe(url, 3000).reason, "Connection refused");
	int six = listen_on(AF_INET6, &port);
	if (six >= 0) {
		close(six);
		snprintf(url, sizeof url, "https://[::1]:%u/", port);
		assert_string_equal(probe(url, 3000).reason,
		    "Connection refused");
	}
	assert_false(probe("http://no-such-host.invalid/", 300).ok);
}

static void
test_io_probe_that_is_given_up_says_nothing(void **state)
{
	struct outcome outcome = {0};
	struct clock clock = io_clock();
	struct io_probes *probes = io_probes_new(&clock, told, &outcome);
	(void)state;

	io_probes_start(probes, 1, STR("http://no-such-host.invalid/"), 9000);
	io_probes_start(probes, 2, STR("nothing"), 9000);
	io_probes_start(probes, 3, STR("http://127.0.0.1:1/"), 9000);
	assert_true(io_probes_cancel(probes, 2));
	assert_false(io_probes_cancel(probes, 2));
	assert_true(io_probes_cancel(probes, 1));
	io_probes_free(probes);
	io_probes_free(NULL);
	assert_int_equal(outcome.n, 0);
}

/* --------------------------------------------------------------- banners ---- */

static struct world_event
banner(struct arena *arena, const char *host, uint16_t port,
    int64_t timeout_ms)
{
	struct io_world *io = io_world_new(&(struct io_config){0});
	struct world *world = io_world_seam(io);
	struct world_event event;

	world->start_banner(world->ctx, 9, str_from(host), port, timeout_ms);
	world->wait(world->ctx, arena, world->clock.mono_ms(
	    world->clock.ctx) + 8000, &event);
	assert_int_equal(event.type, WORLD_BANNER);
	assert_int_equal(event.token, 9);
	io_world_free(io);
	return event;
}

static void
test_io_banner_says_why_there_is_none(void **state)
{
	static const struct {
		struct peer peer;
		int64_t timeout_ms;
		const char *reason;		/* "": there is one */
	} cases[] = {
		{ { .says = "hello\r\nSSH-2.0-x\r\n", .at_once = true }, 3000,
		  "" },
		{ { .says = "SSL-2.0-x\r\nXSSH-\n", .at_once = true,
		  .end = HOLDS }, 200, "no SSH banner in time" },
		{ { .at_once = true, .end = RESETS }, 200,
		  "Connection reset by peer" },
		{ { .at_once = true, .end = CLOSES }, 200,
		  "closed before an SSH banner came" },
	};
	struct arena arena = {0};
	char *flood;
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct peer peer = cases[i].peer;
		peer_begin(&peer);
		struct world_event event = banner(&arena, "127.0.0.1",
		    peer.port, cases[i].timeout_ms);
		peer_end(&peer);
		check_text("banner", event.banner_reason, cases[i].reason);
		assert_int_equal(event.banner_ok, *cases[i].reason == '\0');
	}
	flood = malloc(9000);
	memset(flood, 'x', 8999);
	flood[8999] = '\0';
	struct peer peer = { .says = flood, .at_once = true };
	peer_begin(&peer);
	check_text("flood", banner(&arena, "127.0.0.1", peer.port, 3000)
	    .banner_reason, "8 KiB without an SSH banner");
	peer_end(&peer);
	free(flood);
	/* No name, none that is known, and an address that is nobody's. */
	assert_false(banner(&arena, "", 22, 500).banner_ok);
	assert_false(banner(&arena, "no-such-host.invalid", 22, 500)
	    .banner_ok);
	assert_false(banner(&arena, "255.255.255.255", 22, 500).banner_ok);
	arena_release(&arena);
}

/* ------------------------------------------------------------- listeners ---- */

struct bench {
	struct arena arena;
	const char *directory;
};

static int
setup(void **state)
{
	static struct bench bench;
	bench = (struct bench){0};
	bench.directory = shell_directory(&bench.arena);
	*state = &bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;
	shell_remove(bench->directory);
	arena_release(&bench->arena);
	return 0;
}

static struct str
in(struct bench *bench, const char *name)
{
	return arena_printf(&bench->arena, "%s/%s", bench->directory, name);
}

static int
make_socket(struct str path, bool listens)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path.data, path.len);
	assert_int_equal(bind(fd, (void *)&address, sizeof address), 0);
	if (listens)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void
check_open(struct bench *bench, struct str address, int error,
    const char *why)
{
	struct io_listener listener;
	struct str said = {0};
	int got = io_listen_open(&bench->arena, address, 0, 0, &listener,
	    &said);

	if (got != error)
		fail_msg("%.*s: %d, %.*s", (int)address.len, address.data,
		    got, (int)said.len, said.data);
	if (error != 0 && str_search(said, str_from(why)) < 0)
		fail_msg("%.*s: %.*s", (int)address.len, address.data,
		    (int)said.len, said.data);
	assert_int_equal(listener.fd >= 0, error == 0);
	io_listen_close(&listener);
	io_listen_close(&listener);	/* harmless */
}

static void
test_io_listen_on_a_path_removes_only_what_is_dead(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = &bench->arena;
	struct io_listener listener;
	struct str why, owner, path = in(bench, "s");
	struct stat info;

	check_open(bench, path, 0, "");
	assert_int_equal(lstat(path.data, &info), -1);
	assert_int_equal(io_may_listen(NULL, arena, path, 0, &owner), 0);
	/* Dead: its owner is gone. */
	close(make_socket(path, true));
	assert_int_equal(io_may_listen(NULL, arena, path, 0, &owner), 0);
	check_open(bench, path, 0, "");
	/* Alive. */
	int fd = make_socket(path, true);
	check_open(bench, path, -EADDRINUSE, "/s is taken by ");
	assert_int_equal(io_may_listen(NULL, arena, path, 0, &owner),
	    -EADDRINUSE);
	check_text("owner", owner, arena_printf(arena,
	    "test_io_edges (pid %d)", (int)getpid()).data);
	close(fd);
	unlink(path.data);
	/* A file, a directory, a place that is none, a name that is long. */
	shell_write(path.data, STR("x"), 0600);
	check_open(bench, path, -EADDRINUSE, "is there and is no socket");
	assert_int_equal(io_may_listen(NULL, arena, path, 0, &owner),
	    -EEXIST);
	unlink(path.data);
	check_open(bench, str_from(bench->directory), -EADDRINUSE,
	    "is there and is no socket");
	path = in(bench, "no/s");
	check_open(bench, path, -ENOENT, "cannot listen on ");
	assert_int_equal(io_may_listen(NULL, arena, path, 0, &owner),
	    -ENOENT);
	path = in(bench, HUNDRED);
	check_open(bench, path, -ENAMETOOLONG,
	    "the path of a socket has at most 107 bytes");
	assert_int_equal(io_may_listen(NULL, arena, path, 0, &owner),
	    -ENAMETOOLONG);
	/* What took our place meanwhile stays. */
	path = in(bench, "t");
	assert_int_equal(io_listen_open(arena, path, 0, 0, &listener, &why),
	    0);
	assert_int_equal(stat(path.data, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	unlink(path.data);
	fd = make_socket(path, true);
	io_listen_close(&listener);
	assert_int_equal(lstat(path.data, &info), 0);
	close(fd);
}

static void
test_io_listen_on_a_port_says_who_has_it(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = &bench->arena;
	struct io_listener listener;
	struct str why, owner;
	uint16_t port = 0, last;
	const char *me = arena_printf(arena, "test_io_edges (pid %d)",
	    (int)getpid()).data;
	int fd = listen_on(AF_INET, &port);

	assert_int_equal(io_listen_open(arena, STR("127.0.0.1"), port, port,
	    &listener, &why), -EADDRINUSE);
	check_text("why", why, arena_printf(arena,
	    "127.0.0.1:%u is taken by %s", port, me).data);
	assert_int_equal(io_may_listen(NULL, arena, STR("localhost"), port,
	    &owner), -EADDRINUSE);
	check_text("owner", owner, me);
	/* The next one that is free. */
	if (port < 65535) {
		last = (uint16_t)(port + 5 < 65535 ? port + 5 : 65535);
		assert_int_equal(io_listen_open(arena, STR("localhost"), port,
		    last, &listener, &why), 0);
		assert_in_range(listener.port, port + 1, last);
		io_listen_close(&listener);
	}
	close(fd);
	assert_int_equal(io_may_listen(NULL, arena, STR("127.0.0.1"), port,
	    &owner), 0);
	fd = listen_on(AF_INET6, &port);
	if (fd >= 0) {
		assert_int_equal(io_listen_open(arena, STR("::1"), port, port,
		    &listener, &why), -EADDRINUSE);
		check_text("why", why, arena_printf(arena,
		    "[::1]:%u is taken by %s", port, me).data);
		close(fd);
	}
	check_open(bench, STR("192.0.2.1"), -EADDRNOTAVAIL,
	    "cannot listen on 192.0.2.1:0: ");
	check_open(bench, STR(""), -EADDRNOTAVAIL,
	    "'' is no address of this machine");
	check_open(bench, STR(HUNDRED HUNDRED HUNDRED), -EADDRNOTAVAIL,
	    "is no address of this machine");
	check_open(bench, STR("no-such-host.invalid"), -EADDRNOTAVAIL,
	    "is no address of this machine");
	assert_int_equal(io_may_listen(NULL, arena, STR(""), 1, &owner),
	    -EADDRNOTAVAIL);
}

static void
test_io_listen_on_ports_that_are_all_taken(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = &bench->arena;
	struct io_listener listener;
	struct str why;

	/* Two neighbours, both of ours. */
	for (int i = 0; i < 50; i++) {
		uint16_t port = 0;
		struct io_listener second = { .fd = -1 };
		int fd = listen_on(AF_INET, &port);
		if (port < 65535 && io_listen_open(arena, STR("127.0.0.1"),
		    (uint16_t)(port + 1), (uint16_t)(port + 1), &second,
		    &why) == 0) {
			assert_int_equal(io_listen_open(arena,
			    STR("127.0.0.1"), port, (uint16_t)(port + 1),
			    &listener, &why), -EADDRINUSE);
			check_text("why", why, arena_printf(arena, "no port "
			    "from %u to %u is free on 127.0.0.1", port,
			    port + 1).data);
			io_listen_close(&second);
			close(fd);
			return;
		}
		close(fd);
	}
	fail_msg("no two ports side by side");
}

/* In a process of its own: what it says there. */
static void
check_apart(struct bench *bench, void (*become)(void), const char *address,
    uint16_t port, const char *want)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct io_listener listener;
		struct str why = {0};
		become();
		int error = io_listen_open(&bench->arena, str_from(address),
		    port, port, &listener, &why);
		_exit(error < 0 && str_search(why, str_from(want)) >= 0 ?
		    0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s: not '%s'", address, want);
}

static void
have_few_files(void)
{
	struct rlimit few = { 14, 14 };
	setrlimit(RLIMIT_NOFILE, &few);
}

static void
become_nobody(void)
{
	if (setgid(65534) != 0 || setuid(65534) != 0)
		_exit(2);
}

static void
test_io_listen_says_what_is_not_allowed(void **state)
{
	struct bench *bench = *state;
	struct str all = {0};
	int fd;

	check_apart(bench, have_few_files, "127.0.0.1", 0,
	    "this process may not have more than 14 open files (ulimit -n)");
	check_apart(bench, have_few_files, in(bench, "few").data, 0,
	    "this process may not have more than 14 open files (ulimit -n)");
	if (getuid() != 0) {
		print_message("skip: only root can become nobody\n");
		return;
	}
	/* A socket of root's is not nobody's to remove. */
	chmod(bench->directory, 0777);
	fd = make_socket(in(bench, "roots"), false);
	check_apart(bench, become_nobody, in(bench, "roots").data, 0,
	    "/roots is taken by ");
	close(fd);
	fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start",
	    O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	if (fd >= 0 && read(fd, text, sizeof text - 1) > 0)
		all = str_trim(str_from(text));
	close(fd);
	if (str_is(all, "1024"))
		check_apart(bench, become_nobody, "127.0.0.1", 81,
		    "127.0.0.1:81: this user may not listen on ports below "
		    "1024");
}

#define ON_DISK(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_io_probe_says_what_answers),
		cmocka_unit_test(test_io_probe_asks_for_what_the_url_says),
		cmocka_unit_test(test_io_probe_says_what_is_wrong_with_a_url),
		cmocka_unit_test(test_io_probe_that_is_given_up_says_nothing),
		cmocka_unit_test(test_io_banner_says_why_there_is_none),
		ON_DISK(test_io_listen_on_a_path_removes_only_what_is_dead),
		ON_DISK(test_io_listen_on_a_port_says_who_has_it),
		ON_DISK(test_io_listen_on_ports_that_are_all_taken),
		ON_DISK(test_io_listen_says_what_is_not_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
