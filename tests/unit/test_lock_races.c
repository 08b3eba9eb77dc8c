/*
 * test_lock_races.c - files that somebody changes between two of our calls,
 * and answers of the system that come once in a lifetime.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lock/mutex.h"
#include "lock_fixture.h"

#define MUTEX_PATH "project/.podform/mutex"

/* The disk of a bench, with something that happens before one of its calls,
 * and something that is put into its answers. */
static struct {
	struct fs real;
	void (*before_read)(void);
	struct bench *bench;
	const char *path;
	struct str text;		/* that before_read puts there */
	int stat_fd_calls, odd_at;	/* this answer is of another mode */
	bool other_device;
	int link_error, rename_error;	/* errno values; 0 none */
	const char *rename_of;
	bool same_chance;
} twist;

static ssize_t
twisted_read(void *ctx, int fd, void *buf, size_t n)
{
	if (twist.before_read != NULL) {
		void (*act)(void) = twist.before_read;
		twist.before_read = NULL;
		act();
	}
	return twist.real.read(ctx, fd, buf, n);
}

static int
twisted_stat_fd(void *ctx, int fd, struct fs_info *info)
{
	int result = twist.real.stat_fd(ctx, fd, info);

	if (++twist.stat_fd_calls == twist.odd_at)
		info->mode = 0666;
	return result;
}

static int
twisted_stat(void *ctx, const char *path, bool follow, struct fs_info *info)
{
	int result = twist.real.stat(ctx, path, follow, info);

	info->device += twist.other_device;
	return result;
}

static int
twisted_link(void *ctx, const char *from, const char *to)
{
	return twist.link_error != 0 ? -twist.link_error :
	    twist.real.link(ctx, from, to);
}

static int
twisted_rename(void *ctx, const char *from, const char *to)
{
	if (twist.rename_error != 0 && strcmp(to, twist.rename_of) == 0)
		return -twist.rename_error;
	return twist.real.rename(ctx, from, to);
}

static void
twist_init(struct bench *b)
{
	bench_init(b);
	memset(&twist, 0, sizeof twist);
	twist.real = b->fs;
	twist.bench = b;
	b->fs.read = twisted_read;
	b->fs.stat_fd = twisted_stat_fd;
	b->fs.stat = twisted_stat;
	b->fs.link = twisted_link;
	b->fs.rename = twisted_rename;
}

/* Writes over the file in its place, as an editor may. */
static void
overwrite(void)
{
	const struct fs *fs = &twist.real;
	int fd = fs->open(fs->ctx, twist.path, FS_READ_WRITE, 0);

	assert_true(fd >= 0);
	assert_int_equal(fs->truncate(fs->ctx, fd, 0), 0);
	assert_int_equal(fs_write_all(fs, fd, twist.text), 0);
	fs->close(fs->ctx, fd);
}

static void
assert_says(struct bench *b, const char *words)
{
	const char *report = bench_report(b);
	if (strstr(report, words) == NULL)
		fail_msg("'%s' is not in:\n%s", words, report);
}

static struct lock *
read_lock(struct bench *b)
{
	return lock_read(&b->arena, &b->fs, LOCK_PATH, 1000, &b->sources,
	    &b->diags);
}

/* ---------------------------------------------- changed while it is read -- */

/* A lock is written beside and renamed: what grows or shrinks is not ours. */
static void
test_lock_that_changes_while_it_is_read_is_refused(void **state)
{
	(void)state;
	for (int longer = 0; longer < 2; longer++) {
		struct bench b;
		twist_init(&b);
		struct str text = str_from(text_of(&b.arena,
		    full_lock(&b.arena)));
		fake_fs_put(b.fake, LOCK_PATH, text, 0644);
		twist.path = LOCK_PATH;
		twist.text = longer ? arena_printf(&b.arena, STR_FMT "\n",
		    STR_ARG(text)) : str_sub(text, 0, text.len - 1);
		twist.before_read = overwrite;
		assert_null(read_lock(&b));
		assert_says(&b, "lock file 'project/podform.lock' changed "
		    "while it was read");
		assert_int_equal(fake_fs_open_handles(b.fake), 0);
		bench_release(&b);
	}
}

