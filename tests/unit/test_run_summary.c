/*
 * test_run_summary.c - what a run came to, as tables over its acts: what is
 * counted, what is left and at which price, and with which code one leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"
#include "run/act.h"
#include "run/session.h"

#define BIT(i, n) (((i) >> (n) & 1) != 0)

/* A run at its end, made of acts by hand. */
struct desk {
	struct arena arena;
	struct plan plan;
	struct lock lock;
	struct run run;
	struct plan_change change;
	struct subject subject;
	struct lock_entry have;		/* what was recorded, as "old" */
	bool failed[2];
};

static int
desk_setup(void **state)
{
	static struct desk d;

	memset(&d, 0, sizeof d);
	d.run = (struct run){ .arena = &d.arena, .plan = &d.plan,
		.lock = &d.lock, .failed_component = d.failed };
	d.change = (struct plan_change){ .kind = KIND_POD,
		.address = STR("pod.a"), .op = PLAN_CREATE };
	d.have.id = STR("old");
	*state = &d;
	return 0;
}

static int
desk_teardown(void **state)
{
	struct desk *d = *state;

	arena_release(&d->arena);
	return 0;
}

/* An act of component 0 that is done and has changed something. */
static struct act *
add(struct desk *d, enum action_kind kind)
{
	struct act *act = ARENA_NEW(&d->arena, struct act);

	*act = (struct act){ .kind = kind, .change = &d->change,
		.subject = &d->subject, .phase = PH_DONE, .effected = true };
	*ARENA_PUSH(&d->arena, &d->run.acts) = act;
	return act;
}

static void
add_failure(struct desk *d, enum run_failure failure)
{
	*ARENA_PUSH(&d->arena, &d->run.summary.failures) =
	    (struct run_failed){ .failure = failure };
}

/* "2 added; pod.a new1 400000: why" */
static const char *
told(struct desk *d)
{
	const struct run_summary *sum = run_summary(&d->run);
	struct { const char *word; size_t n; } counts[] = {
		{ "added", sum->added }, { "changed", sum->changed_count },
		{ "destroyed", sum->destroyed }, { "started", sum->started },
		{ "stopped", sum->stopped }, { "undone", sum->undone },
	};
	struct str text = STR("");

	for (size_t i = 0; i < COUNTOF(counts); i++)
		if (counts[i].n > 0)
			text = arena_printf(&d->arena, STR_FMT "%zu %s; ",
			    STR_ARG(text), counts[i].n, counts[i].word);
	for (size_t i = 0; i < sum->left.n; i++) {
		const struct run_left *left = &sum->left.items[i];
		text = arena_printf(&d->arena, STR_FMT STR_FMT " " STR_FMT
		    " %lld: " STR_FMT, STR_ARG(text), STR_ARG(left->address),
		    STR_ARG(left->id.len > 0 ? left->id : STR("?")),
		    (long long)left->per_hour, STR_ARG(left->why));
	}
	d->run.acts.n = 0;
	d->run.summary.failures.n = 0;
	return text.data;
}

/* ---------------------------------------------------------------- counts -- */

static void
test_run_summary_counts_each_kind_as_what_it_did(void **state)
{
	static const char *const wanted[ACTION_KIND_COUNT] = {
		[ACTION_VOLUME_CREATE] = "1 added; ",
		[ACTION_POD_CREATE] = "1 added; ",
		[ACTION_RUNNER_REGISTER] = "1 added; ",
		[ACTION_TUNNEL_OPEN] = "1 added; ",
		[ACTION_POD_UPDATE] = "1 changed; ",
		[ACTION_VOLUME_UPDATE] = "1 changed; ",
		[ACTION_POD_START] = "1 started; ",
		[ACTION_POD_STOP] = "1 stopped; ",
		[ACTION_POD_DELETE] = "1 destroyed; ",
		[ACTION_VOLUME_DELETE] = "1 destroyed; ",
		[ACTION_RUNNER_REMOVE] = "1 destroyed; ",
		[ACTION_TUNNEL_CLOSE] = "1 destroyed; ",
	};
	struct desk *d = *state;

	for (enum action_kind kind = 0; kind < ACTION_KIND_COUNT; kind++) {
		add(d, kind);
		assert_text(told(d), wanted[kind] != NULL ? wanted[kind] :
		    "");
		/* Nothing that was not done, or changed nothing. */
		add(d, kind)->effected = false;
		assert_text(told(d), "");
		if (action_rows[kind].deletes)
			continue;
		add(d, kind)->phase = PH_SKIPPED;
		assert_text(told(d), "");
	}
}

