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
		{ "\"when\": \"2025-11-21T09:11:21Z\"", "\"when\": 5",
		  "history: 'when' has" },
		{ "\"op\": \"0", "\"op\": 5, \"o\": \"",
		  "resource: 'op' has" },
		{ "\"kind\": \"pod\"", "\"kind\": 5",
		  "resource: 'kind' has" },
		{ "\"price_per_hour\": 0.69", "\"price_per_hour\": 1e9",
		  "resource: 'price_per_hour' has" },
		{ "\"protect\": true", "\"protect\": false", "" },
		{ "\"protect\": true", "\"protect\": true, \"zeal\": 1",
		  "resource: 'zeal' is not known here" },
		{ "\"protect\": true", "\"protect\": true, \"checksum\": 1",
		  "resource: 'checksum' is not known here" },
		{ "\"disk_gb\": 50", "\"disk_gb\": -99999999999999999999",
		  "pod: 'disk_gb' has" },
		{ "\"lineage\": \"" LINEAGE "\"", "\"lineage\": \"\"",
		  "it has no lineage" },
		{ "\"serial\": 41", "\"serial\": 0", "its serial is none" },
		{ "\"serial\": 41", "\"serial\": -1", "its serial is none" },
		{ "\"serial\": 41", "\"serial\": 1", "" },
		{ "\"serial\": 41", "\"serial\": 9223372036854775806", "" },
		{ "\"serial\": 41", "\"serial\": 9223372036854775807",
		  "its serial is none" },
		{ "\"address\": \"volume.data\"", "\"address\": \"pod.data\"",
		  "it holds the address of no such resource: 'pod.data', id "
		  "'v1'" },
		{ "\"address\": \"volume.data\"", "\"address\": \"volume.\"",
		  "it holds the address of no such resource: 'volume.', id "
		  "'v1'" },
		{ "\"id\": \"v1\"", "\"id\": \"v/1\"", "it holds a resource "
		  "with an id that is none: 'volume.data', id 'v/1'" },
		{ "\"id\": \"v1\"", "\"id\": \"\"", "it holds a resource "
		  "with an id that is none: 'volume.data' [" },
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

/* Ids become parts of URLs: of each byte, may it be in one? */
static void
test_lock_id_is_of_letters_that_lead_nowhere(void **state)
{
	static const char fine[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	struct bench b;
	(void)state;
	bench_init(&b);
	struct str text = str_from(text_of(&b.arena, full_lock(&b.arena)));
	for (int c = 0x20; c < 0x7f; c++) {
		if (c == '"' || c == '\\')
			continue;
		struct lock *lock = read_text(&b, forge(&b.arena, text,
		    "\"id\": \"v1\"", arena_printf(&b.arena,
		    "\"id\": \"v%c\"", c).data));
		if ((lock != NULL) != (strchr(fine, c) != NULL))
			fail_msg("'%c': %s", c, bench_report(&b));
		bench_report(&b);
	}
	for (size_t len = 127; len < 130; len++) {
		char id[130];
		memset(id, 'x', len);
		id[len] = '\0';
		struct lock *lock = read_text(&b, forge(&b.arena, text,
		    "\"id\": \"v1\"", arena_printf(&b.arena,
		    "\"id\": \"%s\"", id).data));
		assert_int_equal(lock != NULL, len <= 128);
		bench_report(&b);
	}
	bench_release(&b);
}

/* A runner has its number only once GitHub gave it one. */
static void
test_lock_runner_may_have_no_id_yet(void **state)
{
	static const struct { const char *id; bool fine; } rows[] = {
		{ NULL, true }, { "4711", true }, { "47/11", false },
	};
	struct bench b;
	(void)state;
	bench_init(&b);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct lock *lock = bare_lock(&b.arena, 41);
		struct lock_entry entry = { .kind = KIND_RUNNER,
		    .address = STR("runner.ci"), .id = str_from(rows[i].id),
		    .price_per_hour = -1 };
		lock_add_entry(lock, &entry);
		lock = read_text(&b, str_from(text_of(&b.arena, lock)));
		assert_int_equal(lock != NULL, rows[i].fine);
		if (lock != NULL)
			assert_non_null(lock_find(lock, STR("runner.ci")));
		bench_report(&b);
	}
	bench_release(&b);
}

