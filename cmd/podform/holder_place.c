/* holder_place.c - see holder_place.h */
#include "holder_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/io_fd.h"

int
holder_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX,
		.sun_path = HOLDER_SOCKET };
	int fd = io_fd_above_standard(socket(AF_UNIX, SOCK_STREAM |
	    SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	int error;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const void *)&address, sizeof address) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

bool
holder_peer_is_us(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    peer.uid == geteuid();
}

int
holder_take_lock(void)
{
	struct stat info;
	int fd = open(HOLDER_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW |
	    O_CLOEXEC | O_NOCTTY, 0600);
	int error;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) ||
	    info.st_uid != geteuid())
		error = EPERM;
	else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		error = errno;
	else {
		if (ftruncate(fd, 0) == 0)
			dprintf(fd, "pid %d\n", (int)getpid());
		return fd;
	}
	close(fd);
	return -error;
}
