/*
 * loop.c - one turn after the other.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cmd/podform-ssh/channel.h"
#include "cmd/podform-ssh/exec.h"
#include "cmd/podform-ssh/forward.h"
#include "cmd/podform-ssh/files.h"
#include "cmd/podform-ssh/worker.h"

enum {
	WATCH_MAX = WORKER_CHANNELS_MAX + 256,
	MESSAGES_TURN = 64,	/* of podform, in one turn */
	TIDY_BYTES = 4 << 20,	/* received, before it is worth while */
	QUIET_BYTES = 64 << 10,	/* in a second: the burst is over */
};

/* What the next poll() is to watch; the loop is the only one there is. */
static struct {
	struct pollfd fds[WATCH_MAX];
	short *results[WATCH_MAX];
	nfds_t n;
} watched;

void
loop_watch(int fd, short events, short *revents)
{
	*revents = 0;
	if (watched.n == WATCH_MAX)
		return;
	watched.fds[watched.n] = (struct pollfd){ .fd = fd,
	    .events = events };
	watched.results[watched.n++] = revents;
}

static int64_t
clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

static _Noreturn void
quit(struct worker *worker)
{
	if (worker->session != NULL && worker->transport.fd != -1) {
		worker->transport.quota = 0;
		libssh2_session_disconnect(worker->session, "bye");
		transport_flush(&worker->transport);
	}
	_exit(0);
}

static void
cancel(struct worker *worker, uint32_t id)
{
	if (forward_cancel(worker, id) || files_cancel(worker, id))
		return;
	for (struct channel *channel = worker->channels; channel != NULL;
	    channel = channel->next)
		if (channel->id == id && channel->kind != NULL) {
			channel->kind->failed(worker, channel,
			    WIRE_FAIL_CANCELLED, "cancelled");
			channel_close(worker, channel);
		}
}

static void
obey(struct worker *worker, struct wire *message)
{
	switch (message->type) {
	case WIRE_QUIT:
		quit(worker);
	case WIRE_LOGIN: case WIRE_TRUST: case WIRE_IDENTITY:
	case WIRE_SIGNATURE: case WIRE_NO_IDENTITY:
		login_message(worker, message);
		return;
	default:
		break;
	}
	if (worker->phase != PHASE_UP || message->channel == 0)
		worker_nonsense();
	switch (message->type) {
	case WIRE_CANCEL:
		cancel(worker, message->channel);
		return;
	case WIRE_EXEC: case WIRE_INPUT: case WIRE_INPUT_END:
	case WIRE_CREDIT:
		exec_message(worker, message);
		return;
	case WIRE_FORWARD: case WIRE_CONNECTED: case WIRE_UNFORWARD:
		forward_message(worker, message);
		return;
	case WIRE_PUT: case WIRE_GET: case WIRE_LIST: case WIRE_STAT:
	case WIRE_MKDIR: case WIRE_RENAME: case WIRE_REMOVE:
	case WIRE_CHMOD:
		files_message(worker, message);
		return;
	default:
		worker_nonsense();
	}
}

static void
hear(struct worker *worker)
{
	static char payload[WIRE_PAYLOAD_MAX + 1];

	for (int i = 0; i < MESSAGES_TURN; i++) {
		struct wire message;
		int result = wire_receive(worker->wire, payload, &message);

		if (result == -EAGAIN)
			return;
		if (result == 0)
			quit(worker);
		if (result < 0)
			worker_nonsense();
		/* Who takes the descriptor says so by removing it. */
		obey(worker, &message);
		if (message.fd != -1 && message.type != WIRE_LOGIN)
			close(message.fd);
	}
	worker->again = true;
}

/* Ask for what may be waited for, and wait. */
static void
wait(struct worker *worker, short *wire, short *server)
{
	struct transport *transport = &worker->transport;
	int timeout_ms = -1;
	int64_t left_us;

	watched.n = 0;
	loop_watch(worker->wire, (short)(POLLIN | (talk_clear(worker) ? 0 :
	    POLLOUT)), wire);
	*server = 0;
	if (transport->fd != -1)
		loop_watch(transport->fd, (short)(
		    (worker->deaf ? 0 : POLLIN) |
		    (transport_unsent(transport) > 0 ? POLLOUT : 0)), server);
	if (worker->phase == PHASE_UP) {
		channel_watch(worker);
		forward_watch(worker);
	}
	left_us = worker->wake_us == INT64_MAX ? -1 :
	    worker->wake_us - clock_us();
	if (worker->again)
		timeout_ms = 0;
	else if (worker->wake_us != INT64_MAX)
		timeout_ms = left_us <= 0 ? 0 : left_us > 60 * SECOND_US ?
		    60000 : (int)(left_us / 1000) + 1;
	if (poll(watched.fds, watched.n, timeout_ms) == -1)
		return;
	for (nfds_t i = 0; i < watched.n; i++)
		*watched.results[i] = watched.fds[i].revents;
}

/*
 * The session's turn.  Without a channel there is no function of libssh2
 * that reads what came in, so we make one by asking for an answer.
 */
static void
turn(struct worker *worker, short server)
{
	bool pumped;

	worker->transport.quota = server != 0 ? WORKER_READ_TURN : 0;
	worker->deaf = false;
	pumped = channel_pump(worker);
	if (forward_pump(worker))
		pumped = true;
	if (!pumped && server != 0 && worker->ping_sent_us == 0) {
		worker->deaf = true;
		alive_ping(worker);
	}
	forward_turns(worker);
	channel_turns(worker);
	files_turn(worker);
	/* What libssh2 has read but not looked at makes no socket ready. */
	worker->transport.quota = 0;
	channel_pump(worker);
	worker_check_memory(worker, channel_windows(worker));
	alive_step(worker);
}

/* What a burst has filled goes back to the kernel when it is over: a tunnel
 * idles for most of its life. */
static void
tidy(struct worker *worker)
{
	uint64_t received = worker->transport.received;

	if (received - worker->tidied < TIDY_BYTES)
		return;
	if (worker->now_us >= worker->tidy_us) {
		if (received - worker->tidy_seen <= QUIET_BYTES) {
			malloc_trim(0);
			worker->tidied = received;
			return;
		}
		worker->tidy_seen = received;
		worker->tidy_us = worker->now_us + SECOND_US;
	}
	worker_wake(worker, worker->tidy_us);
}

void
loop_run(struct worker *worker)
{
	short wire = 0, server = 0;

	worker->wake_us = INT64_MAX;
	for (;;) {
		wait(worker, &wire, &server);
		worker->now_us = clock_us();
		worker->wake_us = INT64_MAX;
		worker->again = false;
		if (wire & (POLLIN | POLLHUP | POLLERR))
			hear(worker);
		if (!talk_clear(worker))
			talk_flush(worker);
		if (worker->transport.fd != -1 &&
		    !transport_flush(&worker->transport) &&
		    worker->phase == PHASE_UP)
			worker_check(worker, LIBSSH2_ERROR_SOCKET_SEND);
		if (worker->phase == PHASE_UP) {
			turn(worker, server);
			tidy(worker);
		} else {
			worker->transport.quota = WORKER_READ_TURN;
			login_step(worker);
		}
	}
}
