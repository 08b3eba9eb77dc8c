/*
 * window.c - how much the pod may send ahead, per channel.
 *
 * libssh2 keeps a window at what the channel was opened with.  That is too
 * little for a fast path to another continent: what can be under way is one
 * window per round trip.  So it grows with what the path carries, but only
 * for a channel that uses it, as each window is a promise of memory: a slow
 * reader here makes all of it pile up.
 */
#include "cmd/podform-ssh/channel.h"

enum {
	WINDOW_MAX = 32 << 20,
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

/*
 * Twice what came in a round trip is enough; what came is at most a window,
 * so a path that it limits makes it double each time.
 */
static void
choose(struct worker *worker, struct channel *channel)
{
	const int64_t least_us = 10000;
	int64_t rtt_us = worker->rtt_us, passed_us, wanted;
	size_t limit;

	if (channel->window_us == 0 || worker->now_us - channel->window_us >
	    SECOND_US + 4 * rtt_us) {
		channel->window_us = worker->now_us;
		channel->window_bytes = channel->read_bytes;
		channel->window = CHANNEL_WINDOW;
		return;
	}
	passed_us = worker->now_us - channel->window_us;
	if (passed_us < least_us || passed_us < rtt_us)
		return;
	wanted = (int64_t)(channel->read_bytes - channel->window_bytes) *
	    rtt_us / passed_us * 5 / 2;
	limit = CHANNEL_WINDOW + spare(worker, channel);
	if (limit > WINDOW_MAX)
		limit = WINDOW_MAX;
	if (wanted > (int64_t)limit)
		wanted = (int64_t)limit;
	if (wanted > (int64_t)channel->window)
		channel->window = (size_t)wanted;
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
		if (now >= channel->window - channel->window / 4)
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