/* A journal is appended to and emptied: what was there at first counts. */
static void
test_journal_that_changes_while_it_is_read_is_read_as_it_was(void **state)
{
	(void)state;
	for (int longer = 0; longer < 2; longer++) {
		struct bench b;
		struct journal journal;
		struct records records;
		struct record begin = begin_record(41);
		twist_init(&b);
		assert_true(journal_open(&journal, &b.arena, &b.fs,
		    JOURNAL_PATH, &b.diags));
		assert_true(journal_append(&journal, &begin, 1, &b.diags));
		journal_close(&journal);
		twist.path = JOURNAL_PATH;
		twist.text = longer ? arena_printf(&b.arena, STR_FMT "00",
		    STR_ARG(fake_fs_text(b.fake, JOURNAL_PATH))) : STR("");
		twist.before_read = overwrite;
		assert_true(journal_read(&b.arena, &b.fs, JOURNAL_PATH, 1000,
		    &records, &b.diags));
		assert_int_equal(records.list.n, longer);
		assert_false(records.torn);
		assert_string_equal(bench_report(&b), "");
		bench_release(&b);
	}
}

/* ------------------------------------------ another file than was looked at */

static void
test_lock_that_is_swapped_before_it_is_opened_is_refused(void **state)
{
	struct bench b;
	(void)state;
	twist_init(&b);
	fake_fs_put(b.fake, LOCK_PATH, str_from(text_of(&b.arena,
	    full_lock(&b.arena))), 0644);
	twist.odd_at = 1;
	assert_null(read_lock(&b));
	assert_says(&b, "lock file 'project/podform.lock' can be changed by "
	    "other users (mode 0666)");
	assert_int_equal(fake_fs_open_handles(b.fake), 0);
	bench_release(&b);
}

static void
test_journal_that_is_swapped_before_it_is_opened_is_refused(void **state)
{
	struct bench b;
	struct journal journal;
	(void)state;
	twist_init(&b);
	fake_fs_put(b.fake, JOURNAL_PATH, STR(""), 0600);
	twist.odd_at = 2;		/* 1 is of the one that is read */
	assert_false(journal_open(&journal, &b.arena, &b.fs, JOURNAL_PATH,
	    &b.diags));
	assert_says(&b, "journal 'project/.podform/journal' can be changed by "
	    "other users (mode 0666)");
	assert_int_equal(journal.fd, -1);
	assert_int_equal(fake_fs_open_handles(b.fake), 0);
	bench_release(&b);
}

static void
test_mutex_that_is_swapped_before_it_is_opened_is_refused(void **state)
{
	struct bench b;
	struct mutex mutex;
	struct mutex_holder nobody = { 0 }, other;
	(void)state;
	twist_init(&b);
	twist.odd_at = 1;
	assert_int_equal(mutex_take(&mutex, &b.arena, &b.fs, MUTEX_PATH,
	    &nobody, &other, &b.diags), MUTEX_FAILED);
	assert_says(&b, "mutex 'project/.podform/mutex' can be changed by "
	    "other users (mode 0666)");
	assert_int_equal(mutex.fd, -1);
	assert_int_equal(fake_fs_open_handles(b.fake), 0);
	bench_release(&b);
}

/* Two file systems have files of one number each. */
static void
test_journal_on_another_device_is_another_file(void **state)
{
	struct bench b;
	struct journal journal;
	struct record begin = begin_record(41);
	(void)state;
	twist_init(&b);
	assert_true(journal_open(&journal, &b.arena, &b.fs, JOURNAL_PATH,
	    &b.diags));
	twist.other_device = true;
	assert_false(journal_append(&journal, &begin, 1, &b.diags));
	assert_says(&b, "cannot find journal");
	assert_int_equal(fake_fs_text(b.fake, JOURNAL_PATH).len, 0);
	journal_close(&journal);
	bench_release(&b);
}

/* ------------------------------------------------------------- the backup -- */

/* Two versions, the second of which is at hand; the lock of the third. */
static struct lock *
two_versions(struct bench *b)
{
	struct lock *lock = full_lock(&b->arena);

	for (lock->serial = 40; lock->serial < 42; lock->serial++)
		assert_true(lock_commit(&b->fs, &b->chance, LOCK_PATH, lock,
		    &b->diags));
	lock = read_lock(b);
	lock->serial = 42;
	return lock;
}

