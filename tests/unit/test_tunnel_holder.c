/* test_tunnel_holder.c - what the holder of tunnels decides, as transcripts */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "expected.h"
#include "tunnel/holder.h"

/*
 * A table of one holder: effects become lines of text, events are given by
 * small functions, and tokens are remembered so that a test can say "the
 * cloud answers".  Chance always says the middle, so 1 s is 1 s.
 */
struct table {
	struct holder *holder;
	struct strbuf seen;
	int64_t now_ms, wall_ms;
	uint64_t ask, check;
	uint32_t link;
	bool auto_listen;		/* whatever is wanted is free */
	bool quiet;			/* keep nothing of what is seen */
};

static const char pin_a[] =
    "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
static const char pin_b[] =
    "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
#define START_1 "2026-01-01T10:00:00Z"
#define START_2 "2026-01-01T11:00:00Z"

static void
middle(void *ctx, void *out, size_t n)
{
	uint16_t half = UINT16_MAX / 2 + 1;

	(void)ctx;
	assert_int_equal(n, sizeof half);
	memcpy(out, &half, sizeof half);
}

static void drain(struct table *table);

static void
give(struct table *table, struct holder_event event)
{
	event.now_ms = table->now_ms;
	event.wall_ms = table->wall_ms + table->now_ms;
	holder_event(table->holder, &event);
	drain(table);
}

static void
tell_answer(struct table *table, const struct holder_effect *effect)
{
	const struct holder_answer *answer = &effect->answer;

	strbuf_addf(&table->seen, "reply %d %s" STR_FMT "\n",
	    (int)effect->client, answer->ok ? "ok" :
	    answer->conflict ? "conflict: " : "no: ",
	    STR_ARG(answer->ok ? STR("") : answer->reason));
}

static void
tell_link(struct table *table, const struct holder_effect *effect)
{
	const struct ssh_target *target = &effect->target;

	strbuf_addf(&table->seen, "link %u " STR_FMT " " STR_FMT ":%u as "
	    STR_FMT " pin", effect->link, STR_ARG(target->pod),
	    STR_ARG(target->host), target->port, STR_ARG(target->user));
	for (size_t i = 0; i < target->npins; i++)
		strbuf_addf(&table->seen, " " STR_FMT,
		    STR_ARG(str_sub(target->pins[i], 0, 10)));
	strbuf_adds(&table->seen, target->npins == 0 ? " none\n" : "\n");
	table->link = effect->link;
}

