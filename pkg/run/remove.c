/*
 * remove.c - a runner is removed, and nobody's job with it.
 *
 * GitHub's `busy` is wrong in the dangerous direction (false while a job
 * runs), and what the pod says counts for nothing where it says idle; so
 * both have to agree twice, a window apart, before GitHub is asked to remove
 * it, and after its yes the pod is looked at once more:
 *
 *	         LOOK --> LIST --.      not twice yet: wait idle_window
 *	          ^              |<------------------------------------.
 *	          |  busy, or    v                                     |
 *	          `-- unknown -- both idle --> DELETE -- 204, 404 --> AFTER
 *	             5 s .. 30 s                 |        ^            |
 *	                  ^----------------------'        |  no worker v
 *	                                    a worker      `--------- STOP
 *	                                                 none: result <-'
 *
 * Whatever is no clear answer means busy.  At the end of the time it is left
 * in peace, and so is its pod.
 *
 * A runner that got a registration token and did not come online has an open
 * op and no number.  It is sought by its name before it is removed:
 *
 *	SEEK -- found: the op is done, and it is removed as above
 *	  `---- none -> SILENCE its pod -> SEEK_AGAIN -- none: no effect
 */
#include "run/act.h"
#include "run/remove_choice.h"

#include "base/plant.h"
#include "base/probe.h"
#include "base/units.h"

enum {
	DRAIN_MS = 30 * MINUTE_MS,
	WINDOW_MS = MINUTE_MS,
	POLL_MS = 5 * SECOND_MS,
	POLL_MOST_MS = 30 * SECOND_MS,
	LOOK_MS = 30 * SECOND_MS,
	STOP_MS = MINUTE_MS,
};

enum { LOOK, LIST, DELETE, CONFIRM, AFTER, STOP, SEEK, SILENCE, SEEK_AGAIN };

/* The pod that it is on by the record: a replacement's is the old one. */
static void
its_host(struct run *run, const struct act *act, struct host *host)
{
	const struct lock_runner *runner = &act->entry.runner;
	const struct live *live = run->plan->live;

	act_host(run, act, host);
	if (runner->pod_id.len == 0 || str_eq(host->id, runner->pod_id))
		return;
	*host = (struct host){ .address = runner->pod, .id = runner->pod_id,
		.spec = host->spec, .subject = act->subject };
	for (size_t i = 0; i < live->npods; i++) {
		const struct cloud_pod *pod = &live->pods[i];
		if (!str_eq(pod->id, runner->pod_id))
			continue;
		host->ssh = pod->ssh;
		host->start = pod->started_at;
		host->runs = pod->status == POD_RUNNING ||
		    pod->status == POD_STARTING ||
		    pod->status == POD_UNKNOWN;
	}
}

/* Can anything of it be alive?  Not in a container that was started since. */
static bool
may_run(struct run *run, const struct act *act, struct host *host)
{
	struct str start = act->entry.runner.pod_start;

	its_host(run, act, host);
	if (act->undoes != NULL && !act->subject->runner.started)
		return false;
	if (start.len > 0 && host->start.len > 0 &&
	    !str_eq(start, host->start))
		return false;
	return host->runs;
}

static void
give_up(struct run *run, struct act *act, enum run_failure failure,
    struct str reason)
{
	act->last_failure = failure;
	act->last_refusal = reason;
	if (failure == FAIL_BUSY && act->entry.runner.pod_id.len > 0)
		map_put(&run->busy_pods, run->arena,
		    act->entry.runner.pod_id, act);
	act_result(run, act, OP_NONE, NEXT_FAIL, false);
}

