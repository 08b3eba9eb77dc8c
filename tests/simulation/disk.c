/* disk.c - see disk.h */
#include "disk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 256, FDS = 64, FD_BASE = 100, SECTOR = 512, PAGE = 4096,
	OWN_UID = 1000 };

struct content {
	char *data;
	size_t len;
};

struct inode {
	struct content now, safe;
	unsigned mode, mode_before, uid;
	bool directory, foreign, link;
	size_t lost_from, lost_to;	/* taken for written, and is not */
	unsigned locked_by;		/* process; 0: nobody */
	int refs;			/* names, safe names, descriptors */
	uint64_t number;
};

struct name {
	char *path;
	struct inode *now, *safe;
};

struct open_file {
	struct inode *inode;
	size_t at;
	bool append, lock;
	unsigned process;
};

struct disk {
	struct rng rng;
	struct name names[NAMES];
	size_t nnames;
	struct open_file files[FDS];
	uint64_t next_inode;
	unsigned process;		/* that runs now */
	void (*step)(void *ctx, const char *op);
	void *step_ctx;
};

/* -------------------------------------------------------------- content -- */

static void
content_set(struct content *content, const char *data, size_t len)
{
	char *copy = malloc(len + 1);
	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	free(content->data);
	content->data = copy;
	content->len = len;
}

static struct inode *
inode_new(struct disk *disk, unsigned mode, bool directory)
{
	struct inode *inode = calloc(1, sizeof *inode);
	inode->mode = inode->mode_before = mode;
	inode->uid = OWN_UID;
	inode->directory = directory;
	inode->number = ++disk->next_inode;
	return inode;
}

static void
inode_drop(struct inode *inode)
{
	if (inode == NULL || --inode->refs > 0)
		return;
	free(inode->now.data);
	free(inode->safe.data);
	free(inode);
}

static void
set_ref(struct inode **slot, struct inode *inode)
{
	if (inode != NULL)
		inode->refs++;
	inode_drop(*slot);
	*slot = inode;
}

static struct name *
find_name(const struct disk *disk, const char *path)
{
	for (size_t i = 0; i < disk->nnames; i++)
		if (strcmp(disk->names[i].path, path) == 0)
			return (struct name *)&disk->names[i];
	return NULL;
}

static void
tidy_names(struct disk *disk)
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

static struct name *
make_name(struct disk *disk, const char *path)
{
	struct name *name = find_name(disk, path);
	if (name != NULL)
		return name;
	if (disk->nnames == NAMES)
		tidy_names(disk);
	assert(disk->nnames < NAMES);
	name = &disk->names[disk->nnames++];
	*name = (struct name){ .path = strdup(path) };
	return name;
}

/* ----------------------------------------------------------- the seam ---- */

static void
step(struct disk *disk, const char *op)
{
	if (disk->step != NULL)
		disk->step(disk->step_ctx, op);
}

static struct open_file *
file_of(struct disk *disk, int fd)
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
	struct name *name = find_name(disk, path);
	if (name == NULL || name->now == NULL) {
		if (!(flags & FS_CREATE))
			return -ENOENT;
		name = make_name(disk, path);
		set_ref(&name->now, inode_new(disk, mode, false));
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
		set_ref(&file->inode, name->now);
		return FD_BASE + i;
	}
	return -EMFILE;
}

static ssize_t
disk_read(void *ctx, int fd, void *buf, size_t n)
{
	struct open_file *file = file_of(ctx, fd);
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
	content_set(&inode->safe, inode->now.data, inode->now.len);
	for (size_t i = inode->lost_from; i < inode->lost_to; i++)
		inode->safe.data[i] = i < before.len ? before.data[i] : '\0';
	free(before.data);
}

static ssize_t
disk_write(void *ctx, int fd, const void *buf, size_t n)
{
	step(ctx, "write");
	struct open_file *file = file_of(ctx, fd);
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
	make_safe(file_of(ctx, fd)->inode);
	return 0;
}

static int
disk_truncate(void *ctx, int fd, uint64_t size)
{
	step(ctx, "truncate");
	struct open_file *file = file_of(ctx, fd);
	if (size < file->inode->now.len)
		file->inode->now.len = (size_t)size;
	rewrite(file->inode, (size_t)size);
	file->at = (size_t)size < file->at ? (size_t)size : file->at;
	return 0;
}

static int
disk_close(void *ctx, int fd)
{
	struct open_file *file = file_of(ctx, fd);
	if (file->lock)
		file->inode->locked_by = 0;
	set_ref(&file->inode, NULL);
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
	fill_info(file_of(ctx, fd)->inode, info);
	return 0;
}

static int
disk_stat(void *ctx, const char *path, bool follow, struct fs_info *info)
{
	struct name *name = find_name(ctx, path);
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
	struct name *old = find_name(ctx, from);
	if (old == NULL || old->now == NULL)
		return -ENOENT;
	struct name *new = make_name(ctx, to);
	old = find_name(ctx, from);
	set_ref(&new->now, old->now);
	set_ref(&old->now, NULL);
	return 0;
}

