/*
 * tunnel.h - what a tunnel is, and how it is.
 *
 * Values: the seam between the core, which decides which tunnels there
 * should be, and the holder, a process of this machine that keeps them up
 * (`podform tunnel hold`).  Words are OpenSSH's: local is -L, remote is -R,
 * dynamic is -D.
 */
#ifndef BASE_TUNNEL_H
#define BASE_TUNNEL_H

#include "base/arena.h"
#include "base/ssh.h"
#include "base/str.h"

enum tunnel_direction { TUNNEL_LOCAL, TUNNEL_REMOTE, TUNNEL_DYNAMIC };

struct tunnel_config {
	struct str address;		/* tunnel.web: its name for people and
					   for the holder */
	enum tunnel_direction direction;
	struct str local_address;	/* "127.0.0.1", "::1", "0.0.0.0", or
					   the absolute path of a socket */
	uint16_t local_port;		/* 0: the next free one; no meaning
					   with a path */
	struct str remote_host;		/* as seen from the pod; remote: the
					   address to listen on there */
	uint16_t remote_port;
	struct str check;		/* URL that must answer; or absent */
	struct str pod;			/* address of the pod: pod.trainer */
	struct str pod_id;
	struct str user, key;		/* as in ssh_target */
};

/* Names as in the contract: "waiting-for-pod" ... "closed". */
enum tunnel_state {
	TUNNEL_WAITING,		/* its pod does not run now */
	TUNNEL_RESOLVING,	/* where is it, and which key has it? */
	TUNNEL_CONNECTING, TUNNEL_AUTHENTICATING,
	TUNNEL_PROBING,		/* forwarding; `check` has not answered yet */
	TUNNEL_UP,
	TUNNEL_BACKOFF,		/* will try again */
	TUNNEL_CONFLICT,	/* the local end is taken by somebody else, or
				   the host key is not the pinned one */
	TUNNEL_CLOSED,
	TUNNEL_STATE_COUNT
};

struct tunnel_status {
	struct tunnel_config config;
	enum tunnel_state state;
	uint16_t port;			/* where it listens, once it does */
	int64_t since_ms;		/* wall clock: of the state */
	int64_t retry_at_ms;		/* wall clock, backoff; else 0 */
	uint64_t bytes_in, bytes_out;	/* from and to the pod, in all */
	uint64_t connections;		/* open now */
	int64_t rtt_us;			/* -1 unknown */
	unsigned reconnects;
	struct str error;		/* the last one, or absent */
	struct str fingerprint;		/* of the host key that is pinned, or
					   absent */
	bool first_use;			/* and nobody had named it before */
};

enum holder_verb {
	HOLDER_LIST,		/* no holder runs: an empty list, and none is
				   started */
	HOLDER_OPEN,		/* starts a holder if none runs; answered when
				   it is up, in conflict, or timeout_ms over */
	HOLDER_CLOSE,		/* by config.address; closed already: fine */
};

struct holder_request {
	enum holder_verb verb;
	struct tunnel_config config;	/* open; close: address alone */
	/* Open: what is known of the pod now, so that nobody has to ask. */
	struct ssh_endpoint ssh;
	struct str start;		/* container start */
	struct str pin;			/* absent: the holder finds one */
	int64_t timeout_ms;
};

struct holder_answer {
	bool ok;			/* open: up; close: gone; list: known */
	bool conflict;
	struct str reason;		/* when not ok */
	struct tunnel_status *tunnels;	/* list: all; open: that one */
	size_t ntunnels;
};

const char *tunnel_state_name(enum tunnel_state state);
bool tunnel_state_parse(struct str name, enum tunnel_state *state);
const char *tunnel_direction_name(enum tunnel_direction direction);
bool tunnel_direction_parse(struct str name, enum tunnel_direction *out);

/*
 * Where people find it, in the arena: "http://localhost:8188" where it leads
 * to HTTP (`check` says so, or a port that is known for it), the path of its
 * socket, "socks5h://127.0.0.1:1080", "127.0.0.1:5432"; for a remote one the
 * place that listens in the pod.
 */
struct str tunnel_url(struct arena *arena, const struct tunnel_status *status);

/* The same tunnel?  All but the pod's id. */
bool tunnel_config_eq(const struct tunnel_config *a,
    const struct tunnel_config *b);

#endif
