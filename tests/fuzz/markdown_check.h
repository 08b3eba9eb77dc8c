/*
 * markdown_check.h - does a text stay within what plan_markdown() itself
 * writes?  Written by the rules of GitHub's Markdown, not by the code that is
 * tested; for the unit test and the fuzz target.
 */
#ifndef TESTS_FUZZ_MARKDOWN_CHECK_H
#define TESTS_FUZZ_MARKDOWN_CHECK_H

#include <string.h>

#include "base/arena.h"
#include "base/str.h"

/* The tags that are ours; <details> and <summary> open what they close. */
static const char *const markdown_tags[] = { "<code>", "</code>", "<sub>",
	"</sub>", "<strong>", "</strong>", "<details><summary>", "</summary>",
	"</details>", "<!-- -->" };

static inline size_t
markdown_tag(struct str rest)
{
	for (size_t i = 0; i < COUNTOF(markdown_tags); i++)
		if (str_starts(rest, str_from(markdown_tags[i])))
			return strlen(markdown_tags[i]);
	return 0;
}

/* "&#64;" and nothing else begins with an ampersand. */
static inline bool
markdown_reference(struct str rest)
{
	size_t i = 2;

	if (!str_starts(rest, STR("&#")))
		return false;
	while (i < rest.len && rest.data[i] >= '0' && rest.data[i] <= '9')
		i++;
	return i > 2 && i < 6 && i < rest.len && rest.data[i] == ';';
}

/* Does the colon at i begin a link or a picture? */
static inline bool
markdown_colon(struct str line, size_t i)
{
	char next = i + 1 < line.len ? line.data[i + 1] : 'x';
	bool time = str_starts(line, STR("<sub>")) && next >= '0' &&
	    next <= '9' && line.data[i - 1] >= '0' && line.data[i - 1] <= '9';

	return next != ' ' && !time && !str_starts(line, STR("|:-:|"));
}

/* A line outside of fences: what is wrong with it, or NULL. */
static inline const char *
markdown_line(struct str line, int *depth)
{
	size_t pipes = 0, marks = 0;

	if (str_starts(line, STR("<details>")))
		++*depth;
	if (str_is(line, "</details>"))
		--*depth;
	if (*depth < 0 || *depth > 1)
		return "details that do not nest";
	for (size_t i = 0; i < line.len; i++) {
		struct str rest = str_sub(line, i, line.len);
		char byte = line.data[i];
		if (byte == '<' && markdown_tag(rest) == 0)
			return "a tag that is not ours";
		if (byte == '<')
			i += markdown_tag(rest) - 1;
		else if (byte == '&' && !markdown_reference(rest))
			return "an ampersand";
		else if (byte == '&')
			i += (size_t)str_find(rest, ';');
		else if (byte == '>' && i > 0)
			return "a bracket";
		else if (byte != '\0' && strchr("`\\@$", byte) != NULL &&
		    !(byte == '$' && i + 1 < line.len &&
		    line.data[i + 1] >= '0' && line.data[i + 1] <= '9'))
			return "a mark that means something";
		else if (byte == '[' && !str_is(line, "> [!WARNING]"))
			return "a bracket";
		else if (byte == '#' && !str_starts(line, STR("### podform")) &&
		    !str_starts(line, STR("#### ")))
			return "a number sign";
		else if (byte == '!' && !str_is(line, "> [!WARNING]"))
			return "an exclamation mark";
		else if (byte == ':' && markdown_colon(line, i))
			return "a colon";
		pipes += byte == '|';
		marks += byte == '*' && i + 1 < line.len &&
		    line.data[i + 1] == '*';
	}
	if (str_search_fold(line, STR("www.")) >= 0)
		return "a link";
	if (marks % 2 != 0)
		return "emphasis that does not end";
	if (pipes != 0 && (pipes != 6 || line.data[0] != '|'))
		return "a row with other cells";
	return NULL;
}

/* A line within a fence: what a workflow would obey, or NULL. */
static inline const char *
markdown_fenced(struct str line, bool mermaid)
{
	size_t quotes = 0;

	for (size_t i = 0; mermaid && i < line.len; i++)
		quotes += line.data[i] == '"';
	if (mermaid && quotes != 0 && quotes != 2)
		return "a label that ends early";
	return NULL;
}

/* What is wrong with the whole, or NULL; *at is the line. */
static inline const char *
markdown_wrong(struct str text, struct str *at)
{
	size_t fence = 0;
	bool mermaid = false;
	int depth = 0, nfirst = 0;

	while (text.len > 0) {
		struct str line = str_cut(text, '\n', &text);
		const char *wrong = NULL;
		size_t ticks = 0;
		*at = line;
		while (ticks < line.len && line.data[ticks] == '`')
			ticks++;
		if (str_starts(str_trim(line), STR("::")) ||
		    str_search(line, STR("##[")) >= 0)
			return "a command of a workflow";
		if (nfirst++ == 0) {
			if (!str_starts(line, STR("<!-- podform:plan:")) ||
			    str_search(line, STR("-->")) !=
			    (ptrdiff_t)line.len - 3)
				return "the marker";
		} else if (fence > 0 && ticks >= fence) {
			if (ticks != line.len)
				return "a fence that ends early";
			fence = 0;
		} else if (fence > 0) {
			wrong = markdown_fenced(line, mermaid);
		} else if (ticks >= 3) {
			fence = ticks;
			mermaid = str_ends(line, STR("mermaid"));
			if (!mermaid && !str_ends(line, STR("diff")))
				return "a fence that is not ours";
		} else {
			wrong = markdown_line(line, &depth);
		}
		if (wrong != NULL)
			return wrong;
	}
	if (fence > 0 || depth != 0)
		return "something that does not end";
	return NULL;
}

#endif
