/* inside.c - tasks that are done in containers; see guests.h */
#include "guests.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- tasks -- */

static void
answer_is(struct guest_task *task, enum ssh_outcome outcome, int status,
    const char *text)
{
	task->answer.outcome = outcome;
	task->answer.status = outcome == SSH_DONE ? status : -1;
	if (outcome == SSH_DONE)
		task->answer.output = str_from(text);
	else
		task->answer.reason = str_from(text);
	task->answer.output_bytes = task->answer.output.len;
}

static struct in_runner *
find_runner(struct container *container, struct str name)
{
	for (size_t i = 0; i < RUNNERS; i++)
		if (container->runners[i].name[0] != '\0' &&
		    str_is(name, container->runners[i].name))
			return &container->runners[i];
	return NULL;
}

static bool
has_worker(const struct sim *sim, const struct in_runner *runner)
{
	const struct hub_runner *known = runner == NULL || runner->id == 0
	    ? NULL
	    : hub_runner_by_id(sim->guests->hub, runner->id);

	return known != NULL && known->job != NULL &&
	    known->job->status == HUB_RUNNING && known->job->died_ms < 0;
}

static void
do_setup(struct sim *sim, struct container *container,
    struct guest_task *task, struct str what)
{
	struct str name = task->request.name, number;
	size_t step;

	str_cut(name, ' ', &number);
	step = number.len == 1 ? (size_t)(number.data[0] - '1') : STEPS;
	assert(step < STEPS);
	if (guest_strikes(sim, GUEST_STEP)) {
		/* It may print what it was given. */
		answer_is(task, SSH_DONE, 2, arena_printf(&task->arena,
		    "line one\nno such package %s\n", sim->gives_secret
			? sim->spec_secret
			: "").data);
		return;
	}
	check_step(sim, container, step, step_digest(what));
	container->steps[step] = step_digest(what);
	answer_is(task, SSH_DONE, 0, "done\n");
}

static void
do_run(struct sim *sim, struct container *container, struct guest_task *task)
{
	struct str name = task->request.name;

	if (str_is(name, "check")) {
		bool ok = sim->now_ms >= container->ready_ms &&
		    !guest_strikes(sim, GUEST_STEP);
		container->checks += ok;
		answer_is(task, SSH_DONE, ok ? 0 : 1, ok ? "" : "not yet\n");
	} else if (str_is(name, "backup check")) {
		container->refused = container->saved ? 0 : sim->commands;
		answer_is(task, SSH_DONE, container->saved ? 0 : 1, "");
	} else {
		do_setup(sim, container, task, task->request.script);
	}
}

static void
do_install(struct sim *sim, struct container *container,
    struct guest_task *task)
{
	const struct ssh_runner *wish = &task->request.runner;
	struct in_runner *runner = find_runner(container, wish->name);

	if (has_worker(sim, runner)) {
		answer_is(task, SSH_DONE, 75, "podform: the runner has a "
		    "job\n");
		return;
	}
	if (task->request.from.len == 0 &&
	    guest_strikes(sim, GUEST_NO_FETCH)) {
		answer_is(task, SSH_DONE, SSH_STATUS_CANNOT_FETCH, "podform: "
		    "the pod cannot fetch the runner package\n");
		return;
	}
	for (size_t i = 0; runner == NULL && i < RUNNERS; i++)
		if (container->runners[i].name[0] == '\0')
			runner = &container->runners[i];
	/* Directories of runners that are gone stay until they are swept. */
	if (runner == NULL)
		runner = &container->runners[0];
	*runner = (struct in_runner){0};
	snprintf(runner->name, sizeof runner->name, STR_FMT,
	    STR_ARG(wish->name));
	snprintf(runner->version, sizeof runner->version, STR_FMT,
	    STR_ARG(wish->package.version));
	answer_is(task, SSH_DONE, 0, "");
}

/* config.sh, then the listener. */
static enum hub_reply
configure(struct sim *sim, struct guest_task *task,
    struct in_runner *runner)
{
	const struct ssh_runner *wish = &task->request.runner;
	struct hub *hub = sim->guests->hub;
	int64_t now = EPOCH_MS + sim->now_ms;
	struct str labels[8], left = wish->labels;
	struct hub_registration registration = {
		.url = wish->url, .token = wish->registration_token,
		.name = wish->name, .version = str_from(runner->version),
		.group = wish->group, .labels = labels,
		.ephemeral = wish->ephemeral,
	};
	struct hub_runner *made = NULL;

