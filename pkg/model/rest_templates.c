/* rest_templates.c - /v2/templates and the public ones of the catalog. */
#include "model/body_shapes.h"
#include "model/rest.h"

#include <json-c/json.h>

static struct model_template *
new_template(struct model *model, struct str id)
{
	struct model_template *template =
	    ARENA_NEW(&model->arena, struct model_template);

	*ARENA_PUSH(&model->arena, &model->templates) = template;
	template->id = id.data != NULL ? id : model_random_id(model, 10);
	return template;
}

/* Two of RunPod's own, so that there is something to list and to use. */
void
model_official_templates(struct model *model)
{
	static const struct { const char *id, *name, *image; } rows[] = {
		{ "runpod-ubuntu", "Runpod Ubuntu",
		    "runpod/base:1.0.2-ubuntu2204" },
		{ "runpod-torch-v280", "Runpod Pytorch 2.8.0",
		    "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct model_template *template =
		    new_template(model, str_from(rows[i].id));
		template->name = str_from(rows[i].name);
		template->image = str_from(rows[i].image);
		template->category = STR("NVIDIA");
		template->disk_gb = 20;
		template->ports = ARENA_ARRAY(&model->arena, struct str, 2);
		template->ports[template->nports++] = STR("8888/http");
		template->ports[template->nports++] = STR("22/tcp");
		template->official = template->is_public = true;
		template->start_ssh = template->start_jupyter = true;
	}
}

struct model_template *
rest_template(struct model *model, struct str id)
{
	for (size_t i = 0; i < model->templates.n; i++) {
		struct model_template *template = model->templates.items[i];
		if (!template->dead && str_eq(template->id, id))
			return template;
	}
	return NULL;
}

static void
put_strs(struct json_out *out, const char *key, const struct str *items,
    size_t n)
{
	json_out_key(out, key);
	json_out_open(out, '[');
	for (size_t i = 0; i < n; i++)
		json_out_str(out, items[i]);
	json_out_close(out, ']');
}

static void
put_template(struct json_out *out, const struct model_template *template)
{
	json_out_open(out, '{');
	json_out_member(out, "id", template->id);
	json_out_member(out, "name", template->name);
	json_out_member(out, "image", template->image);
	json_out_member(out, "args", template->args);
	json_out_member_int(out, "disk", template->disk_gb);
	json_out_key(out, "mounts");
	json_out_open(out, '{');
	if (template->persistent_gb > 0) {
		json_out_key(out, "persistent");
		json_out_open(out, '{');
		json_out_member_int(out, "size", template->persistent_gb);
		json_out_member(out, "path", template->persistent_path);
		json_out_close(out, '}');
	}
	json_out_close(out, '}');
	put_strs(out, "ports", template->ports, template->nports);
	rest_put_env(out, template->env, template->nenv);
	json_out_member_or_null(out, "registry", template->registry);
	json_out_member_bool(out, "serverless", template->serverless);
	json_out_member_bool(out, "public", template->is_public);
	json_out_member(out, "category", template->category);
	json_out_member_bool(out, "startSsh", template->start_ssh);
	json_out_member_bool(out, "startJupyter", template->start_jupyter);
	put_strs(out, "allowedCudaVersions", template->cuda,
	    template->ncuda);
	json_out_close(out, '}');
}

static void
answer(struct rest *rest, int status, const struct model_template *template)
{
	struct json_out out = {0};

	put_template(&out, template);
	rest_json(rest, status, &out);
}

static void
list(struct rest *rest, bool official)
{
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_key(&out, "templates");
	json_out_open(&out, '[');
	for (size_t i = rest->model->templates.n; i-- > 0;) {
		const struct model_template *template =
		    rest->model->templates.items[i];
		if (!template->dead && template->official == official)
			put_template(&out, template);
	}
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	rest_json(rest, 200, &out);
}

void
rest_list_templates(struct rest *rest)
{
	list(rest, false);
}

void
rest_list_public_templates(struct rest *rest)
{
	struct str source = rest_query(rest, "source");
	struct json_out out = {0};

	if (source.data == NULL || str_is(source, "official")) {
		list(rest, true);
	} else if (str_is(source, "verified") ||
	    str_is(source, "community")) {
		json_out_open(&out, '{');
		json_out_key(&out, "templates");
		json_out_open(&out, '[');
		json_out_close(&out, ']');
		json_out_close(&out, '}');
		rest_json(rest, 200, &out);
	} else {
		rest_problem(rest, 422, "unknown source");
	}
}

static void
copy_strs(struct model *model, struct json_object *body, const char *key,
    struct str **items, size_t *n)
{
	if (body_has(body, key))
		*n = body_strs(&model->arena, body, key, items);
}

static void
copy_str(struct model *model, struct json_object *body, const char *key,
    struct str *field)
{
	if (body_has(body, key))
		*field = arena_str(&model->arena, body_str(body, key));
}

static void
fill(struct model *model, struct model_template *template,
    struct json_object *body)
{
	struct json_object *mounts = body_object(body, "mounts");
	struct json_object *persistent = mounts == NULL ? NULL
	    : body_object(mounts, "persistent");

	copy_str(model, body, "name", &template->name);
	copy_str(model, body, "image", &template->image);
	copy_str(model, body, "args", &template->args);
	copy_str(model, body, "registry", &template->registry);
	copy_str(model, body, "category", &template->category);
	copy_strs(model, body, "ports", &template->ports, &template->nports);
	copy_strs(model, body, "allowedCudaVersions", &template->cuda,
	    &template->ncuda);
	if (body_has(body, "env"))
		template->nenv = body_env(&model->arena, body,
		    &template->env);
	template->disk_gb = body_int(body, "disk", template->disk_gb);
	template->serverless = body_bool(body, "serverless",
	    template->serverless);
	template->is_public = body_bool(body, "public", template->is_public);
	template->start_ssh = body_bool(body, "startSsh",
	    template->start_ssh);
	template->start_jupyter = body_bool(body, "startJupyter",
	    template->start_jupyter);
	if (persistent != NULL) {
		template->persistent_gb = body_int(persistent, "size", 0);
		template->persistent_path = arena_str(&model->arena,
		    body_str(persistent, "path"));
	}
}

/* Names are unique in an account. */
static bool
name_free(struct rest *rest, struct str name,
    const struct model_template *self)
{
	for (size_t i = 0; i < rest->model->templates.n; i++) {
		const struct model_template *template =
		    rest->model->templates.items[i];
		if (template != self && !template->dead &&
		    !template->official && str_eq(template->name, name)) {
			rest_problem(rest, 400,
			    "Template name must be unique.");
			return false;
		}
	}
	return true;
}

void
rest_create_template(struct rest *rest)
{
	struct json_object *body = rest_body(rest, &shape_create_template);
	struct model_template *template;

	if (body == NULL)
		return;
	if (!body_has(body, "image")) {
		rest_problem_reply(rest->arena, rest->reply, 422,
		    "Request validation failed.",
		    &STR("$: missing property 'image'"), 1);
	} else if (name_free(rest, body_str(body, "name"), NULL)) {
		template = new_template(rest->model, (struct str){0});
		template->category = STR("NVIDIA");
		template->disk_gb = 20;
		template->start_ssh = template->start_jupyter = true;
		fill(rest->model, template, body);
		model_record(rest->model, MODEL_OP_ACCOUNT, MODEL_BY_API,
		    template->id);
		answer(rest, 201, template);
	}
	json_object_put(body);
}

void
rest_get_template(struct rest *rest)
{
	const struct model_template *template =
	    rest_template(rest->model, rest->id);

	if (template == NULL)
		rest_problem(rest, 404, "resource not found");
	else
		answer(rest, 200, template);
}

static struct model_template *
own_or_404(struct rest *rest)
{
	struct model_template *template =
	    rest_template(rest->model, rest->id);

	if (template != NULL && !template->official)
		return template;
	rest_problem(rest, 404, "resource not found");
	return NULL;
}

void
rest_patch_template(struct rest *rest)
{
	struct model_template *template = own_or_404(rest);
	struct json_object *body;

	if (template == NULL ||
	    (body = rest_body(rest, &shape_update_template)) == NULL)
		return;
	if (!body_has(body, "name") ||
	    name_free(rest, body_str(body, "name"), template)) {
		fill(rest->model, template, body);
		model_record(rest->model, MODEL_OP_ACCOUNT, MODEL_BY_API,
		    template->id);
		answer(rest, 200, template);
	}
	json_object_put(body);
}

void
rest_delete_template(struct rest *rest)
{
	struct model_template *template = own_or_404(rest);

	if (template == NULL)
		return;
	template->dead = true;
	model_record(rest->model, MODEL_OP_ACCOUNT, MODEL_BY_API,
	    template->id);
	rest_empty(rest);
}
