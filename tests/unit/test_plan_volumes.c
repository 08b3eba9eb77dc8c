/* test_plan_volumes.c - network volumes: they grow, and are never replaced */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

enum { SHOWN = DUMP_CHANGES | DUMP_ATTRS | DUMP_DRIFT | DUMP_CHECKS };

static const char *const hundred =
    "volumes: { d: { size: 100GB, data_center: EU-RO-1 } }\n";

static void
volume(struct plan_world *w, const char *fields)
{
	world_spec(w, arena_printf(&w->arena, "volumes: { d: { %s } }\n",
	    fields).data);
}

/* What becomes of a volume of 100 GB, recorded so: by what is listed and
 * what is wanted. */
static void
test_plan_volume_by_size(void **state)
{
	static const struct {
		int64_t live, wanted;
		const char *shown;
		int64_t kept;		/* in the record; 0: it stays */
	} rows[] = {
		{ 100, 100, "", 0 },
		{ 100, 200, "~ volume.d @2\n"
		    "  size: \"100GB\" -> \"200GB\" in-place edit @2\n", 0 },
		{ 100, 50, NULL, 0 },
		/* Somebody has let it grow. */
		{ 200, 100, "drift volume.d\n"
		    "  size: \"100GB\" -> \"200GB\" drift @2\n", 0 },
		{ 200, 200, "drift volume.d\n"
		    "  size: \"100GB\" -> \"200GB\" drift @2\n", 200 },
		{ 200, 300, "~ volume.d @2\n"
		    "  size: \"200GB\" -> \"300GB\" in-place edit drift @2\n"
		    "drift volume.d\n"
		    "  size: \"100GB\" -> \"200GB\" drift @2\n", 0 },
		{ 200, 150, NULL, 0 },
		/* The service cannot shrink any; but if it were so. */
		{ 50, 100, "~ volume.d update_because_drift @2\n"
		    "  size: \"50GB\" -> \"100GB\" in-place drift @2\n"
		    "drift volume.d\n"
		    "  size: \"100GB\" -> \"50GB\" drift @2\n", 0 },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		world_spec(&w, hundred);
		world_settle(&w);
		w.volumes.items[0].size_gb = rows[i].live;
		volume(&w, arena_printf(&w.arena, "size: %dGB, data_center: "
		    "EU-RO-1", (int)rows[i].wanted).data);
		const char *found = world_plan(&w, SHOWN);
		if (rows[i].shown == NULL) {
			assert_null(w.plan);
			assert_non_null(strstr(found, arena_printf(&w.arena,
			    "error: cannot shrink volume.d from %dGB to %dGB: "
			    "volumes only grow", (int)rows[i].live,
			    (int)rows[i].wanted).data));
		} else {
			assert_text(found, rows[i].shown);
			assert_int_equal(w.plan->keeps.n, rows[i].kept != 0);
			if (rows[i].kept != 0)
				assert_int_equal(w.plan->keeps.items[0].entry
				    ->volume.size_gb, rows[i].kept);
		}
		world_release(&w);
	}
}

/* Nothing of the cloud changes, but what is recorded does. */
static void
test_plan_volume_record_follows_the_spec(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, hundred);
	world_settle(w);
	volume(w, "size: 100GB, data_center: EU-RO-1, protect: true");
	assert_text(world_plan(w, SHOWN), "");
	assert_int_equal(w->plan->keeps.n, 1);
	assert_true(w->plan->keeps.items[0].entry->protect);
	world_settle(w);
	assert_true(world_entry(w, "volume.d")->protect);
	/* By the other form of its address. */
	world_entry(w, "volume.d")->address = STR("volume.d[0]");
	assert_text(world_plan(w, SHOWN), "");
	assert_int_equal(w->plan->keeps.n, 1);
	assert_true(str_is(w->plan->keeps.items[0].entry->address,
	    "volume.d"));
	assert_true(w->plan->keeps.items[0].entry->protect);
	/* And it is what is mounted and charged for. */
	assert_int_equal(w->plan->cost.storage_per_hour, 9589);
}

static void
test_plan_volume_is_refused_what_it_cannot_do(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, hundred);
	world_settle(w);
	volume(w, "size: 100GB, data_center: US-TX-3");
	assert_text(world_plan(w, SHOWN),
	    "pods.yaml:2:43: error: cannot move volume.d from EU-RO-1 to "
	    "US-TX-3 [PF0207]\n"
	    "    2 | volumes: { d: { size: 100GB, data_center: US-TX-3 } }\n"
	    "      |                                           ^~~~~~~\n"
	    "   hint: make a volume with another name there, and copy what you "
	    "need before you remove this one\n");
	/* The letters of a place are no matter. */
	w->volumes.items[0].data_center = STR("us-tx-3");
	assert_text(world_plan(w, SHOWN), "");
}

