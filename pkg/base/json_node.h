/*
 * json_node.h - the tape that json.c writes and json_read.c walks; for these
 * files only.
 *
 * Nodes stand in the order of the text.  An object's members are two nodes
 * each: the key, then the value.  A container is followed by its contents,
 * and `next` jumps over them, so walking an array costs one step an element
 * whatever is in it.
 */
#ifndef BASE_JSON_NODE_H
#define BASE_JSON_NODE_H

#include "base/json.h"

struct json_node {
	uint32_t start;		/* offset of the first byte; of a string the
				   first one inside the quotes */
	uint32_t len;		/* bytes; of a string those inside */
	uint32_t link;		/* type, escaped flag, index of next */
};

enum { JSON_ESCAPED = 8, JSON_LINK_SHIFT = 4 };

/* The index of a node must fit in 28 bits; each takes at least one byte of
 * the text and a comma, bracket or colon beside it. */
#define JSON_TEXT_MAX ((size_t)1 << 28)

static inline enum json_type
node_type(const struct json_node *node)
{
	return (enum json_type)(node->link & 7);
}

static inline bool
node_escaped(const struct json_node *node)
{
	return (node->link & JSON_ESCAPED) != 0;
}

static inline uint32_t
node_next(const struct json_node *node)
{
	return node->link >> JSON_LINK_SHIFT;
}

/* Decode the character or escape at the start of raw, which the scanner has
 * accepted: writes up to 4 bytes, returns how many; *used is what it took. */
size_t json_decode_one(struct str raw, char out[4], size_t *used);

/* The unescaped text of a raw string, in the arena. */
struct str json_unescape(struct arena *arena, struct str raw);

/* Room for the keys of one object, kept from object to object. */
struct json_keys {
	struct json_key_seen *items;
	size_t cap;
	uint32_t *slots;	/* hash table of indexes into items, plus one */
	size_t nslots;
};

void json_keys_release(struct json_keys *keys);

/*
 * Look for two equal keys in the object at index `at` of a tape of n nodes.
 * Returns the index of the second one, or 0 if all differ.  Takes linear
 * time, and n log n against keys that were made to collide.
 */
uint32_t json_keys_check(struct json_keys *keys, struct arena *arena,
    const char *text, const struct json_node *nodes, uint32_t at, uint32_t n);

#endif
