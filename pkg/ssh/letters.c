/* letters.c - what a session and its worker say to each other: session.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ssh/session.h"

enum { LETTERS_TURN = 256 };		/* messages taken at a time */

/* --------------------------------------------------------------- sending -- */

void
letters_drop(struct session *session)
{
	while (session->letters != NULL) {
		struct letter *letter = session->letters;
		session->letters = letter->next;
		if (letter->message.fd >= 0)
			close(letter->message.fd);
		free(letter);
	}
}

bool
session_clear(const struct session *session)
{
	return session->letters == NULL;
}

void
letters_flush(struct session *session)
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

/* --------------------------------------------------------------- hearing -- */

static void
is_down(struct session *session, const struct wire *message)
{
	bool up = session->state == SESSION_UP;
	const char *words = message->payload;
	enum ssh_outcome outcome = SSH_UNREACHABLE;

	switch ((enum wire_failure)message->a) {
	case WIRE_FAIL_LOST:
		if (session->state == SESSION_HANDSHAKE &&
		    session_try_again(session))
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
	    *words != '\0' ? words : "the connection is lost");
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

void
letters_read(struct session *session)
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
