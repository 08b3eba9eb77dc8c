/* file.c - see file.h */
#include "lock/file.h"

#include <errno.h>
#include <string.h>

static const char *
type_words(enum fs_type type)
{
	switch (type) {
	case FS_DIRECTORY: return "is a directory";
	case FS_SYMLINK: return "is a symbolic link";
	default: return "is not a plain file";
	}
}

bool
file_check(const struct fs_info *info, const char *path,
    const struct file_rules *rules, struct diags *diags)
{
	if (info->type != FS_REGULAR) {
		diag_error(diags, "PF0604", NO_SPAN, "%s '%s' %s",
		    rules->what, path, type_words(info->type));
		diag_hint(diags, "podform reads and writes it only as a plain "
		    "file; move what is there out of the way");
		return false;
	}
	if (rules->own_uid != ANY_UID && info->uid != rules->own_uid) {
		diag_error(diags, "PF0604", NO_SPAN, "%s '%s' belongs to user "
		    "%u, but this is user %u", rules->what, path, info->uid,
		    rules->own_uid);
		diag_hint(diags, "check who wrote it, then chown %u %s",
		    rules->own_uid, path);
		return false;
	}
	if (info->mode & rules->bad_mode) {
		diag_error(diags, "PF0604", NO_SPAN, "%s '%s' can be changed by "
		    "other users (mode %04o)", rules->what, path, info->mode);
		diag_hint(diags, "check what it says, then chmod 0600 %s",
		    path);
		return false;
	}
	if (info->size > rules->limit) {
		diag_error(diags, "PF0604", NO_SPAN, "%s '%s' is larger than "
		    "%zu bytes", rules->what, path, rules->limit);
		return false;
	}
	return true;
}

static void
cannot(struct diags *diags, const char *verb, const struct file_rules *rules,
    const char *path, int error)
{
	diag_errno(diags, "PF0605", NO_SPAN, -error, "cannot %s %s '%s'",
	    verb, rules->what, path);
	if (error == -ENOTDIR || error == -ELOOP)
		diag_hint(diags, "what stands in place of a directory on the "
		    "way to it is a file, or a link in a ring; move it away");
}

/* Read to the end; the size is known and within the limit. */
static bool
read_all(const struct fs *fs, int fd, struct arena *arena, const char *path,
    const struct file_rules *rules, size_t size, struct str *out,
    struct diags *diags)
{
	/* One byte more than the size shows that the end was reached. */
	char *data = arena_alloc(arena, size + 2);
	size_t len = 0;

	while (len <= size) {
		ssize_t got = fs->read(fs->ctx, fd, data + len,
		    size + 1 - len);
		if (got == -EINTR)
			continue;
		if (got < 0) {
			cannot(diags, "read", rules, path, (int)got);
			return false;
		}
		if (got == 0)
			break;
		len += (size_t)got;
	}
	if (len > size && rules->appended)
		len = size;
	if (len != size && !rules->appended) {
		diag_error(diags, "PF0605", NO_SPAN, "%s '%s' changed while it "
		    "was read", rules->what, path);
		return false;
	}
	data[len] = '\0';
	*out = (struct str){ data, len };
	return true;
}

enum file_result
file_read(const struct fs *fs, struct arena *arena, const char *path,
    const struct file_rules *rules, struct str *out, struct diags *diags)
{
	struct fs_info info;
	bool ok = false;

	/* Look before opening: opening a device may already do something. */
	int error = fs->stat(fs->ctx, path, false, &info);
	if (error == -ENOENT)
		return FILE_MISSING;
	if (error < 0) {
		cannot(diags, "examine", rules, path, error);
		return FILE_REFUSED;
	}
	if (!file_check(&info, path, rules, diags))
		return FILE_REFUSED;
	int fd = fs->open(fs->ctx, path, FS_READ, 0);
	if (fd < 0) {
		cannot(diags, "open", rules, path, fd);
		return FILE_REFUSED;
	}
	/* And once more, of what was really opened. */
	error = fs->stat_fd(fs->ctx, fd, &info);
	if (error < 0) {
		cannot(diags, "examine", rules, path, error);
		goto out;
	}
	ok = file_check(&info, path, rules, diags) &&
	    read_all(fs, fd, arena, path, rules, (size_t)info.size, out,
	    diags);
out:
	fs->close(fs->ctx, fd);
	return ok ? FILE_READ : FILE_REFUSED;
}

const char *
file_dir(struct arena *arena, const char *path)
{
	struct str text = str_from(path);
	ptrdiff_t slash = str_rfind(text, '/');
	if (slash < 0)
		return ".";
	if (slash == 0)
		return "/";
	return arena_cstr(arena, str_sub(text, 0, (size_t)slash));
}

int
file_sync(const struct fs *fs, int fd, bool data_only)
{
	int error;
	do
		error = data_only ? fs->sync_data(fs->ctx, fd) :
		    fs->sync(fs->ctx, fd);
	while (error == -EINTR);
	return error;
}
