/*
 * completion.c - podform completion bash|zsh|fish, from the tables.
 *
 * Commands, options of each command, words of options that have few; file
 * names everywhere else.
 */
#include <stdio.h>

#include "app.h"
#include "commands.h"

static bool
shown(const struct command *command)
{
	return command->group != GROUP_HIDDEN && command->run != NULL;
}

static bool
takes(const struct command *command, const struct option *option)
{
	return option->later == NULL && (option->groups &
	    (command->options | OPTIONS_GLOBAL)) != 0;
}

static void
add_commands(struct strbuf *out)
{
	bool first = true;

	for (size_t i = 0; i < commands_count; i++) {
		if (!shown(&commands[i]))
			continue;
		strbuf_addf(out, "%s%s", first ? "" : " ", commands[i].name);
		first = false;
	}
}

static void
add_options(struct strbuf *out, const struct command *command)
{
	bool first = true;

	for (size_t i = 0; i < options_count; i++) {
		if (!takes(command, &options_table[i]))
			continue;
		strbuf_addf(out, "%s--%s", first ? "" : " ",
		    options_table[i].name);
		first = false;
	}
}

/* `--color) words="auto always never" ;;` for each option with choices. */
static void
add_choices(struct strbuf *out)
{
	for (size_t i = 0; i < options_count; i++) {
		const struct option *option = &options_table[i];
		if (option->choices == NULL)
			continue;
		strbuf_addf(out, "\t--%s) words=\"", option->name);
		for (size_t j = 0; option->choices[j] != NULL; j++)
			strbuf_addf(out, "%s%s", j > 0 ? " " : "",
			    option->choices[j]);
		strbuf_adds(out, "\" ;;\n");
	}
}

static void
bash_script(struct strbuf *out)
{
	strbuf_adds(out, "# bash completion of podform: "
	    "eval \"$(podform completion bash)\"\n"
	    "_podform() {\n"
	    "\tlocal word=\"${COMP_WORDS[COMP_CWORD]}\" command= words= i\n"
	    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "\t\tcase \"${COMP_WORDS[i]}\" in\n"
	    "\t\t-C|-f|--chdir|--spec) ((i++)) ;;\n"
	    "\t\t-*) ;;\n"
	    "\t\t*) command=\"${COMP_WORDS[i]}\"; break ;;\n"
	    "\t\tesac\n\tdone\n"
	    "\tcase \"${COMP_WORDS[COMP_CWORD-1]}\" in\n");
	add_choices(out);
	strbuf_adds(out, "\tesac\n\t[ -n \"$words\" ] || "
	    "case \"$command\" in\n\t'') words='");
	add_commands(out);
	strbuf_adds(out, "' ;;\n");
	for (size_t i = 0; i < commands_count; i++) {
		if (!shown(&commands[i]))
			continue;
		strbuf_addf(out, "\t%s) case \"$word\" in -*) words='",
		    commands[i].name);
		add_options(out, &commands[i]);
		strbuf_adds(out, "' ;; esac ;;\n");
	}
	strbuf_adds(out, "\tesac\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	    "}\ncomplete -o bashdefault -o default -F _podform podform\n");
}

/* A help line between single quotes: no quotes and colons within. */
static void
add_plain(struct strbuf *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text != '\'' && *text != ':' && *text != '[' &&
		    *text != ']')
			strbuf_addc(out, *text);
}

static void
zsh_script(struct strbuf *out)
{
	strbuf_adds(out, "#compdef podform\n"
	    "# zsh completion of podform: eval \"$(podform completion "
	    "zsh)\"\n_podform() {\n\tlocal command=\"\" i\n"
	    "\tfor ((i = 2; i < CURRENT; i++)); do\n"
	    "\t\tcase \"${words[i]}\" in\n\t\t-C|-f|--chdir|--spec) ((i++)) "
	    ";;\n\t\t-*) ;;\n\t\t*) command=\"${words[i]}\"; break ;;\n"
	    "\t\tesac\n\tdone\n\tcase \"$command\" in\n\t'')\n"
	    "\t\tlocal -a list=(\n");
	for (size_t i = 0; i < commands_count; i++) {
		if (!shown(&commands[i]))
			continue;
		strbuf_addf(out, "\t\t\t'%s:", commands[i].name);
		add_plain(out, commands[i].help);
		strbuf_adds(out, "'\n");
	}
	strbuf_adds(out, "\t\t)\n\t\t_describe command list ;;\n");
	for (size_t i = 0; i < commands_count; i++) {
		if (!shown(&commands[i]))
			continue;
		strbuf_addf(out, "\t%s) if [[ \"$PREFIX\" == -* ]]; then "
		    "compadd -- ", commands[i].name);
		add_options(out, &commands[i]);
		strbuf_adds(out, "; else _files; fi ;;\n");
	}
	strbuf_adds(out, "\tesac\n}\n(( $+functions[compdef] )) && "
	    "compdef _podform podform\n");
}

static void
fish_script(struct strbuf *out)
{
	strbuf_adds(out, "# fish completion of podform: "
	    "podform completion fish | source\n");
	for (size_t i = 0; i < commands_count; i++) {
		if (!shown(&commands[i]))
			continue;
		strbuf_addf(out, "complete -c podform -n __fish_use_subcommand "
		    "-f -a %s -d '", commands[i].name);
		add_plain(out, commands[i].help);
		strbuf_adds(out, "'\n");
	}
	for (size_t i = 0; i < commands_count; i++)
		for (size_t j = 0; j < options_count; j++) {
			const struct option *option = &options_table[j];
			if (!shown(&commands[i]) ||
			    !takes(&commands[i], option))
				continue;
			strbuf_addf(out, "complete -c podform -n "
			    "'__fish_seen_subcommand_from %s' -l %s%s -d '",
			    commands[i].name, option->name,
			    option->argument != NULL ? " -r" : "");
			add_plain(out, option->help);
			strbuf_adds(out, "'\n");
		}
}

int
cmd_completion(struct app *app)
{
	struct str shell = app_operand(app, 0);
	struct strbuf out = {0};

	if (str_is(shell, "bash"))
		bash_script(&out);
	else if (str_is(shell, "zsh"))
		zsh_script(&out);
	else if (str_is(shell, "fish"))
		fish_script(&out);
	else
		return app_fail(app, EXIT_USAGE, "PF0803", "'" STR_FMT "' is "
		    "not a shell that completion is for: bash, zsh, fish",
		    STR_ARG(shell));
	app_print(app, &out);
	return EXIT_OK;
}
