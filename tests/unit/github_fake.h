/*
 * github_fake.h - a world over which pkg/github asks, for its tests.
 *
 * It answers by script, and its clock moves only while somebody waits.
 */
#ifndef TESTS_GITHUB_FAKE_H
#define TESTS_GITHUB_FAKE_H

#include "base/strbuf.h"
#include "github/github_world.h"

#define assert_str(actual, expected) do { \
	struct str a_ = (actual); \
	struct arena c_ = {0}; \
	assert_string_equal(arena_cstr(&c_, a_), expected); \
	arena_release(&c_); \
} while (0)

enum { SENT = 64 };

struct sent {
	uint64_t token;
	struct http_request request;
	int64_t at_ms;
	bool done;
};

struct fake {
	struct arena arena;
	struct world inner;
	struct github_world *gh;
	struct world *world;
	int64_t mono_ms, slept_ms, wall_ms;
	struct sent sent[SENT];
	size_t n;
	struct http_answer (*script)(struct fake *fake,
	    const struct http_request *request, size_t i);
	struct github_credential credential;
	int asked;
};

#define WALL INT64_C(1795262400000)	/* 2026-11-21T12:00:00Z */

int64_t fake_github_wall(void *ctx);
void fake_github_open(struct fake *fake, int64_t spacing_ms,
    struct http_answer (*script)(struct fake *fake,
    const struct http_request *request, size_t i));
void fake_github_token(struct fake *fake, int64_t spacing_ms,
    struct http_answer (*script)(struct fake *fake,
    const struct http_request *request, size_t i));
void fake_github_close(struct fake *fake);
void fake_github_start(struct fake *fake, uint64_t token,
    enum http_method method, const char *path);
struct world_event fake_github_await(struct fake *fake);
struct http_answer fake_github_ask(struct fake *fake, enum http_method method,
    const char *path);
struct http_answer fake_github_says(int status, const char *body);
struct http_answer fake_github_good(struct fake *fake,
    const struct http_request *request, size_t i);

#define RUNNERS "/repos/acme/model/actions/runners"

#endif
