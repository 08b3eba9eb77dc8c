/*
 * test_plan_tunnel_tables.c - tunnels by their ends, their pod and what was
 * asked for, and in which order they come and go.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

enum { SHOWN = DUMP_CHANGES | DUMP_CHECKS };

static void
tunnel_spec(struct plan_world *w, const char *pod, const char *tunnel)
{
	world_spec(w, arena_printf(&w->arena,
	    "pods: { a: { image: x:1, gpu: A40%s%s } }\n"
	    "tunnels: { web: { pod: a, %s } }\n", pod[0] != '\0' ? ", " : "",
	    pod, tunnel).data);
}

static void
test_plan_tunnel_shows_its_ends(void **state)
{
	static const struct { const char *fields, *local, *remote; } rows[] = {
		{ "local: 8188, remote: 80", "127.0.0.1:8188",
		    "127.0.0.1:80" },
		{ "local: auto, remote: 80", "127.0.0.1:auto",
		    "127.0.0.1:80" },
		{ "local: '[::1]:8188', remote: 80", "[::1]:8188",
		    "127.0.0.1:80" },
		{ "local: /run/web.sock, remote: 80", "/run/web.sock",
		    "127.0.0.1:80" },
		{ "local: 1080, direction: dynamic", "127.0.0.1:1080", NULL },
	};
	struct plan_world *w = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		tunnel_spec(w, "", rows[i].fields);
		(void)world_plan(w, 0);
		assert_non_null(w->plan);
		const struct plan_change *c = &w->plan->changes.items[1];
		assert_int_equal(c->kind, KIND_TUNNEL);
		const char *local = NULL, *remote = NULL;
		for (size_t k = 0; k < c->attrs.n; k++) {
			if (str_is(c->attrs.items[k].path, "local"))
				local = c->attrs.items[k].after.data;
			if (str_is(c->attrs.items[k].path, "remote"))
				remote = c->attrs.items[k].after.data;
		}
		assert_string_equal(local, arena_printf(&w->arena, "\"%s\"",
		    rows[i].local).data);
		assert_int_equal(remote != NULL, rows[i].remote != NULL);
		if (remote != NULL)
			assert_string_equal(remote, arena_printf(&w->arena,
			    "\"%s\"", rows[i].remote).data);
	}
}

/* Is the local end taken?  Asked only where it can be and matters. */
static int asked;

static int
taken(void *ctx, struct arena *arena, struct str address, uint16_t port,
    struct str *owner)
{
	(void)arena;
	(void)address;
	(void)port;
	(void)owner;
	asked++;
	return -*(int *)ctx;
}

