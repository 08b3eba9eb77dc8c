/*
 * test_plan_tables.c - what a plan decides for one thing, as full truth
 * tables: every way in which it is wanted by every way in which it is there.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "plan_world.h"

/* One letter for what a plan does with the one thing there is. */
static char
letter(struct plan_world *w)
{
	static const char ops[] = {
		[PLAN_NOOP] = '?', [PLAN_CREATE] = '+', [PLAN_UPDATE] = '~',
		[PLAN_REPLACE] = 'R', [PLAN_DELETE] = '-', [PLAN_START] = '^',
		[PLAN_STOP] = 'v', [PLAN_FORGET] = 'f',
	};

	(void)world_plan(w, DUMP_CHANGES);
	assert_non_null(w->plan);
	assert_true(w->plan->changes.n <= 1);
	return w->plan->changes.n == 1 ? ops[w->plan->changes.items[0].op] :
	    w->plan->keeps.n > 0 ? 'k' : '.';
}

/* A trainer that is there, as the lock has it. */
struct there {
	struct lock_entry entry;
	struct cloud_pod pod;
};

static struct there
there(struct plan_world *w)
{
	struct there now;

	world_trainer(w, "");
	world_settle(w);
	now.entry = *world_entry(w, "pod.trainer");
	now.pod = *world_pod(w, "pod.trainer");
	return now;
}

static void
put(struct plan_world *w, const struct there *now, int status)
{
	w->lock.entries.n = 0;
	w->lock.index = NULL;
	lock_add_entry(&w->lock, &now->entry);
	w->pods.n = status >= 0;
	w->pods.items[0] = now->pod;
	if (status >= 0)
		w->pods.items[0].status = (enum pod_status)status;
	w->pods.items[0].has_runtime = status == POD_RUNNING;
}

/* ----------------------------------------------------------------- pods -- */

/*
 * Columns: not listed; then by enum pod_status unknown, provisioning,
 * starting, running, exited, error, terminated.
 */
static void
test_plan_pod_of_each_state_by_what_is_wanted(void **state)
{
	static const struct {
		enum plan_mode mode;
		const char *yaml;	/* NULL: it is wanted no more */
		bool was_stopped;
		const char *wanted;
	} rows[] = {
		{ PLAN_NORMAL, "", false, "+....^R+" },
		{ PLAN_NORMAL, "", true, "+.kkk^R+" },
		{ PLAN_NORMAL, "state: stopped", false, "f.vvvk-f" },
		{ PLAN_NORMAL, "state: stopped", true, "f.vvv.-f" },
		{ PLAN_NORMAL, "image2", false, "+.~~~~R+" },
		{ PLAN_NORMAL, "gpu2", false, "+.RRRRR+" },
		{ PLAN_NORMAL, NULL, false, "f------f" },
		{ PLAN_DESTROY, "", false, "f------f" },
		{ PLAN_DESTROY, "protect: true", false, "........" },
		{ PLAN_REFRESH_ONLY, "", false, "f....k.f" },
		{ PLAN_REFRESH_ONLY, "", true, "f.kkk..f" },
		{ PLAN_REFRESH_ONLY, "image2", false, "f....k.f" },
	};
	struct plan_world *w = *state;
	struct there now = there(w);

	for (size_t row = 0; row < COUNTOF(rows); row++) {
		char found[POD_TERMINATED + 3] = "";
		const char *yaml = rows[row].yaml;
		if (yaml == NULL)
			world_spec(w, "pods: {}\n");
		else if (strcmp(yaml, "image2") == 0)
			world_spec(w, "pods: { trainer: { image: torch:2, "
			    "gpu: A40 } }\n");
		else if (strcmp(yaml, "gpu2") == 0)
			world_spec(w, "pods: { trainer: { image: torch:1, "
			    "gpu: RTX A5000 } }\n");
		else
			world_trainer(w, yaml);
		w->options.mode = rows[row].mode;
		now.entry.stopped = rows[row].was_stopped;
		for (int status = -1; status <= POD_TERMINATED; status++) {
			put(w, &now, status);
			found[status + 1] = letter(w);
		}
		assert_string_equal(found, rows[row].wanted);
	}
}

/*
 * A pod that nobody wants any more has lost neither of its two marks, one of
 * them or both, or it has those of others; it is recorded, or not.  Only what is ours beyond doubt is ended.
 */
