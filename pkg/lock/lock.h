/*
 * lock.h - what podform owns and last saw, on disk.
 *
 * podform.lock is JSON, sorted and stable, fit to be committed, and free of
 * secrets by construction: of an environment variable that uses a secret it
 * keeps the reference, `${secret.NAME}`, never the value nor a digest.
 *
 * The lock is replaced as a whole (lock_commit); between commits the
 * journal (journal.h) holds what has happened since, and journal_fold()
 * brings both together after any crash.
 *
 * In memory: the strs of a lock that was read borrow the text of the file,
 * which lives in the same arena.  lock_apply_*() (journal.h) work on arrays
 * of their own: pointers to entries and pending ops that were taken before,
 * such as those of a plan, keep showing what was then.  lock_sort() ends
 * that: call it before the next plan is made, and when entries were changed
 * by hand (pushing new ones at the end needs no call).
 */
#ifndef LOCK_LOCK_H
#define LOCK_LOCK_H

#include "base/arena.h"
#include "base/cloud.h"
#include "base/diag.h"
#include "base/mark.h"
#include "base/seams.h"
#include "spec/spec.h"

enum { LOCK_VERSION = 1 };

/*
 * What has been done inside a pod, in the container that started at `start`
 * (the service's startedAt).  Another start is another container: nothing of
 * this holds for it.
 */
struct lock_inside {
	struct str start;		/* absent: nothing was done yet, or
					   the service did not say */
	struct str host_key;		/* pinned, "SHA256:…"; absent: none */
	struct str host_key_by;		/* how it became known: "log" or
					   "first use" */
	bool checked;			/* ready.checks have succeeded */
	struct str *steps;		/* digests of the setup steps that are
					   done, in order */
	size_t nsteps;
	struct str process;		/* digest of the process started */
};

/* KIND_RUNNER: one registration at GitHub.  entry.id is its number there. */
struct lock_runner {
	struct str repository, organization;	/* one of the two */
	struct str name;		/* with the mark of entry.op */
	struct str *labels;		/* sorted, those of the spec */
	size_t nlabels;
	struct str group;		/* absent: the default one */
	struct str version;		/* of the package: "2.336.0" */
	bool ephemeral;
	struct str pod;			/* address of its pod */
	struct str pod_id;
	struct str pod_start;		/* container it was started in */
	bool jit;			/* registered by JIT configuration */
};

/* One thing that we own. */
struct lock_entry {
	enum kind kind;
	struct str address;
	struct str id;			/* the cloud's */
	struct id128 op;		/* that created it; "" if imported */
	bool deposed;			/* replaced; still to be removed */
	bool protect;
	bool stopped;			/* last applied state */
	bool tainted;			/* its creation failed half-way */
	struct str spec_digest;		/* of its part of the spec, or absent */
	struct str created_at;		/* by the cloud, when known */
	struct str name_pattern;	/* as the spec had it, or absent */
	struct str gpu_name;		/* display name of config.gpu */
	/* Last applied.  Values of sensitive env are references. */
	struct pod_config pod;		/* KIND_POD */
	struct cloud_volume volume;	/* KIND_VOLUME */
	struct lock_inside inside;	/* KIND_POD */
	struct lock_runner runner;	/* KIND_RUNNER */
	int64_t price_per_hour;		/* when made; micro-dollars */
};

enum op_action {
	OP_CREATE, OP_UPDATE, OP_START, OP_STOP, OP_DELETE, OP_COUNT
};

/* One intended change of the cloud. */
struct lock_op {
	struct id128 op;
	enum op_action action;
	struct str address;
	struct lock_entry entry;	/* what will be true when it is done;
					   for a delete, what goes */
	int64_t wall_ms;		/* when it was intended */
	struct str boot_id;		/* of the machine's boot then, and */
	int64_t boot_ms;		/* its boot time: how long ago that
					   was can be known after a crash */
};

struct tombstone {			/* an op that is dead */
	struct id128 op;
	struct str address;
	int64_t wall_ms;
	bool released;			/* its thing was forgotten by the user:
					   not ours any more, kept for good */
	struct str id;			/* of that thing: the op may have made
					   another; absent in older locks */
};

struct history_entry {
	int64_t wall_ms;
	struct str who;			/* user@host */
	struct str command;		/* apply, destroy, import ... */
	struct str plan_id;
	struct str summary;		/* "2 added, 1 destroyed" */
	int64_t exit_code;
};

struct ack {				/* an accepted drift */
	struct str address;
	struct str path;		/* "env.MODE"; "state" */
	struct str value;		/* live, as JSON; absent: not there */
	struct str reason;
	struct str until;		/* RFC 3339; absent: for good */
};

struct lock_index;