/* Each way in which a checksum is none; all of them are told at the top. */
static void
test_lock_checksum_that_is_none_is_refused(void **state)
{
	static const char *const checksums[] = { "7", "null", "\"\"",
		"\"crc64:\"", "\"crc64:0123456789abcde\"",
		"\"crc64:0123456789abcdef0\"", "\"crc64:0123456789ABCDEF\"",
		"\"crc32:0123456789abcdef\"", "\"crc64:0123456789abcdeg\"",
		"[\"crc64:0123456789abcdef\"]" };
	struct bench b;
	(void)state;
	bench_init(&b);
	const char *text = text_of(&b.arena, full_lock(&b.arena));
	const char *rest = strchr(strstr(text, "crc64:"), '\n');
	for (size_t i = 0; i < COUNTOF(checksums); i++) {
		assert_null(read_text(&b, arena_printf(&b.arena,
		    "{\n  \"checksum\": %s,%s", checksums[i], rest)));
		const char *report = bench_report(&b);
		if (strncmp(report, LOCK_PATH ":1:1: error: lock file '",
		    strlen(LOCK_PATH) + 24) != 0 || strstr(report,
		    "it has no checksum that can be read") == NULL)
			fail_msg("%s: %s", checksums[i], report);
	}
	assert_null(read_text(&b, arena_printf(&b.arena, "{%s", rest)));
	assert_non_null(strstr(bench_report(&b), "no checksum that can"));
	bench_release(&b);
}

/* One that stands elsewhere may be right; but such a file is not ours, and
 * is not written over. */
static void
test_lock_with_its_checksum_elsewhere_is_not_replaced(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b);
	struct str text = str_from(text_of(&b.arena, full_lock(&b.arena)));
	const char *rest = strchr(strstr(text.data, "crc64:"), '\n');
	text = arena_printf(&b.arena, "{%.*s,\n  \"checksum\": "
	    "\"crc64:0000000000000000\"\n}\n", (int)strlen(rest) - 3, rest);
	struct lock *lock = read_text(&b, forge(&b.arena, text, "\n}\n",
	    "\n}\n"));
	assert_string_equal(bench_report(&b), "");
	assert_non_null(lock);
	lock->serial++;
	assert_false(lock_commit(&b.fs, &b.chance, LOCK_PATH, lock,
	    &b.diags));
	assert_non_null(strstr(bench_report(&b), "somebody else changed it"));
	bench_release(&b);
}

/* Clocks from before 1970, names that JSON has to escape. */
static void
test_lock_round_trip_of_odd_values(void **state)
{
	struct env_var env = { STR("A\"B\n"), STR("x"), false };
	struct bench b;
	(void)state;
	bench_init(&b);
	struct lock *lock = full_lock(&b.arena);
	lock->pending.items[0].wall_ms = -1763716281123;
	lock->pending.items[0].boot_ms = INT64_MAX;
	lock->pending.items[0].op = (struct id128){ { 0 } };
	lock->entries.items[2].pod.env = &env;
	lock->entries.items[2].pod.nenv = 1;
	struct str steps[] = { STR("sha256:1"), STR("sha256:2") };
	lock->entries.items[2].inside = (struct lock_inside){
		.start = STR("2026-11-21T09:11:21Z"), .checked = true,
		.steps = steps, .nsteps = 2, .process = STR("sha256:3"),
	};
	const char *text = text_of(&b.arena, lock);
	lock = read_text(&b, str_from(text));
	assert_string_equal(bench_report(&b), "");
	assert_int_equal(lock->pending.items[0].wall_ms, -1763716281123);
	assert_true(lock->pending.items[0].boot_ms == INT64_MAX);
	assert_string_equal(lock->pending.items[0].op.hex, "");
	struct lock_entry *entry = lock_find(lock, STR("pod.trainer"));
	assert_true(str_is(entry->pod.env[0].name, "A\"B\n"));
	assert_true(entry->inside.checked);
	assert_int_equal(entry->inside.nsteps, 2);
	assert_true(str_is(entry->inside.steps[1], "sha256:2"));
	assert_string_equal(text_of(&b.arena, lock), text);
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
		cmocka_unit_test(test_lock_id_is_of_letters_that_lead_nowhere),
		cmocka_unit_test(test_lock_runner_may_have_no_id_yet),
		cmocka_unit_test(test_lock_checksum_that_is_none_is_refused),
		cmocka_unit_test(
		    test_lock_with_its_checksum_elsewhere_is_not_replaced),
		cmocka_unit_test(test_lock_round_trip_of_odd_values),
		cmocka_unit_test(test_lock_changed_line_ends_get_a_hint),
		cmocka_unit_test(
		    test_lock_reads_and_commits_in_any_directory),
		cmocka_unit_test(test_lock_read_goes_on_after_an_interrupt),
		cmocka_unit_test(test_lock_file_above_the_limit_is_not_read),
		cmocka_unit_test(test_lock_index_does_not_trust_what_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
