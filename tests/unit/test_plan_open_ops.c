/*
 * test_plan_open_ops.c - what a listing proves of ops whose outcome is open,
 * and of things of ours that no record knows, field by field.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lock/journal.h"
#include "plan_world.h"

#define OP "00000000000000000000000000000abc"

static size_t
reconcile(struct plan_world *w, struct records *records)
{
	w->live.pods = w->pods.items;
	w->live.npods = w->pods.n;
	w->live.volumes = w->volumes.items;
	w->live.nvolumes = w->volumes.n;
	w->scope.runners = w->runners.items;
	w->scope.nrunners = w->runners.n;
	w->live.scopes = &w->scope;
	w->live.nscopes = 1;
	lock_sort(&w->lock);
	*records = (struct records){0};
	plan_reconcile(&w->arena, w->spec, &w->lock, &w->live, records);
	return records->list.n;
}

static void
test_plan_reconcile_update_by_each_field(void **state)
{
	enum { SAME, NAME, IMAGE, ARGS, DISK, PORT, NPORTS, VALUE, LOST_VAR,
		MORE_VAR, SECRET, REFERENCE, INJECTED, NCASES };
	static const bool took[NCASES] = { [SAME] = true, [SECRET] = true,
		[REFERENCE] = true, [INJECTED] = true };
	(void)state;

	for (int i = 0; i < NCASES; i++) {
		struct plan_world w;
		struct records records;
		world_init(&w);
		world_trainer(&w, "");
		world_settle(&w);
		struct env_var intended[] = {
			{ STR("A"), STR("plain"), false },
			{ STR("B"), STR("${secret.B}"), true },
			{ STR("C"), STR("${pod.x.id}"), false },
			{ STR("PUBLIC_KEY"), STR("k"), false },
		};
		struct env_var listed[] = {
			{ STR("A"), STR("plain"), false },
			{ STR("B"), i == SECRET ? STR("x") : STR("hunter2"),
			    false },
			{ STR("C"), i == REFERENCE ? STR("y") : STR("pod7"),
			    false },
			{ STR("JUPYTER_PASSWORD"), STR("p"), false },
			{ STR("Z"), STR("typed"), false },
		};
		struct str ports[] = { STR("22/tcp"), STR("80/http") };
		struct cloud_pod *pod = world_pod(&w, "pod.trainer");
		struct lock_op op = { .action = OP_UPDATE,
			.address = STR("pod.trainer"),
			.entry = *world_entry(&w, "pod.trainer") };
		assert_true(id128_parse(STR(OP), &op.op));
		op.entry.pod = pod->config;
		op.entry.pod.env = intended;
		op.entry.pod.nenv = i == INJECTED ? 4 : 3;
		pod->config.env = listed;
		pod->config.nenv = i == MORE_VAR ? 5 : 4;
		if (i == NAME)
			pod->config.name = STR("other");
		if (i == IMAGE)
			pod->config.image = STR("other");
		if (i == ARGS)
			pod->config.args = STR("other");
		if (i == DISK)
			pod->config.disk_gb++;
		if (i == PORT || i == NPORTS)
			pod->config.ports = ports + (i == PORT);
		if (i == NPORTS)
			pod->config.nports = 2;
		if (i == VALUE)
			listed[0].value = STR("other");
		if (i == LOST_VAR)
			listed[0].name = STR("CUDA_VERSION");
		*ARENA_PUSH(&w.arena, &w.lock.pending) = op;
		assert_int_equal(reconcile(&w, &records), 1);
		if ((records.list.items[0].outcome == OP_DONE) != took[i])
			fail_msg("case %d", i);
		world_release(&w);
	}
}

/* A create: whose the pod is, where it is recorded, what it costs. */
static void
test_plan_reconcile_create_by_what_is_listed(void **state)
{
	static const struct { bool known; int64_t cost, wanted; } rows[] = {
		{ true, 7, 7 }, { true, 0, 5 }, { false, 7, 5 },
	};
	struct plan_world *w = *state;
	struct records records;
	struct lock_op op = { .action = OP_CREATE, .address = STR("pod.other"),
		.entry = { .kind = KIND_POD, .price_per_hour = 5 } };

	world_trainer(w, "");
	world_settle(w);
	assert_true(id128_parse(STR(OP), &op.op));
	struct cloud_pod *pod = world_stray(w, "new", "pod.other", OP);
	*ARENA_PUSH(&w->arena, &w->lock.pending) = op;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		pod->cost_known = rows[i].known;
		pod->cost_per_hour = rows[i].cost;
		assert_int_equal(reconcile(w, &records), 1);
		assert_int_equal(records.list.items[0].price_per_hour,
		    rows[i].wanted);
		assert_true(records.list.items[0].adopted);
	}
	/* Another entry has it already. */
	struct lock_entry entry = { .kind = KIND_POD, .id = STR("new"),
		.address = STR("pod.first") };
	lock_add_entry(&w->lock, &entry);
	assert_int_equal(reconcile(w, &records), 0);
	/* Made of the record, a picture proves nothing. */
	lock_remove_entry(&w->lock, lock_find(&w->lock, STR("pod.first")));
	w->live.from_lock = true;
	assert_int_equal(reconcile(w, &records), 0);
	w->live.from_lock = false;
	assert_int_equal(reconcile(w, &records), 1);
}

