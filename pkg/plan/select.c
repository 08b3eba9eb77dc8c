/* select.c - --target, --exclude and --replace */
#include <assert.h>

#include "plan/planner.h"

/* Every address that the user may name, for "did you mean". */
static void
suggest(struct planner *p, struct str text)
{
	VEC_OF(struct str) known = {0};

	for (size_t i = 0; p->spec != NULL && i < p->spec->nresources; i++)
		*ARENA_PUSH(p->arena, &known) = p->spec->resources[i].address;
	for (size_t i = 0; i < p->lock->entries.n; i++)
		*ARENA_PUSH(p->arena, &known) =
		    p->lock->entries.items[i].address;
	struct str near = str_nearest(text, known.items, known.n);
	if (near.data != NULL)
		diag_hint(p->diags, "did you mean '" STR_FMT "'?",
		    STR_ARG(near));
	else
		diag_hint(p->diags, "`podform state list` shows what there is");
}

/* `x[3]` of `x` or `x[3]`; a name alone covers its replicas. */
static bool
covers(const struct address *wide, enum kind kind, struct str name,
    int64_t key)
{
	return wide->kind == kind && str_eq(wide->name, name) &&
	    (wide->key < 0 || wide->key == key ||
		(wide->key == 0 && key < 0));
}

static bool
add_covered(struct planner *p, struct map *set, const struct address *wide)
{
	bool found = false;

	for (size_t i = 0; p->spec != NULL && i < p->spec->nresources; i++) {
		struct resource *want = &p->spec->resources[i];
		if (!covers(wide, want->kind, want->name, want->key))
			continue;
		map_put(set, p->arena, want->address, want);
		found = true;
	}
	for (size_t i = 0; i < p->lock->entries.n; i++) {
		struct lock_entry *have = &p->lock->entries.items[i];
		struct address address;
		bool is_address = address_parse(have->address, &address);
		assert(is_address);
		if (!covers(wide, address.kind, address.name, address.key))
			continue;
		map_put(set, p->arena, have->address, have);
		found = true;
	}
	return found;
}

static void
read_set(struct planner *p, struct map *set, const struct str *texts,
    size_t n, const char *option)
{
	for (size_t i = 0; i < n; i++) {
		struct str text = texts[i];
		struct address wide;
		if (str_find(text, '.') < 0) {
			/* `trainer` is short for `pod.trainer`. */
			text = arena_printf(p->arena, "pod." STR_FMT,
			    STR_ARG(text));
		}
		if (address_parse(text, &wide) && add_covered(p, set, &wide))
			continue;
		diag_error(p->diags, E_UNKNOWN_TARGET, NO_SPAN, "cannot %s '"
		    STR_FMT "': there is no such thing in the spec or the "
		    "lock file", option, STR_ARG(texts[i]));
		suggest(p, text);
	}
}

/* What a target needs is part of it; rings were refused with the spec. */
static void
add_needs(struct planner *p, const struct resource *want)
{
	for (size_t i = 0; i < want->nneeds; i++) {
		const struct resource *need = want->needs[i];
		if (map_put(&p->targeted, p->arena, need->address,
			(void *)(uintptr_t)need) == NULL)
			add_needs(p, need);
	}
}

/* And what needs an excluded thing cannot be made without it. */
static void
spread_excludes(struct planner *p)
{
	bool more = p->excluded.n > 0 && p->spec != NULL;

	while (more) {
		more = false;
		for (size_t i = 0; i < p->spec->nresources; i++) {
			struct resource *want = &p->spec->resources[i];
			if (map_get(&p->excluded, want->address) != NULL)
				continue;
			for (size_t j = 0; j < want->nneeds; j++) {
				const struct resource *need = want->needs[j];
				if (map_get(&p->excluded, need->address) ==
				    NULL || index_entry(p, need) != NULL)
					continue;
				map_put(&p->excluded, p->arena,
				    want->address, want);
				more = true;
				break;
			}
		}
	}
}

/* A volume cannot be destroyed before the pods that mount it. */
static void
add_mounting(struct planner *p)
{
	const struct lock *lock = p->lock;
	struct map volumes = {0};

	for (size_t i = 0; i < lock->entries.n; i++) {
		struct lock_entry *have = &lock->entries.items[i];
		if (have->kind == KIND_VOLUME &&
		    map_get(&p->targeted, have->address) != NULL)
			map_put(&volumes, p->arena, have->id, have);
	}
	for (size_t i = 0; volumes.n > 0 && i < lock->entries.n; i++) {
		struct lock_entry *have = &lock->entries.items[i];
		if (have->kind == KIND_POD &&
		    map_get(&volumes, have->pod.volume_id) != NULL)
			map_put(&p->targeted, p->arena, have->address, have);
	}
}

void
select_make(struct planner *p)
{
	const struct plan_options *options = p->options;

	read_set(p, &p->targeted, options->targets, options->ntargets,
	    "target");
	read_set(p, &p->excluded, options->excludes, options->nexcludes,
	    "exclude");
	read_set(p, &p->replaced, options->replaces, options->nreplaces,
	    "replace");
	if (options->mode == PLAN_DESTROY)
		add_mounting(p);
	else
		for (size_t i = 0; options->ntargets > 0 &&
		    i < p->spec->nresources; i++)
			if (map_get(&p->targeted,
				p->spec->resources[i].address) != NULL)
				add_needs(p, &p->spec->resources[i]);
	spread_excludes(p);
}

bool
selected(const struct planner *p, struct str address)
{
	if (p->options->ntargets > 0 &&
	    map_get(&p->targeted, address) == NULL)
		return false;
	return p->excluded.n == 0 || map_get(&p->excluded, address) == NULL;
}

bool
replace_asked(const struct planner *p, struct str address)
{
	return p->replaced.n > 0 && map_get(&p->replaced, address) != NULL;
}
