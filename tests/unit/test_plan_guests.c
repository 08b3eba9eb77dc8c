/* test_plan_guests.c - runners on pods, and how guests are shown */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lock/journal.h"
#include "plan_world.h"
#include "ui/plan_file.h"
#include "ui/plan_json.h"
#include "ui/plan_text.h"

enum { SHOWN = DUMP_CHANGES | DUMP_ACTIONS | DUMP_CHECKS };

/* A trainer with an image and a line more, and a runner with a line more. */
static void
spec(struct plan_world *w, const char *image, const char *pod,
    const char *runner)
{
	world_spec(w, arena_printf(&w->arena,
	    "pods:\n"
	    "  trainer: { image: \"%s\", gpu: A40%s%s }\n"
	    "runners:\n"
	    "  ci: { pod: trainer, repository: acme/model%s%s }\n", image,
	    pod[0] != '\0' ? ", " : "", pod, runner[0] != '\0' ? ", " : "",
	    runner).data);
}

static void
test_plan_runner_comes_after_its_pod_and_then_rests(void **state)
{
	struct plan_world *w = *state;

	spec(w, "torch:1", "setup: [{ run: a }]", "labels: [gpu, a40]");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS | DUMP_COST),
	    "+ pod.trainer @3\n"
	    "+ runner.ci @5\n"
	    "do 0 create pod.trainer\n"
	    "do 1 await running pod.trainer after 0\n"
	    "do 2 await ssh pod.trainer after 1\n"
	    "do 3 login pod.trainer after 2\n"
	    "do 4 setup[0] pod.trainer after 3\n"
	    "do 5 install runner.ci after 4\n"
	    "do 6 register runner.ci after 5\n"
	    "do 7 listen runner.ci after 6\n"
	    "do 8 await online runner.ci after 7\n"
	    "cost 0 -> 400000, worst 400000, storage 0\n");
	assert_int_equal(w->plan->summary.add, 2);
	assert_true(str_is(w->plan->changes.items[1].package.version,
	    "2.336.0"));
	world_settle(w);
	w->scope.packages_known = false;
	assert_text(world_plan(w, SHOWN), "");
	assert_false(w->plan->needs_github);
}

static void
test_plan_runner_shows_what_it_will_be(void **state)
{
	struct plan_world *w = *state;

	spec(w, "torch:1", "", "");
	world_settle(w);
	spec(w, "torch:1", "", "labels: [gpu, a40], ephemeral: true");
	w->runners.items[0].busy = true;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ATTRS | DUMP_ACTIONS),
	    "-/+ runner.ci replace_because_cannot_update !interrupts_job @5\n"
	    "  labels: [] -> [\"a40\",\"gpu\"] replace edit forces @5\n"
	    "  ephemeral: - -> true replace edit forces @5\n"
	    "do 0 remove runner.ci\n"
	    "do 1 install runner.ci after 0\n"
	    "do 2 register runner.ci after 1\n"
	    "do 3 listen runner.ci after 2\n"
	    "do 4 await online runner.ci after 3\n");
	world_settle(w);
}

/* What GitHub says of it, and what becomes of it. */
static void
test_plan_runner_follows_what_github_says(void **state)
{
	struct plan_world *w = *state;

	spec(w, "torch:1", "", "");
	world_settle(w);
	w->runners.items[0].online = false;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "-/+ runner.ci replace_because_offline @5\n");
	w->runners.items[0].busy = true;
	assert_text(world_plan(w, DUMP_CHANGES), "");
	w->runners.n = 0;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "-/+ runner.ci replace_because_lost @5\n");
	w->scope.known = false;
	assert_text(world_plan(w, DUMP_CHANGES), "");
	assert_true(w->plan->needs_github);
	w->scope.known = true;
	world_settle(w);
	w->pods.items[0].started_at = STR("2026-12-01T00:00:00Z");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "-/+ runner.ci replace_because_pod_changes @5\n");
	world_settle(w);
	w->runners.items[0].name = STR("somebody");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "check fail mark: runner 4 is recorded as runner.ci but is called "
	    "'somebody' at GitHub: it is left alone\n");
}

