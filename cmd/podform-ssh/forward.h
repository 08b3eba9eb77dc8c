/*
 * forward.h - forwards: local, dynamic (SOCKS) and remote.
 */
#ifndef PODFORM_SSH_FORWARD_H
#define PODFORM_SSH_FORWARD_H

#include "cmd/podform-ssh/worker.h"

/* FORWARD, CONNECTED, UNFORWARD. */
void forward_message(struct worker *worker, struct wire *message);
/* End a forward and its connections: false if there is none of this id. */
bool forward_cancel(struct worker *worker, uint32_t id);
void forward_watch(struct worker *worker);
/* Look for connections to remote forwards: true if the library read. */
bool forward_pump(struct worker *worker);
void forward_turns(struct worker *worker);

#endif
