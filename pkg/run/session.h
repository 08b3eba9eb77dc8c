/*
 * session.h - one command's dealings with lock, cloud and engine.
 *
 * Straight-line code over the seams: read the lock and the journal, ask the
 * cloud, reconcile, plan, run, commit.  cmd uses it with the real world,
 * the simulation with a simulated one; watch will use it in a loop.
 *
 *	session_open -> session_load -> session_plan -> session_apply
 *	                                      |
 *	                             (shown, confirmed by cmd)
 */
#ifndef RUN_SESSION_H
#define RUN_SESSION_H

#include "base/cloud.h"
#include "base/diag.h"
#include "base/seams.h"
#include "base/secret.h"
#include "lock/journal.h"
#include "lock/lock.h"
#include "lock/mutex.h"
#include "lock/store.h"
#include "plan/plan.h"
#include "run/run.h"
#include "spec/spec.h"

/* Exit codes (contract: docs/exit-codes.md is made from this table). */
enum exit_code {
	EXIT_OK = 0, EXIT_ERROR = 1, EXIT_DIFFERENT = 2, EXIT_USAGE = 3,
	EXIT_AUTH = 4, EXIT_LOCKED = 5, EXIT_STALE = 6, EXIT_CAPACITY = 7,
	EXIT_POLICY = 8, EXIT_UNDONE = 9, EXIT_LEFT = 10,
	EXIT_DECLINED = 11, EXIT_BALANCE = 12, EXIT_INTERRUPTED = 130,
	EXIT_TERMINATED = 143,
};
const char *exit_code_meaning(int code);

struct session_config {
	const struct world *world;
	const struct cloud *cloud;
	const struct github *github;	/* NULL: no runners can be had */
	const struct secret *key;	/* of the cloud, for hiding it where
					   an answer repeats it; or NULL */
	bool github_optional;		/* what GitHub does not tell is left
					   unknown, and is no error */
	struct str lock_path;		/* podform.lock */
	struct store_place store;	/* where the record lives; STORE_FILE: at
					   lock_path */
	struct str store_login;		/* etcd's; secret, or absent */
	bool any_record;		/* load also what an older run left in
					   doubt: to mend it */
	struct str work_dir;		/* .podform */
	uint32_t own_uid;
	struct str who;			/* user@host */
	struct str boot_id;
	int64_t pid;
	struct str operation;		/* "apply", for the mutex */
	struct str version;
	struct str run_url;		/* in CI */
	struct id128 lineage;		/* that a lock which is made now gets:
					   of a saved plan; "" makes one */
	int64_t lock_timeout_ms;
	bool holder_may_run;		/* a holder of tunnels was started here
					   once: it is asked for its list */
	/* Called for each note of the engine, and while ops are settled. */
	void (*note)(void *ctx, const struct run_note *note);
	void *note_ctx;
	/* Every change of the cloud passes here before it is sent; for the
	 * audit trail.  May be NULL. */
	void (*sent)(void *ctx, const struct cloud_request *request);
};

struct secret_value {
	struct str name;
	struct secret value;
	bool known;
};

struct session {
	struct session_config config;
	struct arena *arena;
	struct diags *diags;
	const struct spec *spec;
	struct lock *lock;
	struct live live;
	bool have_live;			/* live was fetched by this session */
	struct journal journal;
	struct mutex mutex;
	bool writing;			/* the mutex is held */
	bool record_lost;		/* see struct plan_options */
	struct store store;		/* unless the record is a file */
	bool store_failed;		/* it takes nothing: no more changes */
	bool store_owed;		/* something happened that it lacks */
	struct session_kept *kept, **kept_end;	/* events for later */
	bool lock_changed;		/* in memory, against the file; or a
					   commit was cut off before its end */
	uint64_t next_token;
	int64_t cloud_not_before_ms;	/* it has asked for this rest */
	int interrupted;		/* signals seen */
	int signal;			/* the last one */
	/* Secrets that were read, by name; values never leave memory. */
	struct secret_value *secrets;
	size_t nsecrets;
};

/*
 * All of these return EXIT_OK or the exit code to leave with, the reasons
 * being in diags.
 */

