/*
 * inside.c - what is to be done inside a pod; see struct plan_inside.
 *
 * A container that starts is empty: everything is to be done.  In one that
 * goes on running only what has changed is: the setup from the first step
 * whose digest is another, the process if its own is.  Which container the
 * record is about is told by when it started; where either time is not
 * known the record is believed.
 */
#include "plan/planner.h"

static bool
has_work(const struct pod_spec *spec)
{
	return spec->nready_checks > 0 || spec->nsetup > 0 ||
	    spec->process_digest.len > 0;
}

static struct plan_inside
inside_none(struct planner *p, const struct pod_spec *spec)
{
	struct plan_inside inside = {
		.first_step = spec->nsetup,
		.process_digest = spec->process_digest,
	};

	inside.steps = ARENA_ARRAY(p->arena, struct str, spec->nsetup);
	for (size_t i = 0; i < spec->nsetup; i++)
		inside.steps[i] = spec->setup[i].digest;
	return inside;
}

/* What a step copies has to be there when the step is to be done. */
static void
need_files(struct planner *p, const struct pod_spec *spec, size_t first)
{
	if (p->files_told == spec)
		return;			/* replicas share their steps */
	for (size_t i = first; i < spec->nsetup; i++) {
		const struct setup_step *step = &spec->setup[i];
		if (!step->missing)
			continue;
		p->files_told = spec;
		diag_error(p->diags, E_COPY_MISSING, step->span, "cannot copy "
		    "'" STR_FMT "' to the pod: there is no such file",
		    STR_ARG(step->from));
		diag_hint(p->diags, "it is looked for as '" STR_FMT "'",
		    STR_ARG(step->path));
	}
}

void
inside_all(struct planner *p, const struct resource *want,
    struct plan_inside *out)
{
	const struct pod_spec *spec = want->pod;

	*out = inside_none(p, spec);
	out->checks = spec->nready_checks > 0;
	out->first_step = 0;
	out->process = spec->process_digest.len > 0;
	out->login = has_work(spec) ||
	    map_get(&p->guests, want->address) != NULL;
	need_files(p, spec, 0);
}

bool
inside_restarted(const struct lock_entry *have, const struct cloud_pod *pod)
{
	struct str recorded = have->inside.start;

	if (recorded.len == 0)
		return false;
	/* What is about to start is not what ran then.  A pod is called running
	 * before its container is. */
	if (pod->started_at.len == 0)
		return pod->status == POD_PROVISIONING ||
		    pod->status == POD_STARTING ||
		    (pod->status == POD_RUNNING && !pod->has_runtime);
	return !str_eq(recorded, pod->started_at);
}

static size_t
steps_done(const struct lock_inside *done, const struct pod_spec *spec)
{
	size_t n = 0;

	while (n < done->nsteps && n < spec->nsetup &&
	    str_eq(done->steps[n], spec->setup[n].digest))
		n++;
	return n;
}

bool
inside_rest(struct planner *p, const struct resource *want,
    const struct lock_entry *have, struct plan_inside *out)
{
	const struct pod_spec *spec = want->pod;
	const struct lock_inside *done = &have->inside;

	*out = inside_none(p, spec);
	out->checks = spec->nready_checks > 0 && !done->checked;
	out->first_step = steps_done(done, spec);
	out->process = spec->process_digest.len > 0 &&
	    !str_eq(done->process, spec->process_digest);
	out->login = out->checks || out->process ||
	    out->first_step < spec->nsetup;
	if (out->login)
		need_files(p, spec, out->first_step);
	/* Nothing ends it but another process or another container. */
	if (done->process.len > 0 && spec->process_digest.len == 0)
		check_add(p, "process", CHECK_WARN, want->span, STR_FMT
		    " has no process in the spec any more; the one that was "
		    "started runs on until its container ends",
		    STR_ARG(want->address));
	return out->login;
}

/* -------------------------------------------------------- attributes --- */

struct attrs {
	struct planner *p;
	struct plan_change *change;
	const struct lock_inside *done;	/* NULL: nothing was */
};

static void
attr_add(struct attrs *a, struct str path, struct span span, bool again,
    const struct text *text, struct str after)
{
	*ARENA_PUSH(a->p->arena, &a->change->attrs) = (struct plan_attr){
		.path = path,
		.before = again ? STR("\"(changed)\"") : (struct str){0},
		.after = after, .edit = true, .span = span,
		.sensitive = text != NULL && text_has(text, PART_SECRET),
	};
}

static void
attr_checks(struct attrs *a, const struct pod_spec *spec)
{
	struct str *raw = ARENA_ARRAY(a->p->arena, struct str,
	    spec->nready_checks);
	const struct text *secret = NULL;

	for (size_t i = 0; i < spec->nready_checks; i++) {
		raw[i] = spec->ready_checks[i].raw;
		if (text_has(&spec->ready_checks[i], PART_SECRET))
			secret = &spec->ready_checks[i];
	}
	attr_add(a, STR("ready.checks"), spec->ready_checks[0].span, false,
	    secret, json_list_of(a->p->arena, raw, spec->nready_checks));
}

static void
attr_step(struct attrs *a, const struct pod_spec *spec, size_t i)
{
	struct arena *arena = a->p->arena;
	const struct setup_step *step = &spec->setup[i];
	struct str text = step->run.raw;

	if (step->copy)
		text = arena_printf(arena, "copy " STR_FMT " to " STR_FMT,
		    STR_ARG(step->from), STR_ARG(step->to));
	attr_add(a, arena_printf(arena, "setup[%zu]", i), step->span,
	    a->done != NULL && i < a->done->nsteps, &step->run,
	    json_text_of(arena, text));
}

void
inside_attrs(struct planner *p, struct plan_change *change,
    const struct lock_inside *done)
{
	const struct pod_spec *spec = change->want->pod;
	struct attrs a = { .p = p, .change = change, .done = done };

	if (change->inside.checks)
		attr_checks(&a, spec);
	for (size_t i = change->inside.first_step; i < spec->nsetup; i++)
		attr_step(&a, spec, i);
	if (change->inside.process)
		attr_add(&a, STR("process.run"), spec->process_run.span,
		    done != NULL && done->process.len > 0, &spec->process_run,
		    json_text_of(p->arena, spec->process_run.raw));
}

/* A pod that starts anew by itself says so with the two times. */
void
inside_restart_attr(struct planner *p, struct plan_change *change)
{
	*ARENA_PUSH(p->arena, &change->attrs) = (struct plan_attr){
		.path = STR("container.start"),
		.before = json_text_of(p->arena, change->have->inside.start),
		.after = json_text_of(p->arena, change->pod->started_at),
		.unknown = change->pod->started_at.len == 0,
		.drift = true, .span = change->want->span,
	};
}

/* ------------------------------------------------------------- guests -- */

/* Which pods somebody logs in to: that a runner is on. */
void
guests_make(struct planner *p)
{
	if (p->spec == NULL || p->options->mode != PLAN_NORMAL)
		return;
	for (size_t i = 0; i < p->spec->nresources; i++) {
		const struct resource *want = &p->spec->resources[i];
		/* The holder of tunnels logs in by itself. */
		if (want->kind == KIND_RUNNER && selected(p, want->address))
			map_put(&p->guests, p->arena,
			    want->needs[0]->address,
			    (void *)(uintptr_t)want);
	}
}
