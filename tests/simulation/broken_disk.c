/*
 * broken_disk.c - a disk that fails, and people who meddle with its files.
 *
 * Between podform and the simulated disk.  Of each command at most one thing
 * goes wrong, once or from there on: an error of an operation (F22), a sync
 * that fails and then pretends (F23), a record that is damaged when the
 * command starts (F24), a record that somebody replaces, takes away, makes a
 * link or takes over while it runs (F25).  What was damaged or taken is put
 * back afterwards, as the messages ask the user to.
 */
#include "hardware.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define JOURNAL_PATH WORK_DIR "/journal"

/* Operations, as far as errors tell them apart. */
enum {
	OP_LOOK = 1, OP_READS = 2, OP_MAKES = 4, OP_WRITES = 8, OP_SYNCS = 16,
	OP_NAMES = 32, OP_OPENS = 64, OP_CLOSES = 128,
};

static const struct {
	enum own_fault fault;
	int error;
	unsigned ops;
} errors[] = {
	{ OWN_NO_SPACE, ENOSPC, OP_MAKES | OP_WRITES | OP_SYNCS | OP_NAMES },
	{ OWN_QUOTA, EDQUOT, OP_MAKES | OP_WRITES | OP_SYNCS },
	{ OWN_IO_ERROR, EIO, OP_LOOK | OP_READS | OP_WRITES | OP_SYNCS |
	    OP_NAMES | OP_CLOSES },
	{ OWN_READ_ONLY, EROFS, OP_MAKES | OP_NAMES },
	{ OWN_DENIED, EACCES, OP_LOOK | OP_OPENS | OP_MAKES | OP_NAMES },
	{ OWN_DESCRIPTORS, EMFILE, OP_OPENS | OP_MAKES },
	{ OWN_SHORT_WRITE, 0, OP_WRITES },
	{ OWN_EINTR, EINTR, OP_READS | OP_WRITES | OP_SYNCS },
	{ OWN_SYNC_LIES, EIO, OP_SYNCS },
};

/* ------------------------------------------------------------- meddling --- */

/* Somebody does something to the file; podform is between two steps. */
static void
meddle(struct sim *sim)
{
	struct hardware *hw = sim->hardware;
	enum own_fault fault = (enum own_fault)hw->fault;
	struct str now = disk_get(sim->disk, hw->target);

	/* A lock file that is missing from the start, without a backup, is
	 * none: only the marks of what there is can tell. */
	if (fault == OWN_DELETED && !hw->lock_read &&
	    disk_get(sim->disk, LOCK_PATH ".backup").data == NULL)
		return;
	hw->fault = -1;
	if (now.data == NULL || !own_strikes(sim, fault))
		return;
	/* The journal tells that a commit may not be on the disk yet. */
	if (strcmp(hw->target, LOCK_PATH) != 0 &&
	    !str_eq(disk_get(sim->disk, LOCK_PATH),
		disk_get_safe(sim->disk, LOCK_PATH)))
		sim->unsafe_untold = true;
	sim_trace(sim, "somebody meddles with %s: %s", hw->target,
	    fault == OWN_REPLACED ? "another file"
		: fault == OWN_DELETED ? "moved away"
		: fault == OWN_LINKED  ? "a link"
				       : "another owner");
	sim->late = true;
	sim->still_since_ms = -1;
	if (fault == OWN_STOLEN) {
		hw->taken = disk_chown(sim->disk, hw->target, 0, 0666);
		return;
	}
	/* An op that is in it was durable when its request left. */
	if (strcmp(hw->target, JOURNAL_PATH) == 0)
		disk_put(sim->disk, WORK_DIR "/journal.moved",
		    disk_get_safe(sim->disk, JOURNAL_PATH));
	hw->taken = disk_take(sim->disk, hw->target);
	if (fault == OWN_REPLACED)
		disk_put_foreign(sim->disk, hw->target,
		    STR("somebody's text\n"));
	else if (fault == OWN_LINKED)
		disk_put_foreign(sim->disk, hw->target, (struct str){0});
}

