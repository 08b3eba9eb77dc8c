/* io_command.c - running a program for its output; see io_world.h */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_world.h"

/* Ours, and of no use to the program that tells us another secret. */
static const char *const hidden[] = {
	"RUNPOD_API_KEY", "GITHUB_TOKEN", "GH_TOKEN",
};

static bool
is_hidden(const char *variable)
{
	for (size_t i = 0; i < COUNTOF(hidden); i++) {
		size_t n = strlen(hidden[i]);
		if (strncmp(variable, hidden[i], n) == 0 &&
		    variable[n] == '=')
			return true;
	}
	return false;
}

static char **
child_environment(struct arena *arena)
{
	size_t n = 0, kept = 0;
	while (environ[n] != NULL)
		n++;
	char **list = ARENA_ARRAY(arena, char *, n + 1);
	for (size_t i = 0; i < n; i++)
		if (!is_hidden(environ[i]))
			list[kept++] = environ[i];
	return list;
}

/* Signals as a program expects to find them, whatever we do with ours. */
static int
set_signals(posix_spawnattr_t *attr)
{
	sigset_t none, defaults;
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGXFSZ);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGTERM);
	sigaddset(&defaults, SIGHUP);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &defaults);
	return posix_spawnattr_setflags(attr,
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int
spawn(struct arena *arena, const char *const *argv, int out, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int error;

	if (posix_spawn_file_actions_init(&files) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return -ENOMEM;
	}
	error = posix_spawn_file_actions_addopen(&files, 0, "/dev/null",
	    O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&files, out, 1);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(&files, 3);
	if (error == 0)
		error = set_signals(&attr);
	if (error == 0)
		error = posix_spawnp(pid, argv[0], &files, &attr,
		    (char *const *)argv, child_environment(arena));
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -error;
}

/* Read until the end of the output: 0 or -errno. */
static int
read_output(int fd, int64_t timeout_ms, size_t limit, struct strbuf *out)
{
	struct clock clock = io_clock();
	int64_t end_ms = clock.mono_ms(NULL) + timeout_ms;
	char bytes[4096];

	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		int64_t left_ms = end_ms - clock.mono_ms(NULL);
		if (left_ms <= 0)
			return -ETIMEDOUT;
		int n = poll(&ready, 1, (int)(left_ms < 60000 ? left_ms :
		    60000));
		if (n == 0 || (n < 0 && errno == EINTR))
			continue;
		if (n < 0)
			return -errno;
		ssize_t got = read(fd, bytes, sizeof bytes);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		if (out->len + (size_t)got > limit)
			return -EFBIG;
		strbuf_add(out, (struct str){ bytes, (size_t)got });
	}
}

/*
 * Wait for the program itself, which may go on after it closed its output:
 * until the deadline it may, then it is ended.
 */
static int
reap(pid_t pid, int64_t end_ms, int result)
{
	struct clock clock = io_clock();
	struct timespec nap = { .tv_nsec = 2 * 1000 * 1000 };
	int status;

	for (;;) {
		if (result == 0 && clock.mono_ms(NULL) >= end_ms)
			result = -ETIMEDOUT;
		if (result != 0)
			kill(pid, SIGKILL);
		pid_t done = waitpid(pid, &status, result != 0 ? 0 : WNOHANG);
		if (done == pid)
			break;
		if (done < 0 && errno != EINTR)
			return result != 0 ? result : -errno;
		if (done == 0)
			nanosleep(&nap, NULL);
	}
	if (result != 0)
		return result;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

static int
open_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		ends[i] = io_fd_above_standard(ends[i]);
	if (ends[0] >= 0 && ends[1] >= 0)
		return 0;
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	return -EMFILE;
}

int
io_command(struct arena *arena, const char *const *argv, int64_t timeout_ms,
    size_t limit, struct str *output)
{
	struct strbuf text = {0};
	struct clock clock = io_clock();
	int64_t end_ms = clock.mono_ms(NULL) + timeout_ms;
	int ends[2];
	pid_t pid = 0;

	*output = (struct str){0};
	int result = open_pipe(ends);
	if (result != 0)
		return result;
	result = spawn(arena, argv, ends[1], &pid);
	close(ends[1]);
	if (result == 0) {
		result = read_output(ends[0], timeout_ms, limit, &text);
		result = reap(pid, end_ms, result);
	}
	close(ends[0]);
	if (result >= 0)
		*output = arena_str(arena, strbuf_str(&text));
	if (text.data != NULL)
		explicit_bzero(text.data, text.cap);
	strbuf_release(&text);
	return result;
}
