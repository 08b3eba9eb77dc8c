/* test_run_inside.c - what is done inside pods, runners, tunnels */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "run_world.h"

#define KEY "SHA256:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSdM"
#define POD(more) "pods:\n  trainer: { image: x:1, gpu: A40, " \
	"ports: [22/tcp]" more " }\n"
#define STEPS ",\n    ready: { checks: [nvidia-smi] },\n" \
	"    setup: [{ run: pip install x }, { run: make }],\n" \
	"    process: { run: python t.py }"
#define RUNNER "runners:\n  ci: { pod: trainer, repository: acme/m, " \
	"labels: [gpu], ephemeral: true }\n"
#define PERSISTENT "runners:\n  ci: { pod: trainer, repository: acme/m, " \
	"labels: [gpu], ephemeral: false }\n"
#define TUNNEL "tunnels:\n  web: { pod: trainer, local: 8188, " \
	"remote: 8188 }\n"

static int
setup(void **state)
{
	run_setup(state);
	struct run_world *r = *state;
	r->silent_lists = true;
	r->log_line = "256 " KEY " root@x (ED25519)";
	return 0;
}

static void
start(struct run_world *r, const char *yaml)
{
	static struct runner_package package = { STR("2.336.0"),
		STR("https://x/p.tar.gz"), STR("p.tar.gz"), STR(""),
		STR("") };
	static struct live_scope scope;

	scope = (struct live_scope){
		.scope = { .repository = STR("acme/m") }, .known = true,
		.packages_known = true, .packages = &package, .npackages = 1,
		.private_known = true, .is_private = true,
	};
	r->w.live.scopes = &scope;
	r->w.live.nscopes = 1;
	r->w.live.tunnels_known = true;
	world_spec(&r->w, yaml);
	run_start(r);
}

/* What was said from that on. */
static const char *
from(struct run_world *r, const char *what)
{
	const char *said = run_said(r), *at = strstr(said, what);

	if (at == NULL)
		fail_msg("no '%s' in:\n%s", what, said);
	return at;
}

static void
test_run_inside_does_all_steps_once_and_records_them(void **state)
{
	struct run_world *r = *state;

	start(r, POD(STEPS));
	run_drive(r);
	assert_text(from(r, "start login"),
	    "start login pod.trainer\n"
	    "send read the log new1\n"
	    "ssh new1 login pinned SHA256:Vn7\n"
	    "fact new1: SHA256:seen by log\n"
	    "done login pod.trainer\n"
	    "start check pod.trainer\n"
	    "ssh new1 run pinned SHA256:see `nvidia-smi`\n"
	    "fact new1: SHA256:seen by log checked\n"
	    "done check pod.trainer\n"
	    "start setup pod.trainer\n"
	    "ssh new1 run pinned SHA256:see `pip install x`\n"
	    "fact new1: SHA256:seen by log checked steps 1\n"
	    "done setup pod.trainer\n"
	    "start setup pod.trainer\n"
	    "ssh new1 run pinned SHA256:see `make`\n"
	    "fact new1: SHA256:seen by log checked steps 2\n"
	    "done setup pod.trainer\n"
	    "start process pod.trainer\n"
	    "ssh new1 process pinned SHA256:see `python t.py`\n"
	    "fact new1: SHA256:seen by log checked steps 2 process\n"
	    "done process pod.trainer\n");
	assert_text(run_outcome(r), "exit 0, added 1\n");
	assert_int_equal(world_entry(&r->w, "pod.trainer")->inside.nsteps, 2);
}

static void
test_run_inside_trusts_on_first_use_without_a_log(void **state)
{
	struct run_world *r = *state;

	r->log_line = NULL;
	start(r, POD(STEPS));
	run_drive(r);
	assert_true(strstr(run_said(r),
	    "fact new1: SHA256:seen by first use\n") != NULL);
	assert_int_equal(r->sent[CLOUD_GET_LOG], 5);
	assert_text(run_outcome(r), "exit 0, added 1\n");
}

static void
test_run_inside_sends_nothing_to_a_wrong_host_key(void **state)
{
	struct run_world *r = *state;

	start(r, POD(STEPS));
	run_ssh_lie(r, SSH_LOGIN, 0, ssh_cut(SSH_WRONG_HOST_KEY, "no"));
	run_drive(r);
	assert_null(strstr(run_said(r), "ssh new1 run"));
	/* Nothing of the user's ran on it, so it is ended. */
	assert_int_equal(r->w.pods.n, 0);
	assert_int_equal(run_summary(r->run)->exit_code, 9);
}

