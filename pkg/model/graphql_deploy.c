/*
 * graphql_deploy.c - what GraphQL can do to pods.
 */
#include "model/graphql_schema.h"
#include "model/private.h"

enum { DISK_DEFAULT_GB = 20 };

static const struct model_template *
template_of(const struct model *model, struct str id)
{
	for (size_t i = 0; i < model->templates.n; i++) {
		const struct model_template *row = model->templates.items[i];

		if (!row->dead && id.len > 0 && str_eq(row->id, id))
			return row;
	}
	return NULL;
}

/* The template's variables, then those of the request, which win. */
static void
merge_env(struct arena *arena, struct model_create *want,
    const struct model_env *base, size_t n)
{
	struct model_env *all = ARENA_ARRAY(arena, struct model_env,
	    n + want->nenv + 1);
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		bool given = false;

		for (size_t j = 0; j < want->nenv; j++)
			given |= str_eq(base[i].name, want->env[j].name);
		if (!given)
			all[used++] = base[i];
	}
	for (size_t j = 0; j < want->nenv; j++)
		all[used++] = want->env[j];
	want->env = all;
	want->nenv = used;
}

static struct str *
port_texts(struct arena *arena, const struct str *ports, size_t n)
{
	struct str *texts = ARENA_ARRAY(arena, struct str, n + 1);

	for (size_t i = 0; i < n; i++)
		texts[i] = ports[i];
	return texts;
}

/* What the request leaves open comes from its template.  An official one
 * that we do not have is passed over when an image is named: clients name
 * one by habit. */
static bool
apply_template(struct gql_run *run, struct str id, struct model_create *want)
{
	const struct model_template *row = template_of(run->model, id);

	if (id.len > 0 && row == NULL && want->image.len == 0) {
		gql_fail(run, "RUNPOD", "Template not found");
		return false;
	}
	if (row == NULL)
		return true;
	if (want->image.len == 0)
		want->image = row->image;
	if (want->args.len == 0)
		want->args = row->args;
	if (want->registry.len == 0)
		want->registry = row->registry;
	if (want->disk_gb == 0)
		want->disk_gb = row->disk_gb;
	if (want->persistent_gb == 0 && want->volume_id.len == 0) {
		want->persistent_gb = row->persistent_gb;
		if (want->persistent_path.len == 0)
			want->persistent_path = row->persistent_path;
	}
	if (want->nports == 0) {
		want->ports = port_texts(run->arena, row->ports, row->nports);
		want->nports = row->nports;
	}
	want->start_ssh |= row->start_ssh;
	want->start_jupyter |= row->start_jupyter;
	merge_env(run->arena, want, row->env, row->nenv);
	return true;
}

static bool
read_ports(struct gql_run *run, const struct gql_value *input,
    const struct str **ports, size_t *n)
{
	struct model_port port;
	struct str *list;

	*n = gql_split(run->arena, gql_in_str(input, "ports"), &list);
	for (size_t i = 0; i < *n; i++) {
		if (model_parse_port(list[i], &port))
			continue;
		gql_fail(run, "RUNPOD", "Invalid port: expected a list such "
		    "as 8888/http,22/tcp");
		return false;
	}
	*ports = list;
	return true;
}

static void
read_volume(const struct gql_value *input, struct model_create *want)
{
	struct str path = gql_in_str(input, "volumeMountPath");

	want->volume_id = gql_in_str(input, "networkVolumeId");
	if (path.len == 0)
		path = STR("/workspace");
	if (want->volume_id.len > 0) {
		want->volume_path = path;
	} else {
		want->persistent_gb = gql_in_int(input, "volumeInGb", 0);
		want->persistent_path = want->persistent_gb > 0 ? path :
		    (struct str){ NULL, 0 };
	}
}

/* What GPU and CPU pods have in common.  false: an error was reported. */
static bool
read_create(struct gql_run *run, const struct gql_value *input,
    struct model_create *want)
{
	struct model_env *env;
	struct str *places;
	struct str cloud = gql_in_str(input, "cloudType");

	*want = (struct model_create){ .name = gql_in_str(input, "name"),
	    .image = gql_in_str(input, "imageName"),
	    .args = gql_in_str(input, "dockerArgs"),
	    .registry = gql_in_str(input, "containerRegistryAuthId"),
	    .community = str_is(cloud, "COMMUNITY"),
	    .any_cloud = cloud.len == 0 || str_is(cloud, "ALL"),
	    .disk_gb = gql_in_int(input, "containerDiskInGb", 0),
	    .global_network = gql_in_bool(input, "globalNetwork", false),
	    .start_ssh = gql_in_bool(input, "startSsh", false),
	    .start_jupyter = gql_in_bool(input, "startJupyter", false) };
	want->nenv = gql_in_env(run->arena, input, &env);
	want->env = env;
	want->nplaces = gql_split(run->arena,
	    gql_in_str(input, "dataCenterId"), &places);
	want->places = places;
	read_volume(input, want);
	if (!read_ports(run, input, &want->ports, &want->nports) ||
	    !apply_template(run, gql_in_str(input, "templateId"), want))
		return false;
	if (want->disk_gb == 0)
		want->disk_gb = DISK_DEFAULT_GB;
	if (want->name.len == 0)
		want->name = want->image;
	if (want->image.len > 0)
		return true;
	gql_fail(run, "RUNPOD",
	    "You must either provide a template id or an image name");
	return false;
}

