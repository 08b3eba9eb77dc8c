/*
 * channel.c - the life of a channel.
 */
#include "cmd/podform-ssh/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/podform-ssh/library.h"

enum {
	WRITE_MAX = 32700,	/* libssh2 takes no more at once */
	OPEN_TRIES = 2,
};
#define OPEN_PATIENCE_US (20 * (int64_t)SECOND_US)
/* It has only to answer; else we would collect them. */
#define CLOSE_PATIENCE_US (45 * (int64_t)SECOND_US)

struct channel *
channel_new(struct worker *worker, const struct channel_kind *kind,
    uint32_t id, size_t own_size)
{
	struct channel *channel = worker_alloc(sizeof *channel);
	struct channel **end = &worker->channels;

	*channel = (struct channel){ .kind = kind, .id = id,
	    .own = worker_alloc(own_size), .window = CHANNEL_WINDOW };
	while (*end != NULL)
		end = &(*end)->next;
	*end = channel;
	worker->nchannels++;
	worker->again = true;
	return channel;
}

struct channel *
channel_find(struct worker *worker, uint32_t id,
    const struct channel_kind *kind)
{
	struct channel *channel = worker->channels;

	while (channel != NULL &&
	    (channel->id != id || channel->kind != kind))
		channel = channel->next;
	return channel;
}

void
channel_open(struct worker *worker, struct channel *channel, const char *type,
    const void *message, size_t message_size)
{
	channel->type = type;
	channel->message = worker_copy(message, message_size);
	channel->message_size = message_size;
	channel->state = CHANNEL_WAITING;
	worker->again = true;
}

void
channel_start_with(struct channel *channel, const char *request,
    const void *command, size_t size)
{
	channel->request = request;
	channel->command = worker_copy(command, size);
	channel->command_size = size;
}

size_t
channel_windows(const struct worker *worker)
{
	size_t sum = 0;

	for (const struct channel *channel = worker->channels;
	    channel != NULL; channel = channel->next)
		sum += channel->window;
	return sum;
}

void
channel_saw_status(struct worker *worker, uint32_t ssh_id)
{
	for (struct channel *channel = worker->channels; channel != NULL;
	    channel = channel->next)
		if (channel->ssh != NULL && channel->ssh_id == ssh_id)
			channel->has_status = true;
}

void
channel_saw_close(struct worker *worker, uint32_t ssh_id)
{
	for (struct channel *channel = worker->channels; channel != NULL;
	    channel = channel->next)
		if (channel->ssh != NULL && channel->ssh_id == ssh_id)
			channel->has_close = true;
}

void
channel_close(struct worker *worker, struct channel *channel)
{
	if (channel->kind == NULL)
		return;
	channel->kind->release(worker, channel);
	channel->kind = NULL;
	channel->own = NULL;
	if (channel->state == CHANNEL_OPENING ||
	    channel->state == CHANNEL_STARTING)
		channel->unwanted = true;
	else
		channel->state = channel->ssh != NULL ? CHANNEL_CLOSING :
		    CHANNEL_GONE;
	worker->again = true;
}

static void
channel_fail(struct worker *worker, struct channel *channel,
    enum wire_failure failure, const char *why)
{
	channel->state = channel->ssh != NULL ? CHANNEL_CLOSING :
	    CHANNEL_GONE;
	if (channel->kind != NULL)
		channel->kind->failed(worker, channel, failure, why);
	channel_close(worker, channel);
}

static void
channel_run(struct worker *worker, struct channel *channel)
{
	worker->again = true;
	if (channel->unwanted) {
		channel->state = CHANNEL_CLOSING;
	} else if (channel->request != NULL) {
		channel->state = CHANNEL_TO_START;
	} else {
		channel->state = CHANNEL_RUNNING;
		channel->kind->opened(worker, channel);
	}
}

static void
open_failed(struct worker *worker, struct channel *channel)
{
	char *text = NULL, why[160];
	int code = libssh2_session_last_error(worker->session, &text, NULL,
	    0);
	const char *reason;

	worker_check(worker, code);
	/* The answer to an open that was given up may come for the next. */
	if (code == LIBSSH2_ERROR_SOCKET_NONE &&
	    ++channel->tries < OPEN_TRIES && !channel->unwanted) {
		channel->state = CHANNEL_WAITING;
		worker->again = true;
		return;
	}
	reason = text != NULL ? strchr(text, '(') : NULL;
	if (code == LIBSSH2_ERROR_TIMEOUT)
		channel_fail(worker, channel, WIRE_FAIL_TIMEOUT,
		    "the server did not answer in time");
	else if (reason != NULL && snprintf(why, sizeof why,
	    "the server refuses a channel: %.*s",
	    (int)strcspn(reason + 1, ")"), reason + 1) > 0)
		channel_fail(worker, channel, WIRE_FAIL_REFUSED, why);
	else
		channel_fail(worker, channel, WIRE_FAIL_REFUSED,
		    "the server refuses a channel");
}

