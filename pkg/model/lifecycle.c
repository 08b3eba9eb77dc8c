/*
 * lifecycle.c - what pods do by themselves.
 *
 *	        rented            pull and boot         container runs
 *	PROVISIONING --timer--> STARTING --timer--> RUNNING
 *	     ^                    ^   |                | stop, host, no money
 *	     |                    |   +-> EXITED <-----+
 *	   create               start, restart, edit
 *
 * TERMINATED is reached from everywhere and left to nowhere.  With real
 * containers the step to RUNNING also waits for model_container_up().
 */
#include "model/private.h"

void
model_record(struct model *model, enum model_op op, enum model_actor actor,
    struct str id)
{
	*ARENA_PUSH(&model->arena, &model->log) = (struct model_entry){
		.at_ms = model->now_ms, .op = op, .actor = actor, .id = id,
		.request = actor == MODEL_BY_API ? model->request_number : 0,
	};
}

void
model_pod_words(struct model *model, struct model_pod *pod, const char *words)
{
	struct str when = model_prose_time(&model->arena, model->now_ms);

	pod->last_change = arena_printf(&model->arena, "%s: " STR_FMT, words,
	    STR_ARG(when));
}

static void
effect(struct model *model, enum model_effect_type type,
    const struct model_pod *pod)
{
	if (!model->config.real_containers)
		return;
	*ARENA_PUSH(&model->arena, &model->effects) = (struct model_effect){
		.type = type, .pod = pod, .start_number = pod->start_number,
	};
}

/* The container of a pod is gone: no runtime, no ports. */
void
model_pod_end_container(struct model *model, struct model_pod *pod)
{
	if (pod->start_number > 0 && pod->status != MODEL_PROVISIONING &&
	    pod->status != MODEL_EXITED && pod->status != MODEL_TERMINATED)
		effect(model, MODEL_STOP_CONTAINER, pod);
	for (size_t i = 0; i < pod->nports; i++)
		pod->ports[i].outside = 0;
	pod->up_ms = pod->ports_at_ms = -1;
	pod->container_up = pod->waits_for_container = false;
	model_timer_clear(pod);
}

/* A new container begins; it runs delay_ms later. */
void
model_pod_begin_container(struct model *model, struct model_pod *pod,
    int64_t delay_ms)
{
	pod->status = MODEL_STARTING;
	pod->start_number++;
	pod->taken = false;
	model_pod_log_begin(model, pod);
	if (pod->stuck == MODEL_STUCK_STARTING)
		return;
	effect(model, MODEL_START_CONTAINER, pod);
	model_timer_set(model, pod, model->now_ms + delay_ms);
}

static void
comes_up(struct model *model, struct model_pod *pod)
{
	pod->status = MODEL_RUNNING;
	pod->up_ms = pod->started_ms = model->now_ms;
	pod->started_at = model_rfc3339(&model->arena, model->now_ms);
	pod->waits_for_container = false;
	switch (pod->stuck) {
	case MODEL_STUCK_EXITS:	/* the image does not start */
		pod->up_ms = -1;
		model_timer_set(model, pod,
		    model->now_ms + model->config.start_ms + 1000);
		return;
	case MODEL_STUCK_NO_PORTS:
		return;
	default:
		break;
	}
	model_pod_log_up(model, pod);
	if (!model->config.real_containers)
		model_map_ports(model, pod);
	pod->ports_at_ms = model->now_ms + model->config.ports_ms;
	/* Nothing happens then but that answers change. */
	model_timer_set(model, pod, pod->ports_at_ms);
}

void
model_pod_exits(struct model *model, struct model_pod *pod,
    enum model_actor actor, const char *words)
{
	model_pod_end_container(model, pod);
	model_release_gpus(model, pod);
	pod->status = MODEL_EXITED;
	model_money_pod(model, pod);
	model_pod_words(model, pod, words);
	model_record(model, MODEL_OP_STOP, actor, pod->id);
}

void
model_pod_timer(struct model *model, struct model_pod *pod)
{
	struct model_refusal why;

	switch (pod->status) {
	case MODEL_PROVISIONING:
		model_pod_begin_container(model, pod, model->config.start_ms);
		return;
	case MODEL_STARTING:
		if (model->config.real_containers && !pod->container_up)
			pod->waits_for_container = true;
		else
			comes_up(model, pod);
		return;
	case MODEL_RUNNING:
		if (pod->stuck == MODEL_STUCK_EXITS)
			model_pod_exits(model, pod, MODEL_BY_CLOUD,
			    "Exited by Runpod");
		return;
	case MODEL_EXITED:
		if (pod->taken)
			model_pod_terminate(model, pod, MODEL_BY_CLOUD, &why);
		return;
	default:
		return;
	}
}

/* No money is left: pods with a network volume are stopped, the others are
 * terminated and their data are lost. */
void
model_broke(struct model *model)
{
	struct model_refusal why;

	model->broke = true;
	for (size_t i = 0; i < model->pods.n; i++) {
		struct model_pod *pod = model->pods.items[i];
		if (pod->status == MODEL_TERMINATED)
			continue;
		if (pod->volume_id.len == 0)
			model_pod_terminate(model, pod, MODEL_BY_CLOUD, &why);
		else if (pod->status != MODEL_EXITED)
			model_pod_exits(model, pod, MODEL_BY_CLOUD,
			    "Exited by Runpod: Insufficient balance");
	}
}

void
model_container_up(struct model *model, int64_t now_ms, struct str id,
    int64_t start_number, struct str host, const uint16_t *outside,
    size_t noutside)
{
	struct model_pod *pod;

	model_advance(model, now_ms);
	pod = model_pod_living(model, id);
	if (pod == NULL || pod->start_number != start_number ||
	    pod->status != MODEL_STARTING || pod->container_up)
		return;
	pod->host = arena_str(&model->arena, host);
	for (size_t i = 0; i < pod->nports && i < noutside; i++)
		/* The proxy serves http ports; its own are of no use. */
		pod->ports[i].outside = pod->ports[i].tcp ? outside[i]
		    : (uint16_t)(60000 + i);
	pod->container_up = true;
	if (pod->waits_for_container)
		comes_up(model, pod);
}

void
model_container_down(struct model *model, int64_t now_ms, struct str id,
    int64_t start_number)
{
	struct model_pod *pod;

	model_advance(model, now_ms);
	pod = model_pod_living(model, id);
	if (pod == NULL || pod->start_number != start_number ||
	    (pod->status != MODEL_STARTING && pod->status != MODEL_RUNNING))
		return;
	model_pod_exits(model, pod, MODEL_BY_CLOUD, "Exited by Runpod");
}

bool
model_next_effect(struct model *model, struct model_effect *out)
{
	if (model->effects_done == model->effects.n) {
		model->effects.n = model->effects_done = 0;
		return false;
	}
	*out = model->effects.items[model->effects_done++];
	return true;
}

bool
model_banner(struct model *model, int64_t now_ms, struct str host,
    uint16_t port)
{
	model_advance(model, now_ms);
	for (size_t i = model->listed_from; i < model->pods.n; i++) {
		const struct model_pod *pod = model->pods.items[i];
		if (!str_eq(pod->host, host) ||
		    !model_ports_mapped(pod, model->now_ms))
			continue;
		for (size_t k = 0; k < pod->nports; k++)
			if (pod->ports[k].outside == port &&
			    pod->ports[k].inside == 22 && pod->ports[k].tcp)
				return true;
	}
	return false;
}
