/* apply.h - shared by the two ways to apply: fresh and saved. */
#ifndef CMD_APPLY_H
#define CMD_APPLY_H

#include "follow.h"
#include "planning.h"

struct applying {
	struct planning planning;
	struct follow follow;
	const struct run_summary *summary;	/* NULL: nothing was run */
};

/* Can lock file and journal be written?  Asked before the first request: what
 * cannot be recorded is not begun. */
int apply_may_record(struct applying *applying);

/* Carry planning.plan out, following it, and report. */
int apply_run(struct applying *applying);

/* The plan of the file that is named, or a refusal that says what moved. */
int apply_saved(struct applying *applying, struct app *app);

#endif
