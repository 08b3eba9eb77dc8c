/*
 * act.h - inside the engine: actions in progress.
 *
 * Private to pkg/run.  An act is a plan_action (or an undo of one) with what
 * has come of it so far.  Acts are never moved or freed while a run lives,
 * so pointers to them are stable.
 */
#ifndef RUN_ACT_H
#define RUN_ACT_H

#include "base/map.h"
#include "run/run.h"

/*
 *	WAITING ---> QUEUED ---> VERIFY ---> INTENT ---> SENT ---> RESULT --.
 *	 (others)    (slot,        |            |        | |  ^            |
 *	             backoff)      |            |        | |  `- CHECK     |
 *	                           |            |     RESOLVE              |
 *	                           |            |        |                 |
 *	   WATCH, PROBE ---------> FAILED <-----+--------+       DONE <----'
 */
enum phase {
	PH_WAITING,	/* for actions that come before it */
	PH_QUEUED,	/* for a free slot, or until not_before_ms */
	PH_VERIFY,	/* a GET: is it still there and ours? */
	PH_INTENT,	/* the intent is being journaled */
	PH_SENT,	/* the request is on its way */
	PH_CHECK,	/* a GET after an unclear answer, or after a delete */
	PH_RESOLVE,	/* an unclear create: listings decide */
	PH_WATCH,	/* listings decide: running, gone */
	PH_PROBE,	/* an SSH banner is awaited */
	PH_ASKED,	/* a pod, GitHub, the holder or a file was asked */
	PH_RUNNERS,	/* a listing of its scope's runners decides */
	PH_RESULT,	/* the result is being journaled */
	PH_DONE,
	PH_FAILED,
	PH_SKIPPED,
};

/* What follows once a result is on disk. */
enum next {
	NEXT_DONE,
	NEXT_RETRY,	/* at once: there is another candidate */
	NEXT_BACKOFF,	/* the same again, later, a few times */
	NEXT_FAIL,
};

/* A runner that this run registers. */
struct registration {
	struct id128 op;		/* chosen when its name is first needed */
	struct str name;
	struct str jit, token;		/* secrets; in memory alone */
	struct act *act;		/* that registered it */
	bool started;			/* something may listen on the pod */
};

/* What all actions of one change know of the thing itself. */
struct subject {
	struct str id;			/* made in this run; else absent */
	struct ssh_endpoint ssh;
	int64_t per_hour;
	/* Of a pod. */
	struct str start;		/* of its container, as last listed */
	int64_t wait_ms;		/* when it was first waited for; 0 */
	struct lock_inside inside;	/* of that container; see inside.c */
	bool inside_known;		/* what is recorded has been read */
	bool user_ran;			/* something of the user's has begun
					   to run in it */
	size_t checks;			/* that have succeeded */
	bool counted;			/* as changed, by the summary */
	struct registration runner;
	uint16_t tunnel_port;		/* where it listens here; 0 not yet */
};

struct act {
	size_t index;
	enum action_kind kind;
	const struct plan_change *change;
	struct subject *subject;
	struct act *undoes;		/* an undo: what it undoes */
	struct act *undone_by;
	bool undo;
	size_t component;

	enum phase phase;
	size_t waits;
	VEC_OF(struct act *) unblocks;

	uint64_t token;			/* of what it is waiting for */
	int64_t started_ms, phase_ms, deadline_ms, not_before_ms;
	int64_t ask_after_ms;		/* what was asked once is not asked
					   again before: a Retry-After */
	int64_t told_ms;		/* last progress note */
	size_t step;			/* of a check or a setup step */
	struct span span;		/* of the line that it carries out */
	bool started, holds_slot, listed;
	bool told;			/* it is in run->inside */
	bool effected;			/* it changed the cloud */
	unsigned retries;
	enum next next;
	enum run_failure failure;
	struct str reason;		/* of a failure; or what is waited for */
	struct str output;		/* of a failure: what it said last */
	struct str kept;		/* where all that it says is kept here */

