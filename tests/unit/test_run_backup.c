/*
 * test_run_backup.c - before a rollback ends a pod of the user's: only a
 * clear yes of its backup.check ends it, anything else stops it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"
#include "run_world.h"

/* A backup check of pod.a, which some undo waits for. */
static void
begin(struct act_world *f, struct act *end, const char *env,
    const char *check)
{
	act_begin(f, ACTION_POD_BACKUP, arena_printf(&f->w.arena,
	    ", env: { E: \"%s\" }, backup: { check: \"%s\" }", env,
	    check).data);
	*end = (struct act){ .kind = ACTION_POD_DELETE, .index = 1,
		.change = &f->change, .subject = &f->subject, .undo = true,
		.component = SIZE_MAX, .waits = 1 };
	f->act.ends = end;
	*ARENA_PUSH(&f->w.arena, &f->act.unblocks) = end;
}

static void
assert_stopped(struct act_world *f, const struct act *end, const char *why)
{
	struct run_effect effect = act_effect(f, RUN_NOTE);

	assert_int_equal(effect.note.type, NOTE_PROGRESS);
	assert_text(arena_cstr(&f->w.arena, effect.note.text), why);
	assert_int_equal(f->act.phase, PH_DONE);
	assert_int_equal(end->kind, ACTION_POD_STOP);
	assert_int_equal(end->phase, PH_QUEUED);
	assert_int_equal(f->run.summary.failures.n, 0);
}

static void
test_run_backup_is_asked_with_the_environment_of_its_pod(void **state)
{
	struct act_world *f = *state;
	struct act end;

	begin(f, &end, "${secret.KNOWN}", "test -e /s");
	backup_start(&f->run, &f->act);
	struct ssh_request ssh = act_effect(f, RUN_SSH).ssh;
	assert_int_equal(ssh.task, SSH_RUN);
	assert_true(str_is(ssh.name, "backup check"));
	assert_true(str_is(ssh.script, "test -e /s"));
	assert_int_equal(ssh.timeout_ms, 600000);
	assert_int_equal(ssh.nenv, 1);
	assert_true(str_is(ssh.env[0].name, "E"));
	assert_true(str_is(ssh.env[0].value, "hunter2-hunter2"));
	assert_int_equal(f->act.span.line, 3);
	assert_int_equal(end.phase, PH_WAITING);
	assert_no_effect(f);
}

static void
test_run_backup_that_cannot_be_asked_stops_its_pod(void **state)
{
	static const char why[] = "its backup.check cannot be asked; it is "
	    "stopped, not terminated";
	struct act_world *f = *state;
	struct act end;

	for (int i = 0; i < 4; i++) {
		begin(f, &end, i == 0 ? "${secret.LOST}" : "v",
		    i == 1 ? "test ${secret.LOST}" : "true");
		if (i == 2)
			f->pod.ssh.port = 0;
		if (i == 3)
			f->change.want = NULL;
		backup_start(&f->run, &f->act);
		assert_stopped(f, &end, why);
	}
}

static void
test_run_backup_ends_its_pod_by_a_clear_yes_alone(void **state)
{
	static const char no[] = "its backup.check says no; it is stopped, "
	    "not terminated";
	static const char silent[] = "its backup.check could not be asked; it "
	    "is stopped, not terminated";
	static const struct {
		enum ssh_outcome outcome;
		int status;
		const char *why;	/* it is stopped; NULL: it may end */
	} rows[] = {
		{ SSH_DONE, 0, NULL }, { SSH_DONE, 1, no },
		{ SSH_DONE, -1, no }, { SSH_UNREACHABLE, 0, silent },
		{ SSH_DENIED, 0, silent }, { SSH_WRONG_HOST_KEY, 0, silent },
		{ SSH_UNUSABLE, 0, silent }, { SSH_LOST, 0, silent },
		{ SSH_TIMED_OUT, 0, silent }, { SSH_LOCAL, 0, silent },
	};
	struct act_world *f = *state;
	struct act end;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct ssh_answer answer = { .outcome = rows[i].outcome,
			.status = rows[i].status, .reason = STR("cut") };
		begin(f, &end, "v", "true");
		backup_ssh(&f->run, &f->act, &answer);
		if (rows[i].why != NULL) {
			assert_stopped(f, &end, rows[i].why);
			continue;
		}
		assert_int_equal(act_effect(f, RUN_NOTE).note.type,
		    NOTE_ACTION_DONE);
		assert_int_equal(f->act.phase, PH_DONE);
		assert_int_equal(end.kind, ACTION_POD_DELETE);
		assert_int_equal(end.phase, PH_QUEUED);
	}
}

/* Its secret was revoked after the setup had begun: a rollback cannot ask,
 * and leaves neither a pod that bills nor an end without a question. */
static bool
revoked(void *ctx, struct arena *arena, struct str reference,
    struct str *value)
{
	struct run_world *r = ctx;

	(void)arena;
	(void)reference;
	*value = STR("hunter2-hunter2");
	return r->ssh_scripts.n > 0;
}

static void
test_run_backup_without_its_secret_stops_the_pod(void **state)
{
	struct run_world *r = *state;

	r->options.resolve = revoked;
	r->options.resolve_ctx = r;
	run_ssh_lie(r, SSH_RUN, 0, ssh_exits(3, "no wheel\n"));
	world_spec(&r->w, "secrets: { S: { env: S } }\n"
	    "pods: { a: { image: x:1, gpu: A40, ports: [22/tcp], "
	    "env: { E: \"${secret.S}\" }, setup: [{ run: pip }], "
	    "backup: { check: \"true\" } } }\n");
	run_start(r);
	run_drive(r);
	assert_non_null(strstr(run_said(r), "progress undo-backup pod.a: its "
	    "backup.check cannot be asked; it is stopped, not terminated\n"));
	assert_int_equal(r->w.pods.items[0].status, POD_EXITED);
	assert_int_equal(run_summary(r->run)->exit_code, 10);
	assert_int_equal(r->w.lock.pending.n, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_backup_is_asked_with_the_environment_of_its_pod),
		TEST(test_run_backup_that_cannot_be_asked_stops_its_pod),
		TEST(test_run_backup_ends_its_pod_by_a_clear_yes_alone),
		cmocka_unit_test_setup_teardown(
		    test_run_backup_without_its_secret_stops_the_pod,
		    run_setup, run_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
