/* disks.c - see disks.h */
#include "disks.h"

#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct disks {
	char path[256];
};

struct disks *
disks_new(void)
{
	struct disks *disks = calloc(1, sizeof *disks);
	const char *base = getenv("TMPDIR");

	if (disks == NULL)
		fail_out_of_memory();
	snprintf(disks->path, sizeof disks->path, "%.200s/podform-sim-XXXXXX",
	    base != NULL && base[0] == '/' ? base : "/tmp");
	if (mkdtemp(disks->path) == NULL) {
		free(disks);
		return NULL;
	}
	/* A pod of root's may run as nobody, who must get through. */
	if (getuid() == 0)
		chmod(disks->path, 0711);
	return disks;
}

static int
remove_one(const char *path, const struct stat *info, int type,
    struct FTW *at)
{
	(void)info;
	(void)type;
	(void)at;
	remove(path);
	return 0;
}

void
disks_free(struct disks *disks)
{
	if (disks == NULL)
		return;
	nftw(disks->path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	free(disks);
}

const char *
disks_find(struct disks *disks, struct arena *arena, struct str id)
{
	const char *path;

	for (size_t i = 0; i < id.len; i++)
		if (!isalnum((unsigned char)id.data[i]))
			return NULL;
	if (disks == NULL || id.len == 0)
		return NULL;
	path = arena_printf(arena, "%s/" STR_FMT, disks->path,
	    STR_ARG(id)).data;
	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? path : NULL;
	if (getuid() == 0)
		chmod(path, 0777);
	return path;
}
