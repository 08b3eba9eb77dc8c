/*
 * wait.c - waiting until a pod runs, answers, or is really gone.
 *
 * One listing serves all that wait.  A status word is intent, not life: a
 * pod runs when a container is reported and, where it has 22/tcp, when its
 * port is mapped and something there says "SSH-".
 */
#include "run/act.h"

#include <assert.h>

#include "base/probe.h"
#include "base/units.h"

enum {
	TIMELESS_MS = 30 * 1000,
	UNCLEAR_TIMEOUT_MS = 10 * MINUTE_MS,
	BANNER_TIMEOUT_MS = 10 * SECOND_MS,
};

/* What is waited for, for people; told at once when it changes. */
static void
waiting_for(struct run *run, struct act *act, const char *what)
{
	if (str_is(act->reason, what))
		return;
	act->reason = str_from(what);
	act->told_ms = run->now_ms;
	run_say(run, NOTE_PROGRESS, act, act->reason);
}

void
barrier_start(struct run *run, struct act *act)
{
	act_done(run, act);
}

/* ------------------------------------------------------------- running -- */

static struct str
pod_id(const struct act *act)
{
	if (act->subject->id.len > 0)
		return act->subject->id;
	return act->change->have->id;
}

int64_t
ready_timeout(const struct plan_change *pod)
{
	return pod->want->pod->ready_timeout_ms;
}

static void
begin_wait(struct run *run, struct act *act)
{
	act->id = pod_id(act);
	act->deadline_ms = run->now_ms + ready_timeout(act->change);
	if (act->subject->wait_ms == 0)
		act->subject->wait_ms = run->now_ms;
	act->ended_ms = act->wait_ms = run->now_ms;
	act->told_ms = run->now_ms;
	act->clean = act->bad = 0;
}

void
running_start(struct run *run, struct act *act)
{
	begin_wait(run, act);
	act_phase(run, act, PH_WATCH);
	act->reason = STR("waiting for the container");
}

static void
probe(struct run *run, struct act *act)
{
	act_phase(run, act, PH_PROBE);
	uint64_t token = act_token(run, act);
	struct run_effect *effect = run_effect_add(run, RUN_BANNER);
	effect->token = token;
	effect->host = act->subject->ssh.host;
	effect->port = act->subject->ssh.port;
	effect->timeout_ms = BANNER_TIMEOUT_MS;
}

void
ssh_start(struct run *run, struct act *act)
{
	begin_wait(run, act);
	act->reason = STR("waiting for SSH");
	probe(run, act);
}

void
wait_banner(struct run *run, struct act *act, bool ok, struct str reason)
{
	if (ok) {
		act_done(run, act);
		return;
	}
	/* Host and port may have changed: look at the next listing first. */
	act->last_refusal = arena_str(run->arena, reason);
	act_phase(run, act, PH_WATCH);
	waiting_for(run, act, "waiting for SSH to answer");
}

/* EXITED shows for a while after a start, so there it must follow life. */
static bool
is_dead(struct run *run, struct act *act, const struct cloud_pod *pod)
{
	bool dead = pod->status == POD_EXITED || pod->status == POD_ERROR ||
	    pod->status == POD_TERMINATED;
	if (pod->status == POD_RUNNING || pod->status == POD_STARTING)
		act->seen = true;
	if (!dead) {
		act->bad = 0;
		return false;
	}
	bool made_now = act->subject->id.len > 0;
	bool late = run->now_ms - act->wait_ms >= run->options.settle_ms;
	return (made_now || act->seen || late) && ++act->bad >= 2;
}

static bool
shows_our_mark(const struct run *run, const struct act *act,
    const struct cloud_pod *pod)
{
	const struct lock_entry *have =
	    lock_find_id(run->lock, KIND_POD, act->id);
	assert(have != NULL);
	if (have->op.hex[0] == '\0')
		return true;		/* imported */
	enum mark_owner owner = mark_owner(pod->config.name, pod->mark, true,
	    &run->options.lineage);
	return owner == MARK_OURS || owner == MARK_RENAMED;
}

static bool
wants_ssh(const struct cloud_pod *pod)
{
	for (size_t i = 0; i < pod->config.nports; i++)
		if (str_is(pod->config.ports[i], "22/tcp"))
			return true;
	return false;
}

/* The time of start tells one container from the next, so what is recorded
 * of this one should have it; but not every answer need name it. */
static bool
is_timeless(const struct run *run, struct act *act)
{
	if (act->timeless_ms == 0)
		act->timeless_ms = run->now_ms + TIMELESS_MS;
	return run->now_ms >= act->timeless_ms;
}

