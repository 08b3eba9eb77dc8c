/* explain.c - podform explain, schema, help, docs: from the tables. */
#include "app.h"
#include "commands.h"
#include "error_codes.h"
#include "help.h"
#include "spec/fields.h"

int
cmd_explain(struct app *app)
{
	struct str path = app_operand(app, 0);
	struct strbuf out = {0};

	if (app_json(app))
		return app_fail(app, EXIT_ERROR, "PF0805", "explain --json is "
		    "not built yet; podform schema holds the same");
	if (error_codes_explain(&out, path)) {
		app_print(app, &out);
		return EXIT_OK;
	}
	if (!fields_explain(&out, path, app->out_style.color,
	    app->out_style.width)) {
		strbuf_release(&out);
		app_fail(app, 0, "PF0808", "there is no field '" STR_FMT "'",
		    STR_ARG(path));
		diag_hint(&app->diags, "podform explain lists the kinds, "
		    "podform explain pod the fields of a pod, podform explain "
		    "PF0103 what a code means");
		return EXIT_USAGE;
	}
	app_print(app, &out);
	return EXIT_OK;
}

int
cmd_schema(struct app *app)
{
	struct str what = app_operand(app, 0);
	struct strbuf out = {0};

	if (what.data != NULL && !str_is(what, "spec"))
		return app_fail(app, EXIT_ERROR, "PF0805", "a schema of '"
		    STR_FMT "' is not built yet; there is one of the spec",
		    STR_ARG(what));
	fields_schema(&out);
	app_print(app, &out);
	return EXIT_OK;
}

int
cmd_help(struct app *app)
{
	struct str name = app_operand(app, 0);
	const struct command *command = NULL;
	struct strbuf out = {0};

	if (name.data != NULL) {
		command = command_find(name);
		if (command == NULL) {
			app_fail(app, 0, "PF0804", "unknown command '" STR_FMT
			    "'", STR_ARG(name));
			diag_hint(&app->diags, "podform --help lists them");
			return EXIT_USAGE;
		}
	}
	help_print(&out, command, app->out_style);
	app_print(app, &out);
	return EXIT_OK;
}

struct docs_page {
	const char *name;
	void (*make)(struct strbuf *out);
};

int
cmd_docs(struct app *app)
{
	static const struct docs_page pages[] = {
		{ "commands", help_commands_page },
		{ "exit-codes", help_exit_codes_page },
		{ "reference", fields_reference },
		{ "errors", error_codes_page },
	};
	struct strbuf out = {0};

	for (size_t i = 0; i < COUNTOF(pages); i++) {
		if (!str_is(app_operand(app, 0), pages[i].name))
			continue;
		pages[i].make(&out);
		app_print(app, &out);
		return EXIT_OK;
	}
	return app_fail(app, EXIT_USAGE, "PF0803",
	    "pages: commands, exit-codes, reference, errors");
}
