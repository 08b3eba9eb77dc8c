/*
 * counters.c - programs that leave by _exit() or by exec write what they
 * counted, too.  Linked into the build of tools/coverage alone.
 */
#include <unistd.h>

void __gcov_dump(void);

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
_Noreturn void
__wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}

int __real_execve(const char *file, char *const argv[], char *const envp[]);
int __wrap_execve(const char *file, char *const argv[], char *const envp[]);
int
__wrap_execve(const char *file, char *const argv[], char *const envp[])
{
	__gcov_dump();
	return __real_execve(file, argv, envp);
}

int __real_execvp(const char *file, char *const argv[]);
int __wrap_execvp(const char *file, char *const argv[]);
int
__wrap_execvp(const char *file, char *const argv[])
{
	__gcov_dump();
	return __real_execvp(file, argv);
}
