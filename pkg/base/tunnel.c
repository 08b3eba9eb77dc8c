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

/* "http", "https" or NULL. */
static const char *
web_scheme(const struct tunnel_config *config, uint16_t port)
{
	/* What is served there by custom: of web servers, notebooks and the
	 * pages of training and inference programs. */
	static const uint16_t web[] = { 80, 3000, 3001, 5000, 6006, 7860, 8000,
		8008, 8080, 8188, 8265, 8501, 8787, 8888, 9090 };

	if (str_starts(config->check, STR("https://")))
		return "https";
	if (str_starts(config->check, STR("http://")))
		return "http";
	for (size_t i = 0; i < COUNTOF(web); i++)
		if (web[i] == config->remote_port || web[i] == port)
			return "http";
	return config->remote_port == 443 || port == 443 ? "https" : NULL;
}

static struct str
host_port(struct arena *arena, struct str host, uint16_t port)
{
	bool six = str_find(host, ':') >= 0;

	return arena_printf(arena, "%s" STR_FMT "%s:%u", six ? "[" : "",
	    STR_ARG(host), six ? "]" : "", (unsigned)port);
}

struct str
tunnel_url(struct arena *arena, const struct tunnel_status *status)
{
	const struct tunnel_config *config = &status->config;
	struct str host = config->local_address;
	uint16_t port = status->port != 0 ? status->port : config->local_port;
	const char *scheme = web_scheme(config, port);

	if (config->direction == TUNNEL_REMOTE) {
		port = status->port != 0 ? status->port : config->remote_port;
		return arena_printf(arena, STR_FMT " in " STR_FMT,
		    STR_ARG(host_port(arena, config->remote_host, port)),
		    STR_ARG(config->pod));
	}
	if (str_starts(host, STR("/")))
		return host;
	if (config->direction == TUNNEL_DYNAMIC)
		return arena_printf(arena, "socks5h://" STR_FMT,
		    STR_ARG(host_port(arena, host, port)));
	if (scheme == NULL)
		return host_port(arena, host, port);
	if (str_is(host, "127.0.0.1") || str_is(host, "0.0.0.0"))
		host = STR("localhost");
	return arena_printf(arena, "%s://" STR_FMT, scheme,
	    STR_ARG(host_port(arena, host, port)));
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
