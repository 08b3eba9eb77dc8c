/* test_run_session_github.c - runners and tunnels, asked before a plan */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lock_fixture.h"
#include "session_world.h"

#define POD "pods:\n  trainer: { image: x:1, gpu: A40 }\n"
#define RUNNER "runners:\n  ci: { pod: trainer, repository: acme/m, " \
	"labels: [gpu] }\n"
#define TUNNEL "tunnels:\n  web: { pod: trainer, local: 8188, " \
	"remote: 8188 }\n"

static struct lock_entry
runner_entry(const char *id, const char *repository,
    const char *organization)
{
	return (struct lock_entry){ .kind = KIND_RUNNER,
		.address = STR("runner.old"), .id = str_from(id),
		.runner = { .repository = str_from(repository),
			.organization = str_from(organization),
			.name = STR("ci-1") } };
}

static void
record(struct session_world *s, const char *id, const char *repository,
    const char *organization)
{
	*ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.entries) =
	    runner_entry(id, repository, organization);
}

static void
registered(struct session_world *s, int64_t id)
{
	*ARENA_PUSH(&s->r.w.arena, &s->r.runners) = (struct github_runner){
		.id = id, .name = STR("r") };
}

static struct github_answer
github_says(enum cloud_outcome outcome, enum cloud_reason reason)
{
	return (struct github_answer){ .outcome = outcome, .reason = reason,
		.message = STR("no luck"), .total = -1 };
}

/* --------------------------------------------------------------- scopes -- */

static void
test_session_github_asks_nothing_where_there_are_no_runners(void **state)
{
	struct session_world *s = *state;

	s->config.github = NULL;
	struct session *session = play_begin(s, POD);
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_text(play_said(s), "");
	assert_int_equal(session->live.nscopes, 0);
	play_reports(s, NULL);
}

static void
test_session_github_needs_a_token_where_there_are_runners(void **state)
{
	struct session_world *s = *state;

	s->config.github = NULL;
	struct session *session = play_begin(s, POD RUNNER);
	assert_int_equal(session_refresh_github(session), EXIT_AUTH);
	assert_text(play_said(s), "");
	play_reports(s, "error: there are runners, and no GitHub token "
	    "[PF0510]\n   hint: set GITHUB_TOKEN");
}

/* Of spec, record and open ops, each scope once. */
static void
test_session_github_lists_each_scope_once(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, POD RUNNER);
	struct lock_op op = { .action = OP_CREATE,
		.entry = runner_entry(NULL, NULL, "beta") };
	struct lock_op pod_op = { .action = OP_CREATE,
		.entry.kind = KIND_POD };

	record(s, "71", "acme/m", NULL);
	record(s, "72", "acme/other", NULL);
	registered(s, 71);
	registered(s, 72);
	*ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.entries) =
	    (struct lock_entry){ .kind = KIND_POD };
	*ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.pending) = op;
	*ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.pending) = pod_op;
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_text(play_said(s), "github list runners\n"
	    "github list runners\ngithub list runners\n");
	assert_int_equal(session->live.nscopes, 3);
	const struct live_scope *scopes = session->live.scopes;
	assert_true(str_is(scopes[0].scope.repository, "acme/m"));
	assert_true(str_is(scopes[1].scope.repository, "acme/other"));
	assert_true(str_is(scopes[2].scope.organization, "beta"));
	for (size_t i = 0; i < 3; i++) {
		assert_true(scopes[i].known);
		assert_int_equal(scopes[i].nrunners, 2);
	}
	/* Again: they are not doubled. */
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_int_equal(session->live.nscopes, 3);
}

static void
test_session_github_without_a_spec_goes_by_the_record(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	record(s, "71", NULL, "acme");
	registered(s, 71);
	run_github_lie(&s->r, GITHUB_LIST_RUNNERS, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_OK,
		.runners = s->r.runners.items, .nrunners = 1,
		.scopes = STR("repo") });
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_text(play_said(s), "github list runners\n");
	assert_int_equal(session->live.scopes[0].nrunners, 1);
	assert_true(str_is(session->live.scopes[0].token_scopes, "repo"));
}

