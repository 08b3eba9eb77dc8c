/*
 * json.h - strict JSON: a scanner that keeps a tape, typed reads, a writer.
 *
 * json_parse() accepts exactly RFC 8259, without recursion and within the
 * limits given: valid UTF-8, no duplicate keys (compared after unescaping),
 * no NUL in strings, no lone surrogates, no bytes after the document.  What
 * it accepts it describes in a flat tape of nodes over the caller's text, so
 * nothing is copied; strings without escapes are read in place.
 *
 * The text must outlive the document.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/str.h"
#include "base/strbuf.h"

enum json_type {
	JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING,
	JSON_ARRAY, JSON_OBJECT,
};

struct json_node;

struct json {
	struct str text;
	struct json_node *nodes;
	uint32_t n;
};

struct json_limits {
	size_t bytes;		/* 0: 256 KiB */
	unsigned depth;		/* 0: 32 */
};

struct json_error {
	size_t offset;		/* byte where the text stopped being right */
	const char *reason;	/* static text: "duplicate key" */
};

/*
 * Scan text.  On failure *error says where and why and *doc is empty.  The
 * tape is in the arena.
 */
bool json_parse(struct arena *arena, struct str text,
    struct json_limits limits, struct json *doc, struct json_error *error);

/* A place in a document; the zero value is "absent". */
struct json_value {
	const struct json *doc;
	uint32_t at;		/* index of the node plus one */
};

struct json_value json_root(const struct json *doc);
bool json_exists(struct json_value value);
enum json_type json_type(struct json_value value);	/* absent: JSON_NULL */
bool json_is(struct json_value value, enum json_type type);	/* absent: no */
struct str json_text(struct json_value value);	/* its bytes in the source */
size_t json_count(struct json_value value);	/* elements or members */

/* Member of an object, or absent (also when value is not an object). */
struct json_value json_get(struct json_value object, const char *key);

/*
 * Iterate over an array or object:
 *	struct json_iter it = json_iter(value);
 *	while (json_next(&it)) use(it.key, it.value);
 * it.key is the raw key; when it.key_escaped it holds escapes and
 * json_iter_key() gives it unescaped, in the arena.
 */
struct json_iter {
	struct json_value value;
	struct str key;
	bool key_escaped;
	struct json_value next_;
	uint32_t left_;
	bool object_;
};
struct json_iter json_iter(struct json_value value);
bool json_next(struct json_iter *it);
struct str json_iter_key(struct arena *arena, const struct json_iter *it);

/*
 * Typed reads.  A reader remembers its first failure as a sentence
 * ("pods[3].cost: number expected"), so a decoder reads freely and checks
 * once.  Where a value is absent and OPTIONAL, the result is the zero value
 * and the return false; null counts as absent for NULLABLE.
 */
enum json_need { REQUIRED, OPTIONAL, NULLABLE };

struct json_reader {
	struct arena *arena;	/* for unescaped strings */
	bool failed;
	struct str why;		/* in the arena */
	const char *where;	/* what is being read: "pod", for messages */
};

/* Record a failure of ours: json_fail(r, "cost", "number") reads
 * "pod.cost: number expected".  A NULL key means the value itself; a missing
 * member that is REQUIRED reads "pod.cost: missing". */
void json_fail(struct json_reader *reader, const char *key,
    const char *expected);
bool json_read_str(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, struct str *out);
bool json_read_bool(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, bool *out);
/* A whole number without fraction or exponent, min <= n <= max. */
bool json_read_int(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, int64_t min, int64_t max,
    int64_t *out);
/* US dollars to micro-dollars, from the number's text, never through double;
 * negative or above 1,000,000 USD fails. */
bool json_read_usd(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, int64_t *microusd);
bool json_read_array(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, struct json_value *out);
bool json_read_object(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, struct json_value *out);
/* The string a value is, unescaped; fails on another type. */
bool json_value_str(struct json_reader *reader, struct json_value value,
    struct str *out);
/* Fail when the object has a member that is not in keys (NULL ends them). */
bool json_only_keys(struct json_reader *reader, struct json_value object,
    const char *const *keys);

/*
 * Writer.  Emits one document; indent 0 writes it on one line, else each
 * member on its own line.  Members come in the order they are written.
 */
struct json_writer {
	struct strbuf *out;
	unsigned indent;	/* spaces per level, 0 for compact */
	unsigned depth;
	bool need_comma, after_key;
	uint64_t inline_;	/* levels written on one line */
};

void json_begin(struct json_writer *w, char bracket);	/* '{' or '[' */
void json_begin_inline(struct json_writer *w, char bracket); /* on one line */
void json_end(struct json_writer *w, char bracket);	/* '}' or ']' */
void json_key(struct json_writer *w, const char *key);
void json_key_str(struct json_writer *w, struct str key);
void json_put_str(struct json_writer *w, struct str text);
void json_put_int(struct json_writer *w, int64_t number);
void json_put_bool(struct json_writer *w, bool truth);
void json_put_null(struct json_writer *w);
void json_put_usd(struct json_writer *w, int64_t microusd);	/* 0.69 */
void json_put_raw(struct json_writer *w, struct str json);	/* trusted */
/* Key and value in one; an absent str writes nothing. */
void json_member_str(struct json_writer *w, const char *key, struct str text);
void json_member_int(struct json_writer *w, const char *key, int64_t number);
void json_member_bool(struct json_writer *w, const char *key, bool truth);
void json_member_usd(struct json_writer *w, const char *key, int64_t microusd);

#endif
