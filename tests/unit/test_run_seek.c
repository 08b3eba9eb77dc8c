/*
 * test_run_seek.c - what became of a registration that got a token and did
 * not come online: it is sought by its name before anything is undone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"
#include "base/units.h"
#include "run_world.h"

static struct act made;

/* The undo of a registration whose op is open, on pod p. */
static void
begin(struct act_world *f)
{
	act_begin(f, ACTION_RUNNER_REMOVE, "");
	made = (struct act){ .kind = ACTION_RUNNER_REGISTER, .intended = true,
		.entry = { .kind = KIND_RUNNER, .runner = {
			.repository = STR("acme/m"), .name = STR("ci-pf01"),
			.pod = STR("pod.a"), .pod_id = STR("p") } } };
	memset(made.op.hex, 'a', sizeof made.op.hex - 1);
	f->change = (struct plan_change){ .kind = KIND_RUNNER,
		.address = STR("runner.ci"), .host = &f->pod,
		.host_change = SIZE_MAX };
	f->pod.id = STR("p");
	f->subject.runner.started = true;
	f->act.undo = true;
	f->act.undoes = &made;
	f->act.phase = PH_QUEUED;
	f->run.inside_in_flight = 0;
	f->run.busy_pods = f->run.runners_on = (struct map){0};
	f->run.summary.changed = false;
}

static void
assert_seeks(struct act_world *f)
{
	struct github_request request = act_effect(f, RUN_GITHUB).github;

	assert_int_equal(request.op, GITHUB_FIND_RUNNER);
	assert_true(str_is(request.name, "ci-pf01"));
	assert_true(str_is(request.scope.repository, "acme/m"));
	assert_no_effect(f);
}

/* The open op has its result: what it is. */
static struct record
result(struct act_world *f)
{
	struct record record = act_effect(f, RUN_JOURNAL).record;

	assert_int_equal(record.type, RECORD_RESULT);
	assert_int_equal(record.price_per_hour, -1);	/* not told */
	assert_false(record.adopted);
	assert_memory_equal(&record.op.op, &made.op, sizeof made.op);
	assert_false(made.intended);
	assert_int_equal(f->act.phase, PH_RESULT);
	return record;
}

static void
answer(struct act_world *f, size_t n)
{
	static struct github_runner runner = { .id = 91,
		.name = STR_INIT("ci-pf01") };

	remove_github(&f->run, &f->act, &(struct github_answer){
		.outcome = OUTCOME_OK, .runners = &runner, .nrunners = n });
}

/* Its token never left us: nothing can have come of it. */
static void
test_run_seek_asks_only_if_the_token_was_given_away(void **state)
{
	struct act_world *f = *state;

	begin(f);
	f->subject.runner.started = false;
	remove_start(&f->run, &f->act);
	assert_int_equal(result(f).outcome, OP_NONE);
	assert_int_equal(f->act.next, NEXT_DONE);
	begin(f);
	remove_start(&f->run, &f->act);
	assert_seeks(f);
	assert_true(str_is(f->act.reason,
	    "looking whether it has registered itself"));
}

/* It has registered itself: that is recorded, and then it is removed. */
static void
test_run_seek_takes_in_what_it_finds(void **state)
{
	struct act_world *f = *state;

	begin(f);
	remove_start(&f->run, &f->act);
	assert_seeks(f);
	answer(f, 1);
	struct record record = result(f);
	assert_int_equal(record.outcome, OP_DONE);
	assert_true(str_is(record.id, "91"));
	assert_int_equal(f->act.next, NEXT_RETRY);
	assert_true(made.effected);
	assert_int_equal(made.number, 91);
	assert_true(str_is(made.id, "91"));
	assert_true(str_is(f->subject.id, "91"));
	assert_true(f->run.summary.changed);
	assert_ptr_equal(map_get(&f->run.runners_on, STR("p")), &made);
	/* As any other from then on. */
	lock_add_entry(&f->w.lock, &(struct lock_entry){ .kind = KIND_RUNNER,
		.address = STR("runner.ci"), .id = STR("91"),
		.runner = made.entry.runner });
	f->act.phase = PH_QUEUED;
	f->pod.status = POD_EXITED;
	remove_start(&f->run, &f->act);
	assert_int_equal(act_effect(f, RUN_JOURNAL).record.op.action,
	    OP_DELETE);
	assert_false(f->act.settles);
	remove_journaled(&f->run, &f->act);
	assert_int_equal(act_effect(f, RUN_GITHUB).github.op,
	    GITHUB_DELETE_RUNNER);
	answer(f, 0);
	assert_int_equal(act_effect(f, RUN_JOURNAL).record.outcome, OP_DONE);
	assert_int_equal(f->act.next, NEXT_DONE);
}

