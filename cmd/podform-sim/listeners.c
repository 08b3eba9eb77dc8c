/* listeners.c - see listeners.h */
#include "listeners.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"

enum { GUESTS = 64 };

struct listeners {
	int epoll;
	/* Clients that were greeted; the oldest is closed for the newest, so
	 * that each has time to read. */
	int guests[GUESTS];
	size_t nguests;
};

struct listeners *
listeners_new(void)
{
	struct listeners *listeners = calloc(1, sizeof *listeners);

	if (listeners == NULL)
		fail_out_of_memory();
	listeners->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < GUESTS; i++)
		listeners->guests[i] = -1;
	return listeners;
}

void
listeners_free(struct listeners *listeners)
{
	if (listeners == NULL)
		return;
	for (size_t i = 0; i < GUESTS; i++)
		if (listeners->guests[i] >= 0)
			close(listeners->guests[i]);
	close(listeners->epoll);
	free(listeners);
}

int
listeners_fd(const struct listeners *listeners)
{
	return listeners->epoll;
}

int
listeners_open(struct listeners *listeners, uint16_t *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof address;
	struct epoll_event event = { .events = EPOLLIN };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	event.data.fd = fd;
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
	    listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0 ||
	    epoll_ctl(listeners->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

static void
greet(struct listeners *listeners, int listener)
{
	static const char banner[] = "SSH-2.0-podform-sim\r\n";
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int *slot = &listeners->guests[listeners->nguests++ % GUESTS];

	if (fd < 0)
		return;
	if (write(fd, banner, sizeof banner - 1) > 0)
		shutdown(fd, SHUT_WR);
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

void
listeners_turn(struct listeners *listeners)
{
	struct epoll_event events[64];
	int n = epoll_wait(listeners->epoll, events, COUNTOF(events), 0);

	for (int i = 0; i < n; i++)
		greet(listeners, events[i].data.fd);
}
