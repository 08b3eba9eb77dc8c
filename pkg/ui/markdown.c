/* markdown.c - see markdown.h */
#include "ui/markdown.h"

#include <string.h>

static bool
is_word(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= '0' && byte <= '9');
}

/* The beginning of text that has at most max bytes, whole characters. */
static struct str
head_of(struct str text, size_t max, bool *cut)
{
	size_t len = max;

	*cut = max > 0 && text.len > max;
	if (!*cut)
		return text;
	while (len > 0 && ((unsigned char)text.data[len] & 0xc0) == 0x80)
		len--;
	return str_sub(text, 0, len);
}

/*
 * May the byte at i stand for itself?  `_` only within a word, where it is no
 * emphasis; `.` not behind a w, for www. becomes a link; `:` only at the end
 * of a word, where it begins neither a link nor a picture.
 */
static bool
is_harmless(struct str text, size_t i)
{
	char byte = text.data[i];

	if (byte == '_')
		return i > 0 && i + 1 < text.len &&
		    is_word(text.data[i - 1]) && is_word(text.data[i + 1]);
	if (byte == '.')
		return i == 0 || (text.data[i - 1] != 'w' &&
		    text.data[i - 1] != 'W');
	if (byte == ':')
		return i + 1 < text.len && text.data[i + 1] == ' ';
	return is_word(byte) || (byte & 0x80) != 0 ||
	    (byte != '\0' && strchr(" ^,+-/()=%'\";?", byte) != NULL);
}

static struct strbuf
escaped(struct str text, size_t max, bool *cut)
{
	struct strbuf buf = {0};

	strbuf_add_escaped(&buf, head_of(text, max, cut));
	return buf;
}

void
markdown_add(struct strbuf *out, struct str text, size_t max)
{
	bool cut;
	struct strbuf buf = escaped(text, max, &cut);

	for (size_t i = 0; i < buf.len; i++) {
		char byte = buf.data[i];
		if (is_harmless(strbuf_str(&buf), i))
			strbuf_addc(out, byte);
		else
			strbuf_addf(out, "&#%d;", byte);
		/* Two nodes of text are neither a name nor a number. */
		if (byte == '@' || byte == '#')
			strbuf_adds(out, "<!-- -->");
	}
	if (cut)
		strbuf_adds(out, "…");
	strbuf_release(&buf);
}

void
markdown_add_code(struct strbuf *out, struct str text, size_t max)
{
	strbuf_adds(out, "<code>");
	markdown_add(out, text, max);
	strbuf_adds(out, "</code>");
}

void
markdown_add_label(struct strbuf *out, struct str text, size_t max)
{
	bool cut;
	struct strbuf buf = escaped(text, max, &cut);

	for (size_t i = 0; i < buf.len; i++) {
		char byte = buf.data[i];
		if (is_word(byte) || (byte & 0x80) != 0 ||
		    strchr(" .-_/", byte) != NULL)
			strbuf_addc(out, byte);
		else
			strbuf_addf(out, "#%d;", byte);
	}
	if (cut)
		strbuf_adds(out, "…");
	strbuf_release(&buf);
}

/* Does a command of a workflow begin at i?  Blanks before `::` do not help;
 * `##[` is one anywhere. */
static bool
begins_command(struct str line, size_t i)
{
	if (str_starts(str_sub(line, i, 3), STR("##[")))
		return true;
	return str_starts(str_sub(line, i, 2), STR("::")) &&
	    str_trim(str_sub(line, 0, i)).len == 0;
}

void
markdown_add_line(struct strbuf *out, struct str line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (!begins_command(line, i)) {
			strbuf_addc(out, line.data[i]);
		} else if (line.data[i] == ':') {
			strbuf_adds(out, "\\x3a");
		} else {
			strbuf_adds(out, "##\\x5b");
			i += 2;
		}
	}
	strbuf_addc(out, '\n');
}

static size_t
longest_run(struct str text, char byte)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < text.len; i++) {
		run = text.data[i] == byte ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

void
markdown_add_fence(struct strbuf *out, const char *language, struct str body)
{
	size_t run = longest_run(body, '`');
	size_t n = run < 3 ? 3 : run + 1;

	strbuf_pad(out, n, '`');
	strbuf_addf(out, "%s\n", language);
	strbuf_add(out, body);
	strbuf_pad(out, n, '`');
	strbuf_addc(out, '\n');
}

void
markdown_add_name(struct strbuf *out, struct str name)
{
	enum { NAME_MAX_BYTES = 100 };

	name = str_sub(name, 0, NAME_MAX_BYTES);
	for (size_t i = 0; i < name.len; i++) {
		char byte = name.data[i];
		strbuf_addc(out, is_word(byte) || byte == '.' ||
		    byte == '-' ? byte : '_');
	}
}
