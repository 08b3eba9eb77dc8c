/* test_run_create.c - a create, its candidates, and every kind of answer */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "run_world.h"

#define STARTED \
	"start create pod.trainer\n" \
	"intent create pod.trainer #01\n" \
	"send create pod trainer#01 NVIDIA A40\n"

static void
test_run_create_until_ssh_answers(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	run_expect(r, STARTED);
	run_honest(r, CLOUD_CREATE_POD);
	run_expect(r,
	    "id create pod.trainer: new1\n"
	    "result done #01 new1\n"
	    "done create pod.trainer\n"
	    "start running pod.trainer\n"
	    "send list pods\n");
	run_honest(r, CLOUD_LIST_PODS);
	run_expect(r,
	    "done running pod.trainer\n"
	    "start ssh pod.trainer\n"
	    "probe 1.2.3.4:2222\n");
	run_banner(r, true);
	run_expect(r, "done ssh pod.trainer\n");
	assert_text(run_outcome(r), "exit 0, added 1\n");
	assert_true(str_is(world_entry(&r->w, "pod.trainer")->id, "new1"));
}

/* ---------------------------------------------------------- candidates -- */

static const struct {
	int status;
	enum cloud_reason reason;
	bool moves_on;
	int code;			/* when the last candidate says so */
} refusals[] = {
	{ 400, REASON_NO_CAPACITY, true, 7 },
	{ 400, REASON_BAD_REQUEST, true, 1 },
	{ 403, REASON_FORBIDDEN, true, 7 },
	{ 401, REASON_AUTH, false, 4 },
	{ 402, REASON_BALANCE, false, 12 },
	{ 404, REASON_NOT_FOUND, false, 1 },
	{ 422, REASON_BAD_REQUEST, false, 1 },
	{ 410, REASON_RETIRED, false, 1 },
};

/* Only what proves that nothing was made, and is about the place, moves on;
 * never under the same op. */
static void
test_run_create_moves_on_or_stops_by_the_refusal(void **state)
{
	struct run_world *r = *state;

	for (size_t i = 0; i < COUNTOF(refusals); i++) {
		bool on = refusals[i].moves_on;
		struct cloud_answer no = says(refusals[i].status,
		    refusals[i].reason, "no");
		run_release(r);
		run_init(r);
		run_trainer(r);
		run_expect(r, STARTED);
		run_answer(r, CLOUD_CREATE_POD, no);
		run_expect(r, on
		    ? "refused create pod.trainer: A40 secure: no\n"
		      "result none #01\n"
		      "intent create pod.trainer #02\n"
		      "send create pod trainer#02 NVIDIA RTX A5000\n"
		    : "refused create pod.trainer: A40 secure: no\n"
		      "result none #01\n"
		      "error create pod.trainer: no\n"
		      "skip running pod.trainer: what it needs failed\n"
		      "skip ssh pod.trainer: what it needs failed\n");
		if (on)
			run_answer(r, CLOUD_CREATE_POD, no);
		assert_int_equal(run_summary(r->run)->exit_code,
		    refusals[i].code);
		assert_int_equal(run_summary(r->run)->refused.n, on ? 2 : 1);
		assert_int_equal(r->w.lock.pending.n, 0);
		assert_true(run_finished(r->run));
	}
}

static void
test_run_create_says_that_no_candidate_was_left(void **state)
{
	struct run_world *r = *state;
	struct cloud_answer no = says(400, REASON_NO_CAPACITY, "no stock");

	run_trainer(r);
	run_answer(r, CLOUD_CREATE_POD, no);
	run_answer(r, CLOUD_CREATE_POD, no);
	assert_text(run_outcome(r), "exit 7\n"
	    "failed create pod.trainer: none of 2 candidates could be had; "
	    "last: no stock\n");
}

