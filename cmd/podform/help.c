/* help.c - see help.h */
#include "help.h"

#include "run/session.h"
#include "ui/cells.h"

static void
add_heading(struct strbuf *out, struct style style, const char *title)
{
	strbuf_addc(out, '\n');
	style_add(out, style, PAINT_BOLD, str_from(title));
	strbuf_addc(out, '\n');
}

static void
add_row(struct strbuf *out, struct str left, const char *right, size_t pad,
    struct style style)
{
	size_t from = out->len;

	strbuf_adds(out, "  ");
	strbuf_add(out, left);
	if (cells_width(left) + 4 > pad) {
		strbuf_addc(out, '\n');
		from = out->len;
	}
	cells_pad(out, from, pad);
	cells_wrap(out, str_from(right), pad, pad, (size_t)style.width);
	strbuf_addc(out, '\n');
}

static void
add_overview(struct strbuf *out, struct style style)
{
	strbuf_adds(out, "usage: podform [OPTIONS] COMMAND [OPTIONS] "
	    "[OPERANDS]\n\n"
	    "Write down the GPU pods, runners and tunnels you want; podform "
	    "makes RunPod\nmatch, and shows first what it will do and "
	    "cost.\n");
	for (int group = GROUP_MAIN; group < GROUP_HIDDEN; group++) {
		add_heading(out, style,
		    command_group_title((enum command_group)group));
		for (size_t i = 0; i < commands_count; i++)
			if ((int)commands[i].group == group &&
			    commands[i].run != NULL)
				add_row(out, str_from(commands[i].name),
				    commands[i].help, 16, style);
	}
	add_heading(out, style, "Not built yet");
	strbuf_adds(out, "  ");
	struct strbuf names = {0};
	for (size_t i = 0; i < commands_count; i++)
		if (commands[i].run == NULL)
			strbuf_addf(&names, "%s%s", names.len > 0 ? " " : "",
			    commands[i].name);
	cells_wrap(out, strbuf_str(&names), 2, 2, (size_t)style.width);
	strbuf_release(&names);
	strbuf_adds(out, "\n\npodform COMMAND --help says more about one. "
	    "Every option can be set as\nPODFORM_OPTION in the "
	    "environment.\n");
}

static void
option_left(struct strbuf *out, const struct option *option,
    const struct command *command)
{
	char letter = options_letter(option, command->options);

	if (letter != 0)
		strbuf_addf(out, "-%c, ", letter);
	else
		strbuf_adds(out, "    ");
	strbuf_addf(out, "--%s", option->name);
	if (option->argument != NULL)
		strbuf_addf(out, " %s", option->argument);
}

static void
add_options(struct strbuf *out, const struct command *command,
    unsigned groups, const char *title, struct style style)
{
	bool any = false;

	for (size_t i = 0; i < options_count; i++) {
		const struct option *option = &options_table[i];
		struct strbuf left = {0};
		if ((option->groups & groups) == 0 || option->later != NULL)
			continue;
		if (!any)
			add_heading(out, style, title);
		any = true;
		option_left(&left, option, command);
		add_row(out, strbuf_str(&left), option->help, 32, style);
		strbuf_release(&left);
	}
}

void
help_print(struct strbuf *out, const struct command *command,
    struct style style)
{
	if (command == NULL) {
		add_overview(out, style);
		return;
	}
	strbuf_addf(out, "usage: podform %s", command->name);
	if (command->options != 0)
		strbuf_adds(out, " [OPTIONS]");
	if (command->operands != NULL)
		strbuf_addf(out, " %s", command->operands);
	strbuf_addf(out, "\n\n%s\n", command->help);
	if (command->alias != NULL)
		strbuf_addf(out, "Also known as: %s\n", command->alias);
	if (command->more != NULL) {
		cells_wrap(out, str_from(command->more), 0, 0,
		    (size_t)style.width);
		strbuf_addc(out, '\n');
	}
	if (command->run == NULL)
		strbuf_adds(out, "It is not built yet.\n");
	add_options(out, command, command->options, "Options", style);
	add_options(out, command, OPTIONS_GLOBAL, "Options of every command",
	    style);
}

/* ----------------------------------------------------------------- pages -- */

static void
page_options(struct strbuf *out, unsigned groups)
{
	strbuf_adds(out, "\n| Option | Meaning |\n|---|---|\n");
	for (size_t i = 0; i < options_count; i++) {
		const struct option *option = &options_table[i];
		if ((option->groups & groups) == 0)
			continue;
		strbuf_adds(out, "| `");
		if (option->letter != 0)
			strbuf_addf(out, "-%c`, `", option->letter);
		strbuf_addf(out, "--%s", option->name);
		if (option->argument != NULL)
			strbuf_addf(out, " %s", option->argument);
		strbuf_addf(out, "` | %s%s |\n", option->help,
		    option->later != NULL ? " *(not built yet)*" : "");
	}
}

void
help_commands_page(struct strbuf *out)
{
	strbuf_adds(out, "# Commands\n\nMade by `podform docs commands` from "
	    "the tables in `cmd/podform`; do not edit.\n\n"
	    "## Options of every command\n");
	page_options(out, OPTIONS_GLOBAL);
	strbuf_adds(out, "\nEach can be set in the environment: "
	    "`--lock-timeout` is `PODFORM_LOCK_TIMEOUT`. `PODFORM_ARGS` and "
	    "`PODFORM_ARGS_plan` hold words that are read before those of the "
	    "command line.\n");
	for (int group = GROUP_MAIN; group < GROUP_HIDDEN; group++) {
		strbuf_addf(out, "\n## %s\n", command_group_title(
		    (enum command_group)group));
		for (size_t i = 0; i < commands_count; i++) {
			const struct command *command = &commands[i];
			if ((int)command->group != group)
				continue;
			strbuf_addf(out, "\n### podform %s%s%s\n\n%s%s\n",
			    command->name,
			    command->operands != NULL ? " " : "",
			    command->operands != NULL ? command->operands : "",
			    command->help,
			    command->run == NULL ? " *(not built yet)*" : "");
			if (command->more != NULL)
				strbuf_addf(out, "\n%s\n", command->more);
			if (command->options != 0)
				page_options(out, command->options);
		}
	}
}

void
help_exit_codes_page(struct strbuf *out)
{
	static const char money[256] = { [EXIT_LEFT] = 1 };

	strbuf_adds(out, "# Exit codes\n\nMade by `podform docs exit-codes` "
	    "from the table in `pkg/run`; do not edit.\n\nNumbers are never "
	    "used again for another meaning; scripts may read unknown ones up "
	    "to 63 as 1.\n\n| Code | Meaning | Something may bill because of "
	    "us |\n|---|---|---|\n");
	for (int code = 0; code < 256; code++)
		if (exit_code_meaning(code) != NULL)
			strbuf_addf(out, "| %d | %s | %s |\n", code,
			    exit_code_meaning(code),
			    money[code] ? "**yes**" : code == 0 ?
			    "as planned" : "no");
}
