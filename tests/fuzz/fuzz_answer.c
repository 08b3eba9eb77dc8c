/*
 * fuzz_answer.c - whatever RunPod answers: decoded, or said to be unclear,
 * and never an effect denied by bytes that the service did not write so.
 *
 * The first byte chooses what was asked, the second the status; the rest is
 * the body.
 */
#include "cloud/runpod/runpod.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 201, 202, 204, 400, 401, 402,
		403, 404, 409, 422, 429, 500, 502, 503, 302 };
	struct arena arena = {0};
	struct cloud_answer answer;

	if (size < 2)
		return 0;
	struct cloud_request request = {
		.op = (enum cloud_op)(data[0] % CLOUD_OP_COUNT),
		.id = STR("pod1"),
	};
	struct http_answer http = {
		.outcome = HTTP_ANSWERED,
		.status = statuses[data[1] % COUNTOF(statuses)],
		.body = { (const char *)data + 2, size - 2 },
	};
	runpod.decode(&arena, &request, &http, 1795000000000, &answer);
	if (http.status >= 500)
		assert(answer.outcome != OUTCOME_OK);
	if (cloud_op_changes(request.op) && http.status >= 500)
		assert(answer.outcome == OUTCOME_UNKNOWN);
	arena_release(&arena);
	return 0;
}
