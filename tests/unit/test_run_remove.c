/*
 * test_run_remove.c - a runner is removed: whom each answer lets it ask next,
 * one act by itself.  Nobody's job may be ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"
#include "base/units.h"
#include "run_world.h"

#define STARTED "2026-11-21T09:00:00Z"
static struct lock_entry entry;
static struct github_runner seen;

/* Runner ci, 77 at GitHub, recorded on p1, which runs. */
static void
begin(struct act_world *f)
{
	act_begin(f, ACTION_RUNNER_REMOVE, "");
	entry = (struct lock_entry){ .kind = KIND_RUNNER,
		.address = STR("runner.ci"), .id = STR("77"),
		.runner = { .repository = STR("acme/m"),
			.name = STR("ci-pf01"), .pod = STR("pod.a"),
			.pod_id = STR("p1"), .pod_start = STR(STARTED) } };
	seen = (struct github_runner){ .id = 77, .name = STR("ci-pf01"),
		.online = true };
	f->change = (struct plan_change){ .kind = KIND_RUNNER,
		.address = STR("runner.ci"), .have = &entry,
		.runner = &seen, .host = &f->pod, .host_change = SIZE_MAX };
	f->act.phase = PH_QUEUED;
	f->run.inside_in_flight = 0;
	f->w.lock.entries.n = f->w.lock.pending.n = 0;
	f->w.lock.index = NULL;
	lock_add_entry(&f->w.lock, &entry);
	f->w.live.npods = 0;
	f->run.busy_pods = f->run.runners_on = (struct map){0};
	f->run.scopes.n = 0;
	f->run.stopping = f->run.options.force = false;
	f->run.fatal = FAIL_NONE;
	f->run.options.drain_ms = f->run.options.idle_window_ms = 0;
}

static void
quiet(struct act_world *f)
{
	f->run.effects.n = f->run.effects_at = 0;
}

/* Its intent is on disk. */
static void
journal(struct act_world *f)
{
	remove_start(&f->run, &f->act);
	assert_int_equal(f->act.phase, PH_INTENT);
	f->act.intended = true;
	quiet(f);
	remove_journaled(&f->run, &f->act);
}

/* What it does: k looks on its pod, s stops it there, i waits for a listing,
 * d asks GitHub to remove it, f asks for its name, w waits, r is done, n has
 * given up for now, . ended without a result, x failed. */
static char
does(struct act_world *f)
{
	struct run_effect effect;

	if (f->act.phase == PH_RUNNERS)
		return 'i';
	if (f->act.phase == PH_QUEUED)
		return 'w';
	if (f->act.phase == PH_RESULT)
		return f->act.next == NEXT_FAIL ? 'n' : 'r';
	if (f->act.phase == PH_DONE)
		return '.';
	if (f->act.phase == PH_FAILED)
		return 'x';
	assert_int_equal(f->act.phase, PH_ASKED);
	assert_true(run_next_effect(&f->run, &effect));
	while (effect.type == RUN_NOTE)
		assert_true(run_next_effect(&f->run, &effect));
	if (effect.type == RUN_GITHUB) {
		assert_true(str_is(effect.github.scope.repository, "acme/m"));
		if (effect.github.op == GITHUB_FIND_RUNNER)
			return str_is(effect.github.name, "ci-pf01") ? 'f'
								     : '?';
		return effect.github.op == GITHUB_DELETE_RUNNER &&
		    effect.github.id == 77 ? 'd' : '?';
	}
	assert_int_equal(effect.type, RUN_SSH);
	assert_true(str_is(effect.ssh.runner.name, "ci-pf01"));
	if (effect.ssh.task == SSH_RUNNER_STOP)
		return effect.ssh.timeout_ms == MINUTE_MS ? 's' : '?';
	return effect.ssh.task == SSH_RUNNER_LOOK &&
	    effect.ssh.timeout_ms == 30 * SECOND_MS ? 'k' : '?';
}

