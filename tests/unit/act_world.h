/*
 * act_world.h - one act by itself, for what it does with what it is told.
 *
 * No plan is made and nothing is driven: a test puts together what the act
 * finds (change, subject, spec, lock, live), calls one function of pkg/run
 * and looks at the act, at its effects and at the summary.
 */
#ifndef TESTS_ACT_WORLD_H
#define TESTS_ACT_WORLD_H

#include "plan_world.h"
#include "run/act.h"

struct act_world {
	struct plan_world w;
	struct plan plan;
	struct run run;			/* now_ms: 5000 */
	struct plan_change change;	/* of pod.a, SIZE_MAX its host */
	struct subject subject;
	struct subject subjects[3];	/* run.change_subjects */
	struct act act;			/* a process, of no part */
	struct cloud_pod pod;
	struct resource want;
};

/* For cmocka: a world for each test, which is its *state.  Of secrets
 * ${secret.KNOWN} alone has a value: "hunter2-hunter2". */
int act_setup(void **state);
int act_teardown(void **state);

/* The act anew, in PH_ASKED. */
void act_renew(struct act_world *f, enum action_kind kind);
/* It has asked once more. */
void act_asked(struct act_world *f);
/*
 * The act anew, about pod.a of a spec with some more fields ("" or
 * ", setup: ..."), which knows secrets KNOWN and LOST.  The pod is p1, it runs
 * and is listed as `pod`, to be changed; its steps have digests d0 to d2, its
 * process dp.
 */
void act_begin(struct act_world *f, enum action_kind kind, const char *more);
/* What it asks to have recorded of p1; nothing else is to be done then. */
struct lock_inside act_fact_of(struct act_world *f);
void assert_act_failed(const struct act_world *f, enum run_failure failure,
    const char *why);
/* It is queued again, for ms from now. */
void assert_act_waits(const struct act_world *f, int64_t ms);
/* The oldest effect that was not looked at, of that type: fails if it is
 * another. */
struct run_effect act_effect(struct act_world *f, enum run_effect_type type);
/* There is none. */
void assert_no_effect(struct act_world *f);

/* A pod or volume that is there, for what changes it. */
struct act_thing {
	struct lock_entry have;
	struct cloud_pod pod;		/* as the cloud shows it */
	struct cloud_volume volume;
};
/* An act that changes pod.a or volume.d: p1, recorded, marked and there.  The
 * pod has image old:1, shall have new:1; the volume grows from 10 to 20. */
void act_begin_thing(struct act_world *f, struct act_thing *c,
    enum action_kind kind);
/* What a GET of it answers. */
struct cloud_answer act_shown(struct act_world *f, struct act_thing *c);
/* Let it look, journal and send. */
void act_send(struct act_world *f, struct act_thing *c);

#endif
