/*
 * plan.h - what must change, and in which order.
 *
 * A plan is computed from values and nothing else: the spec (what is
 * desired), the lock (what we own and last applied) and the live picture
 * (what the cloud reports).  No clock, network or file is consulted, so the
 * same values always give the same plan, byte for byte.
 *
 * Spec against lock is what the user changed (edit); lock against live is
 * what somebody else changed (drift).  Both are told apart, attribute by
 * attribute.
 *
 * Lifetime: a plan lives in the arena given to plan_make() and borrows its
 * inputs, which must outlive it.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "base/cloud.h"
#include "base/github.h"
#include "base/tunnel.h"
#include "base/diag.h"
#include "lock/lock.h"
#include "spec/fields.h"
#include "spec/spec.h"

/* ------------------------------------------------------------- inputs -- */

/* What the cloud reported.  Lists are complete or not there at all. */
struct live {
	bool pods_known, volumes_known, catalog_known, account_known;
	bool from_lock;			/* --refresh=false: made of the lock */
	struct cloud_pod *pods;
	size_t npods;
	struct cloud_volume *volumes;
	size_t nvolumes;
	struct gpu_type *gpus;
	size_t ngpus;
	struct data_center *data_centers;
	size_t ndata_centers;
	struct account account;
	int64_t wall_ms;		/* as of */

	/* GitHub, by scope; only those of spec and lock. */
	struct live_scope *scopes;
	size_t nscopes;
	/* The holder of tunnels on this machine. */
	bool tunnels_known;
	struct tunnel_status *tunnels;
	size_t ntunnels;
};

/* When GitHub will refuse a version of the runner, RFC 3339; absent: no date
 * is set, or it does not say. */
struct runner_end {
	struct str version;
	struct str registration, runtime;
};

/* One repository or organization, as GitHub reports it. */
struct live_scope {
	struct github_scope scope;
	bool known;			/* a complete listing came */
	struct str why_unknown;		/* GitHub's words */
	struct str token_scopes;	/* of a classic token; else absent */
	struct github_runner *runners;
	size_t nrunners;
	bool packages_known;
	struct runner_package *packages;
	size_t npackages;
	VEC_OF(struct runner_end) ends;	/* of pinned versions */
	bool groups_known;
	struct github_group *groups;
	size_t ngroups;
	bool is_private, private_known;
};

enum plan_mode { PLAN_NORMAL, PLAN_DESTROY, PLAN_REFRESH_ONLY };

struct plan_options {
	enum plan_mode mode;
	const struct str *targets, *excludes, *replaces;	/* addresses;
				`pod.x` also means all of its replicas */
	size_t ntargets, nexcludes, nreplaces;
	int64_t wall_ms;		/* now, for ages and {date} */
	bool record_lost;		/* no lock file, but traces of an
					   earlier run in .podform */
	/* Today's value of a secret (absent: not known), for comparing with
	 * the live environment in memory; may be NULL. */
	struct str (*secret)(void *ctx, struct str name);
	void *secret_ctx;
	/* Local ends of tunnels that are taken by others: as may_listen() of
	 * base/seams.h; may be NULL. */
	int (*may_listen)(void *ctx, struct arena *arena, struct str address,
	    uint16_t port, struct str *owner);
	void *may_listen_ctx;
	const struct policy *policy;	/* rules beside those of the spec, for
					   PLAN_NORMAL; or NULL */
	bool limit_deletes;		/* refuse more than that many, as */
	int64_t max_deletes;		/* plan_summary.destroy counts them */
	bool no_tunnels;		/* --tunnels=false: they are left as
					   they are */
};

/* -------------------------------------------------------------- a plan -- */

enum plan_op {
	PLAN_NOOP,
	PLAN_CREATE,
	PLAN_UPDATE,		/* change in place (maybe with a restart) */
	PLAN_REPLACE,		/* a fixed field differs */
	PLAN_DELETE,
	PLAN_START,
	PLAN_STOP,
	PLAN_FORGET,		/* ours in the lock, gone in the cloud, and no
				   longer wanted: only the record changes.
				   ACTION_POD_CONFIRM_GONE comes first, unless
				   gone_proved */
};

