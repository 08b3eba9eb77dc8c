/*
 * place.c - where a pod may be made, in the order in which it is tried.
 *
 *	for each wanted GPU, in the order of the spec
 *	    for each tier, the cheaper first
 *	        for each data center, in the order of the spec
 *
 * Narrowed by what the catalog says: tier and count offered, CUDA versions
 * of its hosts, stock, price.  Stock is a snapshot, so a place without any
 * is left out only if another has some.
 */
#include "plan/planner.h"

struct search {
	struct arena *arena;
	const struct pod_spec *pod;
	const struct live *live;
	struct plan_change *change;
	struct placement *found;
	const struct str *places;	/* n == 0: the cloud chooses */
	size_t nplaces;
	bool with_volume;
};

/* ----------------------------------------------------------- places ---- */

static void
add_region(struct search *search, struct str region, struct str **places,
    size_t *n)
{
	for (size_t i = 0; i < search->live->ndata_centers; i++)
		if (str_eq_fold(search->live->data_centers[i].region, region))
			(*places)[(*n)++] = search->live->data_centers[i].id;
}

/* Regions are a list of the spec's own; which of them have any data center
 * is the catalog's to say. */
static bool
find_regions(struct search *search, struct diags *diags)
{
	const struct pod_spec *pod = search->pod;
	struct str *places = ARENA_ARRAY(search->arena, struct str,
	    search->live->ndata_centers * pod->nregions + 1);

	for (size_t i = 0; i < pod->nregions; i++)
		add_region(search, pod->regions[i], &places,
		    &search->nplaces);
	search->places = places;
	if (search->nplaces == 0)
		diag_error(diags, E_UNKNOWN_REGION,
		    pod->at[POD_FIELD_REGIONS], "the catalog has no data "
		    "center in %s", pod->nregions == 1 ? "this region" :
		    "any of these regions");
	return search->nplaces > 0;
}

/* The list of the service varies by a few, so this is no error. */
static void
warn_places(struct search *search, struct diags *diags)
{
	const struct live *live = search->live;

	for (size_t i = 0; i < search->nplaces; i++) {
		size_t at = 0;
		while (at < live->ndata_centers &&
		    !str_eq(live->data_centers[at].id, search->places[i]))
			at++;
		if (at < live->ndata_centers || live->ndata_centers == 0)
			continue;
		diag_warning(diags, W_UNKNOWN_PLACE,
		    search->pod->at[POD_FIELD_DATA_CENTERS], "data center '"
		    STR_FMT "' is not in the catalog",
		    STR_ARG(search->places[i]));
	}
}

static bool
find_places(struct search *search, struct str volume_place,
    struct diags *diags)
{
	const struct pod_spec *pod = search->pod;

	if (volume_place.len > 0) {
		struct str *one = ARENA_NEW(search->arena, struct str);
		*one = volume_place;
		search->places = one;
		search->nplaces = 1;
		return true;
	}
	if (pod->ndata_centers > 0) {
		search->places = pod->data_centers;
		search->nplaces = pod->ndata_centers;
		warn_places(search, diags);
		return true;
	}
	return pod->nregions == 0 || find_regions(search, diags);
}

/* ------------------------------------------------------------- GPUs ---- */

static const struct gpu_type *
find_gpu(const struct live *live, struct str text)
{
	for (size_t i = 0; i < live->ngpus; i++)
		if (str_eq_fold(live->gpus[i].id, text))
			return &live->gpus[i];
	for (size_t i = 0; i < live->ngpus; i++)
		if (str_eq_fold(live->gpus[i].name, text))
			return &live->gpus[i];
	return NULL;
}

static void
unknown_gpu(struct search *search, size_t at, struct diags *diags)
{
	const struct live *live = search->live;
	const struct pod_spec *pod = search->pod;
	struct str *names = ARENA_ARRAY(search->arena, struct str,
	    live->ngpus * 2);

	for (size_t i = 0; i < live->ngpus; i++) {
		names[i] = live->gpus[i].name;
		names[live->ngpus + i] = live->gpus[i].id;
	}
	diag_error(diags, E_UNKNOWN_GPU, pod->gpu_at[at],
	    "unknown GPU '" STR_FMT "'", STR_ARG(pod->gpu[at]));
	struct str near = str_nearest(pod->gpu[at], names, live->ngpus * 2);
	if (near.data != NULL)
		diag_hint(diags, "did you mean '" STR_FMT "'?", STR_ARG(near));
	else
		diag_hint(diags, "`podform gpus` lists what there is");
}

/* The nth number of a version: 12 and 4 of "12.4". */
static int64_t
version_part(struct str version, int n)
{
	struct str rest = version, part;
	int64_t number = 0;

	do
		part = str_cut(rest, '.', &rest);
	while (n-- > 0);
	for (size_t i = 0; i < part.len && number < INT32_MAX; i++)
		if (part.data[i] >= '0' && part.data[i] <= '9')
			number = number * 10 + (part.data[i] - '0');
	return number;
}

