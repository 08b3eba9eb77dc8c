/* test_tunnel_edges.c - pods, links and tunnels of the holder, at the edges of
 * its rules */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "expected.h"
#include "holder_rig.h"

/* ------------------------------------------------- what the cloud says --- */

/* A tunnel to a pod of which nobody knows where it is. */
static struct rig
asking(void)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	request.ssh.port = 0;
	rig_ask(&rig, 7, &request);
	rig_saw(&rig, "ask pod p1\nlisten 127.0.0.1 8188..8188\n"
	    "say tunnel.web: resolving\n");
	return rig;
}

static void
test_holder_waits_for_a_pod_that_does_not_run(void **state)
{
	static const struct {
		enum pod_status status;
		uint16_t port;
		const char *why;
		int64_t poll_ms;
	} rows[] = {
		{ POD_PROVISIONING, 0, "the pod is starting", 10000 },
		{ POD_STARTING, 0, "the pod is starting", 10000 },
		{ POD_EXITED, 0, "the pod is stopped", 30000 },
		{ POD_ERROR, 0, "the pod has failed", 30000 },
		{ POD_RUNNING, 0, "the pod has no SSH port yet", 10000 },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct rig rig = asking();
		struct strbuf want = {0};
		rig_cloud_pod(&rig, rows[i].status, START_1, rows[i].port);
		strbuf_addf(&want, "say tunnel.web: waiting-for-pod: %s\n",
		    rows[i].why);
		rig_saw(&rig, want.data);
		rig_pass(&rig, rows[i].poll_ms - 1);
		assert_null(strstr(strbuf_str(&rig.seen).data != NULL ?
		    rig.seen.data : "", "ask"));
		rig_skip(&rig);
		rig_pass(&rig, 1);
		assert_non_null(strstr(rig.seen.data, "ask pod p1\n"));
		strbuf_release(&want);
		rig_release(&rig);
	}
}

/* A port without a host is no address. */
static void
test_holder_needs_a_host_and_a_port(void **state)
{
	struct rig rig = asking();
	struct cloud_pod pod = { .id = STR("p1"), .status = POD_RUNNING,
		.started_at = STR(START_1), .ssh.port = 2201 };
	struct cloud_answer answer = { .outcome = OUTCOME_OK, .pods = &pod,
		.npods = 1 };

	(void)state;
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_CLOUD,
		.token = rig.ask, .cloud = &answer });
	rig_saw(&rig, "say tunnel.web: waiting-for-pod: the pod has no "
	    "SSH port yet\n");
	rig_release(&rig);
}

