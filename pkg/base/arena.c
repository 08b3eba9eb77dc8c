/* arena.c - see arena.h */
#include "base/arena.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *older;
	size_t size;
	void *taken;		/* of arena_take(), else NULL */
};

enum { BLOCK = 32 * 1024, BLOCK_MAX = 1024 * 1024, ALIGN = 16 };

_Noreturn void
fail_out_of_memory(void)
{
	fputs("podform: out of memory; nothing is lost: run the command "
	      "again, it goes on from the journal\n",
	    stderr);
	abort();
}

_Noreturn void
fail_out_of_descriptors(void)
{
	fprintf(stderr, "podform: nothing was done: %s\n", strerror(errno));
	exit(1);
}

void *
heap_array(void *items, size_t n, size_t size)
{
	void *grown = reallocarray(items, n, size);
	if (grown == NULL)
		fail_out_of_memory();
	return grown;
}

void
arena_join(struct arena *arena, struct arena *from)
{
	struct arena_block **oldest = &arena->blocks;

	/* Behind all of ours, so that the newest goes on being filled. */
	while (*oldest != NULL)
		oldest = &(*oldest)->older;
	*oldest = from->blocks;
	arena->total += from->total;
	*from = (struct arena){0};
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	if (size == 0)
		size = 1;
	if (size > SIZE_MAX - BLOCK_MAX)
		fail_out_of_memory();
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (size > (size_t)(arena->end - arena->at)) {
		/* Blocks grow with the arena, so that big passes ask the
		 * heap rarely and small ones stay small. */
		size_t header = (sizeof(struct arena_block) + ALIGN - 1) &
		    ~(size_t)(ALIGN - 1);
		size_t want = arena->total < BLOCK       ? BLOCK
		    : arena->total > (size_t)BLOCK_MAX * 4 ? BLOCK_MAX
							   : arena->total / 2;
		if (want < size + header)
			want = size + header;
		struct arena_block *block = calloc(1, want);
		if (block == NULL)
			fail_out_of_memory();
		block->size = want;
		arena->total += want;
		if (want == size + header && arena->blocks != NULL) {
			/* One big object: keep filling the block we had. */
			block->older = arena->blocks->older;
			arena->blocks->older = block;
			return (char *)block + header;
		}
		block->older = arena->blocks;
		arena->blocks = block;
		arena->at = (char *)block + header;
		arena->end = (char *)block + want;
	}
	void *object = arena->at;
	arena->at += size;
	return object;
}

void *
arena_array(struct arena *arena, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		fail_out_of_memory();
	return arena_alloc(arena, bytes);
}

void *
arena_grow(struct arena *arena, void *items, size_t n, size_t *cap,
    size_t size)
{
	if (n < *cap)
		return items;
	size_t more = *cap == 0 ? 8 : *cap * 2;
	void *grown = arena_array(arena, more, size);
	if (n > 0)
		memcpy(grown, items, n * size);
	*cap = more;
	return grown;
}

struct str
arena_str(struct arena *arena, struct str text)
{
	char *copy = arena_alloc(arena, text.len + 1);
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	return (struct str){ copy, text.len };
}

const char *
arena_cstr(struct arena *arena, struct str text)
{
	return arena_str(arena, text).data;
}

struct str
arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		return STR("");
	char *text = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, args);
	return (struct str){ text, (size_t)len };
}

struct str
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct str text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

void
arena_take(struct arena *arena, void *heap)
{
	if (heap == NULL)
		return;
	struct arena_block *block = calloc(1, sizeof *block);
	if (block == NULL)
		fail_out_of_memory();
	block->taken = heap;
	/* Behind the newest block, which stays the one being filled. */
	struct arena_block **place = arena->blocks == NULL ?
	    &arena->blocks : &arena->blocks->older;
	block->older = *place;
	*place = block;
}

void
arena_release(struct arena *arena)
{
	struct arena_block *block = arena->blocks;
	while (block != NULL) {
		struct arena_block *older = block->older;
		free(block->taken);
		free(block);
		block = older;
	}
	*arena = (struct arena){0};
}
