/* encode.c - see encode.h */
#include "cloud/runpod/encode.h"

#include <assert.h>

#include "base/json.h"
#include "base/mark.h"
#include "base/plant.h"
#include "cloud/runpod/ops.h"
#include "cloud/runpod/runpod.h"

/* The account's own numbers; v2 has no counterpart. */
#define ACCOUNT_QUERY \
	"query { myself { id email clientBalance currentSpendPerHr " \
	"spendLimit } }"

/* Lines that are there come at once; heartbeats are seconds apart. */
enum { LOG_QUIET_MS = 1000 };

static void
add_percent(struct strbuf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (ops_id_ok((struct str){ text.data + i, 1 }) ||
		    c == '.' || c == '~')
			strbuf_addc(out, (char)c);
		else
			strbuf_addf(out, "%%%02X", c);
	}
}

/* Its default is 100 lines, its most 5,000; a time makes it ignore them. */
static void
add_log_query(struct strbuf *out, const struct cloud_request *request)
{
	enum { TAIL_MAX = 5000 };

	if (request->since.data != NULL) {
		strbuf_adds(out, "?since=");
		add_percent(out, request->since);
	} else if (request->tail > 0) {
		strbuf_addf(out, "?tail=%d", (int)(request->tail < TAIL_MAX ?
		    request->tail : TAIL_MAX));
	}
}

static struct str
make_path(struct arena *arena, const struct cloud_request *request)
{
	struct strbuf out = {0};
	for (const char *c = ops_rows[request->op].path; *c != '\0'; c++) {
		if (*c == '%')
			add_percent(&out, request->id);
		else
			strbuf_addc(&out, *c);
	}
	if (request->op == CLOUD_LIST_GPUS)
		strbuf_addf(&out, "?include=AVAILABILITY&product=POD&count=%d",
		    (int)(request->gpu_count > 0 ? request->gpu_count : 1));
	else if (request->op == CLOUD_GET_LOG)
		add_log_query(&out, request);
	else if (request->cursor.data != NULL) {
		strbuf_adds(&out, "?cursor=");
		add_percent(&out, request->cursor);
	}
	struct str path = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return path;
}

static void
put_ports(struct json_writer *w, const struct pod_config *pod)
{
	json_key(w, "ports");
	json_begin(w, '[');
	for (size_t i = 0; i < pod->nports; i++)
		json_put_str(w, pod->ports[i]);
	json_end(w, ']');
}

static bool
in_env(const struct pod_config *pod, struct str name)
{
	for (size_t i = 0; i < pod->nenv; i++)
		if (str_eq(pod->env[i].name, name))
			return true;
	return false;
}

/*
 * The whole environment: what the spec asks for, what the live pod must not
 * lose, and the mark.  The service replaces the map as a whole, so an update
 * without the mark would disown the pod.
 */
static void
put_env(struct json_writer *w, const struct cloud_request *request)
{
	const struct pod_config *pod = request->pod;

	json_key(w, "env");
	json_begin(w, '{');
	for (size_t i = 0; i < pod->nenv; i++) {
		if (str_is(pod->env[i].name, MARK_ENV))
			continue;
		json_key_str(w, pod->env[i].name);
		json_put_str(w, pod->env[i].value);
	}
	for (size_t i = 0; i < request->nkeep; i++) {
		const struct runpod_injected *row =
		    runpod_injected_find(request->keep[i].name);
		if (row == NULL || !row->keep ||
		    in_env(pod, request->keep[i].name))
			continue;
		json_key_str(w, request->keep[i].name);
		json_put_str(w, request->keep[i].value);
	}
	if (request->mark.len > 0) {
		json_key(w, MARK_ENV);
		json_put_str(w, request->mark);
	}
	json_end(w, '}');
}

static void
put_mounts(struct json_writer *w, const struct pod_config *pod)
{
	if (pod->volume_id.data == NULL && pod->persistent_gb == 0)
		return;
	json_key(w, "mounts");
	json_begin(w, '{');
	if (pod->volume_id.data != NULL) {
		json_key(w, "network");
		json_begin(w, '[');
		json_begin(w, '{');
		json_member_str(w, "volumeId", pod->volume_id);
		json_member_str(w, "path", pod->volume_path);
		json_end(w, '}');
		json_end(w, ']');
	} else {
		json_key(w, "persistent");
		json_begin(w, '{');
		json_member_int(w, "size", pod->persistent_gb);
		json_member_str(w, "path", pod->persistent_path);
		json_end(w, '}');
	}
	json_end(w, '}');
}

static bool
wants_ssh(const struct pod_config *pod)
{
	for (size_t i = 0; i < pod->nports; i++)
		if (str_is(pod->ports[i], "22/tcp"))
			return true;
	return false;
}

