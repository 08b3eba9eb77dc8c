/*
 * test_plan_slots.c - pods by the state that they are in, what is selected,
 * and whose a thing in no record is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan/planner.h"
#include "plan_world.h"

#define OP "00000000000000000000000000000abc"

/* ------------------------------------------------------- coming up, inside -- */

/* A pod that an earlier run has started: whoever comes to it waits. */
static void
test_plan_waits_for_a_pod_that_comes_up(void **state)
{
	static const struct { enum pod_status status; bool runtime, waits; }
	rows[] = {
		{ POD_PROVISIONING, false, true },
		{ POD_STARTING, false, true },
		{ POD_STARTING, true, true },
		{ POD_RUNNING, false, true },
		{ POD_RUNNING, true, false },
	};
	static const char *const lines[] = { "", "name: other" };
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++)
	for (size_t k = 0; k < COUNTOF(lines); k++) {
		struct plan_world w;
		world_init(&w);
		world_trainer(&w, "");
		world_settle(&w);
		struct cloud_pod *pod = world_pod(&w, "pod.trainer");
		pod->status = rows[i].status;
		pod->has_runtime = rows[i].runtime;
		world_trainer(&w, lines[k]);
		const char *found = world_plan(&w, DUMP_ACTIONS);
		if ((strstr(found, "await running pod.trainer") != NULL) !=
		    rows[i].waits)
			fail_msg("row %zu, %s: %s", i, lines[k], found);
		assert_int_equal(w.plan->waits.n, k == 0 && rows[i].waits);
		for (size_t a = 0; a < w.plan->actions.n; a++)
			assert_true(str_is(plan_action_change(w.plan,
			    &w.plan->actions.items[a])->address,
			    "pod.trainer"));
		world_release(&w);
	}
}

/* Of a container that starts and does not say when: another one. */
static void
test_plan_inside_of_a_container_by_its_start(void **state)
{
	static const struct {
		const char *recorded, *told;
		enum pod_status status;
		bool anew;
	} rows[] = {
		{ NULL, NULL, POD_STARTING, false },
		{ NULL, "now", POD_RUNNING, false },
		{ "now", "now", POD_RUNNING, false },
		{ "then", "now", POD_RUNNING, true },
		{ "then", NULL, POD_RUNNING, false },
		{ "then", NULL, POD_EXITED, false },
		{ "then", NULL, POD_STARTING, true },
		{ "then", NULL, POD_PROVISIONING, true },
		{ "then", "then", POD_STARTING, false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct lock_entry entry = { .inside.start =
		    str_from(rows[i].recorded) };
		struct cloud_pod pod = { .status = rows[i].status,
		    .started_at = str_from(rows[i].told) };
		if (inside_restarted(&entry, &pod) != rows[i].anew)
			fail_msg("row %zu", i);
	}
}

/* Replicas share their steps: what is missing is told once. */
static void
test_plan_missing_files_are_told_once(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods:\n  a: { image: x:1, gpu: A40, replicas: 3,\n"
	    "    setup: [{ copy: { from: nothing.txt, to: /x } }] }\n");
	assert_text(world_plan(w, 0),
	    "pods.yaml:4:13: error: cannot copy 'nothing.txt' to the pod: there "
	    "is no such file [PF0209]\n"
	    "    4 |     setup: [{ copy: { from: nothing.txt, to: /x } }] }\n"
	    "      |             ^\n"
	    "   hint: it is looked for as 'nothing.txt'\n");
	assert_null(w->plan);
}

static void
test_plan_checks_with_a_secret_are_not_shown(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "secrets: { KEY: { env: KEY } }\npods: { a: { image: "
	    "x:1, gpu: A40, ready: { checks: [\"true\", "
	    "\"curl ${secret.KEY}\", \"false\"] } } }\n");
	const char *found = world_plan(w, DUMP_CHANGES | DUMP_ATTRS);
	assert_non_null(strstr(found, "ready.checks: - -> [\"true\","
	    "\"curl ${secret.KEY}\",\"false\"] edit secret @3\n"));
}

