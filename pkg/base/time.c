/* time.c - times as people and services write them; see units.h */
#include "base/units.h"

/* A text that is read from the left. */
struct cursor {
	struct str text;
	bool failed;
};

static char
peek(const struct cursor *in)
{
	return in->text.len > 0 ? in->text.data[0] : '\0';
}

static void
advance(struct cursor *in)
{
	in->text = str_sub(in->text, 1, in->text.len);
}

static bool
take(struct cursor *in, const char *any)
{
	for (; *any != '\0'; any++)
		if (peek(in) == *any) {
			advance(in);
			return true;
		}
	return false;
}

static void
need(struct cursor *in, const char *any)
{
	if (!take(in, any))
		in->failed = true;
}

static bool
at_digit(const struct cursor *in)
{
	return peek(in) >= '0' && peek(in) <= '9';
}

/* Exactly n digits, min..max. */
static int
need_number(struct cursor *in, int n, int min, int max)
{
	int number = 0;
	for (; n > 0; n--, advance(in)) {
		if (!at_digit(in)) {
			in->failed = true;
			return min;
		}
		number = number * 10 + (peek(in) - '0');
	}
	if (number < min || number > max)
		in->failed = true;
	return number;
}

static bool
is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01; years are counted from March, so that the leap day
 * comes last. */
static int64_t
days_from_date(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 +
	    day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

/* A fraction of any length; what is below a millisecond is dropped. */
static int64_t
take_fraction_ms(struct cursor *in)
{
	int64_t ms = 0, unit = 100;

	if (!take(in, "."))
		return 0;
	if (!at_digit(in))
		in->failed = true;
	for (; at_digit(in); advance(in), unit /= 10)
		ms += (peek(in) - '0') * unit;
	return ms;
}

/* `Z`, `+02:00`, or Go's ` +0200 CEST`. */
static int64_t
need_offset_ms(struct cursor *in)
{
	bool spaced = take(in, " ");
	if (!spaced && take(in, "Zz"))
		return 0;
	int64_t sign = peek(in) == '-' ? -1 : 1;
	need(in, "+-");
	int hours = need_number(in, 2, 0, 23);
	if (!spaced)
		need(in, ":");
	int minutes = need_number(in, 2, 0, 59);
	if (spaced && take(in, " ")) {
		if (in->text.len == 0)
			in->failed = true;
		while ((peek(in) >= 'A' && peek(in) <= 'Z') || at_digit(in) ||
		    peek(in) == '+' || peek(in) == '-')
			advance(in);
	}
	return sign * (hours * (int64_t)HOUR_MS + minutes * MINUTE_MS);
}

bool
parse_time(struct str text, int64_t *wall_ms)
{
	struct cursor in = { .text = text };

	int year = need_number(&in, 4, 0, 9999);
	need(&in, "-");
	int month = need_number(&in, 2, 1, 12);
	need(&in, "-");
	int day = need_number(&in, 2, 1, 31);
	if (in.failed || day > days_in_month(year, month))
		return false;
	need(&in, "Tt ");
	int64_t ms = need_number(&in, 2, 0, 23) * (int64_t)HOUR_MS;
	need(&in, ":");
	ms += need_number(&in, 2, 0, 59) * MINUTE_MS;
	need(&in, ":");
	ms += need_number(&in, 2, 0, 60) * SECOND_MS;	/* 60: leap second */
	ms += take_fraction_ms(&in);
	ms -= need_offset_ms(&in);
	if (in.failed || in.text.len > 0)
		return false;
	*wall_ms = days_from_date(year, month, day) * 24 * HOUR_MS + ms;
	return true;
}

#define TIME_MIN (-(int64_t)719528 * 24 * HOUR_MS)		/* 0000-01-01 */
#define TIME_MAX ((int64_t)2932897 * 24 * HOUR_MS - 1)	/* 9999-12-31 */

struct str
format_time(struct arena *arena, int64_t wall_ms)
{
	const int64_t day_ms = 24 * HOUR_MS;

	/* A clock may say anything; what has no four-digit year is shown as
	 * the nearest time that has one. */
	if (wall_ms < TIME_MIN)
		wall_ms = TIME_MIN;
	if (wall_ms > TIME_MAX)
		wall_ms = TIME_MAX;
	int64_t days = (wall_ms - TIME_MIN) / day_ms;	/* from 0000-01-01 */
	int64_t rest = (wall_ms - TIME_MIN) % day_ms;
	int year = (int)(days / 366);	/* not later than the right one */
	while (days_from_date(year + 1, 1, 1) + 719528 <= days)
		year++;
	int left = (int)(days - (days_from_date(year, 1, 1) + 719528));
	int month = 1;
	while (left >= days_in_month(year, month))
		left -= days_in_month(year, month++);
	return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", year,
	    month, left + 1, (int)(rest / HOUR_MS),
	    (int)(rest % HOUR_MS / MINUTE_MS),
	    (int)(rest % MINUTE_MS / SECOND_MS));
}
