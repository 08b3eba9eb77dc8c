/*
 * test_run_tables.c - what the engine decides, as full truth tables: each
 * combination of what a decision depends on, and a letter for its answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "run/act.h"
#include "run/remove_choice.h"

#define BIT(i, n) (((i) >> (n) & 1) != 0)

/* ------------------------------------------------------ runner removal --- */

static void
test_run_remove_chooses_by_what_is_known(void **state)
{
	static const char letters[] = {
		[REMOVE_CANNOT] = 'c', [REMOVE_LOOK] = 'k',
		[REMOVE_LIST] = 'i', [REMOVE_LATER] = 'w',
		[REMOVE_AGAIN] = 'g', [REMOVE_DELETE] = 'd',
		[REMOVE_AFTERWARDS] = 'a',
	};
	/* may_send, removed, orphan, may_run, force: 0 to 31. */
	static const char wanted[] =
	    "cccccccccccccccc"		/* nothing may be sent */
	    "ddkd" "idid"		/* a known pod; an orphan */
	    "aaaaaaaa";			/* GitHub has removed it */
	char found[33] = "";
	(void)state;

	for (unsigned i = 0; i < 32; i++)
		found[i] = letters[remove_choose(&(struct remove_state){
			.may_send = BIT(i, 4), .removed = BIT(i, 3),
			.orphan = BIT(i, 2), .may_run = BIT(i, 1),
			.force = BIT(i, 0) })];
	assert_string_equal(found, wanted);
}

static void
test_run_remove_waits_until_both_sides_say_idle(void **state)
{
	static const char letters[] = {
		[REMOVE_CANNOT] = 'c', [REMOVE_LOOK] = 'k',
		[REMOVE_LIST] = 'i', [REMOVE_LATER] = 'w',
		[REMOVE_AGAIN] = 'g', [REMOVE_DELETE] = 'd',
		[REMOVE_AFTERWARDS] = 'a',
	};
	/* known, listed, online, busy, listens, window_over: 0 to 63. */
	static const char wanted[] =
	    "wwwwwwwwwwwwwwww" "wwwwwwwwwwwwwwww"	/* GitHub is silent */
	    "ddgd" "ddgd" "ddgd" "ddgd"		/* GitHub knows none */
	    "ddgd" "wwww"			/* offline; and busy */
	    "gdgd" "wwww";			/* online; and busy */
	char found[65] = "";
	(void)state;

	for (unsigned i = 0; i < 64; i++)
		found[i] = letters[remove_by_listing(&(struct remove_listing){
			.known = BIT(i, 5), .listed = BIT(i, 4),
			.online = BIT(i, 3), .busy = BIT(i, 2),
			.listens = BIT(i, 1), .window_over = BIT(i, 0) })];
	assert_string_equal(found, wanted);
}

/* ---------------------------------------------------- ends of a pod ------ */

enum where { NOWHERE, IN_ENTRY, IN_OPEN_OP, OF_THIS_RUN, NPLACES };

/*
 * A pod may end if no runner is on it by the record, whoever wrote it, or if
 * the user said so.
 */
static bool
may_end(enum where where, bool other_kind, bool other_pod, bool force)
{
	struct arena arena = {0};
	struct lock lock = { .arena = &arena };
	struct run run = { .arena = &arena, .lock = &lock,
		.options.force = force };
	struct lock_entry entry = {
		.kind = other_kind ? KIND_TUNNEL : KIND_RUNNER,
		.address = STR("runner.ci"), .id = STR("7"),
		.runner.pod_id = other_pod ? STR("q") : STR("p"),
	};
	struct lock_op op = { .action = OP_CREATE, .entry = entry };
	struct lock_entry elsewhere = { .kind = KIND_RUNNER,
		.address = STR("runner.other"), .id = STR("8"),
		.runner.pod_id = STR("p3") };

	memset(op.op.hex, 'a', sizeof op.op.hex - 1);
	if (where == IN_ENTRY)
		lock_add_entry(&lock, &entry);
	if (where == IN_OPEN_OP)
		*ARENA_PUSH(&arena, &lock.pending) = op;
	/* Others, on another pod and on none, have no say. */
	lock_add_entry(&lock, &elsewhere);
	*ARENA_PUSH(&arena, &lock.pending) = (struct lock_op){
		.entry = elsewhere };
	elsewhere.id = STR("9");
	elsewhere.runner.pod_id = (struct str){0};
	lock_add_entry(&lock, &elsewhere);
	*ARENA_PUSH(&arena, &lock.pending) = (struct lock_op){
		.entry = elsewhere };
	bool before = runners_allow_end(&run, STR("p"));
	if (where == OF_THIS_RUN) {
		assert_true(before);
		map_put(&run.runners_on, &arena, entry.runner.pod_id, &run);
		*ARENA_PUSH(&arena, &lock.pending) = op;
		before = runners_allow_end(&run, STR("p"));
	}
	/* Once it is removed, nothing stands in the way. */
	if (where == IN_ENTRY)
		lock_remove_entry(&lock, lock_find_id(&lock, entry.kind,
		    entry.id));
	lock.pending.n = 0;
	assert_true(runners_allow_end(&run, STR("p")));
	arena_release(&arena);
	return before;
}

