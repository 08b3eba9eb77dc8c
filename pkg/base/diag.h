/*
 * diag.h - what went wrong, where in the user's text, and what to do.
 *
 * A diagnostic has a severity, a stable code, a place (span), a message,
 * hints, related places and a chain of causes.  Report once, where most is
 * known; callers on the way up add only diag_while().  Messages are lower
 * case, without a full stop, and say first what failed.  Text from outside
 * may be put into a message as it is: printing escapes it.
 *
 * Everything lives in the arena of the diags.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "base/arena.h"
#include "base/str.h"
#include "base/strbuf.h"

/* A place in a source; source 0 is "no place". */
struct span {
	uint32_t source;	/* 1-based index into sources */
	uint32_t line;		/* from 1 */
	uint32_t column;	/* characters, from 1 */
	uint32_t offset;	/* bytes, from 0 */
	uint32_t length;	/* bytes; 0 points between characters */
};

struct source {
	struct str name;	/* as the user wrote it: specs/train.yaml */
	struct str text;
};

/* The texts that spans point into. */
struct sources {
	struct arena *arena;
	VEC_OF(struct source) list;
};

/* Register a text (borrowed for the life of sources); returns its index. */
uint32_t sources_add(struct sources *sources, struct str name,
    struct str text);
const struct source *sources_get(const struct sources *sources,
    uint32_t index);	/* NULL for 0 */

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct diag_note {
	struct span span;
	struct str text;
};

struct diag {
	enum severity severity;
	const char *code;			/* PF0103; see docs/errors */
	struct span span;
	struct str message;
	VEC_OF(struct str) hints;
	VEC_OF(struct diag_note) related;	/* "first given here" */
	VEC_OF(struct diag_note) causes;	/* "while reading pod 'x'" */
};

struct diags {
	struct arena *arena;
	const struct sources *sources;		/* may be NULL */
	VEC_OF(struct diag *) list;
	size_t errors, warnings;
	struct diag *last;			/* what hints go to */
};

#define NO_SPAN ((struct span){0})

/* Report.  The newest diagnostic takes the hints and causes that follow. */
void diag_error(struct diags *diags, const char *code, struct span span,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
void diag_warning(struct diags *diags, const char *code, struct span span,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* An error whose message ends in ": " and the words of errno value `error`,
 * which may be negative, as the seams give it. */
void diag_errno(struct diags *diags, const char *code, struct span span,
    int error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* To the newest diagnostic; without one they do nothing.  diag_while() is
 * given "reading pod 'x'" and prints "while reading pod 'x'". */
void diag_hint(struct diags *diags, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void diag_related(struct diags *diags, struct span span, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
void diag_while(struct diags *diags, struct span span, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/*
 * Append the diagnostic as people read it:
 *
 *	specs/pods.yaml:31:12: error: key is open to other users [PF0136]
 *	   31 |       key: id_ed25519
 *	      |            ^~~~~~~~~~
 *	   hint: chmod 600 id_ed25519
 *	   while reading tunnel 'notebook' (specs/pods.yaml:29:5)
 *
 * All text from outside is escaped; long lines are cut around the caret to
 * fit width columns (0: 80).
 */
struct diag_style {
	bool color;
	int width;
};
void diag_print(struct strbuf *out, const struct diags *diags,
    const struct diag *diag, struct diag_style style);
void diags_print(struct strbuf *out, const struct diags *diags,
    struct diag_style style);

/* "specs/train.yaml:14" or "specs/train.yaml:14:3"; empty for no place.  The
 * name is as it was given: escape it for a terminal. */
struct str span_place(struct arena *arena, const struct sources *sources,
    struct span span, bool with_column);

/* The line that a span begins on, without its line end. */
struct str span_line(const struct sources *sources, struct span span);

#endif
