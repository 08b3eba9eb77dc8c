/* json_out.c - see json_out.h */
#include "model/json_out.h"

#include <stdlib.h>
#include <string.h>

/* Make room for n more bytes. */
static void
grow(struct json_out *out, size_t n)
{
	size_t cap = out->cap < 2048 ? 4096 : out->cap * 2;

	while (cap < out->len + n)
		cap *= 2;
	out->data = realloc(out->data, cap);
	if (out->data == NULL)
		fail_out_of_memory();
	out->cap = cap;
}

static inline void
add_byte(struct json_out *out, char byte)
{
	if (out->len == out->cap)
		grow(out, 1);
	out->data[out->len++] = byte;
}

static inline void
add(struct json_out *out, const char *bytes, size_t n)
{
	if (n > out->cap - out->len)
		grow(out, n);
	if (n > 0)
		memcpy(out->data + out->len, bytes, n);
	out->len += n;
}

static void
before_value(struct json_out *out)
{
	if (out->comma)
		add_byte(out, ',');
	out->comma = true;
}

void
json_out_open(struct json_out *out, char bracket)
{
	before_value(out);
	add_byte(out, bracket);
	out->comma = false;
}

void
json_out_close(struct json_out *out, char bracket)
{
	add_byte(out, bracket);
	out->comma = true;
}

/* Text between quotes; runs of harmless bytes go in one piece. */
static void
quoted(struct json_out *out, struct str value)
{
	static const char hex[] = "0123456789abcdef";
	size_t from = 0;

	add_byte(out, '"');
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		add(out, value.data + from, i - from);
		from = i + 1;
		add_byte(out, '\\');
		if (c >= 0x20) {
			add_byte(out, (char)c);
		} else {
			add(out, "u00", 3);
			add_byte(out, hex[c >> 4]);
			add_byte(out, hex[c & 15]);
		}
	}
	add(out, value.data + from, value.len - from);
	add_byte(out, '"');
}

void
json_out_key_str(struct json_out *out, struct str key)
{
	before_value(out);
	quoted(out, key);
	add_byte(out, ':');
	out->comma = false;
}

void
json_out_key(struct json_out *out, const char *key)
{
	before_value(out);
	add_byte(out, '"');
	add(out, key, strlen(key));	/* ours: nothing to escape */
	add(out, "\":", 2);
	out->comma = false;
}

void
json_out_str(struct json_out *out, struct str text)
{
	before_value(out);
	quoted(out, text);
}

void
json_out_begin_str(struct json_out *out)
{
	before_value(out);
	add_byte(out, '"');
}

void
json_out_piece(struct json_out *out, struct str text)
{
	add(out, text.data, text.len);
}

void
json_out_end_str(struct json_out *out)
{
	add_byte(out, '"');
}

void
json_out_null(struct json_out *out)
{
	before_value(out);
	add(out, "null", 4);
}

void
json_out_bool(struct json_out *out, bool value)
{
	before_value(out);
	add(out, value ? "true" : "false", value ? 4 : 5);
}

/* The digits of value, at least `width` of them. */
static void
decimal(struct json_out *out, uint64_t value, int width)
{
	char digits[24];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
		width--;
	} while (value != 0 || width > 0);
	add(out, digits + at, sizeof digits - at);
}

void
json_out_int(struct json_out *out, int64_t value)
{
	before_value(out);
	if (value < 0)
		add_byte(out, '-');
	decimal(out, value < 0 ? 0 - (uint64_t)value
	    : (uint64_t)value, 1);
}

void
json_out_usd(struct json_out *out, int64_t microusd)
{
	uint64_t amount = microusd < 0 ? 0 - (uint64_t)microusd
	    : (uint64_t)microusd;
	uint64_t fraction = amount % 1000000;
	int width = 6;

	before_value(out);
	if (microusd < 0)
		add_byte(out, '-');
	decimal(out, amount / 1000000, 1);
	if (fraction == 0)
		return;
	for (; fraction % 10 == 0; width--)
		fraction /= 10;
	add_byte(out, '.');
	decimal(out, fraction, width);
}

void
json_out_member(struct json_out *out, const char *key, struct str text)
{
	json_out_key(out, key);
	json_out_str(out, text);
}

void
json_out_member_or_null(struct json_out *out, const char *key,
    struct str text)
{
	json_out_key(out, key);
	if (text.len == 0)
		json_out_null(out);
	else
		json_out_str(out, text);
}

void
json_out_member_c(struct json_out *out, const char *key, const char *text)
{
	json_out_member(out, key, str_from(text));
}

void
json_out_member_int(struct json_out *out, const char *key, int64_t value)
{
	json_out_key(out, key);
	json_out_int(out, value);
}

void
json_out_member_bool(struct json_out *out, const char *key, bool value)
{
	json_out_key(out, key);
	json_out_bool(out, value);
}

void
json_out_member_usd(struct json_out *out, const char *key, int64_t microusd)
{
	json_out_key(out, key);
	json_out_usd(out, microusd);
}

struct str
json_out_take(struct json_out *out, struct arena *arena)
{
	struct str text = arena_str(arena,
	    (struct str){ out->data, out->len });

	free(out->data);
	*out = (struct json_out){0};
	return text;
}