static void
test_run_ends_no_pod_that_has_a_runner(void **state)
{
	/* other_kind, other_pod, force: 0 to 7. */
	static const char *const wanted[NPLACES] = {
		[NOWHERE] = "yyyyyyyy",
		[IN_ENTRY] = "nyyyyyyy",
		[IN_OPEN_OP] = "nyyyyyyy",
		[OF_THIS_RUN] = "nyyyyyyy",
	};
	(void)state;

	for (enum where where = 0; where < NPLACES; where++) {
		char found[9] = "";
		for (unsigned i = 0; i < 8; i++)
			found[i] = may_end(where, BIT(i, 2), BIT(i, 1),
			    BIT(i, 0)) ? 'y' : 'n';
		assert_string_equal(found, wanted[where]);
	}
}

/* ------------------------------------------------------------- sending --- */

/* Whatever is undone goes on until the disk fails; anything new needs that
 * nothing has happened which forbids it. */
static void
test_run_sends_only_while_it_may(void **state)
{
	unsigned yes = 0;
	(void)state;

	for (unsigned i = 0; i < 1u << 9; i++) {
		bool undo = BIT(i, 0), disk = BIT(i, 1), stopping = BIT(i, 2);
		bool fatal = BIT(i, 3), fail_fast = BIT(i, 4);
		bool failures = BIT(i, 5), keep = BIT(i, 6);
		bool alone = BIT(i, 7), part_failed = BIT(i, 8);
		bool failed_component[] = { part_failed };
		struct run run = {
			.disk_failed = disk, .stopping = stopping,
			.fatal = fatal ? FAIL_BALANCE : FAIL_NONE,
			.options = { .fail_fast = fail_fast, .keep = keep },
			.summary.failures.n = failures,
			.failed_component = failed_component,
		};
		struct act act = { .undo = undo,
			.component = alone ? SIZE_MAX : 0 };
		unsigned against = stopping + fatal + (fail_fast && failures) +
		    (part_failed && !alone && !keep);
		bool wanted = undo ? !disk : against == 0;

		if (act_may_send(&run, &act) != wanted)
			fail_msg("combination %u", i);
		yes += wanted;
	}
	/* Of undos a half; of others the 64 without signal and fatal failure,
	 * and of these 3 of 4 by the one rule and 7 of 8 by the other. */
	assert_int_equal(yes, 128 + 64 * 3 / 4 * 7 / 8);
}

/* ---------------------------------------------------------------- undo --- */

static const struct {
	enum action_kind kind;
	int inverse;
} inverses[] = {
	{ ACTION_VOLUME_CREATE, ACTION_VOLUME_DELETE },
	{ ACTION_VOLUME_UPDATE, -1 },
	{ ACTION_POD_CONFIRM_GONE, -1 },
	{ ACTION_POD_CREATE, ACTION_POD_DELETE },
	{ ACTION_POD_UPDATE, ACTION_POD_UPDATE },
	{ ACTION_POD_START, ACTION_POD_STOP },
	{ ACTION_POD_RUNNING, -1 },
	{ ACTION_POD_SSH, -1 },
	{ ACTION_POD_LOGIN, -1 },
	{ ACTION_POD_CHECK, -1 },
	{ ACTION_POD_SETUP, -1 },
	{ ACTION_POD_PROCESS, -1 },
	{ ACTION_POD_BACKUP, -1 },
	{ ACTION_RUNNER_INSTALL, -1 },
	{ ACTION_RUNNER_REGISTER, ACTION_RUNNER_REMOVE },
	{ ACTION_RUNNER_START, -1 },
	{ ACTION_RUNNER_ONLINE, -1 },
	{ ACTION_RUNNER_REMOVE, -1 },
	{ ACTION_TUNNEL_OPEN, ACTION_TUNNEL_CLOSE },
	{ ACTION_TUNNEL_CLOSE, -1 },
	{ ACTION_POD_STOP, ACTION_POD_START },
	{ ACTION_BARRIER, -1 },
	{ ACTION_POD_DELETE, -1 },
	{ ACTION_VOLUME_DELETE, -1 },
};

