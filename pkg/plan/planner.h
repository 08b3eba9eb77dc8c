/*
 * planner.h - inside pkg/plan: a plan while it is being made.
 *
 *	index    what is owned and listed, by address and by id
 *	select   which addresses this plan is about
 *	decide   each wanted thing, then what is left over     pod.c, volume.c,
 *	                                                       leftover.c
 *	judge    cost, budget, protection                      cost.c, check.c
 *	order    the graph of actions                          actions.c
 *
 * Nothing here outlives plan_make(); what it fills is the plan.
 */
#ifndef PLAN_PLANNER_H
#define PLAN_PLANNER_H

#include "base/map.h"
#include "plan/plan.h"

#define E_LATER			"PF0201"
#define E_UNKNOWN_TARGET	"PF0202"
#define E_UNKNOWN_GPU		"PF0203"
#define E_UNKNOWN_REGION	"PF0204"
#define W_UNKNOWN_PLACE		"PF0205"
#define E_VOLUME_SHRINKS	"PF0206"
#define E_VOLUME_MOVES		"PF0207"
#define E_VOLUME_REPLACE	"PF0208"
#define E_COPY_MISSING		"PF0209"
#define E_RUNNER_VERSION	"PF0210"
#define E_RUNNER_GROUP		"PF0211"
#define E_PORT_UNKNOWN		"PF0212"

struct planner {
	struct arena *arena;
	const struct spec *spec;	/* NULL: nothing is wanted */
	const struct lock *lock;
	const struct live *live;
	const struct plan_options *options;
	struct diags *diags;
	struct plan *plan;

	struct map entries;		/* address -> lock_entry, not deposed */
	struct map pods;		/* id -> cloud_pod */
	struct map volumes;		/* id -> cloud_volume */
	struct map pending;		/* op in hex -> lock_op */
	struct map entry_ids;		/* id -> lock_entry, pods; by_id only */
	bool by_id;
	struct map moved;		/* address -> enum outputs, as bits:
					   others after this plan */
	bool *want_done;		/* by index: decided about */
	bool *entry_done;		/* by index: has been decided about */
	bool *pod_done;			/* by index: known by an entry */
	bool *volume_done;
	struct map targeted, excluded, replaced;	/* addresses */
	struct map kept_volumes;	/* id -> struct str, who mounts it: pods
					   that stay whatever happens */

	struct map guests;		/* address of a pod -> resource that is
					   on it and needs a login: a runner */
	const struct pod_spec *files_told;	/* its missing files */
	const struct runner_spec *runner_told;	/* its missing version */
	const struct runner_spec *group_told;	/* its missing group */
	struct map pod_changes;		/* address -> plan_change, wanted pods */
	struct map ending;		/* pod id -> plan_change that ends,
					   stops or resets it */

	/* Replicas share where they may be made. */
	const struct pod_spec *placed;	/* the last one looked at */
	struct plan_change placement;	/* its candidates */
};

/* Which outputs of a thing will be others: those of its container, its name,
 * or all. */
enum outputs { OUTPUTS_SSH = 1, OUTPUTS_NAME = 2, OUTPUTS_ALL = 4 };
void outputs_move(struct planner *p, const struct resource *want,
    unsigned which);

/* ---------------------------------------------------------- index.c ---- */

void index_make(struct planner *p);
/* The entry of a wanted thing; pod.x and pod.x[0] are the same slot. */
const struct lock_entry *index_entry(const struct planner *p,
    const struct resource *want);
const struct resource *index_wanted(const struct planner *p,
    struct str address);
void index_done(struct planner *p, const struct lock_entry *have);
/* Live things by id; what is TERMINATED is not returned, but *proved. */
const struct cloud_pod *index_pod(struct planner *p, struct str id,
    bool *proved);
const struct cloud_volume *index_volume(struct planner *p, struct str id);
/* Whether the live pod of an entry still proves to be ours. */
enum mark_owner entry_owner(const struct planner *p,
    const struct lock_entry *have, const struct cloud_pod *pod);

