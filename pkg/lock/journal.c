/* journal.c - see journal.h */
#include "base/plant.h"
#include "base/probe.h"
#include "lock/journal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lock/crc.h"
#include "lock/fields.h"
#include "lock/file.h"

enum {
	JOURNAL_BYTES_MAX = 256 << 20,
	LINE_HEAD = CRC_HEX + 1,	/* checksum and a space */
};

static const struct file_rules rules = {
	"journal", JOURNAL_BYTES_MAX, ANY_UID, 022, true
};

/* ---------------------------------------------------------- reading ---- */

struct reading {
	struct arena *arena;
	const char *path;
	struct crc crc;
	struct records *out;
	size_t line;
	struct diags *diags;
};

static bool
damaged(struct reading *r, size_t line, const char *why)
{
	diag_error(r->diags, "PF0608", NO_SPAN, "journal '%s' is damaged in "
	    "line %zu: %s", r->path, line, why);
	diag_hint(r->diags, "nothing was changed; what the last run made still "
	    "carries its mark: mv %s %s.damaged, then podform audit lists it",
	    r->path, r->path);
	return false;
}

static void
get_record(struct json_reader *reader, struct json_value value,
    struct record *record)
{
	struct str type;

	reader->where = "record";
	if (!json_read_str(reader, value, "t", REQUIRED, &type))
		return;
	for (size_t i = 0; i < COUNTOF(record_shapes); i++)
		if (str_is(type, record_shapes[i].what)) {
			fields_get(reader, &record_shapes[i], value, record,
			    NULL);
			return;
		}
	json_fail(reader, "t", "another type of record");
}

/* A line whose checksum fits; so what cannot be read in it is not damage. */
static bool
read_line(struct reading *r, struct str text, struct arena *scratch)
{
	struct json_reader reader = { .arena = r->arena };
	struct json_limits limits = { .bytes = text.len, .depth = 16 };
	struct json_error error;
	struct json doc;

	if (!json_parse(scratch, text, limits, &doc, &error))
		return damaged(r, r->line, error.reason);
	struct json_value root = json_root(&doc);
	if (json_is(root, JSON_ARRAY)) {
		struct json_iter it = json_iter(root);
		while (!reader.failed && json_next(&it))
			get_record(&reader, it.value,
			    ARENA_PUSH(r->arena, &r->out->list));
	} else {
		get_record(&reader, root, ARENA_PUSH(r->arena, &r->out->list));
	}
	if (!reader.failed)
		return true;
	diag_error(r->diags, "PF0602", NO_SPAN, "journal '%s' was written by a "
	    "newer podform: line %zu: " STR_FMT, r->path, r->line,
	    STR_ARG(reader.why));
	diag_hint(r->diags, "finish that run with the podform that began it");
	return false;
}

static bool
line_fits(const struct reading *r, struct str line)
{
	uint64_t claimed;
	if (PLANTED(19))
		return line.len > LINE_HEAD;
	return line.len > LINE_HEAD && line.data[CRC_HEX] == ' ' &&
	    crc_parse(str_sub(line, 0, CRC_HEX), &claimed) &&
	    claimed == crc_add(&r->crc, 0, str_sub(line, LINE_HEAD, line.len));
}

/*
 * Only the last line may be bad: an append is one line, and the next one is
 * written only after that is on disk.
 */
static bool
read_lines(struct reading *r, struct str text)
{
	struct records *out = r->out;

	while (text.len > 0) {
		ptrdiff_t end = str_find(text, '\n');
		size_t whole = end < 0 ? text.len : (size_t)end + 1;
		struct str line = str_sub(text, 0,
		    end < 0 ? text.len : (size_t)end);

		r->line++;
		if (out->torn)
			return damaged(r, r->line - 1,
			    "its checksum does not match");
		if ((end < 0 && !PLANTED(19)) || !line_fits(r, line)) {
			out->torn = true;
		} else {
			struct arena scratch = { 0 };
			size_t first = out->list.n;
			bool ok = read_line(r, str_sub(line, LINE_HEAD,
			    line.len), &scratch);
			arena_release(&scratch);
			if (!ok)
				return false;
			out->chain = crc_add(&r->crc, out->chain,
			    str_sub(text, 0, whole));
			out->good_size += whole;
			for (size_t i = first; i < out->list.n; i++)
				out->list.items[i].chain = out->chain;
		}
		text = str_sub(text, whole, text.len);
	}
	return true;
}

