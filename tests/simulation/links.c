/*
 * links.c - the holder's links to pods, and the ends of its tunnels; see
 * held.h
 */
#include "held.h"

#include <assert.h>
#include <string.h>

/* --------------------------------------------------------------- places -- */

struct held_link *
held_link_find(struct guests *guests, uint32_t number)
{
	for (size_t i = 0; i < LINKS && number != 0; i++)
		if (guests->links[i].number == number)
			return &guests->links[i];
	return NULL;
}

struct held_end *
held_end_find(struct guests *guests, uint32_t tunnel)
{
	for (size_t i = 0; i < TUNNELS && tunnel != 0; i++)
		if (guests->ends[i].tunnel == tunnel)
			return &guests->ends[i];
	return NULL;
}

struct held_end *
held_end_make(struct guests *guests, uint32_t tunnel,
    const struct tunnel_config *config)
{
	struct held_end *end = held_end_find(guests, tunnel);

	for (size_t i = 0; i < TUNNELS && end == NULL; i++)
		if (guests->ends[i].tunnel == 0)
			end = &guests->ends[i];
	assert(end != NULL);
	end->tunnel = tunnel;
	snprintf(end->address, sizeof end->address, STR_FMT,
	    STR_ARG(config->address));
	snprintf(end->pod, sizeof end->pod, STR_FMT, STR_ARG(config->pod_id));
	return end;
}

void
held_end_tidy(struct held_end *end)
{
	if (end != NULL && !end->listens && end->link == 0)
		*end = (struct held_end){0};
}

struct held_timer *
held_timer_set(struct sim *sim, enum timer_type type, int64_t after_ms)
{
	struct guests *guests = sim->guests;
	size_t i = 0;

	while (i < guests->ntimers && guests->timers[i].at_ms >= 0)
		i++;
	assert(i < TIMERS);
	if (i == guests->ntimers)
		guests->ntimers++;
	guests->timers[i] = (struct held_timer){
		.at_ms = sim->now_ms + after_ms, .type = type,
		.number = ++guests->number,
	};
	return &guests->timers[i];
}

/* ----------------------------------------------------------------- links -- */

/* Somebody else has the port, or the pod's key is another. */
static void
log_in(struct sim *sim, struct held_link *link,
    const struct ssh_target *target)
{
	struct arena scratch = {0};
	const struct model_pod *pod = pod_at(sim, target->host, target->port);
	struct held_timer *timer;
	bool pinned = target->npins == 0;
	int64_t takes_ms = rng_range(&sim->guests->rng, 20, 1500);

	if (pod == NULL || guest_strikes(sim, GUEST_REFUSED)) {
		timer = held_timer_set(sim, TIMER_DOWN, takes_ms);
		timer->link = link->number;
		timer->outcome = SSH_UNREACHABLE;
		return;
	}
	for (size_t i = 0; i < target->npins; i++)
		pinned |= str_eq(target->pins[i],
		    model_pod_host_key(&scratch, pod));
	arena_release(&scratch);
	if (target->npins > 0 && guest_strikes(sim, GUEST_WRONG_KEY))
		pinned = false;
	if (!pinned || guest_strikes(sim, GUEST_DENIED)) {
		timer = held_timer_set(sim, TIMER_DOWN, takes_ms);
		timer->link = link->number;
		timer->outcome = pinned ? SSH_DENIED : SSH_WRONG_HOST_KEY;
		return;
	}
	snprintf(link->pod, sizeof link->pod, STR_FMT, STR_ARG(pod->id));
	link->start = pod->start_number;
	held_timer_set(sim, TIMER_LOGIN, takes_ms / 2)->link = link->number;
	if (!guest_strikes(sim, GUEST_SILENT))
		held_timer_set(sim, TIMER_UP, takes_ms)->link = link->number;
}

void
held_link_open(struct sim *sim, const struct holder_effect *effect)
{
	struct guests *guests = sim->guests;
	struct held_link *link = NULL;

	for (size_t i = 0; i < LINKS && link == NULL; i++)
		if (guests->links[i].number == 0)
			link = &guests->links[i];
	assert(link != NULL);
	*link = (struct held_link){ .number = effect->link,
		.port = effect->target.port };
	check_pins(sim, &effect->target);
	snprintf(link->host, sizeof link->host, STR_FMT,
	    STR_ARG(effect->target.host));
	log_in(sim, link, &effect->target);
}

/* Forwards end with their link. */
void
held_link_close(struct guests *guests, uint32_t number)
{
	struct held_link *link = held_link_find(guests, number);

	if (link == NULL)
		return;
	*link = (struct held_link){0};
	for (size_t i = 0; i < TUNNELS; i++)
		if (guests->ends[i].tunnel != 0 &&
		    guests->ends[i].link == number) {
			guests->ends[i].link = 0;
			held_end_tidy(&guests->ends[i]);
		}
}

bool
held_link_lives(struct sim *sim, const struct held_link *link)
{
	const struct model_pod *pod = link->pod[0] == '\0'
	    ? NULL
	    : model_pod_find(sim->model, str_from(link->pod));

	return pod != NULL && pod->status == MODEL_RUNNING &&
	    pod->up_ms >= 0 && pod->start_number == link->start;
}

/* The container of a link has ended, or a link dies by itself. */
void
held_links_look(struct sim *sim)
{
	struct guests *guests = sim->guests;

	for (size_t i = 0; i < LINKS; i++) {
		struct held_link *link = &guests->links[i];
		if (link->number == 0 || !link->up || link->silent)
			continue;
		if (held_link_lives(sim, link))
			continue;
		link->silent = true;	/* it is told once, or never */
		if (guest_strikes(sim, GUEST_HALF_OPEN))
			continue;
		struct held_timer *timer = held_timer_set(sim, TIMER_DOWN,
		    rng_range(&guests->rng, 1, 2000));
		timer->link = link->number;
		timer->outcome = SSH_LOST;
	}
}

void
held_link_ping(struct sim *sim, struct held_link *link)
{
	link->ping_ms = sim->now_ms + HELD_PING_MS;
	if (guest_strikes(sim, GUEST_HALF_OPEN)) {
		link->silent = true;
		return;
	}
	if (guest_strikes(sim, GUEST_VANISHED)) {
		struct held_timer *timer = held_timer_set(sim, TIMER_DOWN, 1);
		timer->link = link->number;
		timer->outcome = SSH_LOST;
		link->silent = true;
		return;
	}
	hold_tell(sim, (struct holder_event){ .type = HOLDER_ON_RTT,
		.link = link->number, .rtt_us = 40000 });
}
