/*
 * graphql.c - GraphQL over HTTP: the request's body, the answer's, and the
 * roots of the schema.
 *
 * What reaches a resolver is answered with 200, errors included, and an
 * answer without errors has no `errors` member: clients ask whether it is
 * there.  What does not fit the schema is a 400; a wrong key is a 401; no
 * key at all still sees the catalog.
 */
#include <json-c/json.h>
#include <string.h>

#include "model/graphql_tables.h"

enum { JSON_DEPTH_MAX = 40 };

/* -------------------------------------------------------- the roots ---- */

TAKES(pod_args, ONE(T_POD_FILTER));
TAKES(gpu_args, ONE(T_GPU_FILTER));
TAKES(flavor_args, ONE(T_CPU_FLAVOR_INPUT));
static const struct gql_input template_args[] = {
	{ "id", MUST(T_STRING) }, { NULL, ONE(T_STRING) }
};
TAKES(templates_args, ONE(T_TEMPLATES_INPUT));

#define OPEN(name, type, fn, args) \
	{ name, type, HOW_CALL, 0, fn, args, true }
#define CLOSED(name, type, fn, args) \
	{ name, type, HOW_CALL, 0, fn, args, false }

const struct gql_field gql_query_fields[] = {
	CLOSED("pod", ONE(T_POD), gql_query_pod, pod_args),
	OPEN("myself", ONE(T_USER), gql_query_myself, NULL),
	OPEN("gpuTypes", MANY(T_GPU_TYPE), gql_query_gpu_types, gpu_args),
	OPEN("dataCenters", MANY(T_PLACE), gql_query_places, NULL),
	OPEN("countryCodes", MANY(T_STRING), gql_query_countries, NULL),
	OPEN("cpuTypes", MANY(T_CPU_TYPE), gql_query_cpu_types, NULL),
	OPEN("cpuFlavors", MANY(T_CPU_FLAVOR), gql_query_cpu_flavors,
	    flavor_args),
	OPEN("serverlessGpuPools", MANY(T_POOL), gql_query_pools, NULL),
	CLOSED("podTemplate", ONE(T_TEMPLATE), gql_query_template,
	    template_args),
	OPEN("podTemplates", MANY(T_TEMPLATE), gql_query_templates,
	    templates_args),
	{0}
};

TAKES(deploy_args, ONE(T_DEPLOY_INPUT));
TAKES(rent_args, MUST(T_RENT_INPUT));
TAKES(cpu_args, ONE(T_CPU_POD_INPUT));
TAKES(resume_args, MUST(T_RESUME_INPUT));
TAKES(bid_args, MUST(T_BID_RESUME_INPUT));
TAKES(stop_args, MUST(T_STOP_INPUT));
TAKES(terminate_args, MUST(T_TERMINATE_INPUT));
TAKES(edit_args, MUST(T_EDIT_INPUT));
TAKES(volume_create_args, MUST(T_VOLUME_CREATE_INPUT));
TAKES(volume_update_args, MUST(T_VOLUME_UPDATE_INPUT));
TAKES(volume_delete_args, MUST(T_VOLUME_DELETE_INPUT));
TAKES(template_save_args, MUST(T_TEMPLATE_INPUT));
TAKES(registry_save_args, MUST(T_REGISTRY_SAVE_INPUT));
TAKES(registry_update_args, MUST(T_REGISTRY_UPDATE_INPUT));
TAKES(settings_args, MUST(T_SETTINGS_INPUT));
static const struct gql_input template_delete_args[] = {
	{ "templateName", MUST(T_STRING) }, { NULL, ONE(T_STRING) }
};
static const struct gql_input registry_delete_args[] = {
	{ "registryAuthId", MUST(T_STRING) }, { NULL, ONE(T_STRING) }
};

const struct gql_field gql_mutation_fields[] = {
	CLOSED("podFindAndDeployOnDemand", ONE(T_POD), gql_deploy,
	    deploy_args),
	CLOSED("podRentInterruptable", ONE(T_POD), gql_rent, rent_args),
	CLOSED("deployCpuPod", ONE(T_POD), gql_deploy_cpu, cpu_args),
	CLOSED("podResume", ONE(T_POD), gql_resume, resume_args),
	CLOSED("podBidResume", ONE(T_POD), gql_bid_resume, bid_args),
	CLOSED("podStop", ONE(T_POD), gql_stop, stop_args),
	CLOSED("podTerminate", ONE(T_VOID), gql_terminate, terminate_args),
	CLOSED("podEditJob", ONE(T_POD), gql_edit, edit_args),
	CLOSED("createNetworkVolume", ONE(T_VOLUME), gql_volume_create,
	    volume_create_args),
	CLOSED("updateNetworkVolume", ONE(T_VOLUME), gql_volume_update,
	    volume_update_args),
	CLOSED("deleteNetworkVolume", ONE(T_VOID), gql_volume_delete,
	    volume_delete_args),
	CLOSED("saveTemplate", ONE(T_TEMPLATE), gql_template_save,
	    template_save_args),
	CLOSED("deleteTemplate", ONE(T_VOID), gql_template_delete,
	    template_delete_args),
	CLOSED("saveRegistryAuth", ONE(T_REGISTRY), gql_registry_save,
	    registry_save_args),
	CLOSED("updateRegistryAuth", ONE(T_REGISTRY), gql_registry_update,
	    registry_update_args),
	CLOSED("deleteRegistryAuth", ONE(T_VOID), gql_registry_delete,
	    registry_delete_args),
	CLOSED("updateUserSettings", ONE(T_USER), gql_settings_update,
	    settings_args),
	{0}
};

