/*
 * test_run_env.c - what ${pod.x.ssh.host} and its like mean just before they
 * are sent: every output of every kind, by where its value is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"
#include "run/act.h"

static bool
resolve(void *ctx, struct arena *arena, struct str reference,
    struct str *value)
{
	(void)ctx;
	(void)arena;
	if (!str_is(reference, "${secret.KNOWN}"))
		return false;
	*value = STR("hunter2-hunter2");
	return true;
}

/* The value, or in brackets why there is none. */
static const char *
filled(struct run *run, enum part_type type, const char *address,
    const char *path)
{
	struct text_part part = { .type = type, .address = str_from(address),
		.text = str_from(path) };
	struct text text = { .raw = STR("${...}"), .parts = &part,
		.nparts = 1 };
	struct str value = {0}, reason = {0};

	if (run_fill_text(run, &text, &value, &reason))
		return arena_str(run->arena, value).data;
	return arena_printf(run->arena, "(" STR_FMT ")",
	    STR_ARG(reason)).data;
}

static const struct {
	const char *address, *path, *wanted;
} rows[] = {
	{ "pod.a", "id", "pod2" },
	{ "pod.a", "name", "a-pfab12cd0000000000" },
	{ "pod.a", "gpu", "NVIDIA A40" },
	{ "pod.a", "data_center", "EU-RO-1" },
	{ "pod.a", "ssh.host", "192.0.2.1" },
	{ "pod.a", "ssh.user", "root" },
	{ "pod.a", "ssh.port", "2222" },
	{ "pod.a", "ssh.key", "(pod.a.ssh.key is not known)" },
	/* By the other form of its address. */
	{ "pod.a[0]", "gpu", "NVIDIA A40" },
	{ "pod.a[1]", "gpu", "(pod.a[1].gpu is not known)" },
	/* Not reachable; its place is listed, not recorded. */
	{ "pod.b", "data_center", "US-TX-3" },
	{ "pod.b", "ssh.host", "(pod.b.ssh.host is not known)" },
	/* Not listed any more. */
	{ "pod.c", "id", "pod4" },
	{ "pod.c", "data_center", "(pod.c.data_center is not known)" },
	{ "pod.c", "ssh.host", "(pod.c.ssh.host is not known)" },
	/* This run has seen it start. */
	{ "pod.e", "ssh.host", "192.0.2.9" },
	{ "pod.e", "ssh.user", "ubuntu" },
	{ "pod.e", "ssh.port", "22" },
	{ "pod.e", "ssh.key", "(pod.e.ssh.key is not known)" },
	{ "pod.none", "id", "(pod.none.id is not known)" },
	{ "volume.d", "id", "vol1" },
	{ "volume.d", "name", "d-pfab12cd0000000000" },
	{ "volume.d", "data_center", "EU-RO-1" },
	{ "volume.d", "size", "100" },
	{ "volume.d", "ssh.host", "(volume.d.ssh.host is not known)" },
	{ "runner.r", "name", "r-pfab12" },
	{ "runner.r", "id", "(runner.r.id is not known)" },
	{ "tunnel.fixed", "local.host", "127.0.0.1" },
	{ "tunnel.fixed", "local.port", "8188" },
	{ "tunnel.fixed", "id", "(tunnel.fixed.id is not known)" },
	{ "tunnel.held", "local.port", "40001" },
	{ "tunnel.unheld", "local.port",
	  "(tunnel.unheld.local.port is not known)" },
	{ "tunnel.opened", "local.port", "40002" },
};

static void
test_run_env_fills_every_output_from_where_it_is_known(void **state)
{
	struct plan_world *w = *state;

	world_spec(w,
	    "volumes: { d: { size: 100GB, data_center: EU-RO-1 } }\n"
	    "pods:\n"
	    "  a: { image: x:1, gpu: A40, network_volume: "
	    "{ volume: d, path: /d } }\n"
	    "  b: { image: x:1, gpu: A40 }\n"
	    "  c: { image: x:1, gpu: A40 }\n"
	    "  e: { image: x:1, gpu: A40 }\n"
	    "tunnels:\n"
	    "  fixed: { pod: a, local: 8188, remote: 80 }\n"
	    "  held: { pod: a, local: auto, remote: 81 }\n"
	    "  unheld: { pod: a, local: auto, remote: 82 }\n"
	    "  opened: { pod: a, local: auto, remote: 83 }\n");
	world_settle(w);
	world_entry(w, "pod.b")->pod.data_center = (struct str){0};
	world_pod(w, "pod.b")->config.data_center = STR("US-TX-3");
	world_pod(w, "pod.b")->ssh.port = 0;
	world_pod(w, "pod.a")->ssh = (struct ssh_endpoint){
		.host = STR("192.0.2.1"), .port = 2222 };
	world_pod(w, "pod.c")->id = STR("another");
	world_entry(w, "pod.c")->pod.data_center = (struct str){0};
	lock_add_entry(&w->lock, &(struct lock_entry){ .kind = KIND_RUNNER,
		.address = STR("runner.r"), .id = STR("7"),
		.runner.name = STR("r-pfab12") });
	for (size_t i = 0; i < w->live.ntunnels; i++)
		w->live.tunnels[i].port = str_is(
		    w->live.tunnels[i].config.address, "tunnel.held") ? 40001 :
		    0;
	struct plan plan = { .spec = w->spec, .live = &w->live };
	struct run run = { .arena = &w->arena, .plan = &plan,
		.lock = &w->lock };
	struct subject seen = { .ssh = { .host = STR("192.0.2.9"),
		.user = STR("ubuntu"), .port = 22 } };
	struct subject open = { .tunnel_port = 40002 };
	map_put(&run.subjects, run.arena, STR("pod.e"), &seen);
	map_put(&run.subjects, run.arena, STR("tunnel.opened"), &open);

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const char *value = filled(&run, PART_OUTPUT, rows[i].address,
		    rows[i].path);
		if (strcmp(value, rows[i].wanted) != 0)
			fail_msg("%s.%s: %s", rows[i].address, rows[i].path,
			    value);
	}
}

static void
test_run_env_fills_secrets_that_are_known(void **state)
{
	struct plan_world *w = *state;
	struct plan plan = { .live = &w->live };
	struct run run = { .arena = &w->arena, .plan = &plan,
		.lock = &w->lock, .options.resolve = resolve };

	assert_string_equal(filled(&run, PART_SECRET, "", "KNOWN"),
	    "hunter2-hunter2");
	assert_string_equal(filled(&run, PART_SECRET, "", "OTHER"),
	    "(a secret has no value)");
	run.options.resolve = NULL;
	assert_string_equal(filled(&run, PART_SECRET, "", "KNOWN"),
	    "(a secret has no value)");
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_env_fills_every_output_from_where_it_is_known),
		TEST(test_run_env_fills_secrets_that_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
