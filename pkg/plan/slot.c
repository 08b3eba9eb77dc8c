/*
 * slot.c - the changes that a plan can make of one pod; see slot.h.
 */
#include "base/units.h"
#include "plan/slot.h"

/* ----------------------------------------------------------- create ---- */

static void
depend(struct slot *slot)
{
	for (size_t i = 0; i < slot->want->nneeds; i++)
		*ARENA_PUSH(slot->p->arena, &slot->change.depends_on) =
		    slot->want->needs[i]->address;
}

/* Nothing was found: say why, with the price that would have done. */
static void
unplaced(struct slot *slot, const struct placement *found)
{
	struct planner *p = slot->p;
	struct str address = slot->want->address;
	struct span span = slot->spec->at[POD_FIELD_MAX_PRICE];

	if (!found->priced_out)
		check_add(p, "placement", CHECK_FAIL,
		    slot->spec->at[POD_FIELD_GPU], STR_FMT " fits nowhere: no "
		    "wanted GPU is offered %lld at a time with this cloud, "
		    "place and CUDA version", STR_ARG(address),
		    (long long)slot->spec->gpu_count);
	else if (found->cheapest < 0)
		check_add(p, "max_price", CHECK_FAIL, span, STR_FMT ": the "
		    "price of no candidate is known, and an unknown price is "
		    "over any limit", STR_ARG(address));
	else
		check_add(p, "max_price", CHECK_FAIL, span, STR_FMT " would "
		    "cost at least " STR_FMT " per hour, and max_price is "
		    STR_FMT, STR_ARG(address),
		    STR_ARG(format_rate(p->arena, found->cheapest)),
		    STR_ARG(format_rate(p->arena, slot->spec->max_price)));
}

/*
 * Where, and for how much; without a catalog the caller has to fetch it.
 * Replicas share the answer, and what is wrong with it is said once.
 */
static void
place(struct slot *slot)
{
	struct planner *p = slot->p;
	struct plan_change *change = &slot->change;

	p->plan->needs_account |= !p->live->account_known;
	if (!p->live->catalog_known) {
		p->plan->needs_catalog = true;
		change->price_unknown = true;
		return;
	}
	if (p->placed != slot->spec) {
		struct placement found = {0};
		p->placed = slot->spec;
		p->placement = (struct plan_change){0};
		if (place_find(p->arena, slot->spec, slot->diff.data_center,
			p->live, &p->placement, &found, p->diags) &&
		    p->placement.candidates.n == 0)
			unplaced(slot, &found);
	}
	change->candidates.items = p->placement.candidates.items;
	change->candidates.n = p->placement.candidates.n;
	change->candidates.cap = p->placement.candidates.cap;
	if (change->candidates.n > 0)
		change->gpu_name = change->candidates.items[0].gpu_name;
	else
		change->price_unknown = true;
}

static void
create_with(struct slot *slot, enum plan_op op, enum plan_reason reason)
{
	struct plan_change *change = &slot->change;

	change->op = op;
	change->reason = reason;
	config_wanted(&slot->diff, &change->config);
	outputs_move(slot->p, slot->want, OUTPUTS_ALL);
	change->name_pattern = slot->spec->name_pattern;
	change->on_failure = slot->spec->on_failure;
	change->changes = 0;
	change->restarts = false;
	inside_all(slot->p, slot->want, &change->inside);
	depend(slot);
	place(slot);
}

void
slot_create(struct slot *slot, enum plan_reason reason)
{
	struct plan_change *change = &slot->change;

	create_with(slot, PLAN_CREATE, reason);
	change->undo = "terminate";
	change->gone = slot->gone;
	change->gone_proved = slot->proved;
	change->span = slot->want->span;
	slot->target = change->config;
	diff_create(&slot->diff);
	inside_attrs(slot->p, change, NULL);
	change_add(slot->p, change);
}

void
slot_not_created(struct slot *slot)
{
	check_add(slot->p, "state", CHECK_PASS,
	    slot->spec->at[POD_FIELD_STATE], STR_FMT " is not created: it "
	    "would only be stopped", STR_ARG(slot->want->address));
}

/* ---------------------------------------------------------- replace ---- */

static const struct plan_attr *
forcing(const struct plan_change *change)
{
	for (size_t i = 0; i < change->attrs.n; i++)
		if (change->attrs.items[i].forces_replacement)
			return &change->attrs.items[i];
	return NULL;
}

/* A new pod gets the name that the spec gives it, whatever the one before it
 * is called: one that was imported, or pod.x that is pod.x[0] now. */
static void
tell_new_name(struct slot *slot)
{
	struct plan_change *change = &slot->change;
	struct str before = config_name_of(slot->have);
	struct plan_attr *attr = NULL;

	for (size_t i = 0; i < change->attrs.n && attr == NULL; i++)
		if (str_is(change->attrs.items[i].path, "name"))
			attr = &change->attrs.items[i];
	if (attr == NULL && str_eq(before, change->config.name))
		return;
	if (attr == NULL) {
		attr = ARENA_PUSH(slot->p->arena, &change->attrs);
		*attr = (struct plan_attr){
			.path = STR("name"), .edit = true,
			.before = json_text_of(slot->p->arena, before),
			.span = field_span(&slot->diff, POD_FIELD_NAME),
		};
	}
	attr->after = json_text_of(slot->p->arena, change->config.name);
}

