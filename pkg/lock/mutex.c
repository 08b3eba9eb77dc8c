/* mutex.c - see mutex.h */
#include "lock/mutex.h"

#include <errno.h>

#include "base/json.h"
#include "base/probe.h"
#include "lock/file.h"
#include "lock/holder.h"

static const struct file_rules rules = {
	"mutex", HOLDER_BYTES_MAX, ANY_UID, 022, true
};

/* Read what path says now; its refusal was reported to diags. */
static enum file_result
read_holder(struct arena *arena, const struct fs *fs, const char *path,
    struct mutex_holder *holder, bool *known, bool *released,
    struct diags *diags)
{
	struct str text;
	enum file_result result = file_read(fs, arena, path, &rules, &text,
	    diags);
	*known = result == FILE_READ &&
	    holder_get(arena, text, holder, released);
	return result;
}

/*
 * Rewrite the content in place.  A descriptor of its own, because writing
 * starts at the beginning only for one that was not used yet.
 */
static int
write_holder(const struct fs *fs, const char *path,
    const struct mutex_holder *holder, bool released)
{
	struct strbuf text = { 0 };
	int fd = fs->open(fs->ctx, path, FS_READ_WRITE, 0);
	if (fd < 0)
		return fd;
	holder_put(&text, holder, released);
	int error = fs->truncate(fs->ctx, fd, 0);
	if (error == 0)
		error = fs_write_all(fs, fd, strbuf_str(&text));
	fs->close(fs->ctx, fd);
	strbuf_release(&text);
	return error;
}

/* ------------------------------------------------------ take, release -- */

static enum mutex_result
failed(struct diags *diags, int error, const char *what, const char *path)
{
	diag_errno(diags, "PF0614", NO_SPAN, -error, "cannot %s '%s'", what,
	    path);
	return MUTEX_FAILED;
}

enum mutex_result
mutex_take(struct mutex *mutex, struct arena *arena, const struct fs *fs,
    const char *path, const struct mutex_holder *self,
    struct mutex_holder *other, struct diags *diags)
{
	struct mutex_holder before = { 0 };
	struct fs_info info;
	bool known = false, released;

	*mutex = (struct mutex){ .fd = -1 };
	*other = (struct mutex_holder){ 0 };
	/* Also finds out whether this is a file that we may write to. */
	if (read_holder(arena, fs, path, &before, &known, &released, diags) ==
	    FILE_REFUSED)
		return MUTEX_FAILED;
	int fd = fs->open(fs->ctx, path, FS_READ_WRITE | FS_CREATE, 0600);
	if (fd < 0)
		return failed(diags, fd, "open", path);
	int error = fs->stat_fd(fs->ctx, fd, &info);
	if (error < 0) {
		fs->close(fs->ctx, fd);
		return failed(diags, error, "examine", path);
	}
	if (!file_check(&info, path, &rules, diags)) {
		fs->close(fs->ctx, fd);
		return MUTEX_FAILED;
	}
	error = fs->lock(fs->ctx, fd);
	if (error < 0) {
		fs->close(fs->ctx, fd);
		if (error != -EWOULDBLOCK)
			return failed(diags, error, "lock", path);
		PROBE("mutex_held");
		*other = before;
		return MUTEX_HELD;
	}
	mutex->fd = fd;
	mutex->path = arena_cstr(arena, str_from(path));
	mutex->holder = *self;
	/* Each holder's number is above that of all before. */
	if (known && mutex->holder.fence <= before.fence)
		mutex->holder.fence = before.fence + 1;
	error = write_holder(fs, path, &mutex->holder, false);
	if (error < 0) {
		mutex_release(mutex, fs);
		return failed(diags, error, "write", path);
	}
	return MUTEX_TAKEN;
}

void
mutex_release(struct mutex *mutex, const struct fs *fs)
{
	if (mutex->fd < 0)
		return;
	/* For people only: a failure changes nothing. */
	write_holder(fs, mutex->path, &mutex->holder, true);
	fs->close(fs->ctx, mutex->fd);
	mutex->fd = -1;
}

/* ------------------------------------------------------------- asking -- */

bool
mutex_read(struct arena *arena, const struct fs *fs, const char *path,
    struct mutex_holder *holder, bool *held)
{
	struct diags unseen = { .arena = arena };
	bool known = false, released = false;

	*holder = (struct mutex_holder){ 0 };
	*held = false;
	if (read_holder(arena, fs, path, holder, &known, &released,
	    &unseen) != FILE_READ)
		return false;
	/*
	 * Asking the kernel takes the lock for a moment, in which somebody
	 * else's try would fail.  Where the last holder said goodbye there is
	 * no need to ask.
	 */
	if (known && released)
		return true;
	int fd = fs->open(fs->ctx, path, FS_READ_WRITE, 0);
	if (fd >= 0) {
		*held = fs->lock(fs->ctx, fd) == -EWOULDBLOCK;
		fs->close(fs->ctx, fd);
	}
	return known || *held;
}

static void
add_word(struct strbuf *out, const char *before, struct str word)
{
	if (word.len == 0)
		return;
	strbuf_adds(out, before);
	strbuf_add(out, word);
}

void
mutex_report(struct diags *diags, const struct mutex_holder *holder,
    const char *path)
{
	struct strbuf who = { 0 };

	if (holder->who.len == 0)
		strbuf_adds(&who, "somebody");
	add_word(&who, "", holder->who);
	if (holder->pid > 0)
		strbuf_addf(&who, ", pid %lld", (long long)holder->pid);
	add_word(&who, ", since ", holder->created);
	add_word(&who, ", doing ", holder->operation);
	add_word(&who, ", podform ", holder->version);
	add_word(&who, ", ", holder->run_url);
	diag_error(diags, "PF0611", NO_SPAN, "the lock is held by %.*s",
	    (int)who.len, who.data);
	diag_hint(diags, "wait for it with --lock-timeout 10m; podform unlock "
	    STR_FMT " breaks it, if that process is gone for good",
	    STR_ARG(holder->id));
	diag_hint(diags, "the lock is on '%s'; it holds id " STR_FMT
	    ", boot " STR_FMT ", fence %lld", path, STR_ARG(holder->id),
	    STR_ARG(holder->boot_id), (long long)holder->fence);
	strbuf_release(&who);
}
