/*
 * test_run_setup.c - setup steps and the process: what is asked for, what is
 * done again and what is recorded.
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

/* ---------------------------------------------------------------- setup -- */

#define STEPS ", env: { E: v }, setup: [{ run: one }, " \
	"{ copy: { from: data.bin, to: /d } }, { run: three }]"

static void
test_run_inside_a_step_is_a_script_or_a_copy(void **state)
{
	struct act_world *f = *state;

	f->run.options.log_dir = STR("l");
	act_begin(f, ACTION_POD_SETUP, STEPS);
	setup_start(&f->run, &f->act);
	struct ssh_request ssh = act_effect(f, RUN_SSH).ssh;
	assert_int_equal(ssh.task, SSH_RUN);
	assert_true(str_is(ssh.name, "setup 1"));
	assert_true(str_is(ssh.script, "one"));
	assert_int_equal(ssh.nenv, 1);
	assert_true(str_is(ssh.env[0].value, "v"));
	assert_int_equal(ssh.timeout_ms, 30 * MINUTE_MS);
	assert_true(str_is(ssh.keep, "l/pod.a/setup.log"));
	assert_true(str_is(f->act.kept, "l/pod.a/setup.log"));
	assert_true(str_is(f->act.reason, "setup step 1 of 3"));
	assert_int_equal(f->act.span.line, 3);
	assert_true(f->subject.user_ran);

	/* A copy is work of the user's, too. */
	act_begin(f, ACTION_POD_SETUP, STEPS);
	f->run.options.log_dir = (struct str){0};
	f->act.step = 1;
	f->subject.inside_known = true;
	f->subject.inside = (struct lock_inside){
		.start = f->change.pod->started_at,
		.steps = f->change.inside.steps, .nsteps = 1 };
	setup_start(&f->run, &f->act);
	ssh = act_effect(f, RUN_SSH).ssh;
	assert_int_equal(ssh.task, SSH_COPY);
	assert_true(str_is(ssh.name, "setup 2"));
	assert_true(str_is(ssh.from, "data.bin"));
	assert_true(str_is(ssh.to, "/d"));
	assert_int_equal(ssh.keep.len, 0);
	assert_true(f->subject.user_ran);
}

/* A step that is due, of those up to the act's own; by what is done. */
static void
test_run_inside_does_first_what_the_container_lacks(void **state)
{
	static const struct {
		const char *done[3];
		size_t step;
		const char *name;
		bool last;		/* the act is done with it */
	} rows[] = {
		{ { NULL }, 0, "setup 1", true },
		{ { NULL }, 2, "setup 1", false },
		{ { "d0" }, 2, "setup 2", false },
		{ { "d0", "d1" }, 2, "setup 3", true },
		{ { "other" }, 2, "setup 1", false },
		{ { "d0", "other", "d2" }, 2, "setup 2", false },
		/* Its own is asked for: it is done, whatever is recorded. */
		{ { "d0", "d1", "d2" }, 2, "setup 3", true },
		{ { "d0", "d1", "d2" }, 0, "setup 1", true },
	};
	struct act_world *f = *state;
	const struct ssh_answer ok = ssh_exits(0, "");

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		act_begin(f, ACTION_POD_SETUP, STEPS);
		f->act.step = rows[i].step;
		struct str done[3];
		size_t n = 0;
		for (; n < 3 && rows[i].done[n] != NULL; n++)
			done[n] = str_from(rows[i].done[n]);
		f->subject.inside_known = true;
		f->subject.inside = (struct lock_inside){
			.start = f->change.pod->started_at,
			.steps = done, .nsteps = n };
		setup_start(&f->run, &f->act);
		struct ssh_request ssh = act_effect(f, RUN_SSH).ssh;
		assert_text(arena_cstr(&f->w.arena, ssh.name), rows[i].name);
		setup_ssh(&f->run, &f->act, &ok);
		size_t due = (size_t)(ssh.name.data[6] - '0');
		if (rows[i].last) {
			struct lock_inside inside = act_fact_of(f);
			assert_int_equal(inside.nsteps, due);
			assert_true(str_is(inside.steps[due - 1],
			    arena_printf(&f->w.arena, "d%zu", due - 1).data));
			continue;
		}
		assert_act_waits(f, 0);
		assert_int_equal(f->subject.inside.nsteps, due);
		assert_no_effect(f);
	}
}

/* The service never says when a container has started: what is recorded of
 * it is not done again, and no other host key is trusted. */
static void
test_run_inside_believes_a_record_without_a_time(void **state)
{
	struct act_world *f = *state;

	act_begin(f, ACTION_POD_SETUP, STEPS);
	f->pod.started_at = (struct str){0};
	lock_add_entry(&f->w.lock, &(struct lock_entry){ .kind = KIND_POD,
		.address = STR("pod.a"), .id = STR("p1"),
		.inside = { .host_key = STR(KEY),
			.steps = f->change.inside.steps, .nsteps = 2 } });
	f->act.step = 2;
	setup_start(&f->run, &f->act);
	struct ssh_request ssh = act_effect(f, RUN_SSH).ssh;
	assert_true(str_is(ssh.name, "setup 3"));
	assert_int_equal(ssh.target.npins, 1);
	assert_true(str_is(ssh.target.pins[0], KEY));
}