void
slot_replace(struct slot *slot, enum plan_reason reason)
{
	struct planner *p = slot->p;
	struct plan_change *change = &slot->change;
	const struct plan_attr *attr = forcing(change);

	create_with(slot, PLAN_REPLACE, reason);
	tell_new_name(slot);
	change->span = attr != NULL ? attr->span : slot->want->span;
	/* A broken pod is no help while its successor starts. */
	change->create_first = slot->spec->replace == REPLACE_CREATE_FIRST &&
	    reason != BECAUSE_LOST;
	change->undo = change->create_first ? "terminate" : "none";
	danger_add(p, change, "container_reset");
	if (change->create_first)
		danger_add(p, change, "double_billing");
	else if (slot->have->pod.volume_id.len == 0)
		danger_add(p, change, "data_loss");
	change_add(p, change);
}

void
slot_replace_stopped(struct slot *slot, enum plan_reason reason)
{
	struct plan_change *change = &slot->change;

	if (reason == BECAUSE_CANNOT_UPDATE || reason == BECAUSE_REQUESTED) {
		const struct plan_attr *attr = forcing(change);
		check_add(slot->p, "state", CHECK_WARN, attr != NULL ?
		    attr->span : slot->want->span, STR_FMT " needs a new pod, "
		    "which waits until its state is running",
		    STR_ARG(slot->want->address));
		return;
	}
	change->op = PLAN_DELETE;
	change->reason = reason;
	change->attrs.n = 0;
	change->undo = "none";
	change->span = slot->want->span;
	danger_add(slot->p, change, "data_loss");
	change_add(slot->p, change);
}

/* ------------------------------------------------- update and state ---- */

/* What the record should be once this plan, or nothing, was done. */
static void
target_make(struct slot *slot)
{
	struct pod_config *target = &slot->target;
	struct pod_config open = *target;	/* what diff_pod() settled */

	config_wanted(&slot->diff, target);
	target->name = open.name;
	target->gpu = open.gpu;
	target->min_cuda = open.min_cuda;
	target->tier = open.tier;
	target->data_center = open.data_center;
	target->persistent_gb = slot->have->pod.persistent_gb;
	target->persistent_path = slot->have->pod.persistent_path;
}

bool
slot_look_inside(struct slot *slot)
{
	struct planner *p = slot->p;
	struct plan_change *change = &slot->change;
	const struct lock_entry *have = slot->have;

	if (!slot->runs && !change->start)
		return false;
	if (change->stop)
		return false;
	if (change->start || change->restarts) {
		inside_all(p, slot->want, &change->inside);
		return change->inside.login;
	}
	if (!p->live->from_lock && inside_restarted(have, slot->pod)) {
		inside_all(p, slot->want, &change->inside);
		if (!change->inside.checks && !change->inside.process &&
		    slot->spec->nsetup == 0)
			return false;
		inside_restart_attr(p, change);
		return true;
	}
	if (!inside_rest(p, slot->want, have, &change->inside))
		return false;
	inside_attrs(p, change, &have->inside);
	slot->diff.edited = true;
	return true;
}

static void
finish_update(struct slot *slot)
{
	struct planner *p = slot->p;
	struct plan_change *change = &slot->change;
	unsigned moves = 0;

	if (change->restarts && slot->runs && !change->stop)
		danger_add(p, change, "container_reset");
	if (change->stop) {
		danger_add(p, change, "container_reset");
		danger_add(p, change, "gpu_not_guaranteed");
	}
	if (change->start) {
		danger_add(p, change, "gpu_not_guaranteed");
		p->plan->needs_account |= !p->live->account_known;
	}
	target_make(slot);
	if (change->start || (change->restarts && slot->runs && !change->stop))
		moves |= OUTPUTS_SSH;
	if (!str_eq(slot->target.name, config_name_of(slot->have)))
		moves |= OUTPUTS_NAME;
	if (moves != 0)
		outputs_move(p, slot->want, moves);
	change->on_failure = slot->spec->on_failure;
	change->config = slot->target;
	change->gpu_name = str_eq(slot->target.gpu, slot->have->pod.gpu) ?
	    slot->have->gpu_name : gpu_name_of(p->live, slot->target.gpu);
	change->name_pattern = slot->spec->name_pattern;
	depend(slot);
	change_add(p, change);
}

void
slot_update(struct slot *slot)
{
	struct plan_change *change = &slot->change;

	change->op = PLAN_UPDATE;
	slot_look_inside(slot);
	change->reason = slot->diff.edited ? BECAUSE_EDIT : BECAUSE_DRIFT;
	change->span = slot->want->span;
	for (size_t i = change->attrs.n; i-- > 0;)
		if (change->attrs.items[i].edit == slot->diff.edited)
			change->span = change->attrs.items[i].span;
	change->undo = "update";
	finish_update(slot);
}

