/* test_plan_place.c - where pods may be made, and for how much */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

struct row {
	const char *pod;	/* fields besides the image */
	const char *wanted;
};

static const struct row rows[] = {
	{ "gpu: A40", "  at: A40/secure/ 400000 high\n" },
	{ "gpu: nvidia a40, gpu_count: 2",
	  "  at: A40/secure/ 800000 high\n" },
	/* The order of the spec, whatever the price. */
	{ "gpu: [A40, RTX A5000], cloud: any",
	  "  at: A40/secure/ 400000 high\n"
	  "  at: RTX A5000/community/ 160000 low\n"
	  "  at: RTX A5000/secure/ 270000 low\n" },
	/* By id and by name it is the same GPU. */
	{ "gpu: [A40, NVIDIA A40]", "  at: A40/secure/ 400000 high\n" },
	{ "gpu: [A40, RTX A5000], cloud: community",
	  "  at: RTX A5000/community/ 160000 low\n" },
	{ "gpu: RTX A5000, cloud: any, gpu_count: 4",
	  "  at: RTX A5000/secure/ 1080000 low\n" },
	/* Without stock only if nobody has any. */
	{ "gpu: A40, data_centers: [EU-SE-1, US-TX-3, EU-RO-1]",
	  "  at: A40/secure/US-TX-3 400000 low\n"
	  "  at: A40/secure/EU-RO-1 400000 high\n" },
	{ "gpu: A40, data_centers: [EU-SE-1]",
	  "  at: A40/secure/EU-SE-1 400000 none\n"
	  "check warn stock: no GPU that pod.a asks for is in stock now, so "
	  "creating it may fail @2\n" },
	{ "gpu: [A40, RTX A5000], data_centers: [EU-SE-1]",
	  "  at: RTX A5000/secure/EU-SE-1 270000 ?\n" },
	{ "gpu: A40, regions: [NORTH_AMERICA, EUROPE]",
	  "  at: A40/secure/US-TX-3 400000 low\n"
	  "  at: A40/secure/EU-RO-1 400000 high\n" },
	{ "gpu: [H200 SXM, A40]", "  at: A40/secure/ 400000 high\n" },
	{ "gpu: A40, min_cuda: '12.8'", "  at: A40/secure/ 400000 high\n" },
	{ "gpu: [A40, RTX A5000], min_cuda: '13.0'",
	  "  at: RTX A5000/secure/ 270000 low\n" },
	{ "gpu: [A40, RTX A5000], max_price: 0.3",
	  "  at: RTX A5000/secure/ 270000 low\n" },
	{ "gpu: A40, max_price: 0.4", "  at: A40/secure/ 400000 high\n" },
	{ "gpu: A40, max_price: 0.39",
	  "check fail max_price: pod.a would cost at least $0.40 per hour, "
	  "and max_price is $0.39 @2\n" },
	{ "gpu: [H200 SXM], max_price: 9",
	  "check fail max_price: pod.a: the price of no candidate is known, "
	  "and an unknown price is over any limit @2\n" },
	{ "gpu: A40, min_cuda: '13.0'",
	  "check fail placement: pod.a fits nowhere: no wanted GPU is offered "
	  "1 at a time with this cloud, place and CUDA version @2\n" },
	{ "gpu: RTX A5000, gpu_count: 5",
	  "check fail placement: pod.a fits nowhere: no wanted GPU is offered "
	  "5 at a time with this cloud, place and CUDA version @2\n" },
	{ "gpu: A40, cloud: community",
	  "check fail placement: pod.a fits nowhere: no wanted GPU is offered "
	  "1 at a time with this cloud, place and CUDA version @2\n" },
};

static void
test_plan_place_lists_candidates_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		world_spec(&w, arena_printf(&w.arena,
		    "pods: { a: { image: x:1, %s } }", rows[i].pod).data);
		const char *found = world_plan(&w, DUMP_CHANGES |
		    DUMP_CANDIDATES | DUMP_CHECKS);
		static const char head[] = "+ pod.a @2\n";
		if (strncmp(found, head, strlen(head)) != 0 ||
		    strcmp(found + strlen(head), rows[i].wanted) != 0)
			fail_msg("%s\nfound:\n%s\nwanted:\n%s", rows[i].pod,
			    found, rows[i].wanted);
		world_release(&w);
	}
}

static void
test_plan_place_of_the_volume_wins(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_spec(&w,
	    "volumes: { d: { size: 10GB, data_center: US-TX-3 } }\n"
	    "pods: { a: { image: x:1, gpu: [A40, RTX A5000], cloud: any, "
	    "network_volume: { volume: d, path: /w } } }");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_CANDIDATES),
	    "+ pod.a @3\n"
	    "  at: A40/secure/US-TX-3 400000 low\n"
	    "  at: RTX A5000/secure/US-TX-3 270000 ?\n"
	    "+ volume.d @2\n");
	world_release(&w);
}

static void
test_plan_place_reports_unknown_words_with_their_place(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_spec(&w,
	    "pods:\n"
	    "  a:\n"
	    "    image: x:1\n"
	    "    gpu: [A400, RTX A500O]\n"
	    "    regions: [OCEANIA]\n"
	    "    replicas: 3\n");
	assert_text(world_plan(&w, DUMP_ALL),
	    "pods.yaml:6:14: error: the catalog has no data center in this "
	    "region [PF0204]\n"
	    "    6 |     regions: [OCEANIA]\n"
	    "      |              ^~~~~~~~~\n"
	    "pods.yaml:5:11: error: unknown GPU 'A400' [PF0203]\n"
	    "    5 |     gpu: [A400, RTX A500O]\n"
	    "      |           ^~~~\n"
	    "   hint: did you mean 'A40'?\n"
	    "pods.yaml:5:17: error: unknown GPU 'RTX A500O' [PF0203]\n"
	    "    5 |     gpu: [A400, RTX A500O]\n"
	    "      |                 ^~~~~~~~~\n"
	    "   hint: did you mean 'RTX A5000'?\n");
	assert_null(w.plan);
	world_spec(&w, "pods: { a: { image: x:1, gpu: A40, "
	    "data_centers: [EU-XX-9] } }");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_CANDIDATES),
	    "+ pod.a @2\n"
	    "  at: A40/secure/EU-XX-9 400000 none\n"
	    "pods.yaml:2:50: warning: data center 'EU-XX-9' is not in the "
	    "catalog [PF0205]\n"
	    "    2 | pods: { a: { image: x:1, gpu: A40, data_centers: "
	    "[EU-XX-9] } }\n"
	    "      |                                                  "
	    "^~~~~~~~~\n");
	world_release(&w);
}

static void
test_plan_place_asks_for_the_catalog_when_it_needs_it(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	w.live.catalog_known = false;
	w.live.ngpus = 0;
	world_trainer(&w, "");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_CANDIDATES |
	    DUMP_CHECKS | DUMP_COST),
	    "+ pod.trainer @3\n"
	    "cost 0 -> 0, worst 0, storage 0, unknown\n");
	assert_true(w.plan->needs_catalog);
	world_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_place_lists_candidates_in_order),
		cmocka_unit_test(test_plan_place_of_the_volume_wins),
		cmocka_unit_test(
		    test_plan_place_reports_unknown_words_with_their_place),
		cmocka_unit_test(
		    test_plan_place_asks_for_the_catalog_when_it_needs_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
