/* test_run_session.c - a session's mutex, record, commits and waits */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "lock_fixture.h"
#include "session_world.h"

static void
test_session_says_what_an_exit_code_means(void **state)
{
	static const int codes[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
		12, 130, 143 };
	(void)state;

	for (size_t i = 0; i < COUNTOF(codes); i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(exit_code_meaning(codes[i]),
			    exit_code_meaning(codes[j]));
	assert_string_equal(exit_code_meaning(5), "the lock is held");
	assert_null(exit_code_meaning(13));
	assert_null(exit_code_meaning(-1));
}

/* -------------------------------------------------------------- signals -- */

static void
test_session_leaves_by_the_signal(void **state)
{
	static const struct { int signal, code; } rows[] = {
		{ 1, EXIT_TERMINATED }, { 2, EXIT_INTERRUPTED },
		{ 15, EXIT_TERMINATED },
	};
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		session_signal(session, rows[i].signal);
		assert_int_equal(session_signal_code(session), rows[i].code);
		assert_int_equal(session->interrupted, i + 1);
	}
}

static void
test_session_sleeps_until_the_time_or_a_signal(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);
	int64_t began = s->r.now_ms;

	session_sleep(session, began + 5000);
	assert_int_equal(s->r.now_ms, began + 5000);
	session_sleep(session, began);		/* long ago */
	assert_int_equal(s->waits, 1);
	/* What else happens does not shorten it. */
	s->max_wait_ms = 1000;
	session_sleep(session, began + 9000);
	assert_int_equal(s->r.now_ms, began + 9000);
	s->max_wait_ms = 0;
	play_signal_at(s, 1, 15);
	session_sleep(session, began + 99000);
	assert_int_equal(s->r.now_ms, began + 9000);
	assert_int_equal(session->interrupted, 1);
	/* A second sleep is not ended by the first one's signal. */
	session_sleep(session, began + 99000);
	assert_int_equal(s->r.now_ms, began + 99000);
}

/* ---------------------------------------------------------------- mutex -- */

/* Somebody else on this machine, with the kernel's lock. */
static int
other_holds(struct session_world *s)
{
	const struct fs *fs = &s->world.fs;

	fake_fs_put_dir(s->r.w.fake, ".podform", 0700);
	int fd = fs->open(fs->ctx, ".podform/mutex", FS_READ_WRITE |
	    FS_CREATE, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fs->lock(fs->ctx, fd), 0);
	return fd;
}

static void
test_session_takes_the_mutex_once(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	assert_int_equal(session_take_mutex(session), EXIT_OK);
	assert_true(session->writing);
	assert_int_equal(session_take_mutex(session), EXIT_OK);
	struct str text = fake_fs_text(s->r.w.fake, ".podform/mutex");
	assert_true(str_search(text, STR("me@here")) >= 0);
	assert_true(str_search(text, STR("apply")) >= 0);
	session_close(session);
	assert_false(session->writing);
	assert_int_equal(fake_fs_open_handles(s->r.w.fake), 0);
	/* Given back: the next one has it at once. */
	assert_int_equal(session_take_mutex(session), EXIT_OK);
	play_reports(s, NULL);
}

static void
test_session_needs_a_directory_and_a_file_for_the_mutex(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	fake_fs_put(s->r.w.fake, ".podform", STR("x"), 0600);
	assert_int_equal(session_take_mutex(session), EXIT_ERROR);
	play_reports(s, ".podform");
	fake_fs_remove(s->r.w.fake, ".podform");
	fake_fs_put_dir(s->r.w.fake, ".podform", 0700);
	fake_fs_put_fifo(s->r.w.fake, ".podform/mutex");
	assert_int_equal(session_take_mutex(session), EXIT_ERROR);
	play_reports(s, "mutex");
	assert_false(session->writing);
}

static void
test_session_waits_for_the_mutex_as_long_as_it_may(void **state)
{
	static const int64_t timeouts[] = { 0, 100, 1000 };
	struct session_world *s = *state;
	(void)other_holds(s);

	for (size_t i = 0; i < COUNTOF(timeouts); i++) {
		s->config.lock_timeout_ms = timeouts[i];
		struct session *session = play_begin(s, NULL);
		int64_t began = s->r.now_ms;
		assert_int_equal(session_take_mutex(session), EXIT_LOCKED);
		assert_int_equal(s->r.now_ms - began, timeouts[i]);
		play_reports(s, ".podform/mutex");
		assert_false(session->writing);
	}
}

static void
test_session_a_signal_ends_the_wait_for_the_mutex(void **state)
{
	struct session_world *s = *state;
	(void)other_holds(s);

	s->config.lock_timeout_ms = 10 * MINUTE_MS;
	struct session *session = play_begin(s, NULL);
	play_signal_at(s, 3, 2);
	assert_int_equal(session_take_mutex(session), EXIT_INTERRUPTED);
	assert_int_equal(s->waits, 3);
	play_reports(s, ".podform/mutex");
}

static struct session_world *waiting;
static int held;

