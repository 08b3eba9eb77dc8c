/*
 * test_run_remove_github.c - a runner is removed, one act by itself: what
 * GitHub's listings and its answers to the removal mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "remove_world.h"

/* -------------------------------------------------------------- listings -- */

/* Twice idle, a window apart; see test_run_tables.c for all combinations. */
static void
test_run_remove_needs_two_idle_looks_a_window_apart(void **state)
{
	static const struct {
		const char *listed;	/* known, in it, online, busy */
		int64_t before_ms;	/* since the first idle look;
					   -1: none */
		char wanted;
		const char *why;
		int64_t pause_ms;
	} rows[] = {
		{ "klo", -1, 'w', "it looks idle; making sure that it stays so",
		  60000 },
		{ "klo", 20000, 'w', "it looks idle; making sure that it stays "
		  "so", 40000 },
		{ "klo", 59999, 'w', "it looks idle; making sure that it stays "
		  "so", 1 },
		{ "klo", 60000, 'd', "asking GitHub to remove it", 0 },
		{ "klob", 60000, 'w', "waiting: GitHub says that it has a job",
		  5000 },
		{ "", 60000, 'w', "waiting: GitHub does not say whether it has "
		  "a job: oops", 5000 },
		{ "k", -1, 'w', "it looks idle; making sure that it stays so",
		  60000 },
		{ "k", 60000, 'd', "asking GitHub to remove it", 0 },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < 2 * COUNTOF(rows); i++) {
		size_t row = i / 2;
		const char *listed = rows[row].listed;
		int64_t window = i % 2 ? 120000 : 60000;
		int64_t before = rows[row].before_ms;

		remove_begin(f);
		f->run.options.idle_window_ms = i % 2 ? window : 0;
		remove_journal(f);
		remove_ssh(&f->run, &f->act, &remove_looks[1].answer);
		remove_quiet(f);
		f->act.clean = before >= 0;
		f->act.ended_ms = f->run.now_ms - before * (window / 60000);
		remove_seen.online = strchr(listed, 'o') != NULL;
		remove_seen.busy = strchr(listed, 'b') != NULL;
		remove_listed(&f->run, &f->act, &(struct github_answer){
			.outcome = strchr(listed, 'k') ? OUTCOME_OK
						       : OUTCOME_UNKNOWN,
			.message = STR("oops"), .runners = &remove_seen,
			.nrunners = strchr(listed, 'l') != NULL });
		if (remove_does(f) != rows[row].wanted)
			fail_msg("row %zu", row);
		assert_text(arena_cstr(&f->w.arena, f->act.reason),
		    rows[row].why);
		if (rows[row].wanted == 'w' && rows[row].pause_ms != 5000)
			assert_act_waits(f, before == 59999 && i % 2 ? 2 :
			    rows[row].pause_ms * (window / 60000));
		else if (rows[row].wanted == 'w')
			assert_act_waits(f, 5000);
		/* The window begins with the first idle look. */
		if (before < 0)
			assert_int_equal(f->act.ended_ms, f->run.now_ms);
		if (rows[row].wanted != 'w')
			continue;
		remove_quiet(f);
		remove_start(&f->run, &f->act);
		assert_int_equal(remove_does(f), 'k');
	}
}

/* Neither side hears of it: there is nothing to wait for. */
static void
test_run_remove_of_what_nobody_hears_from_is_asked_for_at_once(void **state)
{
	struct act_world *f = *state;

	remove_begin(f);
	remove_journal(f);
	remove_ssh(&f->run, &f->act, &remove_looks[0].answer);
	remove_seen.online = false;
	remove_quiet(f);
	remove_listed(&f->run, &f->act, &(struct github_answer){
		.outcome = OUTCOME_OK, .runners = &remove_seen,
		.nrunners = 1 });
	assert_int_equal(remove_does(f), 'd');
	/* But not after a signal. */
	remove_begin(f);
	remove_journal(f);
	remove_ssh(&f->run, &f->act, &remove_looks[0].answer);
	f->run.stopping = true;
	remove_quiet(f);
	remove_listed(&f->run, &f->act, &(struct github_answer){
		.outcome = OUTCOME_OK });
	assert_int_equal(remove_does(f), 'n');
	assert_int_equal(f->act.last_failure, FAIL_INTERRUPTED);
}

/* --------------------------------------------------------------- deletion - */

static void
to_delete(struct act_world *f, bool force)
{
	remove_begin(f);
	f->run.options.force = force;
	if (!force)
		f->pod.status = POD_EXITED;
	remove_journal(f);
	assert_int_equal(remove_does(f), 'd');
	f->pod.status = POD_RUNNING;
	remove_quiet(f);
}

