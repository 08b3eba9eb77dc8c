/* planning.c - see planning.h */
#include "planning.h"

#include <string.h>

#include "base/units.h"
#include "ui/plan_markdown.h"
#include "ui/plan_text.h"

static int
choose_mode(struct planning *planning, bool destroy)
{
	const struct options *options = planning->app->options;

	planning->mode = PLAN_NORMAL;
	if (destroy || options->destroy)
		planning->mode = PLAN_DESTROY;
	if (!options->refresh_only)
		return EXIT_OK;
	if (planning->mode == PLAN_DESTROY)
		return app_fail(planning->app, EXIT_USAGE, "PF0803",
		    "--refresh-only and --destroy exclude each other");
	if (!options->refresh)
		return app_fail(planning->app, EXIT_USAGE, "PF0803",
		    "--refresh-only and --refresh=false exclude each other");
	planning->mode = PLAN_REFRESH_ONLY;
	return EXIT_OK;
}

static int
load_spec(struct planning *planning)
{
	bool missing = false, destroys = planning->mode == PLAN_DESTROY;
	bool failed;

	planning->options.plan.policy = app_load_policy(planning->app,
	    &failed);
	if (failed)
		return EXIT_USAGE;
	planning->spec = app_load_spec(planning->app, destroys, &missing);
	return planning->spec != NULL || missing ? EXIT_OK : EXIT_USAGE;
}

static void
fill_options(struct planning *planning)
{
	const struct options *options = planning->app->options;

	planning->options = (struct session_plan_options){
		.plan = {
			.mode = planning->mode,
			.targets = options->targets.list.items,
			.ntargets = options->targets.list.n,
			.excludes = options->excludes.list.items,
			.nexcludes = options->excludes.list.n,
			.replaces = options->replaces.list.items,
			.nreplaces = options->replaces.list.n,
			.limit_deletes = options->max_deletes >= 0,
			.max_deletes = options->max_deletes,
			.wall_ms = app_wall_ms(planning->app),
			.no_tunnels = options->tunnels == 2 ||
			    (options->tunnels == 0 &&
				app_variable("CI").len > 0),
		},
		.refresh = options->refresh,
	};
}

/* CI throws its machines away, and what they hold with them. */
static void
note_tunnels(const struct planning *planning)
{
	struct app *app = planning->app;
	const struct spec *spec = planning->spec;
	struct strbuf out = {0};

	if (!planning->options.plan.no_tunnels || app->options->tunnels != 0 ||
	    planning->mode != PLAN_NORMAL || app->options->quiet)
		return;
	for (size_t i = 0; spec != NULL && i < spec->nresources; i++) {
		if (spec->resources[i].kind != KIND_TUNNEL)
			continue;
		strbuf_adds(&out, "note: this is CI, so no tunnel is opened "
		    "or closed; --tunnels=true does it\n");
		app_say(app, &out);
		return;
	}
}

/*
 * Who asks nobody works on a shared record from the start: so it is read but
 * once, and nobody else plans meanwhile what this run is about to change.
 */
enum taking { TAKES_NOTHING, TAKES_SHARED, TAKES_ALWAYS };

static int
open_record(struct planning *planning, const char *operation,
    enum taking takes)
{
	struct session *session = &planning->session;
	int code = app_new_session(planning->app, session, planning->spec,
	    operation);

	if (code == EXIT_OK && (takes == TAKES_ALWAYS ||
	    (takes == TAKES_SHARED &&
	    session->config.store.kind != STORE_FILE)))
		code = session_take_mutex(session);
	return code == EXIT_OK ? session_load(session) : code;
}

static int
open_planning(struct planning *planning, struct app *app, bool destroy,
    const char *operation, enum taking takes)
{
	const struct options *options = app->options;
	int code;

	*planning = (struct planning){ .app = app };
	code = choose_mode(planning, destroy);
	if (code != EXIT_OK)
		return code;
	fill_options(planning);
	code = load_spec(planning);
	if (code == EXIT_OK)
		code = app_connect(app, options->refresh);
	if (code != EXIT_OK)
		return code;
	note_tunnels(planning);
	planning->open = true;
	return open_record(planning, operation, takes);
}

int
planning_open(struct planning *planning, struct app *app, bool destroy,
    const char *operation)
{
	return open_planning(planning, app, destroy, operation,
	    TAKES_NOTHING);
}

int
planning_open_writer(struct planning *planning, struct app *app,
    const char *operation)
{
	return open_planning(planning, app, false, operation, TAKES_ALWAYS);
}

int
planning_open_to_apply(struct planning *planning, struct app *app,
    bool destroy, bool asks)
{
	return open_planning(planning, app, destroy, destroy ? "destroy" :
	    "apply", asks ? TAKES_NOTHING : TAKES_SHARED);
}

void
planning_close(struct planning *planning)
{
	if (planning->open)
		session_close(&planning->session);
	planning->open = false;
}

