/* test_run_session_offers.c - what is asked of GitHub's scopes for a plan */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "session_world.h"

#define POD "pods:\n  a: { image: x:1, gpu: A40 }\n"
#define PACKAGES "github list runner packages\n"
#define PRIVATE "github get the repository\n"
#define GROUPS "github list runner groups\n"
#define ENDS(v) "github ask about the runner's version of " v "\n"

static struct session *
begin(struct session_world *s, const char *runners)
{
	struct session *session = play_begin(s, arena_printf(
	    &s->r.w.arena, POD "runners:\n%s", runners).data);

	assert_int_equal(session_refresh_github(session), EXIT_OK);
	play_said(s);
	return session;
}

static void
asks(void **state, const char *runners, const char *wanted)
{
	struct session_world *s = *state;
	struct session *session = begin(s, runners);

	assert_int_equal(session_fetch_github(session), EXIT_OK);
	assert_text(play_said(s), wanted);
	/* What came is not asked for again. */
	assert_int_equal(session_fetch_github(session), EXIT_OK);
	assert_text(play_said(s), "");
	play_teardown(state);
	play_setup(state);
}

#define REPO "repository: acme/m, labels: [g]"
#define ORG "organization: acme, labels: [g]"

static void
test_session_offers_asks_once_for_what_a_plan_needs(void **state)
{
	asks(state, "  r: { pod: a, " REPO " }\n", PACKAGES PRIVATE);
	asks(state, "  r: { pod: a, " REPO ", version: latest }\n",
	    PACKAGES PRIVATE);
	/* Two of one version are one question, and of another scope none. */
	asks(state, "  r: { pod: a, " REPO ", version: 2.335.0 }\n"
	    "  s: { pod: a, " REPO ", version: 2.335.0 }\n"
	    "  t: { pod: a, " REPO ", version: 2.336.0 }\n",
	    PACKAGES ENDS("2.335.0") ENDS("2.336.0") PRIVATE);
	asks(state, "  r: { pod: a, " REPO ", version: 2.335.0 }\n"
	    "  s: { pod: a, repository: acme/n, labels: [g],\n"
	    "       version: 2.335.0 }\n",
	    PACKAGES ENDS("2.335.0") PRIVATE
	    PACKAGES ENDS("2.335.0") PRIVATE);
	/* Groups are those of an organization that a runner names one of. */
	asks(state, "  r: { pod: a, " ORG " }\n", PACKAGES);
	asks(state, "  r: { pod: a, " ORG ", group: gpu }\n",
	    PACKAGES GROUPS);
	asks(state, "  r: { pod: a, " ORG " }\n"
	    "  s: { pod: a, organization: beta, labels: [g], group: gpu }\n",
	    PACKAGES PACKAGES GROUPS);
}

static void
test_session_offers_asks_for_what_it_lacks_alone(void **state)
{
	struct session_world *s = *state;
	struct session *session = begin(s, "  r: { pod: a, " REPO
	    ", version: 2.335.0 }\n");

	session->live.scopes[0].packages_known = true;
	session->live.scopes[0].private_known = true;
	assert_int_equal(session_fetch_github(session), EXIT_OK);
	assert_text(play_said(s), ENDS("2.335.0"));
}

static void
test_session_offers_asks_nothing_without_github_or_a_spec(void **state)
{
	struct session_world *s = *state;
	struct session *session = begin(s, "  r: { pod: a, " REPO " }\n");

	session->config.github = NULL;
	assert_int_equal(session_fetch_github(session), EXIT_OK);
	assert_text(play_said(s), "");
	session->config.github = &s->github;
	session->spec = NULL;
	session->live.scopes[0].scope = (struct github_scope){
		.organization = STR("acme") };
	assert_int_equal(session_fetch_github(session), EXIT_OK);
	assert_text(play_said(s), PACKAGES);
}