static void
test_run_inside_waits_for_logins_and_checks(void **state)
{
	struct run_world *r = *state;

	start(r, POD(STEPS));
	run_ssh_lie(r, SSH_LOGIN, 0, ssh_cut(SSH_UNREACHABLE, "refused"));
	run_ssh_lie(r, SSH_RUN, 0, ssh_exits(1, "no gpu yet\n"));
	run_ssh_lie(r, SSH_RUN, 0, ssh_cut(SSH_LOST, "cut"));
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, added 1\n");
}

static void
test_run_inside_a_check_that_never_succeeds_fails_in_time(void **state)
{
	struct run_world *r = *state;

	start(r, POD(STEPS));
	for (int i = 0; i < 500; i++)
		run_ssh_lie(r, SSH_RUN, 0, ssh_exits(1, "a\nno gpu\n"));
	int64_t began = r->now_ms;
	run_drive(r);
	assert_true(r->now_ms - began < 15 * 60 * 1000);
	assert_text(run_outcome(r), "exit 10\n"
	    "failed check pod.trainer: not ready in time: check 1 of 1 "
	    "fails: no gpu\n"
	    "left pod.trainer new1 0: stopped, since something of yours has "
	    "run on it; look at it, or end it with: podform destroy --target "
	    "pod.trainer\n");
	assert_true(world_entry(&r->w, "pod.trainer")->tainted);
	assert_true(world_entry(&r->w, "pod.trainer")->stopped);
}

static void
test_run_inside_a_step_is_given_again_when_the_connection_broke(void **state)
{
	struct run_world *r = *state;

	start(r, POD(STEPS));
	run_ssh_lie(r, SSH_RUN, 1, ssh_cut(SSH_LOST, "cut"));
	run_drive(r);
	assert_true(strstr(run_said(r), "retry setup pod.trainer: cut\n")
	    != NULL);
	assert_text(run_outcome(r), "exit 0, added 1\n");
}

static void
fails_with(struct run_world *r, const char *more, int backup)
{
	run_release(r);
	void *again = r;
	setup(&again);
	start(r, more);
	run_ssh_lie(r, SSH_RUN, 1, ssh_exits(3, "x\n\033[31mno wheel\n"));
	if (backup >= 0)
		run_ssh_lie(r, SSH_RUN, 0, ssh_exits(backup, ""));
	run_drive(r);
}

static void
test_run_inside_rolls_back_as_on_failure_and_backup_say(void **state)
{
	struct run_world *r = *state;

	fails_with(r, POD(STEPS ", on_failure: terminate"), -1);
	assert_text(run_outcome(r), "exit 9, undone 1\n"
	    "failed setup pod.trainer: setup step 1 of 2 exited with 3: "
	    "\\x1b[31mno wheel\n");
	assert_int_equal(r->w.pods.n, 0);

	fails_with(r, POD(STEPS ", on_failure: keep"), -1);
	assert_int_equal(run_summary(r->run)->exit_code, 10);
	assert_int_equal(r->w.pods.items[0].status, POD_RUNNING);

	fails_with(r, POD(STEPS ", backup: { check: test -e /s }"), 0);
	assert_int_equal(run_summary(r->run)->exit_code, 9);
	assert_int_equal(r->w.pods.n, 0);

	fails_with(r, POD(STEPS ", backup: { check: test -e /s }"), 1);
	assert_int_equal(run_summary(r->run)->exit_code, 10);
	assert_int_equal(r->w.pods.items[0].status, POD_EXITED);
}

static void
test_run_inside_a_signal_cuts_a_step_off(void **state)
{
	struct run_world *r = *state;

	start(r, POD(STEPS ", on_failure: terminate"));
	while (strstr(r->log.data, "pip install") == NULL)
		run_step(r);
	run_said(r);
	run_signal(r);
	assert_true(strstr(run_said(r), "cancel\n") != NULL);
	run_drive(r);
	assert_int_equal(run_summary(r->run)->exit_code, 130);
	assert_int_equal(r->w.pods.n, 0);
}

/* ------------------------------------------------------------- tunnels -- */

