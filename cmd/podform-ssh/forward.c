/*
 * forward.c - listeners here and on the pod.
 */
#include "cmd/podform-ssh/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/tunnel.h"
#include "cmd/podform-ssh/channel.h"
#include "cmd/podform-ssh/library.h"
#include "cmd/podform-ssh/stream.h"

enum {
	ACCEPT_TURN = 16,
	REMOTE_QUEUE = 16,	/* connections that wait for us to look */
	HOST_MAX = 255,
};
#define LISTEN_PATIENCE_US (20 * (int64_t)SECOND_US)

static struct forward *
find(struct worker *worker, uint32_t id)
{
	struct forward *forward = worker->forwards;

	while (forward != NULL && (forward->id != id || forward->over))
		forward = forward->next;
	return forward;
}

/* "host NUL port"; neither may be cut by another NUL. */
static bool
read_place(const struct wire *message, struct forward *forward)
{
	const char *text = message->payload;
	size_t length = strnlen(text, message->size);
	char *end;
	long port;

	if (length > HOST_MAX)
		return false;
	forward->host = worker_copy(text, length);
	if (message->size <= length + 1)
		return forward->direction == TUNNEL_DYNAMIC;
	port = strtol(text + length + 1, &end, 10);
	forward->port = (int)port;
	return end != text + length + 1 && *end == '\0' && port >= 0 &&
	    port <= 65535 &&
	    strlen(text + length + 1) == message->size - length - 1;
}

static void
begin(struct worker *worker, struct wire *message)
{
	struct forward *forward = worker_alloc(sizeof *forward);
	bool taken = find(worker, message->channel) != NULL;

	*forward = (struct forward){ .id = message->channel,
	    .direction = (int)message->a, .listener = message->fd,
	    .next = worker->forwards };
	worker->forwards = forward;
	if (message->a < TUNNEL_LOCAL || message->a > TUNNEL_DYNAMIC ||
	    !read_place(message, forward) || taken ||
	    (message->fd == -1) != (message->a == TUNNEL_REMOTE))
		worker_nonsense();
	message->fd = -1;
	worker->again = true;
	if (forward->direction == TUNNEL_REMOTE)
		return;
	/* podform keeps a copy, but never accepts from it. */
	if (fcntl(forward->listener, F_SETFL, O_NONBLOCK) == -1)
		worker_nonsense();
	talk_text(worker, WIRE_LISTENING, forward->id, 0, "");
}

void
forward_message(struct worker *worker, struct wire *message)
{
	struct forward *forward;

	if (message->type == WIRE_FORWARD) {
		begin(worker, message);
		return;
	}
	if (message->type == WIRE_UNFORWARD) {
		forward_cancel(worker, message->channel);
		return;
	}
	forward = find(worker, message->channel);
	if (forward == NULL)
		return;		/* it was closed meanwhile */
	stream_connected(worker, forward, message->a, message->fd);
	message->fd = -1;
}

bool
forward_cancel(struct worker *worker, uint32_t id)
{
	struct forward *forward = find(worker, id);

	if (forward == NULL)
		return false;
	stream_end_all(worker, forward);
	if (forward->listener != -1)
		close(forward->listener);
	forward->listener = -1;
	forward->over = true;
	worker->again = true;
	return true;
}

void
forward_watch(struct worker *worker)
{
	for (struct forward *forward = worker->forwards; forward != NULL;
	    forward = forward->next) {
		forward->ready = 0;
		if (forward->listener == -1 ||
		    worker->nchannels >= WORKER_CHANNELS_MAX)
			continue;
		if (worker->now_us >= forward->pause_us)
			loop_watch(forward->listener, POLLIN,
			    &forward->ready);
		else
			worker_wake(worker, forward->pause_us);
	}
}

static void
accept_clients(struct worker *worker, struct forward *forward)
{
	for (int i = 0; i < ACCEPT_TURN && worker->nchannels <
	    WORKER_CHANNELS_MAX; i++) {
		int fd = accept4(forward->listener, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd == -1) {
			/* Too many descriptors: later. */
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				forward->pause_us = worker->now_us +
				    SECOND_US;
			return;
		}
		stream_client(worker, forward, fd);
	}
}

