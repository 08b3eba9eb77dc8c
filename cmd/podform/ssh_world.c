/* ssh_world.c - see ssh_world.h */
#include "ssh_world.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host_keys.h"
#include "inside.h"
#include "ssh_tasks.h"

struct ssh_world {
	struct app *app;
	struct ssh_keys *keys;
	struct ssh *ssh;
	char worker[PATH_MAX];
};

/* --------------------------------------------------------------- guest -- */

static void
turn(void *ctx)
{
	ssh_turn(((struct ssh_world *)ctx)->ssh);
}

static int64_t
next_ms(void *ctx)
{
	return ssh_next_ms(((struct ssh_world *)ctx)->ssh);
}

static void
suspended(void *ctx)
{
	ssh_suspended(((struct ssh_world *)ctx)->ssh);
}

static bool
cancel(void *ctx, uint64_t token)
{
	(void)ctx;
	return ssh_tasks_cancel(token);
}

static void
saw_host_key(void *ctx, const struct ssh_target *target, struct str blob,
    struct str fingerprint)
{
	struct ssh_world *world = ctx;

	(void)fingerprint;
	host_keys_remember(world->app, world->app->session != NULL ?
	    world->app->session->lock : NULL, target, blob);
}

static void
say(void *ctx, struct str line)
{
	app_trace(((struct ssh_world *)ctx)->app, line);
}

/* Beside our own program, unless PODFORM_SSH_WORKER says where. */
static void
find_worker(struct ssh_world *world)
{
	static const char name[] = "podform-ssh";
	const char *named = getenv("PODFORM_SSH_WORKER");
	size_t room = sizeof(world->worker) - sizeof(name);
	ssize_t n;

	if (named != NULL && *named != '\0' && strlen(named) < room) {
		memcpy(world->worker, named, strlen(named) + 1);
		return;
	}
	n = readlink("/proc/self/exe", world->worker, room);
	while (n > 0 && world->worker[n - 1] != '/')
		n--;
	memcpy(world->worker + (n > 0 ? n : 0), name, sizeof(name));
}

struct ssh_keys *
ssh_world_keys(struct app *app)
{
	struct ssh_world *world = app->ssh;
	const struct lock *lock = app->session->lock;

	if (world->keys == NULL)
		world->keys = ssh_keys_new(&(struct ssh_keys_config){
		    .fs = &app->fs, .chance = &app->chance,
		    .directory = inside_key_directory(app, &lock->lineage),
		    .comment = arena_printf(&app->arena, "podform " STR_FMT,
			STR_ARG(lock->project)),
		    .key_path = app_variable("SSH_KEY_PATH"),
		    .agent = app_variable("SSH_AUTH_SOCK"),
		    .may_ask = app->options->input &&
			style_may_ask(&app->err_facts) });
	return world->keys;
}

static bool
load_key(struct app *app, struct str path, struct span span)
{
	struct str why;

	if (ssh_keys_load(ssh_world_keys(app), path, &why))
		return true;
	diag_error(&app->diags, "PF0872", span, STR_FMT, STR_ARG(why));
	return false;
}

bool
ssh_world_load_keys(struct app *app, const struct pod_spec *want)
{
	if (want != NULL && want->ssh_key_path.len > 0 &&
	    !load_key(app, want->ssh_key_path, want->ssh_key_at))
		return false;
	return load_key(app, (struct str){0}, NO_SPAN);
}

bool
ssh_world_check_keys(struct app *app, const struct pod_spec *want)
{
	struct ssh_keys *keys = ssh_world_keys(app);
	struct str why, none = {0};
	bool named = want->ssh_key_path.len > 0;

	if (named && !ssh_keys_check(keys, want->ssh_key_path, false, &why)) {
		diag_error(&app->diags, "PF0872", want->ssh_key_at, STR_FMT,
		    STR_ARG(why));
		return false;
	}
	if (ssh_keys_check(keys, none, false, &why))
		return true;
	diag_error(&app->diags, "PF0872", NO_SPAN, STR_FMT, STR_ARG(why));
	diag_hint(&app->diags, "SSH_KEY_PATH names it");
	return false;
}

