/* yaml.c - see yaml.h */
#include "spec/yaml.h"

#include <assert.h>
#include <string.h>

#include "spec/codes.h"

/* ------------------------------------------------------------ places ---- */

/*
 * The byte offset of libyaml's mark, whose index counts characters.  Marks
 * mostly move forward, so walking from the last one is linear over a file.
 */
static size_t
offset_of(struct yaml_reader *reader, size_t index)
{
	size_t at = reader->at_offset, i = reader->at_index;

	if (reader->ascii)
		return index < reader->text.len ? index : reader->text.len;
	while (i < index && at < reader->text.len) {
		at++;
		while (at < reader->text.len &&
		    ((unsigned char)reader->text.data[at] & 0xc0) == 0x80)
			at++;
		i++;
	}
	while (i > index && at > reader->bom) {
		at--;
		while (((unsigned char)reader->text.data[at] & 0xc0) == 0x80)
			at--;
		i--;
	}
	reader->at_offset = at;
	reader->at_index = i;
	return at;
}

struct span
yaml_mark_span(struct yaml_reader *reader, yaml_mark_t start, yaml_mark_t end)
{
	size_t from = offset_of(reader, start.index);
	size_t to = offset_of(reader, end.index);
	return (struct span){
		.source = reader->source,
		.line = (uint32_t)start.line + 1,
		.column = (uint32_t)start.column + 1,
		.offset = (uint32_t)from,
		.length = to > from ? (uint32_t)(to - from) : 0,
	};
}

struct span
yaml_span(struct str text, uint32_t source, size_t from, size_t length)
{
	struct span span = { source, 1, 1, (uint32_t)from, (uint32_t)length };
	size_t at = 0;

	if (str_starts(text, STR("\xef\xbb\xbf")) && from >= 3)
		at = 3;
	for (; at < from && at < text.len; at++) {
		unsigned char byte = (unsigned char)text.data[at];
		bool pair = byte == '\r' && at + 1 < text.len &&
		    text.data[at + 1] == '\n';
		if (byte == '\n' || (byte == '\r' && !pair)) {
			span.line++;
			span.column = 1;
		} else if ((byte & 0xc0) != 0x80 && !pair) {
			span.column++;
		}
	}
	return span;
}

/* -------------------------------------------------------- characters ---- */

const char *
yaml_forbidden(uint32_t code)
{
	if (code == 0)
		return "a NUL byte";
	if (code == '\t' || code == '\n')
		return NULL;
	if (code == '\r')
		return "a carriage return";
	if (code == 0x1b)
		return "an escape character";
	if (code < 0x20 || code == 0x7f)
		return "a control character";
	if (code < 0x80)
		return NULL;
	if (code == 0x85)
		return "a line break that is not seen";
	if (code < 0xa0)
		return "a control character";
	if (code == 0x2028)
		return "a line separator that is not seen";
	if (code == 0x2029)
		return "a paragraph separator that is not seen";
	if (code == 0xfeff)
		return "a byte order mark that is not at its start";
	if (code == 0x61c || code == 0x200e || code == 0x200f ||
	    (code >= 0x202a && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069))
		return "a control for the direction of text";
	if (code == 0xfffe || code == 0xffff)
		return "a code that is no character";
	return NULL;
}

/* Where a text may be cut so that at most `max` bytes are left of it. */
static size_t
cut_at(struct str text, size_t max)
{
	size_t at = max < text.len ? max : text.len;

	while (at > 0 && at < text.len &&
	    ((unsigned char)text.data[at] & 0xc0) == 0x80)
		at--;
	return at;
}

struct str
yaml_shown(const struct diags *diags, struct str value, size_t max)
{
	size_t len = cut_at(value, max);
	struct str shown = str_sub(value, 0, len);

	/* A message is made by printf, for which a NUL ends a text. */
	if (str_find(shown, '\0') < 0)
		return shown;
	char *text = ARENA_ARRAY(diags->arena, char, 4 * len);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (shown.data[i] != '\0') {
			text[n++] = shown.data[i];
			continue;
		}
		memcpy(text + n, "\\x00", 4);
		n += 4;
	}
	return (struct str){ text, n };
}

struct str
yaml_brief(const struct diags *diags, struct str name)
{
	if (name.len <= 60)
		return yaml_shown(diags, name, 60);
	return arena_printf(diags->arena, STR_FMT "...",
	    STR_ARG(yaml_shown(diags, name, 57)));
}

