/* cells.c - see cells.h */
#include "ui/cells.h"

struct range { uint32_t first, last; };

/* From the Unicode East Asian Width property, joined generously: a column
 * too many is harmless, one too few breaks a live line. */
static const struct range wide[] = {
	{ 0x1100, 0x115f }, { 0x2329, 0x232a }, { 0x2e80, 0x303e },
	{ 0x3041, 0xa4cf }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 },
	{ 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1faff },
	{ 0x20000, 0x3fffd },
};

static const struct range zero[] = {
	{ 0x0300, 0x036f }, { 0x200b, 0x200d }, { 0x20d0, 0x20ff },
	{ 0xfe00, 0xfe0f },
};

static bool
in_ranges(uint32_t code, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

static size_t
code_width(uint32_t code)
{
	if (code < 0x300)
		return 1;
	if (in_ranges(code, zero, COUNTOF(zero)))
		return 0;
	return in_ranges(code, wide, COUNTOF(wide)) ? 2 : 1;
}

/* Length in bytes of the character or colour sequence that text starts
 * with, and its columns. */
static size_t
next_cell(struct str text, size_t *width)
{
	uint32_t code;
	size_t n;

	if (text.data[0] == '\033') {
		for (n = 1; n < text.len && text.data[n - 1] != 'm'; n++)
			;
		*width = 0;
		return n;
	}
	n = utf8_decode(text, &code);
	*width = n == 0 ? 1 : code_width(code);
	return n == 0 ? 1 : n;
}

size_t
cells_width(struct str text)
{
	size_t total = 0, width;

	while (text.len > 0) {
		size_t n = next_cell(text, &width);
		total += width;
		text = str_sub(text, n, text.len);
	}
	return total;
}

struct str
cells_head(struct str text, size_t width)
{
	size_t at = 0, used = 0, cell;

	while (at < text.len) {
		size_t n = next_cell(str_sub(text, at, text.len), &cell);
		if (used + cell > width)
			break;
		used += cell;
		at += n;
	}
	return str_sub(text, 0, at);
}

void
cells_cut(struct strbuf *out, struct str text, size_t width)
{
	if (cells_width(text) <= width) {
		strbuf_add(out, text);
		return;
	}
	if (width == 0)
		return;
	strbuf_add(out, cells_head(text, width - 1));
	strbuf_adds(out, "…");
}

void
cells_pad(struct strbuf *out, size_t from, size_t width)
{
	size_t have = cells_width(str_sub(strbuf_str(out), from, out->len));

	if (have < width)
		strbuf_pad(out, width - have, ' ');
}

struct str
cells_escape(struct arena *arena, struct str text)
{
	struct strbuf buf = {0};

	strbuf_add_escaped(&buf, text);
	text = arena_str(arena, strbuf_str(&buf));
	strbuf_release(&buf);
	return text;
}

void
cells_wrap(struct strbuf *out, struct str text, size_t at, size_t indent,
    size_t width)
{
	bool first = true;

	while (text.len > 0) {
		struct str rest, word = str_cut(text, ' ', &rest);
		size_t cells = cells_width(word);
		if (!first && at + 1 + cells > width) {
			strbuf_addc(out, '\n');
			strbuf_pad(out, indent, ' ');
			at = indent;
		} else if (!first) {
			strbuf_addc(out, ' ');
			at++;
		}
		strbuf_add(out, word);
		at += cells;
		first = false;
		text = rest;
	}
}
