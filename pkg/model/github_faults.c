/* github_faults.c - what goes wrong: drawn by chance or written in scripts,
 * then carried out around one request. */
#include "model/github_state.h"

#define BIT(fault) (UINT64_C(1) << (fault))
#define ONE(call) (1u << (call))

enum {
	LISTENERS = ONE(HUB_SESSION) | ONE(HUB_POLL),
	REST = (ONE(HUB_CALL_COUNT) - 1) & ~(unsigned)LISTENERS,
	SHOWS = ONE(HUB_LIST) | ONE(HUB_GET),
};

static const struct {
	const char *name;
	unsigned calls;
} faults[HUB_FAULT_COUNT] = {
	[HUB_ERROR_BEFORE] = { "error_before", REST },
	[HUB_ERROR_AFTER] = { "error_after", REST },
	[HUB_BODY] = { "body", REST },
	[HUB_RATE_LIMITED] = { "rate_limited", REST },
	[HUB_SECONDARY] = { "secondary", REST },
	[HUB_EXHAUSTED] = { "exhausted", REST },
	[HUB_FORBIDDEN] = { "forbidden", REST },
	[HUB_EXPIRED] = { "expired", REST },
	[HUB_DROP_BEFORE] = { "drop_before", REST },
	[HUB_SLOW] = { "slow", REST },
	[HUB_NOT_FOUND] = { "not_found", REST },
	[HUB_BUSY_LIE] = { "busy_lie", SHOWS | ONE(HUB_DELETE) },
	[HUB_BUSY_FALSE] = { "busy_false", SHOWS },
	[HUB_OFFLINE_LIE] = { "offline_lie", SHOWS },
	[HUB_OMITTED] = { "omitted", ONE(HUB_LIST) },
	[HUB_LISTED_TWICE] = { "listed_twice", ONE(HUB_LIST) },
	[HUB_ODD] = { "odd", SHOWS | ONE(HUB_JIT) },
	[HUB_STALE_304] = { "stale_304", REST },
	[HUB_JOB_FIRST] = { "job_first", ONE(HUB_DELETE) },
	[HUB_REMOVED] = { "removed", REST | LISTENERS },
	[HUB_EVICTED] = { "evicted", ONE(HUB_JIT) },
	[HUB_CONFLICT] = { "conflict", ONE(HUB_SESSION) },
	[HUB_DEPRECATED] = { "deprecated", LISTENERS },
};

static const char *const calls[HUB_CALL_COUNT] = {
	[HUB_LIST] = "list", [HUB_GET] = "get", [HUB_JIT] = "jit",
	[HUB_TOKEN] = "token", [HUB_DELETE] = "delete",
	[HUB_LABELS] = "labels", [HUB_DOWNLOADS] = "downloads",
	[HUB_DEPRECATION] = "deprecation", [HUB_GROUPS] = "groups",
	[HUB_REPO] = "repository", [HUB_APP] = "app", [HUB_RUNS] = "runs",
	[HUB_OTHER] = "other", [HUB_SESSION] = "session",
	[HUB_POLL] = "poll",
};

/* Of these one at most, the first drawn. */
static const enum hub_fault exclusive[] = {
	HUB_RATE_LIMITED, HUB_SECONDARY, HUB_EXHAUSTED, HUB_FORBIDDEN,
	HUB_EXPIRED, HUB_DROP_BEFORE, HUB_NOT_FOUND, HUB_ERROR_BEFORE,
	HUB_ERROR_AFTER, HUB_BODY,
};

const char *
hub_call_name(enum hub_call call)
{
	return calls[call];
}

const char *
hub_fault_name(enum hub_fault fault)
{
	return faults[fault].name;
}

bool
hub_call_find(struct str name, enum hub_call *out)
{
	for (int i = 0; i < HUB_CALL_COUNT; i++)
		if (str_is(name, calls[i])) {
			*out = (enum hub_call)i;
			return true;
		}
	return false;
}

