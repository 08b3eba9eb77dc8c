/* style.c - see style.h */
#include "ui/style.h"

#include "base/units.h"

/* Set, not empty and not `0`. */
static bool
is_forced(struct str value)
{
	return value.len > 0 && !str_is(value, "0");
}

static bool
choose_color(const struct style_facts *facts)
{
	if (facts->mode != COLOR_AUTO)
		return facts->mode == COLOR_ALWAYS;
	if (facts->no_color.len > 0 || str_is(facts->term, "dumb"))
		return false;
	if (is_forced(facts->clicolor_force) || is_forced(facts->force_color))
		return true;
	return facts->terminal;
}

static int
choose_width(const struct style_facts *facts)
{
	int64_t columns = 0;

	if (!parse_int(facts->columns, 1, 100000, &columns))
		columns = facts->terminal ? facts->terminal_width : 0;
	if (columns <= 0)
		return STYLE_WIDTH;
	if (columns < STYLE_WIDTH_MIN)
		return STYLE_WIDTH_MIN;
	if (columns > STYLE_WIDTH_MAX)
		return STYLE_WIDTH_MAX;
	return (int)columns;
}

struct style
style_choose(const struct style_facts *facts)
{
	return (struct style){
		.color = choose_color(facts),
		.live = facts->terminal && !str_is(facts->term, "dumb") &&
		    facts->ci.len == 0,
		.uncut = !facts->terminal && facts->columns.len == 0,
		.width = choose_width(facts),
	};
}

bool
style_may_ask(const struct style_facts *facts)
{
	return facts->input_terminal && facts->ci.len == 0;
}

const char *
style_on(struct style style, enum paint paint)
{
	if (!style.color)
		return "";
	switch (paint) {
	case PAINT_NONE:	return "";
	case PAINT_GREEN:	return "\033[32m";
	case PAINT_RED:		return "\033[31m";
	case PAINT_YELLOW:	return "\033[33m";
	case PAINT_CYAN:	return "\033[36m";
	case PAINT_BOLD:	return "\033[1m";
	case PAINT_DIM:		return "\033[2m";
	}
	return "";
}

const char *
style_off(struct style style, enum paint paint)
{
	return style.color && paint != PAINT_NONE ? "\033[0m" : "";
}

void
style_add(struct strbuf *out, struct style style, enum paint paint,
    struct str text)
{
	strbuf_adds(out, style_on(style, paint));
	strbuf_add(out, text);
	strbuf_adds(out, style_off(style, paint));
}
