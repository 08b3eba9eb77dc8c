/*
 * test_journal_fold.c - lock and journal together: what records mean, and
 * that no crash makes one of them count twice or not at all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lock_fixture.h"

enum { NOW = 1763716281 };
#define NOW_MS (NOW * INT64_C(1000))

static void
assert_says(struct bench *b, const char *words)
{
	const char *report = bench_report(b);
	if (strstr(report, words) == NULL)
		fail_msg("'%s' is not in:\n%s", words, report);
}

static void
apply(struct bench *b, struct lock *lock, struct record record)
{
	if (record.type == RECORD_INTENT)
		lock_apply_intent(&b->arena, lock, &record);
	else
		lock_apply_result(&b->arena, lock, &record);
}

static const char *
sorted_outline(struct bench *b, struct lock *lock)
{
	lock_sort(lock);
	return outline(&b->arena, lock);
}

/* ---------------------------------------------------- single records --- */

static void
test_journal_create_done_makes_an_entry(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	apply(&b, lock, intent_record(1, OP_CREATE, "pod.a", NULL));
	assert_string_equal(sorted_outline(&b, lock),
	    "pending 00000001 pod.a\n");
	struct record result = result_record(1, OP_DONE, "a1");
	result.created_at = STR("2026-11-21T10:00:00Z");
	result.price_per_hour = 440000;
	apply(&b, lock, result);
	assert_string_equal(sorted_outline(&b, lock), "pod.a a1\n");
	struct lock_entry *entry = lock_find(lock, STR("pod.a"));
	assert_string_equal(entry->op.hex, op_id(1).hex);
	assert_int_equal(entry->price_per_hour, 440000);
	assert_true(str_is(entry->created_at, "2026-11-21T10:00:00Z"));
	/* Unknown op, or the same result again: nothing. */
	apply(&b, lock, result);
	apply(&b, lock, result_record(99, OP_DONE, "zz"));
	assert_string_equal(sorted_outline(&b, lock), "pod.a a1\n");
	bench_release(&b);
}

static void
test_journal_create_first_deposes_the_old_one(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	apply(&b, lock, intent_record(1, OP_CREATE, "pod.a", NULL));
	apply(&b, lock, result_record(1, OP_DONE, "a1"));
	apply(&b, lock, intent_record(2, OP_CREATE, "pod.a", NULL));
	apply(&b, lock, result_record(2, OP_DONE, "a2"));
	assert_string_equal(sorted_outline(&b, lock),
	    "pod.a a2\npod.a a1 deposed\n");
	assert_true(str_is(lock_find(lock, STR("pod.a"))->id, "a2"));
	assert_true(lock_find_id(lock, KIND_POD, STR("a1"))->deposed);
	/* The delete that follows goes by id, not by address. */
	apply(&b, lock, intent_record(3, OP_DELETE, "pod.a", "a1"));
	apply(&b, lock, result_record(3, OP_DONE, NULL));
	assert_string_equal(sorted_outline(&b, lock),
	    "pod.a a2\ndead 00000001 pod.a\n");
	assert_true(lock_is_dead(lock, id128_str(&(struct id128){
	    "00000001000000000000000000000001" })));
	bench_release(&b);
}

/* A create_first that was rolled back: the old one is not to be removed. */
static void
test_journal_delete_of_a_successor_restores_the_old_one(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	apply(&b, lock, intent_record(1, OP_CREATE, "pod.a", NULL));
	apply(&b, lock, result_record(1, OP_DONE, "a1"));
	apply(&b, lock, intent_record(2, OP_CREATE, "pod.a", NULL));
	apply(&b, lock, result_record(2, OP_DONE, "a2"));
	apply(&b, lock, intent_record(3, OP_DELETE, "pod.a", "a2"));
	apply(&b, lock, result_record(3, OP_DONE, NULL));
	assert_string_equal(sorted_outline(&b, lock),
	    "pod.a a1\ndead 00000002 pod.a\n");
	assert_true(str_is(lock_find(lock, STR("pod.a"))->id, "a1"));
	bench_release(&b);
}

static void
test_journal_create_none_leaves_a_tombstone(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	apply(&b, lock, intent_record(1, OP_CREATE, "pod.a", NULL));
	apply(&b, lock, result_record(1, OP_NONE, NULL));
	assert_string_equal(sorted_outline(&b, lock),
	    "dead 00000001 pod.a\n");
	assert_int_equal(lock->tombstones.items[0].wall_ms, NOW_MS + 1);
	bench_release(&b);
}

