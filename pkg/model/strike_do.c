/* strike_do.c - carrying out the faults that were drawn. */
#include "model/strike.h"

static uint64_t
draw(struct model *model, uint64_t n)
{
	return model_random_below(&model->fault_rng, n);
}

/* A living pod by chance; NULL if there is none. */
static struct model_pod *
any_pod(struct model *model, bool running)
{
	struct model_pod *chosen = NULL;
	uint64_t n = 0;

	for (size_t i = model->listed_from; i < model->pods.n; i++) {
		struct model_pod *pod = model->pods.items[i];
		if (pod->ended_ms >= 0 ||
		    (running && pod->status == MODEL_EXITED))
			continue;
		if (draw(model, ++n) == 0)
			chosen = pod;
	}
	return chosen;
}

/* Somebody plays with the console.  false: there was nothing to play with. */
static bool
meddle(struct model *model, struct arena *arena)
{
	struct model_pod *pod = any_pod(model, false);
	int64_t now = model->now_ms;

	if (pod == NULL)
		return false;
	switch (draw(model, model->faults.lookalikes ? 10 : 5)) {
	case 0:
		return model_console_stop(model, now, pod->id);
	case 1:
		return model_console_delete(model, now, pod->id);
	case 2:
		return model_console_rename(model, now, pod->id,
		    arena_printf(arena, "renamed %d", (int)draw(model, 100)));
	case 3:
		return model_console_edit_env(model, now, pod->id,
		    STR("EDITED_BY_HAND"), STR("1"));
	case 4:
		return model_console_edit(model, now, pod->id,
		    (struct str){0}, pod->disk_gb + 5);
	case 5:
		return model_console_lookalike(model, now, pod->id,
		    draw(model, 2) == 0).data != NULL;
	case 6:
		return model_console_lock(model, now, pod->id, !pod->locked);
	case 7:
		return model_console_restart(model, now, pod->id);
	case 8:
		return model_console_edit_env(model, now, pod->id,
		    STR("PODFORM_MARK"), (struct str){0});
	default:
		return model_console_start(model, now, pod->id);
	}
}

/* A pod that was taken away is gone for good some time later, or not. */
static int64_t
gone_after(struct model *model)
{
	uint64_t most = (uint64_t)model->faults.gone_max_ms;

	return most == 0 || draw(model, 2) == 0 ? -1
	    : (int64_t)draw(model, most + 1);
}

void
strike_before(struct model *model, struct arena *arena,
    const struct strike *strike, struct model_reply *reply)
{
	struct model_pod *pod;

	if (strike_has(strike, MODEL_CONSOLE) && meddle(model, arena))
		strike_fired(model, reply, MODEL_CONSOLE);
	if (strike_has(strike, MODEL_TAKEN) &&
	    (pod = any_pod(model, true)) != NULL &&
	    model_host_takes(model, model->now_ms, pod->id,
	    gone_after(model)))
		strike_fired(model, reply, MODEL_TAKEN);
	if (strike_has(strike, MODEL_KEY_REVOKED)) {
		model->key_revoked = true;
		strike_fired(model, reply, MODEL_KEY_REVOKED);
	}
	if (strike_has(strike, MODEL_BROKE)) {
		model_set_balance(model, model->now_ms, 0);
		strike_fired(model, reply, MODEL_BROKE);
	}
	if (strike_has(strike, MODEL_SLOW)) {
		reply->delay_ms += strike->scripted ? strike->delay_ms
		    : (int64_t)draw(model,
		    (uint64_t)model->faults.slow_max_ms + 1);
		strike_fired(model, reply, MODEL_SLOW);
	}
}

void
strike_arm(struct model *model, const struct strike *strike,
    struct model_reply *reply)
{
	static const enum model_stuck ways[] = {
		MODEL_STUCK_PROVISIONING, MODEL_STUCK_STARTING,
		MODEL_STUCK_NO_PORTS, MODEL_STUCK_EXITS,
	};

