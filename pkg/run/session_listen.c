/*
 * session_listen.c - runners that GitHub does not hear from are given time.
 *
 * A listener that begins again, updates itself, or lost its network for a
 * moment is offline and comes back.  Before an apply replaces such a runner
 * its pod is asked whether the listener is alive: if not, nothing will come
 * back; if it is, or nobody can tell, GitHub's listing is read again for a
 * while.
 */
#include "run/session.h"
#include "run/session_store.h"

#include "base/units.h"
#include "run/target.h"

enum {
	GRACE_MS = 2 * MINUTE_MS,
	POLL_MS = 5 * SECOND_MS,
	LOOK_MS = 20 * SECOND_MS,
};

/* A recorded runner that is offline and could come back. */
struct silent {
	const struct lock_entry *entry;
	const struct lock_entry *host;
	const struct cloud_pod *pod;
	const struct pod_spec *spec;
	uint64_t token;			/* of the look; 0: none is out */
	bool dead;			/* its pod has no listener */
};

struct silents { VEC_OF(struct silent) list; };

static const struct cloud_pod *
find_pod(const struct session *session, const struct lock_runner *runner)
{
	for (size_t i = 0; i < session->live.npods; i++) {
		const struct cloud_pod *pod = &session->live.pods[i];
		if (str_eq(pod->id, runner->pod_id) &&
		    pod->status == POD_RUNNING && pod->ssh.port != 0 &&
		    str_eq(pod->started_at, runner->pod_start))
			return pod;
	}
	return NULL;
}

static bool
is_offline(const struct session *session, const struct lock_entry *entry)
{
	struct github_scope own = { entry->runner.repository,
		entry->runner.organization };
	int64_t id;

	if (!parse_int(entry->id, 1, INT64_MAX, &id))
		return false;
	for (size_t i = 0; i < session->live.nscopes; i++) {
		const struct live_scope *scope = &session->live.scopes[i];
		if (!scope->known || !github_scope_eq(&own, &scope->scope))
			continue;
		for (size_t j = 0; j < scope->nrunners; j++)
			if (scope->runners[j].id == id)
				return !scope->runners[j].online &&
				    !scope->runners[j].busy;
	}
	return false;
}

/* Those that are wanted as they are, on a container that still runs. */
static void
find_silent(struct session *session, struct silents *silents)
{
	for (size_t i = 0; i < session->lock->entries.n; i++) {
		const struct lock_entry *entry =
		    &session->lock->entries.items[i];
		if (entry->kind != KIND_RUNNER || entry->tainted ||
		    !is_offline(session, entry) || session->spec == NULL ||
		    spec_find(session->spec, entry->address) == NULL)
			continue;
		struct silent silent = {
			.entry = entry,
			.host = lock_find_id(session->lock, KIND_POD,
			    entry->runner.pod_id),
			.pod = find_pod(session, &entry->runner),
		};
		if (silent.host == NULL || silent.pod == NULL)
			continue;
		silent.spec = target_spec(session->spec, silent.host);
		*ARENA_PUSH(session->arena, &silents->list) = silent;
	}
}

/* Without a pin nothing is sent: then nobody can tell. */
static void
start_look(struct session *session, struct silent *silent)
{
	const struct world *world = session->config.world;
	struct ssh_request request = {
		.task = SSH_RUNNER_LOOK,
		.name = STR("runner look"),
		.timeout_ms = LOOK_MS,
		.runner.name = silent->entry->runner.name,
	};
	struct str key = silent->spec != NULL ? silent->spec->ssh_key
					      : (struct str){0};

	if (world->start_ssh == NULL ||
	    !target_is_pinned(silent->host, silent->pod))
		return;
	target_make(session->arena, silent->host, silent->pod, silent->spec,
	    key, NULL, 0, &request.target);
	silent->token = session->next_token++;
	world->start_ssh(world->ctx, silent->token, &request);
}

/* All pods at once; a signal ends it. */
static void
look(struct session *session, struct silents *silents)
{
	const struct world *world = session->config.world;
	size_t out = 0;

	for (size_t i = 0; i < silents->list.n; i++) {
		start_look(session, &silents->list.items[i]);
		out += silents->list.items[i].token != 0;
	}
	while (out > 0 && session->interrupted == 0) {
		struct world_event event = {0};
		session_wait(session, session->arena, -1, &event);
		if (event.type == WORLD_SIGNAL)
			session_signal(session, event.signal);
		for (size_t i = 0; event.type == WORLD_SSH &&
		    i < silents->list.n; i++) {
			struct silent *silent = &silents->list.items[i];
			if (silent->token != event.token)
				continue;
			silent->token = 0;
			out--;
			silent->dead = event.ssh->outcome == SSH_DONE &&
			    event.ssh->status == 0 && !event.ssh->listener &&
			    !event.ssh->worker;
		}
	}
	for (size_t i = 0; i < silents->list.n; i++)
		if (silents->list.items[i].token != 0)
			world->cancel(world->ctx,
			    silents->list.items[i].token);
}

/* The first that may come back yet, or NULL. */
static const struct silent *
still_silent(const struct session *session, const struct silents *silents)
{
	for (size_t i = 0; i < silents->list.n; i++)
		if (!silents->list.items[i].dead &&
		    is_offline(session, silents->list.items[i].entry))
			return &silents->list.items[i];
	return NULL;
}

static void
say(struct session *session, const struct silent *silent)
{
	struct run_note note = {
		.type = NOTE_UNCLEAR,
		.action = SIZE_MAX,
		.address = silent->entry->address,
		.text = STR("GitHub does not hear from it; its listener is "
		    "given up to 2m to come back"),
	};

	if (session->config.note != NULL)
		session->config.note(session->config.note_ctx, &note);
}

int
session_await_runners(struct session *session)
{
	struct silents silents = {0};
	const struct silent *silent;
	int64_t until = session_mono(session) + GRACE_MS;
	int code = EXIT_OK;

	find_silent(session, &silents);
	if (silents.list.n == 0)
		return EXIT_OK;
	look(session, &silents);
	while (session->interrupted == 0 && code == EXIT_OK &&
	    session_mono(session) < until &&
	    (silent = still_silent(session, &silents)) != NULL) {
		say(session, silent);
		session_sleep(session, session_mono(session) + POLL_MS);
		if (session->interrupted == 0)
			code = session_refresh_github(session);
	}
	return session->interrupted > 0 ? session_signal_code(session) : code;
}
