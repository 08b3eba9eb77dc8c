/*
 * policy.c - settings.policy, and the rules of --policy: may the spec ask for
 * what it asks for?
 *
 * The rules are about what is wanted, so all of it is looked at, whether it
 * changes or not; what they refuse is put right in the spec.  Of two policies
 * each is kept, so the stricter of two rules decides.
 */
#include "base/units.h"
#include "plan/planner.h"

enum rule {
	RULE_POD_PRICE, RULE_TOTAL_PRICE, RULE_CLOUDS, RULE_DATA_CENTERS,
	RULE_REGIONS, RULE_IMAGES, RULE_LEASE, RULE_PROTECT, RULE_TUNNELS,
	RULE_COUNT
};

static const char *const rule_ids[RULE_COUNT] = {
	[RULE_POD_PRICE] = "policy.max_price_per_pod",
	[RULE_TOTAL_PRICE] = "policy.max_price_total",
	[RULE_CLOUDS] = "policy.clouds",
	[RULE_DATA_CENTERS] = "policy.data_centers",
	[RULE_REGIONS] = "policy.regions",
	[RULE_IMAGES] = "policy.images",
	[RULE_LEASE] = "policy.require_lease",
	[RULE_PROTECT] = "policy.require_protect",
	[RULE_TUNNELS] = "policy.deny_public_tunnels",
};

struct rules {
	struct planner *p;
	const struct policy *policy;
	bool starts;			/* the plan makes something cost more */
	unsigned said;			/* bits 1 << enum rule: not passed */
};

static void
say(struct rules *rules, enum rule rule, enum check_status status,
    struct span span, struct str message)
{
	rules->said |= 1u << rule;
	check_add(rules->p, rule_ids[rule], status, span, STR_FMT
	    " (%s of the policy)", STR_ARG(message),
	    rule_ids[rule] + sizeof "policy." - 1);
}

#define SAY(rules, rule, status, span, ...) say(rules, rule, status, span, \
	arena_printf((rules)->p->arena, __VA_ARGS__))

