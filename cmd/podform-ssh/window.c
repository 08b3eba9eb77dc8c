/*
 * window.c - how much the pod may send ahead, per channel.
 *
 * libssh2 keeps a window at what the channel was opened with.  That is too
 * little for a fast path to another continent: what can be under way is one
 * window per round trip.  So it grows while it is what limits, and only then:
 *
 * - A window is a promise of memory: a slow reader here makes all of it pile
 *   up.
 * - What the path does not hold of it piles up in sshd, which makes its
 *   buffer longer by 32 KiB at a time and copies and clears all of it each
 *   time: filling 32 MB costs it 16 GB of copies, in which it sends next to
 *   nothing.  A window of twice what is under way makes a tunnel slower.
 */
#include "cmd/podform-ssh/channel.h"

enum {
	WINDOW_MAX = 12 << 20,
	/* More than 256 MB/s can hardly be decrypted, and the buffers at both
	 * ends of a short path hold as much again: 20 ms away, half of this
	 * halves the speed. */
	BYTES_PER_US = 512,
	/* Of all channels together, beyond what each was opened with. */
	WINDOW_BUDGET = 32 << 20,
};

/* What the others have left of the budget. */
static size_t
spare(const struct worker *worker, const struct channel *asking)
{
	size_t used = 0;

	for (const struct channel *channel = worker->channels;
	    channel != NULL; channel = channel->next)
		if (channel != asking && channel->window > CHANNEL_WINDOW)
			used += channel->window - CHANNEL_WINDOW;
	return used < WINDOW_BUDGET ? WINDOW_BUDGET - used : 0;
}

/* The most that this channel may have. */
static size_t
most(const struct worker *worker, const struct channel *channel)
{
	size_t size = CHANNEL_WINDOW + spare(worker, channel);
	size_t path = (size_t)worker->rtt_us * BYTES_PER_US;

	if (size > path)
		size = path;
	if (size > WINDOW_MAX)
		size = WINDOW_MAX;
	return size > CHANNEL_WINDOW ? size : CHANNEL_WINDOW;
}

/*
 * What came in a round trip is at most a window.  Much of one: the window is
 * what limits, and it grows, but by less than itself, since more would only
 * pile up over there; 3/8 because of those buffers.  Far less: the path or
 * the reader limits, and sshd drowns in what it may send, until it may not.
 * Bytes come in lumps, so on a short path a few round trips are looked at.
 */
static void
choose(struct worker *worker, struct channel *channel)
{
	const int64_t least_us = 50000;
	int64_t rtt_us = worker->rtt_us;
	int64_t passed_us = worker->now_us - channel->window_us;
	size_t window = channel->window, came, limit;

	if (channel->window_us == 0 || passed_us > SECOND_US + 4 * rtt_us) {
		channel->window_us = worker->now_us;
		channel->window_bytes = channel->read_bytes;
		channel->window = CHANNEL_WINDOW;
		return;
	}
	if (passed_us < least_us || passed_us < rtt_us)
		return;
	came = (size_t)((int64_t)(channel->read_bytes -
	    channel->window_bytes) * rtt_us / passed_us);
	if (came >= window * 3 / 8)
		window += window * 3 / 4;
	else if (came < window / 4)
		window = came + came;
	limit = most(worker, channel);
	channel->window = window > limit ? limit : window < CHANNEL_WINDOW ?
	    CHANNEL_WINDOW : window;
	channel->window_us = worker->now_us;
	channel->window_bytes = channel->read_bytes;
}

bool
window_keep(struct worker *worker, struct channel *channel)
{
	unsigned long now;
	int code;

	if (channel->adjusting == 0) {
		choose(worker, channel);
		if (channel->window <= CHANNEL_WINDOW)
			return true;	/* libssh2 keeps this one */
		now = libssh2_channel_window_read_ex(channel->ssh, NULL,
		    NULL);
		if (now >= channel->window - channel->window / 8)
			return true;
		channel->adjusting = channel->window - now;
	}
	code = libssh2_channel_receive_window_adjust2(channel->ssh,
	    channel->adjusting, 1, NULL);
	if (code == LIBSSH2_ERROR_EAGAIN || code == LIBSSH2_ERROR_BAD_USE)
		return false;
	channel->adjusting = 0;
	worker_check(worker, code);
	return true;
}
