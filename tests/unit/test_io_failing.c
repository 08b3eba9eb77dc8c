/*
 * test_io_failing.c - the real edges on a system whose calls fail.
 *
 * The linker puts functions of ours in the place of those of libc (see the
 * Makefile); each fails when a test says so, as often as it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "io/io_clock.h"
#include "io/io_listen.h"
#include "io/io_probe.h"
#include "io/io_world.h"
#include "tests/unit/shell.h"

/* ---------------------------------------------------------- what fails ---- */

static const char *failing;		/* this call; NULL: none */
static int failing_errno, failing_skip, failing_times;

/* After so many that do not; so many times. */
static void
fail_call(const char *name, int error, int skip, int times)
{
	failing = name;
	failing_errno = error;
	failing_skip = skip;
	failing_times = times;
}

static bool
fails(const char *name)
{
	if (failing == NULL || strcmp(name, failing) != 0)
		return false;
	if (failing_skip-- > 0 || failing_times <= 0)
		return false;
	failing_times--;
	errno = failing_errno;
	return true;
}

#define WRAP(type, name, failure, parameters, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		return fails(#name) ? (failure) : __real_##name arguments; \
	}

WRAP(int, socket, -1, (int a, int b, int c), (a, b, c))
WRAP(int, connect, -1, (int a, const struct sockaddr *b, socklen_t c),
    (a, b, c))
WRAP(int, getsockopt, -1, (int a, int b, int c, void *d, socklen_t *e),
    (a, b, c, d, e))
WRAP(ssize_t, recv, -1, (int a, void *b, size_t c, int d), (a, b, c, d))
WRAP(ssize_t, send, -1, (int a, const void *b, size_t c, int d),
    (a, b, c, d))
WRAP(ssize_t, read, -1, (int a, void *b, size_t c), (a, b, c))
WRAP(int, epoll_ctl, -1, (int a, int b, int c, struct epoll_event *d),
    (a, b, c, d))
WRAP(int, pipe2, -1, (int a[2], int b), (a, b))
WRAP(int, poll, -1, (struct pollfd *a, nfds_t b, int c), (a, b, c))
WRAP(pid_t, waitpid, -1, (pid_t a, int *b, int c), (a, b, c))
WRAP(int, eventfd, -1, (unsigned a, int b), (a, b))
WRAP(int, signalfd, -1, (int a, const sigset_t *b, int c), (a, b, c))
WRAP(int, fchmod, -1, (int a, mode_t b), (a, b))
WRAP(int, fstat, -1, (int a, struct stat *b), (a, b))
WRAP(int, fsync, -1, (int a), (a))
WRAP(int, unlink, -1, (const char *a), (a))
WRAP(DIR *, fdopendir, NULL, (int a), (a))
WRAP(struct dirent *, readdir, NULL, (DIR *a), (a))
/* These return the error itself. */
WRAP(int, posix_spawn_file_actions_init, failing_errno,
    (posix_spawn_file_actions_t *a), (a))
WRAP(int, posix_spawnattr_init, failing_errno, (posix_spawnattr_t *a), (a))
WRAP(int, posix_spawn_file_actions_addopen, failing_errno,
    (posix_spawn_file_actions_t *a, int b, const char *c, int d, mode_t e),
    (a, b, c, d, e))
WRAP(int, posix_spawn_file_actions_adddup2, failing_errno,
    (posix_spawn_file_actions_t *a, int b, int c), (a, b, c))
WRAP(int, posix_spawn_file_actions_addclosefrom_np, failing_errno,
    (posix_spawn_file_actions_t *a, int b), (a, b))
WRAP(int, posix_spawnattr_setflags, failing_errno,
    (posix_spawnattr_t *a, short b), (a, b))
WRAP(int, pthread_create, failing_errno, (pthread_t *a,
    const pthread_attr_t *b, void *(*c)(void *), void *d), (a, b, c, d))
WRAP(int, getaddrinfo, EAI_FAIL, (const char *a, const char *b,
    const struct addrinfo *c, struct addrinfo **d), (a, b, c, d))

/* Time goes on while a machine sleeps, and nobody sees it. */
static time_t slept_s;
int __real_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int
__wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	int result = __real_clock_gettime(id, now);
	if (id == CLOCK_BOOTTIME)
		now->tv_sec += slept_s;
	return result;
}

struct bench {
	struct arena arena;
	const char *directory;
	uint16_t port;
	int listener;
};

