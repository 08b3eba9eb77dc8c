/* test_run_listing.c - how often the cloud is looked at, and what it means */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"
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

/* ------------------------------------------------ one answer, by itself --- */

/* Two that wait for pods, one for volumes, one that has stopped waiting. */
static void
watch(struct act_world *f, struct act acts[4], struct plan_change *volume)
{
	*volume = (struct plan_change){ .kind = KIND_VOLUME,
		.address = STR("volume.d") };
	f->run.watching.n = 0;
	f->run.lists[LIST_PODS] = (struct listing_state){ .watchers = 3,
		.in_flight = true };
	f->run.lists[LIST_VOLUMES] = (struct listing_state){ .watchers = 1 };
	f->run.open = 4;
	for (size_t i = 0; i < 4; i++) {
		acts[i] = (struct act){ .kind = i == 2 ? ACTION_VOLUME_CREATE
			: ACTION_POD_CREATE, .subject = &f->subject,
			.change = i == 2 ? volume : &f->change, .index = i,
			.phase = i == 1 ? PH_WATCH : i == 3 ? PH_CHECK
							    : PH_RESOLVE,
			.component = SIZE_MAX, .wait_ms = 1000 * (int64_t)i };
		*ARENA_PUSH(&f->w.arena, &f->run.watching) = &acts[i];
	}
	f->run.effects.n = f->run.effects_at = 0;
}

/* Once may be a slip of the service; three times the key is gone. */
static void
test_run_listing_refused_thrice_fails_those_who_need_it(void **state)
{
	const struct cloud_answer no = says(401, REASON_AUTH, "who?");
	struct plan_change volume;
	struct act_world *f = *state;
	struct act acts[4];

	watch(f, acts, &volume);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(acts[0].phase, PH_RESOLVE);
		listing_answer(&f->run, LIST_PODS, &no);
	}
	assert_int_equal(acts[0].phase, PH_FAILED);
	assert_int_equal(acts[1].phase, PH_FAILED);
	assert_int_equal(acts[2].phase, PH_RESOLVE);
	assert_int_equal(acts[3].phase, PH_CHECK);
	assert_int_equal(acts[0].failure, FAIL_AUTH);
	assert_true(str_is(acts[0].reason, "who?"));

	/* A good one between them begins the count anew. */
	f->run.options.settle_ms = INT64_MAX;
	watch(f, acts, &volume);
	for (int i = 0; i < 10; i++) {
		const struct cloud_answer good = listing();
		listing_answer(&f->run, LIST_PODS, i % 3 == 2 ? &good : &no);
		assert_int_equal(acts[0].phase, PH_RESOLVE);
	}
}

/* Those who wait for it, and for it alone. */
static void
test_run_listing_is_told_to_those_who_wait_for_it(void **state)
{
	const struct cloud_answer none = listing();
	struct plan_change volume;
	struct act_world *f = *state;
	struct act acts[4];

	for (int which = 0; which < LIST_COUNT; which++) {
		watch(f, acts, &volume);
		listing_answer(&f->run, which, &none);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(acts[i].clean, which == LIST_PODS
				? i < 2 : i == 2);
	}
}

/* No picture is not an empty one: 2, 4, 8, 16, 32 s, or what it asks for. */
static void
test_run_listing_that_failed_is_asked_for_later(void **state)
{
	static const int64_t pauses[] = { 2000, 4000, 8000, 16000, 32000,
		32000, 32000 };
	struct cloud_answer no = unclear(502, "gone");
	struct act_world *f = *state;
	struct listing_state *list = &f->run.lists[LIST_PODS];

	for (size_t i = 0; i < COUNTOF(pauses); i++) {
		listing_answer(&f->run, LIST_PODS, &no);
		assert_int_equal(list->next_ms, f->run.now_ms + pauses[i]);
		assert_false(list->in_flight);
	}
	no.retry_after_ms = 32001;
	listing_answer(&f->run, LIST_PODS, &no);
	assert_int_equal(list->next_ms, f->run.now_ms + 32001);
}