/* ------------------------------------------------------- the answer ---- */

static void
reply_with(struct arena *arena, struct model_reply *reply, int status,
    struct strbuf *body)
{
	reply->status = status;
	reply->content_type = STR("application/json; charset=utf-8");
	reply->body = arena_str(arena, strbuf_str(body));
	strbuf_release(body);
}

static void
refuse(struct arena *arena, struct model_reply *reply,
    const struct gql_document *document, const struct gql_problems *problems)
{
	struct strbuf body = {0};

	strbuf_adds(&body, "{\"errors\":[");
	for (size_t i = 0; i < problems->list.n; i++) {
		const struct gql_problem *p = &problems->list.items[i];
		size_t line, column;

		if (i > 0)
			strbuf_addc(&body, ',');
		strbuf_adds(&body, "{\"message\":");
		strbuf_add_json(&body, p->message);
		if (document != NULL) {
			gql_place(document->text, p->offset, &line, &column);
			strbuf_addf(&body, ",\"locations\":[{\"line\":%zu,"
			    "\"column\":%zu}]", line, column);
		}
		strbuf_adds(&body, ",\"extensions\":{\"code\":");
		strbuf_add_json(&body, str_from(p->code));
		strbuf_adds(&body, "}}");
	}
	strbuf_adds(&body, "]}");
	reply_with(arena, reply, 400, &body);
}

static void
refuse_one(struct arena *arena, struct model_reply *reply,
    const struct gql_document *document, const char *code, size_t offset,
    struct str message)
{
	struct gql_problems problems = {0};

	*ARENA_PUSH(arena, &problems.list) = (struct gql_problem){ message,
	    offset, code };
	refuse(arena, reply, document, &problems);
}

/* ------------------------------------------------------ the request ---- */

/* A JSON value as one of the language; what it is used for decides later
 * whether a text is a string or the word of an enum. */
static struct gql_value
from_json(struct arena *arena, struct json_object *json)
{
	struct gql_value value = { .kind = GQL_NULL };

	switch (json_object_get_type(json)) {
	case json_type_null:
		break;
	case json_type_boolean:
		value.kind = GQL_BOOLEAN;
		value.truth = json_object_get_boolean(json);
		value.text = value.truth ? STR("true") : STR("false");
		break;
	case json_type_int:
		value.kind = GQL_INT;
		value.text = arena_str(arena,
		    str_from(json_object_get_string(json)));
		break;
	case json_type_double:
		value.kind = GQL_FLOAT;
		value.text = arena_str(arena,
		    str_from(json_object_get_string(json)));
		break;
	case json_type_string:
		value.kind = GQL_ANY_TEXT;
		value.text = arena_str(arena, (struct str){
		    json_object_get_string(json),
		    (size_t)json_object_get_string_len(json) });
		break;
	case json_type_array:
		value.kind = GQL_LIST;
		for (size_t i = 0; i < json_object_array_length(json); i++) {
			struct gql_value item = from_json(arena,
			    json_object_array_get_idx(json, i));

			*ARENA_PUSH(arena, &value.items) = item;
		}
		break;
	case json_type_object:
		value.kind = GQL_OBJECT;
		json_object_object_foreach(json, key, member) {
			struct gql_arg field = { .name = arena_str(arena,
			    str_from(key)) };

			field.value = from_json(arena, member);
			*ARENA_PUSH(arena, &value.fields) = field;
		}
		break;
	}
	return value;
}

/* Values for the operation's variables; false: a message is in *why. */
static bool
bind_variables(struct arena *arena, const struct gql_operation *operation,
    struct json_object *variables, struct gql_binding *bindings,
    struct str *why)
{
	for (size_t i = 0; i < operation->variables.n; i++) {
		const struct gql_variable *v = &operation->variables.items[i];
		struct gql_binding *binding = &bindings[i];
		struct json_object *json = NULL;
		struct gql_ref type = { T_STRING, v->type.list,
		    v->type.required };
		struct str reason;

		gql_type_find(v->type.name, &type.id);
		binding->given = json_object_object_get_ex(variables,
		    arena_cstr(arena, v->name), &json);
		if (binding->given) {
			binding->value = from_json(arena, json);
		} else if (v->has_default) {
			binding->given = true;
			binding->value = v->fallback;
		} else if (!type.required) {
			continue;
		}
		if (!binding->given) {
			*why = arena_printf(arena, "Variable \"$" STR_FMT
			    "\" of required type \"" STR_FMT "\" was not "
			    "provided.", STR_ARG(v->name),
			    STR_ARG(gql_ref_name(arena, type)));
			return false;
		}
		if (!gql_fits(arena, NULL, type, &binding->value, &reason)) {
			*why = arena_printf(arena, "Variable \"$" STR_FMT
			    "\" got invalid value; " STR_FMT,
			    STR_ARG(v->name), STR_ARG(reason));
			return false;
		}
	}
	return true;
}

