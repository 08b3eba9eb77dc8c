/* test_run_session_plan.c - what is settled before a plan, and the plan */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "lock_fixture.h"
#include "session_world.h"

#define TRAINER "pods:\n  trainer: { image: x:1, gpu: A40 }\n"
#define VOLUMES "volumes:\n  d: { size: 10GB, data_center: EU-RO-1 }\n"
#define RUNNER "runners:\n  ci: { pod: trainer, repository: acme/m, " \
	"labels: [gpu] }\n"

static struct lock_op *
pending(struct session_world *s, enum kind kind, enum op_action action)
{
	static const char *const addresses[] = { [KIND_POD] = "pod.x",
		[KIND_RUNNER] = "runner.x", [KIND_VOLUME] = "volume.x" };
	struct lock_op *op = ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.pending);

	*op = (struct lock_op){ .op = op_id(7), .action = action,
		.address = str_from(addresses[kind]),
		.entry = { .kind = kind, .address = str_from(addresses[kind]),
			.id = STR("gone1"), .op = op_id(7) } };
	if (kind == KIND_RUNNER)
		op->entry.runner = (struct lock_runner){
			.repository = STR("acme/m"), .name = STR("x-1") };
	return op;
}

static size_t
times(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part)) != NULL) {
		text += strlen(part);
		n++;
	}
	return n;
}

/* ------------------------------------------------------------- settling -- */

/* Only time tells what became of creates and deletes of things that bill. */
static void
test_session_settle_gives_time_to_what_needs_it(void **state)
{
	static const struct {
		enum kind kind;
		enum op_action action;
		bool waits;
	} rows[] = {
		{ KIND_POD, OP_CREATE, true }, { KIND_POD, OP_DELETE, true },
		{ KIND_POD, OP_UPDATE, false }, { KIND_POD, OP_START, false },
		{ KIND_POD, OP_STOP, false },
		{ KIND_VOLUME, OP_CREATE, true },
		{ KIND_VOLUME, OP_DELETE, true },
		{ KIND_VOLUME, OP_UPDATE, false },
		{ KIND_RUNNER, OP_CREATE, true },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		struct session *session = play_begin(s, NULL);
		int64_t began = s->r.now_ms;
		struct id128 op = op_id(7);
		*ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.entries) =
		    (struct lock_entry){ .kind = rows[i].kind,
			.address = STR("pod.x"), .id = STR("gone1") };
		pending(s, rows[i].kind, rows[i].action);
		assert_int_equal(session_settle(session, 0), EXIT_OK);
		const char *said = play_said(s);
		if (!rows[i].waits) {
			assert_text(said, "");
			assert_int_equal(session->lock->pending.n, 1);
			assert_false(session->lock_changed);
		} else {
			/* A minute, and three listings after it. */
			assert_in_range(s->r.now_ms - began, 62000, 63000);
			assert_true(times(said, "ask list pods\n") > 3);
			assert_int_equal(times(said, "ask list volumes\n") >
			    0, rows[i].kind == KIND_VOLUME);
			assert_int_equal(session->lock->pending.n, 0);
			assert_true(session->lock_changed);
			/* What was not made is dead for good, and what was
			 * to be ended has gone. */
			assert_int_equal(lock_is_dead(session->lock,
			    id128_str(&op)), rows[i].action == OP_CREATE);
			assert_int_equal(session->lock->entries.n,
			    rows[i].action == OP_CREATE);
		}
		play_teardown(state);
		play_setup(state);
	}
}

/* A removal that GitHub knows nothing of any more is done at once. */
static void
test_session_settle_asks_github_about_runners(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	pending(s, KIND_RUNNER, OP_DELETE);
	pending(s, KIND_POD, OP_UPDATE)->op = op_id(8);
	assert_int_equal(session_settle(session, 0), EXIT_OK);
	assert_text(play_said(s), "github find the runner\n");
	assert_int_equal(session->lock->pending.n, 1);
	/* GitHub does not say: it stays open, and keeps nobody. */
	pending(s, KIND_RUNNER, OP_DELETE);
	run_github_lie(&s->r, GITHUB_FIND_RUNNER, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_NO_EFFECT,
		.reason = REASON_AUTH });
	assert_int_equal(session_settle(session, 0), EXIT_OK);
	assert_int_equal(session->lock->pending.n, 2);
}

