/*
 * test_plan_compare.c - one pod, wanted, recorded and live, where the three
 * are odd: values that the service leaves out, places and GPUs that are not in
 * the catalog, drift that is ignored or accepted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan/planner.h"
#include "plan_world.h"

enum { SHOWN = DUMP_CHANGES | DUMP_ATTRS | DUMP_DRIFT };

/* A trainer with fields, as it was made, then with others. */
struct world_row {
	const char *before;		/* fields of the pod */
	const char *after;		/* NULL: the same */
	void (*act)(struct plan_world *w, struct lock_entry *had,
	    struct cloud_pod *pod);
	const char *shown;
	size_t keeps;
};

static void
pod_spec(struct plan_world *w, const char *fields)
{
	world_spec(w, arena_printf(&w->arena, "pods: { trainer: { image: "
	    "torch:1, %s } }\n", fields).data);
}

static void
try_rows(const struct world_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct plan_world w;
		world_init(&w);
		pod_spec(&w, rows[i].before);
		world_settle(&w);
		if (rows[i].after != NULL)
			pod_spec(&w, rows[i].after);
		if (rows[i].act != NULL)
			rows[i].act(&w, world_entry(&w, "pod.trainer"),
			    world_pod(&w, "pod.trainer"));
		const char *found = world_plan(&w, SHOWN);
		if (strcmp(found, rows[i].shown) != 0 || w.plan == NULL ||
		    w.plan->keeps.n != rows[i].keeps)
			fail_msg("row %zu: %s\nfound:\n%s\nwanted:\n%s", i,
			    rows[i].before, found, rows[i].shown);
		world_release(&w);
	}
}

#define ACT(name) static void \
name(struct plan_world *w, struct lock_entry *had, struct cloud_pod *pod)
#define UNUSED() ((void)w, (void)had, (void)pod)
#define REPLACED "-/+ pod.trainer replace_because_cannot_update " \
	"!container_reset !data_loss @2\n"
#define RESTARTED "~ pod.trainer restarts update_because_drift " \
	"!container_reset @2\n"

/* ------------------------------------------------------------------ GPUs -- */

ACT(gpu_a5000) { UNUSED(); pod->config.gpu = STR("NVIDIA RTX A5000"); }
ACT(gpu_unheard) { UNUSED(); pod->config.gpu = STR("NVIDIA Z9"); }
ACT(gpu_letter) { UNUSED(); pod->config.gpu = STR("Z"); }
ACT(gpu_none) { UNUSED(); pod->config.gpu = (struct str){0};
	pod->config.gpu_count = 0; pod->status = POD_EXITED;
	had->stopped = true; }
ACT(gpu_unrecorded) { UNUSED(); had->pod.gpu = (struct str){0};
	had->gpu_name = (struct str){0}; }
ACT(gpu_unrecorded_other) { gpu_unrecorded(w, had, pod);
	gpu_a5000(w, had, pod); }
ACT(gpu_unknown_at_all) { gpu_unrecorded(w, had, pod);
	pod->config.gpu = (struct str){0}; }
ACT(gpu_nameless) { UNUSED(); had->gpu_name = (struct str){0}; }
ACT(gpu_nameless_no_catalog) { gpu_nameless(w, had, pod);
	w->live.catalog_known = false; }

