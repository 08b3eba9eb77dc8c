/*
 * io_listen.h - listeners of this machine: for tunnels, and whose they are.
 *
 * TCP on an address (a number, localhost, or a name, which is looked up and
 * may block), or a unix socket (a path, which has a
 * slash): mode 0600, one that is there is
 * removed only if it is a socket of ours on which nobody listens.
 */
#ifndef IO_LISTEN_H
#define IO_LISTEN_H

#include <sys/types.h>

#include "base/arena.h"

struct io_listener {
	int fd;			/* close-on-exec, non-blocking; -1: none */
	uint16_t port;		/* 0 with a path */
	char path[108];		/* "" for TCP */
	dev_t device;		/* of the path: another one is not ours */
	ino_t inode;
};

/*
 * Listen on the first free port of port..last_port.  0, or -errno with what
 * people need to know in *why, in the arena: "127.0.0.1:8188 is taken by
 * python3 (pid 4711)".
 */
int io_listen_open(struct arena *arena, struct str address, uint16_t port,
    uint16_t last_port, struct io_listener *out, struct str *why);

/*
 * Nobody can connect any more, not even where copies of the descriptor are
 * left; the path is removed.  Harmless when it is closed.
 */
void io_listen_close(struct io_listener *listener);

/*
 * may_listen() of struct world: 0, or -errno with the owner where it can be
 * known ("python3 (pid 4711)"; else absent).
 */
int io_may_listen(void *ctx, struct arena *arena, struct str address,
    uint16_t port, struct str *owner);

#endif
