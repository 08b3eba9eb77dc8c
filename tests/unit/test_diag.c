/* test_diag.c - diagnostics show the user's own line, safely */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/diag.h"

struct fixture {
	struct arena arena;
	struct sources sources;
	struct diags diags;
	struct strbuf out;
};

static int
setup(void **state)
{
	static struct fixture f;
	f = (struct fixture){0};
	f.sources.arena = f.diags.arena = &f.arena;
	f.diags.sources = &f.sources;
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	strbuf_release(&f->out);
	arena_release(&f->arena);
	return 0;
}

/* The place of `part` in a text that becomes a source. */
static struct span
span_of(struct fixture *f, const char *text, const char *part)
{
	const char *at = strstr(text, part);
	assert_non_null(at);
	struct span span = {
		.source = sources_add(&f->sources, STR("specs/pods.yaml"),
		    str_from(text)),
		.line = 1, .column = 1,
		.offset = (uint32_t)(at - text),
		.length = (uint32_t)strlen(part),
	};
	for (const char *c = text; c < at; c++) {
		bool end = *c == '\n' || (*c == '\r' && c[1] != '\n');
		span.line += end;
		span.column = end ? 1
		    : span.column + ((*c & 0xc0) != 0x80);
	}
	return span;
}

static const char *
printed(struct fixture *f, struct diag_style style)
{
	strbuf_reset(&f->out);
	diags_print(&f->out, &f->diags, style);
	return strbuf_str(&f->out).data;
}

static const struct diag_style plain;

static void
test_diag_prints_place_line_hint_and_causes(void **state)
{
	struct fixture *f = *state;
	const char *text = "tunnels:\n  notebook:\n      key: id_ed25519\n";
	struct span span = span_of(f, text, "id_ed25519");
	struct span tunnel = span_of(f, text, "notebook");
	diag_error(&f->diags, "PF0301", span, "key is open to %s users",
	    "other");
	diag_hint(&f->diags, "chmod 600 %s", "id_ed25519");
	diag_hint(&f->diags, "or name another key");
	diag_related(&f->diags, tunnel, "first given here");
	diag_related(&f->diags, NO_SPAN, "and in the environment");
	diag_while(&f->diags, tunnel, "reading tunnel '%s'", "notebook");
	assert_string_equal(printed(f, plain),
	    "specs/pods.yaml:3:12: error: key is open to other users"
	    " [PF0301]\n"
	    "    3 |       key: id_ed25519\n"
	    "      |            ^~~~~~~~~~\n"
	    "   first given here (specs/pods.yaml:2:3)\n"
	    "   and in the environment\n"
	    "   hint: chmod 600 id_ed25519\n"
	    "   hint: or name another key\n"
	    "   while reading tunnel 'notebook' (specs/pods.yaml:2:3)\n");
	assert_int_equal(f->diags.errors, 1);
	assert_int_equal(f->diags.warnings, 0);
}

static void
test_diag_without_place(void **state)
{
	struct fixture *f = *state;
	diag_error(&f->diags, "PF0001", NO_SPAN, "no spec found");
	diag_warning(&f->diags, NULL, NO_SPAN, "clock is off");
	diag_errno(&f->diags, "PF0002", NO_SPAN, ENOENT, "cannot open '%s'",
	    "x");
	diag_errno(&f->diags, "PF0002", NO_SPAN, -EACCES, "cannot open '%s'",
	    "y");
	assert_string_equal(printed(f, plain),
	    "error: no spec found [PF0001]\n"
	    "warning: clock is off\n"
	    "error: cannot open 'x': No such file or directory [PF0002]\n"
	    "error: cannot open 'y': Permission denied [PF0002]\n");
	assert_int_equal(f->diags.errors, 3);
	assert_int_equal(f->diags.warnings, 1);
}

static void
test_diag_without_sources_or_line(void **state)
{
	struct fixture *f = *state;
	struct span whole = { .source = sources_add(&f->sources,
				  STR("podform.lock"), STR("{}")) };
	diag_error(&f->diags, "PF1", whole, "cut short");
	assert_string_equal(printed(f, plain),
	    "podform.lock: error: cut short [PF1]\n");
	f->diags.sources = NULL;
	assert_string_equal(printed(f, plain), "error: cut short [PF1]\n");
	f->diags.sources = &f->sources;
	f->diags.list.items[0]->span.source = 99;
	assert_string_equal(printed(f, plain), "error: cut short [PF1]\n");
}

