/*
 * fuzz_lock.c - the lock file: what is read is written so that it reads the
 * same, a byte that was changed is seen, and no text gets past the checksum.
 *
 * The input is a lock file.  Chance does not find checksums, so a claim that
 * stands in it is made right, unless the first byte is a `!`.
 */
#include "tests/fuzz/fuzz.h"

#include "base/diag.h"
#include "lock/crc.h"
#include "lock/text.h"

static void
mend(struct strbuf *text)
{
	struct str claim = text_claim(strbuf_str(text));
	struct crc crc;

	if (claim.len != CRC_HEX)
		return;
	size_t at = (size_t)(claim.data - text->data);
	char hex[CRC_HEX + 1];
	crc_init(&crc);
	uint64_t sum = crc_add(&crc, 0, str_sub(strbuf_str(text), 0, at));
	crc_hex(crc_add(&crc, sum, str_sub(strbuf_str(text), at + CRC_HEX,
	    text->len)), hex);
	memcpy(text->data + at, hex, CRC_HEX);
}

static struct lock *
read_lock(struct arena *arena, struct str text)
{
	struct sources sources = { .arena = arena };
	struct diags diags = { .arena = arena, .sources = &sources };
	struct strbuf out = {0};
	struct lock *lock = text_read(arena, "podform.lock", text, &sources,
	    &diags);

	assert((lock == NULL) == (diags.errors > 0));
	diags_print(&out, &diags, (struct diag_style){0});
	fuzz_assert_shown(strbuf_str(&out), true);
	strbuf_release(&out);
	return lock;
}

static void
check_index(struct lock *lock)
{
	for (size_t i = 0; i < lock->entries.n; i++) {
		struct lock_entry *entry = &lock->entries.items[i];
		if (!entry->deposed)
			assert(lock_find(lock, entry->address) == entry);
		if (entry->id.len > 0)
			assert(lock_find_id(lock, entry->kind, entry->id) ==
			    entry);
	}
}

/* Written, read and written again, nothing changes any more. */
static void
check_round_trip(struct arena *arena, const struct lock *lock)
{
	struct strbuf first = {0}, second = {0};

	lock_write_text(&first, lock);
	struct lock *again = read_lock(arena, strbuf_str(&first));
	assert(again != NULL);
	assert(again->entries.n == lock->entries.n);
	assert(again->pending.n == lock->pending.n);
	assert(again->tombstones.n == lock->tombstones.n);
	assert(again->serial == lock->serial);
	lock_write_text(&second, again);
	assert(str_eq(strbuf_str(&first), strbuf_str(&second)));
	strbuf_release(&first);
	strbuf_release(&second);
}

/* One bit, anywhere. */
static void
check_flip(struct arena *arena, struct strbuf *text, size_t at, unsigned bit)
{
	text->data[at] = (char)(text->data[at] ^ (1 << bit));
	assert(read_lock(arena, strbuf_str(text)) == NULL);
	text->data[at] = (char)(text->data[at] ^ (1 << bit));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct strbuf text = {0};
	bool as_it_is = size > 0 && data[0] == '!';

	strbuf_add(&text, (struct str){ (const char *)data + as_it_is,
	    size - as_it_is });
	if (!as_it_is)
		mend(&text);
	struct lock *lock = read_lock(&arena, strbuf_str(&text));
	if (lock != NULL) {
		check_index(lock);
		check_round_trip(&arena, lock);
		size_t at = (data[size / 2] * 256u + data[size - 1]) %
		    text.len;
		check_flip(&arena, &text, at, data[size / 3] % 8);
		/* The last line end alone is not needed. */
		struct str cut = str_sub(str_trim(strbuf_str(&text)), 0, at);
		if (cut.len < str_trim(strbuf_str(&text)).len)
			assert(read_lock(&arena, cut) == NULL);
	}
	strbuf_release(&text);
	arena_release(&arena);
	return 0;
}
