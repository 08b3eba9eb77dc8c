/* github_decode.c - see github_decode.h */
#include "github/github_decode.h"

#include <assert.h>

#include "base/headers.h"
#include "base/map.h"
#include "base/units.h"
#include "github/github_classify.h"
#include "github/github_link.h"
#include "github/github_ops.h"

enum {
	JIT_MAX = 64 * 1024,	/* of base64; it has 4 to 10 KB */
	TOKEN_MAX = 4096,
	PAGES_MAX = 1000,
	TIME_MAX = 64,
	WAIT_MAX_MS = 300 * SECOND_MS,
};

/* ----------------------------------------------------------- runners ---- */

static void
decode_labels(struct json_reader *reader, struct json_value value,
    struct github_runner *runner)
{
	struct json_value list;

	if (!json_read_array(reader, value, "labels", REQUIRED, &list))
		return;
	struct json_iter it = json_iter(list);
	runner->labels = ARENA_ARRAY(reader->arena, struct str,
	    json_count(list));
	while (!reader->failed && json_next(&it))
		json_read_str(reader, it.value, "name", REQUIRED,
		    &runner->labels[runner->nlabels++]);
}

/* A status that we do not know is not "online"; a runner whose `busy` is
 * missing cannot be read, since nothing may be guessed there. */
static void
decode_runner(struct json_reader *reader, struct json_value value,
    struct github_runner *runner)
{
	struct str status = {0};

	if (!json_is(value, JSON_OBJECT))
		json_fail(reader, NULL, "object");
	json_read_int(reader, value, "id", REQUIRED, 1, INT64_MAX,
	    &runner->id);
	if (json_read_str(reader, value, "name", REQUIRED, &runner->name) &&
	    runner->name.len == 0)
		json_fail(reader, "name", "name");
	json_read_str(reader, value, "os", NULLABLE, &runner->os);
	json_read_str(reader, value, "version", NULLABLE, &runner->version);
	json_read_str(reader, value, "status", REQUIRED, &status);
	json_read_bool(reader, value, "busy", REQUIRED, &runner->busy);
	runner->ephemeral_known = json_read_bool(reader, value, "ephemeral",
	    NULLABLE, &runner->ephemeral);
	json_read_int(reader, value, "runner_group_id", NULLABLE, 0,
	    INT64_MAX, &runner->group_id);
	decode_labels(reader, value, runner);
	runner->online = str_eq_fold(status, STR("online"));
}

/* Two entries of one id on one page cannot both be true. */
static void
refuse_doubles(struct json_reader *reader,
    const struct github_runner *runners, size_t n)
{
	struct arena scratch = {0};
	struct map seen = {0};
	for (size_t i = 0; i < n && !reader->failed; i++) {
		struct str key = { (const char *)&runners[i].id,
			sizeof runners[i].id };
		if (map_put(&seen, &scratch, key, &seen) != NULL)
			json_fail(reader, "id", "each runner once");
	}
	arena_release(&scratch);
}

/* Of a search, what has another name was not asked for. */
static void
keep_named(struct github_answer *out, struct str name)
{
	size_t n = 0;
	for (size_t i = 0; i < out->nrunners; i++)
		if (str_eq_fold(out->runners[i].name, name))
			out->runners[n++] = out->runners[i];
	out->nrunners = n;
}

static void
read_total(struct json_reader *reader, struct json_value root,
    struct github_answer *out)
{
	if (!json_read_int(reader, root, "total_count", NULLABLE, 0,
		INT64_MAX, &out->total))
		out->total = -1;
}

static void
decode_runners(struct json_reader *reader,
    const struct github_request *request, struct json_value root,
    struct github_answer *out)
{
	struct json_value list;

	read_total(reader, root, out);
	if (!json_read_array(reader, root, "runners", REQUIRED, &list))
		return;
	struct json_iter it = json_iter(list);
	out->runners = ARENA_ARRAY(reader->arena, struct github_runner,
	    json_count(list));
	while (!reader->failed && json_next(&it))
		decode_runner(reader, it.value,
		    &out->runners[out->nrunners++]);
	refuse_doubles(reader, out->runners, out->nrunners);
	if (request->op == GITHUB_FIND_RUNNER)
		keep_named(out, request->name);
}

static void
decode_one_runner(struct json_reader *reader,
    const struct github_request *request, struct json_value value,
    struct github_answer *out)
{
	out->runners = ARENA_NEW(reader->arena, struct github_runner);
	out->nrunners = 1;
	decode_runner(reader, value, out->runners);
	if (reader->failed)
		return;
	if (request->op == GITHUB_GET_RUNNER &&
	    out->runners->id != request->id)
		json_fail(reader, "id", "the runner that was asked for");
	if (request->op == GITHUB_JIT &&
	    !str_eq_fold(out->runners->name, request->name))
		json_fail(reader, "name", "the name that was asked for");
}

