/*
 * leftover.c - what is owned or listed, and wanted by nobody.
 *
 * Entries without a wanted thing are deleted, rests of replacements too.
 * Live pods of ours that no entry knows are orphans and go the same way;
 * whatever else is listed is shown and never touched.
 */
#include <assert.h>

#include "base/plant.h"
#include "base/units.h"
#include "plan/planner.h"

enum plan_reason
leftover_reason(const struct planner *p, const struct lock_entry *have,
    const struct address *address)
{
	if (have->deposed)
		return BECAUSE_DEPOSED;
	if (p->options->mode == PLAN_DESTROY)
		return BECAUSE_DESTROY;
	struct str one = address_format(p->arena, have->kind, address->name,
	    -1);
	struct str first = address_format(p->arena, have->kind, address->name,
	    0);
	return index_wanted(p, one) != NULL || index_wanted(p, first) != NULL ?
	    BECAUSE_REPLICAS : BECAUSE_NO_SPEC;
}

static void
leftover_stays(struct planner *p, const struct plan_change *change)
{
	p->plan->noops++;
	if (change->pod != NULL) {
		cost_stays(p, change->have, change->pod);
		volume_is_kept(p, change->have, change->pod);
	}
	if (change->volume != NULL)
		cost_volume(p, change->volume);
}

static bool
leftover_suspect(struct planner *p, const struct plan_change *change)
{
	const struct lock_entry *have = change->have;
	struct str none = {0};
	enum mark_owner owner = MARK_OURS;

	if (change->pod != NULL)
		owner = entry_owner(p, have, change->pod);
	else if (change->volume != NULL && have->op.hex[0] != '\0' &&
	    !p->live->from_lock && !mark_matches(change->volume->name, none,
		false, &p->lock->lineage, &have->op))
		owner = mark_owner(change->volume->name, none, false,
		    &p->lock->lineage) == MARK_NONE ? MARK_RENAMED :
		    MARK_SUSPECT;
	if (owner == MARK_OURS || owner == MARK_RENAMED)
		return false;
	check_add(p, "mark", CHECK_FAIL, NO_SPAN, "%s '" STR_FMT "' is "
	    "recorded as " STR_FMT " but does not carry the mark we gave it: "
	    "it is left alone", kind_name(have->kind), STR_ARG(have->id),
	    STR_ARG(have->address));
	return true;
}

/* Destroying everything spares what is protected, and says so. */
static bool
leftover_kept(struct planner *p, const struct plan_change *change)
{
	const struct lock_entry *have = change->have;
	const struct str *user = NULL;

	if (p->options->mode != PLAN_DESTROY)
		return false;
	if (have->kind == KIND_VOLUME)
		user = map_get(&p->kept_volumes, have->id);
	if (protected_thing(index_wanted(p, have->address), have))
		check_add(p, "destroy", CHECK_WARN, NO_SPAN, STR_FMT " is "
		    "protected and is kept", STR_ARG(have->address));
	else if (user != NULL)
		check_add(p, "destroy", CHECK_WARN, NO_SPAN, STR_FMT " is "
		    "kept: " STR_FMT " stays and uses it",
		    STR_ARG(have->address), STR_ARG(*user));
	else
		return false;
	return true;
}

static void
leftover_delete(struct planner *p, struct plan_change *change)
{
	bool gone = change->pod == NULL && change->volume == NULL;

	change->op = gone ? PLAN_FORGET : PLAN_DELETE;
	change->gone = gone;
	change->undo = "none";
	if (gone)
		*ARENA_PUSH(p->arena, &p->plan->drift) = (struct plan_drift){
			.address = change->address, .kind = change->kind,
			.have = change->have, .gone = true,
		};
	else if (change->volume != NULL ||
	    change->have->pod.volume_id.len == 0)
		danger_add(p, change, "data_loss");
	change_add(p, change);
}

static void
leftover_one(struct planner *p, const struct lock_entry *have)
{
	struct address address = { .kind = have->kind, .key = -1 };
	struct plan_change change = {
		.kind = have->kind, .address = have->address, .have = have,
		.key = -1,
	};

	/* Reading the lock has seen to it that they are. */
	bool is_address = address_parse(have->address, &address);
	assert(is_address);
	change.name = address.name;
	change.key = address.key;
	change.reason = leftover_reason(p, have, &address);
	if (have->kind == KIND_POD)
		change.pod = index_pod(p, have->id, &change.gone_proved);
	else if (have->kind == KIND_VOLUME) {
		p->plan->needs_volumes |= !p->live->volumes_known;
		change.volume = index_volume(p, have->id);
		if (change.volume == NULL && !p->live->volumes_known)
			change.volume = &have->volume;
	}
	if (!selected(p, have->address) ||
	    (p->options->mode == PLAN_REFRESH_ONLY &&
		(change.pod != NULL || change.volume != NULL)) ||
	    leftover_suspect(p, &change) || leftover_kept(p, &change))
		leftover_stays(p, &change);
	else
		leftover_delete(p, &change);
}