	while (left.len > 0 && registration.nlabels < COUNTOF(labels))
		labels[registration.nlabels++] = str_cut(left, ',', &left);
	if (guest_strikes(sim, GUEST_TOKEN))
		return HUB_REFUSED;
	enum hub_reply reply = hub_register(hub, now, &registration, &made);
	if (reply != HUB_OK)
		return reply;
	runner->id = made->id;
	return hub_robot_resume(hub, now, made->id,
	    str_from(runner->version), str_from(task->pod));
}

static void
note_id(struct sim *sim, struct guest_task *task, struct in_runner *runner)
{
	const struct hub *hub = sim->guests->hub;

	for (size_t i = hub_runner_count(hub); i-- > 0;) {
		const struct hub_runner *known = hub_runner_at(hub, i);
		if (str_eq(known->jit, task->request.runner.jit)) {
			runner->id = known->id;
			return;
		}
	}
}

static void
do_start(struct sim *sim, struct container *container,
    struct guest_task *task)
{
	static const char *const words[] = {
		[HUB_OK] = "",
		[HUB_GONE] = "podform: Failed to create a session. The runner "
		    "registration has been deleted from the server\n",
		[HUB_TAKEN] = "podform: A session for this runner already "
		    "exists.\n",
		[HUB_REFUSED] = "podform: the runner could not be "
		    "configured\n",
		[HUB_TOO_OLD] = "podform: Runner version is deprecated and "
		    "cannot receive messages.\n",
		[HUB_EXISTS] = "podform: the runner could not be "
		    "configured\n",
		[HUB_INVALID] = "podform: the runner could not be "
		    "configured\n",
	};
	const struct ssh_runner *wish = &task->request.runner;
	struct in_runner *runner = find_runner(container, wish->name);
	enum hub_reply reply;

	if (runner == NULL) {
		answer_is(task, SSH_DONE, 67, "podform: the runner is not "
		    "installed\n");
		return;
	}
	if (has_worker(sim, runner)) {
		answer_is(task, SSH_DONE, 75, "podform: the runner has a job\n"
		    "worker=1\n");
		return;
	}
	if (runner->id != 0)
		hub_robot_stop(sim->guests->hub, EPOCH_MS + sim->now_ms,
		    runner->id);
	if (wish->jit.len > 0) {
		note_id(sim, task, runner);
		reply = hub_robot_start(sim->guests->hub,
		    EPOCH_MS + sim->now_ms, wish->jit,
		    str_from(runner->version), str_from(task->pod));
	} else {
		reply = configure(sim, task, runner);
	}
	answer_is(task, SSH_DONE, reply == HUB_OK ? 0 : 68, words[reply]);
}

static void
do_look(struct sim *sim, struct container *container,
    struct guest_task *task)
{
	const struct in_runner *runner = find_runner(container,
	    task->request.runner.name);

	answer_is(task, SSH_DONE, 0, "");
	if (runner == NULL || runner->id == 0)
		return;
	task->answer.worker = has_worker(sim, runner);
	task->answer.listener = task->answer.worker ||
	    hub_robot_alive(sim->guests->hub, runner->id);
	task->answer.line = task->answer.worker
	    ? STR("Running job: build")
	    : STR("Listening for Jobs");
}

static void
do_stop(struct sim *sim, struct container *container,
    struct guest_task *task)
{
	struct in_runner *runner = find_runner(container,
	    task->request.runner.name);

	if (has_worker(sim, runner)) {
		answer_is(task, SSH_DONE, 75, "podform: the runner has a job\n"
		    "worker=1\n");
		return;
	}
	if (runner != NULL && runner->id != 0)
		hub_robot_stop(sim->guests->hub, EPOCH_MS + sim->now_ms,
		    runner->id);
	if (runner != NULL)
		*runner = (struct in_runner){0};
	answer_is(task, SSH_DONE, 0, "");
}

static void
do_task(struct sim *sim, struct container *container, struct guest_task *task)
{
	switch (task->request.task) {
	case SSH_LOGIN:
		answer_is(task, SSH_DONE, 0, "");
		break;
	case SSH_RUN:
		do_run(sim, container, task);
		break;
	case SSH_COPY:
		do_setup(sim, container, task, task->request.to);
		break;
	case SSH_PROCESS:
		if (guest_strikes(sim, GUEST_STEP)) {
			answer_is(task, SSH_DONE, 1, "it ended at once\n");
			break;
		}
		container->process = step_digest(task->request.script);
		answer_is(task, SSH_DONE, 0, "");
		break;
	case SSH_RUNNER_INSTALL:
		do_install(sim, container, task);
		break;
	case SSH_RUNNER_START:
		do_start(sim, container, task);
		break;
	case SSH_RUNNER_LOOK:
		do_look(sim, container, task);
		break;
	case SSH_RUNNER_STOP:
		do_stop(sim, container, task);
		break;
	case SSH_TASK_COUNT:
		assert(false);
	}
}

