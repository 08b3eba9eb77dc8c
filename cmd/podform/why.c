/*
 * why.c - podform why ADDRESS: the evidence behind what a plan says of one
 * resource: its line in the spec, its record, what the service reports, the
 * decision with its reason, what was refused.
 */
#include "app.h"
#include "base/units.h"
#include "commands.h"
#include "planning.h"
#include "record.h"
#include "ui/cells.h"
#include "ui/plan_text.h"
#include "ui/words.h"

static void
add_spec(struct strbuf *out, const struct planning *planning,
    struct str address)
{
	struct app *app = planning->app;
	const struct resource *want = planning->spec == NULL ? NULL :
	    spec_find(planning->spec, address);

	strbuf_adds(out, "Wanted:    ");
	if (want == NULL) {
		strbuf_adds(out, "no, the spec does not name it\n");
		return;
	}
	strbuf_add_escaped(out, span_place(&app->arena, &app->sources,
	    want->span, true));
	strbuf_addc(out, '\n');
	for (size_t i = 0; i < want->nneeds; i++) {
		strbuf_adds(out, "           needs ");
		strbuf_add_escaped(out, want->needs[i]->address);
		strbuf_addc(out, '\n');
	}
}

static void
add_record(struct strbuf *out, const struct planning *planning,
    const struct lock_entry *entry)
{
	(void)planning;
	strbuf_adds(out, "Recorded:  ");
	if (entry == NULL) {
		strbuf_adds(out, "no, it was never made or was forgotten\n");
		return;
	}
	strbuf_add(out, record_state(entry));
	strbuf_adds(out, ", id ");
	strbuf_add_escaped(out, entry->id);
	if (entry->created_at.len > 0) {
		strbuf_adds(out, ", made ");
		strbuf_add_escaped(out, entry->created_at);
	}
	strbuf_addc(out, '\n');
}

static void
add_live_pod(struct strbuf *out, struct app *app,
    const struct cloud_pod *pod)
{
	strbuf_adds(out, "status ");
	strbuf_add_escaped(out, pod->status_text);
	strbuf_adds(out, pod->has_runtime ? ", a container runs" :
	    ", no container is reported");
	if (pod->ssh.port != 0)
		strbuf_addf(out, ", SSH on " STR_FMT ":%u",
		    STR_ARG(cells_escape(&app->arena, pod->ssh.host)),
		    pod->ssh.port);
	if (pod->cost_known)
		strbuf_addf(out, ", " STR_FMT "/h", STR_ARG(format_rate(
		    &app->arena, pod->cost_per_hour)));
	strbuf_addc(out, '\n');
}

static void
add_live(struct strbuf *out, const struct planning *planning,
    const struct lock_entry *entry)
{
	const struct live *live = &planning->session.live;
	struct app *app = planning->app;

	strbuf_adds(out, "Live:      ");
	if (live->from_lock) {
		strbuf_adds(out, "not asked (--refresh=false)\n");
		return;
	}
	for (size_t i = 0; entry != NULL && i < live->npods; i++)
		if (str_eq(live->pods[i].id, entry->id)) {
			add_live_pod(out, app, &live->pods[i]);
			return;
		}
	for (size_t i = 0; entry != NULL && i < live->nvolumes; i++)
		if (str_eq(live->volumes[i].id, entry->id)) {
			strbuf_addf(out, "there, %lldGB\n",
			    (long long)live->volumes[i].size_gb);
			return;
		}
	strbuf_addf(out, "%s (listing of " STR_FMT ", %zu pods)\n",
	    entry == NULL ? "nothing of ours at this address" :
	    "not in the listing", STR_ARG(format_time(&app->arena,
	    live->wall_ms)), live->npods);
}

/* The plan, cut down to one address. */
static void
add_decision(struct strbuf *out, const struct planning *planning,
    struct str address)
{
	struct app *app = planning->app;
	const struct plan *plan = planning->plan;
	struct plan one = *plan;
	bool any = false;

