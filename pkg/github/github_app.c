/* github_app.c - see github_app.h */
#include "github/github_app.h"

#include <stdlib.h>

#include "base/headers.h"
#include "base/json.h"
#include "base/units.h"
#include "github/github_classify.h"
#include "github/github_jwt.h"

enum {
	PLACES = 64,
	TIMEOUT_MS = 30 * 1000,
	RENEW_MS = 5 * MINUTE_MS,	/* before the end */
	LIFE_MS = 55 * MINUTE_MS,	/* of a token that says no end */
	SKEW_MS = 20 * SECOND_MS,	/* clocks that differ by less agree */
	TOKEN_MAX = 4096,
};

struct place {
	struct strbuf path;		/* "/repos/acme/model", "/orgs/acme" */
	int64_t installation;		/* 0: to be found */
	struct secret token;
	int64_t renew_boot_ms;
	bool out;			/* a request is on its way */
	bool failed;
	bool looked_again;		/* for an installation that is gone */
	bool clock_again;		/* with the service's clock */
	int status;			/* of the failure */
	struct strbuf words;
};

struct github_app {
	struct strbuf issuer;
	struct crypto_key *key;
	int64_t skew_ms;		/* of the service's clock to ours */
	struct place places[PLACES];
	int n;
};

struct github_app *
github_app_new(struct str issuer, struct str pem, const char **why)
{
	struct crypto_key *key = crypto_key_pem(pem, why);

	if (key == NULL)
		return NULL;
	if (crypto_key_kind(key) != CRYPTO_RSA) {
		*why = "the key of a GitHub App is an RSA key";
		crypto_key_free(key);
		return NULL;
	}
	struct github_app *app = heap_array(NULL, 1, sizeof *app);
	*app = (struct github_app){ .key = key };
	strbuf_add(&app->issuer, issuer);
	return app;
}

void
github_app_free(struct github_app *app)
{
	if (app == NULL)
		return;
	for (int i = 0; i < app->n; i++) {
		secret_release(&app->places[i].token);
		strbuf_release(&app->places[i].path);
		strbuf_release(&app->places[i].words);
	}
	crypto_key_free(app->key);
	strbuf_release(&app->issuer);
	free(app);
}

/* "/repos/acme/model" of "/repos/acme/model/actions?x", or absent. */
static struct str
place_of(struct str path)
{
	size_t slashes = str_starts(path, STR("/repos/")) ? 4 :
	    str_starts(path, STR("/orgs/")) ? 3 : 0;
	size_t i = 0;

	for (; slashes > 0 && i < path.len && path.data[i] != '?'; i++)
		if (path.data[i] == '/' && --slashes == 0)
			break;
	return slashes <= 1 && i > 0 ? str_sub(path, 0, i) : (struct str){0};
}

int
github_app_place(struct github_app *app, struct str path)
{
	struct str place = place_of(path);

	if (place.len == 0)
		return -1;
	for (int i = 0; i < app->n; i++)
		if (str_eq(strbuf_str(&app->places[i].path), place))
			return i;
	if (app->n == PLACES)
		return -1;
	strbuf_add(&app->places[app->n].path, place);
	return app->n++;
}

int
github_app_only_place(const struct github_app *app)
{
	return app->n == 1 ? 0 : -1;
}

struct str
github_app_token(const struct github_app *app, int place, int64_t boot_ms)
{
	const struct place *at = &app->places[place];

	return secret_is_set(&at->token) && boot_ms < at->renew_boot_ms ?
	    secret_reveal(&at->token) : (struct str){0};
}

void
github_app_refused(struct github_app *app, int place)
{
	secret_release(&app->places[place].token);
}

/* ------------------------------------------------------------ asking ---- */

static void
fail(struct place *at, int status, struct str words)
{
	at->failed = true;
	at->status = status;
	strbuf_reset(&at->words);
	strbuf_add(&at->words, words);
}

static bool
is_repository(const struct place *at)
{
	return str_starts(strbuf_str(&at->path), STR("/repos/"));
}

/* For this repository alone, or the organization; runners and no more. */
static struct str
narrow(struct arena *arena, const struct place *at)
{
	struct strbuf text = {0};
	struct json_writer w = { .out = &text };
	struct str path = strbuf_str(&at->path);

	json_begin(&w, '{');
	if (is_repository(at)) {
		json_key(&w, "repositories");
		json_begin(&w, '[');
		json_put_str(&w, str_sub(path,
		    (size_t)str_rfind(path, '/') + 1, path.len));
		json_end(&w, ']');
	}
	json_key(&w, "permissions");
	json_begin(&w, '{');
	json_member_str(&w, is_repository(at) ? "administration" :
	    "organization_self_hosted_runners", STR("write"));
	json_end(&w, '}');
	json_end(&w, '}');
	struct str body = arena_str(arena, strbuf_str(&text));
	strbuf_release(&text);
	return body;
}

bool
github_app_ask(struct github_app *app, int place, struct arena *arena,
    int64_t wall_ms, struct http_request *request)
{
	struct place *at = &app->places[place];
	const char *why;
	struct str jwt;

	if (at->out || at->failed)
		return false;
	if (!github_jwt_make(arena, app->key, strbuf_str(&app->issuer),
		wall_ms + app->skew_ms, &jwt, &why)) {
		fail(at, 401, str_from(why));
		return false;
	}
	*request = (struct http_request){
		.host = HOST_GITHUB, .bearer = jwt, .timeout_ms = TIMEOUT_MS,
	};
	if (at->installation == 0) {
		request->method = HTTP_GET;
		request->path = arena_printf(arena, STR_FMT "/installation",
		    STR_ARG(strbuf_str(&at->path)));
	} else {
		request->method = HTTP_POST;
		request->effect = true;
		request->path = arena_printf(arena,
		    "/app/installations/%lld/access_tokens",
		    (long long)at->installation);
		request->body = narrow(arena, at);
	}
	return at->out = true;
}

