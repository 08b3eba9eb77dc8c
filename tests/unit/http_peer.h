/*
 * http_peer.h - a server that says what it likes, and a client of pkg/io,
 * for tests of the real edges.
 *
 * Each server is a thread of the test on a loopback port that the kernel
 * chose; it speaks raw bytes, since a good HTTP library would not tell lies
 * for us.
 */
#ifndef TESTS_HTTP_PEER_H
#define TESTS_HTTP_PEER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/secret.h"
#include "base/strbuf.h"
#include "io/io_http.h"
#include "io/io_world.h"

enum { CONNECTIONS = 128 };

struct server;
typedef void serve_fn(struct server *server, int fd);

struct server {
	serve_fn *serve;
	int listener;
	uint16_t port;
	uint16_t other_port;		/* for redirects */
	atomic_int connections, requests, posts, at_once, most_at_once;
	atomic_bool stop;
	char last[8192];		/* the newest request */
	pthread_t thread;
	pthread_t workers[CONNECTIONS];
	int fds[CONNECTIONS];
};

void server_say(int fd, const char *text);
/* Read one request with its body; false when the client is gone. */
bool server_read(struct server *server, int fd);
int server_listen(uint16_t *port);
struct server *server_new(serve_fn *serve);
void server_free(struct server *server);

struct client {
	struct arena arena;
	struct io_world *io;
	struct world *world;
	struct secret key;
	struct strbuf trace;
};

void client_open(struct client *client, uint16_t port, size_t connections);
void client_close(struct client *client);
struct world_event client_wait(struct client *client, int64_t within_ms);
struct http_answer client_fetch(struct client *client,
    struct http_request request);

#define OK_HEAD "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n" \
	"Retry-After: 9223372036854775807\r\nX-Request-Id: abc\r\n" \
	"RateLimit: \"minute\";r=5;t=12\r\n"

#define GET { .method = HTTP_GET }
#define POST { .method = HTTP_POST, .effect = true }

void serve_ok(struct server *server, int fd);
void assert_text_is(struct str actual, const char *expected);
void assert_text_holds(struct str text, const char *part);

#endif