static void
test_journal_update_keeps_who_it_is(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	apply(&b, lock, intent_record(1, OP_CREATE, "pod.a", NULL));
	struct record made = result_record(1, OP_DONE, "a1");
	made.created_at = STR("2026-11-21T10:00:00Z");
	made.price_per_hour = 440000;
	apply(&b, lock, made);
	struct record update = intent_record(2, OP_UPDATE, "pod.a", "a1");
	update.op.entry.pod.image = STR("new:2");
	update.op.entry.price_per_hour = -1;
	update.op.entry.created_at = STR("never");
	apply(&b, lock, update);
	apply(&b, lock, result_record(2, OP_DONE, NULL));
	struct lock_entry *entry = lock_find(lock, STR("pod.a"));
	assert_true(str_is(entry->pod.image, "new:2"));
	assert_string_equal(entry->op.hex, op_id(1).hex);
	assert_true(str_is(entry->created_at, "2026-11-21T10:00:00Z"));
	assert_int_equal(entry->price_per_hour, 440000);
	/* One without effect leaves it as it was. */
	update = intent_record(3, OP_UPDATE, "pod.a", "a1");
	update.op.entry.pod.image = STR("newer:3");
	apply(&b, lock, update);
	apply(&b, lock, result_record(3, OP_NONE, NULL));
	entry = lock_find(lock, STR("pod.a"));
	assert_true(str_is(entry->pod.image, "new:2"));
	assert_string_equal(sorted_outline(&b, lock), "pod.a a1\n");
	bench_release(&b);
}

static void
test_journal_stop_and_start_are_remembered(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	apply(&b, lock, intent_record(1, OP_CREATE, "pod.a", NULL));
	apply(&b, lock, result_record(1, OP_DONE, "a1"));
	apply(&b, lock, intent_record(2, OP_STOP, "pod.a", "a1"));
	apply(&b, lock, result_record(2, OP_DONE, NULL));
	assert_string_equal(sorted_outline(&b, lock), "pod.a a1 stopped\n");
	apply(&b, lock, intent_record(3, OP_START, "pod.a", "a1"));
	apply(&b, lock, result_record(3, OP_DONE, NULL));
	assert_string_equal(sorted_outline(&b, lock), "pod.a a1\n");
	bench_release(&b);
}

static void
test_journal_volume_records_its_own_id(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	struct record make = intent_record(1, OP_CREATE, "volume.data", NULL);
	make.op.entry = full_volume("volume.data", NULL);
	apply(&b, lock, make);
	apply(&b, lock, result_record(1, OP_DONE, "v1"));
	struct record grow = intent_record(2, OP_UPDATE, "volume.data", NULL);
	grow.op.entry = full_volume("volume.data", NULL);
	grow.op.entry.volume.size_gb = 200;
	apply(&b, lock, grow);
	apply(&b, lock, result_record(2, OP_DONE, NULL));
	struct lock_entry *entry = lock_find_id(lock, KIND_VOLUME, STR("v1"));
	assert_true(str_is(entry->volume.id, "v1"));
	assert_int_equal(entry->volume.size_gb, 200);
	bench_release(&b);
}

/* Ops on what the lock does not hold; the same pod found twice. */
static void
test_journal_results_without_an_entry_do_no_harm(void **state)
{
	static const enum op_action actions[] = { OP_UPDATE, OP_STOP,
	    OP_DELETE };
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	for (unsigned i = 0; i < COUNTOF(actions); i++) {
		struct record intent = intent_record(i + 1, actions[i],
		    "pod.x", "x1");
		intent.op.entry.op = op_id(77);
		apply(&b, lock, intent);
		apply(&b, lock, result_record(i + 1, OP_DONE, NULL));
	}
	/* An orphan was ended: its maker stays dead. */
	assert_string_equal(sorted_outline(&b, lock),
	    "dead 0000004d pod.x\n");
	for (unsigned op = 5; op < 7; op++) {
		apply(&b, lock, intent_record(op, OP_CREATE, "pod.a", NULL));
		apply(&b, lock, result_record(op, OP_DONE, "a1"));
	}
	assert_string_equal(sorted_outline(&b, lock),
	    "pod.a a1\ndead 0000004d pod.x\n");
	bench_release(&b);
}

