/* test_run_session_ask.c - reads of the cloud: retries, pages, what lacks */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "session_world.h"

static int
ask(struct session_world *s, struct cloud_answer *answer)
{
	struct cloud_request request = { .op = CLOUD_LIST_PODS };

	return session_ask(&s->session, &request, answer);
}

/* -------------------------------------------------------------- retries -- */

static void
test_session_ask_gives_what_the_cloud_says(void **state)
{
	struct session_world *s = *state;
	struct cloud_request request = { .op = CLOUD_GET_POD,
		.id = STR("p9") };
	struct cloud_answer answer;

	play_begin(s, NULL);
	assert_int_equal(session_ask(&s->session, &request, &answer),
	    EXIT_OK);
	/* That there is none is an answer, too. */
	assert_int_equal(answer.reason, REASON_NOT_FOUND);
	world_stray(&s->r.w, "p9", "pod.x",
	    "01010101010101010101010101010101");
	assert_int_equal(session_ask(&s->session, &request, &answer),
	    EXIT_OK);
	assert_int_equal(answer.npods, 1);
	assert_text(play_said(s), "ask get pod p9\nask get pod p9\n");
	play_reports(s, NULL);
}

/* Which answers are worth another try, and what one leaves with. */
static void
test_session_ask_tries_again_what_may_pass(void **state)
{
	static const struct {
		enum cloud_outcome outcome;
		enum cloud_reason reason;
		unsigned tries;
		int code;
	} rows[] = {
		{ OUTCOME_UNKNOWN, REASON_TRANSIENT, 4, EXIT_ERROR },
		{ OUTCOME_UNKNOWN, REASON_MALFORMED, 4, EXIT_ERROR },
		{ OUTCOME_NOT_SENT, REASON_TRANSIENT, 4, EXIT_ERROR },
		{ OUTCOME_NO_EFFECT, REASON_RATE_LIMITED, 4, EXIT_ERROR },
		{ OUTCOME_NO_EFFECT, REASON_AUTH, 1, EXIT_AUTH },
		{ OUTCOME_NO_EFFECT, REASON_FORBIDDEN, 1, EXIT_AUTH },
		{ OUTCOME_NO_EFFECT, REASON_BALANCE, 1, EXIT_BALANCE },
		{ OUTCOME_NO_EFFECT, REASON_BAD_REQUEST, 1, EXIT_ERROR },
		{ OUTCOME_NO_EFFECT, REASON_RETIRED, 1, EXIT_ERROR },
	};
	struct session_world *s = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct cloud_answer no = { .outcome = rows[i].outcome,
			.reason = rows[i].reason, .message = STR("no luck") };
		struct cloud_answer answer;
		play_begin(s, NULL);
		for (unsigned n = 0; n < rows[i].tries; n++)
			run_lie(&s->r, CLOUD_LIST_PODS, 0, false, no);
		unsigned before = s->waits;
		int64_t began = s->r.now_ms;
		assert_int_equal(ask(s, &answer), rows[i].code);
		/* 1, 2 and 4 s of waiting between them. */
		assert_int_equal(s->r.now_ms - began,
		    10 * rows[i].tries + (rows[i].tries == 4 ? 7000 : 0));
		assert_int_equal(s->waits - before, 2 * rows[i].tries - 1);
		assert_int_equal(s->r.scripts.n, 0);
		assert_int_equal(answer.reason, rows[i].reason);
		play_reports(s, "error: cannot list pods: no luck "
		    "[PF0501]");
	}
}

static void
test_session_ask_points_to_the_key_when_it_is_refused(void **state)
{
	struct session_world *s = *state;
	struct cloud_answer answer;

	play_begin(s, NULL);
	run_lie(&s->r, CLOUD_LIST_PODS, 0, false,
	    says(401, REASON_AUTH, "no"));
	assert_int_equal(ask(s, &answer), EXIT_AUTH);
	play_reports(s, "hint: check the API key");
	run_lie(&s->r, CLOUD_LIST_PODS, 0, false,
	    says(402, REASON_BALANCE, "no"));
	assert_int_equal(ask(s, &answer), EXIT_BALANCE);
	assert_null(strstr(play_report(s), "API key"));
}

