/* pod_update.c - changing a pod in place, and what that resets. */
#include "model/private.h"

static bool
check_update(const struct model_pod *pod, const struct model_update *update,
    struct model_refusal *why)
{
	if (update->persistent_gb > 0 || update->persistent_path.data != NULL) {
		if (pod->persistent_gb == 0)
			return model_refuse(why, MODEL_RULE,
			    "the kind of a pod's mount cannot change");
		if (update->persistent_gb > 0 &&
		    update->persistent_gb < pod->persistent_gb)
			return model_refuse(why, MODEL_RULE,
			    "persistent mount cannot shrink");
	}
	if (update->volume_id.data != NULL &&
	    !str_eq(update->volume_id, pod->volume_id))
		return model_refuse(why, MODEL_RULE,
		    pod->volume_id.len == 0
		    ? "the kind of a pod's mount cannot change"
		    : "volumeId of a network mount is immutable");
	if (update->set_global && update->global_network &&
	    (pod->gpu == NULL || !pod->place->global_network))
		return model_refuse(why, MODEL_RULE,
		    "global networking is not available for this pod");
	return true;
}

/* Name, lock and global network leave the container alone. */
static bool
resets(const struct model_update *update)
{
	return update->image.data != NULL || update->args.data != NULL ||
	    update->registry.data != NULL || update->clear_registry ||
	    update->disk_gb > 0 || update->set_ports || update->set_env ||
	    update->persistent_gb > 0 ||
	    update->persistent_path.data != NULL ||
	    update->volume_path.data != NULL;
}

static void
keep(struct model *model, struct str *field, struct str value)
{
	if (value.data != NULL)
		*field = arena_str(&model->arena, value);
}

static void
apply(struct model *model, struct model_pod *pod,
    const struct model_update *update)
{
	keep(model, &pod->name, update->name);
	keep(model, &pod->image, update->image);
	keep(model, &pod->args, update->args);
	keep(model, &pod->registry, update->registry);
	keep(model, &pod->persistent_path, update->persistent_path);
	keep(model, &pod->volume_path, update->volume_path);
	if (update->clear_registry)
		pod->registry = (struct str){0};
	if (update->disk_gb > 0)
		pod->disk_gb = update->disk_gb;
	if (update->persistent_gb > 0)
		pod->persistent_gb = update->persistent_gb;
	if (update->set_ports)
		model_copy_ports(model, pod, update->ports, update->nports);
	if (update->set_env) {
		pod->env = model_copy_env(model, update->env, update->nenv);
		pod->nenv = update->nenv;
	}
	if (update->set_global)
		pod->internal_ip = update->global_network
		    ? arena_printf(&model->arena, "10.0.%d.%d",
		    (int)(pod->number >> 8 & 255), (int)(pod->number & 255))
		    : (struct str){0};
	if (update->set_locked)
		pod->locked = update->locked;
}

bool
model_pod_update(struct model *model, struct model_pod *pod,
    const struct model_update *update, enum model_actor actor,
    struct model_refusal *why)
{
	bool reset = resets(update), running;

	if (pod->status == MODEL_TERMINATED)
		return model_refuse(why, MODEL_STATE, "pod is terminated");
	if (reset && pod->locked && actor == MODEL_BY_API &&
	    !(update->set_locked && !update->locked))
		return model_refuse(why, MODEL_STATE, "pod is locked");
	if (!check_update(pod, update, why))
		return false;
	running = pod->status == MODEL_RUNNING ||
	    pod->status == MODEL_STARTING;
	if (reset && running)
		model_pod_end_container(model, pod);
	apply(model, pod, update);
	if (reset && running)
		model_pod_begin_again(model, pod);
	model_money_pod(model, pod);
	model_record(model, MODEL_OP_UPDATE, actor, pod->id);
	return true;
}
