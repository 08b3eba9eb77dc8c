/*
 * io_world.h - the real outside: struct world of base/seams.h.
 *
 * One thread, one poll loop (epoll): HTTP through libcurl's multi interface,
 * SSH banners, signals, timers.  start_http() and start_banner() only set
 * things going; wait() turns the loop until there is one event to return.
 *
 * HTTP keeps the promises of base/seams.h against libcurl's habits: what
 * has an effect goes out on a fresh HTTP/1.1 connection, since libcurl would
 * silently send it again on a reused one that dies; nothing is redirected,
 * inflated or read beyond the caps; the credential of a host goes to that
 * host alone, in the Authorization header alone.
 */
#ifndef IO_WORLD_H
#define IO_WORLD_H

#include "base/secret.h"
#include "base/seams.h"

/* Everything here is copied, except the context of trace. */
struct io_config {
	/* Bases, as of io_url.h; absent: requests to that host fail. */
	struct str cloud_url, graphql_url, github_url, store_url;
	/* Credentials, NULL for none. */
	const struct secret *cloud_key, *github_token;
	/*
	 * Of the store: a login "name:password"; a token, which is the bearer
	 * or, where requests are signed, the session's (X-Amz-Security-Token).
	 * store_sign as of CURLOPT_AWS_SIGV4 ("aws:amz:eu-west-1:s3") has the
	 * login sign each request instead of being sent; absent: it is sent.
	 */
	const struct secret *store_login, *store_token;
	struct str store_sign;
	const char *ca_file;		/* PEM; NULL: SSL_CERT_FILE, or
					   the system's directory */
	size_t max_connections;		/* at once, 0: 50; others wait */
	/*
	 * For --verbose: what goes on, a line at a time, without its line
	 * end.  Never a header or body that is sent, never a body that is
	 * received, never a credential; not escaped for a terminal.
	 */
	void (*trace)(void *ctx, struct str line);
	void *trace_ctx;
};

struct io_world;

/*
 * Ignores SIGPIPE for the process.  Proxies are taken from HTTPS_PROXY and
 * NO_PROXY (or their lower-case forms) by us and nobody else.  Cheap: the
 * HTTP library is loaded by the first request.
 */
struct io_world *io_world_new(const struct io_config *config);
void io_world_free(struct io_world *io);	/* NULL is harmless */

/* The seam; valid until io_world_free(). */
struct world *io_world_seam(struct io_world *io);

/*
 * Another edge that lives in this loop, such as pkg/ssh: turned when its
 * descriptor is readable or its time has come.  cancel() is asked for tokens
 * that are not ours, and says whether it knew one; the start_ functions of
 * what it offers are put into the seam by who attaches it (cmd).
 */
struct io_guest {
	void *ctx;
	int fd;				/* -1: time alone */
	void (*turn)(void *ctx);
	int64_t (*next_ms)(void *ctx);	/* monotonic; -1 never */
	bool (*cancel)(void *ctx, uint64_t token);
	void (*suspended)(void *ctx);	/* may be NULL */
};
enum { IO_GUESTS_MAX = 8 };
void io_world_attach(struct io_world *io, const struct io_guest *guest);
/*
 * An event of a guest, for wait().  What it points to is copied by `copy`
 * into the arena that wait() is given, at once when wait() hands it out; the
 * guest keeps it alive until then and `release` ends it.
 */
void io_world_push(struct io_world *io, const struct world_event *event,
    void (*copy)(void *kept, struct arena *arena, struct world_event *out),
    void (*release)(void *kept), void *kept);

/*
 * From now on SIGINT, SIGTERM and SIGHUP are events of wait() and nothing
 * else.  Until then they end the process as usual, which is right while
 * nothing was started: a prompt or a plan needs no clean-up.
 */
void io_world_take_signals(struct io_world *io);

/* A struct fs over the real file system, for use without a world. */
struct fs io_fs(void);

/*
 * Run argv (found through PATH) and keep its standard output, at most limit
 * bytes: its exit status (128 plus the signal that ended it), or -errno:
 * -ETIMEDOUT, -EFBIG, -ENOENT.  Standard input is empty, standard error is
 * ours, nothing else is inherited; our own credentials are taken out of its
 * environment.
 */
int io_command(struct arena *arena, const char *const *argv,
    int64_t timeout_ms, size_t limit, struct str *output);

#endif
