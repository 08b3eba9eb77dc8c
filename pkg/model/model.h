/*
 * model.h - RunPod as a pure state machine, with faults.
 *
 * The model takes requests as bytes and gives answers as bytes, exactly as
 * the service would over HTTP (REST v2, and GraphQL where v2 lacks
 * something).  It uses no clock, socket, file, thread or global: time is
 * passed in, chance comes from a generator that the seed starts, so the same
 * calls always give the same bytes.  podform-sim puts it behind real HTTP;
 * the deterministic simulation calls it in memory.  It includes nothing of
 * podform but base, and parses JSON with json-c, so that a misreading of
 * ours is not made twice.
 *
 * Times are int64_t milliseconds since 1970 UTC on the service's own clock,
 * which never goes back: every call takes `now_ms`, at least that of the
 * call before.  Money is int64_t micro-dollars.
 *
 * Ownership: everything the model hands out as a pointer or str is borrowed
 * until model_free(), except what is said to be in the caller's arena.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/arena.h"
#include "base/str.h"

struct model;

/* ------------------------------------------------------------ set-up ---- */

/* What a model starts with; model_config_default() fills in all of it. */
struct model_config {
	uint64_t seed;
	const char *key;		/* bearer token: "rpa_sim" */
	int64_t provision_ms;		/* rented -> STARTING */
	int64_t start_ms;		/* STARTING -> the container runs */
	int64_t ports_ms;		/* container runs -> ports are mapped */
	int64_t terminated_ms;		/* how long a dead pod is still listed */
	int64_t latency_ms;		/* added to every answer's delay_ms */
	int64_t balance;		/* micro-dollars */
	int64_t spend_limit;		/* micro-dollars per hour */
	unsigned early_running_per_mille; /* pods that say RUNNING at once,
					   with runtime null, as many do */
	bool rate_limit;		/* headers and 429 by the quotas below */
	int64_t quota_minute, quota_hour, quota_day;
	bool real_containers;		/* a pod is up only when
					   model_container_up() says so */
};

void model_config_default(struct model_config *config);

/* Returns owned: model_free().  The config is copied. */
struct model *model_new(const struct model_config *config, int64_t now_ms);
void model_free(struct model *model);

/* -------------------------------------------------------------- time ---- */

/* Let everything happen that is due up to now_ms. */
void model_advance(struct model *model, int64_t now_ms);
/* When something happens next by itself; -1 for never. */
int64_t model_next_event(const struct model *model);
int64_t model_now(const struct model *model);

/* -------------------------------------------------------------- HTTP ---- */

struct model_request {
	struct str method;		/* "POST" */
	struct str path;		/* "/v2/pods/abc", "/graphql" */
	struct str query;		/* "limit=10&cursor=x", without '?' */
	struct str authorization;	/* header value, absent if none */
	struct str last_event_id;	/* header value, absent if none */
	struct str body;
};

/* What becomes of the answer on its way. */
enum model_transport {
	MODEL_ANSWERED,		/* it arrives */
	MODEL_CUT,		/* headers promise the whole body; `cut` bytes
				   of it arrive, then the connection closes */
	MODEL_DROPPED,		/* the connection closes, no byte arrives */
	MODEL_SILENT,		/* it stays open and nothing ever comes */
};

struct model_header {
	const char *name;
	struct str value;
};

enum { MODEL_HEADERS_MAX = 16 };

struct model_reply {
	enum model_transport transport;
	int status;
	struct model_header headers[MODEL_HEADERS_MAX]; /* without
				   content-type and content-length */
	size_t nheaders;
	struct str content_type;	/* absent when there is no body */
	struct str body;		/* in the caller's arena */
	size_t cut;
	int64_t delay_ms;		/* until the answer (or its loss) */
	uint64_t faults;		/* bit 1 << enum model_fault: what struck */
	bool changed;			/* something was changed by it already
					   (a delayed effect: not yet) */
};

/* The whole service: one request, its effect, its answer. */
void model_http(struct model *model, int64_t now_ms, struct arena *arena,
    const struct model_request *request, struct model_reply *reply);

