/*
 * github_classify.h - what an answer other than the expected one means.
 *
 * Private to pkg/github.  As with the cloud, "without effect" needs proof:
 * a refusal that GitHub wrote itself.  Its refusals share few statuses among
 * many meanings, so prose decides in places; it is matched by substring, as
 * seen from the live service.
 */
#ifndef GITHUB_GITHUB_CLASSIFY_H
#define GITHUB_GITHUB_CLASSIFY_H

#include "base/github.h"

/* What the service says about a refusal, read out of its body. */
struct github_problem {
	bool proven;		/* GitHub's own error document */
	struct str message;	/* its words with those of `errors` */
	struct str documentation;	/* its documentation_url */
};

struct github_problem github_classify_problem(struct arena *arena,
    struct str body, int status);

/*
 * Does a 403 or 429 come from a rate limit, and for how long is everything
 * to wait (1..3,600,000 ms; by the words of the service, not yet clamped to
 * what one request waits)?  In this order: Retry-After; no requests left in
 * the hour, until it ends; a secondary limit by its words, a minute.  What
 * remains of 403 is about permission.
 */
enum github_limit {
	GITHUB_LIMIT_NONE, GITHUB_LIMIT_TOLD, GITHUB_LIMIT_PRIMARY,
	GITHUB_LIMIT_SECONDARY,
};
enum github_limit github_classify_limit(const struct http_answer *http,
    const struct github_problem *problem, int64_t wall_ms, int64_t *wait_ms);

/* Requests left of the hour, -1 unknown; and when it ends, in epoch seconds
 * (0 unknown), from http_answer.github_limit. */
int64_t github_classify_left(struct str limit, int64_t *reset_s);

struct github_verdict {
	enum cloud_outcome outcome;
	enum cloud_reason reason;
};

/* The table, for a status that is not the one that means success and no
 * rate limit. */
struct github_verdict github_classify_status(enum github_op op, int status,
    const struct github_problem *problem);

#endif
