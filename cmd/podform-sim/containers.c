/*
 * containers.c - see containers.h: the model's orders, carried out.
 *
 * Orders are copied while the lock is held and carried out after it is let
 * go, since starting a sandbox takes milliseconds.
 */
#include "containers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "cmd/podform-sim/sandbox.h"
#include "disks.h"
#include "listeners.h"
#include "model/catalog.h"
#include "model/github.h"

/* How often sandboxes are looked at: while one begins or ends, and else. */
enum { BUSY_MS = 10, QUIET_MS = 500, START_MAX_MS = 30 * 1000 };

/* Ports of a pod that are told of; RunPod allows fewer. */
enum { PORTS_MAX = 64 };

struct container {
	struct str pod_id;		/* the model's */
	int64_t start_number;
	uint16_t ports[PORTS_MAX];	/* tcp ports inside; 0 for http */
	size_t nports;
	bool has_ssh;			/* 22 is among them */
	int64_t begun_ms;		/* monotonic */
	int listener;			/* -1: none */
	struct sandbox *sandbox;	/* NULL: none */
	bool up, stopping;
	size_t told;			/* bytes of its log the model has */
	struct container *next;
};

struct sim_containers {
	struct sim *sim;
	struct container *list;
	struct listeners *listeners;	/* NULL with sandboxes */
	struct disks *disks;		/* of sandboxes; NULL: none */
};

/* What one effect of the model asks for. */
struct order {
	bool start;
	struct str pod_id;
	int64_t start_number;
	uint16_t ports[PORTS_MAX];
	size_t nports;
	bool has_ssh;
	struct sandbox_config config;
};

struct sim_containers *
containers_new(struct sim *sim)
{
	struct sim_containers *containers = calloc(1, sizeof *containers);
	char why[200];

	if (containers == NULL)
		fail_out_of_memory();
	containers->sim = sim;
	if (sim->options->pods == SIM_PODS_TCP) {
		containers->listeners = listeners_new();
	} else if (!sandbox_usable(why, sizeof why)) {
		fprintf(stderr, "podform-sim: cannot make sandboxes here: %s; "
		    "--pods tcp works everywhere\n", why);
		free(containers);
		return NULL;
	} else if ((containers->disks = disks_new()) == NULL) {
		perror("podform-sim: files of volumes are not kept");
	}
	return containers;
}

int
containers_fd(const struct sim_containers *containers)
{
	return containers->listeners == NULL ? -1
	    : listeners_fd(containers->listeners);
}

static void
end_container(struct container *container)
{
	if (container->listener >= 0)
		close(container->listener);
	sandbox_free(container->sandbox);
	free(container);
}

void
containers_free(struct sim_containers *containers)
{
	if (containers == NULL)
		return;
	/* All at once first, so that they end side by side. */
	for (struct container *c = containers->list; c != NULL; c = c->next)
		if (c->sandbox != NULL)
			sandbox_stop(c->sandbox, sim_mono_ms());
	while (containers->list != NULL) {
		struct container *first = containers->list;
		containers->list = first->next;
		end_container(first);
	}
	listeners_free(containers->listeners);
	disks_free(containers->disks);
	free(containers);
}

/* -------------------------------------------------------------- orders -- */

/* What RunPod adds to the environment of every container. */
static size_t
injected(struct arena *arena, const struct model_pod *pod, const char **env)
{
	size_t n = 0;

#define ADD(...) (env[n++] = arena_printf(arena, __VA_ARGS__).data)
	ADD("RUNPOD_POD_ID=" STR_FMT, STR_ARG(pod->id));
	ADD("RUNPOD_POD_HOSTNAME=" STR_FMT, STR_ARG(pod->host_id));
	ADD("RUNPOD_DC_ID=%s", pod->place->id);
	ADD("RUNPOD_GPU_COUNT=%lld", (long long)pod->gpu_count);
	ADD("RUNPOD_CPU_COUNT=%lld", (long long)pod->vcpu);
	ADD("RUNPOD_MEM_GB=%lld", (long long)pod->memory_gb);
	ADD("RUNPOD_PUBLIC_IP=127.0.0.1");
	if (pod->gpu != NULL)
		ADD("RUNPOD_GPU_NAME=%s", pod->gpu->name);
	if (pod->volume_id.len > 0)
		ADD("RUNPOD_VOLUME_ID=" STR_FMT, STR_ARG(pod->volume_id));
	if (pod->cuda.len > 0)
		ADD("CUDA_VERSION=" STR_FMT, STR_ARG(pod->cuda));
	for (size_t i = 0; i < pod->nports; i++)
		if (pod->ports[i].tcp && pod->ports[i].inside <= 65535)
			ADD("RUNPOD_TCP_PORT_%u=%u",
			    (unsigned)pod->ports[i].inside,
			    (unsigned)pod->ports[i].inside);
#undef ADD
	return n;
}

