/*
 * graph.h - the ordered graph of actions while it is being made.
 *
 *	actions.c	the whole, and what creates and changes
 *	guests.c	what is done inside pods: setup, runners, tunnels
 *	ends.c		what ends: before and behind the barrier
 *
 * Actions are added in an order in which they could be carried out, so an
 * action only ever comes after those with smaller numbers.
 */
#ifndef PLAN_GRAPH_H
#define PLAN_GRAPH_H

#include "plan/planner.h"

enum { NONE = 0 };		/* ends hold an index plus one */

/* Actions that something has to wait for. */
struct action_list { VEC_OF(size_t) actions; };

struct graph {
	struct planner *p;
	struct plan *plan;
	struct map by_address;	/* of changes with a wanted thing */
	size_t *ends;		/* by change, then wait: its last action, plus
				   one */
	size_t *removes;	/* by change, of a runner: its removal; of a
				   tunnel: its closing; plus one */
	bool *visited;		/* by change */
	VEC_OF(size_t) before_barrier;
	size_t barrier;		/* plus one */
	struct map unmounts;	/* volume id -> action_list */
	struct map spare;	/* slot -> action_list: their deletions */
	struct map clears;	/* pod id -> action_list: what has to have
				   left it before it is ended; ANY_POD: what
				   may be on any of them */
};

#define ANY_POD STR("any")	/* ids of pods are longer */

size_t action_add(struct graph *g, enum action_kind kind, size_t change);
void action_after(struct graph *g, size_t action, size_t before);
/* Add an action behind the last one of its change. */
size_t action_chain(struct graph *g, enum action_kind kind, size_t change);
void list_put(struct graph *g, struct map *map, struct str key,
    size_t action);
void list_wait(struct graph *g, const struct map *map, struct str key,
    size_t action);

/* ------------------------------------------------------- guests.c ------ */

/* Wait until a pod is up, and do inside what is to be done. */
void chain_inside(struct graph *g, size_t change,
    const struct pod_config *config);
void emit_runner(struct graph *g, size_t change);
void emit_tunnel(struct graph *g, size_t change);
/* Removals and closings that come before what happens to pods. */
void clear_early(struct graph *g);
/* And those that come behind the barrier. */
void clear_late(struct graph *g);

/* --------------------------------------------------------- ends.c ------ */

/* Add an action that ends or resets a pod: who is on it goes first. */
size_t add_ending(struct graph *g, enum action_kind kind, size_t change);
/* What is on the pod, or may be, goes before it is ended by this action. */
void wait_for_clear(struct graph *g, const struct plan_change *c,
    size_t action);
/* The volume that a pod of this change no longer mounts. */
void unmounts_add(struct graph *g, size_t change, size_t action);
void delete_spare(struct graph *g);
void wait_for_spare(struct graph *g, size_t change, size_t action);
void add_barrier(struct graph *g);
size_t add_delete(struct graph *g, enum action_kind kind, size_t change);
void delete_pods(struct graph *g);
void delete_volumes(struct graph *g);

#endif
