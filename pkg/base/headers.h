/*
 * headers.h - values of HTTP header fields, from servers that may lie.
 *
 * Pure.  What is not sane reads as "not there", never as a number that
 * somebody would wait for.
 */
#ifndef BASE_HEADERS_H
#define BASE_HEADERS_H

#include "base/str.h"

/* Digits and nothing else; a number too large to hold is INT64_MAX. */
bool headers_digits(struct str text, int64_t *out);

/* "Sun, 06 Nov 1994 08:49:37 GMT", in milliseconds since 1970. */
bool headers_date(struct str text, int64_t *wall_ms);

/*
 * Milliseconds to wait by a Retry-After header: seconds, or a date that is
 * compared with the answer's own Date header (and with wall_ms where that
 * is missing).  Within 0..300,000; whatever is not sane is 0.
 */
int64_t headers_retry_after(struct str header, struct str date,
    int64_t wall_ms);

#endif
