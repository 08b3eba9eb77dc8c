/*
 * unlock.c - podform unlock: who holds the lock, and a way to break it.
 *
 * The kernel's lock is the truth and goes away with its process, so there
 * is nothing to break after a crash; and a holder that lives is never
 * robbed: it would go on writing.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "app.h"
#include "base/json.h"
#include "commands.h"
#include "lock/mutex.h"
#include "store_config.h"

static void
print_json(struct app *app, const struct mutex_holder *holder, bool held,
    bool known)
{
	struct strbuf out = {0};
	struct json_writer w = { .out = &out, .indent = 2 };

	json_begin(&w, '{');
	json_member_str(&w, "format_version", STR("1.0"));
	json_member_bool(&w, "held", held);
	if (known) {
		json_key(&w, "holder");
		json_begin(&w, '{');
		json_member_str(&w, "id", holder->id);
		json_member_str(&w, "operation", holder->operation);
		json_member_str(&w, "who", holder->who);
		json_member_int(&w, "pid", holder->pid);
		json_member_str(&w, "since", holder->created);
		json_member_str(&w, "run_url", holder->run_url);
		json_end(&w, '}');
	}
	json_end(&w, '}');
	strbuf_addc(&out, '\n');
	app_print(app, &out);
	app->json_done = true;
}

static void
print_holder(struct app *app, const struct mutex_holder *holder, bool held)
{
	struct strbuf out = {0};

	strbuf_addf(&out, "%s by:\n", held ? "Held" : "Free; last held");
	strbuf_adds(&out, "  id         ");
	strbuf_add_escaped(&out, holder->id);
	strbuf_adds(&out, "\n  operation  ");
	strbuf_add_escaped(&out, holder->operation);
	strbuf_adds(&out, "\n  who        ");
	strbuf_add_escaped(&out, holder->who);
	strbuf_addf(&out, "\n  process    %lld", (long long)holder->pid);
	strbuf_adds(&out, "\n  since      ");
	strbuf_add_escaped(&out, holder->created);
	if (holder->run_url.len > 0) {
		strbuf_adds(&out, "\n  run        ");
		strbuf_add_escaped(&out, holder->run_url);
	}
	strbuf_addc(&out, '\n');
	app_print(app, &out);
}

/*
 * A hold in a store may be left by a machine that is gone, and nobody here can
 * see whether it is.  So it can be broken by its id; whoever has it then
 * writes, and sends, no more.
 */
static int
unlock_store(struct app *app, struct str id)
{
	struct session session = {0};
	struct mutex_holder holder = {0};
	bool held = false;
	int code = app_connect(app, false);

	if (code == EXIT_OK)
		code = app_new_session(app, &session, NULL, "unlock");
	if (code == EXIT_OK)
		code = session_unlock(&session, id, &holder, &held);
	if (code == EXIT_OK && app_json(app))
		print_json(app, &holder, held, held);
	else if (code == EXIT_OK && !held)
		app_write(STDOUT_FILENO, app->store->place.kind == STORE_HTTP ?
		    STR("This store cannot say who holds it; podform unlock "
			"ID breaks the hold of that id.\n") :
		    STR("Free; nobody holds it.\n"));
	if (held && !app_json(app))
		print_holder(app, &holder, true);
	if (code == EXIT_LOCKED)
		app_fail(app, 0, "PF0852", "the lock is held by " STR_FMT
		    ", not by " STR_FMT, STR_ARG(holder.id), STR_ARG(id));
	else if (held && id.len == 0) {
		app_fail(app, 0, "PF0852", "the lock is held; breaking it "
		    "needs the id of its holder");
		diag_hint(&app->diags, "podform unlock " STR_FMT ", if that "
		    "run is surely over: what it was doing is settled by the "
		    "next apply", STR_ARG(holder.id));
		code = EXIT_LOCKED;
	} else if (held && code == EXIT_OK && !app_json(app))
		app_write(STDOUT_FILENO, STR("Broken: it is free now.\n"));
	session_close(&session);
	return code;
}

int
cmd_unlock(struct app *app)
{
	struct str id = app_operand(app, 0);
	struct mutex_holder holder = {0};
	struct store_config store;
	bool held = false;

	if (!store_config_find(app, &store))
		return EXIT_USAGE;
	bool remote = store.place.kind != STORE_FILE;
	store_config_release(&store);
	if (remote)
		return unlock_store(app, id);
	bool known = mutex_read(&app->arena, &app->fs, ".podform/mutex",
	    &holder, &held);

	if (app_json(app))
		print_json(app, &holder, held, known);
	else if (known)
		print_holder(app, &holder, held);
	else
		app_write(STDOUT_FILENO, STR("Free; nobody ever held it.\n"));
	if (!held)
		return EXIT_OK;
	if (id.data == NULL) {
		app_fail(app, 0, "PF0852", "the lock is held; breaking it "
		    "needs the id of its holder");
		diag_hint(&app->diags, "podform unlock " STR_FMT,
		    STR_ARG(holder.id));
		return EXIT_LOCKED;
	}
	if (!str_eq(id, holder.id))
		return app_fail(app, EXIT_LOCKED, "PF0852", "the lock is held "
		    "by " STR_FMT ", not by " STR_FMT, STR_ARG(holder.id),
		    STR_ARG(id));
	app_fail(app, 0, "PF0853", "the holder is alive, and what it is doing "
	    "cannot be taken over while it runs");
	diag_hint(&app->diags, "let it finish, or stop it in good order: "
	    "kill -INT %lld", (long long)holder.pid);
	diag_hint(&app->diags, "if it hangs: kill -KILL %lld; the lock is free "
	    "then, and the next apply settles what was on its way",
	    (long long)holder.pid);
	return EXIT_LOCKED;
}
