/*
 * exec.c - a command: its output goes out as far as podform gave credit,
 * its input comes as far as the pod takes it.
 */
#include "cmd/podform-ssh/exec.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/podform-ssh/channel.h"

/* Input that the pod does not take; podform is told what was taken. */
enum { INPUT_MAX = 8 << 20 };
#define CLOSE_US (5 * (int64_t)SECOND_US)

struct exec {
	bool merge;
	int64_t credit;
	char *input;		/* of input_size bytes, input_at are sent */
	size_t input_at, input_size;
	bool input_ends;
	int64_t over_us;	/* since when only the close is missing */
};

static void
exec_opened(struct worker *worker, struct channel *channel)
{
	struct exec *exec = channel->own;

	(void)worker;
	if (exec->merge)	/* of what is read from now on */
		libssh2_channel_handle_extended_data2(channel->ssh,
		    LIBSSH2_CHANNEL_EXTENDED_DATA_MERGE);
}

static void
exec_failed(struct worker *worker, struct channel *channel,
    enum wire_failure failure, const char *why)
{
	talk_text(worker, WIRE_FAILED, channel->id, failure, why);
}

static void
exec_release(struct worker *worker, struct channel *channel)
{
	struct exec *exec = channel->own;

	(void)worker;
	free(exec->input);
	free(exec);
}

static void
send_input(struct worker *worker, struct channel *channel)
{
	struct exec *exec = channel->own;
	size_t taken = 0;

	while (channel_push(worker, channel) &&
	    exec->input_at < exec->input_size) {
		size_t left = exec->input_size - exec->input_at;
		size_t room = channel_room(worker, channel);

		if (room == 0)
			break;
		if (room > left)
			room = left;
		channel_write(worker, channel, exec->input + exec->input_at,
		    room);
		exec->input_at += room;
		taken += room;
	}
	if (exec->input_at == exec->input_size) {
		free(exec->input);
		exec->input = NULL;
		exec->input_at = exec->input_size = 0;
		if (exec->input_ends && !channel->eof_wanted) {
			channel_end(channel);
			channel_push(worker, channel);
		}
	}
	if (taken > 0)
		talk_say(worker, &(struct wire){ .type = WIRE_TAKEN,
		    .channel = channel->id, .a = (int64_t)taken, .fd = -1 });
}

/* Pass on what one stream brings; true if nothing more is there now. */
static bool
pass_output(struct worker *worker, struct channel *channel, int stream)
{
	struct exec *exec = channel->own;
	size_t size = WIRE_PAYLOAD_MAX, passed = 0;
	ssize_t n;

	while (exec->credit > 0 && talk_clear(worker) &&
	    passed < WORKER_CHANNEL_TURN) {
		if (exec->credit < (int64_t)size)
			size = (size_t)exec->credit;
		n = channel_read(worker, channel, stream, worker->scratch,
		    size);
		if (n <= 0)
			return true;
		exec->credit -= n;
		passed += (size_t)n;
		talk_say(worker, &(struct wire){ .type = WIRE_OUT,
		    .channel = channel->id, .a = stream == 0 ? 1 : 2,
		    .payload = worker->scratch, .size = (size_t)n,
		    .fd = -1 });
	}
	if (passed >= WORKER_CHANNEL_TURN)
		worker->again = true;
	return false;
}

/* How it ended; a name of a signal is short and made of capitals. */
static void
say_exit(struct worker *worker, struct channel *channel)
{
	char *name = NULL;
	size_t size = 0;
	int64_t status = channel->has_status ?
	    libssh2_channel_get_exit_status(channel->ssh) : -1;

	if (libssh2_channel_get_exit_signal(channel->ssh, &name, &size, NULL,
	    NULL, NULL, NULL) != 0)
		name = NULL;
	if (name != NULL) {
		status = -1;
		if (size > 32)
			size = 32;
		for (size_t i = 0; i < size; i++)
			if (name[i] <= ' ' || name[i] >= 0x7f)
				name[i] = '?';
	}
	talk_say(worker, &(struct wire){ .type = WIRE_EXIT,
	    .channel = channel->id, .a = status, .payload = name,
	    .size = name != NULL ? size : 0, .fd = -1 });
	if (name != NULL)
		libssh2_free(worker->session, name);
}

/* A server that told the status and the end has only to close, too. */
static bool
is_over(struct worker *worker, struct channel *channel)
{
	struct exec *exec = channel->own;

	if (!channel_at_end(channel))
		return false;
	if (channel_closed(worker, channel))
		return true;
	if (!channel->has_status)
		return false;
	if (exec->over_us == 0)
		exec->over_us = worker->now_us;
	worker_wake(worker, exec->over_us + CLOSE_US);
	return worker->now_us >= exec->over_us + CLOSE_US;
}

static void
exec_turn(struct worker *worker, struct channel *channel)
{
	struct exec *exec = channel->own;
	bool drained, closed = channel->has_close;

	if (channel->state != CHANNEL_RUNNING)
		return;
	send_input(worker, channel);
	drained = pass_output(worker, channel, 0);
	if (!exec->merge && pass_output(worker, channel,
	    SSH_EXTENDED_DATA_STDERR))
		channel_drop_others(channel);
	else
		drained = drained && exec->merge;
	/* Closed before we looked, so nothing came behind our back. */
	if ((drained && closed) || is_over(worker, channel)) {
		say_exit(worker, channel);
		channel_close(worker, channel);
	}
}

static const struct channel_kind exec_kind = {
	.turn = exec_turn, .opened = exec_opened, .failed = exec_failed,
	.release = exec_release,
};

static void
exec_begin(struct worker *worker, const struct wire *message)
{
	struct channel *channel = channel_new(worker, &exec_kind,
	    message->channel, sizeof(struct exec));
	struct exec *exec = channel->own;

	exec->merge = message->a == 1;
	exec->credit = WIRE_CREDIT_FIRST;
	channel_start_with(channel, "exec", message->payload, message->size);
	channel_open(worker, channel, "session", NULL, 0);
}

static void
take_input(struct channel *channel, const struct wire *message)
{
	struct exec *exec = channel->own;
	size_t left = exec->input_size - exec->input_at;
	char *joined;

	if (exec->input_ends || left + message->size > INPUT_MAX)
		worker_nonsense();
	joined = worker_alloc(left + message->size);
	if (left > 0)
		memcpy(joined, exec->input + exec->input_at, left);
	memcpy(joined + left, message->payload, message->size);
	free(exec->input);
	exec->input = joined;
	exec->input_at = 0;
	exec->input_size = left + message->size;
}

void
exec_message(struct worker *worker, struct wire *message)
{
	struct channel *channel;
	struct exec *exec;

	if (message->type == WIRE_EXEC) {
		exec_begin(worker, message);
		return;
	}
	/* What crosses its end on the way means nothing any more. */
	channel = channel_find(worker, message->channel, &exec_kind);
	if (channel == NULL)
		return;
	exec = channel->own;
	if (message->type == WIRE_INPUT) {
		take_input(channel, message);
	} else if (message->type == WIRE_INPUT_END) {
		exec->input_ends = true;
	} else {
		if (message->a < 0 || message->a > INT32_MAX ||
		    exec->credit > INT32_MAX)
			worker_nonsense();
		exec->credit += message->a;
	}
}
