/* trouble.c - what goes wrong around a command; see tale.h */
#include "tale.h"

#include <string.h>

/* -------------------------------------------------------------- trouble -- */

void
trouble_draw(struct tale *tale)
{
	static const enum model_fault kinds[] = {
		MODEL_ERROR_BEFORE, MODEL_ERROR_AFTER, MODEL_BODY,
		MODEL_DELAYED, MODEL_STALE, MODEL_NO_STOCK, MODEL_GET_404,
		MODEL_SHRUNK, MODEL_TWICE, MODEL_RATE_LIMITED,
		MODEL_DROP_BEFORE, MODEL_SLOW,
	};
	struct rng *rng = &tale->sim->rng;
	struct model_faults faults = {0};
	for (size_t k = 0; k < COUNTOF(kinds); k++) {
		if (!rng_chance(rng, 350))
			continue;
		unsigned often = (unsigned)rng_range(rng, 20,
		    rng_chance(rng, 200) ? 500 : 150);
		for (int call = 0; call < MODEL_CALL_COUNT; call++)
			if (rng_chance(rng, 700))
				faults.per_mille[call][kinds[k]] =
				    (uint16_t)often;
	}
	/* Some seeds have a network that eats half of every list. */
	if (rng_chance(rng, 100))
		faults.per_mille[MODEL_POD_LIST][MODEL_BODY] = 400;
	/* A late effect that a stale listing hides is seen later still. */
	tale->sim->hides_ms =
	    faults.per_mille[MODEL_POD_LIST][MODEL_STALE] > 0 ? 500 : 55000;
	model_set_faults(tale->sim->model, &faults);
}

static const struct model_pod *
any_pod(struct tale *tale)
{
	size_t n = model_pod_count(tale->sim->model);
	for (int tries = 0; n > 0 && tries < 8; tries++) {
		const struct model_pod *pod = model_pod_at(tale->sim->model,
		    rng_below(&tale->sim->rng, n));
		if (model_pod_billed(pod))
			return pod;
	}
	return NULL;
}

void
trouble_console(struct tale *tale)
{
	struct sim *sim = tale->sim;
	const struct model_pod *pod = any_pod(tale);
	int64_t now = EPOCH_MS + sim->now_ms;
	if (pod == NULL)
		return;
	sim->still_since_ms = -1;
	if (model_volume_count(sim->model) > 0 &&
	    rng_chance(&sim->rng, 60)) {
		sim_trace(sim, "console: delete a volume");
		model_console_delete_volume(sim->model, now,
		    model_volume_at(sim->model, 0)->id);
	}
	switch (rng_below(&sim->rng, 6)) {
	case 0:
		sim_trace(sim, "console: stop");
		model_console_stop(sim->model, now, pod->id);
		break;
	case 1:
		sim_trace(sim, "console: delete");
		model_console_delete(sim->model, now, pod->id);
		break;
	case 2:
		sim_trace(sim, "console: rename");
		model_console_rename(sim->model, now, pod->id, STR("mine"));
		break;
	case 3:
		sim_trace(sim, "console: edit");
		model_console_edit(sim->model, now, pod->id,
		    STR("other/image:1"), 0);
		break;
	case 4:
		sim_trace(sim, "console: look-alike");
		model_console_lookalike(sim->model, now, pod->id, false);
		break;
	default:
		sim_trace(sim, "console: env");
		model_console_edit_env(sim->model, now, pod->id, STR("MODE"),
		    STR("drifted"));
		break;
	}
	check_cloud(sim);
}

/*
 * A CI machine is thrown away: the lock file is in git, the journal is gone.
 * The marks alone must be enough to find what was made.  Nobody can know of
 * an unrecorded pod that a young or a shrunken listing hides, so this waits
 * and leaves such listings out.
 */
void
trouble_lose_machine(struct tale *tale)
{
	struct sim *sim = tale->sim;
	const struct model_faults *faults = model_get_faults(sim->model);
	if (disk_get(sim->disk, LOCK_PATH).data == NULL ||
	    faults->per_mille[MODEL_POD_LIST][MODEL_SHRUNK] > 0)
		return;
	sim->still_since_ms = -1;
	sim_trace(sim, "the machine is lost, and the journal with it");
	/* What is checked out on the next machine is safe on its disk. */
	struct arena scratch = {0};
	disk_put(sim->disk, LOCK_PATH,
	    arena_str(&scratch, disk_get(sim->disk, LOCK_PATH)));
	arena_release(&scratch);
	disk_remove(sim->disk, WORK_DIR "/journal");
	disk_remove(sim->disk, WORK_DIR "/mutex");
	hold_kill(sim);
	sim->guests->held_once = false;
	sim->guests->lost_ms = sim->now_ms;
	sim_pass(sim, 200000);
}

void
trouble_death(struct tale *tale)
{
	struct sim *sim = tale->sim;
	if (rng_chance(&sim->rng, 450)) {
		sim->crash_at = rng_range(&sim->rng, 0,
		    rng_chance(&sim->rng, 500) ? 30 : 150);
		sim->crash_is_power_loss = rng_chance(&sim->rng, 500);
	} else if (rng_chance(&sim->rng, 200)) {
		sim->signal_at_ms = sim->now_ms +
		    rng_range(&sim->rng, 0, 20000);
		if (rng_chance(&sim->rng, 400))
			sim->signal_again_ms = sim->signal_at_ms +
			    rng_range(&sim->rng, 1, 20000);
	}
}

/* Somebody starts a second podform while the first one is paused. */
void
trouble_rival(struct sim *sim)
{
	struct sim first = *sim;
	struct tale tale = { .sim = sim };
	bool empty;

	sim_trace(sim, "the first podform is paused; a second one");
	sim->process = 2;
	disk_process(sim->disk, 2);
	sim->crash_at = rng_chance(&sim->guests->rng, 300)
	    ? rng_range(&sim->guests->rng, 0, 100)
	    : -1;
	sim->crash_is_power_loss = false;
	sim->signal_at_ms = sim->signal_again_ms = -1;
	sim->rivals++;
	if (tale_process(&tale, rng_chance(&sim->guests->rng, 120), &empty) ==
	    EXIT_LOCKED)
		sim->locked++;
	sim->process = 1;
	disk_process(sim->disk, 1);
	sim->running = true;
	memcpy(&sim->crash, &first.crash, sizeof sim->crash);
	sim->steps = first.steps;
	sim->crash_at = first.crash_at;
	sim->crash_is_power_loss = first.crash_is_power_loss;
	sim->signal_at_ms = first.signal_at_ms;
	sim->signal_again_ms = first.signal_again_ms;
	/* The first one may want something else, and has looked before. */
	sim->still_since_ms = -1;
	sim->late = true;
	sim_trace(sim, "the first podform goes on");
}

/* Before a command: what happens on this machine. */
void
trouble_guests(struct sim *sim)
{
	struct guests *guests = sim->guests;
	if (!guests->any)
		return;
	guests->taken_port = 0;
	if (guest_strikes(sim, GUEST_PORT))
		guests->taken_port =
		    (uint16_t)rng_range(&guests->rng, 8100, 8103);
	if (guest_strikes(sim, GUEST_HOLDER))
		hold_kill(sim);
	guests->forced = rng_chance(&guests->rng, 50);
	sim->rival_at = rng_chance(&guests->rng, 150)
	    ? rng_range(&guests->rng, 0, 80)
	    : -1;
}
