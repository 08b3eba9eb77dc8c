/*
 * test_run_listen.c - a runner's listener is started and its coming online
 * awaited: what is asked for, why it gave up, whose word counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"
#include "base/units.h"
#include "run_world.h"

static struct act made;		/* the registration before it */

/* Runner ci on pod a, which this plan changes, too. */
static void
begin_runner(struct act_world *f, enum action_kind kind, const char *more)
{
	act_begin(f, kind, "");
	world_spec(&f->w, arena_printf(&f->w.arena,
	    "pods: { a: { image: x:1, gpu: A40, ports: [22/tcp] } }\n"
	    "runners: { ci: { pod: a, repository: acme/m, labels: [gpu]%s } }"
	    "\n", more).data);
	f->want = f->w.spec->resources[1];
	assert_int_equal(f->want.kind, KIND_RUNNER);
	f->plan.spec = f->w.spec;
	f->plan.changes.n = 0;
	*ARENA_PUSH(&f->w.arena, &f->plan.changes) = (struct plan_change){
		.kind = KIND_POD, .address = STR("pod.a"), .pod = &f->pod };
	f->change = (struct plan_change){ .kind = KIND_RUNNER,
		.address = STR("runner.ci"), .want = &f->want,
		.host_change = 0, .package.version = STR("2.336.0"),
		.runner_config = { .repository = STR("acme/m"),
			.pod = STR("pod.a") } };
	f->subjects[0] = (struct subject){0};
	made = (struct act){ .kind = ACTION_RUNNER_REGISTER,
		.entry.runner.pod_id = STR("p1") };
	f->subject.runner = (struct registration){ .name = STR("ci-pf01"),
		.act = &made };
}

/* ---------------------------------------------------------------- start -- */

static void
test_run_listen_gives_the_listener_what_it_needs(void **state)
{
	struct act_world *f = *state;
	struct str labels[] = { STR("gpu"), STR("big") };

	begin_runner(f, ACTION_RUNNER_START, "");
	f->subject.runner.jit = STR("j");
	f->change.runner_config.ephemeral = true;
	listen_start(&f->run, &f->act);
	struct ssh_request ssh = act_effect(f, RUN_SSH).ssh;
	assert_int_equal(ssh.task, SSH_RUNNER_START);
	assert_int_equal(ssh.timeout_ms, 5 * MINUTE_MS);
	assert_true(str_is(ssh.target.pod, "p1"));
	assert_true(str_is(ssh.runner.name, "ci-pf01"));
	assert_true(str_is(ssh.runner.jit, "j"));
	assert_true(str_is(f->act.reason, "starting its listener"));
	assert_true(str_is(ssh.runner.package.version, "2.336.0"));
	assert_true(ssh.runner.ephemeral);
	/* GitHub knows the rest of a JIT one. */
	assert_int_equal(ssh.runner.url.len, 0);
	assert_int_equal(ssh.runner.labels.len, 0);
	assert_true(f->subject.runner.started);
	assert_true(f->subjects[0].user_ran);

	for (int own = 0; own < 2; own++) {
		begin_runner(f, ACTION_RUNNER_START, "");
		f->subject.runner.token = STR("the-token");
		f->change.runner_config.labels = labels;
		f->change.runner_config.nlabels = 2;
		f->change.runner_config.group = STR("gpus");
		f->run.options.github_web = own ? STR("https://ghe.example")
						: (struct str){0};
		listen_start(&f->run, &f->act);
		ssh = act_effect(f, RUN_SSH).ssh;
		assert_true(str_is(ssh.runner.registration_token,
		    "the-token"));
		assert_true(str_is(ssh.runner.url, own
		    ? "https://ghe.example/acme/m"
		    : "https://github.com/acme/m"));
		assert_true(str_is(ssh.runner.labels, "gpu,big"));
		assert_true(str_is(ssh.runner.group, "gpus"));
		assert_false(ssh.runner.ephemeral);
	}
}

static void
test_run_listen_says_if_the_version_is_pinned(void **state)
{
	static const struct { const char *more; bool pinned; } rows[] = {
		{ "", false }, { ", version: latest", false },
		{ ", version: 2.335.0", true },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		begin_runner(f, ACTION_RUNNER_START, rows[i].more);
		listen_start(&f->run, &f->act);
		assert_int_equal(act_effect(f, RUN_SSH).ssh.runner.pinned,
		    rows[i].pinned);
	}
}

