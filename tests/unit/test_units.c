/* test_units.c - numbers, durations, money and times as people write them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>

#include "base/arena.h"
#include "base/units.h"

/* What a parser makes of a text; `bad` for a refusal. */
struct parsed {
	const char *text;
	int64_t value;
};
#define BAD INT64_MIN

static void
check_parsed(bool (*parse)(struct str, int64_t *), const struct parsed *cases,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t value = 4711;
		bool ok = parse(str_from(cases[i].text), &value);
		if (ok != (cases[i].value != BAD))
			fail_msg("'%s' was %s", cases[i].text,
			    ok ? "accepted" : "refused");
		if (ok && value != cases[i].value)
			fail_msg("'%s' is %" PRId64, cases[i].text, value);
		if (!ok)
			assert_int_equal(value, 4711);
	}
}

static void
test_units_parse_duration(void **state)
{
	(void)state;
	static const struct parsed cases[] = {
		{ "90s", 90000 }, { "10m", 600000 }, { "4h", 14400000 },
		{ "1h30m", 5400000 }, { "2d", 172800000 }, { "0s", 0 },
		{ "250ms", 250 }, { "1d1h1m1s1ms", 90061001 },
		{ "3650d", 315360000000 }, { "315360000s", 315360000000 },
		{ "3651d", BAD }, { "3650d1ms", BAD }, { "", BAD },
		{ "10", BAD }, { "10 m", BAD }, { "1h30", BAD },
		{ "-5m", BAD }, { "+5m", BAD }, { "1.5h", BAD },
		{ "999999999999h", BAD }, { "99999999999999999999999s", BAD },
		{ "1m1h", BAD }, { "1s1s", BAD }, { "01s", BAD },
		{ "5y", BAD }, { "5", BAD }, { "m", BAD }, { "1H", BAD },
		{ " 1h", BAD }, { "1h ", BAD }, { "1ms1s", BAD },
		{ "1e3s", BAD }, { "0x10s", BAD },
	};
	check_parsed(parse_duration, cases, COUNTOF(cases));
}

static void
test_units_format_duration_can_be_parsed_back(void **state)
{
	(void)state;
	struct arena arena = {0};
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "0s" }, { 90000, "1m30s" }, { 5400000, "1h30m" },
		{ 172800000, "2d" }, { 250, "250ms" }, { 1001, "1s1ms" },
		{ 90061001, "1d1h1m1s1ms" }, { -90000, "-1m30s" },
	};
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		int64_t back;
		struct str text = format_duration(&arena, cases[i].ms);
		assert_string_equal(text.data, cases[i].text);
		if (cases[i].ms >= 0) {
			assert_true(parse_duration(text, &back));
			assert_true(back == cases[i].ms);
		}
	}
	assert_true(str_starts(format_duration(&arena, INT64_MIN),
	    STR("-106751991167d")));
	arena_release(&arena);
}

static void
test_units_parse_int_is_strict(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "010", "0x1F", "1_000", "1e2",
		"12:30", "+5", "-5", "-0", "5.0", " 5", "5 ", "00",
		"9223372036854775808", "18446744073709551616",
		"18446744073709551621", "99999999999999999999", "\xd9\xa3" };
	int64_t out = 4711;
	for (size_t i = 0; i < COUNTOF(bad); i++)
		assert_false(parse_int(str_from(bad[i]), INT64_MIN, INT64_MAX,
		    &out));
	assert_int_equal(out, 4711);
	assert_true(parse_int(STR("0"), 0, 8, &out));
	assert_int_equal(out, 0);
	assert_true(parse_int(STR("8"), 1, 8, &out));
	assert_int_equal(out, 8);
	assert_false(parse_int(STR("9"), 1, 8, &out));
	assert_false(parse_int(STR("0"), 1, 8, &out));
	assert_true(parse_int(STR("9223372036854775807"), 0, INT64_MAX, &out));
	assert_true(out == INT64_MAX);
}

static void
test_units_parse_gb(void **state)
{
	(void)state;
	static const struct parsed cases[] = {
		{ "50GB", 50 }, { "0GB", 0 }, { "2147483647GB", 2147483647 },
		{ "2147483648GB", BAD }, { "99999999999999999999GB", BAD },
		{ "010GB", BAD }, { "1e2GB", BAD }, { "GB", BAD },
		{ "50", BAD }, { "50 GB", BAD }, { "50gb", BAD },
		{ "1.5GB", BAD }, { "50GiB", BAD }, { "-1GB", BAD },
		{ "", BAD },
	};
	check_parsed(parse_gb, cases, COUNTOF(cases));
}

