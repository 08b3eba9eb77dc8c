/*
 * test_run_change_answers.c - updates, starts, stops and deletions that were
 * sent, one act by itself: what each answer means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"
#include "run_world.h"

/* --------------------------------------------------------- after sending -- */

/* What comes of each answer: f done, g is it gone, c look, a again, r refused.
 * By reason; rows of outcomes OK, NOT_SENT, NO_EFFECT, UNKNOWN. */
static void
test_run_change_takes_each_answer_for_what_it_says(void **state)
{
	/* ... NOT_FOUND, CONFLICT, RATE_LIMITED, ... BUSY */
	static const struct { enum action_kind kind; const char *wanted[4]; }
	rows[] = {
		{ ACTION_POD_DELETE, { "ggggggggggggg", "aaaaaaaaaaaaa",
			"rrrrrrgrarrrr", "aaaaaaaaaaaaa" } },
		{ ACTION_VOLUME_DELETE, { "ggggggggggggg", "aaaaaaaaaaaaa",
			"rrrrrrgrarrrr", "aaaaaaaaaaaaa" } },
		{ ACTION_POD_STOP, { "fffffffffffff", "aaaaaaaaaaaaa",
			"rrrrrrrcarrrr", "ccccccccccccc" } },
		{ ACTION_POD_UPDATE, { "fffffffffffff", "aaaaaaaaaaaaa",
			"rrrrrrrcarrrr", "ccccccccccccc" } },
		{ ACTION_VOLUME_UPDATE, { "fffffffffffff", "aaaaaaaaaaaaa",
			"rrrrrrrcarrrr", "ccccccccccccc" } },
	};
	struct act_world *f = *state;
	struct act_thing c;

	for (size_t i = 0; i < COUNTOF(rows); i++)
	for (int outcome = 0; outcome < 4; outcome++) {
		char found[REASON_BUSY + 2] = "";
		for (int reason = 0; reason <= REASON_BUSY; reason++) {
			act_begin_thing(f, &c, rows[i].kind);
			act_send(f, &c);
			change_answer(&f->run, &f->act, &(struct cloud_answer){
				.outcome = (enum cloud_outcome)outcome,
				.reason = (enum cloud_reason)reason,
				.message = STR("no") });
			found[reason] = f->act.phase == PH_QUEUED ? 'a' :
			    f->act.phase == PH_CHECK ?
			    action_rows[rows[i].kind].deletes ? 'g' : 'c' :
			    f->act.phase != PH_RESULT ? '?' :
			    f->act.next == NEXT_DONE ? 'f' : 'r';
			if (found[reason] == 'f')
				assert_false(act_effect(f, RUN_JOURNAL).record
				    .adopted);
			assert_int_equal(f->act.unclear,
			    outcome == OUTCOME_UNKNOWN);
		}
		if (strcmp(found, rows[i].wanted[outcome]) != 0)
			fail_msg("%s, outcome %d: %s",
			    action_words(rows[i].kind), outcome, found);
	}
}

static void
test_run_change_refused_says_why(void **state)
{
	static const struct {
		enum cloud_reason reason;
		enum run_failure failure;
	} rows[] = {
		{ REASON_NO_CAPACITY, FAIL_CAPACITY },
		{ REASON_AUTH, FAIL_AUTH }, { REASON_BALANCE, FAIL_BALANCE },
		{ REASON_FORBIDDEN, FAIL_ERROR },
		{ REASON_BAD_REQUEST, FAIL_ERROR },
	};
	struct act_world *f = *state;
	struct act_thing c;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		act_begin_thing(f, &c, ACTION_POD_STOP);
		act_send(f, &c);
		change_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_NO_EFFECT,
			.reason = rows[i].reason, .message = STR("no") });
		assert_int_equal(f->act.last_failure, rows[i].failure);
		assert_true(str_is(f->act.last_refusal, "no"));
		assert_int_equal(f->act.next, NEXT_FAIL);
		struct record record = act_effect(f, RUN_JOURNAL).record;
		assert_int_equal(record.outcome, OP_NONE);
		assert_false(record.adopted);
	}
}

