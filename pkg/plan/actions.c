/*
 * actions.c - the ordered graph: what has to succeed before what.
 *
 *	volume -> pod -> running -> ssh banner -> login -> checks -> setup
 *	                 -> process -> runner online, tunnel open
 *	                                \
 *	       every such end -> BARRIER -> tunnels closed, runners removed
 *	                                    -> pods deleted -> volumes deleted
 *
 * What cannot be undone comes last.  The deletions before the barrier are
 * that of a replacement which destroys first, and those of spare pods
 * (orphans, rests of replacements): a slot is filled only when nothing else
 * of ours is billed for it.  A runner leaves GitHub before its pod is ended,
 * stopped or reset, on whichever side of the barrier that is.  The barrier
 * keeps the graph linear: n + m edges where n creations come before m
 * deletions.
 */
#include "plan/graph.h"

#include <assert.h>

size_t
action_add(struct graph *g, enum action_kind kind, size_t change)
{
	*ARENA_PUSH(g->p->arena, &g->plan->actions) = (struct plan_action){
		.kind = kind, .change = change,
	};
	return g->plan->actions.n - 1;
}

void
action_after(struct graph *g, size_t action, size_t before)
{
	*ARENA_PUSH(g->p->arena,
	    &g->plan->actions.items[action].after) = before;
}

size_t
action_chain(struct graph *g, enum action_kind kind, size_t change)
{
	size_t action = action_add(g, kind, change);

	if (g->ends[change] != NONE)
		action_after(g, action, g->ends[change] - 1);
	g->ends[change] = action + 1;
	return action;
}

void
list_put(struct graph *g, struct map *map, struct str key, size_t action)
{
	struct action_list *list = map_get(map, key);

	if (list == NULL) {
		list = ARENA_NEW(g->p->arena, struct action_list);
		map_put(map, g->p->arena, key, list);
	}
	*ARENA_PUSH(g->p->arena, &list->actions) = action;
}

void
list_wait(struct graph *g, const struct map *map, struct str key,
    size_t action)
{
	const struct action_list *list = map_get(map, key);

	for (size_t i = 0; list != NULL && i < list->actions.n; i++)
		action_after(g, action, list->actions.items[i]);
}

/* The ends of the changes that this one needs come first. */
static void
wait_for_needs(struct graph *g, size_t change, size_t action)
{
	const struct resource *want = g->plan->changes.items[change].want;

	for (size_t i = 0; i < want->nneeds; i++) {
		const struct plan_change *need = map_get(&g->by_address,
		    want->needs[i]->address);
		if (need == NULL)
			continue;
		size_t at = (size_t)(need - g->plan->changes.items);
		if (g->ends[at] != NONE)
			action_after(g, action, g->ends[at] - 1);
	}
}

/* ------------------------------------------------------------- each ---- */

static void
emit_create(struct graph *g, size_t change)
{
	const struct plan_change *c = &g->plan->changes.items[change];

	if (c->op == PLAN_CREATE && c->gone && !c->gone_proved)
		action_chain(g, ACTION_POD_CONFIRM_GONE, change);
	if (c->kind == KIND_VOLUME) {
		action_chain(g, ACTION_VOLUME_CREATE, change);
		return;
	}
	if (c->op == PLAN_REPLACE && !c->create_first) {
		/* Nothing is ended for a need that may fail to be met. */
		size_t end = add_ending(g, ACTION_POD_DELETE, change);
		wait_for_needs(g, change, end);
		unmounts_add(g, change, end);
	}
	size_t create = action_chain(g, ACTION_POD_CREATE, change);
	wait_for_needs(g, change, create);
	wait_for_spare(g, change, create);
	chain_inside(g, change, &c->config);
}

/* An earlier run has started it: nobody is done before it is ready. */
static bool
comes_up(const struct cloud_pod *pod)
{
	return pod->status == POD_PROVISIONING ||
	    pod->status == POD_STARTING ||
	    (pod->status == POD_RUNNING && !pod->has_runtime);
}

