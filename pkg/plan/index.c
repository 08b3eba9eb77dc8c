/* index.c - what is owned and what is listed, found by address and id */
#include "base/strbuf.h"
#include "plan/planner.h"

/* Room for n keys at once: growing would touch twice the memory. */
static void
map_room(struct planner *p, struct map *map, size_t n)
{
	map->cap = 16;
	while (map->cap / 4 * 3 <= n)
		map->cap *= 2;
	map->slots = ARENA_ARRAY(p->arena, struct map_slot, map->cap);
}

const struct resource *
index_wanted(const struct planner *p, struct str address)
{
	return p->spec != NULL ? spec_find(p->spec, address) : NULL;
}

static void
index_lock(struct planner *p)
{
	const struct lock *lock = p->lock;

	p->entry_done = ARENA_ARRAY(p->arena, bool, lock->entries.n + 1);
	map_room(p, &p->entries, lock->entries.n);
	for (size_t i = 0; i < lock->entries.n; i++)
		if (!lock->entries.items[i].deposed)
			map_put(&p->entries, p->arena,
			    lock->entries.items[i].address,
			    &lock->entries.items[i]);
	/* Only what looks at pods that no entry knows asks for these. */
	for (size_t i = 0; p->by_id && i < lock->entries.n; i++)
		if (lock->entries.items[i].kind == KIND_POD)
			map_put(&p->entry_ids, p->arena,
			    lock->entries.items[i].id,
			    &lock->entries.items[i]);
	for (size_t i = 0; i < lock->pending.n; i++)
		map_put(&p->pending, p->arena,
		    id128_str(&lock->pending.items[i].op),
		    &lock->pending.items[i]);
}

static void
index_live(struct planner *p)
{
	const struct live *live = p->live;

	p->pod_done = ARENA_ARRAY(p->arena, bool, live->npods + 1);
	map_room(p, &p->pods, live->npods);
	p->volume_done = ARENA_ARRAY(p->arena, bool, live->nvolumes + 1);
	for (size_t i = 0; i < live->npods; i++)
		map_put(&p->pods, p->arena, live->pods[i].id, &live->pods[i]);
	for (size_t i = 0; i < live->nvolumes; i++)
		map_put(&p->volumes, p->arena, live->volumes[i].id,
		    &live->volumes[i]);
}

void
index_make(struct planner *p)
{
	index_lock(p);
	index_live(p);
}

const struct lock_entry *
index_entry(const struct planner *p, const struct resource *want)
{
	const struct lock_entry *have = map_get(&p->entries, want->address);
	if (have != NULL || want->key > 0)
		return have;

	/* replicas went from one to several, or back: the first stays. */
	struct strbuf other = {0};
	strbuf_addf(&other, want->key < 0 ? "%s." STR_FMT "[0]" :
	    "%s." STR_FMT, kind_name(want->kind), STR_ARG(want->name));
	have = map_get(&p->entries, strbuf_str(&other));
	strbuf_release(&other);
	return have;
}

void
index_done(struct planner *p, const struct lock_entry *have)
{
	p->entry_done[have - p->lock->entries.items] = true;
}

const struct cloud_pod *
index_pod(struct planner *p, struct str id, bool *proved)
{
	const struct cloud_pod *pod = map_get(&p->pods, id);

	*proved = false;
	if (pod == NULL)
		return NULL;
	p->pod_done[pod - p->live->pods] = true;
	if (pod->status != POD_TERMINATED)
		return pod;
	*proved = true;
	return NULL;
}

const struct cloud_volume *
index_volume(struct planner *p, struct str id)
{
	const struct cloud_volume *volume = map_get(&p->volumes, id);

	if (volume != NULL)
		p->volume_done[volume - p->live->volumes] = true;
	return volume;
}

/*
 * Imported things carry no mark; their id is all there is.  For the others
 * both forms must name the op that made them: an id that was damaged in the
 * lock could name any other pod, also one of ours.
 */
enum mark_owner
entry_owner(const struct planner *p, const struct lock_entry *have,
    const struct cloud_pod *pod)
{
	if (have->op.hex[0] == '\0' || p->live->from_lock)
		return MARK_OURS;
	if (mark_matches(pod->config.name, pod->mark, true,
	    &p->lock->lineage, &have->op))
		return MARK_OURS;
	enum mark_owner owner = mark_owner(pod->config.name, pod->mark, true,
	    &p->lock->lineage);
	if (owner == MARK_RENAMED && mark_hints(pod->config.name, pod->mark,
		true, &p->lock->lineage, &have->op))
		return MARK_RENAMED;
	return owner == MARK_OURS || owner == MARK_RENAMED ? MARK_SUSPECT :
	    owner;
}
