/*
 * json_out.h - writes the model's JSON.
 *
 * The model has a writer of its own, as it has a parser of its own, so that
 * podform's JSON code is never checked against itself.  Append freely; the
 * text is finished by json_out_take().
 */
#ifndef MODEL_JSON_OUT_H
#define MODEL_JSON_OUT_H

#include "base/arena.h"
#include "base/str.h"

struct json_out {
	char *data;
	size_t len, cap;
	bool comma;		/* a value came before on this level */
};

void json_out_open(struct json_out *out, char bracket);	/* '{' or '[' */
void json_out_close(struct json_out *out, char bracket);
void json_out_key(struct json_out *out, const char *key);
void json_out_key_str(struct json_out *out, struct str key);
void json_out_str(struct json_out *out, struct str text);
/* A string in pieces that need no escapes. */
void json_out_begin_str(struct json_out *out);
void json_out_piece(struct json_out *out, struct str text);
void json_out_end_str(struct json_out *out);
void json_out_null(struct json_out *out);
void json_out_bool(struct json_out *out, bool value);
void json_out_int(struct json_out *out, int64_t value);
/* Micro-dollars as a number of dollars: 440000 is 0.44. */
void json_out_usd(struct json_out *out, int64_t microusd);

/* Key and value in one. */
void json_out_member(struct json_out *out, const char *key, struct str text);
/* The same; null when text is absent or empty. */
void json_out_member_or_null(struct json_out *out, const char *key,
    struct str text);
void json_out_member_c(struct json_out *out, const char *key,
    const char *text);
void json_out_member_int(struct json_out *out, const char *key,
    int64_t value);
void json_out_member_bool(struct json_out *out, const char *key, bool value);
void json_out_member_usd(struct json_out *out, const char *key,
    int64_t microusd);

/* The text, moved into the arena; out is empty again. */
struct str json_out_take(struct json_out *out, struct arena *arena);

#endif
