/* test_tunnel_rules.c - what the holder lets clients ask, and believes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>

#include "holder_rig.h"
#include "tunnel/held.h"

/* ------------------------------------------------------------- requests -- */

static void
test_holder_refuses_a_tunnel_of_nothing_or_nowhere(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("");

	(void)state;
	rig_ask(&rig, 7, &request);
	rig_saw(&rig,
	    "reply 7 no: a tunnel needs an address and the id of its pod\n");
	request = rig_request("tunnel.web");
	request.config.pod_id = (struct str){0};
	rig_ask(&rig, 8, &request);
	rig_saw(&rig,
	    "reply 8 no: a tunnel needs an address and the id of its pod\n");
	rig_release(&rig);
}

static void
test_holder_has_room_for_so_many_tunnels(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");
	char address[20];

	(void)state;
	rig.quiet = true;
	request.config.address = (struct str){ address, 8 };
	for (unsigned i = 0; i < HOLDER_TUNNELS_MAX; i++) {
		(void)snprintf(address, sizeof address, "tu.%05u", i);
		rig_ask(&rig, i, &request);
		rig_give(&rig, (struct holder_event){
			.type = HOLDER_ON_HANGUP, .client = i });
	}
	rig.quiet = false;
	/* One more is one too many, and leaves no pod behind. */
	struct holder_request more = rig_request("tunnel.more");
	more.config.pod_id = STR("p2");
	rig_skip(&rig);
	size_t before = holder_memory(rig.holder);
	rig_ask(&rig, 7, &more);
	rig_saw(&rig, "link 2 p2 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "reply 7 no: there are too many tunnels\nunlink 2\n");
	assert_true(holder_memory(rig.holder) < before + 100000);
	/* One that is there may be asked for again. */
	rig_ask(&rig, 8, &request);
	rig_saw(&rig, "");
	rig_release(&rig);
}

static void
test_holder_lets_so_many_wait(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	for (unsigned i = 0; i < HOLDER_WAITERS_MAX; i++)
		rig_ask(&rig, i, &request);
	rig_skip(&rig);
	rig_ask(&rig, 999, &request);
	rig_saw(&rig,
	    "reply 999 no: too many wait for tunnels at once\n");
	/* Who hangs up makes room, and nobody else is forgotten. */
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_HANGUP,
		.client = 0 });
	rig_ask(&rig, 999, &request);
	rig_saw(&rig, "");
	for (unsigned i = 2; i < HOLDER_WAITERS_MAX; i++)
		rig_give(&rig, (struct holder_event){
			.type = HOLDER_ON_HANGUP, .client = i });
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_forward_ok(&rig, 1);
	rig_saw(&rig, "forward 1 on 1\nsay tunnel.web: probing\n"
	    "say tunnel.web: up, 127.0.0.1:8188\n"
	    "reply 1 ok\nreply 999 ok\n");
	rig_release(&rig);
}

/* Nothing has failed, it only takes long. */
static void
test_holder_says_how_far_it_came(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.timeout_ms = 100;
	rig_ask(&rig, 7, &request);
	rig_skip(&rig);
	rig_pass(&rig, 99);
	rig_saw(&rig, "");
	rig_pass(&rig, 1);
	rig_saw(&rig, "reply 7 no: still connecting\n");
	rig_release(&rig);
}

static void
test_holder_answers_who_waits_for_a_pod_that_ends(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");
	struct holder_request far = rig_request("tunnel.far");

	(void)state;
	far.config.pod_id = STR("p2");
	far.config.local_port = 9000;
	request.ssh.port = 0;
	rig_ask(&rig, 6, &far);
	rig_ask(&rig, 7, &request);
	rig_skip(&rig);
	rig_cloud_pod(&rig, POD_TERMINATED, START_1, 0);
	rig_pass(&rig, 1000);
	rig_skip(&rig);
	rig_cloud_pod(&rig, POD_TERMINATED, START_1, 0);
	/* Of another pod's tunnel nothing is said. */
	rig_saw(&rig, "unlisten 2\n"
	    "say tunnel.web: closed: the pod was terminated\n"
	    "reply 7 no: the pod was terminated\n");
	rig_release(&rig);
}

