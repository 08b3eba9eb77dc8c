/*
 * graphql_gpu.c - GPU types as GraphQL shows them, and what the cheapest
 * pod with them would cost now.
 */
#include <string.h>

#include "model/graphql_tables.h"

/* The answer to lowestPrice: what the cheapest offer would be. */
struct lowest {
	const struct model_gpu *gpu;
	int64_t count;
	int64_t pods;			/* that could be rented; 0 for none */
	int64_t price;			/* of the whole pod */
	const struct model_place *place;	/* asked for, or NULL */
};

struct pool {
	struct str id;
	const struct str *gpus;
	size_t n;
};

/* A row that the service lists, too: clients have to pass it over. */
static const struct model_gpu unknown_gpu = { .id = "unknown",
    .name = "unknown" };

/* -------------------------------------------------------- GPU types ---- */

static void
gpu_price(struct gql_run *run, const struct model_gpu *gpu, bool community,
    struct gql_out *out)
{
	if (gpu == &unknown_gpu)
		gql_out_money(out, 0);
	else
		gql_out_money(out, model_price(run->model, gpu, community));
}

static void
gpu_secure_price(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)args;
	gpu_price(run, object, false, out);
}

static void
gpu_community_price(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)args;
	gpu_price(run, object, true, out);
}

static void
gpu_maker(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_gpu *gpu = object;

	(void)run, (void)args;
	gql_out_text(out, gpu == &unknown_gpu ? STR("unknown") :
	    strncmp(gpu->id, "AMD", 3) == 0 ? STR("AMD") : STR("Nvidia"));
}

static void
gpu_max(struct gql_run *run, const void *object, const struct gql_value *args,
    struct gql_out *out)
{
	const struct model_gpu *gpu = object;

	(void)run, (void)args;
	gql_out_int(out, gpu->max_secure > gpu->max_community ?
	    gpu->max_secure : gpu->max_community);
}

/* The cloud asked for, or the cheaper of those that have some. */
static void
find_lowest(const struct model *model, const struct gql_value *input,
    struct lowest *lowest)
{
	const struct gql_value *secure = gql_in(input, "secureCloud");

	for (int community = 0; community < 2; community++) {
		int64_t pods, price;

		if (secure != NULL && secure->truth == (community == 1))
			continue;
		pods = model_stock(model, lowest->gpu, lowest->place,
		    community, lowest->count);
		price = model_price(model, lowest->gpu, community) *
		    lowest->count;
		if (pods == 0 || (lowest->pods > 0 && lowest->price <= price))
			continue;
		lowest->pods = pods;
		lowest->price = price;
	}
}

static void
gpu_lowest(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct gql_value *input = gql_in(args, "input");
	struct str place = gql_in_str(input, "dataCenterId");
	struct lowest *lowest = ARENA_NEW(run->arena, struct lowest);

	lowest->gpu = object;
	lowest->count = gql_in_int(input, "gpuCount", 1);
	lowest->place = model_place_find(place);
	if (lowest->gpu != &unknown_gpu &&
	    (place.len == 0 || lowest->place != NULL))
		find_lowest(run->model, input, lowest);
	gql_out_object(out, lowest);
}

static void
lowest_price(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct lowest *lowest = object;

	(void)run, (void)args;
	if (lowest->pods > 0)
		gql_out_money(out, lowest->price);
}

static void
lowest_stock(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct lowest *lowest = object;

	(void)run, (void)args;
	if (lowest->pods > 0)
		gql_out_text(out, gql_stock_word(lowest->pods));
}

static void
lowest_gpu_name(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_text(out,
	    str_from(((const struct lowest *)object)->gpu->name));
}

static void
lowest_gpu_id(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_text(out, str_from(((const struct lowest *)object)->gpu->id));
}

static void
lowest_memory(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct lowest *lowest = object;

	(void)run, (void)args;
	if (lowest->pods > 0)
		gql_out_int(out, lowest->gpu->ram_gb * lowest->count);
}

static void
lowest_vcpu(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct lowest *lowest = object;

	(void)run, (void)args;
	if (lowest->pods > 0)
		gql_out_int(out, lowest->gpu->vcpu * lowest->count);
}

static void
lowest_country(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct lowest *lowest = object;

	(void)run, (void)args;
	if (lowest->place != NULL)
		gql_out_text(out, str_from(lowest->place->country));
}

static void
lowest_max(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	gpu_max(run, ((const struct lowest *)object)->gpu, args, out);
}

/* Pod sizes that could be rented now. */
static void
lowest_counts(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct lowest *lowest = object;
	int64_t *counts = ARENA_ARRAY(run->arena, int64_t, 16);
	size_t n = 0;

	(void)args;
	for (int64_t i = 1; i <= 16 && lowest->gpu != &unknown_gpu; i++)
		if (model_stock(run->model, lowest->gpu, lowest->place, false,
		    i) > 0 || model_stock(run->model, lowest->gpu,
		    lowest->place, true, i) > 0)
			counts[n++] = i;
	out->kind = OUT_INTS;
	out->ints = counts;
	out->count = n;
}

static bool
wanted_gpu(const struct str *ids, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(ids[i], id))
			return true;
	return n == 0;
}

