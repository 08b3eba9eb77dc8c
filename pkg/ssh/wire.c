/*
 * wire.c - messages over a SOCK_SEQPACKET pair.
 */
#include "ssh/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* What goes before the payload. */
struct head {
	uint32_t type, channel;
	int64_t a, b, c;
};
_Static_assert(sizeof(struct head) == WIRE_HEAD, "the head has no holes");

/* Room for two descriptors, so that one too many is seen and closed. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(2 * sizeof(int))];
};

int
wire_send(int socket, const struct wire *message)
{
	struct head head = { .type = message->type,
	    .channel = message->channel, .a = message->a, .b = message->b,
	    .c = message->c };
	struct iovec parts[2] = {
		{ .iov_base = &head, .iov_len = sizeof head },
		{ .iov_base = (void *)(uintptr_t)message->payload,
		    .iov_len = message->size },
	};
	struct msghdr packet = { .msg_iov = parts,
	    .msg_iovlen = message->size > 0 ? 2 : 1 };
	union control control = { .bytes = { 0 } };

	if (message->size > WIRE_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (message->fd >= 0) {
		struct cmsghdr *part;

		packet.msg_control = control.bytes;
		packet.msg_controllen = CMSG_SPACE(sizeof(int));
		part = CMSG_FIRSTHDR(&packet);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(part), &message->fd, sizeof(int));
	}
	while (sendmsg(socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		if (errno != EINTR)
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return 0;
}

/* Keep the first descriptor in *fd and close others: how many came. */
static size_t
take_descriptors(struct msghdr *packet, int *fd)
{
	size_t n = 0;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(packet); part != NULL;
	    part = CMSG_NXTHDR(packet, part)) {
		size_t here;

		if (part->cmsg_level != SOL_SOCKET ||
		    part->cmsg_type != SCM_RIGHTS)
			continue;
		here = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < here; i++) {
			int one;

			memcpy(&one, CMSG_DATA(part) + i * sizeof(int),
			    sizeof one);
			if (n++ == 0)
				*fd = one;
			else
				close(one);
		}
	}
	return n;
}

int
wire_receive(int socket, char *buffer, struct wire *message)
{
	struct head head;
	struct iovec parts[2] = {
		{ .iov_base = &head, .iov_len = sizeof head },
		{ .iov_base = buffer, .iov_len = WIRE_PAYLOAD_MAX },
	};
	union control control;
	struct msghdr packet = { .msg_iov = parts, .msg_iovlen = 2,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof control.bytes };
	ssize_t n;
	int fd = -1;

	while ((n = recvmsg(socket, &packet,
	    MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) == -1)
		if (errno != EINTR)
			return errno == EAGAIN || errno == EWOULDBLOCK ?
			    -EAGAIN : errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;
	if (take_descriptors(&packet, &fd) > 1 || n < WIRE_HEAD ||
	    (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    head.type < WIRE_SPAWN || head.type >= WIRE_TYPE_COUNT) {
		if (fd != -1)
			close(fd);
		return -EPROTO;
	}
	*message = (struct wire){ .type = head.type, .channel = head.channel,
	    .a = head.a, .b = head.b, .c = head.c, .payload = buffer,
	    .size = (size_t)n - WIRE_HEAD, .fd = fd };
	buffer[message->size] = '\0';
	return 1;
}

int
wire_pair(int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -errno;
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) == -1) {
		int why = errno;

		close(pair[0]);
		close(pair[1]);
		return -why;
	}
	return 0;
}
