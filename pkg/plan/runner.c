/*
 * runner.c - what becomes of GitHub runners.
 *
 *	no record                       create
 *	its spec differs                replace
 *	its pod is or was made anew     replace: what it ran from is gone
 *	GitHub lacks it, or does not
 *	hear from it                    replace
 *	not wanted, or its pod ends     remove
 *	our mark, and no record         remove
 *
 * Runners are decided after pods, since only a removed runner's pod may be
 * ended: where a plan ends or resets a pod, the removal of the runner that
 * is recorded on it is part of the plan, whatever --target says; --exclude
 * of it refuses the plan.  What GitHub has not told decides nothing.
 * What it offers to a runner that is made is looked up in offer.c.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/units.h"
#include "plan/planner.h"

struct seat {
	struct planner *p;
	const struct resource *want, *pod;	/* pod: that it is on */
	const struct lock_entry *have, *host;	/* host: record of the pod */
	const struct plan_change *host_change;	/* or NULL */
	const struct live_scope *had;		/* recorded, not wanted */
	struct plan_change change;
};

/* ----------------------------------------------------------- finding --- */

static const struct live_scope *
find_scope(struct planner *p, struct str repository, struct str organization)
{
	struct github_scope scope = { repository, organization };

	for (size_t i = 0; i < p->live->nscopes; i++)
		if (github_scope_eq(&p->live->scopes[i].scope, &scope))
			return &p->live->scopes[i];
	return NULL;
}

static bool
is_known(struct planner *p, const struct live_scope *scope)
{
	bool known = scope != NULL && scope->known;

	p->plan->needs_github |= !known && !p->live->from_lock;
	return known;
}

static const struct github_runner *
find_runner(const struct live_scope *scope, struct str id)
{
	int64_t number;

	if (scope == NULL || !scope->known ||
	    !parse_int(id, 0, INT64_MAX, &number))
		return NULL;
	for (size_t i = 0; i < scope->nrunners; i++)
		if (scope->runners[i].id == number)
			return &scope->runners[i];
	return NULL;
}

/* ------------------------------------------------------ what is wanted - */

static int
by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct str *
sorted_labels(struct planner *p, const struct runner_spec *spec)
{
	struct str *labels = ARENA_ARRAY(p->arena, struct str, spec->nlabels);

	for (size_t i = 0; i < spec->nlabels; i++)
		labels[i] = spec->labels[i];
	if (spec->nlabels > 1)
		qsort(labels, spec->nlabels, sizeof *labels, by_text);
	return labels;
}

static void
want_config(struct seat *seat)
{
	const struct runner_spec *spec = seat->want->runner;

	seat->change.runner_config = (struct lock_runner){
		.repository = spec->repository,
		.organization = spec->organization,
		.labels = sorted_labels(seat->p, spec),
		.nlabels = spec->nlabels, .group = spec->group,
		.version = spec->version, .ephemeral = spec->ephemeral,
		.pod = seat->pod->address,
	};
}

static void
attr(struct seat *seat, const char *path, struct str before, struct str after,
    struct span span)
{
	bool replaces = seat->have != NULL;

	if (str_eq(before, after))
		return;
	*ARENA_PUSH(seat->p->arena, &seat->change.attrs) = (struct plan_attr){
		.path = str_from(path), .before = before, .after = after,
		.edit = true, .forces_replacement = replaces,
		.effect = replaces ? EFFECT_REPLACE : EFFECT_NONE,
		.span = span,
	};
}

static struct str
json_flag(bool flag)
{
	return flag ? STR("true") : (struct str){0};
}

/* The same slot of the same pod goes by two addresses. */
static struct str
pod_recorded(const struct seat *seat)
{
	const struct lock_runner *had = &seat->have->runner;

	if (seat->host != NULL && (str_eq(seat->host->id, had->pod_id) ||
		str_eq(seat->host->address, had->pod)))
		return seat->pod->address;
	return had->pod;
}