static void
fill_config(struct disks *disks, struct arena *arena,
    const struct model_pod *pod, struct sandbox_config *config)
{
	const char **env = ARENA_ARRAY(arena, const char *,
	    pod->nenv + pod->nports + 10);
	size_t n = injected(arena, pod, env);
	struct str path = pod->volume_id.len > 0 ? pod->volume_path
	    : pod->persistent_path;

	for (size_t i = 0; i < pod->nenv; i++)
		env[n++] = arena_printf(arena, STR_FMT "=" STR_FMT,
		    STR_ARG(pod->env[i].name),
		    STR_ARG(pod->env[i].value)).data;
	*config = (struct sandbox_config){
		.pod_id = arena_cstr(arena, pod->id),
		.env = env, .nenv = n,
		.args = pod->args.len > 0 ? arena_cstr(arena, pod->args)
		    : NULL,
		.volume_path = path.len > 0 ? arena_cstr(arena, path) : NULL,
	};
	if (path.len > 0)
		config->volume_source = disks_find(disks, arena,
		    pod->volume_id.len > 0 ? pod->volume_id : pod->id);
	if (pod->gpu == NULL)
		return;
	config->gpu_name = pod->gpu->id;
	config->gpu_count = (int)pod->gpu_count;
	config->gpu_memory_gb = pod->gpu->memory_gb;
}

static void
read_order(struct sim_containers *containers, struct arena *arena,
    const struct model_effect *effect, struct order *order)
{
	const struct model_pod *pod = effect->pod;

	*order = (struct order){
		.start = effect->type == MODEL_START_CONTAINER,
		.pod_id = pod->id, .start_number = effect->start_number,
		.nports = pod->nports < PORTS_MAX ? pod->nports : PORTS_MAX,
	};
	for (size_t i = 0; i < order->nports; i++)
		if (pod->ports[i].tcp && pod->ports[i].inside <= 65535) {
			order->ports[i] = (uint16_t)pod->ports[i].inside;
			order->has_ssh |= pod->ports[i].inside == 22;
		}
	if (order->start && containers->listeners == NULL)
		fill_config(containers->disks, arena, pod, &order->config);
}

/* ---------------------------------------------------------- containers -- */

/*
 * Port 22 is found at `ssh`.  A sandbox shares our network, so its other
 * ports are the same outside; a pod that only greets has no others.
 */
static void
report_up(struct sim *sim, struct container *container, uint16_t ssh)
{
	uint16_t outside[PORTS_MAX] = {0};

	for (size_t i = 0; i < container->nports; i++)
		if (container->ports[i] == 22)
			outside[i] = ssh;
		else if (container->sandbox != NULL)
			outside[i] = container->ports[i];
	container->up = true;
	pthread_mutex_lock(&sim->lock);
	model_container_up(sim->model, sim_now(sim), container->pod_id,
	    container->start_number, STR("127.0.0.1"), outside,
	    container->nports);
	pthread_mutex_unlock(&sim->lock);
}

/* What a pod printed is a stranger's text. */
static void
tell_why(const struct container *container)
{
	struct strbuf text = {0};

	if (container->up || container->sandbox == NULL)
		return;
	strbuf_add_escaped(&text, str_trim(str_sub(
	    sandbox_log(container->sandbox), 0, 400)));
	fprintf(stderr, "podform-sim: pod " STR_FMT " did not start: "
	    STR_FMT "\n", STR_ARG(container->pod_id),
	    STR_ARG(strbuf_str(&text)));
	strbuf_release(&text);
}

static void
report_down(struct sim *sim, const struct container *container)
{
	tell_why(container);
	pthread_mutex_lock(&sim->lock);
	model_container_down(sim->model, sim_now(sim), container->pod_id,
	    container->start_number);
	hub_pod_ended(sim->hub, sim_now(sim), container->pod_id);
	pthread_mutex_unlock(&sim->lock);
}

