/* rest_pods.c - /v2/pods: list, get, delete, act. */
#include "model/body_shapes.h"
#include "model/rest.h"

#include <json-c/json.h>

/* A listing that lacks some or all of the pods (F07). */
static bool
left_out(struct model *model)
{
	if (model->shrink_per_mille == 0)
		return false;
	return model_random_below(&model->fault_rng, 1000) <
	    model->shrink_per_mille;
}

static void
put_pagination(struct rest *rest, struct json_out *out, const char *kind,
    uint64_t next)
{
	json_out_key(out, "pagination");
	json_out_open(out, '{');
	json_out_key(out, "nextCursor");
	if (next == 0)
		json_out_null(out);
	else
		json_out_str(out, rest_cursor(rest->arena, kind, next));
	json_out_member_bool(out, "hasNextPage", next != 0);
	json_out_close(out, '}');
}

void
rest_list_pods(struct rest *rest)
{
	struct model *model = rest->model;
	struct pod_view view = { model->stale_ms, model->odd };
	struct json_out out = {0};
	uint64_t before, next = 0;
	size_t limit, n = 0;

	if (!rest_page(rest, "pods", &limit, &before))
		return;
	json_out_open(&out, '{');
	json_out_key(&out, "pods");
	json_out_open(&out, '[');
	for (size_t i = model->pods.n; i-- > model->listed_from;) {
		const struct model_pod *pod = model->pods.items[i];
		if (pod->number >= before || !rest_seen(model,
		    pod->created_ms, pod->ended_ms,
		    model->config.terminated_ms, view.stale_ms) ||
		    left_out(model))
			continue;
		if (n++ == limit) {
			next = pod->number + 1;
			break;
		}
		rest_put_pod(&out, model, pod, view);
	}
	json_out_close(&out, ']');
	put_pagination(rest, &out, "pods", next);
	json_out_close(&out, '}');
	rest_json(rest, 200, &out);
}

static struct model_pod *
pod_or_404(struct rest *rest)
{
	struct model_pod *pod = model_pod_shown(rest->model, rest->id);

	if (pod == NULL)
		rest_problem(rest, 404, "resource not found");
	return pod;
}

void
rest_get_pod(struct rest *rest)
{
	struct model *model = rest->model;
	struct pod_view view = { model->stale_ms, model->odd };
	struct model_pod *pod = map_get(&model->pods_by_id, rest->id);
	struct json_out out = {0};

	if (pod == NULL || !rest_seen(model, pod->created_ms, pod->ended_ms,
	    model->config.terminated_ms, view.stale_ms)) {
		rest_problem(rest, 404, "resource not found");
		return;
	}
	rest_put_pod(&out, model, pod, view);
	rest_json(rest, 200, &out);
}

void
rest_delete_pod(struct rest *rest)
{
	struct model_pod *pod = pod_or_404(rest);
	struct model_refusal why;

	if (pod == NULL)
		return;
	if (model_pod_terminate(rest->model, pod, MODEL_BY_API, &why))
		rest_empty(rest);
	else
		rest_refused(rest, &why);
}

void
rest_act_on_pod(struct rest *rest)
{
	struct model_pod *pod = pod_or_404(rest);
	struct json_object *body;
	struct model_refusal why;
	struct json_out out = {0};
	struct str action;
	bool ok;

	if (pod == NULL || (body = rest_body(rest, &shape_action)) == NULL)
		return;
	action = body_str(body, "action");
	if (str_is(action, "terminate"))
		ok = model_pod_terminate(rest->model, pod, MODEL_BY_API,
		    &why);
	else if (str_is(action, "start"))
		ok = model_pod_start(rest->model, pod, MODEL_BY_API, &why);
	else if (str_is(action, "stop"))
		ok = model_pod_stop(rest->model, pod, MODEL_BY_API, &why);
	else
		ok = model_pod_restart(rest->model, pod, MODEL_BY_API, &why);
	if (!ok) {
		rest_refused(rest, &why);
	} else if (pod->status == MODEL_TERMINATED) {
		rest_empty(rest);
	} else {
		rest_put_pod(&out, rest->model, pod, (struct pod_view){0});
		rest_json(rest, 200, &out);
	}
	json_object_put(body);
}