/* Spec against record; without a record all that is given. */
static void
diff_runner(struct seat *seat)
{
	struct arena *arena = seat->p->arena;
	const struct lock_runner *want = &seat->change.runner_config;
	const struct lock_runner none = {0};
	const struct lock_runner *had = seat->have != NULL ?
	    &seat->have->runner : &none;
	bool latest = str_is(want->version, "latest");
	struct span span = seat->want->span;

	attr(seat, "pod", seat->have != NULL ? json_text_of(arena,
	    pod_recorded(seat)) : (struct str){0},
	    json_text_of(arena, want->pod), seat->want->runner->pod_at);
	attr(seat, "repository", json_text_of(arena, had->repository),
	    json_text_of(arena, want->repository), span);
	attr(seat, "organization", json_text_of(arena, had->organization),
	    json_text_of(arena, want->organization), span);
	attr(seat, "labels", seat->have != NULL ? json_list_of(arena,
	    had->labels, had->nlabels) : (struct str){0},
	    want->nlabels > 0 || seat->have != NULL ? json_list_of(arena,
	    want->labels, want->nlabels) : (struct str){0}, span);
	attr(seat, "group", json_text_of(arena, had->group),
	    json_text_of(arena, want->group), span);
	attr(seat, "ephemeral", json_flag(had->ephemeral),
	    json_flag(want->ephemeral), span);
	/* `latest` is whatever it was: runners update themselves. */
	if (seat->have == NULL || !latest)
		attr(seat, "version", json_text_of(arena, had->version),
		    json_text_of(arena, latest ? seat->change.package.version :
		    want->version), span);
}

/* -------------------------------------------------------- the changes -- */

static void
busy_danger(struct planner *p, struct plan_change *change)
{
	if (change->runner != NULL && change->runner->busy)
		danger_add(p, change, "interrupts_job");
}

static void
make_runner(struct seat *seat, enum plan_op op, enum plan_reason reason)
{
	struct planner *p = seat->p;
	struct plan_change *change = &seat->change;

	change->op = op;
	change->reason = reason;
	change->undo = op == PLAN_CREATE ? "remove" : "none";
	change->span = seat->want->span;
	for (size_t i = 0; op == PLAN_REPLACE && i < change->attrs.n; i++)
		change->span = change->attrs.items[0].span;
	if (change->package.version.len > 0)
		change->runner_config.version = change->package.version;
	if (op == PLAN_REPLACE)
		busy_danger(p, change);
	*ARENA_PUSH(p->arena, &change->depends_on) = seat->pod->address;
	offer_publicity(p, change);
	offer_permission(p, change);
	offer_group(p, change);
	change_add(p, change);
}

static void
runner_stays(struct seat *seat)
{
	const struct lock_entry *have = seat->have;
	struct str pod = seat->pod->address;

	seat->p->plan->noops++;
	if (str_eq(have->address, seat->want->address) &&
	    (seat->host_change != NULL || str_eq(have->runner.pod, pod)))
		return;
	struct lock_entry *entry = ARENA_NEW(seat->p->arena,
	    struct lock_entry);
	*entry = *have;
	entry->address = seat->want->address;
	entry->runner.pod = pod;
	keep_add(seat->p, have, entry);
}

/* Is the container that it was started in another now, or will be? */
static bool
pod_is_new(const struct seat *seat)
{
	const struct plan_change *c = seat->host_change;
	const struct cloud_pod *pod = seat->change.host;
	const struct lock_runner *had = &seat->have->runner;

	if (c != NULL && (c->op == PLAN_CREATE || c->op == PLAN_REPLACE ||
		c->op == PLAN_START || c->start || c->restarts))
		return true;
	if (seat->p->live->from_lock)
		return false;
	/* What is live has its record. */
	if (pod == NULL || !str_eq(pod->id, had->pod_id))
		return true;
	return had->pod_start.len > 0 && pod->started_at.len > 0 &&
	    !str_eq(had->pod_start, pod->started_at);
}

/* The record names a runner that has another name: hands off. */
static bool
is_stranger(struct planner *p, const struct plan_change *change)
{
	const struct lock_entry *have = change->have;

	if (change->runner == NULL ||
	    str_eq_fold(change->runner->name, have->runner.name))
		return false;
	check_add(p, "mark", CHECK_FAIL, change->span, "runner " STR_FMT
	    " is recorded as " STR_FMT " but is called '" STR_FMT "' at "
	    "GitHub: it is left alone", STR_ARG(have->id),
	    STR_ARG(have->address), STR_ARG(change->runner->name));
	p->plan->noops++;
	return true;
}

static bool
must_replace(struct seat *seat, enum plan_reason *reason)
{
	const struct github_runner *live = seat->change.runner;
	bool known = seat->had != NULL && seat->had->known;

	if (seat->have->tainted)
		*reason = BECAUSE_TAINTED;
	else if (replace_asked(seat->p, seat->want->address))
		*reason = BECAUSE_REQUESTED;
	else if (seat->change.attrs.n > 0)
		*reason = BECAUSE_CANNOT_UPDATE;
	else if (pod_is_new(seat))
		*reason = BECAUSE_POD;
	else if (known && live == NULL)
		*reason = BECAUSE_LOST;
	else if (known && !live->online && !live->busy)
		*reason = BECAUSE_OFFLINE;
	else
		return false;
	return true;
}

