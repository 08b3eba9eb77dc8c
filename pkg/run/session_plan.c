/*
 * session_plan.c - reconcile, settle, plan.
 */
#include "run/session.h"

#include <assert.h>

#include "base/units.h"
#include "run/session_store.h"

enum { SETTLE_MS = 60 * SECOND_MS, REQUEST_MS = 60 * SECOND_MS,
	SETTLE_POLL_MS = 5 * SECOND_MS, SETTLE_LISTINGS = 3 };

/* Apply what was found out to the lock in memory; by the holder also to the journal. */
static int
take_records(struct session *session, const struct records *records)
{
	if (records->list.n == 0)
		return EXIT_OK;
	if (session_begin_journal(session) != EXIT_OK ||
	    !session_keep_records(session, records->list.items,
		records->list.n, false))
		return EXIT_ERROR;
	lock_sort(session->lock);
	return EXIT_OK;
}

int
session_reconcile(struct session *session)
{
	struct records records = {0};
	plan_reconcile(session->arena, session->spec, session->lock,
	    &session->live, &records);
	return take_records(session, &records);
}

/* ------------------------------------------------------------- settling -- */

/*
 * Ops that only time can settle: a create whose mark is not listed, and a
 * delete whose thing is not.  Both may be a listing that lags.
 */
static bool
needs_time(const struct lock_op *op)
{
	if (op->entry.kind == KIND_RUNNER)
		return op->action == OP_CREATE;	/* GitHub says what is gone */
	return op->action == OP_CREATE || op->action == OP_DELETE;
}

/* What GitHub can tell about runners' ops that were cut off. */
static int
settle_runners(struct session *session)
{
	struct records records = {0};
	for (size_t i = 0; i < session->lock->pending.n; i++) {
		const struct lock_op *op = &session->lock->pending.items[i];
		struct record result;
		if (op->entry.kind == KIND_RUNNER &&
		    session_settle_runner(session, op, &result))
			*ARENA_PUSH(session->arena, &records.list) = result;
	}
	if (records.list.n == 0)
		return EXIT_OK;
	int code = take_records(session, &records);
	/* What it shows now is older than that. */
	return code == EXIT_OK ? session_refresh_github(session) : code;
}

static bool
has_open_op(const struct lock *lock)
{
	for (size_t i = 0; i < lock->pending.n; i++)
		if (needs_time(&lock->pending.items[i]))
			return true;
	return false;
}

static bool
has_open_volume(const struct lock *lock)
{
	for (size_t i = 0; i < lock->pending.n; i++)
		if (lock->pending.items[i].entry.kind == KIND_VOLUME)
			return true;
	return false;
}

/*
 * When the last open op has settled, on the monotonic clock.  Its
 * request ended with its process at the latest, and that process is dead:
 * we hold the mutex.  Within one boot the time that has passed since is
 * known and counts.
 */
static int64_t
settled_at(const struct session *session, int64_t settle_ms)
{
	const struct clock *clock = &session->config.world->clock;
	int64_t now = session_mono(session), boot = clock->boot_ms(clock->ctx);
	int64_t at = now;
	for (size_t i = 0; i < session->lock->pending.n; i++) {
		const struct lock_op *op = &session->lock->pending.items[i];
		if (!needs_time(op))
			continue;
		int64_t left = settle_ms;
		if (op->boot_id.len > 0 &&
		    str_eq(op->boot_id, session->config.boot_id) &&
		    boot - op->boot_ms > REQUEST_MS)
			left -= boot - op->boot_ms - REQUEST_MS;
		if (now + left > at)
			at = now + left;
	}
	return at;
}

static void
say_settling(struct session *session, int64_t left_ms)
{
	if (session->config.note == NULL)
		return;
	struct run_note note = {
		.type = NOTE_UNCLEAR,
		.action = SIZE_MAX,
		.text = arena_printf(session->arena,
		    "an earlier run was cut off; looking for what it may have "
		    "made or ended, at most " STR_FMT " more",
		    STR_ARG(format_duration(session->arena,
			(left_ms + SECOND_MS - 1) / SECOND_MS * SECOND_MS))),
	};
	/* One there is: it is what is waited for. */
	const struct lock_op *op = session->lock->pending.items;
	while (!needs_time(op))
		op++;
	note.address = op->address;
	session->config.note(session->config.note_ctx, &note);
}

