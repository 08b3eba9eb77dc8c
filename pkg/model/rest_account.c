/* rest_account.c - /v2/registries and /v2/account/ssh-keys. */
#include "model/body_shapes.h"
#include "model/rest.h"

#include <json-c/json.h>

static void
put_registry(struct json_out *out, const struct model_registry *registry)
{
	json_out_open(out, '{');
	json_out_member(out, "id", registry->id);
	json_out_member(out, "name", registry->name);
	json_out_close(out, '}');
}

void
rest_list_registries(struct rest *rest)
{
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_key(&out, "registries");
	json_out_open(&out, '[');
	for (size_t i = rest->model->registries.n; i-- > 0;)
		if (!rest->model->registries.items[i]->dead)
			put_registry(&out, rest->model->registries.items[i]);
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	rest_json(rest, 200, &out);
}

static struct model_registry *
find_registry(struct model *model, struct str id, struct str name)
{
	for (size_t i = 0; i < model->registries.n; i++) {
		struct model_registry *registry = model->registries.items[i];
		if (!registry->dead && (str_eq(registry->id, id) ||
		    (name.data != NULL && str_eq(registry->name, name))))
			return registry;
	}
	return NULL;
}

void
rest_create_registry(struct rest *rest)
{
	struct json_object *body = rest_body(rest, &shape_create_registry);
	struct model *model = rest->model;
	struct model_registry *registry;
	struct json_out out = {0};
	struct str name;

	if (body == NULL)
		return;
	name = body_str(body, "name");
	if (find_registry(model, STR(""), name) != NULL) {
		rest_problem(rest, 400, "registry name must be unique");
	} else {
		registry = ARENA_NEW(&model->arena, struct model_registry);
		*ARENA_PUSH(&model->arena, &model->registries) = registry;
		struct str random = model_random_id(model, 23);
		registry->id = arena_printf(&model->arena, "cl" STR_FMT,
		    STR_ARG(random));
		registry->name = arena_str(&model->arena, name);
		model_record(model, MODEL_OP_ACCOUNT, MODEL_BY_API,
		    registry->id);
		put_registry(&out, registry);
		rest_json(rest, 201, &out);
	}
	json_object_put(body);
}

void
rest_get_registry(struct rest *rest)
{
	const struct model_registry *registry =
	    find_registry(rest->model, rest->id, (struct str){0});
	struct json_out out = {0};

	if (registry == NULL) {
		rest_problem(rest, 404, "resource not found");
		return;
	}
	put_registry(&out, registry);
	rest_json(rest, 200, &out);
}

void
rest_delete_registry(struct rest *rest)
{
	struct model *model = rest->model;
	struct model_registry *registry =
	    find_registry(model, rest->id, (struct str){0});

	if (registry == NULL) {
		rest_problem(rest, 404, "resource not found");
		return;
	}
	for (size_t i = 0; i < model->pods.n; i++)
		if (model->pods.items[i]->ended_ms < 0 &&
		    str_eq(model->pods.items[i]->registry, registry->id)) {
			rest_problem(rest, 400,
			    "registry is in use by a pod");
			return;
		}
	for (size_t i = 0; i < model->templates.n; i++)
		if (str_eq(model->templates.items[i]->registry, registry->id))
			model->templates.items[i]->registry =
			    (struct str){0};
	registry->dead = true;
	model_record(model, MODEL_OP_ACCOUNT, MODEL_BY_API, registry->id);
	rest_empty(rest);
}

void
rest_get_ssh_keys(struct rest *rest)
{
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_key(&out, "keys");
	json_out_open(&out, '[');
	for (size_t i = 0; i < rest->model->ssh_keys.n; i++)
		json_out_str(&out, rest->model->ssh_keys.items[i]);
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	rest_json(rest, 200, &out);
}

void
rest_put_ssh_keys(struct rest *rest)
{
	struct json_object *body = rest_body(rest, &shape_ssh_keys);
	struct model *model = rest->model;
	struct str *keys;
	size_t n;

	if (body == NULL)
		return;
	n = body_strs(&model->arena, body, "keys", &keys);
	model->ssh_keys.items = keys;
	model->ssh_keys.n = model->ssh_keys.cap = n;
	json_object_put(body);
	model_record(model, MODEL_OP_ACCOUNT, MODEL_BY_API, STR("ssh-keys"));
	rest_get_ssh_keys(rest);
}
