/*
 * test_run_undo_order.c - which actions belong together, what is undone of
 * them, and what each undo comes after.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"
#include "run/act.h"

struct desk {
	struct arena arena;
	struct lock lock;
	struct plan plan;
	struct run_options options;
	struct run *run;
	struct cloud_pod pod;
	struct pod_spec spec;
	struct resource want;
};

static void
ones(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 1, n);
}

static int
desk_setup(void **state)
{
	static struct desk d;

	memset(&d, 0, sizeof d);
	d.lock.arena = &d.arena;
	d.plan.lock = &d.lock;
	d.options.chance = (struct chance){ NULL, ones };
	d.want = (struct resource){ .kind = KIND_POD, .pod = &d.spec };
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

static struct plan_change *
change(struct desk *d, enum kind kind, const char *address, size_t host)
{
	struct plan_change *made = ARENA_PUSH(&d->arena, &d->plan.changes);

	*made = (struct plan_change){ .kind = kind,
		.address = str_from(address), .host_change = host,
		.pod = &d->pod, .on_failure = ON_FAILURE_TERMINATE,
		.want = &d->want };
	return made;
}

/* An action of that change (or none: SIZE_MAX), after another (or none). */
static void
action(struct desk *d, enum action_kind kind, size_t of, size_t after)
{
	struct plan_action *made = ARENA_PUSH(&d->arena, &d->plan.actions);

	made->kind = kind;
	made->change = of;
	if (after != SIZE_MAX)
		*ARENA_PUSH(&d->arena, &made->after) = after;
}

static void
make(struct desk *d)
{
	d->run = run_new(&d->arena, &d->plan, &d->lock, &d->options);
}

/* -------------------------------------------------------------- parts ---- */

/* "0 0 2 -": of each action the first one of its part. */
static const char *
parts(struct desk *d)
{
	struct str text = STR("");

	make(d);
	for (size_t i = 0; i < d->run->acts.n; i++) {
		size_t part = d->run->acts.items[i]->component;
		text = part == SIZE_MAX
		    ? arena_printf(&d->arena, STR_FMT "- ", STR_ARG(text))
		    : arena_printf(&d->arena, STR_FMT "%zu ", STR_ARG(text),
			  part);
	}
	return text.data;
}

static void
test_run_parts_are_what_depends_on_one_another(void **state)
{
	struct desk *d = *state;

	change(d, KIND_POD, "pod.a", SIZE_MAX);
	change(d, KIND_POD, "pod.b", SIZE_MAX);
	change(d, KIND_POD, "pod.c", SIZE_MAX);
	change(d, KIND_VOLUME, "volume.v", SIZE_MAX);
	action(d, ACTION_POD_CREATE, 0, SIZE_MAX);
	action(d, ACTION_VOLUME_CREATE, 3, SIZE_MAX);
	action(d, ACTION_POD_CREATE, 1, 1);		/* after the volume */
	action(d, ACTION_POD_RUNNING, 0, 0);
	action(d, ACTION_POD_RUNNING, 1, SIZE_MAX);	/* by its change */
	action(d, ACTION_BARRIER, SIZE_MAX, 3);
	*ARENA_PUSH(&d->arena, &d->plan.actions.items[5].after) = 4;
	action(d, ACTION_POD_DELETE, 2, 5);		/* after all: its own */
	assert_text(parts(d), "0 1 1 0 1 - 6 ");
	d->options.atomic = true;
	assert_text(parts(d), "0 0 0 0 0 - 0 ");
}

/* Joined late, by the last of them, from whichever side. */
static void
test_run_parts_grow_together(void **state)
{
	struct desk *d = *state;

	for (size_t i = 0; i < 6; i++) {
		change(d, KIND_POD, "pod.a", SIZE_MAX);
		action(d, ACTION_POD_CREATE, i, SIZE_MAX);
	}
	assert_text(parts(d), "0 1 2 3 4 5 ");
	*ARENA_PUSH(&d->arena, &d->plan.actions.items[5].after) = 4;
	*ARENA_PUSH(&d->arena, &d->plan.actions.items[3].after) = 2;
	assert_text(parts(d), "0 1 2 2 4 4 ");
	*ARENA_PUSH(&d->arena, &d->plan.actions.items[5].after) = 3;
	assert_text(parts(d), "0 1 2 2 2 2 ");
	*ARENA_PUSH(&d->arena, &d->plan.actions.items[4].after) = 0;
	assert_text(parts(d), "0 1 0 0 0 0 ");
}

/* --------------------------------------------------------------- order --- */

