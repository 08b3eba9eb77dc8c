/*
 * holder_place.h - where the holder of a project's tunnels is found.
 *
 * Everything is in .podform, seen from the project's directory, where the
 * holder and its clients all work; so the socket's path is short, wherever
 * the project is (a socket's path has at most 107 bytes).
 *
 * Who holds the kernel's lock is the holder; the pid in that file is for
 * people.
 */
#ifndef CMD_HOLDER_PLACE_H
#define CMD_HOLDER_PLACE_H

#include <stdbool.h>

#define HOLDER_SOCKET ".podform/holder.sock"
#define HOLDER_LOCK ".podform/holder.lock"
#define HOLDER_LOG ".podform/tunnels.log"

/* Connect to the holder: a descriptor, or -errno.  Never blocks. */
int holder_connect(void);

/* Is the other end of our own user? */
bool holder_peer_is_us(int fd);

/* The lock, of nobody else: a descriptor that is the lock, or -errno;
 * -EWOULDBLOCK when there is a holder. */
int holder_take_lock(void);

#endif
