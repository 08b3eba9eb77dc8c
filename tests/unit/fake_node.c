/* fake_node.c - content, directories and paths of a fake_fs */
#include "fake_node.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ memory -- */

void *
fake_grow(void *items, size_t n, size_t size)
{
	items = realloc(items, n * size);
	assert(items != NULL);
	return items;
}

static char *
copy_text(struct str text)
{
	char *copy = fake_grow(NULL, text.len + 1, 1);
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return copy;
}

void
fake_bytes_set(struct bytes *bytes, struct str text)
{
	char *copy = copy_text(text);
	free(bytes->data);
	*bytes = (struct bytes){ copy, text.len };
}

struct str
fake_bytes_str(const struct bytes *bytes)
{
	return (struct str){ bytes->data, bytes->len };
}

void
fake_bytes_resize(struct bytes *bytes, size_t len)
{
	bytes->data = fake_grow(bytes->data, len + 1, 1);
	if (len > bytes->len)
		memset(bytes->data + bytes->len, 0, len - bytes->len);
	bytes->data[len] = '\0';
	bytes->len = len;
}

/* ------------------------------------------------------- directories -- */

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
		entries->items = fake_grow(entries->items, entries->n + 1,
		    sizeof *entries->items);
		entry = &entries->items[entries->n++];
		entry->name = copy_text(str_from(name));
	}
	entry->node = node;
}

void
fake_entries_clear(struct entries *entries)
{
	for (size_t i = 0; i < entries->n; i++)
		free(entries->items[i].name);
	free(entries->items);
	*entries = (struct entries){ 0 };
}

void
fake_entries_copy(struct entries *to, const struct entries *from)
{
	fake_entries_clear(to);
	for (size_t i = 0; i < from->n; i++)
		entries_set(to, from->items[i].name, from->items[i].node);
}

void
fake_apply_change(struct entries *entries, const struct change *change)
{
	if (change->gone != NULL)
		entries_drop(entries, change->gone);
	if (change->name != NULL)
		entries_set(entries, change->name, change->node);
}

void
fake_changes_clear(struct fake_node *dir)
{
	for (size_t i = 0; i < dir->nchanges; i++) {
		free(dir->changes[i].gone);
		free(dir->changes[i].name);
	}
	free(dir->changes);
	dir->changes = NULL;
	dir->nchanges = 0;
}

void
fake_change_dir(struct fake_node *dir, const char *gone, const char *name,
    struct fake_node *node)
{
	dir->changes = fake_grow(dir->changes, dir->nchanges + 1,
	    sizeof *dir->changes);
	struct change *change = &dir->changes[dir->nchanges++];
	*change = (struct change){
		gone != NULL ? copy_text(str_from(gone)) : NULL,
		name != NULL ? copy_text(str_from(name)) : NULL, node };
	fake_apply_change(&dir->entries, change);
}

void
fake_sync_entries(struct fake_node *dir)
{
	fake_entries_copy(&dir->on_disk, &dir->entries);
	fake_changes_clear(dir);
}

/* ------------------------------------------------------------- nodes -- */

struct fake_node *
fake_node_new(struct fake_fs *fake, enum fs_type type, uint32_t mode)
{
	struct fake_node *node = calloc(1, sizeof *node);
	assert(node != NULL);
	fake->nodes = fake_grow(fake->nodes, fake->nnodes + 1,
	    sizeof *fake->nodes);
	fake->nodes[fake->nnodes++] = node;
	node->type = type;
	node->mode = mode;
	node->uid = fake->uid;
	node->inode = fake->nnodes;
	fake_bytes_set(&node->live, STR(""));
	fake_bytes_set(&node->durable, STR(""));
	return node;
}

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
			struct str target = fake_bytes_str(&place->node->live);
			int error = find_from(fake, from, target, true, links,
			    place);
			if (error < 0)
				return error;
		}
	}
	return 0;
}

int
fake_find(struct fake_fs *fake, const char *path, bool follow,
    struct place *place)
{
	int links = 0;
	if (path[0] == '\0')
		return -ENOENT;
	return find_from(fake, fake->nodes[0], str_from(path), follow, &links,
	    place);
}
