/*
 * disk.h - a simulated disk: what is synced, what is not, and what a crash
 * makes of it.
 *
 * Files have two contents, the one that processes see and the one that is
 * safe; names have two states as well.  fsync makes a content safe, fsync of
 * the directory its names.  disk_power_loss() keeps, loses, reorders or
 * tears what was not safe, each on its own, as chance wants; disk_kill()
 * only closes what the process had open, for the kernel lives on.
 */
#ifndef SIMULATION_DISK_H
#define SIMULATION_DISK_H

#include "base/seams.h"

#include "rng.h"

struct disk;

struct disk *disk_new(uint64_t seed);
void disk_free(struct disk *disk);

/* The file seam of a process.  `step` is called before each operation, with
 * its name; it may not return (a crash). */
struct fs disk_fs(struct disk *disk, void (*step)(void *ctx, const char *op),
    void *ctx);

/* Which process opens files from now on, from 1; disk_kill() ends that one. */
void disk_process(struct disk *disk, unsigned number);
/* Which one holds the kernel's lock on a file; 0: none. */
unsigned disk_locked_by(const struct disk *disk, const char *path);

void disk_kill(struct disk *disk);
void disk_power_loss(struct disk *disk);

/* What a power loss leaves of all that is not safe. */
enum disk_image {
	DISK_KEPT,		/* everything: as processes saw it */
	DISK_LOST,		/* nothing */
	DISK_TORN,		/* names, and some sectors of contents */
	DISK_REORDERED,		/* what came last, names, without what came
				   first, contents */
	DISK_UNDONE,		/* contents, under the names of before */
	DISK_MIXED,		/* each as chance wants: disk_power_loss() */
	DISK_IMAGES
};
void disk_power_loss_as(struct disk *disk, enum disk_image image);
/* Would all images be the same now? */
bool disk_is_safe(const struct disk *disk);

/* For the story and the checkers: write a safe file, read what processes
 * see, read what is safe. Absent if there is none. */
void disk_put(struct disk *disk, const char *path, struct str text);
void disk_remove(struct disk *disk, const char *path);
struct str disk_get(const struct disk *disk, const char *path);
struct str disk_get_safe(const struct disk *disk, const char *path);

/* ------------------------------------------------- what people do to it --- */

/* For F24 and F25.  The same file with other bytes, safe at once. */
void disk_overwrite(struct disk *disk, const char *path, struct str text);
/* Take the file away from its name, and give it back: not where there is
 * another one by now that podform has made.  Taking keeps it alive. */
struct inode *disk_take(struct disk *disk, const char *path);
/* It has another owner and mode; giving it back undoes that. */
struct inode *disk_chown(struct disk *disk, const char *path, unsigned uid,
    unsigned mode);
void disk_give_back(struct disk *disk, const char *path, struct inode *inode);
/* Somebody else's file there, or, without a text, a link to nowhere. */
void disk_put_foreign(struct disk *disk, const char *path, struct str text);

/* A sync has failed (F23): what was not safe stays visible, is taken for
 * written, and is lost with the power unless its page is written again. */
void disk_lose_unsynced(struct disk *disk, int fd);

#endif
