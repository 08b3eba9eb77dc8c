/*
 * remove_world.h - an act_world in which a runner is removed: ci, 77 at
 * GitHub, recorded on pod p1, which runs and can be looked at.
 */
#ifndef TESTS_REMOVE_WORLD_H
#define TESTS_REMOVE_WORLD_H

#include "act_world.h"

#define REMOVE_AT "2026-11-21T09:00:00Z"	/* its container */

extern struct lock_entry remove_entry;		/* as the plan has it */
extern struct github_runner remove_seen;	/* as GitHub lists it: online */

/* The act anew, which has not begun. */
void remove_begin(struct act_world *f);
/* Let it begin; its intent is on disk. */
void remove_journal(struct act_world *f);
/* Forget what it has asked for so far. */
void remove_quiet(struct act_world *f);
/* What it does: k looks on its pod, s stops it there, i waits for a listing,
 * d asks GitHub to remove it, f asks for its name, w waits, r is done, n has
 * given up for now, . ended without a result, x failed. */
char remove_does(struct act_world *f);

/* Answers of its pod to a look, and what it waits for then (NULL: it goes on):
 * 0 idle, 1 a listener, 2 and 3 a job, 4 to 6 nobody knows. */
enum { REMOVE_LOOKS = 7 };
extern const struct remove_look {
	struct ssh_answer answer;
	const char *why;
} remove_looks[REMOVE_LOOKS];
/* Let it come as far as the look after GitHub's yes. */
void remove_to_after(struct act_world *f);

#endif
