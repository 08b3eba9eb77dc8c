/* decode_pod.c - a pod as REST v2 reports it; see decode.h */
#include <string.h>

#include "base/mark.h"
#include "cloud/runpod/decode.h"
#include "cloud/runpod/ops.h"
#include "cloud/runpod/runpod.h"

static const struct {
	const char *word;
	enum pod_status status;
} statuses[] = {
	{ "PROVISIONING", POD_PROVISIONING },
	{ "STARTING", POD_STARTING },
	{ "RUNNING", POD_RUNNING },
	{ "EXITED", POD_EXITED },
	{ "ERROR", POD_ERROR },
	{ "TERMINATED", POD_TERMINATED },
};

static void
read_status(struct json_reader *reader, struct json_value value,
    struct cloud_pod *pod)
{
	json_read_str(reader, value, "status", REQUIRED, &pod->status_text);
	pod->status = POD_UNKNOWN;
	for (size_t i = 0; i < COUNTOF(statuses); i++)
		if (str_is(pod->status_text, statuses[i].word))
			pod->status = statuses[i].status;
}

/*
 * There, but possibly null: a field whose absence would be taken for a
 * difference from what was asked.
 */
static bool
present(struct json_reader *reader, struct json_value value, const char *key)
{
	struct json_value member = json_get(value, key);
	if (!json_exists(member))
		json_fail(reader, key, "value");
	return json_exists(member) && json_type(member) != JSON_NULL;
}

static void
read_ports(struct json_reader *reader, struct json_value value,
    struct pod_config *config)
{
	struct json_value list;
	if (!present(reader, value, "ports") ||
	    !json_read_array(reader, value, "ports", REQUIRED, &list))
		return;
	struct json_iter it = json_iter(list);
	config->ports = ARENA_ARRAY(reader->arena, struct str,
	    json_count(list));
	while (!reader->failed && json_next(&it))
		json_value_str(reader, it.value,
		    &config->ports[config->nports++]);
}

/* The mark and what the service injects are kept apart from the rest. */
static void
read_env(struct json_reader *reader, struct json_value value,
    struct cloud_pod *pod)
{
	struct json_value map;
	if (!present(reader, value, "env") ||
	    !json_read_object(reader, value, "env", REQUIRED, &map))
		return;
	struct json_iter it = json_iter(map);
	size_t n = json_count(map);
	pod->config.env = ARENA_ARRAY(reader->arena, struct env_var, n);
	while (!reader->failed && json_next(&it)) {
		struct env_var var = {0};
		var.name = it.key_escaped ?
		    json_iter_key(reader->arena, &it) : it.key;
		json_value_str(reader, it.value, &var.value);
		if (str_is(var.name, MARK_ENV))
			pod->mark = var.value;
		else if (runpod_injected_find(var.name) == NULL)
			pod->config.env[pod->config.nenv++] = var;
		else {
			if (pod->injected == NULL)
				pod->injected = ARENA_ARRAY(reader->arena,
				    struct env_var, n);
			pod->injected[pod->ninjected++] = var;
		}
	}
}

static void
read_network_mount(struct json_reader *reader, struct json_value list,
    struct pod_config *config)
{
	struct json_iter it = json_iter(list);
	if (!json_next(&it))
		return;
	decode_id(reader, it.value, "volumeId", &config->volume_id);
	json_read_str(reader, it.value, "path", REQUIRED,
	    &config->volume_path);
}

static void
read_mounts(struct json_reader *reader, struct json_value value,
    struct pod_config *config)
{
	struct json_value mounts, list, disk;
	if (!present(reader, value, "mounts") ||
	    !json_read_object(reader, value, "mounts", REQUIRED, &mounts))
		return;
	if (json_read_array(reader, mounts, "network", NULLABLE, &list))
		read_network_mount(reader, list, config);
	if (json_read_object(reader, mounts, "persistent", NULLABLE, &disk)) {
		json_read_int(reader, disk, "size", REQUIRED, 0, INT32_MAX,
		    &config->persistent_gb);
		json_read_str(reader, disk, "path", REQUIRED,
		    &config->persistent_path);
	}
}