static void
test_run_create_keeps_the_budget_at_the_last_moment(void **state)
{
	struct run_world *r = *state;

	world_spec(&r->w, "settings: { budget: { per_hour: 0.30 } }\n"
	    "pods:\n"
	    "  trainer: { image: x:1, gpu: [A40, RTX A5000] }\n");
	run_start(r);
	run_expect(r,
	    "start create pod.trainer\n"
	    "refused create pod.trainer: A40 secure: over the budget of "
	    "settings.budget.per_hour\n"
	    "intent create pod.trainer #01\n"
	    "send create pod trainer#01 NVIDIA RTX A5000\n");
	run_answer(r, CLOUD_CREATE_POD, says(400, REASON_NO_CAPACITY, "no"));
	assert_int_equal(run_summary(r->run)->exit_code, 7);

	run_release(r);
	run_init(r);
	world_spec(&r->w, "settings: { budget: { per_hour: 0.10 } }\n"
	    "pods: { trainer: { image: x:1, gpu: A40 } }\n");
	run_start(r);
	assert_text(run_outcome(r), "exit 8\n"
	    "failed create pod.trainer: over the budget of "
	    "settings.budget.per_hour\n");
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 0);
}

/* The dearer candidate would fit, were there not a pod that starts, too. */
static void
test_run_create_leaves_the_budget_of_starts_alone(void **state)
{
	struct run_world *r = *state;

	world_spec(&r->w, "pods: { a: { image: x:1, gpu: A40 } }\n");
	world_settle(&r->w);
	r->w.pods.items[0].status = POD_EXITED;
	r->w.pods.items[0].cost_per_hour = 0;
	world_spec(&r->w, "settings: { budget: { per_hour: 0.70 } }\n"
	    "pods:\n"
	    "  a: { image: x:1, gpu: A40 }\n"
	    "  trainer: { image: x:1, gpu: [RTX A5000, A40] }\n");
	run_lie(r, CLOUD_CREATE_POD, 0, false,
	    says(400, REASON_NO_CAPACITY, "no stock"));
	run_start(r);
	run_drive(r);
	assert_text(run_outcome(r), "exit 10, started 1\n"
	    "failed create pod.trainer: none of 2 candidates could be had; "
	    "last: over the budget of settings.budget.per_hour\n"
	    "left pod.a pod1 -1: made as planned; its part succeeded\n");
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 1);
}

/* ------------------------------------------------------ the same op again -- */

static void
test_run_create_sends_the_same_op_again_only_without_effect(void **state)
{
	struct run_world *r = *state;
	struct cloud_answer later = says(429, REASON_RATE_LIMITED, "slow down");

	run_trainer(r);
	run_expect(r, STARTED);
	run_answer(r, CLOUD_CREATE_POD, not_sent());
	run_expect(r, "retry create pod.trainer: no route\n");
	run_pass(r, 1999);
	run_expect(r, "");
	run_pass(r, 1);
	run_expect(r, "send create pod trainer#01 NVIDIA A40\n");
	later.retry_after_ms = 30000;
	run_answer(r, CLOUD_CREATE_POD, later);
	run_expect(r, "retry create pod.trainer: slow down\n");
	run_pass(r, 29999);
	run_expect(r, "");
	run_pass(r, 1);
	run_expect(r, "send create pod trainer#01 NVIDIA A40\n");
	run_honest(r, CLOUD_CREATE_POD);
	assert_non_null(strstr(run_said(r), "result done #01 new1\n"));
}

static void
test_run_create_gives_up_after_five_retries(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	for (int i = 0; i < 6; i++)
		run_lie(r, CLOUD_CREATE_POD, 0, false, not_sent());
	run_drive(r);
	/* 2 + 4 + 8 + 16 + 32 s. */
	assert_in_range(r->now_ms, 1062000, 1062100);
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 6);
	assert_text(run_outcome(r), "exit 1\n"
	    "failed create pod.trainer: no route\n");
	assert_int_equal(r->w.lock.pending.n, 0);
}

/* ------------------------------------------------------------ resolving -- */

#define LOOKING(why) \
	"unclear create pod.trainer: unclear answer (" why "); looking " \
	"whether it was made\n" \
	"send list pods\n"

