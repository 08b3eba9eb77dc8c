/*
 * pod_output.h - bytes that a pod has written, on their way to a stream.
 *
 * A terminal is never handed what the pod wrote as it is: control characters
 * but newline, tab and carriage return are shown as escapes.  A file or pipe
 * gets every byte unchanged.  In GitHub Actions, where a line that begins
 * with `::` is an order to the runner, that beginning is escaped, too.
 *
 * With a prefix, whole lines are written, each behind it.
 */
#ifndef CMD_POD_OUTPUT_H
#define CMD_POD_OUTPUT_H

#include "app.h"

struct pod_output {
	int fd;
	bool escape;		/* a terminal */
	bool guard;		/* GitHub Actions */
	struct str prefix;	/* absent: bytes go on as they come */
	struct strbuf line;	/* what waits for its end */
	bool closed;		/* nobody reads any more */
};

/* raw: --raw.  fd is 1 or 2. */
void pod_output_init(struct pod_output *output, const struct app *app, int fd,
    bool raw, struct str prefix);
void pod_output_add(struct pod_output *output, struct str bytes);
/* What waits is written; a line with a prefix gets its end. */
void pod_output_end(struct pod_output *output);

/* A single line, escaped where that is due, with an end. */
void pod_output_line(struct pod_output *output, struct str text);

#endif
