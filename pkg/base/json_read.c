/* json_read.c - walking a document and typed reads; see json.h */
#include <string.h>

#include "base/json.h"
#include "base/json_node.h"
#include "base/units.h"

static const struct json_node *
node_of(struct json_value value)
{
	return value.at > 0 ? &value.doc->nodes[value.at - 1] : NULL;
}

struct json_value
json_root(const struct json *doc)
{
	return (struct json_value){ doc, doc->n > 0 ? 1 : 0 };
}

bool
json_exists(struct json_value value)
{
	return value.at > 0;
}

enum json_type
json_type(struct json_value value)
{
	return json_exists(value) ? node_type(node_of(value)) : JSON_NULL;
}

bool
json_is(struct json_value value, enum json_type type)
{
	return json_exists(value) && json_type(value) == type;
}

struct str
json_text(struct json_value value)
{
	const struct json_node *node = node_of(value);
	if (node == NULL)
		return (struct str){0};
	struct str text = { value.doc->text.data + node->start, node->len };
	if (node_type(node) == JSON_STRING) {
		text.data--;
		text.len += 2;
	}
	return text;
}

size_t
json_count(struct json_value value)
{
	struct json_iter it = json_iter(value);
	size_t n = 0;
	while (json_next(&it))
		n++;
	return n;
}

/* Is the raw text of a key with escapes the given text? */
static bool
escaped_is(struct str raw, struct str text)
{
	while (raw.len > 0) {
		char piece[4];
		size_t used, n = json_decode_one(raw, piece, &used);
		if (!str_starts(text, (struct str){ piece, n }))
			return false;
		text = str_sub(text, n, text.len);
		raw = str_sub(raw, used, raw.len);
	}
	return text.len == 0;
}

static bool
iter_key_is(const struct json_iter *it, struct str key)
{
	return it->key_escaped ? escaped_is(it->key, key)
			       : str_eq(it->key, key);
}

/* Decoders ask for every field of every object by its name, so the members
 * are walked on the tape itself. */
struct json_value
json_get(struct json_value object, const char *key)
{
	struct str name = str_from(key);

	if (!json_is(object, JSON_OBJECT))
		return (struct json_value){0};
	const struct json_node *nodes = object.doc->nodes;
	uint32_t end = node_next(node_of(object));
	for (uint32_t i = object.at; i < end; i = node_next(&nodes[i + 1])) {
		struct str raw = { object.doc->text.data + nodes[i].start,
			nodes[i].len };
		if (node_escaped(&nodes[i]) ? escaped_is(raw, name)
					    : str_eq(raw, name))
			return (struct json_value){ object.doc, i + 2 };
	}
	return (struct json_value){0};
}

struct json_iter
json_iter(struct json_value value)
{
	struct json_iter it = {
		.object_ = json_is(value, JSON_OBJECT),
		.next_ = { value.doc, value.at + 1 },
	};
	/* What is left is counted in nodes: those inside the container. */
	if (it.object_ || json_is(value, JSON_ARRAY))
		it.left_ = node_next(node_of(value)) - value.at;
	return it;
}

bool
json_next(struct json_iter *it)
{
	if (it->left_ == 0)
		return false;
	if (it->object_) {
		const struct json_node *key = node_of(it->next_);
		it->key = (struct str){ it->next_.doc->text.data + key->start,
			key->len };
		it->key_escaped = node_escaped(key);
		it->next_.at++;
		it->left_--;
	}
	it->value = it->next_;
	uint32_t after = node_next(node_of(it->value)) + 1;
	it->left_ -= after - it->value.at;
	it->next_.at = after;
	return true;
}

struct str
json_iter_key(struct arena *arena, const struct json_iter *it)
{
	return it->key_escaped ? json_unescape(arena, it->key) : it->key;
}

/* ------------------------------------------------------- typed reads ---- */

static void
fail(struct json_reader *reader, const char *key, const char *what,
    const char *after)
{
	if (reader->failed)
		return;
	const char *where = reader->where != NULL ? reader->where : "";
	const char *dot = where[0] != '\0' && key != NULL ? "." : "";
	if (key == NULL)
		key = where[0] != '\0' ? "" : "document";
	reader->failed = true;
	reader->why = arena_printf(reader->arena, "%s%s%s: %s%s", where, dot,
	    key, what, after);
}

void
json_fail(struct json_reader *reader, const char *key, const char *expected)
{
	fail(reader, key, expected, " expected");
}

