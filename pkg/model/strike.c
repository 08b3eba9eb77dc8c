/* strike.c - see strike.h: drawing faults. */
#include "model/strike.h"

#define BIT(fault) (UINT64_C(1) << (fault))
#define ONE(call) (1u << (call))

enum {
	LISTS = ONE(MODEL_POD_LIST) | ONE(MODEL_VOLUME_LIST),
	GETS = ONE(MODEL_POD_GET) | ONE(MODEL_VOLUME_GET),
	CREATES = ONE(MODEL_POD_CREATE) | ONE(MODEL_VOLUME_CREATE),
	WRITES = CREATES | ONE(MODEL_POD_UPDATE) | ONE(MODEL_POD_START) |
	    ONE(MODEL_POD_STOP) | ONE(MODEL_POD_RESTART) |
	    ONE(MODEL_POD_DELETE) | ONE(MODEL_VOLUME_UPDATE) |
	    ONE(MODEL_VOLUME_DELETE),
	ALL = ONE(MODEL_CALL_COUNT) - 1,
};

/* The calls that each fault can strike. */
static const unsigned strikes[MODEL_FAULT_COUNT] = {
	[MODEL_ERROR_BEFORE] = ALL,
	[MODEL_ERROR_AFTER] = ALL,
	[MODEL_BODY] = ALL,
	[MODEL_DELAYED] = WRITES,
	[MODEL_STALE] = LISTS | GETS,
	[MODEL_GET_404] = GETS,
	[MODEL_SHRUNK] = LISTS,
	[MODEL_TWICE] = CREATES,
	[MODEL_RATE_LIMITED] = ALL,
	[MODEL_NO_STOCK] = ONE(MODEL_POD_CREATE) | ONE(MODEL_POD_START),
	[MODEL_TAKEN] = ALL,
	[MODEL_STUCK] = ONE(MODEL_POD_CREATE) | ONE(MODEL_POD_START),
	[MODEL_ODD] = ONE(MODEL_POD_LIST) | ONE(MODEL_POD_GET),
	[MODEL_CONSOLE] = ALL,
	[MODEL_KEY_REVOKED] = ALL,
	[MODEL_BROKE] = ALL,
	[MODEL_DROP_BEFORE] = ALL,
	[MODEL_SLOW] = ALL,
};

/* Of these one at most, the first drawn. */
static const enum model_fault exclusive[] = {
	MODEL_RATE_LIMITED, MODEL_DROP_BEFORE, MODEL_ERROR_BEFORE,
	MODEL_DELAYED, MODEL_GET_404, MODEL_ERROR_AFTER, MODEL_BODY,
};

bool
strike_has(const struct strike *strike, enum model_fault fault)
{
	return (strike->faults & BIT(fault)) != 0;
}

void
strike_fired(struct model *model, struct model_reply *reply,
    enum model_fault fault)
{
	model->fired[fault]++;
	reply->faults |= BIT(fault);
}

static bool
from_script(struct model *model, enum model_call call, struct strike *strike)
{
	for (size_t i = 0; i < model->scripts.n; i++) {
		struct model_script *script = &model->scripts.items[i];
		if (script->call != call ||
		    script->nth != model->calls[call])
			continue;
		strike->scripted = true;
		if (script->fault < MODEL_FAULT_COUNT)
			strike->faults |= BIT(script->fault);
		strike->status = script->status;
		strike->transport = script->transport;
		strike->cut = script->cut;
		strike->delay_ms = script->delay_ms;
		strike->body = script->body;
		strike->retry_after = script->retry_after;
		script->nth = -1;
		return true;
	}
	return false;
}

/* No client could ever settle a doubt if every listing might lack the same
 * pod: chance shrinks at most two of a kind in a row. */
enum { SHRUNK_IN_ROW = 2 };

void
strike_draw(struct model *model, enum model_call call, struct strike *strike)
{
	struct model_faults *faults = &model->faults;
	bool taken = false;

	*strike = (struct strike){0};
	if (from_script(model, call, strike))
		return;
	for (int f = 0; f < MODEL_FAULT_COUNT; f++) {
		unsigned chance = faults->per_mille[call][f];
		if (chance == 0 || (strikes[f] & ONE(call)) == 0 ||
		    model_random_below(&model->fault_rng, 1000) >= chance)
			continue;
		if (faults->at_most[f] < 0)
			continue;	/* all its strikes are used up */
		if (f == MODEL_SHRUNK &&
		    model->shrunk_in_row[call] >= SHRUNK_IN_ROW)
			continue;
		strike->faults |= BIT(f);
	}
	for (size_t i = 0; i < COUNTOF(exclusive); i++) {
		if (taken)
			strike->faults &= ~BIT(exclusive[i]);
		else
			taken = strike_has(strike, exclusive[i]);
	}
	model->shrunk_in_row[call] = strike_has(strike, MODEL_SHRUNK)
	    ? model->shrunk_in_row[call] + 1
	    : 0;
	for (int f = 0; f < MODEL_FAULT_COUNT; f++)
		if (strike_has(strike, (enum model_fault)f) &&
		    faults->at_most[f] > 0 && --faults->at_most[f] == 0)
			faults->at_most[f] = -1;
}

void
model_set_faults(struct model *model, const struct model_faults *faults)
{
	model->faults = *faults;
	if (model->faults.delay_max_ms == 0)
		model->faults.delay_max_ms = 120 * 1000;
	if (model->faults.stale_max_ms == 0)
		model->faults.stale_max_ms = 60 * 1000;
	if (model->faults.slow_max_ms == 0)
		model->faults.slow_max_ms = 30 * 1000;
}

const struct model_faults *
model_get_faults(const struct model *model)
{
	return &model->faults;
}

void
model_add_script(struct model *model, const struct model_script *script)
{
	struct model_script *own = NULL;

	/* A used place is taken again, so that scripts do not pile up. */
	for (size_t i = 0; i < model->scripts.n && own == NULL; i++)
		if (model->scripts.items[i].nth < 0)
			own = &model->scripts.items[i];
	if (own == NULL)
		own = ARENA_PUSH(&model->arena, &model->scripts);
	*own = *script;
	own->nth = model->calls[script->call] + script->nth;
	if (script->body.data != NULL)
		own->body = arena_str(&model->arena, script->body);
	if (script->retry_after.data != NULL)
		own->retry_after = arena_str(&model->arena,
		    script->retry_after);
}

void
model_clear_scripts(struct model *model)
{
	model->scripts.n = 0;
}
