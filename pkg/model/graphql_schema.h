/*
 * graphql_schema.h - the schema as tables, and how fields get their values.
 *
 * graphql_types.c holds the types, scalars, enums and inputs; the fields of
 * objects stand beside the functions that resolve them (graphql_pod.c,
 * graphql_gpu.c, ...).  graphql_check.c holds a document against it,
 * graphql_exec.c runs what passed.  Names and nullability are those of
 * RunPod's API as its clients use it; introspection is off, as there.
 */
#ifndef MODEL_GRAPHQL_SCHEMA_H
#define MODEL_GRAPHQL_SCHEMA_H

#include "base/strbuf.h"
#include "model/graphql_parse.h"
#include "model/state.h"

enum gql_type_id {
	/* scalars */
	T_STRING, T_INT, T_FLOAT, T_BOOLEAN, T_ID, T_DATE_TIME, T_VOID,
	/* enums */
	T_CLOUD_TYPE, T_COMPUTE_TYPE, T_POD_TYPE, T_POD_STATUS, T_COMPLIANCE,
	/* inputs */
	T_POD_FILTER, T_GPU_FILTER, T_LOWEST_PRICE_INPUT, T_AVAILABILITY_INPUT,
	T_CPU_FLAVOR_INPUT, T_SPECIFICS_INPUT, T_TEMPLATES_INPUT,
	T_ENV_INPUT, T_SAVINGS_INPUT, T_DEPLOY_INPUT, T_RENT_INPUT,
	T_CPU_POD_INPUT, T_RESUME_INPUT, T_BID_RESUME_INPUT, T_STOP_INPUT,
	T_TERMINATE_INPUT, T_EDIT_INPUT, T_VOLUME_CREATE_INPUT,
	T_VOLUME_UPDATE_INPUT, T_VOLUME_DELETE_INPUT, T_TEMPLATE_INPUT,
	T_REGISTRY_SAVE_INPUT, T_REGISTRY_UPDATE_INPUT, T_SETTINGS_INPUT,
	/* objects */
	T_QUERY, T_MUTATION, T_POD, T_MACHINE, T_MACHINE_SYSTEM, T_RUNTIME,
	T_RUNTIME_PORT, T_RUNTIME_GPU, T_RUNTIME_CONTAINER, T_POD_GPU,
	T_TELEMETRY, T_USER, T_SPEND, T_VOLUME, T_TEMPLATE, T_ENV, T_REGISTRY,
	T_GPU_TYPE, T_LOWEST_PRICE, T_PLACE, T_AVAILABILITY, T_CPU_TYPE,
	T_CPU_FLAVOR, T_SPECIFICS, T_POOL, T_ENDPOINT,
	T_COUNT
};

struct gql_ref {
	enum gql_type_id id;
	bool list;
	bool required;		/* `!` */
};

#define ONE(type) { (type), false, false }
#define MUST(type) { (type), false, true }
#define MANY(type) { (type), true, false }

/* Tables of these end with a row whose name is NULL. */
struct gql_input {
	const char *name;
	struct gql_ref type;
};

/* What a field is, for the writer. */
enum gql_out_kind {
	OUT_NULL, OUT_STR, OUT_INT, OUT_BOOL, OUT_MONEY, OUT_STRS, OUT_INTS,
	OUT_OBJECT, OUT_OBJECTS,
};

struct gql_out {
	enum gql_out_kind kind;		/* OUT_NULL from the start */
	struct str str;
	int64_t number;
	bool truth;
	const void *object;
	size_t count;			/* of the lists */
	const struct str *strs;
	const int64_t *ints;
	const void *const *objects;
};

struct gql_run;

typedef void gql_resolve(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out);

/* Where a value comes from; the AT_ ones read the object's struct at `at`. */
enum gql_how {
	HOW_CALL, HOW_NULL, HOW_ZERO, HOW_FALSE, HOW_TRUE, HOW_EMPTY,
	HOW_SAME,		/* the same struct seen as another type */
	HOW_STR,
	HOW_STR_OR_NULL,	/* null when empty */
	HOW_CSTR, HOW_INT, HOW_INT16, HOW_INT32, HOW_MONEY,
	HOW_MONEY32, HOW_BOOL,
};

struct gql_field {
	const char *name;
	struct gql_ref type;
	enum gql_how how;
	size_t at;
	gql_resolve *resolve;
	const struct gql_input *args;	/* NULL for none */
	bool open;		/* of Query: answered without a key */
};

enum gql_type_kind { KIND_SCALAR, KIND_ENUM, KIND_INPUT, KIND_OBJECT };

struct gql_type {
	const char *name;
	enum gql_type_kind kind;
	const char *const *words;	/* enum, NULL-terminated */
	const struct gql_input *inputs;
	const struct gql_field *fields;
};

extern const struct gql_type gql_types[T_COUNT];

