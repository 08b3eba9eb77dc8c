/*
 * run.c - the engine's heart: phases, slots, backoff; its effects: effect.c.
 *
 * What each kind of action does in its phases is in create.c, change.c and
 * wait.c; what follows from failure in undo.c.
 */
#include "run/act.h"

#include "base/plant.h"
#include "base/units.h"

#include <assert.h>
#include <string.h>

enum {
	DEFAULT_PARALLELISM = 10,
	DEFAULT_SETTLE_MS = 60 * SECOND_MS,
	PROGRESS_MS = 10 * SECOND_MS,
	INSIDE_MAX = 50,	/* as many sessions as there may be */
};

bool
phase_is_final(enum phase phase)
{
	return phase == PH_DONE || phase == PH_FAILED || phase == PH_SKIPPED;
}

static bool
phase_is_listed(enum phase phase)
{
	return phase == PH_RESOLVE || phase == PH_WATCH;
}

static bool
phase_holds_slot(enum phase phase)
{
	return phase == PH_VERIFY || phase == PH_INTENT || phase == PH_SENT ||
	    phase == PH_RESULT;
}

/* ------------------------------------------------------------- phases -- */

/* Keep the counts that phases stand for: slots, watchers, busy parts. */
void
act_phase(struct run *run, struct act *act, enum phase phase)
{
	enum phase old = act->phase;
	bool was_busy = old != PH_WAITING;
	bool is_busy = !phase_is_final(phase);

	/* What has ended stays so, and nothing that has begun waits again. */
	assert(!phase_is_final(old) && phase != PH_WAITING);
	if (act->holds_slot && !phase_holds_slot(phase)) {
		act->holds_slot = false;
		run->in_flight--;
	} else if (!act->holds_slot && phase_holds_slot(phase)) {
		act->holds_slot = true;
		run->in_flight++;
	}
	if (old == PH_ASKED)
		run->inside_in_flight--;
	if (phase == PH_ASKED)
		run->inside_in_flight++;
	if (phase_is_listed(old))
		run->lists[act_list(act)].watchers--;
	if (phase_is_listed(phase))
		run->lists[act_list(act)].watchers++;
	if (phase_is_listed(phase)) {
		/* Whoever left is out of the list since the last event. */
		assert(!act->listed);
		act->listed = true;
		*ARENA_PUSH(run->arena, &run->watching) = act;
	}
	if (act->component != SIZE_MAX) {
		if (is_busy && !was_busy)
			run->busy_component[act->component]++;
		else if (was_busy && !is_busy)
			run->busy_component[act->component]--;
	}
	if (phase_is_final(phase))
		run->open--;
	act->phase = phase;
	act->phase_ms = run->now_ms;
	run->moves++;
}

struct act *
act_add(struct run *run, enum action_kind kind,
    const struct plan_change *change, struct subject *subject)
{
	struct act *act = ARENA_NEW(run->arena, struct act);
	act->index = run->acts.n;
	act->kind = kind;
	act->change = change;
	act->subject = subject;
	act->component = SIZE_MAX;
	*ARENA_PUSH(run->arena, &run->acts) = act;
	run->open++;
	return act;
}

void
act_after(struct run *run, struct act *act, struct act *before)
{
	*ARENA_PUSH(run->arena, &before->unblocks) = act;
	act->waits++;
}

static void
act_is_ready(struct run *run, struct act *act)
{
	if (action_rows[act->kind].inside)
		*ARENA_PUSH(run->arena, &run->ready_inside) = act;
	else if (action_rows[act->kind].waits)
		*ARENA_PUSH(run->arena, &run->ready_waits) = act;
	else
		*ARENA_PUSH(run->arena, &run->ready) = act;
}

void
act_queue(struct run *run, struct act *act, int64_t delay_ms)
{
	act_phase(run, act, PH_QUEUED);
	act->not_before_ms = run->now_ms + delay_ms;
	if (delay_ms > 0)
		*ARENA_PUSH(run->arena, &run->delayed) = act;
	else
		act_is_ready(run, act);
}

/* --------------------------------------------------------- scheduling -- */

bool
act_may_send(const struct run *run, const struct act *act)
{
	if (act->undo)
		return !run->disk_failed;
	if (run->stopping || run->fatal != FAIL_NONE)
		return false;
	if (run->options.fail_fast && run->summary.failures.n > 0)
		return false;
	if (act->component == SIZE_MAX)
		return true;
	return run->options.keep || !run->failed_component[act->component];
}

