/* session.c - opening, locking, loading, committing; see session.h */
#include "run/session.h"

#include "run/session_store.h"

#include "base/plant.h"
#include "base/probe.h"
#include "base/units.h"
#include "lock/workdir.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const struct {
	int code;
	const char *meaning;
} exit_codes[] = {
	{ EXIT_OK, "done; or a plan was made" },
	{ EXIT_ERROR, "an error not named below; nothing was started, or it "
		      "finished as the message says" },
	{ EXIT_DIFFERENT, "success, and there is a difference (with "
			  "--detailed-exitcode, drift, audit, fmt --check)" },
	{ EXIT_USAGE, "bad usage, or the spec is invalid" },
	{ EXIT_AUTH, "authentication or permission" },
	{ EXIT_LOCKED, "the lock is held" },
	{ EXIT_STALE, "the plan is stale, expired, used, or for another "
		      "account" },
	{ EXIT_CAPACITY, "no capacity on any candidate" },
	{ EXIT_POLICY, "policy or budget gate" },
	{ EXIT_UNDONE, "apply failed; everything it started was undone" },
	{ EXIT_LEFT, "apply failed; something is left, billing or in an "
		     "unknown state; it is listed" },
	{ EXIT_DECLINED, "declined at the prompt, or no answer was possible" },
	{ EXIT_BALANCE, "balance or spend limit stops us" },
	{ EXIT_INTERRUPTED, "interrupted" },
	{ EXIT_TERMINATED, "terminated" },
};

const char *
exit_code_meaning(int code)
{
	for (size_t i = 0; i < COUNTOF(exit_codes); i++)
		if (exit_codes[i].code == code)
			return exit_codes[i].meaning;
	return NULL;
}

void
session_open(struct session *session, struct arena *arena,
    const struct session_config *config, const struct spec *spec,
    struct diags *diags)
{
	*session = (struct session){
		.config = *config,
		.arena = arena,
		.diags = diags,
		.spec = spec,
		.journal = { .fd = -1 },
		.mutex = { .fd = -1 },
		.next_token = (uint64_t)1 << 62,
	};
	session->kept_end = &session->kept;
}

static const char *
work_path(struct session *session, const char *name)
{
	return arena_printf(session->arena, STR_FMT "/%s",
	    STR_ARG(session->config.work_dir), name).data;
}

int64_t
session_mono(const struct session *session)
{
	const struct clock *clock = &session->config.world->clock;
	return clock->mono_ms(clock->ctx);
}

static int64_t
wall(const struct session *session)
{
	const struct clock *clock = &session->config.world->clock;
	return clock->wall_ms(clock->ctx);
}

void
session_signal(struct session *session, int number)
{
	session->interrupted++;
	session->signal = number;
}

int
session_signal_code(const struct session *session)
{
	enum { INT = 2 };		/* the number, as POSIX has it */
	return session->signal == INT ? EXIT_INTERRUPTED : EXIT_TERMINATED;
}

void
session_sleep(struct session *session, int64_t until_ms)
{
	int interrupted = session->interrupted;
	struct arena scratch = {0};
	while (session_mono(session) < until_ms &&
	    session->interrupted == interrupted) {
		struct world_event event;
		session_wait(session, &scratch, until_ms, &event);
		if (event.type == WORLD_SIGNAL)
			session_signal(session, event.signal);
		else if (event.type == WORLD_DEADLINE)
			break;
	}
	arena_release(&scratch);
}

/* -------------------------------------------------------------- mutex -- */

/* The kernel's lock keeps out others on this machine, the store's hold those
 * on other ones. */
static int
take_store(struct session *session, const struct mutex_holder *self)
{
	int code = session_is_remote(session) ?
	    session_store_take(session, self) : EXIT_OK;

	if (code == EXIT_OK)
		session->writing = true;
	else
		mutex_release(&session->mutex, &session->config.world->fs);
	return code;
}

int
session_take_mutex(struct session *session)
{
	enum { RETRY_MS = 250 };
	const struct session_config *config = &session->config;
	const struct fs *fs = &config->world->fs;
	const char *path = work_path(session, "mutex");
	struct id128 id = id128_random(&config->world->chance);
	struct mutex_holder self = {
		.id = str_sub(arena_str(session->arena, id128_str(&id)), 0, 12),
		.operation = config->operation,
		.who = config->who,
		.boot_id = config->boot_id,
		.run_url = config->run_url,
		.version = config->version,
		.created = format_time(session->arena, wall(session)),
		.pid = config->pid,
	};
	if (session->writing)
		return EXIT_OK;
	if (!workdir_open(fs, session->arena,
		arena_cstr(session->arena, config->work_dir),
		config->own_uid, session->diags))
		return EXIT_ERROR;
	if (PLANTED(33)) {
		session->writing = true;
		return EXIT_OK;
	}
	int64_t until = session_mono(session) + config->lock_timeout_ms;
	for (;;) {
		struct mutex_holder other;
		enum mutex_result result = mutex_take(&session->mutex,
		    session->arena, fs, path, &self, &other, session->diags);
		if (result == MUTEX_TAKEN)
			return take_store(session, &self);
		if (result == MUTEX_FAILED)
			return EXIT_ERROR;
		if (session_mono(session) >= until || session->interrupted > 0) {
			mutex_report(session->diags, &other, path);
			return session->interrupted > 0
			    ? session_signal_code(session)
			    : EXIT_LOCKED;
		}
		int64_t next = session_mono(session) + RETRY_MS;
		session_sleep(session, next < until ? next : until);
	}
}

