/* test_lock_commit.c - replacing the lock file: faults, crashes, tricks */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lock_fixture.h"

static struct lock *
read_lock(struct bench *b)
{
	return lock_read(&b->arena, &b->fs, LOCK_PATH, 1000, &b->sources,
	    &b->diags);
}

static bool
commit(struct bench *b, struct lock *lock)
{
	return lock_commit(&b->fs, &b->chance, LOCK_PATH, lock, &b->diags);
}

static void
assert_says(struct bench *b, const char *words)
{
	const char *report = bench_report(b);
	if (strstr(report, words) == NULL)
		fail_msg("'%s' is not in:\n%s", words, report);
}

/* Names in the project directory, one per line. */
static const char *
names_in_project(struct bench *b)
{
	struct strbuf buf = { 0 };
	struct str *names;
	size_t n;
	assert_int_equal(b->fs.list(b->fs.ctx, &b->arena, "project", &names,
	    &n), 0);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&buf, STR_FMT "\n", STR_ARG(names[i]));
	const char *text = arena_cstr(&b->arena, strbuf_str(&buf));
	strbuf_release(&buf);
	return text;
}

static void
test_lock_commit_keeps_the_previous_version(void **state)
{
	struct bench b;
	struct fs_info info;
	(void)state;
	bench_init(&b);
	struct lock *lock = full_lock(&b.arena);
	assert_true(commit(&b, lock));
	assert_string_equal(names_in_project(&b), ".podform\npodform.lock\n");
	assert_int_equal(b.fs.stat(b.fs.ctx, LOCK_PATH, false, &info), 0);
	assert_int_equal(info.mode, 0600);
	for (int serial = 42; serial < 45; serial++) {
		lock->serial = serial;
		assert_true(commit(&b, lock));
		assert_int_equal(read_lock(&b)->serial, serial);
		struct lock *old = lock_read(&b.arena, &b.fs, BACKUP_PATH,
		    1000, NULL, &b.diags);
		assert_int_equal(old->serial, serial - 1);
	}
	assert_string_equal(names_in_project(&b),
	    ".podform\npodform.lock\npodform.lock.backup\n");
	assert_string_equal(bench_report(&b), "");
	assert_int_equal(fake_fs_open_handles(b.fake), 0);
	bench_release(&b);
}

/* A disk with version 41 at hand and 40 as backup, and the lock of 42. */
static struct lock *
arrange_three_versions(struct bench *b)
{
	struct lock *lock = full_lock(&b->arena);
	lock->serial = 40;
	assert_true(commit(b, lock));
	lock->serial = 41;
	assert_true(commit(b, lock));
	lock = read_lock(b);
	lock->serial = 42;
	*ARENA_PUSH(&b->arena, &lock->entries) = full_pod("pod.more", "m1");
	b->fake->calls = 0;
	return lock;
}

/* F20, F21, I7: whatever the moment and the disk, one of the versions. */
static void
crash_once(uint64_t at, enum fake_fault fault, enum fake_image image,
    uint64_t seed, bool *fired)
{
	struct bench b;
	bench_init(&b);
	struct lock *lock = arrange_three_versions(&b);
	b.fake->faults = (struct fake_faults){ .at = at, .fault = fault };
	bool done = commit(&b, lock);
	*fired = b.fake->fired;
	fake_fs_power_loss(b.fake, image, seed);
	bench_report(&b);
	struct lock *found = read_lock(&b);
	if (found == NULL)
		fail_msg("call %d: not readable: %s", (int)at,
		    bench_report(&b));
	if (!found->exists || found->serial < 41 || found->serial > 42)
		fail_msg("call %d image %d: serial %d", (int)at, (int)image,
		    (int)found->serial);
	assert_true((found->entries.n == 4) == (found->serial == 42));
	if (done)
		assert_int_equal(found->serial, 42);
	struct lock *old = lock_read(&b.arena, &b.fs, BACKUP_PATH, 1000,
	    NULL, &b.diags);
	assert_true(old != NULL && old->exists);
	assert_in_range(old->serial, 40, 41);
	bench_release(&b);
}

static void
test_lock_commit_crash_at_any_call_leaves_a_version(void **state)
{
	(void)state;
	bool fired = true;
	uint64_t at = 1;
	for (; fired; at++)
		for (int fault = FAULT_CRASH; fault <= FAULT_CRASH_AFTER;
		    fault++)
			for (uint64_t seed = 0; seed < 12; seed++)
				crash_once(at, (enum fake_fault)fault,
				    (enum fake_image)(seed % IMAGE_COUNT),
				    seed, &fired);
	assert_true(at > 14);		/* it did go through the calls */
}

