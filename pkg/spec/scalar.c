/* scalar.c - one value of one field: its type, its limits, its message */
#include <assert.h>
#include <string.h>

#include "base/units.h"
#include "spec/codes.h"
#include "spec/decode.h"

static struct str
choices_words(struct arena *arena, const struct field *field)
{
	struct str words = STR("one of");
	for (size_t i = 0; field->choices[i] != NULL; i++)
		words = arena_printf(arena, STR_FMT "%s %s", STR_ARG(words),
		    i > 0 ? "," : "", field->choices[i]);
	return words;
}

static struct str
text_words(struct arena *arena, const struct field *field)
{
	if (field->flags & FIELD_LINES)
		return STR("a text");
	if (field->max > 0)
		return arena_printf(arena, "a text of %lld to %lld letters",
		    (long long)field->min, (long long)field->max);
	return STR("a text");
}

struct str
field_words(struct arena *arena, const struct field *field,
    enum field_type type)
{
	long long min = field->min, max = field->max;

	switch (type) {
	case FIELD_INT:
		return arena_printf(arena, "a whole number from %lld to %lld",
		    min, max);
	case FIELD_BOOL:
		return STR("true or false");
	case FIELD_CHOICE:
		return choices_words(arena, field);
	case FIELD_DURATION:
		return arena_printf(arena, "a duration from " STR_FMT " to "
		    STR_FMT, STR_ARG(format_duration(arena, field->min)),
		    STR_ARG(format_duration(arena, field->max)));
	case FIELD_SIZE:
		return arena_printf(arena, "a size from %lldGB to %lldGB",
		    min, max);
	case FIELD_PRICE:
		return arena_printf(arena,
		    "a price in US dollars, more than 0 and at most " STR_FMT,
		    STR_ARG(format_total(arena, field->max)));
	case FIELD_NAME:
		return arena_printf(arena, "a name of %lld to %lld letters",
		    min, max);
	case FIELD_TEXT:
		return text_words(arena, field);
	case FIELD_PORT:
		return STR("a port such as 22/tcp or 8188/http");
	case FIELD_PATH:
		return STR("an absolute path");
	case FIELD_VERSION:
		return STR("a version");
	case FIELD_LIST:
	case FIELD_ONE_OR_LIST:
	case FIELD_STRUCT_LIST:
		return STR("a list");
	case FIELD_MAP:
	case FIELD_STRUCT:
		return STR("a mapping");
	}
	assert(false && "a type without words");
	return STR("");
}

/* "found '010'", cut to what fits a line. */
static struct str
found_words(const struct diags *diags, const struct node *node,
    struct str value)
{
	const char *quotes = node->plain ? "" : "the quoted text ";
	bool whole = value.len <= 40;
	struct str shown = yaml_shown(diags, value, whole ? 40 : 32);

	if (value.len == 0 && node->plain)
		return STR("nothing");
	if (!whole)
		return arena_printf(diags->arena, "%s'" STR_FMT
		    "...' (%zu bytes)", quotes, STR_ARG(shown), value.len);
	return arena_printf(diags->arena, "%s'" STR_FMT "'", quotes,
	    STR_ARG(shown));
}

/* What the item of a list is called in a message. */
static enum field_type
scalar_type(const struct field *field)
{
	if (field->type == FIELD_LIST || field->type == FIELD_ONE_OR_LIST ||
	    field->type == FIELD_MAP)
		return field->items;
	return field->type;
}

static bool
is_list(const struct field *field)
{
	return field->type == FIELD_LIST || field->type == FIELD_ONE_OR_LIST;
}

