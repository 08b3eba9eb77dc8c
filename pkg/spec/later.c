/* later.c - what a spec uses that cannot be carried out yet; see spec.h */
#include <string.h>

#include "spec/tables.h"

struct uses {
	struct arena *arena;
	const struct resource *resource;
	VEC_OF(struct later_use) list;
};

static void
add(struct uses *uses, struct str field, struct span span,
    const char *words)
{
	struct later_use *use = ARENA_PUSH(uses->arena, &uses->list);

	use->kind = uses->resource->kind;
	use->name = uses->resource->name;
	use->field = field;
	use->span = span;
	use->words = words;
}

/* The place of a field, or of the mapping that has it. */
static struct span
place_of(const struct field *field, const struct pod_spec *pod,
    struct span outer)
{
	struct span span = outer;

	if (field->place != 0)
		memcpy(&span, (const char *)pod + field->place, sizeof span);
	else if (field->bit == LEAF_READY_CHECKS + 1)
		span = pod->ready_checks[0].span;
	return span.source != 0 ? span : outer;
}

static void
add_fields(struct uses *uses, const struct field *fields,
    const struct pod_spec *pod, const char *within, struct span outer)
{
	for (const struct field *field = fields; field->name; field++) {
		if (field->bit == 0 || !(pod->set >> (field->bit - 1) & 1))
			continue;
		struct span span = place_of(field, pod, outer);
		if (field->later != NULL)
			add(uses, arena_printf(uses->arena,
			    "pods." STR_FMT ".%s%s%s", STR_ARG(pod->name),
			    within, within[0] != '\0' ? "." : "",
			    field->name), span, field->later);
		else if (field->type == FIELD_STRUCT)
			add_fields(uses, field->fields, pod, field->name,
			    span);
	}
}

size_t
spec_later(struct arena *arena, const struct spec *spec,
    struct later_use **out)
{
	struct uses uses = { .arena = arena };
	const void *before = NULL;

	for (size_t i = 0; i < spec->nresources; i++) {
		const struct resource *resource = &spec->resources[i];
		const char *words = kind_later(resource->kind);
		if (resource->pod == before)
			continue;	/* a replica of what was told */
		before = resource->pod;
		uses.resource = resource;
		if (words != NULL)
			add(&uses, arena_printf(arena, "%ss." STR_FMT,
			    kind_name(resource->kind),
			    STR_ARG(resource->name)), resource->span, words);
		else if (resource->kind == KIND_POD)
			add_fields(&uses, pod_fields, resource->pod, "",
			    resource->span);
	}
	*out = uses.list.items;
	return uses.list.n;
}