/* Ask for the answer to an open; the first time, send it. */
static void
open_ask(struct worker *worker, struct channel *channel)
{
	if (channel->parked)
		opens_resume(worker->session, &channel->open);
	library_hurry(worker->now_us >= channel->until_us);
	channel->ssh = libssh2_channel_open_ex(worker->session, channel->type,
	    (unsigned)strlen(channel->type), CHANNEL_WINDOW, CHANNEL_PACKET,
	    channel->message, (unsigned)channel->message_size);
	library_hurry(false);
	if (channel->ssh == NULL &&
	    libssh2_session_last_errno(worker->session) ==
	    LIBSSH2_ERROR_EAGAIN) {
		channel->parked = opens_park(worker->session, channel->type,
		    &channel->open);
		worker->opening = channel->parked ? NULL : channel;
		worker_wake(worker, channel->until_us);
		return;
	}
	channel->parked = false;
	worker->opening = NULL;
	worker->again = true;
	if (channel->ssh == NULL) {
		open_failed(worker, channel);
		return;
	}
	channel->ssh_id = worker->opened_id;
	channel_run(worker, channel);
}

static void
open_step(struct worker *worker, struct channel *channel)
{
	if (channel->state == CHANNEL_WAITING) {
		if (worker->opening != NULL)
			return;
		channel->state = CHANNEL_OPENING;
		channel->asked_us = worker->now_us;
		channel->until_us = worker->now_us + OPEN_PATIENCE_US;
		channel->open = (struct open_state){ 0 };
		opens_begin(channel->type);
	}
	/* One that could not be parked has the session to itself. */
	if (worker->opening == NULL || worker->opening == channel)
		open_ask(worker, channel);
}

static void
start_step(struct worker *worker, struct channel *channel)
{
	int code;

	if (channel->state == CHANNEL_TO_START) {
		channel->state = CHANNEL_STARTING;
		channel->until_us = worker->now_us + OPEN_PATIENCE_US;
	}
	library_hurry(worker->now_us >= channel->until_us);
	code = libssh2_channel_process_startup(channel->ssh, channel->request,
	    (unsigned)strlen(channel->request), channel->command,
	    (unsigned)channel->command_size);
	library_hurry(false);
	if (code == LIBSSH2_ERROR_EAGAIN) {
		worker_wake(worker, channel->until_us);
		return;
	}
	worker->again = true;
	if (code == 0) {
		channel->request = NULL;
		channel_run(worker, channel);
		return;
	}
	worker_check(worker, code);
	channel_fail(worker, channel, code == LIBSSH2_ERROR_TIMEOUT ?
	    WIRE_FAIL_TIMEOUT : WIRE_FAIL_REFUSED,
	    "the server does not start what was asked for");
}

static void
close_step(struct worker *worker, struct channel *channel)
{
	int code = libssh2_channel_free(channel->ssh);

	if (channel->closing_us == 0)
		channel->closing_us = worker->now_us;
	if (code == LIBSSH2_ERROR_EAGAIN || code == LIBSSH2_ERROR_BAD_USE) {
		int64_t until_us = channel->closing_us + CLOSE_PATIENCE_US;

		if (worker->now_us >= until_us)
			worker_down(worker, WIRE_FAIL_LOST,
			    "the server does not close a channel that we "
			    "have closed");
		worker_wake(worker, until_us);
		return;
	}
	worker_check(worker, code);
	channel->ssh = NULL;
	channel->state = CHANNEL_GONE;
	worker->again = true;
}

static void
sweep(struct worker *worker)
{
	for (struct channel **at = &worker->channels; *at != NULL;) {
		struct channel *channel = *at;

		if (channel->state != CHANNEL_GONE) {
			at = &channel->next;
			continue;
		}
		*at = channel->next;
		worker->nchannels--;
		free(channel->message);
		free(channel->command);
		free(channel->pending);
		free(channel);
	}
}

/*
 * Whoever waits for an answer must not read himself: the library takes the
 * answer to another for an error of his.  All that came has been read by
 * channel_pump(), and with a quota of 0 no more comes.
 */
void
channel_turns(struct worker *worker)
{
	worker->transport.quota = 0;
	for (struct channel *channel = worker->channels; channel != NULL;
	    channel = channel->next) {
		if (channel->state == CHANNEL_WAITING ||
		    channel->state == CHANNEL_OPENING)
			open_step(worker, channel);
		if (channel->state == CHANNEL_TO_START ||
		    channel->state == CHANNEL_STARTING)
			start_step(worker, channel);
		if (channel->state == CHANNEL_CLOSING)
			close_step(worker, channel);
		else if (channel->kind != NULL)
			channel->kind->turn(worker, channel);
	}
	sweep(worker);
}

