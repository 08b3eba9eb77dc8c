/*
 * file.h - reading a file that only we should have written.
 *
 * Shared by the lock, the journal and the mutex; private to pkg/lock.
 */
#ifndef LOCK_FILE_H
#define LOCK_FILE_H

#include "base/diag.h"
#include "base/seams.h"

#define ANY_UID UINT32_MAX

struct file_rules {
	const char *what;	/* "lock file", for messages */
	size_t limit;		/* bytes */
	uint32_t own_uid;	/* or ANY_UID */
	uint32_t bad_mode;	/* permission bits that must not be set */
	bool appended;		/* a writer may append or empty it while we
				   read: what was there counts */
};

enum file_result { FILE_READ, FILE_MISSING, FILE_REFUSED };

/*
 * Read path whole.  Refused, with a report: links, anything that is not a
 * plain file (without opening it, so that nothing hangs), other owners,
 * modes with a bad bit, more bytes than the limit.
 */
enum file_result file_read(const struct fs *fs, struct arena *arena,
    const char *path, const struct file_rules *rules, struct str *out,
    struct diags *diags);

/* May this be read or replaced?  As above, of something already examined. */
bool file_check(const struct fs_info *info, const char *path,
    const struct file_rules *rules, struct diags *diags);

/* "a/b" for "a/b/c", "." for "c", "/" for "/c"; in the arena. */
const char *file_dir(struct arena *arena, const char *path);

/* fsync, fdatasync: again when a signal came in between. */
int file_sync(const struct fs *fs, int fd, bool data_only);

#endif
