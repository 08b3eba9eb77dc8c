/*
 * test_tunnel_loss.c - what the holder does when links, pods or keys are
 * lost, and how it ends, as transcripts
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "expected.h"
#include "holder_rig.h"

/* ------------------------------------------------------------ loss -- */

static void
test_holder_backs_off_doubling_to_a_minute(void **state)
{
	static const int64_t waits[] = { 250, 500, 1000, 1000, 1000, 1000,
		1000, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");
	int64_t known_ms = rig.now_ms;

	(void)state;
	rig_ask(&rig, 7, &request);
	for (size_t i = 0; i < COUNTOF(waits); i++) {
		uint32_t link = rig.link;
		rig_link_down(&rig, SSH_UNREACHABLE, "refused");
		rig_pass(&rig, waits[i] - 1);
		assert_int_equal(rig.link, link);
		rig_skip(&rig);
		rig_pass(&rig, 1);
		/* After five seconds its place is asked for anew. */
		if (rig.now_ms - known_ms >= 5000) {
			assert_non_null(strstr(rig.seen.data,
			    "ask pod p1\n"));
			rig_cloud_pod(&rig, POD_RUNNING, START_1, 2201);
			known_ms = rig.now_ms;
		}
		assert_int_equal(rig.link, link + 1);
	}
	rig_release(&rig);
}

static void
test_holder_asks_at_once_when_a_link_that_lasted_is_lost(void **state)
{
	struct rig rig = rig_up();

	(void)state;
	rig_pass(&rig, 29999);
	rig_link_says(&rig, HOLDER_ON_RTT);
	rig_pass(&rig, 1);
	rig_link_down(&rig, SSH_LOST, "connection reset");
	rig_saw(&rig, "unlink 1\nask pod p1\n"
	    "say tunnel.web: resolving: connection reset\n");
	rig_cloud_pod(&rig, POD_RUNNING, START_1, 2201);
	rig_saw(&rig, "link 2 p1 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "say tunnel.web: connecting: connection reset\n");
	rig_release(&rig);
}

static void
test_holder_backs_off_when_a_link_did_not_last(void **state)
{
	struct rig rig = rig_up();

	(void)state;
	rig_pass(&rig, 29000);
	rig_link_down(&rig, SSH_LOST, "connection reset");
	rig_saw(&rig,
	    "unlink 1\nsay tunnel.web: backoff: connection reset\n");
	rig_release(&rig);
}

static void
test_holder_finds_a_silent_link_dead_within_45_seconds(void **state)
{
	struct rig rig = rig_up();

	(void)state;
	rig_pass(&rig, 15000);
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_RTT,
		.link = 1, .rtt_us = 20000 });
	rig_pass(&rig, 44999);
	rig_saw(&rig, "");
	rig_pass(&rig, 1);
	rig_saw(&rig, "unlink 1\nask pod p1\nsay tunnel.web: resolving: "
	    "nothing was heard from the pod for 45 s\n");
	/* What it says now is not believed. */
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_saw(&rig, "");
	rig_release(&rig);
}

static void
test_holder_gives_a_login_45_seconds(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	rig_ask(&rig, 7, &request);
	rig_link_says(&rig, HOLDER_ON_AUTHENTICATING);
	rig_skip(&rig);
	rig_pass(&rig, 45000);
	rig_saw(&rig, "refuse\nunlink 1\n"
	    "say tunnel.web: backoff: no login within 45 s\n");
	rig_release(&rig);
}

static void
test_holder_tears_all_down_after_a_suspend(void **state)
{
	struct rig rig = rig_up();

	(void)state;
	rig_give(&rig,
	    (struct holder_event){ .type = HOLDER_ON_SUSPENDED });
	rig_saw(&rig, "unlink 1\nask pod p1\n"
	    "say tunnel.web: resolving: this machine slept\n");
	/* The network is not back yet: the last place will do. */
	rig_cloud_fails(&rig, OUTCOME_NOT_SENT, REASON_TRANSIENT);
	rig_saw(&rig, "link 2 p1 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "say tunnel.web: connecting: the cloud does not say where the "
	    "pod is: no luck\n");
	rig_link_down(&rig, SSH_UNREACHABLE, "no route");
	rig_pass(&rig, 1000);
	rig_saw(&rig, "unlink 2\nsay tunnel.web: backoff: no route\n"
	    "ask pod p1\nsay tunnel.web: resolving: no route\n");
	rig_release(&rig);
}

