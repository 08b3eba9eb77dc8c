/*
 * session.h - sessions over workers; private to pkg/ssh.
 *
 * A session is one login, spoken by one worker process.  Who wants to use it
 * holds a `use`; what is done through it has a `channel`.  An `op` is what
 * the caller has started and may cancel.
 *
 *	WAITING -> RESOLVING -> CONNECTING -> HANDSHAKE -> LOGIN -> UP
 *	   ^                                      |
 *	   '--- dropped before the banner --------'      any -> DOWN
 *
 * Callbacks may start and cancel anything: nothing is freed during a turn;
 * what is over is swept at its end.
 */
#ifndef SSH_SESSION_H
#define SSH_SESSION_H

#include "ssh/agent.h"
#include "ssh/keys_parts.h"
#include "ssh/resolve.h"
#include "ssh/ssh.h"
#include "ssh/wire.h"

struct session;

enum watch_kind { WATCH_RESOLVE, WATCH_TCP, WATCH_WIRE, WATCH_AGENT };

/* What an epoll event points to. */
struct watch {
	enum watch_kind kind;
	struct session *session;
	int fd;				/* -1: not watched */
};

/* Somebody's interest in a session, in the owner's storage. */
struct use {
	struct use *next;
	struct session *session;	/* NULL: none (any more) */
	bool told_key, told_up;
	struct str fingerprint;		/* of the host, once told; it lives as
					   long as the session */
	void (*key)(void *ctx);		/* may be NULL: logging in now */
	void (*up)(void *ctx);
	/* The session ended, or never was; the use is over. */
	void (*down)(void *ctx, enum ssh_outcome outcome, struct str reason);
	void *ctx;
	const struct ssh_target *target;	/* lives as long as the use */
};

struct channel {
	struct channel *next;
	struct session *session;	/* NULL: closed */
	uint32_t id;
	void (*message)(void *ctx, const struct wire *message);
	void (*room)(void *ctx);	/* one more channel may be opened */
	void (*flushed)(void *ctx);	/* what was queued is sent; or NULL */
	void *ctx;
};

struct letter {				/* waits for the socketpair */
	struct letter *next;
	struct wire message;		/* takes fd */
	char payload[];
};

enum session_state {
	SESSION_WAITING, SESSION_RESOLVING, SESSION_CONNECTING,
	SESSION_HANDSHAKE, SESSION_LOGIN, SESSION_UP, SESSION_DOWN,
};

struct session {
	struct session *next;
	struct ssh *ssh;
	struct arena arena;
	struct ssh_target target;
	enum session_state state;
	int64_t deadline_ms;		/* of the login; -1 before it began */
	int64_t begin_ms;		/* waiting: not before */
	int64_t idle_ms;		/* when nobody wants it; -1 */
	unsigned drops;			/* hung up on before the banner */
	struct resolve *resolve;
	struct watch watch_resolve, watch_tcp, watch_wire, watch_agent;
	struct letter *letters, **letters_end;
	/* Login. */
	struct str blob, fingerprint;	/* of the host key */
	struct identities identities;
	size_t at;			/* of the one offered now */
	unsigned signatures;
	struct str agent;		/* to be asked for its keys; or absent */
	struct agent_op *agent_op;
	bool agent_signs;		/* else it lists */
	int64_t agent_ms;		/* its deadline */
	struct str agent_why;		/* why it gave nothing */
	/* Up. */
	struct use *uses;
	struct channel *channels;
	uint32_t last_channel;
	bool room;			/* a channel was closed: tell */
	int64_t rtt_us;			/* -1 unknown */
	/* Down. */
	enum ssh_outcome outcome;
	struct str reason;
};

struct op {
	struct op *next;
	uint64_t number;
	int64_t due_ms;			/* -1 never */
	bool over;
	bool kills;			/* it ends what else stays there */
	void (*due)(struct op *op);
	void (*cancel)(struct op *op);	/* let go of everything, silently */
	void (*release)(struct op *op);	/* free its memory */
};

struct ssh {
	struct ssh_config config;
	int epoll;
	int server;			/* to the server of workers; -1 */
	pid_t server_pid;
	struct session *sessions;
	struct op *ops;
	uint64_t last_number;
	bool work;			/* there is something for a turn */
	bool ending;			/* ssh_free() */
	char *buffer;			/* of a message */
};

int64_t ssh_now(const struct ssh *ssh);
void ssh_trace(const struct ssh *ssh, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void ssh_copy_target(struct arena *arena, const struct ssh_target *from,
    struct ssh_target *to);
uint64_t op_add(struct ssh *ssh, struct op *op);
struct op *op_find(struct ssh *ssh, uint64_t number);

/* ------------------------------------------------------------- worker.c -- */

/* Have workers start quickly later: the server loads its libraries now. */
void worker_warm_up(struct ssh *ssh);
/* A new worker: our end of its pair, non-blocking; or -errno. */
int worker_spawn(struct ssh *ssh);
/* Ends the server and waits for it, for a second at most. */
void worker_end(struct ssh *ssh);

/* ------------------------------------------------------------ session.c -- */

/* Begin to use a session for use->target: an old one or a new one. */
void session_use(struct ssh *ssh, struct use *use);
/* No callback comes any more; harmless when it is over. */
void session_leave(struct use *use);
void session_down(struct session *session, enum ssh_outcome outcome,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
void session_watch(struct session *session, struct watch *watch, int fd,
    uint32_t events);
void session_unwatch(struct session *session, struct watch *watch);
/* Connect, for the first time or once more; its turn has come. */
void session_begin(struct session *session);
/* Hung up on before the handshake: MaxStartups, or sshd that has just begun.
 * Later is better than never: false when it was too often or is too late. */
bool session_try_again(struct session *session);
/* Close everything that the login holds. */
void session_let_go(struct session *session);
void session_ready(struct watch *watch, uint32_t events);

/* ------------------------------------------------------------ letters.c -- */

void channel_open(struct session *session, struct channel *channel);
void channel_close(struct channel *channel);	/* forgets it; no message */
/* Send; takes message->fd.  What does not fit now waits. */
void session_send(struct session *session, const struct wire *message);
void channel_send(struct channel *channel, const struct wire *message);
bool session_clear(const struct session *session);	/* nothing waits */
void letters_flush(struct session *session);	/* the socket has room */
void letters_read(struct session *session);
void letters_drop(struct session *session);

/* ----------------------------------------------------------- sessions.c -- */

/* A turn of all: begin, deadlines, tell, sweep. */
void sessions_begin(struct ssh *ssh);
void sessions_tick(struct ssh *ssh);
void sessions_tell(struct ssh *ssh);
void sessions_sweep(struct ssh *ssh, bool all);
int64_t sessions_next_ms(const struct ssh *ssh);

/* -------------------------------------------------------------- login.c -- */

void login_begin(struct session *session);	/* the socket is connected */
void login_message(struct session *session, const struct wire *message);
void login_agent_ready(struct session *session);
void login_agent_late(struct session *session);
/* Does the key that was seen satisfy these pins? */
bool login_pinned(const struct ssh_target *target, struct str fingerprint);

#endif