/*
 * What a stream of GET /v2/pods/ID/logs would send next: the same request
 * with last_event_id.  It belongs to a request that was answered before, so
 * it needs no key, and meets no quota and no fault.
 */
void model_log_more(struct model *model, int64_t now_ms, struct arena *arena,
    const struct model_request *request, struct model_reply *reply);

/* Does an SSH server greet at host:port?  For models without real
 * containers; false is "connection refused". */
bool model_banner(struct model *model, int64_t now_ms, struct str host,
    uint16_t port);

/* ------------------------------------------------------------ faults ---- */

/* Requests, as far as faults tell them apart. */
enum model_call {
	MODEL_POD_CREATE, MODEL_POD_LIST, MODEL_POD_GET, MODEL_POD_UPDATE,
	MODEL_POD_START, MODEL_POD_STOP, MODEL_POD_RESTART, MODEL_POD_DELETE,
	MODEL_VOLUME_CREATE, MODEL_VOLUME_LIST, MODEL_VOLUME_GET,
	MODEL_VOLUME_UPDATE, MODEL_VOLUME_DELETE,
	MODEL_CATALOG, MODEL_ACCOUNT, MODEL_GRAPHQL, MODEL_OTHER,
	MODEL_CALL_COUNT
};

/*
 * What can go wrong.  Each is drawn per request; those that make no sense
 * for a request (a stale create) never strike it.
 */
enum model_fault {
	MODEL_ERROR_BEFORE,	/* F01: refused, 4xx or 5xx, no effect */
	MODEL_ERROR_AFTER,	/* F02: it happened; 500, 502, 504, connection
				   dropped, or no answer at all */
	MODEL_BODY,		/* F03: success, but the body is lost, cut, not
				   JSON, too large or of the wrong type */
	MODEL_DELAYED,		/* F04: error or silence now, the effect up to
				   delay_max_ms later */
	MODEL_STALE,		/* F05: list and get as of up to stale_max_ms
				   ago */
	MODEL_GET_404,		/* F06: a living pod is said to be missing */
	MODEL_SHRUNK,		/* F07: a listing lacks some or all, status 200;
				   by chance never three of a kind in a row */
	MODEL_TWICE,		/* F08: a create is executed twice */
	MODEL_RATE_LIMITED,	/* F09: 429, Retry-After sane, missing, absurd,
				   negative, past or prose */
	MODEL_NO_STOCK,		/* F10: no capacity, whatever the catalog says */
	MODEL_TAKEN,		/* F11: a pod of the account is stopped by its
				   host while this request is served */
	MODEL_STUCK,		/* F12: the created or started pod never gets
				   ready: PROVISIONING or STARTING for ever,
				   RUNNING without ports, or EXITED soon */
	MODEL_ODD,		/* F13: unknown status word, new fields, missing
				   optional fields in the answer */
	MODEL_CONSOLE,		/* F14: somebody stops, renames, edits or ends a
				   pod in the console, or makes a look-alike */
	MODEL_KEY_REVOKED,	/* F15: 401 from here on, until set back */
	MODEL_BROKE,		/* F15: the balance is 0 from here on */
	MODEL_DROP_BEFORE,	/* connection dropped, no effect */
	MODEL_SLOW,		/* the answer takes up to slow_max_ms */
	MODEL_FAULT_COUNT
};

/* `pod_create`, `error_after`: the names used by control and reports. */
const char *model_call_name(enum model_call call);
const char *model_fault_name(enum model_fault fault);
bool model_call_find(struct str name, enum model_call *out);
bool model_fault_find(struct str name, enum model_fault *out);

