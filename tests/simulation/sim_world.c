/* sim_world.c - the seams, simulated: clock, chance, network, signals. */
#include "hardware.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUTS_IN_ROW = 9 };

/* ---------------------------------------------------------------- trace -- */

static void
hash_text(struct sim *sim, const char *text)
{
	for (; *text != '\0'; text++)
		sim->hash = (sim->hash ^ (unsigned char)*text) *
		    UINT64_C(0x100000001b3);
}

void
sim_trace(struct sim *sim, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	hash_text(sim, line);
	if (sim->trace != NULL)
		fprintf(sim->trace, "%9.3f %s\n", (double)sim->now_ms / 1000,
		    line);
}

void
sim_violate(struct sim *sim, const char *invariant, const char *format, ...)
{
	char text[600];
	int n = snprintf(text, sizeof text, "%s at %lld ms: ", invariant,
	    (long long)sim->now_ms);
	va_list args;
	va_start(args, format);
	vsnprintf(text + n, sizeof text - (size_t)n, format, args);
	va_end(args);
	sim_trace(sim, "VIOLATED %s", text);
	if (sim->violation == NULL &&
	    (sim->meant == NULL || strcmp(sim->meant, invariant) == 0))
		sim->violation = strdup(text);
}

/* ---------------------------------------------------------------- steps -- */

/* Each thing that the process does to the outside is a step; a crash comes
 * before one. */
void
sim_step(void *ctx, const char *what)
{
	struct sim *sim = ctx;
	if (!sim->running)
		return;
	clocks_step(sim);
	if (sim->steps++ == sim->crash_at &&
	    own_strikes(sim, sim->crash_is_power_loss ? OWN_POWER
						      : OWN_KILLED)) {
		sim_trace(sim, "crash before %s (step %lld)%s", what,
		    (long long)sim->steps - 1,
		    sim->crash_is_power_loss ? ", power lost" : "");
		longjmp(sim->crash, 1);
	}
}

/* ---------------------------------------------------------------- clock -- */

static int64_t
sim_mono(void *ctx)
{
	return clocks_mono(ctx);
}

static int64_t
sim_boot(void *ctx)
{
	return ((struct sim *)ctx)->now_ms;
}

static int64_t
sim_wall(void *ctx)
{
	return clocks_wall(ctx);
}

static void
sim_bytes(void *ctx, void *out, size_t n)
{
	struct sim *sim = ctx;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)(rng_next(&sim->chance) >> 32);
}

/* -------------------------------------------------------------- network -- */

static char *
copy_bytes(struct str text)
{
	char *copy = malloc(text.len + 1);
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return copy;
}

struct sim_flight *
sim_flight_new(struct sim *sim, uint64_t token, enum flight_state state,
    int64_t after_ms)
{
	for (size_t i = 0; i < FLIGHTS; i++) {
		struct sim_flight *flight = &sim->flights[i];
		if (flight->state != FLIGHT_NONE)
			continue;
		if (i >= sim->nflights)
			sim->nflights = i + 1;
		*flight = (struct sim_flight){
			.state = state, .token = token,
			.process = sim->process,
			.number = ++sim->flight_number,
			.at_ms = sim->now_ms + after_ms,
		};
		return flight;
	}
	assert(false && "too many requests in flight");
	return NULL;
}

void
sim_flight_end(struct sim_flight *flight)
{
	free(flight->path);
	free(flight->body);
	free(flight->answer_body);
	free((char *)flight->host.data);
	inside_task_free(flight->task);
	arena_release(&flight->arena);
	*flight = (struct sim_flight){0};
}

void
sim_flight_request(struct sim_flight *flight,
    const struct http_request *request)
{
	const char *base = request->host == HOST_CLOUD ? "/v2" : "";
	flight->method = request->method;
	flight->path = malloc(request->path.len + 16);
	if (request->host == HOST_CLOUD_GRAPHQL)
		memcpy(flight->path, "/graphql", sizeof "/graphql");
	else
		snprintf(flight->path, request->path.len + 16, "%s%.*s", base,
		    (int)request->path.len, request->path.data);
	flight->github = request->host == HOST_GITHUB;
	if (request->bearer.len > 0)
		flight->bearer = arena_cstr(&flight->arena, request->bearer);
	if (request->etag.len > 0)
		flight->etag = arena_cstr(&flight->arena, request->etag);
	flight->body = copy_bytes(request->body);
	flight->body_len = request->body.len;
	flight->max_body = request->max_body;
}

