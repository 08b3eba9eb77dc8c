/*
 * probes.h - how often the rare branches of the program were taken.
 *
 * The branches are marked by PROBE() (base/probe.h); this is the other end.
 * All that are linked in are known, those that were never seen too.
 */
#ifndef SIMULATION_PROBES_H
#define SIMULATION_PROBES_H

#include <stddef.h>
#include <stdint.h>

enum { PROBES_MAX = 256 };

/* Count into these from now on, by number. */
void probes_begin(uint64_t counts[PROBES_MAX]);
size_t probes_count(void);
const char *probes_name(size_t number);

#endif
