/*
 * stream.c - what goes through a tunnel, and how fast.
 *
 *	stream serve			listens, prints its port; ends with
 *					standard input
 *	stream down PORT BYTES N	N streams at once: MB per second
 *	stream up PORT BYTES N
 *	stream ping PORT COUNT		microseconds of one round trip, median
 *
 * A stream begins with one line, `down BYTES`, `up BYTES` or `ping`; an
 * upload is over when the server has said so, not when the last byte has
 * left.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 256 << 10 };

static char block[BLOCK];

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static double
now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void
no_delay(int fd)
{
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static int
write_all(int fd, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, block, n < BLOCK ? n : BLOCK);
		if (done <= 0)
			return -1;
		n -= (size_t)done;
	}
	return 0;
}

static int
read_all(int fd, size_t n)
{
	static __thread char sink[BLOCK];
	while (n > 0) {
		ssize_t done = read(fd, sink, n < BLOCK ? n : BLOCK);
		if (done <= 0)
			return -1;
		n -= (size_t)done;
	}
	return 0;
}

/* ------------------------------------------------------------- serving -- */

static void *
serve_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char line[64];
	size_t n = 0;
	while (n < sizeof line - 1 && read(fd, line + n, 1) == 1)
		if (line[n++] == '\n')
			break;
	line[n] = '\0';
	if (strncmp(line, "down ", 5) == 0) {
		write_all(fd, strtoull(line + 5, NULL, 10));
	} else if (strncmp(line, "up ", 3) == 0) {
		if (read_all(fd, strtoull(line + 3, NULL, 10)) == 0 &&
		    write(fd, "!", 1) != 1)
			perror("write");
	} else {
		char byte;
		while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
			continue;
	}
	close(fd);
	return NULL;
}

static void
serve(void)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof at;
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(listener, 64) != 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &size) != 0)
		die("listen");
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	struct pollfd fds[2] = {
		{ .fd = listener, .events = POLLIN },
		{ .fd = STDIN_FILENO },
	};
	while (poll(fds, 2, -1) >= 0 && fds[1].revents == 0) {
		pthread_t thread;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		no_delay(fd);
		if (pthread_create(&thread, NULL, serve_one,
			(void *)(intptr_t)fd) == 0)
			pthread_detach(thread);
	}
}

/* ------------------------------------------------------------ measuring - */

static int
connect_to(const char *port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		die("connect");
	no_delay(fd);
	return fd;
}

struct job { const char *port, *verb; size_t bytes; int failed; };

static void *
move(void *arg)
{
	struct job *job = arg;
	int fd = connect_to(job->port);
	dprintf(fd, "%s %zu\n", job->verb, job->bytes);
	if (strcmp(job->verb, "down") == 0)
		job->failed = read_all(fd, job->bytes);
	else
		job->failed = write_all(fd, job->bytes) != 0 ||
		    read_all(fd, 1) != 0;
	close(fd);
	return NULL;
}

static int
streams(const char *verb, const char *port, size_t bytes, int n)
{
	pthread_t threads[64];
	struct job jobs[64];
	if (n < 1 || n > 64)
		return 2;
	double began = now();
	for (int i = 0; i < n; i++) {
		jobs[i] = (struct job){ port, verb, bytes / (size_t)n, 0 };
		if (pthread_create(&threads[i], NULL, move, &jobs[i]) != 0)
			die("pthread_create");
	}
	for (int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		if (jobs[i].failed) {
			fprintf(stderr, "stream: cut off\n");
			return 1;
		}
	}
	printf("%.2f\n", (double)bytes / (now() - began) / 1e6);
	return 0;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static int
ping(const char *port, int count)
{
	double took[1000];
	char byte = 'x';
	if (count < 1 || count > 1000)
		return 2;
	int fd = connect_to(port);
	dprintf(fd, "ping\n");
	for (int i = -3; i < count; i++) {
		double began = now();
		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
			die("ping");
		if (i >= 0)
			took[i] = (now() - began) * 1e6;
	}
	qsort(took, (size_t)count, sizeof *took, compare);
	printf("%.1f\n", took[count / 2]);
	return 0;
}

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "serve") == 0) {
		serve();
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "ping") == 0)
		return ping(argv[2], (int)strtol(argv[3], NULL, 10));
	if (argc == 5)
		return streams(argv[1], argv[2], strtoull(argv[3], NULL, 10),
		    (int)strtol(argv[4], NULL, 10));
	fprintf(stderr, "usage: stream serve | down|up PORT BYTES N | "
	    "ping PORT COUNT\n");
	return 2;
}
