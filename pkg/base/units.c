/* units.c - numbers, sizes, money and durations; times are in time.c */
#include "base/units.h"

#define USD_MAX ((int64_t)1000000 * MICROUSD)
#define DURATION_MAX ((int64_t)10 * 365 * 24 * HOUR_MS)

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Take `0` or `[1-9][0-9]*` off the front of text.  False if there is none
 * or it is above max, which must leave room for one more digit.
 */
static bool
take_number(struct str *text, int64_t max, int64_t *out)
{
	int64_t number = 0;
	size_t n = 0;

	while (n < text->len && is_digit(text->data[n])) {
		number = number * 10 + (text->data[n++] - '0');
		if (number > max)
			return false;
	}
	if (n == 0 || (n > 1 && text->data[0] == '0'))
		return false;
	*text = str_sub(*text, n, text->len);
	*out = number;
	return true;
}

bool
parse_int(struct str text, int64_t min, int64_t max, int64_t *out)
{
	uint64_t number = 0;

	if (text.len == 0 || (text.len > 1 && text.data[0] == '0'))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.data[i]))
			return false;
		if (__builtin_mul_overflow(number, 10u, &number) ||
		    __builtin_add_overflow(number,
			(uint64_t)(text.data[i] - '0'), &number) ||
		    number > INT64_MAX)
			return false;
	}
	if ((int64_t)number < min || (int64_t)number > max)
		return false;
	*out = (int64_t)number;
	return true;
}

static const struct {
	struct str name;
	int64_t ms;
} units[] = {
	{ STR_INIT("d"), (int64_t)24 * HOUR_MS },
	{ STR_INIT("h"), HOUR_MS },
	{ STR_INIT("m"), MINUTE_MS },
	{ STR_INIT("s"), SECOND_MS },
	{ STR_INIT("ms"), 1 },
};

/* Take the letters off the front of text. */
static struct str
take_unit(struct str *text)
{
	size_t n = 0;
	while (n < text->len && !is_digit(text->data[n]))
		n++;
	struct str unit = str_sub(*text, 0, n);
	*text = str_sub(*text, n, text->len);
	return unit;
}

bool
parse_duration(struct str text, int64_t *ms)
{
	int64_t total = 0;
	size_t next = 0;	/* units before it have been used or passed */

	if (text.len == 0)
		return false;
	while (text.len > 0) {
		int64_t number;
		if (!take_number(&text, DURATION_MAX, &number))
			return false;
		struct str unit = take_unit(&text);
		while (next < COUNTOF(units) && !str_eq(unit, units[next].name))
			next++;
		if (next == COUNTOF(units))
			return false;
		if (number > (DURATION_MAX - total) / units[next].ms)
			return false;
		total += number * units[next++].ms;
	}
	*ms = total;
	return true;
}

struct str
format_duration(struct arena *arena, int64_t ms)
{
	/* As unsigned, so that the least int64_t has a magnitude too. */
	uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
	struct str text = ms < 0 ? STR("-") : STR("");

	if (ms == 0)
		return STR("0s");
	for (size_t i = 0; i < COUNTOF(units); i++) {
		uint64_t size = (uint64_t)units[i].ms;
		if (left >= size)
			text = arena_printf(arena, STR_FMT "%llu" STR_FMT,
			    STR_ARG(text), (unsigned long long)(left / size),
			    STR_ARG(units[i].name));
		left %= size;
	}
	return text;
}

bool
parse_gb(struct str text, int64_t *gb)
{
	return str_ends(text, STR("GB")) &&
	    parse_int(str_sub(text, 0, text.len - 2), 0, INT32_MAX, gb);
}

bool
parse_usd(struct str text, int64_t *microusd)
{
	int64_t whole, part = 0, unit = MICROUSD;

	if (!take_number(&text, USD_MAX / MICROUSD, &whole))
		return false;
	if (text.len > 0) {
		if (text.data[0] != '.' || text.len < 2 || text.len > 7)
			return false;
		for (size_t i = 1; i < text.len; i++) {
			if (!is_digit(text.data[i]))
				return false;
			unit /= 10;
			part += (text.data[i] - '0') * unit;
		}
	}
	if (whole * MICROUSD + part > USD_MAX)
		return false;
	*microusd = whole * MICROUSD + part;
	return true;
}

