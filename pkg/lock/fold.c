/* fold.c - what journal records do to a lock in memory */
#include <assert.h>
#include <string.h>

#include "base/map.h"
#include "base/plant.h"
#include "base/probe.h"
#include "lock/crc.h"
#include "lock/journal.h"
#include "lock/parts.h"

/* ------------------------------------------------------ one record ----- */

/* The entry that an op is about: by id where it has one. */
static struct lock_entry *
entry_of(struct lock *lock, const struct lock_op *op)
{
	if (op->entry.id.len > 0)
		return lock_find_id(lock, op->entry.kind, op->entry.id);
	return lock_find(lock, op->address);
}

void
lock_apply_intent(struct arena *arena, struct lock *lock,
    const struct record *intent)
{
	assert(intent->type == RECORD_INTENT);
	lock_detach(lock);
	struct lock_op *op = lock_find_op(lock, &intent->op.op);
	if (op == NULL)
		op = ARENA_PUSH(arena, &lock->pending);
	*op = intent->op;
}

/*
 * The live entry of a slot: pod.x and pod.x[0] are one, for replicas that
 * come or go leave the first where it was.
 */
static struct lock_entry *
find_slot(struct arena *arena, struct lock *lock, struct str address)
{
	struct lock_entry *entry = lock_find(lock, address);
	if (entry != NULL)
		return entry;
	if (str_ends(address, STR("[0]")))
		return lock_find(lock, str_sub(address, 0, address.len - 3));
	if (str_find(address, '[') != -1)
		return NULL;
	return lock_find(lock, arena_printf(arena, STR_FMT "[0]",
	    STR_ARG(address)));
}

static void
created(struct arena *arena, struct lock *lock, const struct lock_op *op,
    const struct record *result)
{
	struct lock_entry entry = op->entry;
	struct lock_entry *old, *same;

	entry.address = op->address;
	entry.op = op->op;
	entry.deposed = false;
	if (result->id.len > 0)
		entry.id = result->id;
	if (entry.kind == KIND_VOLUME)
		entry.volume.id = entry.id;
	if (result->created_at.len > 0)
		entry.created_at = result->created_at;
	if (result->price_per_hour >= 0)
		entry.price_per_hour = result->price_per_hour;

	old = find_slot(arena, lock, entry.address);
	if (old != NULL && !str_eq(old->id, entry.id)) {
		lock_forget_keys(lock, old);
		old->deposed = true;
		lock_remember_keys(lock, old);
	}
	same = PLANTED(18) ? NULL : lock_find_id(lock, entry.kind, entry.id);
	if (same != NULL)
		lock_forget_keys(lock, same);
	else
		same = ARENA_PUSH(arena, &lock->entries);
	*same = entry;
	lock_remember_keys(lock, same);
}

static void
updated(struct lock *lock, const struct lock_op *op)
{
	struct lock_entry *entry = entry_of(lock, op);
	struct lock_entry old;

	if (entry == NULL)
		return;
	old = *entry;
	lock_forget_keys(lock, entry);
	*entry = op->entry;
	/* Who it is does not change by an update. */
	entry->address = old.address;
	entry->id = old.id;
	entry->op = old.op;
	entry->deposed = old.deposed;
	entry->created_at = old.created_at;
	if (old.kind == KIND_VOLUME)
		entry->volume.id = old.volume.id;
	if (entry->price_per_hour <= 0)
		entry->price_per_hour = old.price_per_hour;
	lock_remember_keys(lock, entry);
}

static void
switched(struct lock *lock, const struct lock_op *op)
{
	struct lock_entry *entry = entry_of(lock, op);
	if (entry == NULL)
		return;
	entry->stopped = op->action == OP_STOP;
	entry->tainted |= op->entry.tainted;
	if (op->entry.spec_digest.len > 0)
		entry->spec_digest = op->entry.spec_digest;
}

void
lock_apply_fact(struct lock *lock, const struct record *fact)
{
	assert(fact->type == RECORD_FACT);
	lock_detach(lock);
	struct lock_entry *entry = lock_find_id(lock, KIND_POD, fact->id);
	if (entry != NULL)
		entry->inside = fact->inside;
}

