/*
 * github.h - what GitHub can be asked about runners, and what it may answer.
 *
 * Values, as cloud.h has them for GPU clouds: pkg/github turns a request
 * into HTTP and what comes back into an answer.  Outcomes and reasons are
 * those of cloud.h; REASON_BUSY is GitHub's refusal to remove a runner that
 * has a job.  Everything decoded is untrusted text.
 *
 * Facts (July 2026): REST API version 2022-11-28.  A runner is registered by
 * the call that makes its JIT configuration, before any machine runs it; it
 * lives at one level, repository or organization; names are unique there,
 * regardless of case; a 404 may mean "not allowed"; there is no "last seen".
 *
 * So REASON_NOT_FOUND says that a runner is gone only while its scope can be
 * read (a listing of it succeeds), and absence in one listing proves nothing:
 * pages are no snapshot.  Of what may go wrong:
 *
 *	JIT, REASON_CONFLICT	the name is taken, perhaps by our own lost
 *				call: find it
 *	JIT, OUTCOME_UNKNOWN	the name may be registered: find it
 *	JIT, REASON_NO_CAPACITY	the group has as many runners as it may
 *	REASON_RATE_LIMITED	of 403 too: nothing is known of any runner
 *	REASON_FORBIDDEN	the message says what would be accepted
 */
#ifndef BASE_GITHUB_H
#define BASE_GITHUB_H

#include "base/cloud.h"
#include "base/ssh.h"

/* Where a runner is registered: exactly one of the two is present. */
struct github_scope {
	struct str repository;		/* "acme/model" */
	struct str organization;	/* "acme" */
};

enum github_op {
	GITHUB_LIST_RUNNERS,	/* all of a scope; pages by cursor */
	GITHUB_FIND_RUNNER,	/* by `name`: none or one, once there is no
				   next page (old servers ignore the name) */
	GITHUB_GET_RUNNER,	/* by `id` */
	GITHUB_JIT,		/* registers `name`: runner and config */
	GITHUB_REGISTRATION_TOKEN,
	GITHUB_SET_LABELS,	/* replaces the custom labels: a drain */
	GITHUB_DELETE_RUNNER,	/* 204, REASON_BUSY, REASON_NOT_FOUND */
	GITHUB_DOWNLOADS,	/* packages that the scope may use */
	GITHUB_DEPRECATION,	/* of `version`; OK with neither time where
				   the service does not say (404) */
	GITHUB_LIST_GROUPS,	/* of an organization */
	GITHUB_GET_REPOSITORY,	/* is it private? */
	GITHUB_OP_COUNT
};

struct github_request {
	enum github_op op;
	struct github_scope scope;
	int64_t id;			/* of a runner */
	struct str name;
	const struct str *labels;	/* JIT, set labels */
	size_t nlabels;
	int64_t group_id;		/* JIT; 0: the default, 1 */
	struct str version;		/* deprecation */
	struct str cursor;		/* next page, as an answer gave it */
};

struct github_runner {
	int64_t id;
	struct str name, os, version;	/* os, version may be absent */
	bool online, busy;
	bool ephemeral, ephemeral_known;
	int64_t group_id;		/* 0 unknown */
	struct str *labels;
	size_t nlabels;
};

struct github_group {
	int64_t id;
	struct str name;
	bool is_default, allows_public;
};

struct github_answer {
	enum cloud_outcome outcome;
	enum cloud_reason reason;
	int status;
	struct str message;		/* the service's words, raw; with the
					   permissions it would accept */
	struct str scopes;		/* of a classic token, as GitHub lists
					   them; absent of others */
	struct str request_id;
	int64_t retry_after_ms;		/* 0..300000: the whole client waits */
	int64_t ratelimit_left;		/* -1 unknown */
	struct github_runner *runners;	/* list, find, get, JIT */
	size_t nrunners;
	int64_t total;			/* as the service counts; -1 unknown */
	struct str jit;			/* secret */
	struct str token;		/* registration; secret */
	int64_t token_ends_ms;		/* wall clock; 0 unknown */
	struct runner_package *packages;	/* linux x64 */
	size_t npackages;
	struct str registration_ends, runtime_ends;	/* deprecation: RFC
					   3339, or absent for "not yet" */
	struct github_group *groups;
	size_t ngroups;
	bool is_private;		/* repository */
	struct str next_cursor;		/* set: the listing is not complete */
};

/* A provider: pure functions, as struct cloud. */
struct github {
	void (*encode)(struct arena *arena,
	    const struct github_request *request, struct http_request *out);
	void (*decode)(struct arena *arena,
	    const struct github_request *request,
	    const struct http_answer *http, int64_t wall_ms,
	    struct github_answer *out);
};

const char *github_op_words(enum github_op op);	/* "remove the runner" */
bool github_op_changes(enum github_op op);
/* "acme/model" or "acme". */
struct str github_scope_text(const struct github_scope *scope);
bool github_scope_eq(const struct github_scope *a,
    const struct github_scope *b);

#endif
