/*
 * files.h - files on the pod, by SFTP version 3.
 *
 * A client of our own rather than libssh2's: that one pays a round trip per
 * call, keeps one state for all files of a session, and has had six holes.
 * Jobs are done one after the other over one channel, which is opened for
 * the first and closed when none came for a while.
 */
#ifndef PODFORM_SSH_FILES_H
#define PODFORM_SSH_FILES_H

#include "cmd/podform-ssh/worker.h"

/* PUT, GET, LIST, STAT, MKDIR, RENAME, REMOVE; takes the descriptor. */
void files_message(struct worker *worker, struct wire *message);
/* True if there was such a job. */
bool files_cancel(struct worker *worker, uint32_t id);
void files_turn(struct worker *worker);

#endif