	/* The op in progress. */
	struct id128 op;
	bool intended;			/* intent on disk, no result yet */
	bool unclear;			/* a change was sent, and answered by
					   nothing that says what it did */
	struct lock_entry entry;	/* what will be recorded */
	struct pod_config config;	/* as sent, secrets filled in */
	struct str mark;
	const struct env_var *keep;	/* of the live pod's environment */
	size_t nkeep;
	struct str id;			/* of the thing it changes */
	size_t candidate;
	struct str claimed;		/* an id that the answer to a create
					   gave, of a thing without our mark */
	struct str last_refusal;
	enum run_failure last_failure;

	/* Runners. */
	int stage;			/* of its own file's */
	bool in_scope;			/* it is in a scope_poll */
	int64_t number;			/* GitHub's; 0 unknown */
	struct str from;		/* local file of the package */
	struct act *ends;		/* of a backup: what ends the pod */

	/* Logging in. */
	struct str *pins;		/* that the log vouches for */
	size_t npins;
	bool looked;			/* the log has been read */
	unsigned tries;

	/* Settling. */
	int64_t wait_ms;		/* when waiting for listings began */
	int64_t ended_ms;		/* when the request ended, or when a
					   watched pod was last listed */
	int64_t timeless_ms;		/* from when on a pod need not say when it
					   has started; 0: was not asked yet */
	unsigned clean;			/* complete listings since, without it */
	struct str ended_how;		/* done in another way than its kind's
					   words say; else absent */
	bool settles;			/* its result is that of the op that
					   it undoes, with the id */
	bool seen;			/* a watched pod was listed at all */
	unsigned bad;			/* listings in a row that say it died */
	bool got_gone;			/* a GET said that it is gone */
	bool confirms;			/* nothing was sent: it was gone before */
};

enum { LIST_PODS = 0, LIST_VOLUMES = 1, LIST_COUNT = 2 };

struct listing_state {
	size_t watchers;		/* acts that wait for it */
	bool in_flight;
	uint64_t token;
	int64_t sent_ms;		/* when the one in flight was sent */
	int64_t next_ms;
	int64_t took_ms;
	unsigned failures, refused;	/* in a row */
};

/* One listing of a scope's runners serves all acts that wait for it. */
struct scope_poll {
	struct github_scope scope;
	VEC_OF(struct act *) acts;	/* in PH_RUNNERS, or were */
	bool in_flight;
	uint64_t token;
	int64_t sent_ms, next_ms;
	unsigned failures;		/* in a row */
};

struct run {
	struct arena *arena;
	const struct plan *plan;
	struct lock *lock;
	struct run_options options;
	int64_t now_ms, boot_ms, wall_ms, began_ms;
	bool began;

	VEC_OF(struct act *) acts;
	VEC_OF(struct act *) ready;	/* want a slot; FIFO from ready_at */
	size_t ready_at;
	VEC_OF(struct act *) ready_waits;	/* need none */
	VEC_OF(struct act *) ready_inside;	/* LIFO: what has begun goes
						   on, in the same session */
	size_t inside_in_flight;		/* acts in PH_ASKED */
	VEC_OF(struct act *) inside;		/* begun, for progress */
	VEC_OF(struct act *) delayed;
	VEC_OF(struct act *) watching;	/* PH_RESOLVE, PH_WATCH */
	size_t in_flight;
	size_t open;			/* acts not yet in a final phase */
	uint64_t moves;			/* changes of phase, of all acts */

	VEC_OF(struct run_effect) effects;	/* FIFO from effects_at */
	size_t effects_at;
	uint64_t counter;

	struct listing_state lists[LIST_COUNT];
	size_t listings;
	int64_t quota_interval_ms;	/* what the service's rate allows */

