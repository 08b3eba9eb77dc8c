/*
 * test_run_remove.c - a runner is removed, one act by itself: who is asked
 * for a job of its, and how long is waited.  Nobody's job may be ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "remove_world.h"

/* ------------------------------------------------------------------ start */

static void
test_run_remove_journals_what_it_will_remove(void **state)
{
	struct act_world *f = *state;

	for (int own_time = 0; own_time < 2; own_time++) {
		remove_begin(f);
		f->run.options.drain_ms = own_time ? 60000 : 0;
		remove_start(&f->run, &f->act);
		struct lock_op op = act_effect(f, RUN_JOURNAL).record.op;
		assert_int_equal(op.action, OP_DELETE);
		assert_true(str_is(op.entry.id, "77"));
		assert_true(op.op.hex[0] != '\0');
		assert_true(str_is(op.entry.runner.pod_id, "p1"));
		assert_int_equal(f->act.number, 77);
		assert_int_equal(f->act.deadline_ms, 5000 +
		    (own_time ? 60000 : 30 * MINUTE_MS));
	}
	/* One that only GitHub lists: nobody knows its pod. */
	remove_begin(f);
	f->w.lock.entries.n = 0;
	f->w.lock.index = NULL;
	f->change.have = NULL;
	f->change.runner_config.repository = STR("acme/m");
	remove_start(&f->run, &f->act);
	struct lock_op op = act_effect(f, RUN_JOURNAL).record.op;
	assert_true(str_is(op.entry.id, "77"));
	assert_true(str_is(op.entry.address, "runner.ci"));
	assert_int_equal(op.entry.kind, KIND_RUNNER);
	assert_int_equal(op.entry.runner.pod_id.len, 0);
	assert_int_equal(op.entry.price_per_hour, -1);
	assert_true(str_is(op.entry.runner.repository, "acme/m"));
}

static void
test_run_remove_of_what_is_not_there_is_done(void **state)
{
	static const char *const odd[] = { "", "0", "-7", "x", "77x" };
	struct act_world *f = *state;

	/* Neither recorded nor listed; recorded no more. */
	remove_begin(f);
	f->change.have = NULL;
	f->change.runner = NULL;
	remove_start(&f->run, &f->act);
	assert_int_equal(remove_does(f), '.');
	remove_begin(f);
	f->w.lock.entries.n = 0;
	f->w.lock.index = NULL;
	remove_start(&f->run, &f->act);
	assert_int_equal(remove_does(f), '.');
	/* A record whose id is no number of GitHub's. */
	for (size_t i = 0; i < COUNTOF(odd); i++) {
		remove_begin(f);
		remove_entry.id = str_from(odd[i]);
		f->w.lock.entries.items[0].id = remove_entry.id;
		f->w.lock.index = NULL;
		remove_start(&f->run, &f->act);
		assert_int_equal(remove_does(f), '.');
	}
}

/* Started again after a wait: under the same op. */
static void
test_run_remove_goes_on_with_its_op(void **state)
{
	struct act_world *f = *state;

	remove_begin(f);
	remove_journal(f);
	struct id128 op = f->act.op;
	f->act.phase = PH_QUEUED;
	remove_quiet(f);
	remove_start(&f->run, &f->act);
	assert_int_equal(remove_does(f), 'k');
	assert_memory_equal(&op, &f->act.op, sizeof op);
}

/* ------------------------------------------------------------- who is asked */

static const struct {
	const char *what;
	enum pod_status status;
	const char *start, *recorded_start;
	bool no_port, force, orphan, never_started, undo;
	char wanted;
} firsts[] = {
	{ "it runs", POD_RUNNING, REMOVE_AT, REMOVE_AT, .wanted = 'k' },
	{ "it starts", POD_STARTING, REMOVE_AT, REMOVE_AT, .wanted = 'k' },
	{ "who knows", POD_UNKNOWN, REMOVE_AT, REMOVE_AT, .wanted = 'k' },
	{ "it has exited", POD_EXITED, REMOVE_AT, REMOVE_AT, .wanted = 'd' },
	{ "another container", POD_RUNNING, "L", "R",
	  .wanted = 'd' },
	{ "no time is known", POD_RUNNING, "", REMOVE_AT, .wanted = 'k' },
	{ "none is recorded", POD_RUNNING, REMOVE_AT, "", .wanted = 'k' },
	{ "no port", POD_RUNNING, REMOVE_AT, REMOVE_AT, .no_port = true,
	  .wanted = 'w' },
	{ "forced", POD_RUNNING, REMOVE_AT, REMOVE_AT, .force = true,
	  .wanted = 'd' },
	{ "nobody's", POD_RUNNING, REMOVE_AT, REMOVE_AT, .orphan = true,
	  .wanted = 'i' },
	{ "never started", POD_RUNNING, REMOVE_AT, REMOVE_AT, .undo = true,
	  .never_started = true, .wanted = 'd' },
	{ "undone", POD_RUNNING, REMOVE_AT, REMOVE_AT, .undo = true,
	  .wanted = 'k' },
};