static void
test_diag_notes_go_to_the_newest(void **state)
{
	struct fixture *f = *state;
	diag_hint(&f->diags, "lost");
	diag_related(&f->diags, NO_SPAN, "lost");
	diag_while(&f->diags, NO_SPAN, "lost");
	diag_error(&f->diags, NULL, NO_SPAN, "one");
	diag_error(&f->diags, NULL, NO_SPAN, "two");
	diag_hint(&f->diags, "of two");
	diag_while(&f->diags, NO_SPAN, "reading a");
	diag_while(&f->diags, NO_SPAN, "reading b");
	assert_string_equal(printed(f, plain),
	    "error: one\n"
	    "error: two\n"
	    "   hint: of two\n"
	    "   while reading a\n"
	    "   while reading b\n");
}

static void
test_diag_escapes_text_from_outside(void **state)
{
	struct fixture *f = *state;
	struct span span = span_of(f, "name: \x1b[2Jx\xff bad\n", "bad");
	f->sources.list.items[0].name = STR("a\x1b.yaml");
	diag_error(&f->diags, "PF1", span, "bad name 'x\x1b[2Jy'\nfoo");
	diag_hint(&f->diags, "\x07");
	diag_related(&f->diags, span, "\x08");
	diag_while(&f->diags, NO_SPAN, "\x09");
	assert_string_equal(printed(f, plain),
	    "a\\x1b.yaml:1:14: error: bad name 'x\\x1b[2Jy'\\nfoo [PF1]\n"
	    "    1 | name: \\x1b[2Jx\\xff bad\n"
	    "      |                    ^~~\n"
	    "   \\x08 (a\\x1b.yaml:1:14)\n"
	    "   hint: \\x07\n"
	    "   while \\t\n");
}

static void
test_diag_aligns_tabs_and_wide_letters(void **state)
{
	struct fixture *f = *state;
	struct span span = span_of(f,
	    "\xc3\xa9\tkey: \xe6\xbc\xa2 e\xcc\x81 here\n", "here");
	diag_error(&f->diags, NULL, span, "m");
	assert_string_equal(printed(f, plain),
	    "specs/pods.yaml:1:13: error: m\n"
	    "    1 | \xc3\xa9       key: \xe6\xbc\xa2 e\xcc\x81 here\n"
	    "      |                   ^~~~\n");
}

static void
test_diag_marks_the_end_and_nothing(void **state)
{
	struct fixture *f = *state;
	struct span span = span_of(f, "ab\n\ncd", "cd");
	diag_error(&f->diags, NULL, span, "two");
	span.offset += 2;
	span.length = 0;
	span.column = 3;
	diag_error(&f->diags, NULL, span, "end");
	span.offset = 900;
	diag_error(&f->diags, NULL, span, "beyond");
	span.offset = 3;
	span.line = 2;
	span.column = 1;
	diag_error(&f->diags, NULL, span, "empty");
	assert_string_equal(printed(f, plain),
	    "specs/pods.yaml:3:1: error: two\n"
	    "    3 | cd\n"
	    "      | ^~\n"
	    "specs/pods.yaml:3:3: error: end\n"
	    "    3 | cd\n"
	    "      |   ^\n"
	    "specs/pods.yaml:3:3: error: beyond\n"
	    "    3 | cd\n"
	    "      |   ^\n"
	    "specs/pods.yaml:2:1: error: empty\n"
	    "    2 |\n"
	    "      | ^\n");
}

static void
test_diag_span_over_lines_is_marked_to_the_end(void **state)
{
	struct fixture *f = *state;
	diag_error(&f->diags, NULL, span_of(f, "x: [1,\n  2]\n", "[1,\n  2]"),
	    "m");
	assert_string_equal(printed(f, plain),
	    "specs/pods.yaml:1:4: error: m\n"
	    "    1 | x: [1,\n"
	    "      |    ^~~\n");
}

