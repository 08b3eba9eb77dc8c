/*
 * fuzz_github.c - whatever GitHub answers about runners: decoded, or said to
 * be unclear; a runner is never gone, idle or removed because of bytes that
 * do not say so.
 *
 * Three bytes choose what was asked, the status and what else; then come
 * headers and the body, each up to 0xff.
 */
#include "tests/fuzz/one_answer.h"

#include "github/github.h"
#include "github/github_ops.h"

static void
check_payload(const struct github_request *request,
    const struct github_answer *answer)
{
	for (size_t i = 0; i < answer->nrunners; i++) {
		const struct github_runner *runner = &answer->runners[i];
		assert(runner->id > 0 && runner->name.len > 0);
		if (request->op == GITHUB_FIND_RUNNER)
			assert(str_eq_fold(runner->name, request->name));
		for (size_t j = 0; j < i; j++)
			assert(runner->id != answer->runners[j].id);
	}
	for (size_t i = 0; i < answer->npackages; i++) {
		const struct runner_package *package = &answer->packages[i];
		assert(package->sha256.data == NULL ||
		    package->sha256.len == 64);
		/* It becomes a path on a pod and a part of a script. */
		assert(str_find(package->filename, '/') < 0);
	}
	for (size_t i = 0; i < answer->jit.len; i++)
		assert(answer->jit.data[i] > ' ' &&
		    answer->jit.data[i] <= '~');
	for (size_t i = 0; i < answer->token.len; i++)
		assert(answer->token.data[i] > ' ' &&
		    answer->token.data[i] <= '~');
	if (answer->outcome != OUTCOME_OK)
		assert(answer->nrunners + answer->npackages +
		    answer->ngroups == 0 && answer->jit.len == 0 &&
		    answer->token.len == 0);
	if (answer->outcome == OUTCOME_OK && request->op == GITHUB_GET_RUNNER)
		assert(answer->nrunners == 1 &&
		    answer->runners[0].id == request->id);
}

static void
check_outcome(const struct github_request *request,
    const struct http_answer *http, const struct github_answer *answer)
{
	if (http->outcome == HTTP_NOT_SENT)
		assert(answer->outcome == OUTCOME_NOT_SENT);
	else if (http->outcome != HTTP_ANSWERED)
		assert(answer->outcome == OUTCOME_UNKNOWN);
	else
		assert(answer->outcome != OUTCOME_NOT_SENT);
	if (answer->outcome == OUTCOME_OK &&
	    request->op != GITHUB_DEPRECATION)
		assert(http->status == github_ops_rows[request->op].success);
	if (github_op_changes(request->op) && http->status >= 500 &&
	    http->outcome == HTTP_ANSWERED)
		assert(answer->outcome == OUTCOME_UNKNOWN);
	/* A "not found" that GitHub did not write is believed by nobody. */
	if (answer->reason == REASON_NOT_FOUND ||
	    answer->reason == REASON_BUSY)
		assert(str_search(http->body, STR("message")) >= 0 ||
		    str_find(http->body, '\\') >= 0);
	assert(answer->retry_after_ms >= 0 &&
	    answer->retry_after_ms <= 300000);
	assert(answer->ratelimit_left >= -1 && answer->total >= -1);
	assert(answer->next_cursor.data == NULL ||
	    !str_eq(answer->next_cursor, request->cursor));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 201, 202, 204, 400, 401, 402,
		403, 404, 409, 410, 422, 429, 451, 500, 502, 503, 302 };
	struct arena arena = {0};
	struct github_answer answer;
	struct fuzz in = { data, size };
	struct github_request request = {
		.op = (enum github_op)fuzz_below(&in, GITHUB_OP_COUNT),
		.scope = { .repository = STR("acme/model") },
		.id = 7, .name = STR("trainer-1"), .version = STR("2.336.0"),
		.cursor = STR("https://api.github.com/x?page=2"),
	};
	struct http_answer http;

	if (fuzz_answer(&in, github_ops_rows[request.op].success, statuses,
		COUNTOF(statuses), &http)) {
		http.github_limit = fuzz_part(&in);
		http.permissions = fuzz_part(&in);
		http.link = fuzz_part(&in);
	}
	http.body = fuzz_rest(&in);
	github_rest.decode(&arena, &request, &http, 1795000000000, &answer);
	check_outcome(&request, &http, &answer);
	check_payload(&request, &answer);
	arena_release(&arena);
	return 0;
}
