/*
 * fake_node.h - what a fake_fs is made of; private to it.
 */
#ifndef TESTS_FAKE_NODE_H
#define TESTS_FAKE_NODE_H

#include "fake_fs.h"

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

/* Where a path leads: the directory and name of its last part. */
struct place {
	struct fake_node *dir;
	char name[256];
	struct fake_node *node;		/* NULL: nothing there */
};

void *fake_grow(void *items, size_t n, size_t size);
void fake_bytes_set(struct bytes *bytes, struct str text);
struct str fake_bytes_str(const struct bytes *bytes);
/* Make it that long; what is new is zero. */
void fake_bytes_resize(struct bytes *bytes, size_t len);
void fake_entries_clear(struct entries *entries);
void fake_entries_copy(struct entries *to, const struct entries *from);
void fake_apply_change(struct entries *entries, const struct change *change);
void fake_changes_clear(struct fake_node *dir);
void fake_change_dir(struct fake_node *dir, const char *gone, const char *name,
    struct fake_node *node);
void fake_sync_entries(struct fake_node *dir);
struct fake_node *fake_node_new(struct fake_fs *fake, enum fs_type type,
    uint32_t mode);
int fake_find(struct fake_fs *fake, const char *path, bool follow,
    struct place *place);

#endif
