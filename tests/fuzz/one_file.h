/*
 * one_file.h - a disk that holds one file, for targets that read and write
 * what podform keeps.  Every path is that file.
 */
#ifndef TESTS_FUZZ_ONE_FILE_H
#define TESTS_FUZZ_ONE_FILE_H

#include <errno.h>

#include "base/seams.h"
#include "tests/fuzz/fuzz.h"

struct one_file {
	struct strbuf text;
	size_t at;			/* where the next read begins */
};

static inline int
one_file_open(void *ctx, const char *path, unsigned flags, unsigned mode)
{
	struct one_file *file = ctx;
	(void)path, (void)flags, (void)mode;
	file->at = 0;
	return 5;
}

static inline ssize_t
one_file_read(void *ctx, int fd, void *buf, size_t n)
{
	struct one_file *file = ctx;
	struct str part = str_sub(strbuf_str(&file->text), file->at, n);
	(void)fd;
	if (part.len > 0)
		memcpy(buf, part.data, part.len);
	file->at += part.len;
	return (ssize_t)part.len;
}

static inline ssize_t
one_file_write(void *ctx, int fd, const void *buf, size_t n)
{
	struct one_file *file = ctx;
	(void)fd;
	strbuf_add(&file->text, (struct str){ buf, n });
	return (ssize_t)n;
}

static inline int
one_file_sync(void *ctx, int fd)
{
	(void)ctx, (void)fd;
	return 0;
}

static inline int
one_file_sync_dir(void *ctx, const char *path)
{
	(void)ctx, (void)path;
	return 0;
}

static inline int
one_file_truncate(void *ctx, int fd, uint64_t size)
{
	struct one_file *file = ctx;
	(void)fd;
	if (size < file->text.len)
		file->text.len = size;
	return 0;
}

static inline int
one_file_stat_fd(void *ctx, int fd, struct fs_info *info)
{
	struct one_file *file = ctx;
	(void)fd;
	*info = (struct fs_info){ .type = FS_REGULAR, .mode = 0600,
	    .size = file->text.len, .links = 1 };
	return 0;
}

static inline int
one_file_stat(void *ctx, const char *path, bool follow, struct fs_info *info)
{
	(void)path, (void)follow;
	return one_file_stat_fd(ctx, 0, info);
}

static inline struct fs
one_file_fs(struct one_file *file)
{
	return (struct fs){ .ctx = file, .open = one_file_open,
	    .read = one_file_read, .write = one_file_write,
	    .sync = one_file_sync, .sync_data = one_file_sync,
	    .truncate = one_file_truncate, .close = one_file_sync,
	    .stat_fd = one_file_stat_fd, .stat = one_file_stat,
	    .sync_dir = one_file_sync_dir };
}

#endif