static void
test_plan_runner_leaves_before_its_pod_is_ended(void **state)
{
	struct plan_world *w = *state;

	spec(w, "torch:1", "", "");
	world_settle(w);
	spec(w, "torch:1", "gpu_count: 2", "");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "-/+ pod.trainer replace_because_cannot_update !container_reset "
	    "!data_loss @3\n"
	    "-/+ runner.ci replace_because_pod_changes @5\n"
	    "do 0 remove runner.ci\n"
	    "do 1 delete pod.trainer after 0\n"
	    "do 2 create pod.trainer after 1\n"
	    "do 3 await running pod.trainer after 2\n"
	    "do 4 await ssh pod.trainer after 3\n"
	    "do 5 login pod.trainer after 4\n"
	    "do 6 install runner.ci after 0,5\n"
	    "do 7 register runner.ci after 6\n"
	    "do 8 listen runner.ci after 7\n"
	    "do 9 await online runner.ci after 8\n");
	spec(w, "torch:1", "gpu_count: 2, replace: create_first", "");
	assert_text(world_plan(w, DUMP_ACTIONS),
	    "do 0 create pod.trainer\n"
	    "do 1 await running pod.trainer after 0\n"
	    "do 2 await ssh pod.trainer after 1\n"
	    "do 3 login pod.trainer after 2\n"
	    "do 4 install runner.ci after 3\n"
	    "do 5 register runner.ci after 4\n"
	    "do 6 listen runner.ci after 5\n"
	    "do 7 await online runner.ci after 6\n"
	    "do 8 barrier after 3,7\n"
	    "do 9 remove runner.ci after 7,8\n"
	    "do 10 delete pod.trainer after 8,9\n");
	spec(w, "torch:1", "state: stopped", "");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "v pod.trainer stop_because_desired !container_reset "
	    "!gpu_not_guaranteed @3\n"
	    "- runner.ci delete_because_pod_stops @5\n"
	    "do 0 remove runner.ci\n"
	    "do 1 stop pod.trainer after 0\n");
	spec(w, "torch:2", "", "");
	assert_text(world_plan(w, DUMP_ACTIONS),
	    "do 0 remove runner.ci\n"
	    "do 1 update pod.trainer after 0\n"
	    "do 2 await running pod.trainer after 1\n"
	    "do 3 await ssh pod.trainer after 2\n"
	    "do 4 login pod.trainer after 3\n"
	    "do 5 install runner.ci after 0,4\n"
	    "do 6 register runner.ci after 5\n"
	    "do 7 listen runner.ci after 6\n"
	    "do 8 await online runner.ci after 7\n");
	world_settle(w);
	w->options.mode = PLAN_DESTROY;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "- pod.trainer delete_because_destroy !data_loss\n"
	    "- runner.ci delete_because_destroy\n"
	    "do 0 remove runner.ci\n"
	    "do 1 delete pod.trainer after 0\n");
}

static void
test_plan_runner_is_pulled_in_or_the_plan_refused(void **state)
{
	struct plan_world *w = *state;
	struct str pod = STR("pod.trainer"), runner = STR("runner.ci");

	spec(w, "torch:1", "", "");
	world_settle(w);
	spec(w, "torch:2", "", "");
	w->options.targets = &pod;
	w->options.ntargets = 1;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "~ pod.trainer restarts !container_reset @3\n"
	    "-/+ runner.ci replace_because_pod_changes @5\n");
	w->options.ntargets = 0;
	w->options.excludes = &runner;
	w->options.nexcludes = 1;
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_CHECKS),
	    "~ pod.trainer restarts !container_reset @3\n"
	    "check fail runner: pod.trainer cannot be ended or reset while "
	    "runner.ci is on it, which --exclude leaves out @3\n");
}

