/* io_banner.c - see io_banner.h */
#include "io/io_banner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/io_resolve.h"

enum {
	BANNER_BYTES = 8 * 1024,
	PROBES = 64,		/* at once; more wait in line */
	AGAIN_MS = 50,		/* where nobody listens yet, doubling to */
	AGAIN_MAX_MS = 1000,
};

static const char refused[] = "Connection refused";

struct probe {
	struct probe *next;
	uint64_t token;
	struct strbuf host;
	uint16_t port;
	int64_t timeout_ms, deadline_ms;	/* 0: did not begin yet */
	int64_t again_ms, wait_ms;	/* not begun: not before; the pause */
	const char *reason;		/* why it begins again */
	struct io_resolve *resolve;	/* the name is being looked up */
	int fd;				/* -1: in line, or looking up */
	bool begun, connected;
	size_t seen;			/* bytes read */
	size_t column;			/* of the line being read */
	bool matches;			/* so far it reads "SSH-" */
};

struct io_banners {
	int epoll;
	uint32_t tag;
	struct io_event_queue *queue;
	const struct clock *clock;
	struct probe *list, **end;	/* oldest first */
	size_t nbegun;
};

struct io_banners *
io_banners_new(int epoll, uint32_t tag, struct io_event_queue *queue,
    const struct clock *clock)
{
	struct io_banners *banners = calloc(1, sizeof *banners);
	if (banners == NULL)
		fail_out_of_memory();
	*banners = (struct io_banners){
		.epoll = epoll, .tag = tag, .queue = queue, .clock = clock,
	};
	banners->end = &banners->list;
	return banners;
}

static void
close_probe(struct io_banners *banners, struct probe *probe)
{
	if (probe->begun)
		banners->nbegun--;
	probe->begun = probe->connected = false;
	if (probe->fd >= 0) {
		epoll_ctl(banners->epoll, EPOLL_CTL_DEL, probe->fd, NULL);
		close(probe->fd);
	}
	probe->fd = -1;
}

/* Take the probe out of the list and away. */
static void
drop(struct io_banners *banners, struct probe *probe)
{
	struct probe **at = &banners->list;
	while (*at != probe)
		at = &(*at)->next;
	*at = probe->next;
	if (*at == NULL)
		banners->end = at;
	close_probe(banners, probe);
	if (probe->resolve != NULL) {
		epoll_ctl(banners->epoll, EPOLL_CTL_DEL,
		    io_resolve_fd(probe->resolve), NULL);
		io_resolve_free(probe->resolve);
	}
	strbuf_release(&probe->host);
	free(probe);
}

void
io_banners_free(struct io_banners *banners)
{
	if (banners == NULL)
		return;
	while (banners->list != NULL)
		drop(banners, banners->list);
	free(banners);
}

static void
answer(struct io_banners *banners, struct probe *probe, const char *reason)
{
	struct io_event *event = io_event_new(WORLD_BANNER, probe->token);
	event->event.banner_ok = reason == NULL;
	if (reason != NULL)
		strbuf_adds(&event->reason, reason);
	io_event_push(banners->queue, event);
	drop(banners, probe);
}

static int64_t
now_ms(const struct io_banners *banners)
{
	return banners->clock->mono_ms(banners->clock->ctx);
}

/*
 * Nobody listens there, or a port is forwarded to nobody: a pod that begins
 * to run does so any moment, so it is tried again soon, while there is time.
 */
static void
try_again(struct io_banners *banners, struct probe *probe,
    const char *reason)
{
	int64_t now = now_ms(banners);

	probe->wait_ms = probe->wait_ms == 0 ? AGAIN_MS :
	    probe->wait_ms < AGAIN_MAX_MS / 2 ? probe->wait_ms * 2 :
	    AGAIN_MAX_MS;
	probe->again_ms = now + probe->wait_ms;
	if (probe->again_ms >= probe->deadline_ms) {
		answer(banners, probe, reason);
		return;
	}
	probe->reason = reason;
	close_probe(banners, probe);
}

static bool
watch(struct io_banners *banners, int fd, uint32_t events, int op)
{
	struct epoll_event event = {
		.events = events,
		.data.u64 = (uint64_t)banners->tag << 32 | (uint32_t)fd,
	};
	return epoll_ctl(banners->epoll, op, fd, &event) == 0;
}

/* Returns why it did not begin, or NULL; the probe may be gone then. */
static const char *
begin_connect(struct io_banners *banners, struct probe *probe,
    const struct io_address *address)
{
	int fd = io_resolve_connect(address);

	if (fd == -ECONNREFUSED) {
		try_again(banners, probe, refused);
		return NULL;
	}
	if (fd < 0)
		return strerror(-fd);
	probe->fd = fd;
	if (!watch(banners, fd, EPOLLOUT, EPOLL_CTL_ADD))
		return strerror(errno);
	return NULL;
}

