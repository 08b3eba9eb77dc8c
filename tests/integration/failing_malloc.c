/*
 * failing_malloc.c - the Nth allocation of a program fails.
 *
 * A library to be preloaded:
 *
 *	FAIL_AT=N	malloc(), calloc(), realloc() and their kind return
 *			NULL the Nth time that the program or one of its
 *			libraries asks; from 1, without it never
 *	FAIL_ON=1	... and ever after
 *	FAIL_MAP=PATH	without FAIL_AT: who asked each time, by a letter: `-`
 *			the program, `c` libc, `u` libcurl, `r` libcrypto, `s`
 *			libssh2, `l` the loader, or how another library's name
 *			begins; with it: a `*` for the one that was struck.
 *			The file is shared by all processes that are forked or
 *			started so: a child counts on from where its parent
 *			was, and once is once for all of them
 *	FAIL_TOLD=FD	a byte goes there when it strikes
 *	WRITE_MAX=N	write() takes so many bytes at most, as a full pipe or
 *			a nearly full disk does
 *
 * Memory itself is glibc's.  Only the program that was started is struck and
 * not what it starts: the variable that preloads is taken out.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_long asked;
static long fail_at;
static long write_max;
static bool for_ever;
static int told = -1;

/* Who asked, in the order in which they did; NULL: nobody wants to know.  It
 * is mapped, so that a process that may write nothing can tell. */
enum { CALLERS_MAX = 1 << 20 };
static _Atomic char *callers;

static long
number(const char *name)
{
	const char *text = getenv(name);
	return text == NULL ? 0 : strtol(text, NULL, 10);
}

static void __attribute__((constructor))
begin(void)
{
	const char *path = getenv("FAIL_MAP");

	for_ever = number("FAIL_ON") != 0;
	write_max = number("WRITE_MAX");
	told = (int)number("FAIL_TOLD");
	unsetenv("LD_PRELOAD");
	if (path != NULL) {
		int fd = open(path, O_RDWR | O_CREAT, 0600);
		void *map = ftruncate(fd, CALLERS_MAX) == 0 ? mmap(NULL,
		    CALLERS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) :
		    MAP_FAILED;
		close(fd);
		if (map == MAP_FAILED)
			abort();
		callers = map;
	}
	asked = 0;
	fail_at = number("FAIL_AT");
}

static void
note(long n, void *caller)
{
	static _Thread_local bool inside;
	Dl_info info;
	char letter = '?';

	if (n > CALLERS_MAX || inside)
		return;
	inside = true;
	if (dladdr(caller, &info) != 0) {
		const char *name = strrchr(info.dli_fname, '/');
		name = name == NULL ? info.dli_fname : name + 1;
		letter = *name == 'l' ? 'l' : '-';
		if (strncmp(name, "lib", 3) == 0)
			letter = name[3] != 'c' || name[4] == '.' ? name[3]
								  : name[4];
	}
	callers[n - 1] = letter;
	inside = false;
}

static bool
fails(void *caller)
{
	long n = ++asked;
	if (callers != NULL && fail_at == 0)
		note(n, caller);
	if (fail_at == 0 || (for_ever ? n < fail_at : n != fail_at))
		return false;
	if (n == fail_at && callers != NULL && n <= CALLERS_MAX &&
	    atomic_exchange(&callers[n - 1], '*') == '*' && !for_ever)
		return false;
	if (n == fail_at && told > 0)
		(void)!syscall(SYS_write, told, "*", 1);
	errno = ENOMEM;
	return true;
}

#define FAILS fails(__builtin_return_address(0))

void *
malloc(size_t size)
{
	return FAILS ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return FAILS ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	return FAILS ? NULL : __libc_realloc(old, size);
}

void *
reallocarray(void *old, size_t n, size_t size)
{
	size_t all;
	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return FAILS ? NULL : __libc_realloc(old, all);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
	return FAILS ? NULL : __libc_memalign(alignment, size);
}

void *
memalign(size_t alignment, size_t size)
{
	return FAILS ? NULL : __libc_memalign(alignment, size);
}

int
posix_memalign(void **out, size_t alignment, size_t size)
{
	void *memory = FAILS ? NULL : __libc_memalign(alignment, size);
	if (memory == NULL)
		return ENOMEM;
	*out = memory;
	return 0;
}

ssize_t
write(int fd, const void *bytes, size_t size)
{
	if (write_max > 0 && size > (size_t)write_max)
		size = (size_t)write_max;
	return syscall(SYS_write, fd, bytes, size);
}
