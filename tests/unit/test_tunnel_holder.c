/* test_tunnel_holder.c - how the holder opens tunnels, as transcripts */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "expected.h"
#include "holder_rig.h"

/* ------------------------------------------------------------ open -- */

static void
test_holder_opens_without_asking_when_all_is_known(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	rig_ask(&rig, 7, &request);
	rig_saw(&rig,
	    "link 1 p1 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "listen 127.0.0.1 8188..8188\n"
	    "say tunnel.web: connecting\n");
	rig_link_says(&rig, HOLDER_ON_AUTHENTICATING);
	rig_saw(&rig, "say tunnel.web: authenticating\n");
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_saw(&rig, "forward 1 on 1\nsay tunnel.web: probing\n");
	rig_forward_ok(&rig, 1);
	rig_saw(&rig, "say tunnel.web: up, 127.0.0.1:8188\nreply 7 ok\n");
	rig_release(&rig);
}

static void
test_holder_asks_where_the_pod_is_and_which_key_it_has(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.ssh = (struct ssh_endpoint){0};
	request.pin = request.start = (struct str){0};
	rig_ask(&rig, 7, &request);
	rig_saw(&rig, "ask pod p1\nlisten 127.0.0.1 8188..8188\n"
	    "say tunnel.web: resolving\n");
	rig_cloud_pod(&rig, POD_STARTING, NULL, 0);
	rig_saw(&rig,
	    "say tunnel.web: waiting-for-pod: the pod is starting\n");
	rig_pass(&rig, 9999);
	rig_saw(&rig, "");
	rig_pass(&rig, 1);
	rig_saw(&rig, "ask pod p1\nrefuse\n");
	rig_cloud_pod(&rig, POD_RUNNING, START_1, 2201);
	rig_saw(&rig, "ask log p1\nsay tunnel.web: resolving: the pod is "
	    "starting\n");
	rig_cloud_log(&rig,
	    "256 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
	    "BBBB root@p (ED25519)");
	rig_saw(&rig, "link 1 p1 10.0.0.1:2201 as root pin SHA256:BBB\n"
	    "say tunnel.web: connecting: the pod is starting\n");
	rig_release(&rig);
}

static void
test_holder_takes_a_key_on_first_use_and_says_so(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.pin = (struct str){0};
	rig_ask(&rig, 7, &request);
	rig_skip(&rig);
	/* A container that has just begun has not printed its keys yet. */
	rig_cloud_log(&rig, "no fingerprint here");
	rig_pass(&rig, 999);
	rig_saw(&rig, "");
	rig_pass(&rig, 1);
	rig_cloud_log(&rig, "nor here");
	rig_pass(&rig, 2000);
	rig_saw(&rig, "ask log p1\nask log p1\n");
	rig_cloud_log(&rig, "nor here");
	rig_saw(&rig, "link 1 p1 10.0.0.1:2201 as root pin none\n"
	    "say tunnel.web: connecting\n");
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_saw(&rig,
	    "say pod p1: its host key SHA256:AAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAA is taken on first use, since nobody has "
	    "named one\nforward 1 on 1\nsay tunnel.web: probing\n");
	/* Which then is as good as any. */
	rig_forward_ok(&rig, 1);
	rig_link_down(&rig, SSH_LOST, "lost");
	rig_pass(&rig, 1000);
	rig_cloud_pod(&rig, POD_RUNNING, START_1, 2201);
	assert_non_null(strstr(rig.seen.data, "pin SHA256:AAA"));
	rig_release(&rig);
}

/* While nobody answers, the log may get to name them. */
static void
test_holder_looks_into_the_log_again_before_each_first_use(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.pin = (struct str){0};
	rig_ask(&rig, 7, &request);
	for (int i = 0; i < 3; i++) {
		rig_cloud_log(&rig, "no fingerprint here");
		rig_pass(&rig, 2000);
	}
	rig_skip(&rig);
	rig_link_down(&rig, SSH_UNREACHABLE, "Connection refused");
	rig_pass(&rig, 1000);
	rig_cloud_pod(&rig, POD_RUNNING, START_1, 2201);
	rig_saw(&rig,
	    "unlink 1\nsay tunnel.web: backoff: Connection refused\n"
	    "ask pod p1\nsay tunnel.web: resolving: Connection refused\n"
	    "ask log p1\n");
	rig_cloud_log(&rig,
	    "256 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
	    "BBBB root@p (ED25519)");
	rig_saw(&rig, "link 2 p1 10.0.0.1:2201 as root pin SHA256:BBB\n"
	    "say tunnel.web: connecting: Connection refused\n");
	rig_release(&rig);
}

