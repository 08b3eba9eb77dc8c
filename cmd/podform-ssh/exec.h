/*
 * exec.h - commands, with their three streams.
 */
#ifndef PODFORM_SSH_EXEC_H
#define PODFORM_SSH_EXEC_H

#include "cmd/podform-ssh/worker.h"

/* EXEC, and INPUT, INPUT_END, CREDIT of such a channel. */
void exec_message(struct worker *worker, struct wire *message);

#endif
