/* decode.c - mappings, lists and maps; see decode.h.  Scalars: scalar.c */
#include "spec/decode.h"

#include <assert.h>
#include <string.h>

#include "spec/codes.h"

static bool decode_value(struct decoder *decoder, const struct field *field,
    const struct node *key, void *base, uint64_t *set);

/* Does reading go on after what was reported so far? */
static bool
enough(struct decoder *decoder)
{
	if (decoder->diags->errors < ERRORS_MAX)
		return false;
	decoder->reader->failed = true;
	diag_error(decoder->diags, E_TOO_MANY, NO_SPAN,
	    "too many errors; the rest was not read");
	return true;
}

/* A misspelt field is not missing too. */
static void
excuse(const struct mapping *mapping, const struct field *meant,
    uint32_t *excused)
{
	if (meant == NULL)
		return;
	*excused |= (uint32_t)1 << (meant - mapping->fields);
	if (mapping->set != NULL && meant->bit != 0)
		*mapping->set |= (uint64_t)1 << (meant->bit - 1);
}

/* The key of an entry must be a text, and no merge key. */
static bool
usable_key(struct decoder *decoder, const struct node *key)
{
	if (key->type != NODE_SCALAR) {
		struct span span = key->span;
		if (span.length == 0)
			span.length = 1;
		diag_error(decoder->diags, E_FEATURE, span,
		    "a key must be a text, not a %s",
		    key->type == NODE_MAP ? "mapping" : "list");
		return false;
	}
	if (key->plain && key->value.len == 2 && str_is(key->value, "<<")) {
		diag_error(decoder->diags, E_FEATURE, key->span,
		    "merge keys are not supported");
		diag_hint(decoder->diags, "put what all pods share under "
		    "defaults.pod");
		return false;
	}
	if (key->value.len == 0 && key->plain && !key->refused) {
		diag_error(decoder->diags, E_MISSING, key->span,
		    "a key is missing before the colon");
		return false;
	}
	return !key->refused;
}

/* Pass over a key that cannot be used, and its value. */
static bool
skip_entry(struct decoder *decoder, const struct node *key)
{
	struct node value;
	return yaml_skip(decoder->reader, key) &&
	    yaml_next(decoder->reader, &value) &&
	    yaml_skip(decoder->reader, &value);
}

void
decode_duplicate(struct decoder *decoder, const struct node *key,
    struct span first)
{
	diag_error(decoder->diags, E_DUPLICATE, key->span,
	    "'" STR_FMT "' is given twice: on line %u and on line %u",
	    STR_ARG(yaml_brief(decoder->diags, key->value)), first.line,
	    key->span.line);
	diag_related(decoder->diags, first, "first given here");
}

/* ------------------------------------------------------------ mappings -- */

enum { FIELDS_MAX = 32 };

static void
require(struct decoder *decoder, const struct mapping *mapping,
    uint32_t given)
{
	for (size_t i = 0; mapping->fields[i].name != NULL; i++) {
		const struct field *field = &mapping->fields[i];
		if (!(field->flags & FIELD_REQUIRED) || (given >> i & 1))
			continue;
		diag_error(decoder->diags, E_MISSING, mapping->place,
		    "%s has no '%s'", decode_words(decoder, mapping),
		    field->name);
		diag_hint(decoder->diags, "for example: %s: %s", field->name,
		    field->example);
	}
}

/* `name` is what the message calls it: "'gpu'" or "pod 'trainer'". */
static void
say_shape(struct decoder *decoder, const struct node *node,
    const char *name, const char *wanted)
{
	static const char *const found[] = {
		[NODE_SCALAR] = "a single value", [NODE_MAP] = "a mapping",
		[NODE_LIST] = "a list",
	};
	struct span span = node->span;

	if (node->type == NODE_SCALAR && node->plain && node->value.len == 0) {
		diag_error(decoder->diags, E_MISSING, span,
		    "%s has no value; it must be %s", name, wanted);
		return;
	}
	if (span.length == 0)
		span.length = 1;
	diag_error(decoder->diags, E_TYPE, span, "%s must be %s, found %s",
	    name, wanted, found[node->type]);
}

/* A value of the wrong shape: say so and pass over it. */
static bool
wrong_shape(struct decoder *decoder, const struct node *node,
    const char *name, const char *wanted)
{
	if (!node->refused)
		say_shape(decoder, node, name, wanted);
	return yaml_skip(decoder->reader, node);
}

