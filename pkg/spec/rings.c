/*
 * rings.c - pods that need each other's outputs in a ring.
 *
 * A depth-first search with a stack of its own: a link back to a pod that
 * is still open closes a ring, and each ring is met by one such link.
 */
#include "spec/codes.h"
#include "spec/load.h"

void
pod_each_text(const struct pod_spec *pod, text_fn *fn, void *ctx)
{
	for (size_t i = 0; i < pod->nenv; i++)
		fn(ctx, &pod->env[i].value);
	for (size_t i = 0; i < pod->nready_checks; i++)
		fn(ctx, &pod->ready_checks[i]);
	for (size_t i = 0; i < pod->nsetup; i++)
		fn(ctx, &pod->setup[i].run);
	fn(ctx, &pod->process_run);
	fn(ctx, &pod->backup_check);
}

struct knot;

struct link {
	struct knot *to;
	struct span span;
};

/* One pod in the search: what it needs, and how far we are. */
struct knot {
	const struct pod_spec *pod;
	VEC_OF(struct link) links;
	size_t next;		/* link to follow */
	enum { UNSEEN, OPEN, DONE } state;
};

struct search {
	struct loader *loader;
	struct map knots;	/* by the pod's name */
	struct knot *from;
};

static void
add_links(void *ctx, const struct text *text)
{
	struct search *search = ctx;

	for (size_t i = 0; i < text->nparts; i++) {
		struct address address;
		if (text->parts[i].type != PART_OUTPUT ||
		    !address_parse(text->parts[i].address, &address) ||
		    address.kind != KIND_POD)
			continue;
		struct knot *to = map_get(&search->knots, address.name);
		if (to == NULL)
			continue;
		struct link *link = ARENA_PUSH(&search->loader->scratch,
		    &search->from->links);
		*link = (struct link){ to, text->span };
	}
}

enum { RING_SHOWN = 10 };	/* pods of a ring that are named */

/*
 * The ring is the part of the stack from `to` on.  Of a long one the first
 * are named and the last, whose line is the place of the message.
 */
static void
say_ring(struct loader *loader, struct knot **stack, size_t depth,
    const struct link *back)
{
	struct arena *arena = loader->diags->arena;
	struct str ring = {0};
	size_t first = 0;

	while (stack[first] != back->to)
		first++;
	size_t shown = depth - first, more = 0;
	if (shown > RING_SHOWN) {
		more = shown - RING_SHOWN;
		shown = RING_SHOWN - 1;
	}
	for (size_t i = first; i < first + shown; i++)
		ring = arena_printf(arena, STR_FMT STR_FMT " -> ",
		    STR_ARG(ring), STR_ARG(stack[i]->pod->name));
	if (more > 0)
		ring = arena_printf(arena, STR_FMT "(%zu more) -> " STR_FMT
		    " -> ", STR_ARG(ring), more,
		    STR_ARG(stack[depth - 1]->pod->name));
	diag_error(loader->diags, E_CYCLE, back->span,
	    "pods need each other in a ring: " STR_FMT STR_FMT,
	    STR_ARG(ring), STR_ARG(back->to->pod->name));
	for (size_t i = first; i + 1 < depth && i < first + shown; i++)
		diag_related(loader->diags,
		    stack[i]->links.items[stack[i]->next - 1].span,
		    "'" STR_FMT "' needs '" STR_FMT "' here",
		    STR_ARG(stack[i]->pod->name),
		    STR_ARG(stack[i + 1]->pod->name));
	diag_hint(loader->diags, "none of them could be created first");
}

static void
search_from(struct loader *loader, struct knot **stack, struct knot *start)
{
	size_t depth = 0;

	stack[depth++] = start;
	start->state = OPEN;
	while (depth > 0) {
		struct knot *knot = stack[depth - 1];
		if (knot->next == knot->links.n) {
			knot->state = DONE;
			depth--;
			continue;
		}
		const struct link *link = &knot->links.items[knot->next++];
		if (link->to->state == OPEN) {
			say_ring(loader, stack, depth, link);
		} else if (link->to->state == UNSEEN) {
			link->to->state = OPEN;
			stack[depth++] = link->to;
		}
	}
}

bool
load_any_output(const struct loader *loader)
{
	for (size_t i = 0; i < loader->refs.later.n; i++)
		if (loader->refs.later.items[i].part->type == PART_OUTPUT)
			return true;
	return false;
}

void
load_check_rings(struct loader *loader)
{
	struct search search = { .loader = loader };
	size_t n = loader->pods.n;

	if (!load_any_output(loader))
		return;
	struct knot *knots = ARENA_ARRAY(&loader->scratch, struct knot, n);
	struct knot **stack = ARENA_ARRAY(&loader->scratch, struct knot *, n);
	for (size_t i = 0; i < n; i++) {
		knots[i].pod = loader->pods.items[i];
		map_put(&search.knots, &loader->scratch, knots[i].pod->name,
		    &knots[i]);
	}
	for (size_t i = 0; i < n; i++) {
		search.from = &knots[i];
		pod_each_text(knots[i].pod, add_links, &search);
	}
	for (size_t i = 0; i < n; i++)
		if (knots[i].state == UNSEEN)
			search_from(loader, stack, &knots[i]);
}
