/*
 * tunnels.c - one tunnel: its listener, its forward, its check.
 *
 * What it is called (waiting-for-pod ... closed) is not kept but follows
 * from these and from the phase of its link; see state_of().
 */
#include "tunnel/held.h"

#include <stdlib.h>

#include "base/strbuf.h"

enum { FORWARD_TIMEOUT_MS = 30 * 1000, FIRST_FREE_PORT = 1024 };

/* --------------------------------------------------------------- state -- */

static bool
has_listener(const struct held_tunnel *tunnel)
{
	return tunnel->config.direction != TUNNEL_REMOTE;
}

static bool
is_path(const struct held_tunnel *tunnel)
{
	return str_starts(tunnel->config.local_address, STR("/"));
}

static enum tunnel_state
state_of(const struct held_tunnel *tunnel)
{
	if (tunnel->pod == NULL)
		return TUNNEL_CLOSED;
	if (tunnel->listener == LISTEN_TAKEN)
		return TUNNEL_CONFLICT;
	switch (tunnel->pod->phase) {
	case LINK_ASKING:
		return TUNNEL_RESOLVING;
	case LINK_WAITING:
		return TUNNEL_WAITING;
	case LINK_CONNECTING:
		return TUNNEL_CONNECTING;
	case LINK_AUTHENTICATING:
		return TUNNEL_AUTHENTICATING;
	case LINK_BACKOFF:
		return TUNNEL_BACKOFF;
	case LINK_CONFLICT:
		return TUNNEL_CONFLICT;
	case LINK_UP:
		break;
	}
	if (tunnel->forward == FORWARD_FAILED)
		return TUNNEL_BACKOFF;
	if (tunnel->forward != FORWARD_YES ||
	    (tunnel->config.check.len > 0 && !tunnel->checked))
		return TUNNEL_PROBING;
	return TUNNEL_UP;
}

/* "tunnel.web: up, 127.0.0.1:8188" */
static void
say_state(struct holder *holder, const struct held_tunnel *tunnel)
{
	struct str error = held_str(&tunnel->error);
	struct str place;

	if (tunnel->state != TUNNEL_UP)
		place = error.data == NULL ? STR("") : arena_printf(
		    &holder->scratch, ": " STR_FMT, STR_ARG(error));
	else if (is_path(tunnel))
		place = arena_printf(&holder->scratch, ", " STR_FMT,
		    STR_ARG(tunnel->config.local_address));
	else
		place = arena_printf(&holder->scratch, ", " STR_FMT ":%u",
		    STR_ARG(tunnel->config.local_address), tunnel->port);
	holder_say(holder, STR_FMT ": %s" STR_FMT,
	    STR_ARG(tunnel->config.address),
	    tunnel_state_name(tunnel->state), STR_ARG(place));
}

void
tunnel_settle(struct holder *holder, struct held_tunnel *tunnel)
{
	enum tunnel_state state = state_of(tunnel);

	/* Troubles of the link are everybody's. */
	if (tunnel->pod != NULL && tunnel->listener != LISTEN_TAKEN &&
	    state != TUNNEL_UP && state != TUNNEL_PROBING &&
	    tunnel->forward != FORWARD_FAILED && tunnel->pod->error.len > 0)
		tunnel->error = tunnel->pod->error;
	if (state == tunnel->state)
		return;
	tunnel->state = state;
	tunnel->since_ms = holder->wall_ms;
	if (state == TUNNEL_UP) {
		/* Troubles on the way to its first time are over and done. */
		if (!tunnel->was_up)
			tunnel->error.len = 0;
		tunnel->reconnects += tunnel->was_up && tunnel->was_lost;
		tunnel->was_up = true;
		tunnel->was_lost = false;
	}
	say_state(holder, tunnel);
}

static int64_t
retry_ms(const struct held_tunnel *tunnel)
{
	if (tunnel->state != TUNNEL_BACKOFF)
		return -1;
	return tunnel->pod->phase == LINK_BACKOFF ? tunnel->pod->due_ms :
	    tunnel->forward_ms;
}