bool
hub_fault_find(struct str name, enum hub_fault *out)
{
	for (int i = 0; i < HUB_FAULT_COUNT; i++)
		if (str_is(name, faults[i].name)) {
			*out = (enum hub_fault)i;
			return true;
		}
	return false;
}

void
hub_set_faults(struct hub *hub, const struct hub_faults *wanted)
{
	hub->faults = *wanted;
}

const struct hub_faults *
hub_get_faults(const struct hub *hub)
{
	return &hub->faults;
}

int64_t
hub_fired(const struct hub *hub, enum hub_fault fault)
{
	return hub->fired[fault];
}

int64_t
hub_calls(const struct hub *hub, enum hub_call call)
{
	return hub->calls[call];
}

void
hub_add_script(struct hub *hub, const struct hub_script *script)
{
	struct hub_script *own = NULL;

	for (size_t i = 0; i < hub->scripts.n && own == NULL; i++)
		if (hub->scripts.items[i].nth < 0)
			own = &hub->scripts.items[i];
	if (own == NULL)
		own = ARENA_PUSH(&hub->arena, &hub->scripts);
	*own = *script;
	own->nth = hub->calls[script->call] + script->nth;
	if (script->body.data != NULL)
		own->body = arena_str(&hub->arena, script->body);
	if (script->retry_after.data != NULL)
		own->retry_after = arena_str(&hub->arena,
		    script->retry_after);
}

void
hub_clear_scripts(struct hub *hub)
{
	hub->scripts.n = 0;
}

/* ------------------------------------------------------------- drawing -- */

static bool
from_script(struct hub *hub, enum hub_call call, struct hub_strike *strike)
{
	for (size_t i = 0; i < hub->scripts.n; i++) {
		struct hub_script *script = &hub->scripts.items[i];
		if (script->call != call || script->nth != hub->calls[call])
			continue;
		*strike = (struct hub_strike){
			.faults = script->fault < HUB_FAULT_COUNT
			    ? BIT(script->fault) : 0,
			.scripted = true, .status = script->status,
			.transport = script->transport,
			.delay_ms = script->delay_ms, .body = script->body,
			.retry_after = script->retry_after,
		};
		script->nth = -1;
		return true;
	}
	return false;
}

void
hub_strike_draw(struct hub *hub, enum hub_call call,
    struct hub_strike *strike)
{
	struct hub_faults *wanted = &hub->faults;
	bool taken = false;

	*strike = (struct hub_strike){0};
	if (from_script(hub, call, strike))
		return;
	for (int f = 0; f < HUB_FAULT_COUNT; f++) {
		unsigned chance = wanted->per_mille[call][f];
		if (chance == 0 || (faults[f].calls & ONE(call)) == 0 ||
		    model_random_below(&hub->fault_rng, 1000) >= chance ||
		    wanted->at_most[f] < 0)
			continue;
		strike->faults |= BIT(f);
	}
	for (size_t i = 0; i < COUNTOF(exclusive); i++) {
		if (taken)
			strike->faults &= ~BIT(exclusive[i]);
		else
			taken = (strike->faults & BIT(exclusive[i])) != 0;
	}
}

void
hub_strike_fired(struct hub_exchange *x, enum hub_fault fault)
{
	int64_t *left = &x->hub->faults.at_most[fault];

	if ((x->reply->faults & BIT(fault)) != 0)
		return;		/* once per request */
	x->hub->fired[fault]++;
	x->reply->faults |= BIT(fault);
	if (!x->strike.scripted && *left > 0 && --*left == 0)
		*left = -1;
}

/* A robot sends no requests: what its listener would meet. */
bool
hub_robot_meets(struct hub *hub, enum hub_fault fault)
{
	unsigned chance = hub->faults.per_mille[HUB_SESSION][fault];

	if (chance == 0 ||
	    model_random_below(&hub->fault_rng, 1000) >= chance)
		return false;
	hub->fired[fault]++;
	return true;
}