/* All is done and has changed something, but for the last, which failed;
 * "stop pod.a < remove runner.r" a line for each undo. */
static const char *
undone(struct desk *d)
{
	struct str text = STR("");
	struct run *run = d->run;
	size_t n = run->acts.n;

	for (size_t i = 0; i < n; i++) {
		struct act *act = run->acts.items[i];
		if (act->component == SIZE_MAX)
			continue;
		act->effected = i + 1 < n;
		act_phase(run, act, i + 1 < n ? PH_DONE : PH_FAILED);
		run->failed_component[act->component] |= i + 1 == n;
	}
	*ARENA_PUSH(&d->arena, &run->summary.failures) =
	    (struct run_failed){0};
	undo_pump(run);
	for (size_t i = n; i < run->acts.n; i++) {
		struct act *undo = run->acts.items[i];
		assert_true(undo->undo);
		assert_ptr_equal(undo->undoes->subject, undo->subject);
		text = arena_printf(&d->arena, STR_FMT "%s " STR_FMT,
		    STR_ARG(text), action_words(undo->kind),
		    STR_ARG(act_address(undo)));
		size_t after = 0;
		for (size_t j = n; j < run->acts.n; j++) {
			struct act *before = run->acts.items[j];
			for (size_t k = 0; k < before->unblocks.n; k++) {
				if (before->unblocks.items[k] != undo)
					continue;
				text = arena_printf(&d->arena, STR_FMT
				    " < %s " STR_FMT, STR_ARG(text),
				    action_words(before->kind),
				    STR_ARG(act_address(before)));
				after++;
			}
		}
		/* What comes after nothing begins at once. */
		assert_int_equal(undo->waits, after);
		assert_int_equal(undo->phase, after == 0 ? PH_QUEUED :
		    PH_WAITING);
		text = arena_printf(&d->arena, STR_FMT "\n", STR_ARG(text));
	}
	return text.data;
}

/* In reverse: a volume after all, a pod after what lives on it, and the
 * steps of one change one after another. */
static void
test_run_undoes_in_reverse_where_it_matters(void **state)
{
	struct desk *d = *state;

	change(d, KIND_POD, "pod.a", SIZE_MAX);
	change(d, KIND_POD, "pod.b", SIZE_MAX);
	change(d, KIND_VOLUME, "volume.v", SIZE_MAX);
	change(d, KIND_RUNNER, "runner.r", 0);
	change(d, KIND_TUNNEL, "tunnel.far", SIZE_MAX);
	change(d, KIND_TUNNEL, "tunnel.b", 1);
	change(d, KIND_POD, "pod.c", SIZE_MAX);
	action(d, ACTION_VOLUME_CREATE, 2, SIZE_MAX);
	action(d, ACTION_POD_UPDATE, 0, SIZE_MAX);
	action(d, ACTION_POD_START, 0, 1);
	action(d, ACTION_POD_CREATE, 1, 0);
	action(d, ACTION_RUNNER_REGISTER, 3, SIZE_MAX);
	action(d, ACTION_TUNNEL_OPEN, 4, SIZE_MAX);
	action(d, ACTION_TUNNEL_OPEN, 5, SIZE_MAX);
	action(d, ACTION_POD_CREATE, 6, SIZE_MAX);
	d->options.atomic = true;
	make(d);
	assert_text(undone(d),
	    "close tunnel tunnel.b\n"
	    "close tunnel tunnel.far\n"
	    "remove runner runner.r\n"
	    "terminate pod pod.b < close tunnel tunnel.b\n"
	    "stop pod pod.a < remove runner runner.r\n"
	    "update pod pod.a < remove runner runner.r < stop pod pod.a\n"
	    "delete volume volume.v < close tunnel tunnel.b"
	    " < close tunnel tunnel.far < remove runner runner.r"
	    " < terminate pod pod.b < stop pod pod.a < update pod pod.a\n");
}

/* Of another part, or of what has changed nothing, nothing. */
static void
test_run_undoes_only_the_part_that_failed(void **state)
{
	struct desk *d = *state;

	change(d, KIND_POD, "pod.a", SIZE_MAX);
	change(d, KIND_POD, "pod.b", SIZE_MAX);
	action(d, ACTION_POD_CREATE, 0, SIZE_MAX);
	action(d, ACTION_POD_CREATE, 1, SIZE_MAX);
	action(d, ACTION_POD_RUNNING, 1, 1);
	make(d);
	assert_text(undone(d), "terminate pod pod.b\n");
	/* Once. */
	size_t n = d->run->acts.n;
	undo_pump(d->run);
	assert_int_equal(d->run->acts.n, n);
	assert_ptr_equal(d->run->acts.items[1]->undone_by,
	    d->run->acts.items[n - 1]);
	assert_null(d->run->acts.items[0]->undone_by);
}

