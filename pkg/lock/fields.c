/* fields.c - see fields.h */
#include "lock/fields.h"

#include <assert.h>
#include <string.h>

#include "base/units.h"

/* VEC_OF() of any type: their layout is the same. */
struct any_vec {
	void *items;
	size_t n, cap;
};

static const void *
member_of(const void *object, size_t offset)
{
	return (const char *)object + offset;
}

/* Copies, since the tables know offsets and not types. */
#define LOAD(type, object, offset) \
	(*(const type *)memcpy(&(type){ 0 }, member_of(object, offset), \
	    sizeof(type)))

static void
store(void *object, size_t offset, const void *value, size_t size)
{
	memcpy((char *)object + offset, value, size);
}

static bool
applies(const struct lock_field *field, const void *object)
{
	unsigned only = field->flags &
	    (FIELD_POD_ONLY | FIELD_VOLUME_ONLY | FIELD_RUNNER_ONLY);
	if (only == 0)
		return true;
	enum kind kind = ((const struct lock_entry *)object)->kind;
	return kind == (only == FIELD_POD_ONLY ? KIND_POD :
	    only == FIELD_VOLUME_ONLY ? KIND_VOLUME : KIND_RUNNER);
}

static bool
is_zero(const void *bytes, size_t n)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < n; i++)
		if (at[i] != 0)
			return false;
	return true;
}

/* ---------------------------------------------------------- writing ---- */

static void
put_time(struct json_writer *w, const struct lock_field *field, int64_t ms)
{
	struct arena scratch = { 0 };
	json_key_str(w, field->key);
	json_put_str(w, format_time(&scratch, ms));
	arena_release(&scratch);
}

static void
put_strs(struct json_writer *w, const struct lock_field *field,
    const void *object)
{
	const struct str *items = LOAD(struct str *, object, field->offset);
	size_t n = LOAD(size_t, object, field->count);
	if (n == 0)
		return;
	json_key_str(w, field->key);
	json_begin_inline(w, '[');
	for (size_t i = 0; i < n; i++)
		json_put_str(w, items[i]);
	json_end(w, ']');
}

/*
 * A value that came from a secret is its reference.  Should a caller hand
 * us one that is not, it stays out of the file all the same.
 */
static struct str
env_reference(const struct env_var *var)
{
	return str_search(var->value, STR("${secret.")) >= 0 ? var->value :
	    STR("(not kept)");
}

static void
put_env(struct json_writer *w, const struct lock_field *field,
    const void *object)
{
	const struct env_var *env =
	    LOAD(struct env_var *, object, field->offset);
	size_t n = LOAD(size_t, object, field->count);
	if (n == 0)
		return;
	json_key_str(w, field->key);
	json_begin(w, '{');
	for (size_t i = 0; i < n; i++) {
		json_key_str(w, env[i].name);
		if (env[i].sensitive) {
			json_begin_inline(w, '{');
			json_key(w, "secret");
			json_put_str(w, env_reference(&env[i]));
			json_end(w, '}');
		} else {
			json_put_str(w, env[i].value);
		}
	}
	json_end(w, '}');
}

