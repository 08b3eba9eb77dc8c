/*
 * graphql_place.c - the rest of the catalog: data centers with what they
 * have, CPU types and flavors.
 */
#include <string.h>

#include "model/graphql_tables.h"

struct availability {
	const struct model_gpu *gpu;
	int64_t pods;
};

struct cpu_type {
	const char *id, *name, *maker, *group;
	int16_t cores, threads_per_core;
};

struct specifics {
	int64_t pods, price, serverless;
};

static const struct cpu_type cpu_types[] = {
	{ "AMD EPYC 7763 64-Core Processor", "AMD EPYC 7763", "AMD", "cpu3",
	  64, 2 },
	{ "AMD EPYC 9354 32-Core Processor", "AMD EPYC 9354", "AMD", "cpu5",
	  32, 2 },
	{ "Intel(R) Xeon(R) Platinum 8480+", "Xeon Platinum 8480+", "Intel",
	  "cpu5", 56, 2 },
};

struct str
gql_stock_word(int64_t pods)
{
	return pods <= 0 ? STR("None") : pods <= 4 ? STR("Low") :
	    pods <= 15 ? STR("Medium") : STR("High");
}

/* ------------------------------------------------------ data centers ---- */

void
gql_query_places(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const void **list = ARENA_ARRAY(run->arena, const void *,
	    model_nplaces + 1);

	(void)object, (void)args;
	for (size_t i = 0; i < model_nplaces; i++)
		list[i] = &model_places[i];
	gql_out_objects(out, list, model_nplaces);
}

void
gql_query_countries(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct str *codes = ARENA_ARRAY(run->arena, struct str, model_nplaces);
	size_t n = 0;

	(void)object, (void)args;
	for (size_t i = 0; i < model_nplaces; i++) {
		bool seen = false;

		for (size_t j = 0; j < n; j++)
			seen |= str_is(codes[j], model_places[i].country);
		if (!seen)
			codes[n++] = str_from(model_places[i].country);
	}
	out->kind = OUT_STRS;
	out->strs = codes;
	out->count = n;
}

/* Coarse, as the service has it: a country in America, else a continent. */
static void
place_location(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	static const char *const names[][2] = {
		{ "EUROPE", "Europe" }, { "OCEANIA", "Oceania" },
		{ "ASIA", "Asia" }, { "NORTH_AMERICA", "North America" },
		{ "SOUTH_AMERICA", "South America" }, { "AFRICA", "Africa" },
		{ "MIDDLE_EAST", "Middle East" },
	};
	const struct model_place *place = object;
	const char *name = place->region;

	(void)run, (void)args;
	for (size_t i = 0; i < COUNTOF(names); i++)
		if (strcmp(place->region, names[i][0]) == 0)
			name = names[i][1];
	if (strcmp(place->country, "US") == 0)
		name = "United States";
	if (strcmp(place->country, "CA") == 0)
		name = "Canada";
	gql_out_text(out, str_from(name));
}

static void
place_storage(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_place *place = object;

	(void)run, (void)args;
	gql_out_bool(out, place->standard || place->high_performance);
}

static void
place_compliance(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_place *place = object;
	struct str *list;
	size_t n = 0;

	(void)args;
	while (place->compliance != NULL && place->compliance[n] != NULL)
		n++;
	list = ARENA_ARRAY(run->arena, struct str, n + 1);
	for (size_t i = 0; i < n; i++)
		list[i] = str_from(place->compliance[i]);
	out->kind = OUT_STRS;
	out->strs = list;
	out->count = n;
}

static void
place_gpus(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_place *place = object;
	const struct gql_value *input = gql_in(args, "input");
	const struct gql_value *secure = gql_in(input, "secureCloud");
	int64_t count = gql_in_int(input, "gpuCount", 1);
	const void **list = ARENA_ARRAY(run->arena, const void *,
	    model_ngpus + 1);

	for (size_t i = 0; i < model_ngpus; i++) {
		const struct model_gpu *gpu = &model_gpus[i];
		struct availability *row = ARENA_NEW(run->arena,
		    struct availability);

		row->gpu = gpu;
		if (secure == NULL || secure->truth)
			row->pods = model_stock(run->model, gpu, place, false,
			    count);
		if (row->pods == 0 && (secure == NULL || !secure->truth))
			row->pods = model_stock(run->model, gpu, place, true,
			    count);
		list[i] = row;
	}
	gql_out_objects(out, list, model_ngpus);
}

static void
availability_any(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_bool(out, ((const struct availability *)object)->pods > 0);
}

static void
availability_stock(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct availability *row = object;

	(void)run, (void)args;
	if (row->pods > 0)
		gql_out_text(out, gql_stock_word(row->pods));
}

static void
availability_id(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_text(out,
	    str_from(((const struct availability *)object)->gpu->id));
}

static void
availability_name(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_text(out,
	    str_from(((const struct availability *)object)->gpu->name));
}

/* -------------------------------------------------------------- CPUs ---- */