static void
sim_start_http(void *ctx, uint64_t token, const struct http_request *request)
{
	struct sim *sim = ctx;
	sim_step(sim, "send");
	struct sim_flight *flight = sim_flight_new(sim, token, FLIGHT_OUT,
	    rng_range(&sim->rng, 1, 40));
	sim_flight_request(flight, request);
	flight->gives_up_ms = sim->now_ms + request->timeout_ms;
	if (request->effect) {
		check_one_writer(sim, flight->path);
		hardware_check_send(sim, flight->path, flight->github);
	}
	check_request(sim, flight);
}

static void
sim_start_banner(void *ctx, uint64_t token, struct str host, uint16_t port,
    int64_t timeout_ms)
{
	struct sim *sim = ctx;
	(void)timeout_ms;
	sim_step(sim, "connect");
	struct sim_flight *flight = sim_flight_new(sim, token, FLIGHT_BANNER,
	    rng_range(&sim->rng, 1, 80));
	flight->host = (struct str){ copy_bytes(host), host.len };
	flight->port = port;
}

/* Is it of the process that runs now? */
static bool
is_mine(const struct sim *sim, const struct sim_flight *flight)
{
	return flight->state != FLIGHT_NONE && !flight->holds &&
	    flight->process == sim->process;
}

/* Nobody waits for its answer any more. */
static void
abandon(struct sim *sim, struct sim_flight *flight)
{
	if (flight->talks && !flight->abandoned)
		hold_hang_up(sim, flight->number);
	flight->abandoned = true;
}

static void
sim_cancel(void *ctx, uint64_t token)
{
	struct sim *sim = ctx;
	for (size_t i = 0; i < sim->nflights; i++)
		if (is_mine(sim, &sim->flights[i]) &&
		    sim->flights[i].token == token)
			abandon(sim, &sim->flights[i]);
}

static const char *const methods[] = {
	[HTTP_GET] = "GET", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
};

static struct str
find_header(const struct model_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->nheaders; i++)
		if (strcasecmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return (struct str){0};
}

/* What the network's edge keeps of an answer. */
static void
keep_headers(struct sim_flight *flight, const struct model_reply *reply)
{
	static const struct {
		const char *name;
		size_t offset;
	} kept[] = {
#define KEPT(name, member) { name, offsetof(struct http_answer, member) }
		KEPT("retry-after", retry_after),
		KEPT("ratelimit", ratelimit), KEPT("location", location),
		KEPT("link", link), KEPT("etag", etag),
		KEPT("x-accepted-github-permissions", permissions),
#undef KEPT
	};
	struct http_answer *answer = &flight->answer;
	for (size_t i = 0; i < COUNTOF(kept); i++) {
		struct str value = find_header(reply, kept[i].name);
		if (value.data != NULL)
			*(struct str *)((char *)answer + kept[i].offset) =
			    arena_str(&flight->arena, value);
	}
	struct str left = find_header(reply, "x-ratelimit-remaining");
	if (left.data != NULL)
		answer->github_limit = arena_printf(&flight->arena,
		    STR_FMT "/" STR_FMT, STR_ARG(left),
		    STR_ARG(find_header(reply, "x-ratelimit-reset")));
}

static void
turn_back(struct sim *sim, struct sim_flight *flight,
    const struct model_reply *reply)
{
	struct http_answer *answer = &flight->answer;
	flight->state = FLIGHT_BACK;
	flight->at_ms = sim->now_ms + reply->delay_ms +
	    rng_range(&sim->rng, 1, 40);
	answer->outcome = HTTP_ANSWERED;
	answer->status = reply->status;
	flight->answer_body = copy_bytes(reply->body);
	answer->body = (struct str){ flight->answer_body, reply->body.len };
	keep_headers(flight, reply);
	if (reply->transport == MODEL_CUT && rng_chance(&sim->rng, 500)) {
		/* No length was promised, so nobody notices but the reader. */
		answer->body.len = reply->cut < reply->body.len
		    ? reply->cut
		    : reply->body.len;
	} else if (reply->transport != MODEL_ANSWERED) {
		answer->outcome = HTTP_BROKEN;
		answer->reason = STR("connection closed");
	} else if (flight->max_body > 0 &&
	    reply->body.len > flight->max_body) {
		answer->outcome = HTTP_TOO_LARGE;
		answer->reason = STR("answer too large");
	}
	if (reply->transport == MODEL_SILENT ||
	    flight->at_ms > flight->gives_up_ms) {
		answer->outcome = HTTP_BROKEN;
		answer->reason = STR("timed out");
		flight->at_ms = flight->gives_up_ms > sim->now_ms
		    ? flight->gives_up_ms
		    : sim->now_ms;
	}
	if (answer->outcome != HTTP_ANSWERED)
		answer->body = (struct str){0};
	if (flight->github)
		sinks_github_gave(sim, reply->body);
	promises_told(sim, flight);
}

