/* test_run_session_store.c - sessions whose record lives in a store */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "lock_fixture.h"
#include "run/session_store.h"
#include "session_world.h"

#define TRAINER "pods:\n  trainer: { image: x:1, gpu: A40 }\n"
#define TWO "pods:\n  one: { image: x:1, gpu: A40 }\n" \
	"  two: { image: x:1, gpu: A40 }\n"

static const enum depot_kind kinds[] = { DEPOT_HTTP, DEPOT_S3, DEPOT_ETCD };

static struct str
record(const struct session_world *s)
{
	static const char *const names[] = { "/state/podform",
	    "/podform.lock", "podform/lock" };

	return depot_get(s->depot, str_from(names[depot_kind(s->depot)]));
}

static void
has(struct str text, const char *part)
{
	if (str_search(text, str_from(part)) < 0)
		fail_msg("no '%s' in:\n" STR_FMT, part, STR_ARG(text));
}

static void
lacks(struct str text, const char *part)
{
	if (str_search(text, str_from(part)) >= 0)
		fail_msg("'%s' is in:\n" STR_FMT, part, STR_ARG(text));
}

static int
apply(struct session_world *s, const struct plan *plan,
    const struct run_summary **summary)
{
	struct run_options options = {0};

	return session_apply(&s->session, plan, &options, summary);
}

/* One world for each kind of store. */
static void
for_each(void **state, void (*test)(struct session_world *s))
{
	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		struct depot_config config = { .kind = kinds[i] };
		play_store(*state, &config);
		test(*state);
		play_teardown(state);
		play_setup(state);
	}
}

/* -------------------------------------------------------------- success -- */

static size_t
lines_with(const char *text, const char *start)
{
	size_t n = 0;

	for (const char *at = text; at != NULL && *at != '\0';) {
		n += strncmp(at, start, strlen(start)) == 0;
		at = strchr(at, '\n');
		at = at != NULL ? at + 1 : NULL;
	}
	return n;
}

static void
makes_two_pods(struct session_world *s)
{
	const struct run_summary *summary;
	struct fs_info info;
	struct str said;

	play_begin_writing(s, TWO);
	assert_int_equal(apply(s, play_plan(s), &summary), EXIT_OK);
	session_close(&s->session);
	said = str_from(play_said(s));
	/* What is intended is in the store before it is sent. */
	ptrdiff_t sent = str_search(said, STR("sent create pod"));
	assert_true(sent > 0);
	struct str before = str_sub(said, 0, (size_t)sent);
	assert_true(str_search(before, depot_kind(s->depot) == DEPOT_S3 ?
	    STR("store PUT /podform.lock\n") : STR("store POST ")) >= 0);
	has(record(s), "\"address\": \"pod.one\"");
	has(record(s), "\"address\": \"pod.two\"");
	lacks(record(s), "\"pending\"");
	has(record(s), "2 added");
	/* Two for each op, and four; an S3 is tried out with one more. */
	size_t asked = lines_with(said.data, "store ");
	assert_in_range(asked, 5, 2 * 2 + 4 +
	    (depot_kind(s->depot) == DEPOT_S3));
	const struct fs *fs = &s->world.fs;
	assert_int_not_equal(fs->stat(fs->ctx, "podform.lock", false, &info),
	    0);
	/* Another machine. */
	play_begin(s, TWO)->lock = NULL;
	assert_int_equal(session_load(&s->session), EXIT_OK);
	assert_int_equal(s->session.lock->entries.n, 2);
	assert_true(s->session.lock->exists);
	play_reports(s, NULL);
}

static void
test_session_store_keeps_intents_before_they_are_sent(void **state)
{
	for_each(state, makes_two_pods);
}

/* ----------------------------------------------------------------- hold -- */

static const struct mutex_holder bob = { .id = STR_INIT("bob2"),
	.who = STR_INIT("bob@box"), .operation = STR_INIT("destroy") };

/* A link to the same depot that is not this session's. */
static void
at_once(void *ctx, struct arena *arena, const struct http_request *request,
    struct http_answer *answer)
{
	struct session_world *s = ctx;
	struct model_reply reply;
	struct str query, path = str_cut(request->path, '?', &query);
	struct depot_request ask = {
		.method = str_from(http_method_name(request->method)),
		.path = path, .query = query, .if_match = request->if_match,
		.if_none_match = request->etag, .body = request->body,
	};

