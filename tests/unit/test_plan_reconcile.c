/* test_plan_reconcile.c - what a listing proves about ops in doubt */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lock/journal.h"
#include "plan_world.h"

#define OP_A "00000000000000000000000000000abc"
#define OP_B "11111111111111111111111111111111"

/* One line for each record. */
static const char *
reconcile(struct plan_world *w)
{
	static const char *const actions[] = {
		[OP_CREATE] = "create", [OP_UPDATE] = "update",
		[OP_START] = "start", [OP_STOP] = "stop",
		[OP_DELETE] = "delete",
	};
	struct records records = {0};

	w->live.pods = w->pods.items;
	w->live.npods = w->pods.n;
	w->live.volumes = w->volumes.items;
	w->live.nvolumes = w->volumes.n;
	lock_sort(&w->lock);
	plan_reconcile(&w->arena, w->spec, &w->lock, &w->live, &records);
	strbuf_reset(&w->text);
	for (size_t i = 0; i < records.list.n; i++) {
		const struct record *record = &records.list.items[i];
		struct str op = str_sub(id128_str(&record->op.op), 29, 3);
		if (record->type == RECORD_INTENT) {
			strbuf_addf(&w->text, "intent " STR_FMT " %s " STR_FMT
			    "\n", STR_ARG(op), actions[record->op.action],
			    STR_ARG(record->op.address));
			lock_apply_intent(&w->arena, &w->lock, record);
			continue;
		}
		strbuf_addf(&w->text, "result " STR_FMT " %s%s" STR_FMT
		    "%s\n", STR_ARG(op),
		    record->outcome == OP_DONE ? "done" : "none",
		    record->id.len > 0 ? " " : "", STR_ARG(record->id),
		    record->adopted ? " adopted" : "");
		lock_apply_result(&w->arena, &w->lock, record);
	}
	lock_sort(&w->lock);
	return w->text.len > 0 ? w->text.data : "";
}

static struct lock_op *
pending(struct plan_world *w, const char *op, enum op_action action,
    const struct lock_entry *entry)
{
	struct lock_op *made = ARENA_PUSH(&w->arena, &w->lock.pending);

	*made = (struct lock_op){ .action = action, .entry = *entry,
		.address = entry->address };
	assert_true(id128_parse(str_from(op), &made->op));
	return made;
}

/* What becomes of one open op about the only entry: nothing yet, done,
 * none. */
static char
verdict(struct plan_world *w, enum op_action action,
    const struct lock_entry *entry)
{
	w->lock.entries.n = 0;
	w->lock.pending.n = 0;
	w->lock.index = NULL;
	lock_add_entry(&w->lock, entry);
	pending(w, OP_A, action, entry);
	const char *said = reconcile(w);
	return *said == '\0' ? '-' :
	    strcmp(said, "result abc done\n") == 0 ? 'd' :
	    strcmp(said, "result abc none\n") == 0 ? 'n' : '?';
}

static struct lock_entry
wished(const char *op)
{
	struct lock_entry entry = {
		.kind = KIND_POD, .address = STR("pod.trainer"),
		.price_per_hour = 400000, .gpu_name = STR("A40"),
		.pod = { .name = STR("x"), .image = STR("torch:1"),
		    .gpu = STR("NVIDIA A40"), .gpu_count = 1,
		    .tier = TIER_SECURE, .disk_gb = 20 },
	};
	static struct str ports[] = { STR_INIT("22/tcp") };

	entry.pod.ports = ports;
	entry.pod.nports = 1;
	assert_true(id128_parse(str_from(op), &entry.op));
	return entry;
}

static void
test_plan_reconcile_adopts_a_created_pod_by_its_mark(void **state)
{
	struct plan_world *w = *state;
	struct lock_entry entry = wished(OP_A);

	world_trainer(w, "");
	pending(w, OP_A, OP_CREATE, &entry);
	assert_text(reconcile(w), "");		/* not listed: nothing known */
	struct cloud_pod *pod = world_stray(w, "half", "pod.trainer", OP_A);
	struct str name = pod->config.name, mark = pod->mark;
	pod->mark = (struct str){0};		/* one mark is not enough */
	assert_text(reconcile(w), "");
	pod->mark = mark;
	pod->config.name = STR("trainer");
	assert_text(reconcile(w), "");
	pod->config.name = name;
	w->lock.pending.items[0].entry.pod.name = name;
	assert_text(reconcile(w), "result abc done half adopted\n");
	assert_true(str_is(world_entry(w, "pod.trainer")->id, "half"));
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_DRIFT), "");
	assert_true(w->plan->empty);
}

