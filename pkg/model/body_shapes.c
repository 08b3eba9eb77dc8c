/*
 * body_shapes.c - what each request may carry: the members, types and limits
 * of the published description of the REST v2 of 2026-08-20.
 */
#include "model/body_shapes.h"

#define SHAPE_OF(table) { table, COUNTOF(table), false }
#define FIELD(n, t) .name = n, .type = SHAPE_##t
#define CUDA .pattern = shape_is_cuda, .pattern_name = "'^\\d+\\.\\d+$'"

static const char *const clouds[] = { "SECURE", "COMMUNITY", NULL };
static const char *const tiers[] = { "STANDARD", "HIGH_PERFORMANCE", NULL };
static const char *const categories[] = { "CPU", "NVIDIA", "AMD", NULL };
static const char *const actions[] = {
	"start", "stop", "restart", "terminate", NULL
};

static const struct shape_member persistent[] = {
	{ FIELD("size", INTEGER), .required = true, .min = 10 },
	{ FIELD("path", STRING), .required = true },
};
static const struct shape persistent_shape = SHAPE_OF(persistent);

static const struct shape_member network[] = {
	{ FIELD("volumeId", STRING), .required = true },
	{ FIELD("path", STRING), .required = true },
};
static const struct shape network_shape = SHAPE_OF(network);

static const struct shape_member mounts[] = {
	{ FIELD("persistent", OBJECT), .shape = &persistent_shape },
	{ FIELD("network", OBJECTS), .shape = &network_shape,
	    .max_items = 1 },
};
static const struct shape mounts_shape = SHAPE_OF(mounts);

static const struct shape template_mounts_shape = { mounts, 1, false };

static const struct shape_member gpu[] = {
	{ FIELD("id", STRING), .required = true },
	{ FIELD("count", INTEGER), .min = 1 },
	{ FIELD("allowedCudaVersions", STRINGS), CUDA },
	{ FIELD("minCudaVersion", STRING), CUDA },
};
static const struct shape gpu_shape = SHAPE_OF(gpu);

static const struct shape_member cpu[] = {
	{ FIELD("id", STRING), .required = true, .min = 1 },
	{ FIELD("vcpuCount", INTEGER), .required = true, .min = 2 },
};
static const struct shape cpu_shape = SHAPE_OF(cpu);

/* What every container has. */
#define CONTAINER \
	{ FIELD("image", STRING) }, \
	{ FIELD("args", STRING) }, \
	{ FIELD("disk", INTEGER), .min = 1 }, \
	{ FIELD("env", MAP) }, \
	{ FIELD("ports", STRINGS) }, \
	{ FIELD("registry", STRING), .nullable = true }

static const struct shape_member create_pod[] = {
	CONTAINER,
	{ FIELD("name", STRING), .required = true, .min = 1 },
	{ FIELD("cloud", STRING), .words = clouds },
	{ FIELD("cpu", OBJECT), .shape = &cpu_shape },
	{ FIELD("dataCenterIds", STRINGS) },
	{ FIELD("globalNetworking", BOOLEAN) },
	{ FIELD("gpu", OBJECT), .shape = &gpu_shape },
	{ FIELD("mounts", OBJECT), .shape = &mounts_shape },
	{ FIELD("startJupyter", BOOLEAN) },
	{ FIELD("startSsh", BOOLEAN) },
	{ FIELD("templateId", STRING), .min = 1 },
};
const struct shape shape_create_pod = SHAPE_OF(create_pod);

static const struct shape_member update_pod[] = {
	CONTAINER,
	{ FIELD("globalNetworking", BOOLEAN) },
	{ FIELD("locked", BOOLEAN) },
	{ FIELD("mounts", OBJECT), .shape = &mounts_shape },
	{ FIELD("name", STRING), .min = 1 },
	{ FIELD("templateId", STRING) },
};
const struct shape shape_update_pod = SHAPE_OF(update_pod);

static const struct shape_member action[] = {
	{ FIELD("action", STRING), .required = true, .words = actions },
};
const struct shape shape_action = SHAPE_OF(action);

static const struct shape_member create_volume[] = {
	{ FIELD("name", STRING), .required = true, .min = 1 },
	{ FIELD("size", INTEGER), .required = true, .min = 10, .max = 4096 },
	{ FIELD("dataCenter", STRING), .required = true, .min = 1 },
	{ FIELD("type", STRING), .words = tiers },
};
const struct shape shape_create_volume = SHAPE_OF(create_volume);

static const struct shape_member update_volume[] = {
	{ FIELD("name", STRING), .min = 1 },
	{ FIELD("size", INTEGER), .min = 10, .max = 4096 },
};
const struct shape shape_update_volume = {
	update_volume, COUNTOF(update_volume), true
};

#define TEMPLATE(needed) \
	CONTAINER, \
	{ FIELD("name", STRING), .required = needed, .min = 1 }, \
	{ FIELD("allowedCudaVersions", STRINGS), CUDA }, \
	{ FIELD("category", STRING), .words = categories }, \
	{ FIELD("mounts", OBJECT), .shape = &template_mounts_shape }, \
	{ FIELD("public", BOOLEAN) }, \
	{ FIELD("serverless", BOOLEAN) }, \
	{ FIELD("startJupyter", BOOLEAN) }, \
	{ FIELD("startSsh", BOOLEAN) }

static const struct shape_member create_template[] = { TEMPLATE(true) };
const struct shape shape_create_template = SHAPE_OF(create_template);

static const struct shape_member update_template[] = { TEMPLATE(false) };
const struct shape shape_update_template = SHAPE_OF(update_template);

static const struct shape_member create_registry[] = {
	{ FIELD("name", STRING), .required = true, .min = 1 },
	{ FIELD("username", STRING), .required = true, .min = 1 },
	{ FIELD("password", STRING), .required = true, .min = 1 },
};
const struct shape shape_create_registry = SHAPE_OF(create_registry);

static const struct shape_member ssh_keys[] = {
	{ FIELD("keys", STRINGS), .required = true,
	    .pattern = shape_is_ssh_key, .pattern_name = "of an SSH key" },
};
const struct shape shape_ssh_keys = SHAPE_OF(ssh_keys);
