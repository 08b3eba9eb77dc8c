/* test_mark.c - whose is it: the two forms of a mark, as a truth table */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/mark.h"

#define OURS "0123456789abcdef0123456789abcdef"
#define TWIN "012345ffffffffffffffffffffffffff"	/* begins as ours */
#define ELSE "fedcba9876543210fedcba9876543210"
#define OP "a1b2c3d4e5f60718293a4b5c6d7e8f90"
#define OP2 "00b2c3d4e5f60718293a4b5c6d7e8f90"

static struct id128
id(const char *hex)
{
	struct id128 out;
	assert_true(id128_parse(str_from(hex), &out));
	return out;
}

static void
test_mark_id_is_32_lower_case_hex(void **state)
{
	(void)state;
	struct id128 out = {{0}};
	assert_true(id128_parse(STR(OURS), &out));
	assert_true(str_is(id128_str(&out), OURS));
	assert_false(id128_parse(STR(""), &out));
	assert_false(id128_parse(STR("0123"), &out));
	assert_false(id128_parse(STR(OURS "0"), &out));
	assert_false(id128_parse(STR("0123456789ABCDEF0123456789abcdef"),
	    &out));
	assert_false(id128_parse(STR("g123456789abcdef0123456789abcdef"),
	    &out));
	/* The neighbours of the digits and of the letters. */
	static const char around[] = "/:`g";
	for (size_t i = 0; around[i] != '\0'; i++) {
		char text[] = OURS;
		text[31] = around[i];
		assert_false(id128_parse(str_from(text), &out));
	}
	assert_true(str_is(id128_str(&out), OURS));
}

static void
counting(void *ctx, void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((unsigned char *)bytes)[i] = (unsigned char)
		    (*(unsigned *)ctx + 17 * i);
}

/* Sixteen bytes of chance, each as two digits. */
static void
test_mark_id_is_made_of_chance(void **state)
{
	unsigned first = 0;
	struct chance chance = { .ctx = &first, .bytes = counting };
	struct id128 one, back;

	(void)state;
	one = id128_random(&chance);
	assert_string_equal(one.hex, "00112233445566778899aabbccddeeff");
	assert_true(id128_parse(id128_str(&one), &back));
	first = 1;
	one = id128_random(&chance);
	assert_string_equal(one.hex, "0112233445566778899aabbccddeef00");
}

static void
test_mark_name_ends_in_the_short_mark(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct id128 lineage = id(OURS), op = id(OP);
	assert_string_equal(
	    mark_name(&arena, STR("trainer"), &lineage, &op).data,
	    "trainer-pf012345a1b2c3d4e5");
	assert_string_equal(mark_name(&arena, STR(""), &lineage, &op).data,
	    "pf012345a1b2c3d4e5");
	arena_release(&arena);
}

static void
test_mark_name_cuts_at_a_character(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct id128 lineage = id(OURS), op = id(OP);
	struct str base, name;
	struct mark mark;
	/* 41 letters fit as they are, 42 do not. */
	const char *fits = "abcdefghijklmnopqrstuvwxyzabcdefghijklmno";
	name = mark_name(&arena, str_from(fits), &lineage, &op);
	assert_int_equal(name.len, MARK_NAME_MAX);
	assert_true(mark_parse_name(name, &base, &mark));
	assert_true(str_is(base, fits));
	name = mark_name(&arena, arena_printf(&arena, "%sx", fits), &lineage,
	    &op);
	assert_true(mark_parse_name(name, &base, &mark));
	assert_true(str_is(base, fits));
	/* A character of four bytes that begins at 38 to 41. */
	for (size_t at = 38; at <= 41; at++) {
		struct str text = arena_printf(&arena,
		    "%.*s\xf0\x9f\x98\x80 tail", (int)at, fits);
		name = mark_name(&arena, text, &lineage, &op);
		assert_true(name.len <= MARK_NAME_MAX);
		assert_true(mark_parse_name(name, &base, &mark));
		assert_int_equal(base.len, at);
	}
	/* Not text at all: still no overflow, and still a mark. */
	char bytes[50];
	memset(bytes, 0x80, sizeof bytes);
	name = mark_name(&arena, (struct str){ bytes, sizeof bytes },
	    &lineage, &op);
	assert_true(str_is(name, "pf012345a1b2c3d4e5"));
	arena_release(&arena);
}

