/* console.c - what people do in RunPod's own web page. */
#include "model/private.h"

/* What can be done to a living pod that needs no more to be said. */
typedef bool deed_fn(struct model *model, struct model_pod *pod,
    enum model_actor actor, struct model_refusal *why);

static bool
act(struct model *model, int64_t now_ms, struct str id, deed_fn *deed)
{
	struct model_refusal why;
	struct model_pod *pod;

	model_advance(model, now_ms);
	pod = model_pod_living(model, id);
	return pod != NULL && deed(model, pod, MODEL_BY_CONSOLE, &why);
}

bool
model_console_stop(struct model *model, int64_t now_ms, struct str id)
{
	return act(model, now_ms, id, model_pod_stop);
}

bool
model_console_start(struct model *model, int64_t now_ms, struct str id)
{
	return act(model, now_ms, id, model_pod_start);
}

bool
model_console_delete(struct model *model, int64_t now_ms, struct str id)
{
	return act(model, now_ms, id, model_pod_terminate);
}

bool
model_console_restart(struct model *model, int64_t now_ms, struct str id)
{
	return act(model, now_ms, id, model_pod_restart);
}

bool
model_host_takes(struct model *model, int64_t now_ms, struct str id,
    int64_t gone_ms)
{
	struct model_refusal why;
	struct model_pod *pod;

	model_advance(model, now_ms);
	pod = model_pod_living(model, id);
	if (pod == NULL || !model_pod_stop(model, pod, MODEL_BY_CLOUD, &why))
		return false;
	pod->taken = gone_ms >= 0;
	if (pod->taken)
		model_timer_set(model, pod, model->now_ms + gone_ms);
	return true;
}

static bool
update(struct model *model, int64_t now_ms, struct str id,
    const struct model_update *change)
{
	struct model_refusal why;
	struct model_pod *pod;

	model_advance(model, now_ms);
	pod = model_pod_living(model, id);
	return pod != NULL && model_pod_update(model, pod, change,
	    MODEL_BY_CONSOLE, &why);
}

bool
model_console_rename(struct model *model, int64_t now_ms, struct str id,
    struct str name)
{
	return update(model, now_ms, id,
	    &(struct model_update){ .name = name });
}

bool
model_console_lock(struct model *model, int64_t now_ms, struct str id,
    bool locked)
{
	return update(model, now_ms, id,
	    &(struct model_update){ .set_locked = true, .locked = locked });
}

bool
model_console_edit(struct model *model, int64_t now_ms, struct str id,
    struct str image, int64_t disk_gb)
{
	return update(model, now_ms, id,
	    &(struct model_update){ .image = image, .disk_gb = disk_gb });
}

bool
model_console_edit_env(struct model *model, int64_t now_ms, struct str id,
    struct str name, struct str value)
{
	struct model_pod *pod = model_pod_living(model, id);
	struct model_env *env;
	size_t n = 0;

	if (pod == NULL)
		return false;
	env = ARENA_ARRAY(&model->arena, struct model_env, pod->nenv + 1);
	for (size_t i = 0; i < pod->nenv; i++)
		if (!str_eq(pod->env[i].name, name))
			env[n++] = pod->env[i];
	if (value.data != NULL)
		env[n++] = (struct model_env){ name, value };
	return update(model, now_ms, id, &(struct model_update){
	    .set_env = true, .env = env, .nenv = n });
}

struct str
model_console_lookalike(struct model *model, int64_t now_ms, struct str id,
    bool with_env)
{
	struct model_pod *like, *pod;
	struct model_create want;
	struct model_offer offer;
	struct str gpu, port = STR("22/tcp");

	model_advance(model, now_ms);
	like = map_get(&model->pods_by_id, id);
	if (like == NULL || like->gpu == NULL)
		return (struct str){0};
	gpu = str_from(like->gpu->id);
	want = (struct model_create){
		.name = like->name, .image = like->image, .gpu = gpu,
		.gpu_count = like->gpu_count, .disk_gb = like->disk_gb,
		.ports = &port, .nports = 1,
		.env = with_env ? like->env : NULL,
		.nenv = with_env ? like->nenv : 0,
	};
	offer = (struct model_offer){ like->place, like->community };
	pod = model_pod_new(model, &want, &offer);
	pod->by_console = true;
	pod->stuck = MODEL_NOT_STUCK;
	model_money_pod(model, pod);
	model_pod_words(model, pod, "Rented by User");
	model_record(model, MODEL_OP_CREATE, MODEL_BY_CONSOLE, pod->id);
	model_timer_set(model, pod,
	    model->now_ms + model->config.provision_ms);
	return pod->id;
}

bool
model_console_delete_volume(struct model *model, int64_t now_ms,
    struct str id)
{
	struct model_volume *volume;
	struct model_refusal why;

	model_advance(model, now_ms);
	volume = model_volume_living(model, id);
	return volume != NULL && model_volume_delete(model, volume,
	    MODEL_BY_CONSOLE, &why);
}

const struct model_pod *
model_preload(struct model *model, int64_t now_ms,
    const struct model_preload *wish)
{
	struct str *ports;
	struct model_offer offer;
	struct model_pod *pod;
	bool real = model->config.real_containers;

	model_advance(model, now_ms);
	offer = (struct model_offer){
		model_place_find(wish->data_center), wish->community };
	if (model_gpu_find(wish->gpu) == NULL || offer.place == NULL)
		return NULL;
	ports = ARENA_ARRAY(&model->arena, struct str, wish->nports);
	for (size_t i = 0; i < wish->nports; i++)
		ports[i] = str_from(wish->ports[i]);
	pod = model_pod_new(model, &(struct model_create){
	    .name = wish->name, .image = wish->image, .gpu = wish->gpu,
	    .gpu_count = wish->gpu_count, .disk_gb = wish->disk_gb,
	    .ports = ports, .nports = wish->nports,
	    .env = wish->env, .nenv = wish->nenv }, &offer);
	pod->stuck = MODEL_NOT_STUCK;
	pod->status = MODEL_STARTING;
	pod->start_number = 1;
	/* No sandbox stands behind it, so it is up at once. */
	model->config.real_containers = false;
	model_pod_timer(model, pod);
	model->config.real_containers = real;
	pod->ports_at_ms = model->now_ms;
	model_money_pod(model, pod);
	model_pod_words(model, pod, "Rented by User");
	return pod;
}
