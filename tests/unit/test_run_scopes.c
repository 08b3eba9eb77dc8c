/* test_run_scopes.c - one listing of a scope's runners serves all who wait */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"
#include "run/act.h"

struct desk {
	struct arena arena;
	struct plan plan;
	struct lock lock;
	struct run run;
	struct plan_change changes[2];	/* in acme/m, and in beta */
	struct subject subjects[8];
	struct act registered;		/* before them */
	size_t made;
};

static int
desk_setup(void **state)
{
	static struct desk d;

	memset(&d, 0, sizeof d);
	d.lock.arena = &d.arena;
	d.run = (struct run){ .arena = &d.arena, .plan = &d.plan,
		.lock = &d.lock, .now_ms = 100000 };
	for (size_t i = 0; i < COUNTOF(d.changes); i++)
		d.changes[i] = (struct plan_change){ .kind = KIND_RUNNER,
			.address = STR("runner.ci"), .host_change = SIZE_MAX };
	d.changes[0].runner_config.repository = STR("acme/m");
	d.changes[1].runner_config.organization = STR("beta");
	*state = &d;
	return 0;
}

static int
desk_teardown(void **state)
{
	struct desk *d = *state;

	arena_release(&d->arena);
	return 0;
}

/* One that waits until the runner of that number is online. */
static struct act *
waits(struct desk *d, size_t scope, int64_t number)
{
	struct subject *subject = &d->subjects[d->made++];
	struct act *act = act_add(&d->run, ACTION_RUNNER_ONLINE,
	    &d->changes[scope], subject);

	subject->runner.act = &d->registered;
	act->number = number;
	act->deadline_ms = INT64_MAX;
	scope_wait(&d->run, act);
	return act;
}

/* How many listings are asked for now; the token of the last one. */
static size_t
asked(struct desk *d, uint64_t *token)
{
	size_t before = d->run.effects.n, n = 0;

	scope_pump(&d->run);
	for (size_t i = before; i < d->run.effects.n; i++) {
		const struct run_effect *effect = &d->run.effects.items[i];
		if (effect->type != RUN_GITHUB)
			continue;
		assert_int_equal(effect->github.op, GITHUB_LIST_RUNNERS);
		*token = effect->token;
		n++;
	}
	return n;
}

static void
answer(struct desk *d, uint64_t token, enum cloud_outcome outcome,
    int64_t retry_after_ms)
{
	static struct github_runner runners[] = {
		{ .id = 7, .name = STR_INIT("ci-1"), .online = true },
		{ .id = 8, .name = STR_INIT("ci-2") },
	};

	assert_true(scope_answer(&d->run, token, &(struct github_answer){
		.outcome = outcome, .reason = REASON_TRANSIENT,
		.runners = runners, .nrunners = COUNTOF(runners),
		.retry_after_ms = retry_after_ms }));
}

static void
test_run_scopes_are_where_a_runner_was_registered(void **state)
{
	struct desk *d = *state;
	struct act act = { .kind = ACTION_RUNNER_REGISTER,
		.change = &d->changes[0],
		.entry.runner.organization = STR("old") };
	struct github_scope scope = act_scope(&act);

	assert_true(str_is(scope.repository, "acme/m"));
	assert_int_equal(scope.organization.len, 0);
	act.kind = ACTION_RUNNER_REMOVE;
	scope = act_scope(&act);
	assert_int_equal(scope.repository.len, 0);
	assert_true(str_is(scope.organization, "old"));
}

static void
test_run_scopes_find_a_runner_by_number_else_by_name(void **state)
{
	static struct github_runner runners[] = {
		{ .id = 7, .name = STR_INIT("a") },
		{ .id = 8, .name = STR_INIT("b") },
	};
	static const struct { int64_t number; const char *name; int64_t id; }
	    rows[] = {
		{ 8, "a", 8 }, { 0, "a", 7 }, { 0, "B", 8 }, { 9, "a", 0 },
		{ 0, "c", 0 }, { 0, "", 0 },
	};
	struct github_answer listing = { .runners = runners, .nrunners = 2 };
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct act act = { .number = rows[i].number };
		const struct github_runner *found = runner_listed(&act,
		    &listing, str_from(rows[i].name));
		assert_int_equal(found != NULL ? found->id : 0, rows[i].id);
	}
}

