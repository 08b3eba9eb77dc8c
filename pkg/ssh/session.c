/* session.c - see session.h */
#include "ssh/session.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	LOGINS_PER_HOST = 10,		/* sshd's MaxStartups begins there */
	DROPS_MAX = 8,
	DROP_WAIT_MS = 250,
	LETTERS_TURN = 256,		/* messages taken at a time */
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
	if (epoll_ctl(session->ssh->epoll, op, fd, &event) != 0)
		abort();	/* not a descriptor: a mistake of ours */
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

static void
drop_letters(struct session *session)
{
	while (session->letters != NULL) {
		struct letter *letter = session->letters;
		session->letters = letter->next;
		if (letter->message.fd >= 0)
			close(letter->message.fd);
		free(letter);
	}
}

/* Let go of everything that the login holds. */
static void
close_all(struct session *session)
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
	drop_letters(session);
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
	close_all(session);
	ssh_trace(session->ssh, "ssh: session ended: " STR_FMT,
	    STR_ARG(session->reason));
}

/* --------------------------------------------------------------- sending -- */

bool
session_clear(const struct session *session)
{
	return session->letters == NULL;
}

static void
flush(struct session *session)
{
	while (session->letters != NULL) {
		struct letter *letter = session->letters;
		int error = wire_send(session->watch_wire.fd,
		    &letter->message);
		if (error == -EAGAIN || error == -ENOBUFS)
			return;
		if (error != 0)
			break;	/* reading will say what happened */
		session->letters = letter->next;
		if (letter->message.fd >= 0)
			close(letter->message.fd);
		free(letter);
	}
	session_watch(session, &session->watch_wire, session->watch_wire.fd,
	    0);
	for (struct channel *c = session->channels; c != NULL; c = c->next)
		if (c->flushed != NULL && session_clear(session))
			c->flushed(c->ctx);
}

void
session_send(struct session *session, const struct wire *message)
{
	int error = -EAGAIN;

	if (session->state == SESSION_DOWN || session->watch_wire.fd < 0) {
		if (message->fd >= 0)
			close(message->fd);
		return;
	}
	if (session->letters == NULL)
		error = wire_send(session->watch_wire.fd, message);
	if (error != -EAGAIN && error != -ENOBUFS) {
		if (message->fd >= 0)
			close(message->fd);
		return;
	}
	struct letter *letter = malloc(sizeof *letter + message->size);
	if (letter == NULL)
		fail_out_of_memory();
	letter->next = NULL;
	letter->message = *message;
	letter->message.payload = letter->payload;
	if (message->size > 0)
		memcpy(letter->payload, message->payload, message->size);
	if (session->letters == NULL)
		session->letters_end = &session->letters;
	*session->letters_end = letter;
	session->letters_end = &letter->next;
	session_watch(session, &session->watch_wire, session->watch_wire.fd,
	    1);
}

void
channel_open(struct session *session, struct channel *channel)
{
	channel->session = session;
	channel->id = ++session->last_channel;
	channel->next = session->channels;
	session->channels = channel;
}

void
channel_close(struct channel *channel)
{
	struct session *session = channel->session;
	if (session == NULL)
		return;
	struct channel **at = &session->channels;
	while (*at != channel)
		at = &(*at)->next;
	*at = channel->next;
	channel->session = NULL;
	session->room = true;
	session->ssh->work = true;
}

