/* test_plan_rules.c - settings.policy and --policy: what may be asked for */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "plan_world.h"

static const char *
checks(struct plan_world *w, const char *policy, const char *rest)
{
	world_spec(w, arena_printf(&w->arena, "settings: { policy: { %s } }\n"
	    "%s", policy, rest).data);
	return world_plan(w, DUMP_CHECKS);
}

/* Each rule: one thing that keeps it and one that does not. */
static void
test_plan_rules_one_by_one(void **state)
{
	static const struct {
		const char *policy, *rest, *says;
	} rows[] = {
		{ "images: [\"torch:*\", a/*/c]",
		  "pods: { t: { image: 'torch:1', gpu: A40 }, "
		  "u: { image: a/b/b/c, gpu: A40 } }\n",
		  "check pass policy.images: nothing breaks it @2\n" },
		{ "images: a/*",
		  "pods: { t: { image: ab, gpu: A40, replicas: 2 } }\n",
		  "check fail policy.images: pod.t may not use image 'ab' "
		  "(images of the policy) @3\n" },
		{ "clouds: secure", "pods: { t: { image: x, gpu: A40 } }\n",
		  "check pass policy.clouds: nothing breaks it @2\n" },
		{ "clouds: [secure]",
		  "pods: { t: { image: x, gpu: A40, cloud: any } }\n",
		  "check fail policy.clouds: pod.t may not be in the community "
		  "cloud (clouds of the policy) @3\n" },
		{ "clouds: [community]",
		  "pods: { t: { image: x, gpu: A40 } }\n",
		  "check fail policy.clouds: pod.t may not be in the secure "
		  "cloud (clouds of the policy) @3\n" },
		{ "data_centers: EU-RO-1",
		  "pods: { t: { image: x, gpu: A40, data_centers: EU-RO-1 } }\n",
		  "check pass policy.data_centers: nothing breaks it @2\n" },
		{ "data_centers: EU-SE-1",
		  "pods: { t: { image: x, gpu: A40, data_centers: EU-RO-1 } }\n",
		  "check fail policy.data_centers: pod.t may not be in data "
		  "center EU-RO-1 (data_centers of the policy) @3\n" },
		{ "data_centers: EU-SE-1",
		  "pods: { t: { image: x, gpu: A40 } }\n",
		  "check fail policy.data_centers: pod.t may be put into any "
		  "data center; give it `data_centers` (data_centers of the "
		  "policy) @3\n" },
		/* A pod is where its volume is: that alone is told of. */
		{ "data_centers: EU-SE-1",
		  "pods: { t: { image: x, gpu: A40, network_volume: { volume: "
		  "d, path: /w } } }\n"
		  "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n",
		  "check fail policy.data_centers: volume.d may not be in data "
		  "center EU-RO-1 (data_centers of the policy) @4\n" },
		{ "regions: EUROPE",
		  "pods: { t: { image: x, gpu: A40, regions: EUROPE } }\n",
		  "check pass policy.regions: nothing breaks it @2\n" },
		{ "regions: EUROPE",
		  "pods: { t: { image: x, gpu: A40, data_centers: EU-RO-1 } }\n",
		  "check pass policy.regions: nothing breaks it @2\n" },
		{ "regions: ASIA",
		  "pods: { t: { image: x, gpu: A40, data_centers: EU-RO-1 } }\n",
		  "check fail policy.regions: pod.t may not be in data center "
		  "EU-RO-1, whose region is EUROPE (regions of the policy) "
		  "@3\n" },
		{ "regions: ASIA",
		  "pods: { t: { image: x, gpu: A40, regions: EUROPE } }\n",
		  "check fail policy.regions: pod.t may not be in region "
		  "EUROPE (regions of the policy) @3\n" },
		{ "regions: ASIA", "pods: { t: { image: x, gpu: A40 } }\n",
		  "check fail policy.regions: pod.t may be put into any region; "
		  "give it `regions` or `data_centers` (regions of the policy) "
		  "@3\n" },
		{ "require_lease: true", "pods: { t: { image: x, gpu: A40 } }\n",
		  "check fail policy.require_lease: pod.t needs a `lease` "
		  "(require_lease of the policy) @3\n" },
		{ "require_protect: true",
		  "pods: { t: { image: x, gpu: A40, protect: true } }\n",
		  "check pass policy.require_protect: nothing breaks it @2\n" },
		{ "require_protect: true",
		  "pods: { t: { image: x, gpu: A40, protect: false } }\n"
		  "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n",
		  "check fail policy.require_protect: pod.t needs `protect: "
		  "true` (require_protect of the policy) @3\n"
		  "check fail policy.require_protect: volume.d needs `protect: "
		  "true` (require_protect of the policy) @4\n" },
		{ "deny_public_tunnels: true",
		  "pods: { t: { image: x, gpu: A40, ports: [22/tcp] } }\n"
		  "tunnels: { a: { pod: t, local: 8188, remote: 80 }, "
		  "b: { pod: t, local: /tmp/s, remote: 80 } }\n",
		  "check pass policy.deny_public_tunnels: nothing breaks it "
		  "@2\n" },
		{ "deny_public_tunnels: true",
		  "pods: { t: { image: x, gpu: A40, ports: [22/tcp] } }\n"
		  "tunnels: { a: { pod: t, local: '0.0.0.0:8188', "
		  "remote: 80 } }\n",
		  "check fail policy.deny_public_tunnels: tunnel.a would "
		  "listen on 0.0.0.0, where others can reach it; 127.0.0.1 is "
		  "for this machine alone (deny_public_tunnels of the policy) "
		  "@4\n" },
		{ "deny_public_tunnels: true",
		  "pods: { t: { image: x, gpu: A40, ports: [22/tcp] } }\n"
		  "tunnels: { a: { pod: t, local: '127.example.org:81', "
		  "remote: 80 } }\n",
		  "check fail policy.deny_public_tunnels: tunnel.a would "
		  "listen on 127.example.org, where others can reach it; "
		  "127.0.0.1 is for this machine alone (deny_public_tunnels of "
		  "the policy) @4\n" },
		/* On the pod, where a tunnel of this direction listens. */
		{ "deny_public_tunnels: true",
		  "pods: { t: { image: x, gpu: A40, ports: [22/tcp] } }\n"
		  "tunnels: { a: { pod: t, direction: remote, local: 80, "
		  "remote: '0.0.0.0:90' } }\n",
		  "check fail policy.deny_public_tunnels: tunnel.a would "
		  "listen on 0.0.0.0, where others can reach it; 127.0.0.1 is "
		  "for this machine alone (deny_public_tunnels of the policy) "
		  "@4\n" },
	};
	struct plan_world *w = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const char *found = checks(w, rows[i].policy, rows[i].rest);
		if (strcmp(found, rows[i].says) != 0)
			fail_msg("row %zu (%s):\n%s", i, rows[i].policy,
			    found);
	}
}