/* ------------------------------------------------------------- refusals -- */

static void
test_session_github_a_refusal_is_said_for_each_scope(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, POD RUNNER);

	record(s, "71", "acme/other", NULL);
	run_github_lie(&s->r, GITHUB_LIST_RUNNERS, 0, false,
	    github_says(OUTCOME_NO_EFFECT, REASON_AUTH));
	run_github_lie(&s->r, GITHUB_LIST_RUNNERS, 0, false,
	    github_says(OUTCOME_NO_EFFECT, REASON_BAD_REQUEST));
	assert_int_equal(session_refresh_github(session), EXIT_AUTH);
	assert_int_equal(s->r.w.diags.errors, 2);
	assert_false(session->live.scopes[0].known);
	assert_false(session->live.scopes[1].known);
	assert_true(str_is(session->live.scopes[0].why_unknown, "no luck"));
	/* Nothing more was asked. */
	assert_text(play_said(s),
	    "github list runners\ngithub list runners\n");
}

static void
test_session_github_that_is_optional_leaves_a_scope_unknown(void **state)
{
	struct session_world *s = *state;

	s->config.github_optional = true;
	struct session *session = play_begin(s, POD RUNNER);
	record(s, "71", "acme/m", NULL);
	run_github_lie(&s->r, GITHUB_LIST_RUNNERS, 0, false,
	    github_says(OUTCOME_NO_EFFECT, REASON_AUTH));
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_false(session->live.scopes[0].known);
	/* What is not known lacks nothing. */
	assert_text(play_said(s), "github list runners\n");
	/* Nor is it known when a runner cannot be looked up. */
	run_github_lie(&s->r, GITHUB_GET_RUNNER, 0, false,
	    github_says(OUTCOME_NO_EFFECT, REASON_AUTH));
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_text(play_said(s),
	    "github list runners\ngithub get the runner\n");
	assert_false(session->live.scopes[0].known);
	play_reports(s, NULL);
}

static void
test_session_github_is_ended_by_a_signal(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, POD RUNNER TUNNEL);

	record(s, "71", "acme/other", NULL);
	play_signal_at(s, 1, 2);
	assert_int_equal(session_refresh_github(session), EXIT_INTERRUPTED);
	assert_text(play_said(s), "github list runners\n"
	    "github list runners\ncancel\ncancel\n");
	play_reports(s, NULL);
}

/* -------------------------------------------------------------- missing -- */

/* Pages are no snapshot: what the record knows is asked for by its number. */
static void
test_session_github_asks_for_what_a_listing_lacks(void **state)
{
	static struct github_runner found = { .id = 72,
		.name = STR_INIT("x") };
	struct github_answer one = { .outcome = OUTCOME_OK,
		.runners = &found, .nrunners = 1 };
	struct session_world *s = *state;
	struct session *session = play_begin(s, POD RUNNER);

	record(s, "71", "acme/m", NULL);	/* listed */
	record(s, "72", "acme/m", NULL);	/* there after all */
	record(s, "73", "acme/m", NULL);	/* gone */
	record(s, "74", "acme/m", NULL);	/* an odd answer */
	record(s, "", "acme/m", NULL);		/* registers itself yet */
	*ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.entries) =
	    (struct lock_entry){ .kind = KIND_POD, .id = STR("75") };
	registered(s, 70);
	registered(s, 71);
	run_github_lie(&s->r, GITHUB_GET_RUNNER, 0, false, one);
	run_github_lie(&s->r, GITHUB_GET_RUNNER, 0, false,
	    github_says(OUTCOME_NO_EFFECT, REASON_NOT_FOUND));
	one.nrunners = 0;
	run_github_lie(&s->r, GITHUB_GET_RUNNER, 0, false, one);
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_text(play_said(s), "github list runners\n"
	    "github get the runner\ngithub get the runner\n"
	    "github get the runner\n");
	const struct live_scope *scope = &session->live.scopes[0];
	assert_true(scope->known);
	assert_int_equal(scope->nrunners, 3);
	assert_int_equal(scope->runners[0].id, 70);
	assert_int_equal(scope->runners[1].id, 71);
	assert_int_equal(scope->runners[2].id, 72);
}

