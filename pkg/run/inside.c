/*
 * inside.c - what is done inside a pod before it is ready: logging in,
 * checks, setup, the process.
 *
 * A task whose connection broke is given again: setup steps and processes
 * have to stand being repeated, and the documentation says so.  What was
 * done is journaled after each step, for the container that runs now; a
 * step that is recorded is not repeated by the next apply.
 */
#include "run/act.h"

#include "base/pins.h"
#include "base/units.h"

enum {
	LOGIN_MS = 30 * SECOND_MS,
	CHECK_MS = MINUTE_MS,
	CHECK_LEAST_MS = 5 * SECOND_MS,
	SETUP_MS = 30 * MINUTE_MS,
	PROCESS_MS = 2 * MINUTE_MS,
	LOG_TRIES = 5,
	LOG_LINES = 200,
};

/* The pod's time to get ready counts from when it was first waited for. */
static void
set_deadline(struct run *run, struct act *act, const struct host *host)
{
	int64_t from = host->subject->wait_ms;

	if (act->deadline_ms == 0)
		act->deadline_ms = (from > 0 ? from : run->now_ms) +
		    ready_timeout(host->change);
}

/* --------------------------------------------------------------- login -- */

static void
login(struct run *run, struct act *act, const struct host *host)
{
	struct ssh_request *request =
	    host_ask(run, act, host, SSH_LOGIN, "login", LOGIN_MS);

	act->reason = STR("logging in");
	if (request->target.npins == 0) {
		request->target.pins = act->pins;
		request->target.npins = act->npins;
	}
}

static void
read_log(struct run *run, struct act *act, const struct host *host)
{
	struct run_effect *effect = act_ask(run, act, RUN_REQUEST);

	act->reason = STR("looking for its host key in its log");
	effect->timeout_ms = 10 * SECOND_MS;
	effect->request = (struct cloud_request){
		.op = CLOUD_GET_LOG, .id = host->id, .tail = LOG_LINES,
		.enough = PINS_ENOUGH };
}

void
login_start(struct run *run, struct act *act)
{
	struct host host;

	if (!act_reach(run, act, &host))
		return;
	set_deadline(run, act, &host);
	if (host_inside(run, &host)->host_key.len > 0 || act->looked)
		login(run, act, &host);
	else
		read_log(run, act, &host);
}

/* SSH answers already, so the start script has printed its keys; the log may
 * be a few seconds behind. */
void
login_answer(struct run *run, struct act *act,
    const struct cloud_answer *answer)
{
	static const int64_t pause_ms[LOG_TRIES] = { 500, 1000, 2000, 3000 };
	struct host host;

	act_host(run, act, &host);
	act->npins = answer->outcome != OUTCOME_OK
	    ? 0
	    : pins_of_log(run->arena, answer->lines, answer->nlines,
		  host.start, &act->pins);
	bool refused = answer->outcome == OUTCOME_NO_EFFECT &&
	    answer->reason != REASON_RATE_LIMITED;
	if (act->npins == 0 && !refused && ++act->tries < LOG_TRIES) {
		int64_t pause = pause_ms[act->tries - 1];
		if (pause < answer->retry_after_ms)
			pause = answer->retry_after_ms;
		act_queue(run, act, pause);
		return;
	}
	act->looked = true;
	act->tries = 0;
	login(run, act, &host);
}

static void
pin(struct run *run, struct act *act, const struct host *host,
    struct str fingerprint)
{
	struct lock_inside *inside = host_inside(run, host);

	inside->host_key = arena_str(run->arena, fingerprint);
	inside->host_key_by = act->npins > 0 ? STR("log") : STR("first use");
	if (act->npins == 0)
		run_say(run, NOTE_PROGRESS, act, arena_printf(run->arena,
		    "its log shows no host key, so " STR_FMT
		    " is trusted on first use", STR_ARG(inside->host_key)));
	act_fact(run, act, host->id, inside);
}

