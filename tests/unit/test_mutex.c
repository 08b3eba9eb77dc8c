/* test_mutex.c - one writer at a time, and what is said about the other */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lock/mutex.h"
#include "lock_fixture.h"

#define MUTEX_PATH "project/.podform/mutex"

static const struct mutex_holder ada = {
	.id = STR_INIT("k7"), .operation = STR_INIT("apply"),
	.who = STR_INIT("ada@box"), .boot_id = STR_INIT("boot-1"),
	.version = STR_INIT("0.1.0"), .pid = 4711,
	.created = STR_INIT("2026-11-21T09:11:21Z"),
	.run_url = STR_INIT("https://ci.example/7"),
};

static enum mutex_result
take(struct bench *b, struct mutex *mutex, struct mutex_holder *other)
{
	return mutex_take(mutex, &b->arena, &b->fs, MUTEX_PATH, &ada, other,
	    &b->diags);
}

static void
assert_says(const char *report, const char *words)
{
	if (strstr(report, words) == NULL)
		fail_msg("'%s' is not in:\n%s", words, report);
}

static void
test_mutex_second_taker_learns_who_holds_it(void **state)
{
	struct bench b;
	struct mutex first, second;
	struct mutex_holder other;
	bool held;
	(void)state;
	bench_init(&b);
	assert_false(mutex_read(&b.arena, &b.fs, MUTEX_PATH, &other, &held));
	assert_int_equal(take(&b, &first, &other), MUTEX_TAKEN);
	assert_int_equal(take(&b, &second, &other), MUTEX_HELD);
	assert_int_equal(second.fd, -1);
	assert_true(str_is(other.who, "ada@box"));
	assert_int_equal(other.pid, 4711);
	assert_true(str_is(other.run_url, "https://ci.example/7"));
	assert_true(mutex_read(&b.arena, &b.fs, MUTEX_PATH, &other, &held));
	assert_true(held && str_is(other.id, "k7"));
	mutex_release(&first, &b.fs);
	mutex_release(&first, &b.fs);		/* harmless */
	assert_true(mutex_read(&b.arena, &b.fs, MUTEX_PATH, &other, &held));
	assert_true(!held && str_is(other.who, "ada@box"));
	assert_int_equal(take(&b, &second, &other), MUTEX_TAKEN);
	assert_int_equal(second.holder.fence, 1);
	mutex_release(&second, &b.fs);
	assert_int_equal(fake_fs_open_handles(b.fake), 0);
	assert_string_equal(bench_report(&b), "");
	bench_release(&b);
}

static void
test_mutex_of_a_dead_holder_is_free_but_remembered(void **state)
{
	struct bench b;
	struct mutex mutex;
	struct mutex_holder other;
	bool held = true;
	(void)state;
	bench_init(&b);
	assert_int_equal(take(&b, &mutex, &other), MUTEX_TAKEN);
	fake_fs_process_death(b.fake);
	assert_true(mutex_read(&b.arena, &b.fs, MUTEX_PATH, &other, &held));
	assert_false(held);
	assert_int_equal(other.pid, 4711);
	assert_int_equal(take(&b, &mutex, &other), MUTEX_TAKEN);
	assert_int_equal(mutex.holder.fence, 1);
	mutex_release(&mutex, &b.fs);
	bench_release(&b);
}

static void
test_mutex_report_says_everything_and_what_to_type(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	mutex_report(&b.diags, &ada, MUTEX_PATH);
	const char *report = bench_report(&b);
	assert_says(report, "the lock is held by ada@box, pid 4711, since "
	    "2026-11-21T09:11:21Z, doing apply");
	assert_says(report, "https://ci.example/7");
	assert_says(report, "podform unlock k7");
	assert_says(report, MUTEX_PATH);
	assert_says(report, "boot-1");
	mutex_report(&b.diags, &(struct mutex_holder){ 0 }, MUTEX_PATH);
	assert_says(bench_report(&b), "the lock is held by somebody");
	bench_release(&b);
}

static void
test_mutex_damaged_content_hinders_nobody(void **state)
{
	struct bench b;
	struct mutex mutex, second;
	struct mutex_holder other;
	bool held;
	(void)state;
	bench_init(&b);
	fake_fs_put(b.fake, MUTEX_PATH, STR("{\"id\": \"k"), 0600);
	assert_false(mutex_read(&b.arena, &b.fs, MUTEX_PATH, &other, &held));
	assert_int_equal(take(&b, &mutex, &other), MUTEX_TAKEN);
	assert_int_equal(take(&b, &second, &other), MUTEX_HELD);
	assert_true(str_is(other.who, "ada@box"));
	mutex_release(&mutex, &b.fs);
	bench_release(&b);
}

static void
test_mutex_odd_files_are_refused(void **state)
{
	struct bench b;
	struct mutex mutex;
	struct mutex_holder other;
	(void)state;
	bench_init(&b);
	fake_fs_put(b.fake, "victim", STR("precious"), 0600);
	fake_fs_put_link(b.fake, MUTEX_PATH, "/victim");
	assert_int_equal(take(&b, &mutex, &other), MUTEX_FAILED);
	assert_says(bench_report(&b), "is a symbolic link");
	fake_fs_put_fifo(b.fake, MUTEX_PATH);
	assert_int_equal(take(&b, &mutex, &other), MUTEX_FAILED);
	assert_says(bench_report(&b), "is not a plain file");
	assert_true(str_is(fake_fs_text(b.fake, "victim"), "precious"));
	assert_int_equal(fake_fs_open_handles(b.fake), 0);
	bench_release(&b);
}

/* An error is never mistaken for "taken". */
static void
test_mutex_error_at_any_call_is_reported(void **state)
{
	bool fired = true;
	(void)state;
	for (uint64_t at = 1; fired; at++) {
		struct bench b;
		struct mutex mutex;
		struct mutex_holder other;
		bench_init(&b);
		b.fake->faults = (struct fake_faults){ .at = at,
		    .error = EIO };
		enum mutex_result result = take(&b, &mutex, &other);
		fired = b.fake->fired;
		assert_int_not_equal(result, MUTEX_HELD);
		assert_true((result == MUTEX_FAILED) == (b.diags.errors > 0));
		assert_true((result == MUTEX_TAKEN) == (mutex.fd >= 0));
		mutex_release(&mutex, &b.fs);
		assert_int_equal(fake_fs_open_handles(b.fake), 0);
		bench_release(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutex_second_taker_learns_who_holds_it),
		cmocka_unit_test(
		    test_mutex_of_a_dead_holder_is_free_but_remembered),
		cmocka_unit_test(
		    test_mutex_report_says_everything_and_what_to_type),
		cmocka_unit_test(test_mutex_damaged_content_hinders_nobody),
		cmocka_unit_test(test_mutex_odd_files_are_refused),
		cmocka_unit_test(test_mutex_error_at_any_call_is_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
