/* test_fs.c - whole reads and writes over a file system that misbehaves */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/seams.h"
#include "base/strbuf.h"

/* One file, as the seam shows it. */
struct fake {
	struct str content;
	struct fs_info info;
	int open_error, stat_error;
	unsigned flags;		/* of the last open */
	size_t at, chunk;	/* bytes that one call moves at most */
	int interrupts;		/* calls that fail with EINTR first */
	int fail_after;		/* calls that succeed before EIO; -1: all */
	struct strbuf written;
	int open_files;
};

static int
fake_open(void *ctx, const char *path, unsigned flags, unsigned mode)
{
	struct fake *fake = ctx;
	(void)mode;
	assert_string_equal(path, "file");
	fake->flags = flags;
	fake->at = 0;
	if (fake->open_error != 0)
		return fake->open_error;
	fake->open_files++;
	return 7;
}

static int
trouble(struct fake *fake)
{
	if (fake->interrupts > 0) {
		fake->interrupts--;
		return -EINTR;
	}
	if (fake->fail_after == 0)
		return -EIO;
	if (fake->fail_after > 0)
		fake->fail_after--;
	return 0;
}

static ssize_t
fake_read(void *ctx, int fd, void *buf, size_t n)
{
	struct fake *fake = ctx;
	int error = trouble(fake);
	assert_int_equal(fd, 7);
	if (error != 0)
		return error;
	struct str piece = str_sub(fake->content, fake->at,
	    n < fake->chunk ? n : fake->chunk);
	memcpy(buf, piece.data, piece.len);
	fake->at += piece.len;
	return (ssize_t)piece.len;
}

static ssize_t
fake_write(void *ctx, int fd, const void *buf, size_t n)
{
	struct fake *fake = ctx;
	int error = trouble(fake);
	assert_int_equal(fd, 7);
	if (error != 0)
		return error;
	if (n > fake->chunk)
		n = fake->chunk;
	strbuf_add(&fake->written, (struct str){ buf, n });
	return (ssize_t)n;
}

static int
fake_stat_fd(void *ctx, int fd, struct fs_info *info)
{
	struct fake *fake = ctx;
	assert_int_equal(fd, 7);
	*info = fake->info;
	return fake->stat_error;
}

static int
fake_close(void *ctx, int fd)
{
	struct fake *fake = ctx;
	assert_int_equal(fd, 7);
	fake->open_files--;
	return 0;
}

static struct fake
fake_file(const char *content)
{
	return (struct fake){
		.content = str_from(content),
		.info = { .type = FS_REGULAR, .size = strlen(content) },
		.chunk = SIZE_MAX,
		.fail_after = -1,
	};
}

static int
read_fake(struct fake *fake, struct arena *arena, size_t limit,
    struct str *out)
{
	struct fs fs = { .ctx = fake, .open = fake_open, .read = fake_read,
		.stat_fd = fake_stat_fd, .close = fake_close };
	*out = (struct str){0};
	int result = fs_read_file(&fs, arena, "file", limit, false, out);
	assert_int_equal(fake->open_files, 0);
	return result;
}

static int
write_fake(struct fake *fake, struct str bytes)
{
	struct fs fs = { .ctx = fake, .write = fake_write };
	return fs_write_all(&fs, 7, bytes);
}

static void
test_fs_reads_through_short_reads_and_signals(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct str out;
	struct fake fake = fake_file("project: quickstart\n");
	assert_int_equal(read_fake(&fake, &arena, 100, &out), 0);
	assert_true(str_eq(out, fake.content));
	fake.chunk = 1;
	fake.interrupts = 3;
	assert_int_equal(read_fake(&fake, &arena, 20, &out), 0);
	assert_true(str_eq(out, fake.content));
	assert_int_equal(out.data[out.len], '\0');
	arena_release(&arena);
}

static void
test_fs_empty_file_is_empty_text(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct str out;
	struct fake fake = fake_file("");
	assert_int_equal(read_fake(&fake, &arena, 0, &out), 0);
	assert_non_null(out.data);
	assert_int_equal(out.len, 0);
	arena_release(&arena);
}

