/*
 * test_run_login.c - logging in and checks: each kind of answer, how long is
 * waited, and which key is trusted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"
#include "base/units.h"
#include "run_world.h"

#define KEY "SHA256:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSdM"

/* ---------------------------------------------------------------- login -- */

static void
test_run_inside_reads_the_log_before_the_first_login(void **state)
{
	/* Is a key recorded, has the log been read: what is done. */
	static const enum run_effect_type wanted[2][2] = {
		{ RUN_REQUEST, RUN_SSH }, { RUN_SSH, RUN_SSH },
	};
	struct act_world *f = *state;
	struct str by_log = STR("SHA256:of-the-log");

	for (int i = 0; i < 4; i++) {
		bool recorded = i / 2, looked = i % 2;
		act_begin(f, ACTION_POD_LOGIN, "");
		f->subject.inside_known = true;
		f->subject.inside.start = f->change.pod->started_at;
		if (recorded)
			f->subject.inside.host_key = STR("k");
		f->act.looked = looked;
		f->act.pins = &by_log;
		f->act.npins = 1;
		login_start(&f->run, &f->act);
		struct run_effect effect = act_effect(f,
		    wanted[recorded][looked]);
		if (effect.type == RUN_REQUEST) {
			assert_int_equal(effect.request.op, CLOUD_GET_LOG);
			assert_true(str_is(effect.request.id, "p1"));
			assert_int_equal(effect.request.tail, 200);
			assert_true(effect.request.enough.len > 0);
			assert_int_equal(effect.timeout_ms, 10000);
			assert_true(str_is(f->act.reason,
			    "looking for its host key in its log"));
			continue;
		}
		assert_int_equal(effect.ssh.task, SSH_LOGIN);
		assert_int_equal(effect.ssh.timeout_ms, 30000);
		assert_true(str_is(f->act.reason, "logging in"));
		/* The record's key counts, not what a log says later. */
		assert_int_equal(effect.ssh.target.npins, 1);
		assert_true(str_is(effect.ssh.target.pins[0], recorded ? "k"
			: "SHA256:of-the-log"));
	}
}

static void
test_run_inside_needs_a_port_to_log_in(void **state)
{
	static void (*const starts[])(struct run *, struct act *) = {
		login_start, check_start, setup_start, process_start,
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(starts); i++) {
		act_begin(f, ACTION_POD_LOGIN, "");
		f->pod.ssh.port = 0;
		starts[i](&f->run, &f->act);
		assert_act_failed(f, FAIL_INSIDE, "pod.a has no SSH port: it "
		    "needs 22/tcp in its ports; if it has that and stays so: "
		    "podform apply --replace pod.a");
	}
}

/* The time to get ready counts from when the pod was first waited for. */
static void
test_run_inside_login_has_the_time_of_its_pod(void **state)
{
	struct act_world *f = *state;

	act_begin(f, ACTION_POD_LOGIN, "");
	login_start(&f->run, &f->act);
	assert_int_equal(f->act.deadline_ms, 5000 + 600000);
	act_begin(f, ACTION_POD_LOGIN, "");
	f->subject.wait_ms = 1;
	login_start(&f->run, &f->act);
	assert_int_equal(f->act.deadline_ms, 1 + 600000);
	act_begin(f, ACTION_POD_LOGIN, ", ready: { timeout: 3m }");
	f->subject.wait_ms = 2000;
	login_start(&f->run, &f->act);
	assert_int_equal(f->act.deadline_ms, 2000 + 180000);
	/* A second try does not begin it anew. */
	f->run.now_ms = 90000;
	f->subject.wait_ms = 80000;
	login_start(&f->run, &f->act);
	assert_int_equal(f->act.deadline_ms, 2000 + 180000);
}

static const struct {
	enum cloud_outcome outcome;
	enum cloud_reason reason;
	bool has_key;
	int64_t retry_after_ms;
	int64_t pauses[6];		/* -1: it logs in */
} logs[] = {
	{ OUTCOME_OK, REASON_NONE, true, 0, { -1 } },
	{ OUTCOME_OK, REASON_NONE, false, 0, { 500, 1000, 2000, 3000, -1 } },
	{ OUTCOME_UNKNOWN, REASON_TRANSIENT, true, 0,
	  { 500, 1000, 2000, 3000, -1 } },
	{ OUTCOME_NOT_SENT, REASON_TRANSIENT, false, 0,
	  { 500, 1000, 2000, 3000, -1 } },
	{ OUTCOME_NO_EFFECT, REASON_RATE_LIMITED, false, 1500,
	  { 1500, 1500, 2000, 3000, -1 } },
	/* Refused for good: no use to ask again. */
	{ OUTCOME_NO_EFFECT, REASON_FORBIDDEN, false, 0, { -1 } },
	{ OUTCOME_NO_EFFECT, REASON_NOT_FOUND, true, 0, { -1 } },
};

