/* commit.c - the lock file: reading it, and replacing it as a whole */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/plant.h"
#include "base/probe.h"
#include "lock/crc.h"
#include "lock/file.h"
#include "lock/lock.h"
#include "lock/text.h"

#define TEMPORARY ".tmp-"	/* and 16 hex digits */
enum { TEMPORARY_TRIES = 16 };

static struct file_rules
lock_rules(uint32_t own_uid)
{
	/* git checks files out as 0644, and as 0664 where groups share. */
	return (struct file_rules){ "lock file", LOCK_BYTES_MAX, own_uid, 02,
	    false };
}

static const char *
backup_path(struct arena *arena, const char *path)
{
	return arena_printf(arena, "%s.backup", path).data;
}

struct lock *
lock_read(struct arena *arena, const struct fs *fs, const char *path,
    uint32_t own_uid, struct sources *sources, struct diags *diags)
{
	struct file_rules rules = lock_rules(own_uid);
	struct fs_info info;
	struct str text;

	switch (file_read(fs, arena, path, &rules, &text, diags)) {
	case FILE_READ:
		return text_read(arena, path, text, sources, diags);
	case FILE_REFUSED:
		return NULL;
	case FILE_MISSING:
		break;
	}
	/* No lock file is normal the first time, and only then: without what
	 * it records everything would be made once more. */
	const char *backup = backup_path(arena, path);
	int error = fs->stat(fs->ctx, backup, false, &info);
	if (error < 0 && error != -ENOENT) {
		diag_errno(diags, "PF0613", NO_SPAN, -error, "lock file '%s' "
		    "is missing, and cannot examine '%s'", path, backup);
		return NULL;
	}
	if (error == 0) {
		diag_error(diags, "PF0613", NO_SPAN, "lock file '%s' is "
		    "missing, but '%s' is there: what it records is not known "
		    "to this run", path, backup);
		diag_hint(diags, "put it back: cp %s %s, or git checkout %s; "
		    "to begin anew, with nothing left to lose, move '%s' away",
		    backup, path, path, backup);
		return NULL;
	}
	struct lock *lock = ARENA_NEW(arena, struct lock);
	lock->version = LOCK_VERSION;
	lock->arena = arena;
	return lock;
}

struct lock *
lock_read_after_crash(struct arena *arena, const struct fs *fs,
    const char *path, uint32_t own_uid, struct diags *diags)
{
	const char *backup = backup_path(arena, path);
	struct fs_info info;

	if (fs->stat(fs->ctx, path, false, &info) != -ENOENT ||
	    fs->stat(fs->ctx, backup, false, &info) != 0)
		return lock_read(arena, fs, path, own_uid, NULL, diags);
	PROBE("lock_is_taken_from_its_backup");
	struct lock *lock = lock_read(arena, fs, backup, own_uid, NULL,
	    diags);
	if (lock != NULL)
		lock->from_backup = true;
	return lock;
}

/* ----------------------------------------------------------- commit ---- */

struct commit {
	const struct fs *fs;
	const struct chance *chance;
	struct arena arena;		/* for names */
	const char *path;
	struct diags *diags;
};

static bool
failed(struct commit *c, int error, const char *what, const char *path)
{
	diag_errno(c->diags, "PF0606", NO_SPAN, -error, "cannot commit lock "
	    "file '%s': cannot %s '%s'", c->path, what, path);
	return false;
}

/* A name beside the lock file that nobody can guess. */
static const char *
temporary_name(struct commit *c)
{
	unsigned char random[8];
	uint64_t value;
	char hex[CRC_HEX + 1];

	c->chance->bytes(c->chance->ctx, random, sizeof random);
	memcpy(&value, random, sizeof value);
	crc_hex(value, hex);
	return arena_printf(&c->arena, "%s" TEMPORARY "%s", c->path,
	    hex).data;
}

/*
 * Make a new file with these bytes, on disk.  Its name goes to *name; after
 * a failure there is no such file.
 */
