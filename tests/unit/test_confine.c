/* test_confine.c - what a worker of podform-ssh that was taken over can do */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/wait.h>

/* It belongs to a program, not to a library. */
#include "cmd/podform-ssh/confine.c"

/* Bits of what the worker could do; the last says that it came to its end. */
enum {
	DID_TGKILL = 1, DID_KILL = 2, DID_OWNER = 4, DID_CODE = 8,
	DID_OPEN = 16, DID_FLAGS = 32, DID_MEMORY = 64, DID_SAY = 128,
};

static void
try_all(pid_t victim)
{
	unsigned char did = DID_SAY;
	int null = -1;

	if (syscall(SYS_tgkill, victim, victim, SIGKILL) == 0)
		did |= DID_TGKILL;
	if (syscall(SYS_kill, victim, SIGKILL) == 0)
		did |= DID_KILL;
	/* Who owns a descriptor gets a signal of one's choice by it. */
	if (fcntl(WIRE_FD, F_SETOWN, victim) == 0)
		did |= DID_OWNER;
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		did |= DID_CODE;
	if ((null = open("/dev/null", O_RDONLY)) != -1)
		did |= DID_OPEN;
	if (fcntl(WIRE_FD, F_SETFL, O_NONBLOCK) == 0 &&
	    (fcntl(WIRE_FD, F_GETFL) & O_NONBLOCK) != 0)
		did |= DID_FLAGS;
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		did |= DID_MEMORY;
	if (write(WIRE_FD, &did, 1) != 1)
		_exit(1);
	abort();
}

/* Waits to be killed; it dies with the test, should that be ended first. */
static void
be_victim(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(1);
	pause();
	_exit(0);
}

static void
test_confine_leaves_a_worker_no_way_to_others(void **state)
{
	unsigned char did = 0;
	pid_t parent = getpid(), victim, worker;
	int pair[2], status;

	(void)state;
	if (SANITIZED)
		skip();
	assert_int_equal(pipe(pair), 0);
	victim = fork();
	if (victim == 0)
		be_victim(parent);
	worker = fork();
	if (worker == 0) {
		signal(SIGSEGV, SIG_DFL);	/* cmocka has one of its own */
		confine_worker(pair[1], parent);
		try_all(victim);
	}
	close(pair[1]);
	assert_int_equal(read(pair[0], &did, 1), 1);
	close(pair[0]);
	/* abort() ends it, though no signal can be sent. */
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(waitpid(victim, &status, WNOHANG), 0);
	kill(victim, SIGKILL);
	waitpid(victim, &status, 0);
#ifdef THIS_ARCH
	assert_int_equal(did, DID_SAY | DID_FLAGS | DID_MEMORY);
#else
	assert_true(did & DID_SAY);
#endif
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confine_leaves_a_worker_no_way_to_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
