/*
 * hardware.h - what the machine under podform does wrong: its disk (F22 to
 * F25, broken_disk.c) and its clocks (F16 to F18, clocks.c).
 *
 * Each story draws which kinds it has at all; each command may then meet
 * one of the disk, and any of the clock.  They have a generator of their
 * own, so that a story without them is told as it was before.
 */
#ifndef SIMULATION_HARDWARE_H
#define SIMULATION_HARDWARE_H

#include "faults.h"

enum { BROKEN_FDS = 64, BROKEN_FD_BASE = 100, BROKEN_PATH = 120 };

struct hardware {
	struct rng rng;
	bool has[OWN_FAULT_COUNT];	/* kinds of this story */
	bool any;

	/* The disk. */
	struct fs inner;
	char paths[BROKEN_FDS][BROKEN_PATH];
	int fault;			/* enum own_fault of this command; -1 */
	int64_t countdown;		/* operations that it lets pass */
	bool forever;			/* from then on */
	bool striking;
	bool lock_read;			/* by this command */
	uint64_t journal_failed;	/* command in which it did; 0 */
	bool damaged;			/* a file is, while the command runs */
	char *kept;			/* malloc'ed: what was in it */
	size_t kept_len;
	const char *target;		/* the file that is damaged or taken */
	struct inode *taken;		/* what it was, until it is put back */

	/* The clocks. */
	int64_t wall_skew_ms, slew_per_mille, slew_from_ms;
	int64_t slept_ms;		/* boot time less monotonic time */
	bool woke;			/* the process has not been told yet */
	int64_t strange_at[4];		/* steps at which something happens;
					   -1: none */
	bool busy;			/* a pause is being told */
};

void hardware_init(struct sim *sim);
void hardware_release(struct sim *sim);
/* Which kinds this story has. */
void hardware_draw(struct sim *sim);
/* Around each command of the first process. */
void hardware_begin(struct sim *sim, const char *word);
void hardware_end(struct sim *sim, int code);
/* A change is about to be sent: may it be?  What GitHub is asked was handed
 * over up to a second before, since it wants its writes a second apart. */
void hardware_check_send(struct sim *sim, const char *what, bool github);

/* broken_disk.c */
struct fs broken_fs(struct sim *sim, struct fs inner);
void broken_begin(struct sim *sim, const char *word);
void broken_end(struct sim *sim, int code);

/* clocks.c */
void clocks_begin(struct sim *sim);
/* Before each step of a process. */
void clocks_step(struct sim *sim);
int64_t clocks_mono(const struct sim *sim);
int64_t clocks_wall(const struct sim *sim);

#endif
