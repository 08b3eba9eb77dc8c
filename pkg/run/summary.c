/* summary.c - what a run came to: counts, what is left, the exit code. */
#include "base/plant.h"
#include "run/act.h"
#include "run/session.h"

/* What is inside a pod was changed and nothing else of it: that is one, as in
 * the plan, however many steps it took. */
static void
count_inside(struct run *run, const struct act *act)
{
	if (act->kind != ACTION_POD_SETUP && act->kind != ACTION_POD_PROCESS)
		return;
	if (act->phase != PH_DONE || act->change->op != PLAN_UPDATE ||
	    act->change->changes != 0 || act->subject->counted)
		return;
	act->subject->counted = true;
	run->summary.changed_count++;
}

static void
count(struct run *run, const struct act *act)
{
	struct run_summary *sum = &run->summary;

	count_inside(run, act);
	if (act->phase != PH_DONE || !act->effected)
		return;
	if (act->undo && act->kind == ACTION_POD_STOP &&
	    act->entry.tainted)
		return;			/* kept, and listed as such */
	if (act->undo) {
		sum->undone++;
		return;
	}
	if (act->undone_by != NULL && act->undone_by->phase == PH_DONE)
		return;
	switch (act->kind) {
	case ACTION_POD_CREATE:
	case ACTION_VOLUME_CREATE:
	case ACTION_RUNNER_REGISTER:
	case ACTION_TUNNEL_OPEN:
		sum->added++;
		break;
	case ACTION_POD_UPDATE:
	case ACTION_VOLUME_UPDATE:
		sum->changed_count++;
		break;
	case ACTION_POD_START:
		sum->started++;
		break;
	case ACTION_POD_STOP:
		sum->stopped++;
		break;
	case ACTION_POD_DELETE:
	case ACTION_VOLUME_DELETE:
	case ACTION_RUNNER_REMOVE:
	case ACTION_TUNNEL_CLOSE:
		sum->destroyed++;
		break;
	default:
		break;
	}
}

/* What it bills: as this run has learned, or, where it is to be ended, as it
 * was before; -1 unknown. */
static int64_t
price_of(const struct act *act)
{
	const struct plan_change *change = act->change;
	bool ends = action_rows[act->kind].deletes && !act->undo;

	if (act->subject->per_hour > 0)
		return act->subject->per_hour;
	if (change->kind == KIND_RUNNER || change->kind == KIND_TUNNEL)
		return 0;
	if (ends && change->kind == KIND_VOLUME && change->have != NULL)
		return price_volume(change->have->volume.size_gb,
		    change->have->volume.high_performance);
	return ends && change->before_per_hour > 0 ? change->before_per_hour
						   : -1;
}

static void
leave(struct run *run, const struct act *act, struct str why)
{
	struct run_left *left = ARENA_PUSH(run->arena, &run->summary.left);

	*left = (struct run_left){
		.address = act_address(act),
		.id = act->id,
		.op = act->op,
		.per_hour = price_of(act),
		.why = why,
	};
}

/* Stopped by a rollback: what is on its disk stays, and costs a little. */
static void
leave_stopped(struct run *run, const struct act *act)
{
	const struct pod_config *config = &act->change->config;
	int64_t storage = config->persistent_gb > 0
	    ? price_persistent_disk(config->persistent_gb, false)
	    : 0;

	leave(run, act, arena_printf(run->arena, "stopped, since something of "
	    "yours has run on it; look at it, or end it with: podform destroy "
	    "--target " STR_FMT, STR_ARG(act_address(act))));
	run->summary.left.items[run->summary.left.n - 1].per_hour = storage;
}

static struct str
id_to_end(const struct act *act)
{
	if (act->id.len > 0)
		return act->id;
	if (act->undoes != NULL)
		return act->undoes->id;
	return act->change->have != NULL ? act->change->have->id
					 : (struct str){0};
}

