/* check.c - budget, balance, protection: what a plan must not do */
#include "base/units.h"
#include "plan/planner.h"

struct plan_check *
check_add(struct planner *p, const char *id, enum check_status status,
    struct span span, const char *format, ...)
{
	struct plan_check *check = ARENA_PUSH(p->arena, &p->plan->checks);
	va_list args;

	va_start(args, format);
	*check = (struct plan_check){
		.id = id, .status = status, .span = span,
		.message = arena_vprintf(p->arena, format, args),
	};
	va_end(args);
	return check;
}

/*
 * Protection outlives the line that declares it: the record keeps it until
 * a plan that leaves the thing alone has taken it away.
 */
bool
protected_thing(const struct resource *want, const struct lock_entry *have)
{
	if (have->protect)
		return true;
	if (want == NULL)
		return false;
	return want->kind == KIND_POD ? want->pod->protect :
	    want->kind == KIND_VOLUME && want->volume->protect;
}

/* Of a pod: nothing else that is wanted and protected is ended. */
static struct span
protect_span(const struct plan_change *change)
{
	const struct resource *want = change->want;

	return want->pod->protect ? want->pod->at[POD_FIELD_PROTECT] :
	    want->span;
}

static void
check_protect(struct planner *p, const struct plan_change *change)
{
	bool deletes = change->op == PLAN_DELETE;
	const struct lock_entry *have = change->have;

	if ((!deletes && change->op != PLAN_REPLACE) || have == NULL ||
	    have->deposed || !protected_thing(change->want, have))
		return;
	if (change->want == NULL)
		check_add(p, "protect", CHECK_FAIL, NO_SPAN, STR_FMT " is "
		    "protected and would be deleted; to let it go, put it "
		    "back with `protect: false` and apply that first",
		    STR_ARG(change->address));
	else
		check_add(p, "protect", CHECK_FAIL, protect_span(change),
		    STR_FMT " is protected and would be %s; to let it go, "
		    "apply `protect: false` first", STR_ARG(change->address),
		    deletes ? "deleted" : "replaced");
}

void
volume_is_kept(struct planner *p, const struct lock_entry *have,
    const struct cloud_pod *pod)
{
	struct str id = pod->config.volume_id;

	if (id.len == 0)
		return;
	struct str *who = ARENA_NEW(p->arena, struct str);
	*who = have != NULL ? have->address : arena_printf(p->arena,
	    "pod '" STR_FMT "'", STR_ARG(pod->id));
	map_put(&p->kept_volumes, p->arena, id, who);
}

/* A volume goes with its data, and from under whatever mounts it. */
static void
check_in_use(struct planner *p, const struct plan_change *change)
{
	if (change->kind != KIND_VOLUME || change->op != PLAN_DELETE)
		return;
	const struct str *user = map_get(&p->kept_volumes, change->have->id);
	if (user != NULL)
		check_add(p, "in_use", CHECK_FAIL, NO_SPAN, STR_FMT " would "
		    "be deleted while " STR_FMT " mounts it",
		    STR_ARG(change->address), STR_ARG(*user));
}

/* Does the plan make anything cost that did not before? */
static bool
starts_cost(const struct plan *plan)
{
	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct plan_change *change = &plan->changes.items[i];
		if (change->kind == KIND_RUNNER || change->kind == KIND_TUNNEL)
			continue;
		if (change->op == PLAN_CREATE || change->op == PLAN_REPLACE ||
		    change->op == PLAN_START || change->start)
			return true;
	}
	return false;
}