static enum file_result
read_journal(struct arena *arena, const struct fs *fs, const char *path,
    uint32_t own_uid, struct records *out, struct diags *diags)
{
	struct file_rules own = rules;
	struct str text;

	*out = (struct records){ 0 };
	own.own_uid = own_uid;
	enum file_result result = file_read(fs, arena, path, &own, &text,
	    diags);
	if (result != FILE_READ)
		return result;
	struct reading *r = ARENA_NEW(arena, struct reading);
	*r = (struct reading){ .arena = arena, .path = path, .out = out,
	    .diags = diags };
	crc_init(&r->crc);
	return read_lines(r, text) ? FILE_READ : FILE_REFUSED;
}

bool
journal_read(struct arena *arena, const struct fs *fs, const char *path,
    uint32_t own_uid, struct records *out, struct diags *diags)
{
	return read_journal(arena, fs, path, own_uid, out, diags) !=
	    FILE_REFUSED;
}

/* ---------------------------------------------------------- opening ---- */

static bool
failed(struct journal *journal, struct diags *diags, int error,
    const char *what)
{
	journal->failed = true;
	diag_errno(diags, "PF0610", NO_SPAN, -error, "cannot %s journal '"
	    STR_FMT "'", what, STR_ARG(journal->path));
	diag_hint(diags, "without its journal podform changes nothing in the "
	    "cloud");
	return false;
}

/* Make it, so that it is there after a power cut. */
static bool
create(struct journal *journal, struct arena *arena, const char *path,
    struct diags *diags)
{
	const struct fs *fs = journal->fs;
	int fd = fs->open(fs->ctx, path, FS_APPEND | FS_CREATE | FS_EXCLUSIVE,
	    0600);
	if (fd < 0)
		return failed(journal, diags, fd, "create");
	journal->fd = fd;
	int error = file_sync(fs, fd, false);
	if (error == 0)
		error = fs->sync_dir(fs->ctx, file_dir(arena, path));
	if (error < 0)
		return failed(journal, diags, error, "sync");
	return true;
}

/*
 * Open what was just read, and cut a torn tail off.  Whoever made the file
 * may have died before its name was safe, so the directory is synced again.
 */
static bool
reopen(struct journal *journal, struct arena *arena, const char *path,
    const struct records *records, struct diags *diags)
{
	const struct fs *fs = journal->fs;
	struct fs_info info;

	journal->fd = fs->open(fs->ctx, path, FS_APPEND, 0);
	if (journal->fd < 0)
		return failed(journal, diags, journal->fd, "open");
	int error = fs->stat_fd(fs->ctx, journal->fd, &info);
	if (error < 0)
		return failed(journal, diags, error, "examine");
	if (!file_check(&info, path, &rules, diags))
		return false;
	error = fs->sync_dir(fs->ctx, file_dir(arena, path));
	if (error < 0)
		return failed(journal, diags, error, "sync");
	if (!records->torn)
		return true;
	PROBE("journal_torn_tail");
	error = fs->truncate(fs->ctx, journal->fd, records->good_size);
	if (error == 0)
		error = file_sync(fs, journal->fd, false);
	if (error < 0)
		return failed(journal, diags, error, "repair");
	return true;
}

bool
journal_open(struct journal *journal, struct arena *arena,
    const struct fs *fs, const char *path, struct diags *diags)
{
	struct arena scratch = { 0 };
	struct records records;
	bool ok = false;

	*journal = (struct journal){ .fs = fs, .fd = -1,
	    .path = arena_str(arena, str_from(path)) };
	switch (read_journal(&scratch, fs, path, ANY_UID, &records, diags)) {
	case FILE_REFUSED:
		break;
	case FILE_MISSING:
		ok = create(journal, &scratch, path, diags);
		break;
	case FILE_READ:
		ok = reopen(journal, &scratch, path, &records, diags);
		break;
	}
	journal->chain = records.chain;
	journal->size = records.good_size;
	for (size_t i = 0; i < records.list.n; i++)
		if (records.list.items[i].type == RECORD_BEGIN) {
			journal->lineage = records.list.items[i].lineage;
			journal->serial = records.list.items[i].serial;
		}
	arena_release(&scratch);
	if (!ok)
		journal_close(journal);
	return ok;
}

void
journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		journal->fs->close(journal->fs->ctx, journal->fd);
	journal->fd = -1;
}

/* -------------------------------------------------------- appending ---- */

static void
put_record(struct json_writer *w, const struct record *record)
{
	assert((size_t)record->type < COUNTOF(record_shapes));
	json_begin(w, '{');
	fields_put(w, &record_shapes[record->type], record);
	json_end(w, '}');
}

