/* github_answers.c - see github_answers.h */
#include "github_answers.h"

const struct github_scope model = { .repository =
	STR_INIT("acme/model") };
const struct github_scope acme = { .organization = STR_INIT("acme") };

/* 2026-11-21T12:00:00Z */
#define NOW INT64_C(1795262400000)

struct github_answer
decode_http(struct arena *arena, struct github_request request,
    struct http_answer http)
{
	struct github_answer answer;
	if (request.scope.repository.len == 0 &&
	    request.scope.organization.len == 0)
		request.scope = acme;
	github_rest.decode(arena, &request, &http, NOW, &answer);
	return answer;
}

struct github_answer
decode(struct arena *arena, enum github_op op, int status, const char *body)
{
	return decode_http(arena, (struct github_request){
		.op = op, .id = 23, .name = STR("pod-ab12"),
		.version = STR("2.335.1") },
	    (struct http_answer){ .outcome = HTTP_ANSWERED,
		.status = status, .body = str_from(body) });
}
