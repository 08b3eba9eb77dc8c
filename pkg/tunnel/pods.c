/*
 * pods.c - one pod: where it is, which key it has, and the link to it.
 *
 * See the picture in holder.h.  Phase and due_ms belong together: due_ms is
 * when the phase is over, whatever comes.
 */
#include "tunnel/held.h"

#include <stdlib.h>

#include "base/pins.h"
#include "base/plant.h"
#include "base/probe.h"
#include "base/units.h"

enum { LOGIN_MS = 45 * 1000, CONFLICT_QUICK_MS = 60 * 1000 };

static void ask_pod(struct holder *holder, struct held_pod *pod);
static void connect_link(struct holder *holder, struct held_pod *pod);

/* ------------------------------------------------------------- helpers -- */

static void
set_error(struct held_pod *pod, struct str reason)
{
	held_set(&pod->error, reason);
}

static void
forget_ask(struct holder *holder, struct held_pod *pod)
{
	if (pod->ask != 0)
		holder_do(holder, HOLDER_DO_FORGET)->token = pod->ask;
	pod->ask = 0;
}

static void
drop_link(struct holder *holder, struct held_pod *pod)
{
	if (pod->link == 0)
		return;
	for (struct held_tunnel *tunnel = holder->tunnels; tunnel != NULL;
	     tunnel = tunnel->next)
		if (tunnel->pod == pod)
			tunnel_link_down(holder, tunnel);
	holder_do(holder, HOLDER_DO_UNLINK)->link = pod->link;
	pod->link = 0;
	pod->rtt_us = -1;
}

static void
wait_until(struct held_pod *pod, enum link_phase phase, int64_t due_ms)
{
	pod->phase = phase;
	pod->due_ms = due_ms;
}

static void
back_off(struct holder *holder, struct held_pod *pod)
{
	wait_until(pod, LINK_BACKOFF, holder->now_ms +
	    holder_backoff(holder, pod->attempt++));
}

/* Its tunnels end with it; the last one takes it along. */
static void
close_tunnels(struct holder *holder, struct held_pod *pod, struct str reason)
{
	struct held_tunnel *next;
	size_t left = pod->ntunnels;

	for (struct held_tunnel *tunnel = holder->tunnels;
	     tunnel != NULL && left > 0; tunnel = next) {
		next = tunnel->next;
		if (tunnel->pod != pod)
			continue;
		left--;
		tunnel_close(holder, tunnel, reason);
	}
}

/* ----------------------------------------------------------------- ask -- */

static void
ask(struct holder *holder, struct held_pod *pod, enum cloud_op op,
    int64_t timeout_ms)
{
	struct holder_effect *effect = holder_do(holder, HOLDER_DO_ASK);

	effect->token = pod->ask = holder_token(holder);
	effect->request = (struct cloud_request){ .op = op,
		.id = arena_str(&holder->scratch, held_str(&pod->id)) };
	if (op == CLOUD_GET_LOG) {
		effect->request.tail = LOG_LINES;
		effect->request.enough = PINS_ENOUGH;
	}
	effect->timeout_ms = timeout_ms;
	pod->asked_log = op == CLOUD_GET_LOG;
}

static void
ask_pod(struct holder *holder, struct held_pod *pod)
{
	if (pod->ask == 0)
		ask(holder, pod, CLOUD_GET_POD, CLOUD_TIMEOUT_MS);
	if (pod->phase != LINK_WAITING && pod->phase != LINK_CONFLICT)
		pod->phase = LINK_ASKING;
	pod->due_ms = -1;
}

static bool
is_known(const struct held_pod *pod)
{
	return pod->port != 0 && (pod->npins > 0 || pod->log_read);
}

/* Connect, once there is a pin or nobody who could name one. */
static void
go_on(struct holder *holder, struct held_pod *pod)
{
	if (pod->npins > 0 || pod->log_read) {
		connect_link(holder, pod);
		return;
	}
	wait_until(pod, LINK_ASKING, -1);
	ask(holder, pod, CLOUD_GET_LOG, LOG_TIMEOUT_MS);
}

/* Try again: with what was said a moment ago, or after asking anew. */
static void
try_again(struct holder *holder, struct held_pod *pod)
{
	if (is_known(pod) && pod->known_ms >= 0 &&
	    holder->now_ms - pod->known_ms < FRESH_MS)
		connect_link(holder, pod);
	else
		ask_pod(holder, pod);
}

