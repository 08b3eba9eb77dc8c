/*
 * test_run_env.c - what ${pod.x.ssh.host} and its like mean just before they
 * are sent: every output of every kind, by where its value is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"

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
	/* As recorded, whatever is listed. */
	{ "pod.a", "data_center", "E" },
	{ "pod.a", "cost_per_hour", "0.4" },
	{ "pod.a", "ssh.host", "192.0.2.1" },
	{ "pod.a", "ssh.user", "root" },
	{ "pod.a", "ssh.port", "2222" },
	{ "pod.a", "ssh.key", "(pod.a.ssh.key is not known)" },
	/* It is made, and does not listen yet: as it was listed. */
	{ "pod.d", "ssh.port", "2222" },
	/* By the other form of its address. */
	{ "pod.a[0]", "gpu", "NVIDIA A40" },
	{ "pod.f", "id", "p-f" },
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
	{ "pod.e", "ssh.user", "u" },
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
	    "  d: { image: x:1, gpu: A40 }\n"
	    "  e: { image: x:1, gpu: A40 }\n"
	    "tunnels:\n"
	    "  fixed: { pod: a, local: 8188, remote: 80 }\n"
	    "  held: { pod: a, local: auto, remote: 81 }\n"
	    "  unheld: { pod: a, local: auto, remote: 82 }\n"
	    "  opened: { pod: a, local: auto, remote: 83 }\n");
	world_settle(w);
	world_entry(w, "pod.a")->pod.data_center = STR("E");
	world_entry(w, "pod.b")->pod.data_center = (struct str){0};
	world_pod(w, "pod.b")->config.data_center = STR("US-TX-3");
	world_pod(w, "pod.b")->ssh.port = 0;
	world_pod(w, "pod.a")->ssh = (struct ssh_endpoint){
		.host = STR("192.0.2.1"), .port = 2222 };
	world_pod(w, "pod.c")->id = STR("another");
	world_entry(w, "pod.c")->pod.data_center = (struct str){0};
	lock_add_entry(&w->lock, &(struct lock_entry){ .kind = KIND_POD,
		.address = STR("pod.f[0]"), .id = STR("p-f") });
	lock_add_entry(&w->lock, &(struct lock_entry){ .kind = KIND_RUNNER,
		.address = STR("runner.r"), .id = STR("7"),
		.runner.name = STR("r-pfab12") });
	for (size_t i = 0; i < w->live.ntunnels; i++)
		w->live.tunnels[i].port = 0;
	w->live.tunnels[0].config.address = STR("tunnel.held");
	w->live.tunnels[0].port = 40001;
	struct plan plan = { .spec = w->spec, .live = &w->live };
	struct run run = { .arena = &w->arena, .plan = &plan,
		.lock = &w->lock };
	struct subject seen = { .ssh = { .host = STR("192.0.2.9"),
		.user = STR("u"), .port = 22 } };
	struct subject open = { .tunnel_port = 40002 }, deaf = {0};
	map_put(&run.subjects, run.arena, STR("pod.d"), &deaf);
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

/* ------------------------------------------- the environment of a create -- */

static void
fill(struct act_world *f, const char *env, struct env_var *vars, size_t n)
{
	act_begin(f, ACTION_POD_CREATE, arena_printf(&f->w.arena,
	    ", env: { %s } }, b: { image: x:1, gpu: A40", env).data);
	f->act.phase = PH_QUEUED;
	f->run.inside_in_flight = 0;
	f->act.config.env = vars;
	f->act.config.nenv = n;
	f->w.lock.entries.n = 0;
	f->w.lock.index = NULL;
	lock_add_entry(&f->w.lock, &(struct lock_entry){ .kind = KIND_POD,
		.address = STR("pod.b"), .id = STR("p2") });
}

