/*
 * test_lock_index.c - a lock in memory: what is found after each change, what
 * is dead, given away or moved, and results that say little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "lock_fixture.h"

/* Each entry is found by its address and its id, each op by its number, and
 * whatever else was once there is not. */
static void
check_index(struct lock *lock)
{
	static const char *const addresses[] = { "pod.a", "pod.b", "pod.c",
		"pod.moved", "volume.a", "runner.r" };
	static const char *const ids[] = { "1", "2", "3", "v", "r" };

	for (size_t i = 0; i < COUNTOF(addresses); i++) {
		struct str address = str_from(addresses[i]);
		const struct lock_entry *wanted = NULL;
		for (size_t k = 0; k < lock->entries.n; k++)
			if (!lock->entries.items[k].deposed && str_eq(
			    lock->entries.items[k].address, address))
				wanted = &lock->entries.items[k];
		assert_ptr_equal(lock_find(lock, address), wanted);
	}
	for (enum kind kind = 0; kind < KIND_COUNT; kind++)
	for (size_t i = 0; i < COUNTOF(ids); i++) {
		struct str id = str_from(ids[i]);
		const struct lock_entry *wanted = NULL;
		for (size_t k = 0; k < lock->entries.n; k++)
			if (lock->entries.items[k].kind == kind &&
			    str_eq(lock->entries.items[k].id, id))
				wanted = &lock->entries.items[k];
		assert_ptr_equal(lock_find_id(lock, kind, id), wanted);
	}
	for (unsigned n = 1; n < 6; n++) {
		struct id128 op = op_id(n);
		const struct lock_op *wanted = NULL;
		for (size_t k = 0; k < lock->pending.n; k++)
			if (strcmp(lock->pending.items[k].op.hex, op.hex) == 0)
				wanted = &lock->pending.items[k];
		assert_ptr_equal(lock_find_op(lock, &op), wanted);
	}
}

/* Three pods, a volume, a runner that has no number yet; four ops. */
static struct lock *
some_lock(struct bench *b)
{
	struct lock *lock = bare_lock(&b->arena, 1);
	struct lock_entry entry = full_pod("pod.a", "1");

	lock_add_entry(lock, &entry);
	entry = full_pod("pod.b", "2");
	lock_add_entry(lock, &entry);
	entry = full_pod("pod.c", "3");
	lock_add_entry(lock, &entry);
	entry = full_volume("volume.a", "v");
	lock_add_entry(lock, &entry);
	entry = (struct lock_entry){ .kind = KIND_RUNNER,
		.address = STR("runner.r") };
	lock_add_entry(lock, &entry);
	for (unsigned n = 1; n < 5; n++) {
		struct record intent = intent_record(n, OP_DELETE, "pod.a",
		    "1");
		lock_apply_intent(&b->arena, lock, &intent);
	}
	return lock;
}

static void
test_lock_index_is_right_after_each_change(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = some_lock(&b);
	check_index(lock);
	assert_null(lock_find_id(lock, KIND_RUNNER, STR("")));
	/* An op from the middle, the last one, and then all. */
	struct id128 two = op_id(2), four = op_id(4);
	struct record none = result_record(2, OP_NONE, NULL);
	lock_apply_result(&b.arena, lock, &none);
	assert_null(lock_find_op(lock, &two));
	assert_non_null(lock_find_op(lock, &four));
	check_index(lock);
	none = result_record(4, OP_NONE, NULL);
	lock_apply_result(&b.arena, lock, &none);
	check_index(lock);
	/* The same op is open again: its number was known before. */
	struct record intent = intent_record(4, OP_STOP, "pod.a", "1");
	lock_apply_intent(&b.arena, lock, &intent);
	check_index(lock);
	assert_int_equal(lock_find_op(lock, &four)->action, OP_STOP);
	/* Twice the same intent is one op, which is as was said last. */
	size_t n = lock->pending.n;
	intent.op.action = OP_START;
	lock_apply_intent(&b.arena, lock, &intent);
	assert_int_equal(lock->pending.n, n);
	assert_int_equal(lock_find_op(lock, &four)->action, OP_START);
	/* Another address. */
	lock_move_entry(lock, lock_find(lock, STR("pod.b")), STR("pod.moved"));
	assert_null(lock_find(lock, STR("pod.b")));
	assert_true(str_is(lock_find(lock, STR("pod.moved"))->id, "2"));
	check_index(lock);
	lock_remove_entry(lock, lock_find(lock, STR("pod.a")));
	check_index(lock);
	lock_remove_entry(lock, lock_find(lock, STR("pod.moved")));
	check_index(lock);
	lock_sort(lock);
	check_index(lock);
	bench_release(&b);
}

