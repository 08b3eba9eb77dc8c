/* plan.c - see plan.h; the order of the work is in planner.h */
#include "plan/plan.h"

#include <assert.h>
#include <stdlib.h>

#include "plan/planner.h"

/* --------------------------------------------------------- small parts -- */

struct plan_change *
change_add(struct planner *p, const struct plan_change *change)
{
	struct plan_change *added = ARENA_PUSH(p->arena, &p->plan->changes);
	*added = *change;
	return added;
}

void
keep_add(struct planner *p, const struct lock_entry *have,
    const struct lock_entry *entry)
{
	*ARENA_PUSH(p->arena, &p->plan->keeps) = (struct plan_keep){
		.have = have, .entry = entry,
	};
}

void
danger_add(struct planner *p, struct plan_change *change, const char *danger)
{
	*ARENA_PUSH(p->arena, &change->dangers) = danger;
}

const char *
plan_reason_code(enum plan_reason reason, enum plan_op op)
{
	bool start = op == PLAN_START;

	switch (reason) {
	case BECAUSE_NOTHING:
	case BECAUSE_NEW:
	case BECAUSE_EDIT:
		break;
	case BECAUSE_CANNOT_UPDATE:
		return "replace_because_cannot_update";
	case BECAUSE_LOST:
		return op == PLAN_FORGET ? "forget_because_lost" :
		    op == PLAN_DELETE ? "delete_because_lost" :
		    "replace_because_lost";
	case BECAUSE_REQUESTED:
		return "replace_by_request";
	case BECAUSE_TAINTED:
		return "replace_because_tainted";
	case BECAUSE_NO_SPEC:
		return "delete_because_no_resource_config";
	case BECAUSE_REPLICAS:
		return "delete_because_count_index";
	case BECAUSE_DESTROY:
		return "delete_because_destroy";
	case BECAUSE_ORPHAN:
		return "delete_because_orphan";
	case BECAUSE_DEPOSED:
		return "delete_because_deposed";
	case BECAUSE_DRIFT:
		return "update_because_drift";
	case BECAUSE_DESIRED:
		return start ? "start_because_desired" :
		    "stop_because_desired";
	case BECAUSE_RESTARTED:
		return "update_because_restarted";
	case BECAUSE_OFFLINE:
		return "replace_because_offline";
	case BECAUSE_POD:
		return op == PLAN_DELETE ? "delete_because_pod_stops" :
		    "replace_because_pod_changes";
	}
	return NULL;
}

/* ------------------------------------------------------ what it needs --- */

static bool
any_selected(struct planner *p, const struct later_use *use)
{
	if (p->options->ntargets == 0 && p->excluded.n == 0)
		return true;
	for (size_t i = 0; i < p->spec->nresources; i++) {
		const struct resource *want = &p->spec->resources[i];
		if (want->kind == use->kind && str_eq(want->name, use->name) &&
		    selected(p, want->address))
			return true;
	}
	return false;
}

/* Fields and kinds that are checked but cannot be carried out yet. */
static void
refuse_later(struct planner *p)
{
	struct later_use *uses;
	size_t n = spec_later(p->arena, p->spec, &uses);

	for (size_t i = 0; i < n; i++) {
		if (!any_selected(p, &uses[i]))
			continue;
		diag_error(p->diags, E_LATER, uses[i].span, "cannot plan "
		    STR_FMT ": %s", STR_ARG(uses[i].field), uses[i].words);
		diag_hint(p->diags, "this version of podform checks it and "
		    "does not carry it out; take it out, or leave its "
		    "resource out with --exclude");
	}
}

/* ------------------------------------------------------------ ordering -- */

static struct str
id_of(const struct plan_change *change)
{
	return change->pod != NULL ? change->pod->id :
	    change->have != NULL ? change->have->id : change->address;
}

static int
compare_ids(const struct plan_change *a, const struct plan_change *b)
{
	if (a->runner != NULL && b->runner != NULL)
		return (a->runner->id > b->runner->id) -
		    (a->runner->id < b->runner->id);
	return str_cmp(id_of(a), id_of(b));
}

/* By address, replicas by number; deposed and orphans after the others. */
static int
compare_changes(const void *one, const void *two)
{
	const struct plan_change *a = one, *b = two;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int order = str_cmp(a->name, b->name);
	if (order != 0)
		return order;
	order = (a->key > b->key) - (a->key < b->key);
	if (order == 0)
		order = (b->want != NULL) - (a->want != NULL);
	if (order == 0)
		order = (int)a->orphan - (int)b->orphan;
	return order != 0 ? order : compare_ids(a, b);
}

static int
compare_drift(const void *one, const void *two)
{
	const struct plan_drift *a = one, *b = two;

	int order = str_cmp(a->address, b->address);
	return order != 0 ? order : str_cmp(a->have->id, b->have->id);
}

static int
compare_unmanaged(const void *one, const void *two)
{
	const struct plan_unmanaged *a = one, *b = two;

	int order = (int)a->kind - (int)b->kind;
	return order != 0 ? order : str_cmp(a->id, b->id);
}

/* The order of a listing is chance; a plan's is not. */
static void
sort_plan(struct plan *plan)
{
	if (plan->changes.n > 0)
		qsort(plan->changes.items, plan->changes.n,
		    sizeof *plan->changes.items, compare_changes);
	if (plan->drift.n > 0)
		qsort(plan->drift.items, plan->drift.n,
		    sizeof *plan->drift.items, compare_drift);
	if (plan->unmanaged.n > 0)
		qsort(plan->unmanaged.items, plan->unmanaged.n,
		    sizeof *plan->unmanaged.items, compare_unmanaged);
}