	depot_http(s->depot, s->r.now_ms, arena, &ask, &reply);
	*answer = (struct http_answer){ .status = reply.status,
		.body = reply.body };
	if (reply.nheaders > 0)
		answer->etag = reply.headers[0].value;
}

static void
open_bob(struct session_world *s, struct store *store)
{
	struct store_link link = { .ctx = s, .clock = &s->world.clock,
		.exchange = at_once };

	store_open(store, &s->r.w.arena, &s->config.store, &link,
	    &s->r.w.diags);
}

static void
waits_for_bob(struct session_world *s)
{
	struct mutex_holder other;
	struct store store;

	open_bob(s, &store);
	assert_int_equal(store_take(&store, &bob, &other), STORE_OK);
	play_begin(s, TRAINER);
	assert_int_equal(session_take_mutex(&s->session), EXIT_LOCKED);
	if (str_search(str_from(play_report(s)), STR("bob@box")) < 0)
		fail_msg("nobody says who has it");
	/* The kernel's lock is free again. */
	s->session.config.lock_timeout_ms = 10 * SECOND_MS;
	int64_t from_ms = s->r.now_ms;
	assert_int_equal(session_take_mutex(&s->session), EXIT_LOCKED);
	assert_in_range(s->r.now_ms - from_ms, 9 * SECOND_MS,
	    13 * SECOND_MS);
	store_release(&store);
	assert_int_equal(session_take_mutex(&s->session), EXIT_OK);
	assert_true(s->session.writing);
}

static void
test_session_store_waits_for_who_has_the_hold(void **state)
{
	for_each(state, waits_for_bob);
}

static void
test_session_store_waiting_ends_with_a_signal(void **state)
{
	struct session_world *s = *state;
	struct depot_config config = { .kind = DEPOT_S3 };
	struct mutex_holder other;
	struct store store;

	play_store(s, &config);
	open_bob(s, &store);
	assert_int_equal(store_take(&store, &bob, &other), STORE_OK);
	play_begin(s, TRAINER)->config.lock_timeout_ms = HOUR_MS;
	play_signal_at(s, 3, 2);
	assert_int_equal(session_take_mutex(&s->session), EXIT_INTERRUPTED);
	assert_int_equal(s->session.interrupted, 1);
}

/* Somebody breaks our hold and takes it while the first pod is made. */
static void
loses_its_hold(struct session_world *s)
{
	const struct run_summary *summary;
	struct mutex_holder other;
	struct store store;

	play_begin_writing(s, TRAINER);
	const struct plan *plan = play_plan(s);
	open_bob(s, &store);
	assert_int_equal(store_break(&store, s->session.store.self.id,
	    &other), STORE_OK);
	assert_int_equal(store_take(&store, &bob, &other), STORE_OK);
	play_said(s);
	int code = apply(s, plan, &summary);
	assert_int_not_equal(code, EXIT_OK);
	assert_null(strstr(play_said(s), "sent"));
	assert_int_equal(s->r.sent[CLOUD_CREATE_POD], 0);
	play_reports(s, "nothing more is sent from here");
	session_close(&s->session);
	/* There was nothing to keep, and Bob has it still. */
	const struct fs *fs = &s->world.fs;
	struct fs_info info;
	assert_int_not_equal(fs->stat(fs->ctx, "podform.lock.errored", false,
	    &info), 0);
	assert_int_equal(store_take(&store, &bob, &other), STORE_OK);
}

static void
test_session_store_sends_nothing_without_its_hold(void **state)
{
	for_each(state, loses_its_hold);
}

static void
test_session_store_renews_a_lease_while_a_pod_comes_up(void **state)
{
	struct session_world *s = *state;
	struct depot_config config = { .kind = DEPOT_ETCD };
	const struct run_summary *summary;

	play_store(s, &config);
	s->r.born_as = POD_PROVISIONING;
	play_begin_writing(s, TRAINER);
	/* It never runs: ten minutes later it is given up and ended. */
	assert_int_not_equal(apply(s, play_plan(s), &summary), EXIT_OK);
	size_t renewed = lines_with(play_said(s), "store POST /v3/lease/"
	    "keepalive");
	assert_in_range(renewed, 5, 15);
	assert_int_equal(summary->added, 0);
	lacks(record(s), "\"resources\"");
	session_close(&s->session);
}