/* -------------------------------------------------- pod's own life -- */

static void
test_holder_follows_a_pod_through_stop_and_start(void **state)
{
	struct rig rig = rig_up();

	(void)state;
	rig_pass(&rig, 40000);
	rig_link_down(&rig, SSH_LOST, "lost");
	rig_skip(&rig);
	rig_cloud_pod(&rig, POD_EXITED, START_1, 0);
	rig_saw(&rig,
	    "say tunnel.web: waiting-for-pod: the pod is stopped\n");
	rig_pass(&rig, 29999);
	rig_saw(&rig, "refuse\n");
	rig_pass(&rig, 1);
	rig_saw(&rig, "ask pod p1\n");
	rig_cloud_pod(&rig, POD_RUNNING, START_2, 0);
	rig_saw(&rig, "");
	rig_pass(&rig, 10000);
	rig_cloud_pod(&rig, POD_RUNNING, START_2, 2299);
	rig_saw(&rig,
	    "ask pod p1\nsay pod p1: its container was started anew "
	    "at " START_2 "\nask log p1\nsay tunnel.web: resolving: the pod "
	    "has no SSH port yet\n");
	rig_cloud_log(&rig,
	    "256 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
	    "BBBB root@p (ED25519)");
	rig_saw(&rig, "link 2 p1 10.0.0.1:2299 as root pin SHA256:BBB\n"
	    "say tunnel.web: connecting: the pod has no SSH port yet\n");
	rig_release(&rig);
}

static void
test_holder_closes_when_the_pod_is_terminated_twice(void **state)
{
	struct rig rig = rig_up();

	(void)state;
	rig_pass(&rig, 40000);
	rig_link_down(&rig, SSH_LOST, "lost");
	rig_cloud_pod(&rig, POD_TERMINATED, NULL, 0);
	rig_skip(&rig);
	rig_pass(&rig, 1000);
	rig_saw(&rig, "ask pod p1\n");
	rig_cloud_pod(&rig, POD_TERMINATED, NULL, 0);
	rig_saw(&rig, "unlisten 1\n"
	    "say tunnel.web: closed: the pod was terminated\n");
	rig_pass(&rig, 4999);
	rig_saw(&rig, "");
	rig_pass(&rig, 1);
	rig_saw(&rig, "end\n");
	assert_int_equal(holder_deadline(rig.holder), -1);
	rig_release(&rig);
}

static void
test_holder_one_404_proves_nothing(void **state)
{
	struct rig rig = rig_up();

	(void)state;
	rig_pass(&rig, 40000);
	rig_link_down(&rig, SSH_LOST, "lost");
	rig_cloud_fails(&rig, OUTCOME_NO_EFFECT, REASON_NOT_FOUND);
	rig_skip(&rig);
	rig_pass(&rig, 9999);
	assert_null(strstr(rig.seen.len > 0 ? rig.seen.data : "", "ask"));
	rig_pass(&rig, 1);
	rig_cloud_pod(&rig, POD_RUNNING, START_1, 2201);
	/* And two that are not in a row prove as little. */
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_pass(&rig, 40000);
	rig_link_down(&rig, SSH_LOST, "lost");
	rig_cloud_fails(&rig, OUTCOME_NO_EFFECT, REASON_NOT_FOUND);
	assert_null(strstr(rig.seen.data, "closed"));
	rig_pass(&rig, 10000);
	rig_cloud_fails(&rig, OUTCOME_NO_EFFECT, REASON_NOT_FOUND);
	assert_non_null(strstr(rig.seen.data,
	    "closed: the pod does not exist any more"));
	rig_release(&rig);
}