static void
test_run_inside_a_step_fails_or_is_given_again(void **state)
{
	static const struct {
		enum ssh_outcome outcome;
		int status;
		int64_t took_ms;
		enum run_failure failure;	/* FAIL_NONE: again in 2 s */
		const char *why;
	} rows[] = {
		{ SSH_DONE, 3, 1000, FAIL_INSIDE,
		  "setup step 1 of 3 exited with 3: no wheel" },
		{ SSH_LOST, -1, 1000, FAIL_NONE, "cut" },
		{ SSH_UNREACHABLE, -1, 1000, FAIL_NONE, "cut" },
		{ SSH_TIMED_OUT, -1, 30 * MINUTE_MS - 1, FAIL_NONE, "cut" },
		/* A second half of an hour would not help. */
		{ SSH_TIMED_OUT, -1, 30 * MINUTE_MS, FAIL_INSIDE,
		  "setup step 1 of 3 took longer than 30m" },
		{ SSH_LOST, -1, 30 * MINUTE_MS, FAIL_NONE, "cut" },
		{ SSH_LOCAL, -1, 1000, FAIL_INSIDE, "cut" },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct ssh_answer answer = { .outcome = rows[i].outcome,
			.status = rows[i].status, .reason = STR("cut"),
			.output = STR("no wheel") };
		act_begin(f, ACTION_POD_SETUP, STEPS);
		f->act.phase_ms = 5000;
		f->run.now_ms += rows[i].took_ms;
		setup_ssh(&f->run, &f->act, &answer);
		assert_text(arena_cstr(&f->w.arena, f->act.reason),
		    rows[i].why);
		assert_int_equal(f->act.failure, rows[i].failure);
		if (rows[i].failure == FAIL_NONE)
			assert_act_waits(f, 2000);
		assert_int_equal(f->subject.inside.nsteps, 0);
	}
}

/* -------------------------------------------------------------- process -- */

#define PROCESS ", env: { E: v }, process: { run: serve, log: /l }"

static void
test_run_inside_a_process_is_started_and_recorded(void **state)
{
	const struct ssh_answer ok = ssh_exits(0, "");
	struct act_world *f = *state;

	act_begin(f, ACTION_POD_PROCESS, PROCESS);
	process_start(&f->run, &f->act);
	struct ssh_request ssh = act_effect(f, RUN_SSH).ssh;
	assert_int_equal(ssh.task, SSH_PROCESS);
	assert_true(str_is(ssh.name, "process"));
	assert_true(str_is(ssh.script, "serve"));
	assert_true(str_is(ssh.log, "/l"));
	assert_int_equal(ssh.nenv, 1);
	assert_int_equal(ssh.timeout_ms, 2 * MINUTE_MS);
	assert_int_equal(f->act.span.line, 3);
	process_ssh(&f->run, &f->act, &ok);
	assert_true(str_is(act_fact_of(f).process, "dp"));
}

static void
test_run_inside_a_process_that_does_not_start_is_not_recorded(void **state)
{
	const struct ssh_answer bad = ssh_exits(2, "not found\n");
	const struct ssh_answer lost = ssh_cut(SSH_LOST, "why");
	struct act_world *f = *state;

	act_begin(f, ACTION_POD_PROCESS, PROCESS);
	process_ssh(&f->run, &f->act, &bad);
	assert_act_failed(f, FAIL_INSIDE,
	    "starting the process exited with 2: not found");
	assert_int_equal(f->subject.inside.process.len, 0);
	act_begin(f, ACTION_POD_PROCESS, PROCESS);
	process_ssh(&f->run, &f->act, &lost);
	assert_act_waits(f, 2000);
	assert_int_equal(f->subject.inside.process.len, 0);
}

/* What a script names, and what its environment does, has to be known; else
 * nothing runs. */
static void
test_run_inside_runs_nothing_with_a_value_missing(void **state)
{
	static const struct {
		enum action_kind kind;
		void (*start)(struct run *, struct act *);
		const char *spec, *why;
	} rows[] = {
		{ ACTION_POD_CHECK, check_start,
		  ", ready: { checks: [\"a ${secret.LOST}\"] }",
		  "it cannot be filled in: a secret has no value" },
		{ ACTION_POD_SETUP, setup_start,
		  ", setup: [{ run: \"a ${secret.LOST}\" }]",
		  "it cannot be filled in: a secret has no value" },
		{ ACTION_POD_PROCESS, process_start,
		  ", process: { run: \"a ${secret.LOST}\" }",
		  "it cannot be filled in: a secret has no value" },
		{ ACTION_POD_CHECK, check_start, ", ready: { checks: [a] }, "
		  "env: { E: \"${secret.LOST}\" }",
		  "the value of env E is not known: a secret has no value" },
	};
	struct act_world *f = *state;

	f->run.options.log_dir = STR("logs");
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		act_begin(f, rows[i].kind, rows[i].spec);
		rows[i].start(&f->run, &f->act);
		assert_act_failed(f, FAIL_ERROR, rows[i].why);
		assert_false(f->subject.user_ran);
		assert_int_equal(act_effect(f, RUN_NOTE).note.type,
		    NOTE_ACTION_ERROR);
		assert_no_effect(f);
		/* Nothing was kept of it, so no file is named. */
		assert_int_equal(f->act.kept.len, 0);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_inside_a_step_is_a_script_or_a_copy),
		TEST(test_run_inside_does_first_what_the_container_lacks),
		TEST(test_run_inside_believes_a_record_without_a_time),
		TEST(test_run_inside_a_step_fails_or_is_given_again),
		TEST(test_run_inside_a_process_is_started_and_recorded),
		TEST(test_run_inside_a_process_that_does_not_start_is_not_recorded),
		TEST(test_run_inside_runs_nothing_with_a_value_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