/* Nothing is known and nobody says more: it is tried again. */
static void
test_holder_backs_off_where_nothing_is_known(void **state)
{
	static const struct { size_t npods; const char *id, *words, *why; }
	    rows[] = {
		{ 0, "p1", "", "the cloud gave no usable answer" },
		{ 2, "p1", "", "the cloud gave no usable answer" },
		{ 1, "p9", "", "the cloud gave no usable answer" },
		{ 1, "p9", "slow down", "the cloud does not say where the "
		    "pod is: slow down" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct rig rig = asking();
		struct cloud_pod pods[2] = { { .id = str_from(rows[i].id),
			.status = POD_RUNNING } };
		struct cloud_answer answer = { .outcome = OUTCOME_OK,
			.pods = pods, .npods = rows[i].npods,
			.message = str_from(rows[i].words) };
		struct strbuf want = {0};
		/* An answer to no question is none. */
		rig_give(&rig, (struct holder_event){
			.type = HOLDER_ON_CLOUD, .cloud = &answer });
		rig_saw(&rig, "");
		rig_give(&rig, (struct holder_event){
			.type = HOLDER_ON_CLOUD, .token = rig.ask,
			.cloud = &answer });
		strbuf_addf(&want, "say tunnel.web: backoff: %s\n",
		    rows[i].why);
		rig_saw(&rig, want.data);
		strbuf_reset(&want);
		assert_int_equal(holder_deadline(rig.holder),
		    rig.now_ms + 250);
		rig_pass(&rig, 250);
		strbuf_addf(&want, "ask pod p1\n"
		    "say tunnel.web: resolving: %s\n", rows[i].why);
		rig_saw(&rig, want.data);
		strbuf_release(&want);
		rig_release(&rig);
	}
}

/* A container that does not say when it began is the one that is known. */
static void
test_holder_takes_a_pod_without_a_start_for_the_same(void **state)
{
	struct rig rig = rig_up();

	(void)state;
	rig_link_down(&rig, SSH_WRONG_HOST_KEY, NULL);
	rig_saw(&rig, "unlink 1\nsay tunnel.web: conflict: the host key "
	    "is not the pinned one\n");
	rig_pass(&rig, 1000);
	rig_saw(&rig, "ask pod p1\n");
	rig_cloud_pod(&rig, POD_RUNNING, NULL, 2201);
	rig_saw(&rig, "");
	/* That it seems gone does not end the conflict. */
	rig_pass(&rig, 10000);
	rig_skip(&rig);
	rig_cloud_fails(&rig, OUTCOME_NO_EFFECT, REASON_NOT_FOUND);
	rig_saw(&rig, "");
	rig_pass(&rig, 10000);
	rig_saw(&rig, "ask pod p1\n");
	rig_cloud_pod(&rig, POD_RUNNING, START_2, 2201);
	rig_saw(&rig, "say pod p1: its container was started anew at "
	    START_2 "\nask log p1\nsay tunnel.web: resolving: the host key "
	    "is not the pinned one\n");
	rig_release(&rig);
}

/* A log that is not there will not name a key: first use, at once. */
static void
test_holder_asks_once_for_a_log_that_is_not_there(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.pin = (struct str){0};
	rig_ask(&rig, 7, &request);
	rig_saw(&rig, "ask log p1\nlisten 127.0.0.1 8188..8188\n"
	    "say tunnel.web: resolving\n");
	rig_cloud_fails(&rig, OUTCOME_NO_EFFECT, REASON_NOT_FOUND);
	rig_saw(&rig, "link 1 p1 10.0.0.1:2201 as root pin none\n"
	    "say tunnel.web: connecting\n");
	/* An up without a fingerprint pins nothing. */
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_UP,
		.link = 1 });
	rig_saw(&rig, "forward 1 on 1\nsay tunnel.web: probing\n");
	rig_release(&rig);
}

/* ----------------------------------------------------------- the link ---- */

static void
test_holder_heeds_no_link_but_its_own(void **state)
{
	struct rig rig = rig_up();
	static const enum holder_event_type types[] = { HOLDER_ON_UP,
		HOLDER_ON_DOWN, HOLDER_ON_AUTHENTICATING, HOLDER_ON_RTT,
		HOLDER_ON_FORWARD, HOLDER_ON_STATS };

	(void)state;
	for (size_t i = 0; i < COUNTOF(types); i++)
		for (uint32_t link = 0; link < 3; link += 2) {
			rig_give(&rig, (struct holder_event){
				.type = types[i], .link = link, .tunnel = 1,
				.ok = false, .rtt_us = 9 });
			rig_saw(&rig, "");
		}
	/* Nor what is said of itself out of turn. */
	rig_link_says(&rig, HOLDER_ON_AUTHENTICATING);
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_forward_ok(&rig, 1);
	rig_forward_ok(&rig, 9);
	rig_saw(&rig, "");
	rig_link_down(&rig, SSH_LOST, "cut");
	rig_skip(&rig);
	rig_forward_ok(&rig, 1);
	rig_saw(&rig, "");
	rig_release(&rig);
}

/* The key that it shows, of those that its log names, is the pin. */
static void
test_holder_knows_where_to_with_a_key_of_its_own(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.config.key = STR("/home/me/key");
	request.config.user = request.start = (struct str){0};
	rig_ask(&rig, 7, &request);
	rig_saw(&rig, "link 1 p1 10.0.0.1:2201 as  pin SHA256:AAA\n"
	    "listen 127.0.0.1 8188..8188\nsay tunnel.web: connecting\n");
	rig_release(&rig);
}

/* ---------------------------------------------------------- the tunnel --- */

static void
test_holder_says_the_path_of_a_socket(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.config.local_address = STR("/run/x.sock");
	request.config.local_port = 0;
	rig_ask(&rig, 7, &request);
	rig_saw(&rig, "link 1 p1 10.0.0.1:2201 as root pin SHA256:AAA\n"
	    "listen /run/x.sock 0..0\nsay tunnel.web: connecting\n");
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_forward_ok(&rig, 1);
	rig_saw(&rig, "forward 1 on 1\nsay tunnel.web: probing\n"
	    "say tunnel.web: up, /run/x.sock\nreply 7 ok\n");
	rig_release(&rig);
}

