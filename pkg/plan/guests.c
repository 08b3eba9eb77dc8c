/*
 * guests.c - what is done inside pods, in the order in which it is done.
 *
 *	running -> ssh -> login -> check[0] -> check[1] ... -> setup[k] ...
 *	        -> process -> (runner) install -> register -> start -> online
 *	                   -> (tunnel) open
 *
 * Where somebody is on a pod that is to be ended, stopped or reset, going
 * away comes first: clear_early() for what happens before the barrier.
 */
#include "plan/graph.h"

#include <assert.h>

static void
chain_step(struct graph *g, enum action_kind kind, size_t change, size_t step)
{
	size_t action = action_chain(g, kind, change);

	g->plan->actions.items[action].step = step;
}

static const struct plan_change *
change_at(const struct graph *g, size_t change)
{
	size_t n = g->plan->changes.n;

	return change < n ? &g->plan->changes.items[change] :
	    &g->plan->waits.items[change - n];
}

void
chain_inside(struct graph *g, size_t change, const struct pod_config *config)
{
	const struct plan_change *c = change_at(g, change);
	const struct plan_inside *inside = &c->inside;

	action_chain(g, ACTION_POD_RUNNING, change);
	if (!config_has_ssh(config))
		return;
	action_chain(g, ACTION_POD_SSH, change);
	if (!inside->login)
		return;
	action_chain(g, ACTION_POD_LOGIN, change);
	const struct pod_spec *spec = c->want->pod;
	for (size_t i = 0; inside->checks && i < spec->nready_checks; i++)
		chain_step(g, ACTION_POD_CHECK, change, i);
	for (size_t i = inside->first_step; i < spec->nsetup; i++)
		chain_step(g, ACTION_POD_SETUP, change, i);
	if (inside->process)
		action_chain(g, ACTION_POD_PROCESS, change);
}

/* ------------------------------------------------------ going away ----- */

/* The pod that a recorded runner or a held tunnel is on. */
static struct str
pod_left(const struct plan_change *c)
{
	if (c->kind == KIND_RUNNER)
		return c->have != NULL ? c->have->runner.pod_id :
		    (struct str){0};
	return c->tunnel->config.pod_id;
}

static bool
goes(const struct plan_change *c)
{
	return (c->kind == KIND_RUNNER || c->kind == KIND_TUNNEL) &&
	    (c->op == PLAN_DELETE || c->op == PLAN_REPLACE);
}

/* Is a pod ended, stopped or reset before the barrier? */
static bool
ends_early(const struct plan_change *c)
{
	if (c->kind != KIND_POD)
		return false;
	switch (c->op) {
	case PLAN_REPLACE:
		return !c->create_first;
	case PLAN_UPDATE:
		return c->restarts || c->stop;
	case PLAN_STOP:
		return true;
	case PLAN_DELETE:
		return c->orphan || c->have->deposed;
	default:
		return false;
	}
}

static size_t
clear(struct graph *g, size_t change)
{
	const struct plan_change *c = &g->plan->changes.items[change];
	size_t action = action_chain(g, c->kind == KIND_RUNNER ?
	    ACTION_RUNNER_REMOVE : ACTION_TUNNEL_CLOSE, change);
	struct str pod = pod_left(c);

	g->removes[change] = action + 1;
	if (pod.len > 0)
		list_put(g, &g->clears, pod, action);
	else if (c->kind == KIND_RUNNER)	/* an orphan: see runner.c */
		list_put(g, &g->clears, ANY_POD, action);
	return action;
}

/* A successor on a pod that is made first may come before it leaves. */
static bool
clears_late(struct graph *g, const struct plan_change *c)
{
	const struct plan_change *pod;

	if (c->op == PLAN_DELETE)
		return true;
	pod = c->host_change == SIZE_MAX ? NULL :
	    change_at(g, c->host_change);
	return c->kind == KIND_RUNNER && pod != NULL &&
	    pod->op == PLAN_REPLACE && pod->create_first;
}

static bool
same_end(const struct tunnel_config *a, const struct tunnel_config *b)
{
	return a->direction != TUNNEL_REMOTE &&
	    b->direction != TUNNEL_REMOTE &&
	    str_eq(a->local_address, b->local_address) &&
	    a->local_port == b->local_port;
}