/* Prepare; nothing is read yet.  spec may be NULL (destroy, state ...). */
void session_open(struct session *session, struct arena *arena,
    const struct session_config *config, const struct spec *spec,
    struct diags *diags);

/* Take the mutex (waiting lock_timeout_ms at most): EXIT_LOCKED if held. */
int session_take_mutex(struct session *session);

/* Read lock and journal, bring them together in memory. */
int session_load(struct session *session);

/* Read the secrets that the spec declares; required: a missing one is an
 * error, else a warning. */
int session_read_secrets(struct session *session, bool required);

/*
 * Ask the cloud and make the plan: one listing; volumes, catalog and
 * account only when the plan turns out to need them.  refresh == false
 * plans from the lock alone.  Pods of ours that the listing lacks are asked
 * for one by one.
 */
struct session_plan_options {
	struct plan_options plan;
	bool refresh;
	bool account;			/* also when nothing costs */
};
int session_plan(struct session *session,
    const struct session_plan_options *options, const struct plan **plan);

/*
 * The same for an apply.  The first look takes nothing: an apply that finds
 * nothing to do costs one listing and writes nothing.  Otherwise the mutex is
 * taken, lock and journal are read again, ops that an earlier run left open
 * are settled (which may take settle_ms: the mark is looked for in three
 * complete listings), and the plan is made anew.  On EXIT_OK *plan is set;
 * the mutex is held unless there is nothing to do (session_has_work()).
 */
int session_plan_to_apply(struct session *session,
    const struct session_plan_options *options, int64_t settle_ms,
    const struct plan **plan);
/* Is there anything to send or to record? */
bool session_has_work(const struct session *session, const struct plan *plan);

/*
 * Carry the plan out: journal, run, commit.  The mutex must be held.
 * Returns the exit code of the run; *summary says what happened.
 */
int session_apply(struct session *session, const struct plan *plan,
    const struct run_options *options, const struct run_summary **summary);

/* Change the record only (import, forget, mv, unlock history): commit the
 * lock as it is in memory under the next serial. */
int session_commit(struct session *session, struct str command,
    struct str plan_id, struct str summary, int exit_code);

/*
 * For `podform state`.  session_move(): the record, loaded and held, lives
 * elsewhere from now on; what is there must be nothing.  session_commit()
 * then writes it.  session_unlock(): who works on the record in a store (id
 * absent), or end that hold; EXIT_LOCKED when its id is another.  *held: there
 * was one.
 */
int session_move(struct session *session, const struct store_place *to);
int session_unlock(struct session *session, struct str id,
    struct mutex_holder *holder, bool *held);

/* One request of the cloud, with retries for reads; for import, audit. */
int session_ask(struct session *session, const struct cloud_request *request,
    struct cloud_answer *answer);

void session_close(struct session *session);

/* One request of GitHub, with retries for what may be repeated. */
void session_ask_github(struct session *session,
    const struct github_request *request, struct github_answer *answer);

/* Inside pkg/run. */
int session_refresh_github(struct session *session);
int session_fetch_github(struct session *session);
int session_await_runners(struct session *session);
bool session_settle_runner(struct session *session, const struct lock_op *op,
    struct record *result);
int session_refresh(struct session *session, bool volumes);
int session_fetch_for(struct session *session, const struct plan *plan,
    bool account);
int session_settle(struct session *session, int64_t settle_ms);
/* An empty one says which lock its records build on before it has any. */
int session_begin_journal(struct session *session);
int session_reconcile(struct session *session);
bool session_resolve(void *session, struct arena *arena,
    struct str reference, struct str *value);
struct str session_secret(void *session, struct str name);
/* What somebody outside said, without secrets; in the arena. */
struct str session_hide(const struct session *session, struct str text);
/* Of all secrets that were read, and of the key; owned: redactor_free(). */
struct redactor *session_redactor(const struct session *session);
/* Wait until the monotonic clock reads until_ms; signals are counted. */
void session_sleep(struct session *session, int64_t until_ms);
void session_signal(struct session *session, int number);
/* What to leave with after a signal: EXIT_INTERRUPTED for SIGINT, else (also
 * for SIGHUP, which means the same) EXIT_TERMINATED. */
int session_signal_code(const struct session *session);
int64_t session_mono(const struct session *session);

#endif
