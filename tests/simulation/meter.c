/* meter.c - see meter.h */
#include "meter.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static int64_t held, base, peak;

/* NOLINTBEGIN(bugprone-reserved-identifier): names that ld asks for. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
void __real_free(void *memory);
void __wrap_free(void *memory);

static void *
count(void *memory, size_t before)
{
	if (memory == NULL)
		return NULL;
	held += (int64_t)malloc_usable_size(memory) - (int64_t)before;
	if (held > peak)
		peak = held;
	return memory;
}

void *
__wrap_malloc(size_t size)
{
	return count(__real_malloc(size), 0);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return count(__real_calloc(n, size), 0);
}

void *
__wrap_realloc(void *old, size_t size)
{
	size_t before = malloc_usable_size(old);
	return count(__real_realloc(old, size), before);
}

void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
	size_t before = malloc_usable_size(old);
	return count(__real_reallocarray(old, n, size), before);
}

char *
__wrap_strdup(const char *text)
{
	return count(__real_strdup(text), 0);
}

void
__wrap_free(void *memory)
{
	held -= (int64_t)malloc_usable_size(memory);
	__real_free(memory);
}
/* NOLINTEND(bugprone-reserved-identifier) */

void
meter_begin(void)
{
	base = peak = held;
}

int64_t
meter_peak(void)
{
	return peak - base;
}