/* ------------------------------------------------------------------ start */

static void
test_run_remove_journals_what_it_will_remove(void **state)
{
	struct act_world *f = *state;

	for (int own_time = 0; own_time < 2; own_time++) {
		begin(f);
		f->run.options.drain_ms = own_time ? 60000 : 0;
		remove_start(&f->run, &f->act);
		struct lock_op op = act_effect(f, RUN_JOURNAL).record.op;
		assert_int_equal(op.action, OP_DELETE);
		assert_true(str_is(op.entry.id, "77"));
		assert_true(str_is(op.entry.runner.pod_id, "p1"));
		assert_int_equal(f->act.number, 77);
		assert_int_equal(f->act.deadline_ms, 5000 +
		    (own_time ? 60000 : 30 * MINUTE_MS));
	}
	/* One that only GitHub lists: nobody knows its pod. */
	begin(f);
	f->w.lock.entries.n = 0;
	f->w.lock.index = NULL;
	f->change.have = NULL;
	f->change.runner_config.repository = STR("acme/m");
	remove_start(&f->run, &f->act);
	struct lock_op op = act_effect(f, RUN_JOURNAL).record.op;
	assert_true(str_is(op.entry.id, "77"));
	assert_true(str_is(op.entry.address, "runner.ci"));
	assert_int_equal(op.entry.kind, KIND_RUNNER);
	assert_int_equal(op.entry.runner.pod_id.len, 0);
	assert_true(str_is(op.entry.runner.repository, "acme/m"));
}

static void
test_run_remove_of_what_is_not_there_is_done(void **state)
{
	static const char *const odd[] = { "", "0", "-7", "x", "77x" };
	struct act_world *f = *state;

	/* Neither recorded nor listed; recorded no more. */
	begin(f);
	f->change.have = NULL;
	f->change.runner = NULL;
	remove_start(&f->run, &f->act);
	assert_int_equal(does(f), '.');
	begin(f);
	f->w.lock.entries.n = 0;
	f->w.lock.index = NULL;
	remove_start(&f->run, &f->act);
	assert_int_equal(does(f), '.');
	/* A record whose id is no number of GitHub's. */
	for (size_t i = 0; i < COUNTOF(odd); i++) {
		begin(f);
		entry.id = f->w.lock.entries.items[0].id = str_from(odd[i]);
		f->w.lock.index = NULL;
		remove_start(&f->run, &f->act);
		assert_int_equal(does(f), '.');
	}
}

/* Started again after a wait: under the same op. */
static void
test_run_remove_goes_on_with_its_op(void **state)
{
	struct act_world *f = *state;

	begin(f);
	journal(f);
	struct id128 op = f->act.op;
	f->act.phase = PH_QUEUED;
	quiet(f);
	remove_start(&f->run, &f->act);
	assert_int_equal(does(f), 'k');
	assert_memory_equal(&op, &f->act.op, sizeof op);
}

/* ------------------------------------------------------------- who is asked */

static const struct {
	const char *what;
	enum pod_status status;
	const char *start, *recorded_start;
	bool no_port, force, orphan, never_started, undo;
	char wanted;
} firsts[] = {
	{ "it runs", POD_RUNNING, STARTED, STARTED, .wanted = 'k' },
	{ "it starts", POD_STARTING, STARTED, STARTED, .wanted = 'k' },
	{ "who knows", POD_UNKNOWN, STARTED, STARTED, .wanted = 'k' },
	{ "it has exited", POD_EXITED, STARTED, STARTED, .wanted = 'd' },
	{ "another container", POD_RUNNING, "later", STARTED,
	  .wanted = 'd' },
	{ "no time is known", POD_RUNNING, "", STARTED, .wanted = 'k' },
	{ "none is recorded", POD_RUNNING, STARTED, "", .wanted = 'k' },
	{ "no port", POD_RUNNING, STARTED, STARTED, .no_port = true,
	  .wanted = 'w' },
	{ "forced", POD_RUNNING, STARTED, STARTED, .force = true,
	  .wanted = 'd' },
	{ "nobody's", POD_RUNNING, STARTED, STARTED, .orphan = true,
	  .wanted = 'i' },
	{ "never started", POD_RUNNING, STARTED, STARTED, .undo = true,
	  .never_started = true, .wanted = 'd' },
	{ "undone", POD_RUNNING, STARTED, STARTED, .undo = true,
	  .wanted = 'k' },
};

