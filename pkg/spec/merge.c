/* merge.c - what a pod does not say for itself; see load.h */
#include <assert.h>
#include <string.h>

#include "spec/codes.h"
#include "spec/load.h"

static bool
has(uint64_t set, const struct field *field)
{
	return field->bit != 0 && (set >> (field->bit - 1) & 1) != 0;
}

static void
copy_member(void *to, const void *from, size_t offset, size_t size)
{
	memcpy((char *)to + offset, (const char *)from + offset, size);
}

/* Both maps are sorted; what the pod has itself wins. */
static void
merge_env(struct arena *arena, struct pod_spec *pod,
    const struct pod_spec *from)
{
	struct spec_env *env = ARENA_ARRAY(arena, struct spec_env,
	    pod->nenv + from->nenv);
	size_t n = 0, i = 0, j = 0;

	while (i < pod->nenv || j < from->nenv) {
		int order = i == pod->nenv ? 1 : j == from->nenv ? -1
		    : str_cmp(pod->env[i].name, from->env[j].name);
		env[n++] = order <= 0 ? pod->env[i] : from->env[j];
		i += order <= 0;
		j += order >= 0;
	}
	pod->env = env;
	pod->nenv = n;
}

/*
 * Take over each field that is set in `from` and not in pod, with its place.
 */
static void
merge(struct arena *arena, const struct field *fields, struct pod_spec *pod,
    const struct pod_spec *from)
{
	for (const struct field *field = fields; field->name; field++) {
		bool mine = has(pod->set, field);
		if (!has(from->set, field))
			continue;
		if (field->type == FIELD_STRUCT)
			merge(arena, field->fields, pod, from);
		else if (field->type == FIELD_MAP && mine)
			merge_env(arena, pod, from);
		if (mine)
			continue;
		if (field->size > 0)
			copy_member(pod, from, field->offset, field->size);
		if (field->count > 0)
			copy_member(pod, from, field->count, sizeof(size_t));
		if (field->places > 0)
			copy_member(pod, from, field->places,
			    sizeof(struct span *));
		if (field->place > 0)
			copy_member(pod, from, field->place,
			    sizeof(struct span));
		pod->set |= (uint64_t)1 << (field->bit - 1);
	}
}

/* A choice of the pod displaces the other half of an either-or. */
static void
prune_defaults(const struct pod_spec *pod, struct pod_spec *defaults)
{
	const uint64_t centers = (uint64_t)1 << POD_FIELD_DATA_CENTERS;
	const uint64_t regions = (uint64_t)1 << POD_FIELD_REGIONS;

	if (pod->set & centers)
		defaults->set &= ~regions;
	if (pod->set & regions)
		defaults->set &= ~centers;
}

/* The required fields of a pod, and of the mappings that it has. */
static void
require(struct loader *loader, const struct pod_spec *pod,
    const struct field *fields, const char *within, struct span place)
{
	for (const struct field *field = fields; field->name; field++) {
		if (field->type == FIELD_STRUCT && has(pod->set, field)) {
			struct span at;
			memcpy(&at, (const char *)pod + field->place,
			    sizeof at);
			require(loader, pod, field->fields, field->name, at);
		}
		if (!(field->flags & FIELD_REQUIRED) || has(pod->set, field))
			continue;
		if (within == NULL)
			diag_error(loader->diags, E_MISSING, place,
			    "pod '" STR_FMT "' has no '%s'",
			    STR_ARG(pod->name), field->name);
		else
			diag_error(loader->diags, E_MISSING, place,
			    "'%s' of pod '" STR_FMT "' has no '%s'", within,
			    STR_ARG(pod->name), field->name);
		diag_hint(loader->diags, "for example: %s: %s", field->name,
		    field->example);
	}
}

/* Which bits a pod needs: always, or with a mapping that it has. */
struct need {
	uint64_t with, bits;
};

enum { NEEDS_MAX = 16 };

static size_t
list_needs(const struct field *fields, uint64_t with, struct need *needs,
    size_t n)
{
	size_t mine = n++;

	assert(n <= NEEDS_MAX);
	needs[mine] = (struct need){ .with = with };
	for (const struct field *field = fields; field->name; field++) {
		uint64_t bit = field->bit == 0 ? 0
		    : (uint64_t)1 << (field->bit - 1);
		if (field->flags & FIELD_REQUIRED)
			needs[mine].bits |= bit;
		if (field->type == FIELD_STRUCT)
			n = list_needs(field->fields, bit, needs, n);
	}
	return n;
}

static bool
is_complete(const struct pod_spec *pod, const struct need *needs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((pod->set & needs[i].with) == needs[i].with &&
		    (pod->set & needs[i].bits) != needs[i].bits)
			return false;
	return true;
}

void
load_builtin(struct loader *loader)
{
	struct pod_spec *builtin = &loader->builtin;

	decode_fallbacks(&loader->decoder, pod_fields, builtin);
	builtin->ports = ARENA_ARRAY(loader->arena, struct str, 1);
	builtin->ports[0] = STR("22/tcp");
	builtin->nports = 1;
}

void
load_merge(struct loader *loader)
{
	struct need needs[NEEDS_MAX];
	size_t n = list_needs(pod_fields, 0, needs, 0);

	for (size_t i = 0; i < loader->pods.n; i++) {
		struct pod_spec *pod = loader->pods.items[i];
		if (loader->defaults.set != 0) {
			struct pod_spec defaults = loader->defaults;
			prune_defaults(pod, &defaults);
			merge(loader->arena, pod_fields, pod, &defaults);
		}
		if (!loader->broken && !is_complete(pod, needs, n))
			require(loader, pod, pod_fields, NULL, pod->span);
	}
}
