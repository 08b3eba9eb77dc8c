/*
 * meter.c - run a command and say what it took.
 *
 *	meter [-o FILE] COMMAND [ARGUMENT]...
 *
 * Its output goes to FILE, which is made anew, or to /dev/null.  One line on
 * standard output: the exit status, microseconds by the wall and on the
 * processors, and the peak of its resident memory in kB, as wait4() gives
 * it.  This program is small because the peak of a child begins with that of
 * who forked it.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long
micros(struct timeval time)
{
	return (long)time.tv_sec * 1000000 + (long)time.tv_usec;
}

/* The child of a vfork() runs on this frame, so it is a frame of its own. */
static pid_t
start(const char *output, char *const *command)
{
	pid_t pid = vfork();

	if (pid != 0)
		return pid;
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	dup2(in, 0);
	dup2(out, 1);
	execvp(command[0], command);
	_exit(127);
}

int
main(int argc, char **argv)
{
	bool keeps = argc > 3 && strcmp(argv[1], "-o") == 0;
	struct timespec from, to;
	struct rusage usage;
	int status;

	if (argc < 2)
		return 3;
	clock_gettime(CLOCK_MONOTONIC, &from);
	pid_t pid = start(keeps ? argv[2] : "/dev/null",
	    argv + (keeps ? 3 : 1));
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%d %ld %ld %ld\n",
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
	    (long)(to.tv_sec - from.tv_sec) * 1000000 +
		(to.tv_nsec - from.tv_nsec) / 1000,
	    micros(usage.ru_utime) + micros(usage.ru_stime),
	    usage.ru_maxrss);
	return 0;
}
