/*
 * session_github.c - what GitHub and the holder of tunnels are asked before
 * a plan: only where spec or record have runners or tunnels.
 */
#include "run/session.h"

#include "base/units.h"
#include "run/pages.h"

#include <string.h>

enum { READ_MS = 30 * SECOND_MS, TRIES = 4, HOLDER_MS = 10 * SECOND_MS };

/* -------------------------------------------------------------- asking -- */

static void
interrupted(struct github_answer *answer)
{
	*answer = (struct github_answer){
		.outcome = OUTCOME_UNKNOWN,
		.reason = REASON_TRANSIENT,
		.message = STR("interrupted"),
	};
}

/* One exchange, all pages of it. */
static void
exchange(struct session *session, struct github_request request,
    struct github_answer *answer)
{
	const struct world *world = session->config.world;
	const struct clock *clock = &world->clock;
	struct runner_pages pages = { .arena = session->arena };

	for (;;) {
		struct http_request http = {0};
		struct world_event event = {0};
		uint64_t token = session->next_token++;
		session->config.github->encode(session->arena, &request,
		    &http);
		http.timeout_ms = READ_MS;
		world->start_http(world->ctx, token, &http);
		do {
			world->wait(world->ctx, session->arena, -1, &event);
			if (event.type != WORLD_SIGNAL)
				continue;
			session_signal(session, event.signal);
			world->cancel(world->ctx, token);
			interrupted(answer);
			return;
		} while (event.type != WORLD_HTTP || event.token != token);
		if (runner_pages_take(&pages, session->config.github,
			session->arena, &request, &event.http,
			clock->wall_ms(clock->ctx), answer))
			return;
		request.cursor = pages.cursor;
	}
}

void
session_ask_github(struct session *session,
    const struct github_request *request, struct github_answer *answer)
{
	for (int tries = 1;; tries++) {
		exchange(session, *request, answer);
		bool again = answer->outcome == OUTCOME_UNKNOWN ||
		    answer->outcome == OUTCOME_NOT_SENT ||
		    answer->reason == REASON_RATE_LIMITED;
		if (!again || tries >= TRIES || session->interrupted > 0)
			return;
		int64_t wait = (int64_t)SECOND_MS << tries;
		if (answer->retry_after_ms > wait)
			wait = answer->retry_after_ms;
		session_sleep(session, session_mono(session) + wait);
		if (session->interrupted > 0)
			return;
	}
}

static int
exit_of(struct session *session, const struct github_scope *scope,
    const struct github_answer *answer, enum github_op op)
{
	if (session->interrupted > 0)
		return session_signal_code(session);
	diag_error(session->diags, "PF0511", NO_SPAN,
	    "GitHub, " STR_FMT ": cannot %s: " STR_FMT,
	    STR_ARG(github_scope_text(scope)), github_op_words(op),
	    STR_ARG(answer->message));
	if (answer->reason != REASON_AUTH &&
	    answer->reason != REASON_FORBIDDEN &&
	    answer->reason != REASON_NOT_FOUND)
		return EXIT_ERROR;
	diag_hint(session->diags, "the token must be allowed to administer "
	    "runners there: of a fine-grained one, Administration (read and "
	    "write) of the repository, or Self-hosted runners of the "
	    "organization");
	return EXIT_AUTH;
}

/* -------------------------------------------------------------- scopes -- */

static struct live_scope *
add_scope(struct session *session, struct str repository,
    struct str organization)
{
	struct live *live = &session->live;
	struct github_scope scope = { .repository = repository,
		.organization = organization };

	if (repository.len + organization.len == 0)
		return NULL;
	for (size_t i = 0; i < live->nscopes; i++)
		if (github_scope_eq(&live->scopes[i].scope, &scope))
			return &live->scopes[i];
	struct live_scope *more = ARENA_ARRAY(session->arena,
	    struct live_scope, live->nscopes + 1);
	if (live->nscopes > 0)
		memcpy(more, live->scopes, live->nscopes * sizeof *more);
	more[live->nscopes] = (struct live_scope){ .scope = scope };
	live->scopes = more;
	return &live->scopes[live->nscopes++];
}

