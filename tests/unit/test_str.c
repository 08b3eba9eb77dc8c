/* test_str.c - text as pointer and length */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/str.h"

static const struct str absent;

static void
test_str_from_keeps_absent_and_empty_apart(void **state)
{
	(void)state;
	assert_null(str_from(NULL).data);
	assert_non_null(str_from("").data);
	assert_int_equal(str_from("abc").len, 3);
	assert_true(str_eq(absent, STR("")));
}

static void
test_str_compares_bytes(void **state)
{
	(void)state;
	assert_true(str_eq(STR("a\0b"), STR("a\0b")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
	assert_false(str_eq(STR("a"), STR("ab")));
	assert_true(str_is(STR("pod"), "pod"));
	assert_false(str_is(STR("pod"), "pods"));
	assert_true(str_eq_fold(STR("Retry-After"), STR("retry-aFTER")));
	assert_false(str_eq_fold(STR("["), STR("{")));
	assert_false(str_eq_fold(STR("a"), STR("ab")));
	assert_false(str_eq_fold(STR("\xc3\x84"), STR("\xc3\xa4")));
}

static void
test_str_cmp_orders_shorter_first(void **state)
{
	(void)state;
	assert_true(str_cmp(STR("a"), STR("b")) < 0);
	assert_true(str_cmp(STR("b"), STR("a")) > 0);
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_true(str_cmp(STR("ab"), STR("a")) > 0);
	assert_int_equal(str_cmp(STR("ab"), STR("ab")), 0);
	assert_int_equal(str_cmp(absent, STR("")), 0);
	assert_true(str_cmp(STR("\x7f"), STR("\x80")) < 0);
}

static void
test_str_starts_and_ends(void **state)
{
	(void)state;
	assert_true(str_starts(STR("pod.train"), STR("pod.")));
	assert_false(str_starts(STR("po"), STR("pod.")));
	assert_true(str_starts(STR("x"), absent));
	assert_true(str_ends(STR("50GB"), STR("GB")));
	assert_false(str_ends(STR("B"), STR("GB")));
	assert_false(str_ends(STR("50MB"), STR("GB")));
}

static void
test_str_sub_is_clamped(void **state)
{
	(void)state;
	assert_true(str_is(str_sub(STR("abcdef"), 2, 3), "cde"));
	assert_true(str_is(str_sub(STR("abc"), 1, SIZE_MAX), "bc"));
	assert_true(str_is(str_sub(STR("abc"), 9, 1), ""));
	assert_non_null(str_sub(STR("abc"), 9, 1).data);
	assert_null(str_sub(absent, 1, 2).data);
}

static void
test_str_trim_takes_white_space_only(void **state)
{
	(void)state;
	assert_true(str_is(str_trim(STR(" \t\r\na b\n ")), "a b"));
	assert_true(str_is(str_trim(STR(" \n ")), ""));
	assert_true(str_is(str_trim(STR("\vx")), "\vx"));
	assert_null(str_trim(absent).data);
}

static void
test_str_finds_bytes_and_parts(void **state)
{
	(void)state;
	struct str text = STR("a/b/c");
	assert_int_equal(str_find(text, '/'), 1);
	assert_int_equal(str_rfind(text, '/'), 3);
	assert_int_equal(str_find(text, 'x'), -1);
	assert_int_equal(str_rfind(text, 'x'), -1);
	assert_int_equal(str_find(absent, 'x'), -1);
	assert_int_equal(str_rfind(absent, 'x'), -1);
	assert_int_equal(str_search(text, STR("b/")), 2);
	assert_int_equal(str_search(text, STR("b//")), -1);
	assert_int_equal(str_search(text, STR("")), 0);
	assert_int_equal(str_search(absent, STR("x")), -1);
	assert_int_equal(str_search_fold(STR("No Capacity"), STR("cAp")), 3);
	assert_int_equal(str_search_fold(STR("No Cap"), STR("cape")), -1);
	assert_int_equal(str_search_fold(STR("x"), STR("xx")), -1);
}

static void
test_str_cut_splits_at_the_first(void **state)
{
	(void)state;
	struct str rest;
	assert_true(str_is(str_cut(STR("k=v=w"), '=', &rest), "k"));
	assert_true(str_is(rest, "v=w"));
	assert_true(str_is(str_cut(STR("k="), '=', &rest), "k"));
	assert_true(str_is(rest, ""));
	assert_non_null(rest.data);
	assert_true(str_is(str_cut(STR("k"), '=', &rest), "k"));
	assert_null(rest.data);
}

static void
test_str_hash_tells_texts_apart(void **state)
{
	(void)state;
	char text[40] = {0};
	uint64_t seen[40];
	/* Also texts of zeros, which differ in nothing but their length. */
	for (size_t n = 0; n < 40; n++) {
		seen[n] = str_hash((struct str){ text, n });
		assert_true(seen[n] == str_hash((struct str){ text, n }));
		for (size_t i = 0; i < n; i++)
			assert_true(seen[i] != seen[n]);
	}
	uint64_t before = str_hash((struct str){ text, 40 });
	for (size_t i = 0; i < 40; i++) {
		text[i] = 1;
		assert_true(str_hash((struct str){ text, 40 }) != before);
		text[i] = 0;
	}
}

static void
test_str_nearest_guesses_what_was_meant(void **state)
{
	(void)state;
	static const struct str fields[] = {
		STR_INIT("image"), STR_INIT("gpu"), STR_INIT("gpu_count"),
		STR_INIT("data_centers"), STR_INIT(""),
		STR_INIT("a_name_that_is_so_long_that_nobody_could_mistype_it"
			 "_and_have_us_guess"),
	};
	static const struct {
		const char *typed, *meant;
	} cases[] = {
		{ "imgae", "image" }, { "gpus", "gpu" }, { "Image", "image" },
		{ "gpucount", "gpu_count" }, { "gpu-count", "gpu_count" },
		{ "datacenter", "data_centers" }, { "gp", "gpu" },
		{ "pug", NULL }, { "xyz", NULL }, { "", NULL }, { "q", NULL },
		{ "a_name_that_is_so_long_that_nobody_could_mistype_it"
		  "_and_have_us_gues", NULL },
	};
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct str found = str_nearest(str_from(cases[i].typed),
		    fields, COUNTOF(fields));
		if (cases[i].meant == NULL)
			assert_null(found.data);
		else
			assert_true(str_is(found, cases[i].meant));
	}
}

static void
test_utf8_decode_accepts_exactly_utf8(void **state)
{
	(void)state;
	/* Every code there is survives encoding and decoding. */
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		char bytes[4];
		uint32_t back = 0xffffffff;
		size_t len = utf8_encode(code, bytes);
		size_t got = utf8_decode((struct str){ bytes, len }, &back);
		if (code >= 0xd800 && code <= 0xdfff) {
			assert_int_equal(got, 0);
			continue;
		}
		assert_int_equal(got, len);
		assert_int_equal(back, code);
		if (len > 1)
			assert_int_equal(utf8_decode(
			    (struct str){ bytes, len - 1 }, &back), 0);
	}
	static const char *const bad[] = {
		"\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf",
		"\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xfe",
		"\x80", "\xbf", "\xc3\x28", "\xe2\x82\x28", "\xed\xa0\x80",
	};
	uint32_t code;
	for (size_t i = 0; i < COUNTOF(bad); i++)
		assert_int_equal(utf8_decode(str_from(bad[i]), &code), 0);
	assert_int_equal(utf8_decode(STR(""), &code), 0);
}

static void
test_hex_digit_knows_both_cases(void **state)
{
	(void)state;
	assert_int_equal(hex_digit('0'), 0);
	assert_int_equal(hex_digit('9'), 9);
	assert_int_equal(hex_digit('a'), 10);
	assert_int_equal(hex_digit('F'), 15);
	assert_int_equal(hex_digit('g'), -1);
	assert_int_equal(hex_digit('G'), -1);
	assert_int_equal(hex_digit('\0'), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_str_from_keeps_absent_and_empty_apart),
		cmocka_unit_test(test_str_compares_bytes),
		cmocka_unit_test(test_str_cmp_orders_shorter_first),
		cmocka_unit_test(test_str_starts_and_ends),
		cmocka_unit_test(test_str_sub_is_clamped),
		cmocka_unit_test(test_str_trim_takes_white_space_only),
		cmocka_unit_test(test_str_finds_bytes_and_parts),
		cmocka_unit_test(test_str_cut_splits_at_the_first),
		cmocka_unit_test(test_str_hash_tells_texts_apart),
		cmocka_unit_test(test_str_nearest_guesses_what_was_meant),
		cmocka_unit_test(test_utf8_decode_accepts_exactly_utf8),
		cmocka_unit_test(test_hex_digit_knows_both_cases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
