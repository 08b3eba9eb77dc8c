/* show.c - podform show: a saved plan, or a record; offline. */
#include "app.h"
#include "base/units.h"
#include "commands.h"
#include "record.h"
#include "ui/plan_file.h"
#include "ui/plan_markdown.h"
#include "ui/plan_text.h"
#include "ui/words.h"

static void
show_age(struct strbuf *out, struct app *app, const struct plan_file *file)
{
	int64_t now = app_wall_ms(app);
	const struct plan_binding *binding = &file->binding;

	strbuf_addf(out, "Plan " STR_FMT ", made " STR_FMT " (" STR_FMT ")",
	    STR_ARG(str_sub(binding->plan_id, 0, 8)),
	    STR_ARG(format_time(&app->arena, binding->created_ms)),
	    STR_ARG(words_ago(&app->arena, now - binding->created_ms)));
	if (binding->expires_ms > 0 && now > binding->expires_ms)
		strbuf_adds(out, "; it has expired");
	strbuf_adds(out, ".\n\n");
}

static int
show_plan(struct app *app, const char *path)
{
	struct plan_file file;
	struct strbuf out = {0};

	if (!plan_file_read(&app->arena, &app->fs, path, &file,
		&app->diags) ||
	    !plan_file_check(&file, str_from(path), &app->diags))
		return EXIT_ERROR;
	if (app_json(app)) {
		strbuf_add(&out, file.text);
	} else if (app_markdown(app)) {
		plan_markdown(&out, file.plan, &(struct plan_markdown_options){
		    .sources = file.sources, .binding = &file.binding,
		    .commit = app_variable("GITHUB_SHA"),
		    .file = str_from(path),
		    .max_bytes = (size_t)app->options->max_bytes });
	} else {
		show_age(&out, app, &file);
		plan_text(&out, file.plan, &(struct plan_text_options){
		    .style = app->out_style, .sources = file.sources,
		    .spec_digest = file.binding.spec_digest,
		    .concise = app->options->concise });
	}
	app_print(app, &out);
	return EXIT_OK;
}

static int
show_records(struct app *app, struct str address)
{
	struct session session = {0};
	struct strbuf out = {0};
	struct json_writer w = { .out = &out, .indent = 2 };
	int code = app_connect(app, false);

	if (code == EXIT_OK)
		code = app_open_session(app, &session, NULL, "show");
	if (code != EXIT_OK)
		return code;
	struct lock_entry *only = NULL;
	if (address.data != NULL) {
		only = record_find(session.lock, address, &app->diags);
		if (only == NULL) {
			diag_hint(&app->diags, "a saved plan is shown by the "
			    "name of its file");
			return EXIT_ERROR;
		}
	}
	if (app_json(app) && only == NULL)
		json_begin(&w, '[');
	for (size_t i = 0; i < session.lock->entries.n; i++) {
		struct lock_entry *entry = &session.lock->entries.items[i];
		if (only != NULL && entry != only)
			continue;
		if (app_json(app))
			record_json(&w, entry);
		else
			record_text(&out, &app->arena, entry, app->out_style);
	}
	if (app_json(app) && only == NULL)
		json_end(&w, ']');
	if (app_json(app))
		strbuf_addc(&out, '\n');
	app_print(app, &out);
	return EXIT_OK;
}

int
cmd_show(struct app *app)
{
	struct str what = app_operand(app, 0);
	struct fs_info info;

	if (!app_markdown(app) && !app_format_is_built(app))
		return EXIT_ERROR;
	if (what.data != NULL && app->fs.stat(app->fs.ctx,
	    arena_cstr(&app->arena, what), true, &info) == 0)
		return show_plan(app, arena_cstr(&app->arena, what));
	if (app_markdown(app))
		return app_fail(app, EXIT_USAGE, "PF0803",
		    "--format markdown shows a saved plan, and no file of one "
		    "is named");
	return show_records(app, what);
}