static void
test_session_ask_obeys_retry_after_also_later(void **state)
{
	struct session_world *s = *state;
	struct cloud_answer limited = { .outcome = OUTCOME_NO_EFFECT,
		.reason = REASON_RATE_LIMITED, .retry_after_ms = 20000 };
	struct cloud_answer answer;

	play_begin(s, NULL);
	run_lie(&s->r, CLOUD_LIST_PODS, 0, false, limited);
	int64_t began = s->r.now_ms;
	assert_int_equal(ask(s, &answer), EXIT_OK);
	assert_int_equal(s->r.now_ms - began, 20000 + 2 * 10);
	/* Who has given up leaves the rest to whoever asks next. */
	for (int i = 0; i < 4; i++)
		run_lie(&s->r, CLOUD_LIST_PODS, 0, false, limited);
	assert_int_equal(ask(s, &answer), EXIT_ERROR);
	began = s->r.now_ms;
	assert_int_equal(ask(s, &answer), EXIT_OK);
	assert_int_equal(s->r.now_ms - began, 20000 + 10);
}

static void
test_session_ask_is_ended_by_a_signal(void **state)
{
	struct session_world *s = *state;
	struct cloud_answer answer;

	play_begin(s, NULL);
	play_signal_at(s, 1, 15);
	assert_int_equal(ask(s, &answer), EXIT_TERMINATED);
	assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(answer.reason, REASON_TRANSIENT);
	assert_text(play_said(s), "ask list pods\ncancel\n");
	play_reports(s, NULL);
}

static void
test_session_ask_hides_secrets_in_what_the_cloud_says(void **state)
{
	struct session_world *s = *state;
	struct cloud_answer answer;

	play_begin(s, "secrets: { K: { env: K } }\npods: {}\n");
	s->environment = "hunter2-hunter2";
	assert_int_equal(session_read_secrets(&s->session, true), EXIT_OK);
	run_lie(&s->r, CLOUD_LIST_PODS, 0, false, says(400,
	    REASON_BAD_REQUEST, "bad value hunter2-hunter2"));
	assert_int_equal(ask(s, &answer), EXIT_ERROR);
	play_reports(s, "cannot list pods: bad value (secret) [PF0501]");
	assert_true(str_is(answer.message, "bad value (secret)"));
	run_lie(&s->r, CLOUD_LIST_PODS, 0, false, says(400,
	    REASON_BAD_REQUEST, ""));
	assert_int_equal(ask(s, &answer), EXIT_ERROR);
	assert_int_equal(answer.message.len, 0);
}

static void
test_session_ask_follows_the_pages_of_a_listing(void **state)
{
	static struct cloud_pod pods[] = { { .id = STR_INIT("a") },
		{ .id = STR_INIT("b") } };
	struct cloud_answer first = { .outcome = OUTCOME_OK, .pods = pods,
		.npods = 1, .next_cursor = STR("2") };
	struct cloud_answer second = { .outcome = OUTCOME_OK,
		.pods = pods + 1, .npods = 1 };
	struct session_world *s = *state;
	struct cloud_answer answer;

	play_begin(s, NULL);
	run_lie(&s->r, CLOUD_LIST_PODS, 0, false, first);
	run_lie(&s->r, CLOUD_LIST_PODS, 0, false, second);
	assert_int_equal(ask(s, &answer), EXIT_OK);
	assert_text(play_said(s), "ask list pods\nask list pods at 2\n");
	assert_int_equal(answer.npods, 2);
	assert_true(str_is(answer.pods[0].id, "a"));
	assert_true(str_is(answer.pods[1].id, "b"));
}

/* ----------------------------------------------------------- refreshing -- */

static void
own(struct session_world *s, enum kind kind, const char *address,
    const char *id)
{
	*ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.entries) =
	    (struct lock_entry){ .kind = kind, .address = str_from(address),
		.id = str_from(id) };
}

static struct cloud_answer
volume_answer(size_t n)
{
	static struct cloud_volume volume = { .id = STR_INIT("v1") };

	return (struct cloud_answer){ .outcome = OUTCOME_OK,
		.volumes = &volume, .nvolumes = n };
}

