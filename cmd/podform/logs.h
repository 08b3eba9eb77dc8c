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
};

bool logs_wants(const struct logs *logs, enum log_source source);
void logs_line(struct logs *logs, enum log_source source, struct str time,
    struct str text);
size_t logs_repeated(const struct log_line *had, size_t nhad,
    const struct log_line *lines, size_t n);

#endif
