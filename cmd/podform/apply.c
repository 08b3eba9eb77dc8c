/*
 * apply.c - podform apply and destroy.
 *
 *	fresh:	plan, show, judge, ask, run
 *	saved:	read the file, plan again, compare, judge, run
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "apply.h"
#include "base/units.h"
#include "commands.h"
#include "follow.h"
#include "planning.h"
#include "ssh_world.h"
#include "tunnel_show.h"
#include "ui/report.h"

/* --------------------------------------------------------------- the prompt -- */

static bool
may_ask(const struct app *app)
{
	return style_may_ask(&app->err_facts) && app->options->input &&
	    !app_json(app);
}

/* One line from standard input; absent when it ended. */
static struct str
read_answer(struct app *app)
{
	struct strbuf line = { .ceiling = 256 };
	struct str answer;
	char byte;
	ssize_t n;

	while ((n = read(STDIN_FILENO, &byte, 1)) == 1 || (n < 0 &&
	    errno == EINTR)) {
		if (n == 1 && byte == '\n')
			break;
		if (n == 1)
			strbuf_addc(&line, byte);
	}
	answer = n == 1 ? str_trim(arena_str(&app->arena, strbuf_str(&line))) :
	    (struct str){0};
	strbuf_release(&line);
	return answer;
}

static int
ask(struct app *app, const struct planning *planning)
{
	const struct plan_cost *cost = &planning->plan->cost;
	struct strbuf out = {0};
	struct str answer;

	strbuf_addc(&out, '\n');
	if (planning->mode == PLAN_DESTROY)
		strbuf_adds(&out, "All of the above is ended for good; there "
		    "is no undo.\n");
	else
		strbuf_addf(&out, "After this " STR_FMT "/h are billed, "
		    STR_FMT " per month.\n", STR_ARG(format_rate(&app->arena,
		    cost->after_per_hour)), STR_ARG(format_total(&app->arena,
		    cost->after_per_hour * HOURS_PER_MONTH)));
	strbuf_adds(&out, "Do it? Only `yes` is understood as yes: ");
	app_say(app, &out);
	answer = read_answer(app);
	if (str_is(answer, "yes"))
		return EXIT_OK;
	if (answer.data == NULL)
		app_write(STDERR_FILENO, STR("\n"));
	return app_fail(app, EXIT_DECLINED, "PF0831",
	    "declined; nothing was done");
}

static int
nobody_to_ask(struct app *app)
{
	app_fail(app, 0, "PF0832", "nobody can be asked here, so nothing was "
	    "done");
	diag_hint(&app->diags, "give --auto-approve, or apply a plan that was "
	    "saved with podform plan --out FILE");
	return EXIT_DECLINED;
}

/* -------------------------------------------------------------------- run -- */

static struct run_options
run_options(const struct app *app, const struct planning *planning)
{
	const struct options *options = app->options;
	struct run_options run = {
		.parallelism = options->parallelism,
		.atomic = options->atomic,
		.keep = options->on_failure == 1,
		.fail_fast = options->fail_fast,
		.over_budget = options->over_budget,
		.settle_ms = options->settle_ms,
		.drain_ms = options->drain_ms,
		.idle_window_ms = options->idle_window_ms,
		.force = options->force_runners,
		.log_dir = STR(".podform/logs"),
		.cache_dir = STR(".podform/cache"),
		.github_web = app->github_web,
	};

	if (run.parallelism == 0 && planning->spec != NULL)
		run.parallelism = planning->spec->settings.parallelism;
	return run;
}

static bool
makes_ssh_pods(const struct plan *plan)
{
	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct plan_change *change = &plan->changes.items[i];
		bool makes = change->kind == KIND_POD &&
		    (change->op == PLAN_CREATE || change->op == PLAN_REPLACE);
		for (size_t j = 0; makes && j < change->config.nports; j++)
			if (str_is(change->config.ports[j], "22/tcp"))
				return true;
	}
	return false;
}

/* A pod that is made with 22/tcp gets our public keys and, since naming any
 * replaces the account's, those too; without the latter it works as well. */
static int
give_keys(struct app *app, struct planning *planning,
    struct run_options *options)
{
	struct cloud_request request = { .op = CLOUD_GET_SSH_KEYS };
	struct cloud_answer answer;
	struct diags quiet = { .arena = &app->arena };
	struct diags *said = planning->session.diags;
	struct strbuf lines = { .ceiling = 64 << 10 };
	struct str why;

