/*
 * resolve.h - from a host to a socket address, without blocking.
 *
 * Private to pkg/ssh.  RunPod gives addresses, which are read at once; a
 * name is looked up by a thread, since getaddrinfo() can only block.  The
 * thread touches nothing but its own request, which lives until both sides
 * are done with it.
 */
#ifndef SSH_RESOLVE_H
#define SSH_RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct resolve;

struct resolve_address {
	struct sockaddr_storage storage;
	socklen_t len;
};

/* An IPv4 or IPv6 address in numbers. */
bool resolve_number(const char *host, uint16_t port,
    struct resolve_address *out);
/* NULL if no thread or descriptor is to be had. */
struct resolve *resolve_start(const char *host, uint16_t port);
int resolve_fd(const struct resolve *resolve);	/* readable when done */
bool resolve_take(const struct resolve *resolve, struct resolve_address *out);
void resolve_free(struct resolve *resolve);	/* also while it runs */

#endif