static void
test_session_github_looks_for_it_in_its_own_scope(void **state)
{
	static struct github_runner found = { .id = 72,
		.name = STR_INIT("x") };
	struct session_world *s = *state;
	struct session *session = play_begin(s, POD RUNNER);

	/* Nothing is listed in either; one of them is there after all. */
	record(s, "72", "acme/other", NULL);
	run_github_lie(&s->r, GITHUB_GET_RUNNER, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_OK,
		.runners = &found, .nrunners = 1 });
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_int_equal(session->live.scopes[0].nrunners, 0);
	assert_int_equal(session->live.scopes[1].nrunners, 1);
	assert_int_equal(session->live.scopes[1].runners[0].id, 72);
}

/* Not allowed is not gone: only a clear "there is none" is. */
static void
test_session_github_a_look_up_that_fails_makes_no_picture(void **state)
{
	static const struct {
		enum cloud_outcome outcome;
		enum cloud_reason reason;
		int code;
	} rows[] = {
		{ OUTCOME_NO_EFFECT, REASON_FORBIDDEN, EXIT_AUTH },
		{ OUTCOME_NO_EFFECT, REASON_BAD_REQUEST, EXIT_ERROR },
		{ OUTCOME_NO_EFFECT, REASON_NOT_FOUND, EXIT_OK },
	};
	struct session_world *s = *state;
	struct session *session = play_begin(s, POD RUNNER TUNNEL);

	record(s, "71", "acme/m", NULL);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		run_github_lie(&s->r, GITHUB_GET_RUNNER, 0, false,
		    github_says(rows[i].outcome, rows[i].reason));
		assert_int_equal(session_refresh_github(session),
		    rows[i].code);
		assert_int_equal(session->live.scopes[0].known,
		    rows[i].code == EXIT_OK);
		/* The tunnels are not asked for in vain. */
		assert_int_equal(strstr(play_said(s), "holder list") !=
		    NULL, rows[i].code == EXIT_OK);
	}
}

/* -------------------------------------------------------------- tunnels -- */

static void
test_session_asks_the_holder_where_there_may_be_tunnels(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, POD TUNNEL);

	*ARENA_PUSH(&s->r.w.arena, &s->r.w.tunnels) = (struct tunnel_status){
		.config.address = STR("tunnel.web"), .state = TUNNEL_UP };
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_text(play_said(s), "holder list\n");
	assert_true(session->live.tunnels_known);
	assert_int_equal(session->live.ntunnels, 1);
	assert_true(str_is(session->live.tunnels[0].config.address,
	    "tunnel.web"));
	/* One that does not answer: they are not known. */
	s->r.tunnel_fails = "it hangs";
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_false(session->live.tunnels_known);
	/* Without one there is nobody to ask. */
	play_said(s);
	s->world.start_holder = NULL;
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_text(play_said(s), "");
}

static void
test_session_asks_a_holder_that_may_run_without_a_spec(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_text(play_said(s), "");
	session->config.holder_may_run = true;
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_text(play_said(s), "holder list\n");
}

