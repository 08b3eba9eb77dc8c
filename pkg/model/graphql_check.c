/*
 * graphql_check.c - does a document fit the schema?
 *
 * Messages are worded as the reference implementation words them, since
 * clients look for parts of them.
 */
#include "model/graphql_schema.h"

/* Fragments can repeat each other; a document asks for no more than this. */
enum { VISITS_MAX = 20000, PROBLEMS_MAX = 20 };

struct check {
	struct arena *arena;
	const struct gql_document *document;
	const struct gql_operation *operation;
	struct gql_problems *problems;
	size_t visits;
	unsigned spread_depth;
	bool enough;		/* looking further would not help */
};

static void check_set(struct check *check, enum gql_type_id type,
    const struct gql_set *set);

static void __attribute__((format(printf, 3, 4)))
problem(struct check *check, size_t offset, const char *format, ...)
{
	struct gql_problem *p;
	va_list args;

	if (check->problems->list.n >= PROBLEMS_MAX)
		return;
	p = ARENA_PUSH(check->arena, &check->problems->list);
	p->offset = offset;
	p->code = "GRAPHQL_VALIDATION_FAILED";
	va_start(args, format);
	p->message = arena_vprintf(check->arena, format, args);
	va_end(args);
}

/* ------------------------------------------------------------ values ---- */

static bool __attribute__((format(printf, 3, 4)))
misfit(struct arena *arena, struct str *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	*why = arena_vprintf(arena, format, args);
	va_end(args);
	return false;
}

/* A value as its author wrote it, short. */
static struct str
shown(struct arena *arena, const struct gql_value *value)
{
	switch (value->kind) {
	case GQL_STRING:
	case GQL_ANY_TEXT:
		return arena_printf(arena, "\"" STR_FMT "\"",
		    STR_ARG(str_sub(value->text, 0, 60)));
	case GQL_LIST:
		return STR("[...]");
	case GQL_OBJECT:
		return STR("{...}");
	case GQL_NULL:
		return STR("null");
	case GQL_VARIABLE:
		return arena_printf(arena, "$" STR_FMT, STR_ARG(value->text));
	case GQL_INT:
	case GQL_FLOAT:
	case GQL_BOOLEAN:
	case GQL_ENUM:
		break;
	}
	return value->text;
}

static bool
fits_int32(struct str text)
{
	bool minus = text.len > 0 && text.data[0] == '-';
	int64_t number = 0;

	for (size_t i = minus; i < text.len; i++) {
		number = number * 10 + (text.data[i] - '0');
		if (number > (int64_t)INT32_MAX + minus)
			return false;
	}
	return true;
}

static bool
fits_scalar(struct arena *arena, enum gql_type_id type,
    const struct gql_value *value, struct str *why)
{
	enum gql_value_kind kind = value->kind;
	bool text = kind == GQL_STRING || kind == GQL_ANY_TEXT;
	bool ok = false;

	switch (type) {
	case T_INT:
		if (kind == GQL_INT && !fits_int32(value->text))
			return misfit(arena, why, "Int cannot represent non "
			    "32-bit signed integer value: " STR_FMT,
			    STR_ARG(shown(arena, value)));
		if (kind != GQL_INT)
			return misfit(arena, why, "Int cannot represent "
			    "non-integer value: " STR_FMT,
			    STR_ARG(shown(arena, value)));
		return true;
	case T_FLOAT:
		if (kind == GQL_INT || kind == GQL_FLOAT)
			return true;
		return misfit(arena, why, "Float cannot represent non numeric "
		    "value: " STR_FMT, STR_ARG(shown(arena, value)));
	case T_BOOLEAN:
		if (kind == GQL_BOOLEAN)
			return true;
		return misfit(arena, why, "Boolean cannot represent a non "
		    "boolean value: " STR_FMT, STR_ARG(shown(arena, value)));
	case T_ID:
		ok = text || kind == GQL_INT;
		break;
	default:
		ok = text;
		break;
	}
	return ok || misfit(arena, why, "%s cannot represent a non string "
	    "value: " STR_FMT, gql_types[type].name,
	    STR_ARG(shown(arena, value)));
}

