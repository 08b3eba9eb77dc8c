/*
 * github.h - GitHub's side of runners as a pure state machine, with faults.
 *
 * A hub is what github.com or an Enterprise Server knows: repositories and
 * organizations, runners, tokens, jobs that wait and jobs that run.  It takes
 * requests as bytes and gives answers as bytes (REST, API version
 * 2022-11-28), as model.h does for RunPod: time is passed in and never goes
 * back, chance comes from the seed, nothing else is consulted.  podform-sim
 * puts it behind HTTP under /github; the simulation calls it in memory.
 * (`hub_`, since `github_` is podform's own client.)
 *
 * A runner comes into being by the call that makes its JIT configuration, or
 * by a listener that registers with a token.  Its listener opens a session
 * and polls: no poll for 40 s is offline.  A job goes to an online, idle
 * runner that has all its labels; when it is done, an ephemeral runner is
 * gone.  Listeners are either real processes that speak the small protocol
 * of the stand-in package (paths under /_sim/, see github_wire.c), or robots
 * of the hub's own (hub_robot_start), for worlds without processes.
 *
 * Times are milliseconds since 1970 UTC.  What is handed out is borrowed
 * until hub_free(), except what is in the caller's arena.
 */
#ifndef MODEL_GITHUB_H
#define MODEL_GITHUB_H

#include "model/model.h"

struct hub;

/* ------------------------------------------------------------ set-up ---- */

/* Package versions that GitHub offers; the first is the newest. */
struct hub_package {
	const char *version;		/* "9.999.0" */
	const char *sha256;		/* hex; NULL: none is told */
};

/* Is this the signature of the App's key?  Both are raw bytes. */
typedef bool hub_verify(void *context, struct str signed_text,
    struct str signature);

struct hub_config {
	uint64_t seed;
	const char *token;		/* of an admin: "ghp_sim"; with _read,
					   _none or _nopermission after it it
					   has these roles, with _classic that
					   of _read, and says its scopes */
	const char *app_id, *app_client_id;	/* who may sign a JWT */
	hub_verify *verify;		/* NULL: any signature will do */
	void *verify_context;
	size_t app_token_length;	/* of installation tokens: 40; new ones
					   have up to 600 */
	int64_t limit_per_hour;		/* 5000 per token; 0: no such headers */
	int64_t offline_ms;		/* without a poll: 40 s */
	int64_t busy_lag_ms;		/* until `busy` is true: 2 s */
	int64_t lease_ms;		/* of a job that nobody renews: 10 min */
	int64_t latency_ms;
	const struct hub_package *packages;	/* borrowed for good */
	size_t npackages;
};

void hub_config_default(struct hub_config *config);
/* Returns owned: hub_free().  It knows the organization `acme`, its private
 * repositories `acme/model` and `acme/app`, and the public `acme/open`. */
struct hub *hub_new(const struct hub_config *config, int64_t now_ms);
void hub_free(struct hub *hub);

enum hub_scope_kind { HUB_REPOSITORY, HUB_ORGANIZATION };

struct hub_scope {
	enum hub_scope_kind kind;
	struct str name;		/* "acme/model", "acme" */
	int64_t id;
	bool is_private;		/* of a repository */
	bool forbidden;			/* policy: no runners at this level */
	struct str renamed_to;		/* absent: not renamed */
};

/* Made if there is none; the owner of a repository too. */
struct hub_scope *hub_repository(struct hub *hub, struct str name,
    bool is_private);
struct hub_scope *hub_organization(struct hub *hub, struct str name);
/* NULL if there is none; case does not matter. */
struct hub_scope *hub_find_scope(struct hub *hub, struct str name);
/* It is now called so, and found under the old name by redirects. */
void hub_rename(struct hub *hub, struct hub_scope *scope, struct str name);
/* The only package versions there are from now on; the array is borrowed. */
void hub_set_packages(struct hub *hub, const struct hub_package *packages,
    size_t n);
/* Runners older than this may not register or run; "" for none. */
void hub_set_least_version(struct hub *hub, struct str version);

/* -------------------------------------------------------------- time ---- */

