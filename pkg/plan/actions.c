/*
 * actions.c - the ordered graph: what has to succeed before what.
 *
 *	volume -> pod -> running -> ssh banner
 *	                     \
 *	       every such end -> BARRIER -> pods deleted -> volumes deleted
 *
 * What cannot be undone comes last.  The deletions before the barrier are
 * that of a replacement which destroys first, and those of spare pods
 * (orphans, rests of replacements): a slot is filled only when nothing else
 * of ours is billed for it.  The barrier keeps the graph linear: n + m edges
 * where n creations come before m deletions.
 */
#include "plan/planner.h"

#include <assert.h>

enum { NONE = 0 };		/* ends hold an index plus one */

struct graph {
	struct planner *p;
	struct plan *plan;
	struct map by_address;	/* of changes with a wanted thing */
	size_t *ends;		/* by change: its last action, plus one */
	bool *visited;		/* by change */
	VEC_OF(size_t) before_barrier;
	size_t barrier;		/* plus one */
	struct map unmounts;	/* volume id -> struct unmount */
	struct map spare;	/* slot -> struct unmount: their deletions */
};

/* Deletions that a volume's own has to wait for. */
struct unmount { VEC_OF(size_t) actions; };

static size_t
action_add(struct graph *g, enum action_kind kind, size_t change)
{
	*ARENA_PUSH(g->p->arena, &g->plan->actions) = (struct plan_action){
		.kind = kind, .change = change,
	};
	return g->plan->actions.n - 1;
}

static void
action_after(struct graph *g, size_t action, size_t before)
{
	*ARENA_PUSH(g->p->arena,
	    &g->plan->actions.items[action].after) = before;
}

/* Add an action behind the last one of its change. */
static size_t
action_chain(struct graph *g, enum action_kind kind, size_t change)
{
	size_t action = action_add(g, kind, change);

	if (g->ends[change] != NONE)
		action_after(g, action, g->ends[change] - 1);
	g->ends[change] = action + 1;
	return action;
}

/* --------------------------------------------------- creating side ----- */

static void visit(struct graph *g, size_t change);

/* The ends of the changes that this one needs come first. */
static void
wait_for_needs(struct graph *g, size_t change, size_t action)
{
	const struct resource *want = g->plan->changes.items[change].want;

	for (size_t i = 0; want != NULL && i < want->nneeds; i++) {
		const struct plan_change *need = map_get(&g->by_address,
		    want->needs[i]->address);
		if (need == NULL)
			continue;
		size_t at = (size_t)(need - g->plan->changes.items);
		if (g->ends[at] != NONE)
			action_after(g, action, g->ends[at] - 1);
	}
}

static void
wait_until_up(struct graph *g, size_t change)
{
	const struct plan_change *c = &g->plan->changes.items[change];

	action_chain(g, ACTION_POD_RUNNING, change);
	if (config_has_ssh(&c->config))
		action_chain(g, ACTION_POD_SSH, change);
}

/* The old pod of a replacement, and whose volume it no longer mounts. */
static void
unmounts_add(struct graph *g, size_t change, size_t action)
{
	const struct plan_change *c = &g->plan->changes.items[change];
	struct str volume = c->pod != NULL ? c->pod->config.volume_id :
	    c->have != NULL ? c->have->pod.volume_id : (struct str){0};

	if (volume.len == 0)
		return;
	struct unmount *unmount = map_get(&g->unmounts, volume);
	if (unmount == NULL) {
		unmount = ARENA_NEW(g->p->arena, struct unmount);
		map_put(&g->unmounts, g->p->arena, volume, unmount);
	}
	*ARENA_PUSH(g->p->arena, &unmount->actions) = action;
}

/* pod.x and pod.x[0] are one slot. */
static struct str
slot_of(struct graph *g, const struct plan_change *c)
{
	return address_format(g->p->arena, c->kind, c->name,
	    c->key < 0 ? 0 : c->key);
}

static bool
is_spare(const struct plan_change *c)
{
	return c->op == PLAN_DELETE && c->kind == KIND_POD &&
	    (c->orphan || (c->have != NULL && c->have->deposed));
}

static void
delete_spare(struct graph *g)
{
	for (size_t i = 0; i < g->plan->changes.n; i++) {
		const struct plan_change *c = &g->plan->changes.items[i];
		if (!is_spare(c))
			continue;
		struct str slot = slot_of(g, c);
		struct unmount *list = map_get(&g->spare, slot);
		if (list == NULL) {
			list = ARENA_NEW(g->p->arena, struct unmount);
			map_put(&g->spare, g->p->arena, slot, list);
		}
		size_t action = action_add(g, ACTION_POD_DELETE, i);
		*ARENA_PUSH(g->p->arena, &list->actions) = action;
		unmounts_add(g, i, action);
	}
}

static void
wait_for_spare(struct graph *g, size_t change, size_t action)
{
	const struct unmount *list = g->spare.n == 0 ? NULL :
	    map_get(&g->spare,
		slot_of(g, &g->plan->changes.items[change]));

	for (size_t i = 0; list != NULL && i < list->actions.n; i++)
		action_after(g, action, list->actions.items[i]);
}

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
		size_t end = action_chain(g, ACTION_POD_DELETE, change);
		wait_for_needs(g, change, end);
		unmounts_add(g, change, end);
	}
	size_t create = action_chain(g, ACTION_POD_CREATE, change);
	wait_for_needs(g, change, create);
	wait_for_spare(g, change, create);
	wait_until_up(g, change);
}

