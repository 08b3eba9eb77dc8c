/* strbuf.c - see strbuf.h */
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

void
strbuf_release(struct strbuf *buf)
{
	free(buf->data);
	*buf = (struct strbuf){0};
}

void
strbuf_reset(struct strbuf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

/* Make room for n more bytes; returns how many of them may be added. */
static size_t
make_room(struct strbuf *buf, size_t n)
{
	size_t ceiling = buf->ceiling != 0 ? buf->ceiling : STRBUF_CEILING;

	if (buf->failed)
		return 0;
	if (n > ceiling - buf->len) {
		buf->failed = true;
		n = ceiling - buf->len;
	}
	size_t need = buf->len + n + 1;
	if (need > buf->cap) {
		size_t cap = buf->cap < 32 ? 64 : buf->cap * 2;
		if (cap < need)
			cap = need;
		buf->data = heap_array(buf->data, cap, 1);
		buf->cap = cap;
		buf->data[buf->len] = '\0';
	}
	return n;
}

void
strbuf_add(struct strbuf *buf, struct str text)
{
	size_t n = make_room(buf, text.len);
	if (n == 0)
		return;
	memcpy(buf->data + buf->len, text.data, n);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

void
strbuf_addc(struct strbuf *buf, char byte)
{
	strbuf_add(buf, (struct str){ &byte, 1 });
}

void
strbuf_adds(struct strbuf *buf, const char *text)
{
	strbuf_add(buf, str_from(text));
}

void
strbuf_addf(struct strbuf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	strbuf_vaddf(buf, format, args);
	va_end(args);
}

void
strbuf_vaddf(struct strbuf *buf, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int want = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (want <= 0)
		return;
	size_t n = make_room(buf, (size_t)want);
	if (n == 0)
		return;
	/* Writes n bytes and a NUL, also where the ceiling cuts the text. */
	vsnprintf(buf->data + buf->len, n + 1, format, args);
	buf->len += n;
}

void
strbuf_pad(struct strbuf *buf, size_t n, char byte)
{
	n = make_room(buf, n);
	if (n == 0)
		return;
	memset(buf->data + buf->len, byte, n);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

struct str
strbuf_str(const struct strbuf *buf)
{
	return buf->data != NULL ? (struct str){ buf->data, buf->len }
				 : STR("");
}

/* What a terminal may obey, or what reads otherwise than it is. */
static bool
is_unsafe(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f }, { 0x7f, 0x9f },
		{ 0x00ad, 0x00ad },	/* soft hyphen */
		{ 0x061c, 0x061c },	/* Arabic letter mark */
		{ 0x115f, 0x1160 },	/* Hangul letters without a shape */
		{ 0x180e, 0x180e },	/* Mongolian vowel separator */
		{ 0x200b, 0x200b },	/* zero width space */
		{ 0x200e, 0x200f },	/* direction marks */
		{ 0x2028, 0x202e },	/* line ends, embeddings, overrides */
		{ 0x2060, 0x206f },	/* isolates, invisible operators */
		{ 0x3164, 0x3164 },	/* Hangul filler */
		{ 0xfeff, 0xfeff },	/* byte order mark */
		{ 0xffa0, 0xffa0 },	/* the same, half as wide */
		{ 0xfff9, 0xfffb },	/* annotations */
		{ 0xe0000, 0xe0fff },	/* tags */
	};
	for (size_t i = 0; i < COUNTOF(ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

static void
add_unsafe(struct strbuf *buf, uint32_t code)
{
	if (code == '\n')
		strbuf_add(buf, STR("\\n"));
	else if (code == '\t')
		strbuf_add(buf, STR("\\t"));
	else if (code < 0x80)
		strbuf_addf(buf, "\\x%02x", code);
	else
		strbuf_addf(buf, "\\u{%04x}", code);
}

void
strbuf_add_escaped(struct strbuf *buf, struct str text)
{
	size_t kept = 0;	/* start of what can be added as it is */
	for (size_t at = 0; at < text.len;) {
		uint32_t code = 0;
		size_t len = utf8_decode(str_sub(text, at, 4), &code);
		if (len > 0 && !is_unsafe(code)) {
			at += len;
			continue;
		}
		strbuf_add(buf, str_sub(text, kept, at - kept));
		if (len == 0)
			strbuf_addf(buf, "\\x%02x",
			    (unsigned)(unsigned char)text.data[at]);
		else
			add_unsafe(buf, code);
		at += len > 0 ? len : 1;
		kept = at;
	}
	strbuf_add(buf, str_sub(text, kept, text.len));
}

static void
add_json_escape(struct strbuf *buf, unsigned char byte)
{
	static const char letters[0x20] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
		['\t'] = 't',
	};
	char letter = byte < 0x20 ? letters[byte] : (char)byte;
	if (letter != 0) {
		strbuf_addc(buf, '\\');
		strbuf_addc(buf, letter);
	} else {
		strbuf_addf(buf, "\\u%04x", (unsigned)byte);
	}
}

/* JSON may hold it as it is; a terminal that shows the JSON must not. */
static void
add_json_code(struct strbuf *buf, uint32_t code)
{
	if (code < 0x10000)
		strbuf_addf(buf, "\\u%04x", code);
	else
		strbuf_addf(buf, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10),
		    0xdc00 + (code & 0x3ff));
}

void
strbuf_add_json(struct strbuf *buf, struct str text)
{
	size_t kept = 0;
	strbuf_addc(buf, '"');
	for (size_t at = 0; at < text.len;) {
		unsigned char byte = (unsigned char)text.data[at];
		uint32_t code = byte;
		size_t len = byte < 0x80 ? 1
					 : utf8_decode(str_sub(text, at, 4),
					       &code);
		if (len > 0 && byte != '"' && byte != '\\' &&
		    !is_unsafe(code)) {
			at += len;
			continue;
		}
		strbuf_add(buf, str_sub(text, kept, at - kept));
		if (len == 0)
			strbuf_add(buf, STR("\xef\xbf\xbd"));
		else if (code < 0x7f)
			add_json_escape(buf, byte);
		else
			add_json_code(buf, code);
		at += len > 0 ? len : 1;
		kept = at;
	}
	strbuf_add(buf, str_sub(text, kept, text.len));
	strbuf_addc(buf, '"');
}