/* Where the port was chosen here, `check` means that one. */
static void
test_holder_checks_where_it_listens(void **state)
{
	static const struct {
		const char *local, *check, *asked;
		uint16_t local_port;
	} rows[] = {
		{ "127.0.0.1", "http://127.0.0.1:8188/x",
		    "http://127.0.0.1:8188/x", 8188 },
		{ "127.0.0.1", "http://127.0.0.1:8188/x",
		    "http://127.0.0.1:9001/x", 0 },
		{ "127.0.0.1", "http://127.0.0.1:8188",
		    "http://127.0.0.1:9001", 0 },
		{ "127.0.0.1", "http://127.0.0.1:80/:8188",
		    "http://127.0.0.1:80/:8188", 0 },
		{ "127.0.0.1", "odd:8188", "odd:8188", 0 },
		{ "/run/x.sock", "http://127.0.0.1:8188/",
		    "http://127.0.0.1:8188/", 0 },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct rig rig = rig_new();
		struct holder_request request = rig_request("tunnel.web");
		struct strbuf want = {0};
		rig.auto_listen = false;
		request.config.local_address = str_from(rows[i].local);
		request.config.local_port = rows[i].local_port;
		request.config.check = str_from(rows[i].check);
		rig_ask(&rig, 7, &request);
		rig_give(&rig, (struct holder_event){
			.type = HOLDER_ON_LISTEN, .tunnel = 1, .ok = true,
			.port = rows[i].local_port != 0 ? 8188 : 9001 });
		rig_link_says(&rig, HOLDER_ON_UP);
		rig_skip(&rig);
		rig_forward_ok(&rig, 1);
		strbuf_addf(&want, "check %s\n", rows[i].asked);
		rig_saw(&rig, want.data);
		strbuf_release(&want);
		rig_release(&rig);
	}
}

/* A port that was free once is wanted again, from a low one upwards. */
static void
test_holder_looks_for_a_free_port_where_people_would(void **state)
{
	static const struct {
		enum tunnel_direction direction;
		uint16_t remote;
		const char *listens;
	} rows[] = {
		{ TUNNEL_LOCAL, 8188, "listen 127.0.0.1 8188..8387\n" },
		{ TUNNEL_LOCAL, 80, "listen 127.0.0.1 8080..8279\n" },
		{ TUNNEL_LOCAL, 1023, "listen 127.0.0.1 9023..9222\n" },
		{ TUNNEL_LOCAL, 1024, "listen 127.0.0.1 1024..1223\n" },
		{ TUNNEL_LOCAL, 65336, "listen 127.0.0.1 65336..65535\n" },
		{ TUNNEL_LOCAL, 65400, "listen 127.0.0.1 65400..65535\n" },
		{ TUNNEL_DYNAMIC, 0, "listen 127.0.0.1 1080..1279\n" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct rig rig = rig_new();
		struct holder_request request = rig_request("tunnel.web");
		rig.auto_listen = false;
		request.config.direction = rows[i].direction;
		request.config.local_port = 0;
		request.config.remote_port = rows[i].remote;
		rig_ask(&rig, 7, &request);
		assert_non_null(strstr(rig.seen.data, rows[i].listens));
		rig_release(&rig);
	}
}

/* The far end of one that is opened when its link is up already. */
static void
test_holder_opens_a_remote_one_on_a_link_that_is_up(void **state)
{
	struct rig rig = rig_up();
	struct holder_request request = rig_request("tunnel.back");

	(void)state;
	request.config.direction = TUNNEL_REMOTE;
	rig_ask(&rig, 8, &request);
	rig_saw(&rig, "forward 2 on 1\nsay tunnel.back: probing\n");
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_FORWARD,
		.link = 1, .tunnel = 2, .ok = true, .port = 4000 });
	rig_saw(&rig, "say tunnel.back: up, 127.0.0.1:4000\n"
	    "reply 8 ok\n");
	/* It is closed without a listener to be closed. */
	request.verb = HOLDER_CLOSE;
	rig_ask(&rig, 9, &request);
	rig_saw(&rig, "unforward 2 on 1\nsay tunnel.back: closed\n"
	    "reply 9 ok\n");
	rig_release(&rig);
}

