/*
 * tunnel.c - what becomes of tunnels: what is wanted against what the holder
 * of this machine has.
 *
 * Nothing about tunnels is recorded: they belong to a machine, not to the
 * project.  A tunnel to a pod that is stopped or goes is closed.  A local
 * end that somebody else has is found here where it can be seen, so that it
 * fails before a pod is paid for.
 */
#include <errno.h>

#include "base/plant.h"
#include "plan/planner.h"

struct end {
	struct planner *p;
	const struct resource *want, *pod;
	const struct tunnel_status *held;	/* or NULL */
	struct plan_change change;
};

static struct str
end_text(struct arena *arena, const struct tunnel_config *config)
{
	bool six = str_find(config->local_address, ':') >= 0;

	if (str_starts(config->local_address, STR("/")))
		return config->local_address;
	if (config->local_port == 0)
		return arena_printf(arena, "%s" STR_FMT "%s:auto",
		    six ? "[" : "", STR_ARG(config->local_address),
		    six ? "]" : "");
	return arena_printf(arena, "%s" STR_FMT "%s:%u", six ? "[" : "",
	    STR_ARG(config->local_address), six ? "]" : "",
	    (unsigned)config->local_port);
}

static struct str
remote_text(struct arena *arena, const struct tunnel_config *config)
{
	if (config->direction == TUNNEL_DYNAMIC)
		return (struct str){0};
	return arena_printf(arena, STR_FMT ":%u",
	    STR_ARG(config->remote_host), (unsigned)config->remote_port);
}

static void
want_config(struct end *end)
{
	const struct tunnel_spec *spec = end->want->tunnel;
	const struct pod_spec *pod = end->pod->pod;
	struct tunnel_config *config = &end->change.tunnel_config;

	*config = (struct tunnel_config){
		.address = end->want->address,
		.local_address = spec->local_address,
		.local_port = (uint16_t)spec->local_port,
		.remote_host = spec->remote_host,
		.remote_port = (uint16_t)spec->remote_port,
		.check = spec->check, .pod = end->pod->address,
		.user = pod->ssh_user, .key = pod->ssh_key_path,
	};
	tunnel_direction_parse(spec->direction, &config->direction);
	if (end->change.host != NULL)
		config->pod_id = end->change.host->id;
}

static void
attr(struct end *end, const char *path, struct str before, struct str after,
    struct span span)
{
	struct arena *arena = end->p->arena;

	if (str_eq(before, after))
		return;
	*ARENA_PUSH(arena, &end->change.attrs) = (struct plan_attr){
		.path = str_from(path), .before = json_text_of(arena, before),
		.after = json_text_of(arena, after), .edit = true,
		.effect = end->held != NULL ? EFFECT_REPLACE : EFFECT_NONE,
		.forces_replacement = end->held != NULL,
		.span = span,
	};
}

static void
diff_tunnel(struct end *end)
{
	struct arena *arena = end->p->arena;
	const struct tunnel_config *want = &end->change.tunnel_config;
	const struct tunnel_config *had = end->held != NULL ?
	    &end->held->config : NULL;
	const struct tunnel_spec *spec = end->want->tunnel;
	struct str none = {0};

	attr(end, "pod", had != NULL ? had->pod : none, want->pod,
	    spec->pod_at);
	attr(end, "direction", had != NULL ? str_from(tunnel_direction_name(
	    had->direction)) : none, str_from(tunnel_direction_name(
	    want->direction)), spec->span);
	attr(end, "local", had != NULL ? end_text(arena, had) : none,
	    end_text(arena, want), spec->local_at);
	attr(end, "remote", had != NULL ? remote_text(arena, had) : none,
	    remote_text(arena, want), spec->span);
	attr(end, "check", had != NULL ? had->check : none, want->check,
	    spec->span);
	if (had == NULL)
		return;
	attr(end, "ssh.user", had->user, want->user, spec->span);
	attr(end, "ssh.key", had->key, want->key, spec->span);
}

/* Does a tunnel of our own holder listen there now?  It knows its port only
 * once it does. */
