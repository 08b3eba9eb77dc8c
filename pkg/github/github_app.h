/*
 * github_app.h - the tokens of a GitHub App; private to pkg/github.
 *
 * An App proves itself by a signed JWT, finds its installation on the
 * repository or organization of a request, and gets a token for that alone,
 * with the one permission that runners need.  A token lives an hour; it is
 * renewed five minutes before, by a clock that also runs while the machine
 * sleeps, and once more when the service refuses it.
 *
 * This knows which request has to be made next and reads its answer; it
 * sends nothing itself.
 */
#ifndef GITHUB_GITHUB_APP_H
#define GITHUB_GITHUB_APP_H

#include "base/secret.h"
#include "base/seams.h"

struct github_app;

/* issuer: client id or app id.  NULL with *why when the key is none. */
struct github_app *github_app_new(struct str issuer, struct str pem,
    const char **why);
void github_app_free(struct github_app *app);	/* NULL is harmless */

/*
 * The number of the place that a path lies in ("/repos/acme/model/..." or
 * "/orgs/acme/..."), or -1 where it does not say, or there are too many.
 */
int github_app_place(struct github_app *app, struct str path);
/* The one place there is, or -1. */
int github_app_only_place(const struct github_app *app);

/* The token for a place; absent if it has none now. */
struct str github_app_token(const struct github_app *app, int place,
    int64_t boot_ms);
/* The service refused it: get another one. */
void github_app_refused(struct github_app *app, int place);

/*
 * The next request on the way to a token; texts are in the arena.  False
 * while one is out, or when it cannot be made (then the place has failed).
 */
bool github_app_ask(struct github_app *app, int place, struct arena *arena,
    int64_t wall_ms, struct http_request *request);
/* What came of it. */
void github_app_answer(struct github_app *app, int place,
    const struct http_answer *answer, int64_t wall_ms, int64_t boot_ms);
/* It was not sent, or is to be sent again later. */
void github_app_again(struct github_app *app, int place);

/*
 * Why a place has no token: a status as the API has them (401, 403; 0: no
 * connection) with words, taken once: the next request tries anew.  False if
 * it has not failed.
 */
bool github_app_failure(struct github_app *app, int place,
    struct arena *arena, int *status, struct str *words);

#endif