/* ----------------------------------------------------------- secrets ---- */

static bool
is_base64(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '+' || c == '/' ||
		    c == '='))
			return false;
	}
	return text.len > 0;
}

static void
decode_jit(struct json_reader *reader, const struct github_request *request,
    struct json_value root, struct github_answer *out)
{
	struct json_value runner;

	if (json_read_object(reader, root, "runner", REQUIRED, &runner))
		decode_one_runner(reader, request, runner, out);
	if (json_read_str(reader, root, "encoded_jit_config", REQUIRED,
		&out->jit) &&
	    (out->jit.len > JIT_MAX || !is_base64(out->jit)))
		json_fail(reader, "encoded_jit_config", "base64 of at most "
		    "64 KiB");
}

static void
decode_token(struct json_reader *reader, struct json_value root,
    struct github_answer *out)
{
	struct str ends = {0};

	if (json_read_str(reader, root, "token", REQUIRED, &out->token)) {
		bool ok = out->token.len > 0 && out->token.len <= TOKEN_MAX;
		for (size_t i = 0; ok && i < out->token.len; i++)
			ok = out->token.data[i] > ' ' &&
			    out->token.data[i] <= '~';
		if (!ok)
			json_fail(reader, "token", "token");
	}
	if (json_read_str(reader, root, "expires_at", NULLABLE, &ends) &&
	    !parse_time(ends, &out->token_ends_ms))
		json_fail(reader, "expires_at", "time");
}

/* ------------------------------------------------------------ others ---- */

static void
read_end(struct json_reader *reader, struct json_value root, const char *key,
    struct str *out)
{
	int64_t wall_ms;
	if (json_read_str(reader, root, key, NULLABLE, out) &&
	    (out->len > TIME_MAX || !parse_time(*out, &wall_ms)))
		json_fail(reader, key, "time");
}

static void
decode_deprecation(struct json_reader *reader,
    const struct github_request *request, struct json_value root,
    struct github_answer *out)
{
	struct str version;

	if (!json_is(root, JSON_OBJECT))
		json_fail(reader, NULL, "object");
	if (json_read_str(reader, root, "runner_version", NULLABLE,
		&version) && !str_eq(version, request->version))
		json_fail(reader, "runner_version", "the version that was "
		    "asked for");
	read_end(reader, root, "registration_deprecates_at",
	    &out->registration_ends);
	read_end(reader, root, "runtime_deprecates_at", &out->runtime_ends);
}

static void
decode_groups(struct json_reader *reader, struct json_value root,
    struct github_answer *out)
{
	struct json_value list;

	read_total(reader, root, out);
	if (!json_read_array(reader, root, "runner_groups", REQUIRED, &list))
		return;
	struct json_iter it = json_iter(list);
	out->groups = ARENA_ARRAY(reader->arena, struct github_group,
	    json_count(list));
	while (!reader->failed && json_next(&it)) {
		struct github_group *group = &out->groups[out->ngroups++];
		json_read_int(reader, it.value, "id", REQUIRED, 0, INT64_MAX,
		    &group->id);
		json_read_str(reader, it.value, "name", REQUIRED,
		    &group->name);
		json_read_bool(reader, it.value, "default", NULLABLE,
		    &group->is_default);
		json_read_bool(reader, it.value, "allows_public_repositories",
		    NULLABLE, &group->allows_public);
	}
}

/* ------------------------------------------------------------ answer ---- */

static void
decode_shape(struct json_reader *reader, const struct github_request *request,
    struct json_value root, struct github_answer *out)
{
	switch (github_ops_rows[request->op].shape) {
	case GITHUB_SHAPE_NONE:
		break;
	case GITHUB_SHAPE_RUNNERS:
		decode_runners(reader, request, root, out);
		break;
	case GITHUB_SHAPE_RUNNER:
		decode_one_runner(reader, request, root, out);
		break;
	case GITHUB_SHAPE_JIT:
		decode_jit(reader, request, root, out);
		break;
	case GITHUB_SHAPE_TOKEN:
		decode_token(reader, root, out);
		break;
	case GITHUB_SHAPE_DOWNLOADS:
		github_decode_packages(reader, root, out);
		break;
	case GITHUB_SHAPE_DEPRECATION:
		decode_deprecation(reader, request, root, out);
		break;
	case GITHUB_SHAPE_GROUPS:
		decode_groups(reader, root, out);
		break;
	case GITHUB_SHAPE_REPOSITORY:
		if (!json_is(root, JSON_OBJECT))
			json_fail(reader, NULL, "object");
		json_read_bool(reader, root, "private", REQUIRED,
		    &out->is_private);
		break;
	}
}

