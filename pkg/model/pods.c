/* pods.c - operations on pods: create, start, stop, restart, terminate. */
#include "model/private.h"

static struct model_volume *
volume_wanted(struct model *model, const struct model_create *want,
    struct model_refusal *why)
{
	struct model_volume *volume =
	    model_volume_living(model, want->volume_id);

	if (volume == NULL) {
		model_refuse(why, MODEL_NOT_FOUND,
		    "network volume not found");
		return NULL;
	}
	if (want->community && !want->any_cloud) {
		model_refuse(why, MODEL_RULE,
		    "network volumes require secure cloud");
		return NULL;
	}
	for (size_t i = 0; i < want->nplaces; i++)
		if (str_is(want->places[i], volume->place->id))
			return volume;
	if (want->nplaces == 0)
		return volume;
	model_refuse(why, MODEL_RULE,
	    "network volume and pod must be in the same data center");
	return NULL;
}

/* Rules that do not depend on what is free. */
static bool
check_create(const struct model_create *want, const struct model_gpu *gpu,
    struct model_refusal *why)
{
	for (size_t i = 0; i < want->nplaces; i++)
		if (model_place_find(want->places[i]) == NULL)
			return model_refuse(why, MODEL_RULE,
			    "unknown data center in dataCenterIds");
	if (want->gpu.len > 0 && gpu == NULL)
		return model_refuse(why, MODEL_RULE, "GPU type not found");
	if (gpu != NULL && want->gpu_count > (want->community
	    ? gpu->max_community : gpu->max_secure) && !want->any_cloud)
		return model_refuse(why, MODEL_CAPACITY,
		    "create pod: could not find any pods with required "
		    "specifications");
	if (want->global_network && (gpu == NULL ||
	    !str_starts(str_from(gpu->id), STR("NVIDIA"))))
		return model_refuse(why, MODEL_RULE,
		    "global networking requires an NVIDIA GPU");
	return true;
}

static int64_t
hourly(const struct model *model, const struct model_create *want,
    const struct model_gpu *gpu, const struct model_cpu *cpu, bool community)
{
	if (gpu != NULL)
		return model_price(model, gpu, community) * want->gpu_count;
	return cpu->price * want->vcpu;
}

static bool
check_money(struct model *model, int64_t rate, struct model_refusal *why)
{
	model_money_settle(model);
	if (model->paid_in - model->spent < rate)
		return model_refuse(why, MODEL_FUNDS,
		    "Your account balance is too low to rent a pod");
	if (model->config.spend_limit > 0 &&
	    model->rate + rate > model->config.spend_limit)
		return model_refuse(why, MODEL_FUNDS,
		    "Your account has reached its spend limit per hour");
	return true;
}

/* What the host adds to the environment at creation, once and for all. */
static void
inject_env(struct model *model, struct model_pod *pod)
{
	struct model_env *env;
	struct str keys = {0};

	for (size_t i = 0; i < model->ssh_keys.n; i++)
		keys = keys.len == 0 ? model->ssh_keys.items[i]
		    : arena_printf(&model->arena, STR_FMT "\n" STR_FMT,
		    STR_ARG(keys), STR_ARG(model->ssh_keys.items[i]));
	env = ARENA_ARRAY(&model->arena, struct model_env, pod->nenv + 2);
	for (size_t i = 0; i < pod->nenv; i++)
		env[i] = pod->env[i];
	if (pod->start_ssh && keys.len > 0 &&
	    model_pod_env(pod, "PUBLIC_KEY").data == NULL)
		env[pod->nenv++] = (struct model_env){ STR("PUBLIC_KEY"),
			keys };
	if (pod->start_jupyter &&
	    model_pod_env(pod, "JUPYTER_PASSWORD").data == NULL)
		env[pod->nenv++] = (struct model_env){
			STR("JUPYTER_PASSWORD"), model_random_id(model, 20) };
	pod->env = env;
}

static void
copy_wishes(struct model *model, struct model_pod *pod,
    const struct model_create *want)
{
	struct arena *arena = &model->arena;

	pod->name = pod->asked_name = arena_str(arena, want->name);
	pod->image = arena_str(arena, want->image);
	pod->args = arena_str(arena, want->args);
	pod->registry = arena_str(arena, want->registry);
	pod->disk_gb = want->disk_gb;
	pod->persistent_gb = want->persistent_gb;
	pod->persistent_path = arena_str(arena, want->persistent_path);
	pod->volume_id = arena_str(arena, want->volume_id);
	pod->volume_path = arena_str(arena, want->volume_path);
	pod->start_ssh = want->start_ssh;
	pod->start_jupyter = want->start_jupyter;
	model_copy_ports(model, pod, want->ports, want->nports);
	pod->env = model_copy_env(model, want->env, want->nenv);
	pod->nenv = want->nenv;
	pod->asked_env = pod->env;
	pod->nasked_env = want->nenv;
	inject_env(model, pod);
}

