/* http.c - one request over plain HTTP to a loopback address. */
#include "standin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Of "http://127.0.0.1:8080/github"; the path without its last slash. */
static bool
split_url(const char *url, struct sockaddr_in *address, char *path,
    size_t size)
{
	char host[64];
	const char *colon, *slash;
	size_t n;

	if (strncmp(url, "http://", 7) != 0)
		return false;
	url += 7;
	slash = url + strcspn(url, "/");
	colon = memchr(url, ':', (size_t)(slash - url));
	n = (size_t)((colon != NULL ? colon : slash) - url);
	if (n >= sizeof host)
		return false;
	memcpy(host, url, n);
	host[n] = '\0';
	*address = (struct sockaddr_in){ .sin_family = AF_INET,
	    .sin_port = htons(colon == NULL ? 80
	    : (uint16_t)strtol(colon + 1, NULL, 10)) };
	if (strcmp(host, "localhost") == 0)
		snprintf(host, sizeof host, "127.0.0.1");
	snprintf(path, size, "%s", slash);
	return inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

static bool
send_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* All there is until the other side closes. */
static size_t
receive(int fd, char *out, size_t size)
{
	size_t n = 0;

	while (n + 1 < size) {
		ssize_t got = recv(fd, out + n, size - 1 - n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	out[n] = '\0';
	return n;
}

static int
exchange(int fd, const char *path, const char *secret, const char *body,
    char *reply, size_t size)
{
	char head[2048];
	char *text;
	int n = snprintf(head, sizeof head, "POST %s HTTP/1.1\r\n"
	    "Host: localhost\r\nUser-Agent: podform-standin\r\n"
	    "Connection: close\r\nContent-Length: %zu\r\n"
	    "Authorization: Bearer %s\r\n\r\n", path, strlen(body),
	    secret != NULL ? secret : "none");

	if (n < 0 || (size_t)n >= sizeof head ||
	    !send_all(fd, head, (size_t)n) ||
	    !send_all(fd, body, strlen(body)) ||
	    receive(fd, reply, size) < 12 ||
	    (text = strstr(reply, "\r\n\r\n")) == NULL) {
		snprintf(reply, size, "the connection was lost");
		return -1;
	}
	n = (int)strtol(reply + 9, NULL, 10);
	memmove(reply, text + 4, strlen(text + 4) + 1);
	return n;
}

int
standin_post(const char *base, const char *path, const char *secret,
    const char *body, char *reply, size_t size)
{
	struct timeval patience = { .tv_sec = 20 };
	struct sockaddr_in address;
	char full[256], prefix[128];
	int fd, status = -1;

	if (!split_url(base, &address, prefix, sizeof prefix)) {
		snprintf(reply, size, "this stand-in speaks http to loopback "
		    "addresses only");
		return -1;
	}
	snprintf(full, sizeof full, "%s/_sim/%s", prefix, path);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		status = exchange(fd, full, secret, body, reply, size);
	else
		snprintf(reply, size, "%s", strerror(errno));
	close(fd);
	return status;
}
