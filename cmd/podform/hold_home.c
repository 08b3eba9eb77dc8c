/* hold_home.c - see hold_home.h */
#include "hold_home.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holder_place.h"

int
hold_home_watch(void)
{
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	/* The number of links is an attribute; IN_DELETE_SELF would come only
	 * when the file is closed, too, and we have it open. */
	if (watch >= 0 && inotify_add_watch(watch, HOLDER_LOCK, IN_ATTRIB) < 0) {
		close(watch);
		return -1;
	}
	return watch;
}

bool
hold_home_gone(int watch, int lock)
{
	char events[4096];
	struct stat info;

	while (read(watch, events, sizeof events) > 0)
		;
	return fstat(lock, &info) == 0 && info.st_nlink == 0;
}
