/*
 * create.c - making a pod or a volume, once and only once.
 *
 * The intent is on disk before the request leaves.  An answer that leaves
 * it open whether something was made stops the walk down the candidates:
 * the next one would be the second pod.  Listings decide then; only when
 * three complete ones and the settling time have passed without the mark is
 * the op dead, and only then is a new one chosen.
 */
#include "run/act.h"

#include "base/plant.h"
#include "base/probe.h"

#include <assert.h>
#include <string.h>

static bool
is_pod(const struct act *act)
{
	return act->kind == ACTION_POD_CREATE;
}

/* ---------------------------------------------------------- what to ask -- */

/* Of a pod: a plan in which one has no candidate is not carried out. */
static const struct candidate *
candidate_of(const struct act *act)
{
	assert(act->candidate < act->change->candidates.n);
	return &act->change->candidates.items[act->candidate];
}

/* The id of the volume that the pod wants: perhaps made a moment ago. */
static bool
find_volume(struct run *run, struct act *act)
{
	const struct pod_spec *spec = act->change->want->pod;
	if (spec->volume.len == 0)
		return true;
	struct str address = address_format(run->arena, KIND_VOLUME,
	    spec->volume, -1);
	const struct lock_entry *volume = lock_find(run->lock, address);
	if (volume == NULL || volume->id.len == 0)
		return false;
	act->config.volume_id = volume->id;
	return true;
}

/* Where the pod goes, from its candidate. */
static void
place(struct act *act, const struct candidate *candidate)
{
	act->config.gpu = candidate->gpu;
	act->config.tier = candidate->tier;
	act->config.data_center = candidate->data_center;
	act->entry.gpu_name = candidate->gpu_name;
}

/* So that SSH works on the first run: images of RunPod take PUBLIC_KEY in.
 * It is no part of the record, as nothing is that the service puts there. */
static void
give_keys(struct run *run, struct act *act)
{
	size_t n = act->config.nenv, at = 0;
	bool ssh = false;

	for (size_t i = 0; i < act->config.nports; i++)
		ssh |= str_is(act->config.ports[i], "22/tcp");
	for (size_t i = 0; i < n; i++)
		if (str_is(act->config.env[i].name, "PUBLIC_KEY"))
			return;		/* the spec's own */
	if (!ssh || run->options.public_keys.len == 0)
		return;
	struct env_var *env = ARENA_ARRAY(run->arena, struct env_var, n + 1);
	while (at < n &&
	    strcmp(arena_cstr(run->arena, act->config.env[at].name),
		"PUBLIC_KEY") < 0)
		at++;
	for (size_t i = 0; i < n; i++)
		env[i < at ? i : i + 1] = act->config.env[i];
	env[at] = (struct env_var){ .name = STR("PUBLIC_KEY"),
		.value = run->options.public_keys };
	act->config.env = env;
	act->config.nenv = n + 1;
}

static bool
prepare_pod(struct run *run, struct act *act)
{
	const struct candidate *candidate = candidate_of(act);
	act->config = act->change->config;
	place(act, candidate);
	if (!find_volume(run, act)) {
		act_fail(run, act, FAIL_ERROR,
		    STR("its network volume has no id yet"));
		return false;
	}
	act->config.name = mark_name(run->arena, act->change->config.name,
	    &run->options.lineage, &act->op);
	act->mark = mark_env(run->arena, &run->options.lineage, &act->op,
	    act_address(act));
	act->entry.pod = act->config;
	act->entry.price_per_hour = candidate->price_per_hour;
	if (!act_fill_env(run, act))
		return false;
	give_keys(run, act);
	return true;
}

static bool
prepare(struct run *run, struct act *act)
{
	const struct plan_change *change = act->change;
	act->entry = (struct lock_entry){
		.kind = change->kind,
		.address = change->address,
		.op = act->op,
		.name_pattern = change->name_pattern,
		.protect = is_pod(act) ? change->want->pod->protect
				       : change->want->volume->protect,
	};
	if (is_pod(act))
		return prepare_pod(run, act);
	act->entry.volume = change->volume_config;
	act->entry.volume.name = mark_name(run->arena,
	    change->volume_config.name, &run->options.lineage, &act->op);
	return true;
}

