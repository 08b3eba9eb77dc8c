/* tunnel.c - words and comparisons of what tunnel.h declares */
#include "base/tunnel.h"

#include <assert.h>

static const char *const states[] = {
	[TUNNEL_WAITING] = "waiting-for-pod",
	[TUNNEL_RESOLVING] = "resolving",
	[TUNNEL_CONNECTING] = "connecting",
	[TUNNEL_AUTHENTICATING] = "authenticating",
	[TUNNEL_PROBING] = "probing",
	[TUNNEL_UP] = "up",
	[TUNNEL_BACKOFF] = "backoff",
	[TUNNEL_CONFLICT] = "conflict",
	[TUNNEL_CLOSED] = "closed",
};
_Static_assert(COUNTOF(states) == TUNNEL_STATE_COUNT, "a name per state");

static const char *const directions[] = {
	[TUNNEL_LOCAL] = "local",
	[TUNNEL_REMOTE] = "remote",
	[TUNNEL_DYNAMIC] = "dynamic",
};

const char *
tunnel_state_name(enum tunnel_state state)
{
	assert((size_t)state < COUNTOF(states));
	return states[state];
}

bool
tunnel_state_parse(struct str name, enum tunnel_state *state)
{
	for (size_t i = 0; i < COUNTOF(states); i++) {
		if (str_is(name, states[i])) {
			*state = (enum tunnel_state)i;
			return true;
		}
	}
	return false;
}

const char *
tunnel_direction_name(enum tunnel_direction direction)
{
	assert((size_t)direction < COUNTOF(directions));
	return directions[direction];
}

bool
tunnel_direction_parse(struct str name, enum tunnel_direction *out)
{
	for (size_t i = 0; i < COUNTOF(directions); i++) {
		if (str_is(name, directions[i])) {
			*out = (enum tunnel_direction)i;
			return true;
		}
	}
	return false;
}

bool
tunnel_config_eq(const struct tunnel_config *a, const struct tunnel_config *b)
{
	return str_eq(a->address, b->address) &&
	    a->direction == b->direction &&
	    str_eq(a->local_address, b->local_address) &&
	    a->local_port == b->local_port &&
	    str_eq(a->remote_host, b->remote_host) &&
	    a->remote_port == b->remote_port && str_eq(a->check, b->check) &&
	    str_eq(a->pod, b->pod) && str_eq(a->user, b->user) &&
	    str_eq(a->key, b->key);
}
