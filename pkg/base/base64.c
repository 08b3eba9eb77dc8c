/* base64.c - see base64.h */
#include "base/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char
letter(unsigned value, enum base64_form form)
{
	char c = alphabet[value & 63];
	if (form == BASE64_URL)
		return c == '+' ? '-' : c == '/' ? '_' : c;
	return c;
}

void
base64_encode(struct strbuf *out, struct str bytes, enum base64_form form)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t group = 0;
		for (size_t k = 0; k < 3; k++)
			group = group << 8 |
			    (k < n ? (unsigned char)bytes.data[i + k] : 0);
		for (size_t k = 0; k <= n; k++)
			strbuf_addc(out, letter(group >> (18 - 6 * k), form));
		if (form == BASE64_PADDED)
			strbuf_pad(out, 3 - n, '=');
	}
}

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
base64_decode(struct arena *arena, struct str text, struct str *out)
{
	size_t pad = 0, n = 0;
	uint32_t group = 0;

	if (text.len % 4 != 0)
		return false;
	while (pad < 2 && pad < text.len &&
	    text.data[text.len - 1 - pad] == '=')
		pad++;
	char *bytes = arena_alloc(arena, text.len / 4 * 3 + 1);
	for (size_t i = 0; i < text.len; i++) {
		int value = i >= text.len - pad ? 0 : value_of(text.data[i]);
		if (value < 0)
			return false;
		group = group << 6 | (uint32_t)value;
		if (i % 4 != 3)
			continue;
		bytes[n++] = (char)(group >> 16 & 0xff);
		bytes[n++] = (char)(group >> 8 & 0xff);
		bytes[n++] = (char)(group & 0xff);
		/* What padding stands for must be nothing. */
		if (i == text.len - 1 && pad > 0 &&
		    (group & ((1u << 8 * pad) - 1)) != 0)
			return false;
		group = 0;
	}
	*out = (struct str){ bytes, n - pad };
	return true;
}
