/*
 * graphql_pod.c - a pod and what hangs on it, as GraphQL shows them.
 *
 * desiredStatus is what the owner asked for, so it says RUNNING from the
 * first moment; whether a container is there is seen by `runtime` alone.
 */
#include "model/graphql_tables.h"
#include "model/private.h"

struct port_view {
	struct str ip;
	bool is_public;
	int64_t inside, outside;
	struct str type;
};

struct gpu_view {
	struct str id, pod_id;
};

static bool
has_runtime(const struct model_pod *pod)
{
	return pod->status == MODEL_RUNNING && pod->up_ms >= 0;
}

static void
pod_status(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;

	(void)run, (void)args;
	gql_out_text(out, pod->status == MODEL_TERMINATED ?
	    STR("TERMINATED") : pod->status == MODEL_EXITED ||
	    pod->status == MODEL_ERROR ? STR("EXITED") : STR("RUNNING"));
}

static void
pod_type(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)object, (void)args;
	gql_out_text(out, STR("RESERVED"));
}

static void
pod_ports(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;
	struct str text = STR("");

	(void)args;
	for (size_t i = 0; i < pod->nports; i++)
		text = arena_printf(run->arena, STR_FMT "%s%u/%s",
		    STR_ARG(text), i > 0 ? "," : "",
		    (unsigned)pod->ports[i].inside,
		    pod->ports[i].tcp ? "tcp" : "http");
	gql_out_text(out, text);
}

static void
pod_env(struct gql_run *run, const void *object, const struct gql_value *args,
    struct gql_out *out)
{
	const struct model_pod *pod = object;
	struct str *lines = ARENA_ARRAY(run->arena, struct str, pod->nenv + 1);

	(void)args;
	for (size_t i = 0; i < pod->nenv; i++)
		lines[i] = arena_printf(run->arena, STR_FMT "=" STR_FMT,
		    STR_ARG(pod->env[i].name), STR_ARG(pod->env[i].value));
	out->kind = OUT_STRS;
	out->strs = lines;
	out->count = pod->nenv;
}

static void
pod_volume_path(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;

	(void)run, (void)args;
	if (pod->volume_path.len > 0)
		gql_out_text(out, pod->volume_path);
	else if (pod->persistent_path.len > 0)
		gql_out_text(out, pod->persistent_path);
}

static void
pod_volume(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;

	(void)args;
	gql_out_object(out, model_volume_living(run->model, pod->volume_id));
}

static void
out_time(struct gql_run *run, int64_t ms, struct gql_out *out)
{
	if (ms >= 0)
		gql_out_text(out, model_rfc3339(run->arena, ms));
}

static void
pod_created(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)args;
	out_time(run, ((const struct model_pod *)object)->created_ms, out);
}

static void
pod_started(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)args;
	out_time(run, ((const struct model_pod *)object)->started_ms, out);
}

static void
pod_cost(struct gql_run *run, const void *object, const struct gql_value *args,
    struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_money(out, ((const struct model_pod *)object)->compute_rate);
}

static void
pod_runtime(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	if (has_runtime(object))
		gql_out_object(out, object);
}

static void
pod_gpus(struct gql_run *run, const void *object, const struct gql_value *args,
    struct gql_out *out)
{
	const struct model_pod *pod = object;
	size_t n = (size_t)pod->gpu_count;
	const void **list = ARENA_ARRAY(run->arena, const void *, n + 1);

	(void)args;
	for (size_t i = 0; i < n; i++) {
		struct gpu_view *gpu = ARENA_NEW(run->arena, struct gpu_view);
		uint64_t a = str_hash(pod->id), b = a * 31 + i + 1;

		gpu->id = arena_printf(run->arena,
		    "GPU-%08x-%04x-4%03x-%04x-%012llx", (unsigned)a,
		    (unsigned)(a >> 32 & 0xffff), (unsigned)(a >> 52),
		    (unsigned)(0x8000 | (b & 0x3fff)),
		    (unsigned long long)(b >> 16 & 0xffffffffffff));
		gpu->pod_id = pod->id;
		list[i] = gpu;
	}
	gql_out_objects(out, list, n);
}

