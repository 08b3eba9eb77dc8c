/*
 * outcome.c - how an action ends: done, failed, skipped, or tried again.
 */
#include "run/act.h"

#include "base/units.h"

#include <assert.h>

enum { MAX_RETRIES = 5 };

static void
release_next(struct run *run, struct act *act)
{
	for (size_t i = 0; i < act->unblocks.n; i++) {
		struct act *next = act->unblocks.items[i];
		if (--next->waits == 0 && next->phase == PH_WAITING)
			act_queue(run, next, 0);
	}
}

void
act_done(struct run *run, struct act *act)
{
	act_phase(run, act, PH_DONE);
	if (act->kind != ACTION_BARRIER)
		run_say(run, NOTE_ACTION_DONE, act, act->ended_how);
	release_next(run, act);
}

/* Nothing that comes after it can start any more. */
static void
skip_dependents(struct run *run, struct act *act)
{
	VEC_OF(struct act *) stack = {0};
	*ARENA_PUSH(run->arena, &stack) = act;
	while (stack.n > 0) {
		struct act *at = stack.items[--stack.n];
		for (size_t i = 0; i < at->unblocks.n; i++) {
			struct act *next = at->unblocks.items[i];
			if (next->phase != PH_WAITING)
				continue;
			act_skip(run, next, "what it needs failed");
			*ARENA_PUSH(run->arena, &stack) = next;
		}
	}
}

static bool
may_be_cut_off(const struct act *act)
{
	if (action_rows[act->kind].inside)
		return act->phase == PH_ASKED || act->phase == PH_RUNNERS;
	return action_rows[act->kind].waits &&
	    (act->phase == PH_WATCH || act->phase == PH_PROBE);
}

/*
 * Pods of a part that will be undone need not be waited for: they bill.
 * A wait that has an op in the journal comes to its result all the same.
 */
static void
fail_component(struct run *run, size_t component)
{
	if (component == SIZE_MAX || run->failed_component[component])
		return;
	run->failed_component[component] = true;
	if (run->options.keep)
		return;
	for (size_t i = 0; i < run->acts.n; i++) {
		struct act *act = run->acts.items[i];
		if (act->component != component || act->intended ||
		    !may_be_cut_off(act))
			continue;
		act_cancel(run, act);
		act_skip(run, act, "its part will be undone");
		skip_dependents(run, act);
	}
}

/*
 * Skipped for a reason that is not its own.  Its part of the graph cannot
 * become whole any more, so what was done there is undone, too.
 */
void
act_abandon(struct run *run, struct act *act, const char *why)
{
	act_skip(run, act, why);
	fail_component(run, act->component);
	skip_dependents(run, act);
}

void
act_skip(struct run *run, struct act *act, const char *why)
{
	act->reason = str_from(why);
	act_phase(run, act, PH_SKIPPED);
	if (act->kind != ACTION_BARRIER)
		run_say(run, NOTE_ACTION_SKIPPED, act, act->reason);
}

/* What stops everything: without credentials or money nothing will do. */
static bool
failure_is_fatal(enum run_failure failure)
{
	return failure == FAIL_AUTH || failure == FAIL_BALANCE ||
	    failure == FAIL_DISK;
}

void
act_fail(struct run *run, struct act *act, enum run_failure failure,
    struct str reason)
{
	assert(!phase_is_final(act->phase) && act->kind != ACTION_BARRIER);
	act->failure = failure;
	act->reason = arena_str(run->arena, reason);
	act_phase(run, act, PH_FAILED);
	run_say(run, NOTE_ACTION_ERROR, act, act->reason);
	struct run_failed *failed =
	    ARENA_PUSH(run->arena, &run->summary.failures);
	*failed = (struct run_failed){
		.action = act->index,
		.kind = act->kind,
		.address = act_address(act),
		.failure = failure,
		.reason = act->reason,
		.output = act->output,
		.kept = act->output.len > 0 ? act->kept : (struct str){0},
		.span = act->span.source != 0 ? act->span : act->change->span,
	};
	if (failure_is_fatal(failure) && run->fatal == FAIL_NONE)
		run->fatal = failure;
	fail_component(run, act->component);
	skip_dependents(run, act);
}

/* 2, 4, 8, 16, 32 s, each up to a quarter longer by chance. */
static int64_t
backoff_ms(struct run *run, unsigned retries)
{
	int64_t base = (int64_t)2 * SECOND_MS << (retries > 4 ? 4 : retries);
	uint16_t chance;
	run->options.chance.bytes(run->options.chance.ctx, &chance,
	    sizeof chance);
	return base + base / 4 * chance / UINT16_MAX;
}

void
act_retry(struct run *run, struct act *act, int64_t retry_after_ms,
    enum run_failure failure, struct str reason)
{
	if (act->retries >= MAX_RETRIES) {
		act_fail(run, act, failure, reason);
		return;
	}
	int64_t delay = backoff_ms(run, act->retries++);
	if (retry_after_ms > delay)
		delay = retry_after_ms;
	act->reason = arena_str(run->arena, reason);
	run_say(run, NOTE_RETRY, act, act->reason);
	act_queue(run, act, delay);
}
