/*
 * wire.h - what podform and its worker, podform-ssh, say to each other.
 *
 * A SOCK_SEQPACKET socketpair per worker; one message is one packet: a fixed
 * head of 32 bytes, then at most WIRE_PAYLOAD_MAX bytes.  Numbers are in the
 * machine's own order, since both ends are one build on one machine.
 * Descriptors travel with SCM_RIGHTS, one at most per message.
 *
 * The worker talks to a host that may belong to a stranger, so it is given
 * nothing worth having: no private key (we sign what it needs signed), no
 * API key, no name to resolve, no address to connect to (it gets sockets
 * that are connected).  What it says is checked like any other input.
 *
 *	podform                               podform-ssh
 *	   |-- LOGIN (socket, user) -------------->|  handshake
 *	   |<------------- HOST_KEY (key, methods) |
 *	   |-- TRUST or QUIT --------------------->|
 *	   |-- IDENTITY (public key) ------------->|  is it accepted?
 *	   |<-------------------------- SIGN (...) |
 *	   |-- SIGNATURE ------------------------->|
 *	   |<-- UP, or REJECTED: next IDENTITY     |
 *	   |-- EXEC, PUT, FORWARD ... ------------>|
 *	   |<-- OUT, EXIT, DONE, STATS ...         |
 *	   |<-- DOWN (why): the worker ends        |
 *
 * The server of workers: `podform-ssh` is started once, with its end of a
 * SOCK_SEQPACKET pair as descriptor 3.  Each message on it is SPAWN with the
 * descriptor of a new pair; it forks a worker for that and stays ready, so
 * that fifty sessions load libssh2 and libcrypto once.  When descriptor 3 is
 * closed it ends; workers end when their own pair is closed.
 */
#ifndef SSH_WIRE_H
#define SSH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	WIRE_VERSION = 1,
	WIRE_HEAD = 32,
	WIRE_PAYLOAD_MAX = 32 << 10,
	/* Output that a worker may have sent ahead of WIRE_CREDIT, per
	 * channel: bounds what waits in the socketpair and in podform. */
	WIRE_CREDIT_FIRST = 256 << 10,
};

enum wire_type {
	/* To the server of workers. */
	WIRE_SPAWN = 1,		/* fd; a: WIRE_VERSION */

	/* To a worker. */
	WIRE_LOGIN,		/* fd: socket; payload: user; a: deadline for
				   the whole login in ms; b: keepalive in s
				   (0: 15) */
	WIRE_TRUST,		/* the host key is the right one */
	WIRE_IDENTITY,		/* payload: public key blob */
	WIRE_SIGNATURE,		/* payload: signature blob as in RFC 4253
				   ("ssh-ed25519", ...); empty: refused */
	WIRE_NO_IDENTITY,	/* there are no more: give up */
	WIRE_EXEC,		/* channel; payload: command; a: 1 merges
				   standard error into output */
	WIRE_INPUT,		/* channel; payload: for its standard input */
	WIRE_INPUT_END,		/* channel */
	WIRE_CREDIT,		/* channel; a: more output bytes may come */
	WIRE_CANCEL,		/* channel: close it, whatever it is */
	WIRE_PUT,		/* channel; fd: file to read; payload: remote
				   path; a: mode; b: size */
	WIRE_GET,		/* channel; fd: file to write; payload: remote
				   path; b: most bytes */
	WIRE_LIST,		/* channel; payload: remote directory */
	WIRE_STAT,		/* channel; payload: remote path; a: 1 follows
				   links */
	WIRE_MKDIR,		/* channel; payload: path; a: mode; one that
				   exists is fine, and DONE says b: 1 */
	WIRE_RENAME,		/* channel; payload: from NUL to; replaces */
	WIRE_REMOVE,		/* channel; payload: path of a file */
	WIRE_CHMOD,		/* channel; payload: path; a: mode */
	WIRE_FORWARD,		/* channel (of the forward); a: enum
				   tunnel_direction; fd: listener (local,
				   dynamic); payload: host NUL port, of the
				   target (local) or to listen on (remote) */
	WIRE_CONNECTED,		/* channel of a remote forward; a: number from
				   WANT_CONNECT; fd: socket, none: refused */
	WIRE_UNFORWARD,		/* channel: close it and its connections */
	WIRE_QUIT,		/* disconnect and end */