static void
test_plan_reconcile_takes_one_of_a_create_done_twice(void **state)
{
	struct plan_world *w = *state;
	struct lock_entry entry = wished(OP_A);

	world_trainer(w, "");
	(void)world_stray(w, "one", "pod.trainer", OP_A);
	(void)world_stray(w, "two", "pod.trainer", OP_A);
	entry.pod.name = w->pods.items[0].config.name;
	pending(w, OP_A, OP_CREATE, &entry);
	assert_text(reconcile(w), "result abc done one adopted\n");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "- pod.trainer orphan two delete_because_orphan !data_loss\n");
}

static void
test_plan_reconcile_finds_pods_whose_journal_was_lost(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "secrets: { S: { env: S } }\n"
	    "pods: { trainer: { image: torch:1, gpu: A40, protect: true, "
	    "env: { A: plain, B: plain, K: '${secret.S}' } } }");
	struct cloud_pod *pod = world_stray(w, "younger", "pod.trainer",
	    OP_B);
	pod->created_at = STR("2026-11-02T00:00:00Z");
	pod = world_stray(w, "older", "pod.trainer", OP_A);
	pod->created_at = STR("2026-11-01T00:00:00Z");
	static struct env_var env[] = {
		{ STR_INIT("A"), STR_INIT("plain"), false },
		{ STR_INIT("B"), STR_INIT("was-a-secret"), false },
		{ STR_INIT("K"), STR_INIT("hunter2-hunter2"), false },
		{ STR_INIT("Z"), STR_INIT("another-secret"), false },
	};
	pod->config.env = env;
	pod->config.nenv = 4;
	assert_text(reconcile(w),
	    "intent abc create pod.trainer\n"
	    "result abc done older adopted\n");
	struct lock_entry *entry = world_entry(w, "pod.trainer");
	assert_true(entry->protect);
	assert_int_equal(entry->price_per_hour, 400000);
	/* Values of unknown making are not in the record. */
	assert_int_equal(entry->pod.nenv, 2);
	assert_true(str_is(entry->pod.env[0].value, "plain"));
	assert_true(str_is(entry->pod.env[1].value, "${secret.S}"));
	assert_true(entry->pod.env[1].sensitive);
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ATTRS),
	    "~ pod.trainer restarts !container_reset @3\n"
	    "  env.B: \"\" -> \"plain\" restart edit drift secret @3\n"
	    "  env.Z: \"\" -> - restart drift secret @3\n"
	    "- pod.trainer orphan younger delete_because_orphan "
	    "!data_loss\n");
}

static void
test_plan_reconcile_leaves_what_is_not_free_or_not_ours(void **state)
{
	struct plan_world *w = *state;
	struct lock_entry entry = wished(OP_A);
	struct cloud_pod *pod;

	world_trainer(w, "");
	/* Nobody wants it; its op is dead; its marks disagree. */
	(void)world_stray(w, "unwanted", "pod.other", OP_B);
	assert_text(reconcile(w), "");
	struct tombstone *dead = ARENA_PUSH(&w->arena, &w->lock.tombstones);
	assert_true(id128_parse(STR(OP_B), &dead->op));
	dead->wall_ms = w->options.wall_ms;
	pod = world_stray(w, "dead", "pod.trainer", OP_B);
	assert_text(reconcile(w), "");
	w->lock.tombstones.n = 0;
	lock_sort(&w->lock);
	pod->config.name = STR("renamed");
	assert_text(reconcile(w), "");
	pod->status = POD_TERMINATED;
	assert_text(reconcile(w), "");
	/* An open create may still fill the slot. */
	pod->status = POD_RUNNING;
	pod->config.name = w->pods.items[0].config.name;
	pending(w, OP_A, OP_CREATE, &entry);
	assert_text(reconcile(w), "");
	/* And without a lineage or a complete listing nothing is ours. */
	w->lock.pending.n = 0;
	w->live.pods_known = false;
	assert_text(reconcile(w), "");
	w->live.pods_known = true;
	assert_text(reconcile(w),
	    "intent 111 create pod.trainer\nresult 111 done dead adopted\n");
}