static void
test_run_inside_opens_and_undoes_tunnels(void **state)
{
	struct run_world *r = *state;

	start(r, POD("") TUNNEL);
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, added 2\n");
	/* One login: the holder's.  What it has pinned is pinned for all. */
	assert_null(strstr(r->log.data, " login"));
	assert_non_null(strstr(r->log.data,
	    "SHA256:seen-by-the-holder"));

	run_release(r);
	setup(state);
	start(r, POD("") TUNNEL);
	r->tunnel_fails = "port 8188 is taken by python3 (pid 4)";
	run_drive(r);
	const char *said = from(r, "rollback");
	assert_non_null(strstr(said, "holder close tunnel.web\n"));
	assert_true(strstr(said, "holder close tunnel.web\n") <
	    strstr(said, "send delete pod"));
	assert_int_equal(r->w.pods.n, 0);
}

/* The holder was told of both, and goes on with what nobody waits for. */
static void
test_run_inside_closes_tunnels_whose_wait_was_cut_off(void **state)
{
	struct run_world *r = *state;

	start(r, POD("") TUNNEL
	    "  other: { pod: trainer, local: 8189, remote: 81 }\n");
	r->tunnel_fails = "check: Connection refused";
	run_drive(r);
	const char *all = run_said(r), *undo = strstr(all, "rollback");
	assert_non_null(strstr(all, "holder open tunnel.web\n"));
	assert_non_null(strstr(all, "holder open tunnel.other\n"));
	assert_non_null(strstr(all, "cancel\n"));
	assert_non_null(undo);
	assert_non_null(strstr(undo, "holder close tunnel.web\n"));
	assert_non_null(strstr(undo, "holder close tunnel.other\n"));
	assert_int_equal(r->w.pods.n, 0);
}

/* ------------------------------------------------------------- runners -- */

static void
test_run_inside_brings_a_runner_online(void **state)
{
	struct run_world *r = *state;

	start(r, POD("") RUNNER);
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, added 2\n");
	const struct lock_entry *entry = world_entry(&r->w, "runner.ci");
	assert_true(entry->runner.jit);
	assert_text(entry->runner.pod_id.data, "new1");
	assert_int_equal(r->runners.n, 1);
}

static void
test_run_inside_a_persistent_runner_registers_itself(void **state)
{
	struct run_world *r = *state;

	start(r, POD("") PERSISTENT);
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, added 2\n");
	const struct lock_entry *entry = world_entry(&r->w, "runner.ci");
	assert_false(entry->runner.jit);
	assert_text(entry->id.data, "72");
	assert_int_equal(r->w.lock.pending.n, 0);
}

static void
test_run_inside_what_registered_itself_is_removed_again(void **state)
{
	struct run_world *r = *state;

	start(r, POD(", on_failure: terminate") PERSISTENT);
	r->never_online = true;
	run_drive(r);
	const char *said = from(r, "rollback");
	assert_true(strstr(said, "github remove the runner\n") <
	    strstr(said, "send delete pod new1\n"));
	assert_int_equal(r->runners.n, 0);
	assert_int_equal(r->w.pods.n, 0);
	assert_int_equal(r->w.lock.pending.n, 0);
	assert_int_equal(r->w.lock.entries.n, 0);
	assert_int_equal(run_summary(r->run)->exit_code, 9);
}

static void
test_run_inside_what_did_not_register_leaves_no_open_op(void **state)
{
	struct run_world *r = *state;

	start(r, POD(", on_failure: terminate") PERSISTENT);
	r->config_fails = true;
	run_ssh_lie(r, SSH_RUNNER_START, 0, ssh_exits(1, "no ICU\n"));
	run_drive(r);
	const char *said = from(r, "rollback");
	assert_non_null(strstr(said, " runner-stop"));
	assert_null(strstr(said, "github remove the runner\n"));
	assert_int_equal(r->w.pods.n, 0);
	assert_int_equal(r->w.lock.pending.n, 0);
	assert_int_equal(run_summary(r->run)->exit_code, 9);
}

static void
test_run_inside_a_pod_that_may_have_a_job_is_left(void **state)
{
	struct run_world *r = *state;

	start(r, POD(", on_failure: terminate") PERSISTENT);
	r->config_fails = true;
	run_ssh_lie(r, SSH_RUNNER_START, 0, ssh_exits(1, "no ICU\n"));
	run_ssh_lie(r, SSH_RUNNER_STOP, 0,
	    ssh_exits(SSH_STATUS_HAS_JOB, "worker=1\n"));
	run_drive(r);
	assert_null(strstr(from(r, "rollback"), "send delete pod new1\n"));
	assert_int_equal(r->w.pods.n, 1);
	/* The next apply asks for its name again. */
	assert_int_equal(r->w.lock.pending.n, 1);
	assert_int_equal(run_summary(r->run)->exit_code, 10);
}

