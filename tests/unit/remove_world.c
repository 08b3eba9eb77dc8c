/* remove_world.c - see remove_world.h */
#include "remove_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

struct lock_entry remove_entry;
struct github_runner remove_seen;

void
remove_begin(struct act_world *f)
{
	act_begin(f, ACTION_RUNNER_REMOVE, "");
	remove_entry = (struct lock_entry){ .kind = KIND_RUNNER,
		.address = STR("runner.ci"), .id = STR("77"),
		.runner = { .repository = STR("acme/m"),
			.name = STR("ci-pf01"), .pod = STR("pod.a"),
			.pod_id = STR("p1"),
			.pod_start = STR(REMOVE_AT) } };
	remove_seen = (struct github_runner){ .id = 77, .name = STR("ci-pf01"),
		.online = true };
	f->change = (struct plan_change){ .kind = KIND_RUNNER,
		.address = STR("runner.ci"), .have = &remove_entry,
		.runner = &remove_seen, .host = &f->pod,
		.host_change = SIZE_MAX };
	f->act.phase = PH_QUEUED;
	f->run.inside_in_flight = 0;
	f->w.lock.entries.n = f->w.lock.pending.n = 0;
	f->w.lock.index = NULL;
	lock_add_entry(&f->w.lock, &remove_entry);
	f->w.live.npods = 0;
	f->run.busy_pods = f->run.runners_on = (struct map){0};
	f->run.scopes.n = 0;
	f->run.stopping = f->run.options.force = false;
	f->run.fatal = FAIL_NONE;
	f->run.options.drain_ms = f->run.options.idle_window_ms = 0;
}

void
remove_quiet(struct act_world *f)
{
	f->run.effects.n = f->run.effects_at = 0;
}

void
remove_journal(struct act_world *f)
{
	remove_start(&f->run, &f->act);
	assert_int_equal(f->act.phase, PH_INTENT);
	f->act.intended = true;
	remove_quiet(f);
	remove_journaled(&f->run, &f->act);
}

char
remove_does(struct act_world *f)
{
	struct run_effect effect;

	if (f->act.phase == PH_RUNNERS)
		return 'i';
	if (f->act.phase == PH_QUEUED)
		return 'w';
	if (f->act.phase == PH_RESULT) {
		do
			assert_true(run_next_effect(&f->run, &effect));
		while (effect.type != RUN_JOURNAL);
		assert_false(effect.record.adopted);
		return f->act.next == NEXT_FAIL ? 'n' : 'r';
	}
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
	assert_true(str_is(effect.ssh.name, effect.ssh.task == SSH_RUNNER_STOP
		? "runner stop" : "runner look"));
	if (effect.ssh.task == SSH_RUNNER_STOP)
		return effect.ssh.timeout_ms == MINUTE_MS ? 's' : '?';
	return effect.ssh.task == SSH_RUNNER_LOOK &&
	    effect.ssh.timeout_ms == 30 * SECOND_MS ? 'k' : '?';
}

const struct remove_look remove_looks[REMOVE_LOOKS] = {
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

void
remove_to_after(struct act_world *f)
{
	remove_begin(f);
	remove_journal(f);
	remove_ssh(&f->run, &f->act, &remove_looks[1].answer);
	f->act.clean = 1;
	f->act.ended_ms = f->run.now_ms - MINUTE_MS;
	const struct github_answer idle = { .outcome = OUTCOME_OK,
		.runners = &remove_seen, .nrunners = 1 };
	remove_listed(&f->run, &f->act, &idle);
	const struct github_answer yes = { .outcome = OUTCOME_OK };
	remove_github(&f->run, &f->act, &yes);
	assert_int_equal(f->act.phase, PH_ASKED);
	remove_quiet(f);
}