static void
test_run_remove_asks_who_may_know_of_a_job(void **state)
{
	struct act_world *f = *state;
	struct act made = { .id = STR("77"), .entry = remove_entry };

	/* Its pod is that of the change, or another that is listed. */
	for (size_t i = 0; i < 2 * COUNTOF(firsts); i++) {
		size_t row = i / 2;
		remove_begin(f);
		struct cloud_pod pods[] = { f->pod, f->pod };
		made.entry = remove_entry;
		f->pod.status = firsts[row].status;
		f->pod.started_at = str_from(firsts[row].start);
		if (firsts[row].no_port)
			f->pod.ssh.port = 0;
		f->w.lock.entries.items[0].runner.pod_start =
		    str_from(firsts[row].recorded_start);
		if (i % 2) {
			size_t at = row % 2;
			pods[at] = f->pod;
			pods[at].id = STR("p1");
			pods[1 - at].id = f->pod.id = STR("p9");
			pods[1 - at].status = f->pod.status = POD_EXITED;
			f->w.live.pods = pods;
			f->w.live.npods = 2;
		}
		f->run.options.force = firsts[row].force;
		f->act.undo = firsts[row].undo;
		f->act.undoes = firsts[row].undo ? &made : NULL;
		f->subject.runner.started = !firsts[row].never_started;
		if (firsts[row].orphan)
			f->change.have = NULL;
		if (firsts[row].orphan)
			f->change.runner_config = remove_entry.runner;
		remove_journal(f);
		char found = remove_does(f);
		if (found != firsts[row].wanted)
			fail_msg("%s, %zu: %c", firsts[row].what, i % 2,
			    found);
		if (found == 'd')
			assert_true(f->run.summary.changed);
		if (found == 'i')
			assert_true(f->act.seen);
	}
	/* Its pod is gone: nothing of it can be alive. */
	remove_begin(f);
	f->pod.id = STR("p9");
	remove_journal(f);
	assert_int_equal(remove_does(f), 'd');
	/* No pod is recorded: that of the change. */
	remove_begin(f);
	f->w.lock.entries.items[0].runner.pod_id = (struct str){0};
	remove_journal(f);
	assert_int_equal(remove_does(f), 'k');
	/* ... and there is none. */
	remove_begin(f);
	f->w.lock.entries.items[0].runner.pod_id = (struct str){0};
	f->change.host = NULL;
	remove_journal(f);
	assert_int_equal(remove_does(f), 'd');
}

static void
test_run_remove_asks_nobody_when_it_may_not(void **state)
{
	struct act_world *f = *state;

	for (int stopping = 0; stopping < 2; stopping++) {
		remove_begin(f);
		f->run.stopping = stopping;
		f->run.fatal = stopping ? FAIL_NONE : FAIL_BALANCE;
		remove_journal(f);
		assert_int_equal(remove_does(f), 'n');
		assert_int_equal(f->act.last_failure, stopping
			? FAIL_INTERRUPTED : FAIL_ERROR);
		assert_true(str_is(f->act.last_refusal,
		    "stopped before it was removed"));
		assert_int_equal(f->run.busy_pods.n, 0);
	}
}

/* ---------------------------------------------------------------- looks --- */

static void
test_run_remove_waits_for_a_job_or_for_an_answer(void **state)
{
	struct act_world *f = *state;

	/* Before GitHub was asked, and after its yes. */
	for (size_t i = 0; i < 2 * REMOVE_LOOKS; i++) {
		const char *why = remove_looks[i / 2].why;
		if (i % 2) {
			remove_to_after(f);
		} else {
			remove_begin(f);
			remove_journal(f);
			remove_quiet(f);
		}
		remove_ssh(&f->run, &f->act, &remove_looks[i / 2].answer);
		if (why == NULL) {
			assert_int_equal(remove_does(f), i % 2 ? 's' : 'i');
			if (i % 2 == 0)
				assert_int_equal(f->act.seen,
				    remove_looks[i / 2].answer.listener);
			continue;
		}
		assert_act_waits(f, 5000);
		assert_text(arena_cstr(&f->w.arena, f->act.reason),
		    arena_printf(&f->w.arena, "waiting: %s", why).data);
		/* It looks there again; GitHub is not asked twice. */
		remove_quiet(f);
		remove_start(&f->run, &f->act);
		assert_int_equal(remove_does(f), 'k');
		remove_quiet(f);
		remove_ssh(&f->run, &f->act, &remove_looks[0].answer);
		assert_int_equal(remove_does(f), i % 2 ? 's' : 'i');
	}
}

