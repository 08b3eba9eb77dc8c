/*
 * body.c - reading request bodies with json-c.
 *
 * json-c keeps the last of duplicate keys and accepts some text that is not
 * JSON; the strict flag and the check for trailing bytes are enough here,
 * since the model only has to be right about bodies that are well formed.
 */
#include "model/rest.h"
#include "model/shape.h"

#include <json-c/json.h>

enum { BODY_MAX = 4 << 20 };

/* false when text is not one JSON value; null is a value (NULL). */
static bool
parse(struct arena *arena, struct str text, struct json_object **value)
{
	struct json_tokener *tokener;
	struct str copy;
	size_t end;
	bool ok;

	*value = NULL;
	if (text.len == 0 || text.len > BODY_MAX)
		return false;
	tokener = json_tokener_new();
	if (tokener == NULL)
		fail_out_of_memory();
	json_tokener_set_flags(tokener,
	    JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* With its NUL, since only that ends a number. */
	copy = arena_str(arena, text);
	*value = json_tokener_parse_ex(tokener, copy.data,
	    (int)copy.len + 1);
	end = json_tokener_get_parse_end(tokener);
	ok = json_tokener_get_error(tokener) == json_tokener_success &&
	    (end >= text.len ||
	    str_trim(str_sub(text, end, text.len)).len == 0);
	json_tokener_free(tokener);
	if (!ok) {
		json_object_put(*value);
		*value = NULL;
	}
	return ok;
}

struct json_object *
rest_body(struct rest *rest, const struct shape *shape)
{
	struct problems problems = { .arena = rest->arena };
	struct json_object *value;

	if (!parse(rest->arena, rest->request->body, &value)) {
		rest_problem(rest, 400, "request body is not valid JSON");
		return NULL;
	}
	shape_check(&problems, shape, value);
	if (problems.list.n == 0)
		return value;
	json_object_put(value);
	rest_problem_reply(rest->arena, rest->reply, 422,
	    "Request validation failed.", problems.list.items,
	    problems.list.n);
	return NULL;
}

struct str
body_str(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    json_object_get_type(value) != json_type_string)
		return (struct str){0};
	return (struct str){ json_object_get_string(value),
		(size_t)json_object_get_string_len(value) };
}

int64_t
body_int(struct json_object *object, const char *key, int64_t otherwise)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return otherwise;
	return json_object_get_int64(value);
}

bool
body_bool(struct json_object *object, const char *key, bool otherwise)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return otherwise;
	return json_object_get_boolean(value);
}

struct json_object *
body_object(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

bool
body_has(struct json_object *object, const char *key)
{
	return json_object_object_get_ex(object, key, NULL);
}

bool
body_is_null(struct json_object *object, const char *key)
{
	return body_has(object, key) && body_object(object, key) == NULL;
}

size_t
body_strs(struct arena *arena, struct json_object *object, const char *key,
    struct str **out)
{
	struct json_object *value = body_object(object, key);
	size_t n = value == NULL ? 0 : json_object_array_length(value);

	*out = ARENA_ARRAY(arena, struct str, n);
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		(*out)[i] = arena_str(arena, (struct str){
		    json_object_get_string(item),
		    (size_t)json_object_get_string_len(item) });
	}
	return n;
}

size_t
body_env(struct arena *arena, struct json_object *object,
    struct model_env **out)
{
	struct json_object *map = body_object(object, "env");
	size_t n = 0;

	*out = NULL;
	if (map == NULL)
		return 0;
	*out = ARENA_ARRAY(arena, struct model_env,
	    (size_t)json_object_object_length(map));
	json_object_object_foreach(map, key, item) {
		(*out)[n].name = arena_str(arena, str_from(key));
		(*out)[n++].value = arena_str(arena, (struct str){
		    json_object_get_string(item),
		    (size_t)json_object_get_string_len(item) });
	}
	return n;
}