/* What time does not tell is not closed together with what it does. */
static void
test_session_settle_leaves_open_what_time_does_not_tell(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);
	struct github_answer no = { .outcome = OUTCOME_NO_EFFECT,
		.reason = REASON_AUTH };

	s->config.github_optional = session->config.github_optional = true;
	pending(s, KIND_RUNNER, OP_DELETE)->op = op_id(8);
	pending(s, KIND_POD, OP_CREATE);
	run_github_lie(&s->r, GITHUB_FIND_RUNNER, 0, false, no);
	assert_int_equal(session_settle(session, 400), EXIT_OK);
	assert_int_equal(session->lock->pending.n, 1);
	assert_string_equal(session->lock->pending.items[0].op.hex,
	    op_id(8).hex);
	assert_non_null(strstr(play_said(s), "note pod.x: an earlier run"));
}

static void
test_session_settle_takes_a_runner_in_that_was_made(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	pending(s, KIND_RUNNER, OP_CREATE);
	*ARENA_PUSH(&s->r.w.arena, &s->r.runners) = (struct github_runner){
		.id = 77, .name = STR("x-1") };
	assert_int_equal(session_settle(session, 0), EXIT_OK);
	/* What GitHub's scopes were before is asked again. */
	assert_text(play_said(s),
	    "github find the runner\ngithub list runners\n");
	assert_int_equal(session->lock->pending.n, 0);
	assert_true(str_is(world_entry(&s->r.w, "runner.x")->id, "77"));
}

/* Within one boot the time that has passed counts; a request may have been
 * on its way for a minute when its process died. */
static void
test_session_settle_counts_the_time_since_the_crash(void **state)
{
	static const struct {
		const char *boot_id;
		int64_t ago_ms, waits_ms;
	} rows[] = {
		{ NULL, 100000, 60000 },
		{ "", 100000, 60000 },
		{ "other", 100000, 60000 },
		{ "boot", 1000, 60000 },
		{ "boot", 60000, 60000 },
		{ "boot", 60001, 59999 },
		{ "boot", 100000, 20000 },
		{ "boot", 120000, 0 },
		{ "boot", 500000, 0 },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		struct session *session = play_begin(s, NULL);
		int64_t began = s->r.now_ms;
		struct lock_op *op = pending(s, KIND_POD, OP_CREATE);
		op->boot_id = str_from(rows[i].boot_id);
		op->boot_ms = s->r.now_ms - rows[i].ago_ms;
		/* One that needs no time makes none. */
		pending(s, KIND_POD, OP_UPDATE)->op = op_id(8);
		assert_int_equal(session_settle(session, 60000), EXIT_OK);
		/* Three listings follow, a second apart. */
		int64_t least = rows[i].waits_ms + (rows[i].waits_ms > 0 ?
		    2000 : 3000);
		assert_in_range(s->r.now_ms - began, least, least + 500);
		play_teardown(state);
		play_setup(state);
	}
}

static void
test_session_settle_waits_for_the_last_of_several(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);
	int64_t began = s->r.now_ms;

	struct lock_op *op = pending(s, KIND_POD, OP_CREATE);
	op->boot_id = STR("boot");
	op->boot_ms = s->r.now_ms - 110000;
	pending(s, KIND_POD, OP_DELETE)->op = op_id(8);
	op = pending(s, KIND_POD, OP_CREATE);
	op->op = op_id(9);
	op->boot_id = STR("boot");
	op->boot_ms = s->r.now_ms - 110000;
	assert_int_equal(session_settle(session, 60000), EXIT_OK);
	assert_in_range(s->r.now_ms - began, 62000, 63000);
	assert_int_equal(session->lock->pending.n, 0);
}

