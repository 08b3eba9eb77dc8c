/*
 * login.c - from a connected socket to a session: handshake, trust, key.
 *
 * The private key stays with podform: the library's request for a signature
 * becomes a message, and it is asked again until the answer is there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/podform-ssh/library.h"
#include "cmd/podform-ssh/offers.h"
#include "cmd/podform-ssh/worker.h"

/* A server says who it is within this time, whatever podform allows. */
#define BANNER_US (10 * (int64_t)SECOND_US)
enum { LOGIN_MS = 30000, KEEPALIVE_S = 15 };

static void
begin(struct worker *worker, const struct wire *message)
{
	int64_t limit_ms = message->a > 0 ? message->a : LOGIN_MS;

	if (worker->phase != PHASE_IDLE || message->fd == -1 ||
	    message->size == 0 || limit_ms > INT32_MAX || message->b < 0 ||
	    message->b > 3600)
		worker_nonsense();
	worker->user = worker_copy(message->payload, message->size);
	worker->keepalive_us = (message->b > 0 ? message->b : KEEPALIVE_S) *
	    SECOND_US;
	worker->login_from_us = worker->now_us;
	worker->login_until_us = worker->now_us + limit_ms * 1000;
	transport_init(&worker->transport, message->fd, &worker->now_us);
	worker->session = library_session(worker);
	if (worker->session == NULL)
		worker_down(worker, WIRE_FAIL_LOCAL, "cannot set up libssh2");
	worker->phase = PHASE_HANDSHAKE;
	worker->again = true;
}

void
login_message(struct worker *worker, struct wire *message)
{
	switch (message->type) {
	case WIRE_LOGIN:
		begin(worker, message);
		return;
	case WIRE_TRUST:
		if (worker->phase != PHASE_TRUST)
			worker_nonsense();
		worker->phase = PHASE_IDENTITY;
		return;
	case WIRE_IDENTITY:
		if (worker->phase != PHASE_IDENTITY || message->size < 4)
			worker_nonsense();
		free(worker->identity);
		worker->identity = (unsigned char *)worker_copy(
		    message->payload, message->size);
		worker->identity_size = message->size;
		worker->sign_asked = worker->sign_answered = false;
		worker->asked_us = worker->now_us;
		worker->phase = PHASE_AUTH;
		worker->again = true;
		return;
	case WIRE_SIGNATURE:
		if (!worker->sign_asked || worker->sign_answered)
			worker_nonsense();
		worker->signature = (unsigned char *)worker_copy(
		    message->payload, message->size);
		worker->signature_size = message->size;
		worker->sign_answered = true;
		worker->again = true;
		return;
	case WIRE_NO_IDENTITY:
		worker_down(worker, WIRE_FAIL_AUTH,
		    "the server accepts none of the keys");
	default:
		worker_nonsense();
	}
}

/* ----------------------------------------------------------- handshake -- */

static _Noreturn void
no_handshake(struct worker *worker, int code)
{
	const struct transport *transport = &worker->transport;
	char *text = NULL, why[900];

	if (transport->flooded)
		worker_down(worker, WIRE_FAIL_BANNER,
		    "no SSH server: %d bytes without a banner",
		    TRANSPORT_BANNER_MAX);
	if (transport->old)
		worker_down(worker, WIRE_FAIL_BANNER,
		    "the server speaks an older SSH than version 2");
	if (transport->stage == TRANSPORT_BANNER) {
		if (transport->ended || transport->error != 0)
			worker_down(worker, WIRE_FAIL_LOST,
			    "the server closed the connection before it said "
			    "that it speaks SSH");
		worker_down(worker, WIRE_FAIL_BANNER,
		    "what answers is no SSH server");
	}
	if (code == LIBSSH2_ERROR_KEX_FAILURE &&
	    offers_explain(worker->session, transport->offer,
	    transport->offer_size, why, sizeof why))
		worker_down(worker, WIRE_FAIL_KEX, "%s", why);
	if (transport->ended || transport->error != 0 ||
	    worker->farewell[0] != '\0')
		worker_down(worker, WIRE_FAIL_LOST,
		    "the connection ended during the handshake%s%s",
		    worker->farewell[0] != '\0' ? ": " : "",
		    worker->farewell);
	libssh2_session_last_error(worker->session, &text, NULL, 0);
	worker_down(worker, WIRE_FAIL_PROTOCOL, "handshake failed: %s (%d)",
	    text != NULL && *text != '\0' ? text : "no words", code);
}

static void
say_host_key(struct worker *worker)
{
	char bytes[8 << 10], methods[300];
	size_t size = 0, words;
	int type;
	const char *key = libssh2_session_hostkey(worker->session, &size,
	    &type);

	library_methods(worker->session, methods, sizeof methods);
	words = strlen(methods);
	if (key == NULL || size + 1 + words > sizeof bytes) {
		worker_down(worker, WIRE_FAIL_PROTOCOL,
		    "the server's host key is no key");
		return;
	}
	worker->host_key = (unsigned char *)worker_copy(key, size);
	worker->host_key_size = size;
	memcpy(bytes, key, size);
	bytes[size] = '\0';
	memcpy(bytes + size + 1, methods, words);
	talk_say(worker, &(struct wire){ .type = WIRE_HOST_KEY,
	    .a = (int64_t)size, .payload = bytes, .size = size + 1 + words,
	    .fd = -1 });
}