static void
test_run_env_of_a_create_is_filled_in(void **state)
{
	struct act_world *f = *state;
	struct env_var vars[] = {
		{ STR("A"), STR("plain ${x}"), false },
		{ STR("B"), STR("${secret.KNOWN}"), true },
		{ STR("C"), STR("on ${pod.b.id}"), false },
		{ STR("D"), STR("of nobody's spec"), false },
	};

	fill(f, "A: plain, B: \"${secret.KNOWN}\", C: \"on ${pod.b.id}\"",
	    vars, COUNTOF(vars));
	assert_true(act_fill_env(&f->run, &f->act));
	const struct env_var *env = f->act.config.env;
	assert_true(str_is(env[0].value, "plain ${x}"));
	assert_true(str_is(env[1].value, "hunter2-hunter2"));
	assert_true(str_is(env[2].value, "on p2"));
	assert_true(str_is(env[3].value, "of nobody's spec"));
	/* The plan's own stays as it was. */
	assert_true(str_is(vars[1].value, "${secret.KNOWN}"));
	assert_true(str_is(vars[2].value, "on ${pod.b.id}"));
}

/* Nothing is sent with a value missing, and people are told which. */
static void
test_run_env_that_is_not_known_fails_the_create(void **state)
{
	static const struct {
		const char *value;
		bool sensitive, no_secrets;
		const char *why;
	} faults[] = {
		{ "${secret.LOST}", true, false,
		  "the value of env E is not known" },
		{ "${secret.KNOWN}", true, true,
		  "the value of env E is not known" },
		{ "${pod.b.ssh.host}", false, false, "the value of env E is "
		  "not known: pod.b.ssh.host is not known" },
		{ "${secret.LOST} ${pod.b.id}", true, false,
		  "the value of env E is not known" },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(faults); i++) {
		struct env_var var = { STR("E"), str_from(faults[i].value),
			faults[i].sensitive };
		fill(f, arena_printf(&f->w.arena, "E: \"%s\"",
		    faults[i].value).data, &var, 1);
		if (faults[i].no_secrets)
			f->run.options.resolve = NULL;
		assert_false(act_fill_env(&f->run, &f->act));
		assert_act_failed(f, FAIL_ERROR, faults[i].why);
		if (faults[i].no_secrets)
			f->run.options.resolve = resolve;
	}
}

/* This run has made it, or has opened it; its barrier is about nothing. */
static void
test_run_env_knows_what_this_run_has_made(void **state)
{
	struct act_world *f = *state;
	struct act barrier = { .kind = ACTION_BARRIER };
	struct plan_change other = { .address = STR("pod.b") };
	struct act ending = { .kind = ACTION_POD_DELETE, .change = &other,
		.subject = &f->subjects[0] };

	act_begin(f, ACTION_POD_CREATE, "");
	f->change.pod = NULL;
	f->subject.ssh = (struct ssh_endpoint){ STR("192.0.2.7"), 40022,
		{0} };
	f->subjects[0].ssh = f->subject.ssh;
	for (int i = 0; i < 2; i++)
		lock_add_entry(&f->w.lock, &(struct lock_entry){
			.kind = KIND_POD, .id = i ? STR("p2") : STR("p1"),
			.address = i ? STR("pod.b") : STR("pod.a") });
	*ARENA_PUSH(&f->w.arena, &f->run.acts) = &f->act;
	*ARENA_PUSH(&f->w.arena, &f->run.acts) = &barrier;
	*ARENA_PUSH(&f->w.arena, &f->run.acts) = &ending;
	assert_string_equal(filled(&f->run, PART_OUTPUT, "pod.a", "ssh.port"),
	    "40022");
	/* What is only ended is where nothing is to be had. */
	assert_string_equal(filled(&f->run, PART_OUTPUT, "pod.b", "ssh.port"),
	    "(pod.b.ssh.port is not known)");
	assert_string_equal(filled(&f->run, PART_OUTPUT, "nonsense", "id"),
	    "(nonsense.id is not known)");
}

int
main(void)
{
#define ACT(name) \
	cmocka_unit_test_setup_teardown(name, act_setup, act_teardown)
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_env_fills_every_output_from_where_it_is_known),
		TEST(test_run_env_fills_secrets_that_are_known),
		ACT(test_run_env_of_a_create_is_filled_in),
		ACT(test_run_env_that_is_not_known_fails_the_create),
		ACT(test_run_env_knows_what_this_run_has_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
