/*
 * guest_checks.c - what has to hold of guests: I4, I14, and that everything
 * inside is done, once.
 *
 * Like checks.c it shares nothing with the engine but the wire formats: it
 * looks at containers, at GitHub's own log, and at the holder's sockets.
 */
#include "guests.h"

#include <string.h>

enum { LONG_MS = 120000, DEAD_END_MS = 150000 };

/* ----------------------------------------------------------------- tasks -- */

/* In calm the log can be read, and it names the key. */
void
check_pins(struct sim *sim, const struct ssh_target *target)
{
	const struct model_pod *pod = model_pod_find(sim->model, target->pod);

	/* One that was imported has another start command. */
	if (sim->calm && sim->guests->log_shows_keys &&
	    target->npins == 0 && pod != NULL && !pod->by_console)
		sim_violate(sim, "I14", "pod " STR_FMT " is trusted on first "
		    "use, though its log names its key",
		    STR_ARG(target->pod));
}

/* Nothing but a first login goes to a host whose key nobody has named. */
void
check_task(struct sim *sim, const struct ssh_request *request)
{
	const struct model_pod *pod = model_pod_find(sim->model,
	    request->target.pod);

	const struct str parts[] = { request->script, request->name,
		request->to, request->log, request->runner.url,
		request->runner.labels, request->target.host };

	for (size_t i = 0; i < COUNTOF(parts); i++)
		sinks_sent(sim, SINK_POD, parts[i], "a pod");
	for (size_t i = 0; i < request->nenv; i++)
		sinks_sent(sim, SINK_POD, request->env[i].value, "a pod");
	check_pins(sim, &request->target);
	if (request->task != SSH_LOGIN && request->target.npins == 0)
		sim_violate(sim, "I14", "%s is sent to pod " STR_FMT
		    ", whose key is not pinned",
		    ssh_task_words(request->task),
		    STR_ARG(request->target.pod));
	if (request->task != SSH_LOGIN && request->task != SSH_RUNNER_LOOK)
		check_one_writer(sim, ssh_task_words(request->task));
	/* A copy made in the console has our mark, all of it. */
	if (pod == NULL || (pod->by_console &&
		model_pod_asked_env(pod, "PODFORM_MARK").data == NULL &&
		!check_lock_knows(sim, pod->id)))
		sim_violate(sim, "I3", "%s in a pod that is not ours",
		    ssh_task_words(request->task));
}

/* Done, and recorded as done, in this very container. */
void
check_step(struct sim *sim, struct container *container, size_t step,
    uint64_t digest)
{
	bool before = true;

	for (size_t i = 0; i < step; i++)
		before &= container->steps[i] == container->settled[i];
	if (before && container->settled[step] == digest)
		sim_violate(sim, "I5", "setup step %zu is done again in pod "
		    "%s though an apply had settled it", step + 1,
		    container->pod);
	if (container->settled[step] != digest)
		for (size_t i = step; i < STEPS; i++)
			container->settled[i] = 0;
}

void
check_guests_exit(struct sim *sim, int code, bool destroy)
{
	struct guests *guests = sim->guests;

	for (size_t i = 0; code == 0 && !destroy && i < guests->ncontainers;
	     i++) {
		struct container *container = &guests->containers[i];
		if (!container->over)
			memcpy(container->settled, container->steps,
			    sizeof container->settled);
	}
}

/* ------------------------------------------------------------------ jobs -- */

static const struct hub_runner *
runner_by_id(const struct hub *hub, int64_t id)
{
	for (size_t i = hub_runner_count(hub); i-- > 0;)
		if (hub_runner_at(hub, i)->id == id)
			return hub_runner_at(hub, i);
	return NULL;
}

static const struct hub_job *
job_by_id(const struct hub *hub, int64_t id)
{
	for (size_t i = hub_job_count(hub); i-- > 0;)
		if (hub_job_at(hub, i)->id == id)
			return hub_job_at(hub, i);
	return NULL;
}

static bool
is_stranger(const struct hub_runner *runner)
{
	return str_is(runner->name, "theirs") ||
	    str_search(runner->name, STR("-pf000000")) >= 0;
}

