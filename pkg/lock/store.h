/*
 * store.h - a record that several machines share.
 *
 * By default the record is a file beside the spec (lock_commit(), journal.h,
 * mutex.h).  A store keeps it elsewhere: one text, which is the text of the
 * lock with its pending ops, and beside it the hold of whoever works on it.
 *
 *	https://host/path		the protocol of Terraform's http
 *					backend: GET, POST, LOCK, UNLOCK
 *	s3://bucket/key?region=R	conditional writes; &endpoint=URL for
 *					services other than Amazon's
 *	etcd://host:2379/key		the JSON gateway of etcd 3: lease,
 *					transaction, watch
 *
 * Every write says which text it replaces, where the protocol can (all but
 * http, which goes by the id of the hold), so of two writers one is refused
 * whatever they believe about their holds.  Where the hold is a lease it ends
 * by itself when its owner dies.
 *
 * Straight-line code over a link that answers one HTTP exchange at a time.
 * Facts: developer.hashicorp.com/terraform/language/backend/http, the S3 API
 * reference on conditional writes, etcd.io/docs/v3.5/dev-guide/api_grpc_gateway.
 */
#ifndef LOCK_STORE_H
#define LOCK_STORE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/seams.h"
#include "lock/mutex.h"

/* ------------------------------------------------------------- place ---- */

enum store_kind { STORE_FILE, STORE_HTTP, STORE_S3, STORE_ETCD };

struct store_place {
	enum store_kind kind;
	struct str shown;		/* for people */
	struct str file;		/* STORE_FILE: the path */
	struct str base;		/* scheme, host and port: HOST_STORE */
	struct str path;		/* of the record: "/bucket/key"; for etcd
					   the key itself */
	struct str query;		/* http: "?a=b", or absent */
	struct str region;		/* s3; absent if the URL has none */
	bool gitlab;			/* http: GitLab's, which locks by POST
					   and DELETE of .../lock */
};

/*
 * From what --lock says: a path or one of the URLs above.  False with a
 * sentence in *why.  No user or password in it: arguments are public.
 */
bool store_parse(struct arena *arena, struct str text,
    struct store_place *out, struct str *why);

/* ------------------------------------------------------------- store ---- */

enum store_result {
	STORE_OK,
	STORE_MISSING,		/* read: nothing was ever written there */
	STORE_HELD,		/* take: somebody else works there */
	STORE_CHANGED,		/* write: another text is there than was read */
	STORE_LOST,		/* our hold is gone: nothing may be sent */
	STORE_AWAY,		/* reported: no usable answer, many times */
	STORE_REFUSED,		/* reported: credentials, no such bucket, a
				   server that is no such store, ... */
	STORE_UNKNOWN,		/* a single write may have happened (private) */
};

/* How a store is talked to. */
struct store_link {
	void *ctx;
	const struct clock *clock;
	/* One exchange with HOST_STORE; strs of the answer in the arena. */
	void (*exchange)(void *ctx, struct arena *arena,
	    const struct http_request *request, struct http_answer *answer);
	/* Wait so long; false: the user wants to end. */
	bool (*sleep)(void *ctx, int64_t ms);
};

struct store_driver;

struct store {
	struct store_place place;
	struct store_link link;
	struct diags *diags;
	struct arena *arena;		/* lives as long as the store */
	const struct store_driver *driver;
	struct str login;		/* etcd: "name:password", secret; absent */

	struct mutex_holder self;	/* of our hold */
	bool held, lost;
	bool denied;			/* it does not know us: exit 4 */
	bool known;			/* what is there: it was read or written
					   last, with a clear answer */
	struct str version;		/* which text that was: an ETag, etcd's
					   revision; absent: there was none */
	uint64_t checksum;		/* of that text */
	uint64_t attempted;		/* of one whose write had no answer */
	size_t exchanges;		/* made so far */

	/* etcd: */
	struct str token;
	int64_t lease;			/* 0: none */
	int64_t lease_until_ms;		/* boot time */
	int64_t hold_revision;		/* at which the hold was made */
	int64_t revision;		/* of the last answer */
	bool ahead;			/* the record came with the hold: */
	struct str ahead_text;
	int64_t ahead_revision;		/* 0: there is none */
	/* s3: */
	struct str hold_version;
};

/* Prepare; nothing is sent.  The place is not STORE_FILE. */
void store_open(struct store *store, struct arena *arena,
    const struct store_place *place, const struct store_link *link,
    struct diags *diags);

/*
 * Become the one who works there.  STORE_HELD fills *other (strs in the
 * arena, perhaps empty).  Tries once, but knows an own hold whose answer was
 * lost.  A crashed owner's hold stays (http, s3) until `podform unlock`, or
 * ends with its lease (etcd).
 */
enum store_result store_take(struct store *store,
    const struct mutex_holder *self, struct mutex_holder *other);
/* Wait until it is worth to try again: at most ms. */
void store_await(struct store *store, int64_t ms);
/* Give the hold back.  Failing is reported as a warning: work was done. */
void store_release(struct store *store);
/* Who works there: STORE_OK with strs in the arena, or STORE_MISSING. */
enum store_result store_holder(struct store *store,
    struct mutex_holder *holder);
/*
 * End the hold of that id, and see to it that who has it can write no more.
 * STORE_CHANGED: the hold has another id, *holder says which.
 */
enum store_result store_break(struct store *store, struct str id,
    struct mutex_holder *holder);

/* The record's text, in the store's arena. */
enum store_result store_read(struct store *store, struct str *text);
/*
 * Replace it, needing the hold.  A write whose answer was lost is looked at
 * again, and known as our own.  STORE_CHANGED and STORE_LOST end all sending.
 */
enum store_result store_write(struct store *store, struct str text);

/*
 * Does the store heed "only if it is not there"?  Asked with the hold, which
 * exists: a store that answers 200 would give a hold to everybody.
 * STORE_REFUSED is reported.  One exchange, none where leases are used.
 */
enum store_result store_probe(struct store *store);

/* The hold is to be renewed at that boot time; INT64_MAX: never. */
int64_t store_renew_at(const struct store *store);
enum store_result store_renew(struct store *store);
/* May a request that takes at most timeout_ms be sent: does the hold surely
 * last so long, and a margin? */
bool store_may_send(const struct store *store, int64_t timeout_ms);

#endif
