/* disk_loss.c - see disk.h: what a crash leaves, and what people do */
#include "disk_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------- crashes -- */

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
	const struct name *name = disk_find_name(disk, path);

	return name == NULL || name->now == NULL ? 0 : name->now->locked_by;
}

/* What was written and not synced: gone, there, or torn by sectors. */
static void
lose_content(struct disk *disk, struct inode *inode)
{
	struct content *now = &inode->now, *safe = &inode->safe;
	if (inode->directory || (now->len == safe->len &&
		(now->len == 0 || memcmp(now->data, safe->data,
		    now->len) == 0)))
		return;
	uint64_t how = rng_below(&disk->rng, 4);
	if (how == 0)			/* gone */
		disk_content_set(now, safe->data, safe->len);
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
	disk_content_set(safe, now->data, now->len);
}

void
disk_power_loss(struct disk *disk)
{
	disk_kill(disk);
	for (size_t i = 0; i < disk->nnames; i++) {
		struct name *name = &disk->names[i];
		if (name->now != name->safe) {
			if (rng_chance(&disk->rng, 500))
				disk_set_ref(&name->now, name->safe);
			else
				disk_set_ref(&name->safe, name->now);
		}
		if (name->now != NULL)
			lose_content(disk, name->now);
	}
	disk_tidy_names(disk);
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
		disk_content_set(&inode->now, inode->safe.data,
		    inode->safe.len);
	else if (image == DISK_TORN)
		tear(disk, inode);
	disk_content_set(&inode->safe, inode->now.data, inode->now.len);
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
			disk_set_ref(&name->now, name->safe);
		else
			disk_set_ref(&name->safe, name->now);
	}
	for (size_t i = 0; i < disk->nnames; i++)
		if (disk->names[i].now != NULL)
			settle_content(disk, disk->names[i].now, image);
	disk_tidy_names(disk);
}

/* --------------------------------------------------------- for tests -- */

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
		disk_set_ref(&disk->names[i].now, NULL);
		disk_set_ref(&disk->names[i].safe, NULL);
		free(disk->names[i].path);
	}
	free(disk);
}

void
disk_put(struct disk *disk, const char *path, struct str text)
{
	struct name *name = disk_make_name(disk, path);
	struct inode *inode = disk_inode_new(disk, 0644, text.data == NULL);
	disk_content_set(&inode->now, text.data, text.len);
	disk_content_set(&inode->safe, text.data, text.len);
	disk_set_ref(&name->now, inode);
	disk_set_ref(&name->safe, inode);
}

void
disk_remove(struct disk *disk, const char *path)
{
	struct name *name = disk_find_name(disk, path);
	if (name == NULL)
		return;
	disk_set_ref(&name->now, NULL);
	disk_set_ref(&name->safe, NULL);
	disk_tidy_names(disk);
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
	const struct name *name = disk_find_name(disk, path);
	if (name == NULL || name->now == NULL || name->now->directory)
		return (struct str){0};
	return text_of(&name->now->now);
}

struct str
disk_get_safe(const struct disk *disk, const char *path)
{
	const struct name *name = disk_find_name(disk, path);
	if (name == NULL || name->safe == NULL || name->safe->directory)
		return (struct str){0};
	return text_of(&name->safe->safe);
}

/* ---------------------------------------------- what people do to it -- */

void
disk_overwrite(struct disk *disk, const char *path, struct str text)
{
	struct name *name = disk_find_name(disk, path);
	if (name == NULL || name->now == NULL)
		return;
	name->now->lost_from = name->now->lost_to = 0;
	disk_content_set(&name->now->now, text.data, text.len);
	disk_content_set(&name->now->safe, text.data, text.len);
}

struct inode *
disk_take(struct disk *disk, const char *path)
{
	struct name *name = disk_find_name(disk, path);
	struct inode *inode = NULL;
	disk_set_ref(&inode, name->now);
	disk_remove(disk, path);
	return inode;
}

struct inode *
disk_chown(struct disk *disk, const char *path, unsigned uid, unsigned mode)
{
	struct name *name = disk_find_name(disk, path);
	struct inode *inode = NULL;
	disk_set_ref(&inode, name->now);
	inode->uid = uid;
	inode->mode = mode;
	return inode;
}

void
disk_give_back(struct disk *disk, const char *path, struct inode *inode)
{
	struct name *name = disk_make_name(disk, path);
	inode->uid = OWN_UID;
	inode->mode = inode->mode_before;
	if (name->now == NULL || name->now->foreign) {
		disk_set_ref(&name->now, inode);
		disk_set_ref(&name->safe, inode);
	}
	disk_inode_drop(inode);
}

void
disk_put_foreign(struct disk *disk, const char *path, struct str text)
{
	disk_put(disk, path, text.data == NULL ? STR("") : text);
	struct inode *inode = disk_find_name(disk, path)->now;
	inode->foreign = true;
	inode->link = text.data == NULL;
}

void
disk_lose_unsynced(struct disk *disk, int fd)
{
	struct inode *inode = disk_file_of(disk, fd)->inode;
	size_t same = 0;
	while (same < inode->safe.len && same < inode->now.len &&
	    inode->safe.data[same] == inode->now.data[same])
		same++;
	inode->lost_from = same;
	inode->lost_to = inode->now.len;
}
