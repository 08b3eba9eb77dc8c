/*
 * github_world.c - see github_world.h
 *
 *	start --> HELD --(no limit, no change out, a token)--> OUT --> answered
 *		    ^                                           |
 *		    `---- redirect, 401 of an old token --------'
 */
#include "github/github_world.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/units.h"
#include "github/github_world_parts.h"

enum { SPACING_MS = 1000 };

/* Tokens of our own towards inner; those of the core have no top bit. */
#define OWN_TOKENS (UINT64_C(1) << 63)

int64_t
github_world_now_ms(const struct github_world *gh)
{
	return gh->inner->clock.mono_ms(gh->inner->clock.ctx);
}

int64_t
github_world_boot_ms(const struct github_world *gh)
{
	return gh->inner->clock.boot_ms(gh->inner->clock.ctx);
}

int64_t
github_world_wall_ms(const struct github_world *gh)
{
	return gh->inner->clock.wall_ms(gh->inner->clock.ctx);
}

/* -------------------------------------------------------------- calls ---- */

static void
call_free(struct github_call *call)
{
	arena_release(&call->arena);
	free(call);
}

static struct github_call *
call_new(struct github_world *gh, uint64_t outer,
    const struct http_request *request)
{
	struct github_call *call = heap_array(NULL, 1, sizeof *call);
	struct github_call **end = &gh->calls;

	*call = (struct github_call){ .outer = outer, .request = *request,
		.place = -1, .own_bearer = request->bearer.len > 0 };
	struct http_request *own = &call->request;
	own->path = arena_str(&call->arena, request->path);
	if (request->body.data != NULL)
		own->body = arena_str(&call->arena, request->body);
	if (request->bearer.data != NULL)
		own->bearer = arena_str(&call->arena, request->bearer);
	if (request->etag.data != NULL)
		own->etag = arena_str(&call->arena, request->etag);
	call->give_up_ms = github_world_now_ms(gh) + request->timeout_ms;
	while (*end != NULL)
		end = &(*end)->next;
	return *end = call;
}

void
github_call_end(struct github_world *gh, struct github_call *call)
{
	struct github_call **at = &gh->calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	call_free(call);
}

/* Answer a call without asking anybody. */
static void
answer_self(struct github_call *call, int status, struct str words)
{
	call->ready = true;
	call->status = status;
	call->words = arena_str(&call->arena, words);
}

/* --------------------------------------------------------- credential ---- */

static void
find_credential(struct github_world *gh)
{
	struct github_credential *found = &gh->credential;
	const char *why;

	if (gh->asked)
		return;
	gh->asked = true;
	if (gh->config.credential != NULL)
		gh->config.credential(gh->config.ctx, found);
	if (secret_is_set(&found->token) || !secret_is_set(&found->app_key))
		return;
	gh->app = github_app_new(found->app, secret_reveal(&found->app_key),
	    &why);
	if (gh->app == NULL)
		found->why_none = str_from(why);
	secret_release(&found->app_key);
}

/* The place whose token a call needs: by its path, or as its page was named
 * by another answer. */
static int
place_of(struct github_world *gh, struct str path)
{
	struct str rest = path;

	for (size_t i = 0; i < gh->nlinks; i++)
		if (str_eq(strbuf_str(&gh->links[i].url), path))
			return gh->links[i].place;
	if (str_starts(path, strbuf_str(&gh->api)))
		rest = str_sub(path, gh->api.len, path.len);
	int place = github_app_place(gh->app, rest);
	return place >= 0 ? place : github_app_only_place(gh->app);
}

/* ------------------------------------------------------------ sending ---- */

static void
send_to_inner(struct github_world *gh, struct github_call *call)
{
	call->out = true;
	call->inner = OWN_TOKENS | ++gh->last_inner;
	gh->inner->start_http(gh->inner->ctx, call->inner, &call->request);
}

/* Bring the token of a place nearer, if nothing is on its way already. */
static void
get_token(struct github_world *gh, int place)
{
	struct arena scratch = {0};
	struct http_request request;

	if (github_app_ask(gh->app, place, &scratch, github_world_wall_ms(gh),
		&request)) {
		struct github_call *call = call_new(gh, 0, &request);
		call->place = place;
		send_to_inner(gh, call);
	}
	arena_release(&scratch);
}

void
github_world_fail_place(struct github_world *gh, int place)
{
	struct arena scratch = {0};
	struct str words;
	int status;

	if (github_app_failure(gh->app, place, &scratch, &status, &words))
		for (struct github_call *call = gh->calls; call != NULL;
		     call = call->next)
			if (call->outer != 0 && !call->out && !call->ready &&
			    call->place == place)
				answer_self(call, status, words);
	arena_release(&scratch);
}

/* Has the call what it needs to be sent with?  Else something was begun, or
 * the call answered. */
