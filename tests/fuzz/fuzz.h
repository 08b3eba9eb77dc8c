/*
 * fuzz.h - what the fuzz targets share.
 *
 * A target is one fuzz_NAME.c with LLVMFuzzerTestOneInput().  It takes bytes,
 * leaves nothing behind, and asserts what must hold of every input: that
 * nothing crashes is the least of it.  Static functions only, since each
 * target is a program of its own.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a supply of choices; when it is used up all are zero. */
struct fuzz {
	const uint8_t *data;
	size_t left;
};

static inline uint8_t
fuzz_byte(struct fuzz *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->data++;
}

/* 0 .. n-1, for n of at most 65536 */
static inline size_t
fuzz_below(struct fuzz *in, size_t n)
{
	size_t number = fuzz_byte(in);
	if (n > 256)
		number = number << 8 | fuzz_byte(in);
	return n > 0 ? number % n : 0;
}

static inline int64_t
fuzz_number(struct fuzz *in)
{
	uint64_t number = 0;
	for (int i = 0; i < 8; i++)
		number = number << 8 | fuzz_byte(in);
	return (int64_t)number;
}

/* Up to max bytes of it, as they are: a length (a byte), then the bytes. */
static inline struct str
fuzz_str(struct fuzz *in, size_t max)
{
	size_t n = fuzz_byte(in);
	if (n > max)
		n = max;
	if (n > in->left)
		n = in->left;
	struct str text = { (const char *)in->data, n };
	in->data += n;
	in->left -= n;
	return text;
}

/* All that is left. */
static inline struct str
fuzz_rest(struct fuzz *in)
{
	struct str text = { (const char *)in->data, in->left };
	in->data += in->left;
	in->left = 0;
	return text;
}

/*
 * What is left up to the first 0xff, which no UTF-8 has: so that inputs of
 * several texts keep a shape that people can read.
 */
static inline struct str
fuzz_part(struct fuzz *in)
{
	const uint8_t *end = in->left > 0 ? memchr(in->data, 0xff, in->left)
					  : NULL;
	struct str text = fuzz_rest(in);
	if (end != NULL) {
		size_t n = (size_t)(end - (const uint8_t *)text.data);
		in->data = end + 1;
		in->left = text.len - n - 1;
		text.len = n;
	}
	return text;
}

/*
 * May a terminal be given this?  No control but newline where `lines`, no
 * DEL, C1, line separator or bidirectional control, and UTF-8 throughout.
 * Written by the rule, not by the code that is tested.
 */
static inline void
fuzz_assert_shown(struct str text, bool lines)
{
	for (size_t i = 0, n; i < text.len; i += n) {
		uint32_t code = 0;
		n = utf8_decode(str_sub(text, i, text.len), &code);
		assert(n > 0);
		if (code == '\n' && lines)
			continue;
		assert(code >= 0x20 && (code < 0x7f || code > 0x9f));
		assert(code < 0x200e || code > 0x200f);
		assert(code < 0x2028 || code > 0x202e);
		assert(code < 0x2066 || code > 0x2069);
		assert(code != 0x061c);
	}
}

#endif