static void
test_run_each_kind_has_words_of_its_own(void **state)
{
	(void)state;

	for (int i = 0; i < ACTION_KIND_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
			    action_words((enum action_kind)i),
			    action_words((enum action_kind)j));
	assert_string_equal(action_words(ACTION_POD_SETUP), "set up");
}

static void
test_run_undoes_each_kind_by_its_inverse(void **state)
{
	struct cloud_pod pod = {0};
	struct plan_change change = { .pod = &pod,
		.on_failure = ON_FAILURE_TERMINATE };
	struct subject subject = {0};
	(void)state;

	assert_int_equal(COUNTOF(inverses), ACTION_KIND_COUNT);
	for (size_t k = 0; k < COUNTOF(inverses); k++)
	for (enum phase phase = PH_WAITING; phase <= PH_SKIPPED; phase++)
	for (unsigned i = 0; i < 8; i++) {
		enum action_kind kind = inverses[k].kind;
		struct act act = { .kind = kind, .change = &change,
			.subject = &subject, .phase = phase,
			.effected = BIT(i, 0), .undo = BIT(i, 1),
			.intended = BIT(i, 2) };
		bool ended = phase == PH_DONE ||
		    (kind == ACTION_TUNNEL_OPEN &&
			(phase == PH_FAILED || phase == PH_SKIPPED));
		int wanted = -1;

		assert_int_equal(kind, (int)k);
		if (ended && act.effected && !act.undo)
			wanted = inverses[k].inverse;
		/* It may have registered itself with the token it got. */
		if (ended && act.intended && kind == ACTION_RUNNER_REGISTER)
			wanted = ACTION_RUNNER_REMOVE;
		if (undo_inverse(&act) != wanted)
			fail_msg("%s, phase %d, %u: %d", action_words(kind),
			    (int)phase, i, undo_inverse(&act));
	}
}

static void
test_run_undoes_a_create_as_on_failure_says(void **state)
{
	/* user_ran, wanted, has a backup.check: 0 to 7.  t ends it, s stops
	 * it, k keeps it. */
	static const char *const wanted[] = {
		/* With a check it is asked first; see backup.c. */
		[ON_FAILURE_STOP] = "ttttttst",
		[ON_FAILURE_TERMINATE] = "tttttttt",
		[ON_FAILURE_KEEP] = "kkkkkkkk",
	};
	(void)state;

	for (size_t row = 0; row < COUNTOF(wanted); row++) {
		char found[9] = "";
		for (unsigned i = 0; i < 8; i++) {
			struct pod_spec spec = {0};
			struct resource want = { .pod = &spec };
			struct plan_change change = {
				.on_failure = (enum on_failure)row,
				.want = BIT(i, 1) ? &want : NULL };
			struct subject subject = { .user_ran = BIT(i, 2) };
			struct act act = { .kind = ACTION_POD_CREATE,
				.phase = PH_DONE, .effected = true,
				.change = &change, .subject = &subject };
			if (BIT(i, 0))
				spec.backup_check.raw = STR("true");
			int inverse = undo_inverse(&act);
			found[i] = inverse == ACTION_POD_STOP ? 's' :
			    inverse == ACTION_POD_DELETE ? 't' :
			    inverse == -1 ? 'k' : '?';
		}
		assert_string_equal(found, wanted[row]);
	}
}

static void
test_run_undoes_no_update_of_what_was_not_seen(void **state)
{
	struct plan_change change = {0};
	struct subject subject = {0};
	struct act act = { .kind = ACTION_POD_UPDATE, .phase = PH_DONE,
		.effected = true, .change = &change, .subject = &subject };
	(void)state;

	assert_int_equal(undo_inverse(&act), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run_remove_chooses_by_what_is_known),
		cmocka_unit_test(
		    test_run_remove_waits_until_both_sides_say_idle),
		cmocka_unit_test(test_run_ends_no_pod_that_has_a_runner),
		cmocka_unit_test(test_run_sends_only_while_it_may),
		cmocka_unit_test(test_run_each_kind_has_words_of_its_own),
		cmocka_unit_test(test_run_undoes_each_kind_by_its_inverse),
		cmocka_unit_test(test_run_undoes_a_create_as_on_failure_says),
		cmocka_unit_test(
		    test_run_undoes_no_update_of_what_was_not_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