static void
test_plan_reconcile_volume_by_what_is_listed(void **state)
{
	enum { FOUND, NAMELESS, ANOTHER_OP, RECORDED, RECORDED_POD,
		RECORDED_OTHER, NCASES };
	static const bool found[NCASES] = { [FOUND] = true,
		[RECORDED_POD] = true, [RECORDED_OTHER] = true };
	(void)state;

	for (int i = 0; i < NCASES; i++) {
		struct plan_world w;
		struct records records;
		struct id128 other;
		struct lock_op op = { .action = OP_CREATE,
			.address = STR("volume.d"),
			.entry = { .kind = KIND_VOLUME } };
		world_init(&w);
		world_spec(&w, "pods: {}\n");
		assert_true(id128_parse(STR(OP), &op.op));
		assert_true(id128_parse(STR("7777777777777777777777777777"
		    "7777"), &other));
		*ARENA_PUSH(&w.arena, &w.volumes) = (struct cloud_volume){
			.id = STR("theirs"), .name = STR("x") };
		*ARENA_PUSH(&w.arena, &w.volumes) = (struct cloud_volume){
			.id = STR("v"), .name = i == NAMELESS ? STR("d") :
			    mark_name(&w.arena, STR("d"), &w.lock.lineage,
			    i == ANOTHER_OP ? &other : &op.op) };
		*ARENA_PUSH(&w.arena, &w.lock.pending) = op;
		struct lock_entry entry = { .kind = i == RECORDED_POD ?
			KIND_POD : KIND_VOLUME,
			.id = i == RECORDED_OTHER ? STR("w") : STR("v"),
			.address = i == RECORDED_POD ? STR("pod.v") :
			    STR("volume.v") };
		if (i >= RECORDED)
			lock_add_entry(&w.lock, &entry);
		assert_int_equal(reconcile(&w, &records), found[i]);
		if (found[i])
			assert_true(str_is(records.list.items[0].id, "v"));
		world_release(&w);
	}
}

