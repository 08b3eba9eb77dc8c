/* fs.c - whole reads and writes over the file seam; see seams.h */
#include <errno.h>
#include <string.h>

#include "base/seams.h"

/* Read once, again if a signal came in between. */
static ssize_t
read_some(const struct fs *fs, int fd, char *buf, size_t n)
{
	ssize_t got;
	do
		got = fs->read(fs->ctx, fd, buf, n);
	while (got == -EINTR);
	return got;
}

static int
check_file(const struct fs *fs, int fd, size_t limit, size_t *size)
{
	struct fs_info info;
	int error = fs->stat_fd(fs->ctx, fd, &info);
	if (error < 0)
		return error;
	if (info.type == FS_DIRECTORY)
		return -EISDIR;
	if (info.type != FS_REGULAR)
		return -EINVAL;
	if (info.size > limit)
		return -EFBIG;
	*size = (size_t)info.size;
	return 0;
}

/*
 * Read to the end of the file.  The size is a promise that nobody keeps: the
 * file may grow or shrink meanwhile, and in /proc it is 0.
 */
static int
read_to_end(const struct fs *fs, int fd, struct arena *arena, size_t size,
    size_t limit, struct str *out)
{
	/* One byte more than the size shows that the end was reached. */
	size_t cap = size + 1, len = 0;
	char *data = arena_alloc(arena, cap + 1);

	for (;;) {
		if (len == cap) {
			char *more = arena_alloc(arena, cap * 2 + 1);
			memcpy(more, data, len);
			data = more;
			cap *= 2;
		}
		ssize_t got = read_some(fs, fd, data + len, cap - len);
		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		len += (size_t)got;
		if (len > limit)
			return -EFBIG;
	}
	data[len] = '\0';
	*out = (struct str){ data, len };
	return 0;
}

int
fs_read_file(const struct fs *fs, struct arena *arena, const char *path,
    size_t limit, bool follow, struct str *out)
{
	size_t size = 0;
	int fd = fs->open(fs->ctx, path, FS_READ | (follow ? FS_FOLLOW : 0), 0);
	if (fd < 0)
		return fd;
	int error = check_file(fs, fd, limit, &size);
	if (error == 0)
		error = read_to_end(fs, fd, arena, size, limit, out);
	fs->close(fs->ctx, fd);
	return error;
}

int
fs_write_all(const struct fs *fs, int fd, struct str bytes)
{
	for (size_t at = 0; at < bytes.len;) {
		ssize_t put = fs->write(fs->ctx, fd, bytes.data + at,
		    bytes.len - at);
		if (put == -EINTR)
			continue;
		if (put < 0)
			return (int)put;
		/* Nothing written and no reason given: do not spin. */
		if (put == 0)
			return -EIO;
		at += (size_t)put;
	}
	return 0;
}

int
fs_replace_file(const struct fs *fs, const struct chance *chance,
    const char *path, struct str bytes)
{
	struct arena scratch = {0};
	unsigned char random[8];

	chance->bytes(chance->ctx, random, sizeof random);
	const char *name = arena_printf(&scratch,
	    "%s.%02x%02x%02x%02x%02x%02x%02x%02x", path, random[0], random[1],
	    random[2], random[3], random[4], random[5], random[6],
	    random[7]).data;
	int fd = fs->open(fs->ctx, name, FS_APPEND | FS_CREATE | FS_EXCLUSIVE,
	    0600);
	int error = fd < 0 ? fd : fs_write_all(fs, fd, bytes);
	if (error == 0)
		error = fs->sync(fs->ctx, fd);
	if (fd >= 0 && fs->close(fs->ctx, fd) < 0 && error == 0)
		error = -EIO;
	if (error == 0)
		error = fs->rename(fs->ctx, name, path);
	if (error != 0 && fd >= 0)
		fs->unlink(fs->ctx, name);
	arena_release(&scratch);
	return error;
}
