/*
 * fields.h - every field a spec may have, once.
 *
 * One table per kind; from it come parsing, validation, the effect of a
 * change, the JSON Schema (`podform schema`), the reference (`podform
 * explain`, docs/reference.md) and completion.  Nested mappings are tables
 * of their own, named by `fields`.
 */
#ifndef SPEC_FIELDS_H
#define SPEC_FIELDS_H

#include "spec/spec.h"

enum field_type {
	FIELD_TEXT,		/* any one-line text */
	FIELD_NAME,		/* [a-z0-9][a-z0-9-]* */
	FIELD_INT, FIELD_BOOL, FIELD_CHOICE, FIELD_DURATION, FIELD_SIZE,
	FIELD_PRICE,
	FIELD_LIST,		/* of `items` */
	FIELD_ONE_OR_LIST,	/* a scalar stands for a list of one */
	FIELD_MAP,		/* of names to `items` */
	FIELD_STRUCT,		/* a mapping with `fields` */
	FIELD_STRUCT_LIST,	/* a list of such mappings */
	FIELD_PORT, FIELD_PATH, FIELD_VERSION,
};

/* What happens to a living pod when the field changes. */
enum effect {
	EFFECT_NONE,		/* only podform's own behaviour */
	EFFECT_IN_PLACE,
	EFFECT_RESTART,		/* in place, but resets the container */
	EFFECT_REPLACE,
};

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;			/* FIELD_REQUIRED ... */
	enum effect effect;
	size_t offset;			/* into the struct of the kind */
	int64_t min, max;		/* numbers; lengths of text and lists */
	const char *const *choices;	/* NULL-terminated */
	enum field_type items;
	const struct field *fields;	/* ends with a NULL name */
	const char *fallback;		/* default, for people */
	const char *later;		/* set: accepted, but a plan that needs
					   it is refused with these words */
	const char *help;
	const char *example;
};

enum { FIELD_REQUIRED = 1, FIELD_NO_REFS = 2, FIELD_OUTPUTS = 4,
	FIELD_SECRETS = 8 };

extern const struct field top_fields[];		/* of a file */
extern const struct field pod_fields[];		/* indexed by enum pod_field */
extern const struct field volume_fields[], runner_fields[], tunnel_fields[];
extern const struct field settings_fields[], secret_fields[];

const struct field *kind_fields(enum kind kind);
const char *effect_word(enum effect effect);	/* "in place", ... */

/* `podform explain`: NULL kind explains the kinds; path is `pod.gpu`. */
struct strbuf;
bool fields_explain(struct strbuf *out, struct str path, bool color,
    int width);
/* JSON Schema 2020-12 of a spec file. */
void fields_schema(struct strbuf *out);
/* docs/reference.md, whole. */
void fields_reference(struct strbuf *out);

#endif
