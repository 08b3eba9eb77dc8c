/* plan_dump.c - see plan_dump.h */
#include "plan_dump.h"

#include "base/units.h"

static const char *const symbols[] = {
	[PLAN_NOOP] = "=", [PLAN_CREATE] = "+", [PLAN_UPDATE] = "~",
	[PLAN_REPLACE] = "-/+", [PLAN_DELETE] = "-", [PLAN_START] = "^",
	[PLAN_STOP] = "v", [PLAN_FORGET] = ".",
};

static const char *const doing[] = {
	[ACTION_VOLUME_CREATE] = "create volume",
	[ACTION_VOLUME_UPDATE] = "update volume",
	[ACTION_POD_CONFIRM_GONE] = "confirm gone",
	[ACTION_POD_CREATE] = "create",
	[ACTION_POD_UPDATE] = "update",
	[ACTION_POD_START] = "start",
	[ACTION_POD_RUNNING] = "await running",
	[ACTION_POD_SSH] = "await ssh",
	[ACTION_POD_LOGIN] = "login",
	[ACTION_POD_CHECK] = "check",
	[ACTION_POD_SETUP] = "setup",
	[ACTION_POD_PROCESS] = "process",
	[ACTION_POD_BACKUP] = "backup",
	[ACTION_RUNNER_INSTALL] = "install",
	[ACTION_RUNNER_REGISTER] = "register",
	[ACTION_RUNNER_START] = "listen",
	[ACTION_RUNNER_ONLINE] = "await online",
	[ACTION_RUNNER_REMOVE] = "remove",
	[ACTION_TUNNEL_OPEN] = "open",
	[ACTION_TUNNEL_CLOSE] = "close",
	[ACTION_POD_STOP] = "stop",
	[ACTION_BARRIER] = "barrier",
	[ACTION_POD_DELETE] = "delete",
	[ACTION_VOLUME_DELETE] = "delete volume",
};

static void
dump_attr(struct strbuf *out, const struct plan_attr *attr)
{
	static const char *const effects[] = {
		[EFFECT_NONE] = "", [EFFECT_IN_PLACE] = " in-place",
		[EFFECT_RESTART] = " restart", [EFFECT_REPLACE] = " replace",
	};
	struct str none = STR("-");

	strbuf_addf(out, "  " STR_FMT ": " STR_FMT " -> " STR_FMT "%s%s%s%s%s",
	    STR_ARG(attr->path),
	    STR_ARG(attr->before.data != NULL ? attr->before : none),
	    STR_ARG(attr->unknown ? STR("(later)") :
		attr->after.data != NULL ? attr->after : none),
	    effects[attr->effect], attr->edit ? " edit" : "",
	    attr->drift ? " drift" : "", attr->sensitive ? " secret" : "",
	    attr->forces_replacement ? " forces" : "");
	if (attr->span.source != 0)
		strbuf_addf(out, " @%u", attr->span.line);
	strbuf_addc(out, '\n');
}

static void
dump_candidate(struct strbuf *out, const struct candidate *candidate)
{
	static const char *const stocks[] = {
		[STOCK_UNKNOWN] = "?", [STOCK_NONE] = "none",
		[STOCK_LOW] = "low", [STOCK_MEDIUM] = "medium",
		[STOCK_HIGH] = "high",
	};

	strbuf_addf(out, "  at: " STR_FMT "/%s/" STR_FMT " %lld %s\n",
	    STR_ARG(candidate->gpu_name),
	    candidate->tier == TIER_SECURE ? "secure" : "community",
	    STR_ARG(candidate->data_center),
	    (long long)candidate->price_per_hour, stocks[candidate->stock]);
}

static void
dump_change(struct strbuf *out, const struct plan_change *change,
    unsigned parts)
{
	const char *code = plan_reason_code(change->reason, change->op);

	strbuf_addf(out, "%s " STR_FMT,
	    change->op == PLAN_REPLACE && change->create_first ? "+/-" :
	    symbols[change->op], STR_ARG(change->address));
	if (change->orphan && change->runner != NULL)
		strbuf_addf(out, " orphan %lld",
		    (long long)change->runner->id);
	else if (change->orphan)
		strbuf_addf(out, " orphan " STR_FMT,
		    STR_ARG(change->pod->id));
	if (change->have != NULL && change->have->deposed)
		strbuf_adds(out, " deposed");
	if (change->gone)
		strbuf_adds(out, change->gone_proved ? " gone-proved" :
		    " gone");
	if (change->restarts)
		strbuf_adds(out, " restarts");
	if (change->op == PLAN_UPDATE && change->start)
		strbuf_adds(out, " and start");
	if (change->op == PLAN_UPDATE && change->stop)
		strbuf_adds(out, " and stop");
	if (code != NULL)
		strbuf_addf(out, " %s", code);
	for (size_t i = 0; i < change->dangers.n; i++)
		strbuf_addf(out, " !%s", change->dangers.items[i]);
	if (change->span.source != 0)
		strbuf_addf(out, " @%u", change->span.line);
	strbuf_addc(out, '\n');
	for (size_t i = 0; (parts & DUMP_ATTRS) && i < change->attrs.n; i++)
		dump_attr(out, &change->attrs.items[i]);
	for (size_t i = 0; (parts & DUMP_CANDIDATES) &&
	    i < change->candidates.n; i++)
		dump_candidate(out, &change->candidates.items[i]);
}

