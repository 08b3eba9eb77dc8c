/*
 * sandbox.c - the life of a pod's processes.
 *
 *	podform-sim ---- bwrap ---- bash /etc/pod/start.sh (PID 1 inside)
 *	                              +- sshd, start command, ...
 *
 * PID 1 is reached by the pid that bwrap reports.  When PID 1 ends, the
 * kernel ends all that is inside before bwrap sees it; so once bwrap has
 * been waited for, nothing is left.  The other way round, bwrap and PID 1
 * each asked for SIGKILL at the death of their parent.
 */
#include "cmd/podform-sim/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/podform-sim/sandbox_args.h"

#define BWRAP "/usr/bin/bwrap"
#define USABLE_TIMEOUT_MS 10000

/*
 * Root in a container often may not make mount namespaces itself, while an
 * ordinary user may, inside a user namespace.  Found out by
 * sandbox_usable().
 */
static bool as_nobody;

struct sandbox {
	enum sandbox_state state;
	bool has_sshd;
	pid_t pid;		/* of bwrap, our child; 0 once waited for */
	int init;		/* pidfd of PID 1; -1 until bwrap told it */
	int info;		/* where bwrap tells it, and -1 once it has
				   closed its end */
	int reserved;		/* bound to the port, never listening */
	int probe;		/* a connection being tried; -1 for none */
	int log;		/* memory file, PID 1's output */
	const char *log_text;
	uint16_t port;
	int64_t kill_at_ms;	/* when stopping */
};

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/*
 * Take a free port and hold it: sshd, which sets SO_REUSEADDR too, can
 * listen on a port that is merely bound, while the kernel gives it to nobody
 * who asks for any.
 */
static bool
reserve_port(struct sandbox *sandbox)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	int yes = 1;

	sandbox->reserved = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sandbox->reserved == -1)
		return false;
	if (setsockopt(sandbox->reserved, SOL_SOCKET, SO_REUSEADDR, &yes,
	    sizeof yes) == -1 ||
	    bind(sandbox->reserved, (struct sockaddr *)&address, len) == -1 ||
	    getsockname(sandbox->reserved, (struct sockaddr *)&address,
	    &len) == -1)
		return false;
	sandbox->port = ntohs(address.sin_port);
	return true;
}

/*
 * Output goes to a memory file of fixed size: PID 1 and all that it starts
 * share one offset, writes past the end fail, and nobody ever waits for a
 * reader.
 */
static bool
make_log(struct sandbox *sandbox)
{
	void *text;

	sandbox->log = memfd_create("pod-log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (sandbox->log == -1 ||
	    ftruncate(sandbox->log, (off_t)SANDBOX_LOG_MAX) == -1 ||
	    fcntl(sandbox->log, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == -1)
		return false;
	text = mmap(NULL, SANDBOX_LOG_MAX, PROT_READ, MAP_SHARED, sandbox->log,
	    0);
	if (text == MAP_FAILED)
		return false;
	sandbox->log_text = text;
	return true;
}

/* What the child needs, made before fork(): between that and exec only
 * system calls are allowed, since another thread may hold any lock. */
struct spawn {
	const struct launch *launch;
	pid_t parent;
	int args, info, output;	/* descriptors; info -1 for none */
	const char *argv[10];
	char args_text[16], info_text[16];
};

static _Noreturn void
become_bwrap(const struct spawn *spawn)
{
	char *environment[] = { NULL };
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;
	int null;

	if (spawn->launch->uid != getuid() &&
	    (setgroups(0, NULL) == -1 ||
	    setresgid(spawn->launch->gid, spawn->launch->gid,
	    spawn->launch->gid) == -1 || setresuid(spawn->launch->uid,
	    spawn->launch->uid, spawn->launch->uid) == -1))
		_exit(127);
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* setuid would reset it */
	if (getppid() != spawn->parent)
		_exit(127);	/* it died before we asked */
	setsid();		/* ^C is for podform-sim, not for its pods */
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1 || dup2(null, 0) == -1 ||
	    dup2(spawn->output, 1) == -1 || dup2(spawn->output, 2) == -1)
		_exit(127);
	for (size_t i = 0; i < spawn->launch->nfds; i++)
		fcntl(spawn->launch->fds[i], F_SETFD, 0);
	fcntl(spawn->args, F_SETFD, 0);
	if (spawn->info != -1)
		fcntl(spawn->info, F_SETFD, 0);
	execve(BWRAP, (char *const *)spawn->argv, environment);
	_exit(127);
}