/* ------------------------------------------------------------- summary -- */

static void
summarise(struct plan *plan)
{
	struct plan_summary *sum = &plan->summary;

	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct plan_change *change = &plan->changes.items[i];
		enum plan_op op = change->op;
		sum->add += op == PLAN_CREATE || op == PLAN_REPLACE;
		sum->destroy += op == PLAN_DELETE || op == PLAN_REPLACE;
		sum->change += op == PLAN_UPDATE;
		sum->start += op == PLAN_START ||
		    (op == PLAN_UPDATE && change->start);
		sum->stop += op == PLAN_STOP ||
		    (op == PLAN_UPDATE && change->stop);
		sum->forget += op == PLAN_FORGET;
	}
	plan->empty = plan->changes.n == 0 && plan->pending.n == 0;
}

/* ------------------------------------------------------------- deciding -- */

/* Needs first: whether their outputs move decides about who uses them. */
static void
decide_one(struct planner *p, const struct resource *want)
{
	bool *done = &p->want_done[want - p->spec->resources];

	if (*done)
		return;
	*done = true;
	for (size_t i = 0; i < want->nneeds; i++)
		decide_one(p, want->needs[i]);
	if (want->kind == KIND_POD)
		pod_decide(p, want);
	else if (want->kind == KIND_VOLUME)
		volume_decide(p, want);
}

static void
decide_wanted(struct planner *p)
{
	if (p->spec == NULL || p->options->mode == PLAN_DESTROY)
		return;
	p->want_done = ARENA_ARRAY(p->arena, bool, p->spec->nresources);
	for (size_t i = 0; i < p->spec->nresources; i++)
		decide_one(p, &p->spec->resources[i]);
}

static void
decide_pending(struct planner *p)
{
	for (size_t i = 0; i < p->lock->pending.n; i++) {
		const struct lock_op *op = &p->lock->pending.items[i];
		*ARENA_PUSH(p->arena, &p->plan->pending) =
		    (struct plan_pending){ .op = op };
		p->plan->needs_volumes |= op->entry.kind == KIND_VOLUME &&
		    !p->live->volumes_known;
	}
}

const struct plan *
plan_make(struct arena *arena, const struct spec *spec,
    const struct lock *lock, const struct live *live,
    const struct plan_options *options, struct diags *diags)
{
	size_t errors = diags->errors;
	struct plan *plan = ARENA_NEW(arena, struct plan);
	struct planner p = {
		.arena = arena, .spec = spec, .lock = lock, .live = live,
		.options = options, .diags = diags, .plan = plan,
	};

	assert(spec != NULL || options->mode == PLAN_DESTROY);
	assert(live->pods_known || live->from_lock);
	plan->mode = options->mode;
	plan->spec = spec;
	plan->lock = lock;
	plan->live = live;
	index_make(&p);
	select_make(&p);
	if (diags->errors > errors)
		return NULL;
	if (spec != NULL && options->mode == PLAN_NORMAL)
		refuse_later(&p);
	guests_make(&p);
	decide_wanted(&p);
	leftover_decide(&p);
	unlisted_decide(&p);
	runners_decide(&p);
	tunnels_decide(&p);
	texts_check(&p);
	decide_pending(&p);
	if (diags->errors > errors)
		return NULL;
	sort_plan(plan);
	hosts_link(&p);
	cost_make(&p);
	checks_make(&p);
	actions_make(&p);
	summarise(plan);
	plan_check_deletes(arena, plan, options);
	return plan;
}

/* ------------------------------------------------------------ questions -- */

bool
plan_has_failed_check(const struct plan *plan)
{
	for (size_t i = 0; i < plan->checks.n; i++)
		if (plan->checks.items[i].status == CHECK_FAIL)
			return true;
	return false;
}

bool
plan_has_drift(const struct plan *plan)
{
	for (size_t i = 0; i < plan->drift.n; i++)
		if (plan->drift.items[i].ack == NULL)
			return true;
	return false;
}

void
live_from_lock(struct arena *arena, const struct lock *lock, int64_t wall_ms,
    struct live *out)
{
	*out = (struct live){
		.from_lock = true, .pods_known = true, .volumes_known = true,
		.wall_ms = wall_ms,
	};
	out->pods = ARENA_ARRAY(arena, struct cloud_pod, lock->entries.n);
	out->volumes = ARENA_ARRAY(arena, struct cloud_volume,
	    lock->entries.n);
	for (size_t i = 0; i < lock->entries.n; i++) {
		const struct lock_entry *entry = &lock->entries.items[i];
		if (entry->kind == KIND_POD)
			out->pods[out->npods++] = (struct cloud_pod){
				.id = entry->id, .config = entry->pod,
				.cost_per_hour = entry->price_per_hour,
				.cost_known = entry->price_per_hour > 0,
				.status = entry->stopped ? POD_EXITED :
				    POD_RUNNING,
				.has_runtime = !entry->stopped,
				.created_at = entry->created_at,
			};
		else if (entry->kind == KIND_VOLUME) {
			struct cloud_volume *volume =
			    &out->volumes[out->nvolumes++];
			*volume = entry->volume;
			volume->id = entry->id;
		}
	}
}
