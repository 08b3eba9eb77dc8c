/* crash_scenarios.c - what is played, as a table; and what all scenarios use */
#include "crash_scenarios.h"

#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------- the specs -- */

struct tale_pod *
crash_want(struct crash *crash, unsigned which, unsigned replicas)
{
	struct tale_pod *pod = &crash->tale.pods[which];

	*pod = (struct tale_pod){ .there = true, .gpu = L40S,
		.replicas = replicas };
	return pod;
}

struct tale_guest *
crash_guest_of(struct crash *crash, unsigned which)
{
	return &crash->tale.guests[which];
}

void
crash_edited(struct crash *crash)
{
	crash->sim.still_since_ms = -1;
	tale_write_spec(&crash->tale);
}

void
crash_with_volume(struct crash *crash, unsigned which)
{
	crash->tale.has_volume = true;
	crash->tale.pods[which].volume = true;
}

void
crash_want_guests(struct crash *crash)
{
	crash_want(crash, A, 1);
	*crash_guest_of(crash, A) = (struct tale_guest){
		.checks = 1, .nsteps = 2, .process = 1, .runner = 2,
		.tunnel = true, .copies = true, .on_failure = TERMINATE,
	};
	crash_edited(crash);
}

/* ------------------------------------------------ what has been done -- */

const struct model_pod *
crash_pod_of(const struct crash *crash, const char *address)
{
	return check_pod_of((struct sim *)&crash->sim, address);
}

size_t
crash_billed(const struct crash *crash)
{
	size_t n = 0;

	for (size_t i = 0; i < model_pod_count(crash->sim.model); i++)
		n += model_pod_billed(model_pod_at(crash->sim.model, i));
	return n;
}

size_t
crash_volumes(const struct crash *crash)
{
	size_t n = 0;

	for (size_t i = 0; i < model_volume_count(crash->sim.model); i++)
		n += model_volume_at(crash->sim.model, i)->ended_ms == -1;
	return n;
}

size_t
crash_done(const struct crash *crash, enum model_op op, size_t *at)
{
	size_t n = 0, first = SIZE_MAX;

	for (size_t i = crash->log_from; i < model_log_count(crash->sim.model);
	     i++) {
		const struct model_entry *entry =
		    model_log_at(crash->sim.model, i);
		if (entry->op != op || entry->actor != MODEL_BY_API)
			continue;
		if (n++ == 0)
			first = i;
	}
	if (at != NULL)
		*at = first;
	return n;
}

const char *
crash_unless(bool ok, const char *why)
{
	return ok ? NULL : why;
}

/* -------------------------------------------------- tunnels, and two -- */

static void
before_restarted(struct crash *crash)
{
	struct sim *sim = &crash->sim;

	crash_want_guests(crash);
	crash_settle(crash);
	sim->still_since_ms = -1;
	struct str id = model_pod_at(sim->model, 0)->id;
	model_console_stop(sim->model, crash_wall(crash), id);
	model_console_start(sim->model, crash_wall(crash), id);
	sim_pass(sim, 15000);
}

static const char *
did_restarted(const struct crash *crash)
{
	return crash_unless(crash_billed(crash) == 1 &&
	    crash_done(crash, MODEL_OP_CREATE, NULL) == 0 &&
	    crash->sim.guests->containers[1].steps[1] != 0,
	    "the new container was set up");
}

/* A second podform comes while the first one is paused. */
static void
come_too(struct sim *sim)
{
	struct sim first = *sim;
	struct tale tale = { .sim = sim };
	bool empty;

	sim_trace(sim, "the first podform is paused; a second one");
	sim->process = 2;
	disk_process(sim->disk, 2);
	sim->rivals++;
	if (tale_process(&tale, false, &empty) == EXIT_LOCKED)
		sim->locked++;
	sim->process = 1;
	disk_process(sim->disk, 1);
	sim->running = true;
	memcpy(&sim->crash, &first.crash, sizeof sim->crash);
	sim->steps = first.steps;
	sim->still_since_ms = -1;
	sim->late = true;
	sim_trace(sim, "the first podform goes on");
}

static void
trouble_second(struct crash *crash)
{
	crash->sim.rival = come_too;
	crash->sim.rival_at = 40;
}

static const char *
did_lock_out(const struct crash *crash)
{
	return crash_unless(crash->sim.rivals == 1 && crash->sim.locked == 1 &&
	    crash_billed(crash) == 1, "the second one was locked out");
}

/* ------------------------------------------------------- saved plans -- */

static void
save_plan(struct crash *crash)
{
	bool empty;
	int code = tale_run(&crash->tale, (const char *const[]){
		"plan", "--out", PLAN_PATH }, 3, &empty);

	if (code != EXIT_OK)
		sim_violate(&crash->sim, "scenario", "plan --out exits %d",
		    code);
}

static void
before_saved(struct crash *crash)
{
	crash_before_one(crash);
	save_plan(crash);
}

/* Another apply comes before it. */
static void
before_stale(struct crash *crash)
{
	struct tale_pod *pod = crash_want(crash, A, 1);

	crash_edited(crash);
	crash_settle(crash);
	pod->image++;
	crash_edited(crash);
	save_plan(crash);
	pod->image--;
	pod->env++;
	crash_edited(crash);
	crash_settle(crash);
	pod->image++;
	pod->env--;
	crash_edited(crash);
}

