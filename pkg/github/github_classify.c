/* github_classify.c - see github_classify.h */
#include "github/github_classify.h"

#include "base/headers.h"
#include "base/json.h"
#include "base/probe.h"
#include "base/units.h"

enum { MESSAGE_MAX = 16 * 1024 };

/* ----------------------------------------------------------- problem ---- */

static void
join(struct strbuf *out, struct str text)
{
	if (text.len == 0)
		return;
	if (out->len > 0)
		strbuf_adds(out, "; ");
	strbuf_add(out, text);
}

/* One of `errors`: a string, or an object with a message, or with the field
 * and a code. */
static void
join_error(struct json_reader *reader, struct strbuf *out,
    struct json_value error)
{
	struct str text, field = {0}, code = {0};

	if (json_is(error, JSON_STRING)) {
		if (json_value_str(reader, error, &text))
			join(out, text);
		return;
	}
	if (json_is(json_get(error, "message"), JSON_STRING)) {
		if (json_read_str(reader, error, "message", REQUIRED, &text))
			join(out, text);
		return;
	}
	if (json_is(json_get(error, "field"), JSON_STRING))
		json_read_str(reader, error, "field", REQUIRED, &field);
	if (json_is(json_get(error, "code"), JSON_STRING))
		json_read_str(reader, error, "code", REQUIRED, &code);
	join(out, field);
	if (code.len > 0) {
		strbuf_adds(out, field.len > 0 ? ": " : "; ");
		strbuf_add(out, code);
	}
}

/* `status` is a string, a number on some servers, and missing on old ones.
 * A document about another status is not about this one. */
static bool
is_about(struct json_reader *reader, struct json_value root, int status)
{
	struct json_value said = json_get(root, "status");
	struct str text;
	int64_t number;

	if (!json_exists(said) || json_is(said, JSON_NULL))
		return true;
	if (json_is(said, JSON_STRING))
		return json_value_str(reader, said, &text) &&
		    parse_int(text, 100, 999, &number) && number == status;
	return json_read_int(reader, root, "status", REQUIRED, 100, 999,
	    &number) && number == status;
}

struct github_problem
github_classify_problem(struct arena *arena, struct str body, int status)
{
	struct github_problem problem = {0};
	struct json_reader reader = { .arena = arena, .where = "problem" };
	struct strbuf text = { .ceiling = MESSAGE_MAX };
	struct str message;
	struct json doc;
	struct json_error error;

	if (!json_parse(arena, body, (struct json_limits){0}, &doc, &error))
		goto out;
	struct json_value root = json_root(&doc);
	/* A thing has an id; a refusal has none. */
	if (!json_is(root, JSON_OBJECT) || json_exists(json_get(root, "id")) ||
	    !json_is(json_get(root, "message"), JSON_STRING) ||
	    !json_read_str(&reader, root, "message", REQUIRED, &message) ||
	    !is_about(&reader, root, status))
		goto out;
	join(&text, message);
	struct json_value errors = json_get(root, "errors");
	if (json_is(errors, JSON_ARRAY)) {
		struct json_iter it = json_iter(errors);
		while (json_next(&it))
			join_error(&reader, &text, it.value);
	} else if (json_is(errors, JSON_STRING))
		join_error(&reader, &text, errors);
	if (json_is(json_get(root, "documentation_url"), JSON_STRING))
		json_read_str(&reader, root, "documentation_url", REQUIRED,
		    &problem.documentation);
	problem.proven = true;
	problem.message = arena_str(arena, strbuf_str(&text));
out:
	strbuf_release(&text);
	return problem;
}

/* ------------------------------------------------------------- limits ---- */

int64_t
github_classify_left(struct str limit, int64_t *reset_s)
{
	struct str reset;
	int64_t left;
	struct str remaining = str_cut(limit, '/', &reset);

	if (!headers_digits(str_trim(reset), reset_s))
		*reset_s = 0;
	return headers_digits(str_trim(remaining), &left) ? left : -1;
}

static bool
says_secondary(const struct github_problem *problem)
{
	static const char *const words[] = {
		"secondary rate limit", "abuse detection", "abuse-rate-limit",
		"secondary-rate-limit", "api rate limit exceeded",
		"rate limit exceeded",
	};
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (str_search_fold(problem->message, str_from(words[i])) >=
		    0 || str_search_fold(problem->documentation,
		    str_from(words[i])) >= 0)
			return true;
	return false;
}