static void
test_session_waits_for_the_holder_and_nobody_else(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, POD TUNNEL);

	play_at(s, 1, (struct world_event){ .type = WORLD_SUSPENDED });
	play_at(s, 2, (struct world_event){ .type = WORLD_HOLDER,
		.token = 1 });		/* of an older question */
	assert_int_equal(session_refresh_github(session), EXIT_OK);
	assert_true(session->live.tunnels_known);
	assert_int_equal(s->waits, 3);
	session->live.tunnels_known = false;
	play_said(s);
	play_signal_at(s, 1, 15);
	assert_int_equal(session_refresh_github(session), EXIT_TERMINATED);
	assert_text(play_said(s), "holder list\ncancel\n");
	assert_false(session->live.tunnels_known);
}

/* ------------------------------------------------------------- settling -- */

/* What GitHub can tell about an op that was cut off. */
static void
test_session_settles_a_runner_by_its_name(void **state)
{
	static const struct {
		enum op_action action;
		unsigned listed;
		bool settled;
		enum op_outcome outcome;
		const char *id;
	} rows[] = {
		{ OP_CREATE, 1, true, OP_DONE, "77" },
		{ OP_CREATE, 0, false, OP_NONE, "" },	/* may come yet */
		{ OP_DELETE, 1, true, OP_NONE, "" },	/* did not happen */
		{ OP_DELETE, 0, true, OP_DONE, "" },
	};
	static struct github_runner found = { .id = 77 };
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct lock_op op = { .op = op_id(3),
			.action = rows[i].action,
			.entry = runner_entry("", "acme/m", NULL) };
		struct record result = {0};
		run_github_lie(&s->r, GITHUB_FIND_RUNNER, 0, false,
		    (struct github_answer){ .outcome = OUTCOME_OK,
			.runners = &found, .nrunners = rows[i].listed });
		assert_int_equal(session_settle_runner(session, &op,
		    &result), rows[i].settled);
		assert_text(play_said(s), "github find the runner\n");
		if (!rows[i].settled)
			continue;
		assert_int_equal(result.type, RECORD_RESULT);
		assert_int_equal(result.outcome, rows[i].outcome);
		assert_string_equal(result.op.op.hex, op_id(3).hex);
		assert_true(str_is(result.id, rows[i].id));
		assert_int_equal(result.adopted, rows[i].id[0] != '\0');
		assert_int_equal(result.price_per_hour, -1);
	}
}

static void
test_session_settles_no_runner_without_githubs_word(void **state)
{
	struct session_world *s = *state;
	struct lock_op op = { .action = OP_DELETE,
		.entry = runner_entry("71", "acme/m", NULL) };
	struct record result;

	play_begin(s, NULL);
	run_github_lie(&s->r, GITHUB_FIND_RUNNER, 0, false,
	    github_says(OUTCOME_NO_EFFECT, REASON_NOT_FOUND));
	assert_false(session_settle_runner(&s->session, &op, &result));
	s->config.github = NULL;
	play_begin(s, NULL);
	play_said(s);
	assert_false(session_settle_runner(&s->session, &op, &result));
	assert_text(play_said(s), "");
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, play_setup, \
	play_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_session_github_asks_nothing_where_there_are_no_runners),
		ROW(test_session_github_needs_a_token_where_there_are_runners),
		ROW(test_session_github_lists_each_scope_once),
		ROW(test_session_github_without_a_spec_goes_by_the_record),
		ROW(test_session_github_a_refusal_is_said_for_each_scope),
		ROW(test_session_github_that_is_optional_leaves_a_scope_unknown),
		ROW(test_session_github_is_ended_by_a_signal),
		ROW(test_session_github_asks_for_what_a_listing_lacks),
		ROW(test_session_github_looks_for_it_in_its_own_scope),
		ROW(test_session_github_a_look_up_that_fails_makes_no_picture),
		ROW(test_session_asks_the_holder_where_there_may_be_tunnels),
		ROW(test_session_asks_a_holder_that_may_run_without_a_spec),
		ROW(test_session_waits_for_the_holder_and_nobody_else),
		ROW(test_session_settles_a_runner_by_its_name),
		ROW(test_session_settles_no_runner_without_githubs_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
