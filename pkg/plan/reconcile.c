/*
 * reconcile.c - what a complete listing proves about ops in doubt.
 *
 *	create    its mark is listed                       done, adopted
 *	delete    its thing is listed as terminated        done
 *	          it is listed as living                   none
 *	update    live is as was intended                  done; else none
 *	start, stop                                        likewise
 *
 *
 * Runners likewise, by what GitHub lists: a create by the mark in the name,
 * a delete only by a runner that is still there.
 *
 * And where a journal was lost with its machine: a pod of ours that no
 * record knows takes its slot again if the spec wants it and the slot is
 * free.  What is not listed proves nothing by itself: such a create or
 * delete stays open until the caller has settled it.
 */
#include <assert.h>

#include "base/probe.h"
#include "base/units.h"
#include "lock/journal.h"
#include "plan/planner.h"

struct reconciler {
	struct planner p;		/* for its indexes alone */
	struct map marks;		/* op -> cloud_pod, pods of ours */
	struct map taken;		/* address -> anything: slots in use */
	struct records *out;
};

static struct record *
result_add(struct reconciler *r, const struct id128 *op,
    enum op_outcome outcome)
{
	struct record *record = ARENA_PUSH(r->p.arena, &r->out->list);

	*record = (struct record){
		.type = RECORD_RESULT, .op.op = *op, .outcome = outcome,
		.price_per_hour = -1, .wall_ms = r->p.live->wall_ms,
	};
	return record;
}

/* -------------------------------------------------------- open creates -- */

static void
found_pod(struct reconciler *r, const struct lock_op *op,
    const struct cloud_pod *pod)
{
	struct record *record = result_add(r, &op->op, OP_DONE);

	record->adopted = true;
	record->id = pod->id;
	record->created_at = pod->created_at;
	record->price_per_hour = pod->cost_known && pod->cost_per_hour > 0 ?
	    pod->cost_per_hour : op->entry.price_per_hour;
}

static bool
id_recorded(const struct reconciler *r, enum kind kind, struct str id)
{
	for (size_t i = 0; i < r->p.lock->entries.n; i++) {
		const struct lock_entry *have = &r->p.lock->entries.items[i];
		if (have->kind == kind && str_eq(have->id, id))
			return true;
	}
	return false;
}

static void
settle_create(struct reconciler *r, const struct lock_op *op)
{
	const struct live *live = r->p.live;
	struct str none = {0};

	if (op->entry.kind == KIND_POD) {
		const struct cloud_pod *pod = map_get(&r->marks,
		    id128_str(&op->op));
		if (pod != NULL &&
		    map_get(&r->p.entry_ids, pod->id) == NULL) {
			PROBE("plan_finds_an_open_create");
			found_pod(r, op, pod);
		}
		return;
	}
	for (size_t i = 0; i < live->nvolumes; i++) {
		const struct cloud_volume *volume = &live->volumes[i];
		if (!mark_matches(volume->name, none, false,
			&r->p.lock->lineage, &op->op) ||
		    id_recorded(r, KIND_VOLUME, volume->id))
			continue;
		struct record *record = result_add(r, &op->op, OP_DONE);
		record->adopted = true;
		record->id = volume->id;
		return;
	}
}

/* ------------------------------------------------------ open changes --- */

static bool
texts_eq(const struct str *a, size_t na, const struct str *b, size_t nb)
{
	bool equal = na == nb;

	for (size_t i = 0; equal && i < na; i++)
		equal = str_eq(a[i], b[i]);
	return equal;
}

static const struct env_var *
env_find(const struct pod_config *config, struct str name)
{
	for (size_t i = 0; i < config->nenv; i++)
		if (str_eq(config->env[i].name, name))
			return &config->env[i];
	return NULL;
}

/* References cannot be compared with values; that the key is there can. */
static bool
env_took(const struct pod_config *intended, const struct pod_config *live)
{
	for (size_t i = 0; i < intended->nenv; i++) {
		const struct env_var *var = &intended->env[i];
		const struct env_var *other = env_find(live, var->name);
		bool reference = var->sensitive ||
		    str_search(var->value, STR("${")) >= 0;
		if (other == NULL ? !env_injected(var->name) :
		    !reference && !str_eq(var->value, other->value))
			return false;
	}
	for (size_t i = 0; i < live->nenv; i++)
		if (!env_injected(live->env[i].name) &&
		    env_find(intended, live->env[i].name) == NULL)
			return false;
	return true;
}

