/*
 * lock.h - what podform owns and last saw, on disk.
 *
 * podform.lock is JSON, sorted and stable, fit to be committed, and free of
 * secrets by construction: of an environment variable that uses a secret it
 * keeps the reference, `${secret.NAME}`, never the value nor a digest.
 *
 * The lock is replaced as a whole (lock_commit); between commits the
 * journal (journal.h) holds what has happened since, and lock_fold() brings
 * both together after any crash.
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
	struct str address, path, value, reason, until;
};

struct lock {
	bool exists;			/* was read from a file */
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
};

/*
 * Read path.  A missing file gives an empty lock with exists == false, and
 * is no error.  Refusals (S-01 .. S-13: cut, conflict markers, a newer
 * version, one id twice, wrong type or owner, a link) are reported and give
 * NULL.  Checked by a checksum over the content.
 */
struct lock *lock_read(struct arena *arena, const struct fs *fs,
    const char *path, uint32_t own_uid, struct sources *sources,
    struct diags *diags);

/* The text of a lock, as it goes to the file. */
void lock_write_text(struct strbuf *out, const struct lock *lock);

/*
 * Replace the file at path: random temporary name beside it, 0600, write,
 * fsync, close, keep the previous as path.backup, rename, fsync of the
 * directory.  The caller has raised the serial.  Any failure is a failure
 * of the commit and leaves the old file.
 */
bool lock_commit(const struct fs *fs, const struct chance *chance,
    const char *path, const struct lock *lock, struct diags *diags);

struct lock_entry *lock_find(struct lock *lock, struct str address);
struct lock_entry *lock_find_id(struct lock *lock, enum kind kind,
    struct str id);
struct lock_op *lock_find_op(struct lock *lock, const struct id128 *op);
void lock_sort(struct lock *lock);
void lock_remove_entry(struct lock *lock, struct lock_entry *entry);
bool lock_is_dead(const struct lock *lock, struct str op);	/* tombstone;
					   op may be the short form */

#endif