static void
test_run_listing_is_slow_where_the_quota_is_low(void **state)
{
	static const struct { int64_t left, reset_ms, interval_ms; } rows[] = {
		{ -1, 600000, 77 },		/* not told: as it was */
		{ 0, 30000, 30000 }, { 1, 30000, 30000 }, { 2, 30000, 30000 },
		{ 4, 30000, 15000 }, { 5, 30000, 15000 }, { 100, 30000, 600 },
		{ 0, 600000, 60000 },		/* never slower than that */
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct cloud_answer answer = listing();
		answer.ratelimit_left = rows[i].left;
		answer.ratelimit_reset_ms = rows[i].reset_ms;
		f->run.quota_interval_ms = 77;
		listing_answer(&f->run, LIST_PODS, &answer);
		assert_int_equal(f->run.quota_interval_ms,
		    rows[i].interval_ms);
	}
}

/* A twentieth of the youngest wait for it, within limits. */
static void
test_run_listing_has_the_pace_of_the_youngest_wait(void **state)
{
	static const struct {
		int64_t waited_ms, took_ms, quota_ms, sent, after_ms;
	} rows[] = {
		{ 0, 0, 0, 0, 125 }, { 2500, 0, 0, 0, 125 },
		{ 4000, 0, 0, 0, 200 }, { 200000, 0, 0, 0, 10000 },
		{ 900000, 0, 0, 0, 10000 },
		{ 0, 500, 0, 0, 1000 }, { 0, 0, 900, 0, 900 },
		/* The burst of sixteen, and two a second. */
		{ 0, 0, 0, 13, 125 }, { 0, 0, 0, 14, 166 },
		{ 0, 0, 0, 15, 250 }, { 0, 0, 0, 16, 500 },
		{ 0, 0, 0, 40, 500 },
	};
	static const enum phase waits[] = { PH_WATCH, PH_RESOLVE, PH_CHECK };
	const struct cloud_answer answer = listing();
	struct plan_change volume;
	struct act_world *f = *state;
	struct act acts[4];

	f->run.options.settle_ms = INT64_MAX;
	for (size_t i = 0; i < COUNTOF(rows); i++)
	for (size_t j = 0; j < COUNTOF(waits); j++) {
		struct listing_state *list = &f->run.lists[LIST_PODS];
		watch(f, acts, &volume);
		f->run.now_ms = f->run.began_ms = 1000000;
		/* Who asks about its own will wait again; another has waited
		 * for longer, one for volumes not as long, one waits no more. */
		acts[0].wait_ms = 0;
		acts[1].phase = PH_QUEUED;
		acts[1].wait_ms = acts[2].wait_ms = 1000000;
		acts[3].phase = waits[j];
		acts[3].wait_ms = 1000000 - rows[i].waited_ms;
		list->sent_ms = 1000000 - rows[i].took_ms;
		f->run.quota_interval_ms = rows[i].quota_ms;
		f->run.listings = (size_t)rows[i].sent;
		listing_answer(&f->run, LIST_PODS, &answer);
		assert_int_equal(list->next_ms - list->sent_ms,
		    rows[i].after_ms);
	}
}

/* The earliest of those that somebody waits for and that are not asked. */
static void
test_run_listing_is_due_when_somebody_waits(void **state)
{
	static const struct {
		size_t pods, volumes;		/* who wait */
		bool pods_asked, volumes_asked;
		int64_t pods_ms, volumes_ms, due_ms;
	} rows[] = {
		{ 0, 0, false, false, 1, 2, -1 },
		{ 1, 0, false, false, 9, 2, 9 },
		{ 0, 1, false, false, 1, 2, 2 },
		{ 1, 1, false, false, 9, 2, 2 },
		{ 1, 1, false, false, 1, 2, 1 },
		{ 1, 1, true, false, 1, 2, 2 },
		{ 1, 1, false, true, 9, 2, 9 },
		{ 1, 1, true, true, 1, 2, -1 },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		f->run.lists[LIST_PODS] = (struct listing_state){
			.watchers = rows[i].pods,
			.in_flight = rows[i].pods_asked,
			.next_ms = rows[i].pods_ms };
		f->run.lists[LIST_VOLUMES] = (struct listing_state){
			.watchers = rows[i].volumes,
			.in_flight = rows[i].volumes_asked,
			.next_ms = rows[i].volumes_ms };
		assert_int_equal(listing_deadline(&f->run), rows[i].due_ms);
	}
}