static bool
update_took(const struct pod_config *intended, const struct pod_config *live)
{
	return str_eq(intended->name, live->name) &&
	    str_eq(intended->image, live->image) &&
	    str_eq(intended->args, live->args) &&
	    intended->disk_gb == live->disk_gb &&
	    texts_eq(intended->ports, intended->nports, live->ports,
		live->nports) && env_took(intended, live);
}

static bool
pod_op_took(const struct lock_op *op, const struct cloud_pod *pod)
{
	bool gone = pod == NULL || pod->status == POD_TERMINATED;

	switch (op->action) {
	case OP_DELETE:
		return gone;
	case OP_UPDATE:
		return !gone && update_took(&op->entry.pod, &pod->config);
	case OP_START:
		return !gone && (pod->status == POD_RUNNING ||
		    pod->status == POD_STARTING ||
		    pod->status == POD_PROVISIONING);
	default:
		assert(op->action == OP_STOP);
		return !gone && pod->status == POD_EXITED;
	}
}

static bool
volume_op_took(const struct lock_op *op, const struct cloud_volume *volume)
{
	if (op->action == OP_DELETE)
		return volume == NULL;
	return volume != NULL &&
	    volume->size_gb == op->entry.volume.size_gb;
}

static bool
is_listed(const struct reconciler *r, const struct lock_entry *entry)
{
	const struct map *things = entry->kind == KIND_VOLUME ?
	    &r->p.volumes : &r->p.pods;
	return map_get(things, entry->id) != NULL;
}

static bool
runner_is(const struct reconciler *r, const struct lock_op *op,
    const struct github_runner *runner)
{
	int64_t id;

	if (op->action == OP_CREATE)
		return mark_matches(runner->name, (struct str){0}, false,
		    &r->p.lock->lineage, &op->op);
	return parse_int(op->entry.id, 0, INT64_MAX, &id) && id == runner->id;
}

static void
settle_runner(struct reconciler *r, const struct lock_op *op)
{
	struct github_scope of = { op->entry.runner.repository,
		op->entry.runner.organization };

	for (size_t i = 0; i < r->p.live->nscopes; i++) {
		const struct live_scope *scope = &r->p.live->scopes[i];
		if (!scope->known || !github_scope_eq(&scope->scope, &of))
			continue;
		for (size_t j = 0; j < scope->nrunners; j++) {
			const struct github_runner *runner =
			    &scope->runners[j];
			if (!runner_is(r, op, runner))
				continue;
			PROBE("plan_settles_a_runner");
			bool create = op->action == OP_CREATE;
			struct record *record = result_add(r, &op->op,
			    create ? OP_DONE : OP_NONE);
			record->adopted = create;
			if (create)
				record->id = json_int_of(r->p.arena,
				    runner->id);
			return;
		}
	}
}

static void
settle_op(struct reconciler *r, const struct lock_op *op)
{
	const struct lock_entry *entry = &op->entry;
	bool took;

	if (entry->kind == KIND_VOLUME && !r->p.live->volumes_known)
		return;
	if (entry->kind == KIND_RUNNER) {
		settle_runner(r, op);
		return;
	}
	if (op->action == OP_CREATE) {
		settle_create(r, op);
		return;
	}
	if (entry->kind == KIND_VOLUME)
		took = volume_op_took(op, map_get(&r->p.volumes, entry->id));
	else
		took = pod_op_took(op, map_get(&r->p.pods, entry->id));
	if (op->action == OP_DELETE && !is_listed(r, entry)) {
		PROBE("plan_delete_still_unsure");
		return;
	}
	result_add(r, &op->op, took ? OP_DONE : OP_NONE);
}

/* ------------------------------------------------------ taking in ------ */

/*
 * The environment as far as it may be recorded: references for secrets, and
 * plain values only where they are the spec's own.  Any other value may
 * have been a secret once; leaving it out shows it as a difference.
 */