/* 100.65.0.x is the carrier-grade range behind which the http proxy sits. */
static void
runtime_ports(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;
	const void **list = ARENA_ARRAY(run->arena, const void *,
	    pod->nports + 1);
	size_t n = 0;

	(void)args;
	if (!model_ports_mapped(pod, run->model->now_ms))
		return;
	for (size_t i = 0; i < pod->nports; i++) {
		const struct model_port *port = &pod->ports[i];
		struct port_view *view = ARENA_NEW(run->arena,
		    struct port_view);

		if (port->tcp && port->outside == 0)
			continue;
		view->is_public = port->tcp;
		view->ip = port->tcp ? pod->host : arena_printf(run->arena,
		    "100.65.0.%u", (unsigned)(1 + pod->number % 250));
		view->inside = port->inside;
		view->outside = port->outside != 0 ? port->outside :
		    (int64_t)(60000 + (pod->number * 8 + i) % 5000);
		view->type = port->tcp ? STR("tcp") : STR("http");
		list[n++] = view;
	}
	gql_out_objects(out, list, n);
}

static void
runtime_uptime(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;

	(void)args;
	gql_out_int(out, (run->model->now_ms - pod->up_ms) / 1000);
}

static void
telemetry_state(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)object, (void)args;
	gql_out_text(out, STR("running"));
}

static void
telemetry_time(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)object, (void)args;
	out_time(run, run->model->now_ms, out);
}

/* ------------------------------------------------------- the machine ---- */

static void
machine_gpu_name(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;

	(void)run, (void)args;
	gql_out_text(out, str_from(pod->gpu != NULL ? pod->gpu->name :
	    "unknown"));
}

static void
machine_gpu_id(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;

	(void)run, (void)args;
	gql_out_text(out, str_from(pod->gpu != NULL ? pod->gpu->id :
	    "unknown"));
}

static void
machine_gpu(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_object(out, ((const struct model_pod *)object)->gpu);
}

static void
machine_gpus_free(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;

	(void)args;
	gql_out_int(out, pod->gpu == NULL ? 0 : model_stock(run->model,
	    pod->gpu, pod->place, pod->community, 1));
}

static void
machine_place(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;

	(void)run, (void)args;
	if (pod->place != NULL)
		gql_out_text(out, str_from(pod->place->id));
}

static void
machine_location(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;

	(void)run, (void)args;
	if (pod->place != NULL)
		gql_out_text(out, str_from(pod->place->country));
}

static void
machine_secure(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_bool(out, !((const struct model_pod *)object)->community);
}

static void
machine_gpu_price(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_pod *pod = object;

	(void)run, (void)args;
	gql_out_money(out, pod->compute_rate /
	    (pod->gpu_count > 0 ? pod->gpu_count : 1));
}

