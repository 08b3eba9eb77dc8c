/* session_store.c - see session_store.h */
#include "run/session_store.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>

#include "base/json.h"
#include "base/probe.h"
#include "base/units.h"
#include "lock/text.h"

/* An event that came while the store was waited for. */
struct session_kept {
	struct session_kept *next;
	struct arena arena;		/* of its texts */
	struct world_event event;
};

bool
session_is_remote(const struct session *session)
{
	return session->config.store.kind != STORE_FILE;
}

/* ------------------------------------------------------------ waiting ---- */

static void
keep(struct session *session, struct arena *arena,
    const struct world_event *event)
{
	struct session_kept *kept =
	    ARENA_NEW(session->arena, struct session_kept);

	kept->arena = *arena;		/* moves */
	*arena = (struct arena){0};
	kept->event = *event;
	*session->kept_end = kept;
	session->kept_end = &kept->next;
}

/* Texts of the event live in its own arena, which the caller's takes over. */
static bool
hand_out(struct session *session, struct arena *arena,
    struct world_event *event)
{
	struct session_kept *kept = session->kept;

	if (kept == NULL)
		return false;
	session->kept = kept->next;
	if (session->kept == NULL)
		session->kept_end = &session->kept;
	*event = kept->event;
	arena_join(arena, &kept->arena);
	return true;
}

static void
exchange(void *ctx, struct arena *arena, const struct http_request *request,
    struct http_answer *answer)
{
	struct session *session = ctx;
	const struct world *world = session->config.world;
	uint64_t token = session->next_token++;

	world->start_http(world->ctx, token, request);
	for (;;) {
		struct arena own = {0};
		struct world_event event = {0};
		world->wait(world->ctx, &own, -1, &event);
		if (event.type == WORLD_HTTP && event.token == token) {
			*answer = event.http;
			arena_join(arena, &own);
			return;
		}
		if (event.type == WORLD_DEADLINE ||
		    event.type == WORLD_SUSPENDED)
			arena_release(&own);
		else
			keep(session, &own, &event);
	}
}

static bool
pause_for(void *ctx, int64_t ms)
{
	struct session *session = ctx;
	const struct world *world = session->config.world;
	int64_t until_ms = session_mono(session) + ms;

	for (const struct session_kept *kept = session->kept; kept != NULL;
	     kept = kept->next)
		if (kept->event.type == WORLD_SIGNAL)
			return false;
	while (session_mono(session) < until_ms) {
		struct arena own = {0};
		struct world_event event = {0};
		world->wait(world->ctx, &own, until_ms, &event);
		bool is_signal = event.type == WORLD_SIGNAL;
		if (event.type == WORLD_DEADLINE ||
		    event.type == WORLD_SUSPENDED)
			arena_release(&own);
		else
			keep(session, &own, &event);
		if (is_signal)
			return false;
	}
	return true;
}

/* When to wake up for the hold; caller_ms or sooner. */
static int64_t
renewal_ms(const struct session *session, int64_t caller_ms)
{
	const struct clock *clock = &session->config.world->clock;
	int64_t at_boot = store_renew_at(&session->store);

	if (at_boot == INT64_MAX)
		return caller_ms;
	int64_t at_ms = session_mono(session) + at_boot -
	    clock->boot_ms(clock->ctx);
	return caller_ms >= 0 && caller_ms < at_ms ? caller_ms : at_ms;
}

void
session_wait(struct session *session, struct arena *arena,
    int64_t deadline_ms, struct world_event *event)
{
	const struct world *world = session->config.world;
	const struct clock *clock = &world->clock;

	for (;;) {
		if (session->writing && session_is_remote(session) &&
		    clock->boot_ms(clock->ctx) >=
		    store_renew_at(&session->store) &&
		    store_renew(&session->store) != STORE_OK)
			session->store_failed = true;
		if (hand_out(session, arena, event))
			return;
		int64_t until_ms = session->writing && !session->store_failed ?
		    renewal_ms(session, deadline_ms) : deadline_ms;
		world->wait(world->ctx, arena, until_ms, event);
		if (event->type != WORLD_DEADLINE || (deadline_ms >= 0 &&
		    session_mono(session) >= deadline_ms))
			return;
	}
}

/* --------------------------------------------------------------- seen ---- */

/*
 * The newest record that this machine has seen: a store that shows an older
 * one was restored from a backup, or answers from a copy that lags behind.
 */
static const char *
seen_path(struct session *session)
{
	return arena_printf(session->arena, STR_FMT "/seen",
	    STR_ARG(session->config.work_dir)).data;
}

struct seen {
	struct str store, lineage;
	int64_t serial;
};

static bool
read_seen(struct session *session, struct seen *seen)
{
	const struct fs *fs = &session->config.world->fs;
	struct json_reader r = { .arena = session->arena, .where = "seen" };
	struct json_error error;
	struct json doc;
	struct str text;

	*seen = (struct seen){0};
	return fs_read_file(fs, session->arena, seen_path(session), 4 << 10,
		false, &text) >= 0 &&
	    json_parse(session->arena, text, (struct json_limits){0}, &doc,
		&error) &&
	    json_read_str(&r, json_root(&doc), "store", REQUIRED,
		&seen->store) &&
	    json_read_str(&r, json_root(&doc), "lineage", REQUIRED,
		&seen->lineage) &&
	    json_read_int(&r, json_root(&doc), "serial", REQUIRED, 0,
		INT64_MAX, &seen->serial);
}

