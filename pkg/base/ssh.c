/* ssh.c - words of what ssh.h declares */
#include "base/ssh.h"

#include <assert.h>

static const char *const tasks[] = {
	[SSH_LOGIN] = "log in",
	[SSH_RUN] = "run a command",
	[SSH_COPY] = "copy",
	[SSH_PROCESS] = "start the process",
	[SSH_RUNNER_INSTALL] = "install the runner",
	[SSH_RUNNER_START] = "start the runner",
	[SSH_RUNNER_LOOK] = "look at the runner",
	[SSH_RUNNER_STOP] = "stop the runner",
};
_Static_assert(COUNTOF(tasks) == SSH_TASK_COUNT, "a row per task");

const char *
ssh_task_words(enum ssh_task task)
{
	assert((size_t)task < COUNTOF(tasks));
	return tasks[task];
}
