/*
 * rest.h - the REST v2 front end: one request on its way to an answer.
 *
 * Handlers read the request, call the operations of state.h and fill in the
 * reply.  They know nothing of faults, quotas and keys: http.c does those
 * around them.
 */
#ifndef MODEL_REST_H
#define MODEL_REST_H

#include "model/json_out.h"
#include "model/private.h"

struct json_object;	/* of json-c */

struct rest {
	struct model *model;
	struct arena *arena;
	const struct model_request *request;
	struct str id;			/* the {id} of the path */
	struct model_reply *reply;
	VEC_OF(struct str) problems;	/* of the request's body */
};

typedef void rest_handler(struct rest *rest);

/* Find the handler of a request; NULL with *allow the methods that the path
 * knows ("" when it knows none).  Sets *id and the class of the call. */
rest_handler *rest_route(struct arena *arena,
    const struct model_request *request, struct str *id,
    enum model_call *call, struct str *allow);

/* Answers. */
void rest_json(struct rest *rest, int status, struct json_out *out);
void rest_empty(struct rest *rest);		/* 204 */
void rest_problem(struct rest *rest, int status, const char *detail);
void rest_refused(struct rest *rest, const struct model_refusal *why);
void rest_problem_reply(struct arena *arena, struct model_reply *reply,
    int status, const char *detail, const struct str *errors, size_t n);
void rest_header(struct model_reply *reply, const char *name,
    struct str value);

/* A parameter of the query, percent-decoded; absent if it is not there. */
struct str rest_query(const struct rest *rest, const char *name);
/* The parts of a comma list; NULL-safe. */
size_t rest_split(struct arena *arena, struct str list, struct str **parts);

/* One page of a listing: limit 1-1000 and cursor.  false: 422 was answered. */
bool rest_page(struct rest *rest, const char *kind, size_t *limit,
    uint64_t *before);
struct str rest_cursor(struct arena *arena, const char *kind,
    uint64_t before);

/* pod_json.c */
struct pod_view {
	int64_t stale_ms;	/* show it as it was so long ago */
	bool odd;		/* unknown words, fields too many and too few */
};
void rest_put_pod(struct json_out *out, struct model *model,
    const struct model_pod *pod, struct pod_view view);
void rest_put_env(struct json_out *out, const struct model_env *env,
    size_t n);

/* Was a thing with these times there as seen stale_ms ago? */
bool rest_seen(const struct model *model, int64_t created_ms,
    int64_t ended_ms, int64_t keep_ms, int64_t stale_ms);

/* body.c: reading the body; false when an answer was already given. */
struct shape;
struct json_object *rest_body(struct rest *rest, const struct shape *shape);
struct str body_str(struct json_object *object, const char *key);
int64_t body_int(struct json_object *object, const char *key,
    int64_t otherwise);
bool body_bool(struct json_object *object, const char *key, bool otherwise);
struct json_object *body_object(struct json_object *object, const char *key);
bool body_has(struct json_object *object, const char *key);
bool body_is_null(struct json_object *object, const char *key);
size_t body_strs(struct arena *arena, struct json_object *object,
    const char *key, struct str **out);
size_t body_env(struct arena *arena, struct json_object *object,
    struct model_env **out);

rest_handler rest_list_pods, rest_create_pod, rest_get_pod, rest_patch_pod,
    rest_delete_pod, rest_act_on_pod, rest_pod_logs,
    rest_list_volumes, rest_create_volume, rest_get_volume,
    rest_patch_volume, rest_delete_volume,
    rest_list_templates, rest_create_template, rest_get_template,
    rest_patch_template, rest_delete_template,
    rest_list_registries, rest_create_registry, rest_get_registry,
    rest_delete_registry, rest_get_ssh_keys, rest_put_ssh_keys,
    rest_list_gpus, rest_get_gpu, rest_list_cpus, rest_get_cpu,
    rest_list_places, rest_get_place, rest_list_public_templates,
    rest_billing, rest_billing_pods, rest_billing_volumes;

/* Templates that a pod may be made from: own ones and public ones. */
struct model_template *rest_template(struct model *model, struct str id);

#endif
