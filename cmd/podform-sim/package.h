/*
 * package.h - the stand-in runner package, as a tarball.
 *
 * Flat, like the real one: config.sh, run.sh, run-helper.sh.template, bin/.
 * The two programs in bin/ are one (cmd/podform-sim/runner), which the build
 * has put into podform-sim itself.
 */
#ifndef SIM_PACKAGE_H
#define SIM_PACKAGE_H

#include "base/arena.h"

struct package {
	const char *version;		/* "9.999.0" */
	struct str bytes;		/* .tar.gz */
	const char *sha256;		/* hex */
};

/* Make one of this version; all of it is in the arena. */
struct package package_make(struct arena *arena, const char *version);

#endif