void hub_advance(struct hub *hub, int64_t now_ms);
int64_t hub_next_event(const struct hub *hub);	/* -1: never */

/* -------------------------------------------------------------- HTTP ---- */

struct hub_request {
	struct str method;
	struct str path;		/* "/repos/acme/model/actions/..." */
	struct str query;		/* without '?' */
	struct str authorization, user_agent;	/* headers, absent if none */
	struct str api_version, if_none_match;
	struct str body;
	struct str base;		/* of the API as the client sees it,
					   for links; absent: github.com's */
};

/* One request, its effect, its answer; `faults` of the reply has the bits of
 * enum hub_fault. */
void hub_http(struct hub *hub, int64_t now_ms, struct arena *arena,
    const struct hub_request *request, struct model_reply *reply);

/* ------------------------------------------------------------ faults ---- */

enum hub_call {
	HUB_LIST, HUB_GET, HUB_JIT, HUB_TOKEN, HUB_DELETE, HUB_LABELS,
	HUB_DOWNLOADS, HUB_DEPRECATION, HUB_GROUPS, HUB_REPO, HUB_APP,
	HUB_RUNS, HUB_OTHER,
	HUB_SESSION, HUB_POLL,		/* of listeners */
	HUB_CALL_COUNT
};

enum hub_fault {
	HUB_ERROR_BEFORE,	/* 500, 502, 503 (JSON or HTML), no effect */
	HUB_ERROR_AFTER,	/* it happened; 5xx, dropped or silent */
	HUB_BODY,		/* success that cannot be read */
	HUB_RATE_LIMITED,	/* 429, Retry-After sane, missing or absurd */
	HUB_SECONDARY,		/* F63: 403 secondary limit */
	HUB_EXHAUSTED,		/* 403, nothing remaining until a reset */
	HUB_FORBIDDEN,		/* 403 permission, once */
	HUB_EXPIRED,		/* 401 Bad credentials, once */
	HUB_DROP_BEFORE,	/* connection closed, no effect */
	HUB_SLOW,		/* the answer takes up to 30 s */
	HUB_NOT_FOUND,		/* 404 for what is there */
	HUB_BUSY_LIE,		/* busy false while a job runs; and then a
				   DELETE succeeds and the job is cancelled */
	HUB_BUSY_FALSE,		/* busy false while a job runs; DELETE knows */
	HUB_OFFLINE_LIE,	/* status offline while it is online */
	HUB_OMITTED,		/* a runner is missing from a listing */
	HUB_LISTED_TWICE,	/* one is there twice, as when the set changes
				   between pages */
	HUB_ODD,		/* unknown members, null version, 64-bit ids,
				   escaped names, offsets in times */
	HUB_STALE_304,		/* 304 although something changed */
	HUB_JOB_FIRST,		/* F62: before a DELETE is served, a job starts
				   on that runner */
	HUB_REMOVED,		/* a registration is deleted meanwhile */
	HUB_EVICTED,		/* idle JIT runners are removed after 2-6 min:
				   drawn for a runner when it connects */
	HUB_CONFLICT,		/* a session is refused: another has it */
	HUB_DEPRECATED,		/* the version is refused from here on */
	HUB_FAULT_COUNT
};

const char *hub_call_name(enum hub_call call);
const char *hub_fault_name(enum hub_fault fault);
bool hub_call_find(struct str name, enum hub_call *out);
bool hub_fault_find(struct str name, enum hub_fault *out);

/* The zero value is "no faults". */
struct hub_faults {
	uint16_t per_mille[HUB_CALL_COUNT][HUB_FAULT_COUNT];
	int64_t at_most[HUB_FAULT_COUNT];	/* strikes left; 0: no limit */
	bool echoes;			/* who is refused reads what was sent */
};
void hub_set_faults(struct hub *hub, const struct hub_faults *faults);
const struct hub_faults *hub_get_faults(const struct hub *hub);
int64_t hub_fired(const struct hub *hub, enum hub_fault fault);
int64_t hub_calls(const struct hub *hub, enum hub_call call);

/* What the nth next call of a class meets; 1 is the very next one.  Scripts
 * come before chance. */
