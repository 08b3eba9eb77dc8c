/* test_map.c - from text to pointer */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/map.h"

static void
test_map_empty_has_nothing(void **state)
{
	(void)state;
	struct map map = {0};
	assert_null(map_get(&map, STR("x")));
}

static void
test_map_put_returns_what_was_there(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct map map = {0};
	int one, two;
	assert_null(map_put(&map, &arena, STR("k"), &one));
	assert_ptr_equal(map_put(&map, &arena, STR("k"), &two), &one);
	assert_ptr_equal(map_get(&map, STR("k")), &two);
	assert_null(map_put(&map, &arena, STR(""), &one));
	assert_ptr_equal(map_get(&map, (struct str){0}), &one);
	assert_int_equal(map.n, 2);
	arena_release(&arena);
}

static void
test_map_keeps_everything_while_growing(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct map map = {0};
	enum { N = 10000 };
	struct str *keys = ARENA_ARRAY(&arena, struct str, N);
	for (size_t i = 0; i < N; i++) {
		keys[i] = arena_printf(&arena, "pod.train[%zu]", i);
		assert_null(map_put(&map, &arena, keys[i], &keys[i]));
	}
	assert_int_equal(map.n, N);
	for (size_t i = 0; i < N; i++)
		assert_ptr_equal(map_get(&map, keys[i]), &keys[i]);
	assert_null(map_get(&map, STR("pod.train[10000]")));
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_empty_has_nothing),
		cmocka_unit_test(test_map_put_returns_what_was_there),
		cmocka_unit_test(test_map_keeps_everything_while_growing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
