/*
 * fields.h - lock and journal as tables: what is written, and how.
 *
 * A shape is a table of the members of one JSON object and where each lives
 * in a struct.  Writing and reading walk the same table, so they cannot
 * drift apart.  Zero values are not written and an absent member reads as
 * zero, unless it is marked ALWAYS; a member that no table knows is refused,
 * because rewriting the file would lose it.
 */
#ifndef LOCK_FIELDS_H
#define LOCK_FIELDS_H

#include "base/json.h"
#include "lock/journal.h"
#include "lock/lock.h"

enum field_type {
	FIELD_STR,	/* struct str */
	FIELD_INT,	/* int64_t */
	FIELD_BOOL,
	FIELD_PRICE,	/* int64_t micro-dollars, in dollars; -1 is absent */
	FIELD_TIME,	/* int64_t wall ms, as RFC 3339; seconds are kept */
	FIELD_ID,	/* struct id128 */
	FIELD_CHOICE,	/* an enum, by the names in choices */
	FIELD_STRS,	/* struct str *, its count at `count` */
	FIELD_ENV,	/* struct env_var *, its count at `count` */
	FIELD_OBJECT,	/* a struct of that shape */
	FIELD_LIST,	/* VEC_OF structs of that shape, each `size` bytes */
};

enum field_flag {
	FIELD_ALWAYS = 1,	/* written even when zero; must be there */
	FIELD_POD_ONLY = 2,	/* of an entry: when its kind is pod */
	FIELD_VOLUME_ONLY = 4,
	FIELD_RUNNER_ONLY = 8,
	FIELD_NOT_EMPTY = 16,	/* an object of `size` bytes, not written when
				   all of them are zero */
};

struct lock_field {
	struct str key;
	enum field_type type;
	unsigned flags;
	size_t offset, count, size;
	const struct lock_shape *shape;
	const char *const *choices;	/* by value of the enum; NULL ends */
};

struct lock_shape {
	const char *what;		/* "resource", for messages */
	const struct lock_field *fields;
	size_t n;
};

/* All of struct lock; without the checksum, which the file adds. */
extern const struct lock_shape lock_shape;
/* The records of a journal, by type. */
extern const struct lock_shape record_shapes[RECORD_FACT + 1];

/* Write the members of object (within braces that the caller writes). */
void fields_put(struct json_writer *w, const struct lock_shape *shape,
    const void *object);

/*
 * Read the members of value into object, which must be zero.  A failure is
 * remembered by the reader.  `extra` is one more key that is allowed and
 * skipped, or NULL.
 */
void fields_get(struct json_reader *reader, const struct lock_shape *shape,
    struct json_value value, void *object, const char *extra);

#endif
