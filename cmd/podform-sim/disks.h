/*
 * disks.h - what outlives a container: volume disks and network volumes.
 *
 * Each is a directory below one of podform-sim's own, made when it is first
 * needed and removed at the end (not by SIGKILL).
 */
#ifndef SIM_DISKS_H
#define SIM_DISKS_H

#include "base/arena.h"

struct disks;

/* NULL with errno when there is no place for them. */
struct disks *disks_new(void);
/* Removes all of it. */
void disks_free(struct disks *disks);
/* The directory of a volume or pod, in the arena; NULL: not to be had.  Ids
 * are ours: letters and digits. */
const char *disks_find(struct disks *disks, struct arena *arena,
    struct str id);

#endif