/* The zero value is "no faults". */
struct model_faults {
	uint16_t per_mille[MODEL_CALL_COUNT][MODEL_FAULT_COUNT];
	int64_t at_most[MODEL_FAULT_COUNT]; /* strikes left; 0: no limit */
	int64_t delay_max_ms;		/* 0: 120 s */
	int64_t stale_max_ms;		/* 0: 60 s */
	int64_t slow_max_ms;		/* 0: 30 s */
	bool lookalikes;		/* MODEL_CONSOLE may make look-alikes,
					   lock, restart and take marks off */
	int64_t gone_max_ms;		/* what MODEL_TAKEN has stopped ends so
					   much later at most, by chance; 0:
					   it stays */
	bool moves;			/* a start may change the address */
	const char *words;		/* said in errors instead of the
					   service's own, and after it what
					   was sent, the key where that is
					   refused; NULL: its own */
};

void model_set_faults(struct model *model, const struct model_faults *faults);
const struct model_faults *model_get_faults(const struct model *model);
/* How often each fault struck since model_new(). */
int64_t model_fired(const struct model *model, enum model_fault fault);

/*
 * A script: what the nth next call of a class meets (1 is the very next
 * one).  Scripts come before chance.  With `status` a before/after error has
 * that status; with `body` set the answer is that text with `status` (200 if
 * 0), after the effect.
 */
struct model_script {
	enum model_call call;
	int64_t nth;
	enum model_fault fault;		/* MODEL_FAULT_COUNT: only body */
	int status;
	enum model_transport transport;	/* with MODEL_ERROR_AFTER, MODEL_BODY:
					   dropped, cut or silent */
	size_t cut;
	int64_t delay_ms;		/* of the effect (MODEL_DELAYED) or the
					   answer */
	struct str body;		/* copied */
	struct str retry_after;		/* copied; with 429 */
};
void model_add_script(struct model *model, const struct model_script *script);
void model_clear_scripts(struct model *model);

/* ------------------------------------------------------- the console ---- */
/* What people do behind podform's back; each is logged as such.  They return
 * false when there is no such living pod (or its state does not allow it). */

bool model_console_stop(struct model *model, int64_t now_ms, struct str id);
bool model_console_start(struct model *model, int64_t now_ms, struct str id);
bool model_console_delete(struct model *model, int64_t now_ms, struct str id);
bool model_console_rename(struct model *model, int64_t now_ms, struct str id,
    struct str name);
/* value absent: the variable is removed. */
bool model_console_edit_env(struct model *model, int64_t now_ms,
    struct str id, struct str name, struct str value);
bool model_console_lock(struct model *model, int64_t now_ms, struct str id,
    bool locked);
/* Change image and/or disk (0: keep) of a pod; resets its container. */
bool model_console_edit(struct model *model, int64_t now_ms, struct str id,
    struct str image, int64_t disk_gb);
/* A second pod named as the given one, with its environment if with_env;
 * returns its id or absent. */
struct str model_console_lookalike(struct model *model, int64_t now_ms,
    struct str id, bool with_env);
bool model_console_delete_volume(struct model *model, int64_t now_ms,
    struct str id);
bool model_console_restart(struct model *model, int64_t now_ms,
    struct str id);
/* F11: its host takes a pod away: it is stopped, and after gone_ms (-1:
 * never) terminated, unless somebody has started it until then. */
bool model_host_takes(struct model *model, int64_t now_ms, struct str id,
    int64_t gone_ms);

/* -------------------------------------------------------------- knobs ---- */

void model_set_key_revoked(struct model *model, bool revoked);
void model_set_balance(struct model *model, int64_t now_ms, int64_t balance);
/* GPUs that can be rented now: of a type (absent: all), in a data center
 * (absent: all), per cloud.  false: unknown name. */
bool model_set_stock(struct model *model, struct str gpu,
    struct str data_center, bool community, int64_t count);
/* Price of one GPU for an hour; running pods keep theirs. */
bool model_set_price(struct model *model, struct str gpu, bool community,
    int64_t price);
/* This many GPUs of a type in all, wherever it is offered, instead of the
 * stock of the data centers (-1: those again); what `--capacity GPU=N`
 * sets. */
bool model_set_capacity(struct model *model, struct str gpu, int64_t count);
/* Pods of this model become ready after these times from now on. */
void model_set_pace(struct model *model, int64_t provision_ms,
    int64_t start_ms, int64_t ports_ms);
