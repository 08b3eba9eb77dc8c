/*
 * held.h - what the holder holds; private to pkg/tunnel.
 *
 * holder.c has the clients and the time, tunnels.c the tunnels, pods.c the
 * links, pod_request.c what clients know of pods.  Times are monotonic
 * milliseconds, but for since_ms; -1 is never.
 */
#ifndef TUNNEL_HELD_H
#define TUNNEL_HELD_H

#include "base/arena.h"
#include "base/pins.h"
#include "tunnel/holder.h"

enum {
	TEXT_MAX = 256,
	BACKOFF_MIN_MS = 250,		/* doubles to 1 s */
	BACKOFF_QUICK = 8,		/* attempts until it goes on doubling */
	BACKOFF_MAX_MS = 60 * 1000,
	GATE_MS = 30 * 1000,		/* up so long: back-off begins anew */
	DEAD_MS = 45 * 1000,		/* nothing heard of a link */
	FRESH_MS = 5 * 1000,		/* an answer is used so long */
	POLL_STARTING_MS = 10 * 1000,
	POLL_SETTLED_MS = 30 * 1000,
	POLL_GONE_MS = 10 * 1000,
	POLL_SOON_MS = 1000,		/* what it says will change at once */
	CLOUD_TIMEOUT_MS = 30 * 1000,
	LOG_TIMEOUT_MS = 10 * 1000,
	LOG_TRIES = 3,
	LOG_AGAIN_MS = 1000,		/* it names no key yet; then 2 s */
	LOG_LINES = 5000,		/* the start speaks first */
	LISTEN_AGAIN_MS = 10 * 1000,
	AUTO_PORTS = 200,		/* tried, for a free one */
	PATIENCE_MS = 10 * 1000,	/* connections wait for the tunnel */
	CHECK_TIMEOUT_MS = 5 * 1000,
	CHECK_AGAIN_MIN_MS = 250,
	CHECK_AGAIN_MAX_MS = 10 * 1000,
	CHECK_UP_MS = 60 * 1000,	/* while it is up */
	GRACE_MS = 5 * 1000,
	CLOSED_KEPT_MS = 10 * 60 * 1000,	/* in lists, with its reason */
};

/* Text from outside, cut to fit. */
struct held_text {
	char bytes[TEXT_MAX];
	size_t len;
};
void held_set(struct held_text *text, struct str value);
struct str held_str(const struct held_text *text);	/* absent when empty */

enum link_phase {
	LINK_ASKING,		/* the cloud: where is the pod, what is in its
				   log? */
	LINK_WAITING,		/* the pod does not run */
	LINK_CONNECTING, LINK_AUTHENTICATING, LINK_UP,
	LINK_BACKOFF,
	LINK_CONFLICT,
};

/* A pod that tunnels lead to, as one user with one key. */
struct held_pod {
	struct held_pod *next;
	size_t ntunnels;
	struct held_text id, user, key;
	enum link_phase phase;
	uint32_t link;		/* open if not 0 */
	/* Where it is, of which start, and its keys. */
	struct held_text host, start;
	uint16_t port;
	struct held_text pins[PINS_MAX];
	size_t npins;
	bool first_use;		/* the pin is the key that was seen first */
	bool log_read;		/* the log of this start was looked at */
	/* The cloud. */
	uint64_t ask;		/* token of what was asked; 0 none */
	bool asked_log;		/* it is the log */
	unsigned log_tries;
	unsigned gone;		/* answers in a row that say it is gone */
	int64_t known_ms;	/* when the last good answer came */
	/* Time. */
	int64_t due_ms;		/* of the phase: retry, poll, deadline */
	unsigned attempt;
	int64_t up_ms, heard_ms;
	int64_t conflict_ms;
	int64_t rtt_us;
	struct held_text error;
};

enum listener { LISTEN_NONE, LISTEN_ASKED, LISTEN_YES, LISTEN_TAKEN };
enum forward { FORWARD_NONE, FORWARD_ASKED, FORWARD_YES, FORWARD_FAILED };