/* What starts is refused; what runs already is said; all may be ended. */
static void
test_plan_rules_of_prices(void **state)
{
	static const char two[] =
	    "pods: { t: { image: x, gpu: A40, replicas: 2 } }\n";
	struct plan_world *w = *state;

	(void)checks(w, "max_price_per_pod: 0.10, max_price_total: 0.20", two);
	assert_non_null(strstr(w->text.data, "fail policy.max_price_per_pod: "
	    "pod.t[0] may cost $"));
	assert_non_null(strstr(w->text.data, "pod.t[1] may cost $"));
	assert_non_null(strstr(w->text.data, "fail policy.max_price_total: "));
	assert_true(plan_has_failed_check(w->plan));
	(void)checks(w, "max_price_per_pod: 10, max_price_total: 20", two);
	assert_non_null(strstr(w->text.data, "pass policy.max_price_per_pod"));
	assert_non_null(strstr(w->text.data, "pass policy.max_price_total"));
	world_settle(w);
	(void)checks(w, "max_price_per_pod: 0.10, max_price_total: 0.20", two);
	assert_non_null(strstr(w->text.data, "warn policy.max_price_per_pod: "
	    "pod.t[0] costs $"));
	assert_non_null(strstr(w->text.data, "warn policy.max_price_total: "));
	assert_false(plan_has_failed_check(w->plan));
	w->options.mode = PLAN_DESTROY;
	assert_text(world_plan(w, DUMP_CHECKS), "");
}

/* Of two policies both are kept; rules that were not read are said so. */
static void
test_plan_rules_from_outside_are_kept_too(void **state)
{
	struct str secure = STR("secure"), europe = STR("EUROPE");
	struct policy outside = { .clouds = &secure, .nclouds = 1 };
	struct plan_world *w = *state;

	w->options.policy = &outside;
	assert_text(checks(w, "clouds: [secure, community]",
	    "pods: { t: { image: x, gpu: A40, cloud: any } }\n"),
	    "check pass policy.clouds: nothing breaks it @2\n"
	    "check fail policy.clouds: pod.t may not be in the community "
	    "cloud (clouds of the policy) @3\n");
	outside = (struct policy){ .regions = &europe, .nregions = 1 };
	w->live.catalog_known = false;
	(void)checks(w, "clouds: [secure]", "pods: { t: { image: x, gpu: A40, "
	    "data_centers: EU-RO-1 } }\n");
	assert_non_null(strstr(w->text.data, "warn policy.regions: the "
	    "catalog was not read"));
	assert_true(w->plan->needs_catalog);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plan_rules_one_by_one),
		TEST(test_plan_rules_of_prices),
		TEST(test_plan_rules_from_outside_are_kept_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
