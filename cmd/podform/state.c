/* state.c - podform state list|show: the records of the lock file. */
#include "app.h"
#include "base/units.h"
#include "commands.h"
#include "record.h"
#include "state_move.h"
#include "ui/table.h"

static void
print_json(struct strbuf *out, const struct session *session)
{
	const struct lock *lock = session->lock;
	struct json_writer w = { .out = out, .indent = 2 };

	json_begin(&w, '{');
	json_member_str(&w, "format_version", STR("1.0"));
	json_member_str(&w, "lineage", id128_str(&lock->lineage));
	json_member_int(&w, "serial", lock->serial);
	json_key(&w, "resources");
	json_begin(&w, '[');
	for (size_t i = 0; i < lock->entries.n; i++)
		record_json(&w, &lock->entries.items[i]);
	json_end(&w, ']');
	json_end(&w, '}');
	strbuf_addc(out, '\n');
}

static void
print_table(struct strbuf *out, struct app *app,
    const struct session *session)
{
	static const struct table_column columns[] = {
		{ .title = "ADDRESS" }, { .title = "ID" },
		{ .title = "STATE" }, { .title = "WHAT", .shrink = true },
		{ .title = "PRICE", .right = true },
	};
	const struct lock *lock = session->lock;
	struct table table;

	table_init(&table, &app->arena, columns, COUNTOF(columns));
	for (size_t i = 0; i < lock->entries.n; i++) {
		const struct lock_entry *e = &lock->entries.items[i];
		bool pod = e->kind == KIND_POD;
		table_add(&table, e->address);
		table_add(&table, e->id);
		table_add(&table, record_state(e));
		if (pod)
			table_addf(&table, "%lld x " STR_FMT,
			    (long long)e->pod.gpu_count,
			    STR_ARG(e->gpu_name.len > 0 ? e->gpu_name :
			    e->pod.gpu));
		else if (e->kind == KIND_RUNNER)
			table_addf(&table, "of " STR_FMT " on " STR_FMT,
			    STR_ARG(e->runner.repository.len > 0 ?
			    e->runner.repository : e->runner.organization),
			    STR_ARG(e->runner.pod));
		else
			table_addf(&table, "%lldGB in " STR_FMT,
			    (long long)e->volume.size_gb,
			    STR_ARG(e->volume.data_center));
		if (pod && e->price_per_hour > 0)
			table_addf(&table, STR_FMT "/h", STR_ARG(format_rate(
			    &app->arena, e->price_per_hour)));
		else
			table_add(&table, STR(""));
	}
	if (table_rows(&table) == 0)
		strbuf_adds(out, "nothing is recorded\n");
	table_print(out, &table, app->out_style);
	if (lock->pending.n > 0)
		strbuf_addf(out, "%zu unclear from an earlier run; the next "
		    "apply settles them\n", lock->pending.n);
}

static int
state_show(struct app *app, struct session *session)
{
	struct strbuf out = {0};
	struct lock_entry *entry = record_find(session->lock,
	    app_operand(app, 1), &app->diags);

	if (entry == NULL)
		return EXIT_ERROR;
	if (app_json(app)) {
		struct json_writer w = { .out = &out, .indent = 2 };
		record_json(&w, entry);
		strbuf_addc(&out, '\n');
	} else {
		record_text(&out, &app->arena, entry, app->out_style);
	}
	app_print(app, &out);
	return EXIT_OK;
}

static int
state_list(struct app *app, struct session *session)
{
	struct strbuf out = {0};

	if (app_json(app))
		print_json(&out, session);
	else
		print_table(&out, app, session);
	app_print(app, &out);
	return EXIT_OK;
}

int
cmd_state(struct app *app)
{
	static const struct {
		const char *verb;
		size_t operands;
		const char *needs;
	} verbs[] = {
		{ "list", 1, "" }, { "show", 2, "ADDRESS" }, { "pull", 1, "" },
		{ "push", 2, "FILE" }, { "migrate", 2, "URL" },
	};
	struct str verb = app_operand(app, 0);
	struct session session = {0};
	size_t i = 0;
	int code;

	while (i < COUNTOF(verbs) && !str_is(verb, verbs[i].verb))
		i++;
	if (i == COUNTOF(verbs))
		return app_fail(app, EXIT_USAGE, "PF0804", "podform state "
		    "knows list, show, pull, push and migrate, not '" STR_FMT
		    "'", STR_ARG(verb));
	if (app->args.operands.n > verbs[i].operands)
		return app_fail(app, EXIT_USAGE, "PF0803", "podform state "
		    "%s: '" STR_FMT "' is one argument too many",
		    verbs[i].verb, STR_ARG(app_operand(app,
		    verbs[i].operands)));
	if (app->args.operands.n < verbs[i].operands)
		return app_fail(app, EXIT_USAGE, "PF0803",
		    "podform state %s needs %s", verbs[i].verb,
		    verbs[i].needs);
	if (str_is(verb, "pull"))
		return state_pull(app);
	if (str_is(verb, "push"))
		return state_push(app);
	if (str_is(verb, "migrate"))
		return state_migrate(app);
	code = app_connect(app, false);
	if (code == EXIT_OK)
		code = app_open_session(app, &session, NULL, "state");
	if (code == EXIT_OK)
		code = str_is(verb, "list") ? state_list(app, &session) :
		    state_show(app, &session);
	session_close(&session);
	return code;
}