static void
test_run_summary_counts_what_was_undone_as_that_alone(void **state)
{
	struct desk *d = *state;
	struct act *made = add(d, ACTION_POD_CREATE);
	struct act *undo = add(d, ACTION_POD_DELETE);

	undo->undo = true;
	undo->undoes = made;
	made->undone_by = undo;
	assert_text(told(d), "1 undone; ");
	/* An undo that did not come to its end has undone nothing. */
	made = add(d, ACTION_POD_CREATE);
	made->id = STR("new1");
	undo = add(d, ACTION_POD_DELETE);
	undo->undo = true;
	undo->undoes = made;
	undo->phase = PH_FAILED;
	undo->reason = STR("no");
	made->undone_by = undo;
	assert_text(told(d), "1 added; pod.a new1 -1: could not be undone: "
	    "no");
	/* Stopped because something of the user's ran: kept, and listed. */
	undo = add(d, ACTION_POD_STOP);
	undo->undo = undo->entry.tainted = true;
	undo->id = STR("new1");
	assert_text(told(d), "pod.a new1 0: stopped, since something of "
	    "yours has run on it; look at it, or end it with: podform destroy "
	    "--target pod.a");
	/* Others that are stopped again had been started. */
	add(d, ACTION_POD_STOP)->undo = true;
	assert_text(told(d), "1 undone; ");
	/* What has run was not stopped because of that: no taint, no word. */
	undo = add(d, ACTION_POD_DELETE);
	undo->undo = undo->entry.tainted = true;
	assert_text(told(d), "1 undone; ");
}

/* Steps inside of a pod that is not changed otherwise are one change. */
static void
test_run_summary_counts_what_is_done_inside_once(void **state)
{
	static const enum action_kind kinds[] = { ACTION_POD_SETUP,
		ACTION_POD_PROCESS, ACTION_POD_CHECK, ACTION_POD_LOGIN };
	struct desk *d = *state;

	for (size_t k = 0; k < COUNTOF(kinds); k++)
		for (unsigned i = 0; i < 16; i++) {
			d->subject.counted = BIT(i, 0);
			d->change.op = BIT(i, 1) ? PLAN_CREATE : PLAN_UPDATE;
			d->change.changes = BIT(i, 2);
			for (int twice = 0; twice < 2; twice++)
				add(d, kinds[k])->phase = BIT(i, 3) ?
				    PH_FAILED : PH_DONE;
			assert_text(told(d), k < 2 && i == 0 ? "1 changed; " :
			    "");
			assert_int_equal(d->subject.counted, BIT(i, 0) ||
			    (k < 2 && i == 0));
		}
}

/* ---------------------------------------------------------------- prices -- */

/* What a thing bills that could not be removed. */
static void
test_run_summary_names_the_price_of_what_is_left(void **state)
{
	static const struct {
		enum action_kind action;
		enum kind kind;
		int64_t learned, before;
		bool have, undo;
		const char *wanted;
	} rows[] = {
		{ ACTION_POD_DELETE, KIND_POD, 7, 5, true, false, "7" },
		{ ACTION_POD_DELETE, KIND_POD, 0, 5, true, false, "5" },
		{ ACTION_POD_DELETE, KIND_POD, 0, 1, true, false, "1" },
		{ ACTION_POD_DELETE, KIND_POD, 1, 5, true, false, "1" },
		{ ACTION_POD_DELETE, KIND_POD, 0, 0, true, false, "-1" },
		{ ACTION_POD_DELETE, KIND_POD, 0, 5, true, true, "-1" },
		{ ACTION_POD_DELETE, KIND_POD, 7, 5, true, true, "7" },
		{ ACTION_VOLUME_DELETE, KIND_VOLUME, 0, 5, true, false,
		    "volume" },
		{ ACTION_VOLUME_DELETE, KIND_VOLUME, 0, 5, false, false,
		    "5" },
		{ ACTION_VOLUME_DELETE, KIND_VOLUME, 0, 5, true, true,
		    "-1" },
		{ ACTION_RUNNER_REMOVE, KIND_RUNNER, 0, 5, true, true,
		    "0" },
		{ ACTION_TUNNEL_CLOSE, KIND_TUNNEL, 0, 5, true, true, "0" },
		{ ACTION_RUNNER_REMOVE, KIND_RUNNER, 3, 5, true, true,
		    "3" },
	};
	struct desk *d = *state;

	d->have.volume.size_gb = 2000;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const char *price = rows[i].wanted;
		if (strcmp(price, "volume") == 0)
			price = arena_printf(&d->arena, "%lld", (long long)
			    price_volume(2000, false)).data;
		d->change.kind = rows[i].kind;
		d->change.before_per_hour = rows[i].before;
		d->change.have = rows[i].have ? &d->have : NULL;
		d->subject.per_hour = rows[i].learned;
		struct act *act = add(d, rows[i].action);
		act->phase = PH_FAILED;
		act->reason = STR("no");
		act->undo = rows[i].undo;
		act->id = STR("x");
		assert_text(told(d), arena_printf(&d->arena,
		    "pod.a x %s: could not be %s: no", price,
		    rows[i].undo ? "undone" : "removed").data);
	}
	assert_true(price_volume(2000, false) != price_volume(2000, true));
	d->have.volume.high_performance = true;
	d->change.kind = KIND_VOLUME;
	d->change.have = &d->have;
	d->subject.per_hour = 0;
	struct act *act = add(d, ACTION_VOLUME_DELETE);
	act->phase = PH_FAILED;
	assert_text(told(d), arena_printf(&d->arena,
	    "pod.a old %lld: could not be removed: ", (long long)
	    price_volume(2000, true)).data);
}

