/*
 * events.h - what happens, as NDJSON: one object a line, for programs.
 *
 * Each line has @level, @message, @module, @timestamp and type, and a body
 * named by the type's family: `change`, `changes`, `hook`, `diagnostic`,
 * `summary`.  The first line is `version`, the last `run_summary`.
 *
 *	{"@level":"info","@message":"pod.trainer: created",
 *	 "@module":"podform","@timestamp":"2026-11-21T12:04:31Z",
 *	 "type":"action_complete","hook":{"address":"pod.trainer",
 *	 "kind":"pod","action":"create","id":"k3x9","elapsed_s":2.1}}
 *
 * Events are appended to `out`; whoever owns it writes and flushes after
 * each call.
 */
#ifndef UI_EVENTS_H
#define UI_EVENTS_H

#include "base/diag.h"
#include "base/tunnel.h"
#include "plan/plan.h"
#include "run/run.h"

struct events {
	struct strbuf *out;
	struct str version;		/* podform's */
};

void events_version(const struct events *events, int64_t wall_ms);
void events_diag(const struct events *events, int64_t wall_ms,
    const struct diags *diags, const struct diag *diag);
/* planned_change, resource_drift for each, then change_summary. */
void events_plan(const struct events *events, int64_t wall_ms,
    const struct plan *plan, const struct sources *sources);
void events_note(const struct events *events, int64_t wall_ms,
    const struct run_note *note);
/* How a tunnel is in the end, and where it is found. */
void events_tunnel(const struct events *events, int64_t wall_ms,
    const struct tunnel_status *tunnel);
/* summary may be NULL: nothing was run. */
void events_summary(const struct events *events, int64_t wall_ms,
    const struct run_summary *summary, const struct plan *plan,
    int exit_code);

#endif