/* Until the hour ends, by the server's own clock; one second is for its
 * rounding.  An end that is past or further than an hour is not believed. */
static int64_t
until_reset(const struct http_answer *http, int64_t reset_s, int64_t wall_ms)
{
	int64_t now_ms;

	if (!headers_date(str_trim(http->date), &now_ms))
		now_ms = wall_ms;
	int64_t now_s = now_ms / SECOND_MS;
	if (reset_s <= now_s)
		return SECOND_MS;
	int64_t left_s;
	/* The server's year may be the first one. */
	if (__builtin_sub_overflow(reset_s, now_s, &left_s) ||
	    left_s >= 3600)
		return HOUR_MS;
	return (left_s + 1) * SECOND_MS;
}

enum github_limit
github_classify_limit(const struct http_answer *http,
    const struct github_problem *problem, int64_t wall_ms, int64_t *wait_ms)
{
	int64_t reset_s;

	*wait_ms = 0;
	if (http->status != 403 && http->status != 429)
		return GITHUB_LIMIT_NONE;
	if (http->retry_after.len > 0) {
		PROBE("github_limit_told");
		*wait_ms = headers_retry_after(http->retry_after, http->date,
		    wall_ms);
		/* It says to wait, and says it badly. */
		if (*wait_ms == 0)
			*wait_ms = MINUTE_MS;
		return GITHUB_LIMIT_TOLD;
	}
	if (github_classify_left(http->github_limit, &reset_s) == 0) {
		PROBE("github_limit_of_the_hour");
		*wait_ms = until_reset(http, reset_s, wall_ms);
		return GITHUB_LIMIT_PRIMARY;
	}
	if (http->status == 403 && !says_secondary(problem))
		return GITHUB_LIMIT_NONE;
	*wait_ms = MINUTE_MS;
	return GITHUB_LIMIT_SECONDARY;
}

/* ------------------------------------------------------------- table ---- */

/* What a proven refusal of a status means. */
static const struct {
	int status;
	enum cloud_reason reason;
} refusals[] = {
	{ 400, REASON_BAD_REQUEST },
	{ 401, REASON_AUTH },
	{ 402, REASON_FORBIDDEN },	/* a plan without this feature */
	{ 403, REASON_FORBIDDEN },
	{ 404, REASON_NOT_FOUND },
	{ 409, REASON_CONFLICT },
	{ 422, REASON_BAD_REQUEST },
	{ 451, REASON_FORBIDDEN },	/* blocked by law */
};

static enum cloud_reason
reason_by_prose(enum github_op op, int status, enum cloud_reason reason,
    struct str message)
{
	if (op == GITHUB_DELETE_RUNNER && status == 422 &&
	    str_search_fold(message, STR("is still running a job")) >= 0) {
		PROBE("github_says_busy");
		return REASON_BUSY;
	}
	if (op == GITHUB_JIT && status == 422 &&
	    str_search_fold(message, STR("reached max limit")) >= 0)
		return REASON_NO_CAPACITY;
	if (op == GITHUB_JIT && status == 422 &&
	    str_search_fold(message, STR("already exists")) >= 0)
		return REASON_CONFLICT;
	return reason;
}

struct github_verdict
github_classify_status(enum github_op op, int status,
    const struct github_problem *problem)
{
	struct github_verdict verdict = {
		OUTCOME_UNKNOWN, REASON_TRANSIENT,
	};

	if (status / 100 == 3 || status / 100 == 2)
		verdict.reason = REASON_MALFORMED;
	for (size_t i = 0; i < COUNTOF(refusals); i++) {
		if (refusals[i].status != status)
			continue;
		enum cloud_reason reason = refusals[i].reason;
		if (!problem->proven) {
			PROBE("github_refusal_without_proof");
			/* Somebody on the way said so.  The user may still
			 * learn that it is about permission; a "not found"
			 * must not be believed. */
			if (reason == REASON_AUTH || reason == REASON_FORBIDDEN)
				verdict.reason = reason;
			return verdict;
		}
		return (struct github_verdict){ OUTCOME_NO_EFFECT,
			reason_by_prose(op, status, reason,
			    problem->message) };
	}
	return verdict;
}
