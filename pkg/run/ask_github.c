/* ask_github.c - see ask_github.h */
#include "run/ask_github.h"

#include "base/units.h"

enum { READ_MS = 30 * SECOND_MS, TRIES = 4 };

/* -------------------------------------------------------------- asking -- */

static void
send_ask(struct session *session, void *asked)
{
	struct ask_github *ask = asked;
	struct http_request http = {0};

	session->config.github->encode(session->arena, &ask->request, &http);
	http.timeout_ms = READ_MS;
	question_send(session, &ask->question, &http);
}

static void
take_answer(struct session *session, void *asked,
    const struct http_answer *http)
{
	struct ask_github *ask = asked;
	struct question *question = &ask->question;
	const struct clock *clock = &session->config.world->clock;
	struct github_answer *answer = &ask->answer;
	unsigned tries = session->config.github_optional ? 1 : TRIES;

	ask->pages.arena = session->arena;
	if (!runner_pages_take(&ask->pages, session->config.github,
		session->arena, &ask->request, http,
		clock->wall_ms(clock->ctx), answer)) {
		ask->request.cursor = ask->pages.cursor;
		return;			/* it is sent on at once */
	}
	bool again = answer->outcome == OUTCOME_UNKNOWN ||
	    answer->outcome == OUTCOME_NOT_SENT ||
	    answer->reason == REASON_RATE_LIMITED;
	if (!again || ++question->tries >= tries) {
		answer->message = session_hide(session, answer->message);
		question->done = true;
		return;
	}
	question_again(session, question, (int64_t)SECOND_MS <<
	    question->tries, answer->retry_after_ms);
	ask->request.cursor = (struct str){0};
	ask->pages = (struct runner_pages){0};
}

static void
interrupt(void *asked)
{
	struct ask_github *ask = asked;

	ask->answer = (struct github_answer){
		.outcome = OUTCOME_UNKNOWN,
		.reason = REASON_TRANSIENT,
		.message = STR("interrupted"),
	};
}

static const struct question_kind of_github = {
	.size = sizeof(struct ask_github), .send = send_ask,
	.take = take_answer, .interrupt = interrupt,
};

void
ask_github_all(struct session *session, struct ask_github *asks, size_t n)
{
	questions_ask(session, &of_github, asks, n);
}

void
session_ask_github(struct session *session,
    const struct github_request *request, struct github_answer *answer)
{
	struct ask_github ask = { .request = *request };

	ask_github_all(session, &ask, 1);
	*answer = ask.answer;
}

/* ------------------------------------------------------------ refusals -- */

/* The first runner of the spec that is to be there. */
static struct span
span_of(const struct session *session, const struct github_scope *scope)
{
	const struct spec *spec = session->spec;

	for (size_t i = 0; spec != NULL && i < spec->nresources; i++) {
		const struct resource *resource = &spec->resources[i];
		if (resource->kind != KIND_RUNNER)
			continue;
		struct github_scope own = {
			.repository = resource->runner->repository,
			.organization = resource->runner->organization,
		};
		if (github_scope_eq(&own, scope))
			return resource->span;
	}
	return NO_SPAN;
}

static bool
is_in(const struct lock_entry *entry, const struct github_scope *scope)
{
	struct github_scope own = {
		.repository = entry->runner.repository,
		.organization = entry->runner.organization,
	};

	return entry->kind == KIND_RUNNER && github_scope_eq(&own, scope);
}

/* A runner that is recorded in that scope; absent: none is. */
static struct str
recorded_at(const struct session *session, const struct github_scope *scope)
{
	const struct lock *lock = session->lock;

	for (size_t i = 0; i < lock->entries.n; i++)
		if (is_in(&lock->entries.items[i], scope))
			return lock->entries.items[i].address;
	for (size_t i = 0; i < lock->pending.n; i++)
		if (is_in(&lock->pending.items[i].entry, scope))
			return lock->pending.items[i].address;
	return (struct str){0};
}

int
ask_github_refused(struct session *session, const struct ask_github *ask)
{
	const struct github_scope *scope = &ask->request.scope;
	const struct github_answer *answer = &ask->answer;
	enum github_op op = ask->request.op;

	if (session->interrupted > 0)
		return session_signal_code(session);
	if (session->config.github_optional)
		return EXIT_OK;
	struct str recorded = recorded_at(session, scope);
	bool ends = str_is(session->config.operation, "destroy");
	/* Nothing of ours is known to be there, and pods bill. */
	if (ends && recorded.len == 0) {
		diag_warning(session->diags, "PF0511",
		    span_of(session, scope), "GitHub, " STR_FMT ": cannot %s, "
		    "so leftovers of ours there are not looked for: " STR_FMT,
		    STR_ARG(github_scope_text(scope)), github_op_words(op),
		    STR_ARG(answer->message));
		return EXIT_OK;
	}
	diag_error(session->diags, "PF0511", span_of(session, scope),
	    "GitHub, " STR_FMT ": cannot %s: " STR_FMT,
	    STR_ARG(github_scope_text(scope)), github_op_words(op),
	    STR_ARG(answer->message));
	if (ends)
		diag_hint(session->diags, "to end pods without GitHub: podform "
		    "forget " STR_FMT "; it stays registered there, and a job "
		    "that it has ends with its pod", STR_ARG(recorded));
	if (answer->reason == REASON_AUTH) {
		diag_hint(session->diags, "podform doctor says where the "
		    "credential for GitHub comes from");
		return EXIT_AUTH;
	}
	if (answer->reason != REASON_FORBIDDEN &&
	    answer->reason != REASON_NOT_FOUND)
		return EXIT_ERROR;
	if (answer->reason == REASON_NOT_FOUND)
		diag_hint(session->diags, "it is called otherwise, or the "
		    "credential may not see it");
	diag_hint(session->diags, "the token must be allowed to administer "
	    "runners there: of a fine-grained one, Administration (read and "
	    "write) of the repository, or Self-hosted runners of the "
	    "organization");
	return EXIT_AUTH;
}
