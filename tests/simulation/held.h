/*
 * held.h - the inside of the holder's process: holder.c has the machine, its
 * effects and its time, links.c what it holds open.
 */
#ifndef SIMULATION_HELD_H
#define SIMULATION_HELD_H

#include "guests.h"
#include "tunnel/holder.h"

enum { HELD_PING_MS = 15000 };

/* holder.c: an event for the machine; what follows is carried out. */
void hold_tell(struct sim *sim, struct holder_event event);

/* links.c: places, by number; NULL if there is none. */
struct held_link *held_link_find(struct guests *guests, uint32_t number);
struct held_end *held_end_find(struct guests *guests, uint32_t tunnel);
struct held_end *held_end_make(struct guests *guests, uint32_t tunnel,
    const struct tunnel_config *config);
/* What neither listens nor is forwarded is no end any more. */
void held_end_tidy(struct held_end *end);
struct held_timer *held_timer_set(struct sim *sim, enum timer_type type,
    int64_t after_ms);
void held_link_open(struct sim *sim, const struct holder_effect *effect);
/* Forwards end with their link. */
void held_link_close(struct guests *guests, uint32_t number);
/* Does the container that it was opened to run? */
bool held_link_lives(struct sim *sim, const struct held_link *link);
/* Which have lost their container since, or die by themselves? */
void held_links_look(struct sim *sim);
void held_link_ping(struct sim *sim, struct held_link *link);

#endif