/* F03, where it counts: three of a kind would settle a doubt, so now and then
 * more than that come in a row. */
static bool
cut_listing(struct sim *sim, const struct sim_flight *flight)
{
	static const char *const cut[] = { "{\"pods\":[", "{\"pods\":[{",
		"{" };

	if (sim->cuts_per_mille == 0 || sim->calm || flight->holds ||
	    flight->method != HTTP_GET ||
	    strcmp(flight->path, "/v2/pods") != 0 || !check_has_unknown(sim))
		return false;
	if (sim->cuts_in_row >= CUTS_IN_ROW ||
	    !rng_chance(&sim->more, sim->cuts_per_mille) ||
	    !own_strikes(sim, OWN_CUT_LIST)) {
		sim->cuts_in_row = 0;
		return false;
	}
	sim->cuts_in_row++;
	model_add_script(sim->model, &(struct model_script){
		.call = MODEL_POD_LIST, .nth = 1, .fault = MODEL_FAULT_COUNT,
		.body = str_from(cut[rng_below(&sim->more, COUNTOF(cut))]),
	});
	return true;
}

static void
ask_cloud(struct sim *sim, const struct sim_flight *flight,
    struct arena *arena, struct model_reply *reply)
{
	struct str query, path = str_cut(str_from(flight->path), '?', &query);
	bool cut = cut_listing(sim, flight);
	struct model_request request = {
		.method = str_from(methods[flight->method]),
		.path = path,
		.query = query,
		.authorization = STR("Bearer rpa_sim"),
		.body = { flight->body, flight->body_len },
	};
	model_http(sim->model, EPOCH_MS + sim->now_ms, arena, &request,
	    reply);
	if (flight->method == HTTP_GET && !flight->holds &&
	    strcmp(flight->path, "/v2/pods") == 0 &&
	    (cut || (reply->faults & UINT64_C(1) << MODEL_BODY) != 0))
		check_damaged(sim);
	sim_trace(sim, "%s %s -> %d%s%s %.*s", methods[flight->method],
	    flight->path, reply->status,
	    cut || reply->faults != 0 ? " (fault)" : "",
	    reply->transport != MODEL_ANSWERED ? " (lost)" : "",
	    reply->body.len > 60 && flight->method == HTTP_GET
		? 0
		: (int)(reply->body.len < 120 ? reply->body.len : 120),
	    reply->body.data != NULL ? reply->body.data : "");
	if (reply->changed)
		sim->mutations++;
}

/* A request reaches the cloud, a pod, GitHub or the holder. */
static void
arrive(struct sim *sim, struct sim_flight *flight)
{
	struct arena scratch = {0};
	struct model_reply reply = {0};
	if (flight->task != NULL)
		inside_arrive(sim, flight);
	else if (flight->talks)
		hold_arrive(sim, flight);
	else if (flight->github)
		hub_arrive(sim, flight, &scratch, &reply);
	else
		ask_cloud(sim, flight, &scratch, &reply);
	if (flight->task == NULL && !flight->talks)
		turn_back(sim, flight, &reply);
	sim->direct = reply.changed && !flight->github;
	sim->own = sim->running && flight->process == sim->process &&
	    !flight->abandoned && !flight->holds &&
	    flight->number > sim->before;
	guests_turn(sim);
	check_cloud(sim);
	sim->direct = false;
	arena_release(&scratch);
	if (flight->abandoned && flight->state != FLIGHT_NONE)
		sim_flight_end(flight);
}

static struct sim_flight *
first_flight(struct sim *sim)
{
	struct sim_flight *first = NULL;
	for (size_t i = 0; i < sim->nflights; i++) {
		struct sim_flight *flight = &sim->flights[i];
		if (flight->state == FLIGHT_NONE)
			continue;
		/* What came back waits while its process is paused. */
		if (flight->state != FLIGHT_OUT && !flight->holds &&
		    !flight->abandoned && flight->process != sim->process)
			continue;
		if (first == NULL || flight->at_ms < first->at_ms ||
		    (flight->at_ms == first->at_ms &&
			flight->number < first->number))
			first = flight;
	}
	return first;
}

