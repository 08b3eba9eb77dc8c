/*
 * classify.h - what an answer other than the expected one means.
 *
 * Private to this folder.  The rule behind the table: "without effect" needs
 * proof, and the proof is a refusal that the service wrote itself, with a
 * status that promises it.  A status alone proves nothing, for a proxy on
 * the way may have written it.
 */
#ifndef CLOUD_RUNPOD_CLASSIFY_H
#define CLOUD_RUNPOD_CLASSIFY_H

#include "base/cloud.h"

/* What the service says about a refusal, read out of its body. */
struct classify_problem {
	bool proven;		/* a problem document, or one of the known
				   plain shapes */
	struct str message;	/* its words; absent if not proven */
};

/* Read the body of an answer with the given status. */
struct classify_problem classify_read_problem(struct arena *arena,
    struct str body, int status);

struct classify_verdict {
	enum cloud_outcome outcome;
	enum cloud_reason reason;
};

/* The table.  For a status that is not the one that means success. */
struct classify_verdict classify_status(enum cloud_op op, int status,
    const struct classify_problem *problem);

/* Does the service's prose speak of stock, or of money? */
bool classify_says_no_capacity(struct str message);
bool classify_says_no_money(struct str message);

/*
 * The tightest window of a RateLimit header:
 *	"minute";r=0;t=12, "hour";r=2800;t=1812
 * *left is -1 if no window could be read.
 */
void classify_rate_limit(struct str header, int64_t *left, int64_t *reset_ms);

#endif