void
channel_send(struct channel *channel, const struct wire *message)
{
	struct wire numbered = *message;
	if (channel->session == NULL) {
		if (message->fd >= 0)
			close(message->fd);
		return;
	}
	numbered.channel = channel->id;
	session_send(channel->session, &numbered);
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

static void
begin(struct session *session)
{
	struct resolve_address address;
	const char *host = session->target.host.data;

	if (session->deadline_ms < 0)
		session->deadline_ms = ssh_now(session->ssh) +
		    session->ssh->config.login_ms;
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

/* Hung up on before the handshake: MaxStartups, or sshd that has just
 * begun.  Later is better than never. */
static bool
try_again(struct session *session)
{
	int64_t now = ssh_now(session->ssh);
	int64_t wait = DROP_WAIT_MS * (int64_t)(++session->drops);

	if (session->drops > DROPS_MAX || now + wait >= session->deadline_ms)
		return false;
	close_all(session);
	session->state = SESSION_WAITING;
	session->begin_ms = now + wait;
	session->ssh->work = true;
	return true;
}

static bool
logging_in(const struct session *session)
{
	return session->state > SESSION_WAITING &&
	    session->state < SESSION_UP;
}

static bool
may_begin(const struct session *session)
{
	size_t live = 0, here = 0;
	for (const struct session *s = session->ssh->sessions; s != NULL;
	    s = s->next) {
		if (s->state == SESSION_WAITING || s->state == SESSION_DOWN)
			continue;
		live++;
		here += logging_in(s) &&
		    s->target.port == session->target.port &&
		    str_eq(s->target.host, session->target.host);
	}
	return live < session->ssh->config.max_sessions &&
	    here < LOGINS_PER_HOST;
}

/* If all places are taken by sessions that idle, the oldest goes. */
static void
make_room(struct ssh *ssh)
{
	size_t live = 0;
	struct session *oldest = NULL;
	for (struct session *s = ssh->sessions; s != NULL; s = s->next) {
		live += s->state != SESSION_WAITING &&
		    s->state != SESSION_DOWN;
		if (s->state == SESSION_UP && s->uses == NULL &&
		    (oldest == NULL || s->idle_ms < oldest->idle_ms))
			oldest = s;
	}
	if (live >= ssh->config.max_sessions && oldest != NULL)
		session_down(oldest, SSH_LOST, "idle");
}

void
sessions_begin(struct ssh *ssh)
{
	int64_t now = ssh_now(ssh);
	for (struct session *s = ssh->sessions; s != NULL; s = s->next) {
		if (s->state != SESSION_WAITING || s->begin_ms > now ||
		    s->uses == NULL)
			continue;
		if (!may_begin(s))
			make_room(ssh);
		if (may_begin(s))
			begin(s);
	}
}

/* --------------------------------------------------------------- hearing -- */

static void
is_down(struct session *session, const struct wire *message)
{
	bool up = session->state == SESSION_UP;
	const char *words = message->payload;
	enum ssh_outcome outcome = SSH_UNREACHABLE;

	switch ((enum wire_failure)message->a) {
	case WIRE_FAIL_BANNER:
	case WIRE_FAIL_LOST:
		if (session->state == SESSION_HANDSHAKE && try_again(session))
			return;
		break;
	case WIRE_FAIL_KEX:
	case WIRE_FAIL_PROTOCOL:
		outcome = SSH_UNUSABLE;
		break;
	case WIRE_FAIL_AUTH:
		outcome = SSH_DENIED;
		break;
	case WIRE_FAIL_LOCAL:
		outcome = SSH_LOCAL;
		break;
	default:
		break;
	}
	session_down(session, up ? SSH_LOST : outcome, "%s",
	    message->size > 0 ? words : "the connection is lost");
}

static void
hear(struct session *session, const struct wire *message)
{
	if (message->type == WIRE_DOWN) {
		is_down(session, message);
		return;
	}
	if (message->type == WIRE_RTT) {
		session->rtt_us = message->b;
		session->ssh->work = true;
		for (struct channel *c = session->channels; c != NULL;
		    c = c->next)
			if (c->id == 0)
				c->message(c->ctx, message);
		return;
	}
	if (session->state != SESSION_UP) {
		login_message(session, message);
		return;
	}
	for (struct channel *c = session->channels; c != NULL; c = c->next)
		if (c->id == message->channel) {
			c->message(c->ctx, message);
			return;
		}
}

static void
read_wire(struct session *session)
{
	struct ssh *ssh = session->ssh;
	struct wire message;

	for (int i = 0; i < LETTERS_TURN && session->state != SESSION_DOWN &&
	    session->watch_wire.fd >= 0; i++) {
		int got = wire_receive(session->watch_wire.fd, ssh->buffer,
		    &message);
		if (got == -EAGAIN)
			return;
		if (got != 1) {
			session_down(session, session->state == SESSION_UP ?
			    SSH_LOST : SSH_UNREACHABLE,
			    "the SSH worker has ended");
			return;
		}
		if (message.fd >= 0)
			close(message.fd);	/* none is due to us */
		hear(session, &message);
	}
}

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
			flush(session);
		read_wire(session);
		break;
	}
}

