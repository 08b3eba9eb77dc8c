/* test_run_session_plan.c - what a session plans, and what it asks for that */
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
			play_pending(s, KIND_VOLUME, OP_UPDATE);
		/* What else there is does not matter. */
		play_pending(s, KIND_POD, OP_UPDATE)->op = op_id(8);
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
	assert_int_equal(play_count(play_said(s), "ask list pods\n"), 1);
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
	assert_int_equal(play_count(play_said(s), "ask list pods\n"), 2);
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
