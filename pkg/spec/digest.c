/*
 * digest.c - what a spec means, as one number.
 *
 * Every field of every resource is written in the order of the tables, with
 * its name and the length of its value, and hashed.  Defaults are in it as
 * if they had been written out; secrets are in it as references.
 */
#include <sha256.h>
#include <stdio.h>
#include <string.h>

#include "spec/tables.h"

static void
add(SHA2_CTX *hash, struct str text)
{
	char length[24];
	int n = snprintf(length, sizeof length, "%zu:", text.len);

	SHA256Update(hash, (const uint8_t *)length, (size_t)n);
	if (text.len > 0)
		SHA256Update(hash, (const uint8_t *)text.data, text.len);
}

static void
add_number(SHA2_CTX *hash, int64_t number)
{
	char digits[24];
	int n = snprintf(digits, sizeof digits, "%lld", (long long)number);

	add(hash, (struct str){ digits, (size_t)n });
}

static void
add_text(SHA2_CTX *hash, const struct text *text)
{
	static const char *const types[] = {
		[PART_TEXT] = "text", [PART_SECRET] = "secret",
		[PART_OUTPUT] = "output",
	};

	add_number(hash, (int64_t)text->nparts);
	if (text->nparts == 0)
		add(hash, text->raw);
	for (size_t i = 0; i < text->nparts; i++) {
		add(hash, str_from(types[text->parts[i].type]));
		add(hash, text->parts[i].address);
		add(hash, text->parts[i].text);
	}
}

static void add_fields(SHA2_CTX *hash, const struct field *fields,
    const void *base);

static void
add_items(SHA2_CTX *hash, const struct field *field, const void *base)
{
	const char *items = *(const char *const *)
	    (const void *)((const char *)base + field->offset);
	size_t n = *(const size_t *)
	    (const void *)((const char *)base + field->count);
	bool texts = field->flags & (FIELD_SECRETS | FIELD_OUTPUTS);

	add_number(hash, (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		if (field->type == FIELD_STRUCT_LIST)
			add_fields(hash, field->fields,
			    (const struct setup_step *)(const void *)items + i);
		else if (texts)
			add_text(hash,
			    (const struct text *)(const void *)items + i);
		else
			add(hash,
			    ((const struct str *)(const void *)items)[i]);
	}
}

static void
add_env(SHA2_CTX *hash, const struct pod_spec *pod)
{
	add_number(hash, (int64_t)pod->nenv);
	for (size_t i = 0; i < pod->nenv; i++) {
		add(hash, pod->env[i].name);
		add_text(hash, &pod->env[i].value);
	}
}

static void
add_scalar(SHA2_CTX *hash, const struct field *field, const void *base)
{
	const void *at = (const char *)base + field->offset;

	if (field->size == sizeof(struct text))
		add_text(hash, at);
	else if (field->size == sizeof(struct str))
		add(hash, *(const struct str *)at);
	else if (field->size == sizeof(bool))
		add_number(hash, *(const bool *)at);
	else if (field->size == sizeof(int))
		add_number(hash, *(const int *)at);
	else
		add_number(hash, *(const int64_t *)at);
}

static void
add_fields(SHA2_CTX *hash, const struct field *fields, const void *base)
{
	for (const struct field *field = fields; field->name; field++) {
		add(hash, str_from(field->name));
		switch (field->type) {
		case FIELD_STRUCT:
			add_fields(hash, field->fields, base);
			break;
		case FIELD_LIST:
		case FIELD_ONE_OR_LIST:
		case FIELD_STRUCT_LIST:
			add_items(hash, field, base);
			break;
		case FIELD_MAP:
			add_env(hash, base);
			break;
		default:
			add_scalar(hash, field, base);
		}
	}
}

static void
add_resource(SHA2_CTX *hash, const struct resource *resource)
{
	/* A tunnel's table is over the form that its spec begins. */
	const void *const bases[] = {
		[KIND_POD] = resource->pod, [KIND_RUNNER] = resource->runner,
		[KIND_TUNNEL] = resource->tunnel,
		[KIND_VOLUME] = resource->volume,
	};

	add(hash, str_from(kind_name(resource->kind)));
	add(hash, resource->name);
	add_fields(hash, kind_fields(resource->kind),
	    bases[resource->kind]);
}

static struct str
finish(struct arena *arena, SHA2_CTX *hash)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char *text = arena_alloc(arena, 7 + 2 * sizeof digest + 1);

	SHA256Final(digest, hash);
	memcpy(text, "sha256:", 7);
	for (size_t i = 0; i < sizeof digest; i++) {
		text[7 + 2 * i] = "0123456789abcdef"[digest[i] >> 4];
		text[8 + 2 * i] = "0123456789abcdef"[digest[i] & 15];
	}
	return (struct str){ text, 7 + 2 * sizeof digest };
}

struct str
spec_resource_digest(struct arena *arena, const struct resource *resource)
{
	SHA2_CTX hash;

	SHA256Init(&hash);
	add_resource(&hash, resource);
	return finish(arena, &hash);
}

static void
add_secret(SHA2_CTX *hash, const struct secret_decl *secret)
{
	add(hash, secret->name);
	add_number(hash, (int64_t)secret->from);
	add(hash, secret->source);
	add_number(hash, (int64_t)secret->ncommand);
	for (size_t i = 0; i < secret->ncommand; i++)
		add(hash, secret->command[i]);
}

struct str
spec_digest(struct arena *arena, const struct spec *spec)
{
	const struct resource *before = NULL;
	SHA2_CTX hash;

	SHA256Init(&hash);
	add(&hash, STR("podform spec 1"));
	add(&hash, spec->project);
	add_number(&hash, spec->settings.budget_per_hour);
	add_number(&hash, spec->settings.parallelism);
	add_number(&hash, spec->settings.max_destroy);
	for (size_t i = 0; i < spec->nsecrets; i++)
		add_secret(&hash, &spec->secrets[i]);
	for (size_t i = 0; i < spec->nresources; i++) {
		/* Replicas share one meaning. */
		const struct resource *resource = &spec->resources[i];
		if (before == NULL || before->kind != resource->kind ||
		    !str_eq(before->name, resource->name))
			add_resource(&hash, resource);
		before = resource;
	}
	return finish(arena, &hash);
}