/* Of a stopped pod its disk bills. */
static void
test_run_summary_knows_what_a_stopped_pod_costs(void **state)
{
	struct desk *d = *state;
	static const int64_t sizes[] = { 0, 1, 100 };

	for (size_t i = 0; i < COUNTOF(sizes); i++) {
		d->change.config.persistent_gb = sizes[i];
		d->subject.per_hour = 400000;
		struct act *undo = add(d, ACTION_POD_STOP);
		undo->undo = undo->entry.tainted = true;
		told(d);
		assert_int_equal(d->run.summary.left.items[0].per_hour,
		    sizes[i] == 0 ? 0 :
		    price_persistent_disk(sizes[i], false));
	}
	assert_true(price_persistent_disk(100, false) > 0);
}

/* ------------------------------------------------------------------ left -- */

static void
test_run_summary_names_ops_that_are_open(void **state)
{
	struct desk *d = *state;

	d->subject.per_hour = 7;
	struct act *act = add(d, ACTION_POD_CREATE);
	act->intended = true;
	act->phase = PH_SENT;
	assert_text(told(d), "pod.a ? 7: it is unclear whether it was made; "
	    "the next apply settles it");
	act = add(d, ACTION_POD_DELETE);
	act->intended = true;
	act->phase = PH_FAILED;
	act->id = STR("p1");
	assert_text(told(d), "pod.a p1 7: its outcome is unclear; the next "
	    "apply settles it");
}

/* What an earlier run left open and nobody could settle, at what it bills;
 * an op of this run is told by its act. */
static void
test_run_summary_names_what_an_earlier_run_left_open(void **state)
{
	static const struct { enum kind kind; int64_t price, told; } rows[] = {
		{ KIND_POD, 500, 500 }, { KIND_POD, 0, -1 },
		{ KIND_POD, 1, 1 },
		{ KIND_POD, -1, -1 }, { KIND_VOLUME, 70, 70 },
		{ KIND_RUNNER, 500, 0 }, { KIND_TUNNEL, -1, 0 },
	};
	struct desk *d = *state;
	struct lock_op op = { .op = { "0a" }, .address = STR("pod.old") };

	d->lock.pending.items = &op;
	d->lock.pending.n = 1;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		op.entry = (struct lock_entry){ .kind = rows[i].kind,
			.id = STR("p9"), .price_per_hour = rows[i].price };
		assert_text(told(d), arena_printf(&d->arena,
		    "pod.old p9 %lld: an earlier run was cut off, and what "
		    "came of it could not be found out; the next apply "
		    "settles it", (long long)rows[i].told).data);
		assert_int_equal(d->run.summary.exit_code, EXIT_LEFT);
		assert_string_equal(d->run.summary.left.items[0].op.hex,
		    "0a");
	}
	add(d, ACTION_POD_CREATE)->op = op.op;
	assert_text(told(d), "1 added; ");
	add(d, ACTION_POD_CREATE)->op = (struct id128){ "0b" };
	assert_true(str_starts(str_from(told(d)), STR("1 added; pod.old ")));
	d->lock.pending.n = 0;
}