/* Why: words of Terraform's action_reason, and ours. */
enum plan_reason {
	BECAUSE_NOTHING,
	BECAUSE_NEW,			/* not in the lock */
	BECAUSE_CANNOT_UPDATE,		/* replace_because_cannot_update */
	BECAUSE_LOST,			/* replace_because_lost: it is gone */
	BECAUSE_REQUESTED,		/* replace_by_request */
	BECAUSE_TAINTED,		/* replace_because_tainted */
	BECAUSE_NO_SPEC,		/* delete_because_no_resource_config */
	BECAUSE_REPLICAS,		/* delete_because_count_index */
	BECAUSE_DESTROY,		/* destroy was asked for */
	BECAUSE_ORPHAN,			/* delete_because_orphan: ours, but of
					   a dead op or a slot that is taken */
	BECAUSE_DEPOSED,		/* rest of a replacement */
	BECAUSE_EDIT,			/* the spec changed */
	BECAUSE_DRIFT,			/* update_because_drift */
	BECAUSE_DESIRED,		/* start_because_desired, stop_... */
	BECAUSE_RESTARTED,		/* update_because_restarted: its
					   container started anew, so what was
					   done inside is to be done again */
	BECAUSE_OFFLINE,		/* replace_because_offline: a runner
					   that GitHub does not hear from, a
					   tunnel that is not up */
	BECAUSE_POD,			/* replace_because_pod_changes: what it
					   lives on is replaced or reset */
};
const char *plan_reason_code(enum plan_reason reason, enum plan_op op);

/* One attribute that differs (or, of a create, that is set). */
struct plan_attr {
	struct str path;		/* "gpu.type", "env.MODE", "ports" */
	struct str before, after;	/* JSON text; absent: not there */
	bool sensitive;			/* show "(secret)" */
	bool unknown;			/* show "(known after apply)" */
	enum effect effect;
	bool forces_replacement;
	bool edit, drift;		/* spec != lock, lock != live */
	struct span span;		/* of the value in the spec, if any */
	const struct ack *ack;		/* of drift that is accepted; or NULL */
};

/* Where a pod may be made, in the order in which it is tried. */
struct candidate {
	struct str gpu, gpu_name;
	enum cloud_tier tier;		/* secure or community */
	struct str data_center;		/* absent: the cloud chooses */
	int64_t price_per_hour;		/* whole pod, micro-dollars;
					   -1 unknown */
	enum stock stock;
};

/* What is to be done inside a pod once it runs, in this order. */
struct plan_inside {
	bool login;		/* pin its host key: anything below, or what
				   others do on it, needs that */
	bool checks;
	size_t first_step;	/* setup from this step on; want->pod->nsetup:
				   none */
	bool process;		/* start it (again) */
	struct str *steps;	/* digests of all steps, nsetup of them */
	struct str process_digest;
};

struct plan_change {
	enum plan_op op;
	enum plan_reason reason;
	bool create_first;		/* of a replacement */
	bool start, stop;		/* of an update: and its state */
	bool restarts;			/* an update resets the container */
	bool orphan;			/* not in the lock: live only */
	enum kind kind;
	struct str address, name;
	int64_t key;			/* -1 none */
	const struct resource *want;	/* NULL when it is to go */
	const struct lock_entry *have;	/* NULL when not ours yet */
	const struct cloud_pod *pod;	/* live, or NULL */
	const struct cloud_volume *volume;
	bool gone;			/* have, but the cloud lacks it */
	bool gone_proved;		/* it was listed as TERMINATED */
	struct span span;		/* in the spec, of the deciding field */
	VEC_OF(struct plan_attr) attrs;
	size_t unchanged;		/* attributes not shown */
	/* What to ask for (create, replace) or to send (update); secrets and
	 * outputs are still references.  Name without the mark. */
	struct pod_config config;
	struct str name_pattern, gpu_name;
	unsigned changes;		/* enum pod_change, of an update */
	struct cloud_volume volume_config;
	VEC_OF(struct candidate) candidates;
	int64_t before_per_hour, after_per_hour, worst_per_hour;
	bool price_unknown;
	enum on_failure on_failure;
	struct plan_inside inside;	/* of a pod */
	/* Of a runner or tunnel: the pod that it is on, live (NULL: made by
	 * this plan), and the pod's own change or wait, as numbered in
	 * plan_action.change (SIZE_MAX: none). */
	const struct cloud_pod *host;
	size_t host_change;
	/* Of a runner. */
	const struct live_scope *scope;
	const struct github_runner *runner;	/* live, or NULL */
	struct runner_package package;	/* that will be installed */
	struct lock_runner runner_config;	/* as it will be recorded;
						   name, pod_id, pod_start are
						   known after apply */
	int64_t runner_group;		/* id of its group */
	/* Of a tunnel. */
	const struct tunnel_status *tunnel;	/* live, or NULL */
	struct tunnel_config tunnel_config;	/* pod_id: known after apply */
	/* Of a plan that was read from a file: what it said of these, in
	 * words.  It is for people; an apply plans anew. */
	struct str inside_words, runner_words;
	const char *undo;		/* "terminate", "start", "none" ... */
	VEC_OF(const char *) dangers;	/* "container_reset", "data_loss",
					   "gpu_not_guaranteed",
					   "double_billing" */
	VEC_OF(struct str) depends_on;	/* addresses */
};