/*
 * A pod with half of the mark of an open create: somebody renamed it or
 * edited its environment before we saw it.  To take it in could be wrong, to
 * make another one could be the second: a person has to say.
 */
static const struct cloud_pod *
find_half(const struct session *session, const struct lock_op *op)
{
	for (size_t i = 0; i < session->live.npods; i++) {
		const struct cloud_pod *pod = &session->live.pods[i];
		if (pod->status != POD_TERMINATED &&
		    mark_hints(pod->config.name, pod->mark, true,
			&session->lock->lineage, &op->op))
			return pod;
	}
	return NULL;
}

static int
report_halves(struct session *session)
{
	int code = EXIT_OK;
	for (size_t i = 0; i < session->lock->pending.n; i++) {
		const struct lock_op *op = &session->lock->pending.items[i];
		const struct cloud_pod *pod = op->action == OP_CREATE
		    ? find_half(session, op)
		    : NULL;
		if (pod == NULL)
			continue;
		diag_error(session->diags, "PF0505", NO_SPAN,
		    "pod " STR_FMT " ('" STR_FMT "') carries half of the mark "
		    "of an unfinished create of " STR_FMT,
		    STR_ARG(pod->id), STR_ARG(pod->config.name),
		    STR_ARG(op->address));
		diag_hint(session->diags, "if it is the one, rename it to '"
		    STR_FMT "' in the console and apply again; if it is not, "
		    "terminate it", STR_ARG(op->entry.pod.name));
		code = EXIT_POLICY;
	}
	return code;
}

/* Three listings and the time: what was to be made was not, and what was to
 * be ended is gone. */
static int
close_open_ops(struct session *session)
{
	const struct clock *clock = &session->config.world->clock;
	struct records records = {0};
	for (size_t i = 0; i < session->lock->pending.n; i++) {
		const struct lock_op *op = &session->lock->pending.items[i];
		if (!needs_time(op))
			continue;
		*ARENA_PUSH(session->arena, &records.list) = (struct record){
			.type = RECORD_RESULT,
			.op = { .op = op->op },
			.outcome =
			    op->action == OP_CREATE ? OP_NONE : OP_DONE,
			.price_per_hour = -1,
			.wall_ms = clock->wall_ms(clock->ctx),
		};
	}
	return take_records(session, &records);
}