static void
test_holder_log_that_cannot_be_read_is_tried_three_times(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.pin = (struct str){0};
	rig_ask(&rig, 7, &request);
	for (int i = 0; i < 2; i++) {
		rig_cloud_fails(&rig, OUTCOME_UNKNOWN, REASON_TRANSIENT);
		rig_pass(&rig, 2000);
		rig_cloud_pod(&rig, POD_RUNNING, START_1, 2201);
	}
	rig_skip(&rig);
	rig_cloud_fails(&rig, OUTCOME_UNKNOWN, REASON_TRANSIENT);
	rig_saw(&rig, "link 1 p1 10.0.0.1:2201 as root pin none\n"
	    "say tunnel.web: connecting: the pod's log cannot be read\n");
	rig_release(&rig);
}

static void
test_holder_answers_a_request_that_took_too_long(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.timeout_ms = 3000;
	rig_ask(&rig, 7, &request);
	rig_link_down(&rig, SSH_UNREACHABLE, "refused");
	rig_skip(&rig);
	rig_pass(&rig, 3000);
	assert_non_null(strstr(rig.seen.data, "reply 7 no: refused\n"));
	rig_release(&rig);
}

static void
test_holder_hangup_wants_no_reply(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	rig_ask(&rig, 7, &request);
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_HANGUP,
		.client = 7 });
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_skip(&rig);
	rig_forward_ok(&rig, 1);
	rig_saw(&rig, "say tunnel.web: up, 127.0.0.1:8188\n");
	rig_release(&rig);
}

static void
test_holder_one_link_serves_all_tunnels_of_a_pod(void **state)
{
	struct rig rig = rig_new();
	struct holder_request one = rig_request("tunnel.one");
	struct holder_request two = rig_request("tunnel.two");

	(void)state;
	two.config.local_port = 9000;
	rig_ask(&rig, 1, &one);
	rig_ask(&rig, 2, &two);
	rig_skip(&rig);
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_saw(&rig, "forward 1 on 1\nforward 2 on 1\n"
	    "say tunnel.one: probing\nsay tunnel.two: probing\n");
	rig_forward_ok(&rig, 1);
	rig_forward_ok(&rig, 2);
	rig_pass(&rig, 40000);
	rig_skip(&rig);
	rig_link_down(&rig, SSH_LOST, "gone");
	/* One question for both. */
	assert_non_null(strstr(rig.seen.data, "ask pod p1\n"));
	assert_null(strstr(strstr(rig.seen.data, "ask pod p1\n") + 1,
	    "ask pod"));
	rig_release(&rig);
}

static void
test_holder_opens_the_same_tunnel_once(void **state)
{
	struct rig rig = rig_up();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	rig_ask(&rig, 8, &request);
	rig_saw(&rig, "reply 8 ok\n");
	request.config.remote_port = 9999;
	rig_ask(&rig, 9, &request);
	rig_saw(&rig,
	    "unforward 1 on 1\nunlisten 1\nsay tunnel.web: closed\n"
	    "listen 127.0.0.1 8188..8188\nsay tunnel.web: probing\n"
	    "forward 2 on 1\n");
	rig_release(&rig);
}

static void
test_holder_moves_a_tunnel_to_another_pod(void **state)
{
	struct rig rig = rig_up();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.config.pod_id = STR("p2");
	rig_ask(&rig, 8, &request);
	rig_saw(&rig, "link 2 p2 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "unforward 1 on 1\nunlisten 1\nunlink 1\n"
	    "say tunnel.web: closed\nlisten 127.0.0.1 8188..8188\n"
	    "say tunnel.web: connecting\n");
	rig_release(&rig);
}

/* ----------------------------------------------------------- local -- */

static void
test_holder_local_port_taken_is_a_conflict_and_tried_again(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	rig.auto_listen = false;
	rig_ask(&rig, 7, &request);
	rig_skip(&rig);
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_LISTEN,
		.tunnel = 1, .text = STR("python3 (pid 4711) has it") });
	rig_saw(&rig,
	    "say tunnel.web: conflict: python3 (pid 4711) has it\n"
	    "reply 7 conflict: python3 (pid 4711) has it\n");
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_saw(&rig, "");
	rig_pass(&rig, 10000);
	rig_saw(&rig,
	    "listen 127.0.0.1 8188..8188\nsay tunnel.web: probing: "
	    "python3 (pid 4711) has it\n");
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_LISTEN,
		.tunnel = 1, .ok = true, .port = 8188 });
	rig_saw(&rig, "forward 1 on 1\n");
	rig_release(&rig);
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
		struct rig rig = rig_new();
		struct holder_request request = rig_request("tunnel.web");
		request.config.local_port = 0;
		request.config.direction = rows[i].direction;
		request.config.remote_port = rows[i].remote;
		rig_ask(&rig, 7, &request);
		assert_non_null(strstr(rig.seen.data, rows[i].want));
		rig_release(&rig);
	}
}