static int
setup(void **state)
{
	static struct bench bench;
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;

	bench.directory = shell_directory(&bench.arena);
	bench.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(bench.listener, (void *)&address, len), 0);
	assert_int_equal(listen(bench.listener, 64), 0);
	getsockname(bench.listener, (void *)&address, &len);
	bench.port = ntohs(address.sin_port);
	*state = &bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;
	close(bench->listener);
	shell_remove(bench->directory);
	arena_release(&bench->arena);
	return 0;
}

static int
mend(void **state)
{
	(void)state;
	fail_call(NULL, 0, 0, 0);
	slept_s = 0;
	return 0;
}

/* -------------------------------------------------------------- programs ---- */

static void
test_io_command_says_which_call_failed(void **state)
{
	static const struct {
		const char *call;
		int error, times, result;
	} cases[] = {
		{ NULL, 0, 0, 7 },
		{ "pipe2", EMFILE, 1, -EMFILE },
		{ "posix_spawn_file_actions_init", ENOMEM, 1, -ENOMEM },
		{ "posix_spawnattr_init", ENOMEM, 1, -ENOMEM },
		{ "posix_spawn_file_actions_addopen", ENOMEM, 1, -ENOMEM },
		{ "posix_spawn_file_actions_adddup2", EBADF, 1, -EBADF },
		{ "posix_spawn_file_actions_addclosefrom_np", ENOMEM, 1,
		  -ENOMEM },
		{ "posix_spawnattr_setflags", EINVAL, 1, -EINVAL },
		/* What a signal interrupts is done again. */
		{ "poll", EINTR, 3, 7 }, { "read", EINTR, 3, 7 },
		{ "waitpid", EINTR, 3, 7 },
		{ "poll", ENOMEM, 1, -ENOMEM }, { "read", EIO, 1, -EIO },
		{ "waitpid", ECHILD, 1, -ECHILD },
	};
	static const char *const argv[] = { "sh", "-c", "echo hi; exit 7",
	    NULL };
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct str output;
		fail_call(cases[i].call, cases[i].error, 0, cases[i].times);
		int result = io_command(&bench->arena, argv, 5000, 100,
		    &output);
		mend(NULL);
		if (result != cases[i].result)
			fail_msg("%s: %d", cases[i].call, result);
		assert_true(str_is(output, result == 7 ? "hi\n" : ""));
	}
}

/* ----------------------------------------------------------------- files ---- */

static void
test_io_fs_says_which_call_failed(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = &bench->arena;
	struct fs fs = io_fs();
	struct fs_info info;
	struct str *names;
	size_t n;
	const char *path = arena_printf(arena, "%s/file", bench->directory)
	    .data;

	fail_call("fchmod", EIO, 0, 1);
	assert_int_equal(fs.open(fs.ctx, path, FS_READ_WRITE | FS_CREATE,
	    0600), -EIO);
	unlink(path);
	int fd = fs.open(fs.ctx, path, FS_READ_WRITE | FS_CREATE, 0600);
	assert_true(fd > 2);
	fail_call("fstat", EIO, 0, 1);
	assert_int_equal(fs.stat_fd(fs.ctx, fd, &info), -EIO);
	assert_int_equal(fs.stat_fd(fs.ctx, fd, &info), 0);
	fail_call("fsync", EIO, 0, 1);
	assert_int_equal(fs.sync(fs.ctx, fd), -EIO);
	assert_int_equal(fs.sync(fs.ctx, fd), 0);
	fail_call("fsync", EIO, 0, 1);
	assert_int_equal(fs.sync_dir(fs.ctx, bench->directory), -EIO);
	assert_int_equal(fs.sync_dir(fs.ctx, bench->directory), 0);
	assert_int_equal(fs.close(fs.ctx, fd), 0);
	fail_call("fdopendir", ENOMEM, 0, 1);
	assert_int_equal(fs.list(fs.ctx, arena, bench->directory, &names, &n),
	    -ENOMEM);
	/* Half a listing is none. */
	fail_call("readdir", EIO, 1, 1);
	assert_int_equal(fs.list(fs.ctx, arena, bench->directory, &names, &n),
	    -EIO);
	assert_int_equal(fs.list(fs.ctx, arena, bench->directory, &names, &n),
	    0);
	assert_int_equal(n, 1);
	fail_call("unlink", EPERM, 0, 1);
	assert_int_equal(fs.unlink(fs.ctx, path), -EPERM);
	assert_int_equal(fs.unlink(fs.ctx, path), 0);
}

/* --------------------------------------------------------------- banners ---- */