static void
before_used(struct crash *crash)
{
	bool empty;

	before_saved(crash);
	if (tale_run(&crash->tale, (const char *const[]){
		"apply", PLAN_PATH }, 2, &empty) != EXIT_OK)
		sim_violate(&crash->sim, "scenario", "the saved plan cannot "
		    "be applied");
}

static const char *
did_nothing(const struct crash *crash)
{
	return crash_unless(model_log_count(crash->sim.model) ==
	    crash->log_from, "nothing was changed");
}

/* --------------------------------------------------------- the table -- */

const struct scenario scenarios[] = {
	{ "create-one", crash_before_one, .did = crash_did_create_one,
	  .twice = true },
	{ "create-five", crash_before_five, .did = crash_did_create_five },
	{ "create-with-volume", crash_before_volume,
	  .did = crash_did_create_volume },
	{ "create-with-guests", crash_before_guests, .guests = true,
	  .did = crash_did_create_guests },
	{ "candidates", crash_before_candidates, crash_trouble_candidates,
	  .did = crash_did_candidates },
	{ "stock-out", crash_before_candidates, crash_trouble_stock_out,
	  .twice = true, .code = EXIT_CAPACITY, .did = crash_did_stock_out },
	{ "replace-create-first", crash_before_create_first,
	  .did = crash_did_create_first },
	{ "replace-delete-first", crash_before_delete_first,
	  .did = crash_did_delete_first },
	{ "update", crash_before_update, .did = crash_did_update },
	{ "scale-up", crash_before_scale_up, .did = crash_did_scale_up },
	{ "scale-down", crash_before_scale_down, .twice = true,
	  .did = crash_did_scale_down },
	{ "rollback-volume", crash_before_volume, crash_trouble_refused,
	  .twice = true, .code = EXIT_UNDONE,
	  .did = crash_did_roll_back_volume },
	{ "rollback-unknown", crash_before_shared, crash_trouble_unknown,
	  .code = EXIT_UNDONE, .did = crash_did_roll_back_unknown },
	{ "rollback-not-ready", crash_before_one, crash_trouble_stuck,
	  .code = EXIT_UNDONE, .did = crash_did_roll_back },
	{ "rollback-check", crash_before_check, crash_trouble_inside,
	  .guests = true, .code = EXIT_UNDONE, .did = crash_did_roll_back },
	{ "rollback-setup", crash_before_setup, crash_trouble_inside,
	  .guests = true, .code = EXIT_UNDONE, .did = crash_did_roll_back },
	{ "rollback-stops", crash_before_setup_stops, crash_trouble_inside,
	  .guests = true, .code = EXIT_LEFT, .did = crash_did_stop },
	{ "rollback-process", crash_before_process, crash_trouble_inside,
	  .guests = true, .code = EXIT_UNDONE, .did = crash_did_roll_back },
	{ "rollback-runner", crash_before_guests, crash_trouble_registration,
	  .guests = true, .code = EXIT_UNDONE, .did = crash_did_roll_back },
	{ "rollback-tunnel", crash_before_guests, crash_trouble_port,
	  .guests = true, .code = EXIT_UNDONE, .did = crash_did_roll_back },
	{ "rollback-replacement", crash_before_create_first,
	  crash_trouble_stuck, .code = EXIT_UNDONE,
	  .did = crash_did_roll_back_replacement },
	{ "drift-stopped", crash_before_stopped, .did = crash_did_start },
	{ "drift-gone", crash_before_gone, .did = crash_did_create_one },
	{ "drift-renamed", crash_before_renamed, .twice = true,
	  .did = crash_did_update_again },
	{ "drift-image", crash_before_image, .did = crash_did_update_again },
	{ "drift-disk", crash_before_disk, .did = crash_did_update_again },
	{ "drift-env", crash_before_env, .did = crash_did_update_again },
	{ "drift-volume", crash_before_volume_gone,
	  .did = crash_did_create_volume },
	{ "destroy-one", crash_before_destroy, .destroys = true, .twice = true,
	  .did = crash_did_destroy },
	{ "destroy-volume", crash_before_destroy_volume, .destroys = true,
	  .twice = true, .did = crash_did_destroy },
	{ "destroy-guests", crash_before_destroy_guests, .destroys = true,
	  .guests = true, .did = crash_did_destroy },
	{ "busy-at-destroy", crash_before_busy_destroy, .destroys = true,
	  .guests = true, .did = crash_did_wait_for_job },
	{ "busy-at-replace", crash_before_busy_replace, .guests = true,
	  .did = crash_did_wait_for_job },
	{ "tunnel-across-restart", before_restarted, .guests = true,
	  .did = did_restarted },
	{ "saved-plan", before_saved, .saved = true,
	  .did = crash_did_create_one },
	{ "stale-plan", before_stale, .saved = true, .code = EXIT_STALE,
	  .did = did_nothing },
	{ "used-plan", before_used, .saved = true, .code = EXIT_STALE,
	  .did = did_nothing },
	{ "two-at-once", crash_before_one, trouble_second,
	  .did = did_lock_out },
};
const size_t nscenarios = COUNTOF(scenarios);
