/* plan_seal.c - see plan_seal.h */
#include "ui/plan_seal.h"

#include <sha256.h>

struct seal {
	struct arena *arena;
	SHA2_CTX sha;
};

/* A letter for what it is, and its bytes with their number before them. */
static void
put(struct seal *seal, char what, struct str text)
{
	uint8_t head[9] = { (uint8_t)what };

	for (size_t i = 0; i < 8; i++)
		head[1 + i] = (uint8_t)(text.len >> (8 * i));
	SHA256Update(&seal->sha, head, sizeof head);
	if (text.len > 0)
		SHA256Update(&seal->sha, (const uint8_t *)text.data,
		    text.len);
}

/* As deep as the parser lets a document be. */
static void
put_value(struct seal *seal, struct json_value value, bool top)
{
	struct json_reader reader = { .arena = seal->arena, .where = "plan" };
	bool object = json_is(value, JSON_OBJECT);
	struct str text = {0};

	if (!object && !json_is(value, JSON_ARRAY)) {
		bool string = json_is(value, JSON_STRING);
		if (string)
			json_value_str(&reader, value, &text);
		put(seal, string ? '"' : '1', string ? text :
		    json_text(value));
		return;
	}
	put(seal, object ? '{' : '[', text);
	struct json_iter it = json_iter(value);
	while (json_next(&it)) {
		struct str key = object ? json_iter_key(seal->arena, &it) :
		    text;
		if (top && str_is(key, PLAN_SEAL))
			continue;
		if (object)
			put(seal, ':', key);
		put_value(seal, it.value, false);
	}
	put(seal, object ? '}' : ']', text);
}

struct str
plan_seal(struct arena *arena, struct json_value root)
{
	struct seal seal = { .arena = arena };
	char hex[SHA256_DIGEST_STRING_LENGTH];

	SHA256Init(&seal.sha);
	put_value(&seal, root, true);
	SHA256End(&seal.sha, hex);
	return arena_printf(arena, "sha256:%s", hex);
}