/* F22, F23: any error is a failed commit that leaves no rubbish. */
static void
test_lock_commit_error_at_any_call_is_a_failure(void **state)
{
	(void)state;
	bool fired = true;
	for (uint64_t at = 1; fired; at++) {
		struct bench b;
		bench_init(&b);
		struct lock *lock = arrange_three_versions(&b);
		b.fake->faults = (struct fake_faults){ .at = at,
		    .error = ENOSPC };
		bool done = commit(&b, lock);
		fired = b.fake->fired;
		assert_true(done == (b.diags.errors == 0));
		b.fake->faults.at = 0;
		bench_report(&b);
		assert_int_equal(fake_fs_open_handles(b.fake), 0);
		assert_string_equal(names_in_project(&b),
		    ".podform\npodform.lock\npodform.lock.backup\n");
		struct lock *found = read_lock(&b);
		assert_in_range(found->serial, 41, 42);
		assert_true(!done || found->serial == 42);
		/* And the next try, with a new file, succeeds. */
		lock->serial = 43;
		assert_true(commit(&b, lock));
		assert_int_equal(read_lock(&b)->serial, 43);
		bench_release(&b);
	}
}

static void
test_lock_commit_failed_sync_names_the_step(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = arrange_three_versions(&b);
	b.fake->faults = (struct fake_faults){ .at = 1, .only = "sync",
	    .error = EIO };
	assert_false(commit(&b, lock));
	assert_says(&b, "cannot commit lock file 'project/podform.lock': "
	    "cannot sync 'project/podform.lock.tmp-");
	b.fake->faults = (struct fake_faults){ .at = b.fake->calls + 1,
	    .only = "write", .fault = FAULT_SHORT };
	assert_true(commit(&b, lock));	/* the rest is written again */
	assert_int_equal(read_lock(&b)->serial, 42);
	bench_release(&b);
}

static void
test_lock_commit_goes_on_after_interrupted_calls(void **state)
{
	static const char *const calls[] = { "write", "sync", "sync_dir" };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct bench b;
		bench_init(&b);
		struct lock *lock = arrange_three_versions(&b);
		b.fake->faults = (struct fake_faults){ .at = 1,
		    .only = calls[i], .error = EINTR };
		assert_true(commit(&b, lock));
		assert_true(b.fake->fired);
		assert_int_equal(read_lock(&b)->serial, 42);
		bench_release(&b);
	}
}

static void
test_lock_commit_without_hard_links_copies(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = arrange_three_versions(&b);
	b.fake->faults = (struct fake_faults){ .at = 1, .only = "link",
	    .error = EPERM };
	assert_true(commit(&b, lock));
	assert_int_equal(read_lock(&b)->serial, 42);
	assert_int_equal(lock_read(&b.arena, &b.fs, BACKUP_PATH, 1000, NULL,
	    &b.diags)->serial, 41);
	assert_string_equal(names_in_project(&b),
	    ".podform\npodform.lock\npodform.lock.backup\n");
	bench_release(&b);
}

static void
test_lock_commit_sweeps_up_after_crashes(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = arrange_three_versions(&b);
	b.fake->faults = (struct fake_faults){ .at = 1, .only = "rename",
	    .fault = FAULT_CRASH };
	assert_false(commit(&b, lock));
	fake_fs_power_loss(b.fake, IMAGE_ALL, 0);
	bench_report(&b);
	assert_non_null(strstr(names_in_project(&b), "podform.lock.tmp-"));
	fake_fs_put(b.fake, LOCK_PATH ".tmp-mine", STR("x"), 0600);
	lock = read_lock(&b);
	lock->serial++;
	assert_true(commit(&b, lock));
	assert_string_equal(names_in_project(&b), ".podform\npodform.lock\n"
	    "podform.lock.backup\npodform.lock.tmp-mine\n");
	bench_release(&b);
}

/* S-04 */
static void
test_lock_commit_leaves_planted_links_alone(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = arrange_three_versions(&b);
	struct fake_chance same = b.chance_state;
	fake_fs_put(b.fake, "victim", STR("precious"), 0600);
	for (int i = 0; i < 3; i++) {
		uint64_t value;
		char path[64];
		struct chance chance = fake_chance_seam(&same);
		chance.bytes(chance.ctx, &value, sizeof value);
		snprintf(path, sizeof path, LOCK_PATH ".tmp-%016llx",
		    (unsigned long long)value);
		fake_fs_put_link(b.fake, path, "/victim");
	}
	assert_true(commit(&b, lock));
	assert_true(str_is(fake_fs_text(b.fake, "victim"), "precious"));
	assert_int_equal(read_lock(&b)->serial, 42);
	bench_release(&b);
}