static int64_t
serial_at(struct bench *b, const char *path)
{
	struct lock *lock = lock_read(&b->arena, &b->fs, path, 1000, NULL,
	    &b->diags);

	return lock != NULL ? lock->serial : -1;
}

/* What file systems without hard links say, and what is a failure. */
static void
test_lock_commit_copies_where_there_are_no_hard_links(void **state)
{
	static const struct { int error; bool copies; } rows[] = {
		{ EPERM, true }, { ENOTSUP, true }, { ENOSYS, true },
		{ EMLINK, true }, { EACCES, false }, { EIO, false },
		/* At every name that was tried. */
		{ EEXIST, false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct bench b;
		twist_init(&b);
		struct lock *lock = two_versions(&b);
		twist.link_error = rows[i].error;
		bool done = lock_commit(&b.fs, &b.chance, LOCK_PATH, lock,
		    &b.diags);
		assert_int_equal(done, rows[i].copies);
		if (!done)
			assert_says(&b, "cannot link 'project/podform.lock"
			    ".tmp-");
		assert_int_equal(serial_at(&b, LOCK_PATH), done ? 42 : 41);
		assert_int_equal(serial_at(&b, BACKUP_PATH), done ? 41 : 40);
		bench_release(&b);
	}
}

/* Of the copy, too, any failure is one of the commit. */
static void
test_lock_commit_fails_where_the_copy_does(void **state)
{
	size_t failed = 0;
	bool fired = true;
	(void)state;

	for (uint64_t at = 1; fired; at++) {
		struct bench b;
		twist_init(&b);
		struct lock *lock = two_versions(&b);
		twist.link_error = EPERM;
		b.fake->calls = 0;
		b.fake->faults = (struct fake_faults){ .at = at };
		bool done = lock_commit(&b.fs, &b.chance, LOCK_PATH, lock,
		    &b.diags);
		fired = b.fake->fired;
		failed += !done;
		assert_int_equal(done, b.diags.errors == 0);
		b.fake->faults.at = 0;
		bench_report(&b);
		assert_in_range(serial_at(&b, LOCK_PATH), done ? 42 : 41, 42);
		assert_in_range(serial_at(&b, BACKUP_PATH), 40, 41);
		assert_int_equal(fake_fs_open_handles(b.fake), 0);
		bench_release(&b);
	}
	assert_true(failed > 8);
	/* The last step of it, and what it had made goes. */
	struct bench b;
	twist_init(&b);
	struct lock *lock = two_versions(&b);
	twist.link_error = EPERM;
	twist.rename_error = ENOSPC;
	twist.rename_of = BACKUP_PATH;
	assert_false(lock_commit(&b.fs, &b.chance, LOCK_PATH, lock,
	    &b.diags));
	assert_says(&b, "cannot rename 'project/podform.lock.tmp-");
	struct str *names;
	size_t n;
	assert_int_equal(b.fs.list(b.fs.ctx, &b.arena, "project", &names, &n),
	    0);
	assert_int_equal(n, 3);		/* .podform, lock, backup */
	bench_release(&b);
}

static void
no_chance(void *ctx, void *bytes, size_t n)
{
	(void)ctx;
	memset(bytes, 0, n);
}

/* Somebody has made every name that we would take. */
static void
test_lock_commit_gives_up_where_every_name_is_taken(void **state)
{
	struct bench b;
	(void)state;
	twist_init(&b);
	struct lock *lock = two_versions(&b);
	b.chance.bytes = no_chance;
	fake_fs_put(b.fake, LOCK_PATH ".tmp-0000000000000000", STR("mine"),
	    0600);
	lock->swept = true;
	assert_false(lock_commit(&b.fs, &b.chance, LOCK_PATH, lock,
	    &b.diags));
	assert_says(&b, "cannot create 'project/podform.lock.tmp-"
	    "0000000000000000': File exists");
	assert_true(str_is(fake_fs_text(b.fake, LOCK_PATH
	    ".tmp-0000000000000000"), "mine"));
	assert_int_equal(serial_at(&b, LOCK_PATH), 41);
	bench_release(&b);
}

static void
test_lock_commit_reads_again_after_a_signal(void **state)
{
	struct bench b;
	(void)state;
	twist_init(&b);
	struct lock *lock = two_versions(&b);
	b.fake->calls = 0;
	b.fake->faults = (struct fake_faults){ .at = 1, .only = "read",
	    .error = EINTR };
	assert_true(lock_commit(&b.fs, &b.chance, LOCK_PATH, lock,
	    &b.diags));
	assert_true(b.fake->fired);
	assert_int_equal(serial_at(&b, LOCK_PATH), 42);
	bench_release(&b);
}

/* ---------------------------------------------------------- other answers -- */

/* Something stands in the way of the path. */
static void
test_lock_on_a_path_through_a_file_says_so(void **state)
{
	static const struct { int error; bool hint; } rows[] = {
		{ ENOTDIR, true }, { ELOOP, true }, { EACCES, false },
	};
	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct bench b;
		twist_init(&b);
		b.fake->faults = (struct fake_faults){ .at = 1,
		    .only = "stat", .error = rows[i].error };
		assert_null(read_lock(&b));
		const char *report = bench_report(&b);
		assert_non_null(strstr(report, "cannot examine lock file"));
		assert_int_equal(strstr(report, "hint: what stands in place "
		    "of a directory") != NULL, rows[i].hint);
		bench_release(&b);
	}
}

