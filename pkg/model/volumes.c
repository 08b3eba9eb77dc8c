/* volumes.c - network volumes: create, change, delete. */
#include "model/private.h"

struct model_volume *
model_volume_create(struct model *model, struct str name, int64_t size_gb,
    struct str data_center, struct str type, struct model_refusal *why)
{
	const struct model_place *place = model_place_find(data_center);
	bool high = str_is(type, "HIGH_PERFORMANCE");
	struct model_volume *volume;

	*why = (struct model_refusal){0};
	if (place == NULL || !(high ? place->high_performance
	    : place->standard)) {
		model_refuse(why, MODEL_RULE, "Data center not found or does "
		    "not support network volumes of this type");
		return NULL;
	}
	volume = ARENA_NEW(&model->arena, struct model_volume);
	*ARENA_PUSH(&model->arena, &model->volumes) = volume;
	volume->id = model_random_id(model, 10);
	volume->name = arena_str(&model->arena, name);
	volume->place = place;
	volume->size_gb = size_gb;
	volume->high_performance = high;
	volume->created_ms = model->now_ms;
	volume->ended_ms = -1;
	model_money_volume(model, volume);
	model_record(model, MODEL_OP_VOLUME_CREATE, MODEL_BY_API, volume->id);
	return volume;
}

bool
model_volume_update(struct model *model, struct model_volume *volume,
    struct str name, int64_t size_gb, struct model_refusal *why)
{
	if (size_gb > 0 && size_gb < volume->size_gb)
		return model_refuse(why, MODEL_RULE,
		    "network volume size cannot be reduced");
	if (name.data != NULL)
		volume->name = arena_str(&model->arena, name);
	if (size_gb > 0)
		volume->size_gb = size_gb;
	model_money_volume(model, volume);
	model_record(model, MODEL_OP_VOLUME_UPDATE, MODEL_BY_API, volume->id);
	return true;
}

/* As live, a volume goes also while a pod has it mounted. */
bool
model_volume_delete(struct model *model, struct model_volume *volume,
    enum model_actor actor, struct model_refusal *why)
{
	if (volume->ended_ms >= 0)
		return model_refuse(why, MODEL_NOT_FOUND,
		    "resource not found");
	volume->ended_ms = model->now_ms;
	model_money_volume(model, volume);
	model_record(model, MODEL_OP_VOLUME_DELETE, actor, volume->id);
	return true;
}

struct model_volume *
model_volume_living(struct model *model, struct str id)
{
	for (size_t i = 0; i < model->volumes.n; i++) {
		struct model_volume *volume = model->volumes.items[i];
		if (volume->ended_ms < 0 && str_eq(volume->id, id))
			return volume;
	}
	return NULL;
}
