/*
 * depot.h - what can keep a record (lock/store.h), as a pure state machine.
 *
 * One small memory of named texts behind three protocols: Terraform's http
 * backend, S3's objects with conditions, etcd's JSON gateway with leases and
 * transactions.  Requests come as bytes and answers go as bytes, as in
 * model.h; time is passed in, nothing else is consulted.  podform-sim puts it
 * behind HTTP; the simulation and the tests of stores call it in memory.
 */
#ifndef MODEL_DEPOT_H
#define MODEL_DEPOT_H

#include "model/model.h"

enum depot_kind { DEPOT_HTTP, DEPOT_S3, DEPOT_ETCD };

struct depot_config {
	enum depot_kind kind;
	bool ignores_conditions;	/* F42: answers 200 to every PUT */
	bool cannot_lock;		/* http: knows no LOCK */
	struct str login;		/* etcd: "name:password"; absent: none */
	size_t max_value;		/* bytes; 0: no limit */
};

struct depot;

struct depot *depot_new(const struct depot_config *config);
void depot_free(struct depot *depot);	/* NULL is harmless */

struct depot_request {
	struct str method, path, query;	/* query without '?' */
	struct str authorization, if_match, if_none_match;	/* or absent */
	struct str body;
};

void depot_http(struct depot *depot, int64_t now_ms, struct arena *arena,
    const struct depot_request *request, struct model_reply *reply);

/* ------------------------------------------------------------ faults ---- */

enum depot_fault {
	DEPOT_FINE,
	DEPOT_LOST,		/* F41: done, and the answer is lost */
	DEPOT_DROPPED,		/* not done, no answer */
	DEPOT_BUSY,		/* not done, 503 */
	DEPOT_OLD,		/* F43: a read shows the text before this one */
	DEPOT_FAULTS,
};
/* Of the next n requests, behind `after` good ones. */
void depot_strike(struct depot *depot, enum depot_fault fault, size_t after,
    size_t n);

/* ---------------------------------------------------- behind the back ---- */

/* The text of a name as it is, or absent; borrowed until the next change. */
struct str depot_get(const struct depot *depot, struct str name);
/* Somebody else writes, or (an absent text) removes. */
void depot_put(struct depot *depot, struct str name, struct str text);
/* The id of the hold on an http record, or absent. */
struct str depot_lock_id(const struct depot *depot);
void depot_force_unlock(struct depot *depot);
/* Every lease ends now: F40. */
void depot_end_leases(struct depot *depot);
enum depot_kind depot_kind(const struct depot *depot);
size_t depot_requests(const struct depot *depot);	/* since its start */

#endif