/* Does one of the pins stand for this key?  Without any, any key will do. */
static bool
is_pinned(const struct ssh_target *target, struct str key)
{
	for (size_t i = 0; i < target->npins; i++)
		if (str_eq(target->pins[i], key))
			return true;
	return target->npins == 0;
}

/* Trouble before anything is sent: true, and it is answered. */
static bool
cannot_connect(struct sim *sim, struct guest_task *task,
    const struct model_pod *pod)
{
	const struct ssh_target *target = &task->request.target;
	static const char stranger[] =
	    "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

	if (pod == NULL || guest_strikes(sim, GUEST_REFUSED)) {
		answer_is(task, SSH_UNREACHABLE, -1, "connection refused");
		return true;
	}
	if (guest_strikes(sim, GUEST_SILENT)) {
		answer_is(task, SSH_UNREACHABLE, -1, "no banner within 10 s");
		return true;
	}
	task->answer.fingerprint = model_pod_host_key(&task->arena, pod);
	/* Somebody who is believed at first sight cannot be told apart. */
	if (target->npins > 0 && guest_strikes(sim, GUEST_WRONG_KEY))
		task->answer.fingerprint = str_from(stranger);
	if (!is_pinned(target, task->answer.fingerprint)) {
		answer_is(task, SSH_WRONG_HOST_KEY, -1, "another host key");
		return true;
	}
	if (guest_strikes(sim, GUEST_DENIED)) {
		answer_is(task, SSH_DENIED, -1, "no key is accepted");
		return true;
	}
	return false;
}

static int64_t
duration_ms(struct sim *sim, const struct guest_task *task)
{
	struct rng *rng = &sim->guests->rng;

	if (task->answer.outcome != SSH_DONE)
		return task->answer.reason.len > 20 ? 10000 : 20;
	switch (task->request.task) {
	case SSH_COPY:
	case SSH_RUNNER_INSTALL:
		return rng_range(rng, 500, 20000);
	case SSH_RUN:
		return rng_range(rng, 20, rng_chance(rng, 100) ? 90000 : 4000);
	case SSH_RUNNER_START:
	case SSH_RUNNER_STOP:
		return rng_range(rng, 200, 6000);
	default:
		return rng_range(rng, 10, 300);
	}
}

/* What came of it is hidden, odd or late. */
static void
trouble_after(struct sim *sim, struct container *container,
    struct guest_task *task, int64_t *takes_ms)
{
	if (guest_strikes(sim, GUEST_VANISHED)) {
		answer_is(task, SSH_LOST, -1, "the connection broke");
	} else if (guest_strikes(sim, GUEST_STUCK)) {
		answer_is(task, SSH_TIMED_OUT, -1, "it did not end in time");
		*takes_ms = task->request.timeout_ms;
	} else if (guest_strikes(sim, GUEST_HOSTILE)) {
		bool dead = rng_chance(&sim->guests->rng, 500);
		if (dead && task->request.task == SSH_RUNNER_LOOK) {
			/* What a pod says of being idle counts for nothing. */
			container->lied |= task->answer.worker;
			task->answer.worker = task->answer.listener = false;
			return;
		}
		answer_is(task, SSH_DONE, dead ? -1 : 255,
		    "\033[2J\xff\xfe it says what it likes");
		task->answer.worker = task->answer.listener = false;
	}
}