/* ------------------------------------------------------------ candidates */

static struct str
candidate_words(struct run *run, const struct candidate *candidate)
{
	struct str gpu = candidate->gpu_name.len > 0 ? candidate->gpu_name
						      : candidate->gpu;
	return arena_printf(run->arena, STR_FMT " %s%s" STR_FMT, STR_ARG(gpu),
	    candidate->tier == TIER_COMMUNITY ? "community" : "secure",
	    candidate->data_center.len > 0 ? " in " : "",
	    STR_ARG(candidate->data_center));
}

static void
refuse_candidate(struct run *run, struct act *act, enum run_failure failure,
    struct str why)
{
	act->last_failure = failure;
	act->last_refusal = arena_str(run->arena, why);
	if (!is_pod(act))
		return;
	struct str text = arena_printf(run->arena, STR_FMT ": " STR_FMT,
	    STR_ARG(candidate_words(run, candidate_of(act))), STR_ARG(why));
	*ARENA_PUSH(run->arena, &run->summary.refused) =
	    arena_printf(run->arena, STR_FMT ": " STR_FMT,
		STR_ARG(act_address(act)), STR_ARG(text));
	run_say(run, NOTE_CANDIDATE_REFUSED, act, text);
}

/* Budget and caps hold now, not only when the plan was made. */
static bool
within_budget(const struct run *run, const struct act *act)
{
	const struct candidate *candidate = candidate_of(act);
	int64_t budget = run->plan->spec->settings.budget_per_hour;
	if (budget == 0 || run->options.over_budget)
		return true;
	return candidate->price_per_hour >= 0 &&
	    run->billing + candidate->price_per_hour <= budget;
}

/* The last candidate was refused: why, for people. */
static void
all_refused(struct run *run, struct act *act)
{
	PROBE("create_all_refused");
	size_t n = act->change->candidates.n;
	if (n > 1)
		act->last_refusal = arena_printf(run->arena,
		    "none of %zu candidates could be had; last: " STR_FMT, n,
		    STR_ARG(act->last_refusal));
}

/* Start with the current candidate under a new op, or give up. */
void
create_start(struct run *run, struct act *act)
{
	if (act->intended) {		/* the same op again */
		create_journaled(run, act);
		return;
	}
	while (is_pod(act) && !within_budget(run, act)) {
		refuse_candidate(run, act, FAIL_BUDGET,
		    STR("over the budget of settings.budget.per_hour"));
		if (++act->candidate >= act->change->candidates.n) {
			all_refused(run, act);
			act_fail(run, act, act->last_failure,
			    act->last_refusal);
			return;
		}
	}
	act->claimed = (struct str){0};
	act_new_op(run, act);
	if (!prepare(run, act))
		return;
	act->subject->per_hour = act->entry.price_per_hour > 0
	    ? act->entry.price_per_hour
	    : 0;
	run->billing += act->subject->per_hour;
	act_intent(run, act, OP_CREATE);
}

static void
withdraw(struct run *run, struct act *act, enum next next)
{
	run->billing -= act->subject->per_hour;
	act->subject->per_hour = 0;
	act_result(run, act, OP_NONE, next, false);
}

void
create_journaled(struct run *run, struct act *act)
{
	if (!act_may_send(run, act)) {
		PROBE("create_stopped_before_it_was_sent");
		act->last_failure = run->stopping ? FAIL_INTERRUPTED
						  : FAIL_ERROR;
		act->last_refusal = STR("stopped before anything was sent");
		withdraw(run, act, NEXT_FAIL);
		return;
	}
	struct cloud_request request = {
		.op = is_pod(act) ? CLOUD_CREATE_POD : CLOUD_CREATE_VOLUME,
	};
	if (is_pod(act)) {
		request.pod = &act->config;
		request.mark = act->mark;
	} else {
		request.volume = act->entry.volume;
	}
	act_request(run, act, PH_SENT, &request);
}

/* --------------------------------------------------------------- answers */