static void
test_holder_odd_answers_change_nothing(void **state)
{
	struct rig rig = rig_up();
	struct cloud_pod other = { .id = STR("p2"),
		.status = POD_TERMINATED };
	struct cloud_answer answer = { .outcome = OUTCOME_OK,
		.pods = &other, .npods = 1 };

	(void)state;
	rig_pass(&rig, 40000);
	rig_link_down(&rig, SSH_LOST, "lost");
	for (int i = 0; i < 3; i++) {
		rig_give(&rig,
		    (struct holder_event){ .type = HOLDER_ON_CLOUD,
			.token = rig.ask, .cloud = &answer });
		rig_link_down(&rig, SSH_UNREACHABLE, "refused");
		rig_pass(&rig, 8000);
	}
	rig_cloud_pod(&rig, POD_UNKNOWN, NULL, 0);
	assert_null(strstr(rig.seen.data, "closed"));
	assert_non_null(strstr(rig.seen.data, "'ODD', which says nothing"));
	rig_release(&rig);
}

/* ------------------------------------------------------------ keys -- */

static void
test_holder_wrong_key_without_a_new_start_is_never_connected(void **state)
{
	struct rig rig = rig_up();

	(void)state;
	rig_pass(&rig, 40000);
	rig_link_down(&rig, SSH_LOST, "lost");
	rig_cloud_pod(&rig, POD_RUNNING, START_1, 2201);
	rig_skip(&rig);
	rig_link_down(&rig, SSH_WRONG_HOST_KEY, "another key");
	rig_saw(&rig, "unlink 2\nsay tunnel.web: conflict: another key\n");
	for (int i = 0; i < 200; i++) {
		rig_pass(&rig, 31000);
		rig_cloud_pod(&rig, POD_RUNNING, START_1, 2201);
	}
	assert_null(strstr(rig.seen.data, "link"));
	/* A failure of the cloud is no reason either. */
	rig_pass(&rig, 31000);
	rig_cloud_fails(&rig, OUTCOME_UNKNOWN, REASON_TRANSIENT);
	rig_give(&rig,
	    (struct holder_event){ .type = HOLDER_ON_SUSPENDED });
	rig_cloud_fails(&rig, OUTCOME_UNKNOWN, REASON_TRANSIENT);
	assert_null(strstr(rig.seen.data, "link"));
	rig_skip(&rig);
	rig_pass(&rig, 31000);
	rig_cloud_pod(&rig, POD_RUNNING, START_2, 2207);
	rig_saw(&rig,
	    "ask pod p1\nsay pod p1: its container was started anew "
	    "at " START_2 "\nask log p1\n"
	    "say tunnel.web: resolving: another key\n");
	rig_release(&rig);
}

static void
test_holder_wrong_key_answers_the_request_at_once(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	rig_ask(&rig, 7, &request);
	rig_skip(&rig);
	rig_link_down(&rig, SSH_WRONG_HOST_KEY, NULL);
	rig_saw(&rig,
	    "unlink 1\nsay tunnel.web: conflict: the host key is not "
	    "the pinned one\nreply 7 conflict: the host key is not the "
	    "pinned one\n");
	rig_release(&rig);
}

static void
test_holder_believes_a_client_that_saw_a_later_start(void **state)
{
	struct rig rig = rig_up();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.start = STR(START_2);
	request.pin = str_from(pin_b);
	request.ssh.port = 2300;
	rig_ask(&rig, 8, &request);
	rig_saw(&rig,
	    "say pod p1: its container was started anew at " START_2
	    "\nunlink 1\nlink 2 p1 10.0.0.1:2300 as root pin SHA256:BBB\n"
	    "say tunnel.web: connecting\n");
	/* And not one that is behind. */
	request = rig_request("tunnel.web");
	rig_ask(&rig, 9, &request);
	rig_saw(&rig, "");
	rig_release(&rig);
}