void model_set_latency(struct model *model, int64_t latency_ms);

/* -------------------------------------------------------------- truth ---- */

enum model_status {
	MODEL_PROVISIONING, MODEL_STARTING, MODEL_RUNNING, MODEL_EXITED,
	MODEL_ERROR, MODEL_TERMINATED,
};
const char *model_status_word(enum model_status status);

struct model_env {
	struct str name, value;
};

struct model_port {
	uint32_t inside;		/* 22; above 65535 only as a wish for
					   a symmetric port */
	bool tcp;			/* else http */
	uint16_t outside;		/* 0: not mapped now */
};

/* A time with one price; to_ms is -1 while it lasts. */
struct model_interval {
	int64_t from_ms, to_ms;
	int64_t compute_rate;		/* micro-dollars per hour */
	int64_t storage_rate;
};

enum model_stuck {
	MODEL_NOT_STUCK, MODEL_STUCK_PROVISIONING, MODEL_STUCK_STARTING,
	MODEL_STUCK_NO_PORTS, MODEL_STUCK_EXITS,
};

struct model_gpu;
struct model_place;

/* A line of a pod's log: of its container, or of the system around it. */
struct model_line {
	int64_t ms;
	bool system;
	struct str text;
};

/*
 * A pod, living or dead.  `status` is the truth; what the service says may
 * differ (early_running, faults).
 */
struct model_pod {
	struct str id, name, image, args;
	struct str registry;		/* id, absent for none */
	const struct model_gpu *gpu;	/* NULL for a CPU pod */
	int64_t gpu_count;
	struct str cpu_id;		/* flavor of a CPU pod */
	int64_t vcpu, memory_gb;
	bool community;
	const struct model_place *place;
	struct str cuda;		/* of the host */
	struct str machine_id, host_id;	/* host_id: "<pod id>-<8 hex>" */
	struct str host;		/* public address */
	struct str internal_ip;		/* global network; absent: off */
	int64_t disk_gb, persistent_gb;
	struct str persistent_path;
	struct str volume_id, volume_path;	/* network volume */
	struct model_port *ports;
	size_t nports;
	struct model_env *env;		/* in the order given */
	size_t nenv;
	bool locked;
	bool start_ssh, start_jupyter;

	enum model_status status;
	enum model_stuck stuck;
	bool early_running;		/* says RUNNING before it is */
	int64_t start_number;		/* container starts so far */
	int64_t created_ms, ended_ms;	/* ended_ms -1 while alive */
	int64_t started_ms, up_ms, ports_at_ms; /* -1: not now */
	struct str created_at, started_at;	/* RFC 3339; absent: not now */
	struct str early;		/* printed before it counts as started:
					   a sandbox may be up sooner */
	struct str last_change;		/* "Rented by User: ..." */

	int64_t compute_rate;		/* micro-dollars per hour, running */
	struct model_interval *bills;
	size_t nbills, bills_cap;
	uint64_t number;		/* 1, 2, 3 ... in order of creation */
	bool by_console;		/* not made through the API */
	struct str asked_name;		/* as the creating request had it */
	const struct model_env *asked_env;
	size_t nasked_env;

	/* The model's own. */
	enum model_status before_end;
	int64_t timer_ms;
	uint64_t timer_serial;
	bool holds_gpus;
	bool taken;			/* by its host, and will end */
	bool container_up;		/* reported by model_container_up() */
	bool waits_for_container;	/* its start time is over */
	struct model_line *lines;	/* of its log */
	size_t nlines, lines_cap;
};

struct model_volume {
	struct str id, name;
	const struct model_place *place;
	int64_t size_gb;
	bool high_performance;
	int64_t created_ms, ended_ms;
	struct model_interval *bills;
	size_t nbills, bills_cap;
	bool by_console;
};

/* Living and dead, in order of creation. */
size_t model_pod_count(const struct model *model);
const struct model_pod *model_pod_at(const struct model *model, size_t i);
const struct model_pod *model_pod_find(const struct model *model,
    struct str id);
