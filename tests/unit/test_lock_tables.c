/*
 * test_lock_tables.c - what the result of an op makes of the record: every
 * action by every outcome, over every way in which its slot may be taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "lock/journal.h"
#include "lock/lock.h"

/* The thing that the op is about is `it`; others are old and older. */
enum slot {
	EMPTY,			/* nothing of the slot is recorded */
	IT,			/* it has the slot */
	OTHER,			/* another has it */
	IT_AND_OLD,		/* it has it, what it replaced is not gone */
	IT_AND_TWO,		/* likewise, with two that it replaced */
	OLD_IS_IT,		/* another has it, it is what that replaced */
	FIRST,			/* it has it, by the other form of its name */
	NSLOTS,
};

static struct id128
op_of(char letter)
{
	struct id128 op = {0};

	memset(op.hex, letter, sizeof op.hex - 1);
	return op;
}

static void
add(struct lock *lock, const char *address, const char *id, char op,
    bool deposed)
{
	lock_add_entry(lock, &(struct lock_entry){ .kind = KIND_POD,
		.address = str_from(address), .id = str_from(id),
		.op = op_of(op), .deposed = deposed,
		.price_per_hour = 400000, .pod.image = STR("x:1") });
}

static void
make(struct lock *lock, enum slot slot)
{
	switch (slot) {
	case EMPTY:
	case NSLOTS:
		break;
	case IT_AND_TWO:
		add(lock, "pod.x", "older", 'd', true);
		__attribute__((fallthrough));
	case IT_AND_OLD:
		add(lock, "pod.x[0]", "old", 'b', true);
		__attribute__((fallthrough));
	case IT:
		add(lock, "pod.x", "it", 'a', false);
		break;
	case OTHER:
		add(lock, "pod.x", "old", 'b', false);
		break;
	case OLD_IS_IT:
		add(lock, "pod.x", "old", 'b', false);
		add(lock, "pod.x", "it", 'a', true);
		break;
	case FIRST:
		add(lock, "pod.x[0]", "it", 'a', false);
		break;
	}
}

/* "pod.x=it*stopped pod.x[0]=old(deposed) grave=a": * is the new image. */
static const char *
after(struct arena *arena, enum op_action action, enum op_outcome outcome,
    enum slot slot)
{
	struct lock lock = { .arena = arena };
	struct strbuf out = {0};
	struct record intent = { .type = RECORD_INTENT, .op = {
		.action = action, .op = op_of('c'), .address = STR("pod.x"),
		.entry = { .kind = KIND_POD, .address = STR("pod.x"),
			.id = action == OP_CREATE ? (struct str){0} :
			    STR("it"), .op = op_of('a'),
			.price_per_hour = -1, .pod.image = STR("x:2") } } };
	struct record result = { .type = RECORD_RESULT, .op.op = op_of('c'),
		.outcome = outcome, .price_per_hour = -1, .wall_ms = 5,
		.id = action == OP_CREATE && outcome == OP_DONE ? STR("it") :
		    (struct str){0} };

	make(&lock, slot);
	for (size_t i = 0; i < lock.entries.n; i++)
		lock.entries.items[i].stopped = action == OP_START;
	lock_apply_intent(arena, &lock, &intent);
	assert_int_equal(lock.pending.n, 1);
	lock_apply_result(arena, &lock, &result);
	assert_int_equal(lock.pending.n, 0);
	/* A second time it changes nothing. */
	size_t n = lock.entries.n, graves = lock.tombstones.n;
	lock_apply_result(arena, &lock, &result);
	assert_int_equal(lock.entries.n, n);
	assert_int_equal(lock.tombstones.n, graves);
	lock_sort(&lock);
	for (size_t i = 0; i < lock.entries.n; i++) {
		const struct lock_entry *entry = &lock.entries.items[i];
		strbuf_addf(&out, "%s" STR_FMT "=" STR_FMT "%s%s%s",
		    i > 0 ? " " : "", STR_ARG(entry->address),
		    STR_ARG(entry->id), str_is(entry->pod.image, "x:2") ? "*" :
		    "", entry->stopped ? "(stopped)" : "",
		    entry->deposed ? "(deposed)" : "");
		assert_true(lock_find_id(&lock, KIND_POD, entry->id) == entry);
	}
	for (size_t i = 0; i < lock.tombstones.n; i++)
		strbuf_addf(&out, " grave=%c",
		    lock.tombstones.items[i].op.hex[0]);
	const char *text = arena_str(arena, strbuf_str(&out)).data;
	strbuf_release(&out);
	return text;
}

#define AS_IT_WAS { \
	[EMPTY] = "", \
	[IT] = "pod.x=it", \
	[OTHER] = "pod.x=old", \
	[IT_AND_OLD] = "pod.x=it pod.x[0]=old(deposed)", \
	[IT_AND_TWO] = "pod.x=it pod.x=older(deposed) " \
	    "pod.x[0]=old(deposed)", \
	[OLD_IS_IT] = "pod.x=old pod.x=it(deposed)", \
	[FIRST] = "pod.x[0]=it", \
}