static void
test_plan_compare_gpus(void **state)
{
	static const struct world_row rows[] = {
		/* Another of those that will do: the record is behind. */
		{ "gpu: [A40, RTX A5000]", NULL, gpu_a5000,
		  "drift pod.trainer\n  gpu.type: \"NVIDIA A40\" -> \"NVIDIA "
		  "RTX A5000\" replace drift @2\n", 1 },
		{ "gpu: A40", NULL, gpu_unheard, REPLACED
		  "  gpu.type: \"NVIDIA Z9\" -> \"A40\" replace drift forces "
		  "@2\ndrift pod.trainer\n  gpu.type: \"NVIDIA A40\" -> "
		  "\"NVIDIA Z9\" replace drift @2\n", 0 },
		{ "gpu: A40", NULL, gpu_letter, REPLACED
		  "  gpu.type: \"Z\" -> \"A40\" replace drift forces "
		  "@2\ndrift pod.trainer\n  gpu.type: \"NVIDIA A40\" -> "
		  "\"Z\" replace drift @2\n", 0 },
		{ "gpu: A40, ignore_drift: [gpu]", NULL, gpu_unheard, "", 0 },
		/* A stopped one gave it back. */
		{ "gpu: A40", "gpu: A40, state: stopped", gpu_none, "", 0 },
		/* Nobody recorded which it got, as of an import. */
		{ "gpu: A40", NULL, gpu_unrecorded, "", 0 },
		{ "gpu: A40", NULL, gpu_unrecorded_other, REPLACED
		  "  gpu.type: \"NVIDIA RTX A5000\" -> \"A40\" replace "
		  "forces @2\n", 0 },
		{ "gpu: A40", NULL, gpu_unknown_at_all, "", 0 },
		{ "gpu: A40", NULL, gpu_nameless, "", 0 },
		{ "gpu: NVIDIA A40", NULL, gpu_nameless_no_catalog, "", 0 },
	};
	(void)state;
	try_rows(rows, COUNTOF(rows));
}

/* ------------------------------------------------------------------ places - */

ACT(place_texas) { UNUSED(); pod->config.data_center = STR("US-TX-3"); }
ACT(place_texas_recorded) { UNUSED(); had->pod.data_center = STR("EU-RO-1");
	pod->config.data_center = STR("US-TX-3"); }
ACT(place_nowhere) { UNUSED(); had->pod.data_center = (struct str){0};
	pod->config.data_center = (struct str){0}; }
ACT(place_unheard) { UNUSED(); had->pod.data_center = STR("XX-1");
	pod->config.data_center = STR("XX-1"); }
ACT(no_catalog) { UNUSED(); w->live.catalog_known = false; }

static void
test_plan_compare_places(void **state)
{
	static const struct world_row rows[] = {
		/* The cloud chose, and chose again: nobody asked. */
		{ "gpu: A40", NULL, place_texas, "", 0 },
		{ "gpu: A40", NULL, place_texas_recorded,
		  "drift pod.trainer\n  data_centers: \"EU-RO-1\" -> "
		  "\"US-TX-3\" replace drift @2\n", 1 },
		{ "gpu: A40, data_centers: [EU-RO-1, US-TX-3]", NULL,
		  place_texas,
		  "drift pod.trainer\n  data_centers: \"EU-RO-1\" -> "
		  "\"US-TX-3\" replace drift @2\n", 1 },
		{ "gpu: A40, data_centers: [EU-RO-1]", NULL, place_texas,
		  REPLACED
		  "  data_centers: \"US-TX-3\" -> \"EU-RO-1\" replace drift "
		  "forces @2\ndrift pod.trainer\n  data_centers: \"EU-RO-1\" "
		  "-> \"US-TX-3\" replace drift @2\n", 0 },
		{ "gpu: A40, data_centers: [EU-RO-1], "
		  "ignore_drift: [data_centers]", NULL, place_texas, "", 0 },
		/* It does not say where it is. */
		{ "gpu: A40, data_centers: [EU-RO-1]", NULL, place_nowhere,
		  "", 0 },
		/* In no region that is known: as good as allowed. */
		{ "gpu: A40, regions: [EUROPE]", NULL, place_unheard, "", 0 },
		{ "gpu: A40, regions: [EUROPE]", NULL, place_texas, REPLACED
		  "  regions: \"US-TX-3\" -> \"EUROPE\" replace drift forces "
		  "@2\ndrift pod.trainer\n  regions: \"EU-RO-1\" -> "
		  "\"US-TX-3\" replace drift @2\n", 0 },
		{ "gpu: A40, regions: [EUROPE]", NULL, no_catalog, "", 0 },
	};
	(void)state;
	try_rows(rows, COUNTOF(rows));
}

static void
test_plan_compare_regions_need_the_catalog(void **state)
{
	struct plan_world *w = *state;

	pod_spec(w, "gpu: A40, regions: [EUROPE]");
	world_settle(w);
	w->live.catalog_known = false;
	assert_text(world_plan(w, SHOWN), "");
	assert_true(w->plan->needs_catalog);
	w->live.from_lock = true;
	assert_text(world_plan(w, SHOWN), "");
	assert_false(w->plan->needs_catalog);
}

