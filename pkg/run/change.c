/*
 * change.c - updating, starting, stopping and deleting what is ours.
 *
 * Before anything is sent the thing is asked for once more: no change ever
 * goes to a pod without our mark, also if its id stands in a damaged lock.
 * All of these are safe to repeat, so an unclear answer is settled by
 * looking and, where needed, by sending again.
 */
#include "run/act.h"

#include "base/plant.h"

#include <assert.h>

static bool
is_volume(const struct act *act)
{
	return action_rows[act->kind].volume;
}

static enum op_action
op_of(enum action_kind kind)
{
	switch (kind) {
	case ACTION_POD_UPDATE:
	case ACTION_VOLUME_UPDATE:
		return OP_UPDATE;
	case ACTION_POD_START:
		return OP_START;
	case ACTION_POD_STOP:
		return OP_STOP;
	default:
		return OP_DELETE;
	}
}

static void
ask(struct run *run, struct act *act, enum phase phase)
{
	struct cloud_request request = {
		.op = is_volume(act) ? CLOUD_GET_VOLUME : CLOUD_GET_POD,
		.id = act->id,
	};
	act_request(run, act, phase, &request);
}

/* Which thing: the one made in this run when an undo or a follower asks,
 * else the one in the record or, for an orphan, the listed one. */
static struct str
id_of(const struct act *act)
{
	const struct plan_change *change = act->change;
	if (act->undoes != NULL)
		return act->undoes->id;
	return change->have != NULL ? change->have->id : change->pod->id;
}

/* A planted bug: look for the thing by the name that people read. */
static struct str
id_by_name(const struct run *run, const struct act *act)
{
	struct str best = act->id, base, other;
	struct mark mark;
	const struct cloud_pod *pod = act->change->pod;
	if (pod == NULL || !mark_parse_name(pod->config.name, &base, &mark))
		return best;
	for (size_t i = 0; i < run->plan->live->npods; i++) {
		const struct cloud_pod *one = &run->plan->live->pods[i];
		if (mark_parse_name(one->config.name, &other, &mark) &&
		    str_eq(base, other))
			return one->id;
	}
	return best;
}

void
change_start(struct run *run, struct act *act)
{
	act->id = arena_str(run->arena, id_of(act));
	if (PLANTED(7))
		act->id = id_by_name(run, act);
	if ((act->kind == ACTION_POD_DELETE || act->kind == ACTION_POD_STOP) &&
	    !act->intended && !runners_allow_end(run, act->id)) {
		map_put(&run->busy_pods, run->arena, act->id, act);
		act_fail(run, act, FAIL_BUSY, STR("a runner on it is not "
		    "removed yet, so it is left in peace; --force-runners "
		    "ends it all the same"));
		return;
	}
	if (act->intended) {
		change_journaled(run, act);
		return;
	}
	ask(run, act, PH_VERIFY);
}

/* ------------------------------------------------------------ what to say */

/* The record as it will be when the change is done. */
static void
make_entry(struct run *run, struct act *act)
{
	const struct plan_change *change = act->change;
	const struct lock_entry *have =
	    lock_find_id(run->lock, change->kind, act->id);
	act->entry = have != NULL ? *have
				  : (struct lock_entry){
					.kind = change->kind,
					.address = change->address,
					.id = act->id,
				    };
	if (act->kind == ACTION_POD_START || act->kind == ACTION_POD_STOP)
		act->entry.stopped = act->kind == ACTION_POD_STOP;
	/* Its creation failed half-way, and it is kept for what is on it. */
	if (act->undo && act->kind == ACTION_POD_STOP &&
	    act->undoes->kind == ACTION_POD_CREATE)
		act->entry.tainted = true;
	if (op_of(act->kind) != OP_UPDATE)
		return;
	if (act->undo) {
		act->entry = *change->have;
		return;
	}
	act->entry.name_pattern = change->name_pattern;
	if (is_volume(act)) {
		act->entry.volume.size_gb = change->volume_config.size_gb;
		return;
	}
	struct str name = act->entry.pod.name;
	act->entry.pod = change->config;
	act->entry.pod.name = name;
	/* Where no act changes its state, it is as it is wanted already. */
	if (!change->start && !change->stop)
		act->entry.stopped = change->want->pod->state == STATE_STOPPED;
}

/* An update of the environment replaces the whole of it, so what the
 * service had put there goes along. */