static void
handshake(struct worker *worker)
{
	int code = libssh2_session_handshake(worker->session,
	    worker->transport.fd);

	if (code == 0) {
		transport_sealed(&worker->transport);
		worker->phase = PHASE_TRUST;
		say_host_key(worker);
		return;
	}
	/* What came may be the answer to a wait of the library that it does
	 * not call EAGAIN. */
	if (code != LIBSSH2_ERROR_EAGAIN)
		no_handshake(worker, code);
	if (worker->transport.stage == TRANSPORT_BANNER) {
		if (worker->now_us - worker->login_from_us >= BANNER_US)
			worker_down(worker, WIRE_FAIL_BANNER,
			    "no SSH banner within 10 s");
		worker_wake(worker, worker->login_from_us + BANNER_US);
	}
}

void
login_check_host(struct worker *worker)
{
	size_t size = 0;
	int type;
	const char *key;

	if (worker->phase != PHASE_UP || worker->host_key == NULL)
		return;
	/* None while keys are being renewed. */
	key = libssh2_session_hostkey(worker->session, &size, &type);
	if (key == NULL || (size == worker->host_key_size &&
	    memcmp(key, worker->host_key, size) == 0))
		return;
	worker->host_key = NULL;	/* the last words are not looked at */
	worker_down(worker, WIRE_FAIL_PROTOCOL,
	    "the server changed its host key when it renewed keys");
}

/* ---------------------------------------------------------------- keys -- */

/* A string of RFC 4251 at *at. */
static bool
next_string(const unsigned char *bytes, size_t size, size_t *at,
    const unsigned char **string, size_t *length)
{
	size_t n;

	if (size - *at < 4)
		return false;
	n = (size_t)bytes[*at] << 24 | (size_t)bytes[*at + 1] << 16 |
	    (size_t)bytes[*at + 2] << 8 | bytes[*at + 3];
	if (n > size - *at - 4)
		return false;
	*string = bytes + *at + 4;
	*length = n;
	*at += 4 + n;
	return true;
}

/* libssh2 wants the signature alone and writes the algorithm itself. */
static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
	struct worker *worker = *abstract;
	const unsigned char *name, *inner;
	size_t at = 0, name_size, inner_size;

	(void)session;
	if (!worker->sign_asked) {
		int64_t took_us = worker->now_us - worker->asked_us;

		if (worker->rtt_us == 0 || took_us < worker->rtt_us)
			worker->rtt_us = took_us;
		worker->sign_asked = true;
		talk_say(worker, &(struct wire){ .type = WIRE_SIGN,
		    .payload = data, .size = data_len, .fd = -1 });
	}
	if (!worker->sign_answered)
		return LIBSSH2_ERROR_EAGAIN;
	if (!next_string(worker->signature, worker->signature_size, &at,
	    &name, &name_size) || !next_string(worker->signature,
	    worker->signature_size, &at, &inner, &inner_size))
		return -1;
	*sig = library_alloc(inner_size);
	memcpy(*sig, inner, inner_size);
	*sig_len = inner_size;
	return 0;
}

static void
authenticate(struct worker *worker)
{
	int code = libssh2_userauth_publickey(worker->session, worker->user,
	    worker->identity, worker->identity_size, sign,
	    (void **)&worker->self);

	if (code == LIBSSH2_ERROR_EAGAIN)
		return;
	free(worker->signature);
	worker->signature = NULL;
	if (code == 0) {
		free(worker->identity);
		worker->identity = NULL;
		worker->phase = PHASE_UP;
		talk_text(worker, WIRE_UP, 0, 0, "");
		alive_begin(worker);
		worker->again = true;
		return;
	}
	if (worker->transport.ended || worker->transport.error != 0 ||
	    worker->farewell[0] != '\0')
		worker_down(worker, WIRE_FAIL_AUTH,
		    "the server ended the login%s%s",
		    worker->farewell[0] != '\0' ? ": " : "",
		    worker->farewell);
	worker_check(worker, code);
	worker->phase = PHASE_IDENTITY;
	talk_text(worker, WIRE_REJECTED, 0, 0, "");
}

void
login_step(struct worker *worker)
{
	if (worker->phase == PHASE_IDLE)
		return;
	if (worker->now_us >= worker->login_until_us)
		worker_down(worker, worker->transport.stage ==
		    TRANSPORT_BANNER ? WIRE_FAIL_BANNER : WIRE_FAIL_TIMEOUT,
		    "login not finished within %" PRId64 " s",
		    (worker->login_until_us - worker->login_from_us) /
		    SECOND_US);
	worker_wake(worker, worker->login_until_us);
	worker_check_memory(worker, 0);
	if (worker->phase == PHASE_HANDSHAKE)
		handshake(worker);
	if (worker->phase == PHASE_AUTH)
		authenticate(worker);
}
