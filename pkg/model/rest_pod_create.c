/* rest_pod_create.c - POST and PATCH of /v2/pods: bodies to operations. */
#include "model/body_shapes.h"
#include "model/rest.h"

#include <json-c/json.h>

/* Later values win; keys keep the place of their first mention. */
static void
merge_env(struct arena *arena, struct model_create *want,
    const struct model_env *over, size_t n)
{
	struct model_env *env = ARENA_ARRAY(arena, struct model_env,
	    want->nenv + n);
	size_t total = want->nenv;

	for (size_t i = 0; i < want->nenv; i++)
		env[i] = want->env[i];
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		while (k < total && !str_eq(env[k].name, over[i].name))
			k++;
		if (k == total)
			total++;
		env[k] = over[i];
	}
	want->env = env;
	want->nenv = total;
}

static bool
from_template(struct rest *rest, struct str id, struct model_create *want,
    bool is_gpu)
{
	const struct model_template *template =
	    rest_template(rest->model, id);

	if (template == NULL) {
		rest_problem(rest, 404, "resource not found");
		return false;
	}
	if (template->serverless) {
		rest_problem(rest, 422,
		    "templateId must not be a serverless template");
		return false;
	}
	want->image = template->image;
	want->args = template->args;
	want->registry = template->registry;
	want->disk_gb = template->disk_gb;
	want->ports = template->ports;
	want->nports = template->nports;
	want->env = template->env;
	want->nenv = template->nenv;
	want->start_ssh = template->start_ssh;
	want->start_jupyter = template->start_jupyter;
	if (is_gpu) {
		want->persistent_gb = template->persistent_gb;
		want->persistent_path = template->persistent_path;
		want->cuda = template->cuda;
		want->ncuda = template->ncuda;
	}
	return true;
}

static bool
read_gpu(struct rest *rest, struct json_object *gpu,
    struct model_create *want)
{
	struct str *cuda;
	size_t n = body_strs(rest->arena, gpu, "allowedCudaVersions", &cuda);

	want->gpu = body_str(gpu, "id");
	want->gpu_count = body_int(gpu, "count", 0);
	if (n > 0 && body_has(gpu, "minCudaVersion")) {
		rest_problem(rest, 400, "allowedCudaVersions and "
		    "minCudaVersion are mutually exclusive");
		return false;
	}
	if (body_has(gpu, "allowedCudaVersions") ||
	    body_has(gpu, "minCudaVersion")) {
		want->cuda = cuda;
		want->ncuda = n;
		want->min_cuda = body_str(gpu, "minCudaVersion");
	}
	if (want->gpu_count > 0)
		return true;
	/* The description says the default is 1; live, leaving it out is
	 * answered as if nothing could be rented. */
	rest_problem(rest, 400, "There are no instances currently available");
	return false;
}

static bool
read_cpu(struct rest *rest, struct json_object *cpu,
    struct model_create *want)
{
	const struct model_cpu *flavor = model_cpu_find(body_str(cpu, "id"));

	want->cpu = body_str(cpu, "id");
	want->vcpu = body_int(cpu, "vcpuCount", 0);
	if ((want->vcpu & (want->vcpu - 1)) == 0 && (flavor == NULL ||
	    (want->vcpu >= flavor->min_vcpu &&
	    want->vcpu <= flavor->max_vcpu)))
		return true;
	rest_problem(rest, 400,
	    "vcpuCount must be a power of two that the flavor has");
	return false;
}

static bool
read_mounts(struct rest *rest, struct json_object *mounts, bool is_gpu,
    struct model_create *want)
{
	struct json_object *persistent = body_object(mounts, "persistent");
	struct json_object *network = body_object(mounts, "network");
	struct json_object *first = network == NULL ? NULL
	    : json_object_array_get_idx(network, 0);

