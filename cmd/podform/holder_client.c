/* holder_client.c - see holder_client.h */
#include "holder_client.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "holder_place.h"
#include "inside.h"
#include "lock/workdir.h"
#include "tunnel/talk.h"

enum {
	START_TIMEOUT_MS = 10 * SECOND_MS,	/* until a holder answers */
	AGAIN_MS = 20,
	START_AGAIN_MS = 500,	/* one that lost a race may be the last */
	QUICK_TIMEOUT_MS = 10 * SECOND_MS,	/* list, close, end */
	SLACK_MS = 10 * SECOND_MS,	/* beyond what the holder was given */
	LOST_MAX = 3,
};

struct talk {
	struct talk *next;
	uint64_t token;
	bool starts;		/* a holder, if there is none */
	struct strbuf out, in;
	size_t sent;
	int fd;
	int64_t begun_ms, again_ms, deadline_ms, timeout_ms;
	unsigned lost;
};

struct holder_client {
	struct app *app;
	int epoll;
	struct talk *talks;
	pid_t starter;		/* on its way, 0: none */
	int64_t started_ms;	/* -1: never */
};

/* ------------------------------------------------------------- starting -- */

static bool
stays(const char *variable)
{
	static const char *const gone[] = { "PODFORM_", "GITHUB_TOKEN",
		"GH_TOKEN" };

	if (strncmp(variable, "PODFORM_SSH_WORKER=", 19) == 0)
		return true;
	for (size_t i = 0; i < COUNTOF(gone); i++)
		if (strncmp(variable, gone[i], strlen(gone[i])) == 0)
			return false;
	return true;
}

/*
 * Its options are not ours (a directory to change to, above all).  What it
 * must know, RunPod's key, is in the environment and nowhere else.
 */
static char **
holder_environment(struct arena *arena)
{
	size_t n = 0, kept = 0;

	while (environ[n] != NULL)
		n++;
	char **list = ARENA_ARRAY(arena, char *, n + 1);
	for (size_t i = 0; i < n; i++)
		if (stays(environ[i]))
			list[kept++] = environ[i];
	return list;
}

static int
spawn(struct arena *arena, pid_t *pid)
{
	static const char *const argv[] = { "podform", "tunnel", "hold",
		NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	int error;

	sigemptyset(&none);
	sigfillset(&defaults);
	if (posix_spawn_file_actions_init(&files) != 0 ||
	    posix_spawnattr_init(&attr) != 0)
		fail_out_of_memory();
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, HOLDER_LOG, O_WRONLY |
	    O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY, 0600);
	posix_spawn_file_actions_adddup2(&files, 1, 2);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	error = posix_spawn(pid, "/proc/self/exe", &files, &attr,
	    (char *const *)argv, holder_environment(arena));
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -error;
}

/* What was started puts itself into the background and ends at once. */
static void
reap(struct holder_client *client, bool wait)
{
	if (client->starter > 0 && waitpid(client->starter, NULL,
	    wait ? 0 : WNOHANG) != 0)
		client->starter = 0;
}

static void
start(struct holder_client *client, int64_t now_ms)
{
	struct arena arena = {0};

	reap(client, false);
	if (client->starter > 0 || (client->started_ms >= 0 &&
	    now_ms - client->started_ms < START_AGAIN_MS))
		return;
	client->started_ms = now_ms;
	if (workdir_open(&client->app->fs, &arena, ".podform",
	    (uint32_t)geteuid(), &client->app->diags) &&
	    spawn(&arena, &client->starter) != 0)
		client->starter = 0;
	arena_release(&arena);
}

/* -------------------------------------------------------------- answers -- */

struct kept {
	struct strbuf text;	/* a line; empty: there is */
	struct str reason;	/* only this, a literal */
	bool nothing;		/* no holder, and that is fine */
};

static void
stranger(struct arena *arena, const struct talk_answer *said,
    struct holder_answer *answer)
{
	answer->ok = false;
	answer->reason = arena_printf(arena, "the holder of tunnels that runs "
	    "is of podform " STR_FMT ", which speaks protocol %lld and not "
	    "%d; `podform tunnel close --all` ends it",
	    STR_ARG(said->version), (long long)said->protocol,
	    TALK_PROTOCOL);
}

static void
copy_answer(void *ctx, struct arena *arena, struct world_event *out)
{
	const struct kept *kept = ctx;
	struct holder_answer *answer = ARENA_NEW(arena,
	    struct holder_answer);
	struct talk_answer said;
	struct str why;

	out->holder = answer;
	if (kept->text.len == 0) {
		answer->ok = kept->nothing;
		answer->reason = kept->reason;
	} else if (!talk_read_answer(arena, arena_str(arena,
	    strbuf_str(&kept->text)), &said, &why)) {
		answer->reason = arena_printf(arena, "the holder's answer "
		    "is none: " STR_FMT, STR_ARG(why));
	} else {
		*answer = said.answer;
		if (said.protocol != TALK_PROTOCOL && !said.ok)
			stranger(arena, &said, answer);
	}
}