/* --------------------------------------------------------- tiers and CUDA -- */

ACT(tier_unsaid) { UNUSED(); pod->config.tier = TIER_ANY; }
ACT(tier_unrecorded) { UNUSED(); had->pod.tier = TIER_ANY; }
ACT(tier_unknown) { tier_unsaid(w, had, pod); tier_unrecorded(w, had, pod); }
ACT(tier_community) { UNUSED(); pod->config.tier = TIER_COMMUNITY; }

static void
test_plan_compare_tiers(void **state)
{
	static const struct world_row rows[] = {
		{ "gpu: A40, cloud: secure", NULL, tier_unsaid, "", 0 },
		{ "gpu: A40, cloud: secure", NULL, tier_unrecorded, "", 0 },
		{ "gpu: A40, cloud: secure", NULL, tier_unknown, "", 0 },
		{ "gpu: A40, cloud: any", NULL, tier_community,
		  "drift pod.trainer\n  cloud: \"secure\" -> \"community\" "
		  "replace edit drift @2\n", 1 },
		{ "gpu: A40, cloud: secure", NULL, tier_community, REPLACED
		  "  cloud: \"community\" -> \"secure\" replace drift forces "
		  "@2\ndrift pod.trainer\n  cloud: \"secure\" -> \"community\" "
		  "replace drift @2\n", 0 },
		{ "gpu: A40, cloud: secure, ignore_drift: [cloud]", NULL,
		  tier_community, "", 0 },
		{ "gpu: A40, cloud: any, ignore_drift: [cloud]", NULL,
		  tier_community, "", 0 },
	};
	(void)state;
	try_rows(rows, COUNTOF(rows));
}

static void
test_plan_versions_are_compared_by_their_numbers(void **state)
{
	static const struct { const char *a, *b; int order; } rows[] = {
		{ "12.4", "12.4", 0 }, { "12.10", "12.4", 1 },
		{ "12.4", "12.10", -1 }, { "12", "12.0", 0 },
		{ "12", "12.1", -1 }, { "12.0.1", "12", 1 },
		{ "012.04", "12.4", 0 }, { "2.400.0", "2.99.0", 1 },
		{ "", "", 0 }, { "", "0", 0 }, { "", "1", -1 }, { "1", "", 1 },
		{ "1.2", "1.3", -1 }, { "13", "12.9", 1 }, { "9", "10", -1 },
	};
	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		int order = version_cmp(str_from(rows[i].a),
		    str_from(rows[i].b));
		if ((order > 0) - (order < 0) != rows[i].order)
			fail_msg("%s and %s: %d", rows[i].a, rows[i].b, order);
	}
}

/* --------------------------------------------------------- ignored drift --- */

ACT(count_two) { UNUSED(); pod->config.gpu_count = 2; }
ACT(disk_more) { UNUSED(); pod->config.disk_gb = 99; }
ACT(disk_unsaid) { UNUSED(); pod->config.disk_gb = 0; }
ACT(ports_other) { UNUSED(); static struct str ports[] = {
	STR_INIT("23/tcp") }; pod->config.ports = ports; }
ACT(mounts) { UNUSED(); pod->config.volume_id = STR("v9");
	pod->config.volume_path = STR("/x"); }
ACT(stopped) { UNUSED(); pod->status = POD_EXITED; }
ACT(keeps_disk) { UNUSED(); had->pod.persistent_gb = 20;
	pod->config.persistent_gb = 20; }
ACT(loses_disk) { UNUSED(); had->pod.persistent_gb = 20; }