static void
test_run_remove_asks_who_may_know_of_a_job(void **state)
{
	struct act_world *f = *state;
	struct act made = { .id = STR("77"), .entry = entry };

	/* Its pod is that of the change, or another that is listed. */
	for (size_t i = 0; i < 2 * COUNTOF(firsts); i++) {
		size_t row = i / 2;
		begin(f);
		struct cloud_pod pods[] = { f->pod, f->pod };
		made.entry = entry;
		f->pod.status = firsts[row].status;
		f->pod.started_at = str_from(firsts[row].start);
		if (firsts[row].no_port)
			f->pod.ssh.port = 0;
		f->w.lock.entries.items[0].runner.pod_start =
		    str_from(firsts[row].recorded_start);
		if (i % 2) {
			pods[1] = f->pod;
			pods[1].id = STR("p1");
			pods[0].id = f->pod.id = STR("p9");
			pods[0].status = f->pod.status = POD_EXITED;
			f->w.live.pods = pods;
			f->w.live.npods = 2;
		}
		f->run.options.force = firsts[row].force;
		f->act.undo = firsts[row].undo;
		f->act.undoes = firsts[row].undo ? &made : NULL;
		f->subject.runner.started = !firsts[row].never_started;
		if (firsts[row].orphan)
			f->change.have = NULL;
		if (firsts[row].orphan)
			f->change.runner_config = entry.runner;
		journal(f);
		char found = does(f);
		if (found != firsts[row].wanted)
			fail_msg("%s, %zu: %c", firsts[row].what, i % 2,
			    found);
		if (found == 'd')
			assert_true(f->run.summary.changed);
		if (found == 'i')
			assert_true(f->act.seen);
	}
	/* Its pod is gone: nothing of it can be alive. */
	begin(f);
	f->pod.id = STR("p9");
	journal(f);
	assert_int_equal(does(f), 'd');
	/* No pod is recorded: that of the change. */
	begin(f);
	f->w.lock.entries.items[0].runner.pod_id = (struct str){0};
	journal(f);
	assert_int_equal(does(f), 'k');
	/* ... and there is none. */
	begin(f);
	f->w.lock.entries.items[0].runner.pod_id = (struct str){0};
	f->change.host = NULL;
	journal(f);
	assert_int_equal(does(f), 'd');
}

static void
test_run_remove_asks_nobody_when_it_may_not(void **state)
{
	struct act_world *f = *state;

	for (int stopping = 0; stopping < 2; stopping++) {
		begin(f);
		f->run.stopping = stopping;
		f->run.fatal = stopping ? FAIL_NONE : FAIL_BALANCE;
		journal(f);
		assert_int_equal(does(f), 'n');
		assert_int_equal(f->act.last_failure, stopping
			? FAIL_INTERRUPTED : FAIL_ERROR);
		assert_true(str_is(f->act.last_refusal,
		    "stopped before it was removed"));
		assert_int_equal(f->run.busy_pods.n, 0);
	}
}

/* ---------------------------------------------------------------- looks --- */

static const struct {
	struct ssh_answer answer;
	const char *why;		/* it waits; NULL: it goes on */
} looks[] = {
	{ { .outcome = SSH_DONE }, NULL },
	{ { .outcome = SSH_DONE, .listener = true }, NULL },
	{ { .outcome = SSH_DONE, .worker = true }, "it has a job" },
	{ { .outcome = SSH_DONE, .worker = true, .line = STR_INIT("build\n") },
	  "it has a job (build)" },
	{ { .outcome = SSH_DONE, .status = 1, .output = STR_INIT("no sh\n") },
	  "nobody knows whether it has a job: no sh" },
	{ { .outcome = SSH_LOST, .reason = STR_INIT("cut") },
	  "nobody knows whether it has a job: cut" },
	{ { .outcome = SSH_WRONG_HOST_KEY, .reason = STR_INIT("other key") },
	  "nobody knows whether it has a job: other key" },
};