static void
test_session_settle_says_what_it_looks_for_and_how_long(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	pending(s, KIND_POD, OP_UPDATE)->op = op_id(8);
	s->r.w.lock.pending.items[0].address = STR("pod.other");
	pending(s, KIND_POD, OP_CREATE);
	assert_int_equal(session_settle(session, 400), EXIT_OK);
	/* A quarter of the time between two looks. */
	assert_text(play_said(s),
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 1s more\nask list pods\n"
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 1s more\nask list pods\n"
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 1s more\nask list pods\n"
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 1s more\nask list pods\n"
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 0s more\nask list pods\n"
	    "note pod.x: an earlier run was cut off; looking for what it may "
	    "have made or ended, at most 0s more\nask list pods\n");
	/* Nobody listens: it is silent. */
	pending(s, KIND_POD, OP_CREATE);
	session->config.note = NULL;
	assert_int_equal(session_settle(session, 400), EXIT_OK);
	assert_null(strstr(play_said(s), "note"));
}

/* The mark shows up in a listing: that is it, and the wait is over. */
static void
test_session_settle_takes_in_what_shows_up(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, TRAINER);
	int64_t began = s->r.now_ms;
	struct lock_op *op = pending(s, KIND_POD, OP_CREATE);

	op->address = op->entry.address = STR("pod.trainer");
	struct cloud_pod *pod = world_stray(&s->r.w, "p1", "pod.trainer",
	    op_id(7).hex);
	struct cloud_pod late = *pod;
	s->r.w.pods.n = 0;
	run_lie(&s->r, CLOUD_LIST_PODS, 1, false, one_pod(&s->r, late));
	assert_int_equal(session_settle(session, 60000), EXIT_OK);
	assert_in_range(s->r.now_ms - began, 10000, 10100);
	assert_int_equal(session->lock->pending.n, 0);
	assert_true(str_is(world_entry(&s->r.w, "pod.trainer")->id, "p1"));
}

static void
test_session_settle_ends_with_a_signal_or_a_refusal(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	pending(s, KIND_POD, OP_CREATE);
	run_lie(&s->r, CLOUD_LIST_PODS, 1, false,
	    says(401, REASON_AUTH, "no"));
	assert_int_equal(session_settle(session, 60000), EXIT_AUTH);
	assert_int_equal(session->lock->pending.n, 1);
	play_report(s);
	play_signal_at(s, 3, 15);
	assert_int_equal(session_settle(session, 60000), EXIT_TERMINATED);
	assert_int_equal(session->lock->pending.n, 1);
	play_reports(s, NULL);
}

/* Half of a mark could be it or not: a person has to say. */
static void
test_session_settle_stops_at_half_a_mark(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, TRAINER);
	struct lock_op *op = pending(s, KIND_POD, OP_CREATE);

	op->address = op->entry.address = STR("pod.trainer");
	op->entry.pod.name = STR("trainer-pfab");
	struct cloud_pod *pod = world_stray(&s->r.w, "p1", "pod.trainer",
	    op_id(7).hex);
	pod->mark = (struct str){0};		/* its environment is edited */
	struct cloud_pod half = *pod;
	assert_int_equal(session_refresh(session, false), EXIT_OK);
	assert_int_equal(session_settle(session, 60000), EXIT_POLICY);
	play_reports(s, "error: pod p1 ('trainer-pf");
	assert_int_equal(session->lock->pending.n, 1);
	/* It is ended: nobody's any more. */
	s->r.w.pods.items[0].status = POD_TERMINATED;
	assert_int_equal(session_refresh(session, false), EXIT_OK);
	/* It may show up while we look. */
	s->r.w.pods.n = 0;
	run_lie(&s->r, CLOUD_LIST_PODS, 1, false, one_pod(&s->r, half));
	assert_int_equal(session_settle(session, 60000), EXIT_POLICY);
	play_reports(s, "carries half of the mark of an unfinished create of "
	    "pod.trainer [PF0505]\n   hint: if it is the one, rename it to "
	    "'trainer-pfab' in the console and apply again; if it is not, "
	    "terminate it");
	/* Of a delete it means nothing. */
	op->action = OP_DELETE;
	session->live.pods[0] = half;
	assert_int_equal(session_settle(session, 400), EXIT_OK);
}

/* -------------------------------------------------------------- records -- */