static void
test_plan_compare_ignores_what_is_asked(void **state)
{
	static const struct world_row rows[] = {
		{ "gpu: A40, ignore_drift: [gpu_count]", NULL, count_two, "",
		  0 },
		{ "gpu: A40, ignore_drift: [disk]", NULL, disk_more, "", 0 },
		{ "gpu: A40, ignore_drift: [ports]", NULL, ports_other, "", 0 },
		{ "gpu: A40", NULL, ports_other, RESTARTED
		  "  ports: [\"23/tcp\"] -> [\"22/tcp\"] restart drift @2\n"
		  "drift pod.trainer\n"
		  "  ports: [\"22/tcp\"] -> [\"23/tcp\"] restart drift @2\n",
		  0 },
		{ "gpu: A40, ignore_drift: [network_volume]", NULL, mounts, "",
		  0 },
		/* `gpu` is not gpu_count, `env` is not its own name's start. */
		{ "gpu: A40, ignore_drift: [gpu]", NULL, count_two, REPLACED
		  "  gpu_count: 2 -> 1 replace drift forces @2\n"
		  "drift pod.trainer\n  gpu_count: 1 -> 2 replace drift @2\n",
		  0 },
		{ "gpu: A40, ignore_drift: [image, name, args]", NULL,
		  disk_more, RESTARTED
		  "  disk: \"99GB\" -> \"20GB\" restart drift @2\n"
		  "drift pod.trainer\n  disk: \"20GB\" -> \"99GB\" restart "
		  "drift @2\n", 0 },
		/* A size that is not told is none. */
		{ "gpu: A40", NULL, disk_unsaid, RESTARTED
		  "  disk: - -> \"20GB\" restart drift @2\n"
		  "drift pod.trainer\n  disk: \"20GB\" -> - restart drift "
		  "@2\n", 0 },
		/* Stopped behind our back, and to be left so; an edit of the
		 * state is done all the same. */
		{ "gpu: A40, ignore_drift: [state]", NULL, stopped,
		  "drift pod.trainer stopped\n", 0 },
		{ "gpu: A40, ignore_drift: [state]", "gpu: A40, state: "
		  "stopped, ignore_drift: [state]", NULL,
		  "v pod.trainer stop_because_desired !container_reset "
		  "!gpu_not_guaranteed @2\n", 0 },
		/* The disk of a host: shown, since nobody can ask for it. */
		{ "gpu: A40", NULL, keeps_disk, "", 0 },
		{ "gpu: A40", NULL, loses_disk,
		  "drift pod.trainer\n  persistent_disk: \"20GB\" -> - restart "
		  "drift @2\n", 0 },
	};
	(void)state;
	try_rows(rows, COUNTOF(rows));
}

/* --------------------------------------------------------- accepted drift -- */

static void
test_plan_compare_accepts_one_value_of_one_field(void **state)
{
	static const struct {
		const char *address, *path, *value, *until;
		bool accepted;
	} rows[] = {
		{ "pod.trainer", "disk", "\"99GB\"", NULL, true },
		{ "pod.trainer", "disk", "\"99GB\"", "2030-01-01T00:00:00Z",
		  true },
		{ "pod.trainer", "disk", "\"99GB\"", "2020-01-01T00:00:00Z",
		  false },
		/* The very moment of the plan is over. */
		{ "pod.trainer", "disk", "\"99GB\"", "2026-11-18T11:06:40Z",
		  false },
		{ "pod.trainer", "disk", "\"99GB\"", "2026-11-18T11:06:41Z",
		  true },
		{ "pod.trainer", "disk", "\"99GB\"", "for ever", false },
		{ "pod.trainer", "disk", "\"98GB\"", NULL, false },
		{ "pod.trainer", "args", "\"99GB\"", NULL, false },
		{ "pod.other", "disk", "\"99GB\"", NULL, false },
	};
	struct plan_world *w = *state;
	struct ack ack, other = { .address = STR("pod.other") };

	pod_spec(w, "gpu: A40");
	world_settle(w);
	world_pod(w, "pod.trainer")->config.disk_gb = 99;
	*ARENA_PUSH(&w->arena, &w->lock.acks) = other;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		ack = (struct ack){ str_from(rows[i].address),
			str_from(rows[i].path), str_from(rows[i].value),
			STR("why"), str_from(rows[i].until) };
		w->lock.acks.n = 1;
		*ARENA_PUSH(&w->arena, &w->lock.acks) = ack;
		(void)world_plan(w, SHOWN);
		if (w->plan->empty != rows[i].accepted ||
		    plan_has_drift(w->plan) == rows[i].accepted)
			fail_msg("row %zu: %s", i, w->text.data);
	}
}