/* Whoever holds it lets go at the fourth look. */
static void
wait_and_let_go(void *ctx, struct arena *arena, int64_t deadline_ms,
    struct world_event *event)
{
	const struct fs *fs = &waiting->world.fs;

	(void)ctx;
	(void)arena;
	waiting->r.now_ms = deadline_ms;
	*event = (struct world_event){ .type = WORLD_DEADLINE };
	if (++waiting->waits == 3)
		fs->close(fs->ctx, held);
}

static void
test_session_takes_the_mutex_when_it_is_given_back(void **state)
{
	struct session_world *s = *state;

	waiting = s;
	held = other_holds(s);
	s->world.wait = wait_and_let_go;
	s->config.lock_timeout_ms = MINUTE_MS;
	struct session *session = play_begin(s, NULL);
	int64_t began = s->r.now_ms;
	assert_int_equal(session_take_mutex(session), EXIT_OK);
	assert_int_equal(s->r.now_ms - began, 3 * 250);
	assert_true(session->writing);
	play_reports(s, NULL);
}

/* ----------------------------------------------------------------- load -- */

static int
loads(struct session_world *s)
{
	s->session.lock = NULL;
	return session_load(&s->session);
}

static void
test_session_begins_a_record_of_its_own(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, "pods: {}\n");

	assert_int_equal(loads(s), EXIT_OK);
	assert_false(session->lock->exists);
	assert_false(session->lock_changed);
	assert_string_equal(session->lock->lineage.hex,
	    "01010101010101010101010101010101");
	assert_true(str_is(session->lock->project, "test"));
	/* That of a saved plan wins. */
	session->config.lineage = op_id(7);
	assert_int_equal(loads(s), EXIT_OK);
	assert_string_equal(session->lock->lineage.hex, op_id(7).hex);
}

/* No lock file, and a journal in which nothing stands: there was a run. */
static void
test_session_without_a_lock_file_sees_that_it_ran_here(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	assert_int_equal(loads(s), EXIT_OK);
	assert_false(session->record_lost);
	fake_fs_put_dir(s->r.w.fake, ".podform", 0700);
	fake_fs_put(s->r.w.fake, ".podform/journal", STR(""), 0600);
	session = play_begin(s, NULL);
	assert_int_equal(loads(s), EXIT_OK);
	assert_true(session->record_lost);
	/* What this run makes itself is no trace of another. */
	assert_false(play_begin_writing(s, NULL)->record_lost);
	/* A first run that was cut off has a journal with a lineage. */
	struct record begin = begin_record(0);
	assert_true(journal_append(&s->session.journal, &begin, 1,
	    s->session.diags));
	session = play_begin(s, NULL);
	assert_int_equal(loads(s), EXIT_OK);
	assert_false(session->record_lost);
	assert_string_equal(session->lock->lineage.hex, begin.lineage.hex);
	/* And with a lock file nothing is lost. */
	session = play_begin_writing(s, NULL);
	assert_int_equal(session_commit(session, STR("apply"), STR("p1"),
	    STR(""), 0), EXIT_OK);
	session = play_begin(s, NULL);
	assert_int_equal(loads(s), EXIT_OK);
	assert_true(session->lock->exists);
	assert_false(session->record_lost);
	play_reports(s, NULL);
}

static void
test_session_without_a_spec_has_no_project(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	assert_int_equal(loads(s), EXIT_OK);
	assert_int_equal(session->lock->project.len, 0);
	play_reports(s, NULL);
}

static void
test_session_reads_what_it_has_committed(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin_writing(s, "pods: {}\n");

	assert_int_equal(session_commit(session, STR("import"), STR("p1"),
	    STR("1 added"), 0), EXIT_OK);
	assert_int_equal(session->lock->serial, 1);
	session_close(session);
	s->r.w.spec = NULL;
	world_spec(&s->r.w, "pods: {}\n");
	play_begin(s, NULL);
	assert_int_equal(loads(s), EXIT_OK);
	assert_true(session->lock->exists);
	assert_false(session->lock_changed);
	assert_int_equal(session->lock->history.n, 1);
	const struct history_entry *last = &session->lock->history.items[0];
	assert_true(str_is(last->who, "me@here"));
	assert_true(str_is(last->command, "import"));
	assert_true(str_is(last->plan_id, "p1"));
	assert_true(str_is(last->summary, "1 added"));
	assert_int_equal(last->exit_code, 0);
	/* Its project is that of the record, whatever the spec says. */
	session->lock->project = STR("older");
	assert_int_equal(session_take_mutex(session), EXIT_OK);
	assert_int_equal(session_load(session), EXIT_OK);
	assert_true(str_is(session->lock->project, "test"));
}

