/*
 * plan_block.h - one change of a plan as text: its header, its attributes,
 * its facts; and the line of money.  For
 * plan_text.c and plan_diff.c.
 */
#ifndef UI_PLAN_BLOCK_H
#define UI_PLAN_BLOCK_H

#include "ui/plan_text.h"

struct page {
	struct arena *arena;		/* scratch */
	const struct plan *plan;
	const struct plan_text_options *options;
};

/* `  # ADDRESS WHAT                          FILE:LINE`, the place at the
 * right edge; a long WHAT goes to lines of its own. */
void plan_block_header(struct strbuf *out, const struct page *page,
    struct str address, struct str what, struct span span);
void plan_block_change(struct strbuf *out, const struct page *page,
    const struct plan_change *change);
/* What stands below its header. */
void plan_block_body(struct strbuf *out, const struct page *page,
    const struct plan_change *change);
void plan_block_cost(struct strbuf *out, const struct page *page);
/* The account's balance and how long it lasts, where it is known. */
void plan_block_balance(struct strbuf *out, const struct page *page);

/* Columns for the names of attributes: the widest, within reason. */
size_t plan_block_pad(const struct plan_attr *attrs, size_t n);

#endif
