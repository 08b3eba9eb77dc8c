/*
 * schema.c - the field tables as a JSON Schema (2020-12), for editors.
 *
 * A value may always be a text with `${env...}` or `${var...}` in it, so
 * whatever is not a plain text is "that, or a reference".  What spans
 * several fields (a volume that exists, one of two) the schema says where
 * it can; podform validate has the last word.
 */
#include "base/strbuf.h"
#include "base/units.h"
#include "spec/tables.h"

struct writer {
	struct strbuf *out;
	bool first;		/* no comma before the next member */
};

static void
key(struct writer *w, const char *name)
{
	if (!w->first)
		strbuf_addc(w->out, ',');
	w->first = false;
	strbuf_add_json(w->out, str_from(name));
	strbuf_addc(w->out, ':');
}

static void
text(struct writer *w, const char *name, const char *value)
{
	key(w, name);
	strbuf_add_json(w->out, str_from(value));
}

static void
number(struct writer *w, const char *name, int64_t value)
{
	key(w, name);
	strbuf_addf(w->out, "%lld", (long long)value);
}

static void
enter(struct writer *w, const char *name)
{
	key(w, name);
	strbuf_addc(w->out, '{');
	w->first = true;
}

static void
leave(struct writer *w)
{
	strbuf_addc(w->out, '}');
	w->first = false;
}

static void
choices(struct writer *w, const struct field *field)
{
	key(w, "enum");
	for (size_t i = 0; field->choices[i] != NULL; i++) {
		strbuf_addc(w->out, i == 0 ? '[' : ',');
		strbuf_add_json(w->out, str_from(field->choices[i]));
	}
	strbuf_addc(w->out, ']');
}

/* Begin "this, or a reference"; end_or() closes it. */
static void
begin_or(struct writer *w)
{
	key(w, "anyOf");
	strbuf_adds(w->out, "[{");
	w->first = true;
}

static void
end_or(struct writer *w)
{
	strbuf_adds(w->out, "},{\"$ref\":\"#/$defs/reference\"}]");
	w->first = false;
}

/* A text with a form that a number can have too: 12.4, 8188. */
static bool
may_be_number(const struct field *field)
{
	return field->type == FIELD_VERSION ||
	    field->form == &form_local || field->form == &form_remote;
}

static void
text_members(struct writer *w, const struct field *field, bool item)
{
	key(w, "type");
	if (item && field->type == FIELD_MAP)
		strbuf_adds(w->out, "[\"string\",\"number\",\"boolean\"]");
	else
		strbuf_adds(w->out, may_be_number(field)
		    ? "[\"string\",\"number\"]" : "\"string\"");
	if (!item && field->min > 0)
		number(w, "minLength", field->min);
	if (!item && field->max > 0)
		number(w, "maxLength", field->max);
	if (item && field->type != FIELD_MAP)
		number(w, "minLength", 1);
	if (field->form != NULL && field->type != FIELD_MAP)
		text(w, "pattern", field->form->pattern);
}

/* One scalar; w is inside of its object. */
static void
scalar(struct writer *w, const struct field *field, enum field_type type,
    bool item)
{
	bool or = !(field->flags & FIELD_NO_REFS) &&
	    !(item && field->type == FIELD_MAP);

	if (or)
		begin_or(w);
	switch (type) {
	case FIELD_INT:
		text(w, "type", "integer");
		number(w, "minimum", field->min);
		number(w, "maximum", field->max);
		break;
	case FIELD_BOOL:
		text(w, "type", "boolean");
		break;
	case FIELD_CHOICE:
		choices(w, field);
		break;
	case FIELD_DURATION:
		text(w, "type", "string");
		text(w, "pattern", "^([0-9]+d)?([0-9]+h)?([0-9]+m)?"
		    "([0-9]+s)?([0-9]+ms)?$");
		number(w, "minLength", 2);
		break;
	case FIELD_SIZE:
		text(w, "type", "string");
		text(w, "pattern", "^[1-9][0-9]*GB$");
		break;
	case FIELD_PRICE:
		key(w, "type");
		strbuf_adds(w->out, "[\"number\",\"string\"]");
		number(w, "exclusiveMinimum", 0);
		number(w, "maximum", field->max / MICROUSD);
		text(w, "pattern", "^(0|[1-9][0-9]*)(\\.[0-9]{1,6})?$");
		break;
	default:
		text_members(w, field, item);
	}
	if (or)
		end_or(w);
}

static void object(struct writer *w, const struct field *fields);

/* A table that is used in several places is defined once. */
static const struct {
	const struct field *fields;
	const char *name;
} defs[] = {
	{ pod_fields, "pod" }, { volume_fields, "volume" },
	{ runner_fields, "runner" }, { tunnel_fields, "tunnel" },
	{ secret_fields, "secret" },
};

static const char *
def_name(const struct field *fields)
{
	for (size_t i = 0; i < COUNTOF(defs); i++)
		if (defs[i].fields == fields)
			return defs[i].name;
	return NULL;
}

static void
ref_to(struct writer *w, const char *name)
{
	key(w, "$ref");
	strbuf_addf(w->out, "\"#/$defs/%s\"", name);
}

static void
list_members(struct writer *w, const struct field *field)
{
	text(w, "type", "array");
	if (field->min > 0)
		number(w, "minItems", field->min);
	number(w, "maxItems", field->max);
	if (field->flags & FIELD_UNIQUE) {
		key(w, "uniqueItems");
		strbuf_adds(w->out, "true");
	}
	enter(w, "items");
	if (field->type == FIELD_STRUCT_LIST)
		object(w, field->fields);
	else
		scalar(w, field, field->items, true);
	leave(w);
}

