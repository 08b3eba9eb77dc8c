/*
 * scopes.c - listings of runners: one per repository or organization and
 * tick serves every act that waits.
 *
 * GitHub counts 5000 requests an hour: a listing every two seconds while
 * something is young, every ten later.
 */
#include "run/act.h"

#include "base/units.h"

enum { FAST_MS = 2 * SECOND_MS, SLOW_MS = 10 * SECOND_MS };

struct github_scope
act_scope(const struct act *act)
{
	const struct plan_change *change = act->change;
	const struct lock_runner *runner = &change->runner_config;

	if (act->kind == ACTION_RUNNER_REMOVE)
		runner = &act->entry.runner;	/* where it was registered */
	return (struct github_scope){ .repository = runner->repository,
		.organization = runner->organization };
}

const struct github_runner *
runner_listed(const struct act *act, const struct github_answer *answer,
    struct str name)
{
	for (size_t i = 0; i < answer->nrunners; i++) {
		const struct github_runner *runner = &answer->runners[i];
		if (act->number != 0 ? runner->id == act->number
				     : str_eq_fold(runner->name, name))
			return runner;
	}
	return NULL;
}

static struct scope_poll *
poll_of(struct run *run, const struct github_scope *scope)
{
	for (size_t i = 0; i < run->scopes.n; i++)
		if (github_scope_eq(&run->scopes.items[i]->scope, scope))
			return run->scopes.items[i];
	struct scope_poll *poll = ARENA_NEW(run->arena, struct scope_poll);
	poll->scope = *scope;
	*ARENA_PUSH(run->arena, &run->scopes) = poll;
	return poll;
}

void
scope_wait(struct run *run, struct act *act)
{
	struct github_scope scope = act_scope(act);
	struct scope_poll *poll = poll_of(run, &scope);

	act_phase(run, act, PH_RUNNERS);
	if (poll->next_ms > run->now_ms + FAST_MS && poll->failures == 0)
		poll->next_ms = run->now_ms + FAST_MS;
	if (act->in_scope)
		return;
	act->in_scope = true;
	*ARENA_PUSH(run->arena, &poll->acts) = act;
}

static void
compact(struct scope_poll *poll)
{
	size_t kept = 0;

	for (size_t i = 0; i < poll->acts.n; i++) {
		struct act *act = poll->acts.items[i];
		if (act->phase == PH_RUNNERS)
			poll->acts.items[kept++] = act;
		else
			act->in_scope = false;
	}
	poll->acts.n = kept;
}

void
scope_pump(struct run *run)
{
	for (size_t i = 0; i < run->scopes.n; i++) {
		struct scope_poll *poll = run->scopes.items[i];
		compact(poll);
		if (poll->acts.n == 0 || poll->in_flight ||
		    run->now_ms < poll->next_ms)
			continue;
		poll->in_flight = true;
		poll->sent_ms = run->now_ms;
		poll->token = (uint64_t)3 << 60 |
		    (++run->counter & 0xffffff);
		struct run_effect *effect = run_effect_add(run, RUN_GITHUB);
		effect->token = poll->token;
		effect->github.op = GITHUB_LIST_RUNNERS;
		effect->github.scope = poll->scope;
	}
}

int64_t
scope_deadline(const struct run *run)
{
	int64_t first = -1;

	for (size_t i = 0; i < run->scopes.n; i++) {
		const struct scope_poll *poll = run->scopes.items[i];
		if (poll->acts.n > 0 && !poll->in_flight &&
		    (first == -1 || poll->next_ms < first))
			first = poll->next_ms;
	}
	return first;
}

static int64_t
pace(const struct run *run, const struct scope_poll *poll,
    const struct github_answer *answer)
{
	int64_t youngest = SLOW_MS * 10, wait;

	if (answer->outcome != OUTCOME_OK) {
		wait = (int64_t)FAST_MS << poll->failures;
		return answer->retry_after_ms > wait ? answer->retry_after_ms
						     : wait;
	}
	for (size_t i = 0; i < poll->acts.n; i++) {
		int64_t age = run->now_ms - poll->acts.items[i]->phase_ms;
		if (age < youngest)
			youngest = age;
	}
	wait = youngest / 10;
	return wait < FAST_MS ? FAST_MS : wait > SLOW_MS ? SLOW_MS : wait;
}

bool
scope_answer(struct run *run, uint64_t token,
    const struct github_answer *answer)
{
	struct scope_poll *poll = NULL;

	for (size_t i = 0; i < run->scopes.n && poll == NULL; i++)
		if (run->scopes.items[i]->in_flight &&
		    run->scopes.items[i]->token == token)
			poll = run->scopes.items[i];
	if (poll == NULL)
		return false;
	poll->in_flight = false;
	if (answer->outcome == OUTCOME_OK)
		poll->failures = 0;
	else if (poll->failures < 5)
		poll->failures++;
	poll->next_ms = run->now_ms + pace(run, poll, answer);
	size_t n = poll->acts.n;
	for (size_t i = 0; i < n; i++) {
		struct act *act = poll->acts.items[i];
		/* What was asked for before it waited tells it nothing. */
		if (act->phase == PH_RUNNERS && act->phase_ms <= poll->sent_ms)
			action_rows[act->kind].runners(run, act, answer);
	}
	return true;
}
