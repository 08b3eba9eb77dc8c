/* fake_fs.c - see fake_fs.h */
#include "fake_fs.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_FD = 3, SECTOR = 512, LINKS_MAX = 40 };

struct bytes {
	char *data;
	size_t len;
};

struct entry {
	char *name;
	struct fake_node *node;
};

struct entries {
	struct entry *items;
	size_t n;
};

/* A change of a directory that is not on disk yet; one rename is one. */
struct change {
	char *gone;		/* name that disappears, or NULL */
	char *name;		/* name that is set, or NULL */
	struct fake_node *node;
};

struct fake_node {
	enum fs_type type;
	uint32_t mode, uid;
	uint64_t inode;
	struct bytes live, durable;	/* a link's target is its live text */
	struct entries entries, on_disk;
	struct change *changes;
	size_t nchanges;
	int locked_by;			/* descriptor, or 0 */
};

struct fake_handle {
	struct fake_node *node;		/* NULL: free */
	unsigned flags;
	uint64_t offset;
};

/* ----------------------------------------------------------- memory ---- */

static void *
grow(void *items, size_t n, size_t size)
{
	items = realloc(items, n * size);
	assert(items != NULL);
	return items;
}

static char *
copy_text(struct str text)
{
	char *copy = grow(NULL, text.len + 1, 1);
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return copy;
}

static void
bytes_set(struct bytes *bytes, struct str text)
{
	char *copy = copy_text(text);
	free(bytes->data);
	*bytes = (struct bytes){ copy, text.len };
}

static struct str
bytes_str(const struct bytes *bytes)
{
	return (struct str){ bytes->data, bytes->len };
}

/* Make it that long; what is new is zero. */
static void
bytes_resize(struct bytes *bytes, size_t len)
{
	bytes->data = grow(bytes->data, len + 1, 1);
	if (len > bytes->len)
		memset(bytes->data + bytes->len, 0, len - bytes->len);
	bytes->data[len] = '\0';
	bytes->len = len;
}

/* ------------------------------------------------------ directories ---- */

static struct entry *
entries_find(struct entries *entries, struct str name)
{
	for (size_t i = 0; i < entries->n; i++)
		if (str_is(name, entries->items[i].name))
			return &entries->items[i];
	return NULL;
}

static void
entries_drop(struct entries *entries, const char *name)
{
	struct entry *entry = entries_find(entries, str_from(name));
	if (entry == NULL)
		return;
	free(entry->name);
	*entry = entries->items[--entries->n];
}

static void
entries_set(struct entries *entries, const char *name, struct fake_node *node)
{
	struct entry *entry = entries_find(entries, str_from(name));
	if (entry == NULL) {
		entries->items = grow(entries->items, entries->n + 1,
		    sizeof *entries->items);
		entry = &entries->items[entries->n++];
		entry->name = copy_text(str_from(name));
	}
	entry->node = node;
}

static void
entries_clear(struct entries *entries)
{
	for (size_t i = 0; i < entries->n; i++)
		free(entries->items[i].name);
	free(entries->items);
	*entries = (struct entries){ 0 };
}

static void
entries_copy(struct entries *to, const struct entries *from)
{
	entries_clear(to);
	for (size_t i = 0; i < from->n; i++)
		entries_set(to, from->items[i].name, from->items[i].node);
}

static void
apply_change(struct entries *entries, const struct change *change)
{
	if (change->gone != NULL)
		entries_drop(entries, change->gone);
	if (change->name != NULL)
		entries_set(entries, change->name, change->node);
}

static void
changes_clear(struct fake_node *dir)
{
	for (size_t i = 0; i < dir->nchanges; i++) {
		free(dir->changes[i].gone);
		free(dir->changes[i].name);
	}
	free(dir->changes);
	dir->changes = NULL;
	dir->nchanges = 0;
}