/* Fork bwrap; info -1 only tries whether it works.  Returns its pid or -1. */
static pid_t
start_bwrap(struct launch *launch, int info, int output)
{
	struct spawn spawn = { .launch = launch, .parent = getpid(),
	    .args = launch_end(launch), .info = info, .output = output };
	const char **at = spawn.argv;
	pid_t pid;

	if (spawn.args == -1)
		return -1;
	snprintf(spawn.args_text, sizeof spawn.args_text, "%d", spawn.args);
	snprintf(spawn.info_text, sizeof spawn.info_text, "%d", info);
	*at++ = "bwrap";
	*at++ = "--args";
	*at++ = spawn.args_text;
	if (info == -1) {
		*at++ = "/bin/true";
	} else {
		*at++ = "--info-fd";
		*at++ = spawn.info_text;
		*at++ = "/bin/bash";
		*at++ = "/etc/pod/start.sh";
	}
	pid = fork();
	if (pid == 0)
		become_bwrap(&spawn);
	return pid;
}

static bool
wants_sshd(const struct sandbox_config *config)
{
	for (size_t i = 0; i < config->nenv; i++)
		if (strncmp(config->env[i], "PUBLIC_KEY=", 11) == 0 &&
		    config->env[i][11] != '\0')
			return true;
	return false;
}

struct sandbox *
sandbox_start(const struct sandbox_config *config)
{
	struct sandbox *sandbox = calloc(1, sizeof *sandbox);
	struct launch launch = {0};
	int info[2] = { -1, -1 }, error;

	if (sandbox == NULL)
		return NULL;
	sandbox->init = sandbox->info = sandbox->reserved = -1;
	sandbox->probe = sandbox->log = -1;
	sandbox->has_sshd = wants_sshd(config);
	if (!reserve_port(sandbox) || !make_log(sandbox) ||
	    pipe2(info, O_CLOEXEC | O_NONBLOCK) == -1)
		goto fail;
	sandbox->info = info[0];
	if (!launch_begin(&launch, as_nobody))
		goto fail;
	launch_root(&launch, config->pod_id);
	launch_pod(&launch, config, sandbox->port);
	sandbox->pid = start_bwrap(&launch, info[1], sandbox->log);
	if (sandbox->pid == -1)
		goto fail;
	close(info[1]);
	launch_release(&launch);
	return sandbox;
fail:
	error = errno;
	if (sandbox->pid == -1)
		sandbox->pid = 0;
	launch_release(&launch);
	close_fd(&info[1]);
	sandbox_free(sandbox);
	errno = error;
	return NULL;
}

/*
 * bwrap writes `"child-pid": N` in one small write before PID 1 runs, and more
 * behind it: who closes the pipe before it has done so ends it by SIGPIPE.
 */
static void
learn_init(struct sandbox *sandbox)
{
	char text[512];
	const char *at;
	ssize_t n;

	if (sandbox->info == -1)
		return;
	n = read(sandbox->info, text, sizeof text - 1);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* That was all; of none its log says why. */
		close_fd(&sandbox->info);
		return;
	}
	text[n] = '\0';
	at = strstr(text, "\"child-pid\":");
	if (at == NULL || sandbox->init != -1)
		return;
	sandbox->init = (int)syscall(SYS_pidfd_open,
	    (pid_t)strtol(at + 12, NULL, 10), 0);
}

/*
 * Before PID 1 is known bwrap itself is ended, with its group: a child that
 * waits for it to write its uid map would wait for ever, since it asks for a
 * death with its parent later.  The group is there from setsid() on.
 */
static void
signal_init(struct sandbox *sandbox, int number)
{
	if (sandbox->init != -1) {
		syscall(SYS_pidfd_send_signal, sandbox->init, number, NULL, 0);
		return;
	}
	kill(-sandbox->pid, SIGKILL);
	kill(sandbox->pid, SIGKILL);
}

