/* test_run_change.c - what is there is changed, ended, waited for */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "run_world.h"

/* A trainer that is there, and the plan to end it. */
static void
start_delete(struct run_world *r)
{
	run_release(r);
	run_init(r);
	world_trainer(&r->w, "ports: [80/http]");
	world_settle(&r->w);
	r->w.options.mode = PLAN_DESTROY;
	run_start(r);
}

/* A trainer that is there, and another line in its spec. */
static void
start_change(struct run_world *r, const char *before, const char *after)
{
	run_release(r);
	run_init(r);
	world_trainer(&r->w, before);
	world_settle(&r->w);
	world_pod(&r->w, "pod.trainer")->has_runtime = true;
	world_trainer(&r->w, after);
	run_start(r);
}

/* ------------------------------------------------------------- deleting -- */

#define VERIFIED \
	"start delete pod.trainer\n" \
	"send get pod pod1\n" \
	"intent delete pod.trainer #01\n" \
	"send delete pod pod1\n"

/* Gone is what a GET and a listing asked for after it both say. */
static void
test_run_delete_until_it_is_gone(void **state)
{
	struct run_world *r = *state;

	start_delete(r);
	run_honest(r, CLOUD_GET_POD);
	run_expect(r, VERIFIED);
	run_honest(r, CLOUD_DELETE_POD);
	run_expect(r, "send get pod pod1\n");
	run_honest(r, CLOUD_GET_POD);
	run_expect(r, "send list pods\n");
	run_honest(r, CLOUD_LIST_PODS);
	run_expect(r, "result done #01\ndone delete pod.trainer\n");
	assert_text(run_outcome(r), "exit 0, destroyed 1\n");
	assert_int_equal(r->w.lock.entries.n, 0);
}

static void
test_run_delete_looks_again_while_get_and_listing_disagree(void **state)
{
	struct run_world *r = *state;

	start_delete(r);
	run_honest(r, CLOUD_GET_POD);
	struct cloud_pod living = r->w.pods.items[0];
	run_honest(r, CLOUD_DELETE_POD);
	(void)run_said(r);
	/* A replica that is behind: the listing lacks it, the GET has it. */
	run_answer(r, CLOUD_GET_POD, one_pod(r, living));
	run_honest(r, CLOUD_LIST_PODS);
	run_expect(r, "send list pods\nsend get pod pod1\n");
	run_honest(r, CLOUD_GET_POD);
	run_to_listing(r);
	/* Now the other way round. */
	*ARENA_PUSH(&r->w.arena, &r->w.pods) = living;
	run_honest(r, CLOUD_LIST_PODS);
	r->w.pods.n--;
	run_expect(r, "send list pods\n");
	run_to_listing(r);
	run_honest(r, CLOUD_LIST_PODS);
	assert_text(run_outcome(r), "exit 0, destroyed 1\n");
}

/* It does so at the pace of one who waits: not of one who has just begun. */
static void
test_run_delete_that_does_not_show_is_not_hammered(void **state)
{
	struct run_world *r = *state;

	start_delete(r);
	run_honest(r, CLOUD_GET_POD);
	r->silent_lists = true;
	run_answer(r, CLOUD_DELETE_POD, says(404, REASON_NOT_FOUND, "no"));
	int64_t began = r->now_ms;
	while (r->now_ms - began < 55000)
		run_step(r);
	assert_in_range(r->sent[CLOUD_LIST_PODS], 10, 120);
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, destroyed 1\n");
}

static void
test_run_delete_is_repeated_after_an_unclear_answer(void **state)
{
	struct run_world *r = *state;

	start_delete(r);
	run_honest(r, CLOUD_GET_POD);
	run_expect(r, VERIFIED);
	run_effect_only(r, CLOUD_DELETE_POD);
	run_answer(r, CLOUD_DELETE_POD, unclear(504, "timeout"));
	run_expect(r, "retry delete pod.trainer: timeout\n");
	run_pass(r, 2000);
	run_expect(r, "send delete pod pod1\n");
	run_honest(r, CLOUD_DELETE_POD);	/* 404 */
	run_expect(r, "send get pod pod1\n");
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, destroyed 1\n");
}

/* To what a GET does not show nothing is sent, and it is not believed gone
 * before the settling time. */
static void
test_run_delete_of_what_is_gone_confirms_it(void **state)
{
	struct run_world *r = *state;

	start_delete(r);
	run_answer(r, CLOUD_GET_POD, says(404, REASON_NOT_FOUND, "no"));
	r->w.pods.n = 0;
	r->silent_lists = true;
	int64_t began = r->now_ms;
	run_drive(r);
	assert_true(r->now_ms - began >= 60000);
	assert_int_equal(r->sent[CLOUD_DELETE_POD], 0);
	assert_true(r->sent[CLOUD_LIST_PODS] >= 3);
	assert_text(run_outcome(r), "exit 0, destroyed 1\n");
	assert_int_equal(r->w.lock.entries.n, 0);
}

