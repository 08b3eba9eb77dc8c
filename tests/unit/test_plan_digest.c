/*
 * test_plan_digest.c - what a saved plan is bound to: everything that changes
 * what would be done, and nothing that changes by itself or is secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

static const char *const yaml =
    "secrets: { S: { env: S } }\n"
    "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
    "pods: { a: { image: x:1, gpu: A40, env: { A: one, S: '${secret.S}' }, "
    "network_volume: { volume: d, path: /w } } }\n";

#define ACT(name) static void \
name(struct plan_world *w, struct cloud_pod *pod)
#define UNUSED() ((void)w, (void)pod)

ACT(nothing) { UNUSED(); }
ACT(status) { UNUSED(); pod->status = POD_STARTING; }
ACT(pod_name) { UNUSED(); pod->config.name = STR("mine"); }
ACT(mark) { UNUSED(); pod->mark = STR("v1"); }
ACT(image) { UNUSED(); pod->config.image = STR("x:2"); }
ACT(args) { UNUSED(); pod->config.args = STR("y"); }
ACT(gpu) { UNUSED(); pod->config.gpu = STR("NVIDIA Z"); }
ACT(gpu_count) { UNUSED(); pod->config.gpu_count = 2; }
ACT(tier) { UNUSED(); pod->config.tier = TIER_COMMUNITY; }
ACT(data_center) { UNUSED(); pod->config.data_center = STR("US-TX-3"); }
ACT(disk) { UNUSED(); pod->config.disk_gb = 30; }
ACT(volume_id) { UNUSED(); pod->config.volume_id = STR("v"); }
ACT(volume_path) { UNUSED(); pod->config.volume_path = STR("/x"); }
ACT(port) { UNUSED(); static struct str ports[] = { STR_INIT("23/tcp") };
	pod->config.ports = ports; }
ACT(no_port) { UNUSED(); pod->config.nports = 0; }
ACT(pod_gone) { UNUSED(); w->pods.n = 0; }
ACT(pod_terminated) { UNUSED(); pod->status = POD_TERMINATED; }
ACT(volume_name) { UNUSED(); w->volumes.items[0].name = STR("n"); }
ACT(volume_place) { UNUSED(); w->volumes.items[0].data_center = STR("X"); }
ACT(volume_size) { UNUSED(); w->volumes.items[0].size_gb = 11; }
ACT(volume_gone) { UNUSED(); w->volumes.n = 0; }
ACT(orphan) { UNUSED(); world_stray(w, "o", "pod.o",
	"00000000000000000000000000000abc"); }
ACT(orphan_runner) { UNUSED(); struct id128 op;
	assert_true(id128_parse(STR("77777777777777777777777777777777"), &op));
	*ARENA_PUSH(&w->arena, &w->runners) = (struct github_runner){
		.id = 7, .name = mark_name(&w->arena, STR("r"),
		    &w->lock.lineage, &op) }; }
ACT(orphan_runner_8) { orphan_runner(w, pod); w->runners.items[0].id = 8; }

static struct env_var *
live_var(struct cloud_pod *pod, const char *name)
{
	for (size_t i = 0; i < pod->config.nenv; i++)
		if (str_is(pod->config.env[i].name, name))
			return &pod->config.env[i];
	fail_msg("no %s", name);
	return NULL;
}

ACT(open_value) { UNUSED(); live_var(pod, "A")->value = STR("two"); }
ACT(other_key) { UNUSED(); live_var(pod, "A")->name = STR("B"); }
/* What a secret is, or may have been, is none of it. */
ACT(secret_value) { UNUSED(); live_var(pod, "S")->value = STR("other"); }
ACT(unrecorded_value) { other_key(w, pod);
	live_var(pod, "B")->value = STR("typed"); }
ACT(injected_value) { UNUSED(); live_var(pod, "JUPYTER_PASSWORD")->value =
	STR("z"); }
/* These change by themselves. */
ACT(price) { UNUSED(); pod->cost_per_hour = 1; }
ACT(address) { UNUSED(); pod->ssh.port = 9; pod->ssh.host = STR("h"); }
ACT(started) { UNUSED(); pod->started_at = STR("2026-11-30T00:00:00Z"); }
ACT(stranger) { orphan(w, pod); w->pods.items[w->pods.n - 1].mark =
	(struct str){0}; w->pods.items[w->pods.n - 1].config.name = STR("s"); }

static struct str
digest_after(void (*act)(struct plan_world *w, struct cloud_pod *pod),
    struct str *plan, char text[80], char other[80])
{
	struct plan_world w;

	world_init(&w);
	world_spec(&w, yaml);
	(void)world_plan(&w, 0);
	world_apply(&w);
	/* A plan that there is whatever somebody has done. */
	w.options.mode = PLAN_DESTROY;
	act(&w, &w.pods.items[0]);
	(void)world_plan(&w, 0);
	assert_non_null(w.plan);
	struct str live = live_digest(&w.arena, w.plan);
	*plan = plan_digest(&w.arena, w.plan);
	assert_true(live.len < 80 && plan->len < 80);
	assert_true(str_starts(live, STR("sha256:")));
	memcpy(text, live.data, live.len);
	memcpy(other, plan->data, plan->len);
	live.data = text;
	plan->data = other;
	world_release(&w);
	return live;
}