/* Eight bytes at once: all from space to tilde? */
static bool
eight_plain(const char *bytes)
{
	const uint64_t ones = 0x0101010101010101, high = ones * 0x80;
	uint64_t word;

	memcpy(&word, bytes, sizeof word);
	/* Above 0x7e, adding 1 sets the high bit; below 0x20, taking 0x20
	 * does.  What a neighbour carries in can only look worse. */
	return ((word | (word + ones) | (word - ones * 0x20)) & high) == 0;
}

bool
yaml_is_plain_ascii(struct str value)
{
	size_t at = 0;

	for (; at + 8 <= value.len; at += 8)
		if (!eight_plain(value.data + at))
			return false;
	for (; at < value.len; at++)
		if (value.data[at] < 0x20 || value.data[at] >= 0x7f)
			return false;
	return true;
}

ptrdiff_t
yaml_find_forbidden(struct str value, uint32_t *code)
{
	for (size_t at = 0; at < value.len; ) {
		if (value.data[at] >= 0x20 && value.data[at] < 0x7f) {
			at++;
			continue;
		}
		size_t n = utf8_decode(str_sub(value, at, 4), code);
		if (n == 0 || yaml_forbidden(*code) != NULL)
			return (ptrdiff_t)at;
		at += n;
	}
	return -1;
}

static bool
refuse_character(struct yaml_reader *reader, size_t at, size_t length,
    uint32_t code)
{
	struct span span = yaml_span(reader->text, reader->source, at, length);

	if (length == 0) {
		span.length = 1;
		diag_error(reader->diags, E_CHARACTER, span,
		    "byte 0x%02x is not UTF-8",
		    (unsigned char)reader->text.data[at]);
		diag_hint(reader->diags, "save the file as UTF-8");
	} else if (code == '\r') {
		diag_error(reader->diags, E_CHARACTER, span,
		    "a carriage return without a line feed");
		diag_hint(reader->diags,
		    "save the file with LF or CRLF line ends");
	} else {
		diag_error(reader->diags, E_CHARACTER, span,
		    "the file holds %s (U+%04X)", yaml_forbidden(code), code);
		diag_hint(reader->diags, "remove it: it can make the text "
		    "mean something else than what is seen");
	}
	return false;
}

/*
 * "UTF-16" or "UTF-32", told by a mark or by the zero bytes that ASCII has
 * in them; NULL for neither.
 */
static const char *
wide_encoding(struct str text)
{
	unsigned zeros = 0;	/* which of the first four bytes are zero */

	for (size_t i = 0; i < 4 && i < text.len; i++)
		zeros |= (unsigned)(text.data[i] == '\0') << i;
	if (str_starts(text, STR("\xff\xfe\0\0")) ||
	    str_starts(text, STR("\0\0\xfe\xff")) ||
	    zeros == 0xe || zeros == 0x7)
		return "UTF-32";
	if (str_starts(text, STR("\xff\xfe")) ||
	    str_starts(text, STR("\xfe\xff")) ||
	    zeros == 0xa || zeros == 0x5)
		return "UTF-16";
	return NULL;
}

/* The whole text, once, before libyaml sees it. */
static bool
scan(struct yaml_reader *reader)
{
	const struct str text = reader->text;
	size_t at = 0;

	reader->ascii = true;
	const char *wide = wide_encoding(text);
	if (wide != NULL) {
		diag_error(reader->diags, E_CHARACTER,
		    (struct span){ reader->source, 1, 1, 0, 0 },
		    "the file is %s; a spec is UTF-8", wide);
		diag_hint(reader->diags, "save the file as UTF-8");
		return false;
	}
	if (str_starts(text, STR("\xef\xbb\xbf"))) {
		reader->bom = at = 3;
		reader->ascii = false;
	}
	while (at < text.len) {
		if (at + 8 <= text.len && eight_plain(text.data + at)) {
			at += 8;
			continue;
		}
		unsigned char byte = (unsigned char)text.data[at];
		if ((byte >= 0x20 && byte < 0x7f) || byte == '\n' ||
		    byte == '\t') {
			at++;
			continue;
		}
		if (byte == '\r' && at + 1 < text.len &&
		    text.data[at + 1] == '\n') {
			at++;
			continue;
		}
		uint32_t code = 0;
		size_t n = utf8_decode(str_sub(text, at, 4), &code);
		if (n == 0 || yaml_forbidden(code) != NULL)
			return refuse_character(reader, at, n, code);
		reader->ascii = false;
		at += n;
	}
	reader->at_offset = reader->bom;
	return true;
}