static bool
is_left_in_peace(const struct run *run, const struct act *act)
{
	bool ends = act->kind == ACTION_POD_DELETE ||
	    act->kind == ACTION_POD_STOP;

	return ends && run->busy_pods.n > 0 &&
	    (act->phase == PH_SKIPPED || act->phase == PH_FAILED) &&
	    map_get(&run->busy_pods, id_to_end(act)) != NULL;
}

static void
leave_busy(struct run *run, const struct act *act)
{
	leave(run, act, STR("it is left in peace, since its runner has a job "
	    "or nobody knows; apply again when that is done, or with "
	    "--force-runners"));
	struct run_left *left =
	    &run->summary.left.items[run->summary.left.n - 1];
	left->id = id_to_end(act);
	if (left->per_hour < 0 && act->change->before_per_hour > 0)
		left->per_hour = act->change->before_per_hour;
}

/* A destroy that was interrupted, or has failed elsewhere, did not come to
 * it: it bills on.  Where other plans end something, what they leave is as it
 * was before, and wanted so. */
static bool
is_not_ended(const struct run *run, const struct act *act)
{
	return run->plan->mode == PLAN_DESTROY && !act->undo &&
	    action_rows[act->kind].deletes && act->phase != PH_DONE &&
	    act->phase != PH_FAILED;
}

static void
leave_not_ended(struct run *run, const struct act *act)
{
	struct str why = act->reason.len > 0 ? act->reason
					     : STR("interrupted");

	leave(run, act, arena_printf(run->arena, "not ended: " STR_FMT,
	    STR_ARG(why)));
	run->summary.left.items[run->summary.left.n - 1].id = id_to_end(act);
}

/* What an undo has not brought to its end is there still; what made it says
 * so itself where that is unclear. */
static void
find_left_of_undo(struct run *run, const struct act *act)
{
	if (act->phase == PH_DONE)
		return;
	if (act->phase == PH_FAILED || act->phase == PH_SKIPPED)
		leave(run, act, arena_printf(run->arena,
		    "could not be undone: " STR_FMT, STR_ARG(act->reason)));
	else if (act->undoes == NULL || !act->undoes->intended)
		leave(run, act, STR("it was not undone before the run was "
		    "left"));
	else
		return;
	struct run_left *left =
	    &run->summary.left.items[run->summary.left.n - 1];
	if (left->id.len == 0)
		left->id = id_to_end(act);
}

/* Something of this act may cost money although the run has failed. */
static void
find_left(struct run *run, const struct act *act)
{
	if (act->intended) {
		leave(run, act,
		    action_rows[act->kind].creates
			? STR("it is unclear whether it was made; the next "
			      "apply settles it")
			: STR("its outcome is unclear; the next apply settles "
			      "it"));
		return;
	}
	if (act->undo && act->phase == PH_DONE &&
	    act->kind == ACTION_POD_STOP && act->entry.tainted) {
		leave_stopped(run, act);
		return;
	}
	if (is_left_in_peace(run, act)) {
		leave_busy(run, act);
		return;
	}
	if (is_not_ended(run, act)) {
		leave_not_ended(run, act);
		return;
	}
	if (act->undo) {
		find_left_of_undo(run, act);
		return;
	}
	if (action_rows[act->kind].waits && act->phase == PH_FAILED &&
	    act->subject->id.len == 0 && act->change->op == PLAN_NOOP)
		leave(run, act, arena_printf(run->arena,
		    "it was there before and is not up: " STR_FMT,
		    STR_ARG(act->reason)));
	bool undone = act->undone_by != NULL;
	bool failed = act->component != SIZE_MAX &&
	    run->failed_component[act->component];
	if (action_rows[act->kind].creates && act->phase == PH_DONE &&
	    act->effected && failed && !undone)
		leave(run, act,
		    act->change->on_failure == ON_FAILURE_KEEP
			? STR("kept, as its on_failure says")
			: run->options.keep
			? STR("kept, as --on-failure keep says")
			: STR("it was made before the run was left"));
	if (action_rows[act->kind].deletes && act->phase == PH_FAILED) {
		leave(run, act,
		    arena_printf(run->arena, "could not be removed: " STR_FMT,
			STR_ARG(act->reason)));
		run->summary.left.items[run->summary.left.n - 1].id =
		    id_to_end(act);
	}
}

