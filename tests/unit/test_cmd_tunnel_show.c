/* test_cmd_tunnel_show.c - tunnels as people and programs read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cmd/podform/tunnel_show.h"
#include "cmd_world.h"
#include "expected.h"

static struct tunnel_status
status(struct cmd_world *world, const char *address,
    enum tunnel_direction direction, enum tunnel_state state)
{
	return (struct tunnel_status){
		.config = { .address = str_from(address),
		    .direction = direction,
		    .local_address = STR("127.0.0.1"), .local_port = 8188,
		    .remote_host = STR("127.0.0.1"), .remote_port = 80,
		    .pod = STR("pod.trainer"), .pod_id = STR("p1") },
		.state = state, .rtt_us = -1,
		.since_ms = world->now_ms - 61000,
	};
}

/* Every state, direction, and kind of end. */
static size_t
make_all(struct cmd_world *world, struct tunnel_status *list)
{
	static const char *const names[] = { "tunnel.waiting",
		"tunnel.resolving", "tunnel.connecting",
		"tunnel.authenticating", "tunnel.probing", "tunnel.up",
		"tunnel.backoff", "tunnel.conflict", "tunnel.closed" };
	size_t n = 0;

	for (int i = 0; i < TUNNEL_STATE_COUNT; i++)
		list[n++] = status(world, names[i], TUNNEL_LOCAL,
		    (enum tunnel_state)i);
	list[TUNNEL_UP].port = 8190;
	list[TUNNEL_UP].bytes_in = 9999;
	list[TUNNEL_UP].bytes_out = 10000;
	list[TUNNEL_UP].rtt_us = 12345;
	list[TUNNEL_UP].error = STR("lost once\x1b");
	list[TUNNEL_UP].fingerprint = STR("SHA256:abc");
	list[TUNNEL_UP].first_use = true;
	list[TUNNEL_BACKOFF].error = STR("connection refused");
	list[TUNNEL_BACKOFF].retry_at_ms = world->now_ms + 4000;
	list[TUNNEL_BACKOFF].since_ms = world->now_ms - 7290000;
	/* A clock that was turned back. */
	list[TUNNEL_CLOSED].since_ms = world->now_ms + 5000;
	list[n] = status(world, "tunnel.six", TUNNEL_LOCAL, TUNNEL_UP);
	list[n].config.local_address = STR("::1");
	list[n].config.remote_host = STR("db.internal");
	list[n++].bytes_in = INT64_MAX;
	list[n] = status(world, "tunnel.path", TUNNEL_LOCAL, TUNNEL_UP);
	list[n++].config.local_address = STR("/run/x.sock");
	list[n] = status(world, "tunnel.back", TUNNEL_REMOTE, TUNNEL_UP);
	list[n++].port = 4000;
	list[n] = status(world, "tunnel.socks", TUNNEL_DYNAMIC, TUNNEL_UP);
	list[n++].bytes_in = 12345678;
	return n;
}

static void
test_cmd_tunnel_show_every_state_and_end(void **state)
{
	struct cmd_world world;
	struct tunnel_status list[TUNNEL_STATE_COUNT + 4];
	struct strbuf out = {0};
	struct json_writer w = { .out = &out, .indent = 2 };

	(void)state;
	cmd_world_init(&world);
	world.app.out_style = (struct style){ .width = 160 };
	size_t n = make_all(&world, list);
	tunnel_show_text(&world.app, &out, list, n);
	tunnel_show_places(&world.app, &out, list, n);
	tunnel_show_json(&world.app, &w, &list[TUNNEL_UP], n - TUNNEL_UP);
	strbuf_addc(&out, '\n');
	world.app.out_style.color = true;
	tunnel_show_text(&world.app, &out, &list[TUNNEL_UP], 3);
	expected_text("cmd_tunnels", strbuf_str(&out));
	strbuf_release(&out);
	cmd_world_release(&world);
}

static void
test_cmd_tunnel_show_nothing_of_none(void **state)
{
	struct cmd_world world;
	struct tunnel_status *none;
	struct strbuf out = {0};
	struct resource pod = { .kind = KIND_POD }, tunnel = {
		.kind = KIND_TUNNEL };
	struct spec spec = { .resources = &pod, .nresources = 1 };

	(void)state;
	cmd_world_init(&world);
	tunnel_show_text(&world.app, &out, NULL, 0);
	tunnel_show_places(&world.app, &out, NULL, 0);
	assert_int_equal(out.len, 0);
	/* No spec, no tunnel in it, and nobody to ask. */
	assert_int_equal(tunnel_show_find(&world.app, NULL, &none), 0);
	assert_int_equal(tunnel_show_find(&world.app, &spec, &none), 0);
	spec.resources = &tunnel;
	assert_int_equal(tunnel_show_find(&world.app, &spec, &none), 0);
	assert_null(none);
	cmd_world_release(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cmd_tunnel_show_every_state_and_end),
		cmocka_unit_test(test_cmd_tunnel_show_nothing_of_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
