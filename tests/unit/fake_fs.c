/* fake_fs.c - see fake_fs.h: the calls, and what makes them fail */
#include "fake_node.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ faults -- */

enum doing { DO_IT, DO_HALF, DO_AND_DIE, DO_NOTHING };

/* Count a call; what to do with it, and *error where it fails. */
static enum doing
enter(struct fake_fs *fake, const char *name, int *error)
{
	const struct fake_faults *faults = &fake->faults;

	*error = -(faults->error != 0 ? faults->error : EIO);
	if (fake->crashed)
		return DO_NOTHING;
	if (faults->only != NULL && strcmp(faults->only, name) != 0)
		return DO_IT;
	fake->calls++;
	if (faults->at == 0 || fake->calls < faults->at ||
	    (fake->calls > faults->at && !faults->onward))
		return DO_IT;
	fake->fired = true;
	switch (faults->fault) {
	case FAULT_ERROR:
		return DO_NOTHING;
	case FAULT_SHORT:
		return DO_HALF;
	case FAULT_CRASH:
		fake->crashed = true;
		return DO_HALF;
	case FAULT_CRASH_AFTER:
		return DO_AND_DIE;
	}
	return DO_NOTHING;
}

/* For calls that cannot stop half-way. */
#define ENTER(fake, name) \
	int entered_error; \
	enum doing doing = enter((fake), (name), &entered_error); \
	if (doing == DO_NOTHING || doing == DO_HALF) \
		return entered_error; \
	if (doing == DO_AND_DIE) \
		(fake)->crashed = true

/* ------------------------------------------------------------- calls -- */

static struct fake_handle *
handle(struct fake_fs *fake, int fd)
{
	assert(fd >= FIRST_FD && (size_t)(fd - FIRST_FD) < fake->nhandles);
	struct fake_handle *h = &fake->handles[fd - FIRST_FD];
	assert(h->node != NULL);
	return h;
}

static int
new_handle(struct fake_fs *fake, struct fake_node *node, unsigned flags)
{
	size_t i = 0;
	while (i < fake->nhandles && fake->handles[i].node != NULL)
		i++;
	if (i == fake->nhandles)
		fake->handles = fake_grow(fake->handles, ++fake->nhandles,
		    sizeof *fake->handles);
	fake->handles[i] = (struct fake_handle){ node, flags, 0 };
	return (int)i + FIRST_FD;
}

static int
fake_open(void *ctx, const char *path, unsigned flags, unsigned mode)
{
	struct fake_fs *fake = ctx;
	struct place place;

	ENTER(fake, "open");
	int error = fake_find(fake, path, flags & FS_FOLLOW, &place);
	if (error < 0)
		return error;
	if (place.node == NULL) {
		if (!(flags & FS_CREATE))
			return -ENOENT;
		place.node = fake_node_new(fake, FS_REGULAR, mode);
		fake_change_dir(place.dir, NULL, place.name, place.node);
	} else if (flags & FS_CREATE && flags & FS_EXCLUSIVE) {
		return -EEXIST;
	}
	if (place.node->type == FS_SYMLINK)
		return -ELOOP;
	if (place.node->type == FS_DIRECTORY && !(flags & FS_READ))
		return -EISDIR;
	return new_handle(fake, place.node, flags);
}

static ssize_t
fake_read(void *ctx, int fd, void *buf, size_t n)
{
	struct fake_fs *fake = ctx;
	ENTER(fake, "read");
	struct fake_handle *h = handle(fake, fd);

	if (h->flags & FS_APPEND)
		return -EBADF;
	if (h->node->type == FS_DIRECTORY)
		return -EISDIR;
	struct str rest = str_sub(fake_bytes_str(&h->node->live),
	    (size_t)h->offset, n);
	if (rest.len > 0)
		memcpy(buf, rest.data, rest.len);
	h->offset += rest.len;
	return (ssize_t)rest.len;
}

static ssize_t
fake_write(void *ctx, int fd, const void *buf, size_t n)
{
	struct fake_fs *fake = ctx;
	int error;
	enum doing doing = enter(fake, "write", &error);

	if (doing == DO_NOTHING)
		return error;
	struct fake_handle *h = handle(fake, fd);
	if (!(h->flags & (FS_APPEND | FS_READ_WRITE)))
		return -EBADF;
	if (doing == DO_HALF)
		n /= 2;
	if (h->flags & FS_APPEND)
		h->offset = h->node->live.len;
	if (h->offset + n > h->node->live.len)
		fake_bytes_resize(&h->node->live, (size_t)h->offset + n);
	memcpy(h->node->live.data + h->offset, buf, n);
	h->offset += n;
	if (doing == DO_AND_DIE)
		fake->crashed = true;
	return fake->crashed ? -EIO : (ssize_t)n;
}