	if (strike_has(strike, MODEL_STALE)) {
		model->stale_ms = strike->scripted ? strike->delay_ms
		    : (int64_t)draw(model,
		    (uint64_t)model->faults.stale_max_ms + 1);
		strike_fired(model, reply, MODEL_STALE);
	}
	if (strike_has(strike, MODEL_SHRUNK)) {
		static const uint64_t shares[] = { 1000, 500, 100 };
		model->shrink_per_mille = shares[draw(model, 3)];
		strike_fired(model, reply, MODEL_SHRUNK);
	}
	if (strike_has(strike, MODEL_TWICE)) {
		model->twice = true;
		strike_fired(model, reply, MODEL_TWICE);
	}
	if (strike_has(strike, MODEL_NO_STOCK)) {
		model->force_no_stock = true;
		strike_fired(model, reply, MODEL_NO_STOCK);
	}
	if (strike_has(strike, MODEL_STUCK)) {
		model->force_stuck = ways[draw(model, COUNTOF(ways))];
		strike_fired(model, reply, MODEL_STUCK);
	}
	if (strike_has(strike, MODEL_ODD)) {
		model->odd = true;
		strike_fired(model, reply, MODEL_ODD);
	}
}

void
strike_disarm(struct model *model)
{
	model->stale_ms = 0;
	model->shrink_per_mille = 0;
	model->force_stuck = MODEL_NOT_STUCK;
	model->twice = model->force_no_stock = model->odd = false;
}

static void
no_answer(struct model_reply *reply, enum model_transport transport)
{
	reply->transport = transport;
	reply->status = 0;
	reply->content_type = reply->body = (struct str){0};
}

/* An error as servers and the proxies before them word it. */
static void
error_answer(const struct model *model, struct arena *arena,
    struct model_reply *reply, int status, struct str sent)
{
	if (model->faults.words != NULL && status != 502 && status != 504) {
		struct str words = arena_printf(arena, "%s" STR_FMT,
		    model->faults.words, STR_ARG(sent));
		rest_problem_reply(arena, reply, status, words.data, NULL, 0);
		return;
	}
	switch (status) {
	case 502:
	case 504:
		reply->status = status;
		reply->content_type = STR("text/html");
		reply->body = arena_printf(arena, "<html><head><title>%d"
		    "</title></head><body><center><h1>%d</h1></center>"
		    "<hr><center>cloudflare</center></body></html>", status,
		    status);
		return;
	case 400:
		rest_problem_reply(arena, reply, status,
		    "request could not be processed", NULL, 0);
		return;
	case 402:
		rest_problem_reply(arena, reply, status,
		    "Your account balance is too low to rent a pod", NULL, 0);
		return;
	case 403:
		rest_problem_reply(arena, reply, status, "access denied",
		    NULL, 0);
		return;
	case 409:
		rest_problem_reply(arena, reply, status,
		    "the resource is busy", NULL, 0);
		return;
	case 422:
		rest_problem_reply(arena, reply, status,
		    "Request validation failed.", NULL, 0);
		return;
	default:
		rest_problem_reply(arena, reply, status,
		    "Something went wrong. Please try again later or contact "
		    "support.", NULL, 0);
		return;
	}
}

static void
rate_limited(struct model *model, struct arena *arena,
    const struct strike *strike, struct model_reply *reply)
{
	static const char *const odd[] = {
		NULL, "9223372036854775807", "-5", "soon", "",
		"Thu, 31 Dec 2015 23:59:59 GMT",
		"Thu, 31 Dec 2099 23:59:59 GMT",
	};
	struct str wait = strike->retry_after;

	rest_problem_reply(arena, reply, 429,
	    "rate limit exceeded for the minute window", NULL, 0);
	if (wait.data == NULL && (strike->scripted || draw(model, 2) == 0))
		wait = arena_printf(arena, "%d", (int)(1 + draw(model, 20)));
	else if (wait.data == NULL)
		wait = str_from(odd[draw(model, COUNTOF(odd))]);
	if (wait.data != NULL)
		rest_header(reply, "Retry-After", wait);
}

/* How an answer gets lost after the fact. */
static void
lose(struct model *model, struct arena *arena, const struct strike *strike,
    struct model_reply *reply)
{
	static const int status[] = { 500, 502, 504 };
	uint64_t way = draw(model, 5);

	if (strike->transport != MODEL_ANSWERED)
		no_answer(reply, strike->transport);
	else if (strike->status != 0)
		error_answer(model, arena, reply, strike->status,
		    (struct str){0});
	else if (strike->scripted || way < 3)
		error_answer(model, arena, reply, status[way % 3],
		    (struct str){0});
	else
		no_answer(reply, way == 3 ? MODEL_DROPPED : MODEL_SILENT);
}

static bool
is_write(enum model_call call)
{
	return call != MODEL_POD_LIST && call != MODEL_POD_GET &&
	    call != MODEL_VOLUME_LIST && call != MODEL_VOLUME_GET &&
	    call != MODEL_CATALOG;
}

