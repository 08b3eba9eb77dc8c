/*
 * text.c - a lock as text and back.
 *
 *	{
 *	  "checksum": "crc64:9c1f0e6b52d0a7c4",
 *	  "format_version": 1,
 *	  ...
 *
 * "checksum" sorts before every other key, so it is found without reading
 * the rest.
 */
#include "lock/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lock/crc.h"
#include "lock/fields.h"
#include "lock/parts.h"

#define CHECKSUM_PREFIX "crc64:"

/* ---------------------------------------------------------- writing ---- */

/* Items in the order of the file: the array itself or a sorted copy. */
static void *
in_order(const void *items, size_t n, size_t size,
    int (*order)(const void *, const void *))
{
	char *copy = calloc(n > 0 ? n : 1, size);
	if (copy == NULL)
		fail_out_of_memory();
	if (n > 0)
		memcpy(copy, items, n * size);
	for (size_t i = 1; i < n; i++)
		if (order(copy + (i - 1) * size, copy + i * size) > 0) {
			qsort(copy, n, size, order);
			break;
		}
	return copy;
}

static uint64_t
checksum_around(struct str text, size_t hex_at)
{
	struct crc crc;
	crc_init(&crc);
	uint64_t sum = crc_add(&crc, 0, str_sub(text, 0, hex_at));
	return crc_add(&crc, sum,
	    str_sub(text, hex_at + CRC_HEX, text.len));
}

void
text_write(struct strbuf *out, const struct lock *lock, char checksum[17])
{
	size_t start = out->len;
	struct json_writer w = { .out = out, .indent = 2 };
	struct lock sorted = *lock;

	sorted.version = LOCK_VERSION;
	sorted.entries.items = in_order(lock->entries.items, lock->entries.n,
	    sizeof *lock->entries.items, lock_order_entries);
	sorted.pending.items = in_order(lock->pending.items, lock->pending.n,
	    sizeof *lock->pending.items, lock_order_ops);
	json_begin(&w, '{');
	json_key(&w, "checksum");
	json_put_str(&w, STR(CHECKSUM_PREFIX "0000000000000000"));
	fields_put(&w, &lock_shape, &sorted);
	json_end(&w, '}');
	strbuf_addc(out, '\n');
	free(sorted.entries.items);
	free(sorted.pending.items);
	checksum[0] = '\0';
	if (out->failed)
		return;
	struct str text = str_sub(strbuf_str(out), start, out->len - start);
	ptrdiff_t at = str_search(str_sub(text, 0, 64), STR(CHECKSUM_PREFIX));
	assert(at > 0);
	size_t hex_at = (size_t)at + sizeof CHECKSUM_PREFIX - 1;
	crc_hex(checksum_around(text, hex_at), checksum);
	memcpy(out->data + start + hex_at, checksum, CRC_HEX);
}

void
lock_write_text(struct strbuf *out, const struct lock *lock)
{
	char checksum[17];
	text_write(out, lock, checksum);
}

/* ---------------------------------------------------------- reading ---- */

struct reading {
	struct arena *arena;
	const char *path;
	struct str text;
	struct sources *sources;
	struct diags *diags;
};

/* The place of a byte, for the one thing that is said of a text. */
static struct span
place(struct reading *r, size_t offset)
{
	struct span span = { .line = 1, .column = 1 };
	if (r->sources == NULL)
		return NO_SPAN;
	assert(offset <= r->text.len);
	span.source = sources_add(r->sources,
	    arena_str(r->arena, str_from(r->path)), r->text);
	span.offset = (uint32_t)offset;
	for (size_t i = 0; i < offset; i++) {
		unsigned char c = (unsigned char)r->text.data[i];
		if (c == '\n') {
			span.line++;
			span.column = 1;
		} else if ((c & 0xc0) != 0x80) {
			span.column++;
		}
	}
	return span;
}

static void
hint_restore(struct reading *r)
{
	diag_hint(r->diags, "restore it: cp %s.backup %s, or git checkout %s",
	    r->path, r->path, r->path);
}

static bool
damaged(struct reading *r, size_t offset, const char *why)
{
	diag_error(r->diags, "PF0601", place(r, offset), "lock file '%s' was "
	    "edited by hand or damaged: %s", r->path, why);
	if (str_find(r->text, '\r') >= 0)
		diag_hint(r->diags, "its line ends were changed; put '%s -text' "
		    "into .gitattributes", r->path);
	hint_restore(r);
	return false;
}

