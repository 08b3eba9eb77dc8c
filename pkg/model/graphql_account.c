/*
 * graphql_account.c - the account as GraphQL shows and changes it: money,
 * SSH keys, network volumes.
 */
#include "model/graphql_tables.h"
#include "model/private.h"

/* ---------------------------------------------------------- the user ---- */

/* Nobody is nobody, without an error. */
void
gql_query_myself(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)args;
	if (run->authorized)
		gql_out_object(out, object);
}

void
gql_user_id(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)object, (void)args;
	gql_out_text(out, STR("user_2simulated0000000000000000"));
}

static void
user_email(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)object, (void)args;
	gql_out_text(out, STR("you@example.com"));
}

static void
user_keys(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model *model = object;
	struct str text = STR("");

	(void)args;
	for (size_t i = 0; i < model->ssh_keys.n; i++)
		text = arena_printf(run->arena, STR_FMT "%s" STR_FMT,
		    STR_ARG(text), i > 0 ? "\n" : "",
		    STR_ARG(model->ssh_keys.items[i]));
	gql_out_text(out, text);
}

static void
user_balance(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)object, (void)args;
	gql_out_money(out, model_balance(run->model, run->model->now_ms));
}

static void
user_rate(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_money(out, model_rate(object));
}

static void
user_limit(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model *model = object;

	(void)run, (void)args;
	gql_out_money(out, model->config.spend_limit);
}

static void
user_broke(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)object, (void)args;
	gql_out_bool(out,
	    model_balance(run->model, run->model->now_ms) <= 0);
}

static void
user_spent(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)object, (void)args;
	gql_out_money(out, model_spent(run->model, run->model->now_ms));
}

static void
user_pods(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const void *const *list;
	size_t n = gql_pods(run, &list);

	(void)object, (void)args;
	gql_out_objects(out, list, n);
}

static void
user_volumes(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model *model = object;
	const void **list = ARENA_ARRAY(run->arena, const void *,
	    model->volumes.n + 1);
	size_t n = 0;

	(void)args;
	for (size_t i = 0; i < model->volumes.n; i++)
		if (model->volumes.items[i]->ended_ms < 0)
			list[n++] = model->volumes.items[i];
	gql_out_objects(out, list, n);
}

static void
user_registries(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct model *model = object;
	const void **list = ARENA_ARRAY(run->arena, const void *,
	    model->registries.n + 1);
	size_t n = 0;

	(void)args;
	for (size_t i = 0; i < model->registries.n; i++)
		if (!model->registries.items[i]->dead)
			list[n++] = model->registries.items[i];
	gql_out_objects(out, list, n);
}

static void
user_templates(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)object, (void)args;
	gql_out_templates(run, false, out);
}

/* Micro-dollars per hour, by what they are for. */
static void
sum_rates(const struct model *model, int64_t *compute, int64_t *local,
    int64_t *network)
{
	*compute = *local = *network = 0;
	for (size_t i = 0; i < model->pods.n; i++) {
		const struct model_pod *pod = model->pods.items[i];
		const struct model_interval *last = pod->nbills > 0 ?
		    &pod->bills[pod->nbills - 1] : NULL;

		if (last == NULL || last->to_ms != -1)
			continue;
		*compute += last->compute_rate;
		*local += last->storage_rate;
	}
	for (size_t i = 0; i < model->volumes.n; i++) {
		const struct model_volume *volume = model->volumes.items[i];

		if (volume->nbills > 0 &&
		    volume->bills[volume->nbills - 1].to_ms == -1)
			*network +=
			    volume->bills[volume->nbills - 1].storage_rate;
	}
}

struct spend {
	int64_t compute, local, network;
};

static void
user_spend(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct spend *spend = ARENA_NEW(run->arena, struct spend);

	(void)args;
	sum_rates(object, &spend->compute, &spend->local, &spend->network);
	gql_out_object(out, spend);
}

void
gql_settings_update(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct model *model = run->model;
	const struct gql_value *text = gql_in(gql_in(args, "input"), "pubKey");
	struct str rest = text != NULL ? text->text : STR("");

	if (text != NULL) {
		model->ssh_keys.n = 0;
		while (rest.len > 0) {
			struct str line = str_trim(str_cut(rest, '\n', &rest));

			if (line.len > 0)
				*ARENA_PUSH(&model->arena, &model->ssh_keys) =
				    arena_str(&model->arena, line);
		}
		model_record(model, MODEL_OP_ACCOUNT, MODEL_BY_API,
		    STR("ssh-keys"));
	}
	gql_out_object(out, object);
}

