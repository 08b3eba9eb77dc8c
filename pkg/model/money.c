/*
 * money.c - what everything costs, and what is left.
 *
 * The rates of all open intervals are summed as they open and close, so the
 * account is settled in constant time whatever the number of pods.  Amounts
 * are kept as whole micro-dollars and a rest in micro-dollar milliseconds
 * per hour; nothing is rounded away.
 */
#include "model/private.h"

enum { HOUR = 3600 * 1000, MONTH_HOURS = 730 };

__extension__ typedef __int128 wide;

void
model_money_settle(struct model *model)
{
	int64_t span = model->now_ms - model->money_ms;
	wide total = (wide)model->rate * span + model->spent_rest;

	model->spent += (int64_t)(total / HOUR);
	model->spent_rest = (int64_t)(total % HOUR);
	model->money_ms = model->now_ms;
}

int64_t
model_money_empty_at(const struct model *model)
{
	int64_t left = model->paid_in - model->spent;

	if (model->broke || model->rate <= 0 || left > INT64_C(1) << 50)
		return -1;
	if (left <= 0)
		return model->money_ms;
	wide need = (wide)left * HOUR - model->spent_rest;
	wide span = (need + model->rate - 1) / model->rate;
	if (span > (INT64_C(1) << 50))
		return -1;
	return model->money_ms + (int64_t)span;
}

static int64_t
interval_cost(const struct model_interval *bill, int64_t now_ms)
{
	int64_t to = bill->to_ms < 0 || bill->to_ms > now_ms ? now_ms
	    : bill->to_ms;

	if (to <= bill->from_ms)
		return 0;
	return (int64_t)((wide)(bill->compute_rate + bill->storage_rate) *
	    (to - bill->from_ms) / HOUR);
}

/* End the open interval, if any, and begin one with these rates. */
static void
bill(struct model *model, struct model_interval **bills, size_t *nbills,
    size_t *cap, int64_t compute_rate, int64_t storage_rate)
{
	struct model_interval *last =
	    *nbills > 0 ? &(*bills)[*nbills - 1] : NULL;

	model_money_settle(model);
	if (last != NULL && last->to_ms < 0) {
		if (last->compute_rate == compute_rate &&
		    last->storage_rate == storage_rate)
			return;
		last->to_ms = model->now_ms;
		model->rate -= last->compute_rate + last->storage_rate;
	}
	if (compute_rate == 0 && storage_rate == 0)
		return;
	*bills = arena_grow(&model->arena, *bills, *nbills, cap,
	    sizeof **bills);
	(*bills)[(*nbills)++] = (struct model_interval){
		.from_ms = model->now_ms, .to_ms = -1,
		.compute_rate = compute_rate, .storage_rate = storage_rate,
	};
	model->rate += compute_rate + storage_rate;
}

void
model_money_pod(struct model *model, struct model_pod *pod)
{
	int64_t compute = 0, storage = 0;

	switch (pod->status) {
	case MODEL_PROVISIONING:
	case MODEL_STARTING:
	case MODEL_RUNNING:	/* pulling the image is billed too */
		compute = pod->compute_rate;
		storage = (pod->disk_gb + pod->persistent_gb) * 100000 /
		    MONTH_HOURS;
		break;
	case MODEL_EXITED:
	case MODEL_ERROR:
		storage = pod->persistent_gb * 200000 / MONTH_HOURS;
		break;
	case MODEL_TERMINATED:
		break;
	}
	bill(model, &pod->bills, &pod->nbills, &pod->bills_cap, compute,
	    storage);
}

void
model_money_volume(struct model *model, struct model_volume *volume)
{
	int64_t first = volume->size_gb < 1000 ? volume->size_gb : 1000;
	int64_t rate = (first * 70000 + (volume->size_gb - first) * 50000) /
	    MONTH_HOURS;

	if (volume->high_performance)
		rate *= 2;	/* dearer; how much is not published */
	if (volume->ended_ms >= 0)
		rate = 0;
	bill(model, &volume->bills, &volume->nbills, &volume->bills_cap, 0,
	    rate);
}

int64_t
model_bills_between(const struct model_interval *bills, size_t n,
    int64_t from_ms, int64_t to_ms, int64_t *compute, int64_t *storage)
{
	int64_t c = 0, s = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t from = bills[i].from_ms > from_ms ? bills[i].from_ms
		    : from_ms;
		int64_t to = bills[i].to_ms < 0 || bills[i].to_ms > to_ms
		    ? to_ms : bills[i].to_ms;
		if (to <= from)
			continue;
		c += (int64_t)((wide)bills[i].compute_rate * (to - from) /
		    HOUR);
		s += (int64_t)((wide)bills[i].storage_rate * (to - from) /
		    HOUR);
	}
	if (compute != NULL)
		*compute = c;
	if (storage != NULL)
		*storage = s;
	return c + s;
}

static int64_t
bills_cost(const struct model_interval *bills, size_t n, int64_t now_ms)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += interval_cost(&bills[i], now_ms);
	return sum;
}

int64_t
model_pod_spent(const struct model_pod *pod, int64_t now_ms)
{
	return bills_cost(pod->bills, pod->nbills, now_ms);
}

int64_t
model_volume_spent(const struct model_volume *volume, int64_t now_ms)
{
	return bills_cost(volume->bills, volume->nbills, now_ms);
}

int64_t
model_spent(struct model *model, int64_t now_ms)
{
	model_advance(model, now_ms);
	model_money_settle(model);
	return model->spent;
}

int64_t
model_balance(struct model *model, int64_t now_ms)
{
	return model->paid_in - model_spent(model, now_ms);
}

int64_t
model_rate(const struct model *model)
{
	return model->rate;
}

void
model_set_balance(struct model *model, int64_t now_ms, int64_t balance)
{
	model_advance(model, now_ms);
	model_money_settle(model);
	model->paid_in = model->spent + balance;
	model->broke = false;
	model_advance(model, now_ms);
}
