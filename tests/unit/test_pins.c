/* test_pins.c - host keys out of a container's log */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/pins.h"
#include "base/strbuf.h"
#include "expected.h"

#define A "SHA256:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSdM"
#define B "SHA256:AAAAqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSd/"

/* All pins found, each followed by a blank. */
static struct str
found(struct arena *arena, const struct log_line *lines, size_t n,
    const char *start)
{
	struct str *pins;
	size_t npins = pins_of_log(arena, lines, n, str_from(start), &pins);
	struct strbuf out = {0};

	for (size_t i = 0; i < npins; i++) {
		strbuf_add(&out, pins[i]);
		strbuf_addc(&out, ' ');
	}
	struct str text = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return text;
}

static void
test_pins_finds_what_ssh_keygen_prints(void **state)
{
	static const struct { const char *line, *found; } cases[] = {
		{ "256 " A " root@pod (ED25519)", A " " },
		{ "  256 " B " a b c (ECDSA)\r", B " " },
		{ "256 " A " (ED25519)", A " " },
		/* Of a kind that we do not speak. */
		{ "3072 " A " root@pod (RSA)", "" },
		{ "1024 " A " root@pod (DSA)", "" },
		/* Of a user's key, in a line of sshd. */
		{ "Accepted publickey for root: ED25519 " A, "" },
		{ "x 256 " A " root@pod (ED25519)", "" },
		{ "256 " A "x root@pod (ED25519)", "" },
		{ "256 SHA256:short root@pod (ED25519)", "" },
		{ "256 MD5:00:11 root@pod (ED25519)", "" },
		{ "256 SHA256:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJm\033[m "
		    "root@pod (ED25519)", "" },
		{ "256 SHA256:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSd: "
		    "root@pod (ED25519)", "" },
		{ "256 SHA256:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSd[ "
		    "root@pod (ED25519)", "" },
		{ "256 SHA256:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSd` "
		    "root@pod (ED25519)", "" },
		{ "256 SHA256:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSd{ "
		    "root@pod (ED25519)", "" },
		{ "256 SHA256:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSd+ "
		    "root@pod (ED25519)", "SHA256:"
		    "Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSd+ " },
		{ "256 SHA255:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSdM "
		    "root@pod (ED25519)", "" },
		{ "127 " A " root@pod (ED25519)", "" },
		{ "16385 " A " root@pod (ED25519)", "" },
		{ "256 " A, "" }, { "256", "" }, { "", "" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct log_line line = { .text = str_from(cases[i].line) };
		expected_same(cases[i].line, str_from(cases[i].found),
		    found(&arena, &line, 1, NULL));
		/* The system around the container does not know them. */
		line.system = true;
		assert_int_equal(found(&arena, &line, 1, NULL).len, 0);
		arena_release(&arena);
	}
}

static void
test_pins_are_those_of_this_start(void **state)
{
	const struct log_line lines[] = {
		{ STR("2026-06-01T12:00:04Z"), false,
		    STR("256 " A " r (ED25519)") },
		{ STR("2026-06-01T14:00:05+02:00"), false,
		    STR("256 " B " r (ED25519)") },
	};
	struct arena arena = {0};
	(void)state;

	expected_same("all", STR(A " " B " "), found(&arena, lines, 2, NULL));
	expected_same("later", STR(B " "), found(&arena, lines, 2,
	    "2026-06-01T12:00:05.900Z"));
	expected_same("none", STR(""), found(&arena, lines, 2,
	    "2026-06-01T12:00:06Z"));
	arena_release(&arena);
}

static void
test_pins_are_few_and_different(void **state)
{
	struct log_line lines[100];
	struct arena arena = {0};
	struct str *pins;
	(void)state;

	for (size_t i = 0; i < COUNTOF(lines); i++)
		lines[i] = (struct log_line){ .text =
		    STR("256 " A " r (ED25519)") };
	assert_int_equal(pins_of_log(&arena, lines, COUNTOF(lines),
	    (struct str){0}, &pins), 1);
	for (size_t i = 0; i < COUNTOF(lines); i++)
		lines[i].text = arena_printf(&arena, "256 SHA256:%043zu r "
		    "(ED25519)", i);
	assert_int_equal(pins_of_log(&arena, lines, COUNTOF(lines),
	    (struct str){0}, &pins), PINS_MAX);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pins_finds_what_ssh_keygen_prints),
		cmocka_unit_test(test_pins_are_those_of_this_start),
		cmocka_unit_test(test_pins_are_few_and_different),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