static void
test_run_inside_waits_for_the_log_a_little(void **state)
{
	struct act_world *f = *state;
	struct log_line line = { .time = STR("2026-11-21T09:00:01Z"),
		.text = STR("256 " KEY " root@x (ED25519)") };

	for (size_t i = 0; i < COUNTOF(logs); i++) {
		const struct cloud_answer answer = {
			.outcome = logs[i].outcome, .reason = logs[i].reason,
			.retry_after_ms = logs[i].retry_after_ms,
			.lines = &line, .nlines = logs[i].has_key };
		act_begin(f, ACTION_POD_LOGIN, "");
		size_t n = 0;
		for (;; n++) {
				act_asked(f);
			login_answer(&f->run, &f->act, &answer);
			if (logs[i].pauses[n] == -1)
				break;
			assert_false(f->act.looked);
			assert_act_waits(f, logs[i].pauses[n]);
		}
		struct ssh_request ssh = act_effect(f, RUN_SSH).ssh;
		assert_int_equal(ssh.task, SSH_LOGIN);
		assert_true(f->act.looked);
		assert_int_equal(f->act.tries, 0);
		bool believed = logs[i].outcome == OUTCOME_OK &&
		    logs[i].has_key;
		assert_int_equal(ssh.target.npins, believed);
		if (believed)
			assert_true(str_is(ssh.target.pins[0], KEY));
	}
}

/* Its first start is not over: tried until the pod's time is up. */
static void
test_run_inside_logs_in_until_the_time_is_up(void **state)
{
	static const enum ssh_outcome coming[] = { SSH_UNREACHABLE, SSH_LOST,
		SSH_TIMED_OUT };
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(coming); i++) {
		const struct ssh_answer answer = ssh_cut(coming[i], "why");
		act_begin(f, ACTION_POD_LOGIN, "");
		f->act.deadline_ms = 60000;
		for (int64_t n = 1; n <= 7; n++) {
				act_asked(f);
			login_ssh(&f->run, &f->act, &answer);
			assert_act_waits(f, (n < 5 ? n : 5) * SECOND_MS);
			assert_true(str_is(f->act.reason,
			    "cannot log in yet: why"));
		}
		assert_true(act_effect(f, RUN_NOTE).note.news);
		assert_no_effect(f);
		act_asked(f);
		f->run.now_ms = 60000;
		login_ssh(&f->run, &f->act, &answer);
		assert_act_failed(f, FAIL_TIMEOUT, "no login in time: why");
	}
	act_begin(f, ACTION_POD_LOGIN, "");
	f->act.deadline_ms = 60000;
	const struct ssh_answer denied = ssh_cut(SSH_DENIED, "why");
	login_ssh(&f->run, &f->act, &denied);
	assert_act_failed(f, FAIL_INSIDE, "none of our keys is accepted at "
	    "192.0.2.1:22: why");
}

static void
test_run_inside_pins_a_key_once(void **state)
{
	struct act_world *f = *state;
	struct ssh_answer answer = ssh_exits(0, "");
	struct str pins[] = { STR(KEY) };

	for (unsigned by_log = 0; by_log < 2; by_log++) {
		act_begin(f, ACTION_POD_LOGIN, "");
		answer.fingerprint = STR("k");
		f->act.pins = pins;
		f->act.npins = by_log;
		login_ssh(&f->run, &f->act, &answer);
		if (!by_log)
			assert_true(str_is(act_effect(f, RUN_NOTE).note.text,
			    "its log shows no host key, so k is "
			    "trusted on first use"));
		struct lock_inside inside = act_fact_of(f);
		assert_true(str_is(inside.host_key, "k"));
		assert_true(str_is(inside.host_key_by, by_log ? "log"
			: "first use"));
	}
	/* One that has been pinned stays. */
	act_begin(f, ACTION_POD_LOGIN, "");
	f->subject.inside_known = true;
	f->subject.inside.start = f->change.pod->started_at;
	f->subject.inside.host_key = STR(KEY);
	login_ssh(&f->run, &f->act, &answer);
	assert_int_equal(f->act.phase, PH_DONE);
	/* No key was seen: there is none to pin. */
	act_begin(f, ACTION_POD_LOGIN, "");
	answer.fingerprint = (struct str){0};
	login_ssh(&f->run, &f->act, &answer);
	assert_int_equal(f->act.phase, PH_DONE);
	assert_int_equal(act_effect(f, RUN_NOTE).note.type, NOTE_ACTION_DONE);
	assert_no_effect(f);
}

/* --------------------------------------------------------------- checks -- */

#define CHECKS ", ready: { checks: [one, two, three], timeout: 10m }"

