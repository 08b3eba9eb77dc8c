/* validate.c - podform validate: every mistake of every file, offline. */
#include "app.h"
#include "commands.h"
#include "ssh_world.h"
#include "ui/diag_json.h"
#include "ui/words.h"

int
cmd_validate(struct app *app)
{
	const struct spec *spec;
	struct strbuf out = {0};
	bool valid;

	if (app->args.operands.n == 1)
		*ARENA_PUSH(&app->arena, &app->args.options.spec.list) =
		    app->args.operands.items[0];
	spec = app_load_spec(app, false, NULL);
	if (spec != NULL)
		ssh_world_validate_keys(app, spec);
	valid = spec != NULL && app->diags.errors == 0;
	if (app_json(app)) {
		diag_json_document(&out, &app->diags);
		app->json_done = true;
		app_print(app, &out);
	} else if (valid && !app->options->quiet) {
		strbuf_adds(&out, "valid: ");
		strbuf_add(&out, words_count(&app->arena, spec->nresources,
		    "resource"));
		strbuf_adds(&out, " in ");
		strbuf_add(&out, words_count(&app->arena, spec->nfiles,
		    "file"));
		strbuf_addc(&out, '\n');
		app_print(app, &out);
	}
	return valid ? EXIT_OK : EXIT_USAGE;
}