/* pod.x and pod.x[0] are one slot. */
static struct str
slot_of(struct str address)
{
	return str_ends(address, STR("[0]"))
	    ? str_sub(address, 0, address.len - 3)
	    : address;
}

/*
 * A successor that is ended before what it replaced (a create_first that was
 * rolled back) gives the slot back: what was deposed for it is live again.
 */
static void
restore_deposed(struct lock *lock, struct str address)
{
	struct lock_entry *found = NULL;

	if (!lock_may_have_deposed(lock))
		return;
	for (size_t i = 0; i < lock->entries.n; i++) {
		struct lock_entry *entry = &lock->entries.items[i];
		if (!entry->deposed ||
		    !str_eq(slot_of(entry->address), slot_of(address)))
			continue;
		if (found != NULL)
			return;		/* two: neither has the better claim */
		found = entry;
	}
	if (found == NULL)
		return;
	PROBE("fold_deposed_is_live_again");
	lock_forget_keys(lock, found);
	found->deposed = false;
	lock_remember_keys(lock, found);
}

static void
deleted(struct arena *arena, struct lock *lock, const struct lock_op *op,
    int64_t wall_ms)
{
	struct lock_entry *entry = entry_of(lock, op);
	if (entry == NULL) {
		/* An orphan: its maker is dead, and stays so. */
		PROBE("fold_orphan_deleted");
		lock_bury(arena, lock, &op->entry.op, op->address, wall_ms);
		return;
	}
	struct lock_entry gone = *entry;
	lock_bury(arena, lock, &entry->op, entry->address, wall_ms);
	lock_remove_entry(lock, entry);
	if (!gone.deposed)
		restore_deposed(lock, gone.address);
}

void
lock_apply_result(struct arena *arena, struct lock *lock,
    const struct record *result)
{
	struct lock_op *pending, op;

	assert(result->type == RECORD_RESULT);
	lock_detach(lock);
	pending = lock_find_op(lock, &result->op.op);
	if (pending == NULL)
		return;
	op = *pending;
	lock_remove_op(lock, pending);
	int64_t wall_ms = result->wall_ms != 0 ? result->wall_ms : op.wall_ms;
	if (result->outcome == OP_NONE) {
		if (op.action == OP_CREATE) {
			PROBE("fold_create_made_nothing");
			lock_bury(arena, lock, &op.op, op.address, wall_ms);
		}
		return;
	}
	switch (op.action) {
	case OP_CREATE:
		created(arena, lock, &op, result);
		return;
	case OP_UPDATE:
		updated(lock, &op);
		return;
	case OP_START:
	case OP_STOP:
		switched(lock, &op);
		return;
	case OP_DELETE:
	case OP_COUNT:
		assert(op.action == OP_DELETE);
		deleted(arena, lock, &op, wall_ms);
		return;
	}
}

/* -------------------------------------------------------- a journal ---- */

static bool
refuse(struct diags *diags, const char *hint)
{
	diag_hint(diags, "%s", hint);
	return false;
}

/* May this run's records be applied to the lock? */
static bool
check_begin(struct lock *lock, const struct record *begin, bool had_file,
    struct diags *diags)
{
	if (!had_file && begin->serial > 0) {
		diag_error(diags, "PF0609", NO_SPAN, "the lock file is missing, "
		    "but the journal builds on its serial %lld",
		    (long long)begin->serial);
		return refuse(diags, "restore podform.lock: cp "
		    "podform.lock.backup podform.lock, or git checkout "
		    "podform.lock");
	}
	if (!had_file)
		lock->lineage = begin->lineage;
	if (!str_eq(id128_str(&lock->lineage), id128_str(&begin->lineage))) {
		diag_error(diags, "PF0609", NO_SPAN, "the journal belongs to "
		    "another lock file: its lineage is %s, the lock file's is "
		    "%s", begin->lineage.hex, lock->lineage.hex);
		return refuse(diags, "put the lock file back that the last run "
		    "used; if its pods are of no interest any more, move "
		    ".podform/journal away");
	}
	if (begin->serial > lock->serial) {
		diag_error(diags, "PF0609", NO_SPAN, "the lock file is older "
		    "than the journal: its serial is %lld, the journal builds "
		    "on %lld", (long long)lock->serial,
		    (long long)begin->serial);
		return refuse(diags, "restore the newer lock file: "
		    "podform.lock.backup or git may have it");
	}
	return true;
}