static void
tell(struct table *table, const struct holder_effect *effect)
{
	struct strbuf *out = &table->seen;

	switch (effect->type) {
	case HOLDER_DO_ASK:
		table->ask = effect->token;
		strbuf_addf(out, "ask %s " STR_FMT "\n",
		    effect->request.op == CLOUD_GET_LOG ? "log" : "pod",
		    STR_ARG(effect->request.id));
		break;
	case HOLDER_DO_FORGET:
		strbuf_adds(out, effect->token == table->check ?
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
		tell_link(table, effect);
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
		table->check = effect->token;
		strbuf_addf(out, "check " STR_FMT "\n",
		    STR_ARG(effect->text));
		break;
	case HOLDER_DO_REPLY:
		tell_answer(table, effect);
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
drain(struct table *table)
{
	struct holder_effect effect;

	while (holder_next_effect(table->holder, &effect)) {
		tell(table, &effect);
		if (table->quiet)
			strbuf_reset(&table->seen);
		if (effect.type == HOLDER_DO_LISTEN && table->auto_listen)
			give(table, (struct holder_event){
				.type = HOLDER_ON_LISTEN, .ok = true,
				.tunnel = effect.tunnel,
				.port = effect.port,
			});
	}
}

static void
saw(struct table *table, const char *want)
{
	expected_same("what the holder did", str_from(want),
	    table->seen.len == 0 ? STR("") : strbuf_str(&table->seen));
	strbuf_reset(&table->seen);
}

static void
skip_all(struct table *table)
{
	strbuf_reset(&table->seen);
}

/* Let time pass; the holder is woken exactly when it wants to be. */
static void
pass(struct table *table, int64_t ms)
{
	int64_t until = table->now_ms + ms;

	for (;;) {
		int64_t next = holder_deadline(table->holder);
		if (next < 0 || next > until)
			break;
		assert_true(next >= table->now_ms);
		table->now_ms = next;
		give(table, (struct holder_event){ .type = HOLDER_ON_TIME });
		/* No deadline may stay behind: that would be a busy loop. */
		next = holder_deadline(table->holder);
		assert_true(next < 0 || next > table->now_ms);
	}
	table->now_ms = until;
}

static struct table
new_table(void)
{
	struct holder_options options = { .chance = { .bytes = middle } };

	return (struct table){
		.holder = holder_new(&options, 1000), .now_ms = 1000,
		.wall_ms = 1767261600000, .auto_listen = true,
	};
}

static void
release(struct table *table)
{
	holder_free(table->holder);
	strbuf_release(&table->seen);
}

static struct holder_request
request_of(const char *address)
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

static void
ask_for(struct table *table, uint64_t client,
    const struct holder_request *request)
{
	give(table, (struct holder_event){ .type = HOLDER_ON_REQUEST,
		.client = client, .request = request });
}

static void
link_says(struct table *table, enum holder_event_type type)
{
	give(table, (struct holder_event){ .type = type,
		.link = table->link,
		.text = type == HOLDER_ON_UP ? str_from(pin_a) :
		    (struct str){0} });
}

static void
link_down(struct table *table, enum ssh_outcome outcome, const char *why)
{
	give(table, (struct holder_event){ .type = HOLDER_ON_DOWN,
		.link = table->link, .outcome = outcome,
		.text = str_from(why) });
}

static void
forward_ok(struct table *table, uint32_t tunnel)
{
	give(table, (struct holder_event){ .type = HOLDER_ON_FORWARD,
		.link = table->link, .tunnel = tunnel, .ok = true });
}

static void
cloud_pod(struct table *table, enum pod_status status, const char *start,
    uint16_t port)
{
	struct cloud_pod pod = { .id = STR("p1"), .status = status,
		.status_text = STR("ODD"),
		.started_at = str_from(start),
		.ssh = { .host = STR("10.0.0.1"), .port = port } };
	struct cloud_answer answer = { .outcome = OUTCOME_OK, .pods = &pod,
		.npods = 1 };

	give(table, (struct holder_event){ .type = HOLDER_ON_CLOUD,
		.token = table->ask, .cloud = &answer });
}

static void
cloud_fails(struct table *table, enum cloud_outcome outcome,
    enum cloud_reason reason)
{
	struct cloud_answer answer = { .outcome = outcome, .reason = reason,
		.message = STR("no luck") };

	give(table, (struct holder_event){ .type = HOLDER_ON_CLOUD,
		.token = table->ask, .cloud = &answer });
}

static void
cloud_log(struct table *table, const char *text)
{
	struct log_line line = { .text = str_from(text) };
	struct cloud_answer answer = { .outcome = OUTCOME_OK,
		.lines = &line, .nlines = 1 };

	give(table, (struct holder_event){ .type = HOLDER_ON_CLOUD,
		.token = table->ask, .cloud = &answer });
}

/* A tunnel that is up, with what led there forgotten. */
static struct table
up_table(void)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	ask_for(&table, 7, &request);
	link_says(&table, HOLDER_ON_UP);
	forward_ok(&table, 1);
	skip_all(&table);
	return table;
}

/* --------------------------------------------------------------- open -- */

static void
test_holder_opens_without_asking_when_all_is_known(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	ask_for(&table, 7, &request);
	saw(&table,
	    "link 1 p1 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "listen 127.0.0.1 8188..8188\n"
	    "say tunnel.web: connecting\n");
	link_says(&table, HOLDER_ON_AUTHENTICATING);
	saw(&table, "say tunnel.web: authenticating\n");
	link_says(&table, HOLDER_ON_UP);
	saw(&table, "forward 1 on 1\nsay tunnel.web: probing\n");
	forward_ok(&table, 1);
	saw(&table, "say tunnel.web: up, 127.0.0.1:8188\nreply 7 ok\n");
	release(&table);
}

static void
test_holder_asks_where_the_pod_is_and_which_key_it_has(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	request.ssh = (struct ssh_endpoint){0};
	request.pin = request.start = (struct str){0};
	ask_for(&table, 7, &request);
	saw(&table, "ask pod p1\nlisten 127.0.0.1 8188..8188\n"
	    "say tunnel.web: resolving\n");
	cloud_pod(&table, POD_STARTING, NULL, 0);
	saw(&table, "say tunnel.web: waiting-for-pod: the pod is starting\n");
	pass(&table, 9999);
	saw(&table, "");
	pass(&table, 1);
	saw(&table, "ask pod p1\nrefuse\n");
	cloud_pod(&table, POD_RUNNING, START_1, 2201);
	saw(&table, "ask log p1\nsay tunnel.web: resolving: the pod is "
	    "starting\n");
	cloud_log(&table, "256 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
	    "BBBB root@p (ED25519)");
	saw(&table, "link 1 p1 10.0.0.1:2201 as root pin SHA256:BBB\n"
	    "say tunnel.web: connecting: the pod is starting\n");
	release(&table);
}

static void
test_holder_takes_a_key_on_first_use_and_says_so(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	request.pin = (struct str){0};
	ask_for(&table, 7, &request);
	skip_all(&table);
	/* A container that has just begun has not printed its keys yet. */
	cloud_log(&table, "no fingerprint here");
	pass(&table, 999);
	saw(&table, "");
	pass(&table, 1);
	cloud_log(&table, "nor here");
	pass(&table, 2000);
	saw(&table, "ask log p1\nask log p1\n");
	cloud_log(&table, "nor here");
	saw(&table, "link 1 p1 10.0.0.1:2201 as root pin none\n"
	    "say tunnel.web: connecting\n");
	link_says(&table, HOLDER_ON_UP);
	saw(&table, "say pod p1: its host key SHA256:AAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAA is taken on first use, since nobody has "
	    "named one\nforward 1 on 1\nsay tunnel.web: probing\n");
	/* Which then is as good as any. */
	forward_ok(&table, 1);
	link_down(&table, SSH_LOST, "lost");
	pass(&table, 1000);
	cloud_pod(&table, POD_RUNNING, START_1, 2201);
	assert_non_null(strstr(table.seen.data, "pin SHA256:AAA"));
	release(&table);
}

/* While nobody answers, the log may get to name them. */
static void
test_holder_looks_into_the_log_again_before_each_first_use(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	request.pin = (struct str){0};
	ask_for(&table, 7, &request);
	for (int i = 0; i < 3; i++) {
		cloud_log(&table, "no fingerprint here");
		pass(&table, 2000);
	}
	skip_all(&table);
	link_down(&table, SSH_UNREACHABLE, "Connection refused");
	pass(&table, 1000);
	cloud_pod(&table, POD_RUNNING, START_1, 2201);
	saw(&table, "unlink 1\nsay tunnel.web: backoff: Connection refused\n"
	    "ask pod p1\nsay tunnel.web: resolving: Connection refused\n"
	    "ask log p1\n");
	cloud_log(&table, "256 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
	    "BBBB root@p (ED25519)");
	saw(&table, "link 2 p1 10.0.0.1:2201 as root pin SHA256:BBB\n"
	    "say tunnel.web: connecting: Connection refused\n");
	release(&table);
}

static void
test_holder_log_that_cannot_be_read_is_tried_three_times(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	request.pin = (struct str){0};
	ask_for(&table, 7, &request);
	for (int i = 0; i < 2; i++) {
		cloud_fails(&table, OUTCOME_UNKNOWN, REASON_TRANSIENT);
		pass(&table, 2000);
		cloud_pod(&table, POD_RUNNING, START_1, 2201);
	}
	skip_all(&table);
	cloud_fails(&table, OUTCOME_UNKNOWN, REASON_TRANSIENT);
	saw(&table, "link 1 p1 10.0.0.1:2201 as root pin none\n"
	    "say tunnel.web: connecting: the pod's log cannot be read\n");
	release(&table);
}

static void
test_holder_answers_a_request_that_took_too_long(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	request.timeout_ms = 3000;
	ask_for(&table, 7, &request);
	link_down(&table, SSH_UNREACHABLE, "refused");
	skip_all(&table);
	pass(&table, 3000);
	assert_non_null(strstr(table.seen.data, "reply 7 no: refused\n"));
	release(&table);
}

static void
test_holder_hangup_wants_no_reply(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	ask_for(&table, 7, &request);
	give(&table, (struct holder_event){ .type = HOLDER_ON_HANGUP,
		.client = 7 });
	link_says(&table, HOLDER_ON_UP);
	skip_all(&table);
	forward_ok(&table, 1);
	saw(&table, "say tunnel.web: up, 127.0.0.1:8188\n");
	release(&table);
}

static void
test_holder_one_link_serves_all_tunnels_of_a_pod(void **state)
{
	struct table table = new_table();
	struct holder_request one = request_of("tunnel.one");
	struct holder_request two = request_of("tunnel.two");

	(void)state;
	two.config.local_port = 9000;
	ask_for(&table, 1, &one);
	ask_for(&table, 2, &two);
	skip_all(&table);
	link_says(&table, HOLDER_ON_UP);
	saw(&table, "forward 1 on 1\nforward 2 on 1\n"
	    "say tunnel.one: probing\nsay tunnel.two: probing\n");
	forward_ok(&table, 1);
	forward_ok(&table, 2);
	pass(&table, 40000);
	skip_all(&table);
	link_down(&table, SSH_LOST, "gone");
	/* One question for both. */
	assert_non_null(strstr(table.seen.data, "ask pod p1\n"));
	assert_null(strstr(strstr(table.seen.data, "ask pod p1\n") + 1,
	    "ask pod"));
	release(&table);
}

static void
test_holder_opens_the_same_tunnel_once(void **state)
{
	struct table table = up_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	ask_for(&table, 8, &request);
	saw(&table, "reply 8 ok\n");
	request.config.remote_port = 9999;
	ask_for(&table, 9, &request);
	saw(&table, "unforward 1 on 1\nunlisten 1\nsay tunnel.web: closed\n"
	    "listen 127.0.0.1 8188..8188\nsay tunnel.web: probing\n"
	    "forward 2 on 1\n");
	release(&table);
}

static void
test_holder_moves_a_tunnel_to_another_pod(void **state)
{
	struct table table = up_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	request.config.pod_id = STR("p2");
	ask_for(&table, 8, &request);
	saw(&table, "link 2 p2 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "unforward 1 on 1\nunlisten 1\nunlink 1\n"
	    "say tunnel.web: closed\nlisten 127.0.0.1 8188..8188\n"
	    "say tunnel.web: connecting\n");
	release(&table);
}

/* --------------------------------------------------------------- local -- */

static void
test_holder_local_port_taken_is_a_conflict_and_tried_again(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	table.auto_listen = false;
	ask_for(&table, 7, &request);
	skip_all(&table);
	give(&table, (struct holder_event){ .type = HOLDER_ON_LISTEN,
		.tunnel = 1, .text = STR("python3 (pid 4711) has it") });
	saw(&table, "say tunnel.web: conflict: python3 (pid 4711) has it\n"
	    "reply 7 conflict: python3 (pid 4711) has it\n");
	link_says(&table, HOLDER_ON_UP);
	saw(&table, "");
	pass(&table, 10000);
	saw(&table, "listen 127.0.0.1 8188..8188\nsay tunnel.web: probing: "
	    "python3 (pid 4711) has it\n");
	give(&table, (struct holder_event){ .type = HOLDER_ON_LISTEN,
		.tunnel = 1, .ok = true, .port = 8188 });
	saw(&table, "forward 1 on 1\n");
	release(&table);
}

static void
test_holder_automatic_port_goes_upward_and_is_kept(void **state)
{
	static const struct {
		enum tunnel_direction direction;
		uint16_t remote;
		const char *want;
	} rows[] = {
		{ TUNNEL_LOCAL, 8188, "listen 127.0.0.1 8188..8387\n" },
		{ TUNNEL_LOCAL, 80, "listen 127.0.0.1 8080..8279\n" },
		{ TUNNEL_LOCAL, 65500, "listen 127.0.0.1 65500..65535\n" },
		{ TUNNEL_DYNAMIC, 0, "listen 127.0.0.1 1080..1279\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct table table = new_table();
		struct holder_request request = request_of("tunnel.web");
		request.config.local_port = 0;
		request.config.direction = rows[i].direction;
		request.config.remote_port = rows[i].remote;
		ask_for(&table, 7, &request);
		assert_non_null(strstr(table.seen.data, rows[i].want));
		release(&table);
	}
}

static void
test_holder_remote_needs_no_listener_here(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.back");

	(void)state;
	request.config.direction = TUNNEL_REMOTE;
	ask_for(&table, 7, &request);
	link_says(&table, HOLDER_ON_UP);
	saw(&table, "link 1 p1 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "say tunnel.back: connecting\nforward 1 on 1\n"
	    "say tunnel.back: probing\n");
	give(&table, (struct holder_event){ .type = HOLDER_ON_FORWARD,
		.link = 1, .tunnel = 1, .text = STR("port is taken") });
	saw(&table, "say tunnel.back: backoff: port is taken\n");
	pass(&table, 1000);
	saw(&table, "forward 1 on 1\nsay tunnel.back: probing: port is "
	    "taken\n");
	forward_ok(&table, 1);
	assert_non_null(strstr(table.seen.data, "reply 7 ok\n"));
	release(&table);
}

static void
test_holder_lets_clients_wait_ten_seconds_and_then_refuses(void **state)
{
	struct table table = up_table();

	(void)state;
	link_down(&table, SSH_LOST, "lost");
	pass(&table, 9999);
	assert_null(strstr(table.seen.data, "refuse\n"));
	pass(&table, 1);
	assert_non_null(strstr(table.seen.data, "refuse\n"));
	cloud_pod(&table, POD_RUNNING, START_1, 2202);
	link_says(&table, HOLDER_ON_UP);
	skip_all(&table);
	forward_ok(&table, 1);
	saw(&table, "accept\nsay tunnel.web: up, 127.0.0.1:8188\n");
	release(&table);
}

/* --------------------------------------------------------------- check -- */

static void
check_says(struct table *table, bool ok)
{
	give(table, (struct holder_event){ .type = HOLDER_ON_CHECK,
		.token = table->check, .ok = ok, .text = STR("status 502") });
}

static void
test_holder_is_up_only_when_its_check_answers(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	request.config.check = STR("http://127.0.0.1:8188/");
	ask_for(&table, 7, &request);
	link_says(&table, HOLDER_ON_UP);
	skip_all(&table);
	forward_ok(&table, 1);
	saw(&table, "check http://127.0.0.1:8188/\n");
	check_says(&table, false);
	saw(&table, "");
	pass(&table, 250);
	saw(&table, "check http://127.0.0.1:8188/\n");
	check_says(&table, true);
	saw(&table, "say tunnel.web: up, 127.0.0.1:8188\nreply 7 ok\n");
	/* Looked at every minute; one failure is none. */
	for (int i = 0; i < 4; i++) {
		pass(&table, 14000);
		link_says(&table, HOLDER_ON_RTT);
	}
	saw(&table, "");
	pass(&table, 4000);
	saw(&table, "check http://127.0.0.1:8188/\n");
	check_says(&table, false);
	saw(&table, "");
	pass(&table, 250);
	saw(&table, "check http://127.0.0.1:8188/\n");
	check_says(&table, false);
	saw(&table, "say tunnel.web: probing: check: status 502\n");
	release(&table);
}

/* What no server said tells where the forward leads. */
static void
test_holder_check_names_the_far_end_that_is_silent(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	request.config.check = STR("http://127.0.0.1:8188/");
	request.config.remote_port = 9999;
	ask_for(&table, 7, &request);
	link_says(&table, HOLDER_ON_UP);
	forward_ok(&table, 1);
	check_says(&table, true);
	for (int i = 0; i < 5; i++) {
		pass(&table, 12100);
		link_says(&table, HOLDER_ON_RTT);
	}
	skip_all(&table);
	for (int i = 0; i < 2; i++) {
		give(&table, (struct holder_event){ .type = HOLDER_ON_CHECK,
			.token = table.check,
			.text = STR("Connection reset by peer") });
		if (i == 0)
			pass(&table, 250);
	}
	saw(&table, "check http://127.0.0.1:8188/\n"
	    "say tunnel.web: probing: check: Connection reset by peer (does "
	    "anything answer at 127.0.0.1:9999, as the pod sees it?)\n");
	release(&table);
}

static void
test_holder_check_follows_the_port_that_was_free(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	table.auto_listen = false;
	request.config.local_port = 0;
	request.config.check = STR("http://127.0.0.1:8188/a?b=:8188");
	ask_for(&table, 7, &request);
	give(&table, (struct holder_event){ .type = HOLDER_ON_LISTEN,
		.tunnel = 1, .ok = true, .port = 8190 });
	link_says(&table, HOLDER_ON_UP);
	skip_all(&table);
	forward_ok(&table, 1);
	saw(&table, "check http://127.0.0.1:8190/a?b=:8188\n");
	release(&table);
}

/* --------------------------------------------------------------- loss -- */

static void
test_holder_backs_off_doubling_to_a_minute(void **state)
{
	static const int64_t waits[] = { 250, 500, 1000, 1000, 1000, 1000,
		1000, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");
	int64_t known_ms = table.now_ms;

	(void)state;
	ask_for(&table, 7, &request);
	for (size_t i = 0; i < COUNTOF(waits); i++) {
		uint32_t link = table.link;
		link_down(&table, SSH_UNREACHABLE, "refused");
		pass(&table, waits[i] - 1);
		assert_int_equal(table.link, link);
		skip_all(&table);
		pass(&table, 1);
		/* After five seconds its place is asked for anew. */
		if (table.now_ms - known_ms >= 5000) {
			assert_non_null(strstr(table.seen.data,
			    "ask pod p1\n"));
			cloud_pod(&table, POD_RUNNING, START_1, 2201);
			known_ms = table.now_ms;
		}
		assert_int_equal(table.link, link + 1);
	}
	release(&table);
}

static void
test_holder_asks_at_once_when_a_link_that_lasted_is_lost(void **state)
{
	struct table table = up_table();

	(void)state;
	pass(&table, 29999);
	link_says(&table, HOLDER_ON_RTT);
	pass(&table, 1);
	link_down(&table, SSH_LOST, "connection reset");
	saw(&table, "unlink 1\nask pod p1\n"
	    "say tunnel.web: resolving: connection reset\n");
	cloud_pod(&table, POD_RUNNING, START_1, 2201);
	saw(&table, "link 2 p1 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "say tunnel.web: connecting: connection reset\n");
	release(&table);
}

static void
test_holder_backs_off_when_a_link_did_not_last(void **state)
{
	struct table table = up_table();

	(void)state;
	pass(&table, 29000);
	link_down(&table, SSH_LOST, "connection reset");
	saw(&table, "unlink 1\nsay tunnel.web: backoff: connection reset\n");
	release(&table);
}

static void
test_holder_finds_a_silent_link_dead_within_45_seconds(void **state)
{
	struct table table = up_table();

	(void)state;
	pass(&table, 15000);
	give(&table, (struct holder_event){ .type = HOLDER_ON_RTT,
		.link = 1, .rtt_us = 20000 });
	pass(&table, 44999);
	saw(&table, "");
	pass(&table, 1);
	saw(&table, "unlink 1\nask pod p1\nsay tunnel.web: resolving: "
	    "nothing was heard from the pod for 45 s\n");
	/* What it says now is not believed. */
	link_says(&table, HOLDER_ON_UP);
	saw(&table, "");
	release(&table);
}

static void
test_holder_gives_a_login_45_seconds(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	ask_for(&table, 7, &request);
	link_says(&table, HOLDER_ON_AUTHENTICATING);
	skip_all(&table);
	pass(&table, 45000);
	saw(&table, "refuse\nunlink 1\n"
	    "say tunnel.web: backoff: no login within 45 s\n");
	release(&table);
}

static void
test_holder_tears_all_down_after_a_suspend(void **state)
{
	struct table table = up_table();

	(void)state;
	give(&table, (struct holder_event){ .type = HOLDER_ON_SUSPENDED });
	saw(&table, "unlink 1\nask pod p1\n"
	    "say tunnel.web: resolving: this machine slept\n");
	/* The network is not back yet: the last place will do. */
	cloud_fails(&table, OUTCOME_NOT_SENT, REASON_TRANSIENT);
	saw(&table, "link 2 p1 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "say tunnel.web: connecting: the cloud does not say where the "
	    "pod is: no luck\n");
	link_down(&table, SSH_UNREACHABLE, "no route");
	pass(&table, 1000);
	saw(&table, "unlink 2\nsay tunnel.web: backoff: no route\n"
	    "ask pod p1\nsay tunnel.web: resolving: no route\n");
	release(&table);
}

/* -------------------------------------------------------- pod's own life -- */

static void
test_holder_follows_a_pod_through_stop_and_start(void **state)
{
	struct table table = up_table();

	(void)state;
	pass(&table, 40000);
	link_down(&table, SSH_LOST, "lost");
	skip_all(&table);
	cloud_pod(&table, POD_EXITED, START_1, 0);
	saw(&table, "say tunnel.web: waiting-for-pod: the pod is stopped\n");
	pass(&table, 29999);
	saw(&table, "refuse\n");
	pass(&table, 1);
	saw(&table, "ask pod p1\n");
	cloud_pod(&table, POD_RUNNING, START_2, 0);
	saw(&table, "");
	pass(&table, 10000);
	cloud_pod(&table, POD_RUNNING, START_2, 2299);
	saw(&table, "ask pod p1\nsay pod p1: its container was started anew "
	    "at " START_2 "\nask log p1\nsay tunnel.web: resolving: the pod "
	    "has no SSH port yet\n");
	cloud_log(&table, "256 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
	    "BBBB root@p (ED25519)");
	saw(&table, "link 2 p1 10.0.0.1:2299 as root pin SHA256:BBB\n"
	    "say tunnel.web: connecting: the pod has no SSH port yet\n");
	release(&table);
}

static void
test_holder_closes_when_the_pod_is_terminated_twice(void **state)
{
	struct table table = up_table();

	(void)state;
	pass(&table, 40000);
	link_down(&table, SSH_LOST, "lost");
	cloud_pod(&table, POD_TERMINATED, NULL, 0);
	skip_all(&table);
	pass(&table, 1000);
	saw(&table, "ask pod p1\n");
	cloud_pod(&table, POD_TERMINATED, NULL, 0);
	saw(&table, "unlisten 1\n"
	    "say tunnel.web: closed: the pod was terminated\n");
	pass(&table, 4999);
	saw(&table, "");
	pass(&table, 1);
	saw(&table, "end\n");
	assert_int_equal(holder_deadline(table.holder), -1);
	release(&table);
}

static void
test_holder_one_404_proves_nothing(void **state)
{
	struct table table = up_table();

	(void)state;
	pass(&table, 40000);
	link_down(&table, SSH_LOST, "lost");
	cloud_fails(&table, OUTCOME_NO_EFFECT, REASON_NOT_FOUND);
	skip_all(&table);
	pass(&table, 9999);
	assert_null(strstr(table.seen.len > 0 ? table.seen.data : "", "ask"));
	pass(&table, 1);
	cloud_pod(&table, POD_RUNNING, START_1, 2201);
	/* And two that are not in a row prove as little. */
	link_says(&table, HOLDER_ON_UP);
	pass(&table, 40000);
	link_down(&table, SSH_LOST, "lost");
	cloud_fails(&table, OUTCOME_NO_EFFECT, REASON_NOT_FOUND);
	assert_null(strstr(table.seen.data, "closed"));
	pass(&table, 10000);
	cloud_fails(&table, OUTCOME_NO_EFFECT, REASON_NOT_FOUND);
	assert_non_null(strstr(table.seen.data,
	    "closed: the pod does not exist any more"));
	release(&table);
}

static void
test_holder_odd_answers_change_nothing(void **state)
{
	struct table table = up_table();
	struct cloud_pod other = { .id = STR("p2"),
		.status = POD_TERMINATED };
	struct cloud_answer answer = { .outcome = OUTCOME_OK,
		.pods = &other, .npods = 1 };

	(void)state;
	pass(&table, 40000);
	link_down(&table, SSH_LOST, "lost");
	for (int i = 0; i < 3; i++) {
		give(&table, (struct holder_event){ .type = HOLDER_ON_CLOUD,
			.token = table.ask, .cloud = &answer });
		link_down(&table, SSH_UNREACHABLE, "refused");
		pass(&table, 8000);
	}
	cloud_pod(&table, POD_UNKNOWN, NULL, 0);
	assert_null(strstr(table.seen.data, "closed"));
	assert_non_null(strstr(table.seen.data, "'ODD', which says nothing"));
	release(&table);
}

/* ---------------------------------------------------------------- keys -- */

static void
test_holder_wrong_key_without_a_new_start_is_never_connected(void **state)
{
	struct table table = up_table();

	(void)state;
	pass(&table, 40000);
	link_down(&table, SSH_LOST, "lost");
	cloud_pod(&table, POD_RUNNING, START_1, 2201);
	skip_all(&table);
	link_down(&table, SSH_WRONG_HOST_KEY, "another key");
	saw(&table, "unlink 2\nsay tunnel.web: conflict: another key\n");
	for (int i = 0; i < 200; i++) {
		pass(&table, 31000);
		cloud_pod(&table, POD_RUNNING, START_1, 2201);
	}
	assert_null(strstr(table.seen.data, "link"));
	/* A failure of the cloud is no reason either. */
	pass(&table, 31000);
	cloud_fails(&table, OUTCOME_UNKNOWN, REASON_TRANSIENT);
	give(&table, (struct holder_event){ .type = HOLDER_ON_SUSPENDED });
	cloud_fails(&table, OUTCOME_UNKNOWN, REASON_TRANSIENT);
	assert_null(strstr(table.seen.data, "link"));
	skip_all(&table);
	pass(&table, 31000);
	cloud_pod(&table, POD_RUNNING, START_2, 2207);
	saw(&table, "ask pod p1\nsay pod p1: its container was started anew "
	    "at " START_2 "\nask log p1\n"
	    "say tunnel.web: resolving: another key\n");
	release(&table);
}

static void
test_holder_wrong_key_answers_the_request_at_once(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	ask_for(&table, 7, &request);
	skip_all(&table);
	link_down(&table, SSH_WRONG_HOST_KEY, NULL);
	saw(&table, "unlink 1\nsay tunnel.web: conflict: the host key is not "
	    "the pinned one\nreply 7 conflict: the host key is not the "
	    "pinned one\n");
	release(&table);
}

static void
test_holder_believes_a_client_that_saw_a_later_start(void **state)
{
	struct table table = up_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	request.start = STR(START_2);
	request.pin = str_from(pin_b);
	request.ssh.port = 2300;
	ask_for(&table, 8, &request);
	saw(&table, "say pod p1: its container was started anew at " START_2
	    "\nunlink 1\nlink 2 p1 10.0.0.1:2300 as root pin SHA256:BBB\n"
	    "say tunnel.web: connecting\n");
	/* And not one that is behind. */
	request = request_of("tunnel.web");
	ask_for(&table, 9, &request);
	saw(&table, "");
	release(&table);
}

/* ---------------------------------------------------------------- end -- */

static void
test_holder_close_leaves_nothing_and_it_ends(void **state)
{
	struct table table = up_table();
	struct holder_request request = { .verb = HOLDER_CLOSE,
		.config.address = STR("tunnel.web") };

	(void)state;
	ask_for(&table, 8, &request);
	saw(&table, "unforward 1 on 1\nunlisten 1\nunlink 1\n"
	    "say tunnel.web: closed\nreply 8 ok\n");
	ask_for(&table, 9, &request);
	saw(&table, "reply 9 ok\n");
	pass(&table, 5000);
	saw(&table, "end\n");
	release(&table);
}

static void
test_holder_ends_if_nobody_asks_for_anything(void **state)
{
	struct table table = new_table();

	(void)state;
	give(&table, (struct holder_event){ .type = HOLDER_ON_TIME });
	pass(&table, 4999);
	saw(&table, "");
	pass(&table, 1);
	saw(&table, "end\n");
	release(&table);
}

static void
test_holder_quit_closes_all_and_answers_who_waits(void **state)
{
	struct table table = new_table();
	struct holder_request request = request_of("tunnel.web");

	(void)state;
	ask_for(&table, 7, &request);
	skip_all(&table);
	give(&table, (struct holder_event){ .type = HOLDER_ON_QUIT });
	saw(&table, "unlisten 1\nunlink 1\nsay tunnel.web: closed\n"
	    "reply 7 no: it was closed meanwhile\nend\n");
	ask_for(&table, 8, &request);
	saw(&table, "");
	release(&table);
}

static void
test_holder_list_tells_state_bytes_and_times(void **state)
{
	struct table table = up_table();
	struct holder_request request = { .verb = HOLDER_LIST };
	struct holder_effect effect;

	(void)state;
	give(&table, (struct holder_event){ .type = HOLDER_ON_STATS,
		.link = 1, .tunnel = 1, .connections = 2, .bytes_in = 100,
		.bytes_out = 10 });
	link_down(&table, SSH_LOST, "lost");
	pass(&table, 1000);
	cloud_pod(&table, POD_RUNNING, START_1, 2201);
	link_says(&table, HOLDER_ON_UP);
	forward_ok(&table, 1);
	give(&table, (struct holder_event){ .type = HOLDER_ON_STATS,
		.link = 2, .tunnel = 1, .connections = 1, .bytes_in = 5,
		.bytes_out = 1 });
	give(&table, (struct holder_event){ .type = HOLDER_ON_RTT,
		.link = 2, .rtt_us = 12345 });
	holder_event(table.holder, &(struct holder_event){
		.type = HOLDER_ON_REQUEST, .client = 3, .request = &request,
		.now_ms = table.now_ms, .wall_ms = table.wall_ms });
	assert_true(holder_next_effect(table.holder, &effect));
	assert_int_equal(effect.type, HOLDER_DO_REPLY);
	assert_true(effect.answer.ok);
	assert_int_equal(effect.answer.ntunnels, 1);
	const struct tunnel_status *status = &effect.answer.tunnels[0];
	assert_int_equal(status->state, TUNNEL_UP);
	assert_int_equal(status->port, 8188);
	assert_int_equal(status->bytes_in, 105);
	assert_int_equal(status->bytes_out, 11);
	assert_int_equal(status->connections, 1);
	assert_int_equal(status->rtt_us, 12345);
	assert_int_equal(status->reconnects, 1);
	assert_true(str_is(status->error, "lost"));
	assert_true(str_is(status->fingerprint, pin_a));
	assert_false(status->first_use);
	assert_int_equal(status->since_ms, table.wall_ms + 2000);
	release(&table);
}

/* A month of a pod that dies every ten minutes, with clients that look. */
static void
test_holder_memory_is_bounded_over_a_month(void **state)
{
	struct table table = up_table();
	struct holder_request request = { .verb = HOLDER_LIST };
	size_t most = 0;

	(void)state;
	table.quiet = true;
	for (int i = 0; i < 4320; i++) {
		for (int j = 0; j < 20; j++) {
			pass(&table, 30000);
			link_says(&table, HOLDER_ON_RTT);
		}
		ask_for(&table, (uint64_t)i, &request);
		link_down(&table, SSH_LOST, "lost again, for whatever reason");
		cloud_pod(&table, POD_RUNNING, i % 2 ? START_1 : START_2,
		    2201);
		for (int j = 0; j < 3; j++) {
			cloud_log(&table, "nothing");
			pass(&table, 2000);
		}
		link_says(&table, HOLDER_ON_UP);
		forward_ok(&table, 1);
		if (i == 10)
			most = holder_memory(table.holder);
		if (i > 10)
			assert_true(holder_memory(table.holder) <= most);
	}
	release(&table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_holder_opens_without_asking_when_all_is_known),
		cmocka_unit_test(
		    test_holder_asks_where_the_pod_is_and_which_key_it_has),
		cmocka_unit_test(
		    test_holder_takes_a_key_on_first_use_and_says_so),
		cmocka_unit_test(
		    test_holder_looks_into_the_log_again_before_each_first_use),
		cmocka_unit_test(
		    test_holder_log_that_cannot_be_read_is_tried_three_times),
		cmocka_unit_test(
		    test_holder_answers_a_request_that_took_too_long),
		cmocka_unit_test(test_holder_hangup_wants_no_reply),
		cmocka_unit_test(
		    test_holder_one_link_serves_all_tunnels_of_a_pod),
		cmocka_unit_test(test_holder_opens_the_same_tunnel_once),
		cmocka_unit_test(test_holder_moves_a_tunnel_to_another_pod),
		cmocka_unit_test(
		    test_holder_local_port_taken_is_a_conflict_and_tried_again),
		cmocka_unit_test(
		    test_holder_automatic_port_goes_upward_and_is_kept),
		cmocka_unit_test(test_holder_remote_needs_no_listener_here),
		cmocka_unit_test(
		    test_holder_lets_clients_wait_ten_seconds_and_then_refuses),
		cmocka_unit_test(
		    test_holder_is_up_only_when_its_check_answers),
		cmocka_unit_test(
		    test_holder_check_names_the_far_end_that_is_silent),
		cmocka_unit_test(
		    test_holder_check_follows_the_port_that_was_free),
		cmocka_unit_test(test_holder_backs_off_doubling_to_a_minute),
		cmocka_unit_test(
		    test_holder_asks_at_once_when_a_link_that_lasted_is_lost),
		cmocka_unit_test(
		    test_holder_backs_off_when_a_link_did_not_last),
		cmocka_unit_test(
		    test_holder_finds_a_silent_link_dead_within_45_seconds),
		cmocka_unit_test(test_holder_gives_a_login_45_seconds),
		cmocka_unit_test(test_holder_tears_all_down_after_a_suspend),
		cmocka_unit_test(
		    test_holder_follows_a_pod_through_stop_and_start),
		cmocka_unit_test(
		    test_holder_closes_when_the_pod_is_terminated_twice),
		cmocka_unit_test(test_holder_one_404_proves_nothing),
		cmocka_unit_test(test_holder_odd_answers_change_nothing),
		cmocka_unit_test(
		    test_holder_wrong_key_without_a_new_start_is_never_connected),
		cmocka_unit_test(
		    test_holder_wrong_key_answers_the_request_at_once),
		cmocka_unit_test(
		    test_holder_believes_a_client_that_saw_a_later_start),
		cmocka_unit_test(test_holder_close_leaves_nothing_and_it_ends),
		cmocka_unit_test(test_holder_ends_if_nobody_asks_for_anything),
		cmocka_unit_test(
		    test_holder_quit_closes_all_and_answers_who_waits),
		cmocka_unit_test(test_holder_list_tells_state_bytes_and_times),
		cmocka_unit_test(test_holder_memory_is_bounded_over_a_month),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
