/*
 * graphql_types.c - the types of the schema: scalars, enums, inputs, and
 * where the objects' fields are.
 */
#include "model/graphql_schema.h"

#define END { NULL, ONE(T_STRING) }

static const char *const cloud_types[] = {
	"SECURE", "COMMUNITY", "ALL", NULL
};
static const char *const compute_types[] = { "GPU", "CPU", NULL };
static const char *const pod_types[] = {
	"RESERVED", "INTERRUPTABLE", "BID", "BACKGROUND", NULL
};
static const char *const pod_statuses[] = {
	"CREATED", "RUNNING", "RESTARTING", "EXITED", "PAUSED", "DEAD",
	"TERMINATED", NULL
};
static const char *const compliances[] = {
	"GDPR", "ISO_IEC_27001", "ISO_14001", "PCI_DSS", "HITRUST", "HIPAA",
	"SOC_1_TYPE_2", "SOC_2_TYPE_2", "SOC_3_TYPE_2", "ITAR", "FISMA_HIGH",
	NULL
};

static const struct gql_input pod_filter[] = {
	{ "podId", MUST(T_STRING) }, END
};
static const struct gql_input gpu_filter[] = {
	{ "id", ONE(T_STRING) }, { "ids", MANY(T_STRING) },
	{ "cluster", ONE(T_BOOLEAN) }, END
};
static const struct gql_input lowest_price_input[] = {
	{ "gpuCount", MUST(T_INT) }, { "secureCloud", ONE(T_BOOLEAN) },
	{ "dataCenterId", ONE(T_STRING) }, { "countryCode", ONE(T_STRING) },
	{ "minDisk", ONE(T_INT) }, { "totalDisk", ONE(T_INT) },
	{ "minDownload", ONE(T_INT) }, { "minUpload", ONE(T_INT) },
	{ "minMemoryInGb", ONE(T_INT) }, { "minVcpuCount", ONE(T_INT) },
	{ "supportPublicIp", ONE(T_BOOLEAN) },
	{ "minCudaVersion", ONE(T_STRING) },
	{ "allowedCudaVersions", MANY(T_STRING) },
	{ "compliance", MANY(T_COMPLIANCE) },
	{ "globalNetwork", ONE(T_BOOLEAN) }, { "includeAiApi", ONE(T_BOOLEAN) },
	END
};
static const struct gql_input availability_input[] = {
	{ "gpuCount", ONE(T_INT) }, { "minDisk", ONE(T_INT) },
	{ "minMemoryInGb", ONE(T_INT) }, { "minVcpuCount", ONE(T_INT) },
	{ "secureCloud", ONE(T_BOOLEAN) },
	{ "allowedCudaVersions", MANY(T_STRING) },
	{ "includeAiApi", ONE(T_BOOLEAN) }, END
};
static const struct gql_input cpu_flavor_input[] = {
	{ "id", ONE(T_STRING) }, END
};
static const struct gql_input specifics_input[] = {
	{ "instanceId", ONE(T_STRING) }, { "dataCenterId", ONE(T_STRING) }, END
};
static const struct gql_input templates_input[] = {
	{ "isRunpod", ONE(T_BOOLEAN) }, { "isServerless", ONE(T_BOOLEAN) },
	{ "isPublic", ONE(T_BOOLEAN) }, END
};
static const struct gql_input env_input[] = {
	{ "key", MUST(T_STRING) }, { "value", MUST(T_STRING) }, END
};
static const struct gql_input savings_input[] = {
	{ "planLength", ONE(T_STRING) }, { "upfrontCost", ONE(T_FLOAT) }, END
};

