/* test_lock.c - the lock file as text: what is written, what is refused */
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

static struct lock *
read_text(struct bench *b, struct str text)
{
	if (fake_fs_text(b->fake, LOCK_PATH).data != NULL)
		fake_fs_remove(b->fake, LOCK_PATH);
	fake_fs_put(b->fake, LOCK_PATH, text, 0644);
	return read_lock(b);
}

static void
assert_says(struct bench *b, const char *words)
{
	const char *report = bench_report(b);
	if (strstr(report, words) == NULL)
		fail_msg("'%s' is not in:\n%s", words, report);
}

static void
test_lock_write_is_sorted_and_readable(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	const char *text = text_of(&b.arena, full_lock(&b.arena));
	const char *head = "{\n  \"checksum\": \"crc64:";
	assert_memory_equal(text, head, strlen(head));
	const char *live = strstr(text, "\"id\": \"p1\"");
	const char *deposed = strstr(text, "\"id\": \"p2\"");
	const char *volume = strstr(text, "\"id\": \"v1\"");
	assert_true(live != NULL && live < deposed && deposed < volume);
	assert_non_null(strstr(text,
	    "\"WANDB_KEY\": {\"secret\": \"${secret.WANDB_KEY}\"}"));
	assert_non_null(strstr(text, "\"price_per_hour\": 0.69"));
	assert_non_null(strstr(text, "\"ports\": [\"22/tcp\", "
	    "\"8188/http\"]"));
	bench_release(&b);
}

static void
test_lock_round_trip_keeps_everything(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	const char *text = text_of(&b.arena, full_lock(&b.arena));
	struct lock *lock = read_text(&b, str_from(text));
	assert_string_equal(bench_report(&b), "");
	assert_non_null(lock);
	assert_true(lock->exists);
	assert_int_equal(lock->serial, 41);
	assert_string_equal(lock->lineage.hex, LINEAGE);
	struct lock_entry *e = lock_find(lock, STR("pod.trainer"));
	assert_true(str_is(e->id, "p1"));
	assert_int_equal(e->price_per_hour, 690000);
	assert_int_equal(e->pod.nports, 2);
	assert_true(str_is(e->pod.env[0].value, "train \"now\"\n\xc3\xa9"));
	assert_true(e->pod.env[1].sensitive);
	assert_true(e->pod.args.data != NULL && e->pod.args.len == 0);
	e = lock_find_id(lock, KIND_VOLUME, STR("v1"));
	assert_int_equal(e->price_per_hour, -1);
	assert_int_equal(e->volume.size_gb, 100);
	assert_null(lock_find_id(lock, KIND_POD, STR("v1")));
	assert_int_equal(lock->pending.items[0].wall_ms, 1763716281123);
	assert_string_equal(text_of(&b.arena, lock), text);
	bench_release(&b);
}

static void
test_lock_never_writes_a_secret_that_is_not_a_reference(void **state)
{
	struct bench b;
	struct env_var leak = { STR("KEY"), STR("hunter2-canary"), true };
	(void)state;
	bench_init(&b);
	struct lock *lock = full_lock(&b.arena);
	lock->entries.items[2].pod.env = &leak;
	lock->entries.items[2].pod.nenv = 1;
	const char *text = text_of(&b.arena, lock);
	assert_null(strstr(text, "canary"));
	assert_non_null(strstr(text, "\"KEY\": {\"secret\": \"(not kept)\"}"));
	bench_release(&b);
}

static void
test_lock_missing_file_is_an_empty_lock(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = read_lock(&b);
	assert_non_null(lock);
	assert_false(lock->exists);
	assert_int_equal(lock->entries.n, 0);
	assert_string_equal(bench_report(&b), "");
	bench_release(&b);
}

