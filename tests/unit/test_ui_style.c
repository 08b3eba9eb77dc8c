/* test_ui_style.c - colours, widths, cells and tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ui/cells.h"
#include "ui/style.h"
#include "ui/table.h"

struct color_case { struct style_facts facts; bool color, live; };

#define MODE(m) .mode = (m)
#define TTY .terminal = true
#define VAR(name, text) .name = STR_INIT(text)

static void
test_style_color_follows_the_contract(void **state)
{
	static const struct color_case cases[] = {
		{ { TTY }, true, true },
		{ { .terminal = false }, false, false },
		{ { TTY, VAR(no_color, "1") }, false, true },
		{ { TTY, VAR(no_color, "") }, true, true },
		{ { TTY, VAR(no_color, "1"), MODE(COLOR_ALWAYS) }, true,
		  true },
		{ { TTY, MODE(COLOR_NEVER) }, false, true },
		{ { VAR(clicolor_force, "1") }, true, false },
		{ { VAR(clicolor_force, "0") }, false, false },
		{ { VAR(clicolor_force, "") }, false, false },
		{ { VAR(force_color, "1") }, true, false },
		{ { VAR(force_color, "1"), VAR(no_color, "1") }, false,
		  false },
		{ { TTY, VAR(term, "dumb") }, false, false },
		{ { TTY, VAR(term, "dumb"), VAR(force_color, "1") }, false,
		  false },
		{ { TTY, VAR(term, "dumb"), MODE(COLOR_ALWAYS) }, true,
		  false },
		{ { TTY, VAR(ci, "true") }, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct style style = style_choose(&cases[i].facts);
		if (style.color != cases[i].color ||
		    style.live != cases[i].live)
			fail_msg("case %zu: color %d, live %d", i,
			    style.color, style.live);
	}
}

static int
width_of(const char *columns, bool terminal, int terminal_width)
{
	struct style_facts facts = { .columns = str_from(columns),
		.terminal = terminal, .terminal_width = terminal_width };

	return style_choose(&facts).width;
}

static void
test_style_width_honours_columns_then_terminal(void **state)
{
	(void)state;
	assert_int_equal(width_of(NULL, false, 0), 80);
	assert_int_equal(width_of(NULL, true, 132), 132);
	assert_int_equal(width_of(NULL, false, 132), 80);
	assert_int_equal(width_of("100", true, 132), 100);
	assert_int_equal(width_of("100", false, 0), 100);
	assert_int_equal(width_of("wide", true, 132), 132);
	assert_int_equal(width_of("3", true, 132), 40);
	assert_int_equal(width_of("99999", false, 0), 400);
}

static void
test_style_asks_only_people(void **state)
{
	struct style_facts facts = { .input_terminal = true };

	(void)state;
	assert_true(style_may_ask(&facts));
	facts.ci = STR("1");
	assert_false(style_may_ask(&facts));
	facts.ci = STR("");
	assert_true(style_may_ask(&facts));
	facts.input_terminal = false;
	assert_false(style_may_ask(&facts));
}

static void
test_cells_count_columns_not_bytes(void **state)
{
	struct strbuf out = {0};

	(void)state;
	assert_int_equal(cells_width(STR("abc")), 3);
	assert_int_equal(cells_width(STR("h\xc3\xa9llo")), 5);
	assert_int_equal(cells_width(STR("\xe6\x97\xa5\xe6\x9c\xac")), 4);
	assert_int_equal(cells_width(STR("e\xcc\x81")), 1);
	assert_int_equal(cells_width(STR("\033[32mgreen\033[0m")), 5);
	cells_cut(&out, STR("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), 4);
	assert_string_equal(out.data, "\xe6\x97\xa5\xe2\x80\xa6");
	strbuf_reset(&out);
	cells_wrap(&out, STR("one two three four"), 0, 2, 9);
	assert_string_equal(out.data, "one two\n  three\n  four");
	strbuf_release(&out);
}

static void
test_table_shrinks_what_may_and_escapes_everything(void **state)
{
	static const struct table_column columns[] = {
		{ .title = "NAME" }, { .title = "WHAT", .shrink = true },
		{ .title = "$/H", .right = true },
	};
	struct arena arena = {0};
	struct strbuf out = {0};
	struct table table;

	(void)state;
	table_init(&table, &arena, columns, COUNTOF(columns));
	table_add(&table, STR("a\033[2J"));
	table_add(&table, STR("something that is much too long to fit here"));
	table_add(&table, STR("$0.44"));
	table_add(&table, STR("b"));
	table_add(&table, STR("short"));
	table_add(&table, STR(""));
	table_print(&out, &table, (struct style){ .width = 40 });
	assert_string_equal(out.data,
	    "NAME      WHAT                       $/H\n"
	    "a\\x1b[2J  something that is much…  $0.44\n"
	    "b         short\n");
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_table_wraps_or_shows_all_where_it_must_not_cut(void **state)
{
	static const struct table_column columns[] = {
		{ .title = "ID" },
		{ .title = "WHY", .shrink = true, .wrap = true },
		{ .title = "$/H", .right = true },
	};
	struct arena arena = {0};
	struct strbuf out = {0};
	struct table table;

	(void)state;
	table_init(&table, &arena, columns, COUNTOF(columns));
	table_add(&table, STR("x"));
	table_add(&table, STR("its outcome is unclear; the next apply "
	    "settles it"));
	table_add(&table, STR("$0.44"));
	table_print(&out, &table, (struct style){ .width = 40 });
	assert_string_equal(out.data,
	    "ID  WHY                              $/H\n"
	    "x   its outcome is unclear; the    $0.44\n"
	    "    next apply settles it\n");
	strbuf_reset(&out);
	table_print(&out, &table, (struct style){ .width = 40,
	    .uncut = true });
	assert_string_equal(out.data,
	    "ID  WHY                                                  $/H\n"
	    "x   its outcome is unclear; the next apply settles it  "
	    "$0.44\n");
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_style_leaves_tables_whole_in_pipes(void **state)
{
	struct style_facts facts = {0};

	(void)state;
	assert_true(style_choose(&facts).uncut);
	facts.columns = STR("100");
	assert_false(style_choose(&facts).uncut);
	facts = (struct style_facts){ TTY };
	assert_false(style_choose(&facts).uncut);
}

static void
test_table_prints_nothing_without_rows(void **state)
{
	static const struct table_column columns[] = { { .title = "NAME" } };
	struct arena arena = {0};
	struct strbuf out = {0};
	struct table table;

	(void)state;
	table_init(&table, &arena, columns, 1);
	table_print(&out, &table, (struct style){ .width = 80 });
	assert_int_equal(out.len, 0);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_style_color_follows_the_contract),
		cmocka_unit_test(
		    test_style_width_honours_columns_then_terminal),
		cmocka_unit_test(test_style_asks_only_people),
		cmocka_unit_test(test_cells_count_columns_not_bytes),
		cmocka_unit_test(
		    test_table_shrinks_what_may_and_escapes_everything),
		cmocka_unit_test(
		    test_table_wraps_or_shows_all_where_it_must_not_cut),
		cmocka_unit_test(test_style_leaves_tables_whole_in_pipes),
		cmocka_unit_test(test_table_prints_nothing_without_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
