/* test_pages.c - a listing in pages counts only as a whole */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cloud/runpod/runpod.h"
#include "run/pages.h"

#define POD_TEXT(id) \
	"{\"id\":\"" id "\",\"name\":\"n-" id "\",\"status\":\"RUNNING\"," \
	"\"image\":\"i:1\",\"args\":null,\"cloud\":\"SECURE\",\"disk\":10," \
	"\"ports\":[],\"env\":{},\"mounts\":null,\"cost\":0.5}"
#define PAGE(pod, cursor) \
	"{\"pods\":[" pod "],\"pagination\":{\"hasNextPage\":true," \
	"\"nextCursor\":\"" cursor "\"}}"
#define LAST(pod) "{\"pods\":[" pod "]}"

struct fixture {
	struct arena kept, turn;
	struct pages pages;
	struct cloud_answer answer;
};

static int
setup(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){0};
	fixture.pages.arena = &fixture.kept;
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	arena_release(&f->kept);
	arena_release(&f->turn);
	return 0;
}

/* One page; what the turns before it had is gone, as in the loop. */
static bool
take(struct fixture *f, const char *body)
{
	const struct cloud_request request = { .op = CLOUD_LIST_PODS };
	struct http_answer http = { .outcome = HTTP_ANSWERED, .status = 200 };

	arena_release(&f->turn);
	http.body = arena_str(&f->turn, str_from(body));
	if (pages_take(&f->pages, &runpod, &f->turn, &request, &http, 0,
		&f->answer))
		return true;
	memset((char *)http.body.data, 'x', http.body.len);
	return false;
}

static void
assert_refused(const struct fixture *f, const char *why)
{
	assert_int_equal(f->answer.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(f->answer.reason, REASON_MALFORMED);
	assert_true(str_is(f->answer.message, why));
	assert_int_equal(f->answer.npods, 0);
	/* The next try begins with the first page. */
	assert_int_equal(f->pages.cursor.len, 0);
	assert_int_equal(f->pages.n, 0);
}

static void
test_pages_outlive_the_turns_that_brought_them(void **state)
{
	struct fixture *f = *state;

	assert_false(take(f, PAGE(POD_TEXT("a"), "c1")));
	assert_true(str_is(f->pages.cursor, "c1"));
	assert_false(take(f, PAGE(POD_TEXT("b"), "c2")));
	assert_true(str_is(f->pages.cursor, "c2"));
	assert_true(take(f, LAST(POD_TEXT("c"))));
	assert_int_equal(f->answer.outcome, OUTCOME_OK);
	assert_int_equal(f->answer.npods, 3);
	assert_true(str_is(f->answer.pods[0].id, "a"));
	assert_true(str_is(f->answer.pods[0].config.name, "n-a"));
	assert_true(str_is(f->answer.pods[1].id, "b"));
	assert_true(str_is(f->answer.pods[2].config.name, "n-c"));
}

static void
test_pages_of_one_are_passed_through(void **state)
{
	struct fixture *f = *state;

	assert_true(take(f, LAST(POD_TEXT("a"))));
	assert_int_equal(f->answer.npods, 1);
	assert_int_equal(f->kept.total, 0);
}

static void
test_pages_with_one_pod_twice_are_no_listing(void **state)
{
	struct fixture *f = *state;

	assert_false(take(f, PAGE(POD_TEXT("a"), "c1")));
	assert_true(take(f, LAST(POD_TEXT("a") "," POD_TEXT("b"))));
	assert_refused(f, "one pod is on two pages of the listing");
}

static void
test_pages_that_go_in_a_circle_are_no_listing(void **state)
{
	struct fixture *f = *state;

	assert_false(take(f, PAGE(POD_TEXT("a"), "c1")));
	assert_true(take(f, PAGE(POD_TEXT("b"), "c1")));
	assert_refused(f, "the pages of the listing do not end");
}

static void
test_pages_without_an_end_are_no_listing(void **state)
{
	struct fixture *f = *state;
	int n = 1;

	while (!take(f, n % 2 ? PAGE("", "odd") : PAGE("", "even")))
		n++;
	assert_int_equal(n, 1000);
	assert_refused(f, "the pages of the listing do not end");
}

/* A page that failed is asked for again; those before it stay. */
static void
test_pages_go_on_after_a_failed_one(void **state)
{
	struct fixture *f = *state;

	assert_false(take(f, PAGE(POD_TEXT("a"), "c1")));
	assert_true(take(f, "{\"pods\":["));
	assert_int_equal(f->answer.outcome, OUTCOME_UNKNOWN);
	assert_true(str_is(f->pages.cursor, "c1"));
	assert_true(take(f, LAST(POD_TEXT("b"))));
	assert_int_equal(f->answer.npods, 2);
}

/* ------------------------------------------- limits, by a scripted cloud */

static struct cloud_answer scripted;

static void
decode_scripted(struct arena *arena, const struct cloud_request *request,
    const struct http_answer *http, int64_t wall_ms, struct cloud_answer *out)
{
	(void)arena;
	(void)request;
	(void)http;
	(void)wall_ms;
	*out = scripted;
}

static bool
take_scripted(struct fixture *f, size_t bytes)
{
	const struct cloud scripted_cloud = { .decode = decode_scripted };
	const struct cloud_request request = { .op = CLOUD_LIST_VOLUMES };
	struct http_answer http = { .outcome = HTTP_ANSWERED, .status = 200,
		.body = { "0123456789", bytes } };

	return pages_take(&f->pages, &scripted_cloud, &f->turn, &request,
	    &http, 0, &f->answer);
}

enum { MOST_BYTES = 256 << 20 };

/* What the pages before had, this page's bytes: is it too much? */
static const struct {
	size_t had, bytes;
	bool too_much;
} sizes[] = {
	{ 0, 10, false },
	{ MOST_BYTES - 10, 10, false },
	{ MOST_BYTES - 9, 10, true },
	{ MOST_BYTES, 1, true },
	{ 0, (size_t)MOST_BYTES + 1, true },
};

static void
test_pages_of_too_many_bytes_are_no_listing(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(sizes); i++) {
		scripted = (struct cloud_answer){ .outcome = OUTCOME_OK,
			.status = 207, .next_cursor = STR("more"),
			.request_id = STR("r1"), .ratelimit_left = 7,
			.ratelimit_reset_ms = 99 };
		f->pages = (struct pages){ .arena = &f->kept,
			.bytes = sizes[i].had };
		assert_int_equal(take_scripted(f, sizes[i].bytes),
		    sizes[i].too_much);
		if (!sizes[i].too_much) {
			assert_int_equal(f->pages.bytes,
			    sizes[i].had + sizes[i].bytes);
			continue;
		}
		assert_refused(f, "the pages of the listing do not end");
		/* What the service said of itself is kept. */
		assert_int_equal(f->answer.status, 207);
		assert_true(str_is(f->answer.request_id, "r1"));
		assert_int_equal(f->answer.ratelimit_left, 7);
		assert_int_equal(f->answer.ratelimit_reset_ms, 99);
	}
}