/* ------------------------------------------------------------- end -- */

static void
test_holder_close_leaves_nothing_and_it_ends(void **state)
{
	struct rig rig = rig_up();
	struct holder_request request = { .verb = HOLDER_CLOSE,
		.config.address = STR("tunnel.web") };

	(void)state;
	rig_ask(&rig, 8, &request);
	rig_saw(&rig, "unforward 1 on 1\nunlisten 1\nunlink 1\n"
	    "say tunnel.web: closed\nreply 8 ok\n");
	rig_ask(&rig, 9, &request);
	rig_saw(&rig, "reply 9 ok\n");
	rig_pass(&rig, 5000);
	rig_saw(&rig, "end\n");
	rig_release(&rig);
}

static void
test_holder_ends_if_nobody_asks_for_anything(void **state)
{
	struct rig rig = rig_new();

	(void)state;
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_TIME });
	rig_pass(&rig, 4999);
	rig_saw(&rig, "");
	rig_pass(&rig, 1);
	rig_saw(&rig, "end\n");
	rig_release(&rig);
}

static void
test_holder_quit_closes_all_and_answers_who_waits(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	rig_ask(&rig, 7, &request);
	rig_skip(&rig);
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_QUIT });
	rig_saw(&rig, "unlisten 1\nunlink 1\nsay tunnel.web: closed\n"
	    "reply 7 no: it was closed meanwhile\nend\n");
	rig_ask(&rig, 8, &request);
	rig_saw(&rig, "");
	rig_release(&rig);
}

static void
test_holder_list_tells_state_bytes_and_times(void **state)
{
	struct rig rig = rig_up();
	struct holder_request request = { .verb = HOLDER_LIST };
	struct holder_effect effect;

	(void)state;
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_STATS,
		.link = 1, .tunnel = 1, .connections = 2, .bytes_in = 100,
		.bytes_out = 10 });
	rig_link_down(&rig, SSH_LOST, "lost");
	rig_pass(&rig, 1000);
	rig_cloud_pod(&rig, POD_RUNNING, START_1, 2201);
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_forward_ok(&rig, 1);
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_STATS,
		.link = 2, .tunnel = 1, .connections = 1, .bytes_in = 5,
		.bytes_out = 1 });
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_RTT,
		.link = 2, .rtt_us = 12345 });
	holder_event(rig.holder, &(struct holder_event){
		.type = HOLDER_ON_REQUEST, .client = 3, .request = &request,
		.now_ms = rig.now_ms, .wall_ms = rig.wall_ms });
	assert_true(holder_next_effect(rig.holder, &effect));
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
	assert_int_equal(status->since_ms, rig.wall_ms + 2000);
	rig_release(&rig);
}

/* A month of a pod that dies every ten minutes, with clients that look. */
static void
test_holder_memory_is_bounded_over_a_month(void **state)
{
	struct rig rig = rig_up();
	struct holder_request request = { .verb = HOLDER_LIST };
	size_t most = 0;

	(void)state;
	rig.quiet = true;
	for (int i = 0; i < 4320; i++) {
		for (int j = 0; j < 20; j++) {
			rig_pass(&rig, 30000);
			rig_link_says(&rig, HOLDER_ON_RTT);
		}
		rig_ask(&rig, (uint64_t)i, &request);
		rig_link_down(&rig,
		    SSH_LOST, "lost again, for whatever reason");
		rig_cloud_pod(&rig, POD_RUNNING, i % 2 ? START_1 : START_2,
		    2201);
		for (int j = 0; j < 3; j++) {
			rig_cloud_log(&rig, "nothing");
			rig_pass(&rig, 2000);
		}
		rig_link_says(&rig, HOLDER_ON_UP);
		rig_forward_ok(&rig, 1);
		if (i == 10)
			most = holder_memory(rig.holder);
		if (i > 10)
			assert_true(holder_memory(rig.holder) <= most);
	}
	rig_release(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