/* Lines that git leaves where two versions could not be merged. */
static bool
check_conflict(struct reading *r)
{
	static const struct str marks[] = {
		STR_INIT("<<<<<<< "), STR_INIT(">>>>>>> "),
		STR_INIT("======="), STR_INIT("||||||| "),
	};
	struct str rest = r->text;

	while (rest.len > 0) {
		size_t offset = (size_t)(rest.data - r->text.data);
		struct str line = str_cut(rest, '\n', &rest);
		for (size_t i = 0; i < COUNTOF(marks); i++) {
			if (!str_starts(line, marks[i]))
				continue;
			diag_error(r->diags, "PF0603", place(r, offset),
			    "lock file '%s' holds conflict markers of a merge",
			    r->path);
			diag_hint(r->diags, "take one side whole: git checkout "
			    "--ours %s (or --theirs); what the other side made "
			    "is found again by its mark (podform audit)",
			    r->path);
			return false;
		}
	}
	return true;
}

static bool
check_version(struct reading *r, struct json_value root)
{
	struct json_reader reader = { .arena = r->arena, .where = "lock" };
	int64_t version = 0;

	if (!json_read_int(&reader, root, "format_version", REQUIRED, 0,
	    INT64_MAX, &version))
		return damaged(r, 0, "it has no format_version");
	if (version > LOCK_VERSION) {
		diag_error(r->diags, "PF0602", place(r, (size_t)(json_text(
		    json_get(root, "format_version")).data - r->text.data)),
		    "lock file '%s' was written by a newer podform (format "
		    "%lld; this one reads up to %d)", r->path,
		    (long long)version, LOCK_VERSION);
		diag_hint(r->diags, "update podform; the file was left as it "
		    "is");
		return false;
	}
	/* There was no format before 1: nothing to migrate from yet. */
	if (version < LOCK_VERSION)
		return damaged(r, 0, "no podform ever wrote its "
		    "format_version");
	return true;
}

static bool
check_checksum(struct reading *r, struct json_value root)
{
	struct json_value value = json_get(root, "checksum");
	struct str text = json_text(value);	/* with its quotes */
	const size_t skip = sizeof "\"" CHECKSUM_PREFIX - 1;
	uint64_t claimed;

	if (!json_is(value, JSON_STRING) ||
	    !str_starts(text, STR("\"" CHECKSUM_PREFIX)) ||
	    text.len != skip + CRC_HEX + 1 ||
	    !crc_parse(str_sub(text, skip, CRC_HEX), &claimed))
		return damaged(r, 0, "it has no checksum that can be read");
	size_t hex_at = (size_t)(text.data - r->text.data) + skip;
	if (checksum_around(r->text, hex_at) != claimed)
		return damaged(r, hex_at, "its content does not match its "
		    "checksum");
	return true;
}

/*
 * Ids become parts of URLs.  Those of RunPod and GitHub are letters and
 * digits; this is wider, and has nothing that leads elsewhere.
 */