/* Has this machine written there?  Then it knows what that store heeds. */
static bool
is_known(struct session *session)
{
	struct seen seen;

	return read_seen(session, &seen) &&
	    str_eq(seen.store, session->config.store.shown);
}

/* --------------------------------------------------------------- hold ---- */

static void
open_store(struct session *session)
{
	struct store_link link = {
		.ctx = session, .clock = &session->config.world->clock,
		.exchange = exchange, .sleep = pause_for,
	};

	if (session->store.driver != NULL)
		return;
	store_open(&session->store, session->arena, &session->config.store,
	    &link, session->diags);
	session->store.login = session->config.store_login;
}

int
session_store_code(const struct session *session)
{
	return session->store.denied ? EXIT_AUTH : EXIT_ERROR;
}

int
session_store_take(struct session *session, const struct mutex_holder *self)
{
	enum { LOOK_MS = 30 * SECOND_MS };
	int64_t until_ms = session_mono(session) +
	    session->config.lock_timeout_ms;
	struct mutex_holder other;

	open_store(session);
	for (;;) {
		enum store_result result = store_take(&session->store, self,
		    &other);
		if (result == STORE_OK)
			break;
		if (result != STORE_HELD)
			return session_store_code(session);
		int64_t left_ms = until_ms - session_mono(session);
		if (left_ms <= 0 || session->interrupted > 0) {
			mutex_report(session->diags, &other,
			    session->config.store.shown.data);
			return session->interrupted > 0 ?
			    session_signal_code(session) : EXIT_LOCKED;
		}
		PROBE("store_is_waited_for");
		store_await(&session->store, left_ms < LOOK_MS ? left_ms :
		    LOOK_MS);
		session_take_signals(session);
	}
	if (is_known(session) || store_probe(&session->store) == STORE_OK)
		return EXIT_OK;
	store_release(&session->store);
	return session_store_code(session);
}

void
session_take_signals(struct session *session)
{
	struct session_kept **at = &session->kept;

	while (*at != NULL) {
		struct session_kept *kept = *at;
		if (kept->event.type == WORLD_SIGNAL) {
			session_signal(session, kept->event.signal);
			*at = kept->next;
			continue;
		}
		at = &kept->next;
	}
	session->kept_end = at;
}

bool
session_store_may_send(struct session *session, int64_t timeout_ms)
{
	return !session_is_remote(session) ||
	    store_may_send(&session->store, timeout_ms);
}

void
session_store_close(struct session *session)
{
	if (session->store.driver != NULL)
		store_release(&session->store);
	while (session->kept != NULL) {
		struct arena last = {0};
		struct world_event event;
		hand_out(session, &last, &event);
		arena_release(&last);
	}
}

/* ------------------------------------------------------------- record ---- */

static void
note_seen(struct session *session)
{
	struct strbuf text = {0};
	struct json_writer w = { .out = &text };

	json_begin(&w, '{');
	json_member_str(&w, "store", session->config.store.shown);
	json_member_str(&w, "lineage", id128_str(&session->lock->lineage));
	json_member_int(&w, "serial", session->lock->serial);
	json_end(&w, '}');
	/* No harm if it fails: it is a second pair of eyes. */
	fs_replace_file(&session->config.world->fs,
	    &session->config.world->chance, seen_path(session),
	    strbuf_str(&text));
	strbuf_release(&text);
}

static bool
is_not_older(struct session *session, const struct lock *lock)
{
	struct seen seen;

	if (!read_seen(session, &seen))
		return true;
	if (lock->exists ? !str_eq(seen.lineage, id128_str(&lock->lineage)) ||
	    lock->serial >= seen.serial : seen.serial == 0)
		return true;
	PROBE("store_went_back");
	diag_error(session->diags, "PF0627", NO_SPAN, "the record in '" STR_FMT
	    "' is %s than this machine has seen (serial %lld, then %lld)",
	    STR_ARG(session->config.store.shown),
	    lock->exists ? "older" : "gone, which is older",
	    (long long)seen.serial, (long long)lock->serial);
	diag_hint(session->diags, "pods made since then would be unknown; put "
	    "the newest back (podform state push), or, if the older one is "
	    "right: rm %s", seen_path(session));
	return false;
}

struct str
session_recovery_path(struct session *session)
{
	return arena_printf(session->arena, STR_FMT ".errored",
	    STR_ARG(session->config.lock_path));
}

