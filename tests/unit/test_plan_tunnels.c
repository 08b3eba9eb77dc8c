/* test_plan_tunnels.c - tunnels to pods, and their ports */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

enum { SHOWN = DUMP_CHANGES | DUMP_ACTIONS | DUMP_CHECKS };

static void
tunnels(struct plan_world *w, const char *pod, const char *tunnel)
{
	world_spec(w, arena_printf(&w->arena,
	    "pods:\n"
	    "  trainer: { image: torch:1, gpu: A40%s%s }\n"
	    "tunnels:\n"
	    "  web: { pod: trainer, %s }\n", pod[0] != '\0' ? ", " : "", pod,
	    tunnel).data);
}

/* An automatic port is known to whoever holds the tunnel; an apply that does
 * not open it must not find that out with the pod already there. */
static void
test_plan_port_that_stays_unknown_is_refused_at_its_place(void **state)
{
	struct plan_world *w = *state;
	static const char port[] = "ports: [22/tcp], "
	    "env: { A: b, P: \"${tunnel.web.local.port}\" }";

	world_spec(w, arena_printf(&w->arena, "pods:\n"
	    "  a: { image: x:1, gpu: A40, ports: [22/tcp] }\n"
	    "  b: { image: x:1, gpu: A40, %s }\n"
	    "tunnels: { web: { pod: a, local: auto, remote: 80 } }\n",
	    port).data);
	w->options.no_tunnels = true;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "pods.yaml:4:63: error: the value of ${tunnel.web.local.port} is "
	    "not known: the port is automatic, and the tunnel is not open and "
	    "stays as it is [PF0212]\n"
	    "    4 | ...cp], env: { A: b, P: \"${tunnel.web.local.port}\" } }\n"
	    "      |                         ^~~~~~~~~~~~~~~~~~~~~~~~~~\n"
	    "   hint: --tunnels=true opens it; or give it a port of its own, "
	    "such as local: 8188\n");
	assert_null(w->plan);
	w->options.no_tunnels = false;
	assert_text(world_plan(w, DUMP_CHANGES), "+ pod.a @3\n+ pod.b @4\n"
	    "+ tunnel.web @5\n");
	world_settle(w);
	/* Nothing is to be sent, or it is held: no reason to complain. */
	w->options.no_tunnels = true;
	assert_text(world_plan(w, DUMP_CHANGES), "");
	assert_non_null(w->plan);
	/* The same in a step that is to be done. */
	w->tunnels.n = 0;
	world_spec(w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, ports: [22/tcp] }\n"
	    "  b: { image: x:1, gpu: A40, ports: [22/tcp],\n"
	    "    setup: [{ run: \"echo ${tunnel.web.local.port}\" }] }\n"
	    "tunnels: { web: { pod: a, local: auto, remote: 80 } }\n");
	assert_non_null(strstr(world_plan(w, DUMP_CHANGES), "pods.yaml:5:20: "
	    "error: the value of ${tunnel.web.local.port} is not known"));
	w->options.no_tunnels = false;
	world_spec(w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, state: stopped }\n"
	    "  b: { image: x:1, gpu: A40, ports: [22/tcp],\n"
	    "    setup: [{ run: \"echo ${tunnel.web.local.port}\" }] }\n"
	    "tunnels: { web: { pod: a, local: auto, remote: 80 } }\n");
	assert_non_null(strstr(world_plan(w, DUMP_CHANGES), "is not opened "
	    "by this plan"));
}