/* Of an undo: what was there, unless its maker says that it is unclear. */
static void
test_run_summary_names_what_was_not_undone(void **state)
{
	static const struct {
		enum phase phase;
		bool has_maker, maker_intended;
		const char *wanted;
	} rows[] = {
		{ PH_DONE, true, false, "1 undone; " },
		{ PH_FAILED, true, false, "pod.a new1 -1: could not be "
		    "undone: why" },
		{ PH_SKIPPED, true, true, "pod.a new1 -1: could not be "
		    "undone: why" },
		{ PH_QUEUED, true, false, "pod.a new1 -1: it was not undone "
		    "before the run was left" },
		{ PH_QUEUED, true, true, "" },
		{ PH_WATCH, false, false, "pod.a ? -1: it was not undone "
		    "before the run was left" },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct act maker = { .id = STR("new1"),
			.intended = rows[i].maker_intended };
		struct act *undo = add(d, ACTION_POD_DELETE);
		undo->undo = true;
		undo->phase = rows[i].phase;
		undo->reason = STR("why");
		undo->undoes = rows[i].has_maker ? &maker : NULL;
		assert_text(told(d), rows[i].wanted);
	}
	/* Its own id is the better one; what was recorded the last. */
	struct act *undo = add(d, ACTION_POD_DELETE);
	undo->undo = true;
	undo->phase = PH_FAILED;
	undo->id = STR("own");
	d->change.have = &d->have;
	assert_text(told(d), "pod.a own -1: could not be undone: ");
	undo = add(d, ACTION_POD_DELETE);
	undo->undo = true;
	undo->phase = PH_FAILED;
	assert_text(told(d), "pod.a old -1: could not be undone: ");
}

/* A pod whose runner has a job is left in peace, and still bills. */
static void
test_run_summary_names_pods_that_are_left_in_peace(void **state)
{
	static const char peace[] = "it is left in peace, since its runner "
	    "has a job or nobody knows; apply again when that is done, or "
	    "with --force-runners";
	static const struct {
		enum action_kind kind;
		enum phase phase;
		bool busy, other;
		int64_t learned, before, price;
	} rows[] = {
		{ ACTION_POD_DELETE, PH_SKIPPED, true, false, 0, 5, 5 },
		{ ACTION_POD_STOP, PH_SKIPPED, true, false, 0, 5, 5 },
		{ ACTION_POD_STOP, PH_FAILED, true, false, 0, 0, -1 },
		{ ACTION_POD_STOP, PH_FAILED, true, false, 0, 1, 1 },
		{ ACTION_POD_STOP, PH_FAILED, true, false, 7, 5, 7 },
		/* Not so: */
		{ ACTION_POD_UPDATE, PH_SKIPPED, true, false, 0, 5, 0 },
		{ ACTION_POD_STOP, PH_WAITING, true, false, 0, 5, 0 },
		{ ACTION_POD_STOP, PH_SKIPPED, false, false, 0, 5, 0 },
		{ ACTION_POD_STOP, PH_SKIPPED, true, true, 0, 5, 0 },
	};
	struct desk *d = *state;

	d->change.have = &d->have;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		d->run.busy_pods = (struct map){0};
		if (rows[i].busy)
			map_put(&d->run.busy_pods, &d->arena, rows[i].other ?
			    STR("p9") : STR("old"), d);
		d->subject.per_hour = rows[i].learned;
		d->change.before_per_hour = rows[i].before;
		add(d, rows[i].kind)->phase = rows[i].phase;
		assert_text(told(d), i >= 5 ? "" : arena_printf(&d->arena,
		    "pod.a old %lld: %s", (long long)rows[i].price,
		    peace).data);
	}
}

