/*
 * test_run_change_asks.c - updates, starts, stops and deletions, one act by
 * itself: what it looks at before, what it sends and what it records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"
#include "run_world.h"

static const enum action_kind kinds[] = {
	ACTION_POD_UPDATE, ACTION_POD_START, ACTION_POD_STOP,
	ACTION_POD_DELETE, ACTION_VOLUME_UPDATE, ACTION_VOLUME_DELETE,
};

/* What is already so is not sent: make it otherwise. */
static void
make_otherwise(struct act_thing *c, enum action_kind kind)
{
	c->pod.status = kind == ACTION_POD_START ? POD_EXITED : POD_RUNNING;
}

/* -------------------------------------------------------- before sending -- */

static void
test_run_change_looks_at_it_first(void **state)
{
	static const enum op_action actions[] = { OP_UPDATE, OP_START,
		OP_STOP, OP_DELETE, OP_UPDATE, OP_DELETE };
	static const enum cloud_op ops[] = { CLOUD_UPDATE_POD,
		CLOUD_START_POD, CLOUD_STOP_POD, CLOUD_DELETE_POD,
		CLOUD_UPDATE_VOLUME, CLOUD_DELETE_VOLUME };
	struct act_world *f = *state;
	struct act_thing c;

	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		act_begin_thing(f, &c, kinds[i]);
		make_otherwise(&c, kinds[i]);
		change_start(&f->run, &f->act);
		struct run_effect effect = act_effect(f, RUN_REQUEST);
		assert_int_equal(effect.request.op, i < 4 ? CLOUD_GET_POD
							 : CLOUD_GET_VOLUME);
		assert_true(str_is(effect.request.id, "p1"));
		assert_int_equal(f->act.phase, PH_VERIFY);
		struct cloud_answer answer = act_shown(f, &c);
		change_answer(&f->run, &f->act, &answer);
		struct record record = act_effect(f, RUN_JOURNAL).record;
		assert_int_equal(record.type, RECORD_INTENT);
		assert_int_equal(record.op.action, actions[i]);
		assert_true(str_is(record.op.entry.id, "p1"));
		f->run.summary.changed = false;
		change_journaled(&f->run, &f->act);
		effect = act_effect(f, RUN_REQUEST);
		assert_int_equal(effect.request.op, ops[i]);
		assert_true(str_is(effect.request.id, "p1"));
		assert_true(f->run.summary.changed);
		assert_no_effect(f);
	}
}

static void
test_run_change_knows_its_thing_by_record_or_listing(void **state)
{
	struct act_world *f = *state;
	struct act made = { .id = STR("p5") };
	struct act_thing c;

	/* What it undoes, else the record, else the pod that was listed. */
	act_begin_thing(f, &c, ACTION_POD_DELETE);
	f->act.undo = true;
	f->act.undoes = &made;
	change_start(&f->run, &f->act);
	assert_true(str_is(act_effect(f, RUN_REQUEST).request.id, "p5"));
	act_begin_thing(f, &c, ACTION_POD_DELETE);
	c.pod.id = STR("p6");
	f->change.have = NULL;
	f->change.pod = &c.pod;
	change_start(&f->run, &f->act);
	assert_true(str_is(act_effect(f, RUN_REQUEST).request.id, "p6"));
	struct cloud_answer answer = act_shown(f, &c);
	change_answer(&f->run, &f->act, &answer);
	struct lock_op op = act_effect(f, RUN_JOURNAL).record.op;
	assert_true(str_is(op.entry.id, "p6"));
	assert_true(str_is(op.entry.address, "pod.a"));
	assert_int_equal(op.entry.kind, KIND_POD);
}

