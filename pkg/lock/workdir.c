/* workdir.c - see workdir.h */
#include "lock/workdir.h"

#include <errno.h>

#include "lock/file.h"

static bool
failed(struct diags *diags, int error, const char *what, const char *path)
{
	diag_errno(diags, "PF0612", NO_SPAN, -error, "cannot %s '%s'", what,
	    path);
	return false;
}

static bool
check(const struct fs_info *info, const char *path, uint32_t own_uid,
    struct diags *diags)
{
	if (info->type != FS_DIRECTORY) {
		diag_error(diags, "PF0612", NO_SPAN, "'%s' is %s, not a "
		    "directory", path, info->type == FS_SYMLINK ?
		    "a symbolic link" : "a file");
		diag_hint(diags, "move it away; podform makes a new one");
		return false;
	}
	if (info->uid != own_uid) {
		diag_error(diags, "PF0612", NO_SPAN, "'%s' belongs to user %u, "
		    "but this is user %u", path, info->uid, own_uid);
		diag_hint(diags, "run podform as one user, or chown -R %u %s",
		    own_uid, path);
		return false;
	}
	if (info->mode & 022) {
		diag_error(diags, "PF0612", NO_SPAN, "'%s' can be changed by "
		    "other users (mode %04o)", path, info->mode);
		diag_hint(diags, "chmod 0700 %s", path);
		return false;
	}
	return true;
}

/*
 * Keep git out.  Only a convenience, and already there when two started at
 * once: a failure is none.
 */
static void
ignore_in_git(const struct fs *fs, struct arena *arena, const char *path)
{
	struct str name = arena_printf(arena, "%s/.gitignore", path);
	int fd = fs->open(fs->ctx, name.data,
	    FS_READ_WRITE | FS_CREATE | FS_EXCLUSIVE, 0600);
	if (fd < 0)
		return;
	fs_write_all(fs, fd, STR("*\n"));
	fs->close(fs->ctx, fd);
}

bool
workdir_open(const struct fs *fs, struct arena *arena, const char *path,
    uint32_t own_uid, struct diags *diags)
{
	struct fs_info info;

	int error = fs->mkdir(fs->ctx, path, 0700);
	bool made = error == 0;
	if (error < 0 && error != -EEXIST)
		return failed(diags, error, "make directory", path);
	error = fs->stat(fs->ctx, path, false, &info);
	if (error < 0)
		return failed(diags, error, "examine", path);
	if (!check(&info, path, own_uid, diags))
		return false;
	if (!made)
		return true;
	ignore_in_git(fs, arena, path);
	/* The journal in it must be found after a power cut. */
	const char *parent = file_dir(arena, path);
	error = fs->sync_dir(fs->ctx, parent);
	if (error < 0)
		return failed(diags, error, "sync directory", parent);
	return true;
}