static void
create(struct gql_run *run, const struct model_create *want,
    struct gql_out *out)
{
	struct model_refusal why = {0};
	struct model_pod *pod = model_pod_create(run->model, want, &why);

	if (pod == NULL)
		gql_refused(run, &why);
	gql_out_object(out, pod);
}

void
gql_deploy(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct gql_value *input = gql_in(args, "input");
	struct model_create want;
	struct str *gpus, *cuda;

	(void)object;
	if (!read_create(run, input, &want))
		return;
	want.gpu = gql_in_str(input, "gpuTypeId");
	if (want.gpu.len == 0 &&
	    gql_in_strs(run->arena, input, "gpuTypeIdList", &gpus) > 0)
		want.gpu = gpus[0];
	want.gpu_count = gql_in_int(input, "gpuCount", 1);
	want.ncuda = gql_in_strs(run->arena, input, "allowedCudaVersions",
	    &cuda);
	want.cuda = cuda;
	want.min_cuda = gql_in_str(input, "minCudaVersion");
	if (model_gpu_find(want.gpu) == NULL) {
		gql_fail(run, "RUNPOD", "GPU type not found");
		return;
	}
	if (want.gpu_count < 1) {
		gql_fail(run, "RUNPOD", "gpuCount must be at least 1");
		return;
	}
	create(run, &want, out);
}

/* `cpu3c-2-4`: flavor, vCPUs, GB; the memory follows from the others. */
void
gql_deploy_cpu(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct gql_value *input = gql_in(args, "input");
	struct str instance = gql_in_str(input, "instanceId"), vcpu;
	struct model_create want;

	(void)object;
	if (!read_create(run, input, &want))
		return;
	if (instance.len == 0)
		instance = STR("cpu3c-2-4");
	want.cpu = str_cut(instance, '-', &instance);
	vcpu = str_cut(instance, '-', &instance);
	for (size_t i = 0; i < vcpu.len && i < 4; i++)
		want.vcpu = want.vcpu * 10 + (vcpu.data[i] - '0');
	if (model_cpu_find(want.cpu) == NULL || want.vcpu < 2 ||
	    want.vcpu > 32 || (want.vcpu & (want.vcpu - 1)) != 0) {
		gql_fail(run, "RUNPOD", "Instance type not found");
		return;
	}
	want.community = want.any_cloud = false;
	create(run, &want, out);
}

/* Spot is being retired: there is never any. */
void
gql_rent(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)object, (void)args, (void)out;
	gql_fail(run, "RUNPOD", "There are no longer any instances available "
	    "with the request specifications. Please try again later.");
}

/* The pod that an input names; NULL once its absence was reported. */
static struct model_pod *
named_pod(struct gql_run *run, const struct gql_value *args,
    const char *missing)
{
	struct model_pod *pod = model_pod_living(run->model,
	    gql_in_str(gql_in(args, "input"), "podId"));

	if (pod == NULL)
		gql_fail(run, "RUNPOD", missing);
	return pod;
}

void
gql_resume(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct model_pod *pod = named_pod(run, args, "pod not found");
	struct model_refusal why = {0};

	(void)object;
	if (pod == NULL)
		return;
	if (model_pod_start(run->model, pod, MODEL_BY_API, &why))
		gql_out_object(out, pod);
	else
		gql_refused(run, &why);
}

void
gql_bid_resume(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)object, (void)out;
	if (named_pod(run, args, "pod not found") != NULL)
		gql_fail(run, "RUNPOD",
		    "Cannot resume an on demand pod as a spot pod.");
}

void
gql_stop(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct model_pod *pod = named_pod(run, args, "pod not found");
	struct model_refusal why = {0};

	(void)object;
	if (pod == NULL)
		return;
	if (model_pod_stop(run->model, pod, MODEL_BY_API, &why))
		gql_out_object(out, pod);
	else
		gql_refused(run, &why);
}

void
gql_terminate(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct model_pod *pod = named_pod(run, args,
	    "pod not found to terminate");
	struct model_refusal why = {0};

	(void)object, (void)out;
	if (pod != NULL && !model_pod_terminate(run->model, pod, MODEL_BY_API,
	    &why))
		gql_refused(run, &why);
}

void
gql_edit(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct gql_value *input = gql_in(args, "input");
	struct model_pod *pod = named_pod(run, args, "pod not found");
	struct model_refusal why = {0};
	struct model_update update = { .image = gql_in_str(input, "imageName"),
	    .args = gql_in_str(input, "dockerArgs"),
	    .registry = gql_in_str(input, "containerRegistryAuthId"),
	    .disk_gb = gql_in_int(input, "containerDiskInGb", 0),
	    .persistent_gb = gql_in_int(input, "volumeInGb", 0) };
	struct model_env *env;

	(void)object;
	if (pod == NULL || !read_ports(run, input, &update.ports,
	    &update.nports))
		return;
	update.set_ports = gql_in(input, "ports") != NULL;
	update.nenv = gql_in_env(run->arena, input, &env);
	update.env = env;
	update.set_env = gql_in(input, "env") != NULL;
	if (pod->volume_id.len > 0)
		update.volume_path = gql_in_str(input, "volumeMountPath");
	else
		update.persistent_path = gql_in_str(input, "volumeMountPath");
	if (model_pod_update(run->model, pod, &update, MODEL_BY_API, &why))
		gql_out_object(out, pod);
	else
		gql_refused(run, &why);
}