/* By its name alone it is known; and anybody may rename it. */
static void
test_plan_volume_by_whose_it_seems(void **state)
{
	enum { OURS, NAMELESS, ANOTHER, STRANGER, NNAMES };
	/* Listed name; then wanted, not wanted, and destroyed: . nothing,
	 * - deleted, ! refused by a check. */
	static const struct {
		bool imported, from_lock;
		const char *wanted[NNAMES];
	} rows[] = {
		{ false, false, { "..-", "..-", "!!!", "!!!" } },
		{ true, false, { "..-", "..-", "..-", "..-" } },
		{ false, true, { "..-", "..-", "..-", "..-" } },
	};
	(void)state;

	for (size_t row = 0; row < COUNTOF(rows); row++)
	for (int name = 0; name < NNAMES; name++)
	for (int what = 0; what < 3; what++) {
		struct plan_world w;
		struct id128 op, other;
		world_init(&w);
		world_spec(&w, hundred);
		world_settle(&w);
		assert_true(id128_parse(STR("7777777777777777777777777777"
		    "7777"), &op));
		assert_true(id128_parse(STR("9999999999999999999999999999"
		    "9999"), &other));
		struct lock_entry *entry = world_entry(&w, "volume.d");
		struct str *listed = &w.volumes.items[0].name;
		if (name == NAMELESS)
			*listed = STR("mine");
		else if (name == ANOTHER)
			*listed = mark_name(&w.arena, STR("d"),
			    &w.lock.lineage, &op);
		else if (name == STRANGER)
			*listed = mark_name(&w.arena, STR("d"), &other,
			    &entry->op);
		if (rows[row].imported)
			entry->op.hex[0] = '\0';
		w.live.from_lock = rows[row].from_lock;
		if (what == 1)
			world_spec(&w, "pods: {}\n");
		if (what == 2)
			w.options.mode = PLAN_DESTROY;
		(void)world_plan(&w, SHOWN);
		assert_non_null(w.plan);
		char found = plan_has_failed_check(w.plan) ? '!' :
		    w.plan->changes.n > 0 ? '-' : '.';
		/* Not wanted is as good as destroyed. */
		char wanted = rows[row].wanted[name][what == 0 ? 0 : 2];
		if (found != wanted)
			fail_msg("row %zu, name %d, %d: %c, not %c: %s", row,
			    name, what, found, wanted, w.text.data);
		if (found == '!')
			assert_int_equal(w.plan->changes.n, 0);
		world_release(&w);
	}
}

/* --refresh-only records what is, and nothing more. */
static void
test_plan_volume_refresh_only_records_what_is_listed(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, hundred);
	world_settle(w);
	w->options.mode = PLAN_REFRESH_ONLY;
	assert_text(world_plan(w, SHOWN), "");
	assert_int_equal(w->plan->keeps.n, 0);
	w->volumes.items[0].size_gb = 120;
	w->volumes.items[0].name = STR("mine");
	assert_text(world_plan(w, SHOWN),
	    "drift volume.d\n"
	    "  name: \"d-pfab12cd0000000000\" -> \"mine\" drift @2\n"
	    "  size: \"100GB\" -> \"120GB\" drift @2\n");
	assert_int_equal(w->plan->keeps.n, 1);
	assert_int_equal(w->plan->noops, 1);
	const struct cloud_volume *kept = &w->plan->keeps.items[0].entry
	    ->volume;
	assert_int_equal(kept->size_gb, 120);
	assert_true(str_is(kept->name, "mine"));
	assert_int_equal(w->plan->cost.storage_per_hour,
	    price_volume(120, false));
	/* Not wanted, and listed: it stays. */
	world_spec(w, "pods: {}\n");
	assert_text(world_plan(w, DUMP_CHANGES), "");
	assert_int_equal(w->plan->noops, 1);
	/* Wanted or not: what is gone is gone. */
	w->volumes.n = 0;
	assert_text(world_plan(w, SHOWN),
	    ". volume.d gone delete_because_no_resource_config\n"
	    "drift volume.d gone\n");
	world_spec(w, hundred);
	assert_text(world_plan(w, SHOWN | DUMP_ACTIONS),
	    ". volume.d gone forget_because_lost @2\n"
	    "drift volume.d gone\n"
	    "do 0 confirm gone volume.d\n");
	/* One that was never made is not made now. */
	w->lock.entries.n = 0;
	w->lock.index = NULL;
	assert_text(world_plan(w, SHOWN), "");
	assert_int_equal(w->plan->noops, 1);
	assert_int_equal(w->plan->cost.storage_per_hour, 0);
}

