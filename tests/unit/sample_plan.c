/* sample_plan.c - see sample_plan.h */
#include "sample_plan.h"

#include "base/mark.h"

#define LONG_IMAGE \
	"runpod/pytorch:2.4.0-py3.11-cuda12.4.1-devel-ubuntu22.04"

static struct plan_change *
add_change(struct arena *arena, struct plan *plan, enum plan_op op,
    enum plan_reason reason, const char *address, const char *name)
{
	struct plan_change *change = ARENA_PUSH(arena, &plan->changes);

	change->op = op;
	change->reason = reason;
	change->kind = KIND_POD;
	change->address = str_from(address);
	change->name = str_from(name);
	change->key = -1;
	change->undo = "none";
	return change;
}

static struct plan_attr *
add_attr(struct arena *arena, struct plan_change *change, const char *path,
    const char *before, const char *after)
{
	struct plan_attr *attr = ARENA_PUSH(arena, &change->attrs);

	attr->path = str_from(path);
	attr->before = str_from(before);
	attr->after = str_from(after);
	attr->edit = true;
	return attr;
}

static void
add_create(struct arena *arena, struct plan *plan)
{
	struct plan_change *change = add_change(arena, plan, PLAN_CREATE,
	    BECAUSE_NEW, "pod.trainer", "trainer");

	change->span = (struct span){ 1, 14, 3, 0, 7 };
	add_attr(arena, change, "image", NULL, "\"" LONG_IMAGE "\"");
	add_attr(arena, change, "gpu.type", NULL, "\"NVIDIA A40\"");
	add_attr(arena, change, "ports", NULL, "[\"22/tcp\",\"8188/http\"]");
	add_attr(arena, change, "env.MODE", NULL,
	    "\"a\\u001b[31m\xe2\x80\xae,b\"");
	add_attr(arena, change, "env.WANDB_KEY", NULL,
	    "\"${secret.WANDB_KEY}\"")->sensitive = true;
	add_attr(arena, change, "volume.id", NULL, NULL)->unknown = true;
	for (int i = 0; i < 2; i++)
		*ARENA_PUSH(arena, &change->candidates) = (struct candidate){
			.gpu = STR("NVIDIA A40"), .gpu_name = STR("A40"),
			.tier = TIER_SECURE,
			.data_center = i == 0 ? STR("EU-RO-1") :
			    STR("EU-SE-1"),
			.price_per_hour = 440000 + i * 50000,
			.stock = i == 0 ? STOCK_MEDIUM : STOCK_LOW,
		};
	change->after_per_hour = 440000;
	change->worst_per_hour = 490000;
	change->on_failure = ON_FAILURE_TERMINATE;
	change->undo = "terminate";
	*ARENA_PUSH(arena, &change->depends_on) = STR("volume.datasets");
}

static void
add_replace(struct arena *arena, struct plan *plan)
{
	struct plan_change *change = add_change(arena, plan, PLAN_REPLACE,
	    BECAUSE_CANNOT_UPDATE, "pod.fleet[1]", "fleet");
	struct cloud_pod *pod = ARENA_NEW(arena, struct cloud_pod);
	struct lock_entry *have = ARENA_NEW(arena, struct lock_entry);
	struct plan_attr *attr;

	pod->id = have->id = STR("k3x9qd0v7m1abc");
	pod->config.name = STR("fleet-1-pf1a2b3c0123456789");
	pod->config.data_center = STR("EU-RO-1");
	change->pod = pod;
	change->have = have;
	change->key = 1;
	change->span = (struct span){ 1, 31, 12, 0, 9 };
	attr = add_attr(arena, change, "gpu.type", "\"RTX A5000\"",
	    "\"RTX 4090\"");
	attr->effect = EFFECT_REPLACE;
	attr->forces_replacement = true;
	add_attr(arena, change, "image", "\"" LONG_IMAGE "\"",
	    "\"runpod/pytorch:2.5\"")->effect = EFFECT_RESTART;
	change->unchanged = 7;
	change->before_per_hour = 260000;
	change->after_per_hour = 690000;
	change->undo = "start";
	change->on_failure = ON_FAILURE_STOP;
	*ARENA_PUSH(arena, &change->dangers) = "data_loss";
	*ARENA_PUSH(arena, &change->dangers) = "gpu_not_guaranteed";
	*ARENA_PUSH(arena, &change->candidates) = (struct candidate){
		.gpu = STR("NVIDIA GeForce RTX 4090"),
		.gpu_name = STR("RTX 4090"), .tier = TIER_COMMUNITY,
		.price_per_hour = 690000, .stock = STOCK_HIGH,
	};
}

