/*
 * containers.h - what stands behind the pods of podform-sim.
 *
 * The model says which containers are to start and to stop; this makes them
 * real, as far as --pods asks, and tells the model when they are up.  All of
 * it runs on the main thread and takes sim->lock only for a moment.
 */
#ifndef SIM_CONTAINERS_H
#define SIM_CONTAINERS_H

#include "sim.h"

/* NULL with the reason on standard error. */
struct sim_containers *containers_new(struct sim *sim);
void containers_free(struct sim_containers *containers);

/* Take the model's orders and look after what runs; ms until it is to be
 * called again at the latest, -1 for whenever something else happens. */
int64_t containers_turn(struct sim_containers *containers);

/* A descriptor that is readable when containers_turn() has work; -1: none. */
int containers_fd(const struct sim_containers *containers);

#endif