void
slot_change_state(struct slot *slot)
{
	struct plan_change *change = &slot->change;
	struct span span = slot->spec->at[POD_FIELD_STATE];

	change->op = change->start ? PLAN_START : PLAN_STOP;
	slot_look_inside(slot);
	change->reason = BECAUSE_DESIRED;
	change->undo = change->start ? "stop" : "start";
	change->span = span;
	finish_update(slot);
}

/* --------------------------------------------------------- the record -- */

static bool
renamed(const struct slot *slot)
{
	return !str_eq(slot->have->address, slot->want->address);
}

/* Started, by an earlier run perhaps, and not up yet. */
static bool
is_coming_up(const struct slot *slot)
{
	enum pod_status status = slot->pod->status;

	return slot->spec->state == STATE_RUNNING &&
	    !slot->p->live->from_lock &&
	    (status == POD_PROVISIONING || status == POD_STARTING ||
		(status == POD_RUNNING && !slot->pod->has_runtime));
}

/* What somebody did to the state is recorded once it is what is wanted. */
static bool
stopped_now(const struct slot *slot)
{
	bool wanted = slot->spec->state == STATE_STOPPED;

	if (wanted ? slot->drift.stopped : slot->drift.started)
		return wanted;
	return slot->have->stopped;
}

/* Nothing of the cloud changes, but the record may have to. */
static void
record(struct slot *slot)
{
	struct planner *p = slot->p;
	const struct lock_entry *have = slot->have;
	bool stopped = stopped_now(slot);

	if (!slot->diff.agreed && !renamed(slot) &&
	    have->protect == slot->spec->protect && have->stopped == stopped)
		return;
	struct lock_entry *entry = ARENA_NEW(p->arena, struct lock_entry);
	*entry = *have;
	entry->address = slot->want->address;
	entry->protect = slot->spec->protect;
	entry->stopped = stopped;
	if (slot->diff.agreed) {
		target_make(slot);
		entry->pod = slot->target;
		entry->pod.name = have->pod.name;
		if (!str_eq(entry->pod.gpu, have->pod.gpu))
			entry->gpu_name = gpu_name_of(p->live,
			    entry->pod.gpu);
	}
	keep_add(p, have, entry);
}

static bool
lacks_ssh_port(const struct slot *slot)
{
	const struct cloud_pod *pod = slot->pod;

	if (slot->spec->state != STATE_RUNNING || slot->p->live->from_lock ||
	    pod->status != POD_RUNNING || pod->ssh.port != 0)
		return false;
	for (size_t i = 0; i < pod->config.nports; i++)
		if (str_is(pod->config.ports[i], "22/tcp"))
			return true;
	return false;
}

/*
 * Since when a container should be up: since it started; where it never did,
 * since the pod was made.  Of one that ran before and is starting again the
 * service does not say.
 */
static bool
coming_since(const struct slot *slot, int64_t *wall_ms)
{
	const struct lock_entry *have = slot->have;
	struct str started = slot->pod->started_at;

	/* While it is about to start, that may be its last time. */
	if (started.len > 0 && (slot->pod->status == POD_RUNNING ||
		!str_eq(started, have->inside.start)))
		return parse_time(started, wall_ms);
	return have->inside.start.len == 0 && !have->stopped &&
	    parse_time(slot->pod->created_at, wall_ms);
}

/* A pod that an earlier run could not wait for, and that bills all the same:
 * it is named until somebody has decided what to do about it. */
void
slot_check_stuck(struct slot *slot)
{
	struct planner *p = slot->p;
	bool coming_up = is_coming_up(slot);
	int64_t timeout = slot->spec->ready_timeout_ms, since, age;

	if (!coming_up && !lacks_ssh_port(slot))
		return;
	if (!coming_since(slot, &since))
		return;
	age = p->options->wall_ms - since;
	if (age <= timeout)
		return;
	age -= age % (age < HOUR_MS ? SECOND_MS : MINUTE_MS);
	check_add(p, "stuck", CHECK_WARN, slot->want->span, STR_FMT " has "
	    "waited for its %s for " STR_FMT ", and is billed; if nothing "
	    "comes of pod '" STR_FMT "': podform apply --replace " STR_FMT,
	    STR_ARG(slot->want->address), coming_up ? "container" : "SSH port",
	    STR_ARG(format_duration(p->arena, age)),
	    STR_ARG(slot->have->id), STR_ARG(slot->want->address));
}

void
slot_stays(struct slot *slot)
{
	struct planner *p = slot->p;

	p->plan->noops++;
	cost_stays(p, slot->have, slot->pod);
	if (is_coming_up(slot))
		*ARENA_PUSH(p->arena, &p->plan->waits) = slot->change;
	record(slot);
}

void
slot_update_inside(struct slot *slot)
{
	struct plan_change *change = &slot->change;

	change->op = PLAN_UPDATE;
	change->reason = slot->diff.edited ? BECAUSE_EDIT : BECAUSE_RESTARTED;
	change->span = slot->want->span;
	if (slot->diff.edited)
		change->span = change->attrs.items[0].span;
	change->undo = "none";
	record(slot);
	finish_update(slot);
}