	VEC_OF(struct scope_poll *) scopes;
	bool runners_counted;
	struct map runners_on;		/* pod id -> it has a runner of ours */
	struct map busy_pods;		/* pod id -> act that left it alone */
	struct subject *change_subjects;	/* as plan_action.change */
	struct map subjects;		/* address -> subject; see env.c */
	struct map made;		/* op -> act, creates of this run */
	struct map doubles;		/* id -> act that ends it */
	int64_t billing;		/* micro-dollars per hour, with what is
					   being made */
	size_t ncomponents;
	bool *failed_component;		/* by component */
	bool *undone_component;
	size_t *busy_component;		/* acts neither waiting nor final */

	bool stopping;			/* a signal: start nothing new */
	bool abandoned;			/* a second one: leave now */
	bool disk_failed;
	bool unrecorded;		/* the lock could not be committed */
	enum run_failure fatal;		/* auth, balance: start nothing new */
	struct run_summary summary;
};

/* run.c */
void act_queue(struct run *run, struct act *act, int64_t delay_ms);
void act_phase(struct run *run, struct act *act, enum phase phase);
uint64_t act_token(struct run *run, struct act *act);
void act_request(struct run *run, struct act *act, enum phase phase,
    const struct cloud_request *request);
/* Ask for something that is answered in PH_ASKED; valid until the next
 * effect is added. */
struct run_effect *act_ask(struct run *run, struct act *act,
    enum run_effect_type type);
/* Forget what it was asking for. */
void act_cancel(struct run *run, struct act *act);
/* Journal what is so inside a pod; then the act is done. */
void act_fact(struct run *run, struct act *act, struct str pod_id,
    const struct lock_inside *inside);
/* Choose the id of a new op, by chance. */
void act_new_op(struct run *run, struct act *act);
/* Journal the intent of act->op with act->entry. */
void act_intent(struct run *run, struct act *act, enum op_action action);
void act_result(struct run *run, struct act *act, enum op_outcome outcome,
    enum next next, bool adopted);
void run_say(struct run *run, enum note_type type, const struct act *act,
    struct str text);
/* Progress that people should see at once. */
void run_say_news(struct run *run, const struct act *act, struct str text);
struct run_effect *run_effect_add(struct run *run, enum run_effect_type type);
struct act *act_add(struct run *run, enum action_kind kind,
    const struct plan_change *change, struct subject *subject);
void act_after(struct run *run, struct act *act, struct act *before);
bool phase_is_final(enum phase phase);
/* Is it still right to send what has been journaled? */
bool act_may_send(const struct run *run, const struct act *act);
struct str act_address(const struct act *act);

/* outcome.c */
void act_done(struct run *run, struct act *act);
void act_fail(struct run *run, struct act *act, enum run_failure failure,
    struct str reason);
void act_skip(struct run *run, struct act *act, const char *why);
/* Skip it for a reason that is not its own, and undo its part. */
void act_abandon(struct run *run, struct act *act, const char *why);
/* Try again after the next backoff, or fail with reason after five. */
void act_retry(struct run *run, struct act *act, int64_t retry_after_ms,
    enum run_failure failure, struct str reason);

/* A complete listing, as the acts look at it. */
struct listed {
	const struct cloud_answer *answer;
	struct map pods;		/* id -> struct cloud_pod */
	int64_t sent_ms;		/* when it was asked for */
};

/* env.c: fill references into a copy of act->config.env; false: failed. */
bool act_fill_env(struct run *run, struct act *act);
/* The value of a text now; false with a reason when it is not known. */
bool run_fill_text(struct run *run, const struct text *text,
    struct str *value, struct str *reason);

