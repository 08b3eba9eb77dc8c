/*
 * arena.h - memory that dies together.
 *
 * One arena serves one pass (load a spec, make a plan, one round of
 * watching); everything made in it is released at once by arena_release().
 * Memory comes back zeroed.  Running out of memory ends the program through
 * fail_out_of_memory(): the journal makes that safe, and no caller has to
 * check.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/str.h"

struct arena_block;

/* Start with `struct arena arena = {0};`. */
struct arena {
	struct arena_block *blocks;	/* newest first */
	char *at, *end;			/* what is left of the newest block */
	size_t total;			/* bytes taken from the heap */
};

/* Everything of `from` lives as long as `arena` from now on; `from` is empty
 * then. */
void arena_join(struct arena *arena, struct arena *from);

/* Return size zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);

/* The same for n objects of the given size; dies on overflow. */
void *arena_array(struct arena *arena, size_t n, size_t size);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) \
	((type *)arena_array((arena), (n), sizeof(type)))

/* Copy text into the arena; the copy is followed by a NUL. */
struct str arena_str(struct arena *arena, struct str text);
/* The same, returned as a C string (text must hold no NUL). */
const char *arena_cstr(struct arena *arena, struct str text);

/* Format into the arena; the result is followed by a NUL. */
struct str arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *arena, const char *format,
    va_list args);

/*
 * Take over what malloc() gave, without a copy: it is freed with the arena.
 * NULL is harmless.
 */
void arena_take(struct arena *arena, void *heap);

/* Release everything; the arena is empty and may be used again. */
void arena_release(struct arena *arena);

/*
 * Growing arrays: a struct with members `items`, `n` and `cap` (see VEC_OF).
 * ARENA_PUSH returns the address of a new zeroed element.  The array may
 * move, so keep indexes rather than pointers while it grows.
 */
#define VEC_OF(type) struct { type *items; size_t n, cap; }
#define ARENA_PUSH(arena, vec) \
	((vec)->items = arena_grow((arena), (vec)->items, (vec)->n, \
	    &(vec)->cap, sizeof *(vec)->items), &(vec)->items[(vec)->n++])
void *arena_grow(struct arena *arena, void *items, size_t n, size_t *cap,
    size_t size);

/* realloc() of n objects of the given size, for the few things that outlive
 * arenas: never fails.  Release with free(). */
void *heap_array(void *items, size_t n, size_t size);

/* Say so on standard error and abort. */
_Noreturn void fail_out_of_memory(void);
/*
 * The same where not even one descriptor is left to wait with (errno says
 * why).  Only while the program sets itself up, before anything is sent: it
 * ends with a message and status 1.
 */
_Noreturn void fail_out_of_descriptors(void);

#define COUNTOF(array) (sizeof(array) / sizeof *(array))

#endif