static void
test_pages_of_volumes_are_joined(void **state)
{
	struct cloud_volume first = { .id = STR("v1") };
	struct cloud_volume second = { .id = STR("v2") };
	struct fixture *f = *state;

	scripted = (struct cloud_answer){ .outcome = OUTCOME_OK,
		.volumes = &first, .nvolumes = 1, .next_cursor = STR("c") };
	assert_false(take_scripted(f, 1));
	scripted.volumes = &second;
	scripted.next_cursor = (struct str){0};
	assert_true(take_scripted(f, 1));
	assert_int_equal(f->answer.nvolumes, 2);
	assert_true(str_is(f->answer.volumes[0].id, "v1"));
	assert_true(str_is(f->answer.volumes[1].id, "v2"));
}

/* -------------------------------------------------------------- runners -- */

/* The body is the name of the page's one runner, its cursor is in the link:
 * both are borrowed, as real decoders do. */
static void
decode_runner(struct arena *arena, const struct github_request *request,
    const struct http_answer *http, int64_t wall_ms, struct github_answer *out)
{
	(void)request;
	(void)wall_ms;
	*out = (struct github_answer){
		.outcome = http->status == 200 ? OUTCOME_OK : OUTCOME_UNKNOWN,
		.status = http->status, .ratelimit_left = 41, .total = 3,
		.next_cursor = http->link,
	};
	out->runners = ARENA_NEW(arena, struct github_runner);
	out->runners->name = http->body;
	out->nrunners = 1;
}

static const struct github by_body = { .decode = decode_runner };

struct runners {
	struct arena kept, turn;
	struct runner_pages pages;
	struct github_answer answer;
};

static bool
take_runners(struct runners *r, int status, const char *body,
    const char *link)
{
	const struct github_request request = { .op = GITHUB_LIST_RUNNERS };
	struct http_answer http = { .outcome = HTTP_ANSWERED,
		.status = status };

	arena_release(&r->turn);
	http.body = arena_str(&r->turn, str_from(body));
	http.link = arena_str(&r->turn, str_from(link));
	if (runner_pages_take(&r->pages, &by_body, &r->turn, &request, &http,
		0, &r->answer))
		return true;
	memset((char *)http.body.data, 'x', http.body.len);
	memset((char *)http.link.data, 'x', http.link.len);
	return false;
}