static void
not_listed(struct run *run, struct act *act, const struct listed *listed)
{
	if (listed->sent_ms < act->ended_ms)
		return;
	act->clean++;
	waiting_for(run, act, "waiting for it to be listed");
	if (act->clean >= 3 &&
	    run->now_ms - act->ended_ms >= run->options.settle_ms) {
		PROBE("wait_pod_vanished");
		act_fail(run, act, FAIL_ERROR,
		    STR("it has vanished from the account"));
	}
}

void
running_listed(struct run *run, struct act *act, const struct listed *listed)
{
	const struct cloud_pod *pod = map_get(&listed->pods, act->id);
	if (pod == NULL) {
		not_listed(run, act, listed);
		return;
	}
	act->clean = 0;
	act->ended_ms = run->now_ms;
	if (!shows_our_mark(run, act, pod)) {
		PROBE("wait_pod_lost_its_mark");
		act_fail(run, act, FAIL_SUSPECT,
		    STR("it is listed with another mark than ours; see "
			"podform audit"));
		return;
	}
	if (is_dead(run, act, pod)) {
		PROBE("wait_pod_has_died");
		act_fail(run, act, FAIL_ERROR,
		    pod->status == POD_EXITED
			? STR("its container has exited")
			: arena_printf(run->arena,
			      "the service reports it as " STR_FMT,
			      STR_ARG(pod->status_text)));
		return;
	}
	if (pod->status != POD_RUNNING || !pod->has_runtime) {
		waiting_for(run, act,
		    pod->status == POD_PROVISIONING ? "provisioning"
						    : "container is starting");
		return;
	}
	if (pod->cost_known && pod->cost_per_hour > 0)
		act->subject->per_hour = pod->cost_per_hour;
	if (wants_ssh(pod) && pod->ssh.port == 0) {
		waiting_for(run, act, "waiting for its ports");
		return;
	}
	if (pod->ssh.port != 0 && pod->started_at.len == 0 &&
	    !is_timeless(run, act)) {
		PROBE("wait_no_time_of_start");
		waiting_for(run, act, "waiting for its time of start");
		return;
	}
	act->subject->start = arena_str(run->arena, pod->started_at);
	act->subject->ssh.host = arena_str(run->arena, pod->ssh.host);
	act->subject->ssh.port = pod->ssh.port;
	act->subject->ssh.user = arena_str(run->arena, pod->ssh.user);
	if (act->kind == ACTION_POD_SSH)
		probe(run, act);
	else
		act_done(run, act);
}

/* ---------------------------------------------------------------- gone -- */

bool
answer_says_gone(const struct cloud_answer *answer)
{
	return (answer->outcome == OUTCOME_NO_EFFECT &&
		   answer->reason == REASON_NOT_FOUND) ||
	    (answer->outcome == OUTCOME_OK && answer->npods == 1 &&
		answer->pods[0].status == POD_TERMINATED);
}

static void
ask(struct run *run, struct act *act)
{
	struct cloud_request request = {
		.op = act_list(act) == LIST_VOLUMES ? CLOUD_GET_VOLUME
						    : CLOUD_GET_POD,
		.id = act->id,
	};
	act_request(run, act, PH_CHECK, &request);
}

/* The delete was answered (or the pod was gone before): look. */
void
gone_start(struct run *run, struct act *act)
{
	act->ended_ms = act->wait_ms = run->now_ms;
	act->told_ms = run->now_ms;
	act->clean = 0;
	act->reason = STR("waiting until it is gone");
	ask(run, act);
}

void
gone_answer(struct run *run, struct act *act,
    const struct cloud_answer *answer)
{
	bool gone = answer_says_gone(answer);

	act->got_gone = gone;
	act->ask_after_ms = run->now_ms + answer->retry_after_ms;
	act->not_before_ms = run->now_ms;	/* listings asked after count */
	if (act->confirms && gone) {
		act_result(run, act, OP_DONE, NEXT_DONE, false);
		return;
	}
	if (act->confirms)
		act->clean = 0;
	act_phase(run, act, PH_WATCH);
}

static bool
is_listed(const struct act *act, const struct listed *listed, bool *ended)
{
	*ended = false;
	if (act_list(act) == LIST_VOLUMES) {
		for (size_t i = 0; i < listed->answer->nvolumes; i++)
			if (str_eq(listed->answer->volumes[i].id, act->id))
				return true;
		return false;
	}
	const struct cloud_pod *pod = map_get(&listed->pods, act->id);
	*ended = pod != NULL && pod->status == POD_TERMINATED;
	return pod != NULL && !*ended;
}