static void
test_run_delete_that_finds_it_alive_after_a_404(void **state)
{
	struct run_world *r = *state;

	start_delete(r);
	run_answer(r, CLOUD_GET_POD, says(404, REASON_NOT_FOUND, "no"));
	run_drive(r);
	assert_int_equal(r->sent[CLOUD_DELETE_POD], 0);
	assert_int_equal(r->w.lock.pending.n, 0);
	assert_text(run_outcome(r), "exit 10\n"
	    "failed delete pod.trainer: it is there after all; plan again\n"
	    "left pod.trainer pod1 400000: could not be removed: it is there "
	    "after all; plan again\n");
}

static void
test_run_delete_that_never_ends_is_left(void **state)
{
	struct run_world *r = *state;

	start_delete(r);
	for (int i = 0; i < 20; i++)
		run_lie(r, CLOUD_DELETE_POD, 0, false, unclear(500, "oops"));
	run_drive(r);
	assert_text(run_outcome(r), "exit 10\n"
	    "failed delete pod.trainer: oops\n"
	    "left pod.trainer pod1 400000: could not be removed: oops\n");
	assert_int_equal(r->sent[CLOUD_DELETE_POD], 6);
	assert_int_equal(r->w.lock.entries.n, 1);
}

/* Hands off, also if the id stands in our lock. */
static void
test_run_change_sends_nothing_to_what_is_not_marked(void **state)
{
	static const char *const names[] = { "trainer", "trainer-pf" };
	struct run_world *r = *state;

	for (int i = 0; i < 3; i++) {
		start_delete(r);
		if (i < 2) {
			r->w.pods.items[0].config.name = str_from(names[i]);
			r->w.pods.items[0].mark = (struct str){0};
		} else {
			r->w.pods.items[0].mark = STR("v1 "
			    "00000000000000000000000000000000 "
			    "00000000000000000000000000000001 pod.trainer");
		}
		run_honest(r, CLOUD_GET_POD);
		assert_true(run_finished(r->run));
		assert_int_equal(r->sent[CLOUD_DELETE_POD], 0);
		assert_non_null(strstr(run_outcome(r),
		    "does not carry our mark"));
	}
}

/* ------------------------------------------------- start, stop, update -- */

static void
test_run_stop_and_start_end_with_what_is_recorded(void **state)
{
	struct run_world *r = *state;

	start_change(r, "", "state: stopped");
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, stopped 1\n");
	assert_true(world_entry(&r->w, "pod.trainer")->stopped);

	start_change(r, "", "");
	world_pod(&r->w, "pod.trainer")->status = POD_EXITED;
	run_start(r);
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, started 1\n");
	assert_false(world_entry(&r->w, "pod.trainer")->stopped);
}

/* Somebody has brought the state to what is wanted; the rest is sent. */
static void
test_run_update_records_the_state_that_is_wanted(void **state)
{
	struct run_world *r = *state;

	run_release(r);
	run_init(r);
	world_trainer(&r->w, "");
	world_settle(&r->w);
	world_trainer(&r->w, "state: stopped");
	world_settle(&r->w);
	world_pod(&r->w, "pod.trainer")->status = POD_RUNNING;
	world_trainer(&r->w, "args: two");
	run_start(r);
	assert_true(world_entry(&r->w, "pod.trainer")->stopped);
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, changed 1\n");
	assert_false(world_entry(&r->w, "pod.trainer")->stopped);
}

/* Sent once more only when a GET shows that it did not happen. */
static void
test_run_stop_looks_after_an_unclear_answer(void **state)
{
	struct run_world *r = *state;

	for (int happened = 0; happened < 2; happened++) {
		start_change(r, "", "state: stopped");
		run_lie(r, CLOUD_STOP_POD, 0, happened, unclear(500, "oops"));
		run_drive(r);
		assert_text(run_outcome(r), "exit 0, stopped 1\n");
		assert_int_equal(r->sent[CLOUD_STOP_POD], 2 - happened);
	}
}

static void
test_run_start_without_a_gpu_is_no_capacity(void **state)
{
	struct run_world *r = *state;

	start_change(r, "", "");
	world_pod(&r->w, "pod.trainer")->status = POD_EXITED;
	run_start(r);
	run_lie(r, CLOUD_START_POD, 0, false,
	    says(400, REASON_NO_CAPACITY, "no free GPUs on the host"));
	run_drive(r);
	assert_text(run_outcome(r), "exit 7\n"
	    "failed start pod.trainer: no free GPUs on the host\n");
}

