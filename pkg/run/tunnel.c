/*
 * tunnel.c - tunnels, which a process of this machine holds up.
 *
 * The holder outlives the run; it is told what is known of the pod now, so
 * that it need not ask.
 */
#include "run/act.h"

#include "base/units.h"

enum { OPEN_MS = MINUTE_MS, CLOSE_MS = 20 * SECOND_MS };

void
open_start(struct run *run, struct act *act)
{
	struct host host;

	if (!act_reach(run, act, &host))
		return;
	const struct lock_inside *inside = host_inside(run, &host);
	struct holder_request *request =
	    &act_ask(run, act, RUN_HOLDER)->holder;
	act->reason = STR("waiting until it is up");
	/* From now on it may be held, and the holder goes on trying, whatever
	 * becomes of this wait: to undo it is to close it. */
	act->effected = true;
	*request = (struct holder_request){
		.verb = HOLDER_OPEN,
		.config = act->change->tunnel_config,
		.ssh = host.ssh,
		.start = host.start,
		.pin = inside->host_key,
		.timeout_ms = OPEN_MS,
	};
	request->config.pod_id = host.id;
}

static struct str
where(struct run *run, const struct holder_answer *answer)
{
	if (answer->ntunnels == 0 || answer->tunnels[0].port == 0)
		return (struct str){0};
	return arena_printf(run->arena, "listening on " STR_FMT ":%u",
	    STR_ARG(answer->tunnels[0].config.local_address),
	    answer->tunnels[0].port);
}

/* The holder was the first one there: what it pinned is pinned for all. */
static bool
take_pin(struct run *run, struct act *act, const struct holder_answer *answer)
{
	struct host host;

	act_host(run, act, &host);
	struct lock_inside *inside = host_inside(run, &host);
	if (inside->host_key.len > 0 || answer->ntunnels == 0 ||
	    answer->tunnels[0].fingerprint.len == 0)
		return false;
	const struct tunnel_status *tunnel = &answer->tunnels[0];
	inside->host_key = arena_str(run->arena, tunnel->fingerprint);
	inside->host_key_by = tunnel->first_use ? STR("first use") :
	    STR("log");
	if (tunnel->first_use)
		run_say(run, NOTE_PROGRESS, act, arena_printf(run->arena,
		    "its log shows no host key, so " STR_FMT
		    " is trusted on first use", STR_ARG(inside->host_key)));
	act_fact(run, act, host.id, inside);
	return true;
}

void
open_holder(struct run *run, struct act *act,
    const struct holder_answer *answer)
{
	if (!answer->ok) {
		act_fail(run, act, FAIL_INSIDE,
		    last_words(run, answer->reason));
		return;
	}
	if (answer->ntunnels > 0)
		act->subject->tunnel_port = answer->tunnels[0].port;
	struct str words = where(run, answer);
	if (words.len > 0)
		run_say(run, NOTE_PROGRESS, act, words);
	if (!take_pin(run, act, answer))
		act_done(run, act);
}

void
close_start(struct run *run, struct act *act)
{
	struct holder_request *request =
	    &act_ask(run, act, RUN_HOLDER)->holder;

	act->reason = STR("closing");
	*request = (struct holder_request){
		.verb = HOLDER_CLOSE,
		.config = { .address = act->change->address },
		.timeout_ms = CLOSE_MS,
	};
}

void
close_holder(struct run *run, struct act *act,
    const struct holder_answer *answer)
{
	if (!answer->ok) {
		act_retry(run, act, 0, FAIL_ERROR,
		    last_words(run, answer->reason));
		return;
	}
	act->effected = true;
	act_done(run, act);
}