/* What every way to rent a GPU has in common. */
#define RENT_FIELDS \
	{ "name", ONE(T_STRING) }, { "imageName", ONE(T_STRING) }, \
	{ "gpuTypeId", ONE(T_STRING) }, { "gpuTypeIdList", MANY(T_STRING) }, \
	{ "gpuCount", ONE(T_INT) }, { "cloudType", ONE(T_CLOUD_TYPE) }, \
	{ "containerDiskInGb", ONE(T_INT) }, { "volumeInGb", ONE(T_INT) }, \
	{ "volumeMountPath", ONE(T_STRING) }, { "volumeKey", ONE(T_STRING) }, \
	{ "networkVolumeId", ONE(T_STRING) }, \
	{ "minVcpuCount", ONE(T_INT) }, { "minMemoryInGb", ONE(T_INT) }, \
	{ "minDownload", ONE(T_INT) }, { "minUpload", ONE(T_INT) }, \
	{ "minDisk", ONE(T_INT) }, { "ports", ONE(T_STRING) }, \
	{ "port", ONE(T_INT) }, { "dockerArgs", ONE(T_STRING) }, \
	{ "env", MANY(T_ENV_INPUT) }, { "templateId", ONE(T_STRING) }, \
	{ "dataCenterId", ONE(T_STRING) }, { "countryCode", ONE(T_STRING) }, \
	{ "supportPublicIp", ONE(T_BOOLEAN) }, { "startSsh", ONE(T_BOOLEAN) }, \
	{ "startJupyter", ONE(T_BOOLEAN) }, \
	{ "allowedCudaVersions", MANY(T_STRING) }, \
	{ "minCudaVersion", ONE(T_STRING) }, { "cudaVersion", ONE(T_STRING) }, \
	{ "containerRegistryAuthId", ONE(T_STRING) }, \
	{ "stopAfter", ONE(T_DATE_TIME) }, \
	{ "terminateAfter", ONE(T_DATE_TIME) }, \
	{ "globalNetwork", ONE(T_BOOLEAN) }, \
	{ "compliance", MANY(T_COMPLIANCE) }, { "aiApiId", ONE(T_STRING) }

static const struct gql_input deploy_input[] = {
	RENT_FIELDS, { "deployCost", ONE(T_FLOAT) },
	{ "savingsPlan", ONE(T_SAVINGS_INPUT) },
	{ "computeType", ONE(T_COMPUTE_TYPE) },
	{ "instanceIds", MANY(T_STRING) }, END
};
static const struct gql_input rent_input[] = {
	RENT_FIELDS, { "bidPerGpu", ONE(T_FLOAT) }, END
};
static const struct gql_input cpu_pod_input[] = {
	{ "name", ONE(T_STRING) }, { "imageName", ONE(T_STRING) },
	{ "instanceId", ONE(T_STRING) }, { "cloudType", ONE(T_CLOUD_TYPE) },
	{ "deployCost", ONE(T_FLOAT) }, { "startSsh", ONE(T_BOOLEAN) },
	{ "startJupyter", ONE(T_BOOLEAN) }, { "dataCenterId", ONE(T_STRING) },
	{ "countryCode", ONE(T_STRING) }, { "containerDiskInGb", ONE(T_INT) },
	{ "dockerArgs", ONE(T_STRING) }, { "ports", ONE(T_STRING) },
	{ "volumeMountPath", ONE(T_STRING) }, { "env", MANY(T_ENV_INPUT) },
	{ "templateId", ONE(T_STRING) }, { "networkVolumeId", ONE(T_STRING) },
	{ "containerRegistryAuthId", ONE(T_STRING) },
	{ "minDownload", ONE(T_INT) }, { "minUpload", ONE(T_INT) },
	{ "stopAfter", ONE(T_DATE_TIME) },
	{ "terminateAfter", ONE(T_DATE_TIME) }, END
};
static const struct gql_input resume_input[] = {
	{ "podId", MUST(T_STRING) }, { "gpuCount", ONE(T_INT) },
	{ "syncMachine", ONE(T_BOOLEAN) },
	{ "computeType", ONE(T_COMPUTE_TYPE) },
	{ "allowedCudaVersions", MANY(T_STRING) }, END
};
static const struct gql_input bid_resume_input[] = {
	{ "podId", MUST(T_STRING) }, { "bidPerGpu", MUST(T_FLOAT) },
	{ "gpuCount", MUST(T_INT) }, END
};
static const struct gql_input stop_input[] = {
	{ "podId", MUST(T_STRING) }, { "incrementVersion", ONE(T_BOOLEAN) },
	END
};
static const struct gql_input edit_input[] = {
	{ "podId", MUST(T_STRING) }, { "imageName", ONE(T_STRING) },
	{ "dockerArgs", ONE(T_STRING) }, { "env", MANY(T_ENV_INPUT) },
	{ "port", ONE(T_INT) }, { "ports", ONE(T_STRING) },
	{ "containerDiskInGb", ONE(T_INT) }, { "volumeInGb", ONE(T_INT) },
	{ "volumeMountPath", ONE(T_STRING) },
	{ "containerRegistryAuthId", ONE(T_STRING) }, END
};
static const struct gql_input volume_create_input[] = {
	{ "name", MUST(T_STRING) }, { "size", MUST(T_INT) },
	{ "dataCenterId", MUST(T_STRING) }, END
};
static const struct gql_input volume_update_input[] = {
	{ "id", MUST(T_STRING) }, { "name", ONE(T_STRING) },
	{ "size", ONE(T_INT) }, END
};
static const struct gql_input volume_delete_input[] = {
	{ "id", MUST(T_STRING) }, END
};
static const struct gql_input template_input[] = {
	{ "id", ONE(T_STRING) }, { "name", MUST(T_STRING) },
	{ "imageName", MUST(T_STRING) }, { "dockerArgs", MUST(T_STRING) },
	{ "containerDiskInGb", MUST(T_INT) }, { "volumeInGb", MUST(T_INT) },
	{ "env", { T_ENV_INPUT, true, true } }, { "ports", ONE(T_STRING) },
	{ "volumeMountPath", ONE(T_STRING) },
	{ "isServerless", ONE(T_BOOLEAN) }, { "isPublic", ONE(T_BOOLEAN) },
	{ "readme", ONE(T_STRING) }, { "startSsh", ONE(T_BOOLEAN) },
	{ "startJupyter", ONE(T_BOOLEAN) },
	{ "containerRegistryAuthId", ONE(T_STRING) },
	{ "category", ONE(T_STRING) }, { "advancedStart", ONE(T_BOOLEAN) },
	{ "startScript", ONE(T_STRING) }, END
};
static const struct gql_input registry_save_input[] = {
	{ "name", MUST(T_STRING) }, { "username", MUST(T_STRING) },
	{ "password", MUST(T_STRING) }, END
};
static const struct gql_input registry_update_input[] = {
	{ "id", MUST(T_STRING) }, { "username", MUST(T_STRING) },
	{ "password", MUST(T_STRING) }, END
};
static const struct gql_input settings_input[] = {
	{ "pubKey", ONE(T_STRING) }, END
};