/* The parts of a JSON number. */
struct decimal {
	bool negative;
	struct str whole, part;		/* digits before and after the point */
	int64_t exponent;
};

static struct str
take_digits(struct str *text)
{
	size_t n = 0;
	while (n < text->len && is_digit(text->data[n]))
		n++;
	struct str digits = str_sub(*text, 0, n);
	*text = str_sub(*text, n, text->len);
	return digits;
}

static bool
take_byte(struct str *text, char byte)
{
	if (text->len == 0 || text->data[0] != byte)
		return false;
	*text = str_sub(*text, 1, text->len);
	return true;
}

static bool
parse_exponent(struct str text, int64_t *out)
{
	bool negative = take_byte(&text, '-');
	if (!negative)
		take_byte(&text, '+');
	struct str digits = take_digits(&text);
	if (digits.len == 0 || text.len > 0)
		return false;
	int64_t exponent = 0;
	/* Far beyond any text that can be given, and far from overflow. */
	for (size_t i = 0; i < digits.len && exponent < INT32_MAX; i++)
		exponent = exponent * 10 + (digits.data[i] - '0');
	*out = negative ? -exponent : exponent;
	return true;
}

static bool
parse_decimal(struct str text, struct decimal *out)
{
	*out = (struct decimal){ .negative = take_byte(&text, '-') };
	out->whole = take_digits(&text);
	if (out->whole.len == 0 ||
	    (out->whole.len > 1 && out->whole.data[0] == '0'))
		return false;
	if (take_byte(&text, '.')) {
		out->part = take_digits(&text);
		if (out->part.len == 0)
			return false;
	}
	if (take_byte(&text, 'e') || take_byte(&text, 'E'))
		return parse_exponent(text, &out->exponent);
	return text.len == 0;
}

static int
decimal_digit(const struct decimal *number, size_t i)
{
	return i < number->whole.len
	    ? number->whole.data[i] - '0'
	    : number->part.data[i - number->whole.len] - '0';
}

bool
parse_usd_number(struct str text, int64_t *microusd)
{
	struct decimal number;
	int64_t sum = 0;

	if (!parse_decimal(text, &number))
		return false;
	/* How many digits, from the first on, stand before the point once
	 * the number is written in micro-dollars. */
	size_t n = number.whole.len + number.part.len;
	int64_t before = (int64_t)number.whole.len + number.exponent + 6;
	for (size_t i = 0; i < n && (int64_t)i < before; i++) {
		sum = sum * 10 + decimal_digit(&number, i);
		if (sum > USD_MAX)
			return false;
	}
	for (int64_t i = (int64_t)n; sum > 0 && i < before; i++) {
		sum *= 10;
		if (sum > USD_MAX)
			return false;
	}
	if (before >= 0 && before < (int64_t)n &&
	    decimal_digit(&number, (size_t)before) >= 5)
		sum++;
	if (sum > USD_MAX)
		return false;
	*microusd = number.negative ? -sum : sum;
	return true;
}

/* Dollars with the given number of decimals, of which those after the second
 * are left out while they are zero. */
static struct str
format_usd(struct arena *arena, int64_t microusd, int decimals)
{
	uint64_t micro = microusd < 0 ? 0 - (uint64_t)microusd
				      : (uint64_t)microusd;
	uint64_t step = decimals == 2 ? 10000 : 100;
	uint64_t units_of = micro / step + (micro % step >= step / 2);
	uint64_t per_dollar = MICROUSD / step;
	uint64_t part = units_of % per_dollar;

	while (decimals > 2 && part % 10 == 0) {
		part /= 10;
		decimals--;
	}
	return arena_printf(arena, "%s$%llu.%0*llu",
	    microusd < 0 && units_of > 0 ? "-" : "",
	    (unsigned long long)(units_of / per_dollar), decimals,
	    (unsigned long long)part);
}

struct str
format_rate(struct arena *arena, int64_t microusd)
{
	return format_usd(arena, microusd, 4);
}

struct str
format_total(struct arena *arena, int64_t microusd)
{
	return format_usd(arena, microusd, 2);
}
