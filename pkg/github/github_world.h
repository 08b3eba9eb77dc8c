/*
 * github_world.h - a world whose requests to GitHub behave.
 *
 * Wraps the real world.  What goes to HOST_GITHUB gets its credential (a
 * token, or an App's, see github_app.h), waits while GitHub limits us, goes
 * one change at a time with a second between, follows redirects within the
 * service, and is asked conditionally where an answer is still known.  All
 * else passes through untouched.
 *
 * - A credential goes to the API's own scheme, host and port alone: a
 *   redirect or a next page elsewhere breaks the answer.
 * - Limited (403, 429): the answer is handed on, and everything to GitHub
 *   waits as long as it said.  A request whose own time is shorter than that
 *   is answered with a 429 of ours at once, so that the caller decides.
 * - Without a credential requests are answered 401, with words.
 * - A request that a token's end has refused is sent once more; that is no
 *   repetition, since a 401 has no effect.
 *
 * One thread; callbacks only from wait().
 */
#ifndef GITHUB_GITHUB_WORLD_H
#define GITHUB_GITHUB_WORLD_H

#include "base/secret.h"
#include "base/seams.h"

/* One of both, or neither: why_none says what is missing. */
struct github_credential {
	struct secret token;
	struct str app;			/* client id or app id */
	struct secret app_key;		/* PEM */
	struct str why_none;
};

struct github_world_config {
	struct world *inner;		/* borrowed */
	struct str api;			/* base URL, as inner has it */
	/*
	 * Asked by the first request and never again; what it gives is taken
	 * over.  Texts must outlive the world.
	 */
	void (*credential)(void *ctx, struct github_credential *out);
	void *ctx;
	int64_t spacing_ms;		/* between changes; -1: none; 0: 1 s */
};

struct github_world;
struct github_world *github_world_new(
    const struct github_world_config *config);
void github_world_free(struct github_world *gh);	/* NULL is harmless */

/*
 * The seam; valid until github_world_free().  What inner can do is looked up
 * by this call: a function that it lacks is missing here, too.
 */
struct world *github_world_seam(struct github_world *gh);

/* When the token will die, as the service has said it; absent: not said.
 * Borrowed until the next wait(). */
struct str github_world_token_ends(const struct github_world *gh);

/* Do both begin with the same scheme, host and port, as written? */
bool github_world_same_origin(struct str a, struct str b);

#endif
