/*
 * io_owner.h - which process listens there?  Private to pkg/io.
 *
 * Out of /proc: listening sockets with their inodes, and the descriptors of
 * the processes that we may look into, which without root are our own.
 */
#ifndef IO_OWNER_H
#define IO_OWNER_H

#include <sys/socket.h>

#include "base/arena.h"

/* "python3 (pid 4711)", "a process of user 33"; absent: not known. */
struct str io_owner_of_port(struct arena *arena,
    const struct sockaddr *address);
struct str io_owner_of_path(struct arena *arena, struct str path);

#endif
