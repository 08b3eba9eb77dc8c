/*
 * session_store.h - a session whose record lives in a store (lock/store.h);
 * private to pkg/run.
 *
 * The text in the store is the lock with its pending ops, so a write before
 * each change and after it is what the journal is elsewhere.  Writing waits
 * for the answer; what else comes meanwhile is kept for the next session_wait().
 */
#ifndef RUN_SESSION_STORE_H
#define RUN_SESSION_STORE_H

#include "run/session.h"

/* Does this session's record live in a store? */
bool session_is_remote(const struct session *session);

/*
 * Make records last, and the lock in memory follow.  False: an intent among
 * them may not be carried out.  happened: results among them hold in memory
 * also then, for the commit at the end may still save them.
 */
bool session_keep_records(struct session *session,
    const struct record *records, size_t n, bool happened);

/* Count the signals that came while the store was waited for. */
void session_take_signals(struct session *session);

/* As world->wait(); renews the hold meanwhile. */
void session_wait(struct session *session, struct arena *arena,
    int64_t deadline_ms, struct world_event *event);

/* session_take_mutex(), second half: EXIT_OK, EXIT_LOCKED, ... */
int session_store_take(struct session *session,
    const struct mutex_holder *self);
/* After the store has failed us: EXIT_AUTH or EXIT_ERROR. */
int session_store_code(const struct session *session);
/* The record as a lock, or NULL, reported. */
struct lock *session_store_load(struct session *session);
/* Write the lock as it is in memory under the next serial. */
bool session_store_write(struct session *session);
/* The same at the end of a command: what cannot be written there goes to a
 * file, which the next run insists on. */
bool session_store_commit(struct session *session);
/* May a change of the cloud be sent now? */
bool session_store_may_send(struct session *session, int64_t timeout_ms);
void session_store_close(struct session *session);

/* Beside the lock's usual place: what a store did not take. */
struct str session_recovery_path(struct session *session);

#endif
