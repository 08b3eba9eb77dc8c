/* test_lock_members.c - a lock file whose checksum fits and yet is wrong */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lock/crc.h"
#include "lock/mutex.h"
#include "lock_fixture.h"

/* Replace the first `old` and make the checksum fit again. */
static struct str
forge(struct arena *arena, struct str text, const char *old, const char *new)
{
	ptrdiff_t at = str_search(text, str_from(old));
	struct crc crc;
	char hex[CRC_HEX + 1];

	assert_true(at >= 0);
	struct str rest = str_sub(text, (size_t)at + strlen(old), text.len);
	text = arena_printf(arena, STR_FMT "%s" STR_FMT,
	    (int)at, text.data, new, STR_ARG(rest));
	size_t hex_at = (size_t)str_search(text, STR("crc64:")) + 6;
	crc_init(&crc);
	uint64_t sum = crc_add(&crc, 0, str_sub(text, 0, hex_at));
	sum = crc_add(&crc, sum, str_sub(text, hex_at + CRC_HEX, text.len));
	crc_hex(sum, hex);
	memcpy((char *)(uintptr_t)text.data + hex_at, hex, CRC_HEX);
	return text;
}

static struct lock *
read_text(struct bench *b, struct str text)
{
	fake_fs_put(b->fake, LOCK_PATH, text, 0644);
	return lock_read(&b->arena, &b->fs, LOCK_PATH, 1000, &b->sources,
	    &b->diags);
}

static void
test_lock_member_of_another_podform_is_refused(void **state)
{
	static const struct { const char *old, *new, *words; } rows[] = {
		{ "\"serial\": 41", "\"serial\": 41, \"zeal\": 1",
		  "newer podform: lock: 'zeal' is not known here" },
		{ "\"serial\": 41", "\"serial\": \"41\"", "lock: 'serial' has" },
		{ "\"serial\": 41", "\"serial\": -x", "damaged" },
		{ "\"serial\": 41", "\"serial\": 4.1", "lock: 'serial' has" },
		{ "\"serial\": 41", "\"serial\": -4.1", "lock: 'serial' has" },
		{ "\"lineage\"", "\"lineages\"", "'lineages' is not known" },
		{ "\"project\": \"quickstart\",\n", "", "" },
		{ ",\n  \"serial\": 41", "", "lock: 'serial' is missing" },
		{ "\"lineage\": \"0", "\"lineage\": \"x",
		  "lock: 'lineage' has" },
		{ "\"kind\": \"pod\"", "\"kind\": \"pot\"",
		  "'kind' has a value of another kind" },
		{ "\"protect\": true", "\"protect\": 1",
		  "resource: 'protect' has" },
		{ "\"price_per_hour\": 0.69", "\"price_per_hour\": -1",
		  "resource: 'price_per_hour' has" },
		{ "\"price_per_hour\": 0.69", "\"price_per_hour\": true",
		  "resource: 'price_per_hour' has" },
		{ "\"ports\": [\"22/tcp\", \"8188/http\"]", "\"ports\": 22",
		  "pod: 'ports' has" },
		{ "\"ports\": [\"22/tcp\", \"8188/http\"]",
		  "\"ports\": [22]", "pod: 'ports' has" },
		{ "{\"secret\": \"${secret.WANDB_KEY}\"}", "7",
		  "pod: 'env' has" },
		{ "{\"secret\": \"${secret.WANDB_KEY}\"}",
		  "{\"secrets\": \"a\"}", "pod: 'env' has" },
		{ "\"when\": \"2025-", "\"when\": \"never-",
		  "history: 'when' has" },
		{ "\"who\": \"ada@box\"", "\"who\": null",
		  "history: 'who' has" },
		{ "\"tombstones\": [", "\"tombstones\": {\"a\": [",
		  "damaged" },
	};
	struct bench b;
	(void)state;
	bench_init(&b);
	struct str text = str_from(text_of(&b.arena, full_lock(&b.arena)));
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct lock *lock = read_text(&b, forge(&b.arena, text,
		    rows[i].old, rows[i].new));
		const char *report = bench_report(&b);
		if ((lock == NULL) != (rows[i].words[0] != '\0') ||
		    strstr(report, rows[i].words) == NULL)
			fail_msg("row %zu: '%s' is not in:\n%s", i,
			    rows[i].words, report);
	}
	bench_release(&b);
}