static void
test_fs_limit_is_known_before_reading(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct str out;
	struct fake fake = fake_file("12345");
	assert_int_equal(read_fake(&fake, &arena, 5, &out), 0);
	fake.fail_after = 0;	/* reading would fail otherwise */
	assert_int_equal(read_fake(&fake, &arena, 4, &out), -EFBIG);
	fake.info.size = (uint64_t)1 << 40;
	assert_int_equal(read_fake(&fake, &arena, 1 << 20, &out), -EFBIG);
	assert_null(out.data);
	arena_release(&arena);
}

static void
test_fs_size_may_be_wrong(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct str out;
	struct fake fake = fake_file("longer than it said it was");
	fake.info.size = 0;
	assert_int_equal(read_fake(&fake, &arena, 100, &out), 0);
	assert_true(str_eq(out, fake.content));
	assert_int_equal(read_fake(&fake, &arena, 25, &out), -EFBIG);
	assert_null(out.data);
	assert_int_equal(read_fake(&fake, &arena, 26, &out), 0);
	fake.info.size = 90;
	assert_int_equal(read_fake(&fake, &arena, 100, &out), 0);
	assert_true(str_eq(out, fake.content));
	arena_release(&arena);
}

static void
test_fs_refuses_what_is_no_file(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct str out;
	struct fake fake = fake_file("x");
	fake.info.type = FS_DIRECTORY;
	assert_int_equal(read_fake(&fake, &arena, 9, &out), -EISDIR);
	fake.info.type = FS_OTHER;
	assert_int_equal(read_fake(&fake, &arena, 9, &out), -EINVAL);
	fake.info.type = FS_SYMLINK;
	assert_int_equal(read_fake(&fake, &arena, 9, &out), -EINVAL);
	arena_release(&arena);
}

static void
test_fs_passes_errors_on(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct str out;
	struct fake fake = fake_file("12345");
	fake.open_error = -ENOENT;
	assert_int_equal(read_fake(&fake, &arena, 9, &out), -ENOENT);
	fake.open_error = 0;
	fake.stat_error = -EACCES;
	assert_int_equal(read_fake(&fake, &arena, 9, &out), -EACCES);
	fake.stat_error = 0;
	fake.chunk = 2;
	fake.fail_after = 1;
	assert_int_equal(read_fake(&fake, &arena, 9, &out), -EIO);
	assert_null(out.data);
	arena_release(&arena);
}

static void
test_fs_follows_links_only_if_asked(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct str out;
	struct fake fake = fake_file("x");
	struct fs fs = { .ctx = &fake, .open = fake_open, .read = fake_read,
		.stat_fd = fake_stat_fd, .close = fake_close };
	assert_int_equal(fs_read_file(&fs, &arena, "file", 9, true, &out), 0);
	assert_int_equal(fake.flags, FS_READ | FS_FOLLOW);
	assert_int_equal(fs_read_file(&fs, &arena, "file", 9, false, &out), 0);
	assert_int_equal(fake.flags, FS_READ);
	arena_release(&arena);
}

static void
test_fs_writes_all_in_pieces(void **state)
{
	(void)state;
	struct fake fake = fake_file("");
	fake.chunk = 3;
	fake.interrupts = 2;
	assert_int_equal(write_fake(&fake, STR("0123456789")), 0);
	assert_string_equal(fake.written.data, "0123456789");
	assert_int_equal(write_fake(&fake, (struct str){0}), 0);
	strbuf_release(&fake.written);
}

static void
test_fs_write_reports_failure(void **state)
{
	(void)state;
	struct fake fake = fake_file("");
	fake.chunk = 3;
	fake.fail_after = 2;
	assert_int_equal(write_fake(&fake, STR("0123456789")), -EIO);
	assert_string_equal(fake.written.data, "012345");
	strbuf_release(&fake.written);
	/* A device that takes nothing must not hang us. */
	fake.fail_after = -1;
	fake.chunk = 0;
	assert_int_equal(write_fake(&fake, STR("x")), -EIO);
	strbuf_release(&fake.written);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_fs_reads_through_short_reads_and_signals),
		cmocka_unit_test(test_fs_empty_file_is_empty_text),
		cmocka_unit_test(test_fs_limit_is_known_before_reading),
		cmocka_unit_test(test_fs_size_may_be_wrong),
		cmocka_unit_test(test_fs_refuses_what_is_no_file),
		cmocka_unit_test(test_fs_passes_errors_on),
		cmocka_unit_test(test_fs_follows_links_only_if_asked),
		cmocka_unit_test(test_fs_writes_all_in_pieces),
		cmocka_unit_test(test_fs_write_reports_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
