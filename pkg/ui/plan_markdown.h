/*
 * plan_markdown.h - a plan as a reviewer reads it on GitHub.
 *
 *	<!-- podform:plan:quickstart -->
 *	### podform: 1 to add, 0 to change, 1 to destroy; ...
 *	**$1.24/h → $1.48/h** (+$0.24/h) ...
 *	> [!WARNING]		what deletes, replaces, interrupts a job,
 *				resets a container, or costs much more
 *	drift			apart from edits, with its diff
 *	checks			that refuse or warn
 *	| | Resource | ...	a row per change, prices before and after
 *	<details> ```diff	per change
 *	<details> ```mermaid	the order of the actions
 *	<sub>			plan id, digests, commit, validity, command
 *
 * Within max_bytes it is cut at whole resources, and says how many are not
 * shown; what is too large on its own hides none of the others.  Nothing
 * depends on the time, so an unchanged plan is an unchanged text, and a plan
 * read back from its file gives the bytes that it gave before.
 */
#ifndef UI_PLAN_MARKDOWN_H
#define UI_PLAN_MARKDOWN_H

#include "ui/plan_json.h"

enum {
	/* A comment takes 65,536 characters; this leaves room for what others
	 * put around it. */
	PLAN_MARKDOWN_BYTES = 60000,
	PLAN_MARKDOWN_BYTES_MIN = 6000,
	PLAN_MARKDOWN_BYTES_MAX = 1000000,
	/* A rise of the hourly cost that is warned of: half a dollar. */
	PLAN_MARKDOWN_RISE = 500000,
};

struct plan_markdown_options {
	const struct sources *sources;
	const struct plan_binding *binding;
	struct str commit;		/* absent: not known */
	struct str file;		/* of the saved plan; absent: none, and
					   so no time until which it is valid */
	size_t max_bytes;		/* 0: PLAN_MARKDOWN_BYTES */
};

void plan_markdown(struct strbuf *out, const struct plan *plan,
    const struct plan_markdown_options *options);

#endif