/* The machine slept for an hour: somebody else may have been there. */
static void
test_session_store_lease_that_ended_stops_everything(void **state)
{
	struct session_world *s = *state;
	struct depot_config config = { .kind = DEPOT_ETCD };
	const struct run_summary *summary;

	play_store(s, &config);
	play_begin_writing(s, TRAINER);
	const struct plan *plan = play_plan(s);
	s->r.now_ms += HOUR_MS;
	play_said(s);
	assert_int_not_equal(apply(s, plan, &summary), EXIT_OK);
	assert_null(strstr(play_said(s), "sent"));
	play_reports(s, "the hold on");
}

/* --------------------------------------------------------------- outage -- */

static void
is_gone_at_the_end(struct session_world *s)
{
	const struct run_summary *summary;
	const struct fs *fs = &s->world.fs;
	struct str text;

	play_begin_writing(s, TRAINER);
	const struct plan *plan = play_plan(s);
	/* The intent is the last thing that it takes. */
	depot_strike(s->depot, DEPOT_DROPPED, 1, SIZE_MAX);
	int code = apply(s, plan, &summary);
	assert_int_equal(code, EXIT_LEFT);
	play_reports(s, "the store did not take what this run did");
	session_close(&s->session);
	assert_true(fs_read_file(fs, &s->r.w.arena, "podform.lock.errored",
	    1 << 20, false, &text) == 0);
	has(text, "\"id\": \"new1\"");
	/* The next run insists on it, but for who comes to mend it. */
	depot_strike(s->depot, DEPOT_FINE, 0, 0);
	play_begin(s, TRAINER)->lock = NULL;
	assert_int_equal(session_load(&s->session), EXIT_ERROR);
	play_reports(s, "podform state push podform.lock.errored");
	s->session.config.any_record = true;
	assert_int_equal(session_load(&s->session), EXIT_OK);
	assert_int_equal(s->session.lock->pending.n, 1);
}

static void
test_session_store_outcome_is_kept_when_it_is_gone(void **state)
{
	for_each(state, is_gone_at_the_end);
}

static void
test_session_store_outage_in_between_changes_nothing_more(void **state)
{
	struct session_world *s = *state;
	struct depot_config config = { .kind = DEPOT_HTTP };
	const struct run_summary *summary;

	play_store(s, &config);
	play_begin_writing(s, TRAINER);
	const struct plan *plan = play_plan(s);
	depot_strike(s->depot, DEPOT_BUSY, 0, 6);
	assert_int_not_equal(apply(s, plan, &summary), EXIT_OK);
	assert_int_equal(s->r.sent[CLOUD_CREATE_POD], 0);
	/* At the end it was there again: nothing is pending. */
	lacks(record(s), "\"pending\"");
	assert_int_equal(s->session.lock->pending.n, 0);
}

/* F43: a restored backup, or a copy that lags behind. */
static void
shows_an_older_record(struct session_world *s)
{
	const struct run_summary *summary;

	play_begin_writing(s, TRAINER);
	assert_int_equal(apply(s, play_plan(s), &summary), EXIT_OK);
	session_close(&s->session);
	depot_strike(s->depot, DEPOT_OLD, 0, 1);
	play_begin(s, TRAINER)->lock = NULL;
	assert_int_equal(session_load(&s->session), EXIT_ERROR);
	play_reports(s, "is older than this machine has seen");
}

static void
test_session_store_goes_not_back_in_time(void **state)
{
	for_each(state, shows_an_older_record);
}

static void
test_session_store_refuses_what_is_no_record(void **state)
{
	struct session_world *s = *state;
	struct depot_config config = { .kind = DEPOT_HTTP };

	play_store(s, &config);
	depot_put(s->depot, STR("/state/podform"),
	    STR("{\"version\":4,\"terraform_version\":\"1.9\"}\n"));
	play_begin(s, TRAINER)->lock = NULL;
	assert_int_equal(session_load(&s->session), EXIT_ERROR);
	play_reports(s, "PF0601");
}

/* ---------------------------------------------------------------- events -- */

/* Ctrl-C while the store is waited for is heard by the engine. */
static void
test_session_store_keeps_what_comes_while_it_writes(void **state)
{
	struct session_world *s = *state;
	struct depot_config config = { .kind = DEPOT_S3 };
	const struct run_summary *summary;

	play_store(s, &config);
	play_begin_writing(s, TRAINER);
	const struct plan *plan = play_plan(s);
	play_signal_at(s, 1, 2);	/* during the write of the intent */
	assert_int_equal(apply(s, plan, &summary), EXIT_INTERRUPTED);
	assert_int_equal(s->session.interrupted, 1);
	assert_null(s->session.kept);
	lacks(record(s), "\"resources\"");
	assert_int_equal(s->r.w.diags.errors, 0);
}

