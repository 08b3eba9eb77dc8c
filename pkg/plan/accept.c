/*
 * accept.c - --refresh-only: what is live becomes what is recorded.
 *
 * Nothing of the cloud changes.  Values of the environment are taken over
 * only where the record holds a plain one already: what was typed into a
 * console beside them may be a secret, and the record holds none.
 */
#include "plan/planner.h"

static const struct env_var *
live_var(const struct pod_config *live, struct str name)
{
	for (size_t i = 0; i < live->nenv; i++)
		if (str_eq(live->env[i].name, name))
			return &live->env[i];
	return NULL;
}

static void
accept_env(struct planner *p, const struct pod_config *live,
    struct pod_config *out)
{
	const struct env_var *recorded = out->env;
	size_t n = out->nenv;

	out->env = ARENA_ARRAY(p->arena, struct env_var, n);
	out->nenv = 0;
	for (size_t i = 0; i < n; i++) {
		struct env_var var = recorded[i];
		const struct env_var *now = live_var(live, var.name);
		if (now == NULL && !env_injected(var.name))
			continue;
		if (now != NULL && !var.sensitive &&
		    str_search(var.value, STR("${")) < 0)
			var.value = now->value;
		out->env[out->nenv++] = var;
	}
}

/* What the service does not report stays as it is recorded. */
static void
accept_config(struct planner *p, const struct pod_config *live,
    struct pod_config *out)
{
	out->name = live->name;
	out->image = live->image;
	out->args = live->args;
	out->disk_gb = live->disk_gb;
	out->ports = live->ports;
	out->nports = live->nports;
	out->volume_id = live->volume_id;
	out->volume_path = live->volume_path;
	if (live->gpu.len > 0)
		out->gpu = live->gpu;
	if (live->gpu_count > 0)
		out->gpu_count = live->gpu_count;
	if (live->tier != TIER_ANY)
		out->tier = live->tier;
	if (out->data_center.len > 0 && live->data_center.len > 0)
		out->data_center = live->data_center;
	if (out->persistent_gb > 0)
		out->persistent_gb = live->persistent_gb;
	accept_env(p, live, out);
}

void
accept_pod(struct planner *p, const struct lock_entry *have,
    const struct cloud_pod *pod, bool stopped)
{
	struct lock_entry *entry = ARENA_NEW(p->arena, struct lock_entry);

	*entry = *have;
	accept_config(p, &pod->config, &entry->pod);
	entry->stopped = stopped;
	if (!str_eq(entry->pod.gpu, have->pod.gpu))
		entry->gpu_name = gpu_name_of(p->live, entry->pod.gpu);
	keep_add(p, have, entry);
}

void
accept_volume(struct planner *p, const struct lock_entry *have,
    const struct cloud_volume *volume)
{
	struct lock_entry *entry = ARENA_NEW(p->arena, struct lock_entry);

	*entry = *have;
	entry->volume = *volume;
	keep_add(p, have, entry);
}