static int
sync_node(struct fake_fs *fake, int fd)
{
	struct fake_node *node = handle(fake, fd)->node;
	fake_bytes_set(&node->durable, fake_bytes_str(&node->live));
	return 0;
}

static int
fake_sync(void *ctx, int fd)
{
	struct fake_fs *fake = ctx;
	ENTER(fake, "sync");
	return sync_node(fake, fd);
}

static int
fake_sync_data(void *ctx, int fd)
{
	struct fake_fs *fake = ctx;
	ENTER(fake, "sync_data");
	return sync_node(fake, fd);
}

static int
fake_truncate(void *ctx, int fd, uint64_t size)
{
	struct fake_fs *fake = ctx;
	ENTER(fake, "truncate");
	fake_bytes_resize(&handle(fake, fd)->node->live, (size_t)size);
	return 0;
}

/* Even where it says that it failed, the descriptor is gone. */
static int
fake_close(void *ctx, int fd)
{
	struct fake_fs *fake = ctx;
	if (fd < 0)
		return -EBADF;
	if (!fake->crashed) {
		struct fake_handle *h = handle(fake, fd);
		if (h->node->locked_by == fd)
			h->node->locked_by = 0;
		h->node = NULL;
	}
	ENTER(fake, "close");
	return 0;
}

static void
describe(const struct fake_fs *fake, const struct fake_node *node,
    struct fs_info *info)
{
	*info = (struct fs_info){ .type = node->type, .size = node->live.len,
	    .mode = node->mode, .uid = node->uid, .device = 1,
	    .inode = node->inode };
	for (size_t i = 0; i < fake->nnodes; i++)
		for (size_t k = 0; k < fake->nodes[i]->entries.n; k++)
			if (fake->nodes[i]->entries.items[k].node == node)
				info->links++;
}

static int
fake_stat_fd(void *ctx, int fd, struct fs_info *info)
{
	struct fake_fs *fake = ctx;
	ENTER(fake, "stat_fd");
	describe(fake, handle(fake, fd)->node, info);
	return 0;
}

static int
fake_stat(void *ctx, const char *path, bool follow, struct fs_info *info)
{
	struct fake_fs *fake = ctx;
	struct place place;

	ENTER(fake, "stat");
	int error = fake_find(fake, path, follow, &place);
	if (error < 0)
		return error;
	if (place.node == NULL)
		return -ENOENT;
	describe(fake, place.node, info);
	return 0;
}

static int
fake_rename(void *ctx, const char *from, const char *to)
{
	struct fake_fs *fake = ctx;
	struct place old, new;

	ENTER(fake, "rename");
	int error = fake_find(fake, from, false, &old);
	if (error == 0)
		error = fake_find(fake, to, false, &new);
	if (error < 0)
		return error;
	if (old.node == NULL)
		return -ENOENT;
	if (old.node == new.node)	/* two names of one file: nothing */
		return 0;
	if (new.node != NULL && new.node->type == FS_DIRECTORY)
		return -EISDIR;
	if (old.dir == new.dir) {
		fake_change_dir(old.dir, old.name, new.name, old.node);
	} else {
		fake_change_dir(new.dir, NULL, new.name, old.node);
		fake_change_dir(old.dir, old.name, NULL, NULL);
	}
	return 0;
}

static int
fake_link(void *ctx, const char *from, const char *to)
{
	struct fake_fs *fake = ctx;
	struct place old, new;

	ENTER(fake, "link");
	int error = fake_find(fake, from, false, &old);
	if (error == 0)
		error = fake_find(fake, to, false, &new);
	if (error < 0)
		return error;
	if (old.node == NULL)
		return -ENOENT;
	if (new.node != NULL)
		return -EEXIST;
	if (old.node->type == FS_DIRECTORY)
		return -EPERM;
	fake_change_dir(new.dir, NULL, new.name, old.node);
	return 0;
}