static int
error_status(struct model *model, enum model_call call)
{
	static const int reads[] = { 403, 500, 502, 503, 504 };
	static const int writes[] = { 400, 402, 403, 409, 422, 500, 502, 503,
		504 };

	return is_write(call) ? writes[draw(model, COUNTOF(writes))]
	    : reads[draw(model, COUNTOF(reads))];
}

/* Its words may repeat what is wrong with it: the key, or what was sent. */
static void
refuse(const struct model *model, struct arena *arena,
    struct model_reply *reply, int status,
    const struct model_request *request)
{
	error_answer(model, arena, reply, status, status == 403
	    ? request->authorization : request->body);
}

bool
strike_refuses(struct model *model, struct arena *arena,
    enum model_call call, const struct model_request *request,
    const struct strike *strike, struct model_reply *reply)
{
	if (strike_has(strike, MODEL_RATE_LIMITED)) {
		rate_limited(model, arena, strike, reply);
		strike_fired(model, reply, MODEL_RATE_LIMITED);
	} else if (strike_has(strike, MODEL_DROP_BEFORE)) {
		no_answer(reply, MODEL_DROPPED);
		strike_fired(model, reply, MODEL_DROP_BEFORE);
	} else if (strike_has(strike, MODEL_ERROR_BEFORE)) {
		if (strike->transport != MODEL_ANSWERED)
			no_answer(reply, strike->transport);
		else
			refuse(model, arena, reply, strike->status != 0
			    ? strike->status : error_status(model, call),
			    request);
		strike_fired(model, reply, MODEL_ERROR_BEFORE);
	} else if (strike_has(strike, MODEL_DELAYED)) {
		int64_t delay = strike->scripted ? strike->delay_ms
		    : (int64_t)draw(model,
		    (uint64_t)model->faults.delay_max_ms + 1);
		model_pending_add(model, model->now_ms + delay, request);
		lose(model, arena, strike, reply);
		strike_fired(model, reply, MODEL_DELAYED);
	} else if (strike_has(strike, MODEL_GET_404)) {
		rest_problem_reply(arena, reply, 404, "resource not found",
		    NULL, 0);
		strike_fired(model, reply, MODEL_GET_404);
	} else {
		return false;
	}
	return true;
}

/* Success, but nothing that can be read. */
static void
spoil(struct model *model, struct arena *arena, enum model_call call,
    struct model_reply *reply)
{
	static const char *const wrong[] = {
		"null", "{}", "[]", "{\"pods\":null}", "{\"pods\":{}}",
		"{\"pods\":[", "\"ok\"", "<html>ok</html>", "{\"id\":7}",
		"{\"id\":\"../../x\"}", "{\"id\":\"\"}",
	};
	struct str body = reply->body;

	if (body.len == 0) {
		no_answer(reply, MODEL_DROPPED);
		return;
	}
	switch (draw(model, call == MODEL_POD_LIST ? 4 : 5)) {
	case 0:
		reply->body = STR("");
		return;
	case 1:
		reply->transport = MODEL_CUT;
		reply->cut = (size_t)draw(model, body.len);
		return;
	case 2:
		reply->body = str_sub(body, 0, (size_t)draw(model, body.len));
		return;
	case 3:
		reply->body = str_from(wrong[draw(model, COUNTOF(wrong))]);
		return;
	default: {
		size_t size = 2 << 20;
		char *large = arena_alloc(arena, size);
		for (size_t i = 0; i < size; i++)
			large[i] = i < body.len ? body.data[i] : ' ';
		reply->body = (struct str){ large, size };
		return;
	}
	}
}

void
strike_after(struct model *model, struct arena *arena, enum model_call call,
    const struct strike *strike, struct model_reply *reply)
{
	if (strike_has(strike, MODEL_ERROR_AFTER)) {
		lose(model, arena, strike, reply);
		strike_fired(model, reply, MODEL_ERROR_AFTER);
	} else if (strike->body.data != NULL) {
		reply->status = strike->status != 0 ? strike->status : 200;
		reply->content_type = STR("application/json");
		reply->body = strike->body;
		if (strike_has(strike, MODEL_BODY))
			strike_fired(model, reply, MODEL_BODY);
	} else if (strike_has(strike, MODEL_BODY) && strike->scripted &&
	    strike->transport == MODEL_CUT) {
		reply->transport = MODEL_CUT;
		reply->cut = strike->cut < reply->body.len ? strike->cut
		    : reply->body.len;
		strike_fired(model, reply, MODEL_BODY);
	} else if (strike_has(strike, MODEL_BODY)) {
		spoil(model, arena, call, reply);
		strike_fired(model, reply, MODEL_BODY);
	}
}
