/* trouble.c - what goes wrong around a command; see tale.h */
#include "tale.h"

#include "faults.h"
#include "stored.h"

#include <string.h>

/* -------------------------------------------------------------- trouble -- */

/* F11 to F15, from a chance of their own. */
static void
draw_cloud(struct tale *tale, struct model_faults *faults)
{
	static const struct {
		enum model_fault fault;
		int often, seldom;	/* per mille, of a request */
	} kinds[] = {
		{ MODEL_TAKEN, 40, 5 }, { MODEL_STUCK, 400, 60 },
		{ MODEL_ODD, 300, 30 }, { MODEL_CONSOLE, 40, 5 },
		{ MODEL_KEY_REVOKED, 15, 3 }, { MODEL_BROKE, 15, 3 },
	};
	struct rng *rng = &tale->sim->more;

	for (size_t k = 0; k < COUNTOF(kinds); k++) {
		if (!rng_chance(rng, 200))
			continue;
		unsigned often = (unsigned)rng_range(rng, 2,
		    rng_chance(rng, 300) ? kinds[k].often : kinds[k].seldom);
		for (int call = 0; call < MODEL_CALL_COUNT; call++)
			faults->per_mille[call][kinds[k].fault] =
			    (uint16_t)often;
	}
	/* An error may repeat what it was sent, and be made to be shown. */
	if (rng_chance(rng, 150)) {
		snprintf(tale->sim->words, sizeof tale->sim->words,
		    "bad request: %s", sinks_hostile());
		faults->words = tale->sim->words;
	}
	faults->lookalikes = true;
	faults->moves = true;
	faults->gone_max_ms = 300000;
}

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
	draw_cloud(tale, &faults);
	if (rng_chance(&tale->sim->more, 150))
		tale->sim->cuts_per_mille =
		    (unsigned)rng_range(&tale->sim->more, 300, 900);
	/* A late effect that a stale listing hides is seen later still. */
	tale->sim->hides_ms =
	    faults.per_mille[MODEL_POD_LIST][MODEL_STALE] > 0 ? 500 : 55000;
	fault_mask_model(tale->sim, &faults);
	model_set_faults(tale->sim->model, &faults);
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
	if (stored_record(sim).data == NULL ||
	    faults->per_mille[MODEL_POD_LIST][MODEL_SHRUNK] > 0)
		return;
	own_strikes(sim, OWN_LOST);
	sim->still_since_ms = -1;
	sim_trace(sim, "the machine is lost, and the journal with it");
	/* What is checked out on the next machine is safe on its disk. */
	struct arena scratch = {0};
	if (stored_is_on(sim))
		stored_lose_machine(sim);
	else
		disk_put(sim->disk, LOCK_PATH, arena_str(&scratch,
		    disk_get(sim->disk, LOCK_PATH)));
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
	sim->out = sim->err = sim->said = (struct strbuf){0};
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
	strbuf_release(&sim->out);
	strbuf_release(&sim->err);
	strbuf_release(&sim->said);
	sim->out = first.out;
	sim->err = first.err;
	sim->said = first.said;
	sim->json = first.json;
	sim->command = first.command;
	/* It did nothing meanwhile. */
	sim->begun_ms = first.begun_ms + sim->now_ms - first.now_ms;
	sim->sent = first.sent;
	sim->before = first.before;
	sim->ntold = 0;
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
