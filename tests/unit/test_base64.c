/* test_base64.c - there and back, and nothing that is not quite it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/base64.h"

static void
check(const char *bytes, const char *text)
{
	struct strbuf out = {0};
	struct arena arena = {0};
	struct str back;
	base64_encode(&out, str_from(bytes), BASE64_PADDED);
	assert_string_equal(out.data != NULL ? out.data : "", text);
	assert_true(base64_decode(&arena, str_from(text), &back));
	assert_true(str_is(back, bytes));
	strbuf_release(&out);
	arena_release(&arena);
}

/* RFC 4648, section 10. */
static void
test_base64_does_what_the_rfc_shows(void **state)
{
	(void)state;
	check("", "");
	check("f", "Zg==");
	check("fo", "Zm8=");
	check("foo", "Zm9v");
	check("foob", "Zm9vYg==");
	check("fooba", "Zm9vYmE=");
	check("foobar", "Zm9vYmFy");
}

static void
test_base64_has_three_forms(void **state)
{
	(void)state;
	struct str bytes = { "\xfb\xff\xbf\xfe", 4 };
	const char *const want[] = { "+/+//g==", "+/+//g", "-_-__g" };
	for (size_t i = 0; i < COUNTOF(want); i++) {
		struct strbuf out = {0};
		base64_encode(&out, bytes, (enum base64_form)i);
		assert_string_equal(out.data, want[i]);
		strbuf_release(&out);
	}
	struct arena arena = {0};
	struct str back;
	assert_true(base64_decode(&arena, str_from(want[0]), &back));
	assert_true(str_eq(back, bytes));
	arena_release(&arena);
}

static void
test_base64_refuses_what_is_not_quite_it(void **state)
{
	(void)state;
	const char *const wrong[] = {
		"Z", "Zg", "Zg=", "Zg===", "Zg==Zg==", "Zh==", "Zm9=", "Z===",
		"====", "Zm9[", "Zm9{", "Zm9:", "Zm9@", "Zm9.", "Zm9`", "Zm9\xff",
		"=Zg=", " Zg=", "Zg==\n", "Zm9-", "Zm9_", "Zm9v====",
	};
	struct arena arena = {0};
	struct str out;
	for (size_t i = 0; i < COUNTOF(wrong); i++)
		if (base64_decode(&arena, str_from(wrong[i]), &out))
			fail_msg("accepted '%s'", wrong[i]);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64_does_what_the_rfc_shows),
		cmocka_unit_test(test_base64_has_three_forms),
		cmocka_unit_test(test_base64_refuses_what_is_not_quite_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
