/*
 * lock.c - the lock in memory: finding, adding, removing.
 *
 * Finding goes through an index that is built when first asked for and then
 * follows: what was pushed since is added, what moved is corrected.  Its
 * values are positions, which survive the arrays' growth.
 */
#include "lock/lock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/units.h"
#include "lock/parts.h"

struct lock_index {
	struct map by_address;			/* live entries */
	struct map by_id[KIND_COUNT];
	struct map by_op;			/* pending */
	struct map by_grave;			/* tombstones, by op */
	size_t nentries, npending, ngraves;	/* how many are in it */
	bool deposed;				/* one was, at some time */
};

/* A map has no removal; this value stands for "not there". */
#define GONE ((void *)UINTPTR_MAX)
#define POSITION(i) ((void *)(uintptr_t)((i) + 1))

static void *
map_position(const struct map *map, struct str key, size_t *i)
{
	void *value = map_get(map, key);
	if (value == NULL || value == GONE)
		return NULL;
	*i = (size_t)(uintptr_t)value - 1;
	return value;
}

static void
index_entry(struct lock *lock, size_t i, void *value)
{
	const struct lock_entry *entry = &lock->entries.items[i];
	struct lock_index *index = lock->index;

	index->deposed |= entry->deposed;
	if (!entry->deposed)
		map_put(&index->by_address, lock->arena, entry->address,
		    value);
	if (entry->id.len > 0)
		map_put(&index->by_id[entry->kind], lock->arena, entry->id,
		    value);
}

static void
index_pending(struct lock *lock, size_t i, void *value)
{
	/* The key must outlive a move of the array: a copy. */
	struct str key = id128_str(&lock->pending.items[i].op);
	if (map_get(&lock->index->by_op, key) == NULL)
		key = arena_str(lock->arena, key);
	map_put(&lock->index->by_op, lock->arena, key, value);
}

static void
index_grave(struct lock *lock, size_t i)
{
	struct str key = id128_str(&lock->tombstones.items[i].op);
	map_put(&lock->index->by_grave, lock->arena,
	    arena_str(lock->arena, key), POSITION(i));
}

/* The index, up to date. */
static struct lock_index *
index_of(struct lock *lock)
{
	struct lock_index *index = lock->index;

	assert(lock->arena != NULL);
	if (index == NULL || lock->entries.n < index->nentries ||
	    lock->pending.n < index->npending ||
	    lock->tombstones.n < index->ngraves)
		index = lock->index = ARENA_NEW(lock->arena, struct lock_index);
	while (index->nentries < lock->entries.n) {
		size_t i = index->nentries++;
		index_entry(lock, i, POSITION(i));
	}
	while (index->npending < lock->pending.n) {
		size_t i = index->npending++;
		index_pending(lock, i, POSITION(i));
	}
	while (index->ngraves < lock->tombstones.n)
		index_grave(lock, index->ngraves++);
	return index;
}

struct lock_entry *
lock_find(struct lock *lock, struct str address)
{
	size_t at = 0;
	if (!map_position(&index_of(lock)->by_address, address, &at))
		return NULL;
	struct lock_entry *entry = &lock->entries.items[at];
	if (!entry->deposed && str_eq(entry->address, address))
		return entry;
	/* Somebody changed an entry by hand. */
	for (size_t i = 0; i < lock->entries.n; i++)
		if (!lock->entries.items[i].deposed &&
		    str_eq(lock->entries.items[i].address, address))
			return &lock->entries.items[i];
	return NULL;
}

bool
lock_may_have_deposed(struct lock *lock)
{
	return index_of(lock)->deposed;
}

struct lock_entry *
lock_find_id(struct lock *lock, enum kind kind, struct str id)
{
	size_t at = 0;
	if (!map_position(&index_of(lock)->by_id[kind], id, &at))
		return NULL;
	struct lock_entry *entry = &lock->entries.items[at];
	if (entry->kind == kind && str_eq(entry->id, id))
		return entry;
	for (size_t i = 0; i < lock->entries.n; i++)
		if (lock->entries.items[i].kind == kind &&
		    str_eq(lock->entries.items[i].id, id))
			return &lock->entries.items[i];
	return NULL;
}

struct lock_op *
lock_find_op(struct lock *lock, const struct id128 *op)
{
	size_t at = 0;
	return map_position(&index_of(lock)->by_op, id128_str(op), &at) ?
	    &lock->pending.items[at] : NULL;
}

/*
 * Before the first change: arrays of our own, so that a plan's pointers into
 * the old ones go on showing what the plan was made from.
 */