/* host.c: the pod that an act is about, or on. */
struct host {
	struct str address, id;
	struct ssh_endpoint ssh;	/* port 0: not reachable */
	struct str start;		/* of its container; may be absent */
	bool runs;			/* as far as is known */
	struct subject *subject;	/* of the pod's own change, or of its
					   own */
	const struct plan_change *change;	/* the pod's; NULL: none */
	const struct pod_spec *spec;	/* NULL: it is not wanted any more */
};
void act_host(struct run *run, const struct act *act, struct host *host);
/* Why nobody logs in to one of port 0, and the way out. */
struct str host_no_port(struct run *run, const struct host *host);
/* What has been done in the container that runs now; never NULL. */
struct lock_inside *host_inside(struct run *run, const struct host *host);
/* Ask for a task there; the login is filled in. */
struct ssh_request *host_ask(struct run *run, struct act *act,
    const struct host *host, enum ssh_task task, const char *name,
    int64_t timeout_ms);
/* The pod's environment as the spec has it, host->spec->nenv of them; false
 * with a reason when a value is not known. */
bool host_env(struct run *run, const struct host *host, struct env_var **env,
    struct str *reason);
/* The last line of an output that says something: its beginning, escaped. */
struct str last_words(struct run *run, struct str output);
/*
 * An answer of something that did not run to its end: true, and the act goes
 * on (again, later) or has failed.  False: it did.
 */
bool act_cut_off(struct run *run, struct act *act, const struct host *host,
    const struct ssh_answer *answer);
/* Fail for what happened inside, at the act's own line of the spec. */
void act_fail_inside(struct run *run, struct act *act, const char *what,
    const struct ssh_answer *answer);
/* Say what is waited for, at once when it changes. */
void act_waits_for(struct run *run, struct act *act, struct str what);

/* inside.c: login, checks, setup, process, backup */
void login_start(struct run *run, struct act *act);
void login_answer(struct run *run, struct act *act,
    const struct cloud_answer *answer);
void login_ssh(struct run *run, struct act *act,
    const struct ssh_answer *answer);
void check_start(struct run *run, struct act *act);
void check_ssh(struct run *run, struct act *act,
    const struct ssh_answer *answer);
void setup_start(struct run *run, struct act *act);
void setup_ssh(struct run *run, struct act *act,
    const struct ssh_answer *answer);
void process_start(struct run *run, struct act *act);
void process_ssh(struct run *run, struct act *act,
    const struct ssh_answer *answer);

/* create.c */
void create_start(struct run *run, struct act *act);
void create_journaled(struct run *run, struct act *act);
void create_answer(struct run *run, struct act *act,
    const struct cloud_answer *answer);
void create_listed(struct run *run, struct act *act,
    const struct listed *listed);

/* change.c: update, start, stop, delete */
void change_start(struct run *run, struct act *act);
void change_journaled(struct run *run, struct act *act);
void change_answer(struct run *run, struct act *act,
    const struct cloud_answer *answer);

/* scopes.c: listings of runners */
void scope_wait(struct run *run, struct act *act);
bool scope_answer(struct run *run, uint64_t token,
    const struct github_answer *answer);
void scope_pump(struct run *run);
int64_t scope_deadline(const struct run *run);
struct github_scope act_scope(const struct act *act);
/* By id, else by name; NULL: it is not listed. */
const struct github_runner *runner_listed(const struct act *act,
    const struct github_answer *answer, struct str name);

/* runner.c: install, register */
/* The pod that a runner is on; false: it cannot be reached, and act has
 * failed. */
bool act_reach(struct run *run, struct act *act, struct host *host);
void install_start(struct run *run, struct act *act);
void install_ssh(struct run *run, struct act *act,
    const struct ssh_answer *answer);
void install_fetched(struct run *run, struct act *act, bool ok,
    struct str reason);
void register_start(struct run *run, struct act *act);
void register_journaled(struct run *run, struct act *act);
void register_github(struct run *run, struct act *act,
    const struct github_answer *answer);
/* listen.c: start, online */
void listen_start(struct run *run, struct act *act);
void listen_ssh(struct run *run, struct act *act,
    const struct ssh_answer *answer);
void online_start(struct run *run, struct act *act);
void online_listed(struct run *run, struct act *act,
    const struct github_answer *answer);
