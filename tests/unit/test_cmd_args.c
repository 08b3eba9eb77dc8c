/* test_cmd_args.c - argv and the environment: what is understood, what is
 * refused, and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cmd/podform/args.h"
#include "cmd/podform/commands.h"

enum { WORDS_MAX = 32 };

/* Variables as NAME=VALUE; NULL ends them. */
struct outside {
	const char *const *variables;
};

static struct str
get(void *ctx, const char *name)
{
	const struct outside *outside = ctx;
	struct str value;

	for (const char *const *at = outside->variables; *at != NULL; at++)
		if (str_is(str_cut(str_from(*at), '=', &value), name))
			return value;
	return (struct str){0};
}

/* A command line as words between blanks; `""` is an empty one. */
static size_t
split(struct arena *arena, const char *line, char **argv)
{
	struct str rest = str_from(line);
	size_t n = 0;

	argv[n++] = arena_alloc(arena, 1);
	while (rest.len > 0) {
		struct str word = str_cut(rest, ' ', &rest);
		char *text = arena_alloc(arena, word.len + 1);
		if (!str_is(word, "\"\""))
			memcpy(text, word.data, word.len);
		assert_true(n < WORDS_MAX);
		argv[n++] = text;
	}
	argv[n] = NULL;
	return n;
}

static void
add_list(struct strbuf *out, const struct text_list *list)
{
	for (size_t i = 0; i < list->list.n; i++) {
		strbuf_adds(out, i > 0 ? "," : "");
		strbuf_add(out, list->list.items[i]);
	}
}

static void
add_value(struct strbuf *out, const struct options *options,
    const struct option *option)
{
	const void *at = (const char *)options + option->offset;

	switch (option->type) {
	case OPTION_FLAG:
		strbuf_adds(out, *(const bool *)at ? "yes" : "no");
		break;
	case OPTION_COUNT:
	case OPTION_INT:
	case OPTION_LIMIT:
	case OPTION_BYTES:
	case OPTION_DURATION:
		strbuf_addf(out, "%lld", (long long)*(const int64_t *)at);
		break;
	case OPTION_TEXT:
		strbuf_add(out, *(const struct str *)at);
		break;
	case OPTION_LIST:
		add_list(out, at);
		break;
	case OPTION_CHOICE:
		strbuf_adds(out, option->choices[*(const int *)at]);
		break;
	case OPTION_VARIABLE:
		for (size_t i = 0; i < options->variables.list.n; i++)
			strbuf_addf(out, "%s" STR_FMT ":" STR_FMT,
			    i > 0 ? "," : "",
			    STR_ARG(options->variables.list.items[i].name),
			    STR_ARG(options->variables.list.items[i].value));
		break;
	}
}

/* "plan --json=yes(line) [a][b]", or the errors with their hints. */
static const char *
understood(struct arena *arena, const char *line,
    const char *const *variables)
{
	static const char *const from[] = { "", "env", "ARGS", "line" };
	struct outside outside = { variables };
	struct args_environment environment = { &outside, get };
	struct diags diags = { .arena = arena };
	char *argv[WORDS_MAX + 1];
	struct strbuf out = {0};
	struct args args;
	bool ok = args_parse(arena, (int)split(arena, line, argv), argv,
	    &environment, &args, &diags);
	struct str text;

	assert_int_equal(ok, diags.errors == 0);
	diags_print(&out, &diags, (struct diag_style){ .width = 400 });
	if (ok) {
		strbuf_adds(&out, args.command != NULL ? args.command->name :
		    "nothing");
		if (args.version)
			strbuf_adds(&out, " version");
		for (size_t i = 0; i < options_count; i++) {
			if (args.origins[i] == ORIGIN_DEFAULT)
				continue;
			strbuf_addf(&out, " %s=", options_table[i].name);
			add_value(&out, &args.options, &options_table[i]);
			strbuf_addf(&out, "(%s)", from[args.origins[i]]);
		}
		for (size_t i = 0; i < args.operands.n; i++)
			strbuf_addf(&out, "%s[" STR_FMT "]", args.dashes &&
			    i == args.before_dashes ? " --" : " ",
			    STR_ARG(args.operands.items[i]));
	}
	text = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return arena_cstr(arena, text);
}

struct parse_case {
	const char *line, *wanted;
	const char *variables[4];	/* of the environment */
};

static void
check_cases(const struct parse_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena arena = {0};
		const char *got = understood(&arena, cases[i].line,
		    cases[i].variables);
		if (!str_is(str_from(got), cases[i].wanted))
			fail_msg("podform %s\n got: %s\nwant: %s",
			    cases[i].line, got, cases[i].wanted);
		arena_release(&arena);
	}
}