/* --------------------------------------------------------- select.c ---- */

/* Read --target, --exclude and --replace; unknown ones are reported. */
void select_make(struct planner *p);
bool selected(const struct planner *p, struct str address);
bool replace_asked(const struct planner *p, struct str address);

/* ------------------------------------------------------ decide, each ---- */

void pod_decide(struct planner *p, const struct resource *want);
void volume_decide(struct planner *p, const struct resource *want);
void leftover_decide(struct planner *p);	/* entries nobody wants */
enum plan_reason leftover_reason(const struct planner *p,
    const struct lock_entry *have, const struct address *address);
/* runner.c, tunnel.c: once all pods are decided about. */
void runners_decide(struct planner *p);
void tunnels_decide(struct planner *p);
/*
 * offer.c: what GitHub offers to the wanted runner of a change whose scope is
 * known; what it has not told marks the plan with needs_github.
 */
void offer_package(struct planner *p, struct plan_change *change);
void offer_group(struct planner *p, struct plan_change *change);
/* Warn of a public repository. */
void offer_publicity(struct planner *p, const struct plan_change *change);
/* Warn of a token that may list runners and will not register any. */
void offer_permission(struct planner *p, const struct plan_change *change);
/* texts.c: what they name is known when they are sent, or is reported. */
void texts_check(struct planner *p);
/* Fill in plan_change.host_change, once changes are sorted. */
void hosts_link(struct planner *p);
void unlisted_decide(struct planner *p);	/* live, and in no entry */

struct plan_change *change_add(struct planner *p,
    const struct plan_change *change);
void keep_add(struct planner *p, const struct lock_entry *have,
    const struct lock_entry *entry);