static const struct gql_operation *
choose(const struct gql_document *document, struct str name)
{
	const struct gql_operation *found = NULL;

	for (size_t i = 0; i < document->operations.n; i++) {
		const struct gql_operation *one =
		    &document->operations.items[i];

		if (name.len > 0 ? str_eq(one->name, name) :
		    document->operations.n == 1)
			found = one;
	}
	return found;
}

static void
execute(struct gql_run *run, struct model_reply *reply)
{
	struct strbuf body = {0};

	gql_execute(run);
	strbuf_addc(&body, '{');
	if (run->errors.len > 0) {
		strbuf_adds(&body, "\"errors\":[");
		strbuf_add(&body, strbuf_str(&run->errors));
		strbuf_adds(&body, "],");
	}
	strbuf_adds(&body, "\"data\":");
	strbuf_add(&body, strbuf_str(&run->out));
	strbuf_addc(&body, '}');
	strbuf_release(&run->out);
	strbuf_release(&run->errors);
	reply_with(run->arena, reply, 200, &body);
}

static void
serve(struct model *model, struct arena *arena, struct str text,
    struct json_object *variables, struct str name, bool authorized,
    struct model_reply *reply)
{
	struct gql_document document;
	struct gql_error error;
	struct gql_problems problems = {0};
	struct gql_run run = { .model = model, .arena = arena,
	    .document = &document, .authorized = authorized };
	struct gql_binding *bindings;
	struct str why;

	if (!gql_parse(arena, text, &document, &error)) {
		document.text = text;
		refuse_one(arena, reply, &document, "GRAPHQL_PARSE_FAILED",
		    error.offset, error.message);
		return;
	}
	run.operation = choose(&document, name);
	if (run.operation == NULL) {
		refuse_one(arena, reply, NULL, "OPERATION_RESOLUTION_FAILURE",
		    0, name.len > 0 ? arena_printf(arena, "Unknown operation "
		    "named \"" STR_FMT "\".", STR_ARG(name)) :
		    STR("Must provide operation name if query contains "
		    "multiple operations."));
		return;
	}
	gql_check(arena, &document, run.operation, &problems);
	if (problems.list.n > 0) {
		refuse(arena, reply, &document, &problems);
		return;
	}
	bindings = ARENA_ARRAY(arena, struct gql_binding,
	    run.operation->variables.n + 1);
	run.bindings = bindings;
	if (bind_variables(arena, run.operation, variables, bindings, &why))
		execute(&run, reply);
	else
		refuse_one(arena, reply, NULL, "BAD_USER_INPUT", 0, why);
}

static struct str
json_str(struct arena *arena, struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return (struct str){ NULL, 0 };
	return arena_str(arena, (struct str){ json_object_get_string(value),
	    (size_t)json_object_get_string_len(value) });
}

/* The body as an object, or NULL. */
static struct json_object *
read_body(struct str body)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct json_object *root = NULL;

	if (tokener == NULL)
		fail_out_of_memory();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
	    JSON_TOKENER_VALIDATE_UTF8);
	if (body.len > 0 && body.len < INT32_MAX)
		root = json_tokener_parse_ex(tokener, body.data,
		    (int)body.len);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != body.len ||
	    !json_object_is_type(root, json_type_object)) {
		json_object_put(root);
		root = NULL;
	}
	json_tokener_free(tokener);
	return root;
}

static bool
tried_a_key(const struct model_request *request)
{
	return request->authorization.len > 0 ||
	    str_search(request->query, STR("api_key=")) >= 0;
}

void
model_graphql(struct model *model, struct arena *arena,
    const struct model_request *request, bool authorized,
    struct model_reply *reply)
{
	struct json_object *root, *variables = NULL;
	struct strbuf body = {0};
	struct str text;

	if (!authorized && tried_a_key(request)) {
		strbuf_adds(&body, "{\"message\":\"Unauthorized\"}");
		reply_with(arena, reply, 401, &body);
		return;
	}
	root = read_body(request->body);
	text = json_str(arena, root, "query");
	json_object_object_get_ex(root, "variables", &variables);
	if (root == NULL)
		refuse_one(arena, reply, NULL, "BAD_REQUEST", 0,
		    STR("POST body is not a JSON object."));
	else if (text.len == 0)
		refuse_one(arena, reply, NULL, "BAD_REQUEST", 0,
		    STR("GraphQL operations must contain a non-empty `query` "
		    "or a `persistedQuery` extension."));
	else if (variables != NULL &&
	    !json_object_is_type(variables, json_type_object))
		refuse_one(arena, reply, NULL, "BAD_REQUEST", 0,
		    STR("`variables` in a POST body must be an object."));
	else
		serve(model, arena, text, variables,
		    json_str(arena, root, "operationName"), authorized, reply);
	json_object_put(root);
}