/*
 * Disk and gpu.count are always sent although they have defaults: without
 * them the live service answers with a misleading 400.  Empty args are left
 * out, since an explicit "" has disabled an image's start script.
 */
static void
put_new_pod(struct json_writer *w, const struct cloud_request *request)
{
	const struct pod_config *pod = request->pod;

	json_begin(w, '{');
	json_member_str(w, "name", pod->name);
	json_member_str(w, "image", pod->image);
	if (pod->args.len > 0)
		json_member_str(w, "args", pod->args);
	if (pod->gpu.data != NULL) {
		json_key(w, "gpu");
		json_begin(w, '{');
		json_member_str(w, "id", pod->gpu);
		json_member_int(w, "count", pod->gpu_count);
		if (pod->min_cuda.len > 0)
			json_member_str(w, "minCudaVersion", pod->min_cuda);
		json_end(w, '}');
	}
	json_member_str(w, "cloud", pod->tier == TIER_COMMUNITY ?
	    STR("COMMUNITY") : STR("SECURE"));
	if (pod->data_center.data != NULL) {
		json_key(w, "dataCenterIds");
		json_begin(w, '[');
		json_put_str(w, pod->data_center);
		json_end(w, ']');
	}
	json_member_int(w, "disk", pod->disk_gb + (PLANTED(35) ? 5 : 0));
	put_mounts(w, pod);
	put_ports(w, pod);
	put_env(w, request);
	/* Asks for the account's keys, unless env sets PUBLIC_KEY. */
	if (wants_ssh(pod))
		json_member_bool(w, "startSsh", true);
	json_end(w, '}');
}

static void
put_pod_changes(struct json_writer *w, const struct cloud_request *request)
{
	const struct pod_config *pod = request->pod;

	json_begin(w, '{');
	if (request->changes & CHANGE_NAME)
		json_member_str(w, "name", pod->name);
	if (request->changes & CHANGE_IMAGE)
		json_member_str(w, "image", pod->image);
	if (request->changes & CHANGE_ARGS) {
		json_key(w, "args");
		json_put_str(w, pod->args);
	}
	if (request->changes & CHANGE_DISK)
		json_member_int(w, "disk", pod->disk_gb);
	if (request->changes & CHANGE_PORTS)
		put_ports(w, pod);
	if (request->changes & CHANGE_ENV)
		put_env(w, request);
	json_end(w, '}');
}

/* For an update only what is set is sent. */
static void
put_volume(struct json_writer *w, const struct cloud_volume *volume,
    bool update)
{
	json_begin(w, '{');
	json_member_str(w, "name", volume->name);
	if (volume->size_gb > 0)
		json_member_int(w, "size", volume->size_gb);
	if (!update) {
		json_member_str(w, "dataCenter", volume->data_center);
		if (volume->high_performance)
			json_member_str(w, "type", STR("HIGH_PERFORMANCE"));
	}
	json_end(w, '}');
}

static void
put_single(struct json_writer *w, const char *key, const char *value)
{
	json_begin(w, '{');
	json_member_str(w, key, str_from(value));
	json_end(w, '}');
}

static struct str
make_body(struct arena *arena, const struct cloud_request *request)
{
	struct strbuf text = {0};
	struct json_writer w = { .out = &text };

	if (ops_rows[request->op].action != NULL)
		put_single(&w, "action", ops_rows[request->op].action);
	else if (request->op == CLOUD_CREATE_POD)
		put_new_pod(&w, request);
	else if (request->op == CLOUD_UPDATE_POD)
		put_pod_changes(&w, request);
	else if (request->op == CLOUD_CREATE_VOLUME)
		put_volume(&w, &request->volume, false);
	else if (request->op == CLOUD_UPDATE_VOLUME)
		put_volume(&w, &request->volume, true);
	else if (request->op == CLOUD_GET_ACCOUNT)
		put_single(&w, "query", ACCOUNT_QUERY);
	else
		return (struct str){0};
	struct str body = arena_str(arena, strbuf_str(&text));
	strbuf_release(&text);
	return body;
}

void
encode_request(struct arena *arena, const struct cloud_request *request,
    struct http_request *out)
{
	assert((size_t)request->op < CLOUD_OP_COUNT);
	const struct ops_row *row = &ops_rows[request->op];

	*out = (struct http_request){
		.method = row->method,
		.host = row->host,
		.path = make_path(arena, request),
		.body = make_body(arena, request),
		.timeout_ms = row->timeout_ms,
		.max_body = row->max_body,
		.effect = cloud_op_changes(request->op),
		/* A log stays open behind its last line. */
		.quiet_ms = request->op == CLOUD_GET_LOG ? LOG_QUIET_MS : 0,
		.enough = request->enough,
	};
}
