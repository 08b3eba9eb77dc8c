/* test_run_undo.c - what follows from failure, signals and a full disk */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "run_world.h"

#define POD(name, gpu) \
	"  " name ": { image: x:1, gpu: " gpu ", ports: [80/http] }\n"
#define ON_VOLUME(name, gpu) \
	"  " name ": { image: x:1, gpu: " gpu ", ports: [80/http],\n" \
	"    network_volume: { volume: d, path: /w } }\n"
#define VOLUME "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"

static struct cloud_answer
no_stock(void)
{
	return says(400, REASON_NO_CAPACITY, "no stock");
}

/* ------------------------------------------------------------- rollback -- */

static void
test_run_undoes_pods_before_the_volume(void **state)
{
	struct run_world *r = *state;

	world_spec(&r->w, VOLUME "pods:\n" ON_VOLUME("a", "A40")
	    ON_VOLUME("b", "A40"));
	run_start(r);
	run_lie(r, CLOUD_CREATE_POD, 1, false, no_stock());
	r->silent_lists = true;
	run_drive(r);
	assert_text(strstr(run_said(r), "rollback"),
	    "rollback create pod.a\n"
	    "start undo-delete pod.a\n"
	    "send get pod new2\n"
	    "intent delete pod.a #04\n"
	    "send delete pod new2\n"
	    "send get pod new2\n"
	    "result done #04\n"
	    "done undo-delete pod.a\n"
	    "start undo-delete volume.d\n"
	    "send get volume new1\n"
	    "intent delete volume.d #05\n"
	    "send delete volume new1\n"
	    "send get volume new1\n"
	    "result done #05\n"
	    "done undo-delete volume.d\n");
	assert_text(run_outcome(r), "exit 9, undone 2\n"
	    "failed create pod.b: no stock\n");
	assert_int_equal(r->w.lock.entries.n, 0);
	assert_int_equal(r->w.volumes.n, 0);
}

static void
start_pair(struct run_world *r, bool atomic, bool keep, const char *line)
{
	run_release(r);
	run_init(r);
	r->options.atomic = atomic;
	r->options.keep = keep;
	world_spec(&r->w, arena_printf(&r->w.arena,
	    "defaults: { pod: { %s } }\n"
	    "pods:\n" POD("a", "A40") POD("b", "A40"), line).data);
	run_start(r);
	run_lie(r, CLOUD_CREATE_POD, 1, false, no_stock());
	run_drive(r);
}

/* Each part stands or falls by itself, unless told otherwise. */
static void
test_run_undoes_the_part_or_all_or_nothing(void **state)
{
	struct run_world *r = *state;

	start_pair(r, false, false, "cloud: secure");
	assert_text(run_outcome(r), "exit 10, added 1\n"
	    "failed create pod.b: no stock\n"
	    "left pod.a new1 400000: made as planned; its part succeeded\n");
	start_pair(r, true, false, "cloud: secure");
	assert_text(run_outcome(r), "exit 9, undone 1\n"
	    "failed create pod.b: no stock\n");
	assert_int_equal(r->w.pods.n, 0);
	start_pair(r, true, true, "cloud: secure");
	assert_text(run_outcome(r), "exit 10, added 1\n"
	    "failed create pod.b: no stock\n"
	    "left pod.a new1 400000: kept, as --on-failure keep says\n");
	start_pair(r, true, false, "on_failure: keep");
	assert_text(run_outcome(r), "exit 10, added 1\n"
	    "failed create pod.b: no stock\n"
	    "left pod.a new1 400000: kept, as its on_failure says\n");
	assert_int_equal(r->w.pods.n, 1);
}

static void
test_run_lists_what_could_not_be_undone(void **state)
{
	struct run_world *r = *state;

	world_spec(&r->w, "pods:\n" POD("a", "A40") POD("b", "A40"));
	r->options.atomic = true;
	run_start(r);
	run_lie(r, CLOUD_CREATE_POD, 1, false, no_stock());
	run_lie(r, CLOUD_DELETE_POD, 0, false,
	    says(409, REASON_CONFLICT, "it is locked"));
	run_drive(r);
	assert_text(run_outcome(r), "exit 10, added 1\n"
	    "failed create pod.b: no stock\n"
	    "failed delete pod.a: it is locked\n"
	    "left pod.a new1 400000: could not be undone: it is locked\n");
	assert_int_equal(r->w.lock.entries.n, 1);
}