	if (persistent != NULL && first != NULL) {
		rest_problem(rest, 400,
		    "only one of persistent and network may be set");
		return false;
	}
	if (persistent != NULL && !is_gpu) {
		rest_problem(rest, 400,
		    "CPU pods have no persistent mount");
		return false;
	}
	if (persistent != NULL) {
		want->persistent_gb = body_int(persistent, "size", 0);
		want->persistent_path = body_str(persistent, "path");
	}
	if (first != NULL) {
		want->volume_id = body_str(first, "volumeId");
		want->volume_path = body_str(first, "path");
		want->persistent_gb = 0;
	}
	return true;
}

static bool
ports_right(struct rest *rest, const struct str *ports, size_t n)
{
	struct model_port port;
	size_t http = 0;

	for (size_t i = 0; i < n; i++) {
		if (!model_parse_port(ports[i], &port)) {
			rest_problem(rest, 400, arena_printf(rest->arena,
			    "invalid port '" STR_FMT "'",
			    STR_ARG(ports[i])).data);
			return false;
		}
		http += !port.tcp;
	}
	if (http <= 10)
		return true;
	rest_problem(rest, 400, "a pod has at most 10 http ports");
	return false;
}

static bool
registry_known(struct rest *rest, struct str id)
{
	if (id.len == 0)
		return true;
	for (size_t i = 0; i < rest->model->registries.n; i++) {
		const struct model_registry *registry =
		    rest->model->registries.items[i];
		if (!registry->dead && str_eq(registry->id, id))
			return true;
	}
	rest_problem(rest, 400, "registry not found");
	return false;
}

static bool
read_create(struct rest *rest, struct json_object *body,
    struct model_create *want)
{
	struct json_object *gpu = body_object(body, "gpu");
	struct json_object *cpu = body_object(body, "cpu");
	struct str id = body_str(body, "templateId"), *ports, *places;
	struct model_env *env;
	size_t nenv = body_env(rest->arena, body, &env);

	if ((gpu == NULL) == (cpu == NULL)) {
		rest_problem(rest, 400, "exactly one of gpu or cpu must be set");
		return false;
	}
	if (id.data == NULL && !body_has(body, "image")) {
		rest_problem_reply(rest->arena, rest->reply, 422,
		    "Request validation failed.",
		    &STR("$: missing property 'image'"), 1);
		return false;
	}
	if (id.data != NULL && !from_template(rest, id, want, gpu != NULL))
		return false;
	merge_env(rest->arena, want, env, nenv);
	want->name = body_str(body, "name");
	if (body_has(body, "image"))
		want->image = body_str(body, "image");
	if (body_has(body, "args"))
		want->args = body_str(body, "args");
	if (body_has(body, "registry"))
		want->registry = body_str(body, "registry");
	want->disk_gb = body_int(body, "disk", want->disk_gb);
	want->community = str_is(body_str(body, "cloud"), "COMMUNITY");
	if (body_has(body, "ports")) {
		want->nports = body_strs(rest->arena, body, "ports", &ports);
		want->ports = ports;
	}
	want->nplaces = body_strs(rest->arena, body, "dataCenterIds",
	    &places);
	want->places = places;
	want->global_network = body_bool(body, "globalNetworking", false);
	want->start_ssh = body_bool(body, "startSsh", want->start_ssh);
	want->start_jupyter = body_bool(body, "startJupyter",
	    want->start_jupyter);
	return ports_right(rest, want->ports, want->nports) &&
	    registry_known(rest, want->registry) &&
	    read_mounts(rest, body_object(body, "mounts"), gpu != NULL,
	    want) &&
	    (gpu != NULL ? read_gpu(rest, gpu, want)
	    : read_cpu(rest, cpu, want));
}