static void
adopt_env(struct reconciler *r, const struct pod_spec *spec,
    const struct pod_config *live, struct pod_config *out)
{
	out->nenv = 0;
	out->env = ARENA_ARRAY(r->p.arena, struct env_var, spec->nenv);
	for (size_t i = 0; i < spec->nenv; i++) {
		const struct spec_env *env = &spec->env[i];
		const struct env_var *var = env_find(live, env->name);
		bool plain = env->value.nparts == 0;
		if (var == NULL ||
		    (plain && !str_eq(var->value, env->value.raw)))
			continue;
		out->env[out->nenv++] = (struct env_var){
			.name = env->name, .value = env->value.raw,
			.sensitive = text_has(&env->value, PART_SECRET),
		};
	}
}

static void
adopt_pod(struct reconciler *r, const struct cloud_pod *pod,
    const struct resource *want)
{
	struct lock_op op = { .action = OP_CREATE, .address = want->address,
		.wall_ms = r->p.live->wall_ms };
	struct mark mark;

	/* Both of its marks are read already. */
	bool marked = mark_parse_env(pod->mark, &mark);
	marked &= id128_parse(mark.op, &op.op);
	assert(marked);
	op.entry = (struct lock_entry){
		.kind = KIND_POD, .address = want->address, .op = op.op,
		.protect = want->pod->protect,
		.stopped = pod->status == POD_EXITED,
		.name_pattern = want->pod->name_pattern,
		.gpu_name = gpu_name_of(r->p.live, pod->config.gpu),
		.pod = pod->config, .price_per_hour = -1,
	};
	/* Never reported, so it is taken for what is asked for now. */
	op.entry.pod.min_cuda = want->pod->min_cuda;
	adopt_env(r, want->pod, &pod->config, &op.entry.pod);
	PROBE("plan_adopts_a_pod");
	*ARENA_PUSH(r->p.arena, &r->out->list) = (struct record){
		.type = RECORD_INTENT, .op = op, .price_per_hour = -1,
	};
	found_pod(r, &op, pod);
	map_put(&r->taken, r->p.arena, want->address,
	    (void *)(uintptr_t)want);
}

/*
 * Of a volume only the short mark is there to be read; the op that is made
 * up from it has the same short form, so the name goes on matching it.
 */
static void
adopt_volume(struct reconciler *r, const struct cloud_volume *volume,
    const struct resource *want, const struct mark *mark)
{
	struct lock_op op = { .action = OP_CREATE, .address = want->address,
		.wall_ms = r->p.live->wall_ms };
	struct str hex = arena_printf(r->p.arena, STR_FMT
	    "0000000000000000000000", STR_ARG(mark->op));

	bool is_id = id128_parse(hex, &op.op);
	assert(is_id);
	op.entry = (struct lock_entry){
		.kind = KIND_VOLUME, .address = want->address, .op = op.op,
		.protect = want->volume->protect, .volume = *volume,
		.price_per_hour = -1,
	};
	PROBE("plan_adopts_a_volume");
	*ARENA_PUSH(r->p.arena, &r->out->list) = (struct record){
		.type = RECORD_INTENT, .op = op, .price_per_hour = -1,
	};
	struct record *record = result_add(r, &op.op, OP_DONE);
	record->adopted = true;
	record->id = volume->id;
	map_put(&r->taken, r->p.arena, want->address,
	    (void *)(uintptr_t)want);
}

/* The wanted thing whose slot nobody has yet, or NULL. */
static const struct resource *
free_slot(const struct reconciler *r, struct str address, enum kind kind)
{
	const struct resource *want = index_wanted(&r->p, address);
	struct address parts;

	if (want == NULL && address_parse(address, &parts) &&
	    parts.key <= 0) {
		/* It was made when there was one, or when there were more. */
		PROBE("plan_slot_of_another_count");
		want = index_wanted(&r->p, address_format(r->p.arena,
		    parts.kind, parts.name, parts.key < 0 ? 0 : -1));
	}
	if (want == NULL || want->kind != kind ||
	    index_entry(&r->p, want) != NULL ||
	    map_get(&r->taken, want->address) != NULL)
		return NULL;
	return want;
}