static bool
fits_enum(struct arena *arena, const struct gql_type *type,
    const struct gql_value *value, struct str *why)
{
	if (value->kind != GQL_ENUM && value->kind != GQL_ANY_TEXT)
		return misfit(arena, why, "Enum \"%s\" cannot represent "
		    "non-enum value: " STR_FMT ".", type->name,
		    STR_ARG(shown(arena, value)));
	for (const char *const *word = type->words; *word != NULL; word++)
		if (str_is(value->text, *word))
			return true;
	return misfit(arena, why, "Value \"" STR_FMT "\" does not exist in "
	    "\"%s\" enum.", STR_ARG(value->text), type->name);
}

static bool
fits_object(struct arena *arena, const struct gql_operation *operation,
    const struct gql_type *type, const struct gql_value *value,
    struct str *why)
{
	if (value->kind != GQL_OBJECT)
		return misfit(arena, why, "Expected value of type \"%s\", "
		    "found " STR_FMT ".", type->name,
		    STR_ARG(shown(arena, value)));
	for (size_t i = 0; i < value->fields.n; i++) {
		const struct gql_arg *field = &value->fields.items[i];
		const struct gql_input *input =
		    gql_input_find(type->inputs, field->name);

		if (input == NULL)
			return misfit(arena, why, "Field \"" STR_FMT "\" is "
			    "not defined by type \"%s\".",
			    STR_ARG(field->name), type->name);
		if (gql_arg_find(value->fields.items, i, field->name) != NULL)
			return misfit(arena, why, "There can be only one input "
			    "field named \"" STR_FMT "\".",
			    STR_ARG(field->name));
		if (!gql_fits(arena, operation, input->type, &field->value,
		    why))
			return false;
	}
	for (const struct gql_input *input = type->inputs;
	    input->name != NULL; input++)
		if (input->type.required && gql_arg_find(value->fields.items,
		    value->fields.n, str_from(input->name)) == NULL)
			return misfit(arena, why, "Field \"%s.%s\" of required "
			    "type \"" STR_FMT "\" was not provided.",
			    type->name, input->name,
			    STR_ARG(gql_ref_name(arena, input->type)));
	return true;
}

/* The definition of a variable, or NULL. */
static const struct gql_variable *
variable_find(const struct gql_operation *operation, struct str name)
{
	for (size_t i = 0; operation != NULL && i < operation->variables.n; i++)
		if (str_eq(operation->variables.items[i].name, name))
			return &operation->variables.items[i];
	return NULL;
}

static bool
fits_variable(struct arena *arena, const struct gql_operation *operation,
    struct gql_ref type, const struct gql_value *value, struct str *why)
{
	const struct gql_variable *variable =
	    variable_find(operation, value->text);
	const struct gql_type_name *have;

	if (variable == NULL)
		return misfit(arena, why, "Variable \"$" STR_FMT "\" is not "
		    "defined.", STR_ARG(value->text));
	have = &variable->type;
	/* A default that is not null makes up for a missing `!`; a single
	 * value may stand for a list of one. */
	if (str_is(have->name, gql_types[type.id].name) &&
	    (have->list ? type.list : true) &&
	    (!type.required || have->required || (variable->has_default &&
	    variable->fallback.kind != GQL_NULL)))
		return true;
	return misfit(arena, why, "Variable \"$" STR_FMT "\" of type \"%s"
	    STR_FMT "%s%s\" used in position expecting type \"" STR_FMT "\".",
	    STR_ARG(value->text), have->list ? "[" : "", STR_ARG(have->name),
	    have->list ? "]" : "", have->required ? "!" : "",
	    STR_ARG(gql_ref_name(arena, type)));
}

bool
gql_fits(struct arena *arena, const struct gql_operation *operation,
    struct gql_ref type, const struct gql_value *value, struct str *why)
{
	const struct gql_type *named = &gql_types[type.id];
	struct gql_ref item = { type.id, false, false };

	if (value->kind == GQL_VARIABLE)
		return fits_variable(arena, operation, type, value, why);
	if (value->kind == GQL_NULL)
		return !type.required || misfit(arena, why, "Expected value "
		    "of type \"" STR_FMT "\", found null.",
		    STR_ARG(gql_ref_name(arena, type)));
	if (type.list && value->kind == GQL_LIST) {
		for (size_t i = 0; i < value->items.n; i++)
			if (!gql_fits(arena, operation, item,
			    &value->items.items[i], why))
				return false;
		return true;
	}
	switch (named->kind) {
	case KIND_ENUM:
		return fits_enum(arena, named, value, why);
	case KIND_INPUT:
		return fits_object(arena, operation, named, value, why);
	case KIND_SCALAR:
	case KIND_OBJECT:
		break;
	}
	return fits_scalar(arena, type.id, value, why);
}