static void
test_run_scopes_ask_once_for_all_that_wait(void **state)
{
	struct desk *d = *state;
	struct act *one = waits(d, 0, 7), *two = waits(d, 0, 8);
	struct act *other = waits(d, 1, 7);
	uint64_t token;

	assert_int_equal(asked(d, &token), 2);
	const struct run_effect *first = &d->run.effects.items[0];
	assert_true(str_is(first->github.scope.repository, "acme/m"));
	assert_true(str_is(d->run.effects.items[1].github.scope.organization,
	    "beta"));
	/* Not again while it is on its way, nor at once after it. */
	assert_int_equal(asked(d, &token), 0);
	answer(d, first->token, OUTCOME_OK, 0);
	assert_int_equal(one->phase, PH_DONE);
	assert_int_equal(two->phase, PH_RUNNERS);
	assert_int_equal(other->phase, PH_RUNNERS);
	assert_int_equal(asked(d, &token), 0);
	/* Nobody's: another token, and one that was answered. */
	struct github_answer late = {0};
	assert_false(scope_answer(&d->run, 17, &late));
	assert_false(scope_answer(&d->run, first->token, &late));
}

/* What was asked for before it waited tells it nothing. */
static void
test_run_scopes_tell_nobody_what_is_older_than_his_wait(void **state)
{
	struct desk *d = *state;
	struct act *early = waits(d, 0, 7);
	uint64_t token;

	assert_int_equal(asked(d, &token), 1);
	d->run.now_ms++;
	struct act *late = waits(d, 0, 7);
	answer(d, token, OUTCOME_OK, 0);
	assert_int_equal(early->phase, PH_DONE);
	assert_int_equal(late->phase, PH_RUNNERS);
	d->run.now_ms += 2000;
	assert_int_equal(asked(d, &token), 1);
	/* One that began to wait at that very moment is served. */
	struct act *same = waits(d, 0, 7);
	/* And one that waits no more is not. */
	act_phase(&d->run, late, PH_FAILED);
	answer(d, token, OUTCOME_OK, 0);
	assert_int_equal(same->phase, PH_DONE);
	assert_int_equal(late->phase, PH_FAILED);
	assert_int_equal(asked(d, &token), 0);
	assert_int_equal(scope_deadline(&d->run), -1);
}

/* A tenth of the age of the youngest that waits, between 2 and 10 s. */
static void
test_run_scopes_look_less_often_as_time_goes_by(void **state)
{
	static const struct { int64_t age, next; } rows[] = {
		{ 0, 2000 }, { 20000, 2000 }, { 20010, 2001 },
		{ 50000, 5000 }, { 99990, 9999 }, { 100000, 10000 },
		{ 500000, 10000 },
	};

	for (size_t i = 0; i < 2 * COUNTOF(rows); i++) {
		struct desk *d = *state;
		uint64_t token;
		/* The age of the youngest of two counts. */
		waits(d, 0, 8);
		if (i % 2 == 0) {
			d->run.now_ms += 1000000;
			waits(d, 0, 8);
		}
		d->run.now_ms += rows[i / 2].age;
		assert_int_equal(asked(d, &token), 1);
		answer(d, token, OUTCOME_OK, 0);
		assert_int_equal(scope_deadline(&d->run) - d->run.now_ms,
		    rows[i / 2].next);
		desk_teardown(state);
		desk_setup(state);
	}
}