/*
 * A record that should say something else though nothing of the cloud has to
 * change: pod.x became pod.x[0], protection was given or taken, the live
 * value is already the wanted one.  The run that executes the plan puts
 * `entry` in the place of `have`; a plan with nothing but these is empty.
 */
struct plan_keep {
	const struct lock_entry *have;
	const struct lock_entry *entry;
};

/* Somebody else changed it. */
struct plan_drift {
	struct str address;
	enum kind kind;
	const struct lock_entry *have;
	bool gone;			/* deleted outside of podform */
	bool stopped, started;		/* its state was changed */
	VEC_OF(struct plan_attr) attrs;	/* before: lock, after: live */
	const struct ack *ack;		/* accepted by somebody; or NULL */
	struct span span;		/* of the resource in the spec */
};

struct plan_unmanaged {
	enum kind kind;
	struct str id, name;
	int64_t per_hour;		/* -1 unknown */
	int64_t age_ms;			/* -1 unknown */
	bool suspect;			/* its marks disagree */
	bool other_lineage;		/* another podform project's */
};

enum check_status { CHECK_PASS, CHECK_WARN, CHECK_FAIL };
struct plan_check {
	const char *id;			/* "budget.hourly", "protect", "mark",
					   "max_price", "placement", "state",
					   "balance", "destroy", "gpu",
					   "in_use", "locked", "spend_limit",
					   "max_deletes", "policy.RULE" */
	enum check_status status;
	struct str message;
	struct span span;
};

/* A pending op that the live picture does not settle yet. */
struct plan_pending {
	const struct lock_op *op;
};

struct plan_cost {			/* micro-dollars */
	int64_t before_per_hour, after_per_hour, worst_per_hour;
	int64_t storage_per_hour;	/* after */
	bool unknown;			/* a price was missing */
	int64_t unmanaged_per_hour;
	size_t unmanaged_pods, unmanaged_volumes;
};

struct plan_summary { size_t add, change, destroy, start, stop, forget; };

/* -------------------------------------------------- the ordered graph -- */

enum action_kind {
	ACTION_VOLUME_CREATE,
	ACTION_VOLUME_UPDATE,
	ACTION_POD_CONFIRM_GONE,	/* settle that a vanished pod or volume is
				   gone */
	ACTION_POD_CREATE,
	ACTION_POD_UPDATE,
	ACTION_POD_START,
	ACTION_POD_RUNNING,		/* wait: container runs, ports mapped */
	ACTION_POD_SSH,			/* wait: an SSH banner answers */
	ACTION_POD_LOGIN,		/* pin its host key, log in */
	ACTION_POD_CHECK,		/* ready.checks[step], until it succeeds
					   or the pod's time is up */
	ACTION_POD_SETUP,		/* setup[step] */
	ACTION_POD_PROCESS,		/* start the supervised process */
	ACTION_POD_BACKUP,		/* backup.check, of an undo: does it say
					   that the pod may be ended? */
	ACTION_RUNNER_INSTALL,		/* the package is on the pod */
	ACTION_RUNNER_REGISTER,		/* journaled: GitHub knows it */
	ACTION_RUNNER_START,		/* its files are placed, it listens */
	ACTION_RUNNER_ONLINE,		/* wait: GitHub says so */
	ACTION_RUNNER_REMOVE,		/* drain, remove at GitHub, end it on
					   the pod; journaled */
	ACTION_TUNNEL_OPEN,
	ACTION_TUNNEL_CLOSE,
	ACTION_POD_STOP,
	ACTION_BARRIER,			/* all creations before all deletions */
	ACTION_POD_DELETE,
	ACTION_VOLUME_DELETE,
	ACTION_KIND_COUNT
};

