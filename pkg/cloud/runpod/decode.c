/* decode.c - see decode.h */
#include "cloud/runpod/decode.h"

#include <assert.h>

#include "base/headers.h"
#include "base/map.h"
#include "base/plant.h"
#include "cloud/runpod/classify.h"
#include "cloud/runpod/ops.h"

void
decode_id(struct json_reader *reader, struct json_value object,
    const char *key, struct str *out)
{
	if (json_read_str(reader, object, key, REQUIRED, out) &&
	    !ops_id_ok(*out))
		json_fail(reader, key, "id");
}

/* ---------------------------------------------------------- listings ---- */

/* Two entries of one id cannot both be true. */
static void
refuse_doubles(struct json_reader *reader, const struct cloud_pod *pods,
    size_t n)
{
	struct arena scratch = {0};
	struct map seen = {0};
	for (size_t i = 0; i < n && !reader->failed; i++)
		if (map_put(&seen, &scratch, pods[i].id, &seen) != NULL)
			json_fail(reader, "id", "each pod once");
	arena_release(&scratch);
}

/*
 * `pagination` says whether this is all.  More pages without a way to get
 * them is not a listing.
 */
static void
read_cursor(struct json_reader *reader, struct json_value root,
    struct str *cursor)
{
	struct json_value pagination;
	bool more = false;
	struct str next = {0};

	if (!json_read_object(reader, root, "pagination", NULLABLE,
		&pagination))
		return;
	bool said = json_read_bool(reader, pagination, "hasNextPage", NULLABLE,
	    &more);
	json_read_str(reader, pagination, "nextCursor", NULLABLE, &next);
	if (said ? !more : next.len == 0)
		return;
	if (next.len == 0 || next.len > 4096) {
		json_fail(reader, "nextCursor", "cursor");
		return;
	}
	*cursor = next;
}

static void
decode_pods(struct json_reader *reader, struct json_value root,
    struct cloud_answer *out)
{
	struct json_value list;
	if (!json_read_array(reader, root, "pods", REQUIRED, &list))
		return;
	struct json_iter it = json_iter(list);
	out->pods = ARENA_ARRAY(reader->arena, struct cloud_pod,
	    json_count(list));
	while (!reader->failed && json_next(&it))
		decode_pod(reader, it.value, &out->pods[out->npods++]);
	refuse_doubles(reader, out->pods, out->npods);
	read_cursor(reader, root, &out->next_cursor);
}

static void
decode_volumes(struct json_reader *reader, struct json_value root,
    struct cloud_answer *out)
{
	struct json_value list;
	if (!json_read_array(reader, root, "networkVolumes", REQUIRED, &list))
		return;
	struct json_iter it = json_iter(list);
	out->volumes = ARENA_ARRAY(reader->arena, struct cloud_volume,
	    json_count(list));
	while (!reader->failed && json_next(&it))
		decode_volume(reader, it.value,
		    &out->volumes[out->nvolumes++]);
	read_cursor(reader, root, &out->next_cursor);
}

static void
decode_gpus(struct json_reader *reader, struct json_value root,
    struct cloud_answer *out)
{
	struct json_value list;
	if (!json_read_array(reader, root, "gpus", REQUIRED, &list))
		return;
	struct json_iter it = json_iter(list);
	out->gpus = ARENA_ARRAY(reader->arena, struct gpu_type,
	    json_count(list));
	while (!reader->failed && json_next(&it)) {
		struct gpu_type *gpu = &out->gpus[out->ngpus++];
		decode_gpu(reader, it.value, gpu);
		/* A placeholder of the service, with no hardware behind. */
		if (str_is(gpu->id, "unknown"))
			out->gpus[--out->ngpus] = (struct gpu_type){0};
	}
}

static void
decode_data_centers(struct json_reader *reader, struct json_value root,
    struct cloud_answer *out)
{
	struct json_value list;
	if (!json_read_array(reader, root, "dataCenters", REQUIRED, &list))
		return;
	struct json_iter it = json_iter(list);
	out->data_centers = ARENA_ARRAY(reader->arena, struct data_center,
	    json_count(list));
	while (!reader->failed && json_next(&it))
		decode_data_center(reader, it.value,
		    &out->data_centers[out->ndata_centers++]);
}

/* ------------------------------------------------------ single things ---- */

static void
decode_one_pod(struct json_reader *reader, const struct cloud_request *request,
    struct json_value root, struct cloud_answer *out)
{
	out->pods = ARENA_NEW(reader->arena, struct cloud_pod);
	out->npods = 1;
	decode_pod(reader, root, out->pods);
	if (!reader->failed && !str_eq(out->pods->id, request->id))
		json_fail(reader, "id", "the pod that was asked for");
}

/*
 * A create that answers with a usable id has made a pod, whatever the rest
 * of its answer looks like: the caller reads it back before it believes
 * more than the id.
 */
static void
decode_created_pod(struct json_reader *reader, struct json_value root,
    struct cloud_answer *out)
{
	struct json_reader rest = *reader;
	struct cloud_pod *pod = ARENA_NEW(reader->arena, struct cloud_pod);

