/*
 * test_github_tables.c - what GitHub's refusals mean, as full truth tables,
 * written down another time and in another way than in github_classify.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "github/github_classify.h"

/* ------------------------------------------------------------ refusals --- */

enum words { PLAIN, BUSY, FULL, EXISTS, UNPROVEN, NWORDS };

static const char *const said[NWORDS] = {
	[PLAIN] = "Validation Failed",
	[BUSY] = "Bad request - Runner \"x\" is still running a job",
	[FULL] = "Runner group 1 has reached max limit of 10000 runners.",
	[EXISTS] = "Already exists - A runner with the name x already exists.",
	[UNPROVEN] = "",
};

static enum cloud_reason
meaning(enum github_op op, int status, enum words words)
{
	if (status >= 200 && status < 400)
		return REASON_MALFORMED;
	if (status == 401)
		return REASON_AUTH;
	if (status == 402 || status == 403 || status == 451)
		return REASON_FORBIDDEN;
	if (words == UNPROVEN)
		return REASON_TRANSIENT;
	if (status == 422 && op == GITHUB_DELETE_RUNNER && words == BUSY)
		return REASON_BUSY;
	if (status == 422 && op == GITHUB_JIT && words == FULL)
		return REASON_NO_CAPACITY;
	if (status == 422 && op == GITHUB_JIT && words == EXISTS)
		return REASON_CONFLICT;
	if (status == 400 || status == 422)
		return REASON_BAD_REQUEST;
	return status == 404 ? REASON_NOT_FOUND :
	    status == 409 ? REASON_CONFLICT : REASON_TRANSIENT;
}

static void
test_github_classifies_every_status_of_every_request(void **state)
{
	static const char proves[] = " 400 401 402 403 404 409 422 451 ";
	size_t without_effect = 0;
	(void)state;

	for (enum github_op op = 0; op < GITHUB_OP_COUNT; op++)
	for (int status = 100; status < 600; status++)
	for (enum words words = 0; words < NWORDS; words++) {
		char number[16];
		struct github_problem problem = {
			.proven = words != UNPROVEN,
			.message = str_from(said[words]) };
		struct github_verdict verdict =
		    github_classify_status(op, status, &problem);

		snprintf(number, sizeof number, " %d ", status);
		enum cloud_outcome wanted = words != UNPROVEN &&
		    strstr(proves, number) != NULL ? OUTCOME_NO_EFFECT
						   : OUTCOME_UNKNOWN;
		if (verdict.outcome != wanted ||
		    verdict.reason != meaning(op, status, words))
			fail_msg("op %d, status %d, words %d: %d, %d",
			    (int)op, status, (int)words, (int)verdict.outcome,
			    (int)verdict.reason);
		without_effect += wanted == OUTCOME_NO_EFFECT;
	}
	assert_int_equal(without_effect, GITHUB_OP_COUNT * 8 * UNPROVEN);
}

/* -------------------------------------------------------------- limits --- */

/*
 * Each line a status; of it, by Retry-After (none, 30, bad), then what is left
 * of the hour (unknown, none, 5), then the words (none, in the message, in
 * the link): - no limit, t told, h the hour's, s secondary.
 */
static void
test_github_limits_come_in_one_order(void **state)
{
	static const struct {
		int status;
		const char *wanted;
	} rows[] = {
		{ 200, "---------" "---------" "---------" },
		{ 304, "---------" "---------" "---------" },
		{ 401, "---------" "---------" "---------" },
		{ 403, "-sshhh-ss" "ttttttttt" "ttttttttt" },
		{ 404, "---------" "---------" "---------" },
		{ 429, "ssshhhsss" "ttttttttt" "ttttttttt" },
		{ 503, "---------" "---------" "---------" },
	};
	static const char *const after[] = { NULL, "30", "soon" };
	static const char *const left[] = { NULL, "0/1000", "5/1000" };
	static const char letters[] = {
		[GITHUB_LIMIT_NONE] = '-', [GITHUB_LIMIT_TOLD] = 't',
		[GITHUB_LIMIT_PRIMARY] = 'h', [GITHUB_LIMIT_SECONDARY] = 's',
	};
	(void)state;

	for (size_t row = 0; row < COUNTOF(rows); row++) {
		char found[28] = "";
		for (size_t i = 0; i < 27; i++) {
			struct http_answer http = { .status = rows[row].status,
				.retry_after = str_from(after[i / 9]),
				.github_limit = str_from(left[i / 3 % 3]) };
			struct github_problem problem = { .proven = true,
				.message = i % 3 == 1 ? STR("You have exceeded"
				    " a secondary rate limit.") : STR("No"),
				.documentation = i % 3 == 2 ?
				    STR("https://x#abuse-rate-limits") :
				    STR("https://x") };
			int64_t wait_ms = -1;
			found[i] = letters[github_classify_limit(&http,
			    &problem, 940 * SECOND_MS, &wait_ms)];
			/* The hour ends in 60 s, and one is for rounding. */
			int64_t wanted = found[i] == '-' ? 0 :
			    found[i] == 'h' ? 61 * SECOND_MS :
			    found[i] == 't' && i / 9 == 1 ? 30 * SECOND_MS :
			    MINUTE_MS;
			assert_int_equal(wait_ms, wanted);
		}
		assert_string_equal(found, rows[row].wanted);
	}
}

/* ---------------------------------------------------------------- scopes - */

static void
test_github_ops_have_words_and_some_change_things(void **state)
{
	static const bool changes[GITHUB_OP_COUNT] = { [GITHUB_JIT] = true,
		[GITHUB_REGISTRATION_TOKEN] = true,
		[GITHUB_SET_LABELS] = true, [GITHUB_DELETE_RUNNER] = true };

	(void)state;
	for (enum github_op op = 0; op < GITHUB_OP_COUNT; op++) {
		assert_int_equal(github_op_changes(op), changes[op]);
		assert_true(strlen(github_op_words(op)) > 5);
		for (enum github_op other = 0; other < op; other++)
			assert_string_not_equal(github_op_words(op),
			    github_op_words(other));
	}
}

static void
test_github_scope_is_the_same_by_both_its_parts(void **state)
{
	static const struct github_scope scopes[] = {
		{ .repository = STR_INIT("acme/model") },
		{ .repository = STR_INIT("acme/other") },
		{ .organization = STR_INIT("acme") },
		{ .organization = STR_INIT("acme/model") },
		{ .organization = STR_INIT("other") },
	};
	static const char *const texts[] = { "acme/model", "acme/other",
		"acme", "acme/model", "other" };

	(void)state;
	for (size_t i = 0; i < COUNTOF(scopes); i++) {
		assert_true(str_is(github_scope_text(&scopes[i]), texts[i]));
		for (size_t k = 0; k < COUNTOF(scopes); k++)
			assert_int_equal(github_scope_eq(&scopes[i],
			    &scopes[k]), i == k);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_github_ops_have_words_and_some_change_things),
		cmocka_unit_test(
		    test_github_scope_is_the_same_by_both_its_parts),
		cmocka_unit_test(
		    test_github_classifies_every_status_of_every_request),
		cmocka_unit_test(test_github_limits_come_in_one_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