/* Five times; then its result is that nothing happened, as far as is known. */
static void
test_run_change_is_sent_again_five_times(void **state)
{
	struct act_world *f = *state;
	struct act_thing c;

	act_begin_thing(f, &c, ACTION_POD_DELETE);
	act_send(f, &c);
	for (int i = 0; i < 5; i++) {
		f->act.phase = PH_SENT;
		change_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_UNKNOWN, .retry_after_ms = 60000,
			.message = STR("oops") });
		assert_act_waits(f, 60000);
	}
	f->act.phase = PH_SENT;
	change_answer(&f->run, &f->act, &(struct cloud_answer){
		.outcome = OUTCOME_UNKNOWN, .message = STR("oops") });
	assert_int_equal(f->act.phase, PH_RESULT);
	assert_int_equal(f->act.next, NEXT_FAIL);
	assert_true(str_is(f->act.last_refusal, "oops"));
}

/* Not sent any more: nothing happened; or nobody knows, and it stays open. */
static void
test_run_change_stopped_says_what_is_known(void **state)
{
	/* unclear, stopping, fatal: 0 to 7.  s is sent, n nothing happened,
	 * o the op stays open; a capital: by a signal. */
	static const char wanted[] = "snNNsoOO";
	struct act_world *f = *state;
	struct act_thing c;
	char found[9] = "";
	bool part_failed[] = { true };

	for (unsigned i = 0; i < 8; i++) {
		bool unclear = i & 4, stopping = i & 2, fatal = i & 1;
		act_begin_thing(f, &c, ACTION_POD_STOP);
		change_start(&f->run, &f->act);
		struct cloud_answer answer = act_shown(f, &c);
		change_answer(&f->run, &f->act, &answer);
		f->run.effects.n = f->run.effects_at = 0;
		f->act.unclear = unclear;
		f->run.stopping = stopping;
		f->run.fatal = fatal ? FAIL_BALANCE : FAIL_NONE;
		change_journaled(&f->run, &f->act);
		found[i] = f->act.phase == PH_SENT ? 's' :
		    f->act.phase == PH_RESULT ? 'n' :
		    f->act.phase == PH_FAILED ? 'o' : '?';
		if (f->act.phase == PH_RESULT) {
			assert_true(str_is(f->act.last_refusal,
			    "stopped before anything was sent"));
			assert_int_equal(f->act.next, NEXT_FAIL);
			assert_false(act_effect(f, RUN_JOURNAL).record.adopted);
		}
		if (f->act.phase == PH_FAILED)
			assert_true(str_is(f->act.reason,
			    "stopped after an unclear answer"));
		if (found[i] != 's' &&
		    f->act.last_failure == FAIL_INTERRUPTED)
			found[i] = (char)(found[i] - 'a' + 'A');
		f->run.stopping = false;
		f->run.fatal = FAIL_NONE;
	}
	assert_string_equal(found, wanted);
	/* Its part has failed since: what is unclear is sent all the same, to
	 * know what came of it. */
	for (int unclear = 0; unclear < 2; unclear++) {
		size_t busy[] = { 1 };
		act_begin_thing(f, &c, ACTION_POD_STOP);
		change_start(&f->run, &f->act);
		struct cloud_answer answer = act_shown(f, &c);
		change_answer(&f->run, &f->act, &answer);
		f->act.unclear = unclear;
		f->act.component = 0;
		f->run.failed_component = part_failed;
		f->run.busy_component = busy;
		change_journaled(&f->run, &f->act);
		assert_int_equal(f->act.phase, unclear ? PH_SENT : PH_RESULT);
	}
}

/* --------------------------------------------- after an unclear answer --- */