/* A plan points into the lock; what it shows must not change under it. */
static void
test_journal_apply_leaves_the_plans_view_alone(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	*ARENA_PUSH(&b.arena, &lock->entries) = full_pod("pod.a", "a1");
	*ARENA_PUSH(&b.arena, &lock->entries) = full_pod("pod.b", "b1");
	const struct lock_entry *a = lock_find(lock, STR("pod.a"));
	const struct lock_entry *other = lock_find(lock, STR("pod.b"));
	apply(&b, lock, intent_record(1, OP_DELETE, "pod.a", "a1"));
	apply(&b, lock, result_record(1, OP_DONE, NULL));
	apply(&b, lock, intent_record(2, OP_CREATE, "pod.a", NULL));
	apply(&b, lock, result_record(2, OP_DONE, "a2"));
	assert_true(str_is(a->id, "a1") && str_is(other->id, "b1"));
	assert_string_equal(sorted_outline(&b, lock),
	    "pod.a a2\npod.b b1 stopped\ndead 00000007 pod.a\n");
	bench_release(&b);
}

/* ------------------------------------------------------------- folds --- */

static bool
fold(struct bench *b, struct lock *lock, const struct record *list, size_t n,
    bool *changed)
{
	struct records records = { 0 };
	for (size_t i = 0; i < n; i++)
		*ARENA_PUSH(&b->arena, &records.list) = list[i];
	return journal_fold(&b->arena, lock, &records, changed, &b->diags);
}

/* S-05, S-06 */
static void
test_journal_fold_refuses_what_does_not_belong(void **state)
{
	struct bench b;
	bool changed;
	(void)state;
	bench_init(&b);
	struct record list[] = { begin_record(42),
	    intent_record(1, OP_CREATE, "pod.a", NULL) };
	struct lock *lock = bare_lock(&b.arena, 41);
	assert_false(fold(&b, lock, list, 2, &changed));
	assert_says(&b, "the lock file is older than the journal: its serial "
	    "is 41, the journal builds on 42");
	assert_int_equal(lock->pending.n, 0);
	lock = bare_lock(&b.arena, 42);
	list[0].lineage = op_id(5);
	assert_false(fold(&b, lock, list, 2, &changed));
	assert_says(&b, "the journal belongs to another lock file");
	/* No lock file any more, although there was one. */
	list[0] = begin_record(42);
	lock = empty_lock(&b.arena);
	assert_false(fold(&b, lock, list, 2, &changed));
	assert_says(&b, "the lock file is missing, but the journal builds on "
	    "its serial 42");
	bench_release(&b);
}

static void
test_journal_fold_recovers_the_first_run_without_a_lock(void **state)
{
	struct bench b;
	bool changed;
	(void)state;
	bench_init(&b);
	struct record list[] = { begin_record(0),
	    intent_record(1, OP_CREATE, "pod.a", NULL),
	    intent_record(2, OP_CREATE, "pod.b", NULL),
	    result_record(1, OP_DONE, "a1") };
	struct lock *lock = empty_lock(&b.arena);
	assert_true(fold(&b, lock, list, 4, &changed));
	assert_true(changed);
	assert_string_equal(lock->lineage.hex, LINEAGE);
	assert_string_equal(outline(&b.arena, lock),
	    "pod.a a1\npending 00000002 pod.b\n");
	bench_release(&b);
}

static void
test_journal_fold_of_nothing_changes_nothing(void **state)
{
	struct bench b;
	bool changed = true;
	(void)state;
	bench_init(&b);
	struct record list[] = { begin_record(41), { .type = RECORD_END } };
	struct lock *lock = bare_lock(&b.arena, 41);
	assert_true(fold(&b, lock, list, 2, &changed));
	assert_false(changed);
	assert_true(fold(&b, lock, NULL, 0, &changed));
	assert_false(changed);
	bench_release(&b);
}

/*
 * The lock moved on by somebody else's commits (git pull) while this
 * machine's journal waited: its records still count.
 */
static void
test_journal_fold_counts_under_a_later_serial(void **state)
{
	struct bench b;
	bool changed;
	(void)state;
	bench_init(&b);
	struct record list[] = { begin_record(41),
	    intent_record(1, OP_CREATE, "pod.a", NULL) };
	struct lock *lock = bare_lock(&b.arena, 44);
	lock->folded = STR("0123456789abcdef");
	assert_true(fold(&b, lock, list, 2, &changed));
	assert_true(changed);
	assert_int_equal(lock->pending.n, 1);
	bench_release(&b);
}

