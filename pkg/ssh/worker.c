/* worker.c - the processes that speak SSH: see session.h */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ssh/session.h"

enum { SERVER_FD = 3, END_MS = 1000 };

/* Start the server of workers: nothing of ours goes along but its end of a
 * pair and standard error, for what the dynamic linker may have to say. */
static int
start_server(struct ssh *ssh)
{
	char *argv[] = { (char *)(uintptr_t)"podform-ssh", NULL };
	char *environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int pair[2];

	int error = wire_pair(pair);
	if (error != 0)
		return error;
	/* The copy must not be the original, which is closed on exec. */
	int end = fcntl(pair[1], F_DUPFD_CLOEXEC, SERVER_FD + 1);
	close(pair[1]);
	if (end < 0) {
		error = errno;
		close(pair[0]);
		return -error;
	}
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	/* A session of its own: Ctrl-C is for us, who tell it what to do. */
	posix_spawnattr_setflags(&attributes, (short)(POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY,
	    0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY,
	    0);
	posix_spawn_file_actions_adddup2(&actions, end, SERVER_FD);
	error = posix_spawn(&ssh->server_pid, ssh->config.worker, &actions,
	    &attributes, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	close(end);
	if (error != 0) {
		close(pair[0]);
		return -error;
	}
	ssh->server = pair[0];
	ssh_trace(ssh, "ssh: worker server is process %d",
	    (int)ssh->server_pid);
	return 0;
}

void
worker_warm_up(struct ssh *ssh)
{
	if (ssh->server < 0)
		start_server(ssh);	/* what fails, fails again later */
}

int
worker_spawn(struct ssh *ssh)
{
	int pair[2], error = 0;

	for (int tries = 0; tries < 2; tries++) {
		if (ssh->server < 0 && (error = start_server(ssh)) != 0)
			return error;
		if ((error = wire_pair(pair)) != 0)
			return error;
		error = wire_send(ssh->server, &(struct wire){
			.type = WIRE_SPAWN, .a = WIRE_VERSION, .fd = pair[1],
		});
		close(pair[1]);
		if (error == 0)
			return pair[0];
		/* It died: once more, with a new one. */
		close(pair[0]);
		if (error == -EAGAIN)
			return error;
		worker_end(ssh);
	}
	return error;
}

void
worker_end(struct ssh *ssh)
{
	if (ssh->server < 0)
		return;
	close(ssh->server);
	ssh->server = -1;
	int fd = (int)syscall(SYS_pidfd_open, ssh->server_pid, 0);
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	if (fd < 0 || poll(&ready, 1, END_MS) != 1)
		kill(ssh->server_pid, SIGKILL);
	if (fd >= 0)
		close(fd);
	while (waitpid(ssh->server_pid, NULL, 0) < 0 && errno == EINTR)
		;
}
