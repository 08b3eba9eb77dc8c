/* copy_to.c - ssh_copy_to(): see copy.c */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ssh/copy.h"

/* ------------------------------------------------------- what is to go ---- */

static bool list_directory(struct copy *copy, struct str local,
    struct str remote, unsigned depth);

/* What was named may be a link; what is below it is not followed. */
static bool
list_one(struct copy *copy, struct str local, struct str remote,
    unsigned depth)
{
	struct stat info;

	if ((depth == 0 ? stat(local.data, &info) :
		lstat(local.data, &info)) != 0) {
		copy_fail(copy, SSH_LOCAL, STR_FMT ": %s", STR_ARG(local),
		    strerror(errno));
		return false;
	}
	if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
		if (depth == 0)
			copy_fail(copy, SSH_LOCAL, STR_FMT " is neither a "
			    "file nor a directory", STR_ARG(local));
		else
			copy_leave_out(copy, local, S_ISLNK(info.st_mode) ?
			    "is a link" : "is neither a file nor a directory");
		return depth > 0;
	}
	/* sha256sum is asked line by line. */
	if (str_find(remote, '\n') >= 0) {
		if (depth == 0)
			copy_fail(copy, SSH_LOCAL, "a name with a line break "
			    "cannot be copied: " STR_FMT, STR_ARG(local));
		else
			copy_leave_out(copy, local, "has a line break");
		return depth > 0;
	}
	if (copy_add(copy, local, remote, info.st_mode,
		(uint64_t)info.st_size) == NULL || depth > COPY_DEPTH_MAX) {
		copy_fail(copy, SSH_LOCAL, STR_FMT ": too many files",
		    STR_ARG(copy->local));
		return false;
	}
	return !S_ISDIR(info.st_mode) ||
	    list_directory(copy, local, remote, depth + 1);
}

static bool
list_directory(struct copy *copy, struct str local, struct str remote,
    unsigned depth)
{
	DIR *directory = opendir(local.data);
	const struct dirent *entry;
	bool ok = true;

	if (directory == NULL) {
		copy_fail(copy, SSH_LOCAL, STR_FMT ": %s", STR_ARG(local),
		    strerror(errno));
		return false;
	}
	while (ok && (entry = readdir(directory)) != NULL) {
		struct str name = str_from(entry->d_name);
		if (str_is(name, ".") || str_is(name, ".."))
			continue;
		ok = list_one(copy, copy_join(copy, local, name),
		    copy_join(copy, remote, name), depth);
	}
	closedir(directory);
	return ok;
}

/* ------------------------------------------------------------ one by one -- */

static void next(struct copy *copy);

static void set_mode(struct copy *copy, const struct copy_item *item);

static void
went(struct copy *copy, const struct wire *message)
{
	struct copy_item *item = &copy->items.items[copy->at];
	if (copy_failed(copy, message, item->remote) ||
	    message->type != WIRE_DONE)
		return;
	if (S_ISDIR(item->mode))
		item->fresh = message->b == 0;
	else
		copy->before += item->size;
	copy->half = (struct str){0};
	copy->at++;
	next(copy);
}

static void
put(struct copy *copy, const struct wire *message)
{
	const struct copy_item *item = &copy->items.items[copy->at];
	struct arena arena = {0};

	if (copy_failed(copy, message, message->a == WIRE_FAIL_LOCAL ?
		item->local : item->remote) || message->type != WIRE_DONE)
		return;
	if (message->size != 32 || (uint64_t)message->b != item->size) {
		copy_fail(copy, SSH_LOCAL, STR_FMT " changed while it was "
		    "copied", STR_ARG(item->local));
		return;
	}
	copy_add_sum(copy, message, item->remote);
	struct str both = arena_printf(&arena, STR_FMT "%c" STR_FMT,
	    STR_ARG(copy->half), 0, STR_ARG(item->remote));
	copy_ask(copy, &(struct wire){
		.type = WIRE_RENAME, .payload = both.data, .size = both.len,
		.fd = -1,
	}, went);
	arena_release(&arena);
}

/* Ours to write in until all is there. */
static void
make_directory(struct copy *copy, const struct copy_item *item)
{
	copy_ask(copy, &(struct wire){
		.type = WIRE_MKDIR, .payload = item->remote.data,
		.size = item->remote.len, .a = (item->mode & 0777) | 0700,
		.fd = -1,
	}, went);
}

static void
next(struct copy *copy)
{
	if (copy->at == copy->items.n) {
		copy->left = copy->items.n;
		copy_finish(copy, set_mode);
		return;
	}
	const struct copy_item *item = &copy->items.items[copy->at];
	if (S_ISDIR(item->mode)) {
		make_directory(copy, item);
		return;
	}
	int fd = open(item->local.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
	    (copy->at == 0 ? 0 : O_NOFOLLOW));
	if (fd < 0) {
		copy_fail(copy, SSH_LOCAL, STR_FMT ": %s",
		    STR_ARG(item->local), strerror(errno));
		return;
	}
	copy->half = copy_part(copy, item->remote);
	copy_ask(copy, &(struct wire){
		.type = WIRE_PUT, .payload = copy->half.data,
		.size = copy->half.len, .a = item->mode & 0777,
		.b = (int64_t)item->size, .fd = fd,
	}, put);
}

static void
mode_set(struct copy *copy, const struct wire *message)
{
	if (!copy_failed(copy, message, copy->items.items[copy->left].remote))
		copy_finish(copy, set_mode);
}

static void
set_mode(struct copy *copy, const struct copy_item *item)
{
	copy_ask(copy, &(struct wire){
		.type = WIRE_CHMOD, .payload = item->remote.data,
		.size = item->remote.len, .a = item->mode & 0777, .fd = -1,
	}, mode_set);
}

static void
looked(struct copy *copy, const struct wire *message)
{
	struct stat info;
	bool missing = message->type == WIRE_FAILED &&
	    message->a == WIRE_FAIL_MISSING;

	if (message->type == WIRE_ENTRY) {
		copy->into |= S_ISDIR((unsigned)message->a) && !(copy->onto &&
		    stat(copy->local.data, &info) == 0 &&
		    S_ISDIR(info.st_mode));
		return;
	}
	/* What is not there yet will be. */
	if (!missing && copy_failed(copy, message, copy->remote))
		return;
	if (missing && stat(copy->local.data, &info) == 0 &&
	    S_ISDIR(info.st_mode))
		copy->into = false;
	struct str remote = copy->into ? copy_join(copy, copy->remote,
	    copy_base_name(copy->local)) : copy->remote;
	if (list_one(copy, copy->local, remote, 0))
		next(copy);
}

uint64_t
ssh_copy_to(struct ssh *ssh, const struct ssh_target *target,
    struct str local, struct str remote, const struct ssh_copy_calls *calls,
    void *ctx)
{
	struct copy *copy = copy_new(ssh, target, local, remote, calls, ctx);
	copy->looked = looked;
	return copy->op.number;
}

uint64_t
ssh_copy_onto(struct ssh *ssh, const struct ssh_target *target,
    struct str local, struct str remote, const struct ssh_copy_calls *calls,
    void *ctx)
{
	struct copy *copy = copy_new(ssh, target, local, remote, calls, ctx);
	copy->looked = looked;
	copy->onto = true;
	return copy->op.number;
}