/* The same journal against a lock of another run that knows its outcome. */
static void
test_journal_fold_does_not_take_finished_creates_again(void **state)
{
	struct bench b;
	bool changed;
	(void)state;
	bench_init(&b);
	struct record list[] = { begin_record(41),
	    intent_record(1, OP_CREATE, "pod.a", NULL),
	    intent_record(2, OP_CREATE, "pod.b", NULL),
	    result_record(1, OP_DONE, "a1") };
	struct lock *lock = bare_lock(&b.arena, 43);
	struct lock_entry *entry = ARENA_PUSH(&b.arena, &lock->entries);
	*entry = full_pod("pod.renamed", "a1");
	entry->op = op_id(1);
	lock_bury(&b.arena, lock, &list[2].op.op, STR("pod.b"), NOW_MS);
	assert_true(fold(&b, lock, list, 4, &changed));
	assert_false(changed);
	assert_string_equal(outline(&b.arena, lock),
	    "pod.renamed a1 stopped\ndead 00000002 pod.b\n");
	bench_release(&b);
}

/* ----------------------------------------------------------- crashes --- */

/*
 * A run with two commits in the middle.  COMMIT stands for journal_commit().
 * The order matters: a second replay of the first records on top of the last
 * would leave another picture.
 */
#define COMMIT ((struct record){ .type = RECORD_END, .adopted = true })

static size_t
script(struct record *list)
{
	size_t n = 0;
	list[n++] = begin_record(0);
	list[n++] = intent_record(1, OP_CREATE, "pod.a", NULL);
	list[n++] = result_record(1, OP_DONE, "a1");
	list[n++] = intent_record(2, OP_CREATE, "pod.a", NULL);
	list[n++] = result_record(2, OP_DONE, "a2");
	list[n++] = COMMIT;
	list[n++] = intent_record(3, OP_DELETE, "pod.a", "a1");
	list[n++] = result_record(3, OP_DONE, NULL);
	list[n++] = intent_record(4, OP_STOP, "pod.a", "a2");
	list[n++] = COMMIT;
	list[n++] = result_record(4, OP_DONE, NULL);
	list[n++] = intent_record(5, OP_CREATE, "pod.b", NULL);
	list[n++] = COMMIT;
	return n;
}
enum { SCRIPT_MAX = 16 };

static bool
is_commit(const struct record *record)
{
	return record->type == RECORD_END;
}

/* What is so after the first n steps. */
static const char *
expected(struct bench *b, const struct record *list, size_t n)
{
	struct lock *lock = bare_lock(&b->arena, 0);
	for (size_t i = 0; i < n; i++)
		if (list[i].type == RECORD_INTENT ||
		    list[i].type == RECORD_RESULT)
			apply(b, lock, list[i]);
	return sorted_outline(b, lock);
}

/* Run until the disk fails; returns how many steps were acknowledged. */
static size_t
run_script(struct bench *b, const struct record *list, size_t n)
{
	struct journal journal;
	size_t done = 0;
	struct lock *lock = empty_lock(&b->arena);

	lock->arena = &b->arena;
	lock->lineage = begin_record(0).lineage;
	if (!journal_open(&journal, &b->arena, &b->fs, JOURNAL_PATH,
	    &b->diags))
		return 0;
	for (; done < n; done++) {
		if (is_commit(&list[done])) {
			if (!journal_commit(&journal, &b->fs, &b->chance,
			    LOCK_PATH, lock, NOW_MS, &b->diags))
				break;
		} else if (!journal_append(&journal, &list[done], 1,
		    &b->diags)) {
			break;
		} else if (list[done].type != RECORD_BEGIN) {
			apply(b, lock, list[done]);
		}
	}
	journal_close(&journal);
	return done;
}

