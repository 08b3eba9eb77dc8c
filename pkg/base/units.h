/*
 * units.h - durations, sizes, money and times as people write them.
 *
 * Money is int64_t micro-dollars (1 USD = 1,000,000); durations and times
 * are int64_t milliseconds.  Parsers accept the whole text or nothing.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/arena.h"
#include "base/str.h"

#define MICROUSD 1000000
#define SECOND_MS 1000
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define HOURS_PER_MONTH 730	/* for estimates; see docs/pricing */

/* `90s`, `10m`, `4h`, `1h30m`, `2d`; units fall, each once; `0s` is 0.
 * At most 10 years.  `250ms` is accepted too. */
bool parse_duration(struct str text, int64_t *ms);
/* `0` or `[1-9][0-9]*` within min..max. */
bool parse_int(struct str text, int64_t min, int64_t max, int64_t *out);
/* `50GB`: whole gigabytes as RunPod counts them. */
bool parse_gb(struct str text, int64_t *gb);
/* `0.60`, `2`, `2.5`: US dollars, at most six decimals, up to 1,000,000. */
bool parse_usd(struct str text, int64_t *microusd);
/* A JSON number's text to micro-dollars, exponents allowed, rounded to the
 * nearest (half away from zero); from -1,000,000 to 1,000,000 USD. */
bool parse_usd_number(struct str text, int64_t *microusd);
/* RFC 3339, `Z` or an offset, fraction of any length; also the Go form
 * `2025-10-06 15:27:53.5 +0000 UTC`.  Milliseconds since 1970 UTC. */
bool parse_time(struct str text, int64_t *wall_ms);

/* `1h30m`, `90s` -> `1m30s`; `0s`. */
struct str format_duration(struct arena *arena, int64_t ms);
/* `2026-11-21T09:11:21Z`. */
struct str format_time(struct arena *arena, int64_t wall_ms);
/* Rates: `$0.69`, `$0.0123`, `$12.00`: two to four decimals. */
struct str format_rate(struct arena *arena, int64_t microusd);
/* Totals: two decimals, half up. */
struct str format_total(struct arena *arena, int64_t microusd);

#endif
