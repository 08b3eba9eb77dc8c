/* test_arena.c - memory comes zeroed, aligned, and goes away whole */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include "base/arena.h"

static void
test_arena_gives_zeroed_aligned_memory(void **state)
{
	(void)state;
	struct arena arena = {0};
	for (int round = 0; round < 3; round++) {
		for (size_t size = 0; size < 3000; size += 7) {
			unsigned char *bytes = arena_alloc(&arena, size);
			assert_int_equal((uintptr_t)bytes % 16, 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(bytes[i], 0);
			memset(bytes, 0xa5, size);
		}
		arena_release(&arena);
		assert_null(arena.blocks);
		assert_int_equal(arena.total, 0);
	}
}

static void
test_arena_keeps_filling_a_block_after_a_big_object(void **state)
{
	(void)state;
	struct arena arena = {0};
	char *before = arena_alloc(&arena, 16);
	char *big = arena_alloc(&arena, 5000000);
	char *after = arena_alloc(&arena, 16);
	assert_ptr_equal(after, before + 16);
	memset(big, 1, 5000000);
	arena_release(&arena);
}

static void
test_arena_frees_what_it_took(void **state)
{
	(void)state;
	struct arena arena = {0};
	arena_take(&arena, NULL);
	assert_null(arena.blocks);
	/* Before the first block and behind one; a leak would be seen. */
	arena_take(&arena, calloc(1, 100));
	char *before = arena_alloc(&arena, 16);
	arena_take(&arena, calloc(1, 100));
	arena_take(&arena, NULL);
	assert_ptr_equal(arena_alloc(&arena, 16), before + 16);
	arena_release(&arena);
}

static void
test_arena_grows_in_bounded_blocks(void **state)
{
	(void)state;
	struct arena arena = {0};
	for (int i = 0; i < 20000; i++)
		memset(arena_alloc(&arena, 1000), 1, 1000);
	assert_true(arena.total >= 20000000);
	assert_true(arena.total < 20000000 + 3000000);
	arena_release(&arena);
}

static void
test_arena_copies_and_formats_text(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct str copy = arena_str(&arena, STR("abc"));
	assert_string_equal(copy.data, "abc");
	assert_string_equal(arena_cstr(&arena, str_sub(copy, 1, 1)), "b");
	struct str empty = arena_str(&arena, (struct str){0});
	assert_non_null(empty.data);
	assert_int_equal(empty.len, 0);
	struct str text = arena_printf(&arena, "%d-" STR_FMT, 7,
	    STR_ARG(copy));
	assert_string_equal(text.data, "7-abc");
	assert_int_equal(text.len, 5);
	/* A letter that the locale cannot write: formatting fails. */
	text = arena_printf(&arena, "%lc", (wint_t)0x20ac);
	assert_int_equal(text.len, 0);
	assert_non_null(text.data);
	arena_release(&arena);
}

static void
test_arena_push_keeps_what_was_pushed(void **state)
{
	(void)state;
	struct arena arena = {0};
	VEC_OF(size_t) list = {0};
	for (size_t i = 0; i < 1000; i++) {
		size_t *item = ARENA_PUSH(&arena, &list);
		assert_int_equal(*item, 0);
		*item = i;
	}
	assert_int_equal(list.n, 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(list.items[i], i);
	arena_release(&arena);
}

/* Not at once: what measures coverage writes it at a program's end. */
static void
end_child(int signal)
{
	exit(signal);
}

/* Does asking for so much end the program? */
static bool
dies(bool in_arena, size_t n, size_t size)
{
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		signal(SIGABRT, end_child);
		close(2);
		struct arena arena = {0};
		if (in_arena)
			arena_array(&arena, n, size);
		else
			free(heap_array(NULL, n, size));
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status != 0;
}

static void
test_arena_dies_rather_than_overflow(void **state)
{
	(void)state;
	assert_true(dies(true, SIZE_MAX / 2, 3));
	assert_true(dies(true, SIZE_MAX - 5, 1));
	assert_true(dies(true, SIZE_MAX / 4, 1));
	assert_true(dies(false, SIZE_MAX / 2, 3));
	assert_true(dies(false, SIZE_MAX / 4, 1));
	assert_false(dies(true, 10, 10));
	assert_false(dies(false, 10, 10));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_gives_zeroed_aligned_memory),
		cmocka_unit_test(
		    test_arena_keeps_filling_a_block_after_a_big_object),
		cmocka_unit_test(test_arena_frees_what_it_took),
		cmocka_unit_test(test_arena_grows_in_bounded_blocks),
		cmocka_unit_test(test_arena_copies_and_formats_text),
		cmocka_unit_test(test_arena_push_keeps_what_was_pushed),
		cmocka_unit_test(test_arena_dies_rather_than_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