/* The next start: read, fold, commit.  NULL when the disk fails again. */
static const char *
recover(struct bench *b)
{
	struct records records;
	struct journal journal;
	bool changed;

	struct lock *lock = lock_read(&b->arena, &b->fs, LOCK_PATH, 1000,
	    NULL, &b->diags);
	if (lock == NULL || !journal_read(&b->arena, &b->fs, JOURNAL_PATH,
	    1000, &records, &b->diags) ||
	    !journal_fold(&b->arena, lock, &records, &changed, &b->diags))
		return NULL;
	const char *text = outline(&b->arena, lock);
	if (!changed)
		return text;
	if (!journal_open(&journal, &b->arena, &b->fs, JOURNAL_PATH,
	    &b->diags))
		return NULL;
	bool ok = journal_commit(&journal, &b->fs, &b->chance, LOCK_PATH,
	    lock, NOW_MS, &b->diags);
	journal_close(&journal);
	return ok ? text : NULL;
}

/* Everything acknowledged is there; what came next may be, nothing else. */
static void
assert_recovered(struct bench *b, const char *text, const struct record *list,
    size_t n, size_t done, uint64_t at)
{
	if (text == NULL)
		fail_msg("call %d: %s", (int)at, bench_report(b));
	if (strcmp(text, expected(b, list, done)) == 0)
		return;
	if (done < n && strcmp(text, expected(b, list, done + 1)) == 0)
		return;
	fail_msg("call %d, %zu steps acknowledged, found:\n%sinstead of:\n%s",
	    (int)at, done, text, expected(b, list, done));
}

static void
crash_once(uint64_t at, enum fake_fault fault, uint64_t seed, bool *fired)
{
	struct record list[SCRIPT_MAX];
	size_t n = script(list);
	struct bench b;

	bench_init(&b);
	b.fake->faults = (struct fake_faults){ .at = at, .fault = fault };
	size_t done = run_script(&b, list, n);
	*fired = b.fake->fired;
	fake_fs_power_loss(b.fake, (enum fake_image)(seed % IMAGE_COUNT),
	    seed);
	bench_report(&b);
	const char *text = recover(&b);
	assert_recovered(&b, text, list, n, done, at);
	/* Looking again shows the same, and there is nothing left to do. */
	assert_string_equal(recover(&b), text);
	bench_release(&b);
}

/* F20, F21, M18 */
static void
test_journal_crash_at_any_call_loses_and_repeats_nothing(void **state)
{
	bool fired = true;
	uint64_t at = 1;
	(void)state;
	for (; fired; at++)
		for (int fault = FAULT_CRASH; fault <= FAULT_CRASH_AFTER;
		    fault++)
			for (uint64_t seed = 0; seed < 9; seed++)
				crash_once(at, (enum fake_fault)fault, seed,
				    &fired);
	assert_true(at > 60);
}

/* F22, F23: an error instead of a crash; the process ends by itself. */
static void
test_journal_error_at_any_call_loses_nothing(void **state)
{
	static const enum fake_fault faults[] = { FAULT_ERROR, FAULT_SHORT };
	(void)state;
	for (size_t kind = 0; kind < 4; kind++) {
		bool fired = true;
		for (uint64_t at = 1; fired; at++) {
			struct record list[SCRIPT_MAX];
			size_t n = script(list);
			struct bench b;
			bench_init(&b);
			b.fake->faults = (struct fake_faults){ .at = at,
			    .fault = faults[kind % 2],
			    .onward = kind >= 2 };
			size_t done = run_script(&b, list, n);
			fired = b.fake->fired;
			fake_fs_process_death(b.fake);
			bench_report(&b);
			const char *text = recover(&b);
			assert_recovered(&b, text, list, n, done, at);
			assert_string_equal(recover(&b), text);
			bench_release(&b);
		}
	}
}

/*
 * M18.  Between commit and clear the journal repeats what the lock says
 * already; what a command changed in the lock besides must not be undone.
 */
