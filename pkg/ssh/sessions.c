/* sessions.c - a turn of all sessions: see session.h */
#include <stdlib.h>

#include "ssh/session.h"

enum { LOGINS_PER_HOST = 10 };		/* sshd's MaxStartups begins there */

/* ------------------------------------------------------------- beginning -- */

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
			session_begin(s);
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
		session_let_go(s);
		arena_release(&s->arena);
		free(s);
	}
}
