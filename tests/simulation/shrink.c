/*
 * shrink.c - the least list of faults with which a story still fails.
 *
 * Kinds of faults are taken away, first many at a time and then one by one
 * (delta debugging), as long as the same invariant is broken.  Every trial
 * is a story in a child.
 */
#include "crew.h"

#include <inttypes.h>
#include <string.h>



struct shrink {
	struct crew_options options;
	struct fault_mask mask;
	uint64_t seed;
	char violation[VIOLATION];	/* as it is with that mask */
	size_t kind_len;		/* of its invariant */
	unsigned trials;
};

static bool
fails_alike(struct shrink *shrink, const struct fault_mask *mask)
{
	char violation[VIOLATION];

	shrink->trials++;
	shrink->options.story.mask = mask;
	if (crew_try(&shrink->options, shrink->seed, violation) ||
	    strncmp(violation, shrink->violation, shrink->kind_len) != 0)
		return false;
	memcpy(shrink->violation, violation, VIOLATION);
	return true;
}

/* Kinds that are on, into `kinds`. */
static size_t
kinds_on(const struct fault_mask *mask, int *kinds)
{
	size_t n = 0;

	for (int i = 0; i < FAULT_KINDS; i++)
		if (!mask->off[i])
			kinds[n++] = i;
	return n;
}

/* One pass with pieces of that size; true if anything went. */
static bool
remove_pieces(struct shrink *shrink, size_t size)
{
	int kinds[FAULT_KINDS];
	size_t n = kinds_on(&shrink->mask, kinds);
	bool any = false;

	for (size_t at = 0; at < n; at += size) {
		struct fault_mask less = shrink->mask;
		for (size_t i = at; i < at + size && i < n; i++)
			less.off[kinds[i]] = true;
		if (!fails_alike(shrink, &less))
			continue;
		shrink->mask = less;
		any = true;
	}
	return any;
}

static void
shrink_kinds(struct shrink *shrink)
{
	for (size_t size = FAULT_KINDS; size > 1; size = (size + 1) / 2)
		remove_pieces(shrink, size);
	while (remove_pieces(shrink, 1))
		;
}

static void
say_kinds(const struct fault_mask *mask)
{
	int kinds[FAULT_KINDS];
	size_t n = kinds_on(mask, kinds);

	for (size_t i = 0; i < n; i++) {
		char name[FAULT_NAME];
		fault_name(kinds[i], name);
		printf("%s%s", i > 0 ? "," : "", name);
	}
	if (n == 0)
		printf("none");
}

void
shrink_and_say(const struct crew_options *options, uint64_t seed,
    const char *violation)
{
	struct shrink shrink = { .options = *options, .seed = seed };
	int kinds[FAULT_KINDS];

	snprintf(shrink.violation, VIOLATION, "%s", violation);
	shrink.kind_len = strcspn(violation, " ") + 1;
	if (options->story.mask != NULL)
		shrink.mask = *options->story.mask;
	if (!fails_alike(&shrink, &shrink.mask)) {
		printf("    told again it does not fail so: the simulation "
		       "is not deterministic\n");
		return;
	}
	shrink_kinds(&shrink);
	printf("    %zu kinds of faults are enough: %s\n",
	    kinds_on(&shrink.mask, kinds), shrink.violation);
	printf("    replay: make sim SEED=%" PRIu64 " SIM='", seed);
	if (options->story.bare)
		printf("--bare ");
	if (options->story.stores)
		printf("--stores ");
	if (options->canary)
		printf("--canary ");
	printf("--only ");
	say_kinds(&shrink.mask);
	printf("'\n");
	fflush(stdout);
}
