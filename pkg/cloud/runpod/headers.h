/* headers.h - values of HTTP header fields; private to this folder. */
#ifndef CLOUD_RUNPOD_HEADERS_H
#define CLOUD_RUNPOD_HEADERS_H

#include "base/str.h"

/* Digits and nothing else; a number too large to hold is INT64_MAX. */
bool headers_digits(struct str text, int64_t *out);

/* "Sun, 06 Nov 1994 08:49:37 GMT", in milliseconds since 1970. */
bool headers_date(struct str text, int64_t *wall_ms);

#endif
