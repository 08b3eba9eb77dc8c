/* test_journal.c - the journal as a file: lines, torn tails, damage, faults */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lock/crc.h"
#include "lock_fixture.h"

static bool
open_journal(struct bench *b, struct journal *journal)
{
	return journal_open(journal, &b->arena, &b->fs, JOURNAL_PATH,
	    &b->diags);
}

static bool
read_journal(struct bench *b, struct records *records)
{
	return journal_read(&b->arena, &b->fs, JOURNAL_PATH, 1000, records,
	    &b->diags);
}

static void
assert_says(struct bench *b, const char *words)
{
	const char *report = bench_report(b);
	if (strstr(report, words) == NULL)
		fail_msg("'%s' is not in:\n%s", words, report);
}

/* Four records in three lines. */
static void
write_sample(struct bench *b)
{
	struct journal journal;
	struct record begin = begin_record(41);
	struct record two[] = {
		intent_record(1, OP_CREATE, "pod.a", NULL),
		intent_record(2, OP_DELETE, "pod.b", "b1"),
	};
	struct record result = result_record(1, OP_DONE, "a1");
	result.price_per_hour = 440000;
	result.created_at = STR("2026-11-21T09:11:21Z");
	result.adopted = true;
	assert_true(open_journal(b, &journal));
	assert_true(journal_append(&journal, &begin, 1, &b->diags));
	assert_true(journal_append(&journal, two, 2, &b->diags));
	assert_true(journal_append(&journal, &result, 1, &b->diags));
	journal_close(&journal);
}

/* What is appended to a file that nobody will find is as good as none. */
static void
test_journal_that_was_moved_away_takes_no_record(void **state)
{
	struct journal journal;
	struct record begin = begin_record(41);
	struct record intent = intent_record(1, OP_CREATE, "pod.a", NULL);
	struct bench b;

	(void)state;
	for (int again = 0; again < 2; again++) {
		bench_init(&b);
		assert_true(open_journal(&b, &journal));
		assert_true(journal_append(&journal, &begin, 1, &b.diags));
		assert_int_equal(b.fs.rename(b.fs.ctx, JOURNAL_PATH,
		    JOURNAL_PATH ".moved"), 0);
		if (again == 1) {	/* and another one put there */
			int fd = b.fs.open(b.fs.ctx, JOURNAL_PATH,
			    FS_APPEND | FS_CREATE, 0600);
			assert_true(fd >= 0);
			b.fs.close(b.fs.ctx, fd);
		}
		assert_false(journal_append(&journal, &intent, 1, &b.diags));
		assert_says(&b, "cannot find journal '" JOURNAL_PATH "'");
		assert_true(journal.failed);
		journal_close(&journal);
		bench_release(&b);
	}
}

static void
test_journal_round_trip_keeps_everything(void **state)
{
	struct bench b;
	struct records records;
	struct fs_info info;
	(void)state;
	bench_init(&b);
	write_sample(&b);
	assert_true(read_journal(&b, &records));
	assert_int_equal(records.list.n, 4);
	assert_false(records.torn);
	struct record *r = records.list.items;
	assert_int_equal(r[0].type, RECORD_BEGIN);
	assert_string_equal(r[0].lineage.hex, LINEAGE);
	assert_int_equal(r[0].serial, 41);
	assert_int_equal(r[1].op.action, OP_CREATE);
	assert_string_equal(r[1].op.op.hex, op_id(1).hex);
	assert_true(str_is(r[1].op.entry.pod.image, "runpod/pytorch:2.4.0"));
	assert_true(r[1].op.entry.pod.env[1].sensitive);
	assert_int_equal(r[1].op.wall_ms, 1763716281001);
	assert_int_equal(r[2].op.action, OP_DELETE);
	assert_true(str_is(r[2].op.entry.id, "b1"));
	assert_int_equal(r[3].outcome, OP_DONE);
	assert_true(str_is(r[3].id, "a1"));
	assert_int_equal(r[3].price_per_hour, 440000);
	assert_true(r[3].adopted);
	/* Those of one append share a line. */
	assert_true(r[1].chain == r[2].chain && r[0].chain != r[1].chain);
	assert_int_equal(b.fs.stat(b.fs.ctx, JOURNAL_PATH, false, &info), 0);
	assert_int_equal(info.mode, 0600);
	struct str text = fake_fs_text(b.fake, JOURNAL_PATH);
	assert_true(str_search(text, STR(" {\"t\": \"begin\"")) == 16 ||
	    str_search(text, STR(" {\"t\":\"begin\"")) == 16);
	bench_release(&b);
}