static void
test_diag_empty_source(void **state)
{
	struct fixture *f = *state;
	struct span span = { .source = sources_add(&f->sources, STR("e.yaml"),
				 (struct str){0}),
		.line = 1, .column = 1 };
	diag_error(&f->diags, NULL, span, "spec is empty");
	assert_string_equal(printed(f, plain),
	    "e.yaml:1:1: error: spec is empty\n"
	    "    1 |\n"
	    "      | ^\n");
}

static void
test_diag_cuts_long_lines_around_the_caret(void **state)
{
	struct fixture *f = *state;
	struct strbuf text = {0};
	for (int i = 0; i < 60; i++)
		strbuf_addf(&text, "%02d-", i);
	struct span span = span_of(f, text.data, "30-");
	struct span first = span_of(f, text.data, "01-");
	struct span last = span_of(f, text.data, "59-");
	diag_error(&f->diags, NULL, span, "m");
	diag_error(&f->diags, NULL, first, "m");
	diag_error(&f->diags, NULL, last, "m");
	first.length = 170;
	diag_error(&f->diags, NULL, first, "m");
	assert_string_equal(printed(f, (struct diag_style){ .width = 48 }),
	    "specs/pods.yaml:1:91: error: m\n"
	    "    1 | ...-27-28-29-30-31-32-33-34-35-36-37-...\n"
	    "      |              ^~~\n"
	    "specs/pods.yaml:1:4: error: m\n"
	    "    1 | 00-01-02-03-04-05-06-07-08-09-10-11-1...\n"
	    "      |    ^~~\n"
	    "specs/pods.yaml:1:178: error: m\n"
	    "    1 | ...-56-57-58-59-\n"
	    "      |              ^~~\n"
	    "specs/pods.yaml:1:4: error: m\n"
	    "    1 | 00-01-02-03-04-05-06-07-08-09-10-11-1...\n"
	    "      |    ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n");
	strbuf_release(&text);
}

/* Every line fits, wherever the caret is and whatever the line holds. */
static void
test_diag_lines_fit_the_width(void **state)
{
	struct fixture *f = *state;
	struct strbuf text = {0};
	for (int i = 0; i < 50; i++)
		strbuf_adds(&text, i % 5 == 0 ? "\t" : i % 3 == 0 ? "\x1b"
			: i % 7 == 0 ? "\xff" : "ab");
	struct span span = { .source = sources_add(&f->sources, STR("x"),
				 strbuf_str(&text)), .line = 1, .column = 1 };
	for (uint32_t at = 0; at <= text.len; at++)
		for (int width = -1; width < 200; width += 3) {
			struct fixture g = { .diags = {
				.arena = &f->arena, .sources = &f->sources } };
			span.offset = at;
			span.length = at % 9;
			diag_error(&g.diags, NULL, span, "m");
			struct diag_style style = { .width = width };
			diags_print(&g.out, &g.diags, style);
			struct str rest = strbuf_str(&g.out), caret;
			str_cut(rest, '\n', &rest);
			struct str line = str_cut(rest, '\n', &rest);
			caret = str_cut(rest, '\n', &rest);
			size_t most = width <= 0 ? 80 : width < 40 ? 40
				: (size_t)width;
			assert_true(line.len <= most);
			assert_true(caret.len <= most + 1);
			assert_true(str_find(caret, '^') >= 8);
			strbuf_release(&g.out);
		}
	strbuf_release(&text);
}

static void
test_diag_line_numbers_may_be_long(void **state)
{
	struct fixture *f = *state;
	struct span span = span_of(f, "key\n", "key");
	span.line = 1234567;
	diag_error(&f->diags, NULL, span, "m");
	assert_string_equal(printed(f, plain),
	    "specs/pods.yaml:1234567:1: error: m\n"
	    "1234567 | key\n"
	    "        | ^~~\n");
}

