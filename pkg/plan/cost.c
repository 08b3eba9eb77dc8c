/*
 * cost.c - dollars per hour, before and after.
 *
 * Money is in micro-dollars and -1 is a price that nobody knows; such a
 * price never counts as nothing (it is over any cap).  Monthly prices are
 * spread over a month of 730 hours.  Facts: container disks are part of
 * what a running pod costs; a network volume costs $0.07 per GB and month
 * up to 1 TB and $0.05 above; a host's volume disk $0.10 while its pod
 * runs and $0.20 while it is stopped.
 */
#include "base/json.h"
#include "base/units.h"
#include "plan/planner.h"

enum {
	VOLUME_GB_MONTH = 70000, VOLUME_GB_MONTH_ABOVE = 50000,
	VOLUME_STEP_GB = 1000,
	DISK_GB_MONTH = 100000, DISK_GB_MONTH_STOPPED = 200000,
};

static int64_t
hourly(int64_t per_month)
{
	return (per_month + HOURS_PER_MONTH / 2) / HOURS_PER_MONTH;
}

int64_t
price_volume(int64_t size_gb, bool high_performance)
{
	if (high_performance)
		return -1;	/* dearer, and not published */
	int64_t first = size_gb < VOLUME_STEP_GB ? size_gb : VOLUME_STEP_GB;
	return hourly(first * VOLUME_GB_MONTH +
	    (size_gb - first) * VOLUME_GB_MONTH_ABOVE);
}

int64_t
price_persistent_disk(int64_t size_gb, bool running)
{
	return hourly(size_gb * (running ? DISK_GB_MONTH :
	    DISK_GB_MONTH_STOPPED));
}

struct str
price_text(struct arena *arena, int64_t per_hour)
{
	struct strbuf out = {0};
	struct json_writer w = { .out = &out };

	if (per_hour < 0)
		return (struct str){0};
	json_put_usd(&w, per_hour);
	struct str text = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return text;
}

static bool
pod_runs(const struct cloud_pod *pod)
{
	return pod->status != POD_EXITED;
}

/* A pod that is still starting may be listed at $0: then what it was to
 * cost counts. */
int64_t
cost_of_pod(const struct lock_entry *have, const struct cloud_pod *pod)
{
	if (pod == NULL || !pod_runs(pod))
		return 0;
	/* A price that the service leaves out is unknown, and so over any
	 * cap, whatever it was once. */
	if (!pod->cost_known)
		return -1;
	if (pod->cost_per_hour > 0)
		return pod->cost_per_hour;
	if (have != NULL && have->price_per_hour > 0)
		return have->price_per_hour;
	return pod->status == POD_RUNNING ? 0 : -1;
}

static void
add(struct plan_cost *cost, int64_t *sum, int64_t price)
{
	if (price < 0)
		cost->unknown = true;
	else
		*sum += price;
}

void
cost_disk(struct planner *p, const struct pod_config *config, bool running)
{
	p->plan->cost.storage_per_hour += price_persistent_disk(
	    config->persistent_gb, running);
}

void
cost_stays(struct planner *p, const struct lock_entry *have,
    const struct cloud_pod *pod)
{
	struct plan_cost *cost = &p->plan->cost;
	int64_t price = cost_of_pod(have, pod);
	add(cost, &cost->before_per_hour, price);
	add(cost, &cost->after_per_hour, price);
	add(cost, &cost->worst_per_hour, price);
	cost_disk(p, &have->pod, pod_runs(pod));
}

void
cost_volume(struct planner *p, const struct cloud_volume *volume)
{
	struct plan_cost *cost = &p->plan->cost;
	add(cost, &cost->storage_per_hour, price_volume(volume->size_gb,
	    volume->high_performance));
}

/* What a pod that starts will cost: as listed, as recorded, as offered. */
static int64_t
start_price(const struct planner *p, const struct plan_change *change)
{
	const struct lock_entry *have = change->have;
	const struct live *live = p->live;

	if (have->price_per_hour > 0)
		return have->price_per_hour;
	for (size_t i = 0; live->catalog_known && i < live->ngpus; i++) {
		const struct gpu_type *gpu = &live->gpus[i];
		int64_t price = have->pod.tier == TIER_COMMUNITY ?
		    gpu->community_price : gpu->secure_price;
		if (str_eq(gpu->id, have->pod.gpu))
			return price < 0 ? -1 : price * have->pod.gpu_count;
	}
	return -1;
}

static void
price_candidates(struct plan_change *change)
{
	change->after_per_hour = change->worst_per_hour = -1;
	for (size_t i = 0; i < change->candidates.n; i++) {
		int64_t price = change->candidates.items[i].price_per_hour;
		if (i == 0)
			change->after_per_hour = price;
		if (price < 0)
			change->price_unknown = true;
		else if (price > change->worst_per_hour)
			change->worst_per_hour = price;
	}
	change->price_unknown |= change->after_per_hour < 0;
}

static void
price_pod(struct planner *p, struct plan_change *change)
{
	change->before_per_hour = change->gone ? 0 :
	    cost_of_pod(change->have, change->pod);
	change->after_per_hour = change->before_per_hour;
	if (change->op == PLAN_DELETE || change->op == PLAN_FORGET ||
	    change->op == PLAN_STOP || change->stop)
		change->after_per_hour = 0;
	else if (change->op == PLAN_START || change->start)
		change->after_per_hour = start_price(p, change);
	if (change->op == PLAN_CREATE || change->op == PLAN_REPLACE)
		price_candidates(change);
	else {
		change->worst_per_hour = change->after_per_hour;
		change->price_unknown = change->after_per_hour < 0;
	}
	if (change->op != PLAN_DELETE && change->op != PLAN_FORGET)
		cost_disk(p, &change->config, change->op != PLAN_STOP);
}

static void
price_change(struct planner *p, struct plan_change *change)
{
	struct plan_cost *cost = &p->plan->cost;

	if (change->kind == KIND_VOLUME) {
		if (change->op != PLAN_DELETE && change->op != PLAN_FORGET)
			cost_volume(p, &change->volume_config);
		return;
	}
	if (change->kind != KIND_POD)
		return;
	price_pod(p, change);
	add(cost, &cost->before_per_hour, change->before_per_hour);
	add(cost, &cost->after_per_hour, change->after_per_hour);
	add(cost, &cost->worst_per_hour, change->worst_per_hour);
	cost->unknown |= change->price_unknown;
}

void
cost_make(struct planner *p)
{
	struct plan *plan = p->plan;
	struct plan_cost *cost = &plan->cost;

	for (size_t i = 0; i < plan->changes.n; i++)
		price_change(p, &plan->changes.items[i]);
	for (size_t i = 0; i < plan->unmanaged.n; i++) {
		const struct plan_unmanaged *thing = &plan->unmanaged.items[i];
		if (thing->kind == KIND_POD)
			cost->unmanaged_pods++;
		else
			cost->unmanaged_volumes++;
		if (thing->per_hour > 0)
			cost->unmanaged_per_hour += thing->per_hour;
	}
}
