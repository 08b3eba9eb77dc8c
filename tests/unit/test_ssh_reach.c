/*
 * test_ssh_reach.c - from the name of a host to a worker that has it, on a
 * system whose calls fail.
 *
 * The linker puts functions of ours in the place of those of libc (see the
 * Makefile).  The worker is this very program, which leaves as soon as it is
 * given a connection: that it has ended says that one was made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "io/io_clock.h"
#include "io/io_world.h"
#include "ssh/ssh.h"
#include "ssh/wire.h"
#include "tests/unit/shell.h"

#define REACHED "unreachable: the SSH worker has ended"

/* ---------------------------------------------------------- what fails ---- */

enum call { NOTHING, SOCKET, CONNECT, GETSOCKOPT, EVENTFD, THREAD, NAME,
	SLOW_NAME, PAIR, SPAWN, SEND };

static enum call failing;
static int failing_errno, failing_skip, failing_times;

static bool
fails(enum call call)
{
	if (call != failing || failing_skip-- > 0 || failing_times-- <= 0)
		return false;
	errno = failing_errno;
	return true;
}

#define WRAP(type, name, call, failure, parameters, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		return fails(call) ? (failure) : __real_##name arguments; \
	}

WRAP(int, socket, SOCKET, -1, (int a, int b, int c), (a, b, c))
WRAP(int, connect, CONNECT, -1, (int a, const struct sockaddr *b,
    socklen_t c), (a, b, c))
WRAP(int, getsockopt, GETSOCKOPT, -1, (int a, int b, int c, void *d,
    socklen_t *e), (a, b, c, d, e))
WRAP(int, eventfd, EVENTFD, -1, (unsigned a, int b), (a, b))
WRAP(int, pthread_create, THREAD, errno, (pthread_t *a,
    const pthread_attr_t *b, void *(*c)(void *), void *d), (a, b, c, d))
WRAP(int, socketpair, PAIR, -1, (int a, int b, int c, int d[2]),
    (a, b, c, d))
WRAP(int, posix_spawn, SPAWN, errno, (pid_t *a, const char *b,
    const posix_spawn_file_actions_t *c, const posix_spawnattr_t *d,
    char *const e[], char *const f[]), (a, b, c, d, e, f))
WRAP(ssize_t, sendmsg, SEND, -1, (int a, const struct msghdr *b, int c),
    (a, b, c))

/* The names of a net of our own; its threads alone ask. */
static int asked = -1;			/* an answer waits for it to be read */

int __real_getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **list);
int __wrap_getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **list);
int
__wrap_getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **list)
{
	struct addrinfo numbers = *hints;

	if ((hints->ai_flags & AI_NUMERICHOST) != 0)
		return __real_getaddrinfo(name, service, hints, list);
	if (failing == SLOW_NAME) {
		uint64_t n;
		while (read(asked, &n, sizeof n) != sizeof n)
			;
	}
	if (strcmp(name, "pod.example") != 0)
		return EAI_NONAME;
	numbers.ai_flags |= AI_NUMERICHOST;
	return __real_getaddrinfo("127.0.0.1", service, &numbers, list);
}

/* -------------------------------------------------------------- the rows ---- */

