/* github.c - see github.h: set-up, scopes, time, the truth. */
#include "model/github_state.h"

#include <stdlib.h>

static const struct hub_package default_packages[] = {
	{ "9.999.0", NULL },
};

void
hub_config_default(struct hub_config *config)
{
	*config = (struct hub_config){
		.seed = 1, .token = "ghp_sim", .app_id = "4242",
		.app_client_id = "Iv23lisimulated00000", .app_token_length = 40,
		.limit_per_hour = 5000, .offline_ms = 40 * 1000,
		.busy_lag_ms = 2000, .lease_ms = 10 * 60 * 1000,
		.packages = default_packages,
		.npackages = COUNTOF(default_packages),
	};
}

static void
add_token(struct hub *hub, const char *suffix, enum hub_role role)
{
	struct hub_token *token = ARENA_NEW(&hub->arena, struct hub_token);

	token->text = arena_printf(&hub->arena, "%s%s", hub->config.token,
	    suffix);
	token->role = role;
	token->expires_ms = -1;
	*ARENA_PUSH(&hub->arena, &hub->tokens) = token;
}

struct hub *
hub_new(const struct hub_config *config, int64_t now_ms)
{
	struct hub *hub = calloc(1, sizeof *hub);

	if (hub == NULL)
		fail_out_of_memory();
	hub->config = *config;
	hub->config.token = arena_cstr(&hub->arena, str_from(config->token));
	hub->now_ms = now_ms;
	hub->next_id = 1;
	model_rng_seed(&hub->rng, config->seed ^ 0x617u);
	model_rng_seed(&hub->fault_rng, config->seed ^ 0xfa617u);
	add_token(hub, "", ROLE_ADMIN);
	add_token(hub, "_read", ROLE_READ);
	add_token(hub, "_none", ROLE_NONE);
	add_token(hub, "_nopermission", ROLE_NO_PERMISSION);
	add_token(hub, "_classic", ROLE_READ);
	hub->tokens.items[hub->tokens.n - 1]->scopes =
	    "public_repo, read:org";
	hub_repository(hub, STR("acme/model"), true);
	hub_repository(hub, STR("acme/app"), true);
	hub_repository(hub, STR("acme/open"), false);
	return hub;
}

void
hub_free(struct hub *hub)
{
	if (hub == NULL)
		return;
	arena_release(&hub->arena);
	free(hub);
}

/* -------------------------------------------------------------- scopes -- */

struct hub_scope *
hub_find_scope(struct hub *hub, struct str name)
{
	for (size_t i = 0; i < hub->scopes.n; i++)
		if (str_eq_fold(hub->scopes.items[i]->name, name))
			return hub->scopes.items[i];
	return NULL;
}

static struct hub_scope *
add_scope(struct hub *hub, struct str name, enum hub_scope_kind kind)
{
	struct hub_scope *scope = ARENA_NEW(&hub->arena, struct hub_scope);

	scope->kind = kind;
	scope->name = arena_str(&hub->arena, name);
	scope->id = 7000 + (int64_t)hub->scopes.n;
	*ARENA_PUSH(&hub->arena, &hub->scopes) = scope;
	return scope;
}

struct hub_scope *
hub_organization(struct hub *hub, struct str name)
{
	struct hub_scope *scope = hub_find_scope(hub, name);
	struct hub_group *group;

	if (scope != NULL)
		return scope;
	scope = add_scope(hub, name, HUB_ORGANIZATION);
	for (int i = 1; i <= 2; i++) {
		group = ARENA_NEW(&hub->arena, struct hub_group);
		*group = (struct hub_group){
			.id = i, .organization = scope,
			.name = i == 1 ? STR("Default") : STR("gpu"),
			.is_default = i == 1,
		};
		*ARENA_PUSH(&hub->arena, &hub->groups) = group;
	}
	return scope;
}

struct hub_scope *
hub_repository(struct hub *hub, struct str name, bool is_private)
{
	struct hub_scope *scope = hub_find_scope(hub, name);

	if (scope == NULL) {
		struct str repository;
		hub_organization(hub, str_cut(name, '/', &repository));
		scope = add_scope(hub, name, HUB_REPOSITORY);
	}
	scope->is_private = is_private;
	return scope;
}

void
hub_rename(struct hub *hub, struct hub_scope *scope, struct str name)
{
	struct hub_scope *old = add_scope(hub, scope->name, scope->kind);

	scope->name = arena_str(&hub->arena, name);
	old->renamed_to = scope->name;
	old->id = scope->id;
}

void
hub_set_packages(struct hub *hub, const struct hub_package *packages,
    size_t n)
{
	hub->config.packages = packages;
	hub->config.npackages = n;
}

void
hub_set_least_version(struct hub *hub, struct str version)
{
	hub->least_version = arena_str(&hub->arena, version);
}

bool
hub_version_refused(const struct hub *hub, struct str version)
{
	return hub->least_version.len > 0 &&
	    hub_version_cmp(version, hub->least_version) < 0;
}

/* ---------------------------------------------------------------- time -- */

/* GitHub forgets runners that are offline for long. */
static int64_t
forgotten_at(const struct hub *hub, const struct hub_runner *runner)
{
	int64_t since = runner->seen_ms < 0 ? runner->created_ms
	    : runner->seen_ms;

	if (runner->job != NULL || hub_runner_online(hub, runner))
		since = hub->now_ms;
	return since + (runner->ephemeral ? 24 : 14 * 24) * HUB_HOUR_MS;
}

