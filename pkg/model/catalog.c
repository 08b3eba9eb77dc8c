/* catalog.c - see catalog.h: finding rows, and what is free at first. */
#include <assert.h>

#include "model/catalog.h"

#include "base/arena.h"

const struct model_gpu *
model_gpu_find(struct str id)
{
	for (size_t i = 0; i < model_ngpus; i++)
		if (str_is(id, model_gpus[i].id))
			return &model_gpus[i];
	return NULL;
}

const struct model_place *
model_place_find(struct str id)
{
	for (size_t i = 0; i < model_nplaces; i++)
		if (str_is(id, model_places[i].id))
			return &model_places[i];
	return NULL;
}

const struct model_cpu *
model_cpu_find(struct str id)
{
	for (size_t i = 0; i < model_ncpus; i++)
		if (str_is(id, model_cpus[i].id))
			return &model_cpus[i];
	return NULL;
}

/* The number text begins with; *text moves behind it and one dot. */
static int64_t
take_number(struct str *text)
{
	int64_t n = 0;
	size_t i = 0;

	while (i < text->len && text->data[i] >= '0' &&
	    text->data[i] <= '9' && n < 1000000)
		n = n * 10 + (text->data[i++] - '0');
	if (i < text->len && text->data[i] == '.')
		i++;
	*text = (struct str){ text->data + i, text->len - i };
	return n;
}

int
model_cuda_cmp(struct str a, struct str b)
{
	for (int part = 0; part < 2; part++) {
		int64_t x = take_number(&a), y = take_number(&b);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/* A number that is always the same for the same pair of rows. */
static uint32_t
mix(const struct model_gpu *gpu, const struct model_place *place,
    uint32_t salt)
{
	uint32_t x = (uint32_t)(gpu - model_gpus) * 2654435761u ^
	    (uint32_t)(place - model_places) * 2246822519u ^
	    salt * 3266489917u;

	x ^= x >> 15;
	x *= 2654435761u;
	return x ^ x >> 13;
}

const char *
model_host_cuda(const struct model_gpu *gpu, const struct model_place *place)
{
	uint32_t floor = 0, n;

	/* Floors are versions of the list. */
	while (!str_is(str_from(gpu->cuda_floor), model_cuda[floor]))
		floor++;
	for (n = floor; model_cuda[n] != NULL; n++)
		;
	n -= floor;
	assert(n > 0);
	/* Newer drivers are more common: of two draws take the later. */
	uint32_t a = mix(gpu, place, 7) % n, b = mix(gpu, place, 8) % n;
	return model_cuda[floor + (a > b ? a : b)];
}

/* Data centers in which everything common can be had. */
static bool
well_stocked(const struct model_place *place)
{
	static const char *const ids[] = {
		"EU-RO-1", "EU-SE-1", "US-KS-2", "US-TX-3", "CA-MTL-3",
	};

	for (size_t i = 0; i < COUNTOF(ids); i++)
		if (str_is(str_from(place->id), ids[i]))
			return true;
	return false;
}

int64_t
model_initial_stock(const struct model_gpu *gpu,
    const struct model_place *place, bool community)
{
	uint32_t draw = mix(gpu, place, community) % 10;

	if (!(community ? gpu->community : gpu->secure) || !place->launchable)
		return 0;
	if ((community ? gpu->max_community : gpu->max_secure) == 0)
		return 0;
	if (gpu->plenty >= 5 && !community && well_stocked(place))
		return 8 + gpu->plenty * 4;
	if ((int)draw >= gpu->plenty)
		return 0;
	return 1 + gpu->plenty * (int)(1 + draw) / 2;
}
