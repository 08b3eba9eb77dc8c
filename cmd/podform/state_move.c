/* state_move.c - see state_move.h */
#include "state_move.h"

#include <string.h>

#include "store_config.h"

/* A session over the record as it is, also where an earlier run left it in
 * doubt: that is what these commands are for. */
static int
open_any(struct app *app, struct session *session, const char *operation,
    bool writer)
{
	int code = app_connect(app, false);

	if (code == EXIT_OK)
		code = app_new_session(app, session, NULL, operation);
	if (code != EXIT_OK)
		return code;
	session->config.any_record = true;
	if (writer)
		code = session_take_mutex(session);
	return code == EXIT_OK ? session_load(session) : code;
}

int
state_pull(struct app *app)
{
	struct session session = {0};
	struct strbuf out = {0};
	int code = open_any(app, &session, "state pull", false);

	if (code == EXIT_OK && !session.lock->exists)
		code = app_fail(app, EXIT_ERROR, "PF0632", "there is no record "
		    "in '" STR_FMT "' yet", STR_ARG(app->store->place.shown));
	if (code == EXIT_OK) {
		lock_write_text(&out, session.lock);
		app_print(app, &out);
	}
	session_close(&session);
	return code;
}

/* ---------------------------------------------------------------- push ---- */

static bool
may_replace(struct app *app, const struct lock *there,
    const struct lock *ours, struct str file)
{
	if (app->options->force || !there->exists)
		return true;
	if (!str_eq(id128_str(&there->lineage), id128_str(&ours->lineage))) {
		app_fail(app, 0, "PF0633", "'" STR_FMT "' is the record of "
		    "another project: its lineage is %.8s, and there is %.8s",
		    STR_ARG(file), ours->lineage.hex, there->lineage.hex);
	} else if (ours->serial < there->serial) {
		app_fail(app, 0, "PF0633", "'" STR_FMT "' is older than what is "
		    "there (serial %lld, and there is %lld)", STR_ARG(file),
		    (long long)ours->serial, (long long)there->serial);
	} else
		return true;
	diag_hint(&app->diags, "nothing was changed; --force puts it there all "
	    "the same, and podform forgets what only the other one knows");
	diag_hint(&app->diags, "if somebody has applied since, keep what is "
	    "there and remove the file: podform finds what it made by its "
	    "mark");
	return false;
}

int
state_push(struct app *app)
{
	struct str file = app_operand(app, 1);
	struct session session = {0};
	struct lock *lock;
	int code = open_any(app, &session, "state push", true);

	if (code != EXIT_OK)
		goto out;
	code = EXIT_ERROR;
	lock = lock_read(&app->arena, &app->fs, arena_cstr(&app->arena, file),
	    session.config.own_uid, &app->sources, &app->diags);
	if (lock == NULL)
		goto out;
	if (!lock->exists) {
		app_fail(app, 0, "PF0632", "there is no file '" STR_FMT "'",
		    STR_ARG(file));
		goto out;
	}
	if (!may_replace(app, session.lock, lock, file))
		goto out;
	if (lock->serial < session.lock->serial)
		lock->serial = session.lock->serial;
	memcpy(lock->on_disk, session.lock->on_disk, sizeof lock->on_disk);
	session.lock = lock;
	code = session_commit(&session, STR("state push"), (struct str){0},
	    arena_printf(&app->arena, "from " STR_FMT, STR_ARG(file)),
	    EXIT_OK);
	if (code == EXIT_OK) {
		struct strbuf out = {0};
		strbuf_addf(&out, "Put there: serial %lld, %zu records.\n",
		    (long long)lock->serial, lock->entries.n);
		app_tell(app, &out);
	}
out:
	session_close(&session);
	return code;
}

/* ------------------------------------------------------------- migrate ---- */

/* The world speaks to one store: that is the one of the two. */
static int
choose_store(struct app *app, struct store_place *from,
    struct store_place *to)
{
	struct store_config here, *config;
	struct str url = app_operand(app, 1), why;

	if (!store_parse(&app->arena, url, to, &why))
		return app_fail(app, EXIT_USAGE, "PF0630", "'" STR_FMT "': "
		    STR_FMT, STR_ARG(url), STR_ARG(why));
	if (!store_config_find(app, &here))
		return EXIT_USAGE;
	*from = here.place;
	store_config_release(&here);
	if (from->kind != STORE_FILE && to->kind != STORE_FILE) {
		app_fail(app, 0, "PF0634", "from one store to another in one "
		    "step is not possible");
		diag_hint(&app->diags, "podform --lock '" STR_FMT "' state "
		    "migrate podform.lock, then podform state migrate '"
		    STR_FMT "'", STR_ARG(from->shown), STR_ARG(to->shown));
		return EXIT_USAGE;
	}
	if (to->kind == STORE_FILE)
		return EXIT_OK;
	config = ARENA_NEW(&app->arena, struct store_config);
	if (!store_config_of(app, url, config))
		return EXIT_USAGE;
	*to = config->place;
	app->store = config;
	return EXIT_OK;
}

/* What nobody should use by mistake from now on. */
static void
set_aside(struct app *app, struct session *session, struct str file,
    struct strbuf *out)
{
	const struct fs *fs = &app->fs;
	const char *moved = arena_printf(&app->arena, STR_FMT ".migrated",
	    STR_ARG(file)).data;

	journal_clear(&session->journal, &app->diags);
	if (fs->rename(fs->ctx, file.data, moved) == 0)
		strbuf_addf(out, "The file is kept as %s.\n", moved);
	fs->unlink(fs->ctx, arena_printf(&app->arena, STR_FMT ".backup",
	    STR_ARG(file)).data);
}

int
state_migrate(struct app *app)
{
	struct store_place from, to;
	struct session session = {0};
	struct strbuf out = {0};
	int code = choose_store(app, &from, &to);

	if (code == EXIT_OK)
		code = app_connect(app, false);
	if (code == EXIT_OK)
		code = app_new_session(app, &session, NULL, "state migrate");
	if (code != EXIT_OK)
		return code;
	session.config.store = from;
	if (from.kind == STORE_FILE)
		session.config.lock_path = from.file;
	code = session_take_mutex(&session);
	if (code == EXIT_OK)
		code = session_load(&session);
	if (code == EXIT_OK && !session.lock->exists)
		code = app_fail(app, EXIT_ERROR, "PF0632", "there is no record "
		    "in '" STR_FMT "'", STR_ARG(from.shown));
	if (code == EXIT_OK)
		code = session_move(&session, &to);
	if (code == EXIT_OK)
		code = session_commit(&session, STR("state migrate"),
		    (struct str){0}, arena_printf(&app->arena, "from " STR_FMT,
		    STR_ARG(from.shown)), EXIT_OK);
	if (code == EXIT_OK) {
		strbuf_addf(&out, "The record is in '" STR_FMT "' now, serial "
		    "%lld.  From now on: --lock '" STR_FMT "', or "
		    "PODFORM_LOCK.\n", STR_ARG(to.shown),
		    (long long)session.lock->serial, STR_ARG(to.shown));
		if (from.kind == STORE_FILE)
			set_aside(app, &session, from.file, &out);
		app_tell(app, &out);
	}
	session_close(&session);
	return code;
}