/* A run that failed leaves what its whole parts made: wanted, but billing
 * because of this run, and so to be named. */
static void
list_kept(struct run *run)
{
	for (size_t i = 0; i < run->acts.n; i++) {
		const struct act *act = run->acts.items[i];
		if (act->component == SIZE_MAX ||
		    run->failed_component[act->component])
			continue;
		if (act->phase == PH_DONE && act->effected &&
		    (action_rows[act->kind].creates ||
			act->kind == ACTION_POD_START))
			leave(run, act, run->unrecorded
				? STR("made as planned; known to the journal "
				      "alone so far")
				: STR("made as planned; its part "
				      "succeeded"));
	}
}

static bool
is_of_an_act(const struct run *run, const struct lock_op *op)
{
	for (size_t i = 0; i < run->acts.n; i++)
		if (str_eq(id128_str(&run->acts.items[i]->op),
			id128_str(&op->op)))
			return true;
	return false;
}

/* What an earlier run left open and nobody could settle before this one: the
 * plan went around it, and it is as unclear as it was. */
static void
find_left_open(struct run *run)
{
	for (size_t i = 0; i < run->lock->pending.n; i++) {
		const struct lock_op *op = &run->lock->pending.items[i];
		bool bills = op->entry.kind == KIND_POD ||
		    op->entry.kind == KIND_VOLUME;
		if (is_of_an_act(run, op))
			continue;
		*ARENA_PUSH(run->arena, &run->summary.left) =
		    (struct run_left){
			.address = op->address,
			.id = op->entry.id,
			.op = op->op,
			.per_hour = !bills ? 0
			    : op->entry.price_per_hour > 0
			    ? op->entry.price_per_hour
			    : -1,
			.why = STR("an earlier run was cut off, and what "
			    "came of it could not be found out; the next "
			    "apply settles it"),
		    };
	}
}

static int
code_of(enum run_failure failure)
{
	switch (failure) {
	case FAIL_CAPACITY:
		return EXIT_CAPACITY;
	case FAIL_AUTH:
		return EXIT_AUTH;
	case FAIL_BALANCE:
		return EXIT_BALANCE;
	case FAIL_BUDGET:
		return EXIT_POLICY;
	default:
		return EXIT_ERROR;
	}
}

void
summary_make(struct run *run)
{
	struct run_summary *sum = &run->summary;
	sum->added = sum->changed_count = sum->destroyed = 0;
	sum->started = sum->stopped = sum->undone = 0;
	sum->left.n = 0;
	for (size_t i = 0; i < run->acts.n; i++) {
		count(run, run->acts.items[i]);
		find_left(run, run->acts.items[i]);
	}
	find_left_open(run);
	size_t kept = sum->added + sum->changed_count + sum->destroyed +
	    sum->started + sum->stopped;
	if (sum->failures.n > 0 || sum->interrupted || run->unrecorded)
		list_kept(run);
	if (PLANTED(20) && run->lock->pending.n > 0)
		sum->exit_code = EXIT_OK;
	else if (sum->left.n > 0)
		sum->exit_code = EXIT_LEFT;
	else if (sum->interrupted)
		sum->exit_code = EXIT_INTERRUPTED;
	else if (sum->failures.n == 0)
		sum->exit_code = EXIT_OK;
	else if (sum->undone > 0 && kept == 0)
		sum->exit_code = EXIT_UNDONE;
	else
		sum->exit_code = code_of(sum->failures.items[0].failure);
}