/* Arrays that a caller cut short: what is behind their end is not found. */
static void
test_lock_index_follows_arrays_that_shrink(void **state)
{
	struct bench b;
	(void)state;
	for (int which = 0; which < 3; which++) {
		bench_init(&b);
		struct lock *lock = some_lock(&b);
		struct id128 dead = op_id(77);
		lock_bury(&b.arena, lock, &dead, STR("pod.x"), 1);
		check_index(lock);
		if (which == 0)
			lock->entries.n = 1;
		else if (which == 1)
			lock->pending.n = 1;
		else
			lock->tombstones.n = 0;
		check_index(lock);
		assert_int_equal(lock_is_dead(lock, id128_str(&dead)),
		    which != 2);
		/* And it can be buried again, once. */
		lock_bury(&b.arena, lock, &dead, STR("pod.x"), 1);
		lock_bury(&b.arena, lock, &dead, STR("pod.x"), 1);
		assert_int_equal(lock->tombstones.n, 1);
		bench_release(&b);
	}
}

/* What was changed by hand is not taken for what it was, by either key. */
static void
test_lock_index_finds_no_entry_under_what_it_was(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = some_lock(&b);
	check_index(lock);
	lock_find(lock, STR("pod.a"))->deposed = true;
	assert_null(lock_find(lock, STR("pod.a")));
	lock_find_id(lock, KIND_POD, STR("2"))->kind = KIND_VOLUME;
	assert_null(lock_find_id(lock, KIND_POD, STR("2")));
	/* Two that change places are each found where they are now. */
	struct lock_entry *c = lock_find(lock, STR("pod.c"));
	struct lock_entry *v = lock_find(lock, STR("volume.a"));
	struct str spare = c->address;
	c->address = v->address;
	v->address = spare;
	assert_ptr_equal(lock_find(lock, STR("pod.c")), v);
	spare = c->id;
	c->id = v->id;
	v->id = spare;
	c->kind = KIND_VOLUME;
	v->kind = KIND_VOLUME;
	assert_ptr_equal(lock_find_id(lock, KIND_VOLUME, STR("v")), c);
	bench_release(&b);
}

/* ------------------------------------------------------------ given away -- */

static void
test_lock_gives_away_one_thing_and_takes_it_back(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	struct id128 op = op_id(7), other = op_id(8), third = op_id(9);
	struct lock_entry entry = full_pod("pod.a", "1");
	struct str full = id128_str(&op), brief = str_sub(full, 0, 10);

	assert_false(lock_is_released(lock, full));
	lock_bury(&b.arena, lock, &other, STR("pod.b"), 1);
	/* Dead, but not given away. */
	assert_true(lock_is_dead(lock, id128_str(&other)));
	assert_false(lock_is_released(lock, id128_str(&other)));
	lock_release(&b.arena, lock, &entry, 5);
	assert_int_equal(lock->tombstones.n, 2);
	assert_true(lock_is_dead(lock, full));
	assert_true(lock_is_released(lock, full));
	assert_true(lock_is_released(lock, brief));
	assert_false(lock_is_released(lock, STR("")));
	assert_false(lock_is_released(lock, id128_str(&third)));
	/* The thing with that id, and no other that the op has made. */
	assert_true(lock_is_given_away(lock, full, STR("1")));
	assert_false(lock_is_given_away(lock, full, STR("2")));
	assert_false(lock_is_given_away(lock, id128_str(&other), STR("1")));
	/* Where an older podform wrote no id, whatever it is. */
	lock->tombstones.items[1].id = (struct str){ 0 };
	assert_true(lock_is_given_away(lock, full, STR("2")));
	/* It is kept for good; what is only dead is not. */
	lock_expire(lock, 5 + INT64_C(400) * 24 * HOUR_MS);
	assert_int_equal(lock->tombstones.n, 1);
	assert_true(lock_is_released(lock, full));
	/* Nothing of that name to take back. */
	lock_reclaim(lock, brief);
	assert_true(lock_is_released(lock, full));
	lock_reclaim(lock, full);
	assert_false(lock_is_released(lock, full));
	assert_false(lock_is_dead(lock, full));
	assert_int_equal(lock->tombstones.n, 0);
	/* Its grave is free again. */
	lock_bury(&b.arena, lock, &op, STR("pod.a"), 1);
	assert_int_equal(lock->tombstones.n, 1);
	bench_release(&b);
}

