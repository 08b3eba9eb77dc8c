/*
 * journal.h - what was intended and what came of it, synced to disk.
 *
 * .podform/journal is a text of lines, each a checksum and a JSON record:
 *
 *	3f2a9c01 {"t":"begin","lineage":"…","serial":41,"run":"…"}
 *	77d0e1b2 {"t":"intent","op":"…","action":"create",…}
 *	0c55aa13 {"t":"result","op":"…","outcome":"done","id":"…"}
 *
 * An intent is on disk before its request leaves; a result before anything
 * builds on it.  A torn last line is dropped (its op is then unresolved); a
 * damaged line before it is refused.
 */
#ifndef LOCK_JOURNAL_H
#define LOCK_JOURNAL_H

#include "lock/lock.h"

enum record_type {
	RECORD_BEGIN,	/* a run starts on this lineage and serial */
	RECORD_INTENT,	/* op is about to be sent */
	RECORD_RESULT,	/* what came of it */
	RECORD_END,	/* the run's outcome was folded or needs nothing */
};

enum op_outcome {
	OP_DONE,	/* it happened; entry holds what is true now */
	OP_NONE,	/* it had no effect, and never will */
};

struct record {
	enum record_type type;
	struct id128 lineage;		/* begin */
	int64_t serial;			/* begin: of the lock it builds on */
	struct lock_op op;		/* intent: all; result: op.op only */
	enum op_outcome outcome;	/* result */
	struct str id;			/* result of a create */
	struct str created_at;		/* result of a create, if known */
	int64_t price_per_hour;		/* result of a create, -1 unknown */
	bool adopted;			/* result found by its mark */
};

struct journal {
	const struct fs *fs;
	struct str path;
	int fd;				/* -1: not open for writing */
	bool failed;			/* a write or sync failed: no more
					   changes may be sent */
};

/* Open for appending, creating it 0600; refuses links and odd files. */
bool journal_open(struct journal *journal, struct arena *arena,
    const struct fs *fs, const char *path, struct diags *diags);
void journal_close(struct journal *journal);

/* Append records in one write and fdatasync; false: nothing may be sent. */
bool journal_append(struct journal *journal, const struct record *records,
    size_t n, struct diags *diags);

/* Empty it after a commit of the lock (truncate and sync). */
bool journal_clear(struct journal *journal, struct diags *diags);

/*
 * Read all records of path; missing is none.  NULL return with a report
 * for damage before the last line.
 */
struct records { VEC_OF(struct record) list; bool torn; };
bool journal_read(struct arena *arena, const struct fs *fs, const char *path,
    uint32_t own_uid, struct records *out, struct diags *diags);

/*
 * Bring lock and journal together, in memory: intents become pending ops,
 * results change entries as lock_apply_result() says.  Refuses a journal of
 * another lineage or of a higher serial (S-05, S-06).  Records that the lock
 * already contains (crash between commit and clear) change nothing.
 * *changed: the lock needs a commit.
 */
bool journal_fold(struct arena *arena, struct lock *lock,
    const struct records *records, bool *changed, struct diags *diags);

/* One result: remove op from pending and make the entries say what is so. */
void lock_apply_result(struct arena *arena, struct lock *lock,
    const struct record *result);
/* One intent: add it to pending. */
void lock_apply_intent(struct arena *arena, struct lock *lock,
    const struct record *intent);

#endif
