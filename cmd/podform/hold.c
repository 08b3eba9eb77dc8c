/*
 * hold.c - the holder of tunnels as a process; see hold.h
 *
 * Started by holder_client.c in a session of its own, with RunPod's key in
 * its environment, its output in .podform/tunnels.log and no other
 * descriptor.  Who has the kernel's lock is the holder; another one that was
 * started at the same time ends, and its client finds this one.
 */
#include "hold.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"
#include "cloud/runpod/runpod.h"
#include "commands.h"
#include "hold_home.h"
#include "holder_client.h"
#include "holder_place.h"
#include "io/io_probe.h"

enum { LOG_MAX = 10 << 20, LOG_FILES = 5 };

struct held_listener {
	struct held_listener *next;
	uint32_t tunnel;
	struct io_listener listener;
	bool refusing;
};

/* A question to the cloud that is under way. */
struct held_ask {
	struct held_ask *next;
	uint64_t token;
	struct arena arena;
	struct cloud_request request;
};

struct hold {
	struct app *app;
	struct holder *holder;
	struct hold_door *door;
	struct hold_links *links;
	struct io_probes *probes;
	struct held_listener *listeners;
	struct held_ask *asks;
	int refusing;		/* epoll of the listeners that refuse */
	int64_t refuse_ms;	/* they rest until then; -1 */
	int lock;		/* file that says that it is we */
	int home;		/* inotify of that file; or -1 */
	bool draining, ended;
};

static void do_effects(struct hold *hold);

/* ------------------------------------------------------------------- log -- */