/* Stages of remove.c, by what leads there. */
static void
to_after(struct act_world *f)
{
	begin(f);
	journal(f);
	remove_ssh(&f->run, &f->act, &looks[1].answer);
	f->act.clean = 1;
	f->act.ended_ms = f->run.now_ms - MINUTE_MS;
	const struct github_answer idle = { .outcome = OUTCOME_OK,
		.runners = &seen, .nrunners = 1 };
	remove_listed(&f->run, &f->act, &idle);
	const struct github_answer yes = { .outcome = OUTCOME_OK };
	remove_github(&f->run, &f->act, &yes);
	assert_int_equal(f->act.phase, PH_ASKED);
	quiet(f);
}

static void
test_run_remove_waits_for_a_job_or_for_an_answer(void **state)
{
	struct act_world *f = *state;

	/* Before GitHub was asked, and after its yes. */
	for (size_t i = 0; i < 2 * COUNTOF(looks); i++) {
		const char *why = looks[i / 2].why;
		if (i % 2) {
			to_after(f);
		} else {
			begin(f);
			journal(f);
			quiet(f);
		}
		remove_ssh(&f->run, &f->act, &looks[i / 2].answer);
		if (why == NULL) {
			assert_int_equal(does(f), i % 2 ? 's' : 'i');
			if (i % 2 == 0)
				assert_int_equal(f->act.seen,
				    looks[i / 2].answer.listener);
			continue;
		}
		assert_act_waits(f, 5000);
		assert_text(arena_cstr(&f->w.arena, f->act.reason),
		    arena_printf(&f->w.arena, "waiting: %s", why).data);
		/* It looks there again; GitHub is not asked twice. */
		quiet(f);
		remove_start(&f->run, &f->act);
		assert_int_equal(does(f), 'k');
		quiet(f);
		remove_ssh(&f->run, &f->act, &looks[0].answer);
		assert_int_equal(does(f), i % 2 ? 's' : 'i');
	}
}

static void
test_run_remove_is_done_when_its_pod_says_that_it_stopped(void **state)
{
	static const struct {
		struct ssh_answer answer;
		char wanted;
		const char *why;
	} rows[] = {
		{ { .outcome = SSH_DONE }, 'r', "" },
		{ { .outcome = SSH_DONE, .status = SSH_STATUS_HAS_JOB }, 'w',
		  "waiting: it has a job" },
		{ { .outcome = SSH_DONE, .status = 1, .worker = true }, 'w',
		  "waiting: it has a job" },
		{ { .outcome = SSH_DONE, .status = 1 }, 'w',
		  "waiting: nobody knows whether it has a job: " },
		{ { .outcome = SSH_LOST, .status = SSH_STATUS_HAS_JOB,
		    .reason = STR_INIT("cut") }, 'w',
		  "waiting: nobody knows whether it has a job: cut" },
		{ { .outcome = SSH_LOST, .worker = true }, 'w',
		  "waiting: it has a job" },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		to_after(f);
		remove_ssh(&f->run, &f->act, &looks[0].answer);
		quiet(f);
		remove_ssh(&f->run, &f->act, &rows[i].answer);
		assert_int_equal(does(f), rows[i].wanted);
		if (rows[i].wanted == 'r') {
			assert_true(f->act.effected);
			continue;
		}
		assert_text(arena_cstr(&f->w.arena, f->act.reason),
		    rows[i].why);
		/* A look first: the job may be seen only now. */
		quiet(f);
		remove_start(&f->run, &f->act);
		assert_int_equal(does(f), 'k');
	}
}

