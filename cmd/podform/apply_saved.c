/*
 * apply_saved.c - podform apply FILE.
 *
 * A saved plan is valid once, for one lineage and account, for what it saw,
 * for an hour.  Nothing in the file is trusted: the plan is made again from
 * spec, lock and the live account, and has to come out the same.  What has
 * moved is named.  A file that was changed is refused before any of that
 * costs something: who was shown another plan than this has agreed to none.
 */
#include "apply.h"
#include "base/plant.h"
#include "base/units.h"
#include "ui/plan_file.h"
#include "ui/words.h"

static int
stale(struct app *app, const char *hint)
{
	diag_hint(&app->diags, "%s", hint);
	return EXIT_STALE;
}

/* Was a plan with this id applied already, as far as the lock remembers? */
static const struct history_entry *
find_use(const struct lock *lock, const struct plan_binding *binding)
{
	for (size_t i = lock->history.n; i-- > 0;)
		if (binding->plan_digest.len > 0 &&
		    str_eq(lock->history.items[i].plan_id,
		    binding->plan_digest))
			return &lock->history.items[i];
	return NULL;
}

static int
check_time(struct app *app, const struct plan_binding *binding)
{
	int64_t now = app_wall_ms(app);

	if (!binding->refresh) {
		app_fail(app, 0, "PF0840", "the plan was made from the lock "
		    "alone, so it can be read but not applied");
		return stale(app, "make it without --refresh=false");
	}
	if (binding->expires_ms == 0 || now <= binding->expires_ms)
		return EXIT_OK;
	app_fail(app, 0, "PF0841", "the plan has expired: it was valid until "
	    STR_FMT, STR_ARG(format_time(&app->arena, binding->expires_ms)));
	return stale(app, "make a new one: podform plan --out FILE");
}

/* The options that the plan was made with, unless some were given. */
static int
take_options(struct app *app, const struct plan_binding *binding)
{
	struct options *options = &app->args.options;

	if (options->targets.list.n + options->excludes.list.n +
	    options->replaces.list.n > 0 || options->destroy ||
	    options->refresh_only)
		return app_fail(app, EXIT_USAGE, "PF0842", "what a saved plan "
		    "does was decided when it was made: --target, --exclude, "
		    "--replace, --destroy and --refresh-only do not go with "
		    "it");
	options->destroy = binding->mode == PLAN_DESTROY;
	options->refresh_only = binding->mode == PLAN_REFRESH_ONLY;
	for (size_t i = 0; i < binding->ntargets; i++)
		*ARENA_PUSH(&app->arena, &options->targets.list) =
		    binding->targets[i];
	for (size_t i = 0; i < binding->nexcludes; i++)
		*ARENA_PUSH(&app->arena, &options->excludes.list) =
		    binding->excludes[i];
	for (size_t i = 0; i < binding->nreplaces; i++)
		*ARENA_PUSH(&app->arena, &options->replaces.list) =
		    binding->replaces[i];
	if (options->spec.list.n == 0)
		for (size_t i = 0; i < binding->nspec_paths; i++)
			*ARENA_PUSH(&app->arena, &options->spec.list) =
			    binding->spec_paths[i];
	if (options->variables.list.n == 0)
		for (size_t i = 0; i < binding->nvariables; i++)
			*ARENA_PUSH(&app->arena, &options->variables.list) =
			    binding->variables[i];
	return EXIT_OK;
}

/* Spec, lineage and serial, before anything is asked of the service. */
static int
check_record(struct applying *applying, const struct plan_binding *binding)
{
	struct planning *planning = &applying->planning;
	struct app *app = planning->app;
	const struct lock *lock = planning->session.lock;
	const struct history_entry *use = find_use(lock, binding);

	if (!str_eq(id128_str(&lock->lineage), binding->lineage)) {
		app_fail(app, 0, "PF0843", "the plan is for another lock file: "
		    "its lineage is " STR_FMT ", and this one's is %.8s",
		    STR_ARG(str_sub(binding->lineage, 0, 8)),
		    lock->lineage.hex);
		return stale(app, "apply it where it was made, or make a new "
		    "one here");
	}
	if (lock->serial != binding->serial && use != NULL) {
		app_fail(app, 0, "PF0844", "the plan was applied already, at "
		    STR_FMT " by " STR_FMT, STR_ARG(format_time(&app->arena,
		    use->wall_ms)), STR_ARG(use->who));
		return stale(app, "a plan is used once; make a new one");
	}
	if (lock->serial != binding->serial && !PLANTED(24)) {
		app_fail(app, 0, "PF0845", "the plan is stale: the lock has "
		    "moved from serial %lld to %lld since",
		    (long long)binding->serial, (long long)lock->serial);
		return stale(app, "podform history says by whom; make a new "
		    "plan");
	}
	struct str digest = planning->spec == NULL ? (struct str){0} :
	    spec_digest(&app->arena, planning->spec);
	if (!str_eq(digest, binding->spec_digest)) {
		app_fail(app, 0, "PF0846", "the plan is stale: the spec has "
		    "changed since, from " STR_FMT " to " STR_FMT,
		    STR_ARG(str_sub(binding->spec_digest, 7, 8)),
		    STR_ARG(str_sub(digest, 7, 8)));
		return stale(app, "podform plan shows what it asks for now");
	}
	return EXIT_OK;
}