/* Not yet there; until the pod's time is up. */
static bool
still_coming(struct run *run, struct act *act,
    const struct ssh_answer *answer)
{
	if (answer->outcome != SSH_UNREACHABLE &&
	    answer->outcome != SSH_LOST && answer->outcome != SSH_TIMED_OUT)
		return false;
	struct str reason = last_words(run, answer->reason);
	if (run->now_ms >= act->deadline_ms) {
		act_fail(run, act, FAIL_TIMEOUT, arena_printf(run->arena,
		    "no login in time: " STR_FMT, STR_ARG(reason)));
		return true;
	}
	act_waits_for(run, act, arena_printf(run->arena,
	    "cannot log in yet: " STR_FMT, STR_ARG(reason)));
	act_queue(run, act, (act->tries < 4 ? ++act->tries : 5) * SECOND_MS);
	return true;
}

void
login_ssh(struct run *run, struct act *act, const struct ssh_answer *answer)
{
	struct host host;

	act_host(run, act, &host);
	if (still_coming(run, act, answer) ||
	    act_cut_off(run, act, &host, answer))
		return;
	if (host_inside(run, &host)->host_key.len == 0 &&
	    answer->fingerprint.len > 0)
		pin(run, act, &host, answer->fingerprint);
	else
		act_done(run, act);
}

/* Give a script of the spec, with the pod's environment; NULL: act has
 * failed, since something that it names is not known. */
static struct ssh_request *
run_script(struct run *run, struct act *act, const struct host *host,
    enum ssh_task task, const char *name, const struct text *text,
    int64_t timeout_ms)
{
	struct str script, why;
	struct env_var *env;

	if (!run_fill_text(run, text, &script, &why)) {
		act_fail(run, act, FAIL_ERROR, arena_printf(run->arena,
		    "it cannot be filled in: " STR_FMT, STR_ARG(why)));
		return NULL;
	}
	if (!host_env(run, host, &env, &why)) {
		act_fail(run, act, FAIL_ERROR, why);
		return NULL;
	}
	host->subject->user_ran = true;
	struct ssh_request *request =
	    host_ask(run, act, host, task, name, timeout_ms);
	request->script = script;
	request->env = env;
	request->nenv = host->spec->nenv;
	return request;
}

/* -------------------------------------------------------------- checks -- */

void
check_start(struct run *run, struct act *act)
{
	struct host host;

	if (!act_reach(run, act, &host))
		return;
	const struct text *check = &host.spec->ready_checks[act->step];
	act->span = check->span;
	set_deadline(run, act, &host);
	int64_t left = act->deadline_ms - run->now_ms;
	if (left > CHECK_MS)
		left = CHECK_MS;
	if (left < CHECK_LEAST_MS)
		left = CHECK_LEAST_MS;
	(void)run_script(run, act, &host, SSH_RUN, "check", check, left);
}

static struct str
check_words(struct run *run, const struct act *act, const struct host *host,
    const struct ssh_answer *answer)
{
	struct str words = last_words(run, answer->outcome == SSH_DONE
	    ? answer->output
	    : answer->reason);

	return arena_printf(run->arena, "check %zu of %zu %s%s" STR_FMT,
	    act->step + 1, host->spec->nready_checks,
	    answer->outcome == SSH_DONE ? "fails" : "could not be run",
	    words.len > 0 ? ": " : "",
	    STR_ARG(words));
}

void
check_ssh(struct run *run, struct act *act, const struct ssh_answer *answer)
{
	struct host host;

	act_host(run, act, &host);
	if (answer->outcome == SSH_DONE && answer->status == 0) {
		if (++host.subject->checks < host.spec->nready_checks) {
			act_done(run, act);
			return;
		}
		struct lock_inside *inside = host_inside(run, &host);
		inside->checked = true;
		act_fact(run, act, host.id, inside);
		return;
	}
	bool hopeless = answer->outcome == SSH_DENIED ||
	    answer->outcome == SSH_WRONG_HOST_KEY ||
	    answer->outcome == SSH_UNUSABLE || answer->outcome == SSH_LOCAL;
	if (hopeless) {
		act_cut_off(run, act, &host, answer);
		return;
	}
	struct str words = check_words(run, act, &host, answer);
	if (run->now_ms >= act->deadline_ms) {
		act_fail(run, act, FAIL_INSIDE, arena_printf(run->arena,
		    "not ready in time: " STR_FMT, STR_ARG(words)));
		return;
	}
	act_waits_for(run, act, words);
	int64_t pause = 2 * SECOND_MS + act->tries++ * SECOND_MS;
	act_queue(run, act, pause > 10 * SECOND_MS ? 10 * SECOND_MS : pause);
}

