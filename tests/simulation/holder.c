/*
 * holder.c - the holder of tunnels, as a process of the simulated machine.
 *
 * The machine of pkg/tunnel decides; here are its sockets, its links and its
 * time.  What clients and it say goes as the bytes of tunnel/talk.h.  It
 * outlives the commands, and dies with its machine.
 */
#include "held.h"

#include "cloud/runpod/runpod.h"
#include "tunnel/talk.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { SLACK_MS = 10000, TURNS_MAX = 10000 };

/* --------------------------------------------------------------- effects -- */

static void
ask_cloud(struct sim *sim, const struct holder_effect *effect)
{
	struct sim_flight *flight = sim_flight_new(sim, effect->token,
	    FLIGHT_OUT, rng_range(&sim->guests->rng, 1, 40));
	struct http_request http = {0};

	flight->holds = true;
	flight->ask = effect->request;
	flight->ask.id = arena_str(&flight->arena, effect->request.id);
	runpod.encode(&flight->arena, &flight->ask, &http);
	sim_flight_request(flight, &http);
	flight->gives_up_ms = sim->now_ms + effect->timeout_ms;
}

void
hold_cloud(struct sim *sim, struct sim_flight *flight)
{
	struct cloud_answer answer = {0};
	struct arena scratch = {0};

	runpod.decode(&scratch, &flight->ask, &flight->answer,
	    EPOCH_MS + sim->now_ms, &answer);
	hold_tell(sim, (struct holder_event){ .type = HOLDER_ON_CLOUD,
		.token = flight->token, .cloud = &answer });
	sim_flight_end(flight);
	arena_release(&scratch);
}

static void
forget(struct sim *sim, uint64_t token)
{
	struct guests *guests = sim->guests;

	for (size_t i = 0; i < sim->nflights; i++)
		if (sim->flights[i].state != FLIGHT_NONE &&
		    sim->flights[i].holds && sim->flights[i].token == token)
			sim->flights[i].abandoned = true;
	for (size_t i = 0; i < guests->ntimers; i++)
		if (guests->timers[i].type == TIMER_CHECK &&
		    guests->timers[i].token == token)
			guests->timers[i].at_ms = -1;
}

static bool
port_is_free(const struct guests *guests, uint16_t port)
{
	if (port == guests->taken_port)
		return false;
	for (size_t i = 0; i < TUNNELS; i++)
		if (guests->ends[i].tunnel != 0 && guests->ends[i].listens &&
		    guests->ends[i].port == port)
			return false;
	return true;
}

static void
listen_on(struct sim *sim, const struct holder_effect *effect)
{
	struct guests *guests = sim->guests;
	uint16_t port = effect->port;
	struct holder_event event = { .type = HOLDER_ON_LISTEN,
		.tunnel = effect->tunnel };

	if (!str_is(effect->config.local_address, "127.0.0.1"))
		sim_violate(sim, "I14", "a listener on " STR_FMT,
		    STR_ARG(effect->config.local_address));
	while (port < effect->last_port && !port_is_free(guests, port))
		port++;
	event.ok = port_is_free(guests, port);
	if (event.ok) {
		struct held_end *end = held_end_make(guests, effect->tunnel,
		    &effect->config);
		end->listens = true;
		end->port = port;
		event.port = port;
	} else {
		event.text = STR("python3 (pid 4711) has it");
	}
	hold_tell(sim, event);
}

static void
forward(struct sim *sim, const struct holder_effect *effect)
{
	struct guests *guests = sim->guests;
	struct held_link *link = held_link_find(guests, effect->link);
	struct held_timer *timer = held_timer_set(sim, TIMER_FORWARD,
	    rng_range(&guests->rng, 5, 200));

	timer->link = effect->link;
	timer->tunnel = effect->tunnel;
	timer->ok = !guest_strikes(sim, GUEST_STUCK);
	if (link == NULL || !link->up) {
		sim_violate(sim, "I14", "a forward on a link that is not up");
		return;
	}
	struct held_end *end = held_end_make(guests, effect->tunnel,
	    &effect->config);
	end->link = effect->link;
	if (strcmp(end->pod, link->pod) != 0)
		sim_violate(sim, "I14", "%s leads to pod %s and not to %s",
		    end->address, link->pod, end->pod);
}

