/* ends.c - what is ended, stopped or reset, and what has to wait for it */
#include "plan/graph.h"

#include "base/plant.h"

void
wait_for_clear(struct graph *g, const struct plan_change *c, size_t action)
{
	if (PLANTED(10))
		return;
	list_wait(g, &g->clears, c->pod->id, action);
	list_wait(g, &g->clears, ANY_POD, action);
}

size_t
add_ending(struct graph *g, enum action_kind kind, size_t change)
{
	size_t action = action_chain(g, kind, change);

	wait_for_clear(g, &g->plan->changes.items[change], action);
	return action;
}

void
unmounts_add(struct graph *g, size_t change, size_t action)
{
	const struct plan_change *c = &g->plan->changes.items[change];
	struct str volume = c->pod != NULL ? c->pod->config.volume_id :
	    c->have->pod.volume_id;

	if (volume.len > 0)
		list_put(g, &g->unmounts, volume, action);
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
	    (c->orphan || c->have->deposed);
}

void
delete_spare(struct graph *g)
{
	for (size_t i = 0; i < g->plan->changes.n; i++) {
		const struct plan_change *c = &g->plan->changes.items[i];
		if (!is_spare(c))
			continue;
		size_t action = action_add(g, ACTION_POD_DELETE, i);
		wait_for_clear(g, c, action);
		list_put(g, &g->spare, slot_of(g, c), action);
		unmounts_add(g, i, action);
	}
}

void
wait_for_spare(struct graph *g, size_t change, size_t action)
{
	if (g->spare.n > 0)
		list_wait(g, &g->spare, slot_of(g,
		    &g->plan->changes.items[change]), action);
}

/* ------------------------------------------------ behind the barrier --- */

static bool
deletes_late(const struct plan_change *c)
{
	return (c->op == PLAN_DELETE && !is_spare(c)) ||
	    (c->op == PLAN_REPLACE && c->create_first);
}

static bool
deletes_any(const struct graph *g)
{
	for (size_t i = 0; i < g->plan->changes.n; i++)
		if (deletes_late(&g->plan->changes.items[i]) &&
		    g->removes[i] == NONE)
			return true;
	return false;
}

void
add_barrier(struct graph *g)
{
	if (g->before_barrier.n == 0 || !deletes_any(g))
		return;
	size_t barrier = action_add(g, ACTION_BARRIER, SIZE_MAX);
	g->plan->actions.items[barrier].after.items = g->before_barrier.items;
	g->plan->actions.items[barrier].after.n = g->before_barrier.n;
	g->plan->actions.items[barrier].after.cap = g->before_barrier.cap;
	g->barrier = barrier + 1;
}

size_t
add_delete(struct graph *g, enum action_kind kind, size_t change)
{
	size_t action = action_add(g, kind, change);

	if (g->barrier != NONE)
		action_after(g, action, g->barrier - 1);
	return action;
}

void
delete_pods(struct graph *g)
{
	for (size_t i = 0; i < g->plan->changes.n; i++) {
		const struct plan_change *c = &g->plan->changes.items[i];
		if (c->kind != KIND_POD)
			continue;
		if (deletes_late(c)) {
			size_t end = add_delete(g, ACTION_POD_DELETE, i);
			wait_for_clear(g, c, end);
			unmounts_add(g, i, end);
		} else if (c->op == PLAN_FORGET && !c->gone_proved)
			unmounts_add(g, i, action_add(g,
			    ACTION_POD_CONFIRM_GONE, i));
	}
}

void
delete_volumes(struct graph *g)
{
	for (size_t i = 0; i < g->plan->changes.n; i++) {
		const struct plan_change *c = &g->plan->changes.items[i];
		if (c->kind == KIND_VOLUME && c->op == PLAN_FORGET)
			action_add(g, ACTION_POD_CONFIRM_GONE, i);
		if (c->kind != KIND_VOLUME || c->op != PLAN_DELETE)
			continue;
		list_wait(g, &g->unmounts, c->volume->id,
		    add_delete(g, ACTION_VOLUME_DELETE, i));
	}
}