static const char *
why_not(const struct run *run)
{
	if (run->stopping)
		return "interrupted";
	if (run->disk_failed)
		return "the journal cannot be written";
	return "not started after a failure";
}

static void
start_act(struct run *run, struct act *act)
{
	/* An op whose intent is on disk must come to a result, whatever else
	 * has failed since.  The barrier sends nothing: what comes after it
	 * sees by itself whether it may start. */
	if (act->kind != ACTION_BARRIER && !act->intended &&
	    !act_may_send(run, act)) {
		/* A result that the disk refused is no failure of its act;
		 * what does not come to be because of it is one. */
		if (run->disk_failed && !run->stopping && !act->undo &&
		    run->summary.failures.n == 0)
			act_fail(run, act, FAIL_DISK, STR("the journal cannot "
			    "be written, so it was not started"));
		else
			act_abandon(run, act, why_not(run));
		return;
	}
	if (!act->started) {
		act->started = true;
		act->started_ms = act->told_ms = run->now_ms;
		if (act->kind != ACTION_BARRIER)
			run_say(run, NOTE_ACTION_START, act, (struct str){0});
	}
	if (action_rows[act->kind].inside && !act->told) {
		act->told = true;
		*ARENA_PUSH(run->arena, &run->inside) = act;
	}
	action_rows[act->kind].start(run, act);
}

static void
wake_delayed(struct run *run)
{
	size_t kept = 0;
	for (size_t i = 0; i < run->delayed.n; i++) {
		struct act *act = run->delayed.items[i];
		if (act->phase != PH_QUEUED)
			continue;
		if (act->not_before_ms <= run->now_ms)
			act_is_ready(run, act);
		else
			run->delayed.items[kept++] = act;
	}
	run->delayed.n = kept;
}

/* Waits hold no slot, so they pass those that must queue for one. */
static void
start_ready(struct run *run)
{
	while (run->ready_waits.n > 0) {
		struct act *act =
		    run->ready_waits.items[--run->ready_waits.n];
		if (act->phase == PH_QUEUED)
			start_act(run, act);
	}
	while (run->ready_inside.n > 0 &&
	    run->inside_in_flight < INSIDE_MAX) {
		struct act *act =
		    run->ready_inside.items[--run->ready_inside.n];
		if (act->phase == PH_QUEUED)
			start_act(run, act);
	}
	size_t slots = run->options.parallelism > 0
	    ? (size_t)run->options.parallelism
	    : DEFAULT_PARALLELISM;
	while (run->ready_at < run->ready.n && run->in_flight < slots) {
		struct act *act = run->ready.items[run->ready_at++];
		if (act->phase == PH_QUEUED)
			start_act(run, act);
	}
	if (run->ready_at == run->ready.n)
		run->ready_at = run->ready.n = 0;
}

/* What is being done inside pods, for people who wait. */
static void
inside_notes(struct run *run)
{
	size_t kept = 0;
	for (size_t i = 0; i < run->inside.n; i++) {
		struct act *act = run->inside.items[i];
		if (phase_is_final(act->phase))
			continue;
		run->inside.items[kept++] = act;
		if (run->now_ms - act->told_ms < PROGRESS_MS)
			continue;
		act->told_ms = run->now_ms;
		run_say(run, NOTE_PROGRESS, act, act->reason);
	}
	run->inside.n = kept;
}

static void
progress_notes(struct run *run)
{
	inside_notes(run);
	for (size_t i = 0; i < run->watching.n; i++) {
		struct act *act = run->watching.items[i];
		assert(phase_is_listed(act->phase));	/* see listing.c */
		if (run->now_ms - act->told_ms < PROGRESS_MS)
			continue;
		act->told_ms = run->now_ms;
		run_say(run, NOTE_PROGRESS, act, act->reason);
	}
}

static void
pump(struct run *run)
{
	uint64_t before;
	do {
		before = run->moves;
		wake_delayed(run);
		start_ready(run);
		undo_pump(run);
	} while (run->moves != before);
	listing_pump(run);
	scope_pump(run);
	progress_notes(run);
}

/* ------------------------------------------------------------- events -- */