/*
 * What was not ended by a delete of ours is believed gone only when three
 * complete listings lack it, the settling time has passed and a GET agrees:
 * one listing that lacks a living pod must not make a second one.
 */
static void
confirm_listed(struct run *run, struct act *act, const struct listed *listed)
{
	bool ended;
	if (is_listed(act, listed, &ended)) {
		PROBE("confirm_there_after_all");
		act->last_failure = FAIL_ERROR;
		act->last_refusal = STR("it is there after all; plan again");
		act_result(run, act, OP_NONE, NEXT_FAIL, false);
		return;
	}
	if (!ended &&
	    listed->sent_ms - act->ended_ms < run->options.settle_ms)
		return;
	act->clean++;
	if (ended) {
		PROBE("confirm_listed_as_ended");
		act->clean = 3;		/* the service itself says so */
	}
	if (act->clean >= 3 && run->now_ms >= act->ask_after_ms)
		ask(run, act);
}

/*
 * After a delete that the service has confirmed: a GET says that it is gone
 * and a listing asked for after that lacks it.
 */
void
gone_listed(struct run *run, struct act *act, const struct listed *listed)
{
	if (act->confirms) {
		confirm_listed(run, act, listed);
		return;
	}
	bool ended, there = is_listed(act, listed, &ended);
	if (listed->sent_ms < act->not_before_ms)
		return;
	if (!there && act->got_gone) {
		run->billing -= act->undoes != NULL
		    ? act->subject->per_hour
		    : act->change->before_per_hour;
		act_result(run, act, OP_DONE, NEXT_DONE, false);
		return;
	}
	if (run->now_ms - act->ended_ms < run->options.settle_ms) {
		PROBE("gone_is_contradicted");
		/* The two disagree: look again. */
		if (!act->got_gone && run->now_ms >= act->ask_after_ms)
			ask(run, act);
		return;
	}
	PROBE("gone_still_there_after_delete");
	act->retries = act->retries > 4 ? act->retries : 4;
	act_retry(run, act, 0, FAIL_ERROR,
	    STR("it is still there after the delete"));
}

void
confirm_start(struct run *run, struct act *act)
{
	act->id = act->change->have->id;
	act->entry = *act->change->have;
	act->confirms = true;
	act_new_op(run, act);
	act_intent(run, act, OP_DELETE);
}

void
confirm_journaled(struct run *run, struct act *act)
{
	act->ended_ms = act->wait_ms = run->now_ms;
	act->told_ms = run->now_ms;
	act->reason = STR("making sure that it is gone");
	act_phase(run, act, PH_WATCH);
}

/* -------------------------------------------------------------- answers -- */

void
wait_answer(struct run *run, struct act *act,
    const struct cloud_answer *answer)
{
	gone_answer(run, act, answer);
}

/* What this run has not made it does not end, and the next one would wait for
 * it again: so what ends that is said. */
static struct str
not_ready(struct run *run, const struct act *act)
{
	struct str time = format_duration(run->arena,
	    run->now_ms - act->started_ms);
	bool older = act->change->op != PLAN_CREATE &&
	    act->change->op != PLAN_REPLACE;

	struct str address = older ? act->change->address : STR("");
	const char *way_out = older
	    ? "; if it stays so: podform apply --replace "
	    : "";

	return arena_printf(run->arena,
	    "not ready after " STR_FMT ": " STR_FMT "%s" STR_FMT,
	    STR_ARG(time), STR_ARG(act->reason), way_out, STR_ARG(address));
}

/* Deadlines.  No wait is without one. */
void
wait_time(struct run *run, struct act *act)
{
	if (act->phase == PH_RESOLVE &&
	    run->now_ms - act->ended_ms >
		run->options.settle_ms + UNCLEAR_TIMEOUT_MS) {
		act_fail(run, act, FAIL_TIMEOUT,
		    STR("it is still unclear whether it was made"));
		return;
	}
	if (act->phase != PH_WATCH)
		return;
	if (act->deadline_ms > 0 && run->now_ms >= act->deadline_ms) {
		act_fail(run, act, FAIL_TIMEOUT, not_ready(run, act));
		return;
	}
	if (act->deadline_ms == 0 && run->now_ms - act->ended_ms >
	    run->options.settle_ms + UNCLEAR_TIMEOUT_MS)
		act_fail(run, act, FAIL_TIMEOUT,
		    STR("it is still unclear whether it is gone"));
}