/* Busy, or nobody knows: later, until the time is over. */
static void
later(struct run *run, struct act *act, struct str why)
{
	int64_t poll = POLL_MS + (int64_t)act->tries * POLL_MS;

	act->clean = 0;
	if (act->stage != AFTER)
		act->stage = LOOK;
	if (run->now_ms >= act->deadline_ms ||
	    (act->undo && run->stopping)) {
		give_up(run, act, FAIL_BUSY, arena_printf(run->arena,
		    STR_FMT "; it is left in peace: apply again later, or "
		    "end it with --force-runners", STR_ARG(why)));
		return;
	}
	if (poll < POLL_MOST_MS)
		act->tries++;
	if (poll > act->deadline_ms - run->now_ms)
		poll = act->deadline_ms - run->now_ms;
	act_waits_for(run, act, arena_printf(run->arena, "waiting: " STR_FMT,
	    STR_ARG(why)));
	act_queue(run, act, poll);
}

static void
look(struct run *run, struct act *act, const struct host *host,
    enum ssh_task task)
{
	if (host->ssh.port == 0) {
		later(run, act, STR("nobody knows whether it has a job: its "
		    "pod has no SSH port"));
		return;
	}
	host_ask(run, act, host, task,
	    task == SSH_RUNNER_STOP ? "runner stop" : "runner look",
	    task == SSH_RUNNER_STOP ? STOP_MS : LOOK_MS)->runner.name =
	    act->entry.runner.name;
}

static void
ask_delete(struct run *run, struct act *act)
{
	act->stage = DELETE;
	act->reason = STR("asking GitHub to remove it");
	run->summary.changed = true;
	github_ask(run, act, GITHUB_DELETE_RUNNER);
}

static void
finish(struct run *run, struct act *act)
{
	act_result(run, act, OP_DONE, NEXT_DONE, false);
}

/* Nobody knows on which pod it is: its record was lost. */
static bool
is_orphan(const struct act *act)
{
	return act->undoes == NULL && act->change->have == NULL;
}

/* So GitHub has to say that it is idle twice, a window apart, and then by
 * its answer to the removal. */
static void
ask_github_alone(struct run *run, struct act *act)
{
	act->stage = LIST;
	act->seen = true;
	scope_wait(run, act);
}

/* GitHub has removed it. */
static void
removed(struct run *run, struct act *act)
{
	struct host host;

	act->stage = AFTER;
	if (!may_run(run, act, &host) || run->options.force)
		finish(run, act);
	else
		look(run, act, &host, SSH_RUNNER_LOOK);
}

static void
step(struct run *run, struct act *act)
{
	struct host host;
	struct remove_state state = {
		.may_send = act_may_send(run, act),
		.removed = act->stage == AFTER,
		.orphan = is_orphan(act),
		.may_run = may_run(run, act, &host),
		.force = run->options.force,
	};

	switch (remove_choose(&state)) {
	case REMOVE_AFTERWARDS:
		removed(run, act);
		break;
	case REMOVE_LIST:
		ask_github_alone(run, act);
		break;
	case REMOVE_DELETE:
		ask_delete(run, act);
		break;
	case REMOVE_LOOK:
		look(run, act, &host, SSH_RUNNER_LOOK);
		break;
	default:
		give_up(run, act, run->stopping ? FAIL_INTERRUPTED
						: FAIL_ERROR,
		    STR("stopped before it was removed"));
	}
}

/* -------------------------------------------------------------- seeking -- */

static void
seek(struct run *run, struct act *act)
{
	act->reason = STR("looking whether it has registered itself");
	github_ask(run, act, GITHUB_FIND_RUNNER)->name =
	    act->undoes->entry.runner.name;
}

/* What became of the registration is known. */
static void
settle(struct run *run, struct act *act, const struct github_runner *runner)
{
	struct act *made = act->undoes;

	act->op = made->op;
	act->settles = true;
	made->intended = false;
	if (runner == NULL) {
		act_result(run, act, OP_NONE, NEXT_DONE, false);
		return;
	}
	PROBE("remove_runner_had_registered");
	made->effected = true;
	made->number = runner->id;
	made->id = act->id = act->subject->id =
	    arena_printf(run->arena, "%lld", (long long)runner->id);
	map_put(&run->runners_on, run->arena, made->entry.runner.pod_id,
	    made);
	run->summary.changed = true;
	act_result(run, act, OP_DONE, NEXT_RETRY, false);
}

