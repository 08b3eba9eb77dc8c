/*
 * session_offers.c - what a first plan found missing of GitHub's scopes:
 * packages, groups, until when versions are taken, who may see a repository.
 */
#include "run/ask_github.h"

static void
take_part(struct session *session, struct live_scope *scope,
    const struct ask_github *ask)
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
	VEC_OF(struct ask_github) asks;
	VEC_OF(size_t) of;		/* its scope's number */
};

static void
want_part(struct session *session, struct asking *asking, size_t scope,
    enum github_op op, struct str version)
{
	*ARENA_PUSH(session->arena, &asking->of) = scope;
	*ARENA_PUSH(session->arena, &asking->asks) = (struct ask_github){
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
		if (r->kind != KIND_RUNNER ||
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
	ask_github_all(session, asking.asks.items, asking.asks.n);
	for (size_t i = 0; i < asking.asks.n; i++) {
		const struct ask_github *ask = &asking.asks.items[i];
		struct live_scope *scope = &live->scopes[asking.of.items[i]];
		take_part(session, scope, ask);
		/* Whether it is private, and until when a version is taken,
		 * are courtesies. */
		if (ask->answer.outcome != OUTCOME_OK && code == EXIT_OK &&
		    (ask->request.op == GITHUB_DOWNLOADS ||
			ask->request.op == GITHUB_LIST_GROUPS))
			code = ask_github_refused(session, ask);
	}
	return session->interrupted > 0 ? session_signal_code(session) : code;
}
