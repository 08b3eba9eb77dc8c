/* copy_from.c - ssh_copy_from(): see copy.c */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ssh/copy.h"

/* A name that a pod said may not lead out of the directory it is in. */
static bool
is_name(struct str name)
{
	return name.len > 0 && name.len <= 255 && !str_is(name, ".") &&
	    !str_is(name, "..") && str_find(name, '/') < 0 &&
	    str_find(name, '\0') < 0 && str_find(name, '\n') < 0;
}

static void
set_mode(struct copy *copy, const struct copy_item *item)
{
	if (chmod(item->local.data, item->mode & 0777) != 0)
		copy_fail(copy, SSH_LOCAL, STR_FMT ": %s",
		    STR_ARG(item->local), strerror(errno));
	else
		copy_finish(copy, set_mode);
}

/* How many directories below the one that was asked for this one is. */
static size_t
depth(const struct copy *copy, struct str remote)
{
	size_t n = 0;

	for (size_t i = copy->remote.len; i < remote.len; i++)
		n += remote.data[i] == '/';
	return n;
}

/* Directories are listed as they are come to; files wait for their turn. */
static void next(struct copy *copy);

static void
listed(struct copy *copy, const struct wire *message)
{
	const struct copy_item *item = &copy->items.items[copy->at];
	struct str name = { message->payload, message->size };
	unsigned mode = (unsigned)message->a;

	if (copy_failed(copy, message, item->remote))
		return;
	if (message->type == WIRE_DONE) {
		copy->at++;
		next(copy);
	} else if (message->type == WIRE_ENTRY && !str_is(name, ".") &&
	    !str_is(name, "..")) {
		struct str local = item->local, remote = item->remote;
		if (!is_name(name))
			copy_leave_out(copy, copy_join(copy, remote, name),
			    "has a name that no file may have");
		else if (!S_ISREG(mode) && !S_ISDIR(mode))
			copy_leave_out(copy, copy_join(copy, remote, name),
			    S_ISLNK(mode) ? "is a link" :
			    "is neither a file nor a directory");
		else if (depth(copy, remote) >= COPY_DEPTH_MAX)
			copy_fail(copy, SSH_LOCAL, STR_FMT ": directories "
			    "that are too deep", STR_ARG(copy->remote));
		else if (copy_add(copy, copy_join(copy, local, name),
			copy_join(copy, remote, name), mode,
			(uint64_t)message->b) == NULL)
			copy_fail(copy, SSH_LOCAL, STR_FMT ": too many files",
			    STR_ARG(copy->remote));
	}
}

static void
got(struct copy *copy, const struct wire *message)
{
	const struct copy_item *item = &copy->items.items[copy->at];

	if (copy_failed(copy, message, message->a == WIRE_FAIL_LOCAL ?
		item->local : item->remote) || message->type != WIRE_DONE)
		return;
	if (message->size != 32 || (uint64_t)message->b != item->size) {
		copy_refuse(copy, STR_FMT " changed while it was copied",
		    STR_ARG(item->remote));
		return;
	}
	copy_add_sum(copy, message, item->remote);
	if (rename(copy->temporary, item->local.data) != 0) {
		copy_fail(copy, SSH_LOCAL, STR_FMT ": %s",
		    STR_ARG(item->local), strerror(errno));
		return;
	}
	copy->temporary = NULL;
	copy->before += item->size;
	copy->at++;
	next(copy);
}

static void
get(struct copy *copy, const struct copy_item *item)
{
	const char *path = copy_part(copy, item->local).data;

	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, item->mode & 0777) != 0) {
		copy_fail(copy, SSH_LOCAL, STR_FMT ": %s",
		    STR_ARG(item->local), strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	copy->temporary = path;
	copy_ask(copy, &(struct wire){
		.type = WIRE_GET, .payload = item->remote.data,
		.size = item->remote.len, .b = (int64_t)item->size, .fd = fd,
	}, got);
}

static void
next(struct copy *copy)
{
	if (copy->at == copy->items.n) {
		copy->left = copy->items.n;
		copy_finish(copy, set_mode);
		return;
	}
	struct copy_item *item = &copy->items.items[copy->at];
	if (!S_ISDIR(item->mode)) {
		get(copy, item);
		return;
	}
	/* Ours to write in; a directory that is there keeps its mode. */
	item->fresh = mkdir(item->local.data, (item->mode & 0777) | 0700) ==
	    0;
	if (!item->fresh && errno != EEXIST) {
		copy_fail(copy, SSH_LOCAL, STR_FMT ": %s",
		    STR_ARG(item->local), strerror(errno));
		return;
	}
	copy_ask(copy, &(struct wire){
		.type = WIRE_LIST, .payload = item->remote.data,
		.size = item->remote.len, .fd = -1,
	}, listed);
}

static void
looked(struct copy *copy, const struct wire *message)
{
	struct stat info;

	if (copy_failed(copy, message, copy->remote))
		return;
	if (message->type == WIRE_ENTRY) {
		copy->found.mode = (unsigned)message->a;
		copy->found.size = (uint64_t)message->b;
		return;
	}
	if (!S_ISREG(copy->found.mode) && !S_ISDIR(copy->found.mode)) {
		copy_refuse(copy, STR_FMT " on the pod is neither a file nor "
		    "a directory", STR_ARG(copy->remote));
		return;
	}
	bool there = stat(copy->local.data, &info) == 0;
	bool inside = there ? S_ISDIR(info.st_mode) :
	    str_ends(copy->local, STR("/")) && !S_ISDIR(copy->found.mode);
	struct str name = copy_base_name(copy->remote);
	copy_add(copy, inside && is_name(name) ?
	    copy_join(copy, copy->local, name) : copy->local, copy->remote,
	    copy->found.mode, copy->found.size);
	next(copy);
}

uint64_t
ssh_copy_from(struct ssh *ssh, const struct ssh_target *target,
    struct str remote, struct str local, const struct ssh_copy_calls *calls,
    void *ctx)
{
	struct copy *copy = copy_new(ssh, target, local, remote, calls, ctx);
	copy->looked = looked;
	return copy->op.number;
}