static int
disk_link(void *ctx, const char *from, const char *to)
{
	step(ctx, "link");
	struct name *old = find_name(ctx, from);
	if (old == NULL || old->now == NULL)
		return -ENOENT;
	struct name *new = make_name(ctx, to);
	old = find_name(ctx, from);
	if (new->now != NULL)
		return -EEXIST;
	set_ref(&new->now, old->now);
	return 0;
}

static int
disk_unlink(void *ctx, const char *path)
{
	step(ctx, "unlink");
	struct name *name = find_name(ctx, path);
	if (name == NULL || name->now == NULL)
		return -ENOENT;
	set_ref(&name->now, NULL);
	return 0;
}

static int
disk_mkdir(void *ctx, const char *path, unsigned mode)
{
	step(ctx, "mkdir");
	struct name *name = make_name(ctx, path);
	if (name->now != NULL)
		return -EEXIST;
	set_ref(&name->now, inode_new(ctx, mode, true));
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
			set_ref(&disk->names[i].safe, disk->names[i].now);
	tidy_names(disk);
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
	struct open_file *file = file_of(ctx, fd);
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
	if (find_name(ctx, path) == NULL)
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

/* -------------------------------------------------------------- crashes -- */

void
disk_kill(struct disk *disk)
{
	for (int i = 0; i < FDS; i++)
		if (disk->files[i].inode != NULL &&
		    disk->files[i].process == disk->process)
			disk_close(disk, FD_BASE + i);
}

void
disk_process(struct disk *disk, unsigned number)
{
	disk->process = number;
}

unsigned
disk_locked_by(const struct disk *disk, const char *path)
{
	const struct name *name = find_name(disk, path);

	return name == NULL || name->now == NULL ? 0 : name->now->locked_by;
}

/* What was written and not synced: gone, there, or torn by sectors. */
static void
lose_content(struct disk *disk, struct inode *inode)
{
	struct content *now = &inode->now, *safe = &inode->safe;
	if (inode->directory || (now->len == safe->len &&
		(now->len == 0 || memcmp(now->data, safe->data, now->len) == 0)))
		return;
	uint64_t how = rng_below(&disk->rng, 4);
	if (how == 0)			/* gone */
		content_set(now, safe->data, safe->len);
	else if (how == 1)		/* all there */
		;
	else if (how == 2)		/* cut at any byte */
		now->len = (size_t)rng_range(&disk->rng,
		    safe->len < now->len ? (int64_t)safe->len : 0,
		    (int64_t)now->len);
	else				/* sector by sector, zeros where lost */
		for (size_t at = 0; at < now->len; at += SECTOR) {
			size_t n = now->len - at < SECTOR ? now->len - at
							  : SECTOR;
			if (rng_chance(&disk->rng, 500))
				continue;
			for (size_t i = at; i < at + n; i++)
				now->data[i] =
				    i < safe->len ? safe->data[i] : '\0';
		}
	content_set(safe, now->data, now->len);
}

void
disk_power_loss(struct disk *disk)
{
	disk_kill(disk);
	for (size_t i = 0; i < disk->nnames; i++) {
		struct name *name = &disk->names[i];
		if (name->now != name->safe) {
			if (rng_chance(&disk->rng, 500))
				set_ref(&name->now, name->safe);
			else
				set_ref(&name->safe, name->now);
		}
		if (name->now != NULL)
			lose_content(disk, name->now);
	}
	tidy_names(disk);
}

static bool
content_is_safe(const struct inode *inode)
{
	const struct content *now = &inode->now, *safe = &inode->safe;

	return inode->directory || (now->len == safe->len &&
	    (now->len == 0 || memcmp(now->data, safe->data, now->len) == 0));
}

bool
disk_is_safe(const struct disk *disk)
{
	for (size_t i = 0; i < disk->nnames; i++) {
		const struct name *name = &disk->names[i];
		if (name->now != name->safe ||
		    (name->now != NULL && !content_is_safe(name->now)))
			return false;
	}
	return true;
}

/* Sectors are there or are not, each by chance; the last one is cut. */
static void
tear(struct disk *disk, struct inode *inode)
{
	struct content *now = &inode->now, *safe = &inode->safe;

	for (size_t at = 0; at < now->len; at += SECTOR) {
		bool kept = rng_chance(&disk->rng, 500);
		size_t end = at + SECTOR < now->len ? at + SECTOR : now->len;
		for (size_t i = at; i < end && !kept; i++)
			now->data[i] = i < safe->len ? safe->data[i] : '\0';
	}
	if (now->len > safe->len)
		now->len = (size_t)rng_range(&disk->rng, (int64_t)safe->len,
		    (int64_t)now->len - 1);
}

static void
settle_content(struct disk *disk, struct inode *inode, enum disk_image image)
{
	if (content_is_safe(inode))
		return;
	if (image == DISK_LOST || image == DISK_REORDERED)
		content_set(&inode->now, inode->safe.data, inode->safe.len);
	else if (image == DISK_TORN)
		tear(disk, inode);
	content_set(&inode->safe, inode->now.data, inode->now.len);
}

void
disk_power_loss_as(struct disk *disk, enum disk_image image)
{
	if (image == DISK_MIXED) {
		disk_power_loss(disk);
		return;
	}
	disk_kill(disk);
	for (size_t i = 0; i < disk->nnames; i++) {
		struct name *name = &disk->names[i];
		if (image == DISK_LOST || image == DISK_UNDONE)
			set_ref(&name->now, name->safe);
		else
			set_ref(&name->safe, name->now);
	}
	for (size_t i = 0; i < disk->nnames; i++)
		if (disk->names[i].now != NULL)
			settle_content(disk, disk->names[i].now, image);
	tidy_names(disk);
}

/* ------------------------------------------------------------ for tests -- */

struct disk *
disk_new(uint64_t seed)
{
	struct disk *disk = calloc(1, sizeof *disk);
	rng_seed(&disk->rng, seed);
	return disk;
}

void
disk_free(struct disk *disk)
{
	disk_kill(disk);
	for (size_t i = 0; i < disk->nnames; i++) {
		set_ref(&disk->names[i].now, NULL);
		set_ref(&disk->names[i].safe, NULL);
		free(disk->names[i].path);
	}
	free(disk);
}

void
disk_put(struct disk *disk, const char *path, struct str text)
{
	struct name *name = make_name(disk, path);
	struct inode *inode = inode_new(disk, 0644, text.data == NULL);
	content_set(&inode->now, text.data, text.len);
	content_set(&inode->safe, text.data, text.len);
	set_ref(&name->now, inode);
	set_ref(&name->safe, inode);
}

void
disk_remove(struct disk *disk, const char *path)
{
	struct name *name = find_name(disk, path);
	if (name == NULL)
		return;
	set_ref(&name->now, NULL);
	set_ref(&name->safe, NULL);
	tidy_names(disk);
}

/* An empty file is there. */
static struct str
text_of(const struct content *content)
{
	return content->len == 0 ? STR("")
	    : (struct str){ content->data, content->len };
}

struct str
disk_get(const struct disk *disk, const char *path)
{
	const struct name *name = find_name(disk, path);
	if (name == NULL || name->now == NULL || name->now->directory)
		return (struct str){0};
	return text_of(&name->now->now);
}

struct str
disk_get_safe(const struct disk *disk, const char *path)
{
	const struct name *name = find_name(disk, path);
	if (name == NULL || name->safe == NULL || name->safe->directory)
		return (struct str){0};
	return text_of(&name->safe->safe);
}

/* ------------------------------------------------- what people do to it --- */

void
disk_overwrite(struct disk *disk, const char *path, struct str text)
{
	struct name *name = find_name(disk, path);
	if (name == NULL || name->now == NULL)
		return;
	name->now->lost_from = name->now->lost_to = 0;
	content_set(&name->now->now, text.data, text.len);
	content_set(&name->now->safe, text.data, text.len);
}

struct inode *
disk_take(struct disk *disk, const char *path)
{
	struct name *name = find_name(disk, path);
	struct inode *inode = NULL;
	set_ref(&inode, name->now);
	disk_remove(disk, path);
	return inode;
}

struct inode *
disk_chown(struct disk *disk, const char *path, unsigned uid, unsigned mode)
{
	struct name *name = find_name(disk, path);
	struct inode *inode = NULL;
	set_ref(&inode, name->now);
	inode->uid = uid;
	inode->mode = mode;
	return inode;
}

void
disk_give_back(struct disk *disk, const char *path, struct inode *inode)
{
	struct name *name = make_name(disk, path);
	inode->uid = OWN_UID;
	inode->mode = inode->mode_before;
	if (name->now == NULL || name->now->foreign) {
		set_ref(&name->now, inode);
		set_ref(&name->safe, inode);
	}
	inode_drop(inode);
}

void
disk_put_foreign(struct disk *disk, const char *path, struct str text)
{
	disk_put(disk, path, text.data == NULL ? STR("") : text);
	struct inode *inode = find_name(disk, path)->now;
	inode->foreign = true;
	inode->link = text.data == NULL;
}

void
disk_lose_unsynced(struct disk *disk, int fd)
{
	struct inode *inode = file_of(disk, fd)->inode;
	size_t same = 0;
	while (same < inode->safe.len && same < inode->now.len &&
	    inode->safe.data[same] == inode->now.data[same])
		same++;
	inode->lost_from = same;
	inode->lost_to = inode->now.len;
}
