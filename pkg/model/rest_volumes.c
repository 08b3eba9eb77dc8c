/* rest_volumes.c - /v2/network-volumes. */
#include "model/body_shapes.h"
#include "model/rest.h"

#include <json-c/json.h>

static void
put_volume(struct json_out *out, const struct model_volume *volume)
{
	json_out_open(out, '{');
	json_out_member(out, "id", volume->id);
	json_out_member(out, "name", volume->name);
	json_out_member_int(out, "size", volume->size_gb);
	json_out_member_c(out, "dataCenter", volume->place->id);
	json_out_member_c(out, "type", volume->high_performance
	    ? "HIGH_PERFORMANCE" : "STANDARD");
	json_out_close(out, '}');
}

static void
answer_volume(struct rest *rest, int status,
    const struct model_volume *volume)
{
	struct json_out out = {0};

	put_volume(&out, volume);
	rest_json(rest, status, &out);
}

void
rest_list_volumes(struct rest *rest)
{
	struct model *model = rest->model;
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_key(&out, "networkVolumes");
	json_out_open(&out, '[');
	for (size_t i = model->volumes.n; i-- > 0;) {
		const struct model_volume *volume = model->volumes.items[i];
		if (!rest_seen(model, volume->created_ms, volume->ended_ms, 0,
		    model->stale_ms))
			continue;
		if (model->shrink_per_mille > 0 && model_random_below(
		    &model->fault_rng, 1000) < model->shrink_per_mille)
			continue;
		put_volume(&out, volume);
	}
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	rest_json(rest, 200, &out);
}

void
rest_create_volume(struct rest *rest)
{
	struct json_object *body = rest_body(rest, &shape_create_volume);
	struct model_refusal why;
	struct model_volume *volume;

	if (body == NULL)
		return;
	for (int i = rest->model->twice ? 0 : 1; i < 2; i++) {
		volume = model_volume_create(rest->model,
		    body_str(body, "name"), body_int(body, "size", 0),
		    body_str(body, "dataCenter"), body_str(body, "type"),
		    &why);
	}
	if (volume == NULL)
		rest_refused(rest, &why);
	else
		answer_volume(rest, 201, volume);
	json_object_put(body);
}

static struct model_volume *
volume_or_404(struct rest *rest)
{
	struct model_volume *volume =
	    model_volume_living(rest->model, rest->id);

	if (volume == NULL)
		rest_problem(rest, 404, "resource not found");
	return volume;
}

void
rest_get_volume(struct rest *rest)
{
	struct model *model = rest->model;

	for (size_t i = 0; i < model->volumes.n; i++) {
		const struct model_volume *volume = model->volumes.items[i];
		if (str_eq(volume->id, rest->id) && rest_seen(model,
		    volume->created_ms, volume->ended_ms, 0,
		    model->stale_ms)) {
			answer_volume(rest, 200, volume);
			return;
		}
	}
	rest_problem(rest, 404, "resource not found");
}

void
rest_patch_volume(struct rest *rest)
{
	struct model_volume *volume = volume_or_404(rest);
	struct json_object *body;
	struct model_refusal why;

	if (volume == NULL ||
	    (body = rest_body(rest, &shape_update_volume)) == NULL)
		return;
	if (model_volume_update(rest->model, volume, body_str(body, "name"),
	    body_int(body, "size", 0), &why))
		answer_volume(rest, 200, volume);
	else
		rest_refused(rest, &why);
	json_object_put(body);
}

void
rest_delete_volume(struct rest *rest)
{
	struct model_volume *volume = volume_or_404(rest);
	struct model_refusal why;

	if (volume == NULL)
		return;
	if (model_volume_delete(rest->model, volume, MODEL_BY_API, &why))
		rest_empty(rest);
	else
		rest_refused(rest, &why);
}