static void
go_to(struct sim *sim, int64_t ms)
{
	if (ms <= sim->now_ms)
		return;
	/* What happens by itself is checked when it happens. */
	for (;;) {
		int64_t next = model_next_event(sim->model);
		int64_t guests = guests_next_ms(sim);
		if (next != -1)
			next -= EPOCH_MS;
		if (guests != -1 && (next == -1 || guests < next))
			next = guests;
		if (next == -1 || next >= ms)
			break;
		if (next > sim->now_ms)
			sim->now_ms = next;
		model_advance(sim->model, EPOCH_MS + sim->now_ms);
		guests_turn(sim);
		check_cloud(sim);
	}
	sim->now_ms = ms;
	model_advance(sim->model, EPOCH_MS + ms);
	guests_turn(sim);
}

static void
give_answer(struct sim *sim, struct arena *arena, struct sim_flight *flight,
    struct world_event *event)
{
	event->token = flight->token;
	if (flight->task != NULL) {
		inside_answer(sim, arena, flight, event);
	} else if (flight->talks) {
		hold_answer(sim, arena, flight, event);
	} else if (flight->fetches) {
		event->type = WORLD_FETCH;
		event->fetch_ok = flight->ok;
		event->fetch_reason = STR("connection refused");
	} else if (flight->state == FLIGHT_BANNER) {
		event->type = WORLD_BANNER;
		event->banner_ok = model_banner(sim->model,
		    EPOCH_MS + sim->now_ms, flight->host, flight->port);
		event->banner_reason = STR("connection refused");
	} else {
		event->type = WORLD_HTTP;
		event->http = flight->answer;
		event->http.body = arena_str(arena, flight->answer.body);
		if (flight->answer.body.data == NULL)
			event->http.body = (struct str){0};
		struct http_answer *http = &event->http;
		struct str *const headers[] = { &http->retry_after,
			&http->ratelimit, &http->location, &http->link,
			&http->etag, &http->permissions,
			&http->github_limit };
		for (size_t i = 0; i < COUNTOF(headers); i++)
			if (headers[i]->data != NULL)
				*headers[i] = arena_str(arena, *headers[i]);
	}
	sim_flight_end(flight);
}

/* Does anything come back to the process, ever? */
static bool
is_awaited(const struct sim *sim)
{
	for (size_t i = 0; i < sim->nflights; i++)
		if (is_mine(sim, &sim->flights[i]) &&
		    !sim->flights[i].abandoned)
			return true;
	return false;
}

/* Let requests arrive until something comes back, or until until_ms. */
static bool
move(struct sim *sim, int64_t until_ms, struct sim_flight **back)
{
	for (;;) {
		struct sim_flight *flight = first_flight(sim);
		int64_t guests = guests_next_ms(sim);
		if (until_ms == -1 && !is_awaited(sim))
			return false;
		/* What they do may bring something nearer. */
		if (guests != -1 &&
		    (flight == NULL || guests < flight->at_ms)) {
			if (until_ms != -1 && guests > until_ms)
				return false;
			if (guests > sim->now_ms) {
				go_to(sim, guests);
			} else {
				guests_turn(sim);
				check_cloud(sim);
			}
			continue;
		}
		if (flight == NULL ||
		    (until_ms != -1 && flight->at_ms > until_ms))
			return false;
		go_to(sim, flight->at_ms);
		if (flight->state == FLIGHT_NONE)
			continue;
		if (flight->state == FLIGHT_OUT) {
			arrive(sim, flight);
			continue;
		}
		if (flight->abandoned) {
			sim_flight_end(flight);
			continue;
		}
		if (flight->holds) {
			hold_cloud(sim, flight);
			continue;
		}
		*back = flight;
		return true;
	}
}

static bool
signal_is_due(struct sim *sim, struct world_event *event)
{
	if (sim->signal_at_ms == -1 || sim->now_ms < sim->signal_at_ms)
		return false;
	sim->signal_at_ms = sim->signal_again_ms;
	sim->signal_again_ms = -1;
	if (!own_strikes(sim, OWN_SIGNAL))
		return false;
	event->type = WORLD_SIGNAL;
	event->signal = 2;
	sim->ntold = 0;			/* other questions now */
	sim_trace(sim, "SIGINT");
	return true;
}

