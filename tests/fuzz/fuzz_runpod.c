/*
 * fuzz_runpod.c - whatever RunPod answers: decoded, or said to be unclear,
 * and never an effect denied by bytes that the service did not write so.
 *
 * Three bytes choose what was asked, the status and the transport's outcome;
 * then come headers and the body, each up to 0xff.  GraphQL (the account) is
 * one of the things to ask.
 */
#include "tests/fuzz/one_answer.h"

#include "cloud/runpod/ops.h"
#include "cloud/runpod/runpod.h"

static void
check_pod(const struct cloud_pod *pod)
{
	assert(ops_id_ok(pod->id));
	assert(pod->cost_per_hour >= 0);
	assert(pod->config.gpu_count >= 0 && pod->config.disk_gb >= 0);
	for (size_t i = 1; i < pod->config.nports; i++)
		assert(!str_eq(pod->config.ports[i - 1],
		    pod->config.ports[i]));
	/* What the mark is made of is no part of what is compared. */
	for (size_t i = 0; i < pod->config.nenv; i++) {
		struct str name = pod->config.env[i].name;
		assert(!str_is(name, "PODFORM_MARK"));
		assert(runpod_injected_find(name) == NULL);
		if (i > 0)
			assert(str_cmp(pod->config.env[i - 1].name, name) < 0);
	}
}

static void
check_payload(const struct cloud_request *request,
    const struct cloud_answer *answer)
{
	for (size_t i = 0; i < answer->npods; i++)
		check_pod(&answer->pods[i]);
	for (size_t i = 0; i < answer->nvolumes; i++)
		assert(ops_id_ok(answer->volumes[i].id) &&
		    answer->volumes[i].size_gb >= 0);
	for (size_t i = 0; i < answer->ngpus; i++)
		assert(answer->gpus[i].secure_price >= -1 &&
		    answer->gpus[i].community_price >= -1);
	assert(answer->account.balance >= -INT64_C(1000000000000));
	if (answer->outcome != OUTCOME_OK)
		assert(answer->npods + answer->nvolumes + answer->ngpus +
		    answer->ndata_centers + answer->nssh_keys +
		    answer->nlines == 0);
	/* Another pod than the one that was asked for is no answer. */
	if (answer->outcome == OUTCOME_OK &&
	    ops_rows[request->op].shape == SHAPE_POD)
		assert(answer->npods == 1 &&
		    str_eq(answer->pods[0].id, request->id));
}

static void
check_outcome(const struct cloud_request *request,
    const struct http_answer *http, const struct cloud_answer *answer)
{
	bool changes = cloud_op_changes(request->op);

	if (http->outcome == HTTP_NOT_SENT)
		assert(answer->outcome == OUTCOME_NOT_SENT);
	else if (http->outcome != HTTP_ANSWERED)
		assert(answer->outcome == OUTCOME_UNKNOWN);
	else
		assert(answer->outcome != OUTCOME_NOT_SENT);
	if (answer->outcome == OUTCOME_OK)
		assert(http->status == ops_rows[request->op].success);
	if (changes && http->outcome == HTTP_ANSWERED && http->status >= 500)
		assert(answer->outcome == OUTCOME_UNKNOWN);
	/* "Without effect" needs words of the service, and they are JSON; but
	 * the limiter stands before any work. */
	if (changes && answer->outcome == OUTCOME_NO_EFFECT &&
	    http->status != 429)
		assert(str_find(http->body, '{') >= 0 ||
		    str_find(http->body, '"') >= 0);
	assert(answer->retry_after_ms >= 0 &&
	    answer->retry_after_ms <= 300000);
	assert(answer->ratelimit_left >= -1 &&
	    answer->ratelimit_reset_ms >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 201, 202, 204, 400, 401, 402,
		403, 404, 409, 410, 422, 429, 500, 502, 503, 302 };
	struct arena arena = {0};
	struct cloud_answer answer;
	struct fuzz in = { data, size };
	struct cloud_request request = {
		.op = (enum cloud_op)fuzz_below(&in, CLOUD_OP_COUNT),
		.id = STR("pod1"),
	};
	struct http_answer http;

	if (fuzz_answer(&in, ops_rows[request.op].success, statuses,
		COUNTOF(statuses), &http))
		http.ratelimit = fuzz_part(&in);
	http.body = fuzz_rest(&in);
	runpod.decode(&arena, &request, &http, 1795000000000, &answer);
	check_outcome(&request, &http, &answer);
	check_payload(&request, &answer);
	arena_release(&arena);
	return 0;
}