static void
test_run_create_adopts_what_an_unclear_answer_had_made(void **state)
{
	static const int statuses[] = { 500, 502, 504, 408, 418, 0 };
	struct run_world *r = *state;

	for (size_t i = 0; i < COUNTOF(statuses); i++) {
		run_release(r);
		run_init(r);
		run_trainer(r);
		run_expect(r, STARTED);
		run_effect_only(r, CLOUD_CREATE_POD);
		run_answer(r, CLOUD_CREATE_POD, unclear(statuses[i], "oops"));
		run_expect(r, LOOKING("oops"));
		run_honest(r, CLOUD_LIST_PODS);
		run_expect(r,
		    "id create pod.trainer: new1\n"
		    "result done #01 new1 adopted\n"
		    "done create pod.trainer\n"
		    "start running pod.trainer\n");
		run_drive(r);
		assert_text(run_outcome(r), "exit 0, added 1\n");
		assert_int_equal(r->sent[CLOUD_CREATE_POD], 1);
	}
}

/* Not found is not "none" before the settling time and three listings. */
static void
test_run_create_settles_before_a_new_op(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	r->silent_lists = true;
	run_answer(r, CLOUD_CREATE_POD, unclear(500, "oops"));
	(void)run_said(r);
	int64_t ended = r->now_ms;
	do {
		run_honest(r, CLOUD_LIST_PODS);
		run_expect(r, "");
		run_to_listing(r);
	} while (r->now_ms < ended + 60000);
	/* Three that were asked for after the time, and no fewer. */
	for (int i = 0; i < 2; i++) {
		run_honest(r, CLOUD_LIST_PODS);
		run_expect(r, "");
		run_to_listing(r);
	}
	run_honest(r, CLOUD_LIST_PODS);
	run_expect(r,
	    "result none #01\n"
	    "retry create pod.trainer: the service gave no clear answer and "
	    "made nothing\n");
	run_pass(r, 2000);
	run_expect(r,
	    "intent create pod.trainer #02\n"
	    "send create pod trainer#02 NVIDIA A40\n");
	assert_int_equal(r->w.lock.tombstones.n, 1);
}

/* Found in the last moment; nothing else may be asked for meanwhile. */
static void
test_run_create_finds_a_late_effect(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	r->silent_lists = true;
	run_lie(r, CLOUD_CREATE_POD, 0, false, unclear(0, "timed out"));
	struct run_effect request = r->waiting.items[0];
	run_drive_until(r, CLOUD_LIST_PODS, 10);
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 1);
	*ARENA_PUSH(&r->w.arena, &r->w.pods) = (struct cloud_pod){
		.id = STR("late"), .status = POD_RUNNING, .has_runtime = true,
		.config = *request.request.pod, .mark = request.request.mark,
		.ssh = { STR("1.2.3.4"), 2222, STR("root") },
	};
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, added 1\n");
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 1);
	assert_true(str_is(world_entry(&r->w, "pod.trainer")->id, "late"));
}

/* A listing that failed is no picture, however often. */
static void
test_run_create_counts_only_complete_listings(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	r->silent_lists = true;
	run_answer(r, CLOUD_CREATE_POD, unclear(500, "oops"));
	(void)run_said(r);
	for (int i = 0; i < 20; i++) {
		run_answer(r, CLOUD_LIST_PODS, unclear(502, "bad gateway"));
		run_to_listing(r);
	}
	run_expect(r, "");
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 1);
	assert_false(run_finished(r->run));
	/* Two complete ones are not three. */
	for (int i = 0; i < 3; i++) {
		run_expect(r, "");
		run_honest(r, CLOUD_LIST_PODS);
		if (i < 2)
			run_to_listing(r);
	}
	assert_non_null(strstr(run_said(r), "result none #01\n"));
}

/* One that was asked for before the request ended proves nothing. */
static void
test_run_create_ignores_a_listing_asked_before(void **state)
{
	struct run_world *r = *state;

	world_spec(&r->w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, ports: [80/http] }\n"
	    "  b: { image: x:1, gpu: A40, ports: [80/http] }\n");
	r->options.settle_ms = 1;
	r->silent_lists = true;
	run_start(r);
	run_honest(r, CLOUD_CREATE_POD);	/* a: its listing is on its way */
	assert_true(run_waits_for(r, CLOUD_LIST_PODS));
	r->now_ms += 100;
	run_answer(r, CLOUD_CREATE_POD, unclear(500, "oops"));
	(void)run_said(r);
	run_honest(r, CLOUD_LIST_PODS);
	run_expect(r, "done running pod.a\n");
	for (int i = 0; i < 3; i++) {
		run_expect(r, "");
		run_to_listing(r);
		run_honest(r, CLOUD_LIST_PODS);
	}
	assert_non_null(strstr(run_said(r), "result none #02\n"));
}

