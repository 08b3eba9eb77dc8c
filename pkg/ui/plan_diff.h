/*
 * plan_diff.h - changes of a plan in fences: as a diff that GitHub colours,
 * and as a graph that it draws.  For plan_markdown.c alone.
 */
#ifndef UI_PLAN_DIFF_H
#define UI_PLAN_DIFF_H

#include "plan/plan.h"

/*
 * A ```diff fence of a change, or of what drifted.  It is the text of a plan
 * with the symbol in the first column; `~` is written `!`, for that is what
 * a diff colours.
 */
void plan_diff_change(struct strbuf *out, struct arena *arena,
    const struct plan *plan, const struct plan_change *change);
void plan_diff_drift(struct strbuf *out, struct arena *arena,
    const struct plan_drift *drift);

/*
 * A ```mermaid fence: what is done before what.  False, and nothing, where
 * there are too many actions to be read.
 */
bool plan_diff_graph(struct strbuf *out, struct arena *arena,
    const struct plan *plan);

#endif