int64_t
hub_next_event(const struct hub *hub)
{
	int64_t next = hub_jobs_next(hub);

	for (size_t i = hub->first_alive; i < hub->runners.n; i++) {
		struct hub_runner *runner = hub->runners.items[i];
		int64_t at = forgotten_at(hub, runner);
		if (runner->removed_ms >= 0)
			continue;
		if (runner->evicted_at_ms >= 0 && runner->job == NULL &&
		    runner->evicted_at_ms < at)
			at = runner->evicted_at_ms;
		if (next < 0 || at < next)
			next = at;
	}
	return next;
}

static void
runners_due(struct hub *hub)
{
	for (size_t i = hub->first_alive; i < hub->runners.n; i++) {
		struct hub_runner *runner = hub->runners.items[i];
		if (runner->removed_ms >= 0)
			continue;
		if (forgotten_at(hub, runner) <= hub->now_ms ||
		    (runner->evicted_at_ms >= 0 && runner->job == NULL &&
		    runner->evicted_at_ms <= hub->now_ms))
			hub_remove(hub, runner, HUB_BY_GITHUB);
	}
	while (hub->first_alive < hub->runners.n &&
	    hub->runners.items[hub->first_alive]->removed_ms >= 0)
		hub->first_alive++;
}

void
hub_advance(struct hub *hub, int64_t now_ms)
{
	int64_t next;

	while ((next = hub_next_event(hub)) >= 0 && next <= now_ms) {
		if (next > hub->now_ms)
			hub->now_ms = next;
		hub_jobs_due(hub);
		runners_due(hub);
	}
	if (now_ms > hub->now_ms)
		hub->now_ms = now_ms;
	hub_schedule(hub);
}

/* --------------------------------------------------------------- truth -- */

void
hub_record(struct hub *hub, enum hub_op op, enum hub_actor actor,
    const struct hub_runner *runner, const struct hub_job *job)
{
	*ARENA_PUSH(&hub->arena, &hub->log) = (struct hub_entry){
		.at_ms = hub->now_ms, .op = op, .actor = actor,
		.runner_id = runner == NULL ? 0 : runner->id,
		.job_id = job == NULL ? 0 : job->id,
	};
}

size_t
hub_runner_count(const struct hub *hub)
{
	return hub->runners.n;
}

struct hub_runner *
hub_runner_at(const struct hub *hub, size_t i)
{
	return hub->runners.items[i];
}

size_t
hub_job_count(const struct hub *hub)
{
	return hub->jobs.n;
}

struct hub_job *
hub_job_at(const struct hub *hub, size_t i)
{
	return hub->jobs.items[i];
}

size_t
hub_log_count(const struct hub *hub)
{
	return hub->log.n;
}

const struct hub_entry *
hub_log_at(const struct hub *hub, size_t i)
{
	return &hub->log.items[i];
}

struct hub_runner *
hub_runner_by_id(const struct hub *hub, int64_t id)
{
	for (size_t i = hub->first_alive; i < hub->runners.n; i++)
		if (hub->runners.items[i]->id == id &&
		    hub->runners.items[i]->removed_ms < 0)
			return hub->runners.items[i];
	return NULL;
}

struct hub_runner *
hub_runner_by_name(const struct hub *hub, const struct hub_scope *scope,
    struct str name)
{
	for (size_t i = hub->first_alive; i < hub->runners.n; i++)
		if (hub->runners.items[i]->scope == scope &&
		    hub->runners.items[i]->removed_ms < 0 &&
		    str_eq_fold(hub->runners.items[i]->name, name))
			return hub->runners.items[i];
	return NULL;
}

bool
hub_runner_online(const struct hub *hub, const struct hub_runner *runner)
{
	return runner->session != 0 && (runner->robot ||
	    hub->now_ms - runner->seen_ms <= hub->config.offline_ms);
}

struct hub_job *
hub_pod_job(const struct hub *hub, struct str pod)
{
	for (size_t i = hub->first_open; i < hub->jobs.n; i++) {
		struct hub_job *job = hub->jobs.items[i];
		if (job->status == HUB_RUNNING && job->died_ms < 0 &&
		    job->pod.len > 0 && str_eq(job->pod, pod))
			return job;
	}
	return NULL;
}

size_t
hub_jobs_killed(const struct hub *hub)
{
	size_t n = 0;

	for (size_t i = 0; i < hub->jobs.n; i++)
		n += hub->jobs.items[i]->died_ms >= 0 ||
		    hub->jobs.items[i]->cancelled_by_delete;
	return n;
}

const char *
hub_op_name(enum hub_op op)
{
	static const char *const names[] = {
		[HUB_OP_REGISTER] = "register", [HUB_OP_REPLACE] = "replace",
		[HUB_OP_DELETE] = "delete",
		[HUB_OP_DELETE_REFUSED] = "delete_refused",
		[HUB_OP_LABELS] = "labels", [HUB_OP_CONNECT] = "connect",
		[HUB_OP_JOB_START] = "job_start",
		[HUB_OP_JOB_END] = "job_end",
		[HUB_OP_JOB_KILLED] = "job_killed",
	};

	return names[op];
}

const char *
hub_actor_name(enum hub_actor actor)
{
	static const char *const names[] = {
		[HUB_BY_API] = "api", [HUB_BY_RUNNER] = "runner",
		[HUB_BY_GITHUB] = "github", [HUB_BY_PEOPLE] = "people",
	};

	return names[actor];
}
