/*
 * graphql_exec.c - run a checked operation and write its answer.
 */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "model/graphql_schema.h"

enum { OUT_CEILING = 256 << 20 };

/* A field of a selection set, merged with others under the same key. */
struct picked {
	struct str key;
	const struct gql_selection *first;
	const struct gql_field *field;	/* NULL: __typename */
	struct gql_value args;
	VEC_OF(const struct gql_set *) sets;
};

struct picks {
	VEC_OF(struct picked) list;
};

static void put_object(struct gql_run *run, enum gql_type_id type,
    const void *object, const struct picks *picks);

/* ------------------------------------------------------------ values ---- */

/* A literal with the values of variables in place; false: not given. */
static bool
bind(struct gql_run *run, const struct gql_value *in, struct gql_value *out)
{
	const struct gql_operation *operation = run->operation;

	*out = *in;
	if (in->kind == GQL_VARIABLE) {
		for (size_t i = 0; i < operation->variables.n; i++) {
			if (!str_eq(operation->variables.items[i].name,
			    in->text))
				continue;
			*out = run->bindings[i].value;
			return run->bindings[i].given;
		}
		return false;
	}
	out->items.n = out->items.cap = out->fields.n = out->fields.cap = 0;
	out->items.items = NULL;
	out->fields.items = NULL;
	for (size_t i = 0; i < in->items.n; i++) {
		struct gql_value item;

		if (!bind(run, &in->items.items[i], &item))
			item = (struct gql_value){ .kind = GQL_NULL };
		*ARENA_PUSH(run->arena, &out->items) = item;
	}
	for (size_t i = 0; i < in->fields.n; i++) {
		struct gql_arg field = in->fields.items[i];

		if (bind(run, &in->fields.items[i].value, &field.value))
			*ARENA_PUSH(run->arena, &out->fields) = field;
	}
	return true;
}

static struct gql_value
bind_args(struct gql_run *run, const struct gql_selection *selection)
{
	struct gql_value args = { .kind = GQL_OBJECT };

	for (size_t i = 0; i < selection->args.n; i++) {
		struct gql_arg arg = selection->args.items[i];

		if (bind(run, &selection->args.items[i].value, &arg.value))
			*ARENA_PUSH(run->arena, &args.fields) = arg;
	}
	return args;
}

/* --------------------------------------------------------- selection ---- */

static bool
wanted(struct gql_run *run, const struct gql_selection *selection)
{
	for (size_t i = 0; i < selection->directives.n; i++) {
		const struct gql_directive *d = &selection->directives.items[i];
		const struct gql_value *condition = gql_arg_find(
		    d->args.items, d->args.n, STR("if"));
		struct gql_value value;

		if (bind(run, condition, &value) &&
		    value.truth == str_is(d->name, "skip"))
			return false;
	}
	return true;
}

static void
pick_field(struct gql_run *run, enum gql_type_id type, struct picks *picks,
    const struct gql_selection *selection)
{
	struct str key = selection->alias.data != NULL ? selection->alias :
	    selection->name;
	struct picked *picked = NULL;

	for (size_t i = 0; i < picks->list.n; i++)
		if (str_eq(picks->list.items[i].key, key))
			picked = &picks->list.items[i];
	if (picked == NULL) {
		picked = ARENA_PUSH(run->arena, &picks->list);
		picked->key = key;
		picked->first = selection;
		picked->field = gql_field_find(type, selection->name);
		picked->args = bind_args(run, selection);
	}
	*ARENA_PUSH(run->arena, &picked->sets) = &selection->set;
}

static void
pick(struct gql_run *run, enum gql_type_id type, struct picks *picks,
    const struct gql_set *set)
{
	for (size_t i = 0; i < set->list.n; i++) {
		const struct gql_selection *selection = &set->list.items[i];

		if (!wanted(run, selection))
			continue;
		switch (selection->kind) {
		case GQL_FIELD:
			pick_field(run, type, picks, selection);
			break;
		case GQL_INLINE:
			pick(run, type, picks, &selection->set);
			break;
		case GQL_SPREAD:
			for (size_t j = 0; j < run->document->fragments.n; j++)
				if (str_eq(run->document->fragments.items[j]
				    .name, selection->name)) {
					pick(run, type, picks, &run->document->
					    fragments.items[j].set);
					break;
				}
			break;
		}
	}
}

/* ------------------------------------------------------------ output ---- */

/* US dollars without needless zeros: 0.69, 80, 12.345678. */
static void
put_money(struct strbuf *out, int64_t microusd)
{
	char text[32];
	size_t n;
	int64_t whole = microusd / MICROUSD, rest = microusd % MICROUSD;

	if (rest < 0)
		rest = -rest;
	snprintf(text, sizeof text, "%s%lld.%06lld",
	    microusd < 0 && whole == 0 ? "-" : "", (long long)whole,
	    (long long)rest);
	n = strlen(text);
	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	strbuf_add(out, (struct str){ text, n });
}

static void
put_list(struct gql_run *run, const struct gql_out *value,
    enum gql_type_id type, const struct picks *picks)
{
	strbuf_addc(&run->out, '[');
	for (size_t i = 0; i < value->count; i++) {
		if (i > 0)
			strbuf_addc(&run->out, ',');
		if (value->kind == OUT_STRS) {
			strbuf_add_json(&run->out, value->strs[i]);
		} else if (value->kind == OUT_INTS) {
			strbuf_addf(&run->out, "%lld",
			    (long long)value->ints[i]);
		} else {
			struct gql_step *step =
			    ARENA_PUSH(run->arena, &run->path);

			*step = (struct gql_step){ .index = i };
			put_object(run, type, value->objects[i], picks);
			run->path.n--;
		}
	}
	strbuf_addc(&run->out, ']');
}