/* The old pod is not touched before the new one runs. */
static void
test_run_create_first_keeps_the_old_one(void **state)
{
	struct run_world *r = *state;

	world_trainer(&r->w, "replace: create_first");
	world_settle(&r->w);
	world_spec(&r->w, "pods: { trainer: { image: torch:1, "
	    "gpu: RTX A5000, replace: create_first } }");
	run_start(r);
	r->no_banner = true;
	r->silent_lists = true;
	run_drive(r);
	assert_text(run_outcome(r), "exit 9, undone 1\n"
	    "failed ssh pod.trainer: not ready after 10m: waiting for SSH to "
	    "answer\n");
	assert_int_equal(r->w.pods.n, 1);
	assert_true(str_is(r->w.pods.items[0].id, "pod1"));
	lock_sort(&r->w.lock);
	assert_true(str_is(world_entry(&r->w, "pod.trainer")->id, "pod1"));
	assert_int_equal(r->w.lock.entries.n, 1);
	assert_false(r->w.lock.entries.items[0].deposed);
}

static void
test_run_undoes_an_update_and_a_stop(void **state)
{
	struct run_world *r = *state;

	world_spec(&r->w, "pods:\n" POD("a", "A40")
	    "  b: { image: x:1, gpu: A40, ports: [80/http], args: p }\n");
	world_settle(&r->w);
	r->w.pods.items[0].has_runtime = true;
	r->w.pods.items[1].has_runtime = true;
	world_spec(&r->w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, ports: [80/http], "
	    "state: stopped }\n"
	    "  b: { image: x:1, gpu: A40, ports: [80/http], args: q }\n"
	    POD("c", "A40"));
	r->options.atomic = true;
	run_start(r);
	run_lie(r, CLOUD_CREATE_POD, 0, false,
	    says(422, REASON_BAD_REQUEST, "bad"));
	run_drive(r);
	assert_int_equal(run_summary(r->run)->exit_code, 9);
	assert_int_equal(world_pod(&r->w, "pod.a")->status, POD_RUNNING);
	assert_true(str_is(world_pod(&r->w, "pod.b")->config.args, "p"));
	assert_true(str_is(world_entry(&r->w, "pod.b")->pod.args, "p"));
	assert_false(world_entry(&r->w, "pod.a")->stopped);
}

/* --------------------------------------------------- limits of starting -- */

static void
start_many(struct run_world *r, const char *n)
{
	world_trainer(&r->w, arena_printf(&r->w.arena,
	    "ports: [80/http]\n    replicas: %s", n).data);
	r->silent_lists = true;
	run_start(r);
}

static void
test_run_parallelism_is_a_limit(void **state)
{
	struct run_world *r = *state;

	r->options.parallelism = 3;
	start_many(r, "8");
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 3);
	run_honest(r, CLOUD_CREATE_POD);
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 4);
	/* Settling an unclear one holds no slot. */
	run_answer(r, CLOUD_CREATE_POD, unclear(500, "oops"));
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 5);
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, added 8\n");
}

static void
test_run_fail_fast_starts_nothing_after_a_failure(void **state)
{
	struct run_world *r = *state;

	r->options.parallelism = 1;
	r->options.fail_fast = true;
	start_many(r, "5");
	run_honest(r, CLOUD_CREATE_POD);
	run_answer(r, CLOUD_CREATE_POD, says(422, REASON_BAD_REQUEST, "bad"));
	run_drive(r);
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 2);
}

/* Without a key or money nothing new is sent, and what is there is told. */
static void
test_run_stops_when_key_or_money_is_gone(void **state)
{
	static const struct { enum cloud_reason reason; int status, code; }
	ends[] = {
		{ REASON_AUTH, 401, 4 }, { REASON_BALANCE, 402, 12 },
	};
	struct run_world *r = *state;

	for (size_t i = 0; i < COUNTOF(ends); i++) {
		run_release(r);
		run_init(r);
		r->options.parallelism = 1;
		start_many(r, "3");
		run_answer(r, CLOUD_CREATE_POD, says(ends[i].status,
		    ends[i].reason, "no"));
		assert_true(run_finished(r->run));
		assert_int_equal(r->sent[CLOUD_CREATE_POD], 1);
		assert_int_equal(run_summary(r->run)->exit_code,
		    ends[i].code);
	}
}

/* ------------------------------------------------------ the disk is full -- */