static void
check_url(struct sim *sim, const struct holder_effect *effect)
{
	struct guests *guests = sim->guests;
	struct held_end *end = held_end_find(guests, effect->tunnel);
	struct held_timer *timer = held_timer_set(sim, TIMER_CHECK,
	    rng_range(&guests->rng, 5, 300));
	const struct held_link *link = end != NULL
	    ? held_link_find(guests, end->link)
	    : NULL;

	timer->token = effect->token;
	timer->ok = link != NULL && held_link_lives(sim, link) &&
	    !guest_strikes(sim, GUEST_STEP);
	if (!timer->ok)
		timer->at_ms = sim->now_ms + effect->timeout_ms;
}

static void
unlisten(struct guests *guests, uint32_t tunnel, bool forwards)
{
	struct held_end *end = held_end_find(guests, tunnel);

	if (end == NULL)
		return;
	if (forwards)
		end->link = 0;
	else
		end->listens = false;
	held_end_tidy(end);
}

static void
reply(struct sim *sim, const struct holder_effect *effect)
{
	for (size_t i = 0; i < sim->nflights; i++) {
		struct sim_flight *flight = &sim->flights[i];
		if (flight->state != FLIGHT_BACK || !flight->talks ||
		    flight->number != effect->client)
			continue;
		struct strbuf line = {0};
		talk_write_answer(&line, &(struct talk_answer){
			.version = STR("0"), .ok = effect->answer.ok,
			.answer = effect->answer });
		flight->line = arena_str(&flight->arena, strbuf_str(&line));
		flight->at_ms = sim->now_ms + 1;
		strbuf_release(&line);
		return;
	}
}

static void
forget_all(struct sim *sim)
{
	struct guests *guests = sim->guests;

	memset(guests->links, 0, sizeof guests->links);
	memset(guests->ends, 0, sizeof guests->ends);
	guests->ntimers = 0;
	for (size_t i = 0; i < sim->nflights; i++) {
		struct sim_flight *flight = &sim->flights[i];
		if (flight->state == FLIGHT_NONE)
			continue;
		if (flight->holds)
			flight->abandoned = true;
		/* Who waits is hung up on. */
		if (flight->talks && flight->state == FLIGHT_BACK &&
		    flight->line.data == NULL)
			flight->at_ms = sim->now_ms + 1;
	}
}

/* It ends by itself: nothing may be left open then. */
static void
end(struct sim *sim)
{
	struct guests *guests = sim->guests;

	for (size_t i = 0; i < LINKS; i++)
		if (guests->links[i].number != 0)
			sim_violate(sim, "I14", "the holder ends with a "
			    "link");
	for (size_t i = 0; i < TUNNELS; i++)
		if (guests->ends[i].tunnel != 0)
			sim_violate(sim, "I14", "the holder ends, and %s is "
			    "open", guests->ends[i].address);
	sim_trace(sim, "the holder ends");
	holder_free(guests->holder);
	guests->holder = NULL;
	forget_all(sim);
}

static void
do_effect(struct sim *sim, const struct holder_effect *effect)
{
	struct guests *guests = sim->guests;

	switch (effect->type) {
	case HOLDER_DO_ASK:
		ask_cloud(sim, effect);
		break;
	case HOLDER_DO_FORGET:
		forget(sim, effect->token);
		break;
	case HOLDER_DO_LISTEN:
		listen_on(sim, effect);
		break;
	case HOLDER_DO_UNLISTEN:
		unlisten(guests, effect->tunnel, false);
		break;
	case HOLDER_DO_LINK:
		held_link_open(sim, effect);
		break;
	case HOLDER_DO_UNLINK:
		held_link_close(guests, effect->link);
		break;
	case HOLDER_DO_FORWARD:
		forward(sim, effect);
		break;
	case HOLDER_DO_UNFORWARD:
		unlisten(guests, effect->tunnel, true);
		break;
	case HOLDER_DO_CHECK:
		check_url(sim, effect);
		break;
	case HOLDER_DO_REPLY:
		reply(sim, effect);
		break;
	case HOLDER_DO_SAY:
		sim_trace(sim, "holder: " STR_FMT, STR_ARG(effect->text));
		break;
	case HOLDER_DO_END:
		end(sim);
		break;
	case HOLDER_DO_REFUSE:
		break;
	}
}