static void
test_cmd_args_spellings_mean_the_same(void **state)
{
	static const struct parse_case cases[] = {
		{ "", "nothing", {0} },
		{ "plan", "plan", {0} },
		{ "--json plan", "plan json=yes(line)", {0} },
		{ "plan -json", "plan json=yes(line)", {0} },
		{ "plan --json=true --no-json", "plan json=no(line)", {0} },
		{ "plan --json=on", "plan json=yes(line)", {0} },
		{ "plan --json=1", "plan json=yes(line)", {0} },
		{ "plan --json=yes", "plan json=yes(line)", {0} },
		{ "plan --json=0", "plan json=no(line)", {0} },
		{ "plan --json=no", "plan json=no(line)", {0} },
		{ "plan --json=off", "plan json=no(line)", {0} },
		{ "plan --json=", "plan json=no(line)", {0} },
		{ "plan -no-json", "plan json=no(line)", {0} },
		{ "plan -refresh=false", "plan refresh=no(line)", {0} },
		{ "plan --out p --out=q -out r", "plan out=r(line)", {0} },
		{ "plan -target a --target=b",
		  "plan target=a,b(line)", {0} },
		{ "plan -var a=1 -var b= -var c=d=e",
		  "plan var=a:1,b:,c:d=e(line)", {0} },
		{ "plan --expires 1h30m", "plan expires=5400000(line)", {0} },
		{ "plan --format json", "plan format=json(line)", {0} },
		{ "plan --no-color",
		  "plan no-color=yes(line)", {0} },
		{ "plan -qvv", "plan quiet=yes(line) verbose=2(line)", {0} },
		{ "plan --verbose=9", "plan verbose=9(line)", {0} },
		{ "-C dir -fone plan -f two",
		  "plan chdir=dir(line) spec=one,two(line)", {0} },
		{ "-qCdir plan", "plan chdir=dir(line) quiet=yes(line)",
		  {0} },
		{ "validate -- --json", "validate --[--json]", {0} },
		{ "validate -", "validate [-]", {0} },
		{ "show \"\"", "show []", {0} },
		{ "exec a b -- ls -l -- x",
		  "exec [a] [b] --[ls] [-l] [--] [x]", {0} },
		{ "force-unlock x", "unlock [x]", {0} },
		{ "diff", "drift", {0} },
		{ "-version", "nothing version", {0} },
		{ "--version", "nothing version", {0} },
		/* -f is --follow behind logs, and --spec before it. */
		{ "logs x -f", "logs follow=yes(line) [x]", {0} },
		{ "-f s logs x", "logs spec=s(line) [x]", {0} },
		{ "apply --on-failure keep --parallelism 10000",
		  "apply on-failure=keep(line) parallelism=10000(line)",
		  {0} },
		/* What help is asked about need not be right. */
		{ "plan a b c --help", "plan help=yes(line) [a] [b] [c]",
		  {0} },
	};

	(void)state;
	check_cases(cases, COUNTOF(cases));
}

