/* runpod_text.c - see runpod_text.h */
#include "runpod_text.h"

struct http_request
runpod_write(struct arena *arena, struct cloud_request request)
{
	struct http_request http;
	runpod.encode(arena, &request, &http);
	return http;
}

struct cloud_answer
runpod_read(struct arena *arena, enum cloud_op op, int status, const char *body)
{
	struct cloud_answer answer;
	struct cloud_request request = { .op = op, .id = STR("p1") };
	struct http_answer http = {
		.outcome = HTTP_ANSWERED, .status = status,
		.body = str_from(body),
	};
	runpod.decode(arena, &request, &http, 0, &answer);
	return answer;
}
