/*
 * link.c - podform's side of SSH, measured without podform around it.
 *
 *	link hold WORKER KEY PORT TARGET	a tunnel to TARGET, as ssh -L;
 *				prints its port, ends with standard input
 *	link fan WORKER KEY PORT N	N sessions at once, `true` on each:
 *				milliseconds
 *	link again WORKER KEY PORT COUNT	`true` on a live session:
 *				microseconds, median
 *
 * The server is at 127.0.0.1:PORT, the user is $USER's name; KEY is a
 * private key in a file.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/io_clock.h"
#include "io/io_world.h"
#include "ssh/ssh.h"

static struct clock wall;
static struct ssh *ssh;
static size_t left;
static int failed;

static int64_t
mono_ms(void)
{
	return wall.mono_ms(wall.ctx);
}

/* Turn until nothing is left to wait for, or standard input has ended. */
static void
turn(bool forever)
{
	struct pollfd fds[2] = {
		{ .fd = ssh_fd(ssh), .events = POLLIN },
		{ .fd = forever ? STDIN_FILENO : -1, .events = POLLIN },
	};
	while (forever || left > 0) {
		int64_t next = ssh_next_ms(ssh), wait = next - mono_ms();
		poll(fds, 2, next < 0 ? -1 : wait < 0 ? 0 : (int)wait);
		if (fds[1].revents != 0)
			return;
		ssh_turn(ssh);
	}
}

static void
ended(void *ctx, const struct ssh_answer *answer)
{
	(void)ctx;
	left--;
	if (answer->outcome == SSH_DONE && answer->status == 0)
		return;
	failed = 1;
	fprintf(stderr, "link: outcome %d, status %d: " STR_FMT "\n",
	    (int)answer->outcome, answer->status, STR_ARG(answer->reason));
}

static void
output(void *ctx, int stream, struct str bytes)
{
	(void)ctx;
	(void)stream;
	(void)bytes;
}

static const struct ssh_exec_calls calls = {
	.output = output, .end = ended,
};

static void
run_one(struct ssh_target target, struct str pod)
{
	target.pod = pod;
	left++;
	ssh_exec(ssh, &target, STR("true"), &calls, NULL);
}

static void
fan(struct ssh_target target, long n)
{
	struct arena arena = {0};
	int64_t began = mono_ms();
	for (long i = 0; i < n; i++)
		run_one(target, arena_printf(&arena, "pod%ld", i));
	turn(false);
	printf("%lld\n", (long long)(mono_ms() - began));
	arena_release(&arena);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double
now_us(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static void
again(struct ssh_target target, long count)
{
	double took[1000] = {0};
	for (long i = -2; i < count && i < 1000; i++) {
		double began = now_us();
		run_one(target, STR("pod"));
		turn(false);
		if (i >= 0)
			took[i] = now_us() - began;
	}
	qsort(took, (size_t)count, sizeof *took, compare);
	printf("%.0f\n", took[count / 2]);
}

/* --------------------------------------------------------------- tunnel -- */

static struct ssh_link *link_;
static struct tunnel_config tunnel = {
	.address = STR_INIT("tunnel.bench"), .direction = TUNNEL_LOCAL,
	.local_address = STR_INIT("127.0.0.1"),
	.remote_host = STR_INIT("127.0.0.1"),
};
static int listener;

static void
authenticating(void *ctx)
{
	(void)ctx;
}

static void
up(void *ctx, struct str fingerprint)
{
	(void)ctx;
	(void)fingerprint;
	ssh_link_forward(link_, 1, &tunnel, listener);
}

static void
down(void *ctx, enum ssh_outcome outcome, struct str reason)
{
	(void)ctx;
	fprintf(stderr, "link: down, outcome %d: " STR_FMT "\n", (int)outcome,
	    STR_ARG(reason));
	exit(1);
}

static void
rtt(void *ctx, int64_t us)
{
	(void)ctx;
	(void)us;
}

static void
forward(void *ctx, uint32_t id, bool ok, uint16_t port, struct str reason)
{
	struct sockaddr_in at;
	socklen_t size = sizeof at;
	(void)ctx;
	(void)id;
	(void)port;
	if (!ok) {
		fprintf(stderr, "link: " STR_FMT "\n", STR_ARG(reason));
		exit(1);
	}
	getsockname(listener, (struct sockaddr *)&at, &size);
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
}

static void
stats(void *ctx, uint32_t id, uint64_t connections, uint64_t bytes_in,
    uint64_t bytes_out)
{
	(void)ctx;
	(void)id;
	(void)connections;
	(void)bytes_in;
	(void)bytes_out;
}

static void
hold(struct ssh_target target, long port)
{
	static const struct ssh_link_calls link_calls = {
		.authenticating = authenticating, .up = up, .down = down,
		.rtt = rtt, .forward = forward, .stats = stats,
	};
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	listener = socket(AF_INET,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(listener, 64) != 0) {
		perror("listen");
		exit(1);
	}
	tunnel.remote_port = (uint16_t)port;
	target.pod = STR("pod");
	link_ = ssh_link_open(ssh, &target, &link_calls, NULL);
	turn(true);
	ssh_link_close(link_);
}

int
main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: link hold|fan|again WORKER KEY PORT "
		    "NUMBER\n");
		return 2;
	}
	struct io_world *io = io_world_new(&(struct io_config){0});
	struct world *world = io_world_seam(io);
	struct str why = {0};
	wall = world->clock;
	struct ssh_keys *keys = ssh_keys_new(&(struct ssh_keys_config){
		.fs = &world->fs, .chance = &world->chance,
		.directory = STR("/nonexistent"),
		.key_path = str_from(argv[3]),
	});
	if (!ssh_keys_load(keys, (struct str){0}, &why)) {
		fprintf(stderr, "link: " STR_FMT "\n", STR_ARG(why));
		return 1;
	}
	ssh = ssh_new(&(struct ssh_config){
		.worker = argv[2], .clock = &wall, .keys = keys,
		.max_sessions = 64,
	});
	struct ssh_target target = {
		.host = STR("127.0.0.1"),
		.port = (uint16_t)strtoul(argv[4], NULL, 10),
		.user = str_from(getenv("USER") != NULL ? getenv("USER")
							: "root"),
	};
	long number = strtol(argv[5], NULL, 10);
	if (str_is(str_from(argv[1]), "hold"))
		hold(target, number);
	else if (str_is(str_from(argv[1]), "fan"))
		fan(target, number);
	else
		again(target, number);
	ssh_free(ssh);
	ssh_keys_free(keys);
	io_world_free(io);
	return failed;
}