static void
test_plan_tunnel_asks_who_has_its_end(void **state)
{
	enum { FREE, HELD, HELD_CLOSED, HELD_REMOTE, HELD_ELSEWHERE,
		HELD_SOCKET, HELD_SOCKET_CONFLICT, NHELD };
	static const struct {
		const char *fields;
		int held, error;
		const char *said;	/* NULL: nobody is asked */
	} rows[] = {
		{ "local: 8188, remote: 80", FREE, EACCES, "ports below 1024 "
		    "are for root" },
		{ "local: /s, remote: 80", FREE, EACCES, "its directory cannot "
		    "be written to" },
		{ "local: 8188, remote: 80", FREE, EADDRINUSE, "it is taken by "
		    "another program" },
		{ "local: auto, remote: 80", FREE, EADDRINUSE, NULL },
		{ "local: /s, remote: 80", FREE, EADDRINUSE, "it is taken by "
		    "another program" },
		{ "local: 8188, remote: 80, direction: remote", FREE,
		    EADDRINUSE, NULL },
		{ "local: 8188, remote: 80", HELD, EADDRINUSE, NULL },
		{ "local: 8188, remote: 80", HELD_CLOSED, EADDRINUSE, "it is "
		    "taken by" },
		{ "local: 8188, remote: 80", HELD_REMOTE, EADDRINUSE, "it is "
		    "taken by" },
		{ "local: 8188, remote: 80", HELD_ELSEWHERE, EADDRINUSE,
		    "it is taken by" },
		{ "local: /s, remote: 80", HELD_SOCKET, EADDRINUSE, NULL },
		{ "local: /s, remote: 80", HELD_SOCKET_CONFLICT, EADDRINUSE,
		    "it is taken by" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		int error = rows[i].error, held = rows[i].held;
		world_init(&w);
		w.options.may_listen = taken;
		w.options.may_listen_ctx = &error;
		tunnel_spec(&w, "", rows[i].fields);
		if (held != FREE)
			*ARENA_PUSH(&w.arena, &w.tunnels) =
			    (struct tunnel_status){ .port = 8188,
				.state = held == HELD_CLOSED ? TUNNEL_CLOSED :
				    held == HELD_SOCKET_CONFLICT ?
				    TUNNEL_CONFLICT : TUNNEL_UP,
				.config = { .address = STR("tunnel.old"),
				    .local_address = held >= HELD_SOCKET ?
					STR("/s") : held == HELD_ELSEWHERE ?
					STR("::1") : STR("127.0.0.1"),
				    .local_port = 8188,
				    .direction = held == HELD_REMOTE ?
					TUNNEL_REMOTE : TUNNEL_LOCAL } };
		asked = 0;
		const char *found = world_plan(&w, DUMP_CHECKS);
		if (rows[i].said == NULL ? asked > 0 || w.plan->checks.n > 0 :
		    strstr(found, rows[i].said) == NULL)
			fail_msg("row %zu: asked %d: %s", i, asked, found);
		/* From nobody who is not known to hold any. */
		w.live.tunnels_known = false;
		asked = 0;
		(void)world_plan(&w, 0);
		assert_int_equal(asked, 0);
		world_release(&w);
	}
}

/* Held for a pod: by its own state and that of the pod. */
static void
test_plan_tunnel_by_its_pod(void **state)
{
	static const struct {
		const char *pod;
		enum pod_status status;
		bool has_port, started_anew;
		enum tunnel_state state;
		const char *shown;
	} rows[] = {
#define ANEW "-/+ tunnel.web replace_because_pod_changes @3\n"
#define DOWN "-/+ tunnel.web replace_because_offline @3\n"
		{ "", POD_RUNNING, true, false, TUNNEL_UP, "" },
		{ "", POD_RUNNING, true, false, TUNNEL_WAITING, DOWN },
		{ "", POD_RUNNING, false, false, TUNNEL_WAITING, "" },
		{ "", POD_STARTING, true, false, TUNNEL_WAITING, "" },
		{ "", POD_RUNNING, true, false, TUNNEL_RESOLVING, "" },
		{ "name: other", POD_RUNNING, true, false, TUNNEL_UP,
		    "~ pod.a @2\n" },
		{ "args: x", POD_RUNNING, true, false, TUNNEL_UP,
		    "~ pod.a restarts !container_reset @2\n" ANEW },
		{ "", POD_EXITED, true, false, TUNNEL_WAITING, "^ pod.a "
		    "start_because_desired !gpu_not_guaranteed @2\n" ANEW },
		{ "name: other", POD_EXITED, true, false, TUNNEL_WAITING,
		    "~ pod.a and start !gpu_not_guaranteed @2\n" ANEW },
		{ "", POD_TERMINATED, true, false, TUNNEL_WAITING,
		    "+ pod.a gone-proved replace_because_lost @2\n" ANEW },
		{ "state: stopped", POD_RUNNING, true, false, TUNNEL_UP,
		    "v pod.a stop_because_desired !container_reset "
		    "!gpu_not_guaranteed @2\n"
		    "- tunnel.web delete_because_pod_stops\n" },
		{ "name: other, state: stopped", POD_RUNNING, true, false,
		    TUNNEL_UP, "~ pod.a and stop !container_reset "
		    "!gpu_not_guaranteed @2\n"
		    "- tunnel.web delete_because_pod_stops\n" },
		{ "state: stopped", POD_RUNNING, true, false, TUNNEL_CLOSED,
		    "v pod.a stop_because_desired !container_reset "
		    "!gpu_not_guaranteed @2\n" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		tunnel_spec(&w, "", "local: 8188, remote: 80");
		world_settle(&w);
		world_pod(&w, "pod.a")->status = rows[i].status;
		if (!rows[i].has_port)
			world_pod(&w, "pod.a")->ssh.port = 0;
		w.tunnels.items[0].state = rows[i].state;
		tunnel_spec(&w, rows[i].pod, "local: 8188, remote: 80");
		const char *found = world_plan(&w, DUMP_CHANGES);
		if (strcmp(found, rows[i].shown) != 0)
			fail_msg("row %zu:\n%s\nwanted:\n%s", i, found,
			    rows[i].shown);
		world_release(&w);
	}
}

/* What is selected, asked for, unknown or of somebody else's pod. */
static void
test_plan_tunnel_by_options(void **state)
{
	struct plan_world *w = *state;
	struct str tunnel = STR("tunnel.web");

	tunnel_spec(w, "", "local: 8188, remote: 80");
	w->options.excludes = &tunnel;
	w->options.nexcludes = 1;
	assert_text(world_plan(w, DUMP_CHANGES), "+ pod.a @2\n");
	assert_int_equal(w->plan->noops, 1);
	w->options.nexcludes = 0;
	world_settle(w);
	w->options.replaces = &tunnel;
	w->options.nreplaces = 1;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "-/+ tunnel.web replace_by_request @3\n");
	w->options.nreplaces = 0;
	/* Left out, it is left as it is: also where its pod goes nowhere. */
	world_spec(w, "pods: { a: { image: x:1, gpu: A40 } }\n");
	struct str pod = STR("pod.a");
	w->options.targets = &pod;
	w->options.ntargets = 1;
	assert_text(world_plan(w, DUMP_CHANGES), "");
	/* But not where it is ended. */
	w->options.mode = PLAN_DESTROY;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "- pod.a delete_because_destroy !data_loss\n"
	    "- tunnel.web delete_because_destroy\n");
	w->options.ntargets = 0;
	/* Which there are is not known: of no matter for what is destroyed. */
	w->live.tunnels_known = false;
	assert_text(world_plan(w, SHOWN),
	    "- pod.a delete_because_destroy !data_loss\n");
	assert_true(w->plan->needs_tunnels);
	tunnel_spec(w, "", "local: 8188, remote: 80");
	assert_text(world_plan(w, SHOWN),
	    "- pod.a delete_because_destroy !data_loss\n");
	/* No tunnel is wanted and nothing recorded: nobody asks. */
	w->options.mode = PLAN_NORMAL;
	w->lock.entries.n = 0;
	w->lock.index = NULL;
	w->pods.n = 0;
	world_spec(w, "pods: {}\n");
	assert_text(world_plan(w, SHOWN), "");
	assert_false(w->plan->needs_tunnels);
	w->options.no_tunnels = true;
	assert_text(world_plan(w, SHOWN), "");
	tunnel_spec(w, "", "local: 8188, remote: 80");
	assert_text(world_plan(w, SHOWN), "+ pod.a @2\n"
	    "check pass tunnels: tunnels are left as they are\n");
}

