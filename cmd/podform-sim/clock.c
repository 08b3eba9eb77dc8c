/* clock.c - the service's clock; see sim.h. */
#include "sim.h"

#include <time.h>

int64_t
sim_mono_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
sim_now(const struct sim *sim)
{
	return sim->clock.base_model_ms +
	    (sim_mono_ms() - sim->clock.base_mono_ms) * sim->clock.speed;
}

void
sim_set_speed(struct sim *sim, int64_t speed)
{
	sim->clock.base_model_ms = sim_now(sim);
	sim->clock.base_mono_ms = sim_mono_ms();
	sim->clock.speed = speed;
}

void
sim_skip(struct sim *sim, int64_t ms)
{
	sim->clock.base_model_ms += ms;
}