static const struct row {
	const char *host, *want;
	enum call failing;
	int error, skip, times;
	bool closed;				/* a port nobody listens on */
} rows[] = {
	{ .host = "127.0.0.1", .want = REACHED },
	{ .host = "127.0.0.1", .want = "unreachable: Connection refused",
	  .closed = true },
	{ .host = "::1", .failing = CONNECT, .error = ECONNREFUSED,
	  .times = 1, .want = "unreachable: Connection refused" },
	{ .host = "pod.example", .want = REACHED },
	{ .host = "pod.example", .want = "unreachable: Connection refused",
	  .closed = true },
	{ .host = "none.example",
	  .want = "unreachable: the name 'none.example' is not known" },
	{ .host = "not an address",
	  .want = "unreachable: the name 'not an address' is not known" },
	{ .host = "pod.example", .failing = THREAD, .error = EAGAIN,
	  .times = 1,
	  .want = "local: the name 'pod.example' cannot be looked up" },
	{ .host = "pod.example", .failing = EVENTFD, .error = EMFILE,
	  .times = 1,
	  .want = "local: the name 'pod.example' cannot be looked up" },
	{ .host = "127.0.0.1", .failing = SOCKET, .error = EMFILE, .times = 1,
	  .want = "local: no socket: Too many open files" },
	{ .host = "pod.example", .failing = SOCKET, .error = EMFILE,
	  .times = 1, .want = "local: no socket: Too many open files" },
	{ .host = "127.0.0.1", .failing = CONNECT, .error = ENETUNREACH,
	  .times = 1, .want = "unreachable: Network is unreachable" },
	{ .host = "pod.example", .failing = CONNECT, .error = EHOSTUNREACH,
	  .times = 1, .want = "unreachable: No route to host" },
	{ .host = "127.0.0.1", .failing = GETSOCKOPT, .error = ENOBUFS,
	  .times = 1, .want = "unreachable: No buffer space available" },
	/* What fails once while it is warmed up is tried again. */
	{ .host = "127.0.0.1", .failing = SPAWN, .error = EAGAIN, .times = 1,
	  .want = REACHED },
	{ .host = "127.0.0.1", .failing = SPAWN, .error = EAGAIN, .times = 9,
	  .want = "local: cannot start the SSH worker" },
	{ .host = "127.0.0.1", .failing = PAIR, .error = EMFILE, .times = 9,
	  .want = "local: cannot start the SSH worker" },
	{ .host = "127.0.0.1", .failing = PAIR, .error = EMFILE, .skip = 1,
	  .times = 9, .want = "local: cannot start the SSH worker" },
	/* The server of workers died: there is a new one. */
	{ .host = "127.0.0.1", .failing = SEND, .error = EPIPE, .times = 1,
	  .want = REACHED },
	{ .host = "127.0.0.1", .failing = SEND, .error = EPIPE, .times = 9,
	  .want = "local: cannot start the SSH worker" },
};

static struct bench {
	struct arena arena;
	const char *directory;
	struct fs fs;
	struct chance chance;
	struct clock clock;
	struct ssh_keys *keys;
	struct ssh *ssh;
	int listener;
	uint16_t port, closed;
	struct strbuf told;
	bool over;
} bench;

static void
done(void *ctx, const struct ssh_answer *answer)
{
	static const char *const outcomes[] = {
		[SSH_DONE] = "done", [SSH_UNREACHABLE] = "unreachable",
		[SSH_DENIED] = "denied", [SSH_WRONG_HOST_KEY] = "wrong key",
		[SSH_UNUSABLE] = "unusable", [SSH_LOST] = "lost",
		[SSH_LOCAL] = "local", [SSH_TIMED_OUT] = "timed out",
	};
	(void)ctx;
	strbuf_addf(&bench.told, "%s: " STR_FMT, outcomes[answer->outcome],
	    STR_ARG(answer->reason));
	bench.over = true;
}

static void
turn_for(int ms)
{
	int64_t until = bench.clock.mono_ms(bench.clock.ctx) + ms;

	while (!bench.over) {
		int64_t now = bench.clock.mono_ms(bench.clock.ctx);
		int64_t next = ssh_next_ms(bench.ssh);
		struct pollfd ready = {
			.fd = ssh_fd(bench.ssh), .events = POLLIN,
		};
		if (now > until)
			return;
		poll(&ready, 1, next < 0 || next - now > 50 ? 50 :
		    next < now ? 0 : (int)(next - now));
		ssh_turn(bench.ssh);
	}
}

static uint64_t
start(const char *host, uint16_t port)
{
	struct ssh_request login = {
		.task = SSH_LOGIN, .timeout_ms = 20000, .target = {
			.pod = STR("one"), .host = str_from(host),
			.port = port, .user = STR("root"),
		},
	};
	bench.ssh = ssh_new(&(struct ssh_config){
	    .worker = "/proc/self/exe", .clock = &bench.clock,
	    .keys = bench.keys, .idle_ms = 1 });
	strbuf_reset(&bench.told);
	bench.over = false;
	return ssh_start_task(bench.ssh, &login, done, NULL);
}

static void
stop(void)
{
	ssh_free(bench.ssh);
	failing = NOTHING;
}