/* The holder of the mutex journals what it has found out. */
static void
test_session_journals_what_it_settles(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin_writing(s, NULL);
	struct record intent = intent_record(7, OP_CREATE, "pod.x", "");

	lock_apply_intent(session->arena, session->lock, &intent);
	assert_int_equal(session_settle(session, 400), EXIT_OK);
	assert_int_equal(session->lock->pending.n, 0);
	struct str text = fake_fs_text(s->r.w.fake, ".podform/journal");
	assert_true(str_search(text, STR("\"result\"")) >= 0);
	/* It begins with the lock that it builds on: without that nobody
	 * would notice that an older lock was put back. */
	assert_true(str_search(text, STR("\"begin\"")) >= 0);
	play_reports(s, NULL);
}

static void
test_session_does_nothing_that_it_cannot_journal(void **state)
{
	/* The begin or the result itself; found at once, or never. */
	static const struct { unsigned at; bool adopts; } rows[] = {
		{ 1, true }, { 2, true }, { 1, false }, { 2, false },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		struct session *session = play_begin_writing(s, TRAINER);
		struct record intent = intent_record(7, OP_CREATE,
		    "pod.trainer", "");
		session->lock->lineage = s->r.w.lock.lineage;
		lock_apply_intent(session->arena, session->lock, &intent);
		if (rows[i].adopts)
			world_stray(&s->r.w, "p1", "pod.trainer",
			    op_id(7).hex);
		s->r.w.fake->calls = 0;
		s->r.w.fake->faults = (struct fake_faults){
			.only = "sync_data", .at = rows[i].at,
			.onward = true };
		assert_int_equal(session_refresh(session, false), EXIT_OK);
		int code = session_reconcile(session);
		assert_int_equal(code == EXIT_OK, !rows[i].adopts);
		if (code == EXIT_OK)
			code = session_settle(session, 400);
		assert_int_equal(code, EXIT_ERROR);
		assert_int_equal(session->lock->pending.n, 1);
		assert_false(session->lock_changed);
		play_reports(s, ".podform/journal");
		s->r.w.fake->faults = (struct fake_faults){0};
		play_teardown(state);
		play_setup(state);
	}
}

static void
test_session_settles_no_runner_that_it_cannot_journal(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin_writing(s, NULL);
	struct lock_op *op = ARENA_PUSH(session->arena,
	    &session->lock->pending);

	*op = *pending(s, KIND_RUNNER, OP_DELETE);
	s->r.w.fake->calls = 0;
	s->r.w.fake->faults = (struct fake_faults){ .only = "sync_data",
		.at = 1, .onward = true };
	assert_int_equal(session_settle(session, 400), EXIT_ERROR);
	assert_text(play_said(s), "github find the runner\n");
	assert_int_equal(session->lock->pending.n, 1);
	s->r.w.fake->faults = (struct fake_faults){0};
}

/* ------------------------------------------------------------- planning -- */

static int
plans(struct session_world *s, bool refresh, const struct plan **plan)
{
	struct session_plan_options options = { .refresh = refresh,
		.plan = { .wall_ms = s->r.w.options.wall_ms } };

	return session_plan(&s->session, &options, plan);
}

/* One listing; the rest only when the plan turns out to need it. */
static void
test_session_plan_asks_for_what_it_needs(void **state)
{
	static const struct { const char *spec, *asks; } rows[] = {
		{ "pods: {}\n", "ask list pods\n" },
		{ VOLUMES, "ask list pods\nask list volumes\n"
		    "ask get account\n" },
		{ TRAINER, "ask list pods\nask list gpus\n"
		    "ask list data centers\nask get account\n" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		const struct plan *plan;
		play_begin(s, rows[i].spec);
		assert_int_equal(plans(s, true, &plan), EXIT_OK);
		assert_int_equal(plan->changes.n, i > 0);
		assert_text(play_said(s), rows[i].asks);
		/* The picture serves the next plan, too. */
		assert_int_equal(plans(s, true, &plan), EXIT_OK);
		assert_text(play_said(s), "");
		play_teardown(state);
		play_setup(state);
	}
}

static void
test_session_plan_goes_by_volumes_of_record_and_open_ops(void **state)
{
	static const enum { NONE, ENTRY, OP } rows[] = { NONE, ENTRY, OP };

	for (size_t i = 0; i < 2 * COUNTOF(rows); i++) {
		struct session_world *s = *state;
		const struct plan *plan;
		bool spec = i >= COUNTOF(rows);
		play_begin(s, spec ? "pods: {}\n" : NULL);
		struct session_plan_options options = { .refresh = true,
			.plan = { .mode = PLAN_DESTROY,
				.wall_ms = s->r.w.options.wall_ms } };
		if (rows[i % 3] == ENTRY)
			*ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.entries) =
			    (struct lock_entry){ .kind = KIND_VOLUME,
				.address = STR("volume.d"),
				.id = STR("v1") };
		if (rows[i % 3] == OP)
			pending(s, KIND_VOLUME, OP_UPDATE);
		/* What else there is does not matter. */
		pending(s, KIND_POD, OP_UPDATE)->op = op_id(8);
		assert_int_equal(session_plan(&s->session, &options, &plan),
		    EXIT_OK);
		assert_int_equal(strstr(play_said(s), "list volumes") !=
		    NULL, rows[i % 3] != NONE);
		play_teardown(state);
		play_setup(state);
	}
}