/* It was there once, so it is no first time. */
static void
test_lock_missing_beside_its_backup_is_refused(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	fake_fs_put(b.fake, BACKUP_PATH, STR("{}"), 0600);
	assert_null(read_lock(&b));
	assert_says(&b, "'project/podform.lock' is missing, but "
	    "'project/podform.lock.backup' is there");
	fake_fs_put(b.fake, BACKUP_PATH, STR("{}"), 0600);
	assert_null(read_lock(&b));
	assert_says(&b, "cp project/podform.lock.backup "
	    "project/podform.lock, or git checkout project/podform.lock");
	/* A link that leads nowhere is there, too. */
	fake_fs_remove(b.fake, BACKUP_PATH);
	fake_fs_put_link(b.fake, BACKUP_PATH, "nowhere");
	assert_null(read_lock(&b));
	/* Nor is it a first time where nobody can say. */
	fake_fs_remove(b.fake, BACKUP_PATH);
	(void)bench_report(&b);
	unsigned unsure = 0;
	for (uint64_t at = 1; at < 9; at++) {
		b.fake->calls = 0;
		b.fake->fired = false;
		b.fake->faults = (struct fake_faults){ .at = at };
		struct lock *lock = read_lock(&b);
		assert_int_equal(lock == NULL, b.fake->fired);
		unsure += strstr(bench_report(&b), "is missing, and cannot "
		    "examine 'project/podform.lock.backup'") != NULL;
	}
	b.fake->faults = (struct fake_faults){0};
	assert_int_equal(unsure, 1);
	bench_release(&b);
}

/* S-01 */
static void
test_lock_cut_at_any_byte_is_refused(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	const char *text = text_of(&b.arena, full_lock(&b.arena));
	size_t len = strlen(text);
	for (size_t cut = 0; cut < len; cut++) {
		struct lock *lock = read_text(&b,
		    (struct str){ text, cut });
		if (lock != NULL)
			fail_msg("cut at %zu of %zu was read", cut, len);
		assert_says(&b, "edited by hand or damaged");
	}
	bench_release(&b);
}

/* F24 */
static void
test_lock_flipped_bit_is_refused(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	const char *text = text_of(&b.arena, full_lock(&b.arena));
	size_t len = strlen(text);
	for (size_t at = 0; at < len; at++)
		for (int bit = 0; bit < 8; bit++) {
			char *copy = arena_alloc(&b.arena, len);
			memcpy(copy, text, len);
			copy[at] = (char)(copy[at] ^ 1 << bit);
			if (read_text(&b, (struct str){ copy, len }) != NULL)
				fail_msg("bit %d of byte %zu", bit, at);
			assert_string_not_equal(bench_report(&b), "");
		}
	bench_release(&b);
}

static void
test_lock_edited_by_hand_points_at_the_way_out(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	char *text = (char *)(uintptr_t)text_of(&b.arena,
	    full_lock(&b.arena));
	memcpy(strstr(text, "\"disk_gb\": 50") + 11, "70", 2);
	assert_null(read_text(&b, str_from(text)));
	const char *report = bench_report(&b);
	assert_non_null(strstr(report, "project/podform.lock:2:"));
	assert_non_null(strstr(report, "does not match its checksum"));
	assert_non_null(strstr(report,
	    "cp project/podform.lock.backup project/podform.lock"));
	assert_non_null(strstr(report, "git checkout project/podform.lock"));
	bench_release(&b);
}

/* S-02 */
static void
test_lock_empty_file_is_not_an_empty_lock(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	assert_null(read_text(&b, STR("")));
	assert_says(&b, "it is empty");
	assert_null(read_text(&b, STR(" \n")));
	assert_says(&b, "it is empty");
	/* Without a place for its text the words are the same. */
	assert_null(lock_read(&b.arena, &b.fs, LOCK_PATH, 1000, NULL,
	    &b.diags));
	assert_int_equal(strncmp(bench_report(&b), "error: lock file", 16), 0);
	bench_release(&b);
}

static void
test_lock_conflict_markers_have_their_own_message(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	assert_null(read_text(&b, STR("{\n<<<<<<< HEAD\n  \"checksum\": \"a\""
	    ",\n=======\n  \"checksum\": \"b\",\n>>>>>>> main\n}\n")));
	const char *report = bench_report(&b);
	assert_non_null(strstr(report, "podform.lock:2:1: error: lock file "
	    "'project/podform.lock' holds conflict markers"));
	assert_non_null(strstr(report, "git checkout --ours"));
	assert_null(strstr(report, "edited by hand"));
	bench_release(&b);
}

/* S-07 */
static void
test_lock_newer_version_is_refused(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	assert_null(read_text(&b, STR("{\"format_version\": 999, "
	    "\"things\": []}")));
	assert_says(&b, "was written by a newer podform (format 999");
	assert_null(read_text(&b, STR("{\"format_version\": 0}")));
	assert_says(&b, "no podform ever wrote");
	assert_null(read_text(&b, STR("{\"format_version\": \"1\"}")));
	assert_says(&b, "no format_version");
	assert_null(read_text(&b, STR("[1]")));
	assert_says(&b, "not an object");
	bench_release(&b);
}