static void
begin(struct io_banners *banners, struct probe *probe)
{
	struct io_address address;
	const char *why = NULL;

	probe->begun = true;
	banners->nbegun++;
	if (probe->deadline_ms == 0)
		probe->deadline_ms = now_ms(banners) + probe->timeout_ms;
	probe->seen = probe->column = 0;
	probe->matches = true;
	if (io_resolve_number(probe->host.data, probe->port, &address))
		why = begin_connect(banners, probe, &address);
	else {
		probe->resolve = io_resolve_start(probe->host.data,
		    probe->port);
		if (probe->resolve == NULL || !watch(banners,
			io_resolve_fd(probe->resolve), EPOLLIN,
			EPOLL_CTL_ADD))
			why = "the name cannot be looked up";
	}
	if (why != NULL)
		answer(banners, probe, why);
}

static void
begin_waiting(struct io_banners *banners)
{
	struct probe *probe = banners->list;
	int64_t now = now_ms(banners);

	while (probe != NULL && banners->nbegun < PROBES) {
		struct probe *next = probe->next;
		if (!probe->begun && now >= probe->again_ms)
			begin(banners, probe);
		probe = next;
	}
}

void
io_banners_start(struct io_banners *banners, uint64_t token, struct str host,
    uint16_t port, int64_t timeout_ms)
{
	struct probe *probe = calloc(1, sizeof *probe);
	if (probe == NULL)
		fail_out_of_memory();
	probe->token = token;
	probe->port = port;
	probe->timeout_ms = timeout_ms;
	probe->fd = -1;
	strbuf_add(&probe->host, host);
	if (probe->host.data == NULL)
		strbuf_adds(&probe->host, "?");
	*banners->end = probe;
	banners->end = &probe->next;
	begin_waiting(banners);
}

bool
io_banners_cancel(struct io_banners *banners, uint64_t token)
{
	for (struct probe *probe = banners->list; probe != NULL;
	     probe = probe->next) {
		if (probe->token != token)
			continue;
		drop(banners, probe);
		begin_waiting(banners);
		return true;
	}
	return false;
}

/* Look at the bytes; true once a line has begun with "SSH-". */
static bool
scan(struct probe *probe, const char *bytes, size_t n)
{
	static const char wanted[4] = "SSH-";
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			probe->column = 0;
			probe->matches = true;
			continue;
		}
		if (probe->column < sizeof wanted) {
			probe->matches &= bytes[i] == wanted[probe->column];
			if (probe->matches &&
			    probe->column + 1 == sizeof wanted)
				return true;
		}
		probe->column++;
	}
	return false;
}

static void
read_some(struct io_banners *banners, struct probe *probe)
{
	char bytes[1024];
	ssize_t got = recv(probe->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0 && errno == ECONNRESET)
		try_again(banners, probe, "Connection reset by peer");
	else if (got < 0)
		answer(banners, probe, strerror(errno));
	else if (got == 0)
		try_again(banners, probe, "closed before an SSH banner came");
	else if (scan(probe, bytes, (size_t)got))
		answer(banners, probe, NULL);
	else if ((probe->seen += (size_t)got) >= BANNER_BYTES)
		answer(banners, probe, "8 KiB without an SSH banner");
}

static void
connected(struct io_banners *banners, struct probe *probe)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0 &&
	    !watch(banners, probe->fd, EPOLLIN, EPOLL_CTL_MOD))
		error = errno;
	if (error == ECONNREFUSED)
		try_again(banners, probe, refused);
	else if (error != 0)
		answer(banners, probe, strerror(error));
	else
		probe->connected = true;
}

static void
resolved(struct io_banners *banners, struct probe *probe)
{
	struct io_address address;
	const char *why = "the name cannot be looked up";
	bool found;

	epoll_ctl(banners->epoll, EPOLL_CTL_DEL,
	    io_resolve_fd(probe->resolve), NULL);
	found = io_resolve_take(probe->resolve, &address);
	io_resolve_free(probe->resolve);
	probe->resolve = NULL;
	if (found)
		why = begin_connect(banners, probe, &address);
	if (why != NULL)
		answer(banners, probe, why);
}

void
io_banners_ready(struct io_banners *banners, int fd)
{
	for (struct probe *probe = banners->list; probe != NULL;
	     probe = probe->next) {
		if (probe->resolve != NULL &&
		    io_resolve_fd(probe->resolve) == fd)
			resolved(banners, probe);
		else if (probe->fd != fd)
			continue;
		else if (probe->connected)
			read_some(banners, probe);
		else
			connected(banners, probe);
		break;		/* the list may have changed */
	}
	begin_waiting(banners);
}

void
io_banners_tick(struct io_banners *banners)
{
	int64_t now = now_ms(banners);
	struct probe *next;

	for (struct probe *probe = banners->list; probe != NULL;
	     probe = next) {
		next = probe->next;
		if (probe->deadline_ms != 0 && now >= probe->deadline_ms)
			answer(banners, probe, !probe->begun ?
			    probe->reason : probe->connected ?
			    "no SSH banner in time" : "no connection in time");
	}
	begin_waiting(banners);
}

int64_t
io_banners_next_ms(const struct io_banners *banners)
{
	int64_t next = -1;
	for (const struct probe *probe = banners->list; probe != NULL;
	     probe = probe->next) {
		int64_t due = probe->deadline_ms;

		if (due == 0)
			continue;
		if (!probe->begun && banners->nbegun < PROBES)
			due = probe->again_ms;
		if (next < 0 || due < next)
			next = due;
	}
	return next;
}