static void
change_dir(struct fake_node *dir, const char *gone, const char *name,
    struct fake_node *node)
{
	dir->changes = grow(dir->changes, dir->nchanges + 1,
	    sizeof *dir->changes);
	struct change *change = &dir->changes[dir->nchanges++];
	*change = (struct change){
		gone != NULL ? copy_text(str_from(gone)) : NULL,
		name != NULL ? copy_text(str_from(name)) : NULL, node };
	apply_change(&dir->entries, change);
}

static void
sync_entries(struct fake_node *dir)
{
	entries_copy(&dir->on_disk, &dir->entries);
	changes_clear(dir);
}

/* ------------------------------------------------------------ nodes ---- */

static struct fake_node *
node_new(struct fake_fs *fake, enum fs_type type, uint32_t mode)
{
	struct fake_node *node = calloc(1, sizeof *node);
	assert(node != NULL);
	fake->nodes = grow(fake->nodes, fake->nnodes + 1,
	    sizeof *fake->nodes);
	fake->nodes[fake->nnodes++] = node;
	node->type = type;
	node->mode = mode;
	node->uid = fake->uid;
	node->inode = fake->nnodes;
	bytes_set(&node->live, STR(""));
	bytes_set(&node->durable, STR(""));
	return node;
}

/* Where a path leads: the directory and name of its last part. */
struct place {
	struct fake_node *dir;
	char name[256];
	struct fake_node *node;		/* NULL: nothing there */
};

static int
find_from(struct fake_fs *fake, struct fake_node *dir, struct str path,
    bool follow, int *links, struct place *place)
{
	struct fake_node *root = fake->nodes[0];

	if (str_starts(path, STR("/")))
		dir = root;
	*place = (struct place){ .dir = dir, .node = dir };
	while (path.len > 0) {
		struct str part = str_cut(path, '/', &path);
		if (part.len == 0 || str_is(part, "."))
			continue;
		if (place->node == NULL)
			return -ENOENT;
		if (place->node->type != FS_DIRECTORY)
			return -ENOTDIR;
		assert(part.len < sizeof place->name && !str_is(part, ".."));
		place->dir = place->node;
		memcpy(place->name, part.data, part.len);
		place->name[part.len] = '\0';
		struct entry *entry = entries_find(&place->dir->entries, part);
		place->node = entry != NULL ? entry->node : NULL;
		bool last = path.len == 0;
		if (place->node != NULL && place->node->type == FS_SYMLINK &&
		    (!last || follow)) {
			if (++*links > LINKS_MAX)
				return -ELOOP;
			struct fake_node *from = place->dir;
			struct str target = bytes_str(&place->node->live);
			int error = find_from(fake, from, target, true, links,
			    place);
			if (error < 0)
				return error;
		}
	}
	return 0;
}

static int
find(struct fake_fs *fake, const char *path, bool follow, struct place *place)
{
	int links = 0;
	if (path[0] == '\0')
		return -ENOENT;
	return find_from(fake, fake->nodes[0], str_from(path), follow, &links,
	    place);
}

/* ----------------------------------------------------------- faults ---- */

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