static struct world_event
banner(struct bench *bench, const char *host, int64_t timeout_ms)
{
	struct io_world *io = io_world_new(&(struct io_config){0});
	struct world *world = io_world_seam(io);
	struct world_event event;

	world->start_banner(world->ctx, 9, str_from(host), bench->port,
	    timeout_ms);
	world->wait(world->ctx, &bench->arena, world->clock.mono_ms(
	    world->clock.ctx) + 8000, &event);
	io_world_free(io);
	return event;
}

static void
test_io_banner_says_which_call_failed(void **state)
{
	static const struct {
		const char *host, *call;
		int error, times;
		const char *reason;
	} cases[] = {
		{ "127.0.0.1", "socket", EMFILE, 1, "Too many open files" },
		{ "127.0.0.1", "connect", EHOSTUNREACH, 1,
		  "No route to host" },
		{ "127.0.0.1", "connect", ECONNREFUSED, 99,
		  "Connection refused" },
		{ "127.0.0.1", "epoll_ctl", ENOSPC, 1,
		  "No space left on device" },
		{ "127.0.0.1", "getsockopt", EIO, 1, "Input/output error" },
		{ "localhost", "eventfd", EMFILE, 1,
		  "the name cannot be looked up" },
		{ "localhost", "pthread_create", EAGAIN, 1,
		  "the name cannot be looked up" },
		{ "localhost", "epoll_ctl", ENOSPC, 1,
		  "the name cannot be looked up" },
		{ "localhost", "getaddrinfo", 0, 9,
		  "the name cannot be looked up" },
		{ "localhost", "socket", EMFILE, 1, "Too many open files" },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		fail_call(cases[i].call, cases[i].error, 0, cases[i].times);
		struct world_event event = banner(bench, cases[i].host, 300);
		mend(NULL);
		assert_int_equal(event.type, WORLD_BANNER);
		assert_false(event.banner_ok);
		if (!str_is(event.banner_reason, cases[i].reason))
			fail_msg("%s %s: %.*s", cases[i].host, cases[i].call,
			    (int)event.banner_reason.len,
			    event.banner_reason.data);
	}
}

/* ---------------------------------------------------------------- probes ---- */

struct told {
	bool over, ok;
	struct str reason;
	struct arena *arena;
};

static void
tell(void *ctx, uint64_t token, bool ok, struct str reason)
{
	struct told *told = ctx;
	(void)token;
	told->over = true;
	told->ok = ok;
	told->reason = arena_str(told->arena, reason);
}

static void
test_io_probe_says_which_call_failed(void **state)
{
	static const struct {
		const char *host, *call;
		int error, skip, times;
		const char *reason;
	} cases[] = {
		{ "127.0.0.1", "socket", EMFILE, 0, 1,
		  "Too many open files" },
		{ "127.0.0.1", "connect", ENETUNREACH, 0, 1,
		  "Network is unreachable" },
		{ "127.0.0.1", "epoll_ctl", ENOSPC, 0, 1,
		  "No space left on device" },
		{ "127.0.0.1", "send", ECONNRESET, 0, 1,
		  "Connection reset by peer" },
		{ "127.0.0.1", "send", EINTR, 0, 2, "no answer in time" },
		{ "name", "eventfd", EMFILE, 0, 1,
		  "the name cannot be looked up" },
		{ "name", "epoll_ctl", ENOSPC, 0, 1,
		  "the name cannot be looked up" },
		{ "name", "getaddrinfo", 0, 0, 9,
		  "the name cannot be looked up" },
	};
	struct bench *bench = *state;
	struct clock clock = io_clock();

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct told told = { .arena = &bench->arena };
		struct io_probes *probes = io_probes_new(&clock, tell, &told);
		fail_call(cases[i].call, cases[i].error, cases[i].skip,
		    cases[i].times);
		io_probes_start(probes, 1, arena_printf(&bench->arena,
		    "http://%s:%u/", cases[i].host, bench->port), 300);
		for (int k = 0; k < 100 && !told.over; k++) {
			struct pollfd ready = {
				.fd = io_probes_fd(probes), .events = POLLIN,
			};
			__real_poll(&ready, 1, 20);
			io_probes_turn(probes);
		}
		mend(NULL);
		io_probes_free(probes);
		assert_true(told.over);
		assert_false(told.ok);
		if (!str_is(told.reason, cases[i].reason))
			fail_msg("%s %s: %.*s", cases[i].host, cases[i].call,
			    (int)told.reason.len, told.reason.data);
	}
}

/* ------------------------------------------------------------- listeners ---- */