void
pod_started(struct holder *holder, struct held_pod *pod, struct str start)
{
	if (start.len == 0 || str_eq(held_str(&pod->start), start))
		return;
	if (pod->npins > 0 && pod->start.len > 0)
		holder_say(holder, "pod " STR_FMT ": its container was "
		    "started anew at " STR_FMT, STR_ARG(held_str(&pod->id)),
		    STR_ARG(start));
	PROBE("tunnel_container_is_another");
	/* A pin without a start is of the start that is seen first. */
	if (pod->start.len > 0)
		pod->npins = 0;
	held_set(&pod->start, start);
	pod->first_use = pod->log_read = false;
	pod->log_tries = 0;
}

/* ------------------------------------------------------------- answers -- */

/* The cloud does not know, or says something odd: what was, still holds. */
static void
no_news(struct holder *holder, struct held_pod *pod, struct str why)
{
	PROBE("tunnel_no_news");
	if (pod->phase == LINK_CONFLICT) {
		pod->due_ms = holder->now_ms + POLL_SETTLED_MS;
		return;
	}
	set_error(pod, why);
	if (pod->phase == LINK_WAITING)
		pod->due_ms = holder->now_ms + POLL_SETTLED_MS;
	else if (is_known(pod))
		connect_link(holder, pod);
	else
		back_off(holder, pod);
}

static void
seems_gone(struct holder *holder, struct held_pod *pod, bool terminated)
{
	if (++pod->gone >= 2 && !PLANTED(25)) {
		PROBE("tunnel_pod_is_gone");
		close_tunnels(holder, pod, terminated ?
		    STR("the pod was terminated") :
		    STR("the pod does not exist any more"));
		return;
	}
	PROBE("tunnel_pod_seems_gone");
	pod->due_ms = holder->now_ms + (terminated ? POLL_SOON_MS :
	    POLL_GONE_MS);
	if (pod->phase != LINK_CONFLICT) {
		pod->phase = LINK_WAITING;
		set_error(pod, STR("the pod seems to be gone; asking again"));
	}
}

static void
not_running(struct holder *holder, struct held_pod *pod, const char *why,
    int64_t poll_ms)
{
	set_error(pod, str_from(why));
	pod->attempt = 0;
	wait_until(pod, LINK_WAITING, holder->now_ms + poll_ms);
}

static void
is_running(struct holder *holder, struct held_pod *pod,
    const struct cloud_pod *live)
{
	bool same;

	if (live->ssh.port == 0 || live->ssh.host.len == 0) {
		not_running(holder, pod, "the pod has no SSH port yet",
		    POLL_STARTING_MS);
		return;
	}
	same = live->started_at.len == 0 ||
	    str_eq(held_str(&pod->start), live->started_at);
	if (pod->phase == LINK_CONFLICT && same) {
		pod->due_ms = holder->now_ms + (holder->now_ms -
		    pod->conflict_ms < CONFLICT_QUICK_MS ? POLL_STARTING_MS :
		    POLL_SETTLED_MS);
		return;
	}
	pod_started(holder, pod, live->started_at);
	held_set(&pod->host, live->ssh.host);
	pod->port = live->ssh.port;
	pod->known_ms = holder->now_ms;
	go_on(holder, pod);
}

static void
take_pod(struct holder *holder, struct held_pod *pod,
    const struct cloud_pod *live)
{
	if (live->status != POD_TERMINATED)
		pod->gone = 0;
	switch (live->status) {
	case POD_RUNNING:
		is_running(holder, pod, live);
		break;
	case POD_PROVISIONING:
	case POD_STARTING:
		not_running(holder, pod, "the pod is starting",
		    POLL_STARTING_MS);
		break;
	case POD_EXITED:
		not_running(holder, pod, "the pod is stopped",
		    POLL_SETTLED_MS);
		break;
	case POD_ERROR:
		not_running(holder, pod, "the pod has failed",
		    POLL_SETTLED_MS);
		break;
	case POD_TERMINATED:
		seems_gone(holder, pod, true);
		break;
	case POD_UNKNOWN:
		no_news(holder, pod, arena_printf(&holder->scratch,
		    "the pod's state is '" STR_FMT "', which says nothing",
		    STR_ARG(live->status_text)));
		break;
	}
}

