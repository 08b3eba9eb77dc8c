/*
 * remove_choice.h - what the removal of a runner does next, as a function of
 * what is known: nobody's job may be ended.
 *
 * Private to pkg/run; remove.c carries it out and draws the picture.
 */
#ifndef RUN_REMOVE_CHOICE_H
#define RUN_REMOVE_CHOICE_H

#include <stdbool.h>

enum remove_way {
	REMOVE_CANNOT,		/* nothing may be sent any more */
	REMOVE_LOOK,		/* look on its pod for a job */
	REMOVE_LIST,		/* GitHub alone can say */
	REMOVE_LATER,		/* it has a job, or nobody knows */
	REMOVE_AGAIN,		/* idle so far: look once more, later */
	REMOVE_DELETE,		/* ask GitHub to remove it */
	REMOVE_AFTERWARDS,	/* GitHub has: look on its pod once more */
};

struct remove_state {
	bool may_send;		/* see act_may_send() */
	bool removed;		/* by GitHub */
	bool orphan;		/* nobody knows on which pod it is */
	bool may_run;		/* something of it can be alive on its pod */
	bool force;		/* the user said so */
};
/* Of LOOK, LIST, DELETE, AFTERWARDS, CANNOT. */
enum remove_way remove_choose(const struct remove_state *state);

struct remove_listing {
	bool known;		/* a complete listing came */
	bool listed, online, busy;	/* it is in it, and how */
	bool listens;		/* seen on its pod, or nobody could look */
	bool window_over;	/* it was idle a window ago as well */
};
/* Of LATER, AGAIN, DELETE, after the pod has said that there is no job. */
enum remove_way remove_by_listing(const struct remove_listing *listing);

#endif
