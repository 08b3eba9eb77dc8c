/*
 * map.h - from text to a pointer, in an arena.
 *
 * Keys are borrowed and must outlive the map.  Lookup is by hash, so ten
 * thousand addresses cost the same each as ten.  Iterate over your own
 * array, never over the map: its order means nothing.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"
#include "base/str.h"

struct map_slot {
	struct str key;
	void *value;
};

struct map {			/* start with {0} */
	struct map_slot *slots;
	size_t n, cap;
};

/* The value of key, or NULL. */
void *map_get(const struct map *map, struct str key);

/* Set key; returns the value that was there before, or NULL. value != NULL. */
void *map_put(struct map *map, struct arena *arena, struct str key,
    void *value);

#endif