static void
emit_update(struct graph *g, size_t change)
{
	const struct plan_change *c = &g->plan->changes.items[change];

	if (c->kind == KIND_VOLUME) {
		action_chain(g, ACTION_VOLUME_UPDATE, change);
		return;
	}
	wait_for_needs(g, change, action_chain(g, ACTION_POD_UPDATE, change));
	if (c->stop)
		action_chain(g, ACTION_POD_STOP, change);
	if (c->start)
		action_chain(g, ACTION_POD_START, change);
	if (c->start || (c->restarts && !c->stop && c->pod != NULL &&
		c->pod->status != POD_EXITED))
		wait_until_up(g, change);
}

static void
emit(struct graph *g, size_t change)
{
	switch (g->plan->changes.items[change].op) {
	case PLAN_CREATE:
	case PLAN_REPLACE:
		emit_create(g, change);
		break;
	case PLAN_UPDATE:
		emit_update(g, change);
		break;
	case PLAN_START:
		action_chain(g, ACTION_POD_START, change);
		wait_until_up(g, change);
		break;
	case PLAN_STOP:
		action_chain(g, ACTION_POD_STOP, change);
		break;
	case PLAN_DELETE:
	case PLAN_FORGET:
	case PLAN_NOOP:
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

/* --------------------------------------------------- deleting side ----- */

static bool
deletes_late(const struct plan_change *c)
{
	return (c->op == PLAN_DELETE && !is_spare(c)) ||
	    (c->op == PLAN_REPLACE && c->create_first);
}

static bool
deletes_any(const struct plan *plan)
{
	for (size_t i = 0; i < plan->changes.n; i++)
		if (deletes_late(&plan->changes.items[i]))
			return true;
	return false;
}

static void
add_barrier(struct graph *g)
{
	if (g->before_barrier.n == 0 || !deletes_any(g->plan))
		return;
	size_t barrier = action_add(g, ACTION_BARRIER, SIZE_MAX);
	g->plan->actions.items[barrier].after.items = g->before_barrier.items;
	g->plan->actions.items[barrier].after.n = g->before_barrier.n;
	g->plan->actions.items[barrier].after.cap = g->before_barrier.cap;
	g->barrier = barrier + 1;
}

static size_t
add_delete(struct graph *g, enum action_kind kind, size_t change)
{
	size_t action = action_add(g, kind, change);

	if (g->barrier != NONE)
		action_after(g, action, g->barrier - 1);
	return action;
}

static void
delete_pods(struct graph *g)
{
	for (size_t i = 0; i < g->plan->changes.n; i++) {
		const struct plan_change *c = &g->plan->changes.items[i];
		if (c->kind != KIND_POD)
			continue;
		if (deletes_late(c))
			unmounts_add(g, i, add_delete(g, ACTION_POD_DELETE,
			    i));
		else if (c->op == PLAN_FORGET && !c->gone_proved)
			unmounts_add(g, i, action_add(g,
			    ACTION_POD_CONFIRM_GONE, i));
	}
}

static void
delete_volumes(struct graph *g)
{
	for (size_t i = 0; i < g->plan->changes.n; i++) {
		const struct plan_change *c = &g->plan->changes.items[i];
		if (c->kind == KIND_VOLUME && c->op == PLAN_FORGET)
			action_add(g, ACTION_POD_CONFIRM_GONE, i);
		if (c->kind != KIND_VOLUME || c->op != PLAN_DELETE)
			continue;
		size_t action = add_delete(g, ACTION_VOLUME_DELETE, i);
		const struct unmount *unmount = map_get(&g->unmounts,
		    c->volume->id);
		for (size_t j = 0; unmount != NULL &&
		    j < unmount->actions.n; j++)
			action_after(g, action, unmount->actions.items[j]);
	}
}

static void
add_wait(struct graph *g, size_t wait)
{
	const struct plan_change *c = &g->plan->waits.items[wait];
	size_t change = g->plan->changes.n + wait;
	size_t running = action_add(g, ACTION_POD_RUNNING, change);

	if (config_has_ssh(&c->pod->config))
		action_after(g, action_add(g, ACTION_POD_SSH, change),
		    running);
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

void
actions_make(struct planner *p)
{
	struct plan *plan = p->plan;
	struct graph g = { .p = p, .plan = plan };

	g.ends = ARENA_ARRAY(p->arena, size_t, plan->changes.n);
	g.visited = ARENA_ARRAY(p->arena, bool, plan->changes.n);
	for (size_t i = 0; i < plan->changes.n; i++)
		if (plan->changes.items[i].want != NULL)
			map_put(&g.by_address, p->arena,
			    plan->changes.items[i].address,
			    &plan->changes.items[i]);
	delete_spare(&g);
	for (size_t i = 0; i < plan->changes.n; i++)
		if (plan->changes.items[i].kind == KIND_VOLUME)
			visit(&g, i);
	for (size_t i = 0; i < plan->changes.n; i++)
		visit(&g, i);
	add_barrier(&g);
	delete_pods(&g);
	delete_volumes(&g);
	for (size_t i = 0; i < plan->waits.n; i++)
		add_wait(&g, i);
	for (size_t i = 0; i < plan->actions.n; i++)
		for (size_t j = 0; j < plan->actions.items[i].after.n; j++)
			assert(plan->actions.items[i].after.items[j] < i);
}