struct plan_check *check_add(struct planner *p, const char *id,
    enum check_status status, struct span span, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void danger_add(struct planner *p, struct plan_change *change,
    const char *danger);
/* A pod stays: what it mounts cannot be deleted. */
void volume_is_kept(struct planner *p, const struct lock_entry *have,
    const struct cloud_pod *pod);
bool protected_thing(const struct resource *want,
    const struct lock_entry *have);

/* ----------------------------------------------------------- diff.c ---- */

/* A comparison of one pod: what is wanted, recorded and live. */
struct diff {
	struct planner *p;
	const struct resource *want;
	const struct pod_spec *spec;
	const struct lock_entry *have;
	const struct cloud_pod *pod;	/* NULL: live is not known */
	struct plan_change *change;	/* attrs, changes, restarts */
	struct plan_drift *drift;
	bool replaces;			/* a fixed field differs */
	bool edited;			/* something in the spec changed */
	bool agreed;			/* the record alone is behind */
	struct str volume_id;		/* wanted; absent: none, or later */
	bool volume_later;		/* its id is known after apply */
	struct str data_center;		/* of the wanted volume, if any */
	struct pod_config *target;	/* what will be true: filled in */
};

void diff_pod(struct diff *d);
void diff_env(struct diff *d);			/* env.c */
bool env_injected(struct str name);		/* by the service */
/* All that is set, as the attributes of a create: create.c. */
void diff_create(struct diff *d);
struct span field_span(const struct diff *d, enum pod_field field);
struct str place_wanted(struct diff *d);		/* JSON */

/* Is the live value of a field none of our business? */
bool drift_ignored(const struct pod_spec *spec, struct str path);

/*
 * One difference.  before and after are JSON; flags say which comparison
 * found it.
 */
struct difference {
	struct str path;
	enum pod_field field;
	struct span span;
	struct str recorded, live, wanted;	/* JSON; absent: not there */
	bool edit, drift;	/* wanted != recorded, recorded != live */
	bool differs;		/* wanted != live: something is to be done */
	bool sensitive, unknown;
};
/* The region of a data center, absent when the catalog does not tell. */
struct str region_of(const struct live *live, struct str data_center);
void diff_note(struct diff *d, const struct difference *found);

/* Who accepted that the path of a thing has this live value (JSON; absent:
 * it is not there), and has not taken it back by time; or NULL. */
const struct ack *ack_find(const struct planner *p, struct str address,
    struct str path, struct str live);

/* "12.10" is above "12.4": parts are numbers. */
int version_cmp(struct str a, struct str b);
struct str json_text_of(struct arena *arena, struct str text);
struct str json_int_of(struct arena *arena, int64_t number);
struct str json_gb_of(struct arena *arena, int64_t gb);
struct str json_choice_of(struct arena *arena, const struct str *items,
    size_t n);					/* one, or a list */
struct str json_list_of(struct arena *arena, const struct str *items,
    size_t n);

/* --------------------------------------------------------- inside.c ---- */

/* All that is to be done in a container that starts. */
void inside_all(struct planner *p, const struct resource *want,
    struct plan_inside *out);
/* What is to be done in the one that the record is about; false: nothing. */
bool inside_rest(struct planner *p, const struct resource *want,
    const struct lock_entry *have, struct plan_inside *out);
/* Is the container another than that of the record? */
bool inside_restarted(const struct lock_entry *have,
    const struct cloud_pod *pod);
/* Show change->inside as attributes; done: what the record says, or NULL. */
void inside_attrs(struct planner *p, struct plan_change *change,
    const struct lock_inside *done);
void inside_restart_attr(struct planner *p, struct plan_change *change);
void guests_make(struct planner *p);

/* --------------------------------------------------------- accept.c ---- */

/* Record what is live, for --refresh-only. */
void accept_pod(struct planner *p, const struct lock_entry *have,
    const struct cloud_pod *pod, bool stopped);
void accept_volume(struct planner *p, const struct lock_entry *have,
    const struct cloud_volume *volume);

/* --------------------------------------------------------- config.c ---- */

/* What the spec asks for; gpu and data_center stay open. */
void config_wanted(struct diff *d, struct pod_config *out);
struct str config_base_name(struct planner *p, const struct resource *want);
struct str config_name_of(const struct lock_entry *have);	/* no mark */
bool config_has_ssh(const struct pod_config *config);
const char *tier_word(enum cloud_tier tier);
bool gpu_matches(const struct pod_spec *spec, struct str id,
    struct str name);
/* The display name of a type, absent if the catalog does not say. */
struct str gpu_name_of(const struct live *live, struct str id);

/* ------------------------------------------------------------ the rest -- */

/* Why placement found nothing, for a check. */
struct placement {
	bool known;			/* the catalog was there */
	bool priced_out;		/* all were dearer than max_price */
	int64_t cheapest;		/* of those; -1 unknown */
};
/* Candidates of a pod, cheapest rules first; reports unknown GPUs. */
bool place_find(struct arena *arena, const struct pod_spec *pod,
    struct str volume_data_center, const struct live *live,
    struct plan_change *change, struct placement *placement,
    struct diags *diags);

/* What a thing costs now; adds to before, and to after unless it changes. */
int64_t cost_of_pod(const struct lock_entry *have,
    const struct cloud_pod *pod);	/* -1 unknown */
void cost_stays(struct planner *p, const struct lock_entry *have,
    const struct cloud_pod *pod);
void cost_volume(struct planner *p, const struct cloud_volume *volume);
void cost_disk(struct planner *p, const struct pod_config *config,
    bool running);
void cost_make(struct planner *p);	/* changes, then the totals */
void checks_make(struct planner *p);

/* --------------------------------------------------------- policy.c ---- */

/* Hold what is wanted to a policy (NULL: to none).  starts: the plan makes
 * something bill that did not. */
void policy_check(struct planner *p, const struct policy *policy,
    bool starts);
void actions_make(struct planner *p);

#endif