static void
test_plan_tunnel_opens_when_its_pod_is_ready(void **state)
{
	struct plan_world *w = *state;

	tunnels(w, "setup: [{ run: a }]", "local: 8188, remote: 80");
	assert_text(world_plan(w, SHOWN),
	    "+ pod.trainer @3\n"
	    "+ tunnel.web @5\n"
	    "do 0 create pod.trainer\n"
	    "do 1 await running pod.trainer after 0\n"
	    "do 2 await ssh pod.trainer after 1\n"
	    "do 3 login pod.trainer after 2\n"
	    "do 4 setup[0] pod.trainer after 3\n"
	    "do 5 open tunnel.web after 4\n");
	world_settle(w);
	tunnels(w, "setup: [{ run: a }]", "local: 8189, remote: 80");
	assert_text(world_plan(w, SHOWN | DUMP_ATTRS),
	    "-/+ tunnel.web replace_because_cannot_update @5\n"
	    "  local: \"127.0.0.1:8188\" -> \"127.0.0.1:8189\" replace edit "
	    "forces @5\n"
	    "do 0 close tunnel.web\n"
	    "do 1 open tunnel.web after 0\n");
	w->options.no_tunnels = true;
	assert_text(world_plan(w, SHOWN),
	    "check pass tunnels: tunnels are left as they are\n");
	w->options.no_tunnels = false;
	w->live.tunnels_known = false;
	assert_text(world_plan(w, SHOWN),
	    "check fail tunnels: which tunnels this machine holds is not "
	    "known, so none is opened or closed\n");
	assert_true(w->plan->needs_tunnels);
	w->live.tunnels_known = true;
	world_settle(w);
	/* The holder would follow a pod that is reset, in its own time; the
	 * apply is to end with the tunnel up. */
	world_spec(w, "pods:\n"
	    "  trainer: { image: torch:2, gpu: A40, setup: [{ run: a }] }\n"
	    "tunnels: { web: { pod: trainer, local: 8189, remote: 80 } }\n");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "~ pod.trainer restarts !container_reset @3\n"
	    "-/+ tunnel.web replace_because_pod_changes @4\n");
	world_settle(w);
	tunnels(w, "gpu_count: 2", "local: 8189, remote: 80");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "-/+ pod.trainer replace_because_cannot_update !container_reset "
	    "!data_loss @3\n"
	    "-/+ tunnel.web replace_because_pod_changes @5\n"
	    "do 0 close tunnel.web\n"
	    "do 1 delete pod.trainer after 0\n"
	    "do 2 create pod.trainer after 1\n"
	    "do 3 await running pod.trainer after 2\n"
	    "do 4 await ssh pod.trainer after 3\n"
	    "do 5 open tunnel.web after 0,4\n");
	world_settle(w);
}

static void
test_plan_tunnel_closes_with_its_pod_or_line(void **state)
{
	struct plan_world *w = *state;

	tunnels(w, "", "local: 8188, remote: 80");
	world_settle(w);
	world_spec(w, "pods: { trainer: { image: torch:1, gpu: A40 } }");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "- tunnel.web delete_because_no_resource_config\n"
	    "do 0 close tunnel.web\n");
	tunnels(w, "state: stopped", "local: 8188, remote: 80");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "v pod.trainer stop_because_desired !container_reset "
	    "!gpu_not_guaranteed @3\n"
	    "- tunnel.web delete_because_pod_stops\n"
	    "do 0 close tunnel.web\n"
	    "do 1 stop pod.trainer after 0\n");
	/* The end that goes free is taken by another. */
	world_spec(w, "pods: { trainer: { image: torch:1, gpu: A40 } }\n"
	    "tunnels: { other: { pod: trainer, local: 8188, remote: 1 } }");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "+ tunnel.other @3\n"
	    "- tunnel.web delete_because_no_resource_config\n"
	    "do 0 close tunnel.web\n"
	    "do 1 open tunnel.other after 0\n");
	w->options.mode = PLAN_DESTROY;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "- pod.trainer delete_because_destroy !data_loss\n"
	    "- tunnel.web delete_because_destroy\n"
	    "do 0 close tunnel.web\n"
	    "do 1 delete pod.trainer after 0\n");
}

static int
taken(void *ctx, struct arena *arena, struct str address, uint16_t port,
    struct str *owner)
{
	(void)ctx;
	(void)arena;
	if (str_is(address, "127.0.0.1") && port == 8188) {
		*owner = STR("python3 (pid 4711)");
		return -EADDRINUSE;
	}
	if (str_starts(address, STR("/nowhere/")))
		return -ENOENT;
	return port < 1024 && port > 0 ? -EACCES : 0;
}

