/*
 * alive.c - is anybody there?
 *
 * The keepalive of libssh2 1.10 does not look for answers; and as it never
 * takes them out of its queue, the next request for a forward would find
 * one and take it for its own.  So what is sent is an open of a channel of
 * a kind that no server has: each has to say no, which the library waits for
 * and consumes.  This also lets it read what a server says while no channel
 * is open, such as keepalives of its own, which it then answers.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/podform-ssh/channel.h"

#define PING_LEAST_US ((int64_t)SECOND_US)

static void
ping_turn(struct worker *worker, struct channel *channel)
{
	(void)worker, (void)channel;
}

/* The server has such a channel?  No matter, it answered. */
static void
ping_opened(struct worker *worker, struct channel *channel)
{
	channel_close(worker, channel);
}

static void
ping_failed(struct worker *worker, struct channel *channel,
    enum wire_failure failure, const char *why)
{
	int64_t took_us = worker->now_us - channel->asked_us;

	(void)why;
	if (failure != WIRE_FAIL_REFUSED)
		return;
	if (worker->rtt_us == 0 || took_us < worker->rtt_us)
		worker->rtt_us = took_us;
	talk_say(worker, &(struct wire){ .type = WIRE_RTT, .b = took_us,
	    .fd = -1 });
}

static void
ping_release(struct worker *worker, struct channel *channel)
{
	worker->ping_sent_us = 0;
	free(channel->own);
}

static const struct channel_kind ping_kind = {
	.turn = ping_turn, .opened = ping_opened, .failed = ping_failed,
	.release = ping_release,
};

static void
ping(struct worker *worker)
{
	struct channel *channel = channel_new(worker, &ping_kind, 0, 1);

	worker->ping_sent_us = worker->now_us;
	worker->ping_next_us = worker->now_us + worker->keepalive_us;
	channel_open(worker, channel, "keepalive@podform", NULL, 0);
}

void
alive_begin(struct worker *worker)
{
	worker->ping_next_us = worker->now_us + PING_LEAST_US;
	worker->stuck_us = worker->now_us;
}

void
alive_ping(struct worker *worker)
{
	int64_t last_us = worker->ping_next_us - worker->keepalive_us;

	if (worker->ping_sent_us == 0 &&
	    worker->now_us >= last_us + PING_LEAST_US)
		ping(worker);
	else
		worker_wake(worker, last_us + PING_LEAST_US);
}

void
alive_step(struct worker *worker)
{
	const struct transport *transport = &worker->transport;
	int64_t patience_us = 3 * worker->keepalive_us;

	if (worker->now_us - transport->heard_us >= patience_us)
		worker_down(worker, WIRE_FAIL_LOST,
		    "nothing was heard of the server for %" PRId64 " s",
		    patience_us / SECOND_US);
	if (transport_unsent(transport) == 0 ||
	    transport->sent != worker->stuck_sent) {
		worker->stuck_us = worker->now_us;
		worker->stuck_sent = transport->sent;
	} else if (worker->now_us - worker->stuck_us >= patience_us) {
		worker_down(worker, WIRE_FAIL_LOST,
		    "the server took nothing for %" PRId64 " s",
		    patience_us / SECOND_US);
	}
	if (worker->ping_sent_us != 0 &&
	    worker->now_us - worker->ping_sent_us >= 2 * patience_us)
		worker_down(worker, WIRE_FAIL_LOST,
		    "the server no longer answers");
	if (worker->ping_sent_us == 0 &&
	    worker->now_us >= worker->ping_next_us)
		ping(worker);
	worker_wake(worker, transport->heard_us + patience_us);
	worker_wake(worker, worker->stuck_us + patience_us);
	if (worker->ping_sent_us == 0)
		worker_wake(worker, worker->ping_next_us);
}
