/* crash_undone.c - scenarios that fail, and go back */
#include "crash_scenarios.h"

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------- rollback -- */

const char *
crash_did_roll_back(const struct crash *crash)
{
	return crash_unless(crash_done(crash, MODEL_OP_CREATE, NULL) >= 1 &&
	    crash_done(crash,
	    MODEL_OP_TERMINATE, NULL) >= 1 && crash_billed(crash) == 0,
	    "a pod was made and undone");
}

void
crash_trouble_refused(struct crash *crash)
{
	crash_refuse(crash, 1, MODEL_ERROR_BEFORE, 400);
}

const char *
crash_did_roll_back_volume(const struct crash *crash)
{
	return crash_unless(crash_done(crash,
	    MODEL_OP_VOLUME_CREATE, NULL) == 1 &&
	    crash_done(crash, MODEL_OP_VOLUME_DELETE, NULL) == 1 &&
	    crash_volumes(crash) == 0, "the volume was made and undone");
}

void
crash_before_shared(struct crash *crash)
{
	crash_want(crash, A, 1);
	crash_want(crash, B, 1);
	crash_with_volume(crash, A);
	crash_with_volume(crash, B);
	crash_edited(crash);
}

void
crash_trouble_unknown(struct crash *crash)
{
	crash_refuse(crash, 1, MODEL_ERROR_AFTER, 500);
	crash_refuse(crash, 2, MODEL_ERROR_BEFORE, 400);
}

const char *
crash_did_roll_back_unknown(const struct crash *crash)
{
	return crash_unless(model_fired(crash->sim.model,
	    MODEL_ERROR_AFTER) == 1 &&
	    crash_done(crash,
	    MODEL_OP_TERMINATE, NULL) == 1 && crash_billed(crash) == 0 &&
	    crash_volumes(crash) == 0, "the unknown one was found and undone");
}

void
crash_trouble_stuck(struct crash *crash)
{
	struct model_faults faults = {0};

	faults.per_mille[MODEL_POD_CREATE][MODEL_STUCK] = 1000;
	model_set_faults(crash->sim.model, &faults);
}

/* One pod, and in it what will fail. */
static void
before_inside(struct crash *crash, const struct tale_guest *says)
{
	struct tale_guest *guest = crash_guest_of(crash, A);

	crash_want(crash, A, 1);
	guest->checks = says->checks;
	guest->nsteps = says->nsteps;
	guest->process = says->process;
	guest->on_failure = says->on_failure;
	crash_edited(crash);
}

void
crash_before_check(struct crash *crash)
{
	before_inside(crash, &(struct tale_guest){ .checks = 1,
	    .on_failure = TERMINATE });
}

void
crash_before_setup(struct crash *crash)
{
	before_inside(crash, &(struct tale_guest){ .nsteps = 2,
	    .on_failure = TERMINATE });
}

void
crash_before_process(struct crash *crash)
{
	before_inside(crash, &(struct tale_guest){ .process = 1,
	    .on_failure = TERMINATE });
}

void
crash_before_setup_stops(struct crash *crash)
{
	before_inside(crash, &(struct tale_guest){ .nsteps = 2,
	    .on_failure = STOP });
}

const char *
crash_did_stop(const struct crash *crash)
{
	return crash_unless(crash_done(crash, MODEL_OP_STOP, NULL) == 1 &&
	    crash_billed(crash) == 1, "the pod was stopped and kept");
}

void
crash_trouble_inside(struct crash *crash)
{
	crash->sim.guests->per_mille[GUEST_STEP] = 1000;
}

void
crash_before_guests(struct crash *crash)
{
	crash_want_guests(crash);
}

void
crash_trouble_registration(struct crash *crash)
{
	struct hub_faults faults = {0};

	faults.per_mille[HUB_JIT][HUB_FORBIDDEN] = 1000;
	faults.per_mille[HUB_TOKEN][HUB_FORBIDDEN] = 1000;
	hub_set_faults(crash->sim.guests->hub, &faults);
}

/* Somebody takes the port when it has been looked at. */
static void
take_port(struct recorder *recorder, enum op_kind kind)
{
	if (kind == CALL_CREATE)
		recorder->sim->guests->taken_port = 8100;
}

void
crash_trouble_port(struct crash *crash)
{
	crash->recorder.sends = take_port;
}

const char *
crash_did_roll_back_replacement(const struct crash *crash)
{
	return crash_unless(crash_done(crash, MODEL_OP_CREATE, NULL) == 1 &&
	    crash_done(crash, MODEL_OP_TERMINATE, NULL) == 1 &&
	    crash_billed(crash) == 1 && crash_pod_of(crash, "pod.a") != NULL &&
	    crash_pod_of(crash, "pod.a")->number == 1, "the old one is left");
}