static void
test_run_sends_nothing_after_the_journal_failed(void **state)
{
	struct run_world *r = *state;

	r->options.parallelism = 2;
	start_many(r, "4");
	run_expect(r,
	    "start create pod.trainer[0]\n"
	    "intent create pod.trainer[0] #01\n"
	    "start create pod.trainer[1]\n"
	    "intent create pod.trainer[1] #02\n"
	    "send create pod trainer-0#01 NVIDIA A40\n"
	    "send create pod trainer-1#02 NVIDIA A40\n");
	r->disk_fails = true;
	run_honest(r, CLOUD_CREATE_POD);
	run_drive(r);
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 2);
	assert_int_equal(r->sent[CLOUD_DELETE_POD], 0);
	/* Both are in memory for the commit at the end, and are named. */
	assert_int_equal(r->w.lock.entries.n, 2);
	assert_int_equal(run_summary(r->run)->exit_code, 10);
	assert_int_equal(run_summary(r->run)->left.n, 2);
}

static void
test_run_intent_that_is_not_on_disk_is_not_sent(void **state)
{
	struct run_world *r = *state;

	r->disk_fails = true;
	run_trainer(r);
	assert_text(run_outcome(r), "exit 1\n"
	    "failed create pod.trainer: the journal cannot be written, so "
	    "nothing was sent\n");
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 0);
}

/* The first candidate has refused, the disk does not take that, and so the
 * second one is never asked: nothing was made, and that is no success. */
static void
test_run_result_that_is_not_on_disk_is_no_success(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	r->disk_fails = true;
	run_answer(r, CLOUD_CREATE_POD,
	    says(400, REASON_NO_CAPACITY, "no stock"));
	run_drive(r);
	assert_text(run_outcome(r), "exit 1\n"
	    "failed create pod.trainer: the journal cannot be written, so it "
	    "was not started\n");
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 1);
}

static void
test_run_names_what_only_the_journal_knows(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	run_drive(r);
	assert_int_equal(run_summary(r->run)->exit_code, 0);
	const struct run_summary *sum = run_summary_unrecorded(r->run);
	assert_int_equal(sum->left.n, 1);
	assert_text(arena_cstr(&r->w.arena, sum->left.items[0].id), "new1");
	assert_int_equal(sum->exit_code, 10);
}

/* GitHub did not say what became of a removal that was cut off, so the plan
 * went around it: that is no success either. */
static void
test_run_names_what_an_earlier_run_left_open(void **state)
{
	struct run_world *r = *state;
	struct id128 op;

	run_trainer(r);
	assert_true(id128_parse(STR("00000000000000000000000000000007"), &op));
	*ARENA_PUSH(&r->w.arena, &r->w.lock.pending) = (struct lock_op){
		.op = op, .action = OP_DELETE, .address = STR("runner.ci"),
		.entry = { .kind = KIND_RUNNER, .id = STR("42") },
	};
	run_drive(r);
	const struct run_summary *sum = run_summary(r->run);
	assert_int_equal(sum->exit_code, 10);
	assert_int_equal(sum->left.n, 1);
	assert_text(arena_cstr(&r->w.arena, sum->left.items[0].address),
	    "runner.ci");
	assert_text(arena_cstr(&r->w.arena, sum->left.items[0].id), "42");
	assert_int_equal(sum->left.items[0].per_hour, 0);
}

/* --------------------------------------------------------------- signals -- */

static void
test_run_interrupted_says_so_and_undoes(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	run_honest(r, CLOUD_CREATE_POD);
	(void)run_said(r);
	run_signal(r);
	run_expect(r,
	    "stopping\n"
	    "error running pod.trainer: interrupted\n"
	    "skip ssh pod.trainer: what it needs failed\n"
	    "rollback create pod.trainer\n"
	    "start undo-delete pod.trainer\n"
	    "send get pod new1\n");
	run_drive(r);
	assert_text(run_outcome(r), "exit 130, undone 1\n"
	    "failed running pod.trainer: interrupted\n");
}

/* Before anything was sent there is nothing to wait for: not a backoff of
 * minutes either. */
static void
test_run_interrupted_waits_for_no_backoff(void **state)
{
	struct run_world *r = *state;
	struct cloud_answer later = says(429, REASON_RATE_LIMITED, "slow");

	later.retry_after_ms = 300000;
	run_trainer(r);
	run_answer(r, CLOUD_CREATE_POD, later);
	run_signal(r);
	assert_true(run_finished(r->run));
	assert_int_equal(run_summary(r->run)->exit_code, 130);
	assert_int_equal(r->w.lock.pending.n, 0);
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 1);
}