#define SCALAR(text) { text, KIND_SCALAR, NULL, NULL, NULL }
#define WORDS(text, list) { text, KIND_ENUM, (list), NULL, NULL }
#define INPUT(text, list) { text, KIND_INPUT, NULL, (list), NULL }
#define OBJECT(text, list) { text, KIND_OBJECT, NULL, NULL, (list) }

const struct gql_type gql_types[T_COUNT] = {
	[T_STRING] = SCALAR("String"),
	[T_INT] = SCALAR("Int"),
	[T_FLOAT] = SCALAR("Float"),
	[T_BOOLEAN] = SCALAR("Boolean"),
	[T_ID] = SCALAR("ID"),
	[T_DATE_TIME] = SCALAR("DateTime"),
	[T_VOID] = SCALAR("Void"),
	[T_CLOUD_TYPE] = WORDS("CloudTypeEnum", cloud_types),
	[T_COMPUTE_TYPE] = WORDS("ComputeType", compute_types),
	[T_POD_TYPE] = WORDS("PodType", pod_types),
	[T_POD_STATUS] = WORDS("PodStatus", pod_statuses),
	[T_COMPLIANCE] = WORDS("Compliance", compliances),
	[T_POD_FILTER] = INPUT("PodFilter", pod_filter),
	[T_GPU_FILTER] = INPUT("GpuTypeFilter", gpu_filter),
	[T_LOWEST_PRICE_INPUT] =
	    INPUT("GpuLowestPriceInput", lowest_price_input),
	[T_AVAILABILITY_INPUT] =
	    INPUT("GpuAvailabilityInput", availability_input),
	[T_CPU_FLAVOR_INPUT] = INPUT("CpuFlavorInput", cpu_flavor_input),
	[T_SPECIFICS_INPUT] = INPUT("SpecificsInput", specifics_input),
	[T_TEMPLATES_INPUT] = INPUT("PodTemplatesInput", templates_input),
	[T_ENV_INPUT] = INPUT("EnvironmentVariableInput", env_input),
	[T_SAVINGS_INPUT] = INPUT("SavingsPlanInput", savings_input),
	[T_DEPLOY_INPUT] =
	    INPUT("PodFindAndDeployOnDemandInput", deploy_input),
	[T_RENT_INPUT] = INPUT("PodRentInterruptableInput", rent_input),
	[T_CPU_POD_INPUT] = INPUT("DeployCpuPodInput", cpu_pod_input),
	[T_RESUME_INPUT] = INPUT("PodResumeInput", resume_input),
	[T_BID_RESUME_INPUT] = INPUT("PodBidResumeInput", bid_resume_input),
	[T_STOP_INPUT] = INPUT("PodStopInput", stop_input),
	[T_TERMINATE_INPUT] = INPUT("PodTerminateInput", pod_filter),
	[T_EDIT_INPUT] = INPUT("PodEditJobInput", edit_input),
	[T_VOLUME_CREATE_INPUT] =
	    INPUT("CreateNetworkVolumeInput", volume_create_input),
	[T_VOLUME_UPDATE_INPUT] =
	    INPUT("UpdateNetworkVolumeInput", volume_update_input),
	[T_VOLUME_DELETE_INPUT] =
	    INPUT("DeleteNetworkVolumeInput", volume_delete_input),
	[T_TEMPLATE_INPUT] = INPUT("SaveTemplateInput", template_input),
	[T_REGISTRY_SAVE_INPUT] =
	    INPUT("SaveRegistryAuthInput", registry_save_input),
	[T_REGISTRY_UPDATE_INPUT] =
	    INPUT("UpdateRegistryAuthInput", registry_update_input),
	[T_SETTINGS_INPUT] = INPUT("UpdateUserSettingsInput", settings_input),
	[T_QUERY] = OBJECT("Query", gql_query_fields),
	[T_MUTATION] = OBJECT("Mutation", gql_mutation_fields),
	[T_POD] = OBJECT("Pod", gql_pod_fields),
	[T_MACHINE] = OBJECT("PodMachineInfo", gql_machine_fields),
	[T_MACHINE_SYSTEM] =
	    OBJECT("MachineSystem", gql_machine_system_fields),
	[T_RUNTIME] = OBJECT("PodRuntime", gql_runtime_fields),
	[T_RUNTIME_PORT] = OBJECT("PodRuntimePorts", gql_runtime_port_fields),
	[T_RUNTIME_GPU] = OBJECT("PodRuntimeGpus", gql_runtime_gpu_fields),
	[T_RUNTIME_CONTAINER] =
	    OBJECT("PodRuntimeContainer", gql_runtime_container_fields),
	[T_POD_GPU] = OBJECT("Gpu", gql_pod_gpu_fields),
	[T_TELEMETRY] = OBJECT("PodTelemetry", gql_telemetry_fields),
	[T_USER] = OBJECT("User", gql_user_fields),
	[T_SPEND] = OBJECT("UserSpendDetails", gql_spend_fields),
	[T_VOLUME] = OBJECT("NetworkVolume", gql_volume_fields),
	[T_TEMPLATE] = OBJECT("PodTemplate", gql_template_fields),
	[T_ENV] = OBJECT("EnvironmentVariable", gql_env_fields),
	[T_REGISTRY] = OBJECT("ContainerRegistryAuth", gql_registry_fields),
	[T_GPU_TYPE] = OBJECT("GpuType", gql_gpu_type_fields),
	[T_LOWEST_PRICE] = OBJECT("LowestPrice", gql_lowest_price_fields),
	[T_PLACE] = OBJECT("DataCenter", gql_place_fields),
	[T_AVAILABILITY] = OBJECT("GpuAvailability", gql_availability_fields),
	[T_CPU_TYPE] = OBJECT("CpuType", gql_cpu_type_fields),
	[T_CPU_FLAVOR] = OBJECT("CpuFlavor", gql_cpu_flavor_fields),
	[T_SPECIFICS] = OBJECT("Specifics", gql_specifics_fields),
	[T_POOL] = OBJECT("ServerlessGpuPool", gql_pool_fields),
	[T_ENDPOINT] = OBJECT("Endpoint", gql_endpoint_fields),
};

const struct gql_field *
gql_field_find(enum gql_type_id type, struct str name)
{
	for (const struct gql_field *field = gql_types[type].fields;
	    field->name != NULL; field++)
		if (str_is(name, field->name))
			return field;
	return NULL;
}

const struct gql_input *
gql_input_find(const struct gql_input *inputs, struct str name)
{
	for (; inputs != NULL && inputs->name != NULL; inputs++)
		if (str_is(name, inputs->name))
			return inputs;
	return NULL;
}

bool
gql_type_find(struct str name, enum gql_type_id *out)
{
	for (enum gql_type_id id = 0; id < T_COUNT; id++) {
		if (str_is(name, gql_types[id].name)) {
			*out = id;
			return true;
		}
	}
	return false;
}

struct str
gql_ref_name(struct arena *arena, struct gql_ref ref)
{
	return arena_printf(arena, "%s%s%s%s", ref.list ? "[" : "",
	    gql_types[ref.id].name, ref.list ? "]" : "",
	    ref.required ? "!" : "");
}
