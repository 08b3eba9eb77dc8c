/*
 * files.h - files on the pod, by SFTP.
 */
#ifndef PODFORM_SSH_FILES_H
#define PODFORM_SSH_FILES_H

#include "cmd/podform-ssh/worker.h"

/* PUT, GET, LIST, STAT, MKDIR, RENAME, REMOVE. */
void files_message(struct worker *worker, struct wire *message);
void files_turn(struct worker *worker);

#endif
