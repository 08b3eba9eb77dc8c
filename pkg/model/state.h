/*
 * state.h - the inside of the model, for its front ends only (rest_*.c,
 * graphql*.c).  Operations here are what a front end turns requests into;
 * they check rules, change state, bill and log.  A refused operation changes
 * nothing.
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include "base/map.h"
#include "model/catalog.h"
#include "model/model.h"

/* Why an operation was refused. */
enum model_refusal_kind {
	MODEL_OK,
	MODEL_NOT_FOUND,	/* 404 */
	MODEL_RULE,		/* 400: the request breaks a rule */
	MODEL_CAPACITY,		/* 400: nothing to rent */
	MODEL_HOST_FULL,	/* 400: start, the machine's GPUs are taken */
	MODEL_FUNDS,		/* 402 */
	MODEL_STATE,		/* 409 */
	MODEL_INVALID,		/* 422 */
};

struct model_refusal {
	enum model_refusal_kind kind;
	const char *detail;	/* the service's sentence */
};

/* What to create.  All strs and arrays are copied. */
struct model_create {
	struct str name, image, args, registry;
	struct str gpu;			/* type id; absent for a CPU pod */
	int64_t gpu_count;
	struct str cpu;
	int64_t vcpu;
	bool community;
	bool any_cloud;			/* GraphQL's ALL: secure first */
	int64_t disk_gb;		/* 0: the quirk of an omitted disk */
	int64_t persistent_gb;
	struct str persistent_path;
	struct str volume_id, volume_path;
	const struct str *ports;	/* "22/tcp" */
	size_t nports;
	const struct model_env *env;
	size_t nenv;
	const struct str *places;	/* data center ids; none: any */
	size_t nplaces;
	const struct str *cuda;		/* exact versions; none: any */
	size_t ncuda;
	struct str min_cuda;
	bool global_network;
	bool start_ssh, start_jupyter;
};

/* What to change; absent and unset fields stay. */
struct model_update {
	struct str name, image, args, registry;
	bool clear_registry;
	int64_t disk_gb;		/* 0: keep */
	bool set_ports;
	const struct str *ports;
	size_t nports;
	bool set_env;			/* the whole environment */
	const struct model_env *env;
	size_t nenv;
	int64_t persistent_gb;		/* 0: keep; only grows */
	struct str persistent_path, volume_path;
	struct str volume_id;		/* must be the one it has */
	bool set_locked, locked;
	bool set_global, global_network;
};

/*
 * Operations.  NULL or false with *why filled when refused.  `actor` goes
 * into the log; console and cloud are not bound by locks.
 */
struct model_pod *model_pod_create(struct model *model,
    const struct model_create *want, struct model_refusal *why);
bool model_pod_update(struct model *model, struct model_pod *pod,
    const struct model_update *update, enum model_actor actor,
    struct model_refusal *why);
bool model_pod_stop(struct model *model, struct model_pod *pod,
    enum model_actor actor, struct model_refusal *why);
bool model_pod_start(struct model *model, struct model_pod *pod,
    enum model_actor actor, struct model_refusal *why);
bool model_pod_restart(struct model *model, struct model_pod *pod,
    enum model_actor actor, struct model_refusal *why);
bool model_pod_terminate(struct model *model, struct model_pod *pod,
    enum model_actor actor, struct model_refusal *why);

/* The pod if it is still shown to its owner (alive, or TERMINATED for a
 * while), NULL otherwise. */
struct model_pod *model_pod_shown(struct model *model, struct str id);
/* The pod if it is alive. */
struct model_pod *model_pod_living(struct model *model, struct str id);

struct model_volume *model_volume_create(struct model *model,
    struct str name, int64_t size_gb, struct str data_center,
    struct str type, struct model_refusal *why);
bool model_volume_update(struct model *model, struct model_volume *volume,
    struct str name, int64_t size_gb, struct model_refusal *why);
bool model_volume_delete(struct model *model, struct model_volume *volume,
    enum model_actor actor, struct model_refusal *why);
struct model_volume *model_volume_living(struct model *model, struct str id);

/* Free GPUs for pods of `count` GPUs: how many such pods, 0 for none.  place
 * NULL: the best data center.  Capacity caps count. */
