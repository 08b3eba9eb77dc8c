/* mv.c - podform mv: give a record another address. */
#include "app.h"
#include "commands.h"
#include "record.h"

static int
move(struct app *app, struct session *session)
{
	struct str to = app_operand(app, 1), from;
	struct lock_entry *entry = record_find(session->lock,
	    app_operand(app, 0), &app->diags);
	struct strbuf out = {0};
	struct address address;
	int code;

	if (entry == NULL)
		return EXIT_ERROR;
	if (!address_parse(to, &address))
		return app_fail(app, EXIT_USAGE, "PF0803", "'" STR_FMT "' is "
		    "not an address; they are like pod.trainer or "
		    "pod.trainer[2]", STR_ARG(to));
	if (address.kind != entry->kind)
		return app_fail(app, EXIT_USAGE, "PF0851", STR_FMT " is a %s "
		    "and cannot become a %s", STR_ARG(entry->address),
		    kind_name(entry->kind), kind_name(address.kind));
	if (lock_find(session->lock, to) != NULL)
		return app_fail(app, EXIT_ERROR, "PF0851", "there is a record "
		    "of " STR_FMT " already", STR_ARG(to));
	from = entry->address;
	lock_move_entry(session->lock, entry, to);
	code = session_commit(session, STR("mv"), (struct str){0},
	    arena_printf(&app->arena, "moved " STR_FMT " to " STR_FMT,
	    STR_ARG(from), STR_ARG(to)), EXIT_OK);
	if (code != EXIT_OK)
		return code;
	strbuf_adds(&out, "Moved: ");
	strbuf_add_escaped(&out, from);
	strbuf_adds(&out, " is now ");
	strbuf_add_escaped(&out, to);
	strbuf_adds(&out, ". The spec has to use the new name, too.\n");
	app_tell(app, &out);
	return EXIT_OK;
}

int
cmd_mv(struct app *app)
{
	struct session session = {0};
	int code = app_connect(app, false);

	if (code != EXIT_OK)
		return code;
	code = app_open_writer(app, &session, NULL, "mv");
	if (code == EXIT_OK)
		code = move(app, &session);
	session_close(&session);
	return code;
}