struct plan_action {
	enum action_kind kind;
	size_t change;			/* index into changes and, behind them,
					   waits: see plan_action_change() */
	size_t step;			/* of a check or setup step */
	VEC_OF(size_t) after;		/* actions that must have succeeded */
};

struct plan {
	enum plan_mode mode;
	const struct spec *spec;
	const struct lock *lock;
	const struct live *live;
	VEC_OF(struct plan_change) changes;	/* by address; what is to be
						   done: never PLAN_NOOP */
	size_t noops;				/* things that stay as they
						   are */
	/* Of those, pods that were started and are not up yet, by an earlier
	 * run perhaps: nothing is sent, but a run waits until they are. */
	VEC_OF(struct plan_change) waits;
	VEC_OF(struct plan_keep) keeps;
	VEC_OF(struct plan_drift) drift;
	VEC_OF(struct plan_unmanaged) unmanaged;
	VEC_OF(struct plan_pending) pending;
	VEC_OF(struct plan_check) checks;
	VEC_OF(struct plan_action) actions;	/* a topological order */
	struct plan_cost cost;
	struct plan_summary summary;
	bool empty;			/* nothing to do and nothing pending */
	/*
	 * What was missing for a full plan: the caller fetches it and plans
	 * again.  A first pass with only pods known finds out.
	 */
	bool needs_catalog, needs_volumes, needs_account;
	bool needs_github;		/* a live_scope, or a part of one */
	bool needs_tunnels;
};

/*
 * Make the plan.  spec may be NULL for PLAN_DESTROY.  NULL is returned once
 * every reason why there is none has been reported (an unknown GPU, a spec
 * that uses what is not built yet).  Refusals of policy (budget, protect,
 * max_price) are failed checks of a plan that can still be shown.
 */
const struct plan *plan_make(struct arena *arena, const struct spec *spec,
    const struct lock *lock, const struct live *live,
    const struct plan_options *options, struct diags *diags);

/* What an action is about; NULL for the barrier. */
const struct plan_change *plan_action_change(const struct plan *plan,
    const struct plan_action *action);

/*
 * Results that the live picture proves, to be journaled before planning
 * (apply) or folded in memory (plan): pending ops whose mark is listed,
 * pods of ours that no record knows but the spec wants (journal lost),
 * deletes whose pod is gone.  live must hold a complete listing.
 */
struct records;
void plan_reconcile(struct arena *arena, const struct spec *spec,
    const struct lock *lock, const struct live *live, struct records *out);

/*
 * The picture that the lock alone gives, for planning without a service:
 * what we own is as it was last applied.  Catalog and account stay unknown.
 */
void live_from_lock(struct arena *arena, const struct lock *lock,
    int64_t wall_ms, struct live *out);

/* Digests for saved plans: "sha256:<hex>". */
struct str plan_digest(struct arena *arena, const struct plan *plan);
struct str live_digest(struct arena *arena, const struct plan *plan);
/* Hold a plan to options->max_deletes; plan_make() has done so. */
void plan_check_deletes(struct arena *arena, struct plan *plan,
    const struct plan_options *options);
bool plan_has_failed_check(const struct plan *plan);
bool plan_has_drift(const struct plan *plan);	/* unacknowledged */

/* ------------------------------------------------------ shared pieces -- */

/* Hourly price of storage, micro-dollars: network volume of size_gb. */
int64_t price_volume(int64_t size_gb, bool high_performance);
int64_t price_persistent_disk(int64_t size_gb, bool running);
/* "0.69", as texts name it; absent where it is not known. */
struct str price_text(struct arena *arena, int64_t per_hour);

#endif