/* Where a backup is asked for first, that comes after what lives there. */
static void
test_run_undoes_a_create_after_the_word_about_its_backup(void **state)
{
	struct desk *d = *state;

	d->spec.backup_check.raw = STR("test -e /synced");
	change(d, KIND_POD, "pod.a", SIZE_MAX)->on_failure = ON_FAILURE_STOP;
	change(d, KIND_TUNNEL, "tunnel.t", 0);
	action(d, ACTION_POD_CREATE, 0, SIZE_MAX);
	action(d, ACTION_TUNNEL_OPEN, 1, 0);
	action(d, ACTION_POD_CHECK, 0, 0);
	make(d);
	d->run->change_subjects[0].user_ran = true;
	assert_text(undone(d),
	    "close tunnel tunnel.t\n"
	    "ask about the backup pod.a < close tunnel tunnel.t\n"
	    "terminate pod pod.a < ask about the backup pod.a\n");
	struct act *backup = d->run->acts.items[4];
	assert_ptr_equal(backup->ends, d->run->acts.items[5]);
}

/* ------------------------------------------------------------ whether ---- */

/* While something of the part is busy, or nothing may be undone, it waits. */
static void
test_run_undoes_when_nothing_is_busy_any_more(void **state)
{
	for (unsigned i = 0; i < 64; i++) {
		struct desk *d = *state;
		bool keep = i & 1, disk = i & 2, failures = i & 4;
		bool stopping = i & 8, busy = i & 16, failed = i & 32;
		change(d, KIND_POD, "pod.a", SIZE_MAX);
		action(d, ACTION_POD_CREATE, 0, SIZE_MAX);
		make(d);
		struct act *act = d->run->acts.items[0];
		act->effected = true;
		act_phase(d->run, act, PH_DONE);
		d->run->options.keep = keep;
		d->run->disk_failed = disk;
		d->run->stopping = stopping;
		d->run->busy_component[0] = busy;
		d->run->failed_component[0] = failed;
		if (failures)
			*ARENA_PUSH(&d->arena, &d->run->summary.failures) =
			    (struct run_failed){0};
		undo_pump(d->run);
		assert_int_equal(d->run->acts.n, !keep && !disk &&
		    (failures || stopping) && !busy && failed ? 2 : 1);
		desk_teardown(state);
		desk_setup(state);
	}
}

/* The second pod of one op is ended by its id, once it is known. */
static void
test_run_ends_the_second_pod_of_one_op(void **state)
{
	struct desk *d = *state;
	struct cloud_pod twin = { .id = STR("p2"), .status = POD_STARTING };

	struct plan_change *made = change(d, KIND_POD, "pod.a", SIZE_MAX);
	made->name = STR("a");
	made->key = 3;
	action(d, ACTION_POD_CREATE, 0, SIZE_MAX);
	make(d);
	undo_double(d->run, d->run->acts.items[0], &twin);
	struct act *act = d->run->acts.items[1];
	assert_int_equal(act->kind, ACTION_POD_DELETE);
	assert_true(act->undo);
	assert_int_equal(act->phase, PH_QUEUED);
	assert_ptr_equal(map_get(&d->run->doubles, STR("p2")), act);
	assert_true(str_is(act->change->pod->id, "p2"));
	assert_int_equal(act->change->pod->status, POD_STARTING);
	assert_int_equal(act->change->op, PLAN_DELETE);
	assert_int_equal(act->change->reason, BECAUSE_ORPHAN);
	assert_true(act->change->orphan);
	assert_true(str_is(act->change->address, "pod.a"));
	assert_true(str_is(act->change->name, "a"));
	assert_int_equal(act->change->key, 3);
	/* Nothing of the one that was wanted. */
	assert_ptr_not_equal(act->subject, d->run->acts.items[0]->subject);
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_run_parts_are_what_depends_on_one_another),
		ROW(test_run_parts_grow_together),
		ROW(test_run_undoes_in_reverse_where_it_matters),
		ROW(test_run_undoes_only_the_part_that_failed),
		ROW(test_run_undoes_a_create_after_the_word_about_its_backup),
		ROW(test_run_undoes_when_nothing_is_busy_any_more),
		ROW(test_run_ends_the_second_pod_of_one_op),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