/* Take back what was read of an answer that turned out to be none. */
static void
malformed(struct github_answer *out, struct str why)
{
	*out = (struct github_answer){
		.outcome = OUTCOME_UNKNOWN,
		.reason = REASON_MALFORMED,
		.status = out->status,
		.message = why,
		.request_id = out->request_id,
		.ratelimit_left = out->ratelimit_left,
		.total = -1,
	};
}

/*
 * More pages without a way to get them is no listing.  Pages go forward and
 * end: a server that sends us around in a ring is not followed.
 */
static void
read_next(const struct github_request *request,
    const struct http_answer *http, struct github_answer *out)
{
	enum github_shape shape = github_ops_rows[request->op].shape;
	struct str next;

	if (shape != GITHUB_SHAPE_RUNNERS && shape != GITHUB_SHAPE_GROUPS)
		return;
	if (!github_link_next(http->link, &next)) {
		malformed(out, STR("the Link header cannot be read"));
		return;
	}
	if (next.data == NULL)
		return;
	int64_t page = github_link_page(next);
	int64_t from = github_link_page(request->cursor);
	if (page > PAGES_MAX || str_eq(next, request->cursor) ||
	    (page > 0 && page <= from)) {
		malformed(out, STR("the listing has no end"));
		return;
	}
	out->next_cursor = next;
}

static void
decode_body(struct arena *arena, const struct github_request *request,
    const struct http_answer *http, struct github_answer *out)
{
	const struct github_ops_row *row = &github_ops_rows[request->op];
	struct json_reader reader = { .arena = arena, .where = "answer" };
	struct json_limits limits = { .bytes = row->max_body };
	struct arena scratch = {0};
	struct json_error error = {0};
	struct json doc;

	if (row->shape == GITHUB_SHAPE_NONE)
		return;
	if (!json_parse(&scratch, http->body, limits, &doc, &error)) {
		malformed(out, arena_printf(arena, "not JSON: %s at byte %zu",
		    error.reason, error.offset));
	} else {
		decode_shape(&reader, request, json_root(&doc), out);
		if (reader.failed)
			malformed(out, reader.why);
		else
			read_next(request, http, out);
	}
	arena_release(&scratch);
}

/* What the service would have accepted is what the user has to change. */
static struct str
with_permissions(struct arena *arena, struct str message,
    struct str permissions)
{
	if (permissions.len == 0)
		return message;
	return arena_printf(arena, STR_FMT " (it would accept: " STR_FMT ")",
	    STR_ARG(message), STR_ARG(permissions));
}

static void
decode_refusal(struct arena *arena, const struct github_request *request,
    const struct http_answer *http, int64_t wall_ms, struct github_answer *out)
{
	struct github_problem problem =
	    github_classify_problem(arena, http->body, http->status);
	int64_t wait_ms;

	out->message = problem.proven ? problem.message :
	    arena_printf(arena, "HTTP status %d", http->status);
	if (github_classify_limit(http, &problem, wall_ms, &wait_ms) !=
	    GITHUB_LIMIT_NONE) {
		/* The limiter stands before any work. */
		out->outcome = OUTCOME_NO_EFFECT;
		out->reason = REASON_RATE_LIMITED;
		out->retry_after_ms = wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS :
		    wait_ms;
		return;
	}
	struct github_verdict verdict = github_classify_status(request->op,
	    http->status, &problem);
	out->outcome = verdict.outcome;
	out->reason = verdict.reason;
	if (request->op == GITHUB_DEPRECATION && problem.proven &&
	    http->status == 404) {
		out->outcome = OUTCOME_OK;
		out->reason = REASON_NONE;
	}
	if (http->status == 403 || http->status == 404)
		out->message = with_permissions(arena, out->message,
		    http->permissions);
	if (http->status >= 500)
		out->retry_after_ms = headers_retry_after(http->retry_after,
		    http->date, wall_ms);
}

void
github_decode(struct arena *arena, const struct github_request *request,
    const struct http_answer *http, int64_t wall_ms,
    struct github_answer *out)
{
	int64_t reset_s;

	assert((size_t)request->op < GITHUB_OP_COUNT);
	*out = (struct github_answer){
		.request_id = http->request_id,
		.total = -1,
		.ratelimit_left = github_classify_left(http->github_limit,
		    &reset_s),
	};
	switch (http->outcome) {
	case HTTP_NOT_SENT:
		out->outcome = OUTCOME_NOT_SENT;
		break;
	case HTTP_BROKEN:
	case HTTP_TOO_LARGE:
		out->outcome = OUTCOME_UNKNOWN;
		break;
	case HTTP_ANSWERED:
		out->status = http->status;
		if (http->scopes.len > 0)
			out->scopes = arena_str(arena, http->scopes);
		if (http->status == github_ops_rows[request->op].success)
			decode_body(arena, request, http, out);
		else
			decode_refusal(arena, request, http, wall_ms, out);
		return;
	}
	out->reason = REASON_TRANSIENT;
	out->message = http->reason;
}