static void
test_session_offers_takes_what_github_says(void **state)
{
	static struct runner_package package = {
		.version = STR_INIT("2.336.0") };
	static struct github_group group = { .id = 4,
		.name = STR_INIT("gpu") };
	struct session_world *s = *state;
	struct session *session = begin(s, "  r: { pod: a, " REPO
	    ", version: 2.335.0 }\n  s: { pod: a, " ORG ", group: gpu }\n");

	run_github_lie(&s->r, GITHUB_DOWNLOADS, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_OK,
		.packages = &package, .npackages = 1 });
	run_github_lie(&s->r, GITHUB_LIST_GROUPS, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_OK,
		.groups = &group, .ngroups = 1 });
	run_github_lie(&s->r, GITHUB_GET_REPOSITORY, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_OK,
		.is_private = true });
	run_github_lie(&s->r, GITHUB_DEPRECATION, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_OK,
		.registration_ends = STR("2027-01-01T00:00:00Z"),
		.runtime_ends = STR("2027-02-01T00:00:00Z") });
	assert_int_equal(session_fetch_github(session), EXIT_OK);
	const struct live_scope *repo = &session->live.scopes[0];
	const struct live_scope *org = &session->live.scopes[1];
	assert_true(repo->packages_known);
	assert_int_equal(repo->npackages, 1);
	assert_true(str_is(repo->packages[0].version, "2.336.0"));
	assert_true(repo->private_known);
	assert_true(repo->is_private);
	assert_int_equal(repo->ends.n, 1);
	assert_true(str_is(repo->ends.items[0].version, "2.335.0"));
	assert_true(str_is(repo->ends.items[0].registration,
	    "2027-01-01T00:00:00Z"));
	assert_true(str_is(repo->ends.items[0].runtime,
	    "2027-02-01T00:00:00Z"));
	assert_false(repo->groups_known);
	assert_true(org->packages_known);
	assert_int_equal(org->npackages, 0);
	assert_true(org->groups_known);
	assert_int_equal(org->ngroups, 1);
	assert_int_equal(org->groups[0].id, 4);
	assert_false(org->private_known);
}

/* Packages and groups have to be known; the rest are courtesies. */
static void
test_session_offers_stops_only_for_what_a_plan_needs(void **state)
{
	static const struct { enum github_op op; int code; } rows[] = {
		{ GITHUB_DOWNLOADS, EXIT_AUTH },
		{ GITHUB_LIST_GROUPS, EXIT_AUTH },
		{ GITHUB_DEPRECATION, EXIT_OK },
		{ GITHUB_GET_REPOSITORY, EXIT_OK },
	};
	static struct runner_package stale;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		struct session *session = begin(s, "  r: { pod: a, " REPO
		    ", version: 2.335.0 }\n"
		    "  s: { pod: a, " ORG ", group: gpu }\n");
		/* Whatever comes with a refusal is not believed. */
		run_github_lie(&s->r, rows[i].op, 0, false,
		    (struct github_answer){ .outcome = OUTCOME_NO_EFFECT,
			.reason = REASON_FORBIDDEN, .is_private = true,
			.packages = &stale, .npackages = 1, .ngroups = 1 });
		assert_int_equal(session_fetch_github(session),
		    rows[i].code);
		assert_int_equal(s->r.w.diags.errors,
		    rows[i].code != EXIT_OK);
		play_reports(s, rows[i].code == EXIT_OK ? NULL :
		    github_op_words(rows[i].op));
		const struct live_scope *scopes = session->live.scopes;
		assert_int_equal(scopes[0].packages_known,
		    rows[i].op != GITHUB_DOWNLOADS);
		assert_int_equal(scopes[0].npackages, 0);
		assert_int_equal(scopes[1].groups_known,
		    rows[i].op != GITHUB_LIST_GROUPS);
		assert_int_equal(scopes[1].ngroups, 0);
		assert_int_equal(scopes[0].private_known,
		    rows[i].op != GITHUB_GET_REPOSITORY);
		assert_false(scopes[0].is_private);
		play_teardown(state);
		play_setup(state);
	}
}

static void
test_session_offers_says_the_first_refusal_alone(void **state)
{
	struct session_world *s = *state;
	struct session *session = begin(s, "  r: { pod: a, " ORG
	    ", group: gpu }\n");

	run_github_lie(&s->r, GITHUB_DOWNLOADS, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_NO_EFFECT,
		.reason = REASON_BAD_REQUEST });
	run_github_lie(&s->r, GITHUB_LIST_GROUPS, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_NO_EFFECT,
		.reason = REASON_AUTH });
	assert_int_equal(session_fetch_github(session), EXIT_ERROR);
	assert_int_equal(s->r.w.diags.errors, 1);
}

static void
test_session_offers_is_ended_by_a_signal(void **state)
{
	struct session_world *s = *state;
	struct session *session = begin(s, "  r: { pod: a, " REPO " }\n");

	play_signal_at(s, 1, 15);
	assert_int_equal(session_fetch_github(session), EXIT_TERMINATED);
	assert_text(play_said(s), PACKAGES PRIVATE "cancel\ncancel\n");
	play_reports(s, NULL);
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, play_setup, \
	play_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_session_offers_asks_once_for_what_a_plan_needs),
		ROW(test_session_offers_asks_for_what_it_lacks_alone),
		ROW(test_session_offers_asks_nothing_without_github_or_a_spec),
		ROW(test_session_offers_takes_what_github_says),
		ROW(test_session_offers_stops_only_for_what_a_plan_needs),
		ROW(test_session_offers_says_the_first_refusal_alone),
		ROW(test_session_offers_is_ended_by_a_signal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