static void
sought(struct run *run, struct act *act, const struct github_answer *answer)
{
	struct host host;

	if (answer->outcome != OUTCOME_OK) {
		act_retry(run, act, answer->retry_after_ms, FAIL_ERROR,
		    last_words(run, answer->message));
		return;
	}
	if (answer->nrunners > 0) {
		settle(run, act, &answer->runners[0]);
		return;
	}
	if (act->stage == SEEK_AGAIN || !may_run(run, act, &host)) {
		settle(run, act, NULL);
		return;
	}
	/* config.sh may be at it still. */
	PROBE("remove_stops_config");
	act->stage = SILENCE;
	host_ask(run, act, &host, SSH_RUNNER_STOP, "runner stop",
	    STOP_MS)->runner.name = act->undoes->entry.runner.name;
}

/*
 * Where the pod does not answer, or says that there is a job, GitHub's
 * listing was wrong or nobody knows: the pod is left in peace, and the op
 * stays open, so that the next apply asks for its name again.
 */
static void
silenced(struct run *run, struct act *act, const struct ssh_answer *answer)
{
	struct str pod = act->entry.runner.pod_id;

	if (answer->outcome == SSH_DONE && answer->status == 0) {
		act->stage = SEEK_AGAIN;
		seek(run, act);
		return;
	}
	PROBE("remove_left_in_peace");
	if (pod.len > 0)
		map_put(&run->busy_pods, run->arena, pod, act);
	act_fail(run, act, FAIL_BUSY, answer->outcome == SSH_DONE &&
	    answer->status == SSH_STATUS_HAS_JOB
	    ? STR("it has a job; it is left in peace: apply again later")
	    : STR("nobody knows whether it has registered itself and has a "
		  "job; it is left in peace: apply again later"));
}

static void
seek_start(struct run *run, struct act *act)
{
	if (act->stage != SEEK_AGAIN)
		act->stage = SEEK;
	act->entry = act->undoes->entry;	/* where, and its name */
	if (act->subject->runner.started)
		seek(run, act);
	else
		settle(run, act, NULL);	/* the token never left us */
}

/* ---------------------------------------------------------------- start -- */

/* An orphan has no record: what GitHub lists has to do for one. */
static const struct lock_entry *
take_listed(struct run *run, struct act *act, struct lock_entry *entry)
{
	const struct plan_change *change = act->change;

	if (change->runner == NULL)
		return NULL;
	act->id = arena_printf(run->arena, "%lld",
	    (long long)change->runner->id);
	*entry = (struct lock_entry){
		.kind = KIND_RUNNER,
		.address = change->address,
		.id = act->id,
		.runner = change->runner_config,
		.price_per_hour = -1,
	};
	return entry;
}

void
remove_start(struct run *run, struct act *act)
{
	const struct act *made = act->undoes;

	if (act->intended) {
		step(run, act);
		return;
	}
	if (made != NULL && made->intended) {
		seek_start(run, act);
		return;
	}
	act->settles = false;
	act->id = made != NULL ? made->id
	    : act->change->have != NULL ? act->change->have->id
					: (struct str){0};
	struct lock_entry listed;
	const struct lock_entry *entry = is_orphan(act)
	    ? take_listed(run, act, &listed)
	    : lock_find_id(run->lock, KIND_RUNNER, act->id);
	if (entry == NULL || !parse_int(act->id, 1, INT64_MAX,
		&act->number)) {
		act_done(run, act);	/* nothing of it is recorded */
		return;
	}
	act->entry = *entry;
	act->deadline_ms = run->now_ms + (run->options.drain_ms > 0
		? run->options.drain_ms
		: DRAIN_MS);
	act->stage = LOOK;
	act_new_op(run, act);
	act_intent(run, act, OP_DELETE);
}