/* The first addresses on which two plans differ, for people. */
static void
hint_differences(struct app *app, const struct plan *then,
    const struct plan *now)
{
	size_t told = 0;

	for (size_t i = 0; i < now->changes.n && told < 5; i++) {
		const struct plan_change *change = &now->changes.items[i];
		const struct plan_change *old = NULL;
		for (size_t j = 0; j < then->changes.n && old == NULL; j++)
			if (str_eq(then->changes.items[j].address,
			    change->address))
				old = &then->changes.items[j];
		if (old != NULL && old->op == change->op)
			continue;
		diag_hint(&app->diags, STR_FMT " " STR_FMT " now, and %s then",
		    STR_ARG(change->address), STR_ARG(words_header(
		    &app->arena, change)), old == NULL ? "was left alone" :
		    words_header(&app->arena, old).data);
		told++;
	}
	for (size_t i = 0; i < then->changes.n && told < 5; i++) {
		const struct plan_change *old = &then->changes.items[i];
		bool found = false;
		for (size_t j = 0; j < now->changes.n && !found; j++)
			found = str_eq(now->changes.items[j].address,
			    old->address);
		if (found)
			continue;
		diag_hint(&app->diags, STR_FMT " needs nothing now",
		    STR_ARG(old->address));
		told++;
	}
}

static bool
drifted_likewise(const struct plan *then, const struct plan_drift *drift)
{
	for (size_t i = 0; i < then->drift.n; i++) {
		const struct plan_drift *old = &then->drift.items[i];
		if (str_eq(old->address, drift->address) &&
		    str_eq(str_from(words_drift(old)),
		    str_from(words_drift(drift))) &&
		    old->attrs.n == drift->attrs.n)
			return true;
	}
	return false;
}

/* What has changed outside of podform since: the plan may be the same. */
static void
hint_drift(struct app *app, const struct plan *then, const struct plan *now)
{
	size_t told = 0;

	for (size_t i = 0; i < now->drift.n && told < 5; i++) {
		const struct plan_drift *drift = &now->drift.items[i];
		if (drifted_likewise(then, drift))
			continue;
		diag_hint(&app->diags, STR_FMT " %s outside of podform%s"
		    STR_FMT, STR_ARG(drift->address), words_drift(drift),
		    drift->attrs.n > 0 ? ": " : "",
		    STR_ARG(drift->attrs.n > 0 ? drift->attrs.items[0].path :
		    (struct str){0}));
		told++;
	}
}

/* The live account and what follows from it. */
static int
check_live(struct applying *applying, const struct plan_file *file)
{
	struct planning *planning = &applying->planning;
	struct app *app = planning->app;
	const struct live *live = &planning->session.live;
	const struct plan_binding *binding = &file->binding;

	if (binding->account.len > 0 && live->account_known &&
	    !str_eq(live->account.id, binding->account)) {
		app_fail(app, 0, "PF0847", "the plan is for account " STR_FMT
		    ", and the key is of account " STR_FMT,
		    STR_ARG(binding->account), STR_ARG(live->account.id));
		return stale(app, "use the key of the account that it was "
		    "made for");
	}
	if (PLANTED(24))
		return EXIT_OK;		/* whatever was shown */
	if (!str_eq(live_digest(&app->arena, planning->plan),
	    binding->live_digest)) {
		app_fail(app, 0, "PF0848", "the plan is stale: the account "
		    "has changed since");
		hint_drift(app, file->plan, planning->plan);
		hint_differences(app, file->plan, planning->plan);
		return stale(app, "podform plan shows what is to be done now");
	}
	if (!str_eq(plan_digest(&app->arena, planning->plan),
	    binding->plan_digest)) {
		app_fail(app, 0, "PF0849", "the plan is stale: what is to be "
		    "done has changed since");
		hint_differences(app, file->plan, planning->plan);
		return stale(app, "podform plan shows what is to be done now");
	}
	return EXIT_OK;
}

static int
open_for(struct applying *applying, struct app *app,
    const struct plan_file *file)
{
	const struct plan_binding *binding = &file->binding;
	struct planning *planning = &applying->planning;
	struct id128 lineage;
	int code;

	if (!id128_parse(binding->lineage, &lineage))
		return app_fail(app, EXIT_STALE, "PF0843",
		    "the plan names no lineage that can be read");
	/* Made before there was a lock: the first to be applied brings it. */
	if (binding->serial == 0)
		app->lineage = lineage;
	code = planning_open_to_apply(planning, app, binding->mode ==
	    PLAN_DESTROY, false);
	if (code == EXIT_OK)
		code = apply_may_record(applying);
	if (code == EXIT_OK)
		code = check_record(applying, binding);
	if (code == EXIT_OK && !plan_file_check(file, app_operand(app, 0),
		&app->diags))
		code = EXIT_STALE;
	if (code == EXIT_OK && !app->options->destroy)
		code = session_read_secrets(&planning->session, true);
	planning->options.account = binding->account.len > 0;
	return code;
}

int
apply_saved(struct applying *applying, struct app *app)
{
	struct planning *planning = &applying->planning;
	struct plan_file file;
	int code;

	if (!plan_file_read(&app->arena, &app->fs, arena_cstr(&app->arena,
	    app_operand(app, 0)), &file, &app->diags))
		return app->diags.list.n > 0 && str_is(str_from(
		    app->diags.last->code), "PF0702") ? EXIT_STALE :
		    EXIT_USAGE;
	code = check_time(app, &file.binding);
	if (code == EXIT_OK)
		code = take_options(app, &file.binding);
	if (code == EXIT_OK)
		code = open_for(applying, app, &file);
	if (code == EXIT_OK)
		code = session_plan_to_apply(&planning->session,
		    &planning->options, app->options->settle_ms,
		    &planning->plan);
	if (code == EXIT_OK)
		code = check_live(applying, &file);
	if (code == EXIT_OK)
		code = planning_judge(planning);
	if (code != EXIT_OK)
		return code;
	follow_plan(&applying->follow, planning->plan);
	if (!session_has_work(&planning->session, planning->plan)) {
		if (!app_json(app))
			planning_show(planning);
		return EXIT_OK;
	}
	return apply_run(applying);
}
