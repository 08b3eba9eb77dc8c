/*
 * holder.h - what keeps tunnels up, as decisions: events in, effects out.
 *
 * The holder of tunnels is a process that outlives apply (cmd/podform,
 * `podform tunnel hold`).  Here is all that it decides and nothing that it
 * does: it is told what clients ask, what the cloud answers, how its links
 * fare and what time it is; it says what to ask, to connect, to listen on
 * and to reply.
 *
 *	 clients ----.                              .---- reply
 *	 cloud ------+--> holder_event() ...        +---- ask, link, listen,
 *	 links ------'         holder_next_effect() '---- forward, check
 *
 * One link per pod carries all its tunnels.  A link goes
 *
 *	            .--------------- new start, or retry ----------------.
 *	            v                                                     |
 *	         ASKING --> CONNECTING --> AUTHENTICATING --> UP --lost--.|
 *	          |  ^           |                |                      ||
 *	  not     |  | 10 s,     `--- failed -----+------> BACKOFF <-----'|
 *	  running v  | 30 s                       |       0.25..60 s -----'
 *	        WAITING                           `-----> CONFLICT: the host
 *	          |                                       key is another, and
 *	          `--> gone: its tunnels are closed       nothing was sent
 *
 * and the state of a tunnel follows from its link's, its listener's, its
 * forward's and its check's (base/tunnel.h names them).
 *
 * Rules:
 *	- Before each new connection the cloud is asked where the pod is, but
 *	  an answer serves all tunnels of the pod and five seconds.  Where it
 *	  gives none, the last known place is tried: the pinned key makes that
 *	  safe.
 *	- A pod that is said to be gone is asked for again: one odd answer
 *	  proves nothing.  Twice (ten seconds apart for a 404) closes.
 *	- Another container start means another key: the one that its log
 *	  names, else the first that is seen, and that is said.  Another key
 *	  without another start is a conflict and ends only with a new start.
 *	- Back-off 250 ms, 500 ms, 1 s a few times, then doubling to 60 s, give
 *	  or take a quarter; begun anew when a link was up for 30 s.
 *	- A link that has not been heard of for 45 s is dead, and after a
 *	  suspend every one is.
 *	- Who connects to a tunnel that is down waits, at most 10 s; then, and
 *	  until it is up, connections are cut at once.
 *	- A tunnel with `check` is up while that answers: looked at every 60 s,
 *	  down after two failures in a row.
 *
 * Memory: what is there per tunnel and per pod has fixed size once made; what
 * an event needs is in a scratch arena that the next event empties.
 */
#ifndef TUNNEL_HOLDER_H
#define TUNNEL_HOLDER_H

#include "base/cloud.h"
#include "base/seams.h"
#include "base/tunnel.h"

enum {
	HOLDER_TUNNELS_MAX = 1024,
	HOLDER_WAITERS_MAX = 256,	/* requests that wait for a tunnel */
};

struct holder;

struct holder_options {
	struct chance chance;		/* jitter */
	int64_t grace_ms;		/* without a tunnel, before it ends
					   itself; 0: 5 s */
};

/* ------------------------------------------------------------- effects -- */

enum holder_effect_type {
	HOLDER_DO_ASK,		/* `request` of the cloud; answer with
				   HOLDER_ON_CLOUD and its token */
	HOLDER_DO_FORGET,	/* no answer to that token is wanted */
	HOLDER_DO_LISTEN,	/* tunnel, config: a listener on the first free
				   port of port..last_port, or on the path;
				   answer with HOLDER_ON_LISTEN.  0600 */
	HOLDER_DO_UNLISTEN,	/* tunnel: it is to be gone at once */
	HOLDER_DO_REFUSE,	/* tunnel, refuse: from now on connections are
				   accepted and cut, or left to the forward */
	HOLDER_DO_LINK,		/* link, target: open it */
	HOLDER_DO_UNLINK,	/* link: close it; no more events of it */
	HOLDER_DO_FORWARD,	/* link, tunnel, config; answer with
				   HOLDER_ON_FORWARD */
	HOLDER_DO_UNFORWARD,	/* link, tunnel */
	HOLDER_DO_CHECK,	/* url: any HTTP answer with a status below 500
				   within timeout_ms; answer with
				   HOLDER_ON_CHECK and its token */
	HOLDER_DO_REPLY,	/* client, answer */
	HOLDER_DO_SAY,		/* a line for the log; not escaped */
	HOLDER_DO_END,		/* nothing is left to do, or it was told to */
};

struct holder_effect {
	enum holder_effect_type type;
	uint64_t token;
	uint64_t client;
	uint32_t tunnel;
	uint32_t link;
	struct cloud_request request;
	struct ssh_target target;
	struct tunnel_config config;	/* forward: local_port as listened on */
	uint16_t port, last_port;
	bool refuse;
	struct str text;		/* url, or what to say */
	int64_t timeout_ms;
	struct holder_answer answer;
};

/* -------------------------------------------------------------- events -- */

enum holder_event_type {
	HOLDER_ON_REQUEST,	/* client, request */
	HOLDER_ON_HANGUP,	/* client: wants no reply any more */
	HOLDER_ON_CLOUD,	/* token, cloud */
	HOLDER_ON_LISTEN,	/* tunnel, ok, port; text: why not, and who */
	HOLDER_ON_AUTHENTICATING,	/* link */
	HOLDER_ON_UP,		/* link; text: fingerprint */
	HOLDER_ON_DOWN,		/* link, outcome; text: why */
	HOLDER_ON_RTT,		/* link, rtt_us */
	HOLDER_ON_FORWARD,	/* link, tunnel, ok, port (remote); text */
	HOLDER_ON_STATS,	/* link, tunnel, connections, bytes */
	HOLDER_ON_CHECK,	/* token, ok; text: why not */
	HOLDER_ON_TIME,		/* holder_deadline() has come */
	HOLDER_ON_SUSPENDED,	/* the machine slept */
	HOLDER_ON_QUIT,		/* close all and end */
};

struct holder_event {
	enum holder_event_type type;
	int64_t now_ms;			/* monotonic, always set */
	int64_t wall_ms;		/* always set */
	uint64_t client;
	uint64_t token;
	uint32_t tunnel;
	uint32_t link;
	const struct holder_request *request;
	const struct cloud_answer *cloud;
	enum ssh_outcome outcome;
	bool ok;
	uint16_t port;
	int64_t rtt_us;
	uint64_t connections;		/* of this forward on this link: */
	uint64_t bytes_in, bytes_out;
	struct str text;
};

/* ----------------------------------------------------------------- use -- */

struct holder *holder_new(const struct holder_options *options,
    int64_t now_ms);
void holder_free(struct holder *holder);	/* NULL is harmless */

/* What the event points to is copied as needed. */
void holder_event(struct holder *holder, const struct holder_event *event);

/*
 * The next thing to do, or false.  Its strs live until holder_event() is
 * called when nothing is left to do: whoever carries an effect out may call
 * holder_event() as the last thing it does for it.
 */
bool holder_next_effect(struct holder *holder, struct holder_effect *effect);

/* When to send HOLDER_ON_TIME, on the monotonic clock; -1 for never. */
int64_t holder_deadline(const struct holder *holder);

/* Bytes of the heap that are held now, for tests: they stay bounded. */
size_t holder_memory(const struct holder *holder);

#endif