void
remove_journaled(struct run *run, struct act *act)
{
	step(run, act);
}

/* ---------------------------------------------------------------- looks -- */

static struct str
job_words(struct run *run, const struct ssh_answer *answer)
{
	struct str line = last_words(run, answer->line);

	return line.len == 0
	    ? STR("it has a job")
	    : arena_printf(run->arena, "it has a job (" STR_FMT ")",
		  STR_ARG(line));
}

static void
later_unknown(struct run *run, struct act *act,
    const struct ssh_answer *answer)
{
	later(run, act, arena_printf(run->arena,
	    "nobody knows whether it has a job: " STR_FMT,
	    STR_ARG(last_words(run, answer->outcome == SSH_DONE
		    ? answer->output
		    : answer->reason))));
}

/* The job that GitHub had given it just before it removed it may show only
 * now; then it is looked at until that is done. */
static void
stopped(struct run *run, struct act *act, const struct ssh_answer *answer)
{
	act->stage = AFTER;
	if (answer->outcome == SSH_DONE && answer->status == 0)
		finish(run, act);
	else if (answer->worker || (answer->outcome == SSH_DONE &&
		answer->status == SSH_STATUS_HAS_JOB))
		later(run, act, job_words(run, answer));
	else
		later_unknown(run, act, answer);
}

void
remove_ssh(struct run *run, struct act *act, const struct ssh_answer *answer)
{
	struct host host;

	if (act->stage == SILENCE) {
		silenced(run, act, answer);
		return;
	}
	if (act->stage == STOP) {
		stopped(run, act, answer);
		return;
	}
	if (answer->outcome != SSH_DONE || answer->status != 0) {
		later_unknown(run, act, answer);
		return;
	}
	if (answer->worker) {
		PROBE("remove_job_seen_in_pod");
		later(run, act, job_words(run, answer));
		return;
	}
	if (act->stage == AFTER) {
		act->stage = STOP;
		its_host(run, act, &host);
		look(run, act, &host, SSH_RUNNER_STOP);
		return;
	}
	act->stage = LIST;
	act->seen = answer->listener;
	scope_wait(run, act);
}

void
remove_listed(struct run *run, struct act *act,
    const struct github_answer *answer)
{
	int64_t window = run->options.idle_window_ms > 0
	    ? run->options.idle_window_ms
	    : WINDOW_MS;

	if (!act_may_send(run, act)) {
		step(run, act);
		return;
	}
	const struct github_runner *runner = answer->outcome == OUTCOME_OK ?
	    runner_listed(act, answer, act->entry.runner.name) : NULL;
	struct remove_listing listing = {
		.known = answer->outcome == OUTCOME_OK,
		.listed = runner != NULL,
		.online = runner != NULL && runner->online,
		.busy = runner != NULL && runner->busy,
		.listens = act->seen,
		.window_over = act->clean > 0 &&
		    run->now_ms - act->ended_ms >= window,
	};
	enum remove_way way = remove_by_listing(&listing);
	if (way == REMOVE_LATER) {
		if (listing.busy)
			PROBE("remove_job_seen_in_listing");
		later(run, act, listing.busy
		    ? STR("GitHub says that it has a job")
		    : arena_printf(run->arena, "GitHub does not say whether "
			  "it has a job: " STR_FMT,
			  STR_ARG(last_words(run, answer->message))));
		return;
	}
	PROBE("remove_looks_idle");
	if (act->clean++ == 0)
		act->ended_ms = run->now_ms;
	if (way == REMOVE_DELETE) {
		ask_delete(run, act);
		return;
	}
	act->stage = LOOK;
	act_waits_for(run, act,
	    STR("it looks idle; making sure that it stays so"));
	act_queue(run, act, window - (run->now_ms - act->ended_ms));
}

