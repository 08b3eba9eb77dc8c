/* drift.c - podform drift: live against recorded; exit 2 when it differs. */
#include "app.h"
#include "commands.h"
#include "planning.h"
#include "ui/plan_text.h"

static void
print(const struct planning *planning)
{
	struct app *app = planning->app;
	struct strbuf out = {0};

	if (app_json(app)) {
		planning_show(planning);
		return;
	}
	plan_text_drift(&out, planning->plan, &(struct plan_text_options){
	    .style = app->out_style, .sources = &app->sources,
	    .concise = app->options->concise });
	if (out.len == 0)
		strbuf_adds(&out, "No drift.\n");
	else
		strbuf_adds(&out, "podform plan shows what an apply would "
		    "do about it.\n");
	app_print(app, &out);
}

int
cmd_drift(struct app *app)
{
	struct planning planning = { .app = app };
	int code;

	if (app->args.operands.n > 0)
		return app_fail(app, EXIT_ERROR, "PF0805", "podform drift "
		    STR_FMT " is not built yet", STR_ARG(app_operand(app, 0)));
	if (!app_format_is_built(app))
		return EXIT_ERROR;
	code = planning_open(&planning, app, false, "drift");
	if (code == EXIT_OK)
		code = session_read_secrets(&planning.session, false);
	if (code == EXIT_OK)
		code = session_plan(&planning.session, &planning.options,
		    &planning.plan);
	if (code == EXIT_OK)
		print(&planning);
	if (code == EXIT_OK && plan_has_drift(planning.plan))
		code = EXIT_DIFFERENT;
	planning_close(&planning);
	return code;
}
