/*
 * audit.c - podform audit, gc: what is on the account and not ours, and
 * what is ours by its mark and in no record.
 *
 * gc ends only the latter: pods with our full mark that no record knows.
 * It runs them through the same engine as an apply, journal included.
 */
#include <unistd.h>

#include "app.h"
#include "apply.h"
#include "base/json.h"
#include "base/units.h"
#include "commands.h"
#include "planning.h"
#include "ui/notes.h"
#include "ui/plan_text.h"
#include "ui/table.h"

/* A plan to destroy shows both lists and needs no spec. */
static int
look(struct planning *planning, struct app *app, const char *operation)
{
	int code = planning_open(planning, app, true, operation);

	if (code == EXIT_OK)
		code = session_refresh(&planning->session, true);
	if (code == EXIT_OK)
		code = session_plan(&planning->session, &planning->options,
		    &planning->plan);
	return code;
}

static const char *
verdict(const struct plan_unmanaged *thing)
{
	if (thing->suspect)
		return "suspect: carries our mark, but not rightly";
	return thing->other_lineage ? "of another podform project" :
	    "not of podform";
}

static void
add_thing(struct app *app, struct table *table, const char *kind,
    struct str id, struct str name, int64_t age_ms, int64_t per_hour,
    const char *what)
{
	table_add(table, str_from(kind));
	table_add(table, id);
	table_add(table, name);
	table_add(table, age_ms < 0 ? STR("") : format_duration(&app->arena,
	    age_ms / MINUTE_MS * MINUTE_MS));
	table_add(table, per_hour < 0 ? STR("?") :
	    format_rate(&app->arena, per_hour));
	table_add(table, per_hour < 0 ? STR("?") : format_total(&app->arena,
	    per_hour * HOURS_PER_MONTH));
	table_add(table, str_from(what));
}

static void
print_text(const struct planning *planning, struct strbuf *out)
{
	static const struct table_column columns[] = {
		{ .title = "KIND" }, { .title = "ID" },
		{ .title = "NAME", .shrink = true },
		{ .title = "AGE", .right = true },
		{ .title = "$/H", .right = true },
		{ .title = "$/MONTH", .right = true },
		{ .title = "WHOSE", .shrink = true, .wrap = true },
	};
	struct app *app = planning->app;
	const struct plan *plan = planning->plan;
	struct table table;

	table_init(&table, &app->arena, columns, COUNTOF(columns));
	for (size_t i = 0; i < plan->unmanaged.n; i++) {
		const struct plan_unmanaged *u = &plan->unmanaged.items[i];
		add_thing(app, &table, kind_name(u->kind), u->id, u->name,
		    u->age_ms, u->per_hour, verdict(u));
	}
	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct plan_change *c = &plan->changes.items[i];
		if (!c->orphan || c->pod == NULL)
			continue;
		add_thing(app, &table, "pod", c->pod->id,
		    c->pod->config.name, -1, c->pod->cost_known ?
		    c->pod->cost_per_hour : -1, "ours, in no record: "
		    "podform gc");
	}
	if (table_rows(&table) == 0) {
		strbuf_adds(out, "Everything on the account is ours.\n");
		return;
	}
	table_print(out, &table, app->out_style);
	strbuf_adds(out, "\nTo take one in: podform import ADDRESS ID\n");
}

static void
print_json(const struct planning *planning, struct strbuf *out)
{
	const struct plan *plan = planning->plan;
	struct json_writer w = { .out = out, .indent = 2 };

	json_begin(&w, '{');
	json_member_str(&w, "format_version", STR("1.0"));
	json_key(&w, "unmanaged");
	json_begin(&w, '[');
	for (size_t i = 0; i < plan->unmanaged.n; i++) {
		const struct plan_unmanaged *u = &plan->unmanaged.items[i];
		json_begin(&w, '{');
		json_member_str(&w, "kind", str_from(kind_name(u->kind)));
		json_member_str(&w, "id", u->id);
		json_member_str(&w, "name", u->name);
		if (u->per_hour >= 0)
			json_member_usd(&w, "per_hour", u->per_hour);
		if (u->age_ms >= 0)
			json_member_int(&w, "age_s", u->age_ms / SECOND_MS);
		json_member_bool(&w, "suspect", u->suspect);
		json_member_bool(&w, "other_project", u->other_lineage);
		json_end(&w, '}');
	}
	json_end(&w, ']');
	json_key(&w, "orphans");
	json_begin(&w, '[');
	for (size_t i = 0; i < plan->changes.n; i++)
		if (plan->changes.items[i].orphan &&
		    plan->changes.items[i].pod != NULL)
			json_put_str(&w, plan->changes.items[i].pod->id);
	json_end(&w, ']');
	json_end(&w, '}');
	strbuf_addc(out, '\n');
}

