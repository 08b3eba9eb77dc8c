/*
 * test_run_runner.c - a runner's package and its registration, as tables:
 * what an answer means, stage by stage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"
#include "run/act.h"

#define NAME "ci-pfab12cd0101010101"

/* A pod that runs (change 0), and a runner on it (change 1). */
struct desk {
	struct arena arena;
	struct plan_change changes[2];
	struct plan plan;
	struct lock lock;
	struct run run;
	struct subject subjects[2];
	struct live_scope scope;
	struct act *act;
};

static void
ones(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, n == 16 ? 1 : 0, n);
}

static struct act *
begin(struct desk *d, enum action_kind kind)
{
	d->run.effects.n = d->run.effects_at = 0;
	d->run.summary.failures.n = 0;
	d->act = act_add(&d->run, kind, &d->changes[1], &d->subjects[1]);
	return d->act;
}

static int
desk_setup(void **state)
{
	static struct desk d;

	memset(&d, 0, sizeof d);
	d.plan.changes.items = d.changes;
	d.plan.changes.n = 2;
	d.lock.arena = &d.arena;
	d.run = (struct run){ .arena = &d.arena, .plan = &d.plan,
		.lock = &d.lock, .change_subjects = d.subjects,
		.now_ms = 1000, .options = {
			.chance = { NULL, ones },
			.cache_dir = STR("cache") } };
	assert_true(id128_parse(STR("ab12cd34ab12cd34ab12cd34ab12cd34"),
	    &d.run.options.lineage));
	d.scope.known = true;
	d.changes[0] = (struct plan_change){ .kind = KIND_POD,
		.op = PLAN_CREATE, .address = STR("pod.trainer") };
	d.subjects[0].id = STR("p1");
	d.subjects[0].start = STR("t1");
	d.subjects[0].ssh = (struct ssh_endpoint){ STR("1.2.3.4"), 2222,
		STR("root") };
	d.changes[1] = (struct plan_change){ .kind = KIND_RUNNER,
		.op = PLAN_CREATE, .address = STR("runner.ci"),
		.name = STR("ci"), .key = -1, .host_change = 0,
		.scope = &d.scope,
		.package = { .filename = STR("p.tar.gz"),
			.url = STR("https://x/p.tar.gz"),
			.sha256 = STR("ab"), .token = STR("tt") },
		.runner_config = { .repository = STR("acme/m"),
			.pod = STR("pod.trainer"), .ephemeral = true } };
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

static const char *
failure_word(enum run_failure failure)
{
	static const char *const words[] = { [FAIL_NONE] = "none",
		[FAIL_ERROR] = "error", [FAIL_AUTH] = "auth",
		[FAIL_SUSPECT] = "suspect", [FAIL_INSIDE] = "inside",
		[FAIL_INTERRUPTED] = "interrupted" };

	return words[failure];
}

/* The last thing but notes that it wanted done. */
static const struct run_effect *
wants(const struct desk *d)
{
	for (size_t i = d->run.effects.n; i-- > 0;)
		if (d->run.effects.items[i].type != RUN_NOTE)
			return &d->run.effects.items[i];
	fail_msg("it wants nothing");
	return NULL;
}

/* "again, finding, unclear", "asks to find the runner", "done" ... */
static const char *
became(struct desk *d)
{
	static const char *const stages[] = { "minting", "finding",
		"clearing" };
	const struct act *act = d->act;
	struct arena *arena = &d->arena;

	switch (act->phase) {
	case PH_DONE:
		return "done";
	case PH_FAILED:
		return arena_printf(arena, "failed, %s: " STR_FMT,
		    failure_word(act->failure), STR_ARG(act->reason)).data;
	case PH_INTENT:
		return "intends";
	case PH_RESULT:
		return act->next == NEXT_DONE
		    ? arena_printf(arena, "registered as " STR_FMT,
			  STR_ARG(act->id)).data
		    : arena_printf(arena, "withdrawn, %s: " STR_FMT,
			  failure_word(act->last_failure),
			  STR_ARG(act->last_refusal)).data;
	case PH_QUEUED:
		return arena_printf(arena, "%s, %s%s",
		    act->not_before_ms > d->run.now_ms ? "again" : "at once",
		    stages[act->stage], act->unclear ? ", unclear" : "").data;
	case PH_ASKED:
		switch (wants(d)->type) {
		case RUN_GITHUB:
			return arena_printf(arena, "asks GitHub to %s",
			    github_op_words(wants(d)->github.op)).data;
		case RUN_FETCH:
			return arena_printf(arena, "fetches " STR_FMT,
			    STR_ARG(wants(d)->fetch.path)).data;
		default:
			return "asks the pod";
		}
	default:
		return "something else";
	}
}

/* --------------------------------------------------------------- install -- */

static void
test_run_runner_is_on_a_pod_that_can_be_reached(void **state)
{
	static const enum action_kind kinds[] = { ACTION_RUNNER_INSTALL,
		ACTION_RUNNER_REGISTER };
	struct desk *d = *state;

	for (size_t k = 0; k < COUNTOF(kinds); k++)
		for (unsigned i = 0; i < 4; i++) {
			d->subjects[0].id = i & 1 ? (struct str){0} :
			    STR("p1");
			d->subjects[0].ssh.port = i & 2 ? 0 : 2222;
			begin(d, kinds[k]);
			action_rows[kinds[k]].start(&d->run, d->act);
			assert_text(became(d), i == 0 ? k == 0 ?
			    "asks the pod" : "intends" :
			    "failed, inside: pod.trainer has no SSH port: it "
			    "needs 22/tcp in its ports; if it has that and "
			    "stays so: podform apply --replace pod.trainer");
		}
}

static void
test_run_runner_asks_for_the_package_under_its_name(void **state)
{
	struct desk *d = *state;

	begin(d, ACTION_RUNNER_INSTALL);
	install_start(&d->run, d->act);
	const struct ssh_request *request = &wants(d)->ssh;
	assert_int_equal(request->task, SSH_RUNNER_INSTALL);
	assert_true(str_is(request->runner.name, NAME));
	assert_true(str_is(request->runner.package.filename, "p.tar.gz"));
	assert_true(str_is(request->target.pod, "p1"));
	assert_int_equal(request->from.len, 0);
	assert_true(request->timeout_ms > 0);
	assert_true(str_is(d->act->reason, "installing the runner package"));
	/* One of several has its number in its name. */
	d->changes[1].key = 0;
	d->subjects[1].runner.name = (struct str){0};
	begin(d, ACTION_RUNNER_INSTALL);
	install_start(&d->run, d->act);
	assert_true(str_is(wants(d)->ssh.runner.name,
	    "ci-0-pfab12cd0101010101"));
	/* Which is chosen once. */
	d->changes[1].key = 1;
	begin(d, ACTION_RUNNER_REGISTER);
	register_start(&d->run, d->act);
	assert_true(str_is(d->act->entry.runner.name,
	    "ci-0-pfab12cd0101010101"));
}

/* Status 69 of a pod: the package comes from here, once, if it can. */
static void
test_run_runner_package_is_fetched_where_the_pod_cannot(void **state)
{
	static const char failed[] = "failed, inside: installing the runner "
	    "exited with 69";
	static const struct {
		int status;
		const char *from, *cache, *filename, *wanted;
	} rows[] = {
		{ 0, "", "cache", "p", "done" },
		{ 0, "cache/p", "cache", "p", "done" },
		{ 69, "", "cache", "p", "fetches cache/p" },
		{ 69, "cache/p", "cache", "p", failed },
		{ 69, "", "", "p", failed },
		{ 69, "", "cache", "../p", failed },
		{ 69, "", "cache", "", failed },
		{ 1, "", "cache", "p", "failed, inside: installing the runner "
		    "exited with 1" },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct ssh_answer answer = { .outcome = SSH_DONE,
			.status = rows[i].status };
		d->changes[1].package.filename = str_from(rows[i].filename);
		d->run.options.cache_dir = str_from(rows[i].cache);
		begin(d, ACTION_RUNNER_INSTALL);
		install_start(&d->run, d->act);
		d->act->from = str_from(rows[i].from);
		install_ssh(&d->run, d->act, &answer);
		assert_text(became(d), rows[i].wanted);
	}
	/* A login that was cut off says nothing of the package. */
	begin(d, ACTION_RUNNER_INSTALL);
	install_start(&d->run, d->act);
	install_ssh(&d->run, d->act, &(struct ssh_answer){
		.outcome = SSH_UNREACHABLE, .status = -1 });
	assert_text(became(d), "again, minting");
}

static void
test_run_runner_package_travels_with_its_digest(void **state)
{
	struct desk *d = *state;

	begin(d, ACTION_RUNNER_INSTALL);
	install_start(&d->run, d->act);
	install_ssh(&d->run, d->act, &(struct ssh_answer){
		.outcome = SSH_DONE, .status = SSH_STATUS_CANNOT_FETCH });
	const struct fetch_request *fetch = &wants(d)->fetch;
	assert_true(str_is(fetch->url, "https://x/p.tar.gz"));
	assert_true(str_is(fetch->sha256, "ab"));
	assert_true(str_is(fetch->bearer, "tt"));
	assert_int_equal(fetch->max_bytes, 1 << 30);
	assert_int_equal(fetch->timeout_ms, 10 * 60 * 1000);
	/* It is there: the pod is given it. */
	install_fetched(&d->run, d->act, true, (struct str){0});
	assert_text(became(d), "at once, minting");
	install_start(&d->run, d->act);
	assert_true(str_is(wants(d)->ssh.from, "cache/p.tar.gz"));
	install_fetched(&d->run, d->act, false, STR("404\nnot found\n"));
	assert_text(became(d), "failed, inside: neither the pod nor this "
	    "machine can fetch the runner package: not found");
}

/* -------------------------------------------------------------- register -- */

static void
register_until_asked(struct desk *d)
{
	d->subjects[1].runner = (struct registration){0};
	begin(d, ACTION_RUNNER_REGISTER);
	register_start(&d->run, d->act);
	d->act->intended = true;
	register_journaled(&d->run, d->act);
}

static void
test_run_runner_is_intended_before_it_is_registered(void **state)
{
	struct desk *d = *state;

	begin(d, ACTION_RUNNER_REGISTER);
	register_start(&d->run, d->act);
	assert_text(became(d), "intends");
	const struct lock_op *op = &wants(d)->record.op;
	assert_int_equal(wants(d)->record.type, RECORD_INTENT);
	assert_int_equal(op->action, OP_CREATE);
	assert_true(str_is(op->address, "runner.ci"));
	assert_true(str_is(op->entry.runner.name, NAME));
	assert_true(str_is(op->entry.runner.pod, "pod.trainer"));
	assert_true(str_is(op->entry.runner.pod_id, "p1"));
	assert_true(str_is(op->entry.runner.pod_start, "t1"));
	assert_true(op->entry.runner.jit);
	assert_int_equal(op->entry.price_per_hour, -1);
	assert_ptr_equal(d->subjects[1].runner.act, d->act);
	d->changes[1].runner_config.ephemeral = false;
	begin(d, ACTION_RUNNER_REGISTER);
	register_start(&d->run, d->act);
	assert_false(wants(d)->record.op.entry.runner.jit);
}

/* What is journaled goes to its end, whether or not it may be sent. */
static void
test_run_runner_registration_asks_by_stage(void **state)
{
	struct desk *d = *state;

	/* stopping, unclear, beyond the first stage, JIT. */
	for (unsigned i = 0; i < 16; i++) {
		bool stopping = i & 1, unclear = i & 2, later = i & 4;
		d->changes[1].runner_config.ephemeral = i & 8;
		begin(d, ACTION_RUNNER_REGISTER);
		register_start(&d->run, d->act);
		d->act->intended = true;
		d->act->unclear = unclear;
		d->act->stage = later;
		d->run.stopping = stopping;
		/* Its turn comes again: it is not intended twice. */
		register_start(&d->run, d->act);
		d->run.stopping = false;
		assert_text(became(d),
		    stopping && !unclear ? "withdrawn, interrupted: stopped "
			"before anything was sent" :
		    stopping || later ? "asks GitHub to find the runner" :
		    i & 8 ? "asks GitHub to register the runner" :
		    "asks GitHub to get a registration token");
	}
	/* Another reason than a signal. */
	begin(d, ACTION_RUNNER_REGISTER);
	register_start(&d->run, d->act);
	d->run.fatal = FAIL_AUTH;
	register_journaled(&d->run, d->act);
	assert_text(became(d), "withdrawn, error: stopped before anything "
	    "was sent");
}

static void
test_run_runner_asks_for_the_labels_that_jobs_name(void **state)
{
	static struct str labels[] = { STR_INIT("Self-Hosted"),
		STR_INIT("gpu"), STR_INIT("LINUX"), STR_INIT("x64"),
		STR_INIT("x64-fast") };
	static const char *const wanted[] = { "self-hosted", "linux", "x64",
		"gpu", "x64-fast" };
	struct desk *d = *state;

	d->changes[1].runner_config.labels = labels;
	d->changes[1].runner_config.nlabels = COUNTOF(labels);
	d->changes[1].runner_group = 4;
	register_until_asked(d);
	const struct github_request *request = &wants(d)->github;
	assert_int_equal(request->op, GITHUB_JIT);
	assert_true(str_is(request->name, NAME));
	assert_true(str_is(request->scope.repository, "acme/m"));
	assert_int_equal(request->group_id, 4);
	assert_int_equal(request->nlabels, COUNTOF(wanted));
	for (size_t i = 0; i < COUNTOF(wanted); i++)
		assert_true(str_is(request->labels[i], wanted[i]));
	assert_int_equal(wants(d)->token, d->act->token);
}

/* What an answer to the first call means. */
static void
test_run_runner_registration_is_believed_only_whole(void **state)
{
	enum { WITHDRAW = 1 };
	static const struct {
		enum cloud_outcome outcome;
		enum cloud_reason reason;
		bool ephemeral;
		size_t nrunners;
		int64_t id;
		const char *name, *jit, *token, *wanted;
	} rows[] = {
		{ OUTCOME_OK, 0, true, 1, 7, NAME, "j", "",
		    "registered as 7" },
		{ OUTCOME_OK, 0, true, 1, 7, "CI-PFab12cd0101010101", "j", "",
		    "registered as 7" },
		/* Half of one: nobody knows, so it is looked for. */
		{ OUTCOME_OK, 0, true, 0, 7, NAME, "j", "",
		    "again, finding, unclear" },
		{ OUTCOME_OK, 0, true, 2, 7, NAME, "j", "",
		    "again, finding, unclear" },
		{ OUTCOME_OK, 0, true, 1, 0, NAME, "j", "",
		    "again, finding, unclear" },
		{ OUTCOME_OK, 0, true, 1, 7, "other", "j", "",
		    "again, finding, unclear" },
		{ OUTCOME_OK, 0, true, 1, 7, NAME, "", "",
		    "again, finding, unclear" },
		{ OUTCOME_OK, 0, true, 0, 0, "", "", "tok",
		    "again, finding, unclear" },
		{ OUTCOME_OK, 0, false, 0, 0, "", "", "tok", "done" },
		{ OUTCOME_OK, 0, false, 0, 0, "", "", "",
		    "again, finding, unclear" },
		{ OUTCOME_NOT_SENT, REASON_TRANSIENT, true, 0, 0, "", "", "",
		    "again, minting" },
		{ OUTCOME_NO_EFFECT, REASON_RATE_LIMITED, true, 0, 0, "", "",
		    "", "again, minting" },
		{ OUTCOME_UNKNOWN, REASON_TRANSIENT, true, 0, 0, "", "", "",
		    "again, finding, unclear" },
		{ OUTCOME_NO_EFFECT, REASON_CONFLICT, true, 0, 0, "", "", "",
		    "again, finding, unclear" },
		{ OUTCOME_NO_EFFECT, REASON_NO_CAPACITY, true, 0, 0, "", "",
		    "", "withdrawn, error: full" },
		{ OUTCOME_NO_EFFECT, REASON_AUTH, true, 0, 0, "", "", "",
		    "withdrawn, auth: full" },
		{ OUTCOME_NO_EFFECT, REASON_FORBIDDEN, true, 0, 0, "", "", "",
		    "withdrawn, auth: full" },
		{ OUTCOME_NO_EFFECT, REASON_NOT_FOUND, false, 0, 0, "", "",
		    "", "withdrawn, error: full" },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct github_runner runners[2] = { { .id = rows[i].id,
			.name = str_from(rows[i].name) } };
		struct github_answer answer = { .outcome = rows[i].outcome,
			.reason = rows[i].reason, .runners = runners,
			.nrunners = rows[i].nrunners,
			.jit = str_from(rows[i].jit),
			.token = str_from(rows[i].token),
			.message = STR("full") };
		d->changes[1].runner_config.ephemeral = rows[i].ephemeral;
		register_until_asked(d);
		register_github(&d->run, d->act, &answer);
		assert_text(became(d), rows[i].wanted);
		assert_true(str_is(d->subjects[1].runner.jit, i < 2 ? "j" :
		    ""));
		assert_true(str_is(d->subjects[1].runner.token, i == 8 ?
		    "tok" : ""));
	}
}

static void
test_run_runner_that_is_registered_is_known_to_all(void **state)
{
	struct github_runner runner = { .id = 7, .name = STR(NAME) };
	struct desk *d = *state;

	register_until_asked(d);
	register_github(&d->run, d->act, &(struct github_answer){
		.outcome = OUTCOME_OK, .runners = &runner, .nrunners = 1,
		.jit = STR("j") });
	assert_true(str_is(d->subjects[1].id, "7"));
	assert_int_equal(d->act->number, 7);
	assert_true(d->run.summary.changed);
	assert_ptr_equal(map_get(&d->run.runners_on, STR("p1")), d->act);
	assert_int_equal(wants(d)->record.outcome, OP_DONE);
	assert_true(str_is(wants(d)->record.id, "7"));
	assert_false(wants(d)->record.adopted);
}

/* A server without the call takes a token; but only a scope that can be read
 * says by its 404 that it is the call which is not there. */
static void
test_run_runner_takes_a_token_of_a_server_without_jit(void **state)
{
	struct github_answer answer = { .outcome = OUTCOME_NO_EFFECT,
		.reason = REASON_NOT_FOUND, .message = STR("no") };
	struct desk *d = *state;

	register_until_asked(d);
	register_github(&d->run, d->act, &answer);
	assert_text(became(d), "at once, minting");
	assert_false(d->act->entry.runner.jit);
	register_start(&d->run, d->act);
	assert_text(became(d), "asks GitHub to get a registration token");
	d->scope.known = false;
	register_until_asked(d);
	register_github(&d->run, d->act, &answer);
	assert_text(became(d), "withdrawn, error: no");
	d->changes[1].scope = NULL;
	register_until_asked(d);
	register_github(&d->run, d->act, &answer);
	assert_text(became(d), "withdrawn, error: no");
}

/* What a lost answer has left: found by its name, removed, made again. */
static void
test_run_runner_clears_what_a_lost_answer_left(void **state)
{
	static const struct {
		enum cloud_outcome outcome;
		enum cloud_reason reason;
		bool found, online, busy, stopping;
		const char *wanted;
	} rows[] = {
		{ OUTCOME_UNKNOWN, REASON_TRANSIENT, false, false, false,
		    false, "again, finding, unclear" },
		{ OUTCOME_NO_EFFECT, REASON_NOT_FOUND, false, false, false,
		    false, "again, finding, unclear" },
		{ OUTCOME_OK, 0, false, false, false, false,
		    "again, minting" },
		{ OUTCOME_OK, 0, true, false, false, false,
		    "asks GitHub to remove the runner" },
		{ OUTCOME_OK, 0, true, true, false, false,
		    "failed, suspect: a runner of the name " NAME
		    " is online already" },
		{ OUTCOME_OK, 0, true, false, true, false,
		    "failed, suspect: a runner of the name " NAME
		    " is online already" },
		/* It may not be made again, so it is taken in. */
		{ OUTCOME_OK, 0, true, false, false, true,
		    "registered as 9" },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct github_runner runner = { .id = 9,
			.online = rows[i].online, .busy = rows[i].busy };
		register_until_asked(d);
		d->act->unclear = true;
		d->act->stage = 1;
		register_journaled(&d->run, d->act);
		assert_true(str_is(wants(d)->github.name, NAME));
		assert_int_equal(wants(d)->github.id, 0);
		d->run.stopping = rows[i].stopping;
		register_github(&d->run, d->act, &(struct github_answer){
			.outcome = rows[i].outcome,
			.reason = rows[i].reason, .runners = &runner,
			.nrunners = rows[i].found });
		d->run.stopping = false;
		assert_text(became(d), rows[i].wanted);
		if (d->act->phase == PH_ASKED)
			assert_int_equal(wants(d)->github.id, 9);
	}
}

static void
test_run_runner_is_made_again_only_once_it_is_cleared(void **state)
{
	static const struct {
		enum cloud_outcome outcome;
		enum cloud_reason reason;
		const char *wanted;
	} rows[] = {
		{ OUTCOME_OK, 0, "again, minting" },
		{ OUTCOME_NO_EFFECT, REASON_NOT_FOUND, "again, minting" },
		{ OUTCOME_NO_EFFECT, REASON_BUSY,
		    "again, finding, unclear" },
		{ OUTCOME_UNKNOWN, REASON_TRANSIENT,
		    "again, finding, unclear" },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		register_until_asked(d);
		d->act->unclear = true;
		d->act->stage = 2;
		d->act->number = 9;
		register_github(&d->run, d->act, &(struct github_answer){
			.outcome = rows[i].outcome,
			.reason = rows[i].reason });
		assert_text(became(d), rows[i].wanted);
		if (!d->act->unclear)
			assert_int_equal(d->act->number, 0);
	}
}

/* GitHub's own words, else ours; and after five it stays open. */
static void
test_run_runner_gives_up_with_what_github_said(void **state)
{
	static const char *const words[][2] = {
		{ "slow down", "slow down" },
		{ "", "GitHub gave no clear answer" },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(words); i++) {
		struct github_answer answer = { .outcome = OUTCOME_NOT_SENT,
			.message = str_from(words[i][0]),
			.retry_after_ms = 50000 };
		register_until_asked(d);
		for (int n = 0; n < 5; n++) {
			register_github(&d->run, d->act, &answer);
			assert_text(became(d), "again, minting");
			assert_int_equal(d->act->not_before_ms, 51000);
			assert_true(str_is(d->act->reason, words[i][1]));
		}
		register_github(&d->run, d->act, &answer);
		assert_text(became(d), arena_printf(&d->arena,
		    "failed, error: %s", words[i][1]).data);
		assert_true(d->act->intended);
	}
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_run_runner_is_on_a_pod_that_can_be_reached),
		ROW(test_run_runner_asks_for_the_package_under_its_name),
		ROW(test_run_runner_package_is_fetched_where_the_pod_cannot),
		ROW(test_run_runner_package_travels_with_its_digest),
		ROW(test_run_runner_is_intended_before_it_is_registered),
		ROW(test_run_runner_registration_asks_by_stage),
		ROW(test_run_runner_asks_for_the_labels_that_jobs_name),
		ROW(test_run_runner_registration_is_believed_only_whole),
		ROW(test_run_runner_that_is_registered_is_known_to_all),
		ROW(test_run_runner_takes_a_token_of_a_server_without_jit),
		ROW(test_run_runner_clears_what_a_lost_answer_left),
		ROW(test_run_runner_is_made_again_only_once_it_is_cleared),
		ROW(test_run_runner_gives_up_with_what_github_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
