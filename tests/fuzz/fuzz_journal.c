/*
 * fuzz_journal.c - the journal, cut and damaged: what is read back is the
 * beginning of what was written, or nothing is; never anything else.
 *
 * Two numbers say where it is cut and which bit is turned; the rest are its
 * records, one a line, to which the target adds the checksums.
 */
#include "tests/fuzz/one_file.h"

#include "base/diag.h"
#include "lock/crc.h"
#include "lock/journal.h"

enum { LINES_MAX = 40 };

static void
add_line(struct strbuf *out, const struct crc *crc, struct str record)
{
	char hex[CRC_HEX + 1];
	crc_hex(crc_add(crc, 0, record), hex);
	strbuf_adds(out, hex);
	strbuf_addc(out, ' ');
	strbuf_add(out, record);
	strbuf_addc(out, '\n');
}

static bool
read_journal(struct arena *arena, struct one_file *file, struct str text,
    struct records *out)
{
	struct diags diags = { .arena = arena };
	struct fs fs = one_file_fs(file);

	strbuf_reset(&file->text);
	strbuf_add(&file->text, text);
	bool ok = journal_read(arena, &fs, "j", UINT32_MAX, out, &diags);
	assert(ok == (diags.errors == 0));
	assert(out->good_size <= text.len);
	return ok;
}

/* part holds the first records of whole and no others. */
static void
assert_beginning(const struct records *part, const struct records *whole)
{
	assert(part->list.n <= whole->list.n);
	for (size_t i = 0; i < part->list.n; i++) {
		const struct record *a = &part->list.items[i];
		const struct record *b = &whole->list.items[i];
		assert(a->type == b->type && a->chain == b->chain);
		assert(strcmp(a->op.op.hex, b->op.op.hex) == 0);
		assert(a->outcome == b->outcome && str_eq(a->id, b->id));
		assert(str_eq(a->op.address, b->op.address));
	}
}

/* Records as we write them read as they were, whatever they say. */
static void
check_append(struct arena *arena, const struct records *records)
{
	struct one_file first = {0}, second = {0};
	struct one_file *files[] = { &first, &second };
	struct diags diags = { .arena = arena };
	struct records again = *records;

	for (size_t i = 0; i < 2; i++) {
		struct fs fs = one_file_fs(files[i]);
		struct journal journal;
		bool ok = journal_open(&journal, arena, &fs, "j", &diags);
		for (size_t j = 0; ok && j < again.list.n; j++)
			ok = journal_append(&journal, &again.list.items[j], 1,
			    &diags);
		assert(ok);
		journal_close(&journal);
		ok = journal_read(arena, &fs, "j", UINT32_MAX, &again,
		    &diags);
		assert(ok && !again.torn);
		assert(again.chain == journal.chain);
		assert(again.good_size == journal.size);
		assert(again.list.n >= records->list.n);
	}
	assert(str_eq(strbuf_str(&first.text), strbuf_str(&second.text)));
	strbuf_release(&first.text);
	strbuf_release(&second.text);
}

/* A torn line is cut off when the journal is opened, and only that. */
static void
check_open(struct arena *arena, struct one_file *file, struct str text,
    const struct records *records)
{
	struct diags diags = { .arena = arena };
	struct fs fs = one_file_fs(file);
	struct journal journal;

	strbuf_reset(&file->text);
	strbuf_add(&file->text, text);
	bool ok = journal_open(&journal, arena, &fs, "j", &diags);
	assert(ok);
	assert(str_eq(strbuf_str(&file->text),
	    str_sub(text, 0, records->good_size)));
	journal_close(&journal);
}

/* Folded twice, as after a crash between commit and clear, it is folded
 * once. */
static void
check_fold(struct arena *arena, const struct records *records)
{
	struct lock *lock = ARENA_NEW(arena, struct lock);
	struct diags diags = { .arena = arena };
	struct strbuf first = {0}, second = {0};
	bool changed;

	lock->version = LOCK_VERSION;
	lock->arena = arena;
	if (journal_fold(arena, lock, records, &changed, &diags)) {
		lock_write_text(&first, lock);
		lock->exists = true;
		bool ok = journal_fold(arena, lock, records, &changed,
		    &diags);
		assert(ok && (!changed || records->chain == 0));
		lock_write_text(&second, lock);
		assert(str_eq(strbuf_str(&first), strbuf_str(&second)));
	} else {
		assert(diags.errors > 0);
	}
	strbuf_release(&first);
	strbuf_release(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct one_file file = {0};
	struct fuzz in = { data, size };
	struct strbuf text = {0};
	struct records whole, part;
	size_t cut = fuzz_below(&in, 65536), flip = fuzz_below(&in, 65536);
	struct str rest = fuzz_rest(&in);
	struct crc crc;

	crc_init(&crc);
	for (int i = 0; i < LINES_MAX && rest.len > 0; i++)
		add_line(&text, &crc, str_cut(rest, '\n', &rest));
	struct str written = strbuf_str(&text);
	if (!read_journal(&arena, &file, written, &whole) ||
	    written.len == 0)
		goto out;
	/* A record of no bytes is no line that we write. */
	if (whole.torn)
		goto out;
	cut %= written.len;
	bool ok = read_journal(&arena, &file, str_sub(written, 0, cut), &part);
	assert(ok);
	assert_beginning(&part, &whole);
	assert(part.torn == (part.good_size != cut));
	check_open(&arena, &file, str_sub(written, 0, cut), &part);
	text.data[flip / 8 % written.len] = (char)(
	    text.data[flip / 8 % written.len] ^ (1 << flip % 8));
	if (read_journal(&arena, &file, written, &part)) {
		assert_beginning(&part, &whole);
		assert(part.torn);
	}
	check_append(&arena, &whole);
	check_fold(&arena, &whole);
out:
	strbuf_release(&text);
	strbuf_release(&file.text);
	arena_release(&arena);
	return 0;
}