static int
fake_unlink(void *ctx, const char *path)
{
	struct fake_fs *fake = ctx;
	struct place place;

	ENTER(fake, "unlink");
	int error = fake_find(fake, path, false, &place);
	if (error < 0)
		return error;
	if (place.node == NULL)
		return -ENOENT;
	if (place.node->type == FS_DIRECTORY)
		return -EISDIR;
	fake_change_dir(place.dir, place.name, NULL, NULL);
	return 0;
}

static int
fake_mkdir(void *ctx, const char *path, unsigned mode)
{
	struct fake_fs *fake = ctx;
	struct place place;

	ENTER(fake, "mkdir");
	int error = fake_find(fake, path, false, &place);
	if (error < 0)
		return error;
	if (place.node != NULL)
		return -EEXIST;
	fake_change_dir(place.dir, NULL, place.name,
	    fake_node_new(fake, FS_DIRECTORY, mode));
	return 0;
}

static int
fake_sync_dir(void *ctx, const char *path)
{
	struct fake_fs *fake = ctx;
	struct place place;

	ENTER(fake, "sync_dir");
	int error = fake_find(fake, path, true, &place);
	if (error < 0)
		return error;
	if (place.node == NULL)
		return -ENOENT;
	if (place.node->type != FS_DIRECTORY)
		return -ENOTDIR;
	fake_sync_entries(place.node);
	return 0;
}

static int
order_names(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int
fake_list(void *ctx, struct arena *arena, const char *path,
    struct str **names, size_t *n)
{
	struct fake_fs *fake = ctx;
	struct place place;

	ENTER(fake, "list");
	int error = fake_find(fake, path, true, &place);
	if (error < 0)
		return error;
	if (place.node == NULL)
		return -ENOENT;
	if (place.node->type != FS_DIRECTORY)
		return -ENOTDIR;
	*n = place.node->entries.n;
	*names = ARENA_ARRAY(arena, struct str, *n);
	for (size_t i = 0; i < *n; i++)
		(*names)[i] = arena_str(arena,
		    str_from(place.node->entries.items[i].name));
	qsort(*names, *n, sizeof **names, order_names);
	return 0;
}

static int
fake_lock(void *ctx, int fd)
{
	struct fake_fs *fake = ctx;
	ENTER(fake, "lock");
	struct fake_node *node = handle(fake, fd)->node;

	if (node->locked_by != 0 && node->locked_by != fd)
		return -EWOULDBLOCK;
	node->locked_by = fd;
	return 0;
}

/* The absolute path of a directory. */
static struct str
path_of(struct fake_fs *fake, struct arena *arena, struct fake_node *node)
{
	if (node == fake->nodes[0])
		return STR("");
	for (size_t i = 0; i < fake->nnodes; i++)
		for (size_t k = 0; k < fake->nodes[i]->entries.n; k++) {
			struct entry *e = &fake->nodes[i]->entries.items[k];
			if (e->node != node)
				continue;
			struct str above = path_of(fake, arena,
			    fake->nodes[i]);
			return arena_printf(arena, STR_FMT "/%s",
			    STR_ARG(above), e->name);
		}
	return STR("");
}

static int
fake_resolve(void *ctx, struct arena *arena, const char *path,
    struct str *out)
{
	struct fake_fs *fake = ctx;
	struct place place;

	ENTER(fake, "resolve");
	int error = fake_find(fake, path, true, &place);
	if (error < 0)
		return error;
	if (place.node == NULL)
		return -ENOENT;
	if (place.node == fake->nodes[0]) {
		*out = STR("/");
		return 0;
	}
	struct str above = path_of(fake, arena, place.dir);
	*out = arena_printf(arena, STR_FMT "/%s", STR_ARG(above), place.name);
	return 0;
}

struct fs
fake_fs_seam(struct fake_fs *fake)
{
	return (struct fs){
		.ctx = fake, .open = fake_open, .read = fake_read,
		.write = fake_write, .sync = fake_sync,
		.sync_data = fake_sync_data, .truncate = fake_truncate,
		.close = fake_close, .stat_fd = fake_stat_fd,
		.stat = fake_stat, .rename = fake_rename, .link = fake_link,
		.unlink = fake_unlink, .mkdir = fake_mkdir,
		.sync_dir = fake_sync_dir, .list = fake_list,
		.lock = fake_lock, .resolve = fake_resolve,
	};
}
