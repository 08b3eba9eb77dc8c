/*
 * volume.c - what becomes of one wanted network volume.
 *
 * Volumes hold what people cannot get back, so a plan makes them, grows
 * them and, when the spec lacks them, deletes them; it never replaces one.
 */
#include "plan/planner.h"

static void
volume_create(struct planner *p, struct plan_change *change,
    enum plan_reason reason)
{
	const struct volume_spec *spec = change->want->volume;
	struct arena *arena = p->arena;

	outputs_move(p, change->want, OUTPUTS_ALL);
	change->op = PLAN_CREATE;
	change->reason = reason;
	change->undo = "delete";
	change->span = change->want->span;
	change->volume_config = (struct cloud_volume){
		.name = spec->name, .data_center = spec->data_center,
		.size_gb = spec->size_gb,
	};
	*ARENA_PUSH(arena, &change->attrs) = (struct plan_attr){
		.path = STR("size"), .edit = true, .span = spec->size_at,
		.after = json_gb_of(arena, spec->size_gb),
	};
	*ARENA_PUSH(arena, &change->attrs) = (struct plan_attr){
		.path = STR("data_center"), .edit = true,
		.span = spec->data_center_at,
		.after = json_text_of(arena, spec->data_center),
	};
	p->plan->needs_account |= !p->live->account_known;
	change_add(p, change);
}

static void
drift_attr(struct planner *p, struct plan_drift *drift, const char *path,
    struct str before, struct str after, struct span span)
{
	const struct ack *ack = ack_find(p, drift->have->address,
	    str_from(path), after);

	*ARENA_PUSH(p->arena, &drift->attrs) = (struct plan_attr){
		.path = str_from(path), .before = before, .after = after,
		.drift = true, .effect = EFFECT_NONE, .span = span,
		.ack = ack,
	};
	if (drift->attrs.n == 1 || ack == NULL)
		drift->ack = ack;
}

/* What somebody changed, shown only: neither can be undone or matters. */
static void
volume_drift(struct planner *p, const struct resource *want,
    const struct lock_entry *have, const struct cloud_volume *live)
{
	const struct cloud_volume *recorded = &have->volume;
	struct plan_drift drift = {
		.address = want->address, .kind = KIND_VOLUME, .have = have,
		.span = want->span,
	};

	if (!str_eq(recorded->name, live->name))
		drift_attr(p, &drift, "name",
		    json_text_of(p->arena, recorded->name),
		    json_text_of(p->arena, live->name), want->span);
	if (recorded->size_gb != live->size_gb)
		drift_attr(p, &drift, "size",
		    json_gb_of(p->arena, recorded->size_gb),
		    json_gb_of(p->arena, live->size_gb),
		    want->volume->size_at);
	if (drift.attrs.n > 0)
		*ARENA_PUSH(p->arena, &p->plan->drift) = drift;
}

/* Changes that no plan makes.  False when one was reported. */
static bool
volume_may_change(struct planner *p, const struct resource *want,
    const struct lock_entry *have, const struct cloud_volume *live)
{
	const struct volume_spec *spec = want->volume;
	size_t errors = p->diags->errors;

	if (!str_eq_fold(spec->data_center, live->data_center)) {
		diag_error(p->diags, E_VOLUME_MOVES, spec->data_center_at,
		    "cannot move " STR_FMT " from " STR_FMT " to " STR_FMT,
		    STR_ARG(want->address), STR_ARG(live->data_center),
		    STR_ARG(spec->data_center));
		diag_hint(p->diags, "make a volume with another name there, "
		    "and copy what you need before you remove this one");
	}
	if (spec->size_gb < live->size_gb &&
	    spec->size_gb != have->volume.size_gb) {
		diag_error(p->diags, E_VOLUME_SHRINKS, spec->size_at,
		    "cannot shrink " STR_FMT " from %lldGB to %lldGB: volumes "
		    "only grow", STR_ARG(want->address),
		    (long long)live->size_gb, (long long)spec->size_gb);
	}
	if (replace_asked(p, want->address))
		diag_error(p->diags, E_VOLUME_REPLACE, want->span, "cannot "
		    "replace " STR_FMT ": its data would be lost",
		    STR_ARG(want->address));
	return p->diags->errors == errors;
}

