/*
 * plan_text.h - a plan as people read it.
 *
 *	Changed outside of podform since the last apply:
 *	  # pod.train[1] was stopped                       specs/train.yaml:14
 *
 *	podform will do the following (spec 6c1f2a9e, live as of ...):
 *
 *	  # pod.train[0] will be replaced: ...             specs/train.yaml:14
 *	-/+ pod "train-0" {
 *	      ~ gpu.type  = "RTX A5000" -> "RTX 4090"   # forces replacement
 *	        undo      : start pod "train-0" again (GPU not guaranteed)
 *	    }
 *
 *	Plan: 1 to add, 0 to change, 1 to destroy; 0 to start, 0 to stop.
 *	Cost: $1.24/h -> $1.48/h (+$0.24/h); storage $0.02/h.
 *
 * The line that starts with `Plan:` (or is `No changes.`) always exists; what
 * an earlier run has left unclear is something to be done.
 * Order is the plan's, so the same plan gives the same bytes for the same
 * `now_ms`.  Everything from outside is escaped.
 */
#ifndef UI_PLAN_TEXT_H
#define UI_PLAN_TEXT_H

#include "plan/plan.h"
#include "ui/style.h"

struct plan_text_options {
	struct style style;
	const struct sources *sources;
	struct str spec_digest;		/* "sha256:..." or absent */
	int64_t now_ms;			/* wall clock; 0 leaves ages out */
	bool concise;			/* headers only, no attributes */
};

void plan_text(struct strbuf *out, const struct plan *plan,
    const struct plan_text_options *options);

/* One attribute with its change, as in a plan; also for `why` and drift. */
void plan_text_attr(struct strbuf *out, struct arena *arena,
    const struct plan_attr *attr, size_t pad, struct style style);

/* The section of drift alone; nothing when there is none. */
void plan_text_drift(struct strbuf *out, const struct plan *plan,
    const struct plan_text_options *options);

/* Drift and changes, without opening, checks and summary. */
void plan_text_changes(struct strbuf *out, const struct plan *plan,
    const struct plan_text_options *options);

/* The lines from `Plan:` on, without the rest. */
void plan_text_summary(struct strbuf *out, const struct plan *plan,
    struct style style);

#endif