static void
test_plan_ends_only_what_carries_its_marks(void **state)
{
	/* Name (ours, none, another op's, another lineage's) and within
	 * these the environment (likewise). */
	static const struct {
		bool recorded, released;
		const char *wanted;
	} rows[] = {
		/* ours  none   op's   other's */
		{ true, false, "-..." "-..." "...." "...." },
		{ false, false, "-..." "...." "..-." "...." },
		{ false, true, "...." "...." "...." "...." },
	};
	struct plan_world *w = *state;
	struct there now = there(w);
	struct id128 own = now.entry.op, op = own, other;
	struct str names[4], marks[4];

	assert_true(id128_parse(STR("99999999999999999999999999999999"),
	    &other));
	memset(op.hex, '7', sizeof op.hex - 1);
	names[0] = now.pod.config.name;
	names[1] = STR("trainer");
	names[2] = mark_name(&w->arena, names[1], &w->lock.lineage, &op);
	names[3] = mark_name(&w->arena, names[1], &other, &own);
	marks[0] = now.pod.mark;
	marks[1] = (struct str){0};
	marks[2] = mark_env(&w->arena, &w->lock.lineage, &op,
	    STR("pod.trainer"));
	marks[3] = mark_env(&w->arena, &other, &own, STR("pod.trainer"));
	world_spec(w, "pods: {}\n");
	for (size_t row = 0; row < COUNTOF(rows); row++) {
		char found[17] = "";
		w->lock.tombstones.n = 0;
		if (rows[row].released)
			for (int i = 0; i < 2; i++) {
				struct lock_entry entry = now.entry;
				entry.op = i == 0 ? own : op;
				lock_release(&w->arena, &w->lock, &entry, 0);
			}
		for (unsigned i = 0; i < 16; i++) {
			put(w, &now, POD_RUNNING);
			w->pods.items[0].config.name = names[i / 4];
			w->pods.items[0].mark = marks[i % 4];
			if (!rows[row].recorded)
				w->lock.entries.n = 0;
			w->lock.index = NULL;
			found[i] = letter(w);
		}
		assert_string_equal(found, rows[row].wanted);
	}
}

/* --------------------------------------------------------- replacements -- */

/* A broken pod is no help while its successor starts. */
static void
test_plan_replace_order_by_reason(void **state)
{
	static const struct {
		const char *line;	/* edited; NULL: not */
		int status;
		bool asked;
		enum plan_reason reason;
		bool may_overlap;
	} rows[] = {
		{ "gpu: RTX A5000", POD_RUNNING, false, BECAUSE_CANNOT_UPDATE,
		    true },
		{ "gpu: A40", POD_RUNNING, true, BECAUSE_REQUESTED, true },
		{ "gpu: A40", POD_ERROR, false, BECAUSE_LOST, false },
		{ "gpu: RTX A5000", POD_ERROR, false, BECAUSE_LOST, false },
		{ "gpu: A40", POD_ERROR, true, BECAUSE_LOST, false },
	};
	static const char *const orders[] = { "", ", replace: destroy_first",
		", replace: create_first" };
	struct plan_world *w = *state;
	struct there now = there(w);
	struct str address = STR("pod.trainer");

	for (size_t row = 0; row < COUNTOF(rows); row++)
	for (size_t order = 0; order < COUNTOF(orders); order++) {
		world_spec(w, arena_printf(&w->arena, "pods: { trainer: { "
		    "image: torch:1, %s%s } }\n", rows[row].line,
		    orders[order]).data);
		put(w, &now, rows[row].status);
		w->options.replaces = &address;
		w->options.nreplaces = rows[row].asked;
		(void)world_plan(w, DUMP_CHANGES);
		assert_int_equal(w->plan->changes.n, 1);
		const struct plan_change *change = &w->plan->changes.items[0];
		if (change->op != PLAN_REPLACE ||
		    change->reason != rows[row].reason)
			fail_msg("row %zu: op %d, reason %d", row,
			    (int)change->op, (int)change->reason);
		bool first = order == 2 && rows[row].may_overlap;
		assert_int_equal(change->create_first, first);
		assert_string_equal(change->undo, first ? "terminate" :
		    "none");
		/* The order of the graph is the order that is said. */
		size_t make = SIZE_MAX, end = SIZE_MAX;
		for (size_t i = 0; i < w->plan->actions.n; i++) {
			enum action_kind kind = w->plan->actions.items[i].kind;
			if (kind == ACTION_POD_CREATE)
				make = i;
			if (kind == ACTION_POD_DELETE)
				end = i;
		}
		assert_true(make != SIZE_MAX && end != SIZE_MAX);
		assert_int_equal(make < end, first);
	}
}

/* ----------------------------------------------------------- the record -- */

/*
 * --refresh-only takes a live value over only where the record holds a plain
 * one: recorded as plain, as a reference, as secret; live the same, another,
 * gone.
 */
