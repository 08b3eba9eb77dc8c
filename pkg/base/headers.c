/* headers.c - see headers.h */
#include "base/headers.h"

#include "base/arena.h"
#include "base/plant.h"
#include "base/strbuf.h"
#include "base/units.h"

enum { RETRY_MAX_S = 300 };

bool
headers_digits(struct str text, int64_t *out)
{
	int64_t n = 0;
	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c < '0' || c > '9')
			return false;
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, c - '0', &n))
			n = INT64_MAX;
	}
	*out = n;
	return true;
}

/* The one form that HTTP lets senders use, moved about into RFC 3339. */
bool
headers_date(struct str text, int64_t *wall_ms)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct strbuf buf = { .ceiling = 64 };
	bool ok = false;

	if (text.len != 29 || text.data[3] != ',' ||
	    !str_is(str_sub(text, 25, 4), " GMT"))
		return false;
	ptrdiff_t month = str_search(str_from(months), str_sub(text, 8, 3));
	if (month < 0 || month % 3 != 0)
		return false;
	strbuf_addf(&buf, STR_FMT "-%02d-" STR_FMT "T" STR_FMT "Z",
	    STR_ARG(str_sub(text, 12, 4)), (int)month / 3 + 1,
	    STR_ARG(str_sub(text, 5, 2)), STR_ARG(str_sub(text, 17, 8)));
	ok = parse_time(strbuf_str(&buf), wall_ms);
	strbuf_release(&buf);
	return ok;
}

int64_t
headers_retry_after(struct str header, struct str date, int64_t wall_ms)
{
	int64_t seconds;
	header = str_trim(header);
	if (PLANTED(15))
		return 0;
	if (headers_digits(header, &seconds)) {
		if (seconds > RETRY_MAX_S)
			seconds = RETRY_MAX_S;
		return seconds * SECOND_MS;
	}
	int64_t until, now;
	if (!headers_date(header, &until))
		return 0;
	if (!headers_date(str_trim(date), &now))
		now = wall_ms;
	if (until <= now)
		return 0;
	int64_t wait = until - now;
	return wait > (int64_t)RETRY_MAX_S * SECOND_MS ?
	    (int64_t)RETRY_MAX_S * SECOND_MS : wait;
}
