/* main.c - the process: descriptors, signals, dispatch, exit. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app.h"
#include "commands.h"
#include "help.h"
#include "step.h"
#include "ui/diag_json.h"

/*
 * Whoever starts us with 0, 1 or 2 closed would get our files there: a lock
 * file as standard error.  So they are opened first.
 */
static bool
open_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
			continue;
		if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
			return false;
	}
	return true;
}

/*
 * Keys and secrets are in memory: no core dump, neither to a file nor, which
 * the limit does not forbid, to a collector; and no look from another process
 * of the same user.
 */
static void
forbid_core_dumps(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* A parent's habits are not ours. */
static void
reset_signals(void)
{
	signal(SIGPIPE, SIG_IGN);	/* `podform apply | head -1` */
	signal(SIGCHLD, SIG_DFL);	/* commands are waited for */
	/* Beyond `ulimit -f` a write fails, and is told as such. */
	signal(SIGXFSZ, SIG_IGN);
}

static void
show_diags(struct app *app)
{
	struct diag_style style = { .color = app->err_style.color,
		.width = app->err_style.width };
	struct strbuf out = {0};

	if (app->diags.list.n == 0 || app->json_done)
		return;
	if (app_json(app) && !app->printed && app->out_error == 0) {
		diag_json_document(&out, &app->diags);
		app_print(app, &out);
		return;
	}
	diags_print(&out, &app->diags, style);
	app_say(app, &out);
}

static int
dispatch(struct app *app)
{
	const struct command *command = app->args.command;
	struct strbuf out = {0};

	if (app->args.version)
		return cmd_version(app);
	if (command == NULL || app->options->help) {
		help_print(&out, command, app->out_style);
		if (command != NULL || app->options->help)
			app_print(app, &out);
		else
			app_say(app, &out);
		return app->options->help ? EXIT_OK : EXIT_USAGE;
	}
	if (command->run == NULL)
		return app_fail(app, EXIT_ERROR, "PF0805",
		    "podform %s is not built yet", command->name);
	return command->run(app);
}

int
main(int argc, char **argv)
{
	struct app app;
	int code = EXIT_USAGE;

	if (!open_standard_streams())
		return EXIT_ERROR;
	reset_signals();
	forbid_core_dumps();
	if (app_init(&app, argc, argv))
		code = dispatch(&app);
	if (app.out_error != 0) {
		diag_errno(&app.diags, "PF0809", NO_SPAN, app.out_error,
		    "cannot write to standard output");
		app.json_done = false;
		/* What an apply did is not undone by that; its code stays. */
		if (code == EXIT_OK && (app.args.command == NULL ||
		    (app.args.command->options & OPTIONS_APPLY) == 0))
			code = EXIT_ERROR;
	}
	show_diags(&app);
	step_annotate(&app);
	app_release(&app);
	return code;
}
