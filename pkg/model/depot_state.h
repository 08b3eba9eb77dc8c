/* depot_state.h - inside of a depot; private to depot*.c */
#ifndef MODEL_DEPOT_STATE_H
#define MODEL_DEPOT_STATE_H

#include "model/depot.h"

enum { DEPOT_ITEMS = 16, DEPOT_LEASES = 64 };

struct depot_item {
	struct str name, text;		/* owned */
	struct str before;		/* the text that this one replaced */
	int64_t made, changed;		/* revisions */
	int64_t lease;			/* 0: none */
};

struct depot_lease {
	int64_t id, ttl_ms, until_ms;
};

struct depot {
	struct depot_config config;
	struct depot_item items[DEPOT_ITEMS];
	size_t nitems;
	int64_t revision;
	int64_t now_ms;
	size_t requests;
	struct str lock, lock_id;	/* http: the hold, owned */
	struct depot_lease leases[DEPOT_LEASES];
	size_t nleases;
	int64_t last_lease;
	enum depot_fault fault;
	size_t after, strikes;
};

struct depot_item *depot_find(const struct depot *depot, struct str name);
struct depot_item *depot_store(struct depot *depot, struct str name,
    struct str text);
void depot_remove(struct depot *depot, struct str name);

void depot_etcd(struct depot *depot, struct arena *arena,
    const struct depot_request *request, bool old, struct model_reply *reply);

#endif