/* Somebody asks again: the port is tried at once. */
static void
test_holder_tries_a_taken_port_for_who_asks_again(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	rig.auto_listen = false;
	rig_ask(&rig, 7, &request);
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_LISTEN,
		.tunnel = 1, .text = STR("taken by x") });
	rig_skip(&rig);
	rig_ask(&rig, 8, &request);
	rig_saw(&rig, "listen 127.0.0.1 8188..8188\n"
	    "say tunnel.web: connecting: taken by x\n");
	/* What nobody asked for is no answer. */
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_LISTEN,
		.tunnel = 1, .ok = true, .port = 8188 });
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_LISTEN,
		.tunnel = 1, .text = STR("taken by y") });
	rig_saw(&rig, "");
	rig_release(&rig);
}

/* ----------------------------------------------------------------- life -- */

static void
test_holder_waits_for_its_first_tunnel_as_long_as_it_may(void **state)
{
	static const struct { int64_t grace, lasts; } rows[] = {
		{ 0, 5000 }, { 700, 700 },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct holder_options options = { .grace_ms = rows[i].grace };
		struct rig rig = { .holder = holder_new(&options, 1000),
			.now_ms = 1000 };
		assert_int_equal(holder_deadline(rig.holder),
		    1000 + rows[i].lasts);
		rig_pass(&rig, rows[i].lasts - 1);
		rig_saw(&rig, "");
		rig_pass(&rig, 1);
		rig_saw(&rig, "end\n");
		assert_int_equal(holder_deadline(rig.holder), -1);
		rig_release(&rig);
	}
	holder_free(NULL);
}

/* Without chance it is the shortest of the back-off. */
static void
test_holder_can_do_without_chance(void **state)
{
	struct holder_options options = {0};
	struct rig rig = { .holder = holder_new(&options, 1000),
		.now_ms = 1000, .auto_listen = true };
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	rig_ask(&rig, 7, &request);
	rig_skip(&rig);
	rig_link_down(&rig, SSH_UNREACHABLE, NULL);
	rig_saw(&rig, "unlink 1\n"
	    "say tunnel.web: backoff: the connection is lost\n");
	assert_int_equal(holder_deadline(rig.holder), 1000 + 250 * 3 / 4);
	rig_release(&rig);
}

/* ------------------------------------------------- what clients know ----- */

/* Does another link begin, for what the client of a second tunnel says? */
static void
test_holder_believes_a_client_that_knows_better(void **state)
{
	static const struct {
		const char *start, *pin;
		uint16_t port;
		bool up, better;
	} rows[] = {
		/* The same, while it is up and while it is not. */
		{ START_1, pin_a, 2201, true, false },
		{ START_1, pin_a, 2201, false, true },
		{ START_1, pin_a, 0, false, false },
		{ "", "", 0, true, false },
		{ "", "", 2201, true, false },
		{ "", "", 2201, false, true },
		/* A later start, an older one, one that is no time. */
		{ START_2, pin_b, 2201, true, true },
		{ "2025-01-01T10:00:00Z", pin_b, 2201, true, false },
		{ "2025-01-01T10:00:00Z", pin_b, 2201, false, false },
		{ "yesterday", pin_b, 2201, true, false },
		/* Another key of the same start, or of an unknown one. */
		{ START_1, pin_b, 2201, true, true },
		{ "", pin_b, 0, true, true },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct rig rig = rig_up();
		struct holder_request request = rig_request("tunnel.two");
		request.config.local_port = 8189;
		request.start = str_from(rows[i].start);
		request.pin = str_from(rows[i].pin);
		request.ssh.port = rows[i].port;
		if (!rows[i].up)
			rig_link_down(&rig, SSH_LOST, "cut");
		rig_skip(&rig);
		uint64_t ask = rig.ask;
		uint32_t link = rig.link;
		rig_ask(&rig, 8, &request);
		assert_int_equal(rig.link != link || rig.ask != ask,
		    rows[i].better);
		rig_release(&rig);
	}
}

