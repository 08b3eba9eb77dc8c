/* model.c - see model.h: set-up and the passing of time. */
#include "model/private.h"

#include <stdlib.h>

void
model_config_default(struct model_config *config)
{
	*config = (struct model_config){
		.seed = 1,
		.key = "rpa_sim",
		.provision_ms = 400,
		.start_ms = 1200,
		.ports_ms = 200,
		.terminated_ms = 20 * 1000,
		.balance = INT64_C(1000) * 1000000,
		.spend_limit = INT64_C(10000) * 1000000,
		.early_running_per_mille = 250,
		.rate_limit = true,
		.quota_minute = 600,
		.quota_hour = 20000,
		.quota_day = 300000,
	};
}

static void
fill_stock(struct model *model)
{
	struct arena *arena = &model->arena;

	model->stock = ARENA_ARRAY(arena, int64_t,
	    model_ngpus * model_nplaces * 2);
	model->price = ARENA_ARRAY(arena, int64_t, model_ngpus * 2);
	model->capacity = ARENA_ARRAY(arena, int64_t, model_ngpus);
	model->held = ARENA_ARRAY(arena, int64_t, model_ngpus);
	for (size_t g = 0; g < model_ngpus; g++) {
		model->price[g * 2] = model->price[g * 2 + 1] = -1;
		model->capacity[g] = -1;
		for (size_t i = 0; i < model_nplaces * 2; i++)
			model->stock[g * model_nplaces * 2 + i] =
			    model_initial_stock(&model_gpus[g],
			    &model_places[i / 2], i % 2 == 1);
	}
}

struct model *
model_new(const struct model_config *config, int64_t now_ms)
{
	struct model *model = calloc(1, sizeof *model);

	if (model == NULL)
		fail_out_of_memory();
	model->config = *config;
	model->config.key = arena_cstr(&model->arena, str_from(config->key));
	model->now_ms = model->born_ms = model->money_ms = now_ms;
	model->paid_in = config->balance;
	model_rng_seed(&model->rng, config->seed);
	model_rng_seed(&model->fault_rng, config->seed ^ 0xfa017u);
	fill_stock(model);
	model_official_templates(model);
	return model;
}

void
model_free(struct model *model)
{
	if (model == NULL)
		return;
	arena_release(&model->arena);
	free(model);
}

static int64_t
soonest(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

int64_t
model_next_event(const struct model *model)
{
	/* Dropping dead timers changes nothing that can be seen. */
	struct model *inside = (struct model *)(uintptr_t)model;
	int64_t next = soonest(model_timer_next(inside),
	    model_pending_next(model));

	return soonest(next, model_money_empty_at(model));
}

void
model_advance(struct model *model, int64_t now_ms)
{
	struct model_pod *pod;
	int64_t next;

	while ((next = model_next_event(model)) >= 0 && next <= now_ms) {
		if (next > model->now_ms)
			model->now_ms = next;
		if (model_pending_next(model) == next)
			model_pending_run(model);
		else if ((pod = model_timer_take(model, next)) != NULL)
			model_pod_timer(model, pod);
		else
			model_broke(model);
	}
	if (now_ms > model->now_ms)
		model->now_ms = now_ms;
}

void
model_set_key_revoked(struct model *model, bool revoked)
{
	model->key_revoked = revoked;
}

void
model_set_pace(struct model *model, int64_t provision_ms, int64_t start_ms,
    int64_t ports_ms)
{
	model->config.provision_ms = provision_ms;
	model->config.start_ms = start_ms;
	model->config.ports_ms = ports_ms;
}

void
model_set_latency(struct model *model, int64_t latency_ms)
{
	model->config.latency_ms = latency_ms;
}