static void
find_scopes(struct session *session)
{
	const struct lock *lock = session->lock;
	const struct spec *spec = session->spec;

	for (size_t i = 0; spec != NULL && i < spec->nresources; i++)
		if (spec->resources[i].kind == KIND_RUNNER)
			add_scope(session, spec->resources[i].runner->repository,
			    spec->resources[i].runner->organization);
	for (size_t i = 0; i < lock->entries.n; i++)
		if (lock->entries.items[i].kind == KIND_RUNNER)
			add_scope(session,
			    lock->entries.items[i].runner.repository,
			    lock->entries.items[i].runner.organization);
	for (size_t i = 0; i < lock->pending.n; i++)
		if (lock->pending.items[i].entry.kind == KIND_RUNNER)
			add_scope(session,
			    lock->pending.items[i].entry.runner.repository,
			    lock->pending.items[i].entry.runner.organization);
}

static int
list_runners(struct session *session, struct live_scope *scope)
{
	struct github_request request = { .op = GITHUB_LIST_RUNNERS,
		.scope = scope->scope };
	struct github_answer answer;

	session_ask_github(session, &request, &answer);
	if (answer.outcome != OUTCOME_OK)
		return exit_of(session, &scope->scope, &answer, request.op);
	scope->known = true;
	scope->runners = answer.runners;
	scope->nrunners = answer.nrunners;
	return EXIT_OK;
}

static bool
is_listed(const struct live_scope *scope, int64_t id)
{
	for (size_t i = 0; i < scope->nrunners; i++)
		if (scope->runners[i].id == id)
			return true;
	return false;
}

/* What the record knows and a listing lacks: pages are no snapshot. */
static int
ask_for_missing(struct session *session, struct live_scope *scope)
{
	const struct lock *lock = session->lock;

	for (size_t i = 0; i < lock->entries.n; i++) {
		const struct lock_entry *entry = &lock->entries.items[i];
		struct github_scope own = { entry->runner.repository,
			entry->runner.organization };
		struct github_request request = { .op = GITHUB_GET_RUNNER,
			.scope = scope->scope };
		struct github_answer answer;
		if (entry->kind != KIND_RUNNER ||
		    !github_scope_eq(&own, &scope->scope) ||
		    !parse_int(entry->id, 1, INT64_MAX, &request.id) ||
		    is_listed(scope, request.id))
			continue;
		session_ask_github(session, &request, &answer);
		if (answer.outcome == OUTCOME_OK && answer.nrunners == 1) {
			struct github_runner *more = ARENA_ARRAY(session->arena,
			    struct github_runner, scope->nrunners + 1);
			if (scope->nrunners > 0)
				memcpy(more, scope->runners,
				    scope->nrunners * sizeof *more);
			more[scope->nrunners++] = answer.runners[0];
			scope->runners = more;
		} else if (answer.reason != REASON_NOT_FOUND) {
			return exit_of(session, &scope->scope, &answer,
			    request.op);
		}
	}
	return EXIT_OK;
}

static int
no_token(struct session *session)
{
	diag_error(session->diags, "PF0510", NO_SPAN,
	    "there are runners, and no GitHub token");
	diag_hint(session->diags, "set GITHUB_TOKEN, or put it into a file "
	    "of mode 0600 and name that in GITHUB_TOKEN_FILE");
	return EXIT_AUTH;
}

static bool
has_tunnels(const struct session *session)
{
	const struct spec *spec = session->spec;

	for (size_t i = 0; spec != NULL && i < spec->nresources; i++)
		if (spec->resources[i].kind == KIND_TUNNEL)
			return true;
	return false;
}

