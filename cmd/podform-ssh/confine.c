/*
 * confine.c - limits, and a filter of system calls.
 */
#include "cmd/podform-ssh/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { WIRE_FD = 3, MEMORY_MB = 256, DESCRIPTORS = 1024 };

static void
limit(int which, rlim_t value)
{
	struct rlimit now;

	if (getrlimit(which, &now) == 0) {
		if (now.rlim_max == RLIM_INFINITY || now.rlim_max > value)
			now.rlim_max = value;
		now.rlim_cur = now.rlim_max;
		setrlimit(which, &now);
	}
}

/* Also where /proc shows it: what it was started with is overwritten. */
static void
forget_environment(void)
{
	for (char **each = environ; each != NULL && *each != NULL; each++)
		explicit_bzero(*each, strlen(*each));
	environ = NULL;
}

static void
close_from(unsigned first)
{
	if (syscall(SYS_close_range, first, ~0u, 0) == 0)
		return;
	for (int fd = (int)first; fd < 65536; fd++)	/* an old kernel */
		close(fd);
}

void
confine_server(void)
{
	int nowhere = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < WIRE_FD; fd++)
		if (nowhere != -1 && nowhere != fd)
			dup2(nowhere, fd);
	close_from(WIRE_FD + 1);
	if (nowhere > WIRE_FD)
		close(nowhere);
	forget_environment();
	if (chdir("/") == -1)
		return;		/* an odd place, but nothing is opened */
	limit(RLIMIT_CORE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* Not while leaks are looked for. */
	if (!SANITIZED)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* -------------------------------------------------------------- filter -- */

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef THIS_ARCH

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
    offsetof(struct seccomp_data, field))
#define CALL(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), ALLOW

/* Whatever opens, connects, starts or looks at something is not here: a
 * worker lives on the descriptors that it is handed. */
static struct sock_filter filter[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	/* Bytes. */
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64),
	CALL(pwrite64), CALL(recvfrom), CALL(sendto), CALL(recvmsg),
	CALL(sendmsg), CALL(ppoll), CALL(accept4), CALL(close),
	CALL(shutdown), CALL(getsockopt), CALL(setsockopt), CALL(getsockname),
	CALL(getpeername), CALL(fstat), CALL(lseek),
	CALL(ftruncate), CALL(newfstatat),
#ifdef SYS_poll
	CALL(poll),
#endif
	/* Memory, which must not become code. */
	CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise),
	/* Time, chance, the end. */
	CALL(clock_gettime), CALL(gettimeofday), CALL(getrandom), CALL(futex),
	CALL(exit), CALL(exit_group), CALL(rt_sigreturn),
	CALL(rt_sigprocmask), CALL(restart_syscall), CALL(getpid),
	CALL(gettid),
	/* No signals to others of this user: abort() ends without one, too.
	 * And by fcntl, which can have them sent, flags alone. */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 4),
	LOAD(args[1]),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, F_SETFL, 1, 0),
	ALLOW,
	REFUSE,
	/* mmap and mprotect without PROT_EXEC. */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
	LOAD(args[2]),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0),
	ALLOW,
	REFUSE,
};
_Static_assert(F_SETFL == 4, "and F_DUPFD, F_GETFD, F_SETFD, F_GETFL before");

static void
filter_calls(void)
{
	struct sock_fprog program = {
		.len = sizeof filter / sizeof filter[0], .filter = filter };

	/* Where the kernel has none, the other bounds still hold. */
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#else
static void
filter_calls(void)
{
}
#endif

void
confine_worker(int wire, pid_t server)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* Should it have ended already, nobody sends that signal. */
	if (getppid() != server || dup2(wire, WIRE_FD) == -1)
		_exit(1);
	close_from(WIRE_FD + 1);
	limit(RLIMIT_NOFILE, DESCRIPTORS);
	limit(RLIMIT_CORE, 0);
	if (SANITIZED)
		return;
	limit(RLIMIT_AS, (rlim_t)MEMORY_MB << 20);
	filter_calls();
}