/* Does a tunnel that is opened want the local end of this one? */
static bool
end_is_wanted(const struct graph *g, const struct plan_change *c)
{
	for (size_t i = 0; c->kind == KIND_TUNNEL && i < g->plan->changes.n;
	    i++) {
		const struct plan_change *other = &g->plan->changes.items[i];
		if (other->kind == KIND_TUNNEL && other != c &&
		    other->op != PLAN_DELETE &&
		    same_end(&other->tunnel_config, &c->tunnel->config))
			return true;
	}
	return false;
}

void
clear_early(struct graph *g)
{
	struct map ending = {0};

	for (size_t i = 0; i < g->plan->changes.n; i++) {
		const struct plan_change *c = &g->plan->changes.items[i];
		if (ends_early(c))
			map_put(&ending, g->p->arena, c->pod->id,
			    (void *)(uintptr_t)c);
	}
	for (size_t i = 0; i < g->plan->changes.n; i++) {
		const struct plan_change *c = &g->plan->changes.items[i];
		struct str pod = goes(c) ? pod_left(c) : (struct str){0};
		if (!goes(c) || (c->kind == KIND_TUNNEL &&
			c->op == PLAN_REPLACE && pod.len > 0 &&
			map_get(&ending, pod) == NULL))
			continue;
		bool leaves = pod.len > 0 ? map_get(&ending, pod) != NULL
		    : c->kind == KIND_RUNNER && ending.n > 0;
		if (clears_late(g, c) && !end_is_wanted(g, c) && !leaves)
			continue;
		clear(g, i);
	}
}

/* A replaced runner's chain goes on with its removal, behind the barrier. */
void
clear_late(struct graph *g)
{
	for (size_t i = 0; i < g->plan->changes.n; i++) {
		const struct plan_change *c = &g->plan->changes.items[i];
		if (!goes(c) || g->removes[i] != NONE)
			continue;
		size_t action = clear(g, i);
		if (g->barrier != NONE)
			action_after(g, action, g->barrier - 1);
	}
}

/* ---------------------------------------------------------- coming ----- */

static void
wait_for_host(struct graph *g, size_t change, size_t action)
{
	size_t host = g->plan->changes.items[change].host_change;

	if (host == SIZE_MAX)
		return;
	/* It was visited before, and a pod that somebody comes to is up. */
	assert(g->ends[host] != NONE);
	action_after(g, action, g->ends[host] - 1);
}

void
emit_runner(struct graph *g, size_t change)
{
	enum plan_op op = g->plan->changes.items[change].op;

	if (op != PLAN_CREATE && op != PLAN_REPLACE)
		return;
	wait_for_host(g, change, action_chain(g, ACTION_RUNNER_INSTALL,
	    change));
	action_chain(g, ACTION_RUNNER_REGISTER, change);
	action_chain(g, ACTION_RUNNER_START, change);
	action_chain(g, ACTION_RUNNER_ONLINE, change);
}

/* Closings that free the local end were put first: see clear_early(). */
static void
wait_for_end(struct graph *g, size_t change, size_t action)
{
	const struct plan_change *c = &g->plan->changes.items[change];

	for (size_t i = 0; i < g->plan->changes.n; i++) {
		const struct plan_change *other = &g->plan->changes.items[i];
		if (i != change && other->kind == KIND_TUNNEL &&
		    other->tunnel != NULL && g->removes[i] != NONE &&
		    same_end(&c->tunnel_config, &other->tunnel->config))
			action_after(g, action, g->removes[i] - 1);
	}
}

void
emit_tunnel(struct graph *g, size_t change)
{
	enum plan_op op = g->plan->changes.items[change].op;

	if (op != PLAN_CREATE && op != PLAN_REPLACE)
		return;
	if (op == PLAN_REPLACE && g->removes[change] == NONE)
		wait_for_host(g, change, clear(g, change));
	size_t open = action_chain(g, ACTION_TUNNEL_OPEN, change);
	wait_for_host(g, change, open);
	wait_for_end(g, change, open);
}
