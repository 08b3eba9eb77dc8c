/*
 * rest_catalog.c - /v2/catalog: GPU types, CPU flavors, data centers.
 *
 * Availability is shown only when asked for with include=AVAILABILITY, which
 * in turn needs product=, and the other filters are valid only with it.
 */
#include "model/rest.h"
#include "model/shape.h"

struct filter {
	bool availability, community;
	int64_t count;
	struct str *countries, *cuda;
	size_t ncountries, ncuda;
	struct str min_cuda;
};

static bool
bad(struct rest *rest, int status, const char *detail)
{
	rest_problem(rest, status, detail);
	return false;
}

static bool
number(struct str text, int64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9' || i > 8)
			return false;
		*out = *out * 10 + (text.data[i] - '0');
	}
	return text.len > 0;
}

static bool
read_products(struct rest *rest, bool cpu)
{
	struct str *products;
	size_t n = rest_split(rest->arena, rest_query(rest, "product"),
	    &products);

	for (size_t i = 0; i < n; i++)
		if (!str_is(products[i], "POD") &&
		    !str_is(products[i], "SERVERLESS") &&
		    (cpu || !str_is(products[i], "CLUSTER")))
			return bad(rest, 422, "unknown product");
	return true;
}

static bool
read_lists(struct rest *rest, struct filter *filter)
{
	filter->ncountries = rest_split(rest->arena,
	    rest_query(rest, "countryCodes"), &filter->countries);
	for (size_t i = 0; i < filter->ncountries; i++)
		if (filter->countries[i].len != 2)
			return bad(rest, 422, "malformed country code");
	filter->ncuda = rest_split(rest->arena,
	    rest_query(rest, "cudaVersions"), &filter->cuda);
	for (size_t i = 0; i < filter->ncuda; i++)
		if (!shape_is_cuda(filter->cuda[i]))
			return bad(rest, 422, "malformed CUDA version");
	filter->min_cuda = rest_query(rest, "minCudaVersion");
	if (filter->ncuda > 0 && filter->min_cuda.data != NULL)
		return bad(rest, 400, "cudaVersions and minCudaVersion are "
		    "mutually exclusive");
	return true;
}

static bool
read_filter(struct rest *rest, struct filter *filter, bool cpu)
{
	static const char *const only_with[] = {
		"product", "count", "cloud", "countryCodes", "cudaVersions",
		"minCudaVersion", "vcpuCount",
	};
	struct str include = rest_query(rest, "include");
	struct str count = rest_query(rest, "count");
	struct str cloud = rest_query(rest, "cloud");

	*filter = (struct filter){ .count = 1 };
	filter->availability = str_is(include, "AVAILABILITY");
	if (include.len > 0 && !filter->availability)
		return bad(rest, 422, "unknown include");
	for (size_t i = 0; i < COUNTOF(only_with); i++)
		if (!filter->availability &&
		    rest_query(rest, only_with[i]).data != NULL)
			return bad(rest, 400, arena_printf(rest->arena,
			    "%s is valid only with include=AVAILABILITY",
			    only_with[i]).data);
	if (filter->availability && rest_query(rest, "product").len == 0)
		return bad(rest, 400,
		    "product is required with include=AVAILABILITY");
	if (count.data != NULL &&
	    (!number(count, &filter->count) || filter->count < 1))
		return bad(rest, 422, "count must be at least 1");
	filter->community = str_is(cloud, "COMMUNITY");
	if (cloud.data != NULL && !filter->community &&
	    !str_is(cloud, "SECURE"))
		return bad(rest, 422, "unknown cloud");
	return read_products(rest, cpu) && read_lists(rest, filter);
}

static bool
place_fits(const struct filter *filter, const struct model_gpu *gpu,
    const struct model_place *place)
{
	bool fits = filter->ncountries == 0;
	struct str host;

	for (size_t i = 0; i < filter->ncountries && !fits; i++)
		fits = str_is(filter->countries[i], place->country);
	if (!fits || (filter->ncuda == 0 && filter->min_cuda.len == 0))
		return fits;
	host = str_from(model_host_cuda(gpu, place));
	if (filter->min_cuda.len > 0)
		return model_cuda_cmp(host, filter->min_cuda) >= 0;
	for (size_t i = 0; i < filter->ncuda; i++)
		if (str_eq(filter->cuda[i], host))
			return true;
	return false;
}

static void
put_level(struct json_out *out, const char *id, const char *name,
    int64_t pods)
{
	json_out_open(out, '{');
	json_out_member_c(out, "id", id);
	json_out_member_c(out, "name", name);
	json_out_member_c(out, "availability", model_stock_word(pods));
	json_out_close(out, '}');
}

/* Data centers that offer the type at all, full ones as NONE. */
static int64_t
put_gpu_places(struct json_out *out, const struct model *model,
    const struct model_gpu *gpu, const struct filter *filter)
{
	int64_t best = 0;

	json_out_key(out, "dataCenters");
	json_out_open(out, '[');
	for (size_t i = 0; i < model_nplaces; i++) {
		const struct model_place *place = &model_places[i];
		int64_t pods = model_stock(model, gpu, place,
		    filter->community, filter->count);
		if (!place_fits(filter, gpu, place) || (pods == 0 &&
		    model_initial_stock(gpu, place, filter->community) == 0))
			continue;
		put_level(out, place->id, place->name, pods);
		if (pods > best)
			best = pods;
	}
	json_out_close(out, ']');
	return best;
}

enum { CUDA_MAX = 8 };