static void
test_journal_missing_is_none(void **state)
{
	struct bench b;
	struct records records;
	(void)state;
	bench_init(&b);
	assert_true(read_journal(&b, &records));
	assert_int_equal(records.list.n, 0);
	assert_string_equal(bench_report(&b), "");
	bench_release(&b);
}

/* S-09, first half; M19 */
static void
test_journal_cut_at_any_byte_drops_only_the_torn_line(void **state)
{
	struct bench b;
	struct records records;
	struct journal journal;
	struct record more = result_record(2, OP_NONE, NULL);
	(void)state;
	bench_init(&b);
	write_sample(&b);
	struct str text = fake_fs_text(b.fake, JOURNAL_PATH);
	text = arena_str(&b.arena, text);
	for (size_t cut = 0; cut <= text.len; cut++) {
		size_t lines = 0;
		for (size_t i = 0; i < cut; i++)
			lines += text.data[i] == '\n';
		bool whole = cut == 0 || text.data[cut - 1] == '\n';
		static const size_t expected[] = { 0, 1, 3, 4 };
		fake_fs_put(b.fake, JOURNAL_PATH, str_sub(text, 0, cut),
		    0600);
		assert_true(read_journal(&b, &records));
		assert_int_equal(records.list.n, expected[lines]);
		assert_true(records.torn == !whole);
		/* Appending cuts the tail off first. */
		assert_true(open_journal(&b, &journal));
		assert_true(journal_append(&journal, &more, 1, &b.diags));
		journal_close(&journal);
		assert_true(read_journal(&b, &records));
		assert_int_equal(records.list.n, expected[lines] + 1);
		assert_false(records.torn);
		assert_string_equal(bench_report(&b), "");
	}
	bench_release(&b);
}

/* S-09, second half; F24 */
static void
test_journal_flipped_bit_is_refused_or_torn(void **state)
{
	struct bench b;
	struct records records;
	struct journal journal;
	(void)state;
	bench_init(&b);
	write_sample(&b);
	struct str text = arena_str(&b.arena,
	    fake_fs_text(b.fake, JOURNAL_PATH));
	size_t last = 0;		/* where the last line begins */
	for (size_t i = 0; i + 1 < text.len; i++)
		if (text.data[i] == '\n')
			last = i + 1;
	for (size_t at = 0; at < text.len; at++) {
		char *copy = (char *)(uintptr_t)arena_str(&b.arena,
		    text).data;
		copy[at] = (char)(copy[at] ^ 1 << at % 8);
		fake_fs_put(b.fake, JOURNAL_PATH,
		    (struct str){ copy, text.len }, 0600);
		if (at + 1 >= last) {
			/* Not to be told from a torn one; never believed. */
			assert_true(read_journal(&b, &records) ?
			    records.torn : b.diags.errors > 0);
			assert_true(records.list.n <= 3);
			bench_report(&b);
			continue;
		}
		assert_false(read_journal(&b, &records));
		assert_says(&b, "is damaged in line");
		assert_false(open_journal(&b, &journal));
		assert_says(&b, "is damaged in line");
	}
	assert_int_equal(fake_fs_open_handles(b.fake), 0);
	bench_release(&b);
}

static void
test_journal_damage_says_how_to_go_on(void **state)
{
	struct bench b;
	struct records records;
	(void)state;
	bench_init(&b);
	write_sample(&b);
	struct str text = fake_fs_text(b.fake, JOURNAL_PATH);
	char *copy = (char *)(uintptr_t)arena_str(&b.arena, text).data;
	strstr(copy, "pod.a")[4] = 'z';
	fake_fs_put(b.fake, JOURNAL_PATH, (struct str){ copy, text.len },
	    0600);
	assert_false(read_journal(&b, &records));
	const char *report = bench_report(&b);
	assert_non_null(strstr(report, "journal 'project/.podform/journal' is "
	    "damaged in line 2: its checksum does not match"));
	assert_non_null(strstr(report, "mv project/.podform/journal "
	    "project/.podform/journal.damaged"));
	bench_release(&b);
}