static void
test_run_listen_needs_a_pod_that_is_reached(void **state)
{
	struct act_world *f = *state;

	begin_runner(f, ACTION_RUNNER_START, "");
	f->pod.ssh.port = 0;
	listen_start(&f->run, &f->act);
	assert_int_equal(f->act.failure, FAIL_INSIDE);
	assert_false(f->subject.runner.started);
	assert_false(f->subjects[0].user_ran);
	/* On a pod that no change is about there is nobody to tell. */
	begin_runner(f, ACTION_RUNNER_START, "");
	f->change.host_change = SIZE_MAX;
	f->change.host = &f->pod;
	listen_start(&f->run, &f->act);
	assert_true(str_is(act_effect(f, RUN_SSH).ssh.target.pod, "p1"));
	assert_false(f->subjects[0].user_ran);
}

/* ------------------------------------------------------- why it gave up -- */

static const struct {
	int status;
	const char *output, *said;	/* NULL: it listens */
} ends[] = {
	{ 0, "", NULL },
	{ SSH_STATUS_HAS_JOB, "podform: a job", NULL },
	{ 1, "x\n", "starting the runner exited with 1: x" },
	{ 1, "podform: \n", "starting the runner exited with 1: podform:" },
	{ -1, "podform: cut\n", "starting the runner was killed: podform: "
	  "cut" },
	{ 1, "podform: one\npodform: it ended\nmore\n", "it ended" },
	{ 1, "is out of date and can no longer register\npodform: it ended",
	  "it ended (set a newer `version`, or `latest`; this one is "
	  "2.336.0)" },
	{ 7, "x is deprecated and cannot receive messages\npodform: no\n",
	  "no (set a newer `version`, or `latest`; this one is 2.336.0)" },
	{ 1, "registration has been deleted\npodform: no\n",
	  "no (somebody removed it at GitHub meanwhile: apply again)" },
	{ 1, "it no longer exists on the server\npodform: no\n",
	  "no (somebody removed it at GitHub meanwhile: apply again)" },
	{ 5, "A session for this runner already exists.\npodform: no\n",
	  "no (another process uses this registration, which belongs to one "
	  "alone: apply again, which makes a new one)" },
	{ 1, "A runner exists with the same name\npodform: no\n",
	  "no (apply again, which takes another name)" },
	{ 1, "a dependencies is missing\npodform: no\n",
	  "no (the image lacks a library: install libicu in it, or set "
	  "`ephemeral: true`, which does without config.sh)" },
	{ 1, "Must not run with sudo\npodform: no\n",
	  "no (its package refuses to run as root)" },
	{ 1, "Http response code: NotFound from\npodform: no\n",
	  "no (GitHub does not know what it registers at: check repository "
	  "or organization, and GITHUB_SERVER_URL)" },
	{ 1, "Runner connect error: x\npodform: no\n",
	  "no (the pod does not reach GitHub: it needs outgoing HTTPS)" },
	{ 1, "Invalid configuration provided for token\npodform: no\n",
	  "no (GitHub did not accept its registration token: apply again)" },
	{ SSH_STATUS_NEVER_LISTENED, "podform: never\n", "never" },
};

/* What of the user's may have run on the pod is known by whether it ever
 * listened. */
static void
test_run_listen_says_why_the_listener_gave_up(void **state)
{
	struct act_world *f = *state;

	for (size_t i = 0; i < 4 * COUNTOF(ends); i++) {
		size_t row = i / 4;
		bool before = i & 1, changed = i & 2;
		begin_runner(f, ACTION_RUNNER_START, "");
		f->subjects[0].user_ran = before;
		if (!changed) {
			f->change.host_change = SIZE_MAX;
			f->change.host = &f->pod;
		}
		listen_start(&f->run, &f->act);
		f->run.effects.n = f->run.effects_at = 0;
		struct ssh_answer answer = ssh_exits(ends[row].status,
		    ends[row].output);
		listen_ssh(&f->run, &f->act, &answer);
		if (ends[row].said == NULL)
			assert_int_equal(f->act.phase, PH_DONE);
		else
			assert_act_failed(f, FAIL_INSIDE, ends[row].said);
		bool never = ends[row].status == SSH_STATUS_NEVER_LISTENED;
		assert_int_equal(f->subjects[0].user_ran, before ||
		    (changed && !never));
	}
	/* Not let in: where, is said. */
	begin_runner(f, ACTION_RUNNER_START, "");
	struct ssh_answer denied = ssh_cut(SSH_DENIED, "no");
	listen_ssh(&f->run, &f->act, &denied);
	assert_act_failed(f, FAIL_INSIDE, "none of our keys is accepted at "
	    "192.0.2.1:22: no");
	/* The connection broke: it is started again. */
	begin_runner(f, ACTION_RUNNER_START, "");
	struct ssh_answer lost = ssh_cut(SSH_LOST, "cut");
	listen_ssh(&f->run, &f->act, &lost);
	assert_act_waits(f, 2000);
}