static void
dump_drift(struct strbuf *out, const struct plan_drift *drift)
{
	strbuf_addf(out, "drift " STR_FMT "%s%s%s%s\n",
	    STR_ARG(drift->address), drift->gone ? " gone" : "",
	    drift->stopped ? " stopped" : "",
	    drift->started ? " started" : "",
	    drift->ack != NULL ? " acknowledged" : "");
	for (size_t i = 0; i < drift->attrs.n; i++)
		dump_attr(out, &drift->attrs.items[i]);
}

static void
dump_action(struct strbuf *out, const struct plan *plan, size_t at)
{
	const struct plan_action *action = &plan->actions.items[at];

	strbuf_addf(out, "do %zu %s", at, doing[action->kind]);
	if (action->kind == ACTION_POD_CHECK ||
	    action->kind == ACTION_POD_SETUP)
		strbuf_addf(out, "[%zu]", action->step);
	if (action->kind != ACTION_BARRIER)
		strbuf_addf(out, " " STR_FMT,
		    STR_ARG(plan_action_change(plan, action)->address));
	for (size_t i = 0; i < action->after.n; i++)
		strbuf_addf(out, "%s%zu", i == 0 ? " after " : ",",
		    action->after.items[i]);
	strbuf_addc(out, '\n');
}

static void
dump_checks(struct strbuf *out, const struct plan *plan)
{
	static const char *const statuses[] = {
		[CHECK_PASS] = "pass", [CHECK_WARN] = "warn",
		[CHECK_FAIL] = "fail",
	};

	for (size_t i = 0; i < plan->checks.n; i++) {
		const struct plan_check *check = &plan->checks.items[i];
		strbuf_addf(out, "check %s %s: " STR_FMT,
		    statuses[check->status], check->id,
		    STR_ARG(check->message));
		if (check->span.source != 0)
			strbuf_addf(out, " @%u", check->span.line);
		strbuf_addc(out, '\n');
	}
}

static void
dump_unmanaged(struct strbuf *out, const struct plan *plan)
{
	for (size_t i = 0; i < plan->unmanaged.n; i++) {
		const struct plan_unmanaged *thing = &plan->unmanaged.items[i];
		strbuf_addf(out, "unmanaged %s " STR_FMT "%s%s\n",
		    kind_name(thing->kind), STR_ARG(thing->id),
		    thing->suspect ? " suspect" : "",
		    thing->other_lineage ? " other" : "");
	}
}

static void
dump_cost(struct strbuf *out, const struct plan_cost *cost)
{
	strbuf_addf(out, "cost %lld -> %lld, worst %lld, storage %lld%s\n",
	    (long long)cost->before_per_hour, (long long)cost->after_per_hour,
	    (long long)cost->worst_per_hour, (long long)cost->storage_per_hour,
	    cost->unknown ? ", unknown" : "");
}

void
plan_dump(struct strbuf *out, const struct plan *plan, unsigned parts)
{
	for (size_t i = 0; (parts & DUMP_CHANGES) && i < plan->changes.n; i++)
		dump_change(out, &plan->changes.items[i], parts);
	for (size_t i = 0; (parts & DUMP_DRIFT) && i < plan->drift.n; i++)
		dump_drift(out, &plan->drift.items[i]);
	if (parts & DUMP_UNMANAGED)
		dump_unmanaged(out, plan);
	if (parts & DUMP_CHECKS)
		dump_checks(out, plan);
	for (size_t i = 0; (parts & DUMP_ACTIONS) && i < plan->actions.n; i++)
		dump_action(out, plan, i);
	if (parts & DUMP_COST)
		dump_cost(out, &plan->cost);
	if (parts == DUMP_ALL)
		strbuf_addf(out, "add %zu, change %zu, destroy %zu, start %zu, "
		    "stop %zu, forget %zu; %zu same, %zu kept%s\n",
		    plan->summary.add, plan->summary.change,
		    plan->summary.destroy, plan->summary.start,
		    plan->summary.stop, plan->summary.forget, plan->noops,
		    plan->keeps.n, plan->empty ? ", empty" : "");
}