void online_github(struct run *run, struct act *act,
    const struct github_answer *answer);
void online_ssh(struct run *run, struct act *act,
    const struct ssh_answer *answer);
struct github_request *github_ask(struct run *run, struct act *act,
    enum github_op op);

/* remove.c */
void remove_start(struct run *run, struct act *act);
void remove_journaled(struct run *run, struct act *act);
void remove_ssh(struct run *run, struct act *act,
    const struct ssh_answer *answer);
void remove_github(struct run *run, struct act *act,
    const struct github_answer *answer);
void remove_listed(struct run *run, struct act *act,
    const struct github_answer *answer);
/* May the pod be ended, for all that is known of its runners? */
bool runners_allow_end(struct run *run, struct str pod_id);

/* tunnel.c */
void open_start(struct run *run, struct act *act);
void open_holder(struct run *run, struct act *act,
    const struct holder_answer *answer);
void close_start(struct run *run, struct act *act);
void close_holder(struct run *run, struct act *act,
    const struct holder_answer *answer);

/* backup.c */
void backup_start(struct run *run, struct act *act);
void backup_ssh(struct run *run, struct act *act,
    const struct ssh_answer *answer);

/* wait.c: running, ssh, gone */
/* How long a pod may take; only one that is wanted is waited for. */
int64_t ready_timeout(const struct plan_change *pod);
void running_start(struct run *run, struct act *act);
void ssh_start(struct run *run, struct act *act);
void confirm_start(struct run *run, struct act *act);
void confirm_journaled(struct run *run, struct act *act);
void barrier_start(struct run *run, struct act *act);
void wait_answer(struct run *run, struct act *act,
    const struct cloud_answer *answer);
void wait_banner(struct run *run, struct act *act, bool ok,
    struct str reason);
void wait_time(struct run *run, struct act *act);
void gone_start(struct run *run, struct act *act);	/* after a delete */
void gone_answer(struct run *run, struct act *act,
    const struct cloud_answer *answer);
bool answer_says_gone(const struct cloud_answer *answer);
void running_listed(struct run *run, struct act *act,
    const struct listed *listed);
void gone_listed(struct run *run, struct act *act,
    const struct listed *listed);

/* listing.c */
void listing_pump(struct run *run);
void listing_answer(struct run *run, int which,
    const struct cloud_answer *answer);
int64_t listing_deadline(const struct run *run);
int act_list(const struct act *act);		/* which listing it needs */

/* undo.c */
/* What undoes it, an enum action_kind; -1: nothing can, or nothing needs to. */
int undo_inverse(const struct act *act);
void components_make(struct run *run);
void undo_pump(struct run *run);
void undo_double(struct run *run, struct act *made,
    const struct cloud_pod *pod);

/* summary.c */
void summary_make(struct run *run);

/* kinds.c */
struct action_row {
	const char *words;
	bool creates, waits, deletes, volume;
	bool registers;		/* its result has the id of a runner */
	bool inside;		/* asks pods, GitHub or the holder: holds no
				   slot, and may be cut off */
	void (*start)(struct run *run, struct act *act);
	void (*journaled)(struct run *run, struct act *act);
	void (*answer)(struct run *run, struct act *act,
	    const struct cloud_answer *answer);
	void (*listed)(struct run *run, struct act *act,
	    const struct listed *listed);
	/* Those that ask for it. */
	void (*ssh)(struct run *run, struct act *act,
	    const struct ssh_answer *answer);
	void (*github)(struct run *run, struct act *act,
	    const struct github_answer *answer);
	void (*holder)(struct run *run, struct act *act,
	    const struct holder_answer *answer);
	void (*fetched)(struct run *run, struct act *act, bool ok,
	    struct str reason);
	void (*runners)(struct run *run, struct act *act,
	    const struct github_answer *answer);
	int inverse;			/* enum action_kind, or -1 */
};
extern const struct action_row action_rows[ACTION_KIND_COUNT];

#endif
