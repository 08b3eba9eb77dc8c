/*
 * worker.h - one SSH session, and what all parts of its worker share.
 *
 * One thread, one loop (loop.c), one turn at a time.  Nothing waits: what
 * cannot go on now is asked again in the next turn.  All of libssh2's
 * functions are called from that loop, with three rules that its version
 * 1.10 wants:
 *
 * - It never meets a full socket: what the kernel does not take waits in
 *   transport.c, and who would send much looks at worker_may_send() first.
 *   So no packet is ever half sent, which would make every other call on the
 *   session fail (libssh2/libssh2#1397), and a key exchange in a full pipe
 *   cannot lock up (#2110).
 * - What it said EAGAIN to comes again with the same buffer (#147): such
 *   buffers belong to the channel.
 * - Who waits for an answer does not read (channel.c): the library takes the
 *   answer to one channel's request for an error of another's.  And it keeps
 *   the state of an open in the session (opens.c).
 *
 * Ends: worker_down() says why and does not return.  Whatever podform or the
 * server do, no more than this process ends.
 */
#ifndef PODFORM_SSH_WORKER_H
#define PODFORM_SSH_WORKER_H

#include <libssh2.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/podform-ssh/transport.h"
#include "ssh/wire.h"

enum {
	/* What may wait unsent before channels are held up. */
	WORKER_SEND_AHEAD = 64 << 10,
	/* What one turn takes from the socket, so that memory stays bounded
	 * while it is decrypted and everybody gets a share. */
	WORKER_READ_TURN = 512 << 10,
	/* And what one channel may pass on in a turn. */
	WORKER_CHANNEL_TURN = 256 << 10,
	/* Channels at most, forwarded connections included. */
	WORKER_CHANNELS_MAX = 512,
	/* What libssh2 may keep of what a server says unasked: of what is
	 * for no channel of ours it drops nothing. */
	WORKER_UNASKED_LOGIN = 4 << 20,
	WORKER_UNASKED_UP = 24 << 20,
	SECOND_US = 1000000,
};

enum phase {
	PHASE_IDLE,		/* waits for LOGIN */
	PHASE_HANDSHAKE,
	PHASE_TRUST,		/* podform looks at the host key */
	PHASE_IDENTITY,		/* waits for a key to try */
	PHASE_AUTH,
	PHASE_UP,
};

struct channel;
struct forward;
struct sftp;

struct worker {
	int wire;
	struct transport transport;
	LIBSSH2_SESSION *session;
	enum phase phase;
	int64_t now_us;		/* monotonic; read once per turn */
	int64_t wake_us;	/* the earliest time at which somebody wants a
				   turn; INT64_MAX: never */
	bool again;		/* somebody can go on at once */
	bool deaf;		/* nobody can read from the session just now */

	/* login.c */
	char *user;
	int64_t login_from_us, login_until_us, asked_us;
	unsigned char *identity;
	size_t identity_size;
	unsigned char *signature;
	size_t signature_size;
	bool sign_asked, sign_answered;
	unsigned char *host_key;	/* that podform trusts */
	size_t host_key_size;
	struct worker *self;	/* for a callback that wants its address */

	/* talk.c: messages that podform did not take yet */
	struct letter *letters, **letters_end;
	size_t letters_size;

	/* channel.c */
	struct channel *channels;
	size_t nchannels;
	struct channel *opening;	/* has the session to itself */
	uint32_t opened_id;	/* the library's number of the last one */

	/* alive.c */
	int64_t keepalive_us;
	int64_t ping_sent_us;	/* 0: none is under way */
	int64_t ping_next_us;
	int64_t rtt_us;		/* the best seen; 0: not known */
	int64_t stuck_us;	/* since when unsent output does not move */
	uint64_t stuck_sent;

	/* loop.c */
	uint64_t tidied, tidy_seen;	/* what was received by then */
	int64_t tidy_us;

	struct forward *forwards;
	struct sftp *sftp;
	char farewell[200];	/* what the server said when it left */
	char *scratch;		/* SCRATCH_SIZE bytes for whoever has a turn */
};

enum { SCRATCH_SIZE = 64 << 10 };

/* Live as the worker of this pair, to the end of the process. */
_Noreturn void worker_run(int wire);

/* Say DOWN, see that it is sent, and end. */
_Noreturn void worker_down(struct worker *worker, enum wire_failure failure,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* podform says what makes no sense: end without a word. */
_Noreturn void worker_nonsense(void);
/*
 * There is no memory: say so and end, whoever has asked for it.  libssh2 and
 * libcrypto, told so, would say that the handshake, the key or the server is
 * bad, and podform would pass that on to people who then change their keys.
 */
_Noreturn void worker_starved(void);
/* The session is broken if this is the code of an error that ends it; says
 * DOWN then. */
void worker_check(struct worker *worker, int code);
/* Is libssh2 made to keep more than what `asked` bytes of data cost it? */
void worker_check_memory(struct worker *worker, size_t asked);

/* May somebody who sends much go on? */
bool worker_may_send(const struct worker *worker);
/* Have a turn at this time, at the latest. */
void worker_wake(struct worker *worker, int64_t at_us);

void *worker_alloc(size_t size);	/* zeroed; free() it */
char *worker_copy(const void *bytes, size_t size);	/* NUL behind */

/* --- talk.c --- */
void talk_say(struct worker *worker, const struct wire *message);
void talk_text(struct worker *worker, enum wire_type type, uint32_t channel,
    int64_t a, const char *text);
/* Nothing waits: there is room for bulk. */
bool talk_clear(const struct worker *worker);
void talk_flush(struct worker *worker);

/* --- login.c --- */
void login_message(struct worker *worker, struct wire *message);
void login_step(struct worker *worker);
/* A server that renews its keys is to be the one that we trusted: looked at
 * before anything of it is passed on. */
void login_check_host(struct worker *worker);

/* --- alive.c --- */
void alive_begin(struct worker *worker);
void alive_step(struct worker *worker);
/* Pump the session where no channel does so. */
void alive_ping(struct worker *worker);

/* --- loop.c --- */
_Noreturn void loop_run(struct worker *worker);
/* Add a descriptor to those of the next poll(); who asks gets what came of
 * it in *revents. */
void loop_watch(int fd, short events, short *revents);

#endif