static void
keep_injected(struct run *run, struct act *act, const struct cloud_pod *pod)
{
	struct env_var *keep =
	    ARENA_ARRAY(run->arena, struct env_var, pod->ninjected);
	for (size_t i = 0; i < pod->ninjected; i++) {
		keep[i] = pod->injected[i];
		keep[i].name = arena_str(run->arena, keep[i].name);
		keep[i].value = arena_str(run->arena, keep[i].value);
	}
	act->keep = keep;
	act->nkeep = pod->ninjected;
}

/* Our mark stays in the name and in the environment, whatever changes. */
static bool
make_config(struct run *run, struct act *act, const struct cloud_pod *pod)
{
	const struct plan_change *change = act->change;
	act->mark = arena_str(run->arena, pod->mark);
	keep_injected(run, act, pod);
	if (act->undo) {
		if (!PLANTED(34))
			act->config = change->pod->config;
		else
			act->config = change->config;
		return true;
	}
	act->config = change->config;
	if (change->changes & CHANGE_NAME) {
		act->config.name = mark_name(run->arena, change->config.name,
		    &run->options.lineage, &act->entry.op);
		act->entry.pod.name = act->config.name;
	}
	return !(change->changes & CHANGE_ENV) || act_fill_env(run, act);
}

/* ---------------------------------------------------------------- verify */

/* A GET has shown it, and nothing else. */
static bool
is_shown(const struct act *act, const struct cloud_answer *answer)
{
	if (is_volume(act))
		return answer->nvolumes == 1;
	return answer->npods == 1 && str_eq(answer->pods[0].id, act->id);
}

static bool
is_ours(const struct run *run, const struct act *act,
    const struct cloud_answer *answer)
{
	const struct lock_entry *have =
	    lock_find_id(run->lock, act->change->kind, act->id);
	if (PLANTED(7))
		return true;
	if (!is_shown(act, answer))
		return false;
	if (is_volume(act)) {
		if (have != NULL && have->op.hex[0] == '\0')
			return true;	/* imported: the user said so */
		return mark_owner(answer->volumes[0].name, (struct str){0},
			   false, &run->options.lineage) == MARK_OURS;
	}
	const struct cloud_pod *pod = &answer->pods[0];
	if (have != NULL && have->op.hex[0] == '\0')
		return have->created_at.len == 0 ||
		    str_eq(have->created_at, pod->created_at);
	enum mark_owner owner = mark_owner(pod->config.name, pod->mark, true,
	    &run->options.lineage);
	return owner == MARK_OURS || (owner == MARK_RENAMED && have != NULL);
}

static bool
status_runs(enum pod_status status)
{
	return status == POD_PROVISIONING || status == POD_STARTING ||
	    status == POD_RUNNING;
}

/* Is what the action wants already so? */
static bool
already(const struct act *act, const struct cloud_answer *answer)
{
	if (is_volume(act))
		return act->kind == ACTION_VOLUME_UPDATE &&
		    answer->volumes[0].size_gb ==
		    act->change->volume_config.size_gb;
	switch (act->kind) {
	case ACTION_POD_START:
		return status_runs(answer->pods[0].status);
	case ACTION_POD_STOP:
		return answer->pods[0].status == POD_EXITED;
	default:
		return false;
	}
}

static bool
same_env(const struct pod_config *a, const struct pod_config *b)
{
	bool same = a->nenv == b->nenv;

	for (size_t i = 0; same && i < a->nenv; i++) {
		bool found = false;
		for (size_t j = 0; j < b->nenv && !found; j++)
			found = str_eq(a->env[i].name, b->env[j].name) &&
			    str_eq(a->env[i].value, b->env[j].value);
		same = found;
	}
	return same;
}

static bool
same_ports(const struct pod_config *a, const struct pod_config *b)
{
	bool same = a->nports == b->nports;

	for (size_t i = 0; same && i < a->nports; i++)
		same = str_eq(a->ports[i], b->ports[i]);
	return same;
}

/*
 * What an update is to overwrite is what the plan showed.  A listing may have
 * been behind, and a change of the environment replaces the whole of it: what
 * somebody has put there meanwhile would be gone, and nobody was told.
 */
