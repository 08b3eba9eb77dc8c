/*
 * agent.h - the protocol of ssh-agent: which keys has it, and sign this.
 *
 * Private to pkg/ssh.  An operation is a connection of its own, one request
 * and one answer, without blocking: it has a descriptor to be polled and is
 * stepped until it is done.  Who owns it sets the deadline.  An answer is
 * bytes of another process: bounded, and parsed strictly.
 *
 * Facts: draft-ietf-sshm-ssh-agent.
 */
#ifndef SSH_AGENT_H
#define SSH_AGENT_H

#include "base/arena.h"
#include "base/str.h"

struct agent_op;

enum agent_step {
	AGENT_READ, AGENT_WRITE,	/* when the descriptor is ready */
	AGENT_DONE,
	AGENT_FAILED,			/* see agent_op_why() */
};

struct agent_key {
	struct str blob, comment;
};

/* Never NULL: what fails at once is found by the first step. */
struct agent_op *agent_op_list(struct str socket);
struct agent_op *agent_op_sign(struct str socket, struct str blob,
    struct str data);
void agent_op_free(struct agent_op *op);	/* NULL is harmless */

int agent_op_fd(const struct agent_op *op);	/* -1: failed already */
enum agent_step agent_op_step(struct agent_op *op);
const char *agent_op_why(const struct agent_op *op);

/* Of a finished one; false for an answer that is none.  In the arena. */
bool agent_op_keys(const struct agent_op *op, struct arena *arena,
    struct agent_key **keys, size_t *n);
bool agent_op_signature(const struct agent_op *op, struct arena *arena,
    struct str *signature);

/* Step it to its end, for timeout_ms at most: done or failed. */
bool agent_op_finish(struct agent_op *op, int timeout_ms);

/* May podform offer this key?  Not RSA, not certificates, not FIDO. */
bool agent_key_usable(struct str blob);

#endif