/* A start that cannot be told from another's is none that is later. */
static void
test_holder_keeps_a_start_that_is_no_time(void **state)
{
	static const char *const starts[] = { "yesterday", "" };
	(void)state;

	for (size_t i = 0; i < COUNTOF(starts); i++) {
		struct rig rig = rig_new();
		struct holder_request request = rig_request("tunnel.web");
		request.start = str_from(starts[i]);
		rig_ask(&rig, 7, &request);
		rig_link_says(&rig, HOLDER_ON_UP);
		rig_forward_ok(&rig, 1);
		rig_skip(&rig);
		request = rig_request("tunnel.two");
		request.config.local_port = 8189;
		rig_ask(&rig, 8, &request);
		rig_saw(&rig, "listen 127.0.0.1 8189..8189\n"
		    "say tunnel.two: probing\nforward 2 on 1\n");
		rig_release(&rig);
	}
}

/* In a conflict nothing but another start or key helps. */
static void
test_holder_does_not_connect_again_for_a_client_in_a_conflict(void **state)
{
	struct rig rig = rig_up();
	struct holder_request request = rig_request("tunnel.two");

	(void)state;
	request.config.local_port = 8189;
	rig_link_down(&rig, SSH_WRONG_HOST_KEY, "another key");
	rig_skip(&rig);
	rig_ask(&rig, 8, &request);
	rig_saw(&rig, "listen 127.0.0.1 8189..8189\n"
	    "say tunnel.two: conflict: another key\n"
	    "reply 8 conflict: another key\n");
	rig_release(&rig);
}

/* One link per pod, user and key. */
static void
test_holder_has_a_link_for_each_user_and_key(void **state)
{
	struct rig rig = rig_up();
	struct holder_request request = rig_request("tunnel.two");

	(void)state;
	request.config.local_port = 8189;
	request.config.user = STR("alice");
	rig_ask(&rig, 8, &request);
	rig_saw(&rig, "link 2 p1 10.0.0.1:2201 as alice pin SHA256:AAA\n"
	    "listen 127.0.0.1 8189..8189\nsay tunnel.two: connecting\n");
	request = rig_request("tunnel.three");
	request.config.local_port = 8190;
	request.config.key = STR("/k");
	rig_ask(&rig, 9, &request);
	rig_saw(&rig, "link 3 p1 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "listen 127.0.0.1 8190..8190\nsay tunnel.three: connecting\n");
	/* Nobody says who: whoever the service names. */
	request = rig_request("tunnel.four");
	request.config.local_port = 8191;
	request.config.user = (struct str){0};
	request.ssh.user = STR("alice");
	rig_ask(&rig, 10, &request);
	rig_saw(&rig, "listen 127.0.0.1 8191..8191\n"
	    "say tunnel.four: connecting\n");
	rig_release(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_holder_refuses_a_tunnel_of_nothing_or_nowhere),
		cmocka_unit_test(test_holder_has_room_for_so_many_tunnels),
		cmocka_unit_test(test_holder_lets_so_many_wait),
		cmocka_unit_test(test_holder_says_how_far_it_came),
		cmocka_unit_test(
		    test_holder_answers_who_waits_for_a_pod_that_ends),
		cmocka_unit_test(
		    test_holder_tries_a_taken_port_for_who_asks_again),
		cmocka_unit_test(
		    test_holder_waits_for_its_first_tunnel_as_long_as_it_may),
		cmocka_unit_test(test_holder_can_do_without_chance),
		cmocka_unit_test(
		    test_holder_believes_a_client_that_knows_better),
		cmocka_unit_test(test_holder_keeps_a_start_that_is_no_time),
		cmocka_unit_test(
		    test_holder_does_not_connect_again_for_a_client_in_a_conflict),
		cmocka_unit_test(test_holder_has_a_link_for_each_user_and_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
