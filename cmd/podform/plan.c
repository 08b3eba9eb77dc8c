/* plan.c - podform plan: what apply would do; writes nothing but --out. */
#include "app.h"
#include "commands.h"
#include "planning.h"
#include "ssh_world.h"
#include "step.h"
#include "ui/plan_file.h"

static int
save(struct planning *planning)
{
	struct app *app = planning->app;
	struct plan_binding binding = planning_bind(planning);
	const char *path = arena_cstr(&app->arena, app->options->out);
	struct strbuf out = {0};
	bool ok;

	plan_json(&out, planning->plan, &(struct plan_json_options){
	    .binding = &binding, .sources = &app->sources,
	    .diags = &app->diags });
	ok = !out.failed && plan_file_write(&app->fs,
	    &app->chance, path, strbuf_str(&out), &app->diags);
	strbuf_release(&out);
	if (ok && !app_json(app) && !app_markdown(app) &&
	    !app->options->quiet) {
		strbuf_addf(&out, "\nSaved as %s. To do exactly this: podform "
		    "apply %s\n", path, path);
		app_say(app, &out);
	}
	return ok ? EXIT_OK : EXIT_ERROR;
}

static int
plan_and_show(struct planning *planning)
{
	struct app *app = planning->app;
	const struct options *options = app->options;
	int code;

	code = planning_open(planning, app, false, "plan");
	if (code == EXIT_OK)
		code = session_read_secrets(&planning->session, false);
	/* A saved plan is bound to its account, and its JSON names it. */
	planning->options.account = options->out.len > 0 ||
	    app_json(app) || app_markdown(app);
	if (code == EXIT_OK)
		code = session_plan(&planning->session, &planning->options,
		    &planning->plan);
	if (code == EXIT_OK && !planning_keys(planning, ssh_world_check_keys))
		code = EXIT_USAGE;
	if (code != EXIT_OK)
		return code;
	code = planning_judge(planning);
	planning_show(planning);
	step_summary(planning);
	if (options->out.len > 0 && save(planning) != EXIT_OK)
		code = EXIT_ERROR;
	if (code == EXIT_OK && options->detailed_exitcode &&
	    !planning->plan->empty)
		code = EXIT_DIFFERENT;
	return code;
}

int
cmd_plan(struct app *app)
{
	struct planning planning;
	int code;

	if (!app_markdown(app) && !app_format_is_built(app))
		return EXIT_ERROR;
	planning = (struct planning){ .app = app };
	code = plan_and_show(&planning);
	planning_close(&planning);
	return code;
}