/* Where both the pod and GitHub lie, nobody could know. */
static bool
has_lied(const struct guests *guests, const struct hub_runner *runner)
{
	for (size_t i = 0; i < guests->ncontainers; i++)
		if (guests->containers[i].lied &&
		    str_is(runner->pod, guests->containers[i].pod))
			return true;
	return false;
}

/*
 * GitHub may cancel the job of a runner that it was asked to remove: it lies
 * (HUB_BUSY_LIE).  One that had run for long was there to be seen.
 */
void
check_jobs(struct sim *sim)
{
	struct guests *guests = sim->guests;
	const struct hub *hub = guests->hub;

	for (; guests->hub_log_at < hub_log_count(hub);
	     guests->hub_log_at++) {
		const struct hub_entry *entry =
		    hub_log_at(hub, guests->hub_log_at);
		const struct hub_runner *runner =
		    runner_by_id(hub, entry->runner_id);
		const struct hub_job *job = job_by_id(hub, entry->job_id);
		sim_trace(sim, "hub: %s " STR_FMT " by %s",
		    hub_op_name(entry->op),
		    STR_ARG(runner != NULL ? runner->name : STR("-")),
		    hub_actor_name(entry->actor));
		if (entry->op == HUB_OP_JOB_END && runner != NULL &&
		    runner->ephemeral)
			guests->fired[GUEST_DONE]++;
		if (entry->actor != HUB_BY_API || runner == NULL)
			continue;
		if (entry->op == HUB_OP_JOB_KILLED && !guests->forced &&
		    job != NULL && job->died_ms < 0 &&
		    !has_lied(guests, runner) && entry->at_ms - job->started_ms > LONG_MS)
			sim_violate(sim, "I4", "the job of " STR_FMT
			    " is killed by its removal",
			    STR_ARG(runner->name));
		if (entry->op == HUB_OP_DELETE && is_stranger(runner))
			sim_violate(sim, "I3", "runner " STR_FMT
			    " is not ours", STR_ARG(runner->name));
	}
}

/* --------------------------------------------------------------- settled -- */

static struct container *
living_container(struct sim *sim, const struct model_pod *pod)
{
	return pod == NULL || pod->status != MODEL_RUNNING || pod->up_ms < 0
	    ? NULL
	    : container_of(sim, pod);
}

static void
check_inside(struct sim *sim, const struct wanted_inside *want)
{
	struct container *have =
	    living_container(sim, check_pod_of(sim, want->address));

	if (have == NULL) {
		if (want->nsteps > 0 || want->process != 0)
			sim_violate(sim, "I5", "%s does not run",
			    want->address);
		return;
	}
	if (want->checks && have->checks == 0)
		sim_violate(sim, "I5", "%s was never checked", want->address);
	for (size_t i = 0; i < want->nsteps; i++)
		if (have->steps[i] != want->steps[i])
			sim_violate(sim, "I5", "%s: setup step %zu is not "
			    "done", want->address, i + 1);
	if (want->process != 0 && have->process != want->process)
		sim_violate(sim, "I5", "%s: its process does not run",
		    want->address);
}

static bool
is_base(const struct hub_runner *runner, const char *base)
{
	size_t n = strlen(base);

	return runner->name.len > n &&
	    str_starts(runner->name, str_from(base)) &&
	    runner->name.data[n] == '-';
}

/* Registered by a machine that was lost, where nothing that is left asks:
 * neither record nor spec names its scope any more. */
static bool
is_lost(const struct guests *guests, const struct hub_runner *runner)
{
	const struct wants *wants = &guests->wants;

	for (size_t i = 0; i < wants->nrunners; i++)
		if (wants->runners[i].organization ==
		    (runner->scope->kind == HUB_ORGANIZATION))
			return false;
	return guests->lost_ms >= 0 &&
	    runner->created_ms - EPOCH_MS <= guests->lost_ms;
}