/* Which of two listings an answer is of is known by its token. */
static void
test_run_listing_of_each_kind_has_a_token_of_its_own(void **state)
{
	struct act_world *f = *state;
	struct run_effect pods, volumes;

	for (size_t i = 0; i < LIST_COUNT; i++)
		f->run.lists[i].watchers = 1;
	listing_pump(&f->run);
	pods = act_effect(f, RUN_REQUEST);
	volumes = act_effect(f, RUN_REQUEST);
	assert_no_effect(f);
	assert_int_equal(pods.request.op, CLOUD_LIST_PODS);
	assert_int_equal(volumes.request.op, CLOUD_LIST_VOLUMES);
	assert_int_equal(pods.token, f->run.lists[LIST_PODS].token);
	assert_int_equal(volumes.token, f->run.lists[LIST_VOLUMES].token);
	assert_int_not_equal(pods.token, volumes.token);
	assert_int_equal(pods.timeout_ms, 30000);
	assert_int_equal(f->run.listings, 2);
	/* They are on their way: once is enough. */
	listing_pump(&f->run);
	assert_no_effect(f);
	/* Another one is another one. */
	f->run.lists[LIST_PODS].in_flight = false;
	listing_pump(&f->run);
	assert_int_not_equal(act_effect(f, RUN_REQUEST).token, pods.token);
}

/* Of two pods with one op the one that is known is kept; the other is ended
 * where both halves of its mark are ours, and once. */
static void
test_run_listing_ends_doubles_of_this_run_alone(void **state)
{
	static const struct {
		const char *id;
		enum pod_status status;
		bool no_mark, other_name, other_op, other_half, stopping,
		    ends;
	} rows[] = {
		{ "p2", POD_RUNNING, .ends = true },
		{ "p2", POD_EXITED, .ends = true },
		{ "p1", POD_RUNNING, .ends = false },	/* the one we know */
		{ "p2", POD_TERMINATED, .ends = false },
		{ "p2", POD_RUNNING, .no_mark = true },
		{ "p2", POD_RUNNING, .other_name = true },
		{ "p2", POD_RUNNING, .other_op = true },
		{ "p2", POD_RUNNING, .other_half = true },
		{ "p2", POD_RUNNING, .stopping = true },
	};
	struct act_world *f = *state;
	struct id128 op, other;

	assert_true(id128_parse(STR("11111111111111111111111111111111"), &op));
	assert_true(id128_parse(STR("22222222222222222222222222222222"),
	    &other));
	f->act.id = STR("p1");
	map_put(&f->run.made, f->run.arena, id128_str(&op), &f->act);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct id128 *its = rows[i].other_op ? &other : &op;
		struct cloud_pod pod = { .id = str_from(rows[i].id),
			.status = rows[i].status,
			.config.name = rows[i].other_name ? STR("mine")
			    : mark_name(&f->w.arena, STR("a"),
				&f->w.lock.lineage, rows[i].other_half
				    ? &other : its),
			.mark = rows[i].no_mark ? (struct str){0}
			    : mark_env(&f->w.arena, &f->w.lock.lineage, its,
				STR("pod.a")) };
		struct cloud_answer answer = listing();
		answer.pods = &pod;
		answer.npods = 1;
		f->run.acts.n = f->run.ready.n = f->run.open = 0;
		f->run.doubles = (struct map){0};
		f->run.stopping = rows[i].stopping;
		for (int twice = 0; twice < 2; twice++) {
			listing_answer(&f->run, LIST_PODS, &answer);
			if (f->run.acts.n != rows[i].ends)
				fail_msg("row %zu: %zu", i, f->run.acts.n);
		}
		if (!rows[i].ends)
			continue;
		const struct act *end = f->run.acts.items[0];
		assert_int_equal(end->kind, ACTION_POD_DELETE);
		assert_true(end->undo);
		assert_true(str_is(end->change->pod->id, "p2"));
		assert_int_equal(end->phase, PH_QUEUED);
	}
}

int
main(void)
{
#define ACT(name) \
	cmocka_unit_test_setup_teardown(name, act_setup, act_teardown)
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
		ACT(test_run_listing_refused_thrice_fails_those_who_need_it),
		ACT(test_run_listing_is_told_to_those_who_wait_for_it),
		ACT(test_run_listing_that_failed_is_asked_for_later),
		ACT(test_run_listing_is_slow_where_the_quota_is_low),
		ACT(test_run_listing_has_the_pace_of_the_youngest_wait),
		ACT(test_run_listing_is_due_when_somebody_waits),
		ACT(test_run_listing_of_each_kind_has_a_token_of_its_own),
		ACT(test_run_listing_ends_doubles_of_this_run_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
