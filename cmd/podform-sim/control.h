/*
 * control.h - the door for tests and demos: /control/ of podform-sim.
 *
 * Not a part of RunPod.  The table of what it understands is in
 * cmd/podform-sim/README.md.
 */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include "sim.h"

/* Serve one control request; the caller holds sim->lock. */
void control_serve(struct sim *sim, struct arena *arena,
    const struct model_request *request, struct model_reply *reply);

/* Make the pods that a preload document describes: their number, or -1 with
 * *why in the arena.  The caller holds sim->lock. */
int64_t control_preload(struct sim *sim, struct arena *arena,
    struct str document, struct str *why);

#endif