/* Only a yes is a yes; by reason: ... NOT_FOUND is asked about, BUSY is a
 * job, whatever else is not clear means that there may be one. */
static void
test_run_remove_believes_a_clear_yes_alone(void **state)
{
	/* OK, NOT_SENT, NO_EFFECT, UNKNOWN; then by force. */
	static const char *const wanted[2][4] = {
		{ "kkkkkkkkkkkkk", "wwwwwwwwwwwww", "wwwwwwfwwwwww",
		  "wwwwwwwwwwwww" },
		{ "rrrrrrrrrrrrr", "wwwwwwwwwwwww", "rrrrrrfrrrrrr",
		  "wwwwwwwwwwwww" },
	};
	struct act_world *f = *state;

	for (int force = 0; force < 2; force++)
	for (int outcome = 0; outcome < 4; outcome++) {
		char found[REASON_BUSY + 2] = "";
		for (int reason = 0; reason <= REASON_BUSY; reason++) {
			to_delete(f, force);
			remove_github(&f->run, &f->act, &(struct github_answer){
				.outcome = (enum cloud_outcome)outcome,
				.reason = (enum cloud_reason)reason,
				.message = STR("oops") });
			found[reason] = remove_does(f);
			if (found[reason] == 'w')
				assert_text(arena_cstr(&f->w.arena,
				    f->act.reason), reason == REASON_BUSY
				    ? "waiting: GitHub says that it has a job"
				    : "waiting: GitHub did not remove it: "
				      "oops");
			/* By force the pod ends, and GitHub keeps it. */
			bool kept = force && outcome == OUTCOME_NO_EFFECT &&
			    found[reason] == 'r';
			assert_int_equal(f->act.effected, force &&
			    outcome == OUTCOME_OK);
			assert_int_equal(f->act.ended_how.len > 0, kept);
		}
		if (strcmp(found, wanted[force][outcome]) != 0)
			fail_msg("force %d, outcome %d: %s", force, outcome,
			    found);
	}
}

/* 404 may mean "not allowed": gone is what a search for its name says. */
static void
test_run_remove_that_is_not_found_is_looked_for(void **state)
{
	static const struct {
		enum cloud_outcome outcome;
		size_t n;
		char wanted;
		const char *why;
	} rows[] = {
		{ OUTCOME_OK, 0, 'k', "asking GitHub to remove it" },
		{ OUTCOME_OK, 1, 'w', "waiting: GitHub says both that it is "
		  "gone and that it is there" },
		{ OUTCOME_UNKNOWN, 0, 'w', "waiting: oops" },
		{ OUTCOME_NO_EFFECT, 0, 'w', "waiting: oops" },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		to_delete(f, false);
		remove_github(&f->run, &f->act, &(struct github_answer){
			.outcome = OUTCOME_NO_EFFECT,
			.reason = REASON_NOT_FOUND });
		assert_int_equal(remove_does(f), 'f');
		remove_quiet(f);
		remove_github(&f->run, &f->act, &(struct github_answer){
			.outcome = rows[i].outcome, .runners = &remove_seen,
			.nrunners = rows[i].n, .message = STR("oops") });
		assert_int_equal(remove_does(f), rows[i].wanted);
		assert_text(arena_cstr(&f->w.arena, f->act.reason),
		    rows[i].why);
	}
}

/* Nothing of it can be alive: GitHub's yes is the end. */
static void
test_run_remove_of_a_stopped_pod_needs_no_second_look(void **state)
{
	struct act_world *f = *state;

	to_delete(f, false);
	f->pod.status = POD_EXITED;
	remove_github(&f->run, &f->act, &(struct github_answer){
		.outcome = OUTCOME_OK });
	assert_int_equal(remove_does(f), 'r');
	assert_true(f->act.effected);
}

/* A wait between the yes and the look: the look comes, not a second try. */
static void
test_run_remove_looks_after_a_yes_also_when_it_waited(void **state)
{
	struct act_world *f = *state;

	remove_to_after(f);
	remove_ssh(&f->run, &f->act, &remove_looks[5].answer);
	assert_int_equal(remove_does(f), 'w');
	f->pod.status = POD_EXITED;
	remove_quiet(f);
	remove_start(&f->run, &f->act);
	assert_int_equal(remove_does(f), 'r');
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_remove_needs_two_idle_looks_a_window_apart),
		TEST(test_run_remove_of_what_nobody_hears_from_is_asked_for_at_once),
		TEST(test_run_remove_believes_a_clear_yes_alone),
		TEST(test_run_remove_that_is_not_found_is_looked_for),
		TEST(test_run_remove_of_a_stopped_pod_needs_no_second_look),
		TEST(test_run_remove_looks_after_a_yes_also_when_it_waited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