static void
on_journaled(struct run *run, struct act *act, bool ok)
{
	if (!ok) {
		run->disk_failed = true;
		if (run->fatal == FAIL_NONE)
			run->fatal = FAIL_DISK;
	}
	if (act->phase == PH_INTENT) {
		if (!ok) {
			act_fail(run, act, FAIL_DISK,
			    STR("the journal cannot be written, so nothing "
				"was sent"));
			return;
		}
		act->intended = true;
		action_rows[act->kind].journaled(run, act);
		return;
	}
	assert(act->phase == PH_RESULT);
	/* The result holds in memory even if the journal failed: the commit
	 * at the end may still save it. */
	act->intended = false;
	switch (act->next) {
	case NEXT_DONE:
		act_done(run, act);
		break;
	case NEXT_RETRY:
		act_queue(run, act, 0);
		break;
	case NEXT_BACKOFF:
		act_retry(run, act, 0, act->last_failure, act->last_refusal);
		break;
	default:
		assert(act->next == NEXT_FAIL);
		act_fail(run, act, act->last_failure, act->last_refusal);
		break;
	}
}

/* What asks inside is cut off, unless an op of it is in the journal: that
 * comes to its result, and sees by itself that it may not go on. */
static void
interrupt_act(struct run *run, struct act *act)
{
	if (act->intended) {
		/* Not sent again, so its backoff ends now. */
		if (act->phase == PH_QUEUED)
			act->not_before_ms = run->now_ms;
		else if (act->phase == PH_RUNNERS)
			act_queue(run, act, 0);
		return;
	}
	switch (act->phase) {
	case PH_WAITING:
	case PH_QUEUED:
	case PH_VERIFY:
		act_abandon(run, act, "interrupted");
		break;
	case PH_ASKED:
	case PH_RUNNERS:
		act_cancel(run, act);
		act_fail(run, act, FAIL_INTERRUPTED, STR("interrupted"));
		break;
	case PH_WATCH:
	case PH_PROBE:
		assert(action_rows[act->kind].waits);
		act_fail(run, act, FAIL_INTERRUPTED, STR("interrupted"));
		break;
	default:
		break;		/* on its way: let it come to a result */
	}
}

static void
interrupt(struct run *run)
{
	if (run->stopping) {
		run->abandoned = true;
		return;
	}
	run->stopping = true;
	run->summary.interrupted = true;
	run_say(run, NOTE_STOPPING, NULL, (struct str){0});
	for (size_t i = 0; i < run->acts.n; i++) {
		struct act *act = run->acts.items[i];
		if (!act->undo && !phase_is_final(act->phase))
			interrupt_act(run, act);
	}
}

static struct act *
find_act(struct run *run, uint64_t token)
{
	size_t index = (size_t)(token >> 24);
	if (index == 0 || index > run->acts.n)
		return NULL;
	struct act *act = run->acts.items[index - 1];
	return act->token == token && !phase_is_final(act->phase) ? act : NULL;
}

static void
on_answer(struct run *run, const struct run_event *event)
{
	for (int i = 0; i < LIST_COUNT; i++) {
		if (run->lists[i].in_flight &&
		    run->lists[i].token == event->token) {
			listing_answer(run, i, event->answer);
			return;
		}
	}
	struct act *act = find_act(run, event->token);
	if (act != NULL)
		action_rows[act->kind].answer(run, act, event->answer);
}

static void
on_time(struct run *run)
{
	for (size_t i = 0; i < run->watching.n; i++) {
		struct act *act = run->watching.items[i];
		if (phase_is_listed(act->phase))
			wait_time(run, act);
	}
}

static void
begin(struct run *run)
{
	run->began = true;
	run->began_ms = run->now_ms;
	for (size_t i = 0; i < run->acts.n; i++) {
		struct act *act = run->acts.items[i];
		if (act->waits == 0)
			act_queue(run, act, 0);
	}
}

/* What one act has waited for. */
static void
tell_act(struct run *run, struct act *act, const struct run_event *event)
{
	const struct action_row *row = &action_rows[act->kind];

	switch (event->type) {
	case RUN_JOURNALED:
		on_journaled(run, act, event->ok);
		break;
	case RUN_BANNER_ANSWER:
		wait_banner(run, act, event->ok, event->reason);
		break;
	case RUN_SSH_ANSWER:
		row->ssh(run, act, event->ssh);
		break;
	case RUN_GITHUB_ANSWER:
		row->github(run, act, event->github);
		break;
	case RUN_HOLDER_ANSWER:
		row->holder(run, act, event->holder);
		break;
	default:
		assert(event->type == RUN_FETCH_ANSWER);
		row->fetched(run, act, event->ok, event->reason);
		break;
	}
}

