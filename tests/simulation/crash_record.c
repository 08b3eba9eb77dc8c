/* crash_record.c - the seams with a recorder in them; see crash.h */
#include "crash.h"

#include "model/rest.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_FD = 100 };

/* ----------------------------------------------------------- operations -- */

static bool
is_recording(const struct recorder *recorder)
{
	return recorder->on && recorder->sim->running;
}

static void
crash_now(struct recorder *recorder, const char *when)
{
	struct sim *sim = recorder->sim;
	enum disk_image image = recorder->strike.image;

	recorder->struck = true;
	recorder->crash_after = false;
	recorder->on = false;
	sim_trace(sim, "crash %s operation %zu, %s", when,
	    recorder->strike.at, recorder->ops[recorder->strike.at].what);
	/* The first image is that of a process which is killed: the machine
	 * goes on, and the holder with it. */
	sim->crash_is_power_loss = false;
	if (image != DISK_KEPT) {
		disk_power_loss_as(sim->disk, image);
		hold_kill(sim);
	}
	longjmp(sim->crash, 1);
}

/* An operation begins; the error that it is to give, or NULL. */
static const struct crash_fault *
begins(struct recorder *recorder, enum op_kind kind, const char *format, ...)
{
	const struct strike *strike = &recorder->strike;
	va_list args;

	if (!is_recording(recorder))
		return NULL;
	/* Without end is a failure, but not one of ours. */
	if (recorder->nops == OPS_MAX)
		return NULL;
	size_t at = recorder->nops++;
	struct crash_op *op = &recorder->ops[at];
	*op = (struct crash_op){ .kind = kind,
		.dirty_before = !disk_is_safe(recorder->sim->disk),
		.rival = recorder->sim->process != 1 };
	va_start(args, format);
	vsnprintf(op->what, sizeof op->what, format, args);
	va_end(args);
	if (strike->when == NEVER || strike->at != at || recorder->struck)
		return NULL;
	if (strike->when == BEFORE)
		crash_now(recorder, "before");
	recorder->crash_after = strike->when == AFTER;
	if (strike->when != ERROR)
		return NULL;
	recorder->struck = true;
	sim_trace(recorder->sim, "operation %zu, %s: %s", at, op->what,
	    crash_faults[strike->fault].name);
	return &crash_faults[strike->fault];
}

/* The last operation has been carried out. */
static void
ends(struct recorder *recorder)
{
	if (!is_recording(recorder))
		return;
	if (recorder->nops > 0 && recorder->nops < OPS_MAX)
		recorder->ops[recorder->nops - 1].dirty_after =
		    !disk_is_safe(recorder->sim->disk);
	if (recorder->crash_after)
		crash_now(recorder, "after");
}

/* ----------------------------------------------------------------- files -- */

/* The error of an operation on files, 0 for none, -errno. */
static int
file_begins(struct recorder *recorder, enum op_kind kind, const char *verb,
    const char *path, const struct crash_fault **fault)
{
	*fault = begins(recorder, kind, "%s %s", verb, path);
	if (*fault != NULL && (*fault)->type == FAULT_FULL) {
		recorder->full = true;
		recorder->full_error = (*fault)->error;
	}
	if (recorder->full && kind != CALL_LOOK && kind != CALL_LOCK &&
	    kind != CALL_UNLINK && is_recording(recorder))
		return -recorder->full_error;
	return *fault != NULL && (*fault)->type == FAULT_DISK
	    ? -(*fault)->error
	    : 0;
}

static char *
path_of(struct recorder *recorder, int fd)
{
	assert(fd >= FIRST_FD && fd < FIRST_FD + PATHS);
	return recorder->paths[fd - FIRST_FD];
}

static int
fs_open_(void *ctx, const char *path, unsigned flags, unsigned mode)
{
	struct recorder *r = ctx;
	const struct crash_fault *fault;
	bool writes = (flags & (FS_CREATE | FS_APPEND | FS_READ_WRITE)) != 0;
	int error = file_begins(r, writes ? CALL_OPEN : CALL_LOOK, "open", path,
	    &fault);

	/* A full disk has still what is there already. */
	if (error != 0 && !(r->full && !(flags & FS_CREATE)))
		return error;
	int fd = r->inner.fs.open(r->inner.fs.ctx, path, flags, mode);
	if (fd >= 0)
		snprintf(path_of(r, fd), sizeof r->paths[0], "%s", path);
	ends(r);
	return fd;
}

