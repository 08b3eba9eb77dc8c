/*
 * stored.h - stories whose record is in a store (`stories --stores`).
 *
 * A depot (pkg/model/depot.h) stands for the store: http, S3 or etcd, by the
 * seed.  It outlives machines: whoever comes from another one has its record
 * and nothing else.  What it does not say it says as F40 to F44; what a run
 * leaves there, its hold or an outcome in podform.lock.errored, a person
 * clears away as the messages say.
 *
 * Without it the record is the lock file, and the checks read that.
 */
#ifndef SIMULATION_STORED_H
#define SIMULATION_STORED_H

#include "lock/store.h"
#include "model/depot.h"
#include "sim.h"

enum { STORED_WAIT_MS = 240000 };	/* --lock-timeout there */

struct stored {
	struct depot *depot;		/* NULL: the record is the lock file */
	struct store_place place;
	struct str name;		/* of the record in the depot */
	struct arena arena;
	struct rng rng;
	uint64_t broken;		/* the command whose hold was broken */
	int64_t gone_ms;		/* the store is away until then */
};

void stored_begin(struct sim *sim);
void stored_end(struct sim *sim);

/* The record as it is, and as it is safe. */
struct str stored_record(const struct sim *sim);
struct str stored_safe(const struct sim *sim);
bool stored_is_on(const struct sim *sim);

/* A request arrives. */
void stored_arrive(struct sim *sim, const struct sim_flight *flight,
    struct arena *arena, struct model_reply *reply);
/* I11: something is sent; does a hold stand that was not broken? */
void stored_check_hold(struct sim *sim, const char *what);

struct tale;
/* Before a command: what the last one told its user to do. */
void stored_obey(struct tale *tale);
/* What is on this machine alone is gone. */
void stored_lose_machine(struct sim *sim);

#endif