/* Does this operation fail?  0 for no; OWN_SHORT_WRITE is 1. */
static int
trouble(struct sim *sim, unsigned ops, const char *path)
{
	struct hardware *hw = sim->hardware;

	if (!sim->running || sim->process != 1 || hw->fault < 0)
		return 0;
	if (hw->fault >= OWN_REPLACED && hw->fault <= OWN_STOLEN) {
		/* No program can look between its last look and its write. */
		bool too_late = (ops & (OP_WRITES | OP_SYNCS)) != 0 &&
		    strcmp(path, JOURNAL_PATH) == 0;
		if (hw->countdown-- <= 0 && !too_late)
			meddle(sim);
		return 0;
	}
	for (size_t i = 0; i < COUNTOF(errors); i++) {
		if ((int)errors[i].fault != hw->fault ||
		    (errors[i].ops & ops) == 0)
			continue;
		if (!hw->striking && hw->countdown-- > 0)
			return 0;
		if (!own_strikes(sim, errors[i].fault))
			return 0;
		hw->striking = true;
		sim_trace(sim, "disk: %s of %s", errors[i].error == 0
			? "short write" : strerrorname_np(errors[i].error),
		    path);
		if (!hw->forever || errors[i].error == EINTR ||
		    errors[i].error == 0)
			hw->fault = -1;
		if (errors[i].error != EINTR &&
		    (ops & (OP_WRITES | OP_SYNCS)) != 0 &&
		    strcmp(path, JOURNAL_PATH) == 0)
			hw->journal_failed = sim->commands;
		return errors[i].error == 0 ? 1 : -errors[i].error;
	}
	return 0;
}

void
hardware_check_send(struct sim *sim, const char *what, bool github)
{
	const struct hardware *hw = sim->hardware;

	if (sim->process != 1)
		return;
	if (hw->journal_failed == sim->commands && !github)
		sim_violate(sim, "I9", "%s is sent after the journal had "
		    "failed", what);
	if (hw->damaged)
		sim_violate(sim, "I10", "%s is sent although %s is damaged",
		    what, hw->target);
}

/* ------------------------------------------------------------- the seam --- */

static const char *
path_of(const struct sim *sim, int fd)
{
	return sim->hardware->paths[fd - BROKEN_FD_BASE];
}

static int
broken_open(void *ctx, const char *path, unsigned flags, unsigned mode)
{
	struct sim *sim = ctx;
	struct hardware *hw = sim->hardware;
	bool writes = flags & (FS_APPEND | FS_READ_WRITE | FS_CREATE);
	int error = trouble(sim, OP_OPENS | (writes ? OP_MAKES : 0), path);

	if (error < 0)
		return error;
	int fd = hw->inner.open(hw->inner.ctx, path, flags, mode);
	if (fd >= BROKEN_FD_BASE && fd < BROKEN_FD_BASE + BROKEN_FDS)
		snprintf(hw->paths[fd - BROKEN_FD_BASE], BROKEN_PATH, "%s",
		    path);
	return fd;
}

static ssize_t
broken_read(void *ctx, int fd, void *buf, size_t n)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_READS, path_of(sim, fd));

	if (sim->process == 1 && strcmp(path_of(sim, fd), LOCK_PATH) == 0)
		sim->hardware->lock_read = true;
	return error < 0 ? error : inner->read(inner->ctx, fd, buf, n);
}

static ssize_t
broken_write(void *ctx, int fd, const void *buf, size_t n)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_WRITES, path_of(sim, fd));

	if (error < 0)
		return error;
	if (error > 0 && n > 1)
		n = (size_t)rng_range(&sim->hardware->rng, 1, (int64_t)n - 1);
	return inner->write(inner->ctx, fd, buf, n);
}

