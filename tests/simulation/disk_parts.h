/*
 * disk_parts.h - what a simulated disk is made of; private to it.
 */
#ifndef TESTS_DISK_PARTS_H
#define TESTS_DISK_PARTS_H

#include "disk.h"

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

void disk_content_set(struct content *content, const char *data, size_t len);
struct inode *disk_inode_new(struct disk *disk, unsigned mode, bool directory);
void disk_inode_drop(struct inode *inode);
void disk_set_ref(struct inode **slot, struct inode *inode);
struct name *disk_find_name(const struct disk *disk, const char *path);
void disk_tidy_names(struct disk *disk);
struct name *disk_make_name(struct disk *disk, const char *path);
struct open_file *disk_file_of(struct disk *disk, int fd);
int disk_close(void *ctx, int fd);

#endif
