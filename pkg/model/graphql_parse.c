/*
 * graphql_parse.c - GraphQL documents as a tree, by recursive descent.
 *
 * Each function reads one rule of the grammar from the current token on and
 * returns false once the parser has failed; the depth is bounded, so the
 * stack is too.
 */
#include "model/graphql_parse.h"

#include "model/graphql_lex.h"

struct parser {
	struct arena *arena;
	struct gql_lexer lexer;
	struct gql_token token;		/* the one to look at */
	unsigned depth;
	bool failed;
	struct gql_error *error;
};

static bool parse_value(struct parser *p, struct gql_value *value,
    bool constant);
static bool parse_set(struct parser *p, struct gql_set *set);

static void
advance(struct parser *p)
{
	p->token = gql_lex(&p->lexer);
}

static bool
fail(struct parser *p, const char *expected)
{
	const struct gql_token *token = &p->token;
	struct str what;

	if (p->failed)
		return false;
	p->failed = true;
	p->error->offset = token->offset;
	what = token->kind == TOKEN_NAME ?
	    arena_printf(p->arena, "Name \"" STR_FMT "\"",
	    STR_ARG(token->text)) : token->kind == TOKEN_STRING ?
	    STR("String") : token->kind == TOKEN_END ? token->text :
	    arena_printf(p->arena, "\"" STR_FMT "\"", STR_ARG(token->text));
	if (token->kind == TOKEN_BAD)
		p->error->message = arena_printf(p->arena,
		    "Syntax Error: " STR_FMT, STR_ARG(p->lexer.why));
	else if (expected == NULL)
		p->error->message = arena_printf(p->arena,
		    "Syntax Error: Unexpected " STR_FMT ".", STR_ARG(what));
	else
		p->error->message = arena_printf(p->arena,
		    "Syntax Error: Expected %s, found " STR_FMT ".", expected,
		    STR_ARG(what));
	return false;
}

static bool
deeper(struct parser *p)
{
	if (++p->depth <= GQL_DEPTH_MAX)
		return true;
	if (!p->failed) {
		p->failed = true;
		p->error->offset = p->token.offset;
		p->error->message = arena_printf(p->arena,
		    "Syntax Error: Document is nested deeper than %d levels.",
		    GQL_DEPTH_MAX);
	}
	return false;
}

static bool
at_mark(const struct parser *p, const char *mark)
{
	return p->token.kind == TOKEN_PUNCTUATION &&
	    str_is(p->token.text, mark);
}

static bool
accept_mark(struct parser *p, const char *mark)
{
	if (!at_mark(p, mark))
		return false;
	advance(p);
	return true;
}

static bool
expect_mark(struct parser *p, const char *mark)
{
	const char quoted[] = { '"', mark[0], '"', '\0' };

	return accept_mark(p, mark) || fail(p, quoted);
}

static bool
at_word(const struct parser *p, const char *word)
{
	return p->token.kind == TOKEN_NAME && str_is(p->token.text, word);
}

static bool
parse_name(struct parser *p, struct str *name)
{
	if (p->token.kind != TOKEN_NAME)
		return fail(p, "Name");
	*name = p->token.text;
	advance(p);
	return true;
}

static bool
parse_list(struct parser *p, struct gql_value *value, bool constant)
{
	value->kind = GQL_LIST;
	if (!deeper(p))
		return false;
	advance(p);
	while (!accept_mark(p, "]")) {
		struct gql_value item = {0};

		if (!parse_value(p, &item, constant))
			return false;
		*ARENA_PUSH(p->arena, &value->items) = item;
	}
	p->depth--;
	return true;
}

static bool
parse_object(struct parser *p, struct gql_value *value, bool constant)
{
	value->kind = GQL_OBJECT;
	if (!deeper(p))
		return false;
	advance(p);
	while (!accept_mark(p, "}")) {
		struct gql_arg field = { .offset = p->token.offset };

		if (!parse_name(p, &field.name) || !expect_mark(p, ":") ||
		    !parse_value(p, &field.value, constant))
			return false;
		*ARENA_PUSH(p->arena, &value->fields) = field;
	}
	p->depth--;
	return true;
}

