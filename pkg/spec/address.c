/* address.c - addresses, kinds and the filling in of texts; see spec.h */
#include <string.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "spec/spec.h"

static const char *const names[] = {
	[KIND_POD] = "pod",
	[KIND_RUNNER] = "runner",
	[KIND_TUNNEL] = "tunnel",
	[KIND_VOLUME] = "volume",
};
_Static_assert(COUNTOF(names) == KIND_COUNT, "every kind has a name");

const char *
kind_name(enum kind kind)
{
	return names[kind];
}

bool
kind_parse(struct str name, enum kind *kind)
{
	for (size_t i = 0; i < COUNTOF(names); i++) {
		if (str_is(name, names[i])) {
			*kind = (enum kind)i;
			return true;
		}
	}
	return false;
}

bool
address_parse(struct str text, struct address *out)
{
	struct str name;
	struct str kind = str_cut(text, '.', &name);

	out->key = -1;
	if (name.data == NULL || !kind_parse(kind, &out->kind))
		return false;
	ptrdiff_t bracket = str_find(name, '[');
	if (bracket >= 0) {
		struct str key = str_sub(name, (size_t)bracket + 1, name.len);
		if (!str_ends(key, STR("]")) ||
		    !parse_int(str_sub(key, 0, key.len - 1), 0, INT32_MAX,
			&out->key))
			return false;
		name = str_sub(name, 0, (size_t)bracket);
	}
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!letter && (c != '-' || i == 0))
			return false;
	}
	out->name = name;
	return name.len > 0;
}

struct str
address_format(struct arena *arena, enum kind kind, struct str name,
    int64_t key)
{
	if (key >= 0)
		return arena_printf(arena, "%s." STR_FMT "[%lld]",
		    names[kind], STR_ARG(name), (long long)key);
	/* Made for every resource of a spec: without a format. */
	struct str first = str_from(names[kind]);
	char *text = arena_alloc(arena, first.len + name.len + 2);
	memcpy(text, first.data, first.len);
	text[first.len] = '.';
	memcpy(text + first.len + 1, name.data, name.len);
	return (struct str){ text, first.len + 1 + name.len };
}

bool
text_has(const struct text *text, enum part_type type)
{
	if (text->nparts == 0)
		return type == PART_TEXT && text->raw.len > 0;
	for (size_t i = 0; i < text->nparts; i++)
		if (text->parts[i].type == type)
			return true;
	return false;
}

bool
text_resolve(struct arena *arena, const struct text *text,
    struct str (*lookup)(void *ctx, const struct text_part *part), void *ctx,
    struct str *out)
{
	struct strbuf value = {0};
	bool known = true;

	if (text->nparts == 0) {
		*out = text->raw;
		return true;
	}
	for (size_t i = 0; i < text->nparts; i++) {
		const struct text_part *part = &text->parts[i];
		struct str piece = part->type == PART_TEXT
		    ? part->text : lookup(ctx, part);
		if (piece.data == NULL)
			known = false;
		strbuf_add(&value, piece);
	}
	if (known)
		*out = arena_str(arena, strbuf_str(&value));
	/* It may hold secrets: leave none behind on the heap. */
	if (value.data != NULL)
		explicit_bzero(value.data, value.len);
	strbuf_release(&value);
	return known;
}
