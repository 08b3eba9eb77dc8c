/* ssh.c - words of what ssh.h declares */
#include "base/ssh.h"

#include <assert.h>

static const struct {
	const char *words;
	bool repeatable;
} tasks[] = {
	[SSH_LOGIN] = { "log in", true },
	[SSH_RUN] = { "run a command", false },
	[SSH_COPY] = { "copy", true },
	[SSH_PROCESS] = { "start the process", true },
	[SSH_RUNNER_INSTALL] = { "install the runner", true },
	[SSH_RUNNER_START] = { "start the runner", true },
	[SSH_RUNNER_LOOK] = { "look at the runner", true },
	[SSH_RUNNER_STOP] = { "stop the runner", true },
};
_Static_assert(COUNTOF(tasks) == SSH_TASK_COUNT, "a row per task");

const char *
ssh_task_words(enum ssh_task task)
{
	assert((size_t)task < COUNTOF(tasks));
	return tasks[task].words;
}

bool
ssh_task_repeatable(enum ssh_task task)
{
	assert((size_t)task < COUNTOF(tasks));
	return tasks[task].repeatable;
}
