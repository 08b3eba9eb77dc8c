/*
 * effect.c - what the engine wants done: requests, records for the journal,
 * words for people.  It only asks; who runs it does.
 */
#include "run/act.h"

#include "base/plant.h"
#include "base/units.h"

struct str
act_address(const struct act *act)
{
	return act->change->address;
}

struct run_effect *
run_effect_add(struct run *run, enum run_effect_type type)
{
	if (run->effects_at == run->effects.n)
		run->effects_at = run->effects.n = 0;
	struct run_effect *effect = ARENA_PUSH(run->arena, &run->effects);
	*effect = (struct run_effect){ .type = type };
	return effect;
}

bool
run_next_effect(struct run *run, struct run_effect *effect)
{
	if (run->effects_at == run->effects.n)
		return false;
	*effect = run->effects.items[run->effects_at++];
	return true;
}

/* How many checks or setup steps there are. */
static size_t
act_steps(const struct act *act)
{
	const struct resource *want = act->change->want;

	return act->kind == ACTION_POD_CHECK ? want->pod->nready_checks :
	    act->kind == ACTION_POD_SETUP ? want->pod->nsetup : 0;
}

void
run_say(struct run *run, enum note_type type, const struct act *act,
    struct str text)
{
	struct run_note *note = &run_effect_add(run, RUN_NOTE)->note;
	*note = (struct run_note){ .type = type, .action = SIZE_MAX,
		.text = text };
	if (act == NULL)
		return;
	note->action = act->index;
	note->kind = act->kind;
	note->undo = act->undo;
	note->address = act_address(act);
	note->id = act->id.len > 0 ? act->id : act->subject->id;
	note->elapsed_ms = run->now_ms - act->started_ms;
	note->per_hour = act->subject->per_hour;
	note->change = act->change;
	note->step = act->step;
	note->steps = act_steps(act);
}

void
run_say_news(struct run *run, const struct act *act, struct str text)
{
	run_say(run, NOTE_PROGRESS, act, text);
	run->effects.items[run->effects.n - 1].note.news = true;
}

uint64_t
act_token(struct run *run, struct act *act)
{
	act->token = (uint64_t)(act->index + 1) << 24 |
	    (++run->counter & 0xffffff);
	return act->token;
}

void
act_request(struct run *run, struct act *act, enum phase phase,
    const struct cloud_request *request)
{
	act_phase(run, act, phase);
	uint64_t token = act_token(run, act);
	struct run_effect *effect = run_effect_add(run, RUN_REQUEST);
	effect->token = token;
	effect->request = *request;
	effect->timeout_ms = cloud_op_changes(request->op)
	    ? 60 * SECOND_MS
	    : 30 * SECOND_MS;
}

struct run_effect *
act_ask(struct run *run, struct act *act, enum run_effect_type type)
{
	act_phase(run, act, PH_ASKED);
	uint64_t token = act_token(run, act);
	struct run_effect *effect = run_effect_add(run, type);
	effect->token = token;
	return effect;
}

void
act_cancel(struct run *run, struct act *act)
{
	if (act->phase == PH_ASKED || act->phase == PH_PROBE)
		run_effect_add(run, RUN_CANCEL)->token = act->token;
}

void
act_fact(struct run *run, struct act *act, struct str pod_id,
    const struct lock_inside *inside)
{
	act->next = NEXT_DONE;
	act_phase(run, act, PH_RESULT);
	uint64_t token = act_token(run, act);
	struct run_effect *effect = run_effect_add(run, RUN_JOURNAL);
	effect->token = token;
	effect->record = (struct record){
		.type = RECORD_FACT,
		.id = pod_id,
		.inside = *inside,
		.price_per_hour = -1,
	};
}

void
act_new_op(struct run *run, struct act *act)
{
	act->op = id128_random(&run->options.chance);
}

void
act_intent(struct run *run, struct act *act, enum op_action action)
{
	act_phase(run, act, PH_INTENT);
	uint64_t token = act_token(run, act);
	struct run_effect *effect = run_effect_add(run, RUN_JOURNAL);
	effect->token = token;
	effect->record = (struct record){
		.type = RECORD_INTENT,
		.op = {
			.op = act->op,
			.action = action,
			.address = act_address(act),
			.entry = act->entry,
			.wall_ms = run->wall_ms,
			.boot_id = run->options.boot_id,
			.boot_ms = run->boot_ms,
		},
	};
}

void
act_result(struct run *run, struct act *act, enum op_outcome outcome,
    enum next next, bool adopted)
{
	if (PLANTED(13) && act->undo && act->kind == ACTION_POD_DELETE)
		outcome = OP_NONE;
	act->next = next;
	act->effected = outcome == OP_DONE;
	act_phase(run, act, PH_RESULT);
	uint64_t token = act_token(run, act);
	struct run_effect *effect = run_effect_add(run, RUN_JOURNAL);
	effect->token = token;
	effect->record = (struct record){
		.type = RECORD_RESULT,
		.op = { .op = act->op },
		.outcome = outcome,
		.price_per_hour = -1,
		.adopted = adopted,
	};
	if (outcome == OP_DONE &&
	    (action_rows[act->kind].registers || act->settles))
		effect->record.id = act->id;
	if (outcome == OP_DONE && action_rows[act->kind].creates) {
		effect->record.id = act->id;
		effect->record.created_at = act->entry.created_at;
		effect->record.price_per_hour = act->subject->per_hour;
	}
}