static ssize_t
fs_read_(void *ctx, int fd, void *buf, size_t n)
{
	struct recorder *r = ctx;
	const struct crash_fault *fault;
	int error = file_begins(r, CALL_LOOK, "read", path_of(r, fd), &fault);

	if (error != 0)
		return error;
	ssize_t got = r->inner.fs.read(r->inner.fs.ctx, fd, buf, n);
	ends(r);
	return got;
}

static ssize_t
fs_write_(void *ctx, int fd, const void *buf, size_t n)
{
	struct recorder *r = ctx;
	const struct crash_fault *fault;
	int error = file_begins(r, CALL_WRITE, "write", path_of(r, fd), &fault);

	if (error != 0)
		return error;
	if (fault != NULL && fault->type == FAULT_SHORT)
		n /= 2;
	ssize_t put = r->inner.fs.write(r->inner.fs.ctx, fd, buf, n);
	ends(r);
	return put;
}

/* What is left is one and the same: begin, do, end. */
#define PLAIN(kind, verb, path, call) do {				\
	const struct crash_fault *fault;				\
	int error = file_begins(r, kind, verb, path, &fault);		\
	if (error != 0)							\
		return error;						\
	int result = r->inner.fs.call;					\
	ends(r);							\
	return result;							\
} while (0)

static int
fs_sync_(void *ctx, int fd)
{
	struct recorder *r = ctx;
	PLAIN(CALL_SYNC, "sync", path_of(r, fd), sync(r->inner.fs.ctx, fd));
}

static int
fs_sync_data_(void *ctx, int fd)
{
	struct recorder *r = ctx;
	PLAIN(CALL_SYNC, "sync", path_of(r, fd),
	    sync_data(r->inner.fs.ctx, fd));
}

static int
fs_truncate_(void *ctx, int fd, uint64_t size)
{
	struct recorder *r = ctx;
	PLAIN(CALL_TRUNCATE, "truncate", path_of(r, fd),
	    truncate(r->inner.fs.ctx, fd, size));
}

static int
fs_close_(void *ctx, int fd)
{
	struct recorder *r = ctx;
	return r->inner.fs.close(r->inner.fs.ctx, fd);
}

static int
fs_stat_fd_(void *ctx, int fd, struct fs_info *info)
{
	struct recorder *r = ctx;
	PLAIN(CALL_LOOK, "stat", path_of(r, fd),
	    stat_fd(r->inner.fs.ctx, fd, info));
}

static int
fs_stat_(void *ctx, const char *path, bool follow, struct fs_info *info)
{
	struct recorder *r = ctx;
	PLAIN(CALL_LOOK, "stat", path,
	    stat(r->inner.fs.ctx, path, follow, info));
}

static int
fs_rename_(void *ctx, const char *from, const char *to)
{
	struct recorder *r = ctx;
	PLAIN(CALL_RENAME, "rename to", to, rename(r->inner.fs.ctx, from, to));
}

static int
fs_link_(void *ctx, const char *from, const char *to)
{
	struct recorder *r = ctx;
	PLAIN(CALL_LINK, "link", from, link(r->inner.fs.ctx, from, to));
}

static int
fs_unlink_(void *ctx, const char *path)
{
	struct recorder *r = ctx;
	PLAIN(CALL_UNLINK, "unlink", path, unlink(r->inner.fs.ctx, path));
}

static int
fs_mkdir_(void *ctx, const char *path, unsigned mode)
{
	struct recorder *r = ctx;
	PLAIN(CALL_MKDIR, "mkdir", path, mkdir(r->inner.fs.ctx, path, mode));
}

static int
fs_sync_dir_(void *ctx, const char *path)
{
	struct recorder *r = ctx;
	PLAIN(CALL_SYNC_DIR, "sync directory", path,
	    sync_dir(r->inner.fs.ctx, path));
}

static int
fs_list_(void *ctx, struct arena *arena, const char *path, struct str **names,
    size_t *n)
{
	struct recorder *r = ctx;
	PLAIN(CALL_LOOK, "list", path,
	    list(r->inner.fs.ctx, arena, path, names, n));
}