/* An address of the loopback network, so that nobody else is ever reached by
 * mistake. */
static void
give_address(struct model *model, struct model_pod *pod, uint64_t a,
    uint64_t b)
{
	pod->host = arena_printf(&model->arena, "127.%d.%d.%d",
	    (int)(100 + (pod->place - model_places)), (int)a, (int)b);
}

static void
settle_machine(struct model *model, struct model_pod *pod)
{
	uint64_t a = model_random_below(&model->rng, 256);
	uint64_t b = 1 + model_random_below(&model->rng, 254);

	pod->machine_id = model_random_id(model, 12);
	struct str random = model_random_hex(model, 8);
	pod->host_id = arena_printf(&model->arena, STR_FMT "-" STR_FMT,
	    STR_ARG(pod->id), STR_ARG(random));
	give_address(model, pod, a, b);
	if (pod->gpu != NULL)
		pod->cuda = str_from(model_host_cuda(pod->gpu, pod->place));
}

struct model_pod *
model_pod_new(struct model *model, const struct model_create *want,
    const struct model_offer *offer)
{
	struct model_pod *pod = ARENA_NEW(&model->arena, struct model_pod);
	const struct model_gpu *gpu = model_gpu_find(want->gpu);
	const struct model_cpu *cpu = model_cpu_find(want->cpu);

	*ARENA_PUSH(&model->arena, &model->pods) = pod;
	pod->number = model->pods.n;
	pod->id = model_random_id(model, 14);
	pod->gpu = gpu;
	pod->gpu_count = gpu != NULL ? want->gpu_count : 0;
	pod->cpu_id = arena_str(&model->arena, want->cpu);
	pod->vcpu = gpu != NULL ? gpu->vcpu * want->gpu_count : want->vcpu;
	pod->memory_gb = gpu != NULL ? gpu->ram_gb * want->gpu_count
	    : cpu->ram_per_vcpu * want->vcpu;
	pod->community = offer->community;
	pod->place = offer->place;
	copy_wishes(model, pod, want);
	settle_machine(model, pod);
	if (want->global_network)
		pod->internal_ip = arena_printf(&model->arena, "10.%d.%d.%d",
		    (int)(pod->number >> 16 & 255), (int)(pod->number >> 8 &
		    255), (int)(pod->number & 255));
	pod->compute_rate = hourly(model, want, gpu, cpu, offer->community);
	pod->created_ms = model->now_ms;
	pod->created_at = model_rfc3339(&model->arena, model->now_ms);
	pod->ended_ms = pod->started_ms = pod->up_ms = pod->ports_at_ms = -1;
	pod->timer_ms = -1;
	pod->stuck = model->force_stuck;
	pod->early_running = model_random_below(&model->rng, 1000) <
	    model->config.early_running_per_mille;
	map_put(&model->pods_by_id, &model->arena, pod->id, pod);
	return pod;
}

struct model_pod *
model_pod_create(struct model *model, const struct model_create *want,
    struct model_refusal *why)
{
	const struct model_gpu *gpu = model_gpu_find(want->gpu);
	const struct model_cpu *cpu = model_cpu_find(want->cpu);
	const struct model_volume *volume = NULL;
	struct model_offer offer;
	struct model_pod *pod;

	*why = (struct model_refusal){0};
	if (!check_create(want, gpu, why))
		return NULL;
	if (gpu == NULL && cpu == NULL) {
		model_refuse(why, MODEL_RULE, "CPU flavor not found");
		return NULL;
	}
	if (want->volume_id.len > 0 &&
	    (volume = volume_wanted(model, want, why)) == NULL)
		return NULL;
	if (!model_place_pod(model, want, gpu, volume, &offer, why))
		return NULL;
	if (want->disk_gb == 0) {
		/* Live: said only after a machine was found. */
		model_refuse(why, MODEL_RULE, "You must either provide a "
		    "template id or pod configuration parameters");
		return NULL;
	}
	if (!check_money(model, hourly(model, want, gpu, cpu,
	    offer.community), why))
		return NULL;
	pod = model_pod_new(model, want, &offer);
	model_take_gpus(model, pod);
	model_money_pod(model, pod);
	model_pod_words(model, pod, "Rented by User");
	model_record(model, MODEL_OP_CREATE, MODEL_BY_API, pod->id);
	if (pod->stuck != MODEL_STUCK_PROVISIONING)
		model_timer_set(model, pod,
		    model->now_ms + model->config.provision_ms);
	return pod;
}

