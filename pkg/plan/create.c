/* create.c - everything that is set, as the attributes of a create */
#include "plan/planner.h"

static void
created(struct diff *d, enum pod_field field, const char *path,
    struct str value, bool unknown)
{
	if (value.data == NULL && !unknown)
		return;
	struct plan_attr *attr = ARENA_PUSH(d->p->arena, &d->change->attrs);
	*attr = (struct plan_attr){
		.path = str_from(path), .after = value, .unknown = unknown,
		.edit = true, .span = field_span(d, field),
	};
}

static void
created_env(struct diff *d)
{
	for (size_t i = 0; i < d->spec->nenv; i++) {
		const struct spec_env *env = &d->spec->env[i];
		struct plan_attr *attr =
		    ARENA_PUSH(d->p->arena, &d->change->attrs);
		*attr = (struct plan_attr){
			.path = arena_printf(d->p->arena, "env." STR_FMT,
			    STR_ARG(env->name)),
			.after = json_text_of(d->p->arena, env->value.raw),
			.sensitive = text_has(&env->value, PART_SECRET),
			.unknown = text_has(&env->value, PART_OUTPUT),
			.edit = true, .span = env->span,
		};
		if (attr->after.data == NULL)
			attr->after = STR("\"\"");
	}
}

void
diff_create(struct diff *d)
{
	struct arena *arena = d->p->arena;
	const struct pod_spec *spec = d->spec;

	created(d, POD_FIELD_NAME, "name",
	    json_text_of(arena, d->target->name), false);
	created(d, POD_FIELD_IMAGE, "image",
	    json_text_of(arena, spec->image), false);
	created(d, POD_FIELD_ARGS, "args", json_text_of(arena, spec->args),
	    false);
	created(d, POD_FIELD_GPU, "gpu.type",
	    json_choice_of(arena, spec->gpu, spec->ngpu), false);
	created(d, POD_FIELD_GPU_COUNT, "gpu_count",
	    json_int_of(arena, spec->gpu_count), false);
	created(d, POD_FIELD_MIN_CUDA, "min_cuda",
	    json_text_of(arena, spec->min_cuda), false);
	created(d, POD_FIELD_CLOUD, "cloud",
	    json_text_of(arena, str_from(tier_word(spec->tier))), false);
	if (d->data_center.len > 0 || spec->ndata_centers > 0)
		created(d, POD_FIELD_DATA_CENTERS, "data_centers",
		    place_wanted(d), false);
	else if (spec->nregions > 0)
		created(d, POD_FIELD_REGIONS, "regions", place_wanted(d),
		    false);
	created(d, POD_FIELD_DISK, "disk", json_gb_of(arena, spec->disk_gb),
	    false);
	created(d, POD_FIELD_NETWORK_VOLUME, "network_volume.volume",
	    json_text_of(arena, d->volume_id), d->volume_later);
	created(d, POD_FIELD_NETWORK_VOLUME, "network_volume.path",
	    json_text_of(arena, spec->volume_path), false);
	if (spec->nports > 0)
		created(d, POD_FIELD_PORTS, "ports",
		    json_list_of(arena, spec->ports, spec->nports), false);
	created_env(d);
}