static bool
has_cuda(const struct gpu_type *gpu, struct str floor)
{
	if (floor.len == 0 || gpu->ncuda == 0)
		return true;
	for (size_t i = 0; i < gpu->ncuda; i++) {
		int64_t major = version_part(gpu->cuda[i], 0) -
		    version_part(floor, 0);
		if (major > 0 || (major == 0 &&
			version_part(gpu->cuda[i], 1) >=
			version_part(floor, 1)))
			return true;
	}
	return false;
}

static bool
offers(const struct search *search, const struct gpu_type *gpu,
    enum cloud_tier tier)
{
	bool secure = tier == TIER_SECURE;
	int64_t most = secure ? gpu->max_secure : gpu->max_community;

	if (search->pod->tier != TIER_ANY && search->pod->tier != tier)
		return false;
	/* Network volumes can be mounted in the secure cloud only. */
	if (!secure && search->with_volume)
		return false;
	return (secure ? gpu->secure : gpu->community) &&
	    (most == 0 || most >= search->pod->gpu_count);
}

/* ------------------------------------------------------- candidates ---- */

static enum stock
stock_at(const struct gpu_type *gpu, struct str place)
{
	if (place.len == 0)
		return gpu->stock;
	for (size_t i = 0; i < gpu->nplaces; i++)
		if (str_eq_fold(gpu->places[i].data_center, place))
			return gpu->places[i].stock;
	return gpu->nplaces > 0 ? STOCK_NONE : STOCK_UNKNOWN;
}

static void
add_candidates(struct search *search, const struct gpu_type *gpu,
    enum cloud_tier tier, int64_t price)
{
	for (size_t i = 0; i < search->nplaces || i == 0; i++) {
		struct str place = search->nplaces > 0 ? search->places[i] :
		    (struct str){0};
		*ARENA_PUSH(search->arena, &search->change->candidates) =
		    (struct candidate){
			.gpu = gpu->id, .gpu_name = gpu->name, .tier = tier,
			.data_center = place, .price_per_hour = price,
			.stock = stock_at(gpu, place),
		};
	}
}

/* One GPU in one tier; a price above the cap is only remembered. */
static void
add_tier(struct search *search, const struct gpu_type *gpu,
    enum cloud_tier tier)
{
	int64_t each = tier == TIER_SECURE ? gpu->secure_price :
	    gpu->community_price;
	int64_t price = each < 0 ? -1 : each * search->pod->gpu_count;
	int64_t cap = search->pod->max_price;

	if (!offers(search, gpu, tier))
		return;
	if (cap == 0 || (price >= 0 && price <= cap)) {
		add_candidates(search, gpu, tier, price);
		return;
	}
	search->found->priced_out = true;
	if (price >= 0 && (search->found->cheapest < 0 ||
	    price < search->found->cheapest))
		search->found->cheapest = price;
}

static void
add_gpu(struct search *search, const struct gpu_type *gpu)
{
	bool community_first = gpu->community_price >= 0 &&
	    (gpu->secure_price < 0 ||
		gpu->community_price < gpu->secure_price);

	if (!has_cuda(gpu, search->pod->min_cuda))
		return;
	add_tier(search, gpu, community_first ? TIER_COMMUNITY : TIER_SECURE);
	add_tier(search, gpu, community_first ? TIER_SECURE : TIER_COMMUNITY);
}

/* The same GPU by its id and by its name is one candidate. */
static bool
seen_before(const struct search *search, size_t at,
    const struct gpu_type *gpu)
{
	for (size_t i = 0; i < at; i++)
		if (find_gpu(search->live, search->pod->gpu[i]) == gpu)
			return true;
	return false;
}

static void
drop_empty(struct plan_change *change)
{
	size_t kept = 0;
	bool some = false;

	for (size_t i = 0; i < change->candidates.n; i++)
		some |= change->candidates.items[i].stock != STOCK_NONE;
	for (size_t i = 0; some && i < change->candidates.n; i++)
		if (change->candidates.items[i].stock != STOCK_NONE)
			change->candidates.items[kept++] =
			    change->candidates.items[i];
	if (some)
		change->candidates.n = kept;
}

bool
place_find(struct arena *arena, const struct pod_spec *pod,
    struct str volume_data_center, const struct live *live,
    struct plan_change *change, struct placement *placement,
    struct diags *diags)
{
	struct search search = {
		.arena = arena, .pod = pod, .live = live, .change = change,
		.found = placement, .with_volume = pod->volume.len > 0,
	};
	bool ok;

	*placement = (struct placement){ .known = true, .cheapest = -1 };
	change->candidates.n = 0;
	ok = find_places(&search, volume_data_center, diags);
	for (size_t i = 0; i < pod->ngpu; i++) {
		const struct gpu_type *gpu = find_gpu(live, pod->gpu[i]);
		if (gpu == NULL) {
			unknown_gpu(&search, i, diags);
			ok = false;
		} else if (ok && !seen_before(&search, i, gpu))
			add_gpu(&search, gpu);
	}
	if (!ok)
		change->candidates.n = 0;
	drop_empty(change);
	return ok;
}
