/* disk.c - see disk.h: the calls */
#include "disk_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------- content -- */

void
disk_content_set(struct content *content, const char *data, size_t len)
{
	char *copy = malloc(len + 1);
	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	free(content->data);
	content->data = copy;
	content->len = len;
}

struct inode *
disk_inode_new(struct disk *disk, unsigned mode, bool directory)
{
	struct inode *inode = calloc(1, sizeof *inode);
	inode->mode = inode->mode_before = mode;
	inode->uid = OWN_UID;
	inode->directory = directory;
	inode->number = ++disk->next_inode;
	return inode;
}

void
disk_inode_drop(struct inode *inode)
{
	if (inode == NULL || --inode->refs > 0)
		return;
	free(inode->now.data);
	free(inode->safe.data);
	free(inode);
}

void
disk_set_ref(struct inode **slot, struct inode *inode)
{
	if (inode != NULL)
		inode->refs++;
	disk_inode_drop(*slot);
	*slot = inode;
}

struct name *
disk_find_name(const struct disk *disk, const char *path)
{
	for (size_t i = 0; i < disk->nnames; i++)
		if (strcmp(disk->names[i].path, path) == 0)
			return (struct name *)&disk->names[i];
	return NULL;
}

void
disk_tidy_names(struct disk *disk)
{
	size_t kept = 0;
	for (size_t i = 0; i < disk->nnames; i++) {
		struct name *name = &disk->names[i];
		if (name->now == NULL && name->safe == NULL)
			free(name->path);
		else
			disk->names[kept++] = *name;
	}
	disk->nnames = kept;
}

struct name *
disk_make_name(struct disk *disk, const char *path)
{
	struct name *name = disk_find_name(disk, path);
	if (name != NULL)
		return name;
	if (disk->nnames == NAMES)
		disk_tidy_names(disk);
	assert(disk->nnames < NAMES);
	name = &disk->names[disk->nnames++];
	*name = (struct name){ .path = strdup(path) };
	return name;
}

/* ---------------------------------------------------------- the seam -- */

static void
step(struct disk *disk, const char *op)
{
	if (disk->step != NULL)
		disk->step(disk->step_ctx, op);
}

struct open_file *
disk_file_of(struct disk *disk, int fd)
{
	assert(fd >= FD_BASE && fd < FD_BASE + FDS);
	struct open_file *file = &disk->files[fd - FD_BASE];
	assert(file->inode != NULL);
	return file;
}

static int
disk_open(void *ctx, const char *path, unsigned flags, unsigned mode)
{
	struct disk *disk = ctx;
	step(disk, "open");
	struct name *name = disk_find_name(disk, path);
	if (name == NULL || name->now == NULL) {
		if (!(flags & FS_CREATE))
			return -ENOENT;
		name = disk_make_name(disk, path);
		disk_set_ref(&name->now, disk_inode_new(disk, mode, false));
	} else if (flags & FS_EXCLUSIVE) {
		return -EEXIST;
	} else if (name->now->link) {
		return flags & FS_FOLLOW ? -ENOENT : -ELOOP;
	} else if (name->now->directory &&
	    (flags & (FS_APPEND | FS_READ_WRITE))) {
		return -EISDIR;
	}
	for (int i = 0; i < FDS; i++) {
		struct open_file *file = &disk->files[i];
		if (file->inode != NULL)
			continue;
		*file = (struct open_file){ .append = flags & FS_APPEND,
			.process = disk->process };
		disk_set_ref(&file->inode, name->now);
		return FD_BASE + i;
	}
	return -EMFILE;
}

static ssize_t
disk_read(void *ctx, int fd, void *buf, size_t n)
{
	struct open_file *file = disk_file_of(ctx, fd);
	struct content *content = &file->inode->now;
	size_t left = content->len > file->at ? content->len - file->at : 0;
	if (file->inode->directory)
		return -EISDIR;
	if (n > left)
		n = left;
	if (n > 0)
		memcpy(buf, content->data + file->at, n);
	file->at += n;
	return (ssize_t)n;
}

/* What was lost from there on is not lost any more. */
static void
rewrite(struct inode *inode, size_t from)
{
	if (inode->lost_to > from)
		inode->lost_to = from;
	if (inode->lost_to <= inode->lost_from)
		inode->lost_from = inode->lost_to = 0;
}

static void
make_safe(struct inode *inode)
{
	struct content before = inode->safe;

	inode->safe = (struct content){0};
	disk_content_set(&inode->safe, inode->now.data, inode->now.len);
	for (size_t i = inode->lost_from; i < inode->lost_to; i++)
		inode->safe.data[i] = i < before.len ? before.data[i] : '\0';
	free(before.data);
}

static ssize_t
disk_write(void *ctx, int fd, const void *buf, size_t n)
{
	step(ctx, "write");
	struct open_file *file = disk_file_of(ctx, fd);
	struct content *content = &file->inode->now;
	size_t at = file->append ? content->len : file->at;
	size_t len = at + n > content->len ? at + n : content->len;
	char *data = calloc(1, len + 1);
	if (content->len > 0)
		memcpy(data, content->data, content->len);
	memcpy(data + at, buf, n);
	free(content->data);
	content->data = data;
	content->len = len;
	file->at = at + n;
	/* Its page will be written again as a whole. */
	rewrite(file->inode, at / PAGE * PAGE);
	return (ssize_t)n;
}

static int
disk_sync(void *ctx, int fd)
{
	step(ctx, "sync");
	make_safe(disk_file_of(ctx, fd)->inode);
	return 0;
}