/* A container that started anew, where nothing but a login was done. */
static void
test_plan_restart_of_what_has_no_work_is_none(void **state)
{
	static const struct { const char *work; bool again; } rows[] = {
		{ "", false }, { ", setup: [{ run: a }]", true },
		{ ", process: { run: a }", true },
		{ ", ready: { checks: [a] }", true },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		world_spec(&w, arena_printf(&w.arena, "pods: { a: { image: "
		    "x:1, gpu: A40%s } }\n", rows[i].work).data);
		world_settle(&w);
		world_entry(&w, "pod.a")->inside.start = STR("before");
		(void)world_plan(&w, 0);
		assert_int_equal(w.plan->changes.n, rows[i].again);
		if (rows[i].again)
			assert_int_equal(w.plan->changes.items[0].reason,
			    BECAUSE_RESTARTED);
		world_release(&w);
	}
}

/* ------------------------------------------------------------- each state -- */

static void
test_plan_refresh_only_records_the_state(void **state)
{
	/* Recorded as stopped; then by status as in enum pod_status: what
	 * is recorded then, - for nothing. */
	static const struct { bool stopped; const char *wanted; } rows[] = {
		{ false, "----s-" }, { true, "-rrr--" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++)
	for (enum pod_status s = POD_UNKNOWN; s <= POD_ERROR; s++) {
		struct plan_world w;
		world_init(&w);
		world_trainer(&w, "");
		world_settle(&w);
		world_entry(&w, "pod.trainer")->stopped = rows[i].stopped;
		world_pod(&w, "pod.trainer")->status = s;
		w.options.mode = PLAN_REFRESH_ONLY;
		(void)world_plan(&w, 0);
		char found = w.plan->keeps.n == 0 ? '-' :
		    w.plan->keeps.items[0].entry->stopped ? 's' : 'r';
		if (found != rows[i].wanted[s])
			fail_msg("row %zu, status %d: %c", i, (int)s, found);
		/* And beside another drift the state stays as it is. */
		world_pod(&w, "pod.trainer")->config.disk_gb = 99;
		(void)world_plan(&w, 0);
		assert_int_equal(w.plan->keeps.n, 1);
		bool kept = rows[i].wanted[s] == 's' ||
		    (rows[i].wanted[s] == '-' && rows[i].stopped &&
			s != POD_UNKNOWN);
		if (s != POD_UNKNOWN)
			assert_int_equal(w.plan->keeps.items[0].entry->stopped,
			    kept);
		world_release(&w);
	}
}

/* Broken, and only wanted stopped: ended if nothing of it is of use. */
static void
test_plan_stopped_pod_that_needs_another_waits(void **state)
{
	static const struct {
		bool tainted, asked, error;
		const char *line, *shown;
	} rows[] = {
#define WAITS "check warn state: pod.trainer needs a new pod, which waits " \
	"until its state is running @2\n"
		{ true, false, false, "", "- pod.trainer "
		    "replace_because_tainted !data_loss @2\n" },
		{ false, false, true, "", "- pod.trainer "
		    "delete_because_lost !data_loss @2\n" },
		{ false, true, false, "", WAITS },
		{ false, false, false, ", gpu_count: 2", WAITS },
		/* And then nothing else of it is changed. */
		{ false, false, false, ", gpu_count: 2, args: x", WAITS },
		{ false, true, false, ", name: other", WAITS },
		{ false, false, false, ", args: x", "~ pod.trainer restarts "
		    "@2\n" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct str address = STR("pod.trainer");
		world_init(&w);
		world_trainer(&w, "");
		world_settle(&w);
		world_entry(&w, "pod.trainer")->tainted = rows[i].tainted;
		world_entry(&w, "pod.trainer")->stopped = true;
		world_pod(&w, "pod.trainer")->status = rows[i].error ?
		    POD_ERROR : POD_EXITED;
		w.options.replaces = &address;
		w.options.nreplaces = rows[i].asked;
		world_spec(&w, arena_printf(&w.arena, "pods: { trainer: { "
		    "image: torch:1, gpu: A40, state: stopped%s } }\n",
		    rows[i].line).data);
		assert_text(world_plan(&w, DUMP_CHANGES | DUMP_CHECKS),
		    rows[i].shown);
		world_release(&w);
	}
}

/* A word that we have no state for: nothing is done to it, within or without. */
static void
test_plan_status_that_is_unknown_leaves_it_alone(void **state)
{
	static const struct { const char *line; bool asked, refused; } rows[] = {
		{ "", false, false }, { "args: x", false, true },
		{ "state: stopped", false, true },
		{ "gpu_count: 2", false, true }, { "", true, true },
		{ "setup: [{ run: a }]", false, true },
		{ "protect: true", false, false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct str address = STR("pod.trainer");
		world_init(&w);
		world_trainer(&w, "");
		world_settle(&w);
		world_pod(&w, "pod.trainer")->status = POD_UNKNOWN;
		w.options.replaces = &address;
		w.options.nreplaces = rows[i].asked;
		world_trainer(&w, rows[i].line);
		(void)world_plan(&w, DUMP_CHANGES);
		assert_int_equal(w.plan->changes.n, 0);
		if (plan_has_failed_check(w.plan) != rows[i].refused)
			fail_msg("row %zu", i);
		assert_int_equal(w.plan->cost.after_per_hour, 400000);
		assert_int_equal(w.plan->noops, 1);
		world_release(&w);
	}
}

static void
test_plan_gpu_that_went_is_told_where_it_matters(void **state)
{
	static const struct { int64_t recorded, live; enum pod_status status;
		bool told; } rows[] = {
		{ 1, 0, POD_RUNNING, true }, { 1, 0, POD_STARTING, false },
		{ 1, 0, POD_EXITED, false }, { 1, 1, POD_RUNNING, false },
		{ 0, 0, POD_RUNNING, false },
	};
	struct plan_world *w = *state;

	world_trainer(w, "ignore_drift: [gpu_count]");
	world_settle(w);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		world_entry(w, "pod.trainer")->pod.gpu_count =
		    rows[i].recorded;
		world_pod(w, "pod.trainer")->config.gpu_count = rows[i].live;
		world_pod(w, "pod.trainer")->status = rows[i].status;
		const char *found = world_plan(w, DUMP_CHECKS);
		assert_int_equal(strstr(found, "runs without a GPU") != NULL,
		    rows[i].told);
	}
}

/* ------------------------------------------------------------- selection -- */

/* What is left out is as it was, and costs what it costs. */
static void
test_plan_excluded_pod_stays_as_it_is(void **state)
{
	struct plan_world *w = *state;
	struct str address = STR("pod.trainer");

	world_trainer(w, "");
	w->options.excludes = &address;
	w->options.nexcludes = 1;
	assert_text(world_plan(w, DUMP_ALL),
	    "cost 0 -> 0, worst 0, storage 0\n"
	    "add 0, change 0, destroy 0, start 0, stop 0, forget 0; 1 same, "
	    "0 kept, empty\n");
	w->options.nexcludes = 0;
	world_settle(w);
	w->options.nexcludes = 1;
	world_trainer(w, "gpu_count: 2");
	assert_text(world_plan(w, DUMP_ALL),
	    "cost 400000 -> 400000, worst 400000, storage 0\n"
	    "add 0, change 0, destroy 0, start 0, stop 0, forget 0; 1 same, "
	    "0 kept, empty\n");
	w->pods.n = 0;
	assert_text(world_plan(w, DUMP_ALL),
	    "cost 0 -> 0, worst 0, storage 0\n"
	    "add 0, change 0, destroy 0, start 0, stop 0, forget 0; 1 same, "
	    "0 kept, empty\n");
}

/* By whole addresses, names alone, numbers of replicas; and their needs. */
static void
test_plan_selection_covers_replicas_and_needs(void **state)
{
	static const struct { const char *target, *exclude, *shown; } rows[] = {
		{ "a", NULL, "+ pod.a @4\n+ volume.d @2\n" },
		{ "pod.a[0]", NULL, "+ pod.a @4\n+ volume.d @2\n" },
		{ "pod.b[0]", NULL, "+ pod.b[0] @6\n" },
		{ "pod.b", NULL, "+ pod.b[0] @6\n+ pod.b[1] @6\n" },
		/* Whoever is needed twice is there once. */
		{ "pod.c", NULL, "+ pod.a @4\n+ pod.c @7\n+ volume.d @2\n" },
		{ NULL, "volume.d", "+ pod.b[0] @6\n+ pod.b[1] @6\n" },
		{ NULL, "pod.a", "+ pod.b[0] @6\n+ pod.b[1] @6\n"
		    "+ volume.d @2\n" },
		{ NULL, "pod.b[1]", "+ pod.a @4\n+ pod.b[0] @6\n+ pod.c @7\n"
		    "+ volume.d @2\n" },
		{ "pod.c", "volume.d", "" },
		{ "pod.b", "pod.b[0]", "+ pod.b[1] @6\n" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct str target = str_from(rows[i].target);
		struct str exclude = str_from(rows[i].exclude);
		world_init(&w);
		world_spec(&w,
		    "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
		    "pods:\n"
		    "  a: { image: x:1, gpu: A40,\n"
		    "    network_volume: { volume: d, path: /w } }\n"
		    "  b: { image: x:1, gpu: A40, replicas: 2 }\n"
		    "  c: { image: x:1, gpu: A40, env: { A: '${pod.a.id}', "
		    "B: '${volume.d.id}', C: '${pod.a.name}' } }\n");
		w.options.targets = &target;
		w.options.ntargets = target.data != NULL;
		w.options.excludes = &exclude;
		w.options.nexcludes = exclude.data != NULL;
		const char *found = world_plan(&w, DUMP_CHANGES);
		if (strcmp(found, rows[i].shown) != 0)
			fail_msg("row %zu:\n%s", i, found);
		world_release(&w);
	}
}

/* Who cannot be made without it goes along, however far away. */
static void
test_plan_exclusion_spreads_to_the_end(void **state)
{
	static const struct { const char *excluded, *shown; } rows[] = {
		{ "pod.c", "" },
		{ "pod.b", "+ pod.c @5\n" },
		{ "pod.a", "+ pod.b @4\n+ pod.c @5\n" },
	};
	struct plan_world *w = *state;

	world_spec(w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, env: { V: '${pod.b.id}' } }\n"
	    "  b: { image: x:1, gpu: A40, env: { V: '${pod.c.id}' } }\n"
	    "  c: { image: x:1, gpu: A40 }\n");
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct str address = str_from(rows[i].excluded);
		w->options.excludes = &address;
		w->options.nexcludes = 1;
		assert_text(world_plan(w, DUMP_CHANGES), rows[i].shown);
	}
	/* What is there already can be used. */
	w->options.nexcludes = 0;
	(void)world_plan(w, 0);
	world_apply(w);
	struct str address = STR("pod.c");
	w->options.excludes = &address;
	w->options.nexcludes = 1;
	world_spec(w, "pods:\n"
	    "  a: { image: x:2, gpu: A40, env: { V: '${pod.b.id}' } }\n"
	    "  b: { image: x:2, gpu: A40, env: { V: '${pod.c.id}' } }\n"
	    "  c: { image: x:2, gpu: A40 }\n");
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->changes.n, 2);
}