	/* From a worker. */
	WIRE_HOST_KEY,		/* payload: key blob; then NUL and the
				   negotiated methods as text; a: length of
				   the blob */
	WIRE_SIGN,		/* payload: what is to be signed with the key
				   of the last IDENTITY */
	WIRE_REJECTED,		/* that identity is not accepted */
	WIRE_UP,		/* logged in */
	WIRE_OUT,		/* channel; a: 1 output, 2 errors; payload */
	WIRE_TAKEN,		/* channel; a: bytes of INPUT that went to the
				   pod: at most 1 MiB should be ahead of it */
	WIRE_EXIT,		/* channel; a: status, or -1; payload: name of
				   a signal, or empty.  The channel is over */
	WIRE_ENTRY,		/* channel; payload: name; a: mode with type
				   bits as st_mode; b: size (list, stat) */
	WIRE_PROGRESS,		/* channel; b: bytes so far (put, get) */
	WIRE_DONE,		/* channel; it is done (of all about files: list
				   and stat say so after their entries);
				   put, get: b: bytes; payload: SHA-256 of what
				   was copied, 32 bytes.  Over */
	WIRE_FAILED,		/* channel; a: enum wire_failure; payload:
				   words.  Over */
	WIRE_LISTENING,		/* channel: a forward is ready; a: the port
				   (remote forwards of port 0) */
	WIRE_WANT_CONNECT,	/* channel of a remote forward; a: number */
	WIRE_STATS,		/* channel of a forward; a: connections open;
				   b: bytes from, c: bytes to the pod, in all.
				   When they changed, once a second at most */
	WIRE_RTT,		/* b: microseconds, of a keepalive */
	WIRE_DOWN,		/* a: enum wire_failure; payload: words.  The
				   worker ends after it */
	WIRE_TYPE_COUNT
};

enum wire_failure {
	WIRE_FAIL_NONE,
	WIRE_FAIL_BANNER,	/* no SSH server there, or too slow */
	WIRE_FAIL_KEX,		/* it offers nothing that we speak */
	WIRE_FAIL_AUTH,
	WIRE_FAIL_LOST,		/* connection gone, or silent for 45 s; during
				   the handshake another try may do better */
	WIRE_FAIL_TIMEOUT,
	WIRE_FAIL_PROTOCOL,	/* it does not keep to the protocol */
	WIRE_FAIL_REFUSED,	/* channel, forward or file: the server says
				   no */
	WIRE_FAIL_MISSING,	/* no such file */
	WIRE_FAIL_LOCAL,	/* a file or limit of this machine */
	WIRE_FAIL_CANCELLED,
};

struct wire {
	uint32_t type;		/* enum wire_type */
	uint32_t channel;	/* chosen by podform, 1 and up; 0: none */
	int64_t a, b, c;
	/* Not part of the head: */
	const void *payload;
	size_t size;
	int fd;			/* -1: none; who gets it owns it */
};

/* Send one message: 0, -EAGAIN, or -errno.  Never blocks. */
int wire_send(int socket, const struct wire *message);
/*
 * Receive one: 1; 0 when the other end is closed; -EAGAIN; -EPROTO for what
 * is no message.  The payload is in buffer, WIRE_PAYLOAD_MAX bytes, and a
 * NUL is behind it (so the buffer has one byte more).
 */
int wire_receive(int socket, char *buffer, struct wire *message);
/* A pair: blocking is off at [0], which is podform's, and close-on-exec is
 * set on both. */
int wire_pair(int pair[2]);

#endif