/* A picture without volumes, and a plan that turns out to need them. */
static void
test_session_plan_asks_for_volumes_that_its_picture_lacks(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;

	play_begin(s, VOLUMES);
	assert_int_equal(session_refresh(&s->session, false), EXIT_OK);
	play_said(s);
	assert_int_equal(plans(s, true, &plan), EXIT_OK);
	assert_text(play_said(s), "ask list volumes\nask get account\n");
	assert_false(plan->needs_volumes);
}

static struct str
same_secret(void *ctx, struct str name)
{
	unsigned *asked = ctx;

	(void)name;
	++*asked;
	return STR("hunter2-hunter2");
}

/* Who asks for a plan may know the secrets by himself. */
static void
test_session_plan_compares_secrets_with_what_it_is_given(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;
	unsigned asked = 0;
	struct session_plan_options options = { .plan = {
		.wall_ms = s->r.w.options.wall_ms,
		.secret = same_secret, .secret_ctx = &asked } };
	struct lock_entry entry = full_pod("pod.t", "p1");

	play_begin(s, "secrets: { K: { env: K } }\npods:\n  t: { image: x:1, "
	    "gpu: A40, env: { A: \"${secret.K}\" } }\n");
	lock_add_entry(&s->r.w.lock, &entry);
	struct cloud_pod *pod = world_stray(&s->r.w, "p1", "pod.t",
	    entry.op.hex);
	struct env_var live = { .name = STR("A"),
		.value = STR("hunter2-hunter2") };
	pod->config.env = &live;
	pod->config.nenv = 1;
	options.refresh = true;
	assert_int_equal(session_plan(&s->session, &options, &plan),
	    EXIT_OK);
	assert_true(asked > 0);
}

static void
test_session_plan_without_refresh_asks_nobody(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;

	play_begin(s, TRAINER RUNNER);
	assert_int_equal(plans(s, false, &plan), EXIT_OK);
	assert_text(play_said(s), "");
	assert_true(plan->needs_catalog);
}

static void
test_session_plan_can_have_the_account_always(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;
	struct session_plan_options options = { .refresh = true,
		.account = true,
		.plan = { .wall_ms = s->r.w.options.wall_ms } };

	play_begin(s, "pods: {}\n");
	assert_int_equal(session_plan(&s->session, &options, &plan),
	    EXIT_OK);
	assert_text(play_said(s), "ask list pods\nask get account\n");
	/* One that cannot be had is not asked for without end. */
	play_begin(s, NULL);
	run_lie(&s->r, CLOUD_GET_ACCOUNT, 0, false,
	    says(410, REASON_RETIRED, "gone"));
	assert_int_equal(session_plan(&s->session, &options, &plan),
	    EXIT_OK);
	assert_text(play_said(s), "ask list pods\nask get account\n");
	assert_non_null(plan);
}