	one.changes.items = NULL;
	one.changes.n = one.changes.cap = 0;
	one.drift.items = NULL;
	one.drift.n = one.drift.cap = 0;
	for (size_t i = 0; i < plan->changes.n; i++)
		if (str_eq(plan->changes.items[i].address, address))
			*ARENA_PUSH(&app->arena, &one.changes) =
			    plan->changes.items[i];
	for (size_t i = 0; i < plan->drift.n; i++)
		if (str_eq(plan->drift.items[i].address, address))
			*ARENA_PUSH(&app->arena, &one.drift) =
			    plan->drift.items[i];
	any = one.changes.n + one.drift.n > 0;
	strbuf_adds(out, any ? "Decision:\n\n" :
	    "Decision:  nothing to do, it is as it should be\n");
	plan_text_changes(out, &one, &(struct plan_text_options){
	    .style = app->out_style, .sources = &app->sources });
}

static void
add_candidates(struct strbuf *out, const struct planning *planning,
    struct str address)
{
	struct app *app = planning->app;
	const struct plan *plan = planning->plan;

	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct plan_change *change = &plan->changes.items[i];
		if (!str_eq(change->address, address))
			continue;
		for (size_t j = 0; j < change->candidates.n; j++) {
			strbuf_adds(out, j == 0 ? "Tried in this order:\n" :
			    "");
			strbuf_addf(out, "  %zu. " STR_FMT "\n", j + 1,
			    STR_ARG(words_candidate(&app->arena,
			    &change->candidates.items[j])));
		}
	}
}

static void
add_past(struct strbuf *out, struct app *app, const struct lock *lock)
{
	if (lock->history.n == 0)
		return;
	const struct history_entry *last =
	    &lock->history.items[lock->history.n - 1];
	strbuf_addf(out, "Last run:  %s, ", format_time(&app->arena,
	    last->wall_ms).data);
	strbuf_add_escaped(out, last->command);
	strbuf_adds(out, " by ");
	strbuf_add_escaped(out, last->who);
	strbuf_addf(out, ", exit %lld: ", (long long)last->exit_code);
	strbuf_add_escaped(out, last->summary);
	strbuf_addc(out, '\n');
}

static int
explain(struct planning *planning, struct str address)
{
	struct app *app = planning->app;
	struct lock *lock = planning->session.lock;
	struct lock_entry *entry = lock_find(lock, address);
	struct strbuf out = {0};

	if (entry == NULL && (planning->spec == NULL ||
	    spec_find(planning->spec, address) == NULL)) {
		record_find(lock, address, &app->diags);
		return EXIT_ERROR;
	}
	style_add(&out, app->out_style, PAINT_BOLD, address);
	strbuf_addc(&out, '\n');
	add_spec(&out, planning, address);
	add_record(&out, planning, entry);
	add_live(&out, planning, entry);
	add_past(&out, app, lock);
	add_decision(&out, planning, address);
	add_candidates(&out, planning, address);
	app_print(app, &out);
	return EXIT_OK;
}

int
cmd_why(struct app *app)
{
	struct planning planning = { .app = app };
	struct str address = app_operand(app, 0);
	int code;

	if (app_json(app))
		return app_fail(app, EXIT_ERROR, "PF0805", "why --json is not "
		    "built yet; podform plan --json holds the same");
	if (str_find(address, '.') < 0)
		address = arena_printf(&app->arena, "pod." STR_FMT,
		    STR_ARG(address));
	code = planning_open(&planning, app, false, "why");
	if (code == EXIT_OK)
		code = session_read_secrets(&planning.session, false);
	if (code == EXIT_OK)
		code = session_plan(&planning.session, &planning.options,
		    &planning.plan);
	if (code == EXIT_OK)
		code = explain(&planning, address);
	planning_close(&planning);
	return code;
}
