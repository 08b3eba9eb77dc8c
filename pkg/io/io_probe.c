/* io_probe.c - see io_probe.h */
#include "io/io_probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "io/io_resolve.h"

enum {
	STATUS_LINE_MAX = 256,
	STAYS_MS = 1000,	/* https: so long it must stay open */
};

enum step { RESOLVING, CONNECTING, READING, STAYING };

struct probe {
	struct probe *next;
	uint64_t token;
	enum step step;
	bool secure;
	struct strbuf host, request;
	size_t sent;
	uint16_t port;
	int64_t deadline_ms, stays_ms;
	struct io_resolve *resolve;
	int fd;
	char line[STATUS_LINE_MAX];
	size_t len;
	const char *failed;	/* before it began: told at the next turn */
};

struct io_probes {
	const struct clock *clock;
	void (*done)(void *ctx, uint64_t token, bool ok, struct str reason);
	void *ctx;
	int epoll;
	struct probe *list;
};

static int64_t
now_ms(const struct io_probes *probes)
{
	return probes->clock->mono_ms(probes->clock->ctx);
}

/* ----------------------------------------------------------------- life -- */

struct io_probes *
io_probes_new(const struct clock *clock,
    void (*done)(void *ctx, uint64_t token, bool ok, struct str reason),
    void *ctx)
{
	struct io_probes *probes = heap_array(NULL, 1, sizeof *probes);

	*probes = (struct io_probes){ .clock = clock, .done = done,
		.ctx = ctx, .epoll = epoll_create1(EPOLL_CLOEXEC) };
	if (probes->epoll < 0)
		fail_out_of_descriptors();
	return probes;
}

static void
drop(struct io_probes *probes, struct probe *probe)
{
	struct probe **at = &probes->list;

	while (*at != probe)
		at = &(*at)->next;
	*at = probe->next;
	if (probe->fd >= 0)
		close(probe->fd);
	if (probe->resolve != NULL) {
		epoll_ctl(probes->epoll, EPOLL_CTL_DEL,
		    io_resolve_fd(probe->resolve), NULL);
		io_resolve_free(probe->resolve);
	}
	strbuf_release(&probe->host);
	strbuf_release(&probe->request);
	free(probe);
}

void
io_probes_free(struct io_probes *probes)
{
	if (probes == NULL)
		return;
	while (probes->list != NULL)
		drop(probes, probes->list);
	close(probes->epoll);
	free(probes);
}

static void
finish(struct io_probes *probes, struct probe *probe, bool ok,
    const char *reason)
{
	uint64_t token = probe->token;
	char text[STATUS_LINE_MAX];

	/* The reason may be of the probe. */
	snprintf(text, sizeof text, "%s", reason);
	drop(probes, probe);
	probes->done(probes->ctx, token, ok, str_from(text));
}

bool
io_probes_cancel(struct io_probes *probes, uint64_t token)
{
	for (struct probe *probe = probes->list; probe != NULL;
	     probe = probe->next) {
		if (probe->token != token)
			continue;
		drop(probes, probe);
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------ URL -- */

static bool
is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] == 0x7f)
			return false;
	return true;
}

/* http[s]://[user@]host[:port][/path][#fragment] */
static bool
split_url(struct probe *probe, struct str url)
{
	bool secure = str_starts(url, STR("https://"));
	struct str rest, place, path;
	ptrdiff_t at;
	int64_t port = secure ? 443 : 80;

	if ((!secure && !str_starts(url, STR("http://"))) || !is_plain(url))
		return false;
	probe->secure = secure;
	rest = str_sub(url, secure ? 8 : 7, url.len);
	rest = str_cut(rest, '#', &path);
	for (at = 0; (size_t)at < rest.len && rest.data[at] != '/' &&
	     rest.data[at] != '?'; at++)
		;
	place = str_sub(rest, 0, (size_t)at);
	path = str_sub(rest, (size_t)at, rest.len);
	strbuf_addf(&probe->request, "GET %s" STR_FMT " HTTP/1.1\r\n",
	    str_starts(path, STR("/")) ? "" : "/", STR_ARG(path));
	at = str_rfind(place, '@');
	place = str_sub(place, (size_t)(at + 1), place.len);
	strbuf_addf(&probe->request, "Host: " STR_FMT "\r\n"
	    "User-Agent: podform\r\nAccept: */*\r\n"
	    "Connection: close\r\n\r\n", STR_ARG(place));
	at = str_rfind(place, ':');
	if (at >= 0 && str_find(str_sub(place, (size_t)at, place.len),
	    ']') < 0) {
		if (!parse_int(str_sub(place, (size_t)at + 1, place.len), 1,
		    UINT16_MAX, &port))
			return false;
		place = str_sub(place, 0, (size_t)at);
	}
	if (str_starts(place, STR("[")) && str_ends(place, STR("]")))
		place = str_sub(place, 1, place.len - 2);
	strbuf_add(&probe->host, str_is(place, "localhost") ?
	    STR("127.0.0.1") : place);
	probe->port = (uint16_t)port;
	return place.len > 0;
}

/* ---------------------------------------------------------------- steps -- */

static bool
watch(struct io_probes *probes, struct probe *probe, int fd, uint32_t events,
    int how)
{
	struct epoll_event event = { .events = events, .data.ptr = probe };

	return epoll_ctl(probes->epoll, how, fd, &event) == 0;
}

static const char *
connect_to(struct io_probes *probes, struct probe *probe,
    const struct io_address *address)
{
	int fd = io_resolve_connect(address);

	if (fd < 0)
		return strerror(-fd);
	probe->fd = fd;
	probe->step = CONNECTING;
	return watch(probes, probe, fd, EPOLLOUT, EPOLL_CTL_ADD) ? NULL :
	    strerror(errno);
}