static void
put_value(struct gql_run *run, const struct gql_out *value,
    const struct picked *picked)
{
	enum gql_type_id type = picked->field->type.id;
	struct picks picks = {0};

	if (value->kind == OUT_OBJECT || value->kind == OUT_OBJECTS)
		for (size_t i = 0; i < picked->sets.n; i++)
			pick(run, type, &picks, picked->sets.items[i]);
	switch (value->kind) {
	case OUT_NULL:
		strbuf_adds(&run->out, "null");
		break;
	case OUT_STR:
		strbuf_add_json(&run->out, value->str);
		break;
	case OUT_INT:
		strbuf_addf(&run->out, "%lld", (long long)value->number);
		break;
	case OUT_BOOL:
		strbuf_adds(&run->out, value->truth ? "true" : "false");
		break;
	case OUT_MONEY:
		put_money(&run->out, value->number);
		break;
	case OUT_OBJECT:
		put_object(run, type, value->object, &picks);
		break;
	case OUT_STRS:
	case OUT_INTS:
	case OUT_OBJECTS:
		put_list(run, value, type, &picks);
		break;
	}
}

/* Read what the row of the table says lies at an offset of the object. */
static void
resolve_plain(const struct gql_field *field, const void *object,
    struct gql_out *out)
{
	const char *at = (const char *)object + field->at;

	switch (field->how) {
	case HOW_CALL:
	case HOW_NULL:
		break;
	case HOW_ZERO:
		gql_out_int(out, 0);
		break;
	case HOW_FALSE:
	case HOW_TRUE:
		gql_out_bool(out, field->how == HOW_TRUE);
		break;
	case HOW_EMPTY:
		out->kind = OUT_STRS;
		break;
	case HOW_SAME:
		gql_out_object(out, object);
		break;
	case HOW_STR:
		gql_out_text(out, *(const struct str *)(const void *)at);
		break;
	case HOW_STR_OR_NULL:
		if (((const struct str *)(const void *)at)->len > 0)
			gql_out_text(out,
			    *(const struct str *)(const void *)at);
		break;
	case HOW_CSTR:
		gql_out_text(out,
		    str_from(*(const char *const *)(const void *)at));
		break;
	case HOW_INT:
		gql_out_int(out, *(const int64_t *)(const void *)at);
		break;
	case HOW_INT16:
		gql_out_int(out, *(const int16_t *)(const void *)at);
		break;
	case HOW_INT32:
		gql_out_int(out, *(const int32_t *)(const void *)at);
		break;
	case HOW_MONEY:
		gql_out_money(out, *(const int64_t *)(const void *)at);
		break;
	case HOW_MONEY32:
		gql_out_money(out, *(const int32_t *)(const void *)at);
		break;
	case HOW_BOOL:
		gql_out_bool(out, *(const bool *)(const void *)at);
		break;
	}
}

static void
put_field(struct gql_run *run, enum gql_type_id type, const void *object,
    const struct picked *picked)
{
	struct gql_out value = {0};
	const struct gql_field *field = picked->field;
	struct gql_step *step = ARENA_PUSH(run->arena, &run->path);

	*step = (struct gql_step){ .key = picked->key };
	strbuf_add_json(&run->out, picked->key);
	strbuf_addc(&run->out, ':');
	if (field == NULL) {
		strbuf_add_json(&run->out, str_from(gql_types[type].name));
	} else {
		if ((type == T_QUERY || type == T_MUTATION) && !field->open &&
		    !run->authorized)
			gql_fail(run, "RUNPOD", "Unauthorized");
		else if (field->how == HOW_CALL)
			field->resolve(run, object, &picked->args, &value);
		else
			resolve_plain(field, object, &value);
		put_value(run, &value, picked);
	}
	run->path.n--;
}

static void
put_object(struct gql_run *run, enum gql_type_id type, const void *object,
    const struct picks *picks)
{
	strbuf_addc(&run->out, '{');
	for (size_t i = 0; i < picks->list.n; i++) {
		if (i > 0)
			strbuf_addc(&run->out, ',');
		put_field(run, type, object, &picks->list.items[i]);
	}
	strbuf_addc(&run->out, '}');
}

void
gql_execute(struct gql_run *run)
{
	enum gql_type_id type = run->operation->kind == GQL_MUTATION ?
	    T_MUTATION : T_QUERY;
	struct picks picks = {0};

	run->out.ceiling = OUT_CEILING;
	pick(run, type, &picks, &run->operation->set);
	put_object(run, type, run->model, &picks);
}

void
gql_fail(struct gql_run *run, const char *code, const char *message)
{
	struct strbuf *out = &run->errors;

	if (out->len > 0)
		strbuf_addc(out, ',');
	strbuf_adds(out, "{\"message\":");
	strbuf_add_json(out, str_from(message));
	strbuf_adds(out, ",\"path\":[");
	for (size_t i = 0; i < run->path.n; i++) {
		const struct gql_step *step = &run->path.items[i];

		if (i > 0)
			strbuf_addc(out, ',');
		if (step->key.data != NULL)
			strbuf_add_json(out, step->key);
		else
			strbuf_addf(out, "%zu", step->index);
	}
	strbuf_adds(out, "],\"extensions\":{\"code\":");
	strbuf_add_json(out, str_from(code));
	strbuf_adds(out, "}}");
}