/* ------------------------------------------------------------ what is too big */

static void
test_lock_that_would_be_too_large_is_not_committed(void **state)
{
	struct bench b;
	(void)state;
	twist_init(&b);
	struct lock *lock = two_versions(&b);
	char *huge = arena_alloc(&b.arena, LOCK_BYTES_MAX);
	memset(huge, 'x', LOCK_BYTES_MAX);
	lock->project = (struct str){ huge, LOCK_BYTES_MAX };
	assert_false(lock_commit(&b.fs, &b.chance, LOCK_PATH, lock,
	    &b.diags));
	assert_says(&b, "cannot commit lock file 'project/podform.lock': it "
	    "would be larger than 50331648 bytes");
	assert_int_equal(serial_at(&b, LOCK_PATH), 41);
	bench_release(&b);
}

static void
test_journal_that_would_be_too_large_takes_nothing(void **state)
{
	enum { MOST = 256 << 20 };
	struct bench b;
	struct journal journal;
	struct record begin = begin_record(41);
	(void)state;
	twist_init(&b);
	assert_true(journal_open(&journal, &b.arena, &b.fs, JOURNAL_PATH,
	    &b.diags));
	assert_true(journal_append(&journal, &begin, 1, &b.diags));
	size_t len = fake_fs_text(b.fake, JOURNAL_PATH).len;
	journal.size = MOST - len;
	assert_true(journal_append(&journal, &begin, 1, &b.diags));
	assert_int_equal(journal.size, MOST);
	journal.size = MOST - len + 1;
	assert_false(journal_append(&journal, &begin, 1, &b.diags));
	assert_says(&b, "cannot write journal 'project/.podform/journal': "
	    "File too large");
	assert_true(journal.failed);
	assert_int_equal(fake_fs_text(b.fake, JOURNAL_PATH).len, 2 * len);
	journal_close(&journal);
	bench_release(&b);
}

/* -------------------------------------------------------------- the mutex -- */

/* Whatever else is in the file: nobody is named, and nobody is hindered. */
static void
test_mutex_of_other_content_names_nobody(void **state)
{
	static const char *const texts[] = { "", "[]", "7", "null",
		"{\"pid\": \"4711\", \"who\": \"ada\"}", "{\"fence\": -1}",
		"{\"released\": 1}", "{\"id\": [\"k\"]}" };
	(void)state;

	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct bench b;
		struct mutex mutex;
		struct mutex_holder self = { .id = STR("k"), .fence = 3 },
		    other;
		bool held = true;
		twist_init(&b);
		fake_fs_put(b.fake, MUTEX_PATH, str_from(texts[i]), 0600);
		assert_false(mutex_read(&b.arena, &b.fs, MUTEX_PATH, &other,
		    &held));
		assert_false(held);
		assert_int_equal(mutex_take(&mutex, &b.arena, &b.fs,
		    MUTEX_PATH, &self, &other, &b.diags), MUTEX_TAKEN);
		/* A number that is not known is none to go by. */
		assert_int_equal(mutex.holder.fence, 3);
		mutex_release(&mutex, &b.fs);
		bench_release(&b);
	}
}

