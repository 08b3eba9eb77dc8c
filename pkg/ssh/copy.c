/*
 * copy.c - files to and from a pod: ssh_copy_to(), ssh_copy_from()
 *
 * What is to be copied is listed first, then goes over file by file, each to
 * a name beside its own that is renamed when the file is whole.  At the end
 * the pod's sha256sum is asked whether it has what the worker has read or
 * written.
 */
#include "ssh/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART_NAME_MAX = 230, REMOVE_MS = 2000, LEFT_OUT_MAX = 4 << 20 };

void
copy_fail(struct copy *copy, enum ssh_outcome outcome, const char *format,
    ...)
{
	va_list args;
	va_start(args, format);
	struct str reason = arena_vprintf(&copy->arena, format, args);
	va_end(args);
	copy_end(copy, outcome, reason);
}

static void
let_go(struct copy *copy)
{
	uint64_t verify = copy->verify;
	if (copy->channel.session != NULL) {
		if (copy->asked)
			channel_send(&copy->channel, &(struct wire){
				.type = WIRE_CANCEL, .fd = -1,
			});
		channel_close(&copy->channel);
	}
	copy->asked = false;
	copy->verify = 0;
	if (verify != 0)
		ssh_cancel(copy->ssh, verify);
	session_leave(&copy->use);
	/* What is half there locally goes. */
	if (copy->temporary != NULL)
		unlink(copy->temporary);
	copy->temporary = NULL;
}

static void
end_now(struct copy *copy)
{
	struct ssh_answer answer = copy->ended;

	if (copy->op.over)
		return;
	answer.fingerprint = copy->use.fingerprint;
	answer.output = strbuf_str(&copy->left_out);
	answer.output_bytes = answer.output.len;
	copy->op.over = true;
	copy->ssh->work = true;
	let_go(copy);
	copy->calls.end(copy->ctx, &answer);
}

static void
removed(struct copy *copy, const struct wire *message)
{
	(void)message;
	end_now(copy);
}

/* What is half there on the pod goes first, if that can be said to it: it
 * would take up a disk that may be full. */
static void
end_with(struct copy *copy, const struct ssh_answer *how)
{
	struct str half = copy->half;

	if (copy->op.over || copy->ending)
		return;
	copy->ending = true;
	copy->ended = *how;
	if (half.len == 0 || copy->use.session == NULL) {
		end_now(copy);
		return;
	}
	if (copy->asked)
		channel_send(&copy->channel, &(struct wire){
			.type = WIRE_CANCEL, .fd = -1,
		});
	copy->op.due_ms = ssh_now(copy->ssh) + REMOVE_MS;
	copy_ask(copy, &(struct wire){
		.type = WIRE_REMOVE, .payload = half.data, .size = half.len,
		.fd = -1,
	}, removed);
}

void
copy_end(struct copy *copy, enum ssh_outcome outcome, struct str reason)
{
	end_with(copy, &(struct ssh_answer){
		.outcome = outcome, .status = outcome == SSH_DONE ? 0 : -1,
		.reason = reason,
	});
}

void
copy_refuse(struct copy *copy, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct str reason = arena_vprintf(&copy->arena, format, args);
	va_end(args);
	end_with(copy, &(struct ssh_answer){
		.outcome = SSH_DONE, .status = 1, .reason = reason,
	});
}

/* Ask the worker; the answer comes to copy->answered(). */
void
copy_ask(struct copy *copy, const struct wire *message,
    void (*answered)(struct copy *copy, const struct wire *message))
{
	if (copy->channel.session != NULL)
		channel_close(&copy->channel);
	channel_open(copy->use.session, &copy->channel);
	copy->answered = answered;
	copy->asked = true;
	channel_send(&copy->channel, message);
}

static void
message_came(void *ctx, const struct wire *message)
{
	struct copy *copy = ctx;
	const struct copy_item *item = copy->at < copy->items.n ?
	    &copy->items.items[copy->at] : NULL;

	if (message->type == WIRE_PROGRESS) {
		if (copy->calls.progress != NULL && item != NULL)
			copy->calls.progress(copy->ctx, item->local,
			    copy->before + (uint64_t)message->b, copy->total);
		return;
	}
	if (message->type == WIRE_DONE || message->type == WIRE_FAILED)
		copy->asked = false;
	copy->answered(copy, message);
}