static void
add_others(struct arena *arena, struct plan *plan)
{
	struct plan_change *change;
	struct plan_attr *attr;

	change = add_change(arena, plan, PLAN_UPDATE, BECAUSE_DRIFT,
	    "pod.notebook", "notebook");
	change->restarts = true;
	change->unchanged = 1;
	change->undo = "update";
	change->span = (struct span){ 1, 40, 12, 0, 9 };
	attr = add_attr(arena, change, "env.KEY", "\"${secret.KEY}\"",
	    "\"${secret.KEY}\"");
	attr->sensitive = true;
	attr->effect = EFFECT_RESTART;
	attr = add_attr(arena, change, "env.OLD", "\"x\"", NULL);
	attr->effect = EFFECT_RESTART;
	attr->drift = true;
	*ARENA_PUSH(arena, &change->dangers) = "container_reset";

	change = add_change(arena, plan, PLAN_START, BECAUSE_DESIRED,
	    "pod.resting", "resting");
	change->after_per_hour = 440000;
	change->undo = "stop";
	change = add_change(arena, plan, PLAN_STOP, BECAUSE_DESIRED,
	    "pod.tired", "tired");
	change->before_per_hour = 440000;
	change->undo = "start";
	change = add_change(arena, plan, PLAN_DELETE, BECAUSE_NO_SPEC,
	    "volume.old", "old");
	change->kind = KIND_VOLUME;
	change = add_change(arena, plan, PLAN_FORGET, BECAUSE_LOST,
	    "pod.vanished", "vanished");
}

static void
add_surroundings(struct arena *arena, struct plan *plan)
{
	struct plan_drift *drift = ARENA_PUSH(arena, &plan->drift);
	struct lock_op *op = ARENA_NEW(arena, struct lock_op);
	struct plan_attr *attr;

	drift->address = STR("pod.resting");
	drift->stopped = true;
	drift->span = (struct span){ 1, 50, 3, 0, 7 };
	drift = ARENA_PUSH(arena, &plan->drift);
	drift->address = STR("pod.notebook");
	attr = ARENA_PUSH(arena, &drift->attrs);
	attr->path = STR("env.OLD");
	attr->after = STR("\"x\"");
	attr->drift = true;
	drift = ARENA_PUSH(arena, &plan->drift);
	drift->address = STR("pod.known");
	struct ack *ack = ARENA_NEW(arena, struct ack);
	ack->reason = STR("a test of the new image");
	ack->until = STR("2026-12-01T00:00:00Z");
	drift->ack = ack;

	op->action = OP_CREATE;
	op->address = STR("pod.trainer");
	id128_parse(STR("0123456789abcdef0123456789abcdef"), &op->op);
	ARENA_PUSH(arena, &plan->pending)->op = op;
	*ARENA_PUSH(arena, &plan->unmanaged) = (struct plan_unmanaged){
		.kind = KIND_POD, .id = STR("zzz111"),
		.name = STR("evil\033[2J"), .per_hour = 410000,
		.age_ms = 90000, .suspect = true };
	*ARENA_PUSH(arena, &plan->checks) = (struct plan_check){
		.id = "max_price", .status = CHECK_PASS };
	*ARENA_PUSH(arena, &plan->checks) = (struct plan_check){
		.id = "budget.hourly", .status = CHECK_FAIL,
		.message = STR("the plan costs $1.57/h and the budget is "
		    "$1.00/h"), .span = { 1, 3, 24, 0, 4 } };
	*ARENA_PUSH(arena, &plan->checks) = (struct plan_check){
		.id = "balance", .status = CHECK_WARN,
		.message = STR("the balance of $3.10 lasts 2 hours") };
}

struct plan *
sample_plan_full(struct arena *arena, struct sources *sources)
{
	struct plan *plan = ARENA_NEW(arena, struct plan);
	struct live *live = ARENA_NEW(arena, struct live);

	sources->arena = arena;
	sources_add(sources, STR("specs/train.yaml"), STR(""));
	live->wall_ms = SAMPLE_NOW_MS - 2000;
	live->account_known = live->account.balance_known = true;
	live->account.balance = 1000000000;
	plan->live = live;
	add_create(arena, plan);
	add_replace(arena, plan);
	add_others(arena, plan);
	add_surroundings(arena, plan);
	plan->cost = (struct plan_cost){ .before_per_hour = 700000,
		.after_per_hour = 1570000, .worst_per_hour = 1620000,
		.storage_per_hour = 9600, .unmanaged_per_hour = 410000,
		.unmanaged_pods = 1, .unmanaged_volumes = 2 };
	plan->summary = (struct plan_summary){ .add = 2, .change = 1,
		.destroy = 2, .start = 1, .stop = 1, .forget = 1 };
	return plan;
}

struct plan *
sample_plan_empty(struct arena *arena)
{
	struct plan *plan = ARENA_NEW(arena, struct plan);
	struct live *live = ARENA_NEW(arena, struct live);

	live->wall_ms = SAMPLE_NOW_MS;
	plan->live = live;
	plan->empty = true;
	plan->cost.before_per_hour = plan->cost.after_per_hour = 440000;
	plan->cost.worst_per_hour = 440000;
	return plan;
}