static void
test_plan_reconcile_runner_by_what_is_listed(void **state)
{
	static const struct {
		enum op_action action;
		const char *id;
		bool scope_known, other_scope;
		size_t results;
	} rows[] = {
		{ OP_CREATE, NULL, true, false, 1 },
		{ OP_CREATE, NULL, false, false, 0 },
		{ OP_CREATE, NULL, true, true, 0 },
		{ OP_DELETE, "99", true, false, 1 },
		{ OP_DELETE, "98", true, false, 0 },
		{ OP_DELETE, "x", true, false, 0 },
		{ OP_DELETE, "", true, false, 0 },
		{ OP_DELETE, "99", false, false, 0 },
	};
	struct plan_world *w = *state;

	world_spec(w, "pods: {}\n");
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct records records;
		struct lock_op op = { .action = rows[i].action,
			.address = STR("runner.ci"),
			.entry = { .kind = KIND_RUNNER,
			    .id = str_from(rows[i].id),
			    .runner.repository = rows[i].other_scope ?
				STR("acme/other") : STR("acme/model") } };
		assert_true(id128_parse(STR(OP), &op.op));
		w->runners.n = 0;
		*ARENA_PUSH(&w->arena, &w->runners) = (struct github_runner){
			.id = 5, .name = STR("theirs") };
		*ARENA_PUSH(&w->arena, &w->runners) = (struct github_runner){
			.id = 99, .name = mark_name(&w->arena, STR("ci"),
			    &w->lock.lineage, &op.op) };
		w->scope.known = rows[i].scope_known;
		w->lock.pending.n = 0;
		*ARENA_PUSH(&w->arena, &w->lock.pending) = op;
		assert_int_equal(reconcile(w, &records), rows[i].results);
		if (rows[i].results == 0)
			continue;
		bool create = rows[i].action == OP_CREATE;
		const struct record *record = &records.list.items[0];
		assert_int_equal(record->outcome, create ? OP_DONE : OP_NONE);
		assert_int_equal(record->adopted, create);
		assert_int_equal(record->id.len, create ? 2 : 0);
	}
}

/* A pod of ours that no record knows: does it take a slot again? */
static void
test_plan_reconcile_adopts_into_free_slots(void **state)
{
	static const struct {
		const char *spec, *address;
		const char *taken;	/* address that comes of it; or NULL */
	} rows[] = {
		{ "pods: { a: { image: x:1, gpu: A40 } }", "pod.a", "pod.a" },
		{ "pods: { a: { image: x:1, gpu: A40 } }", "pod.a[0]",
		    "pod.a" },
		{ "pods: { a: { image: x:1, gpu: A40 } }", "pod.a[1]", NULL },
		{ "pods: { a: { image: x:1, gpu: A40, replicas: 2 } }",
		    "pod.a", "pod.a[0]" },
		{ "pods: { a: { image: x:1, gpu: A40, replicas: 2 } }",
		    "pod.a[1]", "pod.a[1]" },
		{ "pods: { a: { image: x:1, gpu: A40 } }", "not one", NULL },
		{ "pods: { a: { image: x:1, gpu: A40 } }", "pod.b", NULL },
		{ "volumes: { a: { size: 10GB, data_center: EU-RO-1 } }",
		    "volume.a", NULL },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct records records;
		world_init(&w);
		world_spec(&w, rows[i].spec);
		world_stray(&w, "new", rows[i].address, OP);
		size_t n = reconcile(&w, &records);
		if (n != (rows[i].taken != NULL ? 2u : 0u))
			fail_msg("row %zu: %zu records", i, n);
		if (n > 0)
			assert_true(str_is(records.list.items[0].op.address,
			    rows[i].taken));
		/* Without a spec nothing is wanted, without a lineage nothing
		 * ours. */
		const struct spec *spec = w.spec;
		w.spec = NULL;
		assert_int_equal(reconcile(&w, &records), 0);
		w.spec = spec;
		w.lock.lineage = (struct id128){ { 0 } };
		assert_int_equal(reconcile(&w, &records), 0);
		world_release(&w);
	}
}

/* Whoever is recorded has the slot; and of the environment only what is the
 * spec's own is recorded. */
static void
test_plan_reconcile_adopts_no_second_one(void **state)
{
	struct plan_world *w = *state;
	struct records records;
	static struct env_var listed[] = {
		{ STR_INIT("A"), STR_INIT("one"), false },
		{ STR_INIT("B"), STR_INIT("another"), false },
	};

	world_spec(w, "pods: { trainer: { image: torch:1, gpu: A40, env: { "
	    "A: one, B: two, C: three } } }\n");
	struct cloud_pod *pod = world_stray(w, "new", "pod.trainer", OP);
	pod->config.env = listed;
	pod->config.nenv = 2;
	assert_int_equal(reconcile(w, &records), 2);
	const struct pod_config *made = &records.list.items[0].op.entry.pod;
	assert_int_equal(made->nenv, 1);
	assert_true(str_is(made->env[0].name, "A"));
	struct lock_entry entry = { .kind = KIND_POD, .id = STR("old"),
		.address = STR("pod.trainer") };
	lock_add_entry(&w->lock, &entry);
	assert_int_equal(reconcile(w, &records), 0);
	lock_find(&w->lock, STR("pod.trainer"))->address =
	    STR("pod.trainer[0]");
	assert_int_equal(reconcile(w, &records), 0);
}

