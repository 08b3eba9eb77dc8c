/* sim_world.c - the seams, simulated: clock, chance, network, signals. */
#include "sim.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	if (sim->violation == NULL)
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
	if (sim->steps++ == sim->crash_at) {
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
	return ((struct sim *)ctx)->now_ms;
}

static int64_t
sim_wall(void *ctx)
{
	return EPOCH_MS + ((struct sim *)ctx)->now_ms;
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

static struct sim_flight *
new_flight(struct sim *sim)
{
	for (size_t i = 0; i < FLIGHTS; i++) {
		struct sim_flight *flight = &sim->flights[i];
		if (flight->state != FLIGHT_NONE)
			continue;
		if (i >= sim->nflights)
			sim->nflights = i + 1;
		*flight = (struct sim_flight){
			.number = ++sim->flight_number,
		};
		return flight;
	}
	assert(false && "too many requests in flight");
}

static void
end_flight(struct sim_flight *flight)
{
	free(flight->path);
	free(flight->body);
	free(flight->answer_body);
	free((char *)flight->host.data);
	*flight = (struct sim_flight){0};
}

static void
sim_start_http(void *ctx, uint64_t token, const struct http_request *request)
{
	struct sim *sim = ctx;
	sim_step(sim, "send");
	struct sim_flight *flight = new_flight(sim);
	const char *base = request->host == HOST_CLOUD ? "/v2" : "";
	flight->state = FLIGHT_OUT;
	flight->token = token;
	flight->method = request->method;
	flight->path = malloc(request->path.len + 16);
	if (request->host == HOST_CLOUD_GRAPHQL)
		memcpy(flight->path, "/graphql", sizeof "/graphql");
	else
		snprintf(flight->path, request->path.len + 16, "%s%.*s", base,
		    (int)request->path.len, request->path.data);
	flight->body = copy_bytes(request->body);
	flight->body_len = request->body.len;
	flight->max_body = request->max_body;
	flight->at_ms = sim->now_ms + rng_range(&sim->rng, 1, 40);
	flight->gives_up_ms = sim->now_ms + request->timeout_ms;
	check_request(sim, flight);
}

static void
sim_start_banner(void *ctx, uint64_t token, struct str host, uint16_t port,
    int64_t timeout_ms)
{
	struct sim *sim = ctx;
	(void)timeout_ms;
	sim_step(sim, "connect");
	struct sim_flight *flight = new_flight(sim);
	flight->state = FLIGHT_BANNER;
	flight->token = token;
	flight->host = (struct str){ copy_bytes(host), host.len };
	flight->port = port;
	flight->at_ms = sim->now_ms + rng_range(&sim->rng, 1, 80);
}

static void
sim_cancel(void *ctx, uint64_t token)
{
	struct sim *sim = ctx;
	for (size_t i = 0; i < sim->nflights; i++)
		if (sim->flights[i].state != FLIGHT_NONE &&
		    sim->flights[i].token == token)
			sim->flights[i].abandoned = true;
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

static struct str
keep_header(struct sim_flight *flight, int slot, struct str value)
{
	if (value.data == NULL)
		return value;
	size_t n = value.len < sizeof flight->headers[slot]
	    ? value.len
	    : sizeof flight->headers[slot];
	memcpy(flight->headers[slot], value.data, n);
	return (struct str){ flight->headers[slot], n };
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
	answer->retry_after = keep_header(flight, 0,
	    find_header(reply, "retry-after"));
	answer->ratelimit = keep_header(flight, 1,
	    find_header(reply, "ratelimit"));
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
}

/* A request reaches the cloud. */
static void
arrive(struct sim *sim, struct sim_flight *flight)
{
	struct arena scratch = {0};
	struct str query, path = str_cut(str_from(flight->path), '?', &query);
	struct model_request request = {
		.method = str_from(methods[flight->method]),
		.path = path,
		.query = query,
		.authorization = STR("Bearer rpa_sim"),
		.body = { flight->body, flight->body_len },
	};
	struct model_reply reply;
	model_http(sim->model, EPOCH_MS + sim->now_ms, &scratch, &request,
	    &reply);
	sim_trace(sim, "%s %s -> %d%s%s %.*s", methods[flight->method],
	    flight->path, reply.status,
	    reply.faults != 0 ? " (fault)" : "",
	    reply.transport != MODEL_ANSWERED ? " (lost)" : "",
	    reply.body.len > 60 && flight->method == HTTP_GET
		? 0
		: (int)(reply.body.len < 120 ? reply.body.len : 120),
	    reply.body.data != NULL ? reply.body.data : "");
	if (reply.changed)
		sim->mutations++;
	turn_back(sim, flight, &reply);
	arena_release(&scratch);
	sim->direct = reply.changed;
	check_cloud(sim);
	sim->direct = false;
	if (flight->abandoned)
		end_flight(flight);
}

static struct sim_flight *
first_flight(struct sim *sim)
{
	struct sim_flight *first = NULL;
	for (size_t i = 0; i < sim->nflights; i++) {
		struct sim_flight *flight = &sim->flights[i];
		if (flight->state == FLIGHT_NONE)
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
	/* What happens in the cloud by itself is checked when it happens. */
	for (;;) {
		int64_t next = model_next_event(sim->model);
		if (next == -1 || next - EPOCH_MS >= ms)
			break;
		if (next - EPOCH_MS > sim->now_ms)
			sim->now_ms = next - EPOCH_MS;
		model_advance(sim->model, EPOCH_MS + sim->now_ms);
		check_cloud(sim);
	}
	sim->now_ms = ms;
	model_advance(sim->model, EPOCH_MS + ms);
}

static void
give_answer(struct sim *sim, struct arena *arena, struct sim_flight *flight,
    struct world_event *event)
{
	event->token = flight->token;
	if (flight->state == FLIGHT_BANNER) {
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
		event->http.retry_after = flight->answer.retry_after.data
		    ? arena_str(arena, flight->answer.retry_after)
		    : (struct str){0};
		event->http.ratelimit = flight->answer.ratelimit.data
		    ? arena_str(arena, flight->answer.ratelimit)
		    : (struct str){0};
	}
	end_flight(flight);
}

/* Let requests arrive until something comes back, or until until_ms. */
static bool
move(struct sim *sim, int64_t until_ms, struct sim_flight **back)
{
	for (;;) {
		struct sim_flight *flight = first_flight(sim);
		if (flight == NULL ||
		    (until_ms != -1 && flight->at_ms > until_ms))
			return false;
		go_to(sim, flight->at_ms);
		if (flight->state == FLIGHT_OUT) {
			arrive(sim, flight);
			continue;
		}
		if (flight->abandoned) {
			end_flight(flight);
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
	event->type = WORLD_SIGNAL;
	event->signal = 2;
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
	if (signal_is_due(sim, event))
		return;
	int64_t until = deadline_ms;
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
	(void)ctx;
	return strcmp(name, "CANARY") == 0 ? STR("canary-secret-value")
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
		end_flight(back);
	go_to(sim, until);
}

void
sim_process_end(struct sim *sim)
{
	sim->running = false;
	for (size_t i = 0; i < sim->nflights; i++) {
		struct sim_flight *flight = &sim->flights[i];
		/* What has left the machine arrives; what has not, may. */
		if (flight->state == FLIGHT_OUT &&
		    rng_chance(&sim->rng, 700))
			flight->abandoned = true;
		else if (flight->state != FLIGHT_NONE)
			end_flight(flight);
	}
	disk_kill(sim->disk);
}

void
sim_world_init(struct sim *sim)
{
	sim->flights = calloc(FLIGHTS, sizeof *sim->flights);
	sim->hash = UINT64_C(0xcbf29ce484222325);
	sim->world = (struct world){
		.clock = { sim, sim_mono, sim_mono, sim_wall },
		.chance = { sim, sim_bytes },
		.fs = disk_fs(sim->disk, sim_step, sim),
		.ctx = sim,
		.start_http = sim_start_http,
		.start_banner = sim_start_banner,
		.cancel = sim_cancel,
		.wait = sim_wait,
		.environment = sim_environment,
		.run_command = sim_run_command,
	};
}

void
sim_world_release(struct sim *sim)
{
	for (size_t i = 0; i < sim->nflights; i++)
		if (sim->flights[i].state != FLIGHT_NONE)
			end_flight(&sim->flights[i]);
	free(sim->flights);
}