/* S-11 */
static void
test_lock_commit_leaves_a_second_hard_link_old(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = arrange_three_versions(&b);
	b.fs.link(b.fs.ctx, LOCK_PATH, "copy");
	assert_true(commit(&b, lock));
	struct lock *old = lock_read(&b.arena, &b.fs, "copy", 1000, NULL,
	    &b.diags);
	assert_int_equal(old->serial, 41);
	bench_release(&b);
}

/* S-03, F25: replaced between reading and writing */
static void
test_lock_commit_refuses_what_somebody_put_there(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = arrange_three_versions(&b);
	fake_fs_put(b.fake, "victim", STR("precious"), 0600);
	fake_fs_put_link(b.fake, LOCK_PATH, "/victim");
	assert_false(commit(&b, lock));
	assert_says(&b, "is a symbolic link");
	assert_true(str_is(fake_fs_text(b.fake, "victim"), "precious"));
	fake_fs_put_dir(b.fake, LOCK_PATH, 0700);
	assert_false(commit(&b, lock));
	assert_says(&b, "is a directory");
	struct lock *other = full_lock(&b.arena);
	other->serial = 57;
	fake_fs_put(b.fake, LOCK_PATH,
	    str_from(text_of(&b.arena, other)), 0600);
	assert_false(commit(&b, lock));
	assert_says(&b, "somebody else changed it meanwhile");
	assert_int_equal(read_lock(&b)->serial, 57);
	fake_fs_put(b.fake, LOCK_PATH, STR(""), 0600);
	assert_false(commit(&b, lock));
	/* Deleted: nothing can be lost by writing what we know. */
	fake_fs_remove(b.fake, LOCK_PATH);
	assert_true(commit(&b, lock));
	assert_int_equal(read_lock(&b)->serial, 42);
	bench_release(&b);
}

static void
test_lock_commit_sorts_without_moving_what_others_point_at(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = full_lock(&b.arena);
	struct lock_entry *first = &lock->entries.items[0];
	assert_true(commit(&b, lock));
	assert_true(str_is(first->address, "volume.data"));
	assert_true(str_is(read_lock(&b)->entries.items[0].id, "p1"));
	bench_release(&b);
}

/* A power loss undid the rename that made the file: its backup is it. */
static void
test_lock_read_after_crash_takes_the_backup(void **state)
{
	(void)state;
	for (int file = 0; file < 2; file++)
		for (int backup = 0; backup < 2; backup++) {
			struct bench b;
			bench_init(&b);
			struct lock *lock = bare_lock(&b.arena, 7);
			assert_true(commit(&b, lock));
			lock->serial++;
			assert_true(commit(&b, lock));
			if (!file)
				b.fs.unlink(b.fs.ctx, LOCK_PATH);
			if (!backup)
				b.fs.unlink(b.fs.ctx, BACKUP_PATH);
			lock = lock_read_after_crash(&b.arena, &b.fs,
			    LOCK_PATH, 1000, &b.diags);
			assert_non_null(lock);
			assert_int_equal(lock->exists, file || backup);
			assert_int_equal(lock->from_backup, !file && backup);
			assert_int_equal(lock->serial, file ? 8 :
			    backup ? 7 : 0);
			assert_string_equal(bench_report(&b), "");
			bench_release(&b);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock_read_after_crash_takes_the_backup),
		cmocka_unit_test(test_lock_commit_keeps_the_previous_version),
		cmocka_unit_test(
		    test_lock_commit_crash_at_any_call_leaves_a_version),
		cmocka_unit_test(
		    test_lock_commit_error_at_any_call_is_a_failure),
		cmocka_unit_test(test_lock_commit_failed_sync_names_the_step),
		cmocka_unit_test(
		    test_lock_commit_goes_on_after_interrupted_calls),
		cmocka_unit_test(test_lock_commit_without_hard_links_copies),
		cmocka_unit_test(test_lock_commit_sweeps_up_after_crashes),
		cmocka_unit_test(test_lock_commit_leaves_planted_links_alone),
		cmocka_unit_test(
		    test_lock_commit_leaves_a_second_hard_link_old),
		cmocka_unit_test(
		    test_lock_commit_refuses_what_somebody_put_there),
		cmocka_unit_test(
		    test_lock_commit_sorts_without_moving_what_others_point_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
