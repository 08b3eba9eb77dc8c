/* github_text.c - the texts of the hub: base64, versions, numbers. */
#include "model/github_state.h"

#include <json-c/json.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct str
hub_random_text(struct hub *hub, size_t n, const char *letters)
{
	struct str all = str_from(letters);
	char *text = arena_alloc(&hub->arena, n + 1);

	for (size_t i = 0; i < n; i++)
		text[i] = all.data[model_random_below(&hub->rng, all.len)];
	return (struct str){ text, n };
}

struct str
hub_base64(struct arena *arena, struct str bytes)
{
	char *out = arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1);
	size_t n = 0;

	for (size_t i = 0; i < bytes.len; i += 3) {
		uint32_t group = 0;
		size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
		for (size_t k = 0; k < 3; k++)
			group = group << 8 | (k < have
			    ? (unsigned char)bytes.data[i + k] : 0u);
		for (size_t k = 0; k < 4; k++)
			out[n++] = k <= have
			    ? alphabet[group >> (18 - 6 * k) & 63] : '=';
	}
	return (struct str){ out, n };
}

static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

bool
hub_base64_read(struct arena *arena, struct str text, struct str *out)
{
	char *bytes = arena_alloc(arena, text.len + 1);
	uint32_t group = 0;
	size_t n = 0, bits = 0;

	while (text.len > 0 && text.data[text.len - 1] == '=')
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		int value = digit(text.data[i]);
		if (value < 0)
			return false;
		group = group << 6 | (uint32_t)value;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			bytes[n++] = (char)(group >> bits & 255);
		}
	}
	*out = (struct str){ bytes, n };
	return true;
}

struct str
hub_unpercent(struct arena *arena, struct str text)
{
	char *out = arena_alloc(arena, text.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		int high = text.data[i] == '%' && i + 2 < text.len
		    ? hex_digit(text.data[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;
		if (low >= 0)
			i += 2;
		out[n++] = (char)(low >= 0 ? high << 4 | low : text.data[i]);
	}
	return (struct str){ out, n };
}

bool
hub_number(struct str text, int64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9' || i > 17)
			return false;
		*out = *out * 10 + (text.data[i] - '0');
	}
	return text.len > 0;
}

int
hub_version_cmp(struct str a, struct str b)
{
	while (a.len > 0 || b.len > 0) {
		int64_t x = 0, y = 0;
		hub_number(str_cut(a, '.', &a), &x);
		hub_number(str_cut(b, '.', &b), &y);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

struct json_object *
hub_parse(struct str text)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *value;

	if (tokener == NULL)
		fail_out_of_memory();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	value = json_tokener_parse_ex(tokener, text.data, (int)text.len);
	json_tokener_free(tokener);
	return value;
}
