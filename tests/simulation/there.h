/*
 * there.h - I18: who exits 0 has said that all that the spec wants is there,
 * as it wants it, and nothing else of ours.
 */
#ifndef SIMULATION_THERE_H
#define SIMULATION_THERE_H

#include "tale.h"

/* An apply of the whole spec has exited 0. */
void there_check(struct sim *sim);

#endif
