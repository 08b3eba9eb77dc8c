/* holder.c - clients, time and effects; see holder.h */
#include "tunnel/held.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- helpers -- */

void
held_set(struct held_text *text, struct str value)
{
	text->len = value.len < TEXT_MAX ? value.len : TEXT_MAX;
	if (text->len > 0)
		memmove(text->bytes, value.data, text->len);
}

struct str
held_str(const struct held_text *text)
{
	return text->len == 0 ? (struct str){0} :
	    (struct str){ text->bytes, text->len };
}

int64_t
earlier_ms(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

struct holder_effect *
holder_do(struct holder *holder, enum holder_effect_type type)
{
	if (holder->effects.n == holder->effects.cap) {
		holder->effects.cap = holder->effects.cap * 2 + 16;
		holder->effects.items = heap_array(holder->effects.items,
		    holder->effects.cap, sizeof *holder->effects.items);
	}
	struct holder_effect *effect =
	    &holder->effects.items[holder->effects.n++];
	*effect = (struct holder_effect){ .type = type };
	return effect;
}

void
holder_say(struct holder *holder, const char *format, ...)
{
	va_list args;
	struct str text;

	va_start(args, format);
	text = arena_vprintf(&holder->scratch, format, args);
	va_end(args);
	holder_do(holder, HOLDER_DO_SAY)->text = text;
}

uint64_t
holder_token(struct holder *holder)
{
	return ++holder->next_token;
}

/* Three quarters to five quarters of it, so that many do not come at once. */
static int64_t
with_jitter(struct holder *holder, int64_t ms)
{
	uint16_t roll = 0;

	if (holder->options.chance.bytes != NULL)
		holder->options.chance.bytes(holder->options.chance.ctx,
		    &roll, sizeof roll);
	return (ms * 3 + ms * 2 * roll / UINT16_MAX) / 4;
}

int64_t
holder_backoff(struct holder *holder, unsigned attempt)
{
	/* A pod that begins to run answers any moment now. */
	unsigned doublings = attempt < BACKOFF_QUICK ?
	    attempt < 2 ? attempt : 2 : attempt - BACKOFF_QUICK + 3;
	int64_t ms = BACKOFF_MIN_MS;

	while (doublings-- > 0 && ms < BACKOFF_MAX_MS)
		ms *= 2;
	ms = with_jitter(holder, ms);
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

/* ------------------------------------------------------------- clients -- */

static void
reply(struct holder *holder, uint64_t client,
    const struct holder_answer *answer)
{
	struct holder_effect *effect = holder_do(holder, HOLDER_DO_REPLY);

	effect->client = client;
	effect->answer = *answer;
}

static void
refuse(struct holder *holder, uint64_t client, struct str reason)
{
	reply(holder, client, &(struct holder_answer){
		.reason = arena_str(&holder->scratch, reason),
	});
}

static void
list(struct holder *holder, uint64_t client)
{
	struct holder_answer answer = { .ok = true };

	answer.tunnels = ARENA_ARRAY(&holder->scratch, struct tunnel_status,
	    holder->ntunnels + 1);
	for (const struct held_tunnel *tunnel = holder->tunnels;
	     tunnel != NULL; tunnel = tunnel->next)
		answer.tunnels[answer.ntunnels++] = tunnel_status(holder,
		    tunnel);
	reply(holder, client, &answer);
}

static void
close_one(struct holder *holder, uint64_t client, struct str address)
{
	struct held_tunnel *tunnel = tunnel_find(holder, address);

	if (tunnel != NULL)
		tunnel_remove(holder, tunnel);
	reply(holder, client, &(struct holder_answer){ .ok = true });
}

static void
add_waiter(struct holder *holder, const struct holder_event *event,
    const struct held_tunnel *tunnel)
{
	if (holder->waiters.n == HOLDER_WAITERS_MAX) {
		refuse(holder, event->client,
		    STR("too many wait for tunnels at once"));
		return;
	}
	if (holder->waiters.n == holder->waiters.cap) {
		holder->waiters.cap = holder->waiters.cap * 2 + 8;
		holder->waiters.items = heap_array(holder->waiters.items,
		    holder->waiters.cap, sizeof *holder->waiters.items);
	}
	holder->waiters.items[holder->waiters.n++] = (struct waiter){
		.client = event->client, .tunnel = tunnel->id,
		.deadline_ms = holder->now_ms + event->request->timeout_ms,
	};
}

/* A tunnel of that name that was closed, or is another one now, makes way. */
static void
open_one(struct holder *holder, const struct holder_event *event)
{
	const struct holder_request *request = event->request;
	struct held_tunnel *tunnel = tunnel_find(holder,
	    request->config.address);

	if (request->config.address.len == 0 ||
	    request->config.pod_id.len == 0) {
		refuse(holder, event->client,
		    STR("a tunnel needs an address and the id of its pod"));
		return;
	}
	struct held_pod *pod = pod_of_request(holder, request);
	if (tunnel != NULL && (tunnel->pod != pod ||
	    !tunnel_config_eq(&tunnel->config, &request->config))) {
		pod->ntunnels++;	/* not to be released meanwhile */
		tunnel_remove(holder, tunnel);
		pod->ntunnels--;
		tunnel = NULL;
	}
	if (tunnel == NULL && holder->ntunnels == HOLDER_TUNNELS_MAX) {
		refuse(holder, event->client, STR("there are too many "
		    "tunnels"));
		pod_release(holder, pod);
		return;
	}
	if (tunnel == NULL)
		tunnel = tunnel_open(holder, &request->config, pod);
	else if (tunnel->listener == LISTEN_TAKEN)
		tunnel_listen(holder, tunnel);
	add_waiter(holder, event, tunnel);
}

static void
take_request(struct holder *holder, const struct holder_event *event)
{
	switch (event->request->verb) {
	case HOLDER_LIST:
		list(holder, event->client);
		break;
	case HOLDER_OPEN:
		open_one(holder, event);
		break;
	case HOLDER_CLOSE:
		close_one(holder, event->client,
		    event->request->config.address);
		break;
	}
}

static void
hang_up(struct holder *holder, uint64_t client)
{
	size_t kept = 0;

	for (size_t i = 0; i < holder->waiters.n; i++)
		if (holder->waiters.items[i].client != client)
			holder->waiters.items[kept++] =
			    holder->waiters.items[i];
	holder->waiters.n = kept;
}

/* What a request that waits for this tunnel is told now; false: wait on. */
static bool
verdict(struct holder *holder, const struct waiter *waiter,
    struct holder_answer *answer)
{
	const struct held_tunnel *tunnel = holder->tunnels;

	while (tunnel != NULL && tunnel->id != waiter->tunnel)
		tunnel = tunnel->next;
	if (tunnel == NULL) {
		answer->reason = STR("it was closed meanwhile");
		return true;
	}
	answer->ok = tunnel->state == TUNNEL_UP;
	answer->conflict = tunnel->state == TUNNEL_CONFLICT;
	if (!answer->ok && !answer->conflict &&
	    tunnel->state != TUNNEL_CLOSED &&
	    holder->now_ms < waiter->deadline_ms)
		return false;
	answer->tunnels = ARENA_NEW(&holder->scratch, struct tunnel_status);
	answer->tunnels[0] = tunnel_status(holder, tunnel);
	answer->ntunnels = 1;
	if (answer->ok)
		return true;
	answer->reason = answer->tunnels[0].error;
	if (answer->reason.data == NULL)
		answer->reason = arena_printf(&holder->scratch, "still %s",
		    tunnel_state_name(tunnel->state));
	return true;
}

static void
answer_waiters(struct holder *holder)
{
	size_t kept = 0;

	for (size_t i = 0; i < holder->waiters.n; i++) {
		struct waiter waiter = holder->waiters.items[i];
		struct holder_answer answer = {0};
		if (verdict(holder, &waiter, &answer))
			reply(holder, waiter.client, &answer);
		else
			holder->waiters.items[kept++] = waiter;
	}
	holder->waiters.n = kept;
}

/* ---------------------------------------------------------------- time -- */

static void
time_has_come(struct holder *holder)
{
	struct held_pod *next_pod;
	struct held_tunnel *next;

	for (struct held_pod *pod = holder->pods; pod != NULL;
	     pod = next_pod) {
		next_pod = pod->next;
		pod_time(holder, pod);
	}
	for (struct held_tunnel *tunnel = holder->tunnels; tunnel != NULL;
	     tunnel = next) {
		next = tunnel->next;
		tunnel_time(holder, tunnel);
	}
}

static int64_t
grace_ms(const struct holder *holder)
{
	return holder->options.grace_ms > 0 ? holder->options.grace_ms :
	    GRACE_MS;
}

int64_t
holder_deadline(const struct holder *holder)
{
	int64_t next = -1;

	if (holder->ended)
		return -1;
	for (const struct held_pod *pod = holder->pods; pod != NULL;
	     pod = pod->next)
		next = earlier_ms(next, pod_deadline(pod));
	for (const struct held_tunnel *tunnel = holder->tunnels;
	     tunnel != NULL; tunnel = tunnel->next)
		next = earlier_ms(next, tunnel_deadline(holder, tunnel));
	for (size_t i = 0; i < holder->waiters.n; i++)
		next = earlier_ms(next, holder->waiters.items[i].deadline_ms);
	if (holder->idle_ms >= 0)
		next = earlier_ms(next, holder->idle_ms + grace_ms(holder));
	return next;
}

static void
quit(struct holder *holder)
{
	while (holder->tunnels != NULL)
		tunnel_remove(holder, holder->tunnels);
	holder->quitting = true;
}

static void
end_if_idle(struct holder *holder)
{
	if (holder->nopen > 0) {
		holder->idle_ms = -1;
		return;
	}
	if (holder->idle_ms < 0)
		holder->idle_ms = holder->now_ms;
	if (!holder->quitting &&
	    holder->now_ms < holder->idle_ms + grace_ms(holder))
		return;
	while (holder->tunnels != NULL)
		tunnel_remove(holder, holder->tunnels);
	holder->ended = true;
	holder_do(holder, HOLDER_DO_END);
}

/* ----------------------------------------------------------------- use -- */

struct holder *
holder_new(const struct holder_options *options, int64_t now_ms)
{
	struct holder *holder = heap_array(NULL, 1, sizeof *holder);

	*holder = (struct holder){ .options = *options, .now_ms = now_ms,
		.idle_ms = now_ms };
	return holder;
}

void
holder_free(struct holder *holder)
{
	if (holder == NULL)
		return;
	while (holder->tunnels != NULL)
		tunnel_remove(holder, holder->tunnels);
	free(holder->waiters.items);
	free(holder->effects.items);
	arena_release(&holder->scratch);
	free(holder);
}

static void
dispatch(struct holder *holder, const struct holder_event *event)
{
	switch (event->type) {
	case HOLDER_ON_REQUEST:
		take_request(holder, event);
		break;
	case HOLDER_ON_HANGUP:
		hang_up(holder, event->client);
		break;
	case HOLDER_ON_CLOUD:
	case HOLDER_ON_AUTHENTICATING:
	case HOLDER_ON_UP:
	case HOLDER_ON_DOWN:
	case HOLDER_ON_RTT:
		pod_event(holder, event);
		break;
	case HOLDER_ON_LISTEN:
	case HOLDER_ON_FORWARD:
	case HOLDER_ON_STATS:
	case HOLDER_ON_CHECK:
		tunnel_event(holder, event);
		break;
	case HOLDER_ON_TIME:
		time_has_come(holder);
		break;
	case HOLDER_ON_SUSPENDED:
		for (struct held_pod *pod = holder->pods; pod != NULL;
		     pod = pod->next)
			pod_suspended(holder, pod);
		break;
	case HOLDER_ON_QUIT:
		quit(holder);
		break;
	}
}

void
holder_event(struct holder *holder, const struct holder_event *event)
{
	if (holder->ended)
		return;
	if (holder->effects_at == holder->effects.n) {
		holder->effects_at = holder->effects.n = 0;
		arena_release(&holder->scratch);
	}
	holder->now_ms = event->now_ms;
	holder->wall_ms = event->wall_ms;
	dispatch(holder, event);
	for (struct held_tunnel *tunnel = holder->tunnels; tunnel != NULL;
	     tunnel = tunnel->next)
		tunnel_settle(holder, tunnel);
	answer_waiters(holder);
	end_if_idle(holder);
}

bool
holder_next_effect(struct holder *holder, struct holder_effect *effect)
{
	if (holder->effects_at == holder->effects.n)
		return false;
	*effect = holder->effects.items[holder->effects_at++];
	return true;
}

size_t
holder_memory(const struct holder *holder)
{
	size_t total = sizeof *holder + holder->scratch.total +
	    holder->waiters.cap * sizeof *holder->waiters.items +
	    holder->effects.cap * sizeof *holder->effects.items;

	for (const struct held_tunnel *tunnel = holder->tunnels;
	     tunnel != NULL; tunnel = tunnel->next)
		total += sizeof *tunnel + tunnel->arena.total;
	for (const struct held_pod *pod = holder->pods; pod != NULL;
	     pod = pod->next)
		total += sizeof *pod;
	return total;
}