	if (!makes_ssh_pods(planning->plan))
		return EXIT_OK;
	if (!ssh_keys_make(ssh_world_keys(app), &why))
		return app_fail(app, EXIT_ERROR, "PF0871", "cannot make the "
		    "project's SSH key: " STR_FMT, STR_ARG(why));
	strbuf_add(&lines, str_trim(ssh_keys_public(ssh_world_keys(app),
	    &app->arena, app_variable("HOME"))));
	planning->session.diags = &quiet;
	int code = session_ask(&planning->session, &request, &answer);
	planning->session.diags = said;
	for (size_t i = 0; code == EXIT_OK && i < answer.nssh_keys; i++) {
		if (str_search(strbuf_str(&lines), answer.ssh_keys[i]) >= 0)
			continue;
		strbuf_addc(&lines, '\n');
		strbuf_add(&lines, answer.ssh_keys[i]);
	}
	options->public_keys = arena_str(&app->arena, strbuf_str(&lines));
	strbuf_release(&lines);
	return EXIT_OK;
}

/* The last words: where the tunnels are that the spec asks for. */
static void
say_tunnels(struct applying *applying)
{
	const struct planning *planning = &applying->planning;
	struct app *app = planning->app;
	struct tunnel_status *tunnels;
	struct strbuf out = {0};
	size_t n;

	if (planning->mode != PLAN_NORMAL || planning->options.plan.no_tunnels)
		return;
	n = tunnel_show_find(app, planning->spec, &tunnels);
	follow_tunnels(&applying->follow, tunnels, n);
	if (n == 0 || app_json(app) || app->options->quiet)
		return;
	tunnel_show_places(app, &out, tunnels, n);
	app_print(app, &out);
}

static void
report(struct applying *applying, int code)
{
	const struct planning *planning = &applying->planning;
	struct app *app = planning->app;
	struct strbuf out = {0};

	if (applying->summary == NULL || app_json(app) ||
	    (app->options->quiet && applying->summary->left.n == 0))
		return;
	report_print(&out, planning->plan, applying->summary,
	    &(struct report_options){ .style = app->out_style,
	    .sources = &app->sources, .exit_code = code,
	    .command = planning->mode == PLAN_DESTROY ? "destroy" : "apply",
	    .elapsed_ms = app_mono_ms(app) - applying->follow.started_ms });
	app_print(app, &out);
}

int
apply_run(struct applying *applying)
{
	struct planning *planning = &applying->planning;
	struct app *app = planning->app;
	struct run_options options = run_options(app, planning);
	int code = planning_keys(planning, ssh_world_load_keys) ?
	    give_keys(app, planning, &options) : EXIT_USAGE;

	if (code != EXIT_OK)
		return code;

	io_world_take_signals(app->io);
	follow_start(&applying->follow, planning->plan);
	code = session_apply(&planning->session, planning->plan, &options,
	    &applying->summary);
	follow_stop(&applying->follow);
	report(applying, code);
	say_tunnels(applying);
	return code;
}

/* May files be made in a directory?  access() knows of read-only mounts, too,
 * and writes nothing for it. */
static bool
may_write(struct app *app, const char *directory, struct str what)
{
	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0)
		return true;
	diag_errno(&app->diags, "PF0612", NO_SPAN, errno,
	    "cannot write in '%s', where " STR_FMT " belongs", directory,
	    STR_ARG(what));
	diag_hint(&app->diags, "nothing was asked of the service; podform plan "
	    "works without writing");
	return false;
}

int
apply_may_record(struct applying *applying)
{
	struct app *app = applying->planning.app;
	const struct session_config *config =
	    &applying->planning.session.config;
	struct str lock = config->lock_path;
	ptrdiff_t slash = str_rfind(lock, '/');
	const char *beside = slash < 0 ? "." : slash == 0 ? "/" :
	    arena_cstr(&app->arena, str_sub(lock, 0, (size_t)slash));
	const char *work = arena_cstr(&app->arena, config->work_dir);

	if (!may_write(app, beside, lock))
		return EXIT_ERROR;
	if (access(work, F_OK) != 0)
		work = ".";		/* it will be made there */
	return may_write(app, work, STR("the journal")) ? EXIT_OK : EXIT_ERROR;
}

