/*
 * str.h - text as a pointer and a length.
 *
 * A str borrows its bytes and says nothing about who owns them; a NUL
 * appears only at the system's border.  The zero value is the empty text,
 * with a null pointer: where "absent" differs from "empty", absent is data
 * == NULL.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char *data;
	size_t len;
};

/* A literal as a str; usable in initialisers through STR_INIT. */
#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_INIT(literal) { "" literal, sizeof(literal) - 1 }

/* For printf: printf(STR_FMT, STR_ARG(s)). */
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).len, str_chars(s)
static inline const char *
str_chars(struct str text)
{
	return text.data != NULL ? text.data : "";
}

struct str str_from(const char *text);		/* NULL gives the absent str */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *text);
bool str_eq_fold(struct str a, struct str b);	/* ASCII letters only */
int str_cmp(struct str a, struct str b);	/* byte order, shorter first */
bool str_starts(struct str text, struct str prefix);
bool str_ends(struct str text, struct str suffix);
struct str str_sub(struct str text, size_t from, size_t len);	/* clamped */
struct str str_trim(struct str text);		/* spaces, tabs, newlines */

/* Position of a byte or -1. */
ptrdiff_t str_find(struct str text, char byte);
ptrdiff_t str_rfind(struct str text, char byte);
/* Position of a substring or -1; the fold form ignores ASCII case. */
ptrdiff_t str_search(struct str text, struct str part);
ptrdiff_t str_search_fold(struct str text, struct str part);

/* Cut text at the first byte: the part before it; *rest is what follows. */
struct str str_cut(struct str text, char byte, struct str *rest);

uint64_t str_hash(struct str text);

/*
 * The candidate nearest to text by edit distance, for "did you mean"; absent
 * when none is near enough (a third of its length, at least 1, at most 4).
 */
struct str str_nearest(struct str text, const struct str *candidates,
    size_t n);

/* Decode one UTF-8 character; returns its length, 0 if it is malformed. */
size_t utf8_decode(struct str text, uint32_t *code);
/* Encode a code of at most 0x10ffff; returns the length. */
size_t utf8_encode(uint32_t code, char out[4]);

/* The value of a hex digit of either case, or -1. */
int hex_digit(char c);

#endif