/* A pod with a runner of ours on it is neither ended nor stopped. */
static void
test_run_change_leaves_a_pod_with_a_runner_in_peace(void **state)
{
	struct act_world *f = *state;
	struct act_thing c;

	for (size_t i = 0; i < 4; i++)
	for (int intended = 0; intended < 2; intended++) {
		bool ends = kinds[i] == ACTION_POD_DELETE ||
		    kinds[i] == ACTION_POD_STOP;
		act_begin_thing(f, &c, kinds[i]);
		lock_add_entry(&f->w.lock, &(struct lock_entry){
			.kind = KIND_RUNNER, .address = STR("runner.r"),
			.id = STR("7"), .runner.pod_id = STR("p1") });
		f->act.intended = intended;
		change_start(&f->run, &f->act);
		if (!ends || intended) {
			assert_int_equal(f->act.phase, intended ? PH_SENT
								: PH_VERIFY);
			continue;
		}
		assert_act_failed(f, FAIL_BUSY, "a runner on it is not removed "
		    "yet, so it is left in peace; --force-runners ends it all "
		    "the same");
		assert_ptr_equal(map_get(&f->run.busy_pods, STR("p1")),
		    &f->act);
	}
}

/* Whose is it?  o: ours, - not: nothing is sent. */
static void
test_run_change_touches_what_is_ours_alone(void **state)
{
	struct act_world *f = *state;
	struct act_thing c;
	static const struct {
		const char *what;
		bool none, two, other_id, imported, other_time, no_time,
		    renamed, other_mark, no_record, ours;
	} rows[] = {
		{ "ours", .ours = true },
		{ "nothing", .none = true },
		{ "two of them", .two = true },
		{ "another one", .other_id = true },
		{ "renamed", .renamed = true, .ours = true },
		{ "renamed, no record", .renamed = true, .no_record = true },
		{ "no record", .no_record = true, .ours = true },
		{ "not ours", .other_mark = true },
		{ "imported", .imported = true, .other_mark = true,
		  .ours = true },
		{ "imported, of another time", .imported = true,
		  .other_time = true },
		{ "imported, no time", .imported = true, .other_time = true,
		  .no_time = true, .ours = true },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		act_begin_thing(f, &c, ACTION_POD_DELETE);
		struct lock_entry *entry = &f->w.lock.entries.items[0];
		if (rows[i].imported)
			entry->op.hex[0] = '\0';
		if (rows[i].no_time)
			entry->created_at = (struct str){0};
		if (rows[i].other_time)
			c.pod.created_at = STR("2026-11-21T08:00:01Z");
		if (rows[i].renamed || rows[i].other_mark)
			c.pod.config.name = STR("mine");
		if (rows[i].other_mark)
			c.pod.mark = (struct str){0};
		if (rows[i].no_record) {
			f->w.lock.entries.n = 0;
			f->w.lock.index = NULL;
			f->change.have = NULL;
			f->change.pod = &c.pod;
		}
		change_start(&f->run, &f->act);
		(void)act_effect(f, RUN_REQUEST);
		if (rows[i].other_id)
			c.pod.id = STR("p2");
		struct cloud_answer answer = act_shown(f, &c);
		struct cloud_pod both[] = { c.pod, c.pod };
		answer.pods = both;
		answer.npods = rows[i].none ? 0 : rows[i].two ? 2 : 1;
		change_answer(&f->run, &f->act, &answer);
		if ((f->act.phase == PH_INTENT) != rows[i].ours)
			fail_msg("%s: phase %d", rows[i].what,
			    (int)f->act.phase);
		if (!rows[i].ours)
			assert_act_failed(f, FAIL_SUSPECT, "it does not carry "
			    "our mark, so it is left alone; see podform "
			    "audit");
	}
}