/* -------------------------------------------------------- selections ---- */

static void
check_args(struct check *check, enum gql_type_id parent,
    const struct gql_field *field, const struct gql_selection *selection)
{
	struct str why;

	for (size_t i = 0; i < selection->args.n; i++) {
		const struct gql_arg *arg = &selection->args.items[i];
		const struct gql_input *input =
		    gql_input_find(field->args, arg->name);

		if (input == NULL)
			problem(check, arg->offset, "Unknown argument \""
			    STR_FMT "\" on field \"%s.%s\".",
			    STR_ARG(arg->name), gql_types[parent].name,
			    field->name);
		else if (!gql_fits(check->arena, check->operation,
		    input->type, &arg->value, &why))
			problem(check, arg->value.offset, STR_FMT,
			    STR_ARG(why));
	}
	for (const struct gql_input *input = field->args;
	    input != NULL && input->name != NULL; input++)
		if (input->type.required && gql_arg_find(selection->args.items,
		    selection->args.n, str_from(input->name)) == NULL)
			problem(check, selection->offset, "Field \"%s\" "
			    "argument \"%s\" of type \"" STR_FMT "\" is "
			    "required, but it was not provided.", field->name,
			    input->name, STR_ARG(gql_ref_name(check->arena,
			    input->type)));
}

static void
check_field(struct check *check, enum gql_type_id parent,
    const struct gql_selection *selection)
{
	const struct gql_field *field;
	bool object;

	if (str_is(selection->name, "__typename"))
		return;
	if (str_starts(selection->name, STR("__")) && parent == T_QUERY) {
		problem(check, selection->offset, "GraphQL introspection is "
		    "not allowed, but the query contained " STR_FMT ".",
		    STR_ARG(selection->name));
		return;
	}
	field = gql_field_find(parent, selection->name);
	if (field == NULL) {
		problem(check, selection->offset, "Cannot query field \""
		    STR_FMT "\" on type \"%s\".", STR_ARG(selection->name),
		    gql_types[parent].name);
		return;
	}
	check_args(check, parent, field, selection);
	object = gql_types[field->type.id].kind == KIND_OBJECT;
	if (object && selection->set.list.n == 0)
		problem(check, selection->offset, "Field \"%s\" of type \""
		    STR_FMT "\" must have a selection of subfields. Did you "
		    "mean \"%s { ... }\"?", field->name, STR_ARG(gql_ref_name(
		    check->arena, field->type)), field->name);
	else if (!object && selection->set.list.n > 0)
		problem(check, selection->offset, "Field \"%s\" must not have "
		    "a selection since type \"" STR_FMT "\" has no subfields.",
		    field->name, STR_ARG(gql_ref_name(check->arena,
		    field->type)));
	else if (object)
		check_set(check, field->type.id, &selection->set);
}

static void
check_on(struct check *check, enum gql_type_id parent, struct str on,
    size_t offset)
{
	if (on.data != NULL && !str_is(on, gql_types[parent].name))
		problem(check, offset, "Fragment cannot be spread here as "
		    "objects of type \"%s\" can never be of type \"" STR_FMT
		    "\".", gql_types[parent].name, STR_ARG(on));
}

static void
check_spread(struct check *check, enum gql_type_id parent,
    const struct gql_selection *selection)
{
	for (size_t i = 0; i < check->document->fragments.n; i++) {
		const struct gql_fragment *fragment =
		    &check->document->fragments.items[i];

		if (!str_eq(fragment->name, selection->name))
			continue;
		if (check->spread_depth >= GQL_DEPTH_MAX) {
			problem(check, selection->offset, "Cannot spread "
			    "fragment \"" STR_FMT "\" within itself.",
			    STR_ARG(selection->name));
			return;
		}
		check_on(check, parent, fragment->on, selection->offset);
		check->spread_depth++;
		check_set(check, parent, &fragment->set);
		check->spread_depth--;
		return;
	}
	problem(check, selection->offset, "Unknown fragment \"" STR_FMT "\".",
	    STR_ARG(selection->name));
}

