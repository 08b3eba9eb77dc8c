/*
 * fuzz_units.c - durations, sizes, prices, whole numbers and times: what is
 * read is within its bounds, and what is written of it reads the same.
 */
#include "tests/fuzz/fuzz.h"

#include "base/units.h"

static void
check_duration(struct arena *arena, struct str text)
{
	int64_t ms, again;

	if (!parse_duration(text, &ms))
		return;
	assert(ms >= 0 && ms <= (int64_t)10 * 365 * 24 * HOUR_MS);
	assert(parse_duration(format_duration(arena, ms), &again));
	assert(again == ms);
}

/* 1234567 micro-dollars as `1.234567`, by hand. */
static struct str
plain_usd(struct arena *arena, int64_t microusd)
{
	uint64_t micro = microusd < 0 ? 0 - (uint64_t)microusd
				      : (uint64_t)microusd;
	return arena_printf(arena, "%s%llu.%06llu", microusd < 0 ? "-" : "",
	    (unsigned long long)(micro / MICROUSD),
	    (unsigned long long)(micro % MICROUSD));
}

static void
check_usd(struct arena *arena, struct str text)
{
	const int64_t most = (int64_t)1000000 * MICROUSD;
	int64_t usd, number;
	bool price = parse_usd(text, &usd);
	bool json = parse_usd_number(text, &number);

	if (price) {
		/* Every price is a JSON number and means the same. */
		assert(json && usd == number);
		assert(usd >= 0 && usd <= most);
		assert(parse_usd(plain_usd(arena, usd), &number));
		assert(usd == number);
	}
	if (json) {
		int64_t again;
		assert(number >= -most && number <= most);
		assert(parse_usd_number(plain_usd(arena, number), &again));
		assert(again == number);
		struct str rate = format_rate(arena, number);
		struct str total = format_total(arena, number);
		fuzz_assert_shown(rate, false);
		/* A total is a rate with no more than cents. */
		assert(total.len <= rate.len);
		assert(str_find(total, '$') >= 0 && str_find(rate, '$') >= 0);
	}
}

static void
check_int(struct arena *arena, struct str text)
{
	int64_t n, gb;

	if (parse_int(text, INT64_MIN / 16, INT64_MAX / 16, &n))
		assert(n >= 0 && str_eq(text, arena_printf(arena, "%lld",
		    (long long)n)));
	if (parse_gb(text, &gb))
		assert(gb >= 0 && gb <= INT32_MAX && str_eq(text,
		    arena_printf(arena, "%lldGB", (long long)gb)));
}

/* Times lose what is below a second when they are written. */
static void
check_time(struct arena *arena, struct str text)
{
	int64_t ms, again;

	if (!parse_time(text, &ms))
		return;
	struct str written = format_time(arena, ms);
	assert(written.len == 20);
	assert(parse_time(written, &again));
	int64_t rest = ms - again;
	/* Offsets can lead a day out of the years that are written. */
	if (again != INT64_C(-62167219200000) &&
	    again != INT64_C(253402300799000))
		assert(rest >= 0 && rest < SECOND_MS);
	assert(str_eq(format_time(arena, again), written));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct str text = { (const char *)data, size };
	int64_t number;

	check_duration(&arena, text);
	check_usd(&arena, text);
	check_int(&arena, text);
	check_time(&arena, text);
	/* Any number can be written, also those that nobody reads. */
	struct fuzz in = { data, size };
	number = fuzz_number(&in);
	fuzz_assert_shown(format_duration(&arena, number), false);
	fuzz_assert_shown(format_rate(&arena, number), false);
	fuzz_assert_shown(format_total(&arena, number), false);
	assert(format_time(&arena, number).len == 20);
	arena_release(&arena);
	return 0;
}
