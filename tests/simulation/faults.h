/*
 * faults.h - every kind of fault by one number and one name.
 *
 * The kinds are those of the cloud (pkg/model), of guests, of GitHub, what
 * people do (people.c), and our own: what happens to processes, machine, disk and clock.  A mask turns
 * kinds off for a whole story without changing what the others draw, which
 * is how a failing seed is shrunk (shrink.c) and replayed:
 *
 *	stories --seed 7 --only F20.killed,error_after
 *	stories --seed 7 --without F22,github
 *
 * A name is a word; "F22" stands for all that begin with "F22.".
 */
#ifndef SIMULATION_FAULTS_H
#define SIMULATION_FAULTS_H

#include "guests.h"

enum own_fault {
	OWN_KILLED,		/* F20: the process dies before a step */
	OWN_POWER,		/* F21: and the machine with it */
	OWN_SIGNAL,		/* F30: SIGINT, once or twice */
	OWN_RIVAL,		/* F18, F33: a second podform meanwhile */
	OWN_LOST,		/* the machine is gone, and the journal */
	OWN_CUT_LIST,		/* F03: a listing is cut where something would
				   be concluded from it */
	OWN_WALL_JUMP, OWN_WALL_SLEW,		/* F16 */
	OWN_SUSPENDED,		/* F17: the machine sleeps */
	OWN_PAUSED,		/* F18: the process alone */
	OWN_NO_SPACE, OWN_QUOTA, OWN_IO_ERROR, OWN_READ_ONLY, OWN_DENIED,
	OWN_DESCRIPTORS, OWN_SHORT_WRITE, OWN_EINTR,		/* F22 */
	OWN_SYNC_LIES,		/* F23 */
	OWN_FLIPPED, OWN_CUT,	/* F24 */
	OWN_REPLACED, OWN_DELETED, OWN_LINKED, OWN_STOLEN,	/* F25 */
	OWN_HOLD_BROKEN,	/* F40: by somebody elsewhere */
	OWN_STORE_LOST,		/* F41: a write took effect, unanswered */
	OWN_STORE_DROPPED,	/* the same, and it took none */
	OWN_STORE_OLD,		/* F43: a read shows what was before */
	OWN_STORE_GONE,		/* F44: for up to two minutes */
	OWN_FAULT_COUNT
};

enum {
	FAULT_GUEST = MODEL_FAULT_COUNT,
	FAULT_HUB = FAULT_GUEST + GUEST_FAULT_COUNT,
	FAULT_PEOPLE = FAULT_HUB + HUB_FAULT_COUNT,
	FAULT_OWN = FAULT_PEOPLE + PEOPLE_ACTS,
	FAULT_LIFE = FAULT_OWN + OWN_FAULT_COUNT,	/* see lives.c */
	FAULT_KINDS = FAULT_LIFE + LIVES,
};

/* 1: this kind never strikes. */
struct fault_mask { bool off[FAULT_KINDS]; };

/* Into `out`, which has room for FAULT_NAME bytes. */
enum { FAULT_NAME = 32 };
void fault_name(int kind, char out[FAULT_NAME]);
/* Set off[] to `value` for all that a list of names means; false if a name
 * means nothing.  "none" is the empty list. */
bool fault_mask_list(struct fault_mask *mask, const char *list, bool value);

/* May it strike in this story?  (Calm is not asked here.) */
bool fault_is_on(const struct sim *sim, int kind);
/* It may: it strikes, and is counted.  Ask when chance has said yes. */
bool own_strikes(struct sim *sim, enum own_fault fault);
/* Before they are given to a model. */
void fault_mask_model(const struct sim *sim, struct model_faults *faults);
void fault_mask_hub(const struct sim *sim, struct hub_faults *faults);
/* How often each kind has struck. */
void fault_counts(const struct sim *sim, int64_t counts[FAULT_KINDS]);

#endif