/* S-08 */
static void
test_lock_one_id_under_two_resources_is_refused(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 3);
	*ARENA_PUSH(&b.arena, &lock->entries) = full_pod("pod.a", "same");
	*ARENA_PUSH(&b.arena, &lock->entries) = full_pod("pod.b", "same");
	assert_null(read_text(&b, str_from(text_of(&b.arena, lock))));
	assert_says(&b, "gives the id 'same' to two resources: pod.a and "
	    "pod.b");
	lock->entries.items[1] = full_pod("pod.a", "other");
	assert_null(read_text(&b, str_from(text_of(&b.arena, lock))));
	assert_says(&b, "holds pod.a twice");
	/* A volume and a pod live in different worlds. */
	lock->entries.items[1] = full_volume("volume.a", "same");
	assert_non_null(read_text(&b, str_from(text_of(&b.arena, lock))));
	bench_release(&b);
}

/* S-03, S-10, S-13 */
static void
test_lock_odd_files_are_refused(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct str text = str_from(text_of(&b.arena, full_lock(&b.arena)));

	fake_fs_put(b.fake, "target", text, 0600);
	fake_fs_put_link(b.fake, LOCK_PATH, "/target");
	assert_null(read_lock(&b));
	assert_says(&b, "is a symbolic link");
	fake_fs_put_fifo(b.fake, LOCK_PATH);
	assert_null(read_lock(&b));
	assert_says(&b, "is not a plain file");
	fake_fs_put_dir(b.fake, LOCK_PATH, 0755);
	assert_null(read_lock(&b));
	assert_says(&b, "is a directory");
	fake_fs_put(b.fake, LOCK_PATH, text, 0666);
	assert_null(read_lock(&b));
	assert_says(&b, "can be changed by other users (mode 0666)");
	fake_fs_put(b.fake, LOCK_PATH, text, 0644);
	fake_fs_own(b.fake, LOCK_PATH, 1);
	assert_null(read_lock(&b));
	assert_says(&b, "belongs to user 1, but this is user 1000");
	fake_fs_put(b.fake, LOCK_PATH, text, 0664);
	assert_non_null(read_lock(&b));
	assert_int_equal(fake_fs_open_handles(b.fake), 0);
	bench_release(&b);
}

/* Errors of the disk, at every call: never an empty lock. */
static void
test_lock_read_error_is_not_a_missing_file(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	fake_fs_put(b.fake, LOCK_PATH,
	    str_from(text_of(&b.arena, full_lock(&b.arena))), 0600);
	for (uint64_t at = 1;; at++) {
		b.fake->calls = 0;
		b.fake->fired = false;
		b.fake->faults = (struct fake_faults){ .at = at };
		struct lock *lock = read_lock(&b);
		if (!b.fake->fired)
			break;
		/* A failing close of what was read does no harm. */
		assert_true(lock == NULL || lock->exists);
		assert_true((lock == NULL) == (b.diags.errors > 0));
		bench_report(&b);
		assert_int_equal(fake_fs_open_handles(b.fake), 0);
	}
	bench_release(&b);
}

static void
test_lock_index_follows_changes(void **state)
{
	struct bench b;
	char name[32], id[32];
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof name, "pod.p%d", i);
		snprintf(id, sizeof id, "id%d", i);
		*ARENA_PUSH(&b.arena, &lock->entries) = full_pod(
		    arena_cstr(&b.arena, str_from(name)),
		    arena_cstr(&b.arena, str_from(id)));
		assert_non_null(lock_find(lock, str_from(name)));
	}
	for (int i = 0; i < 500; i += 2) {
		snprintf(name, sizeof name, "pod.p%d", i);
		lock_remove_entry(lock, lock_find(lock, str_from(name)));
	}
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof name, "pod.p%d", i);
		snprintf(id, sizeof id, "id%d", i);
		struct lock_entry *e = lock_find(lock, str_from(name));
		assert_true((e != NULL) == (i % 2 == 1));
		assert_ptr_equal(e, lock_find_id(lock, KIND_POD,
		    str_from(id)));
		assert_true(e == NULL || str_is(e->id, id));
	}
	lock_sort(lock);
	assert_int_equal(lock->entries.n, 250);
	for (size_t i = 1; i < lock->entries.n; i++)
		assert_true(str_cmp(lock->entries.items[i - 1].address,
		    lock->entries.items[i].address) < 0);
	assert_true(str_is(lock_find(lock, STR("pod.p499"))->id, "id499"));
	bench_release(&b);
}

