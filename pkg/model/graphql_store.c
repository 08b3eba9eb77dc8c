/*
 * graphql_store.c - what an account keeps: templates and credentials of
 * image registries.
 */
#include "model/graphql_tables.h"
#include "model/private.h"

/* --------------------------------------------------------- templates ---- */

static struct model_template *
template_by(const struct model *model, struct str id, struct str name)
{
	for (size_t i = 0; i < model->templates.n; i++) {
		struct model_template *row = model->templates.items[i];

		if (!row->dead && ((id.len > 0 && str_eq(row->id, id)) ||
		    (name.len > 0 && str_eq(row->name, name))))
			return row;
	}
	return NULL;
}

static void
template_ports(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_template *row = object;
	struct str text = STR("");

	(void)args;
	for (size_t i = 0; i < row->nports; i++)
		text = arena_printf(run->arena, STR_FMT "%s" STR_FMT,
		    STR_ARG(text), i > 0 ? "," : "", STR_ARG(row->ports[i]));
	gql_out_text(out, text);
}

static void
template_env(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model_template *row = object;
	const void **list = ARENA_ARRAY(run->arena, const void *,
	    row->nenv + 1);

	(void)args;
	for (size_t i = 0; i < row->nenv; i++)
		list[i] = &row->env[i];
	gql_out_objects(out, list, row->nenv);
}

void
gql_out_templates(struct gql_run *run, bool official, struct gql_out *out)
{
	const struct model *model = run->model;
	const void **list = ARENA_ARRAY(run->arena, const void *,
	    model->templates.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < model->templates.n; i++)
		if (!model->templates.items[i]->dead &&
		    model->templates.items[i]->official == official)
			list[n++] = model->templates.items[i];
	gql_out_objects(out, list, n);
}

/* What an anonymous caller sees, too. */
void
gql_query_templates(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)object, (void)args;
	gql_out_templates(run, true, out);
}

void
gql_query_template(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)object;
	gql_out_object(out, template_by(run->model, gql_in_str(args, "id"),
	    (struct str){ NULL, 0 }));
}

static void
fill_template(struct gql_run *run, const struct gql_value *input,
    struct model_template *row)
{
	struct arena *arena = &run->model->arena;
	struct model_env *env;
	struct str *ports;

	row->name = arena_str(arena, gql_in_str(input, "name"));
	row->image = arena_str(arena, gql_in_str(input, "imageName"));
	row->args = arena_str(arena, gql_in_str(input, "dockerArgs"));
	row->registry = arena_str(arena,
	    gql_in_str(input, "containerRegistryAuthId"));
	row->category = arena_str(arena, gql_in_str(input, "category"));
	row->persistent_path = arena_str(arena,
	    gql_in_str(input, "volumeMountPath"));
	row->disk_gb = gql_in_int(input, "containerDiskInGb", 0);
	row->persistent_gb = gql_in_int(input, "volumeInGb", 0);
	row->serverless = gql_in_bool(input, "isServerless", false);
	row->is_public = gql_in_bool(input, "isPublic", false);
	row->start_ssh = gql_in_bool(input, "startSsh", true);
	row->start_jupyter = gql_in_bool(input, "startJupyter", false);
	row->nports = gql_split(arena, gql_in_str(input, "ports"), &ports);
	row->ports = ARENA_ARRAY(arena, struct str, row->nports + 1);
	for (size_t i = 0; i < row->nports; i++)
		row->ports[i] = arena_str(arena, ports[i]);
	row->nenv = gql_in_env(arena, input, &env);
	row->env = env;
	for (size_t i = 0; i < row->nenv; i++) {
		env[i].name = arena_str(arena, env[i].name);
		env[i].value = arena_str(arena, env[i].value);
	}
}

void
gql_template_save(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct gql_value *input = gql_in(args, "input");
	struct str none = { NULL, 0 }, id = gql_in_str(input, "id");
	struct model_template *row = template_by(run->model, id, none);
	struct model_template *same = template_by(run->model, none,
	    gql_in_str(input, "name"));

	(void)object;
	if (id.len > 0 && (row == NULL || row->official)) {
		gql_fail(run, "RUNPOD", "Template not found");
		return;
	}
	if (same != NULL && same != row) {
		gql_fail(run, "RUNPOD", "Template name must be unique.");
		return;
	}
	if (row == NULL) {
		row = ARENA_NEW(&run->model->arena, struct model_template);
		row->id = model_random_id(run->model, 10);
		*ARENA_PUSH(&run->model->arena, &run->model->templates) = row;
	}
	fill_template(run, input, row);
	model_record(run->model, MODEL_OP_ACCOUNT, MODEL_BY_API, row->id);
	gql_out_object(out, row);
}

void
gql_template_delete(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct model_template *row = template_by(run->model,
	    (struct str){ NULL, 0 }, gql_in_str(args, "templateName"));

	(void)object, (void)out;
	if (row == NULL || row->official) {
		gql_fail(run, "RUNPOD", "Template not found");
		return;
	}
	row->dead = true;
	model_record(run->model, MODEL_OP_ACCOUNT, MODEL_BY_API, row->id);
}

/* -------------------------------------------------------- registries ---- */