static void
check_runners(struct sim *sim, bool destroyed)
{
	const struct wants *wants = &sim->guests->wants;
	const struct hub *hub = sim->guests->hub;
	size_t there = 0, wanted = destroyed ? 0 : wants->nrunners;

	for (size_t i = 0; i < hub_runner_count(hub); i++) {
		const struct hub_runner *runner = hub_runner_at(hub, i);
		there += runner->removed_ms < 0 && !is_stranger(runner) &&
		    !is_lost(sim->guests, runner);
	}
	if (there != wanted)
		sim_violate(sim, "I5", "%zu runners are registered, and %zu "
		    "are wanted", there, wanted);
	for (size_t i = 0; i < wanted; i++) {
		const struct wanted_runner *want = &wants->runners[i];
		const struct model_pod *pod = check_pod_of(sim, want->pod);
		bool online = false;
		for (size_t k = 0; pod != NULL && k < hub_runner_count(hub);
		     k++) {
			const struct hub_runner *runner =
			    hub_runner_at(hub, k);
			online |= runner->removed_ms < 0 &&
			    is_base(runner, want->base) &&
			    str_eq(runner->pod, pod->id) &&
			    hub_robot_alive(hub, runner->id);
		}
		if (!online)
			sim_violate(sim, "I5", "no runner %s listens on %s",
			    want->base, want->pod);
	}
}

static const struct held_link *
link_of(const struct guests *guests, const struct held_end *end)
{
	for (size_t i = 0; end->link != 0 && i < LINKS; i++)
		if (guests->links[i].number == end->link)
			return &guests->links[i];
	return NULL;
}

static bool
is_open(struct sim *sim, const struct wanted_tunnel *want)
{
	const struct guests *guests = sim->guests;
	const struct model_pod *pod = check_pod_of(sim, want->pod);

	for (size_t i = 0; pod != NULL && i < TUNNELS; i++) {
		const struct held_end *end = &guests->ends[i];
		const struct held_link *link = link_of(guests, end);
		/* A reverse one listens on the pod. */
		bool listens = want->reverse
		    ? !end->listens
		    : end->listens && end->port == want->port;
		if (end->tunnel != 0 && listens && link != NULL && link->up &&
		    strcmp(end->address, want->address) == 0 &&
		    str_is(pod->id, link->pod) &&
		    pod->start_number == link->start)
			return true;
	}
	return false;
}

/* Of its own accord the holder closes what leads to a pod that is gone. */
void
check_dead_ends(struct sim *sim)
{
	const struct guests *guests = sim->guests;

	for (size_t i = 0; guests->any && i < TUNNELS; i++) {
		const struct held_end *end = &guests->ends[i];
		const struct model_pod *pod = end->tunnel == 0
		    ? NULL
		    : model_pod_find(sim->model, str_from(end->pod));
		if (pod != NULL && pod->ended_ms >= 0 &&
		    pod->ended_ms - EPOCH_MS + DEAD_END_MS < sim->now_ms)
			sim_violate(sim, "I14", "%s is held, and its pod %s "
			    "ended long ago", end->address, end->pod);
	}
}

static void
check_tunnels(struct sim *sim, bool destroyed)
{
	const struct guests *guests = sim->guests;
	const struct wants *wants = &guests->wants;
	size_t there = 0, wanted = destroyed ? 0 : wants->ntunnels;

	for (size_t i = 0; i < TUNNELS; i++) {
		if (guests->ends[i].tunnel == 0)
			continue;
		there++;
		if (destroyed)
			sim_violate(sim, "I14", "%s is still open",
			    guests->ends[i].address);
	}
	if (there != wanted)
		sim_violate(sim, "I14", "%zu tunnels are open, and %zu are "
		    "wanted", there, wanted);
	for (size_t i = 0; i < wanted; i++)
		if (!is_open(sim, &wants->tunnels[i]))
			sim_violate(sim, "I14", "%s does not lead to %s",
			    wants->tunnels[i].address,
			    wants->tunnels[i].pod);
	if (destroyed && guests->holder != NULL)
		sim_violate(sim, "I14", "the holder has nothing to hold and "
		    "lives on");
}

void
check_guests_settled(struct sim *sim, bool destroyed)
{
	const struct wants *wants = &sim->guests->wants;

	if (!sim->guests->any || sim->violation != NULL)
		return;
	for (size_t i = 0; !destroyed && i < wants->ninside; i++)
		check_inside(sim, &wants->inside[i]);
	check_runners(sim, destroyed);
	check_tunnels(sim, destroyed);
}