/* A thing without an id leaves open ops of others alone. */
static void
test_lock_release_of_what_has_no_id_ends_no_op(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	struct record intent = intent_record(3, OP_CREATE, "pod.a", NULL);
	struct lock_entry entry = { .kind = KIND_POD, .op = op_id(4),
		.address = STR("pod.a") };

	lock_apply_intent(&b.arena, lock, &intent);
	lock_release(&b.arena, lock, &entry, 0);
	assert_int_equal(lock->pending.n, 1);
	/* Nor one of the same id and another kind. */
	entry = full_volume("volume.a", "1");
	intent = intent_record(5, OP_DELETE, "pod.b", "1");
	lock_apply_intent(&b.arena, lock, &intent);
	lock_release(&b.arena, lock, &entry, 0);
	assert_int_equal(lock->pending.n, 2);
	entry.kind = KIND_POD;
	lock_release(&b.arena, lock, &entry, 0);
	assert_int_equal(lock->pending.n, 1);
	bench_release(&b);
}

/* The edge of a day, and clocks that jumped. */
static void
test_lock_tombstone_lasts_to_the_millisecond(void **state)
{
	static const struct { int64_t age; bool kept; } rows[] = {
		{ 0, true }, { 24 * HOUR_MS, true }, { 24 * HOUR_MS + 1, false },
		{ -1, true }, { INT64_C(-400) * 24 * HOUR_MS, true },
	};
	struct bench b;
	(void)state;
	bench_init(&b);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct lock *lock = bare_lock(&b.arena, 1);
		struct id128 op = op_id(1);
		lock_bury(&b.arena, lock, &op, STR("pod.a"),
		    1763716281000 - rows[i].age);
		lock_expire(lock, 1763716281000);
		assert_int_equal(lock->tombstones.n, rows[i].kept);
		/* Gone, it can be there again. */
		lock_bury(&b.arena, lock, &op, STR("pod.a"), 1763716281000);
		assert_int_equal(lock->tombstones.n, 1);
	}
	bench_release(&b);
}

/* --------------------------------------------------- results and facts ---- */

/* A create that was found without being told its id again. */
static void
test_lock_result_without_an_id_keeps_what_was_intended(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	struct record intent = intent_record(3, OP_CREATE, "pod.a", "intended");
	struct record result = result_record(3, OP_DONE, NULL);
	lock_apply_intent(&b.arena, lock, &intent);
	lock_apply_result(&b.arena, lock, &result);
	struct lock_entry *entry = lock_find(lock, STR("pod.a"));
	assert_true(str_is(entry->id, "intended"));
	/* Nor is a price that is not told one of nothing. */
	assert_int_equal(entry->price_per_hour, 690000);
	assert_true(str_is(entry->created_at, "2026-11-21T09:11:21Z"));
	bench_release(&b);
}