static void
test_mark_env_reads_back(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct id128 lineage = id(OURS), op = id(OP);
	struct mark mark;
	struct str env = mark_env(&arena, &lineage, &op,
	    STR("pod.x[\"a b\"]"));
	assert_string_equal(env.data, "v1 " OURS " " OP " pod.x[\"a b\"]");
	assert_true(mark_parse_env(env, &mark));
	assert_true(str_is(mark.lineage, OURS));
	assert_true(str_is(mark.op, OP));
	assert_true(str_is(mark.address, "pod.x[\"a b\"]"));
	arena_release(&arena);
}

static void
test_mark_env_refuses_what_is_none(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "v1", "v1 ", "v1 " OURS, "v1 " OURS " " OP,
		"v1 " OURS " " OP " ", "v2 " OURS " " OP " pod.x",
		"v1  " OURS " " OP " pod.x", "v1 " OURS "0 " OP " pod.x",
		"v1 " OURS " " OP "0 pod.x",
		"v1 0123456789ABCDEF0123456789abcdef " OP " pod.x",
		"v1 " OURS " x1b2c3d4e5f60718293a4b5c6d7e8f90 pod.x",
		" v1 " OURS " " OP " pod.x",
	};
	struct mark mark;
	for (size_t i = 0; i < COUNTOF(bad); i++)
		assert_false(mark_parse_env(str_from(bad[i]), &mark));
	assert_false(mark_parse_env((struct str){0}, &mark));
}

static void
test_mark_name_refuses_what_is_none(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "trainer", "trainer-pf012345a1b2c3d4e", /* short */
		"trainer-pf012345A1b2c3d4e5", "trainerpf012345a1b2c3d4e5",
		"trainer_pf012345a1b2c3d4e5", "trainer-fp012345a1b2c3d4e5",
		"trainer-pf012345a1b2c3d4e5 ", "trainer-pf012345a1b2c3d4e5-x",
	};
	struct str base;
	struct mark mark;
	for (size_t i = 0; i < COUNTOF(bad); i++)
		assert_false(mark_parse_name(str_from(bad[i]), &base, &mark));
	assert_true(mark_parse_name(STR("a-pf-pf012345a1b2c3d4e5"), &base,
	    &mark));
	assert_true(str_is(base, "a-pf"));
	assert_true(str_is(mark.lineage, "012345"));
	assert_true(str_is(mark.op, "a1b2c3d4e5"));
	assert_null(mark.address.data);
	/* Nothing but the mark: no part for people. */
	assert_true(mark_parse_name(STR("pf012345a1b2c3d4e5"), &base, &mark));
	assert_int_equal(base.len, 0);
	assert_true(str_is(mark.op, "a1b2c3d4e5"));
}

#define NAME_NONE "trainer"
#define NAME_OURS "trainer-pf012345a1b2c3d4e5"
#define NAME_OURS2 "trainer-pf01234500b2c3d4e5"
#define NAME_ELSE "trainer-pffedcbaa1b2c3d4e5"
#define ENV_OURS "v1 " OURS " " OP " pod.trainer"
#define ENV_TWIN "v1 " TWIN " " OP " pod.trainer"
#define ENV_ELSE "v1 " ELSE " " OP " pod.trainer"

static void
test_mark_owner_truth_table(void **state)
{
	(void)state;
	static const struct {
		const char *name, *env;
		enum mark_owner owner;
		bool matches;		/* lineage OURS, op OP */
	} pods[] = {
		{ NAME_NONE, NULL, MARK_NONE, false },
		{ NAME_OURS, NULL, MARK_SUSPECT, false },
		{ NAME_ELSE, NULL, MARK_OTHER, false },
		{ NAME_NONE, "garbage", MARK_NONE, false },
		{ NAME_OURS, "garbage", MARK_SUSPECT, false },
		{ NAME_OURS, "", MARK_SUSPECT, false },
		{ NAME_ELSE, "garbage", MARK_OTHER, false },
		{ NAME_NONE, ENV_OURS, MARK_RENAMED, false },
		{ NAME_OURS, ENV_OURS, MARK_OURS, true },
		{ NAME_OURS2, ENV_OURS, MARK_SUSPECT, false },
		{ NAME_ELSE, ENV_OURS, MARK_SUSPECT, false },
		{ NAME_NONE, ENV_ELSE, MARK_OTHER, false },
		{ NAME_OURS, ENV_ELSE, MARK_SUSPECT, false },
		{ NAME_ELSE, ENV_ELSE, MARK_OTHER, false },
		{ NAME_NONE, ENV_TWIN, MARK_OTHER, false },
		{ NAME_OURS, ENV_TWIN, MARK_OTHER, false },
		{ NAME_OURS2, ENV_TWIN, MARK_SUSPECT, false },
		{ NAME_ELSE, ENV_TWIN, MARK_OTHER, false },
	};
	struct id128 lineage = id(OURS), op = id(OP);
	for (size_t i = 0; i < COUNTOF(pods); i++) {
		struct str name = str_from(pods[i].name);
		struct str env = str_from(pods[i].env);
		if (mark_owner(name, env, true, &lineage) != pods[i].owner)
			fail_msg("%s with '%s'", pods[i].name, pods[i].env);
		assert_int_equal(mark_matches(name, env, true, &lineage, &op),
		    pods[i].matches);
	}
}