struct held_tunnel {
	struct held_tunnel *next;
	uint32_t id;
	struct arena arena;		/* of config */
	struct tunnel_config config;
	struct held_pod *pod;		/* NULL: closed */
	enum tunnel_state state;
	int64_t since_ms;		/* wall */
	int64_t closed_ms;
	enum listener listener;
	uint16_t port;
	int64_t listen_ms;		/* try again */
	enum forward forward;
	int64_t forward_ms;		/* asked: its deadline; failed: again */
	unsigned forward_attempt;
	bool refusing;
	int64_t down_ms;		/* since when no forward was there */
	bool checked;			/* `check` counts as answering */
	bool was_up, was_lost;		/* since it was opened; since it was
					   up */
	unsigned check_fails;		/* in a row */
	uint64_t check;			/* token; 0 none */
	int64_t check_ms;		/* the next */
	uint64_t connections, bytes_in, bytes_out;
	uint64_t before_in, before_out;	/* on links of the past */
	unsigned reconnects;
	struct held_text error;
};

struct waiter {
	uint64_t client;
	uint32_t tunnel;
	int64_t deadline_ms;
};

struct holder {
	struct holder_options options;
	int64_t now_ms, wall_ms;
	struct held_tunnel *tunnels;	/* in the order they were opened */
	size_t ntunnels, nopen;
	struct held_pod *pods;
	VEC_OF(struct waiter) waiters;	/* heap, never shrinks */
	VEC_OF(struct holder_effect) effects;	/* likewise */
	size_t effects_at;
	struct arena scratch;		/* of the effects */
	uint64_t next_token;
	uint32_t next_tunnel, next_link;
	int64_t idle_ms;		/* without an open tunnel since */
	bool quitting, ended;
};

/* ---------------------------------------------------------- holder.c --- */

struct holder_effect *holder_do(struct holder *holder,
    enum holder_effect_type type);
void holder_say(struct holder *holder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
uint64_t holder_token(struct holder *holder);
/* Back-off of an attempt, the first being 0, with jitter. */
int64_t holder_backoff(struct holder *holder, unsigned attempt);
int64_t earlier_ms(int64_t a, int64_t b);	/* where -1 is never */

/* --------------------------------------------------------- tunnels.c --- */

struct held_tunnel *tunnel_find(const struct holder *holder,
    struct str address);
/* The pod of a tunnel that is opened now must be there already. */
struct held_tunnel *tunnel_open(struct holder *holder,
    const struct tunnel_config *config, struct held_pod *pod);
/* It is closed and stays in lists; or is forgotten at once. */
void tunnel_close(struct holder *holder, struct held_tunnel *tunnel,
    struct str reason);
void tunnel_remove(struct holder *holder, struct held_tunnel *tunnel);
void tunnel_event(struct holder *holder, const struct holder_event *event);
void tunnel_listen(struct holder *holder, struct held_tunnel *tunnel);
/* The link of its pod is up, or is not any more. */
void tunnel_link_up(struct holder *holder, struct held_tunnel *tunnel);
void tunnel_link_down(struct holder *holder, struct held_tunnel *tunnel);
void tunnel_time(struct holder *holder, struct held_tunnel *tunnel);
int64_t tunnel_deadline(const struct holder *holder,
    const struct held_tunnel *tunnel);
/* Say what it is now, if that has changed. */
void tunnel_settle(struct holder *holder, struct held_tunnel *tunnel);
struct tunnel_status tunnel_status(struct holder *holder,
    const struct held_tunnel *tunnel);
/* A copy whose strs are in the arena. */
struct tunnel_config tunnel_config_copy(struct arena *arena,
    const struct tunnel_config *config);

/* ------------------------------------------------------------ pods.c --- */

/* Find the way to it and connect, whatever was before. */
void pod_begin(struct holder *holder, struct held_pod *pod);
/* Its container was started then; another start has other keys. */
void pod_started(struct holder *holder, struct held_pod *pod,
    struct str start);
/* Forget it, if it has no tunnel any more. */
void pod_release(struct holder *holder, struct held_pod *pod);
void pod_event(struct holder *holder, const struct holder_event *event);
void pod_time(struct holder *holder, struct held_pod *pod);
void pod_suspended(struct holder *holder, struct held_pod *pod);
int64_t pod_deadline(const struct held_pod *pod);
struct held_pod *pod_of_link(const struct holder *holder, uint32_t link);
void pod_heard(struct holder *holder, struct held_pod *pod);
/* It is dead, whatever it says itself. */
void pod_lost(struct holder *holder, struct held_pod *pod,
    struct str reason);

/* ----------------------------------------------------- pod_request.c --- */

/* The pod of a request, made and set going if it is new; what the request
 * knows of it is taken in. */
struct held_pod *pod_of_request(struct holder *holder,
    const struct holder_request *request);

#endif