static bool
has_bearer(struct github_world *gh, struct github_call *call)
{
	if (call->own_bearer)
		return true;
	find_credential(gh);
	if (secret_is_set(&gh->credential.token)) {
		call->request.bearer = secret_reveal(&gh->credential.token);
		return true;
	}
	if (gh->app == NULL) {
		answer_self(call, 401, gh->credential.why_none.len > 0 ?
		    gh->credential.why_none :
		    STR("there is no credential for GitHub"));
		return false;
	}
	if (call->place < 0)
		call->place = place_of(gh, call->request.path);
	if (call->place < 0) {
		answer_self(call, 401, STR("it is not known which "
		    "installation of the GitHub App this is for"));
		return false;
	}
	call->request.bearer = github_app_token(gh->app, call->place,
	    github_world_boot_ms(gh));
	if (call->request.bearer.len > 0)
		return true;
	get_token(gh, call->place);
	github_world_fail_place(gh, call->place);
	return false;
}

static bool
change_is_out(const struct github_world *gh)
{
	for (const struct github_call *call = gh->calls; call != NULL;
	     call = call->next)
		if (call->out && call->outer != 0 && call->request.effect)
			return true;
	return false;
}

/* Of a read whose answer we still have only the news are asked for. */
static void
add_condition(struct github_world *gh, struct github_call *call)
{
	if (call->request.method == HTTP_GET && call->request.quiet_ms == 0)
		call->request.etag = github_cache_etag(gh->cache,
		    call->request.path);
}

/* Send what may be sent now. */
static void
pump(struct github_world *gh)
{
	int64_t now = gh->pumped_ms = github_world_now_ms(gh);
	bool changing = change_is_out(gh);

	for (struct github_call *call = gh->calls; call != NULL;
	     call = call->next) {
		if (call->out || call->ready)
			continue;
		if (gh->limit_ms > now) {
			if (gh->limit_ms > call->give_up_ms)
				answer_self(call, 429, STR("podform waits, "
				    "since GitHub limits its requests"));
			continue;
		}
		bool changes = call->request.effect;
		if (changes && (changing || gh->change_ms > now))
			continue;
		if (!has_bearer(gh, call))
			continue;
		add_condition(gh, call);
		send_to_inner(gh, call);
		changing = changing || changes;
	}
}

/* The event of a call that we answered ourselves; false if there is none. */
static bool
hand_out_own(struct github_world *gh, struct arena *arena,
    struct world_event *event)
{
	struct github_call *call = gh->calls;

	while (call != NULL && !call->ready)
		call = call->next;
	if (call == NULL)
		return false;
	*event = (struct world_event){ .type = WORLD_HTTP,
		.token = call->outer };
	struct http_answer *http = &event->http;
	if (call->status == 0) {
		http->outcome = HTTP_NOT_SENT;
		http->reason = arena_str(arena, call->words);
	} else {
		struct strbuf body = {0};
		struct json_writer w = { .out = &body };
		json_begin(&w, '{');
		json_member_str(&w, "message", call->words);
		json_end(&w, '}');
		http->outcome = HTTP_ANSWERED;
		http->status = call->status;
		http->body = arena_str(arena, strbuf_str(&body));
		strbuf_release(&body);
		int64_t left = gh->limit_ms - github_world_now_ms(gh);
		if (call->status == 429 && left > 0)
			http->retry_after = arena_printf(arena, "%lld",
			    (long long)(left / SECOND_MS + 1));
	}
	github_call_end(gh, call);
	return true;
}

static struct github_call *
find_inner(const struct github_world *gh, uint64_t token)
{
	for (struct github_call *call = gh->calls; call != NULL;
	     call = call->next)
		if (call->out && call->inner == token)
			return call;
	return NULL;
}

/* When something that pump() held may go; -1 if nothing waits for a time.
 * By its clock: what has come due since then is due at once. */
static int64_t
next_ms(const struct github_world *gh)
{
	int64_t now = gh->pumped_ms, next = -1;

	for (const struct github_call *call = gh->calls; call != NULL;
	     call = call->next) {
		if (call->out)
			continue;
		int64_t at = gh->limit_ms > now ? gh->limit_ms :
		    call->request.effect && gh->change_ms > now ?
		    gh->change_ms : -1;
		if (at >= 0 && (next < 0 || at < next))
			next = at;
	}
	return next;
}

static void
world_wait(void *ctx, struct arena *arena, int64_t deadline_ms,
    struct world_event *event)
{
	struct github_world *gh = ctx;

	for (;;) {
		pump(gh);
		if (hand_out_own(gh, arena, event))
			return;
		int64_t until = next_ms(gh);
		bool ours = until >= 0 &&
		    (deadline_ms < 0 || until < deadline_ms);
		gh->inner->wait(gh->inner->ctx, arena,
		    ours ? until : deadline_ms, event);
		if (event->type == WORLD_DEADLINE && ours)
			continue;
		struct github_call *call = event->type == WORLD_HTTP &&
		    (event->token & OWN_TOKENS) != 0 ?
		    find_inner(gh, event->token) : NULL;
		if (call == NULL)
			return;
		if (call->outer == 0) {
			github_answer_own(gh, call, arena, &event->http);
			continue;
		}
		if (!github_answer_take(gh, call, arena, &event->http))
			continue;
		event->token = call->outer;
		github_call_end(gh, call);
		pump(gh);
		return;
	}
}