/* --------------------------------------------------------------- load -- */

/*
 * The record is read again once the mutex is held.  What was there a moment
 * ago and is not any more is no empty record: a second fleet would be made.
 */
static bool
is_same_record(struct session *session, const struct lock *before)
{
	const struct str path = session->config.lock_path;

	if (before == NULL || !before->exists)
		return true;
	if (session->lock->exists && str_eq(id128_str(&before->lineage),
		id128_str(&session->lock->lineage)))
		return true;
	PROBE("lock_is_another_file");
	diag_error(session->diags, "PF0609", NO_SPAN, "lock file '" STR_FMT
	    "' %s since this run began", STR_ARG(path),
	    session->lock->exists ? "was replaced by one of another lineage"
				  : "was taken away");
	diag_hint(session->diags, "nothing was changed; put the file back ("
	    STR_FMT ".backup or git), then run podform again", STR_ARG(path));
	return false;
}

/* Lock file and journal, brought together. */
static bool
load_files(struct session *session, const struct lock *before)
{
	const struct session_config *config = &session->config;
	const struct fs *fs = &config->world->fs;
	const char *path = work_path(session, "journal");
	/* A holder's own journal comes first, so that what is read is what
	 * will be appended to. */
	if (session->writing && session->journal.fd == -1 &&
	    !journal_open(&session->journal, session->arena, fs, path,
		session->diags))
		return false;
	/* Who does not hold the mutex may read across a commit: then it is the
	 * journal of before and the lock of after, which tells how much of the
	 * journal it contains.  The other way round would lose it. */
	struct records records = {0};
	if (!journal_read(session->arena, fs, path, config->own_uid, &records,
		session->diags))
		return false;
	const char *lock_path = arena_cstr(session->arena, config->lock_path);
	session->lock = records.list.n > 0 ? lock_read_after_crash(
	    session->arena, fs, lock_path, config->own_uid, session->diags) :
	    lock_read(session->arena, fs, lock_path, config->own_uid, NULL,
	    session->diags);
	if (session->lock == NULL || !is_same_record(session, before))
		return false;
	/* Whoever holds the mutex has made a journal himself. */
	struct fs_info info;
	session->record_lost |= before == NULL && !session->writing &&
	    !session->lock->exists && records.list.n == 0 &&
	    fs->stat(fs->ctx, path, false, &info) != -ENOENT;
	session->lock_changed = false;
	if (!journal_fold(session->arena, session->lock, &records,
		&session->lock_changed, session->diags))
		return false;
	/* The file that is missing may have had the serial after this one. */
	if (session->lock->from_backup)
		session->lock->serial++;
	/* A commit empties the journal last: where it did not come to that,
	 * it may not have come to its last sync either. */
	session->lock_changed |= records.list.n > 0;
	return true;
}

int
session_load(struct session *session)
{
	const struct session_config *config = &session->config;
	const struct lock *before = session->lock;

	if (session_is_remote(session)) {
		session->lock = session_store_load(session);
		session->lock_changed = false;
		if (session->lock == NULL)
			return session_store_code(session);
		if (!is_same_record(session, before))
			return EXIT_ERROR;
	} else if (!load_files(session, before))
		return EXIT_ERROR;
	if (session->lock->lineage.hex[0] == '\0')
		session->lock->lineage = config->lineage.hex[0] != '\0' ?
		    config->lineage : id128_random(&config->world->chance);
	if (session->spec != NULL && session->lock->project.len == 0)
		session->lock->project = session->spec->project;
	lock_sort(session->lock);
	return EXIT_OK;
}

/* ------------------------------------------------------------- commit -- */

int
session_commit(struct session *session, struct str command,
    struct str plan_id, struct str summary, int exit_code)
{
	const struct session_config *config = &session->config;
	assert(session->writing);
	struct history_entry entry = {
		.wall_ms = wall(session),
		.who = config->who,
		.command = command,
		.plan_id = plan_id,
		.summary = summary,
		.exit_code = exit_code,
	};
	lock_add_history(session->arena, session->lock, &entry);
	lock_sort(session->lock);
	if (PLANTED(11) && session->lock->serial > 1 && str_starts(summary,
		STR("0 added, 0 changed, 0 destroyed, 0 started, 0 stopped")))
		session->lock->serial--;
	if (session_is_remote(session)) {
		lock_expire(session->lock, wall(session));
		if (!session_store_commit(session))
			return EXIT_ERROR;
	} else if (!journal_commit(&session->journal, &config->world->fs,
		&config->world->chance,
		arena_cstr(session->arena, config->lock_path), session->lock,
		wall(session), session->diags))
		return EXIT_ERROR;
	session->lock_changed = false;
	return EXIT_OK;
}

void
session_close(struct session *session)
{
	session_store_close(session);
	if (session->journal.fd != -1)
		journal_close(&session->journal);
	if (session->writing)
		mutex_release(&session->mutex, &session->config.world->fs);
	session->writing = false;
	for (size_t i = 0; i < session->nsecrets; i++)
		secret_release(&session->secrets[i].value);
	session->nsecrets = 0;
}
