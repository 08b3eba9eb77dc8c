/*
 * placement.c - which data center a pod goes to, and what is free there.
 *
 * One GPU type in one data center on one cloud is a pool of GPUs; a pod
 * takes its count from a pool and gives it back when it stops.
 */
#include "model/private.h"

static int64_t *
pool_of(const struct model *model, const struct model_gpu *gpu,
    const struct model_place *place, bool community)
{
	size_t g = (size_t)(gpu - model_gpus);
	size_t p = (size_t)(place - model_places);

	return &model->stock[(g * model_nplaces + p) * 2 + community];
}

/* GPUs free in one data center. */
static int64_t
free_gpus(const struct model *model, const struct model_gpu *gpu,
    const struct model_place *place, bool community)
{
	size_t g = (size_t)(gpu - model_gpus);

	if (model->capacity[g] >= 0) {
		if (model_initial_stock(gpu, place, community) == 0)
			return 0;
		return model->capacity[g] - model->held[g];
	}
	return *pool_of(model, gpu, place, community);
}

int64_t
model_stock(const struct model *model, const struct model_gpu *gpu,
    const struct model_place *place, bool community, int64_t count)
{
	int64_t most = community ? gpu->max_community : gpu->max_secure;
	int64_t best = 0;

	if (!(community ? gpu->community : gpu->secure) || count > most ||
	    count < 1)
		return 0;
	if (place != NULL) {
		int64_t n = free_gpus(model, gpu, place, community);
		return n > 0 ? n / count : 0;
	}
	for (size_t i = 0; i < model_nplaces; i++) {
		int64_t n = model_stock(model, gpu, &model_places[i],
		    community, count);
		if (n > best)
			best = n;
	}
	return best;
}

const char *
model_stock_word(int64_t pods)
{
	return pods <= 0 ? "NONE" : pods <= 4 ? "LOW"
	    : pods <= 15 ? "MEDIUM" : "HIGH";
}

int64_t
model_price(const struct model *model, const struct model_gpu *gpu,
    bool community)
{
	int64_t own = model->price[(size_t)(gpu - model_gpus) * 2 + community];

	if (own >= 0)
		return own;
	return community ? gpu->community_price : gpu->secure_price;
}

bool
model_refuse(struct model_refusal *why, enum model_refusal_kind kind,
    const char *detail)
{
	*why = (struct model_refusal){ kind, detail };
	return false;
}

static bool
cuda_fits(const struct model_create *want, const struct model_gpu *gpu,
    const struct model_place *place)
{
	struct str host = str_from(model_host_cuda(gpu, place));

	if (want->min_cuda.len > 0 && model_cuda_cmp(host, want->min_cuda) < 0)
		return false;
	for (size_t i = 0; i < want->ncuda; i++)
		if (str_eq(want->cuda[i], host))
			return true;
	return want->ncuda == 0;
}

static bool
place_wanted(const struct model_create *want, const struct model_place *place)
{
	for (size_t i = 0; i < want->nplaces; i++)
		if (str_is(want->places[i], place->id))
			return true;
	return want->nplaces == 0;
}

/* One of the data centers that fit, each as likely; NULL for none. */
static const struct model_place *
choose(struct model *model, const struct model_create *want,
    const struct model_gpu *gpu, const struct model_volume *volume,
    bool community)
{
	const struct model_place *chosen = NULL;
	uint64_t fit = 0;

	for (size_t i = 0; i < model_nplaces; i++) {
		const struct model_place *place = &model_places[i];
		if (!place->launchable || !place_wanted(want, place) ||
		    (volume != NULL && volume->place != place) ||
		    (want->global_network && !place->global_network))
			continue;
		if (gpu != NULL && (!cuda_fits(want, gpu, place) ||
		    model_stock(model, gpu, place, community,
		    want->gpu_count) == 0))
			continue;
		if (model_random_below(&model->rng, ++fit) == 0)
			chosen = place;
	}
	return chosen;
}

bool
model_place_pod(struct model *model, const struct model_create *want,
    const struct model_gpu *gpu, const struct model_volume *volume,
    struct model_offer *offer, struct model_refusal *why)
{
	bool community = want->community && !want->any_cloud;

	if (model->force_no_stock)
		offer->place = NULL;
	else
		offer->place = choose(model, want, gpu, volume, community);
	if (offer->place == NULL && want->any_cloud && volume == NULL &&
	    !model->force_no_stock) {
		community = true;
		offer->place = choose(model, want, gpu, volume, true);
	}
	offer->community = community;
	if (offer->place != NULL)
		return true;
	return model_refuse(why, MODEL_CAPACITY,
	    "There are no longer any instances available with the requested "
	    "specifications. Please refresh and try again.");
}

void
model_take_gpus(struct model *model, struct model_pod *pod)
{
	if (pod->gpu == NULL || pod->holds_gpus)
		return;
	*pool_of(model, pod->gpu, pod->place, pod->community) -=
	    pod->gpu_count;
	model->held[pod->gpu - model_gpus] += pod->gpu_count;
	pod->holds_gpus = true;
}

void
model_release_gpus(struct model *model, struct model_pod *pod)
{
	if (!pod->holds_gpus)
		return;
	*pool_of(model, pod->gpu, pod->place, pod->community) +=
	    pod->gpu_count;
	model->held[pod->gpu - model_gpus] -= pod->gpu_count;
	pod->holds_gpus = false;
}

bool
model_set_stock(struct model *model, struct str gpu, struct str data_center,
    bool community, int64_t count)
{
	const struct model_gpu *one = NULL;
	const struct model_place *there = NULL;

	if (gpu.data != NULL && (one = model_gpu_find(gpu)) == NULL)
		return false;
	if (data_center.data != NULL &&
	    (there = model_place_find(data_center)) == NULL)
		return false;
	for (size_t g = 0; g < model_ngpus; g++)
		for (size_t p = 0; p < model_nplaces; p++) {
			const struct model_gpu *type = &model_gpus[g];
			const struct model_place *place = &model_places[p];
			if ((one != NULL && one != type) ||
			    (there != NULL && there != place) ||
			    !place->launchable)
				continue;
			/* "Everywhere" means wherever it is offered. */
			if (there == NULL && count > 0 &&
			    model_initial_stock(type, place, community) == 0)
				continue;
			*pool_of(model, type, place, community) = count;
		}
	return true;
}

bool
model_set_price(struct model *model, struct str gpu, bool community,
    int64_t price)
{
	const struct model_gpu *type = model_gpu_find(gpu);

	if (type == NULL)
		return false;
	model->price[(size_t)(type - model_gpus) * 2 + community] = price;
	return true;
}

bool
model_set_capacity(struct model *model, struct str gpu, int64_t count)
{
	const struct model_gpu *type = model_gpu_find(gpu);

	if (type == NULL)
		return false;
	model->capacity[type - model_gpus] = count;
	return true;
}