/* --------------------------------------------------------------- setup -- */

/*
 * The act's own step, or one before it that this container lacks: where the
 * plan could not see that it was started anew, it left those out.
 */
static size_t
step_due(struct run *run, const struct act *act, const struct host *host)
{
	const struct lock_inside *inside = host_inside(run, host);
	size_t step = 0;

	while (step < act->step && step < inside->nsteps &&
	    str_eq(inside->steps[step], act->change->inside.steps[step]))
		step++;
	return step;
}

void
setup_start(struct run *run, struct act *act)
{
	struct host host;
	struct ssh_request *request;

	if (!act_reach(run, act, &host))
		return;
	size_t due = step_due(run, act, &host);
	const struct setup_step *step = &host.spec->setup[due];
	const char *name =
	    arena_printf(run->arena, "setup %zu", due + 1).data;
	act->span = step->span;
	act->reason = arena_printf(run->arena, "setup step %zu of %zu",
	    due + 1, host.spec->nsetup);
	if (step->copy) {
		host.subject->user_ran = true;
		request = host_ask(run, act, &host, SSH_COPY, name, SETUP_MS);
		request->from = step->path;
		request->to = step->to;
	} else {
		request = run_script(run, act, &host, SSH_RUN, name,
		    &step->run, SETUP_MS);
	}
	if (request != NULL && run->options.log_dir.len > 0)
		request->keep = act->kept = arena_printf(run->arena,
		    STR_FMT "/" STR_FMT "/setup.log",
		    STR_ARG(run->options.log_dir), STR_ARG(host.address));
}

void
setup_ssh(struct run *run, struct act *act, const struct ssh_answer *answer)
{
	struct host host;

	act_host(run, act, &host);
	size_t due = step_due(run, act, &host);
	/* It was given half an hour: a second one would not help. */
	if (answer->outcome == SSH_TIMED_OUT &&
	    run->now_ms - act->phase_ms >= SETUP_MS) {
		act_fail(run, act, FAIL_INSIDE, arena_printf(run->arena,
		    "setup step %zu of %zu took longer than " STR_FMT,
		    due + 1, host.spec->nsetup,
		    STR_ARG(format_duration(run->arena, SETUP_MS))));
		return;
	}
	if (act_cut_off(run, act, &host, answer))
		return;
	if (answer->status != 0) {
		act_fail_inside(run, act, arena_printf(run->arena,
		    "setup step %zu of %zu", due + 1,
		    host.spec->nsetup).data, answer);
		return;
	}
	struct lock_inside *inside = host_inside(run, &host);
	inside->steps = act->change->inside.steps;
	inside->nsteps = due + 1;
	if (due < act->step)
		act_queue(run, act, 0);
	else
		act_fact(run, act, host.id, inside);
}

/* ------------------------------------------------------------- process -- */

void
process_start(struct run *run, struct act *act)
{
	struct host host;

	if (!act_reach(run, act, &host))
		return;
	act->span = host.spec->process_run.span;
	struct ssh_request *request = run_script(run, act, &host, SSH_PROCESS,
	    "process", &host.spec->process_run, PROCESS_MS);
	if (request != NULL)
		request->log = host.spec->process_log;
}

void
process_ssh(struct run *run, struct act *act, const struct ssh_answer *answer)
{
	struct host host;

	act_host(run, act, &host);
	if (act_cut_off(run, act, &host, answer))
		return;
	if (answer->status != 0) {
		act_fail_inside(run, act, "starting the process", answer);
		return;
	}
	struct lock_inside *inside = host_inside(run, &host);
	inside->process = act->change->inside.process_digest;
	act_fact(run, act, host.id, inside);
}