void
lock_detach(struct lock *lock)
{
	if (lock->detached)
		return;
	lock->detached = true;
	struct lock_entry *entries = ARENA_ARRAY(lock->arena,
	    struct lock_entry, lock->entries.n);
	struct lock_op *pending = ARENA_ARRAY(lock->arena, struct lock_op,
	    lock->pending.n);
	for (size_t i = 0; i < lock->entries.n; i++)
		entries[i] = lock->entries.items[i];
	for (size_t i = 0; i < lock->pending.n; i++)
		pending[i] = lock->pending.items[i];
	lock->entries.items = entries;
	lock->entries.cap = lock->entries.n;
	lock->pending.items = pending;
	lock->pending.cap = lock->pending.n;
}

/* Something that the index looks at is about to change: take it out. */
void
lock_forget_keys(struct lock *lock, const struct lock_entry *entry)
{
	(void)index_of(lock);
	index_entry(lock, (size_t)(entry - lock->entries.items), GONE);
}

void
lock_remember_keys(struct lock *lock, const struct lock_entry *entry)
{
	size_t i = (size_t)(entry - lock->entries.items);
	(void)index_of(lock);
	index_entry(lock, i, POSITION(i));
}

void
lock_remove_entry(struct lock *lock, struct lock_entry *entry)
{
	size_t at = (size_t)(entry - lock->entries.items);
	size_t last = lock->entries.n - 1;

	assert(at <= last);
	lock_detach(lock);
	entry = &lock->entries.items[at];
	lock_forget_keys(lock, entry);
	if (at != last) {
		*entry = lock->entries.items[last];
		lock_remember_keys(lock, entry);
	}
	lock->entries.n = last;
	lock->index->nentries = last;
}

void
lock_add_entry(struct lock *lock, const struct lock_entry *entry)
{
	struct lock_entry *added;

	lock_detach(lock);
	added = ARENA_PUSH(lock->arena, &lock->entries);
	*added = *entry;
	lock_remember_keys(lock, added);
}

void
lock_move_entry(struct lock *lock, struct lock_entry *entry,
    struct str address)
{
	size_t at = (size_t)(entry - lock->entries.items);

	assert(lock_find(lock, address) == NULL);
	lock_detach(lock);
	entry = &lock->entries.items[at];
	lock_forget_keys(lock, entry);
	struct str from = entry->address;
	entry->address = arena_str(lock->arena, address);
	lock_remember_keys(lock, entry);
	for (size_t i = 0; i < lock->acks.n; i++)
		if (str_eq(lock->acks.items[i].address, from))
			lock->acks.items[i].address = entry->address;
}

void
lock_remove_op(struct lock *lock, struct lock_op *op)
{
	size_t at = (size_t)(op - lock->pending.items);
	size_t last = lock->pending.n - 1;
	struct lock_index *index = index_of(lock);

	assert(at <= last);
	index_pending(lock, at, GONE);
	if (at != last) {
		*op = lock->pending.items[last];
		index_pending(lock, at, POSITION(at));
	}
	lock->pending.n = last;
	index->npending = last;
}

/* ------------------------------------------------------------ order ---- */

int
lock_order_entries(const void *a, const void *b)
{
	const struct lock_entry *x = a, *y = b;
	int order = str_cmp(x->address, y->address);
	if (order == 0)
		order = (int)x->deposed - (int)y->deposed;
	return order != 0 ? order : str_cmp(x->id, y->id);
}

int
lock_order_ops(const void *a, const void *b)
{
	const struct lock_op *x = a, *y = b;
	int order = str_cmp(x->address, y->address);
	return order != 0 ? order :
	    str_cmp(id128_str(&x->op), id128_str(&y->op));
}

static void
sort(void *items, size_t n, size_t size, int (*order)(const void *,
    const void *))
{
	const char *at = items;
	/* Mostly they are sorted already, and then this is all. */
	for (size_t i = 1; i < n; i++, at += size)
		if (order(at, at + size) > 0) {
			qsort(items, n, size, order);
			return;
		}
}

void
lock_sort(struct lock *lock)
{
	sort(lock->entries.items, lock->entries.n,
	    sizeof *lock->entries.items, lock_order_entries);
	sort(lock->pending.items, lock->pending.n,
	    sizeof *lock->pending.items, lock_order_ops);
	lock->index = NULL;
	lock->detached = false;
}

/* -------------------------------------------- tombstones and history --- */

bool
lock_has_grave(struct lock *lock, const struct id128 *op)
{
	return map_get(&index_of(lock)->by_grave, id128_str(op)) != NULL;
}

void
lock_bury(struct arena *arena, struct lock *lock, const struct id128 *op,
    struct str address, int64_t wall_ms)
{
	if (op->hex[0] == '\0')		/* imported: nothing to remember */
		return;
	if (lock_has_grave(lock, op))
		return;
	struct tombstone *grave = ARENA_PUSH(arena, &lock->tombstones);
	grave->op = *op;
	grave->address = address;
	grave->wall_ms = wall_ms;
}

