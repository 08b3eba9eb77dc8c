/*
 * github_state.h - what the files of the hub share: its inside, and one
 * request on its way to an answer.
 */
#ifndef MODEL_GITHUB_STATE_H
#define MODEL_GITHUB_STATE_H

#include <assert.h>

#include "model/github.h"
#include "model/rest.h"

#define HUB_HOUR_MS INT64_C(3600000)

enum hub_role { ROLE_NONE, ROLE_NO_PERMISSION, ROLE_READ, ROLE_ADMIN };

struct hub_token {
	struct str text;
	enum hub_role role;
	bool app;			/* an installation's */
	const char *scopes;		/* of a classic one; NULL: it is none */
	int64_t expires_ms;		/* -1: never */
	struct model_window window;	/* of its hourly limit */
};

/* A registration or a remove token. */
struct hub_ticket {
	struct str text;
	struct hub_scope *scope;
	bool removes;
	int64_t expires_ms;
};

struct hub_group {
	int64_t id;
	struct hub_scope *organization;
	struct str name;
	bool is_default, allows_public, dead;
};

struct hub {
	struct hub_config config;
	int64_t now_ms;
	struct arena arena;
	struct model_rng rng, fault_rng;
	VEC_OF(struct hub_scope *) scopes;
	VEC_OF(struct hub_token *) tokens;
	VEC_OF(struct hub_ticket) tickets;
	VEC_OF(struct hub_group *) groups;
	VEC_OF(struct hub_runner *) runners;
	VEC_OF(struct hub_job *) jobs;
	VEC_OF(struct hub_entry) log;
	size_t first_alive;		/* runners before it are gone */
	size_t first_open;		/* jobs before it are done */
	int64_t next_id;
	struct str least_version;
	struct hub_faults faults;
	int64_t fired[HUB_FAULT_COUNT], calls[HUB_CALL_COUNT];
	VEC_OF(struct hub_script) scripts;
	uint64_t request_number;
};

/* github_runners.c */
struct hub_runner *hub_make_runner(struct hub *hub, struct hub_scope *scope,
    struct str name, const struct str *labels, size_t n, int64_t group_id);
void hub_make_jit(struct hub *hub, struct hub_runner *runner,
    struct str base);
void hub_set_labels(struct hub *hub, struct hub_runner *runner,
    const struct str *labels, size_t n);
bool hub_has_label(const struct str *labels, size_t n, struct str label);
/* Remove a registration; a job that runs on it is cancelled. */
void hub_remove(struct hub *hub, struct hub_runner *runner,
    enum hub_actor actor);
void hub_record(struct hub *hub, enum hub_op op, enum hub_actor actor,
    const struct hub_runner *runner, const struct hub_job *job);
bool hub_version_refused(const struct hub *hub, struct str version);

/* github_jobs.c */
void hub_schedule(struct hub *hub);
void hub_end_job(struct hub *hub, struct hub_job *job,
    enum hub_conclusion conclusion);
int64_t hub_jobs_next(const struct hub *hub);
void hub_jobs_due(struct hub *hub);
/* The first job that waits is given to this runner now (HUB_JOB_FIRST). */
bool hub_force_job(struct hub *hub, struct hub_runner *runner);

/* github_text.c */
struct str hub_random_text(struct hub *hub, size_t n, const char *letters);
struct str hub_base64(struct arena *arena, struct str bytes);
/* Of base64url or base64; false if it is not. */
bool hub_base64_read(struct arena *arena, struct str text, struct str *out);
struct str hub_unpercent(struct arena *arena, struct str text);
/* Digits and dots: <0, 0, >0. */
int hub_version_cmp(struct str a, struct str b);
bool hub_number(struct str text, int64_t *out);
struct json_object *hub_parse(struct str text);

/* ----------------------------------------------------- one request ------ */

enum { HUB_PARTS_MAX = 12 };

struct hub_strike {
	uint64_t faults;
	bool scripted;
	int status;
	enum model_transport transport;
	int64_t delay_ms;
	struct str body, retry_after;
};

struct hub_exchange {
	struct hub *hub;
	struct arena *arena;
	const struct hub_request *request;
	struct model_reply *reply;
	struct str parts[HUB_PARTS_MAX];	/* of the path, decoded */
	size_t nparts;
	struct hub_scope *scope;	/* that the path names, or NULL */
	struct str rest[HUB_PARTS_MAX];	/* parts after the scope's */
	size_t nrest;
	struct str id;			/* what the last * stood for */
	struct str id2;			/* and the second, if there are two */
	struct hub_token *token;
	enum hub_call call;
	struct hub_strike strike;
};

typedef void hub_handler(struct hub_exchange *x);

/* github_http.c */
void hub_json(struct hub_exchange *x, int status, struct json_out *out);
void hub_empty(struct hub_exchange *x, int status);
void hub_error(struct hub_exchange *x, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* 422 "Validation Failed" about one field. */
void hub_invalid(struct hub_exchange *x, const char *field,
    const char *message);
struct str hub_query(const struct hub_exchange *x, const char *name);
/* The body as an object, to be put; NULL: 400 was answered. */
struct json_object *hub_body(struct hub_exchange *x);
/* Positions [from, to) of the page that was asked for; adds Link.  That they
 * lie within total is said where analysers of the callers see it. */
void hub_page_of(struct hub_exchange *x, size_t total, size_t *from,
    size_t *to);
static inline void
hub_page(struct hub_exchange *x, size_t total, size_t *from, size_t *to)
{
	hub_page_of(x, total, from, to);
	assert(*from <= *to && *to <= total);
}
struct str hub_base(const struct hub_exchange *x);	/* of the API */
struct str hub_web(const struct hub_exchange *x);	/* for people */
bool hub_struck(const struct hub_exchange *x, enum hub_fault fault);

/* github_faults.c */
bool hub_robot_meets(struct hub *hub, enum hub_fault fault);
void hub_strike_draw(struct hub *hub, enum hub_call call,
    struct hub_strike *strike);
bool hub_strike_before(struct hub_exchange *x);	/* true: it is answered */
void hub_strike_after(struct hub_exchange *x);
void hub_strike_fired(struct hub_exchange *x, enum hub_fault fault);

/* github_rest.c, github_more.c, github_app.c */
hub_handler hub_list_runners, hub_get_runner, hub_delete_runner,
    hub_generate_jit, hub_registration_token, hub_remove_token,
    hub_downloads, hub_deprecation, hub_get_labels, hub_add_labels,
    hub_put_labels, hub_delete_labels, hub_delete_label,
    hub_list_groups, hub_get_group, hub_group_runners,
    hub_get_repository, hub_get_organization, hub_policy,
    hub_list_runs, hub_get_run, hub_list_jobs, hub_get_job, hub_cancel_run,
    hub_rerun_job, hub_rate_limit,
    hub_list_installations, hub_find_installation, hub_access_token,
    hub_get_app;
void hub_put_runner(struct hub_exchange *x, struct json_out *out,
    const struct hub_runner *runner);

/* github_wire.c: /_sim/...; true: it was such a path. */
bool hub_wire(struct hub_exchange *x);

#endif