void
channel_watch(struct worker *worker)
{
	for (struct channel *channel = worker->channels; channel != NULL;
	    channel = channel->next)
		if (channel->kind != NULL && channel->kind->watch != NULL)
			channel->kind->watch(worker, channel);
}

/* A channel of the library through which can be read, without harm. */
static LIBSSH2_CHANNEL *
readable(struct channel *channel)
{
	if (channel->state == CHANNEL_OPENING)
		return channel->parked ? channel->open.channel : NULL;
	return channel->state == CHANNEL_CLOSING ? NULL : channel->ssh;
}

bool
channel_pump(struct worker *worker)
{
	bool pumped = worker->opening != NULL;

	for (struct channel *channel = worker->channels; channel != NULL;
	    channel = channel->next) {
		LIBSSH2_CHANNEL *ssh = readable(channel);
		ssize_t n;

		if (channel->state == CHANNEL_CLOSING)
			pumped = true;
		if (ssh == NULL)
			continue;
		if (channel->state == CHANNEL_RUNNING &&
		    !window_keep(worker, channel))
			return true;
		n = libssh2_channel_read_ex(ssh, 0, worker->scratch, 0);
		if (n < 0)
			worker_check(worker, (int)n);
		return true;
	}
	return pumped;
}

void
channel_deafen(struct channel *channel)
{
	libssh2_channel_handle_extended_data2(channel->ssh,
	    LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
}

void
channel_drop_others(struct channel *channel)
{
	/* It may want to give back some window, one thing at a time. */
	if (channel->adjusting == 0)
		libssh2_channel_flush_ex(channel->ssh,
		    LIBSSH2_CHANNEL_FLUSH_EXTENDED_DATA);
}

ssize_t
channel_read(struct worker *worker, struct channel *channel, int stream,
    void *buffer, size_t size)
{
	ssize_t n;

	if (!window_keep(worker, channel))
		return 0;
	n = libssh2_channel_read_ex(channel->ssh, stream, buffer, size);
	login_check_host(worker);
	if (n > 0) {
		channel->read_bytes += (uint64_t)n;
		window_keep(worker, channel);
		return n;
	}
	if (n < 0) {
		worker_check(worker, (int)n);
		return 0;
	}
	/* Data behind the close make the library forget the end. */
	return channel->has_close || channel_at_end(channel) ? -1 : 0;
}

bool
channel_at_end(struct channel *channel)
{
	return libssh2_channel_eof(channel->ssh) == 1;
}

bool
channel_closed(struct worker *worker, struct channel *channel)
{
	int code = libssh2_channel_wait_closed(channel->ssh);

	if (code == 0)
		return true;
	worker_check(worker, code);
	return false;
}

size_t
channel_room(struct worker *worker, struct channel *channel)
{
	unsigned long window;

	if (channel->pending_at < channel->pending_end ||
	    channel->eof_wanted || !worker_may_send(worker))
		return 0;
	window = libssh2_channel_window_write_ex(channel->ssh, NULL);
	return window < WRITE_MAX ? window : WRITE_MAX;
}

void
channel_write(struct worker *worker, struct channel *channel,
    const void *bytes, size_t size)
{
	if (channel->pending == NULL)
		channel->pending = worker_alloc(WRITE_MAX);
	memcpy(channel->pending, bytes, size);
	channel->pending_at = 0;
	channel->pending_end = size;
	channel_push(worker, channel);
}

void
channel_end(struct channel *channel)
{
	channel->eof_wanted = true;
}

bool
channel_push(struct worker *worker, struct channel *channel)
{
	while (channel->pending_at < channel->pending_end) {
		ssize_t n = libssh2_channel_write_ex(channel->ssh, 0,
		    channel->pending + channel->pending_at,
		    channel->pending_end - channel->pending_at);

		if (n == LIBSSH2_ERROR_EAGAIN || n == LIBSSH2_ERROR_BAD_USE)
			return false;
		if (n <= 0) {
			worker_check(worker, (int)n);
			channel->pending_at = channel->pending_end;
		} else {
			channel->pending_at += (size_t)n;
		}
	}
	if (channel->eof_wanted && !channel->eof_sent) {
		int code = libssh2_channel_send_eof(channel->ssh);

		if (code == LIBSSH2_ERROR_EAGAIN ||
		    code == LIBSSH2_ERROR_BAD_USE)
			return false;
		worker_check(worker, code);
		channel->eof_sent = true;
	}
	return true;
}
