/*
 * fuzz_json.c - the strict scanner: what it accepts it can read again.
 *
 * Beside the sanitizers' promises: every string of an accepted document can
 * be unescaped, and what is written from the tape scans once more.
 */
#include "base/json.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
visit(struct arena *arena, struct json_value value, unsigned depth)
{
	struct json_reader reader = { .arena = arena, .where = "fuzz" };
	size_t n = 1;
	struct str text;

	assert(depth <= 32);
	if (json_type(value) == JSON_STRING) {
		bool ok = json_value_str(&reader, value, &text);
		assert(ok && !reader.failed);
	}
	if (json_type(value) != JSON_ARRAY && json_type(value) != JSON_OBJECT)
		return n;
	size_t count = 0;
	struct json_iter it = json_iter(value);
	while (json_next(&it)) {
		if (json_type(value) == JSON_OBJECT)
			json_iter_key(arena, &it);
		n += visit(arena, it.value, depth + 1);
		count++;
	}
	assert(count == json_count(value));
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct json doc, again;
	struct json_error error = {0};
	struct str text = { (const char *)data, size };

	if (json_parse(&arena, text, (struct json_limits){0}, &doc, &error)) {
		visit(&arena, json_root(&doc), 0);
		/* A value's own text is a document. */
		bool ok = json_parse(&arena, json_text(json_root(&doc)),
		    (struct json_limits){0}, &again, &error);
		assert(ok);
	} else {
		assert(error.reason != NULL && error.offset <= size);
	}
	arena_release(&arena);
	return 0;
}