static bool
parse_word(struct parser *p, struct gql_value *value)
{
	value->text = p->token.text;
	if (at_word(p, "null")) {
		value->kind = GQL_NULL;
	} else if (at_word(p, "true") || at_word(p, "false")) {
		value->kind = GQL_BOOLEAN;
		value->truth = at_word(p, "true");
	} else {
		value->kind = GQL_ENUM;
	}
	advance(p);
	return true;
}

static bool
parse_value(struct parser *p, struct gql_value *value, bool constant)
{
	*value = (struct gql_value){ .offset = p->token.offset };
	value->text = p->token.text;
	switch (p->token.kind) {
	case TOKEN_INT:
		value->kind = GQL_INT;
		advance(p);
		return true;
	case TOKEN_FLOAT:
		value->kind = GQL_FLOAT;
		advance(p);
		return true;
	case TOKEN_STRING:
		value->kind = GQL_STRING;
		advance(p);
		return true;
	case TOKEN_NAME:
		return parse_word(p, value);
	case TOKEN_PUNCTUATION:
	case TOKEN_END:
	case TOKEN_BAD:
		break;
	}
	if (at_mark(p, "["))
		return parse_list(p, value, constant);
	if (at_mark(p, "{"))
		return parse_object(p, value, constant);
	if (!constant && accept_mark(p, "$")) {
		value->kind = GQL_VARIABLE;
		return parse_name(p, &value->text);
	}
	return fail(p, NULL);
}

/* `( name: value ... )`, where there is one. */
static bool
parse_arg(struct parser *p, struct gql_arg *arg, bool constant)
{
	*arg = (struct gql_arg){ .offset = p->token.offset };
	return parse_name(p, &arg->name) && expect_mark(p, ":") &&
	    parse_value(p, &arg->value, constant);
}

static bool
parse_directive(struct parser *p, struct gql_directive *directive)
{
	struct gql_arg arg;

	*directive = (struct gql_directive){ .offset = p->token.offset };
	advance(p);
	if (!parse_name(p, &directive->name))
		return false;
	if (!accept_mark(p, "("))
		return true;
	do {
		if (!parse_arg(p, &arg, false))
			return false;
		*ARENA_PUSH(p->arena, &directive->args) = arg;
	} while (!accept_mark(p, ")"));
	return true;
}

static bool
parse_selection_directives(struct parser *p, struct gql_selection *selection)
{
	struct gql_directive directive;

	while (at_mark(p, "@")) {
		if (!parse_directive(p, &directive))
			return false;
		*ARENA_PUSH(p->arena, &selection->directives) = directive;
	}
	return true;
}

static bool
parse_field(struct parser *p, struct gql_selection *field)
{
	struct gql_arg arg;

	field->kind = GQL_FIELD;
	if (!parse_name(p, &field->name))
		return false;
	if (accept_mark(p, ":")) {
		field->alias = field->name;
		if (!parse_name(p, &field->name))
			return false;
	}
	if (accept_mark(p, "(")) {
		do {
			if (!parse_arg(p, &arg, false))
				return false;
			*ARENA_PUSH(p->arena, &field->args) = arg;
		} while (!accept_mark(p, ")"));
	}
	if (!parse_selection_directives(p, field))
		return false;
	return !at_mark(p, "{") || parse_set(p, &field->set);
}

/* After `...`: a name other than `on` is a fragment's. */
static bool
parse_spread(struct parser *p, struct gql_selection *selection)
{
	if (p->token.kind == TOKEN_NAME && !at_word(p, "on")) {
		selection->kind = GQL_SPREAD;
		return parse_name(p, &selection->name) &&
		    parse_selection_directives(p, selection);
	}
	selection->kind = GQL_INLINE;
	if (at_word(p, "on")) {
		advance(p);
		if (!parse_name(p, &selection->on))
			return false;
	}
	return parse_selection_directives(p, selection) &&
	    parse_set(p, &selection->set);
}

static bool
parse_set(struct parser *p, struct gql_set *set)
{
	if (!expect_mark(p, "{") || !deeper(p))
		return false;
	do {
		struct gql_selection selection = { .offset = p->token.offset };

		if (accept_mark(p, "...") ? !parse_spread(p, &selection) :
		    !parse_field(p, &selection))
			return false;
		*ARENA_PUSH(p->arena, &set->list) = selection;
	} while (!accept_mark(p, "}"));
	p->depth--;
	return true;
}