/* Two fields differ: both have to be accepted, in whichever order. */
static void
test_plan_compare_drift_is_accepted_as_a_whole(void **state)
{
	static const struct { bool args, disk; } rows[] = {
		{ false, false }, { true, false }, { false, true },
		{ true, true },
	};
	struct plan_world *w = *state;

	pod_spec(w, "gpu: A40");
	world_settle(w);
	world_pod(w, "pod.trainer")->config.disk_gb = 99;
	world_pod(w, "pod.trainer")->config.args = STR("x");
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		w->lock.acks.n = 0;
		if (rows[i].args)
			*ARENA_PUSH(&w->arena, &w->lock.acks) = (struct ack){
				.address = STR("pod.trainer"),
				.path = STR("args"), .value = STR("\"x\"") };
		if (rows[i].disk)
			*ARENA_PUSH(&w->arena, &w->lock.acks) = (struct ack){
				.address = STR("pod.trainer"),
				.path = STR("disk"),
				.value = STR("\"99GB\"") };
		(void)world_plan(w, SHOWN);
		assert_int_equal(plan_has_drift(w->plan),
		    !(rows[i].args && rows[i].disk));
		size_t changed = w->plan->changes.n == 0 ? 0 :
		    w->plan->changes.items[0].attrs.n;
		assert_int_equal(changed, 2 - rows[i].args - rows[i].disk);
	}
}

/* ---------------------------------------------------------------- a record -- */

/* --refresh-only: what is reported is recorded, what is not stays. */
static void
test_plan_refresh_only_records_what_is_reported(void **state)
{
	struct plan_world *w = *state;
	struct lock_entry *had;
	struct cloud_pod *pod;

	world_spec(w, "pods: { trainer: { image: torch:1, gpu: A40, "
	    "data_centers: [EU-RO-1], env: { PUBLIC_KEY: k, A: x } } }\n");
	world_settle(w);
	had = world_entry(w, "pod.trainer");
	had->pod.persistent_gb = 20;
	pod = world_pod(w, "pod.trainer");
	pod->config.env = NULL;
	pod->config.nenv = 0;
	pod->config.gpu = (struct str){0};
	pod->config.gpu_count = 0;
	pod->config.tier = TIER_ANY;
	pod->config.data_center = (struct str){0};
	pod->status = POD_EXITED;
	w->options.mode = PLAN_REFRESH_ONLY;
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->keeps.n, 1);
	const struct lock_entry *entry = w->plan->keeps.items[0].entry;
	assert_true(entry->stopped);
	assert_true(str_is(entry->pod.gpu, "NVIDIA A40"));
	assert_true(str_is(entry->gpu_name, "A40"));
	assert_int_equal(entry->pod.gpu_count, 1);
	assert_int_equal(entry->pod.tier, TIER_SECURE);
	assert_true(str_is(entry->pod.data_center, "EU-RO-1"));
	assert_int_equal(entry->pod.persistent_gb, 0);
	/* What the service injects is never reported among the user's. */
	assert_int_equal(entry->pod.nenv, 1);
	assert_true(str_is(entry->pod.env[0].name, "PUBLIC_KEY"));
	assert_true(str_is(entry->pod.env[0].value, "k"));

	pod->config.gpu = STR("NVIDIA RTX A5000");
	pod->config.gpu_count = 2;
	pod->config.tier = TIER_COMMUNITY;
	pod->config.data_center = STR("US-TX-3");
	pod->config.persistent_gb = 30;
	pod->status = POD_STARTING;
	static struct str ports[] = { STR_INIT("1/tcp"), STR_INIT("2/udp") };
	pod->config.name = STR("mine");
	pod->config.image = STR("torch:9");
	pod->config.args = STR("sleep");
	pod->config.disk_gb = 77;
	pod->config.ports = ports;
	pod->config.nports = 2;
	pod->config.volume_id = STR("v9");
	pod->config.volume_path = STR("/v");
	(void)world_plan(w, 0);
	entry = w->plan->keeps.items[0].entry;
	assert_true(str_is(entry->pod.name, "mine"));
	assert_true(str_is(entry->pod.image, "torch:9"));
	assert_true(str_is(entry->pod.args, "sleep"));
	assert_int_equal(entry->pod.disk_gb, 77);
	assert_int_equal(entry->pod.nports, 2);
	assert_true(str_is(entry->pod.ports[1], "2/udp"));
	assert_true(str_is(entry->pod.volume_id, "v9"));
	assert_true(str_is(entry->pod.volume_path, "/v"));
	assert_false(entry->stopped);
	assert_true(str_is(entry->pod.gpu, "NVIDIA RTX A5000"));
	assert_true(str_is(entry->gpu_name, "RTX A5000"));
	assert_int_equal(entry->pod.gpu_count, 2);
	assert_int_equal(entry->pod.tier, TIER_COMMUNITY);
	assert_true(str_is(entry->pod.data_center, "US-TX-3"));
	assert_int_equal(entry->pod.persistent_gb, 30);
	/* Where nothing was recorded the cloud chose, and goes on to. */
	had->pod.data_center = (struct str){0};
	had->pod.persistent_gb = 0;
	(void)world_plan(w, 0);
	entry = w->plan->keeps.items[0].entry;
	assert_int_equal(entry->pod.data_center.len, 0);
	assert_int_equal(entry->pod.persistent_gb, 0);
}

