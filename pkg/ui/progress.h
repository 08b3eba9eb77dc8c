/*
 * progress.h - an apply as people watch it, on standard error.
 *
 * On a terminal a live area shows one line per running action with the time
 * it takes, redrawn at most ten times a second and never wrapped; what is
 * worth keeping scrolls away above it.  Elsewhere there is one plain line
 * per change of state, and at most one line of progress per action in 30 s.
 *
 * Nothing is written here: text is appended to `out` for the caller to
 * write.  Times are the monotonic clock's, given by the caller.
 */
#ifndef UI_PROGRESS_H
#define UI_PROGRESS_H

#include "run/run.h"
#include "ui/style.h"

enum {
	PROGRESS_REDRAW_MS = 100,
	PROGRESS_QUIET_MS = 30000,
	PROGRESS_LINES_MAX = 12,	/* of the live area */
};

struct progress_item {
	bool used;
	size_t action;
	bool undo;
	bool news;			/* were told once */
	enum action_kind kind;
	struct strbuf address, text;
	int64_t started_ms, told_ms;
};

struct progress {
	struct style style;
	struct strbuf *out;
	VEC_OF(struct progress_item) items;
	struct arena arena;
	size_t total, done;		/* actions of the plan, finished ones */
	int drawn;			/* lines of the area on the screen */
	int64_t drawn_ms;
	bool dirty;
};

void progress_init(struct progress *progress, struct style style,
    size_t total, struct strbuf *out);
void progress_note(struct progress *progress, const struct run_note *note,
    int64_t now_ms);
/* Time has passed: redraw if it is due. */
void progress_tick(struct progress *progress, int64_t now_ms);
/* Take the live area away, before other output. */
void progress_clear(struct progress *progress);
/* And forget what was running: what comes next is another part of the run. */
void progress_reset(struct progress *progress);
void progress_release(struct progress *progress);

#endif