/* A volume whose listing was not asked for, and one that went. */
static void
test_plan_pod_follows_its_volume(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	    "pods: { a: { image: x:1, gpu: A40, network_volume: { volume: d, "
	    "path: /w } } }\n");
	world_settle(w);
	w->live.volumes_known = false;
	assert_text(world_plan(w, DUMP_CHANGES), "");
	assert_true(w->plan->needs_volumes);
	w->live.volumes_known = true;
	w->volumes.n = 0;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ATTRS),
	    "-/+ pod.a replace_because_cannot_update !container_reset @3\n"
	    "  network_volume.volume: \"vol1\" -> (later) replace edit forces "
	    "@3\n"
	    "+ volume.d gone replace_because_lost @2\n"
	    "  size: - -> \"10GB\" edit @2\n"
	    "  data_center: - -> \"EU-RO-1\" edit @2\n");
	/* An op about one needs the listing, too. */
	world_spec(w, "pods: {}\n");
	w->lock.entries.n = 0;
	w->lock.index = NULL;
	struct lock_op op = { .action = OP_CREATE, .op = { "abc" },
		.address = STR("volume.d"), .entry = { .kind = KIND_VOLUME } };
	*ARENA_PUSH(&w->arena, &w->lock.pending) = op;
	(void)world_plan(w, 0);
	assert_false(w->plan->needs_volumes);
	w->live.volumes_known = false;
	(void)world_plan(w, 0);
	assert_true(w->plan->needs_volumes);
	w->lock.pending.items[0].entry.kind = KIND_POD;
	(void)world_plan(w, 0);
	assert_false(w->plan->needs_volumes);
}