struct plan_binding
planning_bind(const struct planning *planning)
{
	struct app *app = planning->app;
	const struct options *options = app->options;
	const struct session *session = &planning->session;
	struct str digest = plan_digest(&app->arena, planning->plan);
	int64_t now = app_wall_ms(app);

	return (struct plan_binding){
		.version = STR(PODFORM_VERSION),
		/* Past "sha256:": as the history of the lock has it. */
		.plan_id = str_sub(digest, 7, 32),
		.lineage = arena_str(&app->arena,
		    id128_str(&session->lock->lineage)),
		.serial = session->lock->serial,
		.project = planning->spec != NULL ? planning->spec->project :
		    session->lock->project,
		.account = session->live.account_known ?
		    session->live.account.id : (struct str){0},
		.spec_digest = planning->spec == NULL ? (struct str){0} :
		    spec_digest(&app->arena, planning->spec),
		.live_digest = live_digest(&app->arena, planning->plan),
		.plan_digest = digest,
		.created_ms = now,
		.expires_ms = now + options->expires_ms,
		.mode = planning->mode,
		.refresh = planning->options.refresh,
		.targets = options->targets.list.items,
		.ntargets = options->targets.list.n,
		.excludes = options->excludes.list.items,
		.nexcludes = options->excludes.list.n,
		.replaces = options->replaces.list.items,
		.nreplaces = options->replaces.list.n,
		.spec_paths = options->spec.list.items,
		.nspec_paths = options->spec.list.n,
		.variables = options->variables.list.items,
		.nvariables = options->variables.list.n,
	};
}

/* An empty plan says "No changes." and of what is not worth a digest of
 * every pod. */
static struct str
shown_digest(const struct planning *planning)
{
	return planning->spec == NULL || planning->plan->empty ?
	    (struct str){0} :
	    spec_digest(&planning->app->arena, planning->spec);
}

void
planning_show(const struct planning *planning)
{
	struct app *app = planning->app;
	struct strbuf out = {0};

	if (app_json(app)) {
		struct plan_binding binding = planning_bind(planning);
		plan_json(&out, planning->plan, &(struct plan_json_options){
		    .binding = &binding, .sources = &app->sources,
		    .diags = &app->diags });
		app->json_done = true;
	} else if (app_markdown(app)) {
		struct plan_binding binding = planning_bind(planning);
		plan_markdown(&out, planning->plan,
		    &(struct plan_markdown_options){ .binding = &binding,
		    .sources = &app->sources, .file = app->options->out,
		    .commit = app_variable("GITHUB_SHA"),
		    .max_bytes = (size_t)app->options->max_bytes });
	} else {
		plan_text(&out, planning->plan, &(struct plan_text_options){
		    .style = app->out_style, .sources = &app->sources,
		    .spec_digest = shown_digest(planning),
		    .now_ms = app_wall_ms(app),
		    .concise = app->options->concise });
	}
	app_print(app, &out);
}

static int
check_code(const struct plan_check *check)
{
	if (strcmp(check->id, "placement") == 0)
		return EXIT_CAPACITY;
	if (strcmp(check->id, "balance") == 0)
		return EXIT_BALANCE;
	return EXIT_POLICY;
}

int
planning_judge(const struct planning *planning)
{
	struct app *app = planning->app;
	int code = EXIT_OK;

	for (size_t i = 0; i < planning->plan->checks.n; i++) {
		const struct plan_check *check =
		    &planning->plan->checks.items[i];
		bool budget = strcmp(check->id, "budget.hourly") == 0;
		if (check->status != CHECK_FAIL ||
		    (budget && app->options->over_budget))
			continue;
		diag_error(&app->diags, "PF0810", check->span,
		    "the plan is refused: " STR_FMT, STR_ARG(check->message));
		if (budget)
			diag_hint(&app->diags, "--over-budget allows it this "
			    "once");
		if (strcmp(check->id, "max_deletes") == 0)
			diag_hint(&app->diags, "if they are meant: "
			    "--max-deletes %zu",
			    planning->plan->summary.destroy);
		if (code == EXIT_OK)
			code = check_code(check);
	}
	return code;
}

/* The pod that a change enters, where it enters one. */
static const struct resource *
entered(const struct planning *planning, const struct plan_change *change)
{
	const struct resource *pod = change->want;

	if (change->op == PLAN_NOOP || change->op == PLAN_FORGET ||
	    change->op == PLAN_STOP || change->kind == KIND_VOLUME ||
	    planning->spec == NULL)
		return NULL;
	if (change->kind == KIND_RUNNER)
		pod = spec_find(planning->spec, change->runner_config.pod);
	if (change->kind == KIND_TUNNEL)
		pod = spec_find(planning->spec, change->tunnel_config.pod);
	return pod != NULL && pod->kind == KIND_POD ? pod : NULL;
}

bool
planning_keys(const struct planning *planning,
    bool (*take)(struct app *app, const struct pod_spec *want))
{
	const struct plan *plan = planning->plan;
	const struct pod_spec *taken = NULL;	/* replicas share theirs */

	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct resource *pod = entered(planning,
		    &plan->changes.items[i]);
		if (pod == NULL || pod->pod == taken)
			continue;
		taken = pod->pod;
		if (!take(planning->app, pod->pod))
			return false;
	}
	return true;
}

bool
planning_empties(const struct planning *planning)
{
	const struct plan *plan = planning->plan;

	return planning->mode == PLAN_NORMAL && plan->summary.destroy > 0 &&
	    planning->spec != NULL && planning->spec->nresources == 0;
}