/* Each version that some host of the type has, and whether one is free. */
static void
put_gpu_cuda(struct json_out *out, const struct model *model,
    const struct model_gpu *gpu, const struct filter *filter)
{
	bool offered[CUDA_MAX] = {0}, available[CUDA_MAX] = {0};

	for (size_t i = 0; i < model_nplaces; i++) {
		const struct model_place *place = &model_places[i];
		const char *host;
		size_t v = 0;
		if (model_initial_stock(gpu, place, filter->community) == 0 ||
		    !place_fits(filter, gpu, place))
			continue;
		host = model_host_cuda(gpu, place);
		while (model_cuda[v] != host)
			v++;
		offered[v] = true;
		available[v] |= model_stock(model, gpu, place,
		    filter->community, filter->count) > 0;
	}
	json_out_key(out, "cudaVersions");
	json_out_open(out, '[');
	for (size_t v = 0; v < CUDA_MAX && model_cuda[v] != NULL; v++) {
		if (!offered[v])
			continue;
		json_out_open(out, '{');
		json_out_member_c(out, "version", model_cuda[v]);
		json_out_member_bool(out, "available", available[v]);
		json_out_close(out, '}');
	}
	json_out_close(out, ']');
}

static void
put_gpu(struct json_out *out, const struct model *model,
    const struct model_gpu *gpu, const struct filter *filter)
{
	bool amd = str_starts(str_from(gpu->id), STR("AMD"));

	json_out_open(out, '{');
	json_out_member_c(out, "id", gpu->id);
	json_out_member_c(out, "name", gpu->name);
	json_out_member_or_null(out, "pool", str_from(gpu->pool));
	json_out_member_c(out, "manufacturer", amd ? "AMD" : "NVIDIA");
	json_out_member_int(out, "memory", gpu->memory_gb);
	json_out_member_bool(out, "secure", gpu->secure);
	json_out_member_bool(out, "community", gpu->community);
	json_out_key(out, "price");
	json_out_open(out, '{');
	json_out_member_usd(out, "secure", model_price(model, gpu, false));
	json_out_member_usd(out, "community", model_price(model, gpu, true));
	json_out_close(out, '}');
	json_out_key(out, "maxCount");
	json_out_open(out, '{');
	json_out_member_int(out, "secure", gpu->max_secure);
	json_out_member_int(out, "community", gpu->max_community);
	json_out_close(out, '}');
	if (filter->availability) {
		int64_t best = put_gpu_places(out, model, gpu, filter);
		json_out_member_c(out, "availability",
		    model_stock_word(best));
		put_gpu_cuda(out, model, gpu, filter);
	}
	json_out_close(out, '}');
}

void
rest_list_gpus(struct rest *rest)
{
	struct json_out out = {0};
	struct filter filter;

	if (!read_filter(rest, &filter, false))
		return;
	json_out_open(&out, '{');
	json_out_key(&out, "gpus");
	json_out_open(&out, '[');
	for (size_t i = 0; i < model_ngpus; i++)
		put_gpu(&out, rest->model, &model_gpus[i], &filter);
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	rest_json(rest, 200, &out);
}

void
rest_get_gpu(struct rest *rest)
{
	const struct model_gpu *gpu = model_gpu_find(rest->id);
	struct json_out out = {0};
	struct filter filter;

	if (gpu == NULL) {
		rest_problem(rest, 404, "resource not found");
		return;
	}
	if (!read_filter(rest, &filter, false))
		return;
	put_gpu(&out, rest->model, gpu, &filter);
	rest_json(rest, 200, &out);
}

/* CPU hosts are plentiful in every launchable data center. */
enum { CPU_PODS = 20 };

static void
put_cpu(struct json_out *out, const struct model_cpu *cpu,
    const struct filter *filter)
{
	json_out_open(out, '{');
	json_out_member_c(out, "id", cpu->id);
	json_out_member_c(out, "name", cpu->name);
	json_out_member_c(out, "group", cpu->group);
	json_out_key(out, "vcpu");
	json_out_open(out, '{');
	json_out_member_int(out, "min", cpu->min_vcpu);
	json_out_member_int(out, "max", cpu->max_vcpu);
	json_out_close(out, '}');
	json_out_member_int(out, "ramGbPerVcpu", cpu->ram_per_vcpu);
	json_out_key(out, "price");
	json_out_open(out, '{');
	json_out_member_usd(out, "securePerVcpu", cpu->price);
	json_out_member_usd(out, "serverlessPerVcpu", cpu->serverless_price);
	json_out_close(out, '}');
	if (filter->availability) {
		json_out_member_c(out, "availability",
		    model_stock_word(CPU_PODS));
		json_out_key(out, "dataCenters");
		json_out_open(out, '[');
		for (size_t i = 0; i < model_nplaces; i++)
			if (model_places[i].launchable)
				put_level(out, model_places[i].id,
				    model_places[i].name, CPU_PODS);
		json_out_close(out, ']');
	}
	json_out_close(out, '}');
}

void
rest_list_cpus(struct rest *rest)
{
	struct json_out out = {0};
	struct filter filter;

	if (!read_filter(rest, &filter, true))
		return;
	json_out_open(&out, '{');
	json_out_key(&out, "cpus");
	json_out_open(&out, '[');
	for (size_t i = 0; i < model_ncpus; i++)
		put_cpu(&out, &model_cpus[i], &filter);
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	rest_json(rest, 200, &out);
}

void
rest_get_cpu(struct rest *rest)
{
	const struct model_cpu *cpu = model_cpu_find(rest->id);
	struct json_out out = {0};
	struct filter filter;

	if (cpu == NULL) {
		rest_problem(rest, 404, "resource not found");
		return;
	}
	if (!read_filter(rest, &filter, true))
		return;
	put_cpu(&out, cpu, &filter);
	rest_json(rest, 200, &out);
}
