/*
 * fuzz_headers.c - HTTP headers of servers that may lie: Retry-After, Date,
 * RateLimit, Link, x-ratelimit.
 *
 * Nobody ever waits longer than promised, counts below zero, or asks for a
 * next page that is no URL.
 */
#include "tests/fuzz/fuzz.h"

#include "base/headers.h"
#include "base/units.h"
#include "cloud/runpod/classify.h"
#include "github/github_classify.h"
#include "github/github_link.h"
#include "github/github_world.h"
#include "io/io_url.h"

static void
check_link(struct str header)
{
	struct str next;

	if (!github_link_next(header, &next) || next.data == NULL)
		return;
	assert(next.len > 0 && next.len <= 2048);
	assert(next.data >= header.data &&
	    next.data + next.len <= header.data + header.len);
	for (size_t i = 0; i < next.len; i++)
		assert(next.data[i] > ' ' && next.data[i] <= '~');
	assert(github_link_page(next) >= 0);
}

static void
check_urls(struct arena *arena, struct str a, struct str b)
{
	struct str to, host = io_url_host(a);

	/* Same origin is an equivalence, as far as two can tell. */
	assert(io_url_same_origin(a, b) == io_url_same_origin(b, a));
	if (io_url_same_origin(a, b))
		assert(io_url_same_origin(a, a) && io_url_same_origin(b, b));
	assert(github_world_same_origin(a, b) ==
	    github_world_same_origin(b, a));
	assert(host.len <= a.len);
	struct str shown = io_url_shown(arena, a);
	assert(shown.len <= a.len + STR("(secret)").len);
	/* Where a download goes on is a place where one may begin. */
	if (io_url_may_fetch(a) && io_url_redirect(arena, a, a, b, &to))
		assert(io_url_may_fetch(to) || to.len > 2048);
}

static void
check_limits(const struct http_answer *http, int64_t wall_ms)
{
	struct github_problem problem = { .proven = true,
		.message = http->reason };
	int64_t wait_ms, left, reset;
	enum github_limit limit = github_classify_limit(http, &problem,
	    wall_ms, &wait_ms);

	if (limit == GITHUB_LIMIT_NONE)
		assert(wait_ms == 0);
	else
		assert(wait_ms >= 1 && wait_ms <= HOUR_MS);
	left = github_classify_left(http->github_limit, &reset);
	assert(left >= -1 && reset >= 0);
	classify_rate_limit(http->ratelimit, &left, &reset);
	assert(left >= -1 && reset >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct fuzz in = { data, size };
	int64_t wall_ms = fuzz_byte(&in) % 4 == 0 ? 0 : 1795000000000;
	struct http_answer http = {
		.outcome = HTTP_ANSWERED,
		.status = fuzz_byte(&in) % 2 ? 403 : 429,
	};
	http.retry_after = fuzz_part(&in);
	http.date = fuzz_part(&in);
	http.github_limit = fuzz_part(&in);
	http.ratelimit = fuzz_part(&in);
	http.reason = fuzz_part(&in);
	http.link = fuzz_rest(&in);

	int64_t wait_ms = headers_retry_after(http.retry_after, http.date,
	    wall_ms);
	assert(wait_ms >= 0 && wait_ms <= 300000);
	int64_t date, again;
	if (headers_date(http.date, &date))
		assert(headers_retry_after(http.date, http.date, 0) == 0);
	if (headers_digits(http.retry_after, &again))
		assert(again >= 0);
	check_limits(&http, wall_ms);
	check_link(http.link);
	check_link(http.retry_after);
	check_urls(&arena, http.link, http.reason);
	arena_release(&arena);
	return 0;
}
