/* io_world.c - see io_world.h */
#include "io/io_world.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "io/io_banner.h"
#include "io/io_clock.h"
#include "io/io_event.h"
#include "io/io_fetch.h"
#include "io/io_http.h"

/* Upper half of the data of an epoll event: whose descriptor it is. */
enum io_tag { TAG_SIGNAL, TAG_HTTP, TAG_BANNER, TAG_GUEST };

enum {
	READY_MAX = 64,
	LOOK_MS = 10 * 1000,	/* between looks for a sleep */
};

struct io_world {
	struct world world;
	struct io_event_queue queue;
	struct io_http *http;
	struct io_banners *banners;
	struct io_fetches *fetches;
	int epoll;
	int signals;		/* signalfd, or -1 */
	int64_t gap_ms;		/* see io_clock_slept() */
	struct io_guest guests[IO_GUESTS_MAX];
	size_t nguests;
};

/* ------------------------------------------------------------ the loop ---- */

static int64_t
now_ms(const struct io_world *io)
{
	return io->world.clock.mono_ms(io->world.clock.ctx);
}

static void
take_signal(struct io_world *io)
{
	struct signalfd_siginfo info;
	if (read(io->signals, &info, sizeof info) != sizeof info)
		return;
	struct io_event *event = io_event_new(WORLD_SIGNAL, 0);
	event->event.signal = (int)info.ssi_signo;
	io_event_push(&io->queue, event);
}

static void
look_for_sleep(struct io_world *io)
{
	int64_t boot_ms = io->world.clock.boot_ms(io->world.clock.ctx);
	if (!io_clock_slept(&io->gap_ms, now_ms(io), boot_ms))
		return;
	/* Connections from before are dead and do not know it. */
	io_http_drop_pool(io->http);
	for (size_t i = 0; i < io->nguests; i++)
		if (io->guests[i].suspended != NULL)
			io->guests[i].suspended(io->guests[i].ctx);
	io_event_push(&io->queue, io_event_new(WORLD_SUSPENDED, 0));
}