/* How many of the records the lock contains already. */
static size_t
contained(const struct lock *lock, const struct records *records)
{
	uint64_t folded;
	if (!crc_parse(lock->folded, &folded) || folded == 0)
		return 0;
	for (size_t i = records->list.n; i > 0; i--)
		if (records->list.items[i - 1].chain == folded) {
			PROBE("fold_journal_contained");
			return i;
		}
	return 0;
}

/*
 * The creates whose outcome the lock knows already.  Their intents are not
 * taken again when a journal meets a lock that was committed by another run
 * (git pull; or a reader saw the journal of before and the lock of after).
 */
static struct map
known_creates(struct arena *arena, struct lock *lock)
{
	struct map known = { 0 };
	for (size_t i = 0; i < lock->entries.n; i++) {
		struct lock_entry *entry = &lock->entries.items[i];
		struct str op = id128_str(&entry->op);
		if (op.len > 0)
			map_put(&known, arena, arena_str(arena, op), entry);
	}
	return known;
}

static bool
is_known(const struct map *known, struct lock *lock, const struct lock_op *op)
{
	return op->action == OP_CREATE &&
	    (map_get(known, id128_str(&op->op)) != NULL ||
	    lock_has_grave(lock, &op->op));
}

/* A planted bug: what was replaced when the last run died is forgotten, as
 * by podform forget.  (From the record alone would not be enough: its mark
 * would bring it back.) */
static void
forget_deposed(struct arena *arena, struct lock *lock, int64_t wall_ms)
{
	for (size_t i = lock->entries.n; i-- > 0;) {
		struct lock_entry entry = lock->entries.items[i];
		if (!entry.deposed)
			continue;
		lock_release(arena, lock, &entry, wall_ms);
		lock_remove_entry(lock, &lock->entries.items[i]);
	}
}

/* A planted bug: what stands in the journal once is done twice. */
static void
apply_twice(struct arena *arena, struct lock *lock,
    const struct record *result)
{
	struct lock_op *op = lock_find_op(lock, &result->op.op);
	struct record intent = { .type = RECORD_INTENT, .op = *op };

	lock_apply_result(arena, lock, result);
	lock_apply_intent(arena, lock, &intent);
}

bool
journal_fold(struct arena *arena, struct lock *lock,
    const struct records *records, bool *changed, struct diags *diags)
{
	bool had_file = lock->exists;
	size_t i = contained(lock, records);

	*changed = false;
	struct map known = { 0 };
	if (i < records->list.n)
		known = known_creates(arena, lock);
	for (; i < records->list.n; i++) {
		const struct record *record = &records->list.items[i];
		switch (record->type) {
		case RECORD_BEGIN:
			if (!check_begin(lock, record, had_file, diags))
				return false;
			continue;
		case RECORD_INTENT:
			if (is_known(&known, lock, &record->op))
				continue;
			lock_apply_intent(arena, lock, record);
			break;
		case RECORD_RESULT:
			if (lock_find_op(lock, &record->op.op) == NULL)
				continue;
			if (PLANTED(18))
				apply_twice(arena, lock, record);
			lock_apply_result(arena, lock, record);
			if (PLANTED(14))
				forget_deposed(arena, lock, record->wall_ms);
			break;
		case RECORD_FACT:
			lock_apply_fact(lock, record);
			break;
		case RECORD_END:
			continue;
		}
		*changed = true;
	}
	if (records->chain != 0) {
		crc_hex(records->chain, lock->folded_);
		lock->folded = str_from(lock->folded_);
	}
	lock_sort(lock);
	return true;
}