/* An update of a pod that got another of the GPUs that will do. */
static void
test_plan_update_records_the_gpu_that_it_got(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods: { a: { image: x:1, gpu: [A40, RTX A5000] } }\n");
	world_settle(w);
	world_pod(w, "pod.a")->config.gpu = STR("NVIDIA RTX A5000");
	world_spec(w, "pods: { a: { image: x:2, gpu: [A40, RTX A5000] } }\n");
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->changes.n, 1);
	const struct plan_change *c = &w->plan->changes.items[0];
	assert_int_equal(c->op, PLAN_UPDATE);
	assert_true(str_is(c->config.gpu, "NVIDIA RTX A5000"));
	assert_true(str_is(c->gpu_name, "RTX A5000"));
	/* And where nothing else changes, the record alone. */
	world_spec(w, "pods: { a: { image: x:1, gpu: [A40, RTX A5000] } }\n");
	(void)world_plan(w, 0);
	assert_int_equal(w->plan->changes.n, 0);
	assert_int_equal(w->plan->keeps.n, 1);
	assert_true(str_is(w->plan->keeps.items[0].entry->gpu_name,
	    "RTX A5000"));
}

/* Without a spec there is the record to choose from. */
static void
test_plan_destroy_without_a_spec_selects_from_the_record(void **state)
{
	struct plan_world *w = *state;
	struct str address = STR("pod.b");

	world_spec(w, "pods:\n  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40 }\n");
	world_settle(w);
	w->spec = NULL;
	w->options.mode = PLAN_DESTROY;
	w->options.targets = &address;
	w->options.ntargets = 1;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "- pod.b delete_because_destroy !data_loss\n");
	w->options.ntargets = 0;
	w->options.excludes = &address;
	w->options.nexcludes = 1;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "- pod.a delete_because_destroy !data_loss\n");
	address = STR("pod.bb");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "error: cannot exclude 'pod.bb': there is no such thing in the "
	    "spec or the lock file [PF0202]\n"
	    "   hint: did you mean 'pod.b'?\n");
}