/* The same for a field, with its example. */
static bool
wrong_field(struct decoder *decoder, const struct field *field,
    const struct node *node, const char *wanted)
{
	if (node->refused)
		return yaml_skip(decoder->reader, node);
	struct str name = arena_printf(decoder->scratch, "'%s'",
	    field->name);
	say_shape(decoder, node, name.data, wanted);
	if (field->example != NULL)
		diag_hint(decoder->diags, "for example: %s: %s", field->name,
		    field->example);
	return yaml_skip(decoder->reader, node);
}

bool
decode_mapping(struct decoder *decoder, const struct node *first,
    const struct mapping *mapping)
{
	struct span seen[FIELDS_MAX];	/* of the keys whose bit is set */
	uint32_t given = 0, excused = 0;
	struct node key;
	size_t hint = 0;

	if (first->type != NODE_MAP || first->refused)
		return wrong_shape(decoder, first,
		    decode_words(decoder, mapping), "a mapping");
	for (;;) {
		if (!yaml_next(decoder->reader, &key))
			return false;
		if (key.type == NODE_MAP_END)
			break;
		if (enough(decoder))
			return false;
		const struct field *field = NULL;
		if (usable_key(decoder, &key)) {
			field = decode_find(mapping->fields, key.value, &hint);
			if (field == NULL)
				excuse(mapping, decode_unknown(decoder,
				    mapping, &key), &excused);
		}
		if (field == NULL) {
			if (!skip_entry(decoder, &key))
				return false;
			continue;
		}
		size_t i = (size_t)(field - mapping->fields);
		assert(i < FIELDS_MAX);
		if (given >> i & 1) {
			decode_duplicate(decoder, &key, seen[i]);
			if (!skip_entry(decoder, &key))
				return false;
			continue;
		}
		seen[i] = key.span;
		given |= (uint32_t)1 << i;
		if (!decode_value(decoder, field, &key, mapping->base,
		    mapping->set))
			return false;
	}
	if (mapping->required)
		require(decoder, mapping, given | excused);
	return true;
}

/* --------------------------------------------------------------- lists -- */

/*
 * The items of a list while it is read; they are copied to the arena at
 * their true number, so that ten thousand small lists stay small.
 */
struct items {
	size_t n, size;
	VEC_OF(char) bytes;
	VEC_OF(struct span) places;
};

static size_t
item_size(const struct field *field)
{
	if (field->type == FIELD_STRUCT_LIST)
		return sizeof(struct setup_step);
	return field->flags & (FIELD_SECRETS | FIELD_OUTPUTS)
	    ? sizeof(struct text) : sizeof(struct str);
}

static void
store_list(struct decoder *decoder, const struct field *field, void *base,
    const void *items, const struct span *places, size_t n)
{
	size_t size = item_size(field);
	void *copy = arena_array(decoder->arena, n, size);

	if (n > 0)
		memcpy(copy, items, n * size);
	*(void **)((char *)base + field->offset) = copy;
	*(size_t *)((char *)base + field->count) = n;
	if (field->places == 0)
		return;
	struct span *at = ARENA_ARRAY(decoder->arena, struct span, n);
	if (n > 0)
		memcpy(at, places, n * sizeof *at);
	*(struct span **)((char *)base + field->places) = at;
}

/* An item that is there already is refused, naming its first place. */
static bool
is_repeated(struct decoder *decoder, const struct field *field,
    const struct str *items, const struct span *places, size_t n,
    const struct node *node)
{
	if (!(field->flags & FIELD_UNIQUE))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(items[i], items[n]))
			continue;
		diag_error(decoder->diags, E_LIST, node->span,
		    "'" STR_FMT "' is in '%s' already", STR_ARG(items[n]),
		    field->name);
		diag_related(decoder->diags, places[i], "first given here");
		return true;
	}
	return false;
}

enum { LIST_MAX = 100 };

union item {
	struct str str;
	struct text text;
	struct setup_step step;
};

/* One item into `at`; *good when it can be used. */
static bool
decode_item(struct decoder *decoder, const struct field *field,
    const struct node *node, void *at, bool *good)
{
	*good = false;
	if (field->type == FIELD_STRUCT_LIST) {
		struct setup_step *step = at;
		size_t errors = decoder->diags->errors;
		*step = (struct setup_step){ .span = node->span };
		bool ok = decode_mapping(decoder, node, &(struct mapping){
		    .fields = field->fields, .base = step, .what =
		    "a setup step", .place = node->span, .required = true });
		*good = decoder->diags->errors == errors;
		return ok;
	}
	if (node->type != NODE_SCALAR)
		return wrong_field(decoder, field, node,
		    "a list of single values");
	*good = decode_scalar(decoder, field, node, at);
	return true;
}

