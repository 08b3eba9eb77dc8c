/*
 * graphql_parse.h - GraphQL documents as a tree.
 *
 * Reads the executable part of the language (specification of October 2021,
 * section 2): operations with variables, defaults and directives; fields
 * with aliases, arguments and nested selections; fragments, named and
 * inline; all literals, block strings too.  Type definitions are not read:
 * nobody sends them.
 *
 * The tree is in the arena; texts borrow the document's bytes except
 * strings, which are decoded into the arena.  Nothing is checked against a
 * schema here.
 */
#ifndef MODEL_GRAPHQL_PARSE_H
#define MODEL_GRAPHQL_PARSE_H

#include "base/arena.h"
#include "base/str.h"

enum { GQL_DEPTH_MAX = 48 };	/* of selections, lists and objects together */

enum gql_value_kind {
	GQL_NULL, GQL_INT, GQL_FLOAT, GQL_STRING, GQL_BOOLEAN, GQL_ENUM,
	GQL_LIST, GQL_OBJECT,
	GQL_VARIABLE,
	GQL_ANY_TEXT,		/* from JSON: a string or the word of an enum */
};

struct gql_arg;

struct gql_value {
	enum gql_value_kind kind;
	struct str text;	/* digits, text, word, name of the variable */
	bool truth;
	VEC_OF(struct gql_value) items;		/* list */
	VEC_OF(struct gql_arg) fields;		/* object */
	size_t offset;		/* in the document, for messages */
};

struct gql_arg {		/* an argument, or a field of an object */
	struct str name;
	struct gql_value value;
	size_t offset;
};

struct gql_directive {
	struct str name;
	VEC_OF(struct gql_arg) args;
	size_t offset;
};

struct gql_selection;

struct gql_set {		/* { ... } */
	VEC_OF(struct gql_selection) list;
};

enum gql_selection_kind { GQL_FIELD, GQL_SPREAD, GQL_INLINE };

struct gql_selection {
	enum gql_selection_kind kind;
	struct str alias;	/* of a field; absent if none */
	struct str name;	/* of a field or a fragment */
	struct str on;		/* type condition of an inline fragment */
	VEC_OF(struct gql_arg) args;
	VEC_OF(struct gql_directive) directives;
	struct gql_set set;
	size_t offset;
};

struct gql_type_name {		/* `[String!]!` in a variable definition */
	struct str name;	/* of the innermost type */
	bool list, required, item_required;
};

struct gql_variable {
	struct str name;
	struct gql_type_name type;
	bool has_default;
	struct gql_value fallback;
	size_t offset;
};

enum gql_operation_kind { GQL_QUERY, GQL_MUTATION, GQL_SUBSCRIPTION };

struct gql_operation {
	enum gql_operation_kind kind;
	struct str name;	/* absent when anonymous */
	VEC_OF(struct gql_variable) variables;
	VEC_OF(struct gql_directive) directives;
	struct gql_set set;
	size_t offset;
};

struct gql_fragment {
	struct str name, on;
	struct gql_set set;
	size_t offset;
};

struct gql_document {
	struct str text;
	VEC_OF(struct gql_operation) operations;
	VEC_OF(struct gql_fragment) fragments;
};

struct gql_error {
	size_t offset;
	struct str message;	/* `Syntax Error: ...`, in the arena */
};

bool gql_parse(struct arena *arena, struct str text,
    struct gql_document *document, struct gql_error *error);

/* Line and column, from 1, of a byte of the document. */
void gql_place(struct str text, size_t offset, size_t *line, size_t *column);

/* The argument of that name, or NULL. */
const struct gql_value *gql_arg_find(const struct gql_arg *args, size_t n,
    struct str name);

#endif
