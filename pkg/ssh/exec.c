/* exec.c - a command with streams: ssh_exec() of ssh.h */
#include <stdlib.h>
#include <string.h>

#include "ssh/session.h"

enum {
	/* Input that the worker may hold for a pod that does not read. */
	AHEAD_MAX = 1 << 20,
	CREDIT_STEP = 64 << 10,
};

struct exec {
	struct op op;
	struct ssh *ssh;
	struct arena arena;
	struct ssh_target target;
	struct use use;
	struct channel channel;
	struct str command;
	struct ssh_exec_calls calls;
	void *ctx;
	bool open, parked;
	bool input_ends, end_sent;
	bool wants_room;		/* ssh_exec_input took less than all */
	size_t ahead;			/* sent and not yet taken by the pod */
	int64_t owed;			/* credit not yet given back */
	/* Until the channel is known to be open, input is kept: a server
	 * that refuses the channel for now has not had it. */
	bool heard;
	struct strbuf kept;
};

static void
let_go(struct exec *exec)
{
	if (exec->open)
		channel_send(&exec->channel, &(struct wire){
			.type = WIRE_CANCEL, .fd = -1,
		});
	exec->open = false;
	channel_close(&exec->channel);
	session_leave(&exec->use);
}

static void
end(struct exec *exec, enum ssh_outcome outcome, int status,
    struct str reason)
{
	struct ssh_answer answer = {
		.outcome = outcome, .status = status, .reason = reason,
	};
	if (exec->op.over)
		return;
	if (exec->use.fingerprint.len > 0)
		answer.fingerprint = arena_str(&exec->arena,
		    exec->use.fingerprint);
	exec->op.over = true;
	exec->ssh->work = true;
	exec->open = false;
	answer.reason = arena_str(&exec->arena, reason);
	let_go(exec);
	exec->calls.end(exec->ctx, &answer);
}

static void
send_end(struct exec *exec)
{
	if (!exec->open || !exec->input_ends || exec->end_sent)
		return;
	exec->end_sent = true;
	channel_send(&exec->channel, &(struct wire){
		.type = WIRE_INPUT_END, .fd = -1,
	});
}

static void
send_input(struct exec *exec, struct str part)
{
	channel_send(&exec->channel, &(struct wire){
		.type = WIRE_INPUT, .payload = part.data, .size = part.len,
		.fd = -1,
	});
}

static void
send_again(struct exec *exec)
{
	struct str kept = strbuf_str(&exec->kept);
	for (size_t at = 0; at < kept.len; at += WIRE_PAYLOAD_MAX)
		send_input(exec, str_sub(kept, at, WIRE_PAYLOAD_MAX));
}

/* It is open: the kept input, which may hold secrets, can go. */
static void
has_begun(struct exec *exec)
{
	exec->heard = true;
	if (exec->kept.data != NULL)
		explicit_bzero(exec->kept.data, exec->kept.len);
	strbuf_release(&exec->kept);
}

static void
start(struct exec *exec)
{
	channel_send(&exec->channel, &(struct wire){
		.type = WIRE_EXEC, .payload = exec->command.data,
		.size = exec->command.len, .fd = -1,
	});
	exec->open = true;
	exec->parked = false;
	send_again(exec);
	send_end(exec);
	if (exec->wants_room && exec->calls.writable != NULL) {
		exec->wants_room = false;
		exec->calls.writable(exec->ctx);
	}
}

static void
give_credit(struct exec *exec)
{
	if (exec->owed < CREDIT_STEP || !exec->open)
		return;
	channel_send(&exec->channel, &(struct wire){
		.type = WIRE_CREDIT, .a = exec->owed, .fd = -1,
	});
	exec->owed = 0;
}

/* Is somebody else on this session, who will make room when done? */
static bool
has_company(const struct exec *exec)
{
	const struct session *session = exec->channel.session;
	for (const struct channel *c = session->channels; c != NULL;
	    c = c->next)
		if (c != &exec->channel)
			return true;
	return false;
}

static void
failed(struct exec *exec, const struct wire *message)
{
	struct str words = message->size > 0 ?
	    (struct str){ message->payload, message->size } :
	    STR("the SSH worker does not say why");

	if (message->a == WIRE_FAIL_REFUSED && !exec->heard &&
	    has_company(exec)) {
		exec->open = false;
		exec->parked = true;
		exec->end_sent = false;
		return;
	}
	exec->open = false;
	end(exec, message->a == WIRE_FAIL_REFUSED ? SSH_UNUSABLE :
	    message->a == WIRE_FAIL_LOCAL ? SSH_LOCAL : SSH_LOST, -1, words);
}

static void
message_came(void *ctx, const struct wire *message)
{
	struct exec *exec = ctx;
	struct str bytes = { message->payload, message->size };

	switch (message->type) {
	case WIRE_OUT:
		has_begun(exec);
		exec->owed += (int64_t)bytes.len;
		exec->calls.output(exec->ctx, message->a == 2 ? 2 : 1, bytes);
		if (!exec->op.over)
			give_credit(exec);
		break;
	case WIRE_TAKEN:
		has_begun(exec);
		exec->ahead -= message->a < 0 ||
		    (uint64_t)message->a > exec->ahead ? exec->ahead :
		    (size_t)message->a;
		if (exec->wants_room && exec->ahead <= AHEAD_MAX / 2 &&
		    exec->calls.writable != NULL) {
			exec->wants_room = false;
			exec->calls.writable(exec->ctx);
		}
		break;
	case WIRE_EXIT:
		exec->open = false;
		end(exec, SSH_DONE, message->a >= 0 && message->a <= 255 ?
		    (int)message->a : -1, bytes);
		break;
	case WIRE_FAILED:
		failed(exec, message);
		break;
	default:
		break;
	}
}