static const struct {
	enum op_action action;
	enum op_outcome outcome;
	const char *wanted[NSLOTS];
} rows[] = {
	{ OP_CREATE, OP_DONE, {
		[EMPTY] = "pod.x=it*",
		[IT] = "pod.x=it*",
		[OTHER] = "pod.x=it* pod.x=old(deposed)",
		[IT_AND_OLD] = "pod.x=it* pod.x[0]=old(deposed)",
		[IT_AND_TWO] = "pod.x=it* pod.x=older(deposed) "
		    "pod.x[0]=old(deposed)",
		[OLD_IS_IT] = "pod.x=it* pod.x=old(deposed)",
		[FIRST] = "pod.x=it*",
	} },
	{ OP_CREATE, OP_NONE, {
		[EMPTY] = " grave=c",
		[IT] = "pod.x=it grave=c",
		[OTHER] = "pod.x=old grave=c",
		[IT_AND_OLD] = "pod.x=it pod.x[0]=old(deposed) grave=c",
		[IT_AND_TWO] = "pod.x=it pod.x=older(deposed) "
		    "pod.x[0]=old(deposed) grave=c",
		[OLD_IS_IT] = "pod.x=old pod.x=it(deposed) grave=c",
		[FIRST] = "pod.x[0]=it grave=c",
	} },
	{ OP_UPDATE, OP_DONE, {
		[EMPTY] = "",
		[IT] = "pod.x=it*",
		[OTHER] = "pod.x=old",
		[IT_AND_OLD] = "pod.x=it* pod.x[0]=old(deposed)",
		[IT_AND_TWO] = "pod.x=it* pod.x=older(deposed) "
		    "pod.x[0]=old(deposed)",
		[OLD_IS_IT] = "pod.x=old pod.x=it*(deposed)",
		[FIRST] = "pod.x[0]=it*",
	} },
	{ OP_UPDATE, OP_NONE, AS_IT_WAS },
	{ OP_START, OP_DONE, {
		[EMPTY] = "",
		[IT] = "pod.x=it",
		[OTHER] = "pod.x=old(stopped)",
		[IT_AND_OLD] = "pod.x=it pod.x[0]=old(stopped)(deposed)",
		[IT_AND_TWO] = "pod.x=it pod.x=older(stopped)(deposed) "
		    "pod.x[0]=old(stopped)(deposed)",
		[OLD_IS_IT] = "pod.x=old(stopped) pod.x=it(deposed)",
		[FIRST] = "pod.x[0]=it",
	} },
	{ OP_START, OP_NONE, {
		[EMPTY] = "",
		[IT] = "pod.x=it(stopped)",
		[OTHER] = "pod.x=old(stopped)",
		[IT_AND_OLD] = "pod.x=it(stopped) "
		    "pod.x[0]=old(stopped)(deposed)",
		[IT_AND_TWO] = "pod.x=it(stopped) pod.x=older(stopped)(deposed) "
		    "pod.x[0]=old(stopped)(deposed)",
		[OLD_IS_IT] = "pod.x=old(stopped) pod.x=it(stopped)(deposed)",
		[FIRST] = "pod.x[0]=it(stopped)",
	} },
	{ OP_STOP, OP_DONE, {
		[EMPTY] = "",
		[IT] = "pod.x=it(stopped)",
		[OTHER] = "pod.x=old",
		[IT_AND_OLD] = "pod.x=it(stopped) pod.x[0]=old(deposed)",
		[IT_AND_TWO] = "pod.x=it(stopped) pod.x=older(deposed) "
		    "pod.x[0]=old(deposed)",
		[OLD_IS_IT] = "pod.x=old pod.x=it(stopped)(deposed)",
		[FIRST] = "pod.x[0]=it(stopped)",
	} },
	{ OP_STOP, OP_NONE, AS_IT_WAS },
	{ OP_DELETE, OP_DONE, {
		[EMPTY] = " grave=a",
		[IT] = " grave=a",
		[OTHER] = "pod.x=old grave=a",
		[IT_AND_OLD] = "pod.x[0]=old grave=a",
		[IT_AND_TWO] = "pod.x=older(deposed) pod.x[0]=old(deposed) "
		    "grave=a",
		[OLD_IS_IT] = "pod.x=old grave=a",
		[FIRST] = " grave=a",
	} },
	{ OP_DELETE, OP_NONE, AS_IT_WAS },
};

static void
test_lock_result_of_each_action_on_each_record(void **state)
{
	struct arena arena = {0};
	(void)state;

	assert_int_equal(COUNTOF(rows), 2 * OP_COUNT);
	for (size_t row = 0; row < COUNTOF(rows); row++)
		for (enum slot slot = 0; slot < NSLOTS; slot++)
			assert_string_equal(after(&arena,
			    rows[row].action, rows[row].outcome, slot),
			    rows[row].wanted[slot]);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_lock_result_of_each_action_on_each_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