bool
lock_is_dead(const struct lock *lock, struct str op)
{
	if (op.len == 0)
		return false;
	for (size_t i = 0; i < lock->tombstones.n; i++)
		if (str_starts(id128_str(&lock->tombstones.items[i].op), op))
			return true;
	return false;
}

void
lock_release(struct arena *arena, struct lock *lock,
    const struct lock_entry *entry, int64_t wall_ms)
{
	lock_bury(arena, lock, &entry->op, entry->address, wall_ms);
	for (size_t i = 0; i < lock->tombstones.n; i++) {
		struct tombstone *grave = &lock->tombstones.items[i];
		if (!str_eq(id128_str(&grave->op), id128_str(&entry->op)))
			continue;
		grave->released = true;
		grave->id = arena_str(arena, entry->id);
	}
	/* What was still open about it concerns nobody any more. */
	for (size_t i = lock->pending.n; i-- > 0 && entry->id.len > 0;) {
		struct lock_op *op = &lock->pending.items[i];
		if (op->entry.kind == entry->kind &&
		    str_eq(op->entry.id, entry->id))
			lock_remove_op(lock, op);
	}
}

static const struct tombstone *
find_released(const struct lock *lock, struct str op)
{
	for (size_t i = 0; i < lock->tombstones.n && op.len > 0; i++)
		if (lock->tombstones.items[i].released &&
		    str_starts(id128_str(&lock->tombstones.items[i].op), op))
			return &lock->tombstones.items[i];
	return NULL;
}

bool
lock_is_released(const struct lock *lock, struct str op)
{
	return find_released(lock, op) != NULL;
}

bool
lock_is_given_away(const struct lock *lock, struct str op, struct str id)
{
	const struct tombstone *grave = find_released(lock, op);

	return grave != NULL && (grave->id.len == 0 || str_eq(grave->id, id));
}

void
lock_reclaim(struct lock *lock, struct str op)
{
	size_t kept = 0;
	for (size_t i = 0; i < lock->tombstones.n; i++) {
		struct tombstone grave = lock->tombstones.items[i];
		if (!str_eq(id128_str(&grave.op), op))
			lock->tombstones.items[kept++] = grave;
	}
	if (kept != lock->tombstones.n)
		lock->index = NULL;
	lock->tombstones.n = kept;
}

void
lock_expire(struct lock *lock, int64_t wall_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < lock->tombstones.n; i++) {
		struct tombstone grave = lock->tombstones.items[i];
		/* Clocks jump; do not trust one that is far from this time. */
		if (grave.released || wall_ms < grave.wall_ms ||
		    wall_ms - grave.wall_ms <= 24 * HOUR_MS)
			lock->tombstones.items[kept++] = grave;
	}
	if (kept != lock->tombstones.n)
		lock->index = NULL;
	lock->tombstones.n = kept;
}

void
lock_add_history(struct arena *arena, struct lock *lock,
    const struct history_entry *entry)
{
	if (lock->history.n >= LOCK_HISTORY_MAX) {
		size_t drop = lock->history.n - LOCK_HISTORY_MAX + 1;
		lock->history.n -= drop;
		memmove(lock->history.items, lock->history.items + drop,
		    lock->history.n * sizeof *lock->history.items);
	}
	*ARENA_PUSH(arena, &lock->history) = *entry;
}

/* ---------------------------------------------------- accepted drift --- */

static int
ack_order(const void *a, const void *b)
{
	const struct ack *one = a, *two = b;
	int order = str_cmp(one->address, two->address);

	return order != 0 ? order : str_cmp(one->path, two->path);
}

void
lock_acknowledge(struct lock *lock, const struct ack *ack, int64_t wall_ms)
{
	struct arena *arena = lock->arena;
	size_t kept = 0;

	for (size_t i = 0; i < lock->acks.n; i++) {
		const struct ack old = lock->acks.items[i];
		int64_t until = INT64_MAX;
		if (ack_order(&old, ack) == 0 || (old.until.len > 0 &&
		    parse_time(old.until, &until) && until <= wall_ms))
			continue;
		lock->acks.items[kept++] = old;
	}
	lock->acks.n = kept;
	*ARENA_PUSH(arena, &lock->acks) = (struct ack){
		.address = arena_str(arena, ack->address),
		.path = arena_str(arena, ack->path),
		.value = arena_str(arena, ack->value),
		.reason = arena_str(arena, ack->reason),
		.until = arena_str(arena, ack->until),
	};
	qsort(lock->acks.items, lock->acks.n, sizeof *lock->acks.items,
	    ack_order);
}
