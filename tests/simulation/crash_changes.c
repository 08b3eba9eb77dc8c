/* crash_changes.c - scenarios that make, replace, change and scale */
#include "crash_scenarios.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------ create -- */

void
crash_before_one(struct crash *crash)
{
	crash_want(crash, A, 1);
	crash_edited(crash);
}

const char *
crash_did_create_one(const struct crash *crash)
{
	return crash_unless(crash_billed(crash) == 1 &&
	    crash_done(crash, MODEL_OP_CREATE, NULL) == 1, "one pod");
}

void
crash_before_five(struct crash *crash)
{
	crash_want(crash, A, 3);
	crash_want(crash, B, 2);
	crash_edited(crash);
}

const char *
crash_did_create_five(const struct crash *crash)
{
	return crash_unless(crash_billed(crash) == 5, "five pods");
}

void
crash_before_volume(struct crash *crash)
{
	crash_want(crash, A, 1);
	crash_with_volume(crash, A);
	crash_edited(crash);
}

const char *
crash_did_create_volume(const struct crash *crash)
{
	const struct model_pod *pod = crash_pod_of(crash, "pod.a");

	return crash_unless(crash_volumes(crash) == 1 && pod != NULL &&
	    pod->volume_id.len > 0, "a pod with a volume");
}

const char *
crash_did_create_guests(const struct crash *crash)
{
	const struct hub *hub = crash->sim.guests->hub;
	size_t listening = 0;

	for (size_t i = 0; i < hub_runner_count(hub); i++) {
		const struct hub_runner *runner = hub_runner_at(hub, i);
		listening += runner->removed_ms < 0 &&
		    hub_runner_online(hub, runner);
	}
	return crash_unless(crash_billed(crash) == 1 && listening == 1 &&
	    crash->sim.guests->holder != NULL, "a runner and a tunnel");
}

void
crash_before_candidates(struct crash *crash)
{
	crash_want(crash, A, 1)->gpu = A40_OR_A6000;
	crash_edited(crash);
}

void
crash_refuse(struct crash *crash, int64_t nth, enum model_fault fault,
    int status)
{
	model_add_script(crash->sim.model, &(struct model_script){
		.call = MODEL_POD_CREATE, .nth = nth, .fault = fault,
		.status = status });
}

void
crash_trouble_candidates(struct crash *crash)
{
	crash_refuse(crash, 1, MODEL_NO_STOCK, 0);
	crash_refuse(crash, 2, MODEL_NO_STOCK, 0);
}

const char *
crash_did_candidates(const struct crash *crash)
{
	const struct model_pod *pod = crash_pod_of(crash, "pod.a");

	return crash_unless(model_fired(crash->sim.model,
	    MODEL_NO_STOCK) == 2 &&
	    pod != NULL, "another candidate was taken");
}

void
crash_trouble_stock_out(struct crash *crash)
{
	struct model_faults faults = {0};

	faults.per_mille[MODEL_POD_CREATE][MODEL_NO_STOCK] = 1000;
	model_set_faults(crash->sim.model, &faults);
}

const char *
crash_did_stock_out(const struct crash *crash)
{
	return crash_unless(crash_billed(crash) == 0 &&
	    model_fired(crash->sim.model, MODEL_NO_STOCK) > 0,
	    "nothing is to be had");
}

/* ----------------------------------------------------------- changes -- */

void
crash_before_create_first(struct crash *crash)
{
	struct tale_pod *pod = crash_want(crash, A, 1);

	pod->create_first = true;
	crash_edited(crash);
	crash_settle(crash);
	pod->gpu = A6000;
	crash_edited(crash);
}

const char *
crash_did_create_first(const struct crash *crash)
{
	size_t created, ended;

	return crash_unless(crash_done(crash, MODEL_OP_CREATE, &created) == 1 &&
	    crash_done(crash, MODEL_OP_TERMINATE, &ended) == 1 &&
	    created < ended && crash_billed(crash) == 1,
	    "the new one, then the end of the old one");
}

void
crash_before_delete_first(struct crash *crash)
{
	struct tale_pod *pod = crash_want(crash, A, 1);

	crash_edited(crash);
	crash_settle(crash);
	pod->gpu = A6000;
	crash_edited(crash);
}

const char *
crash_did_delete_first(const struct crash *crash)
{
	size_t created, ended;

	return crash_unless(crash_done(crash, MODEL_OP_CREATE, &created) == 1 &&
	    crash_done(crash, MODEL_OP_TERMINATE, &ended) == 1 &&
	    ended < created && crash_billed(crash) == 1,
	    "the end of the old one, then the new one");
}

void
crash_before_update(struct crash *crash)
{
	struct tale_pod *pod = crash_want(crash, A, 1);

	crash_edited(crash);
	crash_settle(crash);
	pod->image++;
	crash_edited(crash);
}

const char *
crash_did_update(const struct crash *crash)
{
	return crash_unless(crash_done(crash, MODEL_OP_UPDATE, NULL) == 1 &&
	    crash_done(crash, MODEL_OP_CREATE, NULL) == 0, "a change in place");
}

void
crash_before_scale_up(struct crash *crash)
{
	struct tale_pod *pod = crash_want(crash, A, 1);

	crash_edited(crash);
	crash_settle(crash);
	pod->replicas = 3;
	crash_edited(crash);
}

const char *
crash_did_scale_up(const struct crash *crash)
{
	return crash_unless(crash_done(crash, MODEL_OP_CREATE, NULL) == 2 &&
	    crash_billed(crash) == 3, "two more");
}

void
crash_before_scale_down(struct crash *crash)
{
	struct tale_pod *pod = crash_want(crash, A, 3);

	crash_edited(crash);
	crash_settle(crash);
	pod->replicas = 1;
	crash_edited(crash);
}

const char *
crash_did_scale_down(const struct crash *crash)
{
	return crash_unless(crash_done(crash, MODEL_OP_TERMINATE, NULL) == 2 &&
	    crash_billed(crash) == 1, "two less");
}
