/*
 * opens.c - the state of an open, out of the session and back: see opens.h.
 */
#include "cmd/podform-ssh/opens.h"

#include <assert.h>
#include <string.h>

#include "cmd/podform-ssh/library.h"

enum {
	STATE_IDLE = 0, STATE_CREATED = 2, STATE_SENT = 3,
	MSG_CHANNEL_OPEN = 90,
	/* What follows is not of the open, though it may be in the same
	 * word. */
	STATE_SIZE = offsetof(struct open_state, local) + sizeof(uint32_t),
	NOT_LOOKED_FOR = -1, NOT_THERE = -2,
};

static ptrdiff_t place = NOT_LOOKED_FOR;

static size_t
packet_size(const char *type)
{
	return strlen(type) + 17;
}

void
opens_begin(const char *type)
{
	library_note(packet_size(type));
}

/* Does this describe the open of that packet, which waits for its answer? */
static bool
is_state(const struct open_state *open, const char *type,
    const unsigned char *packet)
{
	size_t length = strlen(type);
	const unsigned char *local;

	if (packet == NULL)
		return false;
	local = packet + 5 + length;
	return open->packet == packet &&
	    open->packet_size == packet_size(type) &&
	    packet[0] == MSG_CHANNEL_OPEN &&
	    memcmp(packet + 5, type, length) == 0 &&
	    (open->state == STATE_CREATED || open->state == STATE_SENT) &&
	    open->channel != NULL && open->data == NULL &&
	    open->local == ((uint32_t)local[0] << 24 |
	    (uint32_t)local[1] << 16 | (uint32_t)local[2] << 8 | local[3]);
}

static void
look_for_place(LIBSSH2_SESSION *session, const char *type,
    const unsigned char *packet)
{
	size_t size = library_size(session);

	place = NOT_THERE;
	for (size_t at = 0; at + sizeof(struct open_state) <= size;
	    at += sizeof(void *)) {
		struct open_state open;

		memcpy(&open, (const char *)session + at, sizeof open);
		if (is_state(&open, type, packet)) {
			place = (ptrdiff_t)at;
			return;
		}
	}
}

bool
opens_park(LIBSSH2_SESSION *session, const char *type,
    struct open_state *open)
{
	const unsigned char *packet = open->packet != NULL ? open->packet :
	    library_noted();
	struct open_state now;

	if (place == NOT_LOOKED_FOR && packet != NULL)
		look_for_place(session, type, packet);
	if (place < 0)
		return false;
	memcpy(&now, (const char *)session + place, sizeof now);
	if (!is_state(&now, type, packet)) {
		assert(open->packet == NULL);
		return false;
	}
	*open = now;
	memset((char *)session + place, 0, STATE_SIZE);
	return true;
}

void
opens_resume(LIBSSH2_SESSION *session, const struct open_state *open)
{
	memcpy((char *)session + place, open, STATE_SIZE);
}