/* Somebody holds it whose words cannot be read: it is held all the same. */
static void
test_mutex_that_is_held_by_nobody_known_is_held(void **state)
{
	struct bench b;
	struct mutex_holder other;
	bool held = false;
	(void)state;
	twist_init(&b);
	fake_fs_put(b.fake, MUTEX_PATH, STR("?"), 0600);
	int fd = b.fs.open(b.fs.ctx, MUTEX_PATH, FS_READ_WRITE, 0);
	assert_int_equal(b.fs.lock(b.fs.ctx, fd), 0);
	assert_true(mutex_read(&b.arena, &b.fs, MUTEX_PATH, &other, &held));
	assert_true(held);
	b.fs.close(b.fs.ctx, fd);
	bench_release(&b);
}

/* Where it cannot be asked, the words in the file are what there is. */
static void
test_mutex_that_cannot_be_asked_is_told_by_its_words(void **state)
{
	struct bench b;
	struct mutex_holder other;
	bool held = true;
	(void)state;
	twist_init(&b);
	fake_fs_put(b.fake, MUTEX_PATH, STR("{\"id\":\"k7\",\"fence\":4}"),
	    0600);
	b.fake->faults = (struct fake_faults){ .at = 2, .only = "open",
	    .error = EACCES };
	assert_true(mutex_read(&b.arena, &b.fs, MUTEX_PATH, &other, &held));
	assert_true(b.fake->fired);
	assert_false(held);
	assert_true(str_is(other.id, "k7"));
	bench_release(&b);
}

static void
test_mutex_fence_is_above_all_before(void **state)
{
	static const struct { int64_t before, own, wanted; } rows[] = {
		{ 4, 0, 5 }, { 4, 4, 5 }, { 4, 5, 5 }, { 4, 9, 9 },
	};
	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct bench b;
		struct mutex mutex;
		struct mutex_holder self = { .fence = rows[i].own }, other;
		twist_init(&b);
		fake_fs_put(b.fake, MUTEX_PATH, arena_printf(&b.arena,
		    "{\"fence\": %d}", (int)rows[i].before), 0600);
		assert_int_equal(mutex_take(&mutex, &b.arena, &b.fs,
		    MUTEX_PATH, &self, &other, &b.diags), MUTEX_TAKEN);
		assert_int_equal(mutex.holder.fence, rows[i].wanted);
		mutex_release(&mutex, &b.fs);
		bench_release(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_lock_that_changes_while_it_is_read_is_refused),
		cmocka_unit_test(
	test_journal_that_changes_while_it_is_read_is_read_as_it_was),
		cmocka_unit_test(
	test_lock_that_is_swapped_before_it_is_opened_is_refused),
		cmocka_unit_test(
	test_journal_that_is_swapped_before_it_is_opened_is_refused),
		cmocka_unit_test(
	test_mutex_that_is_swapped_before_it_is_opened_is_refused),
		cmocka_unit_test(
		    test_journal_on_another_device_is_another_file),
		cmocka_unit_test(
		    test_lock_commit_copies_where_there_are_no_hard_links),
		cmocka_unit_test(test_lock_commit_fails_where_the_copy_does),
		cmocka_unit_test(
		    test_lock_commit_gives_up_where_every_name_is_taken),
		cmocka_unit_test(test_lock_commit_reads_again_after_a_signal),
		cmocka_unit_test(test_lock_on_a_path_through_a_file_says_so),
		cmocka_unit_test(
		    test_lock_that_would_be_too_large_is_not_committed),
		cmocka_unit_test(
		    test_journal_that_would_be_too_large_takes_nothing),
		cmocka_unit_test(test_mutex_of_other_content_names_nobody),
		cmocka_unit_test(
		    test_mutex_that_is_held_by_nobody_known_is_held),
		cmocka_unit_test(
		    test_mutex_that_cannot_be_asked_is_told_by_its_words),
		cmocka_unit_test(test_mutex_fence_is_above_all_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