static void
say_wrong(struct decoder *decoder, const struct field *field,
    const struct node *node, struct str value)
{
	struct arena *arena = decoder->diags->arena;
	enum field_type type = scalar_type(field);
	struct str words = field_words(arena, field, type);
	struct str found = found_words(decoder->diags, node, value);

	diag_error(decoder->diags, E_VALUE, node->span,
	    "%s'%s' must be " STR_FMT ", found " STR_FMT,
	    is_list(field) ? "an item of " : "", field->name,
	    STR_ARG(words), STR_ARG(found));
	if (!node->plain && (type == FIELD_INT || type == FIELD_BOOL))
		diag_hint(decoder->diags, "write it without quotes");
	else if (type == FIELD_INT && value.len > 1 && value.data[0] == '0')
		diag_hint(decoder->diags,
		    "a number is written in decimal, without leading zeros");
	else if (type == FIELD_DURATION)
		diag_hint(decoder->diags, "a duration is a number and a "
		    "unit, such as 90s, 10m, 4h, 1h30m or 7d");
	else if (type == FIELD_SIZE)
		diag_hint(decoder->diags, "a size is a whole number and GB, "
		    "such as 50GB");
	if (field->example != NULL)
		diag_hint(decoder->diags, "for example: %s: %s", field->name,
		    field->example);
}

static void
say_choice(struct decoder *decoder, const struct field *field,
    const struct node *node, struct str value)
{
	struct str near[32];
	size_t n = 0;

	while (n < COUNTOF(near) && field->choices[n] != NULL) {
		near[n] = str_from(field->choices[n]);
		n++;
	}
	struct str words = choices_words(decoder->diags->arena, field);
	struct str nearest = str_nearest(value, near, n);
	diag_error(decoder->diags, E_CHOICE, node->span,
	    "%s'%s' must be " STR_FMT ", found " STR_FMT,
	    is_list(field) ? "an item of " : "", field->name, STR_ARG(words),
	    STR_ARG(found_words(decoder->diags, node, value)));
	if (nearest.data != NULL)
		diag_hint(decoder->diags, "did you mean '" STR_FMT "'?",
		    STR_ARG(nearest));
}

/* Characters that a text of this field may not hold. */
static bool
check_characters(struct decoder *decoder, const struct field *field,
    const struct node *node, struct str value)
{
	uint32_t code;

	if (yaml_is_plain_ascii(value))
		return true;
	if (yaml_find_forbidden(value, &code) >= 0) {
		struct str shown = yaml_shown(decoder->diags, value, 40);
		diag_error(decoder->diags, E_CHARACTER, node->span,
		    "'%s' holds %s (U+%04X): '" STR_FMT "'", field->name,
		    yaml_forbidden(code), code, STR_ARG(shown));
		return false;
	}
	if (!(field->flags & FIELD_LINES) && (str_find(value, '\n') >= 0 ||
	    str_find(value, '\t') >= 0)) {
		diag_error(decoder->diags, E_CHARACTER, node->span,
		    "'%s' must be one line without tabs", field->name);
		return false;
	}
	return true;
}

/* Length and form of a text. */
static bool
check_text(struct decoder *decoder, const struct field *field,
    const struct node *node, struct str value)
{
	bool item = is_list(field) || field->type == FIELD_MAP;
	int64_t min = item ? field->type != FIELD_MAP : field->min > 0;
	int64_t max = field->max == 0 ? 0 :
	    item ? 65536 : field->max;

	if (!check_characters(decoder, field, node, value))
		return false;
	if ((int64_t)value.len < min) {
		diag_error(decoder->diags, E_VALUE, node->span,
		    "%s'%s' is empty", item ? "an item of " : "",
		    field->name);
		return false;
	}
	if (max > 0 && (int64_t)value.len > max) {
		diag_error(decoder->diags, E_VALUE, node->span,
		    "'%s' is %zu letters long; at most %lld are possible",
		    field->name, value.len, (long long)max);
		return false;
	}
	if (field->form == NULL || field->type == FIELD_MAP ||
	    field->form->fits(value))
		return true;
	diag_error(decoder->diags, E_VALUE, node->span, "%s'%s' %s, found "
	    STR_FMT, item ? "an item of " : "", field->name,
	    field->form->words,
	    STR_ARG(found_words(decoder->diags, node, value)));
	diag_hint(decoder->diags, "for example: %s: %s", field->name,
	    field->example);
	return false;
}