static void
test_lock_tombstones_last_a_day(void **state)
{
	struct bench b;
	const int64_t now = 1763716281000, hour = 3600000;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	struct id128 op[3] = { op_id(1), op_id(2), op_id(3) };
	lock_bury(&b.arena, lock, &op[0], STR("pod.a"), now - 25 * hour);
	lock_bury(&b.arena, lock, &op[1], STR("pod.b"), now - 23 * hour);
	lock_bury(&b.arena, lock, &op[2], STR("pod.c"), now + 90 * hour);
	lock_bury(&b.arena, lock, &op[2], STR("pod.c"), now);
	lock_bury(&b.arena, lock, &(struct id128){ 0 }, STR("x"), now);
	assert_int_equal(lock->tombstones.n, 3);
	assert_true(lock_is_dead(lock, STR("0000000100")));
	assert_false(lock_is_dead(lock, STR("")));
	lock_expire(lock, now);
	assert_string_equal(outline(&b.arena, lock),
	    "dead 00000002 pod.b\ndead 00000003 pod.c\n");
	bench_release(&b);
}

static void
test_lock_history_keeps_the_newest(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 1);
	for (int i = 0; i < 50; i++)
		lock_add_history(&b.arena, lock,
		    &(struct history_entry){ .exit_code = i });
	assert_int_equal(lock->history.n, LOCK_HISTORY_MAX);
	assert_int_equal(lock->history.items[0].exit_code, 30);
	assert_int_equal(lock->history.items[19].exit_code, 49);
	bench_release(&b);
}

static void
test_lock_acknowledges_each_path_once(void **state)
{
	static const struct ack acks[] = {
		{ STR("pod.b"), STR("disk"), STR("1"), STR("over"),
		  STR("1970-01-01T00:00:05Z") },
		{ STR("pod.b"), STR("args"), STR("2"), STR("old"), { 0 } },
		{ STR("pod.a"), STR("state"), STR("3"), STR("kept"),
		  STR("1970-01-01T00:00:11Z") },
		{ STR("pod.b"), STR("args"), STR("4"), STR("new"), { 0 } },
	};
	struct bench b;
	struct lock *lock;
	(void)state;
	bench_init(&b);
	lock = full_lock(&b.arena);
	lock->arena = &b.arena;
	lock->acks.n = 0;
	for (size_t i = 0; i < COUNTOF(acks); i++)
		lock_acknowledge(lock, &acks[i], i < 3 ? 1000 : 5000);
	assert_int_equal(lock->acks.n, 2);
	assert_true(str_is(lock->acks.items[0].address, "pod.a"));
	assert_true(str_is(lock->acks.items[1].reason, "new"));
	bench_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock_write_is_sorted_and_readable),
		cmocka_unit_test(test_lock_round_trip_keeps_everything),
		cmocka_unit_test(
		    test_lock_never_writes_a_secret_that_is_not_a_reference),
		cmocka_unit_test(test_lock_missing_file_is_an_empty_lock),
		cmocka_unit_test(
		    test_lock_missing_beside_its_backup_is_refused),
		cmocka_unit_test(test_lock_cut_at_any_byte_is_refused),
		cmocka_unit_test(test_lock_flipped_bit_is_refused),
		cmocka_unit_test(
		    test_lock_edited_by_hand_points_at_the_way_out),
		cmocka_unit_test(test_lock_empty_file_is_not_an_empty_lock),
		cmocka_unit_test(
		    test_lock_conflict_markers_have_their_own_message),
		cmocka_unit_test(test_lock_newer_version_is_refused),
		cmocka_unit_test(
		    test_lock_one_id_under_two_resources_is_refused),
		cmocka_unit_test(test_lock_odd_files_are_refused),
		cmocka_unit_test(test_lock_read_error_is_not_a_missing_file),
		cmocka_unit_test(test_lock_index_follows_changes),
		cmocka_unit_test(test_lock_tombstones_last_a_day),
		cmocka_unit_test(test_lock_acknowledges_each_path_once),
		cmocka_unit_test(test_lock_history_keeps_the_newest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