static void
test_lock_list_of_other_things_is_refused(void **state)
{
	struct bench b;
	struct env_var none = { 0 };
	(void)state;
	bench_init(&b);
	struct lock *bare = bare_lock(&b.arena, 41);
	struct lock_entry entry = { .kind = KIND_POD,
	    .address = STR("pod.a"), .id = STR("a"),
	    .pod.env = &none, .pod.nenv = 0 };
	*ARENA_PUSH(&b.arena, &bare->entries) = entry;
	struct str text = str_from(text_of(&b.arena, bare));
	struct str one = forge(&b.arena, text, "\"pod\": {}",
	    "\"pod\": {\"env\": []}");
	assert_null(read_text(&b, one));
	assert_non_null(strstr(bench_report(&b), "pod: 'env' has"));
	one = forge(&b.arena, text, "\"pod\": {}", "\"pod\": 4");
	assert_null(read_text(&b, one));
	assert_non_null(strstr(bench_report(&b), "pod: '' is not an object"));
	one = forge(&b.arena, text, "\"serial\": 41",
	    "\"serial\": 41, \"tombstones\": {}");
	assert_null(read_text(&b, one));
	assert_non_null(strstr(bench_report(&b), "lock: 'tombstones' has"));
	/* In another order than ours it reads all the same. */
	one = forge(&b.arena, text, "\"serial\": 41",
	    "\"serial\": 41, \"drift_accepted\": []");
	assert_non_null(read_text(&b, one));
	bench_release(&b);
}

static void
test_lock_changed_line_ends_get_a_hint(void **state)
{
	struct bench b;
	struct strbuf crlf = { 0 };
	(void)state;
	bench_init(&b);
	const char *text = text_of(&b.arena, full_lock(&b.arena));
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			strbuf_addc(&crlf, '\r');
		strbuf_addc(&crlf, *text);
	}
	assert_null(read_text(&b, strbuf_str(&crlf)));
	assert_non_null(strstr(bench_report(&b), ".gitattributes"));
	strbuf_release(&crlf);
	bench_release(&b);
}

static void
test_lock_reads_and_commits_in_any_directory(void **state)
{
	static const char *const paths[] = { "podform.lock", "/podform.lock",
	    "/project/podform.lock" };
	(void)state;
	for (size_t i = 0; i < COUNTOF(paths); i++) {
		struct bench b;
		bench_init(&b);
		assert_true(lock_commit(&b.fs, &b.chance, paths[i],
		    full_lock(&b.arena), &b.diags));
		fake_fs_power_loss(b.fake, IMAGE_SYNCED, 1);
		struct lock *lock = lock_read(&b.arena, &b.fs, paths[i], 1000,
		    NULL, &b.diags);
		assert_true(lock != NULL && lock->exists);
		bench_release(&b);
	}
}

static void
test_lock_read_goes_on_after_an_interrupt(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct str text = str_from(text_of(&b.arena, full_lock(&b.arena)));
	b.fake->faults = (struct fake_faults){ .at = 1, .only = "read",
	    .error = EINTR };
	assert_non_null(read_text(&b, text));
	assert_true(b.fake->fired);
	bench_release(&b);
}

static void
test_lock_file_above_the_limit_is_not_read(void **state)
{
	struct bench b;
	struct mutex mutex;
	struct mutex_holder nobody = { 0 }, other;
	(void)state;
	bench_init(&b);
	fake_fs_put(b.fake, "big", (struct str){ arena_alloc(&b.arena,
	    20000), 20000 }, 0600);
	assert_int_equal(mutex_take(&mutex, &b.arena, &b.fs, "big", &nobody,
	    &other, &b.diags), MUTEX_FAILED);
	assert_non_null(strstr(bench_report(&b),
	    "mutex 'big' is larger than 16384 bytes"));
	bench_release(&b);
}

/* Entries that a caller changed by hand are still not confused. */
static void
test_lock_index_does_not_trust_what_changed(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = full_lock(&b.arena);
	struct lock_entry *entry = lock_find(lock, STR("pod.trainer"));
	entry->address = STR("pod.moved");
	assert_null(lock_find(lock, STR("pod.trainer")));
	entry->id = STR("p9");
	assert_null(lock_find_id(lock, KIND_POD, STR("p1")));
	lock_sort(lock);
	assert_true(str_is(lock_find(lock, STR("pod.moved"))->id, "p9"));
	bench_release(&b);
}

/* What was open about a thing that is given away goes with it. */
static void
test_lock_release_ends_what_is_open_about_it(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = full_lock(&b.arena);
	struct lock_entry entry = *lock_find(lock, STR("pod.trainer"));
	struct id128 nine = op_id(9);
	struct lock_op *op = lock_find_op(lock, &nine);
	size_t before = lock->pending.n;
	op->entry.kind = KIND_POD;
	op->entry.id = STR("another");
	lock_release(&b.arena, lock, &entry, 0);
	assert_int_equal(lock->pending.n, before);
	op = lock_find_op(lock, &nine);
	op->entry.id = entry.id;
	lock_release(&b.arena, lock, &entry, 0);
	assert_int_equal(lock->pending.n, before - 1);
	assert_null(lock_find_op(lock, &nine));
	bench_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_lock_release_ends_what_is_open_about_it),
		cmocka_unit_test(
		    test_lock_member_of_another_podform_is_refused),
		cmocka_unit_test(test_lock_list_of_other_things_is_refused),
		cmocka_unit_test(test_lock_changed_line_ends_get_a_hint),
		cmocka_unit_test(
		    test_lock_reads_and_commits_in_any_directory),
		cmocka_unit_test(test_lock_read_goes_on_after_an_interrupt),
		cmocka_unit_test(test_lock_file_above_the_limit_is_not_read),
		cmocka_unit_test(test_lock_index_does_not_trust_what_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