static void
created(struct run *run, struct act *act, struct str id,
    struct str created_at, int64_t per_hour, bool adopted)
{
	act->id = arena_str(run->arena, id);
	act->entry.created_at = arena_str(run->arena, created_at);
	act->subject->id = act->id;
	if (per_hour >= 0) {
		run->billing += per_hour - act->subject->per_hour;
		act->subject->per_hour = per_hour;
	}
	map_put(&run->made, run->arena, id128_str(&act->entry.op), act);
	run->summary.changed = true;
	run_say(run, NOTE_ID_ASSIGNED, act, act->id);
	act_result(run, act, OP_DONE, NEXT_DONE, adopted);
}

static bool
pod_is_mine(const struct run *run, const struct act *act,
    const struct cloud_pod *pod)
{
	return mark_matches(pod->config.name, pod->mark, true,
	    &run->options.lineage, &act->op);
}

static void
unclear(struct run *run, struct act *act, const struct cloud_answer *answer)
{
	PROBE("create_unclear");
	act->ended_ms = act->wait_ms = run->now_ms;
	act->clean = 0;
	run->summary.changed = true;
	act->reason = arena_printf(run->arena,
	    "unclear answer (" STR_FMT "); looking whether it was made",
	    STR_ARG(answer->message));
	run_say(run, NOTE_UNCLEAR, act, act->reason);
	act_phase(run, act, PH_RESOLVE);
	act->told_ms = run->now_ms;
}

/* A 201: believe it only if it is new to us and shows our mark. */
static void
accepted(struct run *run, struct act *act, const struct cloud_answer *answer)
{
	enum kind kind = act->change->kind;
	struct str id = is_pod(act)
	    ? (answer->npods == 1 ? answer->pods[0].id : (struct str){0})
	    : (answer->nvolumes == 1 ? answer->volumes[0].id
				     : (struct str){0});
	bool known = id.len > 0 && lock_find_id(run->lock, kind, id) != NULL;
	bool mine = id.len > 0 && !known &&
	    (is_pod(act) ? pod_is_mine(run, act, &answer->pods[0])
			 : mark_matches(answer->volumes[0].name,
			       (struct str){0}, false, &run->options.lineage,
			       &act->op));
	if (!mine) {
		struct cloud_answer odd = *answer;
		if (!known)
			act->claimed = arena_str(run->arena, id);
		odd.message = known
		    ? STR("it names a thing that we already have")
		    : STR("it does not show our mark");
		unclear(run, act, &odd);
		return;
	}
	if (is_pod(act))
		created(run, act, id, answer->pods[0].created_at,
		    answer->pods[0].cost_known ? answer->pods[0].cost_per_hour
					       : -1,
		    false);
	else
		created(run, act, id, (struct str){0}, -1, false);
}

static enum run_failure
failure_of(enum cloud_reason reason)
{
	switch (reason) {
	case REASON_AUTH:
		return FAIL_AUTH;
	case REASON_BALANCE:
		return FAIL_BALANCE;
	case REASON_NO_CAPACITY:
		return FAIL_CAPACITY;
	case REASON_FORBIDDEN:
		return FAIL_AUTH;
	default:
		return FAIL_ERROR;
	}
}

/*
 * Refused, by contract without effect.  No stock, a closed pool and a 400
 * (which RunPod also answers for no stock, in prose) move on to the next
 * candidate; what breaks the request itself, or would stop every candidate,
 * does not.
 */
static void
refused(struct run *run, struct act *act, const struct cloud_answer *answer)
{
	bool next = is_pod(act) && answer->status != 422 &&
	    (answer->reason == REASON_NO_CAPACITY ||
		answer->reason == REASON_FORBIDDEN ||
		answer->reason == REASON_BAD_REQUEST);
	enum run_failure failure = failure_of(answer->reason);
	if (next && failure == FAIL_AUTH)
		failure = FAIL_CAPACITY;	/* of this candidate only */
	refuse_candidate(run, act, failure, answer->message);
	if (next && act->candidate + 1 < act->change->candidates.n) {
		PROBE("create_next_candidate");
		act->candidate++;
		withdraw(run, act, NEXT_RETRY);
		return;
	}
	if (next)
		all_refused(run, act);
	withdraw(run, act, NEXT_FAIL);
}

