/*
 * transport.h - the socket under libssh2.
 *
 * libssh2 reads and writes through these two functions of ours, which
 * count, bound, keep what the kernel does not take at once, and look at the
 * part of the handshake that is in the clear.
 */
#ifndef PODFORM_SSH_TRANSPORT_H
#define PODFORM_SSH_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	TRANSPORT_BANNER_MAX = 64 << 10,	/* up to its SSH- line */
	TRANSPORT_OFFER_MAX = 16 << 10,
	TRANSPORT_OUT_MAX = 8 << 20,
};

enum transport_stage {
	TRANSPORT_BANNER,	/* until the line that starts with SSH- */
	TRANSPORT_OFFER,	/* its first packet: what it can do */
	TRANSPORT_SEALED,
};

struct transport {
	int fd;
	size_t quota;		/* bytes that may be read before it blocks */
	uint64_t received, sent;
	int64_t heard_us;	/* when a byte came last */
	int64_t *now_us;	/* the worker's reading of the clock */
	bool ended;		/* they closed it */
	bool flooded;		/* no banner within TRANSPORT_BANNER_MAX */
	bool old;		/* its banner is of another version */
	int error;		/* errno of what broke it; 0 */

	char *in;		/* read ahead; during the handshake only */
	size_t in_at, in_end;
	char *out;		/* not yet taken by the kernel */
	size_t out_at, out_end, out_size;

	enum transport_stage stage;
	size_t banner_bytes, line_at;
	char line[256];		/* of the banner; not terminated */
	unsigned char *offer;	/* its first packet, from the length on */
	size_t offer_size;
};

void transport_init(struct transport *transport, int fd, int64_t *now_us);
/* The handshake is over: forget what was kept for it. */
void transport_sealed(struct transport *transport);
ssize_t transport_read(struct transport *transport, void *buffer,
    size_t size);
ssize_t transport_write(struct transport *transport, const void *bytes,
    size_t size);
/* Send what waits: false if the socket is broken. */
bool transport_flush(struct transport *transport);
size_t transport_unsent(const struct transport *transport);

#endif
