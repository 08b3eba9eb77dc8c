/*
 * events.c - the least that a validation has to do.
 *
 *	events FILE
 */
#include "events.h"

int
main(int argc, char **argv)
{
	if (argc == 2)
		return events_read(argv[1]);
	fputs("usage: events FILE\n", stderr);
	return 3;
}