	if (!json_is(root, JSON_OBJECT))
		json_fail(reader, NULL, "object");
	decode_id(reader, root, "id", &pod->id);
	struct cloud_pod only_id = { .id = pod->id };
	decode_pod(&rest, root, pod);
	if (rest.failed)
		*pod = only_id;
	out->pods = pod;
	out->npods = 1;
}

static void
decode_one_volume(struct json_reader *reader,
    const struct cloud_request *request, struct json_value root,
    struct cloud_answer *out)
{
	out->volumes = ARENA_NEW(reader->arena, struct cloud_volume);
	out->nvolumes = 1;
	decode_volume(reader, root, out->volumes);
	if (!reader->failed && request->op != CLOUD_CREATE_VOLUME &&
	    !str_eq(out->volumes->id, request->id))
		json_fail(reader, "id", "the volume that was asked for");
}

/* ------------------------------------------------------------ answer ---- */

static void
decode_shape(struct json_reader *reader, const struct cloud_request *request,
    struct json_value root, struct cloud_answer *out)
{
	switch (ops_rows[request->op].shape) {
	case SHAPE_NONE:
		break;
	case SHAPE_PODS:
		decode_pods(reader, root, out);
		break;
	case SHAPE_POD:
		decode_one_pod(reader, request, root, out);
		break;
	case SHAPE_CREATED_POD:
		decode_created_pod(reader, root, out);
		break;
	case SHAPE_VOLUMES:
		decode_volumes(reader, root, out);
		break;
	case SHAPE_VOLUME:
		decode_one_volume(reader, request, root, out);
		break;
	case SHAPE_GPUS:
		decode_gpus(reader, root, out);
		break;
	case SHAPE_DATA_CENTERS:
		decode_data_centers(reader, root, out);
		break;
	case SHAPE_ACCOUNT:
		decode_account(reader, root, out);
		break;
	case SHAPE_SSH_KEYS:
		decode_ssh_keys(reader, root, out);
		break;
	case SHAPE_LOG:
		break;		/* decode_log() */
	}
}

/* Take back what was read of an answer that turned out to be none. */
static void
malformed(struct cloud_answer *out, struct str why)
{
	*out = (struct cloud_answer){
		.outcome = OUTCOME_UNKNOWN,
		.reason = REASON_MALFORMED,
		.status = out->status,
		.message = why,
		.request_id = out->request_id,
		.ratelimit_left = out->ratelimit_left,
		.ratelimit_reset_ms = out->ratelimit_reset_ms,
	};
}

/* The tape of a big listing is big too, and nothing of it is kept. */
static void
decode_body(struct arena *arena, const struct cloud_request *request,
    struct str body, struct cloud_answer *out)
{
	const struct ops_row *row = &ops_rows[request->op];
	struct json_reader reader = { .arena = arena, .where = "answer" };
	struct json_limits limits = { .bytes = row->max_body };
	struct arena scratch = {0};
	struct json_error error = {0};
	struct json doc;

	if (row->shape == SHAPE_NONE)
		return;
	if (row->shape == SHAPE_LOG) {
		struct str why;
		if (!decode_log(arena, body, out, &why))
			malformed(out, why);
		return;
	}
	if (!json_parse(&scratch, body, limits, &doc, &error)) {
		if (PLANTED(5) && request->op == CLOUD_LIST_PODS)
			out->outcome = OUTCOME_OK;
		else
			malformed(out, arena_printf(arena,
			    "not JSON: %s at byte %zu", error.reason,
			    error.offset));
	} else {
		decode_shape(&reader, request, json_root(&doc), out);
		if (reader.failed)
			malformed(out, reader.why);
	}
	arena_release(&scratch);
}

static void
decode_refusal(struct arena *arena, const struct cloud_request *request,
    const struct http_answer *http, int64_t wall_ms, struct cloud_answer *out)
{
	struct classify_problem problem =
	    classify_read_problem(arena, http->body, http->status);
	struct classify_verdict verdict =
	    classify_status(request->op, http->status, &problem);

	out->outcome = verdict.outcome;
	out->reason = verdict.reason;
	out->message = problem.proven ? problem.message :
	    arena_printf(arena, "HTTP status %d", http->status);
	out->retry_after_ms = headers_retry_after(http->retry_after,
	    http->date, wall_ms);
}

void
decode_answer(struct arena *arena, const struct cloud_request *request,
    const struct http_answer *http, int64_t wall_ms, struct cloud_answer *out)
{
	assert((size_t)request->op < CLOUD_OP_COUNT);
	*out = (struct cloud_answer){ .request_id = http->request_id };
	classify_rate_limit(http->ratelimit, &out->ratelimit_left,
	    &out->ratelimit_reset_ms);
	switch (http->outcome) {
	case HTTP_NOT_SENT:
		out->outcome = OUTCOME_NOT_SENT;
		break;
	case HTTP_BROKEN:
	case HTTP_TOO_LARGE:
		out->outcome = OUTCOME_UNKNOWN;
		break;
	case HTTP_ANSWERED:
		out->status = http->status;
		if (http->status == ops_rows[request->op].success)
			decode_body(arena, request, http->body, out);
		else
			decode_refusal(arena, request, http, wall_ms, out);
		return;
	}
	out->reason = REASON_TRANSIENT;
	out->message = http->reason;
}
