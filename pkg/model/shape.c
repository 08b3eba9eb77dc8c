/* shape.c - see shape.h */
#include "model/shape.h"

#include <json-c/json.h>

static struct str
string_of(struct json_object *value)
{
	return (struct str){ json_object_get_string(value),
		(size_t)json_object_get_string_len(value) };
}

static const char *
type_name(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "boolean";
	case json_type_double:
		return "number";
	case json_type_int:
		return "integer";
	case json_type_object:
		return "object";
	case json_type_array:
		return "array";
	case json_type_string:
		return "string";
	}
	return "unknown";
}

__attribute__((format(printf, 2, 3))) static void
problem(struct problems *problems, const char *format, ...)
{
	va_list args;

	if (problems->list.n >= 50)	/* enough to know that it is wrong */
		return;
	va_start(args, format);
	*ARENA_PUSH(problems->arena, &problems->list) =
	    arena_vprintf(problems->arena, format, args);
	va_end(args);
}

static bool
is_type(struct problems *problems, const char *path,
    struct json_object *value, json_type type, const char *wanted)
{
	if (json_object_get_type(value) == type && value != NULL)
		return true;
	problem(problems, "%s: got %s, want %s", path, type_name(value),
	    wanted);
	return false;
}

static void
check_string(struct problems *problems, const char *path,
    const struct shape_member *member, struct json_object *value)
{
	struct str text;

	if (!is_type(problems, path, value, json_type_string, "string"))
		return;
	text = string_of(value);
	if ((int64_t)text.len < member->min)
		problem(problems, "%s: minLength: got %d, want %d", path,
		    (int)text.len, (int)member->min);
	if (member->pattern != NULL && !member->pattern(text))
		problem(problems, "%s: '" STR_FMT "' does not match pattern "
		    "%s", path, STR_ARG(text), member->pattern_name);
	if (member->words == NULL)
		return;
	for (size_t i = 0; member->words[i] != NULL; i++)
		if (str_is(text, member->words[i]))
			return;
	problem(problems, "%s: '" STR_FMT "' is not one of the allowed values",
	    path, STR_ARG(text));
}

static void
check_integer(struct problems *problems, const char *path,
    const struct shape_member *member, struct json_object *value)
{
	int64_t n;

	if (!is_type(problems, path, value, json_type_int, "integer"))
		return;
	n = json_object_get_int64(value);
	if (n < member->min)
		problem(problems, "%s: minimum: got %lld, want %lld", path,
		    (long long)n, (long long)member->min);
	if (n > (member->max != 0 ? member->max : INT32_MAX))
		problem(problems, "%s: maximum: got %lld", path,
		    (long long)n);
}

static void check_object(struct problems *problems, const char *path,
    const struct shape *shape, struct json_object *value);

static void
check_array(struct problems *problems, const char *path,
    const struct shape_member *member, struct json_object *value)
{
	size_t n;

	if (!is_type(problems, path, value, json_type_array, "array"))
		return;
	n = json_object_array_length(value);
	if (member->max_items != 0 && n > member->max_items)
		problem(problems, "%s: maxItems: got %d, want %d", path,
		    (int)n, (int)member->max_items);
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		struct str place = arena_printf(problems->arena, "%s[%d]",
		    path, (int)i);
		if (member->type == SHAPE_OBJECTS)
			check_object(problems, place.data, member->shape,
			    item);
		else
			check_string(problems, place.data, member, item);
	}
}

static void
check_map(struct problems *problems, const char *path,
    struct json_object *value)
{
	if (!is_type(problems, path, value, json_type_object, "object"))
		return;
	json_object_object_foreach(value, key, item) {
		if (json_object_get_type(item) != json_type_string)
			problem(problems, "%s.%s: got %s, want string", path,
			    key, type_name(item));
	}
}

static void
check_member(struct problems *problems, const char *path,
    const struct shape_member *member, struct json_object *value)
{
	if (value == NULL && member->nullable)
		return;
	switch (member->type) {
	case SHAPE_STRING:
		check_string(problems, path, member, value);
		return;
	case SHAPE_INTEGER:
		check_integer(problems, path, member, value);
		return;
	case SHAPE_BOOLEAN:
		is_type(problems, path, value, json_type_boolean, "boolean");
		return;
	case SHAPE_STRINGS:
	case SHAPE_OBJECTS:
		check_array(problems, path, member, value);
		return;
	case SHAPE_MAP:
		check_map(problems, path, value);
		return;
	case SHAPE_OBJECT:
		check_object(problems, path, member->shape, value);
		return;
	}
}

static const struct shape_member *
find_member(const struct shape *shape, const char *name)
{
	for (size_t i = 0; i < shape->n; i++)
		if (str_is(str_from(name), shape->members[i].name))
			return &shape->members[i];
	return NULL;
}

static void
check_object(struct problems *problems, const char *path,
    const struct shape *shape, struct json_object *value)
{
	if (!is_type(problems, path, value, json_type_object, "object"))
		return;
	for (size_t i = 0; i < shape->n; i++)
		if (shape->members[i].required &&
		    !json_object_object_get_ex(value, shape->members[i].name,
		    NULL))
			problem(problems, "%s: missing property '%s'", path,
			    shape->members[i].name);
	if (shape->not_empty && json_object_object_length(value) == 0)
		problem(problems, "%s: minProperties: got 0, want 1", path);
	json_object_object_foreach(value, key, item) {
		const struct shape_member *member = find_member(shape, key);
		if (member == NULL)
			problem(problems,
			    "%s: additional properties '%s' not allowed",
			    path, key);
		else
			check_member(problems, arena_printf(problems->arena,
			    "%s.%s", path, key).data, member, item);
	}
}

void
shape_check(struct problems *problems, const struct shape *shape,
    struct json_object *value)
{
	check_object(problems, "$", shape, value);
}

bool
shape_is_cuda(struct str text)
{
	struct str minor, major = str_cut(text, '.', &minor);
	struct str parts[2] = { major, minor };

	for (int k = 0; k < 2; k++) {
		if (parts[k].len == 0)
			return false;
		for (size_t i = 0; i < parts[k].len; i++)
			if (parts[k].data[i] < '0' || parts[k].data[i] > '9')
				return false;
	}
	return true;
}

/* ^(ssh|ecdsa|sk)-[^\s]+ [^\s]+([ \t][^\n\r]*)?$ */
bool
shape_is_ssh_key(struct str text)
{
	struct str rest, type = str_cut(text, ' ', &rest);
	size_t i = 0;

	if (!str_starts(type, STR("ssh-")) &&
	    !str_starts(type, STR("ecdsa-")) &&
	    !str_starts(type, STR("sk-")))
		return false;
	if (type.data[type.len - 1] == '-' || str_find(type, '\t') >= 0)
		return false;
	if (str_find(text, '\n') >= 0 || str_find(text, '\r') >= 0)
		return false;
	while (i < rest.len && rest.data[i] != ' ' && rest.data[i] != '\t')
		i++;
	return i > 0;
}