static void
check_budget(struct planner *p, bool starts)
{
	const struct plan_cost *cost = &p->plan->cost;
	int64_t budget = p->spec != NULL ? p->spec->settings.budget_per_hour :
	    0;
	struct str most = format_rate(p->arena, budget);

	if (budget == 0 || p->options->mode != PLAN_NORMAL)
		return;
	struct span span = p->spec->settings.budget_at;
	/* What runs already is not refused: a plan that only lowers the
	 * cost has to be possible. */
	enum check_status over = starts ? CHECK_FAIL : CHECK_WARN;
	if (cost->after_per_hour > budget)
		check_add(p, "budget.hourly", over, span, "this would cost "
		    STR_FMT " per hour, and the budget is " STR_FMT,
		    STR_ARG(format_rate(p->arena, cost->after_per_hour)),
		    STR_ARG(most));
	else if (cost->unknown && p->plan->needs_catalog)
		check_add(p, "budget.hourly", CHECK_WARN, span, "prices were "
		    "not read, so the budget of " STR_FMT " is not checked",
		    STR_ARG(most));
	else if (cost->unknown)
		check_add(p, "budget.hourly", over, span, "a price is not "
		    "known, and an unknown price is over the budget of "
		    STR_FMT, STR_ARG(most));
	else if (cost->worst_per_hour > budget)
		check_add(p, "budget.hourly", CHECK_WARN, span, "this costs "
		    STR_FMT " per hour if the last candidates are taken, and "
		    "the budget is " STR_FMT, STR_ARG(format_rate(p->arena,
		    cost->worst_per_hour)), STR_ARG(most));
	else
		check_add(p, "budget.hourly", CHECK_PASS, span, STR_FMT " of "
		    STR_FMT " per hour", STR_ARG(format_rate(p->arena,
		    cost->after_per_hour)), STR_ARG(most));
}

/* The service wants an hour's credit before it starts anything. */
static void
check_balance(struct planner *p)
{
	const struct account *account = &p->live->account;
	int64_t after = p->plan->cost.after_per_hour;

	if (!p->live->account_known || !account->balance_known ||
	    account->balance >= after)
		return;
	check_add(p, "balance", CHECK_WARN, NO_SPAN, "the balance of " STR_FMT
	    " does not last for an hour at " STR_FMT " per hour",
	    STR_ARG(format_total(p->arena, account->balance)),
	    STR_ARG(format_rate(p->arena, after)));
}

/* The account's own limit counts everything on it, not only ours. */
static void
check_spend_limit(struct planner *p)
{
	const struct account *account = &p->live->account;
	const struct plan_cost *cost = &p->plan->cost;
	int64_t after = account->spend_per_hour + cost->after_per_hour -
	    cost->before_per_hour;

	if (!p->live->account_known || account->spend_limit <= 0 ||
	    after <= account->spend_limit)
		return;
	check_add(p, "spend_limit", CHECK_WARN, NO_SPAN, "the account would "
	    "spend " STR_FMT " per hour, and its limit at the service is "
	    STR_FMT, STR_ARG(format_rate(p->arena, after)),
	    STR_ARG(format_rate(p->arena, account->spend_limit)));
}

/* The service refuses to stop, reset or end a pod that somebody locked. */
static void
check_locked(struct planner *p, const struct plan_change *change)
{
	bool resets = change->op == PLAN_STOP ||
	    (change->op == PLAN_UPDATE && (change->restarts || change->stop));

	bool ends = change->op == PLAN_DELETE || change->op == PLAN_REPLACE;

	if (change->pod == NULL || !change->pod->locked || !(resets || ends))
		return;
	check_add(p, "locked", CHECK_WARN, change->span, STR_FMT " is locked "
	    "in the console and cannot be %s until somebody unlocks pod '"
	    STR_FMT "'", STR_ARG(change->address), ends ? "ended" :
	    "stopped or restarted", STR_ARG(change->pod->id));
}

/* Not refused: stock comes back, and the catalog is a minute old. */
static void
check_stock(struct planner *p, const struct plan_change *change)
{
	if ((change->op != PLAN_CREATE && change->op != PLAN_REPLACE) ||
	    change->candidates.n == 0)
		return;
	for (size_t i = 0; i < change->candidates.n; i++)
		if (change->candidates.items[i].stock != STOCK_NONE)
			return;
	check_add(p, "stock", CHECK_WARN, change->span, "no GPU that "
	    STR_FMT " asks for is in stock now, so creating it may fail",
	    STR_ARG(change->address));
}

