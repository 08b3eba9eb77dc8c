/* sim_world.c - the seams, simulated; requests are in sim_flights.c */
#include "sim_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- trace -- */

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

/* ------------------------------------------------------------- steps -- */

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

/* ------------------------------------------------------------- clock -- */

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

/* ----------------------------------------------------------- waiting -- */

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
		if (sim_is_mine(sim, &sim->flights[i]) &&
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
			sim_arrive(sim, flight);
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

/* -------------------------------------------------------------- life -- */

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
	sim->away_at = sim->steps + 1;
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
		if (!sim_is_mine(sim, flight))
			continue;
		/* What has left the machine arrives; what has not, may. */
		if (flight->state == FLIGHT_OUT &&
		    rng_chance(&sim->rng, 700)) {
			flight->abandoned = true;
			continue;
		}
		sim_abandon(sim, flight);
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