static void
test_units_parse_usd(void **state)
{
	(void)state;
	static const struct parsed cases[] = {
		{ "0.60", 600000 }, { "2", 2000000 }, { "2.5", 2500000 },
		{ "0", 0 }, { "0.000001", 1 }, { "1000000", 1000000000000 },
		{ "1000000.000000", 1000000000000 },
		{ "1000000.000001", BAD }, { "1000001", BAD },
		{ "0.0000001", BAD }, { ".5", BAD }, { "2.", BAD },
		{ "00.5", BAD }, { "-1", BAD }, { "+1", BAD }, { "1e3", BAD },
		{ "$1", BAD }, { "", BAD }, { "1,5", BAD }, { "1.5x", BAD },
		{ "99999999999999999999999", BAD },
	};
	check_parsed(parse_usd, cases, COUNTOF(cases));
}

static void
test_units_parse_usd_number_never_rounds_through_double(void **state)
{
	(void)state;
	static const struct parsed cases[] = {
		{ "0.44", 440000 }, { "0", 0 }, { "-0", 0 }, { "0.0", 0 },
		{ "1e-6", 1 }, { "4.4E-1", 440000 }, { "44e-2", 440000 },
		{ "1E+6", 1000000000000 }, { "0.0000005", 1 }, { "5e-7", 1 },
		{ "0.00000049999999999", 0 }, { "4.9e-7", 0 }, { "1e-400", 0 },
		{ "0.1234565", 123457 }, { "0.1234564999", 123456 },
		{ "-0.5", -500000 }, { "-0.0000005", -1 },
		{ "0.30000000000000004", 300000 },
		{ "100000000000000000000000e-23", 1000000 },
		{ "0.00000000000000000000001e23", 1000000 },
		{ "1000000", 1000000000000 },
		{ "1000000.0000004", 1000000000000 },
		{ "999999.9999999", 1000000000000 },
		{ "1000000.0000005", BAD }, { "1000000.000001", BAD },
		{ "1e400", BAD }, { "1e7", BAD }, { "-1e7", BAD },
		{ "1e99999999999999999999", BAD },
		{ "1e-99999999999999999999", 0 },
		{ "0e99999999999999999999", 0 }, { "1e", BAD }, { "1e+", BAD },
		{ "1.", BAD }, { ".5", BAD }, { "01", BAD }, { "+1", BAD },
		{ "NaN", BAD }, { "", BAD }, { "-", BAD }, { "1e5x", BAD },
		{ "0.44x", BAD }, { "\"0.44\"", BAD }, { "10000000", BAD },
		{ "99999999999999999999999999999999", BAD },
	};
	check_parsed(parse_usd_number, cases, COUNTOF(cases));
}

static void
test_units_format_money(void **state)
{
	(void)state;
	struct arena arena = {0};
	static const struct {
		int64_t micro;
		const char *rate, *total;
	} cases[] = {
		{ 690000, "$0.69", "$0.69" }, { 12300, "$0.0123", "$0.01" },
		{ 12000000, "$12.00", "$12.00" }, { 0, "$0.00", "$0.00" },
		{ 123000, "$0.123", "$0.12" }, { 123450, "$0.1235", "$0.12" },
		{ 5000, "$0.005", "$0.01" }, { 4999, "$0.005", "$0.00" },
		{ 49, "$0.00", "$0.00" }, { 50, "$0.0001", "$0.00" },
		{ -240000, "-$0.24", "-$0.24" }, { -40, "$0.00", "$0.00" },
		{ 99999950, "$100.00", "$100.00" },
		{ INT64_MAX, "$9223372036854.7758", "$9223372036854.78" },
		{ INT64_MIN, "-$9223372036854.7758", "-$9223372036854.78" },
	};
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		assert_string_equal(format_rate(&arena, cases[i].micro).data,
		    cases[i].rate);
		assert_string_equal(format_total(&arena, cases[i].micro).data,
		    cases[i].total);
	}
	arena_release(&arena);
}