/* ------------------------------------------------------------ calls ---- */

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
		fake->handles = grow(fake->handles, ++fake->nhandles,
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
	int error = find(fake, path, flags & FS_FOLLOW, &place);
	if (error < 0)
		return error;
	if (place.node == NULL) {
		if (!(flags & FS_CREATE))
			return -ENOENT;
		place.node = node_new(fake, FS_REGULAR, mode);
		change_dir(place.dir, NULL, place.name, place.node);
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
	struct str rest = str_sub(bytes_str(&h->node->live),
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
		bytes_resize(&h->node->live, (size_t)h->offset + n);
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
	bytes_set(&node->durable, bytes_str(&node->live));
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
	bytes_resize(&handle(fake, fd)->node->live, (size_t)size);
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
	int error = find(fake, path, follow, &place);
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
	int error = find(fake, from, false, &old);
	if (error == 0)
		error = find(fake, to, false, &new);
	if (error < 0)
		return error;
	if (old.node == NULL)
		return -ENOENT;
	if (old.node == new.node)	/* two names of one file: nothing */
		return 0;
	if (new.node != NULL && new.node->type == FS_DIRECTORY)
		return -EISDIR;
	if (old.dir == new.dir) {
		change_dir(old.dir, old.name, new.name, old.node);
	} else {
		change_dir(new.dir, NULL, new.name, old.node);
		change_dir(old.dir, old.name, NULL, NULL);
	}
	return 0;
}

static int
fake_link(void *ctx, const char *from, const char *to)
{
	struct fake_fs *fake = ctx;
	struct place old, new;

	ENTER(fake, "link");
	int error = find(fake, from, false, &old);
	if (error == 0)
		error = find(fake, to, false, &new);
	if (error < 0)
		return error;
	if (old.node == NULL)
		return -ENOENT;
	if (new.node != NULL)
		return -EEXIST;
	if (old.node->type == FS_DIRECTORY)
		return -EPERM;
	change_dir(new.dir, NULL, new.name, old.node);
	return 0;
}

static int
fake_unlink(void *ctx, const char *path)
{
	struct fake_fs *fake = ctx;
	struct place place;

	ENTER(fake, "unlink");
	int error = find(fake, path, false, &place);
	if (error < 0)
		return error;
	if (place.node == NULL)
		return -ENOENT;
	if (place.node->type == FS_DIRECTORY)
		return -EISDIR;
	change_dir(place.dir, place.name, NULL, NULL);
	return 0;
}

static int
fake_mkdir(void *ctx, const char *path, unsigned mode)
{
	struct fake_fs *fake = ctx;
	struct place place;

	ENTER(fake, "mkdir");
	int error = find(fake, path, false, &place);
	if (error < 0)
		return error;
	if (place.node != NULL)
		return -EEXIST;
	change_dir(place.dir, NULL, place.name,
	    node_new(fake, FS_DIRECTORY, mode));
	return 0;
}

static int
fake_sync_dir(void *ctx, const char *path)
{
	struct fake_fs *fake = ctx;
	struct place place;

	ENTER(fake, "sync_dir");
	int error = find(fake, path, true, &place);
	if (error < 0)
		return error;
	if (place.node == NULL)
		return -ENOENT;
	if (place.node->type != FS_DIRECTORY)
		return -ENOTDIR;
	sync_entries(place.node);
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
	int error = find(fake, path, true, &place);
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
	int error = find(fake, path, true, &place);
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

/* -------------------------------------------------------- for tests ---- */

struct fake_fs *
fake_fs_new(uint32_t uid)
{
	struct fake_fs *fake = calloc(1, sizeof *fake);
	assert(fake != NULL);
	fake->uid = uid;
	node_new(fake, FS_DIRECTORY, 0755);
	return fake;
}

void
fake_fs_free(struct fake_fs *fake)
{
	if (fake == NULL)
		return;
	for (size_t i = 0; i < fake->nnodes; i++) {
		struct fake_node *node = fake->nodes[i];
		free(node->live.data);
		free(node->durable.data);
		entries_clear(&node->entries);
		entries_clear(&node->on_disk);
		changes_clear(node);
		free(node);
	}
	free(fake->nodes);
	free(fake->handles);
	free(fake);
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

static struct fake_node *
put_node(struct fake_fs *fake, const char *path, enum fs_type type,
    uint32_t mode, struct str text)
{
	struct place place;
	int error = find(fake, path, false, &place);
	assert(error == 0);
	(void)error;
	struct fake_node *node = node_new(fake, type, mode);
	bytes_set(&node->live, text);
	bytes_set(&node->durable, text);
	change_dir(place.dir, NULL, place.name, node);
	sync_entries(place.dir);
	return node;
}

void
fake_fs_put(struct fake_fs *fake, const char *path, struct str text,
    uint32_t mode)
{
	put_node(fake, path, FS_REGULAR, mode, text);
}

void
fake_fs_put_dir(struct fake_fs *fake, const char *path, uint32_t mode)
{
	put_node(fake, path, FS_DIRECTORY, mode, STR(""));
}

void
fake_fs_put_link(struct fake_fs *fake, const char *path, const char *target)
{
	put_node(fake, path, FS_SYMLINK, 0777, str_from(target));
}

void
fake_fs_put_fifo(struct fake_fs *fake, const char *path)
{
	put_node(fake, path, FS_OTHER, 0600, STR(""));
}

static struct fake_node *
must_find(struct fake_fs *fake, const char *path, struct place *place)
{
	int error = find(fake, path, false, place);
	assert(error == 0 && place->node != NULL);
	(void)error;
	return place->node;
}

void
fake_fs_own(struct fake_fs *fake, const char *path, uint32_t uid)
{
	struct place place;
	must_find(fake, path, &place)->uid = uid;
}

void
fake_fs_remove(struct fake_fs *fake, const char *path)
{
	struct place place;
	must_find(fake, path, &place);
	change_dir(place.dir, place.name, NULL, NULL);
	sync_entries(place.dir);
}

struct str
fake_fs_text(struct fake_fs *fake, const char *path)
{
	struct place place;
	if (find(fake, path, true, &place) < 0 || place.node == NULL)
		return (struct str){ 0 };
	return bytes_str(&place.node->live);
}

size_t
fake_fs_open_handles(const struct fake_fs *fake)
{
	size_t n = 0;
	for (size_t i = 0; i < fake->nhandles; i++)
		n += fake->handles[i].node != NULL;
	return n;
}

void
fake_fs_process_death(struct fake_fs *fake)
{
	for (size_t i = 0; i < fake->nhandles; i++)
		fake->handles[i].node = NULL;
	for (size_t i = 0; i < fake->nnodes; i++)
		fake->nodes[i]->locked_by = 0;
	fake->crashed = false;
	fake->fired = false;
	fake->faults = (struct fake_faults){ 0 };
	fake->calls = 0;
}

static uint64_t
next_random(uint64_t *state)
{
	/* splitmix64 */
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void
tear(struct fake_node *node, uint64_t *state)
{
	struct bytes image = { 0 };
	bool longer = next_random(state) & 1;

	bytes_set(&image, bytes_str(&node->durable));
	bytes_resize(&image, longer ? node->live.len : node->durable.len);
	for (size_t at = 0; at < image.len; at += SECTOR) {
		size_t n = image.len - at < SECTOR ? image.len - at : SECTOR;
		struct str new = str_sub(bytes_str(&node->live), at, n);
		if (next_random(state) & 1 && new.len > 0)
			memcpy(image.data + at, new.data, new.len);
	}
	bytes_set(&node->live, bytes_str(&image));
	free(image.data);
}

void
fake_fs_power_loss(struct fake_fs *fake, enum fake_image image, uint64_t seed)
{
	uint64_t state = seed;

	for (size_t i = 0; i < fake->nnodes; i++) {
		struct fake_node *node = fake->nodes[i];
		if (image == IMAGE_SYNCED)
			bytes_set(&node->live, bytes_str(&node->durable));
		else if (image == IMAGE_TORN)
			tear(node, &state);
		bytes_set(&node->durable, bytes_str(&node->live));
		for (size_t k = 0; k < node->nchanges; k++)
			if (image == IMAGE_ALL || (image == IMAGE_TORN &&
			    next_random(&state) & 1))
				apply_change(&node->on_disk,
				    &node->changes[k]);
		entries_copy(&node->entries, &node->on_disk);
		changes_clear(node);
	}
	fake_fs_process_death(fake);
}

static void
chance_bytes(void *ctx, void *out, size_t n)
{
	struct fake_chance *chance = ctx;
	for (size_t i = 0; i < n; i++)
		((unsigned char *)out)[i] =
		    (unsigned char)next_random(&chance->state);
}

struct chance
fake_chance_seam(struct fake_chance *chance)
{
	return (struct chance){ chance, chance_bytes };
}
