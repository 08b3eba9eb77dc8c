/* containers.c - containers, their ends, and faults; see guests.h */
#include "faults.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const fault_names[GUEST_FAULT_COUNT] = {
	[GUEST_REFUSED] = "F50 refused", [GUEST_SILENT] = "F50 silent",
	[GUEST_WRONG_KEY] = "F51 wrong_key", [GUEST_DENIED] = "F52 denied",
	[GUEST_VANISHED] = "F53 vanished",
	[GUEST_HALF_OPEN] = "F53 half_open", [GUEST_STUCK] = "F54 stuck",
	[GUEST_HOSTILE] = "F55 hostile", [GUEST_PORT] = "F56 port_taken",
	[GUEST_TOKEN] = "F60 token_expired",
	[GUEST_OFFLINE] = "F61 listener_dies",
	[GUEST_UNREGISTERED] = "F61 unregistered",
	[GUEST_STEP] = "step_fails", [GUEST_NO_FETCH] = "cannot_fetch",
	[GUEST_HOLDER] = "holder_killed", [GUEST_DONE] = "F64 job_done",
	[GUEST_RESTART] = "F14 restarted", [GUEST_SLEEP] = "F17 slept",
};

const char *
guest_fault_name(enum guest_fault fault)
{
	return fault_names[fault];
}

bool
guest_strikes(struct sim *sim, enum guest_fault fault)
{
	struct guests *guests = sim->guests;

	if (!fault_is_on(sim, FAULT_GUEST + (int)fault))
		return false;
	if (guests->striking != (unsigned)fault + 1 &&
	    (guests->per_mille[fault] == 0 || sim->calm ||
		!rng_chance(&guests->rng, guests->per_mille[fault])))
		return false;
	guests->fired[fault]++;
	return true;
}

uint64_t
step_digest(struct str text)
{
	uint64_t digest = str_hash(str_trim(text));

	return digest == 0 ? 1 : digest;
}

/* ----------------------------------------------------------- containers -- */

const struct model_pod *
pod_at(struct sim *sim, struct str host, uint16_t port)
{
	if (!model_banner(sim->model, EPOCH_MS + sim->now_ms, host, port))
		return NULL;
	for (size_t i = model_pod_count(sim->model); i-- > 0;) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		if (pod->status != MODEL_RUNNING || pod->up_ms < 0 ||
		    !str_eq(pod->host, host))
			continue;
		for (size_t k = 0; k < pod->nports; k++)
			if (pod->ports[k].inside == 22 &&
			    pod->ports[k].outside == port)
				return pod;
	}
	return NULL;
}

static bool
is_current(const struct container *container, const struct model_pod *pod)
{
	return pod != NULL && pod->status == MODEL_RUNNING &&
	    pod->up_ms >= 0 && pod->start_number == container->start;
}

struct container *
container_of(struct sim *sim, const struct model_pod *pod)
{
	struct guests *guests = sim->guests;

	for (size_t i = guests->ncontainers; i-- > 0;) {
		struct container *have = &guests->containers[i];
		if (!have->over && have->start == pod->start_number &&
		    str_is(pod->id, have->pod))
			return have;
	}
	assert(guests->ncontainers < CONTAINERS);
	struct container *made = &guests->containers[guests->ncontainers++];
	*made = (struct container){
		.start = pod->start_number,
		.ready_ms = sim->now_ms + rng_range(&guests->rng, 0, 8000),
		.saved = rng_chance(&guests->rng, 500),
	};
	snprintf(made->pod, sizeof made->pod, STR_FMT, STR_ARG(pod->id));
	return made;
}

/* Who ended it: the last entry of the cloud's log about its pod. */
static bool
ended_by_api(const struct sim *sim, struct str id)
{
	for (size_t i = model_log_count(sim->model); i-- > 0;) {
		const struct model_entry *entry = model_log_at(sim->model, i);
		if (str_eq(entry->id, id))
			return entry->actor == MODEL_BY_API;
	}
	return false;
}

static void
container_ends(struct sim *sim, struct container *container)
{
	struct guests *guests = sim->guests;
	struct str id = str_from(container->pod);
	const struct hub_job *job = hub_pod_job(guests->hub, id);

	container->over = true;
	if (job != NULL)
		sim_trace(sim, "pod %s ends under job %lld", container->pod,
		    (long long)job->id);
	if (container->refused == sim->commands && sim->direct &&
	    !model_pod_billed(model_pod_find(sim->model, id)))
		sim_violate(sim, "I8", "pod %s is terminated, and its "
		    "backup.check had said no", container->pod);
	/* A request that strikes late is the cloud's own fault. */
	if (job != NULL && sim->direct && !guests->forced &&
	    ended_by_api(sim, id))
		sim_violate(sim, "I4", "pod %s is ended while its runner has "
		    "a job", container->pod);
	hub_pod_ended(guests->hub, EPOCH_MS + sim->now_ms, id);
}

void
inside_sync(struct sim *sim)
{
	struct guests *guests = sim->guests;

	for (size_t i = 0; i < guests->ncontainers; i++) {
		struct container *container = &guests->containers[i];
		if (!container->over && !is_current(container,
			model_pod_find(sim->model,
			    str_from(container->pod))))
			container_ends(sim, container);
	}
}

/* ----------------------------------------------------------- all guests -- */

void
guests_init(struct sim *sim)
{
	struct guests *guests = calloc(1, sizeof *guests);
	struct hub_config config;

	hub_config_default(&config);
	config.seed = sim->seed * 17 + 3;
	config.token = sim->github_token;
	guests->hub = hub_new(&config, EPOCH_MS);
	guests->next_job_ms = guests->lost_ms = guests->next_people_ms = -1;
	rng_seed(&guests->rng, sim->seed ^ UINT64_C(0x9e575));
	sim->guests = guests;
}

void
guests_release(struct sim *sim)
{
	struct guests *guests = sim->guests;

	hold_kill(sim);
	hub_free(guests->hub);
	free(guests);
	sim->guests = NULL;
}

int64_t
guests_next_ms(const struct sim *sim)
{
	int64_t hub, holder;

	if (!sim->guests->any)
		return -1;
	hub = hub_next_ms(sim);
	holder = hold_next_ms(sim);
	return hub < 0 ? holder : holder < 0 || hub < holder ? hub : holder;
}

void
guests_turn(struct sim *sim)
{
	if (!sim->guests->any)
		return;
	inside_sync(sim);
	hub_turn(sim);
	hold_turn(sim);
	check_jobs(sim);
}
