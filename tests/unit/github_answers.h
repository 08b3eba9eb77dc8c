/* github_answers.h - what tests of pkg/github decode, and how they compare. */
#ifndef TESTS_GITHUB_ANSWERS_H
#define TESTS_GITHUB_ANSWERS_H

#include "base/strbuf.h"
#include "github/github.h"

#define assert_str(actual, expected) do { \
	struct str a_ = (actual); \
	struct arena c_ = {0}; \
	assert_string_equal(arena_cstr(&c_, a_), expected); \
	arena_release(&c_); \
} while (0)

extern const struct github_scope model, acme;

#define RUNNER \
	"{\"id\":23,\"name\":\"pod-ab12\",\"os\":\"Linux\"," \
	"\"status\":\"online\",\"busy\":true,\"ephemeral\":true," \
	"\"runner_group_id\":1,\"version\":\"2.336.0\",\"labels\":[" \
	"{\"id\":5,\"name\":\"self-hosted\",\"type\":\"read-only\"}," \
	"{\"name\":\"gpu-h100\",\"type\":\"custom\"}]}"

/* Decoded at 2026-11-21T12:00:00Z; a request without a scope is of acme. */
struct github_answer decode_http(struct arena *arena,
    struct github_request request, struct http_answer http);
/* The answer to op about runner 23, `pod-ab12`, version 2.335.1. */
struct github_answer decode(struct arena *arena, enum github_op op,
    int status, const char *body);

#endif
