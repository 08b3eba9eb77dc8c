/* test_run_run.c - phases, slots, deadlines and signals of the engine */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "run/act.h"
#include "run_world.h"

/* ------------------------------------------------------ a plan by hand --- */

enum { MANY = 70 };

/* Some pods, some tunnels; actions that come after nothing. */
struct desk {
	struct arena arena;
	struct lock lock;
	struct plan plan;
	struct run_options options;
	struct run *run;
	struct pod_spec pod;
	struct resource want;
	struct lock_entry have;
	int64_t now_ms;
};

static void
zeros(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
}

static int
desk_setup(void **state)
{
	static struct desk d;

	memset(&d, 0, sizeof d);
	d.lock.arena = &d.arena;
	d.plan.lock = &d.lock;
	d.options.chance = (struct chance){ NULL, zeros };
	d.now_ms = 5000;
	d.pod.ready_timeout_ms = 600000;
	d.want = (struct resource){ .kind = KIND_POD, .pod = &d.pod };
	d.have = (struct lock_entry){ .kind = KIND_POD, .id = STR("p1"),
		.address = STR("pod.a") };
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
add(struct desk *d, enum action_kind kind, enum kind of)
{
	struct plan_change *change = ARENA_PUSH(&d->arena,
	    &d->plan.changes);
	struct plan_action *action = ARENA_PUSH(&d->arena,
	    &d->plan.actions);

	*change = (struct plan_change){ .kind = of, .op = PLAN_UPDATE,
		.address = of == KIND_POD ? STR("pod.a") : STR("tunnel.a"),
		.want = &d->want, .have = &d->have,
		.host_change = SIZE_MAX };
	action->kind = kind;
	action->change = d->plan.changes.n - 1;
	return change;
}

static void
tell(struct desk *d, enum run_event_type type, uint64_t token)
{
	struct holder_answer answer = { .ok = true };

	if (d->run == NULL)
		d->run = run_new(&d->arena, &d->plan, &d->lock, &d->options);
	run_event(d->run, &(struct run_event){ .type = type, .token = token,
		.now_ms = d->now_ms, .boot_ms = d->now_ms,
		.wall_ms = d->now_ms, .ok = true, .holder = &answer });
}

/* How many effects of that type there are now; the last one. */
static size_t
effects(struct desk *d, enum run_effect_type type, struct run_effect *last)
{
	struct run_effect effect;
	size_t n = 0;

	while (run_next_effect(d->run, &effect))
		if (effect.type == type) {
			*last = effect;
			n++;
		}
	return n;
}

static void
test_run_is_not_finished_before_it_began(void **state)
{
	struct desk *d = *state;

	d->run = run_new(&d->arena, &d->plan, &d->lock, &d->options);
	assert_false(run_finished(d->run));
	tell(d, RUN_TIME, 0);
	assert_true(run_finished(d->run));	/* there was nothing to do */
}

/* A signal may be the first thing that it hears. */
static void
test_run_that_a_signal_begins_starts_nothing(void **state)
{
	struct desk *d = *state;
	struct run_effect effect;

	add(d, ACTION_POD_RUNNING, KIND_POD);
	add(d, ACTION_TUNNEL_CLOSE, KIND_TUNNEL);
	add(d, ACTION_POD_STOP, KIND_POD);
	tell(d, RUN_SIGNAL, 0);
	assert_true(run_finished(d->run));
	while (run_next_effect(d->run, &effect)) {
		assert_int_equal(effect.type, RUN_NOTE);
		assert_true(effect.note.type == NOTE_STOPPING ||
		    effect.note.type == NOTE_ACTION_SKIPPED);
		if (effect.note.type == NOTE_ACTION_SKIPPED)
			assert_true(str_is(effect.note.text,
			    "interrupted"));
	}
	assert_int_equal(run_summary(d->run)->exit_code, 130);
}

/* As many sessions as there may be; the next when one is done. */
static void
test_run_asks_at_most_fifty_at_once(void **state)
{
	struct desk *d = *state;
	struct run_effect last = {0};

	for (size_t i = 0; i < MANY; i++)
		add(d, ACTION_TUNNEL_CLOSE, KIND_TUNNEL);
	tell(d, RUN_TIME, 0);
	assert_int_equal(effects(d, RUN_HOLDER, &last), 50);
	assert_int_equal(d->run->inside_in_flight, 50);
	for (size_t i = 0; i < MANY - 50; i++) {
		tell(d, RUN_HOLDER_ANSWER, last.token);
		assert_int_equal(effects(d, RUN_HOLDER, &last), 1);
	}
	tell(d, RUN_HOLDER_ANSWER, last.token);
	assert_int_equal(effects(d, RUN_HOLDER, &last), 0);
	assert_int_equal(d->run->inside_in_flight, 49);
}

/* Ten, or what the user says; of those that send. */
static void
test_run_changes_as_many_at_once_as_it_may(void **state)
{
	static const struct { int64_t option; size_t slots; } rows[] = {
		{ 0, 10 }, { 1, 1 }, { 3, 3 }, { MANY, MANY },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct desk *d = *state;
		struct run_effect last = {0};
		for (size_t k = 0; k < MANY; k++)
			add(d, ACTION_POD_STOP, KIND_POD);
		d->options.parallelism = rows[i].option;
		tell(d, RUN_TIME, 0);
		assert_int_equal(effects(d, RUN_REQUEST, &last),
		    rows[i].slots);
		assert_int_equal(d->run->in_flight, rows[i].slots);
		desk_teardown(state);
		desk_setup(state);
	}
}

/* An answer to what was asked before means nothing any more. */
static void
test_run_hears_only_what_it_waits_for(void **state)
{
	struct desk *d = *state;
	struct run_effect asked = {0};

	add(d, ACTION_TUNNEL_CLOSE, KIND_TUNNEL);
	tell(d, RUN_TIME, 0);
	assert_int_equal(effects(d, RUN_HOLDER, &asked), 1);
	uint64_t strangers[] = { 0, 1, asked.token + 1,
		asked.token + (1 << 24), asked.token - (1 << 24),
		(uint64_t)1 << 60 };
	for (size_t i = 0; i < COUNTOF(strangers); i++) {
		tell(d, RUN_HOLDER_ANSWER, strangers[i]);
		assert_false(run_finished(d->run));
	}
	tell(d, RUN_HOLDER_ANSWER, asked.token);
	assert_true(run_finished(d->run));
	/* Nor does a second answer. */
	tell(d, RUN_HOLDER_ANSWER, asked.token);
	assert_int_equal(run_summary(d->run)->destroyed, 1);
}

/* What starts will cost is spoken for. */
static void
test_run_counts_what_starts_add_to_the_bill(void **state)
{
	struct desk *d = *state;
	static const struct { enum action_kind kind; int64_t before, after; }
	    rows[] = {
		{ ACTION_POD_START, 10, 400 },
		{ ACTION_POD_START, 0, 70 },
		{ ACTION_POD_START, 50, 50 },
		{ ACTION_POD_START, 90, 50 },		/* known to be less */
		{ ACTION_POD_CREATE, 0, 1000 },
		{ ACTION_POD_STOP, 400, 10 },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_change *change = add(d, rows[i].kind, KIND_POD);
		change->before_per_hour = rows[i].before;
		change->after_per_hour = rows[i].after;
	}
	d->plan.cost.before_per_hour = 5000;
	d->run = run_new(&d->arena, &d->plan, &d->lock, &d->options);
	assert_int_equal(d->run->billing, 5000 + 390 + 70);
	assert_int_equal(d->run->options.settle_ms, 60000);
	d->options.settle_ms = 7;
	d->run = run_new(&d->arena, &d->plan, &d->lock, &d->options);
	assert_int_equal(d->run->options.settle_ms, 7);
}

/* ----------------------------------------------------------- deadlines --- */

/* The first of all that it has to do at a time; -1 for nothing. */
static void
test_run_wakes_at_the_first_of_its_deadlines(void **state)
{
	struct desk *d = *state;
	struct act delayed = { .phase = PH_QUEUED };
	struct act inside = { .phase = PH_ASKED };
	struct act watching = { .phase = PH_WATCH };
	struct scope_poll poll = {0};
	static const struct {
		int64_t listing, scope, delayed, inside, told, deadline,
		    wanted;
	} rows[] = {
		{ -1, -1, -1, -1, -1, 0, -1 },
		{ 700, -1, -1, -1, -1, 0, 700 },
		{ -1, 700, -1, -1, -1, 0, 700 },
		{ -1, -1, 700, -1, -1, 0, 700 },
		{ -1, -1, -1, 700, -1, 0, 10700 },
		{ -1, -1, -1, -1, 700, 0, 10700 },
		{ -1, -1, -1, -1, 700, 800, 800 },
		{ -1, -1, -1, -1, 700, 20000, 10700 },
		{ 500, 400, -1, -1, -1, 0, 400 },
		{ 400, 500, -1, -1, -1, 0, 400 },
		{ 500, -1, 400, -1, -1, 0, 400 },
		{ 400, -1, 500, -1, -1, 0, 400 },
		{ 20000, -1, -1, 400, -1, 0, 10400 },
		{ 400, -1, -1, 400, -1, 0, 400 },
		{ 20000, -1, -1, -1, 400, 0, 10400 },
		{ 400, -1, -1, -1, 400, 0, 400 },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct run run = { .arena = &d->arena };
		run.lists[LIST_PODS].watchers = rows[i].listing >= 0;
		run.lists[LIST_PODS].next_ms = rows[i].listing;
		poll.next_ms = rows[i].scope;
		poll.acts.n = 1;
		if (rows[i].scope >= 0)
			*ARENA_PUSH(&d->arena, &run.scopes) = &poll;
		delayed.not_before_ms = rows[i].delayed;
		if (rows[i].delayed >= 0)
			*ARENA_PUSH(&d->arena, &run.delayed) = &delayed;
		inside.told_ms = rows[i].inside;
		if (rows[i].inside >= 0)
			*ARENA_PUSH(&d->arena, &run.inside) = &inside;
		watching.told_ms = rows[i].told;
		watching.deadline_ms = rows[i].deadline;
		if (rows[i].told >= 0)
			*ARENA_PUSH(&d->arena, &run.watching) = &watching;
		assert_int_equal(run_deadline(&run), rows[i].wanted);
	}
}

/* Of several of a kind the first one, in whichever order they are. */
static void
test_run_wakes_for_the_first_of_each_kind(void **state)
{
	struct desk *d = *state;

	for (int turned = 0; turned < 2; turned++) {
		struct act acts[2] = { { .phase = PH_QUEUED },
			{ .phase = PH_QUEUED } };
		struct run run = { .arena = &d->arena };
		acts[turned].not_before_ms = acts[turned].told_ms = 300;
		acts[!turned].not_before_ms = acts[!turned].told_ms = 400;
		for (int i = 0; i < 2; i++)
			*ARENA_PUSH(&d->arena, &run.delayed) = &acts[i];
		assert_int_equal(run_deadline(&run), 300);
		run.delayed.n = 0;
		for (int i = 0; i < 2; i++)
			*ARENA_PUSH(&d->arena, &run.inside) = &acts[i];
		assert_int_equal(run_deadline(&run), 10300);
		run.inside.n = 0;
		acts[0].phase = acts[1].phase = PH_WATCH;
		for (int i = 0; i < 2; i++)
			*ARENA_PUSH(&d->arena, &run.watching) = &acts[i];
		assert_int_equal(run_deadline(&run), 10300);
	}
}

/* ------------------------------------------------------------- results --- */

/* What follows when a result is on disk. */
static void
test_run_goes_on_from_a_result_as_was_decided(void **state)
{
	static const struct { enum next next; const char *became; } rows[] = {
		{ NEXT_DONE, "done" }, { NEXT_RETRY, "at once" },
		{ NEXT_BACKOFF, "later" }, { NEXT_FAIL, "failed" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct desk *d = *state;
		struct run_effect effect = {0};
		add(d, ACTION_POD_STOP, KIND_POD);
		tell(d, RUN_TIME, 0);
		struct act *act = d->run->acts.items[0];
		act->last_failure = FAIL_CAPACITY;
		act->last_refusal = STR("why");
		act->intended = true;
		act->op = (struct id128){ "aa" };
		act_result(d->run, act, OP_NONE, rows[i].next, false);
		(void)effects(d, RUN_JOURNAL, &effect);
		/* Whatever comes next has to wait for a slot. */
		d->run->options.parallelism = 1;
		d->run->in_flight = 2;
		tell(d, RUN_JOURNALED, effect.token);
		assert_false(act->intended);
		const char *found = act->phase == PH_DONE ? "done" :
		    act->phase == PH_FAILED ? "failed" :
		    act->phase != PH_QUEUED ? "?" :
		    act->not_before_ms > d->now_ms ? "later" : "at once";
		assert_string_equal(found, rows[i].became);
		if (rows[i].next == NEXT_FAIL)
			assert_int_equal(act->failure, FAIL_CAPACITY);
		if (rows[i].next == NEXT_FAIL || rows[i].next == NEXT_BACKOFF)
			assert_true(str_is(act->reason, "why"));
		desk_teardown(state);
		desk_setup(state);
	}
}

/* ------------------------------------------------------------- signals --- */

/* What is on its way to the disk comes to a result; nothing is sent. */
static void
test_run_interrupted_while_it_journals_sends_nothing(void **state)
{
	struct run_world *r = *state;

	r->hold_journal = true;
	run_trainer(r);
	run_said(r);
	run_signal(r);
	assert_false(run_finished(r->run));
	while (!run_finished(r->run))
		run_journal(r, true);
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 0);
	assert_int_equal(r->w.lock.pending.n, 0);
	assert_text(run_outcome(r), "exit 130\nfailed create pod.trainer: "
	    "stopped before anything was sent\n");
}

/* What was refused after a signal is not tried elsewhere, also where the disk
 * has failed meanwhile. */
static void
test_run_interrupted_tries_no_other_candidate(void **state)
{
	for (int full = 0; full < 2; full++) {
		struct run_world *r = *state;
		run_trainer(r);
		run_signal(r);
		r->disk_fails = full;
		run_said(r);
		run_answer(r, CLOUD_CREATE_POD, says(400,
		    REASON_NO_CAPACITY, "no stock"));
		assert_non_null(strstr(run_said(r),
		    "skip create pod.trainer: interrupted\n"));
		assert_int_equal(r->sent[CLOUD_CREATE_POD], 1);
		assert_text(run_outcome(r), "exit 130\n");
		run_teardown(state);
		run_setup(state);
	}
}

/* ------------------------------------------------------- a part's time --- */

/* Two pods of one part whose time is up together: one has failed, the other
 * is not waited for, and both are ended. */
static void
test_run_ends_a_part_once_when_its_time_is_up(void **state)
{
	struct run_world *r = *state;

	r->silent_lists = true;
	r->born_as = POD_PROVISIONING;
	world_spec(&r->w, "volumes: { d: { size: 10GB, data_center: EU-RO-1 "
	    "} }\npods:\n"
	    "  a: { image: x:1, gpu: A40, ports: [80/http],\n"
	    "    network_volume: { volume: d, path: /w } }\n"
	    "  b: { image: x:1, gpu: A40, ports: [80/http],\n"
	    "    network_volume: { volume: d, path: /w } }\n");
	run_start(r);
	while (r->sent[CLOUD_CREATE_POD] < 2)
		run_step(r);
	while (r->run->lists[LIST_PODS].watchers < 2)
		run_step(r);
	/* Both began to wait at one moment, for the same time. */
	int64_t deadline = r->run->watching.items[0]->deadline_ms;
	for (size_t i = 0; i < r->run->watching.n; i++)
		r->run->watching.items[i]->deadline_ms = deadline;
	run_said(r);
	run_drive(r);
	const char *said = run_said(r);
	assert_non_null(strstr(said, ": its part will be undone\n"));
	assert_int_equal(run_summary(r->run)->failures.n, 1);
	assert_int_equal(r->w.pods.n, 0);
	assert_int_equal(run_summary(r->run)->exit_code, 9);
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)
#define WORLD(f) cmocka_unit_test_setup_teardown(f, run_setup, run_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_run_is_not_finished_before_it_began),
		ROW(test_run_that_a_signal_begins_starts_nothing),
		ROW(test_run_asks_at_most_fifty_at_once),
		ROW(test_run_changes_as_many_at_once_as_it_may),
		ROW(test_run_hears_only_what_it_waits_for),
		ROW(test_run_counts_what_starts_add_to_the_bill),
		ROW(test_run_wakes_at_the_first_of_its_deadlines),
		ROW(test_run_wakes_for_the_first_of_each_kind),
		ROW(test_run_goes_on_from_a_result_as_was_decided),
		WORLD(test_run_interrupted_while_it_journals_sends_nothing),
		WORLD(test_run_interrupted_tries_no_other_candidate),
		WORLD(test_run_ends_a_part_once_when_its_time_is_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