static void
remove_runner(struct planner *p, struct plan_change *change,
    enum plan_reason reason)
{
	change->op = PLAN_DELETE;
	change->reason = reason;
	change->undo = "none";
	busy_danger(p, change);
	change_add(p, change);
}

/* Somebody may be registering it right now: wait for what comes of that. */
static bool
is_pending(const struct planner *p, struct str address)
{
	for (size_t i = 0; i < p->lock->pending.n; i++)
		if (p->lock->pending.items[i].entry.kind == KIND_RUNNER &&
		    str_eq(p->lock->pending.items[i].address, address))
			return true;
	return false;
}

/* The pod that a runner is on will be ended, stopped or reset. */
static const struct plan_change *
pod_ending(const struct planner *p, struct str pod_id)
{
	return pod_id.len == 0 ? NULL : map_get(&p->ending, pod_id);
}

/* Is it part of this plan?  See the head of the file. */
static bool
takes_part(struct planner *p, struct str address,
    const struct lock_entry *have)
{
	const struct plan_change *pod;

	if (selected(p, address))
		return true;
	pod = have == NULL ? NULL : pod_ending(p, have->runner.pod_id);
	if (pod == NULL)
		return false;
	if (map_get(&p->excluded, address) == NULL)
		return true;
	check_add(p, "runner", CHECK_FAIL, pod->span, STR_FMT " cannot be "
	    "ended or reset while " STR_FMT " is on it, which --exclude "
	    "leaves out", STR_ARG(pod->address), STR_ARG(address));
	return false;
}

static void
decide_on_record(struct seat *seat)
{
	enum plan_reason reason;

	if (is_stranger(seat->p, &seat->change))
		return;
	if (seat->pod->pod->state == STATE_STOPPED) {
		seat->change.span = seat->want->span;
		remove_runner(seat->p, &seat->change, BECAUSE_POD);
		return;
	}
	diff_runner(seat);
	if (must_replace(seat, &reason)) {
		offer_package(seat->p, &seat->change);
		make_runner(seat, PLAN_REPLACE, reason);
	} else
		runner_stays(seat);
}

static void
find_host(struct seat *seat)
{
	struct planner *p = seat->p;

	seat->host = index_entry(p, seat->pod);
	seat->host_change = map_get(&p->pod_changes, seat->pod->address);
	if (seat->host != NULL) {
		const struct cloud_pod *pod = map_get(&p->pods,
		    seat->host->id);
		if (pod != NULL && pod->status != POD_TERMINATED)
			seat->change.host = pod;
	}
}

static void
runner_decide(struct planner *p, const struct resource *want)
{
	struct seat seat = {
		.p = p, .want = want, .have = index_entry(p, want),
		.pod = want->needs[0],
	};
	const struct runner_spec *spec = want->runner;

	seat.change = (struct plan_change){
		.kind = KIND_RUNNER, .address = want->address,
		.name = want->name, .key = want->key, .want = want,
		.have = seat.have, .host_change = SIZE_MAX,
	};
	if (seat.have != NULL)
		index_done(p, seat.have);
	if (!takes_part(p, want->address, seat.have) ||
	    p->options->mode == PLAN_REFRESH_ONLY ||
	    is_pending(p, want->address)) {
		p->plan->noops++;
		return;
	}
	find_host(&seat);
	seat.change.scope = find_scope(p, spec->repository,
	    spec->organization);
	is_known(p, seat.change.scope);
	want_config(&seat);
	if (seat.have != NULL) {
		seat.had = find_scope(p, seat.have->runner.repository,
		    seat.have->runner.organization);
		is_known(p, seat.had);
		seat.change.runner = find_runner(seat.had, seat.have->id);
		decide_on_record(&seat);
	} else if (seat.pod->pod->state == STATE_RUNNING) {
		offer_package(p, &seat.change);
		diff_runner(&seat);
		make_runner(&seat, PLAN_CREATE, BECAUSE_NEW);
	} else
		p->plan->noops++;
}

/* ---------------------------------------------------------- leftovers -- */