/* Does somebody listen?  One connection is tried at a time. */
static bool
probe_port(struct sandbox *sandbox)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
	    .sin_port = htons(sandbox->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct pollfd wait = { .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	if (sandbox->probe == -1) {
		sandbox->probe = socket(AF_INET,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (sandbox->probe == -1)
			return false;
		if (connect(sandbox->probe, (struct sockaddr *)&address,
		    sizeof address) == -1 && errno != EINPROGRESS) {
			close_fd(&sandbox->probe);
			return false;
		}
	}
	wait.fd = sandbox->probe;
	if (poll(&wait, 1, 0) != 1)
		return false;
	if (getsockopt(sandbox->probe, SOL_SOCKET, SO_ERROR, &error,
	    &len) == -1)
		error = errno;
	close_fd(&sandbox->probe);
	return error == 0;
}

enum sandbox_state
sandbox_poll(struct sandbox *sandbox, int64_t now_ms)
{
	if (sandbox->state == SANDBOX_GONE)
		return SANDBOX_GONE;
	learn_init(sandbox);
	if (waitpid(sandbox->pid, NULL, WNOHANG) != 0) {
		sandbox->pid = 0;
		sandbox->state = SANDBOX_GONE;
	} else if (sandbox->state == SANDBOX_STARTING) {
		if (sandbox->has_sshd ? probe_port(sandbox) :
		    sandbox->init != -1)
			sandbox->state = SANDBOX_READY;
	} else if (sandbox->state == SANDBOX_STOPPING &&
	    now_ms >= sandbox->kill_at_ms) {
		signal_init(sandbox, SIGKILL);
		sandbox->kill_at_ms = now_ms + SANDBOX_STOP_MS;
	}
	return sandbox->state;
}

void
sandbox_stop(struct sandbox *sandbox, int64_t now_ms)
{
	if (sandbox->state == SANDBOX_GONE ||
	    sandbox->state == SANDBOX_STOPPING)
		return;
	learn_init(sandbox);
	/* PID 1 may not have its handler yet: then SIGKILL will do. */
	signal_init(sandbox, SIGTERM);
	sandbox->state = SANDBOX_STOPPING;
	sandbox->kill_at_ms = now_ms + SANDBOX_STOP_MS;
}

bool
sandbox_alive(const struct sandbox *sandbox)
{
	return sandbox->state != SANDBOX_GONE;
}

pid_t
sandbox_pid(const struct sandbox *sandbox)
{
	return sandbox->pid;
}

uint16_t
sandbox_port(const struct sandbox *sandbox)
{
	return sandbox->port;
}

struct str
sandbox_log(const struct sandbox *sandbox)
{
	off_t len = lseek(sandbox->log, 0, SEEK_CUR);

	if (len < 0)
		len = 0;
	if ((size_t)len > SANDBOX_LOG_MAX)
		len = (off_t)SANDBOX_LOG_MAX;
	return (struct str){ sandbox->log_text, (size_t)len };
}

void
sandbox_free(struct sandbox *sandbox)
{
	if (sandbox == NULL)
		return;
	if (sandbox->pid > 0 && sandbox->state != SANDBOX_GONE) {
		learn_init(sandbox);
		signal_init(sandbox, SIGKILL);
		while (waitpid(sandbox->pid, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	close_fd(&sandbox->init);
	close_fd(&sandbox->info);
	close_fd(&sandbox->probe);
	close_fd(&sandbox->reserved);
	if (sandbox->log_text != NULL)
		munmap((void *)sandbox->log_text, SANDBOX_LOG_MAX);
	close_fd(&sandbox->log);
	free(sandbox);
}

/* Wait for pid until the deadline, then end it; did it succeed? */
static bool
wait_briefly(pid_t pid, int64_t deadline_ms)
{
	int status = 0;
	pid_t done;

	while ((done = waitpid(pid, &status, WNOHANG)) == 0 &&
	    monotonic_ms() < deadline_ms)
		poll(NULL, 0, 5);
	if (done == 0) {
		kill(-pid, SIGKILL);	/* see signal_init() */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return false;
	}
	return done == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Try an empty sandbox. */
static bool
try_sandbox(char *why, size_t size)
{
	struct launch launch = {0};
	pid_t pid = -1;
	bool ok = false;
	ssize_t n;
	int log = memfd_create("bwrap-log", MFD_CLOEXEC);

	if (log != -1 && launch_begin(&launch, as_nobody)) {
		launch_root(&launch, "podform-sim");
		pid = start_bwrap(&launch, -1, log);
	}
	if (pid == -1) {
		snprintf(why, size, "cannot start %s: %s", BWRAP,
		    strerror(errno));
	} else if (wait_briefly(pid, monotonic_ms() + USABLE_TIMEOUT_MS)) {
		ok = true;
	} else {
		n = pread(log, why, size - 1, 0);
		why[n > 0 ? n : 0] = '\0';
		why[strcspn(why, "\n")] = '\0';
		if (*why == '\0')
			snprintf(why, size, "%s failed without a word", BWRAP);
	}
	launch_release(&launch);
	close_fd(&log);
	return ok;
}

bool
sandbox_usable(char *why, size_t size)
{
	static const char *const programs[] = {
		BWRAP, "/usr/sbin/sshd", "/usr/bin/ssh-keygen", "/bin/bash",
	};
	char other[8];		/* root's own reason is the one to tell */

	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
		if (access(programs[i], X_OK) == -1) {
			snprintf(why, size, "%s is missing", programs[i]);
			return false;
		}
	}
	as_nobody = false;
	if (try_sandbox(why, size))
		return true;
	as_nobody = getuid() == 0;
	if (as_nobody && try_sandbox(other, sizeof other))
		return true;
	as_nobody = false;
	return false;
}
