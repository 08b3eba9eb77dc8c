/* session.c - the life of one session: see session.h */
#include "ssh/session.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	DROPS_MAX = 14,			/* nine seconds in all */
	DROP_WAIT_MS = 50,		/* the first; doubles a few times */
	DROP_DOUBLINGS = 4,
};

/* -------------------------------------------------------------- watching -- */

/* For reading, or (events != 0) for writing, too. */
void
session_watch(struct session *session, struct watch *watch, int fd,
    uint32_t events)
{
	struct epoll_event event = {
		.events = EPOLLIN | (events != 0 ? EPOLLOUT : 0),
		.data.ptr = watch,
	};
	int op = watch->fd == fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	watch->session = session;
	watch->fd = fd;
	if (epoll_ctl(session->ssh->epoll, op, fd, &event) != 0) {
		if (errno == ENOMEM || errno == ENOSPC)
			fail_out_of_memory();
		abort();	/* not a descriptor: a mistake of ours */
	}
}

void
session_unwatch(struct session *session, struct watch *watch)
{
	if (watch->fd >= 0)
		epoll_ctl(session->ssh->epoll, EPOLL_CTL_DEL, watch->fd,
		    NULL);
}

static void
shut(struct session *session, struct watch *watch)
{
	session_unwatch(session, watch);
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}

void
session_let_go(struct session *session)
{
	shut(session, &session->watch_tcp);
	shut(session, &session->watch_wire);
	if (session->agent_op != NULL) {
		session_unwatch(session, &session->watch_agent);
		session->watch_agent.fd = -1;
		agent_op_free(session->agent_op);
		session->agent_op = NULL;
	}
	if (session->resolve != NULL) {
		session_unwatch(session, &session->watch_resolve);
		session->watch_resolve.fd = -1;
		resolve_free(session->resolve);
		session->resolve = NULL;
	}
	letters_drop(session);
}

void
session_down(struct session *session, enum ssh_outcome outcome,
    const char *format, ...)
{
	va_list args;

	if (session->state == SESSION_DOWN)
		return;
	va_start(args, format);
	session->reason = arena_vprintf(&session->arena, format, args);
	va_end(args);
	session->outcome = outcome;
	session->state = SESSION_DOWN;
	session->ssh->work = true;
	session_let_go(session);
	ssh_trace(session->ssh, "ssh: session ended: " STR_FMT,
	    STR_ARG(session->reason));
}

/* ------------------------------------------------------------ life of one -- */

static bool
same_target(const struct ssh_target *a, const struct ssh_target *b)
{
	return str_eq(a->pod, b->pod) && str_eq(a->start, b->start) &&
	    str_eq(a->host, b->host) && a->port == b->port &&
	    str_eq(a->user, b->user) && str_eq(a->key, b->key);
}

static struct session *
session_new(struct ssh *ssh, const struct ssh_target *target)
{
	struct session *session = calloc(1, sizeof *session);
	struct session **end = &ssh->sessions;

	if (session == NULL)
		fail_out_of_memory();
	session->ssh = ssh;
	session->deadline_ms = session->idle_ms = -1;
	session->rtt_us = -1;
	ssh_copy_target(&session->arena, target, &session->target);
	session->watch_resolve = (struct watch){ WATCH_RESOLVE, session, -1 };
	session->watch_tcp = (struct watch){ WATCH_TCP, session, -1 };
	session->watch_wire = (struct watch){ WATCH_WIRE, session, -1 };
	session->watch_agent = (struct watch){ WATCH_AGENT, session, -1 };
	while (*end != NULL)
		end = &(*end)->next;
	*end = session;
	return session;
}

void
session_use(struct ssh *ssh, struct use *use)
{
	struct session *session = ssh->sessions;

	/* Pins are looked at again when it is told: they may have changed. */
	while (session != NULL && (session->state == SESSION_DOWN ||
	    !same_target(&session->target, use->target) ||
	    (session->fingerprint.len > 0 &&
		!login_pinned(use->target, session->fingerprint)) ||
	    (session->fingerprint.len == 0 &&
		session->target.npins != use->target->npins)))
		session = session->next;
	if (session == NULL)
		session = session_new(ssh, use->target);
	use->told_up = use->told_key = false;
	use->session = session;
	use->next = session->uses;
	session->uses = use;
	session->idle_ms = -1;
	ssh->work = true;
}