static void
test_session_refresh_asks_for_what_the_listing_lacks(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	own(s, KIND_POD, "pod.listed", "p1");
	own(s, KIND_POD, "pod.lacking", "p2");
	own(s, KIND_POD, "pod.gone", "p3");
	own(s, KIND_POD, "pod.odd", "p4");
	own(s, KIND_POD, "pod.nameless", "");
	own(s, KIND_VOLUME, "volume.lacking", "v1");
	own(s, KIND_VOLUME, "volume.odd", "v2");
	world_stray(&s->r.w, "p1", "pod.listed",
	    "01010101010101010101010101010101");
	run_lie(&s->r, CLOUD_GET_POD, 0, false, one_pod(&s->r,
	    (struct cloud_pod){ .id = STR("p2") }));
	run_lie(&s->r, CLOUD_GET_POD, 0, false,
	    says(404, REASON_NOT_FOUND, "none"));
	run_lie(&s->r, CLOUD_GET_POD, 0, false, volume_answer(0));
	run_lie(&s->r, CLOUD_GET_VOLUME, 0, false, volume_answer(1));
	run_lie(&s->r, CLOUD_GET_VOLUME, 0, false, volume_answer(0));
	int64_t began = s->r.now_ms;
	assert_int_equal(session_refresh(session, true), EXIT_OK);
	assert_text(play_said(s),
	    "ask list pods\n"
	    "ask list volumes\n"
	    "ask get pod p2\n"
	    "ask get pod p3\n"
	    "ask get pod p4\n"
	    "ask get volume v1\n"
	    "ask get volume v2\n");
	assert_int_equal(session->live.npods, 2);
	assert_true(str_is(session->live.pods[0].id, "p1"));
	assert_true(str_is(session->live.pods[1].id, "p2"));
	assert_int_equal(session->live.nvolumes, 1);
	assert_true(str_is(session->live.volumes[0].id, "v1"));
	assert_true(session->live.pods_known);
	assert_true(session->live.volumes_known);
	assert_true(session->have_live);
	/* As of the listings, not of what was asked after them. */
	assert_int_equal(session->live.wall_ms,
	    s->r.w.options.wall_ms + began + 20);
}

static void
test_session_refresh_leaves_volumes_alone_where_none_are_asked(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	own(s, KIND_VOLUME, "volume.d", "v1");
	assert_int_equal(session_refresh(session, false), EXIT_OK);
	assert_text(play_said(s), "ask list pods\n");
	assert_true(session->live.pods_known);
	assert_false(session->live.volumes_known);
}

/* A failed listing or look-up is no picture. */
static void
test_session_refresh_fails_with_the_first_refusal(void **state)
{
	static const struct {
		enum cloud_op op;
		unsigned after;
		const char *words;
		bool have_live;
	} rows[] = {
		{ CLOUD_LIST_PODS, 0, "cannot list pods: no", false },
		{ CLOUD_LIST_VOLUMES, 0, "cannot list volumes: no", false },
		{ CLOUD_GET_POD, 0, "cannot get pod: no", true },
		{ CLOUD_GET_POD, 1, "cannot get pod: no", true },
		{ CLOUD_GET_VOLUME, 0, "cannot get volume: no", true },
	};
	struct session_world *s = *state;

	own(s, KIND_POD, "pod.a", "p1");
	own(s, KIND_POD, "pod.b", "p2");
	own(s, KIND_VOLUME, "volume.a", "v1");
	own(s, KIND_VOLUME, "volume.b", "v2");
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session *session = play_begin(s, NULL);
		run_lie(&s->r, rows[i].op, rows[i].after, false,
		    says(403, REASON_FORBIDDEN, "no"));
		assert_int_equal(session_refresh(session, true), EXIT_AUTH);
		assert_int_equal(session->have_live, rows[i].have_live);
		/* Said once. */
		assert_int_equal(s->r.w.diags.list.n, 1);
		play_reports(s, rows[i].words);
		s->r.scripts.n = 0;
	}
}

/* ------------------------------------------------- what a plan is missing */

static void
asks_for(struct session_world *s, const struct plan *plan, unsigned known,
    bool account, const char *wanted)
{
	struct session *session = play_begin(s, NULL);

	session->live.catalog_known = known & 1;
	session->live.volumes_known = known & 2;
	session->live.account_known = known & 4;
	assert_int_equal(session_fetch_for(session, plan, account), EXIT_OK);
	assert_text(play_said(s), wanted);
	/* Whatever was asked for is known now. */
	if (plan->needs_catalog) {
		assert_true(session->live.catalog_known);
		if (!(known & 1)) {
			assert_int_equal(session->live.ngpus, 3);
			assert_int_equal(session->live.ndata_centers, 3);
		}
	}
	assert_true(!plan->needs_volumes || session->live.volumes_known);
	assert_true(!(plan->needs_account || account) ||
	    session->live.account_known);
	assert_int_equal(session->live.account.balance_known,
	    (plan->needs_account || account) && !(known & 4));
}