/* Interrupted while it is unclear: it may bill, and the op stays open. */
static void
test_run_start_interrupted_while_unclear_is_left(void **state)
{
	struct run_world *r = *state;

	start_change(r, "", "");
	world_pod(&r->w, "pod.trainer")->status = POD_EXITED;
	run_start(r);
	run_lie(r, CLOUD_START_POD, 0, true, unclear(500, "oops"));
	run_drive_until(r, CLOUD_START_POD, 1);
	run_step(r);
	run_answer(r, CLOUD_GET_POD, unclear(500, "oops"));
	run_signal(r);
	assert_text(run_outcome(r), "exit 10\n"
	    "failed start pod.trainer: stopped after an unclear answer\n"
	    "left pod.trainer pod1 -1: its outcome is unclear; the next apply "
	    "settles it\n");
	assert_int_equal(r->w.lock.pending.n, 1);
}

static void
test_run_update_looks_after_an_unclear_answer(void **state)
{
	struct run_world *r = *state;

	for (int happened = 0; happened < 2; happened++) {
		start_change(r, "args: a", "args: b");
		run_lie(r, CLOUD_UPDATE_POD, 0, happened,
		    unclear(502, "bad gateway"));
		run_drive(r);
		assert_text(run_outcome(r), "exit 0, changed 1\n");
		assert_int_equal(r->sent[CLOUD_UPDATE_POD], 2 - happened);
		assert_true(str_is(
		    world_entry(&r->w, "pod.trainer")->pod.args, "b"));
		assert_int_equal(r->w.lock.pending.n, 0);
	}
}

/* The listing was behind: what somebody has done since is not overwritten,
 * for nobody was shown that. */
static void
test_run_update_leaves_what_the_plan_did_not_show(void **state)
{
	struct run_world *r = *state;
	struct env_var more[] = { { STR_INIT("A"), STR_INIT("1"), false },
		{ STR_INIT("BY_HAND"), STR_INIT("2"), false } };

	for (int i = 0; i < 3; i++) {
		start_change(r, "args: a\n    ports: [22/tcp]\n"
		    "    env: { A: '1' }",
		    "args: b\n    ports: [22/tcp, 80/http]\n"
		    "    env: { A: '3' }");
		struct cloud_pod now = *world_pod(&r->w, "pod.trainer");
		struct str port = STR("23/tcp");
		if (i == 0)
			now.config.args = STR("by hand");
		if (i == 1)
			now.config.env = more, now.config.nenv = 2;
		if (i == 2)
			now.config.ports = &port, now.config.nports = 1;
		run_answer(r, CLOUD_GET_POD, (struct cloud_answer){
			.outcome = OUTCOME_OK, .status = 200, .pods = &now,
			.npods = 1 });
		run_drive(r);
		assert_text(run_outcome(r), "exit 1\n"
		    "failed update pod.trainer: it is not as the plan showed "
		    "it any more, so it is left as it is; plan again\n");
		assert_int_equal(r->sent[CLOUD_UPDATE_POD], 0);
	}
}

static void
test_run_update_refused_changes_no_record(void **state)
{
	struct run_world *r = *state;

	start_change(r, "args: a", "args: b");
	run_lie(r, CLOUD_UPDATE_POD, 0, false,
	    says(422, REASON_BAD_REQUEST, "no such"));
	run_drive(r);
	assert_text(run_outcome(r), "exit 1\n"
	    "failed update pod.trainer: no such\n");
	assert_true(str_is(world_entry(&r->w, "pod.trainer")->pod.args, "a"));
}

/* --------------------------------------------------------- confirm gone -- */

/* One that vanished from listing and GET is replaced only when settled. */
static void
test_run_confirm_settles_before_a_lost_pod_is_made_again(void **state)
{
	struct run_world *r = *state;

	world_trainer(&r->w, "ports: [80/http]");
	world_settle(&r->w);
	struct cloud_pod hidden = r->w.pods.items[0];
	r->w.pods.n = 0;
	run_start(r);
	r->silent_lists = true;
	run_expect(r,
	    "start confirm pod.trainer\n"
	    "intent delete pod.trainer #01\n"
	    "send list pods\n");
	int64_t began = r->now_ms;
	run_drive_until(r, CLOUD_CREATE_POD, 1);
	assert_true(r->now_ms - began >= 60000);
	run_expect(r,
	    "send get pod pod1\n"
	    "result done #01\n"
	    "done confirm pod.trainer\n"
	    "start create pod.trainer\n"
	    "intent create pod.trainer #02\n"
	    "send create pod trainer#02 NVIDIA A40\n");

	/* And if it turns up again, no second one is made. */
	run_release(r);
	run_init(r);
	world_trainer(&r->w, "ports: [80/http]");
	world_settle(&r->w);
	r->w.pods.n = 0;
	run_start(r);
	run_drive_until(r, CLOUD_LIST_PODS, 5);
	*ARENA_PUSH(&r->w.arena, &r->w.pods) = hidden;
	r->w.pods.items[0].id = world_entry(&r->w, "pod.trainer")->id;
	run_drive(r);
	assert_text(run_outcome(r), "exit 1\n"
	    "failed confirm pod.trainer: it is there after all; plan again\n");
	assert_int_equal(r->sent[CLOUD_CREATE_POD], 0);
	assert_int_equal(r->w.lock.entries.n, 1);
}

