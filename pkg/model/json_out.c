/* json_out.c - see json_out.h */
#include "model/json_out.h"

#include <string.h>

static void
before_value(struct json_out *out)
{
	if (out->comma)
		strbuf_addc(&out->text, ',');
	out->comma = true;
}

void
json_out_open(struct json_out *out, char bracket)
{
	before_value(out);
	strbuf_addc(&out->text, bracket);
	out->comma = false;
}

void
json_out_close(struct json_out *out, char bracket)
{
	strbuf_addc(&out->text, bracket);
	out->comma = true;
}

/* Text between quotes; runs of harmless bytes go in one piece. */
static void
quoted(struct strbuf *text, struct str value)
{
	size_t from = 0;

	strbuf_addc(text, '"');
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		strbuf_add(text, str_sub(value, from, i - from));
		from = i + 1;
		if (c == '"' || c == '\\') {
			strbuf_addc(text, '\\');
			strbuf_addc(text, (char)c);
		} else {
			strbuf_addf(text, "\\u%04x", (unsigned)c);
		}
	}
	strbuf_add(text, str_sub(value, from, value.len - from));
	strbuf_addc(text, '"');
}

void
json_out_key_str(struct json_out *out, struct str key)
{
	before_value(out);
	quoted(&out->text, key);
	strbuf_addc(&out->text, ':');
	out->comma = false;
}

void
json_out_key(struct json_out *out, const char *key)
{
	json_out_key_str(out, str_from(key));
}

void
json_out_str(struct json_out *out, struct str text)
{
	before_value(out);
	quoted(&out->text, text);
}

void
json_out_null(struct json_out *out)
{
	before_value(out);
	strbuf_adds(&out->text, "null");
}

void
json_out_bool(struct json_out *out, bool value)
{
	before_value(out);
	strbuf_adds(&out->text, value ? "true" : "false");
}

/* The digits of value, at least `width` of them. */
static void
decimal(struct strbuf *text, uint64_t value, int width)
{
	char digits[24];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
		width--;
	} while (value != 0 || width > 0);
	strbuf_add(text, (struct str){ digits + at, sizeof digits - at });
}

void
json_out_int(struct json_out *out, int64_t value)
{
	before_value(out);
	if (value < 0)
		strbuf_addc(&out->text, '-');
	decimal(&out->text, value < 0 ? 0 - (uint64_t)value
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
		strbuf_addc(&out->text, '-');
	decimal(&out->text, amount / 1000000, 1);
	if (fraction == 0)
		return;
	for (; fraction % 10 == 0; width--)
		fraction /= 10;
	strbuf_addc(&out->text, '.');
	decimal(&out->text, fraction, width);
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
	struct str text = arena_str(arena, strbuf_str(&out->text));

	strbuf_release(&out->text);
	*out = (struct json_out){0};
	return text;
}