const struct gql_field gql_pod_fields[] = {
	AT("id", MUST(T_STRING), HOW_STR, model_pod, id),
	AT("name", STRING, HOW_STR, model_pod, name),
	AT("imageName", STRING, HOW_STR, model_pod, image),
	CALL("desiredStatus", ONE(T_POD_STATUS), pod_status),
	CALL("podType", ONE(T_POD_TYPE), pod_type),
	CALL("volumeMountPath", STRING, pod_volume_path),
	AT("lastStatusChange", STRING, HOW_STR, model_pod, last_change),
	AT("machineId", STRING, HOW_STR, model_pod, machine_id),
	NOTHING("machineType", STRING),
	NOTHING("templateId", STRING),
	AT("networkVolumeId", STRING, HOW_STR_OR_NULL, model_pod, volume_id),
	CALL("networkVolume", ONE(T_VOLUME), pod_volume),
	AT("dockerArgs", STRING, HOW_STR, model_pod, args),
	NOTHING("dockerId", STRING),
	CALL("ports", STRING, pod_ports),
	NOTHING("volumeKey", STRING),
	AT("containerRegistryAuthId", STRING, HOW_STR_OR_NULL, model_pod,
	    registry),
	AT("cpuFlavorId", STRING, HOW_STR_OR_NULL, model_pod, cpu_id),
	NOTHING("aiApiId", STRING),
	NOTHING("consumerUserId", STRING),
	NOTHING("clusterId", STRING),
	NOTHING("clusterIp", STRING),
	NOTHING("clusterCidr", STRING),
	NOTHING("clusterIdx", INT),
	AT("ipAddress", STRING, HOW_STR_OR_NULL, model_pod, internal_ip),
	CALL("env", MANY(T_STRING), pod_env),
	CALL("createdAt", ONE(T_DATE_TIME), pod_created),
	CALL("lastStartedAt", ONE(T_DATE_TIME), pod_started),
	AT("gpuCount", INT, HOW_INT, model_pod, gpu_count),
	AT("containerDiskInGb", INT, HOW_INT, model_pod, disk_gb),
	AT("volumeInGb", INT, HOW_INT, model_pod, persistent_gb),
	NOTHING("port", INT),
	CONST("uptimeSeconds", INT, HOW_ZERO),
	CONST("version", INT, HOW_ZERO),
	CONST("slsVersion", INT, HOW_ZERO),
	NOTHING("gpuPowerLimitPercent", INT),
	AT("memoryInGb", FLOAT, HOW_INT, model_pod, memory_gb),
	AT("vcpuCount", FLOAT, HOW_INT, model_pod, vcpu),
	CALL("costPerHr", FLOAT, pod_cost),
	CALL("adjustedCostPerHr", FLOAT, pod_cost),
	NOTHING("costMultiplier", FLOAT),
	NOTHING("lowestBidPriceToResume", FLOAT),
	AT("locked", BOOL, HOW_BOOL, model_pod, locked),
	CONST("volumeEncrypted", BOOL, HOW_FALSE),
	CONST("testPod", BOOL, HOW_FALSE),
	CALL("runtime", ONE(T_RUNTIME), pod_runtime),
	CONST("machine", ONE(T_MACHINE), HOW_SAME),
	CALL("latestTelemetry", ONE(T_TELEMETRY), pod_runtime),
	CALL("gpus", MANY(T_POD_GPU), pod_gpus),
	{0}
};

const struct gql_field gql_machine_fields[] = {
	AT("id", STRING, HOW_STR, model_pod, machine_id),
	AT("podHostId", STRING, HOW_STR, model_pod, host_id),
	CALL("gpuDisplayName", STRING, machine_gpu_name),
	CALL("gpuTypeId", STRING, machine_gpu_id),
	CALL("gpuType", ONE(T_GPU_TYPE), machine_gpu),
	CALL("gpuAvailable", INT, machine_gpus_free),
	CALL("location", STRING, machine_location),
	CALL("dataCenterId", STRING, machine_place),
	CALL("secureCloud", BOOL, machine_secure),
	CONST("supportPublicIp", BOOL, HOW_TRUE),
	AT("runpodIp", STRING, HOW_STR_OR_NULL, model_pod, host),
	CALL("costPerHr", FLOAT, pod_cost),
	CALL("currentPricePerGpu", FLOAT, machine_gpu_price),
	NOTHING("diskMBps", INT),
	NOTHING("maxDownloadSpeedMbps", INT),
	NOTHING("maxUploadSpeedMbps", INT),
	CONST("listed", BOOL, HOW_TRUE),
	NOTHING("machineType", STRING),
	NOTHING("maintenanceStart", ONE(T_DATE_TIME)),
	NOTHING("maintenanceEnd", ONE(T_DATE_TIME)),
	NOTHING("maintenanceNote", STRING),
	NOTHING("note", STRING),
	NOTHING("minPodGpuCount", INT),
	NOTHING("cpuTypeId", STRING),
	NOTHING("cpuType", ONE(T_CPU_TYPE)),
	AT("cpuCount", INT, HOW_INT, model_pod, vcpu),
	AT("vcpuTotal", INT, HOW_INT, model_pod, vcpu),
	AT("vcpuReserved", INT, HOW_INT, model_pod, vcpu),
	AT("memoryTotal", INT, HOW_INT, model_pod, memory_gb),
	AT("memoryReserved", INT, HOW_INT, model_pod, memory_gb),
	CONST("globalNetwork", BOOL, HOW_FALSE),
	CONST("machineSystem", ONE(T_MACHINE_SYSTEM), HOW_SAME),
	{0}
};