static void
test_session_fetches_only_what_is_needed_and_not_known(void **state)
{
	struct session_world *s = *state;

	for (unsigned needs = 0; needs < 8; needs++)
		for (unsigned known = 0; known < 8; known++)
			for (unsigned account = 0; account < 2; account++) {
				struct plan plan = {
					.needs_catalog = needs & 1,
					.needs_volumes = needs & 2,
					.needs_account = needs & 4,
				};
				unsigned asked = (needs | account << 2) &
				    ~known;
				char wanted[200];
				(void)snprintf(wanted, sizeof wanted,
				    "%s%s%s", asked & 1 ? "ask list gpus\n"
				    "ask list data centers\n" : "",
				    asked & 2 ? "ask list volumes\n" : "",
				    asked & 4 ? "ask get account\n" : "");
				asks_for(s, &plan, known, account, wanted);
			}
}

static void
test_session_fetch_looks_for_volumes_that_the_listing_lacks(void **state)
{
	struct plan plan = { .needs_volumes = true };
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	own(s, KIND_VOLUME, "volume.d", "v1");
	run_lie(&s->r, CLOUD_GET_VOLUME, 0, false, volume_answer(1));
	assert_int_equal(session_fetch_for(session, &plan, false), EXIT_OK);
	assert_text(play_said(s), "ask list volumes\nask get volume v1\n");
	assert_int_equal(session->live.nvolumes, 1);
	session->live.volumes_known = false;
	run_lie(&s->r, CLOUD_GET_VOLUME, 0, false,
	    says(402, REASON_BALANCE, "no"));
	assert_int_equal(session_fetch_for(session, &plan, false),
	    EXIT_BALANCE);
}

/* The balance is a courtesy; all else has to be there. */
static void
test_session_fetch_can_do_without_the_balance_alone(void **state)
{
	static const enum cloud_op ops[] = { CLOUD_LIST_GPUS,
		CLOUD_LIST_DATA_CENTERS, CLOUD_LIST_VOLUMES,
		CLOUD_GET_ACCOUNT };
	struct plan plan = { .needs_catalog = true, .needs_volumes = true,
		.needs_account = true };
	struct session_world *s = *state;

	for (size_t i = 0; i < COUNTOF(ops); i++) {
		struct session *session = play_begin(s, NULL);
		run_lie(&s->r, ops[i], 0, false,
		    says(410, REASON_RETIRED, "gone"));
		assert_int_equal(session_fetch_for(session, &plan, false),
		    ops[i] == CLOUD_GET_ACCOUNT ? EXIT_OK : EXIT_ERROR);
		assert_false(session->live.account_known);
		play_reports(s, ops[i] == CLOUD_GET_ACCOUNT ? NULL :
		    cloud_op_words(ops[i]));
	}
	/* Of a signal all of it ends, the balance too. */
	struct session *session = play_begin(s, NULL);
	plan = (struct plan){ .needs_account = true };
	play_signal_at(s, 1, 2);
	assert_int_equal(session_fetch_for(session, &plan, false),
	    EXIT_INTERRUPTED);
	play_reports(s, NULL);
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, play_setup, \
	play_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_session_ask_gives_what_the_cloud_says),
		ROW(test_session_ask_tries_again_what_may_pass),
		ROW(test_session_ask_points_to_the_key_when_it_is_refused),
		ROW(test_session_ask_obeys_retry_after_also_later),
		ROW(test_session_ask_is_ended_by_a_signal),
		ROW(test_session_ask_hides_secrets_in_what_the_cloud_says),
		ROW(test_session_ask_follows_the_pages_of_a_listing),
		ROW(test_session_refresh_asks_for_what_the_listing_lacks),
		ROW(test_session_refresh_leaves_volumes_alone_where_none_are_asked),
		ROW(test_session_refresh_fails_with_the_first_refusal),
		ROW(test_session_fetches_only_what_is_needed_and_not_known),
		ROW(test_session_fetch_looks_for_volumes_that_the_listing_lacks),
		ROW(test_session_fetch_can_do_without_the_balance_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