static void
test_io_listen_says_which_call_failed(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = &bench->arena;
	struct io_listener listener;
	struct str why, path = arena_printf(arena, "%s/s", bench->directory);
	const struct {
		struct str address;
		const char *call;
		int error, skip;
		int result;
		const char *why;
	} cases[] = {
		{ STR("127.0.0.1"), "socket", ENFILE, 0, -ENFILE,
		  "Too many open files in system" },
		{ STR("127.0.0.1"), "socket", EAFNOSUPPORT, 0, -EAFNOSUPPORT,
		  "cannot listen on 127.0.0.1:0: Address family not supported "
		  "by protocol" },
		{ path, "socket", ENFILE, 0, -ENFILE,
		  "Too many open files in system" },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		fail_call(cases[i].call, cases[i].error, cases[i].skip, 1);
		int result = io_listen_open(arena, cases[i].address, 0, 0,
		    &listener, &why);
		mend(NULL);
		assert_int_equal(result, cases[i].result);
		if (!str_is(why, cases[i].why))
			fail_msg("%zu: %.*s", i, (int)why.len, why.data);
		assert_int_equal(listener.fd, -1);
	}
	/* A dead socket that cannot be removed, or not be looked at. */
	assert_int_equal(io_listen_open(arena, path, 0, 0, &listener, &why),
	    0);
	close(listener.fd);
	fail_call("unlink", EACCES, 0, 1);
	assert_int_equal(io_listen_open(arena, path, 0, 0, &listener, &why),
	    -EADDRINUSE);
	assert_true(str_starts(why, STR("cannot remove ")));
	fail_call("socket", EMFILE, 0, 1);
	assert_int_equal(io_listen_open(arena, path, 0, 0, &listener, &why),
	    -EADDRINUSE);
	assert_true(str_search(why, STR(" is taken by ")) > 0);
	mend(NULL);
	assert_int_equal(io_listen_open(arena, path, 0, 0, &listener, &why),
	    0);
	io_listen_close(&listener);
}

/* ----------------------------------------------------------------- world ---- */

static bool suspended;

static void
guest_turn(void *ctx)
{
	(void)ctx;
}

static int64_t
guest_next(void *ctx)
{
	(void)ctx;
	return -1;
}

static bool
guest_cancel(void *ctx, uint64_t token)
{
	(void)ctx;
	(void)token;
	return false;
}

static void
guest_suspended(void *ctx)
{
	(void)ctx;
	suspended = true;
}

static void
test_io_world_tells_everybody_that_it_slept(void **state)
{
	struct bench *bench = *state;
	struct io_world *io = io_world_new(&(struct io_config){0});
	struct world *world = io_world_seam(io);
	struct io_guest guest = {
		.fd = -1, .turn = guest_turn, .next_ms = guest_next,
		.cancel = guest_cancel, .suspended = guest_suspended,
	};
	struct world_event event;

	io_world_attach(io, &guest);
	guest.suspended = NULL;
	io_world_attach(io, &guest);
	slept_s = 3600;
	world->wait(world->ctx, &bench->arena, world->clock.mono_ms(
	    world->clock.ctx) + 2000, &event);
	assert_int_equal(event.type, WORLD_SUSPENDED);
	assert_true(suspended);
	/* Once, and not for a token of nobody's. */
	world->cancel(world->ctx, 4711);
	world->wait(world->ctx, &bench->arena, world->clock.mono_ms(
	    world->clock.ctx) + 20, &event);
	assert_int_not_equal(event.type, WORLD_SUSPENDED);
	io_world_free(io);
}

static void
test_io_world_without_signals_goes_on(void **state)
{
	static const char *const calls[] = { "signalfd", "epoll_ctl" };
	struct bench *bench = *state;
	sigset_t now;

	for (size_t i = 0; i < COUNTOF(calls); i++) {
		struct io_world *io = io_world_new(&(struct io_config){0});
		struct world *world = io_world_seam(io);
		struct world_event event;
		fail_call(calls[i], EMFILE, 0, 1);
		io_world_take_signals(io);
		mend(NULL);
		/* What cannot be read is not blocked, or nothing would end
		 * us. */
		sigprocmask(SIG_BLOCK, NULL, &now);
		assert_false(sigismember(&now, SIGTERM));
		world->wait(world->ctx, &bench->arena, world->clock.mono_ms(
		    world->clock.ctx) + 10, &event);
		io_world_free(io);
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, mend)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_io_command_says_which_call_failed),
		TEST(test_io_fs_says_which_call_failed),
		TEST(test_io_banner_says_which_call_failed),
		TEST(test_io_probe_says_which_call_failed),
		TEST(test_io_listen_says_which_call_failed),
		TEST(test_io_world_tells_everybody_that_it_slept),
		TEST(test_io_world_without_signals_goes_on),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