/* ----------------------------------------------------------- volumes ---- */

static void
volume_place_id(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_text(out,
	    str_from(((const struct model_volume *)object)->place->id));
}

static void
volume_place(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	(void)run, (void)args;
	gql_out_object(out, ((const struct model_volume *)object)->place);
}

void
gql_volume_create(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct gql_value *input = gql_in(args, "input");
	int64_t size = gql_in_int(input, "size", 0);
	struct model_refusal why = {0};
	struct model_volume *volume;

	(void)object;
	if (size < 1 || size > 4096) {
		gql_fail(run, "RUNPOD",
		    "Network volume size must be between 1 and 4096 GB");
		return;
	}
	volume = model_volume_create(run->model, gql_in_str(input, "name"),
	    size, gql_in_str(input, "dataCenterId"), STR("STANDARD"), &why);
	if (volume == NULL)
		gql_refused(run, &why);
	gql_out_object(out, volume);
}

void
gql_volume_update(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	const struct gql_value *input = gql_in(args, "input");
	struct model_volume *volume = model_volume_living(run->model,
	    gql_in_str(input, "id"));
	struct model_refusal why = {0};

	(void)object;
	if (volume == NULL)
		gql_fail(run, "RUNPOD", "network volume not found");
	else if (!model_volume_update(run->model, volume,
	    gql_in_str(input, "name"), gql_in_int(input, "size", 0), &why))
		gql_refused(run, &why);
	else
		gql_out_object(out, volume);
}

void
gql_volume_delete(struct gql_run *run, const void *object,
    const struct gql_value *args, struct gql_out *out)
{
	struct model_volume *volume = model_volume_living(run->model,
	    gql_in_str(gql_in(args, "input"), "id"));
	struct model_refusal why = {0};

	(void)object, (void)out;
	if (volume == NULL)
		gql_fail(run, "RUNPOD",
		    "Tried to delete nonexistent network volume");
	else if (!model_volume_delete(run->model, volume, MODEL_BY_API, &why))
		gql_refused(run, &why);
}

const struct gql_field gql_user_fields[] = {
	CALL("id", MUST(T_STRING), gql_user_id),
	CALL("authId", STRING, gql_user_id),
	CALL("email", STRING, user_email),
	CALL("pubKey", STRING, user_keys),
	CALL("clientBalance", FLOAT, user_balance),
	CALL("currentSpendPerHr", FLOAT, user_rate),
	CALL("spendLimit", FLOAT, user_limit),
	CONST("minBalance", FLOAT, HOW_ZERO),
	CALL("underBalance", BOOL, user_broke),
	CONST("creditAlertThreshold", FLOAT, HOW_ZERO),
	CONST("notifyPodsStale", BOOL, HOW_FALSE),
	CONST("notifyPodsGeneral", BOOL, HOW_FALSE),
	CONST("notifyLowBalance", BOOL, HOW_FALSE),
	CONST("notifyOther", BOOL, HOW_FALSE),
	CONST("maxServerlessConcurrency", INT, HOW_ZERO),
	CALL("clientLifetimeSpend", FLOAT, user_spent),
	CALL("spendDetails", ONE(T_SPEND), user_spend),
	CALL("pods", MANY(T_POD), user_pods),
	CALL("networkVolumes", MANY(T_VOLUME), user_volumes),
	CALL("containerRegistryCreds", MANY(T_REGISTRY), user_registries),
	CALL("podTemplates", MANY(T_TEMPLATE), user_templates),
	CONST("endpoints", MANY(T_ENDPOINT), HOW_EMPTY),
	{ "datacenters", MANY(T_PLACE), HOW_CALL, 0, gql_query_places, NULL,
	    false },
	{0}
};

const struct gql_field gql_spend_fields[] = {
	AT("localStoragePerHour", FLOAT, HOW_MONEY, spend, local),
	AT("networkStoragePerHour", FLOAT, HOW_MONEY, spend, network),
	AT("gpuComputePerHour", FLOAT, HOW_MONEY, spend, compute),
	{0}
};

const struct gql_field gql_volume_fields[] = {
	AT("id", MUST(T_STRING), HOW_STR, model_volume, id),
	AT("name", STRING, HOW_STR, model_volume, name),
	AT("size", INT, HOW_INT, model_volume, size_gb),
	CALL("dataCenterId", STRING, volume_place_id),
	CALL("dataCenter", ONE(T_PLACE), volume_place),
	{0}
};
