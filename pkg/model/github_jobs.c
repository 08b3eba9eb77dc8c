/* github_jobs.c - jobs: who gets one, how long it runs, how it ends. */
#include "model/github_state.h"

enum { ACCEPT_MS = 60 * 1000 };
#define WAIT_MAX_MS (24 * HUB_HOUR_MS)

const char *
hub_conclusion_name(enum hub_conclusion conclusion)
{
	static const char *const names[] = {
		[HUB_NONE] = "", [HUB_SUCCESS] = "success",
		[HUB_FAILURE] = "failure", [HUB_CANCELLED] = "cancelled",
		[HUB_LOST] = "failure", [HUB_TOO_LATE] = "failure",
	};

	return names[conclusion];
}

struct hub_job *
hub_add_job(struct hub *hub, int64_t now_ms, const struct hub_want *want)
{
	struct hub_scope *scope = hub_find_scope(hub, want->repository);
	struct arena *arena = &hub->arena;
	struct hub_job *job;

	hub_advance(hub, now_ms);
	if (scope == NULL || scope->kind != HUB_REPOSITORY ||
	    scope->renamed_to.data != NULL)
		return NULL;
	job = ARENA_NEW(arena, struct hub_job);
	*job = (struct hub_job){
		.id = 900000 + hub->next_id, .run_id = 800000 + hub->next_id,
		.repository = scope,
		.name = want->name.len > 0 ? arena_str(arena, want->name)
		    : STR("build"),
		.run = arena_str(arena, want->run),
		.labels = ARENA_ARRAY(arena, struct str, want->nlabels),
		.nlabels = want->nlabels, .duration_ms = want->duration_ms,
		.fails = want->fails, .created_ms = hub->now_ms,
		.assigned_ms = -1, .started_ms = -1, .renewed_ms = -1,
		.ended_ms = -1, .died_ms = -1,
	};
	hub->next_id++;
	for (size_t i = 0; i < want->nlabels; i++)
		job->labels[i] = arena_str(arena, want->labels[i]);
	*ARENA_PUSH(arena, &hub->jobs) = job;
	hub_schedule(hub);
	return job;
}

/* Runners of an organization serve its repositories. */
static bool
serves(const struct hub_runner *runner, const struct hub_job *job)
{
	struct str rest, owner = str_cut(job->repository->name, '/', &rest);

	if (runner->scope != job->repository &&
	    (runner->scope->kind != HUB_ORGANIZATION ||
	    !str_eq_fold(runner->scope->name, owner)))
		return false;
	for (size_t i = 0; i < job->nlabels; i++)
		if (!hub_has_label(runner->labels, runner->nlabels,
		    job->labels[i]))
			return false;
	return true;
}

static void
begin(struct hub *hub, struct hub_job *job)
{
	job->status = HUB_RUNNING;
	job->started_ms = job->renewed_ms = hub->now_ms;
	job->pod = job->runner->pod;
	hub_record(hub, HUB_OP_JOB_START, HUB_BY_GITHUB, job->runner, job);
}

static void
assign(struct hub *hub, struct hub_job *job, struct hub_runner *runner)
{
	job->status = HUB_ASSIGNED;
	job->assigned_ms = hub->now_ms;
	job->runner = runner;
	runner->job = job;
	if (runner->robot)
		begin(hub, job);
}

void
hub_schedule(struct hub *hub)
{
	while (hub->first_open < hub->jobs.n &&
	    hub->jobs.items[hub->first_open]->status == HUB_DONE)
		hub->first_open++;
	for (size_t i = hub->first_open; i < hub->jobs.n; i++) {
		struct hub_job *job = hub->jobs.items[i];
		if (job->status != HUB_QUEUED)
			continue;
		for (size_t k = hub->first_alive; k < hub->runners.n; k++) {
			struct hub_runner *runner = hub->runners.items[k];
			if (runner->removed_ms >= 0 || runner->job != NULL ||
			    !hub_runner_online(hub, runner) ||
			    !serves(runner, job))
				continue;
			assign(hub, job, runner);
			break;
		}
	}
}

bool
hub_force_job(struct hub *hub, struct hub_runner *runner)
{
	struct hub_job *job;

	if (runner->job != NULL || !hub_runner_online(hub, runner))
		return false;
	job = hub_add_job(hub, hub->now_ms, &(struct hub_want){
		.repository = runner->scope->kind == HUB_REPOSITORY
		    ? runner->scope->name : STR("acme/model"),
		.name = STR("sudden"), .labels = runner->labels,
		.nlabels = runner->nlabels, .duration_ms = 20 * 1000,
	});
	return job != NULL && job->runner == runner;
}

void
hub_end_job(struct hub *hub, struct hub_job *job,
    enum hub_conclusion conclusion)
{
	struct hub_runner *runner = job->runner;

	job->status = HUB_DONE;
	job->conclusion = conclusion;
	job->ended_ms = hub->now_ms;
	if (runner == NULL || runner->job != job)
		return;
	runner->job = NULL;
	hub_record(hub, HUB_OP_JOB_END, HUB_BY_GITHUB, runner, job);
	if (runner->ephemeral && runner->removed_ms < 0)
		hub_remove(hub, runner, HUB_BY_RUNNER);
}

bool
hub_cancel_job(struct hub *hub, int64_t now_ms, int64_t id)
{
	hub_advance(hub, now_ms);
	for (size_t i = hub->first_open; i < hub->jobs.n; i++)
		if (hub->jobs.items[i]->id == id &&
		    hub->jobs.items[i]->status != HUB_DONE) {
			hub_end_job(hub, hub->jobs.items[i], HUB_CANCELLED);
			return true;
		}
	return false;
}

/* ---------------------------------------------------------------- time -- */

/* When something happens to this job by itself. */
static int64_t
due_at(const struct hub *hub, const struct hub_job *job)
{
	bool robot = job->runner != NULL && job->runner->robot &&
	    job->died_ms < 0;

	switch (job->status) {
	case HUB_QUEUED:
		return job->created_ms + WAIT_MAX_MS;
	case HUB_ASSIGNED:
		return job->assigned_ms + ACCEPT_MS;
	case HUB_RUNNING:
		return robot ? job->started_ms + job->duration_ms
		    : job->renewed_ms + hub->config.lease_ms;
	case HUB_DONE:
		break;
	}
	return -1;
}

int64_t
hub_jobs_next(const struct hub *hub)
{
	int64_t next = -1;

	for (size_t i = hub->first_open; i < hub->jobs.n; i++) {
		int64_t at = due_at(hub, hub->jobs.items[i]);
		if (at >= 0 && (next < 0 || at < next))
			next = at;
	}
	return next;
}

void
hub_jobs_due(struct hub *hub)
{
	for (size_t i = hub->first_open; i < hub->jobs.n; i++) {
		struct hub_job *job = hub->jobs.items[i];
		int64_t at = due_at(hub, job);
		if (at < 0 || at > hub->now_ms)
			continue;
		if (job->status == HUB_QUEUED) {
			hub_end_job(hub, job, HUB_TOO_LATE);
		} else if (job->status == HUB_ASSIGNED) {
			job->runner->job = NULL;
			job->runner = NULL;
			job->status = HUB_QUEUED;
		} else if (job->runner->robot && job->died_ms < 0) {
			hub_end_job(hub, job, job->fails ? HUB_FAILURE
			    : HUB_SUCCESS);
		} else {
			hub_end_job(hub, job, HUB_LOST);
		}
	}
	hub_schedule(hub);
}
