/* holder_rig.c - see holder_rig.h */
#include "holder_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "expected.h"

static void
middle(void *ctx, void *out, size_t n)
{
	uint16_t half = UINT16_MAX / 2 + 1;

	(void)ctx;
	assert_int_equal(n, sizeof half);
	memcpy(out, &half, sizeof half);
}

static void drain(struct rig *rig);

void
rig_give(struct rig *rig, struct holder_event event)
{
	event.now_ms = rig->now_ms;
	event.wall_ms = rig->wall_ms + rig->now_ms;
	holder_event(rig->holder, &event);
	drain(rig);
}

static void
tell_answer(struct rig *rig, const struct holder_effect *effect)
{
	const struct holder_answer *answer = &effect->answer;

	strbuf_addf(&rig->seen, "reply %d %s" STR_FMT "\n",
	    (int)effect->client, answer->ok ? "ok" :
	    answer->conflict ? "conflict: " : "no: ",
	    STR_ARG(answer->ok ? STR("") : answer->reason));
}

static void
tell_link(struct rig *rig, const struct holder_effect *effect)
{
	const struct ssh_target *target = &effect->target;

	strbuf_addf(&rig->seen, "link %u " STR_FMT " " STR_FMT ":%u as "
	    STR_FMT " pin", effect->link, STR_ARG(target->pod),
	    STR_ARG(target->host), target->port, STR_ARG(target->user));
	for (size_t i = 0; i < target->npins; i++)
		strbuf_addf(&rig->seen, " " STR_FMT,
		    STR_ARG(str_sub(target->pins[i], 0, 10)));
	strbuf_adds(&rig->seen, target->npins == 0 ? " none\n" : "\n");
	rig->link = effect->link;
}

static void
tell(struct rig *rig, const struct holder_effect *effect)
{
	struct strbuf *out = &rig->seen;

	switch (effect->type) {
	case HOLDER_DO_ASK:
		rig->ask = effect->token;
		strbuf_addf(out, "ask %s " STR_FMT "\n",
		    effect->request.op == CLOUD_GET_LOG ? "log" : "pod",
		    STR_ARG(effect->request.id));
		break;
	case HOLDER_DO_FORGET:
		strbuf_adds(out, effect->token == rig->check ?
		    "forget check\n" : "forget ask\n");
		break;
	case HOLDER_DO_LISTEN:
		strbuf_addf(out, "listen " STR_FMT " %u..%u\n",
		    STR_ARG(effect->config.local_address), effect->port,
		    effect->last_port);
		break;
	case HOLDER_DO_UNLISTEN:
		strbuf_addf(out, "unlisten %u\n", effect->tunnel);
		break;
	case HOLDER_DO_REFUSE:
		strbuf_adds(out, effect->refuse ? "refuse\n" : "accept\n");
		break;
	case HOLDER_DO_LINK:
		tell_link(rig, effect);
		break;
	case HOLDER_DO_UNLINK:
		strbuf_addf(out, "unlink %u\n", effect->link);
		break;
	case HOLDER_DO_FORWARD:
		strbuf_addf(out, "forward %u on %u\n", effect->tunnel,
		    effect->link);
		break;
	case HOLDER_DO_UNFORWARD:
		strbuf_addf(out, "unforward %u on %u\n", effect->tunnel,
		    effect->link);
		break;
	case HOLDER_DO_CHECK:
		rig->check = effect->token;
		strbuf_addf(out, "check " STR_FMT "\n",
		    STR_ARG(effect->text));
		break;
	case HOLDER_DO_REPLY:
		tell_answer(rig, effect);
		break;
	case HOLDER_DO_SAY:
		strbuf_addf(out, "say " STR_FMT "\n", STR_ARG(effect->text));
		break;
	case HOLDER_DO_END:
		strbuf_adds(out, "end\n");
		break;
	}
}

static void
drain(struct rig *rig)
{
	struct holder_effect effect;

	while (holder_next_effect(rig->holder, &effect)) {
		tell(rig, &effect);
		if (rig->quiet)
			strbuf_reset(&rig->seen);
		if (effect.type == HOLDER_DO_LISTEN && rig->auto_listen)
			rig_give(rig, (struct holder_event){
				.type = HOLDER_ON_LISTEN, .ok = true,
				.tunnel = effect.tunnel,
				.port = effect.port,
			});
	}
}