static void
test_run_change_touches_volumes_of_ours_alone(void **state)
{
	/* number, imported, with our mark */
	static const struct { size_t n; bool imported, ours, taken; } rows[] = {
		{ 1, false, true, true }, { 1, false, false, false },
		{ 1, true, false, true }, { 0, true, true, false },
		{ 2, true, true, false },
	};
	struct act_world *f = *state;
	struct act_thing c;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		act_begin_thing(f, &c, ACTION_VOLUME_DELETE);
		if (rows[i].imported)
			f->w.lock.entries.items[0].op.hex[0] = '\0';
		if (!rows[i].ours)
			c.volume.name = STR("d");
		change_start(&f->run, &f->act);
		struct cloud_answer answer = act_shown(f, &c);
		struct cloud_volume both[] = { c.volume, c.volume };
		answer.volumes = both;
		answer.nvolumes = rows[i].n;
		change_answer(&f->run, &f->act, &answer);
		assert_int_equal(f->act.phase, rows[i].taken ? PH_INTENT
							     : PH_FAILED);
	}
	/* One that no record knows any more, with our mark. */
	act_begin_thing(f, &c, ACTION_VOLUME_DELETE);
	f->w.lock.entries.n = 0;
	f->w.lock.index = NULL;
	change_start(&f->run, &f->act);
	struct cloud_answer answer = act_shown(f, &c);
	change_answer(&f->run, &f->act, &answer);
	assert_int_equal(f->act.phase, PH_INTENT);
}

/* d: it is so already; i: it has to be sent.  By enum pod_status. */
static void
test_run_change_sends_nothing_where_it_is_so(void **state)
{
	static const struct { enum action_kind kind; const char *wanted; }
	rows[] = {
		{ ACTION_POD_START, "idddiii" }, { ACTION_POD_STOP, "iiiidii" },
		{ ACTION_POD_UPDATE, "iiiiii" },
		{ ACTION_POD_DELETE, "iiiiii" },
	};
	struct act_world *f = *state;
	struct act_thing c;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		char found[8] = "";
		for (size_t s = 0; s < strlen(rows[i].wanted); s++) {
			act_begin_thing(f, &c, rows[i].kind);
			/* TERMINATED is gone: see below. */
			c.pod.status = s < POD_TERMINATED ? (enum pod_status)s
							  : POD_ERROR;
			change_start(&f->run, &f->act);
			struct cloud_answer answer = act_shown(f, &c);
			change_answer(&f->run, &f->act, &answer);
			found[s] = f->act.phase == PH_DONE ? 'd' :
			    f->act.phase == PH_INTENT ? 'i' : '?';
		}
		assert_string_equal(found, rows[i].wanted);
	}
	for (int64_t size = 19; size <= 21; size++) {
		act_begin_thing(f, &c, ACTION_VOLUME_UPDATE);
		c.volume.size_gb = size;
		change_start(&f->run, &f->act);
		struct cloud_answer answer = act_shown(f, &c);
		change_answer(&f->run, &f->act, &answer);
		assert_int_equal(f->act.phase, size == 20 ? PH_DONE
							  : PH_INTENT);
	}
	act_begin_thing(f, &c, ACTION_VOLUME_DELETE);
	c.volume.size_gb = 20;
	change_start(&f->run, &f->act);
	struct cloud_answer answer = act_shown(f, &c);
	change_answer(&f->run, &f->act, &answer);
	assert_int_equal(f->act.phase, PH_INTENT);
}

/* It is gone: a deletion makes sure of that, and sends nothing. */
static void
test_run_change_of_what_is_gone(void **state)
{
	struct act_world *f = *state;
	struct act_thing c;

	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		act_begin_thing(f, &c, kinds[i]);
		change_start(&f->run, &f->act);
		(void)act_effect(f, RUN_REQUEST);
		change_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_NO_EFFECT,
			.reason = REASON_NOT_FOUND });
		if (!action_rows[kinds[i]].deletes) {
			/* Another replica may have it still. */
			assert_act_waits(f, 2000);
			assert_true(str_is(f->act.reason,
			    "it is gone; plan again"));
			continue;
		}
		struct lock_op op = act_effect(f, RUN_JOURNAL).record.op;
		assert_int_equal(op.action, OP_DELETE);
		assert_true(str_is(op.entry.id, "p1"));
		assert_true(op.op.hex[0] != '\0');
		assert_true(f->act.confirms);
		f->act.intended = true;
		f->run.summary.changed = false;
		change_journaled(&f->run, &f->act);
		assert_int_equal(f->act.phase, PH_WATCH);
		assert_false(f->run.summary.changed);
		assert_no_effect(f);
	}
}

