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
	/* What is half there locally goes; on the pod it stays a file of a
	 * name that nobody uses. */
	if (copy->temporary != NULL)
		unlink(copy->temporary);
	copy->temporary = NULL;
}

void
copy_end(struct copy *copy, enum ssh_outcome outcome, struct str reason)
{
	struct ssh_answer answer = {
		.outcome = outcome, .status = outcome == SSH_DONE ? 0 : -1,
		.reason = reason, .fingerprint = copy->use.fingerprint,
		.output = strbuf_str(&copy->left_out),
	};
	if (copy->op.over)
		return;
	answer.output_bytes = answer.output.len;
	copy->op.over = true;
	copy->ssh->work = true;
	let_go(copy);
	copy->calls.end(copy->ctx, &answer);
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
	copy_fail(copy, message->a == WIRE_FAIL_LOCAL ? SSH_LOCAL : SSH_LOST,
	    STR_FMT ": %s", STR_ARG(about), message->size > 0 ?
	    (const char *)message->payload : "failed");
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
		copy_fail(copy, SSH_LOST, "the copy differs from what was "
		    "sent: " STR_FMT, STR_ARG(strbuf_str(&copy->said)));
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

void
copy_verify(struct copy *copy)
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
	copy->begin(copy);
}

static void
down(void *ctx, enum ssh_outcome outcome, struct str reason)
{
	struct copy *copy = ctx;
	copy_end(copy, outcome == SSH_LOST && !copy->use.told_up ?
	    SSH_UNREACHABLE : outcome, arena_str(&copy->arena, reason));
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
		.due_ms = -1, .cancel = cancel, .release = release,
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

struct str
copy_base_name(struct str path)
{
	while (path.len > 1 && path.data[path.len - 1] == '/')
		path.len--;
	return str_sub(path, (size_t)(str_rfind(path, '/') + 1), path.len);
}

struct str
copy_join(struct copy *copy, struct str directory, struct str name)
{
	return name.len == 0 ? directory : arena_printf(&copy->arena,
	    STR_FMT "/" STR_FMT, STR_ARG(directory), STR_ARG(name));
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