bool
yaml_open(struct yaml_reader *reader, struct arena *arena,
    struct diags *diags, uint32_t source, struct str text)
{
	*reader = (struct yaml_reader){ .arena = arena, .diags = diags,
		.source = source, .text = text };
	reader->failed = !scan(reader);
	if (!yaml_parser_initialize(&reader->parser))
		fail_out_of_memory();
	reader->started = true;
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	/* libyaml does not pass over the mark when the encoding is set. */
	struct str rest = str_sub(text, reader->bom, text.len);
	yaml_parser_set_input_string(&reader->parser,
	    rest.len > 0 ? (const unsigned char *)rest.data
			 : (const unsigned char *)"", rest.len);
	return !reader->failed;
}

void
yaml_close(struct yaml_reader *reader)
{
	if (reader->started)
		yaml_parser_delete(&reader->parser);
	reader->started = false;
}

/* ------------------------------------------------------------- nodes ---- */

enum feature {
	FEATURE_ANCHOR = 1, FEATURE_ALIAS = 2, FEATURE_TAG = 4,
	FEATURE_INDENT = 8,
};

/* Refuse a feature, the first time in a file. */
static void
refuse(struct yaml_reader *reader, struct node *node, enum feature feature,
    const char *words, const char *hint)
{
	node->refused = true;
	if (reader->told & feature)
		return;
	reader->told |= feature;
	struct span span = node->span;
	if (span.length == 0)
		span.length = 1;
	diag_error(reader->diags, E_FEATURE, span, "%s", words);
	diag_hint(reader->diags, "%s", hint);
}

static void
refuse_marks(struct yaml_reader *reader, struct node *node,
    const unsigned char *anchor, const unsigned char *tag)
{
	if (anchor != NULL)
		refuse(reader, node, FEATURE_ANCHOR,
		    "anchors are not supported",
		    "write the value where it is used, or put what all pods "
		    "share under defaults.pod");
	if (tag != NULL)
		refuse(reader, node, FEATURE_TAG, "tags are not supported",
		    "remove what begins with `!`");
}

static void
take_scalar(struct yaml_reader *reader, const yaml_event_t *event,
    struct node *node)
{
	const struct str text = reader->text;
	struct str value = { (const char *)event->data.scalar.value,
		event->data.scalar.length };
	yaml_scalar_style_t style = event->data.scalar.style;
	size_t skip = style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
		style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	size_t at = node->span.offset + skip;

	node->type = NODE_SCALAR;
	node->plain = style == YAML_PLAIN_SCALAR_STYLE;
	if (event->data.scalar.anchor != NULL ||
	    event->data.scalar.tag != NULL) {
		refuse_marks(reader, node, event->data.scalar.anchor,
		    event->data.scalar.tag);
	}
	/* On one line and without quotes it is in the text as it stands. */
	bool same = node->plain && node->span.length == value.len &&
	    event->start_mark.line == event->end_mark.line;
	if (value.len == 0)
		node->value = STR("");
	else if (same || (at + value.len <= text.len &&
	    memcmp(text.data + at, value.data, value.len) == 0))
		node->value = (struct str){ text.data + at, value.len };
	else
		node->value = arena_str(reader->arena, value);
	if ((style == YAML_LITERAL_SCALAR_STYLE ||
	    style == YAML_FOLDED_SCALAR_STYLE)) {
		struct str rest, head = str_cut(str_sub(text,
		    node->span.offset, 4), '\n', &rest);
		for (size_t i = 1; i < head.len && i < 3; i++)
			if (head.data[i] >= '0' && head.data[i] <= '9')
				refuse(reader, node, FEATURE_INDENT,
				    "a block text cannot name its own "
				    "indentation",
				    "write `|` or `>` without a number");
	}
}

static bool
go_down(struct yaml_reader *reader, const struct node *node)
{
	if (++reader->depth <= YAML_DEPTH_MAX)
		return true;
	reader->failed = true;
	struct span span = node->span;
	if (span.length == 0)
		span.length = 1;
	diag_error(reader->diags, E_DEPTH, span,
	    "nested more than %d levels deep", YAML_DEPTH_MAX);
	return false;
}