/* -------------------------------------------------- waiting until it runs -- */

static void
test_run_waits_for_life_and_not_for_a_word(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	r->born_as = POD_PROVISIONING;
	run_honest(r, CLOUD_CREATE_POD);
	struct cloud_pod *pod = &r->w.pods.items[0];
	pod->has_runtime = false;
	pod->ssh.port = 0;
	(void)run_said(r);
	run_honest(r, CLOUD_LIST_PODS);
	run_expect(r, "progress running pod.trainer: provisioning\n");
	run_to_listing(r);
	pod->status = POD_RUNNING;
	run_honest(r, CLOUD_LIST_PODS);
	run_expect(r, "send list pods\n"
	    "progress running pod.trainer: container is starting\n");
	run_to_listing(r);
	pod->has_runtime = true;
	run_honest(r, CLOUD_LIST_PODS);
	run_expect(r, "send list pods\n"
	    "progress running pod.trainer: waiting for its ports\n");
	run_to_listing(r);
	pod->ssh.port = 2222;
	run_honest(r, CLOUD_LIST_PODS);
	run_banner(r, false);
	run_expect(r, "send list pods\n"
	    "done running pod.trainer\n"
	    "start ssh pod.trainer\n"
	    "probe 1.2.3.4:2222\n"
	    "progress ssh pod.trainer: waiting for SSH to answer\n");
	run_to_listing(r);
	pod->ssh.port = 3333;		/* another after a restart */
	run_honest(r, CLOUD_LIST_PODS);
	run_expect(r, "send list pods\nprobe 1.2.3.4:3333\n");
	run_banner(r, true);
	assert_text(run_outcome(r), "exit 0, added 1\n");
}

static void
test_run_ends_what_is_not_ready_in_time(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	r->born_as = POD_PROVISIONING;
	r->silent_lists = true;
	run_drive(r);
	assert_text(run_outcome(r), "exit 9, undone 1\n"
	    "failed running pod.trainer: not ready after 10m: "
	    "provisioning\n");
	assert_int_equal(r->w.pods.n, 0);
	assert_int_equal(r->w.lock.entries.n, 0);
}

static void
test_run_ends_what_died_or_shows_another_mark(void **state)
{
	struct run_world *r = *state;

	run_trainer(r);
	r->born_as = POD_EXITED;
	run_drive(r);
	assert_text(run_outcome(r), "exit 9, undone 1\n"
	    "failed running pod.trainer: its container has exited\n");

	run_release(r);
	run_init(r);
	run_trainer(r);
	run_honest(r, CLOUD_CREATE_POD);
	r->w.pods.items[0].config.name = STR("other");
	r->w.pods.items[0].mark = (struct str){0};
	run_drive(r);
	assert_int_equal(run_summary(r->run)->exit_code, 10);
	assert_int_equal(r->sent[CLOUD_DELETE_POD], 0);
	assert_non_null(strstr(run_outcome(r), "left pod.trainer new1 "));
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, run_setup, run_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_delete_until_it_is_gone),
		TEST(test_run_delete_looks_again_while_get_and_listing_disagree),
		TEST(test_run_delete_that_does_not_show_is_not_hammered),
		TEST(test_run_delete_is_repeated_after_an_unclear_answer),
		TEST(test_run_delete_of_what_is_gone_confirms_it),
		TEST(test_run_delete_that_finds_it_alive_after_a_404),
		TEST(test_run_delete_that_never_ends_is_left),
		TEST(test_run_change_sends_nothing_to_what_is_not_marked),
		TEST(test_run_stop_and_start_end_with_what_is_recorded),
		TEST(test_run_update_records_the_state_that_is_wanted),
		TEST(test_run_stop_looks_after_an_unclear_answer),
		TEST(test_run_start_without_a_gpu_is_no_capacity),
		TEST(test_run_start_interrupted_while_unclear_is_left),
		TEST(test_run_update_looks_after_an_unclear_answer),
		TEST(test_run_update_leaves_what_the_plan_did_not_show),
		TEST(test_run_update_refused_changes_no_record),
		TEST(test_run_confirm_settles_before_a_lost_pod_is_made_again),
		TEST(test_run_waits_for_life_and_not_for_a_word),
		TEST(test_run_ends_what_is_not_ready_in_time),
		TEST(test_run_ends_what_died_or_shows_another_mark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