struct hub_script {
	enum hub_call call;
	int64_t nth;
	enum hub_fault fault;		/* HUB_FAULT_COUNT: only body */
	int status;			/* 0: one that suits */
	enum model_transport transport;	/* with HUB_ERROR_*, HUB_BODY */
	int64_t delay_ms;		/* with HUB_SLOW */
	struct str body;		/* copied; the answer, whatever it is */
	struct str retry_after;		/* copied */
};
void hub_add_script(struct hub *hub, const struct hub_script *script);
void hub_clear_scripts(struct hub *hub);

/* -------------------------------------------------------------- truth ---- */

enum hub_actor {
	HUB_BY_API,		/* who has a token: podform */
	HUB_BY_RUNNER,		/* the listener itself */
	HUB_BY_GITHUB,		/* time, faults */
	HUB_BY_PEOPLE,		/* in the browser: the control door */
};

struct hub_job;

struct hub_runner {
	int64_t id;
	struct hub_scope *scope;
	struct str name, os, version;	/* version absent: never connected */
	struct str *labels;
	size_t nlabels;
	size_t nfixed;			/* the first so many are read-only */
	int64_t group_id;
	bool ephemeral, by_jit;
	struct str secret, jit;		/* of the registration */
	struct str pod;			/* where its listener says it runs */
	struct hub_job *job;		/* assigned or running */
	int64_t session;		/* 0: none */
	int64_t created_ms, seen_ms;	/* seen_ms -1: never */
	int64_t removed_ms;		/* -1: it is there */
	enum hub_actor removed_by;
	bool removed_busy;		/* a job was running on it */
	bool robot;
	int64_t evicted_at_ms;		/* -1: not so */
	int64_t evict_after_ms;		/* the model's own */
};

enum hub_job_status { HUB_QUEUED, HUB_ASSIGNED, HUB_RUNNING, HUB_DONE };
enum hub_conclusion {
	HUB_NONE, HUB_SUCCESS, HUB_FAILURE, HUB_CANCELLED, HUB_LOST,
	HUB_TOO_LATE,			/* nobody took it for 24 h */
};

/* A job, and the time in which a runner ran it: started_ms to ended_ms. */
struct hub_job {
	int64_t id, run_id;
	struct hub_scope *repository;
	struct str name, run;		/* run: a shell command, or empty */
	struct str *labels;
	size_t nlabels;
	int64_t duration_ms;
	bool fails;			/* its result is to be a failure */

	enum hub_job_status status;
	enum hub_conclusion conclusion;
	struct hub_runner *runner;	/* the last it was given to, or NULL */
	struct str pod;			/* where it runs, or ran */
	int64_t created_ms, assigned_ms, started_ms, renewed_ms;
	int64_t ended_ms;		/* for GitHub; -1: not yet */
	int64_t died_ms;		/* -1: its pod did not end under it */
	bool cancelled_by_delete;	/* its runner was deleted under it */
	struct str log;			/* end of its output */
};

enum hub_op {
	HUB_OP_REGISTER, HUB_OP_REPLACE, HUB_OP_DELETE, HUB_OP_DELETE_REFUSED,
	HUB_OP_LABELS, HUB_OP_CONNECT, HUB_OP_JOB_START, HUB_OP_JOB_END,
	HUB_OP_JOB_KILLED,		/* its pod ended, or its runner was
					   deleted under it */
};

struct hub_entry {
	int64_t at_ms;
	enum hub_op op;
	enum hub_actor actor;
	int64_t runner_id, job_id;	/* 0: none */
};

/* All there ever were, in order. */
size_t hub_runner_count(const struct hub *hub);
struct hub_runner *hub_runner_at(const struct hub *hub, size_t i);
size_t hub_job_count(const struct hub *hub);
struct hub_job *hub_job_at(const struct hub *hub, size_t i);
size_t hub_log_count(const struct hub *hub);
const struct hub_entry *hub_log_at(const struct hub *hub, size_t i);
const char *hub_op_name(enum hub_op op);
const char *hub_actor_name(enum hub_actor actor);
const char *hub_conclusion_name(enum hub_conclusion conclusion);