static bool
nothing_to_recover(struct session *session)
{
	const struct fs *fs = &session->config.world->fs;
	struct str path = session_recovery_path(session);
	struct fs_info info;

	if (fs->stat(fs->ctx, path.data, false, &info) != 0)
		return true;
	diag_error(session->diags, "PF0628", NO_SPAN, "'" STR_FMT "' is there: "
	    "what an earlier run did, and the store did not take",
	    STR_ARG(path));
	diag_hint(session->diags, "podform state push " STR_FMT ", then rm "
	    STR_FMT, STR_ARG(path), STR_ARG(path));
	return false;
}

struct lock *
session_store_load(struct session *session)
{
	struct arena *arena = session->arena;
	struct str text;
	struct lock *lock;

	open_store(session);
	bool any = session->config.any_record;
	if (!any && !nothing_to_recover(session))
		return NULL;
	switch (store_read(&session->store, &text)) {
	case STORE_OK:
		lock = text_read(arena, session->config.store.shown.data,
		    text, NULL, session->diags);
		break;
	case STORE_MISSING:
		lock = ARENA_NEW(arena, struct lock);
		lock->version = LOCK_VERSION;
		lock->arena = arena;
		break;
	default:
		return NULL;
	}
	if (lock == NULL || (!any && !is_not_older(session, lock)))
		return NULL;
	return lock;
}

static struct str
next_text(struct session *session, struct strbuf *out)
{
	char checksum[17];

	session->lock->serial++;
	text_write(out, session->lock, checksum);
	return strbuf_str(out);
}

bool
session_store_write(struct session *session)
{
	struct strbuf text = { .ceiling = LOCK_BYTES_MAX };
	bool ok = false;

	assert(session->writing);
	if (session->store_failed)
		return false;
	next_text(session, &text);
	if (text.failed)
		diag_error(session->diags, "PF0621", NO_SPAN, "the record would "
		    "be larger than %d bytes", LOCK_BYTES_MAX);
	else
		ok = store_write(&session->store, strbuf_str(&text)) ==
		    STORE_OK;
	strbuf_release(&text);
	if (ok) {
		session->lock->exists = true;
		session->store_owed = false;
		note_seen(session);
	}
	session->store_failed = !ok;
	return ok;
}

/* The outcome, where the store does not take it. */
static void
keep_outcome(struct session *session)
{
	struct str path = session_recovery_path(session);
	struct strbuf text = { .ceiling = LOCK_BYTES_MAX };
	const struct world *world = session->config.world;

	PROBE("store_outcome_is_kept");
	next_text(session, &text);
	int error = text.failed ? -EFBIG : fs_replace_file(&world->fs,
	    &world->chance, path.data, strbuf_str(&text));
	strbuf_release(&text);
	if (error < 0) {
		diag_errno(session->diags, "PF0629", NO_SPAN, -error, "the "
		    "store did not take what this run did, and it cannot be "
		    "written to '" STR_FMT "'", STR_ARG(path));
		return;
	}
	diag_error(session->diags, "PF0629", NO_SPAN, "the store did not take "
	    "what this run did; it is in '" STR_FMT "'", STR_ARG(path));
	diag_hint(session->diags, "when the store is there again: podform "
	    "state push " STR_FMT, STR_ARG(path));
}

bool
session_store_commit(struct session *session)
{
	/* What failed a minute ago may work now; but not who has lost his
	 * hold. */
	session->store_failed = false;
	if (session_store_write(session))
		return true;
	/* Nothing has come to pass that is not there. */
	if (session->store_owed)
		keep_outcome(session);
	return false;
}

/* -------------------------------------------------------------- state ---- */

static bool
is_free(struct session *session, const struct store_place *to)
{
	struct fs_info info;
	struct str text;

	if (to->kind == STORE_FILE) {
		const struct fs *fs = &session->config.world->fs;
		if (fs->stat(fs->ctx, to->file.data, false, &info) != 0)
			return true;
	} else {
		enum store_result result = store_read(&session->store, &text);
		if (result != STORE_OK)
			return result == STORE_MISSING;
	}
	diag_error(session->diags, "PF0631", NO_SPAN, "there is a record in '"
	    STR_FMT "' already", STR_ARG(to->shown));
	diag_hint(session->diags, "nothing was changed; move it away first, or "
	    "use podform state push");
	return false;
}

int
session_move(struct session *session, const struct store_place *to)
{
	assert(session->writing);
	session->config.store = *to;
	if (to->kind == STORE_FILE) {
		session->config.lock_path = to->file;
		session->lock->on_disk[0] = '\0';
	} else {
		int code = session_store_take(session, &session->mutex.holder);
		if (code != EXIT_OK)
			return code;
	}
	return is_free(session, to) ? EXIT_OK : EXIT_ERROR;
}

int
session_unlock(struct session *session, struct str id,
    struct mutex_holder *holder, bool *held)
{
	enum store_result result;

	open_store(session);
	result = id.len > 0 ? store_break(&session->store, id, holder) :
	    store_holder(&session->store, holder);
	*held = result == STORE_OK || result == STORE_CHANGED;
	switch (result) {
	case STORE_OK: case STORE_MISSING:
		return EXIT_OK;
	case STORE_CHANGED:
		return EXIT_LOCKED;
	default:
		return session_store_code(session);
	}
}