struct tunnel_status
tunnel_status(struct holder *holder, const struct held_tunnel *tunnel)
{
	struct arena *arena = &holder->scratch;
	int64_t retry = retry_ms(tunnel);
	struct tunnel_status status = {
		.config = tunnel_config_copy(arena, &tunnel->config),
		.state = tunnel->state,
		.port = tunnel->port,
		.since_ms = tunnel->since_ms,
		.connections = tunnel->connections,
		.bytes_in = tunnel->before_in + tunnel->bytes_in,
		.bytes_out = tunnel->before_out + tunnel->bytes_out,
		.rtt_us = -1,
		.reconnects = tunnel->reconnects,
		.error = arena_str(arena, held_str(&tunnel->error)),
	};
	const struct held_pod *pod = tunnel->pod;

	if (tunnel->error.len == 0)
		status.error = (struct str){0};
	if (retry >= 0)
		status.retry_at_ms = holder->wall_ms + retry - holder->now_ms;
	if (pod == NULL)
		return status;
	status.rtt_us = pod->phase == LINK_UP ? pod->rtt_us : -1;
	if (pod->npins > 0)
		status.fingerprint = arena_str(arena,
		    held_str(&pod->pins[0]));
	status.first_use = pod->first_use;
	return status;
}

/* ------------------------------------------------------------ listener -- */

static void
set_refusing(struct holder *holder, struct held_tunnel *tunnel, bool refuse)
{
	struct holder_effect *effect;

	if (tunnel->refusing == refuse || tunnel->listener != LISTEN_YES)
		return;
	tunnel->refusing = refuse;
	effect = holder_do(holder, HOLDER_DO_REFUSE);
	effect->tunnel = tunnel->id;
	effect->refuse = refuse;
}

/*
 * Port 0 stands for the next free one from the wanted port upward: the one
 * it leads to, or 1080 as SOCKS has it.  Once found it is kept.
 */
static void
choose_ports(const struct held_tunnel *tunnel, struct holder_effect *effect)
{
	unsigned wanted = tunnel->config.remote_port;

	effect->port = effect->last_port = tunnel->port != 0 ? tunnel->port :
	    tunnel->config.local_port;
	if (effect->port != 0 || is_path(tunnel))
		return;
	if (tunnel->config.direction == TUNNEL_DYNAMIC)
		wanted = 1080;
	if (wanted < FIRST_FREE_PORT)
		wanted += 8000;		/* 80 -> 8080 */
	effect->port = (uint16_t)wanted;
	wanted += AUTO_PORTS - 1;
	effect->last_port = (uint16_t)(wanted > UINT16_MAX ? UINT16_MAX :
	    wanted);
}

void
tunnel_listen(struct holder *holder, struct held_tunnel *tunnel)
{
	struct holder_effect *effect = holder_do(holder, HOLDER_DO_LISTEN);

	effect->tunnel = tunnel->id;
	effect->config = tunnel_config_copy(&holder->scratch,
	    &tunnel->config);
	choose_ports(tunnel, effect);
	tunnel->listener = LISTEN_ASKED;
}

static void
ask_forward(struct holder *holder, struct held_tunnel *tunnel)
{
	struct holder_effect *effect = holder_do(holder, HOLDER_DO_FORWARD);

	effect->link = tunnel->pod->link;
	effect->tunnel = tunnel->id;
	effect->config = tunnel_config_copy(&holder->scratch,
	    &tunnel->config);
	if (has_listener(tunnel))
		effect->config.local_port = tunnel->port;
	tunnel->forward = FORWARD_ASKED;
	tunnel->forward_ms = holder->now_ms + FORWARD_TIMEOUT_MS;
}

static void
listening(struct holder *holder, struct held_tunnel *tunnel,
    const struct holder_event *event)
{
	if (tunnel->listener != LISTEN_ASKED)
		return;
	if (!event->ok) {
		tunnel->listener = LISTEN_TAKEN;
		tunnel->listen_ms = holder->now_ms + LISTEN_AGAIN_MS;
		held_set(&tunnel->error, event->text);
		return;
	}
	tunnel->listener = LISTEN_YES;
	tunnel->listen_ms = -1;
	tunnel->port = event->port;
	tunnel->error.len = 0;
	if (tunnel->pod->phase == LINK_UP)
		ask_forward(holder, tunnel);
}

