/*
 * style.h - how wide, and in which colours.
 *
 * style_choose() decides from facts that cmd collects (options,
 * environment, terminals), so the rules can be tested as a table:
 *
 *	--color, --no-color	win over everything
 *	NO_COLOR		set and not empty: no colour
 *	TERM=dumb		no colour and no cursor movement
 *	CLICOLOR_FORCE, FORCE_COLOR	not empty and not `0`: colour
 *	otherwise		colour on a terminal
 *
 * Colour only repeats what the symbols say.
 */
#ifndef UI_STYLE_H
#define UI_STYLE_H

#include "base/str.h"
#include "base/strbuf.h"

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct style {
	bool color;
	bool live;		/* the cursor may be moved: a live area */
	bool uncut;		/* a file or pipe: tables show all of a cell */
	int width;		/* columns */
};

enum { STYLE_WIDTH = 80, STYLE_WIDTH_MIN = 40, STYLE_WIDTH_MAX = 400 };

/* What one output stream has to go by; absent strs are unset variables. */
struct style_facts {
	enum color_mode mode;
	bool terminal;			/* the stream is one */
	bool input_terminal;		/* standard input is one */
	int terminal_width;		/* 0: unknown */
	struct str no_color, clicolor_force, force_color;
	struct str term, columns, ci;
};

struct style style_choose(const struct style_facts *facts);

/* May a person be asked?  Not in CI, nor without a terminal on input. */
bool style_may_ask(const struct style_facts *facts);

enum paint {
	PAINT_NONE, PAINT_GREEN, PAINT_RED, PAINT_YELLOW, PAINT_CYAN,
	PAINT_BOLD, PAINT_DIM,
};

/* The sequence that begins a paint ("" without colour), and ends it. */
const char *style_on(struct style style, enum paint paint);
const char *style_off(struct style style, enum paint paint);

/* Append text in a colour; text must be escaped already. */
void style_add(struct strbuf *out, struct style style, enum paint paint,
    struct str text);

#endif