static void
test_session_plan_asks_github_for_what_runners_need(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;
	static struct runner_package package = { STR_INIT("2.336.0"),
		STR_INIT("https://x/p"), STR_INIT("p"), STR_INIT(""),
		STR_INIT("") };

	run_github_lie(&s->r, GITHUB_DOWNLOADS, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_OK,
		.packages = &package, .npackages = 1 });
	play_begin(s, "pods:\n  trainer: { image: x:1, gpu: A40, "
	    "ports: [22/tcp] }\n" RUNNER);
	assert_int_equal(plans(s, true, &plan), EXIT_OK);
	assert_text(play_said(s), "ask list pods\ngithub list runners\n"
	    "ask list gpus\nask list data centers\nask get account\n"
	    "github list runner packages\ngithub get the repository\n");
	assert_int_equal(plan->changes.n, 2);
	play_teardown(state);
	play_setup(state);
	s = *state;
	play_begin(s, "pods:\n  trainer: { image: x:1, gpu: A40, "
	    "ports: [22/tcp] }\n" RUNNER);
	run_github_lie(&s->r, GITHUB_DOWNLOADS, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_NO_EFFECT,
		.reason = REASON_FORBIDDEN });
	assert_int_equal(plans(s, true, &plan), EXIT_AUTH);
	assert_null(plan);
}

/* What there is to complain about is said once, and not by a draft. */
static void
test_session_plan_says_its_complaints_once(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;

	play_begin(s, "pods:\n  trainer: { image: x:1, gpu: Z80 }\n");
	assert_int_equal(plans(s, true, &plan), EXIT_USAGE);
	assert_null(plan);
	assert_int_equal(s->r.w.diags.errors, 1);
	play_reports(s, "Z80");
	/* A warning is no reason to have no plan. */
	play_teardown(state);
	play_setup(state);
	s = *state;
	play_begin(s, "pods:\n  trainer: { image: x:1, gpu: A40, "
	    "data_centers: [EU-RO-1, EU-RO-9] }\n");
	assert_int_equal(plans(s, true, &plan), EXIT_OK);
	assert_non_null(plan);
	assert_int_equal(s->r.w.diags.warnings, 1);
	play_reports(s, "EU-RO-9");
}

static void
test_session_plan_fails_where_the_world_does(void **state)
{
	static const enum cloud_op ops[] = { CLOUD_LIST_PODS,
		CLOUD_LIST_GPUS };

	for (size_t i = 0; i < COUNTOF(ops); i++) {
		struct session_world *s = *state;
		const struct plan *plan;
		play_begin(s, TRAINER);
		run_lie(&s->r, ops[i], 0, false, says(401, REASON_AUTH,
		    "no"));
		assert_int_equal(plans(s, true, &plan), EXIT_AUTH);
		assert_null(plan);
		play_teardown(state);
		play_setup(state);
	}
}

static void
test_session_has_work_where_anything_is_to_be_sent_or_recorded(void **state)
{
	struct session_world *s = *state;
	struct session *session = play_begin(s, NULL);

	for (unsigned i = 0; i < 32; i++) {
		struct plan plan = { .empty = (i & 1) == 0,
			.keeps.n = i >> 1 & 1, .waits.n = i >> 2 & 1 };
		session->lock_changed = i >> 3 & 1;
		session->lock->pending.n = i >> 4 & 1;
		assert_int_equal(session_has_work(session, &plan), i != 0);
	}
	session->lock->pending.n = 0;
}

/* ------------------------------------------------------------- to apply -- */

static int
to_apply(struct session_world *s, const struct plan **plan)
{
	struct session_plan_options options = { .refresh = true,
		.plan = { .wall_ms = s->r.w.options.wall_ms } };

	return session_plan_to_apply(&s->session, &options, 400, plan);
}

/* The record that the first look of an apply reads. */
static void
look(struct session_world *s, const char *yaml)
{
	play_begin(s, yaml)->lock = NULL;
	assert_int_equal(session_load(&s->session), EXIT_OK);
}

static void
test_session_takes_nothing_where_nothing_is_to_be_done(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;

	look(s, "pods: {}\n");
	assert_int_equal(to_apply(s, &plan), EXIT_OK);
	assert_text(play_said(s), "ask list pods\n");
	assert_true(plan->empty);
	assert_false(s->session.writing);
	assert_null(fake_fs_text(s->r.w.fake, ".podform/mutex").data);
}

