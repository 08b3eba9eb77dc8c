/* test_headers.c - numbers and dates of header fields, and how long to wait */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/headers.h"

static void
test_headers_digits_are_digits_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		int64_t wanted;		/* -1: none */
	} rows[] = {
		{ "0", 0 }, { "007", 7 }, { "300", 300 },
		{ "9223372036854775807", INT64_MAX },
		/* One more by the last digit; ten times more. */
		{ "9223372036854775808", INT64_MAX },
		{ "92233720368547758070", INT64_MAX },
		{ "99999999999999999999999999999", INT64_MAX },
		{ "", -1 }, { "-1", -1 }, { "+1", -1 }, { " 1", -1 },
		{ "1 ", -1 }, { "1.5", -1 }, { "1e3", -1 }, { "/", -1 },
		{ ":", -1 }, { "99999999999999999999999999999x", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		int64_t found = -1;
		bool ok = headers_digits(str_from(rows[i].text), &found);
		if (ok != (rows[i].wanted >= 0) || found != rows[i].wanted)
			fail_msg("'%s': %lld", rows[i].text,
			    (long long)found);
	}
}

static void
test_headers_date_is_the_form_of_today_alone(void **state)
{
	static const struct {
		const char *text;
		int64_t wanted;		/* -1: none */
	} rows[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000) },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Sat, 29 Feb 2020 23:59:59 GMT", INT64_C(1583020799000) },
		/* Of the other two that servers once sent. */
		{ "Sunday, 06-Nov-94 08:49:37 GMT", -1 },
		{ "Sun Nov  6 08:49:37 1994", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 UTC", -1 },
		{ "Sun. 06 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT ", -1 },
		{ "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 Nox 1994 08:49:37 GMT", -1 },
		/* Letters of two months are none. */
		{ "Sun, 06 anF 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 nFe 1994 08:49:37 GMT", -1 },
		{ "Sun, 31 Feb 2021 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 1994 24:49:37 GMT", -1 },
		{ "Sun, xx Nov 1994 08:49:37 GMT", -1 },
		{ "", -1 },
	};
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t before = 0, found;

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		found = -1;
		bool ok = headers_date(str_from(rows[i].text), &found);
		if (ok != (rows[i].wanted >= 0) || found != rows[i].wanted)
			fail_msg("'%s': %lld", rows[i].text,
			    (long long)found);
	}
	for (size_t month = 0; month < 12; month++) {
		char text[] = "Sun, 02 xxx 1971 00:00:00 GMT";
		for (size_t i = 0; i < 3; i++)
			text[8 + i] = months[3 * month + i];
		assert_true(headers_date(str_from(text), &found));
		assert_true(found > before);
		before = found;
	}
}

#define AT(time) "Sun, 06 Nov 1994 " time " GMT"

static void
test_headers_retry_after_is_a_time_that_somebody_would_wait(void **state)
{
	static const struct {
		const char *header, *date;
		int64_t wanted;
	} rows[] = {
		{ "0", "", 0 }, { "1", "", 1000 }, { " 120\t", "", 120000 },
		{ "300", "", 300000 }, { "301", "", 300000 },
		{ "99999999999999999999", "", 300000 },
		{ "-1", "", 0 }, { "soon", "", 0 }, { "", "", 0 },
		/* By the answer's own clock. */
		{ AT("08:50:37"), AT("08:49:37"), 60000 },
		{ AT("08:50:37"), " " AT("08:49:37") " ", 60000 },
		{ AT("08:54:37"), AT("08:49:37"), 300000 },
		{ AT("08:54:38"), AT("08:49:37"), 300000 },
		{ AT("08:49:37"), AT("08:49:37"), 0 },
		{ AT("08:49:36"), AT("08:49:37"), 0 },
		/* By ours, which is at 08:49:00, where it has none. */
		{ AT("08:49:07"), "", 7000 },
		{ AT("08:49:07"), "yesterday", 7000 },
		{ AT("08:48:59"), "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		int64_t found = headers_retry_after(str_from(rows[i].header),
		    str_from(rows[i].date), INT64_C(784111740000));
		if (found != rows[i].wanted)
			fail_msg("'%s', date '%s': %lld", rows[i].header,
			    rows[i].date, (long long)found);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_headers_digits_are_digits_and_nothing_else),
		cmocka_unit_test(test_headers_date_is_the_form_of_today_alone),
		cmocka_unit_test(
	test_headers_retry_after_is_a_time_that_somebody_would_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
