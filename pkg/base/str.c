/* str.c - see str.h */
#include "base/str.h"

#include <string.h>

struct str
str_from(const char *text)
{
	return (struct str){ text, text != NULL ? strlen(text) : 0 };
}

static bool
same_bytes(const char *a, const char *b, size_t n)
{
	return n == 0 || memcmp(a, b, n) == 0;
}

bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && same_bytes(a.data, b.data, a.len);
}

bool
str_is(struct str a, const char *text)
{
	return str_eq(a, str_from(text));
}

static unsigned char
lower(char byte)
{
	unsigned char letter = (unsigned char)byte;
	return letter >= 'A' && letter <= 'Z' ? letter | 0x20 : letter;
}

static bool
same_letters(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

bool
str_eq_fold(struct str a, struct str b)
{
	return a.len == b.len && same_letters(a.data, b.data, a.len);
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.data, b.data, n) : 0;
	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool
str_starts(struct str text, struct str prefix)
{
	return text.len >= prefix.len &&
	    same_bytes(text.data, prefix.data, prefix.len);
}

bool
str_ends(struct str text, struct str suffix)
{
	return text.len >= suffix.len &&
	    str_eq(str_sub(text, text.len - suffix.len, suffix.len), suffix);
}

struct str
str_sub(struct str text, size_t from, size_t len)
{
	if (text.data == NULL)
		return text;
	if (from > text.len)
		from = text.len;
	if (len > text.len - from)
		len = text.len - from;
	return (struct str){ text.data + from, len };
}

static bool
is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

struct str
str_trim(struct str text)
{
	size_t from = 0, to = text.len;
	while (from < to && is_space(text.data[from]))
		from++;
	while (to > from && is_space(text.data[to - 1]))
		to--;
	return str_sub(text, from, to - from);
}

ptrdiff_t
str_find(struct str text, char byte)
{
	const char *at = text.len > 0 ? memchr(text.data, byte, text.len)
				      : NULL;
	return at != NULL ? at - text.data : -1;
}

ptrdiff_t
str_rfind(struct str text, char byte)
{
	const char *at = text.len > 0 ? memrchr(text.data, byte, text.len)
				      : NULL;
	return at != NULL ? at - text.data : -1;
}

ptrdiff_t
str_search(struct str text, struct str part)
{
	if (part.len == 0)
		return 0;
	if (text.len == 0)
		return -1;
	const char *at = memmem(text.data, text.len, part.data, part.len);
	return at != NULL ? at - text.data : -1;
}

ptrdiff_t
str_search_fold(struct str text, struct str part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
		if (same_letters(text.data + i, part.data, part.len))
			return (ptrdiff_t)i;
	return -1;
}

struct str
str_cut(struct str text, char byte, struct str *rest)
{
	ptrdiff_t at = str_find(text, byte);
	if (at < 0) {
		*rest = (struct str){0};
		return text;
	}
	*rest = str_sub(text, (size_t)at + 1, text.len);
	return str_sub(text, 0, (size_t)at);
}

/* Fold 128 bits of a product into 64: each bit of a and b reaches many. */
static uint64_t
mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t
str_hash(struct str text)
{
	const uint64_t odd = 0x9e3779b97f4a7c15;
	uint64_t hash = text.len ^ 0xa0761d6478bd642f;
	const char *at = text.data;
	size_t left = text.len;

	for (; left >= 8; at += 8, left -= 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		hash = mix(hash ^ word, odd);
	}
	uint64_t tail = 0;
	if (left > 0)
		memcpy(&tail, at, left);
	return mix(hash ^ tail ^ odd, 0xe7037ed1a0b428db);
}

/* Longer names are not guessed at: no field or command is that long. */
enum { NEAR_MAX = 64 };

/*
 * Edit distance in which swapping two neighbours is one edit, since that is
 * what fingers do ("imgae").  Three rows of the usual table are enough.
 */
static size_t
distance(struct str a, struct str b)
{
	size_t rows[3][NEAR_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b.len; j++)
		above[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			unsigned char x = lower(a.data[i - 1]);
			unsigned char y = lower(b.data[j - 1]);
			size_t best = above[j - 1] + (x != y);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && x == lower(b.data[j - 2]) &&
			    lower(a.data[i - 2]) == y &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		size_t *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[b.len];
}

struct str
str_nearest(struct str text, const struct str *candidates, size_t n)
{
	struct str nearest = {0};
	size_t near = text.len / 3;

	if (text.len == 0 || text.len > NEAR_MAX)
		return nearest;
	near = near < 1 ? 1 : near > 4 ? 4 : near;
	for (size_t i = 0; i < n; i++) {
		if (candidates[i].len == 0 || candidates[i].len > NEAR_MAX)
			continue;
		size_t edits = distance(text, candidates[i]);
		if (edits < near || (edits == near && nearest.data == NULL)) {
			near = edits;
			nearest = candidates[i];
		}
	}
	return nearest;
}

/* Decode a character of more than one byte, whose first byte is given. */
static size_t
decode_long(struct str text, uint32_t *code)
{
	/* The least code that needs so many bytes: less is overlong. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)text.data[0];
	size_t len = first >= 0xf0 && first <= 0xf4 ? 4
	    : (first & 0xf0) == 0xe0            ? 3
	    : (first & 0xe0) == 0xc0            ? 2
						: 0;
	if (len == 0 || text.len < len)
		return 0;
	uint32_t value = first & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		if ((byte & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (byte & 0x3f);
	}
	if (value < least[len] || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return len;
}

size_t
utf8_decode(struct str text, uint32_t *code)
{
	if (text.len == 0)
		return 0;
	if ((unsigned char)text.data[0] >= 0x80)
		return decode_long(text, code);
	*code = (unsigned char)text.data[0];
	return 1;
}

size_t
utf8_encode(uint32_t code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = len - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(0xf00u >> len | code);
	return len;
}

int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
	    : c >= 'a' && c <= 'f'  ? c - 'a' + 10
	    : c >= 'A' && c <= 'F'  ? c - 'A' + 10
				    : -1;
}
