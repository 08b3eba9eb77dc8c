/*
 * http.c - one request through the whole service: key, quota, faults,
 * handler, headers.
 */
#include "model/strike.h"

#include <assert.h>

/* A request whose effect comes later than its answer. */
struct model_pending {
	int64_t at_ms;
	struct model_request request;
	uint64_t number;
	bool done;
};

int64_t
model_pending_next(const struct model *model)
{
	int64_t next = -1;

	for (size_t i = 0; i < model->pending.n; i++)
		if (next < 0 || model->pending.items[i]->at_ms < next)
			next = model->pending.items[i]->at_ms;
	return next;
}

void
model_pending_add(struct model *model, int64_t at_ms,
    const struct model_request *request)
{
	struct model_pending *pending =
	    ARENA_NEW(&model->arena, struct model_pending);
	struct arena *arena = &model->arena;

	pending->at_ms = at_ms;
	pending->number = model->request_number;
	pending->request = (struct model_request){
		.method = arena_str(arena, request->method),
		.path = arena_str(arena, request->path),
		.query = arena_str(arena, request->query),
		.body = arena_str(arena, request->body),
	};
	*ARENA_PUSH(arena, &model->pending) = pending;
}

void
model_pending_run(struct model *model)
{
	uint64_t number = model->request_number;
	struct arena arena = {0};
	struct model_reply reply = {0};
	struct model_pending *first = NULL;
	size_t at = 0;

	for (size_t i = 0; i < model->pending.n; i++)
		if (first == NULL ||
		    model->pending.items[i]->at_ms < first->at_ms)
			first = model->pending.items[at = i];
	assert(first != NULL);
	for (size_t i = at + 1; i < model->pending.n; i++)
		model->pending.items[i - 1] = model->pending.items[i];
	model->pending.n--;
	model->request_number = first->number;
	model_serve(model, &arena, &first->request, &reply);
	model->request_number = number;
	arena_release(&arena);
}

void
model_serve(struct model *model, struct arena *arena,
    const struct model_request *request, struct model_reply *reply)
{
	struct rest rest = {
		.model = model, .arena = arena, .request = request,
		.reply = reply,
	};
	enum model_call call;
	struct str allow;
	rest_handler *handler = rest_route(arena, request, &rest.id, &call,
	    &allow);
	size_t before = model->log.n;

	if (handler != NULL) {
		handler(&rest);
	} else if (allow.len > 0) {
		rest_problem(&rest, 405,
		    "The requested method is not allowed for this path.");
		rest_header(reply, "Allow", allow);
	} else {
		rest_problem(&rest, 404, "resource not found");
	}
	reply->changed = model->log.n != before;
}

static bool
authorized(const struct model *model, const struct model_request *request)
{
	struct str key, scheme = str_cut(request->authorization, ' ', &key);

	return str_eq_fold(scheme, STR("bearer")) &&
	    str_is(str_trim(key), model->config.key) && !model->key_revoked;
}

/* ------------------------------------------------------------ quotas ---- */

static void
turn(struct model_window *window, int64_t now_ms, int64_t length_ms)
{
	if (now_ms >= window->start_ms + length_ms) {
		window->start_ms = now_ms - now_ms % length_ms;
		window->used = 0;
	}
}

static int64_t
seconds_left(const struct model_window *window, int64_t now_ms,
    int64_t length_ms)
{
	return (window->start_ms + length_ms - now_ms + 999) / 1000;
}

static const struct {
	const char *name;
	int64_t length_ms;
} windows[] = {
	{ "minute", 60 * 1000 },
	{ "hour", 3600 * 1000 },
	{ "day", 24 * 3600 * 1000 },
};

/* Count a request; the window that is used up, or -1.  Headers are added. */
static int
count_request(struct model *model, struct arena *arena,
    struct model_reply *reply)
{
	struct model_window *used[] = {
		&model->minute, &model->hour, &model->day
	};
	const int64_t quota[] = {
		model->config.quota_minute, model->config.quota_hour,
		model->config.quota_day,
	};
	struct str state = {0}, policy = {0};
	int over = -1;