/* A collection begins; its span is where its first character is. */
static bool
take_start(struct yaml_reader *reader, struct node *node, bool flow,
    const unsigned char *anchor, const unsigned char *tag)
{
	node->flow = flow;
	if (!flow)
		node->span.length = 0;
	if (anchor != NULL || tag != NULL)
		refuse_marks(reader, node, anchor, tag);
	return go_down(reader, node);
}

/*
 * After the only document: nothing may follow but its end.  A broken second
 * document is a second document all the same.
 */
static bool
finish(struct yaml_reader *reader)
{
	yaml_event_t event;

	reader->ended = true;
	if (!yaml_parser_parse(&reader->parser, &event))
		return yaml_fail(reader);
	bool more = event.type == YAML_DOCUMENT_START_EVENT;
	if (more) {
		struct span span = yaml_mark_span(reader, event.start_mark,
		    event.end_mark);
		reader->failed = true;
		diag_error(reader->diags, E_FEATURE, span,
		    "a second document begins; a file is one document");
		diag_hint(reader->diags, "remove the `---`, or put the rest "
		    "into a file of its own");
	}
	yaml_event_delete(&event);
	return !more;
}

/* Turn an event into a node.  *again for events that are none. */
static bool
take_event(struct yaml_reader *reader, const yaml_event_t *event,
    struct node *node, bool *again)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		take_scalar(reader, event, node);
		reader->any |= node->value.len > 0 || !node->plain;
		return true;
	case YAML_MAPPING_START_EVENT:
		node->type = NODE_MAP;
		reader->any = true;
		return take_start(reader, node,
		    event->data.mapping_start.style ==
			YAML_FLOW_MAPPING_STYLE,
		    event->data.mapping_start.anchor,
		    event->data.mapping_start.tag);
	case YAML_SEQUENCE_START_EVENT:
		node->type = NODE_LIST;
		reader->any = true;
		return take_start(reader, node,
		    event->data.sequence_start.style ==
			YAML_FLOW_SEQUENCE_STYLE,
		    event->data.sequence_start.anchor,
		    event->data.sequence_start.tag);
	case YAML_MAPPING_END_EVENT:
		node->type = NODE_MAP_END;
		reader->depth--;
		return true;
	case YAML_SEQUENCE_END_EVENT:
		node->type = NODE_LIST_END;
		reader->depth--;
		return true;
	case YAML_ALIAS_EVENT:
		node->type = NODE_SCALAR;
		node->value = STR("");
		reader->any = true;
		refuse(reader, node, FEATURE_ALIAS,
		    "aliases are not supported",
		    "write the value where it is used");
		return true;
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT:
		node->type = NODE_END;
		if (event->type == YAML_DOCUMENT_END_EVENT)
			return finish(reader);
		reader->ended = true;
		return true;
	case YAML_DOCUMENT_START_EVENT:
		if (event->data.document_start.tag_directives.start !=
		    event->data.document_start.tag_directives.end)
			refuse_marks(reader, node, NULL,
			    (const unsigned char *)"");
		*again = true;
		return true;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
		*again = true;
		return true;
	}
	assert(false && "an event that libyaml does not have");
	return false;
}

bool
yaml_next(struct yaml_reader *reader, struct node *node)
{
	bool ok, again;

	if (reader->failed)
		return false;
	*node = (struct node){ .type = NODE_END };
	if (reader->ended)
		return true;
	do {
		yaml_event_t event;
		again = false;
		if (!yaml_parser_parse(&reader->parser, &event))
			return yaml_fail(reader);
		node->span = yaml_mark_span(reader, event.start_mark, event.end_mark);
		reader->end_line = node->span.line;
		reader->end_offset = node->span.offset + node->span.length;
		ok = take_event(reader, &event, node, &again);
		yaml_event_delete(&event);
	} while (ok && again);
	return ok && !reader->failed;
}

bool
yaml_skip(struct yaml_reader *reader, const struct node *first)
{
	struct node node = *first;
	unsigned open = 0;

	for (;;) {
		if (node.type == NODE_MAP || node.type == NODE_LIST)
			open++;
		else if (node.type == NODE_MAP_END ||
		    node.type == NODE_LIST_END)
			open--;
		if (open == 0 || node.type == NODE_END)
			return true;
		if (!yaml_next(reader, &node))
			return false;
	}
}