static void
test_journal_odd_files_are_refused(void **state)
{
	struct bench b;
	struct records records;
	struct journal journal;
	(void)state;
	bench_init(&b);
	fake_fs_put(b.fake, "victim", STR("precious"), 0600);
	fake_fs_put_link(b.fake, JOURNAL_PATH, "/victim");
	assert_false(open_journal(&b, &journal));
	assert_says(&b, "is a symbolic link");
	assert_false(read_journal(&b, &records));
	assert_says(&b, "is a symbolic link");
	assert_true(str_is(fake_fs_text(b.fake, "victim"), "precious"));
	fake_fs_put_fifo(b.fake, JOURNAL_PATH);
	assert_false(open_journal(&b, &journal));
	assert_says(&b, "is not a plain file");
	fake_fs_put(b.fake, JOURNAL_PATH, STR(""), 0620);
	assert_false(open_journal(&b, &journal));
	assert_says(&b, "can be changed by other users (mode 0620)");
	fake_fs_put(b.fake, JOURNAL_PATH, STR(""), 0600);
	fake_fs_own(b.fake, JOURNAL_PATH, 3);
	assert_false(read_journal(&b, &records));
	assert_says(&b, "belongs to user 3");
	bench_release(&b);
}

/* F22: after a failure nothing more is written, and nothing may be sent. */
static void
test_journal_append_failure_sticks(void **state)
{
	static const struct fake_faults faults[] = {
		{ .at = 1, .only = "write", .error = ENOSPC },
		{ .at = 1, .only = "write", .fault = FAULT_SHORT },
		{ .at = 1, .only = "sync_data", .error = EIO },
	};
	static const char *const words[] = {
		"cannot write journal 'project/.podform/journal': No space",
		"cannot write journal", "cannot sync journal",
	};
	(void)state;
	for (size_t i = 0; i < COUNTOF(faults); i++) {
		struct bench b;
		struct journal journal;
		struct records records;
		struct record intent = intent_record(1, OP_CREATE, "pod.a",
		    NULL);
		bench_init(&b);
		write_sample(&b);
		assert_true(open_journal(&b, &journal));
		b.fake->calls = 0;
		b.fake->faults = faults[i];
		assert_false(journal_append(&journal, &intent, 1, &b.diags));
		assert_true(journal.failed);
		assert_says(&b, words[i]);
		uint64_t size = fake_fs_text(b.fake, JOURNAL_PATH).len;
		assert_false(journal_append(&journal, &intent, 1, &b.diags));
		assert_false(journal_clear(&journal, &b.diags));
		assert_int_equal(fake_fs_text(b.fake, JOURNAL_PATH).len,
		    size);
		journal_close(&journal);
		/* The next process finds what was there, and goes on. */
		assert_true(open_journal(&b, &journal));
		assert_true(journal_append(&journal, &intent, 1, &b.diags));
		journal_close(&journal);
		assert_true(read_journal(&b, &records));
		assert_false(records.torn);
		assert_in_range(records.list.n, 5, 6);
		bench_release(&b);
	}
}

static void
test_journal_goes_on_after_interrupted_calls(void **state)
{
	static const char *const calls[] = { "write", "sync_data" };
	(void)state;
	for (size_t i = 0; i < COUNTOF(calls); i++) {
		struct bench b;
		struct journal journal;
		struct record begin = begin_record(1);
		bench_init(&b);
		assert_true(open_journal(&b, &journal));
		b.fake->calls = 0;
		b.fake->faults = (struct fake_faults){ .at = 1,
		    .only = calls[i], .error = EINTR };
		assert_true(journal_append(&journal, &begin, 1, &b.diags));
		assert_true(b.fake->fired);
		journal_close(&journal);
		bench_release(&b);
	}
}

