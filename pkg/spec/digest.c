/*
 * digest.c - what a spec means, as one number.
 *
 * Every field of every resource is written in the order of the tables, each
 * text after its length, and hashed.  A change of the tables changes all
 * digests, and then the number in spec_digest() changes too.  Defaults are
 * in it as if they had been written out; secrets are in it as references.
 */
#include <sha256.h>
#include <string.h>

#include "spec/tables.h"

/* Pieces are short: they are gathered before they are hashed. */
struct hash {
	SHA2_CTX sha;
	size_t n;
	uint8_t bytes[4096];
};

static void
flush(struct hash *hash)
{
	SHA256Update(&hash->sha, hash->bytes, hash->n);
	hash->n = 0;
}

/* Seven bits a byte, the lowest first. */
static void
add_number(struct hash *hash, int64_t number)
{
	uint64_t left = (uint64_t)number;

	if (sizeof hash->bytes - hash->n < 10)
		flush(hash);
	for (; left >= 0x80; left >>= 7)
		hash->bytes[hash->n++] = (uint8_t)(left | 0x80);
	hash->bytes[hash->n++] = (uint8_t)left;
}

static void
add(struct hash *hash, struct str text)
{
	add_number(hash, (int64_t)text.len);
	while (text.len > 0) {
		size_t room = sizeof hash->bytes - hash->n;
		size_t n = text.len < room ? text.len : room;
		memcpy(hash->bytes + hash->n, text.data, n);
		hash->n += n;
		text = str_sub(text, n, text.len);
		if (hash->n == sizeof hash->bytes)
			flush(hash);
	}
}

static void
add_text(struct hash *hash, const struct text *text)
{
	add_number(hash, (int64_t)text->nparts);
	if (text->nparts == 0)
		add(hash, text->raw);
	for (size_t i = 0; i < text->nparts; i++) {
		add_number(hash, text->parts[i].type);
		add(hash, text->parts[i].address);
		add(hash, text->parts[i].text);
	}
}

static void add_fields(struct hash *hash, const struct field *fields,
    const void *base);

static void
add_items(struct hash *hash, const struct field *field, const void *base)
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
add_env(struct hash *hash, const struct pod_spec *pod)
{
	add_number(hash, (int64_t)pod->nenv);
	for (size_t i = 0; i < pod->nenv; i++) {
		add(hash, pod->env[i].name);
		add_text(hash, &pod->env[i].value);
	}
}

static void
add_scalar(struct hash *hash, const struct field *field, const void *base)
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
add_fields(struct hash *hash, const struct field *fields, const void *base)
{
	for (const struct field *field = fields; field->name; field++) {
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
add_resource(struct hash *hash, const struct resource *resource)
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
finish(struct arena *arena, struct hash *hash)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char *text = arena_alloc(arena, 7 + 2 * sizeof digest + 1);

	flush(hash);
	SHA256Final(digest, &hash->sha);
	memcpy(text, "sha256:", 7);
	for (size_t i = 0; i < sizeof digest; i++) {
		text[7 + 2 * i] = "0123456789abcdef"[digest[i] >> 4];
		text[8 + 2 * i] = "0123456789abcdef"[digest[i] & 15];
	}
	return (struct str){ text, 7 + 2 * sizeof digest };
}

static void
add_secret(struct hash *hash, const struct secret_decl *secret)
{
	add(hash, secret->name);
	add_number(hash, (int64_t)secret->from);
	add(hash, secret->source);
	add_number(hash, (int64_t)secret->ncommand);
	for (size_t i = 0; i < secret->ncommand; i++)
		add(hash, secret->command[i]);
}

static void
add_list(struct hash *hash, const struct str *items, size_t n)
{
	add_number(hash, (int64_t)n);
	for (size_t i = 0; i < n; i++)
		add(hash, items[i]);
}

static void
add_policy(struct hash *hash, const struct policy *policy)
{
	add_number(hash, policy->max_price_per_pod);
	add_number(hash, policy->max_price_total);
	add_list(hash, policy->clouds, policy->nclouds);
	add_list(hash, policy->data_centers, policy->ndata_centers);
	add_list(hash, policy->regions, policy->nregions);
	add_list(hash, policy->images, policy->nimages);
	add_number(hash, policy->require_lease);
	add_number(hash, policy->require_protect);
	add_number(hash, policy->deny_public_tunnels);
}

struct str
spec_digest(struct arena *arena, const struct spec *spec)
{
	const struct resource *before = NULL;
	struct hash hash;

	SHA256Init(&hash.sha);
	hash.n = 0;
	add(&hash, STR("podform spec 1"));
	add(&hash, spec->project);
	add_number(&hash, spec->settings.budget_per_hour);
	add_number(&hash, spec->settings.parallelism);
	add_number(&hash, spec->settings.max_destroy);
	if (spec->settings.policy.at.source != 0)
		add_policy(&hash, &spec->settings.policy);
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
