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

static bool
list_one(struct copy *copy, struct str local, struct str remote,
    unsigned depth)
{
	struct stat info;

	if (lstat(local.data, &info) != 0) {
		copy_fail(copy, SSH_LOCAL, STR_FMT ": %s", STR_ARG(local),
		    strerror(errno));
		return false;
	}
	if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
		strbuf_addf(&copy->left_out, "left out: " STR_FMT
		    " is neither a file nor a directory\n", STR_ARG(local));
		return true;
	}
	/* sha256sum is asked line by line. */
	if (str_find(remote, '\n') >= 0) {
		copy_fail(copy, SSH_LOCAL, "a name with a line break cannot "
		    "be copied: " STR_FMT, STR_ARG(local));
		return false;
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

static struct str
temporary(struct copy *copy, const struct copy_item *item)
{
	return arena_printf(&copy->arena, STR_FMT ".podform-part",
	    STR_ARG(item->remote));
}

static void
went(struct copy *copy, const struct wire *message)
{
	const struct copy_item *item = &copy->items.items[copy->at];
	if (copy_failed(copy, message, item->remote) ||
	    message->type != WIRE_DONE)
		return;
	if (!S_ISDIR(item->mode))
		copy->before += item->size;
	copy->at++;
	next(copy);
}

static void
put(struct copy *copy, const struct wire *message)
{
	const struct copy_item *item = &copy->items.items[copy->at];
	struct arena arena = {0};

	if (copy_failed(copy, message, item->remote) ||
	    message->type != WIRE_DONE)
		return;
	if (message->size != 32 || (uint64_t)message->b != item->size) {
		copy_fail(copy, SSH_LOCAL, STR_FMT " changed while it was "
		    "copied", STR_ARG(item->local));
		return;
	}
	copy_add_sum(copy, message, item->remote);
	struct str both = arena_printf(&arena, STR_FMT "%c" STR_FMT,
	    STR_ARG(temporary(copy, item)), 0, STR_ARG(item->remote));
	copy_ask(copy, &(struct wire){
		.type = WIRE_RENAME, .payload = both.data, .size = both.len,
		.fd = -1,
	}, went);
	arena_release(&arena);
}

static void
next(struct copy *copy)
{
	if (copy->at == copy->items.n) {
		copy_verify(copy);
		return;
	}
	const struct copy_item *item = &copy->items.items[copy->at];
	if (S_ISDIR(item->mode)) {
		copy_ask(copy, &(struct wire){
			.type = WIRE_MKDIR, .payload = item->remote.data,
			.size = item->remote.len, .a = item->mode & 0777,
			.fd = -1,
		}, went);
		return;
	}
	int fd = open(item->local.data, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK);
	if (fd < 0) {
		copy_fail(copy, SSH_LOCAL, STR_FMT ": %s",
		    STR_ARG(item->local), strerror(errno));
		return;
	}
	struct str path = temporary(copy, item);
	copy_ask(copy, &(struct wire){
		.type = WIRE_PUT, .payload = path.data, .size = path.len,
		.a = item->mode & 0777, .b = (int64_t)item->size, .fd = fd,
	}, put);
}

static void
looked(struct copy *copy, const struct wire *message)
{
	if (message->type == WIRE_ENTRY) {
		copy->into |= S_ISDIR((unsigned)message->a);
		return;
	}
	/* What is not there yet will be. */
	if (message->type == WIRE_FAILED && message->a != WIRE_FAIL_MISSING) {
		copy_failed(copy, message, copy->remote);
		return;
	}
	struct str remote = copy->into ? copy_join(copy, copy->remote,
	    copy_base_name(copy->local)) : copy->remote;
	if (list_one(copy, copy->local, remote, 0))
		next(copy);
}

static void
begin(struct copy *copy)
{
	copy_ask(copy, &(struct wire){
		.type = WIRE_STAT, .payload = copy->remote.data,
		.size = copy->remote.len, .a = 1, .fd = -1,
	}, looked);
}

uint64_t
ssh_copy_to(struct ssh *ssh, const struct ssh_target *target,
    struct str local, struct str remote, const struct ssh_copy_calls *calls,
    void *ctx)
{
	struct copy *copy = copy_new(ssh, target, local, remote, calls, ctx);
	copy->begin = begin;
	return copy->op.number;
}
