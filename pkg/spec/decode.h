/*
 * decode.h - from YAML nodes to structs, by the field tables.
 *
 * The decoder reads a mapping straight into the caller's struct: each field
 * of the table says where its value goes, what it may be and where its
 * place is kept.  There is no tree in between.  Every mistake is reported
 * and the rest is read on; only broken YAML ends a file.
 */
#ifndef SPEC_DECODE_H
#define SPEC_DECODE_H

#include "spec/refs.h"
#include "spec/tables.h"
#include "spec/yaml.h"

struct decoder;

/* Reads one entry of a section: the value of `name` under `section`. */
typedef bool section_fn(void *ctx, struct decoder *decoder,
    const struct field *section, const struct node *name);

struct decoder {
	struct arena *arena;
	struct arena *scratch;		/* dies when loading is done */
	struct diags *diags;
	struct yaml_reader *reader;
	struct refs *refs;
	struct pod_spec *defaults;	/* where defaults.pod goes */
	section_fn *section;		/* for maps of structs */
	void *ctx;
};

/*
 * Read the mapping that begins with `first` into base; `what` and `name`
 * call it in messages: pod 'trainer', or only `what` without a name.  `set`
 * collects the bits of the fields given (NULL: none are kept).  Missing
 * required fields are reported at `place` if required.  False only when the
 * file cannot be read on.
 */
struct mapping {
	const struct field *fields;
	void *base;
	uint64_t *set;
	const char *what;
	struct str name;
	struct span place;
	bool required;
};
bool decode_mapping(struct decoder *decoder, const struct node *first,
    const struct mapping *mapping);

/* "pod 'trainer'": what the mapping is called in messages. */
const char *decode_words(struct decoder *decoder,
    const struct mapping *mapping);

/* The field of that name or NULL.  *hint, 0 at first, is kept between calls
 * for one mapping: keys mostly come in the order of the table. */
const struct field *decode_find(const struct field *fields, struct str name,
    size_t *hint);

/* Report a key that is no field, with what may have been meant and where it
 * would be legal; returns the field that was probably meant, or NULL. */
const struct field *decode_unknown(struct decoder *decoder,
    const struct mapping *mapping, const struct node *key);

/* Report a key that is there already, since `first`. */
void decode_duplicate(struct decoder *decoder, const struct node *key,
    struct span first);

/* Store the default of every field that has one; for loaders and tests. */
void decode_fallbacks(struct decoder *decoder, const struct field *fields,
    void *base);

/* Read `text`, the value of a scalar field given by `node`, into base. */
bool decode_scalar(struct decoder *decoder, const struct field *field,
    const struct node *node, void *base);

/*
 * Is text this word?  As str_is(), but words of the tables are short and
 * mostly differ in their first letter, and it is asked for every key.
 */
static inline bool
is_word(struct str text, const char *word)
{
	size_t i = 0;

	while (i < text.len && word[i] == text.data[i] && word[i] != '\0')
		i++;
	return i == text.len && word[i] == '\0';
}

/* "a whole number from 1 to 10", for messages and the reference. */
struct str field_words(struct arena *arena, const struct field *field,
    enum field_type type);

#endif