static struct model_registry *
registry_by(const struct model *model, struct str id, struct str name)
{
	for (size_t i = 0; i < model->registries.n; i++) {
		struct model_registry *row = model->registries.items[i];

		if (!row->dead && ((id.len > 0 && str_eq(row->id, id)) ||
		    (name.len > 0 && str_eq(row->name, name))))
			return row;
	}
	return NULL;
}

/* User and password are write-only, so nothing of them is kept. */
void
gql_registry_save(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct model *model = run->model;
	struct str name = gql_in_str(gql_in(args, "input"), "name");
	struct model_registry *row;

	(void)object;
	if (name.len == 0 ||
	    registry_by(model, (struct str){ NULL, 0 }, name) != NULL) {
		gql_fail(run, "RUNPOD", "Registry auth name must be unique.");
		return;
	}
	struct str random = model_random_id(model, 24);
	row = ARENA_NEW(&model->arena, struct model_registry);
	row->id = arena_printf(&model->arena, "c" STR_FMT, STR_ARG(random));
	row->name = arena_str(&model->arena, name);
	*ARENA_PUSH(&model->arena, &model->registries) = row;
	model_record(model, MODEL_OP_ACCOUNT, MODEL_BY_API, row->id);
	gql_out_object(out, row);
}

void
gql_registry_update(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct model_registry *row = registry_by(run->model,
	    gql_in_str(gql_in(args, "input"), "id"), (struct str){ NULL, 0 });

	(void)object;
	if (row == NULL)
		gql_fail(run, "RUNPOD", "Registry auth not found");
	else
		model_record(run->model, MODEL_OP_ACCOUNT, MODEL_BY_API,
		    row->id);
	gql_out_object(out, row);
}

void
gql_registry_delete(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct model_registry *row = registry_by(run->model,
	    gql_in_str(args, "registryAuthId"), (struct str){ NULL, 0 });

	(void)object, (void)out;
	if (row == NULL) {
		gql_fail(run, "RUNPOD", "Registry auth not found");
		return;
	}
	row->dead = true;
	model_record(run->model, MODEL_OP_ACCOUNT, MODEL_BY_API, row->id);
}

const struct gql_field gql_env_fields[] = {
	AT("key", STRING, HOW_STR, model_env, name),
	AT("value", STRING, HOW_STR, model_env, value),
	{0}
};

const struct gql_field gql_template_fields[] = {
	AT("id", MUST(T_STRING), HOW_STR, model_template, id),
	AT("name", STRING, HOW_STR, model_template, name),
	AT("imageName", STRING, HOW_STR, model_template, image),
	AT("dockerArgs", STRING, HOW_STR, model_template, args),
	AT("containerDiskInGb", INT, HOW_INT, model_template, disk_gb),
	AT("volumeInGb", INT, HOW_INT, model_template, persistent_gb),
	AT("volumeMountPath", STRING, HOW_STR, model_template,
	    persistent_path),
	CALL("ports", STRING, template_ports),
	CALL("env", MANY(T_ENV), template_env),
	AT("isServerless", BOOL, HOW_BOOL, model_template, serverless),
	AT("isPublic", BOOL, HOW_BOOL, model_template, is_public),
	AT("isRunpod", BOOL, HOW_BOOL, model_template, official),
	NOTHING("readme", STRING),
	AT("startSsh", BOOL, HOW_BOOL, model_template, start_ssh),
	AT("startJupyter", BOOL, HOW_BOOL, model_template, start_jupyter),
	NOTHING("startScript", STRING),
	CONST("advancedStart", BOOL, HOW_FALSE),
	AT("containerRegistryAuthId", STRING, HOW_STR_OR_NULL, model_template,
	    registry),
	AT("category", STRING, HOW_STR_OR_NULL, model_template, category),
	NOTHING("boundEndpointId", STRING),
	CALL("userId", STRING, gql_user_id),
	{0}
};

const struct gql_field gql_registry_fields[] = {
	AT("id", MUST(T_STRING), HOW_STR, model_registry, id),
	AT("name", STRING, HOW_STR, model_registry, name),
	CALL("userId", STRING, gql_user_id),
	NOTHING("registryAuth", STRING),
	{0}
};

/* There is no serverless here; the fields are for those who ask. */
const struct gql_field gql_endpoint_fields[] = {
	NOTHING("id", STRING), NOTHING("name", STRING),
	NOTHING("aiKey", STRING), NOTHING("gpuIds", STRING),
	NOTHING("idleTimeout", INT), NOTHING("networkVolumeId", STRING),
	NOTHING("locations", STRING), NOTHING("scalerType", STRING),
	NOTHING("scalerValue", INT), NOTHING("templateId", STRING),
	NOTHING("type", STRING), NOTHING("userId", STRING),
	NOTHING("version", INT), NOTHING("workersMax", INT),
	NOTHING("workersMin", INT), NOTHING("workersStandby", INT),
	NOTHING("gpuCount", INT), NOTHING("env", MANY(T_ENV)),
	NOTHING("createdAt", ONE(T_DATE_TIME)),
	NOTHING("networkVolume", ONE(T_VOLUME)),
	{0}
};
