/*
 * worker.c - how a worker starts, and the ways in which it ends.
 */
#include "cmd/podform-ssh/worker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cmd/podform-ssh/library.h"

static int own_wire = -1;	/* of this process; -1: the server of workers */

static const char no_memory[] = "the SSH worker may not use more memory";

_Noreturn void
worker_starved(void)
{
	/* What waits in letters is lost; whoever reads this needs none. */
	if (own_wire != -1)
		wire_send(own_wire, &(struct wire){ .type = WIRE_DOWN,
		    .a = WIRE_FAIL_LOCAL, .payload = no_memory,
		    .size = sizeof no_memory - 1, .fd = -1 });
	_exit(1);
}

void *
worker_alloc(size_t size)
{
	void *memory = calloc(1, size > 0 ? size : 1);

	if (memory == NULL)
		worker_starved();
	return memory;
}

char *
worker_copy(const void *bytes, size_t size)
{
	char *copy = worker_alloc(size + 1);

	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

bool
worker_may_send(const struct worker *worker)
{
	return transport_unsent(&worker->transport) < WORKER_SEND_AHEAD;
}

void
worker_wake(struct worker *worker, int64_t at_us)
{
	if (at_us < worker->wake_us)
		worker->wake_us = at_us;
}

void
worker_nonsense(void)
{
	_exit(1);
}

/* Let podform have what it is owed, for a second at most. */
static void
say_last_words(struct worker *worker)
{
	for (int i = 0; i < 10 && !talk_clear(worker); i++) {
		struct pollfd ready = { .fd = worker->wire,
		    .events = POLLOUT };

		poll(&ready, 1, 100);
		talk_flush(worker);
	}
}

void
worker_down(struct worker *worker, enum wire_failure failure,
    const char *format, ...)
{
	char text[800];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	talk_text(worker, WIRE_DOWN, 0, failure, text);
	say_last_words(worker);
	_exit(0);
}

/* The connection is gone: what is known of why. */
static _Noreturn void
lost(struct worker *worker)
{
	const struct transport *transport = &worker->transport;

	if (worker->farewell[0] != '\0')
		worker_down(worker, WIRE_FAIL_LOST,
		    "the server ended the connection: %s", worker->farewell);
	if (transport->error != 0)
		worker_down(worker, WIRE_FAIL_LOST, "connection lost: %s",
		    strerror(transport->error));
	worker_down(worker, WIRE_FAIL_LOST,
	    "the server closed the connection");
}

void
worker_check(struct worker *worker, int code)
{
	char *text = NULL;

	switch (code) {
	case LIBSSH2_ERROR_SOCKET_DISCONNECT:
	case LIBSSH2_ERROR_SOCKET_RECV:
	case LIBSSH2_ERROR_SOCKET_SEND:
	case LIBSSH2_ERROR_SOCKET_TIMEOUT:
	case LIBSSH2_ERROR_BAD_SOCKET:
		lost(worker);
	case LIBSSH2_ERROR_INVALID_MAC:
	case LIBSSH2_ERROR_DECRYPT:
	case LIBSSH2_ERROR_ENCRYPT:
	case LIBSSH2_ERROR_PROTO:
	case LIBSSH2_ERROR_OUT_OF_BOUNDARY:
	case LIBSSH2_ERROR_BUFFER_TOO_SMALL:
	case LIBSSH2_ERROR_KEX_FAILURE:
	case LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
	case LIBSSH2_ERROR_HOSTKEY_INIT:
	case LIBSSH2_ERROR_HOSTKEY_SIGN:
	case LIBSSH2_ERROR_ZLIB:
		libssh2_session_last_error(worker->session, &text, NULL, 0);
		worker_down(worker, WIRE_FAIL_PROTOCOL,
		    "the server does not keep to the protocol: %s (%d)",
		    text != NULL && *text != '\0' ? text : "no words", code);
	case LIBSSH2_ERROR_ALLOC:
		worker_down(worker, WIRE_FAIL_LOCAL, "%s", no_memory);
	default:
		if (worker->transport.ended || worker->transport.error != 0)
			lost(worker);
		return;
	}
}

void
worker_check_memory(struct worker *worker, size_t asked)
{
	size_t allowed = worker->phase == PHASE_UP ? WORKER_UNASKED_UP :
	    WORKER_UNASKED_LOGIN;

	/* Data in small packets take more than their own size. */
	if (library_held() > allowed + 2 * asked)
		worker_down(worker, WIRE_FAIL_PROTOCOL,
		    "the server floods us with messages that nobody asked "
		    "for");
}

void
worker_run(int wire)
{
	own_wire = wire;
	struct worker *worker = worker_alloc(sizeof *worker);

	*worker = (struct worker){ .wire = wire, .transport = { .fd = -1 },
	    .self = worker };
	worker->scratch = worker_alloc(SCRATCH_SIZE);
	loop_run(worker);
}
