/*
 * strbuf.h - text that grows, with a ceiling.
 *
 * Append freely and check `failed` once at the end: after the ceiling was
 * met nothing more is added.  The bytes are on the heap and are always
 * followed by a NUL.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/str.h"

struct strbuf {
	char *data;
	size_t len, cap;
	size_t ceiling;		/* bytes at most; 0 means STRBUF_CEILING */
	bool failed;		/* the ceiling was met: the text is cut */
};

#define STRBUF_CEILING ((size_t)256 << 20)

void strbuf_release(struct strbuf *buf);	/* back to the zero value */
void strbuf_reset(struct strbuf *buf);		/* empty, keeps the memory */
void strbuf_add(struct strbuf *buf, struct str text);
void strbuf_addc(struct strbuf *buf, char byte);
void strbuf_adds(struct strbuf *buf, const char *text);
void strbuf_addf(struct strbuf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *buf, const char *format, va_list args);
void strbuf_pad(struct strbuf *buf, size_t n, char byte);
struct str strbuf_str(const struct strbuf *buf);	/* borrows */

/*
 * Append text from outside (spec, API, pod) so that a terminal or log shows
 * it and never obeys it: C0, DEL, C1, U+2028/9, bidirectional controls and
 * bytes that are not UTF-8 become \xNN or \u{NNNN}; newline becomes \n and
 * tab \t.
 */
void strbuf_add_escaped(struct strbuf *buf, struct str text);

/* Append text as a JSON string, with quotes; bad UTF-8 becomes U+FFFD, and
 * what strbuf_add_escaped() would not show as it is becomes \uNNNN. */
void strbuf_add_json(struct strbuf *buf, struct str text);

#endif