/* The member, absent if it need not be there and is not; a missing one that
 * must be there is a failure. */
static struct json_value
member(struct json_reader *reader, struct json_value object, const char *key,
    enum json_need need)
{
	struct json_value value = json_get(object, key);

	if (need == NULLABLE && json_is(value, JSON_NULL))
		return (struct json_value){0};
	if (need == REQUIRED && !json_exists(value))
		fail(reader, key, "missing", "");
	return value;
}

static struct str
string_of(struct arena *arena, struct json_value value)
{
	const struct json_node *node = node_of(value);
	struct str raw = { value.doc->text.data + node->start, node->len };
	return node_escaped(node) ? json_unescape(arena, raw) : raw;
}

bool
json_read_str(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, struct str *out)
{
	struct json_value value = member(reader, object, key, need);

	*out = (struct str){0};
	if (!json_exists(value))
		return false;
	if (!json_is(value, JSON_STRING)) {
		json_fail(reader, key, "string");
		return false;
	}
	*out = string_of(reader->arena, value);
	return true;
}

bool
json_read_bool(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, bool *out)
{
	struct json_value value = member(reader, object, key, need);

	*out = false;
	if (!json_exists(value))
		return false;
	if (!json_is(value, JSON_TRUE) && !json_is(value, JSON_FALSE)) {
		json_fail(reader, key, "true or false");
		return false;
	}
	*out = json_is(value, JSON_TRUE);
	return true;
}

/* A number as the scanner accepts it, without fraction or exponent. */
static bool
whole_number(struct str text, int64_t *out)
{
	bool negative = str_starts(text, STR("-"));
	int64_t number = 0;

	for (size_t i = negative; i < text.len; i++) {
		int digit = text.data[i] - '0';
		if (digit < 0 || digit > 9)
			return false;
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, negative ? -digit : digit,
			&number))
			return false;
	}
	*out = number;
	return true;
}

bool
json_read_int(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, int64_t min, int64_t max,
    int64_t *out)
{
	struct json_value value = member(reader, object, key, need);
	int64_t number;

	*out = 0;
	if (!json_exists(value))
		return false;
	if (!json_is(value, JSON_NUMBER) ||
	    !whole_number(json_text(value), &number) || number < min ||
	    number > max) {
		json_fail(reader, key,
		    arena_printf(reader->arena,
			"whole number from %lld to %lld", (long long)min,
			(long long)max).data);
		return false;
	}
	*out = number;
	return true;
}

bool
json_read_usd(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, int64_t *microusd)
{
	struct json_value value = member(reader, object, key, need);
	int64_t number;

	*microusd = 0;
	if (!json_exists(value))
		return false;
	if (!json_is(value, JSON_NUMBER) ||
	    !parse_usd_number(json_text(value), &number) || number < 0) {
		json_fail(reader, key, "number from 0 to 1000000");
		return false;
	}
	*microusd = number;
	return true;
}

static bool
read_container(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, enum json_type type,
    struct json_value *out)
{
	struct json_value value = member(reader, object, key, need);

	*out = (struct json_value){0};
	if (!json_exists(value))
		return false;
	if (!json_is(value, type)) {
		json_fail(reader, key, type == JSON_ARRAY ? "array" : "object");
		return false;
	}
	*out = value;
	return true;
}

bool
json_read_array(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, struct json_value *out)
{
	return read_container(reader, object, key, need, JSON_ARRAY, out);
}

bool
json_read_object(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, struct json_value *out)
{
	return read_container(reader, object, key, need, JSON_OBJECT, out);
}

bool
json_value_str(struct json_reader *reader, struct json_value value,
    struct str *out)
{
	*out = (struct str){0};
	if (!json_is(value, JSON_STRING)) {
		json_fail(reader, NULL, "string");
		return false;
	}
	*out = string_of(reader->arena, value);
	return true;
}

bool
json_only_keys(struct json_reader *reader, struct json_value object,
    const char *const *keys)
{
	struct json_iter it = json_iter(object);

	if (!it.object_) {
		json_fail(reader, NULL, "object");
		return false;
	}
	while (json_next(&it)) {
		const char *const *key = keys;
		while (*key != NULL && !iter_key_is(&it, str_from(*key)))
			key++;
		if (*key == NULL) {
			struct str name = json_iter_key(reader->arena, &it);
			fail(reader, NULL, "unknown member ",
			    arena_printf(reader->arena, "'" STR_FMT "'",
				STR_ARG(name)).data);
			return false;
		}
	}
	return true;
}
