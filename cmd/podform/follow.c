/* follow.c - see follow.h */
#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { LOOK_MS = 200 };

/* -------------------------------------------------------------- the world -- */

static void
forward_http(void *ctx, uint64_t token, const struct http_request *request)
{
	struct follow *follow = ctx;
	follow->inner->start_http(follow->inner->ctx, token, request);
}

static void
forward_ssh(void *ctx, uint64_t token, const struct ssh_request *request)
{
	struct world *inner = ((struct follow *)ctx)->inner;
	inner->start_ssh(inner->ctx, token, request);
}

static void
forward_holder(void *ctx, uint64_t token,
    const struct holder_request *request)
{
	struct world *inner = ((struct follow *)ctx)->inner;
	inner->start_holder(inner->ctx, token, request);
}

static void
forward_fetch(void *ctx, uint64_t token, const struct fetch_request *request)
{
	struct world *inner = ((struct follow *)ctx)->inner;
	inner->start_fetch(inner->ctx, token, request);
}

static int
forward_listen(void *ctx, struct arena *arena, struct str address,
    uint16_t port, struct str *owner)
{
	struct world *inner = ((struct follow *)ctx)->inner;
	return inner->may_listen(inner->ctx, arena, address, port, owner);
}

static void
forward_banner(void *ctx, uint64_t token, struct str host, uint16_t port,
    int64_t timeout_ms)
{
	struct follow *follow = ctx;
	follow->inner->start_banner(follow->inner->ctx, token, host, port,
	    timeout_ms);
}

static void
forward_cancel(void *ctx, uint64_t token)
{
	struct follow *follow = ctx;
	follow->inner->cancel(follow->inner->ctx, token);
}

static struct str
forward_environment(void *ctx, const char *name)
{
	struct follow *follow = ctx;
	return follow->inner->environment(follow->inner->ctx, name);
}

static int
forward_command(void *ctx, struct arena *arena, const char *const *argv,
    int64_t timeout_ms, size_t limit, struct str *output)
{
	struct follow *follow = ctx;
	return follow->inner->run_command(follow->inner->ctx, arena, argv,
	    timeout_ms, limit, output);
}

static void
flush_progress(struct follow *follow)
{
	app_write(STDERR_FILENO, strbuf_str(&follow->progress_text));
	strbuf_reset(&follow->progress_text);
}

/* Wait as asked, but look up now and then to move the live area. */
static void
watchful_wait(void *ctx, struct arena *arena, int64_t deadline_ms,
    struct world_event *event)
{
	struct follow *follow = ctx;
	struct world *inner = follow->inner;
	bool live = follow->running && follow->progress.style.live;

	for (;;) {
		int64_t now = app_mono_ms(follow->app);
		int64_t until = deadline_ms;
		if (live && (until == -1 || until > now + LOOK_MS))
			until = now + LOOK_MS;
		inner->wait(inner->ctx, arena, until, event);
		if (!live)
			return;
		progress_tick(&follow->progress, app_mono_ms(follow->app));
		flush_progress(follow);
		if (event->type != WORLD_DEADLINE || until == deadline_ms)
			return;
	}
}

/* --------------------------------------------------------------- the sinks -- */

static void
flush_events(struct follow *follow)
{
	struct str text = strbuf_str(&follow->event_text);

	if (follow->events_out)
		app_write(STDOUT_FILENO, text);
	if (follow->events_fd >= 0)
		app_write(follow->events_fd, text);
	strbuf_reset(&follow->event_text);
}

static bool
wants_events(const struct follow *follow)
{
	return follow->events_out || follow->events_fd >= 0;
}

static void
on_note(void *ctx, const struct run_note *note)
{
	struct follow *follow = ctx;

	if (wants_events(follow)) {
		events_note(&follow->events, app_wall_ms(follow->app), note);
		flush_events(follow);
	}
	if (follow->app->options->quiet)
		return;
	progress_note(&follow->progress, note, app_mono_ms(follow->app));
	flush_progress(follow);
}

