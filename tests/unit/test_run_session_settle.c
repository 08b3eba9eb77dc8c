/* test_run_session_settle.c - what an earlier run left open, before a plan */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "lock_fixture.h"
#include "session_world.h"

#define TRAINER "pods:\n  trainer: { image: x:1, gpu: A40 }\n"

/* ------------------------------------------------------------- settling -- */

/* Only time tells what became of creates and deletes of things that bill. */
static void
test_session_settle_gives_time_to_what_needs_it(void **state)
{
	static const struct {
		enum kind kind;
		enum op_action action;
		bool waits;
	} rows[] = {
		{ KIND_POD, OP_CREATE, true }, { KIND_POD, OP_DELETE, true },
		{ KIND_POD, OP_UPDATE, false }, { KIND_POD, OP_START, false },
		{ KIND_POD, OP_STOP, false },
		{ KIND_VOLUME, OP_CREATE, true },
		{ KIND_VOLUME, OP_DELETE, true },
		{ KIND_VOLUME, OP_UPDATE, false },
		{ KIND_RUNNER, OP_CREATE, true },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		struct session *session = play_begin(s, NULL);
		int64_t began = s->r.now_ms;
		struct id128 op = op_id(7);
		*ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.entries) =
		    (struct lock_entry){ .kind = rows[i].kind,
			.address = STR("pod.x"), .id = STR("gone1") };
		play_pending(s, rows[i].kind, rows[i].action);
		assert_int_equal(session_settle(session, 0), EXIT_OK);
		const char *said = play_said(s);
		if (!rows[i].waits) {
			assert_text(said, "");
			assert_int_equal(session->lock->pending.n, 1);
			assert_false(session->lock_changed);
		} else {
			/* A minute, and three listings after it. */
			assert_in_range(s->r.now_ms - began, 62000, 63000);
			assert_true(play_count(said, "ask list pods\n") > 3);
			assert_int_equal(play_count(said, "ask list volumes\n") >
			    0, rows[i].kind == KIND_VOLUME);
			assert_int_equal(session->lock->pending.n, 0);
			assert_true(session->lock_changed);
			/* What was not made is dead for good, and what was
			 * to be ended has gone. */
			assert_int_equal(lock_is_dead(session->lock,
			    id128_str(&op)), rows[i].action == OP_CREATE);
			assert_int_equal(session->lock->entries.n,
			    rows[i].action == OP_CREATE);
		}
		play_teardown(state);
		play_setup(state);
	}
}

/* A removal that GitHub knows nothing of any more is done at once. */
static void
test_session_settle_asks_github_about_runners(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	play_pending(s, KIND_RUNNER, OP_DELETE);
	play_pending(s, KIND_POD, OP_UPDATE)->op = op_id(8);
	assert_int_equal(session_settle(session, 0), EXIT_OK);
	assert_text(play_said(s), "github find the runner\n");
	assert_int_equal(session->lock->pending.n, 1);
	/* GitHub does not say: it stays open, and keeps nobody. */
	play_pending(s, KIND_RUNNER, OP_DELETE);
	run_github_lie(&s->r, GITHUB_FIND_RUNNER, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_NO_EFFECT,
		.reason = REASON_AUTH });
	assert_int_equal(session_settle(session, 0), EXIT_OK);
	assert_int_equal(session->lock->pending.n, 2);
}

/* What time does not tell is not closed together with what it does. */
static void
test_session_settle_leaves_open_what_time_does_not_tell(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);
	struct github_answer no = { .outcome = OUTCOME_NO_EFFECT,
		.reason = REASON_AUTH };

	s->config.github_optional = session->config.github_optional = true;
	play_pending(s, KIND_RUNNER, OP_DELETE)->op = op_id(8);
	play_pending(s, KIND_POD, OP_CREATE);
	run_github_lie(&s->r, GITHUB_FIND_RUNNER, 0, false, no);
	assert_int_equal(session_settle(session, 400), EXIT_OK);
	assert_int_equal(session->lock->pending.n, 1);
	assert_string_equal(session->lock->pending.items[0].op.hex,
	    op_id(8).hex);
	assert_non_null(strstr(play_said(s), "note pod.x: an earlier run"));
}

static void
test_session_settle_takes_a_runner_in_that_was_made(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	play_pending(s, KIND_RUNNER, OP_CREATE);
	*ARENA_PUSH(&s->r.w.arena, &s->r.runners) = (struct github_runner){
		.id = 77, .name = STR("x-1") };
	assert_int_equal(session_settle(session, 0), EXIT_OK);
	/* What GitHub's scopes were before is asked again. */
	assert_text(play_said(s),
	    "github find the runner\ngithub list runners\n");
	assert_int_equal(session->lock->pending.n, 0);
	assert_true(str_is(world_entry(&s->r.w, "runner.x")->id, "77"));
}

/* Within one boot the time that has passed counts; a request may have been
 * on its way for a minute when its process died. */
