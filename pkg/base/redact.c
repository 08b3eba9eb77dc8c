/*
 * redact.c - known secrets, taken out of text; see secret.h
 *
 * Plain, JSON and percent forms are not listed but decoded while matching:
 * each has many spellings (`/` or `\/`, `%2f` or `%2F`), and a list would
 * miss the one that came.  Base64 is listed, once for each of the three ways
 * in which a value can lie across its groups of three bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/plant.h"
#include "base/redact_form.h"
#include "base/secret.h"
#include "base/strbuf.h"

enum { VALUE_LEAST = 6, LINE_LEAST = 16 };

struct pattern {
	struct secret bytes;
	bool base64;
	/* Letters beside the match that hold some bits of the value. */
	bool before, after;
};

struct redactor {
	struct pattern *patterns;
	size_t n, cap;
	size_t users;			/* beside the one that made it */
};

struct redactor *
redactor_new(void)
{
	struct redactor *redactor = heap_array(NULL, 1, sizeof *redactor);
	*redactor = (struct redactor){0};
	return redactor;
}

struct redactor *
redactor_share(struct redactor *redactor)
{
	if (redactor != NULL)
		redactor->users++;
	return redactor;
}

void
redactor_free(struct redactor *redactor)
{
	if (redactor == NULL || redactor->users-- > 0)
		return;
	for (size_t i = 0; i < redactor->n; i++)
		secret_release(&redactor->patterns[i].bytes);
	free(redactor->patterns);
	free(redactor);
}

