/*
 * plan_json.h - a plan as JSON: what `plan --json` prints, and what a saved
 * plan is.
 *
 * format_version is "1.0": the minor grows by additions that a reader
 * ignores, the major for anything else.  Beside Terraform's vocabulary each
 * change carries `attributes`, a flat list in the order of the text, from
 * which `show` renders the plan again.  No secret value is ever in it: of
 * an attribute that holds one only its references are written.
 */
#ifndef UI_PLAN_JSON_H
#define UI_PLAN_JSON_H

#include "base/diag.h"
#include "plan/plan.h"

#define PLAN_FORMAT_MAJOR 1
#define PLAN_FORMAT "1.0"

/* What a plan was made from, and how: a saved one is bound to it. */
struct plan_binding {
	struct str version;		/* podform's, that wrote it */
	struct str plan_id;		/* 32 hex; absent when not saved */
	struct str lineage, account;	/* account: absent if not known */
	struct str project;		/* absent: of an older podform */
	int64_t serial;
	struct str spec_digest, live_digest, plan_digest;
	int64_t created_ms, expires_ms;	/* wall clock; expires 0: never */
	enum plan_mode mode;
	bool refresh;
	struct str *targets, *excludes, *replaces;
	size_t ntargets, nexcludes, nreplaces;
	struct str *spec_paths;		/* -f, as given */
	size_t nspec_paths;
	struct variable *variables;	/* --var */
	size_t nvariables;
};

struct plan_json_options {
	const struct plan_binding *binding;
	const struct sources *sources;
	const struct diags *diags;	/* warnings to carry; may be NULL */
	bool compact;			/* on one line: for events */
};

/* Append the document and a line end. */
void plan_json(struct strbuf *out, const struct plan *plan,
    const struct plan_json_options *options);

/* One change as an object; events use it too. */
struct json_writer;
void plan_json_change(struct json_writer *w, const struct plan *plan,
    const struct plan_change *change, const struct sources *sources);

/* The member `acknowledged` of a drift: reason and until, or null. */
void plan_json_put_ack(struct json_writer *w, const struct ack *ack);

#endif
