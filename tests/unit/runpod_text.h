/*
 * runpod_text.h - requests and answers of RunPod, for the tests of
 * pkg/cloud/runpod.
 */
#ifndef TESTS_RUNPOD_TEXT_H
#define TESTS_RUNPOD_TEXT_H

#include "base/arena.h"
#include "cloud/runpod/runpod.h"

#define assert_str(actual, expected) do { \
	struct str a_ = (actual); \
	struct arena c_ = {0}; \
	assert_string_equal(arena_cstr(&c_, a_), expected); \
	arena_release(&c_); \
} while (0)

struct http_request runpod_write(struct arena *arena,
    struct cloud_request request);
struct cloud_answer runpod_read(struct arena *arena, enum cloud_op op,
    int status, const char *body);

#define POD_REST "\"image\":\"i\",\"args\":\"\",\"disk\":50,\"mounts\":{}," \
	"\"ports\":[\"8188/http\",\"22/tcp\"],\"cloud\":\"SECURE\""
#define POD_TEXT(id) "{\"id\":\"" id "\",\"name\":\"n\"," \
	"\"status\":\"RUNNING\",\"env\":{},\"cost\":0.44," POD_REST "}"

#endif
