/*
 * control_preload.c - many pods at once, for benches and tests.
 *
 * {"count": 1000, "name": "bench-{n}", "gpu": "NVIDIA A40", ...} or
 * {"pods": [{"name": ..., "env": {...}}, ...], "gpu": ...}: what a pod of
 * the list does not say is taken from the document.
 */
#include "control_parts.h"

#include <string.h>

#include "model/json_out.h"

/* Text with every {n} replaced by the pod's number. */
static struct str
numbered(struct arena *arena, struct str text, int64_t n)
{
	ptrdiff_t at = str_search(text, STR("{n}"));

	if (at < 0)
		return text;
	return arena_printf(arena, STR_FMT "%lld" STR_FMT,
	    (int)at, text.data, (long long)n,
	    STR_ARG(numbered(arena, str_sub(text, (size_t)at + 3, text.len),
	    n)));
}

static struct json_object *
get(struct json_object *pod, struct json_object *common, const char *key)
{
	struct json_object *value = control_get(pod, key);

	return value != NULL ? value : control_get(common, key);
}

static struct str
get_str(struct json_object *pod, struct json_object *common, const char *key,
    const char *otherwise)
{
	struct json_object *value = get(pod, common, key);

	if (json_object_get_type(value) != json_type_string)
		return str_from(otherwise);
	return str_from(json_object_get_string(value));
}

static size_t
read_ports(struct arena *arena, struct json_object *list,
    const char *const **out)
{
	static const char *const usual[] = { "22/tcp" };
	const char **ports;
	size_t n;

	*out = usual;
	if (!json_object_is_type(list, json_type_array))
		return COUNTOF(usual);
	n = json_object_array_length(list);
	ports = ARENA_ARRAY(arena, const char *, n);
	for (size_t i = 0; i < n; i++) {
		struct json_object *port = json_object_array_get_idx(list, i);
		ports[i] = port == NULL ? "" : json_object_get_string(port);
	}
	*out = ports;
	return n;
}

static size_t
read_env(struct arena *arena, struct json_object *map, int64_t number,
    const struct model_env **out)
{
	struct model_env *env;
	size_t n = 0;

	*out = NULL;
	if (json_object_get_type(map) != json_type_object)
		return 0;
	env = ARENA_ARRAY(arena, struct model_env,
	    (size_t)json_object_object_length(map));
	json_object_object_foreach(map, key, value) {
		env[n].name = str_from(key);
		env[n++].value = numbered(arena,
		    str_from(json_object_get_string(value)), number);
	}
	*out = env;
	return n;
}

static bool
load_one(struct sim *sim, struct arena *arena, struct json_object *pod,
    struct json_object *common, int64_t number, struct str *why)
{
	struct json_object *count = get(pod, common, "gpu_count");
	struct json_object *disk = get(pod, common, "disk");
	struct model_preload wish = {
		.name = numbered(arena, get_str(pod, common, "name",
		    "pod-{n}"), number),
		.image = get_str(pod, common, "image",
		    "runpod/base:1.0.2-ubuntu2204"),
		.gpu = get_str(pod, common, "gpu", "NVIDIA A40"),
		.data_center = get_str(pod, common, "data_center",
		    "EU-RO-1"),
		.gpu_count = count == NULL ? 1 : json_object_get_int64(count),
		.disk_gb = disk == NULL ? 20 : json_object_get_int64(disk),
		.community = str_is(get_str(pod, common, "cloud", "SECURE"),
		    "COMMUNITY"),
	};

	wish.nports = read_ports(arena, get(pod, common, "ports"),
	    &wish.ports);
	wish.nenv = read_env(arena, get(pod, common, "env"), number,
	    &wish.env);
	if (model_preload(sim->model, sim_now(sim), &wish) != NULL)
		return true;
	*why = arena_printf(arena, "unknown GPU '" STR_FMT "' or data center "
	    "'" STR_FMT "'", STR_ARG(wish.gpu), STR_ARG(wish.data_center));
	return false;
}

static int64_t
load(struct sim *sim, struct arena *arena, struct json_object *document,
    struct str *why)
{
	struct json_object *list = control_get(document, "pods");
	int64_t n;

	if (list != NULL && !json_object_is_type(list, json_type_array)) {
		*why = STR("pods is not a list");
		return -1;
	}
	n = list != NULL ? (int64_t)json_object_array_length(list)
	    : control_int(document, "count", 0);

	if (n < 0 || n > 1000000) {
		*why = STR("count is out of range");
		return -1;
	}
	for (int64_t i = 0; i < n; i++) {
		struct json_object *pod = list == NULL ? NULL
		    : json_object_array_get_idx(list, (size_t)i);
		if (!load_one(sim, arena, pod, document, i, why))
			return -1;
	}
	return n;
}

void
control_preload_pods(struct control *control)
{
	struct str why = {0};
	int64_t n = load(control->sim, control->arena, control->body, &why);

	if (n < 0) {
		control_bad(control, 400, STR_FMT, STR_ARG(why));
		return;
	}
	control_ok(control);
	control->reply->body = arena_printf(control->arena,
	    "{\"ok\":true,\"pods\":%lld}\n", (long long)n);
}

int64_t
control_preload(struct sim *sim, struct arena *arena, struct str document,
    struct str *why)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *value;
	int64_t n = -1;

	if (tokener == NULL)
		fail_out_of_memory();
	value = json_tokener_parse_ex(tokener, document.data,
	    (int)document.len);
	if (value == NULL)
		*why = STR("it is not JSON");
	else
		n = load(sim, arena, value, why);
	json_object_put(value);
	json_tokener_free(tokener);
	return n;
}