/* What is not built yet is refused where it is a part of the plan. */
static void
test_plan_later_fields_are_refused_where_they_are_selected(void **state)
{
	static const struct { const char *target, *exclude; bool refused; }
	rows[] = {
		{ NULL, NULL, true }, { "pod.late", NULL, true },
		{ "pod.fine", NULL, false }, { "volume.late", NULL, false },
		{ NULL, "pod.late", false }, { NULL, "pod.fine", true },
		{ "pod.late", "pod.fine", true },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		struct str target = str_from(rows[i].target);
		struct str exclude = str_from(rows[i].exclude);
		world_init(&w);
		world_spec(&w, "volumes: { late: { size: 10GB, data_center: "
		    "EU-RO-1 } }\npods:\n  fine: { image: x:1, gpu: A40 }\n"
		    "  late: { image: x:1, gpu: A40, lease: 4h }\n");
		w.options.targets = &target;
		w.options.ntargets = target.data != NULL;
		w.options.excludes = &exclude;
		w.options.nexcludes = exclude.data != NULL;
		const char *found = world_plan(&w, DUMP_CHANGES);
		if ((w.plan == NULL) != rows[i].refused ||
		    (strstr(found, "PF0201") != NULL) != rows[i].refused)
			fail_msg("row %zu: %s", i, found);
		world_release(&w);
	}
}