/* Two pods on a volume, one of them replaced, one new, one to go. */
static void
start_story(struct run_world *r)
{
	run_release(r);
	run_init(r);
	world_spec(&r->w, VOLUME "pods:\n" ON_VOLUME("a", "A40")
	    POD("b", "A40"));
	world_settle(&r->w);
	world_spec(&r->w, VOLUME "pods:\n" ON_VOLUME("a", "RTX A5000")
	    ON_VOLUME("c", "A40"));
	r->silent_lists = true;
	run_start(r);
}

/* One event at a time, as run_drive() does. */
static bool
drive_some(struct run_world *r, unsigned events)
{
	for (unsigned i = 0; i < events; i++) {
		if (run_finished(r->run))
			return false;
		run_step(r);
	}
	return !run_finished(r->run);
}

/* Whatever is alive is in the record, or is told as left, by its id. */
static void
assert_nothing_is_lost(struct run_world *r, unsigned at)
{
	const struct run_summary *sum = run_summary(r->run);

	for (size_t i = 0; i < r->w.pods.n; i++) {
		const struct cloud_pod *pod = &r->w.pods.items[i];
		struct mark mark;
		bool known = lock_find_id(&r->w.lock, KIND_POD, pod->id) !=
		    NULL;
		assert_true(mark_parse_env(pod->mark, &mark));
		for (size_t j = 0; j < r->w.lock.pending.n && !known; j++)
			known = str_eq(mark.op,
			    id128_str(&r->w.lock.pending.items[j].op));
		if (!known)
			fail_msg("signal %u: %s is in no record\n%s", at,
			    pod->id.data, run_said(r));
	}
	if (r->w.lock.pending.n > 0 && sum->left.n == 0)
		fail_msg("signal %u: %zu ops are open and nothing is left", at,
		    r->w.lock.pending.n);
	if (sum->exit_code != 130 && sum->exit_code != 10 &&
	    sum->exit_code != 0)
		fail_msg("signal %u: exit %d", at, sum->exit_code);
}

/* What this run made is gone again, or is named. */
static void
assert_new_ones_are_told(struct run_world *r, unsigned at)
{
	const struct run_summary *sum = run_summary(r->run);

	for (size_t i = 0; i < r->w.pods.n; i++) {
		struct str id = r->w.pods.items[i].id;
		bool told = !str_starts(id, STR("new"));
		for (size_t j = 0; j < sum->left.n && !told; j++)
			told = str_eq(sum->left.items[j].id, id);
		if (!told)
			fail_msg("signal %u: %s bills, untold\n%s%s", at,
			    id.data, run_outcome(r), run_said(r));
	}
}

static void
test_run_interrupted_at_every_event(void **state)
{
	struct run_world *r = *state;
	unsigned at = 0;

	for (;; at++) {
		start_story(r);
		if (!drive_some(r, at))
			break;
		run_signal(r);
		run_drive(r);
		assert_nothing_is_lost(r, at);
		assert_new_ones_are_told(r, at);
		assert_int_equal(r->w.lock.pending.n, 0);
	}
	assert_text(run_outcome(r), "exit 0, added 2, destroyed 2\n");
	assert_in_range(at, 10, 60);
}

static void
test_run_interrupted_twice_leaves_at_once(void **state)
{
	struct run_world *r = *state;
	unsigned at = 0;

	for (;; at++) {
		start_story(r);
		if (!drive_some(r, at))
			break;
		run_signal(r);
		if (!run_finished(r->run))
			run_signal(r);
		assert_true(run_finished(r->run));
		assert_nothing_is_lost(r, at);
		assert_new_ones_are_told(r, at);
	}
	assert_in_range(at, 10, 60);
}

/* I18: whatever a destroy did not come to is still billed, and is named. */
static void
start_destroy(struct run_world *r)
{
	run_release(r);
	run_init(r);
	world_spec(&r->w, VOLUME "pods:\n" ON_VOLUME("a", "A40")
	    POD("b", "A40"));
	world_settle(&r->w);
	r->w.options.mode = PLAN_DESTROY;
	r->silent_lists = true;
	run_start(r);
}