static void
test_journal_open_failure_leaves_nothing_open(void **state)
{
	(void)state;
	for (int exists = 0; exists < 2; exists++) {
		bool fired = true;
		for (uint64_t at = 1; fired; at++) {
			struct bench b;
			struct journal journal;
			bench_init(&b);
			if (exists)
				fake_fs_put(b.fake, JOURNAL_PATH,
				    STR("torn"), 0600);
			b.fake->faults.at = at;
			bool ok = open_journal(&b, &journal);
			fired = b.fake->fired;
			assert_true(ok == (b.diags.errors == 0));
			assert_int_equal(fake_fs_open_handles(b.fake), ok);
			journal_close(&journal);
			bench_release(&b);
		}
	}
}

static void
test_journal_begins_by_itself_after_a_commit(void **state)
{
	struct bench b;
	struct journal journal;
	struct records records;
	struct record begin = begin_record(41);
	struct record intent = intent_record(1, OP_CREATE, "pod.a", NULL);
	struct record result = result_record(1, OP_DONE, "a1");
	(void)state;
	bench_init(&b);
	struct lock *lock = full_lock(&b.arena);
	assert_true(open_journal(&b, &journal));
	assert_true(journal_append(&journal, &begin, 1, &b.diags));
	assert_true(journal_append(&journal, &intent, 1, &b.diags));
	lock_apply_intent(&b.arena, lock, &intent);
	assert_true(journal_commit(&journal, &b.fs, &b.chance, LOCK_PATH,
	    lock, 0, &b.diags));
	assert_int_equal(fake_fs_text(b.fake, JOURNAL_PATH).len, 0);
	assert_true(journal_append(&journal, &result, 1, &b.diags));
	journal_close(&journal);
	assert_true(read_journal(&b, &records));
	assert_int_equal(records.list.n, 2);
	assert_int_equal(records.list.items[0].type, RECORD_BEGIN);
	assert_int_equal(records.list.items[0].serial, 42);
	assert_string_equal(records.list.items[0].lineage.hex, LINEAGE);
	bench_release(&b);
}

/* The published check value of CRC-64/XZ. */
static void
test_journal_checksum_is_the_known_one(void **state)
{
	struct crc crc;
	uint64_t value;
	(void)state;
	crc_init(&crc);
	assert_true(crc_add(&crc, 0, STR("123456789")) ==
	    UINT64_C(0x995dc9bbdf1939fa));
	value = crc_add(&crc, 0, STR("1234"));
	assert_true(crc_add(&crc, value, STR("56789")) ==
	    UINT64_C(0x995dc9bbdf1939fa));
	assert_false(crc_parse(STR("995DC9BBDF1939FA"), &value));
	assert_true(crc_parse(STR("995dc9bbdf1939fa"), &value));
	assert_true(value == UINT64_C(0x995dc9bbdf1939fa));
}

/* A journal of one line, whose checksum fits. */
static void
put_line(struct bench *b, const char *json)
{
	struct crc crc;
	char hex[CRC_HEX + 1];

	crc_init(&crc);
	crc_hex(crc_add(&crc, 0, str_from(json)), hex);
	fake_fs_put(b->fake, JOURNAL_PATH, arena_printf(&b->arena, "%s %s\n",
	    hex, json), 0600);
}

static void
test_journal_of_a_newer_podform_is_refused(void **state)
{
#define BEGIN "{\"t\":\"begin\",\"lineage\":\"" LINEAGE "\",\"serial\":1}"
#define NEWER "was written by a newer podform: line 1: "
	static const struct { const char *json, *words; } rows[] = {
		{ "{\"t\":\"lease\"}", NEWER "record.t: another type" },
		{ "{}", NEWER "record.t: missing" },
		{ "{\"t\":5}", NEWER "record.t: string expected" },
		{ "7", NEWER "record.t: missing" },
		{ "{\"t\":\"end\",\"x\":1}", NEWER "end: 'x' is not known" },
		{ "[" BEGIN ",{\"t\":\"lease\"}," BEGIN "]",
		    NEWER "record.t: another type" },
		/* Its checksum fits, and it is no JSON: damage all the same. */
		{ "{\"t\":\"end\"", "is damaged in line 1: unexpected end" },
		{ BEGIN, NULL }, { "[" BEGIN "]", NULL }, { "[]", NULL },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct bench b;
		struct records records;
		bench_init(&b);
		put_line(&b, rows[i].json);
		assert_int_equal(read_journal(&b, &records),
		    rows[i].words == NULL);
		if (rows[i].words != NULL)
			assert_says(&b, rows[i].words);
		bench_release(&b);
	}
}