static void
test_cmd_args_refusals_name_the_word_and_the_way(void **state)
{
	static const struct parse_case cases[] = {
		{ "plna", "error: unknown command 'plna'; did you "
		  "mean 'plan'? [PF0804]\n   hint: podform --help lists "
		  "them\n", {0} },
		{ "xyzzyxyzzy", "error: unknown command "
		  "'xyzzyxyzzy' [PF0804]\n   hint: podform --help lists "
		  "them\n", {0} },
		{ "--jsn", "error: unknown option '--jsn'; did you "
		  "mean '--json'? [PF0801]\n   hint: podform --help lists "
		  "them\n", {0} },
		{ "plan --xyzzyxyzzy=3", "error: unknown option "
		  "'--xyzzyxyzzy' [PF0801]\n   hint: podform plan --help "
		  "lists them\n", {0} },
		{ "plan -x", "error: unknown option '-x' [PF0801]\n"
		  "   hint: podform plan --help lists them\n", {0} },
		{ "plan -color never", "error: unknown option "
		  "'-color'; did you mean '--color'? [PF0801]\n   hint: "
		  "podform plan --help lists them\n", {0} },
		{ "plan --no-out", "error: unknown option "
		  "'--no-out' [PF0801]\n   hint: podform plan --help lists "
		  "them\n", {0} },
		{ "plan --no-xyzzyxyzzy", "error: unknown option "
		  "'--no-xyzzyxyzzy' [PF0801]\n   hint: podform plan --help "
		  "lists them\n", {0} },
		{ "plan -out=p -chdir=x", "error: unknown option '-chdir=x'; "
		  "did you mean '--chdir'? [PF0801]\n   hint: podform plan "
		  "--help lists them\n",
		  {0} },
		{ "plan -qx", "error: unknown option '-qx' [PF0801]\n   hint: "
		  "podform plan --help lists them\n", {0} },
		{ "--out", "error: --out needs a value: FILE [PF0803]\n",
		  {0} },
		{ "plan --no-json=1", "error: unknown option "
		  "'--no-json' [PF0801]\n   hint: podform plan --help lists "
		  "them\n", {0} },
		{ "validate --atomic", "error: podform validate has "
		  "no option --atomic [PF0801]\n   hint: podform validate "
		  "--help lists them\n", {0} },
		{ "plan --json=maybe", "error: --json: 'maybe' is "
		  "not true or false [PF0803]\n", {0} },
		{ "plan --verbose=10", "error: --verbose: '10' is "
		  "not a number up to 9 [PF0803]\n", {0} },
		{ "apply --parallelism 10001", "error: "
		  "--parallelism: '10001' is not a number from 1 to 10000 "
		  "[PF0803]\n", {0} },
		{ "plan --expires 5", "error: --expires: '5' is not "
		  "a duration like 90s or 1h30m [PF0803]\n", {0} },
		{ "plan --color=blue", "error: --color: 'blue' is "
		  "not one of auto, always, never [PF0803]\n", {0} },
		{ "plan --var =x", "error: --var: '=x' is not "
		  "NAME=VALUE [PF0803]\n", {0} },
		{ "plan -C", "error: -C needs a value: DIR "
		  "[PF0803]\n", {0} },
		{ "plan --out", "error: --out needs a value: FILE "
		  "[PF0803]\n", {0} },
		{ "plan x", "error: podform plan: 'x' is one "
		  "argument too many [PF0803]\n", {0} },
		{ "mv a", "error: podform mv needs OLD NEW "
		  "[PF0803]\n", {0} },
		{ "plan --profile p", "error: --profile: profiles "
		  "is not built yet [PF0805]\n", {0} },
	};

	(void)state;
	check_cases(cases, COUNTOF(cases));
}

#define NO_KEY "error: a key is never given as an argument: every " \
	"process on this machine could read it [PF0802]\n   hint: set " \
	"RUNPOD_API_KEY, or name a file of mode 0600 in " \
	"RUNPOD_API_KEY_FILE\n"

static void
test_cmd_args_take_no_key_in_any_place(void **state)
{
	static const struct parse_case cases[] = {
		{ "rpa_abc", NO_KEY, {0} },
		{ "plan rpa_abc", NO_KEY, {0} },
		{ "plan --out rpa_abc", NO_KEY, {0} },
		{ "plan --var=k=ghp_abc", NO_KEY, {0} },
		{ "plan --var k=github_pat_abc", NO_KEY, {0} },
		{ "plan ghs_a", NO_KEY, {0} },
		{ "plan gho_a", NO_KEY, {0} },
		{ "plan ghu_a", NO_KEY, {0} }, { "plan ghr_a", NO_KEY, {0} },
		{ "plan --api-key=x", NO_KEY, {0} },
		{ "plan -token x", NO_KEY, {0} },
		{ "plan --password", NO_KEY, {0} },
		{ "plan --secret=s", NO_KEY, {0} },
		/* Behind -- it is the pod's, and inside of a word none. */
		{ "exec a -- echo rpa_abc", "exec [a] --[echo] [rpa_abc]",
		  {0} },
		{ "show my-rpa_abc", "show [my-rpa_abc]", {0} },
	};

	(void)state;
	check_cases(cases, COUNTOF(cases));
}