static bool
open_events(struct follow *follow)
{
	struct app *app = follow->app;
	struct str path = app->options->events;

	if (path.data == NULL)
		return true;
	follow->events_fd = open(arena_cstr(&app->arena, path), O_WRONLY |
	    O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
	if (follow->events_fd >= 0)
		return true;
	diag_errno(&app->diags, "PF0830", NO_SPAN, errno,
	    "cannot write events to '" STR_FMT "'", STR_ARG(path));
	return false;
}

bool
follow_init(struct follow *follow, struct app *app)
{
	struct style style = app->err_style;

	*follow = (struct follow){ .app = app, .events_fd = -1,
		.inner = app->world, .events_out = app_json(app) };
	follow->running = !app->options->quiet;
	follow->events = (struct events){ .out = &follow->event_text,
		.version = STR(PODFORM_VERSION) };
	/* A live area and JSON lines on one terminal would mix. */
	if (app_json(app) && app->out_facts.terminal)
		style.live = false;
	if (!open_events(follow))
		return false;
	progress_init(&follow->progress, style, 0, &follow->progress_text);
	follow->world = *app->world;
	follow->world.ctx = follow;
	follow->world.start_http = forward_http;
	follow->world.start_banner = forward_banner;
	if (follow->inner->start_ssh != NULL)
		follow->world.start_ssh = forward_ssh;
	if (follow->inner->start_holder != NULL)
		follow->world.start_holder = forward_holder;
	if (follow->inner->start_fetch != NULL)
		follow->world.start_fetch = forward_fetch;
	if (follow->inner->may_listen != NULL)
		follow->world.may_listen = forward_listen;
	follow->world.cancel = forward_cancel;
	follow->world.wait = watchful_wait;
	follow->world.environment = forward_environment;
	follow->world.run_command = forward_command;
	app->world = &follow->world;
	app->note = on_note;
	app->note_ctx = follow;
	if (wants_events(follow)) {
		events_version(&follow->events, app_wall_ms(app));
		flush_events(follow);
	}
	return true;
}

void
follow_release(struct follow *follow)
{
	if (follow->app == NULL)
		return;
	if (follow->inner != NULL)
		follow->app->world = follow->inner;
	follow->app->note = NULL;
	if (follow->events_fd >= 0)
		close(follow->events_fd);
	progress_release(&follow->progress);
	strbuf_release(&follow->progress_text);
	strbuf_release(&follow->event_text);
}

void
follow_plan(struct follow *follow, const struct plan *plan)
{
	progress_reset(&follow->progress);
	flush_progress(follow);
	if (!wants_events(follow))
		return;
	events_plan(&follow->events, app_wall_ms(follow->app), plan,
	    &follow->app->sources);
	flush_events(follow);
}

static size_t
count_actions(const struct plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->actions.n; i++)
		n += plan->actions.items[i].kind != ACTION_BARRIER;
	return n;
}

void
follow_start(struct follow *follow, const struct plan *plan)
{
	follow->progress.total = count_actions(plan);
	follow->started_ms = app_mono_ms(follow->app);
}

void
follow_stop(struct follow *follow)
{
	follow->running = false;
	progress_clear(&follow->progress);
	flush_progress(follow);
}

void
follow_tunnels(struct follow *follow, const struct tunnel_status *tunnels,
    size_t n)
{
	if (!wants_events(follow))
		return;
	for (size_t i = 0; i < n; i++)
		events_tunnel(&follow->events, app_wall_ms(follow->app),
		    &tunnels[i]);
	flush_events(follow);
}

void
follow_finish(struct follow *follow, const struct run_summary *summary,
    const struct plan *plan, int code)
{
	struct app *app = follow->app;
	int64_t now = app_wall_ms(app);

	if (!wants_events(follow))
		return;
	for (size_t i = 0; i < app->diags.list.n; i++)
		events_diag(&follow->events, now, &app->diags,
		    app->diags.list.items[i]);
	events_summary(&follow->events, now, summary, plan, code);
	flush_events(follow);
	if (follow->events_out)
		app->json_done = true;
}