static int
disk_truncate(void *ctx, int fd, uint64_t size)
{
	step(ctx, "truncate");
	struct open_file *file = disk_file_of(ctx, fd);
	if (size < file->inode->now.len)
		file->inode->now.len = (size_t)size;
	rewrite(file->inode, (size_t)size);
	file->at = (size_t)size < file->at ? (size_t)size : file->at;
	return 0;
}

int
disk_close(void *ctx, int fd)
{
	struct open_file *file = disk_file_of(ctx, fd);
	if (file->lock)
		file->inode->locked_by = 0;
	disk_set_ref(&file->inode, NULL);
	return 0;
}

static void
fill_info(const struct inode *inode, struct fs_info *info)
{
	*info = (struct fs_info){
		.type = inode->directory ? FS_DIRECTORY
		    : inode->link    ? FS_SYMLINK
				     : FS_REGULAR,
		.size = inode->now.len,
		.mode = inode->mode,
		.uid = inode->uid,
		.links = 1,
		.device = 1,
		.inode = inode->number,
	};
}

static int
disk_stat_fd(void *ctx, int fd, struct fs_info *info)
{
	fill_info(disk_file_of(ctx, fd)->inode, info);
	return 0;
}

static int
disk_stat(void *ctx, const char *path, bool follow, struct fs_info *info)
{
	struct name *name = disk_find_name(ctx, path);
	(void)follow;
	if (name == NULL || name->now == NULL)
		return -ENOENT;
	fill_info(name->now, info);
	return 0;
}

static int
disk_rename(void *ctx, const char *from, const char *to)
{
	step(ctx, "rename");
	struct name *old = disk_find_name(ctx, from);
	if (old == NULL || old->now == NULL)
		return -ENOENT;
	struct name *new = disk_make_name(ctx, to);
	old = disk_find_name(ctx, from);
	disk_set_ref(&new->now, old->now);
	disk_set_ref(&old->now, NULL);
	return 0;
}

static int
disk_link(void *ctx, const char *from, const char *to)
{
	step(ctx, "link");
	struct name *old = disk_find_name(ctx, from);
	if (old == NULL || old->now == NULL)
		return -ENOENT;
	struct name *new = disk_make_name(ctx, to);
	old = disk_find_name(ctx, from);
	if (new->now != NULL)
		return -EEXIST;
	disk_set_ref(&new->now, old->now);
	return 0;
}

static int
disk_unlink(void *ctx, const char *path)
{
	step(ctx, "unlink");
	struct name *name = disk_find_name(ctx, path);
	if (name == NULL || name->now == NULL)
		return -ENOENT;
	disk_set_ref(&name->now, NULL);
	return 0;
}

static int
disk_mkdir(void *ctx, const char *path, unsigned mode)
{
	step(ctx, "mkdir");
	struct name *name = disk_make_name(ctx, path);
	if (name->now != NULL)
		return -EEXIST;
	disk_set_ref(&name->now, disk_inode_new(ctx, mode, true));
	return 0;
}

/* "." for "podform.lock". */
static bool
is_in(const char *path, const char *dir)
{
	size_t len = strlen(dir);
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return strcmp(dir, ".") == 0;
	return (size_t)(slash - path) == len && strncmp(path, dir, len) == 0;
}

static int
disk_sync_dir(void *ctx, const char *path)
{
	struct disk *disk = ctx;
	step(disk, "sync_dir");
	for (size_t i = 0; i < disk->nnames; i++)
		if (is_in(disk->names[i].path, path))
			disk_set_ref(&disk->names[i].safe, disk->names[i].now);
	disk_tidy_names(disk);
	return 0;
}

static int
by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int
disk_list(void *ctx, struct arena *arena, const char *path,
    struct str **names, size_t *n)
{
	struct disk *disk = ctx;
	VEC_OF(struct str) found = {0};
	for (size_t i = 0; i < disk->nnames; i++) {
		const struct name *name = &disk->names[i];
		if (name->now == NULL || !is_in(name->path, path))
			continue;
		const char *slash = strrchr(name->path, '/');
		*ARENA_PUSH(arena, &found) = arena_str(arena,
		    str_from(slash == NULL ? name->path : slash + 1));
	}
	if (found.n > 0)
		qsort(found.items, found.n, sizeof *found.items, by_text);
	*names = found.items;
	*n = found.n;
	return 0;
}

static int
disk_lock(void *ctx, int fd)
{
	struct open_file *file = disk_file_of(ctx, fd);
	step(ctx, "lock");
	if (file->inode->locked_by != 0)
		return -EWOULDBLOCK;
	file->inode->locked_by = file->process;
	file->lock = true;
	return 0;
}

static int
disk_resolve(void *ctx, struct arena *arena, const char *path,
    struct str *out)
{
	if (disk_find_name(ctx, path) == NULL)
		return -ENOENT;
	*out = arena_str(arena, str_from(path));
	return 0;
}

struct fs
disk_fs(struct disk *disk, void (*step_fn)(void *ctx, const char *op),
    void *ctx)
{
	disk->step = step_fn;
	disk->step_ctx = ctx;
	return (struct fs){
		.ctx = disk,
		.open = disk_open,
		.read = disk_read,
		.write = disk_write,
		.sync = disk_sync,
		.sync_data = disk_sync,
		.truncate = disk_truncate,
		.close = disk_close,
		.stat_fd = disk_stat_fd,
		.stat = disk_stat,
		.rename = disk_rename,
		.link = disk_link,
		.unlink = disk_unlink,
		.mkdir = disk_mkdir,
		.sync_dir = disk_sync_dir,
		.list = disk_list,
		.lock = disk_lock,
		.resolve = disk_resolve,
	};
}