static void
start(struct sim_containers *containers, const struct order *order)
{
	struct container *container = calloc(1, sizeof *container);
	struct sim *sim = containers->sim;
	uint16_t port = 0;

	if (container == NULL)
		fail_out_of_memory();
	*container = (struct container){
		.pod_id = order->pod_id,
		.start_number = order->start_number,
		.nports = order->nports, .has_ssh = order->has_ssh,
		.begun_ms = sim_mono_ms(), .listener = -1,
		.next = containers->list,
	};
	memcpy(container->ports, order->ports, sizeof container->ports);
	containers->list = container;
	if (containers->listeners == NULL) {
		container->sandbox = sandbox_start(&order->config);
		if (container->sandbox == NULL)
			report_down(sim, container);
		return;
	}
	if (order->has_ssh && (container->listener = listeners_open(
	    containers->listeners, &port)) < 0)
		report_down(sim, container);
	else
		report_up(sim, container, port);
}

static void
stop(struct sim_containers *containers, const struct order *order)
{
	struct container **at = &containers->list, *container;

	while ((container = *at) != NULL &&
	    (!str_eq(container->pod_id, order->pod_id) ||
	    container->start_number != order->start_number))
		at = &container->next;
	if (container == NULL)
		return;
	if (container->sandbox != NULL) {
		container->stopping = true;
		sandbox_stop(container->sandbox, sim_mono_ms());
		return;
	}
	*at = container->next;
	end_container(container);
}

/* Give the model the whole lines that a sandbox has printed since; all of
 * it at the end. */
static void
pass_log(struct sim *sim, struct container *container, bool end)
{
	struct str log = str_sub(sandbox_log(container->sandbox),
	    container->told, SANDBOX_LOG_MAX);
	ptrdiff_t last = str_rfind(log, '\n');

	if (!end)
		log = str_sub(log, 0, (size_t)(last + 1));
	if (log.len == 0)
		return;
	container->told += log.len;
	pthread_mutex_lock(&sim->lock);
	model_container_print(sim->model, sim_now(sim), container->pod_id,
	    log);
	pthread_mutex_unlock(&sim->lock);
}

/* Look after the sandboxes; are some beginning or ending? */
static bool
poll_sandboxes(struct sim_containers *containers)
{
	struct container **at = &containers->list, *container;
	bool busy = false;

	while ((container = *at) != NULL) {
		enum sandbox_state state = container->sandbox == NULL
		    ? SANDBOX_GONE
		    : sandbox_poll(container->sandbox, sim_mono_ms());
		if (container->sandbox != NULL)
			pass_log(containers->sim, container,
			    state == SANDBOX_GONE);
		if (state == SANDBOX_READY && !container->up)
			report_up(containers->sim, container,
			    sandbox_port(container->sandbox));
		if (state == SANDBOX_STARTING &&
		    sim_mono_ms() > container->begun_ms + START_MAX_MS)
			sandbox_stop(container->sandbox, sim_mono_ms());
		busy |= state == SANDBOX_STARTING ||
		    state == SANDBOX_STOPPING;
		if (state != SANDBOX_GONE) {
			at = &container->next;
			continue;
		}
		if (!container->stopping)
			report_down(containers->sim, container);
		*at = container->next;
		end_container(container);
	}
	return busy;
}

int64_t
containers_turn(struct sim_containers *containers)
{
	struct sim *sim = containers->sim;
	VEC_OF(struct order) orders = {0};
	struct arena arena = {0};
	struct model_effect effect;
	int64_t next, look = -1;

	pthread_mutex_lock(&sim->lock);
	model_advance(sim->model, sim_now(sim));
	while (model_next_effect(sim->model, &effect)) {
		read_order(containers, &arena, &effect,
		    ARENA_PUSH(&arena, &orders));
		if (effect.type == MODEL_STOP_CONTAINER)
			hub_pod_ended(sim->hub, sim_now(sim), effect.pod->id);
	}
	pthread_mutex_unlock(&sim->lock);
	for (size_t i = 0; i < orders.n; i++)
		(orders.items[i].start ? start : stop)(containers,
		    &orders.items[i]);
	arena_release(&arena);
	if (containers->listeners != NULL)
		listeners_turn(containers->listeners);
	else if (containers->list != NULL)
		look = poll_sandboxes(containers) ? BUSY_MS : QUIET_MS;
	pthread_mutex_lock(&sim->lock);
	next = model_next_event(sim->model);
	if (next >= 0) {
		next -= sim_now(sim);
		next = next < 0 ? 0 : next / sim->clock.speed + 1;
	}
	pthread_mutex_unlock(&sim->lock);
	return next < 0 || (look >= 0 && look < next) ? look : next;
}