/* --------------------------------------------------------------- check -- */

static void
drop_check(struct holder *holder, struct held_tunnel *tunnel)
{
	if (tunnel->check != 0)
		holder_do(holder, HOLDER_DO_FORGET)->token = tunnel->check;
	tunnel->check = 0;
	tunnel->check_ms = -1;
	tunnel->check_fails = 0;
	tunnel->checked = false;
}

/*
 * Where the port was chosen by us, the one in `check` (that of the remote
 * end, which was wanted) is replaced by it.
 */
static struct str
check_url(struct holder *holder, const struct held_tunnel *tunnel)
{
	struct str url = tunnel->config.check;
	struct str wanted = arena_printf(&holder->scratch, ":%u",
	    tunnel->config.remote_port);
	ptrdiff_t host = str_search(url, STR("://"));

	if (tunnel->config.local_port != 0 || is_path(tunnel) || host < 0)
		return url;
	struct str rest = str_sub(url, (size_t)host + 3, url.len);
	ptrdiff_t slash = str_find(rest, '/');
	struct str place = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);
	if (!str_ends(place, wanted))
		return url;
	return arena_printf(&holder->scratch, STR_FMT ":%u" STR_FMT,
	    STR_ARG(str_sub(url, 0, (size_t)host + 3 + place.len -
	    wanted.len)), tunnel->port,
	    STR_ARG(str_sub(rest, place.len, rest.len)));
}

static void
ask_check(struct holder *holder, struct held_tunnel *tunnel)
{
	struct str url = check_url(holder, tunnel);
	struct holder_effect *effect = holder_do(holder, HOLDER_DO_CHECK);

	effect->token = tunnel->check = holder_token(holder);
	effect->tunnel = tunnel->id;
	effect->text = arena_str(&holder->scratch, url);
	effect->timeout_ms = CHECK_TIMEOUT_MS;
	tunnel->check_ms = -1;
}

/* A forward whose far end refuses is cut off here: which words that makes is
 * chance, and they name the wrong machine. */
static struct str
check_words(struct holder *holder, const struct held_tunnel *tunnel,
    struct str text)
{
	const struct tunnel_config *config = &tunnel->config;

	if (config->direction != TUNNEL_LOCAL ||
	    str_starts(text, STR("status")))
		return arena_printf(&holder->scratch, "check: " STR_FMT,
		    STR_ARG(text));
	return arena_printf(&holder->scratch, "check: " STR_FMT
	    " (does anything answer at " STR_FMT ":%u, as the pod sees it?)",
	    STR_ARG(text), STR_ARG(config->remote_host),
	    (unsigned)config->remote_port);
}

static void
checked(struct holder *holder, struct held_tunnel *tunnel,
    const struct holder_event *event)
{
	int64_t wait_ms = CHECK_AGAIN_MIN_MS;

	tunnel->check = 0;
	if (event->ok) {
		tunnel->checked = true;
		tunnel->check_fails = 0;
		tunnel->check_ms = holder->now_ms + CHECK_UP_MS;
		return;
	}
	held_set(&tunnel->error, check_words(holder, tunnel, event->text));
	for (unsigned i = 0; i < tunnel->check_fails &&
	     wait_ms < CHECK_AGAIN_MAX_MS; i++)
		wait_ms *= 2;
	if (++tunnel->check_fails >= 2)
		tunnel->checked = false;
	tunnel->check_ms = holder->now_ms + (wait_ms < CHECK_AGAIN_MAX_MS ?
	    wait_ms : CHECK_AGAIN_MAX_MS);
}

/* ------------------------------------------------------------- forward -- */

static void
forwarded(struct holder *holder, struct held_tunnel *tunnel,
    const struct holder_event *event)
{
	if (tunnel->forward == FORWARD_NONE)
		return;
	if (!event->ok) {
		tunnel->forward = FORWARD_FAILED;
		tunnel->forward_ms = holder->now_ms + holder_backoff(holder,
		    tunnel->forward_attempt++);
		held_set(&tunnel->error, event->text);
		drop_check(holder, tunnel);
		return;
	}
	if (tunnel->forward != FORWARD_ASKED)
		return;
	tunnel->forward = FORWARD_YES;
	tunnel->forward_ms = -1;
	tunnel->forward_attempt = 0;
	tunnel->down_ms = -1;
	if (!has_listener(tunnel))
		tunnel->port = event->port;
	set_refusing(holder, tunnel, false);
	if (tunnel->config.check.len > 0)
		ask_check(holder, tunnel);
}

