/*
 * store_driver.h - one kind of store; private to pkg/lock.
 */
#ifndef LOCK_STORE_DRIVER_H
#define LOCK_STORE_DRIVER_H

#include "lock/holder.h"
#include "lock/store.h"

/* Each is as in store.h, but a single attempt: what is unclear or passing
 * is STORE_UNKNOWN (a write that may have happened) or reported. */
struct store_driver {
	enum store_result (*take)(struct store *store,
	    struct mutex_holder *other);
	enum store_result (*release)(struct store *store);
	enum store_result (*holder)(struct store *store,
	    struct mutex_holder *holder);
	/* End the hold that *holder is. */
	enum store_result (*end)(struct store *store,
	    const struct mutex_holder *holder);
	/* Sets store->version. */
	enum store_result (*read)(struct store *store, struct str *text);
	enum store_result (*write)(struct store *store, struct str text);
	enum store_result (*probe)(struct store *store);	/* may be NULL */
	enum store_result (*renew)(struct store *store);	/* may be NULL */
	void (*await)(struct store *store, int64_t ms);	/* may be NULL */
};

extern const struct store_driver store_http, store_s3, store_etcd;

enum {
	STORE_TRIES = 5,		/* 1, 2, 4, 8 s between them */
	STORE_TIMEOUT_MS = 30 * 1000,
	STORE_LEASE_MS = 180 * 1000,	/* of those that have leases */
};

/*
 * An exchange, again while its failure may pass (no connection, 408, 429,
 * 5xx): for what does no harm when it happens twice.  STORE_OK with any other
 * answer, whose status the caller looks at; else STORE_AWAY, reported.
 */
enum store_result store_ask(struct store *store,
    struct http_request *request, struct http_answer *answer);
/* A single exchange. */
void store_ask_once(struct store *store, struct http_request *request,
    struct http_answer *answer);
bool store_may_pass(const struct http_answer *answer);

/* Report a status that nobody expected, such as 403: STORE_REFUSED. */
enum store_result store_refuse(struct store *store, const char *doing,
    const struct http_answer *answer);

/* The id of the run that writes; NULL: no. */
bool store_is_own(const struct store *store,
    const struct mutex_holder *holder);

#endif
