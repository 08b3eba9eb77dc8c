/* main.c - which of the two programs it is, and where its files are. */
#include "standin.h"

#include <libgen.h>
#include <string.h>
#include <unistd.h>

/* The runner's root is above bin/. */
static bool
go_to_root(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n <= 0)
		return false;
	path[n] = '\0';
	return chdir(dirname(dirname(path))) == 0;
}

int
main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (!go_to_root()) {
		fprintf(stderr, "cannot find the runner's own directory\n");
		return 1;
	}
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--version") == 0) {
			puts(standin_version);
			return 0;
		}
	if (strcmp(command, "spawnclient") == 0)
		return standin_work();
	if (strcmp(command, "configure") == 0)
		return standin_configure(argc - 2, argv + 2);
	if (strcmp(command, "remove") == 0)
		return standin_remove(argc - 2, argv + 2);
	if (strcmp(command, "run") == 0)
		return standin_run(argc - 2, argv + 2);
	fprintf(stderr, "usage: Runner.Listener configure|remove|run\n");
	return 1;
}