static void
test_session_uses_its_picture_while_the_record_is_the_same(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;

	look(s, TRAINER);
	assert_int_equal(to_apply(s, &plan), EXIT_OK);
	assert_int_equal(times(play_said(s), "ask list pods\n"), 1);
	assert_int_equal(plan->changes.n, 1);
	assert_true(s->session.writing);
}

static void
test_session_looks_again_when_somebody_else_came_first(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;

	play_begin_writing(s, TRAINER);
	assert_int_equal(session_commit(&s->session, STR("apply"), STR("p"),
	    STR("x"), 0), EXIT_OK);
	look(s, NULL);
	struct session first = s->session;
	/* Another run begins and ends between the look and the mutex. */
	s->session = (struct session){0};
	play_begin_writing(s, NULL);
	assert_int_equal(session_commit(&s->session, STR("apply"), STR("p"),
	    STR("x"), 0), EXIT_OK);
	session_close(&s->session);
	s->session = first;
	/* As it was before that: one picture was made. */
	assert_int_equal(to_apply(s, &plan), EXIT_OK);
	assert_int_equal(times(play_said(s), "ask list pods\n"), 2);
}

static void
test_session_looks_again_when_a_journal_was_left(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;

	play_begin_writing(s, TRAINER);
	struct record record = intent_record(7, OP_CREATE, "pod.trainer", "");
	assert_true(journal_append(&s->session.journal, &record, 1,
	    s->session.diags));
	look(s, NULL);
	assert_int_equal(s->session.lock->pending.n, 1);
	assert_int_equal(to_apply(s, &plan), EXIT_OK);
	const char *said = play_said(s);
	assert_non_null(strstr(said, "note pod.trainer: an earlier run"));
	assert_int_equal(s->session.lock->pending.n, 0);
	assert_int_equal(plan->changes.n, 1);
}

/* An op that is open is settled also where no plan can be made. */
static void
test_session_settles_also_where_no_plan_can_be_made(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;

	play_begin_writing(s, "pods:\n  t: { image: x:1, gpu: Z80 }\n");
	struct record record = intent_record(7, OP_CREATE, "pod.t", "");
	assert_true(journal_append(&s->session.journal, &record, 1,
	    s->session.diags));
	look(s, NULL);
	assert_int_equal(to_apply(s, &plan), EXIT_USAGE);
	assert_int_equal(s->session.lock->pending.n, 0);
	assert_null(plan);
	/* Without one the mutex is not even taken. */
	play_teardown(state);
	play_setup(state);
	s = *state;
	look(s, "pods:\n  t: { image: x:1, gpu: Z80 }\n");
	assert_int_equal(to_apply(s, &plan), EXIT_USAGE);
	assert_null(plan);
	assert_false(s->session.writing);
	assert_null(fake_fs_text(s->r.w.fake, ".podform/mutex").data);
}

static void
test_session_applies_nothing_without_the_mutex(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan;
	const struct fs *fs = &s->world.fs;

	look(s, TRAINER);
	fake_fs_put_dir(s->r.w.fake, ".podform", 0700);
	int fd = fs->open(fs->ctx, ".podform/mutex", FS_READ_WRITE |
	    FS_CREATE, 0600);
	assert_int_equal(fs->lock(fs->ctx, fd), 0);
	assert_int_equal(to_apply(s, &plan), EXIT_LOCKED);
	assert_null(plan);
	fs->close(fs->ctx, fd);
}