static bool
is_as_shown(const struct act *act, const struct cloud_pod *pod)
{
	const struct pod_config *is = &pod->config, *was;
	unsigned changes = act->change->changes;

	if (act->kind != ACTION_POD_UPDATE || act->undo ||
	    act->change->pod == NULL)
		return true;
	was = &act->change->pod->config;
	return (!(changes & CHANGE_NAME) || str_eq(is->name, was->name)) &&
	    (!(changes & CHANGE_IMAGE) || str_eq(is->image, was->image)) &&
	    (!(changes & CHANGE_ARGS) || str_eq(is->args, was->args)) &&
	    (!(changes & CHANGE_DISK) || is->disk_gb == was->disk_gb) &&
	    (!(changes & CHANGE_PORTS) || same_ports(is, was)) &&
	    (!(changes & CHANGE_ENV) || same_env(is, was));
}

static void
verified(struct run *run, struct act *act, const struct cloud_answer *answer)
{
	if (answer_says_gone(answer)) {
		if (!action_rows[act->kind].deletes) {
			act_retry(run, act, 0, FAIL_ERROR,
			    STR("it is gone; plan again"));
			return;
		}
		/* Somebody was faster, or a replica does not know it yet: to
		 * what does not show our mark nothing is sent. */
		make_entry(run, act);
		act->confirms = true;
		act_new_op(run, act);
		act_intent(run, act, OP_DELETE);
		return;
	}
	if (answer->outcome != OUTCOME_OK) {
		if (answer->outcome == OUTCOME_NO_EFFECT &&
		    answer->reason == REASON_AUTH)
			act_fail(run, act, FAIL_AUTH, answer->message);
		else
			act_retry(run, act, answer->retry_after_ms,
			    FAIL_ERROR, answer->message);
		return;
	}
	if (!is_ours(run, act, answer)) {
		act_fail(run, act, FAIL_SUSPECT,
		    STR("it does not carry our mark, so it is left alone; "
			"see podform audit"));
		return;
	}
	if (!is_volume(act) && !is_as_shown(act, &answer->pods[0])) {
		act_fail(run, act, FAIL_ERROR,
		    STR("it is not as the plan showed it any more, so it is "
			"left as it is; plan again"));
		return;
	}
	make_entry(run, act);
	if (already(act, answer)) {
		act_done(run, act);
		return;
	}
	if (act->kind == ACTION_POD_UPDATE &&
	    !make_config(run, act, &answer->pods[0]))
		return;
	act_new_op(run, act);
	act_intent(run, act, op_of(act->kind));
}

/* ------------------------------------------------------------------ send */

/* What was sent with an unclear answer is sent again, to know what came of
 * it, also when something else has failed since. */
static bool
may_finish(const struct run *run, const struct act *act)
{
	return act->unclear && !run->stopping && run->fatal == FAIL_NONE;
}

/*
 * Not sent, or not again.  After an unclear answer the op stays open: the
 * next apply looks at what came of it.
 */
static void
stopped(struct run *run, struct act *act)
{
	act->last_failure = run->stopping ? FAIL_INTERRUPTED : FAIL_ERROR;
	if (act->unclear) {
		act_fail(run, act, act->last_failure,
		    STR("stopped after an unclear answer"));
		return;
	}
	act->last_refusal = STR("stopped before anything was sent");
	act_result(run, act, OP_NONE, NEXT_FAIL, false);
}

void
change_journaled(struct run *run, struct act *act)
{
	static const enum cloud_op ops[ACTION_KIND_COUNT] = {
		[ACTION_POD_UPDATE] = CLOUD_UPDATE_POD,
		[ACTION_POD_START] = CLOUD_START_POD,
		[ACTION_POD_STOP] = CLOUD_STOP_POD,
		[ACTION_POD_DELETE] = CLOUD_DELETE_POD,
		[ACTION_VOLUME_UPDATE] = CLOUD_UPDATE_VOLUME,
		[ACTION_VOLUME_DELETE] = CLOUD_DELETE_VOLUME,
	};
	if (!act_may_send(run, act) && !may_finish(run, act)) {
		stopped(run, act);
		return;
	}
	if (act->confirms) {
		confirm_journaled(run, act);
		return;
	}
	struct cloud_request request = { .op = ops[act->kind], .id = act->id };
	if (act->kind == ACTION_POD_UPDATE) {
		request.pod = &act->config;
		request.mark = act->mark;
		request.changes = act->change->changes;
		request.keep = act->keep;
		request.nkeep = act->nkeep;
	} else if (act->kind == ACTION_VOLUME_UPDATE) {
		request.volume = act->entry.volume;
		request.volume.name = (struct str){0};
	}
	run->summary.changed = true;
	act_request(run, act, PH_SENT, &request);
}