static void
check_directives(struct check *check, const struct gql_selection *selection)
{
	for (size_t i = 0; i < selection->directives.n; i++) {
		const struct gql_directive *directive =
		    &selection->directives.items[i];
		const struct gql_value *condition = gql_arg_find(
		    directive->args.items, directive->args.n, STR("if"));
		struct str why;

		if (!str_is(directive->name, "include") &&
		    !str_is(directive->name, "skip"))
			problem(check, directive->offset, "Unknown directive "
			    "\"@" STR_FMT "\".", STR_ARG(directive->name));
		else if (condition == NULL)
			problem(check, directive->offset, "Directive \"@"
			    STR_FMT "\" argument \"if\" of type \"Boolean!\" "
			    "is required, but it was not provided.",
			    STR_ARG(directive->name));
		else if (!gql_fits(check->arena, check->operation,
		    (struct gql_ref)MUST(T_BOOLEAN), condition, &why))
			problem(check, directive->offset, STR_FMT,
			    STR_ARG(why));
	}
}

static struct str
response_key(const struct gql_selection *field)
{
	return field->alias.data != NULL ? field->alias : field->name;
}

/* Two fields under one key must be the same field. */
static void
check_conflict(struct check *check, const struct gql_set *set, size_t at)
{
	const struct gql_selection *b = &set->list.items[at];

	for (size_t i = 0; i < at; i++) {
		const struct gql_selection *a = &set->list.items[i];

		if (a->kind != GQL_FIELD ||
		    !str_eq(response_key(a), response_key(b)))
			continue;
		if (!str_eq(a->name, b->name))
			problem(check, b->offset, "Fields \"" STR_FMT "\" "
			    "conflict because \"" STR_FMT "\" and \"" STR_FMT
			    "\" are different fields. Use different aliases "
			    "on the fields to fetch both if this was "
			    "intentional.", STR_ARG(response_key(b)),
			    STR_ARG(a->name), STR_ARG(b->name));
		return;
	}
}

static void
check_set(struct check *check, enum gql_type_id type,
    const struct gql_set *set)
{
	for (size_t i = 0; i < set->list.n; i++) {
		const struct gql_selection *selection = &set->list.items[i];

		if (check->enough || check->problems->list.n >= PROBLEMS_MAX)
			return;
		if (++check->visits > VISITS_MAX) {
			problem(check, selection->offset,
			    "Query is too complex.");
			check->enough = true;
			return;
		}
		check_directives(check, selection);
		switch (selection->kind) {
		case GQL_FIELD:
			if (i < 500)	/* pairs of more would take long */
				check_conflict(check, set, i);
			check_field(check, type, selection);
			break;
		case GQL_SPREAD:
			check_spread(check, type, selection);
			break;
		case GQL_INLINE:
			check_on(check, type, selection->on,
			    selection->offset);
			check_set(check, type, &selection->set);
			break;
		}
	}
}

static void
check_variables(struct check *check)
{
	const struct gql_operation *operation = check->operation;
	struct str why;

	for (size_t i = 0; i < operation->variables.n; i++) {
		const struct gql_variable *v = &operation->variables.items[i];
		enum gql_type_id id;

		for (size_t j = 0; j < i; j++)
			if (str_eq(operation->variables.items[j].name,
			    v->name))
				problem(check, v->offset, "There can be only "
				    "one variable named \"$" STR_FMT "\".",
				    STR_ARG(v->name));
		if (!gql_type_find(v->type.name, &id)) {
			problem(check, v->offset, "Unknown type \"" STR_FMT
			    "\".", STR_ARG(v->type.name));
			continue;
		}
		if (gql_types[id].kind == KIND_OBJECT)
			problem(check, v->offset, "Variable \"$" STR_FMT
			    "\" cannot be non-input type \"" STR_FMT "\".",
			    STR_ARG(v->name), STR_ARG(v->type.name));
		else if (v->has_default && !gql_fits(check->arena, NULL,
		    (struct gql_ref){ id, v->type.list, false }, &v->fallback,
		    &why))
			problem(check, v->offset, STR_FMT, STR_ARG(why));
	}
}

void
gql_check(struct arena *arena, const struct gql_document *document,
    const struct gql_operation *operation, struct gql_problems *problems)
{
	struct check check = { .arena = arena, .document = document,
	    .operation = operation, .problems = problems };

	if (operation->kind == GQL_SUBSCRIPTION) {
		problem(&check, operation->offset, "Schema is not configured "
		    "to execute subscription operation.");
		return;
	}
	check_variables(&check);
	if (problems->list.n == 0)
		check_set(&check, operation->kind == GQL_MUTATION ?
		    T_MUTATION : T_QUERY, &operation->set);
}