static void
runner_leftover(struct planner *p, const struct lock_entry *have)
{
	struct address address = { .kind = KIND_RUNNER, .key = -1 };
	struct plan_change change = {
		.kind = KIND_RUNNER, .address = have->address, .have = have,
		.key = -1, .host_change = SIZE_MAX,
		.runner_config = have->runner,
	};

	bool is_address = address_parse(have->address, &address);
	assert(is_address);
	change.name = address.name;
	change.key = address.key;
	change.scope = find_scope(p, have->runner.repository,
	    have->runner.organization);
	is_known(p, change.scope);
	change.runner = find_runner(change.scope, have->id);
	if (!takes_part(p, have->address, have) ||
	    p->options->mode == PLAN_REFRESH_ONLY) {
		p->plan->noops++;
		return;
	}
	if (is_stranger(p, &change))
		return;
	const struct cloud_pod *pod = map_get(&p->pods, have->runner.pod_id);
	if (pod != NULL && pod->status != POD_TERMINATED)
		change.host = pod;
	remove_runner(p, &change, leftover_reason(p, have, &address));
}

static bool
is_recorded(const struct planner *p, const struct github_runner *runner,
    const struct mark *mark)
{
	int64_t id;

	for (size_t i = 0; i < p->lock->entries.n; i++) {
		const struct lock_entry *have = &p->lock->entries.items[i];
		if (have->kind == KIND_RUNNER &&
		    parse_int(have->id, 0, INT64_MAX, &id) &&
		    id == runner->id)
			return true;
	}
	for (size_t i = 0; i < p->lock->pending.n; i++)
		if (str_starts(id128_str(&p->lock->pending.items[i].op),
			mark->op))
			return true;
	return lock_is_released(p->lock, mark->op);
}

/* Registered by us, and nobody remembers: nothing can ever use it. */
static void
runner_orphan(struct planner *p, const struct live_scope *scope,
    const struct github_runner *runner)
{
	struct mark mark;
	struct str base;

	if (!mark_parse_name(runner->name, &base, &mark) ||
	    mark_owner(runner->name, (struct str){0}, false,
		&p->lock->lineage) != MARK_OURS ||
	    is_recorded(p, runner, &mark))
		return;
	struct plan_change change = {
		.kind = KIND_RUNNER, .key = -1, .orphan = true,
		.address = address_format(p->arena, KIND_RUNNER, base, -1),
		.name = base, .scope = scope, .runner = runner,
		.host_change = SIZE_MAX,
		.runner_config = {
			.repository = scope->scope.repository,
			.organization = scope->scope.organization,
			.name = runner->name,
		},
	};
	if (selected(p, change.address))
		remove_runner(p, &change, BECAUSE_ORPHAN);
}

static void
index_pods(struct planner *p)
{
	for (size_t i = 0; i < p->plan->changes.n; i++) {
		const struct plan_change *c = &p->plan->changes.items[i];
		/* The array may move: a copy stays. */
		struct plan_change *copy;
		if (c->kind != KIND_POD)
			continue;
		copy = ARENA_NEW(p->arena, struct plan_change);
		*copy = *c;
		if (c->want != NULL)
			map_put(&p->pod_changes, p->arena, c->address, copy);
		bool ends = c->op == PLAN_DELETE || c->op == PLAN_STOP ||
		    c->op == PLAN_REPLACE || (c->op == PLAN_UPDATE &&
			(c->restarts || c->stop));
		if (ends)
			map_put(&p->ending, p->arena, c->pod->id, copy);
	}
}

void
runners_decide(struct planner *p)
{
	const struct spec *spec = p->options->mode == PLAN_DESTROY ? NULL :
	    p->spec;

	index_pods(p);
	for (size_t i = 0; spec != NULL && i < spec->nresources; i++)
		if (spec->resources[i].kind == KIND_RUNNER)
			runner_decide(p, &spec->resources[i]);
	for (size_t i = 0; i < p->lock->entries.n; i++)
		if (p->lock->entries.items[i].kind == KIND_RUNNER &&
		    !p->entry_done[i])
			runner_leftover(p, &p->lock->entries.items[i]);
	if (p->options->mode == PLAN_REFRESH_ONLY || p->live->from_lock ||
	    p->lock->lineage.hex[0] == '\0')
		return;
	for (size_t i = 0; i < p->live->nscopes; i++) {
		const struct live_scope *scope = &p->live->scopes[i];
		for (size_t j = 0; scope->known && j < scope->nrunners; j++)
			runner_orphan(p, scope, &scope->runners[j]);
	}
}