static bool
choose(const struct field *field, struct str value, int64_t *out)
{
	for (size_t i = 0; field->choices[i] != NULL; i++) {
		if (is_word(value, field->choices[i])) {
			*out = (int64_t)i;
			return true;
		}
	}
	return false;
}

/* Numbers, and what is kept as one. */
static bool
parse_number(const struct field *field, const struct node *node,
    bool referred, struct str value, int64_t *out)
{
	bool plain = node->plain || referred;

	switch (scalar_type(field)) {
	case FIELD_INT:
		return plain && parse_int(value, field->min, field->max, out);
	case FIELD_BOOL:
		*out = str_is(value, "true");
		return plain && (*out || str_is(value, "false"));
	case FIELD_CHOICE:
		return choose(field, value, out);
	case FIELD_DURATION:
		return parse_duration(value, out) && *out >= field->min &&
		    *out <= field->max;
	case FIELD_SIZE:
		return parse_gb(value, out) && *out >= field->min &&
		    *out <= field->max;
	case FIELD_PRICE:
		return parse_usd(value, out) && *out >= field->min &&
		    *out <= field->max;
	default:
		assert(false && "not a number");
		return false;
	}
}

static void
store_number(const struct field *field, int64_t number, void *base)
{
	char *at = (char *)base + field->offset;

	if (field->size == sizeof(bool)) {
		*(bool *)at = number != 0;
	} else if (field->size == sizeof(int)) {
		*(int *)at = (int)number;
	} else {
		assert(field->size == sizeof(int64_t));
		*(int64_t *)at = number;
	}
}

static bool
is_text(const struct field *field)
{
	switch (scalar_type(field)) {
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_PORT:
	case FIELD_PATH:
	case FIELD_VERSION:
		return true;
	case FIELD_CHOICE:	/* lists of choices keep the words */
		return is_list(field) || field->size == sizeof(struct str);
	default:
		return false;
	}
}

/*
 * Where the value of a list item goes is base itself: decode.c gives the
 * address of the new item.
 */
static bool
store_text(struct decoder *decoder, const struct field *field,
    const struct node *node, const struct text *text, void *base)
{
	bool item = is_list(field) || field->type == FIELD_MAP;
	char *at = item ? base : (char *)base + field->offset;
	int64_t ignored;

	if (scalar_type(field) == FIELD_CHOICE) {
		if (!choose(field, text->raw, &ignored)) {
			say_choice(decoder, field, node, text->raw);
			return false;
		}
	} else if (!check_text(decoder, field, node, text->raw)) {
		return false;
	}
	if (field->flags & (FIELD_SECRETS | FIELD_OUTPUTS))
		*(struct text *)at = *text;
	else
		*(struct str *)at = text->raw;
	return true;
}

bool
decode_scalar(struct decoder *decoder, const struct field *field,
    const struct node *node, void *base)
{
	struct text text = { .raw = node->value, .span = node->span };
	bool referred = false;
	int64_t number;

	if (node->refused)
		return false;
	if (node->plain && node->value.len == 0) {
		diag_error(decoder->diags, E_MISSING, node->span,
		    "%s'%s' has no value", is_list(field) ? "an item of " : "",
		    field->name);
		diag_hint(decoder->diags, is_text(field)
		    ? "write '' for an empty text, or leave the field out"
		    : "give it a value or leave the field out");
		return false;
	}
	if (refs_any(node->value)) {
		if (field->flags & FIELD_NO_REFS) {
			diag_error(decoder->diags, E_REF_PLACE, node->span,
			    "'%s' cannot hold references", field->name);
			return false;
		}
		text = (struct text){0};
		referred = true;
		if (!refs_expand(decoder->refs, node->value, node->span,
		    field->flags, &text))
			return false;
	}
	if (is_text(field))
		return store_text(decoder, field, node, &text, base);
	if (parse_number(field, node, referred, text.raw, &number)) {
		store_number(field, number, base);
		return true;
	}
	if (field->type == FIELD_CHOICE)
		say_choice(decoder, field, node, text.raw);
	else
		say_wrong(decoder, field, node, text.raw);
	return false;
}
