/* forget.c - podform forget: drop a record, never the thing itself. */
#include "app.h"
#include "base/units.h"
#include "commands.h"
#include "record.h"

/* What it replaced is another record of that address, and goes as it would
 * have gone. */
static void
tell_rest(struct strbuf *out, const struct lock *lock,
    const struct lock_entry *gone)
{
	for (size_t i = 0; i < lock->entries.n; i++) {
		const struct lock_entry *entry = &lock->entries.items[i];
		if (!entry->deposed || entry->kind != gone->kind ||
		    !str_eq(entry->address, gone->address))
			continue;
		strbuf_adds(out, "Still recorded is what it had replaced, id ");
		strbuf_add_escaped(out, entry->id);
		strbuf_adds(out, ": the next apply ends that.\n");
	}
}

static int
forget(struct app *app, struct session *session)
{
	struct lock_entry *entry = record_find(session->lock,
	    app_operand(app, 0), &app->diags);
	struct lock_entry gone;
	struct strbuf out = {0};
	int code;

	if (entry == NULL)
		return EXIT_ERROR;
	gone = *entry;
	lock_remove_entry(session->lock, entry);
	lock_release(&app->arena, session->lock, &gone,
	    session->config.world->clock.wall_ms(
		session->config.world->clock.ctx));
	code = session_commit(session, STR("forget"), (struct str){0},
	    arena_printf(&app->arena, "forgot " STR_FMT " (" STR_FMT ")",
	    STR_ARG(gone.address), STR_ARG(gone.id)), EXIT_OK);
	if (code != EXIT_OK)
		return code;
	strbuf_adds(&out, "Forgotten: ");
	strbuf_add_escaped(&out, gone.address);
	strbuf_adds(&out, ", id ");
	strbuf_add_escaped(&out, gone.id);
	if (gone.price_per_hour > 0 && !gone.stopped)
		strbuf_addf(&out, ". It goes on billing " STR_FMT "/h",
		    STR_ARG(format_rate(&app->arena, gone.price_per_hour)));
	strbuf_adds(&out, ".\n");
	if (gone.kind == KIND_RUNNER)
		strbuf_adds(&out, "podform leaves it alone from now on; it "
		    "stays registered at GitHub, and its pod may be ended "
		    "under it.\n");
	else
		strbuf_adds(&out, "podform leaves it alone from now on; "
		    "podform import takes it in again.\n");
	tell_rest(&out, session->lock, &gone);
	app_tell(app, &out);
	return EXIT_OK;
}

int
cmd_forget(struct app *app)
{
	struct session session = {0};
	int code = app_connect(app, false);

	if (code != EXIT_OK)
		return code;
	code = app_open_writer(app, &session, NULL, "forget");
	if (code == EXIT_OK)
		code = forget(app, &session);
	session_close(&session);
	return code;
}