/* ----------------------------------------------------------------- time ---- */

static bool
idle_over(const struct session *session, int64_t now)
{
	return session->uses == NULL && session->idle_ms >= 0 &&
	    session->ssh->config.idle_ms >= 0 &&
	    now >= session->idle_ms + session->ssh->config.idle_ms;
}

void
sessions_tick(struct ssh *ssh)
{
	int64_t now = ssh_now(ssh);
	for (struct session *s = ssh->sessions; s != NULL; s = s->next) {
		if (s->state == SESSION_DOWN)
			continue;
		if (s->state < SESSION_UP && s->deadline_ms >= 0 &&
		    now >= s->deadline_ms)
			session_down(s, SSH_UNREACHABLE,
			    s->state == SESSION_LOGIN ?
			    "it did not let us in in time" :
			    s->state == SESSION_HANDSHAKE ?
			    "no SSH server answered in time" :
			    "no connection in time");
		else if (s->agent_op != NULL && now >= s->agent_ms)
			login_agent_late(s);
		else if (s->state < SESSION_UP ? s->uses == NULL :
		    idle_over(s, now)) {
			session_send(s, &(struct wire){ .type = WIRE_QUIT,
			    .fd = -1 });
			session_down(s, SSH_LOST, "idle");
		}
	}
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

int64_t
sessions_next_ms(const struct ssh *ssh)
{
	int64_t next = -1;
	for (const struct session *s = ssh->sessions; s != NULL;
	    s = s->next) {
		if (s->state == SESSION_DOWN)
			continue;
		if (s->state < SESSION_UP)
			next = earlier(next, s->deadline_ms);
		if (s->state == SESSION_WAITING && s->begin_ms > 0)
			next = earlier(next, s->begin_ms);
		if (s->agent_op != NULL)
			next = earlier(next, s->agent_ms);
		if (s->uses == NULL && s->idle_ms >= 0 &&
		    ssh->config.idle_ms >= 0)
			next = earlier(next,
			    s->idle_ms + ssh->config.idle_ms);
	}
	return next;
}

/* -------------------------------------------------------------- telling ---- */

/* Tell one use what it has not heard; false if there is nothing to say. */
static bool
tell_one(struct session *session)
{
	for (struct use *use = session->uses; use != NULL; use = use->next) {
		use->fingerprint = session->fingerprint;
		if (session->state == SESSION_DOWN) {
			session_leave(use);
			use->down(use->ctx, session->outcome,
			    session->reason);
			return true;
		}
		if (session->fingerprint.len > 0 && !use->told_key) {
			use->told_key = true;
			if (!login_pinned(use->target,
				session->fingerprint)) {
				session_leave(use);
				use->down(use->ctx, SSH_WRONG_HOST_KEY,
				    STR("the host key is not the pinned one"));
				return true;
			}
			if (use->key != NULL)
				use->key(use->ctx);
			return true;
		}
		if (session->state == SESSION_UP && !use->told_up) {
			use->told_up = true;
			use->up(use->ctx);
			return true;
		}
	}
	return false;
}

static void
tell_room(struct session *session)
{
	session->room = false;
	for (struct channel *c = session->channels; c != NULL;) {
		struct channel *next = c->next;
		if (c->room != NULL)
			c->room(c->ctx);
		c = next;
	}
}

void
sessions_tell(struct ssh *ssh)
{
	for (struct session *s = ssh->sessions; s != NULL; s = s->next) {
		while (tell_one(s))
			;
		if (s->room && s->state == SESSION_UP)
			tell_room(s);
	}
}

void
sessions_sweep(struct ssh *ssh, bool all)
{
	struct session **at = &ssh->sessions;
	while (*at != NULL) {
		struct session *s = *at;
		if (!all && (s->state != SESSION_DOWN || s->uses != NULL ||
		    s->channels != NULL)) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		close_all(s);
		arena_release(&s->arena);
		free(s);
	}
}