/* No answer to the look: again; no key: that is the end. */
static void
test_run_change_that_cannot_look_sends_nothing(void **state)
{
	static const struct {
		enum cloud_outcome outcome;
		enum cloud_reason reason;
		bool again;
	} rows[] = {
		{ OUTCOME_UNKNOWN, REASON_TRANSIENT, true },
		{ OUTCOME_NOT_SENT, REASON_TRANSIENT, true },
		{ OUTCOME_NO_EFFECT, REASON_RATE_LIMITED, true },
		{ OUTCOME_NO_EFFECT, REASON_FORBIDDEN, true },
		{ OUTCOME_UNKNOWN, REASON_AUTH, true },
		{ OUTCOME_NO_EFFECT, REASON_AUTH, false },
	};
	struct act_world *f = *state;
	struct act_thing c;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		act_begin_thing(f, &c, ACTION_POD_DELETE);
		change_start(&f->run, &f->act);
		change_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = rows[i].outcome, .reason = rows[i].reason,
			.retry_after_ms = 7000, .message = STR("no") });
		if (rows[i].again)
			assert_act_waits(f, 7000);
		else
			assert_act_failed(f, FAIL_AUTH, "no");
		f->run.fatal = FAIL_NONE;
	}
}

/* ------------------------------------------------------- what is recorded */

static void
test_run_change_records_how_it_will_be(void **state)
{
	struct act_world *f = *state;
	struct act_thing c;
	struct act made = { .id = STR("p1") };
	static const struct {
		enum action_kind kind;
		bool undo;
		int made_by;
		const char *image;
		bool stopped, tainted;
		int64_t size_gb;
	} rows[] = {
		{ ACTION_POD_UPDATE, false, 0, "new:1", false, false, 10 },
		{ ACTION_POD_UPDATE, true, ACTION_POD_UPDATE, "old:1", false,
		  false, 10 },
		{ ACTION_POD_START, false, 0, "old:1", false, false, 10 },
		{ ACTION_POD_START, true, ACTION_POD_STOP, "old:1", false,
		  false, 10 },
		{ ACTION_POD_STOP, false, 0, "old:1", true, false, 10 },
		{ ACTION_POD_STOP, true, ACTION_POD_START, "old:1", true,
		  false, 10 },
		/* Made half-way, and kept for what is on it. */
		{ ACTION_POD_STOP, true, ACTION_POD_CREATE, "old:1", true,
		  true, 10 },
		{ ACTION_POD_DELETE, true, ACTION_POD_CREATE, "old:1", true,
		  false, 10 },
		{ ACTION_VOLUME_UPDATE, false, 0, "old:1", true, false, 20 },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		act_begin_thing(f, &c, rows[i].kind);
		make_otherwise(&c, rows[i].kind);
		/* The record is newer than what the plan was made of. */
		struct lock_entry *now = &f->w.lock.entries.items[0];
		now->stopped = true;
		now->inside.process = STR("since");
		f->act.undo = rows[i].undo;
		made.kind = (enum action_kind)rows[i].made_by;
		f->act.undoes = rows[i].undo ? &made : NULL;
		f->change.pod = &c.pod;
		change_start(&f->run, &f->act);
		(void)act_effect(f, RUN_REQUEST);
		struct cloud_answer answer = act_shown(f, &c);
		change_answer(&f->run, &f->act, &answer);
		struct lock_entry entry =
		    act_effect(f, RUN_JOURNAL).record.op.entry;
		assert_true(str_is(entry.pod.image, rows[i].image));
		assert_int_equal(entry.stopped, rows[i].stopped);
		assert_int_equal(entry.tainted, rows[i].tainted);
		assert_int_equal(entry.volume.size_gb, rows[i].size_gb);
		/* The name of a pod has its mark in it, and stays. */
		assert_true(str_eq(entry.pod.name, c.have.pod.name));
		bool update = !rows[i].undo && i != 2 && i != 4;
		assert_true(str_is(entry.name_pattern, update ? "{name}"
			: ""));
	}
}

