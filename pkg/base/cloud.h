/*
 * cloud.h - what a GPU cloud can be asked, and what it may answer.
 *
 * These are values: the seam between the core, which decides on requests,
 * and a provider (pkg/cloud/runpod), which turns them into HTTP and back.
 * Names are RunPod's.  Everything decoded is untrusted text.
 */
#ifndef BASE_CLOUD_H
#define BASE_CLOUD_H

#include "base/arena.h"
#include "base/seams.h"
#include "base/str.h"

enum cloud_tier { TIER_ANY, TIER_SECURE, TIER_COMMUNITY };

enum stock { STOCK_UNKNOWN, STOCK_NONE, STOCK_LOW, STOCK_MEDIUM, STOCK_HIGH };

enum pod_status {
	POD_UNKNOWN,		/* a word we do not know: changes nothing */
	POD_PROVISIONING, POD_STARTING, POD_RUNNING, POD_EXITED, POD_ERROR,
	POD_TERMINATED,
};

struct env_var {
	struct str name;
	struct str value;
	bool sensitive;		/* holds a secret: never shown or stored */
};

/*
 * What a pod is: asked for in a create, reported by a listing, recorded in
 * the lock.  The same struct for all three, so that comparing is plain.
 */
struct pod_config {
	struct str name;	/* full name, with the mark where there is one */
	struct str image;
	struct str args;
	struct str gpu;		/* type id: "NVIDIA A40" */
	int64_t gpu_count;
	struct str min_cuda;	/* asked only; never reported */
	enum cloud_tier tier;	/* of a create: never TIER_ANY */
	struct str data_center;	/* absent: the cloud chooses */
	int64_t disk_gb;	/* container disk */
	struct str volume_id;	/* network volume; absent for none */
	struct str volume_path;
	int64_t persistent_gb;	/* host-local volume disk; 0 for none */
	struct str persistent_path;
	struct str *ports;	/* "22/tcp", sorted by number then protocol */
	size_t nports;
	struct env_var *env;	/* sorted by name; without PODFORM_MARK */
	size_t nenv;
};

struct ssh_endpoint {
	struct str host;
	uint16_t port;		/* 0: none yet */
	struct str user;
};

struct cloud_pod {
	struct str id;
	enum pod_status status;
	struct str status_text;		/* as the service said it */
	struct pod_config config;	/* as reported */
	struct str mark;		/* value of PODFORM_MARK, absent if none */
	int64_t cost_per_hour;		/* micro-dollars, whole pod; 0 stopped */
	bool cost_known;
	bool locked;
	bool has_runtime;		/* a container is reported */
	struct ssh_endpoint ssh;	/* direct */
	struct str created_at, started_at;	/* RFC 3339 or absent */
	struct env_var *injected;	/* of its environment, what the service
					   put there; never compared */
	size_t ninjected;
};

struct cloud_volume {
	struct str id, name, data_center;
	int64_t size_gb;
	bool high_performance;
};

struct gpu_place {
	struct str data_center;
	enum stock stock;
};

struct gpu_type {
	struct str id, name;		/* "NVIDIA A40", "A40" */
	int64_t memory_gb;
	bool secure, community;
	int64_t secure_price, community_price;	/* micro-dollars per GPU-hour;
						   -1 unknown */
	int64_t max_secure, max_community;
	enum stock stock;
	struct gpu_place *places;
	size_t nplaces;
	struct str *cuda;		/* versions that some host has */
	size_t ncuda;
};

struct data_center {
	struct str id, name, region;	/* region: "EUROPE" */
	bool volumes;			/* network volumes can be made here */
};

struct account {
	struct str id, email;
	int64_t balance, spend_per_hour, spend_limit;	/* micro-dollars */
	bool balance_known;
};

/* One line of what a container, or the system around it, has printed. */
struct log_line {
	struct str time;		/* RFC 3339, or absent */
	bool system;
	struct str text;
};

enum cloud_op {
	CLOUD_LIST_PODS, CLOUD_GET_POD, CLOUD_CREATE_POD, CLOUD_UPDATE_POD,
	CLOUD_START_POD, CLOUD_STOP_POD, CLOUD_RESTART_POD, CLOUD_DELETE_POD,
	CLOUD_LIST_VOLUMES, CLOUD_GET_VOLUME, CLOUD_CREATE_VOLUME,
	CLOUD_UPDATE_VOLUME, CLOUD_DELETE_VOLUME,
	CLOUD_LIST_GPUS, CLOUD_LIST_DATA_CENTERS, CLOUD_GET_ACCOUNT,
	CLOUD_GET_SSH_KEYS,		/* public keys of the account */
	CLOUD_GET_LOG,			/* last lines of a container's log */
	CLOUD_OP_COUNT
};

