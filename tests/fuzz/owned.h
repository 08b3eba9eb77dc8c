/*
 * owned.h - memory of a process that ends without ending.
 *
 * A worker frees little when it exits; in a target it leaves by longjmp, a
 * million times.  So while owned_counts is set, what is allocated by the code
 * that was linked with --wrap=malloc (calloc, realloc, reallocarray, free) is
 * kept in a list, and owned_free_all() is the end of the process.
 */
#ifndef TESTS_FUZZ_OWNED_H
#define TESTS_FUZZ_OWNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool owned_counts;

/* What the worker has when it ends goes with its process; here by us. */
struct owned {
	struct owned *next, **at;
	size_t size, pad;
};
static struct owned *all_owned;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t n, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t n, size_t size);
void __wrap_free(void *memory);

static void *
hold(size_t size)
{
	struct owned *one = __real_calloc(1, sizeof *one + size);

	if (one == NULL)
		abort();
	one->size = size;
	one->next = all_owned;
	one->at = &all_owned;
	if (all_owned != NULL)
		all_owned->at = &one->next;
	all_owned = one;
	return one + 1;
}

static void
let_go(struct owned *one)
{
	*one->at = one->next;
	if (one->next != NULL)
		one->next->at = one->at;
	__real_free(one);
}

void *
__wrap_malloc(size_t size)
{
	return owned_counts ? hold(size) : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return owned_counts ? hold(n * size) : __real_calloc(n, size);
}

void *
__wrap_realloc(void *memory, size_t size)
{
	if (!owned_counts)
		return __real_realloc(memory, size);
	void *other = hold(size);
	if (memory != NULL) {
		struct owned *one = (struct owned *)memory - 1;
		memcpy(other, memory, one->size < size ? one->size : size);
		let_go(one);
	}
	return other;
}

void *
__wrap_reallocarray(void *memory, size_t n, size_t size)
{
	return owned_counts ? __wrap_realloc(memory, n * size) :
	    __real_reallocarray(memory, n, size);
}

void
__wrap_free(void *memory)
{
	if (!owned_counts)
		__real_free(memory);
	else if (memory != NULL)
		let_go((struct owned *)memory - 1);
}

static void
owned_free_all(void)
{
	while (all_owned != NULL)
		let_go(all_owned);
}

#endif