static void
count_bytes(struct held_tunnel *tunnel, const struct holder_event *event)
{
	tunnel->connections = event->connections;
	tunnel->bytes_in = event->bytes_in;
	tunnel->bytes_out = event->bytes_out;
}

void
tunnel_link_up(struct holder *holder, struct held_tunnel *tunnel)
{
	if (!has_listener(tunnel) || tunnel->listener == LISTEN_YES)
		ask_forward(holder, tunnel);
}

void
tunnel_link_down(struct holder *holder, struct held_tunnel *tunnel)
{
	drop_check(holder, tunnel);
	if (tunnel->forward == FORWARD_YES)
		tunnel->down_ms = holder->now_ms;
	tunnel->was_lost = true;
	tunnel->forward = FORWARD_NONE;
	tunnel->forward_ms = -1;
	tunnel->before_in += tunnel->bytes_in;
	tunnel->before_out += tunnel->bytes_out;
	tunnel->bytes_in = tunnel->bytes_out = tunnel->connections = 0;
}

/* ---------------------------------------------------------------- time -- */

static int64_t
impatient_ms(const struct held_tunnel *tunnel)
{
	if (tunnel->down_ms < 0 || tunnel->refusing ||
	    tunnel->listener != LISTEN_YES)
		return -1;
	return tunnel->down_ms + PATIENCE_MS;
}

int64_t
tunnel_deadline(const struct holder *holder, const struct held_tunnel *tunnel)
{
	int64_t next = tunnel->listener == LISTEN_TAKEN ? tunnel->listen_ms :
	    -1;

	(void)holder;
	if (tunnel->pod == NULL)
		return tunnel->closed_ms + CLOSED_KEPT_MS;
	next = earlier_ms(next, impatient_ms(tunnel));
	if (tunnel->forward == FORWARD_ASKED ||
	    tunnel->forward == FORWARD_FAILED)
		next = earlier_ms(next, tunnel->forward_ms);
	return earlier_ms(next, tunnel->check_ms);
}

static bool
is_due(const struct holder *holder, int64_t ms)
{
	return ms >= 0 && holder->now_ms >= ms;
}

void
tunnel_time(struct holder *holder, struct held_tunnel *tunnel)
{
	if (tunnel->pod == NULL) {
		if (is_due(holder, tunnel->closed_ms + CLOSED_KEPT_MS))
			tunnel_remove(holder, tunnel);
		return;
	}
	if (tunnel->listener == LISTEN_TAKEN &&
	    is_due(holder, tunnel->listen_ms))
		tunnel_listen(holder, tunnel);
	if (is_due(holder, impatient_ms(tunnel)))
		set_refusing(holder, tunnel, true);
	if (is_due(holder, tunnel->check_ms))
		ask_check(holder, tunnel);
	if (tunnel->forward == FORWARD_FAILED &&
	    is_due(holder, tunnel->forward_ms))
		ask_forward(holder, tunnel);
	else if (tunnel->forward == FORWARD_ASKED &&
	    is_due(holder, tunnel->forward_ms))
		pod_lost(holder, tunnel->pod, STR("the worker did not set "
		    "the tunnel up in time"));
}

/* -------------------------------------------------------- open, close -- */

struct held_tunnel *
tunnel_find(const struct holder *holder, struct str address)
{
	struct held_tunnel *tunnel = holder->tunnels;

	while (tunnel != NULL && !str_eq(tunnel->config.address, address))
		tunnel = tunnel->next;
	return tunnel;
}

static struct str
copy(struct arena *arena, struct str text)
{
	return text.data == NULL ? text : arena_str(arena, text);
}