static void
take_log(struct holder *holder, struct held_pod *pod,
    const struct cloud_answer *answer)
{
	struct str *pins;

	if (answer->outcome != OUTCOME_OK && ++pod->log_tries < LOG_TRIES &&
	    answer->reason != REASON_NOT_FOUND) {
		set_error(pod, STR("the pod's log cannot be read"));
		back_off(holder, pod);
		return;
	}
	if (answer->outcome == OUTCOME_OK) {
		pod->npins = pins_of_log(&holder->scratch, answer->lines,
		    answer->nlines, held_str(&pod->start), &pins);
		for (size_t i = 0; i < pod->npins; i++)
			held_set(&pod->pins[i], pins[i]);
		if (pod->npins == 0 && ++pod->log_tries < LOG_TRIES) {
			/* The container may have begun a moment ago. */
			PROBE("tunnel_log_has_no_key_yet");
			wait_until(pod, LINK_ASKING, holder->now_ms +
			    pod->log_tries * LOG_AGAIN_MS);
			return;
		}
	}
	pod->log_read = true;
	connect_link(holder, pod);
}

static void
take_answer(struct holder *holder, const struct holder_event *event)
{
	const struct cloud_answer *answer = event->cloud;
	struct held_pod *pod = holder->pods;

	while (pod != NULL && pod->ask != event->token)
		pod = pod->next;
	if (pod == NULL || event->token == 0)
		return;
	pod->ask = 0;
	if (pod->asked_log)
		take_log(holder, pod, answer);
	else if (answer->outcome == OUTCOME_OK && answer->npods == 1 &&
	    str_eq(answer->pods[0].id, held_str(&pod->id)))
		take_pod(holder, pod, &answer->pods[0]);
	else if (answer->outcome == OUTCOME_NO_EFFECT &&
	    answer->reason == REASON_NOT_FOUND)
		seems_gone(holder, pod, false);
	else
		no_news(holder, pod, answer->message.len == 0 ?
		    STR("the cloud gave no usable answer") : arena_printf(
		    &holder->scratch, "the cloud does not say where the pod "
		    "is: " STR_FMT, STR_ARG(answer->message)));
}

/* ---------------------------------------------------------------- link -- */

static void
connect_link(struct holder *holder, struct held_pod *pod)
{
	struct arena *arena = &holder->scratch;
	struct holder_effect *effect;
	struct str *pins = ARENA_ARRAY(arena, struct str, PINS_MAX);

	drop_link(holder, pod);
	for (size_t i = 0; i < pod->npins; i++)
		pins[i] = arena_str(arena, held_str(&pod->pins[i]));
	effect = holder_do(holder, HOLDER_DO_LINK);
	effect->link = pod->link = ++holder->next_link;
	effect->target = (struct ssh_target){
		.pod = arena_str(arena, held_str(&pod->id)),
		.host = arena_str(arena, held_str(&pod->host)),
		.port = pod->port, .pins = pins, .npins = pod->npins,
	};
	if (pod->start.len > 0)
		effect->target.start = arena_str(arena,
		    held_str(&pod->start));
	if (pod->user.len > 0)
		effect->target.user = arena_str(arena, held_str(&pod->user));
	if (pod->key.len > 0)
		effect->target.key = arena_str(arena, held_str(&pod->key));
	wait_until(pod, LINK_CONNECTING, holder->now_ms + LOGIN_MS);
}

static void
link_is_up(struct holder *holder, struct held_pod *pod,
    struct str fingerprint)
{
	if (pod->npins == 0 && fingerprint.len > 0) {
		PROBE("tunnel_key_on_first_use");
		held_set(&pod->pins[0], fingerprint);
		pod->npins = 1;
		pod->first_use = true;
		holder_say(holder, "pod " STR_FMT ": its host key " STR_FMT
		    " is taken on first use, since nobody has named one",
		    STR_ARG(held_str(&pod->id)), STR_ARG(fingerprint));
	} else if (fingerprint.len > 0) {
		/* The one it has shown, of those that its log names. */
		held_set(&pod->pins[0], fingerprint);
		pod->npins = 1;
	}
	wait_until(pod, LINK_UP, -1);
	pod->up_ms = pod->heard_ms = holder->now_ms;
	for (struct held_tunnel *tunnel = holder->tunnels; tunnel != NULL;
	     tunnel = tunnel->next)
		if (tunnel->pod == pod)
			tunnel_link_up(holder, tunnel);
}

void
pod_lost(struct holder *holder, struct held_pod *pod, struct str reason)
{
	bool lasted = pod->phase == LINK_UP &&
	    holder->now_ms - pod->up_ms >= GATE_MS;

	drop_link(holder, pod);
	set_error(pod, reason);
	/* Nobody answered yet, so its keys may not have been named yet. */
	if (pod->npins == 0 && pod->log_read) {
		pod->log_read = false;
		pod->log_tries = LOG_TRIES - 1;
	}
	if (lasted) {
		PROBE("tunnel_lost_after_a_while");
		pod->attempt = 0;
		ask_pod(holder, pod);
	} else {
		back_off(holder, pod);
	}
}

