/*
 * serve.c - one listing over HTTP, as fast as loopback carries it.
 *
 *	serve FILE
 *
 * Answers GET /v2/pods with the file and all else with 404, one connection
 * after the other.  Prints its port, and each time that standard input says
 * `count` how many requests it had; ends with standard input.  Whatever is
 * compared with podform in tests/bench asks this server, too.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct listing {
	char *text;
	size_t len;
};

static bool
read_file(const char *path, struct listing *out)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;

	if (fd < 0 || fstat(fd, &info) != 0)
		return false;
	out->len = (size_t)info.st_size;
	out->text = malloc(out->len);
	while (out->text != NULL && have < out->len) {
		ssize_t n = read(fd, out->text + have, out->len - have);
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	close(fd);
	return out->text != NULL;
}

static bool
send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
answer(int fd, const struct listing *listing, bool found)
{
	char head[160];
	size_t len = found ? listing->len : 0;
	int n = snprintf(head, sizeof head,
	    "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    found ? "200 OK" : "404 Not Found", len);

	return send_all(fd, head, (size_t)n) &&
	    send_all(fd, listing->text, len);
}

/* All requests of one connection; they have no body and come one by one. */
static unsigned
serve(int fd, const struct listing *listing)
{
	char request[8192];
	size_t len = 0;
	unsigned served = 0;

	for (;;) {
		ssize_t n = recv(fd, request + len,
		    sizeof request - 1 - len, 0);
		if (n <= 0)
			return served;
		len += (size_t)n;
		request[len] = '\0';
		if (strstr(request, "\r\n\r\n") == NULL)
			continue;
		served++;
		if (!answer(fd, listing,
			strncmp(request, "GET /v2/pods ", 13) == 0))
			return served;
		len = 0;
	}
}

static int
listen_somewhere(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
	    listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return -1;
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int
main(int argc, char **argv)
{
	struct listing listing;
	unsigned served = 0;
	int listener;
	char word[64];

	if (argc != 2 || !read_file(argv[1], &listing) ||
	    (listener = listen_somewhere()) < 0) {
		perror("serve");
		return 1;
	}
	for (;;) {
		struct pollfd ready[] = {
			{ .fd = 0, .events = POLLIN },
			{ .fd = listener, .events = POLLIN },
		};
		if (poll(ready, 2, -1) < 0)
			return 1;
		if (ready[1].revents != 0) {
			int fd = accept(listener, NULL, NULL);
			if (fd < 0)
				continue;
			served += serve(fd, &listing);
			close(fd);
		} else if (ready[0].revents != 0) {
			if (read(0, word, sizeof word) <= 0)
				return 0;
			printf("%u\n", served);
			fflush(stdout);
		}
	}
}
