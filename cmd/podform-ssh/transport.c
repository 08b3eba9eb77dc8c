/*
 * transport.c - bytes between libssh2 and the socket.
 */
#include "cmd/podform-ssh/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cmd/podform-ssh/worker.h"

enum { READ_AHEAD = 16 << 10 };

/* A connection that is dead is to be noticed, and small packets are not to
 * wait for others.  Errors do not matter: it may be another kind of socket. */
static void
set_options(int fd)
{
	const int on = 1;
	const unsigned timeout_ms = 30000;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
	    sizeof timeout_ms);
	fcntl(fd, F_SETFL, O_NONBLOCK | fcntl(fd, F_GETFL));
}

void
transport_init(struct transport *transport, int fd, int64_t *now_us)
{
	*transport = (struct transport){ .fd = fd, .now_us = now_us,
	    .heard_us = *now_us };
	set_options(fd);
	transport->in = malloc(READ_AHEAD);
	transport->offer = malloc(TRANSPORT_OFFER_MAX);
	if (transport->in == NULL || transport->offer == NULL)
		worker_starved();
}

void
transport_sealed(struct transport *transport)
{
	transport->stage = TRANSPORT_SEALED;
	free(transport->offer);
	transport->offer = NULL;
	transport->offer_size = 0;
}

static bool
starts(const struct transport *transport, const char *word)
{
	size_t size = strlen(word);

	return transport->line_at >= size &&
	    memcmp(transport->line, word, size) == 0;
}

/* One byte before the line of the version. */
static bool
look_at_banner(struct transport *transport, char byte)
{
	if (++transport->banner_bytes > TRANSPORT_BANNER_MAX) {
		transport->flooded = true;
		return false;
	}
	if (byte == '\n') {
		if (starts(transport, "SSH-2.0-") ||
		    starts(transport, "SSH-1.99-"))
			transport->stage = TRANSPORT_OFFER;
		else if (starts(transport, "SSH-"))
			transport->old = true;
		transport->line_at = 0;
	} else if (transport->line_at < sizeof transport->line) {
		transport->line[transport->line_at++] = byte;
	}
	return !transport->old;
}

static void
keep_offer(struct transport *transport, const char *bytes, size_t size)
{
	size_t room = TRANSPORT_OFFER_MAX - transport->offer_size;

	if (size > room)
		size = room;
	memcpy(transport->offer + transport->offer_size, bytes, size);
	transport->offer_size += size;
}

static bool
look_at(struct transport *transport, const char *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && transport->stage == TRANSPORT_BANNER)
		if (!look_at_banner(transport, bytes[i++]))
			return false;
	if (transport->stage == TRANSPORT_OFFER && i < size)
		keep_offer(transport, bytes + i, size - i);
	return true;
}

static ssize_t
read_socket(struct transport *transport, void *buffer, size_t size)
{
	const int on = 1;
	ssize_t n;

	if (size > transport->quota)
		size = transport->quota;
	if (size == 0)
		return -EAGAIN;
	n = recv(transport->fd, buffer, size, MSG_DONTWAIT);
	if (n > 0) {
		transport->quota -= (size_t)n;
		transport->received += (uint64_t)n;
		transport->heard_us = *transport->now_us;
		/* The server waits for our next packet only rarely; without
		 * this the kernel holds back its acknowledgement, which
		 * costs a login half of its time.  Not while data streams. */
		if ((size_t)n < size)
			setsockopt(transport->fd, IPPROTO_TCP, TCP_QUICKACK,
			    &on, sizeof on);
		return n;
	}
	if (n == 0) {
		transport->ended = true;
		return 0;
	}
	if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) {
		transport->quota = 0;	/* spare the next call */
		return -EAGAIN;
	}
	transport->error = errno;
	return -errno;
}

ssize_t
transport_read(struct transport *transport, void *buffer, size_t size)
{
	ssize_t n;

	if (transport->in == NULL)
		return read_socket(transport, buffer, size);
	if (transport->in_at == transport->in_end) {
		if (transport->stage == TRANSPORT_SEALED) {
			free(transport->in);
			transport->in = NULL;
			return read_socket(transport, buffer, size);
		}
		n = read_socket(transport, transport->in, READ_AHEAD);
		if (n <= 0)
			return n;
		transport->in_at = 0;
		transport->in_end = (size_t)n;
		if (!look_at(transport, transport->in, (size_t)n))
			return -EPROTO;
	}
	if (size > transport->in_end - transport->in_at)
		size = transport->in_end - transport->in_at;
	memcpy(buffer, transport->in + transport->in_at, size);
	transport->in_at += size;
	return (ssize_t)size;
}

size_t
transport_unsent(const struct transport *transport)
{
	return transport->out_end - transport->out_at;
}

/* Keep bytes for later; false where that would be too many. */
static bool
keep_unsent(struct transport *transport, const char *bytes, size_t size)
{
	size_t unsent = transport_unsent(transport);

	if (transport->out_at > 0 && unsent > 0)
		memmove(transport->out, transport->out + transport->out_at,
		    unsent);
	transport->out_at = 0;
	transport->out_end = unsent;
	if (size > TRANSPORT_OUT_MAX - unsent)
		return false;
	if (unsent + size > transport->out_size) {
		size_t wanted = unsent + size + (64 << 10);
		char *grown = realloc(transport->out, wanted);

		if (grown == NULL)
			worker_starved();
		transport->out = grown;
		transport->out_size = wanted;
	}
	memcpy(transport->out + unsent, bytes, size);
	transport->out_end += size;
	return true;
}

/* What the kernel took of it, 0 for nothing; -1: broken. */
static ssize_t
push(struct transport *transport, const char *bytes, size_t size)
{
	ssize_t n = send(transport->fd, bytes, size,
	    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n >= 0) {
		transport->sent += (uint64_t)n;
		return n;
	}
	if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK ||
	    errno == ENOBUFS)
		return 0;
	transport->error = errno;
	return -1;
}

ssize_t
transport_write(struct transport *transport, const void *bytes, size_t size)
{
	ssize_t n = 0;

	if (transport->error != 0)
		return -transport->error;
	if (transport_unsent(transport) == 0 &&
	    (n = push(transport, bytes, size)) == -1)
		return -transport->error;
	if ((size_t)n < size && !keep_unsent(transport,
	    (const char *)bytes + n, size - (size_t)n)) {
		transport->error = ENOBUFS;
		return -ENOBUFS;
	}
	return (ssize_t)size;
}

bool
transport_flush(struct transport *transport)
{
	ssize_t n;

	while (transport_unsent(transport) > 0) {
		n = push(transport, transport->out + transport->out_at,
		    transport_unsent(transport));
		if (n == -1)
			return false;
		if (n == 0)
			return true;
		transport->out_at += (size_t)n;
	}
	free(transport->out);
	transport->out = NULL;
	transport->out_at = transport->out_end = transport->out_size = 0;
	return true;
}