int64_t model_stock(const struct model *model, const struct model_gpu *gpu,
    const struct model_place *place, bool community, int64_t count);
const char *model_stock_word(int64_t pods);	/* NONE LOW MEDIUM HIGH */
int64_t model_price(const struct model *model, const struct model_gpu *gpu,
    bool community);

/* Account-wide SSH keys; a template; a registry credential. */
struct model_template {
	struct str id, name, image, args, registry, category;
	struct str persistent_path;
	int64_t disk_gb, persistent_gb;
	struct str *ports;
	size_t nports;
	struct model_env *env;
	size_t nenv;
	struct str *cuda;
	size_t ncuda;
	bool serverless, is_public, start_ssh, start_jupyter;
	bool official;			/* not ours to change */
	bool dead;
};

struct model_registry {
	struct str id, name;
	bool dead;
};

/* Something that happens to a pod by itself; stale when the pod's own
 * timer_serial has moved on. */
struct model_timer {
	int64_t at_ms;
	uint64_t serial;
	struct model_pod *pod;
};

struct model_pending;		/* a delayed request, see faults.c */
struct model_rng { uint64_t s[4]; };

struct model_window {
	int64_t start_ms, used;
};

struct model {
	struct model_config config;
	int64_t now_ms, born_ms;
	struct arena arena;		/* everything that lives as long */
	struct model_rng rng;		/* ids, placement, ports */
	struct model_rng fault_rng;	/* so that faults change no ids */

	VEC_OF(struct model_pod *) pods;
	struct map pods_by_id;
	size_t listed_from;		/* pods before it are gone for good */
	VEC_OF(struct model_volume *) volumes;
	VEC_OF(struct model_template *) templates;
	VEC_OF(struct model_registry *) registries;
	VEC_OF(struct str) ssh_keys;
	VEC_OF(struct model_entry) log;
	VEC_OF(struct model_effect) effects;
	size_t effects_done;
	VEC_OF(struct model_timer) timers;	/* heap, soonest first */
	VEC_OF(struct model_pending *) pending;	/* delayed effects */

	int64_t *stock;			/* [gpu][place][cloud] */
	int64_t *price;			/* [gpu][cloud]; -1 as the table */
	int64_t *capacity;		/* [gpu] GPUs in all; -1 none */
	int64_t *held;			/* [gpu] GPUs that pods hold */

	int64_t rate;			/* of all open intervals */
	int64_t spent;			/* micro-dollars up to money_ms */
	int64_t spent_rest;		/* and this, in micro-dollar ms / h */
	int64_t money_ms;
	int64_t paid_in;		/* balance = paid_in - spent */
	bool broke;			/* the end of the money was dealt
					   with */

	struct model_faults faults;
	int64_t fired[MODEL_FAULT_COUNT];
	VEC_OF(struct model_script) scripts;
	int64_t calls[MODEL_CALL_COUNT];
	bool key_revoked;
	uint64_t request_number;	/* of the request being served */
	struct model_window minute, hour, day;
	/* Set by faults while one request is served. */
	bool force_no_stock;
	enum model_stuck force_stuck;
	int64_t stale_ms;		/* answer as of so long ago */
	unsigned shrunk_in_row[MODEL_CALL_COUNT];
	uint64_t shrink_per_mille;	/* leave out so many of a listing */
	bool odd, twice;
};

/* Random numbers; all chance of the model comes from here. */
uint64_t model_random(struct model_rng *rng);
uint64_t model_random_below(struct model_rng *rng, uint64_t n);
struct str model_random_id(struct model *model, size_t length);
struct str model_random_hex(struct model *model, size_t length);

/* Times as the REST v2 (RFC 3339) and the prose fields write them. */
struct str model_rfc3339(struct arena *arena, int64_t ms);
struct str model_prose_time(struct arena *arena, int64_t ms);

/* "22/tcp" to a port; false if it is not one. */
bool model_parse_port(struct str text, struct model_port *port);

/*
 * GraphQL over HTTP: POST /graphql.  Fills status, content_type and body
 * (faults, delay and rate headers are the caller's).  `authorized` is false
 * when no valid key was sent; `api_key` in the query counts as one.
 */
void model_graphql(struct model *model, struct arena *arena,
    const struct model_request *request, bool authorized,
    struct model_reply *reply);

#endif