/* Pods without a GPU have none of it; a resumed one may have lost it. */
static void
read_gpu(struct json_reader *reader, struct json_value value,
    struct pod_config *config)
{
	struct json_value gpu;
	if (!json_read_object(reader, value, "gpu", NULLABLE, &gpu))
		return;
	json_read_str(reader, gpu, "id", REQUIRED, &config->gpu);
	if (!json_read_int(reader, gpu, "count", OPTIONAL, 0, 1024,
		&config->gpu_count))
		config->gpu_count = 1;
}

static void
read_place(struct json_reader *reader, struct json_value value,
    struct pod_config *config)
{
	struct str cloud;
	json_read_str(reader, value, "cloud", REQUIRED, &cloud);
	config->tier = str_is(cloud, "SECURE") ? TIER_SECURE :
	    str_is(cloud, "COMMUNITY") ? TIER_COMMUNITY : TIER_ANY;
	json_read_str(reader, value, "dataCenterId", NULLABLE,
	    &config->data_center);
	if (config->data_center.data != NULL &&
	    !ops_id_ok(config->data_center))
		json_fail(reader, "dataCenterId", "id");
}

static bool
host_ok(struct str host)
{
	if (host.len < 1 || host.len > 253 || host.data[0] == '-')
		return false;
	for (size_t i = 0; i < host.len; i++) {
		struct str c = str_sub(host, i, 1);
		if (!ops_id_ok(c) && c.data[0] != '.' && c.data[0] != ':')
			return false;
	}
	return true;
}

/* Only the direct way carries tunnels and copies; the proxy is ignored. */
static void
read_ssh(struct json_reader *reader, struct json_value value,
    struct ssh_endpoint *out)
{
	struct json_value ssh, direct;
	struct ssh_endpoint found = { .user = STR("root") };
	int64_t port = 0;

	if (!json_read_object(reader, value, "ssh", NULLABLE, &ssh) ||
	    !json_read_object(reader, ssh, "direct", NULLABLE, &direct))
		return;
	json_read_str(reader, direct, "host", REQUIRED, &found.host);
	json_read_int(reader, direct, "port", REQUIRED, 1, 65535, &port);
	json_read_str(reader, direct, "username", OPTIONAL, &found.user);
	if (found.user.len == 0)
		found.user = STR("root");
	if (!reader->failed && !host_ok(found.host))
		json_fail(reader, "host", "host name or address");
	found.port = (uint16_t)port;
	*out = found;
}

static void
read_config(struct json_reader *reader, struct json_value value,
    struct cloud_pod *pod)
{
	struct pod_config *config = &pod->config;

	json_read_str(reader, value, "name", REQUIRED, &config->name);
	json_read_str(reader, value, "image", REQUIRED, &config->image);
	if (present(reader, value, "args"))
		json_read_str(reader, value, "args", REQUIRED, &config->args);
	json_read_int(reader, value, "disk", REQUIRED, 0, INT32_MAX,
	    &config->disk_gb);
	read_gpu(reader, value, config);
	read_place(reader, value, config);
	read_mounts(reader, value, config);
	read_ports(reader, value, config);
	read_env(reader, value, pod);
}

void
decode_pod(struct json_reader *reader, struct json_value value,
    struct cloud_pod *pod)
{
	struct json_value runtime;

	if (!json_is(value, JSON_OBJECT)) {
		json_fail(reader, NULL, "pod");
		return;
	}
	decode_id(reader, value, "id", &pod->id);
	read_status(reader, value, pod);
	read_config(reader, value, pod);
	pod->cost_known = json_read_usd(reader, value, "cost", NULLABLE,
	    &pod->cost_per_hour);
	json_read_bool(reader, value, "locked", NULLABLE, &pod->locked);
	/* `{}` is what a pod has that is still being allocated. */
	if (json_read_object(reader, value, "runtime", NULLABLE, &runtime))
		pod->has_runtime = json_count(runtime) > 0;
	read_ssh(reader, value, &pod->ssh);
	json_read_str(reader, value, "createdAt", NULLABLE, &pod->created_at);
	json_read_str(reader, value, "startedAt", NULLABLE, &pod->started_at);
	if (!reader->failed)
		pod_config_sort(&pod->config);
}