/* --------------------------------------------------------------- leftovers -- */

/* A pod under our mark that nobody remembers. */
static void
test_plan_orphan_by_who_knows_it(void **state)
{
	enum { UNKNOWN, NO_ADDRESS, MOUNTS, PENDING, REFRESHED, GIVEN_AWAY,
		GIVEN_OTHER, EXCLUDED, NO_LINEAGE, NCASES };
	static const char *const shown[NCASES] = {
		[UNKNOWN] = "- pod.old orphan o delete_because_orphan "
		    "!data_loss\n",
		[NO_ADDRESS] = "-  orphan o delete_because_orphan "
		    "!data_loss\n",
		[MOUNTS] = "- pod.old orphan o delete_because_orphan\n",
		[PENDING] = "", [REFRESHED] = "",
		[GIVEN_AWAY] = "unmanaged pod o\n",
		[GIVEN_OTHER] = "- pod.old orphan o delete_because_orphan "
		    "!data_loss\n",
		[EXCLUDED] = "unmanaged pod o\n",
		[NO_LINEAGE] = "unmanaged pod o other\n",
	};
	(void)state;

	for (int i = 0; i < NCASES; i++) {
		struct plan_world w;
		struct str excluded = STR("pod.old");
		struct lock_op op = { .action = OP_CREATE,
			.address = STR("pod.old"),
			.entry = { .kind = KIND_POD } };
		world_init(&w);
		world_spec(&w, "pods: {}\n");
		struct cloud_pod *pod = world_stray(&w, "o",
		    i == NO_ADDRESS ? "no address" : "pod.old", OP);
		assert_true(id128_parse(STR(OP), &op.op));
		struct lock_entry entry = { .kind = KIND_POD, .op = op.op,
			.address = STR("pod.old"),
			.id = i == GIVEN_OTHER ? STR("z") : STR("o") };
		if (i == MOUNTS)
			pod->config.volume_id = STR("v");
		if (i == PENDING)
			*ARENA_PUSH(&w.arena, &w.lock.pending) = op;
		if (i == REFRESHED)
			w.options.mode = PLAN_REFRESH_ONLY;
		if (i == GIVEN_AWAY || i == GIVEN_OTHER)
			lock_release(&w.arena, &w.lock, &entry, 0);
		if (i == EXCLUDED) {
			entry.id = STR("another");
			entry.op.hex[0] = 'f';
			lock_add_entry(&w.lock, &entry);
			w.options.excludes = &excluded;
			w.options.nexcludes = 1;
		}
		if (i == NO_LINEAGE)
			w.lock.lineage = (struct id128){ { 0 } };
		const char *found = world_plan(&w, DUMP_CHANGES |
		    DUMP_UNMANAGED);
		if (strcmp(found, shown[i]) != 0)
			fail_msg("case %d:\n%s", i, found);
		world_release(&w);
	}
}

