/* args.c - see args.h */
#include "args.h"

#include <string.h>

#include "commands.h"

struct reader {
	struct arena *arena;
	struct args *args;
	struct diags *diags;
	const struct str *words;
	size_t nwords, at;
	enum origin origin;
	/* Options that were given, to be checked against the command. */
	VEC_OF(const struct option *) seen;
	bool lenient;		/* of PODFORM_ARGS: options of other commands
				   are passed over */
	bool failed;
};

const char *
args_origin_words(enum origin origin)
{
	static const char *const words[] = {
		[ORIGIN_DEFAULT] = "built in",
		[ORIGIN_ENVIRONMENT] = "environment",
		[ORIGIN_ARGS] = "PODFORM_ARGS",
		[ORIGIN_LINE] = "command line",
	};
	return words[origin];
}

/* ------------------------------------------------------------- refusals -- */

/* What people would write to hand us a key; it would be seen by all. */
static bool
is_key_option(struct str name)
{
	static const char *const names[] = { "api-key", "apikey", "key",
		"token", "api-token", "runpod-api-key", "api_key",
		"github-token", "gh-token", "access-token", "password",
		"secret" };

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

/* RunPod's keys and GitHub's tokens say what they are. */
static bool
is_key(struct str text)
{
	static const char *const begins[] = { "rpa_", "ghp_", "gho_", "ghu_",
		"ghs_", "ghr_", "github_pat_" };

	for (size_t i = 0; i < COUNTOF(begins); i++)
		if (str_starts(text, str_from(begins[i])))
			return true;
	return false;
}

static void
refuse_key(struct reader *reader)
{
	diag_error(reader->diags, "PF0802", NO_SPAN,
	    "a key is never given as an argument: every process on this "
	    "machine could read it");
	diag_hint(reader->diags, "set RUNPOD_API_KEY, or name a file of mode "
	    "0600 in RUNPOD_API_KEY_FILE");
	reader->failed = true;
}

static void
unknown_option(struct reader *reader, struct str shown, struct str name)
{
	const struct command *command = reader->args->command;
	struct str *names = ARENA_ARRAY(reader->arena, struct str,
	    options_count);
	struct str nearest;
	size_t n = 0;

	for (size_t i = 0; i < options_count; i++)
		if (command == NULL || (options_table[i].groups &
		    (command->options | OPTIONS_GLOBAL)) != 0)
			names[n++] = str_from(options_table[i].name);
	nearest = str_nearest(name, names, n);
	diag_error(reader->diags, "PF0801", NO_SPAN, "unknown option '"
	    STR_FMT "'%s" STR_FMT "%s", STR_ARG(shown),
	    nearest.len > 0 ? "; did you mean '--" : "", STR_ARG(nearest),
	    nearest.len > 0 ? "'?" : "");
	diag_hint(reader->diags, "podform %s--help lists them",
	    command == NULL ? "" : arena_printf(reader->arena, "%s ",
	    command->name).data);
	reader->failed = true;
}

static void
unknown_command(struct reader *reader, struct str name)
{
	struct str *names = ARENA_ARRAY(reader->arena, struct str,
	    2 * commands_count);
	struct str nearest;
	size_t n = 0;

	for (size_t i = 0; i < commands_count; i++) {
		if (commands[i].group == GROUP_HIDDEN)
			continue;
		names[n++] = str_from(commands[i].name);
		if (commands[i].alias != NULL)
			names[n++] = str_from(commands[i].alias);
	}
	nearest = str_nearest(name, names, n);
	diag_error(reader->diags, "PF0804", NO_SPAN, "unknown command '"
	    STR_FMT "'%s" STR_FMT "%s", STR_ARG(name),
	    nearest.len > 0 ? "; did you mean '" : "", STR_ARG(nearest),
	    nearest.len > 0 ? "'?" : "");
	diag_hint(reader->diags, "podform --help lists them");
	reader->failed = true;
}

/* -------------------------------------------------------------- options -- */

static void
take_option(struct reader *reader, const struct option *option,
    struct str value, struct str shown)
{
	const char *name = arena_cstr(reader->arena, shown);

	if (option->type != OPTION_FLAG && option->type != OPTION_COUNT &&
	    value.data == NULL) {
		if (reader->at >= reader->nwords) {
			diag_error(reader->diags, "PF0803", NO_SPAN,
			    "%s needs a value: %s", name, option->argument);
			reader->failed = true;
			return;
		}
		value = reader->words[reader->at++];
	}
	const struct command *command = reader->args->command;
	if (reader->lenient && command != NULL && (option->groups &
	    (command->options | OPTIONS_GLOBAL)) == 0)
		return;
	if (!options_set(&reader->args->options, option, value,
	    reader->arena, name, reader->diags))
		reader->failed = true;
	reader->args->origins[option - options_table] = reader->origin;
	*ARENA_PUSH(reader->arena, &reader->seen) = option;
}

/* `--no-x` for a flag x. */
static const struct option *
find_negated(struct str name)
{
	const struct option *option;

	if (!str_starts(name, STR("no-")))
		return NULL;
	option = options_find(str_sub(name, 3, name.len));
	return option != NULL && option->type == OPTION_FLAG ? option : NULL;
}

static void
read_long(struct reader *reader, struct str word, size_t dashes)
{
	struct str value = {0}, name = str_sub(word, dashes, word.len);
	struct str shown = word;
	const struct option *option;

	if (str_find(name, '=') >= 0) {
		name = str_cut(name, '=', &value);
		shown = str_sub(word, 0, dashes + name.len);
		if (value.data == NULL)
			value = STR("");
	}
	option = options_find(name);
	if (option != NULL && (dashes == 2 || option->one_dash)) {
		take_option(reader, option, value, shown);
		return;
	}
	option = find_negated(name);
	if (option != NULL && value.data == NULL) {
		take_option(reader, option, STR("false"), shown);
		return;
	}
	if (str_is(name, "version"))
		reader->args->version = true;
	else if (is_key_option(name))
		refuse_key(reader);
	else
		unknown_option(reader, shown, name);
}

/*
 * A command may have a letter of its own that means something else before
 * it: `-f` follows a log, and names a spec everywhere else.
 */
static const struct option *
find_letter(const struct reader *reader, char letter)
{
	const struct command *command = reader->args->command;

	return options_find_letter(letter, command != NULL ?
	    command->options : 0);
}

/* Letters: -qv, -C DIR, -CDIR. */
static void
read_letters(struct reader *reader, struct str word)
{
	for (size_t i = 1; i < word.len; i++) {
		const struct option *option = find_letter(reader,
		    word.data[i]);
		struct str rest = str_sub(word, i + 1, word.len);
		struct str shown = arena_printf(reader->arena, "-%c",
		    word.data[i]);
		if (option == NULL) {
			unknown_option(reader, word, str_sub(word, 1,
			    word.len));
			return;
		}
		if (option->type == OPTION_FLAG ||
		    option->type == OPTION_COUNT) {
			take_option(reader, option, (struct str){0}, shown);
			continue;
		}
		take_option(reader, option, rest.len > 0 ? rest :
		    (struct str){0}, shown);
		return;
	}
}

/* -out FILE and the like: a whole long name behind one dash. */
static bool
is_one_dash(struct str word)
{
	struct str rest, name = str_cut(str_sub(word, 1, word.len), '=',
	    &rest);
	const struct option *option = options_find(name);

	if (name.len < 2)
		return false;
	return (option != NULL && option->one_dash) ||
	    find_negated(name) != NULL || is_key_option(name) ||
	    str_is(name, "version");
}

static void
read_word(struct reader *reader, struct str word)
{
	struct args *args = reader->args;

	if (word.len > 2 && str_starts(word, STR("--"))) {
		read_long(reader, word, 2);
	} else if (word.len > 1 && word.data[0] == '-') {
		if (is_one_dash(word))
			read_long(reader, word, 1);
		else
			read_letters(reader, word);
	} else if (args->command == NULL) {
		args->command = command_find(word);
		if (args->command == NULL)
			unknown_command(reader, word);
	} else {
		*ARENA_PUSH(reader->arena, &args->operands) = word;
	}
}

static void
read_words(struct reader *reader, const struct str *words, size_t n)
{
	reader->words = words;
	reader->nwords = n;
	reader->at = 0;
	while (reader->at < reader->nwords && !reader->failed) {
		struct str word = reader->words[reader->at++];
		if (str_is(word, "--")) {
			reader->args->dashes = true;
			reader->args->before_dashes =
			    reader->args->operands.n;
			while (reader->at < reader->nwords)
				*ARENA_PUSH(reader->arena,
				    &reader->args->operands) =
				    reader->words[reader->at++];
			break;
		}
		read_word(reader, word);
	}
}

/* ---------------------------------------------------------- environment -- */

/* Words divided by blanks; single and double quotes keep blanks. */
static struct text_list
split_words(struct arena *arena, struct str text)
{
	struct text_list words = {0};
	struct strbuf word = {0};
	bool inside = false;
	char quote = 0;

	for (size_t i = 0; i <= text.len; i++) {
		char byte = i < text.len ? text.data[i] : ' ';
		bool blank = byte == ' ' || byte == '\t' || byte == '\n';
		if (quote != 0 && byte == quote && i < text.len) {
			quote = 0;
		} else if (quote == 0 && (byte == '\'' || byte == '"')) {
			quote = byte;
			inside = true;
		} else if (blank && (quote == 0 || i == text.len)) {
			if (inside)
				*ARENA_PUSH(arena, &words.list) =
				    arena_str(arena, strbuf_str(&word));
			strbuf_reset(&word);
			inside = false;
		} else {
			strbuf_addc(&word, byte);
			inside = true;
		}
	}
	strbuf_release(&word);
	return words;
}

static void
read_args_variable(struct reader *reader,
    const struct args_environment *environment, const char *name,
    bool lenient)
{
	struct str value = environment->get(environment->ctx, name);
	struct text_list words;

	if (value.len == 0 || reader->failed)
		return;
	words = split_words(reader->arena, value);
	reader->origin = ORIGIN_ARGS;
	reader->lenient = lenient;
	read_words(reader, words.list.items, words.list.n);
	reader->lenient = false;
	if (reader->failed)
		diag_hint(reader->diags, "it comes from the environment "
		    "variable %s", name);
}

/* PODFORM_<OPTION> for what nothing else has set. */
static void
read_variables(struct reader *reader,
    const struct args_environment *environment)
{
	struct args *args = reader->args;

	for (size_t i = 0; i < options_count; i++) {
		const struct option *option = &options_table[i];
		const char *name;
		struct str value;
		if (args->origins[i] != ORIGIN_DEFAULT ||
		    option->later != NULL || (args->command != NULL &&
		    (option->groups & (args->command->options |
		    OPTIONS_GLOBAL)) == 0))
			continue;
		name = options_variable(reader->arena, option);
		value = environment->get(environment->ctx, name);
		if (value.data == NULL || (value.len == 0 &&
		    option->type != OPTION_FLAG))
			continue;
		if (!options_set(&args->options, option, value,
		    reader->arena, name, reader->diags))
			reader->failed = true;
		args->origins[i] = ORIGIN_ENVIRONMENT;
	}
}

/* --------------------------------------------------------------- checks -- */

static void
check_options(struct reader *reader)
{
	const struct command *command = reader->args->command;

	for (size_t i = 0; i < reader->seen.n; i++) {
		const struct option *option = reader->seen.items[i];
		if ((option->groups & (command->options |
		    OPTIONS_GLOBAL)) != 0)
			continue;
		diag_error(reader->diags, "PF0801", NO_SPAN,
		    "podform %s has no option --%s", command->name,
		    option->name);
		diag_hint(reader->diags, "podform %s --help lists them",
		    command->name);
		reader->failed = true;
	}
}

static void
check_operands(struct reader *reader)
{
	const struct args *args = reader->args;
	const struct command *command = args->command;

	if (args->operands.n > command->max_operands) {
		struct str extra = args->operands.items[
		    command->max_operands];
		diag_error(reader->diags, "PF0803", NO_SPAN,
		    "podform %s: '" STR_FMT "' is one argument too many",
		    command->name, STR_ARG(extra));
		reader->failed = true;
	} else if (args->operands.n < command->min_operands) {
		diag_error(reader->diags, "PF0803", NO_SPAN,
		    "podform %s needs %s", command->name, command->operands);
		reader->failed = true;
	}
}

/*
 * The command first, then PODFORM_ARGS, then the command line: what it says
 * wins.  A trial run over argv finds the command.
 */
static const struct command *
find_command(struct arena *arena, const struct str *words, size_t n)
{
	struct diags quiet = { .arena = arena };
	struct args trial = { .origins = ARENA_ARRAY(arena, enum origin,
	    options_count) };
	struct reader reader = { .arena = arena, .args = &trial,
		.diags = &quiet };

	read_words(&reader, words, n);
	return trial.command;
}

/*
 * Wherever it stands: in place of a command, of a file, of the value of an
 * option.  It is never repeated, since messages end up in logs.  What follows
 * `--` is a command for a pod, and its writer's business.
 */
static bool
holds_key(const struct str *words, size_t n)
{
	for (size_t i = 0; i < n && !str_is(words[i], "--"); i++) {
		struct str value = words[i];
		while (value.data != NULL) {
			if (is_key(value))
				return true;
			str_cut(value, '=', &value);
		}
	}
	return false;
}

bool
args_parse(struct arena *arena, int argc, char *const *argv,
    const struct args_environment *environment, struct args *args,
    struct diags *diags)
{
	size_t n = argc > 1 ? (size_t)argc - 1 : 0;
	struct str *words = ARENA_ARRAY(arena, struct str, n + 1);
	struct reader reader = { .arena = arena, .args = args,
		.diags = diags };

	*args = (struct args){ .origins = ARENA_ARRAY(arena, enum origin,
	    options_count) };
	options_init(&args->options);
	args->options.github = str_is(environment->get(environment->ctx,
	    "GITHUB_ACTIONS"), "true");
	for (size_t i = 0; i < n; i++)
		words[i] = str_from(argv[i + 1]);
	if (holds_key(words, n)) {
		refuse_key(&reader);
		return false;
	}
	args->command = find_command(arena, words, n);
	if (args->command != NULL) {
		read_args_variable(&reader, environment, "PODFORM_ARGS",
		    true);
		read_args_variable(&reader, environment, arena_printf(arena,
		    "PODFORM_ARGS_%s", args->command->name).data, false);
	}
	args->command = NULL;
	reader.origin = ORIGIN_LINE;
	if (!reader.failed)
		read_words(&reader, words, n);
	if (!reader.failed)
		read_variables(&reader, environment);
	if (args->options.no_color)
		args->options.color = COLOR_NEVER;
	if (reader.failed || args->command == NULL || args->options.help)
		return !reader.failed;
	check_options(&reader);
	if (!reader.failed)
		check_operands(&reader);
	return !reader.failed;
}