static void
test_units_parse_time(void **state)
{
	(void)state;
	static const struct parsed cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-21T09:11:21Z", 1795252281000 },
		{ "2026-11-21t09:11:21z", 1795252281000 },
		{ "2026-11-21 09:11:21Z", 1795252281000 },
		{ "2026-11-21T10:11:21+01:00", 1795252281000 },
		{ "2026-11-21T01:41:21-07:30", 1795252281000 },
		{ "2026-11-21T09:11:21.1239999999999999999Z", 1795252281123 },
		{ "2025-10-06 15:27:53.5 +0000 UTC", 1759764473500 },
		{ "2025-10-06 17:27:53.5 +0200 CEST", 1759764473500 },
		{ "2025-10-06 15:27:53.5 +0000 +00", 1759764473500 },
		{ "2025-10-06 15:27:53.5 +0000", 1759764473500 },
		{ "2025-10-06 12:27:53.5 -0300 -03", 1759764473500 },
		{ "2025-10-06 15:27:53.5 +0000 UTC/x", BAD },
		{ "2025-10-06 15:27:53.5 +0000 [UTC]", BAD },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "2016-12-31T23:59:60Z", 1483228800000 },
		{ "2024-02-29T00:00:00Z", 1709164800000 },
		{ "2000-02-29T00:00:00Z", 951782400000 },
		{ "0000-01-01T00:00:00Z", -62167219200000 },
		{ "9999-12-31T23:59:59Z", 253402300799000 },
		{ "2023-02-29T00:00:00Z", BAD },
		{ "1900-02-29T00:00:00Z", BAD },
		{ "2026-13-01T00:00:00Z", BAD },
		{ "2026-00-01T00:00:00Z", BAD },
		{ "2026-04-31T00:00:00Z", BAD },
		{ "2026-01-00T00:00:00Z", BAD },
		{ "2026-01-01T24:00:00Z", BAD },
		{ "2026-01-01T00:60:00Z", BAD },
		{ "2026-01-01T00:00:61Z", BAD }, { "2026-01-01T00:00:00", BAD },
		{ "2026-01-01T00:00:00.Z", BAD }, { "2026-01-01", BAD },
		{ "2026-01-01T00:00:00+0100", BAD },
		{ "2026-01-01 00:00:00 +01:00", BAD },
		{ "2026-01-01T00:00:00+24:00", BAD },
		{ "2026-01-01T00:00:00Zx", BAD },
		{ "2026-01-01 00:00:00 +0000 ", BAD },
		{ "2026-01-01 00:00:00 +0000 utc", BAD },
		{ "26-01-01T00:00:00Z", BAD }, { "", BAD }, { "soon", BAD },
		{ "2026/01/01T00:00:00Z", BAD },
		{ "2026-01-01X00:00:00Z", BAD },
		{ "2026-01-01T000000Z", BAD }, { "-026-01-01T00:00:00Z", BAD },
	};
	check_parsed(parse_time, cases, COUNTOF(cases));
}

static void
test_units_format_time(void **state)
{
	(void)state;
	struct arena arena = {0};
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 1795252281999, "2026-11-21T09:11:21Z" },
		{ -1, "1969-12-31T23:59:59Z" },
		{ 951782400000, "2000-02-29T00:00:00Z" },
		{ 978220800000, "2000-12-31T00:00:00Z" },
		{ INT64_MIN, "0000-01-01T00:00:00Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z" },
	};
	for (size_t i = 0; i < COUNTOF(cases); i++)
		assert_string_equal(format_time(&arena, cases[i].ms).data,
		    cases[i].text);
	arena_release(&arena);
}

static void
test_units_every_day_survives_formatting(void **state)
{
	(void)state;
	struct arena arena = {0};
	const int64_t day_ms = (int64_t)24 * HOUR_MS;
	for (int64_t day = -719528; day < 2932897; day += 13) {
		int64_t ms = day * day_ms + 12345 * SECOND_MS, back = 0;
		assert_true(parse_time(format_time(&arena, ms), &back));
		assert_true(back == ms);
		arena_release(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units_parse_duration),
		cmocka_unit_test(test_units_format_duration_can_be_parsed_back),
		cmocka_unit_test(test_units_parse_int_is_strict),
		cmocka_unit_test(test_units_parse_gb),
		cmocka_unit_test(test_units_parse_usd),
		cmocka_unit_test(
		    test_units_parse_usd_number_never_rounds_through_double),
		cmocka_unit_test(test_units_format_money),
		cmocka_unit_test(test_units_parse_time),
		cmocka_unit_test(test_units_format_time),
		cmocka_unit_test(test_units_every_day_survives_formatting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