/* A commit that was cut off before the journal was empty is done again. */
static void
test_session_what_is_in_the_journal_is_to_be_committed(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin_writing(s, NULL);
	struct record begin = { .type = RECORD_BEGIN };

	assert_int_equal(session_commit(session, STR("apply"), STR("p"),
	    STR("none"), 0), EXIT_OK);
	begin.lineage = session->lock->lineage;
	begin.serial = session->lock->serial;
	assert_true(journal_append(&session->journal, &begin, 1,
	    session->diags));
	session_close(session);
	play_begin(s, NULL);
	assert_int_equal(loads(s), EXIT_OK);
	assert_true(session->lock_changed);
	assert_int_equal(session_take_mutex(session), EXIT_OK);
	assert_int_equal(session_load(session), EXIT_OK);
	assert_true(session->lock_changed);
	assert_int_equal(session_commit(session, STR("apply"), STR("p"),
	    STR("none"), 0), EXIT_OK);
	assert_false(session->lock_changed);
	assert_int_equal(session_load(session), EXIT_OK);
	assert_false(session->lock_changed);
	play_reports(s, NULL);
}

static void
test_session_refuses_a_damaged_record(void **state)
{
	static const struct { const char *path, *text; bool writing; } rows[]
	    = {
		{ "podform.lock", "{", false },
		{ ".podform/journal", "0 x\n0 y\n", false },
		{ ".podform/journal", "0 x\n0 y\n", true },
	};
	struct session_world *s = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session *session = play_begin(s, NULL);
		session->lock = NULL;
		assert_int_equal(session_take_mutex(session), EXIT_OK);
		fake_fs_put(s->r.w.fake, rows[i].path,
		    str_from(rows[i].text), 0600);
		session->writing = rows[i].writing;
		assert_int_equal(session_load(session), EXIT_ERROR);
		play_reports(s, rows[i].path);
		session->writing = true;
		session_close(session);
		fake_fs_remove(s->r.w.fake, rows[i].path);
	}
}

/* A journal that belongs to another lock: one of them was put there. */
static void
test_session_refuses_a_journal_of_another_lock(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin_writing(s, NULL);
	struct record begin = { .type = RECORD_BEGIN,
		.lineage = op_id(9), .serial = 3 };

	assert_int_equal(session_commit(session, STR("apply"), STR("p"),
	    STR("none"), 0), EXIT_OK);
	assert_true(journal_append(&session->journal, &begin, 1,
	    session->diags));
	session_close(session);
	play_begin(s, NULL);
	assert_int_equal(loads(s), EXIT_ERROR);
	play_reports(s, "journal");
}

/* Between the first look and the mutex somebody did something to it. */
static void
test_session_notices_that_the_lock_is_another_file(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin_writing(s, NULL);

	assert_int_equal(session_commit(session, STR("apply"), STR("p"),
	    STR("none"), 0), EXIT_OK);
	assert_int_equal(session_load(session), EXIT_OK);
	struct str text = arena_str(&s->r.w.arena,
	    fake_fs_text(s->r.w.fake, "podform.lock"));
	fake_fs_remove(s->r.w.fake, "podform.lock");
	assert_int_equal(session_load(session), EXIT_ERROR);
	play_reports(s, "lock file 'podform.lock' was taken away since "
	    "this run began [PF0609]");
	/* Put back, it is the same again. */
	fake_fs_put(s->r.w.fake, "podform.lock", text, 0600);
	struct lock before = { .exists = true, .lineage = op_id(4) };
	session->lock = &before;
	assert_int_equal(session_load(session), EXIT_ERROR);
	play_reports(s, "was replaced by one of another lineage");
	/* What was not there may come. */
	before.exists = false;
	session->lock = &before;
	assert_int_equal(session_load(session), EXIT_OK);
	assert_true(session->lock->exists);
	play_reports(s, NULL);
}

static void
test_session_a_commit_that_fails_is_no_commit(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin_writing(s, NULL);

	session->lock_changed = true;
	s->r.w.fake->faults = (struct fake_faults){ .only = "rename",
		.at = 1, .onward = true };
	s->r.w.fake->calls = 0;
	assert_int_equal(session_commit(session, STR("apply"), STR("p"),
	    STR("none"), 0), EXIT_ERROR);
	assert_true(session->lock_changed);
	play_reports(s, "podform.lock");
	assert_null(fake_fs_text(s->r.w.fake, "podform.lock").data);
	s->r.w.fake->faults = (struct fake_faults){0};
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, play_setup, \
	play_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_says_what_an_exit_code_means),
		ROW(test_session_leaves_by_the_signal),
		ROW(test_session_sleeps_until_the_time_or_a_signal),
		ROW(test_session_takes_the_mutex_once),
		ROW(test_session_needs_a_directory_and_a_file_for_the_mutex),
		ROW(test_session_waits_for_the_mutex_as_long_as_it_may),
		ROW(test_session_a_signal_ends_the_wait_for_the_mutex),
		ROW(test_session_takes_the_mutex_when_it_is_given_back),
		ROW(test_session_begins_a_record_of_its_own),
		ROW(test_session_without_a_lock_file_sees_that_it_ran_here),
		ROW(test_session_without_a_spec_has_no_project),
		ROW(test_session_reads_what_it_has_committed),
		ROW(test_session_what_is_in_the_journal_is_to_be_committed),
		ROW(test_session_refuses_a_damaged_record),
		ROW(test_session_refuses_a_journal_of_another_lock),
		ROW(test_session_notices_that_the_lock_is_another_file),
		ROW(test_session_a_commit_that_fails_is_no_commit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
