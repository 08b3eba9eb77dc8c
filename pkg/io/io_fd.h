/*
 * io_fd.h - where new descriptors go.
 */
#ifndef IO_FD_H
#define IO_FD_H

/*
 * Descriptors 0 to 2 may be closed: whoever prints must not hit a file or a
 * socket.  Takes fd and returns it, or another for the same that is above
 * them; -1 with errno where there is none, or where fd was negative already.
 */
int io_fd_above_standard(int fd);

#endif