bool
copy_failed(struct copy *copy, const struct wire *message, struct str about)
{
	if (message->type != WIRE_FAILED)
		return false;
	const char *words = message->size > 0 ? message->payload : "failed";
	if (message->a == WIRE_FAIL_LOCAL)
		copy_fail(copy, SSH_LOCAL, STR_FMT ": %s", STR_ARG(about),
		    words);
	else if (message->a == WIRE_FAIL_MISSING ||
	    message->a == WIRE_FAIL_REFUSED)
		copy_refuse(copy, STR_FMT ": %s", STR_ARG(about), words);
	else
		copy_fail(copy, SSH_LOST, STR_FMT ": %s", STR_ARG(about),
		    words);
	return true;
}

/* -------------------------------------------------------------- verifying -- */

static void
verify_output(void *ctx, int stream, struct str bytes)
{
	struct copy *copy = ctx;
	(void)stream;
	strbuf_add(&copy->said, str_sub(bytes, 0, copy->said.len > 4096 ?
	    0 : 4096));
}

static void
verify_end(void *ctx, const struct ssh_answer *answer)
{
	struct copy *copy = ctx;
	copy->verify = 0;
	if (answer->outcome != SSH_DONE)
		copy_end(copy, answer->outcome, answer->reason);
	else if (answer->status == 127) {
		strbuf_adds(&copy->left_out, "the pod has no sha256sum: "
		    "verified by size alone\n");
		copy_end(copy, SSH_DONE, (struct str){0});
	} else if (answer->status != 0)
		copy_refuse(copy, "the copy differs from its source: " STR_FMT,
		    STR_ARG(str_trim(strbuf_str(&copy->said))));
	else
		copy_end(copy, SSH_DONE, (struct str){0});
}

static void
verify_writable(void *ctx)
{
	struct copy *copy = ctx;
	struct str left = str_sub(strbuf_str(&copy->sums), copy->sums_sent,
	    copy->sums.len);
	copy->sums_sent += ssh_exec_input(copy->ssh, copy->verify, left);
	if (copy->sums_sent == copy->sums.len)
		ssh_exec_input_end(copy->ssh, copy->verify);
}

static void
compare(struct copy *copy)
{
	static const struct ssh_exec_calls calls = {
		.output = verify_output, .end = verify_end,
		.writable = verify_writable,
	};
	if (copy->sums.len == 0) {
		copy_end(copy, SSH_DONE, (struct str){0});
		return;
	}
	copy->verify = ssh_exec(copy->ssh, &copy->target,
	    STR("exec /bin/sh -c 'command -v sha256sum >/dev/null 2>&1 || "
	    "exit 127; sha256sum -c - 2>&1 | grep -v \": OK$\"; "
	    "[ $? -eq 1 ]'"), &calls, copy);
	verify_writable(copy);
}

/*
 * Directories that we made get their modes when nothing more is written into
 * them, the deepest first; most have had theirs from the beginning.
 */
static bool
mode_differs(const struct copy_item *item)
{
	unsigned mode = item->mode & 0777;
	return S_ISDIR(item->mode) && item->fresh &&
	    mode != ((mode | 0700) & 0755);
}

void
copy_finish(struct copy *copy, void (*set_mode)(struct copy *copy,
    const struct copy_item *item))
{
	copy->at = copy->items.n;
	while (copy->left > 0) {
		const struct copy_item *item = &copy->items.items[--copy->left];
		if (mode_differs(item)) {
			set_mode(copy, item);
			return;
		}
	}
	compare(copy);
}

void
copy_add_sum(struct copy *copy, const struct wire *done, struct str remote)
{
	const unsigned char *digest = done->payload;
	for (size_t i = 0; i < 32; i++)
		strbuf_addf(&copy->sums, "%02x", digest[i]);
	/* A name that begins with a dash would be an option. */
	strbuf_addf(&copy->sums, "  %s" STR_FMT "\n",
	    remote.data[0] == '/' ? "" : "./", STR_ARG(remote));
}

/* ------------------------------------------------------------------ life -- */

static void
up(void *ctx)
{
	struct copy *copy = ctx;
	copy_ask(copy, &(struct wire){
		.type = WIRE_STAT, .payload = copy->remote.data,
		.size = copy->remote.len, .a = 1, .fd = -1,
	}, copy->looked);
}

static void
down(void *ctx, enum ssh_outcome outcome, struct str reason)
{
	struct copy *copy = ctx;
	if (copy->ending) {
		end_now(copy);
		return;
	}
	copy_end(copy, outcome == SSH_LOST && !copy->use.told_up ?
	    SSH_UNREACHABLE : outcome, arena_str(&copy->arena, reason));
}