static void
test_run_inside_a_job_shows_that_the_runner_was_started(void **state)
{
	struct run_world *r = *state;

	start(r, POD("") PERSISTENT);
	run_ssh_lie(r, SSH_RUNNER_START, 0,
	    ssh_exits(SSH_STATUS_HAS_JOB, "worker=1\n"));
	run_drive(r);
	assert_null(strstr(run_said(r), "rollback"));
}

static struct github_answer
github_says(enum cloud_outcome outcome, enum cloud_reason reason)
{
	return (struct github_answer){ .outcome = outcome, .reason = reason,
		.message = STR("no"), .ratelimit_left = -1, .total = -1 };
}

static void
test_run_inside_a_lost_registration_is_found_and_made_again(void **state)
{
	struct run_world *r = *state;

	start(r, POD("") RUNNER);
	run_github_lie(r, GITHUB_JIT, 0, true,
	    github_says(OUTCOME_UNKNOWN, REASON_TRANSIENT));
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, added 2\n");
	assert_int_equal(r->runners.n, 1);
	assert_true(strstr(run_said(r), "github remove the runner\n") !=
	    NULL);
}

static void
test_run_inside_a_runner_never_online_goes_before_its_pod(void **state)
{
	struct run_world *r = *state;

	start(r, POD(", on_failure: terminate") RUNNER);
	r->never_online = true;
	run_drive(r);
	const char *said = from(r, "rollback");
	assert_non_null(strstr(said, "github remove the runner\n"));
	assert_non_null(strstr(said, "send delete pod new1\n"));
	assert_true(strstr(said, "github remove the runner\n") <
	    strstr(said, "send delete pod new1\n"));
	assert_int_equal(r->runners.n, 0);
	assert_int_equal(r->w.pods.n, 0);
	assert_int_equal(run_summary(r->run)->exit_code, 9);
}

/* A runner that is on its pod; the plan is to end both. */
static void
start_ending(struct run_world *r)
{
	start(r, POD("") RUNNER);
	run_drive(r);
	lock_sort(&r->w.lock);
	r->w.live.scopes->runners = r->runners.items;
	r->w.live.scopes->nrunners = r->runners.n;
	r->w.options.mode = PLAN_DESTROY;
	run_said(r);
	run_start(r);
}

static void
test_run_inside_an_idle_runner_is_looked_at_twice(void **state)
{
	struct run_world *r = *state;

	start_ending(r);
	int64_t began = r->now_ms;
	run_drive(r);
	const char *said = run_said(r);
	const char *look = strstr(said, "runner-look");
	assert_non_null(look);
	assert_non_null(strstr(look + 1, "runner-look"));
	assert_true(strstr(said, "github remove the runner\n") <
	    strstr(said, "send delete pod"));
	assert_true(r->now_ms - began >= 60000);
	assert_int_equal(r->w.lock.entries.n, 0);
	assert_text(run_outcome(r), "exit 0, destroyed 2\n");
}

static void
test_run_inside_a_busy_runner_keeps_its_pod(void **state)
{
	struct run_world *r = *state;

	start_ending(r);
	r->worker = true;		/* while GitHub says idle: it lies */
	run_drive(r);
	assert_null(strstr(run_said(r), "github remove the runner"));
	assert_int_equal(r->w.pods.n, 1);
	assert_int_equal(r->runners.n, 1);
	assert_int_equal(run_summary(r->run)->exit_code, 10);
	assert_int_equal(run_summary(r->run)->failures.items[0].failure,
	    FAIL_BUSY);
}

/* GitHub gave it a job just before it removed it, and the look after that
 * came before its worker. */
static void
test_run_inside_a_job_that_shows_when_it_is_stopped_keeps_its_pod(
    void **state)
{
	struct run_world *r = *state;

	start_ending(r);
	for (int i = 0; i < 200; i++)
		run_ssh_lie(r, SSH_RUNNER_STOP, 0,
		    ssh_exits(SSH_STATUS_HAS_JOB, "worker=1\n"));
	run_drive(r);
	assert_non_null(strstr(run_said(r), "github remove the runner\n"));
	assert_int_equal(r->w.pods.n, 1);
	assert_int_equal(run_summary(r->run)->exit_code, 10);
}

