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

/* One question, until it is answered, given up, or interrupted. */
struct ask {
	struct github_request request;
	struct github_answer answer;
	struct runner_pages pages;
	uint64_t token;			/* 0: none in flight */
	int64_t not_before_ms;
	int tries;
	bool done;
};

static void
send_ask(struct session *session, struct ask *ask)
{
	const struct world *world = session->config.world;
	struct http_request http = {0};

	session->config.github->encode(session->arena, &ask->request, &http);
	http.timeout_ms = READ_MS;
	ask->token = session->next_token++;
	world->start_http(world->ctx, ask->token, &http);
}

static void
take_answer(struct session *session, struct ask *ask,
    const struct http_answer *http)
{
	const struct clock *clock = &session->config.world->clock;
	struct github_answer *answer = &ask->answer;
	int tries = session->config.github_optional ? 1 : TRIES;

	ask->token = 0;
	ask->pages.arena = session->arena;
	if (!runner_pages_take(&ask->pages, session->config.github,
		session->arena, &ask->request, http,
		clock->wall_ms(clock->ctx), answer)) {
		ask->request.cursor = ask->pages.cursor;
		send_ask(session, ask);
		return;
	}
	bool again = answer->outcome == OUTCOME_UNKNOWN ||
	    answer->outcome == OUTCOME_NOT_SENT ||
	    answer->reason == REASON_RATE_LIMITED;
	if (!again || ++ask->tries >= tries) {
		ask->done = true;
		return;
	}
	int64_t wait = (int64_t)SECOND_MS << ask->tries;
	if (answer->retry_after_ms > wait)
		wait = answer->retry_after_ms;
	ask->not_before_ms = session_mono(session) + wait;
	ask->request.cursor = (struct str){0};
	ask->pages = (struct runner_pages){0};
}

static void
stop_asks(struct session *session, struct ask *asks, size_t n)
{
	const struct world *world = session->config.world;

	for (size_t i = 0; i < n; i++) {
		if (asks[i].token != 0)
			world->cancel(world->ctx, asks[i].token);
		if (!asks[i].done)
			interrupted(&asks[i].answer);
	}
}

/* Send what may be sent now; false: all are answered. */
static bool
send_asks(struct session *session, struct ask *asks, size_t n,
    int64_t *deadline)
{
	bool open = false;

	*deadline = -1;
	for (size_t i = 0; i < n; i++) {
		struct ask *ask = &asks[i];
		if (ask->done)
			continue;
		open = true;
		if (ask->token != 0)
			continue;
		if (ask->not_before_ms <= session_mono(session))
			send_ask(session, ask);
		else if (*deadline == -1 || ask->not_before_ms < *deadline)
			*deadline = ask->not_before_ms;
	}
	return open;
}

static void
ask_all(struct session *session, struct ask *asks, size_t n)
{
	const struct world *world = session->config.world;
	int64_t deadline;

	while (send_asks(session, asks, n, &deadline)) {
		struct world_event event = {0};
		world->wait(world->ctx, session->arena, deadline, &event);
		if (event.type == WORLD_SIGNAL) {
			session_signal(session, event.signal);
			stop_asks(session, asks, n);
			return;
		}
		for (size_t i = 0; event.type == WORLD_HTTP && i < n; i++)
			if (asks[i].token == event.token &&
			    event.token != 0) {
				take_answer(session, &asks[i], &event.http);
				break;
			}
	}
}

void
session_ask_github(struct session *session,
    const struct github_request *request, struct github_answer *answer)
{
	struct ask ask = { .request = *request };

	ask_all(session, &ask, 1);
	*answer = ask.answer;
}

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

