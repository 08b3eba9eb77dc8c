/*
 * main.c - podform-sim: options, the main thread's loop, the end.
 *
 * The loop waits for signals, for its parent's end, for work from the
 * server's thread, and for the next thing that is due.
 */
#include "containers.h"
#include "control.h"
#include "github.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"

void
sim_wake(struct sim *sim)
{
	uint64_t one = 1;

	/* Full only if the loop is awake anyway. */
	if (write(sim->wake_fd, &one, sizeof one) < 0)
		return;
}

static bool
write_file(const char *path, struct str text)
{
	FILE *file = fopen(path, "we");
	bool ok;

	if (file == NULL)
		return false;
	ok = fwrite(text.data, 1, text.len, file) == text.len;
	return fclose(file) == 0 && ok;
}

struct str
sim_report(struct sim *sim, struct arena *arena)
{
	struct str report = model_report(sim->model, sim_now(sim), arena);
	struct str github = hub_report(sim->hub, sim_now(sim), arena);
	ptrdiff_t end = str_rfind(report, '}');

	return arena_printf(arena, STR_FMT ",\"github\":" STR_FMT STR_FMT,
	    STR_ARG(str_sub(report, 0, (size_t)end)), STR_ARG(github),
	    STR_ARG(str_sub(report, (size_t)end, report.len)));
}

bool
sim_write_account(struct sim *sim)
{
	struct arena arena = {0};
	bool ok = true;

	if (sim->options->account_file != NULL)
		ok = write_file(sim->options->account_file,
		    sim_report(sim, &arena));
	arena_release(&arena);
	return ok;
}

/* Files for a thousand pods and their connections. */
static void
raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static bool
set_capacities(struct sim *sim)
{
	for (size_t i = 0; i < sim->options->ncapacity; i++) {
		struct str text = str_from(sim->options->capacity[i]), count;
		struct str gpu = str_cut(text, '=', &count);
		int64_t n;
		if (!parse_int(count, 0, 1000000, &n) ||
		    !model_set_capacity(sim->model, gpu, n)) {
			fprintf(stderr, "podform-sim: --capacity " STR_FMT
			    ": unknown GPU or count\n", STR_ARG(text));
			return false;
		}
	}
	return true;
}

static char *
read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	long size;

	if (file == NULL)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 &&
	    fseek(file, 0, SEEK_SET) == 0 &&
	    (text = malloc((size_t)size + 1)) != NULL)
		*length = fread(text, 1, (size_t)size, file);
	fclose(file);
	return text;
}

static bool
preload(struct sim *sim)
{
	const char *path = sim->options->preload_file;
	struct arena arena = {0};
	struct str why = {0};
	size_t length = 0;
	char *text;

	if (path == NULL)
		return true;
	text = read_file(path, &length);
	if (text == NULL)
		why = str_from(strerror(errno));
	else
		control_preload(sim, &arena, (struct str){ text, length },
		    &why);
	if (why.data != NULL)
		fprintf(stderr, "podform-sim: cannot preload '%s': " STR_FMT
		    "\n", path, STR_ARG(why));
	arena_release(&arena);
	free(text);
	return why.data == NULL;
}

static bool
announce(const struct sim *sim)
{
	uint16_t port = server_port(sim->server);
	struct str host = str_from(sim->options->listen);
	struct str name = str_cut(host, ':', &(struct str){0});
	char text[16];

	if (sim->options->port_file != NULL) {
		int n = snprintf(text, sizeof text, "%u\n", port);
		if (!write_file(sim->options->port_file,
		    (struct str){ text, (size_t)n })) {
			fprintf(stderr, "podform-sim: cannot write '%s': "
			    "%s\n", sim->options->port_file,
			    strerror(errno));
			return false;
		}
	}
	printf("listening on http://" STR_FMT ":%u\n", STR_ARG(name), port);
	return fflush(stdout) == 0;
}

static int
shorter(int64_t a, int64_t b)
{
	int64_t least = a < 0 ? b : b < 0 || a < b ? a : b;

	return least < 0 || least > 1000 ? 1000 : (int)least;
}

static bool
idle(const struct sim *sim)
{
	return sim->options->idle_exit_ms > 0 && sim_mono_ms() -
	    sim->last_request_ms > sim->options->idle_exit_ms;
}

static void
run(struct sim *sim, int signals, int parent)
{
	struct pollfd fds[] = {
		{ .fd = sim->wake_fd, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = parent, .events = POLLIN },	/* -1 is ignored */
		{ .fd = sim->containers == NULL ? -1
		    : containers_fd(sim->containers), .events = POLLIN },
	};
	uint64_t count;

	while (!sim->quit && !idle(sim)) {
		int64_t next = server_release_due(sim->server);
		int64_t turn = sim->containers == NULL ? -1
		    : containers_turn(sim->containers);
		if (poll(fds, COUNTOF(fds), shorter(next, turn)) < 0 &&
		    errno != EINTR)
			return;
		if (fds[0].revents != 0 &&
		    read(sim->wake_fd, &count, sizeof count) < 0)
			return;
		if (fds[1].revents != 0 || fds[2].revents != 0)
			return;
	}
}

static int64_t
wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
open_log(struct sim *sim)
{
	if (sim->options->log_file == NULL)
		return true;
	sim->log_fd = open(sim->options->log_file,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (sim->log_fd < 0)
		fprintf(stderr, "podform-sim: cannot open '%s': %s\n",
		    sim->options->log_file, strerror(errno));
	return sim->log_fd >= 0;
}

static int
block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
main(int argc, char **argv)
{
	struct sim_options options;
	struct sim sim = { .options = &options };
	int status = 1, signals, parent = -1;

	if (!sim_parse_options(argc, argv, &options, &status))
		return status;
	status = 1;
	signals = block_signals();
	raise_limits();
	if (options.parent_pid != 0 && (parent = (int)syscall(SYS_pidfd_open,
	    options.parent_pid, 0)) < 0) {
		fprintf(stderr, "podform-sim: no process %d\n",
		    options.parent_pid);
		return 1;
	}
	options.model.real_containers = options.pods != SIM_PODS_NONE;
	sim.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sim.clock = (struct sim_clock){ wall_ms(), sim_mono_ms(),
		options.speed };
	sim.last_request_ms = sim_mono_ms();
	pthread_mutex_init(&sim.lock, NULL);
	sim.model = model_new(&options.model, sim_now(&sim));
	github_begin(&sim);
	sim.log_fd = -1;
	if (options.model.real_containers &&
	    (sim.containers = containers_new(&sim)) == NULL)
		goto out;
	if (!open_log(&sim) || !set_capacities(&sim) || !preload(&sim))
		goto out;
	sim.server = server_start(&sim, options.listen);
	if (sim.server == NULL || !announce(&sim))
		goto out;
	run(&sim, signals, parent);
	status = 0;
out:
	server_stop(sim.server);
	if (status == 0 && !sim_write_account(&sim)) {
		fprintf(stderr, "podform-sim: cannot write '%s': %s\n",
		    options.account_file, strerror(errno));
		status = 1;
	}
	containers_free(sim.containers);
	github_end(&sim);
	model_free(sim.model);
	return status;
}
