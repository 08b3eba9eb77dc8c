/* logs.h - the parts of podform logs. */
#ifndef CMD_LOGS_H
#define CMD_LOGS_H

#include "base/json.h"
#include "inside.h"
#include "pod_output.h"

struct logs {
	struct app *app;
	struct inside inside;
	struct inside_pod *pod;
	struct pod_output output;
	struct json_writer json;	/* the document, without --follow */
	enum log_source source;
	bool follow;
	int64_t tail;
	struct str since;		/* RFC 3339; absent: the last lines */
	const struct log_line *had;	/* of the last look */
	size_t nhad;
	size_t kept;			/* bytes of the setup log shown */
	struct log_stream *streams;	/* what is read on the pod itself */
	size_t nstreams;
	bool stopping;			/* how they end is no news */
};

/* Lines of a log that a command on the pod prints. */
struct log_stream {
	struct logs *logs;
	enum log_source source;
	const struct lock_entry *runner;	/* NULL: the process */
	struct str prefix;		/* absent: lines stand as they are */
	uint64_t number;		/* of ssh_exec(); 0: not begun */
	struct strbuf line;		/* what waits for its end */
	bool over;
	int code;			/* when over: EXIT_OK, or reported */
};

bool logs_wants(const struct logs *logs, enum log_source source);
void logs_line(struct logs *logs, enum log_source source, struct str time,
    struct str text);
void logs_line_of(struct logs *logs, enum log_source source,
    struct str prefix, struct str time, struct str text);

/*
 * The logs of process and runners, by SSH.  Find what there is to read, if
 * it is wanted at all; a pod that cannot be logged in to is an error only if
 * nothing else was asked for.  Then read each in turn, or follow all at once
 * until logs_inside_stop(), which ends the commands on the pod.
 */
int logs_inside_find(struct logs *logs);
int logs_inside_read(struct logs *logs);
void logs_inside_follow(struct logs *logs);
bool logs_inside_is_over(const struct logs *logs, int *code);
void logs_inside_stop(struct logs *logs);

size_t logs_repeated(const struct log_line *had, size_t nhad,
    const struct log_line *lines, size_t n);

#endif