/* Fields of an update, as bits: only those are sent. */
enum pod_change {
	CHANGE_NAME = 1, CHANGE_IMAGE = 2, CHANGE_ARGS = 4, CHANGE_DISK = 8,
	CHANGE_PORTS = 16, CHANGE_ENV = 32,
};

struct cloud_request {
	enum cloud_op op;
	struct str id;			/* of the pod or volume */
	const struct pod_config *pod;	/* create, update */
	struct str mark;		/* PODFORM_MARK; create, update of env */
	unsigned changes;		/* enum pod_change bits */
	const struct env_var *keep;	/* update of env, which replaces the
					   whole map: `injected` of the live
					   pod, so that it keeps its ssh keys */
	size_t nkeep;
	struct cloud_volume volume;	/* create, update (size and/or name) */
	struct str cursor;		/* next page of a listing */
	int64_t gpu_count;		/* catalog: stock for pods of that size */
	int64_t tail;			/* log: how many lines; 0: 100 */
	struct str since;		/* log: RFC 3339; lines from then on,
					   those of that instant too, and
					   then tail means nothing */
	struct str enough;		/* log: what it is read for; behind a
					   part with this text the end of the
					   stream is not waited for as long */
};

/*
 * What an answer means for what was asked.
 *
 *	OK		it happened; the payload is there
 *	NOT_SENT	no byte left: the same op may be sent again
 *	NO_EFFECT	refused, by contract without effect; see reason
 *	UNKNOWN		nobody knows: resolve (writes), or a failed read
 */
enum cloud_outcome {
	OUTCOME_OK, OUTCOME_NOT_SENT, OUTCOME_NO_EFFECT, OUTCOME_UNKNOWN,
};

enum cloud_reason {
	REASON_NONE,
	REASON_BAD_REQUEST,	/* the request breaks a rule: fix the spec */
	REASON_NO_CAPACITY,	/* nothing to rent: try the next candidate */
	REASON_AUTH,		/* 401 */
	REASON_FORBIDDEN,	/* 403: scope, or a pool not open to us */
	REASON_BALANCE,		/* 402 or its prose */
	REASON_NOT_FOUND,	/* 404 */
	REASON_CONFLICT,	/* 409: wrong state, locked */
	REASON_RATE_LIMITED,	/* 429: wait, same op */
	REASON_RETIRED,		/* 410 */
	REASON_TRANSIENT,	/* 5xx, transport: see outcome for effects */
	REASON_MALFORMED,	/* an answer that is not one */
	REASON_BUSY,		/* GitHub: the runner has a job */
};

struct cloud_answer {
	enum cloud_outcome outcome;
	enum cloud_reason reason;
	int status;			/* HTTP; 0 for none */
	struct str message;		/* the service's words, raw */
	struct str request_id;
	int64_t retry_after_ms;		/* 0..300000; 0: own backoff */
	int64_t ratelimit_left;		/* requests left in the tightest
					   window, -1 unknown */
	int64_t ratelimit_reset_ms;	/* until that window begins anew */
	struct cloud_pod *pods;		/* list, get, create, update, actions */
	size_t npods;
	struct cloud_volume *volumes;
	size_t nvolumes;
	struct gpu_type *gpus;
	size_t ngpus;
	struct data_center *data_centers;
	size_t ndata_centers;
	struct account account;
	struct str *ssh_keys;		/* lines of authorized_keys */
	size_t nssh_keys;
	struct log_line *lines;
	size_t nlines;
	struct str next_cursor;		/* set: the listing is not complete */
};

/*
 * A provider: pure functions from requests to HTTP and from HTTP to answers.
 * decode() never fails: what cannot be understood is an answer too.
 */
struct cloud {
	const char *name;		/* "runpod" */
	void (*encode)(struct arena *arena, const struct cloud_request *request,
	    struct http_request *out);
	void (*decode)(struct arena *arena, const struct cloud_request *request,
	    const struct http_answer *http, int64_t wall_ms,
	    struct cloud_answer *out);
};

const char *cloud_op_words(enum cloud_op op);	/* "create pod" */
bool cloud_op_changes(enum cloud_op op);	/* has an effect */

/* Sort ports (by number, then protocol; doubles go) and env (by name;
 * PODFORM_MARK goes) in place; comparing needs it. */
void pod_config_sort(struct pod_config *config);

#endif