/* One line: a record, or several in an array. */
static void
format_line(struct strbuf *line, const struct crc *crc,
    const struct record *begin, const struct record *records, size_t n)
{
	struct json_writer w = { .out = line };
	bool several = n + (begin != NULL) > 1;
	char hex[CRC_HEX + 1];

	strbuf_pad(line, LINE_HEAD, ' ');
	if (several)
		json_begin(&w, '[');
	if (begin != NULL)
		put_record(&w, begin);
	for (size_t i = 0; i < n; i++)
		put_record(&w, &records[i]);
	if (several)
		json_end(&w, ']');
	crc_hex(crc_add(crc, 0, str_sub(strbuf_str(line), LINE_HEAD,
	    line->len)), hex);
	memcpy(line->data, hex, CRC_HEX);
	strbuf_addc(line, '\n');
}

/*
 * Is what we write to still what the next run reads?  A record in a file
 * that was moved away or deleted is as good as none.
 */
static int
still_there(const struct journal *journal)
{
	const struct fs *fs = journal->fs;
	struct fs_info ours, named;

	int error = fs->stat_fd(fs->ctx, journal->fd, &ours);
	if (error == 0)
		error = fs->stat(fs->ctx, journal->path.data, false, &named);
	if (error == 0 && (ours.inode != named.inode ||
	    ours.device != named.device))
		error = -ESTALE;
	if (error == -ENOENT || error == -ESTALE)
		PROBE("journal_is_another_file");
	return error;
}

static bool
write_line(struct journal *journal, struct str line, struct diags *diags)
{
	const struct fs *fs = journal->fs;
	ssize_t put;

	int gone = still_there(journal);
	if (gone < 0)
		return failed(journal, diags, gone, "find");
	do
		put = fs->write(fs->ctx, journal->fd, line.data, line.len);
	while (put == -EINTR);
	/* A short write means that the disk is full, or will not say why. */
	if (put >= 0 && (size_t)put != line.len)
		put = -ENOSPC;
	if (put < 0)
		return failed(journal, diags, (int)put, "write");
	int error = PLANTED(1) ? 0 : file_sync(fs, journal->fd, true);
	if (error < 0)
		return failed(journal, diags, error, "sync");
	return true;
}

bool
journal_append(struct journal *journal, const struct record *records,
    size_t n, struct diags *diags)
{
	struct record begin = { .type = RECORD_BEGIN,
	    .lineage = journal->lineage, .serial = journal->serial };
	/* One byte more than there is room for shows that it is too long. */
	struct strbuf line = {
		.ceiling = JOURNAL_BYTES_MAX - journal->size + 1,
	};
	struct crc crc;

	if (journal->failed)		/* it was reported then */
		return false;
	assert(journal->fd >= 0 && n > 0);
	crc_init(&crc);
	bool needs_begin = journal->size == 0 &&
	    records[0].type != RECORD_BEGIN && begin.lineage.hex[0] != '\0';
	format_line(&line, &crc, needs_begin ? &begin : NULL, records, n);
	if (line.len > JOURNAL_BYTES_MAX - journal->size)
		failed(journal, diags, -EFBIG, "write");
	else if (write_line(journal, strbuf_str(&line), diags)) {
		journal->chain = crc_add(&crc, journal->chain,
		    strbuf_str(&line));
		journal->size += line.len;
	}
	for (size_t i = 0; i < n; i++)
		if (records[i].type == RECORD_BEGIN) {
			journal->lineage = records[i].lineage;
			journal->serial = records[i].serial;
		}
	strbuf_release(&line);
	return !journal->failed;
}

bool
journal_clear(struct journal *journal, struct diags *diags)
{
	const struct fs *fs = journal->fs;

	if (journal->failed)
		return false;
	int error = fs->truncate(fs->ctx, journal->fd, 0);
	if (error == 0)
		error = file_sync(fs, journal->fd, false);
	if (error < 0)
		return failed(journal, diags, error, "empty");
	journal->chain = 0;
	journal->size = 0;
	return true;
}

bool
journal_commit(struct journal *journal, const struct fs *fs,
    const struct chance *chance, const char *lock_path, struct lock *lock,
    int64_t wall_ms, struct diags *diags)
{
	bool open = journal != NULL && journal->fd >= 0;

	lock->serial++;
	lock_expire(lock, wall_ms);
	if (open && journal->size > 0) {
		/* Even a journal that failed: what it holds is in the lock. */
		crc_hex(journal->chain, lock->folded_);
		lock->folded = str_from(lock->folded_);
	}
	if (!lock_commit(fs, chance, lock_path, lock, diags))
		return false;
	if (open) {
		journal_clear(journal, diags);
		journal->lineage = lock->lineage;
		journal->serial = lock->serial;
	}
	return true;
}
