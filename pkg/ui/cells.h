/*
 * cells.h - how many columns of a terminal a text takes.
 *
 * Wide East Asian characters and emoji take two, combining marks none,
 * colour sequences (ESC [ ... m) none.  The text must be escaped already:
 * no other control characters.
 */
#ifndef UI_CELLS_H
#define UI_CELLS_H

#include "base/arena.h"
#include "base/str.h"
#include "base/strbuf.h"

size_t cells_width(struct str text);

/* The longest beginning of text that fits in width columns. */
struct str cells_head(struct str text, size_t width);

/* Append text cut to width columns; what was cut ends in an ellipsis. */
void cells_cut(struct strbuf *out, struct str text, size_t width);

/* Append spaces until the line that began at byte `from` is width wide. */
void cells_pad(struct strbuf *out, size_t from, size_t width);

/* Text from outside, escaped, in the arena. */
struct str cells_escape(struct arena *arena, struct str text);

/*
 * Append text as words, broken at spaces so that lines stay within width;
 * the first line starts at column `at`, the others are indented by `indent`.
 */
void cells_wrap(struct strbuf *out, struct str text, size_t at,
    size_t indent, size_t width);

#endif
