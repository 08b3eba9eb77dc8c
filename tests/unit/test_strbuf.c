/* test_strbuf.c - growing text, ceilings, and text from outside made safe */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"

static void
test_strbuf_empty_is_text_too(void **state)
{
	(void)state;
	struct strbuf buf = {0};
	assert_non_null(strbuf_str(&buf).data);
	assert_int_equal(strbuf_str(&buf).len, 0);
	strbuf_reset(&buf);
	strbuf_add(&buf, (struct str){0});
	assert_string_equal(buf.data, "");
	strbuf_release(&buf);
	assert_null(buf.data);
}

static void
test_strbuf_appends_and_ends_in_nul(void **state)
{
	(void)state;
	struct strbuf buf = {0};
	strbuf_adds(&buf, "pod");
	strbuf_addc(&buf, '.');
	strbuf_add(&buf, STR("train"));
	strbuf_addf(&buf, "[%d]%s", 12, "");
	strbuf_addf(&buf, "%s", "");
	strbuf_pad(&buf, 3, '-');
	strbuf_pad(&buf, 0, 'x');
	assert_string_equal(buf.data, "pod.train[12]---");
	assert_int_equal(buf.len, strlen(buf.data));
	strbuf_reset(&buf);
	assert_string_equal(buf.data, "");
	for (int i = 0; i < 10000; i++)
		strbuf_addf(&buf, "%d,", i % 10);
	assert_int_equal(buf.len, 20000);
	assert_int_equal(buf.data[buf.len], '\0');
	strbuf_release(&buf);
}

static void
test_strbuf_cuts_at_its_ceiling(void **state)
{
	(void)state;
	struct strbuf buf = { .ceiling = 5 };
	strbuf_adds(&buf, "abc");
	assert_false(buf.failed);
	strbuf_adds(&buf, "def");
	assert_true(buf.failed);
	assert_string_equal(buf.data, "abcde");
	strbuf_addc(&buf, 'x');
	strbuf_addf(&buf, "%d", 1);
	strbuf_pad(&buf, 4, ' ');
	assert_string_equal(buf.data, "abcde");
	strbuf_reset(&buf);
	assert_false(buf.failed);
	strbuf_addf(&buf, "%d", 123456);
	assert_string_equal(buf.data, "12345");
	assert_true(buf.failed);
	strbuf_release(&buf);
	/* Exactly full is not cut. */
	buf.ceiling = 3;
	strbuf_adds(&buf, "abc");
	assert_false(buf.failed);
	strbuf_release(&buf);
}

#define assert_escaped(text, want)                                  \
	do {                                                        \
		struct strbuf buf_ = {0};                           \
		strbuf_add_escaped(&buf_, STR(text));               \
		assert_string_equal(strbuf_str(&buf_).data, want);  \
		strbuf_release(&buf_);                              \
	} while (0)

static void
test_strbuf_escapes_what_a_terminal_would_obey(void **state)
{
	(void)state;
	assert_escaped("x\x1b[2Jy", "x\\x1b[2Jy");
	assert_escaped("a\nb\tc\rd\0e\x7f", "a\\nb\\tc\\x0dd\\x00e\\x7f");
	assert_escaped("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07");
	assert_escaped("\xc2\x9b" "2J", "\\u{009b}2J");
	assert_escaped("\xe2\x80\xa8|\xe2\x80\xa9", "\\u{2028}|\\u{2029}");
	assert_escaped("\xe2\x80\xae" "cod", "\\u{202e}cod");
	assert_escaped("\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c",
	    "\\u{2066}\\u{2069}\\u{061c}");
	assert_escaped("\xf3\xa0\x81\x81", "\\u{e0041}");
	assert_escaped("\xef\xbb\xbf", "\\u{feff}");
}

static void
test_strbuf_escapes_bytes_that_are_not_utf8(void **state)
{
	(void)state;
	assert_escaped("a\xff" "b\xc0\xaf", "a\\xffb\\xc0\\xaf");
	assert_escaped("\xe2\x82", "\\xe2\\x82");
	assert_escaped("\xed\xa0\x80", "\\xed\\xa0\\x80");
}

static void
test_strbuf_leaves_readable_text_alone(void **state)
{
	(void)state;
	assert_escaped("", "");
	assert_escaped("caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x98\x80 ~ \\",
	    "caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x98\x80 ~ \\");
}

static void
test_strbuf_quotes_json(void **state)
{
	(void)state;
	struct strbuf buf = {0};
	strbuf_add_json(&buf, STR("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f"));
	assert_string_equal(buf.data,
	    "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"");
	strbuf_reset(&buf);
	strbuf_add_json(&buf, STR("\xc3\xa9\xff\xe2\x82z\0"));
	assert_string_equal(buf.data, "\"\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd"
				      "\xef\xbf\xbdz\\u0000\"");
	strbuf_reset(&buf);
	/* Line ends, directions and tags of Unicode obey nobody. */
	strbuf_add_json(&buf,
	    STR("\xe2\x80\xa8\xe2\x80\xae\xc2\x9b\xf3\xa0\x81\x81"));
	assert_string_equal(buf.data,
	    "\"\\u2028\\u202e\\u009b\\udb40\\udc41\"");
	strbuf_reset(&buf);
	strbuf_add_json(&buf, (struct str){0});
	assert_string_equal(buf.data, "\"\"");
	strbuf_release(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strbuf_empty_is_text_too),
		cmocka_unit_test(test_strbuf_appends_and_ends_in_nul),
		cmocka_unit_test(test_strbuf_cuts_at_its_ceiling),
		cmocka_unit_test(
		    test_strbuf_escapes_what_a_terminal_would_obey),
		cmocka_unit_test(test_strbuf_escapes_bytes_that_are_not_utf8),
		cmocka_unit_test(test_strbuf_leaves_readable_text_alone),
		cmocka_unit_test(test_strbuf_quotes_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
