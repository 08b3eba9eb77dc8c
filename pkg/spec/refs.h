/*
 * refs.h - the `${...}` in the texts of a spec.
 *
 *	${env.NAME}	a variable of podform's own environment
 *	${var.NAME}	given by --var NAME=VALUE
 *	${secret.NAME}	declared under `secrets`
 *	${KIND.NAME.OUTPUT}, ${KIND.NAME[KEY].OUTPUT}
 *			known after another resource is there
 *	$${		stands for ${ itself
 *
 * A `$` before anything else is just a `$`.  The first two are resolved
 * here; what they bring in is never read again for references.
 */
#ifndef SPEC_REFS_H
#define SPEC_REFS_H

#include "base/strbuf.h"
#include "spec/spec.h"

/* A reference to be checked once every file has been read. */
struct ref {
	const struct text_part *part;
	struct span span;
	struct address address;	/* PART_OUTPUT */
};

struct refs {
	struct arena *arena;
	struct arena *scratch;		/* holds `later` */
	const struct spec_options *options;
	const struct sources *sources;
	struct diags *diags;
	VEC_OF(struct ref) later;
	/* What refs_expand() works with, kept for the next value. */
	VEC_OF(struct text_part) parts;
	VEC_OF(struct ref) found;
	struct strbuf raw, text;
};

/* Frees what is on the heap. */
void refs_release(struct refs *refs);

/* Does the value hold a `${`?  Only then is refs_expand() needed. */
bool refs_any(struct str value);

/*
 * Expand the value that stands at span.  `allowed` has the bits
 * FIELD_SECRETS and FIELD_OUTPUTS.  Every mistake is reported at its own
 * column.  False if there was one.
 */
bool refs_expand(struct refs *refs, struct str value, struct span span,
    unsigned allowed, struct text *out);

#endif