/* Of two for one slot the older: by when they were made, then by id. */
static void
test_plan_reconcile_adopts_the_older_of_two(void **state)
{
	static const struct { const char *id[2], *made[2]; size_t older; }
	rows[] = {
		{ { "a", "b" }, { "2026-01-02", "2026-01-01" }, 1 },
		{ { "a", "b" }, { "2026-01-01", "2026-01-02" }, 0 },
		{ { "a", "b" }, { "2026-01-01", "2026-01-01" }, 0 },
		{ { "b", "a" }, { "2026-01-01", "2026-01-01" }, 1 },
		{ { "a", "b" }, { NULL, NULL }, 0 },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct records records;
		world_init(&w);
		world_trainer(&w, "");
		for (int k = 0; k < 2; k++)
			world_stray(&w, rows[i].id[k], "pod.trainer",
			    k == 0 ? OP : "11111111111111111111111111111111")
			    ->created_at = str_from(rows[i].made[k]);
		assert_int_equal(reconcile(&w, &records), 2);
		assert_true(str_is(records.list.items[1].id,
		    rows[i].id[rows[i].older]));
		world_release(&w);
	}
}

/* A volume by its name alone: where it is has to be where it is wanted. */
static void
test_plan_reconcile_adopts_a_volume_in_its_place(void **state)
{
	static const struct {
		const char *name, *place;
		bool listed, other_lineage, dead, adopted;
	} rows[] = {
		{ "d", "EU-RO-1", true, false, false, true },
		{ "d", "eu-ro-1", true, false, false, true },
		{ "d", "US-TX-3", true, false, false, false },
		{ "e", "EU-RO-1", true, false, false, false },
		{ NULL, "EU-RO-1", true, false, false, false },
		{ "d", "EU-RO-1", false, false, false, false },
		{ "d", "EU-RO-1", true, true, false, false },
		{ "d", "EU-RO-1", true, false, true, false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct records records;
		struct id128 op, other;
		world_init(&w);
		assert_true(id128_parse(STR(OP), &op));
		assert_true(id128_parse(STR("99999999999999999999999999999999"),
		    &other));
		world_spec(&w, "volumes: { d: { size: 10GB, data_center: "
		    "EU-RO-1 } }\n");
		*ARENA_PUSH(&w.arena, &w.volumes) = (struct cloud_volume){
			.id = STR("v"), .size_gb = 10,
			.data_center = str_from(rows[i].place),
			.name = rows[i].name == NULL ? STR("d") :
			    mark_name(&w.arena, str_from(rows[i].name),
			    rows[i].other_lineage ? &other : &w.lock.lineage,
			    &op) };
		if (rows[i].dead)
			lock_bury(&w.arena, &w.lock, &op, STR("volume.d"),
			    w.options.wall_ms);
		w.live.volumes_known = rows[i].listed;
		assert_int_equal(reconcile(&w, &records),
		    rows[i].adopted ? 2 : 0);
		world_release(&w);
	}
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_reconcile_update_by_each_field),
		TEST(test_plan_reconcile_create_by_what_is_listed),
		cmocka_unit_test(test_plan_reconcile_volume_by_what_is_listed),
		TEST(test_plan_reconcile_runner_by_what_is_listed),
		cmocka_unit_test(test_plan_reconcile_adopts_into_free_slots),
		TEST(test_plan_reconcile_adopts_no_second_one),
		cmocka_unit_test(test_plan_reconcile_adopts_the_older_of_two),
		cmocka_unit_test(
		    test_plan_reconcile_adopts_a_volume_in_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