static void
release_answer(void *ctx)
{
	struct kept *kept = ctx;

	strbuf_release(&kept->text);
	free(kept);
}

/*
 * A child that has been forked and not yet executed has the socket, too: then
 * closing ours leaves it in the epoll, whose next event would name a talk that
 * is freed.
 */
static void
disconnect(struct holder_client *client, struct talk *talk)
{
	if (talk->fd < 0)
		return;
	epoll_ctl(client->epoll, EPOLL_CTL_DEL, talk->fd, NULL);
	close(talk->fd);
	talk->fd = -1;
}

static void
drop(struct holder_client *client, struct talk *talk)
{
	struct talk **at = &client->talks;

	while (*at != talk)
		at = &(*at)->next;
	*at = talk->next;
	disconnect(client, talk);
	strbuf_release(&talk->out);
	strbuf_release(&talk->in);
	free(talk);
}

/* Takes the text of the talk where it is whole. */
static void
finish(struct holder_client *client, struct talk *talk, struct str reason,
    bool nothing)
{
	struct world_event event = { .type = WORLD_HOLDER,
		.token = talk->token };
	struct kept *kept = calloc(1, sizeof *kept);

	if (kept == NULL)
		fail_out_of_memory();
	kept->reason = reason;
	kept->nothing = nothing;
	if (reason.data == NULL && !nothing) {
		kept->text = talk->in;
		talk->in = (struct strbuf){0};
	}
	io_world_push(client->app->io, &event, copy_answer, release_answer,
	    kept);
	drop(client, talk);
}

/* ------------------------------------------------------------------ talk -- */

static int64_t
now_ms(const struct holder_client *client)
{
	return app_mono_ms(client->app);
}

static void
try_to_connect(struct holder_client *client, struct talk *talk)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT,
		.data.ptr = talk };
	int64_t now = now_ms(client);
	int fd = holder_connect();

	talk->again_ms = now + AGAIN_MS;
	if (fd >= 0 && !holder_peer_is_us(fd)) {
		close(fd);
		finish(client, talk, STR("the holder's socket is of another "
		    "user"), false);
		return;
	}
	if (fd >= 0) {
		talk->fd = fd;
		talk->sent = 0;
		talk->again_ms = -1;
		talk->deadline_ms = now + talk->timeout_ms;
		strbuf_reset(&talk->in);
		epoll_ctl(client->epoll, EPOLL_CTL_ADD, fd, &event);
		return;
	}
	if (!talk->starts && (fd == -ENOENT || fd == -ECONNREFUSED)) {
		finish(client, talk, (struct str){0}, true);
		return;
	}
	if (now - talk->begun_ms >= START_TIMEOUT_MS)
		finish(client, talk, talk->starts ? STR("the holder of "
		    "tunnels does not start; see " HOLDER_LOG) :
		    STR("the holder of tunnels does not answer"), false);
	else if (fd == -ENOENT || fd == -ECONNREFUSED)
		start(client, now);
}

/* It ended without a word: perhaps it was about to go when we came. */
static void
hung_up(struct holder_client *client, struct talk *talk)
{
	disconnect(client, talk);
	if (++talk->lost >= LOST_MAX) {
		finish(client, talk, STR("the holder of tunnels ended "
		    "without an answer; see " HOLDER_LOG), false);
		return;
	}
	talk->begun_ms = now_ms(client);
	talk->again_ms = talk->begun_ms + AGAIN_MS;
	talk->deadline_ms = -1;
}

static void
receive(struct holder_client *client, struct talk *talk)
{
	char bytes[16384];
	ssize_t n = recv(talk->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		hung_up(client, talk);
		return;
	}
	strbuf_add(&talk->in, (struct str){ bytes, (size_t)n });
	if (talk->in.failed)
		finish(client, talk, STR("the holder's answer is too long"),
		    false);
	else if (talk->in.data[talk->in.len - 1] == '\n')
		finish(client, talk, (struct str){0}, false);
}

