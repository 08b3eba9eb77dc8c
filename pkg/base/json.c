/* json.c - the scanner; see json.h */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"

enum { BYTES_DEFAULT = 256 * 1024, DEPTH_DEFAULT = 32 };

/*
 * One pass over the text.  While a container is open, the `next` of its node
 * holds the container around it (index plus one), so the nodes themselves
 * are the stack.
 */
struct scan {
	struct arena *arena;
	const char *text, *at, *end;
	struct json_node *nodes;	/* on the heap while it grows */
	uint32_t n, cap;
	uint32_t open;			/* innermost container plus one, or 0 */
	unsigned depth, depth_max;
	struct json_keys keys;
	struct json_error error;
};

static bool
scan_fail(struct scan *scan, const char *at, const char *reason)
{
	scan->error = (struct json_error){ (size_t)(at - scan->text), reason };
	return false;
}

static bool
fail_end(struct scan *scan)
{
	return scan_fail(scan, scan->end, "unexpected end");
}

static void
skip_space(struct scan *scan)
{
	const char *at = scan->at;
	while (at < scan->end &&
	    (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
		at++;
	scan->at = at;
}

static struct json_node *
add_node(struct scan *scan, enum json_type type, const char *start,
    const char *end)
{
	if (scan->n == scan->cap) {
		scan->cap = scan->cap > 0 ? scan->cap * 2 : 64;
		scan->nodes = heap_array(scan->nodes, scan->cap,
		    sizeof *scan->nodes);
	}
	struct json_node *node = &scan->nodes[scan->n++];
	node->start = (uint32_t)(start - scan->text);
	node->len = (uint32_t)(end - start);
	node->link = (uint32_t)type | scan->n << JSON_LINK_SHIFT;
	return node;
}

/* ----------------------------------------------------------- strings ---- */

#define EACH_BYTE(byte) ((uint64_t)0x0101010101010101 * (byte))

/* Is any of eight bytes a quote, a backslash, a control or not ASCII? */
static bool
has_special(uint64_t bytes)
{
	uint64_t quote = bytes ^ EACH_BYTE('"');
	uint64_t slash = bytes ^ EACH_BYTE('\\');
	uint64_t found = bytes | ((bytes - EACH_BYTE(0x20)) & ~bytes) |
	    ((quote - EACH_BYTE(1)) & ~quote) |
	    ((slash - EACH_BYTE(1)) & ~slash);
	return (found & EACH_BYTE(0x80)) != 0;
}

static const char *
skip_plain(const char *at, const char *end)
{
	uint64_t bytes;
	while (end - at >= 8 && (memcpy(&bytes, at, 8), !has_special(bytes)))
		at += 8;
	while (at < end && (unsigned char)*at >= 0x20 &&
	    (unsigned char)*at < 0x80 && *at != '"' && *at != '\\')
		at++;
	return at;
}

/* The four digits after `\u`, or -1. */
static int32_t
hex4(const char *at, const char *end)
{
	int32_t code = 0;
	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);
		if (digit < 0)
			return -1;
		code = code << 4 | digit;
	}
	return code;
}

static bool
is_low_surrogate(int32_t code)
{
	return code >= 0xdc00 && code <= 0xdfff;
}

/* A `\u` escape; at is its backslash. */
static bool
scan_unicode(struct scan *scan, const char *at)
{
	int32_t code = hex4(at + 2, scan->end);
	size_t len = 6;

	if (code < 0)
		return scan_fail(scan, at, "four hex digits expected");
	if (code == 0)
		return scan_fail(scan, at, "NUL in a string");
	if (is_low_surrogate(code))
		return scan_fail(scan, at, "lone surrogate");
	if (code >= 0xd800 && code <= 0xdbff) {
		if (scan->end - at < 12 || at[6] != '\\' || at[7] != 'u' ||
		    !is_low_surrogate(hex4(at + 8, scan->end)))
			return scan_fail(scan, at, "lone surrogate");
		len = 12;
	}
	scan->at = at + len;
	return true;
}

static bool
scan_escape(struct scan *scan, const char *at)
{
	if (scan->end - at < 2)
		return fail_end(scan);
	if (at[1] == 'u')
		return scan_unicode(scan, at);
	if (memchr("\"\\/bfnrt", at[1], 8) == NULL)
		return scan_fail(scan, at, "unknown escape");
	scan->at = at + 2;
	return true;
}