static bool
older(const struct cloud_pod *a, const struct cloud_pod *b)
{
	int order = str_cmp(a->created_at, b->created_at);
	return order != 0 ? order < 0 : str_cmp(a->id, b->id) < 0;
}

/* Of two for one slot the older is taken in, the other is an orphan. */
static void
adopt_pods(struct reconciler *r)
{
	const struct live *live = r->p.live;
	struct map best = {0};
	VEC_OF(const struct resource *) wants = {0};

	for (size_t i = 0; i < live->npods; i++) {
		struct cloud_pod *pod = &live->pods[i];
		struct mark mark;
		if (pod->status == POD_TERMINATED ||
		    !mark_parse_env(pod->mark, &mark) ||
		    mark_owner(pod->config.name, pod->mark, true,
			&r->p.lock->lineage) != MARK_OURS ||
		    map_get(&r->p.pending, mark.op) != NULL ||
		    map_get(&r->p.entry_ids, pod->id) != NULL ||
		    lock_is_dead(r->p.lock, mark.op))
			continue;
		const struct resource *want = free_slot(r, mark.address,
		    KIND_POD);
		if (want == NULL)
			continue;
		const struct cloud_pod *other = map_get(&best, want->address);
		if (other == NULL)
			*ARENA_PUSH(r->p.arena, &wants) = want;
		if (other == NULL || older(pod, other))
			map_put(&best, r->p.arena, want->address, pod);
	}
	for (size_t i = 0; i < wants.n; i++)
		adopt_pod(r, map_get(&best, wants.items[i]->address),
		    wants.items[i]);
}

static void
adopt_volumes(struct reconciler *r)
{
	const struct live *live = r->p.live;

	for (size_t i = 0; live->volumes_known && i < live->nvolumes; i++) {
		const struct cloud_volume *volume = &live->volumes[i];
		struct str base;
		struct mark mark;
		if (!mark_parse_name(volume->name, &base, &mark) ||
		    mark_owner(volume->name, (struct str){0}, false,
			&r->p.lock->lineage) != MARK_OURS ||
		    lock_is_dead(r->p.lock, mark.op) ||
		    id_recorded(r, KIND_VOLUME, volume->id))
			continue;
		const struct resource *want = free_slot(r,
		    address_format(r->p.arena, KIND_VOLUME, base, -1),
		    KIND_VOLUME);
		if (want != NULL && str_eq_fold(want->volume->data_center,
			volume->data_center))
			adopt_volume(r, volume, want, &mark);
	}
}

/* ------------------------------------------------------------- index --- */

/* Pods by the op that their two marks agree on. */
static void
index_marks(struct reconciler *r)
{
	const struct live *live = r->p.live;

	if (r->p.pending.n == 0)
		return;
	for (size_t i = live->npods; i-- > 0;) {
		struct cloud_pod *pod = &live->pods[i];
		struct mark mark;
		if (mark_parse_env(pod->mark, &mark) &&
		    mark_owner(pod->config.name, pod->mark, true,
			&r->p.lock->lineage) == MARK_OURS)
			map_put(&r->marks, r->p.arena, mark.op, pod);
	}
}

/* Slots that an open create may fill are not free. */
static void
index_taken(struct reconciler *r)
{
	for (size_t i = 0; i < r->p.lock->pending.n; i++) {
		struct lock_op *op = &r->p.lock->pending.items[i];
		if (op->action == OP_CREATE)
			map_put(&r->taken, r->p.arena, op->address, op);
	}
}

void
plan_reconcile(struct arena *arena, const struct spec *spec,
    const struct lock *lock, const struct live *live, struct records *out)
{
	struct plan_options options = { .wall_ms = live->wall_ms };
	struct plan plan = {0};
	struct reconciler r = {
		.p = { .arena = arena, .spec = spec, .lock = lock,
		    .live = live, .options = &options, .plan = &plan,
		    .by_id = true },
		.out = out,
	};

	if (!live->pods_known || live->from_lock)
		return;
	index_make(&r.p);
	index_marks(&r);
	index_taken(&r);
	for (size_t i = 0; i < lock->pending.n; i++)
		settle_op(&r, &lock->pending.items[i]);
	if (lock->lineage.hex[0] == '\0' || spec == NULL)
		return;
	adopt_pods(&r);
	adopt_volumes(&r);
}
