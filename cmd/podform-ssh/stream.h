/*
 * stream.h - one connection through a forward: a socket and a channel.
 */
#ifndef PODFORM_SSH_STREAM_H
#define PODFORM_SSH_STREAM_H

#include "cmd/podform-ssh/channel.h"

/* What is known of a forward, for all of its connections. */
struct forward {
	struct forward *next;
	uint32_t id;
	int direction;			/* enum tunnel_direction */
	int listener;			/* -1: none (remote) */
	short ready;			/* revents of it */
	int64_t pause_us;		/* do not accept before */
	char *host;			/* target, or where to listen */
	int port;
	LIBSSH2_LISTENER *ssh;
	bool asked, asking;		/* remote: the server was, is asked */
	bool over;			/* to be ended */
	int64_t until_us;
	int64_t next_number;		/* of WANT_CONNECT */
	size_t connections;
	uint64_t in, out;		/* bytes from and to the pod */
	uint64_t said_in, said_out;
	size_t said_connections;
	int64_t said_us;
};

/* A client of a local or dynamic forward; takes fd. */
void stream_client(struct worker *worker, struct forward *forward, int fd);
/* A connection that the server opened: waits for podform's socket. */
void stream_remote(struct worker *worker, struct forward *forward,
    LIBSSH2_CHANNEL *ssh);
/* That socket, or -1: refused.  Takes it. */
void stream_connected(struct worker *worker, struct forward *forward,
    int64_t number, int fd);
/* Close all of a forward. */
void stream_end_all(struct worker *worker, struct forward *forward);

/* --- socks.c --- */
enum socks_result { SOCKS_MORE, SOCKS_OK, SOCKS_BAD };
struct socks {
	unsigned char bytes[600];
	size_t size;
	bool greeted, five;
	char host[256];
	int port;
};
/* Look at what came.  *answer (of 8 bytes at most) is to be sent. */
enum socks_result socks_step(struct socks *socks, unsigned char *answer,
    size_t *answer_size);
/* What is said when the connection stands, or does not. */
size_t socks_answer(const struct socks *socks, bool ok,
    unsigned char answer[10]);

#endif