static int
sync_with(struct sim *sim, int fd, int (*sync)(void *ctx, int fd))
{
	struct hardware *hw = sim->hardware;
	bool lies = hw->fault == OWN_SYNC_LIES;
	int error = trouble(sim, OP_SYNCS, path_of(sim, fd));

	if (error < 0 && lies)
		disk_lose_unsynced(sim->disk, fd);
	return error < 0 ? error : sync(hw->inner.ctx, fd);
}

static int
broken_sync(void *ctx, int fd)
{
	struct sim *sim = ctx;
	return sync_with(sim, fd, sim->hardware->inner.sync);
}

static int
broken_sync_data(void *ctx, int fd)
{
	struct sim *sim = ctx;
	return sync_with(sim, fd, sim->hardware->inner.sync_data);
}

static int
broken_truncate(void *ctx, int fd, uint64_t size)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_NAMES, path_of(sim, fd));

	return error < 0 ? error : inner->truncate(inner->ctx, fd, size);
}

/* The descriptor is gone also where closing fails. */
static int
broken_close(void *ctx, int fd)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_CLOSES, path_of(sim, fd));
	int closed = inner->close(inner->ctx, fd);

	return error < 0 ? error : closed;
}

static int
broken_stat_fd(void *ctx, int fd, struct fs_info *info)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_LOOK, path_of(sim, fd));

	return error < 0 ? error : inner->stat_fd(inner->ctx, fd, info);
}

static int
broken_stat(void *ctx, const char *path, bool follow, struct fs_info *info)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_LOOK, path);

	return error < 0 ? error : inner->stat(inner->ctx, path, follow, info);
}

static int
broken_rename(void *ctx, const char *from, const char *to)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_NAMES, to);

	return error < 0 ? error : inner->rename(inner->ctx, from, to);
}

static int
broken_link(void *ctx, const char *from, const char *to)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_NAMES, to);

	return error < 0 ? error : inner->link(inner->ctx, from, to);
}

static int
broken_unlink(void *ctx, const char *path)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_NAMES, path);

	return error < 0 ? error : inner->unlink(inner->ctx, path);
}

static int
broken_mkdir(void *ctx, const char *path, unsigned mode)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_MAKES, path);

	return error < 0 ? error : inner->mkdir(inner->ctx, path, mode);
}

static int
broken_sync_dir(void *ctx, const char *path)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_SYNCS, path);

	return error < 0 ? error : inner->sync_dir(inner->ctx, path);
}

static int
broken_list(void *ctx, struct arena *arena, const char *path,
    struct str **names, size_t *n)
{
	struct sim *sim = ctx;
	const struct fs *inner = &sim->hardware->inner;
	int error = trouble(sim, OP_READS, path);

	return error < 0 ? error
			 : inner->list(inner->ctx, arena, path, names, n);
}

static int
broken_lock(void *ctx, int fd)
{
	const struct fs *inner = &((struct sim *)ctx)->hardware->inner;
	return inner->lock(inner->ctx, fd);
}

static int
broken_resolve(void *ctx, struct arena *arena, const char *path,
    struct str *out)
{
	const struct fs *inner = &((struct sim *)ctx)->hardware->inner;
	return inner->resolve(inner->ctx, arena, path, out);
}

struct fs
broken_fs(struct sim *sim, struct fs inner)
{
	sim->hardware->inner = inner;
	return (struct fs){
		.ctx = sim, .open = broken_open, .read = broken_read,
		.write = broken_write, .sync = broken_sync,
		.sync_data = broken_sync_data, .truncate = broken_truncate,
		.close = broken_close, .stat_fd = broken_stat_fd,
		.stat = broken_stat, .rename = broken_rename,
		.link = broken_link, .unlink = broken_unlink,
		.mkdir = broken_mkdir, .sync_dir = broken_sync_dir,
		.list = broken_list, .lock = broken_lock,
		.resolve = broken_resolve,
	};
}

/* ------------------------------------------------------------- a command -- */