static bool
write_new(struct commit *c, struct str bytes, const char **name)
{
	const struct fs *fs = c->fs;
	int fd = -EEXIST;

	/* What is planted at a name is left alone: O_EXCL. */
	for (int i = 0; fd == -EEXIST && i < TEMPORARY_TRIES; i++) {
		*name = temporary_name(c);
		fd = fs->open(fs->ctx, *name,
		    FS_READ_WRITE | FS_CREATE | FS_EXCLUSIVE, 0600);
	}
	if (fd < 0)
		return failed(c, fd, "create", *name);
	const char *what = "write";
	int error = fs_write_all(fs, fd, bytes);
	if (error == 0) {
		what = "sync";
		error = file_sync(fs, fd, false);
	}
	int close_error = fs->close(fs->ctx, fd);
	if (error == 0 && close_error < 0) {
		what = "close";
		error = close_error;
	}
	if (error == 0)
		return true;
	/* After a failed sync the file is never tried again. */
	fs->unlink(fs->ctx, *name);
	return failed(c, error, what, *name);
}

/*
 * Is the file at path the one that we read or wrote last?  Missing is fine:
 * then there is nothing to lose.
 */
static bool
check_same(struct commit *c, const struct lock *lock)
{
	struct file_rules rules = lock_rules(ANY_UID);
	const struct fs *fs = c->fs;
	struct fs_info info;
	char head[64];

	int error = fs->stat(fs->ctx, c->path, false, &info);
	if (error == -ENOENT)
		return true;
	if (error < 0)
		return failed(c, error, "examine", c->path);
	if (!file_check(&info, c->path, &rules, c->diags))
		return false;
	int fd = fs->open(fs->ctx, c->path, FS_READ, 0);
	if (fd < 0)
		return failed(c, fd, "open", c->path);
	ssize_t got;
	do
		got = fs->read(fs->ctx, fd, head, sizeof head);
	while (got == -EINTR);
	fs->close(fs->ctx, fd);
	if (got < 0)
		return failed(c, (int)got, "read", c->path);
	struct str claim = text_claim((struct str){ head, (size_t)got });
	if (claim.len > 0 && (str_is(claim, lock->on_disk) ||
	    str_is(claim, lock->attempted)))
		return true;
	diag_error(c->diags, "PF0606", NO_SPAN, "cannot commit lock file '%s': "
	    "somebody else changed it meanwhile", c->path);
	diag_hint(c->diags, "what this run did is kept in the journal; put the "
	    "file back as it was (%s.backup or git), then run podform again",
	    c->path);
	return false;
}

/* For file systems without hard links: the previous version as a copy. */
static bool
copy_backup(struct commit *c, const char *backup)
{
	struct file_rules rules = lock_rules(ANY_UID);
	const char *name;
	struct str text;

	if (file_read(c->fs, &c->arena, c->path, &rules, &text, c->diags) !=
	    FILE_READ || !write_new(c, text, &name))
		return false;
	int error = c->fs->rename(c->fs->ctx, name, backup);
	if (error == 0)
		return true;
	c->fs->unlink(c->fs->ctx, name);
	return failed(c, error, "rename", name);
}

/*
 * Keep the previous version.  A second name is renamed over the older
 * backup, so that there is a backup at every moment.
 */
static bool
keep_backup(struct commit *c)
{
	const struct fs *fs = c->fs;
	const char *backup = backup_path(&c->arena, c->path);
	const char *name = NULL;
	int error = -EEXIST;

	for (int i = 0; error == -EEXIST && i < TEMPORARY_TRIES; i++) {
		name = temporary_name(c);
		error = fs->link(fs->ctx, c->path, name);
	}
	if (error == -ENOENT)
		return true;		/* the first commit */
	if (error == -EPERM || error == -ENOTSUP || error == -ENOSYS ||
	    error == -EMLINK)
		return copy_backup(c, backup);
	if (error < 0)
		return failed(c, error, "link", name);
	error = fs->rename(fs->ctx, name, backup);
	/* Renaming a name over another one of the same file does nothing. */
	fs->unlink(fs->ctx, name);
	if (error < 0)
		return failed(c, error, "rename", name);
	return true;
}