/* An update that names no price leaves the one that was. */
static void
test_lock_result_of_an_update_by_its_price(void **state)
{
	static const struct { int64_t told, wanted; } rows[] = {
		{ -1, 690000 }, { 0, 690000 }, { 1, 1 }, { 440000, 440000 },
	};
	struct bench b;
	(void)state;
	bench_init(&b);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct lock *lock = some_lock(&b);
		struct record intent = intent_record(9, OP_UPDATE, "pod.a",
		    "1");
		struct record result = result_record(9, OP_DONE, NULL);
		intent.op.entry.price_per_hour = rows[i].told;
		lock_apply_intent(&b.arena, lock, &intent);
		lock_apply_result(&b.arena, lock, &result);
		assert_int_equal(lock_find(lock, STR("pod.a"))
		    ->price_per_hour, rows[i].wanted);
	}
	bench_release(&b);
}

/* pod.x and pod.x[0] are one slot, pod.x[1] is another. */
static void
test_lock_result_deposes_what_has_the_slot(void **state)
{
	static const struct { const char *had, *made; bool deposed; } rows[] = {
		{ "pod.x", "pod.x", true }, { "pod.x", "pod.x[0]", true },
		{ "pod.x[0]", "pod.x", true }, { "pod.x[0]", "pod.x[0]", true },
		{ "pod.x", "pod.x[1]", false }, { "pod.x[1]", "pod.x", false },
		{ "pod.x[1]", "pod.x[0]", false },
		{ "pod.x[1]", "pod.x[1]", true },
		{ "pod.y", "pod.x", false }, { "pod.y", "pod.x[0]", false },
	};
	struct bench b;
	(void)state;
	bench_init(&b);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct lock *lock = bare_lock(&b.arena, 1);
		struct lock_entry entry = full_pod(rows[i].had, "old");
		struct record intent = intent_record(9, OP_CREATE,
		    rows[i].made, NULL);
		struct record result = result_record(9, OP_DONE, "new");
		/* What is live, or deposed of another slot, is no matter. */
		struct lock_entry others[] = { full_pod("pod.z", "z"),
		    full_pod("pod.z", "older") };
		others[1].deposed = true;
		lock_add_entry(lock, &others[0]);
		lock_add_entry(lock, &others[1]);
		lock_add_entry(lock, &entry);
		lock_apply_intent(&b.arena, lock, &intent);
		lock_apply_result(&b.arena, lock, &result);
		assert_int_equal(lock_find_id(lock, KIND_POD, STR("old"))
		    ->deposed, rows[i].deposed);
		/* And its end gives the slot back. */
		intent = intent_record(8, OP_DELETE, rows[i].made, "new");
		result = result_record(8, OP_DONE, NULL);
		lock_apply_intent(&b.arena, lock, &intent);
		lock_apply_result(&b.arena, lock, &result);
		assert_int_equal(lock->entries.n, 3);
		assert_false(lock_find_id(lock, KIND_POD, STR("old"))
		    ->deposed);
		assert_true(lock_find_id(lock, KIND_POD, STR("older"))
		    ->deposed);
		/* With none of its own nothing is live again. */
		intent = intent_record(7, OP_DELETE, rows[i].had, "old");
		result = result_record(7, OP_DONE, NULL);
		lock_apply_intent(&b.arena, lock, &intent);
		lock_apply_result(&b.arena, lock, &result);
		assert_int_equal(lock->entries.n, 2);
		assert_true(lock_find_id(lock, KIND_POD, STR("older"))
		    ->deposed);
	}
	bench_release(&b);
}

/* Whichever of the two stands last in memory. */
static void
test_lock_end_of_a_successor_gives_the_slot_back(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	for (int first = 0; first < 2; first++) {
		struct lock *lock = bare_lock(&b.arena, 1);
		struct lock_entry pair[] = { full_pod("pod.x", "new"),
		    full_pod("pod.x", "old") };
		struct record intent = intent_record(8, OP_DELETE, "pod.x",
		    "new");
		struct record result = result_record(8, OP_DONE, NULL);
		pair[1].deposed = true;
		lock_add_entry(lock, &pair[first]);
		lock_add_entry(lock, &pair[1 - first]);
		lock_apply_intent(&b.arena, lock, &intent);
		lock_apply_result(&b.arena, lock, &result);
		assert_int_equal(lock->entries.n, 1);
		assert_true(str_is(lock_find(lock, STR("pod.x"))->id, "old"));
	}
	bench_release(&b);
}