/* A list of lists is no type of this schema's variables. */
static bool
parse_type(struct parser *p, struct gql_type_name *type)
{
	if (accept_mark(p, "[")) {
		type->list = true;
		if (!parse_name(p, &type->name))
			return false;
		type->item_required = accept_mark(p, "!");
		if (!expect_mark(p, "]"))
			return false;
	} else if (!parse_name(p, &type->name)) {
		return false;
	}
	type->required = accept_mark(p, "!");
	return true;
}

static bool
parse_variable(struct parser *p, struct gql_variable *variable)
{
	struct gql_directive directive;

	*variable = (struct gql_variable){ .offset = p->token.offset };
	if (!expect_mark(p, "$") || !parse_name(p, &variable->name) ||
	    !expect_mark(p, ":") || !parse_type(p, &variable->type))
		return false;
	if (accept_mark(p, "=")) {
		variable->has_default = true;
		if (!parse_value(p, &variable->fallback, true))
			return false;
	}
	while (at_mark(p, "@"))
		if (!parse_directive(p, &directive))
			return false;
	return true;
}

static bool
parse_operation(struct parser *p, struct gql_operation *operation)
{
	struct gql_variable variable;
	struct gql_directive directive;

	*operation = (struct gql_operation){ .offset = p->token.offset };
	if (at_mark(p, "{"))
		return parse_set(p, &operation->set);
	operation->kind = at_word(p, "mutation") ? GQL_MUTATION :
	    at_word(p, "subscription") ? GQL_SUBSCRIPTION : GQL_QUERY;
	advance(p);
	if (p->token.kind == TOKEN_NAME && !parse_name(p, &operation->name))
		return false;
	if (accept_mark(p, "(")) {
		do {
			if (!parse_variable(p, &variable))
				return false;
			*ARENA_PUSH(p->arena, &operation->variables) =
			    variable;
		} while (!accept_mark(p, ")"));
	}
	while (at_mark(p, "@")) {
		if (!parse_directive(p, &directive))
			return false;
		*ARENA_PUSH(p->arena, &operation->directives) = directive;
	}
	return parse_set(p, &operation->set);
}

static bool
parse_fragment(struct parser *p, struct gql_fragment *fragment)
{
	struct gql_directive directive;

	*fragment = (struct gql_fragment){ .offset = p->token.offset };
	advance(p);
	if (at_word(p, "on"))
		return fail(p, NULL);
	if (!parse_name(p, &fragment->name))
		return false;
	if (!at_word(p, "on"))
		return fail(p, "\"on\"");
	advance(p);
	if (!parse_name(p, &fragment->on))
		return false;
	while (at_mark(p, "@"))
		if (!parse_directive(p, &directive))
			return false;
	return parse_set(p, &fragment->set);
}

bool
gql_parse(struct arena *arena, struct str text, struct gql_document *document,
    struct gql_error *error)
{
	struct parser p = { .arena = arena, .lexer = { arena, text, 0,
	    { NULL, 0 } }, .error = error };
	struct gql_operation operation;
	struct gql_fragment fragment;

	*document = (struct gql_document){ .text = text };
	advance(&p);
	do {
		if (at_word(&p, "fragment")) {
			if (!parse_fragment(&p, &fragment))
				return false;
			*ARENA_PUSH(arena, &document->fragments) = fragment;
		} else if (at_mark(&p, "{") || at_word(&p, "query") ||
		    at_word(&p, "mutation") || at_word(&p, "subscription")) {
			if (!parse_operation(&p, &operation))
				return false;
			*ARENA_PUSH(arena, &document->operations) = operation;
		} else {
			return fail(&p, NULL);
		}
	} while (p.token.kind != TOKEN_END);
	return true;
}

void
gql_place(struct str text, size_t offset, size_t *line, size_t *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < offset && i < text.len; i++) {
		if (text.data[i] == '\n') {
			(*line)++;
			*column = 1;
		} else {
			(*column)++;
		}
	}
}

const struct gql_value *
gql_arg_find(const struct gql_arg *args, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(args[i].name, name))
			return &args[i].value;
	return NULL;
}
