/* io_fd.c - see io_fd.h */
#include "io/io_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
io_fd_above_standard(int fd)
{
	int high, error;

	if (fd < 0 || fd > 2)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	error = errno;
	close(fd);
	errno = error;
	return high;
}