/* Of its two marks one or the other was taken off or is not the op's. */
static void
test_plan_renamed_pod_is_ours_by_its_op(void **state)
{
	struct plan_world *w = *state;
	struct id128 op;

	world_trainer(w, "");
	world_settle(w);
	struct cloud_pod *pod = world_pod(w, "pod.trainer");
	pod->config.name = STR("mine");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "~ pod.trainer update_because_drift @3\n");
	assert_true(id128_parse(STR(OP), &op));
	pod->mark = mark_env(&w->arena, &w->lock.lineage, &op,
	    STR("pod.trainer"));
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "check fail mark: pod 'pod1' is recorded as pod.trainer but does "
	    "not carry our mark as we wrote it: it is left alone @3\n");
	assert_true(id128_parse(STR("99999999999999999999999999999999"),
	    &op));
	pod->mark = mark_env(&w->arena, &op, &op, STR("pod.trainer"));
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check fail mark: pod 'pod1' is recorded as pod.trainer but does "
	    "not carry our mark, it carries another project's: it is left "
	    "alone @3\n");
}

/* What a newer podform may have recorded, and this one knows no use for. */
static void
test_plan_recorded_tunnel_is_forgotten(void **state)
{
	struct plan_world *w = *state;
	struct lock_entry entry = { .kind = KIND_TUNNEL,
		.address = STR("tunnel.old"), .price_per_hour = -1 };

	world_spec(w, "pods: {}\n");
	lock_add_entry(&w->lock, &entry);
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    ". tunnel.old gone delete_because_no_resource_config\n");
}

/* ----------------------------------------------------------------- order -- */

/* Needs of what goes: nothing waits for a runner that is removed. */
static void
test_plan_changes_do_not_wait_for_what_goes(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods:\n  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40, env: { V: '${runner.ci.name}' } }\n"
	    "runners: { ci: { pod: a, repository: acme/model } }\n");
	(void)world_plan(w, 0);
	world_apply(w);
	world_pod(w, "pod.a")->status = POD_EXITED;
	world_spec(w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, state: stopped }\n"
	    "  b: { image: x:1, gpu: A40, args: x, env: { V: "
	    "'${runner.ci.name}' } }\n"
	    "runners: { ci: { pod: a, repository: acme/model } }\n");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "~ pod.b restarts !container_reset @4\n"
	    "- runner.ci delete_because_pod_stops @5\n"
	    "do 0 update pod.b\n"
	    "do 1 await running pod.b after 0\n"
	    "do 2 await ssh pod.b after 1\n"
	    "do 3 barrier after 2\n"
	    "do 4 remove runner.ci after 3\n");
	/* The barrier is about nothing. */
	assert_null(plan_action_change(w->plan, &w->plan->actions.items[3]));
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_waits_for_a_pod_that_comes_up),
		cmocka_unit_test(test_plan_inside_of_a_container_by_its_start),
		TEST(test_plan_missing_files_are_told_once),
		TEST(test_plan_checks_with_a_secret_are_not_shown),
		cmocka_unit_test(
		    test_plan_restart_of_what_has_no_work_is_none),
		cmocka_unit_test(test_plan_refresh_only_records_the_state),
		cmocka_unit_test(
		    test_plan_stopped_pod_that_needs_another_waits),
		cmocka_unit_test(
		    test_plan_status_that_is_unknown_leaves_it_alone),
		TEST(test_plan_gpu_that_went_is_told_where_it_matters),
		TEST(test_plan_excluded_pod_stays_as_it_is),
		cmocka_unit_test(
		    test_plan_selection_covers_replicas_and_needs),
		TEST(test_plan_exclusion_spreads_to_the_end),
		TEST(test_plan_pod_follows_its_volume),
		TEST(test_plan_update_records_the_gpu_that_it_got),
		TEST(test_plan_destroy_without_a_spec_selects_from_the_record),
		cmocka_unit_test(
		    test_plan_later_fields_are_refused_where_they_are_selected),
		cmocka_unit_test(test_plan_orphan_by_who_knows_it),
		TEST(test_plan_renamed_pod_is_ours_by_its_op),
		TEST(test_plan_recorded_tunnel_is_forgotten),
		TEST(test_plan_changes_do_not_wait_for_what_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