static bool
unlocked(const struct model_pod *pod, enum model_actor actor,
    struct model_refusal *why)
{
	if (pod->locked && actor == MODEL_BY_API)
		return model_refuse(why, MODEL_STATE, "pod is locked");
	return true;
}

bool
model_pod_stop(struct model *model, struct model_pod *pod,
    enum model_actor actor, struct model_refusal *why)
{
	if (!unlocked(pod, actor, why))
		return false;
	if (pod->status != MODEL_RUNNING && pod->status != MODEL_STARTING &&
	    pod->status != MODEL_PROVISIONING)
		return model_refuse(why, MODEL_STATE,
		    "action 'stop' is not valid for the pod's status");
	model_pod_exits(model, pod, actor, actor == MODEL_BY_CLOUD
	    ? "Exited by RunPod" : "Exited by user");
	return true;
}

bool
model_pod_start(struct model *model, struct model_pod *pod,
    enum model_actor actor, struct model_refusal *why)
{
	if (pod->status != MODEL_EXITED && pod->status != MODEL_ERROR)
		return model_refuse(why, MODEL_STATE,
		    "action 'start' is not valid for the pod's status");
	/* The same machine, or nothing. */
	if (pod->gpu != NULL && (model->force_no_stock || model_stock(model,
	    pod->gpu, pod->place, pod->community, pod->gpu_count) == 0))
		return model_refuse(why, MODEL_HOST_FULL,
		    "not enough free GPUs on the host machine");
	if (!check_money(model, pod->compute_rate, why))
		return false;
	pod->stuck = model->force_stuck == MODEL_STUCK_PROVISIONING
	    ? MODEL_STUCK_STARTING : model->force_stuck;
	model_take_gpus(model, pod);
	pod->started_ms = -1;
	pod->started_at = (struct str){0};
	if (model->faults.moves) {
		/* One after the other: compilers differ in the order. */
		uint64_t a = model_random_below(&model->fault_rng, 256);
		uint64_t b = 1 + model_random_below(&model->fault_rng, 254);
		give_address(model, pod, a, b);
	}
	model_pod_begin_container(model, pod, model->config.start_ms);
	model_money_pod(model, pod);
	model_pod_words(model, pod, "Resumed by User");
	model_record(model, MODEL_OP_START, actor, pod->id);
	return true;
}

/* A new container on the same machine, after the old one was ended: disk
 * wiped, ports new.  The service goes on saying RUNNING; only runtime is
 * null. */
void
model_pod_begin_again(struct model *model, struct model_pod *pod)
{
	pod->early_running = true;
	model_pod_begin_container(model, pod, model->config.start_ms);
}

bool
model_pod_restart(struct model *model, struct model_pod *pod,
    enum model_actor actor, struct model_refusal *why)
{
	if (!unlocked(pod, actor, why))
		return false;
	if (pod->status != MODEL_RUNNING)
		return model_refuse(why, MODEL_STATE,
		    "action 'restart' is not valid for the pod's status");
	model_pod_end_container(model, pod);
	model_pod_begin_again(model, pod);
	model_record(model, MODEL_OP_RESTART, actor, pod->id);
	return true;
}

bool
model_pod_terminate(struct model *model, struct model_pod *pod,
    enum model_actor actor, struct model_refusal *why)
{
	if (pod->status == MODEL_TERMINATED)
		return model_refuse(why, MODEL_NOT_FOUND,
		    "resource not found");
	if (!unlocked(pod, actor, why))
		return false;
	pod->before_end = pod->status;
	model_pod_end_container(model, pod);
	model_release_gpus(model, pod);
	pod->status = MODEL_TERMINATED;
	pod->ended_ms = model->now_ms;
	model_money_pod(model, pod);
	model_pod_words(model, pod, actor == MODEL_BY_CLOUD
	    ? "Terminated by RunPod" : "Terminated by user");
	model_record(model, MODEL_OP_TERMINATE, actor, pod->id);
	return true;
}

struct model_pod *
model_pod_shown(struct model *model, struct str id)
{
	struct model_pod *pod = map_get(&model->pods_by_id, id);

	if (pod == NULL || pod->ended_ms < 0 || model->now_ms <
	    pod->ended_ms + model->config.terminated_ms)
		return pod;
	return NULL;
}

struct model_pod *
model_pod_living(struct model *model, struct str id)
{
	struct model_pod *pod = map_get(&model->pods_by_id, id);

	return pod != NULL && pod->ended_ms < 0 ? pod : NULL;
}
