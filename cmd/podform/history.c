/* history.c - podform history: past commands that changed something. */
#include "app.h"
#include "base/json.h"
#include "base/units.h"
#include "commands.h"
#include "ui/table.h"

static void
print_json(struct app *app, struct strbuf *out, const struct lock *lock)
{
	struct json_writer w = { .out = out, .indent = 2 };

	json_begin(&w, '[');
	for (size_t i = 0; i < lock->history.n; i++) {
		const struct history_entry *h = &lock->history.items[i];
		json_begin(&w, '{');
		json_member_str(&w, "when", format_time(&app->arena,
		    h->wall_ms));
		json_member_str(&w, "who", h->who);
		json_member_str(&w, "command", h->command);
		json_member_str(&w, "plan_id", h->plan_id);
		json_member_str(&w, "summary", h->summary);
		json_member_int(&w, "exit_code", h->exit_code);
		json_end(&w, '}');
	}
	json_end(&w, ']');
	strbuf_addc(out, '\n');
}

static void
print_table(struct app *app, struct strbuf *out, const struct lock *lock)
{
	static const struct table_column columns[] = {
		{ .title = "WHEN" }, { .title = "WHO", .shrink = true },
		{ .title = "COMMAND" }, { .title = "EXIT", .right = true },
		{ .title = "WHAT", .shrink = true, .wrap = true },
	};
	struct table table;

	table_init(&table, &app->arena, columns, COUNTOF(columns));
	for (size_t i = lock->history.n; i-- > 0;) {
		const struct history_entry *h = &lock->history.items[i];
		table_add(&table, format_time(&app->arena, h->wall_ms));
		table_add(&table, h->who);
		table_add(&table, h->command);
		table_addf(&table, "%lld", (long long)h->exit_code);
		table_add(&table, h->summary);
	}
	if (table_rows(&table) == 0)
		strbuf_adds(out, "nothing was applied yet\n");
	table_print(out, &table, app->out_style);
}

int
cmd_history(struct app *app)
{
	struct session session = {0};
	struct strbuf out = {0};
	int code = app_connect(app, false);

	if (code == EXIT_OK)
		code = app_open_session(app, &session, NULL, "history");
	if (code != EXIT_OK)
		return code;
	if (app_json(app))
		print_json(app, &out, session.lock);
	else
		print_table(app, &out, session.lock);
	app_print(app, &out);
	return EXIT_OK;
}