void
rest_create_pod(struct rest *rest)
{
	struct json_object *body = rest_body(rest, &shape_create_pod);
	struct model_create want = {0};
	struct model_refusal why;
	struct model_pod *pod;
	struct json_out out = {0};

	if (body == NULL)
		return;
	if (read_create(rest, body, &want)) {
		pod = model_pod_create(rest->model, &want, &why);
		if (pod != NULL && rest->model->twice)
			model_pod_create(rest->model, &want, &why);
		if (pod == NULL) {
			rest_refused(rest, &why);
		} else {
			rest_put_pod(&out, rest->model, pod,
			    (struct pod_view){0});
			rest_json(rest, 201, &out);
		}
	}
	json_object_put(body);
}

/* Container settings of a template count as if the body had them. */
static bool
update_from_template(struct rest *rest, struct str id,
    struct model_update *update)
{
	const struct model_template *template =
	    rest_template(rest->model, id);

	if (template == NULL) {
		rest_problem(rest, 404, "resource not found");
		return false;
	}
	*update = (struct model_update){
		.image = template->image, .args = template->args,
		.disk_gb = template->disk_gb,
		.set_ports = true, .ports = template->ports,
		.nports = template->nports,
		.set_env = true, .env = template->env,
		.nenv = template->nenv,
	};
	return true;
}

static void
update_mounts(struct json_object *mounts, struct model_update *update)
{
	struct json_object *persistent = body_object(mounts, "persistent");
	struct json_object *network = body_object(mounts, "network");
	struct json_object *first = network == NULL ? NULL
	    : json_object_array_get_idx(network, 0);

	if (persistent != NULL) {
		update->persistent_gb = body_int(persistent, "size", 0);
		update->persistent_path = body_str(persistent, "path");
	}
	if (first != NULL) {
		update->volume_id = body_str(first, "volumeId");
		update->volume_path = body_str(first, "path");
	}
}

static bool
read_update(struct rest *rest, struct json_object *body,
    struct model_update *update)
{
	struct str id = body_str(body, "templateId"), *ports;
	struct model_env *env;

	if (id.data != NULL && !update_from_template(rest, id, update))
		return false;
	update->name = body_str(body, "name");
	if (body_has(body, "image"))
		update->image = body_str(body, "image");
	if (body_has(body, "args"))
		update->args = body_str(body, "args");
	update->disk_gb = body_int(body, "disk", update->disk_gb);
	if (body_has(body, "registry")) {
		update->clear_registry = body_is_null(body, "registry");
		update->registry = body_str(body, "registry");
	}
	if (body_has(body, "ports")) {
		update->set_ports = true;
		update->nports = body_strs(rest->arena, body, "ports",
		    &ports);
		update->ports = ports;
	}
	if (body_has(body, "env")) {
		update->set_env = true;
		update->nenv = body_env(rest->arena, body, &env);
		update->env = env;
	}
	if (body_has(body, "mounts"))
		update_mounts(body_object(body, "mounts"), update);
	update->set_locked = body_has(body, "locked");
	update->locked = body_bool(body, "locked", false);
	update->set_global = body_has(body, "globalNetworking");
	update->global_network = body_bool(body, "globalNetworking", false);
	return ports_right(rest, update->ports, update->nports) &&
	    registry_known(rest, update->registry);
}

void
rest_patch_pod(struct rest *rest)
{
	struct model_pod *pod = model_pod_shown(rest->model, rest->id);
	struct json_object *body;
	struct model_update update = {0};
	struct model_refusal why;
	struct json_out out = {0};

	if (pod == NULL) {
		rest_problem(rest, 404, "resource not found");
		return;
	}
	body = rest_body(rest, &shape_update_pod);
	if (body == NULL)
		return;
	if (!read_update(rest, body, &update)) {
		/* answered */
	} else if (!model_pod_update(rest->model, pod, &update, MODEL_BY_API,
	    &why)) {
		rest_refused(rest, &why);
	} else {
		rest_put_pod(&out, rest->model, pod, (struct pod_view){0});
		rest_json(rest, 200, &out);
	}
	json_object_put(body);
}
