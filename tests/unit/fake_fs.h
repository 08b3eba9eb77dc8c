/*
 * fake_fs.h - a disk in memory that can fail, crash and forget.
 *
 * It models what the core relies on and no more: files with what programs
 * see and what is on the platters, directories whose changes are on disk
 * only after sync_dir(), hard and symbolic links, odd files, kernel locks.
 *
 * Faults: set faults.at to the number of a call (calls counts them, from 1).
 * Crashes: the program loses its process at that call; fake_fs_power_loss()
 * then makes the disk image that the next process finds.
 */
#ifndef TESTS_FAKE_FS_H
#define TESTS_FAKE_FS_H

#include "base/seams.h"

struct fake_node;
struct fake_handle;

enum fake_fault {
	FAULT_ERROR,		/* the call fails and does nothing */
	FAULT_SHORT,		/* a write stops half-way (of others: error) */
	FAULT_CRASH,		/* the process dies before the call has done
				   anything, or half-way through a write */
	FAULT_CRASH_AFTER,	/* ... right after the call has worked */
};

struct fake_faults {
	uint64_t at;		/* number of the call; 0 never */
	enum fake_fault fault;
	int error;		/* errno value; 0: EIO */
	bool onward;		/* every call from there on fails */
	const char *only;	/* count and fail only calls of that name,
				   "sync"; NULL: all */
};

struct fake_fs {
	struct fake_node **nodes;	/* nodes[0] is the root directory */
	size_t nnodes;
	struct fake_handle *handles;
	size_t nhandles;
	uint32_t uid;			/* of the process */
	uint64_t calls;			/* so far */
	struct fake_faults faults;
	bool fired;			/* the fault has struck */
	bool crashed;			/* every call fails until the image */
};

struct fake_fs *fake_fs_new(uint32_t uid);
void fake_fs_free(struct fake_fs *fake);
struct fs fake_fs_seam(struct fake_fs *fake);

/* Arrange; all of it is on disk at once.  Parents must exist. */
void fake_fs_put(struct fake_fs *fake, const char *path, struct str text,
    uint32_t mode);
void fake_fs_put_dir(struct fake_fs *fake, const char *path, uint32_t mode);
void fake_fs_put_link(struct fake_fs *fake, const char *path,
    const char *target);
void fake_fs_put_fifo(struct fake_fs *fake, const char *path);
void fake_fs_own(struct fake_fs *fake, const char *path, uint32_t uid);
void fake_fs_remove(struct fake_fs *fake, const char *path);

/* What a program would read at path now; absent if nothing is there. */
struct str fake_fs_text(struct fake_fs *fake, const char *path);
size_t fake_fs_open_handles(const struct fake_fs *fake);

/* The process is gone: descriptors closed, locks free, faults off. */
void fake_fs_process_death(struct fake_fs *fake);

enum fake_image {
	IMAGE_ALL,		/* everything reached the disk */
	IMAGE_SYNCED,		/* only what was synced */
	IMAGE_TORN,		/* each unsynced sector of 512 bytes, each
				   change of a directory: by chance */
	IMAGE_COUNT
};

/* The power goes: process death, and this is what the disk kept. */
void fake_fs_power_loss(struct fake_fs *fake, enum fake_image image,
    uint64_t seed);

/* Numbers from a seed, as the chance seam. */
struct fake_chance { uint64_t state; };
struct chance fake_chance_seam(struct fake_chance *chance);

#endif
