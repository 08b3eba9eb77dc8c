/*
 * task_log.h - the command that prints a log on a pod, for ssh_exec().
 *
 * Pure.  Where the logs are is known to task.c and task_runner.c, which make
 * the scripts that write them; here is how they are found again.
 */
#ifndef SSH_TASK_LOG_H
#define SSH_TASK_LOG_H

#include "base/arena.h"
#include "base/str.h"

enum { TASK_NO_LOG = 66 };		/* status: there is none */

struct task_log {
	struct str runner;	/* its name at GitHub; absent: the process */
	struct str path;	/* of the process' log, as the spec has it;
				   absent: where the supervisor writes it */
	unsigned lines;		/* the last ones */
	bool follow;		/* for ever, also if it is not there yet */
};

/* In the arena; absent when the runner cannot be called so. */
struct str task_log_command(struct arena *arena, const struct task_log *log);

#endif
