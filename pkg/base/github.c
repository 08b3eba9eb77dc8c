/* github.c - words and comparisons of what github.h declares */
#include "base/github.h"

#include <assert.h>

static const struct {
	const char *words;
	bool changes;
} ops[] = {
	[GITHUB_LIST_RUNNERS] = { "list runners", false },
	[GITHUB_FIND_RUNNER] = { "find the runner", false },
	[GITHUB_GET_RUNNER] = { "get the runner", false },
	[GITHUB_JIT] = { "register the runner", true },
	[GITHUB_REGISTRATION_TOKEN] = { "get a registration token", true },
	[GITHUB_SET_LABELS] = { "set the runner's labels", true },
	[GITHUB_DELETE_RUNNER] = { "remove the runner", true },
	[GITHUB_DOWNLOADS] = { "list runner packages", false },
	[GITHUB_DEPRECATION] = { "ask about the runner's version", false },
	[GITHUB_LIST_GROUPS] = { "list runner groups", false },
	[GITHUB_GET_REPOSITORY] = { "get the repository", false },
};
_Static_assert(COUNTOF(ops) == GITHUB_OP_COUNT, "every op has its words");

const char *
github_op_words(enum github_op op)
{
	assert((size_t)op < COUNTOF(ops));
	return ops[op].words;
}

bool
github_op_changes(enum github_op op)
{
	assert((size_t)op < COUNTOF(ops));
	return ops[op].changes;
}

struct str
github_scope_text(const struct github_scope *scope)
{
	return scope->repository.len > 0 ? scope->repository
					 : scope->organization;
}

bool
github_scope_eq(const struct github_scope *a, const struct github_scope *b)
{
	return str_eq(a->repository, b->repository) &&
	    str_eq(a->organization, b->organization);
}
