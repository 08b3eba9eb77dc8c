/*
 * pod.c - what becomes of one wanted pod.
 *
 *	no record            create (unless it is to be stopped)
 *	record, gone         create again, once it is proved
 *	record, not ours     report, leave alone
 *	a fixed field        replace
 *	other fields         update in place, maybe with a restart
 *	its state            start, stop
 */
#include "plan/slot.h"

/* ------------------------------------------------------ the volume ----- */

/* Of the wanted volume: its id, and the place that decides the pod's. */
static void
find_volume(struct slot *slot)
{
	struct planner *p = slot->p;
	struct str address, place = {0};

	if (slot->spec->volume.len == 0)
		return;
	address = address_format(p->arena, KIND_VOLUME, slot->spec->volume,
	    -1);
	const struct lock_entry *have = map_get(&p->entries, address);
	const struct resource *want = index_wanted(p, address);
	place = want->volume->data_center;
	if (have != NULL)
		place = have->volume.data_center;
	slot->diff.data_center = place;
	bool gone = have == NULL || (p->live->volumes_known &&
	    map_get(&p->volumes, have->id) == NULL);
	slot->diff.volume_later = gone;
	if (!gone)
		slot->diff.volume_id = have->id;
}

/* ------------------------------------------------------- the state ----- */

static void
tell_state(struct slot *slot)
{
	struct plan_change *change = &slot->change;
	bool stopped = slot->spec->state == STATE_STOPPED;
	enum pod_status status = slot->pod->status;

	bool known = slot->p->live->from_lock || status != POD_UNKNOWN;

	/* In a state that we have no word for it may well run. */
	slot->runs = status == POD_RUNNING || status == POD_STARTING ||
	    status == POD_PROVISIONING || status == POD_UNKNOWN;
	if (slot->p->live->from_lock)
		slot->runs = !slot->have->stopped;
	bool exited = slot->p->live->from_lock ? slot->have->stopped :
	    status == POD_EXITED;
	slot->drift.stopped = exited && !slot->have->stopped;
	slot->drift.started = slot->runs && known && slot->have->stopped;
	if (stopped == slot->have->stopped && (slot->drift.stopped ||
	    slot->drift.started))
		slot->state_ack = ack_find(slot->p, slot->have->address,
		    STR("state"), slot->drift.stopped ? STR("\"stopped\"") :
		    STR("\"running\""));
	if (slot->state_ack != NULL || (stopped == slot->have->stopped &&
	    drift_ignored(slot->spec, STR("state"))))
		return;
	change->start = exited && !stopped;
	change->stop = slot->runs && stopped;
}

/* ------------------------------------------------------------ deciding -- */

static void
drift_add(struct slot *slot)
{
	struct plan_drift *drift = &slot->drift;

	if (drift->attrs.n == 0 && !drift->gone && !drift->stopped &&
	    !drift->started)
		return;
	drift->address = slot->want->address;
	drift->kind = KIND_POD;
	drift->have = slot->have;
	drift->span = slot->want->span;
	if (drift->gone)
		drift->ack = NULL;
	else if ((drift->stopped || drift->started) &&
	    (drift->attrs.n == 0 || drift->ack != NULL))
		drift->ack = slot->state_ack;
	*ARENA_PUSH(slot->p->arena, &slot->p->plan->drift) = *drift;
}

static void
decide_gone(struct slot *slot)
{
	struct plan_change *change = &slot->change;

	slot->drift.gone = true;
	drift_add(slot);
	if (slot->p->options->mode != PLAN_REFRESH_ONLY &&
	    slot->spec->state == STATE_RUNNING) {
		slot_create(slot, BECAUSE_LOST);
		return;
	}
	if (slot->p->options->mode != PLAN_REFRESH_ONLY)
		slot_not_created(slot);
	change->op = PLAN_FORGET;
	change->reason = BECAUSE_LOST;
	change->gone = true;
	change->gone_proved = slot->proved;
	change->undo = "none";
	change->span = slot->want->span;
	change_add(slot->p, change);
}

/* Somebody took the mark off, or the record names a stranger. */
static bool
decide_suspect(struct slot *slot)
{
	enum mark_owner owner = entry_owner(slot->p, slot->have, slot->pod);

	if (owner == MARK_OURS || owner == MARK_RENAMED)
		return false;
	check_add(slot->p, "mark", CHECK_FAIL, slot->want->span, "pod '" STR_FMT
	    "' is recorded as " STR_FMT " but does not carry our mark%s: it "
	    "is left alone", STR_ARG(slot->have->id),
	    STR_ARG(slot->want->address), owner == MARK_OTHER ?
	    ", it carries another project's" : owner == MARK_NONE ?
	    " any more" : " as we wrote it");
	slot->p->plan->noops++;
	cost_stays(slot->p, slot->have, slot->pod);
	volume_is_kept(slot->p, slot->have, slot->pod);
	return true;
}

