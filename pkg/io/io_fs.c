/* io_fs.c - the real file system as struct fs; see base/seams.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_fd.h"
#include "io/io_world.h"

static int
open_flags(unsigned flags)
{
	int how = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	how |= flags & FS_READ_WRITE ? O_RDWR :
	    flags & FS_APPEND ? O_WRONLY | O_APPEND : O_RDONLY;
	if ((flags & FS_READ_WRITE) && (flags & FS_APPEND))
		how |= O_APPEND;
	if (!(flags & FS_FOLLOW))
		how |= O_NOFOLLOW;
	return how;
}

static int
open_retry(const char *path, int how, unsigned mode)
{
	int fd;
	do
		fd = open(path, how, (mode_t)mode);
	while (fd < 0 && errno == EINTR);
	fd = io_fd_above_standard(fd);
	return fd < 0 ? -errno : fd;
}

/*
 * Whether an open with O_CREAT made the file or found it cannot be told
 * afterwards, and only a made one gets the mode: so it is tried with O_EXCL
 * first, and again for the moment in which somebody makes or removes it.
 */
static int
fs_open(void *ctx, const char *path, unsigned flags, unsigned mode)
{
	int how = open_flags(flags);
	(void)ctx;

	if (!(flags & FS_CREATE))
		return open_retry(path, how, 0);
	for (int tries = 0; tries < 8; tries++) {
		int fd = open_retry(path, how | O_CREAT | O_EXCL, mode);
		if (fd >= 0) {
			if (fchmod(fd, (mode_t)mode) == 0)
				return fd;
			int error = errno;
			close(fd);
			return -error;
		}
		if (fd != -EEXIST || (flags & FS_EXCLUSIVE))
			return fd;
		fd = open_retry(path, how, 0);
		if (fd != -ENOENT)
			return fd;
	}
	return -ENOENT;
}

static ssize_t
fs_read(void *ctx, int fd, void *buf, size_t n)
{
	(void)ctx;
	ssize_t got;
	do
		got = read(fd, buf, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static ssize_t
fs_write(void *ctx, int fd, const void *buf, size_t n)
{
	(void)ctx;
	ssize_t put;
	do
		put = write(fd, buf, n);
	while (put < 0 && errno == EINTR);
	return put < 0 ? -errno : put;
}

static int
fs_sync(void *ctx, int fd)
{
	(void)ctx;
	return fsync(fd) == 0 ? 0 : -errno;
}

static int
fs_sync_data(void *ctx, int fd)
{
	(void)ctx;
	return fdatasync(fd) == 0 ? 0 : -errno;
}

static int
fs_truncate(void *ctx, int fd, uint64_t size)
{
	(void)ctx;
	if (size > INT64_MAX)
		return -EFBIG;
	int result;
	do
		result = ftruncate(fd, (off_t)size);
	while (result != 0 && errno == EINTR);
	return result == 0 ? 0 : -errno;
}

/* After EINTR the descriptor is gone on Linux: closing again would hit
 * somebody else's. */
static int
fs_close(void *ctx, int fd)
{
	(void)ctx;
	return close(fd) == 0 || errno == EINTR ? 0 : -errno;
}

static void
fill_info(const struct stat *from, struct fs_info *info)
{
	*info = (struct fs_info){
		.type = S_ISREG(from->st_mode) ? FS_REGULAR :
		    S_ISDIR(from->st_mode) ? FS_DIRECTORY :
		    S_ISLNK(from->st_mode) ? FS_SYMLINK : FS_OTHER,
		.size = (uint64_t)from->st_size,
		.mode = from->st_mode & 07777,
		.uid = from->st_uid,
		.links = from->st_nlink,
		.device = from->st_dev,
		.inode = from->st_ino,
	};
}

static int
fs_stat_fd(void *ctx, int fd, struct fs_info *info)
{
	struct stat found;
	(void)ctx;
	if (fstat(fd, &found) != 0)
		return -errno;
	fill_info(&found, info);
	return 0;
}

static int
fs_stat(void *ctx, const char *path, bool follow, struct fs_info *info)
{
	struct stat found;
	(void)ctx;
	if (fstatat(AT_FDCWD, path, &found,
		follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	fill_info(&found, info);
	return 0;
}

static int
fs_rename(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	return rename(from, to) == 0 ? 0 : -errno;
}

static int
fs_link(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	return link(from, to) == 0 ? 0 : -errno;
}

static int
fs_unlink(void *ctx, const char *path)
{
	(void)ctx;
	return unlink(path) == 0 ? 0 : -errno;
}

static int
open_directory(const char *path)
{
	return open_retry(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
}

static int
fs_mkdir(void *ctx, const char *path, unsigned mode)
{
	(void)ctx;
	char self[32];

	/* Nobody gets in before the mode is exact. */
	if (mkdir(path, (mode_t)(mode & 0700)) != 0)
		return -errno;
	/* The umask may have left us no right to open it, but O_PATH needs
	 * none; and the mode goes to what we made, not to a link put there
	 * since. */
	int fd = open_retry(path, O_PATH | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	int result = chmod(self, (mode_t)mode) == 0 ? 0 : -errno;
	close(fd);
	return result;
}

static int
fs_sync_dir(void *ctx, const char *path)
{
	(void)ctx;
	int fd = open_directory(path);
	if (fd < 0)
		return fd;
	int result = fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	return result;
}

static int
compare_names(const void *one, const void *two)
{
	const struct str *a = one, *b = two;
	return str_cmp(*a, *b);
}

static int
fs_list(void *ctx, struct arena *arena, const char *path, struct str **names,
    size_t *n)
{
	VEC_OF(struct str) list = {0};
	const struct dirent *entry;
	(void)ctx;

	int fd = open_directory(path);
	if (fd < 0)
		return fd;
	DIR *directory = fdopendir(fd);
	if (directory == NULL) {
		int error = errno;
		close(fd);
		return -error;
	}
	while (errno = 0, (entry = readdir(directory)) != NULL) {
		struct str name = str_from(entry->d_name);
		if (!str_is(name, ".") && !str_is(name, ".."))
			*ARENA_PUSH(arena, &list) = arena_str(arena, name);
	}
	int error = errno;
	closedir(directory);
	if (error != 0)
		return -error;
	if (list.n > 0)
		qsort(list.items, list.n, sizeof *list.items, compare_names);
	*names = list.items;
	*n = list.n;
	return 0;
}

static int
fs_lock(void *ctx, int fd)
{
	(void)ctx;
	int result;
	do
		result = flock(fd, LOCK_EX | LOCK_NB);
	while (result != 0 && errno == EINTR);
	return result == 0 ? 0 : -errno;
}

static int
fs_resolve(void *ctx, struct arena *arena, const char *path, struct str *out)
{
	(void)ctx;
	char *found = realpath(path, NULL);
	if (found == NULL)
		return -errno;
	*out = arena_str(arena, str_from(found));
	free(found);
	return 0;
}

struct fs
io_fs(void)
{
	return (struct fs){
		.open = fs_open, .read = fs_read, .write = fs_write,
		.sync = fs_sync, .sync_data = fs_sync_data,
		.truncate = fs_truncate, .close = fs_close,
		.stat_fd = fs_stat_fd, .stat = fs_stat,
		.rename = fs_rename, .link = fs_link, .unlink = fs_unlink,
		.mkdir = fs_mkdir, .sync_dir = fs_sync_dir, .list = fs_list,
		.lock = fs_lock, .resolve = fs_resolve,
	};
}
