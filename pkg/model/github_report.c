/* github_report.c - the hub as JSON: runners, jobs, what happened. */
#include "model/github_state.h"

static void
put_time(struct json_out *out, const char *key, int64_t ms)
{
	json_out_key(out, key);
	if (ms < 0)
		json_out_null(out);
	else
		json_out_int(out, ms);
}

static void
put_labels(struct json_out *out, const struct str *labels, size_t n)
{
	json_out_key(out, "labels");
	json_out_open(out, '[');
	for (size_t i = 0; i < n; i++)
		json_out_str(out, labels[i]);
	json_out_close(out, ']');
}

static void
put_runner(struct json_out *out, const struct hub *hub,
    const struct hub_runner *runner)
{
	json_out_open(out, '{');
	json_out_member_int(out, "id", runner->id);
	json_out_member(out, "name", runner->name);
	json_out_member(out, "scope", runner->scope->name);
	put_labels(out, runner->labels, runner->nlabels);
	json_out_member_int(out, "group_id", runner->group_id);
	json_out_member_bool(out, "ephemeral", runner->ephemeral);
	json_out_member_bool(out, "jit", runner->by_jit);
	json_out_member_or_null(out, "version", runner->version);
	json_out_member_or_null(out, "pod", runner->pod);
	json_out_member_bool(out, "online", runner->removed_ms < 0 &&
	    hub_runner_online(hub, runner));
	json_out_key(out, "job");
	if (runner->job != NULL)
		json_out_int(out, runner->job->id);
	else
		json_out_null(out);
	put_time(out, "created_ms", runner->created_ms);
	put_time(out, "removed_ms", runner->removed_ms);
	json_out_member_or_null(out, "removed_by", runner->removed_ms < 0
	    ? (struct str){0} : str_from(hub_actor_name(runner->removed_by)));
	json_out_close(out, '}');
}

static void
put_job(struct json_out *out, const struct hub_job *job)
{
	static const char *const words[] = {
		[HUB_QUEUED] = "queued", [HUB_ASSIGNED] = "assigned",
		[HUB_RUNNING] = "running", [HUB_DONE] = "done",
	};

	json_out_open(out, '{');
	json_out_member_int(out, "id", job->id);
	json_out_member(out, "name", job->name);
	json_out_member(out, "repository", job->repository->name);
	put_labels(out, job->labels, job->nlabels);
	json_out_member_c(out, "status", words[job->status]);
	json_out_member_or_null(out, "conclusion",
	    str_from(hub_conclusion_name(job->conclusion)));
	json_out_member_or_null(out, "runner", job->runner == NULL
	    ? (struct str){0} : job->runner->name);
	json_out_member_or_null(out, "pod", job->pod);
	put_time(out, "created_ms", job->created_ms);
	put_time(out, "started_ms", job->started_ms);
	put_time(out, "ended_ms", job->ended_ms);
	json_out_member_bool(out, "killed", job->died_ms >= 0 ||
	    job->cancelled_by_delete);
	json_out_member(out, "log", job->log);
	json_out_close(out, '}');
}

static void
put_log(struct json_out *out, const struct hub *hub)
{
	json_out_key(out, "operations");
	json_out_open(out, '[');
	for (size_t i = 0; i < hub->log.n; i++) {
		const struct hub_entry *entry = &hub->log.items[i];
		json_out_open(out, '{');
		json_out_member_int(out, "at_ms", entry->at_ms);
		json_out_member_c(out, "op", hub_op_name(entry->op));
		json_out_member_c(out, "by", hub_actor_name(entry->actor));
		json_out_member_int(out, "runner", entry->runner_id);
		json_out_member_int(out, "job", entry->job_id);
		json_out_close(out, '}');
	}
	json_out_close(out, ']');
}

static void
put_counts(struct json_out *out, const struct hub *hub)
{
	json_out_key(out, "calls");
	json_out_open(out, '{');
	for (int i = 0; i < HUB_CALL_COUNT; i++)
		if (hub->calls[i] > 0)
			json_out_member_int(out,
			    hub_call_name((enum hub_call)i), hub->calls[i]);
	json_out_close(out, '}');
	json_out_key(out, "faults");
	json_out_open(out, '{');
	for (int i = 0; i < HUB_FAULT_COUNT; i++)
		if (hub->fired[i] > 0)
			json_out_member_int(out,
			    hub_fault_name((enum hub_fault)i), hub->fired[i]);
	json_out_close(out, '}');
}

struct str
hub_report(struct hub *hub, int64_t now_ms, struct arena *arena)
{
	struct json_out out = {0};

	hub_advance(hub, now_ms);
	json_out_open(&out, '{');
	json_out_key(&out, "runners");
	json_out_open(&out, '[');
	for (size_t i = 0; i < hub->runners.n; i++)
		put_runner(&out, hub, hub->runners.items[i]);
	json_out_close(&out, ']');
	json_out_key(&out, "jobs");
	json_out_open(&out, '[');
	for (size_t i = 0; i < hub->jobs.n; i++)
		put_job(&out, hub->jobs.items[i]);
	json_out_close(&out, ']');
	json_out_member_int(&out, "jobs_killed",
	    (int64_t)hub_jobs_killed(hub));
	put_log(&out, hub);
	put_counts(&out, hub);
	json_out_close(&out, '}');
	return json_out_take(&out, arena);
}
