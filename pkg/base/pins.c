/* pins.c - see pins.h */
#include "base/pins.h"

#include "base/units.h"

enum { DIGEST_CHARS = 43 };	/* 32 bytes in base64, without padding */

static bool
is_base64(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '+' || c == '/';
}

bool
pins_is_fingerprint(struct str text)
{
	struct str prefix = STR("SHA256:");

	if (text.len != prefix.len + DIGEST_CHARS ||
	    !str_starts(text, prefix))
		return false;
	for (size_t i = prefix.len; i < text.len; i++)
		if (!is_base64(text.data[i]))
			return false;
	return true;
}

/* "256 SHA256:... comment (ED25519)": the fingerprint, or absent. */
static struct str
fingerprint_of(struct str line)
{
	struct str rest, bits = str_cut(str_trim(line), ' ', &rest);
	struct str print = str_cut(rest, ' ', &rest);
	int64_t number;

	if (!parse_int(bits, 128, 16384, &number) ||
	    !pins_is_fingerprint(print))
		return (struct str){0};
	/* Of the kinds of key that we accept; a pin of another one would
	 * make the right host look wrong. */
	if (!str_ends(rest, STR("(ED25519)")) &&
	    !str_ends(rest, STR("(ECDSA)")))
		return (struct str){0};
	return print;
}

/* Whole seconds: one of both may be told more precisely than the other. */
static bool
is_before(struct str time, struct str start)
{
	int64_t a, b;

	return parse_time(time, &a) && parse_time(start, &b) &&
	    a / SECOND_MS < b / SECOND_MS;
}

static bool
has(const struct str *pins, size_t n, struct str pin)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(pins[i], pin))
			return true;
	return false;
}

size_t
pins_of_log(struct arena *arena, const struct log_line *lines, size_t nlines,
    struct str start, struct str **pins)
{
	size_t n = 0;

	*pins = ARENA_ARRAY(arena, struct str, PINS_MAX);
	for (size_t i = 0; i < nlines && n < PINS_MAX; i++) {
		struct str pin = lines[i].system ? (struct str){0} :
		    fingerprint_of(lines[i].text);
		if (pin.len > 0 && !is_before(lines[i].time, start) &&
		    !has(*pins, n, pin))
			(*pins)[n++] = arena_str(arena, pin);
	}
	return n;
}