static void
test_diag_colors_only_if_asked(void **state)
{
	struct fixture *f = *state;
	struct span span = span_of(f, "key\n", "key");
	diag_error(&f->diags, NULL, span, "m");
	diag_warning(&f->diags, NULL, NO_SPAN, "w");
	assert_string_equal(printed(f, (struct diag_style){ .color = true }),
	    "\033[1mspecs/pods.yaml:1:1:\033[0m \033[1;31merror:\033[0m m\n"
	    "    1 | key\n"
	    "      | \033[1;31m^~~\033[0m\n"
	    "\033[1;33mwarning:\033[0m w\n");
	assert_null(strchr(printed(f, plain), '\033'));
}

static void
test_diag_finds_lines_whatever_ends_them(void **state)
{
	struct fixture *f = *state;
	const char *text = "one\rtwo\r\nthree\nfour";
	struct span span = span_of(f, text, "two");
	assert_int_equal(span.line, 2);
	assert_true(str_is(span_line(&f->sources, span), "two"));
	span.offset += 3;		/* at the CR */
	assert_true(str_is(span_line(&f->sources, span), "two"));
	span.offset++;			/* at the LF */
	assert_true(str_is(span_line(&f->sources, span), "two"));
	span.offset++;
	assert_true(str_is(span_line(&f->sources, span), "three"));
	span = span_of(f, text, "four");
	assert_true(str_is(span_line(&f->sources, span), "four"));
	span = span_of(f, text, "one");
	assert_true(str_is(span_line(&f->sources, span), "one"));
	assert_null(span_line(&f->sources, NO_SPAN).data);
}

static void
test_diag_span_place(void **state)
{
	struct fixture *f = *state;
	struct span span = span_of(f, "a: b\n", "b");
	struct sources *sources = &f->sources;
	assert_true(str_is(span_place(&f->arena, sources, span, true),
	    "specs/pods.yaml:1:4"));
	assert_true(str_is(span_place(&f->arena, sources, span, false),
	    "specs/pods.yaml:1"));
	span.column = 0;
	assert_true(str_is(span_place(&f->arena, sources, span, true),
	    "specs/pods.yaml:1"));
	assert_true(str_is(span_place(&f->arena, sources, NO_SPAN, true),
	    ""));
	assert_null(sources_get(sources, 0));
	assert_null(sources_get(sources, 2));
	assert_null(sources_get(NULL, 1));
	assert_true(str_is(sources_get(sources, 1)->text, "a: b\n"));
}

/* What a service answered goes into messages; a token in it does not. */
static void
test_diag_hides_tokens_by_their_form(void **state)
{
	struct fixture *f = *state;
	const char *token = "ghp_0123456789abcdefABCD";
	diag_error(&f->diags, "PF1", NO_SPAN, "refused: '%s' is bad", token);
	diag_hint(&f->diags, "not %s", token);
	diag_related(&f->diags, NO_SPAN, "%s", token);
	diag_while(&f->diags, NO_SPAN, "sending %s.", token);
	diag_warning(&f->diags, NULL, NO_SPAN, "%s", token);
	diag_errno(&f->diags, NULL, NO_SPAN, ENOENT, "no %s", token);
	assert_string_equal(printed(f, plain),
	    "error: refused: '(secret)' is bad [PF1]\n"
	    "   (secret)\n"
	    "   hint: not (secret)\n"
	    "   while sending (secret).\n"
	    "warning: (secret)\n"
	    "error: no (secret): No such file or directory\n");
}

#define diag_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		diag_test(test_diag_prints_place_line_hint_and_causes),
		diag_test(test_diag_without_place),
		diag_test(test_diag_without_sources_or_line),
		diag_test(test_diag_notes_go_to_the_newest),
		diag_test(test_diag_escapes_text_from_outside),
		diag_test(test_diag_aligns_tabs_and_wide_letters),
		diag_test(test_diag_marks_the_end_and_nothing),
		diag_test(test_diag_span_over_lines_is_marked_to_the_end),
		diag_test(test_diag_empty_source),
		diag_test(test_diag_cuts_long_lines_around_the_caret),
		diag_test(test_diag_lines_fit_the_width),
		diag_test(test_diag_line_numbers_may_be_long),
		diag_test(test_diag_colors_only_if_asked),
		diag_test(test_diag_finds_lines_whatever_ends_them),
		diag_test(test_diag_span_place),
		diag_test(test_diag_hides_tokens_by_their_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