/* -------------------------------------------------------------- waiting --- */

static void
test_run_remove_waits_longer_until_its_time_is_over(void **state)
{
	static const int64_t pauses[] = { 5000, 10000, 15000, 20000, 25000,
		30000, 30000, 30000, 15000 };
	struct act_world *f = *state;

	begin(f);
	f->run.options.drain_ms = 180000;
	journal(f);
	for (size_t i = 0; i < COUNTOF(pauses); i++) {
		act_asked(f);
		f->act.clean = 1;
		remove_ssh(&f->run, &f->act, &looks[2].answer);
		assert_act_waits(f, pauses[i]);
		assert_int_equal(f->act.clean, 0);
		f->run.now_ms += pauses[i];
	}
	act_asked(f);
	remove_ssh(&f->run, &f->act, &looks[2].answer);
	assert_int_equal(does(f), 'n');
	assert_int_equal(f->act.last_failure, FAIL_BUSY);
	assert_text(arena_cstr(&f->w.arena, f->act.last_refusal),
	    "it has a job; it is left in peace: apply again later, or end it "
	    "with --force-runners");
	/* And so is its pod. */
	assert_ptr_equal(map_get(&f->run.busy_pods, STR("p1")), &f->act);
}

static void
test_run_remove_that_is_undone_does_not_wait_after_a_signal(void **state)
{
	struct act_world *f = *state;

	/* undo, stopping: 0 to 3 */
	for (unsigned i = 0; i < 4; i++) {
		begin(f);
		journal(f);
		quiet(f);
		f->act.undo = i & 2;
		f->run.stopping = i & 1;
		remove_ssh(&f->run, &f->act, &looks[2].answer);
		assert_int_equal(does(f), i == 3 ? 'n' : 'w');
	}
	/* One whose pod nobody knows keeps none. */
	begin(f);
	f->w.lock.entries.items[0].runner.pod_id = (struct str){0};
	journal(f);
	f->run.now_ms = f->act.deadline_ms;
	remove_ssh(&f->run, &f->act, &looks[2].answer);
	assert_int_equal(does(f), 'n');
	assert_int_equal(f->run.busy_pods.n, 0);
}

/* -------------------------------------------------------------- listings -- */

/* Twice idle, a window apart; see test_run_tables.c for all combinations. */
static void
test_run_remove_needs_two_idle_looks_a_window_apart(void **state)
{
	static const struct {
		const char *listed;	/* known, in it, online, busy */
		int64_t before_ms;	/* since the first idle look; -1: none */
		char wanted;
		const char *why;
		int64_t pause_ms;
	} rows[] = {
		{ "klo", -1, 'w', "it looks idle; making sure that it stays so",
		  60000 },
		{ "klo", 20000, 'w', "it looks idle; making sure that it stays "
		  "so", 40000 },
		{ "klo", 59999, 'w', "it looks idle; making sure that it stays "
		  "so", 1 },
		{ "klo", 60000, 'd', "asking GitHub to remove it", 0 },
		{ "klob", 60000, 'w', "waiting: GitHub says that it has a job",
		  5000 },
		{ "", 60000, 'w', "waiting: GitHub does not say whether it has "
		  "a job: oops", 5000 },
		{ "k", -1, 'w', "it looks idle; making sure that it stays so",
		  60000 },
		{ "k", 60000, 'd', "asking GitHub to remove it", 0 },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < 2 * COUNTOF(rows); i++) {
		size_t row = i / 2;
		const char *listed = rows[row].listed;
		int64_t window = i % 2 ? 120000 : 60000;
		int64_t before = rows[row].before_ms;

		begin(f);
		f->run.options.idle_window_ms = i % 2 ? window : 0;
		journal(f);
		remove_ssh(&f->run, &f->act, &looks[1].answer);
		quiet(f);
		f->act.clean = before >= 0;
		f->act.ended_ms = f->run.now_ms - before * (window / 60000);
		seen.online = strchr(listed, 'o') != NULL;
		seen.busy = strchr(listed, 'b') != NULL;
		remove_listed(&f->run, &f->act, &(struct github_answer){
			.outcome = strchr(listed, 'k') ? OUTCOME_OK
						       : OUTCOME_UNKNOWN,
			.message = STR("oops"), .runners = &seen,
			.nrunners = strchr(listed, 'l') != NULL });
		if (does(f) != rows[row].wanted)
			fail_msg("row %zu", row);
		assert_text(arena_cstr(&f->w.arena, f->act.reason),
		    rows[row].why);
		if (rows[row].wanted == 'w' && rows[row].pause_ms != 5000)
			assert_act_waits(f, before == 59999 && i % 2 ? 2 :
			    rows[row].pause_ms * (window / 60000));
		else if (rows[row].wanted == 'w')
			assert_act_waits(f, 5000);
		/* The window begins with the first idle look. */
		if (before < 0)
			assert_int_equal(f->act.ended_ms, f->run.now_ms);
		if (rows[row].wanted != 'w')
			continue;
		quiet(f);
		remove_start(&f->run, &f->act);
		assert_int_equal(does(f), 'k');
	}
}

