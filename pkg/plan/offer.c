/*
 * offer.c - what GitHub offers to a runner that is to be made: the package of
 * its version, its group; and who may use it there.
 *
 * Of a change, scope and want are given.  What the scope has not told yet is
 * marked as needed; what is wrong is said once for all replicas.
 */
#include <string.h>

#include "base/units.h"
#include "plan/planner.h"

enum { ENDS_SOON_MS = 14 * 24 * HOUR_MS };

static void
hint_packages(struct planner *p, const struct live_scope *scope)
{
	for (size_t i = 0; i < scope->npackages && i < 5; i++)
		diag_hint(p->diags, "it offers " STR_FMT,
		    STR_ARG(scope->packages[i].version));
}

static struct str
replaced(struct arena *arena, struct str text, struct str from, struct str to)
{
	struct strbuf out = {0};
	ptrdiff_t at;

	while ((at = str_search(text, from)) >= 0) {
		strbuf_add(&out, str_sub(text, 0, (size_t)at));
		strbuf_add(&out, to);
		text = str_sub(text, (size_t)at + from.len, text.len);
	}
	strbuf_add(&out, text);
	struct str whole = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return whole;
}

/*
 * GitHub offers one version, and older ones lie beside it under their own
 * number, but it gives no digest for them: what vouches for such a package
 * is the server that it comes from.
 */
static bool
derive_package(struct planner *p, struct plan_change *change,
    const struct runner_package *offered)
{
	struct str version = change->want->runner->version;

	if (offered == NULL || version_cmp(version, offered->version) >= 0 ||
	    str_search(offered->url, offered->version) < 0 ||
	    str_search(offered->filename, offered->version) < 0)
		return false;
	change->package = (struct runner_package){
		.version = version,
		.url = replaced(p->arena, offered->url, offered->version,
		    version),
		.filename = replaced(p->arena, offered->filename,
		    offered->version, version),
		.token = offered->token,
	};
	check_add(p, "runner.digest", CHECK_WARN, change->want->span, STR_FMT
	    " is pinned to " STR_FMT ", for which GitHub gives no digest (it "
	    "does for " STR_FMT "): the package is taken as the server sends "
	    "it", STR_ARG(change->want->address), STR_ARG(version),
	    STR_ARG(offered->version));
	return true;
}

/* When this version ends, as GitHub says; 0: it does not. */
static int64_t
end_of(const struct live_scope *scope, struct str version, struct str *when)
{
	int64_t first = 0, at;

	for (size_t i = 0; i < scope->ends.n; i++) {
		const struct runner_end *end = &scope->ends.items[i];
		const struct str dates[] = { end->registration,
			end->runtime };
		for (size_t j = 0; str_eq(end->version, version) &&
		    j < COUNTOF(dates); j++)
			if (parse_time(dates[j], &at) &&
			    (first == 0 || at < first)) {
				first = at;
				*when = dates[j];
			}
	}
	return first;
}

/* Does GitHub still take the pinned version?  (The least of all times is
 * the spec's to check.) */
static bool
version_is_taken(struct planner *p, const struct plan_change *change)
{
	struct str version = change->want->runner->version, when = {0};
	int64_t end = end_of(change->scope, version, &when);

	if (end != 0 && end <= p->options->wall_ms) {
		if (p->runner_told == change->want->runner)
			return false;
		p->runner_told = change->want->runner;
		diag_error(p->diags, E_RUNNER_VERSION, change->want->span,
		    "GitHub takes no runners of version " STR_FMT " any "
		    "more, since " STR_FMT, STR_ARG(version), STR_ARG(when));
		hint_packages(p, change->scope);
		return false;
	}
	if (end != 0 && end - p->options->wall_ms < ENDS_SOON_MS)
		check_add(p, "runner.version", CHECK_WARN, change->want->span,
		    STR_FMT " is pinned to " STR_FMT ", which GitHub takes "
		    "until " STR_FMT, STR_ARG(change->want->address),
		    STR_ARG(version), STR_ARG(when));
	return true;
}

