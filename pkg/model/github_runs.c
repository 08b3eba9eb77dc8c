/* github_runs.c - workflow runs and their jobs; each run has one job. */
#include "model/github_state.h"

static const char *
run_status(const struct hub_job *job)
{
	switch (job->status) {
	case HUB_RUNNING:
		return "in_progress";
	case HUB_DONE:
		return "completed";
	default:
		return "queued";
	}
}

static void
put_time(struct hub_exchange *x, struct json_out *out, const char *key,
    int64_t ms)
{
	json_out_member_or_null(out, key, ms < 0 ? (struct str){0}
	    : model_rfc3339(x->arena, ms / 1000 * 1000));
}

static void
put_run(struct hub_exchange *x, struct json_out *out,
    const struct hub_job *job)
{
	json_out_open(out, '{');
	json_out_member_int(out, "id", job->run_id);
	json_out_member(out, "name", job->name);
	json_out_member_int(out, "run_number", job->run_id - 800000);
	json_out_member_int(out, "run_attempt", 1);
	json_out_member_c(out, "event", "push");
	json_out_member_c(out, "head_branch", "main");
	json_out_member_c(out, "status", run_status(job));
	json_out_member_or_null(out, "conclusion",
	    str_from(hub_conclusion_name(job->conclusion)));
	put_time(x, out, "created_at", job->created_ms);
	put_time(x, out, "updated_at", job->ended_ms >= 0 ? job->ended_ms
	    : job->started_ms >= 0 ? job->started_ms : job->created_ms);
	json_out_key(out, "repository");
	json_out_open(out, '{');
	json_out_member(out, "full_name", job->repository->name);
	json_out_member_bool(out, "private", job->repository->is_private);
	json_out_close(out, '}');
	json_out_close(out, '}');
}

static void
put_job(struct hub_exchange *x, struct json_out *out,
    const struct hub_job *job)
{
	const struct hub_runner *runner = job->started_ms >= 0 ? job->runner
	    : NULL;

	json_out_open(out, '{');
	json_out_member_int(out, "id", job->id);
	json_out_member_int(out, "run_id", job->run_id);
	json_out_member_int(out, "run_attempt", 1);
	json_out_member(out, "name", job->name);
	json_out_member_c(out, "status", run_status(job));
	json_out_member_or_null(out, "conclusion",
	    str_from(hub_conclusion_name(job->conclusion)));
	put_time(x, out, "created_at", job->created_ms);
	put_time(x, out, "started_at", job->started_ms);
	put_time(x, out, "completed_at", job->ended_ms);
	json_out_key(out, "labels");
	json_out_open(out, '[');
	for (size_t i = 0; i < job->nlabels; i++)
		json_out_str(out, job->labels[i]);
	json_out_close(out, ']');
	json_out_key(out, "steps");
	json_out_open(out, '[');
	json_out_close(out, ']');
	if (runner != NULL) {
		json_out_member_int(out, "runner_id", runner->id);
		json_out_member(out, "runner_name", runner->name);
		json_out_member_int(out, "runner_group_id", runner->group_id);
	} else {
		json_out_member_or_null(out, "runner_id", (struct str){0});
		json_out_member_or_null(out, "runner_name", (struct str){0});
		json_out_member_or_null(out, "runner_group_id",
		    (struct str){0});
	}
	json_out_close(out, '}');
}

/* The job that a run or job of the path stands for; NULL: 404. */
static struct hub_job *
job_or_404(struct hub_exchange *x, bool by_run)
{
	int64_t id;

	for (size_t i = 0; hub_number(x->id, &id) && i < x->hub->jobs.n;
	    i++) {
		struct hub_job *job = x->hub->jobs.items[i];
		if (job->repository == x->scope &&
		    (by_run ? job->run_id : job->id) == id)
			return job;
	}
	hub_error(x, 404, "Not Found");
	return NULL;
}

/* A status or a conclusion, as the filter takes both. */
static bool
is_wanted(const struct hub_job *job, struct str status)
{
	return status.len == 0 || str_is(status, run_status(job)) ||
	    str_is(status, hub_conclusion_name(job->conclusion));
}

void
hub_list_runs(struct hub_exchange *x)
{
	struct str status = hub_query(x, "status");
	VEC_OF(struct hub_job *) found = {0};
	struct json_out out = {0};
	size_t from, to;

	for (size_t i = x->hub->jobs.n; i-- > 0;)	/* newest first */
		if (x->hub->jobs.items[i]->repository == x->scope &&
		    is_wanted(x->hub->jobs.items[i], status))
			*ARENA_PUSH(x->arena, &found) = x->hub->jobs.items[i];
	hub_page(x, found.n, &from, &to);
	json_out_open(&out, '{');
	json_out_member_int(&out, "total_count", (int64_t)found.n);
	json_out_key(&out, "workflow_runs");
	json_out_open(&out, '[');
	for (size_t i = from; i < to; i++)
		put_run(x, &out, found.items[i]);
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}

void
hub_get_run(struct hub_exchange *x)
{
	struct hub_job *job = job_or_404(x, true);
	struct json_out out = {0};

	if (job == NULL)
		return;
	put_run(x, &out, job);
	hub_json(x, 200, &out);
}

void
hub_list_jobs(struct hub_exchange *x)
{
	struct hub_job *job = job_or_404(x, true);
	struct json_out out = {0};

	if (job == NULL)
		return;
	json_out_open(&out, '{');
	json_out_member_int(&out, "total_count", 1);
	json_out_key(&out, "jobs");
	json_out_open(&out, '[');
	put_job(x, &out, job);
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}

void
hub_get_job(struct hub_exchange *x)
{
	struct hub_job *job = job_or_404(x, false);
	struct json_out out = {0};

	if (job == NULL)
		return;
	put_job(x, &out, job);
	hub_json(x, 200, &out);
}

void
hub_cancel_run(struct hub_exchange *x)
{
	struct hub_job *job = job_or_404(x, true);
	struct json_out out = {0};

	if (job == NULL)
		return;
	if (!hub_cancel_job(x->hub, x->hub->now_ms, job->id)) {
		hub_error(x, 409, "Cannot cancel a workflow run that is "
		    "completed.");
		return;
	}
	json_out_open(&out, '{');
	json_out_close(&out, '}');
	hub_json(x, 202, &out);
}

void
hub_rerun_job(struct hub_exchange *x)
{
	struct hub_job *job = job_or_404(x, false);
	struct json_out out = {0};

	if (job == NULL)
		return;
	if (job->status != HUB_DONE) {
		hub_error(x, 403, "This workflow run is already running");
		return;
	}
	hub_add_job(x->hub, x->hub->now_ms, &(struct hub_want){
		.repository = job->repository->name, .name = job->name,
		.run = job->run, .labels = job->labels,
		.nlabels = job->nlabels, .duration_ms = job->duration_ms,
	});
	json_out_open(&out, '{');
	json_out_close(&out, '}');
	hub_json(x, 201, &out);
}
