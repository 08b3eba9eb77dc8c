/* classify.c - see classify.h */
#include "cloud/runpod/classify.h"

#include "base/headers.h"
#include "base/json.h"
#include "base/probe.h"
#include "base/units.h"

enum { WINDOW_MAX_S = 7 * 24 * 3600 };

/* ------------------------------------------------------------- prose ---- */

/*
 * Words of refusals that are known to come before any effect, as seen from
 * the live service, its console and other clients.  Lower case; found
 * anywhere in the message.
 */
static const char *const capacity_words[] = {
	"no longer any instances available",
	"no instances available",
	"no instances currently available",
	"no resources",
	"does not have the resources to deploy your pod",
	"not enough free gpus",
	"could not find any pods with required specifications",
};

static const char *const money_words[] = {
	"balance is too low",
	"insufficient balance",
	"insufficient funds",
	"not enough credit",
	"spend limit",
};

static bool
has_any(struct str message, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_search_fold(message, str_from(words[i])) >= 0)
			return true;
	return false;
}

bool
classify_says_no_capacity(struct str message)
{
	return has_any(message, capacity_words, COUNTOF(capacity_words)) ||
	    /* "There are no instances ..." with any adverb in between */
	    (str_search_fold(message, STR("there are no")) >= 0 &&
		str_search_fold(message, STR("instances")) >= 0 &&
		str_search_fold(message, STR("available")) >= 0);
}

bool
classify_says_no_money(struct str message)
{
	return has_any(message, money_words, COUNTOF(money_words));
}

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

/* GraphQL says errors as objects, problem documents as strings. */
static void
join_errors(struct json_reader *reader, struct strbuf *out,
    struct json_value errors)
{
	struct json_iter it = json_iter(errors);
	struct str text;
	while (json_next(&it)) {
		if (json_is(it.value, JSON_STRING)) {
			if (json_value_str(reader, it.value, &text))
				join(out, text);
		} else if (json_read_str(reader, it.value, "message",
			       OPTIONAL, &text))
			join(out, text);
	}
}

/* The first of the members that hold a refusal's words, or absent. */
static struct str
main_words(struct json_reader *reader, struct json_value root)
{
	static const char *const keys[] = {
		"detail", "error", "message", "title",
	};
	struct str text = {0};
	for (size_t i = 0; i < COUNTOF(keys); i++)
		if (json_is(json_get(root, keys[i]), JSON_STRING) &&
		    json_read_str(reader, root, keys[i], REQUIRED, &text))
			return text;
	return (struct str){0};
}

struct classify_problem
classify_read_problem(struct arena *arena, struct str body, int status)
{
	struct classify_problem problem = {0};
	struct json_reader reader = { .arena = arena, .where = "problem" };
	struct strbuf text = { .ceiling = 16 * 1024 };
	struct json doc;
	struct json_error error;

	if (!json_parse(arena, body, (struct json_limits){0}, &doc, &error))
		goto out;
	struct json_value root = json_root(&doc);
	struct json_value errors = json_get(root, "errors");
	struct str words = main_words(&reader, root);
	/* A thing has an id; a refusal has none. */
	if (!json_is(root, JSON_OBJECT) || json_exists(json_get(root, "id")))
		goto out;
	if (words.data == NULL && json_count(errors) == 0)
		goto out;
	if (json_exists(json_get(root, "status"))) {
		/* A document about another status is not about this one. */
		int64_t said = 0;
		if (!json_read_int(&reader, root, "status", REQUIRED, 100,
			999, &said) || said != status)
			goto out;
	}
	join(&text, words);
	if (json_is(errors, JSON_ARRAY))
		join_errors(&reader, &text, errors);
	problem.proven = true;
	problem.message = arena_str(arena, strbuf_str(&text));
out:
	strbuf_release(&text);
	return problem;
}

/* ------------------------------------------------------------- table ---- */

/* What a proven refusal of a status means. */
static const struct {
	int status;
	enum cloud_reason reason;
} refusals[] = {
	{ 400, REASON_BAD_REQUEST },
	{ 401, REASON_AUTH },
	{ 402, REASON_BALANCE },
	{ 403, REASON_FORBIDDEN },
	{ 404, REASON_NOT_FOUND },
	{ 409, REASON_CONFLICT },
	{ 422, REASON_BAD_REQUEST },
};

static bool
is_create(enum cloud_op op)
{
	return op == CLOUD_CREATE_POD || op == CLOUD_CREATE_VOLUME;
}

static enum cloud_reason
reason_by_prose(int status, enum cloud_reason reason, struct str message)
{
	if (status == 400 && classify_says_no_capacity(message)) {
		PROBE("cloud_no_stock_in_prose");
		return REASON_NO_CAPACITY;
	}
	if ((status == 400 || status == 403) && classify_says_no_money(message))
		return REASON_BALANCE;
	return reason;
}

struct classify_verdict
classify_status(enum cloud_op op, int status,
    const struct classify_problem *problem)
{
	struct classify_verdict verdict = {
		OUTCOME_UNKNOWN, REASON_TRANSIENT,
	};

	if (status == 429)	/* refused by the limiter, before any work */
		return (struct classify_verdict){
			OUTCOME_NO_EFFECT, REASON_RATE_LIMITED,
		};
	if (status == 410) {
		verdict.reason = REASON_RETIRED;
		return verdict;
	}
	for (size_t i = 0; i < COUNTOF(refusals); i++) {
		if (refusals[i].status != status)
			continue;
		enum cloud_reason reason = refusals[i].reason;
		if (!problem->proven) {
			PROBE("cloud_refusal_without_proof");
			/* Somebody on the way said so.  The user may still
			 * learn that it is about permission; a "not found"
			 * must not be believed. */
			if (reason == REASON_AUTH || reason == REASON_FORBIDDEN)
				verdict.reason = reason;
			return verdict;
		}
		verdict.reason = reason_by_prose(status, reason,
		    problem->message);
		/* No contract says what a conflict does to a create. */
		if (!(status == 409 && is_create(op)))
			verdict.outcome = OUTCOME_NO_EFFECT;
		return verdict;
	}
	return verdict;
}

/* ----------------------------------------------------------- headers ---- */

/* One member of the list: "minute";r=0;t=12 */
static bool
read_window(struct str member, int64_t *left, int64_t *reset_s)
{
	bool has_left = false;
	*reset_s = 0;
	while (member.len > 0) {
		struct str value;
		struct str part = str_trim(str_cut(member, ';', &member));
		struct str key = str_cut(part, '=', &value);
		if (str_is(key, "r"))
			has_left = headers_digits(value, left);
		else if (str_is(key, "t") && !headers_digits(value, reset_s))
			*reset_s = 0;
	}
	if (*reset_s > WINDOW_MAX_S)
		*reset_s = WINDOW_MAX_S;
	return has_left;
}

void
classify_rate_limit(struct str header, int64_t *left, int64_t *reset_ms)
{
	*left = -1;
	*reset_ms = 0;
	while (header.len > 0) {
		int64_t window_left, reset_s;
		struct str member = str_cut(header, ',', &header);
		if (!read_window(member, &window_left, &reset_s))
			continue;
		if (*left < 0 || window_left < *left ||
		    (window_left == *left && reset_s * SECOND_MS > *reset_ms)) {
			*left = window_left;
			*reset_ms = reset_s * SECOND_MS;
		}
	}
}