struct lock {
	bool exists;			/* was read from a file */
	bool from_backup;		/* see lock_read_after_crash() */
	int64_t version;
	struct id128 lineage;		/* "" before the first commit */
	int64_t serial;			/* 0 before the first commit */
	struct str project;
	VEC_OF(struct lock_entry) entries;	/* sorted by address, live
						   before deposed */
	VEC_OF(struct lock_op) pending;		/* outcome unknown */
	VEC_OF(struct tombstone) tombstones;
	VEC_OF(struct history_entry) history;	/* oldest first, 20 kept */
	VEC_OF(struct ack) acks;
	struct str folded;		/* how much of the journal is in here:
					   record.chain of the last record, as
					   16 hex digits; absent for none */
	/* Private to pkg/lock. */
	struct arena *arena;		/* never NULL */
	struct lock_index *index;	/* built when first needed */
	bool detached;			/* the arrays are ours alone */
	bool swept;			/* old temporary files are gone */
	char on_disk[17];		/* checksum of the file as last seen;
					   "" if there was none */
	char attempted[17];		/* of a commit that failed late */
	char folded_[17];		/* where folded may point */
};

/*
 * Read path.  A missing file gives an empty lock with exists == false, and
 * is no error unless its backup is there.  Refusals (S-01 .. S-13: cut, conflict markers, a newer
 * version, one id twice, wrong type or owner, a link) are reported and give
 * NULL.  Checked by a checksum over the content.
 */
struct lock *lock_read(struct arena *arena, const struct fs *fs,
    const char *path, uint32_t own_uid, struct sources *sources,
    struct diags *diags);

/*
 * The same where a journal holds records.  A crash of the machine may have
 * undone the rename that made the file, and kept the one that made its backup:
 * then that is the lock, and the journal, which says on which serial it builds,
 * tells whether it fits.
 */
struct lock *lock_read_after_crash(struct arena *arena, const struct fs *fs,
    const char *path, uint32_t own_uid, struct diags *diags);

/* The text of a lock, as it goes to the file. */
void lock_write_text(struct strbuf *out, const struct lock *lock);

enum { LOCK_BYTES_MAX = 48 << 20 };	/* some 60,000 pods */

/*
 * Replace the file at path: random temporary name beside it, 0600, write,
 * fsync, close, keep the previous as path.backup, rename, fsync of the
 * directory.  The caller has raised the serial.  Any failure is a failure
 * of the commit; the file is then the old one or, if only the last sync
 * failed, perhaps the new one, so the next try needs a serial of its own.
 * Refuses to replace what is not a plain file, or not the file that this
 * lock was read from or last written to.
 *
 * Most callers want journal_commit().
 */
bool lock_commit(const struct fs *fs, const struct chance *chance,
    const char *path, struct lock *lock, struct diags *diags);

/* Tombstones are kept for a day; drop those older than that.  Those from a
 * future that a jump of the clock made stay. */
void lock_expire(struct lock *lock, int64_t wall_ms);

/* Remember a command in the history; the oldest make room. */
void lock_add_history(struct arena *arena, struct lock *lock,
    const struct history_entry *entry);
enum { LOCK_HISTORY_MAX = 20 };

/* Accept a drift, until then or for good: it takes the place of what was said
 * of that path before.  What has expired by wall_ms goes.  Texts are copied. */
void lock_acknowledge(struct lock *lock, const struct ack *ack,
    int64_t wall_ms);

/* Add a tombstone unless the op has one. */
void lock_bury(struct arena *arena, struct lock *lock,
    const struct id128 *op, struct str address, int64_t wall_ms);

/* The live entry of an address (never a deposed one), or NULL. */
struct lock_entry *lock_find(struct lock *lock, struct str address);
/* The entry of a cloud id, live or deposed, or NULL. */
struct lock_entry *lock_find_id(struct lock *lock, enum kind kind,
    struct str id);
struct lock_op *lock_find_op(struct lock *lock, const struct id128 *op);
/* The user gave the thing that op had made away: it keeps our mark and is
 * nevertheless left alone, until lock_reclaim(); pending ops of its id go. */
void lock_release(struct arena *arena, struct lock *lock,
    const struct lock_entry *entry, int64_t wall_ms);
bool lock_is_released(const struct lock *lock, struct str op);
/* And is it the thing with that id? */
bool lock_is_given_away(const struct lock *lock, struct str op,
    struct str id);
void lock_reclaim(struct lock *lock, struct str op);
void lock_sort(struct lock *lock);
/* A copy of entry, which is not recorded yet: for an import. */
void lock_add_entry(struct lock *lock, const struct lock_entry *entry);
/* Give an entry another address, which must be free; drift of it that is
 * accepted stays so. */
void lock_move_entry(struct lock *lock, struct lock_entry *entry,
    struct str address);
/* The last entry takes the place of the one removed: order is lost until
 * lock_sort(), so a loop that removes goes from the end to the start. */
void lock_remove_entry(struct lock *lock, struct lock_entry *entry);
bool lock_is_dead(const struct lock *lock, struct str op);	/* tombstone;
					   op may be the short form */

#endif