static void
test_plan_refresh_only_records_no_value_in_place_of_a_reference(void **state)
{
	static const struct {
		const char *recorded;
		bool sensitive;
		const char *same, *other, *gone;
	} rows[] = {
		{ "plain", false, "plain", "typed", "-" },
		{ "${secret.S}", false, "${secret.S}", "${secret.S}", "-" },
		{ "${secret.S}", true, "${secret.S}", "${secret.S}", "-" },
		{ "plain", true, "plain", "plain", "-" },
	};
	struct plan_world *w = *state;
	struct there now = there(w);

	w->options.mode = PLAN_REFRESH_ONLY;
	for (size_t row = 0; row < COUNTOF(rows); row++)
	for (int live = 0; live < 3; live++) {
		struct env_var recorded = { STR("V"),
			str_from(rows[row].recorded), rows[row].sensitive };
		struct env_var found = { STR("V"), live == 1 ? STR("typed") :
			recorded.value, false };
		struct there these = now;
		these.entry.pod.env = &recorded;
		these.entry.pod.nenv = 1;
		these.pod.config.env = &found;
		these.pod.config.nenv = live < 2;
		/* So that there is something to take over at all. */
		these.pod.config.disk_gb += 10;
		put(w, &these, POD_RUNNING);
		(void)world_plan(w, DUMP_CHANGES);
		assert_int_equal(w->plan->keeps.n, 1);
		const struct pod_config *kept =
		    &w->plan->keeps.items[0].entry->pod;
		const char *wanted = live == 0 ? rows[row].same :
		    live == 1 ? rows[row].other : rows[row].gone;
		assert_int_equal(kept->disk_gb, these.pod.config.disk_gb);
		if (*wanted == '-') {
			assert_int_equal(kept->nenv, 0);
			continue;
		}
		assert_int_equal(kept->nenv, 1);
		assert_true(str_is(kept->env[0].value, wanted));
		assert_int_equal(kept->env[0].sensitive,
		    rows[row].sensitive);
	}
}

/* -------------------------------------------------------------- tunnels -- */

static int
refuses(void *ctx, struct arena *arena, struct str address, uint16_t port,
    struct str *owner)
{
	(void)arena;
	(void)address;
	(void)port;
	(void)owner;
	return -*(int *)ctx;
}

static void
test_plan_tunnel_says_why_it_cannot_listen(void **state)
{
	static const struct {
		int error;
		const char *why;
	} rows[] = {
		{ EADDRINUSE, "it is taken by another program" },
		{ EADDRNOTAVAIL, "it is no address of this machine" },
		{ EEXIST, "a file that is no socket is there" },
		{ ENOENT, "there is no such directory" },
		{ ENOTDIR, "there is no such directory" },
		{ EROFS, "its directory cannot be written to" },
		{ EMFILE, "it is not possible on this machine" },
	};
	struct plan_world *w = *state;
	int error;

	w->options.may_listen = refuses;
	w->options.may_listen_ctx = &error;
	world_spec(w, "pods: { a: { image: x:1, gpu: A40 } }\n"
	    "tunnels: { web: { pod: a, local: 8188, remote: 80 } }\n");
	for (size_t row = 0; row < COUNTOF(rows); row++) {
		error = rows[row].error;
		struct str said = str_from(world_plan(w, DUMP_CHECKS));
		struct str wanted = arena_printf(&w->arena, "tunnel.web "
		    "cannot listen on 127.0.0.1:8188: %s", rows[row].why);
		if (str_search(said, wanted) < 0)
			fail_msg("%s: %s", rows[row].why, said.data);
		assert_true(plan_has_failed_check(w->plan));
	}
	error = 0;
	assert_text(world_plan(w, DUMP_CHECKS), "");
}

/* ------------------------------------------------------------ selection -- */

static void
test_plan_selection_names_what_is_there(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "pod.trainr", "did you mean 'pod.trainer'?" },
		{ "trainr", "did you mean 'pod.trainer'?" },
		{ "volume.nothing-like-it",
		    "`podform state list` shows what there is" },
		{ "trainer[1]", "did you mean 'pod.trainer'?" },
		{ "x.y.z", "`podform state list` shows what there is" },
		{ "trainer", NULL },
		{ "trainer[0]", NULL },
	};
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	for (size_t row = 0; row < COUNTOF(rows); row++) {
		struct str text = str_from(rows[row].text);
		w->options.targets = &text;
		w->options.ntargets = 1;
		struct str said = str_from(world_plan(w, DUMP_CHANGES));
		if (rows[row].said == NULL ? said.len > 0 :
		    str_search(said, str_from(rows[row].said)) < 0)
			fail_msg("%s: " STR_FMT, rows[row].text,
			    STR_ARG(said));
	}
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_plan_pod_of_each_state_by_what_is_wanted),
		TEST(test_plan_ends_only_what_carries_its_marks),
		TEST(test_plan_replace_order_by_reason),
		TEST(
	test_plan_refresh_only_records_no_value_in_place_of_a_reference),
		TEST(test_plan_tunnel_says_why_it_cannot_listen),
		TEST(test_plan_selection_names_what_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
