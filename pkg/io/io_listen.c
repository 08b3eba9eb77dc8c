/* io_listen.c - see io_listen.h */
#include "io/io_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/io_fd.h"
#include "io/io_owner.h"
#include "io/io_resolve.h"

enum { BACKLOG = 128 };

/* ----------------------------------------------------------- both kinds -- */

/* Who takes the last descriptor for a listener can accept nobody: neither
 * there, nor who asks what is wrong. */
static bool
leaves_some(int fd)
{
	int spare[12];
	size_t n = 0;

	while (n < COUNTOF(spare) &&
	    (spare[n] = fcntl(fd, F_DUPFD_CLOEXEC, 3)) >= 0)
		n++;
	for (size_t i = 0; i < n; i++)
		close(spare[i]);
	return n == COUNTOF(spare);
}

static int
new_socket(int family)
{
	int fd = io_fd_above_standard(socket(family, SOCK_STREAM |
	    SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

	if (fd >= 0 && !leaves_some(fd)) {
		close(fd);
		return -EMFILE;
	}
	return fd < 0 ? -errno : fd;
}

static struct str
no_descriptor(struct arena *arena, int error)
{
	struct rlimit limit = {0};

	if (error != -EMFILE)
		return arena_str(arena, str_from(strerror(-error)));
	getrlimit(RLIMIT_NOFILE, &limit);
	return arena_printf(arena, "this process may not have more than %llu "
	    "open files (ulimit -n)", (unsigned long long)limit.rlim_cur);
}

/* Takes the descriptor. */
static int
bind_and_listen(int fd, const void *address, socklen_t len)
{
	int error = 0;

	if (bind(fd, address, len) != 0 || listen(fd, BACKLOG) != 0) {
		error = -errno;
		close(fd);
	}
	return error;
}

/* ------------------------------------------------------------------ TCP -- */

/* Names block; people who write one know theirs. */
static bool
find_address(struct str name, uint16_t port, struct io_address *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE }, *list = NULL;
	char host[256], service[8];

	if (str_is(name, "localhost"))
		name = STR("127.0.0.1");
	if (name.len == 0 || name.len >= sizeof host)
		return false;
	memcpy(host, name.data, name.len);
	host[name.len] = '\0';
	if (io_resolve_number(host, port, out))
		return true;
	snprintf(service, sizeof service, "%u", port);
	if (getaddrinfo(host, service, &hints, &list) != 0)
		return false;
	memcpy(&out->storage, list->ai_addr, list->ai_addrlen);
	out->len = list->ai_addrlen;
	freeaddrinfo(list);
	return true;
}

static int
try_port(const struct io_address *address, int *fd)
{
	int one = 1;

	*fd = new_socket(address->storage.ss_family);
	if (*fd < 0)
		return *fd;
	/* So that our own port is free at once when it was closed. */
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (address->storage.ss_family == AF_INET6)
		setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	return bind_and_listen(*fd, &address->storage, address->len);
}

static struct str
why_not(struct arena *arena, struct str name, uint16_t port, int error,
    const struct io_address *address)
{
	const char *fence = str_find(name, ':') >= 0 ? "[]" : "";
	struct str place = fence[0] != '\0' ?
	    arena_printf(arena, "[" STR_FMT "]:%u", STR_ARG(name), port) :
	    arena_printf(arena, STR_FMT ":%u", STR_ARG(name), port);
	struct str owner;

	if (error == -EMFILE || error == -ENFILE)
		return no_descriptor(arena, error);
	if (error == -EACCES)
		return arena_printf(arena, STR_FMT ": this user may not "
		    "listen on ports below 1024", STR_ARG(place));
	if (error != -EADDRINUSE)
		return arena_printf(arena, "cannot listen on " STR_FMT ": %s",
		    STR_ARG(place), strerror(-error));
	owner = io_owner_of_port(arena, (const void *)&address->storage);
	return arena_printf(arena, STR_FMT " is taken by " STR_FMT,
	    STR_ARG(place), STR_ARG(owner.data != NULL ? owner :
	    STR("another process")));
}

static int
open_port(struct arena *arena, struct str name, uint16_t port,
    uint16_t last_port, struct io_listener *out, struct str *why)
{
	struct io_address address;
	int error = -EADDRINUSE;
	unsigned at = port;

	for (; at <= last_port; at++) {
		if (!find_address(name, (uint16_t)at, &address)) {
			*why = arena_printf(arena, "'" STR_FMT "' is no "
			    "address of this machine", STR_ARG(name));
			return -EADDRNOTAVAIL;
		}
		error = try_port(&address, &out->fd);
		if (error != -EADDRINUSE && error != -EACCES)
			break;
	}
	if (error == 0) {
		out->port = (uint16_t)at;
		return 0;
	}
	out->fd = -1;
	if (port == last_port || (error != -EADDRINUSE && error != -EACCES))
		*why = why_not(arena, name, port, error, &address);
	else
		*why = arena_printf(arena, "no port from %u to %u is free on "
		    STR_FMT, port, last_port, STR_ARG(name));
	return error;
}

/* ----------------------------------------------------------------- unix -- */

/* Does somebody listen there?  A connection that must wait is an answer. */
static bool
is_alive(const struct sockaddr_un *address)
{
	int fd = new_socket(AF_UNIX);
	bool alive = true;

	if (fd < 0)
		return true;
	if (connect(fd, (const void *)address, sizeof *address) != 0)
		alive = errno != ECONNREFUSED;
	close(fd);
	return alive;
}

/* May what is at the path go?  Only our own socket without a listener. */
static bool
remove_stale(struct arena *arena, const struct sockaddr_un *address,
    struct str *why)
{
	struct stat info;
	const char *path = address->sun_path;

	if (lstat(path, &info) != 0)
		return true;
	if (!S_ISSOCK(info.st_mode)) {
		*why = arena_printf(arena, "%s is there and is no socket",
		    path);
		return false;
	}
	if (info.st_uid != geteuid() || is_alive(address)) {
		struct str owner = io_owner_of_path(arena, str_from(path));
		*why = arena_printf(arena, "%s is taken by " STR_FMT, path,
		    STR_ARG(owner.data != NULL ? owner :
		    STR("another process")));
		return false;
	}
	return unlink(path) == 0 || errno == ENOENT;
}

static int
open_path(struct arena *arena, struct str path, struct io_listener *out,
    struct str *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat info;
	int fd, error;

	if (path.len >= sizeof address.sun_path) {
		*why = arena_printf(arena, "the path of a socket has at most "
		    "%zu bytes", sizeof address.sun_path - 1);
		return -ENAMETOOLONG;
	}
	memcpy(address.sun_path, path.data, path.len);
	*why = (struct str){0};
	if (!remove_stale(arena, &address, why)) {
		if (why->data == NULL)
			*why = arena_printf(arena, "cannot remove " STR_FMT,
			    STR_ARG(path));
		return -EADDRINUSE;
	}
	fd = new_socket(AF_UNIX);
	if (fd < 0) {
		*why = no_descriptor(arena, fd);
		return fd;
	}
	fchmod(fd, 0600);	/* that of the file, from its first moment */
	error = bind_and_listen(fd, &address, sizeof address);
	if (error != 0) {
		*why = arena_printf(arena, "cannot listen on " STR_FMT ": %s",
		    STR_ARG(path), strerror(-error));
		return error;
	}
	memcpy(out->path, address.sun_path, sizeof out->path);
	out->fd = fd;
	if (lstat(out->path, &info) == 0) {
		out->device = info.st_dev;
		out->inode = info.st_ino;
	}
	return 0;
}

/* ------------------------------------------------------------------ use -- */

int
io_listen_open(struct arena *arena, struct str address, uint16_t port,
    uint16_t last_port, struct io_listener *out, struct str *why)
{
	*out = (struct io_listener){ .fd = -1 };
	if (str_find(address, '/') >= 0)
		return open_path(arena, address, out, why);
	return open_port(arena, address, port, last_port, out, why);
}

void
io_listen_close(struct io_listener *listener)
{
	struct stat info;

	if (listener->fd < 0)
		return;
	/* A worker may have a copy: this ends it for all. */
	shutdown(listener->fd, SHUT_RDWR);
	close(listener->fd);
	listener->fd = -1;
	if (listener->path[0] != '\0' &&
	    lstat(listener->path, &info) == 0 &&
	    info.st_dev == listener->device &&
	    info.st_ino == listener->inode)
		unlink(listener->path);
}

/* Where nothing is yet, its directory has to be there, and ours to use. */
static int
may_make_in(struct arena *arena, struct str path)
{
	struct str directory = str_sub(path, 0,
	    (size_t)(str_rfind(path, '/') + 1));

	return access(arena_str(arena, directory).data, W_OK | X_OK) == 0 ?
	    0 : -errno;
}

static int
may_use_path(struct arena *arena, struct str path, struct str *owner)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat info;

	if (path.len >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path.data, path.len);
	if (lstat(address.sun_path, &info) != 0)
		return may_make_in(arena, path);
	if (!S_ISSOCK(info.st_mode))
		return -EEXIST;
	if (info.st_uid == geteuid() && !is_alive(&address))
		return 0;
	*owner = io_owner_of_path(arena, path);
	return -EADDRINUSE;
}

int
io_may_listen(void *ctx, struct arena *arena, struct str name, uint16_t port,
    struct str *owner)
{
	struct io_address address;
	int error, fd = -1;

	(void)ctx;
	*owner = (struct str){0};
	if (str_starts(name, STR("/")))
		return may_use_path(arena, name, owner);
	if (!find_address(name, port, &address))
		return -EADDRNOTAVAIL;
	error = try_port(&address, &fd);
	if (error == 0)
		close(fd);
	else if (error == -EADDRINUSE)
		*owner = io_owner_of_port(arena,
		    (const void *)&address.storage);
	return error;
}
