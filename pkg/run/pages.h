/*
 * pages.h - inside pkg/run: a listing that comes in pages.
 *
 * A listing counts only when all of its pages came.  The earlier ones are
 * kept in an arena of the caller's, which must outlive the turns of the loop
 * that brought them.
 */
#ifndef RUN_PAGES_H
#define RUN_PAGES_H

#include "base/cloud.h"
#include "base/github.h"

struct pages {			/* start with { .arena = ... } */
	struct arena *arena;
	VEC_OF(struct cloud_pod) pods;
	VEC_OF(struct cloud_volume) volumes;
	struct str cursor;		/* of the page to be asked for next */
	size_t n, bytes;
};

/*
 * Decode one page of request's listing (or the answer to any other request)
 * into answer.  True: it is complete; answer then holds all pages, in
 * arena and in that of pages.  False: ask again with pages->cursor.  Pages
 * without an end, a cursor that comes back and a pod on two pages make the
 * answer malformed, and the next try begins with the first page.
 */
bool pages_take(struct pages *pages, const struct cloud *cloud,
    struct arena *arena, const struct cloud_request *request,
    const struct http_answer *http, int64_t wall_ms,
    struct cloud_answer *answer);

/* The same for the runners of a scope. */
struct runner_pages {		/* start with { .arena = ... } */
	struct arena *arena;
	VEC_OF(struct github_runner) runners;
	struct str cursor;
	size_t n, bytes;
};

/* Take one page: true when *answer is complete (or failed), false when the
 * page at `cursor` has to be asked for. */
bool runner_pages_take(struct runner_pages *pages,
    const struct github *github, struct arena *arena,
    const struct github_request *request, const struct http_answer *http,
    int64_t wall_ms, struct github_answer *answer);

#endif