void
gql_query_cpu_types(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const void **list = ARENA_ARRAY(run->arena, const void *,
	    COUNTOF(cpu_types));

	(void)object, (void)args;
	for (size_t i = 0; i < COUNTOF(cpu_types); i++)
		list[i] = &cpu_types[i];
	gql_out_objects(out, list, COUNTOF(cpu_types));
}

void
gql_query_cpu_flavors(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct str id = gql_in_str(gql_in(args, "input"), "id");
	const void **list = ARENA_ARRAY(run->arena, const void *,
	    model_ncpus + 1);
	size_t n = 0;

	(void)object;
	for (size_t i = 0; i < model_ncpus; i++)
		if (id.len == 0 || str_is(id, model_cpus[i].id))
			list[n++] = &model_cpus[i];
	gql_out_objects(out, list, n);
}

/* Prices per instance; without an instanceId, of the smallest. */
static void
flavor_specifics(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_cpu *cpu = object;
	struct specifics *specifics = ARENA_NEW(run->arena, struct specifics);
	struct str rest = gql_in_str(gql_in(args, "input"), "instanceId");
	struct str vcpu;
	int64_t n = 0;

	str_cut(rest, '-', &rest);
	vcpu = str_cut(rest, '-', &rest);
	for (size_t i = 0; i < vcpu.len && i < 4; i++)
		if (vcpu.data[i] >= '0' && vcpu.data[i] <= '9')
			n = n * 10 + (vcpu.data[i] - '0');
	if (n == 0)
		n = cpu->min_vcpu;
	specifics->pods = n <= cpu->max_vcpu ? 20 : 0;
	specifics->price = cpu->price * n;
	specifics->serverless = cpu->serverless_price * n;
	gql_out_object(out, specifics);
}

static void
specifics_stock(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_text(out,
	    gql_stock_word(((const struct specifics *)object)->pods));
}

TAKES(availability_args, ONE(T_AVAILABILITY_INPUT));
TAKES(specifics_args, ONE(T_SPECIFICS_INPUT));

const struct gql_field gql_place_fields[] = {
	AT("id", STRING, HOW_CSTR, model_place, id),
	AT("name", STRING, HOW_CSTR, model_place, name),
	CALL("location", STRING, place_location),
	AT("region", STRING, HOW_CSTR, model_place, region),
	AT("listed", BOOL, HOW_BOOL, model_place, launchable),
	CALL("storageSupport", BOOL, place_storage),
	AT("globalNetwork", BOOL, HOW_BOOL, model_place, global_network),
	CALL("s3apiEnabled", BOOL, place_storage),
	CALL("compliance", MANY(T_COMPLIANCE), place_compliance),
	CALL_ARGS("gpuAvailability", MANY(T_AVAILABILITY), place_gpus,
	    availability_args),
	{0}
};

const struct gql_field gql_availability_fields[] = {
	CALL("available", BOOL, availability_any),
	CALL("stockStatus", STRING, availability_stock),
	CALL("gpuTypeId", STRING, availability_id),
	CALL("displayName", STRING, availability_name),
	CALL("gpuTypeDisplayName", STRING, availability_name),
	CALL("id", STRING, availability_id),
	{0}
};

const struct gql_field gql_cpu_type_fields[] = {
	AT("id", STRING, HOW_CSTR, cpu_type, id),
	AT("displayName", STRING, HOW_CSTR, cpu_type, name),
	AT("manufacturer", STRING, HOW_CSTR, cpu_type, maker),
	AT("cores", INT, HOW_INT16, cpu_type, cores),
	AT("threadsPerCore", INT, HOW_INT16, cpu_type, threads_per_core),
	AT("groupId", STRING, HOW_CSTR, cpu_type, group),
	{0}
};

const struct gql_field gql_cpu_flavor_fields[] = {
	AT("id", STRING, HOW_CSTR, model_cpu, id),
	AT("groupId", STRING, HOW_CSTR, model_cpu, group),
	AT("groupName", STRING, HOW_CSTR, model_cpu, group),
	AT("displayName", STRING, HOW_CSTR, model_cpu, name),
	AT("minVcpu", INT, HOW_INT16, model_cpu, min_vcpu),
	AT("maxVcpu", INT, HOW_INT16, model_cpu, max_vcpu),
	CONST("vcpuBurstable", BOOL, HOW_FALSE),
	AT("ramMultiplier", INT, HOW_INT16, model_cpu, ram_per_vcpu),
	AT("diskLimitPerVcpu", INT, HOW_INT16, model_cpu, disk_per_vcpu),
	CALL_ARGS("specifics", ONE(T_SPECIFICS), flavor_specifics,
	    specifics_args),
	{0}
};

const struct gql_field gql_specifics_fields[] = {
	CALL("stockStatus", STRING, specifics_stock),
	AT("securePrice", FLOAT, HOW_MONEY, specifics, price),
	AT("slsPrice", FLOAT, HOW_MONEY, specifics, serverless),
	{0}
};
