/* yaml_problem.c - broken YAML, in words that help; see yaml.h */
#include <string.h>

#include "spec/codes.h"
#include "spec/yaml.h"

/* libyaml's words, and ours with a way out. */
static const struct {
	const char *theirs, *ours, *hint;
} problems[] = {
	{ "tab character that violates",
	  "a tab cannot be used for indentation", "use spaces" },
	{ "could not find expected ':'",
	  "this line is neither `key: value` nor part of a value",
	  "put a colon and a space after the key, or indent the line as far "
	  "as the text it belongs to" },
	{ "mapping values are not allowed",
	  "a colon where no key can be",
	  "put quotes around a value that holds `: `, and begin each key on "
	  "its own line" },
	{ "did not find expected key",
	  "a key was expected here",
	  "keys of one mapping begin in the same column" },
	{ "did not find expected '-' indicator",
	  "a list item was expected here",
	  "items of one list begin with `- ` in the same column" },
	{ "did not find expected ',' or ']'",
	  "a list in brackets is not closed: expected `,` or `]`", NULL },
	{ "did not find expected ',' or '}'",
	  "a mapping in braces is not closed: expected `,` or `}`", NULL },
	{ "block sequence entries are not allowed",
	  "a list item cannot begin here",
	  "put the list on the lines below its key" },
	{ "found unexpected end of stream",
	  "the file ends inside a quoted text", "close the quote" },
	{ "found unexpected document indicator",
	  "a document marker inside a quoted text", "close the quote" },
	{ "found unknown escape character",
	  "an unknown escape after a backslash",
	  "use single quotes where a backslash means itself" },
	{ "did not find expected comment or line break",
	  "a block text may be marked by `|`, `|-`, `|+`, `>`, `>-` or `>+`",
	  NULL },
	{ "found incompatible YAML document",
	  "only YAML 1.1 and 1.2 are understood", NULL },
	{ "did not find expected <document start>",
	  "text after the end of the document", NULL },
	{ "did not find expected node content",
	  "a value was expected here", NULL },
	{ "found a tab character where",
	  "a tab cannot be used for indentation", "use spaces" },
	{ "indentation indicator equal to 0",
	  "a block text cannot name its own indentation",
	  "write `|` or `>` without a number" },
	{ "did not find expected hexdecimal number",
	  "an escape after a backslash that is cut",
	  "it is \\xHH, \\uHHHH or \\UHHHHHHHH; in single quotes a backslash "
	  "means itself" },
	{ "found invalid Unicode character escape code",
	  "an escape after a backslash of what is no character", NULL },
	{ "mapping keys are not allowed",
	  "a key cannot begin here",
	  "begin each key on its own line, without `? `" },
	{ "found unexpected ':'", "a colon where no key can be",
	  "put quotes around a value that holds a colon" },
	{ "did not find expected alphabetic or numeric character",
	  "a value cannot begin with '&' or '*'", "put quotes around it" },
	{ "found duplicate %YAML directive", "%YAML is given twice", NULL },
	{ "found unknown directive name",
	  "an unknown % directive", NULL },
	{ "expected directive name", "an unknown % directive", NULL },
	{ "non-alphabetical character", "an unknown % directive", NULL },
	{ "version number", "%YAML is followed by 1.1 or 1.2", NULL },
	{ "did not find expected digit or '.' character",
	  "%YAML is followed by 1.1 or 1.2", NULL },
	{ "found undefined tag handle", "tags are not supported",
	  "remove what begins with `!`" },
	{ "did not find expected '!'", "tags are not supported",
	  "remove what begins with `!`" },
	{ "did not find expected tag URI", "tags are not supported",
	  "remove what begins with `!`" },
	{ "did not find the expected '>'", "tags are not supported",
	  "remove what begins with `!`" },
	{ "URI escaped octet", "tags are not supported",
	  "remove what begins with `!`" },
	{ "%TAG directive", "tags are not supported",
	  "remove what begins with `!`" },
};

/* Does a key of more than 1024 letters stand on the line of `at`? */
static bool
long_key_line(struct str text, size_t at)
{
	size_t from = at < text.len ? at : text.len;

	while (from > 0 && text.data[from - 1] != '\n')
		from--;
	struct str rest = str_sub(text, from, text.len), after;
	struct str line = str_cut(rest, '\n', &after);
	ptrdiff_t colon = str_find(line, ':');
	return colon > 1024;
}