void
hold_tell(struct sim *sim, struct holder_event event)
{
	struct guests *guests = sim->guests;
	struct holder_effect effect;

	if (guests->holder == NULL)
		return;
	event.now_ms = sim->now_ms;
	event.wall_ms = EPOCH_MS + sim->now_ms;
	holder_event(guests->holder, &event);
	if (guests->turning)
		return;		/* the outermost does what follows */
	guests->turning = true;
	while (guests->holder != NULL &&
	    holder_next_effect(guests->holder, &effect))
		do_effect(sim, &effect);
	guests->turning = false;
}

/* ----------------------------------------------------------------- time -- */

static void
timer_fires(struct sim *sim, struct held_timer timer)
{
	struct guests *guests = sim->guests;
	struct held_link *link = held_link_find(guests, timer.link);
	struct arena scratch = {0};
	struct holder_event event = { .link = timer.link,
		.tunnel = timer.tunnel, .token = timer.token,
		.ok = timer.ok, .outcome = timer.outcome };

	if (timer.type != TIMER_CHECK && link == NULL)
		return;
	switch (timer.type) {
	case TIMER_LOGIN:
		event.type = HOLDER_ON_AUTHENTICATING;
		break;
	case TIMER_UP:
		event.type = HOLDER_ON_UP;
		if (!held_link_lives(sim, link))
			return;		/* silence */
		link->up = true;
		link->ping_ms = sim->now_ms + HELD_PING_MS;
		event.text = model_pod_host_key(&scratch,
		    model_pod_find(sim->model, str_from(link->pod)));
		break;
	case TIMER_DOWN:
		event.type = HOLDER_ON_DOWN;
		event.text = timer.outcome == SSH_WRONG_HOST_KEY
		    ? STR("the host key is not the pinned one")
		    : STR("the connection is lost");
		break;
	case TIMER_FORWARD:
		event.type = HOLDER_ON_FORWARD;
		event.text = STR("the worker says no");
		break;
	case TIMER_CHECK:
		event.type = HOLDER_ON_CHECK;
		event.text = STR("no answer");
		break;
	}
	hold_tell(sim, event);
	arena_release(&scratch);
}

