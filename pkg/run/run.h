/*
 * run.h - a plan being executed: events in, effects out.
 *
 * The engine decides and never does.  It is told what happened (an answer,
 * a journal write, a banner, the time, a signal) and says what to do next
 * (journal this, send that, wait until then).  The same engine runs in the
 * program, over real sockets, and in the simulation, over a model of the
 * cloud, without knowing which.
 *
 *	        plan            events                 effects
 *	          |    journaled, answer, banner,   journal, request,
 *	          v    time, signal                 banner, cancel, note
 *	        run_new --> run_event() ... --> run_next_effect() ...
 *
 * The graph of actions in the plan is the state machine: an action starts
 * when those it comes after have succeeded.  Each kind of action is a row of
 * a table in kinds.c: how it starts, what an answer means, what undoes it.
 *
 * Life of one change of the cloud (see docs/architecture.md):
 *
 *	WAITING -> VERIFY -> INTENT -> SENT -> RESULT -> DONE
 *	             |         ^        |  \
 *	             |         |        |   `-> RESOLVE (nobody knows: listings
 *	             |         `backoff-'          decide, after settling)
 *	             `-> FAILED
 *
 * Failure of an action undoes its connected part of the graph by actions of
 * the same kinds, journaled in the same way.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "base/cloud.h"
#include "base/diag.h"
#include "base/github.h"
#include "base/seams.h"
#include "base/ssh.h"
#include "base/tunnel.h"
#include "lock/journal.h"
#include "lock/lock.h"
#include "plan/plan.h"

struct run;

struct run_options {
	int64_t parallelism;		/* changes in flight; 0: 10 */
	bool atomic;			/* one failure undoes the whole run */
	bool keep;			/* --on-failure keep */
	bool fail_fast;
	bool over_budget;		/* settings.budget does not hold now */
	int64_t settle_ms;		/* 0: 60 s; see design of resolving */
	struct id128 lineage;
	struct str boot_id;
	/* Fill references in an environment value in; false if unknown. */
	bool (*resolve)(void *ctx, struct arena *arena, struct str reference,
	    struct str *value);
	void *resolve_ctx;
	struct chance chance;		/* op ids, jitter */
	struct str public_keys;		/* lines for PUBLIC_KEY of new pods;
					   absent: none are given */
	struct str ssh_key;		/* default private key, SSH_KEY_PATH */
	struct str log_dir;		/* `.podform/logs`: output of setup is
					   kept below; absent: nowhere */
	struct str github_web;		/* of a runner that registers itself;
					   absent: https://github.com */
	struct str cache_dir;		/* for runner packages; absent: pods
					   must fetch them themselves */
	int64_t drain_ms;		/* a runner with a job is waited for;
					   0: 30 min */
	int64_t idle_window_ms;		/* two looks that far apart must both
					   find a runner idle; 0: 60 s */
	int64_t online_ms;		/* 0: 5 min */
	bool force;			/* the user said so: a runner that is
					   busy or unknown is ended all the
					   same (--force-runners) */
};

/* ------------------------------------------------------------- effects -- */

enum run_effect_type {
	RUN_JOURNAL,	/* append and sync, answer with RUN_JOURNALED; a
			   batch of these may share one sync */
	RUN_REQUEST,	/* send, answer with RUN_ANSWER */
	RUN_BANNER,	/* probe, answer with RUN_BANNER_ANSWER */
	RUN_SSH,	/* inside a pod, answer with RUN_SSH_ANSWER */
	RUN_GITHUB,	/* answer with RUN_GITHUB_ANSWER; listings complete */
	RUN_HOLDER,	/* tunnels, answer with RUN_HOLDER_ANSWER */
	RUN_FETCH,	/* a file, answer with RUN_FETCH_ANSWER */
	RUN_CANCEL,	/* forget the request or probe of that token */
	RUN_NOTE,	/* tell people; no answer */
};

enum note_type {
	NOTE_ACTION_START, NOTE_PROGRESS, NOTE_ID_ASSIGNED,
	NOTE_CANDIDATE_REFUSED, NOTE_RETRY, NOTE_UNCLEAR, NOTE_ACTION_DONE,
	NOTE_ACTION_ERROR, NOTE_ACTION_SKIPPED, NOTE_ROLLBACK_START,
	NOTE_ROLLBACK_DONE, NOTE_STOPPING,
};