struct tunnel_config
tunnel_config_copy(struct arena *arena, const struct tunnel_config *config)
{
	struct tunnel_config out = *config;

	out.address = copy(arena, config->address);
	out.local_address = copy(arena, config->local_address);
	out.remote_host = copy(arena, config->remote_host);
	out.check = copy(arena, config->check);
	out.pod = copy(arena, config->pod);
	out.pod_id = copy(arena, config->pod_id);
	out.user = copy(arena, config->user);
	out.key = copy(arena, config->key);
	return out;
}

struct held_tunnel *
tunnel_open(struct holder *holder, const struct tunnel_config *config,
    struct held_pod *pod)
{
	struct held_tunnel *tunnel = heap_array(NULL, 1, sizeof *tunnel);
	struct held_tunnel **end = &holder->tunnels;

	*tunnel = (struct held_tunnel){
		.id = ++holder->next_tunnel, .pod = pod,
		.state = TUNNEL_CLOSED,		/* until it is settled */
		.since_ms = holder->wall_ms, .down_ms = holder->now_ms,
		.listen_ms = -1, .forward_ms = -1, .check_ms = -1,
	};
	tunnel->config = tunnel_config_copy(&tunnel->arena, config);
	while (*end != NULL)
		end = &(*end)->next;
	*end = tunnel;
	pod->ntunnels++;
	holder->ntunnels++;
	holder->nopen++;
	if (has_listener(tunnel))
		tunnel_listen(holder, tunnel);
	else if (pod->phase == LINK_UP)
		ask_forward(holder, tunnel);
	return tunnel;
}

void
tunnel_close(struct holder *holder, struct held_tunnel *tunnel,
    struct str reason)
{
	struct held_pod *pod = tunnel->pod;

	if (pod == NULL)
		return;
	if (tunnel->forward != FORWARD_NONE && pod->link != 0) {
		struct holder_effect *effect = holder_do(holder,
		    HOLDER_DO_UNFORWARD);
		effect->link = pod->link;
		effect->tunnel = tunnel->id;
	}
	if (tunnel->listener == LISTEN_YES ||
	    tunnel->listener == LISTEN_ASKED)
		holder_do(holder, HOLDER_DO_UNLISTEN)->tunnel = tunnel->id;
	tunnel_link_down(holder, tunnel);
	tunnel->listener = LISTEN_NONE;
	tunnel->pod = NULL;
	tunnel->closed_ms = holder->now_ms;
	held_set(&tunnel->error, reason);
	holder->nopen--;
	pod->ntunnels--;
	pod_release(holder, pod);
}

void
tunnel_remove(struct holder *holder, struct held_tunnel *tunnel)
{
	struct held_tunnel **at = &holder->tunnels;

	if (tunnel->pod != NULL) {
		tunnel_close(holder, tunnel, (struct str){0});
		holder_say(holder, STR_FMT ": closed",
		    STR_ARG(tunnel->config.address));
	}
	while (*at != tunnel)
		at = &(*at)->next;
	*at = tunnel->next;
	holder->ntunnels--;
	arena_release(&tunnel->arena);
	free(tunnel);
}

/* -------------------------------------------------------------- events -- */

static struct held_tunnel *
tunnel_of_event(const struct holder *holder, const struct holder_event *event)
{
	struct held_tunnel *tunnel = holder->tunnels;

	while (tunnel != NULL && (event->type == HOLDER_ON_CHECK ?
	    tunnel->check != event->token : tunnel->id != event->tunnel))
		tunnel = tunnel->next;
	return tunnel == NULL || tunnel->pod == NULL ? NULL : tunnel;
}

/* Events of a link that was given up meanwhile mean nothing. */
void
tunnel_event(struct holder *holder, const struct holder_event *event)
{
	struct held_tunnel *tunnel = tunnel_of_event(holder, event);

	if (tunnel == NULL)
		return;
	if (event->type == HOLDER_ON_LISTEN) {
		listening(holder, tunnel, event);
		return;
	}
	if (event->type == HOLDER_ON_CHECK) {
		checked(holder, tunnel, event);
		return;
	}
	if (event->link != tunnel->pod->link ||
	    tunnel->pod->phase != LINK_UP)
		return;
	pod_heard(holder, tunnel->pod);
	if (event->type == HOLDER_ON_FORWARD)
		forwarded(holder, tunnel, event);
	else
		count_bytes(tunnel, event);
}