static int
fs_lock_(void *ctx, int fd)
{
	struct recorder *r = ctx;
	PLAIN(CALL_LOCK, "lock", path_of(r, fd), lock(r->inner.fs.ctx, fd));
}

static int
fs_resolve_(void *ctx, struct arena *arena, const char *path, struct str *out)
{
	struct recorder *r = ctx;
	PLAIN(CALL_LOOK, "resolve", path,
	    resolve(r->inner.fs.ctx, arena, path, out));
}

static struct fs
recorded_fs(struct recorder *recorder)
{
	return (struct fs){
		.ctx = recorder,
		.open = fs_open_,
		.read = fs_read_,
		.write = fs_write_,
		.sync = fs_sync_,
		.sync_data = fs_sync_data_,
		.truncate = fs_truncate_,
		.close = fs_close_,
		.stat_fd = fs_stat_fd_,
		.stat = fs_stat_,
		.rename = fs_rename_,
		.link = fs_link_,
		.unlink = fs_unlink_,
		.mkdir = fs_mkdir_,
		.sync_dir = fs_sync_dir_,
		.list = fs_list_,
		.lock = fs_lock_,
		.resolve = fs_resolve_,
	};
}

/* --------------------------------------------------------------- network -- */

static enum op_kind
kind_of(const struct http_request *request)
{
	bool github = request->host == HOST_GITHUB;

	if (!request->effect)
		return github ? CALL_HUB_READ
		    : request->method != HTTP_GET ? CALL_READ
		    : str_is(request->path, "/pods") ||
			str_starts(request->path, STR("/pods?")) ||
			str_is(request->path, "/network-volumes")
			? CALL_LIST
		    : str_ends(request->path, STR("/logs")) ||
			str_find(request->path, '?') >= 0
			? CALL_READ
		    : str_starts(request->path, STR("/pods/")) ||
			str_starts(request->path, STR("/network-volumes/"))
			? CALL_GET
			: CALL_READ;
	if (github)
		return CALL_HUB_WRITE;
	if (request->method == HTTP_DELETE)
		return CALL_DELETE;
	return request->method == HTTP_POST &&
		(str_is(request->path, "/pods") ||
		    str_is(request->path, "/network-volumes"))
	    ? CALL_CREATE
	    : CALL_CHANGE;
}

/* The newest one. */
static struct sim_flight *
newest(struct sim *sim)
{
	for (size_t i = 0; i < sim->nflights; i++)
		if (sim->flights[i].state != FLIGHT_NONE &&
		    sim->flights[i].number == sim->flight_number)
			return &sim->flights[i];
	assert(false && "a request that was not started");
	return NULL;
}

/* It has left: a crash now does not stop it, and its answer goes nowhere. */
static void
send_for_good(struct recorder *recorder)
{
	if (!recorder->crash_after || !is_recording(recorder))
		return;
	struct sim_flight *flight = newest(recorder->sim);
	if (flight->state != FLIGHT_OUT)
		return;
	flight->process = 0;
	flight->abandoned = true;
}

static void
record_http(void *ctx, uint64_t token, const struct http_request *request)
{
	struct recorder *r = ctx;
	enum op_kind kind = kind_of(request);
	const struct crash_fault *fault = begins(r, kind, "%s " STR_FMT,
	    http_method_name(request->method), STR_ARG(request->path));

	if (is_recording(r) && r->sends != NULL)
		r->sends(r, kind);
	r->inner.start_http(r->sim, token, request);
	if (fault != NULL)
		crash_fault_strike(r, fault, newest(r->sim));
	send_for_good(r);
	ends(r);
}

static void
record_banner(void *ctx, uint64_t token, struct str host, uint16_t port,
    int64_t timeout_ms)
{
	struct recorder *r = ctx;
	const struct crash_fault *fault = begins(r, CALL_BANNER, "greet");

	r->inner.start_banner(r->sim, token, host, port, timeout_ms);
	if (fault != NULL)
		newest(r->sim)->port = 1;	/* nobody is there */
	ends(r);
}

static void
record_ssh(void *ctx, uint64_t token, const struct ssh_request *request)
{
	struct recorder *r = ctx;
	const struct crash_fault *fault = begins(r, CALL_SSH, "ssh %s " STR_FMT,
	    ssh_task_words(request->task), STR_ARG(request->name));

	r->inner.start_ssh(r->sim, token, request);
	if (fault != NULL)
		crash_fault_strike(r, fault, newest(r->sim));
	send_for_good(r);
	ends(r);
}