void
run_event(struct run *run, const struct run_event *event)
{
	run->now_ms = event->now_ms;
	run->boot_ms = event->boot_ms;
	run->wall_ms = event->wall_ms;
	if (!run->began)
		begin(run);
	struct act *act = find_act(run, event->token);
	if (event->type == RUN_TIME)
		on_time(run);
	else if (event->type == RUN_SIGNAL)
		interrupt(run);
	else if (event->type == RUN_ANSWER)
		on_answer(run, event);
	else if (event->type == RUN_GITHUB_ANSWER &&
	    scope_answer(run, event->token, event->github))
		;		/* of all that wait for this listing */
	else if (act != NULL)
		tell_act(run, act, event);
	if (!run->abandoned)
		pump(run);
}

int64_t
run_deadline(const struct run *run)
{
	int64_t first = listing_deadline(run), scopes = scope_deadline(run);
	if (scopes != -1 && (first == -1 || scopes < first))
		first = scopes;
	for (size_t i = 0; i < run->delayed.n; i++) {
		int64_t at = run->delayed.items[i]->not_before_ms;
		if (first == -1 || at < first)
			first = at;
	}
	for (size_t i = 0; i < run->inside.n; i++) {
		const struct act *act = run->inside.items[i];
		int64_t at = act->told_ms + PROGRESS_MS;
		assert(!phase_is_final(act->phase));
		if (first == -1 || at < first)
			first = at;
	}
	for (size_t i = 0; i < run->watching.n; i++) {
		const struct act *act = run->watching.items[i];
		assert(phase_is_listed(act->phase));
		int64_t at = act->told_ms + PROGRESS_MS;
		if (act->deadline_ms > 0 && act->deadline_ms < at)
			at = act->deadline_ms;
		if (first == -1 || at < first)
			first = at;
	}
	return first;
}

bool
run_finished(const struct run *run)
{
	return run->abandoned || (run->began && run->open == 0);
}

/* --------------------------------------------------------------- life -- */

/* What starts will add is spoken for: no create may take it. */
static int64_t
starts_per_hour(const struct plan *plan)
{
	int64_t sum = 0;
	for (size_t i = 0; i < plan->actions.n; i++) {
		const struct plan_action *action = &plan->actions.items[i];
		const struct plan_change *change =
		    plan_action_change(plan, action);
		if (action->kind == ACTION_POD_START &&
		    change->after_per_hour > change->before_per_hour)
			sum += change->after_per_hour -
			    change->before_per_hour;
	}
	return sum;
}

struct run *
run_new(struct arena *arena, const struct plan *plan, struct lock *lock,
    const struct run_options *options)
{
	struct run *run = ARENA_NEW(arena, struct run);
	run->arena = arena;
	run->plan = plan;
	run->lock = lock;
	run->options = *options;
	if (run->options.settle_ms == 0)
		run->options.settle_ms = DEFAULT_SETTLE_MS;
	if (PLANTED(6))
		run->options.settle_ms = 1;
	run->billing = plan->cost.before_per_hour + starts_per_hour(plan);

	struct subject *subjects = ARENA_ARRAY(arena, struct subject,
	    plan->changes.n + plan->waits.n);
	run->change_subjects = subjects;
	for (size_t i = 0; i < plan->actions.n; i++) {
		const struct plan_action *action = &plan->actions.items[i];
		bool none = action->kind == ACTION_BARRIER;

		struct act *act = act_add(run, action->kind,
		    plan_action_change(plan, action),
		    none ? ARENA_NEW(arena, struct subject) : &subjects[action->change]);
		act->step = action->step;
		for (size_t j = 0; j < action->after.n; j++)
			act_after(run, act,
			    run->acts.items[action->after.items[j]]);
	}
	components_make(run);
	return run;
}

const struct run_summary *
run_summary(struct run *run)
{
	summary_make(run);
	return &run->summary;
}

const struct run_summary *
run_summary_unrecorded(struct run *run)
{
	run->unrecorded = true;
	return run_summary(run);
}