static bool
must_replace(struct slot *slot, enum plan_reason *reason)
{
	if (slot->pod->status == POD_ERROR)
		*reason = BECAUSE_LOST;
	else if (slot->have->tainted)
		*reason = BECAUSE_TAINTED;
	else if (replace_asked(slot->p, slot->want->address))
		*reason = BECAUSE_REQUESTED;
	else if (slot->diff.replaces)
		*reason = BECAUSE_CANNOT_UPDATE;
	else
		return false;
	return true;
}

/* A status that we have no word for changes nothing: not what is there, and
 * not what would be done about something else. */
static bool
decide_unknown(struct slot *slot, bool replaces)
{
	struct planner *p = slot->p;

	if (slot->pod->status != POD_UNKNOWN)
		return false;
	if (!replaces && slot->change.changes == 0 && !slot->change.stop &&
	    !slot_look_inside(slot))
		return false;
	check_add(p, "status", CHECK_FAIL, slot->want->span, STR_FMT
	    " has a status that this podform does not know, '" STR_FMT
	    "': pod '" STR_FMT "' is left alone", STR_ARG(slot->want->address),
	    STR_ARG(slot->pod->status_text), STR_ARG(slot->have->id));
	p->plan->noops++;
	cost_stays(p, slot->have, slot->pod);
	volume_is_kept(p, slot->have, slot->pod);
	return true;
}

/* Of a stopped pod that waits for its replacement only the state changes. */
static void
drop_attrs(struct slot *slot)
{
	slot->change.attrs.n = 0;
	slot->change.changes = 0;
	slot->change.restarts = false;
}

static void
decide_living(struct slot *slot)
{
	struct planner *p = slot->p;
	enum plan_reason reason;
	bool replaces;

	slot->diff.target = &slot->target;
	diff_pod(&slot->diff);
	tell_state(slot);
	drift_add(slot);
	if (slot->pod->status == POD_RUNNING && !p->live->from_lock &&
	    slot->have->pod.gpu_count > 0 && slot->pod->config.gpu_count == 0)
		check_add(p, "gpu", CHECK_WARN, slot->want->span, STR_FMT
		    " runs without a GPU: pod '" STR_FMT "' came back without "
		    "it; replace the pod, or stop it and try later",
		    STR_ARG(slot->want->address), STR_ARG(slot->have->id));
	if (p->options->mode == PLAN_REFRESH_ONLY) {
		p->plan->noops++;
		cost_stays(p, slot->have, slot->pod);
		if (slot->drift.attrs.n > 0 || slot->drift.stopped ||
		    slot->drift.started)
			accept_pod(p, slot->have, slot->pod, slot->runs ?
			    false : slot->drift.stopped ||
			    slot->have->stopped);
		return;
	}
	replaces = must_replace(slot, &reason);
	if (decide_unknown(slot, replaces))
		return;
	if (replaces) {
		bool broken = reason == BECAUSE_LOST ||
		    reason == BECAUSE_TAINTED;
		if (slot->spec->state == STATE_RUNNING) {
			slot_replace(slot, reason);
			return;
		}
		slot_replace_stopped(slot, reason);
		if (broken)
			return;
		drop_attrs(slot);
	}
	if (!slot->change.stop)
		slot_check_stuck(slot);
	if (slot->change.changes != 0)
		slot_update(slot);
	else if (slot->change.start || slot->change.stop)
		slot_change_state(slot);
	else if (slot_look_inside(slot))
		slot_update_inside(slot);
	else
		slot_stays(slot);
}

/* Not part of this plan: it is as it was, and costs what it costs. */
static void
leave(struct slot *slot)
{
	slot->p->plan->noops++;
	if (slot->have == NULL)
		return;
	index_done(slot->p, slot->have);
	slot->pod = index_pod(slot->p, slot->have->id, &slot->proved);
	if (slot->pod == NULL)
		return;
	cost_stays(slot->p, slot->have, slot->pod);
	volume_is_kept(slot->p, slot->have, slot->pod);
}

void
pod_decide(struct planner *p, const struct resource *want)
{
	struct slot slot = {
		.p = p, .want = want, .spec = want->pod,
		.have = index_entry(p, want),
	};

	slot.change = (struct plan_change){
		.kind = KIND_POD, .address = want->address,
		.name = want->name, .key = want->key, .want = want,
		.have = slot.have,
	};
	slot.diff = (struct diff){
		.p = p, .want = want, .spec = want->pod, .have = slot.have,
		.change = &slot.change, .drift = &slot.drift,
		.target = &slot.target,
	};
	if (!selected(p, want->address)) {
		leave(&slot);
		return;
	}
	find_volume(&slot);
	if (slot.have == NULL) {
		if (p->options->mode == PLAN_REFRESH_ONLY)
			p->plan->noops++;
		else if (slot.spec->state == STATE_RUNNING)
			slot_create(&slot, BECAUSE_NEW);
		else {
			p->plan->noops++;
			slot_not_created(&slot);
		}
		return;
	}
	index_done(p, slot.have);
	slot.pod = index_pod(p, slot.have->id, &slot.proved);
	slot.change.pod = slot.diff.pod = slot.pod;
	slot.gone = slot.pod == NULL;
	if (slot.gone)
		decide_gone(&slot);
	else if (!decide_suspect(&slot))
		decide_living(&slot);
}