static void
record_holder(void *ctx, uint64_t token, const struct holder_request *request)
{
	static const char *const verbs[] = {
		[HOLDER_LIST] = "list", [HOLDER_OPEN] = "open",
		[HOLDER_CLOSE] = "close",
	};
	struct recorder *r = ctx;
	const struct crash_fault *fault = begins(r, CALL_HOLDER,
	    "holder, %s " STR_FMT, verbs[request->verb],
	    STR_ARG(request->config.address));

	if (fault != NULL)
		hold_kill(r->sim);
	r->inner.start_holder(r->sim, token, request);
	send_for_good(r);
	ends(r);
}

static void
record_fetch(void *ctx, uint64_t token, const struct fetch_request *request)
{
	struct recorder *r = ctx;
	const struct crash_fault *fault = begins(r, CALL_FETCH, "fetch");

	if (fault != NULL)
		r->sim->guests->striking = GUEST_NO_FETCH + 1;
	r->inner.start_fetch(r->sim, token, request);
	r->sim->guests->striking = 0;
	ends(r);
}

static void
record_cancel(void *ctx, uint64_t token)
{
	struct recorder *r = ctx;
	r->inner.cancel(r->sim, token);
}

/* What has come back is an operation of its own, which nobody has heard of
 * before: crashed after it only. */
static void
record_wait(void *ctx, struct arena *arena, int64_t deadline_ms,
    struct world_event *event)
{
	static const char *const words[] = {
		[WORLD_HTTP] = "http", [WORLD_BANNER] = "greeting",
		[WORLD_SSH] = "ssh", [WORLD_HOLDER] = "holder",
		[WORLD_FETCH] = "fetch",
	};
	struct recorder *r = ctx;

	r->inner.wait(r->sim, arena, deadline_ms, event);
	if (event->type == WORLD_DEADLINE || event->type == WORLD_SIGNAL ||
	    event->type == WORLD_SUSPENDED)
		return;
	begins(r, CALL_ANSWER, "answer, %s %d", words[event->type],
	    event->type == WORLD_HTTP ? event->http.status : 0);
	ends(r);
}

static struct str
record_environment(void *ctx, const char *name)
{
	struct recorder *r = ctx;
	return r->inner.environment(r->sim, name);
}

static int
record_run_command(void *ctx, struct arena *arena, const char *const *argv,
    int64_t timeout_ms, size_t limit, struct str *output)
{
	struct recorder *r = ctx;
	return r->inner.run_command(r->sim, arena, argv, timeout_ms, limit,
	    output);
}

static int
record_may_listen(void *ctx, struct arena *arena, struct str address,
    uint16_t port, struct str *owner)
{
	struct recorder *r = ctx;
	return r->inner.may_listen(r->sim, arena, address, port, owner);
}

/* ------------------------------------------------------------------ life -- */

void
recorder_init(struct recorder *recorder, struct sim *sim)
{
	struct world *world = &sim->world;

	*recorder = (struct recorder){ .sim = sim, .inner = *world,
		.ops = calloc(OPS_MAX, sizeof *recorder->ops) };
	assert(world->ctx == sim);
	world->fs = recorded_fs(recorder);
	world->ctx = recorder;
	world->start_http = record_http;
	world->start_banner = record_banner;
	world->start_ssh = record_ssh;
	world->start_holder = record_holder;
	world->start_fetch = record_fetch;
	world->cancel = record_cancel;
	world->wait = record_wait;
	world->environment = record_environment;
	world->run_command = record_run_command;
	world->may_listen = record_may_listen;
}

void
recorder_release(struct recorder *recorder)
{
	free(recorder->ops);
}

void
recorder_start(struct recorder *recorder, const struct strike *strike)
{
	recorder->on = true;
	recorder->nops = 0;
	recorder->strike = *strike;
	recorder->struck = recorder->crash_after = recorder->full = false;
	recorder->fired = 0;
	recorder->sent_one = false;
}

void
recorder_stop(struct recorder *recorder)
{
	recorder->on = recorder->full = recorder->crash_after = false;
	recorder->sends = NULL;
}
