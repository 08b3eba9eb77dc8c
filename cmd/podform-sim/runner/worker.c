/*
 * worker.c - bin/Runner.Worker: one job.
 *
 * Reads what the job is from descriptor 3 and writes its output to 4.  It
 * ends with the real one's results less 100: 100 is Succeeded, 102 Failed,
 * 103 Canceled.
 */
#include "standin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t cancelled;

static void
on_signal(int number)
{
	(void)number;
	cancelled = 1;
}

static void
make_directories(const char *repository, char *out, size_t size)
{
	const char *name = strrchr(repository, '/');

	name = name == NULL ? repository : name + 1;
	mkdir("_work", 0755);
	mkdir("_work/_temp", 0755);
	snprintf(out, size, "_work/%s", name);
	mkdir(out, 0755);
	snprintf(out, size, "_work/%s/%s", name, name);
	mkdir(out, 0755);
}

static pid_t
start_step(const char *run, const char *directory)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	setpgid(0, 0);
	dup2(4, 1);
	dup2(4, 2);
	close(3);
	close(4);
	if (chdir(directory) != 0)
		_exit(1);
	execl("/bin/bash", "bash", "-e", "-c", run, (char *)NULL);
	_exit(127);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* false: it was cancelled. */
static bool
wait_step(pid_t pid, bool *failed)
{
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (cancelled) {
			kill(-pid, SIGTERM);
			poll(NULL, 0, 200);
			kill(-pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return false;
		}
		poll(NULL, 0, 20);
	}
	*failed |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	return true;
}

static void
leave_orphan(void)
{
	if (fork() != 0)
		return;
	setsid();
	execl("/bin/sleep", "sleep", "987654", (char *)NULL);
	_exit(127);
}

static void
set_environment(const char *job, const char *repository)
{
	char value[256];

	setenv("CI", "true", 1);
	setenv("GITHUB_ACTIONS", "true", 1);
	setenv("GITHUB_REPOSITORY", repository, 1);
	if (standin_line(job, "runid", value, sizeof value))
		setenv("GITHUB_RUN_ID", value, 1);
	if (standin_line(job, "name", value, sizeof value))
		setenv("GITHUB_JOB", value, 1);
	if (standin_line(job, "runner", value, sizeof value))
		setenv("RUNNER_NAME", value, 1);
	setenv("RUNNER_OS", "Linux", 1);
	setenv("RUNNER_TRACKING_ID", "github_standin", 1);
}

int
standin_work(void)
{
	static char job[FILE_MAX], encoded[FILE_MAX], run[FILE_MAX];
	struct sigaction action = { .sa_handler = on_signal };
	char value[256] = "", repository[256] = "repo", directory[600];
	bool failed = false, whole = true;
	size_t n = 0;
	ssize_t got;
	int64_t until;
	pid_t pid;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	while (n + 1 < sizeof job &&
	    (got = read(3, job + n, sizeof job - 1 - n)) > 0)
		n += (size_t)got;
	standin_line(job, "milliseconds", value, sizeof value);
	until = now_ms() + strtol(value, NULL, 10);
	standin_line(job, "repository", repository, sizeof repository);
	make_directories(repository, directory, sizeof directory);
	set_environment(job, repository);
	if (standin_switch("STANDIN_ORPHAN") != NULL)
		leave_orphan();
	if (standin_line(job, "run", encoded, sizeof encoded) &&
	    standin_base64(encoded, run, sizeof run) > 0 &&
	    (pid = start_step(run, directory)) > 0)
		whole = wait_step(pid, &failed);
	while (whole && !cancelled && now_ms() < until)
		poll(NULL, 0, 20);
	if (!whole || cancelled)
		return 103;
	failed |= standin_line(job, "fails", value, sizeof value) &&
	    strcmp(value, "1") == 0;
	return failed ? 102 : 100;
}