static void
test_run_create_gives_up_when_nothing_ever_answers(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	run_lie(r, CLOUD_CREATE_POD, 0, false, unclear(500, "oops"));
	for (int i = 0; i < 400; i++)
		run_lie(r, CLOUD_LIST_PODS, 0, false, unclear(502, "gone"));
	run_drive(r);
	assert_text(run_outcome(r), "exit 10\n"
	    "failed create pod.trainer: it is still unclear whether it was "
	    "made\n"
	    "left pod.trainer ? 400000: it is unclear whether it was made; the "
	    "next apply settles it\n");
	assert_int_equal(r->w.lock.pending.n, 1);
}

/* -------------------------------------------------------- odd successes -- */

/* 201 with an id that we have, another mark, or no mark: look by the mark. */
static void
test_run_create_believes_no_answer_without_our_mark(void **state)
{
	struct run_world *r = *state;

	for (int i = 0; i < 3; i++) {
		run_release(r);
		run_init(r);
		run_trainer(r);
		run_expect(r, STARTED);
		run_effect_only(r, CLOUD_CREATE_POD);
		struct cloud_pod odd = r->w.pods.items[0];
		if (i == 0)
			odd.mark = (struct str){0};
		else if (i == 1)
			odd.config.name = STR("trainer");
		else
			odd.id = STR("");
		run_answer(r, CLOUD_CREATE_POD, one_pod(r, odd));
		run_expect(r, LOOKING("it does not show our mark"));
		run_honest(r, CLOUD_LIST_PODS);
		assert_non_null(strstr(run_said(r),
		    "result done #01 new1 adopted\n"));
	}
}

static void
test_run_create_believes_no_id_that_it_has(void **state)
{
	struct run_world *r = *state;

	world_spec(&r->w, "pods: { a: { image: x:1, gpu: A40 } }\n");
	world_settle(&r->w);
	world_spec(&r->w, "pods:\n"
	    "  a: { image: x:1, gpu: A40 }\n"
	    "  trainer: { image: x:1, gpu: A40 }\n");
	run_start(r);
	run_expect(r, STARTED);
	run_effect_only(r, CLOUD_CREATE_POD);
	struct cloud_pod odd = r->w.pods.items[1];
	odd.id = world_entry(&r->w, "pod.a")->id;
	run_answer(r, CLOUD_CREATE_POD, one_pod(r, odd));
	run_expect(r, LOOKING("it names a thing that we already have"));
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, added 1\n");
	assert_true(str_is(world_entry(&r->w, "pod.trainer")->id, "new1"));
	assert_true(str_is(world_entry(&r->w, "pod.a")->id, "pod1"));
}

/* Created, says the service, and our mark never shows: something may bill
 * under that id, so no second one is made. */
static void
test_run_create_makes_no_second_pod_beside_a_claimed_one(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	run_answer(r, CLOUD_CREATE_POD, one_pod(r, (struct cloud_pod){
		.id = STR("ghost"), .status = POD_PROVISIONING }));
	run_drive(r);
	assert_text(run_outcome(r), "exit 10\n"
	    "failed create pod.trainer: the service said that it made ghost, "
	    "which never showed our mark; look at it in the console\n"
	    "left pod.trainer ghost 400000: it is unclear whether it was made; "
	    "the next apply settles it\n");
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 1);
}