/* The mark in a recorded name is that of the op that made it, or a part of
 * the name that somebody gave. */
static void
test_plan_name_is_cut_at_our_own_mark_alone(void **state)
{
	struct plan_world *w = *state;
	struct id128 other;

	assert_true(id128_parse(STR("77777777777777777777777777777777"),
	    &other));
	pod_spec(w, "gpu: A40");
	world_settle(w);
	struct lock_entry *had = world_entry(w, "pod.trainer");
	assert_true(str_is(config_name_of(had), "trainer"));
	struct str name = mark_name(&w->arena, STR("trainer"),
	    &w->lock.lineage, &other);
	had->pod.name = name;
	assert_true(str_eq(config_name_of(had), name));
	had->pod.name = STR("plain");
	assert_true(str_is(config_name_of(had), "plain"));
	had->pod.name = name;
	had->op.hex[0] = '\0';
	assert_true(str_eq(config_name_of(had), name));
}

/* A pod that asks for no ports is made with none. */
static void
test_plan_create_shows_what_is_set(void **state)
{
	struct plan_world *w = *state;

	pod_spec(w, "gpu: [A40, RTX A5000], ports: [], args: sleep 1, "
	    "min_cuda: '12.4', regions: [EUROPE, NORTH_AMERICA], env: { A: '' }");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ATTRS),
	    "+ pod.trainer @2\n"
	    "  name: - -> \"trainer\" edit @2\n"
	    "  image: - -> \"torch:1\" edit @2\n"
	    "  args: - -> \"sleep 1\" edit @2\n"
	    "  gpu.type: - -> [\"A40\",\"RTX A5000\"] edit @2\n"
	    "  gpu_count: - -> 1 edit @2\n"
	    "  min_cuda: - -> \"12.4\" edit @2\n"
	    "  cloud: - -> \"secure\" edit @2\n"
	    "  regions: - -> [\"EUROPE\",\"NORTH_AMERICA\"] edit @2\n"
	    "  disk: - -> \"20GB\" edit @2\n"
	    "  env.A: - -> \"\" edit @2\n");
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_compare_gpus),
		cmocka_unit_test(test_plan_compare_places),
		TEST(test_plan_compare_regions_need_the_catalog),
		cmocka_unit_test(test_plan_compare_tiers),
		cmocka_unit_test(
		    test_plan_versions_are_compared_by_their_numbers),
		cmocka_unit_test(test_plan_compare_ignores_what_is_asked),
		TEST(test_plan_compare_accepts_one_value_of_one_field),
		TEST(test_plan_compare_drift_is_accepted_as_a_whole),
		TEST(test_plan_refresh_only_records_what_is_reported),
		TEST(test_plan_name_is_cut_at_our_own_mark_alone),
		TEST(test_plan_create_shows_what_is_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
