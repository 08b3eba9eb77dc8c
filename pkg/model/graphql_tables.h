/*
 * graphql_tables.h - short words for the rows of field tables.
 */
#ifndef MODEL_GRAPHQL_TABLES_H
#define MODEL_GRAPHQL_TABLES_H

#include <stddef.h>

#include "model/graphql_schema.h"

#define STRING ONE(T_STRING)
#define INT ONE(T_INT)
#define FLOAT ONE(T_FLOAT)
#define BOOL ONE(T_BOOLEAN)

/* Computed by a function; the same with arguments; read from a member of
 * struct `of`; always the same; always null. */
#define CALL(name, type, fn) { name, type, HOW_CALL, 0, fn, NULL, false }
#define CALL_ARGS(name, type, fn, args) \
	{ name, type, HOW_CALL, 0, fn, args, false }
#define AT(name, type, how, of, member) \
	{ name, type, how, offsetof(struct of, member), NULL, NULL, false }
#define CONST(name, type, how) { name, type, how, 0, NULL, NULL, false }
#define NOTHING(name, type) { name, type, HOW_NULL, 0, NULL, NULL, false }

/* The arguments of a field that takes one, `input`. */
#define TAKES(name, type) \
	static const struct gql_input name[] = { { "input", type }, \
	    { NULL, ONE(T_STRING) } }

#endif