/* Neither side hears of it: there is nothing to wait for. */
static void
test_run_remove_of_what_nobody_hears_from_is_asked_for_at_once(void **state)
{
	struct act_world *f = *state;

	begin(f);
	journal(f);
	remove_ssh(&f->run, &f->act, &looks[0].answer);
	seen.online = false;
	quiet(f);
	remove_listed(&f->run, &f->act, &(struct github_answer){
		.outcome = OUTCOME_OK, .runners = &seen, .nrunners = 1 });
	assert_int_equal(does(f), 'd');
	/* But not after a signal. */
	begin(f);
	journal(f);
	remove_ssh(&f->run, &f->act, &looks[0].answer);
	f->run.stopping = true;
	quiet(f);
	remove_listed(&f->run, &f->act, &(struct github_answer){
		.outcome = OUTCOME_OK });
	assert_int_equal(does(f), 'n');
	assert_int_equal(f->act.last_failure, FAIL_INTERRUPTED);
}

/* --------------------------------------------------------------- deletion - */

static void
to_delete(struct act_world *f, bool force)
{
	begin(f);
	f->run.options.force = force;
	if (!force)
		f->pod.status = POD_EXITED;
	journal(f);
	assert_int_equal(does(f), 'd');
	f->pod.status = POD_RUNNING;
	quiet(f);
}

/* Only a yes is a yes; by reason: ... NOT_FOUND is asked about, BUSY is a
 * job, whatever else is not clear means that there may be one. */
static void
test_run_remove_believes_a_clear_yes_alone(void **state)
{
	/* OK, NOT_SENT, NO_EFFECT, UNKNOWN; then by force. */
	static const char *const wanted[2][4] = {
		{ "kkkkkkkkkkkkk", "wwwwwwwwwwwww", "wwwwwwfwwwwww",
		  "wwwwwwwwwwwww" },
		{ "rrrrrrrrrrrrr", "wwwwwwwwwwwww", "rrrrrrfrrrrrr",
		  "wwwwwwwwwwwww" },
	};
	struct act_world *f = *state;

	for (int force = 0; force < 2; force++)
	for (int outcome = 0; outcome < 4; outcome++) {
		char found[REASON_BUSY + 2] = "";
		for (int reason = 0; reason <= REASON_BUSY; reason++) {
			to_delete(f, force);
			remove_github(&f->run, &f->act, &(struct github_answer){
				.outcome = (enum cloud_outcome)outcome,
				.reason = (enum cloud_reason)reason,
				.message = STR("oops") });
			found[reason] = does(f);
			if (found[reason] == 'w')
				assert_text(arena_cstr(&f->w.arena,
				    f->act.reason), reason == REASON_BUSY
				    ? "waiting: GitHub says that it has a job"
				    : "waiting: GitHub did not remove it: "
				      "oops");
			/* By force the pod ends, and GitHub keeps it. */
			bool kept = force && outcome == OUTCOME_NO_EFFECT &&
			    found[reason] == 'r';
			assert_int_equal(f->act.effected, force &&
			    outcome == OUTCOME_OK);
			assert_int_equal(f->act.ended_how.len > 0, kept);
		}
		if (strcmp(found, wanted[force][outcome]) != 0)
			fail_msg("force %d, outcome %d: %s", force, outcome,
			    found);
	}
}