/* Runners are waited for where they could be replaced, and only there. */
static void
test_session_awaits_runners_only_before_a_change(void **state)
{
	static const struct {
		enum plan_mode mode;
		bool refresh, awaits;
	} rows[] = {
		{ PLAN_NORMAL, true, true }, { PLAN_NORMAL, false, false },
		{ PLAN_DESTROY, true, false },
		{ PLAN_REFRESH_ONLY, true, false },
	};
	static const char t1[] = "2026-11-21T09:00:00Z";
	static struct runner_package package = { STR_INIT("2.336.0"),
		STR_INIT("https://x/p"), STR_INIT("p"), STR_INIT(""),
		STR_INIT("") };

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		const struct plan *plan;
		struct session_plan_options options = {
			.refresh = rows[i].refresh,
			.plan = { .mode = rows[i].mode,
				.wall_ms = s->r.w.options.wall_ms } };
		play_begin_writing(s, "pods:\n  trainer: { image: x:1, "
		    "gpu: A40, ports: [22/tcp] }\n" RUNNER);
		struct lock *lock = s->session.lock;
		struct lock_entry pod = full_pod("pod.trainer", "p1");
		pod.op = op_id(1);
		pod.inside = (struct lock_inside){ .start = str_from(t1),
			.host_key = STR("SHA256:k"),
			.host_key_by = STR("log") };
		lock_add_entry(lock, &pod);
		lock_add_entry(lock, &(struct lock_entry){
			.kind = KIND_RUNNER, .address = STR("runner.ci"),
			.id = STR("71"), .op = op_id(2),
			.price_per_hour = -1,
			.runner = { .repository = STR("acme/m"),
				.name = STR("ci-1"),
				.pod = STR("pod.trainer"),
				.pod_id = STR("p1"),
				.pod_start = str_from(t1) } });
		lock->lineage = s->r.w.lock.lineage;
		assert_int_equal(session_commit(&s->session, STR("apply"),
		    STR("p"), STR("x"), 0), EXIT_OK);
		struct cloud_pod *live = world_stray(&s->r.w, "p1",
		    "pod.trainer", op_id(1).hex);
		live->ssh = (struct ssh_endpoint){ STR("1.2.3.4"), 2222,
			STR("root") };
		live->started_at = str_from(t1);
		*ARENA_PUSH(&s->r.w.arena, &s->r.runners) =
		    (struct github_runner){ .id = 71, .name = STR("ci-1") };
		look(s, NULL);
		for (int k = 0; k < 3; k++)
			run_github_lie(&s->r, GITHUB_DOWNLOADS, 0, false,
			    (struct github_answer){ .outcome = OUTCOME_OK,
				.packages = &package, .npackages = 1 });
		(void)session_plan_to_apply(&s->session, &options, 400,
		    &plan);
		assert_int_equal(strstr(play_said(s), "runner look") != NULL,
		    rows[i].awaits);
		play_teardown(state);
		play_setup(state);
	}
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, play_setup, \
	play_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_session_settle_gives_time_to_what_needs_it),
		ROW(test_session_settle_asks_github_about_runners),
		ROW(test_session_settle_leaves_open_what_time_does_not_tell),
		ROW(test_session_settle_takes_a_runner_in_that_was_made),
		ROW(test_session_settle_counts_the_time_since_the_crash),
		ROW(test_session_settle_waits_for_the_last_of_several),
		ROW(test_session_settle_says_what_it_looks_for_and_how_long),
		ROW(test_session_settle_takes_in_what_shows_up),
		ROW(test_session_settle_ends_with_a_signal_or_a_refusal),
		ROW(test_session_settle_stops_at_half_a_mark),
		ROW(test_session_journals_what_it_settles),
		ROW(test_session_does_nothing_that_it_cannot_journal),
		ROW(test_session_settles_no_runner_that_it_cannot_journal),
		ROW(test_session_plan_asks_for_what_it_needs),
		ROW(test_session_plan_goes_by_volumes_of_record_and_open_ops),
		ROW(test_session_plan_asks_for_volumes_that_its_picture_lacks),
		ROW(test_session_plan_compares_secrets_with_what_it_is_given),
		ROW(test_session_plan_without_refresh_asks_nobody),
		ROW(test_session_plan_can_have_the_account_always),
		ROW(test_session_plan_asks_github_for_what_runners_need),
		ROW(test_session_plan_says_its_complaints_once),
		ROW(test_session_plan_fails_where_the_world_does),
		ROW(test_session_has_work_where_anything_is_to_be_sent_or_recorded),
		ROW(test_session_takes_nothing_where_nothing_is_to_be_done),
		ROW(test_session_uses_its_picture_while_the_record_is_the_same),
		ROW(test_session_looks_again_when_somebody_else_came_first),
		ROW(test_session_looks_again_when_a_journal_was_left),
		ROW(test_session_settles_also_where_no_plan_can_be_made),
		ROW(test_session_applies_nothing_without_the_mutex),
		ROW(test_session_awaits_runners_only_before_a_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