static void
test_plan_tunnel_finds_a_taken_port_before_anything_is_paid(void **state)
{
	struct plan_world *w = *state;

	w->options.may_listen = taken;
	tunnels(w, "", "local: 8188, remote: 80");
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check fail tunnel.local: tunnel.web cannot listen on "
	    "127.0.0.1:8188: python3 (pid 4711) has it @5\n");
	assert_true(plan_has_failed_check(w->plan));
	tunnels(w, "", "local: 80, remote: 80");
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check fail tunnel.local: tunnel.web cannot listen on "
	    "127.0.0.1:80: ports below 1024 are for root @5\n");
	tunnels(w, "", "local: /nowhere/sock, remote: 80");
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check fail tunnel.local: tunnel.web cannot listen on "
	    "/nowhere/sock: there is no such directory @5\n");
	tunnels(w, "", "local: auto, remote: 80");
	assert_text(world_plan(w, DUMP_CHECKS), "");
	tunnels(w, "", "local: 8188, remote: 80, direction: remote");
	assert_text(world_plan(w, DUMP_CHECKS), "");
	/* What our own holder has is no conflict. */
	tunnels(w, "", "local: 8188, remote: 80");
	w->options.may_listen = NULL;
	world_settle(w);
	w->options.may_listen = taken;
	tunnels(w, "", "local: 8188, remote: 81");
	assert_text(world_plan(w, DUMP_CHECKS), "");
}

static void
test_plan_tunnel_that_is_down_is_opened_again(void **state)
{
	static const struct { enum tunnel_state state; const char *plan; }
	rows[] = {
		{ TUNNEL_UP, "" },
		{ TUNNEL_CONNECTING, "" },
		/* The holder has yet to see that its pod runs. */
		{ TUNNEL_WAITING, "-/+ tunnel.web replace_because_offline @5\n"
		    "do 0 close tunnel.web\ndo 1 open tunnel.web after 0\n" },
		{ TUNNEL_BACKOFF, "-/+ tunnel.web replace_because_offline @5\n"
		    "do 0 close tunnel.web\ndo 1 open tunnel.web after 0\n" },
		{ TUNNEL_CONFLICT, "-/+ tunnel.web replace_because_offline @5\n"
		    "do 0 close tunnel.web\ndo 1 open tunnel.web after 0\n" },
		{ TUNNEL_CLOSED, "+ tunnel.web @5\ndo 0 open tunnel.web\n" },
	};
	struct plan_world *w = *state;

	tunnels(w, "", "local: 8188, remote: 80");
	world_settle(w);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		w->live.tunnels[0].state = rows[i].state;
		assert_text(world_plan(w, SHOWN), rows[i].plan);
	}
	/* It does not listen, so somebody else may: who is it? */
	w->options.may_listen = taken;
	w->live.tunnels[0].port = 8188;
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check fail tunnel.local: tunnel.web cannot listen on "
	    "127.0.0.1:8188: python3 (pid 4711) has it @5\n");
	w->live.tunnels[0].state = TUNNEL_CONFLICT;
	w->live.tunnels[0].port = 0;
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check fail tunnel.local: tunnel.web cannot listen on "
	    "127.0.0.1:8188: python3 (pid 4711) has it @5\n");
	/* The host key is wrong, but the port is ours. */
	w->live.tunnels[0].port = 8188;
	assert_text(world_plan(w, DUMP_CHECKS), "");
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_plan_port_that_stays_unknown_is_refused_at_its_place),
		TEST(test_plan_tunnel_opens_when_its_pod_is_ready),
		TEST(test_plan_tunnel_closes_with_its_pod_or_line),
		TEST(test_plan_tunnel_finds_a_taken_port_before_anything_is_paid),
		TEST(test_plan_tunnel_that_is_down_is_opened_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