/* 404 may mean "not allowed": gone is what a search for its name says. */
static void
test_run_remove_that_is_not_found_is_looked_for(void **state)
{
	static const struct {
		enum cloud_outcome outcome;
		size_t n;
		char wanted;
		const char *why;
	} rows[] = {
		{ OUTCOME_OK, 0, 'k', "asking GitHub to remove it" },
		{ OUTCOME_OK, 1, 'w', "waiting: GitHub says both that it is "
		  "gone and that it is there" },
		{ OUTCOME_UNKNOWN, 0, 'w', "waiting: oops" },
		{ OUTCOME_NO_EFFECT, 0, 'w', "waiting: oops" },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		to_delete(f, false);
		remove_github(&f->run, &f->act, &(struct github_answer){
			.outcome = OUTCOME_NO_EFFECT,
			.reason = REASON_NOT_FOUND });
		assert_int_equal(does(f), 'f');
		quiet(f);
		remove_github(&f->run, &f->act, &(struct github_answer){
			.outcome = rows[i].outcome, .runners = &seen,
			.nrunners = rows[i].n, .message = STR("oops") });
		assert_int_equal(does(f), rows[i].wanted);
		assert_text(arena_cstr(&f->w.arena, f->act.reason),
		    rows[i].why);
	}
}

/* Nothing of it can be alive: GitHub's yes is the end. */
static void
test_run_remove_of_a_stopped_pod_needs_no_second_look(void **state)
{
	struct act_world *f = *state;

	to_delete(f, false);
	f->pod.status = POD_EXITED;
	remove_github(&f->run, &f->act, &(struct github_answer){
		.outcome = OUTCOME_OK });
	assert_int_equal(does(f), 'r');
	assert_true(f->act.effected);
}

/* A wait between the yes and the look: the look comes, not a second try. */
static void
test_run_remove_looks_after_a_yes_also_when_it_waited(void **state)
{
	struct act_world *f = *state;

	to_after(f);
	remove_ssh(&f->run, &f->act, &looks[5].answer);
	assert_int_equal(does(f), 'w');
	f->pod.status = POD_EXITED;
	quiet(f);
	remove_start(&f->run, &f->act);
	assert_int_equal(does(f), 'r');
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_remove_journals_what_it_will_remove),
		TEST(test_run_remove_of_what_is_not_there_is_done),
		TEST(test_run_remove_goes_on_with_its_op),
		TEST(test_run_remove_asks_who_may_know_of_a_job),
		TEST(test_run_remove_asks_nobody_when_it_may_not),
		TEST(test_run_remove_waits_for_a_job_or_for_an_answer),
		TEST(test_run_remove_is_done_when_its_pod_says_that_it_stopped),
		TEST(test_run_remove_waits_longer_until_its_time_is_over),
		TEST(test_run_remove_that_is_undone_does_not_wait_after_a_signal),
		TEST(test_run_remove_needs_two_idle_looks_a_window_apart),
		TEST(test_run_remove_of_what_nobody_hears_from_is_asked_for_at_once),
		TEST(test_run_remove_believes_a_clear_yes_alone),
		TEST(test_run_remove_that_is_not_found_is_looked_for),
		TEST(test_run_remove_of_a_stopped_pod_needs_no_second_look),
		TEST(test_run_remove_looks_after_a_yes_also_when_it_waited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