void
inside_arrive(struct sim *sim, struct sim_flight *flight)
{
	struct guest_task *task = flight->task;
	const struct ssh_target *target = &task->request.target;
	const struct model_pod *pod = pod_at(sim, target->host, target->port);
	struct container *container = NULL;
	int64_t takes_ms;

	sim->guests->striking = task->struck;
	/* The connection, or all of it, is lost before anything is done. */
	bool before = rng_chance(&sim->guests->rng, 300) &&
	    guest_strikes(sim, GUEST_VANISHED);
	if (cannot_connect(sim, task, pod)) {
		takes_ms = duration_ms(sim, task);
	} else if (before) {
		answer_is(task, SSH_LOST, -1, "the connection broke");
		takes_ms = 500;
	} else {
		container = container_of(sim, pod);
		snprintf(task->pod, sizeof task->pod, "%s", container->pod);
		task->start = container->start;
		do_task(sim, container, task);
		takes_ms = duration_ms(sim, task);
		trouble_after(sim, container, task, &takes_ms);
	}
	sim->guests->striking = 0;
	sim_trace(sim, "ssh %s: %s " STR_FMT " -> %d/%d",
	    container != NULL ? container->pod : "nowhere",
	    ssh_task_words(task->request.task), STR_ARG(task->request.name),
	    (int)task->answer.outcome, task->answer.status);
	flight->state = FLIGHT_BACK;
	flight->at_ms = sim->now_ms + takes_ms;
	if (flight->at_ms > flight->gives_up_ms) {
		answer_is(task, container == NULL ? SSH_UNREACHABLE
						  : SSH_TIMED_OUT,
		    -1, "it did not end in time");
		flight->at_ms = flight->gives_up_ms > sim->now_ms
		    ? flight->gives_up_ms
		    : sim->now_ms;
	}
}

void
inside_answer(struct sim *sim, struct arena *arena,
    struct sim_flight *flight, struct world_event *event)
{
	struct guest_task *task = flight->task;
	const struct model_pod *pod = task->pod[0] == '\0'
	    ? NULL
	    : model_pod_find(sim->model, str_from(task->pod));
	struct ssh_answer *answer = ARENA_NEW(arena, struct ssh_answer);

	if (task->pod[0] != '\0' && (pod == NULL ||
		pod->status != MODEL_RUNNING ||
		pod->start_number != task->start)) {
		answer_is(task, SSH_LOST, -1, "the connection broke");
		task->answer.output = (struct str){0};
	}
	*answer = task->answer;
	answer->output = arena_str(arena, answer->output);
	answer->reason = arena_str(arena, answer->reason);
	answer->line = arena_str(arena, answer->line);
	if (answer->fingerprint.data != NULL)
		answer->fingerprint = arena_str(arena, answer->fingerprint);
	event->type = WORLD_SSH;
	event->ssh = answer;
}

void
inside_task_free(struct guest_task *task)
{
	if (task == NULL)
		return;
	arena_release(&task->arena);
	free(task);
}

/* ----------------------------------------------------------- the seams --- */

static struct str
copy(struct arena *arena, struct str text)
{
	return text.data == NULL ? text : arena_str(arena, text);
}

static void
copy_request(struct arena *arena, struct ssh_request *request)
{
	struct ssh_runner *runner = &request->runner;
	struct ssh_target *target = &request->target;
	struct str *pins = ARENA_ARRAY(arena, struct str, target->npins + 1);
	struct str *const strs[] = {
		&target->pod, &target->start, &target->host, &target->user,
		&target->key, &request->name, &request->script,
		&request->from, &request->to, &request->log, &request->keep,
		&runner->name, &runner->package.version, &runner->jit,
		&runner->url, &runner->registration_token, &runner->labels,
		&runner->group,
	};

	for (size_t i = 0; i < COUNTOF(strs); i++)
		*strs[i] = copy(arena, *strs[i]);
	for (size_t i = 0; i < target->npins; i++)
		pins[i] = copy(arena, target->pins[i]);
	target->pins = pins;
}

void
inside_start_ssh(void *ctx, uint64_t token,
    const struct ssh_request *request)
{
	struct sim *sim = ctx;

	sim_step(sim, "ssh");
	check_task(sim, request);
	struct guest_task *task = calloc(1, sizeof *task);
	task->request = *request;
	copy_request(&task->arena, &task->request);
	struct sim_flight *flight = sim_flight_new(sim, token, FLIGHT_OUT,
	    rng_range(&sim->guests->rng, 5, 400));
	flight->task = task;
	flight->gives_up_ms = sim->now_ms + request->timeout_ms;
}

void
inside_start_fetch(void *ctx, uint64_t token,
    const struct fetch_request *request)
{
	struct sim *sim = ctx;

	(void)request;
	sim_step(sim, "fetch");
	struct sim_flight *flight = sim_flight_new(sim, token, FLIGHT_BACK,
	    rng_range(&sim->guests->rng, 500, 20000));
	flight->fetches = true;
	flight->ok = !guest_strikes(sim, GUEST_NO_FETCH);
}
