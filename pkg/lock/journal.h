/*
 * journal.h - what was intended and what came of it, synced to disk.
 *
 * .podform/journal is a text of lines, each a checksum (CRC-64 of what
 * follows the space) and a JSON record:
 *
 *	3f2a9c0155d2f0aa {"t":"begin","lineage":"…","serial":41}
 *	77d0e1b200c1d4e9 {"t":"intent","op":"…","action":"create",…}
 *	0c55aa13f6b7a802 {"t":"result","op":"…","outcome":"done","id":"…"}
 *
 * Records that are appended together are one line, a JSON array of records.
 * So an append is one line, and a crash in the middle of it can damage only
 * the last line, also where the disk keeps its sectors in any order.
 *
 * An intent is on disk before its request leaves; a result before anything
 * builds on it.  A torn last line is dropped (nobody was told that it is
 * durable; its op is then unresolved) and cut off when the journal is next
 * opened for appending; a damaged line before it is refused.
 */
#ifndef LOCK_JOURNAL_H
#define LOCK_JOURNAL_H

#include "lock/lock.h"

enum record_type {
	RECORD_BEGIN,	/* a run starts on this lineage and serial */
	RECORD_INTENT,	/* op is about to be sent */
	RECORD_RESULT,	/* what came of it */
	RECORD_END,	/* the run's outcome was folded or needs nothing */
	RECORD_FACT,	/* what is so inside a pod now: no change of the cloud
			   and so no intent before it */
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
	int64_t wall_ms;		/* result: when; 0 unknown */
	struct lock_inside inside;	/* fact; `id` is the pod's */
	uint64_t chain;			/* set by journal_read(): checksum of
					   the journal up to here */
};

struct journal {
	const struct fs *fs;
	struct str path;
	int fd;				/* -1: not open for writing */
	bool failed;			/* a write or sync failed: no more
					   changes may be sent */
	uint64_t chain;			/* checksum of all that is in it */
	uint64_t size;			/* bytes */
	struct id128 lineage;		/* of the last begin, or commit */
	int64_t serial;
};

/*
 * Open for appending, creating it 0600 (and syncing the directory); refuses
 * links and odd files.  A torn last line is cut off here; damage before it
 * is refused as journal_read() does.
 */
bool journal_open(struct journal *journal, struct arena *arena,
    const struct fs *fs, const char *path, struct diags *diags);
void journal_close(struct journal *journal);

/*
 * Append records in one write and fdatasync; false: nothing may be sent.
 * After a failure nothing more is written through this journal.  Where the
 * journal is empty and the first record is not a begin, one is put before
 * it, with the lineage and serial of the last journal_commit().
 */
bool journal_append(struct journal *journal, const struct record *records,
    size_t n, struct diags *diags);

/* Empty it after a commit of the lock (truncate and sync). */
bool journal_clear(struct journal *journal, struct diags *diags);

/*
 * The whole of a commit: raise the serial, note how far the journal is
 * contained, drop old tombstones, replace the lock file, empty the journal.
 * False if the lock file could not be replaced: the journal still holds
 * everything.  A journal that could not be emptied is reported and has
 * failed, but the commit stands and true is returned.  journal may be NULL
 * or not open (fd -1) when nothing was ever appended.
 */
bool journal_commit(struct journal *journal, const struct fs *fs,
    const struct chance *chance, const char *lock_path, struct lock *lock,
    int64_t wall_ms, struct diags *diags);

/*
 * Read all records of path; missing is none.  False
 * with a report for damage before the last line.
 */
struct records {
	VEC_OF(struct record) list;
	bool torn;
	uint64_t good_size;		/* bytes of the lines that count */
	uint64_t chain;			/* their checksum */
};
bool journal_read(struct arena *arena, const struct fs *fs, const char *path,
    uint32_t own_uid, struct records *out, struct diags *diags);

/*
 * Bring lock and journal together, in memory: intents become pending ops,
 * results change entries as lock_apply_result() says.  Refuses a journal of
 * another lineage or of a higher serial (S-05, S-06).  Records that the lock
 * already contains (crash between commit and clear; lock->folded tells) are
 * skipped.  Without a lock file, a journal whose run began without one gives
 * the lineage; one that builds on a committed lock is refused.
 * *changed: the lock needs a commit.
 */
bool journal_fold(struct arena *arena, struct lock *lock,
    const struct records *records, bool *changed, struct diags *diags);

/*
 * One result: remove op from pending and make the entries say what is so.
 *
 *	create done	an entry with the id; another live entry of the
 *			address becomes deposed
 *	create none	a tombstone of the op
 *	delete done	the entry of that id goes; a tombstone of the op
 *			that had created it; if it was live, what was deposed
 *			for it is live again
 *	update done	the entry of that id is as intended; its id, maker
 *			and creation time stay
 *	start, stop	the entry says so
 *
 * An op that is not pending changes nothing.
 */
void lock_apply_result(struct arena *arena, struct lock *lock,
    const struct record *result);
/* One fact: the entry of that pod id says so.  A pod that is not recorded
 * changes nothing. */
void lock_apply_fact(struct lock *lock, const struct record *fact);
/* One intent: add it to pending. */
void lock_apply_intent(struct arena *arena, struct lock *lock,
    const struct record *intent);

#endif