static size_t
descriptors(void)
{
	DIR *all = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(all) != NULL)
		n++;
	closedir(all);
	return n;
}

static int
bound_socket(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (void *)&address, len), 0);
	getsockname(fd, (void *)&address, &len);
	*port = ntohs(address.sin_port);
	return fd;
}

static int
setup(void **state)
{
	struct str why;

	(void)state;
	bench.directory = shell_directory(&bench.arena);
	bench.fs = io_fs();
	bench.chance = io_chance();
	bench.clock = io_clock();
	bench.keys = ssh_keys_new(&(struct ssh_keys_config){
	    .fs = &bench.fs, .chance = &bench.chance,
	    .directory = arena_printf(&bench.arena, "%s/keys",
		bench.directory) });
	assert_true(ssh_keys_make(bench.keys, &why));
	bench.listener = bound_socket(&bench.port);
	assert_int_equal(listen(bench.listener, 128), 0);
	/* It stays bound, so that nobody else comes to listen there. */
	bound_socket(&bench.closed);
	asked = eventfd(0, EFD_CLOEXEC);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close(bench.listener);
	close(asked);
	ssh_keys_free(bench.keys);
	shell_remove(bench.directory);
	strbuf_release(&bench.told);
	arena_release(&bench.arena);
	return 0;
}

/* ----------------------------------------------------------------- tests ---- */

static void
test_what_keeps_from_a_host_is_said(void **state)
{
	(void)state;
	size_t before = descriptors();

	for (int i = 0; i < (int)COUNTOF(rows); i++) {
		const struct row *row = &rows[i];

		start(row->host, row->closed ? bench.closed : bench.port);
		failing_errno = row->error;
		failing_skip = row->skip;
		failing_times = row->times;
		failing = row->failing;
		turn_for(20000);
		stop();
		if (!str_starts(strbuf_str(&bench.told),
			str_from(row->want)))
			fail_msg("row %d: '%.*s', not '%s'", i,
			    (int)bench.told.len, bench.told.data, row->want);
	}
	assert_int_equal(descriptors(), before);
}

/* Whose answer comes when nobody waits for it any more. */
static void
test_name_that_is_looked_up_can_be_left(void **state)
{
	static const uint64_t one = 1;

	(void)state;
	size_t before = descriptors();
	for (int cancelled = 0; cancelled < 2; cancelled++) {
		failing = SLOW_NAME;
		uint64_t number = start("pod.example", bench.port);
		turn_for(100);
		assert_false(bench.over);
		if (cancelled == 1) {
			ssh_cancel(bench.ssh, number);
			turn_for(100);
			assert_false(bench.over);
		}
		ssh_free(bench.ssh);
		assert_int_equal(write(asked, &one, sizeof one), sizeof one);
		for (int i = 0; descriptors() != before && i < 2000; i++)
			usleep(5000);
		assert_int_equal(descriptors(), before);
		failing = NOTHING;
	}
}

static void
test_slow_name_is_waited_for(void **state)
{
	static const uint64_t one = 1;

	(void)state;
	failing = SLOW_NAME;
	start("pod.example", bench.port);
	turn_for(100);
	assert_false(bench.over);
	assert_int_equal(write(asked, &one, sizeof one), sizeof one);
	turn_for(20000);
	stop();
	assert_true(str_is(strbuf_str(&bench.told), REACHED));
}

/* The server of workers: each is a process of its own, which leaves. */
static _Noreturn void
be_worker(void)
{
	static char buffer[WIRE_PAYLOAD_MAX + 1];
	struct wire message;
	int got;

	do {
		struct pollfd ready = { .fd = 3, .events = POLLIN };
		poll(&ready, 1, 10000);
		got = wire_receive(3, buffer, &message);
		if (got == 1 && message.fd >= 0)
			close(message.fd);
	} while (got == 1 || got == -EAGAIN);
	_exit(0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_keeps_from_a_host_is_said),
		cmocka_unit_test(test_name_that_is_looked_up_can_be_left),
		cmocka_unit_test(test_slow_name_is_waited_for),
	};
	if (argc > 0 && strcmp(argv[0], "podform-ssh") == 0)
		be_worker();
	return cmocka_run_group_tests(tests, setup, teardown);
}