static void
assert_is_left(struct run_world *r, unsigned at, struct str id)
{
	const struct run_summary *sum = run_summary(r->run);

	for (size_t i = 0; i < sum->left.n; i++)
		if (str_eq(sum->left.items[i].id, id)) {
			assert_true(sum->left.items[i].per_hour > 0);
			return;
		}
	fail_msg("event %u: %s bills, untold\n%s", at, id.data,
	    run_outcome(r));
}

static void
assert_rest_is_left(struct run_world *r, unsigned at)
{
	const struct run_summary *sum = run_summary(r->run);
	size_t there = r->w.pods.n + r->w.volumes.n;

	for (size_t i = 0; i < r->w.pods.n; i++)
		assert_is_left(r, at, r->w.pods.items[i].id);
	for (size_t i = 0; i < r->w.volumes.n; i++)
		assert_is_left(r, at, r->w.volumes.items[i].id);
	if (there > 0)
		assert_int_equal(sum->exit_code, 10);
}

static void
test_run_interrupted_destroy_lists_what_bills(void **state)
{
	struct run_world *r = *state;

	for (unsigned twice = 0; twice < 2; twice++) {
		unsigned at = 0;
		for (;; at++) {
			start_destroy(r);
			if (!drive_some(r, at))
				break;
			run_signal(r);
			if (twice == 1 && !run_finished(r->run))
				run_signal(r);
			run_drive(r);
			assert_rest_is_left(r, at);
		}
		assert_text(run_outcome(r), "exit 0, destroyed 3\n");
		assert_in_range(at, 6, 60);
	}
	start_destroy(r);
	run_signal(r);
	assert_text(run_outcome(r), "exit 10\n"
	    "left pod.a pod2 400000: not ended: interrupted\n"
	    "left pod.b pod3 400000: not ended: interrupted\n"
	    "left volume.d vol1 959: not ended: what it needs failed\n");
}

/* What comes after a failure stays, too. */
static void
test_run_failed_destroy_lists_what_it_did_not_come_to(void **state)
{
	struct run_world *r = *state;

	start_destroy(r);
	run_lie(r, CLOUD_DELETE_POD, 0, false,
	    says(409, REASON_CONFLICT, "it is locked"));
	run_drive(r);
	assert_rest_is_left(r, 0);
	assert_int_equal(r->w.volumes.n, 1);
}

static void
test_run_journal_failing_at_every_event(void **state)
{
	struct run_world *r = *state;
	unsigned at = 0;

	for (;; at++) {
		size_t sent = 0, then = 0;
		start_story(r);
		if (!drive_some(r, at))
			break;
		r->disk_fails = true;
		for (int op = 0; op < CLOUD_OP_COUNT; op++)
			sent += cloud_op_changes((enum cloud_op)op)
			    ? r->sent[op] : 0;
		run_drive(r);
		for (int op = 0; op < CLOUD_OP_COUNT; op++)
			then += cloud_op_changes((enum cloud_op)op)
			    ? r->sent[op] : 0;
		if (then != sent)
			fail_msg("event %u: sent without a record\n%s", at,
			    run_said(r));
		assert_int_not_equal(run_summary(r->run)->exit_code, 130);
	}
	assert_in_range(at, 10, 60);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, run_setup, run_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_undoes_pods_before_the_volume),
		TEST(test_run_undoes_the_part_or_all_or_nothing),
		TEST(test_run_lists_what_could_not_be_undone),
		TEST(test_run_create_first_keeps_the_old_one),
		TEST(test_run_undoes_an_update_and_a_stop),
		TEST(test_run_parallelism_is_a_limit),
		TEST(test_run_fail_fast_starts_nothing_after_a_failure),
		TEST(test_run_stops_when_key_or_money_is_gone),
		TEST(test_run_sends_nothing_after_the_journal_failed),
		TEST(test_run_intent_that_is_not_on_disk_is_not_sent),
		TEST(test_run_result_that_is_not_on_disk_is_no_success),
		TEST(test_run_names_what_only_the_journal_knows),
		TEST(test_run_names_what_an_earlier_run_left_open),
		TEST(test_run_interrupted_says_so_and_undoes),
		TEST(test_run_interrupted_waits_for_no_backoff),
		TEST(test_run_interrupted_at_every_event),
		TEST(test_run_interrupted_twice_leaves_at_once),
		TEST(test_run_interrupted_destroy_lists_what_bills),
		TEST(test_run_failed_destroy_lists_what_it_did_not_come_to),
		TEST(test_run_journal_failing_at_every_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
