/*
 * crew.h - many stories at once, each in a process that may die of it.
 *
 * Stories are told in batches by children, one for each core: what a killed
 * command leaves in memory goes with its batch, a story that crashes or
 * never ends is a failure like another, and the parent goes on.  The sum of
 * all is the same however many cores there are.
 */
#ifndef SIMULATION_CREW_H
#define SIMULATION_CREW_H

#include "faults.h"
#include "probes.h"

/* CPU of one story after which it counts as one that never ends. */
enum { STORY_SECONDS = 20, VIOLATION = 640 };

struct totals {
	uint64_t stories, failed, commands, crashes, mutations, jobs, digest;
	uint64_t rivals, locked;
	int64_t struck[FAULT_KINDS];
	uint64_t probes[PROBES_MAX];
	struct pace paces[PACES];	/* of the slowest commands */
	int64_t memory_peak;		/* bytes, of the greediest command */
};

/* Fails one story in a hundred: the one in which this fault has struck. */
#define CANARY_EVERY 100

struct crew_options {
	struct story_options story;	/* all but the seed */
	uint64_t from, seeds;
	uint64_t stop_after;		/* failures; 0: all are wanted */
	unsigned jobs;			/* children at once */
	bool canary;
};

/* Tell one story here, and add it up.  False: it failed, and why is in
 * `violation`. */
bool crew_tell(const struct crew_options *options, uint64_t seed,
    struct totals *totals, char violation[VIOLATION]);

/* The same in a child; a crash is a violation. */
bool crew_try(const struct crew_options *options, uint64_t seed,
    char violation[VIOLATION]);

/* All of them.  `failed` is told of each that fails, as it comes. */
void crew_run(const struct crew_options *options, struct totals *totals,
    void (*failed)(const struct crew_options *options, uint64_t seed,
	const char *violation));

/* shrink.c: find the least kinds of faults with which it still fails in the
 * same way, and say so with the command that replays it. */
void shrink_and_say(const struct crew_options *options, uint64_t seed,
    const char *violation);

#endif
