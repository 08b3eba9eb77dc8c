/* test_workdir.c - the directory for what belongs to this machine */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lock/workdir.h"
#include "lock_fixture.h"

#define DIR "project/work"

static bool
open_dir(struct bench *b)
{
	return workdir_open(&b->fs, &b->arena, DIR, 1000, &b->diags);
}

static void
assert_says(struct bench *b, const char *words)
{
	const char *report = bench_report(b);
	if (strstr(report, words) == NULL)
		fail_msg("'%s' is not in:\n%s", words, report);
}

static void
test_workdir_is_made_private_and_ignored_by_git(void **state)
{
	struct bench b;
	struct fs_info info;
	(void)state;
	bench_init(&b);
	assert_true(open_dir(&b));
	fake_fs_power_loss(b.fake, IMAGE_SYNCED, 1);
	assert_int_equal(b.fs.stat(b.fs.ctx, DIR, false, &info), 0);
	assert_int_equal(info.type, FS_DIRECTORY);
	assert_int_equal(info.mode, 0700);
	fake_fs_remove(b.fake, DIR);
	assert_true(open_dir(&b));
	assert_true(str_is(fake_fs_text(b.fake, DIR "/.gitignore"), "*\n"));
	assert_true(open_dir(&b));		/* as it is */
	assert_int_equal(fake_fs_open_handles(b.fake), 0);
	assert_string_equal(bench_report(&b), "");
	bench_release(&b);
}

static void
test_workdir_of_others_is_refused(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	fake_fs_put_dir(b.fake, "elsewhere", 0700);
	fake_fs_put_link(b.fake, DIR, "/elsewhere");
	assert_false(open_dir(&b));
	assert_says(&b, "is a symbolic link, not a directory");
	fake_fs_put(b.fake, DIR, STR(""), 0600);
	assert_false(open_dir(&b));
	assert_says(&b, "is a file, not a directory");
	fake_fs_put_dir(b.fake, DIR, 0777);
	assert_false(open_dir(&b));
	assert_says(&b, "can be changed by other users (mode 0777)");
	fake_fs_put_dir(b.fake, DIR, 0700);
	fake_fs_own(b.fake, DIR, 33);
	assert_false(open_dir(&b));
	assert_says(&b, "belongs to user 33, but this is user 1000");
	bench_release(&b);
}

static void
test_workdir_error_is_reported(void **state)
{
	static const char *const calls[] = { "mkdir", "stat", "sync_dir" };
	(void)state;
	for (size_t i = 0; i < COUNTOF(calls); i++) {
		struct bench b;
		bench_init(&b);
		b.fake->faults = (struct fake_faults){ .at = 1,
		    .only = calls[i], .error = EROFS };
		assert_false(open_dir(&b));
		assert_says(&b, "Read-only file system");
		bench_release(&b);
	}
}

/* To keep git out is a convenience: without it the directory does as well. */
static void
test_workdir_does_without_its_gitignore(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	b.fake->faults = (struct fake_faults){ .at = 1, .only = "open",
	    .error = EACCES };
	assert_true(open_dir(&b));
	assert_true(b.fake->fired);
	assert_null(fake_fs_text(b.fake, DIR "/.gitignore").data);
	assert_string_equal(bench_report(&b), "");
	bench_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_workdir_does_without_its_gitignore),
		cmocka_unit_test(
		    test_workdir_is_made_private_and_ignored_by_git),
		cmocka_unit_test(test_workdir_of_others_is_refused),
		cmocka_unit_test(test_workdir_error_is_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