/* Its state is as it is wanted, unless another act will change that. */
static void
test_run_change_records_a_state_that_is_as_wanted(void **state)
{
	/* wanted stopped, start, stop: 0 to 7; the record says stopped. */
	static const char wanted[] = "rsssssss";
	struct act_world *f = *state;
	struct act_thing c;
	char found[9] = "";

	for (unsigned i = 0; i < 8; i++) {
		struct pod_spec spec = { .state = i & 4 ? STATE_STOPPED
							: STATE_RUNNING };
		act_begin_thing(f, &c, ACTION_POD_UPDATE);
		f->want.pod = &spec;
		f->change.start = i & 2;
		f->change.stop = i & 1;
		f->w.lock.entries.items[0].stopped = true;
		change_start(&f->run, &f->act);
		struct cloud_answer answer = act_shown(f, &c);
		change_answer(&f->run, &f->act, &answer);
		found[i] = f->act.entry.stopped ? 's' : 'r';
	}
	assert_string_equal(found, wanted);
}

static void
test_run_change_keeps_mark_and_what_the_service_put_there(void **state)
{
	struct act_world *f = *state;
	struct act_thing c;
	char name[] = "RUNPOD_X", value[] = "1";
	struct env_var injected = { { name, 8 }, { value, 1 }, false };
	struct env_var own = { STR("A"), STR("${secret.KNOWN}"), true };

	act_begin_thing(f, &c, ACTION_POD_UPDATE);
	f->change.changes = CHANGE_NAME | CHANGE_ENV;
	f->change.config.name = STR("b");
	f->change.config.env = &own;
	f->change.config.nenv = 1;
	c.pod.injected = &injected;
	c.pod.ninjected = 1;
	change_start(&f->run, &f->act);
	(void)act_effect(f, RUN_REQUEST);
	struct cloud_answer answer = act_shown(f, &c);
	change_answer(&f->run, &f->act, &answer);
	/* The answer dies with its turn. */
	name[0] = value[0] = '?';
	struct record record = act_effect(f, RUN_JOURNAL).record;
	assert_true(str_starts(record.op.entry.pod.name, STR("b-pf")));
	/* No secret is recorded. */
	assert_true(str_is(record.op.entry.pod.env[0].value,
	    "${secret.KNOWN}"));
	change_journaled(&f->run, &f->act);
	struct cloud_request request = act_effect(f, RUN_REQUEST).request;
	assert_true(str_eq(request.pod->name, record.op.entry.pod.name));
	assert_true(mark_matches(request.pod->name, request.mark, true,
	    &f->w.lock.lineage, &c.have.op));
	assert_true(str_is(request.pod->env[0].value, "hunter2-hunter2"));
	assert_int_equal(request.changes, CHANGE_NAME | CHANGE_ENV);
	assert_int_equal(request.nkeep, 1);
	assert_true(str_is(request.keep[0].name, "RUNPOD_X"));
	assert_true(str_is(request.keep[0].value, "1"));

	/* A secret that is not known: nothing is sent. */
	own.value = STR("${secret.LOST}");
	act_begin_thing(f, &c, ACTION_POD_UPDATE);
	f->change.changes = CHANGE_ENV;
	f->change.config.env = &own;
	f->change.config.nenv = 1;
	change_start(&f->run, &f->act);
	answer = act_shown(f, &c);
	change_answer(&f->run, &f->act, &answer);
	assert_act_failed(f, FAIL_ERROR, "the value of env A is not known");
	/* Where the environment does not change it is not needed. */
	act_begin_thing(f, &c, ACTION_POD_UPDATE);
	f->change.config.env = &own;
	f->change.config.nenv = 1;
	change_start(&f->run, &f->act);
	answer = act_shown(f, &c);
	change_answer(&f->run, &f->act, &answer);
	assert_int_equal(f->act.phase, PH_INTENT);
}