static void
map_members(struct writer *w, const struct field *field)
{
	text(w, "type", "object");
	number(w, "maxProperties", field->max);
	enter(w, "propertyNames");
	text(w, "pattern", field->form->pattern);
	number(w, "maxLength", field->items == FIELD_STRUCT ? 60 : 1024);
	leave(w);
	enter(w, "additionalProperties");
	if (field->items == FIELD_STRUCT)
		ref_to(w, def_name(field->fields));
	else
		scalar(w, field, field->items, true);
	leave(w);
}

/* Type and limits of a field; w is inside of its object. */
static void
shape(struct writer *w, const struct field *field)
{
	switch (field->type) {
	case FIELD_STRUCT:
		if (field->fields == pod_fields)
			ref_to(w, "pod");
		else
			object(w, field->fields);
		return;
	case FIELD_MAP:
		map_members(w, field);
		return;
	case FIELD_ONE_OR_LIST:
		key(w, "anyOf");
		strbuf_adds(w->out, "[{");
		w->first = true;
		scalar(w, field, field->items, true);
		strbuf_adds(w->out, "},{");
		w->first = true;
		list_members(w, field);
		strbuf_adds(w->out, "}]");
		w->first = false;
		return;
	case FIELD_LIST:
	case FIELD_STRUCT_LIST:
		list_members(w, field);
		return;
	default:
		scalar(w, field, field->type, false);
	}
}

/* Values of the tables are YAML; these two read as JSON as they stand. */
static bool
is_bare(const struct field *field)
{
	return field->type == FIELD_INT || field->type == FIELD_BOOL;
}

static void
fallback(struct writer *w, const struct field *field)
{
	if (field->fallback == NULL || field->type == FIELD_LIST)
		return;
	key(w, "default");
	if (is_bare(field))
		strbuf_adds(w->out, field->fallback);
	else
		strbuf_add_json(w->out, str_from(field->fallback));
}

/* Examples of plain values; editors offer them. */
static void
example(struct writer *w, const struct field *field)
{
	const char *value = field->example;

	if (value == NULL || value[0] == '[' || value[0] == '{' ||
	    field->type == FIELD_LIST || field->type == FIELD_ONE_OR_LIST)
		return;
	struct str bare = str_from(value);
	if (bare.data[0] == '"')
		bare = str_sub(bare, 1, bare.len - 2);
	key(w, "examples");
	strbuf_addc(w->out, '[');
	if (is_bare(field))
		strbuf_add(w->out, bare);
	else
		strbuf_add_json(w->out, bare);
	strbuf_addc(w->out, ']');
}

static void
description(struct writer *w, const struct field *field)
{
	key(w, "description");
	struct strbuf words = {0};
	strbuf_adds(&words, field->help);
	if (field->effect != EFFECT_NONE)
		strbuf_addf(&words, " A change: %s.",
		    effect_word(field->effect));
	if (field->later != NULL)
		strbuf_addf(&words, " Not yet: %s.", field->later);
	strbuf_add_json(w->out, strbuf_str(&words));
	strbuf_release(&words);
}

/* What a table cannot say: exactly one of some fields. */
static void
either(struct writer *w, const struct field *fields)
{
	if (fields == secret_fields) {
		number(w, "minProperties", 1);
		number(w, "maxProperties", 1);
	} else if (fields == runner_fields) {
		key(w, "oneOf");
		strbuf_adds(w->out, "[{\"required\":[\"repository\"]},"
		    "{\"required\":[\"organization\"]}]");
	} else if (fields == pod_fields) {
		key(w, "not");
		strbuf_adds(w->out,
		    "{\"required\":[\"data_centers\",\"regions\"]}");
	}
}

/*
 * A pod's own required fields may come from defaults.pod, and so may those
 * of its mappings: the schema cannot require them.
 */
static void
required(struct writer *w, const struct field *fields)
{
	bool any = false;

	for (const struct field *field = fields; field->name; field++) {
		if (!(field->flags & FIELD_REQUIRED) || field->bit != 0 ||
		    fields == top_fields)
			continue;
		if (!any)
			key(w, "required");
		strbuf_addc(w->out, any ? ',' : '[');
		strbuf_add_json(w->out, str_from(field->name));
		any = true;
	}
	if (any)
		strbuf_addc(w->out, ']');
}

static void
object(struct writer *w, const struct field *fields)
{
	text(w, "type", "object");
	key(w, "additionalProperties");
	strbuf_adds(w->out, "false");
	required(w, fields);
	either(w, fields);
	enter(w, "properties");
	for (const struct field *field = fields; field->name; field++) {
		enter(w, field->name);
		description(w, field);
		shape(w, field);
		fallback(w, field);
		example(w, field);
		leave(w);
	}
	leave(w);
}

void
fields_schema(struct strbuf *out)
{
	struct writer w = { out, true };

	strbuf_addc(out, '{');
	text(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	text(&w, "title", "podform spec");
	text(&w, "description", "Pods, volumes, runners and tunnels that "
	    "podform keeps as they are written here.");
	object(&w, top_fields);
	number(&w, "minProperties", 1);
	enter(&w, "$defs");
	enter(&w, "reference");
	text(&w, "description", "A text with ${env.NAME} or ${var.NAME}.");
	text(&w, "type", "string");
	text(&w, "pattern", "\\$\\{(env|var)\\.[A-Za-z0-9_]+\\}");
	leave(&w);
	for (size_t i = 0; i < COUNTOF(defs); i++) {
		enter(&w, defs[i].name);
		object(&w, defs[i].fields);
		leave(&w);
	}
	leave(&w);
	strbuf_adds(out, "}\n");
}
