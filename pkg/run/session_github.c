/*
 * session_github.c - what GitHub and the holder of tunnels are asked before
 * a plan: only where spec or record have runners or tunnels.  And what became
 * of a runner's op that was cut off.
 */
#include "run/ask_github.h"
#include "run/session_store.h"

#include "base/units.h"

#include <string.h>

enum { HOLDER_MS = 10 * SECOND_MS };

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

	for (size_t i = 0; spec != NULL && i < spec->nresources; i++) {
		const struct resource *resource = &spec->resources[i];
		if (resource->kind == KIND_RUNNER)
			add_scope(session, resource->runner->repository,
			    resource->runner->organization);
	}
	for (size_t i = 0; i < lock->entries.n; i++) {
		const struct lock_entry *entry = &lock->entries.items[i];
		if (entry->kind == KIND_RUNNER)
			add_scope(session, entry->runner.repository,
			    entry->runner.organization);
	}
	for (size_t i = 0; i < lock->pending.n; i++) {
		const struct lock_entry *entry =
		    &lock->pending.items[i].entry;
		if (entry->kind == KIND_RUNNER)
			add_scope(session, entry->runner.repository,
			    entry->runner.organization);
	}
}

/* Refused: *code is what to leave with. */
static bool
refused(struct session *session, struct live_scope *scope,
    const struct ask_github *ask, int *code)
{
	if (ask->answer.outcome == OUTCOME_OK)
		return false;
	scope->known = false;
	scope->why_unknown = ask->answer.message;
	int said = ask_github_refused(session, ask);
	if (*code == EXIT_OK)
		*code = said;
	return true;
}

static int
list_runners(struct session *session)
{
	struct live *live = &session->live;
	struct ask_github *asks = ARENA_ARRAY(session->arena, struct ask_github,
	    live->nscopes);
	int code = EXIT_OK;

	for (size_t i = 0; i < live->nscopes; i++)
		asks[i].request = (struct github_request){
			.op = GITHUB_LIST_RUNNERS,
			.scope = live->scopes[i].scope,
		};
	ask_github_all(session, asks, live->nscopes);
	for (size_t i = 0; i < live->nscopes; i++) {
		struct live_scope *scope = &live->scopes[i];
		if (refused(session, scope, &asks[i], &code))
			continue;
		scope->known = true;
		scope->token_scopes = asks[i].answer.scopes;
		scope->runners = asks[i].answer.runners;
		scope->nrunners = asks[i].answer.nrunners;
	}
	return code;
}

static bool
is_listed(const struct live_scope *scope, int64_t id)
{
	for (size_t i = 0; i < scope->nrunners; i++)
		if (scope->runners[i].id == id)
			return true;
	return false;
}

/* The scope of a record whose runner its listing lacks; NULL: it does not. */
static struct live_scope *
lacking_scope(struct session *session, const struct lock_entry *entry,
    int64_t *id)
{
	struct live *live = &session->live;
	struct github_scope own = { entry->runner.repository,
		entry->runner.organization };

	if (entry->kind != KIND_RUNNER ||
	    !parse_int(entry->id, 1, INT64_MAX, id))
		return NULL;
	for (size_t i = 0; i < live->nscopes; i++)
		if (live->scopes[i].known &&
		    github_scope_eq(&own, &live->scopes[i].scope))
			return is_listed(&live->scopes[i], *id)
			    ? NULL : &live->scopes[i];
	return NULL;
}

static void
add_runner(struct session *session, struct live_scope *scope,
    const struct github_runner *runner)
{
	struct github_runner *more = ARENA_ARRAY(session->arena,
	    struct github_runner, scope->nrunners + 1);

	if (scope->nrunners > 0)
		memcpy(more, scope->runners,
		    scope->nrunners * sizeof *more);
	more[scope->nrunners++] = *runner;
	scope->runners = more;
}

/* What the record knows and a listing lacks: pages are no snapshot. */
static int
ask_for_missing(struct session *session)
{
	const struct lock *lock = session->lock;
	struct ask_github *asks = ARENA_ARRAY(session->arena, struct ask_github,
	    lock->entries.n);
	struct live_scope **scopes = ARENA_ARRAY(session->arena,
	    struct live_scope *, lock->entries.n);
	size_t n = 0;
	int code = EXIT_OK;

	for (size_t i = 0; i < lock->entries.n; i++) {
		int64_t id;
		struct live_scope *scope = lacking_scope(session,
		    &lock->entries.items[i], &id);
		if (scope == NULL)
			continue;
		scopes[n] = scope;
		asks[n++].request = (struct github_request){
			.op = GITHUB_GET_RUNNER, .scope = scope->scope,
			.id = id,
		};
	}
	ask_github_all(session, asks, n);
	for (size_t i = 0; i < n; i++) {
		const struct github_answer *answer = &asks[i].answer;
		if (answer->outcome == OUTCOME_NO_EFFECT &&
		    answer->reason == REASON_NOT_FOUND)
			continue;
		if (!refused(session, scopes[i], &asks[i], &code) &&
		    answer->nrunners == 1)
			add_runner(session, scopes[i], &answer->runners[0]);
	}
	return code;
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
		session_wait(session, session->arena, -1, &event);
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
	if (session->live.nscopes > 0)
		code = list_runners(session);
	if (code == EXIT_OK && session->live.nscopes > 0)
		code = ask_for_missing(session);
	if (code == EXIT_OK && (has_tunnels(session) ||
		session->config.holder_may_run))
		list_tunnels(session);
	return session->interrupted > 0 ? session_signal_code(session) : code;
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