/* Was it made for a thing of this spec, by an op of another lineage? */
static bool
is_cousin(const struct planner *p, const struct mark *mark, size_t digits,
    struct str address)
{
	struct str ours = str_sub(id128_str(&p->lock->lineage), 0, digits);

	return !str_eq(mark->lineage, ours) &&
	    spec_find(p->spec, address) != NULL;
}

/* How many there are, and the first of them. */
static size_t
count_cousins(const struct planner *p, const struct str **first)
{
	const struct live *live = p->live;
	struct mark mark;
	struct str base;
	size_t n = 0;

	for (size_t i = 0; i < live->npods; i++)
		if (live->pods[i].status != POD_TERMINATED &&
		    mark_parse_env(live->pods[i].mark, &mark) &&
		    is_cousin(p, &mark, 32, mark.address) && n++ == 0)
			*first = &live->pods[i].id;
	for (size_t i = 0; live->volumes_known && i < live->nvolumes; i++)
		if (mark_parse_name(live->volumes[i].name, &base, &mark) &&
		    is_cousin(p, &mark, mark.lineage.len, address_format(
			p->arena, KIND_VOLUME, base, -1)) && n++ == 0)
			*first = &live->volumes[i].id;
	return n;
}

/*
 * A project that records nothing, and things that were made for its
 * addresses under another lineage: its lock file was probably not put back
 * (CI throws machines away), and an apply would pay for everything twice, a
 * destroy end nothing.  Where there was a run before, that is as good as
 * certain.
 */
static void
check_lost_lock(struct planner *p)
{
	const struct str *first = NULL;
	bool lost = p->options->record_lost && !p->lock->exists;

	if (p->spec == NULL || p->lock->entries.n > 0 ||
	    p->options->mode == PLAN_REFRESH_ONLY || p->live->from_lock)
		return;
	size_t n = count_cousins(p, &first);
	if (n == 0)
		return;
	check_add(p, "lost_lock", lost ? CHECK_FAIL : CHECK_WARN, NO_SPAN,
	    "nothing is recorded here, but %zu thing%s on the account %s made "
	    "for addresses of this spec under another lock file, such as '"
	    STR_FMT "'; if that lock file was lost, put it back before "
	    "anything is done%s", n, n == 1 ? "" : "s",
	    n == 1 ? "was" : "were", STR_ARG(*first), lost ? "; if it is "
	    "another project's, podform init says that this is a new one" :
	    "");
}

void
plan_check_deletes(struct arena *arena, struct plan *plan,
    const struct plan_options *options)
{
	size_t n = plan->summary.destroy;
	bool over = options->limit_deletes && n > (size_t)options->max_deletes;

	if (!options->limit_deletes)
		return;
	*ARENA_PUSH(arena, &plan->checks) = (struct plan_check){
		.id = "max_deletes",
		.status = over ? CHECK_FAIL : CHECK_PASS,
		.span = NO_SPAN,
		.message = over ? arena_printf(arena, "%zu thing%s would be "
		    "destroyed, and --max-deletes allows %lld", n, n == 1 ?
		    "" : "s", (long long)options->max_deletes) :
		    arena_printf(arena, "%zu of %lld may be destroyed", n,
		    (long long)options->max_deletes),
	};
}

void
checks_make(struct planner *p)
{
	struct plan *plan = p->plan;
	bool starts = starts_cost(plan);

	for (size_t i = 0; i < plan->changes.n; i++) {
		check_protect(p, &plan->changes.items[i]);
		check_in_use(p, &plan->changes.items[i]);
		check_locked(p, &plan->changes.items[i]);
		check_stock(p, &plan->changes.items[i]);
	}
	check_lost_lock(p);
	check_budget(p, starts);
	if (p->spec != NULL)
		policy_check(p, &p->spec->settings.policy, starts);
	policy_check(p, p->options->policy, starts);
	if (!starts)
		return;
	check_balance(p);
	check_spend_limit(p);
}