/* All kinds of records, over an entry that was imported. */
static void
test_lock_folds_records_of_all_kinds(void **state)
{
	struct bench b;
	bool changed;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 41);
	struct lock_entry entry = full_pod("pod.a", "1");
	entry.op = (struct id128){ { 0 } };
	lock_add_entry(lock, &entry);
	struct record list[] = { begin_record(41),
	    intent_record(1, OP_CREATE, "pod.b", NULL),
	    result_record(1, OP_DONE, "2"),
	    { .type = RECORD_FACT, .id = STR("1"),
		.inside = { .start = STR("now") } },
	    { .type = RECORD_END } };
	struct records records = { .list = { .items = list,
	    .n = COUNTOF(list), .cap = COUNTOF(list) }, .chain = 7 };
	assert_true(journal_fold(&b.arena, lock, &records, &changed,
	    &b.diags));
	assert_true(changed);
	assert_string_equal(outline(&b.arena, lock), "pod.a 1 stopped\n"
	    "pod.b 2\n");
	assert_true(str_is(lock_find(lock, STR("pod.a"))->inside.start,
	    "now"));
	assert_true(str_is(lock->folded, "0000000000000007"));
	bench_release(&b);
}

static void
test_lock_fact_of_a_pod_that_is_not_recorded_changes_nothing(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = some_lock(&b);
	struct record fact = { .type = RECORD_FACT, .id = STR("v"),
		.inside = { .start = STR("now") } };
	const char *before = text_of(&b.arena, lock);
	lock_apply_fact(lock, &fact);		/* a volume's id */
	assert_string_equal(text_of(&b.arena, lock), before);
	fact.id = STR("1");
	lock_apply_fact(lock, &fact);
	assert_true(str_is(lock_find(lock, STR("pod.a"))->inside.start,
	    "now"));
	bench_release(&b);
}

/* A chain of nothing but zeroes is that of no journal: all of it counts. */
static void
test_lock_that_contains_nothing_takes_all_records(void **state)
{
	static const char *const folded[] = { "", "0000000000000000",
		"not-hex-at-all!!", "00" };
	(void)state;
	for (size_t i = 0; i < COUNTOF(folded); i++) {
		struct bench b;
		bool changed;
		bench_init(&b);
		struct lock *lock = bare_lock(&b.arena, 41);
		struct record list[] = { begin_record(41),
		    intent_record(1, OP_CREATE, "pod.a", NULL) };
		struct records records = { .list = { .items = list,
		    .n = 2, .cap = 2 } };
		lock->folded = str_from(folded[i]);
		assert_true(journal_fold(&b.arena, lock, &records, &changed,
		    &b.diags));
		assert_true(changed);
		assert_int_equal(lock->pending.n, 1);
		bench_release(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock_index_is_right_after_each_change),
		cmocka_unit_test(test_lock_index_follows_arrays_that_shrink),
		cmocka_unit_test(
		    test_lock_index_finds_no_entry_under_what_it_was),
		cmocka_unit_test(
		    test_lock_gives_away_one_thing_and_takes_it_back),
		cmocka_unit_test(
		    test_lock_release_of_what_has_no_id_ends_no_op),
		cmocka_unit_test(test_lock_tombstone_lasts_to_the_millisecond),
		cmocka_unit_test(
		    test_lock_result_without_an_id_keeps_what_was_intended),
		cmocka_unit_test(test_lock_result_of_an_update_by_its_price),
		cmocka_unit_test(test_lock_result_deposes_what_has_the_slot),
		cmocka_unit_test(
		    test_lock_end_of_a_successor_gives_the_slot_back),
		cmocka_unit_test(test_lock_folds_records_of_all_kinds),
		cmocka_unit_test(
		test_lock_fact_of_a_pod_that_is_not_recorded_changes_nothing),
		cmocka_unit_test(
		    test_lock_that_contains_nothing_takes_all_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