/* --------------------------------------------------------------- online -- */

static void
test_run_online_has_its_time_once(void **state)
{
	struct act_world *f = *state;

	begin_runner(f, ACTION_RUNNER_ONLINE, "");
	made.number = 77;
	online_start(&f->run, &f->act);
	assert_int_equal(f->act.phase, PH_RUNNERS);
	assert_int_equal(f->act.number, 77);
	assert_true(str_is(f->act.reason,
	    "waiting until GitHub calls it online"));
	assert_int_equal(f->act.deadline_ms, 5000 + 5 * MINUTE_MS);
	f->run.now_ms = 9000;
	online_start(&f->run, &f->act);
	assert_int_equal(f->act.deadline_ms, 5000 + 5 * MINUTE_MS);
	begin_runner(f, ACTION_RUNNER_ONLINE, "");
	f->run.options.online_ms = 1;
	online_start(&f->run, &f->act);
	assert_int_equal(f->act.deadline_ms, 5001);
}

/* Its listing: n none, f offline, o online; by number where it has one.  What
 * is done: . waits, d done, r its number is recorded, g asked for by number,
 * l its log is looked at, x no key. */
static const struct {
	enum cloud_outcome outcome;
	enum cloud_reason reason;
	char listed;
	bool jit, late;
	int64_t number;
	bool intended;
	char wanted;
} onlines[] = {
	{ OUTCOME_OK, 0, 'o', true, false, 77, false, 'd' },
	{ OUTCOME_OK, 0, 'o', true, true, 77, false, 'd' },
	{ OUTCOME_OK, 0, 'o', false, false, 0, false, 'd' },
	{ OUTCOME_OK, 0, 'o', false, false, 0, true, 'r' },
	{ OUTCOME_OK, 0, 'f', false, false, 0, true, '.' },
	{ OUTCOME_OK, 0, 'f', true, false, 77, false, '.' },
	{ OUTCOME_OK, 0, 'f', true, true, 77, false, 'l' },
	/* One job, and it is gone again before anybody saw it. */
	{ OUTCOME_OK, 0, 'n', true, false, 77, false, 'g' },
	{ OUTCOME_OK, 0, 'n', true, true, 77, false, 'g' },
	{ OUTCOME_OK, 0, 'n', true, false, 0, false, '.' },
	{ OUTCOME_OK, 0, 'n', false, false, 77, false, '.' },
	{ OUTCOME_OK, 0, 'n', false, true, 77, false, 'l' },
	/* No answer is no listing, whatever is in it. */
	{ OUTCOME_UNKNOWN, REASON_TRANSIENT, 'o', true, false, 77, false,
	  '.' },
	{ OUTCOME_UNKNOWN, REASON_TRANSIENT, 'n', true, true, 77, false,
	  'l' },
	{ OUTCOME_UNKNOWN, REASON_AUTH, 'n', true, false, 77, false, '.' },
	{ OUTCOME_NO_EFFECT, REASON_FORBIDDEN, 'n', true, false, 77, false,
	  '.' },
	{ OUTCOME_NO_EFFECT, REASON_AUTH, 'n', true, false, 77, false, 'x' },
};

static char
became(struct act_world *f)
{
	struct run_effect effect;

	if (f->act.phase == PH_RUNNERS)
		return '.';
	if (f->act.phase == PH_DONE)
		return 'd';
	if (f->act.phase == PH_FAILED)
		return f->act.failure == FAIL_AUTH ? 'x' : '?';
	assert_true(run_next_effect(&f->run, &effect));
	if (effect.type == RUN_JOURNAL)
		return effect.record.outcome == OP_DONE &&
		    !effect.record.adopted ? 'r' : '?';
	if (effect.type == RUN_GITHUB)
		return effect.github.op == GITHUB_GET_RUNNER &&
		    effect.github.id == 77 ? 'g' : '?';
	return effect.type == RUN_SSH && effect.ssh.task == SSH_RUNNER_LOOK &&
	    str_is(effect.ssh.runner.name, "ci-pf01") &&
	    effect.ssh.timeout_ms == 30000 ? 'l' : '?';
}