static void
test_cmd_args_environment_comes_behind_the_line(void **state)
{
	static const struct parse_case cases[] = {
		{ "plan", "plan json=yes(env)", { "PODFORM_JSON=1" } },
		/* Set and empty is no for a flag, and nothing else. */
		{ "plan", "plan json=no(env)", { "PODFORM_JSON=" } },
		{ "plan", "plan", { "PODFORM_OUT=" } },
		{ "plan --json=false", "plan json=no(line)",
		  { "PODFORM_JSON=1" } },
		{ "plan", "plan json=no(ARGS)",
		  { "PODFORM_JSON=1", "PODFORM_ARGS=--json=false" } },
		{ "plan", "plan out=q(ARGS)",
		  { "PODFORM_ARGS=--out p", "PODFORM_ARGS_plan=--out q" } },
		{ "plan --out r", "plan out=r(line)",
		  { "PODFORM_ARGS=--out p", "PODFORM_ARGS_plan=--out q" } },
		/* For every command: what this one has not is passed over. */
		{ "validate", "validate json=yes(ARGS)",
		  { "PODFORM_ARGS=--out p --json" } },
		{ "validate", "error: podform validate has no option "
		  "--out [PF0801]\n   hint: podform validate --help lists "
		  "them\n", { "PODFORM_ARGS_validate=--out p" } },
		{ "validate", "validate", { "PODFORM_EXPIRES=never" } },
		{ "exec", "exec [a b] [c'd] [] [e]",
		  { "PODFORM_ARGS_exec='a b' c\"'\"d \"\"\te" } },
		{ "plan", "error: PODFORM_EXPIRES: 'never' is not a "
		  "duration like 90s or 1h30m [PF0803]\n",
		  { "PODFORM_EXPIRES=never" } },
		{ "plan", "error: unknown option '--xyzzyxyzzy' "
		  "[PF0801]\n   hint: podform plan --help lists them\n   "
		  "hint: it comes from the environment variable "
		  "PODFORM_ARGS_plan\n",
		  { "PODFORM_ARGS_plan=--xyzzyxyzzy" } },
		{ "forget x", "forget lock-timeout=5000(env) [x]",
		  { "PODFORM_LOCK_TIMEOUT=5s" } },
		{ "plan", "error: --expires: 'tomorrow' is not a duration "
		  "like 90s or 1h30m [PF0803]\n   hint: it comes from the "
		  "environment variable PODFORM_ARGS\n",
		  { "PODFORM_ARGS=--expires tomorrow",
		    "PODFORM_ARGS_plan=--xyzzyxyzzy" } },
		{ "exec", "exec [a b\"]", { "PODFORM_ARGS_exec='a b\"" } },
		{ "exec", "exec [a] --[-b]",
		  { "PODFORM_ARGS_exec=\t a\n-- -b " } },
		{ "", "nothing json=yes(env)", { "PODFORM_JSON=1" } },
		{ "plan", "plan verbose=2(env)", { "PODFORM_VERBOSE=2" } },
		{ "plan", "error: PODFORM_VERBOSE: 'x' is not a number up to "
		  "9 [PF0803]\n", { "PODFORM_VERBOSE=x" } },
		{ "plan", "error: PODFORM_JSON: 'x' is not true or false "
		  "[PF0803]\nerror: PODFORM_EXPIRES: 'x' is not a duration "
		  "like 90s or 1h30m [PF0803]\n",
		  { "PODFORM_EXPIRES=x", "PODFORM_JSON=x" } },
		/* What is not built yet is nobody's variable. */
		{ "plan", "plan", { "PODFORM_PROFILE=x" } },
		/* Without a command there is nothing to prepend to. */
		{ "", "nothing", { "PODFORM_ARGS=plan" } },
	};

	(void)state;
	check_cases(cases, COUNTOF(cases));
}

/* Each name once, each letter one meaning for a command, help for all. */
static void
test_cmd_args_tables_hold_together(void **state)
{
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < options_count; i++) {
		const struct option *option = &options_table[i];
		assert_ptr_equal(options_find(str_from(option->name)),
		    option);
		assert_true(option->groups != 0 && option->help[0] != '\0');
		assert_int_equal(option->argument == NULL,
		    option->type == OPTION_FLAG ||
		    option->type == OPTION_COUNT);
		assert_int_equal(option->choices != NULL,
		    option->type == OPTION_CHOICE);
	}
	assert_null(options_find(STR("nothing")));
	assert_null(options_find_letter(0, 0));
	assert_null(options_find_letter('Z', OPTIONS_GLOBAL));
	assert_string_equal(options_find_letter('f', OPTIONS_LOGS)->name,
	    "follow");
	assert_string_equal(options_find_letter('f', OPTIONS_PLAN)->name,
	    "spec");
	assert_int_equal(options_letter(options_find(STR("spec")),
	    OPTIONS_LOGS), 0);
	assert_int_equal(options_letter(options_find(STR("spec")), 0),
	    'f');
	assert_string_equal(options_variable(&arena,
	    options_find(STR("lock-timeout"))), "PODFORM_LOCK_TIMEOUT");
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *command = &commands[i];
		assert_ptr_equal(command_find(str_from(command->name)),
		    command);
		if (command->alias != NULL)
			assert_ptr_equal(command_find(str_from(
			    command->alias)), command);
		assert_true(command->min_operands <= command->max_operands);
		assert_non_null(command_group_title(command->group));
		if (command->min_operands > 0)
			assert_non_null(command->operands);
	}
	assert_null(command_find(STR("")));
	assert_string_equal(args_origin_words(ORIGIN_DEFAULT), "built in");
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cmd_args_spellings_mean_the_same),
		cmocka_unit_test(
		    test_cmd_args_refusals_name_the_word_and_the_way),
		cmocka_unit_test(test_cmd_args_take_no_key_in_any_place),
		cmocka_unit_test(
		    test_cmd_args_environment_comes_behind_the_line),
		cmocka_unit_test(test_cmd_args_tables_hold_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