/* --------------------------------------------------------- carrying out -- */

static uint64_t
draw(struct hub_exchange *x, uint64_t n)
{
	return model_random_below(&x->hub->fault_rng, n);
}

static void
no_answer(struct hub_exchange *x, enum model_transport transport)
{
	x->reply->transport = transport;
	hub_empty(x, 0);
}

/* 500, 502, 504: a page for people; 503: the service's words. */
static void
server_error(struct hub_exchange *x, int status)
{
	if (status == 503 || status < 500) {
		hub_error(x, status, status == 503 ? "Service Unavailable"
		    : "Server Error");
		return;
	}
	x->reply->status = status;
	x->reply->content_type = STR("text/html; charset=utf-8");
	x->reply->body = arena_printf(x->arena, "<!DOCTYPE html>\n<html>"
	    "<head><title>Unicorn! &middot; GitHub</title></head><body>"
	    "<p><strong>We had issues producing the response to your "
	    "request.</strong></p><p>%d</p></body></html>\n", status);
}

static int
any_status(struct hub_exchange *x)
{
	static const int status[] = { 500, 502, 503, 503, 504 };

	return x->strike.status != 0 ? x->strike.status
	    : status[draw(x, COUNTOF(status))];
}

static void
lose(struct hub_exchange *x)
{
	if (x->strike.transport != MODEL_ANSWERED)
		no_answer(x, x->strike.transport);
	else if (!x->strike.scripted && draw(x, 3) == 0)
		no_answer(x, draw(x, 2) == 0 ? MODEL_DROPPED : MODEL_SILENT);
	else
		server_error(x, any_status(x));
}

static void
rate_limited(struct hub_exchange *x)
{
	static const char *const odd[] = {
		NULL, "9223372036854775807", "-5", "soon", "",
		"Thu, 31 Dec 2015 23:59:59 GMT",
	};
	struct str wait = x->strike.retry_after;

	hub_error(x, 429, "You have exceeded a secondary rate limit. Please "
	    "wait a few minutes before you try again.");
	if (wait.data == NULL && (x->strike.scripted || draw(x, 2) == 0))
		wait = arena_printf(x->arena, "%d", (int)(1 + draw(x, 20)));
	else if (wait.data == NULL)
		wait = str_from(odd[draw(x, COUNTOF(odd))]);
	if (wait.data != NULL)
		rest_header(x->reply, "Retry-After", wait);
}

static void
secondary(struct hub_exchange *x)
{
	struct json_out out = {0};
	struct str wait = x->strike.retry_after;

	json_out_open(&out, '{');
	json_out_member_c(&out, "documentation_url",
	    "https://docs.github.com/free-pro-team@latest/rest/overview/"
	    "rate-limits-for-the-rest-api#about-secondary-rate-limits");
	json_out_member_c(&out, "message", "You have exceeded a secondary "
	    "rate limit. Please wait a few minutes before you try again.");
	json_out_close(&out, '}');
	hub_json(x, 403, &out);
	if (wait.data == NULL && !x->strike.scripted && draw(x, 2) == 0)
		wait = STR("60");
	if (wait.data != NULL)
		rest_header(x->reply, "Retry-After", wait);
}

/* A registration is gone, by somebody in the browser. */
static void
remove_one(struct hub_exchange *x)
{
	struct hub *hub = x->hub;
	struct hub_runner *chosen = NULL;
	uint64_t n = 0;

	for (size_t i = hub->first_alive; i < hub->runners.n; i++)
		if (hub->runners.items[i]->removed_ms < 0 &&
		    hub->runners.items[i]->job == NULL && draw(x, ++n) == 0)
			chosen = hub->runners.items[i];
	if (chosen == NULL)
		return;
	hub_remove(hub, chosen, HUB_BY_PEOPLE);
	hub_strike_fired(x, HUB_REMOVED);
}

