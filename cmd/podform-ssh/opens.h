/*
 * opens.h - several channels that are being opened at the same time.
 *
 * libssh2 keeps the state of an open in the session: there is one, and the
 * next open has to wait for the answer to it, a round trip each, or half a
 * minute where a target is silent.  Here that state is taken out of the
 * session while an answer is awaited, and put back to ask for it:
 *
 *	opens_begin()  libssh2_channel_open_ex(), EAGAIN  opens_park()
 *	opens_resume() libssh2_channel_open_ex(), EAGAIN  opens_park() ...
 *
 * Where it is in the session is no interface of the library.  So it is looked
 * for, by what is known of the first open: one place where the addresses of
 * its parts, their sizes and its number stand in the order of libssh2 1.10.
 * Where they do not, opens_park() says no, and one waits for the other as the
 * library has it.
 */
#ifndef PODFORM_SSH_OPENS_H
#define PODFORM_SSH_OPENS_H

#include <libssh2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* An open, as struct _LIBSSH2_SESSION has it. */
struct open_state {
	int state;
	time_t start;
	LIBSSH2_CHANNEL *channel;	/* in the session's list already */
	unsigned char *packet;
	size_t packet_size;
	unsigned char *data;
	size_t data_size;
	uint32_t local;
};

/* Just before the first call for a channel of this type. */
void opens_begin(const char *type);
/* The call said EAGAIN: take its state out of the session, which is free for
 * another open then.  Of one that was parked before, *open is known. */
bool opens_park(LIBSSH2_SESSION *session, const char *type,
    struct open_state *open);
/* Put it back: only when no other is in the session. */
void opens_resume(LIBSSH2_SESSION *session, const struct open_state *open);

#endif
