/*
 * test_run_outcome.c - how an act ends, what follows for those after it, and
 * what people are told of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"
#include "run_world.h"

/* ------------------------------------------------------------- retrying -- */

static void
test_run_retry_waits_longer_and_gives_up_after_five(void **state)
{
	static const int64_t wanted[] = { 2000, 4000, 8000, 16000, 32000 };
	struct act_world *f = *state;

	/* By itself, and where the service asks for more, or for less. */
	for (int64_t ask = 0; ask <= 20000; ask += 10000) {
		act_renew(f, ACTION_POD_PROCESS);
		f->run.open = 1;
		for (size_t i = 0; i < COUNTOF(wanted); i++) {
			act_asked(f);
			act_retry(&f->run, &f->act, ask, FAIL_INSIDE,
			    STR("cut"));
			assert_act_waits(f, ask > wanted[i] ? ask : wanted[i]);
			struct run_note note = act_effect(f, RUN_NOTE).note;
			assert_int_equal(note.type, NOTE_RETRY);
			assert_true(str_is(note.text, "cut"));
		}
		act_asked(f);
		act_retry(&f->run, &f->act, ask, FAIL_INSIDE, STR("cut"));
		assert_act_failed(f, FAIL_INSIDE, "cut");
		assert_int_equal(f->run.open, 0);
	}
}

static void
all_ones(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 0xff, n);
}

/* By chance up to a quarter more, so that many do not come at once. */
static void
test_run_retry_is_spread_by_chance(void **state)
{
	struct act_world *f = *state;

	f->run.options.chance.bytes = all_ones;
	act_renew(f, ACTION_POD_PROCESS);
	act_retry(&f->run, &f->act, 0, FAIL_INSIDE, STR("cut"));
	assert_act_waits(f, 2500);
	/* A sixth of an undo, and so on, is no longer than the fifth. */
	f->act.retries = 4;
	act_asked(f);
	act_retry(&f->run, &f->act, 0, FAIL_INSIDE, STR("cut"));
	assert_act_waits(f, 40000);
}

/* -------------------------------------------------------------- failing -- */

static void
test_run_failure_is_told_with_its_place(void **state)
{
	struct act_world *f = *state;
	const struct span own = { .source = 1, .line = 4 };
	const struct span of_change = { .source = 1, .line = 2 };

	for (int has_own = 0; has_own < 2; has_own++) {
		act_renew(f, ACTION_POD_PROCESS);
		f->change.span = of_change;
		if (has_own)
			f->act.span = own;
		f->act.index = 3;
		f->run.fatal = FAIL_NONE;
		act_fail(&f->run, &f->act, FAIL_INSIDE, STR("why"));
		const struct run_failed *failed =
		    &f->run.summary.failures.items[has_own];
		assert_int_equal(failed->span.line, has_own ? 4 : 2);
		assert_int_equal(failed->action, 3);
		assert_int_equal(failed->kind, ACTION_POD_PROCESS);
		assert_true(str_is(failed->address, "pod.a"));
		assert_true(str_is(failed->reason, "why"));
		assert_int_equal(f->run.fatal, FAIL_NONE);
	}
}

/* Without credentials, money or a disk nothing else will do: the first such
 * failure stays. */
static void
test_run_failure_that_is_fatal_stops_everything(void **state)
{
	static const enum run_failure fatal[] = { FAIL_AUTH, FAIL_BALANCE,
		FAIL_DISK };
	struct act_world *f = *state;

	for (int failure = FAIL_ERROR; failure <= FAIL_BUSY; failure++) {
		bool stops = false;
		for (size_t i = 0; i < COUNTOF(fatal); i++)
			stops |= (int)fatal[i] == failure;
		for (int before = 0; before < 2; before++) {
			act_renew(f, ACTION_POD_PROCESS);
			f->run.fatal = before ? FAIL_DISK : FAIL_NONE;
			act_fail(&f->run, &f->act, (enum run_failure)failure,
			    STR("why"));
			assert_int_equal((int)f->run.fatal, before
			    ? (int)FAIL_DISK : stops ? failure : FAIL_NONE);
		}
	}
}

/*
 * What waits, and has nothing in the journal, is cut off when its part is to
 * be undone; anything that is on its way comes to its result.
 */