/* One that is wanted, of a pod that is ended for another. */
static void
test_plan_tunnel_moves_from_a_pod_that_ends(void **state)
{
	struct plan_world *w = *state;
	struct str web = STR("tunnel.web");

	world_spec(w, "pods:\n  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40 }\n"
	    "tunnels: { web: { pod: a, local: 8188, remote: 80 } }\n");
	world_settle(w);
	world_spec(w, "pods:\n  b: { image: x:1, gpu: A40 }\n"
	    "tunnels: { web: { pod: b, local: 8188, remote: 80 } }\n");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "- pod.a delete_because_no_resource_config !data_loss\n"
	    "-/+ tunnel.web replace_because_cannot_update @4\n"
	    "do 0 close tunnel.web\n"
	    "do 1 open tunnel.web after 0\n"
	    "do 2 barrier after 1\n"
	    "do 3 delete pod.a after 2,0\n");
	/* Left out, it is closed with the pod it leads to. */
	w->options.excludes = &web;
	w->options.nexcludes = 1;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "- pod.a delete_because_no_resource_config !data_loss\n"
	    "- tunnel.web delete_because_pod_stops\n");
}

/* The holder does not say which pod it leads to: it is closed all the same,
 * and before it is opened again. */
static void
test_plan_tunnel_of_a_pod_that_is_not_told(void **state)
{
	struct plan_world *w = *state;

	tunnel_spec(w, "", "local: 8188, remote: 80");
	world_settle(w);
	w->tunnels.items[0].config.pod_id = (struct str){0};
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "-/+ tunnel.web replace_because_pod_changes @3\n"
	    "do 0 close tunnel.web\n"
	    "do 1 open tunnel.web after 0\n");
	/* Nor has it told its port yet. */
	w->tunnels.items[0].config.local_address = STR("::1");
	w->tunnels.items[0].config.local_port = 0;
	assert_non_null(strstr(world_plan(w, DUMP_CHANGES | DUMP_ATTRS),
	    "  local: \"[::1]:auto\" -> \"127.0.0.1:8188\" replace"));
	tunnel_spec(w, "gpu_count: 2", "local: 8188, remote: 80");
	assert_text(world_plan(w, DUMP_ACTIONS),
	    "do 0 close tunnel.web\n"
	    "do 1 delete pod.a\n"
	    "do 2 create pod.a after 1\n"
	    "do 3 await running pod.a after 2\n"
	    "do 4 await ssh pod.a after 3\n"
	    "do 5 open tunnel.web after 0,4\n");
}