static void
ready(struct holder_client *client, struct talk *talk, uint32_t events)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = talk };

	if (events & EPOLLOUT && talk->sent < talk->out.len) {
		ssize_t n = send(talk->fd, talk->out.data + talk->sent,
		    talk->out.len - talk->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			talk->sent += (size_t)n;
		if (talk->sent == talk->out.len)
			epoll_ctl(client->epoll, EPOLL_CTL_MOD, talk->fd,
			    &event);
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(client, talk);
}

/* ----------------------------------------------------------------- guest -- */

static int64_t
due_ms(const struct talk *talk)
{
	return talk->fd >= 0 ? talk->deadline_ms : talk->again_ms;
}

static int64_t
next_ms(void *ctx)
{
	const struct holder_client *client = ctx;
	int64_t next = -1;

	for (const struct talk *talk = client->talks; talk != NULL;
	     talk = talk->next)
		if (next < 0 || due_ms(talk) < next)
			next = due_ms(talk);
	return next;
}

static bool
tick(struct holder_client *client)
{
	int64_t now = now_ms(client);

	for (struct talk *talk = client->talks; talk != NULL;
	     talk = talk->next) {
		if (due_ms(talk) > now)
			continue;
		if (talk->fd >= 0)
			finish(client, talk, STR("the holder of tunnels "
			    "gives no answer"), false);
		else
			try_to_connect(client, talk);
		return true;
	}
	return false;
}

static void
turn(void *ctx)
{
	struct holder_client *client = ctx;
	struct epoll_event event;

	while (epoll_wait(client->epoll, &event, 1, 0) == 1)
		ready(client, event.data.ptr, event.events);
	while (tick(client))
		;
	reap(client, false);
}

static bool
cancel(void *ctx, uint64_t token)
{
	struct holder_client *client = ctx;

	for (struct talk *talk = client->talks; talk != NULL;
	     talk = talk->next) {
		if (talk->token != token)
			continue;
		drop(client, talk);
		return true;
	}
	return false;
}

/* The lineage is part of the name of the key's directory. */
static struct str
key_directory(struct app *app)
{
	struct id128 lineage = app->lineage;
	struct diags quiet = { .arena = &app->arena };
	struct str path = app->options->lock;
	struct lock *lock;

	if (path.len == 0)
		path = STR("podform.lock");
	if (app->session != NULL && app->session->lock != NULL)
		lineage = app->session->lock->lineage;
	if (lineage.hex[0] == '\0') {
		lock = lock_read(&app->arena, &app->fs,
		    arena_cstr(&app->arena, path), (uint32_t)geteuid(),
		    &app->sources, &quiet);
		if (lock != NULL)
			lineage = lock->lineage;
	}
	return inside_key_directory(app, &lineage);
}

static struct talk *
begin(struct holder_client *client, uint64_t token,
    const struct talk_request *request)
{
	struct talk *talk = calloc(1, sizeof *talk);

	if (talk == NULL)
		fail_out_of_memory();
	*talk = (struct talk){ .next = client->talks, .token = token,
		.fd = -1, .begun_ms = now_ms(client), .deadline_ms = -1,
		.again_ms = 0, .timeout_ms = QUICK_TIMEOUT_MS };
	talk->in.ceiling = TALK_ANSWER_MAX;
	if (!request->end && request->request.verb == HOLDER_OPEN) {
		talk->starts = true;
		talk->timeout_ms = request->request.timeout_ms + SLACK_MS;
	}
	talk_write_request(&talk->out, request);
	client->talks = talk;
	return talk;
}

/*
 * A world has one context, which is that of its loop; so who else is there
 * must be known here.
 */
static struct holder_client *the_client;

static void
start_holder(void *ctx, uint64_t token, const struct holder_request *request)
{
	struct talk_request talk = { .version = STR(PODFORM_VERSION),
		.request = *request };

	(void)ctx;
	if (request->verb == HOLDER_OPEN)
		talk.keys = key_directory(the_client->app);
	begin(the_client, token, &talk);
}

struct holder_client *
holder_client_new(struct app *app)
{
	struct holder_client *client = calloc(1, sizeof *client);

	if (client == NULL)
		fail_out_of_memory();
	client->app = app;
	client->started_ms = -1;
	client->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (client->epoll < 0)
		fail_out_of_descriptors();
	io_world_attach(app->io, &(struct io_guest){ .ctx = client,
		.fd = client->epoll, .turn = turn, .next_ms = next_ms,
		.cancel = cancel });
	app->world->start_holder = start_holder;
	the_client = client;
	return client;
}

void
holder_client_free(struct holder_client *client)
{
	if (client == NULL)
		return;
	while (client->talks != NULL)
		drop(client, client->talks);
	reap(client, true);
	close(client->epoll);
	free(client);
	the_client = NULL;
}

/* ------------------------------------------------------------- commands -- */

enum { COMMAND_TOKEN = 1 << 30 };	/* sessions count from 1 */

static struct holder_answer
wait_for_answer(struct app *app)
{
	struct world_event event;

	do
		app->world->wait(app->world->ctx, &app->arena, -1, &event);
	while (event.type != WORLD_HOLDER || event.token != COMMAND_TOKEN);
	return *event.holder;
}

bool
holder_ask(struct app *app, const struct holder_request *request,
    struct holder_answer *answer, struct str *why)
{
	app->world->start_holder(app->world->ctx, COMMAND_TOKEN, request);
	*answer = wait_for_answer(app);
	*why = answer->reason;
	return answer->ok;
}

/* Its answer is that it has closed all; it is gone when its socket is. */
bool
holder_end(struct app *app, struct str *why)
{
	struct talk_request talk = { .version = STR(PODFORM_VERSION),
		.end = true };
	struct holder_answer answer;

	begin(app->holder, COMMAND_TOKEN, &talk);
	answer = wait_for_answer(app);
	*why = answer.reason;
	return answer.ok;
}

bool
holder_list(struct app *app, struct tunnel_status **tunnels, size_t *n,
    struct str *why)
{
	struct holder_request request = { .verb = HOLDER_LIST };
	struct holder_answer answer;
	bool ok = holder_ask(app, &request, &answer, why);

	*tunnels = answer.tunnels;
	*n = answer.ntunnels;
	return ok;
}