static bool
listens_at(const struct tunnel_status *held,
    const struct tunnel_config *config)
{
	bool socket = str_starts(config->local_address, STR("/"));

	return held->config.direction != TUNNEL_REMOTE &&
	    held->state != TUNNEL_CLOSED &&
	    str_eq(held->config.local_address, config->local_address) &&
	    (socket ? held->state != TUNNEL_CONFLICT :
		held->port == config->local_port);
}

/* Then it gives it up or keeps it. */
static bool
is_ours(const struct planner *p, const struct tunnel_config *config)
{
	for (size_t i = 0; i < p->live->ntunnels; i++)
		if (listens_at(&p->live->tunnels[i], config))
			return true;
	return false;
}

static const char *
why_not(int result)
{
	switch (result) {
	case -EADDRINUSE:
		return "it is taken by another program";
	case -EADDRNOTAVAIL:
		return "it is no address of this machine";
	case -EEXIST:
		return "a file that is no socket is there";
	case -ENOENT:
	case -ENOTDIR:
		return "there is no such directory";
	case -EACCES:
	case -EROFS:
		return "its directory cannot be written to";
	default:
		return "it is not possible on this machine";
	}
}

static void
check_local(struct end *end)
{
	struct planner *p = end->p;
	const struct tunnel_config *config = &end->change.tunnel_config;
	bool socket = str_starts(config->local_address, STR("/"));
	struct str owner = {0};

	if (config->direction == TUNNEL_REMOTE ||
	    (!socket && config->local_port == 0) ||
	    p->options->may_listen == NULL || is_ours(p, config))
		return;
	int result = p->options->may_listen(p->options->may_listen_ctx,
	    p->arena, config->local_address, config->local_port, &owner);
	if (result == 0)
		return;
	struct str where = end_text(p->arena, config);
	struct span span = end->want->tunnel->local_at;
	if (result == -EACCES && !socket)
		check_add(p, "tunnel.local", CHECK_FAIL, span, STR_FMT
		    " cannot listen on " STR_FMT ": ports below 1024 are for "
		    "root", STR_ARG(end->want->address), STR_ARG(where));
	else if (result == -EADDRINUSE && owner.len > 0)
		check_add(p, "tunnel.local", CHECK_FAIL, span, STR_FMT
		    " cannot listen on " STR_FMT ": " STR_FMT " has it",
		    STR_ARG(end->want->address), STR_ARG(where),
		    STR_ARG(owner));
	else
		check_add(p, "tunnel.local", CHECK_FAIL, span, STR_FMT
		    " cannot listen on " STR_FMT ": %s",
		    STR_ARG(end->want->address), STR_ARG(where),
		    why_not(result));
}

static void
open_tunnel(struct end *end, enum plan_op op, enum plan_reason reason)
{
	struct plan_change *change = &end->change;

	change->op = op;
	change->reason = reason;
	change->undo = op == PLAN_CREATE ? "close" : "none";
	change->span = end->want->span;
	if (op == PLAN_REPLACE && change->attrs.n > 0)
		change->span = change->attrs.items[0].span;
	*ARENA_PUSH(end->p->arena, &change->depends_on) = end->pod->address;
	check_local(end);
	change_add(end->p, change);
}

static void
close_tunnel(struct planner *p, const struct tunnel_status *held,
    enum plan_reason reason)
{
	struct address address = { .kind = KIND_TUNNEL, .key = -1 };
	struct plan_change change = {
		.kind = KIND_TUNNEL, .op = PLAN_DELETE, .reason = reason,
		.address = held->config.address, .key = -1, .undo = "none",
		.tunnel = held, .tunnel_config = held->config,
		.host_change = SIZE_MAX,
	};

	if (address_parse(held->config.address, &address))
		change.name = address.name;
	change_add(p, &change);
}

static bool
pod_is_made_anew(const struct plan_change *c)
{
	return c != NULL && (c->op == PLAN_CREATE || c->op == PLAN_REPLACE);
}

/* The holder goes on trying, but an apply is to end with it up, or with the
 * reason why not.  What is on its way is not down, and neither is what waits
 * for its pod, unless that runs by now: the holder looks only so often. */
