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

/* What a text must look like beyond its type; one row per form. */
struct form {
	bool (*fits)(struct str value);
	const char *words;		/* "must be OWNER/NAME" */
	const char *pattern;		/* the same for a JSON Schema */
};

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;			/* FIELD_REQUIRED ... */
	enum effect effect;
	size_t offset;			/* into the struct of the kind */
	size_t size;			/* of the member */
	size_t count;			/* of lists: offset of the number */
	size_t place;			/* offset of the value's span; 0 none */
	size_t places;			/* of lists: offset of the pointer to
					   one span per item; 0 none */
	unsigned bit;			/* in pod_spec.set, plus one; 0 none */
	int64_t min, max;		/* numbers; lengths of text and lists */
	const char *const *choices;	/* NULL-terminated */
	enum field_type items;
	const struct field *fields;	/* ends with a NULL name */
	const char *fallback;		/* default, for people */
	const char *later;		/* set: accepted, but a plan that needs
					   it is refused with these words */
	const char *help;
	const char *example;
	const struct form *form;	/* of texts and of list items */
};

/*
 * REQUIRED must be given.  NO_REFS holds no `${...}` at all; every other
 * scalar may use env and var.  SECRETS and OUTPUTS allow those too, and the
 * member is then a struct text.  LINES allows more than one line.  UNIQUE
 * refuses an item that a list has already.
 */
enum { FIELD_REQUIRED = 1, FIELD_NO_REFS = 2, FIELD_OUTPUTS = 4,
	FIELD_SECRETS = 8, FIELD_LINES = 16, FIELD_UNIQUE = 32 };

extern const struct field top_fields[];		/* of a file */
extern const struct field pod_fields[];		/* indexed by enum pod_field */
extern const struct field volume_fields[], runner_fields[], tunnel_fields[];
extern const struct field settings_fields[], secret_fields[];
extern const struct field policy_fields[];	/* settings.policy, or a file */
extern const struct field defaults_fields[];

/* Set when a whole kind is only checked for now: words for the user. */
const char *kind_later(enum kind kind);

/* What `${KIND.NAME.OUTPUT}` may name; ends with a NULL name. */
struct output {
	const char *name;
	const char *help;
};
const struct output *kind_outputs(enum kind kind);

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
