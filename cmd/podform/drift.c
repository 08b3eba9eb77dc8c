/*
 * drift.c - podform drift: live against recorded; exit 2 when it differs by
 * what nobody has accepted.  `drift ack` accepts one value of one field.
 */
#include "app.h"
#include "base/units.h"
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
	if (plan_has_drift(planning->plan))
		strbuf_adds(&out, "podform plan shows what an apply would "
		    "do about it.\n");
	else
		strbuf_adds(&out, out.len == 0 ? "No drift.\n" :
		    "No other drift.\n");
	app_print(app, &out);
}

static int
show_drift(struct app *app)
{
	struct planning planning = { .app = app };
	int code;

	if (app->options->reason.data != NULL ||
	    app->options->until.data != NULL)
		return app_fail(app, EXIT_USAGE, "PF0803", "--reason and "
		    "--until are for podform drift ack ADDRESS PATH");
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

/* -------------------------------------------------------------------- ack -- */

/* --until as it is recorded; absent for good.  False when reported. */
static bool
read_until(struct app *app, struct str *until)
{
	struct str text = app->options->until;
	int64_t now = app_wall_ms(app), ms;

	*until = (struct str){0};
	if (text.data == NULL)
		return true;
	if (parse_duration(text, &ms))
		ms += now;
	else if (!parse_time(text, &ms)) {
		app_fail(app, 0, "PF0803", "--until: '" STR_FMT "' is neither "
		    "a duration like 7d nor a time like 2026-12-01T00:00:00Z",
		    STR_ARG(text));
		return false;
	}
	if (ms <= now) {
		app_fail(app, 0, "PF0803", "--until: '" STR_FMT "' is over "
		    "already", STR_ARG(text));
		return false;
	}
	*until = format_time(&app->arena, ms);
	return true;
}

/* `trainer` is short for `pod.trainer`, as with --target. */
static struct str
full_address(struct app *app)
{
	struct str text = app_operand(app, 1);

	return str_find(text, '.') >= 0 ? text :
	    arena_printf(&app->arena, "pod." STR_FMT, STR_ARG(text));
}

static const struct plan_drift *
find_drift(struct app *app, const struct plan *plan, struct str address)
{
	for (size_t i = 0; i < plan->drift.n; i++)
		if (str_eq(plan->drift.items[i].address, address))
			return &plan->drift.items[i];
	app_fail(app, 0, "PF0858", "nothing of '" STR_FMT "' was changed "
	    "outside of podform", STR_ARG(address));
	diag_hint(&app->diags, "podform drift shows what was");
	return NULL;
}

/* The paths that have drifted, for who asked for another. */
static void
hint_paths(struct app *app, const struct plan_drift *drift)
{
	struct strbuf names = {0};

	if (drift->stopped || drift->started)
		strbuf_adds(&names, "state");
	for (size_t i = 0; i < drift->attrs.n; i++) {
		strbuf_adds(&names, names.len > 0 ? ", " : "");
		strbuf_add(&names, drift->attrs.items[i].path);
	}
	diag_hint(&app->diags, "what has changed is: " STR_FMT,
	    STR_ARG(strbuf_str(&names)));
	strbuf_release(&names);
}

/* May it be accepted, and with which value? */
static bool
take_value(struct app *app, const struct plan_drift *drift, struct ack *ack)
{
	const struct plan_attr *attr = NULL;

	if (drift->gone) {
		app_fail(app, 0, "PF0859", STR_FMT " was deleted; that cannot "
		    "be accepted", STR_ARG(ack->address));
		diag_hint(&app->diags, "take it out of the spec, or let the "
		    "next apply make it anew");
		return false;
	}
	if (str_is(ack->path, "state") && (drift->stopped || drift->started)) {
		ack->value = drift->stopped ? STR("\"stopped\"") :
		    STR("\"running\"");
		return true;
	}
	for (size_t i = 0; i < drift->attrs.n && attr == NULL; i++)
		if (str_eq(drift->attrs.items[i].path, ack->path))
			attr = &drift->attrs.items[i];
	if (attr == NULL) {
		app_fail(app, 0, "PF0858", STR_FMT " of " STR_FMT " was not "
		    "changed outside of podform", STR_ARG(ack->path),
		    STR_ARG(ack->address));
		hint_paths(app, drift);
		return false;
	}
	if (attr->edit || attr->sensitive) {
		app_fail(app, 0, "PF0859", STR_FMT " of " STR_FMT " %s",
		    STR_ARG(ack->path), STR_ARG(ack->address), attr->edit ?
		    "was changed in the spec, too, so there is nothing to "
		    "accept" : "may be a secret: it is neither shown nor "
		    "recorded, so it cannot be accepted");
		diag_hint(&app->diags, "%s", attr->edit ? "put the value that "
		    "you want into the spec" : "`ignore_drift` of the pod "
		    "leaves it alone, whatever its value");
		return false;
	}
	ack->value = attr->after;
	return true;
}

static int
acknowledge(struct planning *planning, struct ack *ack)
{
	struct app *app = planning->app;
	const struct plan_drift *drift = find_drift(app, planning->plan,
	    ack->address);
	struct session *session = &planning->session;
	struct strbuf out = {0};
	int code;

	if (drift == NULL || !take_value(app, drift, ack))
		return EXIT_ERROR;
	/* It may be recorded by another name: pod.x before pod.x[0]. */
	ack->address = drift->have->address;
	lock_acknowledge(session->lock, ack, app_wall_ms(app));
	code = session_commit(session, STR("drift ack"), (struct str){0},
	    arena_printf(&app->arena, "accepted " STR_FMT " of " STR_FMT,
	    STR_ARG(ack->path), STR_ARG(ack->address)), EXIT_OK);
	if (code != EXIT_OK)
		return code;
	strbuf_adds(&out, "Acknowledged: ");
	strbuf_add_escaped(&out, ack->path);
	strbuf_adds(&out, " of ");
	strbuf_add_escaped(&out, ack->address);
	strbuf_adds(&out, " may be ");
	strbuf_add_escaped(&out, ack->value.len > 0 ? ack->value :
	    STR("absent"));
	if (ack->until.len > 0)
		strbuf_addf(&out, " until " STR_FMT, STR_ARG(ack->until));
	strbuf_adds(&out, ". An apply leaves it so.\n");
	app_tell(app, &out);
	return EXIT_OK;
}

/* What may be said of the arguments before anything is opened. */
static int
read_ack(struct app *app, struct ack *ack)
{
	if (!str_is(app_operand(app, 0), "ack"))
		return app_fail(app, EXIT_USAGE, "PF0804", "podform drift "
		    "knows ack, not '" STR_FMT "'",
		    STR_ARG(app_operand(app, 0)));
	if (app->args.operands.n < 3)
		return app_fail(app, EXIT_USAGE, "PF0803", "podform drift ack "
		    "needs ADDRESS PATH, like pod.trainer env.MODE");
	if (str_trim(app->options->reason).len == 0)
		return app_fail(app, EXIT_USAGE, "PF0803", "podform drift ack "
		    "needs --reason TEXT, for those who will wonder");
	if (!app->options->refresh)
		return app_fail(app, EXIT_USAGE, "PF0834", "drift ack needs "
		    "to see the account; --refresh=false is for drift");
	*ack = (struct ack){
		.address = full_address(app),
		.path = app_operand(app, 2),
		.reason = str_trim(app->options->reason),
	};
	return read_until(app, &ack->until) ? EXIT_OK : EXIT_USAGE;
}

static int
accept_drift(struct app *app)
{
	struct planning planning = { .app = app };
	struct ack ack;
	int code = read_ack(app, &ack);

	if (code != EXIT_OK)
		return code;
	code = planning_open_writer(&planning, app, "drift ack");
	if (code == EXIT_OK)
		code = session_read_secrets(&planning.session, false);
	if (code == EXIT_OK)
		code = session_plan(&planning.session, &planning.options,
		    &planning.plan);
	if (code == EXIT_OK)
		code = acknowledge(&planning, &ack);
	planning_close(&planning);
	return code;
}

int
cmd_drift(struct app *app)
{
	if (!app_format_is_built(app))
		return EXIT_ERROR;
	return app->args.operands.n > 0 ? accept_drift(app) : show_drift(app);
}