static void
test_run_online_is_what_github_calls_so(void **state)
{
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(onlines); i++) {
		struct github_runner runners[] = {
			{ .id = 76, .name = STR("other"), .online = true },
			{ .id = 77, .name = STR("CI-pf01"),
			  .online = onlines[i].listed == 'o' },
		};
		const struct github_answer answer = {
			.outcome = onlines[i].outcome,
			.reason = onlines[i].reason, .message = STR("no"),
			.runners = runners,
			.nrunners = onlines[i].listed == 'n' ? 1 : 2 };
		begin_runner(f, ACTION_RUNNER_ONLINE, "");
		made.number = onlines[i].number;
		made.intended = onlines[i].intended;
		made.entry.runner.jit = onlines[i].jit;
		f->run.runners_on = (struct map){0};
		f->run.options.online_ms = 60000;
		online_start(&f->run, &f->act);
		f->run.now_ms += onlines[i].late ? 60000 : 59999;
		online_listed(&f->run, &f->act, &answer);
		char found = became(f);
		if (found != onlines[i].wanted)
			fail_msg("row %zu: %c", i, found);
		f->run.fatal = FAIL_NONE;
		if (found != 'r')
			continue;
		/* The op of its registration has come to its end. */
		assert_false(made.intended);
		assert_true(made.effected);
		assert_int_equal(made.number, 77);
		assert_true(str_is(made.id, "77"));
		assert_true(str_is(f->subject.id, "77"));
		assert_true(f->run.summary.changed);
		assert_ptr_equal(map_get(&f->run.runners_on, STR("p1")),
		    &made);
	}
}

static void
test_run_online_too_late_asks_its_log(void **state)
{
	static const struct {
		enum ssh_outcome outcome;
		const char *line, *said;
	} rows[] = {
		{ SSH_DONE, "x\nVssConnection: 401\n", "GitHub does not call "
		  "it online after 5m; its log: VssConnection: 401" },
		{ SSH_DONE, "x\n4\n", "GitHub does not call it online after "
		  "5m; its log: 4" },
		{ SSH_DONE, "", "GitHub does not call it online after 5m" },
		{ SSH_LOST, "x", "GitHub does not call it online after 5m" },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		begin_runner(f, ACTION_RUNNER_ONLINE, "");
		f->act.started_ms = 5000;
		f->run.now_ms = 5000 + 5 * MINUTE_MS;
		online_ssh(&f->run, &f->act, &(struct ssh_answer){
			.outcome = rows[i].outcome,
			.line = str_from(rows[i].line) });
		assert_act_failed(f, FAIL_TIMEOUT, rows[i].said);
	}
	/* Nobody can look: that is said. */
	begin_runner(f, ACTION_RUNNER_ONLINE, "");
	online_start(&f->run, &f->act);
	f->pod.ssh.port = 0;
	f->run.now_ms = f->act.deadline_ms;
	online_listed(&f->run, &f->act, &(struct github_answer){
		.outcome = OUTCOME_OK });
	assert_int_equal(f->act.phase, PH_FAILED);
	assert_int_equal(f->act.failure, FAIL_INSIDE);
}

/* Only a clear word that it is not there means that its job is done. */
static void
test_run_online_that_is_gone_has_had_its_job(void **state)
{
	struct act_world *f = *state;

	for (int outcome = 0; outcome < 4; outcome++)
	for (int reason = 0; reason <= REASON_BUSY; reason++) {
		bool gone = outcome == OUTCOME_NO_EFFECT &&
		    reason == REASON_NOT_FOUND;
		begin_runner(f, ACTION_RUNNER_ONLINE, "");
		online_github(&f->run, &f->act, &(struct github_answer){
			.outcome = (enum cloud_outcome)outcome,
			.reason = (enum cloud_reason)reason });
		assert_int_equal(f->act.phase, gone ? PH_DONE : PH_RUNNERS);
		assert_true(str_is(f->act.ended_how, gone ? "has taken its "
		    "job, or was removed, and is gone again" : ""));
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_listen_gives_the_listener_what_it_needs),
		TEST(test_run_listen_says_if_the_version_is_pinned),
		TEST(test_run_listen_needs_a_pod_that_is_reached),
		TEST(test_run_listen_says_why_the_listener_gave_up),
		TEST(test_run_online_has_its_time_once),
		TEST(test_run_online_is_what_github_calls_so),
		TEST(test_run_online_too_late_asks_its_log),
		TEST(test_run_online_that_is_gone_has_had_its_job),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