static void
test_plan_reconcile_knows_the_first_replica_by_both_addresses(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "replicas: 2");
	(void)world_stray(w, "first", "pod.trainer", OP_A);
	(void)world_stray(w, "second", "pod.trainer[1]", OP_B);
	assert_text(reconcile(w),
	    "intent abc create pod.trainer[0]\n"
	    "result abc done first adopted\n"
	    "intent 111 create pod.trainer[1]\n"
	    "result 111 done second adopted\n");
	assert_text(world_plan(w, DUMP_CHANGES), "");
}

static void
test_plan_reconcile_settles_deletes_by_what_is_listed(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	pending(w, OP_A, OP_DELETE, world_entry(w, "pod.trainer"));
	assert_text(reconcile(w), "result abc none\n");
	pending(w, OP_A, OP_DELETE, world_entry(w, "pod.trainer"));
	w->pods.items[0].status = POD_TERMINATED;
	assert_text(reconcile(w), "result abc done\n");
	assert_int_equal(w->lock.entries.n, 0);
}

/* A listing may lag: what it lacks may live, and is settled by time. */
static void
test_plan_reconcile_leaves_an_unlisted_delete_open(void **state)
{
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	pending(w, OP_A, OP_DELETE, world_entry(w, "pod.trainer"));
	w->pods.n = 0;
	assert_text(reconcile(w), "");
	assert_int_equal(w->lock.entries.n, 1);
}

static void
test_plan_reconcile_settles_changes_by_what_is_live(void **state)
{
	struct plan_world *w = *state;
	struct lock_entry wish;

	world_trainer(w, "env: { A: one }");
	world_settle(w);
	wish = *world_entry(w, "pod.trainer");
	wish.pod.image = STR("torch:2");
	pending(w, OP_A, OP_UPDATE, &wish);
	assert_text(reconcile(w), "result abc none\n");
	pending(w, OP_A, OP_UPDATE, &wish);
	w->pods.items[0].config.image = STR("torch:2");
	assert_text(reconcile(w), "result abc done\n");
	assert_true(str_is(world_entry(w, "pod.trainer")->pod.image,
	    "torch:2"));
	wish = *world_entry(w, "pod.trainer");
	wish.stopped = true;
	pending(w, OP_A, OP_STOP, &wish);
	assert_text(reconcile(w), "result abc none\n");
	w->pods.items[0].status = POD_EXITED;
	pending(w, OP_A, OP_STOP, &wish);
	assert_text(reconcile(w), "result abc done\n");
	wish.stopped = false;
	pending(w, OP_A, OP_START, &wish);
	assert_text(reconcile(w), "result abc none\n");
	w->pods.items[0].status = POD_STARTING;
	pending(w, OP_A, OP_START, &wish);
	assert_text(reconcile(w), "result abc done\n");
}

static void
test_plan_reconcile_settles_volumes_by_name(void **state)
{
	struct plan_world *w = *state;
	struct lock_entry wish = {
		.kind = KIND_VOLUME, .address = STR("volume.d"),
		.volume = { .size_gb = 10, .data_center = STR("EU-RO-1") },
	};

	world_spec(w, "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }");
	assert_true(id128_parse(STR(OP_B), &wish.op));
	wish.volume.name = mark_name(&w->arena, STR("d"), &w->lock.lineage,
	    &wish.op);
	pending(w, OP_B, OP_CREATE, &wish);
	w->live.volumes_known = false;
	assert_text(reconcile(w), "");
	w->live.volumes_known = true;
	assert_text(reconcile(w), "");
	*ARENA_PUSH(&w->arena, &w->volumes) = wish.volume;
	w->volumes.items[0].id = STR("v9");
	assert_text(reconcile(w), "result 111 done v9 adopted\n");
	assert_text(world_plan(w, DUMP_CHANGES), "");
	/* With the journal lost its name alone has to do. */
	w->lock.entries.n = 0;
	lock_sort(&w->lock);
	assert_text(reconcile(w),
	    "intent 000 create volume.d\n"
	    "result 000 done v9 adopted\n");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS), "");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