static const char *
begin(struct io_probes *probes, struct probe *probe, struct str url)
{
	struct io_address address;

	if (!split_url(probe, url))
		return "the URL cannot be used";
	if (io_resolve_number(probe->host.data, probe->port, &address))
		return connect_to(probes, probe, &address);
	probe->resolve = io_resolve_start(probe->host.data, probe->port);
	if (probe->resolve == NULL || !watch(probes, probe,
	    io_resolve_fd(probe->resolve), EPOLLIN, EPOLL_CTL_ADD))
		return "the name cannot be looked up";
	return NULL;
}

void
io_probes_start(struct io_probes *probes, uint64_t token, struct str url,
    int64_t timeout_ms)
{
	struct probe *probe = calloc(1, sizeof *probe);

	if (probe == NULL)
		fail_out_of_memory();
	probe->token = token;
	probe->fd = -1;
	probe->step = RESOLVING;
	probe->deadline_ms = now_ms(probes) + timeout_ms;
	probe->next = probes->list;
	probes->list = probe;
	probe->failed = begin(probes, probe, url);
}

static void
resolved(struct io_probes *probes, struct probe *probe)
{
	struct io_address address;
	const char *why = "the name cannot be looked up";

	epoll_ctl(probes->epoll, EPOLL_CTL_DEL,
	    io_resolve_fd(probe->resolve), NULL);
	if (io_resolve_take(probe->resolve, &address))
		why = connect_to(probes, probe, &address);
	io_resolve_free(probe->resolve);
	probe->resolve = NULL;
	if (why != NULL)
		finish(probes, probe, false, why);
}

static void
send_some(struct io_probes *probes, struct probe *probe)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ||
	    error != 0) {
		finish(probes, probe, false, strerror(error));
		return;
	}
	if (probe->secure) {
		probe->step = STAYING;
		probe->stays_ms = now_ms(probes) + STAYS_MS;
		watch(probes, probe, probe->fd, EPOLLIN, EPOLL_CTL_MOD);
		return;
	}
	ssize_t n = send(probe->fd, probe->request.data + probe->sent,
	    probe->request.len - probe->sent, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		finish(probes, probe, false, strerror(errno));
	else if (n > 0 && (probe->sent += (size_t)n) == probe->request.len) {
		probe->step = READING;
		watch(probes, probe, probe->fd, EPOLLIN, EPOLL_CTL_MOD);
	}
}

/* "HTTP/1.1 200 OK": is the whole line there, what does it say? */
static void
judge(struct io_probes *probes, struct probe *probe)
{
	struct str rest, line = { probe->line, probe->len };
	struct str version;
	int64_t status;
	char text[32];

	if (str_find(line, '\n') < 0 && probe->len < sizeof probe->line)
		return;
	version = str_cut(line, ' ', &rest);
	if (!str_starts(version, STR("HTTP/")) ||
	    !parse_int(str_sub(rest, 0, 3), 100, 599, &status)) {
		finish(probes, probe, false, "what answers is no web server");
		return;
	}
	snprintf(text, sizeof text, "status %d", (int)status);
	finish(probes, probe, status < 500, text);
}

static void
read_some(struct io_probes *probes, struct probe *probe)
{
	ssize_t n = recv(probe->fd, probe->line + probe->len,
	    sizeof probe->line - probe->len, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		finish(probes, probe, false, strerror(errno));
	} else if (n == 0) {
		finish(probes, probe, false, "closed without an answer");
	} else if (probe->step == STAYING) {
		finish(probes, probe, true, "it speaks");
	} else {
		probe->len += (size_t)n;
		judge(probes, probe);
	}
}

static void
ready(struct io_probes *probes, struct probe *probe)
{
	switch (probe->step) {
	case RESOLVING:
		resolved(probes, probe);
		break;
	case CONNECTING:
		send_some(probes, probe);
		break;
	case READING:
	case STAYING:
		read_some(probes, probe);
		break;
	}
}

/* ------------------------------------------------------------------ loop -- */

int
io_probes_fd(const struct io_probes *probes)
{
	return probes->epoll;
}

static int64_t
due_ms(const struct probe *probe)
{
	if (probe->failed != NULL)
		return 0;
	return probe->step == STAYING && probe->stays_ms <
	    probe->deadline_ms ? probe->stays_ms : probe->deadline_ms;
}

int64_t
io_probes_next_ms(const struct io_probes *probes)
{
	int64_t next = -1;

	for (const struct probe *probe = probes->list; probe != NULL;
	     probe = probe->next)
		if (next < 0 || due_ms(probe) < next)
			next = due_ms(probe);
	return next;
}

/* One at a time: done() may start and cancel others. */
static bool
tick(struct io_probes *probes)
{
	int64_t now = now_ms(probes);

	for (struct probe *probe = probes->list; probe != NULL;
	     probe = probe->next) {
		if (now < due_ms(probe))
			continue;
		if (probe->failed != NULL)
			finish(probes, probe, false, probe->failed);
		else if (probe->step == STAYING &&
		    now >= probe->stays_ms)
			finish(probes, probe, true, "it stays open");
		else
			finish(probes, probe, false, probe->step <=
			    CONNECTING ? "no connection in time" :
			    "no answer in time");
		return true;
	}
	return false;
}

void
io_probes_turn(struct io_probes *probes)
{
	struct epoll_event event;

	while (epoll_wait(probes->epoll, &event, 1, 0) == 1)
		ready(probes, event.data.ptr);
	while (tick(probes))
		;
}