int
session_settle(struct session *session, int64_t settle_ms)
{
	if (settle_ms == 0)
		settle_ms = SETTLE_MS;
	int64_t until = settled_at(session, settle_ms);
	int64_t pause = settle_ms / (SETTLE_LISTINGS + 1);
	int code = EXIT_OK;
	if (report_halves(session) != EXIT_OK)
		return EXIT_POLICY;
	code = settle_runners(session);
	if (code != EXIT_OK)
		return code;
	/* Looking before the time is up may find it sooner; that it is not
	 * there, only listings asked for afterwards can say. */
	for (int late = 0; has_open_op(session->lock);) {
		if (late >= SETTLE_LISTINGS)
			return close_open_ops(session);
		int64_t now = session_mono(session), most = SETTLE_POLL_MS;
		if (now >= until)
			most = SECOND_MS;
		int64_t next = now + (pause < most ? pause : most);
		if (now < until && next > until)
			next = until;
		say_settling(session, until > now ? until - now : 0);
		session_sleep(session, next);
		if (session->interrupted > 0)
			return session_signal_code(session);
		late += session_mono(session) >= until;
		code = session_refresh(session,
		    session->live.volumes_known ||
			has_open_volume(session->lock));
		if (code == EXIT_OK)
			code = session_reconcile(session);
		if (code == EXIT_OK)
			code = report_halves(session);
		if (code != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}

/* ------------------------------------------------------------- planning -- */

static bool
wants_volumes(const struct session *session)
{
	const struct lock *lock = session->lock;
	for (size_t i = 0; i < lock->entries.n; i++)
		if (lock->entries.items[i].kind == KIND_VOLUME)
			return true;
	if (session->spec == NULL)
		return has_open_volume(lock);
	for (size_t i = 0; i < session->spec->nresources; i++)
		if (session->spec->resources[i].kind == KIND_VOLUME)
			return true;
	return has_open_volume(lock);
}

/* Is something to be fetched for it?  What cannot be had (the account) or
 * will always be lacking something (GitHub) is asked for once. */
static bool
is_lacking(const struct session *session,
    const struct session_plan_options *options, const struct plan *draft,
    bool first)
{
	if (draft->needs_catalog || draft->needs_volumes)
		return true;
	return first && (draft->needs_github || ((draft->needs_account ||
	    options->account) && !session->live.account_known));
}

static int
decide(struct session *session, const struct session_plan_options *options,
    const struct plan **plan)
{
	struct plan_options plan_options = options->plan;
	if (plan_options.secret == NULL) {
		plan_options.secret = session_secret;
		plan_options.secret_ctx = session;
	}
	if (plan_options.may_listen == NULL) {
		plan_options.may_listen = session->config.world->may_listen;
		plan_options.may_listen_ctx = session->config.world->ctx;
	}
	plan_options.record_lost = session->record_lost;
	/* A draft finds out what else has to be known.  What it has to
	 * complain about is complained about by the last one, too. */
	struct diags quiet = { .arena = session->arena };
	const struct plan *draft = plan_make(session->arena, session->spec,
	    session->lock, &session->live, &plan_options, &quiet);
	*plan = NULL;
	for (bool first = true; draft != NULL && options->refresh &&
	    is_lacking(session, options, draft, first); first = false) {
		int code = session_fetch_for(session, draft, options->account);
		if (code == EXIT_OK && draft->needs_github)
			code = session_fetch_github(session);
		if (code != EXIT_OK)
			return code;
		quiet = (struct diags){ .arena = session->arena };
		draft = plan_make(session->arena, session->spec,
		    session->lock, &session->live, &plan_options, &quiet);
	}
	if (quiet.list.n == 0) {
		*plan = draft;
		return EXIT_OK;
	}
	*plan = plan_make(session->arena, session->spec, session->lock,
	    &session->live, &plan_options, session->diags);
	return *plan == NULL ? EXIT_USAGE : EXIT_OK;
}

int
session_plan(struct session *session,
    const struct session_plan_options *options, const struct plan **plan)
{
	int code = EXIT_OK;
	*plan = NULL;
	if (!options->refresh) {
		live_from_lock(session->arena, session->lock,
		    options->plan.wall_ms, &session->live);
		return decide(session, options, plan);
	}
	if (!session->have_live)
		code = session_refresh(session, wants_volumes(session));
	if (code == EXIT_OK)
		code = session_reconcile(session);
	if (code == EXIT_OK)
		code = decide(session, options, plan);
	return code;
}

bool
session_has_work(const struct session *session, const struct plan *plan)
{
	return !plan->empty || plan->keeps.n > 0 || plan->waits.n > 0 || session->lock_changed ||
	    session->lock->pending.n > 0;
}

int
session_plan_to_apply(struct session *session,
    const struct session_plan_options *options, int64_t settle_ms,
    const struct plan **plan)
{
	bool held = session->writing;
	int64_t serial = session->lock->serial;
	int code = session_plan(session, options, plan);
	if (code == EXIT_OK && !session_has_work(session, *plan))
		return EXIT_OK;
	if (code != EXIT_OK && !has_open_op(session->lock))
		return code;
	*plan = NULL;
	code = session_take_mutex(session);
	if (code == EXIT_OK && !held)
		code = session_load(session);
	/* Somebody else's apply came first, finished or cut off: its pods are
	 * not in our picture. */
	if (code == EXIT_OK && !held && (session->lock->serial != serial ||
		session->lock_changed))
		session->have_live = false;
	if (code == EXIT_OK && !session->have_live)
		code = session_refresh(session, wants_volumes(session));
	if (code == EXIT_OK)
		code = session_reconcile(session);
	if (code == EXIT_OK)
		code = session_settle(session, settle_ms);
	if (code == EXIT_OK && options->refresh &&
	    options->plan.mode == PLAN_NORMAL)
		code = session_await_runners(session);
	if (code == EXIT_OK)
		code = decide(session, options, plan);
	return code;
}