/* Is `at` the colon of a key in braces that has more than 1024 letters? */
static bool
long_key_ends(struct str text, size_t at)
{
	size_t from = at;

	if (at >= text.len || text.data[at] != ':')
		return false;
	while (from > 0 && str_find(STR("\n{},"), text.data[from - 1]) < 0)
		from--;
	return at - from > 1024;
}

/* Is `at` on the same line as a quote that was closed just before it? */
static bool
follows_quote(struct str text, size_t at)
{
	if (at >= text.len || str_find(STR("\n#,:]}"), text.data[at]) >= 0)
		return false;
	while (at > 0 && text.data[at - 1] == ' ')
		at--;
	return at > 0 && (text.data[at - 1] == '"' ||
	    text.data[at - 1] == '\'');
}

/* Which line of the text is `at` in, and does a tab lead it? */
static bool
tab_leads(struct str text, size_t at)
{
	size_t from = at < text.len ? at : text.len;

	while (from > 0 && text.data[from - 1] != '\n')
		from--;
	while (from < text.len && text.data[from] == ' ')
		from++;
	return from < text.len && text.data[from] == '\t';
}

/* libyaml counts one line more where the last one has no end: the byte is
 * what is believed. */
static struct span
span_at_mark(struct yaml_reader *reader, yaml_mark_t mark)
{
	struct span span = yaml_span(reader->text, reader->source,
	    yaml_mark_span(reader, mark, mark).offset, 0);

	span.length = span.offset < reader->text.len &&
		reader->text.data[span.offset] != '\n' ? 1 : 0;
	return span;
}

static void
explain_problem(struct yaml_reader *reader, const yaml_parser_t *parser)
{
	struct span span = span_at_mark(reader, parser->problem_mark);
	const char *problem = parser->problem, *hint = NULL;
	const struct str text = reader->text;
	bool after_context = parser->context_mark.line > 0 ||
	    parser->context_mark.index > 0;
	size_t context = span_at_mark(reader, parser->context_mark).offset;

	if (problem == NULL)
		problem = "this is not YAML";
	/* A line without a colon is noticed only after it. */
	if (strstr(problem, "could not find expected ':'") != NULL &&
	    after_context)
		span = span_at_mark(reader, parser->context_mark);
	if (tab_leads(text, span.offset)) {
		problem = problems[0].ours;
		hint = problems[0].hint;
	} else if (long_key_line(text, span.offset) ||
	    long_key_ends(text, span.offset) ||
	    (after_context && long_key_line(text, context))) {
		problem = "a key may have at most 1024 letters";
	} else if (strstr(problem, "expected key") != NULL &&
	    follows_quote(text, span.offset)) {
		problem = "text after the end of a quoted text";
		hint = "put quotes around all of the value";
	} else if (strstr(problem, "<document start>") != NULL &&
	    !reader->ended) {
		problem = "a line `---` must come after the % directives";
	} else if (strstr(problem, "cannot start any token") != NULL) {
		diag_error(reader->diags, E_SYNTAX, span,
		    "a value cannot begin with '%c'",
		    span.offset < text.len ? text.data[span.offset] : '?');
		diag_hint(reader->diags, "put quotes around it");
		return;
	} else {
		for (size_t i = 0; i < COUNTOF(problems); i++) {
			if (strstr(problem, problems[i].theirs) == NULL)
				continue;
			problem = problems[i].ours;
			hint = problems[i].hint;
			break;
		}
	}
	diag_error(reader->diags, E_SYNTAX, span, "%s", problem);
	if (hint != NULL)
		diag_hint(reader->diags, "%s", hint);
	if (parser->context != NULL &&
	    parser->context_mark.line + 1 < span.line)
		diag_related(reader->diags,
		    span_at_mark(reader, parser->context_mark),
		    "it began here");
}

bool
yaml_fail(struct yaml_reader *reader)
{
	yaml_parser_t *parser = &reader->parser;

	reader->failed = true;
	if (parser->error == YAML_MEMORY_ERROR)
		fail_out_of_memory();
	if (parser->error == YAML_READER_ERROR) {
		/* These carry no mark: our own copy has the place. */
		size_t at = parser->problem_offset + reader->bom;
		if (at > reader->text.len)
			at = reader->text.len;
		diag_error(reader->diags, E_CHARACTER,
		    yaml_span(reader->text, reader->source, at, 1), "%s",
		    parser->problem);
	} else {
		explain_problem(reader, parser);
	}
	return false;
}