/* Ask the server to listen; one such question at a time. */
static bool
ask(struct worker *worker, struct forward *forward)
{
	char *text = NULL;
	int port = forward->port, code;
	bool late;

	if (!forward->asked)
		forward->until_us = worker->now_us + LISTEN_PATIENCE_US;
	forward->asked = true;
	late = worker->now_us >= forward->until_us;
	library_hurry(late);
	forward->ssh = libssh2_channel_forward_listen_ex(worker->session,
	    forward->host[0] != '\0' ? forward->host : "localhost",
	    forward->port, &port, REMOTE_QUEUE);
	library_hurry(false);
	worker_wake(worker, forward->until_us);
	if (forward->ssh != NULL) {
		talk_text(worker, WIRE_LISTENING, forward->id, port, "");
		return true;
	}
	code = libssh2_session_last_error(worker->session, &text, NULL, 0);
	if (code == LIBSSH2_ERROR_EAGAIN)
		return false;
	/* The library has the same word for no answer as for a bad one. */
	if (!late || code != LIBSSH2_ERROR_PROTO)
		worker_check(worker, code);
	if (!forward->over)
		talk_text(worker, WIRE_FAILED, forward->id,
		    late ? WIRE_FAIL_TIMEOUT : WIRE_FAIL_REFUSED,
		    late ? "the server did not answer in time" :
		    "the server does not listen there");
	forward->over = true;
	return true;
}

static void
take_remote(struct worker *worker, struct forward *forward)
{
	LIBSSH2_CHANNEL *ssh;

	while (worker->nchannels < WORKER_CHANNELS_MAX && (ssh =
	    libssh2_channel_forward_accept(forward->ssh)) != NULL)
		stream_remote(worker, forward, ssh);
	worker_check(worker, libssh2_session_last_errno(worker->session));
}

bool
forward_pump(struct worker *worker)
{
	bool pumped = false;

	for (struct forward *forward = worker->forwards; forward != NULL;
	    forward = forward->next) {
		if (forward->ssh != NULL && !forward->over) {
			take_remote(worker, forward);
			pumped = true;
		} else if (forward->asking) {
			pumped = true;	/* the question reads */
		}
	}
	return pumped;
}

/* When the numbers changed, and not more than once a second. */
static void
say_stats(struct worker *worker, struct forward *forward)
{
	if (forward->in == forward->said_in &&
	    forward->out == forward->said_out &&
	    forward->connections == forward->said_connections)
		return;
	if (worker->now_us < forward->said_us + SECOND_US) {
		worker_wake(worker, forward->said_us + SECOND_US);
		return;
	}
	forward->said_us = worker->now_us;
	forward->said_in = forward->in;
	forward->said_out = forward->out;
	forward->said_connections = forward->connections;
	talk_say(worker, &(struct wire){ .type = WIRE_STATS,
	    .channel = forward->id, .a = (int64_t)forward->connections,
	    .b = (int64_t)forward->in, .c = (int64_t)forward->out,
	    .fd = -1 });
}

/* What is over and has nothing left on the server. */
static bool
gone(struct forward *forward)
{
	if (!forward->over || forward->asking)
		return false;
	if (forward->ssh != NULL &&
	    libssh2_channel_forward_cancel(forward->ssh) ==
	    LIBSSH2_ERROR_EAGAIN)
		return false;
	forward->ssh = NULL;
	return forward->connections == 0;
}

void
forward_turns(struct worker *worker)
{
	bool asking = false;

	for (struct forward *forward = worker->forwards; forward != NULL;
	    forward = forward->next)
		asking |= forward->asking;
	for (struct forward **at = &worker->forwards; *at != NULL;) {
		struct forward *forward = *at;

		if (forward->ready != 0 && forward->listener != -1)
			accept_clients(worker, forward);
		if (forward->direction == TUNNEL_REMOTE &&
		    forward->ssh == NULL && (forward->asking ||
		    (!asking && !forward->asked && !forward->over))) {
			forward->asking = !ask(worker, forward);
			asking = forward->asking;
		}
		if (!forward->over)
			say_stats(worker, forward);
		if (!gone(forward)) {
			at = &forward->next;
			continue;
		}
		*at = forward->next;
		free(forward->host);
		free(forward);
	}
}