/* A destroy that did not come to it: what it was to end bills on. */
static void
test_run_summary_names_what_a_destroy_did_not_end(void **state)
{
	struct desk *d = *state;

	d->change.have = &d->have;
	d->change.before_per_hour = 5;
	for (unsigned i = 0; i < 16; i++) {
		static const enum phase phases[] = { PH_SKIPPED, PH_WAITING,
			PH_DONE, PH_FAILED };
		bool destroy = BIT(i, 2), deletes = BIT(i, 3);
		d->plan.mode = destroy ? PLAN_DESTROY : PLAN_NORMAL;
		struct act *act = add(d, deletes ? ACTION_POD_DELETE :
		    ACTION_POD_STOP);
		act->phase = phases[i & 3];
		act->reason = i & 1 ? (struct str){0} : STR("why");
		const char *wanted = "";
		if (act->phase == PH_DONE)
			wanted = deletes ? "1 destroyed; " : "1 stopped; ";
		else if (act->phase == PH_FAILED && deletes)
			wanted = "pod.a old 5: could not be removed: ";
		else if (destroy && deletes && act->phase == PH_SKIPPED)
			wanted = "pod.a old 5: not ended: why";
		else if (destroy && deletes && act->phase == PH_WAITING)
			wanted = "pod.a old 5: not ended: interrupted";
		assert_text(told(d), wanted);
	}
	/* What a rollback could not end, it says itself. */
	d->plan.mode = PLAN_DESTROY;
	struct act *undo = add(d, ACTION_POD_DELETE);
	undo->undo = true;
	undo->phase = PH_SKIPPED;
	undo->reason = STR("no");
	assert_text(told(d), "pod.a old -1: could not be undone: no");
}

/* A pod of before that is waited for and does not come up. */
static void
test_run_summary_names_pods_that_were_there_and_are_not_up(void **state)
{
	struct desk *d = *state;

	for (unsigned i = 0; i < 16; i++) {
		bool waits = BIT(i, 0), made = BIT(i, 1), noop = BIT(i, 2),
		    failed = BIT(i, 3);
		d->subject.id = made ? STR("new1") : (struct str){0};
		d->change.op = noop ? PLAN_NOOP : PLAN_UPDATE;
		struct act *act = add(d, waits ? ACTION_POD_RUNNING :
		    ACTION_POD_CHECK);
		act->phase = failed ? PH_FAILED : PH_SKIPPED;
		act->id = STR("p1");
		act->reason = STR("why");
		assert_text(told(d), waits && !made && noop && failed ?
		    "pod.a p1 -1: it was there before and is not up: why" :
		    "");
	}
}

/* What a failed part has made and nothing has undone. */
static void
test_run_summary_names_what_a_failed_part_has_made(void **state)
{
	static const struct {
		enum on_failure on_failure;
		bool keep;
		const char *why;
	} rows[] = {
		{ ON_FAILURE_KEEP, false, "kept, as its on_failure says" },
		{ ON_FAILURE_KEEP, true, "kept, as its on_failure says" },
		{ ON_FAILURE_STOP, true, "kept, as --on-failure keep says" },
		{ ON_FAILURE_STOP, false, "it was made before the run was "
		    "left" },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		d->change.on_failure = rows[i].on_failure;
		d->run.options.keep = rows[i].keep;
		for (unsigned k = 0; k < 32; k++) {
			bool creates = BIT(k, 0), done = BIT(k, 1);
			bool effected = BIT(k, 2), undone = BIT(k, 3);
			struct act undo = { .phase = PH_QUEUED };
			d->failed[0] = BIT(k, 4);
			struct act *act = add(d, creates ? ACTION_POD_CREATE
			    : ACTION_POD_CHECK);
			act->phase = done ? PH_DONE : PH_SKIPPED;
			act->effected = effected;
			act->undone_by = undone ? &undo : NULL;
			const char *added = creates && done && effected ?
			    "1 added; " : "";
			bool left = creates && done && effected && !undone &&
			    BIT(k, 4);
			assert_text(told(d), arena_printf(&d->arena,
			    "%s%s%s", added, left ? "pod.a ? -1: " : "",
			    left ? rows[i].why : "").data);
		}
	}
}

/* What whole parts have made is wanted, but bills because of a run that did
 * not succeed; or nothing but the journal knows of it. */
static void
test_run_summary_names_what_whole_parts_have_made(void **state)
{
	static const struct { enum action_kind kind; bool listed; } rows[] = {
		{ ACTION_POD_CREATE, true }, { ACTION_POD_START, true },
		{ ACTION_VOLUME_CREATE, true }, { ACTION_POD_STOP, false },
		{ ACTION_POD_UPDATE, false },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++)
		for (unsigned k = 0; k < 128; k++) {
			bool failures = BIT(k, 0), interrupted = BIT(k, 1);
			bool unrecorded = BIT(k, 2), alone = BIT(k, 3);
			bool done = BIT(k, 5), effected = BIT(k, 6);
			d->failed[1] = BIT(k, 4);
			d->run.summary.interrupted = interrupted;
			d->run.unrecorded = unrecorded;
			struct act *act = add(d, rows[i].kind);
			act->component = alone ? SIZE_MAX : 1;
			act->phase = done ? PH_DONE : PH_WAITING;
			act->effected = effected;
			if (failures)
				add_failure(d, FAIL_ERROR);
			bool left = rows[i].listed && done && effected &&
			    !alone && !BIT(k, 4) &&
			    (failures || interrupted || unrecorded);
			const char *text = told(d);
			const char *why = unrecorded ? "made as planned; "
			    "known to the journal alone so far" : "made as "
			    "planned; its part succeeded";
			assert_int_equal(strstr(text, why) != NULL, left);
		}
}