const struct gql_field gql_machine_system_fields[] = {
	NOTHING("os", STRING),
	AT("cudaVersion", STRING, HOW_STR_OR_NULL, model_pod, cuda),
	NOTHING("diskTotal", INT),
	NOTHING("diskFree", INT),
	NOTHING("dockerVersion", STRING),
	NOTHING("kernelVersion", STRING),
	NOTHING("privateIp", STRING),
	AT("publicIp", STRING, HOW_STR_OR_NULL, model_pod, host),
	{0}
};

const struct gql_field gql_runtime_fields[] = {
	CALL("uptimeInSeconds", INT, runtime_uptime),
	CALL("ports", MANY(T_RUNTIME_PORT), runtime_ports),
	CALL("gpus", MANY(T_RUNTIME_GPU), pod_gpus),
	CONST("container", ONE(T_RUNTIME_CONTAINER), HOW_SAME),
	{0}
};

const struct gql_field gql_runtime_port_fields[] = {
	AT("ip", STRING, HOW_STR, port_view, ip),
	AT("isIpPublic", BOOL, HOW_BOOL, port_view, is_public),
	AT("privatePort", INT, HOW_INT, port_view, inside),
	AT("publicPort", INT, HOW_INT, port_view, outside),
	AT("type", STRING, HOW_STR, port_view, type),
	{0}
};

const struct gql_field gql_runtime_gpu_fields[] = {
	AT("id", STRING, HOW_STR, gpu_view, id),
	CONST("gpuUtilPercent", INT, HOW_ZERO),
	CONST("memoryUtilPercent", INT, HOW_ZERO),
	{0}
};

const struct gql_field gql_runtime_container_fields[] = {
	CONST("cpuPercent", INT, HOW_ZERO),
	CONST("memoryPercent", INT, HOW_ZERO),
	{0}
};

const struct gql_field gql_pod_gpu_fields[] = {
	AT("id", STRING, HOW_STR, gpu_view, id),
	AT("podId", STRING, HOW_STR, gpu_view, pod_id),
	{0}
};

const struct gql_field gql_telemetry_fields[] = {
	CALL("state", STRING, telemetry_state),
	CALL("time", ONE(T_DATE_TIME), telemetry_time),
	CONST("cpuUtilization", FLOAT, HOW_ZERO),
	CONST("memoryUtilization", FLOAT, HOW_ZERO),
	CALL("lastStateTransitionTimestamp", ONE(T_DATE_TIME), pod_started),
	{0}
};

void
gql_query_pod(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)object;
	gql_out_object(out, model_pod_living(run->model,
	    gql_in_str(gql_in(args, "input"), "podId")));
}

size_t
gql_pods(struct gql_run *run, const void *const **out)
{
	size_t n = 0, all = run->model->pods.n;
	const void **list = ARENA_ARRAY(run->arena, const void *, all + 1);

	for (size_t i = all; i > 0; i--)
		if (model_pod_billed(run->model->pods.items[i - 1]))
			list[n++] = run->model->pods.items[i - 1];
	*out = list;
	return n;
}