static void
test_session_settle_counts_the_time_since_the_crash(void **state)
{
	static const struct {
		const char *boot_id;
		int64_t ago_ms, waits_ms;
	} rows[] = {
		{ NULL, 100000, 60000 },
		{ "", 100000, 60000 },
		{ "other", 100000, 60000 },
		{ "boot", 1000, 60000 },
		{ "boot", 60000, 60000 },
		{ "boot", 60001, 59999 },
		{ "boot", 100000, 20000 },
		{ "boot", 120000, 0 },
		{ "boot", 500000, 0 },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		struct session *session = play_begin(s, NULL);
		int64_t began = s->r.now_ms;
		struct lock_op *op = play_pending(s, KIND_POD, OP_CREATE);
		op->boot_id = str_from(rows[i].boot_id);
		op->boot_ms = s->r.now_ms - rows[i].ago_ms;
		/* One that needs no time makes none. */
		play_pending(s, KIND_POD, OP_UPDATE)->op = op_id(8);
		assert_int_equal(session_settle(session, 60000), EXIT_OK);
		/* Three listings follow, a second apart. */
		int64_t least = rows[i].waits_ms + (rows[i].waits_ms > 0 ?
		    2000 : 3000);
		assert_in_range(s->r.now_ms - began, least, least + 500);
		play_teardown(state);
		play_setup(state);
	}
}

static void
test_session_settle_waits_for_the_last_of_several(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);
	int64_t began = s->r.now_ms;

	struct lock_op *op = play_pending(s, KIND_POD, OP_CREATE);
	op->boot_id = STR("boot");
	op->boot_ms = s->r.now_ms - 110000;
	play_pending(s, KIND_POD, OP_DELETE)->op = op_id(8);
	op = play_pending(s, KIND_POD, OP_CREATE);
	op->op = op_id(9);
	op->boot_id = STR("boot");
	op->boot_ms = s->r.now_ms - 110000;
	assert_int_equal(session_settle(session, 60000), EXIT_OK);
	assert_in_range(s->r.now_ms - began, 62000, 63000);
	assert_int_equal(session->lock->pending.n, 0);
}

static void
test_session_settle_says_what_it_looks_for_and_how_long(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	play_pending(s, KIND_POD, OP_UPDATE)->op = op_id(8);
	s->r.w.lock.pending.items[0].address = STR("pod.other");
	play_pending(s, KIND_POD, OP_CREATE);
	assert_int_equal(session_settle(session, 400), EXIT_OK);
	/* A quarter of the time between two looks. */
	assert_text(play_said(s),
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 1s more\nask list pods\n"
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 1s more\nask list pods\n"
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 1s more\nask list pods\n"
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 1s more\nask list pods\n"
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 0s more\nask list pods\n"
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 0s more\nask list pods\n");
	/* Nobody listens: it is silent. */
	play_pending(s, KIND_POD, OP_CREATE);
	session->config.note = NULL;
	assert_int_equal(session_settle(session, 400), EXIT_OK);
	assert_null(strstr(play_said(s), "note"));
}

/* The mark shows up in a listing: that is it, and the wait is over. */
static void
test_session_settle_takes_in_what_shows_up(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, TRAINER);
	int64_t began = s->r.now_ms;
	struct lock_op *op = play_pending(s, KIND_POD, OP_CREATE);

	op->address = op->entry.address = STR("pod.trainer");
	struct cloud_pod *pod = world_stray(&s->r.w, "p1", "pod.trainer",
	    op_id(7).hex);
	struct cloud_pod late = *pod;
	s->r.w.pods.n = 0;
	run_lie(&s->r, CLOUD_LIST_PODS, 1, false, one_pod(&s->r, late));
	assert_int_equal(session_settle(session, 60000), EXIT_OK);
	assert_in_range(s->r.now_ms - began, 10000, 10100);
	assert_int_equal(session->lock->pending.n, 0);
	assert_true(str_is(world_entry(&s->r.w, "pod.trainer")->id, "p1"));
}

static void
test_session_settle_ends_with_a_signal_or_a_refusal(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	play_pending(s, KIND_POD, OP_CREATE);
	run_lie(&s->r, CLOUD_LIST_PODS, 1, false,
	    says(401, REASON_AUTH, "no"));
	assert_int_equal(session_settle(session, 60000), EXIT_AUTH);
	assert_int_equal(session->lock->pending.n, 1);
	play_report(s);
	play_signal_at(s, 3, 15);
	assert_int_equal(session_settle(session, 60000), EXIT_TERMINATED);
	assert_int_equal(session->lock->pending.n, 1);
	play_reports(s, NULL);
}