static void
test_run_scopes_back_off_from_failures(void **state)
{
	static const int64_t waits_ms[] = { 4000, 8000, 16000, 32000, 64000,
		64000 };
	struct desk *d = *state;
	struct act *act = waits(d, 0, 8);
	uint64_t token;

	for (size_t i = 0; i < COUNTOF(waits_ms); i++) {
		assert_int_equal(asked(d, &token), 1);
		answer(d, token, OUTCOME_UNKNOWN, 0);
		assert_int_equal(act->phase, PH_RUNNERS);
		assert_int_equal(scope_deadline(&d->run) - d->run.now_ms,
		    waits_ms[i]);
		/* Who comes anew does not hurry it. */
		scope_wait(&d->run, act);
		assert_int_equal(scope_deadline(&d->run) - d->run.now_ms,
		    waits_ms[i]);
		d->run.now_ms += waits_ms[i] - 1;
		assert_int_equal(asked(d, &token), 0);
		d->run.now_ms++;
	}
	/* What GitHub asks for, if that is longer. */
	assert_int_equal(asked(d, &token), 1);
	answer(d, token, OUTCOME_NO_EFFECT, 90000);
	assert_int_equal(scope_deadline(&d->run) - d->run.now_ms, 90000);
	d->run.now_ms += 90000;
	assert_int_equal(asked(d, &token), 1);
	answer(d, token, OUTCOME_OK, 0);
	d->run.now_ms += 10000;
	/* A good answer ends it. */
	assert_int_equal(asked(d, &token), 1);
	answer(d, token, OUTCOME_UNKNOWN, 100);
	assert_int_equal(scope_deadline(&d->run) - d->run.now_ms, 4000);
}

/* Somebody new: the next look is soon, whatever the pace was. */
static void
test_run_scopes_hurry_for_who_begins_to_wait(void **state)
{
	struct desk *d = *state;
	uint64_t token;

	waits(d, 0, 8);
	d->run.now_ms += 1000000;
	assert_int_equal(asked(d, &token), 1);
	answer(d, token, OUTCOME_OK, 0);
	assert_int_equal(scope_deadline(&d->run) - d->run.now_ms, 10000);
	waits(d, 0, 8);
	assert_int_equal(scope_deadline(&d->run) - d->run.now_ms, 2000);
	/* One that is sooner stays as it is. */
	d->run.now_ms += 1500;
	waits(d, 0, 8);
	assert_int_equal(scope_deadline(&d->run) - d->run.now_ms, 500);
}

/* The first that is due, of those that somebody waits for. */
static void
test_run_scopes_have_one_deadline(void **state)
{
	struct desk *d = *state;
	uint64_t token;

	assert_int_equal(scope_deadline(&d->run), -1);
	struct act *slow = waits(d, 0, 8);
	assert_int_equal(asked(d, &token), 1);
	assert_int_equal(scope_deadline(&d->run), -1);	/* on its way */
	answer(d, token, OUTCOME_UNKNOWN, 0);
	assert_int_equal(scope_deadline(&d->run), d->run.now_ms + 4000);
	struct act *fast = waits(d, 1, 8);
	assert_int_equal(asked(d, &token), 1);
	answer(d, token, OUTCOME_OK, 0);
	assert_int_equal(scope_deadline(&d->run), d->run.now_ms + 2000);
	/* Nobody waits for the second one any more. */
	act_phase(&d->run, fast, PH_FAILED);
	assert_int_equal(asked(d, &token), 0);
	assert_int_equal(scope_deadline(&d->run), d->run.now_ms + 4000);
	assert_false(fast->in_scope);
	assert_true(slow->in_scope);
	/* The later one is no deadline, in whichever order they come. */
	d->run.now_ms += 3000;
	waits(d, 1, 8);
	assert_int_equal(asked(d, &token), 1);
	answer(d, token, OUTCOME_OK, 0);
	assert_int_equal(scope_deadline(&d->run), d->run.now_ms + 1000);
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_run_scopes_are_where_a_runner_was_registered),
		ROW(test_run_scopes_find_a_runner_by_number_else_by_name),
		ROW(test_run_scopes_ask_once_for_all_that_wait),
		ROW(test_run_scopes_tell_nobody_what_is_older_than_his_wait),
		ROW(test_run_scopes_look_less_often_as_time_goes_by),
		ROW(test_run_scopes_back_off_from_failures),
		ROW(test_run_scopes_hurry_for_who_begins_to_wait),
		ROW(test_run_scopes_have_one_deadline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