static void
test_run_failure_cuts_off_the_waits_of_its_part(void **state)
{
	static const char letters[PH_SKIPPED + 1] = {
		[PH_WAITING] = '.', [PH_QUEUED] = '.', [PH_VERIFY] = '.',
		[PH_INTENT] = '.', [PH_SENT] = '.', [PH_CHECK] = '.',
		[PH_RESOLVE] = '.', [PH_WATCH] = 'w', [PH_PROBE] = 'p',
		[PH_ASKED] = 'a', [PH_RUNNERS] = 'r', [PH_RESULT] = '.',
		[PH_DONE] = '.', [PH_FAILED] = '.', [PH_SKIPPED] = '.',
	};
	struct act_world *f = *state;
	struct act other, next;
	bool failed[1];
	size_t busy[1];

	act_begin(f, ACTION_POD_CREATE, "");
	*ARENA_PUSH(&f->w.arena, &f->run.acts) = &other;
	*ARENA_PUSH(&f->w.arena, &f->run.acts) = &f->act;
	f->run.failed_component = failed;
	f->run.busy_component = busy;
	for (int kind = 0; kind < ACTION_KIND_COUNT; kind++)
	for (int phase = 0; phase <= PH_SKIPPED; phase++)
	for (unsigned i = 0; i < 8; i++) {
		bool keep = i & 1, intended = i & 2, elsewhere = i & 4;
		const struct action_row *row = &action_rows[kind];
		const char *cuts = row->inside ? "ar" : row->waits ? "wp" : "";
		bool cut = strchr(cuts, letters[phase]) != NULL && !keep &&
		    !intended && !elsewhere;

		act_renew(f, ACTION_POD_CREATE);
		f->act.component = 0;
		failed[0] = false;
		busy[0] = 9;
		f->run.open = 9;
		f->run.inside_in_flight = 9;
		f->run.lists[0].watchers = f->run.lists[1].watchers = 9;
		f->run.options.keep = keep;
		other = (struct act){ .index = 1, .change = &f->change,
			.kind = (enum action_kind)kind,
			.phase = (enum phase)phase, .subject = &f->subject,
			.intended = intended,
			.component = elsewhere ? SIZE_MAX : 0 };
		next = (struct act){ .index = 2, .change = &f->change,
			.kind = ACTION_POD_PROCESS, .subject = &f->subject,
			.component = SIZE_MAX };
		act_after(&f->run, &next, &other);
		act_fail(&f->run, &f->act, FAIL_ERROR, STR("why"));
		assert_true(failed[0]);
		assert_int_equal(next.phase, cut ? PH_SKIPPED : PH_WAITING);
		if ((other.phase == PH_SKIPPED) != (cut || phase == PH_SKIPPED))
			fail_msg("%s, phase %d, %u", action_words(other.kind),
			    phase, i);
		if (cut)
			assert_true(str_is(other.reason,
			    "its part will be undone"));
	}
	f->run.options.keep = false;
}

/* Whoever asked is told to forget it; a listing serves others, too. */
static void
test_run_cancel_forgets_what_was_asked(void **state)
{
	struct act_world *f = *state;

	for (int phase = 0; phase <= PH_SKIPPED; phase++) {
		act_renew(f, ACTION_POD_PROCESS);
		f->act.phase = (enum phase)phase;
		f->act.token = 77;
		act_cancel(&f->run, &f->act);
		if (phase == PH_ASKED || phase == PH_PROBE)
			assert_int_equal(act_effect(f, RUN_CANCEL).token, 77);
		assert_no_effect(f);
	}
}

/* Those that come after it are skipped, and those after these; others that
 * are under way, or have ended, are let be. */
static void
test_run_failure_skips_what_needs_it(void **state)
{
	struct act_world *f = *state;
	struct act next[4];

	for (size_t i = 0; i < COUNTOF(next); i++)
		next[i] = (struct act){ .kind = ACTION_POD_PROCESS,
			.change = &f->change, .subject = &f->subject,
			.component = SIZE_MAX, .index = i + 1 };
	act_renew(f, ACTION_POD_PROCESS);
	act_after(&f->run, &next[0], &f->act);
	act_after(&f->run, &next[1], &next[0]);
	act_after(&f->run, &next[2], &f->act);
	act_after(&f->run, &next[3], &next[2]);
	next[2].phase = PH_DONE;
	f->run.open = 5;
	act_fail(&f->run, &f->act, FAIL_ERROR, STR("why"));
	assert_int_equal(next[0].phase, PH_SKIPPED);
	assert_int_equal(next[1].phase, PH_SKIPPED);
	assert_true(str_is(next[1].reason, "what it needs failed"));
	assert_int_equal(next[2].phase, PH_DONE);
	assert_int_equal(next[3].phase, PH_WAITING);
}

/* The last that it waits for lets it start, and not if it has ended. */
static void
test_run_done_lets_the_next_start(void **state)
{
	struct act_world *f = *state;
	struct act before = f->act, next = f->act;

	act_renew(f, ACTION_POD_PROCESS);
	for (int ended = 0; ended < 2; ended++) {
		next.phase = ended ? PH_SKIPPED : PH_WAITING;
		next.waits = 0;
		before.unblocks.n = f->act.unblocks.n = 0;
		act_after(&f->run, &next, &before);
		act_after(&f->run, &next, &f->act);
		f->run.open = 3;
		before.phase = PH_QUEUED;
		act_done(&f->run, &before);
		assert_int_equal(next.phase, ended ? PH_SKIPPED : PH_WAITING);
		f->act.phase = PH_QUEUED;
		act_done(&f->run, &f->act);
		assert_int_equal(next.phase, ended ? PH_SKIPPED : PH_QUEUED);
	}
}

