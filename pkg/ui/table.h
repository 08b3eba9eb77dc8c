/*
 * table.h - rows under headings, for status, state list, gpus and audit.
 *
 * Cells are escaped when they are added.  Columns are as wide as their
 * widest cell; when the whole is wider than the terminal the columns marked
 * `shrink` give way, never below their heading or six columns.  What does
 * not fit any more ends in an ellipsis, or with `wrap` goes on in the next
 * line.  Files and pipes (style.uncut) get every cell whole: who filters a
 * table must find what is in it.
 */
#ifndef UI_TABLE_H
#define UI_TABLE_H

#include "base/arena.h"
#include "ui/style.h"

struct table_column {
	const char *title;
	bool right;		/* numbers and money */
	bool shrink;
	bool wrap;		/* with shrink: on several lines, not cut */
};

struct table_cell { struct str text; enum paint paint; };

struct table {
	struct arena *arena;
	const struct table_column *columns;
	size_t ncolumns;
	VEC_OF(struct table_cell) cells;	/* row after row */
};

void table_init(struct table *table, struct arena *arena,
    const struct table_column *columns, size_t ncolumns);
void table_add(struct table *table, struct str text);
void table_add_paint(struct table *table, struct str text, enum paint paint);
void table_addf(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
size_t table_rows(const struct table *table);
/* Nothing at all is printed for a table without rows. */
void table_print(struct strbuf *out, const struct table *table,
    struct style style);

#endif
