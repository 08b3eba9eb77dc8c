/*
 * channel.h - channels of the session: opening, turns, closing.
 *
 * What a channel is for is its kind (exec.c, stream.c, sftp.c ...): a table
 * of functions.  This module opens it (beside others, see opens.h), starts what is to run in it, gives it turns, keeps its
 * window (window.c), and closes it.
 */
#ifndef PODFORM_SSH_CHANNEL_H
#define PODFORM_SSH_CHANNEL_H

#include "cmd/podform-ssh/opens.h"
#include "cmd/podform-ssh/worker.h"

enum {
	/* The receive window that an open asks for; grows, see window.c. */
	CHANNEL_WINDOW = 2 << 20,
	CHANNEL_PACKET = 32 << 10,
};

enum channel_state {
	CHANNEL_NEW,		/* its kind prepares something */
	CHANNEL_WAITING,	/* for its turn to be opened */
	CHANNEL_OPENING,
	CHANNEL_TO_START,	/* open */
	CHANNEL_STARTING,
	CHANNEL_RUNNING,
	CHANNEL_CLOSING,	/* nobody's any more */
	CHANNEL_GONE,
};

struct channel_kind {
	/* A turn, in every state but CLOSING and GONE. */
	void (*turn)(struct worker *worker, struct channel *channel);
	/* Open, and started if start was given. */
	void (*opened)(struct worker *worker, struct channel *channel);
	/* It could not be opened or started; is closed after that. */
	void (*failed)(struct worker *worker, struct channel *channel,
	    enum wire_failure failure, const char *why);
	/* Descriptors to watch; may be NULL. */
	void (*watch)(struct worker *worker, struct channel *channel);
	/* Free what is its own; called once. */
	void (*release)(struct worker *worker, struct channel *channel);
};

struct channel {
	struct channel *next;
	const struct channel_kind *kind;
	void *own;			/* the kind's */
	uint32_t id;			/* podform's number; 0: has none */
	enum channel_state state;
	LIBSSH2_CHANNEL *ssh;
	struct open_state open;		/* of one that waits for its answer */
	bool parked;			/* out of the session */
	uint32_t ssh_id;
	bool has_status;		/* the server told an exit status */
	bool has_close;			/* and that it has closed it */
	bool unwanted;			/* close it as soon as it is open */
	unsigned tries;
	int64_t asked_us;		/* when the open was sent */
	int64_t until_us;		/* give up opening; 0: never */
	int64_t closing_us;		/* since when it is closed here */

	/* Owned: what to open, and what to start then (NULL: nothing). */
	const char *type;
	char *message;
	size_t message_size;
	const char *request;
	char *command;
	size_t command_size;

	/* window.c */
	size_t window;			/* that we want it to have */
	size_t adjusting;		/* an adjustment that is under way */
	uint64_t read_bytes;
	uint64_t window_bytes;		/* read_bytes, at window_us */
	int64_t window_us;

	/* To the pod, not yet taken by libssh2: the same bytes come again. */
	char *pending;
	size_t pending_at, pending_end;
	bool eof_wanted, eof_sent;
};

struct channel *channel_new(struct worker *worker,
    const struct channel_kind *kind, uint32_t id, size_t own_size);
struct channel *channel_find(struct worker *worker, uint32_t id,
    const struct channel_kind *kind);
/* Have it opened, in its turn; message and command are copied. */
void channel_open(struct worker *worker, struct channel *channel,
    const char *type, const void *message, size_t message_size);
void channel_start_with(struct channel *channel, const char *request,
    const void *command, size_t size);
/* Its kind is done with it. */
void channel_close(struct worker *worker, struct channel *channel);

void channel_turns(struct worker *worker);	/* of all */
void channel_watch(struct worker *worker);
/* Have libssh2 look at what came in, through any channel: false if there is
 * none through which it could. */
bool channel_pump(struct worker *worker);
/* What the pod may send to all of them, in bytes. */
size_t channel_windows(const struct worker *worker);
void channel_saw_status(struct worker *worker, uint32_t ssh_id);
void channel_saw_close(struct worker *worker, uint32_t ssh_id);

/*
 * Read from the pod: bytes, 0: nothing now, -1: the end of this stream.
 * Keeps the window.
 */
ssize_t channel_read(struct worker *worker, struct channel *channel,
    int stream, void *buffer, size_t size);
/* Drop what comes beside the output, which would hold up its end. */
void channel_deafen(struct channel *channel);
/* The same once, where errors were read to their end. */
void channel_drop_others(struct channel *channel);
/* The pod will send no more, and all of it was read. */
bool channel_at_end(struct channel *channel);
/* The pod has closed it; true only after channel_at_end(). */
bool channel_closed(struct worker *worker, struct channel *channel);
/* How much it would take now: 0 while something is pending. */
size_t channel_room(struct worker *worker, struct channel *channel);
/* Send at most channel_room() bytes. */
void channel_write(struct worker *worker, struct channel *channel,
    const void *bytes, size_t size);
/* Send the end, behind what is pending. */
void channel_end(struct channel *channel);
/* Go on with what is pending: true when there is nothing (left). */
bool channel_push(struct worker *worker, struct channel *channel);

/* --- window.c --- */
/* Something was read: false while libssh2 must not be asked to read. */
bool window_keep(struct worker *worker, struct channel *channel);

#endif
