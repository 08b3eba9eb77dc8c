/*
 * texts.c - is what the texts of this plan name known when they are sent?
 *
 * Outputs of pods, volumes and runners are known once those are there, which
 * the order of the actions sees to.  The port of a tunnel with `local: auto`
 * is known to its holder alone: where the tunnel is not held and this plan
 * does not open it, an apply would find that out with the pod already made.
 */
#include "plan/planner.h"

static bool
is_opened(const struct planner *p, struct str address)
{
	for (size_t i = 0; i < p->plan->changes.n; i++) {
		const struct plan_change *change = &p->plan->changes.items[i];
		if (change->kind == KIND_TUNNEL && change->op != PLAN_DELETE &&
		    str_eq(change->address, address))
			return true;
	}
	return false;
}

static bool
is_held(const struct planner *p, struct str address)
{
	for (size_t i = 0; i < p->live->ntunnels; i++)
		if (p->live->tunnels[i].port != 0 &&
		    str_eq(p->live->tunnels[i].config.address, address))
			return true;
	return false;
}

static bool
port_is_known(const struct planner *p, const struct text_part *part)
{
	const struct resource *tunnel = spec_find(p->spec, part->address);

	return tunnel->kind != KIND_TUNNEL ||
	    !str_is(part->text, "local.port") ||
	    tunnel->tunnel->local_port != 0 ||
	    is_held(p, part->address) || is_opened(p, part->address);
}

static void
check_text(struct planner *p, const struct text *text)
{
	for (size_t i = 0; i < text->nparts; i++) {
		const struct text_part *part = &text->parts[i];
		if (part->type != PART_OUTPUT || port_is_known(p, part))
			continue;
		diag_error(p->diags, E_PORT_UNKNOWN, text->span,
		    "the value of ${" STR_FMT "." STR_FMT "} is not known: "
		    "the port is automatic, and the tunnel is not open%s",
		    STR_ARG(part->address), STR_ARG(part->text),
		    p->options->no_tunnels ? " and stays as it is" :
		    " and is not opened by this plan");
		diag_hint(p->diags, p->options->no_tunnels ?
		    "--tunnels=true opens it; or give it a port of its own, "
		    "such as local: 8188" :
		    "its pod has to run for that; or give it a port of its own, "
		    "such as local: 8188");
	}
}

/* What of a pod is filled in when a change is carried out. */
static void
check_change(struct planner *p, const struct plan_change *change)
{
	const struct pod_spec *spec = change->want->pod;
	const struct plan_inside *inside = &change->inside;
	bool made = change->op == PLAN_CREATE || change->op == PLAN_REPLACE;
	bool sent = made || (change->op == PLAN_UPDATE &&
	    (change->changes & CHANGE_ENV) != 0);
	bool runs = inside->login && (inside->checks || inside->process ||
	    inside->first_step < spec->nsetup);

	for (size_t i = 0; (sent || runs) && i < spec->nenv; i++)
		check_text(p, &spec->env[i].value);
	if (!runs)
		return;
	for (size_t i = 0; inside->checks && i < spec->nready_checks; i++)
		check_text(p, &spec->ready_checks[i]);
	for (size_t i = inside->first_step; i < spec->nsetup; i++)
		if (!spec->setup[i].copy)
			check_text(p, &spec->setup[i].run);
	if (inside->process)
		check_text(p, &spec->process_run);
}

void
texts_check(struct planner *p)
{
	const struct pod_spec *told = NULL;	/* replicas share their texts */

	if (p->options->mode != PLAN_NORMAL || p->live->from_lock ||
	    (!p->live->tunnels_known && !p->options->no_tunnels))
		return;
	for (size_t i = 0; i < p->plan->changes.n + p->plan->waits.n; i++) {
		const struct plan_change *change = i < p->plan->changes.n ?
		    &p->plan->changes.items[i] :
		    &p->plan->waits.items[i - p->plan->changes.n];
		if (change->kind != KIND_POD || change->want == NULL ||
		    change->op == PLAN_DELETE || change->want->pod == told)
			continue;
		told = change->want->pod;
		check_change(p, change);
	}
}