static void
emit_update(struct graph *g, size_t change)
{
	const struct plan_change *c = &g->plan->changes.items[change];

	if (c->kind == KIND_VOLUME) {
		action_chain(g, ACTION_VOLUME_UPDATE, change);
		return;
	}
	if (c->changes != 0)
		wait_for_needs(g, change, c->restarts ?
		    add_ending(g, ACTION_POD_UPDATE, change) :
		    action_chain(g, ACTION_POD_UPDATE, change));
	if (c->stop)
		add_ending(g, ACTION_POD_STOP, change);
	if (c->start)
		action_chain(g, ACTION_POD_START, change);
	if (c->start || c->inside.login ||
	    (c->restarts && !c->stop && c->pod->status != POD_EXITED) ||
	    (!c->stop && comes_up(c->pod)))
		chain_inside(g, change, &c->config);
}

static void
emit_pod_or_volume(struct graph *g, size_t change)
{
	const struct plan_change *c = &g->plan->changes.items[change];

	switch (c->op) {
	case PLAN_CREATE:
	case PLAN_REPLACE:
		emit_create(g, change);
		break;
	case PLAN_UPDATE:
		emit_update(g, change);
		break;
	case PLAN_START:
		action_chain(g, ACTION_POD_START, change);
		chain_inside(g, change, &c->config);
		break;
	case PLAN_STOP:
		add_ending(g, ACTION_POD_STOP, change);
		break;
	case PLAN_DELETE:
	case PLAN_FORGET:
	case PLAN_NOOP:
		break;
	}
}

static void
emit(struct graph *g, size_t change)
{
	switch (g->plan->changes.items[change].kind) {
	case KIND_RUNNER:
		emit_runner(g, change);
		break;
	case KIND_TUNNEL:
		emit_tunnel(g, change);
		break;
	case KIND_POD:
	case KIND_VOLUME:
	case KIND_COUNT:
		emit_pod_or_volume(g, change);
		break;
	}
	if (g->ends[change] != NONE)
		*ARENA_PUSH(g->p->arena, &g->before_barrier) =
		    g->ends[change] - 1;
}

/* Needs before what needs them; the spec was refused if they made a ring. */
static void
visit(struct graph *g, size_t change)
{
	const struct resource *want = g->plan->changes.items[change].want;

	if (g->visited[change])
		return;
	g->visited[change] = true;
	for (size_t i = 0; want != NULL && i < want->nneeds; i++) {
		const struct plan_change *need = map_get(&g->by_address,
		    want->needs[i]->address);
		if (need != NULL)
			visit(g, (size_t)(need - g->plan->changes.items));
	}
	emit(g, change);
}

/* A pod that is coming up, or that somebody is to be let in to. */
static void
add_wait(struct graph *g, size_t wait)
{
	const struct plan_change *c = &g->plan->waits.items[wait];

	chain_inside(g, g->plan->changes.n + wait, &c->pod->config);
}

const struct plan_change *
plan_action_change(const struct plan *plan, const struct plan_action *action)
{
	if (action->change == SIZE_MAX)
		return NULL;
	if (action->change < plan->changes.n)
		return &plan->changes.items[action->change];
	return &plan->waits.items[action->change - plan->changes.n];
}

static void
graph_init(struct graph *g)
{
	struct plan *plan = g->plan;
	size_t n = plan->changes.n + plan->waits.n;

	g->ends = ARENA_ARRAY(g->p->arena, size_t, n);
	g->removes = ARENA_ARRAY(g->p->arena, size_t, n);
	g->visited = ARENA_ARRAY(g->p->arena, bool, n);
	for (size_t i = 0; i < plan->changes.n; i++)
		if (plan->changes.items[i].want != NULL)
			map_put(&g->by_address, g->p->arena,
			    plan->changes.items[i].address,
			    &plan->changes.items[i]);
}

void
actions_make(struct planner *p)
{
	struct plan *plan = p->plan;
	struct graph g = { .p = p, .plan = plan };

	graph_init(&g);
	clear_early(&g);
	delete_spare(&g);
	for (size_t i = 0; i < plan->changes.n; i++)
		if (plan->changes.items[i].kind == KIND_VOLUME)
			visit(&g, i);
	for (size_t i = 0; i < plan->waits.n; i++)
		add_wait(&g, i);
	for (size_t i = 0; i < plan->changes.n; i++)
		visit(&g, i);
	add_barrier(&g);
	clear_late(&g);
	delete_pods(&g);
	delete_volumes(&g);
	for (size_t i = 0; i < plan->actions.n; i++)
		for (size_t j = 0; j < plan->actions.items[i].after.n; j++)
			assert(plan->actions.items[i].after.items[j] < i);
}
