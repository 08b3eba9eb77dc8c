/*
 * io_resolve.h - from a host to an address, without blocking the loop.
 *
 * Private to pkg/io.  Numbers are read at once.  A name is looked up by a
 * thread, since getaddrinfo() can only block; the thread touches nothing but
 * its own request, which lives until both sides are done with it.
 */
#ifndef IO_RESOLVE_H
#define IO_RESOLVE_H

#include <sys/socket.h>

#include "base/str.h"

struct io_address {
	struct sockaddr_storage storage;
	socklen_t len;
};

/* 127.0.0.1 or ::1, without any look-up; false for a name. */
bool io_resolve_number(const char *host, uint16_t port,
    struct io_address *out);

/* A socket that is connected, or will be when it can be written to, and does
 * not block; or -errno. */
int io_resolve_connect(const struct io_address *address);

struct io_resolve;

/* Begin; NULL if no thread or descriptor is to be had. */
struct io_resolve *io_resolve_start(const char *host, uint16_t port);
int io_resolve_fd(const struct io_resolve *resolve); /* readable when done */
bool io_resolve_take(struct io_resolve *resolve, struct io_address *out);
/* Also while it runs; NULL is harmless. */
void io_resolve_free(struct io_resolve *resolve);

#endif
