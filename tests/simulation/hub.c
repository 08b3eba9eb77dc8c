/* hub.c - GitHub in the simulation: requests, jobs, people; see guests.h */
#include "guests.h"

#include <string.h>

enum { JOB_EVERY_MS = 60000, PEOPLE_EVERY_MS = 20000 };

/* ------------------------------------------------------------- requests -- */

void
hub_arrive(struct sim *sim, struct sim_flight *flight, struct arena *arena,
    struct model_reply *reply)
{
	struct str query, path = str_cut(str_from(flight->path), '?', &query);
	struct str api = STR("https://api.github.com");
	struct hub_request request = {
		.method = str_from(http_method_name(flight->method)),
		.path = str_starts(path, api)
		    ? str_sub(path, api.len, path.len)
		    : path,
		.query = query,
		.authorization = flight->bearer == NULL
		    ? (struct str){0}
		    : arena_printf(arena, "Bearer %s", flight->bearer),
		.user_agent = STR("podform"),
		.api_version = STR("2022-11-28"),
		.if_none_match = str_from(flight->etag),
		.body = { flight->body, flight->body_len },
	};

	hub_http(sim->guests->hub, EPOCH_MS + sim->now_ms, arena, &request,
	    reply);
	sim_trace(sim, "github %s %s -> %d%s%s",
	    http_method_name(flight->method),
	    flight->path, reply->status,
	    reply->faults != 0 ? " (fault)" : "",
	    reply->transport != MODEL_ANSWERED ? " (lost)" : "");
}

/* ----------------------------------------------------------------- jobs -- */

/* A living runner that podform has made, by chance; NULL if there is none. */
static struct hub_runner *
any_runner(struct sim *sim)
{
	const struct hub *hub = sim->guests->hub;
	struct hub_runner *chosen = NULL;
	uint64_t n = 0;

	for (size_t i = 0; i < hub_runner_count(hub); i++) {
		struct hub_runner *runner = hub_runner_at(hub, i);
		if (runner->removed_ms < 0 &&
		    str_search(runner->name, STR("-pf")) >= 0 &&
		    rng_below(&sim->guests->rng, ++n) == 0)
			chosen = runner;
	}
	return chosen;
}

static void
add_job(struct sim *sim)
{
	struct guests *guests = sim->guests;
	struct str labels[] = { STR("self-hosted") };
	int64_t ms = rng_range(&guests->rng, 2000,
	    rng_chance(&guests->rng, 100)      ? 4000000
		: rng_chance(&guests->rng, 300) ? 400000
						: 60000);
	struct hub_job *job = hub_add_job(guests->hub, EPOCH_MS + sim->now_ms,
	    &(struct hub_want){
		.repository = rng_chance(&guests->rng, 800)
		    ? STR("acme/model")
		    : STR("acme/app"),
		.labels = labels, .nlabels = 1, .duration_ms = ms,
		.fails = rng_chance(&guests->rng, 200),
	    });

	sim_trace(sim, "job %lld of %lld s", (long long)job->id,
	    (long long)ms / 1000);
}

/* Is there a job, or a runner that GitHub is going to evict? */
bool
hub_is_restless(const struct sim *sim)
{
	const struct hub *hub = sim->guests->hub;

	for (size_t i = 0; i < hub_runner_count(hub); i++)
		if (hub_runner_at(hub, i)->removed_ms < 0 &&
		    hub_runner_at(hub, i)->evicted_at_ms >= 0)
			return true;
	for (size_t i = 0; i < hub_job_count(hub); i++)
		if (hub_job_at(hub, i)->status != HUB_DONE)
			return true;
	return false;
}

/* Nobody wants anything from runners any more; what runs goes on. */
void
hub_calm(struct sim *sim)
{
	struct guests *guests = sim->guests;
	struct hub_faults none = {0};

	guests->next_job_ms = guests->next_people_ms = -1;
	hub_set_faults(guests->hub, &none);
	hub_set_least_version(guests->hub, STR(""));
	for (size_t i = 0; i < hub_job_count(guests->hub); i++) {
		struct hub_job *job = hub_job_at(guests->hub, i);
		if (job->status == HUB_QUEUED || job->status == HUB_ASSIGNED)
			hub_cancel_job(guests->hub, EPOCH_MS + sim->now_ms,
			    job->id);
	}
}

/* ---------------------------------------------------------------- people -- */

/* A container starts anew, whatever is being done in it. */
static void
restart_one(struct sim *sim)
{
	size_t n = model_pod_count(sim->model);
	const struct model_pod *pod = n == 0 ? NULL
	    : model_pod_at(sim->model, rng_below(&sim->guests->rng, n));
	int64_t now = EPOCH_MS + sim->now_ms;

	if (pod == NULL || pod->status != MODEL_RUNNING)
		return;
	sim_trace(sim, "console: restart " STR_FMT, STR_ARG(pod->id));
	sim->still_since_ms = -1;
	sim->late = true;
	model_console_stop(sim->model, now, pod->id);
	model_console_start(sim->model, now, pod->id);
}

static void
people(struct sim *sim)
{
	struct guests *guests = sim->guests;
	struct hub_runner *runner = any_runner(sim);

	if (guest_strikes(sim, GUEST_RESTART))
		restart_one(sim);
	if (guest_strikes(sim, GUEST_SLEEP))
		hold_sleep(sim);
	if (guest_strikes(sim, GUEST_HOLDER))
		hold_kill(sim);
	if (runner == NULL)
		return;
	if (guest_strikes(sim, GUEST_OFFLINE) && runner->job == NULL) {
		sim_trace(sim, "the listener of " STR_FMT " dies",
		    STR_ARG(runner->name));
		hub_robot_stop(guests->hub, EPOCH_MS + sim->now_ms,
		    runner->id);
	} else if (guest_strikes(sim, GUEST_UNREGISTERED) &&
	    runner->job == NULL) {
		sim_trace(sim, "people delete " STR_FMT,
		    STR_ARG(runner->name));
		hub_people_delete(guests->hub, EPOCH_MS + sim->now_ms,
		    runner->id);
	}
}

/* ----------------------------------------------------------------- time -- */

int64_t
hub_next_ms(const struct sim *sim)
{
	const struct guests *guests = sim->guests;
	int64_t next = hub_next_event(guests->hub);

	if (next >= 0)
		next -= EPOCH_MS;
	if (guests->next_job_ms >= 0 &&
	    (next < 0 || guests->next_job_ms < next))
		next = guests->next_job_ms;
	if (guests->next_people_ms >= 0 &&
	    (next < 0 || guests->next_people_ms < next))
		next = guests->next_people_ms;
	return next;
}

void
hub_turn(struct sim *sim)
{
	struct guests *guests = sim->guests;

	hub_advance(guests->hub, EPOCH_MS + sim->now_ms);
	if (guests->next_people_ms >= 0 &&
	    sim->now_ms >= guests->next_people_ms) {
		guests->next_people_ms = sim->now_ms +
		    rng_range(&guests->rng, 1, 2 * PEOPLE_EVERY_MS);
		people(sim);
	}
	if (guests->next_job_ms < 0 || sim->now_ms < guests->next_job_ms)
		return;
	guests->next_job_ms = sim->now_ms +
	    rng_range(&guests->rng, 1, 2 * JOB_EVERY_MS);
	if (any_runner(sim) != NULL || rng_chance(&guests->rng, 100))
		add_job(sim);
}