static bool
scan_string(struct scan *scan)
{
	const char *start = scan->at + 1;
	uint32_t escaped = 0, code;

	for (scan->at = start;;) {
		const char *at = skip_plain(scan->at, scan->end);
		if (at == scan->end)
			return fail_end(scan);
		if (*at == '"') {
			add_node(scan, JSON_STRING, start, at)->link |= escaped;
			scan->at = at + 1;
			return true;
		}
		if (*at == '\\') {
			if (!scan_escape(scan, at))
				return false;
			escaped = JSON_ESCAPED;
			continue;
		}
		if ((unsigned char)*at < 0x20)
			return scan_fail(scan, at,
			    *at == '\0' ? "NUL in a string"
					: "control character in a string");
		size_t len = utf8_decode(
		    (struct str){ at, (size_t)(scan->end - at) }, &code);
		if (len == 0)
			return scan_fail(scan, at, "not UTF-8");
		scan->at = at + len;
	}
}

/* ----------------------------------------------------------- scalars ---- */

static bool
at_digit(const struct scan *scan)
{
	return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

static bool
need_digits(struct scan *scan)
{
	if (scan->at == scan->end)
		return fail_end(scan);
	if (!at_digit(scan))
		return scan_fail(scan, scan->at, "digit expected");
	while (at_digit(scan))
		scan->at++;
	return true;
}

static bool
scan_number(struct scan *scan)
{
	const char *start = scan->at;

	if (*scan->at == '-')
		scan->at++;
	const char *first = scan->at;
	if (!need_digits(scan))
		return false;
	if (*first == '0' && scan->at - first > 1)
		return scan_fail(scan, first, "leading zero");
	if (scan->at < scan->end && *scan->at == '.') {
		scan->at++;
		if (!need_digits(scan))
			return false;
	}
	if (scan->at < scan->end && (*scan->at | 0x20) == 'e') {
		scan->at++;
		if (scan->at < scan->end &&
		    (*scan->at == '+' || *scan->at == '-'))
			scan->at++;
		if (!need_digits(scan))
			return false;
	}
	add_node(scan, JSON_NUMBER, start, scan->at);
	return true;
}

static bool
scan_word(struct scan *scan)
{
	static const struct {
		struct str word;
		enum json_type type;
	} words[] = {
		{ STR_INIT("null"), JSON_NULL },
		{ STR_INIT("true"), JSON_TRUE },
		{ STR_INIT("false"), JSON_FALSE },
	};
	struct str rest = { scan->at, (size_t)(scan->end - scan->at) };

	for (size_t i = 0; i < COUNTOF(words); i++) {
		if (!str_starts(rest, words[i].word))
			continue;
		scan->at += words[i].word.len;
		add_node(scan, words[i].type, rest.data, scan->at);
		return true;
	}
	/* A word that the end cut is a cut text, not a wrong one. */
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (str_starts(words[i].word, rest))
			return fail_end(scan);
	return scan_fail(scan, scan->at, "value expected");
}

static bool
scan_scalar(struct scan *scan)
{
	char first = *scan->at;
	if (first == '"')
		return scan_string(scan);
	if (first == '-' || (first >= '0' && first <= '9'))
		return scan_number(scan);
	return scan_word(scan);
}

/* -------------------------------------------------------- containers ---- */

static bool
in_object(const struct scan *scan)
{
	return node_type(&scan->nodes[scan->open - 1]) == JSON_OBJECT;
}

/* A key and its colon. */
static bool
scan_key(struct scan *scan)
{
	skip_space(scan);
	if (scan->at == scan->end)
		return fail_end(scan);
	if (*scan->at != '"')
		return scan_fail(scan, scan->at, "key expected");
	if (!scan_string(scan))
		return false;
	skip_space(scan);
	if (scan->at == scan->end)
		return fail_end(scan);
	if (*scan->at != ':')
		return scan_fail(scan, scan->at, "colon expected");
	scan->at++;
	return true;
}

static bool
open_container(struct scan *scan)
{
	bool object = *scan->at == '{';
	if (scan->depth == scan->depth_max)
		return scan_fail(scan, scan->at, "nested too deeply");
	uint32_t type = object ? JSON_OBJECT : JSON_ARRAY;
	struct json_node *node = add_node(scan, (enum json_type)type, scan->at,
	    scan->at);
	node->link = type | scan->open << JSON_LINK_SHIFT;
	scan->open = scan->n;
	scan->depth++;
	scan->at++;
	return true;
}

/* Close the innermost container at its bracket. */
static bool
close_container(struct scan *scan)
{
	uint32_t index = scan->open - 1;
	struct json_node *node = &scan->nodes[index];

	if (node_type(node) == JSON_OBJECT) {
		uint32_t twin = json_keys_check(&scan->keys, scan->arena,
		    scan->text, scan->nodes, index, scan->n);
		if (twin != 0)
			return scan_fail(scan,
			    scan->text + scan->nodes[twin].start - 1,
			    "duplicate key");
	}
	scan->open = node_next(node);
	scan->depth--;
	scan->at++;
	node->len = (uint32_t)(scan->at - scan->text) - node->start;
	node->link = (node->link & 7) | scan->n << JSON_LINK_SHIFT;
	return true;
}

static bool
at_closer(const struct scan *scan)
{
	return *scan->at == (in_object(scan) ? '}' : ']');
}

/* A value, or the beginning of one: *inside tells that another value must
 * follow, the first of a container that was opened. */
static bool
scan_begin(struct scan *scan, bool *inside)
{
	*inside = false;
	skip_space(scan);
	if (scan->at == scan->end)
		return fail_end(scan);
	if (*scan->at != '{' && *scan->at != '[')
		return scan_scalar(scan);
	if (!open_container(scan))
		return false;
	skip_space(scan);
	if (scan->at == scan->end)
		return fail_end(scan);
	if (at_closer(scan))
		return close_container(scan);
	*inside = true;
	return !in_object(scan) || scan_key(scan);
}

/* What may follow a value: brackets that close, and a comma if the container
 * goes on. */
static bool
scan_end(struct scan *scan)
{
	while (scan->open != 0) {
		skip_space(scan);
		if (scan->at == scan->end)
			return fail_end(scan);
		if (*scan->at == ',') {
			scan->at++;
			return !in_object(scan) || scan_key(scan);
		}
		if (!at_closer(scan))
			return scan_fail(scan, scan->at, in_object(scan)
				? "comma or } expected"
				: "comma or ] expected");
		if (!close_container(scan))
			return false;
	}
	return true;
}

static bool
scan_document(struct scan *scan)
{
	bool inside;

	if (scan->end - scan->at >= 3 &&
	    memcmp(scan->at, "\xef\xbb\xbf", 3) == 0)
		return scan_fail(scan, scan->at, "byte order mark");
	do {
		if (!scan_begin(scan, &inside))
			return false;
		if (!inside && !scan_end(scan))
			return false;
	} while (scan->open != 0);
	skip_space(scan);
	if (scan->at != scan->end)
		return scan_fail(scan, scan->at, "text after the document");
	return true;
}

bool
json_parse(struct arena *arena, struct str text, struct json_limits limits,
    struct json *doc, struct json_error *error)
{
	size_t bytes_max = limits.bytes != 0 ? limits.bytes : BYTES_DEFAULT;
	struct scan scan = {
		.arena = arena,
		.text = text.data != NULL ? text.data : "",
		.depth_max = limits.depth != 0 ? limits.depth : DEPTH_DEFAULT,
	};
	bool ok = false;

	*doc = (struct json){0};
	scan.at = scan.text;
	scan.end = scan.text + text.len;
	if (bytes_max > JSON_TEXT_MAX)
		bytes_max = JSON_TEXT_MAX;
	if (text.len > bytes_max) {
		scan_fail(&scan, scan.text + bytes_max, "too large");
		goto out;
	}
	if (!scan_document(&scan))
		goto out;
	doc->text = text;
	doc->n = scan.n;
	/* The tape may be as big as the text: it moves without a copy. */
	doc->nodes = heap_array(scan.nodes, scan.n, sizeof *doc->nodes);
	arena_take(arena, doc->nodes);
	scan.nodes = NULL;
	ok = true;
out:
	json_keys_release(&scan.keys);
	free(scan.nodes);
	if (!ok && error != NULL)
		*error = scan.error;
	return ok;
}

/* -------------------------------------------------------- unescaping ---- */

static size_t
decode_unicode(struct str raw, char out[4], size_t *used)
{
	const char *end = raw.data + raw.len;
	uint32_t code = (uint32_t)hex4(raw.data + 2, end);

	*used = 6;
	if (code >= 0xd800 && code <= 0xdbff) {
		uint32_t low = (uint32_t)hex4(raw.data + 8, end);
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		*used = 12;
	}
	return utf8_encode(code, out);
}

size_t
json_decode_one(struct str raw, char out[4], size_t *used)
{
	static const char meant[] = {
		['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r',
		['t'] = '\t', ['"'] = '"', ['\\'] = '\\', ['/'] = '/',
	};

	if (raw.data[0] != '\\') {
		out[0] = raw.data[0];
		*used = 1;
		return 1;
	}
	if (raw.data[1] == 'u')
		return decode_unicode(raw, out, used);
	out[0] = meant[(unsigned char)raw.data[1]];
	*used = 2;
	return 1;
}

struct str
json_unescape(struct arena *arena, struct str raw)
{
	/* No escape is shorter than what it stands for. */
	char *text = arena_alloc(arena, raw.len + 1);
	size_t len = 0;

	while (raw.len > 0) {
		char piece[4];
		size_t used, n = json_decode_one(raw, piece, &used);
		memcpy(text + len, piece, n);
		len += n;
		raw = str_sub(raw, used, raw.len);
	}
	return (struct str){ text, len };
}
