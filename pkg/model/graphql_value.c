/*
 * graphql_value.c - reading arguments and setting results, for resolvers.
 */
#include "model/graphql_schema.h"

const struct gql_value *
gql_in(const struct gql_value *object, const char *name)
{
	const struct gql_value *value;

	if (object == NULL || object->kind != GQL_OBJECT)
		return NULL;
	value = gql_arg_find(object->fields.items, object->fields.n,
	    str_from(name));
	return value != NULL && value->kind != GQL_NULL ? value : NULL;
}

struct str
gql_in_str(const struct gql_value *object, const char *name)
{
	const struct gql_value *value = gql_in(object, name);

	if (value == NULL || value->text.len == 0)
		return (struct str){ NULL, 0 };
	return value->text;
}

/* Checked before: the digits fit 32 bits. */
int64_t
gql_in_int(const struct gql_value *object, const char *name, int64_t fallback)
{
	const struct gql_value *value = gql_in(object, name);
	int64_t number = 0;
	bool minus;

	if (value == NULL || value->kind != GQL_INT)
		return fallback;
	minus = value->text.data[0] == '-';
	for (size_t i = minus; i < value->text.len; i++)
		number = number * 10 + (value->text.data[i] - '0');
	return minus ? -number : number;
}

bool
gql_in_bool(const struct gql_value *object, const char *name, bool fallback)
{
	const struct gql_value *value = gql_in(object, name);

	return value != NULL ? value->truth : fallback;
}

size_t
gql_in_strs(struct arena *arena, const struct gql_value *object,
    const char *name, struct str **out)
{
	const struct gql_value *value = gql_in(object, name);
	size_t n = 0;

	*out = NULL;
	if (value == NULL)
		return 0;
	*out = ARENA_ARRAY(arena, struct str, value->items.n + 1);
	if (value->kind != GQL_LIST)
		(*out)[n++] = value->text;
	for (size_t i = 0; i < value->items.n; i++)
		if (value->items.items[i].kind != GQL_NULL)
			(*out)[n++] = value->items.items[i].text;
	return n;
}

size_t
gql_split(struct arena *arena, struct str text, struct str **out)
{
	VEC_OF(struct str) parts = {0};

	while (text.len > 0) {
		struct str part = str_trim(str_cut(text, ',', &text));

		if (part.len > 0)
			*ARENA_PUSH(arena, &parts) = part;
	}
	*out = parts.items;
	return parts.n;
}

/* One `{key, value}` stands for a list of one, as for any list. */
size_t
gql_in_env(struct arena *arena, const struct gql_value *object,
    struct model_env **out)
{
	const struct gql_value *list = gql_in(object, "env");
	bool many = list != NULL && list->kind == GQL_LIST;
	size_t n = list == NULL ? 0 : many ? list->items.n : 1, used = 0;

	*out = n > 0 ? ARENA_ARRAY(arena, struct model_env, n) : NULL;
	for (size_t i = 0; i < n; i++) {
		const struct gql_value *row = many ? &list->items.items[i] :
		    list;
		const struct gql_value *value = gql_in(row, "value");

		if (row->kind != GQL_OBJECT)
			continue;
		(*out)[used].name = gql_in_str(row, "key");
		(*out)[used++].value = value != NULL ? value->text : STR("");
	}
	return used;
}

void
gql_out_text(struct gql_out *out, struct str text)
{
	if (text.data == NULL)
		return;
	out->kind = OUT_STR;
	out->str = text;
}

void
gql_out_int(struct gql_out *out, int64_t number)
{
	out->kind = OUT_INT;
	out->number = number;
}

void
gql_out_bool(struct gql_out *out, bool truth)
{
	out->kind = OUT_BOOL;
	out->truth = truth;
}

void
gql_out_money(struct gql_out *out, int64_t microusd)
{
	out->kind = OUT_MONEY;
	out->number = microusd;
}

void
gql_out_object(struct gql_out *out, const void *object)
{
	if (object == NULL)
		return;
	out->kind = OUT_OBJECT;
	out->object = object;
}

void
gql_out_objects(struct gql_out *out, const void *const *objects, size_t n)
{
	out->kind = OUT_OBJECTS;
	out->objects = objects;
	out->count = n;
}

/* The words that GraphQL has for what REST says with a status. */
void
gql_refused(struct gql_run *run, const struct model_refusal *why)
{
	const char *message = why->detail;

	switch (why->kind) {
	case MODEL_NOT_FOUND:
		if (message == NULL)
			message = "pod not found";
		break;
	case MODEL_HOST_FULL:
		message = "There are not enough free GPUs on the host machine "
		    "to start this pod.";
		break;
	case MODEL_OK:
	case MODEL_RULE:
	case MODEL_CAPACITY:
	case MODEL_FUNDS:
	case MODEL_STATE:
	case MODEL_INVALID:
		break;
	}
	gql_fail(run, "RUNPOD", message != NULL ? message :
	    "Something went wrong. Please try again later or contact "
	    "support.");
}