static void
sim_wait(void *ctx, struct arena *arena, int64_t deadline_ms,
    struct world_event *event)
{
	struct sim *sim = ctx;
	struct sim_flight *back;
	*event = (struct world_event){ .type = WORLD_DEADLINE };
	sim_step(sim, "wait");
	if (sim->rival_at >= 0 && sim->steps >= sim->rival_at) {
		sim->rival_at = -1;
		if (own_strikes(sim, OWN_RIVAL))
			sim->rival(sim);
	}
	if (signal_is_due(sim, event))
		return;
	if (sim->hardware->woke) {
		sim->hardware->woke = false;
		event->type = WORLD_SUSPENDED;
		return;
	}
	int64_t until = deadline_ms;
	if (until != -1)
		until += sim->hardware->slept_ms;
	if (sim->signal_at_ms != -1 &&
	    (until == -1 || sim->signal_at_ms < until))
		until = sim->signal_at_ms;
	if (move(sim, until, &back)) {
		give_answer(sim, arena, back, event);
		return;
	}
	if (until == -1) {
		sim_violate(sim, "I13", "waiting for ever for nothing");
		longjmp(sim->crash, 1);
	}
	go_to(sim, until);
	signal_is_due(sim, event);
}

static struct str
sim_environment(void *ctx, const char *name)
{
	const struct sim *sim = ctx;
	return strcmp(name, "CANARY") == 0 ? str_from(sim->spec_secret)
					   : (struct str){0};
}

static int
sim_run_command(void *ctx, struct arena *arena, const char *const *argv,
    int64_t timeout_ms, size_t limit, struct str *output)
{
	(void)ctx;
	(void)arena;
	(void)argv;
	(void)timeout_ms;
	(void)limit;
	(void)output;
	return -1;
}

/* ----------------------------------------------------------------- life -- */

void
sim_pass(struct sim *sim, int64_t ms)
{
	struct sim_flight *back;
	int64_t until = sim->now_ms + ms;
	while (move(sim, until, &back))
		sim_flight_end(back);
	go_to(sim, until);
}

void
sim_be_away(struct sim *sim, int64_t ms, bool sleeps)
{
	struct sim_flight *back;
	int64_t until = sim->now_ms + ms;

	sim->begun_ms += ms;		/* it takes no longer for that */
	while (move(sim, until, &back)) {
		/* It waits in a socket, unless that is dead by then. */
		back->at_ms = until + 1;
		if (!sleeps || back->state != FLIGHT_BACK ||
		    back->task != NULL || back->talks || back->fetches ||
		    rng_chance(&sim->hardware->rng, 300))
			continue;
		back->answer.outcome = HTTP_BROKEN;
		back->answer.reason = STR("connection closed");
		back->answer.body = (struct str){0};
	}
	go_to(sim, until);
}

void
sim_process_end(struct sim *sim)
{
	sim->running = false;
	for (size_t i = 0; i < sim->nflights; i++) {
		struct sim_flight *flight = &sim->flights[i];
		if (!is_mine(sim, flight))
			continue;
		/* What has left the machine arrives; what has not, may. */
		if (flight->state == FLIGHT_OUT &&
		    rng_chance(&sim->rng, 700)) {
			flight->abandoned = true;
			continue;
		}
		abandon(sim, flight);
		sim_flight_end(flight);
	}
	disk_kill(sim->disk);
}

void
sim_world_init(struct sim *sim)
{
	sim->flights = calloc(FLIGHTS, sizeof *sim->flights);
	sim->hash = UINT64_C(0xcbf29ce484222325);
	sim->process = 1;
	disk_process(sim->disk, 1);
	guests_init(sim);
	hardware_init(sim);
	sim->world = (struct world){
		.clock = { sim, sim_mono, sim_boot, sim_wall },
		.chance = { sim, sim_bytes },
		.fs = broken_fs(sim, disk_fs(sim->disk, sim_step, sim)),
		.ctx = sim,
		.start_http = sim_start_http,
		.start_banner = sim_start_banner,
		.start_ssh = inside_start_ssh,
		.start_holder = hold_start,
		.start_fetch = inside_start_fetch,
		.may_listen = hold_may_listen,
		.cancel = sim_cancel,
		.wait = sim_wait,
		.environment = sim_environment,
		.run_command = sim_run_command,
	};
}

void
sim_world_release(struct sim *sim)
{
	/* The holder lets go of its requests first. */
	guests_release(sim);
	hardware_release(sim);
	for (size_t i = 0; i < sim->nflights; i++)
		if (sim->flights[i].state != FLIGHT_NONE)
			sim_flight_end(&sim->flights[i]);
	free(sim->flights);
}