/*
 * Perhaps the container was started anew and the cloud has not noticed yet:
 * so it is asked again soon.  Nothing else is done.
 */
static void
wrong_key(struct holder *holder, struct held_pod *pod, struct str reason)
{
	PROBE("tunnel_wrong_key");
	drop_link(holder, pod);
	set_error(pod, reason.len > 0 ? reason :
	    STR("the host key is not the pinned one"));
	pod->conflict_ms = holder->now_ms;
	wait_until(pod, LINK_CONFLICT, holder->now_ms + POLL_SOON_MS);
}

static void
link_is_down(struct holder *holder, struct held_pod *pod,
    const struct holder_event *event)
{
	if (event->outcome == SSH_WRONG_HOST_KEY)
		wrong_key(holder, pod, event->text);
	else
		pod_lost(holder, pod, event->text.len > 0 ? event->text :
		    STR("the connection is lost"));
}

struct held_pod *
pod_of_link(const struct holder *holder, uint32_t link)
{
	struct held_pod *pod = holder->pods;

	while (pod != NULL && pod->link != link)
		pod = pod->next;
	return link == 0 ? NULL : pod;
}

void
pod_heard(struct holder *holder, struct held_pod *pod)
{
	pod->heard_ms = holder->now_ms;
}

void
pod_event(struct holder *holder, const struct holder_event *event)
{
	struct held_pod *pod;

	if (event->type == HOLDER_ON_CLOUD) {
		take_answer(holder, event);
		return;
	}
	pod = pod_of_link(holder, event->link);
	if (pod == NULL)
		return;
	pod_heard(holder, pod);
	if (event->type == HOLDER_ON_DOWN)
		link_is_down(holder, pod, event);
	else if (event->type == HOLDER_ON_RTT)
		pod->rtt_us = event->rtt_us;
	else if (event->type == HOLDER_ON_UP && pod->phase != LINK_UP)
		link_is_up(holder, pod, event->text);
	else if (event->type == HOLDER_ON_AUTHENTICATING &&
	    pod->phase == LINK_CONNECTING)
		pod->phase = LINK_AUTHENTICATING;
}

/* ---------------------------------------------------------------- time -- */

int64_t
pod_deadline(const struct held_pod *pod)
{
	return pod->phase == LINK_UP ? pod->heard_ms + DEAD_MS : pod->due_ms;
}

void
pod_time(struct holder *holder, struct held_pod *pod)
{
	int64_t due_ms = pod_deadline(pod);

	if (due_ms < 0 || holder->now_ms < due_ms)
		return;
	switch (pod->phase) {
	case LINK_UP:
		PROBE("tunnel_peer_is_silent");
		pod_lost(holder, pod, STR("nothing was heard from the pod "
		    "for 45 s"));
		break;
	case LINK_CONNECTING:
	case LINK_AUTHENTICATING:
		PROBE("tunnel_login_takes_too_long");
		pod_lost(holder, pod, STR("no login within 45 s"));
		break;
	case LINK_BACKOFF:
		try_again(holder, pod);
		break;
	case LINK_ASKING:
		go_on(holder, pod);
		break;
	case LINK_WAITING:
	case LINK_CONFLICT:
		ask_pod(holder, pod);
		break;
	}
}

/* What was connected is dead and does not know it. */
void
pod_suspended(struct holder *holder, struct held_pod *pod)
{
	PROBE("tunnel_machine_slept");
	bool linked = pod->link != 0;

	if (linked)
		set_error(pod, STR("this machine slept"));
	drop_link(holder, pod);
	forget_ask(holder, pod);
	pod->attempt = 0;
	pod->gone = 0;
	pod->known_ms = -1;
	ask_pod(holder, pod);
}

/* --------------------------------------------------- begin and end ----- */

void
pod_begin(struct holder *holder, struct held_pod *pod)
{
	drop_link(holder, pod);
	forget_ask(holder, pod);
	pod->attempt = 0;
	pod->gone = 0;
	if (pod->port != 0 && pod->known_ms >= 0)
		go_on(holder, pod);
	else
		ask_pod(holder, pod);
}

void
pod_release(struct holder *holder, struct held_pod *pod)
{
	struct held_pod **at = &holder->pods;

	if (pod->ntunnels > 0)
		return;
	drop_link(holder, pod);
	forget_ask(holder, pod);
	while (*at != pod)
		at = &(*at)->next;
	*at = pod->next;
	free(pod);
}