static bool
is_down(const struct tunnel_status *held, const struct cloud_pod *host)
{
	bool runs = host != NULL && host->status == POD_RUNNING &&
	    host->ssh.port != 0;

	return held->state == TUNNEL_BACKOFF ||
	    held->state == TUNNEL_CONFLICT ||
	    (held->state == TUNNEL_WAITING && runs);
}

static void
tunnel_decide(struct planner *p, const struct resource *want,
    const struct tunnel_status *held)
{
	struct end end = { .p = p, .want = want, .pod = want->needs[0],
		.held = held };
	const struct lock_entry *host = index_entry(p, end.pod);
	const struct plan_change *change = map_get(&p->pod_changes,
	    end.pod->address);
	bool anew = pod_is_made_anew(change);
	bool starts = change != NULL && (change->op ==
	    PLAN_START || change->start || change->restarts);

	end.change = (struct plan_change){
		.kind = KIND_TUNNEL, .address = want->address,
		.name = want->name, .key = want->key, .want = want,
		.tunnel = held, .host_change = SIZE_MAX,
	};
	if (host != NULL && !anew) {
		const struct cloud_pod *pod = map_get(&p->pods, host->id);
		if (pod != NULL && pod->status != POD_TERMINATED)
			end.change.host = pod;
	}
	want_config(&end);
	diff_tunnel(&end);
	if (held == NULL || held->state == TUNNEL_CLOSED)
		open_tunnel(&end, PLAN_CREATE, BECAUSE_NEW);
	else if (end.change.attrs.n > 0)
		open_tunnel(&end, PLAN_REPLACE, BECAUSE_CANNOT_UPDATE);
	else if (anew || starts || !str_eq(held->config.pod_id,
		end.change.tunnel_config.pod_id))
		open_tunnel(&end, PLAN_REPLACE, BECAUSE_POD);
	else if (is_down(held, end.change.host))
		open_tunnel(&end, PLAN_REPLACE, BECAUSE_OFFLINE);
	else if (replace_asked(p, want->address))
		open_tunnel(&end, PLAN_REPLACE, BECAUSE_REQUESTED);
	else
		p->plan->noops++;
}

static const struct tunnel_status *
find_held(const struct planner *p, struct str address)
{
	for (size_t i = 0; i < p->live->ntunnels; i++)
		if (str_eq(p->live->tunnels[i].config.address, address))
			return &p->live->tunnels[i];
	return NULL;
}

static bool
wants_any(const struct planner *p)
{
	for (size_t i = 0; p->spec != NULL && i < p->spec->nresources; i++)
		if (p->spec->resources[i].kind == KIND_TUNNEL)
			return true;
	return false;
}

static bool
is_wanted(const struct planner *p, const struct resource *want)
{
	return p->options->mode == PLAN_NORMAL && want != NULL &&
	    want->kind == KIND_TUNNEL &&
	    want->needs[0]->pod->state == STATE_RUNNING;
}

/* Held, and the spec or the fate of its pod leaves no place for it. */
static void
close_unwanted(struct planner *p)
{
	for (size_t i = 0; i < p->live->ntunnels; i++) {
		const struct tunnel_status *held = &p->live->tunnels[i];
		const struct resource *want = index_wanted(p,
		    held->config.address);
		const struct plan_change *pod = map_get(&p->ending,
		    held->config.pod_id);
		bool pod_goes = pod != NULL && !PLANTED(25) && (pod->op == PLAN_DELETE ||
		    pod->op == PLAN_STOP || pod->stop);
		/* One that is to lead elsewhere is replaced already. */
		bool wanted = is_wanted(p, want) && (!pod_goes ||
		    selected(p, held->config.address));
		if (wanted || held->state == TUNNEL_CLOSED ||
		    (!pod_goes && !selected(p, held->config.address)))
			continue;
		close_tunnel(p, held, p->options->mode == PLAN_DESTROY ?
		    BECAUSE_DESTROY : pod_goes || want != NULL ? BECAUSE_POD :
		    BECAUSE_NO_SPEC);
	}
}