static void
test_plan_runner_of_a_running_pod_is_let_in_first(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods: { trainer: { image: torch:1, gpu: A40 } }");
	world_settle(w);
	spec(w, "torch:1", "", "");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "+ runner.ci @5\n"
	    "do 0 await running pod.trainer\n"
	    "do 1 await ssh pod.trainer after 0\n"
	    "do 2 login pod.trainer after 1\n"
	    "do 3 install runner.ci after 2\n"
	    "do 4 register runner.ci after 3\n"
	    "do 5 listen runner.ci after 4\n"
	    "do 6 await online runner.ci after 5\n");
	world_settle(w);
}

/* Its change alone, that of a name, needs no login. */
static void
test_plan_runner_of_a_changed_pod_is_let_in_first(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "pods: { trainer: { image: torch:1, gpu: A40 } }");
	world_settle(w);
	spec(w, "torch:1", "name: other", "");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "~ pod.trainer @3\n"
	    "+ runner.ci @5\n"
	    "do 0 update pod.trainer\n"
	    "do 1 await running pod.trainer after 0\n"
	    "do 2 await ssh pod.trainer after 1\n"
	    "do 3 login pod.trainer after 2\n"
	    "do 4 install runner.ci after 3\n"
	    "do 5 register runner.ci after 4\n"
	    "do 6 listen runner.ci after 5\n"
	    "do 7 await online runner.ci after 6\n");
}

static void
test_plan_runner_of_ours_without_a_record_goes(void **state)
{
	struct plan_world *w = *state;
	struct id128 op;

	spec(w, "torch:1", "", "");
	world_settle(w);
	assert_true(id128_parse(STR("77777777777777777777777777777777"), &op));
	*ARENA_PUSH(&w->arena, &w->runners) = (struct github_runner){
		.id = 99, .name = mark_name(&w->arena, STR("old"),
		    &w->lock.lineage, &op), .busy = true,
	};
	*ARENA_PUSH(&w->arena, &w->runners) = (struct github_runner){
		.id = 100, .name = STR("somebody-elses"),
	};
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "- runner.old orphan 99 delete_because_orphan !interrupts_job\n"
	    "do 0 remove runner.old\n");
	(void)plan_digest(&w->arena, w->plan);
	(void)live_digest(&w->arena, w->plan);
	/* A create that is being found out is no orphan, and is settled. */
	*ARENA_PUSH(&w->arena, &w->lock.pending) = (struct lock_op){
		.op = op, .action = OP_CREATE, .address = STR("runner.ci"),
		.entry = { .kind = KIND_RUNNER, .address = STR("runner.ci"),
		    .runner.repository = STR("acme/model") },
	};
	assert_text(world_plan(w, DUMP_CHANGES), "");
	struct records records = {0};
	plan_reconcile(&w->arena, w->spec, &w->lock, &w->live, &records);
	assert_int_equal(records.list.n, 1);
	assert_true(str_is(records.list.items[0].id, "99"));
	assert_true(records.list.items[0].adopted);
	w->lock.pending.items[0].action = OP_DELETE;
	w->lock.pending.items[0].entry.id = STR("98");
	records = (struct records){0};
	plan_reconcile(&w->arena, w->spec, &w->lock, &w->live, &records);
	assert_int_equal(records.list.n, 0);
}

static void
test_plan_runner_refuses_what_github_does_not_offer(void **state)
{
	struct plan_world *w = *state;

	spec(w, "torch:1", "", "version: 2.400.0");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "pods.yaml:5:3: error: GitHub does not offer version 2.400.0 of "
	    "the runner to acme/model [PF0210]\n"
	    "    5 |   ci: { pod: trainer, repository: acme/model, version: "
	    "2.400.0 }\n"
	    "      |   ^~\n"
	    "   hint: it offers 2.335.0\n"
	    "   hint: it offers 2.336.0\n");
	w->scope.is_private = false;
	spec(w, "torch:1", "", "version: 2.335.0");
	assert_text(world_plan(w, DUMP_CHECKS),
	    "check warn runner.public: runner.ci serves the public repository "
	    "acme/model: whoever may open a pull request there can run code "
	    "on the pod @5\n");
	world_settle(w);
}

