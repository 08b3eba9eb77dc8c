/* resolve.c - see resolve.h */
#include "ssh/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"

struct resolve {
	atomic_int holders;		/* the thread and the owner */
	int done;			/* eventfd */
	char *host;
	uint16_t port;
	bool found;
	struct resolve_address address;
};

static bool
look_up(const char *host, uint16_t port, int flags,
    struct resolve_address *out)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV,
	};
	struct addrinfo *list = NULL;
	char service[8];

	snprintf(service, sizeof service, "%u", port);
	if (getaddrinfo(host, service, &hints, &list) != 0 || list == NULL)
		return false;
	memcpy(&out->storage, list->ai_addr, list->ai_addrlen);
	out->len = list->ai_addrlen;
	freeaddrinfo(list);
	return true;
}

bool
resolve_number(const char *host, uint16_t port, struct resolve_address *out)
{
	return look_up(host, port, AI_NUMERICHOST, out);
}

static void
let_go(struct resolve *resolve)
{
	if (atomic_fetch_sub(&resolve->holders, 1) != 1)
		return;
	close(resolve->done);
	free(resolve->host);
	free(resolve);
}

static void *
run(void *ctx)
{
	struct resolve *resolve = ctx;
	uint64_t one = 1;

	resolve->found = look_up(resolve->host, resolve->port, 0,
	    &resolve->address);
	if (write(resolve->done, &one, sizeof one) < 0)
		abort();	/* an eventfd takes its first number */
	let_go(resolve);
	return NULL;
}

struct resolve *
resolve_start(const char *host, uint16_t port)
{
	struct resolve *resolve = calloc(1, sizeof *resolve);
	sigset_t all, before;
	pthread_t thread;

	if (resolve == NULL || (resolve->host = strdup(host)) == NULL)
		fail_out_of_memory();
	resolve->port = port;
	atomic_init(&resolve->holders, 2);
	resolve->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* Signals are for the thread that waits for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool ok = resolve->done >= 0 &&
	    pthread_create(&thread, NULL, run, resolve) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ok) {
		pthread_detach(thread);
		return resolve;
	}
	if (resolve->done >= 0)
		close(resolve->done);
	free(resolve->host);
	free(resolve);
	return NULL;
}

int
resolve_fd(const struct resolve *resolve)
{
	return resolve->done;
}

bool
resolve_take(const struct resolve *resolve, struct resolve_address *out)
{
	uint64_t n;
	if (read(resolve->done, &n, sizeof n) != sizeof n || !resolve->found)
		return false;
	*out = resolve->address;
	return true;
}

void
resolve_free(struct resolve *resolve)
{
	if (resolve != NULL)
		let_go(resolve);
}