/* ------------------------------------------------------------------ code -- */

static void
test_run_summary_leaves_with_the_code_of_what_weighs_most(void **state)
{
	struct desk *d = *state;

	/* left, interrupted, failed, undone, kept. */
	for (unsigned i = 0; i < 32; i++) {
		bool left = BIT(i, 0), interrupted = BIT(i, 1);
		bool failed = BIT(i, 2), undone = BIT(i, 3);
		bool kept = BIT(i, 4);
		d->run.summary.interrupted = interrupted;
		if (left) {
			struct act *act = add(d, ACTION_POD_DELETE);
			act->phase = PH_FAILED;
		}
		if (failed)
			add_failure(d, FAIL_CAPACITY);
		if (undone)
			add(d, ACTION_POD_DELETE)->undo = true;
		if (kept)
			add(d, ACTION_POD_UPDATE);
		(void)told(d);
		assert_int_equal(d->run.summary.exit_code,
		    left ? EXIT_LEFT : interrupted ? EXIT_INTERRUPTED :
		    !failed ? EXIT_OK : undone && !kept ? EXIT_UNDONE :
		    EXIT_CAPACITY);
	}
}

static void
test_run_summary_leaves_with_the_code_of_the_first_failure(void **state)
{
	static const struct { enum run_failure failure; int code; } rows[] = {
		{ FAIL_CAPACITY, EXIT_CAPACITY }, { FAIL_AUTH, EXIT_AUTH },
		{ FAIL_BALANCE, EXIT_BALANCE }, { FAIL_BUDGET, EXIT_POLICY },
		{ FAIL_ERROR, EXIT_ERROR }, { FAIL_TIMEOUT, EXIT_ERROR },
		{ FAIL_SUSPECT, EXIT_ERROR }, { FAIL_DISK, EXIT_ERROR },
		{ FAIL_INSIDE, EXIT_ERROR }, { FAIL_BUSY, EXIT_ERROR },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		add_failure(d, rows[i].failure);
		add_failure(d, FAIL_AUTH);
		(void)told(d);
		assert_int_equal(d->run.summary.exit_code, rows[i].code);
	}
}

/* Each of those that are counted is something that was kept. */
static void
test_run_summary_is_undone_only_if_nothing_was_kept(void **state)
{
	static const enum action_kind kinds[] = { ACTION_POD_UPDATE,
		ACTION_POD_STOP, ACTION_POD_DELETE };
	struct desk *d = *state;

	for (size_t i = 0; i <= COUNTOF(kinds); i++) {
		add(d, ACTION_POD_DELETE)->undo = true;
		if (i < COUNTOF(kinds))
			add(d, kinds[i]);
		add_failure(d, FAIL_ERROR);
		(void)told(d);
		assert_int_equal(d->run.summary.exit_code,
		    i < COUNTOF(kinds) ? EXIT_ERROR : EXIT_UNDONE);
	}
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_run_summary_counts_each_kind_as_what_it_did),
		ROW(test_run_summary_counts_what_was_undone_as_that_alone),
		ROW(test_run_summary_counts_what_is_done_inside_once),
		ROW(test_run_summary_names_the_price_of_what_is_left),
		ROW(test_run_summary_knows_what_a_stopped_pod_costs),
		ROW(test_run_summary_names_ops_that_are_open),
		ROW(test_run_summary_names_what_an_earlier_run_left_open),
		ROW(test_run_summary_names_what_was_not_undone),
		ROW(test_run_summary_names_pods_that_are_left_in_peace),
		ROW(test_run_summary_names_what_a_destroy_did_not_end),
		ROW(test_run_summary_names_pods_that_were_there_and_are_not_up),
		ROW(test_run_summary_names_what_a_failed_part_has_made),
		ROW(test_run_summary_names_what_whole_parts_have_made),
		ROW(test_run_summary_leaves_with_the_code_of_what_weighs_most),
		ROW(test_run_summary_leaves_with_the_code_of_the_first_failure),
		ROW(test_run_summary_is_undone_only_if_nothing_was_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