/* ---------------------------------------------------------------- notes -- */

static void
test_run_note_says_what_and_how_far(void **state)
{
	static const struct { enum action_kind kind; size_t steps; } rows[] = {
		{ ACTION_POD_CHECK, 2 }, { ACTION_POD_SETUP, 3 },
		{ ACTION_POD_PROCESS, 0 },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		act_begin(f, rows[i].kind, ", ready: { checks: [a, b] }, "
		    "setup: [{ run: a }, { run: b }, { run: c }]");
		f->act.index = 4;
		f->act.step = 1;
		f->act.undo = i == 2;
		f->act.started_ms = 2000;
		f->subject.id = STR("p1");
		f->subject.per_hour = 400000;
		run_say(&f->run, NOTE_ACTION_START, &f->act, STR("x"));
		struct run_note note = act_effect(f, RUN_NOTE).note;
		assert_int_equal(note.type, NOTE_ACTION_START);
		assert_int_equal(note.action, 4);
		assert_int_equal(note.kind, rows[i].kind);
		assert_int_equal(note.undo, i == 2);
		assert_true(str_is(note.address, "pod.a"));
		assert_true(str_is(note.id, "p1"));
		assert_true(str_is(note.text, "x"));
		assert_int_equal(note.step, 1);
		assert_int_equal(note.steps, rows[i].steps);
		assert_int_equal(note.elapsed_ms, 3000);
		assert_int_equal(note.per_hour, 400000);
		assert_ptr_equal(note.change, &f->change);
		assert_false(note.news);
	}
	/* Its own id, where it has one; of what is not wanted, too. */
	f->act.id = STR("q");
	f->change.want = NULL;
	run_say_news(&f->run, &f->act, STR("y"));
	struct run_note note = act_effect(f, RUN_NOTE).note;
	assert_true(str_is(note.id, "q"));
	assert_int_equal(note.steps, 0);
	assert_int_equal(note.type, NOTE_PROGRESS);
	assert_true(note.news);
	run_say(&f->run, NOTE_STOPPING, NULL, (struct str){0});
	note = act_effect(f, RUN_NOTE).note;
	assert_int_equal(note.action, SIZE_MAX);
	assert_null(note.change);
}

/* Each request has a token of its own, that says whose it is. */
static void
test_run_token_is_used_once(void **state)
{
	struct act_world *f = *state;
	uint64_t before = 0;

	f->act.index = 6;
	for (int i = 0; i < 100; i++) {
		uint64_t token = act_token(&f->run, &f->act);
		assert_int_equal(token >> 24, 7);
		assert_int_not_equal(token, before);
		assert_int_equal(token, f->act.token);
		before = token;
	}
}

/* ---------------------------------------------------- nothing to start --- */

/* The disk refuses the last result before the deletions: that is told of
 * what is not started because of it. */
static void
test_run_failure_of_the_disk_names_what_was_not_started(void **state)
{
	struct run_world *r = *state;

	world_spec(&r->w, "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }"
	    "\npods: { a: { image: x:1, gpu: A40, ports: [80/http] } }\n");
	world_settle(&r->w);
	world_spec(&r->w, "volumes: { d: { size: 20GB, data_center: EU-RO-1 } }"
	    "\n");
	r->silent_lists = true;
	run_start(r);
	run_drive_until(r, CLOUD_UPDATE_VOLUME, 1);
	r->disk_fails = true;
	run_drive(r);
	assert_text(run_outcome(r), "exit 10, changed 1\n"
	    "failed delete pod.a: the journal cannot be written, so it was "
	    "not started\n"
	    "left pod.a pod2 400000: could not be removed: the journal cannot "
	    "be written, so it was not started\n");
	assert_int_equal(r->sent[CLOUD_DELETE_POD], 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_retry_waits_longer_and_gives_up_after_five),
		TEST(test_run_retry_is_spread_by_chance),
		TEST(test_run_failure_is_told_with_its_place),
		TEST(test_run_failure_that_is_fatal_stops_everything),
		TEST(test_run_failure_cuts_off_the_waits_of_its_part),
		TEST(test_run_cancel_forgets_what_was_asked),
		TEST(test_run_failure_skips_what_needs_it),
		TEST(test_run_done_lets_the_next_start),
		TEST(test_run_note_says_what_and_how_far),
		TEST(test_run_token_is_used_once),
		cmocka_unit_test_setup_teardown(
		    test_run_failure_of_the_disk_names_what_was_not_started,
		    run_setup, run_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
