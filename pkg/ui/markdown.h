/*
 * markdown.h - text from outside, put into GitHub's Markdown so that it is
 * read and never obeyed.
 *
 * What may not break out: of a table's cell, of HTML, of a fence, of a Mermaid
 * label; and what is printed in a workflow may not be a command (`::error`,
 * `##[error]`).  The rule is one of inclusion: what is not known to be
 * harmless becomes a numeric reference, which by CommonMark never stands for
 * structure.  Controls and what is not UTF-8 become visible first, as
 * strbuf_add_escaped() has it.
 */
#ifndef UI_MARKDOWN_H
#define UI_MARKDOWN_H

#include "base/str.h"
#include "base/strbuf.h"

/*
 * For text, cells and HTML alike, within a line that has begun.  Neither
 * mentions nor issues nor addresses are linked, and nobody is notified.  Of
 * more than `max` bytes the rest is an ellipsis (0: all).
 */
void markdown_add(struct strbuf *out, struct str text, size_t max);
/* The same between <code> and </code>. */
void markdown_add_code(struct strbuf *out, struct str text, size_t max);

/* Within the quotes of a Mermaid label. */
void markdown_add_label(struct strbuf *out, struct str text, size_t max);

/*
 * A line and its end, that is escaped already: where it would be a command of
 * a workflow a colon is written as \x3a, a bracket as \x5b.
 */
void markdown_add_line(struct strbuf *out, struct str line);

/* Append body (whole lines, of markdown_add_line()) in a fence of a language
 * that is longer than any run of backticks inside. */
void markdown_add_fence(struct strbuf *out, const char *language,
    struct str body);

/* As a name within an HTML comment: letters, digits, `.`, `_` and `-`. */
void markdown_add_name(struct strbuf *out, struct str name);

#endif
