/*
 * own_agent.c - an ssh-agent of our own, for keys with a passphrase
 *
 * ssh-agent is started with a command, which it outlives by ten seconds at
 * most.  The command tells us the agent's pid and then reads from a pipe
 * whose other end only we have: if we are killed, it ends, and with it the
 * agent and the keys in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "ssh/keys_parts.h"

enum { START_MS = 5000 };

struct own_agent {
	pid_t child;		/* what ssh-agent turned into: the command */
	pid_t pid;		/* the agent */
	int hold;		/* the command ends when it is closed */
	struct strbuf directory, socket;
};

/* "NAME=value" of our own environment, or NULL. */
static char *
inherited(struct arena *arena, const char *name)
{
	const char *value = getenv(name);
	return value == NULL ? NULL : (char *)(uintptr_t)arena_printf(arena,
	    "%s=%s", name, value).data;
}

/* Start argv with these three descriptors and a small environment. */
static pid_t
start(const struct own_agent *agent, char *const *argv, const int fds[3],
    bool own_session)
{
	static const char *const names[] = { "PATH", "HOME", "TERM", "LANG" };
	struct arena arena = {0};
	char *environment[COUNTOF(names) + 3] = {0};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	size_t n = 0;
	pid_t pid;

	for (size_t i = 0; i < COUNTOF(names); i++)
		if ((environment[n] = inherited(&arena, names[i])) != NULL)
			n++;
	environment[n++] = (char *)(uintptr_t)"SSH_ASKPASS_REQUIRE=never";
	environment[n] = (char *)(uintptr_t)arena_printf(&arena,
	    "SSH_AUTH_SOCK=%s", agent->socket.data).data;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, (short)(POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF | (own_session ? POSIX_SPAWN_SETSID : 0)));
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < 3; i++)
		if (fds[i] != i)
			posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	int error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv,
	    environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	arena_release(&arena);
	return error == 0 ? pid : -error;
}

/* The number that the command prints once the agent is there. */
static pid_t
read_pid(int fd)
{
	char text[32];
	size_t n = 0;
	long pid;

	while (n < sizeof text - 1) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		if (poll(&ready, 1, START_MS) != 1)
			return -1;
		ssize_t got = read(fd, text + n, sizeof text - 1 - n);
		if (got <= 0)
			return -1;
		n += (size_t)got;
		if (text[n - 1] == '\n')
			break;
	}
	text[n] = '\0';
	pid = strtol(text, NULL, 10);
	return pid > 1 ? (pid_t)pid : -1;
}

static bool
start_agent(struct own_agent *agent, const char **why)
{
	char *argv[] = {
		(char *)(uintptr_t)"ssh-agent", (char *)(uintptr_t)"-a",
		agent->socket.data, (char *)(uintptr_t)"/bin/sh",
		(char *)(uintptr_t)"-c", (char *)(uintptr_t)
		"echo \"$SSH_AGENT_PID\"; exec cat >/dev/null", NULL,
	};
	int hold[2] = { -1, -1 }, said[2] = { -1, -1 };
	int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	bool ok = false;

	*why = "no descriptors are left";
	if (nothing < 0 || pipe2(hold, O_CLOEXEC) != 0 ||
	    pipe2(said, O_CLOEXEC) != 0)
		goto out;
	agent->child = start(agent, argv,
	    (const int[]){ hold[0], said[1], nothing }, true);
	if (agent->child < 0) {
		*why = agent->child == -ENOENT ? "the program ssh-agent is "
		    "missing: install openssh-client" :
		    "ssh-agent does not start";
		goto out;
	}
	agent->hold = hold[1];
	hold[1] = -1;
	close(said[1]);
	said[1] = -1;
	*why = "ssh-agent does not start";
	agent->pid = read_pid(said[0]);
	ok = agent->pid > 1;
out:
	for (int i = 0; i < 2; i++) {
		if (hold[i] >= 0)
			close(hold[i]);
		if (said[i] >= 0)
			close(said[i]);
	}
	if (nothing >= 0)
		close(nothing);
	return ok;
}

struct own_agent *
own_agent_start(const char **why)
{
	char directory[] = "/tmp/podform-agent-XXXXXX";	/* 0700 */
	struct own_agent *agent = calloc(1, sizeof *agent);

	if (agent == NULL)
		fail_out_of_memory();
	agent->hold = -1;
	if (mkdtemp(directory) == NULL) {
		*why = "no directory can be made in /tmp";
		free(agent);
		return NULL;
	}
	strbuf_adds(&agent->directory, directory);
	strbuf_addf(&agent->socket, "%s/agent", directory);
	if (start_agent(agent, why))
		return agent;
	own_agent_free(agent);
	return NULL;
}

void
own_agent_free(struct own_agent *agent)
{
	if (agent == NULL)
		return;
	/* While the command lives, the agent does: the pid is still its. */
	if (agent->pid > 1)
		kill(agent->pid, SIGTERM);
	if (agent->hold >= 0)
		close(agent->hold);
	if (agent->child > 0)
		while (waitpid(agent->child, NULL, 0) < 0 && errno == EINTR)
			;
	unlink(agent->socket.data);
	rmdir(agent->directory.data);
	strbuf_release(&agent->directory);
	strbuf_release(&agent->socket);
	free(agent);
}

struct str
own_agent_socket(const struct own_agent *agent)
{
	return strbuf_str(&agent->socket);
}

bool
own_agent_add(struct own_agent *agent, const char *path, const char **why)
{
	char *argv[] = {
		(char *)(uintptr_t)"ssh-add", (char *)(uintptr_t)"-q",
		(char *)(uintptr_t)"--", (char *)(uintptr_t)path, NULL,
	};
	int status = -1;
	/* In our own process group: it reads from the terminal. */
	pid_t pid = start(agent, argv, (const int[]){ 0, 1, 2 }, false);

	if (pid < 0) {
		*why = "the program ssh-add is missing: install "
		    "openssh-client";
		return false;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*why = "no passphrase, or not the right one";
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
