/*
 * session_records.c - records of what is intended and done, made to last.
 *
 * Where the record is a file they go to the journal; in a store they are the
 * record itself.
 */
#include "run/session_store.h"

/* The journal of a holder begins with the lock that it builds on. */
int
session_begin_journal(struct session *session)
{
	if (!session->writing || session_is_remote(session) ||
	    session->journal.size > 0)
		return EXIT_OK;
	struct record begin = {
		.type = RECORD_BEGIN,
		.lineage = session->lock->lineage,
		.serial = session->lock->serial,
	};
	return journal_append(&session->journal, &begin, 1, session->diags)
	    ? EXIT_OK
	    : EXIT_ERROR;
}

static void
apply_record(struct session *session, const struct record *record)
{
	if (record->type == RECORD_INTENT)
		lock_apply_intent(session->arena, session->lock, record);
	else if (record->type == RECORD_RESULT)
		lock_apply_result(session->arena, session->lock, record);
	else if (record->type == RECORD_FACT)
		lock_apply_fact(session->lock, record);
}

static bool
journal_records(struct session *session, const struct record *records,
    size_t n, bool happened)
{
	bool ok = journal_append(&session->journal, records, n,
	    session->diags);

	for (size_t i = 0; i < n; i++)
		if (ok || (happened && records[i].type != RECORD_INTENT))
			apply_record(session, &records[i]);
	session->lock_changed |= ok || happened;
	return ok;
}

/* What is so inside a pod can be looked at again, and needs no request of its
 * own: it goes with the next one. */
static bool
are_facts(const struct record *records, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (records[i].type != RECORD_FACT)
			return false;
	return true;
}

/*
 * The record in the store is the lock with them.  An intent that it did not
 * take is not sent, so it had no effect; that is how it is taken back here,
 * in case the store has it nevertheless.
 */
static bool
store_records(struct session *session, const struct record *records,
    size_t n)
{
	for (size_t i = 0; i < n; i++)
		apply_record(session, &records[i]);
	if (are_facts(records, n)) {
		session->store_owed = session->lock_changed = true;
		return !session->store_failed;
	}
	bool ok = session_store_write(session);
	for (size_t i = 0; i < n && !ok; i++) {
		session->store_owed |= records[i].type != RECORD_INTENT;
		struct record none = { .type = RECORD_RESULT,
		    .op = records[i].op, .outcome = OP_NONE,
		    .wall_ms = records[i].wall_ms };
		if (records[i].type == RECORD_INTENT)
			apply_record(session, &none);
	}
	return ok;
}

bool
session_keep_records(struct session *session, const struct record *records,
    size_t n, bool happened)
{
	if (session->writing)
		return session_is_remote(session) ?
		    store_records(session, records, n) :
		    journal_records(session, records, n, happened);
	/* Who only looks keeps them in memory. */
	for (size_t i = 0; i < n; i++)
		apply_record(session, &records[i]);
	session->lock_changed = true;
	return true;
}