static void
finish(struct run *run, struct act *act)
{
	act_result(run, act, OP_DONE, NEXT_DONE, false);
}

static void
refuse(struct run *run, struct act *act, const struct cloud_answer *answer)
{
	act->last_refusal = arena_str(run->arena, answer->message);
	act->last_failure = answer->reason == REASON_NO_CAPACITY
	    ? FAIL_CAPACITY
	    : answer->reason == REASON_AUTH ? FAIL_AUTH
	    : answer->reason == REASON_BALANCE ? FAIL_BALANCE
					       : FAIL_ERROR;
	act_result(run, act, OP_NONE, NEXT_FAIL, false);
}

static void
again(struct run *run, struct act *act, const struct cloud_answer *answer)
{
	if (act->retries >= 5) {
		refuse(run, act, answer);
		return;
	}
	act_retry(run, act, answer->retry_after_ms, FAIL_ERROR,
	    answer->message);
}

static void
sent(struct run *run, struct act *act, const struct cloud_answer *answer)
{
	bool deletes = action_rows[act->kind].deletes;
	switch (answer->outcome) {
	case OUTCOME_OK:
		if (deletes)
			gone_start(run, act);
		else
			finish(run, act);
		break;
	case OUTCOME_UNKNOWN:
		act->unclear = true;
		/* A delete is safe to repeat, and only a clear answer to it
		 * is one: a GET may come from a replica that is behind. */
		act->reason = arena_str(run->arena, answer->message);
		if (deletes)
			again(run, act, answer);
		else
			ask(run, act, PH_CHECK);
		break;
	case OUTCOME_NOT_SENT:
		again(run, act, answer);
		break;
	case OUTCOME_NO_EFFECT:
		if (answer->reason == REASON_RATE_LIMITED)
			again(run, act, answer);
		else if (deletes && answer->reason == REASON_NOT_FOUND)
			gone_start(run, act);
		else if (answer->reason == REASON_CONFLICT && !deletes)
			ask(run, act, PH_CHECK);
		else
			refuse(run, act, answer);
		break;
	}
}

/* ---------------------------------------------- after an unclear answer */

static bool
updated(const struct act *act, const struct cloud_answer *answer)
{
	if (is_volume(act))
		return answer->volumes[0].size_gb == act->entry.volume.size_gb;
	const struct pod_config *is = &answer->pods[0].config;
	const struct pod_config *want = &act->config;
	unsigned changes = act->change->changes;
	if ((changes & CHANGE_NAME) && !str_eq(is->name, want->name))
		return false;
	if ((changes & CHANGE_IMAGE) && !str_eq(is->image, want->image))
		return false;
	if ((changes & CHANGE_ARGS) && !str_eq(is->args, want->args))
		return false;
	if ((changes & CHANGE_DISK) && is->disk_gb != want->disk_gb)
		return false;
	if (changes & CHANGE_PORTS) {
		if (is->nports != want->nports)
			return false;
		for (size_t i = 0; i < want->nports; i++)
			if (!str_eq(is->ports[i], want->ports[i]))
				return false;
	}
	/* The environment comes back with the service's own additions, so
	 * whether it took ours is seen by sending it again. */
	return (changes & CHANGE_ENV) == 0;
}

static void
checked(struct run *run, struct act *act, const struct cloud_answer *answer)
{
	if (answer->outcome == OUTCOME_OK && is_shown(act, answer) &&
	    (op_of(act->kind) == OP_UPDATE ? updated(act, answer)
					   : already(act, answer))) {
		finish(run, act);
		return;
	}
	struct cloud_answer not_yet = *answer;
	if (answer->outcome == OUTCOME_OK)
		not_yet.message = STR("the change does not show");
	again(run, act, &not_yet);
}

void
change_answer(struct run *run, struct act *act,
    const struct cloud_answer *answer)
{
	assert(act->phase == PH_VERIFY || act->phase == PH_SENT ||
	    act->phase == PH_CHECK);
	if (act->phase == PH_VERIFY)
		verified(run, act, answer);
	else if (act->phase == PH_SENT)
		sent(run, act, answer);
	else if (action_rows[act->kind].deletes)
		gone_answer(run, act, answer);
	else
		checked(run, act, answer);
}