static struct held_timer *
first_timer(const struct guests *guests)
{
	const struct held_timer *first = NULL;

	for (size_t i = 0; i < guests->ntimers; i++) {
		const struct held_timer *timer = &guests->timers[i];
		if (timer->at_ms >= 0 && (first == NULL ||
			timer->at_ms < first->at_ms ||
			(timer->at_ms == first->at_ms &&
			    timer->number < first->number)))
			first = timer;
	}
	return (struct held_timer *)first;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

int64_t
hold_next_ms(const struct sim *sim)
{
	const struct guests *guests = sim->guests;
	const struct held_timer *timer = first_timer(guests);
	int64_t next = -1;

	if (guests->holder == NULL)
		return -1;
	next = holder_deadline(guests->holder);
	if (timer != NULL)
		next = earlier(next, timer->at_ms);
	for (size_t i = 0; i < LINKS; i++)
		if (guests->links[i].number != 0 && guests->links[i].up &&
		    !guests->links[i].silent)
			next = earlier(next, guests->links[i].ping_ms);
	return next;
}

/* One thing that is due; false if none is. */
static bool
one_turn(struct sim *sim)
{
	struct guests *guests = sim->guests;
	struct held_timer *timer = first_timer(guests);

	if (guests->holder == NULL)
		return false;
	if (timer != NULL && timer->at_ms <= sim->now_ms) {
		struct held_timer fires = *timer;
		timer->at_ms = -1;
		timer_fires(sim, fires);
		return true;
	}
	for (size_t i = 0; i < LINKS; i++) {
		struct held_link *link = &guests->links[i];
		if (link->number != 0 && link->up && !link->silent &&
		    link->ping_ms <= sim->now_ms) {
			held_link_ping(sim, link);
			return true;
		}
	}
	int64_t due = holder_deadline(guests->holder);
	if (due < 0 || due > sim->now_ms)
		return false;
	hold_tell(sim, (struct holder_event){ .type = HOLDER_ON_TIME });
	return true;
}

void
hold_turn(struct sim *sim)
{
	int turns = 0;

	held_links_look(sim);
	while (one_turn(sim))
		if (++turns == TURNS_MAX) {
			sim_violate(sim, "I13", "the holder is busy and gets "
			    "nowhere");
			hold_kill(sim);
		}
}

/* -------------------------------------------------------------- process -- */

void
hold_kill(struct sim *sim)
{
	struct guests *guests = sim->guests;

	if (guests->holder == NULL)
		return;
	sim_trace(sim, "the holder is killed");
	guests->turning = true;		/* nobody carries anything out */
	holder_free(guests->holder);
	guests->turning = false;
	guests->holder = NULL;
	forget_all(sim);
}

void
hold_sleep(struct sim *sim)
{
	struct guests *guests = sim->guests;

	for (size_t i = 0; i < LINKS; i++)
		guests->links[i].silent = true;
	sim_trace(sim, "the machine has slept");
	hold_tell(sim, (struct holder_event){ .type = HOLDER_ON_SUSPENDED });
}

void
hold_hang_up(struct sim *sim, uint64_t client)
{
	hold_tell(sim, (struct holder_event){ .type = HOLDER_ON_HANGUP,
		.client = client });
}

void
hold_start(void *ctx, uint64_t token, const struct holder_request *request)
{
	struct sim *sim = ctx;
	struct strbuf line = {0};

	sim_step(sim, "talk to the holder");
	if (request->verb != HOLDER_LIST)
		check_one_writer(sim, "a tunnel is changed");
	struct sim_flight *flight = sim_flight_new(sim, token, FLIGHT_OUT,
	    rng_range(&sim->guests->rng, 1, 5));
	talk_write_request(&line, &(struct talk_request){
		.version = STR("0"), .request = *request,
		.keys = STR("keys") });
	flight->talks = true;
	flight->line = arena_str(&flight->arena, strbuf_str(&line));
	sinks_sent(sim, SINK_HOLDER, flight->line, "the holder");
	flight->gives_up_ms = sim->now_ms + request->timeout_ms + SLACK_MS;
	strbuf_release(&line);
}

static void
answer_none(struct sim_flight *flight)
{
	struct strbuf line = {0};

	talk_write_answer(&line, &(struct talk_answer){
		.version = STR("0"), .ok = true, .answer = { .ok = true } });
	flight->line = arena_str(&flight->arena, strbuf_str(&line));
	strbuf_release(&line);
}

void
hold_arrive(struct sim *sim, struct sim_flight *flight)
{
	struct guests *guests = sim->guests;
	struct arena scratch = {0};
	struct talk_request talk = {0};
	struct str why = {0};

	if (!talk_read_request(&scratch, flight->line, &talk, &why))
		sim_violate(sim, "I14", "a request to the holder cannot be "
		    "read: " STR_FMT, STR_ARG(why));
	flight->state = FLIGHT_BACK;
	flight->at_ms = sim->now_ms + 1;
	sim_trace(sim, "holder %d " STR_FMT, (int)talk.request.verb,
	    STR_ARG(talk.request.config.address));
	if (guests->holder == NULL && talk.request.verb != HOLDER_OPEN) {
		answer_none(flight);
		arena_release(&scratch);
		return;
	}
	if (guests->holder == NULL) {
		guests->held_once = true;
		guests->holder = holder_new(&(struct holder_options){
			.chance = sim->world.chance }, sim->now_ms);
	}
	flight->line = (struct str){0};
	flight->at_ms = flight->gives_up_ms;
	hold_tell(sim, (struct holder_event){ .type = HOLDER_ON_REQUEST,
		.client = flight->number, .request = &talk.request });
	arena_release(&scratch);
}

void
hold_answer(struct sim *sim, struct arena *arena, struct sim_flight *flight,
    struct world_event *event)
{
	struct holder_answer *answer = ARENA_NEW(arena, struct holder_answer);
	struct talk_answer talk = {0};
	struct str why;

	if (flight->line.data == NULL)
		answer->reason = STR("the holder of tunnels hung up");
	else if (!talk_read_answer(arena, arena_str(arena, flight->line),
		&talk, &why))
		sim_violate(sim, "I14", "the holder's answer cannot be read: "
		    STR_FMT, STR_ARG(why));
	else
		*answer = talk.answer;
	event->type = WORLD_HOLDER;
	event->holder = answer;
}

int
hold_may_listen(void *ctx, struct arena *arena, struct str address,
    uint16_t port, struct str *owner)
{
	struct sim *sim = ctx;

	(void)arena;
	(void)address;
	if (port_is_free(sim->guests, port))
		return 0;
	*owner = STR("python3 (pid 4711)");
	return -EADDRINUSE;
}