/* -------------------------------------------------------------- delete --- */

/* The user wants the pod to end: what GitHub keeps is removed later. */
static void
forced(struct run *run, struct act *act)
{
	PROBE("remove_forced_under_job");
	act->ended_how = STR("kept by GitHub, since it has a job; its pod is "
	    "ended all the same, and a later apply removes it");
	act_result(run, act, OP_NONE, NEXT_DONE, false);
}

void
remove_github(struct run *run, struct act *act,
    const struct github_answer *answer)
{
	if (act->stage == SEEK || act->stage == SEEK_AGAIN) {
		sought(run, act, answer);
		return;
	}
	if (act->stage == CONFIRM) {
		if (answer->outcome == OUTCOME_OK && answer->nrunners == 0) {
			removed(run, act);
			return;
		}
		later(run, act, answer->outcome == OUTCOME_OK
		    ? STR("GitHub says both that it is gone and that it is "
			  "there")
		    : last_words(run, answer->message));
		return;
	}
	if (answer->outcome == OUTCOME_OK) {
		removed(run, act);
	} else if (PLANTED(9) && answer->outcome == OUTCOME_NO_EFFECT) {
		finish(run, act);
	} else if (answer->outcome == OUTCOME_NO_EFFECT &&
	    answer->reason == REASON_NOT_FOUND) {
		PROBE("remove_404_is_confirmed");
		act->stage = CONFIRM;
		github_ask(run, act, GITHUB_FIND_RUNNER)->name =
		    act->entry.runner.name;
	} else if (run->options.force &&
	    answer->outcome == OUTCOME_NO_EFFECT) {
		forced(run, act);
	} else if (answer->reason == REASON_BUSY) {
		PROBE("remove_busy_by_its_answer");
		later(run, act, STR("GitHub says that it has a job"));
	} else {
		later(run, act, arena_printf(run->arena,
		    "GitHub did not remove it: " STR_FMT,
		    STR_ARG(last_words(run, answer->message))));
	}
}

/* --------------------------------------------------------------- guard --- */

/* The entries and open ops of an earlier run; this run's add themselves. */
static void
count_runners(struct run *run)
{
	struct lock *lock = run->lock;

	run->runners_counted = true;
	for (size_t i = 0; i < lock->entries.n; i++) {
		struct lock_entry *entry = &lock->entries.items[i];
		if (entry->kind == KIND_RUNNER && entry->runner.pod_id.len > 0)
			map_put(&run->runners_on, run->arena,
			    entry->runner.pod_id, run);
	}
	for (size_t i = 0; i < lock->pending.n; i++) {
		struct lock_entry *entry = &lock->pending.items[i].entry;
		if (entry->kind == KIND_RUNNER && entry->runner.pod_id.len > 0)
			map_put(&run->runners_on, run->arena,
			    entry->runner.pod_id, run);
	}
}

/*
 * The graph has a runner's removal come before the end of its pod.  This is
 * the second lock on that door: what the record shows as living on the pod
 * keeps it, whatever the graph says.
 */
bool
runners_allow_end(struct run *run, struct str pod_id)
{
	if (!run->runners_counted)
		count_runners(run);
	if (run->options.force || PLANTED(10) ||
	    map_get(&run->runners_on, pod_id) == NULL)
		return true;
	for (size_t i = 0; i < run->lock->entries.n; i++) {
		const struct lock_entry *entry = &run->lock->entries.items[i];
		if (entry->kind == KIND_RUNNER &&
		    str_eq(entry->runner.pod_id, pod_id))
			return false;
	}
	for (size_t i = 0; i < run->lock->pending.n; i++) {
		const struct lock_op *op = &run->lock->pending.items[i];
		if (op->entry.kind == KIND_RUNNER &&
		    str_eq(op->entry.runner.pod_id, pod_id))
			return false;
	}
	return true;
}