void
ssh_world_validate_keys(struct app *app, const struct spec *spec)
{
	struct ssh_keys *keys = ssh_keys_new(&(struct ssh_keys_config){
	    .fs = &app->fs, .chance = &app->chance });
	const struct pod_spec *seen = NULL;	/* replicas share theirs */
	struct fs_info info;
	struct str why;

	for (size_t i = 0; i < spec->nresources; i++) {
		const struct resource *want = &spec->resources[i];
		if (want->kind != KIND_POD || want->pod == seen ||
		    want->pod->ssh_key_path.len == 0)
			continue;
		seen = want->pod;
		if (app->fs.stat(app->fs.ctx, arena_cstr(&app->arena,
		    seen->ssh_key_path), true, &info) == -ENOENT)
			diag_warning(&app->diags, "PF0873", seen->ssh_key_at,
			    "there is no key '" STR_FMT "' on this machine",
			    STR_ARG(seen->ssh_key_path));
		else if (!ssh_keys_check(keys, seen->ssh_key_path, true, &why))
			diag_error(&app->diags, "PF0872", seen->ssh_key_at,
			    STR_FMT, STR_ARG(why));
	}
	ssh_keys_free(keys);
}

struct ssh *
ssh_world_ssh(struct app *app)
{
	struct ssh_world *world = app->ssh;
	struct io_guest guest = { .ctx = world, .turn = turn,
		.next_ms = next_ms, .cancel = cancel,
		.suspended = suspended };

	if (world->ssh != NULL)
		return world->ssh;
	find_worker(world);
	world->ssh = ssh_new(&(struct ssh_config){
	    .worker = world->worker, .clock = &app->clock,
	    .keys = ssh_world_keys(app),
	    .max_sessions = app->options->ssh_sessions > 0 ?
		(size_t)app->options->ssh_sessions : 0,
	    .host_key = saw_host_key,
	    .trace = app_traces(app) ? say : NULL,
	    .ctx = world });
	guest.fd = ssh_fd(world->ssh);
	io_world_attach(app->io, &guest);
	return world->ssh;
}

void
ssh_world_attach(struct app *app)
{
	struct ssh_world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		fail_out_of_memory();
	world->app = app;
	app->ssh = world;
}

/* Nothing is kept for an event that only wakes. */
static void
copy_nothing(void *ctx, struct arena *arena, struct world_event *out)
{
	(void)ctx;
	(void)arena;
	(void)out;
}

static void
release_nothing(void *ctx)
{
	(void)ctx;
}

void
ssh_world_wake(struct app *app, uint64_t token)
{
	struct world_event event = { .type = WORLD_SSH, .token = token };

	io_world_push(app->io, &event, copy_nothing, release_nothing, NULL);
}

void
ssh_world_free(struct app *app)
{
	struct ssh_world *world = app->ssh;

	if (world == NULL)
		return;
	if (world->ssh != NULL)
		ssh_free(world->ssh);
	if (world->keys != NULL)
		ssh_keys_free(world->keys);
	free(world);
	app->ssh = NULL;
}

/* --------------------------------------------------------------- words -- */

struct str
ssh_world_words(struct arena *arena, const struct ssh_answer *answer)
{
	static const char *const words[] = {
		[SSH_DONE] = "ended",
		[SSH_UNREACHABLE] = "cannot be reached",
		[SSH_DENIED] = "accepts none of our keys",
		[SSH_WRONG_HOST_KEY] = "was sent nothing",
		[SSH_UNUSABLE] = "cannot be used",
		[SSH_LOST] = "was lost on the way: nobody knows how it ended",
		[SSH_TIMED_OUT] = "took too long: nobody knows how it ended",
		[SSH_LOCAL] = "cannot be served by this machine",
	};
	const char *word = words[answer->outcome];

	return answer->reason.len == 0 ? str_from(word) :
	    arena_printf(arena, "%s: " STR_FMT, word,
	    STR_ARG(answer->reason));
}

void
ssh_world_hint(struct app *app, enum ssh_outcome outcome)
{
	if (outcome == SSH_WRONG_HOST_KEY)
		diag_hint(&app->diags, "somebody else may be answering there; "
		    "if its keys were changed by hand, restart the pod: each "
		    "start is pinned anew");
	if (outcome == SSH_DENIED)
		diag_hint(&app->diags, "a pod takes the keys that it was "
		    "created with; name one of them as ssh.key in the spec "
		    "or as SSH_KEY_PATH, or give it to your agent");
}
