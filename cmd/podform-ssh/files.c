/*
 * files.c - the SFTP channel, and the queue of jobs for it.
 */
#include "cmd/podform-ssh/files.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/podform-ssh/sftp.h"

#define IDLE_US (5 * (int64_t)SECOND_US)
enum { PATIENCE = 6 };		/* times the keepalive: 90 s */

static void
end_job(struct worker *worker, enum wire_failure failure, const char *why)
{
	struct sftp *sftp = worker->sftp;
	struct job *job = sftp->jobs;

	sftp->jobs = job->next;
	sftp->idle_us = worker->now_us;
	job_end(worker, job, failure, why);
	if (sftp->jobs != NULL && sftp->ready)
		job_begin(worker, sftp, sftp->jobs);
	worker->again = true;
}

static void
sftp_release(struct worker *worker, struct channel *channel)
{
	struct sftp *sftp = worker->sftp;

	free(channel->own);
	free(sftp->in);
	free(sftp->out);
	*sftp = (struct sftp){ .jobs = sftp->jobs };
}

static void
sftp_failed(struct worker *worker, struct channel *channel,
    enum wire_failure failure, const char *why)
{
	(void)channel;
	if (worker->sftp->jobs != NULL)
		end_job(worker, failure, why);
}

static void
sftp_opened(struct worker *worker, struct channel *channel)
{
	static const unsigned char hello[] = { 0, 0, 0, 5, SFTP_INIT, 0, 0,
	    0, 3 };

	channel_deafen(channel);
	worker->sftp->heard_us = worker->now_us;
	/* The very first of what is sent: there is room. */
	channel_write(worker, channel, hello, sizeof hello);
}

/* This job fails, and the channel is of no more use. */
static void
give_up(struct worker *worker, enum wire_failure failure, const char *why)
{
	struct sftp *sftp = worker->sftp;
	struct channel *channel = sftp->channel;

	sftp->ready = false;
	if (sftp->jobs != NULL)
		end_job(worker, failure, why);
	if (channel != NULL)
		channel_close(worker, channel);
}

static bool
take_version(struct worker *worker, struct reader *reader)
{
	static const char renames[] = "posix-rename@openssh.com";
	struct sftp *sftp = worker->sftp;
	size_t size, ignored;

	if (read_u32(reader) < 3)
		return false;
	while (reader->at < reader->end && !reader->bad) {
		const char *name = read_string(reader, &size);

		read_string(reader, &ignored);
		if (size == sizeof renames - 1 &&
		    memcmp(name, renames, size) == 0)
			sftp->renames = true;
	}
	sftp->ready = true;
	if (sftp->jobs != NULL)
		job_begin(worker, sftp, sftp->jobs);
	return true;
}

/* One whole packet; false if it makes no sense. */
static bool
take_packet(struct worker *worker, const unsigned char *packet, size_t size)
{
	struct sftp *sftp = worker->sftp;
	struct reader reader = { .at = packet + 1, .end = packet + size };
	struct job *job = sftp->jobs;
	uint32_t id;

	if (!sftp->ready)
		return packet[0] == SFTP_VERSION &&
		    take_version(worker, &reader);
	id = read_u32(&reader);
	if (job == NULL || reader.bad)
		return false;
	if (job_answer(worker, sftp, job, packet[0], id, &reader) ==
	    JOB_GOES_ON)
		return true;
	if (job->failure == WIRE_FAIL_PROTOCOL)
		return false;
	end_job(worker, job->failure, job->why);
	return true;
}

/* Take all packets that are whole. */
static bool
take_packets(struct worker *worker)
{
	struct sftp *sftp = worker->sftp;
	size_t at = 0;

	while (sftp->in_size - at >= 4) {
		struct reader reader = {
		    .at = (unsigned char *)sftp->in + at,
		    .end = (unsigned char *)sftp->in + sftp->in_size };
		uint32_t size = read_u32(&reader);

		if (size == 0 || size > SFTP_PACKET_MAX)
			return false;
		if (sftp->in_size - at - 4 < size)
			break;
		if (!take_packet(worker, reader.at, size))
			return false;
		at += 4 + (size_t)size;
	}
	memmove(sftp->in, sftp->in + at, sftp->in_size - at);
	sftp->in_size -= at;
	return true;
}

static void
read_answers(struct worker *worker, struct channel *channel)
{
	struct sftp *sftp = worker->sftp;
	size_t passed = 0, whole = SFTP_PACKET_MAX + 4 + SCRATCH_SIZE;

	if (sftp->in == NULL)
		sftp->in = worker_alloc(whole);
	while (passed < WORKER_CHANNEL_TURN && talk_clear(worker)) {
		ssize_t n = channel_read(worker, channel, 0,
		    sftp->in + sftp->in_size, SCRATCH_SIZE);

		if (n == -1) {
			give_up(worker, WIRE_FAIL_REFUSED,
			    "the server has no SFTP");
			return;
		}
		if (n == 0)
			break;
		sftp->in_size += (size_t)n;
		sftp->heard_us = worker->now_us;
		passed += (size_t)n;
		if (!take_packets(worker)) {
			give_up(worker, WIRE_FAIL_PROTOCOL,
			    "the SFTP server does not keep to the protocol");
			return;
		}
	}
	if (passed >= WORKER_CHANNEL_TURN)
		worker->again = true;
}

