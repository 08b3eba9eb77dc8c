/*
 * shape.h - what a request body may look like.
 *
 * A shape is a table of members, as in RunPod's published description of
 * its API: types, limits, what is required, and that nothing else is
 * allowed.  shape_check() finds every mistake and words it as the service
 * does ("$: additional properties 'x' not allowed").
 */
#ifndef MODEL_SHAPE_H
#define MODEL_SHAPE_H

#include "base/arena.h"
#include "base/str.h"

struct json_object;
struct shape;

enum shape_type {
	SHAPE_STRING, SHAPE_INTEGER, SHAPE_BOOLEAN, SHAPE_STRINGS, SHAPE_MAP,
	SHAPE_OBJECT, SHAPE_OBJECTS,
};

struct shape_member {
	const char *name;
	enum shape_type type;
	bool required, nullable;
	int64_t min, max;	/* of an integer; letters of a string; 0: none */
	const char *const *words;	/* allowed strings, NULL-terminated */
	bool (*pattern)(struct str text);	/* of each string */
	const char *pattern_name;
	const struct shape *shape;	/* of objects */
	size_t max_items;		/* 0: no limit */
};

struct shape {
	const struct shape_member *members;
	size_t n;
	bool not_empty;			/* at least one member */
};

struct problems { struct arena *arena; VEC_OF(struct str) list; };

void shape_check(struct problems *problems, const struct shape *shape,
    struct json_object *value);

bool shape_is_cuda(struct str text);		/* 12.4 */
bool shape_is_ssh_key(struct str text);

#endif