/* A planted bug: over the old text, in its place. */
static bool
overwrite(struct commit *c, struct str text)
{
	const struct fs *fs = c->fs;
	int fd = fs->open(fs->ctx, c->path, FS_READ_WRITE | FS_CREATE, 0600);

	if (fd < 0)
		return failed(c, fd, "open", c->path);
	int error = fs->truncate(fs->ctx, fd, 0);
	if (error == 0)
		error = fs_write_all(fs, fd, text);
	if (error == 0)
		error = file_sync(fs, fd, false);
	fs->close(fs->ctx, fd);
	if (error == 0)
		error = fs->sync_dir(fs->ctx, file_dir(&c->arena, c->path));
	return error == 0 || failed(c, error, "write", c->path);
}

static bool
replace(struct commit *c, struct str text)
{
	const struct fs *fs = c->fs;
	const char *dir = file_dir(&c->arena, c->path);
	const char *name;

	if (PLANTED(12))
		return overwrite(c, text);
	if (!write_new(c, text, &name))
		return false;
	int error = 0;
	if (!keep_backup(c))
		goto remove;
	error = fs->rename(fs->ctx, name, c->path);
	if (error < 0) {
		failed(c, error, "rename", name);
		goto remove;
	}
	do
		error = PLANTED(2) ? 0 : fs->sync_dir(fs->ctx, dir);
	while (error == -EINTR);
	if (error < 0)
		return failed(c, error, "sync the directory", dir);
	return true;
remove:
	fs->unlink(fs->ctx, name);
	return false;
}

/*
 * Remove what crashes left of earlier commits.  We hold the mutex, so nobody
 * is using such a file; a link at such a name goes, not what it points to.
 */
static void
sweep(struct commit *c)
{
	const struct fs *fs = c->fs;
	const char *dir = file_dir(&c->arena, c->path);
	struct str path = str_from(c->path), *names;
	struct str base = str_sub(path, (size_t)(str_rfind(path, '/') + 1),
	    path.len);
	uint64_t ignored;
	size_t n;

	if (fs->list(fs->ctx, &c->arena, dir, &names, &n) < 0)
		return;
	struct str start = arena_printf(&c->arena, STR_FMT TEMPORARY,
	    STR_ARG(base));
	for (size_t i = 0; i < n; i++)
		if (str_starts(names[i], start) && crc_parse(str_sub(names[i],
		    start.len, names[i].len), &ignored))
			fs->unlink(fs->ctx, arena_printf(&c->arena, "%s/"
			    STR_FMT, dir, STR_ARG(names[i])).data);
}

bool
lock_commit(const struct fs *fs, const struct chance *chance,
    const char *path, struct lock *lock, struct diags *diags)
{
	struct commit c = { .fs = fs, .chance = chance, .path = path,
	    .diags = diags };
	struct strbuf text = { .ceiling = LOCK_BYTES_MAX };
	char checksum[17];
	bool ok = false;

	assert(lock->lineage.hex[0] != '\0' && lock->serial > 0);
	text_write(&text, lock, checksum);
	if (text.failed) {
		diag_error(diags, "PF0606", NO_SPAN, "cannot commit lock file "
		    "'%s': it would be larger than %d bytes", path,
		    LOCK_BYTES_MAX);
		goto out;
	}
	if (!check_same(&c, lock))
		goto out;
	memcpy(lock->attempted, checksum, sizeof checksum);
	if (!replace(&c, strbuf_str(&text)))
		goto out;
	memcpy(lock->on_disk, checksum, sizeof checksum);
	lock->exists = true;
	if (!lock->swept)
		sweep(&c);
	lock->swept = true;
	ok = true;
out:
	strbuf_release(&text);
	arena_release(&c.arena);
	return ok;
}