/* ------------------------------------------------------------------ fresh -- */

static void
show(struct applying *applying)
{
	follow_plan(&applying->follow, applying->planning.plan);
	if (!app_json(applying->planning.app))
		planning_show(&applying->planning);
}

/* What nobody looked at needs more than --auto-approve. */
static int
judge_unseen(struct applying *applying, bool asked)
{
	struct planning *planning = &applying->planning;
	struct app *app = planning->app;
	int code = planning_judge(planning);

	if (code != EXIT_OK || asked || app->options->allow_empty ||
	    !planning_empties(planning))
		return code;
	app_fail(app, 0, "PF0833", "the spec asks for nothing, so all %zu of "
	    "our resources would be destroyed",
	    planning->plan->summary.destroy);
	diag_hint(&app->diags, "if this is meant: podform destroy, or "
	    "--allow-empty");
	return EXIT_POLICY;
}

/*
 * Look, without taking the lock, when nobody could say yes anyway.  Where
 * only the record has to change there is no question: *go_on.
 */
static int
look_only(struct applying *applying, bool *go_on)
{
	struct planning *planning = &applying->planning;
	int code = session_plan(&planning->session, &planning->options,
	    &planning->plan);

	*go_on = code == EXIT_OK && planning->plan->changes.n == 0 &&
	    session_has_work(&planning->session, planning->plan);
	if (code != EXIT_OK || *go_on)
		return code;
	show(applying);
	if (!session_has_work(&planning->session, planning->plan)) {
		say_tunnels(applying);
		/* Something may be wrong that nothing can be done about. */
		return planning_judge(planning);
	}
	code = planning_judge(planning);
	return code != EXIT_OK ? code : nobody_to_ask(planning->app);
}

static int
apply_fresh(struct applying *applying, struct app *app, bool destroy)
{
	struct planning *planning = &applying->planning;
	bool asks = !app->options->auto_approve, go_on = true;
	int code = planning_open_to_apply(planning, app, destroy, asks);

	if (code == EXIT_OK)
		code = apply_may_record(applying);
	/* What is only ended needs none, and may outlive them. */
	if (code == EXIT_OK && planning->mode != PLAN_DESTROY)
		code = session_read_secrets(&planning->session, true);
	if (code != EXIT_OK)
		return code;
	if (asks && !may_ask(app))
		code = look_only(applying, &go_on);
	if (code != EXIT_OK || !go_on)
		return code;
	code = session_plan_to_apply(&planning->session, &planning->options,
	    app->options->settle_ms, &planning->plan);
	/* Before anybody is asked for a yes. */
	if (code == EXIT_OK && !planning_keys(planning, ssh_world_check_keys))
		code = EXIT_USAGE;
	if (code != EXIT_OK)
		return code;
	show(applying);
	if (!session_has_work(&planning->session, planning->plan)) {
		say_tunnels(applying);
		/* Something may be wrong that nothing can be done about. */
		return planning_judge(planning);
	}
	asks = asks && planning->plan->changes.n > 0;
	code = judge_unseen(applying, asks);
	if (code == EXIT_OK && asks)
		code = may_ask(app) ? ask(app, planning) : nobody_to_ask(app);
	return code != EXIT_OK ? code : apply_run(applying);
}

/* ----------------------------------------------------------------- entries -- */

static int
run_command(struct app *app, bool destroy)
{
	struct applying applying = { .planning = { .app = app } };
	bool saved = app->args.operands.n > 0;
	int code;

	if (!app_format_is_built(app))
		return EXIT_ERROR;
	if (!app->options->refresh)
		return app_fail(app, EXIT_USAGE, "PF0834", "apply needs to "
		    "see the account; --refresh=false is for plan");
	code = app_connect(app, true);
	if (code != EXIT_OK)
		return code;
	code = EXIT_ERROR;
	if (follow_init(&applying.follow, app))
		code = saved ? apply_saved(&applying, app) :
		    apply_fresh(&applying, app, destroy);
	planning_close(&applying.planning);
	follow_finish(&applying.follow, applying.summary,
	    applying.planning.plan, code);
	follow_release(&applying.follow);
	return code;
}

int
cmd_apply(struct app *app)
{
	return run_command(app, false);
}

int
cmd_destroy(struct app *app)
{
	return run_command(app, true);
}