/* Half of a mark could be it or not: a person has to say. */
static void
test_session_settle_stops_at_half_a_mark(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, TRAINER);
	struct lock_op *op = play_pending(s, KIND_POD, OP_CREATE);

	op->address = op->entry.address = STR("pod.trainer");
	op->entry.pod.name = STR("trainer-pfab");
	struct cloud_pod *pod = world_stray(&s->r.w, "p1", "pod.trainer",
	    op_id(7).hex);
	pod->mark = (struct str){0};		/* its environment is edited */
	struct cloud_pod half = *pod;
	assert_int_equal(session_refresh(session, false), EXIT_OK);
	assert_int_equal(session_settle(session, 60000), EXIT_POLICY);
	play_reports(s, "error: pod p1 ('trainer-pf");
	assert_int_equal(session->lock->pending.n, 1);
	/* It is ended: nobody's any more. */
	s->r.w.pods.items[0].status = POD_TERMINATED;
	assert_int_equal(session_refresh(session, false), EXIT_OK);
	/* It may show up while we look. */
	s->r.w.pods.n = 0;
	run_lie(&s->r, CLOUD_LIST_PODS, 1, false, one_pod(&s->r, half));
	assert_int_equal(session_settle(session, 60000), EXIT_POLICY);
	play_reports(s, "carries half of the mark of an unfinished create of "
	    "pod.trainer [PF0505]\n   hint: if it is the one, rename it to "
	    "'trainer-pfab' in the console and apply again; if it is not, "
	    "terminate it");
	/* Of a delete it means nothing. */
	op->action = OP_DELETE;
	session->live.pods[0] = half;
	assert_int_equal(session_settle(session, 400), EXIT_OK);
}

/* -------------------------------------------------------------- records -- */

/* The holder of the mutex journals what it has found out. */
static void
test_session_journals_what_it_settles(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin_writing(s, NULL);
	struct record intent = intent_record(7, OP_CREATE, "pod.x", "");

	lock_apply_intent(session->arena, session->lock, &intent);
	assert_int_equal(session_settle(session, 400), EXIT_OK);
	assert_int_equal(session->lock->pending.n, 0);
	struct str text = fake_fs_text(s->r.w.fake, ".podform/journal");
	assert_true(str_search(text, STR("\"result\"")) >= 0);
	/* It begins with the lock that it builds on: without that nobody
	 * would notice that an older lock was put back. */
	assert_true(str_search(text, STR("\"begin\"")) >= 0);
	play_reports(s, NULL);
}

static void
test_session_does_nothing_that_it_cannot_journal(void **state)
{
	/* The begin or the result itself; found at once, or never. */
	static const struct { unsigned at; bool adopts; } rows[] = {
		{ 1, true }, { 2, true }, { 1, false }, { 2, false },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		struct session *session = play_begin_writing(s, TRAINER);
		struct record intent = intent_record(7, OP_CREATE,
		    "pod.trainer", "");
		session->lock->lineage = s->r.w.lock.lineage;
		lock_apply_intent(session->arena, session->lock, &intent);
		if (rows[i].adopts)
			world_stray(&s->r.w, "p1", "pod.trainer",
			    op_id(7).hex);
		s->r.w.fake->calls = 0;
		s->r.w.fake->faults = (struct fake_faults){
			.only = "sync_data", .at = rows[i].at,
			.onward = true };
		assert_int_equal(session_refresh(session, false), EXIT_OK);
		int code = session_reconcile(session);
		assert_int_equal(code == EXIT_OK, !rows[i].adopts);
		if (code == EXIT_OK)
			code = session_settle(session, 400);
		assert_int_equal(code, EXIT_ERROR);
		assert_int_equal(session->lock->pending.n, 1);
		assert_false(session->lock_changed);
		play_reports(s, ".podform/journal");
		s->r.w.fake->faults = (struct fake_faults){0};
		play_teardown(state);
		play_setup(state);
	}
}

static void
test_session_settles_no_runner_that_it_cannot_journal(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin_writing(s, NULL);
	struct lock_op *op = ARENA_PUSH(session->arena,
	    &session->lock->pending);

	*op = *play_pending(s, KIND_RUNNER, OP_DELETE);
	s->r.w.fake->calls = 0;
	s->r.w.fake->faults = (struct fake_faults){ .only = "sync_data",
		.at = 1, .onward = true };
	assert_int_equal(session_settle(session, 400), EXIT_ERROR);
	assert_text(play_said(s), "github find the runner\n");
	assert_int_equal(session->lock->pending.n, 1);
	s->r.w.fake->faults = (struct fake_faults){0};
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, play_setup, \
	play_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_session_settle_gives_time_to_what_needs_it),
		ROW(test_session_settle_asks_github_about_runners),
		ROW(test_session_settle_leaves_open_what_time_does_not_tell),
		ROW(test_session_settle_takes_a_runner_in_that_was_made),
		ROW(test_session_settle_counts_the_time_since_the_crash),
		ROW(test_session_settle_waits_for_the_last_of_several),
		ROW(test_session_settle_says_what_it_looks_for_and_how_long),
		ROW(test_session_settle_takes_in_what_shows_up),
		ROW(test_session_settle_ends_with_a_signal_or_a_refusal),
		ROW(test_session_settle_stops_at_half_a_mark),
		ROW(test_session_journals_what_it_settles),
		ROW(test_session_does_nothing_that_it_cannot_journal),
		ROW(test_session_settles_no_runner_that_it_cannot_journal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
