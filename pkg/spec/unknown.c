/* unknown.c - the fields of a mapping by name, and names that are none */
#include "spec/codes.h"
#include "spec/decode.h"

const struct field *
decode_find(const struct field *fields, struct str name, size_t *hint)
{
	/* Keys mostly come in the order of the table. */
	const struct field *field = &fields[*hint];

	for (; field->name != NULL; field++)
		if (is_word(name, field->name))
			goto found;
	for (field = fields; field < &fields[*hint]; field++)
		if (is_word(name, field->name))
			goto found;
	return NULL;
found:
	*hint = (size_t)(field - fields) + 1;
	return field;
}

/* Where else is a field of this name legal?  Adds hints, at most two. */
static void
hint_elsewhere(struct decoder *decoder, const struct field *fields,
    struct str name, struct str path, int *left)
{
	for (; fields->name != NULL && *left > 0; fields++) {
		struct str inner = path.len == 0 ? str_from(fields->name)
		    : arena_printf(decoder->scratch, STR_FMT ".%s",
			STR_ARG(path), fields->name);
		if (path.len > 0 && str_is(name, fields->name)) {
			diag_hint(decoder->diags, "'" STR_FMT "' is known as "
			    STR_FMT, STR_ARG(name), STR_ARG(inner));
			(*left)--;
		}
		if (fields->fields == NULL ||
		    fields->fields == defaults_fields)
			continue;
		if (fields->type == FIELD_MAP)
			inner = arena_printf(decoder->scratch,
			    STR_FMT ".NAME", STR_ARG(inner));
		hint_elsewhere(decoder, fields->fields, name, inner, left);
	}
}

const char *
decode_words(struct decoder *decoder, const struct mapping *mapping)
{
	if (mapping->name.len == 0)
		return mapping->what;
	return arena_printf(decoder->scratch, "%s '" STR_FMT "'",
	    mapping->what, STR_ARG(mapping->name)).data;
}

const struct field *
decode_unknown(struct decoder *decoder, const struct mapping *mapping,
    const struct node *key)
{
	const struct field *fields = mapping->fields;
	struct str names[64];
	size_t n = 0;
	int left = 2;

	for (const struct field *f = fields; f->name != NULL &&
	    n < COUNTOF(names); f++)
		names[n++] = str_from(f->name);
	struct str nearest = str_nearest(key->value, names, n);
	diag_error(decoder->diags, E_UNKNOWN_FIELD, key->span,
	    "unknown field '" STR_FMT "' in %s",
	    STR_ARG(yaml_brief(decoder->diags, key->value)),
	    decode_words(decoder, mapping));
	if (nearest.data != NULL)
		diag_hint(decoder->diags, "did you mean '" STR_FMT "'?",
		    STR_ARG(nearest));
	for (const struct field *f = top_fields; f->name != NULL; f++)
		if (fields != top_fields && str_is(key->value, f->name))
			diag_hint(decoder->diags, "'%s' belongs at the top "
			    "of a file", f->name);
	hint_elsewhere(decoder, top_fields, key->value, (struct str){0},
	    &left);
	if (nearest.data == NULL && left == 2)
		diag_hint(decoder->diags, "podform explain lists what is "
		    "known");
	size_t start = 0;
	return nearest.data != NULL ? decode_find(fields, nearest, &start)
				    : NULL;
}
