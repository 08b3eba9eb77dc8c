/*
 * stream.c - bytes between a socket of this machine and a channel, each
 * direction ending by itself.
 */
#include "cmd/podform-ssh/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/tunnel.h"

struct stream {
	struct forward *forward;
	int fd;			/* -1: podform did not connect it yet */
	int64_t number;		/* of WANT_CONNECT */
	short ready;
	bool local_end;		/* the socket gives no more */
	bool remote_end;	/* passed on to the socket */
	struct socks *socks;	/* until it is understood */
	char *back;		/* for the socket, not yet taken */
	size_t back_at, back_end;
};

static void
set_options(int fd)
{
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	fcntl(fd, F_SETFL, O_NONBLOCK | fcntl(fd, F_GETFL));
}

static void
stream_release(struct worker *worker, struct channel *channel)
{
	struct stream *stream = channel->own;

	(void)worker;
	if (stream->fd != -1)
		close(stream->fd);
	stream->forward->connections--;
	free(stream->socks);
	free(stream->back);
	free(stream);
}

static void
answer_socks(struct stream *stream, bool ok)
{
	unsigned char answer[10];

	if (stream->socks == NULL)
		return;
	/* Ten bytes on a socket that has just begun: they fit. */
	if (send(stream->fd, answer, socks_answer(stream->socks, ok, answer),
	    MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
		stream->local_end = true;
}

static void
stream_opened(struct worker *worker, struct channel *channel)
{
	struct stream *stream = channel->own;

	channel_deafen(channel);
	answer_socks(stream, true);
	if (stream->socks != NULL && stream->socks->size > 0) {
		stream->forward->out += stream->socks->size;
		channel_write(worker, channel, stream->socks->bytes,
		    stream->socks->size);
	}
	free(stream->socks);
	stream->socks = NULL;
}

static void
stream_failed(struct worker *worker, struct channel *channel,
    enum wire_failure failure, const char *why)
{
	(void)worker, (void)failure, (void)why;
	answer_socks(channel->own, false);
}

/* Open towards the target; who asks is told to the server as loopback. */
static void
open_target(struct worker *worker, struct channel *channel, const char *host,
    int port)
{
	static const char origin[] = "127.0.0.1";
	unsigned char message[600], *at = message;
	size_t length = strlen(host);

	memcpy(at, (unsigned char[]){ 0, 0, (unsigned char)(length >> 8),
	    (unsigned char)length }, 4);
	memcpy(at += 4, host, length);
	at += length;
	memcpy(at, (unsigned char[]){ 0, 0, (unsigned char)(port >> 8),
	    (unsigned char)port, 0, 0, 0, sizeof origin - 1 }, 8);
	memcpy(at += 8, origin, sizeof origin - 1);
	at += sizeof origin - 1;
	memset(at, 0, 4);
	channel_open(worker, channel, "direct-tcpip", message,
	    (size_t)(at + 4 - message));
}

static void
read_socks(struct worker *worker, struct channel *channel)
{
	struct stream *stream = channel->own;
	struct socks *socks = stream->socks;
	unsigned char answer[8];
	enum socks_result result;
	size_t size;
	ssize_t n;

	if (stream->ready == 0)
		return;
	n = recv(stream->fd, socks->bytes + socks->size,
	    sizeof socks->bytes - socks->size, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		channel_close(worker, channel);
		return;
	}
	socks->size += (size_t)n;
	do {
		result = socks_step(socks, answer, &size);
		if (size > 0 && send(stream->fd, answer, size,
		    MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
			result = SOCKS_BAD;
	} while (result == SOCKS_MORE && size > 0);
	if (result == SOCKS_OK)
		open_target(worker, channel, socks->host, socks->port);
	else if (result == SOCKS_BAD || socks->size == sizeof socks->bytes)
		channel_close(worker, channel);
}

/* Give the socket what waits for it: false if it is broken. */
static bool
give_back(struct stream *stream)
{
	while (stream->back_at < stream->back_end) {
		ssize_t n = send(stream->fd, stream->back + stream->back_at,
		    stream->back_end - stream->back_at,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n == -1)
			return errno == EAGAIN || errno == EINTR;
		stream->back_at += (size_t)n;
	}
	free(stream->back);
	stream->back = NULL;
	stream->back_at = stream->back_end = 0;
	return true;
}

/* From the pod to the socket: false if that is broken. */
static bool
download(struct worker *worker, struct channel *channel)
{
	struct stream *stream = channel->own;
	size_t passed = 0;
	bool ended = false;
	ssize_t n;

	if (!give_back(stream))
		return false;
	while (stream->back == NULL && passed < WORKER_CHANNEL_TURN) {
		n = channel_read(worker, channel, 0, worker->scratch,
		    SCRATCH_SIZE);
		ended = n == -1;
		if (n <= 0)
			break;
		stream->forward->in += (uint64_t)n;
		passed += (size_t)n;
		stream->back = worker->scratch;
		stream->back_at = 0;
		stream->back_end = (size_t)n;
		while (stream->back_at < stream->back_end) {
			ssize_t sent = send(stream->fd, stream->back +
			    stream->back_at, stream->back_end -
			    stream->back_at, MSG_NOSIGNAL | MSG_DONTWAIT);

			if (sent == -1)
				break;
			stream->back_at += (size_t)sent;
		}
		n = (ssize_t)(stream->back_end - stream->back_at);
		stream->back = n == 0 ? NULL : worker_copy(worker->scratch +
		    stream->back_at, (size_t)n);
		stream->back_at = 0;
		stream->back_end = (size_t)n;
		if (n > 0 && errno != EAGAIN && errno != EINTR)
			return false;
	}
	if (passed >= WORKER_CHANNEL_TURN)
		worker->again = true;
	if (stream->back == NULL && !stream->remote_end &&
	    (ended || channel_at_end(channel))) {
		shutdown(stream->fd, SHUT_WR);
		stream->remote_end = true;
	}
	return true;
}

/* From the socket to the pod: false if that is broken. */
static bool
upload(struct worker *worker, struct channel *channel)
{
	struct stream *stream = channel->own;
	size_t passed = 0, room;
	ssize_t n;

	while (channel_push(worker, channel) && !stream->local_end &&
	    passed < WORKER_CHANNEL_TURN &&
	    (room = channel_room(worker, channel)) > 0) {
		n = recv(stream->fd, worker->scratch, room, MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n == -1)
			return false;
		if (n == 0) {
			stream->local_end = true;
			channel_end(channel);
			channel_push(worker, channel);
			return true;
		}
		stream->forward->out += (uint64_t)n;
		passed += (size_t)n;
		channel_write(worker, channel, worker->scratch, (size_t)n);
	}
	if (passed >= WORKER_CHANNEL_TURN)
		worker->again = true;
	return true;
}

static void
stream_turn(struct worker *worker, struct channel *channel)
{
	struct stream *stream = channel->own;

	if (channel->state == CHANNEL_NEW && stream->socks != NULL)
		read_socks(worker, channel);
	if (channel->state != CHANNEL_RUNNING || stream->fd == -1)
		return;
	/* The socket is read when it is ready or was full of room before. */
	if (!download(worker, channel) ||
	    ((stream->ready != 0 || channel->pending_at <
	    channel->pending_end || channel->eof_wanted) &&
	    !upload(worker, channel))) {
		channel_close(worker, channel);
		return;
	}
	if (stream->remote_end && ((stream->local_end && channel->eof_sent) ||
	    channel->has_close || channel_closed(worker, channel)))
		channel_close(worker, channel);
}

static void
stream_watch(struct worker *worker, struct channel *channel)
{
	struct stream *stream = channel->own;
	short events = 0;

	stream->ready = 0;
	if (stream->fd == -1)
		return;
	if (channel->state == CHANNEL_NEW)
		events = POLLIN;
	if (channel->state == CHANNEL_RUNNING) {
		if (!stream->local_end && channel_room(worker, channel) > 0)
			events |= POLLIN;
		if (stream->back != NULL)
			events |= POLLOUT;
	}
	if (events != 0)
		loop_watch(stream->fd, events, &stream->ready);
}

static const struct channel_kind stream_kind = {
	.turn = stream_turn, .opened = stream_opened,
	.failed = stream_failed, .watch = stream_watch,
	.release = stream_release,
};

static struct channel *
stream_new(struct worker *worker, struct forward *forward, int fd)
{
	struct channel *channel = channel_new(worker, &stream_kind, 0,
	    sizeof(struct stream));
	struct stream *stream = channel->own;

	stream->forward = forward;
	stream->fd = fd;
	forward->connections++;
	if (fd != -1)
		set_options(fd);
	return channel;
}

void
stream_client(struct worker *worker, struct forward *forward, int fd)
{
	struct channel *channel = stream_new(worker, forward, fd);
	struct stream *stream = channel->own;

	if (forward->direction == TUNNEL_DYNAMIC)
		stream->socks = worker_alloc(sizeof *stream->socks);
	else
		open_target(worker, channel, forward->host, forward->port);
}

void
stream_remote(struct worker *worker, struct forward *forward,
    LIBSSH2_CHANNEL *ssh)
{
	struct channel *channel = stream_new(worker, forward, -1);
	struct stream *stream = channel->own;

	channel->ssh = ssh;
	channel->state = CHANNEL_RUNNING;
	channel_deafen(channel);
	stream->number = ++forward->next_number;
	talk_say(worker, &(struct wire){ .type = WIRE_WANT_CONNECT,
	    .channel = forward->id, .a = stream->number, .fd = -1 });
}

void
stream_connected(struct worker *worker, struct forward *forward,
    int64_t number, int fd)
{
	for (struct channel *channel = worker->channels; channel != NULL;
	    channel = channel->next) {
		struct stream *stream = channel->own;

		if (channel->kind != &stream_kind || stream->fd != -1 ||
		    stream->forward != forward || stream->number != number)
			continue;
		if (fd == -1) {
			channel_close(worker, channel);
			return;
		}
		stream->fd = fd;
		set_options(fd);
		worker->again = true;
		return;
	}
	if (fd != -1)
		close(fd);
}

void
stream_end_all(struct worker *worker, struct forward *forward)
{
	for (struct channel *channel = worker->channels; channel != NULL;
	    channel = channel->next)
		if (channel->kind == &stream_kind &&
		    ((struct stream *)channel->own)->forward == forward)
			channel_close(worker, channel);
}