static int
exit_of(struct session *session, const struct github_scope *scope,
    const struct github_answer *answer, enum github_op op)
{
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

/* Refused: *code is what to leave with.  A signal is said once. */
static bool
refused(struct session *session, struct live_scope *scope,
    const struct ask *ask, int *code)
{
	if (ask->answer.outcome == OUTCOME_OK)
		return false;
	scope->known = false;
	scope->why_unknown = ask->answer.message;
	if (session->interrupted == 0 || *code == EXIT_OK) {
		int said = exit_of(session, &scope->scope, &ask->answer,
		    ask->request.op);
		if (*code == EXIT_OK)
			*code = said;
	}
	return true;
}

static int
list_runners(struct session *session)
{
	struct live *live = &session->live;
	struct ask *asks = ARENA_ARRAY(session->arena, struct ask,
	    live->nscopes);
	int code = EXIT_OK;

	for (size_t i = 0; i < live->nscopes; i++)
		asks[i].request = (struct github_request){
			.op = GITHUB_LIST_RUNNERS,
			.scope = live->scopes[i].scope,
		};
	ask_all(session, asks, live->nscopes);
	for (size_t i = 0; i < live->nscopes; i++) {
		struct live_scope *scope = &live->scopes[i];
		if (refused(session, scope, &asks[i], &code))
			continue;
		scope->known = true;
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
	struct ask *asks = ARENA_ARRAY(session->arena, struct ask,
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
	ask_all(session, asks, n);
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
	if (session->live.nscopes > 0)
		code = list_runners(session);
	if (code == EXIT_OK && session->live.nscopes > 0)
		code = ask_for_missing(session);
	if (code == EXIT_OK && (has_tunnels(session) ||
		session->config.holder_may_run))
		list_tunnels(session);
	return session->interrupted > 0 ? session_signal_code(session) : code;
}

/* ------------------------------------------------- what a plan lacked ---- */

static void
take_part(struct session *session, struct live_scope *scope,
    const struct ask *ask)
{
	const struct github_answer *answer = &ask->answer;
	bool ok = answer->outcome == OUTCOME_OK;

	switch (ask->request.op) {
	case GITHUB_DOWNLOADS:
		scope->packages_known = ok;
		scope->packages = answer->packages;
		scope->npackages = ok ? answer->npackages : 0;
		break;
	case GITHUB_LIST_GROUPS:
		scope->groups_known = ok;
		scope->groups = answer->groups;
		scope->ngroups = ok ? answer->ngroups : 0;
		break;
	case GITHUB_DEPRECATION:
		*ARENA_PUSH(session->arena, &scope->ends) =
		    (struct runner_end){
			.version = ask->request.version,
			.registration = answer->registration_ends,
			.runtime = answer->runtime_ends,
		    };
		break;
	default:
		scope->private_known = ok;
		scope->is_private = ok && answer->is_private;
		break;
	}
}

/* Does a runner of this scope ask for a group? */
static bool
wants_group(const struct session *session, const struct github_scope *scope)
{
	const struct spec *spec = session->spec;

	for (size_t i = 0; spec != NULL && i < spec->nresources; i++) {
		const struct resource *r = &spec->resources[i];
		if (r->kind == KIND_RUNNER && r->runner->group.len > 0 &&
		    str_eq_fold(r->runner->organization, scope->organization))
			return true;
	}
	return false;
}

struct asking {
	VEC_OF(struct ask) asks;
	VEC_OF(size_t) of;		/* its scope's number */
};

static void
want_part(struct session *session, struct asking *asking, size_t scope,
    enum github_op op, struct str version)
{
	*ARENA_PUSH(session->arena, &asking->of) = scope;
	*ARENA_PUSH(session->arena, &asking->asks) = (struct ask){
		.request = {
			.op = op, .scope = session->live.scopes[scope].scope,
			.version = version,
		},
	};
}

static bool
end_is_known(const struct live_scope *scope, const struct asking *asking,
    size_t from, struct str version)
{
	for (size_t i = 0; i < scope->ends.n; i++)
		if (str_eq(scope->ends.items[i].version, version))
			return true;
	for (size_t i = from; i < asking->asks.n; i++)
		if (str_eq(asking->asks.items[i].request.version, version))
			return true;
	return false;
}

/* Until when are the versions taken that its runners are pinned to? */
static void
want_ends(struct session *session, struct asking *asking, size_t number)
{
	const struct spec *spec = session->spec;
	const struct live_scope *scope = &session->live.scopes[number];
	size_t from = asking->asks.n;

	for (size_t i = 0; spec != NULL && i < spec->nresources; i++) {
		const struct resource *r = &spec->resources[i];
		if (r->kind != KIND_RUNNER || r->runner->version.len == 0 ||
		    str_is(r->runner->version, "latest"))
			continue;
		struct github_scope own = { r->runner->repository,
			r->runner->organization };
		if (github_scope_eq(&own, &scope->scope) &&
		    !end_is_known(scope, asking, from, r->runner->version))
			want_part(session, asking, number, GITHUB_DEPRECATION,
			    r->runner->version);
	}
}

static void
want_parts(struct session *session, struct asking *asking, size_t number)
{
	const struct live_scope *scope = &session->live.scopes[number];
	struct str none = {0};

	if (!scope->packages_known)
		want_part(session, asking, number, GITHUB_DOWNLOADS, none);
	want_ends(session, asking, number);
	if (scope->scope.organization.len == 0) {
		if (!scope->private_known)
			want_part(session, asking, number,
			    GITHUB_GET_REPOSITORY, none);
	} else if (!scope->groups_known &&
	    wants_group(session, &scope->scope)) {
		want_part(session, asking, number, GITHUB_LIST_GROUPS, none);
	}
}

int
session_fetch_github(struct session *session)
{
	struct live *live = &session->live;
	struct asking asking = {0};
	int code = EXIT_OK;

	if (session->config.github == NULL)
		return EXIT_OK;
	for (size_t i = 0; i < live->nscopes; i++)
		want_parts(session, &asking, i);
	ask_all(session, asking.asks.items, asking.asks.n);
	for (size_t i = 0; i < asking.asks.n; i++) {
		const struct ask *ask = &asking.asks.items[i];
		struct live_scope *scope = &live->scopes[asking.of.items[i]];
		take_part(session, scope, ask);
		/* Whether it is private, and until when a version is taken,
		 * are courtesies. */
		if (ask->answer.outcome != OUTCOME_OK && code == EXIT_OK &&
		    (ask->request.op == GITHUB_DOWNLOADS ||
			ask->request.op == GITHUB_LIST_GROUPS))
			code = exit_of(session, &scope->scope, &ask->answer,
			    ask->request.op);
	}
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