/* It is to stop; or the half file did not go in time. */
static void
due(struct op *op)
{
	struct copy *copy = (struct copy *)op;
	if (copy->ending)
		end_now(copy);
	else
		copy_end(copy, SSH_LOST, STR("stopped"));
}

static void
cancel(struct op *op)
{
	let_go((struct copy *)op);
}

static void
release(struct op *op)
{
	struct copy *copy = (struct copy *)op;
	strbuf_release(&copy->left_out);
	strbuf_release(&copy->sums);
	strbuf_release(&copy->said);
	arena_release(&copy->arena);
	free(copy);
}

/* SFTP knows no tilde; what is relative is below the home directory. */
static struct str
remote_path(struct arena *arena, struct str path)
{
	if (str_starts(path, STR("~/")))
		path = str_sub(path, 2, path.len);
	while (path.len > 1 && path.data[path.len - 1] == '/')
		path.len--;
	return path.len == 0 || str_is(path, "~") ? STR(".") :
	    arena_str(arena, path);
}

struct copy *
copy_new(struct ssh *ssh, const struct ssh_target *target, struct str local,
    struct str remote, const struct ssh_copy_calls *calls, void *ctx)
{
	struct copy *copy = calloc(1, sizeof *copy);
	if (copy == NULL)
		fail_out_of_memory();
	copy->ssh = ssh;
	copy->calls = *calls;
	copy->ctx = ctx;
	copy->op = (struct op){
		.due_ms = -1, .due = due, .cancel = cancel,
		.release = release,
	};
	copy->channel.message = message_came;
	copy->channel.ctx = copy;
	ssh_copy_target(&copy->arena, target, &copy->target);
	copy->local = arena_str(&copy->arena, local);
	copy->into = str_ends(remote, STR("/"));
	copy->remote = remote_path(&copy->arena, remote);
	copy->use = (struct use){
		.up = up, .down = down, .ctx = copy, .target = &copy->target,
	};
	session_use(ssh, &copy->use);
	op_add(ssh, &copy->op);
	return copy;
}

bool
ssh_copy_stop(struct ssh *ssh, uint64_t number)
{
	struct op *op = op_find(ssh, number);
	struct copy *copy = (struct copy *)op;

	if (op == NULL || op->cancel != cancel)
		return false;
	if (copy->use.session == NULL || !copy->use.told_up)
		return false;
	if (!copy->ending)
		op->due_ms = ssh_now(ssh);
	return true;
}

struct str
copy_base_name(struct str path)
{
	while (path.len > 1 && path.data[path.len - 1] == '/')
		path.len--;
	path = str_sub(path, (size_t)(str_rfind(path, '/') + 1), path.len);
	return str_is(path, ".") || str_is(path, "..") ? STR("") : path;
}

struct str
copy_part(struct copy *copy, struct str path)
{
	size_t base = (size_t)(str_rfind(path, '/') + 1);

	/* A name may have 255 bytes. */
	return arena_printf(&copy->arena, STR_FMT ".podform-part",
	    STR_ARG(str_sub(path, 0, base + PART_NAME_MAX)));
}

void
copy_leave_out(struct copy *copy, struct str path, const char *why)
{
	strbuf_adds(&copy->left_out, "left out: ");
	strbuf_add_escaped(&copy->left_out, path);
	strbuf_addf(&copy->left_out, " %s\n", why);
	if (copy->left_out.len > LEFT_OUT_MAX)
		copy_fail(copy, SSH_LOCAL, STR_FMT ": too many names that "
		    "cannot be copied", STR_ARG(copy->remote));
}

struct str
copy_join(struct copy *copy, struct str directory, struct str name)
{
	if (name.len == 0)
		return directory;
	return arena_printf(&copy->arena, STR_FMT "%s" STR_FMT,
	    STR_ARG(directory), str_ends(directory, STR("/")) ? "" : "/",
	    STR_ARG(name));
}

struct copy_item *
copy_add(struct copy *copy, struct str local, struct str remote,
    unsigned mode, uint64_t size)
{
	struct copy_item *item;
	if (copy->items.n >= COPY_ITEMS_MAX)
		return NULL;
	item = ARENA_PUSH(&copy->arena, &copy->items);
	*item = (struct copy_item){
		.local = local, .remote = remote, .mode = mode, .size = size,
	};
	if (!S_ISDIR(mode))
		copy->total += size;
	return item;
}