void
offer_package(struct planner *p, struct plan_change *change)
{
	const struct runner_spec *spec = change->want->runner;
	const struct live_scope *scope = change->scope;
	bool latest = str_is(spec->version, "latest");
	const struct runner_package *newest = NULL, *best = NULL;

	if (scope == NULL || !scope->packages_known) {
		p->plan->needs_github |= !p->live->from_lock;
		if (!latest)
			change->package.version = spec->version;
		return;
	}
	for (size_t i = 0; i < scope->npackages; i++) {
		const struct runner_package *package = &scope->packages[i];
		if (newest == NULL || version_cmp(package->version,
			newest->version) > 0)
			newest = package;
		if (str_eq(package->version, spec->version))
			best = package;
	}
	if (!latest && !version_is_taken(p, change))
		return;
	best = latest ? newest : best;
	if (best != NULL) {
		change->package = *best;
		return;
	}
	if (p->runner_told == spec || derive_package(p, change, newest))
		return;
	p->runner_told = spec;
	diag_error(p->diags, E_RUNNER_VERSION, change->want->span, "GitHub "
	    "does not offer version " STR_FMT " of the runner to " STR_FMT,
	    STR_ARG(latest ? STR("latest") : spec->version),
	    STR_ARG(github_scope_text(&scope->scope)));
	hint_packages(p, scope);
}

void
offer_group(struct planner *p, struct plan_change *change)
{
	struct str group = change->want->runner->group;
	const struct live_scope *scope = change->scope;

	if (group.len == 0)
		return;
	if (scope == NULL || !scope->groups_known) {
		p->plan->needs_github |= !p->live->from_lock;
		return;
	}
	for (size_t i = 0; i < scope->ngroups; i++)
		if (str_eq(scope->groups[i].name, group)) {
			change->runner_group = scope->groups[i].id;
			return;
		}
	if (p->group_told == change->want->runner)
		return;
	p->group_told = change->want->runner;	/* once for all replicas */
	diag_error(p->diags, E_RUNNER_GROUP, change->want->span, STR_FMT " has "
	    "no runner group '" STR_FMT "'",
	    STR_ARG(github_scope_text(&scope->scope)), STR_ARG(group));
	for (size_t i = 0; i < scope->ngroups && i < 5; i++)
		diag_hint(p->diags, "there is '" STR_FMT "'",
		    STR_ARG(scope->groups[i].name));
}

/* Anybody's pull request could run on the pod. */
void
offer_publicity(struct planner *p, const struct plan_change *change)
{
	const struct live_scope *scope = change->scope;

	if (change->want->runner->repository.len == 0)
		return;
	if (scope == NULL || !scope->private_known) {
		p->plan->needs_github |= !p->live->from_lock;
		return;
	}
	if (!scope->is_private)
		check_add(p, "runner.public", CHECK_WARN, change->want->span,
		    STR_FMT " serves the public repository " STR_FMT
		    ": whoever may open a pull request there can run code on "
		    "the pod", STR_ARG(change->want->address),
		    STR_ARG(scope->scope.repository));
}

/* Is one of names (ended by NULL) in a list like "repo, read:org"? */
static bool
lists_one(struct str list, const char *const *names)
{
	while (list.len > 0) {
		struct str name = str_trim(str_cut(list, ',', &list));
		for (size_t i = 0; names[i] != NULL; i++)
			if (str_is(name, names[i]))
				return true;
	}
	return false;
}

static bool
is_told(const struct planner *p, const char *id, struct span span)
{
	for (size_t i = 0; i < p->plan->checks.n; i++) {
		const struct plan_check *check = &p->plan->checks.items[i];
		if (strcmp(check->id, id) == 0 &&
		    check->span.source == span.source &&
		    check->span.line == span.line)
			return true;
	}
	return false;
}

/*
 * GitHub says of a classic token what it may do, in every answer; of others
 * (fine-grained ones, those of Apps) nothing tells before a registration.
 */
void
offer_permission(struct planner *p, const struct plan_change *change)
{
	static const char *const repository[] = { "repo", NULL };
	static const char *const organization[] = { "admin:org",
		"manage_runners:org", NULL };
	static const char id[] = "runner.permission";
	const struct live_scope *scope = change->scope;
	struct span span = change->want->span;

	if (scope == NULL || scope->token_scopes.len == 0)
		return;
	bool org = scope->scope.organization.len > 0;
	if (lists_one(scope->token_scopes, org ? organization : repository) ||
	    is_told(p, id, span))
		return;
	check_add(p, id, CHECK_WARN, span, "GitHub will not let this token "
	    "register runners of " STR_FMT ": it has the scopes " STR_FMT
	    ", and %s is needed", STR_ARG(github_scope_text(&scope->scope)),
	    STR_ARG(scope->token_scopes), org ? "admin:org" : "repo");
}
