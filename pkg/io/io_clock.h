/* io_clock.h - the real clock and the real chance. */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include "base/seams.h"

struct clock io_clock(void);
struct chance io_chance(void);

/*
 * Has the machine slept since the last look?  boot_ms runs on then and
 * mono_ms does not; *gap_ms remembers by how much (-1 before the first
 * look).
 */
bool io_clock_slept(int64_t *gap_ms, int64_t mono_ms, int64_t boot_ms);

#endif