static void
test_plan_live_digest_is_of_what_would_matter(void **state)
{
	static void (*const differ[])(struct plan_world *w,
	    struct cloud_pod *pod) = {
		nothing, status, pod_name, mark, image, args, gpu, gpu_count,
		tier, data_center, disk, volume_id, volume_path, port, no_port,
		pod_gone, volume_name, volume_place, volume_size, volume_gone,
		orphan, orphan_runner, orphan_runner_8, open_value, other_key,
	};
	static const struct {
		void (*a)(struct plan_world *w, struct cloud_pod *pod);
		void (*b)(struct plan_world *w, struct cloud_pod *pod);
	} same[] = {
		{ nothing, nothing }, { nothing, secret_value },
		{ other_key, unrecorded_value }, { nothing, injected_value },
		{ nothing, price }, { nothing, address }, { nothing, started },
		{ nothing, stranger }, { pod_gone, pod_terminated },
	};
	char text[COUNTOF(differ)][80], plans[COUNTOF(differ)][80];
	struct str seen[COUNTOF(differ)], plan;

	(void)state;
	for (size_t i = 0; i < COUNTOF(differ); i++) {
		seen[i] = digest_after(differ[i], &plan, text[i], plans[i]);
		for (size_t k = 0; k < i; k++)
			if (str_eq(seen[i], seen[k]))
				fail_msg("%zu and %zu are the same", i, k);
	}
	for (size_t i = 0; i < COUNTOF(same); i++) {
		struct str a = digest_after(same[i].a, &plan, text[0],
		    plans[0]);
		struct str b = digest_after(same[i].b, &plan, text[1],
		    plans[1]);
		if (!str_eq(a, b))
			fail_msg("row %zu differs", i);
	}
}

/* A plan's own: what would be done, of what, in which way. */
static void
test_plan_digest_is_of_what_would_be_done(void **state)
{
	static const struct { const char *spec; enum plan_mode mode;
		bool pending; } rows[] = {
		{ "pods: { a: { image: x:1, gpu: A40 } }", PLAN_NORMAL, false },
		{ "pods: { a: { image: x:2, gpu: A40 } }", PLAN_NORMAL, false },
		{ "pods: { a: { image: x:3, gpu: A40 } }", PLAN_NORMAL, false },
		{ "pods: { a: { image: x:2, gpu: A40 } }", PLAN_NORMAL, true },
		{ "pods: { a: { image: x:2, gpu: A40 } }", PLAN_DESTROY, false },
		{ "pods: { a: { image: x:2, gpu: A40 } }", PLAN_REFRESH_ONLY,
		    false },
		{ "pods: { a: { image: x:2, gpu: A40, state: stopped } }",
		    PLAN_NORMAL, false },
		{ "pods: { a: { image: x:1, gpu: A40, state: stopped } }",
		    PLAN_NORMAL, false },
		{ "pods: { a: { image: x:1, gpu: A40, gpu_count: 2 } }",
		    PLAN_NORMAL, false },
		{ "pods: { a: { image: x:1, gpu: A40, gpu_count: 2, replace: "
		    "create_first } }", PLAN_NORMAL, false },
		{ "pods: { a: { image: x:1, gpu: A40, setup: [{ run: a }] } }",
		    PLAN_NORMAL, false },
		{ "pods: { a: { image: x:1, gpu: A40, setup: [{ run: b }] } }",
		    PLAN_NORMAL, false },
		{ "pods: { a: { image: x:1, gpu: A40, setup: [{ run: a }, "
		    "{ run: b }] } }", PLAN_NORMAL, false },
		{ "pods: { a: { image: x:1, gpu: A40, process: { run: a } } }",
		    PLAN_NORMAL, false },
		{ "pods: { a: { image: x:1, gpu: A40, process: { run: a, log: "
		    "/l } } }", PLAN_NORMAL, false },
		{ "pods: { a: { image: x:1, gpu: A40, ready: { checks: [a] } } "
		    "}", PLAN_NORMAL, false },
		{ "pods: { a: { image: x:1, gpu: A40 } }\nrunners: { r: { pod: "
		    "a, repository: acme/model } }", PLAN_NORMAL, false },
		{ "pods: { a: { image: x:1, gpu: A40 } }\nrunners: { r: { pod: "
		    "a, repository: acme/model, version: 2.335.0 } }",
		    PLAN_NORMAL, false },
		{ "pods: {}", PLAN_NORMAL, false },
	};
	struct plan_world *w = *state;
	struct str seen[COUNTOF(rows)];

	world_spec(w, rows[0].spec);
	world_settle(w);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct lock_op op = { .action = OP_CREATE,
			.address = STR("pod.z"), .op = { "abc" },
			.entry = { .kind = KIND_POD } };
		w->lock.pending.n = 0;
		if (rows[i].pending)
			*ARENA_PUSH(&w->arena, &w->lock.pending) = op;
		w->options.mode = rows[i].mode;
		world_spec(w, rows[i].spec);
		(void)world_plan(w, 0);
		assert_non_null(w->plan);
		seen[i] = plan_digest(&w->arena, w->plan);
		assert_true(str_eq(seen[i], plan_digest(&w->arena, w->plan)));
		for (size_t k = 0; k < i; k++)
			if (str_eq(seen[i], seen[k]))
				fail_msg("%zu and %zu are the same", i, k);
	}
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_live_digest_is_of_what_would_matter),
		TEST(test_plan_digest_is_of_what_would_be_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