static void
test_run_inside_a_stop_without_an_answer_is_tried_again(void **state)
{
	struct run_world *r = *state;

	start_ending(r);
	run_ssh_lie(r, SSH_RUNNER_STOP, 0, (struct ssh_answer){
		.outcome = SSH_LOST, .reason = STR("cut"), .status = -1 });
	run_drive(r);
	const char *stop = strstr(run_said(r), "runner-stop");
	assert_non_null(stop);
	assert_non_null(strstr(stop + 1, "runner-stop"));
	assert_text(run_outcome(r), "exit 0, destroyed 2\n");
}

static void
test_run_inside_whatever_is_not_clear_means_busy(void **state)
{
	static const enum cloud_reason reasons[] = { REASON_BUSY,
		REASON_RATE_LIMITED, REASON_FORBIDDEN, REASON_TRANSIENT };
	struct run_world *r = *state;

	for (size_t i = 0; i < COUNTOF(reasons); i++) {
		run_release(r);
		setup(state);
		start_ending(r);
		for (int j = 0; j < 200; j++)
			run_github_lie(r, GITHUB_DELETE_RUNNER, 0, false,
			    github_says(reasons[i] == REASON_TRANSIENT
				? OUTCOME_UNKNOWN
				: OUTCOME_NO_EFFECT, reasons[i]));
		run_drive(r);
		assert_int_equal(r->w.pods.n, 1);
		assert_int_equal(run_summary(r->run)->exit_code, 10);
	}
}

static void
test_run_inside_a_job_that_ends_frees_the_pod(void **state)
{
	struct run_world *r = *state;

	start_ending(r);
	r->worker = true;
	for (int i = 0; i < 40; i++)
		run_step(r);
	r->worker = false;
	run_drive(r);
	assert_int_equal(r->w.pods.n, 0);
	assert_int_equal(run_summary(r->run)->exit_code, 0);
}

static void
test_run_inside_force_ends_a_busy_runner(void **state)
{
	struct run_world *r = *state;

	r->options.force = true;
	start_ending(r);
	r->worker = true;
	r->runners.items[0].busy = true;
	run_drive(r);
	assert_int_equal(r->w.pods.n, 0);
	assert_non_null(world_entry(&r->w, "runner.ci"));
}

static void
test_run_inside_a_signal_leaves_a_drained_runner_in_peace(void **state)
{
	struct run_world *r = *state;

	start_ending(r);
	r->worker = true;
	for (int i = 0; i < 20; i++)
		run_step(r);
	run_signal(r);
	run_drive(r);
	assert_int_equal(r->w.pods.n, 1);
	assert_int_equal(r->w.lock.pending.n, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, run_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_inside_does_all_steps_once_and_records_them),
		TEST(test_run_inside_trusts_on_first_use_without_a_log),
		TEST(test_run_inside_sends_nothing_to_a_wrong_host_key),
		TEST(test_run_inside_waits_for_logins_and_checks),
		TEST(test_run_inside_a_check_that_never_succeeds_fails_in_time),
		TEST(test_run_inside_a_step_is_given_again_when_the_connection_broke),
		TEST(test_run_inside_rolls_back_as_on_failure_and_backup_say),
		TEST(test_run_inside_a_signal_cuts_a_step_off),
		TEST(test_run_inside_opens_and_undoes_tunnels),
		TEST(test_run_inside_closes_tunnels_whose_wait_was_cut_off),
		TEST(test_run_inside_brings_a_runner_online),
		TEST(test_run_inside_a_persistent_runner_registers_itself),
		TEST(test_run_inside_what_registered_itself_is_removed_again),
		TEST(test_run_inside_what_did_not_register_leaves_no_open_op),
		TEST(test_run_inside_a_pod_that_may_have_a_job_is_left),
		TEST(test_run_inside_a_job_shows_that_the_runner_was_started),
		TEST(test_run_inside_a_lost_registration_is_found_and_made_again),
		TEST(test_run_inside_a_runner_never_online_goes_before_its_pod),
		TEST(test_run_inside_an_idle_runner_is_looked_at_twice),
		TEST(test_run_inside_a_busy_runner_keeps_its_pod),
		TEST(test_run_inside_a_job_that_shows_when_it_is_stopped_keeps_its_pod),
		TEST(test_run_inside_a_stop_without_an_answer_is_tried_again),
		TEST(test_run_inside_whatever_is_not_clear_means_busy),
		TEST(test_run_inside_a_job_that_ends_frees_the_pod),
		TEST(test_run_inside_force_ends_a_busy_runner),
		TEST(test_run_inside_a_signal_leaves_a_drained_runner_in_peace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