/* ----------------------------------------------------------------- state -- */

static void
is_broken_by_its_id(struct session_world *s)
{
	struct mutex_holder holder, other;
	struct store store;
	bool held, knows = depot_kind(s->depot) != DEPOT_HTTP;

	play_begin(s, NULL);
	assert_int_equal(session_unlock(&s->session, (struct str){0}, &holder,
	    &held), EXIT_OK);
	assert_false(held);
	open_bob(s, &store);
	assert_int_equal(store_take(&store, &bob, &other), STORE_OK);
	assert_int_equal(session_unlock(&s->session, (struct str){0}, &holder,
	    &held), EXIT_OK);
	assert_int_equal(held, knows);
	assert_true(!knows || str_is(holder.who, "bob@box"));
	assert_int_equal(session_unlock(&s->session, STR("other"), &holder,
	    &held), EXIT_LOCKED);
	assert_int_equal(session_unlock(&s->session, STR("bob2"), &holder,
	    &held), EXIT_OK);
	assert_true(held);
	assert_int_equal(session_take_mutex(&s->session), EXIT_OK);
	depot_strike(s->depot, DEPOT_DROPPED, 0, SIZE_MAX);
	assert_int_equal(session_unlock(&s->session, STR("bob2"), &holder,
	    &held), EXIT_ERROR);
}

static void
test_session_store_hold_is_broken_by_its_id(void **state)
{
	for_each(state, is_broken_by_its_id);
}

static void
moves_there_and_back(struct session_world *s)
{
	struct store_place place = s->config.store;
	struct store_place file = { .kind = STORE_FILE,
		.shown = STR("podform.lock"), .file = STR("podform.lock") };
	const struct run_summary *summary;

	s->config.store = file;
	play_begin_writing(s, TRAINER);
	assert_int_equal(apply(s, play_plan(s), &summary), EXIT_OK);
	assert_int_equal(session_move(&s->session, &place), EXIT_OK);
	assert_int_equal(session_commit(&s->session, STR("state migrate"),
	    (struct str){0}, STR("x"), EXIT_OK), EXIT_OK);
	has(record(s), "new1");
	session_close(&s->session);

	s->config.store = place;
	play_begin(s, NULL)->lock = NULL;
	assert_int_equal(session_take_mutex(&s->session), EXIT_OK);
	assert_int_equal(session_load(&s->session), EXIT_OK);
	assert_int_equal(s->session.lock->entries.n, 1);
	/* The file is still there: nothing is written over. */
	assert_int_equal(session_move(&s->session, &file), EXIT_ERROR);
	play_reports(s, "there is a record in 'podform.lock' already");
	file.file = STR("other.lock");
	assert_int_equal(session_move(&s->session, &file), EXIT_OK);
	assert_int_equal(session_commit(&s->session, STR("state migrate"),
	    (struct str){0}, STR("x"), EXIT_OK), EXIT_OK);
	session_close(&s->session);
	s->config.store = file;
	s->config.lock_path = file.file;
	play_begin(s, NULL)->lock = NULL;
	assert_int_equal(session_load(&s->session), EXIT_OK);
	assert_int_equal(s->session.lock->entries.n, 1);
}

static void
test_session_store_record_moves_there_and_back(void **state)
{
	for_each(state, moves_there_and_back);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_session_store_##name, \
    play_setup, play_teardown)
	const struct CMUnitTest tests[] = {
		TEST(keeps_intents_before_they_are_sent),
		TEST(waits_for_who_has_the_hold),
		TEST(waiting_ends_with_a_signal),
		TEST(sends_nothing_without_its_hold),
		TEST(renews_a_lease_while_a_pod_comes_up),
		TEST(lease_that_ended_stops_everything),
		TEST(outcome_is_kept_when_it_is_gone),
		TEST(outage_in_between_changes_nothing_more),
		TEST(goes_not_back_in_time),
		TEST(refuses_what_is_no_record),
		TEST(keeps_what_comes_while_it_writes),
		TEST(hold_is_broken_by_its_id),
		TEST(record_moves_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