extern const struct gql_field gql_query_fields[], gql_mutation_fields[],
    gql_pod_fields[], gql_machine_fields[], gql_machine_system_fields[],
    gql_runtime_fields[], gql_runtime_port_fields[], gql_runtime_gpu_fields[],
    gql_runtime_container_fields[], gql_pod_gpu_fields[],
    gql_telemetry_fields[], gql_user_fields[], gql_spend_fields[],
    gql_volume_fields[], gql_template_fields[], gql_env_fields[],
    gql_registry_fields[], gql_gpu_type_fields[], gql_lowest_price_fields[],
    gql_place_fields[], gql_availability_fields[], gql_cpu_type_fields[],
    gql_cpu_flavor_fields[], gql_specifics_fields[], gql_pool_fields[],
    gql_endpoint_fields[];

/* NULL if there is none. */
const struct gql_field *gql_field_find(enum gql_type_id type,
    struct str name);
const struct gql_input *gql_input_find(const struct gql_input *inputs,
    struct str name);
bool gql_type_find(struct str name, enum gql_type_id *out);
/* "[Pod]", "String!" */
struct str gql_ref_name(struct arena *arena, struct gql_ref ref);

/* ---------------------------------------------------------- checking ---- */

struct gql_problem {
	struct str message;
	size_t offset;
	const char *code;
};

struct gql_problems {
	VEC_OF(struct gql_problem) list;
};

/* Values of variables, by the order of their definitions. */
struct gql_binding {
	bool given;
	struct gql_value value;
};

/* Hold the operation against the schema; what is wrong goes to problems. */
void gql_check(struct arena *arena, const struct gql_document *document,
    const struct gql_operation *operation, struct gql_problems *problems);

/*
 * Does a value fit a type?  If not, a sentence says why (in the arena).
 * Variables in it are held against the operation's definitions.
 */
bool gql_fits(struct arena *arena, const struct gql_operation *operation,
    struct gql_ref type, const struct gql_value *value, struct str *why);

/* --------------------------------------------------------- resolving ---- */

struct gql_step {		/* of the path to the field being resolved */
	struct str key;		/* absent: an index */
	size_t index;
};

struct gql_run {
	struct model *model;
	struct arena *arena;
	const struct gql_document *document;
	const struct gql_operation *operation;
	const struct gql_binding *bindings;
	bool authorized;
	struct strbuf out;	/* of `data` */
	struct strbuf errors;	/* objects, with commas between */
	VEC_OF(struct gql_step) path;
};

/* Run the operation: `data` in run->out, errors in run->errors. */
void gql_execute(struct gql_run *run);

/* Report why the field being resolved has no value; code is RUNPOD, ... */
void gql_fail(struct gql_run *run, const char *code, const char *message);
/* The same for a refused operation. */
void gql_refused(struct gql_run *run, const struct model_refusal *why);

/* Reading arguments: null counts as not given, as do empty texts. */
const struct gql_value *gql_in(const struct gql_value *object,
    const char *name);			/* NULL if not given */
struct str gql_in_str(const struct gql_value *object, const char *name);
int64_t gql_in_int(const struct gql_value *object, const char *name,
    int64_t fallback);
bool gql_in_bool(const struct gql_value *object, const char *name,
    bool fallback);
/* A list of strings, or one; returns how many. */
size_t gql_in_strs(struct arena *arena, const struct gql_value *object,
    const char *name, struct str **out);
/* Parts of a text between commas, trimmed, without empty ones. */
size_t gql_split(struct arena *arena, struct str text, struct str **out);
size_t gql_in_env(struct arena *arena, const struct gql_value *object,
    struct model_env **out);

/* Setting results. */
void gql_out_text(struct gql_out *out, struct str text);
void gql_out_int(struct gql_out *out, int64_t number);
void gql_out_bool(struct gql_out *out, bool truth);
void gql_out_money(struct gql_out *out, int64_t microusd);
void gql_out_object(struct gql_out *out, const void *object); /* or NULL */
void gql_out_objects(struct gql_out *out, const void *const *objects,
    size_t n);

/* The resolvers that Query and Mutation name. */
gql_resolve gql_query_pod, gql_query_myself, gql_query_gpu_types,
    gql_query_places, gql_query_countries, gql_query_cpu_types,
    gql_query_cpu_flavors, gql_query_pools, gql_query_template,
    gql_query_templates, gql_deploy, gql_rent, gql_deploy_cpu, gql_resume,
    gql_bid_resume, gql_stop, gql_terminate, gql_edit, gql_volume_create,
    gql_volume_update, gql_volume_delete, gql_template_save,
    gql_template_delete, gql_registry_save, gql_registry_update,
    gql_registry_delete, gql_settings_update;

/* "High", ... for so many pods that could be rented. */
struct str gql_stock_word(int64_t pods);
/* The account's templates, or those that RunPod offers. */
void gql_out_templates(struct gql_run *run, bool official,
    struct gql_out *out);
/* The account's id; other things name it as their owner. */
gql_resolve gql_user_id;

/* Pods that are shown, as an array for a list; newest first. */
size_t gql_pods(struct gql_run *run, const void *const **out);

#endif