struct run_note {
	enum note_type type;
	size_t action;			/* index of the action; SIZE_MAX none */
	enum action_kind kind;
	bool undo;			/* part of a rollback */
	bool news;			/* progress: the text has changed */
	struct str address;
	struct str id;			/* of the pod or volume, when known */
	struct str text;		/* what people read: "waiting for the
					   container", the reason of an error */
	size_t step, steps;		/* from 0; steps 0: it has none */
	int64_t elapsed_ms;
	int64_t per_hour;		/* micro-dollars, where it matters */
	const struct plan_change *change;	/* or NULL */
};

struct run_effect {
	enum run_effect_type type;
	uint64_t token;
	struct record record;
	struct cloud_request request;
	int64_t timeout_ms;
	struct str host;
	uint16_t port;
	struct ssh_request ssh;
	struct github_request github;
	struct holder_request holder;
	struct fetch_request fetch;
	struct run_note note;
};

/* -------------------------------------------------------------- events -- */

enum run_event_type {
	RUN_JOURNALED, RUN_ANSWER, RUN_BANNER_ANSWER, RUN_TIME, RUN_SIGNAL,
	RUN_SSH_ANSWER, RUN_GITHUB_ANSWER, RUN_HOLDER_ANSWER,
	RUN_FETCH_ANSWER,
};

struct run_event {
	enum run_event_type type;
	uint64_t token;
	bool ok;			/* journaled; banner read; fetched */
	const struct cloud_answer *answer;	/* copied as needed */
	const struct ssh_answer *ssh;		/* likewise */
	const struct github_answer *github;
	const struct holder_answer *holder;
	struct str reason;
	int64_t now_ms;			/* monotonic, always set */
	int64_t boot_ms;		/* always set */
	int64_t wall_ms;		/* always set */
};

/* ----------------------------------------------------------------- use -- */

/*
 * The run borrows plan and lock; the lock is kept up to date with each
 * journaled record.  All memory is in the arena.
 */
struct run *run_new(struct arena *arena, const struct plan *plan,
    struct lock *lock, const struct run_options *options);
void run_event(struct run *run, const struct run_event *event);
bool run_next_effect(struct run *run, struct run_effect *effect);
/* When to send RUN_TIME next, on the monotonic clock; -1 for never. */
int64_t run_deadline(const struct run *run);
bool run_finished(const struct run *run);

/* ------------------------------------------------------------- outcome -- */

enum run_failure {
	FAIL_NONE, FAIL_ERROR, FAIL_CAPACITY, FAIL_AUTH, FAIL_BALANCE,
	FAIL_BUDGET, FAIL_TIMEOUT, FAIL_SUSPECT, FAIL_DISK, FAIL_INTERRUPTED,
	FAIL_INSIDE,		/* a check, step or process on the pod */
	FAIL_BUSY,		/* a runner has a job, or nobody knows */
};

/* A thing that may be billing because of this run, or is unclear. */
struct run_left {
	struct str address, id;		/* id absent: unknown */
	struct id128 op;
	int64_t per_hour;		/* -1 unknown */
	struct str why;			/* "could not be terminated: ..." */
};

struct run_failed {
	size_t action;
	enum action_kind kind;
	struct str address;
	enum run_failure failure;
	struct str reason;
	struct str output;		/* the last lines of what it said, as
					   they came (hostile); or absent */
	struct str kept;		/* local file with all of them; or absent */
	struct span span;
};

struct run_summary {
	bool interrupted;		/* a signal ended it */
	bool changed;			/* something of the cloud was changed */
	size_t added, changed_count, destroyed, started, stopped, undone;
	VEC_OF(struct run_left) left;
	VEC_OF(struct run_failed) failures;
	VEC_OF(struct str) refused;	/* "pod.x: A40 in EU-RO-1: no stock" */
	int exit_code;			/* of the table in conventions: 0, 1,
					   4, 7, 8, 9, 10, 12, 130 */
};
const struct run_summary *run_summary(struct run *run);
/* The same when the lock file could not be written: the journal alone knows
 * what was made, so that is named as left. */
const struct run_summary *run_summary_unrecorded(struct run *run);

const char *action_words(enum action_kind kind);	/* "create pod" */

#endif
