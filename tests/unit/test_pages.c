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
	assert_true(take(f, LAST(POD_TEXT("a"))));
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