static struct str
echo(struct hub_exchange *x)
{
	return x->hub->faults.echoes
	    ? arena_printf(x->arena, ": " STR_FMT,
	    STR_ARG(x->request->authorization))
	    : (struct str){0};
}

/* An answer without an effect; false if none is due. */
static bool
refused(struct hub_exchange *x)
{
	static const enum hub_fault order[] = {
		HUB_RATE_LIMITED, HUB_SECONDARY, HUB_EXHAUSTED, HUB_FORBIDDEN,
		HUB_EXPIRED, HUB_DROP_BEFORE, HUB_NOT_FOUND, HUB_ERROR_BEFORE,
	};
	size_t i = 0;

	while (i < COUNTOF(order) && !hub_struck(x, order[i]))
		i++;
	if (i == COUNTOF(order))
		return false;
	switch (order[i]) {
	case HUB_RATE_LIMITED:
		rate_limited(x);
		break;
	case HUB_SECONDARY:
		secondary(x);
		break;
	case HUB_EXHAUSTED:
		hub_error(x, 403, "API rate limit exceeded for user ID 1.");
		break;
	case HUB_FORBIDDEN:
		rest_header(x->reply, "x-accepted-github-permissions",
		    STR("administration=write"));
		hub_error(x, 403, "Resource not accessible by integration"
		    STR_FMT, STR_ARG(echo(x)));
		break;
	case HUB_EXPIRED:
		hub_error(x, 401, "Bad credentials" STR_FMT,
		    STR_ARG(echo(x)));
		break;
	case HUB_DROP_BEFORE:
		no_answer(x, MODEL_DROPPED);
		break;
	case HUB_NOT_FOUND:
		hub_error(x, 404, "Not Found");
		break;
	default:
		if (x->strike.transport != MODEL_ANSWERED)
			no_answer(x, x->strike.transport);
		else
			server_error(x, any_status(x));
		break;
	}
	hub_strike_fired(x, order[i]);
	return true;
}

bool
hub_strike_before(struct hub_exchange *x)
{
	if (hub_struck(x, HUB_REMOVED))
		remove_one(x);
	if (hub_struck(x, HUB_SLOW)) {
		x->reply->delay_ms += x->strike.scripted ? x->strike.delay_ms
		    : (int64_t)draw(x, 30 * 1000);
		hub_strike_fired(x, HUB_SLOW);
	}
	return refused(x);
}

static void
spoil(struct hub_exchange *x)
{
	static const char *const wrong[] = {
		"null", "{}", "[]", "{\"runners\":null}", "\"ok\"",
		"{\"total_count\":1,\"runners\":[{\"id\":\"x\"}]}",
		"{\"runner\":{},\"encoded_jit_config\":\"*\"}", "<html>",
		"{\"runner\":{\"id\":-1,\"name\":\"\"}}",
	};
	size_t n = x->reply->body.len;

	if (n == 0) {
		no_answer(x, MODEL_DROPPED);
	} else if (x->strike.transport == MODEL_CUT || draw(x, 3) == 0) {
		x->reply->transport = MODEL_CUT;
		x->reply->cut = n / 2;
	} else if (draw(x, 2) == 0) {
		x->reply->body = str_sub(x->reply->body, 0,
		    (size_t)draw(x, n));
	} else {
		x->reply->body = str_from(wrong[draw(x, COUNTOF(wrong))]);
	}
}

void
hub_strike_after(struct hub_exchange *x)
{
	if (hub_struck(x, HUB_ERROR_AFTER)) {
		lose(x);
		hub_strike_fired(x, HUB_ERROR_AFTER);
	} else if (x->strike.body.data != NULL) {
		x->reply->status = x->strike.status != 0 ? x->strike.status
		    : 200;
		x->reply->content_type = STR("application/json");
		x->reply->body = x->strike.body;
	} else if (hub_struck(x, HUB_BODY)) {
		spoil(x);
		hub_strike_fired(x, HUB_BODY);
	}
}