/* No answer is none: again, a few times; the op stays open then. */
static void
test_run_seek_without_an_answer_is_repeated(void **state)
{
	struct act_world *f = *state;

	begin(f);
	remove_start(&f->run, &f->act);
	for (int i = 0; i < 6; i++) {
		act_asked(f);
		remove_github(&f->run, &f->act, &(struct github_answer){
			.outcome = OUTCOME_UNKNOWN, .retry_after_ms = 60000,
			.message = STR("oops") });
		if (i < 5)
			assert_act_waits(f, 60000);
	}
	assert_act_failed(f, FAIL_ERROR, "oops");
	assert_true(made.intended);
}

/* Not there, and config.sh may be at it still: it is silenced, and only then
 * its absence counts. */
static void
test_run_seek_silences_the_pod_before_it_believes_absence(void **state)
{
	struct act_world *f = *state;
	const struct ssh_answer stopped = ssh_exits(0, "");

	for (int found = 0; found < 2; found++) {
		begin(f);
		remove_start(&f->run, &f->act);
		assert_seeks(f);
		answer(f, 0);
		struct ssh_request ssh = act_effect(f, RUN_SSH).ssh;
		assert_int_equal(ssh.task, SSH_RUNNER_STOP);
		assert_true(str_is(ssh.runner.name, "ci-pf01"));
		assert_int_equal(ssh.timeout_ms, MINUTE_MS);
		assert_true(made.intended);
		remove_ssh(&f->run, &f->act, &stopped);
		assert_seeks(f);
		answer(f, (size_t)found);
		assert_int_equal(result(f).outcome, found ? OP_DONE : OP_NONE);
	}
	/* The pod is down: nobody can be at it. */
	begin(f);
	f->pod.status = POD_EXITED;
	remove_start(&f->run, &f->act);
	assert_seeks(f);
	answer(f, 0);
	assert_int_equal(result(f).outcome, OP_NONE);
}

/* What has been silenced is not silenced again after a failed search. */
static void
test_run_seek_goes_on_where_it_was(void **state)
{
	struct act_world *f = *state;
	const struct ssh_answer stopped = ssh_exits(0, "");

	begin(f);
	remove_start(&f->run, &f->act);
	answer(f, 0);
	remove_ssh(&f->run, &f->act, &stopped);
	remove_github(&f->run, &f->act, &(struct github_answer){
		.outcome = OUTCOME_UNKNOWN, .message = STR("oops") });
	assert_act_waits(f, 2000);
	f->run.effects.n = f->run.effects_at = 0;
	remove_start(&f->run, &f->act);
	assert_seeks(f);
	answer(f, 0);
	assert_int_equal(result(f).outcome, OP_NONE);
}

static void
test_run_seek_leaves_a_pod_in_peace_that_may_have_a_job(void **state)
{
	static const char job[] = "it has a job; it is left in peace: apply "
	    "again later";
	static const char unknown[] = "nobody knows whether it has registered "
	    "itself and has a job; it is left in peace: apply again later";
	static const struct {
		enum ssh_outcome outcome;
		int status;
		const char *why;
	} rows[] = {
		{ SSH_DONE, SSH_STATUS_HAS_JOB, job },
		{ SSH_DONE, 1, unknown }, { SSH_DONE, -1, unknown },
		{ SSH_LOST, 0, unknown },
		{ SSH_UNREACHABLE, SSH_STATUS_HAS_JOB, unknown },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < 2 * COUNTOF(rows); i++) {
		begin(f);
		if (i % 2)
			made.entry.runner.pod_id = (struct str){0};
		remove_start(&f->run, &f->act);
		answer(f, 0);
		remove_ssh(&f->run, &f->act, &(struct ssh_answer){
			.outcome = rows[i / 2].outcome,
			.status = rows[i / 2].status });
		assert_act_failed(f, FAIL_BUSY, rows[i / 2].why);
		/* The next apply asks for its name again. */
		assert_true(made.intended);
		assert_int_equal(map_get(&f->run.busy_pods, STR("p")) != NULL,
		    i % 2 == 0);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_seek_asks_only_if_the_token_was_given_away),
		TEST(test_run_seek_takes_in_what_it_finds),
		TEST(test_run_seek_without_an_answer_is_repeated),
		TEST(test_run_seek_silences_the_pod_before_it_believes_absence),
		TEST(test_run_seek_goes_on_where_it_was),
		TEST(test_run_seek_leaves_a_pod_in_peace_that_may_have_a_job),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