static void
test_run_inside_a_check_has_a_minute_of_the_time_that_is_left(void **state)
{
	static const struct { int64_t passed_ms, timeout_ms; } rows[] = {
		{ 0, 60000 }, { 539000, 60000 }, { 541000, 59000 },
		{ 594000, 6000 }, { 599000, 5000 }, { 700000, 5000 },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		act_begin(f, ACTION_POD_CHECK, CHECKS);
		f->act.step = 1;
		f->subject.wait_ms = 5000;
		f->run.now_ms = 5000 + rows[i].passed_ms;
		check_start(&f->run, &f->act);
		struct ssh_request ssh = act_effect(f, RUN_SSH).ssh;
		assert_int_equal(ssh.task, SSH_RUN);
		assert_true(str_is(ssh.name, "check"));
		assert_true(str_is(ssh.script, "two"));
		assert_int_equal(ssh.timeout_ms, rows[i].timeout_ms);
		assert_int_equal(f->act.span.line, 3);
		/* From now on the pod holds work of the user's. */
		assert_true(f->subject.user_ran);
	}
}

static void
test_run_inside_the_last_check_makes_it_ready(void **state)
{
	const struct ssh_answer ok = ssh_exits(0, "");
	struct act_world *f = *state;

	act_begin(f, ACTION_POD_CHECK, CHECKS);
	for (int i = 0; i < 2; i++) {
		act_renew(f, ACTION_POD_CHECK);
		check_ssh(&f->run, &f->act, &ok);
		assert_int_equal(f->act.phase, PH_DONE);
		assert_false(f->subject.inside.checked);
	}
	act_renew(f, ACTION_POD_CHECK);
	check_ssh(&f->run, &f->act, &ok);
	assert_true(act_fact_of(f).checked);
}

static const struct {
	struct ssh_answer answer;
	const char *words;		/* what is said while it goes on */
	enum run_failure failure;	/* else */
} checks[] = {
	{ { .outcome = SSH_DONE, .status = 1, .output = STR_INIT("a\nb\n") },
	  "check 2 of 3 fails: b", FAIL_NONE },
	{ { .outcome = SSH_DONE, .status = -1 }, "check 2 of 3 fails",
	  FAIL_NONE },
	{ { .outcome = SSH_LOST, .reason = STR_INIT("cut") },
	  "check 2 of 3 could not be run: cut", FAIL_NONE },
	{ { .outcome = SSH_TIMED_OUT, .reason = STR_INIT("slow") },
	  "check 2 of 3 could not be run: slow", FAIL_NONE },
	{ { .outcome = SSH_UNREACHABLE }, "check 2 of 3 could not be run",
	  FAIL_NONE },
	{ { .outcome = SSH_DENIED }, NULL, FAIL_INSIDE },
	{ { .outcome = SSH_WRONG_HOST_KEY }, NULL, FAIL_SUSPECT },
	{ { .outcome = SSH_UNUSABLE }, NULL, FAIL_INSIDE },
	{ { .outcome = SSH_LOCAL }, NULL, FAIL_INSIDE },
};

static void
test_run_inside_a_check_is_repeated_until_the_time_is_up(void **state)
{
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(checks); i++) {
		act_begin(f, ACTION_POD_CHECK, CHECKS);
		f->act.step = 1;
		f->act.deadline_ms = 60000;
		if (checks[i].words == NULL) {
			check_ssh(&f->run, &f->act, &checks[i].answer);
			assert_int_equal(f->act.phase, PH_FAILED);
			assert_int_equal(f->act.failure, checks[i].failure);
			continue;
		}
		for (int64_t n = 2; n <= 12; n++) {
				act_asked(f);
			check_ssh(&f->run, &f->act, &checks[i].answer);
			assert_act_waits(f, (n < 10 ? n : 10) * SECOND_MS);
			assert_text(arena_cstr(&f->w.arena, f->act.reason),
			    checks[i].words);
		}
		act_asked(f);
		f->run.now_ms = 60000;
		check_ssh(&f->run, &f->act, &checks[i].answer);
		assert_act_failed(f, FAIL_INSIDE, arena_printf(&f->w.arena,
		    "not ready in time: %s", checks[i].words).data);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_inside_reads_the_log_before_the_first_login),
		TEST(test_run_inside_needs_a_port_to_log_in),
		TEST(test_run_inside_login_has_the_time_of_its_pod),
		TEST(test_run_inside_waits_for_the_log_a_little),
		TEST(test_run_inside_logs_in_until_the_time_is_up),
		TEST(test_run_inside_pins_a_key_once),
		TEST(test_run_inside_a_check_has_a_minute_of_the_time_that_is_left),
		TEST(test_run_inside_the_last_check_makes_it_ready),
		TEST(test_run_inside_a_check_is_repeated_until_the_time_is_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
