/* expand.c - from checked pods, volumes, runners, tunnels to resources */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "spec/load.h"

static int
by_pod(const void *a, const void *b)
{
	return str_cmp((*(struct pod_spec *const *)a)->name,
	    (*(struct pod_spec *const *)b)->name);
}

static int
by_volume(const void *a, const void *b)
{
	return str_cmp((*(struct volume_spec *const *)a)->name,
	    (*(struct volume_spec *const *)b)->name);
}

static int
by_runner(const void *a, const void *b)
{
	return str_cmp((*(struct runner_spec *const *)a)->name,
	    (*(struct runner_spec *const *)b)->name);
}

static int
by_tunnel(const void *a, const void *b)
{
	return str_cmp((*(struct tunnel_form *const *)a)->spec.name,
	    (*(struct tunnel_form *const *)b)->spec.name);
}

static int
by_secret(const void *a, const void *b)
{
	return str_cmp((*(struct secret_form *const *)a)->decl.name,
	    (*(struct secret_form *const *)b)->decl.name);
}

/* People mostly write things in order: look before sorting. */
static void
sort(void *items, size_t n, int (*order)(const void *a, const void *b))
{
	void **at = items;

	for (size_t i = 1; i < n; i++) {
		if (order(&at[i - 1], &at[i]) > 0) {
			qsort(items, n, sizeof *at, order);
			return;
		}
	}
}

/* ------------------------------------------------------------- needs ---- */

struct needs {
	const struct spec *spec;
	struct arena *scratch;
	bool outputs;		/* some text refers to an output */
	VEC_OF(const struct resource *) list;
};

static void
add_need(struct needs *needs, struct str address)
{
	const struct resource *resource = spec_find(needs->spec, address);

	for (size_t i = 0; i < needs->list.n; i++)
		if (needs->list.items[i] == resource)
			return;
	if (resource != NULL)
		*ARENA_PUSH(needs->scratch, &needs->list) = resource;
}

static void
add_outputs(void *ctx, const struct text *text)
{
	for (size_t i = 0; i < text->nparts; i++)
		if (text->parts[i].type == PART_OUTPUT)
			add_need(ctx, text->parts[i].address);
}

/* Addresses are looked up for every pod, so they are put together by hand;
 * names have at most 60 letters. */
static void
add_named(struct needs *needs, enum kind kind, struct str name, int64_t key)
{
	char text[96];
	struct str first = str_from(kind_name(kind));

	if (key >= 0) {
		add_need(needs, address_format(needs->scratch, kind, name,
		    key));
		return;
	}
	assert(first.len + 1 + name.len <= sizeof text);
	memcpy(text, first.data, first.len);
	text[first.len] = '.';
	memcpy(text + first.len + 1, name.data, name.len);
	add_need(needs, (struct str){ text, first.len + 1 + name.len });
}

static void
find_needs(struct needs *needs, struct arena *arena,
    struct resource *resource)
{
	needs->list.n = 0;
	switch (resource->kind) {
	case KIND_POD:
		if (resource->pod->volume.data != NULL)
			add_named(needs, KIND_VOLUME, resource->pod->volume,
			    -1);
		if (needs->outputs)
			pod_each_text(resource->pod, add_outputs, needs);
		break;
	case KIND_RUNNER:
		add_named(needs, KIND_POD, resource->runner->pod,
		    resource->key);
		break;
	case KIND_TUNNEL:
		add_named(needs, KIND_POD, resource->tunnel->pod, -1);
		break;
	case KIND_VOLUME:
	case KIND_COUNT:
		break;
	}
	if (needs->list.n == 0)
		return;
	resource->nneeds = needs->list.n;
	resource->needs = ARENA_ARRAY(arena, const struct resource *,
	    needs->list.n);
	memcpy(resource->needs, needs->list.items,
	    needs->list.n * sizeof *resource->needs);
}

/* ---------------------------------------------------------- resources --- */

static struct resource *
add(struct loader *loader, enum kind kind, struct str name, int64_t key,
    struct span span)
{
	struct spec *spec = loader->spec;
	struct resource *resource = &spec->resources[spec->nresources++];

	resource->kind = kind;
	resource->name = name;
	resource->key = key;
	resource->span = span;
	resource->address = address_format(loader->arena, kind, name, key);
	map_put(&spec->by_address, loader->arena, resource->address,
	    resource);
	return resource;
}

static size_t
count(const struct loader *loader)
{
	size_t n = loader->volumes.n + loader->tunnels.n;

	for (size_t i = 0; i < loader->pods.n; i++)
		n += (size_t)loader->pods.items[i]->replicas;
	for (size_t i = 0; i < loader->runners.n; i++)
		n += (size_t)loader->runners.items[i]->replicas;
	return n;
}

static void
add_all(struct loader *loader)
{
	for (size_t i = 0; i < loader->pods.n; i++) {
		const struct pod_spec *pod = loader->pods.items[i];
		for (int64_t key = 0; key < pod->replicas; key++)
			add(loader, KIND_POD, pod->name,
			    pod->replicas == 1 ? -1 : key, pod->span)->pod =
			    pod;
	}
	for (size_t i = 0; i < loader->runners.n; i++) {
		const struct runner_spec *runner = loader->runners.items[i];
		for (int64_t key = 0; key < runner->replicas; key++)
			add(loader, KIND_RUNNER, runner->name,
			    runner->replicas == 1 ? -1 : key,
			    runner->span)->runner = runner;
	}
	for (size_t i = 0; i < loader->tunnels.n; i++) {
		const struct tunnel_spec *tunnel =
		    &loader->tunnels.items[i]->spec;
		add(loader, KIND_TUNNEL, tunnel->name, -1,
		    tunnel->span)->tunnel = tunnel;
	}
	for (size_t i = 0; i < loader->volumes.n; i++) {
		const struct volume_spec *volume = loader->volumes.items[i];
		add(loader, KIND_VOLUME, volume->name, -1,
		    volume->span)->volume = volume;
	}
}

void
load_expand(struct loader *loader)
{
	struct spec *spec = loader->spec;
	struct needs needs = { .spec = spec, .scratch = &loader->scratch,
		.outputs = load_any_output(loader) };

	sort(loader->pods.items, loader->pods.n, by_pod);
	sort(loader->volumes.items, loader->volumes.n, by_volume);
	sort(loader->runners.items, loader->runners.n, by_runner);
	sort(loader->tunnels.items, loader->tunnels.n, by_tunnel);
	sort(loader->secrets.items, loader->secrets.n, by_secret);
	spec->nsecrets = loader->secrets.n;
	spec->secrets = ARENA_ARRAY(loader->arena, struct secret_decl,
	    spec->nsecrets);
	for (size_t i = 0; i < spec->nsecrets; i++)
		spec->secrets[i] = loader->secrets.items[i]->decl;
	spec->resources = ARENA_ARRAY(loader->arena, struct resource,
	    count(loader));
	add_all(loader);
	for (size_t i = 0; i < spec->nresources; i++)
		find_needs(&needs, loader->arena, &spec->resources[i]);
}