void
github_app_again(struct github_app *app, int place)
{
	app->places[place].out = false;
}

/* --------------------------------------------------------- answering ---- */

static bool
read_installation(struct place *at, struct json_value root,
    struct json_reader *reader)
{
	return json_read_int(reader, root, "id", REQUIRED, 1, INT64_MAX,
	    &at->installation);
}

static bool
read_token(struct place *at, struct json_value root,
    struct json_reader *reader, int64_t wall_ms, int64_t boot_ms)
{
	struct str token, ends = {0};
	int64_t ends_ms = 0, life_ms = LIFE_MS;

	if (!json_read_str(reader, root, "token", REQUIRED, &token) ||
	    token.len == 0 || token.len > TOKEN_MAX)
		return false;
	for (size_t i = 0; i < token.len; i++)
		if (token.data[i] <= ' ' || token.data[i] > '~')
			return false;
	if (json_read_str(reader, root, "expires_at", NULLABLE, &ends) &&
	    parse_time(ends, &ends_ms))
		life_ms = ends_ms - wall_ms - RENEW_MS;
	/* A clock that is wrong must not make us ask all the time, nor
	 * never. */
	if (life_ms < MINUTE_MS)
		life_ms = MINUTE_MS;
	if (life_ms > LIFE_MS)
		life_ms = LIFE_MS;
	secret_release(&at->token);
	at->token = secret_new(token);
	at->renew_boot_ms = boot_ms + life_ms;
	at->looked_again = at->clock_again = false;
	return true;
}

static void
take_good(struct github_app *app, struct place *at,
    const struct http_answer *answer, int64_t wall_ms, int64_t boot_ms)
{
	struct arena scratch = {0};
	struct json_reader reader = { .arena = &scratch, .where = "answer" };
	struct json_error error;
	struct json doc;
	bool ok = false;

	if (json_parse(&scratch, answer->body, (struct json_limits){0}, &doc,
		&error)) {
		if (at->installation == 0)
			ok = read_installation(at, json_root(&doc), &reader);
		else
			ok = read_token(at, json_root(&doc), &reader,
			    wall_ms + app->skew_ms, boot_ms);
	}
	if (!ok)
		fail(at, 0, STR("GitHub's answer about the App cannot be "
		    "read"));
	arena_release(&scratch);
}

/* Its clock and ours differ: once more, by its clock. */
static bool
clocks_differ(struct github_app *app, struct place *at,
    const struct http_answer *answer, int64_t wall_ms)
{
	int64_t theirs_ms;

	if (at->clock_again || !headers_date(str_trim(answer->date),
		&theirs_ms))
		return false;
	int64_t skew_ms = theirs_ms - wall_ms, by = skew_ms - app->skew_ms;
	if (by < SKEW_MS && by > -SKEW_MS)
		return false;
	app->skew_ms = skew_ms;
	return at->clock_again = true;
}

/*
 * A 404 here is not one of the request that needs the token, and must not
 * read so.
 */
static void
take_refusal(struct place *at, const struct http_answer *answer)
{
	struct arena scratch = {0};
	struct github_problem problem = github_classify_problem(&scratch,
	    answer->body, answer->status);
	struct str place = str_sub(strbuf_str(&at->path),
	    (size_t)str_find(str_sub(strbuf_str(&at->path), 1,
		at->path.len), '/') + 2, at->path.len);

	if (!problem.proven || answer->status >= 500)
		fail(at, 0, arena_printf(&scratch, "no token for the GitHub "
		    "App: HTTP status %d", answer->status));
	else if (answer->status == 404)
		fail(at, 403, arena_printf(&scratch, "the GitHub App is not "
		    "installed on " STR_FMT, STR_ARG(place)));
	else if (answer->status == 422)
		fail(at, 403, arena_printf(&scratch, "the GitHub App lacks a "
		    "permission on " STR_FMT " (%s: write): " STR_FMT,
		    STR_ARG(place), is_repository(at) ? "administration" :
		    "organization_self_hosted_runners",
		    STR_ARG(problem.message)));
	else
		fail(at, answer->status == 401 ? 401 : 403,
		    arena_printf(&scratch, "GitHub refuses the App: " STR_FMT,
		    STR_ARG(problem.message)));
	arena_release(&scratch);
}

void
github_app_answer(struct github_app *app, int place,
    const struct http_answer *answer, int64_t wall_ms, int64_t boot_ms)
{
	struct place *at = &app->places[place];

	at->out = false;
	if (answer->outcome != HTTP_ANSWERED) {
		fail(at, 0, answer->reason);
		return;
	}
	if (answer->status == (at->installation == 0 ? 200 : 201)) {
		take_good(app, at, answer, wall_ms, boot_ms);
		return;
	}
	if (answer->status == 401 && clocks_differ(app, at, answer, wall_ms))
		return;
	if (answer->status == 404 && at->installation != 0) {
		/* The App was installed anew, perhaps. */
		at->installation = 0;
		if (!at->looked_again) {
			at->looked_again = true;
			return;
		}
	}
	take_refusal(at, answer);
}

bool
github_app_failure(struct github_app *app, int place, struct arena *arena,
    int *status, struct str *words)
{
	struct place *at = &app->places[place];

	if (!at->failed)
		return false;
	*status = at->status;
	*words = arena_str(arena, strbuf_str(&at->words));
	at->failed = at->looked_again = at->clock_again = false;
	return true;
}
