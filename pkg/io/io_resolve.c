/* io_resolve.c - see io_resolve.h */
#include "io/io_resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "io/io_fd.h"

struct io_resolve {
	atomic_int users;	/* the loop and the thread */
	int fd;
	char *host;
	char port[8];
	bool found;		/* written before the fd becomes readable */
	struct io_address address;
};

bool
io_resolve_number(const char *host, uint16_t port, struct io_address *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&out->storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->storage;

	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		out->len = sizeof *v4;
		return true;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		out->len = sizeof *v6;
		return true;
	}
	return false;
}

static void
look_up(struct io_resolve *resolve)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;

	if (getaddrinfo(resolve->host, resolve->port, &hints, &list) != 0)
		return;
	if (list->ai_addrlen <= sizeof resolve->address.storage) {
		memcpy(&resolve->address.storage, list->ai_addr,
		    list->ai_addrlen);
		resolve->address.len = list->ai_addrlen;
		resolve->found = true;
	}
	freeaddrinfo(list);
}

static void *
run(void *ctx)
{
	struct io_resolve *resolve = ctx;
	uint64_t one = 1;

	look_up(resolve);
	/* An eventfd with room never fails; the deadline is the net. */
	ssize_t written = write(resolve->fd, &one, sizeof one);
	(void)written;
	io_resolve_free(resolve);
	return NULL;
}

/* Signals are the loop's: the thread is started with all of them blocked. */
static bool
start_thread(struct io_resolve *resolve)
{
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return false;
	bool ok = pthread_create(&thread, NULL, run, resolve) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ok)
		pthread_detach(thread);
	return ok;
}

int
io_resolve_connect(const struct io_address *address)
{
	int fd = io_fd_above_standard(socket(address->storage.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	int error;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address->storage,
		address->len) == 0 || errno == EINPROGRESS)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

struct io_resolve *
io_resolve_start(const char *host, uint16_t port)
{
	struct io_resolve *resolve = calloc(1, sizeof *resolve);
	if (resolve == NULL || (resolve->host = strdup(host)) == NULL)
		fail_out_of_memory();
	snprintf(resolve->port, sizeof resolve->port, "%u", port);
	resolve->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	atomic_init(&resolve->users, 2);
	if (resolve->fd < 0 || !start_thread(resolve)) {
		atomic_store(&resolve->users, 1);
		io_resolve_free(resolve);
		return NULL;
	}
	return resolve;
}

int
io_resolve_fd(const struct io_resolve *resolve)
{
	return resolve->fd;
}

bool
io_resolve_take(struct io_resolve *resolve, struct io_address *out)
{
	uint64_t count;
	if (read(resolve->fd, &count, sizeof count) != sizeof count ||
	    !resolve->found)
		return false;
	*out = resolve->address;
	return true;
}

void
io_resolve_free(struct io_resolve *resolve)
{
	if (resolve == NULL || atomic_fetch_sub(&resolve->users, 1) > 1)
		return;
	if (resolve->fd >= 0)
		close(resolve->fd);
	free(resolve->host);
	free(resolve);
}