/* Whose port is named is held, or opened by this very plan, or is another's. */
static void
test_plan_tunnel_port_is_known_by_who_has_it(void **state)
{
	enum { OPENED, HELD, OTHER_HELD, NOT_LISTENING, UNKNOWN, CLOSING,
		NCASES };
	static const bool known[NCASES] = { [OPENED] = true, [HELD] = true,
		[UNKNOWN] = true };
	(void)state;

	for (int i = 0; i < NCASES; i++) {
		struct plan_world w;
		struct str left_out = STR("tunnel.web");
		world_init(&w);
		world_spec(&w, arena_printf(&w.arena, "pods:\n"
		    "  a: { image: x:1, gpu: A40%s }\n"
		    "  b: { image: x:1, gpu: A40, env: { P: "
		    "'${tunnel.web.local.port}' } }\n"
		    "tunnels:\n  and: { pod: a, local: auto, remote: 81 }\n"
		    "  web: { pod: a, local: auto, remote: 80 }\n",
		    i == CLOSING ? ", state: stopped" : "").data);
		if (i == CLOSING)
			*ARENA_PUSH(&w.arena, &w.tunnels) =
			    (struct tunnel_status){ .state = TUNNEL_BACKOFF,
				.config.address = STR("tunnel.web") };
		else if (i != OPENED) {
			*ARENA_PUSH(&w.arena, &w.tunnels) =
			    (struct tunnel_status){ .state = TUNNEL_UP,
				.port = i == NOT_LISTENING ? 0 : 41000,
				.config.address = i == OTHER_HELD ?
				    STR("tunnel.and") : STR("tunnel.web") };
			w.live.tunnels_known = i != UNKNOWN;
			/* A record, so that it can be left out alone. */
			struct lock_entry entry = { .kind = KIND_TUNNEL,
				.address = left_out };
			lock_add_entry(&w.lock, &entry);
			w.options.excludes = &left_out;
			w.options.nexcludes = 1;
		}
		const char *found = world_plan(&w, DUMP_CHANGES);
		if ((w.plan != NULL) != known[i])
			fail_msg("case %d: %s", i, found);
		world_release(&w);
	}
}