/* A bit that is not seen as the end of a line, before or after. */
static bool
flip(struct hardware *hw, char *text, size_t from, size_t to)
{
	for (int tries = 0; from < to && tries < 20; tries++) {
		size_t at = from + rng_below(&hw->rng, to - from);
		char flipped = (char)(text[at] ^ (1 << rng_below(&hw->rng, 8)));
		if (text[at] == '\n' || flipped == '\n')
			continue;
		text[at] = flipped;
		return true;
	}
	return false;
}

/* What is before the last line: that one may be torn, and is dropped. */
static size_t
before_last_line(const char *text, size_t len)
{
	size_t at = len > 0 ? len - 1 : 0;

	while (at > 0 && text[at - 1] != '\n')
		at--;
	return at;
}

static void
damage(struct sim *sim, bool cuts)
{
	struct hardware *hw = sim->hardware;
	bool journal = !cuts && rng_chance(&hw->rng, 500);
	const char *path = journal ? JOURNAL_PATH : LOCK_PATH;
	struct str now = disk_get(sim->disk, path);

	if (now.len < 2)
		return;
	char *copy = malloc(now.len);
	memcpy(copy, now.data, now.len);
	size_t len = cuts ? rng_below(&hw->rng, now.len) : now.len;
	/* Without its last line end it says the same. */
	if (cuts && len == now.len - 1)
		len--;
	if ((!cuts && !flip(hw, copy, 0,
		    journal ? before_last_line(copy, len) : len)) ||
	    !own_strikes(sim, cuts ? OWN_CUT : OWN_FLIPPED)) {
		free(copy);
		return;
	}
	sim_trace(sim, "%s is damaged: %s", path, cuts ? "cut" : "a bit");
	hw->kept = malloc(now.len);
	hw->kept_len = now.len;
	memcpy(hw->kept, now.data, now.len);
	hw->target = path;
	hw->damaged = true;
	disk_overwrite(sim->disk, path, (struct str){ copy, len });
	free(copy);
}

void
broken_begin(struct sim *sim, const char *word)
{
	struct hardware *hw = sim->hardware;
	int kinds[OWN_FAULT_COUNT], n = 0;
	bool runs = strcmp(word, "apply") == 0 || strcmp(word, "destroy") == 0;

	hw->fault = -1;
	hw->striking = hw->lock_read = false;
	for (int i = OWN_NO_SPACE; i <= OWN_STOLEN; i++)
		if (hw->has[i])
			kinds[n++] = i;
	if (n == 0 || !rng_chance(&hw->rng, 400))
		return;
	int fault = kinds[rng_below(&hw->rng, (uint64_t)n)];
	/* Whoever comes meanwhile would meet it, too. */
	if (fault >= OWN_FLIPPED)
		sim->rival_at = -1;
	/* What only looks at the record may be asked for what it saw. */
	if (fault >= OWN_FLIPPED && !runs)
		return;
	if (fault == OWN_FLIPPED || fault == OWN_CUT) {
		damage(sim, fault == OWN_CUT);
		return;
	}
	hw->fault = fault;
	hw->countdown = rng_range(&hw->rng, 0,
	    rng_chance(&hw->rng, 500) ? 12 : 80);
	hw->forever = rng_chance(&hw->rng, 400);
	if (fault >= OWN_REPLACED)
		hw->target = fault == OWN_REPLACED ||
			rng_chance(&hw->rng, 500)
		    ? LOCK_PATH
		    : JOURNAL_PATH;
}

void
broken_end(struct sim *sim, int code)
{
	struct hardware *hw = sim->hardware;

	hw->fault = -1;
	if (hw->damaged) {
		if (code == 0)
			sim_violate(sim, "I7", "a damaged %s was taken for "
			    "good", hw->target);
		disk_overwrite(sim->disk, hw->target,
		    (struct str){ hw->kept, hw->kept_len });
		free(hw->kept);
		hw->kept = NULL;
		hw->damaged = false;
	}
	if (hw->taken != NULL) {
		disk_give_back(sim->disk, hw->target, hw->taken);
		disk_remove(sim->disk, WORK_DIR "/journal.moved");
		hw->taken = NULL;
	}
}