static void
test_run_change_unclear_is_done_if_it_shows(void **state)
{
	static const struct { unsigned changes; bool shows; } rows[] = {
		{ CHANGE_NAME, true }, { CHANGE_IMAGE, true },
		{ CHANGE_ARGS, true }, { CHANGE_DISK, true },
		{ CHANGE_PORTS, true }, { CHANGE_IMAGE | CHANGE_DISK, true },
		/* What the service adds hides whether ours was taken. */
		{ CHANGE_ENV, false }, { CHANGE_ENV | CHANGE_IMAGE, false },
	};
	struct act_world *f = *state;
	struct str ports[] = { STR("22/tcp"), STR("80/http") };
	struct str others[] = { STR("22/tcp"), STR("81/http") };
	struct str first[] = { STR("23/tcp"), STR("80/http") };
	struct act_thing c;

	/* All as wanted, and each field otherwise. */
	for (size_t i = 0; i < COUNTOF(rows); i++)
	for (int other = 0; other < 8; other++) {
		static const unsigned by[] = { 0, CHANGE_NAME, CHANGE_IMAGE,
			CHANGE_ARGS, CHANGE_DISK, CHANGE_PORTS, CHANGE_PORTS,
			CHANGE_PORTS };
		act_begin_thing(f, &c, ACTION_POD_UPDATE);
		f->change.changes = rows[i].changes;
		f->change.config.ports = ports;
		f->change.config.nports = 2;
		act_send(f, &c);
		change_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_UNKNOWN, .message = STR("oops") });
		assert_int_equal(act_effect(f, RUN_REQUEST).request.op,
		    CLOUD_GET_POD);
		struct pod_config *is = &c.pod.config;
		*is = f->act.config;
		if (other == 1)
			is->name = STR("x");
		if (other == 2)
			is->image = STR("x");
		if (other == 3)
			is->args = STR("x");
		if (other == 4)
			is->disk_gb++;
		if (other == 5)
			is->nports = 1;
		if (other >= 6)
			is->ports = other == 6 ? others : first;
		struct cloud_answer answer = act_shown(f, &c);
		change_answer(&f->run, &f->act, &answer);
		bool done = rows[i].shows && !(by[other] & rows[i].changes);
		assert_int_equal(f->act.phase, done ? PH_RESULT : PH_QUEUED);
		if (!done)
			assert_true(str_is(f->act.reason,
			    "the change does not show"));
	}
}

static void
test_run_change_unclear_is_sent_again_if_it_does_not_show(void **state)
{
	struct act_world *f = *state;
	struct act_thing c;

	/* The look failed; the state is the old one; the new one. */
	for (int way = 0; way < 3; way++) {
		act_begin_thing(f, &c, ACTION_POD_STOP);
		act_send(f, &c);
		change_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_UNKNOWN, .message = STR("oops") });
		struct cloud_answer answer = act_shown(f, &c);
		c.pod.status = way < 2 ? POD_RUNNING : POD_EXITED;
		if (way == 0)
			answer = (struct cloud_answer){ .retry_after_ms = 9000,
				.outcome = OUTCOME_UNKNOWN,
				.message = STR("gone again") };
		change_answer(&f->run, &f->act, &answer);
		assert_int_equal(f->act.phase, way < 2 ? PH_QUEUED
						       : PH_RESULT);
		if (way < 2)
			assert_act_waits(f, way == 0 ? 9000 : 2000);
		assert_text(arena_cstr(&f->w.arena, f->act.reason), way == 0
		    ? "gone again" : way == 1 ? "the change does not show"
		    : "oops");
	}
	/* A look that shows nothing, or another pod, proves nothing. */
	for (size_t n = 0; n < 2; n++) {
		act_begin_thing(f, &c, ACTION_POD_STOP);
		act_send(f, &c);
		change_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_UNKNOWN, .message = STR("oops") });
		struct cloud_answer answer = act_shown(f, &c);
		c.pod.status = POD_EXITED;
		c.pod.id = STR("p2");
		answer.npods = n;
		change_answer(&f->run, &f->act, &answer);
		assert_act_waits(f, 2000);
	}
	/* A volume, which has grown or not; or which nobody shows. */
	for (size_t way = 0; way < 3; way++) {
		act_begin_thing(f, &c, ACTION_VOLUME_UPDATE);
		act_send(f, &c);
		change_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_UNKNOWN, .message = STR("oops") });
		c.volume.size_gb = way == 1 ? 10 : 20;
		struct cloud_answer answer = act_shown(f, &c);
		if (way == 2)
			answer.nvolumes = 0;
		change_answer(&f->run, &f->act, &answer);
		assert_int_equal(f->act.phase, way == 0 ? PH_RESULT
							: PH_QUEUED);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_change_takes_each_answer_for_what_it_says),
		TEST(test_run_change_refused_says_why),
		TEST(test_run_change_is_sent_again_five_times),
		TEST(test_run_change_stopped_says_what_is_known),
		TEST(test_run_change_unclear_is_done_if_it_shows),
		TEST(test_run_change_unclear_is_sent_again_if_it_does_not_show),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
