/*
 * yaml.h - a YAML file as a stream of nodes with their places.
 *
 * libyaml's events, made safe: never its document loader.  Before the first
 * node the whole text is scanned, so that bytes that are not UTF-8 or that
 * would not be seen on a screen are refused with their true place.  While
 * reading, nesting stops at YAML_DEPTH_MAX, and what the spec language does
 * not have (anchors, aliases, tags, merge keys, several documents) is
 * refused where it stands.  All scalars are text; the field tables say what
 * they mean.
 *
 * The text is borrowed and must outlive every node value: a value that is
 * in the text as it stands points into it, others are copied to the arena.
 */
#ifndef SPEC_YAML_H
#define SPEC_YAML_H

#include <yaml.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/str.h"

enum { YAML_DEPTH_MAX = 32 };
enum { ERRORS_MAX = 100 };	/* of all files; then reading stops */

enum node_type {
	NODE_END,		/* of the document */
	NODE_SCALAR,
	NODE_MAP, NODE_MAP_END,
	NODE_LIST, NODE_LIST_END,
};

struct node {
	enum node_type type;
	struct str value;	/* of a scalar */
	struct span span;	/* block collections: their first character,
				   length 0 */
	bool plain;		/* a scalar without quotes */
	bool flow;		/* a collection in brackets or braces */
	bool refused;		/* reported; to be passed over in silence */
};

struct yaml_reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct diags *diags;
	struct str text;
	uint32_t source;
	size_t bom;		/* bytes of the byte order mark: 0 or 3 */
	bool ascii;		/* one byte per character throughout */
	size_t at_index, at_offset;	/* a character and its byte */
	uint32_t end_line, end_offset;	/* of the last node */
	unsigned depth;
	unsigned told;		/* features refused already, as bits */
	bool started, ended, failed;
	bool any;		/* the document holds something */
};

/*
 * Begin to read source number `source` of diags->sources, whose text is
 * given.  False when the scan refused it; yaml_close() is due either way.
 */
bool yaml_open(struct yaml_reader *reader, struct arena *arena,
    struct diags *diags, uint32_t source, struct str text);
void yaml_close(struct yaml_reader *reader);

/* The next node; false after an error was reported, and from then on. */
bool yaml_next(struct yaml_reader *reader, struct node *node);

/* Pass over the rest of a value whose first node was given. */
bool yaml_skip(struct yaml_reader *reader, const struct node *first);

/* The span between two marks of libyaml. */
struct span yaml_mark_span(struct yaml_reader *reader, yaml_mark_t start,
    yaml_mark_t end);

/* Report libyaml's own error, in our words and at its true place: false. */
bool yaml_fail(struct yaml_reader *reader);

/* The span from byte `from` for `length` bytes of text. */
struct span yaml_span(struct str text, uint32_t source, size_t from,
    size_t length);

/*
 * Is this a character that a file may not hold, and a value only as `\n` or
 * `\t`?  Says which in words, else NULL.
 */
const char *yaml_forbidden(uint32_t code);

/* Only from space to tilde?  Then nothing about it is forbidden. */
bool yaml_is_plain_ascii(struct str value);

/* The first forbidden character of a value, or -1. */
ptrdiff_t yaml_find_forbidden(struct str value, uint32_t *code);

/*
 * A text from the file as a message shows it: cut after a whole letter to at
 * most `max` bytes, and a NUL, at which the message would end, as `\x00`.
 * Borrows from value, or is in the arena of the diagnostics.
 */
struct str yaml_shown(const struct diags *diags, struct str value,
    size_t max);
/* The same of a name: whole, or with "..." in place of what follows. */
struct str yaml_brief(const struct diags *diags, struct str name);

#endif