static void
put_list(struct json_writer *w, const struct lock_field *field,
    const void *object)
{
	struct any_vec list = LOAD(struct any_vec, object, field->offset);
	if (list.n == 0)
		return;
	json_key_str(w, field->key);
	json_begin(w, '[');
	for (size_t i = 0; i < list.n; i++) {
		json_begin(w, '{');
		fields_put(w, field->shape, member_of(list.items,
		    i * field->size));
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void
put_str(struct json_writer *w, const struct lock_field *field, struct str text)
{
	if (text.data == NULL && !(field->flags & FIELD_ALWAYS))
		return;
	json_key_str(w, field->key);
	json_put_str(w, text);
}

static void
put_int(struct json_writer *w, const struct lock_field *field, int64_t number)
{
	if (number == 0 && !(field->flags & FIELD_ALWAYS))
		return;
	json_key_str(w, field->key);
	json_put_int(w, number);
}

static void
put_choice(struct json_writer *w, const struct lock_field *field, int value)
{
	if (value == 0 && !(field->flags & FIELD_ALWAYS))
		return;
	json_key_str(w, field->key);
	json_put_str(w, str_from(field->choices[value]));
}

static void
put_field(struct json_writer *w, const struct lock_field *field,
    const void *object)
{
	switch (field->type) {
	case FIELD_STR:
		put_str(w, field, LOAD(struct str, object, field->offset));
		return;
	case FIELD_INT:
		put_int(w, field, LOAD(int64_t, object, field->offset));
		return;
	case FIELD_BOOL:
		if (LOAD(bool, object, field->offset)) {
			json_key_str(w, field->key);
			json_put_bool(w, true);
		}
		return;
	case FIELD_PRICE:
		if (LOAD(int64_t, object, field->offset) >= 0) {
			json_key_str(w, field->key);
			json_put_usd(w, LOAD(int64_t, object, field->offset));
		}
		return;
	case FIELD_TIME:
		put_time(w, field, LOAD(int64_t, object, field->offset));
		return;
	case FIELD_ID: {
		struct id128 id = LOAD(struct id128, object, field->offset);
		if (id.hex[0] != '\0' || field->flags & FIELD_ALWAYS) {
			json_key_str(w, field->key);
			json_put_str(w, id128_str(&id));
		}
		return;
	}
	case FIELD_CHOICE:
		put_choice(w, field, LOAD(int, object, field->offset));
		return;
	case FIELD_STRS:
		put_strs(w, field, object);
		return;
	case FIELD_ENV:
		put_env(w, field, object);
		return;
	case FIELD_OBJECT:
		if ((field->flags & FIELD_NOT_EMPTY) &&
		    is_zero(member_of(object, field->offset), field->size))
			return;
		json_key_str(w, field->key);
		json_begin(w, '{');
		fields_put(w, field->shape, member_of(object, field->offset));
		json_end(w, '}');
		return;
	case FIELD_LIST:
		put_list(w, field, object);
		return;
	}
	assert(false && "a type of field");
}

void
fields_put(struct json_writer *w, const struct lock_shape *shape,
    const void *object)
{
	for (size_t i = 0; i < shape->n; i++)
		if (applies(&shape->fields[i], object))
			put_field(w, &shape->fields[i], object);
}

/* ---------------------------------------------------------- reading ---- */

static void
refuse(struct json_reader *reader, const struct lock_shape *shape,
    struct str key, const char *why)
{
	if (reader->failed)
		return;
	reader->failed = true;
	reader->why = arena_printf(reader->arena, "%s: '" STR_FMT "' %s",
	    shape->what, STR_ARG(key), why);
}

static bool
get_int(struct json_value value, int64_t *out)
{
	struct str text = json_text(value);
	if (!json_is(value, JSON_NUMBER))
		return false;
	if (!str_starts(text, STR("-")))
		return parse_int(text, 0, INT64_MAX, out);
	if (!parse_int(str_sub(text, 1, text.len), 0, INT64_MAX, out))
		return false;
	*out = -*out;
	return true;
}

/* Text of a string member, or false for another type. */
static bool
get_text(struct json_reader *reader, struct json_value value, struct str *out)
{
	if (!json_is(value, JSON_STRING))
		return false;
	json_value_str(reader, value, out);
	return true;
}

static bool
get_price(struct json_value value, int64_t *out)
{
	return json_is(value, JSON_NUMBER) &&
	    parse_usd_number(json_text(value), out) && *out >= 0;
}

static bool
get_id(struct str text, struct id128 *id)
{
	*id = (struct id128){ 0 };
	return text.len == 0 || id128_parse(text, id);
}

static bool
get_choice(const struct lock_field *field, struct str text, void *object)
{
	for (int i = 0; field->choices[i] != NULL; i++)
		if (str_is(text, field->choices[i])) {
			store(object, field->offset, &i, sizeof i);
			return true;
		}
	return false;
}

static bool
get_strs(struct json_reader *reader, const struct lock_field *field,
    struct json_value value, void *object)
{
	size_t n = json_count(value), i = 0;
	struct str *items = ARENA_ARRAY(reader->arena, struct str, n);
	struct json_iter it = json_iter(value);

	if (!json_is(value, JSON_ARRAY))
		return false;
	while (json_next(&it))
		if (!get_text(reader, it.value, &items[i++]))
			return false;
	store(object, field->offset, &items, sizeof items);
	store(object, field->count, &n, sizeof n);
	return true;
}

static bool
get_env(struct json_reader *reader, const struct lock_field *field,
    struct json_value value, void *object)
{
	size_t n = json_count(value), i = 0;
	struct env_var *env = ARENA_ARRAY(reader->arena, struct env_var, n);
	struct json_iter it = json_iter(value);

	if (!json_is(value, JSON_OBJECT))
		return false;
	for (; json_next(&it); i++) {
		struct json_value text = it.value;
		env[i].name = it.key_escaped ?
		    json_iter_key(reader->arena, &it) : it.key;
		if (json_is(text, JSON_OBJECT)) {
			env[i].sensitive = true;
			text = json_get(text, "secret");
		}
		if (!get_text(reader, text, &env[i].value))
			return false;
	}
	store(object, field->offset, &env, sizeof env);
	store(object, field->count, &n, sizeof n);
	return true;
}

static bool
get_list(struct json_reader *reader, const struct lock_field *field,
    struct json_value value, void *object)
{
	struct any_vec list = { .n = json_count(value) };
	struct json_iter it = json_iter(value);

	if (!json_is(value, JSON_ARRAY))
		return false;
	list.cap = list.n;
	list.items = arena_array(reader->arena, list.n, field->size);
	char *item = list.items;
	for (; !reader->failed && json_next(&it); item += field->size)
		fields_get(reader, field->shape, it.value, item, NULL);
	store(object, field->offset, &list, sizeof list);
	return true;
}

static bool
get_scalar(struct json_reader *reader, const struct lock_field *field,
    struct json_value value, void *object)
{
	struct str text = { 0 };
	int64_t number = 0;
	struct id128 id;
	bool truth = json_is(value, JSON_TRUE);

	switch (field->type) {
	case FIELD_INT:
	case FIELD_PRICE:
		if (!(field->type == FIELD_INT ? get_int(value, &number) :
		    get_price(value, &number)))
			return false;
		store(object, field->offset, &number, sizeof number);
		return true;
	case FIELD_BOOL:
		store(object, field->offset, &truth, sizeof truth);
		return truth || json_is(value, JSON_FALSE);
	case FIELD_STR:
		if (!get_text(reader, value, &text))
			return false;
		store(object, field->offset, &text, sizeof text);
		return true;
	case FIELD_TIME:
		if (!get_text(reader, value, &text) ||
		    !parse_time(text, &number))
			return false;
		store(object, field->offset, &number, sizeof number);
		return true;
	case FIELD_ID:
		if (!get_text(reader, value, &text) || !get_id(text, &id))
			return false;
		store(object, field->offset, &id, sizeof id);
		return true;
	default:
		assert(field->type == FIELD_CHOICE);
		return get_text(reader, value, &text) &&
		    get_choice(field, text, object);
	}
}

static void
get_field(struct json_reader *reader, const struct lock_shape *shape,
    const struct lock_field *field, struct json_value value, void *object)
{
	bool ok;
	switch (field->type) {
	case FIELD_STRS:
		ok = get_strs(reader, field, value, object);
		break;
	case FIELD_ENV:
		ok = get_env(reader, field, value, object);
		break;
	case FIELD_OBJECT:
		fields_get(reader, field->shape, value,
		    (char *)object + field->offset, NULL);
		return;
	case FIELD_LIST:
		ok = get_list(reader, field, value, object);
		break;
	default:
		ok = get_scalar(reader, field, value, object);
	}
	if (!ok)
		refuse(reader, shape, field->key, "has a value of another kind "
		    "than expected");
}

/*
 * The field of a key.  Files are written in the order of the table, so it is
 * nearly always the one that comes next.
 */
static const struct lock_field *
find_field(const struct lock_shape *shape, struct str key, size_t *next)
{
	for (size_t tried = 0, i = *next; tried < shape->n; tried++, i++) {
		if (i >= shape->n)
			i = 0;
		if (str_eq(shape->fields[i].key, key)) {
			*next = i + 1;
			return &shape->fields[i];
		}
	}
	return NULL;
}

/* A price that is not there is not known. */
static void
set_defaults(const struct lock_shape *shape, void *object)
{
	const int64_t unknown = -1;
	for (size_t i = 0; i < shape->n; i++)
		if (shape->fields[i].type == FIELD_PRICE)
			store(object, shape->fields[i].offset, &unknown,
			    sizeof unknown);
}

void
fields_get(struct json_reader *reader, const struct lock_shape *shape,
    struct json_value value, void *object, const char *extra)
{
	uint32_t seen = 0;
	size_t next = 0;

	assert(shape->n <= 32);
	if (!json_is(value, JSON_OBJECT)) {
		refuse(reader, shape, STR(""), "is not an object");
		return;
	}
	set_defaults(shape, object);
	struct json_iter it = json_iter(value);
	while (!reader->failed && json_next(&it)) {
		const struct lock_field *field =
		    find_field(shape, it.key, &next);
		if (field != NULL) {
			seen |= UINT32_C(1) << (field - shape->fields);
			get_field(reader, shape, field, it.value, object);
		} else if (extra == NULL || !str_is(it.key, extra)) {
			refuse(reader, shape, it.key, "is not known here");
		}
	}
	for (size_t i = 0; i < shape->n; i++)
		if (shape->fields[i].flags & FIELD_ALWAYS &&
		    !(seen & UINT32_C(1) << i))
			refuse(reader, shape, shape->fields[i].key,
			    "is missing");
}