/* ------------------------------------------------------------ the seam ---- */

static void
world_start_http(void *ctx, uint64_t token,
    const struct http_request *request)
{
	struct github_world *gh = ctx;

	if (request->host != HOST_GITHUB) {
		gh->inner->start_http(gh->inner->ctx, token, request);
		return;
	}
	call_new(gh, token, request);
	pump(gh);
}

static void
world_cancel(void *ctx, uint64_t token)
{
	struct github_world *gh = ctx;

	for (struct github_call *call = gh->calls; call != NULL;
	     call = call->next)
		if (call->outer == token && token != 0) {
			if (call->out)
				gh->inner->cancel(gh->inner->ctx,
				    call->inner);
			github_call_end(gh, call);
			return;
		}
	gh->inner->cancel(gh->inner->ctx, token);
}

static void
world_start_banner(void *ctx, uint64_t token, struct str host, uint16_t port,
    int64_t timeout_ms)
{
	struct world *inner = ((struct github_world *)ctx)->inner;
	inner->start_banner(inner->ctx, token, host, port, timeout_ms);
}

static void
world_start_ssh(void *ctx, uint64_t token, const struct ssh_request *request)
{
	struct world *inner = ((struct github_world *)ctx)->inner;
	inner->start_ssh(inner->ctx, token, request);
}

static void
world_start_holder(void *ctx, uint64_t token,
    const struct holder_request *request)
{
	struct world *inner = ((struct github_world *)ctx)->inner;
	inner->start_holder(inner->ctx, token, request);
}

static void
world_start_fetch(void *ctx, uint64_t token,
    const struct fetch_request *request)
{
	struct world *inner = ((struct github_world *)ctx)->inner;
	inner->start_fetch(inner->ctx, token, request);
}

static struct str
world_environment(void *ctx, const char *name)
{
	struct world *inner = ((struct github_world *)ctx)->inner;
	return inner->environment(inner->ctx, name);
}

static int
world_run_command(void *ctx, struct arena *arena, const char *const *argv,
    int64_t timeout_ms, size_t limit, struct str *output)
{
	struct world *inner = ((struct github_world *)ctx)->inner;
	return inner->run_command(inner->ctx, arena, argv, timeout_ms, limit,
	    output);
}

static int
world_may_listen(void *ctx, struct arena *arena, struct str address,
    uint16_t port, struct str *owner)
{
	struct world *inner = ((struct github_world *)ctx)->inner;
	return inner->may_listen(inner->ctx, arena, address, port, owner);
}

struct github_world *
github_world_new(const struct github_world_config *config)
{
	struct github_world *gh = heap_array(NULL, 1, sizeof *gh);

	*gh = (struct github_world){
		.inner = config->inner, .config = *config,
		.cache = github_cache_new(),
	};
	gh->config.spacing_ms = config->spacing_ms == 0 ? SPACING_MS :
	    config->spacing_ms < 0 ? 0 : config->spacing_ms;
	strbuf_add(&gh->api, config->api);
	return gh;
}

void
github_world_free(struct github_world *gh)
{
	if (gh == NULL)
		return;
	while (gh->calls != NULL) {
		struct github_call *call = gh->calls;
		if (call->out)
			gh->inner->cancel(gh->inner->ctx, call->inner);
		gh->calls = call->next;
		call_free(call);
	}
	github_app_free(gh->app);
	github_cache_free(gh->cache);
	secret_release(&gh->credential.token);
	secret_release(&gh->credential.app_key);
	for (size_t i = 0; i < gh->nlinks; i++)
		strbuf_release(&gh->links[i].url);
	strbuf_release(&gh->api);
	strbuf_release(&gh->token_ends);
	free(gh);
}

struct world *
github_world_seam(struct github_world *gh)
{
	const struct world *inner = gh->inner;

	gh->world = (struct world){
		.clock = inner->clock, .chance = inner->chance,
		.fs = inner->fs, .ctx = gh,
		.start_http = world_start_http,
		.start_banner = world_start_banner,
		.cancel = world_cancel,
		.wait = world_wait,
		.environment = world_environment,
		.run_command = world_run_command,
		.start_ssh = inner->start_ssh == NULL ? NULL :
		    world_start_ssh,
		.start_holder = inner->start_holder == NULL ? NULL :
		    world_start_holder,
		.start_fetch = inner->start_fetch == NULL ? NULL :
		    world_start_fetch,
		.may_listen = inner->may_listen == NULL ? NULL :
		    world_may_listen,
	};
	return &gh->world;
}

struct str
github_world_token_ends(const struct github_world *gh)
{
	return strbuf_str(&gh->token_ends);
}