static size_t
count_orphans(const struct plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->changes.n; i++)
		n += plan->changes.items[i].orphan;
	return n;
}

int
cmd_audit(struct app *app)
{
	struct planning planning = { .app = app };
	struct strbuf out = {0};
	int code = look(&planning, app, "audit");

	if (code == EXIT_OK) {
		if (app_json(app))
			print_json(&planning, &out);
		else
			print_text(&planning, &out);
		app_print(app, &out);
		if (planning.plan->unmanaged.n +
		    count_orphans(planning.plan) > 0)
			code = EXIT_DIFFERENT;
	}
	planning_close(&planning);
	return code;
}

/* ---------------------------------------------------------------------- gc -- */

/* The plan that ends the orphans and nothing else. */
static struct plan *
orphans_only(struct arena *arena, const struct plan *plan,
    const struct plan_options *options)
{
	struct plan *only = ARENA_NEW(arena, struct plan);

	only->mode = plan->mode;
	only->spec = plan->spec;
	only->lock = plan->lock;
	only->live = plan->live;
	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct plan_change *change = &plan->changes.items[i];
		struct plan_action *action;
		if (!change->orphan)
			continue;
		action = ARENA_PUSH(arena, &only->actions);
		action->kind = change->kind == KIND_RUNNER ?
		    ACTION_RUNNER_REMOVE : ACTION_POD_DELETE;
		action->change = only->changes.n;
		*ARENA_PUSH(arena, &only->changes) = *change;
		only->cost.before_per_hour += change->before_per_hour;
	}
	only->summary.destroy = only->changes.n;
	only->empty = only->changes.n == 0;
	plan_check_deletes(arena, only, options);
	return only;
}

static int
collect(struct applying *applying, struct app *app)
{
	struct planning *planning = &applying->planning;
	bool acts = !app->options->dry_run;
	int code = planning_open(planning, app, true, "gc");

	if (code == EXIT_OK && acts)
		code = session_take_mutex(&planning->session);
	if (code == EXIT_OK && acts)
		code = session_load(&planning->session);
	if (code == EXIT_OK)
		code = session_plan(&planning->session, &planning->options,
		    &planning->plan);
	if (code != EXIT_OK)
		return code;
	planning->plan = orphans_only(&app->arena, planning->plan,
	    &planning->options.plan);
	if (planning->plan->changes.n == 0 && !app_json(app)) {
		app_write(STDOUT_FILENO, STR("Nothing of ours is left "
		    "over.\n"));
		return EXIT_OK;
	}
	if (app_json(app))
		follow_plan(&applying->follow, planning->plan);
	else
		planning_show(planning);
	code = planning_judge(planning);
	if (code != EXIT_OK)
		return code;
	if (acts && planning->plan->changes.n > 0)
		return apply_run(applying);
	if (planning->plan->changes.n > 0 && !app_json(app)) {
		struct strbuf out = {0};
		strbuf_adds(&out, "\nNothing was done. To end them: podform "
		    "gc --dry-run=false\n");
		app_say(app, &out);
	}
	return EXIT_OK;
}

int
cmd_gc(struct app *app)
{
	struct applying applying = { .planning = { .app = app } };
	int code = app_connect(app, true);

	if (code != EXIT_OK)
		return code;
	code = EXIT_ERROR;
	if (follow_init(&applying.follow, app))
		code = collect(&applying, app);
	planning_close(&applying.planning);
	/* Like apply, --json is the event stream, to its last line. */
	follow_finish(&applying.follow, applying.summary,
	    applying.planning.plan, code);
	follow_release(&applying.follow);
	return code;
}