static void
test_journal_folded_records_do_not_count_again(void **state)
{
	struct record list[SCRIPT_MAX];
	struct journal journal;
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = empty_lock(&b.arena);
	lock->lineage = begin_record(0).lineage;
	script(list);
	assert_true(journal_open(&journal, &b.arena, &b.fs, JOURNAL_PATH,
	    &b.diags));
	for (size_t i = 0; i < 5; i++) {
		assert_true(journal_append(&journal, &list[i], 1, &b.diags));
		if (i > 0)
			apply(&b, lock, list[i]);
	}
	/* `state forget` of one, a mark on the other. */
	lock_remove_entry(lock, lock_find_id(lock, KIND_POD, STR("a1")));
	lock_find_id(lock, KIND_POD, STR("a2"))->tainted = true;
	b.fake->calls = 0;
	b.fake->faults = (struct fake_faults){ .at = 1, .only = "truncate",
	    .fault = FAULT_CRASH };
	journal_commit(&journal, &b.fs, &b.chance, LOCK_PATH, lock, NOW_MS,
	    &b.diags);
	assert_true(b.fake->fired);
	fake_fs_power_loss(b.fake, IMAGE_SYNCED, 1);
	bench_report(&b);
	assert_true(fake_fs_text(b.fake, JOURNAL_PATH).len > 0);
	for (int i = 0; i < 2; i++) {
		struct records records;
		bool changed = true;
		lock = lock_read(&b.arena, &b.fs, LOCK_PATH, 1000, NULL,
		    &b.diags);
		assert_true(journal_read(&b.arena, &b.fs, JOURNAL_PATH, 1000,
		    &records, &b.diags));
		assert_true(journal_fold(&b.arena, lock, &records, &changed,
		    &b.diags));
		assert_int_equal(records.list.n, i == 0 ? 5 : 7);
		assert_true(changed == (i == 1));
		assert_true(lock_find(lock, STR("pod.a"))->tainted);
		assert_string_equal(outline(&b.arena, lock), i == 0 ?
		    "pod.a a2\n" : "pod.a a2\npending 00000009 pod.c\n");
		if (i == 1)
			break;
		/* The next run goes on in the same file, uncleared. */
		struct record more[] = { begin_record(1),
		    intent_record(9, OP_CREATE, "pod.c", NULL) };
		assert_true(journal_open(&journal, &b.arena, &b.fs,
		    JOURNAL_PATH, &b.diags));
		assert_true(journal_append(&journal, more, 2, &b.diags));
		journal_close(&journal);
	}
	bench_release(&b);
}

/* A crash in the recovery from a crash. */
static void
test_journal_crash_in_recovery_loses_nothing(void **state)
{
	struct record list[SCRIPT_MAX];
	size_t n = script(list);
	(void)state;
	for (uint64_t first = 1; first < 120; first += 3) {
		bool fired = true;
		for (uint64_t at = 1; fired; at++) {
			struct bench b;
			uint64_t seed = first * 31 + at;
			bench_init(&b);
			b.fake->faults = (struct fake_faults){ .at = first,
			    .fault = FAULT_CRASH_AFTER };
			size_t done = run_script(&b, list, n);
			fake_fs_power_loss(b.fake, IMAGE_TORN, seed);
			b.fake->faults = (struct fake_faults){ .at = at,
			    .fault = FAULT_CRASH };
			const char *text = recover(&b);
			fired = b.fake->fired;
			fake_fs_power_loss(b.fake,
			    (enum fake_image)(seed % IMAGE_COUNT), seed);
			bench_report(&b);
			const char *again = recover(&b);
			assert_recovered(&b, again, list, n, done, first);
			if (text != NULL)
				assert_string_equal(again, text);
			bench_release(&b);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journal_create_done_makes_an_entry),
		cmocka_unit_test(
		    test_journal_create_first_deposes_the_old_one),
		cmocka_unit_test(
		    test_journal_delete_of_a_successor_restores_the_old_one),
		cmocka_unit_test(test_journal_create_none_leaves_a_tombstone),
		cmocka_unit_test(test_journal_update_keeps_who_it_is),
		cmocka_unit_test(test_journal_stop_and_start_are_remembered),
		cmocka_unit_test(test_journal_volume_records_its_own_id),
		cmocka_unit_test(
		    test_journal_results_without_an_entry_do_no_harm),
		cmocka_unit_test(
		    test_journal_apply_leaves_the_plans_view_alone),
		cmocka_unit_test(
		    test_journal_fold_refuses_what_does_not_belong),
		cmocka_unit_test(
		    test_journal_fold_recovers_the_first_run_without_a_lock),
		cmocka_unit_test(
		    test_journal_fold_of_nothing_changes_nothing),
		cmocka_unit_test(
		    test_journal_fold_counts_under_a_later_serial),
		cmocka_unit_test(
		    test_journal_fold_does_not_take_finished_creates_again),
		cmocka_unit_test(
		    test_journal_crash_at_any_call_loses_and_repeats_nothing),
		cmocka_unit_test(
		    test_journal_error_at_any_call_loses_nothing),
		cmocka_unit_test(
		    test_journal_folded_records_do_not_count_again),
		cmocka_unit_test(
		    test_journal_crash_in_recovery_loses_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
