/*
 * crash.h - every step of a scripted scenario, crashed.
 *
 * A scenario brings a small world about, then runs one command.  Undisturbed
 * it does what its name says; that run is recorded, operation by operation:
 * each call of the file seam, each request, each task inside a pod, each word
 * with the holder, each answer that comes back.  Then it is run again for
 * each of them, with a crash before it, after it, or with an error that it
 * can give; then once more without trouble, and then everything has to be as
 * checks.c and guest_checks.c want it (tale_calm()).
 *
 *	crash_main.c		which runs there are, carried out and counted
 *	crash_run.c		one run
 *	crash_scenarios.c	the scenarios, as a table; of what they are made:
 *	crash_changes.c		creates, replacements, changes, scaling
 *	crash_undone.c		rollbacks
 *	crash_ends.c		drift, destroys, busy runners
 *	crash_record.c		the seams: operations counted, crashes, errors
 *	crash_faults.c		the errors
 */
#ifndef SIMULATION_CRASH_H
#define SIMULATION_CRASH_H

#include "tale.h"

enum { OPS_MAX = 1024 };

/* Kinds of operations, as far as errors and crashes tell them apart. */
enum op_kind {
	CALL_LOOK,		/* open to read, read, stat, list, resolve */
	CALL_OPEN,		/* to write */
	CALL_WRITE, CALL_SYNC, CALL_SYNC_DIR, CALL_TRUNCATE, CALL_RENAME, CALL_LINK,
	CALL_UNLINK, CALL_MKDIR, CALL_LOCK,
	CALL_READ,		/* requests that only read */
	CALL_LIST,		/* ... that list pods or volumes */
	CALL_GET,			/* ... one pod or volume */
	CALL_CREATE, CALL_CHANGE, CALL_DELETE,	/* ... of the cloud */
	CALL_HUB_READ, CALL_HUB_WRITE,		/* ... of GitHub */
	CALL_BANNER, CALL_SSH, CALL_HOLDER, CALL_FETCH,
	CALL_ANSWER,		/* something has come back */
	CALL_KINDS
};

struct crash_op {
	enum op_kind kind;
	char what[64];
	bool dirty_before, dirty_after;	/* the disk images would differ */
	bool rival;			/* of the second podform */
};

enum when { NEVER, BEFORE, AFTER, ERROR };

/* What happens to one operation. */
struct strike {
	enum when when;
	size_t at;
	enum disk_image image;		/* of a crash */
	size_t fault;			/* of an error: crash_faults[] */
};

/* ---------------------------------------------------------- the errors -- */

enum fault_type {
	FAULT_DISK,		/* this error number */
	FAULT_SHORT,		/* half of it is written */
	FAULT_FULL,		/* this and every later change of the disk */
	FAULT_CLOUD,		/* model fault, status, transport, body */
	FAULT_HUB,
	FAULT_GUEST,		/* guest fault */
	FAULT_HOLDER,		/* it is killed */
	FAULT_NO_BANNER,
};

struct crash_fault {
	const char *name;
	enum fault_type type;
	unsigned kinds;			/* 1 << enum op_kind */
	int error;			/* FAULT_DISK, FAULT_FULL */
	bool power_lost;		/* when the command has ended */
	int fault;			/* of the model, hub or guest */
	int status;
	enum model_transport transport;
	const char *body;
	int64_t delay_ms;
};

extern const struct crash_fault crash_faults[];
extern const size_t ncrash_faults;

bool crash_fault_fits(size_t fault, enum op_kind kind);
/* The request that has just been started, or is to be, meets the fault. */
struct recorder;
void crash_fault_strike(struct recorder *recorder,
    const struct crash_fault *fault, struct sim_flight *flight);
/* Has it struck, as far as one can know? */
bool crash_fault_struck(const struct recorder *recorder,
    const struct crash_fault *fault);

/* ---------------------------------------------------------- the seams --- */

enum { PATHS = 256 };

struct recorder {
	struct sim *sim;
	struct world inner;
	bool on;			/* the command is being recorded */
	struct crash_op *ops;		/* OPS_MAX */
	size_t nops;
	struct strike strike;
	bool struck, crash_after, full;
	int full_error;
	int64_t fired;			/* of that fault, before */
	char paths[PATHS][64];		/* of descriptors */
	/* The scenario's own trouble, before a request leaves. */
	void (*sends)(struct recorder *recorder, enum op_kind kind);
	bool sent_one;
};

/* Put it between the program and the world of sim. */
void recorder_init(struct recorder *recorder, struct sim *sim);
void recorder_release(struct recorder *recorder);
/* From now on, until recorder_stop(). */
void recorder_start(struct recorder *recorder, const struct strike *strike);
void recorder_stop(struct recorder *recorder);

/* ------------------------------------------------------- the scenarios -- */

struct crash {
	const struct scenario *scenario;
	struct sim sim;
	struct tale tale;
	struct recorder recorder;
	/* At the start of the command that is crashed. */
	size_t log_from, hub_log_from;
	int64_t began_ms;
	int code;			/* of that command; -1: it died */
	bool empty;			/* nothing was to be done */
};

struct scenario {
	const char *name;
	void (*before)(struct crash *crash);
	/* What goes wrong during the command, and only then; or NULL. */
	void (*trouble)(struct crash *crash);
	bool destroys;			/* the command is destroy, not apply */
	bool saved;			/* it is apply of PLAN_PATH */
	bool guests;
	bool twice;			/* small enough for pairs of crashes */
	int code;			/* of the undisturbed command */
	/* NULL if the undisturbed command did what the name says, else what
	 * it did not. */
	const char *(*did)(const struct crash *crash);
};

extern const struct scenario scenarios[];
extern const size_t nscenarios;

/* For `before`: as it is to be; a failure is a violation. */
void crash_settle(struct crash *crash);

/* --------------------------------------------------------------- a run -- */

struct crash_result {
	char *violation;		/* malloc'ed, NULL if all held */
	size_t nops, nrecovery;		/* operations of the command, and of
					   the run after it */
	bool struck;			/* both strikes came to be */
	uint8_t recovery[OPS_MAX];	/* enum op_kind of the latter */
};

/*
 * ops: where to put what the command did, OPS_MAX, or NULL.  second: in the
 * run after it.
 */
void crash_run(const struct scenario *scenario, const struct strike *first,
    const struct strike *second, FILE *trace, struct crash_op *ops,
    struct crash_result *result);

#endif
