/*
 * seams.h - the border between deciding and doing.
 *
 * Clock, chance, files, network and signals are small structs of functions
 * with a context pointer, passed in from cmd.  The real ones are in pkg/io;
 * the simulated ones, driven by a seed, are in tests/simulation.  If a test
 * needs a sleep, a port or a temporary file, a seam is missing here.
 */
#ifndef BASE_SEAMS_H
#define BASE_SEAMS_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/str.h"

/* ------------------------------------------------------------- clock ---- */

/*
 * mono_ms never jumps and drives every duration and deadline.  boot_ms also
 * runs while the machine sleeps.  wall_ms is for people and for records; it
 * may jump by years.
 */
struct clock {
	void *ctx;
	int64_t (*mono_ms)(void *ctx);
	int64_t (*boot_ms)(void *ctx);
	int64_t (*wall_ms)(void *ctx);
};

/* ------------------------------------------------------------ chance ---- */

struct chance {
	void *ctx;
	void (*bytes)(void *ctx, void *out, size_t n);
};

/* ------------------------------------------------------------- files ---- */

enum fs_type { FS_REGULAR, FS_DIRECTORY, FS_SYMLINK, FS_OTHER };

struct fs_info {
	enum fs_type type;
	uint64_t size;
	uint32_t mode;		/* permission bits */
	uint32_t uid;
	uint64_t links;
	uint64_t device, inode;
};

enum fs_open {
	FS_READ = 1,		/* read only */
	FS_APPEND = 2,		/* write at the end */
	FS_READ_WRITE = 4,
	FS_CREATE = 8,		/* make it if missing */
	FS_EXCLUSIVE = 16,	/* with FS_CREATE: it must be missing */
	FS_FOLLOW = 32,		/* follow a symbolic link in the last part;
				   otherwise O_NOFOLLOW */
};

/*
 * Results: -errno on failure; else 0, a descriptor or a count.  Opening
 * never blocks on a FIFO or device (O_NONBLOCK), never hands out 0 to 2 and
 * sets close-on-exec.  Modes are exact, whatever the umask.
 */
struct fs {
	void *ctx;
	int (*open)(void *ctx, const char *path, unsigned flags,
	    unsigned mode);
	ssize_t (*read)(void *ctx, int fd, void *buf, size_t n);
	ssize_t (*write)(void *ctx, int fd, const void *buf, size_t n);
	int (*sync)(void *ctx, int fd);			/* fsync */
	int (*sync_data)(void *ctx, int fd);		/* fdatasync */
	int (*truncate)(void *ctx, int fd, uint64_t size);
	int (*close)(void *ctx, int fd);
	int (*stat_fd)(void *ctx, int fd, struct fs_info *info);
	int (*stat)(void *ctx, const char *path, bool follow,
	    struct fs_info *info);
	int (*rename)(void *ctx, const char *from, const char *to);
	int (*link)(void *ctx, const char *from, const char *to);
	int (*unlink)(void *ctx, const char *path);
	int (*mkdir)(void *ctx, const char *path, unsigned mode);
	int (*sync_dir)(void *ctx, const char *path);
	/* Names in a directory without `.` and `..`, sorted, in the arena. */
	int (*list)(void *ctx, struct arena *arena, const char *path,
	    struct str **names, size_t *n);
	/* Take (never wait for) the exclusive kernel lock: 0 or -EWOULDBLOCK. */
	int (*lock)(void *ctx, int fd);
	/* The path with every link resolved, in the arena. */
	int (*resolve)(void *ctx, struct arena *arena, const char *path,
	    struct str *out);
};

/*
 * Read a whole regular file of at most `limit` bytes, repeating short reads
 * and EINTR.  -EFBIG above the limit (by its size, unread), -EISDIR,
 * -EINVAL for what is neither a file nor a directory.  Follows links if
 * `follow`.
 */
int fs_read_file(const struct fs *fs, struct arena *arena, const char *path,
    size_t limit, bool follow, struct str *out);

/* Write everything, repeating short writes and EINTR: 0 or -errno. */
int fs_write_all(const struct fs *fs, int fd, struct str bytes);

/*
 * Make path a file of these bytes, 0600 and synced, by the rename of a new
 * one beside it: 0, or -errno with the file as it was.  (The rename itself is
 * not synced: after a power loss it may be the old file.)
 */
int fs_replace_file(const struct fs *fs, const struct chance *chance,
    const char *path, struct str bytes);

/* ----------------------------------------------------------- network ---- */

enum http_method {
	HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE,
	HTTP_LOCK, HTTP_UNLOCK,		/* of stores for Terraform's state */
};

const char *http_method_name(enum http_method method);

enum http_host {
	HOST_CLOUD, HOST_CLOUD_GRAPHQL, HOST_GITHUB,
	HOST_STORE,			/* where the record lives: lock/store.h */
};

