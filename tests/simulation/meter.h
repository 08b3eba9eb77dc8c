/*
 * meter.h - how much memory a command takes (I13).
 *
 * Of the programs that are made of these files `stories` and `crashes` have
 * a meter (meter.c, between them and malloc): elsewhere meter_begin is null.
 * What json-c and libyaml take is not seen.
 */
#ifndef SIMULATION_METER_H
#define SIMULATION_METER_H

#include <stdint.h>

/* From now on. */
__attribute__((weak)) void meter_begin(void);
/* The most bytes that were held at once since then, above what was held. */
__attribute__((weak)) int64_t meter_peak(void);

#endif