/* tunnels.log.1 is the last but one, .4 the oldest. */
static void
turn_log_over(void)
{
	char from[64], to[64];
	int fd;

	for (int i = LOG_FILES - 1; i > 0; i--) {
		snprintf(to, sizeof to, HOLDER_LOG ".%d", i);
		if (i == 1)
			snprintf(from, sizeof from, HOLDER_LOG);
		else
			snprintf(from, sizeof from, HOLDER_LOG ".%d", i - 1);
		rename(from, to);
	}
	fd = open(HOLDER_LOG, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW |
	    O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return;
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

void
hold_say(struct hold *hold, const char *format, ...)
{
	struct strbuf text = {0}, line = {0};
	struct arena arena = {0};
	struct stat info;
	va_list args;

	va_start(args, format);
	strbuf_vaddf(&text, format, args);
	va_end(args);
	strbuf_add(&line, format_time(&arena, app_wall_ms(hold->app)));
	strbuf_addc(&line, ' ');
	strbuf_add_escaped(&line, strbuf_str(&text));
	strbuf_addc(&line, '\n');
	if (fstat(STDERR_FILENO, &info) == 0 && S_ISREG(info.st_mode) &&
	    info.st_size > LOG_MAX)
		turn_log_over();
	app_write(STDERR_FILENO, strbuf_str(&line));
	strbuf_release(&text);
	strbuf_release(&line);
	arena_release(&arena);
}

/* ------------------------------------------------------------- listeners -- */

static struct held_listener *
find_listener(const struct hold *hold, uint32_t tunnel)
{
	struct held_listener *held = hold->listeners;

	while (held != NULL && held->tunnel != tunnel)
		held = held->next;
	return held;
}

static void
set_refusing(struct hold *hold, uint32_t tunnel, bool refuse)
{
	struct held_listener *held = find_listener(hold, tunnel);
	struct epoll_event event = { .events = EPOLLIN };

	if (held == NULL || held->refusing == refuse)
		return;
	held->refusing = refuse;
	event.data.fd = held->listener.fd;
	epoll_ctl(hold->refusing, refuse ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
	    held->listener.fd, &event);
}

static void
close_listener(struct hold *hold, uint32_t tunnel)
{
	struct held_listener **at = &hold->listeners, *held;

	while (*at != NULL && (*at)->tunnel != tunnel)
		at = &(*at)->next;
	held = *at;
	if (held == NULL)
		return;
	set_refusing(hold, tunnel, false);
	*at = held->next;
	io_listen_close(&held->listener);
	free(held);
}

static void
open_listener(struct hold *hold, const struct holder_effect *effect)
{
	struct held_listener *held = calloc(1, sizeof *held);
	struct arena arena = {0};
	struct holder_event event = { .type = HOLDER_ON_LISTEN,
		.tunnel = effect->tunnel };

	if (held == NULL)
		fail_out_of_memory();
	held->tunnel = effect->tunnel;
	if (io_listen_open(&arena, effect->config.local_address, effect->port,
	    effect->last_port, &held->listener, &event.text) == 0) {
		event.ok = true;
		event.port = held->listener.port;
		held->next = hold->listeners;
		hold->listeners = held;
	} else {
		free(held);
	}
	hold_event(hold, event);
	arena_release(&arena);
}

bool
hold_is_full(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	    error == ENOMEM;
}

static void
watch_refused(struct hold *hold, uint32_t events)
{
	struct epoll_event event = { .events = events };

	for (const struct held_listener *held = hold->listeners; held != NULL;
	     held = held->next) {
		event.data.fd = held->listener.fd;
		if (held->refusing)
			epoll_ctl(hold->refusing, EPOLL_CTL_MOD,
			    held->listener.fd, &event);
	}
}

static int64_t
refuse_next_ms(void *ctx)
{
	return ((const struct hold *)ctx)->refuse_ms;
}

/* Connections to a tunnel that is down for long: cut, and visibly so.  While
 * there is no descriptor to take them by they wait, and do not wake us. */
static void
refuse_turn(void *ctx)
{
	struct hold *hold = ctx;
	struct linger now = { .l_onoff = 1 };
	struct epoll_event event;
	int64_t now_ms = app_mono_ms(hold->app);
	int fd, rounds = 256;

	if (hold->refuse_ms >= 0 && now_ms >= hold->refuse_ms) {
		hold->refuse_ms = -1;
		watch_refused(hold, EPOLLIN);
	}
	while (rounds-- > 0 &&
	    epoll_wait(hold->refusing, &event, 1, 0) == 1) {
		fd = accept4(event.data.fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && hold_is_full(errno)) {
			hold->refuse_ms = now_ms + SECOND_MS;
			watch_refused(hold, 0);
		}
		if (fd < 0)
			break;
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		close(fd);
	}
}

/* ----------------------------------------------------------------- cloud -- */

static void
ask(struct hold *hold, const struct holder_effect *effect)
{
	struct held_ask *held = calloc(1, sizeof *held);
	struct world *world = hold->app->world;
	struct http_request http = {0};

	if (held == NULL)
		fail_out_of_memory();
	held->token = effect->token;
	held->request = effect->request;
	held->request.id = arena_str(&held->arena, effect->request.id);
	held->next = hold->asks;
	hold->asks = held;
	runpod.encode(&held->arena, &held->request, &http);
	http.timeout_ms = effect->timeout_ms;
	world->start_http(world->ctx, effect->token, &http);
}

/* Out of the list, which the caller then frees. */
static struct held_ask *
take_ask(struct hold *hold, uint64_t token)
{
	struct held_ask **at = &hold->asks, *held;

	while (*at != NULL && (*at)->token != token)
		at = &(*at)->next;
	held = *at;
	if (held != NULL)
		*at = held->next;
	return held;
}

static void
free_ask(struct held_ask *held)
{
	if (held == NULL)
		return;
	arena_release(&held->arena);
	free(held);
}

static void
answered(struct hold *hold, const struct world_event *event)
{
	struct held_ask *held = take_ask(hold, event->token);
	struct cloud_answer answer = {0};

	if (held == NULL)
		return;
	runpod.decode(&held->arena, &held->request, &event->http,
	    app_wall_ms(hold->app), &answer);
	hold_event(hold, (struct holder_event){ .type = HOLDER_ON_CLOUD,
		.token = event->token, .cloud = &answer });
	free_ask(held);
}

static void
forget(struct hold *hold, uint64_t token)
{
	struct held_ask *held = take_ask(hold, token);

	if (held != NULL)
		hold->app->world->cancel(hold->app->world->ctx, token);
	else
		io_probes_cancel(hold->probes, token);
	free_ask(held);
}

/* --------------------------------------------------------------- effects -- */

static void
checked(void *ctx, uint64_t token, bool ok, struct str reason)
{
	hold_event(ctx, (struct holder_event){ .type = HOLDER_ON_CHECK,
		.token = token, .ok = ok, .text = reason });
}

static void
forward(struct hold *hold, const struct holder_effect *effect)
{
	const struct held_listener *held = find_listener(hold,
	    effect->tunnel);

	hold_links_forward(hold->links, effect->link, effect->tunnel,
	    &effect->config, held != NULL ? held->listener.fd : -1);
}

/* Makes wait() return, where nothing else would. */
static void
end(struct hold *hold)
{
	static const struct world_event nothing = { .type = WORLD_DEADLINE };

	hold->ended = true;
	io_world_push(hold->app->io, &nothing, NULL, NULL, NULL);
}

static void
do_effect(struct hold *hold, const struct holder_effect *effect)
{
	switch (effect->type) {
	case HOLDER_DO_ASK:
		ask(hold, effect);
		break;
	case HOLDER_DO_FORGET:
		forget(hold, effect->token);
		break;
	case HOLDER_DO_LISTEN:
		open_listener(hold, effect);
		break;
	case HOLDER_DO_UNLISTEN:
		close_listener(hold, effect->tunnel);
		break;
	case HOLDER_DO_REFUSE:
		set_refusing(hold, effect->tunnel, effect->refuse);
		break;
	case HOLDER_DO_LINK:
		hold_links_open(hold->links, effect->link, &effect->target,
		    hold_door_keys(hold->door));
		break;
	case HOLDER_DO_UNLINK:
		hold_links_close(hold->links, effect->link);
		break;
	case HOLDER_DO_FORWARD:
		forward(hold, effect);
		break;
	case HOLDER_DO_UNFORWARD:
		hold_links_unforward(hold->links, effect->link,
		    effect->tunnel);
		break;
	case HOLDER_DO_CHECK:
		io_probes_start(hold->probes, effect->token, effect->text,
		    effect->timeout_ms);
		break;
	case HOLDER_DO_REPLY:
		hold_door_reply(hold->door, effect->client, &effect->answer);
		break;
	case HOLDER_DO_SAY:
		hold_say(hold, STR_FMT, STR_ARG(effect->text));
		break;
	case HOLDER_DO_END:
		end(hold);
		break;
	}
}

/* What an effect leads to is done by the outermost of these. */
static void
do_effects(struct hold *hold)
{
	struct holder_effect effect;

	if (hold->draining)
		return;
	hold->draining = true;
	while (holder_next_effect(hold->holder, &effect))
		do_effect(hold, &effect);
	hold->draining = false;
}

void
hold_event(struct hold *hold, struct holder_event event)
{
	event.now_ms = app_mono_ms(hold->app);
	event.wall_ms = app_wall_ms(hold->app);
	holder_event(hold->holder, &event);
	do_effects(hold);
}

/* ------------------------------------------------------------------ loop -- */

static void
time_turn(void *ctx)
{
	struct hold *hold = ctx;
	int64_t due = holder_deadline(hold->holder);

	io_probes_turn(hold->probes);
	if (due >= 0 && due <= app_mono_ms(hold->app))
		hold_event(hold, (struct holder_event){
			.type = HOLDER_ON_TIME });
}

static int64_t
time_next_ms(void *ctx)
{
	const struct hold *hold = ctx;
	int64_t machine = holder_deadline(hold->holder);
	int64_t probes = io_probes_next_ms(hold->probes);

	return machine < 0 ? probes : probes < 0 || machine < probes ?
	    machine : probes;
}

static int64_t
never(void *ctx)
{
	(void)ctx;
	return -1;
}

static bool
knows_none(void *ctx, uint64_t token)
{
	(void)ctx;
	(void)token;
	return false;
}

static void
home_turn(void *ctx)
{
	struct hold *hold = ctx;

	if (!hold_home_gone(hold->home, hold->lock))
		return;
	hold_say(hold, "the project is gone");
	hold_event(hold, (struct holder_event){ .type = HOLDER_ON_QUIT });
}

static void
loop(struct hold *hold)
{
	struct world *world = hold->app->world;

	while (!hold->ended) {
		struct arena arena = {0};
		struct world_event event;
		world->wait(world->ctx, &arena, -1, &event);
		if (event.type == WORLD_HTTP) {
			answered(hold, &event);
		} else if (event.type == WORLD_SIGNAL) {
			hold_say(hold, "ended by signal %d", event.signal);
			hold_event(hold, (struct holder_event){
				.type = HOLDER_ON_QUIT });
		} else if (event.type == WORLD_SUSPENDED) {
			hold_links_suspended(hold->links);
			hold_event(hold, (struct holder_event){
				.type = HOLDER_ON_SUSPENDED });
		}
		arena_release(&arena);
	}
}

static bool
open_all(struct hold *hold, struct str *why)
{
	struct app *app = hold->app;
	struct io_guest guest = { .ctx = hold, .cancel = knows_none };

	hold->refusing = epoll_create1(EPOLL_CLOEXEC);
	if (hold->refusing < 0) {
		*why = str_from(strerror(errno));
		return false;
	}
	hold->probes = io_probes_new(&app->clock, checked, hold);
	hold->holder = holder_new(&(struct holder_options){
		.chance = app->chance }, app_mono_ms(app));
	hold->links = hold_links_new(hold, app);
	guest.fd = hold->refusing;
	guest.turn = refuse_turn;
	guest.next_ms = refuse_next_ms;
	io_world_attach(app->io, &guest);
	guest.next_ms = never;
	if ((hold->home = hold_home_watch()) >= 0) {
		guest.fd = hold->home;
		guest.turn = home_turn;
		io_world_attach(app->io, &guest);
	}
	guest.fd = io_probes_fd(hold->probes);
	guest.turn = time_turn;
	guest.next_ms = time_next_ms;
	io_world_attach(app->io, &guest);
	hold->door = hold_door_open(hold, app, why);
	return hold->door != NULL;
}

static void
close_all(struct hold *hold)
{
	hold_door_close(hold->door);
	hold_links_free(hold->links);
	holder_free(hold->holder);
	while (hold->listeners != NULL)
		close_listener(hold, hold->listeners->tunnel);
	while (hold->asks != NULL)
		forget(hold, hold->asks->token);
	io_probes_free(hold->probes);
	if (hold->refusing >= 0)
		close(hold->refusing);
	if (hold->home >= 0)
		close(hold->home);
}

/* --------------------------------------------------------------- process -- */

/* Who started us need not wait for us, and is not our parent any more. */
static bool
go_into_background(void)
{
	pid_t pid = fork();

	if (pid > 0)
		_exit(0);
	return pid == 0;
}

/* A listener per tunnel, and what their connections need. */
static void
raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

int
cmd_tunnel_hold(struct app *app)
{
	struct hold hold = { .app = app, .refusing = -1, .home = -1,
		.refuse_ms = -1 };
	struct str why = {0};
	int lock, code;

	if (!go_into_background())
		return EXIT_ERROR;
	lock = holder_take_lock();
	if (lock == -EWOULDBLOCK)
		return EXIT_OK;		/* another one was faster */
	if (lock < 0)
		return app_fail(app, EXIT_ERROR, "PF0880", "cannot take "
		    HOLDER_LOCK ": %s", strerror(-lock));
	hold.lock = lock;
	raise_limits();
	/* It was started by way of /proc; who finds its port taken by it, or
	 * reads ps, shall know its name. */
	prctl(PR_SET_NAME, "podform");
	code = app_connect(app, false);
	if (code == EXIT_OK) {
		io_world_take_signals(app->io);
		if (open_all(&hold, &why)) {
			hold_say(&hold, "podform %s holds tunnels, pid %d",
			    PODFORM_VERSION, (int)getpid());
			loop(&hold);
			hold_say(&hold, "no tunnel is left");
		} else {
			code = app_fail(app, EXIT_ERROR, "PF0880", "the "
			    "holder cannot be reached: " STR_FMT,
			    STR_ARG(why));
		}
		close_all(&hold);
	}
	close(lock);
	return code;
}
