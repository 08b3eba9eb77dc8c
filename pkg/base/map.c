/* map.c - see map.h */
#include "base/map.h"

#include <assert.h>

/* The slot of key, or the free one where it belongs.  Some are always free. */
static struct map_slot *
map_slot(const struct map *map, struct str key)
{
	size_t at = (size_t)str_hash(key) & (map->cap - 1);
	while (map->slots[at].value != NULL &&
	    !str_eq(map->slots[at].key, key))
		at = (at + 1) & (map->cap - 1);
	return &map->slots[at];
}

void *
map_get(const struct map *map, struct str key)
{
	return map->cap > 0 ? map_slot(map, key)->value : NULL;
}

static void
map_grow(struct map *map, struct arena *arena)
{
	struct map old = *map;

	map->cap = old.cap > 0 ? old.cap * 2 : 16;
	map->slots = ARENA_ARRAY(arena, struct map_slot, map->cap);
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].value != NULL)
			*map_slot(map, old.slots[i].key) = old.slots[i];
}

void *
map_put(struct map *map, struct arena *arena, struct str key, void *value)
{
	assert(value != NULL);
	if (map->n >= map->cap / 4 * 3)
		map_grow(map, arena);
	struct map_slot *slot = map_slot(map, key);
	void *before = slot->value;
	if (before == NULL) {
		slot->key = key;
		map->n++;
	}
	slot->value = value;
	return before;
}