struct http_request {
	enum http_method method;
	enum http_host host;	/* which base URL and credential to use */
	struct str path;	/* "/pods?limit=1000", after the base */
	struct str body;	/* JSON; absent for none */
	struct str bearer;	/* instead of the host's credential; secret */
	struct str authorization; /* the whole value of that header, instead of
				   any credential; secret */
	struct str etag;	/* If-None-Match; absent for none */
	struct str if_match;	/* If-Match; absent for none */
	int64_t timeout_ms;	/* for the whole exchange */
	size_t max_body;	/* bytes of the answer that are read at most */
	bool effect;		/* may change something: never sent twice */
	int64_t quiet_ms;	/* an event stream, which the server leaves
				   open: the answer is complete when nothing
				   has come for that long; 0: none */
	struct str enough;	/* of such a stream: behind a part that holds
				   this text, HTTP_SOON_MS of quiet do */
};

enum { HTTP_SOON_MS = 100 };

enum http_outcome {
	HTTP_ANSWERED,		/* a complete answer; status is set */
	HTTP_NOT_SENT,		/* no byte of the request left: safe to repeat */
	HTTP_BROKEN,		/* bytes left, no complete answer came */
	HTTP_TOO_LARGE,		/* answered, but the body passed max_body */
};

struct http_answer {
	enum http_outcome outcome;
	int status;
	struct str body;
	struct str reason;	/* for people when not HTTP_ANSWERED */
	struct str retry_after;	/* raw header, absent if none */
	struct str ratelimit;	/* raw RateLimit header */
	struct str request_id;	/* raw x-request-id header */
	struct str date;	/* raw Date header */
	struct str location;	/* raw headers, absent if none: */
	struct str link, etag;
	struct str github_limit;	/* "remaining/reset", x-ratelimit-* */
	struct str permissions;	/* x-accepted-github-permissions, or
				   x-accepted-oauth-scopes */
	struct str scopes;	/* x-oauth-scopes: a classic token's own */
	struct str token_ends;	/* github-authentication-token-expiration */
};

/* A file to be had, such as a runner package: not through the API. */
struct fetch_request {
	struct str url;		/* https; http for loopback only */
	struct str bearer;	/* for its first host alone; or absent */
	struct str sha256;	/* hex; absent: not checked */
	struct str path;	/* where to; made by rename, 0600 */
	uint64_t max_bytes;
	int64_t timeout_ms;
};

/* ------------------------------------------------------------- world ---- */

enum world_event_type {
	WORLD_DEADLINE,		/* the time given to wait() has come */
	WORLD_HTTP,		/* an answer to start_http() */
	WORLD_BANNER,		/* an answer to start_banner() */
	WORLD_SIGNAL,		/* a signal, number in `signal` */
	WORLD_SUSPENDED,	/* the machine slept: boot time ran ahead */
	WORLD_SSH,		/* an answer to start_ssh() */
	WORLD_HOLDER,		/* an answer to start_holder() */
	WORLD_FETCH,		/* an answer to start_fetch() */
};

struct ssh_request;
struct ssh_answer;
struct holder_request;
struct holder_answer;

struct world_event {
	enum world_event_type type;
	uint64_t token;			/* of the start_ call */
	struct http_answer http;	/* strs in the arena given to wait() */
	bool banner_ok;			/* an SSH banner was read */
	struct str banner_reason;
	int signal;
	const struct ssh_answer *ssh;		/* in the arena given to wait() */
	const struct holder_answer *holder;	/* likewise */
	bool fetch_ok;
	struct str fetch_reason;
};

/*
 * Everything the core may ask of the outside.  start_* never block and
 * never call back; each yields exactly one event with its token, unless
 * cancelled.
 */
struct world {
	struct clock clock;
	struct chance chance;
	struct fs fs;
	void *ctx;
	void (*start_http)(void *ctx, uint64_t token,
	    const struct http_request *request);
	/* Connect to host:port and wait for a line starting with "SSH-". */
	void (*start_banner)(void *ctx, uint64_t token, struct str host,
	    uint16_t port, int64_t timeout_ms);
	/* Something inside a pod: base/ssh.h.  NULL where there is no way. */
	void (*start_ssh)(void *ctx, uint64_t token,
	    const struct ssh_request *request);
	/* The holder of tunnels: base/tunnel.h.  May be NULL. */
	void (*start_holder)(void *ctx, uint64_t token,
	    const struct holder_request *request);
	/* Have a file; one that is there with that digest is not fetched. */
	void (*start_fetch)(void *ctx, uint64_t token,
	    const struct fetch_request *request);
	void (*cancel)(void *ctx, uint64_t token);
	/*
	 * Wait for the next event, at most until deadline_ms on the
	 * monotonic clock (-1: no deadline).
	 */
	void (*wait)(void *ctx, struct arena *arena, int64_t deadline_ms,
	    struct world_event *event);
	/* Value of an environment variable or absent. */
	struct str (*environment)(void *ctx, const char *name);
	/* Run argv, its standard output at most `limit` bytes: exit status or
	 * -errno (for secrets given by command). */
	int (*run_command)(void *ctx, struct arena *arena,
	    const char *const *argv, int64_t timeout_ms, size_t limit,
	    struct str *output);
	/*
	 * Can this machine listen there?  0, or -errno with `owner` saying
	 * whose it is ("python3 (pid 4711)") where that can be known.  A path
	 * (leading slash) is that of a socket.  May be NULL: not known.
	 */
	int (*may_listen)(void *ctx, struct arena *arena, struct str address,
	    uint16_t port, struct str *owner);
};

#endif