static bool
decode_list(struct decoder *decoder, const struct field *field,
    const struct node *first, void *base)
{
	size_t size = item_size(field), n = 0;
	struct span places[LIST_MAX];
	_Alignas(16) char items[LIST_MAX * sizeof(union item)];
	struct node node;
	bool good, told = false;

	assert(field->max <= LIST_MAX);
	for (;;) {
		if (!yaml_next(decoder->reader, &node))
			return false;
		if (node.type == NODE_LIST_END)
			break;
		if (enough(decoder))
			return false;
		if ((int64_t)n >= field->max) {
			if (!told)
				diag_error(decoder->diags, E_LIST, node.span,
				    "'%s' has more than %lld items",
				    field->name, (long long)field->max);
			told = true;
			if (!yaml_skip(decoder->reader, &node))
				return false;
			continue;
		}
		if (!decode_item(decoder, field, &node, items + n * size,
		    &good))
			return false;
		places[n] = node.span;
		if (good && !is_repeated(decoder, field, (void *)items,
		    places, n, &node))
			n++;
		told |= !good;
	}
	if ((int64_t)n < field->min && !told)
		diag_error(decoder->diags, E_LIST, first->span,
		    "'%s' needs at least one item", field->name);
	store_list(decoder, field, base, items, places, n);
	return true;
}

/* ----------------------------------------------------------------- env -- */

static int
by_name(const void *a, const void *b)
{
	const struct spec_env *x = a, *y = b;
	return str_cmp(x->name, y->name);
}

static bool
env_name_fits(struct decoder *decoder, const struct node *key)
{
	if (!form_env_name.fits(key->value)) {
		diag_error(decoder->diags, E_NAME, key->span,
		    "the name of an environment variable %s, found '"
		    STR_FMT "'", form_env_name.words,
		    STR_ARG(yaml_brief(decoder->diags, key->value)));
		return false;
	}
	if (str_is(key->value, "PODFORM_MARK")) {
		diag_error(decoder->diags, E_NAME, key->span,
		    "PODFORM_MARK is podform's own: it says whose a pod is");
		return false;
	}
	return true;
}

/* One variable; *env is filled when it can be used. */
static bool
decode_env_entry(struct decoder *decoder, const struct field *field,
    const struct node *key, struct spec_env *env, bool *good)
{
	struct node value;

	*good = false;
	if (!yaml_next(decoder->reader, &value))
		return false;
	*env = (struct spec_env){ .name = key->value, .span = key->span };
	struct str name = yaml_brief(decoder->diags, key->value);
	if (value.type != NODE_SCALAR)
		return wrong_shape(decoder, &value, arena_printf(
		    decoder->scratch, "'" STR_FMT "'", STR_ARG(name)).data,
		    "a single value");
	/* The name of the variable is what messages should say. */
	if (value.plain && value.value.len == 0 && !value.refused) {
		diag_error(decoder->diags, E_MISSING, value.span,
		    "the variable '" STR_FMT "' has no value",
		    STR_ARG(name));
		diag_hint(decoder->diags, "write '' for an empty text");
		return true;
	}
	*good = decode_scalar(decoder, field, &value, &env->value);
	return true;
}

static bool
decode_env(struct decoder *decoder, const struct field *field,
    const struct node *first, void *base)
{
	struct spec_env env[LIST_MAX];
	struct node key;
	size_t n = 0;
	bool good, told = false;

	(void)first;
	assert(field->max < LIST_MAX);
	for (;;) {
		if (!yaml_next(decoder->reader, &key))
			return false;
		if (key.type == NODE_MAP_END)
			break;
		if (enough(decoder))
			return false;
		bool use = usable_key(decoder, &key) &&
		    env_name_fits(decoder, &key);
		for (size_t i = 0; use && i < n; i++) {
			if (str_eq(env[i].name, key.value)) {
				decode_duplicate(decoder, &key, env[i].span);
				use = false;
			}
		}
		if (use && (int64_t)n >= field->max) {
			if (!told)
				diag_error(decoder->diags, E_LIST, key.span,
				    "'%s' has more than %lld entries",
				    field->name, (long long)field->max);
			told = true;
			use = false;
		}
		if (!use) {
			if (!skip_entry(decoder, &key))
				return false;
			continue;
		}
		if (!decode_env_entry(decoder, field, &key, &env[n], &good))
			return false;
		n += good;
	}
	qsort(env, n, sizeof *env, by_name);
	struct spec_env *copy = ARENA_ARRAY(decoder->arena, struct spec_env,
	    n);
	memcpy(copy, env, n * sizeof *copy);
	*(void **)((char *)base + field->offset) = copy;
	*(size_t *)((char *)base + field->count) = n;
	return true;
}