static void
test_holder_remote_needs_no_listener_here(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.back");

	(void)state;
	request.config.direction = TUNNEL_REMOTE;
	rig_ask(&rig, 7, &request);
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_saw(&rig, "link 1 p1 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "say tunnel.back: connecting\nforward 1 on 1\n"
	    "say tunnel.back: probing\n");
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_FORWARD,
		.link = 1, .tunnel = 1, .text = STR("port is taken") });
	rig_saw(&rig, "say tunnel.back: backoff: port is taken\n");
	rig_pass(&rig, 1000);
	rig_saw(&rig, "forward 1 on 1\nsay tunnel.back: probing: port is "
	    "taken\n");
	rig_forward_ok(&rig, 1);
	assert_non_null(strstr(rig.seen.data, "reply 7 ok\n"));
	rig_release(&rig);
}

static void
test_holder_lets_clients_wait_ten_seconds_and_then_refuses(void **state)
{
	struct rig rig = rig_up();

	(void)state;
	rig_link_down(&rig, SSH_LOST, "lost");
	rig_pass(&rig, 9999);
	assert_null(strstr(rig.seen.data, "refuse\n"));
	rig_pass(&rig, 1);
	assert_non_null(strstr(rig.seen.data, "refuse\n"));
	rig_cloud_pod(&rig, POD_RUNNING, START_1, 2202);
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_skip(&rig);
	rig_forward_ok(&rig, 1);
	rig_saw(&rig, "accept\nsay tunnel.web: up, 127.0.0.1:8188\n");
	rig_release(&rig);
}

/* ----------------------------------------------------------- check -- */

static void
check_says(struct rig *rig, bool ok)
{
	rig_give(rig, (struct holder_event){ .type = HOLDER_ON_CHECK,
		.token = rig->check, .ok = ok, .text = STR("status 502") });
}

static void
test_holder_is_up_only_when_its_check_answers(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.config.check = STR("http://127.0.0.1:8188/");
	rig_ask(&rig, 7, &request);
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_skip(&rig);
	rig_forward_ok(&rig, 1);
	rig_saw(&rig, "check http://127.0.0.1:8188/\n");
	check_says(&rig, false);
	rig_saw(&rig, "");
	rig_pass(&rig, 250);
	rig_saw(&rig, "check http://127.0.0.1:8188/\n");
	check_says(&rig, true);
	rig_saw(&rig, "say tunnel.web: up, 127.0.0.1:8188\nreply 7 ok\n");
	/* Looked at every minute; one failure is none. */
	for (int i = 0; i < 4; i++) {
		rig_pass(&rig, 14000);
		rig_link_says(&rig, HOLDER_ON_RTT);
	}
	rig_saw(&rig, "");
	rig_pass(&rig, 4000);
	rig_saw(&rig, "check http://127.0.0.1:8188/\n");
	check_says(&rig, false);
	rig_saw(&rig, "");
	rig_pass(&rig, 250);
	rig_saw(&rig, "check http://127.0.0.1:8188/\n");
	check_says(&rig, false);
	rig_saw(&rig, "say tunnel.web: probing: check: status 502\n");
	rig_release(&rig);
}

/* What no server said tells where the forward leads. */
static void
test_holder_check_names_the_far_end_that_is_silent(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.config.check = STR("http://127.0.0.1:8188/");
	request.config.remote_port = 9999;
	rig_ask(&rig, 7, &request);
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_forward_ok(&rig, 1);
	check_says(&rig, true);
	for (int i = 0; i < 5; i++) {
		rig_pass(&rig, 12100);
		rig_link_says(&rig, HOLDER_ON_RTT);
	}
	rig_skip(&rig);
	for (int i = 0; i < 2; i++) {
		rig_give(&rig,
		    (struct holder_event){ .type = HOLDER_ON_CHECK,
			.token = rig.check,
			.text = STR("Connection reset by peer") });
		if (i == 0)
			rig_pass(&rig, 250);
	}
	rig_saw(&rig, "check http://127.0.0.1:8188/\n"
	    "say tunnel.web: probing: check: Connection reset by peer (does "
	    "anything answer at 127.0.0.1:9999, as the pod sees it?)\n");
	rig_release(&rig);
}

static void
test_holder_check_follows_the_port_that_was_free(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	rig.auto_listen = false;
	request.config.local_port = 0;
	request.config.check = STR("http://127.0.0.1:8188/a?b=:8188");
	rig_ask(&rig, 7, &request);
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_LISTEN,
		.tunnel = 1, .ok = true, .port = 8190 });
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_skip(&rig);
	rig_forward_ok(&rig, 1);
	rig_saw(&rig, "check http://127.0.0.1:8190/a?b=:8188\n");
	rig_release(&rig);
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
		cmocka_unit_test(test_holder_is_up_only_when_its_check_answers),
		cmocka_unit_test(
		    test_holder_check_names_the_far_end_that_is_silent),
		cmocka_unit_test(
		    test_holder_check_follows_the_port_that_was_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