/* No holder, or one that does not answer: the tunnels are not known. */
static void
list_tunnels(struct session *session)
{
	const struct world *world = session->config.world;
	struct holder_request request = { .verb = HOLDER_LIST,
		.timeout_ms = HOLDER_MS };
	struct world_event event = {0};
	uint64_t token = session->next_token++;

	if (world->start_holder == NULL)
		return;
	world->start_holder(world->ctx, token, &request);
	do {
		world->wait(world->ctx, session->arena, -1, &event);
		if (event.type != WORLD_SIGNAL)
			continue;
		session_signal(session, event.signal);
		world->cancel(world->ctx, token);
		return;
	} while (event.type != WORLD_HOLDER || event.token != token);
	session->live.tunnels_known = event.holder->ok;
	session->live.tunnels = event.holder->tunnels;
	session->live.ntunnels = event.holder->ntunnels;
}

int
session_refresh_github(struct session *session)
{
	int code = EXIT_OK;

	session->live.nscopes = 0;
	find_scopes(session);
	if (session->live.nscopes > 0 && session->config.github == NULL)
		return no_token(session);
	for (size_t i = 0; i < session->live.nscopes && code == EXIT_OK; i++) {
		code = list_runners(session, &session->live.scopes[i]);
		if (code == EXIT_OK)
			code = ask_for_missing(session,
			    &session->live.scopes[i]);
	}
	if (code == EXIT_OK && (has_tunnels(session) ||
		session->config.holder_may_run))
		list_tunnels(session);
	return session->interrupted > 0 ? session_signal_code(session) : code;
}

/* ------------------------------------------------- what a plan lacked ---- */

static void
ask_part(struct session *session, struct live_scope *scope,
    enum github_op op)
{
	struct github_request request = { .op = op, .scope = scope->scope };
	struct github_answer answer;

	session_ask_github(session, &request, &answer);
	bool ok = answer.outcome == OUTCOME_OK;
	switch (op) {
	case GITHUB_DOWNLOADS:
		scope->packages_known = ok;
		scope->packages = answer.packages;
		scope->npackages = ok ? answer.npackages : 0;
		break;
	case GITHUB_LIST_GROUPS:
		scope->groups_known = ok;
		scope->groups = answer.groups;
		scope->ngroups = ok ? answer.ngroups : 0;
		break;
	default:
		scope->private_known = ok;
		scope->is_private = ok && answer.is_private;
		break;
	}
}

int
session_fetch_github(struct session *session)
{
	struct live *live = &session->live;

	if (session->config.github == NULL)
		return EXIT_OK;
	for (size_t i = 0; i < live->nscopes; i++) {
		struct live_scope *scope = &live->scopes[i];
		bool organization = scope->scope.organization.len > 0;
		if (!scope->packages_known)
			ask_part(session, scope, GITHUB_DOWNLOADS);
		if (organization && !scope->groups_known)
			ask_part(session, scope, GITHUB_LIST_GROUPS);
		if (!organization && !scope->private_known)
			ask_part(session, scope, GITHUB_GET_REPOSITORY);
	}
	return session->interrupted > 0 ? session_signal_code(session)
					: EXIT_OK;
}

/* ------------------------------------------------------------- settling -- */

/*
 * What became of a runner's op that was cut off: GitHub is asked for its
 * name.  A create that shows is taken in; its configuration died with the
 * run, so the next plan replaces it.  A removal whose runner is there did
 * not happen.  False: nobody knows yet.
 */
bool
session_settle_runner(struct session *session, const struct lock_op *op,
    struct record *result)
{
	struct github_request request = {
		.op = GITHUB_FIND_RUNNER,
		.scope = { op->entry.runner.repository,
		    op->entry.runner.organization },
		.name = op->entry.runner.name,
	};
	struct github_answer answer;

	if (session->config.github == NULL)
		return false;
	session_ask_github(session, &request, &answer);
	if (answer.outcome != OUTCOME_OK)
		return false;
	*result = (struct record){
		.type = RECORD_RESULT,
		.op = { .op = op->op },
		.price_per_hour = -1,
	};
	if (op->action == OP_DELETE) {
		result->outcome = answer.nrunners == 0 ? OP_DONE : OP_NONE;
		return true;
	}
	if (answer.nrunners == 0)
		return false;		/* it may come yet */
	result->outcome = OP_DONE;
	result->id = arena_printf(session->arena, "%lld",
	    (long long)answer.runners[0].id);
	result->adopted = true;
	return true;
}
