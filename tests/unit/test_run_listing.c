/* test_run_listing.c - how often the cloud is looked at, and what it means */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "run_world.h"

/* Pods that are made at once and stay PROVISIONING until the test says so. */
static void
start_waiting(struct run_world *r, const char *replicas)
{
	r->options.parallelism = 100;
	r->born_as = POD_PROVISIONING;
	r->silent_lists = true;
	world_trainer(&r->w, arena_printf(&r->w.arena,
	    "ports: [80/http]\n    replicas: %s", replicas).data);
	run_start(r);
	while (run_waits_for(r, CLOUD_CREATE_POD))
		run_honest(r, CLOUD_CREATE_POD);
}

/* Answer listings, each after took_ms, for a while; how many there were. */
static size_t
listings_in(struct run_world *r, int64_t ms, int64_t took_ms,
    struct cloud_answer answer)
{
	int64_t end = r->now_ms + ms;
	size_t before = r->sent[CLOUD_LIST_PODS];

	while (r->now_ms < end) {
		run_to_listing(r);
		r->now_ms += took_ms;
		answer.pods = r->w.pods.items;
		answer.npods = r->w.pods.n;
		run_answer(r, CLOUD_LIST_PODS, answer);
	}
	return r->sent[CLOUD_LIST_PODS] - before;
}

static struct cloud_answer
listing(void)
{
	return (struct cloud_answer){ .outcome = OUTCOME_OK, .status = 200,
		.ratelimit_left = -1 };
}

static void
all_run(struct run_world *r)
{
	for (size_t i = 0; i < r->w.pods.n; i++)
		r->w.pods.items[i].status = POD_RUNNING;
}

static void
test_run_one_listing_serves_all_that_wait(void **state)
{
	struct run_world *r = *state;

	start_waiting(r, "30");
	assert_int_equal(r->sent[CLOUD_LIST_PODS], 1);
	run_honest(r, CLOUD_LIST_PODS);
	all_run(r);
	run_to_listing(r);
	run_honest(r, CLOUD_LIST_PODS);
	assert_text(run_outcome(r), "exit 0, added 30\n");
	assert_int_equal(r->sent[CLOUD_LIST_PODS], 2);
	assert_int_equal(r->sent[CLOUD_GET_POD], 0);
}

/* At most twenty, and two a second: those before the run count as four. */
static void
test_run_listings_keep_their_pace(void **state)
{
	struct run_world *r = *state;
	int64_t began = r->now_ms;

	start_waiting(r, "1");
	for (int second = 0; second < 60; second++) {
		(void)listings_in(r, 1000, 5, listing());
		int64_t passed = (r->now_ms - began) / 1000 + 1;
		assert_in_range(r->sent[CLOUD_LIST_PODS], 1,
		    16 + 2 * passed);
	}
	/* What has waited for minutes costs few. */
	assert_in_range(listings_in(r, 60000, 5, listing()), 5, 22);
	all_run(r);
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, added 1\n");
}

static void
test_run_sees_soon_what_takes_two_seconds(void **state)
{
	struct run_world *r = *state;

	start_waiting(r, "1");
	(void)listings_in(r, 2000, 5, listing());
	all_run(r);
	int64_t ready = r->now_ms;
	run_drive(r);
	assert_in_range(r->now_ms - ready, 0, 300);
}

static void
test_run_listings_follow_a_slow_service(void **state)
{
	struct run_world *r = *state;

	start_waiting(r, "1");
	assert_in_range(listings_in(r, 30000, 2000, listing()), 1, 8);
}

/* Never more than half of what the rate limit leaves. */
static void
test_run_listings_leave_half_of_the_quota(void **state)
{
	struct run_world *r = *state;
	struct cloud_answer answer = listing();

	start_waiting(r, "1");
	answer.ratelimit_left = 10;
	answer.ratelimit_reset_ms = 60000;
	run_to_listing(r);
	assert_in_range(listings_in(r, 60000, 5, answer), 1, 6);
}

static void
test_run_failed_listings_back_off(void **state)
{
	struct run_world *r = *state;
	struct cloud_answer later = says(429, REASON_RATE_LIMITED, "slow");

	start_waiting(r, "1");
	assert_in_range(listings_in(r, 60000, 5, unclear(502, "gone")), 3, 7);
	later.retry_after_ms = 120000;
	run_to_listing(r);
	run_answer(r, CLOUD_LIST_PODS, later);
	int64_t told = r->now_ms;
	run_to_listing(r);
	assert_true(r->now_ms - told >= 120000);
}

/* A shrunken listing kills nothing; one that says it for long does. */
static void
test_run_one_listing_without_it_means_nothing(void **state)
{
	struct run_world *r = *state;

	start_waiting(r, "1");
	struct cloud_pod pod = r->w.pods.items[0];
	r->w.pods.n = 0;
	(void)listings_in(r, 30000, 5, listing());
	assert_false(run_finished(r->run));
	*ARENA_PUSH(&r->w.arena, &r->w.pods) = pod;
	all_run(r);
	run_drive(r);
	assert_text(run_outcome(r), "exit 0, added 1\n");

	run_release(r);
	run_init(r);
	start_waiting(r, "1");
	r->w.pods.n = 0;
	run_drive(r);
	assert_non_null(strstr(run_outcome(r),
	    "failed running pod.trainer: it has vanished from the account"));
	assert_int_equal(r->w.lock.entries.n, 0);
	assert_int_equal(r->w.lock.pending.n, 0);
}

/* The key is revoked while we wait: nothing can be seen or undone. */
static void
test_run_that_may_not_look_any_more_names_what_bills(void **state)
{
	struct run_world *r = *state;
	struct cloud_answer no = says(401, REASON_AUTH, "unauthorized");

	start_waiting(r, "2");
	for (int i = 0; i < 40; i++) {
		run_lie(r, CLOUD_LIST_PODS, 0, false, no);
		run_lie(r, CLOUD_GET_POD, 0, false, no);
	}
	run_drive(r);
	assert_text(run_outcome(r), "exit 10, added 2\n"
	    "failed running pod.trainer[0]: unauthorized\n"
	    "failed running pod.trainer[1]: unauthorized\n"
	    "failed delete pod.trainer[0]: unauthorized\n"
	    "failed delete pod.trainer[1]: unauthorized\n"
	    "left pod.trainer[0] new1 400000: could not be undone: "
	    "unauthorized\n"
	    "left pod.trainer[1] new2 400000: could not be undone: "
	    "unauthorized\n");
}

/* Something is told of every wait at least every ten seconds. */
static void
test_run_tells_of_every_wait(void **state)
{
	struct run_world *r = *state;

	start_waiting(r, "1");
	r->silent_lists = false;
	for (int i = 0; i < 10; i++) {
		(void)run_said(r);
		(void)listings_in(r, 20000, 5, listing());
		assert_non_null(strstr(run_said(r),
		    "progress running pod.trainer: provisioning\n"));
	}
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, run_setup, run_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_one_listing_serves_all_that_wait),
		TEST(test_run_listings_keep_their_pace),
		TEST(test_run_sees_soon_what_takes_two_seconds),
		TEST(test_run_listings_follow_a_slow_service),
		TEST(test_run_listings_leave_half_of_the_quota),
		TEST(test_run_failed_listings_back_off),
		TEST(test_run_one_listing_without_it_means_nothing),
		TEST(test_run_that_may_not_look_any_more_names_what_bills),
		TEST(test_run_tells_of_every_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