void
rig_saw(struct rig *rig, const char *want)
{
	expected_same("what the holder did", str_from(want),
	    rig->seen.len == 0 ? STR("") : strbuf_str(&rig->seen));
	strbuf_reset(&rig->seen);
}

void
rig_skip(struct rig *rig)
{
	strbuf_reset(&rig->seen);
}

void
rig_pass(struct rig *rig, int64_t ms)
{
	int64_t until = rig->now_ms + ms;

	for (;;) {
		int64_t next = holder_deadline(rig->holder);
		if (next < 0 || next > until)
			break;
		assert_true(next >= rig->now_ms);
		rig->now_ms = next;
		rig_give(rig,
		    (struct holder_event){ .type = HOLDER_ON_TIME });
		/* No deadline may stay behind: that would be a busy loop. */
		next = holder_deadline(rig->holder);
		assert_true(next < 0 || next > rig->now_ms);
	}
	rig->now_ms = until;
}

struct rig
rig_new(void)
{
	struct holder_options options = { .chance = { .bytes = middle } };

	return (struct rig){
		.holder = holder_new(&options, 1000), .now_ms = 1000,
		.wall_ms = 1767261600000, .auto_listen = true,
	};
}

void
rig_release(struct rig *rig)
{
	holder_free(rig->holder);
	strbuf_release(&rig->seen);
}

struct holder_request
rig_request(const char *address)
{
	return (struct holder_request){
		.verb = HOLDER_OPEN, .timeout_ms = 60000,
		.config = { .address = str_from(address),
			.direction = TUNNEL_LOCAL,
			.local_address = STR("127.0.0.1"),
			.local_port = 8188, .remote_host = STR("127.0.0.1"),
			.remote_port = 8188, .pod = STR("pod.a"),
			.pod_id = STR("p1"), .user = STR("root") },
		.ssh = { .host = STR("10.0.0.1"), .port = 2201 },
		.start = STR(START_1), .pin = str_from(pin_a),
	};
}

void
rig_ask(struct rig *rig, uint64_t client,
    const struct holder_request *request)
{
	rig_give(rig, (struct holder_event){ .type = HOLDER_ON_REQUEST,
		.client = client, .request = request });
}

void
rig_link_says(struct rig *rig, enum holder_event_type type)
{
	rig_give(rig, (struct holder_event){ .type = type,
		.link = rig->link,
		.text = type == HOLDER_ON_UP ? str_from(pin_a) :
		    (struct str){0} });
}

void
rig_link_down(struct rig *rig, enum ssh_outcome outcome, const char *why)
{
	rig_give(rig, (struct holder_event){ .type = HOLDER_ON_DOWN,
		.link = rig->link, .outcome = outcome,
		.text = str_from(why) });
}

void
rig_forward_ok(struct rig *rig, uint32_t tunnel)
{
	rig_give(rig, (struct holder_event){ .type = HOLDER_ON_FORWARD,
		.link = rig->link, .tunnel = tunnel, .ok = true });
}

void
rig_cloud_pod(struct rig *rig, enum pod_status status, const char *start,
    uint16_t port)
{
	struct cloud_pod pod = { .id = STR("p1"), .status = status,
		.status_text = STR("ODD"),
		.started_at = str_from(start),
		.ssh = { .host = STR("10.0.0.1"), .port = port } };
	struct cloud_answer answer = { .outcome = OUTCOME_OK, .pods = &pod,
		.npods = 1 };

	rig_give(rig, (struct holder_event){ .type = HOLDER_ON_CLOUD,
		.token = rig->ask, .cloud = &answer });
}

void
rig_cloud_fails(struct rig *rig, enum cloud_outcome outcome,
    enum cloud_reason reason)
{
	struct cloud_answer answer = { .outcome = outcome, .reason = reason,
		.message = STR("no luck") };

	rig_give(rig, (struct holder_event){ .type = HOLDER_ON_CLOUD,
		.token = rig->ask, .cloud = &answer });
}

void
rig_cloud_log(struct rig *rig, const char *text)
{
	struct log_line line = { .text = str_from(text) };
	struct cloud_answer answer = { .outcome = OUTCOME_OK,
		.lines = &line, .nlines = 1 };

	rig_give(rig, (struct holder_event){ .type = HOLDER_ON_CLOUD,
		.token = rig->ask, .cloud = &answer });
}

struct rig
rig_up(void)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	rig_ask(&rig, 7, &request);
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_forward_ok(&rig, 1);
	rig_skip(&rig);
	return rig;
}
