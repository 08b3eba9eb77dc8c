/* crash_ends.c - scenarios of drift, and of the end */
#include "crash_scenarios.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------- drift -- */

static struct str
settled_pod(struct crash *crash)
{
	crash_before_one(crash);
	crash_settle(crash);
	crash->sim.still_since_ms = -1;
	return model_pod_at(crash->sim.model, 0)->id;
}

int64_t
crash_wall(const struct crash *crash)
{
	return EPOCH_MS + crash->sim.now_ms;
}

void
crash_before_stopped(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_stop(crash->sim.model, crash_wall(crash), id);
}

const char *
crash_did_start(const struct crash *crash)
{
	return crash_unless(crash_done(crash, MODEL_OP_START, NULL) == 1,
	    "it was started");
}

void
crash_before_gone(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_delete(crash->sim.model, crash_wall(crash), id);
}

void
crash_before_renamed(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_rename(crash->sim.model, crash_wall(crash), id,
	    STR("mine"));
}

void
crash_before_image(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_edit(crash->sim.model, crash_wall(crash), id,
	    STR("other/image:1"), 0);
}

void
crash_before_disk(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_edit(crash->sim.model, crash_wall(crash), id,
	    (struct str){0}, 40);
}

void
crash_before_env(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_edit_env(crash->sim.model, crash_wall(crash), id,
	    STR("MODE"),
	    STR("drifted"));
}

const char *
crash_did_update_again(const struct crash *crash)
{
	return crash_unless(crash_done(crash, MODEL_OP_UPDATE, NULL) == 1,
	    "it was changed back");
}

void
crash_before_volume_gone(struct crash *crash)
{
	crash_before_volume(crash);
	crash_settle(crash);
	crash->sim.still_since_ms = -1;
	model_console_delete(crash->sim.model, crash_wall(crash),
	    model_pod_at(crash->sim.model, 0)->id);
	model_console_delete_volume(crash->sim.model, crash_wall(crash),
	    model_volume_at(crash->sim.model, 0)->id);
}

/* --------------------------------------------------------------- end -- */

void
crash_before_destroy(struct crash *crash)
{
	crash_before_one(crash);
	crash_settle(crash);
}

void
crash_before_destroy_volume(struct crash *crash)
{
	crash_before_volume(crash);
	crash_settle(crash);
}

const char *
crash_did_destroy(const struct crash *crash)
{
	return crash_unless(crash_done(crash, MODEL_OP_TERMINATE, NULL) == 1 &&
	    crash_billed(crash) == 0 && crash_volumes(crash) == 0,
	    "all is gone");
}

void
crash_before_destroy_guests(struct crash *crash)
{
	crash_want_guests(crash);
	crash_settle(crash);
}

static void
start_job(struct crash *crash)
{
	struct sim *sim = &crash->sim;
	struct str labels[] = { STR("self-hosted") };

	hub_add_job(sim->guests->hub, crash_wall(crash), &(struct hub_want){
		.repository = STR("acme/model"), .labels = labels,
		.nlabels = 1, .duration_ms = 90000 });
	sim_pass(sim, 6000);
}

void
crash_before_busy_destroy(struct crash *crash)
{
	crash_want_guests(crash);
	crash_settle(crash);
	start_job(crash);
}

void
crash_before_busy_replace(struct crash *crash)
{
	crash_want_guests(crash);
	crash_settle(crash);
	crash->tale.pods[A].gpu = A6000;
	crash_edited(crash);
	start_job(crash);
}

const char *
crash_did_wait_for_job(const struct crash *crash)
{
	const struct hub *hub = crash->sim.guests->hub;
	const struct hub_job *job = hub_job_count(hub) == 1
	    ? hub_job_at(hub, 0)
	    : NULL;

	return crash_unless(job != NULL && job->conclusion == HUB_SUCCESS &&
	    job->started_ms < EPOCH_MS + crash->began_ms &&
	    job->ended_ms > EPOCH_MS + crash->began_ms &&
	    hub_jobs_killed(hub) == 0 &&
	    crash_done(crash, MODEL_OP_TERMINATE, NULL) == 1,
	    "the end of the job was awaited");
}
