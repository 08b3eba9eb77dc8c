/* time_text.c - times as the service writes them, from arithmetic alone. */
#include "model/private.h"

enum { DAY_MS = 86400 * 1000 };

struct civil {
	int year, month, day, hour, minute, second, ms, weekday;
};

/* Days since 1970 to a date; from Howard Hinnant's public description of
 * calendar algorithms (eras of 400 years that begin in March). */
static struct civil
civil_from(int64_t ms)
{
	int64_t days = ms / DAY_MS, rest = ms % DAY_MS;
	if (rest < 0) {
		rest += DAY_MS;
		days--;
	}
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	struct civil c = {
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.month = (int)(mp < 10 ? mp + 3 : mp - 9),
		.hour = (int)(rest / 3600000),
		.minute = (int)(rest / 60000 % 60),
		.second = (int)(rest / 1000 % 60),
		.ms = (int)(rest % 1000),
		.weekday = (int)((days % 7 + 11) % 7),	/* 0: Sunday */
	};
	c.year = (int)(yoe + era * 400 + (c.month <= 2));
	return c;
}

struct str
model_rfc3339(struct arena *arena, int64_t ms)
{
	struct civil c = civil_from(ms);

	if (c.ms == 0)
		return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ",
		    c.year, c.month, c.day, c.hour, c.minute, c.second);
	return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    c.year, c.month, c.day, c.hour, c.minute, c.second, c.ms);
}

struct str
model_prose_time(struct arena *arena, int64_t ms)
{
	static const char *const days[] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
	};
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
		"Oct", "Nov", "Dec",
	};
	struct civil c = civil_from(ms);

	return arena_printf(arena, "%s %s %02d %04d %02d:%02d:%02d GMT+0000",
	    days[c.weekday], months[c.month - 1], c.day, c.year, c.hour,
	    c.minute, c.second);
}

/* A whole number of exactly `width` digits at *at. */
static bool
digits(struct str text, size_t *at, int width, int64_t *out)
{
	*out = 0;
	for (int i = 0; i < width; i++, (*at)++) {
		if (*at >= text.len || text.data[*at] < '0' ||
		    text.data[*at] > '9')
			return false;
		*out = *out * 10 + (text.data[*at] - '0');
	}
	return true;
}

static bool
letter(struct str text, size_t *at, char wanted)
{
	return *at < text.len && text.data[(*at)++] == wanted;
}

int64_t
model_days(int64_t y, int64_t m, int64_t d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
	int64_t doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

bool
model_parse_time(struct str text, int64_t *ms)
{
	int64_t y, mo, d, h, mi, s, oh, om, fraction = 0, scale = 100;
	size_t at = 0;

	if (!digits(text, &at, 4, &y) || !letter(text, &at, '-') ||
	    !digits(text, &at, 2, &mo) || !letter(text, &at, '-') ||
	    !digits(text, &at, 2, &d) || !letter(text, &at, 'T') ||
	    !digits(text, &at, 2, &h) || !letter(text, &at, ':') ||
	    !digits(text, &at, 2, &mi) || !letter(text, &at, ':') ||
	    !digits(text, &at, 2, &s) || mo < 1 || mo > 12 || d < 1 ||
	    d > 31 || h > 23 || mi > 59 || s > 60)
		return false;
	if (at < text.len && text.data[at] == '.')
		for (at++; at < text.len && text.data[at] >= '0' &&
		    text.data[at] <= '9'; at++, scale /= 10)
			fraction += (text.data[at] - '0') * scale;
	*ms = ((model_days(y, mo, d) * 24 + h) * 60 + mi) * 60000 + s * 1000 +
	    fraction;
	if (at + 1 == text.len && text.data[at] == 'Z')
		return true;
	if (at >= text.len || (text.data[at] != '+' && text.data[at] != '-'))
		return false;
	int64_t sign = text.data[at++] == '+' ? 1 : -1;
	if (!digits(text, &at, 2, &oh) || !letter(text, &at, ':') ||
	    !digits(text, &at, 2, &om) || at != text.len)
		return false;
	*ms -= sign * (oh * 60 + om) * 60000;
	return true;
}