/* Renamed, or its environment edited, before we ever saw it. */
static void
test_run_create_stops_at_half_a_mark(void **state)
{
	struct run_world *r = *state;

	for (int i = 0; i < 2; i++) {
		run_release(r);
		run_init(r);
		run_trainer(r);
		run_effect_only(r, CLOUD_CREATE_POD);
		if (i == 0)
			r->w.pods.items[0].config.name = STR("mine");
		else
			r->w.pods.items[0].mark = (struct str){0};
		run_answer(r, CLOUD_CREATE_POD, unclear(500, "oops"));
		run_drive(r);
		assert_text(run_outcome(r), "exit 10\n"
		    "failed create pod.trainer: pod new1 carries half of its "
		    "mark: it was renamed or edited before we saw it; see "
		    "podform audit\n"
		    "left pod.trainer ? 400000: it is unclear whether it was "
		    "made; the next apply settles it\n");
		assert_int_equal(r->sent[CLOUD_CREATE_POD], 1);
		assert_int_equal(r->sent[CLOUD_DELETE_POD], 0);
	}
}

static void
test_run_create_ends_the_double_of_an_op(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	run_effect_only(r, CLOUD_CREATE_POD);
	run_honest(r, CLOUD_CREATE_POD);	/* the same request, again */
	r->silent_lists = true;
	(void)run_said(r);
	run_drive(r);
	assert_int_equal(r->w.pods.n, 1);
	assert_true(str_is(r->w.pods.items[0].id, "new2"));
	assert_true(str_is(world_entry(&r->w, "pod.trainer")->id, "new2"));
	run_expect(r,
	    "done running pod.trainer\n"
	    "start ssh pod.trainer\n"
	    "probe 1.2.3.4:2222\n"
	    "start undo-delete pod.trainer\n"
	    "send get pod new1\n"
	    "done ssh pod.trainer\n"
	    "intent delete pod.trainer #02\n"
	    "send delete pod new1\n"
	    "send get pod new1\n"
	    "result done #02\n"
	    "done undo-delete pod.trainer\n");
}

/* ------------------------------------------------------ volumes and pods -- */

static void
test_run_create_gives_a_pod_its_new_volume(void **state)
{
	struct run_world *r = *state;

	world_spec(&r->w,
	    "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	    "pods:\n"
	    "  trainer: { image: x:1, gpu: A40, ports: [80/http],\n"
	    "    network_volume: { volume: d, path: /w } }\n");
	run_start(r);
	run_expect(r,
	    "start create volume.d\n"
	    "intent create volume.d #01\n"
	    "send create volume d#01\n");
	run_effect_only(r, CLOUD_CREATE_VOLUME);
	run_answer(r, CLOUD_CREATE_VOLUME, unclear(500, "oops"));
	(void)run_said(r);
	run_honest(r, CLOUD_LIST_VOLUMES);
	run_expect(r,
	    "id create volume.d: new1\n"
	    "result done #01 new1 adopted\n"
	    "done create volume.d\n"
	    "start create pod.trainer\n"
	    "intent create pod.trainer #02\n"
	    "send create pod trainer#02 NVIDIA A40 on new1\n");
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, added 2\n");
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, run_setup, run_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_create_until_ssh_answers),
		TEST(test_run_create_moves_on_or_stops_by_the_refusal),
		TEST(test_run_create_says_that_no_candidate_was_left),
		TEST(test_run_create_keeps_the_budget_at_the_last_moment),
		TEST(test_run_create_leaves_the_budget_of_starts_alone),
		TEST(test_run_create_sends_the_same_op_again_only_without_effect),
		TEST(test_run_create_gives_up_after_five_retries),
		TEST(test_run_create_adopts_what_an_unclear_answer_had_made),
		TEST(test_run_create_settles_before_a_new_op),
		TEST(test_run_create_finds_a_late_effect),
		TEST(test_run_create_counts_only_complete_listings),
		TEST(test_run_create_ignores_a_listing_asked_before),
		TEST(test_run_create_gives_up_when_nothing_ever_answers),
		TEST(test_run_create_believes_no_answer_without_our_mark),
		TEST(test_run_create_believes_no_id_that_it_has),
		TEST(test_run_create_makes_no_second_pod_beside_a_claimed_one),
		TEST(test_run_create_stops_at_half_a_mark),
		TEST(test_run_create_ends_the_double_of_an_op),
		TEST(test_run_create_gives_a_pod_its_new_volume),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