static struct pattern *
add_pattern(struct redactor *redactor, struct str bytes)
{
	if (redactor->n == redactor->cap) {
		redactor->cap = redactor->cap > 0 ? redactor->cap * 2 : 16;
		redactor->patterns = heap_array(redactor->patterns,
		    redactor->cap, sizeof *redactor->patterns);
	}
	struct pattern *pattern = &redactor->patterns[redactor->n++];
	*pattern = (struct pattern){ .bytes = secret_new(bytes) };
	return pattern;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits from `bit` on, where value begins at byte `offset`; all of
 * them are its own. */
static unsigned
six_bits(struct str value, size_t offset, size_t bit)
{
	unsigned bits = 0;
	for (size_t i = bit; i < bit + 6; i++) {
		unsigned byte = (unsigned char)value.data[i / 8 - offset];
		bits = bits << 1 | (byte >> (7 - i % 8) & 1);
	}
	return bits;
}

/*
 * The letters that value alone decides when `offset` bytes of something else
 * stand before it in its group.
 */
static void
add_base64(struct redactor *redactor, struct str value, size_t offset)
{
	struct strbuf letters = {0};
	size_t first = (offset * 8 + 5) / 6;
	size_t end = (offset + value.len) * 8 / 6;

	/* At once, so that no copy is left behind by growing. */
	letters.data = heap_array(NULL, end + 1, 1);
	letters.cap = end + 1;
	for (size_t i = first; i < end; i++)
		strbuf_addc(&letters,
		    alphabet[six_bits(value, offset, i * 6)]);
	struct pattern *pattern = add_pattern(redactor, strbuf_str(&letters));
	pattern->base64 = true;
	pattern->before = offset > 0;
	pattern->after = (offset + value.len) * 8 % 6 != 0;
	explicit_bzero(letters.data, letters.len);
	strbuf_release(&letters);
}

static void
add_value(struct redactor *redactor, struct str value)
{
	for (size_t i = 0; i < redactor->n; i++)
		if (!redactor->patterns[i].base64 &&
		    str_eq(secret_reveal(&redactor->patterns[i].bytes), value))
			return;
	add_pattern(redactor, value);
	for (size_t offset = 0; offset < 3; offset++)
		add_base64(redactor, value, offset);
}

void
redactor_add(struct redactor *redactor, struct str value)
{
	/* Files end in a newline, which is gone in most places. */
	value = str_trim(value);
	if (value.len < VALUE_LEAST)
		return;
	add_value(redactor, value);
	if (str_find(value, '\n') < 0)
		return;
	/* Keys are shown line by line, too.  Short lines and those of dashes
	 * are no secret, and hiding them would hide much else. */
	while (value.len > 0) {
		struct str line = str_trim(str_cut(value, '\n', &value));
		if (line.len >= LINE_LEAST && !str_starts(line, STR("-----")))
			add_value(redactor, line);
	}
}

/* ---------------------------------------------------------- decoding ---- */

/*
 * A decoder takes one byte or escape off the front of text (not empty):
 * writes what it means (up to 4 bytes), returns how many, and sets *used.
 */
typedef size_t decoder(struct str text, char out[4], size_t *used);

static size_t
decode_plain(struct str text, char out[4], size_t *used)
{
	out[0] = text.data[0];
	*used = 1;
	return 1;
}

/* n hex digits from `at` on, or -1. */
static int32_t
hex_at(struct str text, size_t at, size_t n)
{
	int32_t value = 0;
	if (at + n > text.len)
		return -1;
	for (size_t i = at; i < at + n; i++) {
		int digit = hex_digit(text.data[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static size_t
decode_unicode(struct str text, int32_t code, char out[4], size_t *used)
{
	*used = 6;
	if (code >= 0xd800 && code <= 0xdbff && text.len >= 12 &&
	    text.data[6] == '\\' && text.data[7] == 'u') {
		int32_t low = hex_at(text, 8, 4);
		if (low >= 0xdc00 && low <= 0xdfff) {
			code = 0x10000 + ((code - 0xd800) << 10) +
			    (low - 0xdc00);
			*used = 12;
		}
	}
	return utf8_encode((uint32_t)code, out);
}

/* JSON's escapes, and the \xNN that our own printing makes. */
static size_t
decode_json(struct str text, char out[4], size_t *used)
{
	static const struct str letters = STR_INIT("bfnrt\"\\/");
	static const char meant[] = "\b\f\n\r\t\"\\/";
	int32_t code;

	if (text.data[0] != '\\' || text.len < 2)
		return decode_plain(text, out, used);
	char letter = text.data[1];
	if (letter == 'u' && (code = hex_at(text, 2, 4)) >= 0)
		return decode_unicode(text, code, out, used);
	if (letter == 'x' && (code = hex_at(text, 2, 2)) >= 0) {
		out[0] = (char)code;
		*used = 4;
		return 1;
	}
	ptrdiff_t at = str_find(letters, letter);
	if (at < 0)
		return decode_plain(text, out, used);
	out[0] = meant[at];
	*used = 2;
	return 1;
}

static size_t
decode_percent(struct str text, char out[4], size_t *used)
{
	int32_t code = text.data[0] == '%' ? hex_at(text, 1, 2) : -1;
	if (code < 0)
		return decode_plain(text, out, used);
	out[0] = (char)code;
	*used = 3;
	return 1;
}

/* Forms, where a space is a plus. */
static size_t
decode_form(struct str text, char out[4], size_t *used)
{
	if (text.data[0] != '+')
		return decode_percent(text, out, used);
	out[0] = ' ';
	*used = 1;
	return 1;
}

/* ---------------------------------------------------------- matching ---- */

/* Bytes of text, from its start, that decode to value; 0 if they don't. */
static size_t
match_decoded(struct str text, struct str value, decoder *decode)
{
	size_t at = 0;
	while (value.len > 0) {
		char piece[4];
		size_t used;
		if (at == text.len)
			return 0;
		size_t n = decode(str_sub(text, at, text.len), piece, &used);
		if (!str_starts(value, (struct str){ piece, n }))
			return 0;
		value = str_sub(value, n, value.len);
		at += used;
	}
	return at;
}

static bool
same_letter(char text, char letter)
{
	return text == letter || (text == '-' && letter == '+') ||
	    (text == '_' && letter == '/');
}

/* Base64 of either alphabet, perhaps broken into lines and put in JSON. */
static size_t
match_base64(struct str text, struct str letters)
{
	size_t at = 0, i = 0;
	for (; i < letters.len && at < text.len; at++) {
		char c = text.data[at];
		if (same_letter(c, letters.data[i]))
			i++;
		else if (i > 0 && c == '\\' && at + 1 < text.len &&
		    (text.data[at + 1] == 'n' || text.data[at + 1] == 'r'))
			at++;
		else if (i == 0 || (c != '\n' && c != '\r' && c != '\\'))
			return 0;
	}
	return i == letters.len ? at : 0;
}

static size_t
match_value(struct str text, struct str value)
{
	static decoder *const decoders[] = { decode_plain, decode_json,
		decode_percent, decode_form };
	size_t longest = 0;
	char first = text.data[0];

	if (first != value.data[0] && first != '\\' && first != '%' &&
	    first != '+')
		return 0;
	for (size_t i = 0; i < COUNTOF(decoders); i++) {
		if (PLANTED(17) && decoders[i] == decode_json)
			continue;
		size_t len = match_decoded(text, value, decoders[i]);
		if (len > longest)
			longest = len;
	}
	return longest;
}

static bool
is_base64(struct str text, size_t at)
{
	return at < text.len &&
	    (str_find(STR("-_"), text.data[at]) >= 0 ||
		str_find(str_from(alphabet), text.data[at]) >= 0);
}

/* A part of the text that must not be shown. */
struct part {
	size_t from, to;
};

/* Everything that a secret starting at `at` covers; empty if none does. */
static struct part
match_at(const struct redactor *redactor, struct str text, size_t at)
{
	struct part part = { at, at + redact_form(text, at) };
	struct str rest = str_sub(text, at, text.len);

	for (size_t i = 0; redactor != NULL && i < redactor->n; i++) {
		const struct pattern *pattern = &redactor->patterns[i];
		struct str bytes = secret_reveal(&pattern->bytes);
		size_t len = pattern->base64 ? match_base64(rest, bytes)
					     : match_value(rest, bytes);
		if (len == 0)
			continue;
		size_t to = at + len;
		if (pattern->after && is_base64(text, to))
			to++;
		if (pattern->before && at > 0 && is_base64(text, at - 1))
			part.from = at - 1;
		if (to > part.to)
			part.to = to;
	}
	return part;
}

/* The bytes that a secret may begin with, in one form or another. */
static void
first_bytes(const struct redactor *redactor, bool first[256])
{
	static const char always[] = "\\%+-_", forms[] = "ge-";

	for (size_t i = 0; forms[i] != '\0'; i++)
		first[(unsigned char)forms[i]] = true;
	if (redactor == NULL)
		return;
	for (size_t i = 0; redactor->n > 0 && always[i] != '\0'; i++)
		first[(unsigned char)always[i]] = true;
	for (size_t i = 0; i < redactor->n; i++)
		first[(unsigned char)secret_reveal(
		    &redactor->patterns[i].bytes).data[0]] = true;
}

/* Where the front of a text ends that is hidden or shown. */
struct front {
	struct part hidden;	/* found, and not yet written */
	size_t reach;		/* where its farthest secret begins */
};

/* Write what is shown before a secret that begins before `safe`. */
static struct front
redact_front(const struct redactor *redactor, struct strbuf *out,
    struct str text, size_t safe)
{
	struct front front = {0};
	struct part *hidden = &front.hidden;
	bool first[256] = {0};

	first_bytes(redactor, first);
	for (size_t at = 0; at < safe; at++) {
		if (!first[(unsigned char)text.data[at]])
			continue;
		struct part part = match_at(redactor, text, at);
		if (part.to <= at)
			continue;
		if (part.from >= hidden->to) {
			if (hidden->to > 0)
				strbuf_add(out, STR("(secret)"));
			strbuf_add(out, str_sub(text, hidden->to,
			    part.from - hidden->to));
			*hidden = part;
			front.reach = part.from;
		} else if (part.to > hidden->to) {
			/* Secrets may overlap: hide them together. */
			hidden->to = part.to;
			front.reach = part.from;
		}
	}
	return front;
}

/*
 * Redact what begins before `safe`, behind which a secret may be incomplete;
 * returns up to where text was written out.  What lies across that place is
 * left for the next time: all of it, or where it is a row of overlapping
 * secrets from the first byte on, the one that reaches farthest, for those
 * before it end within it.  Only one that has no end, by its form, is left
 * behind.
 */
static size_t
redact_to(const struct redactor *redactor, struct strbuf *out,
    struct str text, size_t safe)
{
	struct front front = redact_front(redactor, out, text, safe);
	struct part hidden = front.hidden;
	size_t cut = safe;

	/* A letter before it may be hidden with it. */
	if (safe < text.len && match_at(redactor, text, safe).from < cut)
		cut = match_at(redactor, text, safe).from;
	if (hidden.to > cut && hidden.from > 0)
		return hidden.from;
	if (hidden.to > cut && front.reach == 0 &&
	    hidden.to <= redactor_hold(redactor))
		return 0;
	if (hidden.to > 0)
		strbuf_add(out, STR("(secret)"));
	if (hidden.to > cut)
		return front.reach > 0 ? front.reach : hidden.to;
	strbuf_add(out, str_sub(text, hidden.to, cut - hidden.to));
	return cut;
}

void
redact(const struct redactor *redactor, struct strbuf *out, struct str text)
{
	redact_to(redactor, out, text, text.len);
}

size_t
redact_part(const struct redactor *redactor, struct strbuf *out,
    struct str text)
{
	size_t hold = redactor_hold(redactor);

	return text.len > hold ? redact_to(redactor, out, text,
	    text.len - hold) : 0;
}

size_t
redact_skip(const struct redactor *redactor, struct str text)
{
	size_t hold = redactor_hold(redactor);
	struct strbuf scrap = {0};
	size_t at = redact_to(redactor, &scrap, text,
	    hold < text.len ? hold : text.len);

	strbuf_release(&scrap);
	return at;
}

size_t
redactor_hold(const struct redactor *redactor)
{
	enum { FORM_MAX = 1024, ESCAPE_MAX = 6, BESIDE = 2 };
	size_t longest = 0;

	for (size_t i = 0; redactor != NULL && i < redactor->n; i++) {
		size_t len = secret_reveal(&redactor->patterns[i].bytes).len;
		if (len > longest)
			longest = len;
	}
	/* Each byte as \u00NN is the longest way to write a value. */
	longest = longest * ESCAPE_MAX + BESIDE;
	return longest > FORM_MAX ? longest : FORM_MAX;
}
