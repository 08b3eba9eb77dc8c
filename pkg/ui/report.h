/*
 * report.h - what an apply came to, for people.
 *
 *	Apply failed, and something is left that may bill:
 *
 *	  pod.trainer  k3x9qd0v7m  $0.44/h  could not be undone: ...
 *
 *	Together $0.44/h. Next: podform apply   (looks again, and finishes)
 */
#ifndef UI_REPORT_H
#define UI_REPORT_H

#include "run/run.h"
#include "ui/style.h"

struct report_options {
	struct style style;
	const struct sources *sources;
	const char *command;		/* "apply" or "destroy" */
	int exit_code;
	int64_t elapsed_ms;
};

void report_print(struct strbuf *out, const struct plan *plan,
    const struct run_summary *summary, const struct report_options *options);

#endif
