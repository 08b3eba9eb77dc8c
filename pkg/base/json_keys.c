/* json_keys.c - no key twice in one object; see json_node.h */
#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"

enum { FEW = 16 };

struct json_key_seen {
	struct str key;		/* unescaped */
	uint32_t node;
	uint32_t mark;		/* cheap to compare: length and some bytes */
};

void
json_keys_release(struct json_keys *keys)
{
	free(keys->items);
	free(keys->slots);
	*keys = (struct json_keys){0};
}

/* Length, first, middle and last byte: keys of one object rarely share all
 * four, so the bytes are rarely compared. */
static uint32_t
key_mark(struct str key)
{
	if (key.len == 0)
		return 0;
	return (uint32_t)key.len << 24 |
	    (uint32_t)(unsigned char)key.data[0] << 16 |
	    (uint32_t)(unsigned char)key.data[key.len / 2] << 8 |
	    (unsigned char)key.data[key.len - 1];
}

static size_t
collect(struct json_keys *keys, struct arena *arena, const char *text,
    const struct json_node *nodes, uint32_t at, uint32_t n)
{
	size_t count = 0;

	for (uint32_t i = at + 1; i < n; i = node_next(&nodes[i + 1])) {
		if (count == keys->cap) {
			keys->cap = keys->cap > 0 ? keys->cap * 2 : FEW;
			keys->items = heap_array(keys->items, keys->cap,
			    sizeof *keys->items);
		}
		struct str key = { text + nodes[i].start, nodes[i].len };
		if (node_escaped(&nodes[i]))
			key = json_unescape(arena, key);
		keys->items[count++] = (struct json_key_seen){
			.key = key, .node = i, .mark = key_mark(key),
		};
	}
	return count;
}

static uint32_t
find_few(const struct json_key_seen *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (items[i].mark == items[j].mark &&
			    str_eq(items[i].key, items[j].key))
				return items[i].node;
	return 0;
}

static int
compare_keys(const void *one, const void *two)
{
	const struct json_key_seen *a = one, *b = two;
	int order = str_cmp(a->key, b->key);
	return order != 0 ? order : (a->node > b->node) - (a->node < b->node);
}

/* Slower than hashing, but by no more whatever the keys are. */
static uint32_t
find_sorted(struct json_key_seen *items, size_t n)
{
	uint32_t twin = 0;
	qsort(items, n, sizeof *items, compare_keys);
	for (size_t i = 1; i < n; i++)
		if (str_eq(items[i].key, items[i - 1].key) &&
		    (twin == 0 || items[i].node < twin))
			twin = items[i].node;
	return twin;
}

static uint32_t
find_hashed(struct json_keys *keys, size_t n)
{
	size_t nslots = 64;
	size_t patience = n * 16;	/* steps; chance needs about 2 a key */

	while (nslots < n * 2)
		nslots *= 2;
	if (nslots > keys->nslots) {
		keys->slots = heap_array(keys->slots, nslots,
		    sizeof *keys->slots);
		keys->nslots = nslots;
	}
	memset(keys->slots, 0, nslots * sizeof *keys->slots);
	for (size_t i = 0; i < n; i++) {
		struct json_key_seen *item = &keys->items[i];
		size_t at = (size_t)str_hash(item->key) & (nslots - 1);
		for (; keys->slots[at] != 0; at = (at + 1) & (nslots - 1)) {
			const struct json_key_seen *other =
			    &keys->items[keys->slots[at] - 1];
			if (item->mark == other->mark &&
			    str_eq(item->key, other->key))
				return item->node;
			if (patience-- == 0)
				return find_sorted(keys->items, n);
		}
		keys->slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

uint32_t
json_keys_check(struct json_keys *keys, struct arena *arena, const char *text,
    const struct json_node *nodes, uint32_t at, uint32_t n)
{
	size_t count = collect(keys, arena, text, nodes, at, n);
	return count <= FEW ? find_few(keys->items, count)
			    : find_hashed(keys, count);
}