size_t model_volume_count(const struct model *model);
const struct model_volume *model_volume_at(const struct model *model,
    size_t i);

bool model_pod_billed(const struct model_pod *pod);	/* not terminated */
/* Absent if the variable is not set. */
struct str model_pod_env(const struct model_pod *pod, const char *name);
/* The ed25519 fingerprint ("SHA256:...") that this start of its container
 * has printed, in a model without real containers; in the arena. */
struct str model_pod_host_key(struct arena *arena,
    const struct model_pod *pod);
/* The variable as the creating request had it. */
struct str model_pod_asked_env(const struct model_pod *pod, const char *name);

/* Everything that changed something, in order. */
enum model_op {
	MODEL_OP_CREATE, MODEL_OP_UPDATE, MODEL_OP_START, MODEL_OP_STOP,
	MODEL_OP_RESTART, MODEL_OP_TERMINATE,
	MODEL_OP_VOLUME_CREATE, MODEL_OP_VOLUME_UPDATE, MODEL_OP_VOLUME_DELETE,
	MODEL_OP_ACCOUNT,	/* keys, templates, registries */
};
enum model_actor {
	MODEL_BY_API,
	MODEL_BY_CONSOLE,
	MODEL_BY_CLOUD,		/* host, balance */
};
struct model_entry {
	int64_t at_ms;
	enum model_op op;
	enum model_actor actor;
	struct str id;
	uint64_t request;	/* number of the request, 0 if none */
};
size_t model_log_count(const struct model *model);
const struct model_entry *model_log_at(const struct model *model, size_t i);
const char *model_op_name(enum model_op op);
const char *model_actor_name(enum model_actor actor);

/* Requests seen so far, by class. */
int64_t model_calls(const struct model *model, enum model_call call);

/* Micro-dollars up to now_ms. */
int64_t model_pod_spent(const struct model_pod *pod, int64_t now_ms);
int64_t model_volume_spent(const struct model_volume *volume,
    int64_t now_ms);
int64_t model_spent(struct model *model, int64_t now_ms);
int64_t model_balance(struct model *model, int64_t now_ms);
int64_t model_rate(const struct model *model);	/* per hour, now */

/* The account as a JSON report: pods alive, money, every op. */
struct str model_report(struct model *model, int64_t now_ms,
    struct arena *arena);

/* --------------------------------------------------------- containers ---- */
/* With real_containers: what the owner of the sandboxes has to do.  Drain
 * after every call that takes now_ms. */

enum model_effect_type { MODEL_START_CONTAINER, MODEL_STOP_CONTAINER };

struct model_effect {
	enum model_effect_type type;
	const struct model_pod *pod;	/* ports, env, id */
	int64_t start_number;		/* which start of this pod's container */
};

/* The next effect; false when there is none. */
bool model_next_effect(struct model *model, struct model_effect *effect);

/*
 * The container of that start runs: host is where its ports are reached,
 * outside[i] the port for pod->ports[i] (0: not mapped).  Ignored when the
 * pod has been stopped or started anew since.
 */
void model_container_up(struct model *model, int64_t now_ms, struct str id,
    int64_t start_number, struct str host, const uint16_t *outside,
    size_t noutside);
/* Whole lines that the container of a pod has printed. */
void model_container_print(struct model *model, int64_t now_ms,
    struct str id, struct str bytes);
/* It could not be started, or ended by itself: the pod becomes EXITED. */
void model_container_down(struct model *model, int64_t now_ms, struct str id,
    int64_t start_number);

/* ------------------------------------------------------------ preload ---- */

/* Make a running pod at once, free of stock, quota and log; for benches. */
struct model_preload {
	struct str name, image, gpu, data_center;
	int64_t gpu_count, disk_gb;
	bool community;
	const char *const *ports;	/* "22/tcp" */
	size_t nports;
	const struct model_env *env;	/* copied */
	size_t nenv;
};
const struct model_pod *model_preload(struct model *model, int64_t now_ms,
    const struct model_preload *preload);

#endif