/* Living runners; NULL if there is none. */
struct hub_runner *hub_runner_by_id(const struct hub *hub, int64_t id);
struct hub_runner *hub_runner_by_name(const struct hub *hub,
    const struct hub_scope *scope, struct str name);
bool hub_runner_online(const struct hub *hub,
    const struct hub_runner *runner);

/* The job that really runs on this pod now, or NULL: to end the pod is to
 * kill it (I4). */
struct hub_job *hub_pod_job(const struct hub *hub, struct str pod);
/* Jobs that died because their pod ended or their runner was deleted. */
size_t hub_jobs_killed(const struct hub *hub);

struct str hub_report(struct hub *hub, int64_t now_ms, struct arena *arena);

/* --------------------------------------------------------------- jobs ---- */

struct hub_want {
	struct str repository;		/* "acme/model" */
	struct str name;		/* absent: "build" */
	struct str run;
	const struct str *labels;
	size_t nlabels;
	int64_t duration_ms;
	bool fails;
};
/* Queue a job; NULL if there is no such repository. */
struct hub_job *hub_add_job(struct hub *hub, int64_t now_ms,
    const struct hub_want *want);
bool hub_cancel_job(struct hub *hub, int64_t now_ms, int64_t id);
/* People delete a runner in the browser, busy or not. */
bool hub_people_delete(struct hub *hub, int64_t now_ms, int64_t id);

/* ----------------------------------------------------------- listeners --- */
/* What listeners do; also behind /_sim/.  The secret is that of
 * .credentials_rsaparams. */

enum hub_reply {
	HUB_OK, HUB_GONE,		/* no such registration */
	HUB_TAKEN,			/* another session is alive */
	HUB_REFUSED,			/* wrong secret or token */
	HUB_TOO_OLD,			/* version deprecated */
	HUB_EXISTS,			/* a runner has this name */
	HUB_INVALID,
};

struct hub_registration {
	struct str url;			/* ".../acme/model" or ".../acme" */
	struct str token, name, version, group;
	const struct str *labels;	/* beside the three default ones */
	size_t nlabels;
	bool ephemeral, replace, no_default_labels;
};
enum hub_reply hub_register(struct hub *hub, int64_t now_ms,
    const struct hub_registration *wish, struct hub_runner **runner);
/* By a remove token: what `config.sh remove` does. */
enum hub_reply hub_unregister(struct hub *hub, int64_t now_ms, int64_t id,
    struct str token);

enum hub_reply hub_connect(struct hub *hub, int64_t now_ms, int64_t id,
    struct str secret, struct str version, struct str pod,
    int64_t *session);
/* *job is set when there is one: it runs from now on. */
enum hub_reply hub_poll(struct hub *hub, int64_t now_ms, int64_t id,
    int64_t session, struct hub_job **job);
/* HUB_GONE: the job is to be cancelled. */
enum hub_reply hub_renew(struct hub *hub, int64_t now_ms, int64_t id,
    int64_t session, int64_t job);
enum hub_reply hub_done(struct hub *hub, int64_t now_ms, int64_t id,
    int64_t session, int64_t job, enum hub_conclusion conclusion,
    struct str log);
void hub_disconnect(struct hub *hub, int64_t now_ms, int64_t id,
    int64_t session);

/*
 * A listener without a process: from now on it polls, and runs what it is
 * given for as long as the job lasts, until the job is done (ephemeral), its
 * registration is gone or its pod ends.  `jit` is the configuration as it
 * was given.
 */
enum hub_reply hub_robot_start(struct hub *hub, int64_t now_ms,
    struct str jit, struct str version, struct str pod);
/* The same for a runner that registered with a token. */
enum hub_reply hub_robot_resume(struct hub *hub, int64_t now_ms, int64_t id,
    struct str version, struct str pod);
/* Its process ends (killed, or stopped without its pod). */
void hub_robot_stop(struct hub *hub, int64_t now_ms, int64_t id);
bool hub_robot_alive(const struct hub *hub, int64_t id);

/* The pod's container has ended, and all that ran in it. */
void hub_pod_ended(struct hub *hub, int64_t now_ms, struct str pod);

#endif