static void
test_run_remove_is_done_when_its_pod_says_that_it_stopped(void **state)
{
	static const struct {
		struct ssh_answer answer;
		char wanted;
		const char *why;
	} rows[] = {
		{ { .outcome = SSH_DONE }, 'r', "" },
		{ { .outcome = SSH_DONE, .status = SSH_STATUS_HAS_JOB }, 'w',
		  "waiting: it has a job" },
		{ { .outcome = SSH_DONE, .status = 1, .worker = true }, 'w',
		  "waiting: it has a job" },
		{ { .outcome = SSH_DONE, .status = 1 }, 'w',
		  "waiting: nobody knows whether it has a job: " },
		{ { .outcome = SSH_LOST, .status = SSH_STATUS_HAS_JOB,
		    .reason = STR_INIT("cut") }, 'w',
		  "waiting: nobody knows whether it has a job: cut" },
		{ { .outcome = SSH_LOST, .worker = true }, 'w',
		  "waiting: it has a job" },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		remove_to_after(f);
		remove_ssh(&f->run, &f->act, &remove_looks[0].answer);
		remove_quiet(f);
		remove_ssh(&f->run, &f->act, &rows[i].answer);
		assert_int_equal(remove_does(f), rows[i].wanted);
		if (rows[i].wanted == 'r') {
			assert_true(f->act.effected);
			continue;
		}
		assert_text(arena_cstr(&f->w.arena, f->act.reason),
		    rows[i].why);
		/* A look first: the job may be seen only now.  GitHub has said
		 * its yes. */
		remove_quiet(f);
		remove_start(&f->run, &f->act);
		assert_int_equal(remove_does(f), 'k');
		remove_quiet(f);
		remove_ssh(&f->run, &f->act, &remove_looks[0].answer);
		assert_int_equal(remove_does(f), 's');
	}
}

/* -------------------------------------------------------------- waiting --- */

static void
test_run_remove_waits_longer_until_its_time_is_over(void **state)
{
	static const int64_t pauses[] = { 5000, 10000, 15000, 20000, 25000,
		30000, 30000, 30000, 15000 };
	struct act_world *f = *state;

	remove_begin(f);
	f->run.options.drain_ms = 180000;
	remove_journal(f);
	for (size_t i = 0; i < COUNTOF(pauses); i++) {
		act_asked(f);
		f->act.clean = 1;
		remove_ssh(&f->run, &f->act, &remove_looks[2].answer);
		assert_act_waits(f, pauses[i]);
		assert_int_equal(f->act.clean, 0);
		f->run.now_ms += pauses[i];
	}
	act_asked(f);
	remove_ssh(&f->run, &f->act, &remove_looks[2].answer);
	assert_int_equal(remove_does(f), 'n');
	assert_int_equal(f->act.last_failure, FAIL_BUSY);
	assert_text(arena_cstr(&f->w.arena, f->act.last_refusal),
	    "it has a job; it is left in peace: apply again later, or end it "
	    "with --force-runners");
	/* And so is its pod. */
	assert_ptr_equal(map_get(&f->run.busy_pods, STR("p1")), &f->act);
}

static void
test_run_remove_that_is_undone_does_not_wait_after_a_signal(void **state)
{
	struct act_world *f = *state;

	/* undo, stopping: 0 to 3 */
	for (unsigned i = 0; i < 4; i++) {
		remove_begin(f);
		remove_journal(f);
		remove_quiet(f);
		f->act.undo = i & 2;
		f->run.stopping = i & 1;
		remove_ssh(&f->run, &f->act, &remove_looks[2].answer);
		assert_int_equal(remove_does(f), i == 3 ? 'n' : 'w');
	}
	/* One whose pod nobody knows keeps none. */
	remove_begin(f);
	f->w.lock.entries.items[0].runner.pod_id = (struct str){0};
	remove_journal(f);
	f->run.now_ms = f->act.deadline_ms;
	remove_ssh(&f->run, &f->act, &remove_looks[2].answer);
	assert_int_equal(remove_does(f), 'n');
	assert_int_equal(f->run.busy_pods.n, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_remove_journals_what_it_will_remove),
		TEST(test_run_remove_of_what_is_not_there_is_done),
		TEST(test_run_remove_goes_on_with_its_op),
		TEST(test_run_remove_asks_who_may_know_of_a_job),
		TEST(test_run_remove_asks_nobody_when_it_may_not),
		TEST(test_run_remove_waits_for_a_job_or_for_an_answer),
		TEST(test_run_remove_is_done_when_its_pod_says_that_it_stopped),
		TEST(test_run_remove_waits_longer_until_its_time_is_over),
		TEST(test_run_remove_that_is_undone_does_not_wait_after_a_signal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