void
session_leave(struct use *use)
{
	struct session *session = use->session;
	if (session == NULL)
		return;
	struct use **at = &session->uses;
	while (*at != use)
		at = &(*at)->next;
	*at = use->next;
	use->session = NULL;
	if (session->uses == NULL)
		session->idle_ms = ssh_now(session->ssh);
	session->ssh->work = true;
}

static bool
connect_to(struct session *session, const struct resolve_address *address)
{
	int one = 1;
	int fd = socket(address->storage.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		session_down(session, SSH_LOCAL, "no socket: %s",
		    strerror(errno));
		return false;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	session->state = SESSION_CONNECTING;
	if (connect(fd, (const struct sockaddr *)&address->storage,
		address->len) != 0 && errno != EINPROGRESS) {
		session_down(session, SSH_UNREACHABLE, "%s", strerror(errno));
		close(fd);
		return false;
	}
	session_watch(session, &session->watch_tcp, fd, 1);
	return true;
}

void
session_begin(struct session *session)
{
	struct resolve_address address;
	const char *host = session->target.host.data;

	if (session->deadline_ms < 0)
		session->deadline_ms = ssh_now(session->ssh) +
		    session->ssh->config.login_ms;
	worker_warm_up(session->ssh);	/* while the network is waited for */
	ssh_trace(session->ssh, "ssh: connecting to %s port %u", host,
	    session->target.port);
	if (resolve_number(host, session->target.port, &address)) {
		connect_to(session, &address);
		return;
	}
	session->resolve = resolve_start(host, session->target.port);
	if (session->resolve == NULL) {
		session_down(session, SSH_LOCAL, "the name '%s' cannot be "
		    "looked up", host);
		return;
	}
	session->state = SESSION_RESOLVING;
	session_watch(session, &session->watch_resolve,
	    resolve_fd(session->resolve), 0);
}

bool
session_try_again(struct session *session)
{
	int64_t now = ssh_now(session->ssh);
	int64_t wait = (int64_t)DROP_WAIT_MS << (session->drops <
	    DROP_DOUBLINGS ? session->drops : DROP_DOUBLINGS);

	session->drops++;
	if (session->drops > DROPS_MAX || now + wait >= session->deadline_ms)
		return false;
	session_let_go(session);
	session->state = SESSION_WAITING;
	session->begin_ms = now + wait;
	session->ssh->work = true;
	return true;
}

/* ---------------------------------------------------------------- events -- */

static void
connected(struct session *session)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(session->watch_tcp.fd, SOL_SOCKET, SO_ERROR, &error,
		&len) != 0)
		error = errno;
	if (error == 0)
		login_begin(session);
	else
		session_down(session, SSH_UNREACHABLE, "%s",
		    strerror(error));
}

static void
resolved(struct session *session)
{
	struct resolve_address address;
	bool found = resolve_take(session->resolve, &address);

	session_unwatch(session, &session->watch_resolve);
	session->watch_resolve.fd = -1;
	resolve_free(session->resolve);
	session->resolve = NULL;
	if (found)
		connect_to(session, &address);
	else
		session_down(session, SSH_UNREACHABLE,
		    "the name '%s' is not known", session->target.host.data);
}

void
session_ready(struct watch *watch, uint32_t events)
{
	struct session *session = watch->session;
	if (watch->fd < 0 || session->state == SESSION_DOWN)
		return;
	switch (watch->kind) {
	case WATCH_RESOLVE:
		resolved(session);
		break;
	case WATCH_TCP:
		connected(session);
		break;
	case WATCH_AGENT:
		login_agent_ready(session);
		break;
	case WATCH_WIRE:
		if ((events & EPOLLOUT) != 0)
			letters_flush(session);
		letters_read(session);
		break;
	}
}
