/*
 * graphql_lex.h - the words of a GraphQL document, for graphql_parse.c.
 */
#ifndef MODEL_GRAPHQL_LEX_H
#define MODEL_GRAPHQL_LEX_H

#include "base/arena.h"
#include "base/str.h"

enum gql_token_kind {
	TOKEN_END,
	TOKEN_PUNCTUATION,	/* ! $ & ( ) : = @ [ ] { | } and ... */
	TOKEN_NAME, TOKEN_INT, TOKEN_FLOAT, TOKEN_STRING,
	TOKEN_BAD,		/* see lexer.why */
};

struct gql_token {
	enum gql_token_kind kind;
	struct str text;	/* of a string: decoded */
	size_t offset;
};

struct gql_lexer {
	struct arena *arena;
	struct str text;
	size_t at;
	struct str why;		/* set once a bad token was met */
};

/* Skip what means nothing (spaces, commas, comments), read one token. */
struct gql_token gql_lex(struct gql_lexer *lexer);

#endif
