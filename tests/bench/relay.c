/*
 * relay.c - a far-away server: TCP to a port of 127.0.0.1, with delay.
 *
 *	relay PORT RTT_MS	listens on a port of the kernel's choice, prints it
 *
 * Every byte comes out half the round trip after it went in; the width is
 * that of the machine.  Connections are accepted at once, so connecting
 * itself costs no round trip.  Ends when standard input does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	CHUNK = 64 << 10,
	QUEUE_MAX = 256 << 20,	/* bytes on the way, per direction */
};

struct chunk {
	struct chunk *next;
	int64_t due_us;
	size_t n, at;
	char bytes[];
};

struct side {
	int fd;
	struct side *peer;
	struct chunk *first, **last;	/* for this side to write */
	size_t queued;
	bool read_over;			/* nothing more comes from here */
	int64_t end_us;			/* when the peer may be told; -1 */
	bool shut;			/* it has been told */
	bool dead;
	struct side *next;		/* of all */
};

static struct side *sides;
static struct chunk *spare;
static int64_t delay_us;
static int epoll;

static int64_t
now_us(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static struct side *
side_new(int fd)
{
	struct side *side = calloc(1, sizeof *side);
	int one = 1;
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = side,
	};
	if (side == NULL)
		die("calloc");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	side->fd = fd;
	side->end_us = -1;
	side->last = &side->first;
	side->next = sides;
	sides = side;
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	return side;
}

static int
connect_to(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static void
take_connection(int listener, uint16_t port)
{
	int near = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int far = near < 0 ? -1 : connect_to(port);
	if (far < 0) {
		if (near >= 0)
			close(near);
		return;
	}
	struct side *a = side_new(near), *b = side_new(far);
	a->peer = b;
	b->peer = a;
}

/* Used chunks are used again: fresh memory costs more than the copying. */
static struct chunk *
take_chunk(void)
{
	struct chunk *chunk = spare;
	if (chunk != NULL)
		spare = chunk->next;
	else
		chunk = malloc(sizeof *chunk + CHUNK);
	if (chunk == NULL)
		die("malloc");
	return chunk;
}

static void
give_chunk(struct chunk *chunk)
{
	chunk->next = spare;
	spare = chunk;
}

static void
read_side(struct side *side)
{
	while (!side->read_over && side->peer->queued < QUEUE_MAX) {
		struct chunk *chunk = take_chunk();
		ssize_t n = read(side->fd, chunk->bytes, CHUNK);
		if (n <= 0) {
			give_chunk(chunk);
			if (n < 0 && (errno == EAGAIN || errno == EINTR))
				return;
			side->read_over = true;
			side->peer->end_us = now_us() + delay_us;
			return;
		}
		chunk->next = NULL;
		chunk->due_us = now_us() + delay_us;
		chunk->n = (size_t)n;
		chunk->at = 0;
		*side->peer->last = chunk;
		side->peer->last = &chunk->next;
		side->peer->queued += (size_t)n;
	}
}

/* Write what is due; when the next is due, or INT64_MAX. */
static int64_t
write_side(struct side *side, int64_t now)
{
	struct chunk *chunk;
	while ((chunk = side->first) != NULL && chunk->due_us <= now) {
		ssize_t n = write(side->fd, chunk->bytes + chunk->at,
		    chunk->n - chunk->at);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return INT64_MAX;	/* the socket says when */
		if (n < 0) {
			side->dead = true;
			return INT64_MAX;
		}
		chunk->at += (size_t)n;
		if (chunk->at < chunk->n)
			continue;
		side->queued -= chunk->n;
		side->first = chunk->next;
		if (side->first == NULL)
			side->last = &side->first;
		give_chunk(chunk);
	}
	if (chunk != NULL)
		return chunk->due_us;
	if (side->end_us >= 0 && !side->shut) {
		if (side->end_us > now)
			return side->end_us;
		side->shut = true;
		shutdown(side->fd, SHUT_WR);
	}
	return INT64_MAX;
}

static void
free_dead(void)
{
	for (struct side *side = sides; side != NULL; side = side->next)
		if (side->dead || (side->shut && side->peer->shut))
			side->dead = side->peer->dead = true;
	for (struct side **at = &sides; *at != NULL;) {
		struct side *side = *at;
		if (!side->dead) {
			at = &side->next;
			continue;
		}
		*at = side->next;
		close(side->fd);
		while (side->first != NULL) {
			struct chunk *chunk = side->first;
			side->first = chunk->next;
			give_chunk(chunk);
		}
		free(side);
	}
}

static void
turn(int listener, uint16_t port)
{
	struct epoll_event ready[64];
	int64_t next = INT64_MAX;
	for (struct side *side = sides; side != NULL; side = side->next)
		read_side(side);
	int64_t now = now_us();
	for (struct side *side = sides; side != NULL; side = side->next) {
		int64_t due = write_side(side, now);
		if (due < next)
			next = due;
	}
	free_dead();
	struct timespec wait = { .tv_sec = 1 };
	if (next != INT64_MAX) {
		int64_t left = next - now_us();
		left = left < 0 ? 0 : left;
		wait.tv_sec = left / 1000000;
		wait.tv_nsec = left % 1000000 * 1000;
	}
	int n = epoll_pwait2(epoll, ready, 64, &wait, NULL);
	for (int i = 0; i < n; i++) {
		if (ready[i].data.ptr == &sides)
			take_connection(listener, port);
		else if (ready[i].data.ptr == NULL)
			exit(0);	/* standard input has ended */
	}
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: relay PORT RTT_MS\n");
		return 2;
	}
	uint16_t port = (uint16_t)strtoul(argv[1], NULL, 10);
	delay_us = strtoll(argv[2], NULL, 10) * 500;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof at;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (listener < 0 || epoll < 0 ||
	    bind(listener, (struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(listener, 256) != 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &size) != 0)
		die("listen");
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &sides };
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	event.data.ptr = NULL;
	event.events = EPOLLHUP;
	epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	for (;;)
		turn(listener, port);
}