void
leftover_decide(struct planner *p)
{
	const struct lock *lock = p->lock;

	/* Pods first: what a kept one mounts has to be kept as well. */
	for (int volumes = 0; volumes < 2; volumes++)
		for (size_t i = 0; i < lock->entries.n; i++) {
			const struct lock_entry *have =
			    &lock->entries.items[i];
			if (!p->entry_done[i] && have->kind != KIND_RUNNER &&
			    (have->kind == KIND_VOLUME) == (volumes == 1))
				leftover_one(p, have);
		}
}

/* ------------------------------------------------ in no entry at all --- */

static int64_t
age_of(const struct planner *p, struct str created_at)
{
	int64_t wall_ms;

	if (!parse_time(created_at, &wall_ms) ||
	    p->options->wall_ms < wall_ms)
		return -1;
	return p->options->wall_ms - wall_ms;
}

static void
orphan(struct planner *p, const struct cloud_pod *pod, struct str marked)
{
	struct address address = { .key = -1 };

	struct plan_change change = {
		.op = PLAN_DELETE, .reason = BECAUSE_ORPHAN, .orphan = true,
		.kind = KIND_POD, .pod = pod, .key = -1, .undo = "none",
	};
	if (address_parse(marked, &address)) {
		change.address = marked;
		change.name = address.name;
		change.key = address.key;
	}
	if (pod->config.volume_id.len == 0)
		danger_add(p, &change, "data_loss");
	change_add(p, &change);
}

static void
unlisted_pod(struct planner *p, const struct cloud_pod *pod)
{
	enum mark_owner owner = mark_owner(pod->config.name, pod->mark, true,
	    &p->lock->lineage);
	struct mark mark = {0};

	/* Before the first apply there is no lineage, and nothing is ours. */
	if (p->lock->lineage.hex[0] == '\0' && owner != MARK_NONE)
		owner = MARK_OTHER;
	(void)mark_parse_env(pod->mark, &mark);
	if (owner == MARK_OURS) {
		/* A create whose outcome is still being found out: not a
		 * stranger. */
		if (map_get(&p->pending, mark.op) != NULL ||
		    p->options->mode == PLAN_REFRESH_ONLY)
			return;
		/* What was forgotten is shown as anybody's, but not a second
		 * pod that the same op has made. */
		if (!lock_is_given_away(p->lock, mark.op, pod->id) &&
		    selected(p, mark.address)) {
			orphan(p, pod, mark.address);
			return;
		}
	}
	if (PLANTED(8) && owner == MARK_OURS) {
		orphan(p, pod, mark.address);
		return;
	}
	volume_is_kept(p, NULL, pod);
	*ARENA_PUSH(p->arena, &p->plan->unmanaged) = (struct plan_unmanaged){
		.kind = KIND_POD, .id = pod->id, .name = pod->config.name,
		.per_hour = pod->cost_known ? pod->cost_per_hour : -1,
		.age_ms = age_of(p, pod->created_at),
		.suspect = owner == MARK_SUSPECT || owner == MARK_RENAMED,
		.other_lineage = owner == MARK_OTHER,
	};
}

static void
unlisted_volume(struct planner *p, const struct cloud_volume *volume)
{
	enum mark_owner owner = mark_owner(volume->name, (struct str){0},
	    false, &p->lock->lineage);

	if (p->lock->lineage.hex[0] == '\0' && owner != MARK_NONE)
		owner = MARK_OTHER;
	*ARENA_PUSH(p->arena, &p->plan->unmanaged) = (struct plan_unmanaged){
		.kind = KIND_VOLUME, .id = volume->id, .name = volume->name,
		.per_hour = price_volume(volume->size_gb,
		    volume->high_performance),
		.age_ms = -1,
		/* Ours by its name, and no record of it: to be looked at by
		 * a person, since its data would go with it. */
		.suspect = owner == MARK_OURS,
		.other_lineage = owner == MARK_OTHER,
	};
}

void
unlisted_decide(struct planner *p)
{
	const struct live *live = p->live;

	for (size_t i = 0; i < live->npods; i++)
		if (!p->pod_done[i] &&
		    live->pods[i].status != POD_TERMINATED)
			unlisted_pod(p, &live->pods[i]);
	for (size_t i = 0; i < live->nvolumes; i++)
		if (!p->volume_done[i])
			unlisted_volume(p, &live->volumes[i]);
}
