/* diag_print.c - diagnostics as people read them; see diag.h */
#include "base/diag.h"

enum { WIDTH = 80, WIDTH_LEAST = 40, TAB = 8, NUMBER_WIDTH = 5 };

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define PLAIN "\033[0m"

static void
color_on(struct strbuf *out, struct diag_style style, const char *color)
{
	if (style.color)
		strbuf_adds(out, color);
}

static void
color_off(struct strbuf *out, struct diag_style style)
{
	color_on(out, style, PLAIN);
}

static const char *
severity_color(const struct diag *diag)
{
	return diag->severity == SEVERITY_ERROR ? RED : YELLOW;
}

/* -------------------------------------------------------- the excerpt ---- */

/*
 * Terminal columns of a character that is shown as it is.  Coarse on
 * purpose: a caret that is off by one is a blemish, a table of Unicode to be
 * kept up to date is a burden.
 */
static size_t
columns_of(uint32_t code)
{
	static const struct {
		uint32_t first, last;
		size_t columns;
	} ranges[] = {
		{ 0x0300, 0x036f, 0 },		/* combining */
		{ 0x1100, 0x115f, 2 },
		{ 0x200c, 0x200d, 0 },		/* joiners */
		{ 0x2e80, 0xa4cf, 2 },
		{ 0xac00, 0xd7a3, 2 },
		{ 0xf900, 0xfaff, 2 },
		{ 0xfe00, 0xfe0f, 0 },		/* variation selectors */
		{ 0xfe30, 0xfe6f, 2 },
		{ 0xff00, 0xff60, 2 },
		{ 0xffe0, 0xffe6, 2 },
		{ 0x1f300, 0x1faff, 2 },
		{ 0x20000, 0x3fffd, 2 },
	};
	for (size_t i = 0; i < COUNTOF(ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return ranges[i].columns;
	return 1;
}

/* One character of a line, as it is shown. */
struct cell {
	size_t bytes;		/* taken from the line */
	size_t columns;
	char text[16];		/* escaped; empty for a tab */
};

static struct cell
next_cell(struct str line, size_t at, size_t column)
{
	struct cell cell = {0};
	uint32_t code = 0;

	if (line.data[at] == '\t') {
		cell.bytes = 1;
		cell.columns = TAB - column % TAB;
		return cell;
	}
	if (line.data[at] >= ' ' && line.data[at] <= '~') {
		cell.bytes = cell.columns = 1;
		cell.text[0] = line.data[at];
		return cell;
	}
	cell.bytes = utf8_decode(str_sub(line, at, 4), &code);
	bool valid = cell.bytes > 0;
	if (!valid)
		cell.bytes = 1;
	struct strbuf shown = { .ceiling = sizeof cell.text - 1 };
	struct str raw = str_sub(line, at, cell.bytes);
	strbuf_add_escaped(&shown, raw);
	cell.columns = valid && str_eq(strbuf_str(&shown), raw)
	    ? columns_of(code)
	    : shown.len;
	for (size_t i = 0; i < shown.len; i++)
		cell.text[i] = shown.data[i];
	strbuf_release(&shown);
	return cell;
}

/* Where the marked bytes stand on the terminal, and the part shown. */
struct view {
	size_t caret, caret_end, total;		/* columns of the whole line */
	size_t from, to;			/* columns that are shown */
};

static struct view
measure(struct str line, size_t mark, size_t mark_len, size_t room)
{
	struct view view = {0};
	size_t column = 0;
	bool ended = false;

	for (size_t at = 0; at < line.len;) {
		if (at <= mark)
			view.caret = column;
		if (!ended && at >= mark + mark_len) {
			view.caret_end = column;
			ended = true;
		}
		struct cell cell = next_cell(line, at, column);
		at += cell.bytes;
		column += cell.columns;
	}
	view.total = column;
	if (mark >= line.len)
		view.caret = column;
	if (!ended)
		view.caret_end = column;
	if (view.caret_end <= view.caret)
		view.caret_end = view.caret + 1;

	/* Cut around the caret, most of the room after it. */
	view.to = view.total;
	if (view.total >= room) {
		if (view.caret > room / 2)
			view.from = view.caret - room / 3;
		if (view.from + room < view.to)
			view.to = view.from + room;
		if (view.caret_end > view.to)
			view.caret_end = view.to > view.caret ? view.to
							      : view.caret + 1;
	}
	return view;
}

static const struct str dots = STR_INIT("...");

/* The columns from..to of the line; what is cut away shows as dots. */
static void
add_view(struct strbuf *out, struct str line, const struct view *view)
{
	size_t from = view->from > 0 ? view->from + dots.len : 0;
	size_t to = view->to < view->total ? view->to - dots.len : view->to;
	size_t column = 0, written = from;

	if (view->from > 0)
		strbuf_add(out, dots);
	for (size_t at = 0; at < line.len && column < to;) {
		struct cell cell = next_cell(line, at, column);
		size_t after = column + cell.columns;
		if (column >= from && after <= to) {
			/* Blanks stand for tabs and for half a character. */
			strbuf_pad(out, column - written, ' ');
			strbuf_adds(out, cell.text);
			if (cell.text[0] == '\0')
				strbuf_pad(out, cell.columns, ' ');
			written = after;
		}
		at += cell.bytes;
		column = after;
	}
	if (view->to < view->total) {
		strbuf_pad(out, to - written, ' ');
		strbuf_add(out, dots);
	}
}

static size_t
number_width(uint32_t number)
{
	size_t digits = 1;
	for (; number > 9; number /= 10)
		digits++;
	return digits > NUMBER_WIDTH ? digits : NUMBER_WIDTH;
}

static void
add_excerpt(struct strbuf *out, const struct diags *diags,
    const struct diag *diag, struct diag_style style)
{
	const struct source *source = sources_get(diags->sources,
	    diag->span.source);
	struct str line = span_line(diags->sources, diag->span);
	size_t gutter = number_width(diag->span.line);

	if (source == NULL || line.data == NULL)
		return;
	size_t width = style.width <= 0     ? WIDTH
	    : style.width < WIDTH_LEAST ? WIDTH_LEAST
					: (size_t)style.width;
	size_t start = source->text.len > 0
	    ? (size_t)(line.data - source->text.data) : 0;
	size_t mark = diag->span.offset > start ? diag->span.offset - start : 0;
	if (mark > line.len)
		mark = line.len;
	struct view view = measure(line, mark, diag->span.length,
	    width - gutter - 3);
	strbuf_addf(out, "%*u |%s", (int)gutter, diag->span.line,
	    line.len > 0 ? " " : "");
	add_view(out, line, &view);
	strbuf_addc(out, '\n');
	strbuf_pad(out, gutter, ' ');
	strbuf_adds(out, " | ");
	strbuf_pad(out, view.caret - view.from, ' ');
	color_on(out, style, severity_color(diag));
	strbuf_addc(out, '^');
	strbuf_pad(out, view.caret_end - view.caret - 1, '~');
	color_off(out, style);
	strbuf_addc(out, '\n');
}

/* --------------------------------------------------------- the message ---- */

static struct str
place_of(struct arena *scratch, const struct diags *diags, struct span span)
{
	return span_place(scratch, diags->sources, span, true);
}

static void
add_notes(struct strbuf *out, const struct diags *diags, const char *before,
    const struct diag_note *notes, size_t n)
{
	struct arena scratch = {0};

	for (size_t i = 0; i < n; i++) {
		struct str place = place_of(&scratch, diags, notes[i].span);
		strbuf_addf(out, "   %s", before);
		strbuf_add_escaped(out, notes[i].text);
		if (place.len > 0) {
			strbuf_adds(out, " (");
			strbuf_add_escaped(out, place);
			strbuf_addc(out, ')');
		}
		strbuf_addc(out, '\n');
	}
	arena_release(&scratch);
}

static void
add_headline(struct strbuf *out, const struct diags *diags,
    const struct diag *diag, struct diag_style style)
{
	struct arena scratch = {0};
	struct str place = place_of(&scratch, diags, diag->span);

	if (place.len > 0) {
		color_on(out, style, BOLD);
		strbuf_add_escaped(out, place);
		strbuf_addc(out, ':');
		color_off(out, style);
		strbuf_addc(out, ' ');
	}
	color_on(out, style, severity_color(diag));
	strbuf_adds(out,
	    diag->severity == SEVERITY_ERROR ? "error:" : "warning:");
	color_off(out, style);
	strbuf_addc(out, ' ');
	strbuf_add_escaped(out, diag->message);
	if (diag->code != NULL)
		strbuf_addf(out, " [%s]", diag->code);
	strbuf_addc(out, '\n');
	arena_release(&scratch);
}

void
diag_print(struct strbuf *out, const struct diags *diags,
    const struct diag *diag, struct diag_style style)
{
	add_headline(out, diags, diag, style);
	add_excerpt(out, diags, diag, style);
	add_notes(out, diags, "", diag->related.items, diag->related.n);
	for (size_t i = 0; i < diag->hints.n; i++) {
		strbuf_adds(out, "   hint: ");
		strbuf_add_escaped(out, diag->hints.items[i]);
		strbuf_addc(out, '\n');
	}
	add_notes(out, diags, "while ", diag->causes.items, diag->causes.n);
}

void
diags_print(struct strbuf *out, const struct diags *diags,
    struct diag_style style)
{
	for (size_t i = 0; i < diags->list.n; i++)
		diag_print(out, diags, diags->list.items[i], style);
}
