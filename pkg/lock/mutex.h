/*
 * mutex.h - one writer at a time, on this machine.
 *
 * .podform/mutex is never renamed or removed; the kernel's lock on it is
 * the truth, its content is for people and for `podform unlock`.
 */
#ifndef LOCK_MUTEX_H
#define LOCK_MUTEX_H

#include "base/diag.h"
#include "base/seams.h"

struct mutex_holder {
	struct str id, operation, who, boot_id, run_url, version, created;
	int64_t pid, fence;
};

struct mutex {
	int fd;				/* -1: not taken */
	const char *path;
	struct mutex_holder holder;	/* as written, with its fence */
};

enum mutex_result { MUTEX_TAKEN, MUTEX_HELD, MUTEX_FAILED };

/*
 * Try once.  MUTEX_HELD fills *other (strs in the arena).  The fence that is
 * written is above every earlier holder's.
 */
enum mutex_result mutex_take(struct mutex *mutex, struct arena *arena,
    const struct fs *fs, const char *path, const struct mutex_holder *self,
    struct mutex_holder *other, struct diags *diags);
void mutex_release(struct mutex *mutex, const struct fs *fs);

/*
 * Who holds it, or wrote it last; false if nobody ever did.  Where the last
 * holder did not release it (it runs, or it crashed) the kernel is asked,
 * which takes the lock for a moment: a mutex_take() of somebody else may
 * then say MUTEX_HELD once.
 */
bool mutex_read(struct arena *arena, const struct fs *fs, const char *path,
    struct mutex_holder *holder, bool *held);

/* The message about a holder, with the command that breaks it. */
void mutex_report(struct diags *diags, const struct mutex_holder *holder,
    const char *path);

#endif
