/*
 * undo.c - which parts belong together, and how a part is undone.
 *
 * Actions that depend on each other, directly or through others, are one
 * part; the barrier before the deletions binds nothing.  When an action
 * fails for good, the rest of its part is not started, and once nothing of
 * it is in flight, what was done is undone in reverse by acts of the same
 * kinds, with the same journal.
 */
#include "base/probe.h"
#include "run/act.h"

static size_t
find_root(size_t *parent, size_t i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

static void
join(size_t *parent, size_t a, size_t b)
{
	a = find_root(parent, a);
	b = find_root(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

void
components_make(struct run *run)
{
	size_t n = run->acts.n;
	struct arena scratch = {0};
	size_t *parent = ARENA_ARRAY(&scratch, size_t, n);
	size_t *first = ARENA_ARRAY(&scratch, size_t,
	    run->plan->changes.n + run->plan->waits.n);

	for (size_t i = 0; i < n; i++)
		parent[i] = i;
	for (size_t i = 0; i < n; i++) {
		struct act *act = run->acts.items[i];
		if (act->kind == ACTION_BARRIER)
			continue;
		size_t change = run->plan->actions.items[i].change;
		if (first[change] != 0)
			join(parent, first[change] - 1, i);
		else
			first[change] = i + 1;
		if (run->options.atomic)
			join(parent, 0, i);
		for (size_t j = 0; j < act->unblocks.n; j++)
			if (act->unblocks.items[j]->kind != ACTION_BARRIER)
				join(parent, i, act->unblocks.items[j]->index);
	}
	run->ncomponents = n;
	run->failed_component = ARENA_ARRAY(run->arena, bool, n);
	run->undone_component = ARENA_ARRAY(run->arena, bool, n);
	run->busy_component = ARENA_ARRAY(run->arena, size_t, n);
	for (size_t i = 0; i < n; i++)
		if (run->acts.items[i]->kind != ACTION_BARRIER)
			run->acts.items[i]->component = find_root(parent, i);
	arena_release(&scratch);
}

/* Something of the user's has run on it, and on_failure is to stop: it is
 * ended only if its backup.check says so. */
static bool
ends_by_stop(const struct act *act)
{
	return act->change->on_failure == ON_FAILURE_STOP &&
	    act->subject->user_ran && act->change->want != NULL;
}

/* A tunnel that did not come up, or whose wait was cut off, may be held all
 * the same, and a runner that got a token may have registered itself. */
int
undo_inverse(const struct act *act)
{
	bool ended = act->phase == PH_DONE ||
	    (phase_is_final(act->phase) && act->kind == ACTION_TUNNEL_OPEN);
	if (ended && act->kind == ACTION_RUNNER_REGISTER && act->intended)
		return ACTION_RUNNER_REMOVE;
	if (!ended || !act->effected || act->undo)
		return -1;
	if (act->kind == ACTION_POD_CREATE && ends_by_stop(act) &&
	    act->change->want->pod->backup_check.raw.len == 0) {
		PROBE("undo_stops_instead");
		return ACTION_POD_STOP;
	}
	if (act->kind == ACTION_POD_CREATE &&
	    act->change->on_failure == ON_FAILURE_KEEP)
		return -1;
	if (act->kind == ACTION_POD_UPDATE && act->change->pod == NULL)
		return -1;
	return action_rows[act->kind].inverse;
}

/*
 * Must it come after: in reverse, a volume after all pods of its part, a pod
 * after what lives on it, and the steps of one change one after another.
 */
static bool
comes_after(const struct run *run, const struct act *undo,
    const struct act *before)
{
	if (before->change == undo->change || action_rows[undo->kind].volume)
		return true;
	return (before->change->kind == KIND_RUNNER ||
		   before->change->kind == KIND_TUNNEL) &&
	    before->change->host_change != SIZE_MAX &&
	    &run->change_subjects[before->change->host_change] ==
	    undo->subject;
}

static struct act *
add_undo(struct run *run, enum action_kind kind, struct act *undoes)
{
	struct act *undo =
	    act_add(run, kind, undoes->change, undoes->subject);
	undo->undo = true;
	undo->undoes = undoes;
	return undo;
}

static void
undo_component(struct run *run, size_t component)
{
	VEC_OF(struct act *) undos = {0};
	size_t n = run->acts.n;

	for (size_t i = n; i-- > 0;) {
		struct act *act = run->acts.items[i];
		int inverse = undo_inverse(act);
		if (act->component != component || inverse == -1)
			continue;
		if (undos.n == 0)
			run_say(run, NOTE_ROLLBACK_START, act, act->reason);
		struct act *undo = NULL, *backup = NULL;
		size_t before = undos.n;
		if (act->kind == ACTION_POD_CREATE && ends_by_stop(act) &&
		    inverse == ACTION_POD_DELETE) {
			PROBE("undo_asks_for_backup");
			backup = add_undo(run, ACTION_POD_BACKUP, act);
		}
		undo = add_undo(run, (enum action_kind)inverse, act);
		act->undone_by = undo;
		for (size_t j = 0; j < before; j++)
			if (comes_after(run, undo, undos.items[j]))
				act_after(run, backup != NULL ? backup : undo,
				    undos.items[j]);
		if (backup != NULL) {
			backup->ends = undo;
			act_after(run, undo, backup);
			*ARENA_PUSH(run->arena, &undos) = backup;
		}
		*ARENA_PUSH(run->arena, &undos) = undo;
	}
	for (size_t i = 0; i < undos.n; i++)
		if (undos.items[i]->waits == 0)
			act_queue(run, undos.items[i], 0);
}

void
undo_pump(struct run *run)
{
	if (run->options.keep || run->disk_failed ||
	    (run->summary.failures.n == 0 && !run->stopping))
		return;
	for (size_t i = 0; i < run->ncomponents; i++) {
		if (!run->failed_component[i] || run->undone_component[i] ||
		    run->busy_component[i] > 0)
			continue;
		run->undone_component[i] = true;
		undo_component(run, i);
	}
}

/* End a second pod with the op of one that this run made. */
void
undo_double(struct run *run, struct act *made, const struct cloud_pod *pod)
{
	PROBE("undo_second_pod_of_one_op");
	struct plan_change *change = ARENA_NEW(run->arena, struct plan_change);
	struct cloud_pod *copy = ARENA_NEW(run->arena, struct cloud_pod);
	copy->id = arena_str(run->arena, pod->id);
	copy->status = pod->status;
	*change = (struct plan_change){
		.op = PLAN_DELETE,
		.reason = BECAUSE_ORPHAN,
		.orphan = true,
		.kind = KIND_POD,
		.address = made->change->address,
		.name = made->change->name,
		.key = made->change->key,
		.pod = copy,
		.span = made->change->span,
	};
	struct act *act = act_add(run, ACTION_POD_DELETE, change,
	    ARENA_NEW(run->arena, struct subject));
	act->undo = true;
	map_put(&run->doubles, run->arena, copy->id, act);
	act_queue(run, act, 0);
}