void
tunnels_decide(struct planner *p)
{
	bool any = wants_any(p);

	if (p->options->mode == PLAN_REFRESH_ONLY || p->live->from_lock)
		return;
	if (p->options->no_tunnels) {
		if (any)
			check_add(p, "tunnels", CHECK_PASS, NO_SPAN, "tunnels "
			    "are left as they are");
		return;
	}
	/* What is held is worth a question only where anything may be. */
	p->plan->needs_tunnels = !p->live->tunnels_known &&
	    (any || p->lock->entries.n > 0);
	/* Unknown is not empty, and no pod is paid for a tunnel that nobody
	 * can hold. */
	if (!p->live->tunnels_known) {
		if (any && p->options->mode == PLAN_NORMAL)
			check_add(p, "tunnels", CHECK_FAIL, NO_SPAN, "which "
			    "tunnels this machine holds is not known, so none "
			    "is opened or closed");
		return;
	}
	for (size_t i = 0; any && i < p->spec->nresources; i++) {
		const struct resource *want = &p->spec->resources[i];
		if (!is_wanted(p, want))
			continue;
		if (selected(p, want->address))
			tunnel_decide(p, want, find_held(p, want->address));
		else
			p->plan->noops++;
	}
	close_unwanted(p);
}

/* ---------------------------------------------------------- the hosts -- */

/* The wait for a pod that stays and is not up yet; SIZE_MAX: it is. */
static size_t
wait_for_start(const struct plan *plan, const struct resource *pod)
{
	for (size_t i = 0; i < plan->waits.n; i++)
		if (plan->waits.items[i].want == pod)
			return plan->changes.n + i;
	return SIZE_MAX;
}

/* A wait, so that somebody can be let in to a pod that stays. */
static size_t
wait_for_login(struct planner *p, const struct resource *pod)
{
	const struct lock_entry *have = index_entry(p, pod);
	const struct cloud_pod *live = map_get(&p->pods, have->id);
	struct plan *plan = p->plan;
	size_t wait = wait_for_start(plan, pod);

	if (wait != SIZE_MAX) {
		struct plan_inside *inside =
		    &plan->waits.items[wait - plan->changes.n].inside;
		inside->login = true;
		inside->first_step = pod->pod->nsetup;
		return wait;
	}
	if (live == NULL || p->live->from_lock ||
	    (have->inside.host_key.len > 0 && !inside_restarted(have, live)))
		return SIZE_MAX;
	*ARENA_PUSH(p->arena, &plan->waits) = (struct plan_change){
		.kind = KIND_POD, .address = pod->address, .name = pod->name,
		.key = pod->key, .want = pod, .have = have, .pod = live,
		.config = have->pod, .host_change = SIZE_MAX,
		.inside = { .login = true, .first_step = pod->pod->nsetup },
	};
	return plan->changes.n + plan->waits.n - 1;
}

/* A pod that is changed and runs on: somebody logs in who did not before. */
static void
let_in(struct plan_change *pod)
{
	if (pod->op != PLAN_UPDATE || pod->inside.login ||
	    pod->have->inside.host_key.len > 0)
		return;
	pod->inside.login = true;
	pod->inside.first_step = pod->want->pod->nsetup;
}

/* Once changes have their places: which of them a guest comes after. */
void
hosts_link(struct planner *p)
{
	struct plan *plan = p->plan;
	struct map pods = {0};

	for (size_t i = 0; i < plan->changes.n; i++)
		if (plan->changes.items[i].kind == KIND_POD &&
		    plan->changes.items[i].want != NULL)
			map_put(&pods, p->arena,
			    plan->changes.items[i].address,
			    &plan->changes.items[i]);
	for (size_t i = 0; i < plan->changes.n; i++) {
		struct plan_change *c = &plan->changes.items[i];
		c->host_change = SIZE_MAX;
		if ((c->kind != KIND_RUNNER && c->kind != KIND_TUNNEL) ||
		    c->want == NULL || c->op == PLAN_DELETE)
			continue;
		const struct resource *pod = c->want->needs[0];
		struct plan_change *host = map_get(&pods, pod->address);
		if (host != NULL && c->kind == KIND_RUNNER)
			let_in(host);
		c->host_change = host != NULL ?
		    (size_t)(host - plan->changes.items) :
		    c->kind == KIND_RUNNER ? wait_for_login(p, pod) :
		    wait_for_start(plan, pod);
	}
}