/* ------------------------------------------------------------ sections -- */

/* A map from names to structs: each entry goes to the section function. */
static bool
decode_section(struct decoder *decoder, const struct field *field)
{
	struct node key;

	for (;;) {
		if (!yaml_next(decoder->reader, &key))
			return false;
		if (key.type == NODE_MAP_END)
			return true;
		if (enough(decoder))
			return false;
		bool use = usable_key(decoder, &key);
		if (use && (!field->form->fits(key.value) ||
		    key.value.len > 60)) {
			diag_error(decoder->diags, E_NAME, key.span,
			    "a name under '%s' %s, and have at most 60 "
			    "letters; found '" STR_FMT "'", field->name,
			    field->form->words,
			    STR_ARG(yaml_brief(decoder->diags,
				key.value)));
			use = false;
		}
		if (!(use ? decoder->section(decoder->ctx, decoder, field,
		    &key) : skip_entry(decoder, &key)))
			return false;
	}
}

/* -------------------------------------------------------------- values -- */

static bool
decode_struct(struct decoder *decoder, const struct field *field,
    const struct node *key, const struct node *node, void *base,
    uint64_t *set)
{
	/* The pod of defaults.pod is a struct of its own, and whole pods
	 * have their required fields checked after merging. */
	bool pod = field->fields == pod_fields;
	struct mapping mapping = { .fields = field->fields, .base = base,
		.set = set, .place = key->span, .required = set == NULL };

	mapping.what = field->fields == pod_fields ? "defaults.pod"
	    : field->name;
	if (pod) {
		mapping.base = decoder->defaults;
		mapping.set = &decoder->defaults->set;
		mapping.required = false;
	}
	return decode_mapping(decoder, node, &mapping);
}

/* A field's value by its shape. */
static bool
decode_shape(struct decoder *decoder, const struct field *field,
    const struct node *key, const struct node *node, void *base,
    uint64_t *set)
{
	switch (field->type) {
	case FIELD_STRUCT:
		if (node->type != NODE_MAP || node->refused)
			break;
		return decode_struct(decoder, field, key, node, base, set);
	case FIELD_MAP:
		if (node->type != NODE_MAP || node->refused)
			break;
		return field->items == FIELD_STRUCT
		    ? decode_section(decoder, field)
		    : decode_env(decoder, field, node, base);
	case FIELD_ONE_OR_LIST:
		if (node->type == NODE_SCALAR) {
			struct str one;
			if (decode_scalar(decoder, field, node, &one))
				store_list(decoder, field, base, &one,
				    &node->span, 1);
			return true;
		}
		/* fall through */
	case FIELD_LIST:
	case FIELD_STRUCT_LIST:
		if (node->type != NODE_LIST || node->refused)
			break;
		return decode_list(decoder, field, node, base);
	default:
		if (node->type != NODE_SCALAR)
			break;
		decode_scalar(decoder, field, node, base);
		return true;
	}
	return wrong_field(decoder, field, node,
	    field_words(decoder->diags->arena, field, field->type).data);
}

static bool
decode_value(struct decoder *decoder, const struct field *field,
    const struct node *key, void *base, uint64_t *set)
{
	struct node node;

	if (!yaml_next(decoder->reader, &node))
		return false;
	if (set != NULL && field->bit != 0)
		*set |= (uint64_t)1 << (field->bit - 1);
	if (field->place == 0)
		return decode_shape(decoder, field, key, &node, base, set);
	struct span *place = (struct span *)(void *)
	    ((char *)base + field->place);
	/* A block collection has no extent: its key stands for it. */
	*place = node.span.length > 0 ? node.span : key->span;
	bool ok = decode_shape(decoder, field, key, &node, base, set);
	const struct yaml_reader *reader = decoder->reader;
	if (ok && node.flow && reader->end_line == place->line)
		place->length = reader->end_offset - place->offset;
	return ok;
}

void
decode_fallbacks(struct decoder *decoder, const struct field *fields,
    void *base)
{
	for (const struct field *field = fields; field->name; field++) {
		if (field->type == FIELD_STRUCT && field->fields != pod_fields)
			decode_fallbacks(decoder, field->fields, base);
		if (field->fallback == NULL || field->type == FIELD_LIST)
			continue;
		struct node node = { .type = NODE_SCALAR, .plain = true,
			.value = str_from(field->fallback) };
		bool ok = decode_scalar(decoder, field, &node, base);
		assert(ok);
		(void)ok;
	}
}