void
create_answer(struct run *run, struct act *act,
    const struct cloud_answer *answer)
{
	assert(act->phase == PH_SENT);
	if ((PLANTED(3) && answer->status >= 500) ||
	    (PLANTED(4) && answer->status == 0)) {
		act->last_failure = FAIL_ERROR;
		act->last_refusal = STR("taken as no effect");
		withdraw(run, act, NEXT_BACKOFF);
	} else if (answer->outcome == OUTCOME_OK) {
		accepted(run, act, answer);
	} else if (answer->outcome == OUTCOME_UNKNOWN) {
		unclear(run, act, answer);
	} else if (answer->outcome == OUTCOME_NOT_SENT ||
	    answer->reason == REASON_RATE_LIMITED) {
		/* The same op again, for its intent is on disk. */
		if (act->retries < 5 && !run->stopping) {
			PROBE("create_same_op_again");
			act_retry(run, act, answer->retry_after_ms,
			    FAIL_ERROR, answer->message);
			return;
		}
		act->last_failure = FAIL_ERROR;
		act->last_refusal = arena_str(run->arena, answer->message);
		withdraw(run, act, NEXT_FAIL);
	} else {
		refused(run, act, answer);
	}
}

/* ------------------------------------------------------------- resolving */

/*
 * The op is dead: choose a new one, after a backoff, or give up.  Where the
 * service said "created" and gave an id, something may bill under that id
 * though our mark never showed; the next create could be the second pod.
 */
static void
settled_without(struct run *run, struct act *act)
{
	if (act->claimed.len > 0) {
		act->id = act->claimed;
		act_fail(run, act, FAIL_SUSPECT,
		    arena_printf(run->arena, "the service said that it made "
			STR_FMT ", which never showed our mark; look at it "
			"in the console", STR_ARG(act->claimed)));
		return;
	}
	PROBE("create_settled_without");
	act->last_failure = FAIL_ERROR;
	act->last_refusal =
	    STR("the service gave no clear answer and made nothing");
	withdraw(run, act, run->stopping ? NEXT_FAIL : NEXT_BACKOFF);
}

static bool
resolve_pod(struct run *run, struct act *act,
    const struct cloud_answer *listing)
{
	for (size_t i = 0; i < listing->npods; i++) {
		const struct cloud_pod *pod = &listing->pods[i];
		if (!pod_is_mine(run, act, pod)) {
			if (!mark_hints(pod->config.name, pod->mark, true,
				&run->options.lineage, &act->op))
				continue;
			act_fail(run, act, FAIL_SUSPECT,
			    arena_printf(run->arena, "pod " STR_FMT " carries "
				"half of its mark: it was renamed or edited "
				"before we saw it; see podform audit",
				STR_ARG(pod->id)));
			return true;
		}
		PROBE("create_found_by_mark");
		created(run, act, pod->id, pod->created_at,
		    pod->cost_known ? pod->cost_per_hour : -1, true);
		return true;
	}
	return false;
}

static bool
resolve_volume(struct run *run, struct act *act,
    const struct cloud_answer *listing)
{
	for (size_t i = 0; i < listing->nvolumes; i++) {
		const struct cloud_volume *volume = &listing->volumes[i];
		if (!mark_matches(volume->name, (struct str){0}, false,
			&run->options.lineage, &act->op))
			continue;
		PROBE("create_volume_found_by_mark");
		created(run, act, volume->id, (struct str){0}, -1, true);
		return true;
	}
	return false;
}

/* A complete listing, asked for after the request had ended, counts. */
void
create_listed(struct run *run, struct act *act,
    const struct listed *listed)
{
	const struct cloud_answer *listing = listed->answer;
	if (is_pod(act) ? resolve_pod(run, act, listing)
			: resolve_volume(run, act, listing))
		return;
	/* Only listings that were asked for after the settling time count:
	 * what an earlier one shows may be older than the effect. */
	if (listed->sent_ms - act->ended_ms < run->options.settle_ms)
		return;
	if (++act->clean >= 3)
		settled_without(run, act);
}