static void
release_runners(struct runners *r)
{
	arena_release(&r->kept);
	arena_release(&r->turn);
}

static void
test_pages_of_runners_outlive_the_turns_that_brought_them(void **state)
{
	struct runners r = { .pages.arena = &r.kept };
	(void)state;

	assert_false(take_runners(&r, 200, "one", "c"));
	assert_true(str_is(r.pages.cursor, "c"));
	assert_false(take_runners(&r, 200, "two", "c2"));
	assert_true(str_is(r.pages.cursor, "c2"));
	/* One that fails is told as it is. */
	assert_true(take_runners(&r, 502, "oops", ""));
	assert_int_equal(r.answer.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(r.answer.status, 502);
	assert_true(take_runners(&r, 200, "three", ""));
	assert_int_equal(r.answer.outcome, OUTCOME_OK);
	assert_int_equal(r.answer.nrunners, 3);
	assert_true(str_is(r.answer.runners[0].name, "one"));
	assert_true(str_is(r.answer.runners[1].name, "two"));
	assert_true(str_is(r.answer.runners[2].name, "three"));
	release_runners(&r);
}

static void
test_pages_of_one_with_runners_are_passed_through(void **state)
{
	struct runners r = { .pages.arena = &r.kept };
	(void)state;

	assert_true(take_runners(&r, 200, "one", ""));
	assert_int_equal(r.answer.nrunners, 1);
	assert_int_equal(r.kept.total, 0);
	release_runners(&r);
}

static void
assert_no_end(const struct runners *r)
{
	assert_int_equal(r->answer.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(r->answer.reason, REASON_MALFORMED);
	assert_true(str_is(r->answer.message,
	    "the pages of the listing do not end"));
	assert_int_equal(r->answer.nrunners, 0);
	assert_int_equal(r->answer.total, -1);
	assert_int_equal(r->answer.status, 200);
	assert_int_equal(r->answer.ratelimit_left, 41);
	/* The next try begins with the first page, in the same arena. */
	assert_int_equal(r->pages.n, 0);
	assert_int_equal(r->pages.cursor.len, 0);
	assert_int_equal(r->pages.runners.n, 0);
	assert_ptr_equal(r->pages.arena, &r->kept);
}

static void
test_pages_of_runners_without_an_end_are_no_listing(void **state)
{
	struct runners r = { .pages.arena = &r.kept };
	int n = 1;
	(void)state;

	while (!take_runners(&r, 200, "x", n % 2 ? "odd" : "even"))
		n++;
	assert_int_equal(n, 1000);
	assert_no_end(&r);
	/* In a circle. */
	assert_false(take_runners(&r, 200, "x", "c1"));
	assert_true(take_runners(&r, 200, "x", "c1"));
	assert_no_end(&r);
	/* The last page may be the one that is too much. */
	for (size_t i = 0; i < 2; i++) {
		assert_false(take_runners(&r, 200, "x", "c1"));
		r.pages.bytes = MOST_BYTES - 3;
		assert_true(take_runners(&r, 200, i == 0 ? "yyy" : "yyyy",
		    ""));
		if (i == 0) {
			assert_int_equal(r.answer.nrunners, 2);
			r.pages = (struct runner_pages){ .arena = &r.kept };
		}
	}
	assert_no_end(&r);
	assert_false(take_runners(&r, 200, "yyyy", "c1"));
	assert_int_equal(r.pages.bytes, 4);
	assert_false(take_runners(&r, 200, "yy", "c2"));
	assert_int_equal(r.pages.bytes, 6);
	release_runners(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pages_outlive_the_turns_that_brought_them),
		TEST(test_pages_of_one_are_passed_through),
		TEST(test_pages_with_one_pod_twice_are_no_listing),
		TEST(test_pages_that_go_in_a_circle_are_no_listing),
		TEST(test_pages_without_an_end_are_no_listing),
		TEST(test_pages_go_on_after_a_failed_one),
		TEST(test_pages_of_too_many_bytes_are_no_listing),
		TEST(test_pages_of_volumes_are_joined),
		cmocka_unit_test(
		    test_pages_of_runners_outlive_the_turns_that_brought_them),
		cmocka_unit_test(
		    test_pages_of_one_with_runners_are_passed_through),
		cmocka_unit_test(
		    test_pages_of_runners_without_an_end_are_no_listing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