/*
 * Each change of a pod that is in doubt, by each way in which it is or is not
 * listed: d done, n without effect, - nobody knows yet.
 */
static void
test_plan_reconcile_settles_changes_by_what_is_listed(void **state)
{
	static const struct {
		enum op_action action;
		/* not listed; then by enum pod_status, as it was intended
		 * and with another image */
		const char *wanted;
	} rows[] = {
		/*              - ?p s r e x T */
		{ OP_DELETE, "-" "nn" "nn" "nn" "nn" "nn" "nn" "dd" },
		{ OP_UPDATE, "n" "dn" "dn" "dn" "dn" "dn" "dn" "nn" },
		{ OP_START, "n" "nn" "dd" "dd" "dd" "nn" "nn" "nn" },
		{ OP_STOP, "n" "nn" "nn" "nn" "nn" "dd" "nn" "nn" },
	};
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	struct lock_entry entry = *world_entry(w, "pod.trainer");
	struct cloud_pod pod = *world_pod(w, "pod.trainer");
	entry.pod = pod.config;
	for (size_t row = 0; row < COUNTOF(rows); row++) {
		char found[2 * (POD_TERMINATED + 1) + 2] = "";
		for (unsigned i = 0; i < sizeof found - 1; i++) {
			w->pods.items[0] = pod;
			w->pods.items[0].status = (enum pod_status)
			    ((i + 1) / 2 - (i > 0));
			if (i > 0 && i % 2 == 0)
				w->pods.items[0].config.image =
				    STR("torch:2");
			w->pods.n = i > 0;
			found[i] = verdict(w, rows[row].action, &entry);
		}
		assert_string_equal(found, rows[row].wanted);
	}
}

static void
test_plan_reconcile_settles_volumes_by_what_is_listed(void **state)
{
	/* Listing unknown; not listed; of the intended size; of another. */
	static const struct {
		enum op_action action;
		const char *wanted;
	} rows[] = {
		{ OP_DELETE, "--nn" },
		{ OP_UPDATE, "-ndn" },
	};
	struct plan_world *w = *state;

	world_spec(w, "volumes: { d: { size: 100GB, data_center: EU-RO-1 } }");
	world_settle(w);
	struct lock_entry entry = *world_entry(w, "volume.d");
	struct cloud_volume volume = w->volumes.items[0];
	for (size_t row = 0; row < COUNTOF(rows); row++) {
		char found[5] = "";
		for (unsigned i = 0; i < 4; i++) {
			w->volumes.items[0] = volume;
			w->volumes.items[0].size_gb += i == 3;
			w->volumes.n = i >= 2;
			w->live.volumes_known = i > 0;
			found[i] = verdict(w, rows[row].action, &entry);
		}
		assert_string_equal(found, rows[row].wanted);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plan_reconcile_adopts_a_created_pod_by_its_mark),
		TEST(test_plan_reconcile_takes_one_of_a_create_done_twice),
		TEST(test_plan_reconcile_finds_pods_whose_journal_was_lost),
		TEST(test_plan_reconcile_leaves_what_is_not_free_or_not_ours),
		TEST(
		test_plan_reconcile_knows_the_first_replica_by_both_addresses),
		TEST(test_plan_reconcile_settles_deletes_by_what_is_listed),
		TEST(test_plan_reconcile_leaves_an_unlisted_delete_open),
		TEST(test_plan_reconcile_settles_changes_by_what_is_live),
		TEST(test_plan_reconcile_settles_volumes_by_name),
		TEST(test_plan_reconcile_settles_changes_by_what_is_listed),
		TEST(test_plan_reconcile_settles_volumes_by_what_is_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
