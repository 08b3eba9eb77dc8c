/*
 * sandbox_args.h - what bwrap is told: the files and mounts of a pod.
 *
 * bwrap reads its arguments from a descriptor, so that no other user sees
 * the pod's environment in a process list; the files of the pod are handed
 * over as memory files, so that nothing has to be cleaned up on disk.
 */
#ifndef SIM_SANDBOX_ARGS_H
#define SIM_SANDBOX_ARGS_H

#include <stdio.h>

#include "cmd/podform-sim/sandbox.h"

#define LAUNCH_FDS_MAX 20

/* All descriptors are close-on-exec; the child that execs bwrap opens them. */
struct launch {
	FILE *args;		/* memory file that --args will read */
	int fds[LAUNCH_FDS_MAX];	/* data for bwrap, owned */
	size_t nfds;
	uid_t uid;		/* who bwrap and all inside run as */
	gid_t gid;
	bool failed;		/* something was not to be had; see errno */
};

/* As this user, or, if as_nobody, as 65534 (only root can). */
bool launch_begin(struct launch *launch, bool as_nobody);
void launch_release(struct launch *launch);

/* Add one argument, or several up to a NULL. */
void launch_arg(struct launch *launch, const char *arg);
void launch_args(struct launch *launch, const char *arg, ...)
    __attribute__((sentinel));

/* The root file system that every pod has. */
void launch_root(struct launch *launch, const char *host_name);
/* The files and environment of this one, with sshd on port. */
void launch_pod(struct launch *launch, const struct sandbox_config *config,
    uint16_t port);

/* The descriptor for --args, positioned at its beginning; -1 on failure. */
int launch_end(struct launch *launch);

#endif
