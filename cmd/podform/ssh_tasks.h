/*
 * ssh_tasks.h - start_ssh() of struct world: what the engine asks to be done
 * inside pods.
 */
#ifndef CMD_SSH_TASKS_H
#define CMD_SSH_TASKS_H

#include "app.h"

/* Put it into app->world; before anything else wraps that. */
void ssh_tasks_attach(struct app *app);
/* Forget a task; false: it is not one of these. */
bool ssh_tasks_cancel(uint64_t token);

#endif
