/*
 * slot.h - inside pkg/plan: one wanted pod while it is decided about.
 *
 * pod.c finds out what is there and decides; slot.c writes the change, or
 * the record, that follows.  All of it lives as long as the planner.
 */
#ifndef PLAN_SLOT_H
#define PLAN_SLOT_H

#include "plan/planner.h"

/* What is found out about one slot. */
struct slot {
	struct planner *p;
	const struct resource *want;
	const struct pod_spec *spec;
	const struct lock_entry *have;
	const struct cloud_pod *pod;	/* live, not terminated */
	bool gone, proved;
	bool runs;			/* live, as far as known */
	struct plan_change change;
	struct plan_drift drift;
	const struct ack *state_ack;	/* of a state that was changed */
	struct diff diff;
	struct pod_config target;
};

/* Nothing is there, or not any more (gone, proved): make it. */
void slot_create(struct slot *slot, enum plan_reason reason);
/* Say that a pod which would only be stopped is not made. */
void slot_not_created(struct slot *slot);

void slot_replace(struct slot *slot, enum plan_reason reason);
/* Stopped pods are not replaced: the new one would start in order to be
 * stopped.  What is broken goes all the same. */
void slot_replace_stopped(struct slot *slot, enum plan_reason reason);

/*
 * What is done inside goes with what is done to the pod: all of it in a
 * container that starts, else what changed.  False: nothing is.
 */
bool slot_look_inside(struct slot *slot);
/* Fields differ; or the state alone; or only what is inside. */
void slot_update(struct slot *slot);
void slot_change_state(struct slot *slot);
void slot_update_inside(struct slot *slot);

/* Warn of one that is billed and should long have been up. */
void slot_check_stuck(struct slot *slot);

/* Nothing of the cloud changes, but the record may have to. */
void slot_stays(struct slot *slot);

#endif