	for (int i = 0; i < 3; i++) {
		turn(used[i], model->now_ms, windows[i].length_ms);
		if (used[i]->used >= quota[i])
			over = i;
	}
	for (int i = 0; i < 3; i++) {
		const char *comma = i > 0 ? ", " : "";
		used[i]->used += over < 0;
		state = arena_printf(arena, STR_FMT "%s\"%s\";r=%lld;t=%lld",
		    STR_ARG(state), comma, windows[i].name,
		    (long long)(quota[i] - used[i]->used),
		    (long long)seconds_left(used[i], model->now_ms,
		    windows[i].length_ms));
		policy = arena_printf(arena, STR_FMT "%s\"%s\";q=%lld;w=%lld",
		    STR_ARG(policy), comma, windows[i].name,
		    (long long)quota[i],
		    (long long)windows[i].length_ms / 1000);
	}
	rest_header(reply, "RateLimit", state);
	rest_header(reply, "RateLimit-Policy", policy);
	if (over >= 0)
		rest_header(reply, "Retry-After", arena_printf(arena, "%lld",
		    (long long)seconds_left(used[over], model->now_ms,
		    windows[over].length_ms)));
	return over;
}

/* ----------------------------------------------------------- request ---- */

/* GraphQL decides by itself what needs a key. */
static bool
serve_graphql(struct model *model, struct arena *arena,
    const struct model_request *request, bool allowed,
    struct model_reply *reply)
{
	struct rest rest = { .arena = arena, .request = request };
	struct str key = rest_query(&rest, "api_key");
	size_t before = model->log.n;

	if (!str_is(request->path, "/graphql"))
		return false;
	if (key.data != NULL && !model->key_revoked)
		allowed |= str_is(key, model->config.key);
	model_graphql(model, arena, request, allowed, reply);
	reply->changed = model->log.n != before;
	return true;
}

static void
serve_struck(struct model *model, struct arena *arena, enum model_call call,
    const struct model_request *request, bool allowed,
    struct model_reply *reply)
{
	struct strike strike;

	strike_draw(model, call, &strike);
	if (strike.faults != 0 || strike.scripted)
		strike_before(model, arena, &strike, reply);
	if (call != MODEL_GRAPHQL && (!allowed || model->key_revoked)) {
		struct str why = request->authorization.len == 0
		    ? STR("missing bearer token")
		    : STR("invalid bearer token");
		if (model->faults.words != NULL)
			why = arena_printf(arena, "%s" STR_FMT,
			    model->faults.words,
			    STR_ARG(request->authorization));
		rest_problem_reply(arena, reply, 401, why.data, NULL, 0);
		return;
	}
	if (strike_refuses(model, arena, call, request, &strike, reply))
		return;
	strike_arm(model, &strike, reply);
	if (!serve_graphql(model, arena, request, allowed &&
	    !model->key_revoked, reply))
		model_serve(model, arena, request, reply);
	strike_disarm(model);
	strike_after(model, arena, call, &strike, reply);
}

void
model_http(struct model *model, int64_t now_ms, struct arena *arena,
    const struct model_request *request, struct model_reply *reply)
{
	enum model_call call;
	struct str id, allow;
	int over = -1;
	bool allowed;

	*reply = (struct model_reply){0};
	model_advance(model, now_ms);
	model->request_number++;
	rest_route(arena, request, &id, &call, &allow);
	if (str_is(request->path, "/graphql"))
		call = MODEL_GRAPHQL;
	model->calls[call]++;
	rest_header(reply, "x-request-id", arena_printf(arena,
	    "req-%llx-%llu", (unsigned long long)model->config.seed,
	    (unsigned long long)model->request_number));
	allowed = authorized(model, request);
	if (allowed && model->config.rate_limit)
		over = count_request(model, arena, reply);
	if (over >= 0)
		rest_problem_reply(arena, reply, 429, arena_printf(arena,
		    "rate limit exceeded for the %s window",
		    windows[over].name).data, NULL, 0);
	else
		serve_struck(model, arena, call, request, allowed, reply);
	reply->delay_ms += model->config.latency_ms;
	while (model->listed_from < model->pods.n && !rest_seen(model, 0,
	    model->pods.items[model->listed_from]->ended_ms,
	    model->config.terminated_ms, 120 * 1000))
		model->listed_from++;
}