static void
test_plan_runners_follow_replicas(void **state)
{
	struct plan_world *w = *state;

	spec(w, "torch:1", "replicas: 2", "");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "+ pod.trainer[0] @3\n"
	    "+ pod.trainer[1] @3\n"
	    "+ runner.ci[0] @5\n"
	    "+ runner.ci[1] @5\n");
	world_settle(w);
	spec(w, "torch:1", "", "");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ACTIONS),
	    "- pod.trainer[1] delete_because_count_index !data_loss\n"
	    "- runner.ci[1] delete_because_count_index\n"
	    "do 0 remove runner.ci[1]\n"
	    "do 1 delete pod.trainer[1] after 0\n");
	world_settle(w);
}

/* ---------------------------------------------------- as people see it -- */

static void
test_plan_guests_are_shown_and_saved(void **state)
{
	struct plan_world *w = *state;
	struct plan_text_options options = { .style = { .width = 80 } };
	struct strbuf text = {0}, json = {0}, again = {0};
	struct plan_file file;

	world_spec(w, "secrets: { KEY: { env: KEY } }\n"
	    "pods:\n"
	    "  trainer:\n"
	    "    image: torch:1\n"
	    "    gpu: A40\n"
	    "    ready: { checks: [nvidia-smi] }\n"
	    "    setup: [{ run: \"login ${secret.KEY}\" }]\n"
	    "    process: { run: train }\n"
	    "runners: { ci: { pod: trainer, repository: acme/model } }\n"
	    "tunnels: { web: { pod: trainer, local: 8188, remote: 80 } }\n");
	(void)world_plan(w, 0);
	assert_non_null(w->plan);
	options.sources = &w->sources;
	plan_text(&text, w->plan, &options);
	assert_non_null(strstr(text.data,
	    "inside       : 1 check, 1 setup step, the process\n"));
	assert_non_null(strstr(text.data,
	    "GitHub     : acme/model, package 2.336.0\n"));
	assert_non_null(strstr(text.data, "setup[0]"));
	assert_null(strstr(text.data, "secret.KEY"));
	assert_non_null(strstr(text.data, "Plan: 3 to add"));
	plan_json(&json, w->plan, &(struct plan_json_options){
	    .binding = &(struct plan_binding){ .version = STR("0.1.0"),
		.plan_id = STR("1"), .lineage = id128_str(&w->lock.lineage),
		.created_ms = 1, .expires_ms = 2 },
	    .sources = &w->sources });
	assert_null(strstr(json.data, w->secret));
	assert_true(plan_file_parse(&w->arena, strbuf_str(&json), STR("p"),
	    &file, &w->diags));
	options.sources = file.sources;
	plan_text(&again, file.plan, &options);
	assert_string_equal(strstr(again.data, "  # pod.trainer"),
	    strstr(text.data, "  # pod.trainer"));
	assert_non_null(strstr(again.data,
	    "inside       : 1 check, 1 setup step, the process\n"));
	strbuf_release(&text);
	strbuf_release(&json);
	strbuf_release(&again);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_plan_runner_comes_after_its_pod_and_then_rests),
		TEST(test_plan_runner_shows_what_it_will_be),
		TEST(test_plan_runner_follows_what_github_says),
		TEST(test_plan_runner_leaves_before_its_pod_is_ended),
		TEST(test_plan_runner_is_pulled_in_or_the_plan_refused),
		TEST(test_plan_runner_of_a_running_pod_is_let_in_first),
		TEST(test_plan_runner_of_a_changed_pod_is_let_in_first),
		TEST(test_plan_runner_of_ours_without_a_record_goes),
		TEST(test_plan_runner_refuses_what_github_does_not_offer),
		TEST(test_plan_runners_follow_replicas),
		TEST(test_plan_guests_are_shown_and_saved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
