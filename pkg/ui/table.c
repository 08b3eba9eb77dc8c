/* table.c - see table.h */
#include "ui/table.h"

#include <assert.h>
#include <stdarg.h>

#include "base/plant.h"
#include "ui/cells.h"

enum { GAP = 2, SHRINK_MIN = 6 };

void
table_init(struct table *table, struct arena *arena,
    const struct table_column *columns, size_t ncolumns)
{
	*table = (struct table){ .arena = arena, .columns = columns,
		.ncolumns = ncolumns };
}

void
table_add_paint(struct table *table, struct str text, enum paint paint)
{
	struct table_cell cell = { cells_escape(table->arena, text), paint };

	if (PLANTED(23) &&
	    table->columns[table->cells.n % table->ncolumns].wrap)
		cell.text = text;
	*ARENA_PUSH(table->arena, &table->cells) = cell;
}

void
table_add(struct table *table, struct str text)
{
	table_add_paint(table, text, PAINT_NONE);
}

void
table_addf(struct table *table, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	table_add(table, arena_vprintf(table->arena, format, args));
	va_end(args);
}

size_t
table_rows(const struct table *table)
{
	return table->cells.n / table->ncolumns;
}

/* Let columns that may shrink give way, the widest first. */
static void
fit(const struct table *table, size_t *widths, size_t width)
{
	size_t total = 0;

	for (size_t i = 0; i < table->ncolumns; i++)
		total += widths[i] + (i > 0 ? GAP : 0);
	while (total > width) {
		size_t best = table->ncolumns;
		for (size_t i = 0; i < table->ncolumns; i++) {
			size_t least = cells_width(
			    str_from(table->columns[i].title));
			if (least < SHRINK_MIN)
				least = SHRINK_MIN;
			if (table->columns[i].shrink && widths[i] > least &&
			    (best == table->ncolumns ||
			    widths[i] > widths[best]))
				best = i;
		}
		if (best == table->ncolumns)
			return;
		widths[best]--;
		total--;
	}
}

static void
print_cell(struct strbuf *out, struct str text, size_t width, bool right,
    bool last)
{
	size_t cells = cells_width(text);

	if (right && cells < width)
		strbuf_pad(out, width - cells, ' ');
	cells_cut(out, text, width);
	if (!right && !last && cells < width)
		strbuf_pad(out, width - cells, ' ');
}

/* Take the next line's worth of *text away from its beginning. */
static struct str
next_line(struct str *text, size_t width, bool wrap)
{
	struct strbuf wrapped = {0};
	struct str line = *text;
	ptrdiff_t end = -1;

	if (wrap && cells_width(*text) > width) {
		/* A break takes the place of a blank, byte for byte. */
		cells_wrap(&wrapped, *text, 0, 0, width);
		end = str_find(strbuf_str(&wrapped), '\n');
		strbuf_release(&wrapped);
	}
	if (end >= 0)
		line = str_sub(*text, 0, (size_t)end);
	*text = end < 0 ? (struct str){0} :
	    str_sub(*text, (size_t)end + 1, text->len);
	return line;
}

static void
print_line(struct strbuf *out, const struct table *table,
    const struct table_cell *row, const size_t *widths, struct style style)
{
	size_t last = table->ncolumns - 1;

	/* No blanks at the end of a line: empty cells there are skipped. */
	while (last > 0 && row[last].text.len == 0)
		last--;
	for (size_t i = 0; i <= last; i++) {
		if (i > 0)
			strbuf_pad(out, GAP, ' ');
		strbuf_adds(out, style_on(style, row[i].paint));
		print_cell(out, row[i].text, widths[i],
		    table->columns[i].right, i == last);
		strbuf_adds(out, style_off(style, row[i].paint));
	}
	strbuf_addc(out, '\n');
}

static void
print_row(struct strbuf *out, const struct table *table,
    const struct table_cell *row, const size_t *widths, struct style style)
{
	size_t n = table->ncolumns;
	struct table_cell *rest = ARENA_ARRAY(table->arena, struct table_cell,
	    n);
	struct table_cell *line = ARENA_ARRAY(table->arena, struct table_cell,
	    n);
	bool more = true;

	for (size_t i = 0; i < n; i++)
		rest[i] = line[i] = row[i];
	while (more) {
		more = false;
		for (size_t i = 0; i < n; i++) {
			line[i].text = next_line(&rest[i].text, widths[i],
			    table->columns[i].wrap);
			more = more || rest[i].text.len > 0;
		}
		print_line(out, table, line, widths, style);
	}
}

void
table_print(struct strbuf *out, const struct table *table,
    struct style style)
{
	size_t n = table->ncolumns, rows = table_rows(table);

	assert(table->cells.n % n == 0);
	if (rows == 0)
		return;
	size_t *widths = ARENA_ARRAY(table->arena, size_t, n);
	struct table_cell *head = ARENA_ARRAY(table->arena,
	    struct table_cell, n);
	for (size_t i = 0; i < n; i++) {
		head[i].text = str_from(table->columns[i].title);
		head[i].paint = PAINT_BOLD;
		widths[i] = cells_width(head[i].text);
	}
	for (size_t i = 0; i < table->cells.n; i++) {
		size_t cells = cells_width(table->cells.items[i].text);
		if (cells > widths[i % n])
			widths[i % n] = cells;
	}
	if (!style.uncut)
		fit(table, widths, (size_t)style.width);
	print_row(out, table, head, widths, style);
	for (size_t i = 0; i < rows; i++)
		print_row(out, table, &table->cells.items[i * n], widths,
		    style);
}
