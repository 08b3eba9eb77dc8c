/* rest_places.c - /v2/catalog/datacenters. */
#include "model/rest.h"

struct wanted {
	bool gpus, cpus;
	struct str *regions, *tiers, *compliance;
	size_t nregions, ntiers, ncompliance;
	struct str global;
};

static bool
read_wanted(struct rest *rest, struct wanted *wanted)
{
	struct str *include;
	size_t n = rest_split(rest->arena, rest_query(rest, "include"),
	    &include);

	*wanted = (struct wanted){0};
	for (size_t i = 0; i < n; i++) {
		if (str_is(include[i], "GPU_AVAILABILITY")) {
			wanted->gpus = true;
		} else if (str_is(include[i], "CPU_AVAILABILITY")) {
			wanted->cpus = true;
		} else {
			rest_problem(rest, 422, "unknown include");
			return false;
		}
	}
	wanted->nregions = rest_split(rest->arena,
	    rest_query(rest, "regions"), &wanted->regions);
	wanted->ntiers = rest_split(rest->arena,
	    rest_query(rest, "networkVolumeTypes"), &wanted->tiers);
	wanted->ncompliance = rest_split(rest->arena,
	    rest_query(rest, "compliance"), &wanted->compliance);
	wanted->global = rest_query(rest, "globalNetwork");
	return true;
}

static bool
has(const struct str *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(list[i], word))
			return true;
	return n == 0;
}

static bool
complies(const struct wanted *wanted, const struct model_place *place)
{
	if (wanted->ncompliance == 0)
		return true;
	for (size_t i = 0; place->compliance != NULL &&
	    place->compliance[i] != NULL; i++)
		if (has(wanted->compliance, wanted->ncompliance,
		    place->compliance[i]))
			return true;
	return false;
}

static bool
is_wanted(const struct wanted *wanted, const struct model_place *place)
{
	bool tier = wanted->ntiers == 0 ||
	    (place->standard && has(wanted->tiers, wanted->ntiers,
	    "STANDARD")) || (place->high_performance && has(wanted->tiers,
	    wanted->ntiers, "HIGH_PERFORMANCE"));

	return tier && complies(wanted, place) &&
	    has(wanted->regions, wanted->nregions, place->region) &&
	    (wanted->global.data == NULL ||
	    str_is(wanted->global, "true") == place->global_network);
}

static void
put_resource(struct json_out *out, const char *id, const char *name,
    int64_t pods)
{
	json_out_open(out, '{');
	json_out_member_c(out, "id", id);
	json_out_member_c(out, "name", name);
	json_out_member_c(out, "availability", model_stock_word(pods));
	json_out_close(out, '}');
}

static void
put_gpus(struct json_out *out, const struct model *model,
    const struct model_place *place)
{
	json_out_key(out, "gpuAvailability");
	json_out_open(out, '[');
	for (size_t g = 0; g < model_ngpus; g++) {
		const struct model_gpu *gpu = &model_gpus[g];
		int64_t pods = model_stock(model, gpu, place, false, 1);
		if (pods == 0)
			pods = model_stock(model, gpu, place, true, 1);
		if (pods > 0 || model_initial_stock(gpu, place, false) > 0 ||
		    model_initial_stock(gpu, place, true) > 0)
			put_resource(out, gpu->id, gpu->name, pods);
	}
	json_out_close(out, ']');
}

static void
put_cpus(struct json_out *out)
{
	json_out_key(out, "cpuAvailability");
	json_out_open(out, '[');
	for (size_t i = 0; i < model_ncpus; i++)
		put_resource(out, model_cpus[i].id, model_cpus[i].name, 20);
	json_out_close(out, ']');
}

static void
put_place(struct json_out *out, const struct model *model,
    const struct model_place *place, const struct wanted *wanted)
{
	json_out_open(out, '{');
	json_out_member_c(out, "id", place->id);
	json_out_member_c(out, "name", place->name);
	json_out_member_c(out, "region", place->region);
	json_out_member_bool(out, "globalNetwork", place->global_network);
	json_out_key(out, "networkVolumeTypes");
	json_out_open(out, '[');
	if (place->standard)
		json_out_str(out, STR("STANDARD"));
	if (place->high_performance)
		json_out_str(out, STR("HIGH_PERFORMANCE"));
	json_out_close(out, ']');
	json_out_key(out, "compliance");
	json_out_open(out, '[');
	for (size_t i = 0; place->compliance != NULL &&
	    place->compliance[i] != NULL; i++)
		json_out_str(out, str_from(place->compliance[i]));
	json_out_close(out, ']');
	if (wanted->gpus && place->launchable)
		put_gpus(out, model, place);
	if (wanted->cpus && place->launchable)
		put_cpus(out);
	json_out_close(out, '}');
}

void
rest_list_places(struct rest *rest)
{
	struct json_out out = {0};
	struct wanted wanted;

	if (!read_wanted(rest, &wanted))
		return;
	json_out_open(&out, '{');
	json_out_key(&out, "dataCenters");
	json_out_open(&out, '[');
	for (size_t i = 0; i < model_nplaces; i++)
		if (is_wanted(&wanted, &model_places[i]))
			put_place(&out, rest->model, &model_places[i],
			    &wanted);
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	rest_json(rest, 200, &out);
}

void
rest_get_place(struct rest *rest)
{
	const struct model_place *place = model_place_find(rest->id);
	struct json_out out = {0};
	struct wanted wanted;

	if (place == NULL) {
		rest_problem(rest, 404, "resource not found");
		return;
	}
	if (!read_wanted(rest, &wanted))
		return;
	put_place(&out, rest->model, place, &wanted);
	rest_json(rest, 200, &out);
}