/* Does a text fit a pattern, in which a `*` is any text? */
static bool
fits_pattern(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.data[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.len &&
		    pattern.data[p] == text.data[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else
			return false;
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}

static bool
is_listed(struct str item, const struct str *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_fold(items[i], item))
			return true;
	return false;
}

/* Replicas share one spec, so they are told of once. */
static struct str
shared_address(const struct rules *rules, const struct resource *want)
{
	return address_format(rules->p->arena, want->kind, want->name, -1);
}

/* --------------------------------------------------------------- places -- */

/* One place that a thing may get. */
static void
check_place(struct rules *rules, struct str address, struct str place,
    struct span span)
{
	const struct policy *policy = rules->policy;
	struct planner *p = rules->p;
	struct str region;

	if (policy->ndata_centers > 0 && !is_listed(place,
	    policy->data_centers, policy->ndata_centers))
		SAY(rules, RULE_DATA_CENTERS, CHECK_FAIL, span, STR_FMT
		    " may not be in data center " STR_FMT, STR_ARG(address),
		    STR_ARG(place));
	if (policy->nregions == 0)
		return;
	if (!p->live->catalog_known) {
		p->plan->needs_catalog |= !p->live->from_lock;
		SAY(rules, RULE_REGIONS, CHECK_WARN, span, "the catalog was "
		    "not read, so the region of " STR_FMT " is not checked",
		    STR_ARG(place));
		return;
	}
	region = region_of(p->live, place);
	if (!is_listed(region, policy->regions, policy->nregions))
		SAY(rules, RULE_REGIONS, CHECK_FAIL, span, STR_FMT " may not "
		    "be in data center " STR_FMT ", whose region is " STR_FMT,
		    STR_ARG(address), STR_ARG(place), STR_ARG(region.len > 0 ?
		    region : STR("not known")));
}

/* Without data centers of its own it may get any of its regions, or all. */
static void
check_anywhere(struct rules *rules, struct str address,
    const struct pod_spec *pod)
{
	const struct policy *policy = rules->policy;

	if (policy->ndata_centers > 0)
		SAY(rules, RULE_DATA_CENTERS, CHECK_FAIL, pod->span, STR_FMT
		    " may be put into any data center%s; give it "
		    "`data_centers`", STR_ARG(address), pod->nregions > 0 ?
		    " of its regions" : "");
	if (policy->nregions > 0 && pod->nregions == 0)
		SAY(rules, RULE_REGIONS, CHECK_FAIL, pod->span, STR_FMT
		    " may be put into any region; give it `regions` or "
		    "`data_centers`", STR_ARG(address));
	for (size_t i = 0; policy->nregions > 0 && i < pod->nregions; i++)
		if (!is_listed(pod->regions[i], policy->regions,
		    policy->nregions))
			SAY(rules, RULE_REGIONS, CHECK_FAIL,
			    pod->at[POD_FIELD_REGIONS], STR_FMT " may not be "
			    "in region " STR_FMT, STR_ARG(address),
			    STR_ARG(pod->regions[i]));
}

static void
check_places(struct rules *rules, struct str address,
    const struct pod_spec *pod)
{
	const struct resource *volume = pod->volume.len == 0 ? NULL :
	    spec_find(rules->p->spec, address_format(rules->p->arena,
	    KIND_VOLUME, pod->volume, -1));

	/* A pod is where its volume is, and that is looked at by itself. */
	if (volume != NULL)
		return;
	for (size_t i = 0; i < pod->ndata_centers; i++)
		check_place(rules, address, pod->data_centers[i],
		    pod->at[POD_FIELD_DATA_CENTERS]);
	if (pod->ndata_centers == 0)
		check_anywhere(rules, address, pod);
}

/* ----------------------------------------------------------------- pods -- */

static void
check_cloud(struct rules *rules, struct str address,
    const struct pod_spec *pod)
{
	const struct policy *policy = rules->policy;
	bool secure = is_listed(STR("secure"), policy->clouds,
	    policy->nclouds);
	bool community = is_listed(STR("community"), policy->clouds,
	    policy->nclouds);

	if (policy->nclouds == 0 ||
	    ((secure || pod->tier == TIER_COMMUNITY) &&
	    (community || pod->tier == TIER_SECURE)))
		return;
	SAY(rules, RULE_CLOUDS, CHECK_FAIL, pod->at[POD_FIELD_CLOUD], STR_FMT
	    " may not be in the %s cloud", STR_ARG(address), secure ?
	    "community" : "secure");
}

static void
check_image(struct rules *rules, struct str address,
    const struct pod_spec *pod)
{
	const struct policy *policy = rules->policy;

	for (size_t i = 0; i < policy->nimages; i++)
		if (fits_pattern(policy->images[i], pod->image))
			return;
	if (policy->nimages > 0)
		SAY(rules, RULE_IMAGES, CHECK_FAIL,
		    pod->at[POD_FIELD_IMAGE], STR_FMT " may not use image '"
		    STR_FMT "'", STR_ARG(address), STR_ARG(pod->image));
}

static void
check_pod(struct rules *rules, const struct resource *want)
{
	const struct policy *policy = rules->policy;
	const struct pod_spec *pod = want->pod;
	struct str address = shared_address(rules, want);

	check_places(rules, address, pod);
	check_cloud(rules, address, pod);
	check_image(rules, address, pod);
	if (policy->require_lease && pod->lease_ms == 0)
		SAY(rules, RULE_LEASE, CHECK_FAIL, pod->span, STR_FMT
		    " needs a `lease`", STR_ARG(address));
	if (policy->require_protect && !pod->protect)
		SAY(rules, RULE_PROTECT, CHECK_FAIL,
		    pod->at[POD_FIELD_PROTECT], STR_FMT " needs "
		    "`protect: true`", STR_ARG(address));
}

static void
check_volume(struct rules *rules, const struct resource *want)
{
	const struct volume_spec *volume = want->volume;

	check_place(rules, want->address, volume->data_center,
	    volume->data_center_at);
	if (rules->policy->require_protect && !volume->protect)
		SAY(rules, RULE_PROTECT, CHECK_FAIL, volume->span, STR_FMT
		    " needs `protect: true`", STR_ARG(want->address));
}

/* -------------------------------------------------------------- tunnels -- */

/* 127.0.0.0/8, and no name that begins like it. */
static bool
is_loopback(struct str address)
{
	for (size_t i = 0; i < address.len; i++)
		if (address.data[i] != '.' && (address.data[i] < '0' ||
		    address.data[i] > '9'))
			return false;
	return str_starts(address, STR("127."));
}

/* Only what nobody else can reach; a name could be anything. */
static bool
is_private(struct str address)
{
	return str_starts(address, STR("/")) ||		/* a socket */
	    is_loopback(address) || str_is(address, "::1") ||
	    str_eq_fold(address, STR("localhost"));
}

static void
check_tunnel(struct rules *rules, const struct resource *want)
{
	const struct tunnel_spec *tunnel = want->tunnel;
	struct str listens = str_is(tunnel->direction, "remote") ?
	    tunnel->remote_host : tunnel->local_address;

	if (rules->policy->deny_public_tunnels && listens.len > 0 &&
	    !is_private(listens))
		SAY(rules, RULE_TUNNELS, CHECK_FAIL, tunnel->local_at, STR_FMT
		    " would listen on " STR_FMT ", where others can reach it; "
		    "127.0.0.1 is for this machine alone",
		    STR_ARG(shared_address(rules, want)), STR_ARG(listens));
}

/* --------------------------------------------------------------- prices -- */

static bool
starts_billing(const struct plan_change *change)
{
	return change->kind == KIND_POD && (change->op == PLAN_CREATE ||
	    change->op == PLAN_REPLACE || change->op == PLAN_START ||
	    change->start);
}

/* The dearest place that the plan could end up with. */
static void
check_pod_price(struct rules *rules, const struct plan_change *change)
{
	struct planner *p = rules->p;
	int64_t most = rules->policy->max_price_per_pod;
	int64_t worst = change->worst_per_hour > change->after_per_hour ?
	    change->worst_per_hour : change->after_per_hour;
	struct span span = change->want != NULL ?
	    change->want->span : change->span;

	if (most == 0 || !starts_billing(change))
		return;
	if (change->price_unknown)
		SAY(rules, RULE_POD_PRICE, p->plan->needs_catalog ||
		    p->live->from_lock ? CHECK_WARN : CHECK_FAIL, span,
		    "the price of " STR_FMT " is not known, and " STR_FMT
		    " per hour is the most", STR_ARG(change->address),
		    STR_ARG(format_rate(p->arena, most)));
	else if (worst > most)
		SAY(rules, RULE_POD_PRICE, CHECK_FAIL, span, STR_FMT
		    " may cost " STR_FMT " per hour, and " STR_FMT " is the "
		    "most; `max_price` of the pod leaves dearer places out",
		    STR_ARG(change->address), STR_ARG(format_rate(p->arena,
		    worst)), STR_ARG(format_rate(p->arena, most)));
}

/* What runs already is not refused: a plan that lowers the cost must be
 * possible. */
static void
check_running_price(struct rules *rules, const struct lock_entry *have)
{
	struct planner *p = rules->p;
	int64_t most = rules->policy->max_price_per_pod;
	const struct cloud_pod *pod = have->kind != KIND_POD || most == 0 ?
	    NULL : map_get(&p->pods, have->id);

	if (pod == NULL || !pod->cost_known || pod->cost_per_hour <= most ||
	    pod->status == POD_EXITED || pod->status == POD_TERMINATED)
		return;
	SAY(rules, RULE_POD_PRICE, CHECK_WARN, NO_SPAN, STR_FMT " costs "
	    STR_FMT " per hour already, and " STR_FMT " is the most",
	    STR_ARG(have->address), STR_ARG(format_rate(p->arena,
	    pod->cost_per_hour)), STR_ARG(format_rate(p->arena, most)));
}

static void
check_total(struct rules *rules)
{
	struct planner *p = rules->p;
	const struct plan_cost *cost = &p->plan->cost;
	int64_t most = rules->policy->max_price_total;
	int64_t worst = cost->worst_per_hour > cost->after_per_hour ?
	    cost->worst_per_hour : cost->after_per_hour;
	enum check_status over = rules->starts ? CHECK_FAIL : CHECK_WARN;

	if (most == 0)
		return;
	if (worst > most)
		SAY(rules, RULE_TOTAL_PRICE, over, rules->policy->at, "all of "
		    "it may cost " STR_FMT " per hour, and " STR_FMT " is the "
		    "most", STR_ARG(format_rate(p->arena, worst)),
		    STR_ARG(format_rate(p->arena, most)));
	else if (cost->unknown)
		SAY(rules, RULE_TOTAL_PRICE, p->plan->needs_catalog ||
		    p->live->from_lock ? CHECK_WARN : over, rules->policy->at,
		    "a price is not known, and " STR_FMT " per hour is the "
		    "most", STR_ARG(format_rate(p->arena, most)));
}

/* ------------------------------------------------------------------ all -- */

static unsigned
given_rules(const struct policy *policy)
{
	const bool given[RULE_COUNT] = {
		[RULE_POD_PRICE] = policy->max_price_per_pod > 0,
		[RULE_TOTAL_PRICE] = policy->max_price_total > 0,
		[RULE_CLOUDS] = policy->nclouds > 0,
		[RULE_DATA_CENTERS] = policy->ndata_centers > 0,
		[RULE_REGIONS] = policy->nregions > 0,
		[RULE_IMAGES] = policy->nimages > 0,
		[RULE_LEASE] = policy->require_lease,
		[RULE_PROTECT] = policy->require_protect,
		[RULE_TUNNELS] = policy->deny_public_tunnels,
	};
	unsigned bits = 0;

	for (int i = 0; i < RULE_COUNT; i++)
		bits |= given[i] ? 1u << i : 0;
	return bits;
}

static void
check_wanted(struct rules *rules)
{
	const struct spec *spec = rules->p->spec;
	const struct pod_spec *before = NULL;

	for (size_t i = 0; i < spec->nresources; i++) {
		const struct resource *want = &spec->resources[i];
		if (want->kind == KIND_POD && want->pod != before) {
			check_pod(rules, want);
			before = want->pod;
		} else if (want->kind == KIND_VOLUME)
			check_volume(rules, want);
		else if (want->kind == KIND_TUNNEL)
			check_tunnel(rules, want);
	}
}

void
policy_check(struct planner *p, const struct policy *policy, bool starts)
{
	struct rules rules = { .p = p, .policy = policy, .starts = starts };
	unsigned given = policy == NULL ? 0 : given_rules(policy);

	if (given == 0 || p->spec == NULL || p->options->mode != PLAN_NORMAL)
		return;
	check_wanted(&rules);
	for (size_t i = 0; i < p->plan->changes.n; i++)
		check_pod_price(&rules, &p->plan->changes.items[i]);
	for (size_t i = 0; i < p->lock->entries.n; i++)
		check_running_price(&rules, &p->lock->entries.items[i]);
	check_total(&rules);
	for (int i = 0; i < RULE_COUNT; i++)
		if ((given & ~rules.said) >> i & 1)
			check_add(p, rule_ids[i], CHECK_PASS, policy->at,
			    "nothing breaks it");
}