/* The earlier of two times, where -1 is never. */
static int64_t
earlier(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int
timeout_ms(const struct io_world *io, int64_t deadline_ms)
{
	if (io->queue.first != NULL)
		return 0;
	int64_t next = earlier(deadline_ms,
	    earlier(io_http_next_ms(io->http),
		io_banners_next_ms(io->banners)));
	next = earlier(next, io_fetches_next_ms(io->fetches));
	for (size_t i = 0; i < io->nguests; i++)
		next = earlier(next, io->guests[i].next_ms(
		    io->guests[i].ctx));
	int64_t left = next < 0 ? LOOK_MS : next - now_ms(io);
	return left < 0 ? 0 : left > LOOK_MS ? LOOK_MS : (int)left;
}

/* Turn the guests whose time has come. */
static void
guests_tick(struct io_world *io)
{
	for (size_t i = 0; i < io->nguests; i++) {
		const struct io_guest *guest = &io->guests[i];
		int64_t next = guest->next_ms(guest->ctx);
		if (next >= 0 && next <= now_ms(io))
			guest->turn(guest->ctx);
	}
}

/* One turn: sleep until something is ready or due, then do it. */
static void
turn(struct io_world *io, int64_t deadline_ms)
{
	struct epoll_event ready[READY_MAX];
	int n = epoll_wait(io->epoll, ready, READY_MAX,
	    timeout_ms(io, deadline_ms));

	for (int i = 0; i < n; i++) {
		int fd = (int)(uint32_t)ready[i].data.u64;
		switch ((enum io_tag)(ready[i].data.u64 >> 32)) {
		case TAG_SIGNAL:
			take_signal(io);
			break;
		case TAG_HTTP:
			io_http_ready(io->http, fd, ready[i].events);
			break;
		case TAG_BANNER:
			io_banners_ready(io->banners, fd);
			break;
		case TAG_GUEST:		/* fd: which one */
			io->guests[fd].turn(io->guests[fd].ctx);
			break;
		}
	}
	io_http_tick(io->http);
	io_banners_tick(io->banners);
	io_fetches_tick(io->fetches);
	guests_tick(io);
	look_for_sleep(io);
}

static void
world_wait(void *ctx, struct arena *arena, int64_t deadline_ms,
    struct world_event *event)
{
	struct io_world *io = ctx;
	for (;;) {
		turn(io, deadline_ms);
		if (io_event_deliver(&io->queue, arena, event))
			return;
		if (deadline_ms >= 0 && now_ms(io) >= deadline_ms) {
			*event = (struct world_event){
				.type = WORLD_DEADLINE,
			};
			return;
		}
	}
}

/* ------------------------------------------------------------ the rest ---- */

static void
world_start_http(void *ctx, uint64_t token,
    const struct http_request *request)
{
	struct io_world *io = ctx;
	io_http_start(io->http, token, request);
}

static void
world_start_banner(void *ctx, uint64_t token, struct str host, uint16_t port,
    int64_t timeout_ms)
{
	struct io_world *io = ctx;
	io_banners_start(io->banners, token, host, port, timeout_ms);
}

static void
world_start_fetch(void *ctx, uint64_t token,
    const struct fetch_request *request)
{
	struct io_world *io = ctx;
	io_fetches_start(io->fetches, token, request);
}

static void
world_cancel(void *ctx, uint64_t token)
{
	struct io_world *io = ctx;
	/* Fetches first: their downloads run under the same token. */
	if (io_fetches_cancel(io->fetches, token) ||
	    io_http_cancel(io->http, token) ||
	    io_banners_cancel(io->banners, token) ||
	    io_event_drop(&io->queue, token))
		return;
	for (size_t i = 0; i < io->nguests; i++)
		if (io->guests[i].cancel(io->guests[i].ctx, token))
			return;
}

static struct str
world_environment(void *ctx, const char *name)
{
	(void)ctx;
	return str_from(getenv(name));
}

static int
world_run_command(void *ctx, struct arena *arena, const char *const *argv,
    int64_t timeout_ms, size_t limit, struct str *output)
{
	(void)ctx;
	return io_command(arena, argv, timeout_ms, limit, output);
}

struct io_world *
io_world_new(const struct io_config *config)
{
	struct io_world *io = calloc(1, sizeof *io);
	if (io == NULL)
		fail_out_of_memory();
	signal(SIGPIPE, SIG_IGN);
	io->gap_ms = -1;
	io->signals = -1;
	io->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (io->epoll < 0)
		fail_out_of_descriptors();
	io_event_init(&io->queue);
	io->world = (struct world){
		.clock = io_clock(), .chance = io_chance(), .fs = io_fs(),
		.ctx = io,
		.start_http = world_start_http,
		.start_banner = world_start_banner,
		.start_fetch = world_start_fetch,
		.cancel = world_cancel,
		.wait = world_wait,
		.environment = world_environment,
		.run_command = world_run_command,
	};
	io->http = io_http_new(config, io->epoll, TAG_HTTP, &io->queue,
	    &io->world.clock);
	io->banners = io_banners_new(io->epoll, TAG_BANNER, &io->queue,
	    &io->world.clock);
	io->fetches = io_fetches_new(io->http, &io->queue, &io->world);
	look_for_sleep(io);
	return io;
}

void
io_world_free(struct io_world *io)
{
	if (io == NULL)
		return;
	io_banners_free(io->banners);
	io_fetches_free(io->fetches);
	io_http_free(io->http);
	io_event_release(&io->queue);
	if (io->signals >= 0)
		close(io->signals);
	close(io->epoll);
	free(io);
}

struct world *
io_world_seam(struct io_world *io)
{
	return &io->world;
}

void
io_world_attach(struct io_world *io, const struct io_guest *guest)
{
	struct epoll_event event = {
		.events = EPOLLIN,
		.data.u64 = (uint64_t)TAG_GUEST << 32 | io->nguests,
	};

	assert(io->nguests < IO_GUESTS_MAX);
	io->guests[io->nguests++] = *guest;
	if (guest->fd >= 0 &&
	    epoll_ctl(io->epoll, EPOLL_CTL_ADD, guest->fd, &event) != 0) {
		if (errno == ENOMEM || errno == ENOSPC)
			fail_out_of_memory();
		abort();	/* not a descriptor: nobody would hear it */
	}
}

void
io_world_push(struct io_world *io, const struct world_event *event,
    void (*copy)(void *kept, struct arena *arena, struct world_event *out),
    void (*release)(void *kept), void *kept)
{
	struct io_event *entry = io_event_new(event->type, event->token);
	entry->event = *event;
	entry->copy = copy;
	entry->release = release;
	entry->kept = kept;
	io_event_push(&io->queue, entry);
}

void
io_world_take_signals(struct io_world *io)
{
	sigset_t set;
	struct epoll_event event = {
		.events = EPOLLIN,
		.data.u64 = (uint64_t)TAG_SIGNAL << 32,
	};

	if (io->signals >= 0)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	/* Blocked only once they can be read: else they would be lost. */
	io->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (io->signals < 0 ||
	    epoll_ctl(io->epoll, EPOLL_CTL_ADD, io->signals, &event) != 0)
		return;
	sigprocmask(SIG_BLOCK, &set, NULL);
}