/* Without sixteen digits and a blank nothing is a checksum. */
static void
test_journal_line_without_a_checksum_is_torn(void **state)
{
	static const char *const lines[] = { "\n", "x\n",
		"0123456789abcdef\n", "0123456789abcdef \n",
		"0123456789abcdeg {}\n", "0123456789abcdef_{}\n",
		"0123456789ABCDEF {}\n" };
	(void)state;

	for (size_t i = 0; i < COUNTOF(lines); i++) {
		struct bench b;
		struct records records;
		bench_init(&b);
		fake_fs_put(b.fake, JOURNAL_PATH, str_from(lines[i]), 0600);
		assert_true(read_journal(&b, &records));
		assert_true(records.torn);
		assert_int_equal(records.list.n, 0);
		assert_int_equal(records.good_size, 0);
		bench_release(&b);
	}
}

/* What ends an orphan whose mark names no address of ours. */
static void
test_journal_op_without_an_address_is_kept(void **state)
{
	struct bench b;
	struct journal journal;
	struct records records;
	struct record intent = intent_record(3, OP_DELETE, NULL, "p3");
	(void)state;
	bench_init(&b);
	assert_true(open_journal(&b, &journal));
	assert_true(journal_append(&journal, &intent, 1, &b.diags));
	journal_close(&journal);
	assert_true(read_journal(&b, &records));
	assert_int_equal(records.list.n, 1);
	assert_int_equal(records.list.items[0].op.address.len, 0);
	assert_true(str_is(records.list.items[0].op.entry.id, "p3"));
	bench_release(&b);
}

/* A commit where nothing was ever journaled, and where the journal was shut. */
static void
test_journal_commit_needs_no_journal(void **state)
{
	(void)state;
	for (int which = 0; which < 3; which++) {
		struct bench b;
		struct journal journal;
		bench_init(&b);
		struct lock *lock = full_lock(&b.arena);
		lock->folded = (struct str){ 0 };
		assert_true(open_journal(&b, &journal));
		if (which < 2)		/* else it is open and empty */
			journal_close(&journal);
		assert_true(journal_commit(which == 0 ? NULL : &journal,
		    &b.fs, &b.chance, LOCK_PATH, lock, 0, &b.diags));
		assert_int_equal(lock->serial, 42);
		assert_null(lock->folded.data);
		assert_string_equal(bench_report(&b), "");
		journal_close(&journal);
		bench_release(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journal_round_trip_keeps_everything),
		cmocka_unit_test(
		    test_journal_that_was_moved_away_takes_no_record),
		cmocka_unit_test(test_journal_missing_is_none),
		cmocka_unit_test(
		    test_journal_cut_at_any_byte_drops_only_the_torn_line),
		cmocka_unit_test(test_journal_flipped_bit_is_refused_or_torn),
		cmocka_unit_test(test_journal_damage_says_how_to_go_on),
		cmocka_unit_test(test_journal_odd_files_are_refused),
		cmocka_unit_test(test_journal_append_failure_sticks),
		cmocka_unit_test(test_journal_goes_on_after_interrupted_calls),
		cmocka_unit_test(
		    test_journal_open_failure_leaves_nothing_open),
		cmocka_unit_test(test_journal_begins_by_itself_after_a_commit),
		cmocka_unit_test(test_journal_checksum_is_the_known_one),
		cmocka_unit_test(test_journal_of_a_newer_podform_is_refused),
		cmocka_unit_test(test_journal_line_without_a_checksum_is_torn),
		cmocka_unit_test(test_journal_op_without_an_address_is_kept),
		cmocka_unit_test(test_journal_commit_needs_no_journal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