/* A port that is not known hinders only what would send it. */
static void
test_plan_tunnel_port_matters_where_it_is_sent(void **state)
{
	static const struct { const char *fields; bool planned; } rows[] = {
		{ "", true }, { ", name: other", true }, { ", args: x", true },
		{ ", ports: [22/tcp, 80/http]", true },
		{ ", gpu_count: 2", false },
	};
	struct plan_world *w = *state;

	for (size_t i = 0; i <= COUNTOF(rows); i++) {
		world_spec(w, arena_printf(&w->arena, "pods:\n"
		    "  a: { image: x:1, gpu: A40 }\n"
		    "  b: { image: x:1, gpu: A40, env: { P: "
		    "'${tunnel.web.local.port}' }%s }\n"
		    "tunnels: { web: { pod: a, local: auto, remote: 80 } }\n",
		    i == 0 ? "" : rows[i - 1].fields).data);
		if (i == 0) {
			world_settle(w);
			w->tunnels.n = 0;
			w->options.no_tunnels = true;
			continue;
		}
		const char *found = world_plan(w, DUMP_CHANGES);
		if ((w->plan != NULL) != rows[i - 1].planned)
			fail_msg("%s: %s", rows[i - 1].fields, found);
	}
	world_spec(w, "pods:\n  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40, env: { A: b, P: "
	    "'${tunnel.web.local.port}' } }\n"
	    "tunnels: { web: { pod: a, local: auto, remote: 80 } }\n");
	(void)world_plan(w, 0);
	assert_null(w->plan);
}

/* Of a pod that stays stopped, and of one that is gone and left out. */
static void
test_plan_tunnel_of_a_pod_that_is_not_there(void **state)
{
	struct plan_world *w = *state;
	struct str pod = STR("pod.a");

	tunnel_spec(w, "", "local: 8188, remote: 80");
	world_settle(w);
	world_pod(w, "pod.a")->status = POD_EXITED;
	world_entry(w, "pod.a")->stopped = true;
	tunnel_spec(w, "state: stopped", "local: 8188, remote: 80");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "- tunnel.web delete_because_pod_stops\n");
	tunnel_spec(w, "", "local: 8188, remote: 80");
	world_pod(w, "pod.a")->status = POD_TERMINATED;
	w->options.excludes = &pod;
	w->options.nexcludes = 1;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "-/+ tunnel.web replace_because_pod_changes @3\n");
	/* Waiting for a pod that nobody knows, as it should. */
	w->tunnels.items[0].config.pod_id = (struct str){0};
	w->tunnels.items[0].state = TUNNEL_WAITING;
	assert_text(world_plan(w, DUMP_CHANGES), "");
}

/* The end that one leaves and another takes; a remote one takes none here. */
static void
test_plan_tunnel_waits_for_the_end_it_takes(void **state)
{
	static const struct { const char *old, *new; bool waits; } rows[] = {
		{ "local: 8188, remote: 80", "local: 8188, remote: 90", true },
		{ "local: 8188, remote: 80", "local: 8189, remote: 90", false },
		{ "local: 8188, remote: 80", "local: '[::1]:8188', remote: 90",
		    false },
		{ "local: 8188, remote: 80", "local: 8188, remote: 90, "
		    "direction: remote", false },
		{ "local: 8188, remote: 80, direction: remote",
		    "local: 8188, remote: 90", false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		world_spec(&w, arena_printf(&w.arena, "pods: { a: { image: "
		    "x:1, gpu: A40 } }\ntunnels: { old: { pod: a, %s } }\n",
		    rows[i].old).data);
		world_settle(&w);
		world_spec(&w, arena_printf(&w.arena, "pods: { a: { image: "
		    "x:1, gpu: A40 } }\ntunnels: { new: { pod: a, %s } }\n",
		    rows[i].new).data);
		const char *found = world_plan(&w, DUMP_ACTIONS);
		assert_text(found, rows[i].waits ?
		    "do 0 close tunnel.old\ndo 1 open tunnel.new after 0\n" :
		    "do 0 open tunnel.new\ndo 1 barrier after 0\n"
		    "do 2 close tunnel.old after 1\n");
		world_release(&w);
	}
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_plan_tunnel_shows_its_ends),
		cmocka_unit_test(test_plan_tunnel_asks_who_has_its_end),
		cmocka_unit_test(test_plan_tunnel_by_its_pod),
		TEST(test_plan_tunnel_by_options),
		TEST(test_plan_tunnel_of_a_pod_that_is_not_told),
		TEST(test_plan_tunnel_of_a_pod_that_is_not_there),
		TEST(test_plan_tunnel_port_matters_where_it_is_sent),
		cmocka_unit_test(test_plan_tunnel_port_is_known_by_who_has_it),
		TEST(test_plan_tunnel_moves_from_a_pod_that_ends),
		cmocka_unit_test(test_plan_tunnel_waits_for_the_end_it_takes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