static void
send_requests(struct worker *worker, struct channel *channel)
{
	struct sftp *sftp = worker->sftp;
	size_t room, passed = 0;

	while (channel_push(worker, channel) &&
	    (room = channel_room(worker, channel)) > 0 &&
	    passed < WORKER_CHANNEL_TURN) {
		size_t left;

		if (sftp->jobs != NULL && sftp->ready)
			job_push(worker, sftp, sftp->jobs);
		left = sftp->out_end - sftp->out_at;
		if (left == 0)
			break;
		if (room > left)
			room = left;
		channel_write(worker, channel, sftp->out + sftp->out_at,
		    room);
		sftp->out_at += room;
		passed += room;
		if (sftp->out_at == sftp->out_end) {
			sftp->out_at = sftp->out_end = 0;
		} else if (sftp->out_at > 4 * SFTP_CHUNK) {
			memmove(sftp->out, sftp->out + sftp->out_at,
			    sftp->out_end - sftp->out_at);
			sftp->out_end -= sftp->out_at;
			sftp->out_at = 0;
		}
	}
	if (passed >= WORKER_CHANNEL_TURN)
		worker->again = true;
}

static void
sftp_turn(struct worker *worker, struct channel *channel)
{
	if (channel->state != CHANNEL_RUNNING)
		return;
	read_answers(worker, channel);
	if (channel->state == CHANNEL_RUNNING)
		send_requests(worker, channel);
}

static const struct channel_kind sftp_kind = {
	.turn = sftp_turn, .opened = sftp_opened, .failed = sftp_failed,
	.release = sftp_release,
};

/* The server may be slow, but says something to one of our requests. */
static void
be_patient(struct worker *worker)
{
	int64_t until_us = worker->sftp->heard_us +
	    PATIENCE * worker->keepalive_us;

	if (worker->now_us >= until_us)
		give_up(worker, WIRE_FAIL_TIMEOUT,
		    "the SFTP server does not answer");
	else
		worker_wake(worker, until_us);
}

void
files_turn(struct worker *worker)
{
	struct sftp *sftp = worker->sftp;

	if (sftp == NULL)
		return;
	if (sftp->jobs == NULL || !talk_clear(worker))
		sftp->heard_us = worker->now_us;
	if (sftp->jobs != NULL && sftp->channel == NULL) {
		sftp->channel = channel_new(worker, &sftp_kind, 0, 1);
		channel_start_with(sftp->channel, "subsystem", "sftp", 4);
		channel_open(worker, sftp->channel, "session", NULL, 0);
	} else if (sftp->jobs == NULL && sftp->channel != NULL &&
	    sftp->ready) {
		if (worker->now_us >= sftp->idle_us + IDLE_US)
			channel_close(worker, sftp->channel);
		else
			worker_wake(worker, sftp->idle_us + IDLE_US);
	} else if (sftp->jobs != NULL &&
	    sftp->channel->state == CHANNEL_RUNNING) {
		be_patient(worker);
	}
}

bool
files_cancel(struct worker *worker, uint32_t id)
{
	struct sftp *sftp = worker->sftp;
	struct job **at = sftp != NULL ? &sftp->jobs : NULL;

	while (at != NULL && *at != NULL && (*at)->id != id)
		at = &(*at)->next;
	if (at == NULL || *at == NULL)
		return false;
	if (*at == sftp->jobs) {
		/* Its answers are under way: a new channel has none. */
		give_up(worker, WIRE_FAIL_CANCELLED, "cancelled");
	} else {
		struct job *job = *at;

		*at = job->next;
		job_end(worker, job, WIRE_FAIL_CANCELLED, "cancelled");
	}
	return true;
}

void
files_message(struct worker *worker, struct wire *message)
{
	bool copies = message->type == WIRE_PUT || message->type == WIRE_GET;
	const char *path = message->payload;
	size_t length = strlen(path);
	struct job *job = worker_alloc(sizeof *job), **end;

	if (copies != (message->fd != -1) || message->size == 0 ||
	    (length != message->size) != (message->type == WIRE_RENAME))
		worker_nonsense();
	if (worker->sftp == NULL)
		worker->sftp = worker_alloc(sizeof *worker->sftp);
	if (worker->sftp->jobs == NULL)
		worker->sftp->heard_us = worker->now_us;
	job->id = message->channel;
	job->type = message->type;
	job->fd = message->fd;
	job->path = worker_copy(path, length);
	if (message->type == WIRE_RENAME)
		job->other = worker_copy(path + length + 1,
		    message->size - length - 1);
	job->mode = message->a;
	job->limit = message->b;
	message->fd = -1;
	for (end = &worker->sftp->jobs; *end != NULL; end = &(*end)->next)
		continue;
	*end = job;
	if (worker->sftp->jobs == job && worker->sftp->ready)
		job_begin(worker, worker->sftp, job);
	worker->again = true;
}