/* It goes back to what was live, whatever the plan wanted. */
static void
test_run_change_undone_sends_what_was_there(void **state)
{
	struct act_world *f = *state;
	struct act made = { .id = STR("p1"), .kind = ACTION_POD_UPDATE };
	struct act_thing c;

	act_begin_thing(f, &c, ACTION_POD_UPDATE);
	struct cloud_pod before = c.pod;
	f->change.pod = &before;
	c.pod.config.image = STR("new:1");
	f->act.undo = true;
	f->act.undoes = &made;
	act_send(f, &c);
	assert_true(str_is(f->act.config.image, "old:1"));
	act_begin_thing(f, &c, ACTION_VOLUME_UPDATE);
	change_start(&f->run, &f->act);
	(void)act_effect(f, RUN_REQUEST);
	struct cloud_answer answer = act_shown(f, &c);
	change_answer(&f->run, &f->act, &answer);
	(void)act_effect(f, RUN_JOURNAL);
	change_journaled(&f->run, &f->act);
	struct cloud_volume volume = act_effect(f, RUN_REQUEST).request.volume;
	assert_int_equal(volume.size_gb, 20);
	assert_int_equal(volume.name.len, 0);	/* it stays */
}

/* What is there is what the plan showed, in all that is to be changed. */
static void
test_run_change_overwrites_only_what_was_shown(void **state)
{
	static const unsigned bits[] = { CHANGE_NAME, CHANGE_IMAGE,
		CHANGE_ARGS, CHANGE_DISK, CHANGE_PORTS, CHANGE_ENV };
	struct env_var vars[] = { { STR("A"), STR("1"), false },
		{ STR("B"), STR("2"), false } };
	struct env_var turned[] = { vars[1], vars[0] };
	struct env_var other[] = { vars[0], { STR("B"), STR("3"), false } };
	struct env_var renamed[] = { vars[0], { STR("C"), STR("2"), false } };
	struct str ports[] = { STR("22/tcp"), STR("80/http") };
	struct str moved[] = { STR("22/tcp"), STR("81/http") };
	struct act_world *f = *state;
	struct act_thing c;

	/* What is changed; what is otherwise than shown: 0 nothing, 1 to 5 the
	 * first five, 6 fewer ports, 7 to 9 the environment, 10 its order. */
	for (size_t i = 0; i < COUNTOF(bits); i++)
	for (int what = 0; what <= 10; what++) {
		act_begin_thing(f, &c, ACTION_POD_UPDATE);
		f->change.changes = bits[i];
		c.pod.config.ports = ports;
		c.pod.config.env = vars;
		c.pod.config.nports = c.pod.config.nenv = 2;
		struct cloud_pod was = c.pod;
		struct pod_config *shows = &was.config;
		f->change.pod = &was;
		change_start(&f->run, &f->act);
		shows->name = what == 1 ? STR("x") : shows->name;
		shows->image = what == 2 ? STR("x") : shows->image;
		shows->args = what == 3 ? STR("x") : shows->args;
		shows->disk_gb += what == 4;
		shows->ports = what == 5 ? moved : ports;
		shows->nports -= what == 6;
		shows->nenv -= what == 7;
		shows->env = what == 8 ? other : what == 9 ? renamed :
		    what == 10 ? turned : vars;
		struct cloud_answer answer = act_shown(f, &c);
		change_answer(&f->run, &f->act, &answer);
		size_t at = what == 0 || what == 10 ? SIZE_MAX :
		    what <= 5 ? (size_t)what - 1 : what == 6 ? 4 : 5;
		assert_int_equal(f->act.phase, at == i ? PH_FAILED
						       : PH_INTENT);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_change_looks_at_it_first),
		TEST(test_run_change_knows_its_thing_by_record_or_listing),
		TEST(test_run_change_leaves_a_pod_with_a_runner_in_peace),
		TEST(test_run_change_touches_what_is_ours_alone),
		TEST(test_run_change_touches_volumes_of_ours_alone),
		TEST(test_run_change_sends_nothing_where_it_is_so),
		TEST(test_run_change_of_what_is_gone),
		TEST(test_run_change_that_cannot_look_sends_nothing),
		TEST(test_run_change_records_how_it_will_be),
		TEST(test_run_change_records_a_state_that_is_as_wanted),
		TEST(test_run_change_keeps_mark_and_what_the_service_put_there),
		TEST(test_run_change_undone_sends_what_was_there),
		TEST(test_run_change_overwrites_only_what_was_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
