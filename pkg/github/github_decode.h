/*
 * github_decode.h - from HTTP to a github_answer; private to pkg/github.
 *
 * Strict about what we use, blind to what we don't: an unknown member never
 * matters, a known one of the wrong type makes the whole answer malformed.
 * Words of the service that we do not know (a new status of runners, a new
 * system) are no failure.
 */
#ifndef GITHUB_GITHUB_DECODE_H
#define GITHUB_GITHUB_DECODE_H

#include "base/github.h"
#include "base/json.h"

/* struct github's decode(). */
void github_decode(struct arena *arena, const struct github_request *request,
    const struct http_answer *http, int64_t wall_ms,
    struct github_answer *out);

/* The packages for Linux on x64 (github_packages.c); failures go to the
 * reader. */
void github_decode_packages(struct json_reader *reader,
    struct json_value root, struct github_answer *out);

#endif
