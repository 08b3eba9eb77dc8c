/*
 * follow.h - a run as it is followed: progress for people on standard
 * error, events for programs on standard output (--json) or in a file
 * (--events).
 *
 * The live area has to move while nothing happens, so the world that the
 * session gets is ours: its wait() looks up a few times a second.
 */
#ifndef CMD_FOLLOW_H
#define CMD_FOLLOW_H

#include "app.h"
#include "ui/events.h"
#include "ui/progress.h"

struct follow {
	struct app *app;
	struct world world;		/* ours, around app's */
	struct world *inner;
	struct progress progress;
	struct strbuf progress_text, event_text;
	struct events events;
	int events_fd;			/* --events, or -1 */
	bool events_out;		/* --json */
	bool running;
	int64_t started_ms;
};

/* Open the sinks and put ourselves between session and world; false with a
 * report.  Call after app_connect() and before app_open_session(). */
bool follow_init(struct follow *follow, struct app *app);
/* Stops following; prints the last events.  Safe when init failed. */
void follow_release(struct follow *follow);

/* Events of the plan; the live area of what came before goes. */
void follow_plan(struct follow *follow, const struct plan *plan);
void follow_start(struct follow *follow, const struct plan *plan);
void follow_stop(struct follow *follow);	/* the live area goes */
/* Events of the tunnels, as they are in the end. */
void follow_tunnels(struct follow *follow,
    const struct tunnel_status *tunnels, size_t n);
/* All diagnostics and the last line. */
void follow_finish(struct follow *follow, const struct run_summary *summary,
    const struct plan *plan, int code);

#endif