/* Wanted and gone, it is made anew; not wanted, it is forgotten. */
static void
test_plan_volume_that_is_gone(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, hundred);
	world_settle(w);
	w->volumes.n = 0;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_DRIFT | DUMP_ACTIONS),
	    "+ volume.d gone replace_because_lost @2\n"
	    "drift volume.d gone\n"
	    "do 0 confirm gone volume.d\n"
	    "do 1 create volume volume.d after 0\n");
	world_spec(w, "pods: {}\n");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_DRIFT | DUMP_ACTIONS),
	    ". volume.d gone delete_because_no_resource_config\n"
	    "drift volume.d gone\n"
	    "do 0 confirm gone volume.d\n");
	assert_int_equal(w->plan->summary.forget, 1);
}

/* A listing that was not asked for proves nothing. */
static void
test_plan_volume_of_an_unknown_listing_is_as_recorded(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, hundred);
	world_settle(w);
	w->volumes.n = 0;
	w->live.volumes_known = false;
	assert_text(world_plan(w, SHOWN), "");
	assert_true(w->plan->needs_volumes);
	assert_int_equal(w->plan->cost.storage_per_hour, 9589);
	/* Not selected: it costs what it costs. */
	struct str address = STR("volume.d");
	w->options.excludes = &address;
	w->options.nexcludes = 1;
	assert_text(world_plan(w, SHOWN), "");
	assert_int_equal(w->plan->noops, 1);
	assert_int_equal(w->plan->cost.storage_per_hour, 9589);
	/* Not selected and not made. */
	w->lock.entries.n = 0;
	w->lock.index = NULL;
	assert_text(world_plan(w, SHOWN), "");
	assert_int_equal(w->plan->cost.storage_per_hour, 0);
	w->options.nexcludes = 0;
	assert_text(world_plan(w, DUMP_CHANGES), "+ volume.d @2\n");
	world_apply(w);
	w->volumes.n = 0;
	world_spec(w, "pods: {}\n");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "- volume.d delete_because_no_resource_config !data_loss\n");
	assert_true(w->plan->needs_volumes);
	w->live.volumes_known = true;
	(void)world_plan(w, 0);
	assert_false(w->plan->needs_volumes);
}

/* Ours by its name and in no record: a person has to look at it. */
static void
test_plan_volume_in_no_record_is_shown_by_its_mark(void **state)
{
	struct plan_world *w = *state;
	struct id128 op, other, lineage;

	assert_true(id128_parse(STR("00000000000000000000000000000abc"), &op));
	assert_true(id128_parse(STR("99999999999999999999999999999999"),
	    &other));
	world_spec(w, "pods: {}\n");
	struct cloud_volume one = { .id = STR("v1"), .size_gb = 10,
		.name = mark_name(&w->arena, STR("d"), &w->lock.lineage, &op) };
	*ARENA_PUSH(&w->arena, &w->volumes) = one;
	one.id = STR("v2");
	one.name = mark_name(&w->arena, STR("d"), &other, &op);
	*ARENA_PUSH(&w->arena, &w->volumes) = one;
	one.id = STR("v3");
	one.name = STR("mine");
	one.high_performance = true;
	*ARENA_PUSH(&w->arena, &w->volumes) = one;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_UNMANAGED),
	    "unmanaged volume v1 suspect\n"
	    "unmanaged volume v2 other\n"
	    "unmanaged volume v3\n");
	assert_int_equal(w->plan->unmanaged.items[0].per_hour,
	    price_volume(10, false));
	assert_int_equal(w->plan->unmanaged.items[2].per_hour, -1);
	assert_int_equal(w->plan->cost.unmanaged_volumes, 3);
	assert_int_equal(w->plan->cost.unmanaged_pods, 0);
	assert_int_equal(w->plan->cost.unmanaged_per_hour,
	    2 * price_volume(10, false));
	/* Before the first apply there is no lineage, and nothing is ours. */
	lineage = w->lock.lineage;
	w->lock.lineage = (struct id128){ { 0 } };
	assert_text(world_plan(w, DUMP_UNMANAGED),
	    "unmanaged volume v1 other\n"
	    "unmanaged volume v2 other\n"
	    "unmanaged volume v3\n");
	w->lock.lineage = lineage;
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_volume_by_size),
		TEST(test_plan_volume_record_follows_the_spec),
		TEST(test_plan_volume_is_refused_what_it_cannot_do),
		cmocka_unit_test(test_plan_volume_by_whose_it_seems),
		TEST(test_plan_volume_refresh_only_records_what_is_listed),
		TEST(test_plan_volume_that_is_gone),
		TEST(test_plan_volume_of_an_unknown_listing_is_as_recorded),
		TEST(test_plan_volume_in_no_record_is_shown_by_its_mark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