/* What the list tells of one that waits to be tried again, or is closed. */
static void
test_holder_lists_when_it_will_try_again(void **state)
{
	struct rig rig = rig_up();
	struct holder_request list = { .verb = HOLDER_LIST };
	struct holder_effect effect;

	(void)state;
	rig_give(&rig, (struct holder_event){ .type = HOLDER_ON_FORWARD,
		.link = 1, .tunnel = 1, .text = STR("refused") });
	rig_saw(&rig, "say tunnel.web: backoff: refused\n");
	holder_event(rig.holder, &(struct holder_event){
		.type = HOLDER_ON_REQUEST, .client = 9, .request = &list,
		.now_ms = rig.now_ms, .wall_ms = 5000000 });
	assert_true(holder_next_effect(rig.holder, &effect));
	assert_int_equal(effect.answer.ntunnels, 1);
	const struct tunnel_status *status = &effect.answer.tunnels[0];
	assert_int_equal(status->state, TUNNEL_BACKOFF);
	assert_int_equal(status->retry_at_ms, 5000000 + 250);
	expected_same("error", STR("refused"), status->error);
	expected_same("pin", str_from(pin_a), status->fingerprint);
	/* And then it does. */
	rig_pass(&rig, 250);
	rig_saw(&rig, "forward 1 on 1\nsay tunnel.web: probing: "
	    "refused\n");
	rig_release(&rig);
}

/* A forward that is never set up means that the worker is gone. */
static void
test_holder_gives_a_forward_half_a_minute(void **state)
{
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	rig_ask(&rig, 7, &request);
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_skip(&rig);
	rig_pass(&rig, 9999);
	rig_saw(&rig, "");
	rig_pass(&rig, 1);
	rig_saw(&rig, "refuse\n");		/* who connects waits no more */
	rig_pass(&rig, 19999);
	rig_saw(&rig, "");
	rig_pass(&rig, 1);
	expected_same("lost", STR("unlink 1\nask pod p1\n"),
	    str_sub(strbuf_str(&rig.seen), 0, 20));
	rig_release(&rig);
}

/* Failures of a check wait longer and longer, at most ten seconds. */
static void
test_holder_checks_again_after_a_while(void **state)
{
	static const int64_t pauses[] = { 250, 500, 1000, 2000, 4000, 8000,
		10000, 10000 };
	struct rig rig = rig_new();
	struct holder_request request = rig_request("tunnel.web");

	(void)state;
	request.config.check = STR("http://127.0.0.1:8188/");
	rig_ask(&rig, 7, &request);
	rig_link_says(&rig, HOLDER_ON_UP);
	rig_forward_ok(&rig, 1);
	for (size_t i = 0; i < COUNTOF(pauses); i++) {
		rig_give(&rig, (struct holder_event){
			.type = HOLDER_ON_CHECK, .token = rig.check,
			.text = STR("status 502") });
		/* An answer that came twice is one. */
		rig_give(&rig, (struct holder_event){
			.type = HOLDER_ON_CHECK, .token = rig.check,
			.ok = true });
		rig_link_says(&rig, HOLDER_ON_RTT);
		rig_skip(&rig);
		rig_pass(&rig, pauses[i] - 1);
		rig_saw(&rig, "");
		rig_pass(&rig, 1);
		rig_saw(&rig, "check http://127.0.0.1:8188/\n");
	}
	rig_release(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holder_waits_for_a_pod_that_does_not_run),
		cmocka_unit_test(test_holder_needs_a_host_and_a_port),
		cmocka_unit_test(test_holder_backs_off_where_nothing_is_known),
		cmocka_unit_test(
		    test_holder_takes_a_pod_without_a_start_for_the_same),
		cmocka_unit_test(
		    test_holder_asks_once_for_a_log_that_is_not_there),
		cmocka_unit_test(test_holder_heeds_no_link_but_its_own),
		cmocka_unit_test(
		    test_holder_knows_where_to_with_a_key_of_its_own),
		cmocka_unit_test(test_holder_says_the_path_of_a_socket),
		cmocka_unit_test(test_holder_checks_where_it_listens),
		cmocka_unit_test(
		    test_holder_looks_for_a_free_port_where_people_would),
		cmocka_unit_test(
		    test_holder_opens_a_remote_one_on_a_link_that_is_up),
		cmocka_unit_test(test_holder_lists_when_it_will_try_again),
		cmocka_unit_test(test_holder_gives_a_forward_half_a_minute),
		cmocka_unit_test(test_holder_checks_again_after_a_while),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