static bool
id_fits(struct str id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = id.data[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return id.len > 0 && id.len <= 128;
}

/*
 * A checksum tells accidents, not intent: in a shared repository somebody
 * else may have written this file.
 */
static bool
check_entry(struct reading *r, const struct lock_entry *entry)
{
	bool has_id = entry->kind == KIND_POD || entry->kind == KIND_VOLUME;
	const char *what = NULL;
	struct address address;

	if (!address_parse(entry->address, &address) ||
	    address.kind != entry->kind)
		what = "the address of no such resource";
	else if ((has_id || entry->id.len > 0) && !id_fits(entry->id))
		what = "a resource with an id that is none";
	if (what == NULL)
		return true;
	diag_error(r->diags, "PF0601", NO_SPAN, "lock file '%s' was edited by "
	    "hand or damaged: it holds %s: '" STR_FMT "'%s" STR_FMT "%s",
	    r->path, what, STR_ARG(str_sub(entry->address, 0, 100)),
	    entry->id.len > 0 ? ", id '" : "",
	    STR_ARG(str_sub(entry->id, 0, 40)),
	    entry->id.len > 0 ? "'" : "");
	hint_restore(r);
	return false;
}

static bool
check_values(struct reading *r, const struct lock *lock)
{
	if (lock->lineage.hex[0] == '\0')
		return damaged(r, 0, "it has no lineage");
	if (lock->serial < 1 || lock->serial == INT64_MAX)
		return damaged(r, 0, "its serial is none");
	for (size_t i = 0; i < lock->entries.n; i++)
		if (!check_entry(r, &lock->entries.items[i]))
			return false;
	return true;
}

/* One id or one address twice: acting on either would hit the wrong one. */
static bool
check_unique(struct reading *r, struct lock *lock)
{
	size_t before = r->diags->errors;
	for (size_t i = 0; i < lock->entries.n; i++) {
		struct lock_entry *entry = &lock->entries.items[i], *other;
		/* The index knows the last one; all others are doubles. */
		other = entry->id.len == 0 ? entry :
		    lock_find_id(lock, entry->kind, entry->id);
		if (other != entry) {
			diag_error(r->diags, "PF0607", NO_SPAN, "lock file '%s' "
			    "gives the id '" STR_FMT "' to two resources: "
			    STR_FMT " and " STR_FMT, r->path,
			    STR_ARG(entry->id), STR_ARG(entry->address),
			    STR_ARG(other->address));
			hint_restore(r);
		}
		other = entry->deposed ? entry :
		    lock_find(lock, entry->address);
		if (other != entry) {
			diag_error(r->diags, "PF0607", NO_SPAN, "lock file '%s' "
			    "holds " STR_FMT " twice", r->path,
			    STR_ARG(entry->address));
			hint_restore(r);
		}
	}
	return r->diags->errors == before;
}

/* The tape of the scanner is in scratch: only what was decoded stays. */
static struct lock *
read_document(struct reading *r, struct arena *scratch)
{
	struct json_reader reader = { .arena = r->arena, .where = "lock" };
	struct json_limits limits = { .bytes = LOCK_BYTES_MAX, .depth = 16 };
	struct json_error error;
	struct json doc;

	if (!json_parse(scratch, r->text, limits, &doc, &error)) {
		/* Markers make it no JSON; say what it is about instead. */
		if (check_conflict(r))
			damaged(r, error.offset, error.reason);
		return NULL;
	}
	struct json_value root = json_root(&doc);
	if (!json_is(root, JSON_OBJECT)) {
		damaged(r, 0, "it is not an object");
		return NULL;
	}
	if (!check_version(r, root) || !check_checksum(r, root))
		return NULL;
	struct lock *lock = ARENA_NEW(r->arena, struct lock);
	fields_get(&reader, &lock_shape, root, lock, "checksum");
	if (!reader.failed)
		return lock;
	/* The checksum fits, so a podform wrote this. */
	diag_error(r->diags, "PF0602", NO_SPAN, "lock file '%s' was written by "
	    "a newer podform: " STR_FMT, r->path, STR_ARG(reader.why));
	diag_hint(r->diags, "update podform; the file was left as it is");
	return NULL;
}

struct lock *
text_read(struct arena *arena, const char *path, struct str text,
    struct sources *sources, struct diags *diags)
{
	struct reading r = { arena, path, text, sources, diags };
	struct arena scratch = { 0 };

	if (str_trim(text).len == 0) {
		damaged(&r, 0, "it is empty");
		return NULL;
	}
	struct lock *lock = read_document(&r, &scratch);
	arena_release(&scratch);
	if (lock == NULL)
		return NULL;
	lock->exists = true;
	lock->arena = arena;
	lock_sort(lock);
	if (!check_values(&r, lock) || !check_unique(&r, lock))
		return NULL;
	struct str claim = text_claim(text);
	if (claim.len == CRC_HEX)
		memcpy(lock->on_disk, claim.data, CRC_HEX);
	return lock;
}

struct str
text_claim(struct str head)
{
	ptrdiff_t at = str_search(str_sub(head, 0, 64), STR(CHECKSUM_PREFIX));
	if (at < 0)
		return (struct str){ 0 };
	return str_sub(head, (size_t)at + sizeof CHECKSUM_PREFIX - 1, CRC_HEX);
}