static void
room(void *ctx)
{
	struct exec *exec = ctx;
	if (exec->parked)
		start(exec);
}

static void
up(void *ctx)
{
	struct exec *exec = ctx;
	exec->channel.message = message_came;
	exec->channel.room = room;
	exec->channel.ctx = exec;
	channel_open(exec->use.session, &exec->channel);
	start(exec);
}

static void
down(void *ctx, enum ssh_outcome outcome, struct str reason)
{
	struct exec *exec = ctx;
	struct str kept = arena_str(&exec->arena, reason);
	exec->open = false;
	/* What never began is no loss. */
	if (outcome == SSH_LOST && !exec->use.told_up)
		outcome = SSH_UNREACHABLE;
	end(exec, outcome, -1, kept);
}

static void
cancel(struct op *op)
{
	let_go((struct exec *)op);
}

static void
release(struct op *op)
{
	struct exec *exec = (struct exec *)op;
	has_begun(exec);
	arena_release(&exec->arena);
	free(exec);
}

uint64_t
ssh_exec(struct ssh *ssh, const struct ssh_target *target,
    struct str command, const struct ssh_exec_calls *calls, void *ctx)
{
	struct exec *exec = calloc(1, sizeof *exec);
	if (exec == NULL)
		fail_out_of_memory();
	exec->ssh = ssh;
	exec->op = (struct op){
		.due_ms = -1, .cancel = cancel, .release = release,
	};
	ssh_copy_target(&exec->arena, target, &exec->target);
	exec->command = arena_str(&exec->arena, command);
	exec->calls = *calls;
	exec->ctx = ctx;
	exec->use = (struct use){
		.up = up, .down = down, .ctx = exec, .target = &exec->target,
	};
	session_use(ssh, &exec->use);
	return op_add(ssh, &exec->op);
}

static struct exec *
find(struct ssh *ssh, uint64_t number)
{
	struct op *op = op_find(ssh, number);
	return op != NULL && op->cancel == cancel ? (struct exec *)op : NULL;
}

size_t
ssh_exec_input(struct ssh *ssh, uint64_t number, struct str bytes)
{
	struct exec *exec = find(ssh, number);
	size_t taken = 0;

	if (exec == NULL || exec->input_ends)
		return bytes.len;	/* nobody reads it any more */
	while (exec->open && taken < bytes.len && exec->ahead < AHEAD_MAX) {
		struct str part = str_sub(bytes, taken, WIRE_PAYLOAD_MAX);
		send_input(exec, part);
		if (!exec->heard)
			strbuf_add(&exec->kept, part);
		taken += part.len;
		exec->ahead += part.len;
	}
	exec->wants_room = taken < bytes.len;
	return taken;
}

void
ssh_exec_input_end(struct ssh *ssh, uint64_t number)
{
	struct exec *exec = find(ssh, number);
	if (exec == NULL)
		return;
	exec->input_ends = true;
	send_end(exec);
}

/* -------------------------------------------------------------- stopping -- */

/*
 * A channel that is closed ends nothing, libssh2 1.10 has no words for the
 * signal request, and dropbear does not know it.  So a second command finds
 * the first: the server's process for our connection is the parent of both,
 * and what it has started leads a process group.  A process that has left
 * its group on purpose is left alone.  %s: the signal.
 */
static const char stop_text[] =
    "exec 2>/dev/null; up=$PPID groups=\n"
    "for q in /proc/[0-9]*; do\n"
    "read -r l <\"$q/stat\" || continue\n"
    "p=${q#/proc/}; set -- ${l##*) }\n"
    "[ \"$2\" = \"$up\" ] && [ \"$3\" = \"$p\" ] &&"
    " [ \"$p\" != \"$$\" ] && groups=\"$groups $p\"\n"
    "done\n"
    "for s in %s TERM KILL; do\n"
    "left=; for p in $groups; do kill -$s \"-$p\" && left=\"$left $p\";"
    " done\n"
    "groups=$left i=0\n"
    "[ $s = KILL ] && exit\n"
    "[ $s = TERM ] && n=50 || n=100\n"
    "while [ $i -lt $n ]; do left=\n"
    "for p in $groups; do kill -0 \"-$p\" && left=$p; done\n"
    "[ -n \"$left\" ] || exit; sleep 0.1; i=$((i + 1)); done\n"
    "done";

static void
stop_output(void *ctx, int stream, struct str bytes)
{
	(void)ctx;
	(void)stream;
	(void)bytes;
}

static void
stop_end(void *ctx, const struct ssh_answer *answer)
{
	(void)ctx;
	(void)answer;
}

bool
ssh_exec_stop(struct ssh *ssh, uint64_t number, const char *signal)
{
	static const struct ssh_exec_calls calls = {
		.output = stop_output, .end = stop_end,
	};
	struct exec *exec = find(ssh, number);
	struct str text;
	uint64_t stop;

	if (exec == NULL || !exec->open)
		return false;
	text = arena_printf(&exec->arena, stop_text, signal);
	stop = ssh_exec(ssh, &exec->target, arena_printf(&exec->arena,
	    "exec /bin/sh -c '" STR_FMT "'", STR_ARG(text)), &calls, NULL);
	ssh_exec_input_end(ssh, stop);
	return true;
}