static void
volume_grow(struct planner *p, struct plan_change *change,
    const struct cloud_volume *live)
{
	const struct volume_spec *spec = change->want->volume;
	bool edit = spec->size_gb != change->have->volume.size_gb;

	change->op = PLAN_UPDATE;
	change->reason = edit ? BECAUSE_EDIT : BECAUSE_DRIFT;
	change->undo = "none";
	change->span = spec->size_at;
	change->unchanged = 1;
	change->volume_config = *live;
	change->volume_config.name = change->have->volume.name;
	change->volume_config.size_gb = spec->size_gb;
	*ARENA_PUSH(p->arena, &change->attrs) = (struct plan_attr){
		.path = STR("size"), .span = spec->size_at,
		.before = json_gb_of(p->arena, live->size_gb),
		.after = json_gb_of(p->arena, spec->size_gb),
		.effect = EFFECT_IN_PLACE, .edit = edit,
		.drift = live->size_gb != change->have->volume.size_gb,
	};
	change_add(p, change);
}

static void
volume_stays(struct planner *p, const struct resource *want,
    const struct lock_entry *have, const struct cloud_volume *live)
{
	int64_t size_gb = have->volume.size_gb;

	p->plan->noops++;
	cost_volume(p, live);
	/* Somebody has made it as large as it is wanted now. */
	if (live->size_gb == want->volume->size_gb)
		size_gb = live->size_gb;
	if (have->protect == want->volume->protect &&
	    have->volume.size_gb == size_gb &&
	    str_eq(have->address, want->address))
		return;
	struct lock_entry *entry = ARENA_NEW(p->arena, struct lock_entry);
	*entry = *have;
	entry->address = want->address;
	entry->protect = want->volume->protect;
	entry->volume.size_gb = size_gb;
	keep_add(p, have, entry);
}

static void
volume_gone(struct planner *p, struct plan_change *change)
{
	*ARENA_PUSH(p->arena, &p->plan->drift) = (struct plan_drift){
		.address = change->address, .kind = KIND_VOLUME,
		.have = change->have, .gone = true,
		.span = change->want->span,
	};
	change->gone = true;
	if (p->options->mode != PLAN_REFRESH_ONLY) {
		volume_create(p, change, BECAUSE_LOST);
		return;
	}
	change->op = PLAN_FORGET;
	change->reason = BECAUSE_LOST;
	change->undo = "none";
	change->span = change->want->span;
	change_add(p, change);
}

/* A volume's mark is in its name alone, and anybody may rename it. */
static bool
volume_suspect(struct planner *p, const struct plan_change *change)
{
	const struct lock_entry *have = change->have;
	const struct cloud_volume *live = change->volume;
	enum mark_owner owner;

	if (have->op.hex[0] == '\0' || p->live->from_lock ||
	    mark_matches(live->name, (struct str){0}, false,
		&p->lock->lineage, &have->op))
		return false;
	owner = mark_owner(live->name, (struct str){0}, false,
	    &p->lock->lineage);
	if (owner == MARK_NONE)
		return false;
	check_add(p, "mark", CHECK_FAIL, change->want->span, "volume '" STR_FMT
	    "' is recorded as " STR_FMT " but carries another mark than the "
	    "one we wrote: it is left alone", STR_ARG(have->id),
	    STR_ARG(change->address));
	p->plan->noops++;
	cost_volume(p, live);
	return true;
}

static void
volume_compare(struct planner *p, struct plan_change *change)
{
	const struct cloud_volume *live = change->volume;
	const struct resource *want = change->want;

	size_t drifts = p->plan->drift.n;
	volume_drift(p, want, change->have, live);
	if (p->options->mode == PLAN_REFRESH_ONLY) {
		p->plan->noops++;
		cost_volume(p, live);
		if (p->plan->drift.n > drifts)
			accept_volume(p, change->have, live);
		return;
	}
	if (!volume_may_change(p, want, change->have, live))
		return;
	if (want->volume->size_gb > live->size_gb)
		volume_grow(p, change, live);
	else
		volume_stays(p, want, change->have, live);
}

void
volume_decide(struct planner *p, const struct resource *want)
{
	const struct lock_entry *have = index_entry(p, want);
	struct plan_change change = {
		.kind = KIND_VOLUME, .address = want->address,
		.name = want->name, .key = want->key, .want = want,
		.have = have,
	};
	bool chosen = selected(p, want->address);

	p->plan->needs_volumes |= !p->live->volumes_known;
	if (have != NULL) {
		index_done(p, have);
		change.volume = index_volume(p, have->id);
		if (change.volume == NULL && !p->live->volumes_known)
			change.volume = &have->volume;
	}
	if (!chosen || (have == NULL &&
	    p->options->mode == PLAN_REFRESH_ONLY)) {
		p->plan->noops++;
		if (change.volume != NULL)
			cost_volume(p, change.volume);
	} else if (have == NULL)
		volume_create(p, &change, BECAUSE_NEW);
	else if (change.volume == NULL)
		volume_gone(p, &change);
	else if (!volume_suspect(p, &change))
		volume_compare(p, &change);
}