void
gql_query_gpu_types(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct gql_value *input = gql_in(args, "input");
	const void **list = ARENA_ARRAY(run->arena, const void *,
	    model_ngpus + 1);
	const struct gql_value *id = gql_in(input, "id");
	struct str one, *ids;
	size_t n = 0, nids = gql_in_strs(run->arena, input, "ids", &ids);

	(void)object;
	if (id != NULL) {
		one = id->text;
		ids = &one;
		nids = 1;
	}
	for (size_t i = 0; i < model_ngpus; i++)
		if (wanted_gpu(ids, nids, model_gpus[i].id))
			list[n++] = &model_gpus[i];
	if (wanted_gpu(ids, nids, unknown_gpu.id))
		list[n++] = &unknown_gpu;
	gql_out_objects(out, list, n);
}

void
gql_query_pools(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const void **list = ARENA_ARRAY(run->arena, const void *,
	    model_ngpus + 1);
	size_t n = 0;

	(void)object, (void)args;
	for (size_t i = 0; i < model_ngpus; i++) {
		const char *name = model_gpus[i].pool;
		struct str *ids;
		struct pool *pool;
		bool seen = name == NULL;

		for (size_t j = 0; j < i && !seen; j++)
			seen = model_gpus[j].pool != NULL &&
			    strcmp(model_gpus[j].pool, name) == 0;
		if (seen)
			continue;
		pool = ARENA_NEW(run->arena, struct pool);
		ids = ARENA_ARRAY(run->arena, struct str, model_ngpus);
		pool->id = str_from(name);
		for (size_t j = i; j < model_ngpus; j++)
			if (model_gpus[j].pool != NULL &&
			    strcmp(model_gpus[j].pool, name) == 0)
				ids[pool->n++] = str_from(model_gpus[j].id);
		pool->gpus = ids;
		list[n++] = pool;
	}
	gql_out_objects(out, list, n);
}

static void
pool_gpus(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct pool *pool = object;

	(void)run, (void)args;
	out->kind = OUT_STRS;
	out->strs = pool->gpus;
	out->count = pool->n;
}

TAKES(lowest_args, ONE(T_LOWEST_PRICE_INPUT));

/* There is no spot and no savings plan: spot prices are those of the secure
 * cloud, as live, and the plans have none. */
const struct gql_field gql_gpu_type_fields[] = {
	AT("id", STRING, HOW_CSTR, model_gpu, id),
	AT("displayName", STRING, HOW_CSTR, model_gpu, name),
	CALL("manufacturer", STRING, gpu_maker),
	AT("memoryInGb", INT, HOW_INT16, model_gpu, memory_gb),
	CONST("cudaCores", INT, HOW_ZERO),
	AT("secureCloud", BOOL, HOW_BOOL, model_gpu, secure),
	AT("communityCloud", BOOL, HOW_BOOL, model_gpu, community),
	CALL("securePrice", FLOAT, gpu_secure_price),
	CALL("communityPrice", FLOAT, gpu_community_price),
	CALL("secureSpotPrice", FLOAT, gpu_secure_price),
	CALL("communitySpotPrice", FLOAT, gpu_community_price),
	NOTHING("clusterPrice", FLOAT),
	NOTHING("oneWeekPrice", FLOAT),
	NOTHING("oneMonthPrice", FLOAT),
	NOTHING("threeMonthPrice", FLOAT),
	NOTHING("sixMonthPrice", FLOAT),
	NOTHING("oneYearPrice", FLOAT),
	CALL("maxGpuCount", INT, gpu_max),
	AT("maxGpuCountCommunityCloud", INT, HOW_INT16, model_gpu,
	    max_community),
	AT("maxGpuCountSecureCloud", INT, HOW_INT16, model_gpu, max_secure),
	NOTHING("minPodGpuCount", INT),
	CONST("nodeGroupGpuSizes", MANY(T_INT), HOW_EMPTY),
	CONST("nodeGroupDatacenters", MANY(T_PLACE), HOW_EMPTY),
	NOTHING("throughput", INT),
	CALL_ARGS("lowestPrice", ONE(T_LOWEST_PRICE), gpu_lowest, lowest_args),
	{0}
};

const struct gql_field gql_lowest_price_fields[] = {
	CALL("gpuName", STRING, lowest_gpu_name),
	CALL("gpuTypeId", STRING, lowest_gpu_id),
	CALL("minimumBidPrice", FLOAT, lowest_price),
	CALL("uninterruptablePrice", FLOAT, lowest_price),
	CALL("minMemory", INT, lowest_memory),
	CALL("minVcpu", INT, lowest_vcpu),
	NOTHING("rentalPercentage", FLOAT),
	NOTHING("rentedCount", INT),
	NOTHING("totalCount", INT),
	CALL("stockStatus", STRING, lowest_stock),
	NOTHING("minDownload", INT),
	NOTHING("minDisk", INT),
	NOTHING("minUpload", INT),
	CALL("countryCode", STRING, lowest_country),
	CONST("supportPublicIp", BOOL, HOW_TRUE),
	CONST("compliance", MANY(T_COMPLIANCE), HOW_EMPTY),
	CALL("maxGpuCount", INT, lowest_max),
	AT("maxUnreservedGpuCount", INT, HOW_INT, lowest, pods),
	CALL("availableGpuCounts", MANY(T_INT), lowest_counts),
	NOTHING("gpuTypeCudaVersions", MANY(T_STRING)),
	{0}
};

const struct gql_field gql_pool_fields[] = {
	AT("id", STRING, HOW_STR, pool, id),
	CALL("gpuTypeIds", MANY(T_STRING), pool_gpus),
	{0}
};
