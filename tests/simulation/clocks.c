/*
 * clocks.c - clocks that jump, slew and stand still (F16, F17), processes
 * that are paused (F18), and the drawing of all hardware faults.
 *
 * now_ms of the simulation is the time of the world.  Boot time follows it;
 * monotonic time stands still while the machine sleeps; the wall clock is
 * what somebody has set it to.
 */
#include "hardware.h"
#include "meter.h"

#include <stdlib.h>

/* What a command of a story may take, with what the world takes meanwhile:
 * four times what the greediest of some thousands took (8 MiB). */
enum { COMMAND_BYTES = 32 << 20 };

enum { CLOCK_SECOND = 1000, CLOCK_MINUTE = 60 * 1000 };
#define CLOCK_HOUR (INT64_C(3600) * 1000)
#define CLOCK_YEAR (INT64_C(365) * 24 * CLOCK_HOUR)

int64_t
clocks_mono(const struct sim *sim)
{
	return sim->now_ms - sim->hardware->slept_ms;
}

int64_t
clocks_wall(const struct sim *sim)
{
	const struct hardware *hw = sim->hardware;

	return EPOCH_MS + sim->now_ms + hw->wall_skew_ms +
	    (sim->now_ms - hw->slew_from_ms) * hw->slew_per_mille / 1000;
}

/* ------------------------------------------------------------- happenings - */

static void
jump(struct sim *sim)
{
	static const int64_t spans[] = { 5 * CLOCK_SECOND, CLOCK_MINUTE,
		CLOCK_HOUR, 24 * CLOCK_HOUR, 30 * 24 * CLOCK_HOUR,
		CLOCK_YEAR, 20 * CLOCK_YEAR };
	struct hardware *hw = sim->hardware;
	int64_t span = spans[rng_below(&hw->rng, COUNTOF(spans))];
	int64_t ms = rng_range(&hw->rng, -span, span);

	if (!own_strikes(sim, OWN_WALL_JUMP))
		return;
	hw->wall_skew_ms += ms;
	sim_trace(sim, "the wall clock jumps by %lld s",
	    (long long)ms / CLOCK_SECOND);
}

static void
slew(struct sim *sim)
{
	struct hardware *hw = sim->hardware;
	int64_t rate = rng_range(&hw->rng, -500, 500);

	if (!own_strikes(sim, OWN_WALL_SLEW))
		return;
	hw->wall_skew_ms = clocks_wall(sim) - EPOCH_MS - sim->now_ms;
	hw->slew_from_ms = sim->now_ms;
	hw->slew_per_mille = rate;
	sim_trace(sim, "the wall clock runs at %lld per mille",
	    (long long)(1000 + rate));
}

static int64_t
some_time(struct hardware *hw)
{
	/* Long ones are seldom: all else in the world goes on meanwhile. */
	static const int64_t spans[] = { 10 * CLOCK_SECOND, 10 * CLOCK_SECOND,
		CLOCK_MINUTE, CLOCK_MINUTE, CLOCK_MINUTE, 10 * CLOCK_MINUTE,
		10 * CLOCK_MINUTE, 10 * CLOCK_MINUTE, CLOCK_HOUR,
		12 * CLOCK_HOUR };

	return rng_range(&hw->rng, CLOCK_SECOND,
	    spans[rng_below(&hw->rng, COUNTOF(spans))]);
}

static void
be_away(struct sim *sim, bool sleeps)
{
	struct hardware *hw = sim->hardware;
	int64_t ms = some_time(hw);

	if (!own_strikes(sim, sleeps ? OWN_SUSPENDED : OWN_PAUSED))
		return;
	sim_trace(sim, sleeps ? "the machine sleeps for %lld s"
			      : "the process is paused for %lld s",
	    (long long)ms / CLOCK_SECOND);
	hw->busy = true;
	sim_be_away(sim, ms, sleeps);
	hw->busy = false;
	/* What was looked at before is old now. */
	sim->late = true;
	if (!sleeps)
		return;
	hw->slept_ms += ms;
	hw->woke = true;
	if (sim->guests->any)
		hold_sleep(sim);
}

void
clocks_step(struct sim *sim)
{
	struct hardware *hw = sim->hardware;

	if (hw->busy || sim->calm)
		return;
	for (size_t i = 0; i < COUNTOF(hw->strange_at); i++) {
		if (hw->strange_at[i] < 0 || sim->steps < hw->strange_at[i])
			continue;
		hw->strange_at[i] = -1;
		if (i == 0)
			jump(sim);
		else if (i == 1)
			slew(sim);
		else
			be_away(sim, i == 2);
	}
}

void
clocks_begin(struct sim *sim)
{
	static const enum own_fault kinds[] = { OWN_WALL_JUMP, OWN_WALL_SLEW,
		OWN_SUSPENDED, OWN_PAUSED };
	struct hardware *hw = sim->hardware;

	for (size_t i = 0; i < COUNTOF(kinds); i++)
		hw->strange_at[i] = hw->has[kinds[i]] &&
			rng_chance(&hw->rng, 400)
		    ? rng_range(&hw->rng, 0,
			  rng_chance(&hw->rng, 500) ? 30 : 150)
		    : -1;
	/* Slept before it was started: that is over. */
	hw->woke = false;
}

/* ------------------------------------------------------------------- all -- */

void
hardware_init(struct sim *sim)
{
	struct hardware *hw = calloc(1, sizeof *hw);

	rng_seed(&hw->rng, sim->seed ^ UINT64_C(0xd15cc10c));
	hw->fault = -1;
	for (size_t i = 0; i < COUNTOF(hw->strange_at); i++)
		hw->strange_at[i] = -1;
	sim->hardware = hw;
}

void
hardware_release(struct sim *sim)
{
	broken_end(sim, -1);
	free(sim->hardware);
}

void
hardware_draw(struct sim *sim)
{
	struct hardware *hw = sim->hardware;

	hw->any = true;
	for (int i = OWN_WALL_JUMP; i <= OWN_STOLEN; i++)
		hw->has[i] = rng_chance(&hw->rng, 120);
}

void
hardware_begin(struct sim *sim, const char *word)
{
	if (sim->process == 1 && meter_begin != NULL)
		meter_begin();
	if (!sim->hardware->any || sim->calm)
		return;
	/* Both processes are paused, and have the same clocks. */
	clocks_begin(sim);
	if (sim->process == 1)
		broken_begin(sim, word);
}

void
hardware_end(struct sim *sim, int code)
{
	struct hardware *hw = sim->hardware;

	for (size_t i = 0; i < COUNTOF(hw->strange_at); i++)
		hw->strange_at[i] = -1;
	if (sim->process != 1)
		return;
	int64_t bytes = meter_peak != NULL ? meter_peak() : 0;
	if (bytes > sim->memory_peak)
		sim->memory_peak = bytes;
	if (bytes > COMMAND_BYTES)
		sim_violate(sim, "I13", "a command took %lld bytes",
		    (long long)bytes);
	broken_end(sim, code);
}