static void
test_mark_owner_of_volumes_goes_by_name(void **state)
{
	(void)state;
	struct id128 lineage = id(OURS), op = id(OP), op2 = id(OP2);
	struct str none = {0};
	assert_int_equal(mark_owner(STR(NAME_NONE), none, false, &lineage),
	    MARK_NONE);
	assert_int_equal(mark_owner(STR(NAME_OURS), none, false, &lineage),
	    MARK_OURS);
	assert_int_equal(mark_owner(STR(NAME_ELSE), none, false, &lineage),
	    MARK_OTHER);
	assert_true(mark_matches(STR(NAME_OURS), none, false, &lineage, &op));
	assert_false(mark_matches(STR(NAME_OURS), none, false, &lineage,
	    &op2));
	assert_false(mark_matches(STR(NAME_ELSE), none, false, &lineage,
	    &op));
}

/* One of the two forms names that op of that lineage. */
static void
test_mark_hints_by_either_form(void **state)
{
	static const struct {
		const char *name, *env;		/* NULL: it has none */
		bool hints, matches;
	} rows[] = {
		{ NAME_NONE, NULL, false, false },
		{ NAME_OURS, NULL, true, true },
		{ NAME_OURS2, NULL, false, false },	/* another op */
		{ NAME_ELSE, NULL, false, false },
		{ NAME_NONE, ENV_OURS, true, false },
		{ NAME_OURS, ENV_OURS, true, true },
		{ NAME_OURS2, ENV_OURS, true, false },
		{ NAME_ELSE, ENV_OURS, true, false },
		{ NAME_NONE, ENV_TWIN, false, false },
		{ NAME_OURS, ENV_TWIN, true, false },
		{ NAME_ELSE, ENV_ELSE, false, false },
		{ NAME_OURS, ENV_ELSE, true, false },
		{ NAME_OURS, "garbage", true, false },
		{ NAME_NONE, "garbage", false, false },
		{ NAME_OURS, "v1 " OURS " " OP2 " pod.trainer", true, false },
		{ NAME_NONE, "v1 " OURS " " OP2 " pod.trainer", false, false },
	};
	struct id128 lineage = id(OURS), op = id(OP);

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct str name = str_from(rows[i].name);
		struct str env = str_from(rows[i].env);
		bool has_env = rows[i].env != NULL;
		if (mark_hints(name, env, has_env, &lineage, &op) !=
		    rows[i].hints || mark_matches(name, env, has_env,
		    &lineage, &op) != rows[i].matches)
			fail_msg("row %zu: %s with %s", i, rows[i].name,
			    has_env ? rows[i].env : "none");
	}
}

/* Before the first apply there is no lineage, and so nothing is ours. */
static void
test_mark_owner_without_lineage_owns_nothing(void **state)
{
	(void)state;
	struct id128 none = {{0}};
	assert_int_equal(mark_owner(STR(NAME_OURS), STR(ENV_OURS), true,
	    &none), MARK_OTHER);
	assert_int_equal(mark_owner(STR(NAME_OURS), (struct str){0}, false,
	    &none), MARK_OTHER);
	assert_int_equal(mark_owner(STR(NAME_NONE), (struct str){0}, true,
	    &none), MARK_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mark_id_is_32_lower_case_hex),
		cmocka_unit_test(test_mark_id_is_made_of_chance),
		cmocka_unit_test(test_mark_name_ends_in_the_short_mark),
		cmocka_unit_test(test_mark_name_cuts_at_a_character),
		cmocka_unit_test(test_mark_env_reads_back),
		cmocka_unit_test(test_mark_env_refuses_what_is_none),
		cmocka_unit_test(test_mark_name_refuses_what_is_none),
		cmocka_unit_test(test_mark_owner_truth_table),
		cmocka_unit_test(test_mark_hints_by_either_form),
		cmocka_unit_test(test_mark_owner_of_volumes_goes_by_name),
		cmocka_unit_test(
		    test_mark_owner_without_lineage_owns_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
